"""Fine and Gray's model: against R, against rows split by weight, and on the sample company."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.churn.causes.causes import name_causes
from cxlib.churn.causes.fine_gray import fit_cause_hazards
from cxlib.churn.causes.subdistribution import fit_subdistribution, weigh_days
from cxlib.churn.hazard.cox import fit_cox
from cxlib.errors import InputError, TooLittleData


def fit(table: pd.DataFrame, event: int, terms: list[str], **others: np.ndarray) -> np.ndarray:
    """Fit the model of one event; a row of estimates and one of standard errors."""
    n = len(table)
    estimates, covariance = fit_subdistribution(
        others.get("entry", np.full(n, -1.0)),
        others.get("end", table["months"].to_numpy(float)),
        (table["event"] == event).to_numpy(),
        (table["event"] == 3 - event).to_numpy(),
        table[terms],
        clusters=others.get("clusters", np.arange(n)),
    )
    return np.array([estimates, np.sqrt(np.diag(covariance))])


def test_the_weights_of_14_rows_equal_r() -> None:
    """R: finegray(), rows of persons 2, 7 and 11 of survival/tests/finegray.R, see causes.R."""
    end = np.array([1, 2, 3, 4, 4, 4, 5, 5, 6, 8, 8, 9, 10, 12.0])
    ended = np.array([1, 2, 0, 1, 0, 0, 2, 1, 0, 0, 2, 0, 1, 0]) > 0
    late = np.array([0, 0, 0, 3, 2, 0, 0, 1, 0, 7, 5, 0, 0, 0.0])

    def weigh(entry: np.ndarray, since: float, days: list[float]) -> np.ndarray:
        weights = weigh_days(entry, end, ended, np.array([since, *days]))
        return weights[1:] / weights[0]

    first = np.zeros(14)
    np.testing.assert_allclose(weigh(first, 2, [3, 4, 6, 12]), [1, 11 / 12, 11 / 15, 11 / 36])
    np.testing.assert_allclose(weigh(first, 5, [6, 12]), [1, 5 / 12])
    np.testing.assert_allclose(weigh(first, 8, [12]), [1 / 2])
    np.testing.assert_allclose(weigh(late, 2, [4, 5, 12]), [1.125, 0.84375, 0.52734375])
    np.testing.assert_allclose(weigh(late, 5, [12]), [0.625])
    np.testing.assert_allclose(weigh(late, 8, [12]), [0.5])


def test_mgus_equals_r(mgus: pd.DataFrame) -> None:
    """R: finegray(), coxph(..., weights = fgwt, cluster = id); also two people a cluster."""
    expected = [[-0.0173017050751, 0.2597567914001], [0.00570293163538, 0.18563469477098]]
    np.testing.assert_allclose(fit(mgus, 1, ["age", "female"]), expected, rtol=1e-6)
    expected = [[0.058823322028, -0.372315414203], [0.00369753614681, 0.06710420079103]]
    np.testing.assert_allclose(fit(mgus, 2, ["age", "female"]), expected, rtol=1e-6)
    clusters = (mgus["id"] // 2).to_numpy()
    error = fit(mgus, 1, ["age", "female"], clusters=clusters)[1]
    np.testing.assert_allclose(error, [0.00559825533912, 0.18899473715962], rtol=1e-8)


def test_late_entry_equals_r(mgus: pd.DataFrame) -> None:
    """R: mgus2 on the age scale, in months; everybody enters late."""
    start = 12.0 * mgus["age"].to_numpy()
    found = fit(mgus, 1, ["female", "year"], entry=start, end=start + mgus["months"].to_numpy())

    expected = [[0.4727251384554, -0.0849235928183], [0.3299010706441, 0.0222230292854]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_without_ties_estimates_equal_crr() -> None:
    """R: cmprsk::crr(time, event, cbind(x, z)), see causes.R; with ties crr is Breslow's."""
    j = np.arange(1, 401)
    table = pd.DataFrame({"x": (j * 31) % 17, "z": j % 2, "event": (j * j) % 7 % 3})
    table["months"] = (j * 173) % 401 + 401 * ((table["x"] + 8 * table["z"]) // 12)

    expected = [-0.0447778819417, -0.3537932660252]
    np.testing.assert_allclose(fit(table, 1, ["x", "z"])[0], expected, rtol=1e-6)


def test_rows_split_by_weight_give_the_same(ties: pd.DataFrame) -> None:
    """The long way: who left for the other cause gets a row for every day, with its weight."""
    entry, end = ties["late"].to_numpy(float), ties["duration_days"].to_numpy(float)
    entry = np.where(entry > 0, entry, -1.0)
    own, other = (ties["event"] == 1).to_numpy(), (ties["event"] == 2).to_numpy()
    design = pd.DataFrame({"b": ties["group"] == "b", "c": ties["group"] == "c"}).astype(float)
    days = np.unique(end[own])
    weights = weigh_days(entry, end, own | other, days)
    rows = [(i, entry[i], end[i], own[i], 1.0) for i in range(len(ties))]
    for i in np.flatnonzero(other):
        first = weigh_days(entry, end, own | other, end[i : i + 1])[0]
        later = [j for j, day in enumerate(days) if day > end[i]]
        rows += [(i, days[j] - 0.5, days[j], False, weights[j] / first) for j in later]
    who, start, stop, churned, weight = map(np.array, zip(*rows, strict=True))
    slow = fit_cox(start, stop, churned, design.iloc[who], weights=weight, clusters=who)
    fast = fit_subdistribution(entry, end, own, other, design, clusters=np.arange(len(ties)))

    np.testing.assert_allclose(fast[0], slow.estimates, rtol=1e-8)
    np.testing.assert_allclose(fast[1], slow.covariance, rtol=1e-8)


def test_nothing_that_competes_is_cox(mgus: pd.DataFrame) -> None:
    """Without ends for other causes the weights are not used."""
    alone = mgus.assign(event=mgus["event"].replace(2, 0))
    cox = fit_cox(
        np.full(len(mgus), -1.0),
        mgus["months"].to_numpy(float),
        (mgus["event"] == 1).to_numpy(),
        mgus[["age", "female"]],
        clusters=np.arange(len(mgus)),
    )
    found = fit(alone, 1, ["age", "female"])
    np.testing.assert_allclose(found, [cox.estimates, np.sqrt(np.diag(cox.covariance))], rtol=1e-8)


def test_both_methods_stand_side_by_side(mgus: pd.DataFrame) -> None:
    """Age: no lower rate of malignancy, but a smaller share, since more of the old die of else.

    R: coxph(Surv(months, event == 1) ~ age + female)  .01303857 (.008258686), .02513779.
    """
    found = fit_cause_hazards(mgus, covariates=["age", "female"])
    table = found.table.set_index(["cause", "method", "term"])

    assert len(table) == 8
    assert found.not_fitted.empty
    rate, share = (
        table.loc[("malignancy", method, "age")] for method in ("cause-specific", "subdistribution")
    )
    np.testing.assert_allclose(
        rate[["estimate", "std_error"]].to_list(), [0.01303857, 0.008258686], rtol=1e-6
    )
    assert share["hazard_ratio"] == pytest.approx(np.exp(-0.0173017050751), abs=1e-8)
    assert share["conf_high"] < 1 < rate["conf_high"]
    assert rate["n_churned"] == 115
    assert (table["q_value"] >= table["p_value"]).all()


def test_the_sample_company_is_recovered(samples_first: pd.DataFrame) -> None:
    """Planted: shared households cancel 1.5 times as often; nothing moves payment failure."""
    causes = name_causes(samples_first).table
    table = fit_cause_hazards(causes, covariates=["household"]).table
    table = table.set_index(["cause", "method", "term"])

    shared = table.loc[("cancelled", "cause-specific", "household[shared]")]
    assert shared["conf_low"] < 1.5 < shared["conf_high"]
    assert shared["q_value"] < 0.01
    assert table.loc[("cancelled", "subdistribution", "household[shared]"), "q_value"] < 0.05
    assert (table.loc["payment_failure", "q_value"] > 0.05).all()


def test_causes_without_a_model_are_named(mgus: pd.DataFrame) -> None:
    """Too few ends, and too few for the terms; when all fail the reasons are told."""
    rare = mgus.assign(cause=mgus["cause"].mask(mgus["churned"] & (mgus["id"] < 9), "rare"))
    found = fit_cause_hazards(rare, covariates=["age"])
    assert found.not_fitted.to_dict("records") == [
        {"cause": "rare", "n_churned": 8, "why": "fewer than 10 customers left for it"}
    ]
    few = mgus[mgus["id"] < 14]
    with pytest.raises(TooLittleData, match=r"No cause has a model\. death: "):
        fit_cause_hazards(few, covariates=["age", "female"])


def test_lifetimes_of_several_rows_are_refused(mgus: pd.DataFrame) -> None:
    """Values that change have no meaning after the end."""
    long = mgus[mgus["months"] > 5].assign(spell=1, entry_days=0)
    before = long.assign(duration_days=5, churned=False, cause=None)
    with pytest.raises(InputError) as refused:
        fit_cause_hazards(pd.concat([before, long.assign(entry_days=5)]), covariates=["age"])
    assert "Some lifetimes have several rows, with values that change" in str(refused.value)
    assert "give the values of the first day, one row a lifetime" in str(refused.value)


def test_a_hole_in_observation_is_too_little_data(mgus: pd.DataFrame) -> None:
    """Who left before it cannot be weighed after it."""
    months = mgus["months"].to_numpy(float)
    late = np.where(months > 100, 100.0, -1.0)
    end = np.where((months > 90) & (months <= 100), 90.0, months)
    with pytest.raises(TooLittleData, match="Nobody is under observation all through"):
        fit(mgus, 1, ["age"], entry=late, end=end)
