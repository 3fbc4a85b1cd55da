"""Efron's partial likelihood on (entry, duration] rows, from counts instead of row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.errors import TooLittleData
from cxlib.stats import Floats

Integers = NDArray[np.intp]
MAX_STEPS = 50
# A hazard ratio of e^18 or so; the information goes to 0 with e^-|coefficient| where one diverges.
LEAST_INFORMATION = 1e-8


@dataclass(frozen=True)
class CoxFit:
    """Coefficients of a proportional-hazards model.

    Parameters
    ----------
    estimates : ndarray of float, shape (p,)
        Log hazard ratios.
    covariance : ndarray of float, shape (p, p)
        Inverse information, or the sandwich over clusters.
    log_likelihood_null, log_likelihood : float
        Log partial likelihood at zero and at the estimates.
    """

    estimates: Floats
    covariance: Floats
    log_likelihood_null: float
    log_likelihood: float


@dataclass(frozen=True)
class _Rows:
    """Rows laid out for counting; the k distinct times of churn are numbered 0 to k - 1."""

    design: Floats  # (n, p)
    churned: Integers  # rows that churned, (d,)
    first: Integers  # a row is at risk at the times numbered first <= i < last
    last: Integers
    when: Integers  # number of the time at which each churned row left, (d,)
    at: Integers  # the same numbers in ascending order
    share: Floats  # r / m for the r-th of m tied ends, r = 0 .. m - 1, (d,)
    n_times: int

    def total_at_risk(self, column: Floats) -> Floats:
        """Sum a column over the rows at risk at each time of churn."""
        # summed from the last time back: late risk sets are small and keep their digits
        n = self.n_times + 1
        change = np.bincount(self.last, column, n) - np.bincount(self.first, column, n)
        return np.asarray(np.cumsum(change[::-1])[-2::-1], dtype=float)

    def total_at(self, column: Floats) -> Floats:
        """Sum a column over the churned rows by their time."""
        return np.bincount(self.when, column[self.churned], self.n_times).astype(float)

    def total_share(self, values: Floats) -> Floats:
        """Sum values of the tied ends by their time."""
        return np.bincount(self.at, values, self.n_times).astype(float)


@dataclass(frozen=True)
class _State:
    """Everything Newton and the sandwich need at one value of the coefficients."""

    log_likelihood: float
    gradient: Floats
    information: Floats
    risk: Floats  # (n,)
    sums: Floats  # Efron's denominators, one per end, (d,)
    mean: Floats  # and the covariate means that belong to them, (d, p)


def fit_cox(
    entry: Floats,
    duration: Floats,
    churned: NDArray[np.bool_],
    design: pd.DataFrame,
    *,
    clusters: Integers | None = None,
) -> CoxFit:
    """Fit a proportional-hazards model with Efron's treatment of ties.

    Parameters
    ----------
    entry, duration : ndarray of float, shape (n,)
        A row is at risk on ``entry < t <= duration``.
    churned : ndarray of bool, shape (n,)
        Whether the row ended in churn.
    design : pandas.DataFrame, shape (n, p)
        One column of numbers a term, none constant.
    clusters : ndarray of int, shape (n,), optional
        Rows of one customer share a number; gives the sandwich variance over clusters.

    Returns
    -------
    CoxFit
        Estimates, covariance and log-likelihoods.

    Raises
    ------
    TooLittleData
        When the likelihood has no maximum: a covariate separates those who leave from the rest.
        The term with the largest standardised coefficient is named.

    Notes
    -----
    Where m customers leave at once, the r-th of them (r = 0 .. m - 1) counts with the risk set
    reduced by the share r / m of all m. Sums over risk sets are differences of cumulated counts
    by time, and the information is one X'diag(a)X less the products of the means, so the cost is
    that of one weighted least-squares fit a step, whatever the number of times. Columns are
    standardised inside; Newton steps are halved until the likelihood rises. Where a coefficient
    grows without end, the likelihood flattens until the steps vanish in rounding, which looks
    like a maximum; it is told from one by the information, which has vanished there too.

    References
    ----------
    .. [1] D. R. Cox (1972). Regression models and life tables. JRSS B 34, 187-220.
    .. [2] B. Efron (1977). The efficiency of Cox's likelihood function for censored data. JASA
           72, 557-565.
    .. [3] D. Y. Lin, L. J. Wei (1989). The robust inference for the Cox proportional hazards
           model. JASA 84, 1074-1078.
    """
    values = design.to_numpy(float)
    scale = values.std(axis=0)
    rows = _lay_out(entry, duration, churned, (values - values.mean(axis=0)) / scale)
    beta = np.zeros(values.shape[1])
    state = null = _evaluate(rows, beta)
    converged = False
    for _ in range(MAX_STEPS):
        try:
            step = np.linalg.solve(state.information, state.gradient)
        except np.linalg.LinAlgError:
            break
        following = _evaluate(rows, beta + step)
        floor = state.log_likelihood - 1e-12 * abs(state.log_likelihood)  # rounding is no descent
        while not following.log_likelihood >= floor and np.abs(step).max() > 1e-9:
            step = step / 2
            following = _evaluate(rows, beta + step)
        beta, state = beta + step, following
        converged = bool(np.abs(step).max() < 1e-9)
        if converged:
            break
    if not (converged and _is_informative(state, null)):
        term = design.columns[np.abs(beta).argmax()]
        raise TooLittleData(
            f"The model has no maximum: '{term}', alone or with others, tells for certain who "
            "leaves first. Leave the covariate out or join the level with another."
        )
    covariance = np.asarray(np.linalg.inv(state.information), dtype=float)
    if clusters is not None:
        covariance = _sandwich(rows, state, covariance, clusters)
    return CoxFit(
        beta / scale,
        covariance / np.outer(scale, scale),
        null.log_likelihood,
        state.log_likelihood,
    )


def _is_informative(state: _State, null: _State) -> bool:
    """Tell a maximum from a plateau: there the data say nothing of the coefficients."""
    if not np.isfinite(state.information).all():
        return False
    least = float(np.linalg.eigvalsh(state.information)[0])
    return least > LEAST_INFORMATION * float(np.linalg.eigvalsh(null.information)[0])


def _lay_out(entry: Floats, duration: Floats, churned: NDArray[np.bool_], design: Floats) -> _Rows:
    times, when = np.unique(duration[churned], return_inverse=True)
    ties = np.bincount(when, minlength=len(times))
    at = np.repeat(np.arange(len(times)), ties)
    before = np.repeat(np.cumsum(ties) - ties, ties)
    return _Rows(
        design=design,
        churned=np.flatnonzero(churned),
        first=np.searchsorted(times, entry, side="right"),
        last=np.searchsorted(times, duration, side="right"),
        when=when,
        at=at,
        share=(np.arange(len(at)) - before) / np.repeat(ties, ties),
        n_times=len(times),
    )


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # a step too far is halved
def _evaluate(rows: _Rows, beta: Floats) -> _State:
    score = np.asarray(rows.design @ beta)
    top = score.max()
    risk = np.exp(score - top)
    weighted = np.column_stack([risk, rows.design * risk[:, None]])
    totals = np.column_stack([rows.total_at_risk(column) for column in weighted.T])
    tied = np.column_stack([rows.total_at(column) for column in weighted.T])
    sums = totals[rows.at] - rows.share[:, None] * tied[rows.at]
    mean, sums = sums[:, 1:] / sums[:, :1], sums[:, 0]
    amount = risk * _over_risk_time(rows, 1 / sums)
    own = rows.total_share(rows.share / sums)[rows.when]
    amount[rows.churned] -= risk[rows.churned] * own
    return _State(
        log_likelihood=float(score[rows.churned].sum() - (np.log(sums) + top).sum()),
        gradient=rows.design[rows.churned].sum(axis=0) - mean.sum(axis=0),
        information=(rows.design * amount[:, None]).T @ rows.design - mean.T @ mean,
        risk=risk,
        sums=sums,
        mean=mean,
    )


def _over_risk_time(rows: _Rows, values: Floats) -> Floats:
    """Sum values of the ends over the time each row was at risk."""
    so_far = np.append(0.0, np.cumsum(rows.total_share(values)))
    return np.asarray(so_far[rows.last] - so_far[rows.first], dtype=float)


def _sandwich(rows: _Rows, state: _State, covariance: Floats, clusters: Integers) -> Floats:
    """Sum score residuals by cluster and put them between two inverse informations."""
    x, risk, ends = rows.design, state.risk[:, None], rows.churned
    weights = np.column_stack([np.ones(len(state.sums)), state.mean]) / state.sums[:, None]
    spent = np.column_stack([_over_risk_time(rows, column) for column in weights.T])
    residuals = -risk * (x * spent[:, :1] - spent[:, 1:])
    # a row that leaves is at risk for its tied ends in shares only
    own = np.column_stack([rows.total_share(rows.share * c) for c in weights.T])[rows.when]
    residuals[ends] += risk[ends] * (x[ends] * own[:, :1] - own[:, 1:])
    mean = np.column_stack([rows.total_share(column) for column in state.mean.T])
    ties = np.bincount(rows.at, minlength=rows.n_times)[:, None]
    residuals[ends] += x[ends] - (mean / ties)[rows.when]
    influence = residuals @ covariance
    summed = np.column_stack([np.bincount(clusters, column) for column in influence.T])
    return np.asarray(summed.T @ summed, dtype=float)
