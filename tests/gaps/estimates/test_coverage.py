"""Intervals hold a known truth; the long run is ``python -m benchmarks.gap_coverage``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import stats

from benchmarks.gap_coverage import (
    SURVEYS,
    Survey,
    draw_ratings,
    estimate_once,
    find_truth,
    measure_gap_coverage,
)

LARGE = Survey("large", 30_000, per_customer=2, is_weighted=True)


def test_estimates_of_a_large_survey_are_the_truth():
    """All nine kinds of estimate, with weights, customers who answer twice, items left out."""
    truth = find_truth(LARGE)
    found = list(estimate_once(draw_ratings(np.random.default_rng(0), LARGE)))
    assert [name for name, *_ in found] == list(truth)
    for name, estimate, low, high in found:
        assert high - low < 0.1, name
        assert abs(estimate - truth[name]) < high - low, name  # four standard errors


def test_weights_passed_over_would_be_seen():
    """The unhappy answer less often: unweighted the gap looks smaller than it is."""
    ratings = draw_ratings(np.random.default_rng(0), LARGE)
    equal = replace(ratings, respondents=ratings.respondents.assign(weight=1.0))
    held = {
        name: low <= find_truth(LARGE)[name] <= high for name, _, low, high in estimate_once(equal)
    }
    assert not held["total gap"]
    assert held["difference of groups"]


def test_intervals_hold_the_truth_with_units_customers_and_weights():
    """Of 25 intervals of each kind 95 in 100 do, give or take chance in 1 of 1,000 tests."""
    table = measure_gap_coverage(25, SURVEYS[-1])
    low = stats.binom.ppf(0.0005, 25, 0.95)
    assert len(table) == 9
    assert (table["n_held"] >= low).all(), table[["name", "n_held"]]
