"""The predicted hazard: R's numbers (tests/churn/reference/cox.R), late entry, what is unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxlib.churn.hazard.baseline import predict_hazard
from cxlib.churn.hazard.cox import CoxFit, fit_cox
from cxlib.errors import InputError

REFERENCE = Path(__file__).parent.parent / "reference"
PATIENTS = pd.DataFrame({"age": [-10.0, 5.5], "surgery": [0.0, 1.0], "transplant": [1.0, 0.0]})


def fit_heart(terms: list[str], **given: Any) -> CoxFit:
    """Fit survival::heart of R."""
    heart = pd.read_csv(REFERENCE / "heart.csv")
    times = (heart[name].to_numpy(float) for name in ("start", "stop"))
    if given.pop("strata_and_weights", False):
        given["strata"] = heart["surgery"].to_numpy()
        given["weights"] = 1.0 + heart["id"].to_numpy() % 3
    return fit_cox(*times, heart["event"].to_numpy(bool), heart[terms].astype(float), **given)


@pytest.mark.parametrize(
    ("ties", "hazard", "std_error"),
    [
        (
            "efron",
            [[0.216934174481, 0.577972597389, 1.022681183152, 1.485520420377],
             [0.158140455133, 0.421329879553, 0.745513094678, 1.082913173772]],
            [[0.0807745378896, 0.1530925956938, 0.2287187737822, 0.3364547081105],
             [0.064605938441, 0.172549078118, 0.315636253066, 0.477062247016]],
        ),
        (
            "breslow",
            [[0.215304068058, 0.575371160191, 1.019124482841, 1.481729307809],
             [0.157475666847, 0.420832536760, 0.745398398569, 1.083752448055]],
            [[0.0801464077167, 0.1523555574888, 0.2278249372928, 0.3356713365164],
             [0.0643430713443, 0.1723657011690, 0.3156364982032, 0.4775118592224]],
        ),
    ],
)  # fmt: skip
def test_hazard_and_standard_error_with_late_entry_equal_r(
    ties: str, hazard: list, std_error: list
) -> None:
    """R: survfit(coxph(Surv(start, stop, event) ~ ..., heart), patients): cumhaz, std.err."""
    fit = fit_heart(["age", "surgery", "transplant"], ties=ties)
    for i, day in enumerate((30, 90, 365, 1000)):
        found = predict_hazard(fit, PATIENTS, from_days=0, to_days=day)
        np.testing.assert_allclose(found["hazard"], [row[i] for row in hazard], rtol=1e-9)
        np.testing.assert_allclose(found["std_error"], [row[i] for row in std_error], rtol=1e-9)


def test_each_stratum_has_its_own_hazard_as_in_r() -> None:
    """R: survfit of a fit with strata(surgery) and weights, each patient in his stratum."""
    fit = fit_heart(["age", "transplant"], strata_and_weights=True)
    people = PATIENTS[["age", "transplant"]]
    expected = [
        (30, [0.286496555424, 0.102134118868], [0.0731009341581, 0.0594893234213]),
        (90, [0.787342791617, 0.206777316212], [0.1397451782483, 0.0869834217402]),
        (365, [1.233588812463, 0.389416384201], [0.1934232294567, 0.1336301477376]),
    ]
    for day, hazard, std_error in expected:
        found = predict_hazard(fit, people, from_days=0, to_days=day, strata=np.array([0, 1]))
        np.testing.assert_allclose(found["hazard"], hazard, rtol=1e-9)
        np.testing.assert_allclose(found["std_error"], std_error, rtol=1e-9)


def test_stretches_add_up_and_may_differ_by_customer() -> None:
    """The hazard over (30, 365] is that until day 365 less that until day 30."""
    fit = fit_heart(["age", "surgery", "transplant"])
    until = [predict_hazard(fit, PATIENTS, from_days=0, to_days=day) for day in (30, 365)]
    both = predict_hazard(fit, PATIENTS, from_days=[30, 0], to_days=[365, 30])

    np.testing.assert_allclose(both["hazard"][0], (until[1] - until[0])["hazard"][0], rtol=1e-12)
    np.testing.assert_allclose(both.loc[1], until[0].loc[1], rtol=1e-12)


def test_the_standard_error_of_a_stretch_is_its_own() -> None:
    """By hand from the definition, for one covariate: rate^2 (V + (dA x - M)^2 Var b)."""
    fit = fit_heart(["age"])
    days = fit.baseline
    inside = (days["time_days"] > 30) & (days["time_days"] <= 365)
    apart = 4.0 - fit.center[0]
    increment = days.loc[inside, "hazard"].sum()
    slope = increment * apart - fit.baseline_means[inside].sum()
    variance = days.loc[inside, "variance"].sum() + slope**2 * fit.covariance[0, 0]
    found = predict_hazard(fit, pd.DataFrame({"age": [4.0]}), from_days=30, to_days=365)

    ratio = np.exp(apart * fit.estimates[0])
    np.testing.assert_allclose(found["hazard"], ratio * increment, rtol=1e-12)
    np.testing.assert_allclose(found["std_error"], ratio * np.sqrt(variance), rtol=1e-12)


def test_late_entry_does_not_make_customers_stay_longer() -> None:
    """Leaving at 0.5 a year, S(12 months) = e^-0.5 = 0.607; entry ignored in the baseline: 0.75.

    lifelines 0.30.3 (CoxPHFitter with entry_col) says 0.752 here. Every customer is seen for
    twelve months from an age of up to three years on, if still there then.
    """
    rng = np.random.default_rng(11)
    n = 40_000
    x = rng.integers(0, 2, n).astype(float)
    left = rng.exponential(2 * 365.25 * np.exp(-0.5 * x))
    entry = np.floor(rng.uniform(0, 3 * 365.25, n))
    seen = left > entry + 1
    x, left, entry = x[seen], np.ceil(left[seen]), entry[seen]
    end = entry + 365
    churned, duration = left <= end, np.minimum(left, end)
    design = pd.DataFrame({"x": x})
    fit = fit_cox(entry, duration, churned, design)
    one = pd.DataFrame({"x": [0.0]})
    found = predict_hazard(fit, one, from_days=0, to_days=365.25).loc[0]
    ignored = fit_cox(np.full(len(entry), -1.0), duration, churned, design)
    wrong = predict_hazard(ignored, one, from_days=0, to_days=365.25).loc[0, "hazard"]

    survival = np.exp(-found["hazard"])
    assert survival == pytest.approx(0.607, abs=0.02)
    assert abs(survival - np.exp(-0.5)) < 2.5 * survival * found["std_error"]
    assert fit.estimates[0] == pytest.approx(0.5, abs=3 * np.sqrt(fit.covariance[0, 0]))
    assert np.exp(-wrong) > 0.7


def test_what_is_not_known_is_missing() -> None:
    """No hazard after the last day observed, in an unknown stratum, or without a covariate."""
    fit = fit_heart(["age", "transplant"], strata_and_weights=True)
    last = fit.unseen.groupby("stratum")["from_days"].max()
    people = pd.DataFrame({"age": [0, np.nan, 0, 0, 0], "transplant": 0.0}, index=list("abcde"))
    strata, to_days = np.array([0, 0, -1, 0, 1]), [30, 30, 30, last[0] + 1, last[1]]
    found = predict_hazard(fit, people, from_days=0, to_days=to_days, strata=strata)

    assert found.index.tolist() == list("abcde")
    assert found["hazard"].notna().tolist() == [True, False, False, False, True]
    assert found["std_error"].notna().tolist() == [True, False, False, False, True]


def test_nothing_is_said_of_ages_at_which_nobody_was_observed() -> None:
    """Before the first entry, between 6 and 8, and after 9; a stratum has holes of its own."""
    entry = np.array([1, 1, 2, 8, -1, -1.0])
    fit = fit_cox(
        entry,
        np.array([4, 5, 6, 9, 3, 5.0]),
        np.array([True, True, False, False, True, False]),
        pd.DataFrame({"x": [0.0, 1.0, 1.0, 0.0, 1.0, 0.0]}),
        strata=np.array([0, 0, 0, 0, 1, 1]),
        ridge=1,
    )
    one = pd.DataFrame({"x": [0.5]})

    assert fit.unseen.to_numpy().tolist() == [
        [0, -np.inf, 1], [0, 6, 8], [0, 9, np.inf], [1, -np.inf, -1], [1, 5, np.inf],
    ]  # fmt: skip
    cases = [(0, 1, 6, True), (0, 0, 5, False), (0, 5, 7, False), (0, 6, 8, False), (0, 8, 9, True),
             (0, 8, 10, False), (1, -1, 5, True), (1, 0, 6, False)]  # fmt: skip
    for stratum, start, stop, is_known in cases:
        found = predict_hazard(fit, one, from_days=start, to_days=stop, strata=np.array([stratum]))
        assert found["hazard"].notna().tolist() == [is_known], (stratum, start, stop)


def test_columns_of_another_model_are_refused() -> None:
    """Columns in another order would be multiplied with the wrong coefficients."""
    fit = fit_heart(["age", "surgery"])
    with pytest.raises(InputError, match="those of the model \\['age', 'surgery'\\]"):
        predict_hazard(fit, PATIENTS[["surgery", "age"]], from_days=0, to_days=30)
