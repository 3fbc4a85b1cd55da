"""Tests of the small multiples."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from cxlib.publishing.strips import draw_grid, draw_strip, find_axis, join_prefix
from tests.batches import make_figure


def test_the_axis_spans_values_and_intervals_with_round_ticks():
    """Every set is drawn on the axis of all."""
    axis = find_axis([make_figure(20, 12, 28), make_figure(30, 24, 36)], id="a")

    assert (axis.low, axis.high) == (12, 36)
    assert axis.ticks == [20, 30] or axis.ticks == [15, 20, 25, 30, 35]


def test_one_wide_interval_does_not_press_the_others_together():
    """The axis ends within twice the usual width; the interval runs to its edge."""
    figures = [make_figure(20, 15, 25), make_figure(22, 17, 27), make_figure(21, -900, 900)]
    axis = find_axis(figures, id="a")

    assert (axis.low, axis.high) == (0, 42)
    assert 'd="M5 7H115"' in draw_strip(figures[2], axis)


@pytest.mark.parametrize(
    "figures",
    [
        [make_figure(1)],
        [make_figure(None), make_figure(2)],
        [make_figure("not reached"), make_figure(2)],
        [make_figure(1), make_figure(2, label="other")],
    ],
)
def test_no_axis_where_there_is_nothing_to_compare(figures):
    """Two numbers of the same figure are needed."""
    assert find_axis(figures, id="a") is None


@pytest.mark.parametrize("value", [0, 5, -3.5])
def test_equal_values_have_an_axis(value):
    """Nothing is divided by the width of nothing."""
    figures = [make_figure(value, None, None)] * 2
    axis = find_axis(figures, id="a")

    assert axis.low < value < axis.high
    assert 'd="M60 7h0"' in draw_strip(figures[0], axis)


def test_a_strip_shows_interval_value_and_value_before():
    """The places on the axis are those of the numbers."""
    change = {"before": 10.0}
    figures = [make_figure(0, -10, 10, change=change), make_figure(10, 0, 20, change=None)]
    axis = find_axis(figures, id="a")
    strip = ET.fromstring(draw_strip(figures[0], axis))

    assert (axis.low, axis.high) == (-10, 20)
    assert [part.get("d") for part in strip.iter("path")] == ["M5 7H78.3", "M41.7 7h0"]
    assert [ring.get("cx") for ring in strip.iter("circle")] == ["78.3"]


def test_an_interval_without_upper_end_runs_to_the_edge():
    """Not reached is drawn as far as the axis goes."""
    figures = [make_figure(0, -10, None), make_figure(10, 0, 20)]

    assert "H115" in draw_strip(figures[0], find_axis(figures, id="a"))


def test_the_grid_is_labelled_without_repeating_the_unit():
    """The labels stand over the ticks."""
    figures = [make_figure(800, unit="days"), make_figure(1600, unit="days")]
    grid = draw_grid(find_axis(figures, id="a"))

    assert re.findall(r">([^<]+)</text>", grid)[0].replace(",", "").isdigit()


@pytest.mark.parametrize(
    "values", [(0.05, 0.85), (1_000, 2_050), (100_000, 100_010), (-0.001, 0.001)]
)
def test_the_labels_of_the_grid_lie_within_it_and_apart(values):
    """What is next to it must stay readable: a letter is taken to be 5.6 of 120 wide."""
    figures = [make_figure(value, None, None) for value in values]
    found = re.findall(r'<text x="([^"]+)"[^>]*>([^<]+)<', draw_grid(find_axis(figures, id="a")))
    ends = [(float(x) - 2.8 * len(text), float(x) + 2.8 * len(text)) for x, text in found]

    assert found
    assert all(left >= -0.1 and right <= 120.1 for left, right in ends)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(ends))


@pytest.mark.parametrize(
    ("labels", "prefix"),
    [
        (["a", "a"], "a"),
        (["risk: x", "risk: y"], "risk"),
        (["p-value by age", "p-value by agent"], "p-value by …"),
        (["a", "b"], ""),
    ],
)
def test_labels_that_differ_keep_what_they_share(labels, prefix):
    """A column of several figures is named by what they have in common."""
    assert join_prefix(labels) == prefix
