"""Judging predictions: R's numbers, tables by hand, and what cannot be judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.churn.hazard.baseline import predict_hazard
from cxlib.churn.hazard.hazard import fit_hazard
from cxlib.churn.risk.censoring import read_outcomes
from cxlib.churn.risk.scores import (
    count_predictions,
    score_predictions,
    summarise_calibration,
)
from cxlib.errors import InputError, TooLittleData

REFERENCE = Path(__file__).parent.parent / "reference"


def predict_lung(horizon: float) -> pd.DataFrame:
    """Give Cox predictions (age, sex) for the lung data of R's survival package."""
    lung = pd.read_csv(REFERENCE / "lung.csv")
    table = lung.assign(
        customer_id=lung.index.astype(str), duration_days=lung["time"], churned=lung["status"] == 2
    )
    fit = fit_hazard(table, covariates=["age", "sex"]).fit
    hazard = predict_hazard(fit, table[["age", "sex"]], from_days=-1, to_days=horizon)["hazard"]
    ends = {"time_days": table["time"], "churn_probability": 1 - np.exp(-hazard)}
    return table[["customer_id", "churned"]].assign(**ends)


def estimate(predictions: pd.DataFrame, horizon: float) -> pd.Series:
    """Score without resamples to speak of."""
    table = score_predictions(predictions, horizon_days=horizon, n_resamples=2)
    return table.set_index("metric")["estimate"]


def make_predictions(
    probability: list[float], time: list[float], churned: list[int]
) -> pd.DataFrame:
    """Lay out lists."""
    return pd.DataFrame(
        {
            "customer_id": [str(i) for i in range(len(time))],
            "churn_probability": probability,
            "time_days": time,
            "churned": np.array(churned, dtype=bool),
        }
    )


@pytest.mark.parametrize(
    ("horizon", "expected"), [(180, 0.1916050920), (365, 0.2361421394), (540, 0.1864492847)]
)
def test_brier_score_of_lung_equals_r(horizon: float, expected: float) -> None:
    """R: survival:::brier(coxph(Surv(time, status) ~ age + sex, lung), c(180, 365, 540))."""
    assert estimate(predict_lung(horizon), horizon)["brier"] == pytest.approx(expected, abs=1e-9)


def test_calibration_and_area_of_lung_equal_r() -> None:
    """reference/risk.R: weighted logistic regressions (line, natural spline) and all pairs."""
    found = estimate(predict_lung(365), 365)

    assert found["calibration_slope"] == pytest.approx(0.74816515220, abs=1e-7)
    assert found["observed_expected"] == pytest.approx(1.0047284271, abs=1e-8)
    distances = found[["ici", "e50", "e90"]].to_numpy(float)
    np.testing.assert_allclose([0.03995217675, 0.03579180248, 0.07426969071], distances, atol=1e-7)
    assert found["auc"] == pytest.approx(0.5991227716, abs=1e-9)


def test_censoring_weights_by_hand() -> None:
    """Churn comes before censoring on a day; who is censored on the horizon has stayed.

    Days 1+, 2, 2+, 3, 4+ and five to the end, horizon 4. Chance of not being censored before:
    day 2: 9/10. Day 2 loses one censored of the 8 at risk after the churn: 9/10 x 7/8 before
    day 3, the same before day 4, and 4+ itself comes after.
    """
    table = make_predictions([0.5] * 10, [1, 2, 2, 3, 4] + [9] * 5, [0, 1, 0, 1, 0] + [0] * 5)
    many = pd.concat([table] * 10, ignore_index=True)  # ten who left are wanted
    many["customer_id"] = many.index.astype(str)
    weights = read_outcomes(many, horizon_days=4).weigh()[:10]

    late = 1 / (0.9 * 7 / 8)
    np.testing.assert_allclose([0, 1 / 0.9, 0, late] + [late] * 6, weights)
    assert weights.sum() == pytest.approx(10)


def test_area_by_hand() -> None:
    """Two levels, ten left, ten stayed: 0.7 x 0.6 wins, 0.3 x 0.6 + 0.7 x 0.4 ties, so 0.65."""
    table = make_predictions(
        [0.6] * 7 + [0.2] * 3 + [0.6] * 4 + [0.2] * 6, [5] * 10 + [30] * 10, [1] * 10 + [0] * 10
    )
    found = estimate(table, 30)

    assert found["auc"] == pytest.approx(0.65)
    brier = (7 * 0.16 + 3 * 0.64 + 4 * 0.36 + 6 * 0.04) / 20
    assert found["brier"] == pytest.approx(brier)
    assert found["ipa"] == pytest.approx(1 - brier / 0.25)
    assert found["observed_expected"] == pytest.approx(0.5 / (0.55 * 0.6 + 0.45 * 0.2))
    # at two levels the curve goes through the shares 7/11 and 3/9
    away = [7 / 11 - 0.6, 1 / 3 - 0.2]
    assert found["ici"] == pytest.approx(0.55 * away[0] + 0.45 * away[1])


def test_everybody_told_the_same_gains_nothing() -> None:
    """The marginal share has an index of prediction accuracy of 0, and ranks nobody."""
    table = make_predictions([0.4] * 50, [5] * 20 + [30] * 30, [1] * 20 + [0] * 30)
    found = estimate(table, 30)

    assert found["ipa"] == pytest.approx(0)
    assert found["auc"] == pytest.approx(0.5)
    assert np.isnan(found["calibration_slope"])
    assert found["ici"] == pytest.approx(0, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_weights_add_up_and_order_does_not_matter(seed: int) -> None:
    """The weighted share that left is one less Kaplan-Meier; shuffling changes nothing."""
    rng = np.random.default_rng(seed)
    n = 200
    time = rng.integers(1, 40, n).astype(float)
    table = make_predictions(
        rng.random(n).round(2).tolist(), time.tolist(), (rng.random(n) < 0.6).tolist()
    )
    outcomes = read_outcomes(table, horizon_days=20)
    weights = outcomes.weigh()
    days = np.arange(1, 21)
    at_risk = np.array([(time >= day).sum() for day in days])
    left = np.array([((time == day) & table["churned"]).sum() for day in days])

    assert weights.sum() == pytest.approx(n)
    assert weights @ outcomes.left / n == pytest.approx(1 - np.prod(1 - left / at_risk))
    shuffled = table.sample(frac=1, random_state=seed)
    pd.testing.assert_series_equal(estimate(table, 20), estimate(shuffled, 20))


@pytest.fixture(scope="module")
def sound() -> pd.DataFrame:
    """Draw 3,000 customers who leave just as predicted, some lost on the way."""
    rng = np.random.default_rng(3)
    p = rng.beta(2, 6, 3_000)
    left = np.ceil(100 * np.log1p(-rng.random(3_000)) / np.log1p(-p))
    lost = rng.integers(1, 400, 3_000)
    return make_predictions(
        p.tolist(), np.minimum(left, lost).tolist(), (left <= lost).astype(int).tolist()
    )


def test_sound_predictions_are_found_sound(sound: pd.DataFrame) -> None:
    """Intervals cover the truth: ratio and slope 1, distances 0; and repeat for a seed."""
    table = score_predictions(sound, horizon_days=100, random_state=5)
    again = score_predictions(sound, horizon_days=100, random_state=5)
    found = table.set_index("metric")

    pd.testing.assert_frame_equal(table, again)
    for metric, truth in (("observed_expected", 1), ("calibration_slope", 1), ("ici", 0)):
        assert found.loc[metric, "conf_low"] <= truth <= found.loc[metric, "conf_high"]
    assert found.loc["ipa", "conf_low"] > 0.02
    assert (table["conf_low"] <= table["estimate"]).all()
    assert (table["estimate"] <= table["conf_high"]).all()
    assert found["n_churned"].iloc[0] < found["n"].iloc[0] == 3_000


def test_twice_the_risk_is_found_out(sound: pd.DataFrame) -> None:
    """Predictions twice as high: half of what was expected happens, and the distance is seen."""
    high = sound.assign(churn_probability=np.minimum(2 * sound["churn_probability"], 0.99))
    found = score_predictions(high, horizon_days=100, n_resamples=100).set_index("metric")

    assert found.loc["observed_expected", "conf_high"] < 0.6
    assert found.loc["ici", "conf_low"] > 0.15


def test_bins_hold_equal_numbers_and_cover_the_line(sound: pd.DataFrame) -> None:
    """Ten bins of 300; nine or ten of the intervals hold the mean prediction."""
    bins = summarise_calibration(sound, horizon_days=100)

    assert bins["n"].tolist() == [300] * 10
    assert bins["predicted"].is_monotonic_increasing
    inside = (bins["conf_low"] <= bins["predicted"]) & (bins["predicted"] <= bins["conf_high"])
    assert inside.sum() >= 9


def test_bins_without_censoring_are_shares_with_wilson_intervals() -> None:
    """7 of 11 and 3 of 9, and equal predictions stay together."""
    table = make_predictions(
        [0.6] * 7 + [0.2] * 3 + [0.6] * 4 + [0.2] * 6, [5] * 10 + [30] * 10, [1] * 10 + [0] * 10
    )
    five = pd.concat([table] * 5, ignore_index=True)
    bins = summarise_calibration(five.assign(customer_id=five.index.astype(str)), horizon_days=30)

    assert bins["n"].tolist() == [45, 55]
    np.testing.assert_allclose([3 / 9, 7 / 11], bins["observed"])
    # R: prop.test(35, 55, correct = FALSE)$conf.int
    np.testing.assert_allclose(
        [0.504227615, 0.750694685],
        bins.loc[1, ["conf_low", "conf_high"]].to_numpy(float),
        atol=1e-8,
    )


def test_histogram_counts_everybody(sound: pd.DataFrame) -> None:
    """Bars cover all predictions."""
    bars = count_predictions(sound)

    assert bars["n"].sum() == 3_000
    assert bars["to_probability"].iloc[-1] == sound["churn_probability"].max()


def test_too_few_who_left() -> None:
    """Nine who left are not enough to judge by."""
    table = make_predictions([0.4] * 50, [5] * 9 + [30] * 41, [1] * 9 + [0] * 41)

    with pytest.raises(TooLittleData, match="9 customers left within the 30 days: too few"):
        score_predictions(table, horizon_days=30)


def test_nobody_followed_to_the_horizon() -> None:
    """Who was lost before the horizon has not stayed."""
    table = make_predictions([0.4] * 50, [5] * 20 + [29] * 30, [1] * 20 + [0] * 30)

    with pytest.raises(TooLittleData, match="0 customers are known to have stayed for the 30"):
        score_predictions(table, horizon_days=30)


def test_a_probability_over_one() -> None:
    """The message names the customer."""
    table = make_predictions([1.4] + [0.4] * 49, [5] * 20 + [30] * 30, [1] * 20 + [0] * 30)

    with pytest.raises(InputError, match="1 values of churn_probability cannot be used"):
        score_predictions(table, horizon_days=30)
