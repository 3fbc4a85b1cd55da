"""Gaps planted in the sample company are found again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cxlib.data import open_workbook
from cxlib.gaps.estimates.gaps import summarise_gaps
from cxlib.gaps.ratings import select_answers

TRUTH = Path(__file__).parents[3] / "data" / "samples" / "truth.json"


@pytest.fixture(scope="module")
def gaps():
    """Gaps of the latest wave, stages included."""
    tables = open_workbook("samples")
    ratings = select_answers(tables.frame("answers"), tables.frame("items"))
    return summarise_gaps(ratings, touchpoints=tables.frame("touchpoints"))


def test_planted_signs_and_sizes_of_touchpoints(gaps):
    """Installation exceeds, seven fall short, each clearly and by about what was planted."""
    planted = json.loads(TRUTH.read_text())["gaps"]["touchpoints"]
    rows = gaps[gaps["level"].eq("touchpoint")].set_index("name")
    assert set(rows.index) == set(planted)
    for name, truth in planted.items():
        row = rows.loc[name]
        assert (row["gap"] > 0) == (truth["sign"] == "exceeds"), name
        assert row["q_value"] < 0.05, name
        # who answers is a little happier than who was invited
        assert row["gap"] == pytest.approx(truth["on_scale"], abs=0.15), name
        assert row["agreement"] in ("agree", "differ at the top"), name


def test_largest_planted_gap_is_the_lowest_for_sure(gaps):
    """Technician visits, whether by touchpoint or by item."""
    touchpoint = gaps[gaps["level"].eq("touchpoint")].set_index("name")["p_lowest"]
    assert touchpoint.idxmax() == "technician_visit"
    assert touchpoint.max() > 0.99
    items = gaps[gaps["level"].eq("item")].set_index("name")["p_lowest"]
    assert items.idxmax() == "tech_ontime"


def test_stages_come_from_the_touchpoints_table(gaps):
    """Five touchpoints of the stage use are put together."""
    stage = gaps[gaps["level"].eq("stage")].set_index("name")
    assert stage.loc["use", "n_items"] == 10
    assert stage["p_lowest"].idxmax() == "use"
