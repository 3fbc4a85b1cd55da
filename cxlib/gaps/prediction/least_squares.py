"""Least squares from cross-products of blocks of respondents, with robust errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from cxlib.stats import Floats

_CHUNK = 200  # blocks solved at once
_TINY = 1e-12  # of a diagonal of 1: keeps a draw without variance solvable, moves no digit shown


@dataclass(frozen=True)
class Fit:
    """Coefficients of one linear model.

    Parameters
    ----------
    coefficients : ndarray, shape (k,)
        In the order of the columns.
    covariance : ndarray, shape (k, k)
        Robust; NaN where there are fewer than 2 k blocks.
    degrees : float
        Degrees of freedom of tests and intervals.
    """

    coefficients: Floats
    covariance: Floats
    degrees: float


def solve(products: Floats, inside: Sequence[int]) -> Floats:
    """Solve the normal equations of the last column on some of the others.

    Parameters
    ----------
    products : ndarray, shape (..., q, q)
        Cross-products.
    inside : sequence of int
        Columns of the model, the intercept's among them.

    Returns
    -------
    ndarray, shape (..., k)
        Coefficients.
    """
    left, right = _equations(products, inside)
    size = np.sqrt(np.maximum(np.diagonal(left, axis1=-2, axis2=-1), np.finfo(float).tiny))
    scaled = left / (size[..., :, None] * size[..., None, :]) + _TINY * np.eye(len(inside))
    return np.asarray(np.linalg.solve(scaled, (right / size)[..., None])[..., 0] / size)


def fit_products(products: Floats, inside: Sequence[int], n: int) -> Fit:
    """Fit a linear model and its robust covariance.

    Parameters
    ----------
    products : ndarray, blocks x q x q
        From `square_products`.
    inside : sequence of int
        Columns of the model, the intercept's among them.
    n : int
        Number of respondents.

    Returns
    -------
    Fit
        The model of the last column.

    Notes
    -----
    The covariance is the sum over blocks of the outer products of (b without the block - b). With
    one respondent a block that is exactly HC3; with clusters it is CR3, the cluster jackknife.
    Degrees of freedom are the fewer of n - k and blocks - 1.

    References
    ----------
    .. [1] J. G. MacKinnon, H. White (1985). Some heteroskedasticity-consistent covariance matrix
           estimators with improved finite sample properties. J. Econometrics 29, 305-325.
    .. [2] J. G. MacKinnon, M. O. Nielsen, M. D. Webb (2023). Cluster-robust inference: a guide to
           empirical practice. J. Econometrics 232, 272-299.
    """
    total = products.sum(axis=0)
    filled = np.flatnonzero(products[:, 0, 0] > 0)
    coefficients = solve(total, inside)
    covariance = np.zeros((len(inside), len(inside)))
    for start in range(0, len(filled), _CHUNK):
        rest = total - products[filled[start : start + _CHUNK]]
        moved = solve(rest, inside) - coefficients
        covariance += moved.T @ moved
    if len(filled) < 2 * len(inside):
        covariance = np.full_like(covariance, np.nan)
    return Fit(coefficients, covariance, float(min(n - len(inside), len(filled) - 1)))


def explained_share(products: Floats, inside: Sequence[int]) -> Floats:
    """Compute R squared of the last column on some of the others.

    Parameters
    ----------
    products : ndarray, shape (..., q, q)
        Cross-products; the first column is the intercept.
    inside : sequence of int
        Columns of the model, the intercept's among them.

    Returns
    -------
    ndarray, shape (...)
        Share of the outcome's variance; NaN where it has none.
    """
    left, right = _equations(products, inside)
    slopes = solve(products, inside)
    squares = products[..., -1, -1]
    residual = squares - 2 * (slopes * right).sum(axis=-1)
    residual = residual + np.einsum("...i,...ij,...j->...", slopes, left, slopes)
    n = np.where(products[..., 0, 0] > 0, products[..., 0, 0], np.nan)
    total = squares - products[..., 0, -1] ** 2 / n
    varies = total > _TINY * squares
    return np.asarray(np.where(varies, 1 - residual / np.where(varies, total, 1.0), np.nan))


def unseen_share(
    products: Floats, inside: Sequence[int], *, n_folds: int = 10, random_state: int = 0
) -> float:
    """Compute R squared on respondents that the model was not fitted to.

    Parameters
    ----------
    products : ndarray, blocks x q x q
        From `square_products`.
    inside : sequence of int
        Columns of the model, the intercept's among them.
    n_folds : int, default 10
        Parts of the blocks, each left out in turn; dealt ten times.
    random_state : int, default 0
        Seed of the dealing.

    Returns
    -------
    float
        1 - squared errors / squared deviations from the mean of those fitted to; below 0 when the
        mean predicts better.
    """
    products = products[products[:, 0, 0] > 0]
    rng = np.random.default_rng(random_state)
    total, shares = products.sum(axis=0), []
    n_folds = min(n_folds, len(products))
    starts = np.arange(n_folds) * len(products) // n_folds
    for _ in range(10):
        left_out = np.add.reduceat(products[rng.permutation(len(products))], starts, axis=0)
        errors = []
        for columns in (inside, [0]):
            slopes = solve(total - left_out, columns)
            left, right = _equations(left_out, columns)
            fitted = np.einsum("fi,fij,fj->f", slopes, left, slopes)
            errors.append((left_out[:, -1, -1] - 2 * (slopes * right).sum(axis=1) + fitted).sum())
        shares.append(1 - errors[0] / errors[1] if errors[1] > 0 else np.nan)
    return float(np.mean(shares))


def wald_test(fit: Fit, contrasts: Floats) -> tuple[float, float]:
    """Test whether combinations of coefficients are all zero.

    Parameters
    ----------
    fit : Fit
        A model.
    contrasts : ndarray, shape (m, k)
        One combination a row.

    Returns
    -------
    tuple of float
        Robust Wald F with m and `degrees` degrees of freedom, and its p-value; NaN without a
        covariance.
    """
    values = contrasts @ fit.coefficients
    spread = contrasts @ fit.covariance @ contrasts.T
    if np.isnan(spread).any() or np.linalg.matrix_rank(spread) < len(spread):
        return float("nan"), float("nan")
    statistic = float(values @ np.linalg.solve(spread, values)) / len(contrasts)
    return statistic, float(stats.f.sf(statistic, len(contrasts), fit.degrees))


def _equations(products: Floats, inside: Sequence[int]) -> tuple[Floats, Floats]:
    inside = list(inside)
    return products[..., inside, :][..., inside], products[..., inside, -1]
