"""Robust least squares from cross-products, against R and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cxlib.gaps.levels import level_means, pair_ratings
from cxlib.gaps.outcomes import read_outcome
from cxlib.gaps.prediction.least_squares import (
    explained_share,
    fit_products,
    unseen_share,
    wald_test,
)
from cxlib.gaps.prediction.products import square_products
from tests.gaps.kiosk import OUTCOMES, read_kiosk


@pytest.fixture(scope="module")
def kiosk(shared_data):
    """Intercept, expectation, perception (from 4 on) and outcome of the kiosk respondents."""
    ratings = read_kiosk(shared_data)
    means = level_means(pair_ratings(ratings), "total")
    y = read_outcome(ratings, OUTCOMES).values
    ones = np.ones(len(y))
    return np.column_stack([ones, means.expectation[:, 0] - 4, means.perception[:, 0] - 4, y])


# every number below: reference/prediction.R
def test_single_respondents_are_hc3(kiosk):
    """One respondent a block: sandwich::vcovHC(type = "HC3") and lmtest::waldtest."""
    n = len(kiosk)
    products = square_products(kiosk, np.ones(n), np.arange(n))
    fit = fit_products(products, [0, 1, 2], n)

    assert fit.coefficients == pytest.approx([3.420173243949, 0.016771371348, 0.594532473373])
    errors = np.sqrt(np.diagonal(fit.covariance))
    assert errors == pytest.approx([0.1755358739651, 0.0931028691154, 0.0647614022023])
    assert fit.degrees == 191
    assert explained_share(products.sum(axis=0), [0, 1, 2]) == pytest.approx(0.3657099714464)
    both = wald_test(fit, np.array([[0.0, 1, 0], [0, 0, 1]]))
    assert both[0] == pytest.approx(49.36197, abs=5e-6)
    equal = wald_test(fit, np.array([[0.0, 1, 1]]))
    assert equal == pytest.approx((44.2123758935, 3.01175232915e-10), rel=1e-7)


def test_clusters_are_the_cluster_jackknife(kiosk):
    """Twenty clusters: sandwich::vcovCL(type = "HC3")."""
    n = len(kiosk)
    fit = fit_products(square_products(kiosk, np.ones(n), np.arange(n) % 20), [0, 1, 2], n)

    errors = np.sqrt(np.diagonal(fit.covariance))
    assert errors == pytest.approx([0.1472373335291, 0.0806604317049, 0.0705407277518])
    assert fit.degrees == 19


def test_weights(kiosk):
    """Weights 2, 3, 1, 2, ...: lm(weights = w) and its HC3; their unit does not matter."""
    n = len(kiosk)
    weights = 1.0 + np.arange(1, n + 1) % 3
    for factor in (1, 0.01):
        products = square_products(kiosk, factor * weights, np.arange(n))
        fit = fit_products(products, [0, 1, 2], n)
        assert fit.coefficients[1:] == pytest.approx([0.0596689247403, 0.5621534118090])
        errors = np.sqrt(np.diagonal(fit.covariance))[1:]
        assert errors == pytest.approx([0.1056077362338, 0.0693176652822])
        share = explained_share(products.sum(axis=0), [0, 1, 2])
        assert share == pytest.approx(0.35138174365)


def test_too_few_blocks_give_no_errors(kiosk):
    """Five clusters cannot carry three coefficients: no interval rather than a lucky one."""
    n = len(kiosk)
    fit = fit_products(square_products(kiosk, np.ones(n), np.arange(n) % 5), [0, 1, 2], n)

    assert np.isnan(fit.covariance).all()
    assert np.isnan(wald_test(fit, np.array([[0.0, 1, 1]]))).all()


def test_share_on_unseen_respondents():
    """A line that holds predicts the unseen; a coin does worse on them than their mean does."""
    rng = np.random.default_rng(1)
    x, coin = rng.normal(size=(2, 60))
    line = square_products(np.column_stack([np.ones(60), x, 3 + 2 * x]), np.ones(60), np.arange(60))
    noise = square_products(np.column_stack([np.ones(60), x, coin]), np.ones(60), np.arange(60))

    assert unseen_share(line, [0, 1]) == pytest.approx(1)
    assert unseen_share(noise, [0, 1]) < explained_share(noise.sum(axis=0), [0, 1])
    assert unseen_share(noise, [0, 1]) < 0


def test_outcome_without_differences_has_no_share():
    """There is nothing to explain."""
    columns = np.column_stack([np.ones(9), np.arange(9), np.full(9, 4.0)])
    products = square_products(columns, np.ones(9), np.arange(9)).sum(axis=0)
    assert np.isnan(explained_share(products, [0, 1]))
