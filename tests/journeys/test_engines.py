"""Every engine gives the same journey tables."""

from __future__ import annotations

import ibis
import pandas as pd
import pytest

from cxlib import journeys
from cxlib.data import open_workbook
from tests.engines import load_frame

STAGES = ["website", "plans_page", "online_order"]


@pytest.fixture(scope="module")
def events():
    """Return the contacts of some customers of the sample company."""
    frame = open_workbook("samples").frame("events")
    frame["_row"] = range(len(frame))
    few = sorted(frame["customer_id"].unique())[:120]
    names = ["customer_id", "timestamp", "touchpoint", "stage", "channel", "_row"]
    return frame.loc[frame["customer_id"].isin(few), names].reset_index(drop=True)


def make_tables(con, events: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Make the tables of the study on an engine."""
    log = journeys.add_journeys(load_frame(con, events), as_of="2025-12-31")
    grouped = journeys.add_groups(log, date="2025-01-01")
    walks = journeys.list_walks(log, goal=STAGES[-1])
    steps = journeys.list_steps(log).to_pandas()
    steps["timestamp"] = steps["timestamp"].astype("datetime64[us]")
    return {
        "steps": steps.sort_values(["customer_id", "journey_id", "step"], ignore_index=True),
        "transitions": journeys.count_transitions(log),
        "channels": journeys.count_transitions(log, by="channel"),
        "positions": journeys.count_positions(log, anchor="plans_page", reach=2),
        "paths": journeys.count_paths(walks),
        "funnel": journeys.measure_funnel(log, STAGES),
        "summary": journeys.summarise_journeys(log),
        "comparison": journeys.compare_transitions(grouped, min_cell=2),
    }


@pytest.mark.engines
def test_every_engine_gives_the_same_tables(con, events):
    """Steps, transitions, paths, funnels and comparisons do not depend on the engine."""
    ours = make_tables(con, events)
    expected = make_tables(ibis.duckdb.connect(), events)
    assert len(ours["steps"]) == len(events)
    for name, table in expected.items():
        pd.testing.assert_frame_equal(
            ours[name], table, check_dtype=False, rtol=1e-12, obj=f"table {name}"
        )


@pytest.mark.engines
def test_the_engine_is_the_one_asked_for(con, request):
    """A marked test runs on each engine, not three times on one."""
    assert con.name in request.node.name
