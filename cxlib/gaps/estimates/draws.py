"""Draws of means that belong together: how sure is a rank, how sure is a label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cxlib.gaps.means import DOMINATED, Codes, effective_numbers
from cxlib.gaps.resample import assign_blocks, sum_blocks
from cxlib.stats import Floats

_DRAWS = 10_000


def draw_means(
    values: Floats,
    *,
    weights: Floats | None = None,
    clusters: Sequence[Codes] = (),
    random_state: int = 0,
) -> Floats:
    """Draw the means of several columns jointly, as uncertain as the respondents leave them.

    Parameters
    ----------
    values : ndarray, respondents x names
        NaN where not known.
    weights : ndarray, optional, one per respondent
        Weights; default all equal.
    clusters : sequence of ndarray of int
        From `respondent_clusters`; the coarsest kind counts.
    random_state : int, default 0
        Seed.

    Returns
    -------
    ndarray, 10,000 draws x names
        NaN for names with fewer than two respondents, or one with nearly all the weight, and for
        all when only one block is left; the mean of equal values stays fixed.

    Notes
    -----
    Multivariate Student law about the means, with the covariance of their linearised sums over
    independent blocks of respondents and one degree of freedom less than there are blocks.
    """
    weights = np.ones(len(values)) if weights is None else weights
    known = ~np.isnan(values) & (weights > 0)[:, None]
    n = known.sum(axis=0)
    weight = np.where(known, weights[:, None], 0.0)
    total = weight.sum(axis=0)
    filled = np.where(known, values, 0.0)
    mean = np.divide((weight * filled).sum(axis=0), total, out=np.zeros(len(n)), where=total > 0)
    residual = np.where(known, weight * (filled - mean), 0.0) / np.where(total > 0, total, 1.0)
    sums = sum_blocks(residual, assign_blocks(len(values), clusters=clusters))
    n_blocks = len(sums)
    covariance = sums.T @ sums * (n_blocks / max(n_blocks - 1, 1))
    size, direction = np.linalg.eigh(covariance)
    size = np.where(size > 1e-12 * size.max(initial=0.0), size, 0.0)  # roundings would break ties
    # the symmetric root does not depend on the signs an eigenvector routine happens to choose
    root = (direction * np.sqrt(size)) @ direction.T
    root *= np.sqrt(np.diag(covariance)) > 1e-12 * np.abs(filled).max(axis=0, initial=0.0)
    rng = np.random.default_rng(random_state)
    draws = rng.standard_normal((_DRAWS, len(mean))) @ root
    degrees = max(n_blocks - 1, 1)
    draws *= np.sqrt(degrees / rng.chisquare(degrees, size=(_DRAWS, 1)))
    is_drawn = (n > 1) & (n_blocks > 1) & (effective_numbers(weight) >= DOMINATED)
    return np.where(is_drawn, mean + draws, np.nan)


def chance_lowest(draws: Floats) -> Floats:
    """Estimate for each column the probability that its mean is the lowest.

    Parameters
    ----------
    draws : ndarray, draws x names
        From `draw_means`.

    Returns
    -------
    ndarray
        Shares of the draws, ties shared evenly; NaN for columns without draws and when there is
        nothing to compare with.
    """
    chance = np.full(draws.shape[1], np.nan)
    ranked = ~np.isnan(draws).any(axis=0)
    if ranked.sum() > 1:
        drawn = draws[:, ranked]
        is_lowest = drawn <= drawn.min(axis=1, keepdims=True) + 1e-9
        chance[ranked] = (is_lowest / is_lowest.sum(axis=1, keepdims=True)).mean(axis=0)
    return chance
