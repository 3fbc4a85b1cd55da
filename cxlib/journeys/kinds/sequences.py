"""Kinds of journey step by step: who is where, and journeys laid side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from cxlib.errors import InputError, TooLittleData
from cxlib.journeys.counts import Ints, fetch_counts, indicate, spread_counts
from cxlib.journeys.kinds.describe import code_segments, measure_distances
from cxlib.journeys.log import END, OPEN
from cxlib.journeys.walks import FIRST_LETTER, Walks, letter
from cxlib.schema import ARROW
from cxlib.stats import clustered_share_interval


def list_positions(
    walks: Walks, labels: Sequence[str], *, n_steps: int = 10, conf_level: float = 0.95
) -> pd.DataFrame:
    """List where the journeys of each kind are at each step.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`.
    labels : sequence of str
        Segment of each distinct path, in the order of `walks.paths`.
    n_steps : int, default 10
        Steps looked at.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per segment, step and place that occurs
        `segment`, `step` (from 1), `touchpoint` (whatever the view; ``(end)`` after the last step,
        ``(open)`` after that of a journey that may still go on), `n`, `share` (of all the
        segment's journeys), `conf_low`, `conf_high`, and `entropy` of the step, 0 (all at one
        place) to 1; large segments first, then by step, the commonest place first.

    Raises
    ------
    InputError
        When there is not one label for each path, or no step is asked for.

    Notes
    -----
    Shares of a step add up to 1. The entropy is - sum p ln p over ln of the number of places, end
    and open included. Intervals are clustered by customer.

    References
    ----------
    .. [1] C. E. Shannon (1948). A mathematical theory of communication. Bell System Technical
           Journal 27, 379-423.
    .. [2] A. Gabadinho, G. Ritschard, N. S. Müller, M. Studer (2011). Analyzing and visualizing
           state sequences in R with TraMineR. J. Statistical Software 40 (4).
    """
    _check_steps(n_steps)
    segments, codes = code_segments(walks, labels)
    names = [*walks.places.names, END, OPEN]
    # a path stands twice: for journeys that are over, and for those that may go on
    journeys = walks.journeys.mutate(is_open=walks.journeys["is_open"].ifelse(1, 0))
    counts = fetch_counts(journeys, "walk", "is_open")
    unit = counts["walk"] * 2 + counts["is_open"]
    by_customer = spread_counts(counts["n"], counts["customer"], unit, 2 * len(codes))
    segment = np.repeat(codes, 2)
    at_step = np.repeat(spread_steps(walks.paths["letters"], n_steps), 2, axis=0)
    after = np.where(np.arange(len(at_step)) % 2, names.index(OPEN), names.index(END))
    at_step = np.where(at_step < 0, after[:, None], at_step)
    sizes = by_customer @ indicate(segment, len(segments))
    total, squares = sizes.sum(axis=0), (sizes * sizes).sum(axis=0)
    tables = []
    for step in range(n_steps):
        cells = by_customer @ indicate(
            segment * len(names) + at_step[:, step], len(segments) * len(names)
        )
        whole = np.repeat(np.arange(len(segments)), len(names))
        mixed = (cells.T @ sizes).toarray()[np.arange(len(whole)), whole]
        table = pd.DataFrame(
            {
                "segment": whole,
                "step": step + 1,
                "touchpoint": np.tile(np.array(names, dtype=object), len(segments)),
                "n": cells.sum(axis=0),
                "total": total[whole],
                "xx": (cells * cells).sum(axis=0),
                "xy": mixed,
                "yy": squares[whole],
            }
        )
        tables.append(table[table["n"] > 0])
    return _write_positions(pd.concat(tables), segments, len(names), conf_level)


def list_sequences(
    walks: Walks,
    labels: Sequence[str],
    representatives: pd.DataFrame,
    *,
    n_journeys: int = 60,
    n_steps: int = 10,
    min_cell: int = 10,
    random_state: int = 0,
) -> pd.DataFrame:
    """Lay journeys of each kind side by side, those like its representative first.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`.
    labels : sequence of str
        Segment of each distinct path, in the order of `walks.paths`.
    representatives : pandas.DataFrame
        From :func:`cxlib.journeys.find_representatives` on the same walks.
    n_journeys : int, default 60
        Journeys drawn of each segment, all when it has fewer.
    n_steps : int, default 10
        Steps shown of a journey.
    min_cell : int, default 10
        Segments with fewer journeys are left out.
    random_state : int, default 0
        Seed of the draw.

    Returns
    -------
    pandas.DataFrame, one row per journey drawn and step
        `segment`, `row` (from 1), `distance` (steps to insert or delete to come from the first
        representative), `step` (from 1), `touchpoint`; a journey that may go on has ``(open)``
        after its last step.

    Raises
    ------
    InputError
        When there is not one label for each path, or no step is asked for.
    TooLittleData
        When no segment has `min_cell` journeys.

    Notes
    -----
    Journeys are drawn without replacement. Equal distances go by the path, so that alike journeys
    lie together.
    """
    _check_steps(n_steps)
    segments, codes = code_segments(walks, labels)
    names = np.array([*walks.places.names, OPEN], dtype=object)
    letter_of = {name: letter(place) for place, name in enumerate(walks.places.names)}
    first = representatives.drop_duplicates("segment").set_index("segment")["path"]
    paths = walks.paths["letters"].to_numpy(dtype=object)
    n_open = walks.paths["n_open"].to_numpy(np.int64)
    n = np.column_stack([walks.paths["n"] - n_open, n_open]).ravel()
    tables = []
    for code, segment in enumerate(segments):
        own = np.flatnonzero((np.repeat(codes, 2) == code) & (n > 0))
        size = min(n_journeys, int(n[own].sum()))
        if n[own].sum() < min_cell:
            continue
        rng = np.random.default_rng([random_state, code])
        drawn = np.repeat(own, rng.multivariate_hypergeometric(n[own], size, method="marginals"))
        model = "".join(letter_of[name] for name in first[segment].split(ARROW))
        distance = measure_distances(model, paths[drawn // 2].tolist())
        order = np.lexsort((drawn, paths[drawn // 2].astype(str), distance))
        drawn, distance = drawn[order], distance[order]
        grid = spread_steps(paths[drawn // 2], n_steps)
        length = (grid >= 0).sum(axis=1)
        goes_on = (drawn % 2 == 1) & (length < n_steps)
        grid[goes_on, length[goes_on]] = len(names) - 1
        row, step = np.nonzero(grid >= 0)
        laid = {"segment": segment, "row": row + 1, "distance": distance[row], "step": step + 1}
        tables.append(pd.DataFrame({**laid, "touchpoint": names[grid[row, step]]}))
    if not tables:
        raise TooLittleData(f"No kind of journey has {min_cell} journeys.")
    return pd.concat(tables, ignore_index=True)


def spread_steps(letters: Iterable[str], n_steps: int) -> Ints:
    """Write the first steps of paths as a table of places.

    Parameters
    ----------
    letters : iterable of str
        One letter a step.
    n_steps : int
        Steps kept.

    Returns
    -------
    ndarray of int, shape (paths, n_steps)
        Codes of places, -1 after the last step.
    """
    text = np.array([path[:n_steps] for path in letters], dtype=f"<U{n_steps}")
    grid = text.view(np.uint32).reshape(len(text), n_steps).astype(np.int64)
    return np.where(grid > 0, grid - FIRST_LETTER, -1)


def _check_steps(n_steps: int) -> None:
    if n_steps < 1:
        raise InputError(
            f"n_steps = {n_steps} shows no step.", "argument 'n_steps'", "give 1 or more"
        )


def _write_positions(
    table: pd.DataFrame, segments: list[str], n_places: int, conf_level: float
) -> pd.DataFrame:
    share = table["n"] / table["total"]
    sums = (table[name] for name in ("total", "xx", "xy", "yy"))
    low, high = clustered_share_interval(share, *sums, conf_level=conf_level)
    table = table.assign(share=share, conf_low=low, conf_high=high)
    spread = (-share * np.log(share)).groupby([table["segment"], table["step"]]).transform("sum")
    table["entropy"] = spread / np.log(n_places)
    order = ["segment", "step", "n", "touchpoint"]
    table = table.sort_values(order, ascending=[True, True, False, True], ignore_index=True)
    table["segment"] = np.array(segments, dtype=object)[table["segment"]]
    columns = ["segment", "step", "touchpoint", "n", "share", "conf_low", "conf_high", "entropy"]
    return table[columns]
