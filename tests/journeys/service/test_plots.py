"""Figures draw what the tables say."""

from __future__ import annotations

import pandas as pd
import pytest

from cxlib.journeys.service.answering import measure_answers
from cxlib.journeys.service.contacts import count_escalations, count_repeats
from cxlib.journeys.service.handoffs import count_handoffs
from cxlib.journeys.service.map import map_journey
from cxlib.journeys.service.plots import plot_answers, plot_handoffs, plot_map, plot_repeats
from cxlib.style import figure_svg, new_axes


def _texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_answers_rise_to_the_share(samples):
    """A line for all, its band, the target; touchpoints in a legend when there are several."""
    found = measure_answers(samples, asked=["complaint"])
    axes = plot_answers(found.curve, target_days=found.target_days)
    line = axes.lines[0].get_ydata()
    assert line[-1] == pytest.approx(found.by_time["share"].iloc[-1])
    assert axes.lines[0].get_xdata()[-1] == 30
    assert " target: 2 days" in _texts(axes)
    assert axes.get_legend() is None
    both = measure_answers(samples, asked=["complaint", "review"], answered=["complaint_reply"])
    labels = [text.get_text() for text in plot_answers(both.curve).get_legend().get_texts()]
    assert labels == ["all", "review", "complaint"]


def test_repeats_are_dots_with_intervals(samples):
    """A dot and a line a group, highest first within its level, n beside."""
    table = count_repeats(samples)
    axes = plot_repeats(table, ax=new_axes())
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[:5] == ["all", "chat", "web_help", "phone_support", "complaint"]
    assert "by channel" in _texts(axes)
    assert "67%  (n 10,421)" in _texts(axes)
    assert "within 7 days" in axes.get_xlabel()
    assert "within 2 days" in plot_repeats(count_escalations(samples).rates).get_xlabel()


def test_handoffs_are_a_matrix(samples):
    """A row and column a department, a frame where customers stay."""
    axes = plot_handoffs(count_handoffs(samples).moves)
    assert len(axes.get_yticklabels()) == len(axes.get_xticklabels()) == len(axes.patches) == 7
    assert axes.get_xlabel().startswith("next department")
    assert figure_svg(axes).startswith("<svg")


def test_map_has_a_column_a_stage(samples):
    """Bubbles grow with journeys; what is left out is counted; a score stands below its name."""
    table = map_journey(samples)
    axes = plot_map(table)
    assert axes.get_xticklabels()[0].get_text() == "attraction"
    assert len(axes.collections) == table.groupby("stage").head(6).shape[0]
    assert {"+ 4 more", "45%", "plans_page"} <= set(_texts(axes))
    sizes = [bubble.get_sizes()[0] for bubble in axes.collections]
    assert max(sizes) == 1340
    scores = pd.DataFrame({"touchpoint": ["app"], "score": [5.25]})
    scored = plot_map(map_journey(samples, scores=scores))
    assert "app\nscore +5.25" in _texts(scored)
    assert scored.get_xlabel().endswith("below the name: score")
    assert figure_svg(scored).startswith("<svg")
