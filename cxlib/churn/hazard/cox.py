"""Cox's partial likelihood on (entry, duration] rows, from sums by day instead of row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cxlib.churn.hazard.risk_sets import DaySums, Rows, find_unseen, lay_out_rows, sum_days
from cxlib.errors import TooLittleData
from cxlib.stats import Floats

Integers = NDArray[np.intp]
MAX_STEPS = 50
SMALLEST_STEP = 1e-6  # in standard deviations; Newton squares the error, so the next is 1e-12
# A hazard ratio of e^18 or so; the information goes to 0 with e^-|coefficient| where one diverges.
LEAST_INFORMATION = 1e-8
CHUNK = 1 << 15  # rows worked on at once: they stay in the processor's cache


@dataclass(frozen=True)
class CoxFit:
    """Coefficients of a proportional-hazards model, and the baseline hazard that goes with them.

    Parameters
    ----------
    terms : list of str, length p
        Columns of the design.
    estimates : ndarray of float, shape (p,)
        Log hazard ratios.
    covariance : ndarray of float, shape (p, p)
        Inverse information, or the sandwich over clusters.
    log_likelihood_null, log_likelihood : float
        Log partial likelihood at zero and at the estimates, the penalty of the ridge apart.
    center : ndarray of float, shape (p,)
        Values of the covariates the baseline belongs to: their means over the rows.
    baseline : pandas.DataFrame
        One row per stratum and day with churn: `stratum`, `time_days`, `hazard` (increment of the
        cumulative hazard at `center`), `variance` (of the increment, coefficients known).
    baseline_means : ndarray of float, shape (len(baseline), p)
        Increment times the covariate means of those at risk, less `center`: what an error in the
        coefficients does to the increment.
    unseen : pandas.DataFrame
        Ages about which the baseline is silent because nobody was under observation, one row per
        stratum and stretch (from, to]: `stratum`, `from_days`, `to_days`.
    """

    terms: list[str]
    estimates: Floats
    covariance: Floats
    log_likelihood_null: float
    log_likelihood: float
    center: Floats
    baseline: pd.DataFrame
    baseline_means: Floats
    unseen: pd.DataFrame


@dataclass(frozen=True)
class _State:
    """Everything Newton, the sandwich and the baseline need at one value of the coefficients."""

    log_likelihood: float
    gradient: Floats
    information: Floats
    risk: Floats  # weight times hazard ratio over e^top, (n,)
    top: float
    days: DaySums


def fit_cox(
    entry: Floats,
    duration: Floats,
    churned: NDArray[np.bool_],
    design: pd.DataFrame,
    *,
    clusters: Integers | None = None,
    strata: Integers | None = None,
    weights: Floats | None = None,
    ties: Literal["efron", "breslow"] = "efron",
    ridge: float = 0.0,
) -> CoxFit:
    """Fit a proportional-hazards model.

    Parameters
    ----------
    entry, duration : ndarray of float, shape (n,)
        A row is at risk on ``entry < t <= duration``; a negative entry counts day 0 as well.
    churned : ndarray of bool, shape (n,)
        Whether the row ended in churn.
    design : pandas.DataFrame, shape (n, p)
        One column of numbers a term.
    clusters : ndarray of int, shape (n,), optional
        Rows of one customer share a number from 0 on; gives the sandwich variance over clusters.
    strata : ndarray of int, shape (n,), optional
        Rows with one number from 0 on share a baseline hazard; all rows by default.
    weights : ndarray of float, shape (n,), optional
        Positive case weights; 1 by default.
    ties : {"efron", "breslow"}, default "efron"
        Treatment of customers who leave on the same day.
    ridge : float, default 0.0
        Penalty: half of it times the sum of squared coefficients, each per standard deviation of
        its covariate, is taken from the log-likelihood.

    Returns
    -------
    CoxFit
        Estimates, covariance, log-likelihoods and baseline.

    Raises
    ------
    TooLittleData
        When nobody churned, a term is constant or a combination of others (within the strata), or
        the likelihood has no maximum: a covariate separates those who leave from the rest. The
        term with the largest standardised coefficient is named.

    Notes
    -----
    Where m customers leave at once, the r-th of them (r = 0 .. m - 1) counts with the risk set
    reduced by the share r / m of all m (Efron) or with the whole of it (Breslow). Sums over risk
    sets are differences of cumulated sums by day, and the information is one X'diag(a)X less the
    products of the means, so the cost is that of one weighted least-squares fit a step, whatever
    the number of days. Columns are standardised inside; Newton steps are halved until the
    likelihood rises. Where a coefficient grows without end, the likelihood flattens until the
    steps vanish in rounding, which looks like a maximum; it is told from one by the information,
    which has vanished there too.

    Weights are those of R's ``coxph``: m tied ends count m times with their mean weight. With
    Efron's ties a row of weight 2 is therefore not two rows, whose ends would be tied with each
    other; with Breslow's it is. The inverse information takes weights for counts; where they are
    not, give `clusters`. The ridge is R's ``ridge(..., theta = ridge)`` with its scaling, and the
    covariance the inverse of the penalised information (R's `var`): the interval of a posterior
    with a normal prior of variance 1 / `ridge`. The baseline is Efron's or Breslow's estimate, and
    only those at risk count in it: customers who enter late are not taken for survivors of the
    days before.

    References
    ----------
    .. [1] D. R. Cox (1972). Regression models and life tables. JRSS B 34, 187-220.
    .. [2] B. Efron (1977). The efficiency of Cox's likelihood function for censored data. JASA
           72, 557-565.
    .. [3] N. Breslow (1974). Covariance analysis of censored survival data. Biometrics 30, 89-99.
    .. [4] D. Y. Lin, L. J. Wei (1989). The robust inference for the Cox proportional hazards
           model. JASA 84, 1074-1078.
    .. [5] T. M. Therneau, P. M. Grambsch (2000). Modeling Survival Data, sections 3.3 and 7.3.
    """
    if not churned.any():
        raise TooLittleData("Nobody churned: nothing can be said about what raises the risk.")
    rows = lay_out_rows(
        entry, duration, churned, strata=strata, weights=weights, is_efron=ties == "efron"
    )
    unseen = find_unseen(entry, duration, strata)
    return fit_rows(rows, design, unseen=unseen, clusters=clusters, ridge=ridge)


def fit_rows(
    rows: Rows,
    design: pd.DataFrame,
    *,
    unseen: pd.DataFrame,
    clusters: Integers | None = None,
    ridge: float = 0.0,
) -> CoxFit:
    """Fit a proportional-hazards model to rows laid out for their risk sets.

    Parameters
    ----------
    rows : Rows
        From :func:`cxlib.churn.hazard.risk_sets.lay_out_rows`, or with weights by day.
    design : pandas.DataFrame, shape (n, p)
        One column of numbers a term.
    unseen : pandas.DataFrame
        Ages at which nobody was observed, kept in the result.
    clusters : ndarray of int, shape (n,), optional
        As :func:`fit_cox` takes them.
    ridge : float, default 0.0
        As :func:`fit_cox` takes it.

    Returns
    -------
    CoxFit
        Estimates, covariance, log-likelihoods and baseline.

    Raises
    ------
    TooLittleData
        When a term is constant or a combination of others, or the likelihood has no maximum.
    """
    terms = [str(term) for term in design.columns]
    values, center, scale = _standardise(design)
    if not scale.all():
        raise TooLittleData(f"'{terms[scale.argmin()]}' has one value only. Leave it out.")
    with threadpool_limits(1):  # on a few rows at a time threads only wait for each other
        null, state, beta = _maximise(rows, values, ridge, terms)
        covariance = np.asarray(np.linalg.inv(state.information), dtype=float)
        if clusters is not None:
            covariance = _sandwich(rows, values, state, covariance, clusters)
    baseline, means = _baseline(rows, state)
    return CoxFit(
        terms=terms,
        estimates=beta / scale,
        covariance=covariance / np.outer(scale, scale),
        log_likelihood_null=null.log_likelihood,
        log_likelihood=state.log_likelihood,
        center=center,
        baseline=baseline,
        baseline_means=means * scale,
        unseen=unseen,
    )


def _standardise(design: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Lay out a column of ones, whose sums are the denominators, and the standardised terms."""
    given = design.to_numpy(float)
    center = given.mean(axis=0)
    squares = np.zeros(given.shape[1])
    values = np.empty((len(given), given.shape[1] + 1))
    values[:, 0] = 1.0
    for part in _chunks(len(given)):
        values[part, 1:] = given[part] - center
        squares += np.square(values[part, 1:]).sum(axis=0)
    scale = np.sqrt(squares / max(len(given) - 1, 1))
    scale[scale <= 1e-12 * np.abs(center)] = 0.0
    values[:, 1:] /= np.where(scale > 0, scale, 1.0)
    return values, center, scale


def _chunks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK))


def _maximise(
    rows: Rows, values: Floats, ridge: float, terms: list[str]
) -> tuple[_State, _State, Floats]:
    """Take Newton steps from zero; return the state there, the one at the maximum, and where."""
    beta = np.zeros(len(terms))
    state = null = _evaluate(rows, values, beta, ridge)
    _check_rank(null.information, terms)
    for _ in range(MAX_STEPS):
        try:
            step = np.linalg.solve(state.information, state.gradient)
        except np.linalg.LinAlgError:
            break
        following = _evaluate(rows, values, beta + step, ridge)
        before = _penalised(state, beta, ridge)
        floor = before - 1e-12 * abs(before)  # rounding is no descent
        while not _penalised(following, beta + step, ridge) >= floor and _size(step) > 1e-9:
            step = step / 2
            following = _evaluate(rows, values, beta + step, ridge)
        beta, state = beta + step, following
        if _size(step) < SMALLEST_STEP:
            if _is_informative(state, null):
                return null, state, beta
            break
    raise TooLittleData(
        f"The model has no maximum: '{terms[np.abs(beta).argmax()]}', alone or with others, tells "
        "for certain who leaves first. Leave the covariate out, join the level with another, or "
        "ask for a ridge."
    )


def _size(step: NDArray[np.floating]) -> float:
    return float(np.abs(step).max())


def _penalised(state: _State, beta: Floats, ridge: float) -> float:
    return state.log_likelihood - ridge / 2 * float(beta @ beta)


def _check_rank(information: Floats, terms: list[str]) -> None:
    """Name a term that says nothing beside those before it, within the strata."""
    left = information.copy()
    for i, term in enumerate(terms):
        if not left[i, i] > 1e-9 * information.max():
            raise TooLittleData(
                f"'{term}' tells nobody at risk apart whom the terms before it do not. "
                "Leave it out."
            )
        left -= np.outer(left[:, i], left[i]) / left[i, i]


def _is_informative(state: _State, null: _State) -> bool:
    """Tell a maximum from a plateau: there the data say nothing of the coefficients."""
    if not np.isfinite(state.information).all():
        return False
    least = float(np.linalg.eigvalsh(state.information)[0])
    return least > LEAST_INFORMATION * float(np.linalg.eigvalsh(null.information)[0])


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # a step too far is halved
def _evaluate(rows: Rows, values: Floats, beta: Floats, ridge: float) -> _State:
    score = values @ np.append(0.0, beta)
    top = float(score.max())
    ends_score = float(rows.end_weights @ score[rows.ends])
    risk = np.exp(np.subtract(score, top, out=score), out=score)
    if rows.weights is not None:
        risk *= rows.weights
    days = sum_days(rows, risk, values)
    (i0, i1), (s0, s1, s2), at_risk, tied = days.inverse, days.squared, days.at_risk, days.tied
    gradient = rows.end_weights @ values[rows.ends, 1:] - (i0 @ at_risk - i1 @ tied)
    cross = (at_risk * s1[:, None]).T @ tied
    products = (at_risk * s0[:, None]).T @ at_risk + (tied * s2[:, None]).T @ tied
    information = _weigh_squares(values, risk * rows.spend(i0, i1)) - products + cross + cross.T
    return _State(
        log_likelihood=ends_score - days.log_sum - float(rows.end_weights.sum()) * top,
        gradient=gradient - ridge * beta,
        information=information + ridge * np.eye(len(beta)),
        risk=risk,
        top=top,
        days=days,
    )


def _weigh_squares(values: Floats, amount: Floats) -> Floats:
    """X'diag(amount)X, a few rows at a time."""
    total = np.zeros((values.shape[1] - 1,) * 2)
    root = np.sqrt(np.maximum(amount, 0.0))  # rounding may leave less than nothing
    for part in _chunks(len(values)):
        x = values[part, 1:] * root[part, None]
        total += x.T @ x
    return total


def _sandwich(
    rows: Rows, values: Floats, state: _State, covariance: Floats, clusters: Integers
) -> Floats:
    """Sum score residuals by cluster and put them between two inverse informations."""
    (i0, i1), (s0, s1, s2) = state.days.inverse, state.days.squared
    hazard = rows.spend(i0, i1)
    weight = np.bincount(rows.at, rows.weight, rows.n_days)
    weight[weight == 0] = 1.0
    scores = np.empty((int(clusters.max()) + 1, values.shape[1] - 1))
    for j in range(scores.shape[1]):  # one column at a time: the memory is that of the sums
        x, at_risk, tied = values[:, j + 1], state.days.at_risk[:, j], state.days.tied[:, j]
        residual = rows.spend(at_risk * s0 - tied * s1, at_risk * s1 - tied * s2)
        residual = state.risk * (residual - x * hazard)
        # who leaves is compared with the mean over the tied ends
        mean = (at_risk * i0 - tied * i1) / weight
        residual[rows.ends] += rows.end_weights * (x[rows.ends] - mean[rows.when])
        scores[:, j] = np.bincount(clusters, residual, len(scores))
    return np.asarray(covariance @ (scores.T @ scores) @ covariance, dtype=float)


def _baseline(rows: Rows, state: _State) -> tuple[pd.DataFrame, Floats]:
    """Increments of the cumulative hazard at the means of the covariates."""
    (hazard, _), (s0, s1, _) = state.days.inverse, state.days.squared
    left = np.unique(rows.at)
    means = state.days.at_risk * s0[:, None] - state.days.tied * s1[:, None]
    table = rows.days.assign(
        hazard=hazard * np.exp(-state.top), variance=s0 * np.exp(-2 * state.top)
    )
    return table.loc[left].reset_index(drop=True), means[left] * np.exp(-state.top)
