"""Pictures of the risk list: calibration, decision curve, where the value at risk lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.style import GREY, INK, LIGHT, PALETTE, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_calibration(
    calibration: pd.DataFrame, histogram: pd.DataFrame, *, ax: Axes | None = None
) -> Axes:
    """Draw observed against predicted shares, and below how many have which prediction.

    Parameters
    ----------
    calibration : pandas.DataFrame
        The `calibration` of `cxlib.churn.validate_risk`.
    histogram : pandas.DataFrame
        The `histogram` of the same.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One point and interval a bin; on the line predictions are right.
    """
    ax = new_axes(width=6.6, height=5.6) if ax is None else ax
    top = min(1.0, 1.06 * max(calibration["conf_high"].max(), histogram["to_probability"].max()))
    ax.plot([0, top], [0, top], color=INK, linewidth=1, linestyle=(0, (2, 4)))
    ends = calibration[["conf_low", "conf_high"]].to_numpy(float)
    ax.vlines(calibration["predicted"], ends[:, 0], ends[:, 1], color=PALETTE[0], linewidth=2)
    ax.plot(calibration["predicted"], calibration["observed"], "o", color=PALETTE[0], markersize=6)
    foot = 0.14 * top
    height = histogram["n"] / histogram["n"].max() * foot
    width = histogram["to_probability"] - histogram["from_probability"]
    ax.bar(
        histogram["from_probability"], height, width, bottom=-1.25 * foot, align="edge", color=LIGHT
    )
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.set(xlim=(0, top), ylim=(-1.3 * foot, top))
    _write_percent(ax, "x")
    _write_percent(ax, "y")
    ax.set_xlabel("predicted chance of leaving (bars: number of customers)")
    ax.set_ylabel("share that left")
    return ax


def plot_decision(
    decision: pd.DataFrame, *, threshold: float = 0.0, ax: Axes | None = None
) -> Axes:
    """Draw the net benefit of the list beside that of acting on everybody and on nobody.

    Parameters
    ----------
    decision : pandas.DataFrame
        As `cxlib.churn.fit_decision_curve` returns it.
    threshold : float, default 0.0
        Threshold of an action, marked when it is above 0.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Three lines; the band is the interval of the gain over the better simple way.
    """
    ax = new_axes() if ax is None else ax
    at, simple = decision["threshold"], decision["list_benefit"] - decision["gain"]
    band = (simple + decision["conf_low"], simple + decision["conf_high"])
    ax.fill_between(at, *band, color=PALETTE[0], alpha=0.15, linewidth=0)
    ax.plot(at, decision["list_benefit"], color=PALETTE[0], label="the list")
    ax.plot(at, decision["all_benefit"], color=PALETTE[1], linestyle="--", label="everybody")
    ax.axhline(0, color=GREY, linestyle=":", linewidth=1.8, label="nobody")
    top = max(decision["list_benefit"].max(), decision["all_benefit"].max())
    low = min(-0.1 * top, float(band[0].min()))
    ax.set(xlim=(0, at.max()), ylim=(max(low, -0.3 * top), 1.08 * top))
    if 0 < threshold < at.max():
        ax.axvline(threshold, color=INK, linewidth=1)
        ax.annotate(
            "your action",
            (threshold, 1),
            (4, -4),
            xycoords=ax.get_xaxis_transform(),
            textcoords="offset points",
            va="top",
            fontsize=9,
        )
    _write_percent(ax, "x")
    ax.set_xlabel("act from this chance of leaving on (cost of acting / value it keeps)")
    ax.set_ylabel("net benefit per customer")
    ax.legend(title="act on", loc="upper right")
    return ax


def plot_concentration(concentration: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how much of the value at risk lies with how few customers.

    Parameters
    ----------
    concentration : pandas.DataFrame
        As `cxlib.churn.summarise_concentration` returns it.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One line ranked by value at risk, one by the chance of leaving, and the even share.
    """
    ax = new_axes(width=6.6, height=4.6) if ax is None else ax
    share = np.append(0.0, concentration["customer_share"])
    lines = (
        ("by_value", "most value at risk first", "-", PALETTE[0]),
        ("by_probability", "most likely to leave first", "--", PALETTE[1]),
    )
    for name, label, style, colour in lines:
        held = np.append(0.0, concentration[name])
        ax.plot(share, held, color=colour, linestyle=style, label=label)
    ax.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1.5, label="if all were alike")
    ax.set(xlim=(0, 1), ylim=(0, 1.02))
    _write_percent(ax, "x")
    _write_percent(ax, "y")
    ax.set_xlabel("share of customers")
    ax.set_ylabel("share of the value at risk")
    ax.legend(loc="lower right")
    return ax


def _write_percent(ax: Axes, name: str) -> None:
    """Write shares in per cent, with a decimal where the steps are finer than one."""
    axis = ax.xaxis if name == "x" else ax.yaxis
    low, high = ax.get_xlim() if name == "x" else ax.get_ylim()
    ticks = [tick for tick in axis.get_ticklocs() if max(low, 0) <= tick <= high + 1e-12]
    digits = 0 if len(ticks) < 2 or ticks[1] - ticks[0] > 0.0099 else 1
    axis.set_ticks(ticks, [f"{100 * tick:.{digits}f} %" for tick in ticks])
