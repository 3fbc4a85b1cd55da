"""How far apart journeys are, by their longest common subsequence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cxlib.journeys.kinds.features import Floats


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
