"""The correction for many comparisons reproduces the case it was published with."""

from __future__ import annotations

import numpy as np

from cxlib.stats import adjust_p_values

# Benjamini and Hochberg (1995), section 3.3: 15 comparisons of two treatments.
P_VALUES = (
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1.0),
)


def test_published_case_rejects_four():
    """At 5 % the procedure rejects four hypotheses where Bonferroni's rejects three."""
    assert (adjust_p_values(P_VALUES) < 0.05).sum() == 4
    assert (np.array(P_VALUES) * len(P_VALUES) < 0.05).sum() == 3


def test_q_value_by_hand():
    """The fourth smallest of 15: .0095 * 15 / 4, smaller than every later one."""
    assert np.isclose(0.0095 * 15 / 4, adjust_p_values(P_VALUES)[3])


def test_missing_p_value_neither_counts_nor_spreads():
    """A test that could not be made leaves the others as they are."""
    with_gap = adjust_p_values([*P_VALUES, np.nan])
    assert np.isnan(with_gap[-1])
    np.testing.assert_array_equal(adjust_p_values(P_VALUES), with_gap[:-1])
