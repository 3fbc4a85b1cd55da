"""Figures draw what the tables say."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

from cxlib.journeys import (
    add_groups,
    compare_transitions,
    count_paths,
    count_transitions,
    fit_segments,
    measure_funnel,
    plot_comparison,
    plot_funnel,
    plot_paths,
    plot_profiles,
    plot_segments,
    plot_transitions,
)
from cxlib.style import figure_svg

WALKS = [(f"c{i}", ("ad web order", "shop buy", "ad web")[i % 3]) for i in range(90)]


def _texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_transitions_show_shares_in_per_cent(make_steps):
    """Rows start with (start); half of what leaves `web` goes to `order`."""
    axes = plot_transitions(count_transitions(make_steps(WALKS)))
    rows = [label.get_text() for label in axes.get_yticklabels()]
    columns = [label.get_text() for label in axes.get_xticklabels()]
    assert rows[0] == "(start)"
    assert columns[-1] == "(end)"
    assert "50" in _texts(axes)
    assert (len(rows), len(columns)) == (6, 6)
    assert figure_svg(axes).startswith("<svg")


def test_funnel_bars_are_the_conversion_shares(make_steps):
    """One bar a stage, as long as its share, with its count written beside."""
    funnel = measure_funnel(make_steps(WALKS), ["ad", "web", "order"])
    axes = plot_funnel(funnel)
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([1, 1, 0.5])
    assert _texts(axes)[-1] == "50.0%  (30)"
    assert len(axes.collections) == 1  # the intervals
    assert figure_svg(axes).startswith("<svg")


def test_paths_are_rows_of_blocks(make_steps):
    """A block a step; the count of journeys stands before the row; long paths end in dots."""
    walks = [*WALKS, ("long", " ".join(["ad"] * 12))]
    axes = plot_paths(count_paths(make_steps(walks)), top=4)
    assert len(axes.patches) == 2 + 3 + 2 + 10
    assert axes.get_yticklabels()[0].get_text() == "30 (33.0%)"
    assert "…" in _texts(axes)


def test_segments_show_share_and_verdict(make_steps):
    """A bar and a verdict a segment; the profile has a row a segment."""
    found = fit_segments(make_steps(WALKS), n_resamples=3)
    axes = plot_segments(found.segments)
    assert [bar.get_width() for bar in axes.patches] == pytest.approx(list(found.segments["share"]))
    assert all("stable" in text for text in _texts(axes))
    assert len(plot_profiles(found.profiles).get_yticklabels()) == len(found.segments)
    assert figure_svg(axes).startswith("<svg")


def test_comparison_draws_one_point_a_pair(make_steps):
    """Points at the differences, drawn on the axes given."""
    steps = make_steps(WALKS)
    steps = add_groups(
        steps.mutate(side=(steps.customer_id < "c5").ifelse("low", "high")), by="side"
    )
    comparison = compare_transitions(steps)
    _, axes = plt.subplots()
    assert axes is plot_comparison(comparison, ax=axes)
    points = axes.collections[-1].get_offsets()
    assert points[:, 0].tolist() == pytest.approx(comparison["difference"].head(10).tolist())
    assert "'low' minus 'high'" in axes.get_xlabel()
    plt.close("all")
