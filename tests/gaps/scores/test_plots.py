"""Figures show the tables' numbers with their intervals, labelled, nothing computed."""

from __future__ import annotations

import numpy as np
import pytest

from cxlib.gaps.scores.bounds import bound_scores
from cxlib.gaps.scores.change import split_change
from cxlib.gaps.scores.plots import plot_change, plot_scenarios, plot_scores
from cxlib.gaps.scores.scores import summarise_scores
from cxlib.gaps.scores.weighting import weight_respondents
from cxlib.style import figure_svg, new_axes
from tests.gaps.scores.surveys import invite, make_ratings
from tests.gaps.scores.test_bounds import INVITED, RATINGS
from tests.gaps.scores.test_change import KITAGAWA


def _labels(ax):
    return [label.get_text().replace("\u00a0", " ") for label in ax.get_yticklabels()]


def _texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.fixture
def weighted():
    """Compute raw, response and weighted scores of one item."""
    return summarise_scores(RATINGS, INVITED, weighting=weight_respondents(RATINGS, INVITED))


def test_scores_stand_on_tracks_from_worst_to_best(weighted):
    """Raw and weighted share a track; the response rate has its own; numbers stand beside."""
    ax = plot_scores(weighted)
    assert _labels(ax) == ["NPS, q (n = 60)", "response rate (n = 100)"]
    lines = {line.get_label(): line for line in ax.get_lines() if line.get_label()[0] != "_"}
    assert set(lines) == {"raw", "weighted"}
    assert lines["raw"].get_xdata() == pytest.approx([(100 / 3 + 100) / 200])
    assert lines["weighted"].get_xdata() == pytest.approx([0.4])
    assert lines["raw"].get_ydata()[0] < 0 < lines["weighted"].get_ydata()[0]
    first = next(text for text in _texts(ax) if "raw" in text)
    assert first.startswith("+33 (")
    assert "\n-20 (" in first
    assert "-100" in _texts(ax)
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        "worst possible",
        "best possible",
    ]


def test_scores_without_weights_need_no_legend():
    """One kind of score: full dots on the track, no word of weighting."""
    ax = plot_scores(summarise_scores(RATINGS))
    assert ax.get_legend() is None
    assert not any("raw" in text for text in _texts(ax))
    dots = [line for line in ax.get_lines() if line.get_marker() == "o" and len(line.get_xdata())]
    assert [line.get_ydata()[0] for line in dots] == [0]


def test_a_score_without_interval_is_drawn_without():
    """One answer of effort has no interval."""
    ax = plot_scores(summarise_scores(make_ratings([4], metric="ces")))
    assert "4.00" in _texts(ax)


def test_groups_and_waves_are_named():
    """A track of a group says which, and which wave where there are several."""
    ratings = make_ratings([9, 9, 3, 3], wave=["1", "1", "2", "2"], kind=["a", "b", "a", "b"])
    labels = _labels(plot_scores(summarise_scores(ratings, by="kind")))
    assert labels[:2] == ["NPS, q, 1 (n = 2)", "NPS, q, 1, a (n = 1)"]


def test_scenarios_show_what_is_possible_as_a_bar():
    """The bar runs from worst to best; assumptions are dots with intervals."""
    table = bound_scores(RATINGS, INVITED)
    ax = plot_scenarios(table)
    assert _labels(ax)[0] == "like all who answered"
    assert _labels(ax)[-1] == "anything: nothing assumed"
    bar = ax.patches[0]
    assert (bar.get_x(), bar.get_width()) == pytest.approx((-20, 80))
    assert "-20 to +60" in _texts(ax)
    assert ax.get_xlim() == (-100, 100)
    assert ax.get_xlabel() == "NPS of all invited (points)"


def test_change_shows_parts_and_groups():
    """Total, within and mix on top, then every group, around the line of no change."""
    change = split_change(KITAGAWA, by="kind")
    ax = plot_change(change.split, change.groups)
    assert _labels(ax) == [
        *("total change", "part within groups", "part of the changed mix"),
        *("a (n = 10, 20)", "b (n = 30, 20)"),
    ]
    assert any(text.startswith("-0.50") for text in _texts(ax))
    assert ax.get_xlabel() == "change of CES (scale points)"
    dots = [line for line in ax.get_lines() if line.get_marker() == "o"]
    assert np.concatenate([line.get_xdata() for line in dots]) == pytest.approx(
        [-0.5, 0.375, -0.875, 1.0, 0.0]
    )


def test_figures_draw_on_the_axes_given(weighted):
    """A caller's axes are used and returned, and the picture repeats byte for byte."""
    change = split_change(KITAGAWA, by="kind")
    for draw in (
        lambda ax: plot_scores(weighted, ax=ax),
        lambda ax: plot_scenarios(bound_scores(RATINGS, INVITED), ax=ax),
        lambda ax: plot_change(change.split, change.groups, ax=ax),
    ):
        first, second = new_axes(), new_axes()
        assert draw(first) is first
        assert figure_svg(draw(second)) == figure_svg(first)


def test_response_alone_can_be_drawn():
    """A survey that only knows who answered still has a track."""
    ratings = make_ratings([np.nan, np.nan])
    assert _labels(plot_scores(summarise_scores(ratings, invite(4)))) == ["response rate (n = 4)"]
