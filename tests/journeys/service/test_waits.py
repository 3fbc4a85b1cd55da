"""Curves of waits agree with hand counts, with lifelines and with numeric derivatives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

from cxlib.journeys.log import DAY, find_contacts, find_places
from cxlib.journeys.service.waits import (
    contrast_waits,
    fetch_waits,
    find_quantiles,
    fit_waits,
    list_waits,
)


def _draw(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days = rng.integers(1, 30, n).astype(float)
    over = rng.random(n) < 0.6
    over[days.argmax()] = False  # the curve does not reach the end
    return pd.DataFrame({"customer": np.arange(n), "wait_days": days, "is_over": over})


def test_equals_lifelines():
    """Share and log-log interval are lifelines' when every customer waits once."""
    waits = _draw(200)
    ours = fit_waits(waits)
    fitter = KaplanMeierFitter().fit(waits["wait_days"], waits["is_over"])
    low = 1 - fitter.confidence_interval_.iloc[:, 1]
    high = 1 - fitter.confidence_interval_.iloc[:, 0]
    days = ours["time_days"].iloc[1:]
    assert ours["share"].iloc[1:].to_numpy() == pytest.approx(1 - fitter.predict(days).to_numpy())
    assert ours["conf_low"].iloc[1:].to_numpy() == pytest.approx(low.loc[days].to_numpy())
    assert ours["conf_high"].iloc[1:].to_numpy() == pytest.approx(high.loc[days].to_numpy())
    median = find_quantiles(waits).iloc[0]
    ends = median_survival_times(fitter.confidence_interval_)
    assert median["days"] == fitter.median_survival_time_
    assert sorted(median[["conf_low", "conf_high"]]) == sorted(ends.iloc[0])


def test_waits_of_a_customer_count_as_one():
    """Every wait twice under the same customer changes nothing but the counts."""
    once = _draw(60)
    twice = pd.concat([once, once], ignore_index=True)
    columns = ["share", "conf_low", "conf_high"]
    expected = fit_waits(once, times=[5, 15])[columns]
    pd.testing.assert_frame_equal(fit_waits(twice, times=[5, 15])[columns], expected)
    apart = twice.assign(customer=range(120))
    assert (fit_waits(apart, times=[5, 15])["conf_high"] < expected["conf_high"]).all()


def test_clustered_variance_is_the_sum_of_influences():
    """The error equals what small changes of each customer's weight do to log S."""
    waits = _draw(80).assign(customer=lambda frame: frame["wait_days"].astype(int) // 3)
    row = fit_waits(waits, times=[12]).iloc[0]

    def log_survival(weight: np.ndarray) -> float:
        fitter = KaplanMeierFitter().fit(waits["wait_days"], waits["is_over"], weights=weight)
        return float(np.log(fitter.predict(12)))

    many = np.full(len(waits), 100_000)  # whole numbers, as the fitter wants them
    change = [
        (log_survival(many + (waits["customer"] == customer)) - log_survival(many)) * 100_000
        for customer in waits["customer"].unique()
    ]
    survival = 1 - row["share"]
    factor = np.exp(1.959964 * np.sqrt(np.sum(np.square(change))) / -np.log(survival))
    assert 1 - row["conf_high"] == pytest.approx(survival**factor, rel=1e-3)


def test_ends_without_a_log_scale():
    """None of 10 by now: exact upper end; all of them: the end before is kept."""
    waits = pd.DataFrame({"customer": range(10), "wait_days": [*range(1, 10), 9], "is_over": True})
    table = fit_waits(waits, times=[0, 0.5, 8, 9, 10]).set_index("time_days")
    assert table.loc[0, ["share", "conf_high"]].tolist() == [0, 0]
    assert table.loc[0.5, "conf_high"] == pytest.approx(1 - 0.025 ** (1 / 10))
    assert table.loc[9, ["share", "conf_high"]].tolist() == [1, 1]
    assert table.loc[9, "conf_low"] == table.loc[8, "conf_low"]
    assert 10 not in table.index
    assert table.loc[8, ["n_at_risk", "n_over"]].tolist() == [3, 8]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.booleans()), min_size=1))
def test_shares_rise_inside_their_interval(rows):
    """Shares never fall, lie in their interval, and do not depend on order or labels."""
    waits = pd.DataFrame(rows, columns=["customer", "wait_days", "is_over"])
    table = fit_waits(waits)
    assert table["share"].is_monotonic_increasing
    assert (table["conf_low"] <= table["share"] + 1e-12).all()
    assert (table["share"] <= table["conf_high"] + 1e-12).all()
    other = waits.assign(customer=9 - waits["customer"]).iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(fit_waits(other), table)


def test_contrast_is_the_test_at_a_fixed_time():
    """With one wait a customer the test is Klein's with Greenwood's variances."""
    waits = _draw(150)
    is_in = waits["customer"] % 3 == 0
    scale, variance = [], 0.0
    for side in (waits[is_in], waits[~is_in]):
        fitter = KaplanMeierFitter().fit(side["wait_days"], side["is_over"])
        survival = float(fitter.predict(10))
        scale.append(np.log(-np.log(survival)))
        log_variance = fitter._cumulative_sq_.asof(10)
        variance += log_variance / np.log(survival) ** 2
    expected = 2 * stats.norm.sf(abs(scale[0] - scale[1]) / np.sqrt(variance))
    assert contrast_waits(waits, is_in, time=10) == pytest.approx(expected)
    assert np.isnan(contrast_waits(waits, is_in, time=99))
    assert np.isnan(contrast_waits(waits, waits["customer"] >= 0, time=10))


def test_next_contact_of_the_same_customer(write_log):
    """One reply ends every wait before it, in a later journey too; others' replies do not count."""
    log = write_log(
        [
            ("a", "2024-01-01", "complaint"),
            ("a", "2024-01-03", "complaint"),
            ("a", "2024-03-01", "reply"),
            ("a", "2024-12-31", "complaint"),
            ("b", "2024-01-01", "reply"),
            ("b", "2024-01-02", "complaint"),
        ]
    )
    first, then = (find_contacts(log.contacts, [name])[0] for name in ("complaint", "reply"))
    waits = fetch_waits(list_waits(log, first, then))
    assert waits["wait_days"].tolist() == [60, 365, 58, 1]
    assert waits["is_over"].tolist() == [True, False, True, False]
    short = fetch_waits(list_waits(log, first, then), within_days=59)
    assert short["wait_days"].tolist() == [59, 59, 58, 1]
    assert short["is_over"].tolist() == [False, False, True, False]
    before = list_waits(log, first, then, backwards=True).to_pandas().sort_values("at")
    assert before["wait"].div(DAY).fillna(-1).tolist() == [-1, 1, -1, 305]


def test_ends_only_at_the_same_place(write_log):
    """A company contact of another department does not end the wait; a contact not itself."""
    log = write_log(
        [
            ("a", "2024-01-01", "complaint"),
            ("a", "2024-01-02", "bill"),
            ("a", "2024-01-04", "reply"),
        ]
    )
    first, bill, reply = (
        find_contacts(log.contacts, [n])[0] for n in ("complaint", "bill", "reply")
    )
    same = find_places(log, "department")
    assert fetch_waits(list_waits(log, first, bill + reply))["wait_days"].tolist() == [1]
    waits = fetch_waits(list_waits(log, first, bill + reply, same=same))
    assert waits["wait_days"].tolist() == [3]
    assert not fetch_waits(list_waits(log, first, first))["is_over"].any()


def test_a_side_where_nothing_happened_is_compared_too():
    """None of 50 against 40 of 50 is no missing p-value; none against none is one."""
    waits = pd.DataFrame({"customer": range(100), "wait_days": 1.0, "is_over": False})
    waits.loc[60:99, "is_over"] = True
    waits.loc[~waits["is_over"], "wait_days"] = 9.0
    is_in = waits["customer"] < 50
    expected = proportions_ztest([0, 40], [50, 50])[1]
    assert contrast_waits(waits, is_in, time=5) == pytest.approx(expected)
    assert np.isnan(contrast_waits(waits.assign(is_over=False, wait_days=9.0), is_in, time=5))
