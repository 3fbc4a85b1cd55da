"""What scale analysis needs of the answers: covariances, computed once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from cxlib.gaps.groups import natural_key
from cxlib.stats import Floats

# numbers with this few categories are poor stand-ins for a continuous scale
FEW_CATEGORIES = 4
_SPACED = 20_000


@dataclass(frozen=True)
class Moments:
    """Means and covariances of respondents who answered every item.

    Parameters
    ----------
    n : int
        Respondents.
    mean : ndarray, shape (k,)
        Means.
    covariance : ndarray, shape (k, k)
        Covariances, divisor n.
    """

    n: int
    mean: Floats
    covariance: Floats


def dimension_items(items: pd.Index, dimensions: pd.Series) -> dict[str, list[str]]:
    """Gather the items of each dimension.

    Parameters
    ----------
    items : pandas.Index
        Items there are answers to.
    dimensions : pandas.Series
        Dimension by item; empty or missing for items without one.

    Returns
    -------
    dict of str to list of str
        Items by dimension, dimensions in natural order.
    """
    known = dimensions[dimensions.notna() & dimensions.ne("")]
    names = sorted({str(name) for name in known.reindex(items).dropna()}, key=natural_key)
    return {
        name: [item for item in items if item in known.index and str(known[item]) == name]
        for name in names
    }


def pairwise_covariances(values: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Compute covariances of columns, each over the rows that hold both.

    Parameters
    ----------
    values : ndarray, respondents x items
        NaN where not answered.

    Returns
    -------
    covariances : ndarray, items x items
        Divisor n - 1; NaN where fewer than two rows hold both.
    n : ndarray of int, items x items
        Rows behind each.

    Notes
    -----
    Sums of products alone are needed, so 200,000 rows take a few hundredths of a second.
    """
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    filled = np.where(known, values, 0.0)
    mean = np.divide(filled.sum(axis=0), count, out=np.zeros(len(count)), where=count > 0)
    centred = np.where(known, filled - mean, 0.0)  # keeps the differences of sums accurate
    if known.all():
        n = np.full((len(count), len(count)), float(len(values)))
        sums = np.zeros_like(n)
    else:
        mask = known.astype(float)
        n = mask.T @ mask
        sums = centred.T @ mask  # of the first item, over the rows that hold both
    with np.errstate(invalid="ignore", divide="ignore"):
        covariances = (centred.T @ centred - sums * sums.T / n) / (n - 1)
    return np.where(n > 1, covariances, np.nan), n.astype(int)


def complete_rows(values: Floats) -> Floats:
    """Keep the rows without a missing value.

    Parameters
    ----------
    values : ndarray, respondents x items
        NaN where not answered.

    Returns
    -------
    ndarray
        Rows that are complete.
    """
    return values[~np.isnan(values).any(axis=1)]


def spaced_rows(rows: Floats) -> Floats:
    """Keep at most some 20,000 rows, evenly spaced.

    Parameters
    ----------
    rows : ndarray, respondents x items
        Any rows.

    Returns
    -------
    ndarray
        Enough of them for what a standard error needs, so that it costs the same for all n.
    """
    return rows[:: -(-len(rows) // _SPACED) or 1]


def take_moments(rows: Floats) -> Moments:
    """Compute means and covariances of complete rows.

    Parameters
    ----------
    rows : ndarray, respondents x items
        No missing values.

    Returns
    -------
    Moments
        With divisor n; zeros when there is no row.
    """
    n = max(len(rows), 1)
    mean = rows.sum(axis=0) / n
    centred = rows - mean
    return Moments(len(rows), mean, centred.T @ centred / n)


def moments_problem(items: list[str], moments: Moments, *, fewest: int) -> str:
    """Say why no factor model can be fitted.

    Parameters
    ----------
    items : list of str
        In the order of the moments.
    moments : Moments
        Of complete rows.
    fewest : int
        Respondents needed.

    Returns
    -------
    str
        One sentence, empty when nothing stands in the way.
    """
    needed = max(fewest, len(items) + 1)  # else the covariance matrix has no inverse
    if moments.n < needed:
        return f"{moments.n:,} answered all {len(items)} items; {needed} are needed."
    spread = np.sqrt(np.diag(moments.covariance))
    for item, size, mean in zip(items, spread, moments.mean, strict=True):
        if size <= 1e-9 * max(abs(mean), 1.0):
            return f"All gave the same answer to '{item}', so that item goes with nothing."
    r = moments.covariance / np.outer(spread, spread)
    if np.linalg.eigvalsh(r)[0] > 1e-8:
        return ""
    first, second = divmod(int(np.argmax(np.abs(np.triu(r, 1)))), len(items))
    if abs(r[first, second]) > 1 - 1e-8:
        return f"'{items[first]}' and '{items[second]}' were answered alike by all."
    return "Some items are sums or differences of others."


def unrelated_items(moments: Moments, *, conf_level: float) -> bool:
    """Tell whether items of a dimension show no sign of going with each other.

    Parameters
    ----------
    moments : Moments
        Of one dimension.
    conf_level : float
        Bartlett's test of no correlation at all is made at 1 - conf_level.

    Returns
    -------
    bool
        True where the test is not significant: then there is no dimension to compare, and a
        factor model would fit anything.

    References
    ----------
    .. [1] M. S. Bartlett (1950). Tests of significance in factor analysis. British Journal of
           Psychology (Statistical Section) 3, 77-85.
    """
    k = len(moments.mean)
    covariance = moments.covariance
    log = np.linalg.slogdet(covariance)[1] - np.log(np.diag(covariance)).sum()
    chi2 = -(moments.n - 1 - (2 * k + 5) / 6) * log
    return bool(stats.chi2.sf(chi2, k * (k - 1) // 2) > 1 - conf_level)


def few_categories(items: list[str], rows: Floats) -> str:
    """Warn of items with so few categories that numbers are a poor stand-in.

    Parameters
    ----------
    items : list of str
        Names of the columns.
    rows : ndarray, respondents x items
        Answers.

    Returns
    -------
    str
        One sentence, empty when every item has five categories or more.
    """
    few = [
        item
        for item, column in zip(items, spaced_rows(rows).T, strict=True)
        if len(pd.unique(column)) <= FEW_CATEGORIES
    ]
    if not few:
        return ""
    return (
        f"{len(few)} of {len(items)} items were answered in {FEW_CATEGORIES} categories or fewer "
        f"('{few[0]}'): the model takes answers for measurements, which is doubtful there."
    )
