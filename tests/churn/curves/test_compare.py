"""The log-rank test: by hand, against R, with late entry."""

from __future__ import annotations

import lifelines.datasets
import numpy as np
import pandas as pd
import pytest

from cxlib import churn
from cxlib.errors import TooLittleData


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
