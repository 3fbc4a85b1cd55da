"""Figures of what predicts an outcome; they draw tables and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.gaps.prediction.surface import ResponseSurface
from cxlib.style import GREY, INK, PALETTE, finish_shares, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHOWN = {
    "gap alone": ("D", PALETTE[1]),
    "perception alone": ("s", PALETTE[2]),
    "both, own weights": ("o", PALETTE[0]),
}


def plot_gap_models(models: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how much of the outcome the gap, perception, and both explain.

    Parameters
    ----------
    models : pandas.DataFrame
        Rows of one level of the `models` of `fit_gap_models`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        For each name three points with their intervals, the first name on top.
    """
    names = list(dict.fromkeys(models["name"]))
    ax = new_axes(height=1.9 + 0.62 * len(names)) if ax is None else ax
    for shift, (model, (marker, colour)) in zip((-0.22, 0.0, 0.22), _SHOWN.items(), strict=True):
        rows = models[models["model"] == model].set_index("name").loc[names]
        y = np.arange(len(names)) + shift
        ax.hlines(y, rows["conf_low"], rows["conf_high"], color=colour, linewidth=1.8)
        ax.plot(rows["r2"], y, marker, color=colour, markersize=6, label=model)
    labels = {"total": "all items"}
    ax.set_yticks(np.arange(len(names)), [wrap(labels.get(name, name), 30) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    ax.set_xlabel("share of the differences in the outcome that it goes with (R²)")
    finish_shares(ax, min(1.0, 1.05 * float(models["conf_high"].max())))
    return ax


def plot_gap_links(links: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the correlations of an outcome with perception, the gap and expectation.

    Parameters
    ----------
    links : pandas.DataFrame
        Rows of one name of the `links` of `fit_gap_models`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One point and interval a row on the range -1 to 1.
    """
    ax = new_axes(height=2.4) if ax is None else ax
    y = np.arange(len(links))
    ax.axvline(0, color=GREY, linewidth=1, linestyle="--")
    ax.hlines(y, links["conf_low"], links["conf_high"], color=PALETTE[0], linewidth=2)
    ax.plot(links["correlation"], y, "o", color=PALETTE[0], markersize=6)
    ax.set_yticks(y, list(links["rating"]))
    ax.set_ylim(len(links) - 0.5, -0.5)
    ax.set_xlim(-1, 1)
    ax.set_xlabel("correlation with the outcome (-1 to 1)")
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    return ax


def plot_response_surface(surface: ResponseSurface, *, ax: Axes | None = None) -> Axes:
    """Draw the fitted outcome over expectation and perception, where anybody answered.

    Parameters
    ----------
    surface : ResponseSurface
        From `fit_response_surface`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Lines of equal outcome inside the hull of the answers, the line where perception equals
        expectation, and dots as large as the number of respondents.
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Polygon

    ax = new_axes(width=7.0, height=5.6) if ax is None else ax
    table = surface.grid.pivot(index="perception", columns="expectation", values="outcome")
    inside = surface.grid.loc[surface.grid["is_inside"], "outcome"]
    levels = np.linspace(inside.min(), inside.max(), 9)
    shade = LinearSegmentedColormap.from_list("outcome", ["#ffffff", PALETTE[0]])
    edge = Polygon(surface.hull.to_numpy(), closed=True, fill=False, edgecolor=GREY, linewidth=1)
    ax.add_patch(edge)
    axes = (table.columns.to_numpy(), table.index.to_numpy(), table.to_numpy())
    filled = ax.contourf(*axes, levels=levels, cmap=shade, alpha=0.75)
    lines = ax.contour(*axes, levels=levels[1:-1], colors=INK, linewidths=0.7)
    for drawn in (filled, lines):
        drawn.set_clip_path(edge)
    width = np.ceil(12 * np.sqrt(surface.density["n"] / surface.density["n"].max()))
    for points, rows in surface.density.groupby(width):  # one shape a size keeps the page small
        ax.plot(
            *(rows["expectation"], rows["perception"], "o"),
            markersize=points,
            markerfacecolor="none",
            markeredgecolor=INK,
            markeredgewidth=0.7,
        )
    ends = surface.hull.to_numpy()
    low, high = float(ends.min()), float(ends.max())
    ax.plot(
        [low, high],
        [low, high],
        color=PALETTE[1],
        linewidth=1.6,
        linestyle="--",
        label="perception = expectation",
    )
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    pad = 0.03 * (high - low)
    ax.set(xlim=(low - pad, high + pad), ylim=(low - pad, high + pad))
    ax.set_xlabel("expectation (points of the scale)")
    ax.set_ylabel("perception (points of the scale)")
    figure = ax.get_figure()
    assert figure is not None  # axes that are drawn on belong to a figure
    bar = figure.colorbar(filled, ax=ax, shrink=0.85)
    bar.set_label(wrap(f"fitted {surface.outcome}", 40))
    bar.ax.set_yticks(levels[::2], [f"{level:.1f}" for level in levels[::2]])
    ax.grid(visible=False)
    return ax
