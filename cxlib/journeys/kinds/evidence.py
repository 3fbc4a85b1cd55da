"""Evidence on groups of journeys: seen in two ways, drawn anew, and where there are none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cxlib.journeys.kinds.centres import find_nearest, find_spots, fit_centres
from cxlib.journeys.kinds.distances import measure_lcs
from cxlib.journeys.kinds.features import (
    DRAWN,
    Floats,
    Ints,
    Ways,
    count_features,
    count_transition_shares,
    draw_journeys,
    find_components,
    fit_space,
    fold_walks,
    place_ways,
)
from cxlib.journeys.kinds.indices import measure_silhouette
from cxlib.journeys.walks import Walks, read_letters, write_letters

LOOKED_AT = 700  # journeys drawn to compare two representations
N_LOOKS = 3
N_SHUFFLES = 19  # to beat all of them by chance has probability 1 in 20
SHUFFLED = 400  # journeys of each
REDRAWN = 2_000  # journeys of a resample


@dataclass(frozen=True)
class Look:
    """Some journeys in two representations.

    Parameters
    ----------
    ways : ndarray of int, shape (journeys,)
        The way of each journey drawn.
    near : ndarray of shape (journeys, journeys)
        Distances between their points.
    common : ndarray of shape (journeys, journeys)
        Distances by longest common subsequence.
    """

    ways: Ints
    near: Floats
    common: Floats

    @property
    def n(self) -> Ints:
        """Each journey counts once."""
        return np.ones(len(self.ways), dtype=np.int64)


def take_look(ways: Ways, points: Floats, *, size: int = LOOKED_AT, seed: int = 0) -> Look:
    """Draw journeys of several contacts and measure how far apart they are.

    Parameters
    ----------
    ways : Ways
        From :func:`cxlib.journeys.kinds.features.fold_walks`.
    points : ndarray of shape (ways, dimensions)
        Where they lie.
    size : int, default 700
        Journeys drawn, fewer when there are fewer.
    seed : int, default 0
        Seed.

    Returns
    -------
    Look
        The journeys, with repetitions where a way is drawn more than once.
    """
    from sklearn.metrics import pairwise_distances

    n = ways.n_several
    times = n
    if n.sum() > size:
        times = np.random.default_rng(seed).multivariate_hypergeometric(n, size, method="marginals")
    drawn = np.repeat(np.arange(len(n)), times)
    letters = [ways.letters[way] for way in drawn]
    return Look(drawn, pairwise_distances(points[drawn]), measure_lcs(letters))


def measure_clarity(look: Look, labels: Ints) -> tuple[float, float]:
    """Measure how clear groups are in both representations.

    Parameters
    ----------
    look : Look
        From :func:`take_look`.
    labels : ndarray of int, shape (ways,)
        Group of each way.

    Returns
    -------
    tuple of float
        Silhouettes on the distances of points, and on those by longest common subsequence.
    """
    own = labels[look.ways]
    return (
        measure_silhouette(look.near, own, look.n),
        measure_silhouette(look.common, own, look.n),
    )


def group_by_lcs(look: Look, sizes: Sequence[int]) -> dict[int, Ints]:
    """Group the journeys of a look by longest common subsequence alone.

    Parameters
    ----------
    look : Look
        From :func:`take_look`.
    sizes : sequence of int
        Numbers of groups.

    Returns
    -------
    dict of int to ndarray of int
        For each number, the group of each journey, by Ward's criterion.

    References
    ----------
    .. [1] J. H. Ward (1963). Hierarchical grouping to optimize an objective function. JASA 58,
           236-244.
    """
    from scipy.cluster.hierarchy import cut_tree, linkage
    from scipy.spatial.distance import squareform

    tree = linkage(squareform(look.common, checks=False), "ward")
    cuts = cut_tree(tree, n_clusters=[min(k, len(look.ways)) for k in sizes])
    return {k: cuts[:, i] for i, k in enumerate(sizes)}


def group_by_transitions(
    ways: Ways, sizes: Sequence[int], *, random_state: int = 0
) -> dict[int, Ints]:
    """Group ways by their transitions alone.

    Parameters
    ----------
    ways : Ways
        From :func:`cxlib.journeys.kinds.features.fold_walks`.
    sizes : sequence of int
        Numbers of groups.
    random_state : int, default 0
        Seed.

    Returns
    -------
    dict of int to ndarray of int
        For each number, the group of each way, by k-means on the Markov profiles.
    """
    from sklearn.preprocessing import normalize

    shares = count_transition_shares(ways)
    drawn = draw_journeys(ways.n_several, DRAWN, random_state)
    there = drawn > 0
    axes = find_components(shares[there], drawn[there], random_state=random_state)
    points = normalize(shares @ axes)
    spots, weight = find_spots(points, drawn)
    fits = {
        k: fit_centres(spots, weight, k, seed=random_state, n_init=2)
        for k in sizes
        if k <= len(spots)
    }
    return {k: find_nearest(points, centres)[0] for k, centres in fits.items()}


def find_null_clarity(
    walks: Walks, *, sizes: Sequence[int], without: Collection[int] = (), random_state: int = 0
) -> pd.Series:
    """Measure how clear groups look where there are none.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`.
    sizes : sequence of int
        Numbers of groups to try.
    without : collection of int, default ()
        Places to leave out.
    random_state : int, default 0
        Seed.

    Returns
    -------
    pandas.Series of float, by number of groups
        The largest clarity, the lesser of the two silhouettes, among 19 sets of up to 400 journeys
        of the same lengths whose touchpoints were dealt out anew.
    """
    best = pd.Series(0.0, index=list(sizes))
    several = walks.paths[walks.paths["letters"].str.len() > 1]
    for number in range(N_SHUFFLES):
        rng = np.random.default_rng([random_state, number])
        dealt = replace(walks, paths=deal_out(several, size=SHUFFLED, rng=rng))
        ways = fold_walks(dealt, without=without)
        features = count_features(ways)
        space = fit_space(features, ways.n_several, random_state=random_state)
        points = place_ways(features, space)
        if not points.shape[1] or not ways.n_several.any():
            continue
        look = take_look(ways, points, size=SHUFFLED)
        spots, weight = find_spots(points, ways.n_several)
        for k in (k for k in sizes if k <= len(spots)):
            centres = fit_centres(spots, weight, k, seed=random_state, n_init=1)
            clarity = min(measure_clarity(look, find_nearest(points, centres)[0]))
            best[k] = max(best[k], clarity)
    return best


def deal_out(paths: pd.DataFrame, *, size: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw journeys and deal their touchpoints out anew.

    Parameters
    ----------
    paths : pandas.DataFrame, one row per distinct path
        `letters`, `n`.
    size : int
        Most journeys to draw.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    pandas.DataFrame, one row per journey drawn
        `letters`, `n` (1): similar journeys, of the same lengths, in which no kinds exist.
    """
    n = paths["n"].to_numpy(np.int64)
    drawn = rng.choice(len(n), min(size, int(n.sum())), p=n / n.sum())
    codes, row = read_letters(paths["letters"].to_numpy()[drawn])
    dealt = write_letters(rng.permutation(codes), row, len(drawn))
    return pd.DataFrame({"letters": dealt, "n": 1})


def resample_groups(
    spots: Floats, weight: Ints, centres: Floats, *, n_resamples: int, random_state: int
) -> Floats:
    """Draw journeys anew, group them again and look for each group.

    Parameters
    ----------
    spots : ndarray of shape (spots, dimensions)
        Distinct points.
    weight : ndarray of int, shape (spots,)
        Journeys at each.
    centres : ndarray of shape (groups, dimensions)
        Centres of the groups.
    n_resamples : int
        Bootstrap resamples, of up to 2,000 journeys.
    random_state : int
        Seed.

    Returns
    -------
    ndarray of shape (resamples, groups)
        Jaccard similarity of each group with its best match, all spots put to the nearest centre.

    References
    ----------
    .. [1] C. Hennig (2007). Cluster-wise assessment of cluster stability. Computational Statistics
           & Data Analysis 52, 258-271.
    """
    k = len(centres)
    labels = find_nearest(spots, centres)[0]
    size = int(min(weight.sum(), REDRAWN))
    found = np.empty((n_resamples, k))
    for number in range(n_resamples):
        rng = np.random.default_rng([random_state, number])
        again = rng.multinomial(size, weight / weight.sum())
        others = find_nearest(spots, fit_centres(spots, again, k, seed=number, n_init=2))[0]
        found[number] = match_groups(labels, others, weight)
    return found


def match_groups(labels: Ints, others: Ints, n: Ints) -> Floats:
    """Find out how well each group is met by a group of another grouping.

    Parameters
    ----------
    labels : ndarray of int, shape (points,)
        Groups, from 0.
    others : ndarray of int, shape (points,)
        Groups of the other grouping, from 0.
    n : ndarray of int, shape (points,)
        How often each point counts.

    Returns
    -------
    ndarray of shape (groups,)
        Jaccard similarity with the best match: what is in both over what is in either.
    """
    both = np.zeros((labels.max() + 1, others.max() + 1))
    np.add.at(both, (labels, others), n)
    either = both.sum(axis=1)[:, None] + both.sum(axis=0) - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0).max(axis=1)
