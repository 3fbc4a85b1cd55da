"""Figures of whole journeys draw what the tables say."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

from cxlib.journeys import list_walks
from cxlib.journeys.paths.attribution import count_attribution
from cxlib.journeys.paths.lead_ups import rank_paths
from cxlib.journeys.paths.paths import count_paths
from cxlib.journeys.paths.plots import (
    plot_attribution,
    plot_lead_ups,
    plot_paths,
    plot_rework,
)
from cxlib.journeys.paths.rework import count_rework
from cxlib.style import figure_svg

WALKS = [(f"c{i}", ("ad web order", "shop buy", "ad web")[i % 3]) for i in range(90)]


def _texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def _rows(axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def test_paths_are_rows_of_blocks(make_log):
    """A block a step; the count of journeys stands before the row; long paths end in dots."""
    walks = [*WALKS, ("long", " ".join(["ad"] * 12))]
    axes = plot_paths(count_paths(list_walks(make_log(walks))), top=4)
    assert len(axes.patches) == 2 + 3 + 2 + 10
    assert _rows(axes)[0] == "30 (33.0%)"
    assert "…" in _texts(axes)


def test_rework_bars_are_shares(make_log):
    """All kinds over whole journeys, or one kind by touchpoint, with counts beside."""
    log = make_log([*WALKS, *((f"r{i}", "ad web web ad") for i in range(10))])
    rework = count_rework(log)
    axes = plot_rework(rework)
    assert _rows(axes)[:3] == ["repeated", "self loop", "repeat"]
    assert [bar.get_width() for bar in axes.patches][:3] == pytest.approx([0.1, 0.1, 0.1])
    assert _texts(axes)[0] == "10 journeys, 20 contacts"
    _, axes = plt.subplots()
    assert plot_rework(rework, kind="self_loop", ax=axes) is axes
    assert _rows(axes) == ["web"]
    assert axes.get_xlabel().startswith("'self loop'")
    plt.close("all")


def test_attribution_has_a_dot_per_method(make_log):
    """A row a touchpoint, in it every method at its share, the one with most credit on top."""
    walks = list_walks(make_log(WALKS), goal="order")
    table = count_attribution(walks, n_resamples=20).attribution
    axes = plot_attribution(table)
    assert _rows(axes)[:2] == ["ad", "web"]
    assert len(axes.containers) == 6
    first = axes.containers[0].lines[0]
    assert first.get_xdata()[0] == pytest.approx(1)
    assert [text.get_text() for text in axes.get_legend().get_texts()][3] == "position based"
    assert figure_svg(axes).startswith("<svg")


def test_lead_ups_stand_on_both_sides_of_the_share_of_all(make_log):
    """Converting above, dropping below, the base as a line, the undecided left out."""
    walks = [(f"a{i}", "ad web order") for i in range(50)] + [(f"b{i}", "shop") for i in range(50)]
    walks += [(f"u{i}", ("web order", "web")[i % 2]) for i in range(40)]
    table = rank_paths(list_walks(make_log(walks), goal="order"))
    axes = plot_lead_ups(table)
    assert _rows(axes) == ["ad > web", "shop"]
    points = axes.collections[-1].get_offsets()
    assert points[:, 0].tolist() == [1, 0]
    assert _texts(axes) == ["all: 50.0%", "50 of 50", "0 of 50"]
    assert _texts(plot_lead_ups(table, min_cell=51))[1:] == ["under 51 of 50", "0 of 50"]
    assert figure_svg(axes).startswith("<svg")


def test_nothing_sure_draws_an_empty_figure(make_log):
    """No path differs: the line of all stands alone."""
    table = rank_paths(list_walks(make_log(WALKS[:6]), goal="order"))
    axes = plot_lead_ups(table)
    assert _rows(axes) == []
    assert figure_svg(axes).startswith("<svg")
