"""The map counts journeys by stage and touchpoint, and ends apart from what is open."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError
from cxlib.journeys.service.map import map_journey

ROWS = [
    ("a", "2024-01-01", "ad"),
    ("a", "2024-01-02", "plans"),
    ("a", "2024-01-03", "plans"),
    ("b", "2024-01-01", "plans"),
    ("b", "2024-01-02", "order"),
    ("c", "2024-12-30", "ad"),
    ("c", "2024-12-31", "plans"),
]


def test_map_by_hand(write_log):
    """A journey counts once at a touchpoint; the open one did not end there."""
    table = map_journey(write_log(ROWS), min_cell=1).set_index("touchpoint")
    assert table.index.tolist() == ["ad", "plans", "order"]
    columns = ["n", "n_journeys", "n_over", "n_end"]
    assert table.loc["plans", columns].tolist() == [4, 3, 2, 1]
    assert table.loc["order", columns].tolist() == [1, 1, 1, 1]
    assert table.loc["plans", ["journey_share", "end_share"]].tolist() == [1, 0.5]
    assert table.loc["ad", "end_share"] == 0


def test_small_cells_have_no_share(write_log):
    """Two customers are too few for a share of endings."""
    assert map_journey(write_log(ROWS))["end_share"].isna().all()


def test_every_journey_over_ends_once(samples):
    """The ends add up to the journeys that are over."""
    table = map_journey(samples)
    over = samples.journeys.filter(~samples.journeys["is_open"]).count().to_pandas()
    assert table["n_end"].sum() == over
    assert table["n"].sum() == samples.steps.count().to_pandas()
    assert table["stage"].drop_duplicates().tolist() == [
        "attraction", "awareness", "discovery", "cultivation", "purchase", "use", "advocacy",
    ]  # fmt: skip


def test_stages_come_in_the_order_given(write_log):
    """Stages that are not named follow."""
    table = map_journey(write_log(ROWS), stages=["purchase"])
    assert table["stage"].tolist() == ["purchase", "attraction", "discovery"]


def test_scores_stand_beside(write_log):
    """Known scores are joined; others are empty."""
    scores = pd.DataFrame({"touchpoint": ["plans", "moon"], "score": [4.5, 1]})
    table = map_journey(write_log(ROWS), scores=scores).set_index("touchpoint")
    assert table.loc["plans", "score"] == 4.5
    assert np.isnan(table.loc["ad", "score"])
    assert len(table) == 3


def test_messages(write_log, make_log):
    """No stages, scores without touchpoint, two scores for one."""
    with pytest.raises(InputError, match="The map needs lifecycle stages"):
        map_journey(make_log([("a", "x y")]))
    log = write_log(ROWS)
    with pytest.raises(InputError, match="Column 'score' is missing"):
        map_journey(log, scores=pd.DataFrame({"touchpoint": ["plans"]}))
    double = pd.DataFrame({"touchpoint": ["plans", "plans"], "score": [1, 2]})
    with pytest.raises(InputError, match="'plans' has more than one score"):
        map_journey(log, scores=double)
