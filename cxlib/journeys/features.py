"""Paths as points: what touchpoints and pairs of touchpoints a journey holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cxlib.journeys.steps import ARROW

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DIMENSIONS = 10


def split_path(path: str, *, without: Collection[str] = ()) -> list[str]:
    """Split a path into touchpoints, immediate repeats taken as one.

    Parameters
    ----------
    path : str
        Touchpoints joined by `` > ``.
    without : collection of str, default ()
        Touchpoints to leave out.

    Returns
    -------
    list of str
        Touchpoints in order.

    Examples
    --------
    >>> split_path("web > web > chat > order > web", without=["order"])
    ['web', 'chat', 'web']
    """
    names = [name for name in path.split(ARROW) if name not in without]
    return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]


def embed_paths(
    paths: Sequence[str], n: Ints, *, without: Collection[str] = (), random_state: int = 0
) -> Floats:
    """Place distinct paths in a space where similar journeys lie close together.

    Parameters
    ----------
    paths : sequence of str
        Distinct paths.
    n : ndarray of int
        Journeys that walked each.
    without : collection of str, default ()
        Touchpoints that must not tell journeys apart, such as the goal.
    random_state : int, default 0
        Seed of the randomised decomposition.

    Returns
    -------
    ndarray of shape (paths, dimensions)
        Points on the unit sphere; the origin for paths without a feature. No columns when no
        feature is left.

    Notes
    -----
    Features are the touchpoints and the pairs of successive touchpoints a path holds, whether
    once or often, repeats taken as one: long stays at one touchpoint must not outweigh the way.
    They are weighted by ln((1 + N) / (1 + n_f)) + 1 over the N journeys, paths are scaled to
    length 1, and the leading singular vectors (each path counted `n` times) are kept. Features of
    fewer than 5 journeys or 0.5 % of them, or of all, say nothing about kinds and are left out.

    References
    ----------
    .. [1] G. Salton, C. Buckley (1988). Term-weighting approaches in automatic text retrieval.
           Information Processing & Management 24, 513-523.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    def grams(path: str) -> list[str]:
        """List touchpoints and successive pairs."""
        names = split_path(path, without=without)
        return names + [a + ARROW + b for a, b in pairwise(names)]

    if not any(grams(path) for path in paths):
        return np.empty((len(paths), 0))
    holds = CountVectorizer(analyzer=grams, binary=True, dtype=np.float64).fit_transform(paths)
    n_holding, total = holds.T @ n, n.sum()
    telling = (n_holding >= max(5, 0.005 * total)) & (n_holding < total)
    if not telling.any():
        return np.empty((len(paths), 0))
    weight = np.log((1 + total) / (1 + n_holding[telling])) + 1
    points = normalize(holds[:, telling].multiply(weight).tocsr())
    if points.shape[1] <= DIMENSIONS:
        return np.asarray(points.toarray())
    svd = TruncatedSVD(DIMENSIONS, random_state=random_state)
    svd.fit(points.multiply(np.sqrt(n)[:, None]).tocsr())
    return np.asarray(normalize(svd.transform(points)))


def shuffle_paths(
    paths: Sequence[str], n: Ints, *, size: int, rng: np.random.Generator
) -> tuple[list[str], Ints]:
    """Draw journeys and deal their touchpoints out anew, keeping every length.

    Parameters
    ----------
    paths : sequence of str
        Distinct paths.
    n : ndarray of int
        Journeys that walked each.
    size : int
        Journeys drawn.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    tuple of list of str and ndarray of int
        Distinct shuffled paths, sorted, and how often each came out: journeys of the same lengths
        and touchpoints in which no kinds exist.
    """
    drawn = [paths[i].split(ARROW) for i in rng.choice(len(paths), size, p=n / n.sum())]
    dealt = np.array([name for names in drawn for name in names])
    rng.shuffle(dealt)
    ends = np.cumsum([len(names) for names in drawn])
    counts = Counter(ARROW.join(part) for part in np.split(dealt, ends[:-1]))
    distinct = sorted(counts)
    return distinct, np.array([counts[path] for path in distinct])
