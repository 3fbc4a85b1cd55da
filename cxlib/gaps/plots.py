"""Figures of the gap study; they draw tables and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.gaps.wording import SCORE_NAMES, format_estimate
from cxlib.style import GREY, INK, LIGHT, PALETTE, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LABEL_WIDTH = 34  # characters
_LINE_HEIGHT = 0.2  # inches a line of a label needs


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
    labels = [
        wrap(t if pd.notna(t) else n, _LABEL_WIDTH, lines=3)
        for t, n in zip(rows["text"], rows["name"], strict=True)
    ]
    ax = ax if ax is not None else _tall_axes(labels)
    y = np.arange(len(rows))
    expectation, perception = rows["expectation"].to_numpy(), rows["perception"].to_numpy()
    ax.hlines(y, expectation, perception, color=LIGHT, linewidth=5, zorder=1)
    low, high = (expectation + rows[end].to_numpy() for end in ("conf_low", "conf_high"))
    _intervals(ax, low, high, label="interval of the gap")
    ax.plot(
        *(expectation, y, "o"),
        markerfacecolor="white",
        markeredgecolor=GREY,
        markeredgewidth=1.6,
        markersize=7,
        label="expectation",
    )
    ax.plot(perception, y, "o", color=PALETTE[0], markersize=6, label="perception")
    _write_right(ax, _estimates(rows, "gap"), title="gap (interval)")
    ax.set_yticks(y, labels)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    scale = rows[["scale_min", "scale_max"]].dropna()
    if len(scale):
        low, high = scale.iloc[0]
        ax.set_xlim(low - 0.02 * (high - low), high + 0.02 * (high - low))
    ax.set_xlabel("mean rating (points of the scale)")
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    _legend_above(ax)
    return ax


def plot_gap_groups(groups: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot each group's gap with its interval.

    Parameters
    ----------
    groups : pandas.DataFrame
        Rows of one level and name from `compare_gap_groups`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One dot per group, the first group on top; the dashed line is perception equal
        to expectation.
    """
    labels = [
        wrap(f"{row.group} (n = {row.n:,})", _LABEL_WIDTH, lines=3) for row in groups.itertuples()
    ]
    ax = ax if ax is not None else _tall_axes(labels)
    _dots(ax, groups["gap"], groups["conf_low"], groups["conf_high"])
    ax.axvline(0, color=GREY, linewidth=1, linestyle="--")
    ax.set_yticks(np.arange(len(groups)), labels)
    _write_right(ax, _estimates(groups, "gap"), title="gap (interval)")
    ax.set_ylim(len(groups) - 0.4, -0.6)
    ax.set_xlabel("gap: perception - expectation (points of the scale)")
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    return ax


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
        One track per row with the ends of its own scale; the score stands on the right.
    """
    labels = [wrap(_score_label(row), _LABEL_WIDTH, lines=3) for row in scores.itertuples()]
    ax = ax if ax is not None else _tall_axes(labels)
    low, width = scores["score_min"], scores["score_max"] - scores["score_min"]
    y = np.arange(len(scores))
    ax.hlines(y, 0, 1, color=LIGHT, linewidth=8, zorder=0)
    ends = ("score", "conf_low", "conf_high")
    _dots(ax, *((scores[end] - low) / width for end in ends))
    for i, row in enumerate(scores.itertuples()):
        for x, end, side in ((0, row.score_min, "left"), (1, row.score_max, "right")):
            ax.annotate(
                f"{end:g}",
                *((x, i), (0, -7)),
                textcoords="offset points",
                ha=side,
                va="top",
                fontsize=9,
                color=GREY,
            )
    _write_right(ax, _estimates(scores, "score"), title="score (interval)")
    ax.set_yticks(y, labels)
    ax.set_ylim(len(scores) - 0.4, -0.6)
    ax.set_xlim(-0.01, 1.01)
    ax.set_xticks([0, 1], ["worst possible", "best possible"])
    first, last = ax.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    ax.set_xlabel("place on the score's own scale")
    ax.grid(visible=False)
    return ax


def plot_outcome_links(links: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot the correlations of an outcome with their intervals.

    Parameters
    ----------
    links : pandas.DataFrame
        From `summarise_outcome_links`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One dot per row on the range -1 to 1.
    """
    labels = list(links["name"])
    ax = ax if ax is not None else _tall_axes(labels)
    _dots(ax, links["correlation"], links["conf_low"], links["conf_high"])
    ax.axvline(0, color=GREY, linewidth=1, linestyle="--")
    ax.set_yticks(np.arange(len(links)), labels)
    _write_right(ax, _estimates(links, "correlation"), title="r (interval)")
    ax.set_ylim(len(links) - 0.4, -0.6)
    ax.set_xlim(-1, 1)
    ax.set_xlabel("correlation with the outcome (-1 to 1)")
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    return ax


def _dots(ax: Axes, middle: pd.Series, low: pd.Series, high: pd.Series) -> None:
    _intervals(ax, low.to_numpy(), high.to_numpy())
    ax.plot(middle, np.arange(len(middle)), "o", color=PALETTE[0], markersize=6)


def _intervals(ax: Axes, low: np.ndarray, high: np.ndarray, *, label: str = "_interval") -> None:
    """Draw a line with end marks per row; the marks show beside the dot of a short interval."""
    # a label that begins with _ stays out of the legend
    y = np.arange(len(low))
    ax.hlines(y, low, high, color=INK, linewidth=1.4, zorder=2, label=label)
    for end in (low, high):
        ax.plot(end, y, "|", color=INK, markersize=9, markeredgewidth=1.4)


def _tall_axes(labels: list[str]) -> Axes:
    lines = sum(max(label.count("\n") + 1, 1.6) + 0.4 for label in labels)
    return new_axes(height=1.6 + _LINE_HEIGHT * lines)


def _estimates(rows: pd.DataFrame, column: str) -> list[str]:
    units = rows["unit"] if "unit" in rows else [""] * len(rows)
    texts = []
    for value, low, high, unit in zip(
        rows[column], rows["conf_low"], rows["conf_high"], units, strict=True
    ):
        ends = f" ({format_estimate(low, unit)} to {format_estimate(high, unit)})"
        texts.append(format_estimate(value, unit) + (ends if pd.notna(low) else ""))
    return texts


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


def _legend_above(ax: Axes) -> None:
    ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2, columnspacing=1.4
    )


def _score_label(row: Any) -> str:
    name = SCORE_NAMES.get(row.metric, row.metric)
    parts = [name, row.item, "" if row.group == "all" else row.group]
    return ", ".join(part for part in parts if part) + f" (n = {row.n:,})"
