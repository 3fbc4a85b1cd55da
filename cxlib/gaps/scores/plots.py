"""Figures of scores, of what the silent could change, and of changes; drawn, not computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.gaps.scores.wording import SCENARIOS, format_change, format_score, name_score
from cxlib.style import GREY, INK, LIGHT, PALETTE, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LABEL_WIDTH = 34  # characters
_LINE_HEIGHT = 0.2  # inches a line of a label needs
_RAW = {"color": GREY, "markerfacecolor": "white", "markeredgewidth": 1.6}
_PARTS = {
    "total": "total change",
    "within": "part within groups",
    "mix": "part of the changed mix",
}


def plot_scores(scores: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot scores with their intervals, each on a track from the worst to the best it can be.

    Parameters
    ----------
    scores : pandas.DataFrame
        From `summarise_scores` or `summarise_response`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One track per score, wave and group with the ends of its own scale. Open dots are raw, full
        dots weighted scores; they stand on the right with their intervals.
    """
    keys = ["metric", "item", "wave", "group"]
    tracks = scores.drop_duplicates(keys).reset_index(drop=True)
    place = pd.MultiIndex.from_frame(tracks[keys])
    has_waves = tracks["wave"].nunique() > 1
    labels = [wrap(_track_label(row, has_waves), _LABEL_WIDTH, lines=3) for row in _rows(tracks)]
    kind = scores["weighting"].mask(scores["metric"].eq("response_rate"), "")
    both = bool(kind.eq("weighted").any())
    kind = kind if both else kind.mask(kind.ne(""), "")
    ax = ax if ax is not None else _tall_axes(labels, least=2.6 if both else 1.6)
    ax.hlines(np.arange(len(tracks)), 0, 1, color=LIGHT, linewidth=8, zorder=0)
    texts: list[list[str]] = [[] for _ in labels]
    for name, shift in (("", 0.0), ("raw", -0.17), ("weighted", 0.17)):
        rows = scores[kind.eq(name)]
        y = place.get_indexer(pd.MultiIndex.from_frame(rows[keys])).astype(float)
        width = rows["score_max"] - rows["score_min"]
        ends = ((rows[e] - rows["score_min"]) / width for e in ("score", "conf_low", "conf_high"))
        for at, text in zip(y.astype(int), map(_score_text, _rows(rows)), strict=True):
            texts[at].append(f"{text} {name}".strip())
        style = _RAW if name == "raw" else {"color": PALETTE[0]}
        _dots(ax, y + shift, *ends, label=name or "_", **style)
    for i, row in enumerate(_rows(tracks)):
        for x, end, side in ((0, row.score_min, "left"), (1, row.score_max, "right")):
            offset = (0, -9 if both else -7)
            ax.annotate(
                f"{end:g}",
                *((x, i), offset),
                textcoords="offset points",
                ha=side,
                va="top",
                fontsize=9,
                color=GREY,
            )
    _write_right(ax, ["\n".join(lines) for lines in texts], title="score (interval)")
    _finish(ax, labels)
    ax.set_xlim(-0.01, 1.01)
    ax.set_xticks([0, 1], ["worst possible", "best possible"])
    first, last = ax.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    ax.set_xlabel("place on the score's own scale")
    ax.grid(visible=False)
    if both:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    return ax


def plot_scenarios(scenarios: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot what one score of all invited would be under each assumption about the silent.

    Parameters
    ----------
    scenarios : pandas.DataFrame
        Rows of one score item from `bound_scores`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The wide bar runs from the worst to the best that is possible; dots with intervals are the
        assumptions.
    """
    rows = scenarios[~scenarios["scenario"].isin(("worst", "best"))].reset_index(drop=True)
    ends = scenarios.set_index("scenario")["score"]
    labels = [wrap(SCENARIOS[name], _LABEL_WIDTH) for name in rows["scenario"]]
    labels.append("anything: nothing assumed")
    unit = str(scenarios["unit"].iloc[0])
    ax = ax if ax is not None else _tall_axes(labels)
    last = len(labels) - 1
    ax.barh(last, ends["best"] - ends["worst"], left=ends["worst"], height=0.4, color=LIGHT)
    y = np.arange(last, dtype=float)
    _dots(ax, y, rows["score"], rows["conf_low"], rows["conf_high"], color=PALETTE[0])
    texts = [_score_text(row) for row in _rows(rows)]
    texts.append(f"{format_score(ends['worst'], unit)} to {format_score(ends['best'], unit)}")
    _write_right(ax, texts, title="score (interval)")
    _finish(ax, labels)
    low, high = scenarios[["score_min", "score_max"]].iloc[0]
    ax.set_xlim(low, high)
    score = name_score(scenarios["metric"].iloc[0])
    ax.set_xlabel(f"{score} of all invited ({unit})")
    ax.set_title("if the silent are ...", fontsize=9.5, fontweight="normal")
    return ax


def plot_change(split: pd.DataFrame, groups: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot the change of one score, its two parts, and the change of every group.

    Parameters
    ----------
    split, groups : pandas.DataFrame
        Rows of one score item from `split_change`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One dot and interval a row; the dashed line is no change.
    """
    labels = [_PARTS[part] for part in split["part"]]
    labels += [
        wrap(
            f"{row.group} (n\u00a0=\u00a0{row.n_before:,}, {row.n_after:,})", _LABEL_WIDTH, lines=3
        )
        for row in _rows(groups)
    ]
    ax = ax if ax is not None else _tall_axes(labels)
    ax.axvline(0, color=GREY, linewidth=1, linestyle="--")
    texts = []
    for rows, first, colour in ((split, 0, PALETTE[0]), (groups, len(split), PALETTE[1])):
        y = np.arange(first, first + len(rows), dtype=float)
        _dots(ax, y, rows["change"], rows["conf_low"], rows["conf_high"], color=colour)
        texts += [_change_text(row) for row in _rows(rows)]
    ax.axhline(len(split) - 0.5, color=LIGHT, linewidth=1)
    _write_right(ax, texts, title="change (interval)")
    _finish(ax, labels)
    unit = split["unit"].iloc[0]
    ax.set_xlabel(f"change of {name_score(split['metric'].iloc[0])} ({unit or 'points'})")
    return ax


def _rows(table: pd.DataFrame) -> list[Any]:
    return list(table.itertuples(index=False))


def _track_label(row: Any, has_waves: bool) -> str:
    parts = [name_score(row.metric), row.item, row.wave if has_waves else ""]
    parts.append("" if row.group == "all" else row.group)
    return ", ".join(part for part in parts if part) + f" (n\u00a0=\u00a0{row.n:,})"


def _score_text(row: Any) -> str:
    text = format_score(row.score, row.unit)
    if pd.isna(row.conf_low):
        return text
    ends = (format_score(end, row.unit) for end in (row.conf_low, row.conf_high))
    return f"{text} ({' to '.join(ends)})"


def _change_text(row: Any) -> str:
    text = format_change(row.change, row.unit)
    if pd.isna(row.conf_low):
        return text
    ends = (format_change(end, row.unit) for end in (row.conf_low, row.conf_high))
    return f"{text} ({' to '.join(ends)})"


def _dots(ax: Axes, y: np.ndarray, middle: Any, low: Any, high: Any, **style: Any) -> None:
    """Draw a dot and a line with end marks per row; the marks show beside a short interval."""
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    ax.hlines(y, low, high, color=INK, linewidth=1.4, zorder=2)
    for end in (low, high):
        ax.plot(end, y, "|", color=INK, markersize=8, markeredgewidth=1.4)
    ax.plot(middle, y, "o", markersize=6, zorder=3, **style)


def _tall_axes(labels: list[str], *, least: float = 1.6) -> Axes:
    lines = sum(max(label.count("\n") + 1, least) + 0.4 for label in labels)
    return new_axes(height=1.6 + _LINE_HEIGHT * lines)


def _write_right(ax: Axes, texts: list[str], *, title: str) -> None:
    """Write one text per row beside the axes, over a short title level with the axis label."""
    beside = ax.get_yaxis_transform()
    for y, text in enumerate(texts):
        ax.text(1.02, y, text, transform=beside, va="center", ha="left", fontsize=9.5)
    ax.annotate(
        title,
        *((1.02, 0), (0, -21)),
        xycoords="axes fraction",
        textcoords="offset points",
        va="top",
        color=GREY,
    )


def _finish(ax: Axes, labels: list[str]) -> None:
    ax.set_yticks(np.arange(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
