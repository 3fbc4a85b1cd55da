"""The hazards the customers of today face, day by day, and the way through them in small parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.churn.curves.counts import count_risk_sets
from cxlib.churn.hazard.cox import CoxFit
from cxlib.stats import Floats

Integers = NDArray[np.intp]
CELLS = 1 << 17  # customers times days worked on at once: they stay in the processor's cache
# e^-50 is nobody: a day on which all at risk leave has an infinite hazard, which cannot be summed
MOST_HAZARD = 50.0
NEIGHBOURS = 30.0  # days of age that customers worked on at once lie apart


@dataclass(frozen=True)
class People:
    """The customers a forecast is made for.

    Parameters
    ----------
    stratum : ndarray of int, shape (n,)
        Whose baseline hazard each follows.
    age : ndarray of float, shape (n,)
        Days since the start, today.
    horizon : ndarray of float, shape (n,)
        Days to look ahead; 0 where nothing can be said.
    """

    stratum: Integers
    age: Floats
    horizon: Floats


@dataclass(frozen=True)
class Hazard:
    """The hazard of one cause, or of all, for some customers.

    Parameters
    ----------
    steps : pandas.DataFrame
        One row per stratum and day: `stratum`, `time_days`, `hazard` (increment for a customer
        with ratio 1), `variance` (of it, coefficients known).
    means : ndarray of float, shape (len(steps), p)
        What an error in the coefficients does to the increments.
    covariance : ndarray of float, shape (p, p)
        Of the coefficients.
    ratio : ndarray of float, shape (n,)
        Hazard ratio of each customer.
    apart : ndarray of float, shape (n, p)
        Covariates of each customer less those the increments belong to.
    """

    steps: pd.DataFrame
    means: Floats
    covariance: Floats
    ratio: Floats
    apart: Floats


@dataclass(frozen=True)
class Days:
    """The days of a stratum on which anybody left; C causes, K days.

    Parameters
    ----------
    times : ndarray of float, shape (K,)
        Days since the start.
    hazards, variances : ndarray of float, shape (C, K)
        Increments, and their variances.
    means : list of ndarray of float, shape (K, p) each
        As in `Hazard`, by cause.
    """

    times: Floats
    hazards: Floats
    variances: Floats
    means: list[Floats]


@dataclass(frozen=True)
class Part:
    """Some customers of one stratum, of much the same age, and the days that one of them faces.

    Parameters
    ----------
    rows : ndarray of int, shape (m,)
        The customers.
    stratum : int
        Their stratum.
    slots : slice
        The days, of those of the stratum.
    ahead : ndarray of bool, shape (m, k)
        Whether the customer faces the day.
    left : ndarray of float, shape (m, k)
        Days from the day to the customer's horizon; 0 where the customer does not face it.
    """

    rows: Integers
    stratum: int
    slots: slice
    ahead: NDArray[np.bool_]
    left: Floats


def hazard_of_model(fit: CoxFit, design: pd.DataFrame) -> Hazard:
    """Take the hazard of customers from a fitted model.

    Parameters
    ----------
    fit : CoxFit
        The model.
    design : pandas.DataFrame, shape (n, p)
        Customers in its columns; missing rows give missing ratios.

    Returns
    -------
    Hazard
        Of the customers.
    """
    apart = design.to_numpy(float) - fit.center
    ratio = np.exp(apart @ fit.estimates)
    return Hazard(fit.baseline, fit.baseline_means, fit.covariance, ratio, apart)


def hazard_of_curve(lifetimes: pd.DataFrame, strata: Integers, n: int) -> Hazard:
    """Take the hazard from Kaplan-Meier curves: all customers of a stratum have the same.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        As `check_lifetimes` returns them.
    strata : ndarray of int, shape (len(lifetimes),)
        Stratum of each.
    n : int
        Customers to predict for.

    Returns
    -------
    Hazard
        With increments -log(1 - d / n), so that exp(-hazard) is Kaplan-Meier, and Greenwood's
        variance d / (n (n - d)); as `add_greenwood`, none for a day on which all leave.
    """
    curves = []
    for stratum, part in lifetimes.groupby(strata):
        counts = count_risk_sets(part)
        counts = counts[counts["n_churned"] > 0]
        at_risk, left = counts["n_at_risk"].to_numpy(float), counts["n_churned"].to_numpy(float)
        stayed = at_risk - left
        share = np.maximum(stayed / at_risk, np.exp(-MOST_HAZARD))
        spread = np.divide(left, at_risk * stayed, out=np.zeros_like(left), where=stayed > 0)
        curve = {"time_days": counts["time_days"], "hazard": -np.log(share), "variance": spread}
        curves.append(pd.DataFrame(curve).assign(stratum=stratum))
    steps = pd.concat(curves, ignore_index=True)
    return Hazard(steps, np.zeros((len(steps), 0)), np.zeros((0, 0)), np.ones(n), np.zeros((n, 0)))


def lay_out_days(hazards: list[Hazard], people: People) -> dict[int, Days]:
    """Lay out the increments of all causes on the same days.

    Parameters
    ----------
    hazards : list of Hazard
        One a cause.
    people : People
        Customers of the strata wanted.

    Returns
    -------
    dict of int to Days
        By stratum.
    """
    laid = {}
    for stratum in np.unique(people.stratum):
        parts = [
            h.steps[(h.steps["stratum"] == stratum) & (h.steps["hazard"] > 0)] for h in hazards
        ]
        times = np.unique(np.concatenate([part["time_days"] for part in parts]))
        amounts = np.zeros((2, len(hazards), len(times)))
        means = []
        for c, (hazard, part) in enumerate(zip(hazards, parts, strict=True)):
            at = np.searchsorted(times, part["time_days"])
            amounts[:, c, at] = part[["hazard", "variance"]].to_numpy().T
            means.append(np.zeros((len(times), hazard.means.shape[1])))
            means[c][at] = hazard.means[part.index]
        laid[int(stratum)] = Days(times, amounts[0], amounts[1], means)
    return laid


def walk_days(laid: dict[int, Days], people: People) -> Iterator[Part]:
    """Go through the customers by stratum and age, a few at a time.

    Parameters
    ----------
    laid : dict of int to Days
        As `lay_out_days` returns them.
    people : People
        Customers with a horizon above 0.

    Yields
    ------
    Part
        Each customer once; as many as keep customers times days small.
    """
    for stratum, days in laid.items():
        rows = np.flatnonzero(people.stratum == stratum)
        rows = rows[np.argsort(people.age[rows], kind="stable")]
        ends = people.age[rows] + people.horizon[rows]
        begin = 0
        while begin < len(rows):
            age = people.age[rows[begin]]
            # neighbours in age share their days; one far off would have most of them for itself
            alike = np.searchsorted(people.age[rows], age + NEIGHBOURS, side="right")
            low, high = np.searchsorted(days.times, [age, ends[begin:alike].max()], side="right")
            size = max(CELLS // max(high - low, 1), 1)
            part = rows[begin : min(begin + size, alike)]
            begin += len(part)
            left = (people.age + people.horizon)[part, None] - days.times[low:high]
            ahead = (left >= 0) & (days.times[low:high] > people.age[part, None])
            yield Part(part, stratum, slice(low, high), ahead, np.where(ahead, left, 0.0))


def count_leaving(stay: Floats) -> Floats:
    """Compute the chance of leaving on each day.

    Parameters
    ----------
    stay : ndarray of float, shape (m, k)
        Chance to be here after each day.

    Returns
    -------
    ndarray of float, shape (m, k)
        Chance before the day less chance after it.
    """
    return -np.diff(stay, axis=1, prepend=1.0)


def sum_later(values: Floats) -> Floats:
    """Sum over the later days.

    Parameters
    ----------
    values : ndarray of float, shape (m, k)
        Values by day.

    Returns
    -------
    ndarray of float, shape (m, k)
        Sums over the days after each, itself not included.
    """
    return np.asarray(np.cumsum(values[:, ::-1], axis=1)[:, ::-1] - values)
