"""Real paths that stand for a kind of journey."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from cxlib.errors import InputError
from cxlib.journeys.counts import Ints
from cxlib.journeys.walks import Walks, spell

LONGEST = 500  # steps of a path that are compared
DRAWN = 1_000  # journeys of a segment drawn to look for representatives
MOST = 10  # representatives of a segment
FARTHEST = 0.99  # of the pairs of journeys: one robot must not set the scale


def code_segments(walks: Walks, labels: Sequence[str]) -> tuple[list[str], Ints]:
    """Give segments numbers, the one with most journeys first.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`.
    labels : sequence of str
        Segment of each distinct path.

    Returns
    -------
    tuple of list of str and ndarray of int, shape (paths,)
        Names of the segments, ties in order of the name, and the number of each path's segment.

    Raises
    ------
    InputError
        When there is not one label for each path.
    """
    if len(labels) != len(walks.paths):
        raise InputError(
            f"There are {len(labels):,} labels for {len(walks.paths):,} distinct paths.",
            "argument 'labels'",
            "give the segment of each row of walks.paths, fitted on the same walks",
        )
    sizes = walks.paths["n"].groupby(np.asarray(labels, dtype=object)).sum()
    segments = sizes.sort_index().sort_values(ascending=False, kind="stable").index
    return list(segments), segments.get_indexer(labels).astype(np.int64)


def find_representatives(
    walks: Walks,
    labels: Sequence[str],
    *,
    coverage: float = 0.25,
    neighbourhood: float = 0.1,
    random_state: int = 0,
) -> pd.DataFrame:
    """Find the few real paths that stand for each kind of journey.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`.
    labels : sequence of str
        Segment of each distinct path, in the order of `walks.paths`.
    coverage : float, default 0.25
        Share of a segment's journeys that must lie near one of its representatives.
    neighbourhood : float, default 0.1
        What is near, as a share of the maximal distance.
    random_state : int, default 0
        Seed of the journeys drawn in large segments.

    Returns
    -------
    pandas.DataFrame, one row per representative
        `segment`, `rank` (from 1), `path`, `n` (journeys that are exactly so), `n_covered` and
        `coverage_share` (of the segment's journeys, within the radius of this representative or
        one before it), `radius` (steps to insert or delete); large segments first.

    Raises
    ------
    InputError
        When there is not one label for each path, or a share is not between 0 and 1.

    Notes
    -----
    The distance of two paths is the number of steps to insert or delete to turn one into the
    other: both lengths less twice their longest common subsequence, over the first 500 steps.

    Candidates are the distinct paths of a segment, of 1,000 journeys drawn when there are more.
    Each next representative is the one with most journeys near it that none before is near to;
    ties go to the one nearer to all journeys on average, then to the commoner path. At most 10 are
    listed, so `coverage_share` may stay below `coverage`: the segment is then no single way.
    Coverage is counted over all journeys, not over those drawn. The maximal distance is the one
    that 99 % of the pairs of journeys do not exceed.

    References
    ----------
    .. [1] A. Gabadinho, G. Ritschard (2013). Searching for typical life trajectories applied to
           childbirth histories. In: Gendered Life Courses, 287-312.
    .. [2] G. L. Nemhauser, L. A. Wolsey, M. L. Fisher (1978). An analysis of approximations for
           maximizing submodular set functions. Mathematical Programming 14, 265-294.
    """
    for name, value in (("coverage", coverage), ("neighbourhood", neighbourhood)):
        if not 0 <= value <= 1:
            raise InputError(
                f"{name} = {value} is no share.", f"parameter '{name}'", "give a number from 0 to 1"
            )
    segments, codes = code_segments(walks, labels)
    letters = walks.paths["letters"].to_numpy(dtype=object)
    n = walks.paths["n"].to_numpy(np.int64)
    rows = []
    for code, segment in enumerate(segments):
        own = np.flatnonzero(codes == code)
        rng = np.random.default_rng([random_state, code])
        found = _cover([x[:LONGEST] for x in letters[own]], n[own], coverage, neighbourhood, rng)
        rows += [
            {
                "segment": segment,
                "rank": rank,
                "path": spell(letters[own[at]], walks.places),
                "n": n[own[at]],
                "n_covered": covered,
                "coverage_share": covered / n[own].sum(),
                "radius": radius,
            }
            for rank, (at, covered, radius) in enumerate(found, start=1)
        ]
    return pd.DataFrame(rows)


def measure_distances(path: str, others: Sequence[str], *, most: int | None = None) -> Ints:
    """Count the steps to insert or delete to turn a path into others.

    Parameters
    ----------
    path : str
        Letters of a path.
    others : sequence of str
        Letters of paths.
    most : int, optional
        Distances above it need not be exact; they come out as one more.

    Returns
    -------
    ndarray of int, shape (others,)
        Distances over the longest common subsequence.
    """
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cdist

    cut = [other[:LONGEST] for other in others]
    found = cdist([path[:LONGEST]], cut, scorer=Indel.distance, score_cutoff=most, dtype=np.int32)
    return found[0].astype(np.int64)


def _cover(
    paths: list[str], n: Ints, coverage: float, neighbourhood: float, rng: np.random.Generator
) -> Iterator[tuple[int, int, float]]:
    """Choose paths until enough journeys are near; yield place, journeys covered and radius."""
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cdist

    weight = n if len(paths) <= DRAWN else rng.multinomial(DRAWN, n / n.sum())
    drawn = np.flatnonzero(weight)
    weight = weight[drawn]
    candidates = [paths[i] for i in drawn]
    apart = cdist(candidates, candidates, scorer=Indel.distance, dtype=np.int32)
    pairs = np.bincount(apart.ravel(), np.outer(weight, weight).ravel())
    radius = neighbourhood * float(np.argmax(np.cumsum(pairs) >= FARTHEST * pairs.sum()))
    near, far_off = apart <= radius, apart @ weight
    covered = np.zeros(len(paths), dtype=bool)
    for _ in range(MOST):
        gain = near @ (weight * ~covered[drawn])
        best = int(np.lexsort((np.arange(len(drawn)), far_off, -gain))[0])
        covered |= measure_distances(candidates[best], paths, most=int(radius)) <= radius
        yield int(drawn[best]), int(n[covered].sum()), radius
        if covered[drawn].all() or n[covered].sum() >= coverage * n.sum():
            return
