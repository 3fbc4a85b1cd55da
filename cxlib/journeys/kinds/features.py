"""Paths as points: what touchpoints a journey holds, and what comes before what."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.journeys.walks import Ints, Walks, read_letters, write_letters

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]
DIMENSIONS = 10
WINDOW = 3  # steps between two touchpoints that make a pair
LONGEST = 500  # steps of a journey that are looked at: robots must not set the pace
DRAWN = 20_000  # journeys that a space or groups are fitted to when there are more


@dataclass(frozen=True)
class Ways:
    """Distinct paths without repeats: staying at a touchpoint does not make another way.

    Parameters
    ----------
    places : list of str
        Names of the places; the position is the code.
    letters : list of str
        The ways, one letter a step.
    n : ndarray of int, shape (ways,)
        Journeys.
    n_several : ndarray of int, shape (ways,)
        Journeys of several contacts: one contact alone shows no way and forms no kind.
    of_walk : ndarray of int, shape (walks,)
        Way of each distinct path.
    """

    places: list[str]
    letters: list[str]
    n: Ints
    n_several: Ints
    of_walk: Ints


@dataclass(frozen=True)
class Features:
    """What ways hold.

    Parameters
    ----------
    holds : scipy.sparse.csr_matrix of shape (ways, features)
        1 where a way holds a feature, whether once or often.
    names : pandas.DataFrame, one row per feature
        `origin` and `target`, names of places; a single touchpoint has no `target` (empty text).
    """

    holds: csr_matrix
    names: pd.DataFrame


@dataclass(frozen=True)
class Space:
    """Where ways lie.

    Parameters
    ----------
    features : pandas.DataFrame, one row per feature that tells journeys apart
        `origin`, `target`, `weight`.
    components : ndarray of shape (features, dimensions)
        Coordinates of each feature.
    """

    features: pd.DataFrame
    components: Floats


def fold_walks(walks: Walks, *, without: Collection[int] = ()) -> Ways:
    """Take repeats as one, and journeys that then go the same way together.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`.
    without : collection of int, default ()
        Codes of places that must not tell journeys apart, such as the goal.

    Returns
    -------
    Ways
        Of the first 500 steps of each journey.
    """
    letters = [text[:LONGEST] for text in walks.paths["letters"]]
    codes, row = read_letters(letters)
    if without:
        kept = ~np.isin(codes, list(without))
        codes, row = codes[kept], row[kept]
    several = np.bincount(row, minlength=len(letters)) > 1
    changes = np.ones(len(codes), dtype=bool)
    changes[1:] = (codes[1:] != codes[:-1]) | (row[1:] != row[:-1])
    of_walk, ways = pd.factorize(
        np.array(write_letters(codes[changes], row[changes], len(letters)), dtype=object)
    )
    n = walks.paths["n"].to_numpy(np.int64)
    return Ways(
        walks.places.names,
        ways.tolist(),
        np.bincount(of_walk, n, len(ways)).astype(np.int64),
        np.bincount(of_walk, n * several, len(ways)).astype(np.int64),
        of_walk.astype(np.int64),
    )


def count_features(ways: Ways) -> Features:
    """List the touchpoints a way holds, and which comes before which.

    Parameters
    ----------
    ways : Ways
        From :func:`fold_walks`.

    Returns
    -------
    Features
        The touchpoints, and the ordered pairs of touchpoints at most 3 steps apart.

    Notes
    -----
    Pairs of neighbours alone would split a kind by each step that some of its journeys skip:
    without B, the way A B C D holds neither A B nor B C. Pairs up to 3 steps apart still hold
    A C, A D and C D.
    """
    from scipy.sparse import csr_matrix

    codes, row = read_letters(ways.letters)
    size = len(ways.places)
    rows, columns = [row], [codes]
    for gap in range(1, WINDOW + 1):
        same = row[gap:] == row[:-gap]
        rows.append(row[gap:][same])
        columns.append((size * (codes[:-gap] + 1) + codes[gap:])[same])
    column = np.concatenate(columns)
    there = np.bincount(column, minlength=1) > 0
    found = np.flatnonzero(there)
    place = (np.cumsum(there) - 1).astype(np.int32)[column]
    where = (np.concatenate(rows).astype(np.int32), place)
    shape = (len(ways.letters), len(found))
    holds = csr_matrix((np.ones(len(place)), where), shape=shape)
    holds.data[:] = 1
    names = np.array([*ways.places, ""], dtype=object)
    single = found < size
    origin = np.where(single, found, found // max(size, 1) - 1)
    target = np.where(single, size, found % max(size, 1))
    return Features(holds, pd.DataFrame({"origin": names[origin], "target": names[target]}))


def fit_space(features: Features, n: Ints, *, random_state: int = 0) -> Space:
    """Find a space where similar ways lie close together.

    Parameters
    ----------
    features : Features
        From :func:`count_features`.
    n : ndarray of int, shape (ways,)
        How often each way counts.
    random_state : int, default 0
        Seed of the draw and of the decomposition.

    Returns
    -------
    Space
        Without features when none tells journeys apart.

    Notes
    -----
    Features are weighted by ln((1 + N) / (1 + n_f)) + 1 over the N journeys, ways are scaled to
    length 1, and the 10 leading singular vectors (each way counted `n` times) are kept. Features
    of fewer than 5 journeys or 0.5 % of them, or of all, say nothing about kinds and are left out.
    With more than 20,000 ways, the vectors are those of 20,000 journeys drawn.

    References
    ----------
    .. [1] G. Salton, C. Buckley (1988). Term-weighting approaches in automatic text retrieval.
           Information Processing & Management 24, 513-523.
    """
    n_holding, total = features.holds.T @ n, n.sum()
    telling = (n_holding >= max(5, 0.005 * total)) & (n_holding < total)
    weight = np.log((1 + total) / (1 + n_holding[telling])) + 1
    table = features.names[telling].assign(weight=weight).reset_index(drop=True)
    if telling.sum() <= DIMENSIONS:
        return Space(table, np.eye(int(telling.sum())))
    drawn = draw_journeys(n, DRAWN, random_state)
    there = drawn > 0
    held = _scale(features.holds[there][:, telling].multiply(weight).tocsr())
    return Space(table, find_components(held, drawn[there], random_state=random_state))


def find_components(held: csr_matrix, n: Ints, *, random_state: int) -> Floats:
    """Find the directions in which rows differ most.

    Parameters
    ----------
    held : scipy.sparse.csr_matrix of shape (rows, features)
        Rows.
    n : ndarray of int
        How often each row counts.
    random_state : int
        Seed of the randomised decomposition.

    Returns
    -------
    ndarray of shape (features, dimensions)
        The leading right singular vectors.
    """
    from sklearn.decomposition import TruncatedSVD

    svd = TruncatedSVD(min(DIMENSIONS, held.shape[1]), random_state=random_state)
    svd.fit(held.multiply(np.sqrt(n)[:, None]).tocsr())
    return np.asarray(svd.components_.T)


def place_ways(features: Features, space: Space) -> Floats:
    """Place ways in a space, of the same journeys or of others.

    Parameters
    ----------
    features : Features
        From :func:`count_features`; what the space does not know is left out.
    space : Space
        From :func:`fit_space`.

    Returns
    -------
    ndarray of shape (ways, dimensions)
        Points on the unit sphere; the origin for ways without a feature of the space.
    """
    from sklearn.preprocessing import normalize

    known = features.names.reset_index().merge(
        space.features.reset_index(names="feature"), on=["origin", "target"]
    )
    held = features.holds[:, known["index"].to_numpy()].multiply(known["weight"].to_numpy())
    points = held.tocsr() @ space.components[known["feature"].to_numpy()]
    return np.asarray(normalize(points)) if points.shape[1] else points


def count_transition_shares(ways: Ways) -> csr_matrix:
    """Describe every way as a Markov chain of the first order.

    Parameters
    ----------
    ways : Ways
        From :func:`fold_walks`.

    Returns
    -------
    scipy.sparse.csr_matrix of shape (ways, transitions)
        Square roots of the shares of its transitions, the one from the start included, so that
        Euclidean distances are Hellinger distances (times the root of 2).
    """
    from scipy.sparse import csr_matrix

    codes, row = read_letters(ways.letters)
    size = len(ways.places)
    before = np.full(len(codes), size)
    before[1:] = np.where(row[1:] == row[:-1], codes[:-1], size)
    found, column = np.unique(before * size + codes, return_inverse=True)
    share = 1 / np.bincount(row, minlength=len(ways.letters))[row] if len(row) else row
    shape = (len(ways.letters), len(found))
    return csr_matrix((share, (row, column.reshape(-1))), shape=shape).sqrt()


def draw_journeys(n: Ints, size: int, seed: int) -> Ints:
    """Draw journeys when there are more ways than can be looked at.

    Parameters
    ----------
    n : ndarray of int, shape (ways,)
        Journeys of each way.
    size : int
        Journeys drawn.
    seed : int
        Seed.

    Returns
    -------
    ndarray of int, shape (ways,)
        Journeys drawn of each way; `n` itself when at most `size` ways occur.
    """
    if np.count_nonzero(n) <= size:
        return n
    return np.random.default_rng(seed).multinomial(size, n / n.sum())


def _scale(rows: csr_matrix) -> csr_matrix:
    from sklearn.preprocessing import normalize

    return normalize(rows)
