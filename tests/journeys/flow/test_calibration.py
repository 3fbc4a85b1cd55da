"""The comparison on the samples: a planted change is found, and where nothing changed, nothing."""

from __future__ import annotations

from dataclasses import replace

import ibis
import numpy as np
import pandas as pd
import pytest

from cxlib.data import open_workbook
from cxlib.frames import to_table
from cxlib.journeys import add_groups, add_journeys, compare_transitions


@pytest.fixture(scope="module")
def sample_log():
    """Return the journeys of the sample company."""
    tables = open_workbook("samples")
    return add_journeys(tables.events, as_of=tables.as_of)


def test_planted_change_is_the_surest(sample_log):
    """From the twentieth month on the plans page leads to the sales chat instead of the order."""
    table = compare_transitions(add_groups(sample_log, date="2025-03-01"))
    sure = table[table["q_value"] <= 0.05]
    assert {("plans_page", "live_chat_sales"), ("plans_page", "online_order")} == {
        (row.from_touchpoint, row.to_touchpoint) for row in sure.head(2).itertuples()
    }
    chat = sure[sure["to_touchpoint"] == "live_chat_sales"].iloc[0]
    assert chat["share_a"] == 0
    assert chat["effect_size"] > 0.8


def test_where_nothing_changed_nothing_is_found(sample_log):
    """Journeys dealt to two groups at random: at most 3 of 20 deals show any difference."""
    before = sample_log.journeys.filter(sample_log.journeys["started_at"] < 1_740_787_200_000_000)
    journeys = before.select("journey").to_pandas().sort_values("journey", ignore_index=True)
    found = 0
    for seed in range(20):
        side = np.random.default_rng(seed).integers(0, 2, len(journeys))
        dealt = journeys.assign(group=pd.Series(side).map({0: "a", 1: "b"}))
        grouped = before.join(to_table(dealt, beside=before), "journey").cache()
        table = compare_transitions(replace(sample_log, journeys=grouped))
        found += bool((table["q_value"] <= 0.05).any())
    assert found <= 3


def test_one_process_in_two_periods_does_not_differ():
    """Late contacts may be followed by a move, but not yet by an end; that is no difference."""
    rng = np.random.default_rng(4)
    rows = []
    for customer in range(700):
        at = rng.uniform(0, 30)
        while at < 180:
            rows.append((f"c{customer}", at, "ab"[rng.integers(2)]))
            ends = rng.random() < 0.3
            at += rng.uniform(40, 90) if ends else rng.uniform(0, 28)
    events = pd.DataFrame(rows, columns=["customer_id", "day", "touchpoint"])
    days = pd.to_timedelta(events.pop("day"), unit="D").dt.round("s")
    events["timestamp"] = (pd.Timestamp("2024-01-01") + days).astype("datetime64[us]")
    log = add_journeys(ibis.duckdb.connect().create_table("e", events), as_of="2024-06-28")
    table = compare_transitions(add_groups(log, date="2024-03-30"))
    assert len(table) >= 8
    assert table["q_value"].min() > 0.05
