"""Pictures of cohorts and renewals; drawn, not computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.style import GREY, INK, PALETTE, draw_heat, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 13  # cells that fit side by side with their numbers


def plot_retention(retention: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of each cohort still there as a heat map, what is completed in hatching.

    Parameters
    ----------
    retention : pandas.DataFrame
        The `table` of `fit_retention`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One row a cohort, ``all`` on top, and every first, second, third, ... month.
    """
    last = int(retention["month"].max())
    step = next(step for step in (1, 2, 3, 6, 12, 24, 48) if last // step < _COLUMNS)
    shown = retention[retention["month"] % step == 0]
    names = dict.fromkeys(retention["cohort"])
    if ax is None:
        ax = new_axes(height=1.6 + 0.32 * len(names))
    shares = shown.pivot(index="cohort", columns="month", values="retained_share").loc[list(names)]
    completed = shown.pivot(index="cohort", columns="month", values="is_completed").loc[list(names)]
    draw_heat(ax, shares.rename(columns=str))
    ax.set_xticks(range(shares.shape[1]), [f"{m}" for m in shares.columns], rotation=0, ha="center")
    sizes = retention.drop_duplicates("cohort").set_index("cohort")["n"]
    ax.set_yticks(range(len(names)), [f"{name} ({sizes[name]:,})" for name in names], fontsize=8.5)
    is_completed = completed.to_numpy(bool)
    values = shares.to_numpy(float)
    low = max(np.floor(values.min() * 10 - 1) / 10, 0.0)  # cohorts differ by less than 100 %
    ax.images[0].set_clim(low, 1)
    for text in ax.texts:
        x, y = (int(place) for place in text.get_position())
        text.set_color("white" if values[y, x] > low + 0.7 * (1 - low) else INK)
        text.set_fontstyle("italic" if is_completed[y, x] else "normal")
    _hatch(ax, is_completed)
    ax.axhline(0.5, color="white", linewidth=3)
    ax.set_xlabel("months since the start")
    ax.set_ylabel("started in (customers)")
    told = "still customers, in %"
    if is_completed.any():
        told += "; hatched and in italics: not seen yet, completed by the model"
    ax.set_title(told, fontsize=9, fontweight="normal", loc="right")
    return ax


def _hatch(ax: Axes, completed: np.ndarray) -> None:
    """Hatch the completed cells and draw the stairs between them and the observed ones."""
    from matplotlib.patches import Rectangle

    for y, x in np.argwhere(completed):
        cell = Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, hatch="///", edgecolor=GREY)
        cell.set(linewidth=0, alpha=0.45)
        ax.add_patch(cell)
    n_seen = (~completed).sum(axis=1)
    edge = np.repeat(n_seen - 0.5, 2)
    rows = np.column_stack([np.arange(len(edge) // 2) - 0.5, np.arange(len(edge) // 2) + 0.5])
    ax.plot(edge, rows.ravel(), color=INK, linewidth=1.6, scalex=False, scaley=False)


def plot_renewals(projection: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the projected share still there after each renewal over the shares observed.

    Parameters
    ----------
    projection : pandas.DataFrame
        As `project_renewals` returns it.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        A line with its band for the model, points with intervals for what was observed.
    """
    from matplotlib.ticker import MaxNLocator

    ax = ax or new_axes()
    model = projection[projection["source"] == "model"]
    seen = projection[projection["source"] == "observed"]
    band = (model["conf_low"], model["conf_high"])
    ax.fill_between(model["term"], *band, color=PALETTE[0], alpha=0.18, linewidth=0)
    known = model[~model["is_projected"]]
    ax.plot(known["term"], known["retained_share"], color=PALETTE[0], label="model")
    beyond = model[model["term"] >= known["term"].max()]
    if len(beyond) > 1:
        ax.plot(
            beyond["term"], beyond["retained_share"], color=PALETTE[0], ls="--", label="projected"
        )
        ax.axvline(known["term"].max(), color=GREY, linewidth=0.8, linestyle=(0, (2, 4)))
    ends = seen[["conf_low", "conf_high"]].to_numpy(float)
    ax.vlines(seen["term"], ends[:, 0], ends[:, 1], color=INK, linewidth=1.4)
    ax.plot(seen["term"], seen["retained_share"], "o", color=INK, markersize=5, label="observed")
    ax.set(xlim=(-0.2, model["term"].max() + 0.2), ylim=(0, 1.02))
    ax.set(xlabel="renewals", ylabel="still customers")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    ax.legend(loc="upper right")
    return ax
