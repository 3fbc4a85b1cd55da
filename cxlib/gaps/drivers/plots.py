"""Figures of drivers and priorities; they draw tables and compute nothing but where labels fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.gaps.drivers.priorities import QUADRANTS, UNDECIDED
from cxlib.style import GREY, INK, LIGHT, PALETTE, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

_LABEL_WIDTH = 34  # characters
_SHORT = 20  # characters of a name that still fits into the map
# marker and fill tell verdicts apart in grey
_MARKS = {
    QUADRANTS[0]: ("s", PALETTE[1], PALETTE[1]),
    QUADRANTS[1]: ("o", PALETTE[0], PALETTE[0]),
    QUADRANTS[2]: ("s", PALETTE[1], "white"),
    QUADRANTS[3]: ("o", PALETTE[0], "white"),
    UNDECIDED: ("D", GREY, LIGHT),
}


def plot_importance(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot how strongly each driver goes with the outcome, the strongest on top.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of one method from the `table` of `fit_importance`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One dot and interval a driver, open where the link is not shown; the grey bar is what
        chance alone reaches. On the right the chance to be the most important.
    """
    rows = rows.dropna(subset="importance").sort_values(
        ["importance", "name"], ascending=[True, False], ignore_index=True
    )
    labels = _labels(rows)
    if ax is None:
        lines = sum(max(label.count("\n") + 1, 1.6) + 0.4 for label in labels)
        ax = new_axes(height=1.6 + 0.2 * lines)
    y = np.arange(len(rows))
    if rows["noise_floor"].notna().any():
        ax.barh(y, rows["noise_floor"], height=0.6, color=LIGHT, zorder=0, label="chance alone")
    ax.hlines(y, rows["conf_low"], rows["conf_high"], color=INK, linewidth=1.4, zorder=2)
    for end in ("conf_low", "conf_high"):
        ax.plot(rows[end], y, "|", color=INK, markersize=9, markeredgewidth=1.4)
    shown = rows["is_shown"].ne(False).to_numpy()
    for part, fill, label in (
        (shown, PALETTE[0], "importance (interval)"),
        (~shown, "white", "not shown to matter"),
    ):
        if part.any():
            ax.plot(
                *(rows["importance"][part], y[part], "o"),
                markerfacecolor=fill,
                markeredgecolor=PALETTE[0],
                markeredgewidth=1.6,
                markersize=7,
                zorder=3,
                label=label,
            )
    beside = ax.get_yaxis_transform()
    for place, row in enumerate(rows.itertuples()):
        text = f"{row.p_top:.0%}"
        ax.text(1.03, place, text, transform=beside, va="center", ha="left", fontsize=9.5)
    ax.annotate(
        "chance to\nbe first",
        *((1.03, 0), (0, -6)),
        xycoords="axes fraction",
        textcoords="offset points",
        va="top",
        fontsize=9,
        color=GREY,
    )
    ax.set_yticks(y, labels)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_xlim(left=min(0.0, float(rows["conf_low"].min())))
    ax.set_xlabel(_AXES.get(str(rows["method"].iloc[0]), "importance"))
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.legend(
        loc="lower right", bbox_to_anchor=(1.15, 1), ncols=3, borderaxespad=0.2, columnspacing=1.4
    )
    return ax


_AXES = {
    "lmg": "part of all differences in the outcome",
    "johnson": "part of all differences in the outcome",
    "ordinal": "part of all differences in the latent outcome",
    "standardised": "standardised coefficient beside all others",
    "correlation": "correlation with the outcome (-1 to 1)",
    "stated": "stated importance (mean, points of the scale)",
}


def plot_priorities(priorities: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot importance against the gap, with the verdict on each driver.

    Parameters
    ----------
    priorities : pandas.DataFrame
        From `rank_priorities`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One mark a driver with its intervals as a cross; marks tell verdicts. The lines are the
        cuts between the quadrants, named in the corners.
    """
    rows = priorities.reset_index(drop=True)
    is_keyed = max(map(len, _labels(rows))) > _SHORT  # sentences would cover the map
    ax = new_axes(width=10.5 if is_keyed else 8.6, height=6.2) if ax is None else ax
    x, y = 100 * rows["share"].to_numpy(), rows["gap"].to_numpy()
    ax.hlines(y, 100 * rows["share_low"], 100 * rows["share_high"], color="#9aa5b1", linewidth=1.2)
    ax.vlines(x, rows["gap_low"], rows["gap_high"], color="#9aa5b1", linewidth=1.2)
    for verdict, (marker, edge, fill) in _MARKS.items():
        here = rows["verdict"].eq(verdict).to_numpy()
        if here.any():
            ax.plot(
                *(x[here], y[here], marker),
                markerfacecolor=fill,
                markeredgecolor=edge,
                markeredgewidth=1.6,
                markersize=8,
                linestyle="none",
                label=verdict,
                zorder=3,
            )
    _draw_quadrants(ax, rows)
    ax.set_xlabel("importance: share of what all drivers account for together (%)")
    ax.set_ylabel("gap: perception - expectation (points of the scale)")
    ax.grid(visible=False)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=5, borderaxespad=0.2, handletextpad=0)
    labels = _labels(rows)
    if is_keyed:
        _write_key(ax, rows)
        labels = [str(number) for number in range(1, len(rows) + 1)]
    _place_labels(ax, x, y, labels)
    return ax


def _labels(rows: pd.DataFrame) -> list[str]:
    return [
        wrap(text if pd.notna(text) else name, _LABEL_WIDTH, lines=3)
        for text, name in zip(rows["text"], rows["name"], strict=True)
    ]


def _write_key(ax: Axes, rows: pd.DataFrame) -> None:
    """Write beside the map what the numbers in it stand for."""
    names = rows["text"].where(rows["text"].notna(), rows["name"])
    lines = [f"{n:>2}  {wrap(name, 44, lines=1)}" for n, name in enumerate(names, 1)]
    ax.text(
        *(1.02, 1.0, "\n".join(lines)),
        transform=ax.transAxes,
        va="top",
        ha="left",
        fontsize=8.5,
        linespacing=1.45,
    )


def _draw_quadrants(ax: Axes, rows: pd.DataFrame) -> None:
    """Draw the cuts and name the corners, with room for both on either side."""
    cut_x, cut_y = 100 * rows["importance_cut"].iloc[0], rows["gap_cut"].iloc[0]
    low, high = rows["gap_low"].min(), rows["gap_high"].max()
    reach = max(high - low, high - cut_y, cut_y - low, 0.1)
    ax.set_ylim(min(low, cut_y) - 0.18 * reach, max(high, cut_y) + 0.18 * reach)
    ax.set_xlim(0, 1.08 * max(100 * rows["share_high"].max(), 1.6 * cut_x))
    ax.axvline(cut_x, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    ax.axhline(cut_y, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    corners = (
        *((0.99, 0.012, "right", "bottom"), (0.99, 0.988, "right", "top")),
        *((0.01, 0.012, "left", "bottom"), (0.01, 0.988, "left", "top")),
    )
    for name, (at_x, at_y, ha, va) in zip(QUADRANTS, corners, strict=True):
        ax.text(
            *(at_x, at_y, name.upper()),
            transform=ax.transAxes,
            ha=ha,
            va=va,
            fontsize=9,
            color=GREY,
            fontweight="bold",
        )


def _place_labels(ax: Axes, x: np.ndarray, y: np.ndarray, labels: list[str]) -> None:
    """Write labels near their marks where they cover neither marks, labels nor corner names."""
    from matplotlib.patheffects import withStroke
    from matplotlib.transforms import Bbox

    figure = ax.get_figure(root=True)
    assert figure is not None  # these axes were just made or given with their figure
    figure.draw_without_rendering()  # only now it is known where the axes lie
    scale = figure.dpi / 72
    marks = ax.transData.transform(np.column_stack([x, y]))
    taken = [Bbox.from_extents(*(mark - 6 * scale), *(mark + 6 * scale)) for mark in marks]
    taken += [text.get_window_extent() for text in ax.texts]
    crowd = ((marks[:, None] - marks) ** 2).sum(axis=2)
    order = np.argsort(np.sort(crowd, axis=1)[:, : min(4, len(marks))].sum(axis=1), kind="stable")
    for place in order:
        label = ax.annotate(
            labels[place],
            *((x[place], y[place]), (0, 0)),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=9,
            linespacing=0.95,
            zorder=4,
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )
        size = label.get_window_extent()
        offset, box = _find_room(marks[place], size.width, size.height, taken, ax.bbox, scale)
        label.set_position((offset[0] / scale, offset[1] / scale))
        taken.append(box)
        if abs(offset[0]) > size.width / 2 + 16 * scale or (
            abs(offset[1]) > size.height / 2 + 16 * scale
        ):
            to_edge = np.clip(-offset, -np.array([size.width, size.height]) / 2, None)
            to_edge = np.minimum(to_edge, np.array([size.width, size.height]) / 2)
            line = ax.transData.inverted().transform(
                np.array([marks[place], marks[place] + offset + to_edge])
            )
            ax.plot(line[:, 0], line[:, 1], color=GREY, linewidth=0.7, zorder=2)


def _find_room(
    mark: np.ndarray, width: float, height: float, taken: list[Bbox], inside: Bbox, scale: float
) -> tuple[np.ndarray, Bbox]:
    """Find the nearest free place of a label; the place right of the mark when there is none."""
    from matplotlib.transforms import Bbox

    angles = np.radians([0, 180, 90, 270, 30, 150, 210, 330, 60, 120, 240, 300])
    best = None
    for distance in scale * np.array([9, 14, 20, 28, 38, 50, 64, 80, 100, 125]):
        for angle in angles:
            reach = np.array([width / 2 + distance, height / 2 + distance])
            offset = reach * np.array([np.cos(angle), np.sin(angle)])
            centre = mark + offset
            half = np.array([width, height]) / 2 + 1.5 * scale
            box = Bbox.from_extents(*(centre - half), *(centre + half))
            best = (offset, box) if best is None else best
            fits = (
                box.x0 > inside.x0
                and box.x1 < inside.x1
                and box.y0 > inside.y0
                and box.y1 < inside.y1
            )
            if fits and not box.count_overlaps(taken):
                return offset, box
    assert best is not None  # the loops run
    return best
