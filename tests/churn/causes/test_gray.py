"""Gray's test: against R, under late entry, beside the log-rank test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.churn.causes.gray import compare_incidence
from cxlib.churn.curves.compare import compare_groups
from cxlib.errors import TooLittleData


def find(table: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    """Keep the rows with the values wanted."""
    for name, value in wanted.items():
        table = table[table[name] == value]
    return table


def test_ties_and_three_groups_equal_r(ties: pd.DataFrame) -> None:
    """R: cuminc(time, event, group)$Tests of all groups and of each pair, see causes.R."""
    tests = compare_incidence(ties, by="group")
    gray = find(tests, test="Gray").set_index("cause")

    expected = [7.08347944867, 2.33485980500, 5.68296039961, 2.22832586055]
    np.testing.assert_allclose(gray.loc["one", "statistic"], expected, rtol=1e-10)
    expected = [0.0289628957720, 0.126506379372, 0.0171304402155, 0.135500596385]
    np.testing.assert_allclose(gray.loc["one", "p_value"], expected, rtol=1e-10)
    expected = [6.06783207588, 1.50077000268, 5.39692794818, 1.99480151972]
    np.testing.assert_allclose(gray.loc["two", "statistic"], expected, rtol=1e-10)
    assert gray.loc["one", "degrees_of_freedom"].tolist() == [2, 1, 1, 1]
    # survdiff(Surv(time, event == 1) ~ group)$chisq
    overall = find(tests, test="log-rank", cause="one", group_a="all")
    np.testing.assert_allclose(overall["statistic"], 9.78910644743, rtol=1e-10)
    assert overall["n_churned"].tolist() == [(ties["event"] == 1).sum()]


def test_mgus_by_sex_equals_r(mgus: pd.DataFrame) -> None:
    """R: cuminc(months, event, female)$Tests; men die earlier and so have fewer malignancies."""
    overall = find(compare_incidence(mgus, by="female"), group_a="all").set_index(["test", "cause"])

    expected = [11.65125901213, 1.19450782508]
    np.testing.assert_allclose(overall.loc["Gray", "statistic"], expected, rtol=1e-10)
    expected = [0.000641590976408, 0.274422156788]
    np.testing.assert_allclose(overall.loc["Gray", "p_value"], expected, rtol=1e-9)
    log_rank = overall.loc[("log-rank", "malignancy"), "statistic"]
    np.testing.assert_allclose(log_rank, 0.100645496773, rtol=1e-9)


def test_the_log_rank_test_is_that_of_the_curves_with_late_entry(ties: pd.DataFrame) -> None:
    """Other causes censored; the same statistic as `compare_groups`, group by group."""
    late = ties.assign(entry_days=ties["late"])
    ours = find(compare_incidence(late, by="group"), test="log-rank", cause="two")
    theirs = compare_groups(late.assign(churned=late["event"] == 2), by="group")

    np.testing.assert_allclose(ours["statistic"], theirs["statistic"], rtol=1e-10)


def test_one_cause_is_the_log_rank_test_but_for_ties(ties: pd.DataFrame) -> None:
    """With nothing to compete, R = Y / S (1 - F) is Y: the scores of both tests are equal."""
    single = ties.assign(duration_days=ties["duration_days"] + ties["customer_id"] / 1000)
    single = single.assign(cause=np.where(single["churned"], "any", None))
    rows = find(compare_incidence(single, by="group"), group_a="all")["statistic"]

    np.testing.assert_allclose(rows.iloc[0], rows.iloc[1], rtol=0.1)


def test_counts_and_order_change_nothing(ties: pd.DataFrame) -> None:
    """Equal lifetimes may be counted."""
    keys = ["duration_days", "cause", "churned", "group"]
    counts = ties.groupby(keys, dropna=False).size().reset_index(name="n")

    rows = compare_incidence(ties, by="group")
    pd.testing.assert_frame_equal(rows, compare_incidence(counts, by="group"))
    pd.testing.assert_frame_equal(rows, compare_incidence(ties[::-1], by="group"))


def test_chance_finds_differences_at_the_level_of_the_test_under_late_entry() -> None:
    """Equal shares for a, but b leaves at other rates: about 5 of 100 (1,000 runs gave 4.0 to 4.9).

    The log-rank test, which asks for the rate, finds the groups different as it should.
    """
    rng = np.random.default_rng(8)
    found = {"Gray": 0, "log-rank": 0}
    for _ in range(60):
        group, for_a = rng.integers(0, 2, 200), rng.random(200) < 0.5
        days = np.where(for_a, rng.exponential(30, 200), rng.exponential(10 + 60 * group))
        entry = np.where(rng.random(200) < 0.5, np.floor(rng.uniform(0, 15 + 20 * group)), 0)
        censored = rng.uniform(20, 90, 200)
        table = pd.DataFrame(
            {
                "customer_id": np.arange(200),
                "entry_days": entry,
                "duration_days": np.ceil(np.minimum(days, censored)),
                "churned": days <= censored,
                "cause": np.where(days <= censored, np.where(for_a, "a", "b"), None),
                "group": group,
            }
        )
        table = table[table["duration_days"] > table["entry_days"]]
        tests = find(compare_incidence(table, by="group"), cause="a", group_a="all")
        for test, p_value in zip(tests["test"], tests["p_value"], strict=True):
            found[test] += p_value < 0.05

    assert found["Gray"] <= 8
    assert found["log-rank"] > 20


def test_q_values_belong_to_families(ties: pd.DataFrame) -> None:
    """Tests of all groups over the causes, pairs over causes and pairs, test by test."""
    from cxlib.stats import adjust_p_values

    tests = compare_incidence(ties, by="group")
    overall = find(tests, test="Gray", group_a="all")
    np.testing.assert_allclose(overall["q_value"], adjust_p_values(overall["p_value"]))
    pairs = tests[(tests["test"] == "Gray") & (tests["group_a"] != "all")]
    assert len(pairs) == 6
    np.testing.assert_allclose(pairs["q_value"], adjust_p_values(pairs["p_value"]))


def test_a_rare_cause_is_not_tested(ties: pd.DataFrame) -> None:
    """Fewer than ten ends have no test; the other causes have."""
    rare = ties.assign(cause=ties["cause"].mask(ties["churned"] & (ties.index < 8), "rare"))
    tests = compare_incidence(rare, by="group")

    assert find(tests, cause="rare")["p_value"].isna().all()
    assert find(tests, cause="two", group_a="all")["p_value"].notna().all()


def test_one_group_is_too_little_data(ties: pd.DataFrame) -> None:
    """There is nothing to compare."""
    with pytest.raises(TooLittleData, match="fewer than two groups"):
        compare_incidence(ties.assign(group="a"), by="group")
