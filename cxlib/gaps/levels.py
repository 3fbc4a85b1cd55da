"""From paired ratings to one number per respondent, and from those to estimates."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.groups import natural_key
from cxlib.gaps.ratings import PAIR, Ratings
from cxlib.stats import Floats

LEVELS = ("item", "dimension", "touchpoint", "total")
_DRAWS = 10_000


def check_respondents(ratings: Ratings, *, min_cell: int) -> Ratings:
    """Check that enough respondents rated one item in both roles.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    min_cell : int
        The fewest respondents to show results of.

    Returns
    -------
    Ratings
        The same ratings.

    Raises
    ------
    InputError
        When a role was never asked.
    TooLittleData
        When they are fewer.
    """
    for role in PAIR:
        if not ratings.answers["role"].eq(role).any():
            raise InputError(
                f"No answer has the role '{role}'; a gap needs expectation and perception.",
                f"table 'answers', roles {sorted(ratings.answers['role'].unique())}",
                f"map the columns that hold the {role} to that role",
            )
    n = ratings.pairs["respondent_id"].nunique()
    if n < min_cell:
        raise TooLittleData(
            "Respondents who rated the expectation and the perception of one and the same item: "
            f"{n}; at least {min_cell} are needed."
        )
    return ratings


def check_pairs(ratings: Ratings) -> pd.DataFrame:
    """Check that there are pairs to average, on scales that may be averaged.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.

    Returns
    -------
    pandas.DataFrame
        The pairs.

    Raises
    ------
    InputError
        When a role was never asked, or the items have different scales.
    TooLittleData
        When fewer than two respondents rated one item in both roles.
    """
    pairs = check_respondents(ratings, min_cell=2).pairs
    scales = item_scales(ratings).loc[pairs["item"].unique()].dropna()
    if len(scales.drop_duplicates()) > 1:
        first = scales.drop_duplicates().head(3).itertuples()
        shown = [f"'{row.Index}' on {row.scale_min:g} to {row.scale_max:g}" for row in first]
        raise InputError(
            "The items are rated on different scales; their gaps cannot be averaged.",
            f"table 'items', {', '.join(shown)}",
            "convert the answers to one scale, or study the items of one scale at a time",
        )
    return pairs


def item_scales(ratings: Ratings) -> pd.DataFrame:
    """Look up the scale of each item's perception.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.

    Returns
    -------
    pandas.DataFrame
        Columns `scale_min`, `scale_max`, indexed by item.
    """
    items = ratings.items[ratings.items["role"].eq("perception")]
    return items.set_index("item")[["scale_min", "scale_max"]]


def level_names(pairs: pd.DataFrame) -> dict[str, pd.Series]:
    """Name the row each pair belongs to, for every level the pairs have.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Columns `item`, `dimension`, `touchpoint`.

    Returns
    -------
    dict of str to pandas.Series
        Names by level, in the order of `LEVELS`; empty where a pair belongs to no row.
    """
    names = {level: pairs[level] for level in LEVELS if level in pairs.columns}
    names["total"] = pd.Series("total", index=pairs.index)
    return {level: series for level, series in names.items() if series.notna().any()}


def respondent_means(pairs: pd.DataFrame, names: pd.Series) -> tuple[list[str], dict[str, Floats]]:
    """Average each respondent's pairs by name.

    Parameters
    ----------
    pairs : pandas.DataFrame, one row per respondent and item
        Columns `respondent_id`, `expectation`, `perception`, `gap`.
    names : pandas.Series
        The row each pair belongs to.

    Returns
    -------
    labels : list of str
        The names in natural order.
    means : dict of str to ndarray, each respondents x names
        `expectation`, `perception`, `gap`, NaN where a respondent has no pair, and `count`, the
        number of pairs. Respondents come in the order of their first appearance in `pairs`.
    """
    labels = sorted(names.dropna().unique(), key=natural_key)
    rows, respondents = pd.factorize(pairs["respondent_id"])
    columns = pd.Index(labels).get_indexer(names)
    named = columns >= 0
    cell = rows[named] * len(labels) + columns[named]
    shape = (len(respondents), len(labels))
    count = np.bincount(cell, minlength=shape[0] * shape[1])
    means = {"count": count.reshape(shape).astype(float)}
    for value in ("expectation", "perception", "gap"):
        total = np.bincount(cell, weights=pairs[value].to_numpy()[named], minlength=count.size)
        mean = np.full(count.size, np.nan)
        np.divide(total, count, out=mean, where=count > 0)
        means[value] = mean.reshape(shape)
    return labels, means


def spread(pairs: pd.DataFrame, *, value: str) -> pd.DataFrame:
    """Spread pairs to one row per respondent and one column per item.

    Parameters
    ----------
    pairs : pandas.DataFrame, one row per respondent and item
        Columns `respondent_id`, `item` and `value`.
    value : str
        Column to fill the table with.

    Returns
    -------
    pandas.DataFrame
        Respondents in order of appearance, items in natural order, NaN where there is no pair.
    """
    # by position: pandas' own pivot sorts every label and takes many times as long
    rows, respondents = pd.factorize(pairs["respondent_id"])
    items = sorted(pairs["item"].unique(), key=natural_key)
    table = np.full((len(respondents), len(items)), np.nan)
    table[rows, pd.Index(items).get_indexer(pairs["item"])] = pairs[value]
    return pd.DataFrame(table, index=respondents, columns=items)


def column_means(values: Floats) -> Floats:
    """Average each column over its known values.

    Parameters
    ----------
    values : ndarray, respondents x names
        NaN where not known.

    Returns
    -------
    ndarray
        A mean per column, NaN where nothing is known.
    """
    n = (~np.isnan(values)).sum(axis=0)
    means = np.full(values.shape[1], np.nan)
    return np.divide(np.nansum(values, axis=0), n, out=means, where=n > 0)


def describe_columns(gaps: Floats, *, conf_level: float) -> pd.DataFrame:
    """Estimate the mean gap of each column with its Student interval and paired t-test.

    Parameters
    ----------
    gaps : ndarray, respondents x names
        One gap per respondent, NaN where not known.
    conf_level : float
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per column. Columns `n`, `gap`, `std_error`, `conf_low`, `conf_high`,
        `effect_size`, `p_value`; the last four NaN when n < 2 or all gaps are equal.
    """
    n = (~np.isnan(gaps)).sum(axis=0)
    mean, variance = column_means(gaps), _variances(gaps)
    std_error = np.sqrt(variance / np.maximum(n, 1))
    varies = np.where(variance > 0, std_error, np.nan)
    degrees = np.maximum(n - 1, 1)
    half = stats.t.ppf(0.5 + conf_level / 2, degrees) * varies
    return pd.DataFrame(
        {
            "n": n,
            "gap": mean,
            "std_error": std_error,
            "conf_low": mean - half,
            "conf_high": mean + half,
            "effect_size": mean / (varies * np.sqrt(n)),
            "p_value": 2 * stats.t.sf(np.abs(mean / varies), degrees),
        }
    )


def describe_differences(
    gaps: Floats, inside: NDArray[np.bool_], *, conf_level: float
) -> pd.DataFrame:
    """Estimate how the mean of some rows differs from that of all other rows, column by column.

    Parameters
    ----------
    gaps : ndarray, respondents x names
        One gap per respondent, NaN where not known.
    inside : ndarray of bool, one per respondent
        The rows to compare with all others.
    conf_level : float
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per column. Columns `difference`, `difference_low`, `difference_high`, `p_value`
        (Welch); NaN but for the difference when a side has fewer than two or nothing varies.
    """
    sides = [gaps[inside], gaps[~inside]]
    difference = column_means(sides[0]) - column_means(sides[1])
    n = [np.maximum((~np.isnan(side)).sum(axis=0), 1) for side in sides]
    squares = [_variances(side) / size for side, size in zip(sides, n, strict=True)]
    variance = squares[0] + squares[1]
    variance = np.where(variance > 0, variance, np.nan)
    spread = sum(s**2 / np.maximum(size - 1, 1) for s, size in zip(squares, n, strict=True))
    degrees = variance**2 / np.where(spread > 0, spread, np.nan)
    half = stats.t.ppf(0.5 + conf_level / 2, degrees) * np.sqrt(variance)
    return pd.DataFrame(
        {
            "difference": difference,
            "difference_low": difference - half,
            "difference_high": difference + half,
            "p_value": 2 * stats.t.sf(np.abs(difference) / np.sqrt(variance), degrees),
        }
    )


def chance_lowest(gaps: Floats, *, random_state: int) -> Floats:
    """Estimate for each column the probability that its mean is the lowest.

    Parameters
    ----------
    gaps : ndarray, respondents x names
        One gap per respondent, NaN where not known.
    random_state : int
        Seed of the draws.

    Returns
    -------
    ndarray
        Shares of 10,000 draws from the joint normal distribution of the means, ties shared
        evenly; the mean of equal values stays fixed. NaN for columns with fewer than two values
        and when there is nothing to compare with.
    """
    chance = np.full(gaps.shape[1], np.nan)
    variance = _variances(gaps)
    ranked = np.flatnonzero(~np.isnan(variance))
    if len(ranked) < 2:
        return chance
    gaps = gaps[:, ranked]
    known = ~np.isnan(gaps)
    mean, n = column_means(gaps), known.sum(axis=0)
    centred = np.where(known, gaps - mean, 0.0)
    both = known.astype(float).T @ known.astype(float)
    # two means covary through the respondents they share
    covariance = centred.T @ centred / np.maximum(both - 1, 1) * both / np.outer(n, n)
    size, direction = np.linalg.eigh(covariance)
    size = np.where(size > 1e-12 * size.max(), size, 0.0)  # else roundings would break ties
    # the symmetric root does not depend on the signs an eigenvector routine happens to choose
    root = (direction * np.sqrt(size)) @ direction.T * (variance[ranked] > 0)
    draws = np.random.default_rng(random_state).standard_normal((_DRAWS, len(ranked)))
    draws = mean + draws @ root
    is_lowest = draws <= draws.min(axis=1, keepdims=True) + 1e-9
    chance[ranked] = (is_lowest / is_lowest.sum(axis=1, keepdims=True)).mean(axis=0)
    return chance


def _variances(values: Floats) -> Floats:
    """Return variances (ddof 1): NaN below two values, exactly 0 when all are equal."""
    n = (~np.isnan(values)).sum(axis=0)
    squares = np.nansum((values - column_means(values)) ** 2, axis=0)
    variance = np.where(n > 1, squares / np.maximum(n - 1, 1), np.nan)
    # a mean of equal numbers may be off by a rounding; that is no variance
    scale = np.max(np.abs(np.nan_to_num(values)), axis=0, initial=0.0)
    return np.where(variance <= (1e-12 * scale) ** 2, 0.0, variance)
