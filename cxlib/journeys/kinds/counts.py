"""Journeys of segments counted by customer, by group and by what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cxlib.errors import InputError
from cxlib.journeys.walks import FIRST_LETTER, Walks

if TYPE_CHECKING:
    import ibis.expr.types as ir

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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


def hold_places(walks: Walks) -> sparse.csr_array:
    """Tell which distinct path holds which place.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`.

    Returns
    -------
    scipy.sparse.csr_array of int, shape (paths, places)
        1 where the path holds the place.
    """
    letters = walks.paths["letters"]
    codes = np.frombuffer("".join(letters).encode("utf-32-le"), dtype=np.uint32) - FIRST_LETTER
    rows = np.repeat(np.arange(len(letters)), letters.str.len())
    shape = (len(letters), len(walks.places.names))
    holds = sparse.csr_array((np.ones(len(codes), dtype=np.int64), (rows, codes)), shape=shape)
    holds.data[:] = 1
    return holds


def count_by_customer(journeys: ir.Table, unit: Any, n_units: int) -> sparse.csr_array:
    """Count the journeys of each customer by unit.

    Parameters
    ----------
    journeys : ibis Table, one row per journey
        With `customer` (a code).
    unit : ibis column
        Unit of each journey, from 0.
    n_units : int
        Units there are.

    Returns
    -------
    scipy.sparse.csr_array of int, shape (customers, units)
        Journeys; rows and columns in order of the codes, so that sums repeat.
    """
    counts = journeys.group_by("customer", unit=unit).agg(n=journeys.count()).to_pandas()
    place = counts["customer"].to_numpy(np.int64), counts["unit"].to_numpy(np.int64)
    shape = (int(place[0].max()) + 1, n_units)
    by_customer = sparse.csr_array((counts["n"].to_numpy(np.int64), place), shape=shape)
    by_customer.sort_indices()
    return by_customer


def indicate(codes: Ints, size: int) -> sparse.csr_array:
    """Write codes as a table with a single 1 a row.

    Parameters
    ----------
    codes : ndarray of int
        Column of each row.
    size : int
        Columns.

    Returns
    -------
    scipy.sparse.csr_array of int, shape (codes, size)
        The indicators.
    """
    ones = np.ones(len(codes), dtype=np.int64)
    return sparse.csr_array((ones, codes, np.arange(len(codes) + 1)), shape=(len(codes), size))
