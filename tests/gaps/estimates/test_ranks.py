"""The signed-rank test equals the textbook's, R's and the exact one where that can be had."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cxlib.gaps.estimates.ranks import summarise_ranks

# tests/gaps/reference/estimates.R
ROW = np.arange(24)
CUSTOMER = ROW // 2
GAP = (((ROW * 7) % 5) - 3 + CUSTOMER % 2).astype(float)


def _one(gap: object, **design: object) -> tuple[float, float]:
    row = summarise_ranks(np.asarray(gap, dtype=float)[:, None], **design).iloc[0]
    return row["rank_effect"], row["rank_p_value"]


def test_pratts_test_by_hand():
    """Gaps 0, -1, -2, 3: zero has rank 1, so -2 - 3 + 4 of 9; 6 of 8 signs go as far as 1."""
    effect, p_value = _one([0, -1, -2, 3])
    assert effect == pytest.approx(-1 / 9)
    assert p_value == 1.0  # sums of 2, 3, 4 with signs: 9, 5, 3, 1, and their negatives
    effect, p_value = _one([0, -1, -2, -3])
    assert (effect, p_value) == (-1.0, 0.25)


def test_reference_values_of_r():
    """Without and with clusters, ties and zeros (survey-free R in reference/estimates.R)."""
    assert _one(GAP) == pytest.approx((-0.365517241379, 0.124343060634))
    # twelve customers are few enough for the exact law; its normal approximation is in R
    effect, p_value = _one(GAP, clusters=[CUSTOMER])
    assert effect == pytest.approx(-0.365517241379)
    assert p_value == pytest.approx(0.0897317049985, abs=0.03)
    # the same once more by other customers: enough for the normal law
    twice = np.concatenate([CUSTOMER, CUSTOMER + 12])
    p_value = _one(np.concatenate([GAP, GAP]), clusters=[twice])[1]
    assert p_value == pytest.approx(0.0165085847723)


@given(gap=st.lists(st.integers(-4, 4), min_size=30, max_size=60))
@settings(max_examples=30, deadline=None)
def test_equals_scipys_pratt(gap):
    """SciPy without its continuity correction, where there are enough that are not zero."""
    if np.count_nonzero(gap) < 14:
        return
    expected = stats.wilcoxon(
        np.array(gap, dtype=float), zero_method="pratt", correction=False, method="approx"
    )
    assert _one(gap)[1] == pytest.approx(expected.pvalue)


def test_few_gaps_have_the_exact_p_value():
    """Six gaps of one sign: 2 of 64, as in every table."""
    assert _one([-1, -2, -3, -4, -5, -6])[1] == 2 / 64
    exact = stats.wilcoxon([1, -2, 3, 4, 5, -6, 7, 8], method="exact").pvalue
    assert _one([1, -2, 3, 4, 5, -6, 7, 8])[1] == pytest.approx(exact)


def test_cluster_of_one_each_changes_nothing():
    """Everybody alone is nobody clustered; one grouping twice is that grouping."""
    alone = _one(GAP, clusters=[ROW])
    assert alone == pytest.approx(_one(GAP))
    twice = np.concatenate([CUSTOMER, CUSTOMER + 12])
    gap = np.concatenate([GAP, GAP])
    one, two = _one(gap, clusters=[twice]), _one(gap, clusters=[twice, twice])
    assert two[0] == one[0]
    # the same z, but read off Student's law on 23 degrees of freedom
    z = stats.norm.isf(one[1] / 2)
    assert two[1] == pytest.approx(2 * stats.t.sf(z, 23))


def test_weights_of_two_count_like_two_in_the_ranks():
    """The effect of doubled respondents is that of weight two, but for the width of a place."""
    weighted = _one([-1, -2, 3, 4], weights=np.array([2.0, 2.0, 1.0, 1.0]))[0]
    repeated = _one([-1, -1, -2, -2, 3, 4])[0]
    assert weighted == pytest.approx(repeated, abs=0.03)
    assert _one(GAP, weights=np.full(24, 7.0)) == pytest.approx(_one(GAP))
    assert _one([5, -1, -2], weights=np.array([0.0, 1.0, 1.0])) == _one([-1, -2])


@pytest.mark.parametrize("gap", [[], [0, 0, 0], [np.nan, np.nan]])
def test_nothing_but_zeros_cannot_be_tested(gap):
    """No gap, or none that is not zero."""
    assert np.isnan(_one(gap)).all()


def test_single_cluster_leaves_no_doubt_to_measure():
    """One customer is one sum with two signs: p = 1; crossed with units there is none."""
    assert _one([-1, -2, -3], clusters=[np.zeros(3, dtype=int)])[1] == 1.0
    crossed = [np.zeros(3, dtype=int), np.arange(3)]
    assert np.isnan(_one([-1, -2, -3], clusters=crossed)[1])
