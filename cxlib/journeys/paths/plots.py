"""Figures of whole journeys; they draw tables and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.journeys.log import OTHER
from cxlib.journeys.paths.rework import ALL
from cxlib.schema import ARROW
from cxlib.style import GREY, INK, PALETTE, draw_bars, finish_shares, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_paths(paths: pd.DataFrame, *, top: int = 10, ax: Axes | None = None) -> Axes:
    """Draw the commonest paths as rows of coloured blocks.

    Parameters
    ----------
    paths : pandas.DataFrame
        From :func:`cxlib.journeys.count_paths`.
    top : int, default 10
        Paths shown.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One row per path, one block per step; a path longer than 10 steps ends in dots.
    """
    listed = paths[paths["path"] != OTHER].head(top)
    walks = [path.split(ARROW) for path in listed["path"]]
    seen = pd.Series([name for walk in walks for name in walk]).value_counts(sort=False)
    common = list(seen.sort_values(ascending=False, kind="stable").index)
    fill = dict(zip(common, PALETTE, strict=False))
    width = min(max(map(len, walks), default=1), 10)
    ax = ax or new_axes(width=10.5, height=1.0 + 0.46 * len(walks))
    for y, walk in enumerate(walks):
        for x, name in enumerate(walk[:10]):
            ax.barh(y, 0.94, left=x, height=0.8, color=fill.get(name, GREY))
            label = wrap(name.replace("_", " "), 12 if width > 6 else 18)
            ax.text(
                x + 0.47,
                y,
                label,
                ha="center",
                va="center",
                fontsize=7,
                color="white",
                clip_on=True,
            )
        if len(walk) > 10:
            ax.text(10.05, y, "…", va="center")
    counts = [f"{row.n:,} ({row.share:.1%})" for row in listed.itertuples()]
    ax.set_yticks(range(len(walks)), counts)
    ax.set_xticks(np.arange(width) + 0.47, [str(step + 1) for step in range(width)])
    ax.set_xlabel("step")
    ax.set_ylabel("journeys (share of all)")
    ax.set_xlim(0, width + 0.3)
    ax.invert_yaxis()
    ax.grid(False)
    return ax


def plot_rework(
    rework: pd.DataFrame, *, kind: str = "", top: int = 12, ax: Axes | None = None
) -> Axes:
    """Draw how many journeys hold contacts that repeat an earlier one.

    Parameters
    ----------
    rework : pandas.DataFrame
        From :func:`cxlib.journeys.count_rework`.
    kind : str, default ""
        A kind of rework, to see its touchpoints; empty: all kinds, over whole journeys.
    top : int, default 12
        Touchpoints shown, those with the most journeys.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One bar per kind or touchpoint, with its interval, its journeys and its contacts.
    """
    whole = rework["touchpoint"] == ALL
    shown = rework[(rework["kind"] == kind) & ~whole].head(top) if kind else rework[whole]
    names = shown["touchpoint"] if kind else shown["kind"]
    ax = ax or new_axes(width=9.0, height=1.2 + 0.5 * len(shown))
    at = list(range(len(shown)))
    draw_bars(ax, at, shown, "share", PALETTE[0])
    for y, row in zip(at, shown.itertuples(), strict=True):
        text = f"{row.n:,} journeys, {row.n_times:,} contacts"
        ax.text(row.conf_high + 0.012, y, text, va="center", fontsize=9)
    ax.set_yticks(at, [wrap(name.replace("_", " "), 28) for name in names])
    held = f"'{kind.replace('_', ' ')}': share of the closed journeys that come there"
    ax.set_xlabel(held if kind else "share of closed journeys")
    finish_shares(ax, max(float(shown["conf_high"].max()), 0.05) * 1.4)
    return ax


def plot_attribution(attribution: pd.DataFrame, *, top: int = 10, ax: Axes | None = None) -> Axes:
    """Draw the share of the credit that each touchpoint gets from each method.

    Parameters
    ----------
    attribution : pandas.DataFrame
        The table of :class:`cxlib.journeys.Attribution`.
    top : int, default 10
        Touchpoints shown, those with the most credit over the methods.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        A row per touchpoint, in it a dot with its interval per method.
    """
    methods = list(dict.fromkeys(attribution["method"]))
    mean = attribution.groupby("name")["share"].mean().sort_values(ascending=False, kind="stable")
    names = list(mean.index[:top])
    ax = ax or new_axes(width=9.0, height=1.8 + 0.62 * len(names))
    marks = "osD^vPX"
    for i, method in enumerate(methods):
        rows = attribution[attribution["method"] == method].set_index("name").loc[names]
        at = np.arange(len(names)) + 0.72 * ((i + 0.5) / len(methods) - 0.5)
        reach = np.clip([rows["share"] - rows["conf_low"], rows["conf_high"] - rows["share"]], 0, 1)
        label, colour = method.replace("_", " "), PALETTE[i % len(PALETTE)]
        ax.errorbar(
            rows["share"],
            at,
            xerr=reach,
            fmt=marks[i % len(marks)],
            color=colour,
            markersize=5,
            capsize=2,
            label=label,
        )
    for y in range(1, len(names)):
        ax.axhline(y - 0.5, color="#e4e8ec", linewidth=0.8)
    ax.set_yticks(range(len(names)), [wrap(name.replace("_", " "), 26) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel("share of the credit for conversions")
    ax.legend(ncols=len(methods), loc="lower left", bbox_to_anchor=(0, 1), fontsize=9)
    finish_shares(ax, float(attribution["conf_high"].max()) * 1.05)
    return ax


def plot_lead_ups(
    lead_ups: pd.DataFrame, *, top: int = 6, min_cell: int = 10, ax: Axes | None = None
) -> Axes:
    """Draw the ways that come to the goal most surely, and those that break off most surely.

    Parameters
    ----------
    lead_ups : pandas.DataFrame
        From :func:`cxlib.journeys.rank_paths`.
    top : int, default 6
        Paths shown of either sort.
    min_cell : int, default 10
        Fewer journeys that come to the goal are written without their number.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        A dot with its interval per path, and the share of all as a line.
    """
    more = lead_ups[lead_ups["verdict"] == "converts more"].head(top)
    less = lead_ups[lead_ups["verdict"] == "converts less"].tail(top)
    shown = pd.concat([more, less])
    ax = ax or new_axes(width=10.0, height=1.6 + 0.56 * len(shown))
    colours = [PALETTE[2]] * len(more) + [PALETTE[1]] * len(less)
    share = shown["converted_share"]
    reach = np.clip([share - shown["conf_low"], shown["conf_high"] - share], 0, 1)
    at = np.arange(len(shown))
    ax.errorbar(share, at, xerr=reach, fmt="none", ecolor=INK, capsize=3)
    ax.scatter(share, at, color=colours, s=42, zorder=3)
    base = float(lead_ups["base_share"].iloc[0])
    ax.axvline(base, color=GREY, linestyle="--", linewidth=1)
    ax.text(base, -0.72, f"all: {base:.1%}", ha="center", va="bottom", fontsize=9, color=GREY)
    if len(more) and len(less):
        ax.axhline(len(more) - 0.5, color=GREY, linewidth=0.8)
    for y, row in enumerate(shown.itertuples()):
        is_few = 0 < row.n_converted < min_cell
        came = f"under {min_cell}" if is_few else f"{row.n_converted:,.0f}"
        ax.text(1.03, y, f"{came} of {row.n:,}", va="center", fontsize=9)
    labels = [wrap(path.replace("_", " "), 44, lines=3) for path in shown["path"]]
    ax.set_yticks(at, labels, fontsize=8.5)
    ax.set_ylim(len(shown) - 0.5, -0.7)
    ax.set_xlabel("share that comes to the goal next, of the journeys that walk just this")
    finish_shares(ax, 1.02)
    return ax
