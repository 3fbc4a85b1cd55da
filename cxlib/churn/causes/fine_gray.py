"""What goes with leaving for a cause: the rate by Cox's model, the share by Fine and Gray's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.churn.causes.causes import FEWEST_ENDS
from cxlib.churn.causes.subdistribution import fit_subdistribution
from cxlib.churn.hazard.hazard import fit_hazard, lay_out_times, select_rows
from cxlib.errors import InputError, TooLittleData
from cxlib.schema import check_table
from cxlib.stats import adjust_p_values, normal_quantile

RATE, SHARE = "cause-specific", "subdistribution"
_ESTIMATES = ["hazard_ratio", "conf_low", "conf_high", "p_value", "q_value", "estimate"]
_COLUMNS = ["term", "cause", "method", *_ESTIMATES, "std_error", "n", "n_churned"]


@dataclass(frozen=True)
class CauseHazards:
    """Hazard models of several causes.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per cause, method and term: `term`, `cause`, `method` (``cause-specific``: the rate
        among those still there; ``subdistribution``: the share that leaves for the cause),
        `hazard_ratio`, `conf_low`, `conf_high` (of the ratio), `p_value`, `q_value`
        (Benjamini-Hochberg over the terms and causes of a method), `estimate` (log hazard ratio),
        `std_error`, `n`, `n_churned` (for the cause).
    references : pandas.DataFrame
        One row per text covariate: `covariate`, `reference`, `n`.
    left_out : pandas.DataFrame
        One row per reason to leave lifetimes out: `covariate`, `n` (lifetimes), `why`.
    not_fitted : pandas.DataFrame
        One row per cause without a model: `cause`, `n_churned`, `why`.
    """

    table: pd.DataFrame
    references: pd.DataFrame
    left_out: pd.DataFrame
    not_fitted: pd.DataFrame


def fit_cause_hazards(
    lifetimes: pd.DataFrame,
    *,
    covariates: Sequence[str],
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> CauseHazards:
    """Estimate, cause by cause, what goes with a higher rate and with a larger share of leaving.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        As `name_causes` returns them, with the covariates.
    covariates : sequence of str
        Columns known when the lifetime begins, as for `fit_hazard`.
    min_cell : int, default 10
        Lifetimes a level needs.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    CauseHazards
        Causes in their order, each with the rows of both methods.

    Raises
    ------
    InputError
        When a column is missing, or a lifetime has several rows.
    TooLittleData
        When a covariate has one value only, or no cause has a model; the reasons are told.

    Notes
    -----
    Cause-specific: Cox's model with ends for other causes as censoring. Its ratio compares the
    rate at which customers still there leave for the cause: it tells what acts on the cause.
    Subdistribution: Fine and Gray's model, in which who has left for another cause stays among
    those at risk. Its ratio compares the shares that end up leaving for the cause: it tells whom
    the cause takes. A covariate that acts on one cause alone changes the shares of all, since
    with more leaving for the one fewer are left to leave for the others. Either takes its ratio
    to be the same at every age of the customer, and both cannot be right for one cause; where
    they disagree, the curves by group show what happens.

    Values that change within a lifetime have no meaning after its end, where the second method
    needs them, so that lifetimes of several rows are refused. Standard errors of the second are
    always those of the sandwich over customers.

    References
    ----------
    .. [1] J. P. Fine, R. J. Gray (1999). A proportional hazards model for the subdistribution of a
           competing risk. JASA 94, 496-509.
    .. [2] A. Latouche et al. (2013). A competing risks analysis should report results on all
           cause-specific hazards and cumulative incidence functions. Journal of Clinical
           Epidemiology 66, 648-653.
    """
    table = check_table(lifetimes, ("cause",), table="lifetimes")
    rows = select_rows(table, covariates=covariates, min_cell=min_cell)
    if rows.lifetimes.duplicated().any():
        raise InputError(
            "Some lifetimes have several rows, with values that change on the way.",
            "table 'lifetimes'",
            "give the values of the first day, one row a lifetime; `fit_hazard` takes both",
        )
    entry, duration, customers = lay_out_times(rows.table)
    cause = rows.table["cause"].astype("category")
    parts, without = [], []
    for name in cause.cat.categories:
        churned = (cause == name).to_numpy()
        competing = cause.notna().to_numpy() & ~churned
        try:
            if churned.sum() < FEWEST_ENDS:
                raise TooLittleData(f"fewer than {FEWEST_ENDS} customers left for it")
            own = rows.table.assign(churned=churned)
            rate = fit_hazard(own, covariates=covariates, min_cell=min_cell).table
            estimates, covariance = fit_subdistribution(
                entry, duration, churned, competing, rows.terms, clusters=customers
            )
        except TooLittleData as error:
            without.append((name, int(churned.sum()), str(error)))
            continue
        share = {"estimate": estimates, "std_error": np.sqrt(np.diag(covariance))}
        part = pd.concat([rate[["term", *share]], rate[["term"]].assign(**share)])
        methods = np.repeat([RATE, SHARE], len(rate))
        parts.append(part.assign(cause=name, method=methods, n_churned=int(churned.sum())))
    if not parts:
        reasons = "; ".join(f"{name}: {why}" for name, _, why in without)
        raise TooLittleData(f"No cause has a model. {reasons}")
    fitted = pd.concat(parts, ignore_index=True).assign(n=len(rows.table))
    return CauseHazards(
        table=_summarise(fitted, conf_level)[_COLUMNS],
        references=rows.references,
        left_out=rows.left_out,
        not_fitted=pd.DataFrame(without, columns=["cause", "n_churned", "why"]),
    )


def _summarise(fitted: pd.DataFrame, conf_level: float) -> pd.DataFrame:
    estimate, reach = fitted["estimate"], normal_quantile(conf_level) * fitted["std_error"]
    p_value = 2 * stats.norm.sf(np.abs(estimate) / fitted["std_error"])
    table = fitted.assign(
        hazard_ratio=np.exp(estimate),
        conf_low=np.exp(estimate - reach),
        conf_high=np.exp(estimate + reach),
        p_value=p_value,
    )
    return table.assign(
        q_value=table.groupby("method")["p_value"].transform(lambda p: adjust_p_values(p))
    )
