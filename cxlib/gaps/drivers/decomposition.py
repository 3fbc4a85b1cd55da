"""How much of R2 belongs to each driver: Shapley (LMG), dominance, Johnson, standardised."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import comb

import numpy as np

from cxlib.gaps.drivers.moments import chunks
from cxlib.stats import Floats

MOST_EXACT = 12  # drivers up to which all subsets are decomposed
_CELLS = 400_000  # subsets x draws worked on at once


def decompose_r_squared(correlations: Floats, sizes: Sequence[int]) -> Floats:
    """Decompose R2 into the general dominance of each driver at each level, exactly.

    Parameters
    ----------
    correlations : ndarray of shape (n_draws, p + 1, p + 1)
        Positive definite correlation matrices, the outcome last.
    sizes : sequence of int
        Columns of each driver, in order; a driver of two columns enters as one group.

    Returns
    -------
    ndarray of shape (n_draws, k, k)
        [draw, driver, level]: what the driver adds to R2, on average over all sets of `level`
        other drivers. Level 0 is the driver alone, the last level what only it explains. The mean
        over levels is the LMG (Shapley) share; these sum to R2.

    Notes
    -----
    The R2 of all 2^k subsets come from one tree: a driver is either left out or swept out of the
    matrix of those still to come, so a subset costs a handful of products and draws run side by
    side. LMG is not negative, so the share of a driver that goes with nothing is biased upward by
    about (1 - R2) / n a column; and a driver without a coefficient of its own gets a share if it
    goes together with others that have one.

    References
    ----------
    .. [1] R. H. Lindeman, P. F. Merenda, R. Z. Gold (1980). Introduction to Bivariate and
           Multivariate Analysis. Scott, Foresman, p. 119.
    .. [2] R. Azen, D. V. Budescu (2003). The dominance analysis approach for comparing predictors
           in multiple regression. Psychological Methods 8, 129-148.
    .. [3] U. Groemping (2006). Relative importance for linear regression in R: the package
           relaimpo. Journal of Statistical Software 17(1).

    Examples
    --------
    >>> r = np.array([[[1.0, 0.5, 0.6], [0.5, 1.0, 0.4], [0.6, 0.4, 1.0]]])
    >>> decompose_r_squared(r, [1, 1]).mean(axis=2).round(4)
    array([[0.2867, 0.0867]])
    """
    k = len(sizes)
    share = _dominance_weights(k)
    parts = [
        _subset_r_squared(correlations[part], sizes) @ share
        for part in chunks(len(correlations), max(_CELLS >> k, 8))
    ]
    return np.concatenate(parts).reshape(-1, k, k)


def _subset_r_squared(correlations: Floats, sizes: Sequence[int]) -> Floats:
    """Compute the R2 of every subset of drivers; bit j of its number says whether j is in it."""
    # subsets first, draws last: every step is one pass over contiguous numbers
    left = np.ascontiguousarray(correlations.transpose(1, 2, 0))[None]
    for size in sizes:
        swept = left
        for _ in range(size):
            row = swept[:, :1, 1:] / swept[:, :1, :1]
            swept = swept[:, 1:, 1:] - swept[:, 1:, :1] * row
        left = np.concatenate([left[:, size:, size:], swept])
    return np.asarray(1.0 - left[:, 0, 0].T)


def _dominance_weights(k: int) -> Floats:
    """Weigh the R2 of subsets so that they sum to the average gain by driver and level."""
    subsets = np.arange(2**k)
    inside = (subsets[:, None] >> np.arange(k)) & 1 == 1
    n_inside = inside.sum(axis=1)
    weights = np.zeros((2**k, k, k))
    for driver in range(k):
        for level in range(k):
            gain = 1 / comb(k - 1, level)
            weights[inside[:, driver] & (n_inside == level + 1), driver, level] = gain
            weights[~inside[:, driver] & (n_inside == level), driver, level] = -gain
    return weights.reshape(2**k, k * k)


def johnson_weights(correlations: Floats, sizes: Sequence[int]) -> Floats:
    """Compute Johnson's relative weights, which sum to R2.

    Parameters
    ----------
    correlations : ndarray of shape (n_draws, p + 1, p + 1)
        Positive definite correlation matrices, the outcome last.
    sizes : sequence of int
        Columns of each driver; the weights of its columns are added up.

    Returns
    -------
    ndarray of shape (n_draws, k)
        Weight of each driver.

    Notes
    -----
    With R = V D V' the drivers' correlations and L = V D^(1/2) V', the weights are
    L^2 (L^-1 r)^2, squares element by element. Close to LMG, at the cost of one matrix.

    References
    ----------
    .. [1] J. W. Johnson (2000). A heuristic method for estimating the relative weight of predictor
           variables in multiple regression. Multivariate Behavioral Research 35, 1-19.
    """
    links = correlations[:, :-1, -1:]
    return johnson_weights_of(correlations[:, :-1, :-1], links, sizes)[..., 0]


def johnson_weights_of(among: Floats, links: Floats, sizes: Sequence[int]) -> Floats:
    """Compute Johnson's relative weights for several outcomes of the same drivers.

    Parameters
    ----------
    among : ndarray of shape (n_draws, p, p)
        Correlations of the drivers' columns, positive definite.
    links : ndarray of shape (n_draws, p, n_outcomes)
        Their correlations with each outcome.
    sizes : sequence of int
        Columns of each driver.

    Returns
    -------
    ndarray of shape (n_draws, k, n_outcomes)
        Weight of each driver, as :func:`johnson_weights` defines it.
    """
    lengths, vectors = np.linalg.eigh(among)
    root = np.sqrt(np.maximum(lengths, 1e-12))[:, None]
    turned = vectors.transpose(0, 2, 1)
    free = (vectors / root) @ (turned @ links)
    weights = ((vectors * root) @ turned) ** 2 @ free**2
    return np.asarray(np.add.reduceat(weights, np.cumsum([0, *sizes])[:-1], axis=1))


def standardised_effects(correlations: Floats, sizes: Sequence[int]) -> Floats:
    """Compute each driver's standardised coefficient, all drivers in one linear model.

    Parameters
    ----------
    correlations : ndarray of shape (n_draws, p + 1, p + 1)
        Positive definite correlation matrices, the outcome last.
    sizes : sequence of int
        Columns of each driver.

    Returns
    -------
    ndarray of shape (n_draws, k)
        Not negative. For one column the size of its coefficient; for more the standard deviation
        of what they contribute together, sqrt(b' R b) over the driver's own columns (Heise's sheaf
        coefficient): the coefficient of the best blend of them.

    References
    ----------
    .. [1] D. R. Heise (1972). Employing nominal variables, induced variables, and block variables
           in path analyses. Sociological Methods & Research 1, 147-173.
    """
    among, with_outcome = correlations[:, :-1, :-1], correlations[:, :-1, -1]
    betas = np.linalg.solve(among, with_outcome[..., None])[..., 0]
    starts = np.cumsum([0, *sizes])
    effects = np.empty((len(correlations), len(sizes)))
    for driver, (start, end) in enumerate(pairwise(starts)):
        own, beta = among[:, start:end, start:end], betas[:, start:end]
        effects[:, driver] = np.einsum("di,dij,dj->d", beta, own, beta)
    return np.asarray(np.sqrt(np.maximum(effects, 0.0)))
