"""Points in groups: where they lie, the centres of groups, and the nearest centre."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from cxlib.journeys.kinds.features import Floats, Ints


@contextmanager
def use_one_thread() -> Iterator[None]:
    """Sum in one order, so that results repeat; on few points it is faster, too.

    Yields
    ------
    None
        While the numerical libraries use one thread.
    """
    import sklearn.cluster  # noqa: F401  (a limit holds only for libraries loaded before it)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


def find_spots(points: Floats, n: Ints) -> tuple[Floats, Ints]:
    """Count journeys by where they lie.

    Parameters
    ----------
    points : ndarray of shape (ways, dimensions)
        Where ways lie.
    n : ndarray of int, shape (ways,)
        Journeys of each; ways without one are passed over.

    Returns
    -------
    tuple of ndarray
        Distinct points, and the journeys at each.
    """
    there = n > 0
    spots, place = np.unique(points[there].round(9), axis=0, return_inverse=True)
    return spots, np.bincount(place.reshape(-1), n[there], len(spots)).astype(np.int64)


def fit_centres(spots: Floats, weight: Ints, k: int, *, seed: int, n_init: int) -> Floats:
    """Find centres of groups by k-means.

    Parameters
    ----------
    spots : ndarray of shape (spots, dimensions)
        Distinct points.
    weight : ndarray of int, shape (spots,)
        How often each counts.
    k : int
        Groups; fewer are made when fewer spots count.
    seed : int
        Seed.
    n_init : int
        Starts, of which the best is kept.

    Returns
    -------
    ndarray of shape (groups, dimensions)
        Centres.
    """
    from sklearn.cluster import KMeans

    there = weight > 0
    k = min(k, int(there.sum()))  # k-means warns when it has fewer points than groups
    means = KMeans(k, n_init=n_init, random_state=seed)
    return np.asarray(means.fit(spots[there], sample_weight=weight[there]).cluster_centers_)


def find_nearest(points: Floats, centres: Floats) -> tuple[Ints, Floats]:
    """Put points to the nearest centre.

    Parameters
    ----------
    points : ndarray of shape (points, dimensions)
        Points.
    centres : ndarray of shape (groups, dimensions)
        Centres.

    Returns
    -------
    tuple of ndarray
        The group of each point, and its distance from the centre.
    """
    squares = (centres**2).sum(axis=1) - 2 * points @ centres.T
    labels = np.argmin(squares, axis=1)
    least = squares[np.arange(len(points)), labels] + (points**2).sum(axis=1)
    return labels, np.sqrt(np.maximum(least, 0))
