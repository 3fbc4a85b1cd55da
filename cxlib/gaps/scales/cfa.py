"""Whether items measure the dimensions they are said to: confirmatory factor analysis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.errors import TooLittleData
from cxlib.gaps.scales.fit import measure_fit
from cxlib.gaps.scales.model import (
    Integers,
    Solution,
    blocks,
    factor_covariance,
    fit_structure,
    free_structure,
)
from cxlib.gaps.scales.moments import (
    Moments,
    complete_rows,
    dimension_items,
    few_categories,
    moments_problem,
    take_moments,
)
from cxlib.stats import Floats, normal_quantile

# Fewer complete respondents than this give estimates nobody should rely on.
FEWEST = 50
_FEW = 200
# What all items are called where none has a dimension.
WHOLE = "all items"
# Dimensions that correlate more than this are one thing for all practical purposes.
DISTINCT_BELOW = 0.9


@dataclass(frozen=True)
class FactorModel:
    """A confirmatory factor model in which every item belongs to one dimension.

    Parameters
    ----------
    loadings : pandas.DataFrame, one row per item
        Columns `dimension`, `item`, `n`, `loading` (units of the answers, dimension with
        variance 1), `loading_error`, `estimate` (standardised loading), `std_error`, `conf_low`,
        `conf_high`.
    correlations : pandas.DataFrame, one row per two dimensions
        Columns `dimension_a`, `dimension_b`, `n`, `estimate`, `std_error`, `conf_low`,
        `conf_high`, `p_same` (how sure it is that they correlate by more than .9).
    fit : pandas.DataFrame, one row
        Columns `n`, `n_items`, `n_dimensions`, then those of `measure_fit`.
    notes : tuple of str
        What a reader must know: who and which items were left out, improper results.
    is_proper : bool
        False when the search failed, a residual variance is negative or a correlation exceeds 1.
    conf_level : float
        Level of all intervals.
    """

    loadings: pd.DataFrame
    correlations: pd.DataFrame
    fit: pd.DataFrame
    notes: tuple[str, ...]
    is_proper: bool
    conf_level: float


def fit_factors(
    values: pd.DataFrame, dimensions: pd.Series, *, conf_level: float = 0.95
) -> FactorModel:
    """Fit the factor model of the dimensions by maximum likelihood.

    Parameters
    ----------
    values : pandas.DataFrame, respondents x items
        Answers of one role, NaN where not answered, all turned so that higher is better.
    dimensions : pandas.Series
        Dimension by item, such as ``ratings.facts("perception")["dimension"]``.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    FactorModel
        Loadings, correlations of the dimensions, fit.

    Raises
    ------
    TooLittleData
        When no dimension has enough items (two each, or three of a single one), too few
        respondents answered all of them, or answers do not vary or repeat each other.

    Notes
    -----
    Items load on their own dimension only, dimensions correlate freely. Only respondents who
    answered every item of the model are used; their number is `n`. Items without a dimension and
    dimensions of one item are left out and named in `notes`. Answers on a scale of points are
    taken for measurements (maximum likelihood on numbers, standard errors from the normal
    distribution): usual with five points or more, doubtful with fewer. Skewed answers inflate
    chi-squared. Intervals of standardised loadings and correlations are estimate +- z standard
    errors (delta rule).

    References
    ----------
    .. [1] K. G. Jöreskog (1969). A general approach to confirmatory maximum likelihood factor
           analysis. Psychometrika 34, 183-202.
    .. [2] M. Rhemtulla, P. E. Brosseau-Liard, V. Savalei (2012). When can categorical variables be
           treated as continuous? Psychological Methods 17, 354-373.
    """
    members, notes = choose_items(values.columns, dimensions)
    items = [item for own in members.values() for item in own]
    rows = complete_rows(values[items].to_numpy(float))
    moments = take_moments(rows)
    problem = moments_problem(items, moments, fewest=FEWEST)
    if problem:
        raise TooLittleData(f"No factor model: {problem}")
    factor = np.repeat(np.arange(len(members)), [len(own) for own in members.values()])
    solution = fit_structure([moments], free_structure(factor))
    improper = find_improper(solution, items, list(members))
    told = [*notes, *improper, few_categories(items, rows)]
    n_lost = int(values[items].notna().any(axis=1).sum()) - len(rows)
    if n_lost:
        told.append(f"{n_lost:,} respondents who skipped an item of the model are not in it.")
    if len(rows) < _FEW:
        told.append(f"With {len(rows):,} respondents the model is known roughly only.")
    about = {"n": len(rows), "n_items": len(items), "n_dimensions": len(members)}
    fit = measure_fit([moments], solution, conf_level=conf_level)
    return FactorModel(
        loadings=_loadings(solution, items, members, len(rows), conf_level),
        correlations=_correlations(solution, list(members), len(rows), conf_level),
        fit=pd.DataFrame([about | fit]),
        notes=tuple(note for note in told if note),
        is_proper=not improper,
        conf_level=conf_level,
    )


def choose_items(items: pd.Index, dimensions: pd.Series) -> tuple[dict[str, list[str]], list[str]]:
    """Choose the dimensions with enough items for a model, and name what is left out.

    Parameters
    ----------
    items : pandas.Index
        Items there are answers to.
    dimensions : pandas.Series
        Dimension by item.

    Returns
    -------
    members : dict of str to list of str
        Items by dimension.
    notes : list of str
        Sentences on items without dimension and on dimensions of one item. Where no item has a
        dimension all are one.

    Raises
    ------
    TooLittleData
        When there are neither two dimensions of two items nor one of three.
    """
    everything = dimension_items(items, dimensions) or {WHOLE: list(items)}
    members = {name: own for name, own in everything.items() if len(own) > 1}
    if not members or (len(members) == 1 and len(next(iter(members.values()))) < 3):
        sizes = ", ".join(f"'{name}' {len(own)}" for name, own in everything.items())
        raise TooLittleData(
            "A factor model needs a dimension of three items, or two dimensions of two; items by "
            f"dimension: {sizes}."
        )
    notes = ["No item has a dimension; all are taken for one."] if WHOLE in everything else []
    placed = {item for own in everything.values() for item in own}
    without = [f"'{item}'" for item in items if item not in placed]
    if without:
        notes.append(f"Left out, because they have no dimension: {', '.join(without)}.")
    single = [f"'{name}'" for name in everything if name not in members]
    if single:
        notes.append(f"Left out, because they have one item only: {', '.join(single)}.")
    return members, notes


def find_improper(solution: Solution, items: list[str], names: list[str]) -> list[str]:
    """Put improper results of a model in words.

    Parameters
    ----------
    solution : Solution
        A model of one or several groups.
    items, names : list of str
        Items, and dimensions, in the order of the model.

    Returns
    -------
    list of str
        Sentences on a search that failed, on negative residual variances (Heywood cases) and on
        correlations beyond 1; none when all is well.
    """
    if not solution.is_converged:
        return ["The search found no solution; the items do not suit this model."]
    part = blocks(solution.structure.factor)
    notes = []
    lowest = solution.values[:, part["residuals"]].min(axis=0)
    negative = [item for item, least in zip(items, lowest, strict=True) if least < 0]
    if negative:
        which = ", ".join(f"'{item}'" for item in negative)
        notes.append(
            f"Improper result (Heywood case): less than no variance is left of {which} once the "
            "dimension is known. Too few respondents or items, or a model that does not hold."
        )
    beyond: dict[str, float] = {}
    for values in solution.values:
        r = _as_correlations(factor_covariance(solution.structure.factor, values))
        for a, b in np.argwhere(np.triu(np.abs(r) > 1, 1)):
            pair = f"'{names[a]}' and '{names[b]}'"
            beyond[pair] = max(beyond.get(pair, 0.0), abs(r[a, b]))
    if beyond:
        worst = max(beyond, key=lambda pair: beyond[pair])
        notes.append(
            f"Improper result: {len(beyond)} of the pairs of dimensions would correlate by more "
            f"than 1 (most: {worst}, {beyond[worst]:.2f}); the answers do not tell them apart."
        )
    return notes


def _as_correlations(covariance: Floats) -> Floats:
    size = np.sqrt(np.diag(covariance))
    return np.asarray(covariance / np.outer(size, size))


def _loadings(
    solution: Solution,
    items: list[str],
    members: dict[str, list[str]],
    n: int,
    conf_level: float,
) -> pd.DataFrame:
    """Standardise loadings by the implied variance of their items."""
    part, values = blocks(solution.structure.factor), solution.values[0]
    covariance = solution.covariance_of(0)
    loading, residual = values[part["loadings"]], values[part["residuals"]]
    spread = np.sqrt(loading**2 + residual)
    first, second = residual / spread**3, -loading / (2 * spread**3)  # slopes of the ratio
    k = np.arange(len(items))
    own, rest = covariance[k, k], covariance[len(k) + k, len(k) + k]
    variance = first**2 * own + second**2 * rest + 2 * first * second * covariance[k, len(k) + k]
    error = np.sqrt(np.maximum(variance, 0))
    half = normal_quantile(conf_level) * error
    return pd.DataFrame(
        {
            "dimension": np.repeat(list(members), [len(m) for m in members.values()]),
            "item": items,
            "n": n,
            "loading": loading,
            "loading_error": np.sqrt(np.maximum(own, 0)),
            "estimate": loading / spread,
            "std_error": error,
            "conf_low": loading / spread - half,
            "conf_high": loading / spread + half,
        }
    )


def _correlations(solution: Solution, names: list[str], n: int, conf_level: float) -> pd.DataFrame:
    """List the correlations of dimensions; their variances are 1, so covariances are these."""
    where = blocks(solution.structure.factor)["factors"]
    rows, columns = np.triu_indices(len(names))
    estimate = solution.values[0][where]
    error = np.sqrt(np.maximum(np.diag(solution.covariance_of(0))[where], 0))
    apart = rows != columns
    estimate, error = estimate[apart], error[apart]
    half = normal_quantile(conf_level) * error
    beyond = (np.abs(estimate) - DISTINCT_BELOW) / np.where(error > 0, error, np.nan)
    return pd.DataFrame(
        {
            "dimension_a": np.array(names, dtype=object)[rows[apart]],
            "dimension_b": np.array(names, dtype=object)[columns[apart]],
            "n": n,
            "estimate": estimate,
            "std_error": error,
            "conf_low": estimate - half,
            "conf_high": estimate + half,
            "p_same": stats.norm.cdf(beyond),
        }
    )


def one_factor(moments: Moments) -> Solution:
    """Fit one dimension.

    Parameters
    ----------
    moments : Moments
        Of at least three items that vary.

    Returns
    -------
    Solution
        The one-factor model.
    """
    factor: Integers = np.zeros(len(moments.mean), dtype=int)
    return fit_structure([moments], free_structure(factor))
