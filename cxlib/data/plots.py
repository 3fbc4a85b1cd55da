"""Figures of the data check."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from cxlib import style


def plot_volume(counts: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw rows a month, one line a table.

    Parameters
    ----------
    counts : pandas.DataFrame
        From :func:`cxlib.data.quality.count_by_month`.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Months across, rows up on a logarithmic axis, so that small tables stay visible.
    """
    ax = ax if ax is not None else style.new_axes(height=3.6)
    tables = list(counts["table"].drop_duplicates())
    for table, colour in style.colours(tables).items():
        rows = counts[counts["table"] == table]
        ax.plot(rows["month"], rows["n"], color=colour, marker="o", markersize=3, label=table)
    ax.set_yscale("log")
    ax.set_xlabel("month")
    ax.set_ylabel("rows (log scale)")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def plot_refused(ledger: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how many rows each rule refused or mended.

    Parameters
    ----------
    ledger : pandas.DataFrame
        The ledger: one row a table and rule.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One bar a table and rule, the longest on top, with its number.
    """
    rules = ledger[ledger["rule"] != ""].sort_values("n", kind="stable").tail(20)
    ax = ax if ax is not None else style.new_axes(height=1.2 + 0.27 * len(rules))
    tables = list(dict.fromkeys(ledger["table"]))
    colours = style.colours(tables)
    labels = [f"{row.table}: {row.rule}" for row in rules.itertuples()]
    bars = ax.barh(range(len(rules)), rules["n"], color=[colours[t] for t in rules["table"]])
    ax.bar_label(bars, labels=[f"{n:,}" for n in rules["n"]], padding=3)
    ax.set_yticks(range(len(rules)), labels)
    ax.set_xlabel("rows or cells")
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.margins(x=0.12)
    return ax
