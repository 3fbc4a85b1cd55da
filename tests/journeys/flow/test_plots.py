"""Figures of what follows what draw what the tables say."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

from cxlib.frames import to_table
from cxlib.journeys import (
    add_groups,
    compare_transitions,
    count_flows,
    count_positions,
    count_transitions,
    list_walks,
    plot_comparison,
    plot_flows,
    plot_step_matrix,
    plot_transitions,
)
from cxlib.style import figure_svg

WALKS = [(f"c{i}", ("ad web order", "shop buy", "ad web")[i % 3]) for i in range(90)]


def _texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_transitions_show_shares_in_per_cent(make_log):
    """Rows start with (start); half of what leaves `web` goes to `order`."""
    axes = plot_transitions(count_transitions(make_log(WALKS)))
    rows = [label.get_text() for label in axes.get_yticklabels()]
    columns = [label.get_text() for label in axes.get_xticklabels()]
    assert rows[0] == "(start)"
    assert columns[-1] == "(end)"
    assert "50" in _texts(axes)
    assert (len(rows), len(columns)) == (6, 6)
    assert figure_svg(axes).startswith("<svg")


def test_flows_are_as_high_as_their_share(make_log):
    """Bars of a step add up to what is left of the journeys; there is a band for every flow."""
    flows = count_flows(list_walks(make_log(WALKS)), n_steps=3)
    axes = plot_flows(flows)
    bars = [patch for patch in axes.patches if hasattr(patch, "get_width")]
    second = [bar.get_height() for bar in bars if bar.get_x() == pytest.approx(1.95)]
    assert sorted(second) == pytest.approx([1 / 3, 2 / 3])
    assert len(axes.patches) - len(bars) == len(flows)
    assert "ad 67%" in _texts(axes)


def test_step_matrix_has_a_column_a_step(make_log):
    """Cells are shares in per cent; journeys that are over stand in the last row."""
    axes = plot_step_matrix(count_positions(make_log(WALKS), reach=3))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "3"]
    assert axes.get_yticklabels()[-1].get_text() == "(end)"
    assert "67" in _texts(axes)
    assert axes.get_xlabel() == "step from the start"


def test_comparison_draws_one_point_a_pair(make_log):
    """Points at the differences, drawn on the axes given."""
    log = make_log(WALKS)
    customers = log.customers.to_pandas()[["customer_id"]]
    customers["side"] = ["low" if name < "c5" else "high" for name in customers["customer_id"]]
    grouped = add_groups(log, by="side", customers=to_table(customers, beside=log.steps))
    comparison = compare_transitions(grouped)
    _, axes = plt.subplots()
    assert axes is plot_comparison(comparison, ax=axes)
    points = axes.collections[-1].get_offsets()
    assert points[:, 0].tolist() == pytest.approx(comparison["difference"].head(10).tolist())
    assert "'low' minus 'high'" in axes.get_xlabel()
    plt.close("all")
