"""Figures of trends; they draw tables and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.gaps.trends.chart import TrendChart
from cxlib.style import GREY, INK, LIGHT, PALETTE, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_trend(
    chart: TrendChart,
    incidents: pd.DataFrame | None = None,
    *,
    label: str = "mean gap",
    ax: Axes | None = None,
) -> Axes:
    """Plot a control chart: the mean of each period between its limits, signals marked.

    Parameters
    ----------
    chart : TrendChart
        From `chart_trend`; without limits the means have their intervals.
    incidents : pandas.DataFrame, optional
        From `place_incidents`.
    label : str, default "mean gap"
        What is charted.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        A line of means; filled diamonds lie beyond the limits, filled squares belong to a run.
    """
    table = chart.table
    ax = ax if ax is not None else new_axes(width=9.0, height=4.4)
    x, value = np.arange(len(table)), table["value"].to_numpy()
    if chart.reason:
        ax.vlines(x, table["conf_low"], table["conf_high"], color=INK, linewidth=1.6)
        ax.plot(x, value, "o", color=PALETTE[0], label=label)
        ax.set_xlim(-0.8, max(len(table) - 0.2, 0.8))
    else:
        limits = (table["limit_low"], table["limit_high"])
        ax.fill_between(x, *limits, step="mid", color=LIGHT, alpha=0.55, label="limits")
        ax.axhline(table["centre"].iloc[0], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
        ax.plot(x, value, "-o", color=PALETTE[0], markersize=3.5, linewidth=1.2, label=label)
        runs = (table["is_run"] & ~table["is_beyond"]).to_numpy()
        for marked, marker, name in (
            (table["is_beyond"].to_numpy(), "D", "beyond the limits"),
            (runs, "s", "eight or more on one side"),
        ):
            if marked.any():
                colour = PALETTE[5] if marker == "D" else PALETTE[1]
                ax.plot(x[marked], value[marked], marker, color=colour, markersize=6.5, label=name)
    for row in [] if incidents is None else incidents.itertuples():
        ax.axvline(row.position, color=INK, linewidth=1, linestyle=":")
        ax.annotate(
            wrap(row.label, 18),
            (row.position, 1.0),
            xycoords=ax.get_xaxis_transform(),
            xytext=(3, -2),
            textcoords="offset points",
            va="top",
            fontsize=8.5,
        )
    step = max(len(table) // 10, 1)
    ax.set_xticks(x[::step], table["period"].iloc[::step], rotation=30, ha="right")
    ax.set_xlabel({"week": "week of", "month": "month", "wave": "wave"}[chart.period])
    ax.set_ylabel(label + (f", at the mix of {chart.by}" if chart.by else ""))
    if not chart.reason:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2)
    return ax
