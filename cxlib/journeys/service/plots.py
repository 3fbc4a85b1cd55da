"""Figures of how well the company serves; they draw tables and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.journeys.service.rates import ALL
from cxlib.style import (
    GREY,
    INK,
    PALETTE,
    colours,
    draw_heat,
    finish_shares,
    new_axes,
    wrap,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINES = ("-", "--", "-.", ":")
_PALE = "#f3f5f7"


def plot_answers(
    curve: pd.DataFrame,
    *,
    target_days: float | None = None,
    top: int = 4,
    ax: Axes | None = None,
) -> Axes:
    """Draw the share answered over time, with the target.

    Parameters
    ----------
    curve : pandas.DataFrame
        The table `curve` of :class:`cxlib.journeys.Answering`.
    target_days : float, optional
        Days within which the company means to answer.
    top : int, default 4
        Touchpoints shown beside all of them, the commonest.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        A stepped line with its band for all contacts, a line each for the touchpoints, a vertical
        line at the target.
    """
    ax = ax or new_axes()
    sizes = curve[curve["touchpoint"] != ALL].groupby("touchpoint")["n_at_risk"].max()
    names = [ALL, *sizes.sort_values(ascending=False, kind="stable").index[:top]]
    for k, (name, colour) in enumerate(colours(names).items()):
        part = curve[curve["touchpoint"] == name]
        days = part["time_days"]
        if name == ALL:
            band = (part["conf_low"], part["conf_high"])
            ax.fill_between(days, *band, step="post", color=colour, alpha=0.18, linewidth=0)
        style = _LINES[k % len(_LINES)]
        label = "all" if name == ALL else wrap(name, 26)
        ax.step(days, part["share"], where="post", color=colour, linestyle=style, label=label)
    if target_days is not None:
        ax.axvline(target_days, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        note: dict[str, Any] = {"xycoords": ax.get_xaxis_transform(), "fontsize": 9, "color": INK}
        ax.annotate(f" target: {target_days:g} days", (target_days, 0.97), va="top", **note)
    end = max(float(curve["time_days"].max()), target_days or 0)
    ax.set(xlim=(0, end), ylim=(0, 1.0), ylabel="share answered", xlabel="days since the contact")
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    if len(names) > 1:
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def plot_repeats(repeats: pd.DataFrame, *, top: int = 12, ax: Axes | None = None) -> Axes:
    """Draw shares by group as dots with intervals.

    Parameters
    ----------
    repeats : pandas.DataFrame
        From :func:`cxlib.journeys.count_repeats`, or the table `rates` of
        :func:`cxlib.journeys.count_escalations`.
    top : int, default 12
        Groups shown of each level, the largest.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        A dot a group, level by level, highest share first; a line at the share of all.
    """
    rows: list[Any] = []
    for _, part in repeats.groupby("level", sort=False):
        shown = part[part["share"].notna()].nlargest(top, "n")
        rows += [None, *shown.sort_values("share", ascending=False).itertuples()]
    rows = rows[1:]  # an empty row between levels, none before the first
    ax = ax or new_axes(height=1.2 + 0.34 * len(rows))
    overall = repeats.loc[repeats["level"] == ALL, "share"]
    for share in overall:
        ax.axvline(share, color=GREY, linewidth=0.8, linestyle=(0, (2, 4)), zorder=1)
    for y, row in enumerate(rows):
        if row is None:
            _write(ax, f"by {rows[y + 1].level}", (0, y + 0.28), ax.get_yaxis_transform(), GREY)
        else:
            colour = GREY if row.level == ALL else PALETTE[0]
            ax.plot([row.conf_low, row.conf_high], [y, y], color=colour, linewidth=2.2)
            ax.plot(row.share, y, "o", color=colour, markersize=7)
            _write(ax, f"{row.share:.0%}  (n {row.n:,})", (row.conf_high, y), ax.transData, INK)
    named = [(y, row) for y, row in enumerate(rows) if row is not None]
    labels = ["all" if row.level == ALL else wrap(row.group, 30) for _, row in named]
    ax.set_yticks([y for y, _ in named], labels, fontsize=9)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    days = repeats["within_days"].iloc[0]
    ax.set_xlabel(f"share followed by another contact within {days:g} days")
    finish_shares(ax, min(float(repeats["conf_high"].max()) * 1.28 + 0.02, 1.22))
    return ax


def _write(ax: Axes, text: str, at: tuple[float, float], space: Any, colour: str) -> None:
    """Write beside a point, over whatever lines are there."""
    back = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    note: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": 9}
    ax.annotate(text, at, (7, 0), xycoords=space, color=colour, bbox=back, **note)


def plot_handoffs(
    moves: pd.DataFrame, *, by: str = "department", top: int = 12, ax: Axes | None = None
) -> Axes:
    """Draw from where to where customers are passed on as a table of cells.

    Parameters
    ----------
    moves : pandas.DataFrame
        The table `moves` of :class:`cxlib.journeys.Handoffs`.
    by : str, default "department"
        What the places are.
    top : int, default 12
        Places shown, those with most moves out.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Rows are left, columns are entered; a cell is the share of all moves out of the row, framed
        where customers stay.
    """
    from matplotlib.patches import Rectangle

    sizes = moves.groupby("from_place")["n"].sum().sort_values(ascending=False, kind="stable")
    names = [*sizes.index, *sorted(set(moves["to_place"]) - set(sizes.index))][:top]
    shares = moves.pivot(index="from_place", columns="to_place", values="share")
    shares = shares.reindex(index=names, columns=names)
    ax = ax or new_axes(width=8.6, height=2.0 + 0.4 * len(names))
    draw_heat(ax, shares)
    for place in range(len(names)):
        ax.add_patch(
            Rectangle((place - 0.5, place - 0.5), 1, 1, fill=False, edgecolor=INK, clip_on=False)
        )
    ax.set_xlabel(f"next {by} (framed: no hand-off)")
    ax.set_ylabel(by)
    return ax


def plot_map(
    journey_map: pd.DataFrame, *, top: int = 6, score: str = "score", ax: Axes | None = None
) -> Axes:
    """Draw the journey map: stages in order, touchpoints as bubbles.

    Parameters
    ----------
    journey_map : pandas.DataFrame
        From :func:`cxlib.journeys.map_journey`.
    top : int, default 6
        Touchpoints shown of each stage, the most visited ones; the others are counted below.
    score : str, default "score"
        What the scores are called.
    ax : matplotlib Axes, optional
        Axes to draw on; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        A column a stage, a bubble a touchpoint: its area is the number of journeys, its colour the
        share of journeys that end there (white where it is not known), below its name the score
        where one is known.
    """
    has_scores = "score" in journey_map and journey_map["score"].notna().any()
    stages = list(journey_map["stage"].drop_duplicates())
    depth = min(top, int(journey_map["stage"].value_counts().max()))
    ax = ax or new_axes(width=1.45 * len(stages) + 0.4, height=1.1 + 0.92 * depth)
    largest = journey_map["n_journeys"].max()
    for x, stage in enumerate(stages):
        rows = journey_map[journey_map["stage"] == stage]
        ax.axvspan(x - 0.46, x + 0.46, color=_PALE, zorder=0)
        for y, row in enumerate(rows.head(top).to_dict("records")):
            _draw_bubble(ax, (x, y), row, 40 + 1300 * row["n_journeys"] / largest, score)
        if len(rows) > top:
            more = f"+ {len(rows) - top} more"
            ax.text(x, depth - 0.22, more, ha="center", fontsize=8, color=GREY)
    ax.set_xticks(range(len(stages)), [wrap(stage, 13) for stage in stages])
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set(xlim=(-0.5, len(stages) - 0.5), ylim=(depth - 0.15, -0.5), yticks=[])
    ax.grid(False)
    for side in ax.spines.values():
        side.set_visible(False)
    what = "area: journeys that come by; colour and number: share of journeys that end there"
    ax.set_xlabel(f"{what}; below the name: {score}" if has_scores else what, color=GREY)
    return ax


def _draw_bubble(
    ax: Axes, at: tuple[int, int], row: dict[Any, Any], area: float, score: str
) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    blues = LinearSegmentedColormap.from_list("map", ["#e8eff6", PALETTE[0]])
    depth, radius = row["end_share"], np.sqrt(area) / 2
    is_known = not pd.isna(depth)
    ax.scatter(
        *at, s=area, color=blues(depth) if is_known else "white",
        edgecolors=PALETTE[0] if is_known else GREY, linestyles="-" if is_known else ":", zorder=2,
    )  # fmt: skip
    note: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 8}
    fits = radius > 11
    if is_known:
        colour = "white" if depth > 0.5 and fits else INK
        ax.annotate(
            f"{depth:.0%}", at, (0, 0 if fits else radius + 6), va="center", color=colour, **note
        )
    name = wrap(row["touchpoint"], 17)
    if not pd.isna(row.get("score")):
        name += f"\n{score} {row['score']:+.2f}".replace("-", "\u2212")
    ax.annotate(name, at, (0, -radius - 3), va="top", **note)
