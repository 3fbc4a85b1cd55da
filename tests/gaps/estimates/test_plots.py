"""Figures show the tables' numbers with their intervals, labelled, nothing computed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.gaps.estimates.plots import plot_gap_groups, plot_gaps, plot_tolerance
from cxlib.style import figure_svg, new_axes


def _gaps(n: int, **columns: object) -> pd.DataFrame:
    """Make rows of one level with gaps -0.1, -0.2, ..."""
    gap = -0.1 * np.arange(1, n + 1)
    table = {"name": [f"q{i}" for i in range(n)], "text": None, "expectation": 6.0}
    table |= {"perception": 6 + gap, "gap": gap, "conf_low": gap - 0.05, "conf_high": gap + 0.05}
    return pd.DataFrame(table | {"scale_min": 1.0, "scale_max": 7.0} | columns)


def _segments(ax):
    return [
        tuple(np.round(path.vertices[:, 0], 6))
        for collection in ax.collections
        for path in collection.get_paths()
    ]


def test_gaps_show_largest_shortfall_on_top():
    """Rows go by gap; dots stand at the means; the interval is laid off from expectation."""
    ax = plot_gaps(_gaps(3, text=["Fast", None, "Polite"]))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Fast", "q1", "Polite"]
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert list(lines["expectation"].get_xdata()) == [6.0] * 3
    assert list(lines["perception"].get_xdata()) == pytest.approx([5.9, 5.8, 5.7])
    assert (5.85, 5.95) in _segments(ax)
    assert "-0.30 (-0.35 to -0.25)" in [text.get_text() for text in ax.texts]
    assert ax.get_xlabel() == "mean rating (points of the scale)"
    assert ax.get_xlim()[0] < 1 < 7 < ax.get_xlim()[1]


def test_forty_rows_stay_legible():
    """Labels of one line, at least 0.2 inches a row, on a figure no taller than two screens."""
    ax = plot_gaps(_gaps(40, text="a rather long wording of an item " * 3))
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert all("\n" not in label and len(label) <= 46 for label in labels)
    height = ax.get_figure().get_size_inches()[1]
    assert 0.2 * 40 < height < 12


def test_long_wording_is_wrapped():
    """A label has at most three lines of 34 characters."""
    label = plot_gaps(_gaps(2, text="a rather long wording " * 10)).get_yticklabels()[0].get_text()
    assert len(label.splitlines()) == 3
    assert all(len(line) <= 34 for line in label.splitlines())
    assert label.endswith("…")


def test_row_without_interval_is_drawn_without():
    """One respondent: dots, the number, no interval, no warning."""
    ax = plot_gaps(_gaps(2, conf_low=np.nan, conf_high=np.nan))
    assert "-0.10" in [text.get_text() for text in ax.texts]


def test_figures_draw_on_the_axes_given():
    """A caller's axes are used and returned, and the picture repeats byte for byte."""
    ax = new_axes()
    assert ax is plot_gaps(_gaps(2), ax=ax)
    assert figure_svg(plot_gaps(_gaps(2))) == figure_svg(plot_gaps(_gaps(2)))


def test_zone_of_tolerance_spans_minimum_to_desired():
    """The bar is the zone, the dot perception, the whisker adequacy laid off from the minimum."""
    table = (
        _gaps(2)
        .drop(columns=["conf_low", "conf_high"])
        .assign(minimum=4.0, desired=7.0, adequacy=[1.9, 1.8])
    )
    table["adequacy_low"], table["adequacy_high"] = table["adequacy"] - 0.2, table["adequacy"] + 0.2
    ax = plot_tolerance(table)
    assert (4.0, 7.0) in _segments(ax)
    assert (5.7, 6.1) in _segments(ax)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["q0", "q1"]  # lowest on top
    assert "+1.80 (+1.60 to +2.00)" in [text.get_text() for text in ax.texts]


def _groups(names: list[str]) -> pd.DataFrame:
    parts = [_gaps(2).head(1).assign(group=g, n=20, name=n) for g in ("x", "y") for n in names]
    return pd.concat(parts, ignore_index=True)


def test_groups_of_one_name_show_size_and_zero_line():
    """Each group is labelled with its size, the first on top; zero is drawn."""
    ax = plot_gap_groups(_groups(["total"]))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["y (n = 20)", "x (n = 20)"]
    assert any(list(line.get_xdata()) == [0, 0] for line in ax.get_lines())
    assert "-0.10 (-0.15 to -0.05)" in [text.get_text() for text in ax.texts]


def test_groups_of_several_names_lie_side_by_side():
    """A row per name, a mark per group, the groups in the legend and told apart in grey."""
    ax = plot_gap_groups(_groups(["time", "people"]))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["people", "time"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["x", "y"]
    marks = {line.get_label(): line for line in ax.get_lines()}
    assert marks["x"].get_marker() != marks["y"].get_marker()
    assert (marks["x"].get_ydata() > marks["y"].get_ydata()).all()
