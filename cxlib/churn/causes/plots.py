"""Pictures of causes: areas that fill 100 %, and lines by group; drawn, not computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.churn.causes.causes import STILL_HERE
from cxlib.churn.plots import mark_time, thin_curve
from cxlib.style import GREY, INK, LIGHT, PALETTE, colours, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINES = ("-", "--", "-.", ":")
_DEPTHS = (1.0, 0.55, 0.8, 0.35)  # neighbours differ in grey too
_LABEL_HEIGHT = 0.075


def plot_causes(incidence: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw who is still here and who has left for which cause, as areas that fill 100 %.

    Parameters
    ----------
    incidence : pandas.DataFrame
        As `cxlib.churn.fit_incidence` returns it, of one group, to the last day to be drawn. Of
        more than seven causes the first are drawn, and the others left white.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One area a cause, above that of those still here, each with its share (and interval) on the
        last day beside it.
    """
    ax = ax or new_axes(height=4.6)
    causes = list(dict.fromkeys(incidence["cause"]))[: len(PALETTE) - 1]
    last = float(incidence["time_days"].max())
    below, labels = None, []
    for i, cause in enumerate(causes):
        curve = thin_curve(incidence[incidence["cause"] == cause], last)
        days, end = curve["time_days"].to_numpy(float), curve.iloc[-1]
        if below is None:
            below = curve["survival"].to_numpy(float)
            ax.fill_between(days, 0, below, step="post", color=LIGHT, linewidth=0)
            labels.append((below[-1] / 2, f"{STILL_HERE.strip('()')} {below[-1]:.1%}", INK))
        above = below + curve["incidence"].to_numpy(float)
        style: dict[str, Any] = {
            "alpha": _DEPTHS[i % len(_DEPTHS)],
            "edgecolor": "white",
            "linewidth": 1.0,
        }
        ax.fill_between(days, below, above, step="post", facecolor=PALETTE[i], **style)
        ends = f"({100 * end['conf_low']:.1f}–{100 * end['conf_high']:.1f})"
        told = f"{wrap(cause, 22, lines=1)} {end['incidence']:.1%} {ends}"
        labels.append(((below[-1] + above[-1]) / 2, told, PALETTE[i]))
        below = above
    _write_beside(ax, labels)
    ax.set(xlim=(0, last), ylim=(0, 1), ylabel="share of new customers")
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    mark_time(ax, last)
    return ax


def _write_beside(ax: Axes, labels: list[tuple[float, str, str]]) -> None:
    """Write each label beside its area, moved up where it would cover the one before."""
    places = np.array([place for place, _, _ in labels])
    room = _LABEL_HEIGHT * np.arange(len(labels))
    moved = np.maximum.accumulate(places - room) + room
    moved = np.minimum(moved, 1 - room[::-1])
    for (place, text, colour), at in zip(labels, moved, strict=True):
        ax.annotate(
            text,
            (1, place),
            (1.05, at),
            xycoords="axes fraction",
            textcoords="axes fraction",
            va="center",
            color=colour,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.8, "relpos": (0, 0.5)},
        )


def plot_incidence(incidence: pd.DataFrame, *, cause: str, ax: Axes | None = None) -> Axes:
    """Draw the share that has left for one cause, by group, with intervals.

    Parameters
    ----------
    incidence : pandas.DataFrame
        As `cxlib.churn.fit_incidence` returns it, with the groups to be drawn. Of more than eight
        the largest are drawn.
    cause : str
        The cause.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One stepped line a group.
    """
    ax = ax or new_axes()
    own = incidence[incidence["cause"] == cause]
    size = own.groupby("group", sort=False)["n_at_risk"].max()
    groups = [group for group in size.index if group in size.nlargest(len(PALETTE)).index]
    last = float(own.loc[own["group"].isin(groups), "time_days"].max())
    for i, (group, colour) in enumerate(colours(groups).items()):
        curve = thin_curve(own[own["group"] == group], last)
        days, style = curve["time_days"], _LINES[i % len(_LINES)]
        band = (curve["conf_low"], curve["conf_high"])
        ax.fill_between(days, *band, step="post", color=colour, alpha=0.15, linewidth=0)
        label = wrap(group, 26)
        ax.step(days, curve["incidence"], where="post", color=colour, linestyle=style, label=label)
    ax.set_xlim(0, last)
    ax.set_ylim(bottom=0)
    ax.set_ylabel(f"share that has left: {wrap(cause, 30, lines=1)}")
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g}%")
    mark_time(ax, last)
    if len(groups) > 1:
        ax.legend(loc="upper left")
    return ax
