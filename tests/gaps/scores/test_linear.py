"""Variances equal the shared estimator, R's survey package, and hand computation."""

from __future__ import annotations

import numpy as np
import pytest

from cxlib.gaps.means import estimate_means
from cxlib.gaps.scores.linear import covary, estimate_mean

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("kinds", [0, 1, 2])
def test_standard_error_equals_that_of_the_gaps(kinds):
    """Scores and gaps share one definition: weighted, with none, one or two kinds of clusters."""
    values, weights = RNG.normal(5, 2, 200), RNG.uniform(0.2, 3, 200)
    values[:20] = np.nan
    clusters = [RNG.integers(0, 40, 200), RNG.integers(0, 12, 200)][:kinds]
    ours = estimate_mean(values, weights, clusters=clusters)
    row = estimate_means(values[:, None], weights=weights, clusters=clusters).iloc[0]
    assert (ours.n, ours.degrees) == (row["n"], row["degrees"])
    assert pytest.approx((row["mean"], row["std_error"]), rel=1e-9) == (ours.mean, ours.std_error)


def test_effective_size_without_weights_and_clusters_is_n():
    """A simple random sample is worth itself, whatever the answers."""
    assert estimate_mean(RNG.normal(0, 1, 57), np.ones(57)).n_effective == pytest.approx(57)


def test_clusters_answering_as_one_are_worth_their_number():
    """Twenty customers, five equal answers each: worth 20, and degrees 19."""
    values, codes = np.repeat(RNG.normal(0, 1, 20), 5), np.repeat(np.arange(20), 5)
    mean = estimate_mean(values, np.ones(100), clusters=[codes])
    # (99 / 100) / (19 / 20): the two corrections for estimating a mean
    assert mean.n_effective == pytest.approx(20 * (100 / 99) * (19 / 20))
    assert mean.degrees == 19
    assert mean.size(0.95) < mean.n_effective


@pytest.mark.parametrize(
    ("values", "n", "size"), [([5.0], 1, 1.0), ([5.0] * 8, 8, 8.0), ([np.nan], 0, 0.0)]
)
def test_nothing_varies(values, n, size):
    """One answer has no standard error; equal answers are worth their weights; nobody nothing."""
    mean = estimate_mean(np.array(values), np.ones(len(values)))
    assert (mean.n, mean.n_effective) == (n, size)
    assert mean.std_error == 0 if n > 1 else np.isnan(mean.std_error)


def test_one_cluster_tells_no_variance():
    """All answers of one unit: no standard error, and worth one."""
    mean = estimate_mean(RNG.normal(0, 1, 30), np.ones(30), clusters=[np.zeros(30, dtype=int)])
    assert np.isnan(mean.std_error)
    assert mean.n_effective == pytest.approx(1)
    assert mean.size(0.95) <= 1


def test_crossed_clusters_never_count_for_less_than_one_kind():
    """Two kinds of clusters: the variance is at least that of either."""
    influence = RNG.normal(0, 1, (60, 2))
    kinds = [np.repeat(np.arange(20), 3), np.tile(np.arange(3), 20)]
    both = np.diag(covary(influence, kinds)[0])
    either = [np.diag(covary(influence, [kind])[0]) for kind in kinds]
    assert (both >= max(either, key=np.sum) - 1e-12).all()
