"""Cronbach's alpha equals hand-computed and published values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.gaps import cronbach_alpha


def test_alpha_by_hand():
    """Items 1 2 3 and 1 3 2: trace 2, sum of covariances 2 + 2 * .5 = 3, alpha 2 * (1 - 2/3)."""
    ratings = pd.DataFrame({"a": [1, 2, 3], "b": [1, 3, 2]})
    assert pytest.approx(2 / 3) == cronbach_alpha(ratings)[0]


def test_interval_is_feldts():
    """R: 1 - (1 - alpha) * qf(c(.975, .025), n - 1, (n - 1) * (k - 1)), here n 15 and k 10."""
    ratings = pd.DataFrame(np.random.default_rng(1).integers(1, 6, (15, 10)))
    alpha, low, high = cronbach_alpha(ratings)
    quantiles = stats.f.ppf([0.975, 0.025], 14, 126)
    assert list(1 - (1 - alpha) * quantiles) == pytest.approx([low, high])
    # pingouin's example of that size: alpha .5917188485995826, interval [.195, .840]
    published = 1 - (1 - 0.5917188485995826) * quantiles
    assert list(published) == pytest.approx([0.195, 0.840], abs=5e-4)


def test_missing_ratings_use_the_pairs_there_are():
    """Covariances are taken pair by pair; complete rows alone are the caller's choice."""
    ratings = pd.DataFrame({"a": [1, 2, 3, 4.0], "b": [1, 3, 2, np.nan], "c": [2, 2, 4, 3.0]})
    covariances = ratings.cov().to_numpy()
    expected = 1.5 * (1 - np.trace(covariances) / covariances.sum())
    assert pytest.approx(expected) == cronbach_alpha(ratings)[0]
    assert cronbach_alpha(ratings)[0] != cronbach_alpha(ratings.dropna())[0]


@pytest.mark.parametrize(
    "ratings",
    [
        {"a": [1, 2, 3]},
        {"a": [1, 1, 1], "b": [2, 2, 2]},
        {"a": [1.0, np.nan, 2.0], "b": [np.nan, 1.0, np.nan]},
        {"a": [1], "b": [2]},
    ],
    ids=["one item", "no variance", "nobody rated both", "one respondent"],
)
def test_alpha_that_cannot_be_told_is_missing(ratings):
    """No number is made up where there is none."""
    assert np.isnan(cronbach_alpha(pd.DataFrame(ratings))).all()
