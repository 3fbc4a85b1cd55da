"""Differences between parts of the respondents equal R's survey package."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from cxlib.gaps.estimates.design import Design
from cxlib.gaps.estimates.sides import Sides
from cxlib.gaps.means import estimate_means

ROW = np.arange(24)  # tests/gaps/reference/estimates.R
CUSTOMER = ROW // 2
WEIGHT = 1 + (ROW % 3) / 2
GAP = (((ROW * 7) % 5) - 3 + CUSTOMER % 2).astype(float)


def _compare(inside, *, clusters=(), weights=WEIGHT, values=GAP):
    design = Design(np.asarray(weights, dtype=float), list(clusters), 0.95)
    table = Sides(np.asarray(values, dtype=float)[:, None], design).compare(np.asarray(inside))
    return table.iloc[0]


@pytest.mark.parametrize(
    ("inside", "clusters", "mean", "error", "difference", "difference_error"),
    [
        (CUSTOMER % 2 == 1, [CUSTOMER], 0.25, 0.312175757713, 1.527777778, 0.49649),
        (ROW % 2 == 1, [], -0.555555555556, 0.463019076285, -0.08333333333, 0.73598),
        (ROW % 2 == 1, [CUSTOMER], -0.555555555556, 0.463019076285, -0.08333333333, 0.81663),
    ],
)
def test_weighted_differences_equal_rs_survey(
    inside, clusters, mean, error, difference, difference_error
):
    """Customers within groups, nobody clustered, customers on both sides."""
    row = _compare(inside, clusters=clusters)
    assert (row["gap"], row["std_error"]) == pytest.approx((mean, error))
    assert row["difference"] == pytest.approx(difference)
    assert row["difference_error"] == pytest.approx(difference_error, abs=5e-6)


def test_plain_difference_is_welchs_test():
    """No weights, no clusters."""
    inside = GAP * ROW % 3 == 0
    row = _compare(inside, weights=np.ones(24))
    test = stats.ttest_ind(GAP[inside], GAP[~inside], equal_var=False)
    ends = test.confidence_interval(0.95)
    assert row["p_value"] == pytest.approx(test.pvalue)
    assert (row["difference_low"], row["difference_high"]) == pytest.approx((ends.low, ends.high))


@pytest.mark.parametrize("kinds", [0, 1, 2])
def test_means_of_a_part_are_those_of_a_survey_of_it(kinds):
    """Cutting a part out of all sums gives what estimating it alone gives."""
    rng = np.random.default_rng(kinds)
    values = rng.normal(size=(60, 3))
    values[rng.random((60, 3)) < 0.2] = np.nan
    clusters = [rng.integers(0, 20, 60), rng.integers(0, 9, 60)][:kinds]
    clusters = [np.unique(codes, return_inverse=True)[1] for codes in clusters]
    weights, inside = rng.uniform(0, 2, 60), rng.random(60) < 0.4
    table = Sides(values, Design(weights, clusters, 0.9)).compare(inside)
    alone = [np.unique(codes[inside], return_inverse=True)[1] for codes in clusters]
    expected = estimate_means(
        values[inside], weights=weights[inside], clusters=alone, conf_level=0.9
    )
    for ours, theirs in (("n", "n"), ("gap", "mean"), ("std_error", "std_error")):
        np.testing.assert_allclose(table[ours], expected[theirs])
    np.testing.assert_allclose(table["conf_low"], expected["conf_low"])
    other = Sides(values, Design(weights, clusters, 0.9)).compare(~inside)
    ends = ("difference", "difference_low", "difference_high")
    for column, turned in zip(ends, (ends[0], ends[2], ends[1]), strict=True):
        np.testing.assert_allclose(table[column], -other[turned])
    np.testing.assert_allclose(table["p_value"], other["p_value"])


@pytest.mark.parametrize("inside", [np.zeros(24, dtype=bool), np.ones(24, dtype=bool)])
def test_nobody_on_one_side_is_no_comparison(inside):
    """A mean of nobody is not known, and nothing is compared with it."""
    row = _compare(inside)
    assert row["n"] == inside.sum()
    assert np.isnan(row[["difference", "difference_low", "p_value"]].astype(float)).all()


def test_equal_answers_on_both_sides_have_no_interval():
    """No spread anywhere: a difference, no certainty."""
    row = _compare(ROW < 12, values=np.where(ROW < 12, -1.0, 2.0))
    assert row["difference"] == pytest.approx(-3.0)
    assert np.isnan(row[["conf_low", "difference_low", "p_value"]].astype(float)).all()


def test_side_of_one_heavy_respondent_is_not_compared():
    """One respondent with nearly all the weight of a side leaves it no spread."""
    values = np.arange(12.0)[:, None] % 5
    design = Design(np.array([1e6] + 11 * [1.0]), [], 0.95)
    row = Sides(values, design).compare(np.arange(12) < 6).iloc[0]
    assert np.isnan(row[["conf_low", "difference_low", "p_value"]].astype(float)).all()
