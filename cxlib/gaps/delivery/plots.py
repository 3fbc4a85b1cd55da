"""Figures of the delivery gap; they draw tables and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.style import GREY, INK, LIGHT, PALETTE, draw_intervals, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH = 34  # characters of a label


def plot_beliefs(comparison: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot employees' belief beside customers' perception, the most overrated on top.

    Parameters
    ----------
    comparison : pandas.DataFrame
        Rows of one level from `compare_beliefs`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Full dots employees, open dots customers, each with its interval; the difference stands
        at the right.
    """
    rows = comparison.sort_values("difference", kind="stable", ignore_index=True)
    labels = [
        wrap(text if isinstance(text, str) else name, _WIDTH)
        for text, name in zip(rows["text"], rows["name"], strict=True)
    ]
    ax = ax if ax is not None else new_axes(height=1.5 + 0.42 * len(rows))
    y = np.arange(len(rows))
    ax.hlines(y, rows["perception"], rows["belief"], color=LIGHT, linewidth=5, zorder=1)
    for side, name, shift, face in (
        ("perception", "customers perceive", -0.12, "white"),
        ("belief", "employees believe", 0.12, PALETTE[1]),
    ):
        low, high = rows[f"{side}_low"], rows[f"{side}_high"]
        ax.hlines(y + shift, low, high, color=INK, linewidth=1.3, zorder=2)
        colour = PALETTE[0] if side == "perception" else PALETTE[1]
        (dots,) = ax.plot(rows[side], y + shift, "o", color=colour, label=name, zorder=3)
        dots.set(markerfacecolor=face, markeredgewidth=1.8, markersize=7)
    ax.set_yticks(y, labels)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    low, high = rows["scale_min"].iloc[0], rows["scale_max"].iloc[0]
    ax.set_xlabel("mean rating" + ("" if pd.isna(low) else f", scale {low:g} to {high:g}"))
    beside = ax.get_yaxis_transform()
    for at, row in enumerate(rows.itertuples()):
        text = f"{row.difference:+z.2f}"
        if pd.notna(row.conf_low):
            text += f" ({row.conf_low:+z.2f} to {row.conf_high:+z.2f})"
        ax.text(1.02, at, text, transform=beside, va="center", fontsize=9.5)
    ax.text(1.02, -0.75, "difference", transform=beside, va="top", color=GREY)
    ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, columnspacing=1.4
    )
    return ax


def plot_belief_ratings(
    ratings: pd.DataFrame, comparison: pd.DataFrame, *, ax: Axes | None = None
) -> Axes:
    """Plot how employees' and customers' answers are spread, one pair of bars an item.

    Parameters
    ----------
    ratings : pandas.DataFrame
        From `count_ratings`.
    comparison : pandas.DataFrame
        The rows of `compare_beliefs` to show, in their order, the first on top.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Bars of shares from the lowest answer at the left to the highest at the right, darker the
        higher.
    """
    from matplotlib.colors import LinearSegmentedColormap

    ax = ax if ax is not None else new_axes(height=1.4 + 0.85 * len(comparison))
    values = sorted(ratings["value"].unique())
    scale = LinearSegmentedColormap.from_list("ratings", ["#eef2f6", PALETTE[0]])
    shade = {value: scale(i / max(len(values) - 1, 1)) for i, value in enumerate(values)}
    ticks, labels = [], []
    for place, row in enumerate(comparison.itertuples()):
        text = wrap(row.text if isinstance(row.text, str) else row.name, _WIDTH)
        for source, shift in (("employee", 0.2), ("customer", -0.2)):
            y = len(comparison) - 1 - place + shift
            part = ratings[ratings["item"].eq(row.name) & ratings["source"].eq(source)]
            shares = part.set_index("value")["share"].reindex(values).fillna(0.0)
            left = 0.0
            for value, share in shares.items():
                ax.barh(y, share, left=left, height=0.36, color=shade[value], edgecolor="white")
                if share >= 0.06:
                    dark = values.index(value) > 0.55 * len(values)
                    colour = "white" if dark else INK
                    middle = left + share / 2
                    ax.text(middle, y, f"{value:g}", ha="center", va="center", color=colour)
                left += share
            ax.text(1.01, y, f"{source}s", va="center", fontsize=9, color=GREY)
        ticks.append(len(comparison) - 1 - place)
        labels.append(text)
    ax.set_yticks(ticks, labels)
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    ax.set_xlabel("share of answers, from the lowest to the highest (the number in the bar)")
    ax.grid(visible=False)
    return ax


def plot_belief_groups(groups: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot how far each group of employees lies from the customers, the furthest on top.

    Parameters
    ----------
    groups : pandas.DataFrame
        From `compare_belief_groups`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        A point and its interval a group; zero is what customers perceive.
    """
    rows = groups.sort_values("difference", ascending=False, kind="stable")
    rows["label"] = [
        f"{row.group} (n = {row.n:,}{', one team: no interval' if pd.isna(row.conf_low) else ''})"
        for row in rows.itertuples()
    ]
    ax = draw_intervals(rows, name="label", value="difference", ax=ax)
    ax.axvline(0, color=GREY, linewidth=1)
    ax.set_xlabel("employees' belief minus customers' perception, points")
    return ax
