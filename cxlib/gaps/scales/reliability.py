"""How consistently the items of a scale measure one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.gaps.scales.cfa import FEWEST, one_factor
from cxlib.gaps.scales.fit import measure_fit
from cxlib.gaps.scales.moments import (
    complete_rows,
    dimension_items,
    moments_problem,
    pairwise_covariances,
    take_moments,
)
from cxlib.gaps.scales.omega import estimate_omega
from cxlib.stats import Floats, normal_quantile

if TYPE_CHECKING:
    from cxlib.gaps.levels import Pairs
    from cxlib.gaps.ratings import Ratings

ROLES = ("expectation", "perception", "minimum", "desired", "belief")
_NOTHING = (np.nan, np.nan, np.nan)


def cronbach_alpha(
    ratings: pd.DataFrame, *, conf_level: float = 0.95
) -> tuple[float, float, float]:
    """Compute Cronbach's alpha with its interval.

    Parameters
    ----------
    ratings : pandas.DataFrame, one row per respondent, one column per item
        Numbers; missing values allowed.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    tuple of float
        Alpha, lower and upper end; NaN with fewer than two items, fewer than two respondents who
        answered each pair of items, or no variance.

    Notes
    -----
    alpha = k / (k - 1) * (1 - trace(C) / sum(C)) with C the covariances of the k items, each over
    the respondents who answered both items: raw, not standardised alpha. The interval is Feldt's,
    with n the smallest number of respondents behind any covariance. Alpha may be negative.
    Respondents are not weighted.

    References
    ----------
    .. [1] L. J. Cronbach (1951). Coefficient alpha and the internal structure of tests.
           Psychometrika 16, 297-334.
    .. [2] L. S. Feldt, D. J. Woodruff, F. A. Salih (1987). Statistical inference for coefficient
           alpha. Applied Psychological Measurement 11, 93-103.

    Examples
    --------
    >>> cronbach_alpha(pd.DataFrame({"a": [1, 2, 3], "b": [1, 2, 3]}))[0]
    1.0
    """
    covariances, n = pairwise_covariances(ratings.to_numpy(float))
    return alpha_of(covariances, int(n.min()) if n.size else 0, conf_level)


def alpha_of(covariances: Floats, n: int, conf_level: float) -> tuple[float, float, float]:
    """Compute alpha and its interval from covariances.

    Parameters
    ----------
    covariances : ndarray, items x items
        Of the items.
    n : int
        Respondents behind them.
    conf_level : float
        Confidence level.

    Returns
    -------
    tuple of float
        As `cronbach_alpha`.
    """
    k = len(covariances)
    if k < 2 or n < 2:
        return _NOTHING
    total = covariances.sum()
    if not total > 1e-12:
        return _NOTHING
    alpha = float(k / (k - 1) * (1 - np.trace(covariances) / total))
    tail = (1 - conf_level) / 2
    f = stats.f(n - 1, (n - 1) * (k - 1))
    return alpha, float(1 - (1 - alpha) * f.isf(tail)), float(1 - (1 - alpha) * f.ppf(tail))


def summarise_scales(
    ratings: Ratings, *, pairs: Pairs | None = None, conf_level: float = 0.95, min_cell: int = 10
) -> pd.DataFrame:
    """Estimate how reliable each dimension is, in each role it was rated in.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    pairs : Pairs, optional
        From `pair_ratings`; adds the rows of the gap.
    conf_level : float, default 0.95
        Confidence level.
    min_cell : int, default 10
        With fewer respondents than this behind a covariance nothing is estimated.

    Returns
    -------
    pandas.DataFrame
        One row per dimension and role, and per role one of all items (`level` ``"total"``).
        Columns `level`, `name`, `role`, `n` (the fewest respondents behind a covariance),
        `n_items`, `alpha`, `conf_low`, `conf_high`, `n_complete`, `omega`, `omega_low`,
        `omega_high`, `cfi`, `srmr`, `p_acceptable` (fit of one factor, four items or more),
        `weakest_item`, `item_rest` (its correlation with the sum of the other items).

    Notes
    -----
    Omega is omega total of a one-factor (congeneric) model, also called omega-u: the share of the
    variance of the sum of items that the one factor accounts for, (sum of loadings)^2 over the
    variance the model implies. It is neither omega hierarchical nor the omega total of an
    exploratory model. It needs three items and the `n_complete` respondents who answered all of
    them (50 at least); its interval holds for answers that are not normal (delta rule with
    empirical fourth moments, on the scale of log(1 - omega)). Missing where the model has no
    proper solution. Respondents are not weighted.

    References
    ----------
    .. [1] R. P. McDonald (1999). Test Theory: A Unified Treatment. Chapter 6.
    .. [2] D. B. Flora (2020). Your coefficient alpha is probably wrong, but which coefficient
           omega is right? Advances in Methods and Practices in Psychological Science 3, 484-501.
    """
    rows = []
    for role, values, dimensions in _matrices(ratings, pairs):
        covariances, n = pairwise_covariances(values.to_numpy())
        for level, name, items in _scales(values.columns, dimensions):
            where = values.columns.get_indexer(pd.Index(items))
            own, own_n = covariances[np.ix_(where, where)], n[np.ix_(where, where)]
            fewest = int(own_n.min())
            enough = fewest >= min_cell
            alpha = alpha_of(own, fewest, conf_level) if enough else _NOTHING
            rests = _item_rests(own) if enough else np.full(len(items), np.nan)
            weakest = None if np.isnan(rests).all() else int(np.nanargmin(rests))
            one = _describe_factor(items, values.to_numpy()[:, where], min_cell, conf_level)
            rows.append(
                {
                    "level": level,
                    "name": name,
                    "role": role,
                    "n": fewest,
                    "n_items": len(items),
                    **dict(zip(("alpha", "conf_low", "conf_high"), alpha, strict=True)),
                    **one,
                    "weakest_item": None if weakest is None else items[weakest],
                    "item_rest": np.nan if weakest is None else rests[weakest],
                }
            )
    return pd.DataFrame(rows)


def summarise_items(
    ratings: Ratings, *, pairs: Pairs | None = None, conf_level: float = 0.95, min_cell: int = 10
) -> pd.DataFrame:
    """Tell how each item goes with the other items of its dimension.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    pairs : Pairs, optional
        From `pair_ratings`; adds the rows of the gap.
    conf_level : float, default 0.95
        Confidence level.
    min_cell : int, default 10
        With fewer respondents than this behind a covariance nothing is estimated.

    Returns
    -------
    pandas.DataFrame
        One row per item and role, beside the items of its dimension, or beside all items
        (`name` ``"total"``) where it has no dimension of two or more. Columns `name`, `item`,
        `role`, `n`, `n_items`, `item_rest` (correlation with the sum of the other items),
        `conf_low`, `conf_high` (Fisher's z), `alpha` (of the scale), `alpha_if_dropped`.
    """
    rows = []
    for role, values, dimensions in _matrices(ratings, pairs):
        covariances, n = pairwise_covariances(values.to_numpy())
        placed: set[str] = set()
        for _, name, items in _scales(values.columns, dimensions):
            where = values.columns.get_indexer(pd.Index(items))
            own = covariances[np.ix_(where, where)]
            fewest = int(n[np.ix_(where, where)].min())
            if fewest < min_cell:
                own = np.full_like(own, np.nan)
            rests, alpha = _item_rests(own), alpha_of(own, fewest, conf_level)[0]
            half = normal_quantile(conf_level) / np.sqrt(max(fewest - 3, 1))
            for i, item in enumerate(items):
                if len(items) < 2 or item in placed:
                    continue  # dimensions come first, so the total takes those without one
                placed.add(item)
                rest = np.delete(np.delete(own, i, 0), i, 1)
                with np.errstate(divide="ignore"):
                    z = np.arctanh(np.clip(rests[i], -1, 1))
                rows.append(
                    {
                        "name": name,
                        "item": item,
                        "role": role,
                        "n": fewest,
                        "n_items": len(items),
                        "item_rest": rests[i],
                        "conf_low": np.tanh(z - half),
                        "conf_high": np.tanh(z + half),
                        "alpha": alpha,
                        "alpha_if_dropped": alpha_of(rest, fewest, conf_level)[0],
                    }
                )
    return pd.DataFrame(rows)


def _matrices(ratings: Ratings, pairs: Pairs | None) -> list[tuple[str, pd.DataFrame, pd.Series]]:
    """List the roles with their answers and the dimensions of their items."""
    found = [
        (role, ratings.values[role], ratings.facts(role)["dimension"])
        for role in ROLES
        if role in ratings.values
    ]
    if pairs is not None:
        about = pairs.items.set_index("item")
        found.append(("gap", pd.DataFrame(pairs.gap, columns=about.index), about["dimension"]))
    return found


def _scales(items: pd.Index, dimensions: pd.Series) -> list[tuple[str, str, list[str]]]:
    """List the scales of a role: its dimensions and all items together."""
    named = [("dimension", name, own) for name, own in dimension_items(items, dimensions).items()]
    return [*named, ("total", "total", list(items))]


def _item_rests(covariances: Floats) -> Floats:
    """Correlate each item with the sum of the others, from covariances."""
    own, sums = np.diag(covariances), covariances.sum(axis=0)
    rest = covariances.sum() - 2 * sums + own
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (sums - own) / np.sqrt(own * rest)
    return np.where((own > 1e-12) & (rest > 1e-12), r, np.nan)


def _describe_factor(
    items: list[str], values: Floats, min_cell: int, conf_level: float
) -> dict[str, float]:
    """Fit one factor to complete rows, where that can be done."""
    rows = complete_rows(values)
    moments = take_moments(rows)
    names = ("omega", "omega_low", "omega_high", "cfi", "srmr", "p_acceptable")
    found = {"n_complete": moments.n} | dict.fromkeys(names, np.nan)
    if len(items) < 3 or moments_problem(items, moments, fewest=max(FEWEST, min_cell)):
        return found
    solution = one_factor(moments)
    omega = estimate_omega(solution, rows, conf_level=conf_level)
    fit = measure_fit([moments], solution, conf_level=conf_level)
    return found | dict(zip(names[:3], omega, strict=True)) | {n: fit[n] for n in names[3:]}
