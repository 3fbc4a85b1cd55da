"""Reliabilities equal hand-computed, published and R values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from cxlib.gaps.levels import pair_ratings
from cxlib.gaps.ratings import select_answers
from cxlib.gaps.scales.cfa import one_factor
from cxlib.gaps.scales.moments import pairwise_covariances, take_moments
from cxlib.gaps.scales.omega import estimate_omega
from cxlib.gaps.scales.reliability import cronbach_alpha, summarise_items, summarise_scales
from tests.gaps.kiosk import read_kiosk
from tests.gaps.scales.surveys import TESTS, draw_answers

# R: datasets::attitude (Chatterjee and Price 1977), 30 departments
ATTITUDE = np.array(
    """43 51 30 39 61 92 45|63 64 51 54 63 73 47|71 70 68 69 76 86 48|61 63 45 47 54 84 35
    |81 78 56 66 71 83 47|43 55 49 44 54 49 34|58 67 42 56 66 68 35|71 75 50 55 70 66 41
    |72 82 72 67 71 83 31|67 61 45 47 62 80 41|64 53 53 58 58 67 34|67 60 47 39 59 74 41
    |69 62 57 42 55 63 25|68 83 83 45 59 77 35|77 77 54 72 79 77 46|81 90 50 72 60 54 36
    |74 85 64 69 79 79 63|65 60 65 75 55 80 60|65 70 46 57 75 85 46|50 58 68 54 64 78 52
    |50 40 33 34 43 64 33|64 61 52 62 66 80 41|53 66 52 50 63 80 37|40 37 42 58 50 57 49
    |63 54 42 48 66 75 33|66 77 66 63 88 76 72|78 75 58 74 80 78 49|48 57 44 45 51 83 38
    |85 85 71 71 77 74 55|82 82 39 59 64 78 39""".replace("|", " ").split(),
    dtype=float,
).reshape(30, 7)


def test_alpha_by_hand():
    """Items 1 2 3 and 1 3 2: trace 2, sum of covariances 2 + 2 * .5 = 3, alpha 2 * (1 - 2/3)."""
    ratings = pd.DataFrame({"a": [1, 2, 3], "b": [1, 3, 2]})
    assert pytest.approx(2 / 3) == cronbach_alpha(ratings)[0]


def test_alpha_equals_psych():
    """R, reference/scales.R: alpha(attitude), alpha(hs[, c("x1", "x2", "x3")])."""
    assert pytest.approx(0.84314277, abs=1e-8) == cronbach_alpha(pd.DataFrame(ATTITUDE))[0]
    assert pytest.approx(0.626117132, abs=1e-9) == cronbach_alpha(TESTS.iloc[:, :3])[0]


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
        {},
    ],
    ids=["one item", "no variance", "nobody rated both", "one respondent", "nothing"],
)
def test_alpha_that_cannot_be_told_is_missing(ratings):
    """No number is made up where there is none."""
    assert np.isnan(cronbach_alpha(pd.DataFrame(ratings))).all()


@given(
    arrays.arrays(
        float, st.tuples(st.integers(2, 9), st.integers(1, 4)), elements=st.integers(1, 7)
    ),
    st.data(),
)
def test_pairwise_covariances_are_those_of_pandas(values, data):
    """One pass of sums gives what pandas computes pair by pair, missing values or not."""
    holes = data.draw(arrays.arrays(bool, values.shape))
    values = np.where(holes, np.nan, values)
    ours, n = pairwise_covariances(values)
    theirs = pd.DataFrame(values).cov().to_numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-9)
    known = (~np.isnan(values)).astype(int)
    assert (n == known.T @ known).all()


@pytest.mark.parametrize(
    ("items", "omega", "error"),
    [
        (slice(0, 3), 0.632553156, 0.0358990433),
        (slice(3, 6), 0.885880924, 0.0105284445),
        (slice(6, 9), 0.696135287, 0.0298726132),
        (slice(0, 9), 0.738069172, 0.0284775346),
    ],
)
def test_omega_and_its_error_equal_lavaan(items, omega, error):
    """R, reference/scales.R: one factor, estimator MLM (standard errors that need no normality).

    With the model of three factors omega is .6253 .8852 .6878, see test_cfa.
    """
    rows = TESTS.to_numpy()[:, items]
    found, low, high = estimate_omega(one_factor(take_moments(rows)), rows, conf_level=0.95)
    assert found == pytest.approx(omega, abs=1e-6)
    # on the scale of log(1 - omega) the interval is symmetric: its half width is z se / (1 - omega)
    half = np.log((1 - low) / (1 - high)) / 2
    assert half * (1 - found) / 1.959964 == pytest.approx(error, rel=2e-3)


def test_omega_equals_alpha_when_items_are_alike():
    """Equal loadings are the case in which alpha is right."""
    values, _ = draw_answers(40_000, {"a": [0.6] * 5})
    rows = values.to_numpy()
    omega = estimate_omega(one_factor(take_moments(rows)), rows, conf_level=0.95)[0]
    assert omega == pytest.approx(5 * 0.36 / (5 * 0.36 + 0.64), abs=0.01)
    assert omega == pytest.approx(cronbach_alpha(values)[0], abs=0.002)


def ratings_of(values: pd.DataFrame, dimensions: pd.Series, role: str = "perception"):
    """Make ratings of a matrix."""
    answers = values.rename_axis("respondent_id").reset_index()
    answers = answers.melt("respondent_id", var_name="item", value_name="value").dropna()
    answers["respondent_id"] = answers["respondent_id"].astype(str)
    items = pd.DataFrame({"item": dimensions.index, "dimension": dimensions.to_numpy()})
    items = items.assign(scale_min=-99.0, scale_max=99.0)
    return select_answers(answers.assign(role=role), items)


def test_items_equal_psych():
    """R, reference/scales.R: r.drop and alpha if dropped of x1, x2, x3."""
    table = summarise_items(ratings_of(TESTS.iloc[:, :3], pd.Series("v", index=["x1", "x2", "x3"])))
    assert list(table["item_rest"]) == pytest.approx([0.449031541, 0.374967962, 0.484281234])
    dropped = [0.506987639, 0.611541496, 0.458377728]
    assert list(table["alpha_if_dropped"]) == pytest.approx(dropped)
    # R: tanh(atanh(.449031541) + c(-1, 1) * qnorm(.975) / sqrt(298))
    low, high = np.tanh(np.arctanh(0.449031541) + np.array([-1, 1]) * 1.959964 / np.sqrt(298))
    assert list(table.loc[0, ["conf_low", "conf_high"]]) == pytest.approx([low, high])


def test_kiosk_reliabilities(shared_data):
    """SOURCE.md: alpha of 24 items, E .8255, P .8912, gap .8870."""
    ratings = read_kiosk(shared_data)
    scales = summarise_scales(ratings, pairs=pair_ratings(ratings))
    total = scales[scales["level"].eq("total")].set_index("role")
    assert list(total["n_items"]) == [24, 24, 24]
    assert total["alpha"].to_dict() == pytest.approx(
        {"expectation": 0.8255, "perception": 0.8912, "gap": 0.8870}, abs=5e-5
    )
    # two items make no factor model, one of four or more says how well one factor fits
    perception = scales[scales["role"].eq("perception")].set_index("name")
    assert np.isnan(perception.loc["control", "omega"])
    assert not np.isnan(perception.loc["control", "alpha"])
    assert perception["p_acceptable"].notna().to_dict() == {
        **dict.fromkeys(("control", "economy", "reliability", "security"), False),
        **dict.fromkeys(("convenience", "tangible", "total"), True),
    }


def test_scales_name_the_item_that_fits_least():
    """Planted: the third item of the dimension hardly measures it."""
    values, dimensions = draw_answers(400, {"a": [0.8, 0.8, 0.2, 0.8]})
    row = summarise_scales(ratings_of(values, dimensions)).iloc[0]
    assert (row["name"], row["weakest_item"], row["n"]) == ("a", "a3", 400)
    assert row["omega_low"] < row["omega"] < row["omega_high"]


def test_few_answers_give_no_reliability():
    """Under min_cell, or with equal answers, numbers are missing and n is told."""
    values, dimensions = draw_answers(8, {"a": [0.8] * 3})
    for table, n in (
        (summarise_scales(ratings_of(values, dimensions)), 8),
        (summarise_scales(ratings_of(values * 0 + 3, dimensions), min_cell=2), 8),
    ):
        assert table["n"].eq(n).all()
        assert table[["alpha", "omega", "item_rest"]].isna().all(axis=None)
        assert table["weakest_item"].isna().all()
    one = summarise_items(ratings_of(values.iloc[:1], dimensions))
    assert one[["item_rest", "alpha"]].isna().all(axis=None)


def test_item_without_dimension_is_set_beside_all_items():
    """Every item has one row per role, none is lost."""
    values, dimensions = draw_answers(60, {"a": [0.7] * 3, "b": [0.7]})
    table = summarise_items(ratings_of(values, dimensions.replace("b", np.nan)))
    assert dict(zip(table["item"], table["name"], strict=True)) == {
        **dict.fromkeys(("a1", "a2", "a3"), "a"),
        "b1": "total",
    }
