"""Counts by customer: shares, differences and ratios with the right intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from cxlib.journeys.counts import (
    compare_shares,
    estimate_shares,
    find_previous,
)
from cxlib.journeys.walks import letter, read_letters
from cxlib.stats import clustered_share_size, wilson_interval


def _single(x: int, n: int, side: int) -> np.ndarray:
    """Make n customers with one trial each, x of them hits."""
    rows = np.zeros((n, 2, 2), dtype=np.int64)
    rows[:, 0, side] = 1
    rows[:x, 1, side] = 1
    return rows


def _compare(x1: int, n1: int, x0: int, n0: int) -> dict[str, float]:
    rows = np.concatenate([_single(x1, n1, 0), _single(x0, n0, 1)])
    return compare_shares(sparse.csr_array(rows[:, 1]), sparse.csr_array(rows[:, 0]))


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [((56, 70, 48, 80), 0.0524, 0.3339), ((9, 10, 3, 10), 0.1705, 0.8090)],
)
def test_differences_equal_those_published(counts, low, high):
    """Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10."""
    found = _compare(*counts)
    ends = found["difference_low"], found["difference_high"]
    assert ends == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 30), st.integers(1, 30))
def test_ratio_and_difference_agree(x1, n1, x0, n0):
    """The ratio excludes 1 exactly where the difference excludes 0; ends hold the estimate."""
    found = _compare(min(x1, n1), n1, min(x0, n0), n0)
    low, high = found["difference_low"], found["difference_high"]
    assert (found["lift_low"] > 1 + 1e-9) == (low > 1e-9) or abs(low) < 1e-6
    assert (found["lift_high"] < 1 - 1e-9) == (high < -1e-9) or abs(high) < 1e-6
    assert found["lift_low"] <= found["lift"] + 1e-9 or not found["lift"]
    assert -1 <= low <= found["difference"] <= high <= 1


def test_shares_by_customer_are_ratios_over_clusters():
    """Share, size and interval are those of sums taken customer by customer."""
    rng = np.random.default_rng(0)
    trials = rng.integers(1, 6, 50)
    hits = rng.binomial(trials, rng.beta(1, 2, 50))
    row = estimate_shares(sparse.csr_array(hits[:, None]), sparse.csr_array(trials[:, None])).iloc[
        0
    ]
    p = hits.sum() / trials.sum()
    size = clustered_share_size(p, trials.sum(), hits @ hits, hits @ trials, trials @ trials)
    assert row["share"] == pytest.approx(p)
    assert row["size"] == pytest.approx(float(size))
    ends = wilson_interval([p], [size])
    assert row[["conf_low", "conf_high"]].tolist() == pytest.approx(np.concatenate(ends).tolist())


def test_intervals_of_ratios_cover_when_customers_repeat_themselves():
    """Customers on both sides with a leaning of their own: 95 % intervals cover about 95 %."""
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(300):
        leaning = rng.beta(2, 4, 150)
        trials = rng.poisson(2, (150, 2))
        hits = rng.binomial(trials, np.column_stack([leaning, leaning * 0.5]))
        found = compare_shares(sparse.csr_array(hits), sparse.csr_array(trials))
        covered.append(found["lift_low"] <= 2 <= found["lift_high"])
    assert 0.92 <= np.mean(covered) <= 0.985


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=20), min_size=1, max_size=6))
def test_the_last_step_at_a_place_is_found(paths):
    """Equal to a search backwards, and never into another path."""
    codes, path_of = read_letters(["".join(map(letter, path)) for path in paths])
    assert codes.tolist() == [code for path in paths for code in path]
    found = find_previous(path_of, codes)
    expected, begin = [], 0
    for path in paths:
        for at, code in enumerate(path):
            earlier = [begin + i for i in range(at) if path[i] == code]
            expected.append(earlier[-1] if earlier else -1)
        begin += len(path)
    assert found.tolist() == expected
