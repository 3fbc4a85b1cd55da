"""Figures of Kano features and of penalties and rewards; they draw tables and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.style import GREY, INK, PALETTE, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKERS = {
    "must-be": ("s", PALETTE[1]),
    "performance": ("o", PALETTE[0]),
    "attractive": ("^", PALETTE[2]),
    "indifferent": ("D", PALETTE[3]),
    "reverse": ("v", PALETTE[5]),
    "questionable": ("X", PALETTE[4]),
    "undecided": ("o", GREY),
}


def plot_kano(features: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what each feature may gain against what lacking it may cost.

    Parameters
    ----------
    features : pandas.DataFrame
        The `features` of `classify_kano`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One mark and two intervals a feature, by its verdict; undecided ones are open.
    """
    ax = new_axes(width=7.4, height=6.0) if ax is None else ax
    for middle in (ax.axhline, ax.axvline):
        middle(0.5, color=GREY, linewidth=1, linestyle="--")
    cost = -features["worse"]
    ax.hlines(features["better"], -features["worse_high"], -features["worse_low"], color=GREY)
    ax.vlines(cost, features["better_low"], features["better_high"], color=GREY)
    for verdict, (marker, colour) in _MARKERS.items():
        rows = features[features["verdict"] == verdict]
        if len(rows):
            face = "white" if verdict == "undecided" else colour
            ax.plot(
                *(-rows["worse"], rows["better"], marker),
                color=colour,
                markerfacecolor=face,
                markersize=7,
                label=verdict,
            )
    for item, x, y in zip(features["item"], cost, features["better"], strict=True):
        ax.annotate(wrap(item, 18), (x, y), (6, 4), textcoords="offset points", fontsize=8.5)
    corners = (
        ((0.01, 0.98), "attractive", "left", "top"),
        ((0.99, 0.98), "performance", "right", "top"),
        ((0.01, 0.02), "indifferent", "left", "bottom"),
        ((0.99, 0.02), "must-be", "right", "bottom"),
    )
    for place, text, side, end in corners:
        ax.text(*place, text, transform=ax.transAxes, ha=side, va=end, color=GREY, fontsize=9.5)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(np.linspace(0, 1, 6), [f"{100 * x:.0f} %" for x in np.linspace(0, 1, 6)])
    ax.set_xlabel("lacking it disappoints (share of customers, worse)")
    ax.set_ylabel("having it pleases (share of customers, better)")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2)
    ax.grid(visible=False)
    return ax


def plot_asymmetry(effects: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the penalty of low and the reward of high ratings side by side.

    Parameters
    ----------
    effects : pandas.DataFrame
        The `effects` of `fit_asymmetry`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Two bars and intervals a name, the first on top; names that were not judged are left out.
    """
    rows = effects[effects["penalty"].notna()]
    ax = new_axes(height=1.9 + 0.5 * len(rows)) if ax is None else ax
    y = np.arange(len(rows))
    sides = (
        ("penalty", "low rating, against a middle one", PALETTE[1], -0.17),
        ("reward", "high rating, against a middle one", PALETTE[0], 0.17),
    )
    for name, label, colour, shift in sides:
        value, ends = rows[name], rows[[f"{name}_low", f"{name}_high"]].to_numpy(float).T
        ax.barh(y + shift, value, height=0.3, color=colour, alpha=0.85, label=label)
        ax.hlines(y + shift, *ends, color=INK, linewidth=1.3)
    labels = [
        t if isinstance(t, str) and t else n
        for n, t in zip(rows["name"], rows["text"], strict=True)
    ]
    ax.set_yticks(y, [wrap(label, 30) for label in labels])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    for place, verdict in zip(y, rows["verdict"], strict=True):
        ax.text(
            1.02,
            float(place),
            verdict,
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize=9.5,
        )
    ax.axvline(0, color=INK, linewidth=0.9)
    ax.set_xlabel("difference in the outcome (points), other ratings being equal")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    return ax
