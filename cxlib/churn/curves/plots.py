"""The picture of when customers leave; drawn, not computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cxlib.churn.lifetimes import MONTH_DAYS
from cxlib.style import PALETTE, colours, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKS = "os^Dv<>P"


def plot_rates(rates: pd.DataFrame, *, cause: str = "", ax: Axes | None = None) -> Axes:
    """Draw how fast customers of each age leave, one point and interval a band.

    Parameters
    ----------
    rates : pandas.DataFrame
        As `cxlib.churn.summarise_rates` returns it. Of more than eight groups those with the most
        customer-months are drawn. The axis is cut where few are left.
    cause : str, default ""
        End reasons that count; the axis then names them.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One line of points a group, at the middle of the bands.
    """
    if ax is None:
        ax = new_axes()
    size = rates.groupby("group", sort=False)["customer_months"].sum()
    shown = size.nlargest(len(PALETTE)).index
    groups = [group for group in size.index if group in shown]
    is_short = rates["to_days"].max() < 4 * MONTH_DAYS
    unit = 1.0 if is_short else MONTH_DAYS
    width = (rates["to_days"] - rates["from_days"]).min() / unit
    step = min(0.16, 0.7 / len(groups)) * width  # groups stand side by side within a band
    for i, (group, colour) in enumerate(colours(groups).items()):
        bands = rates[rates["group"] == group]
        middle = (bands["from_days"] + bands["to_days"]) / 2 / unit
        middle = middle + (i - (len(groups) - 1) / 2) * step
        reach = [bands["rate"] - bands["conf_low"], bands["conf_high"] - bands["rate"]]
        ax.errorbar(
            middle,
            bands["rate"],
            yerr=reach,
            color=colour,
            marker=_MARKS[i % len(_MARKS)],
            markersize=5,
            linewidth=0.9,
            elinewidth=1.4,
            label=wrap(group, 26),
        )
    last = rates["to_days"].max() / unit
    marks = sorted({*rates["from_days"] / unit, last})
    marks = [round(mark) for mark in marks[:: max(1, len(marks) // 12)]]
    ax.set_xticks(marks)
    ax.set_xlim(0, last)
    sure = rates[rates["group"].isin(groups) & rates["p_highest"].notna()]
    ax.set_ylim(0, sure["conf_high"].max() * 1.08)  # intervals of the last few run out of sight
    ax.set_xlabel(f"{'days' if is_short else 'months'} since the start")
    of = f"\nfor {wrap(cause, 30, lines=1)}" if cause else ""
    ax.set_ylabel(f"of 100 customers leave in a month{of}")
    if len(groups) > 1:
        ax.legend(loc="best", ncols=1 + (len(groups) > 4))
    return ax
