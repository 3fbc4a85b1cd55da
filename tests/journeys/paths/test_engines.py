"""Every engine gives the same numbers about whole journeys."""

from __future__ import annotations

import ibis
import pandas as pd
import pytest

from cxlib.data import open_workbook
from cxlib.journeys import add_journeys, count_paths, list_walks
from cxlib.journeys.paths.lead_ups import rank_paths
from cxlib.journeys.paths.patterns import keep_journeys
from cxlib.journeys.paths.rework import count_rework
from tests.engines import load_frame

PATTERN = "website > ... > plans_page"


def _make_tables(con, events: pd.DataFrame) -> dict[str, pd.DataFrame]:
    log = add_journeys(load_frame(con, events), as_of="2025-12-31")
    walks = list_walks(log, goal="purchase")
    kept = keep_journeys(log, walks, PATTERN)
    return {
        "lead_ups": rank_paths(walks, min_n=3),
        "kept": count_paths(list_walks(kept)),
        "rework": count_rework(log),
    }


@pytest.mark.engines
def test_every_engine_gives_the_same_tables(con):
    """Lead-ups, journeys kept by a pattern and rework do not depend on the engine."""
    frame = open_workbook("samples").frame("events")
    frame["_row"] = range(len(frame))
    few = sorted(frame["customer_id"].unique())[:120]
    names = ["customer_id", "timestamp", "touchpoint", "stage", "channel", "_row"]
    events = frame.loc[frame["customer_id"].isin(few), names].reset_index(drop=True)
    expected = _make_tables(ibis.duckdb.connect(), events)
    for name, table in _make_tables(con, events).items():
        pd.testing.assert_frame_equal(
            table, expected[name], check_dtype=False, rtol=1e-9, obj=f"table {name}"
        )
