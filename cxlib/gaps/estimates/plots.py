"""Figures of gaps, groups and the zone of tolerance; they draw tables and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.stats import Floats
from cxlib.style import GREY, INK, LIGHT, PALETTE, colours, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MANY = 20  # more rows than this are drawn closer, with labels of one line
_MARKS = "osD^vP*X"


def plot_gaps(gaps: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot expectation and perception of each row, the largest shortfall on top.

    Parameters
    ----------
    gaps : pandas.DataFrame
        Rows of one level from `summarise_gaps`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Open dots expectation, full dots perception; the bar around perception is the
        interval of the gap, laid off from expectation.
    """
    rows = gaps.sort_values(["gap", "name"], ascending=[False, False], ignore_index=True)
    ax, y = _rows(ax, _labels(rows))
    expectation, perception = rows["expectation"].to_numpy(), rows["perception"].to_numpy()
    ax.hlines(y, expectation, perception, color=LIGHT, linewidth=5, zorder=1)
    low, high = (expectation + rows[end].to_numpy() for end in ("conf_low", "conf_high"))
    _intervals(ax, y, low, high, label="interval of the gap")
    ax.plot(
        *(expectation, y, "o"),
        markerfacecolor="white",
        markeredgecolor=GREY,
        markeredgewidth=1.6,
        markersize=6.5,
        label="expectation",
    )
    ax.plot(perception, y, "o", color=PALETTE[0], markersize=5.5, label="perception")
    _write_right(ax, y, rows, "gap", title="gap (interval)")
    _scale(ax, rows)
    _legend_above(ax)
    return ax


def plot_tolerance(tolerance: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot the zone of tolerance of each row and perception in or beside it, the worst on top.

    Parameters
    ----------
    tolerance : pandas.DataFrame
        Rows of one level from `summarise_tolerance`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        A bar from minimum to desired, a dot for perception, around it the interval of adequacy,
        laid off from the minimum; beside it the adequacy.
    """
    rows = tolerance.sort_values(["adequacy", "name"], ascending=[False, False], ignore_index=True)
    ax, y = _rows(ax, _labels(rows))
    minimum, desired = rows["minimum"].to_numpy(), rows["desired"].to_numpy()
    ax.hlines(y, minimum, desired, color=LIGHT, linewidth=9, zorder=1, label="zone of tolerance")
    for ends, mark, label in ((minimum, "<", "minimum"), (desired, ">", "desired")):
        ax.plot(ends, y, mark, color=GREY, markersize=5, label=label)
    low, high = (minimum + rows[end].to_numpy() for end in ("adequacy_low", "adequacy_high"))
    _intervals(ax, y, low, high)
    ax.plot(rows["perception"], y, "o", color=PALETTE[0], markersize=6, label="perception")
    shown = rows.rename(columns={"adequacy_low": "conf_low", "adequacy_high": "conf_high"})
    _write_right(ax, y, shown, "adequacy", title="above minimum (interval)")
    _scale(ax, rows)
    _legend_above(ax)
    return ax


def plot_gap_groups(groups: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot each group's gap with its interval, for one name or for several.

    Parameters
    ----------
    groups : pandas.DataFrame
        Rows of one level from `compare_gap_groups`; of several names, with up to eight groups.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Of one name: one dot per group, the first on top. Of several: one row per name, in it one
        mark per group. The dashed line is perception equal to expectation.
    """
    if groups["name"].nunique() > 1:
        ax = _draw_names(groups, ax)
    else:
        rows = groups.iloc[::-1]
        labels = [wrap(f"{row.group} (n = {row.n:,})", 34, lines=3) for row in rows.itertuples()]
        ax, y = _rows(ax, labels)
        _intervals(ax, y, rows["conf_low"].to_numpy(), rows["conf_high"].to_numpy())
        ax.plot(rows["gap"], y, "o", color=PALETTE[0], markersize=6)
        _write_right(ax, y, rows, "gap", title="gap (interval)")
    ax.axvline(0, color=GREY, linewidth=1, linestyle="--")
    ax.set_xlabel("gap: perception - expectation (points of the scale)")
    return ax


def _draw_names(groups: pd.DataFrame, ax: Axes | None) -> Axes:
    """Draw several names with their groups side by side."""
    names = groups.drop_duplicates("name").iloc[::-1]
    labels = list(dict.fromkeys(groups["group"]))
    if ax is None:
        ax = new_axes(height=1.5 + len(names) * (0.25 + 0.13 * len(labels)))
    place = dict(zip(names["name"], np.arange(len(names), dtype=float), strict=True))
    step = 0.7 / len(labels)
    for i, (label, colour) in enumerate(colours(labels).items()):
        rows = groups[groups["group"].eq(label)]
        y = rows["name"].map(place).to_numpy(float) + step * ((len(labels) - 1) / 2 - i)
        ax.hlines(y, rows["conf_low"], rows["conf_high"], color=colour, linewidth=1.6)
        mark = _MARKS[i % len(_MARKS)]
        ax.plot(rows["gap"], y, mark, color=colour, markersize=5, label=wrap(label, 26, lines=1))
    ax.set_yticks(np.arange(len(names)), _labels(names))
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    _legend_above(ax)
    return ax


def _labels(rows: pd.DataFrame) -> list[str]:
    width, lines = (46, 1) if len(rows) > _MANY else (34, 3)
    return [
        wrap(t if pd.notna(t) else n, width, lines=lines)
        for t, n in zip(rows["text"], rows["name"], strict=True)
    ]


def _rows(ax: Axes | None, labels: list[str]) -> tuple[Axes, Floats]:
    """Prepare one line of a figure for each label, the last on top."""
    n = len(labels)
    if ax is None:
        if n > _MANY:
            ax = new_axes(width=9.0, height=1.6 + 0.23 * n)
        else:
            lines = sum(max(label.count("\n") + 1, 1.6) + 0.4 for label in labels)
            ax = new_axes(height=1.6 + 0.2 * lines)
    y = np.arange(n, dtype=float)
    ax.set_yticks(y, labels, fontsize=8.5 if n > _MANY else None)
    ax.set_ylim(-0.6, n - 0.4)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    return ax, y


def _intervals(ax: Axes, y: Floats, low: Floats, high: Floats, *, label: str = "_interval") -> None:
    """Draw a line with end marks per row; the marks show beside the dot of a short interval."""
    # a label that begins with _ stays out of the legend
    ax.hlines(y, low, high, color=INK, linewidth=1.4, zorder=2, label=label)
    for end in (low, high):
        ax.plot(end, y, "|", color=INK, markersize=8, markeredgewidth=1.4)


def _scale(ax: Axes, rows: pd.DataFrame) -> None:
    scale = rows[["scale_min", "scale_max"]].dropna()
    if len(scale):
        low, high = scale.iloc[0]
        ax.set_xlim(low - 0.02 * (high - low), high + 0.02 * (high - low))
    ax.set_xlabel("mean rating (points of the scale)")


def _write_right(ax: Axes, y: Floats, rows: pd.DataFrame, column: str, *, title: str) -> None:
    """Write each row's estimate beside the axes, over a short title level with the axis label."""
    beside = ax.get_yaxis_transform()
    size = 8.5 if len(rows) > _MANY else 9.5
    estimates = zip(y, rows[column], rows["conf_low"], rows["conf_high"], strict=True)
    for place, value, low, high in estimates:
        text = f"{value:+.2f}" + (f" ({low:+.2f} to {high:+.2f})" if pd.notna(low) else "")
        ax.text(1.02, place, text, transform=beside, va="center", ha="left", fontsize=size)
    ax.annotate(
        title,
        *((1.02, 0), (0, -21)),
        xycoords="axes fraction",
        textcoords="offset points",
        va="top",
        color=GREY,
    )


def _legend_above(ax: Axes) -> None:
    ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2, columnspacing=1.4
    )
