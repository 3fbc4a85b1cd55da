"""Groups of weighted points, with the evidence that they are groups."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.journeys.features import Floats, Ints, embed_paths, shuffle_paths

STABLE, WEAK = 0.75, 0.6
SMALLEST = 0.01  # share of all weight below which a group does not count
MOST = 8  # groups tried
SAMPLE = 20_000  # points drawn to fit when there are more; the others go to the nearest centre
LOOKED_AT = 1_000  # points drawn for a silhouette
N_SHUFFLES = 19  # to beat all of them by chance has probability 1 in 20
AS_CLEAR = 0.02  # silhouettes this close are equal: twice the error of a mean over 1,000 points


@dataclass(frozen=True)
class Clusters:
    """A grouping of points.

    Parameters
    ----------
    labels : ndarray of int, shape (points,)
        Group of each point, from 0, in the grouping chosen or, with a doubt, the clearest one.
    stability : ndarray of float, shape (groups,)
        Mean Jaccard similarity of each group over resamples.
    quality : pandas.DataFrame, one row per number of groups tried
        `n_clusters`, `silhouette`, `shuffled_silhouette`, `smallest_share`, `stability_min` and
        `stability_mean` (missing where a clearer grouping had settled the choice), `chosen`.
    doubt : str
        Why there are no groups, in words; empty when there are.
    """

    labels: Ints
    stability: Floats
    quality: pd.DataFrame
    doubt: str


def find_clusters(
    points: Floats,
    n: Ints,
    *,
    shuffled: pd.Series,
    sizes: Sequence[int],
    n_resamples: int = 50,
    random_state: int = 0,
) -> Clusters:
    """Group points and choose how many groups the evidence bears.

    Parameters
    ----------
    points : ndarray of shape (points, dimensions)
        Where the points lie.
    n : ndarray of int
        How often each counts.
    shuffled : pandas.Series of float, by number of groups
        Silhouettes that data without groups reach, from :func:`shuffled_silhouettes`.
    sizes : sequence of int
        Numbers of groups to try, at most the number of distinct points.
    n_resamples : int, default 50
        Bootstrap resamples.
    random_state : int, default 0
        Seed.

    Returns
    -------
    Clusters
        The grouping chosen; the clearest one with the reason against it when there is none.

    Notes
    -----
    See :func:`cxlib.journeys.fit_segments` for the rule.
    """
    spots, place = np.unique(points.round(9), axis=0, return_inverse=True)
    place = place.reshape(-1)
    weight = np.bincount(place, n).astype(np.int64)
    rng = np.random.default_rng(random_state)
    drawn = _draw(weight, SAMPLE, rng) if len(spots) > SAMPLE else weight
    looked_at, distances = _look(spots, drawn, random_state)
    labels = {
        k: _nearest(spots, _fit_centres(spots, drawn, k, random_state, n_init=10)) for k in sizes
    }
    shares = {k: np.bincount(labels[k], weight, minlength=k) / weight.sum() for k in sizes}
    quality = pd.DataFrame(
        {
            "n_clusters": list(sizes),
            "silhouette": [_silhouette(labels[k][looked_at], distances) for k in sizes],
            "shuffled_silhouette": [shuffled[k] for k in sizes],
            "smallest_share": [shares[k].min() for k in sizes],
        }
    )
    stability: dict[int, Floats] = {}

    def resample(k: int) -> float:
        """Return the least stability of k groups, measured once."""
        if k not in stability:
            stability[k] = _resample(spots, drawn, labels[k], k, n_resamples, random_state)
        return float(stability[k].min())

    chosen, doubt = _choose(quality, float(shuffled.max()), resample)
    resample(chosen)
    tried = quality["n_clusters"].map(stability)
    quality["stability_min"] = tried.map(np.min, na_action="ignore").astype(float)
    quality["stability_mean"] = [
        float(stability[k] @ shares[k]) if k in stability else np.nan for k in sizes
    ]
    quality["chosen"] = (quality["n_clusters"] == chosen) & (doubt == "")
    return Clusters(labels[chosen][place], stability[chosen], quality, doubt)


def shuffled_silhouettes(
    paths: Sequence[str],
    n: Ints,
    *,
    sizes: Sequence[int],
    without: Collection[str] = (),
    random_state: int = 0,
) -> pd.Series:
    """Measure how clear groups look where there are none.

    Parameters
    ----------
    paths : sequence of str
        Distinct paths.
    n : ndarray of int
        Journeys that walked each.
    sizes : sequence of int
        Numbers of groups to try.
    without : collection of str, default ()
        Touchpoints to leave out.
    random_state : int, default 0
        Seed.

    Returns
    -------
    pandas.Series of float, by number of groups
        The largest silhouette among 19 sets of up to 1,000 journeys of the same lengths whose
        touchpoints were dealt out anew.
    """
    best = pd.Series(0.0, index=list(sizes))
    for seed in range(N_SHUFFLES):
        rng = np.random.default_rng([random_state, seed])
        size = int(min(LOOKED_AT, n.sum()))
        dealt, counts = shuffle_paths(paths, n, size=size, rng=rng)
        points = embed_paths(dealt, counts, without=without, random_state=random_state)
        spots, place = np.unique(points.round(9), axis=0, return_inverse=True)
        weight = np.bincount(place.reshape(-1), counts).astype(np.int64)
        looked_at, distances = _look(spots, weight, random_state)
        for k in sizes:
            if points.shape[1] and k <= len(spots):
                labels = _nearest(spots, _fit_centres(spots, weight, k, random_state, n_init=2))
                best[k] = max(best[k], _silhouette(labels[looked_at], distances))
    return best


def _choose(quality: pd.DataFrame, bar: float, resample: Callable[[int], float]) -> tuple[int, str]:
    """Go from the clearest grouping down; resample no further than the rule looks."""
    clear = quality[quality["silhouette"] > bar].sort_values("silhouette", ascending=False)
    large = clear[clear["smallest_share"] >= SMALLEST]
    for least in (STABLE, WEAK):
        fit: list[int] = []
        enough = -1.0
        for k, silhouette in zip(large["n_clusters"], large["silhouette"], strict=True):
            if silhouette >= enough and resample(k) >= least:
                fit.append(int(k))
                enough = max(enough, silhouette - AS_CLEAR)
        if fit:
            return min(fit), ""
    clearest = int(quality.loc[quality["silhouette"].idxmax(), "n_clusters"])
    if clear.empty:
        return clearest, "no clearer than the same touchpoints dealt out at random"
    return clearest, "every grouping dissolves when journeys are drawn anew"


def _draw(weight: Ints, size: int, rng: np.random.Generator) -> Ints:
    return rng.multinomial(size, weight / weight.sum())


def _fit_centres(spots: Floats, weight: Ints, k: int, seed: int, *, n_init: int) -> Floats:
    from sklearn.cluster import KMeans

    there = weight > 0
    k = min(k, int(there.sum()))  # k-means warns when it has fewer points than groups
    means = KMeans(k, n_init=n_init, random_state=seed)
    return np.asarray(means.fit(spots[there], sample_weight=weight[there]).cluster_centers_)


def _nearest(spots: Floats, centres: Floats) -> Ints:
    return np.argmin((centres**2).sum(axis=1) - 2 * spots @ centres.T, axis=1)


def _look(spots: Floats, weight: Ints, seed: int) -> tuple[Ints, Floats]:
    """Draw points to measure silhouettes on, with their distances."""
    from sklearn.metrics import pairwise_distances

    rng = np.random.default_rng(seed)
    drawn = np.repeat(np.arange(len(spots)), _draw(weight, LOOKED_AT, rng))
    return drawn, pairwise_distances(spots[drawn])


def _silhouette(labels: Ints, distances: Floats) -> float:
    from sklearn.metrics import silhouette_score

    if len(np.unique(labels)) < 2:
        return 0.0
    return float(silhouette_score(distances, labels, metric="precomputed"))


def _resample(
    spots: Floats, weight: Ints, labels: Ints, k: int, n_resamples: int, seed: int
) -> Floats:
    """Return the mean Jaccard similarity of each group with its best match in a resample."""
    similarity = np.zeros(k)
    for b in range(n_resamples):
        rng = np.random.default_rng([seed, b])
        again = _draw(weight, int(weight.sum()), rng)
        found = _nearest(spots, _fit_centres(spots, again, k, b, n_init=3))
        both = np.zeros((k, k))
        np.add.at(both, (labels, found), weight)
        either = both.sum(axis=1)[:, None] + both.sum(axis=0) - both
        similarity += np.divide(both, either, out=np.zeros((k, k)), where=either > 0).max(axis=1)
    return similarity / n_resamples
