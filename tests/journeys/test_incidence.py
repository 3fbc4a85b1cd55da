"""Cumulative incidence: exact, clustered, and equal to what others compute."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.journeys.incidence import (
    Waits,
    estimate_incidence,
    find_influence,
    find_quantiles,
)


def _random(seed: int, n: int, n_customers: int, n_times: int) -> Waits:
    rng = np.random.default_rng(seed)
    return Waits(
        rng.integers(0, n_times, n), rng.integers(0, 3, n), rng.integers(0, n_customers, n)
    )


def _share(waits: Waits, cause: int, weights: np.ndarray) -> np.ndarray:
    """Aalen-Johansen with weights, time by time, as the formula is written."""
    share, waiting, found = 0.0, 1.0, []
    for time in np.unique(waits.time):
        at_risk = weights[waits.time >= time].sum()
        now = waits.time == time
        share += waiting * weights[now & (waits.cause == cause)].sum() / at_risk
        waiting *= 1 - weights[now & (waits.cause > 0)].sum() / at_risk
        found.append(share)
    return np.array(found)


def test_five_waits_by_hand():
    """One ends by cause 1, one by 2, one is censored, then one by 1; the last goes on."""
    waits = Waits(np.array([2, 3, 4, 5, 6]), np.array([1, 2, 0, 1, 0]), np.arange(5))
    one, two = (estimate_incidence(waits, cause=cause) for cause in (1, 2))
    # S before: 1, 4/5, 3/5, 3/5; at risk 5, 4, 3, 2; so 1/5 and 3/5 * 1/2
    assert one["time"].tolist() == [0, 2, 3, 4, 5, 6]
    assert one["share"].tolist() == pytest.approx([0, 0.2, 0.2, 0.2, 0.5, 0.5])
    assert two["share"].tolist() == pytest.approx([0, 0, 0.2, 0.2, 0.2, 0.2])
    assert one["waiting_share"].tolist() == pytest.approx([1, 0.8, 0.6, 0.6, 0.3, 0.3])
    assert one["n_at_risk"].tolist() == [5, 4, 3, 2, 1, 0]
    # at the first time a plain share: 0.2 * 0.8 / 5
    assert one["std_error"].iloc[1] == pytest.approx(np.sqrt(0.032))
    theta = np.sqrt(0.032) / (0.8 * -np.log(0.8))
    expected = [1 - 0.8 ** np.exp(-1.959964 * theta), 1 - 0.8 ** np.exp(1.959964 * theta)]
    assert one.loc[1, ["conf_low", "conf_high"]].tolist() == pytest.approx(expected, abs=1e-6)


def test_same_as_lifelines():
    """Without ties the curve is that of AalenJohansenFitter."""
    from lifelines import AalenJohansenFitter

    rng = np.random.default_rng(1)
    waits = Waits(rng.permutation(200) + 1, rng.integers(0, 3, 200), np.arange(200))
    fitter = AalenJohansenFitter(calculate_variance=False)
    for cause in (1, 2):
        found = estimate_incidence(waits, cause=cause)
        fitter.fit(waits.time, waits.cause, event_of_interest=cause)
        expected = fitter.cumulative_density_.iloc[:, 0]
        assert found["share"].to_numpy() == pytest.approx(expected.loc[found["time"]].to_numpy())


def test_same_as_statsmodels():
    """With ties too the curve is that of CumIncidenceRight; the errors are close to its own."""
    from statsmodels.duration.survfunc import CumIncidenceRight

    rng = np.random.default_rng(2)
    waits = Waits(rng.integers(1, 40, 500), rng.integers(0, 3, 500), np.arange(500))
    other = CumIncidenceRight(waits.time.astype(float), waits.cause)
    for cause in (1, 2):
        found = estimate_incidence(waits, cause=cause).set_index("time").loc[other.times]
        assert found["share"].to_numpy() == pytest.approx(other.cinc[cause - 1])
        ratio = found["std_error"].to_numpy() / other.cinc_se[cause - 1]
        assert ratio == pytest.approx(np.ones(len(ratio)), abs=0.05)


@pytest.mark.parametrize("seed", range(6))
def test_variance_is_the_sum_of_squared_influence(seed):
    """At every time, with ties, against derivatives by small changes of the weights."""
    waits = _random(seed, 30, 8, 12)
    same = np.ones(30)
    step = 1e-6 * np.eye(30)
    for cause in (1, 2):
        influence = np.array(
            [
                (_share(waits, cause, same + one) - _share(waits, cause, same - one)) / 2e-6
                for one in step
            ]
        )
        customers = [influence[waits.customer == c].sum(axis=0) for c in np.unique(waits.customer)]
        variance = (np.array(customers) ** 2).sum(axis=0)
        share = _share(waits, cause, same)
        # no less than that of independent waits
        expected = np.sqrt(np.maximum(variance, (influence**2).sum(axis=0)))
        found = estimate_incidence(waits, cause=cause).tail(len(share))
        assert found["share"].to_numpy() == pytest.approx(share)
        assert found["std_error"].to_numpy() == pytest.approx(expected, abs=1e-6)
        last, each = find_influence(waits, cause=cause)
        assert last == pytest.approx(share[-1])
        assert each == pytest.approx(influence[:, -1], abs=1e-6)


def test_without_censoring_it_is_the_plain_share():
    """Then the variance is that of a share too."""
    rng = np.random.default_rng(3)
    waits = Waits(rng.integers(0, 50, 400), rng.integers(1, 3, 400), np.arange(400))
    found = estimate_incidence(waits)
    plain = [(waits.cause[waits.time <= time] == 1).sum() / 400 for time in found["time"]]
    assert found["share"].tolist() == pytest.approx(plain)
    expected = np.sqrt(found["share"] * (1 - found["share"]) / 400)
    assert found["std_error"].to_numpy() == pytest.approx(expected.to_numpy())


def test_order_of_rows_and_copies_of_customers_change_nothing():
    """Shuffled rows give equal bits; waits counted twice in a customer add no information."""
    waits = _random(4, 80, 20, 30)
    alike = np.argsort(np.argsort(waits.time, kind="stable")) // 4
    waits = Waits(waits.time, waits.cause, alike)
    order = np.random.default_rng(0).permutation(80)
    shuffled = Waits(waits.time[order], waits.cause[order], waits.customer[order])
    twice = Waits(*[np.repeat(part, 2) for part in (waits.time, waits.cause, waits.customer)])
    found = estimate_incidence(waits)
    assert estimate_incidence(shuffled).equals(found)
    double = estimate_incidence(twice)
    assert double["share"].to_numpy() == pytest.approx(found["share"].to_numpy())
    alone = estimate_incidence(Waits(waits.time, waits.cause, np.arange(80)))
    is_clustered = found["std_error"] > alone["std_error"] * 1.005
    assert is_clustered.sum() > 10
    errors = [table.loc[is_clustered, "std_error"].to_numpy() for table in (found, double)]
    assert errors[0] == pytest.approx(errors[1])


def test_none_and_all_have_exact_intervals():
    """0 of 10 and 10 of 10: Clopper-Pearson, of customers; few customers say little."""
    times, all_came = np.arange(1, 11), np.ones(10, dtype=int)
    none = estimate_incidence(Waits(times, all_came, np.arange(10)), cause=2).iloc[-1]
    assert [none["conf_low"], none["conf_high"]] == pytest.approx([0, 1 - 0.025**0.1])
    sure = estimate_incidence(Waits(times, all_came, np.arange(10))).iloc[-1]
    assert [sure["conf_low"], sure["conf_high"]] == pytest.approx([0.025**0.1, 1])
    few = estimate_incidence(Waits(times, all_came, np.arange(10) // 5)).iloc[-1]
    assert few["conf_low"] == pytest.approx(0.025**0.5)


def test_curves_are_not_extended():
    """After the last wait a share is known only when nobody waits any more."""
    times = np.array([0, 1, 9])
    over = estimate_incidence(Waits(np.array([1, 2]), np.array([1, 2]), np.arange(2)), times=times)
    assert over["share"].tolist() == [0, 0.5, 0.5]
    going_on = estimate_incidence(
        Waits(np.array([1, 2]), np.array([1, 0]), np.arange(2)), times=times
    )
    assert going_on["share"].tolist()[:2] == [0, 0.5]
    assert going_on.loc[2, ["share", "conf_low", "conf_high"]].isna().all()
    assert going_on["n_at_risk"].tolist() == [2, 1, 0]


def test_quantiles_are_first_times():
    """The share reaches 0.3 at 5, the upper end at 2, the lower end never; no time is made up."""
    curve = pd.DataFrame({"time": [0, 2, 5], "share": [0, 0.2, 0.3]})
    curve = curve.assign(conf_low=[0, 0.1, 0.2], conf_high=[0, 0.3, 0.4])
    found = find_quantiles(curve, [0.1, 0.3])
    assert found.iloc[0].tolist() == [0.1, 2, 2, 2]
    assert found.iloc[1].tolist()[:3] == [0.3, 5, 2]
    assert np.isnan(found.loc[1, "conf_high"])


def test_one_cause_is_kaplan_meier():
    """The error is Greenwood's: S times the root of the sum of d / (Y (Y - d))."""
    waits = _random(6, 50, 50, 12)
    waits = Waits(waits.time, np.minimum(waits.cause, 1), np.arange(50))
    found = estimate_incidence(waits, times=np.array([7])).iloc[0]
    survival, greenwood = 1.0, 0.0
    for time in range(8):
        at_risk = (waits.time >= time).sum()
        ended = ((waits.time == time) & (waits.cause == 1)).sum()
        survival *= 1 - ended / at_risk
        greenwood += ended / at_risk / (at_risk - ended)
    assert found["share"] == pytest.approx(1 - survival)
    assert found["std_error"] == pytest.approx(survival * np.sqrt(greenwood))


def test_intervals_hold_the_truth_as_often_as_they_say():
    """300 samples of customers who differ, with censoring: 95 % intervals hold it in 92 to 98 %."""
    rng = np.random.default_rng(5)
    inside = []
    for _ in range(300):
        customer = np.repeat(np.arange(60), rng.integers(1, 6, 60))
        comes = rng.random(len(customer)) < rng.beta(1, 1, 60)[customer]
        wait = np.where(comes, rng.exponential(10, len(customer)), 30)
        seen = rng.uniform(5, 60, len(customer))
        cause = np.where(wait <= seen, np.where(comes, 1, 2), 0)
        waits = Waits((np.minimum(wait, seen) * 1e6).astype(int), cause, customer)
        row = estimate_incidence(waits, times=np.array([12_000_000])).iloc[0]
        inside.append(row["conf_low"] <= 0.5 * (1 - np.exp(-1.2)) <= row["conf_high"])
    assert 0.92 <= np.mean(inside) <= 0.98


def test_a_share_of_one_after_censoring_keeps_the_end_before():
    """50 of 100 end early, 49 are censored, the last one ends: no more is known than before."""
    time = np.concatenate([np.arange(1, 51), np.full(49, 60), [70]])
    waits = Waits(time, (np.arange(100) < 50).astype(int), np.arange(100))
    waits.cause[-1] = 1
    table = estimate_incidence(waits).set_index("time")
    assert table.loc[70, "share"] == pytest.approx(1)
    assert table.loc[70, "conf_low"] == pytest.approx(table.loc[50, "conf_low"])
    assert table.loc[50, "conf_low"] < 0.42
    known = estimate_incidence(Waits(time, np.ones(100, dtype=int), np.arange(100)))
    assert known["conf_low"].iloc[-1] == pytest.approx(0.025 ** (1 / 100))
