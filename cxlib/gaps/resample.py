"""Bootstrap by blocks of respondents: a large survey costs no more than a small one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cxlib.gaps.means import Codes
from cxlib.stats import Floats


def assign_blocks(
    n: int, *, clusters: Sequence[Codes] = (), most: int = 2_000, random_state: int = 0
) -> Codes:
    """Deal respondents into independent blocks of about equal size.

    Parameters
    ----------
    n : int
        Number of respondents.
    clusters : sequence of ndarray of int, each one per respondent
        From `respondent_clusters`; the coarsest kind stays together.
    most : int, default 2000
        The most blocks.
    random_state : int, default 0
        Seed of the dealing.

    Returns
    -------
    ndarray of int, one per respondent
        Block numbers from 0; each respondent (or cluster) is a block of its own when they are no
        more than `most`.

    Notes
    -----
    A sum over respondents is a sum over blocks, and blocks dealt at random are independent and
    alike. Drawing blocks with replacement is the bootstrap of any statistic of such sums, at the
    cost of `most` rows. Blocks cost degrees of freedom, which 2,000 leave plenty of.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani (1993). An Introduction to the Bootstrap, section 8.6.
    """
    units = min(clusters, key=lambda codes: int(codes.max()), default=None)
    units = np.arange(n) if units is None else np.asarray(units)
    n_units = int(units.max()) + 1 if n else 0
    if n_units <= most:
        return units
    place = np.random.default_rng(random_state).permutation(n_units)
    return np.asarray((place % most)[units], dtype=np.intp)


def draw_counts(n_blocks: int, n_draws: int, random_state: int) -> Floats:
    """Draw how often each block comes in every bootstrap sample.

    Parameters
    ----------
    n_blocks : int
        Blocks to draw from, with replacement.
    n_draws : int
        Number of samples.
    random_state : int
        Seed.

    Returns
    -------
    ndarray of float, draws x blocks
        Every row sums to `n_blocks`.
    """
    rng = np.random.default_rng(random_state)
    shares = np.full(n_blocks, 1.0 / n_blocks)
    return rng.multinomial(n_blocks, shares, size=n_draws).astype(float)


def sum_blocks(values: Floats, blocks: Codes) -> Floats:
    """Sum the rows of each block.

    Parameters
    ----------
    values : ndarray of float, respondents x columns
        None missing.
    blocks : ndarray of int, one per respondent
        From `assign_blocks`.

    Returns
    -------
    ndarray of float, blocks x columns
        Sums; a block drawn twice counts them twice: ``draw_counts(...) @ sum_blocks(...)``.
    """
    order = np.argsort(blocks, kind="stable")
    first = np.flatnonzero(np.diff(blocks[order], prepend=-1))
    return np.asarray(np.add.reduceat(np.asarray(values, dtype=float)[order], first, axis=0))


def sum_products(left: Floats, right: Floats, blocks: Codes) -> Floats:
    """Sum the cross-products of two matrices over the rows of each block.

    Parameters
    ----------
    left : ndarray of float, respondents x p
        None missing.
    right : ndarray of float, respondents x q
        The same rows.
    blocks : ndarray of int, one per respondent
        From `assign_blocks`; numbers may be left out.

    Returns
    -------
    ndarray of float, blocks x (p q)
        ``left.T @ right`` over the rows of each block, from block 0 to the largest number. The
        bootstrap of any cross-product is ``draw_counts(...) @ sum_products(...)``.
    """
    order = np.argsort(blocks, kind="stable")
    ends = np.cumsum(np.bincount(blocks))
    left, right = left[order], right[order]
    sums = np.empty((len(ends), left.shape[1], right.shape[1]))
    for block, (start, end) in enumerate(zip(np.append(0, ends[:-1]), ends, strict=True)):
        np.matmul(left[start:end].T, right[start:end], out=sums[block])
    return sums.reshape(len(ends), -1)
