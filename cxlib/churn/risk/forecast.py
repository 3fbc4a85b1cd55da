"""What each customer of today will do: chances, days lost, and their sums over all."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from cxlib.churn.risk.hazards import (
    Days,
    Hazard,
    People,
    count_leaving,
    lay_out_days,
    sum_later,
    walk_days,
)
from cxlib.stats import Floats

# Many customers of one age and of ratios within a factor of e are forecast at this many ratios.
NODES = 12


def forecast_customers(
    hazard: Hazard, people: People, worth: Floats
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forecast each customer's hazard and days lost over the horizon, and the sums over all.

    Parameters
    ----------
    hazard : Hazard
        Of all causes, for the customers.
    people : People
        The customers.
    worth : ndarray of float, shape (n,)
        Worth of a day of each customer.

    Returns
    -------
    tuple of pandas.DataFrame
        One row per customer: `hazard` (cumulative, from today to the horizon), `hazard_error`,
        `lost_days` (horizon less the mean days still to come within it), `lost_error`; missing
        where the horizon is 0 or a covariate is missing. And the totals, as `list_totals`
        returns them.

    Notes
    -----
    With S(u) = exp(-(H(a + u) - H(a))) the chance of a customer of age a to be here in u days,
    the days to come are the area under S from 0 to the horizon. An increment of the hazard on day
    u takes the area from u on, so the error of the days is a sum of the errors of the increments,
    which are independent given the coefficients, weighted with these areas, and of the error of
    the coefficients. Memory does not grow with the days.

    Customers of one stratum, age and horizon differ in their hazard ratio only, and everything is
    smooth in its log. Where there are many within a factor of e, it is computed at 12 Chebyshev
    nodes and interpolated, to about nine digits.

    References
    ----------
    .. [1] J.-P. Berrut, L. N. Trefethen (2004). Barycentric Lagrange interpolation. SIAM Review
           46, 501-517.
    """
    rows = np.flatnonzero((people.horizon > 0) & ~np.isnan(hazard.ratio))
    some = People(people.stratum[rows], people.age[rows], people.horizon[rows])
    ratio, apart, worth = hazard.ratio[rows], hazard.apart[rows], worth[rows]
    nodes, node_ratio, weights = _place_nodes(some, ratio)
    laid = lay_out_days([hazard], nodes)
    sums, line = _sum_nodes(laid, nodes, node_ratio, weights.T @ (worth * ratio))
    sums = weights @ sums
    k = 5 + apart.shape[1]
    stay = np.exp(-ratio * sums[:, 4])
    lost = sums[:, 0]
    pulls = [apart * part[:, :1] - part[:, 1:] for part in (sums[:, 4:k], sums[:, k:])]
    spreads = [np.einsum("ij,jk,ik->i", pull, hazard.covariance, pull) for pull in pulls]
    errors = [ratio * np.sqrt(np.maximum(sums[:, 2 + f], 0) + spreads[f]) for f in (0, 1)]
    found = np.full((len(people.age), 4), np.nan)
    found[rows] = np.column_stack([ratio * sums[:, 4], errors[0], lost, errors[1]])

    variance = np.zeros(2)
    for stratum, days in laid.items():
        slopes = (_sum_stay(days.times, some, stratum, ratio * stay), line[stratum])
        variance += [slope**2 @ days.variances[0] for slope in slopes]
    factors = (ratio * stay, ratio * worth)
    for f, (factor, pull) in enumerate(zip(factors, pulls, strict=True)):
        variance[f] += factor @ pull @ hazard.covariance @ (factor @ pull)
    chance = [(stay * (1 - stay)).sum(), worth**2 @ (sums[:, 1] - lost**2)]
    estimates = np.array([[(1 - stay).sum()], [worth @ lost]])
    columns = ["hazard", "hazard_error", "lost_days", "lost_error"]
    totals = list_totals(estimates, variance[:, None], np.array(chance)[:, None])
    return pd.DataFrame(found, columns=columns), totals


def _place_nodes(people: People, ratio: Floats) -> tuple[People, Floats, sparse.csr_array]:
    """Give few ratios for many customers of one age, and the weights that lead back to them."""
    scores = np.log(ratio)
    keys = np.column_stack([people.stratum, people.age, people.horizon, np.floor(scores)])
    groups, which, size = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    which = which.ravel()
    is_large = size > NODES
    few, many = np.flatnonzero(~is_large[which]), np.flatnonzero(is_large[which])
    score = scores[many]
    number = (np.cumsum(is_large) - 1)[which[many]]
    low, high = np.full((2, is_large.sum()), np.array([[np.inf], [-np.inf]]))
    np.minimum.at(low, number, score)
    np.maximum.at(high, number, score)
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, 1e-12)
    angles = (2 * np.arange(NODES) + 1) * np.pi / (2 * NODES)
    apart = ((score - middle[number]) / half[number])[:, None] - np.cos(angles)
    exact = np.abs(apart) < 1e-14
    pull = np.sin(angles) * (-1.0) ** np.arange(NODES) / np.where(exact, 1.0, apart)
    pull = np.where(exact.any(axis=1)[:, None], exact, pull)
    pull /= pull.sum(axis=1, keepdims=True)
    ratios = np.exp(middle[:, None] + half[:, None] * np.cos(angles)).ravel()
    at = np.concatenate([few, np.repeat(many, NODES)])
    to = np.concatenate(
        [np.arange(len(few)), (len(few) + NODES * number[:, None] + np.arange(NODES)).ravel()]
    )
    entries = np.concatenate([np.ones(len(few)), pull.ravel()])
    shape = (len(ratio), len(few) + len(ratios))
    nodes = np.vstack([keys[few], np.repeat(groups[is_large], NODES, axis=0)])
    return (
        People(nodes[:, 0].astype(np.intp), nodes[:, 1], nodes[:, 2]),
        np.concatenate([ratio[few], ratios]),
        sparse.csr_array((entries, (at, to)), shape=shape),
    )


def _sum_nodes(
    laid: dict[int, Days], nodes: People, ratio: Floats, factor: Floats
) -> tuple[Floats, dict[int, Floats]]:
    """Sum over the days ahead of each node, and the areas of all nodes by day.

    Columns: days lost and their square; variances; variances times squared areas; increments with
    means; increments with means times areas.
    """
    n_terms = next(iter(laid.values())).means[0].shape[1]
    sums = np.zeros((len(ratio), 6 + 2 * n_terms))
    line = {stratum: np.zeros(len(days.times)) for stratum, days in laid.items()}
    for part in walk_days(laid, nodes):
        days = laid[part.stratum]
        variance, steps = days.variances[0, part.slots], days.hazards[0, part.slots]
        means = np.column_stack([steps, days.means[0][part.slots]])
        ahead = part.ahead.astype(float)
        stay = np.exp(-np.cumsum(ratio[part.rows, None] * steps * ahead, axis=1))
        lost = count_leaving(stay) * part.left
        area = part.left * stay - sum_later(lost) * ahead
        own = [
            lost.sum(axis=1),
            (lost * part.left).sum(axis=1),
            ahead @ variance,
            area**2 @ variance,
        ]
        sums[part.rows] = np.column_stack([*own, ahead @ means, area @ means])
        line[part.stratum][part.slots] += factor[part.rows] @ area
    return sums, line


def _sum_stay(times: Floats, people: People, stratum: int, factor: Floats) -> Floats:
    """Sum a factor of the customers of a stratum by day, over those who have the day ahead."""
    rows = people.stratum == stratum
    ends = (people.age[rows], people.age[rows] + people.horizon[rows])
    first, last = (np.searchsorted(times, end, side="right") for end in ends)
    n = len(times) + 1
    change = np.bincount(first, factor[rows], n) - np.bincount(last, factor[rows], n)
    return np.asarray(np.cumsum(change)[:-1], dtype=float)


def list_totals(estimates: Floats, variance: Floats, chance: Floats) -> pd.DataFrame:
    """Lay out sums by quantity and cause.

    Parameters
    ----------
    estimates, variance, chance : ndarray of float, shape (2, C)
        Sums of customers and of value, the variance of their expectation, and the variance of
        what happens when the model is right.

    Returns
    -------
    pandas.DataFrame
        As `cxlib.churn.risk.causes.forecast_totals` returns it.
    """
    n_causes = estimates.shape[1]
    return pd.DataFrame(
        {
            "quantity": np.repeat(["customers", "value"], n_causes),
            "cause": np.tile(np.arange(n_causes), 2),
            "estimate": estimates.ravel(),
            "std_error": np.sqrt(variance.ravel()),
            "chance_error": np.sqrt(np.maximum(chance.ravel(), 0)),
        }
    )
