"""Figures draw what the tables say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.journeys.funnel.funnel import measure_funnel
from cxlib.journeys.funnel.plots import plot_conversion, plot_funnel, plot_funnel_comparison
from cxlib.journeys.funnel.timing import time_to_convert
from cxlib.style import figure_svg, new_axes

WALKS = [(f"c{i}", ("ad web order", "shop buy", "ad web")[i % 3]) for i in range(90)]
STAGES = ["ad", "web", "order"]


def _texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_funnel_bars_are_the_conversion_shares(make_log):
    """One bar a stage, as long as its share, with its count written beside; nothing is open."""
    axes = plot_funnel(measure_funnel(make_log(WALKS), STAGES))
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([1, 1, 0.5])
    assert _texts(axes)[-1] == "50.0%  (30)"
    assert len(axes.collections) == 1  # the intervals
    assert axes.get_title(loc="right") == ""
    assert figure_svg(axes).startswith("<svg")


def test_stages_of_few_have_no_bar(make_log):
    """Of 60, 60 and 30 journeys the last are too few when 31 are asked for; none is a number."""
    log = make_log(WALKS)
    axes = plot_funnel(measure_funnel(log, STAGES), min_cell=31)
    assert _texts(axes) == ["100.0%  (60)", "100.0%  (60)", "fewer than 31 customers"]
    assert np.isnan(axes.patches[2].get_width())
    assert "(30)" not in figure_svg(axes)
    assert _texts(plot_funnel(measure_funnel(log, ["ad", "shop"])))[1] == "0.0%  (0)"


def test_open_journeys_are_a_pale_piece(make_log):
    """The piece begins where the share ends; its meaning is written above."""
    axes = plot_funnel(measure_funnel(make_log(WALKS, start="2024-12-30"), STAGES))
    pale = axes.patches[:3]
    assert [bar.get_x() for bar in pale] == pytest.approx([1, 1, 0.5])
    assert [bar.get_width() for bar in pale] == pytest.approx([0, 0, 0.5])
    assert axes.get_title(loc="right") == "pale: may still come"
    assert axes.texts[-1].get_position()[0] > 1


@pytest.mark.parametrize(("cause", "ends"), [("converted", [1, 0.5]), ("dropped", [0, 0.5])])
def test_conversion_draws_a_curve_and_a_band_a_step(make_log, cause, ends):
    """Every curve ends at its last share; the axis is in days."""
    curves = time_to_convert(make_log(WALKS), STAGES, horizons=["1d", "40d"]).curves
    axes = plot_conversion(curves, cause=cause)
    assert [line.get_label() for line in axes.lines] == ["ad → web", "web → order"]
    assert [line.get_ydata()[-1] for line in axes.lines] == pytest.approx(ends)
    assert len({line.get_linestyle() for line in axes.lines}) == 2  # told apart in grey
    assert len(axes.collections) == 2
    assert axes.get_xlim() == (0, 40)
    assert axes.get_xlabel() == "days since the journey came to the stage"
    assert figure_svg(axes).startswith("<svg")


def test_comparison_draws_a_point_a_group_and_stage():
    """Points at the shares, stages from above, groups told apart by marker, on the axes given."""
    groups = pd.DataFrame(
        {
            "position": [2, 2, 3, 3],
            "stage": ["web", "web", "order", "order"],
            "group": ["old", "new", "old", "new"],
            "conversion_share": [0.6, 0.7, 0.2, 0.3],
            "conf_low": [0.5, 0.6, 0.1, 0.2],
            "conf_high": [0.7, 0.8, 0.3, 0.4],
        }
    )
    given = new_axes()
    axes = plot_funnel_comparison(groups, ax=given)
    assert axes is given
    points = [bars.lines[0] for bars in axes.containers]
    assert [list(line.get_xdata()) for line in points] == [[0.6, 0.2], [0.7, 0.3]]
    assert [line.get_marker() for line in points] == ["o", "s"]
    assert axes.get_ylim() == (1.5, -0.5)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["web", "order"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["old", "new"]
    assert figure_svg(axes).startswith("<svg")
