"""Small multiples: a figure of every set as a dot with its interval, all on one axis, as SVG."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from markupsafe import Markup

from cxlib.formats import format_figure

WIDTH, HEIGHT, _EDGE = 120, 14, 5
_LETTER = 5.6  # width of a letter of the labels, rather too wide
Figure = Mapping[str, Any]


@dataclass(frozen=True)
class Axis:
    """A common axis.

    Parameters
    ----------
    id : str
        Of its grid on the page.
    low, high : float
        Its ends.
    ticks : list of float
        Round values between them.
    unit : str
        Of the values.
    """

    id: str
    low: float
    high: float
    ticks: list[float]
    unit: str


def find_axis(figures: Sequence[Figure], *, id: str) -> Axis | None:
    """Find the axis on which figures of several sets can be compared.

    Parameters
    ----------
    figures : sequence of dict
        Key figures of one kind.
    id : str
        Name of its grid on the page.

    Returns
    -------
    Axis or None
        None when fewer than two have a number, or when they are not the same figure.

    Notes
    -----
    It spans all values. Intervals are spanned as far as twice the usual width beyond the values,
    so that one set of few customers does not press the others together.
    """
    told = [figure for figure in figures if _is_number(figure["value"])]
    if len(told) < 2 or len({(figure["label"], figure["unit"]) for figure in told}) > 1:
        return None
    values = [figure["value"] for figure in told] + [_before(figure) for figure in told]
    values = [value for value in values if value is not None]
    ends = [end for figure in told for end in _ends(figure)]
    widths = [high - low for low, high in map(_ends, told)]
    reach = max(2 * median(widths), max(values) - min(values))
    low = max(min(ends + values), min(values) - reach)
    high = min(max(ends + values), max(values) + reach)
    if low == high:
        low, high = low - abs(low or 1) / 2, high + abs(high or 1) / 2
        if told[0]["unit"] == "share":
            low, high = max(low, 0.0), min(high, 1.0)
    return Axis(id, low, high, _ticks(low, high), told[0]["unit"])


def draw_grid(axis: Axis) -> Markup:
    """Draw the head of a column: labels of the axis, and the grid its rows refer to.

    Parameters
    ----------
    axis : Axis
        The axis.

    Returns
    -------
    markupsafe.Markup
        An SVG element.
    """
    lines = "".join(f"M{_place(axis, tick)} 0V{HEIGHT}" for tick in axis.ticks)
    ends = [format_figure(axis.ticks[place], axis.unit) for place in (0, -1)]
    texts = [text.removesuffix(f" {axis.unit}") for text in ends]
    widths = [_LETTER * len(text) for text in texts]
    # within the strip, whatever stands beside it
    left = max(float(_place(axis, axis.ticks[0])), widths[0] / 2)
    right = min(float(_place(axis, axis.ticks[-1])), WIDTH - widths[1] / 2)
    places = [left, right] if right - left > sum(widths) / 2 + _LETTER else [left]
    labels = Markup("").join(
        Markup('<text x="{}" y="9" text-anchor="middle">{}</text>').format(f"{place:.4g}", text)
        for place, text in zip(places, texts, strict=False)
    )
    return Markup(
        '<svg class="strip" viewBox="0 0 {} {}" aria-hidden="true">'
        '<path id="{}" class="grid" d="{}"/>{}</svg>'
    ).format(WIDTH, HEIGHT, axis.id, lines, labels)


def draw_strip(figure: Figure, axis: Axis) -> Markup:
    """Draw a figure on an axis: its interval, its value, and its value before as a ring.

    Parameters
    ----------
    figure : dict
        A key figure.
    axis : Axis
        Of its column.

    Returns
    -------
    markupsafe.Markup
        An SVG element; what it shows stands beside it as text.
    """
    if not _is_number(figure["value"]):
        return Markup("")
    low, high = _ends(figure)
    if figure["conf_low"] is not None and figure["conf_high"] is None:
        high = axis.high  # not reached
    middle, before = HEIGHT // 2, _before(figure)
    line = f'<path d="M{_place(axis, low)} {middle}H{_place(axis, high)}"/>' if low < high else ""
    ring = "" if before is None else f'<circle cx="{_place(axis, before)}" cy="{middle}" r="4"/>'
    dot = f'<path class="dot" d="M{_place(axis, figure["value"])} {middle}h0"/>'
    return Markup(
        f'<svg class="strip" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">'
        f'<use href="#{axis.id}"/>{line}{ring}{dot}</svg>'
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _before(figure: Figure) -> float | None:
    change = figure.get("change")
    return change["before"] if change else None


def _ends(figure: Figure) -> tuple[float, float]:
    ends = (figure["conf_low"], figure["conf_high"])
    low, high = (figure["value"] if end is None else end for end in ends)
    return low, high


def _place(axis: Axis, value: float) -> str:
    share = (min(max(value, axis.low), axis.high) - axis.low) / (axis.high - axis.low)
    return f"{_EDGE + share * (WIDTH - 2 * _EDGE):.1f}".removesuffix(".0")


def _ticks(low: float, high: float) -> list[float]:
    """Choose three to seven round values."""
    base = 10.0 ** math.floor(math.log10((high - low) / 2))
    for step in (5 * base, 2 * base, base, base / 2):
        first, last = math.ceil(low / step), math.floor(high / step)
        if last - first >= 2:
            break
    return [number * step for number in range(first, last + 1)]


def join_prefix(labels: Iterable[str]) -> str:
    """Find what labels have in common.

    Parameters
    ----------
    labels : iterable of str
        At least one.

    Returns
    -------
    str
        The label, when all are the same; else what precedes the colon in all; else the words
        that all begin with, and dots; empty when there are none.
    """
    labels = set(labels)
    if len(labels) == 1:
        return labels.pop()
    starts = {label.partition(":")[0] for label in labels}
    if len(starts) == 1:
        return starts.pop()
    columns = zip(*(label.split() for label in labels), strict=False)
    shared = [set(words) for words in columns]
    words = [each.pop() for each in itertools.takewhile(lambda each: len(each) == 1, shared)]
    return " ".join([*words, "…"]) if words else ""
