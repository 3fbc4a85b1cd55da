"""Comparison of groups and periods: hand computation, correction, refusals."""

from __future__ import annotations

from dataclasses import replace

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.errors import InputError, TooLittleData
from cxlib.journeys import (
    add_groups,
    add_journeys,
    compare_positions,
    compare_transitions,
)


@pytest.fixture
def make_grouped(make_events):
    """Return a function that stores one journey of two steps per (group, next touchpoint)."""

    def make(walks):
        rows = []
        for i, (group, name) in enumerate(walks):
            rows += [(f"c{i}", "2024-01-01", "web", group), (f"c{i}", "2024-01-02", name, group)]
        log = add_journeys(make_events(rows, "segment"), as_of="2024-12-31")
        return add_groups(log, by="segment")

    return make


def test_independent_customers_give_the_textbook_test(make_grouped):
    """With one journey a customer: the pooled z test and Newcombe's published interval."""
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, example (a), method 10:
    # 56/70 against 48/80 is .0524 to .3339
    walks = [("a", "chat")] * 48 + [("a", "order")] * 32 + [("b", "chat")] * 56
    walks += [("b", "order")] * 14
    table = compare_transitions(make_grouped(walks)).set_index(["from_touchpoint", "to_touchpoint"])
    row = table.loc[("web", "chat")]
    pooled = 104 / 150
    z = 0.2 / np.sqrt(pooled * (1 - pooled) * (1 / 70 + 1 / 80))
    assert row["difference"] == pytest.approx(0.2)
    assert row["p_value"] == pytest.approx(2 * stats.norm.sf(z))
    assert [row["conf_low"], row["conf_high"]] == pytest.approx([0.0524, 0.3339], abs=5e-5)
    assert (row["n_a"], row["n_b"], row["group_a"], row["group_b"]) == (48, 56, "a", "b")
    assert (table["q_value"] >= table["p_value"]).all()


def test_each_of_several_groups_is_compared_with_the_others(make_grouped):
    """Three groups give three contrasts; a pair expected too rarely is not tested."""
    walks = [(group, name) for group in "abc" for name in ["chat"] * 20 + ["order"] * 20]
    table = compare_transitions(make_grouped([*walks, ("a", "rare")]))
    assert set(table["group_a"]) == {"(others)"}
    assert set(table["group_b"]) == {"a", "b", "c"}
    assert "rare" not in set(table["to_touchpoint"])
    assert (table["q_value"] > 0.5).all()


def test_repeating_every_customer_does_not_sharpen_a_difference(make_events):
    """Journeys of one customer are no new evidence: the interval hardly moves."""
    widths = []
    for times in (1, 4):
        rows = []
        for i in range(80):
            group, name = ("a", "b")[i % 2], ("chat", "order")[i % 3 > 0]
            for month in range(1, times + 1):
                rows.append((f"c{i}", f"2024-{2 * month:02d}-01", "web", group))
                rows.append((f"c{i}", f"2024-{2 * month:02d}-02", name, group))
        log = add_journeys(make_events(rows, "segment"), as_of="2024-12-31")
        table = compare_transitions(add_groups(log, by="segment"))
        row = table.set_index(["from_touchpoint", "to_touchpoint"]).loc[("web", "chat")]
        widths.append(row["conf_high"] - row["conf_low"])
    assert widths[0] == pytest.approx(widths[1], rel=1e-6)


def test_periods_share_customers(make_events):
    """The same customers before and after: a change that each makes alike is certain."""
    rows = []
    for i in range(40):
        for month, name in ((1, ("chat", "order")[i % 2]), (6, ("chat", "call")[i % 2])):
            rows.append((f"c{i}", f"2024-{month:02d}-01", "web"))
            rows.append((f"c{i}", f"2024-{month:02d}-02", name))
    log = add_journeys(make_events(rows), as_of="2024-12-31")
    grouped = add_groups(log, date="2024-03-01")
    table = compare_transitions(grouped).set_index(["from_touchpoint", "to_touchpoint"])
    assert set(table["group_b"]) == {"from 2024-03-01"}
    assert table.loc[("web", "call"), "q_value"] < 1e-4
    chat = table.loc[("web", "chat")]
    assert chat["difference"] == 0
    # every customer is alike in both periods, so the difference is known without error
    assert [chat["conf_low"], chat["conf_high"]] == pytest.approx([0, 0], abs=1e-12)


def test_attributes_of_customers_make_groups(make_events):
    """A customer without the attribute is in the group (unknown)."""
    log = add_journeys(
        make_events([("a", "2024-01-01", "web"), ("b", "2024-01-01", "web")]), as_of="2024-12-31"
    )
    customers = ibis.memtable(pd.DataFrame({"customer_id": ["a"], "region": ["north"]}))
    grouped = add_groups(log, by="region", customers=customers)
    grouped = grouped.journeys.join(log.customers, "customer").to_pandas()
    assert dict(zip(grouped["customer_id"], grouped["group"], strict=True)) == {
        "a": "north",
        "b": "(unknown)",
    }


def test_bad_comparisons_are_refused(make_grouped):
    """Both or none, an unknown attribute, no date, no groups, groups too small."""
    log = make_grouped([("a", "chat"), ("b", "chat")])
    for by, date in (("", ""), ("segment", "2024-01-01")):
        with pytest.raises(InputError, match="an attribute or a date"):
            add_groups(log, by=by, date=date)
    with pytest.raises(InputError, match="There is no 'segmnt'") as caught:
        add_groups(log, by="segmnt")
    assert "did you mean 'segment'?" in caught.value.fix
    with pytest.raises(InputError, match="'spring' is no date"):
        add_groups(log, date="spring")
    with pytest.raises(InputError, match="There are no groups"):
        compare_transitions(replace(log, journeys=log.journeys.drop("group")))
    with pytest.raises(TooLittleData, match="Fewer than two groups have 10 customers"):
        compare_transitions(log)


def test_places_are_compared_step_by_step(make_grouped):
    """Among journeys with a second step the shares are those of the textbook; step 1 is equal."""
    walks = [("a", "chat")] * 48 + [("a", "order")] * 32 + [("b", "chat")] * 56
    walks += [("b", "order")] * 14
    table = compare_positions(make_grouped(walks)).set_index(["position", "touchpoint"])
    row = table.loc[(2, "chat")]
    assert (row["n_a"], row["n_b"], row["difference"]) == (48, 56, pytest.approx(0.2))
    assert [row["conf_low"], row["conf_high"]] == pytest.approx([0.0524, 0.3339], abs=5e-5)
    assert table["difference"].get((1, "web"), 0) == 0
    assert table.index[0] in {(2, "chat"), (2, "order")}


def test_places_need_enough_journeys(make_grouped):
    """Ten journeys a group at two places each are too few for tests of 10."""
    walks = [(group, name) for group in "ab" for name in ["chat"] * 5 + ["order"] * 5]
    with pytest.raises(TooLittleData, match="expected 30 times"):
        compare_positions(make_grouped(walks * 3), min_cell=30)
