"""Hazard ratios by period of the customer's age: whether they change, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from cxlib.churn.hazard.cox import fit_cox
from cxlib.churn.hazard.hazard import CHURNED_PER_TERM, ModelRows, lay_out_times, select_rows
from cxlib.churn.wording import describe_time
from cxlib.errors import InputError, TooLittleData
from cxlib.stats import Floats, adjust_p_values, normal_quantile

CUTS = (90.0, 365.0, 730.0)


@dataclass(frozen=True)
class HazardPeriods:
    """Hazard ratios by age of the customer.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per term and period of age: `term`, `period` (in words), `from_days`, `to_days`
        (missing for the last), `estimate` (log hazard ratio), `std_error`, `hazard_ratio`,
        `conf_low`, `conf_high` (of the hazard ratio), `n` (lifetimes observed in the period),
        `n_churned` (of them, in the period).
    tests : pandas.DataFrame
        One row per term: `term`, `statistic`, `degrees_of_freedom`, `p_value`, `q_value` of the
        test that its ratio is the same in all periods; `change`, the largest ratio over the
        smallest.
    left_out : pandas.DataFrame
        One row per term whose ratio cannot be told in every period: `term`, `why`.
    """

    table: pd.DataFrame
    tests: pd.DataFrame
    left_out: pd.DataFrame


@dataclass(frozen=True)
class _Stretches:
    """Rows cut at the ends of the periods: the row each piece comes from, and its own times."""

    row: NDArray[np.intp]
    period: NDArray[np.intp]
    entry: Floats
    duration: Floats
    churned: NDArray[np.bool_]


def fit_periods(
    lifetimes: pd.DataFrame,
    *,
    covariates: Sequence[str],
    strata: Sequence[str] = (),
    cuts: Sequence[float] = CUTS,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> HazardPeriods:
    """Estimate the hazard ratio of every term for each period of the customer's age.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime, or per stretch of one
        As for `fit_hazard`.
    covariates, strata : sequence of str
        As for `fit_hazard`.
    cuts : sequence of float, default (90, 365, 730)
        Days of age at which a period ends, that day included. A cut goes when fewer than ten
        customers churned in the period before it, and the last ones when fewer did after them.
    min_cell : int, default 10
        Lifetimes a level needs.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    HazardPeriods
        Ratios by period and a test for each term.

    Raises
    ------
    InputError
        When a column cannot be used, or the cuts do not rise from above 0.
    TooLittleData
        When there are not two periods in each of which ten customers churned, or fewer than ten
        churned per coefficient.

    Notes
    -----
    For each term in turn, Cox's model with a coefficient of that term for every period and one
    for each of the others; rows are cut at the ends of the periods, which leaves the likelihood
    as it is. The test is Wald's of equal coefficients, with the sandwich over customers where
    `fit_hazard` takes it; q-values are Benjamini and Hochberg's over the terms. With many
    customers the test shows departures of no importance: `change` tells their size. A ratio that
    falls with age need not mean that the effect wears off: those it acts on leave first, and the
    ones who stay are ever more alike.

    References
    ----------
    .. [1] T. M. Therneau, P. M. Grambsch (2000). Modeling Survival Data, section 6.5.
    .. [2] M. A. Hernan (2010). The hazards of hazard ratios. Epidemiology 21, 13-15.
    """
    limits = np.asarray(cuts, dtype=float)
    if not (np.diff(limits, prepend=0.0) > 0).all():
        problem = f"cuts = {list(cuts)} do not rise from above 0."
        raise InputError(problem, "parameter 'cuts'", "name days of age in rising order")
    rows = select_rows(lifetimes, covariates=covariates, strata=strata, min_cell=min_cell)
    n_terms = rows.terms.shape[1]
    limits = _keep_cuts(rows, limits, n_terms)
    pieces = _cut_rows(*lay_out_times(rows.table)[:2], rows.table["churned"].to_numpy(bool), limits)
    periods = _describe(rows, pieces, limits)
    tables, tests, left_out = [], [], []
    for term in rows.terms.columns:
        try:
            estimates, covariance = _fit_term(rows, pieces, term, len(periods))
        except TooLittleData:
            left_out.append((term, "its ratio cannot be told in every period"))
            continue
        tables.append(_summarise(periods, term, estimates, covariance, conf_level))
        tests.append((term, *_test_equal(estimates, covariance)))
    if not tables:
        raise TooLittleData("No term's ratio can be told in every period.")
    names = ["term", "statistic", "degrees_of_freedom", "p_value", "change"]
    tested = pd.DataFrame(tests, columns=names)
    tested.insert(4, "q_value", adjust_p_values(tested["p_value"]))
    return HazardPeriods(
        pd.concat(tables, ignore_index=True),
        tested,
        pd.DataFrame(left_out, columns=["term", "why"]),
    )


def _keep_cuts(rows: ModelRows, limits: Floats, n_terms: int) -> Floats:
    """Join periods until ten customers churned in each."""
    ends = np.sort(rows.table.loc[rows.table["churned"], "duration_days"].to_numpy(float))
    kept: list[float] = []
    for limit in limits:
        since = np.searchsorted(ends, kept[-1], side="right") if kept else 0
        if np.searchsorted(ends, limit, side="right") - since >= CHURNED_PER_TERM:
            kept.append(float(limit))
    while kept and len(ends) - np.searchsorted(ends, kept[-1], side="right") < CHURNED_PER_TERM:
        kept.pop()
    if not kept:
        raise TooLittleData(
            f"{len(ends):,} customers churned, too few in all periods but one: whether ratios "
            "change with age cannot be told."
        )
    if len(ends) < CHURNED_PER_TERM * (n_terms + len(kept)):
        raise TooLittleData(
            f"{len(ends):,} customers churned, too few for {n_terms} terms in {len(kept) + 1} "
            f"periods: the model needs about {CHURNED_PER_TERM} for each. Name fewer covariates "
            "or cuts."
        )
    return np.array(kept)


def _cut_rows(
    entry: Floats, duration: Floats, churned: NDArray[np.bool_], limits: Floats
) -> _Stretches:
    starts, stops = np.append(-np.inf, limits), np.append(limits, np.inf)
    found = [
        np.flatnonzero((entry < b) & (duration > a)) for a, b in zip(starts, stops, strict=True)
    ]
    row = np.concatenate(found)
    period = np.repeat(np.arange(len(found)), [len(part) for part in found])
    return _Stretches(
        row=row,
        period=period,
        entry=np.maximum(entry[row], starts[period]),
        duration=np.minimum(duration[row], stops[period]),
        churned=churned[row] & (duration[row] <= stops[period]),
    )


def _describe(rows: ModelRows, pieces: _Stretches, limits: Floats) -> pd.DataFrame:
    """One row per period: its name, ends and numbers."""
    lifetimes = rows.lifetimes.to_numpy()[pieces.row]
    counts = pd.DataFrame({"n": lifetimes, "n_churned": pieces.churned}).groupby(pieces.period)
    table = counts.agg({"n": "nunique", "n_churned": "sum"}).reset_index(drop=True)
    told = [describe_time(limit) for limit in limits]
    between = [f"{_drop_unit(a, b)} to {b}" for a, b in pairwise(told)]
    table.insert(0, "period", [f"first {told[0]}", *between, f"after {told[-1]}"])
    table.insert(1, "from_days", np.append(0.0, limits))
    table.insert(2, "to_days", np.append(limits, np.nan))
    return table


def _drop_unit(time: str, following: str) -> str:
    number, unit = time.split()
    return number if following.endswith(unit) else time


def _fit_term(
    rows: ModelRows, pieces: _Stretches, term: str, n_periods: int
) -> tuple[Floats, Floats]:
    """Coefficients of one term by period, and their covariance."""
    others = rows.terms.drop(columns=term).iloc[pieces.row].reset_index(drop=True)
    value = rows.terms[term].to_numpy()[pieces.row]
    own = {f"period {k}": np.where(pieces.period == k, value, 0.0) for k in range(n_periods)}
    design = pd.concat([pd.DataFrame(own), others], axis=1)
    customers = lay_out_times(rows.table)[2]
    fit = fit_cox(
        pieces.entry,
        pieces.duration,
        pieces.churned,
        design,
        clusters=customers[pieces.row] if customers.max() + 1 < len(rows.table) else None,
        strata=None if rows.strata is None else rows.strata[pieces.row],
    )
    return fit.estimates[:n_periods], fit.covariance[:n_periods, :n_periods]


def _summarise(
    periods: pd.DataFrame, term: str, estimates: Floats, covariance: Floats, conf_level: float
) -> pd.DataFrame:
    std_errors = np.sqrt(np.diag(covariance))
    z = normal_quantile(conf_level)
    table = periods.assign(
        term=term,
        estimate=estimates,
        std_error=std_errors,
        hazard_ratio=np.exp(estimates),
        conf_low=np.exp(estimates - z * std_errors),
        conf_high=np.exp(estimates + z * std_errors),
    )
    first = ["term", "period", "from_days", "to_days"]
    return table[[*first, *table.columns.drop([*first, "n", "n_churned"]), "n", "n_churned"]]


def _test_equal(estimates: Floats, covariance: Floats) -> tuple[float, int, float, float]:
    """Wald's test of equal coefficients, and the largest ratio over the smallest."""
    differences = np.diff(np.eye(len(estimates)), axis=0)
    gap = differences @ estimates
    statistic = float(gap @ np.linalg.solve(differences @ covariance @ differences.T, gap))
    freedom = len(gap)
    change = float(np.exp(estimates.max() - estimates.min()))
    return statistic, freedom, float(stats.chi2.sf(statistic, freedom)), change
