"""Journeys counted by customer, the clusters that intervals rest on, and by what paths hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from cxlib.errors import TooLittleData
from cxlib.journeys.walks import read_letters
from cxlib.stats import (
    clustered_share_size,
    share_correlation,
    share_difference_interval,
    wilson_interval,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def fetch_counts(journeys: ir.Table, *keys: str, closed_only: bool = False) -> pd.DataFrame:
    """Fetch how many journeys each customer has of each kind.

    Parameters
    ----------
    journeys : ibis Table, one row per journey
        `customer`, `is_open` and the columns named.
    *keys : str
        Columns of whole numbers that tell kinds apart.
    closed_only : bool, default False
        Leave out journeys that may still go on.

    Returns
    -------
    pandas.DataFrame, one row per customer and kind
        `customer` (from 0, without holes), the columns named (-1 where empty) and `n`.

    Raises
    ------
    TooLittleData
        When every journey may still go on, and these are left out.
    """
    from ibis import _

    kept = journeys.filter(~_.is_open) if closed_only else journeys
    named = kept.mutate(**{key: _[key].fill_null(-1) for key in keys})
    counts = named.group_by("customer", *keys).agg(n=_.count()).to_pandas().astype(np.int64)
    if counts.empty:
        raise TooLittleData("Every journey may still go on; none is closed yet.")
    counts["customer"] = pd.factorize(counts["customer"], sort=True)[0]
    return counts


def spread_counts(
    n: pd.Series, customers: pd.Series, cells: ArrayLike, n_cells: int
) -> sparse.csr_array:
    """Lay counts out by customer and cell.

    Parameters
    ----------
    n : pandas.Series of int
        Counts.
    customers : pandas.Series of int
        Customer of each count, from 0.
    cells : array_like of int
        Cell of each count, from 0; counts of the same customer and cell are added.
    n_cells : int
        Number of cells.

    Returns
    -------
    scipy.sparse.csr_array of int, shape (customers, cells)
        The counts.
    """
    shape = (int(customers.max()) + 1, n_cells)
    return sparse.coo_array(
        (n.to_numpy(), (customers.to_numpy(), np.asarray(cells))), shape=shape
    ).tocsr()


def indicate(groups: Ints, size: int) -> sparse.csr_array:
    """Write the group of each row as a one in its column.

    Parameters
    ----------
    groups : ndarray of int
        Group of each row, from 0.
    size : int
        Number of groups.

    Returns
    -------
    scipy.sparse.csr_array of int, shape (rows, groups)
        One one in each row.
    """
    ones = np.ones(len(groups), dtype=np.int64)
    return sparse.csr_array((ones, (np.arange(len(groups)), groups)), shape=(len(groups), size))


def estimate_shares(
    hits: sparse.csr_array, trials: sparse.csr_array, *, conf_level: float = 0.95
) -> pd.DataFrame:
    """Estimate shares whose trials come in clusters.

    Parameters
    ----------
    hits : scipy.sparse.csr_array of int, shape (customers, k)
        Hits of each customer.
    trials : scipy.sparse.csr_array of int, shape (customers, k) or (customers, 1)
        Trials of each customer.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per share
        `n_trials`, `n_hits`, `share` (empty without trials), `conf_low`, `conf_high` and `size`,
        the effective number of trials.

    Notes
    -----
    Wilson intervals at the effective size of a ratio over clusters.

    References
    ----------
    .. [1] W. G. Cochran (1977). Sampling Techniques, 3rd ed., section 3.12.
    """
    k = hits.shape[1]
    n_hits = hits.sum(axis=0)
    n_trials = np.broadcast_to(trials.sum(axis=0), k)
    hits_trials = (hits.tocsc() if trials.shape[1] == k else hits).multiply(trials).sum(axis=0)
    squares = np.broadcast_to(trials.multiply(trials).sum(axis=0), k)
    with np.errstate(invalid="ignore"):
        share = n_hits / n_trials
    products = (hits.multiply(hits).sum(axis=0), hits_trials, squares)
    size = clustered_share_size(share, n_trials, *products)
    low, high = wilson_interval(share, size, conf_level=conf_level)
    columns = {"n_trials": n_trials, "n_hits": n_hits, "share": share}
    return pd.DataFrame({**columns, "conf_low": low, "conf_high": high, "size": size})


def compare_shares(
    hits: sparse.csr_array, trials: sparse.csr_array, *, conf_level: float = 0.95
) -> dict[str, float]:
    """Compare two shares of the same customers.

    Parameters
    ----------
    hits, trials : scipy.sparse.csr_array of int, shape (customers, 2)
        Hits and trials of each customer, the share of interest first, then its base.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    dict of str to float
        `difference`, `difference_low`, `difference_high` and `lift` (the ratio), `lift_low`,
        `lift_high`; empty where a side has no trials, infinite where the base is 0.

    Notes
    -----
    The ends come from those of the two Wilson intervals at effective sizes and from the correlation
    of the shares over customers (MOVER), so they keep to what shares can be.

    References
    ----------
    .. [1] R. G. Newcombe (1998). Improved confidence intervals for the difference between binomial
           proportions based on paired data. Statistics in Medicine 17, 2635-2650.
    .. [2] A. Donner, G. Y. Zou (2012). Closed-form confidence intervals for functions of the normal
           mean and standard deviation. Statistical Methods in Medical Research 21, 347-359.
    """
    table = estimate_shares(hits, trials, conf_level=conf_level)
    names = ("difference", "lift")
    if not table["n_trials"].all():
        return {f"{name}{end}": np.nan for name in names for end in ("", "_low", "_high")}
    shares, sizes = table["share"].to_numpy(), table["size"].to_numpy()
    errors = hits - trials.multiply(shares[None, :]).tocsr()
    covariance = errors[:, [0]].multiply(errors[:, [1]]).sum() / table["n_trials"].prod()
    (p, base), (size, base_size) = shares, sizes
    pair = ([base], [base_size], [p], [size])
    (r,) = share_correlation(*pair, covariance)
    (low,), (high,) = share_difference_interval(*pair, r, conf_level=conf_level)
    (down, base_down), (up, base_up) = (
        np.abs(table["share"] - table[end]) for end in ("conf_low", "conf_high")
    )
    return {
        "difference": p - base,
        "difference_low": low,
        "difference_high": high,
        "lift": p / base if base else np.inf,
        "lift_low": _lift_end(p, base, down, base_up, r, -1),
        "lift_high": _lift_end(p, base, up, base_down, r, 1),
    }


def _lift_end(p: float, base: float, one: float, other: float, r: float, sign: int) -> float:
    """Solve (p - lift base)^2 = one^2 + lift^2 other^2 - 2 r lift one other for the lift."""
    a, b, c = base**2 - other**2, p * base - r * one * other, p**2 - one**2
    root = np.sqrt(max(b**2 - a * c, 0))
    if sign > 0:
        return float((b + root) / a) if a > 0 else np.inf
    return float(c / (b + root)) if b + root > 0 else 0.0


def hold_places(letters: Sequence[str], n_places: int) -> sparse.csr_array:
    """Tell which path holds which place.

    Parameters
    ----------
    letters : sequence of str
        Paths, one letter a step.
    n_places : int
        Number of places.

    Returns
    -------
    scipy.sparse.csr_array of int, shape (paths, places)
        1 where the path holds the place, whether once or often.
    """
    codes, path = read_letters(letters)
    ones = np.ones(len(codes), dtype=np.int64)
    shape = (len(letters), n_places)
    return sparse.coo_array((ones, (path, codes)), shape=shape).tocsr().sign()


def find_previous(paths: Ints, places: Ints) -> Ints:
    """Find the last earlier step of the same path at the same place.

    Parameters
    ----------
    paths, places : ndarray of int, shape (steps,)
        Path and place of each step, in the order of the steps.

    Returns
    -------
    ndarray of int, shape (steps,)
        Index of that step, -1 where there is none.
    """
    previous = np.full(len(paths), -1, dtype=np.int64)
    if len(paths):
        kinds = paths * (int(places.max()) + 1) + places
        order = np.argsort(kinds, kind="stable")
        again = kinds[order[1:]] == kinds[order[:-1]]
        previous[order[1:][again]] = order[:-1][again]
    return previous
