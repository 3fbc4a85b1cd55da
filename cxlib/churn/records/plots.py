"""Pictures of what the records give: the way to the lifetimes, and what a threshold decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlib.churn.wording import describe_time
from cxlib.style import GREY, INK, LIGHT, PALETTE, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_RULES = {
    "grace": "longest break that is no leaving (days)",
    "inactivity": "longest silence of who is still there (days)",
}
_NAMES = {"rows in": "rows delivered", "spells": "stays", "lifetimes": "lifetimes"}
_SIDES = {"rows in": ("refused", "merged"), "spells": ("left out",), "lifetimes": ("censored",)}


def plot_sensitivity(sensitivity: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share still here under each threshold, with its band and the one chosen marked.

    Parameters
    ----------
    sensitivity : pandas.DataFrame
        As `cxlib.churn.measure_sensitivity` returns it.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One point a threshold.
    """
    ax = ax or new_axes()
    known = sensitivity.dropna(subset=["survival"])
    days, colour = known["threshold_days"], PALETTE[0]
    band = (100 * known["survival_low"], 100 * known["survival_high"])
    ax.fill_between(days, *band, color=colour, alpha=0.15, linewidth=0)
    ax.plot(days, 100 * known["survival"], "o-", color=colour, markersize=5)
    for _, row in known[known["is_chosen"]].iterrows():
        at = (row["threshold_days"], 100 * row["survival"])
        ax.vlines(at[0], 100 * row["survival_low"], 100 * row["survival_high"], color=PALETTE[1])
        ax.plot(*at, "D", color=PALETTE[1], markersize=9)
        ax.annotate(
            "chosen", at, (8, 8), textcoords="offset points", color=PALETTE[1], fontweight="bold"
        )
    ax.set_xticks(days)
    ax.set(xlabel=_RULES[sensitivity["rule"].iloc[0]])
    ax.set_ylabel(f"still here after {describe_time(known['time_days'].iloc[0])} (%)")
    low, high = band[0].min(), band[1].max()
    room = max((high - low) * 0.15, 1.0)
    ax.set_ylim(max(low - room, 0), min(high + room, 100.5))
    return ax


def plot_steps(ledger: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the way from the rows to the lifetimes: what went on below, what was taken out beside.

    Parameters
    ----------
    ledger : pandas.DataFrame
        The `ledger` of `cxlib.churn.Lifetimes`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Boxes with numbers, in the manner of a CONSORT flow chart.
    """
    step = ledger["step"]
    kind = step.str.partition(":")[0]
    main = [name for name in (*_NAMES, "churned") if (step == name).any()]
    sides = [ledger[kind.isin(_SIDES.get(name, ()))] for name in main]
    depths = [3.2 + max(len(rows) - 2, 0) for rows in sides]
    if ax is None:
        ax = new_axes(height=0.32 * sum(depths))
    ax.set(xlim=(0, 100), ylim=(sum(depths) - 1, 0))
    ax.set_axis_off()
    y = 1.0
    for name, beside, depth in zip(main, sides, depths, strict=True):
        row = ledger[step == name].iloc[0]
        text = f"{_NAMES.get(name, name)}\n{row['n']:,} ({row['n_customers']:,} customers)"
        _write(ax, 24, y, text, ha="center", fontweight="bold")
        if name != main[-1]:
            _draw_arrow(ax, (24, y + 0.9), (24, y + depth - 0.9))
        if len(beside):
            middle = y + depth / 2
            _draw_arrow(ax, (24, middle), (49, middle))
            _write(ax, 50, middle, _list(beside), ha="left")
        y += depth
    return ax


def _list(rows: pd.DataFrame) -> str:
    return "\n".join(
        f"{wrap(row['step'], 44, lines=1)}: {row['n']:,}" for _, row in rows.iterrows()
    )


def _write(ax: Axes, x: float, y: float, text: str, **how: Any) -> None:
    box = {"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": LIGHT, "linewidth": 1.2}
    ax.text(x, y, text, va="center", fontsize=9.5, color=INK, bbox=box, linespacing=1.35, **how)


def _draw_arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    arrow = {"arrowstyle": "-|>", "color": GREY, "linewidth": 1.2}
    ax.annotate("", end, start, arrowprops=arrow)
