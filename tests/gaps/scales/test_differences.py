"""The reliability of a gap and the share all answers have in common."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import TooLittleData
from cxlib.gaps.levels import Pairs, pair_ratings
from cxlib.gaps.scales.differences import common_share, gap_reliability
from cxlib.gaps.scales.reliability import cronbach_alpha
from tests.gaps.kiosk import read_kiosk
from tests.gaps.scales.surveys import TESTS


def pair(e: np.ndarray, p: np.ndarray) -> Pairs:
    """Make pairs of one dimension."""
    items = pd.DataFrame({"item": [f"i{j}" for j in range(e.shape[1])], "dimension": "a"})
    respondents = pd.DataFrame({"respondent_id": np.arange(len(e)).astype(str)})
    return Pairs(respondents, items, e, p, None)


def draw(n: int, *, r: float, common: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw four items rated twice; `common`: what an item's two answers share by habit."""
    random = np.random.default_rng(seed)
    true = random.multivariate_normal([0, 0], [[1, r], [r, 1]], n)
    habit = random.standard_normal((n, 4)) * np.sqrt(common)
    noise = random.standard_normal((2, n, 4)) * np.sqrt(1 - common)
    return true[:, :1] + habit + noise[0], true[:, 1:] + habit + noise[1]


def test_formula_by_hand():
    """Two items each: V_E 6, V_P 8, C 2, alphas .5 and .75 give (3 + 6 - 4) / (6 + 8 - 4) = .5."""
    covariance = np.array(
        [[2.25, 0.75, 0.5, 0.5], [0.75, 2.25, 0.5, 0.5], [0.5, 0.5, 2.5, 1.5], [0.5, 0.5, 1.5, 2.5]]
    )
    random = np.random.default_rng(1).standard_normal((50, 4))
    random -= random.mean(axis=0)
    white = random @ np.linalg.inv(np.linalg.cholesky(np.cov(random, rowvar=False))).T
    values = white @ np.linalg.cholesky(covariance).T
    row = gap_reliability(pair(values[:, :2], values[:, 2:])).iloc[0]
    assert list(row[["alpha_expectation", "alpha_perception"]]) == pytest.approx([0.5, 0.75])
    assert row["correlation"] == pytest.approx(2 / np.sqrt(48))
    assert row["reliability"] == pytest.approx(0.5)
    # the alpha of item gaps equals it here: no item shares more with itself than with the other
    assert row["alpha_gap"] == pytest.approx(0.5)


def test_formula_finds_the_planted_reliability():
    """True variance of the mean gap 2 - 2r, error variance 2 / 4: with r .5 reliability is 2/3."""
    row = gap_reliability(pair(*draw(20_000, r=0.5))).iloc[0]
    assert row["conf_low"] < 2 / 3 < row["conf_high"]
    assert row["conf_high"] - row["conf_low"] < 0.03


def test_habits_of_an_item_lower_the_formula_but_not_the_alpha_of_gaps():
    """Errors shared by an item's two answers cancel in the gap; the formula does not know."""
    row = gap_reliability(pair(*draw(20_000, r=0.5, common=0.5))).iloc[0]
    assert row["alpha_gap"] == pytest.approx(1 / (1 + 0.25), abs=0.01)
    assert row["reliability"] < row["alpha_gap"] - 0.1


def test_interval_agrees_with_the_spread_over_samples():
    """The half width is 1.96 times the spread over 200 samples, both on the interval's scale."""
    rows = [gap_reliability(pair(*draw(150, r=0.6, seed=s))).iloc[0] for s in range(200)]
    spread = np.std([np.log(1 - row["reliability"]) for row in rows])
    half = np.mean([np.log((1 - r["conf_low"]) / (1 - r["conf_high"])) / 2 for r in rows])
    assert half / spread == pytest.approx(1.96, rel=0.15)


def test_kiosk_gap(shared_data):
    """SOURCE.md: alpha E .8255, P .8912, gap .8870; the formula needs their correlation."""
    pairs = pair_ratings(read_kiosk(shared_data))
    row = gap_reliability(pairs).set_index("level").loc["total"]
    alphas = row[["alpha_expectation", "alpha_perception", "alpha_gap"]]
    assert list(alphas) == pytest.approx([0.8255, 0.8912, 0.8870], abs=5e-5)
    e, p = pairs.expectation.mean(axis=1), pairs.perception.mean(axis=1)
    v = np.cov(e, p)
    classical = (v[0, 0] * alphas.iloc[0] + v[1, 1] * alphas.iloc[1] - 2 * v[0, 1]) / np.var(
        p - e, ddof=1
    )
    assert row["reliability"] == pytest.approx(classical)


def test_gap_without_variance_or_with_one_item_is_missing():
    """What cannot be told is missing; what can, is told."""
    e, p = draw(40, r=0.5)
    constant = gap_reliability(pair(e, e + 1)).iloc[0]
    assert np.isnan(constant["reliability"])
    assert constant["alpha_expectation"] == pytest.approx(cronbach_alpha(pd.DataFrame(e))[0])
    assert gap_reliability(pair(e[:, :1], p[:, :1]))["reliability"].isna().all()
    assert gap_reliability(pair(e[:5], p[:5]))["reliability"].isna().all()


def test_common_share_equals_r():
    """R, reference/scales.R: first eigenvalue over 9, and its error by 4,000 bootstraps."""
    row = common_share(TESTS).iloc[0]
    assert row["share"] == pytest.approx(0.3573715757, abs=1e-9)
    assert row["n"] == 301
    half = np.log((1 - row["conf_low"]) / (1 - row["conf_high"])) / 2
    assert half * (1 - row["share"]) / 1.959964 == pytest.approx(0.0209150092, rel=0.05)


def test_common_share_needs_answers_that_vary():
    """The message says which item is in the way."""
    with pytest.raises(TooLittleData, match="All gave the same answer to 'x2'"):
        common_share(TESTS.assign(x2=3.0))
    with pytest.raises(TooLittleData, match="4 answered all 9 items; 10 are needed"):
        common_share(TESTS.head(4))


def test_few_complete_rows_give_no_interval_of_the_gap():
    """Pairs of items are answered by many, all items by two: an interval of no length is none."""
    rng = np.random.default_rng(0)
    n, k = 60, 6
    trait = rng.normal(0, 1, (n, 1))
    e, p = (trait + rng.normal(0, 1, (n, k)) for _ in range(2))
    skipped = np.arange(2, n) % k
    e[np.arange(2, n), skipped] = p[np.arange(2, n), skipped] = np.nan
    row = gap_reliability(pair(e, p)).iloc[-1]
    assert row["n"] >= 30
    assert np.isfinite(row["reliability"])
    assert np.isnan(row["conf_low"])
