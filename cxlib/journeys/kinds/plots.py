"""Figures of kinds of journey; they draw tables and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.journeys.log import END, OPEN, OTHER
from cxlib.style import (
    GREY,
    INK,
    LIGHT,
    PALETTE,
    draw_bars,
    draw_heat,
    finish_shares,
    new_axes,
    wrap,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS = 6
LEAST_SEEN = 0.01  # share of a panel's height below which a block is a line
LEAST_NAMED = 0.09  # share of a panel's height that a line of text fits into


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
    draw_bars(ax, at, segments, "share", np.where(stable, PALETTE[0], LIGHT))
    for y, row in zip(at, segments.itertuples(), strict=True):
        verdict = wrap(str(row.verdict).split(":")[0], 26)
        text = f"{row.share:.1%}\n{verdict} ({row.stability:.2f})"
        ax.text(row.conf_high + 0.012, y, text, va="center", fontsize=9, linespacing=1.25)
    ax.set_yticks(at, [wrap(name, 30) for name in segments["segment"]])
    ax.set_xlabel("share of all journeys (verdict, stability from 0 to 1)")
    finish_shares(ax, float(segments["conf_high"].max()) * 1.35)
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
    draw_heat(ax, shares)
    ax.set_xlabel("touchpoint, in the order journeys reach them on average")
    ax.set_ylabel("kind of journey")
    return ax


def plot_positions(positions: pd.DataFrame, *, top: int = 8) -> Axes:
    """Draw where the journeys of each kind are at each step.

    Parameters
    ----------
    positions : pandas.DataFrame
        From :func:`cxlib.journeys.list_positions`.
    top : int, default 8
        Places with a colour of their own, at most 8, those that the journeys of each segment are
        most often at; all others are grey.

    Returns
    -------
    matplotlib.axes.Axes
        The first of the axes, one for each of the six largest segments: a stack of shares a step,
        named where the name fits, with journeys that have ended on top.
    """
    segments = positions["segment"].drop_duplicates().head(MOST_PANELS)
    common = _find_common(positions, top)
    rank = {name: i for i, name in enumerate([*common, OTHER, OPEN, END])}
    steps = sorted(positions["step"].unique())
    panels = _new_panels(segments, height=2.0)
    for ax, segment in zip(panels, segments, strict=True):
        own = positions[positions["segment"] == segment]
        own = own.assign(layer=own["touchpoint"].map(rank).fillna(rank[OTHER] - 0.5))
        grey = own["layer"] == rank[OTHER] - 0.5
        small = ~own["touchpoint"].isin([END, OPEN]) & (
            own["share"] < np.where(grey, LEAST_NAMED, LEAST_SEEN)
        )
        lumped = own[small].assign(touchpoint=OTHER, layer=rank[OTHER])
        lumped = lumped.groupby(["step", "touchpoint", "layer"], as_index=False)["share"].sum()
        own = pd.concat([own[~small], lumped], ignore_index=True)
        own = own.sort_values(["step", "layer", "touchpoint"])
        base = own.groupby("step")["share"].cumsum() - own["share"]
        for name in own["touchpoint"].unique():
            at = own["touchpoint"] == name
            part = own[at]
            ax.bar(part["step"], part["share"], bottom=base[at], **_fill(name, common))
            for step, share, low in zip(part["step"], part["share"], base[at], strict=True):
                _name_block(ax, step, low + share / 2, share, name, common)
        ax.set_ylim(0, 1)
        ax.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    return _finish_panels(panels, steps, common, positions["touchpoint"])


def plot_sequences(sequences: pd.DataFrame, positions: pd.DataFrame, *, top: int = 8) -> Axes:
    """Draw journeys as rows of coloured blocks, one block a step.

    Parameters
    ----------
    sequences : pandas.DataFrame
        From :func:`cxlib.journeys.list_sequences`.
    positions : pandas.DataFrame
        From :func:`cxlib.journeys.list_positions`; it gives places the colours that
        :func:`plot_positions` gives them.
    top : int, default 8
        Places with a colour of their own, as there.

    Returns
    -------
    matplotlib.axes.Axes
        The first of the axes, one for each of the six largest segments: the journey most like the
        representative on top; white after the end.
    """
    from matplotlib.colors import to_rgb

    segments = sequences["segment"].drop_duplicates().head(MOST_PANELS)
    common = _find_common(positions, top)
    steps = sorted(sequences["step"].unique())
    panels = _new_panels(segments, height=2.4)
    for ax, segment in zip(panels, segments, strict=True):
        own = sequences[sequences["segment"] == segment].sort_values(["step", "row"])
        n_rows = int(own["row"].max())
        picture = np.ones((n_rows, len(steps), 3))
        shades = [to_rgb(_fill(name, common)["facecolor"]) for name in own["touchpoint"]]
        picture[own["row"] - 1, own["step"] - 1] = shades
        extent = (0.5, len(steps) + 0.5, n_rows, 0)
        ax.imshow(picture, aspect="auto", interpolation="none", extent=extent)
        ax.vlines(np.arange(1.5, len(steps)), 0, n_rows, color="white", linewidth=1.6)
        ahead = own[own["touchpoint"] == OPEN]
        ax.bar(ahead["step"], 1, bottom=ahead["row"] - 1, **_fill(OPEN, common))
        # journeys at the same place, one below the other, get one name
        follows = own["step"].eq(own["step"].shift()) & own["row"].eq(own["row"].shift() + 1)
        block = (~(follows & own["touchpoint"].eq(own["touchpoint"].shift()))).cumsum()
        for _, part in own.groupby(block):
            first, n = part.iloc[0], len(part)
            middle = first["row"] - 1 + n / 2
            _name_block(ax, first["step"], middle, n / n_rows, first["touchpoint"], common)
        ax.set_yticks([0, n_rows])
        ax.set_ylabel("journeys drawn", fontsize=8.5)
        ax.grid(False)
    return _finish_panels(panels, steps, common, sequences["touchpoint"])


def _find_common(positions: pd.DataFrame, top: int) -> list[str]:
    """List the commonest place of each segment, then the second of each, and so on."""
    inside = positions[~positions["touchpoint"].isin([END, OPEN])]
    visits = inside.groupby(["segment", "touchpoint"])["share"].sum().reset_index()
    ranks = visits.groupby("segment")["share"].rank(method="first", ascending=False)
    visits = visits.assign(rank=ranks).sort_values(["rank", "share"], ascending=[True, False])
    return list(visits["touchpoint"].drop_duplicates().head(min(top, len(PALETTE))))


def _new_panels(segments: pd.Series, *, height: float) -> list[Axes]:
    """Make one wide panel a segment: names fit into the blocks, as a grey print needs them."""
    first = new_axes(width=9.6, height=1.0 + height * len(segments))
    figure = first.get_figure(root=True)
    assert figure is not None  # just made
    first.remove()
    panels = list(figure.subplots(len(segments), squeeze=False)[:, 0])
    for ax, name in zip(panels, segments, strict=True):
        ax.set_title(wrap(name, 80), fontsize=10)
        ax.tick_params(labelsize=8.5)
    return panels


def _fill(name: str, common: list[str]) -> dict[str, Any]:
    style: dict[str, Any] = {"width": 0.96, "linewidth": 0.4, "edgecolor": "white"}
    if name == OPEN:
        return {**style, "facecolor": "white", "edgecolor": GREY, "hatch": "////", "linewidth": 0}
    if name in common:
        return {**style, "facecolor": PALETTE[common.index(name)]}
    return {**style, "facecolor": "#f1f4f6" if name == END else "#c3cad1"}


def _name_block(ax: Axes, x: float, y: float, share: float, name: str, common: list[str]) -> None:
    if share < LEAST_NAMED or name in (END, OPEN, OTHER):
        return
    text = wrap(name.replace("_", " "), 14, lines=2 if share >= 2 * LEAST_NAMED else 1)
    colour = "white" if name in common else INK
    ax.text(x, y, text, ha="center", va="center", fontsize=7, color=colour, linespacing=1.0)


def _finish_panels(
    panels: list[Axes], steps: list[int], common: list[str], names: pd.Series
) -> Axes:
    from matplotlib.patches import Patch

    for ax in panels:
        ax.set_xlim(0.5, len(steps) + 0.5)
        ax.set_xticks(steps)
    panels[-1].set_xlabel("step")
    words = {name: wrap(name, 24, lines=1) for name in common}
    words |= {OTHER: "other places", OPEN: "may still go on", END: "ended"}
    there = {*common, OTHER, *names}
    styles = {word: _fill(name, common) for name, word in words.items() if name in there}
    handles = []
    for word, style in styles.items():
        style.pop("width")
        handles.append(Patch(**style, label=word))
    figure = panels[0].get_figure(root=True)
    assert figure is not None  # the panels belong to one
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8.5)
    return panels[0]
