"""Correlations of drivers and outcome, in the sample and in every bootstrap draw at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cxlib.gaps.means import Codes
from cxlib.gaps.resample import sum_products
from cxlib.stats import Floats

_LEAST = 1e-6  # smallest eigenvalue of a matrix that is decomposed


def draw_correlations(values: Floats, weights: Floats, blocks: Codes, counts: Floats) -> Floats:
    """Compute weighted pairwise correlations in every draw.

    Parameters
    ----------
    values : ndarray of shape (n, p)
        One row per respondent, NaN where there is no answer.
    weights : ndarray of shape (n,)
        Survey weights, not negative.
    blocks : ndarray of int, shape (n,)
        Block of each respondent.
    counts : ndarray of float, shape (n_draws, n_blocks)
        How often each block is drawn; a row of ones is the sample itself.

    Returns
    -------
    ndarray of shape (n_draws, p, p)
        Each correlation over the respondents who gave both answers (means and variances too), 0
        where one of the two does not vary among them.

    Notes
    -----
    Pairwise, because a respondent rates the touchpoints he or she has used: those who rated all of
    them may be few or none. The correlation of two touchpoints is then that among users of both.
    Without missing answers it is the ordinary weighted correlation. A pairwise matrix need not be
    positive definite; see `make_definite`.
    """
    known = ~np.isnan(values)
    x = np.where(known, values, 0.0)
    mass = np.maximum(weights @ known, np.finfo(float).tiny)
    # centred and scaled beforehand, so that differences of sums lose no digits
    x = np.where(known, x - weights @ x / mass, 0.0)
    spread = np.sqrt(weights @ x**2 / mass)
    x /= np.where(spread > 0, spread, 1.0)
    mask = known.astype(float)
    p, weighted = values.shape[1], weights[:, None]

    def drawn(left: Floats, right: Floats) -> Floats:
        """Sum the products of every pair of columns in every draw."""
        sums = sum_products(left * weighted, right, blocks)
        return (counts @ sums).reshape(len(counts), p, p)

    n = np.maximum(drawn(mask, mask), np.finfo(float).tiny)
    sums = drawn(x, mask)
    variances = np.maximum(drawn(x**2, mask) - sums**2 / n, 0.0)
    result = drawn(x, x) - sums * sums.transpose(0, 2, 1) / n
    scale = np.sqrt(variances * variances.transpose(0, 2, 1))
    is_varied = scale > 1e-10 * n
    result = np.where(is_varied, result / np.where(is_varied, scale, 1.0), 0.0)
    result = np.clip((result + result.transpose(0, 2, 1)) / 2, -1.0, 1.0)
    result[:, np.arange(p), np.arange(p)] = 1.0
    return result


def make_definite(correlations: Floats) -> tuple[Floats, Floats]:
    """Shrink matrices toward no correlation just until they are positive definite.

    Parameters
    ----------
    correlations : ndarray of shape (n_draws, p, p)
        Correlation matrices, the outcome among the columns, so that no R2 can exceed 1.

    Returns
    -------
    matrices : ndarray of shape (n_draws, p, p)
        (1 - s) R + s I.
    shrinkage : ndarray of shape (n_draws,)
        The share s, 0 for a matrix that was definite already.

    Notes
    -----
    Correlations over different respondents can contradict each other, and two columns can be the
    same. With e the smallest eigenvalue, s = (c - e) / (1 - e) lifts it to c = 1e-6. All
    correlations shrink alike, so no driver is favoured, and nothing depends on their order.
    """
    try:
        np.linalg.cholesky(correlations - _LEAST * np.eye(correlations.shape[1]))
    except np.linalg.LinAlgError:
        lowest = np.linalg.eigvalsh(correlations)[:, 0]
    else:  # the usual case, told at a tenth of the cost
        return correlations, np.zeros(len(correlations))
    share = np.maximum(_LEAST - lowest, 0.0) / np.maximum(1 - lowest, _LEAST)
    identity = np.eye(correlations.shape[1])
    return correlations + share[:, None, None] * (identity - correlations), share


def chunks(n: int, size: int) -> Iterator[slice]:
    """Cut a range into slices.

    Parameters
    ----------
    n : int
        Length of the range.
    size : int
        Length of a slice.

    Yields
    ------
    slice
        The slices in order.
    """
    for start in range(0, n, size):
        yield slice(start, start + size)
