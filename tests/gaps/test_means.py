"""Means with weights and clusters, by hand and against published formulas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cxlib.gaps.means import effective_numbers, estimate_means, respondent_clusters

NAN = np.nan


def test_without_weights_and_clusters_it_is_the_t_test():
    """The paired t-test's standard error, interval and p-value, column by column."""
    values = np.array([[1.0, -2.0], [2.0, NAN], [4.0, 0.5], [3.5, 1.0]])
    found = estimate_means(values, conf_level=0.9)
    for column in range(2):
        known = values[~np.isnan(values[:, column]), column]
        test = stats.ttest_1samp(known, 0.0)
        ends = test.confidence_interval(0.9)
        row = found.iloc[column]
        expected = [len(known), known.mean(), stats.sem(known), len(known) - 1, *ends, test.pvalue]
        np.testing.assert_allclose(row.to_numpy(dtype=float), expected, rtol=1e-12)


def test_weighted_clustered_mean_by_hand():
    """Two shops of two: mean 17/6; shop sums of w e / sum w are -+ 7/36, doubled for 2 of 2."""
    values = np.array([[1.0], [2.0], [3.0], [5.0]])
    weights = np.array([1.0, 2.0, 1.0, 2.0])
    found = estimate_means(values, weights=weights, clusters=[np.array([0, 0, 1, 1])]).iloc[0]
    # residuals: -11/6, 2 * -5/6, 1/6, 2 * 13/6; shops -21/6 and 27/6 - hence / 6
    mean = (1 + 4 + 3 + 10) / 6
    sums = np.array([(1 - mean) + 2 * (2 - mean), (3 - mean) + 2 * (5 - mean)]) / 6
    assert found["mean"] == pytest.approx(3.0)
    assert found["std_error"] == pytest.approx(np.sqrt(2 * (sums**2).sum()))
    assert found["degrees"] == 1


def test_two_kinds_of_clusters_add_up_less_what_they_share():
    """Cameron, Gelbach and Miller: V1 + V2 - V12."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=(60, 1))
    one, two = rng.integers(0, 12, 60), rng.integers(0, 9, 60)
    both = pd.factorize(pd.Series(list(zip(one, two, strict=True))))[0]
    parts = [
        estimate_means(values, clusters=[pd.factorize(codes)[0]])["std_error"][0] ** 2
        for codes in (one, two, both)
    ]
    found = estimate_means(values, clusters=[pd.factorize(one)[0], pd.factorize(two)[0]])
    expected = max(parts[0] + parts[1] - parts[2], parts[0], parts[1])
    assert found["std_error"][0] ** 2 == pytest.approx(expected)


@given(st.lists(st.integers(1, 7), min_size=3, max_size=12), st.integers(2, 4))
def test_weights_are_repeated_rows_for_the_mean(values, times):
    """Only the mean: weights are no claim of more respondents."""
    one = np.array(values, dtype=float)[:, None]
    weights = np.ones(len(values))
    weights[0] = times
    repeated = np.vstack([one, np.repeat(one[:1], times - 1, axis=0)])
    assert estimate_means(one, weights=weights)["mean"][0] == pytest.approx(repeated.mean())
    equal = estimate_means(one, weights=np.full(len(values), 7.0))
    pd.testing.assert_frame_equal(estimate_means(one), equal)


def test_nothing_is_claimed_where_nothing_can_be():
    """One respondent, one cluster, equal values and no value have no interval."""
    values = np.array([[1.0, 3.0, NAN], [NAN, 3.0, NAN]])
    found = estimate_means(values)
    assert found[["conf_low", "p_value"]].isna().all(axis=None)
    assert list(found["n"]) == [1, 2, 0]
    assert found["std_error"].tolist()[1] == 0
    one_shop = estimate_means(np.array([[1.0], [2.0]]), clusters=[np.array([0, 0])])
    assert np.isnan(one_shop["std_error"][0])


def test_respondents_without_weight_do_not_count():
    """A weight of 0 is nobody."""
    found = estimate_means(np.array([[1.0], [2.0], [9.0]]), weights=np.array([1.0, 1.0, 0.0]))
    assert (found["n"][0], found["mean"][0], found["degrees"][0]) == (2, 1.5, 1)


def test_clusters_join_a_customer_and_a_unit():
    """Unknown customers are their own; a kind that joins nobody is left out."""
    respondents = pd.DataFrame(
        {
            "respondent_id": ["a", "b", "c", "c"],
            "customer_id": ["1", "1", None, None],
            "unit": [None, "", "x", "x"],
        }
    )
    customers, units = respondent_clusters(respondents)
    assert list(customers) == [0, 0, 1, 1]
    assert list(units) == [0, 1, 2, 2]
    assert respondent_clusters(respondents.iloc[[0, 2]].drop(columns="unit")) == []


def test_one_unit_is_no_cluster():
    """A survey of one shop is about that shop; of two, it is about shops."""
    respondents = pd.DataFrame({"respondent_id": list("abcd"), "unit": "shop 1"})
    assert respondent_clusters(respondents) == []
    assert len(respondent_clusters(respondents.assign(unit=["1", "1", "2", "2"]))) == 1


def test_one_respondent_with_all_the_weight_is_no_sample():
    """About a mean that is one answer residuals vanish: no interval, not a sharp one."""
    values, weights = np.arange(20.0)[:, None], np.array([1e6] + 19 * [1.0])
    row = estimate_means(values, weights=weights).iloc[0]
    assert row[["std_error", "conf_low", "conf_high", "p_value"]].isna().all()
    assert np.isfinite(estimate_means(values[:2], weights=np.array([2.0, 1.0]))["std_error"][0])
    assert effective_numbers(np.array([[1.0, 1e6, 0.0], [1.0, 1.0, 0.0]])).round(3).tolist() == [
        2.0,
        1.0,
        0.0,
    ]
