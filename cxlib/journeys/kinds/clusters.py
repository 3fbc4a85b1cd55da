"""Groups of journeys, and how many of them the evidence bears."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import InputError
from cxlib.journeys.kinds.centres import find_nearest, find_spots, fit_centres, use_one_thread
from cxlib.journeys.kinds.evidence import (
    LOOKED_AT,
    N_LOOKS,
    find_null_clarity,
    group_by_lcs,
    group_by_transitions,
    match_groups,
    measure_clarity,
    resample_groups,
    take_look,
)
from cxlib.journeys.kinds.features import (
    DRAWN,
    Floats,
    Ints,
    Space,
    Ways,
    count_features,
    draw_journeys,
    fit_space,
    place_ways,
)
from cxlib.journeys.kinds.indices import measure_indices
from cxlib.journeys.walks import Walks

STABLE, WEAK = 0.75, 0.6
DISSOLVED = 0.5  # a Jaccard similarity below: most of the group is elsewhere
AGREED = 0.6  # Rand index, adjusted, of two representations that tell of the same groups
SMALLEST = 0.01  # share of journeys below which a group does not count
MOST = 8  # groups tried
FEWEST = 50  # journeys
FIRST_RESAMPLES = 15  # of each number of groups; the one chosen is drawn as often as asked for
AS_CLEAR = 0.02  # clarities this close are equal: twice the error of a mean over the journeys drawn


@dataclass(frozen=True)
class Clusters:
    """A grouping of ways.

    Parameters
    ----------
    labels : ndarray of int, shape (ways,)
        Group of each way, from 0, in the grouping chosen or, with a doubt, the clearest one.
    space : Space
        Where ways lie.
    centres : ndarray of shape (groups, dimensions)
        Centres of the groups.
    found : ndarray of shape (resamples, groups)
        Jaccard similarity of each group with its best match in each resample.
    agreement : dict of str to ndarray of shape (groups,)
        Jaccard similarity of each group with its best match by ``lcs`` and by ``markov``.
    quality : pandas.DataFrame, one row per number of groups tried
        See :class:`cxlib.journeys.kinds.segments.JourneySegments`.
    doubt : str
        Why there are no groups, in words; empty when there are.
    """

    labels: Ints
    space: Space
    centres: Floats
    found: Floats
    agreement: dict[str, Floats]
    quality: pd.DataFrame
    doubt: str


@use_one_thread()
def find_clusters(
    walks: Walks,
    ways: Ways,
    *,
    without: Collection[int] = (),
    n_clusters: int | None = None,
    n_resamples: int = 50,
    random_state: int = 0,
) -> Clusters:
    """Group ways and choose how many groups the evidence bears.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`.
    ways : Ways
        The same, folded.
    without : collection of int, default ()
        Places left out of `ways`.
    n_clusters : int, optional
        Number of groups, when it is not to be chosen.
    n_resamples : int, default 50
        Bootstrap resamples.
    random_state : int, default 0
        Seed.

    Returns
    -------
    Clusters
        The grouping chosen; the clearest one with the reason against it when there is none.

    Raises
    ------
    InputError
        When there are not as many different journeys of several contacts as groups asked for.

    Notes
    -----
    See :func:`cxlib.journeys.fit_segments` for the rule.
    """
    features = count_features(ways)
    space = fit_space(features, ways.n_several, random_state=random_state)
    points = place_ways(features, space)
    spots, weight = find_spots(points, draw_journeys(ways.n_several, DRAWN, random_state))
    n_spots = len(spots) if points.shape[1] else 1
    if n_clusters is not None and n_clusters > n_spots:
        raise InputError(
            f"{n_clusters} segments cannot be made of {n_spots} different journeys.",
            "parameter 'n_clusters'",
            "ask for fewer, or leave it out",
        )
    doubt = _doubt_data(ways, n_spots)
    if doubt:
        return _no_clusters(ways, space, points, doubt)
    sizes = [n_clusters] if n_clusters else list(range(2, min(MOST, n_spots) + 1))
    centres = {k: fit_centres(spots, weight, k, seed=random_state, n_init=5) for k in sizes}
    labels = {k: find_nearest(points, centres[k])[0] for k in sizes}
    quality, agreement = _weigh(ways, points, labels, random_state)
    bar = find_null_clarity(walks, sizes=sizes, without=without, random_state=random_state)
    quality.insert(4, "null_clarity", bar.to_numpy())

    def resample(k: int, n: int) -> Floats:
        """Look for k groups in n resamples."""
        return resample_groups(spots, weight, centres[k], n_resamples=n, random_state=random_state)

    found = {k: resample(k, min(n_resamples, FIRST_RESAMPLES)) for k in sizes}
    stability = [jaccard.mean(axis=0) for jaccard in found.values()]
    quality["stability_min"] = [each.min() for each in stability]
    quality["stability_mean"] = [
        np.average(each, weights=np.bincount(own, ways.n, len(each)))
        for each, own in zip(stability, labels.values(), strict=True)
    ]
    quality["holds"], doubt = _find_holding(quality, asked=n_clusters is not None)
    best = quality["clarity"].where(quality["holds"] | (not quality["holds"].any()))
    chosen = int(quality.loc[best >= best.max() - AS_CLEAR, "n_clusters"].max())
    shown = not doubt or n_clusters is not None
    quality["chosen"] = (quality["n_clusters"] == chosen) & shown
    again = resample(chosen, n_resamples)
    return Clusters(
        labels[chosen], space, centres[chosen], again, agreement[chosen], quality, doubt
    )


def _doubt_data(ways: Ways, n_spots: int) -> str:
    if ways.n.sum() < FEWEST:
        return f"fewer than {FEWEST} journeys are too few to look for kinds"
    if ways.n_several.sum() < FEWEST:
        return f"fewer than {FEWEST} journeys of more than one contact are too few"
    return "all journeys are alike" if n_spots < 2 else ""


def _no_clusters(ways: Ways, space: Space, points: Floats, doubt: str) -> Clusters:
    labels = np.zeros(len(ways.letters), dtype=np.int64)
    centre = np.average(points, axis=0, weights=ways.n)[None, :]
    nothing = {"lcs": np.full(1, np.nan), "markov": np.full(1, np.nan)}
    return Clusters(labels, space, centre, np.ones((1, 1)), nothing, pd.DataFrame(), doubt)


def _weigh(
    ways: Ways, points: Floats, labels: dict[int, Ints], random_state: int
) -> tuple[pd.DataFrame, dict[int, dict[str, Floats]]]:
    """Measure every grouping, and how far other representations find the same groups."""
    from sklearn.metrics import adjusted_rand_score

    by_transitions = group_by_transitions(ways, list(labels), random_state=random_state)
    looks = [take_look(ways, points, size=LOOKED_AT, seed=random_state + i) for i in range(N_LOOKS)]
    by_lcs = [group_by_lcs(look, list(labels)) for look in looks]
    rows, agreement = [], {}
    for k, own in labels.items():
        other = by_transitions.get(k, own)
        near, common = np.mean([measure_clarity(look, own) for look in looks], axis=0)
        seen = [own[look.ways] for look in looks]
        lcs = [(a, b[k]) for a, b in zip(seen, by_lcs, strict=True)]
        markov = [(a, other[look.ways]) for a, look in zip(seen, looks, strict=True)]
        shares = np.bincount(own, ways.n_several, minlength=k) / ways.n_several.sum()
        rows.append(
            {
                "n_clusters": k,
                "silhouette": near,
                "lcs_silhouette": common,
                "clarity": min(near, common),
                "smallest_share": shares.min(),
                "lcs_agreement": np.mean([adjusted_rand_score(a, b) for a, b in lcs]),
                "markov_agreement": np.mean([adjusted_rand_score(a, b) for a, b in markov]),
            }
        )
        agreement[k] = {"lcs": _match_all(lcs, k), "markov": _match_all(markov, k)}
    groupings = [own[looks[0].ways] for own in labels.values()]
    indices = measure_indices(looks[0].common, groupings, looks[0].n)
    return pd.DataFrame(rows).join(indices), agreement


def _match_all(pairs: Sequence[tuple[Ints, Ints]], k: int) -> Floats:
    matches = np.full((len(pairs), k), np.nan)  # a rare group may be missing among those drawn
    for row, (own, other) in zip(matches, pairs, strict=True):
        met = match_groups(own, other, np.ones(len(own), dtype=np.int64))
        row[: len(met)] = np.where(np.bincount(own) > 0, met, np.nan)
    seen = np.isfinite(matches)
    sums = np.where(seen, matches, 0).sum(axis=0)
    return np.divide(sums, seen.sum(axis=0), out=np.full(k, np.nan), where=seen.any(axis=0))


def _find_holding(quality: pd.DataFrame, *, asked: bool) -> tuple[pd.Series, str]:
    """Tell which groupings the evidence bears, or why it bears none."""
    clear = quality["clarity"] > quality["null_clarity"].max() + AS_CLEAR
    agreed = clear & (quality["lcs_agreement"] >= AGREED)
    large = agreed & (quality["smallest_share"] >= SMALLEST)
    for least in (STABLE, WEAK):
        holds = large & (quality["stability_min"] >= least)
        if holds.any():
            return holds, ""
    if not clear.any():
        return holds, "no clearer than the same touchpoints dealt out at random"
    if not agreed.any():
        return holds, "two ways of comparing journeys do not find the same groups"
    if asked:  # what is left speaks against some of the groups, not against all
        return holds, ""
    if not large.any():
        return holds, f"every grouping has a group of under {SMALLEST:.0%} of the journeys"
    return holds, "every grouping dissolves when journeys are drawn anew"
