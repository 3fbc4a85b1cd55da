"""One theme, palette and set of axes helpers for every figure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Okabe-Ito order, darkened where needed: told apart by colour-blind readers and in grey.
PALETTE = ("#0b5394", "#c55a11", "#2e7d4f", "#7b3f8c", "#8a6d00", "#b5254b", "#3d6b7d", "#555555")
GREY = "#5f6b76"
LIGHT = "#d5dbe1"
INK = "#1c2733"

_RC: dict[Any, Any] = {
    "svg.hashsalt": "cxlib",  # same figure, same ids: pages repeat byte for byte
    "svg.fonttype": "path",
    "text.parse_math": False,  # a name with two dollar signs is no formula
    "figure.figsize": (8.0, 4.2),
    "figure.dpi": 100,
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "axes.titlesize": 11.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": "#e4e8ec",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def new_axes(*, width: float = 8.0, height: float = 4.2) -> Axes:
    """Make a figure in the project's theme and return its only axes.

    The theme is set for the whole process: matplotlib reads fonts and colours when text is added,
    long after the figure was made.

    Parameters
    ----------
    width, height : float, default 8.0 and 4.2
        Size in inches.

    Returns
    -------
    matplotlib.axes.Axes
        Empty axes; the figure belongs to no window.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams.update(_RC)
    return Figure(figsize=(width, height)).subplots()


def figure_svg(axes: Axes) -> str:
    """Draw the figure of some axes as SVG text that is the same on every run.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Any axes of the figure.

    Returns
    -------
    str
        An ``<svg>`` element without XML header.
    """
    import io

    import matplotlib as mpl

    text = io.StringIO()
    figure = axes.get_figure(root=True)
    assert figure is not None  # axes that are shown belong to a figure
    with mpl.rc_context(_RC):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def colours(labels: list[str]) -> dict[str, str]:
    """Give every label a colour of the palette, in the order given.

    Parameters
    ----------
    labels : list of str
        Distinct labels; beyond eight the palette repeats.

    Returns
    -------
    dict of str to str
        Hex colour by label.
    """
    return {label: PALETTE[i % len(PALETTE)] for i, label in enumerate(labels)}


def wrap(text: str, width: int, *, lines: int = 2) -> str:
    """Break a label into short lines; what does not fit ends in dots.

    Parameters
    ----------
    text : str
        The label.
    width : int
        Characters in a line.
    lines : int, default 2
        Lines at most.

    Returns
    -------
    str
        The label with line breaks.
    """
    broken = textwrap.wrap(str(text), width, break_long_words=True) or [""]
    if len(broken) > lines:
        rest = textwrap.shorten(" ".join(broken[lines - 1 :]), width, placeholder="…")
        broken = [*broken[: lines - 1], rest]
    return "\n".join(broken)


def draw_heat(ax: Axes, shares: pd.DataFrame) -> None:
    """Draw shares as a table of cells, the darker the larger.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes to draw on.
    shares : pandas.DataFrame
        Shares from 0 to 1, labelled by rows and columns; empty cells stay white.
    """
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
        [wrap(name, 20) for name in shares.columns],
        rotation=45,
        ha="right",
        rotation_mode="anchor",
        fontsize=8.5,
    )
    ax.set_yticks(range(len(shares)), [wrap(name, 30) for name in shares.index], fontsize=8.5)
    ax.grid(False)
    ax.set_title("share in %", fontsize=9, fontweight="normal", loc="right")


def draw_bars(ax: Axes, at: Any, table: pd.DataFrame, share: str, colour: Any) -> None:
    """Draw shares as bars with their intervals, the first on top.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes to draw on.
    at : array_like of float
        Where each bar lies.
    table : pandas.DataFrame
        With the column `share`, `conf_low` and `conf_high`.
    share : str
        Column of the shares.
    colour : str or array_like of str
        Colour of the bars.
    """
    values = table[share]
    reach = np.clip([values - table["conf_low"], table["conf_high"] - values], 0, None)
    ax.barh(at, values, height=0.62, color=colour)
    ax.errorbar(values, at, xerr=reach, fmt="none", ecolor=INK, capsize=3)
    ax.invert_yaxis()


def finish_shares(ax: Axes, right: float) -> None:
    """Write the axis of shares in per cent, with lines to read them by.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes whose x axis holds shares.
    right : float
        Where the axis ends.
    """
    ax.set_xlim(0, right)
    ticks: Sequence[float] = [x for x in ax.get_xticks() if 0 <= x <= min(right, 1) + 1e-9]
    ax.set_xticks(ticks, [f"{100 * x:.0f} %" for x in ticks])
    ax.grid(True, axis="x")
    ax.grid(False, axis="y")


def draw_intervals(table: pd.DataFrame, *, name: str, value: str, ax: Axes | None) -> Axes:
    """Draw one point and its interval a row, the first on top.

    Parameters
    ----------
    table : pandas.DataFrame
        The columns named, `conf_low` and `conf_high`.
    name, value : str
        Columns of the labels and of the estimates.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The estimates along the horizontal axis.
    """
    if ax is None:
        ax = new_axes(height=1.3 + 0.42 * len(table))
    places = np.arange(len(table))[::-1]
    ends = table[["conf_low", "conf_high"]].to_numpy(float)
    ax.hlines(places, ends[:, 0], ends[:, 1], color=PALETTE[0], linewidth=2)
    ax.plot(table[value], places, "o", color=PALETTE[0], markersize=6)
    ax.set_yticks(places, [wrap(label, 26) for label in table[name]])
    ax.set_ylim(-0.6, len(table) - 0.4)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    return ax
