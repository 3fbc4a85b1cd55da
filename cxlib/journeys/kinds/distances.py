"""How far apart journeys are: longest common subsequence, and optimal matching."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cxlib.journeys.kinds.features import Floats, Ints
from cxlib.journeys.walks import read_letters

_CELLS = 2_000_000  # of the table that one block of optimal matching fills at a time


def measure_lcs(letters: Sequence[str], others: Sequence[str] | None = None) -> Floats:
    """Measure how much of two paths is not common, in the same order.

    Parameters
    ----------
    letters : sequence of str
        Paths, one letter a step.
    others : sequence of str, optional
        Paths to compare with; the same when not given.

    Returns
    -------
    ndarray of shape (paths, others)
        From 0 (equal) to 1 (no touchpoint in common).

    Notes
    -----
    1 - 2 LCS(x, y) / (|x| + |y|), where LCS is the length of the longest common subsequence: a
    path made by skipping steps of another stays close to it. Two empty paths are equal.

    References
    ----------
    .. [1] C. H. Elzinga (2008). Sequence analysis: metric representations of categorical time
           series. Technical report, Vrije Universiteit Amsterdam.

    Examples
    --------
    >>> measure_lcs(["abcd"], ["acd", "dcba"]).round(3)
    array([[0.143, 0.75 ]])
    """
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cdist

    others = letters if others is None else others
    found = cdist(letters, others, scorer=Indel.normalized_distance, dtype=np.float32, workers=-1)
    return found.astype(np.float64)


def transition_costs(letters: Sequence[str], n: Ints, *, n_places: int) -> Floats:
    """Make touchpoints the more alike the more often one follows the other.

    Parameters
    ----------
    letters : sequence of str
        Paths, one letter a step.
    n : ndarray of int
        Journeys that walked each.
    n_places : int
        Number of places.

    Returns
    -------
    ndarray of shape (places, places)
        2 - p(b | a) - p(a | b), where p(b | a) is the share of a's transitions that go to b; 0 on
        the diagonal.

    References
    ----------
    .. [1] A. Gabadinho, G. Ritschard, N. S. Mueller, M. Studer (2011). Analyzing and visualizing
           state sequences in R with TraMineR. J. Statistical Software 40 (4), section 5.
    """
    codes, row = read_letters(letters)
    same = row[1:] == row[:-1]
    pairs = (codes[:-1] * n_places + codes[1:])[same]
    moves = np.bincount(pairs, np.asarray(n)[row[1:][same]], n_places**2)
    moves = moves.reshape(n_places, n_places)
    left = moves.sum(axis=1, keepdims=True)
    rates = np.divide(moves, left, out=np.zeros_like(moves), where=left > 0)
    costs = 2 - rates - rates.T
    np.fill_diagonal(costs, 0)
    return costs


def match_optimally(
    letters: Sequence[str],
    others: Sequence[str] | None = None,
    *,
    costs: Floats,
    indel: float = 1.0,
) -> Floats:
    """Measure the least cost of turning one path into another (optimal matching).

    Parameters
    ----------
    letters : sequence of str
        Paths, one letter a step; up to about 1,000 at a time.
    others : sequence of str, optional
        Paths to compare with; the same when not given.
    costs : ndarray of shape (places, places)
        Cost of replacing one place by another, such as :func:`transition_costs`.
    indel : float, default 1.0
        Cost of putting a step in or taking one out.

    Returns
    -------
    ndarray of shape (paths, others)
        Costs, not scaled by length.

    Notes
    -----
    The table of Needleman and Wunsch is filled row by row for many pairs at once. Within a row,
    the cheapest run of insertions is a running minimum of cost minus position times `indel`. With
    all costs 2 and `indel` 1 the result is the distance |x| + |y| - 2 LCS(x, y).

    References
    ----------
    .. [1] A. Abbott, A. Tsay (2000). Sequence analysis and optimal matching methods in sociology.
           Sociological Methods & Research 29, 3-33.
    """
    grid, lengths = _pad(letters)
    right, right_lengths = (grid, lengths) if others is None else _pad(others)
    steps = indel * np.arange(right.shape[1] + 1)
    out = np.empty((len(grid), len(right)))
    size = max(1, _CELLS // max(1, right.size))
    order = np.argsort(lengths, kind="stable")  # of similar lengths, so that no row is for nothing
    for start in range(0, len(order), size):
        block = order[start : start + size]
        row = np.broadcast_to(steps, (len(block), len(right), len(steps))).copy()
        everyone = np.arange(len(right))
        for i in range(int(lengths[block].max(initial=0))):
            best = row + indel
            changed = row[:, :, :-1] + costs[grid[block, i]][:, right]
            np.minimum(best[:, :, 1:], changed, out=best[:, :, 1:])
            best = np.minimum.accumulate(best - steps, axis=2) + steps
            row = np.where((i < lengths[block])[:, None, None], best, row)
        out[block] = row[:, everyone, right_lengths]
    return out


def _pad(letters: Sequence[str]) -> tuple[Ints, Ints]:
    """Write paths as rows of codes; what follows their end is never looked at."""
    codes, row = read_letters(letters)
    lengths = np.bincount(row, minlength=len(letters))
    grid = np.zeros((len(letters), int(lengths.max(initial=0))), dtype=np.int64)
    grid[row, np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)] = codes
    return grid, lengths
