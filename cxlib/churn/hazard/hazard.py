"""What raises the risk of leaving: a proportional-hazards model with plain terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.churn.hazard.cox import CoxFit, fit_cox
from cxlib.churn.hazard.design import (
    Design,
    find_repeated,
    leave_out,
    make_design,
    number_lifetimes,
    read_covariate,
    read_strata,
)
from cxlib.churn.lifetimes import check_lifetimes
from cxlib.errors import InputError, TooLittleData
from cxlib.stats import Floats, adjust_p_values, normal_quantile

# Below about ten ends a coefficient, estimates are biased and intervals too short.
CHURNED_PER_TERM = 10


@dataclass(frozen=True)
class HazardModel:
    """A fitted hazard model.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per term: `term`, `estimate` (log hazard ratio), `std_error`, `hazard_ratio`,
        `conf_low`, `conf_high` (of the hazard ratio), `p_value`, `q_value`, `n`, `n_churned`
        (lifetimes in the model).
    references : pandas.DataFrame
        One row per text covariate: `covariate`, `reference` (the level the others are compared
        with), `n`.
    left_out : pandas.DataFrame
        One row per reason to leave lifetimes out, wholly or for a time: `covariate`, `n`
        (lifetimes), `why`.
    repeated : list of str
        Terms left out because they say nothing that the terms before them do not say.
    fit : CoxFit
        Coefficients with their covariance, and the baseline hazard.
    design : Design
        What the terms stand for, to lay other customers out in (`lay_out`).
    """

    table: pd.DataFrame
    references: pd.DataFrame
    left_out: pd.DataFrame
    repeated: list[str]
    fit: CoxFit
    design: Design


@dataclass(frozen=True)
class ModelRows:
    """The rows that go into a model.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of the lifetimes kept.
    terms : pandas.DataFrame
        The columns of the model for the same rows.
    lifetimes : pandas.Series
        Number of the lifetime each row belongs to.
    strata : ndarray of int, or None
        Number of the stratum of each row.
    design : Design
        What the terms stand for.
    references, left_out : pandas.DataFrame
        As in `HazardModel`.
    repeated : list of str
        As in `HazardModel`.
    """

    table: pd.DataFrame
    terms: pd.DataFrame
    lifetimes: pd.Series
    strata: np.ndarray | None
    design: Design
    references: pd.DataFrame
    left_out: pd.DataFrame
    repeated: list[str]


def fit_hazard(
    lifetimes: pd.DataFrame,
    *,
    covariates: Sequence[str],
    strata: Sequence[str] = (),
    ridge: float = 0.0,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> HazardModel:
    """Estimate by what factor each covariate changes the risk of leaving.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime, or per stretch of one
        Columns `customer_id`, `duration_days`, `churned`, the covariates; `entry_days` for late
        entry, and for the stretches of a lifetime in which covariates keep their value
        (``entry_days < t <= duration_days``, `churned` in the last one only).
    covariates : sequence of str
        Columns known when the row begins. Numbers, yes/no, and text that reads as a number
        throughout count per unit and keep their name as the term; other text counts by level,
        against the most common one, in terms called ``name[level]``.
        Text with more than ten distinct numbers and a few other entries is refused.
    strata : sequence of str, default ()
        Columns whose groups get a baseline hazard each, and no ratio.
    ridge : float, default 0.0
        Draws the coefficients towards 0, in units of standard deviations (see `fit_cox`); for
        covariates that separate those who leave from the rest.
    min_cell : int, default 10
        Lifetimes a level needs; those of rarer levels are left out.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    HazardModel
        Terms in the order of the covariates, levels in the order of their values.

    Raises
    ------
    InputError
        When a column is missing, holds numbers but for a few entries, or is covariate and
        stratum at once, or the ridge is negative.
    TooLittleData
        When a covariate has one value only among the lifetimes left, fewer than ten customers
        churned per term, or, without a ridge, nobody or everybody with a level churned, or the
        likelihood has no maximum.

    Notes
    -----
    Cox's model with Efron's treatment of ties on ``entry_days < t <= duration_days``. Wald
    intervals and p-values. When a customer has several rows the standard errors are those of the
    sandwich over customers. Lifetimes, and not rows, count for `min_cell`, for the most common
    level and in `n`. Rows with a missing covariate or a rare level are left out and their
    lifetimes counted, again until every level left has `min_cell` of the lifetimes left; and so
    are terms that repeat others (the level ``No internet`` of two services), without which the
    model says the same. The factor is taken to be the same at every age of the customer
    (proportional hazards); where it is not, the estimate is an average over the ages observed,
    see `fit_periods`. With a ridge, estimates are drawn towards 0 and their intervals are no
    longer centred on the truth. A hazard ratio describes who leaves; it is no proof of what would
    happen if the covariate were changed.

    References
    ----------
    .. [1] D. R. Cox (1972). Regression models and life tables. JRSS B 34, 187-220.
    .. [2] B. Efron (1977). The efficiency of Cox's likelihood function for censored data. JASA
           72, 557-565.
    .. [3] P. Peduzzi et al. (1995). Importance of events per independent variable in proportional
           hazards regression analysis II. Journal of Clinical Epidemiology 48, 1503-1510.
    .. [4] P. J. M. Verweij, H. C. van Houwelingen (1994). Penalized likelihood in Cox regression.
           Statistics in Medicine 13, 2427-2436.
    """
    if not ridge >= 0:
        problem = f"ridge = {ridge!r} is no penalty."
        raise InputError(problem, "parameter 'ridge'", "give a number from 0 on")
    rows = select_rows(lifetimes, covariates=covariates, strata=strata, min_cell=min_cell)
    churned = rows.table["churned"].to_numpy(bool)
    _check_design(rows.terms, churned, is_penalised=ridge > 0)
    entry, duration, customers = lay_out_times(rows.table)
    fit = fit_cox(
        entry,
        duration,
        churned,
        rows.terms,
        clusters=customers if customers.max() + 1 < len(rows.table) else None,
        strata=rows.strata,
        ridge=ridge,
    )
    std_errors = np.sqrt(np.diag(fit.covariance))
    terms = _summarise_terms(fit.terms, fit.estimates, std_errors, conf_level)
    return HazardModel(
        table=terms.assign(n=rows.lifetimes.nunique(), n_churned=int(churned.sum())),
        references=rows.references,
        left_out=rows.left_out,
        repeated=rows.repeated,
        fit=fit,
        design=rows.design,
    )


def select_rows(
    lifetimes: pd.DataFrame,
    *,
    covariates: Sequence[str],
    strata: Sequence[str] = (),
    min_cell: int = 10,
) -> ModelRows:
    """Keep the rows a model can use and lay out its terms.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime, or per stretch of one
        As for `fit_hazard`.
    covariates, strata : sequence of str
        As for `fit_hazard`.
    min_cell : int, default 10
        Lifetimes a level needs.

    Returns
    -------
    ModelRows
        Rows, terms, strata, and what was left out.

    Raises
    ------
    InputError
        When a column is missing or cannot be read.
    TooLittleData
        When a covariate has one value only, or nobody who left has a value in every covariate.
    """
    table = check_lifetimes(lifetimes).reset_index(drop=True)
    if not (table["duration_days"] > table["entry_days"]).any():
        raise TooLittleData("Nobody was followed for a day: there is no pace to compare.")
    both = [name for name in covariates if name in strata]
    if both:
        problem = f"'{both[0]}' cannot be covariate and stratum at once."
        raise InputError(problem, "parameters 'covariates', 'strata'", "name it in one of them")
    numbers = pd.Series(number_lifetimes(table))
    columns = {name: read_covariate(table, name) for name in dict.fromkeys(covariates)}
    if not columns:
        raise InputError("There is no covariate.", "parameter 'covariates'", "name one column")
    groups = read_strata(table, strata) if strata else None
    lost = []
    if groups is not None:
        complete = groups.notna().all(axis=1)
        lost = [(name, numbers[groups[name].isna()].nunique(), "no value") for name in strata]
        columns = {name: column[complete] for name, column in columns.items()}
    columns, left_out = leave_out(columns, numbers, min_cell)
    lost = pd.DataFrame([row for row in lost if row[1]], columns=["covariate", "n", "why"])
    table = table.loc[next(iter(columns.values())).index]
    if not table["churned"].any():
        raise TooLittleData("Nobody who left has a value in every covariate.")
    terms, levels, references = make_design(columns, numbers)
    repeated = find_repeated(terms)
    terms = terms.drop(columns=repeated)
    codes, found = None, []
    if groups is not None:
        by_level = groups.loc[table.index].groupby(list(groups.columns))
        codes = by_level.ngroup().to_numpy()
        found = list(by_level.size().index.to_frame().itertuples(index=False, name=None))
    return ModelRows(
        table=table,
        terms=terms,
        lifetimes=numbers.loc[table.index],
        strata=codes,
        design=Design(levels, list(terms.columns), tuple(strata), found),
        references=references,
        left_out=pd.concat([lost, left_out], ignore_index=True) if len(lost) else left_out,
        repeated=repeated,
    )


def lay_out_times(table: pd.DataFrame) -> tuple[Floats, Floats, np.ndarray]:
    """Give entry, duration and customer of lifetimes in the way `fit_cox` takes them.

    Parameters
    ----------
    table : pandas.DataFrame
        As `check_lifetimes` returns it.

    Returns
    -------
    tuple of ndarray, shape (n,)
        Entry (-1 for 0, which is at risk on day 0 too), duration, number of the customer.
    """
    entry = table["entry_days"].to_numpy(float)
    customers, _ = pd.factorize(table["customer_id"])
    return np.where(entry > 0, entry, -1.0), table["duration_days"].to_numpy(float), customers


def _summarise_terms(
    terms: list[str], estimates: Floats, std_errors: Floats, conf_level: float
) -> pd.DataFrame:
    z = normal_quantile(conf_level)
    p_values = 2 * stats.norm.sf(np.abs(estimates) / std_errors)
    return pd.DataFrame(
        {
            "term": terms,
            "estimate": estimates,
            "std_error": std_errors,
            "hazard_ratio": np.exp(estimates),
            "conf_low": np.exp(estimates - z * std_errors),
            "conf_high": np.exp(estimates + z * std_errors),
            "p_value": p_values,
            "q_value": adjust_p_values(p_values),
        }
    )


def _check_design(design: pd.DataFrame, churned: np.ndarray, *, is_penalised: bool) -> None:
    """Refuse what has no estimate, by name, before the fit fails without one."""
    n_terms, n_churned = design.shape[1], int(churned.sum())
    if n_churned < CHURNED_PER_TERM * n_terms:
        raise TooLittleData(
            f"{n_churned:,} customers churned, too few for {n_terms} terms: the model needs about "
            f"{CHURNED_PER_TERM} for each. Name fewer covariates, or covariates with fewer levels."
        )
    if is_penalised:
        return
    for term in design.columns:
        values = design[term].to_numpy()
        ends = values[churned]
        if ends.min() == ends.max() and ends[0] in (values.min(), values.max()):
            raise TooLittleData(
                f"All who churned have {term} = {ends[0]:g}, others have not: its hazard ratio "
                "cannot be told. Leave the covariate out, join the level with another, or ask for "
                "a ridge."
            )
