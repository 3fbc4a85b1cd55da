"""Data that break journey tools: very many touchpoints, one endless journey, nothing but ties."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest

from cxlib import journeys

AS_OF = "2024-12-31"


def make_tables(events: pd.DataFrame) -> dict:
    """Make every table of the journey page."""
    con = ibis.duckdb.connect()
    events = events.assign(timestamp=events["timestamp"].astype("datetime64[us]"))
    log = journeys.add_journeys(con.create_table("events", events), as_of=AS_OF)
    walks = journeys.list_walks(log)
    stages = journeys.default_stages(log)
    kinds = journeys.fit_segments(log, n_resamples=5)
    tables = {
        "transitions": journeys.count_transitions(log),
        "step_matrix": journeys.count_positions(log),
        "flows": journeys.count_flows(walks),
        "funnel": journeys.measure_funnel(log, stages),
        "paths": journeys.count_paths(walks),
        "segments": kinds.segments,
        "assignments": kinds.assignments,
    }
    checks = journeys.reconcile(log, tables)
    assert checks["difference"].eq(0).all(), checks
    return tables | {"summary": journeys.summarise_journeys(log)}


def test_two_thousand_touchpoints():
    """Codes, packed paths and tables stay exact when every path is made of other touchpoints."""
    rng = np.random.default_rng(0)
    n = 20_000
    events = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 2_000, n).astype(str),
            "timestamp": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 300 * 86_400, n), "s"),
            "touchpoint": pd.Series(rng.integers(0, 2_000, n)).map("touchpoint {:04d}".format),
        }
    )
    tables = make_tables(events)
    assert tables["summary"]["n_events"].iloc[0] == n
    assert tables["segments"]["segment"].tolist() == ["all"]
    assert tables["segments"]["verdict"].iloc[0].startswith("no segments here")


def test_one_customer_with_a_million_events():
    """A robot is one journey among many: it sets neither the pace nor the numbers of the others."""
    robot = pd.DataFrame(
        {
            "customer_id": "robot",
            "timestamp": pd.Timestamp("2024-06-01") + pd.to_timedelta(np.arange(1_000_000), "s"),
            "touchpoint": np.array(["ping", "pong", "page"])[np.arange(1_000_000) % 3],
        }
    )
    people = pd.DataFrame(
        [
            (f"c{i}", pd.Timestamp("2024-02-01") + pd.Timedelta(hour, "h"), name)
            for i in range(300)
            for hour, name in enumerate((["web", "order"], ["shop", "till", "shop"])[i % 2])
        ],
        columns=["customer_id", "timestamp", "touchpoint"],
    )
    tables = make_tables(pd.concat([people, robot], ignore_index=True))
    moves = tables["transitions"].set_index(["from_touchpoint", "to_touchpoint"])
    assert tables["summary"]["n_journeys"].iloc[0] == 301
    assert moves.loc[("ping", "pong"), ["n", "n_customers"]].tolist() == [333_333, 1]
    assert moves.loc[("web", "order"), ["n", "n_customers"]].tolist() == [150, 150]
    # a share of one customer is known for one customer only
    assert moves.loc[("ping", "pong"), "conf_low"] < 0.3
    assert len(tables["assignments"]) == 301


def test_nothing_but_ties():
    """When all contacts share one moment, the order is a convention, and its reach is told."""
    names = ["web", "chat", "order"]
    events = pd.DataFrame(
        [(f"c{i}", pd.Timestamp("2024-05-01"), name) for i in range(60) for name in names],
        columns=["customer_id", "timestamp", "touchpoint"],
    ).assign(_row=range(180))
    events["timestamp"] = events["timestamp"].astype("datetime64[us]")
    table = ibis.duckdb.connect().create_table("events", events)
    log, other = (
        journeys.add_journeys(table, as_of=AS_OF, ties=ties) for ties in ("source", "reversed")
    )
    summary = journeys.summarise_journeys(log).iloc[0]
    bounds = journeys.bound_ties(log, other, names).set_index("measure")
    assert summary["tie_share"] == pytest.approx(2 / 3)
    through = bounds.loc["share from 'web' through to 'order'"]
    assert through.tolist() == [1, 0, -1]
