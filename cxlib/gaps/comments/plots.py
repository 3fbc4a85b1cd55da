"""Figures of comments; they draw tables and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.gaps.comments.prevalence import NO_THEME
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

_LABEL_WIDTH = 34  # characters


def plot_themes(
    summary: pd.DataFrame,
    effects: pd.DataFrame | None = None,
    *,
    conf_level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Plot how common each theme is, with its effect on the score beside it.

    Parameters
    ----------
    summary : pandas.DataFrame
        From `summarise_themes`.
    effects : pandas.DataFrame, optional
        From `estimate_theme_effects`.
    conf_level : float, default 0.95
        1 - conf_level bounds the false discovery rate of a coloured bar.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Bars with intervals; orange where the theme's comments clearly pull the score down, blue
        where they clearly raise it, grey elsewhere.
    """
    ax = ax if ax is not None else new_axes(width=9, height=1.5 + 0.5 * len(summary))
    places = np.arange(len(summary))
    known = pd.DataFrame() if effects is None else effects.set_index("theme")
    colour: list[object] = []
    beside: list[str] = []
    for name in summary["theme"]:
        if name not in known.index:
            colour.append(LIGHT)
            beside.append("")
            continue
        row = known.loc[name]
        is_clear = row["q_value"] < 1 - conf_level
        colour.append(_pale(PALETTE[int(row["effect"] < 0)]) if is_clear else LIGHT)
        ends = f" ({row['conf_low']:+.1f} to {row['conf_high']:+.1f})"
        beside.append(f"{row['effect']:+.1f}{ends}" if pd.notna(row["conf_low"]) else "")
    draw_bars(ax, places, summary, "share", colour)
    ax.set_yticks(places, [wrap(_label(row), _LABEL_WIDTH) for row in summary.itertuples()])
    right = 1.08 * float(summary["conf_high"].max())
    ax.set_xticks(np.arange(0, right, 0.05 if right < 0.4 else 0.1 if right < 0.8 else 0.2))
    finish_shares(ax, right)
    ax.set_xlabel("share of all comments; a comment may mention several")
    if any(beside):
        over = ax.get_yaxis_transform()
        for place, text in zip(places, beside, strict=True):
            ax.text(1.02, float(place), text, transform=over, va="center", fontsize=9.5)
        ax.annotate(
            "effect on NPS (interval)",
            *((1.02, 1), (0, 5)),
            xycoords="axes fraction",
            textcoords="offset points",
            va="bottom",
            color=GREY,
        )
    return ax


def plot_theme_groups(groups: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot the share of each theme in each group as a table of cells.

    Parameters
    ----------
    groups : pandas.DataFrame
        From `compare_theme_groups`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Rows are themes, columns groups; shares in per cent, framed where a group clearly differs
        from the rest (q below 0.05).
    """
    from matplotlib.patches import Rectangle

    shown = groups[groups["share"].notna()]
    names, columns = list(dict.fromkeys(shown["theme"])), list(dict.fromkeys(shown["group"]))
    if ax is None:
        ax = new_axes(width=max(5.5, 4 + 0.9 * len(columns)), height=1.8 + 0.4 * len(names))
    cells = shown.pivot(index="theme", columns="group", values="share").loc[names, columns]
    draw_heat(ax, cells)
    sizes = shown.drop_duplicates("group").set_index("group")["n"]
    ax.set_xticks(range(len(columns)), [f"{wrap(c, 20)} ({sizes[c]:,})" for c in columns])
    ax.images[0].set_clim(0, max(float(np.nanmax(cells.to_numpy())), 0.01) * 1.1)
    top = ax.images[0].get_clim()[1]
    for text in ax.texts:
        x, y = (int(place) for place in text.get_position())
        text.set_color("white" if cells.to_numpy()[y, x] > 0.6 * top else INK)
    for row in shown[shown["q_value"] < 0.05].itertuples():
        corner = (columns.index(row.group) - 0.5, names.index(row.theme) - 0.5)
        ax.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=PALETTE[1], linewidth=2))
    ax.set_xlabel("group (comments)")
    return ax


def plot_sentiment(summary: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot complaint to the left and praise to the right, with their intervals.

    Parameters
    ----------
    summary : pandas.DataFrame
        Rows of `summarise_sentiment`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One line per row; what is missing to 100 % does neither, or both alike.
    """
    rows = summary[summary["negative_share"].notna()]
    ax = ax if ax is not None else new_axes(width=9, height=1.6 + 0.42 * len(rows))
    places = np.arange(len(rows))
    for side, sign, colour in (("negative", -1, PALETTE[1]), ("positive", 1, PALETTE[0])):
        share = rows[f"{side}_share"]
        ax.barh(places, sign * share, height=0.62, color=_pale(colour), label=f"{side} comments")
        ends = [sign * rows[f"{side}_{end}"] for end in ("low", "high")]
        ax.hlines(places, *ends, color=INK, linewidth=1.4)
        for end in ends:
            ax.plot(end, places, "|", color=INK, markersize=7)
    labels = [
        f"{row.name_} ({row.n:,})" for row in rows.rename(columns={"name": "name_"}).itertuples()
    ]
    ax.set_yticks(places, [wrap(label, _LABEL_WIDTH) for label in labels])
    ax.axvline(0, color=GREY, linewidth=1)
    ax.set(xlim=(-1, 1), ylim=(len(rows) - 0.4, -0.6))
    ticks = np.linspace(-1, 1, 9)
    ax.set_xticks(ticks, [f"{abs(100 * tick):.0f} %" for tick in ticks])
    ax.set_xlabel("share of the comments")
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    return ax


def _pale(colour: str) -> tuple[float, ...]:
    """Make a colour so light that an interval shows on it."""
    from matplotlib.colors import to_rgb

    return tuple(0.45 + 0.55 * part for part in to_rgb(colour))


def _label(row: tuple) -> str:
    stable = "" if row.is_stable or row.theme == NO_THEME else ", not stable"  # type: ignore[attr-defined]
    return f"{row.theme} ({row.n:,}{stable})"  # type: ignore[attr-defined]
