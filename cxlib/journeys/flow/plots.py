"""Figures of what follows what; they draw tables and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.journeys.log import END, OPEN, OTHER, START
from cxlib.style import GREY, INK, LIGHT, PALETTE, draw_heat, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_transitions(transitions: pd.DataFrame, *, top: int = 12, ax: Axes | None = None) -> Axes:
    """Draw where customers go next as a heat map.

    Parameters
    ----------
    transitions : pandas.DataFrame
        From :func:`cxlib.journeys.count_transitions`.
    top : int, default 12
        Touchpoints shown, the most visited ones.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Rows are left, columns are entered; a cell is the share of all that leaves the row.
    """
    visits = transitions[transitions["to_touchpoint"] != OPEN].groupby("to_touchpoint")["n"].sum()
    visits = visits.drop(END, errors="ignore").sort_values(ascending=False, kind="stable")
    names = list(visits.index[:top])
    shares = transitions.pivot(index="from_touchpoint", columns="to_touchpoint", values="share")
    ends = [name for name in (END, OPEN) if name in shares.columns]
    shares = shares.reindex(index=[START, *names], columns=[*names, *ends])
    rest = 1 - shares.sum(axis=1)
    if (rest > 1e-9).any():  # what is not shown is not lost
        shares.insert(len(names), OTHER, rest.where(rest > 1e-9))
    ax = ax or new_axes(width=9.6, height=1.9 + 0.36 * len(shares))
    draw_heat(ax, shares)
    ax.set_xlabel("next touchpoint")
    ax.set_ylabel("touchpoint")
    return ax


def plot_comparison(
    comparison: pd.DataFrame,
    *,
    conf_level: float = 0.95,
    top: int = 10,
    ax: Axes | None = None,
) -> Axes:
    """Draw the surest differences between groups or periods.

    Parameters
    ----------
    comparison : pandas.DataFrame
        From :func:`cxlib.journeys.compare_transitions`.
    conf_level : float, default 0.95
        One minus the share of false discoveries allowed.
    top : int, default 10
        Pairs shown, the surest first.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One row per pair: the difference of shares with its interval; hollow where it may be
        chance (q above one minus `conf_level`).
    """
    rows = comparison.head(top)
    ax = ax or new_axes(width=9.0, height=1.3 + 0.42 * len(rows))
    at = np.arange(len(rows))
    reach = [rows["difference"] - rows["conf_low"], rows["conf_high"] - rows["difference"]]
    ax.errorbar(
        rows["difference"], at, xerr=np.clip(reach, 0, None), fmt="none", ecolor=GREY, capsize=3
    )
    fill = [PALETTE[0] if q <= 1 - conf_level else "white" for q in rows["q_value"]]
    ax.scatter(rows["difference"], at, c=fill, edgecolors=PALETTE[0], zorder=3)
    ax.axvline(0, color=INK, linewidth=0.8)
    many = comparison["group_b"].nunique() > 1
    labels = [
        wrap(f"{r.from_touchpoint} → {r.to_touchpoint}" + (f" ({r.group_b})" if many else ""), 44)
        for r in rows.itertuples()
    ]
    ax.set_yticks(at, labels, fontsize=9)
    ax.invert_yaxis()
    ax.grid(True, axis="x")
    ax.grid(False, axis="y")
    ax.xaxis.set_major_formatter(lambda x, _: f"{100 * x:+.0f}" if abs(x) > 1e-9 else "0")
    pair = "group" if many else f"'{rows['group_b'].iloc[0]}'"
    against = f"'{rows['group_a'].iloc[0]}'"
    ax.set_xlabel(f"difference of shares in percentage points, {pair} minus {against}")
    return ax


def plot_flows(flows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how journeys move through their first steps as a Sankey diagram.

    Parameters
    ----------
    flows : pandas.DataFrame
        From :func:`cxlib.journeys.count_flows`.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One column of bars per step; a bar and a band are as high as their share of all journeys.
    """
    ends = {END: LIGHT, OPEN: "#b9c2cb", OTHER: GREY}
    visits = flows.groupby("to_touchpoint")["n"].sum()
    visits = visits.add(flows.groupby("from_touchpoint")["n"].sum(), fill_value=0)
    visits = visits.drop([OTHER, OPEN, END], errors="ignore")
    order = [*visits.sort_values(ascending=False, kind="stable").index, OTHER, OPEN, END]
    fill = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(order)} | ends
    ax = ax or new_axes(width=10.5, height=5.6)
    last = int(flows["step"].max()) + 1
    nodes = _stack_nodes(flows, order, last)
    for row in nodes.itertuples():
        ax.bar(row.step, row.height, width=0.1, bottom=row.bottom, color=fill[row.name], zorder=3)
        if row.height >= 0.028:
            label = f"{wrap(row.name, 17, lines=1)} {row.height:.0%}"
            side = {"x": row.step + 0.07, "ha": "left"}
            ax.text(
                y=row.bottom + row.height / 2, s=label, va="center", fontsize=8, zorder=4, **side
            )
    _draw_bands(ax, flows, nodes, order, fill)
    ax.set_xlim(0.9, last + 0.55)
    ax.set_ylim(-0.02, float((nodes["bottom"] + nodes["height"]).max()) + 0.02)
    ax.set_xticks(range(1, last + 1), [f"step {step}" for step in range(1, last + 1)])
    ax.set_yticks([])
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.grid(False)
    return ax


def _stack_nodes(flows: pd.DataFrame, order: list[str], last: int) -> pd.DataFrame:
    """Put the places of each step on top of one another, the most visited at the top."""
    leaving = flows.groupby(["step", "from_touchpoint"])["share"].sum()
    arriving = flows.groupby(["step", "to_touchpoint"])["share"].sum()
    rows = []
    for step in range(1, last + 1):
        here = leaving.loc[step] if step == 1 else arriving.loc[step - 1]
        bottom = 0.0
        for name in reversed([name for name in order if name in here.index]):
            rows.append((step, name, bottom, float(here[name])))
            bottom += float(here[name]) + 0.012
    return pd.DataFrame(rows, columns=["step", "name", "bottom", "height"])


def _draw_bands(
    ax: Axes, flows: pd.DataFrame, nodes: pd.DataFrame, order: list[str], fill: dict[str, str]
) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    tops = {(row.step, row.name): row.bottom + row.height for row in nodes.itertuples()}
    left, right = dict(tops), dict(tops)
    rank = {name: i for i, name in enumerate(order)}
    sorted_flows = flows.sort_values(
        ["step", "from_touchpoint", "to_touchpoint"],
        key=lambda column: column.map(rank) if column.name != "step" else column,
    )
    for row in sorted_flows.itertuples():
        here, there = (row.step, row.from_touchpoint), (row.step + 1, row.to_touchpoint)
        y0, y1 = left[here], right[there]
        left[here], right[there] = y0 - row.share, y1 - row.share
        x0, x1 = row.step + 0.05, row.step + 0.95
        middle = (x0 + x1) / 2
        upper = [(x0, y0), (middle, y0), (middle, y1), (x1, y1)]
        lower = [(x1, y1 - row.share), (middle, y1 - row.share)]
        lower += [(middle, y0 - row.share), (x0, y0 - row.share)]
        codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3]
        colour = fill[row.from_touchpoint]
        patch = PathPatch(Path([*upper, *lower], codes), facecolor=colour, alpha=0.32, linewidth=0)
        ax.add_patch(patch)


def plot_step_matrix(positions: pd.DataFrame, *, top: int = 12, ax: Axes | None = None) -> Axes:
    """Draw the step matrix as a heat map.

    Parameters
    ----------
    positions : pandas.DataFrame
        From :func:`cxlib.journeys.count_positions`.
    top : int, default 12
        Places shown, the most frequent ones.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Rows are places, columns are steps; a cell is the share of the journeys.
    """
    pseudo = [START, OPEN, END]
    shares = positions.pivot(index="touchpoint", columns="position", values="share")
    order = shares.drop(pseudo, errors="ignore").sum(axis=1).sort_values(ascending=False)
    names = list(order.index[:top])
    ends = [name for name in pseudo if name in shares.index]
    shown = shares.reindex([*names, *ends])
    rest = 1 - shown.sum(axis=0)
    if (rest > 1e-9).any():  # what is not shown is not lost
        shown.loc[OTHER] = rest.where(rest > 1e-9)
        shown = shown.reindex([*names, OTHER, *ends])
    shown.columns = [str(step) for step in shown.columns]
    ax = ax or new_axes(width=9.0, height=1.6 + 0.34 * len(shown))
    draw_heat(ax, shown)
    ax.set_xlabel(f"step from the {positions['anchor'].iloc[0]}")
    return ax
