"""Indices of how clear a grouping is, on distances between points that count more than once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.journeys.kinds.features import Floats, Ints


def measure_silhouette(distances: Floats, labels: Ints, n: Ints) -> float:
    """Measure how much closer points are to their own group than to the next.

    Parameters
    ----------
    distances : ndarray of shape (points, points)
        Distances.
    labels : ndarray of int, shape (points,)
        Groups, from 0.
    n : ndarray of int, shape (points,)
        How often each point counts: as if its row were there `n` times.

    Returns
    -------
    float
        Mean of (b - a) / max(a, b), a the mean distance to the others of the own group, b that to
        the nearest other group; 0 for a point alone in its group, and with fewer than two groups.

    References
    ----------
    .. [1] P. J. Rousseeuw (1987). Silhouettes: a graphical aid to the interpretation and
           validation of cluster analysis. J. Computational and Applied Mathematics 20, 53-65.
    """
    sizes = np.bincount(labels, n)
    if np.count_nonzero(sizes) < 2:
        return 0.0
    member = labels[:, None] == np.arange(len(sizes))
    sums = distances @ (member * n[:, None])
    own = sizes[labels]
    inner = sums[member] / np.maximum(own - 1, 1)
    outer = np.where(member | (sizes == 0), np.inf, sums / np.maximum(sizes, 1)).min(axis=1)
    most = np.maximum(inner, outer)
    width = np.divide(outer - inner, most, out=np.zeros_like(most), where=most > 0)
    return float(np.average(np.where(own > 1, width, 0.0), weights=n))


def measure_indices(distances: Floats, groupings: Sequence[Ints], n: Ints) -> pd.DataFrame:
    """Compare the distances within groups with those between them.

    Parameters
    ----------
    distances : ndarray of shape (points, points)
        Distances, symmetric.
    groupings : sequence of ndarray of int, each of shape (points,)
        Groups, from 0.
    n : ndarray of int, shape (points,)
        How often each point counts.

    Returns
    -------
    pandas.DataFrame, one row per grouping
        `point_biserial` (correlation of a distance with lying between groups), `hubert_gamma` (of
        the pairs of a distance within and one between, how many more are ordered rightly than
        wrongly), both up to 1; `hubert_c` (sum within, from the least possible, 0, to the largest
        possible, 1); `calinski_harabasz` (pseudo F on squared distances). NaN where undefined.

    Notes
    -----
    Over all ordered pairs of journeys, each with itself included, as in [2]_.

    References
    ----------
    .. [1] C. Hennig, T. F. Liao (2010). Comparing latent class and dissimilarity based clustering
           for mixed type variables. Research report 308, University College London.
    .. [2] M. Studer (2013). WeightedCluster library manual. LIVES working papers 24.
    """
    first, second = np.triu_indices(len(n))
    distance = distances[first, second]
    order = np.argsort(distance, kind="stable")
    first, second, distance = first[order], second[order], distance[order]
    weight = n[first] * n[second] / (1 + (first == second))
    rows = [
        _compare(distance, weight, labels[first] == labels[second])
        | {"calinski_harabasz": _pseudo_f(distances, labels, n)}
        for labels in groupings
    ]
    return pd.DataFrame(rows)


def _compare(distance: Floats, weight: Floats, inside: NDArray[np.bool_]) -> dict[str, float]:
    """Compare distances in ascending order by whether they are inside a group."""
    total, n_inside = weight.sum(), weight[inside].sum()
    n_apart = total - n_inside
    if not 0 < n_inside < total:
        return dict.fromkeys(["point_biserial", "hubert_gamma", "hubert_c"], np.nan)
    heap, sums = np.append(0, np.cumsum(weight)), np.append(0, np.cumsum(weight * distance))
    sum_inside = (weight * distance) @ inside
    mean = sums[-1] / total
    spread = np.sqrt(weight @ (distance - mean) ** 2 / total)
    step = (sums[-1] - sum_inside) / n_apart - sum_inside / n_inside
    least = np.interp(n_inside, heap, sums)
    largest = sums[-1] - np.interp(n_apart, heap, sums)
    return {
        "point_biserial": _ratio(step * np.sqrt(n_inside * n_apart) / total, spread),
        "hubert_gamma": _gamma(distance, weight, inside),
        "hubert_c": _ratio(sum_inside - least, largest - least),
    }


def _gamma(distance: Floats, weight: Floats, inside: NDArray[np.bool_]) -> float:
    starts = np.flatnonzero(np.append(True, distance[1:] > distance[:-1]))  # ties count for none
    within = np.add.reduceat(weight * inside, starts)
    between = np.add.reduceat(weight * ~inside, starts)
    below = np.cumsum(between) - between
    right, wrong = within @ (between.sum() - below - between), within @ below
    return _ratio(right - wrong, right + wrong)


def _pseudo_f(distances: Floats, labels: Ints, n: Ints) -> float:
    member = (labels[:, None] == np.unique(labels)) * n[:, None].astype(float)
    squares = np.einsum("ik,ij,jk->k", member, distances**2, member, optimize=True) / 2
    k, total = member.shape[1], n.sum()
    if k < 2:
        return float("nan")
    within = (squares / member.sum(axis=0)).sum()
    all_of_it = n @ distances**2 @ n / 2 / total
    return _ratio((all_of_it - within) / (k - 1), within / (total - k))


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below > 0 else float("nan")
