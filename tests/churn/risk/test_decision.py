"""Decision curve: by hand, by R, and what it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.churn.risk.decision import find_threshold, find_useful_range, fit_decision_curve
from cxlib.churn.risk.wording import describe_decision
from cxlib.errors import InputError
from tests.churn.risk.test_scores import make_predictions, predict_lung


def at(decision: pd.DataFrame, threshold: float) -> pd.Series:
    """Give the first row from a threshold on."""
    return decision[decision["threshold"] >= threshold - 1e-9].iloc[0]


@pytest.fixture(scope="module")
def two_levels() -> pd.DataFrame:
    """80 of 100 with a prediction of 0.6 leave, and 10 of 100 with one of 0.2."""
    return make_predictions(
        [0.6] * 100 + [0.2] * 100,
        [5] * 80 + [30] * 20 + [5] * 10 + [30] * 90,
        [1] * 80 + [0] * 20 + [1] * 10 + [0] * 90,
    )


def test_net_benefit_by_hand(two_levels: pd.DataFrame) -> None:
    """At q the list acts on the 100 of 0.6: 80/200 - 20/200 q / (1 - q)."""
    row = at(fit_decision_curve(two_levels, horizon_days=30), 0.3)
    odds = row["threshold"] / (1 - row["threshold"])

    assert row["n_acted"] == 100
    assert row["left_acted"] == pytest.approx(0.8)
    assert row["left_spared"] == pytest.approx(0.1)
    assert row["list_benefit"] == pytest.approx(80 / 200 - 20 / 200 * odds)
    assert row["all_benefit"] == pytest.approx(90 / 200 - 110 / 200 * odds)
    assert row["gain"] == pytest.approx(row["list_benefit"] - row["all_benefit"])


def test_interval_of_the_gain_is_the_exact_one_of_the_share_spared(
    two_levels: pd.DataFrame,
) -> None:
    """Acting on all is the better simple way at 0.3; R: binom.test(10, 100)$conf.int."""
    row = at(fit_decision_curve(two_levels, horizon_days=30), 0.3)
    q = row["threshold"]
    spared = np.array([0.1762226, 0.0490047])  # upper end first: it gives the lower gain

    expected = (q - spared) / (1 - q) / 2
    np.testing.assert_allclose(expected, row[["conf_low", "conf_high"]].to_numpy(float), atol=1e-7)
    assert row["p_value"] < 1e-5


def test_lung_equals_r() -> None:
    """reference/risk.R at q = 0.495, the 30th of 60 thresholds up to 0.99; some are censored."""
    row = at(fit_decision_curve(predict_lung(365), horizon_days=365), 0.495)

    assert row["threshold"] == pytest.approx(0.495)
    assert row["list_benefit"] == pytest.approx(0.1707273522, abs=1e-9)
    assert row["all_benefit"] == pytest.approx(0.1896205456, abs=1e-9)


def test_below_all_predictions_the_list_is_everybody(two_levels: pd.DataFrame) -> None:
    """No gain, and nothing to test; above all of them the list is nobody."""
    decision = fit_decision_curve(two_levels, horizon_days=30)

    low = decision[decision["threshold"] < 0.2]
    assert (low["n_acted"] == 200).all()
    assert (low["gain"].abs() < 1e-12).all()
    assert low["p_value"].isna().all()
    high = decision[decision["threshold"] > 0.6]
    assert (high["n_acted"] == 0).all()
    assert (high["list_benefit"] == 0).all()


def test_useful_range_and_its_sentence(two_levels: pd.DataFrame) -> None:
    """From where few enough of those spared leave, to the prediction of those acted on."""
    decision = fit_decision_curve(two_levels, horizon_days=30)
    low, high = find_useful_range(decision)

    assert 0.2 < low < 0.22
    assert 0.58 < high <= 0.6
    told = describe_decision(decision, value_kept=400, success_share=0.25, currency="EUR")
    assert f"between {100 * low:.0f} and {100 * high:.0f} EUR" in told


def test_a_list_without_information_is_of_no_use() -> None:
    """Random predictions: of 60 thresholds, a few would be shown without correction."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        left = rng.random(400) < 0.3
        table = make_predictions(
            rng.random(400).tolist(), np.where(left, 5, 30).tolist(), left.astype(int).tolist()
        )
        decision = fit_decision_curve(table, horizon_days=30)
        assert find_useful_range(decision) is None
        assert describe_decision(decision).startswith("At no cost of acting")


def test_threshold_of_an_action() -> None:
    """15 to keep, one time in four, a customer worth 300."""
    assert find_threshold(action_cost=15, value_kept=300, success_share=0.25) == 0.2
    with pytest.raises(InputError, match="success_share = 25 cannot be"):
        find_threshold(action_cost=15, value_kept=300, success_share=25)
    with pytest.raises(InputError, match="action_cost = 0 cannot be"):
        find_threshold(action_cost=0, value_kept=300, success_share=0.25)
