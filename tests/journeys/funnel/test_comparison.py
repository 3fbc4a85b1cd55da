"""Funnels of groups: differences with customers as clusters, open journeys censored."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.journeys import add_journeys
from cxlib.journeys.contrast import judge_pairs
from cxlib.journeys.funnel.comparison import _contrast, _summarise, compare_funnels
from cxlib.journeys.funnel.funnel import measure_funnel
from cxlib.journeys.incidence import Waits, cut_waits

STAGES = ["cart", "ship", "pay"]


def _by_name(log):
    """Group journeys by the first letter of the customer's name."""
    named = log.journeys.join(log.customers, "customer")
    named = named.mutate(group=named["customer_id"].left(1)).drop("customer_id")
    return dataclasses.replace(log, journeys=named.cache())


def test_published_interval(make_log):
    """Newcombe (1998), table II: 56 of 70 against 48 of 80 is 0.2 (0.0524 to 0.3339)."""
    walks = [(f"a{i}", "cart pay" if i < 48 else "cart") for i in range(80)]
    walks += [(f"b{i}", "cart pay" if i < 56 else "cart") for i in range(70)]
    found = compare_funnels(_by_name(make_log(walks)), ["cart", "pay"])
    row = found.differences.iloc[0]
    assert row[["group_a", "group_b", "n_a", "n_b", "n_tests"]].tolist() == ["a", "b", 80, 70, 1]
    assert row[["share_a", "share_b", "difference"]].tolist() == pytest.approx([0.6, 0.8, 0.2])
    assert row[["conf_low", "conf_high"]].tolist() == pytest.approx([0.0524, 0.3339], abs=5e-5)
    # z test: 0.2 / sqrt(104/150 * 46/150 * (1/80 + 1/70))
    assert row["p_value"] == pytest.approx(0.008, abs=5e-4)
    assert row["effect_size"] == pytest.approx(0.442, abs=5e-4)


def test_without_open_journeys_shares_are_those_of_the_funnel(make_log):
    """Group by group the same numbers as the funnel of that group alone."""
    paths = ["cart ship pay", "cart ship", "cart", "cart pay", "web"]
    walks = [(f"{'ab'[i % 7 > 3]}{i % 30}", paths[i % 5]) for i in range(300)]
    found = compare_funnels(_by_name(make_log(walks)), STAGES)
    for name, rows in found.groups.groupby("group"):
        alone = measure_funnel(make_log([w for w in walks if w[0][0] == name]), STAGES).iloc[1:]
        assert rows["n_reached"].tolist() == alone["n"].tolist()
        assert rows["conversion_share"].tolist() == pytest.approx(
            alone["conversion_share"].tolist()
        )
        for end in ("conf_low", "conf_high"):
            assert rows[end].tolist() == pytest.approx(alone[end].tolist())
    assert found.groups["position"].tolist() == [2, 2, 3, 3]


def _simulate(rng, change: float) -> list:
    """Draw customers who differ, with journeys in two periods; the late one is partly open."""
    n = rng.poisson(3, 200) + 1
    customer = np.repeat(np.arange(200), n)
    begin = rng.uniform(0, 365, len(customer))
    is_late = begin >= 250
    comes = rng.random(len(customer)) < rng.beta(1, 2, 200)[customer] + change * is_late
    wait = np.where(comes, rng.exponential(10, len(customer)), 30)
    seen = 365 - begin
    cause = np.where(wait <= seen, np.where(comes, 1, 2), 0)
    time = (np.minimum(wait, seen) * 1e6).astype(int)
    return [Waits(time[part], cause[part], customer[part]) for part in (~is_late, is_late)]


def test_equal_periods_differ_as_often_as_they_should():
    """Open journeys and customers in both periods: 5 % of tests reject, and nothing is biased."""
    rng = np.random.default_rng(0)
    tests, plain = [], []
    for _ in range(300):
        parts = _simulate(rng, 0.0)
        tests.append(_contrast(*[_summarise(cut_waits(part, 115_000_000)) for part in parts], 10))
        shares = [np.mean(part.cause == 1) for part in parts]
        plain.append(shares[1] - shares[0])
    table = judge_pairs(pd.DataFrame(tests), [], conf_level=0.95)
    assert 0.02 <= (table["p_value"] <= 0.05).mean() <= 0.08
    assert 0.92 <= ((table["conf_low"] <= 0) & (table["conf_high"] >= 0)).mean() <= 0.98
    assert abs(table["difference"].mean()) < 0.01
    assert np.mean(plain) < -0.02  # what shares of all journeys would have said


def test_a_change_is_found():
    """20 points more in the late period."""
    parts = _simulate(np.random.default_rng(1), 0.2)
    pair = _contrast(*[_summarise(cut_waits(part, 115_000_000)) for part in parts], 10)
    test = judge_pairs(pd.DataFrame([pair]), [], conf_level=0.95).iloc[0]
    assert test["conf_low"] <= 0.2 <= test["conf_high"]
    assert test["p_value"] < 1e-4


def test_same_customers_in_both_groups_are_no_evidence_twice(make_log):
    """Customers who always do the same leave no difference between their journeys."""
    log = make_log((f"c{i % 40}", "cart pay" if i % 2 else "cart") for i in range(80))
    is_first = log.journeys["source_id"] < "j00040"
    both = log.journeys.mutate(group=is_first.ifelse("a", "b"))
    row = compare_funnels(dataclasses.replace(log, journeys=both), ["cart", "pay"]).differences
    assert row["difference"].tolist() == [0]
    assert row[["conf_low", "conf_high"]].to_numpy() == pytest.approx(0, abs=1e-6)


def test_more_groups_are_compared_with_all_others(make_log):
    """Each group is b once; small groups take no part; stages too rare are not tested."""
    walks = [(f"{'abc'[i % 3]}{i}", "cart ship" if i % 3 else "cart") for i in range(120)]
    found = compare_funnels(_by_name(make_log([*walks, ("x1", "cart ship pay")])), STAGES)
    assert found.differences[["stage", "group_a"]].drop_duplicates().to_numpy().tolist() == [
        ["ship", "(others)"]
    ]
    shares = found.differences.set_index("group_b")[["share_a", "share_b"]]
    assert shares.loc["a"].tolist() == pytest.approx([1, 0])
    assert shares.loc["b"].tolist() == pytest.approx([0.5, 1])
    assert set(found.groups["group"]) == {"a", "b", "c"}
    assert (found.differences["n_tests"] == 3).all()


def test_window_is_common_to_all_groups(make_events):
    """Without `within` as long as the youngest group is observed; with it that time."""
    rows = []
    for i in range(24):
        begin = pd.Timestamp("2024-06-01" if i % 2 else "2024-12-22")
        rows += [(f"{'ba'[i % 2]}{i}", begin.isoformat(), "cart")]
        rows += [(f"{'ba'[i % 2]}{i}", (begin + pd.Timedelta(12, "D")).isoformat(), "pay")] * (
            i % 2
        )
    log = _by_name(add_journeys(make_events(rows), as_of="2024-12-31"))
    found = compare_funnels(log, ["cart", "pay"])
    assert found.horizon_days == 10
    assert found.groups["conversion_share"].tolist() == [0, 0]  # twelve days are too long
    assert found.differences.empty
    later = compare_funnels(log, ["cart", "pay"], within="12d")
    assert later.groups["conversion_share"].tolist() == [1, 0]


def test_bad_requests_are_refused(make_log):
    """No groups, one group, one stage, a bare number."""
    log = make_log([(f"a{i}", "cart pay") for i in range(12)] + [("b1", "cart")])
    with pytest.raises(InputError, match="There are no groups"):
        compare_funnels(log, ["cart", "pay"])
    grouped = _by_name(log)
    with pytest.raises(TooLittleData, match="Fewer than two groups have 10 customers"):
        compare_funnels(grouped, ["cart", "pay"])
    with pytest.raises(TooLittleData, match="one stage has no conversion"):
        compare_funnels(grouped, ["cart"])
    with pytest.raises(InputError, match="within = 7 is not a number with a unit"):
        compare_funnels(grouped, ["cart", "pay"], within=7)
