"""Hazard ratios of experiences, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cxlib.churn.plots import plot_hazard

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_SHOWN = 12


def plot_experiences(experiences: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw hazard ratios of experiences with their intervals, the highest on top.

    Parameters
    ----------
    experiences : pandas.DataFrame
        The `table` or `joint` of `fit_experiences`; of more than twelve, those with the smallest
        p-values are drawn.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One point an experience, with the number of customers who had it.
    """
    rows = experiences.nsmallest(MOST_SHOWN, "p_value").sort_values(
        "hazard_ratio", ascending=False, kind="stable"
    )
    n = rows["n_customers"].map("{:,}".format)
    return plot_hazard(rows.assign(term=rows["experience"] + " (" + n + ")"), ax=ax)
