"""Figures show the table's numbers with their intervals, labelled, nothing computed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.gaps import (
    compare_gap_groups,
    plot_gap_groups,
    plot_gaps,
    plot_outcome_links,
    plot_scores,
    select_answers,
    summarise_gaps,
    summarise_outcome_links,
    summarise_scores,
)
from cxlib.style import figure_svg, new_axes
from tests.gaps.answers import ITEMS, SURVEY, make_answers, make_items, make_outcomes


@pytest.fixture
def gaps():
    """Gaps of the small survey, item level."""
    table = summarise_gaps(select_answers(make_answers(SURVEY), ITEMS))
    return table[table["level"].eq("item")]


def _segments(ax):
    return [
        tuple(np.round(path.vertices[:, 0], 6))
        for collection in ax.collections
        for path in collection.get_paths()
    ]


def test_gaps_show_largest_shortfall_on_top(gaps):
    """Rows go by gap; dots stand at the means; the interval is laid off from expectation."""
    ax = plot_gaps(gaps)
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "polite",
        "Served fast",
        "No waiting in line",
    ]
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert pytest.approx(list(lines["expectation"].get_xdata())) == [5.5, 6.25, 19 / 3]
    assert pytest.approx(list(lines["perception"].get_xdata())) == [6.0, 4.5, 10 / 3]
    speed = gaps.set_index("name").loc["speed"]
    ends = tuple(np.round(6.25 + speed[["conf_low", "conf_high"]].astype(float), 6))
    assert ends in _segments(ax)
    assert ax.get_xlabel() == "mean rating (points of the scale)"
    assert ax.get_xlim()[0] < 1 < 7 < ax.get_xlim()[1]


def test_gaps_write_gap_and_interval_beside_each_row(gaps):
    """The number and its interval can be read without measuring."""
    texts = [text.get_text() for text in plot_gaps(gaps).texts]
    speed = gaps.set_index("name").loc["speed"]
    assert f"-1.75 ({speed['conf_low']:+.2f} to {speed['conf_high']:+.2f})" in texts


def test_row_without_interval_is_drawn_without(gaps):
    """One respondent: dots, the number, no interval, no warning."""
    table = gaps.assign(conf_low=np.nan, conf_high=np.nan)
    assert "-1.75" in [text.get_text() for text in plot_gaps(table).texts]


def test_long_wording_is_wrapped(gaps):
    """A label has at most three lines of 34 characters."""
    ax = plot_gaps(gaps.assign(text="a rather long wording of an item " * 10))
    label = ax.get_yticklabels()[0].get_text()
    assert len(label.splitlines()) == 3
    assert all(len(line) <= 34 for line in label.splitlines())
    assert label.endswith("…")


def test_figures_draw_on_the_axes_given(gaps):
    """A caller's axes are used and returned, and the picture repeats byte for byte."""
    ax = new_axes()
    assert ax is plot_gaps(gaps, ax=ax)
    assert figure_svg(plot_gaps(gaps)) == figure_svg(plot_gaps(gaps))


def test_groups_show_size_and_zero_line():
    """Each group is labelled with its size; zero is drawn."""
    answers = make_answers(SURVEY)
    answers["team"] = answers["respondent_id"].map({"a": "x", "b": "x", "c": "y", "d": "y"})
    table = compare_gap_groups(select_answers(answers), by="team")
    ax = plot_gap_groups(table[table["level"].eq("total")])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x (n = 2)", "y (n = 2)"]
    assert any(list(line.get_xdata()) == [0, 0] for line in ax.get_lines())


def test_scores_lie_on_tracks_of_their_own_scale():
    """NPS 0 lies in the middle of -100 to 100, CES 7 of 1 to 7 at the end."""
    items = make_items(
        item=["rec", "ease"], metric=["nps", "ces"], scale_min=[0.0, 1.0], scale_max=[10.0, 7.0]
    )
    answers = pd.concat([make_outcomes("rec", [10, 0]), make_outcomes("ease", [7, 7])])
    ax = plot_scores(summarise_scores(select_answers(answers, items)))
    dots = [line for line in ax.get_lines() if line.get_marker() == "o"]
    assert list(dots[0].get_xdata()) == [0.5, 1.0]
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "NPS, rec (n = 2)",
        "CES, ease (n = 2)",
    ]
    assert {"-100", "100", "1", "7", "7.00"} <= {text.get_text() for text in ax.texts}


def test_links_lie_between_minus_one_and_one():
    """Correlations are drawn on their whole range."""
    answers = pd.concat(
        [make_answers("r0 x 7 4\nr1 x 6 5\nr2 x 7 6\nr3 x 5 2"), make_outcomes("o", [1, 3, 3, 2])]
    )
    ax = plot_outcome_links(summarise_outcome_links(select_answers(answers), outcome="o"))
    assert ax.get_xlim() == (-1, 1)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["perception", "gap", "expectation"]
