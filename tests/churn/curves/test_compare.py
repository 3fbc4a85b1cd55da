"""The log-rank test: by hand, against R, with late entry."""

from __future__ import annotations

import lifelines.datasets
import numpy as np
import pandas as pd
import pytest

from cxlib import churn
from cxlib.errors import InputError, TooLittleData


def test_two_groups_by_hand() -> None:
    """O - E of x is 2 - (2/4 + 1/3) = 7/6, the variance 1/4 + 2/9 = 17/36."""
    table = pd.DataFrame(
        {
            "customer_id": list("abcd"),
            "duration_days": [1, 2, 3, 4],
            "churned": True,
            "plan": list("xxyy"),
        }
    )
    result = churn.compare_groups(table, by="plan")

    assert list(result[["group_a", "group_b", "test"]].itertuples(index=False, name=None)) == [
        ("all", "all", "log-rank"),
        ("x", "y", "log-rank"),
    ]
    np.testing.assert_allclose((7 / 6) ** 2 / (17 / 36), result["statistic"])
    assert result["n"].tolist() == [4, 4]


def test_lung_by_sex_equals_r() -> None:
    """R: survdiff(Surv(time, status) ~ sex, lung)  chisq 10.326742, p 0.0013112."""
    lung = lifelines.datasets.load_lung()
    table = pd.DataFrame(
        {
            "customer_id": lung.index,
            "duration_days": lung["time"],
            "churned": lung["status"] == 1,
            "sex": lung["sex"],
        }
    )
    overall = churn.compare_groups(table, by="sex").iloc[0]

    np.testing.assert_allclose(10.326742, overall["statistic"], atol=1e-6)
    np.testing.assert_allclose(0.0013112, overall["p_value"], atol=1e-7)


def test_several_groups_equal_lifelines_and_pairs_are_corrected() -> None:
    """Three groups, two degrees of freedom; q-values cover the three pairs only."""
    from lifelines.statistics import multivariate_logrank_test

    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "customer_id": np.arange(300),
            "duration_days": np.ceil(rng.exponential(30, 300)),
            "churned": rng.random(300) < 0.7,
            "plan": rng.choice(list("abc"), 300),
        }
    )
    result = churn.compare_groups(table, by="plan")
    referee = multivariate_logrank_test(table["duration_days"], table["plan"], table["churned"])

    np.testing.assert_allclose(referee.test_statistic, result["statistic"].iloc[0])
    assert result["degrees_of_freedom"].iloc[0] == 2
    assert result["p_value"].iloc[0] == result["q_value"].iloc[0]
    assert (result["q_value"] >= result["p_value"]).all()
    assert len(result) == 4


def test_late_entry_counts_from_entry() -> None:
    """A lifetime that enters on day 2 is not at risk on day 1: then E of x is 2/3, V is 2/9."""
    table = pd.DataFrame(
        {
            "customer_id": list("abcd"),
            "duration_days": [1, 5, 5, 5],
            "entry_days": [0, 0, 0, 2],
            "churned": [True, False, False, False],
            "plan": ["x", "y", "x", "x"],
        }
    )
    result = churn.compare_groups(table, by="plan")

    np.testing.assert_allclose((1 / 3) ** 2 / (2 / 9), result["statistic"])


def test_chance_finds_differences_at_the_level_of_the_test() -> None:
    """Groups drawn at random differ in about 5 of 100 trials."""
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(200):
        table = pd.DataFrame(
            {
                "customer_id": np.arange(80),
                "duration_days": rng.integers(1, 30, 80),
                "churned": rng.random(80) < 0.7,
                "plan": rng.permuted(np.repeat(["a", "b"], 40)),
            }
        )
        found += churn.compare_groups(table, by="plan")["p_value"].iloc[0] < 0.05

    assert 3 <= found <= 20


def test_one_group_is_too_little_data() -> None:
    """There is nothing to compare."""
    table = pd.DataFrame(
        {"customer_id": ["a"], "duration_days": [3], "churned": [True], "g": ["x"]}
    )
    with pytest.raises(TooLittleData, match="fewer than two groups"):
        churn.compare_groups(table, by="g")


def test_a_pair_never_at_risk_together_has_no_statistic() -> None:
    """Nobody of y was there when somebody of x left, so nothing can be told."""
    table = pd.DataFrame(
        {
            "customer_id": list("abcd"),
            "duration_days": [9, 9, 1, 1],
            "churned": [True, True, False, False],
            "plan": list("xxyy"),
        }
    )

    assert churn.compare_groups(table, by="plan")["p_value"].isna().all()


@pytest.fixture(scope="module")
def lung() -> pd.DataFrame:
    """Give the lung data of R's survival package; late entry made of the age."""
    lung = lifelines.datasets.load_lung()
    late = (lung["age"] - 39).clip(lower=0)
    return pd.DataFrame(
        {
            "customer_id": lung.index.astype(str),
            "duration_days": lung["time"],
            "churned": lung["status"] == 1,
            "sex": lung["sex"],
            "ecog": lung["ph.ecog"],
            "late": late.where(late < lung["time"], 0),
        }
    )


def test_strata_equal_r(lung: pd.DataFrame) -> None:
    """Sex within ecog and ecog within sex.

    R: survdiff(Surv(time, status) ~ sex + strata(ph.ecog), lung)                       10.79505963
       survdiff(Surv(time, status) ~ ph.ecog + strata(sex), subset(lung, ph.ecog < 3))  18.98821851
    """
    sex = churn.compare_groups(lung, by="sex", strata="ecog").iloc[0]
    np.testing.assert_allclose(10.79505963, sex["statistic"], rtol=1e-9)
    assert sex["test"] == "stratified log-rank"
    assert sex["n"] == 227  # one lifetime has no ecog

    scored = lung[lung["ecog"] < 3]
    score = churn.compare_groups(scored, by="ecog", strata="sex").iloc[0]
    np.testing.assert_allclose(18.98821851, score["statistic"], rtol=1e-9)
    assert score["degrees_of_freedom"] == 2


def test_pairs_and_corrections_equal_r(lung: pd.DataFrame) -> None:
    """R: survdiff of the pairs of ph.ecog 0, 1, 2, then p.adjust(p, "BH") and "holm"."""
    scored = lung[lung["ecog"] < 3]
    hochberg = churn.compare_groups(scored, by="ecog")
    holm = churn.compare_groups(scored, by="ecog", correction="holm")

    expected = [18.01209669, 3.45683055, 16.68232815, 8.433446378]
    np.testing.assert_allclose(expected, hochberg["statistic"], rtol=1e-9)
    expected = [0.0629909490513, 0.0001325722207, 0.0055257222867]
    np.testing.assert_allclose(expected, hochberg["q_value"][1:], rtol=1e-8)
    expected = [0.0629909490513, 0.0001325722207, 0.0073676297155]
    np.testing.assert_allclose(expected, holm["q_value"][1:], rtol=1e-8)


def test_late_entry_equals_r(lung: pd.DataFrame) -> None:
    """R: coxph(Surv(entry, time, status) ~ sex, lung, ties = "exact")$score and so on.

    The score test of the conditional likelihood has the hypergeometric variance of the log-rank.
    """
    late = lung.assign(entry_days=lung["late"])
    found = (
        churn.compare_groups(late, by="sex"),
        churn.compare_groups(late[late["ecog"] < 3], by="ecog"),
        churn.compare_groups(late, by="sex", strata="ecog"),
    )
    expected = [9.970703134, 18.80110352, 9.709564208]
    np.testing.assert_allclose([t["statistic"].iloc[0] for t in found], expected, rtol=1e-9)


def test_a_mix_of_strata_makes_no_difference_within_them() -> None:
    """Plan x has more of the region that leaves fast; within regions the plans are equal."""
    rng = np.random.default_rng(9)
    plan = np.repeat(["x", "y"], 2_000)
    fast = rng.random(4_000) < np.where(plan == "x", 0.7, 0.3)
    left = np.ceil(rng.exponential(np.where(fast, 50, 200)))
    table = pd.DataFrame(
        {
            "customer_id": np.arange(4_000),
            "duration_days": np.minimum(left, 150),
            "churned": left <= 150,
            "plan": plan,
            "region": np.where(fast, "fast", "slow"),
        }
    )
    assert churn.compare_groups(table, by="plan")["p_value"].iloc[0] < 1e-9
    assert churn.compare_groups(table, by="plan", strata="region")["p_value"].iloc[0] > 0.01


def test_an_unknown_correction_is_refused(lung: pd.DataFrame) -> None:
    """The message names what there is."""
    with pytest.raises(InputError, match="no correction 'tukey'"):
        churn.compare_groups(lung, by="sex", correction="tukey")


def test_missing_p_values_are_not_counted_by_holm() -> None:
    """Two of three pairs have a test: the smaller p-value counts twice."""
    table = pd.DataFrame(
        {
            "customer_id": np.arange(46),
            "duration_days": [*range(20, 40), *range(30, 50), *[1] * 6],
            "churned": [True] * 40 + [False] * 6,
            "plan": ["a"] * 20 + ["b"] * 20 + ["c"] * 6,
        }
    )
    result = churn.compare_groups(table, by="plan", correction="holm")

    assert result["p_value"].notna().tolist() == [True, True, False, False]
    assert result["q_value"].iloc[1] == result["p_value"].iloc[1]


@pytest.mark.parametrize("days", [0, 5])
def test_everybody_leaving_on_one_day_has_no_test(days: int) -> None:
    """Groups that left together to the last do not differ, and nothing varies."""
    table = pd.DataFrame(
        {
            "customer_id": np.arange(20),
            "duration_days": days,
            "churned": True,
            "plan": np.repeat(["a", "b"], 10),
        }
    )
    assert churn.compare_groups(table, by="plan")["p_value"].isna().all()
