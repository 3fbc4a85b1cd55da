"""Pictures of the study: curves, restricted means, hazard ratios; drawn, not computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.churn.lifetimes import MONTH_DAYS
from cxlib.style import GREY, INK, PALETTE, colours, draw_intervals, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINES = ("-", "--", "-.", ":")
_LABEL_WIDTH = 26
_SUPPOSED = ",\nif other reasons did not exist"
_COLUMNS = 240  # steps a curve is drawn with: finer ones cannot be seen and make heavy pages


def plot_survival(
    survival: pd.DataFrame, *, cause: str = "", min_cell: int = 10, ax: Axes | None = None
) -> Axes:
    """Draw curves with their intervals and, under the axis, how many are still observed.

    Parameters
    ----------
    survival : pandas.DataFrame
        As `cxlib.churn.fit_survival` returns it. Of more than eight groups the largest are drawn.
    cause : str, default ""
        End reasons that count; the axis then says what the values suppose.
    min_cell : int, default 10
        A curve ends on the last day on which so many customers are observed; fewer are not counted
        under the axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One stepped line a group.
    """
    held = survival[survival["n_at_risk"] >= min_cell].groupby("group")["time_days"].max()
    survival = survival[survival["time_days"] <= survival["group"].map(held)]
    size = survival.groupby("group", sort=False)["n_at_risk"].max()
    shown = size.nlargest(len(PALETTE)).index
    groups = [group for group in size.index if group in shown]
    if ax is None:
        ax = new_axes(height=4.2 + 0.2 * len(groups))
    last = float(held[groups].max()) if groups else 1.0
    for i, (group, colour) in enumerate(colours(groups).items()):
        curve = thin_curve(survival[survival["group"] == group], last)
        days, style = curve["time_days"], _LINES[i % len(_LINES)]
        band = (curve["conf_low"], curve["conf_high"])
        ax.fill_between(days, *band, step="post", color=colour, alpha=0.15, linewidth=0)
        label = wrap(group, _LABEL_WIDTH)
        ax.step(days, curve["survival"], where="post", color=colour, linestyle=style, label=label)
    ax.axhline(0.5, color=GREY, linewidth=0.8, linestyle=(0, (2, 4)))
    ax.set(
        xlim=(0, last * 1.01), ylim=(0, 1.02), ylabel=f"still customers{_SUPPOSED if cause else ''}"
    )
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    mark_time(ax, last)
    if len(groups) > 1:
        ax.legend(loc="lower left", ncols=1 + (len(groups) > 4))
    _write_at_risk(ax, survival, groups, min_cell)
    return ax


def thin_curve(curve: pd.DataFrame, last: float) -> pd.DataFrame:
    """Keep the first row and the last of each column of the picture.

    Parameters
    ----------
    curve : pandas.DataFrame
        Column `time_days`, ascending.
    last : float
        The last day drawn.

    Returns
    -------
    pandas.DataFrame
        At most 240 rows more than one: finer steps cannot be seen and make heavy pages.
    """
    column = (curve["time_days"] * (_COLUMNS / max(last, 1.0))).astype(int)
    is_first = np.arange(len(curve)) == 0
    return curve[is_first | ~column.duplicated(keep="last")]


def mark_time(ax: Axes, last: float) -> None:
    """Tick in months where the axis is long enough for them, else in days.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Its horizontal axis counts days.
    last : float
        The last day drawn.
    """
    if last < 4 * MONTH_DAYS:
        ax.set_xlabel("days since the start")
        return
    months = last / MONTH_DAYS
    step = next((s for s in (1, 2, 3, 6, 12, 24, 36, 60) if months / s <= 10), 120)
    marks = np.arange(0, months + 1e-9, step)
    ax.set_xticks(marks * MONTH_DAYS, [f"{mark:g}" for mark in marks])
    ax.set_xlabel("months since the start")


def _write_at_risk(ax: Axes, survival: pd.DataFrame, groups: list[str], min_cell: int) -> None:
    """Write the numbers under observation below the axis, one line a group."""
    below = ax.get_xaxis_transform()
    ticks = [tick for tick in ax.get_xticks() if 0 <= tick <= ax.get_xlim()[1]]
    # offsets in points, so that the lines stay apart whatever the height of the figure
    note: dict[str, Any] = {"textcoords": "offset points", "fontsize": 9, "annotation_clip": False}
    ax.annotate("under observation", (0, 0), (0, -52), xycoords=below, color=GREY, **note)
    for line, (group, colour) in enumerate(colours(groups).items(), start=1):
        curve = survival[survival["group"] == group]
        days, at_risk = curve["time_days"].to_numpy(), curve["n_at_risk"].to_numpy()
        row: dict[str, Any] = {"xycoords": below, "color": colour} | note
        depth = -52 - 13 * line
        if len(groups) > 1:
            ax.annotate(wrap(group, 18, lines=1), (0, 0), (-24, depth), ha="right", **row)
        for tick in ticks:
            at = np.searchsorted(days, tick - 1e-9)
            n = at_risk[at] if at < len(days) else 0
            text = f"<{min_cell}" if n < min_cell else f"{n:,}"
            ax.annotate(text, (tick, 0), (0, depth), ha="center", **row)


def plot_rmst(rmst: pd.DataFrame, *, cause: str = "", ax: Axes | None = None) -> Axes:
    """Draw the mean days within the horizon, one point and interval a group.

    Parameters
    ----------
    rmst : pandas.DataFrame
        As `cxlib.churn.fit_rmst` returns it.
    cause : str, default ""
        End reasons that count; the axis then says what the values suppose.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One point a group, the first on top.
    """
    ax = draw_intervals(rmst, name="group", value="rmst_days", ax=ax)
    horizon = rmst["horizon_days"].iloc[0]
    ax.set_xlabel(
        f"mean days as a customer in the first {horizon:,.0f} days{_SUPPOSED if cause else ''}"
    )
    return ax


def plot_hazard(hazard: pd.DataFrame, *, cause: str = "", ax: Axes | None = None) -> Axes:
    """Draw hazard ratios with their intervals on a log scale.

    Parameters
    ----------
    hazard : pandas.DataFrame
        The `table` of `cxlib.churn.fit_hazard`.
    cause : str, default ""
        End reasons that count; the axis then names them.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One point a term, the first on top; 1 is marked.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    ax = draw_intervals(hazard, name="term", value="hazard_ratio", ax=ax)
    ax.axvline(1, color=INK, linewidth=1)
    ax.set_xscale("log")
    of = f" of leaving for {wrap(cause, 40, lines=1)}" if cause else ""
    ax.set_xlabel(f"hazard ratio{of}, log scale\n(under 1: stay longer, over 1: leave sooner)")
    low, high = hazard["conf_low"].min(), hazard["conf_high"].max()
    ax.set_xlim(min(low, 0.95) / 1.05, max(high, 1.05) * 1.05)
    is_short = max(high, 1) / min(low, 1) < 8  # too short for marks at 1, 2, 5, 10, ...
    ax.xaxis.set_major_locator(MaxNLocator(6) if is_short else LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:.3g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    return ax
