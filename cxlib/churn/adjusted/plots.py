"""Pictures of the groups as if they had the same customers; drawn, not computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.churn.lifetimes import MONTH_DAYS
from cxlib.style import GREY, PALETTE, colours, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINES = ("-", "--", "-.", (0, (5, 1, 1, 1, 1, 1)))


def plot_adjusted(
    adjusted: pd.DataFrame, *, plain: pd.DataFrame | None = None, ax: Axes | None = None
) -> Axes:
    """Draw adjusted curves with their intervals over the curves as observed.

    Parameters
    ----------
    adjusted : pandas.DataFrame
        The `survival` of `fit_adjusted`. Of more than eight groups the largest are drawn.
    plain : pandas.DataFrame, optional
        As `fit_survival` returns it; the same groups are drawn in dots.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One stepped line a group, and a dotted one.
    """
    ax = ax or new_axes()
    size = adjusted.groupby("group", sort=False)["n_at_risk"].max()
    groups = [group for group in size.index if group in size.nlargest(len(PALETTE)).index]
    last = float(adjusted["time_days"].max())
    for i, (group, colour) in enumerate(colours(groups).items()):
        curve = adjusted[adjusted["group"] == group]
        days = curve["time_days"]
        ax.fill_between(
            days, curve["conf_low"], curve["conf_high"], step="post", color=colour, alpha=0.15, lw=0
        )
        style, label = _LINES[i % len(_LINES)], wrap(group, 26)
        ax.step(days, curve["survival"], where="post", color=colour, linestyle=style, label=label)
        if plain is not None:
            seen = plain[(plain["group"] == group) & (plain["time_days"] <= last)]
            ax.step(seen["time_days"], seen["survival"], where="post", color=colour, ls=":", lw=1.3)
    if plain is not None:
        ax.plot([], [], color=GREY, linestyle=":", linewidth=1.3, label="dotted: as observed")
    lowest = float(adjusted.loc[adjusted["group"].isin(groups), "conf_low"].min())
    bottom = 0.5 if lowest > 0.55 else 0.0  # curves near the top are told apart
    ax.set(xlim=(0, last * 1.01), ylim=(bottom, 1.01), ylabel="still customers, adjusted")
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    if last >= 4 * MONTH_DAYS:
        step = next((s for s in (1, 2, 3, 6, 12) if last / MONTH_DAYS / s <= 10), 24)
        marks = np.arange(0, last / MONTH_DAYS + 0.05, step)  # 365 days are 12 months to the eye
        ax.set_xticks(marks * MONTH_DAYS, [f"{mark:g}" for mark in marks])
    ax.set_xlabel("months since the start" if last >= 4 * MONTH_DAYS else "days since the start")
    ax.legend(loc="lower left", ncols=1 + (len(groups) > 4))
    return ax
