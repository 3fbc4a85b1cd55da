"""Pictures of hazard ratios that change with age; drawn, not computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.style import INK, colours, new_axes, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKS = "osD^vP"
_TICKS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20)


def plot_periods(periods: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the hazard ratios of each term by period of age, on a log scale.

    Parameters
    ----------
    periods : pandas.DataFrame
        The `table` of `cxlib.churn.fit_periods`; of more than six terms the first are drawn.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One line of points and intervals a term; 1 is marked.
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    ax = ax or new_axes()
    terms = list(dict.fromkeys(periods["term"]))[: len(_MARKS)]
    drawn = periods[periods["term"].isin(terms)]
    names = list(dict.fromkeys(drawn["period"]))
    for i, (term, colour) in enumerate(colours(terms).items()):
        rows = drawn[drawn["term"] == term]
        # side by side, so that no interval hides another
        places = np.arange(len(rows)) + 0.09 * (i - (len(terms) - 1) / 2)
        ax.vlines(places, rows["conf_low"], rows["conf_high"], color=colour, linewidth=2)
        label = wrap(term, 26)
        (line,) = ax.plot(places, rows["hazard_ratio"], color=colour, label=label, linewidth=0.8)
        line.set(marker=_MARKS[i], markersize=6)
    ax.axhline(1, color=INK, linewidth=1)
    ax.set_yscale("log")
    low, high = drawn["conf_low"].min(), drawn["conf_high"].max()
    ax.set_ylim(min(low, 0.95) / 1.05, max(high, 1.05) * 1.05)
    ax.yaxis.set_major_locator(FixedLocator(_TICKS))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylabel("hazard ratio, log scale\n(over 1: leave sooner)")
    ax.set_xticks(range(len(names)), [wrap(name, 16) for name in names])
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.set_xlabel("age of the customer")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax
