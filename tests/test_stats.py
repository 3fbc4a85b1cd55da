"""Tests of the shared statistics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint, proportions_ztest

from cxlib import stats


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (1, 10), (40, 50), (9, 9)])
def test_wilson_interval_equals_statsmodels(hits, n):
    """The referee is an independent implementation."""
    low, high = stats.wilson_interval([hits / n], [n], conf_level=0.9)

    expected = proportion_confint(hits, n, alpha=0.1, method="wilson")
    assert (low[0], high[0]) == pytest.approx(expected, abs=1e-12)


def test_wilson_interval_without_trials_is_everything():
    """No trial tells nothing."""
    low, high = stats.wilson_interval([np.nan], [0])

    assert (low[0], high[0]) == (0, 1)


def test_clustered_size_by_hand():
    """Two customers with (hits, trials) (2, 2) and (0, 2): p = 1/2, variance (1 + 1) / 16."""
    size = stats.clustered_share_size([0.5], [4], [4 + 0], [4 + 0], [4 + 4])

    assert size[0] == pytest.approx(0.25 / (2 / 16))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=30))
def test_clustered_size_never_exceeds_the_rows(clusters):
    """Dependence only takes information away; the interval stays defined."""
    x = np.array([hit for hit, _ in clusters], float)
    y = x + np.array([miss for _, miss in clusters], float)
    n = y.sum()
    if n == 0:
        return
    size = stats.clustered_share_size(x.sum() / n, n, (x * x).sum(), (x * y).sum(), (y * y).sum())

    assert 0 <= size <= n


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [((56, 70, 48, 80), 0.0524, 0.3339), ((9, 10, 3, 10), 0.1705, 0.8090)],
)
def test_difference_intervals_equal_those_published(counts, low, high):
    """Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10."""
    x_b, n_b, x_a, n_a = counts
    ends = stats.share_difference_interval([x_a / n_a], [n_a], [x_b / n_b], [n_b])

    assert np.ravel(ends) == pytest.approx((low, high), abs=5e-5)


def test_shares_of_the_same_trials_do_not_differ():
    """At correlation 1 halves have an interval of no width, and nothing is left to chance."""
    share, size = [0.5, 0.5], [50, 50]
    r = stats.share_correlation(share, size, share, size, [0.25 / 50] * 2)
    assert r == pytest.approx([1, 1])
    assert np.ravel(stats.share_difference_interval(share, size, share, size, r)) == (
        pytest.approx(0, abs=1e-7)
    )
    p_values = stats.share_difference_p_values(
        share, size, [0.5, 0.6], size, [1, 1], pooled=[0.5, 0.55]
    )
    assert p_values.tolist() == [1, 0]
    assert stats.share_correlation([0], [9], [0.5], [9], [0.1]).tolist() == [0]


def test_difference_p_value_equals_statsmodels():
    """Independent shares: the pooled z test."""
    p_value = stats.share_difference_p_values([0.6], [80], [0.8], [70], pooled=[104 / 150])

    assert p_value[0] == pytest.approx(proportions_ztest([48, 56], [80, 70])[1])


def test_adjusted_p_values_equal_statsmodels_and_skip_missing():
    """A missing p-value neither counts nor spreads."""
    p_values = [0.01, np.nan, 0.2, 0.03, 0.04]

    expected = multipletests([0.01, 0.2, 0.03, 0.04], method="fdr_bh")[1]
    result = stats.adjust_p_values(p_values)
    assert np.isnan(result[1])
    assert result[[0, 2, 3, 4]] == pytest.approx(expected)
