"""Figures of how far journeys come, and how soon; they draw tables and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.style import LIGHT, PALETTE, colours, draw_bars, finish_shares, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DASHES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")


def plot_funnel(funnel: pd.DataFrame, *, min_cell: int = 10, ax: Axes | None = None) -> Axes:
    """Draw how far journeys come, with intervals and what may still come.

    Parameters
    ----------
    funnel : pandas.DataFrame
        From :func:`cxlib.journeys.measure_funnel`.
    min_cell : int, default 10
        A stage that fewer customers come to has no bar, and this limit for a number.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One bar per stage: the share of journeys at the first stage that came so far; a pale piece
        behind it where open journeys may still come so far.
    """
    ax = ax or new_axes(height=1.2 + 0.5 * len(funnel))
    at = list(range(len(funnel)))
    small = funnel["n_customers"].between(1, min_cell - 1)
    told = ["conversion_share", "conf_low", "conf_high"]
    funnel = funnel.assign(**funnel[told].mask(small), is_small=small)
    share, still = funnel["conversion_share"], funnel["open_share"]
    if still.any():
        ax.barh(at, still, left=share, height=0.62, color=LIGHT)
        ax.set_title("pale: may still come", fontsize=9, fontweight="normal", loc="right")
    draw_bars(ax, at, funnel, "conversion_share", PALETTE[0])
    right = np.maximum(funnel["conf_high"], share + still).fillna(0)
    for y, x, row in zip(at, right, funnel.itertuples(), strict=True):
        text = f"{row.conversion_share:.1%}  ({row.n:,})"
        text = f"fewer than {min_cell} customers" if row.is_small else text
        ax.text(x + 0.015, y, text, va="center", fontsize=9.5)
    ax.set_yticks(at, [wrap(stage, 26) for stage in funnel["stage"]])
    ax.set_xlabel("share of the journeys at the first stage (number of journeys)")
    finish_shares(ax, 1.22)
    return ax


def plot_conversion(
    curves: pd.DataFrame, *, cause: str = "converted", ax: Axes | None = None
) -> Axes:
    """Draw how the share of journeys that come to the next stage grows with time.

    Parameters
    ----------
    curves : pandas.DataFrame
        `curves` of :class:`cxlib.journeys.ConversionTimes`.
    cause : str, default "converted"
        What is drawn: ``converted`` or ``dropped``.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One curve with its pointwise band per step of the funnel.
    """
    ax = ax or new_axes(height=4.6)
    drawn = curves[curves["cause"] == cause]
    for i, (_, step) in enumerate(drawn.groupby("position")):
        colour, dash = PALETTE[i % len(PALETTE)], _DASHES[i % len(_DASHES)]
        first = step.iloc[0]
        label = f"{wrap(first['stage'], 26, lines=1)} → {wrap(first['next_stage'], 26, lines=1)}"
        days, low, high = step["time_days"], step["conf_low"], step["conf_high"]
        ax.fill_between(days, low, high, color=colour, alpha=0.18, linewidth=0)
        ax.plot(days, step["share"], color=colour, linestyle=dash, label=label)
    ax.set_xlim(0, drawn["time_days"].max())
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter(lambda y, _: f"{100 * y:.3g} %")
    ax.set_xlabel("days since the journey came to the stage")
    what = "came to the next stage" if cause == "converted" else "dropped"
    ax.set_ylabel(f"share of journeys that {what}")
    ax.legend(loc="best", fontsize=9)
    return ax


def plot_funnel_comparison(groups: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how far the journeys of each group come.

    Parameters
    ----------
    groups : pandas.DataFrame
        `groups` of :class:`cxlib.journeys.FunnelComparison`.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        A point with its interval per stage and group.
    """
    names = list(dict.fromkeys(groups["group"]))
    stages = groups.drop_duplicates("position")
    ax = ax or new_axes(height=1.6 + (0.3 + 0.2 * len(names)) * len(stages))
    at = {position: row for row, position in enumerate(stages["position"])}
    spread = min(0.1 * (len(names) - 1), 0.32)
    offsets = np.linspace(-spread, spread, len(names))
    for i, (name, colour) in enumerate(colours(names).items()):
        rows = groups[groups["group"] == name]
        share = rows["conversion_share"]
        reach = np.clip([share - rows["conf_low"], rows["conf_high"] - share], 0, None)
        ax.errorbar(
            share,
            rows["position"].map(at) + offsets[i],
            xerr=reach,
            fmt=_MARKERS[i % len(_MARKERS)],
            color=colour,
            capsize=3,
            clip_on=False,
            label=wrap(name, 30, lines=1),
        )
    ax.set_yticks(list(at.values()), [wrap(stage, 26) for stage in stages["stage"]])
    ax.set_ylim(len(stages) - 0.5, -0.5)
    ax.set_xlabel("share of the journeys at the first stage")
    finish_shares(ax, min(1.0, 1.1 * float(groups["conf_high"].max())))
    ax.legend(loc="best", fontsize=9)
    return ax
