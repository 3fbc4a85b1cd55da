"""Figures of the journey study; they draw tables and compute nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.journeys.steps import ARROW, END, OPEN, OTHER, START
from cxlib.style import GREY, INK, LIGHT, PALETTE, new_axes

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
    _draw_heat(ax, shares)
    ax.set_xlabel("next touchpoint")
    ax.set_ylabel("touchpoint")
    return ax


def plot_funnel(funnel: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how far journeys come, with intervals.

    Parameters
    ----------
    funnel : pandas.DataFrame
        From :func:`cxlib.journeys.measure_funnel`.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One bar per stage: the share of journeys at the first stage that came so far.
    """
    ax = ax or new_axes(height=1.2 + 0.5 * len(funnel))
    at = list(range(len(funnel)))
    _draw_bars(ax, at, funnel, "conversion_share", PALETTE[0])
    for y, row in zip(at, funnel.itertuples(), strict=True):
        text = f"{row.conversion_share:.1%}  ({row.n:,})"
        ax.text(row.conf_high + 0.015, y, text, va="center", fontsize=9.5)
    ax.set_yticks(at, [_wrap(stage, 26) for stage in funnel["stage"]])
    ax.set_xlabel("share of the journeys at the first stage (number of journeys)")
    _finish_shares(ax, 1.22)
    return ax


def plot_segments(segments: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how common each kind of journey is and whether it is real.

    Parameters
    ----------
    segments : pandas.DataFrame
        The table `segments` of :class:`cxlib.journeys.JourneySegments`.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One bar per segment: its share of journeys, pale where it is not stable.
    """
    ax = ax or new_axes(width=9.0, height=1.2 + 0.62 * len(segments))
    at = list(range(len(segments)))
    stable = segments["verdict"] == "stable"
    _draw_bars(ax, at, segments, "share", np.where(stable, PALETTE[0], LIGHT))
    for y, row in zip(at, segments.itertuples(), strict=True):
        verdict = _wrap(str(row.verdict).split(":")[0], 26)
        text = f"{row.share:.1%}\n{verdict} ({row.stability:.2f})"
        ax.text(row.conf_high + 0.012, y, text, va="center", fontsize=9, linespacing=1.25)
    ax.set_yticks(at, [_wrap(name, 30) for name in segments["segment"]])
    ax.set_xlabel("share of all journeys (verdict, stability from 0 to 1)")
    _finish_shares(ax, float(segments["conf_high"].max()) * 1.35)
    return ax


def plot_profiles(profiles: pd.DataFrame, *, top: int = 14, ax: Axes | None = None) -> Axes:
    """Draw which touchpoints each kind of journey holds.

    Parameters
    ----------
    profiles : pandas.DataFrame
        The table `profiles` of :class:`cxlib.journeys.JourneySegments`.
    top : int, default 14
        Touchpoints shown, those that occur in most journeys of some segment.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Rows are segments; a cell is the share of the segment's journeys that hold the touchpoint.
    """
    shares = profiles.pivot(index="segment", columns="touchpoint", values="share")
    shares = shares.reindex(index=profiles["segment"].drop_duplicates())
    names = shares.max().sort_values(ascending=False, kind="stable").index[:top]
    place = profiles.groupby("touchpoint")["place"].mean().reindex(names)
    shares = shares[list(place.sort_values(kind="stable").index)]
    ax = ax or new_axes(width=9.6, height=2.0 + 0.5 * len(shares))
    _draw_heat(ax, shares)
    ax.set_xlabel("touchpoint, in the order journeys reach them on average")
    ax.set_ylabel("kind of journey")
    return ax


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
            label = _wrap(name.replace("_", " "), 12 if width > 6 else 18)
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
        _wrap(f"{r.from_touchpoint} → {r.to_touchpoint}" + (f" ({r.group_b})" if many else ""), 44)
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


def _wrap(text: str, width: int) -> str:
    lines = textwrap.wrap(str(text), width, break_long_words=True) or [""]
    if len(lines) > 2:
        lines = [lines[0], textwrap.shorten(" ".join(lines[1:]), width, placeholder="…")]
    return "\n".join(lines)


def _draw_heat(ax: Axes, shares: pd.DataFrame) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    values = shares.to_numpy(dtype=float)
    blues = LinearSegmentedColormap.from_list("shares", ["#ffffff", PALETTE[0]])
    ax.imshow(np.nan_to_num(values), cmap=blues, vmin=0, vmax=1, aspect="auto")
    for (y, x), value in np.ndenumerate(values):
        if value >= 0.005:
            colour = "white" if value > 0.55 else INK
            ax.text(x, y, f"{100 * value:.0f}", ha="center", va="center", fontsize=8, color=colour)
    ax.set_xticks(
        range(shares.shape[1]),
        [_wrap(name, 20) for name in shares.columns],
        rotation=45,
        ha="right",
        rotation_mode="anchor",
        fontsize=8.5,
    )
    ax.set_yticks(range(len(shares)), [_wrap(name, 30) for name in shares.index], fontsize=8.5)
    ax.grid(False)
    ax.set_title("share in %", fontsize=9, fontweight="normal", loc="right")


def _draw_bars(ax: Axes, at: Any, table: pd.DataFrame, share: str, colour: Any) -> None:
    values = table[share]
    reach = np.clip([values - table["conf_low"], table["conf_high"] - values], 0, None)
    ax.barh(at, values, height=0.62, color=colour)
    ax.errorbar(values, at, xerr=reach, fmt="none", ecolor=INK, capsize=3)
    ax.invert_yaxis()


def _finish_shares(ax: Axes, right: float) -> None:
    ax.set_xlim(0, right)
    ticks: Sequence[float] = [x for x in ax.get_xticks() if 0 <= x <= min(right, 1) + 1e-9]
    ax.set_xticks(ticks, [f"{100 * x:.0f} %" for x in ticks])
    ax.grid(True, axis="x")
    ax.grid(False, axis="y")
