"""Every engine gives the same numbers about service."""

from __future__ import annotations

import ibis
import pandas as pd
import pytest

from cxlib.data import open_workbook
from cxlib.journeys import add_journeys
from cxlib.journeys.service.answering import measure_answers
from cxlib.journeys.service.contacts import count_escalations, count_repeats
from cxlib.journeys.service.handoffs import count_handoffs
from cxlib.journeys.service.identities import join_identities, measure_anonymous
from cxlib.journeys.service.map import map_journey
from cxlib.journeys.service.relationship import measure_loop, measure_sales
from tests.engines import load_frame


@pytest.fixture(scope="module")
def events():
    """Return the contacts of some customers who complain."""
    frame = open_workbook("samples").frame("events")
    frame["_row"] = range(len(frame))
    loud = frame.loc[frame["touchpoint"] == "complaint", "customer_id"].unique()
    few = sorted(loud)[:60] + sorted(set(frame["customer_id"]) - set(loud))[:40]
    names = ["customer_id", "timestamp", "touchpoint", "stage", "channel", "department"]
    kept = frame.loc[frame["customer_id"].isin(few), [*names, "initiated_by", "_row"]]
    return kept.reset_index(drop=True)


def make_tables(con, events: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Make all tables on an engine, the last three customers being aliases."""
    ids = sorted(events["customer_id"].unique())
    known = pd.Timestamp("2024-06-01")
    links = [(ids[-1], ids[0], known), (ids[-2], ids[-1], None), (ids[-3], ids[1], known)]
    links = pd.DataFrame(links, columns=["alias_id", "customer_id", "known_from"])
    joined = join_identities(load_frame(con, events), load_frame(con, links))
    log = add_journeys(joined, as_of="2025-12-31")
    answering = measure_answers(log, asked=["complaint"])
    escalations = count_escalations(log, min_cell=1)
    handoffs = count_handoffs(log, among=["use"])
    sales = measure_sales(log)
    anonymous = measure_anonymous(joined)
    return {
        "by_time": answering.by_time,
        "groups": answering.groups,
        "unanswered": answering.unanswered,
        "repeats": count_repeats(log),
        "escalations": escalations.rates,
        "causes": escalations.causes,
        "moves": handoffs.moves,
        "handed": handoffs.journeys,
        "until": sales.until,
        "evaluation": sales.evaluation,
        "loop": measure_loop(log),
        "map": map_journey(log),
        "anonymous": anonymous.total,
        "anonymous_touchpoints": anonymous.touchpoints,
    }


@pytest.mark.engines
def test_every_engine_gives_the_same_tables(con, events):
    """Waits, rates, the map and joined identities do not depend on the engine."""
    ours = make_tables(con, events)
    for name, table in make_tables(ibis.duckdb.connect(), events).items():
        pd.testing.assert_frame_equal(
            ours[name], table, check_dtype=False, rtol=1e-12, obj=f"table {name}"
        )
