"""The outcome beside each respondent's expectation and perception, as cross-products."""

from __future__ import annotations

import numpy as np

from cxlib.gaps.means import Codes
from cxlib.gaps.outcomes import Outcome
from cxlib.gaps.resample import sum_products
from cxlib.stats import Floats

# columns of the cross-products
INTERCEPT, EXPECTATION, PERCEPTION, GAP, OUTCOME = 0, 1, 2, 6, 7
BOTH = (INTERCEPT, EXPECTATION, PERCEPTION)
SURFACE = (*BOTH, 3, 4, 5)  # expectation^2, expectation x perception, perception^2


def square_products(columns: Floats, weights: Floats, blocks: Codes) -> Floats:
    """Sum the weighted cross-products of columns over the respondents of each block.

    Parameters
    ----------
    columns : ndarray, respondents x q
        None missing; the last column is the outcome.
    weights : ndarray, one per respondent
        0 or more.
    blocks : ndarray of int, one per respondent
        From `assign_blocks`; numbers may be left out.

    Returns
    -------
    ndarray, blocks x q x q
        From block 0 to the largest number; zero for a block without respondents.
    """
    q = columns.shape[1]
    return sum_products(columns * weights[:, None], columns, blocks).reshape(-1, q, q)


def cross_products(
    outcome: Outcome, expectation: Floats, perception: Floats, *, middle: float
) -> tuple[Floats, int]:
    """Sum the cross-products that every model of a gap needs.

    Parameters
    ----------
    outcome : Outcome
        From `read_outcome`.
    expectation, perception : ndarray, one per respondent
        NaN where not known.
    middle : float
        Middle of their scale, taken off both alike.

    Returns
    -------
    products : ndarray, blocks x 8 x 8
        Columns 1, E, P, E^2, E P, P^2, P - E and the outcome, of those who gave all three and
        have a weight.
    n : int
        How many these are.
    """
    y = outcome.values
    used = ~np.isnan(y + expectation + perception) & (outcome.weights > 0)
    e, p, y = expectation[used] - middle, perception[used] - middle, y[used]
    columns = np.column_stack([np.ones(len(y)), e, p, e * e, e * p, p * p, p - e, y])
    if not len(y):
        return np.zeros((1, 8, 8)), 0
    n_blocks = int(outcome.blocks.max()) + 1
    found = square_products(columns, outcome.weights[used], outcome.blocks[used])
    products = np.zeros((n_blocks, 8, 8))
    products[: len(found)] = found
    return products, len(y)
