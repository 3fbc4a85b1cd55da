"""Contracts that end at fixed terms: who renews, and how many renewals are still to come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from cxlib.churn.cohorts.intervals import log_log_interval
from cxlib.churn.lifetimes import MONTH_DAYS, check_lifetimes
from cxlib.errors import InputError, TooLittleData
from cxlib.stats import Floats

# An end this near to a renewal, as a share of the term, is an end at the renewal; by chance a
# fifth of all ends lie so near.
NEAR_SHARE = 0.1
REGULAR_SHARE = 0.9
# Under about ten who left, two parameters say nothing.
FEW_CHURNED = 10
# Logarithms of the parameters further out than this move no share that anybody could see.
_BOUND = 9.0
_DIRECTIONS = 720


@dataclass(frozen=True)
class RenewalModel:
    """A shifted beta-geometric model of renewals.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per parameter (`alpha`, `beta`): `parameter`, `estimate`, `conf_low`, `conf_high`
        (infinite where the data do not bound it), `n` (decisions to renew), `n_churned`.
    renewals : pandas.DataFrame
        The counts it was fitted to, as `count_renewals` returns them.
    misfit_p_value : float
        Deviance test of the model against one share of its own for every renewal; missing when
        there are two renewals only.
    conf_level : float
        Level of all intervals made from it.
    region : ndarray of float, shape (k, 2)
        Share lost at the first renewal and spread 1 / (alpha + beta): the estimate, then the
        edge of the likelihood region from which intervals are read.
    """

    table: pd.DataFrame
    renewals: pd.DataFrame
    misfit_p_value: float
    conf_level: float
    region: Floats


def find_term(lifetimes: pd.DataFrame) -> float | None:
    """Find the term at which customers leave, if they leave at fixed terms.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`.

    Returns
    -------
    float or None
        Days of the longest of 24, 12, 6, 3 and 1 months near whose multiples nine in ten ends lie;
        None when customers leave on any day.
    """
    table = check_lifetimes(lifetimes)
    ends = table.loc[table["churned"], "duration_days"].to_numpy(float)
    terms = [months * MONTH_DAYS for months in (24, 12, 6, 3, 1)]
    return next((term for term in terms if _is_near(ends, term).mean() >= REGULAR_SHARE), None)


def _is_near(ends: Floats, term_days: float) -> np.ndarray:
    nearest = np.maximum(np.round(ends / term_days), 1) * term_days
    return np.asarray(np.abs(ends - nearest) <= NEAR_SHARE * term_days)


def count_renewals(lifetimes: pd.DataFrame, *, term_days: float) -> pd.DataFrame:
    """Count, for every renewal, who had to decide and who left.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`; `entry_days` for late entry.
    term_days : float
        Length of a contract in days.

    Returns
    -------
    pandas.DataFrame
        One row per renewal: `term` (1 = end of the first), `n_at_risk`, `n_churned`.

    Raises
    ------
    InputError
        When the term is not positive, or fewer than nine in ten ends lie near a renewal.
    TooLittleData
        When nobody churned.

    Notes
    -----
    An end within a tenth of the term of a renewal belongs to it, an end elsewhere to the next one.
    A customer decides at a renewal when under observation from the first to the last day on which
    ends of that renewal fall; who is censored in between has not decided yet, and who enters
    observation in between does not count before the next renewal.
    """
    if not term_days > 0:
        raise InputError(
            f"term_days = {term_days!r} is not positive.",
            "parameter 'term_days'",
            "give the days of a contract, for example 365.25",
        )
    table = check_lifetimes(lifetimes)
    duration, churned = table["duration_days"].to_numpy(float), table["churned"].to_numpy(bool)
    ends = duration[churned]
    near = _is_near(ends, term_days)
    if near.mean() < REGULAR_SHARE:
        raise InputError(
            f"{near.mean():.0%} of {len(ends):,} customers who left did so within "
            f"{NEAR_SHARE * term_days:.0f} days of a renewal: these are no contracts of "
            f"{term_days:g} days.",
            "parameter 'term_days', column 'duration_days'",
            "give the days of a contract; where customers leave on any day, read the survival "
            "curve instead",
        )
    term = np.where(near, np.maximum(np.round(ends / term_days), 1), np.ceil(ends / term_days))
    offset = (ends - term * term_days)[near]
    first_day, last_day = min(offset.min(), 0.0), max(offset.max(), 0.0)
    # the tolerance keeps 30.4375 x 3 from missing its own multiple
    last = np.floor((duration - last_day) / term_days + 1e-9)
    last[churned] = term
    first = np.floor((table["entry_days"].to_numpy(float) - first_day) / term_days) + 1
    decides = first <= last
    size = int(last.max()) + 2
    begin = np.bincount(first[decides].astype(int), minlength=size)
    end = np.bincount(last[decides].astype(int) + 1, minlength=size)
    left = np.bincount(last[decides & churned].astype(int), minlength=size)
    counts = pd.DataFrame(
        {"term": range(size), "n_at_risk": np.cumsum(begin - end), "n_churned": left}
    )
    return counts[counts["n_at_risk"] > 0].reset_index(drop=True)


def fit_renewals(renewals: pd.DataFrame, *, conf_level: float = 0.95) -> RenewalModel:
    """Estimate how customers differ in their inclination to renew.

    Parameters
    ----------
    renewals : pandas.DataFrame, one row per renewal
        Columns `term`, `n_at_risk`, `n_churned`, as `count_renewals` returns them.
    conf_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    RenewalModel
        The parameters, and what projections need.

    Raises
    ------
    TooLittleData
        When there are fewer than two renewals or fewer than ten customers left.

    Notes
    -----
    Every customer leaves at each renewal with a probability of his or her own, the same each time;
    over customers these follow a beta distribution with parameters alpha and beta. The share who
    leave at renewal t among those who reach it is then alpha / (alpha + beta + t - 1): it falls
    because the most fickle have gone, although nobody changes. The likelihood is that of these
    shares, one binomial a renewal, which is exact under censoring and late entry.

    Intervals of all quantities come from one region, the parameters whose log-likelihood is less
    than half the chi-squared quantile on 1 degree of freedom below the greatest: the ends of a
    quantity over it are its profile-likelihood interval. The region is searched on the logit of
    alpha / (alpha + beta) and the log of 1 / (alpha + beta), which may go to 0 (all alike).

    References
    ----------
    .. [1] P. S. Fader, B. G. S. Hardie (2007). How to project customer retention. Journal of
           Interactive Marketing 21, 76-90.

    Examples
    --------
    >>> lost = pd.DataFrame(
    ...     {"term": [1, 2, 3], "n_at_risk": [1000, 631, 468], "n_churned": [369, 163, 86]}
    ... )
    >>> fit_renewals(lost).table["estimate"].round(2).tolist()
    [0.78, 1.33]
    """
    n_churned = int(renewals["n_churned"].sum())
    if len(renewals) < 2 or n_churned < FEW_CHURNED:
        raise TooLittleData(
            f"{len(renewals)} renewal{'s' if len(renewals) != 1 else ''} with {n_churned:,} "
            f"customers who left are too few: two renewals and {FEW_CHURNED} who left are needed."
        )
    start = np.array([special.logit(n_churned / (renewals["n_at_risk"].sum() + 1)), -1.0])
    found = optimize.minimize(
        lambda point: -float(_log_likelihood(point, renewals)),
        start,
        method="Nelder-Mead",
        bounds=[(-_BOUND, _BOUND)] * 2,
        options={"xatol": 1e-10, "fatol": 1e-10, "maxiter": 4000},
    )
    edge = _find_edge(found.x, renewals, stats.chi2.ppf(conf_level, 1) / 2)
    points = np.vstack([found.x, edge])
    region = np.column_stack([special.expit(points[:, 0]), np.exp(points[:, 1])])
    is_open = points[:, 1] <= -_BOUND + 1e-6
    rows = []
    for name, share in (("alpha", region[:, 0]), ("beta", 1 - region[:, 0])):
        values = np.where(is_open, np.inf, share / region[:, 1])
        rows.append((name, *_read_region(values)))
    table = pd.DataFrame(rows, columns=["parameter", "estimate", "conf_low", "conf_high"])
    return RenewalModel(
        table.assign(n=int(renewals["n_at_risk"].sum()), n_churned=n_churned),
        renewals,
        _misfit(-found.fun, renewals),
        conf_level,
        region,
    )


def _leave_shares(region: Floats, terms: Floats) -> Floats:
    """Shares lost at each renewal among those who reach it, one row a point of the region."""
    return np.asarray(region[:, :1] / (1 + region[:, 1:] * (terms - 1)))


def _log_likelihood(points: Floats, renewals: pd.DataFrame) -> Floats:
    """Log-likelihood at points given as logit and log, along the last axis."""
    points = np.asarray(points, dtype=float)
    flat = points.reshape(-1, 2)
    region = np.column_stack([special.expit(flat[:, 0]), np.exp(flat[:, 1])])
    leave = _leave_shares(region, renewals["term"].to_numpy(float))
    churned = renewals["n_churned"].to_numpy(float)
    stayed = renewals["n_at_risk"].to_numpy(float) - churned
    total = special.xlogy(churned, leave) + special.xlog1py(stayed, -leave)
    return np.asarray(total.sum(axis=1).reshape(points.shape[:-1]))


def _find_edge(best: Floats, renewals: pd.DataFrame, depth: float) -> Floats:
    """Walk from the best point in all directions until the log-likelihood has fallen enough."""
    angles = np.linspace(0, 2 * np.pi, _DIRECTIONS, endpoint=False)
    ways = np.column_stack([np.cos(angles), np.sin(angles)])
    room = np.where(ways > 0, _BOUND - best, -_BOUND - best)
    room = np.divide(room, ways, out=np.full_like(ways, np.inf), where=ways != 0).min(axis=1)
    inside, outside = np.zeros(_DIRECTIONS), room.copy()
    floor = _log_likelihood(best, renewals) - depth
    outside_is_in = _log_likelihood(best + outside[:, None] * ways, renewals) >= floor
    for _ in range(40):
        middle = (inside + outside) / 2
        is_in = _log_likelihood(best + middle[:, None] * ways, renewals) >= floor
        inside, outside = np.where(is_in, middle, inside), np.where(is_in, outside, middle)
    reach = np.where(outside_is_in, room, inside)
    return np.asarray(best + reach[:, None] * ways)


def _read_region(values: Floats) -> tuple[float, float, float]:
    """Read an estimate and its interval off the values on the region."""
    return float(values[0]), float(values.min()), float(values.max())


def _misfit(log_likelihood: float, renewals: pd.DataFrame) -> float:
    freedom = len(renewals) - 2
    if freedom < 1:
        return float("nan")
    n, churned = renewals["n_at_risk"].to_numpy(float), renewals["n_churned"].to_numpy(float)
    own = special.xlogy(churned, churned / n) + special.xlogy(n - churned, 1 - churned / n)
    return float(stats.chi2.sf(2 * (own.sum() - log_likelihood), freedom))


def project_renewals(model: RenewalModel, *, n_terms: int) -> pd.DataFrame:
    """Project the share of customers still there after each renewal, beside the share observed.

    Parameters
    ----------
    model : RenewalModel
        As `fit_renewals` returns it.
    n_terms : int
        Renewals to project to.

    Returns
    -------
    pandas.DataFrame
        One row per source (``observed``, ``model``) and renewal from 0 on: `source`, `term`,
        `n_at_risk` (who decided; missing where nobody did), `retained_share`, `conf_low`,
        `conf_high`, `is_projected` (beyond the last renewal observed).

    Notes
    -----
    Observed is the product of the shares who renewed (Kaplan-Meier), with Greenwood's variance on
    the log(-log) scale; there is none once a renewal was seen by nobody.
    """
    renewals = model.renewals.set_index("term").reindex(range(1, n_terms + 1))
    n, churned = renewals["n_at_risk"].to_numpy(float), renewals["n_churned"].to_numpy(float)
    stayed = n - churned
    share = np.cumprod(stayed / n)
    step = np.divide(churned, n * stayed, out=np.where(np.isnan(n), np.nan, 0.0), where=stayed > 0)
    low, high = log_log_interval(share, np.cumsum(step), n, conf_level=model.conf_level)
    observed = pd.DataFrame({"retained_share": share, "conf_low": low, "conf_high": high})
    terms = np.arange(1, n_terms + 1, dtype=float)
    curves = np.cumprod(1 - _leave_shares(model.region, terms), axis=1)
    ends = {"conf_low": curves.min(axis=0), "conf_high": curves.max(axis=0)}
    modelled = pd.DataFrame({"retained_share": curves[0], **ends})
    last = int(model.renewals["term"].max())
    parts = []
    for source, part in (("observed", observed), ("model", modelled)):
        start = pd.DataFrame(1.0, index=[0], columns=part.columns)
        part = pd.concat([start, part], ignore_index=True)
        part = part.assign(source=source, term=range(n_terms + 1), n_at_risk=[np.nan, *n])
        part["is_projected"] = part["term"] > last
        parts.append(part)
    columns = ["source", "term", "n_at_risk", "retained_share", "conf_low", "conf_high"]
    table = pd.concat(parts, ignore_index=True).dropna(subset="retained_share")
    return table[[*columns, "is_projected"]].astype({"n_at_risk": "Int64"}).reset_index(drop=True)


def expect_renewals(
    model: RenewalModel, *, discount_share: float, n_terms: int = 10
) -> pd.DataFrame:
    """Estimate how many renewals are still to come, discounted, by renewals made so far.

    Parameters
    ----------
    model : RenewalModel
        As `fit_renewals` returns it.
    discount_share : float
        Discount a term, 0.1 for 10 %: a renewal one term later is worth 1 / 1.1 as much.
    n_terms : int, default 10
        Renewals made so far, at most, to tell.

    Returns
    -------
    pandas.DataFrame
        One row per number of renewals made: `term`, `expected_renewals` (discounted sum of the
        chances of all renewals to come, just before the next one is decided), `conf_low`,
        `conf_high`.

    Raises
    ------
    InputError
        When the discount is not positive: the sum need not be finite then.

    Notes
    -----
    The sum over t of S(n + 1 + t) / S(n) / (1 + d)^t after n renewals; Fader and Hardie's
    discounted expected residual lifetime. It rises with n, since those who have renewed often are
    the ones who tend to. Times the money of a term it is what a customer is still worth.

    References
    ----------
    .. [1] P. S. Fader, B. G. S. Hardie (2010). Customer-base valuation in a contractual setting:
           the perils of ignoring heterogeneity. Marketing Science 29, 85-93.
    """
    if not discount_share > 0:
        raise InputError(
            f"discount_share = {discount_share!r} is not positive.",
            "parameter 'discount_share'",
            "give the discount of one term, for example 0.1",
        )
    # what comes later than this adds less than a billionth
    n_later = int(np.ceil(np.log(1e9 * (1 + 1 / discount_share)) / np.log1p(discount_share)))
    discount = (1 + discount_share) ** -np.arange(n_later, dtype=float)
    rows = []
    for made in range(n_terms + 1):
        terms = np.arange(made + 1, made + 1 + n_later, dtype=float)
        still = np.cumprod(1 - _leave_shares(model.region, terms), axis=1)
        rows.append((made, *_read_region(still @ discount)))
    return pd.DataFrame(rows, columns=["term", "expected_renewals", "conf_low", "conf_high"])
