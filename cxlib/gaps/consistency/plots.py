"""Figures of consistency; they draw tables and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.gaps.consistency.wording import part_name
from cxlib.style import GREY, INK, PALETTE, draw_bars, finish_shares, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_variance(parts: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot the share of the variance between the levels of each part, with its interval.

    Parameters
    ----------
    parts : pandas.DataFrame
        From `split_variance`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        A bar a part.
    """
    ax = ax if ax is not None else new_axes(height=1.2 + 0.42 * len(parts))
    at = np.arange(len(parts))
    draw_bars(ax, at, parts, "share", PALETTE[0])
    ax.set_yticks(at, [part_name(row) for row in parts.itertuples()])
    ax.set_xlabel("share of the variance of ratings")
    finish_shares(ax, min(float(parts["conf_high"].max()) * 1.08, 1.0))
    return ax


def plot_units(units: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot the raw and the shrunken mean of every unit, the lowest estimate at the bottom.

    Parameters
    ----------
    units : pandas.DataFrame
        From `shrink_units`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Hollow dots raw, full dots with their intervals shrunken, a line at the average; names are
        left out where there are more than 60 units.
    """
    rows = units.sort_values("estimate", kind="stable", ignore_index=True)
    few = len(rows) <= 60
    ax = ax if ax is not None else new_axes(height=1.5 + (0.3 * len(rows) if few else 5.0))
    y = np.arange(len(rows))
    ax.axvline(rows["average"].iloc[0], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    ax.hlines(y, rows["conf_low"], rows["conf_high"], color=INK, linewidth=1.4, zorder=2)
    size = 6 if few else 3
    (raw,) = ax.plot(rows["mean"], y, "o", color=PALETTE[1], label="raw mean", zorder=3)
    raw.set(markerfacecolor="white", markersize=size)
    ax.plot(rows["estimate"], y, "o", color=PALETTE[0], markersize=size, label="shrunken", zorder=4)
    names = [f"{wrap(row.name, 26)} (n = {row.n:,})" for row in rows.itertuples(index=False)]
    ax.set_yticks(y if few else [], names if few else [])
    ax.set_ylim(-0.8, len(rows) - 0.2)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.set_xlabel("mean rating (dashed: average of all)")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    return ax
