"""One theme, palette and set of axes helpers for every figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
