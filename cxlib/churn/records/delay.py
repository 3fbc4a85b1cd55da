"""Are the last days loyal, or not written down yet? How late leaving is recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import gamma

from cxlib.churn.curves.counts import count_risk_sets
from cxlib.churn.lifetimes import check_lifetimes
from cxlib.churn.records.late_entry import read_days
from cxlib.stats import Floats

LOOK_DAYS = 90  # the last days a delay is looked for in
PLACEBO_DAYS = 365  # earlier days on which the same look finds what is no delay
LONGEST_MEAN = 30.0  # a longer one is no delay within the days looked at
FEWEST_ENDS = 30  # fewer cannot show a delay
SURE_SHARE = 0.95  # a day is reliable when this share of its ends is recorded
CHANCE = 7.0  # twice the log of the likelihood ratio; without a delay 1 % of looks find more
MARGIN = 1.25  # by which it must exceed what the same look finds on earlier days
INSIDE = 5.991  # laws within this of the best are in the 95 % interval (chi-square, 2 d.f.)
_SHAPES = (1.0, 2.0, 4.0, 8.0)  # from delays of all lengths to delays all alike
_SCALES = np.geomspace(0.25, LONGEST_MEAN, 60)
_SCALE, _SHAPE = (grid.ravel() for grid in np.meshgrid(_SCALES, _SHAPES))
_MEAN = _SCALE * gamma(1 + 1 / _SHAPE)


@dataclass(frozen=True)
class ReportingLag:
    """How late leaving is recorded.

    Parameters
    ----------
    mean_days : float
        Mean days from an end to its record.
    conf_low, conf_high : float
        Its 95 % interval.
    days : int
        Days before the last day known that are not reliable: of earlier ones 95 % of the ends are
        recorded.
    n_ended : int
        Ends recorded in those days, as far as they are settled.
    n_expected : float
        Ends that the time before lets expect in them.
    """

    mean_days: float
    conf_low: float
    conf_high: float
    days: int
    n_ended: int
    n_expected: float


def detect_reporting_lag(
    lifetimes: pd.DataFrame,
    *,
    as_of: int,
    observed_from: int | None = None,
    settled_days: int = 0,
) -> ReportingLag | None:
    """Tell whether ends of the last days are missing, and by how much their records lag.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `started_at`, `duration_days`, `churned`, known up to `as_of`.
    as_of : int
        Last day known, in days since 1970.
    observed_from : int, optional
        First day on which leaving is recorded; None for always.
    settled_days : int, default 0
        Days before `as_of` whose ends may still be breaks and are not counted here.

    Returns
    -------
    ReportingLag or None
        None when no more ends are missing than chance, or another time of the year before, allows;
        or when there are too few days (half a year) or ends (30) to tell.

    Notes
    -----
    An end recorded late stands in the data as a customer who is still there, so the last days
    before `as_of` look loyal. Its mark is that the ends of a day a days before `as_of` are fewer
    than the ages of those at risk let expect (Nelson-Aalen with late entry), by a share that goes
    to 0 as a does.

    With delays of a Weibull law of scale s and shape k (k = 1: of all lengths; large: all alike),
    cut to whole days, that share is 1 - exp(-((a + 1) / s)^k). The ends of the last 90 settled
    days are taken as Poisson counts with mean c times the expected times that share; the level c
    is free, so that a better or worse quarter is no delay. Twice the log of the likelihood ratio
    against s = 0 must exceed 7, which 1 % of looks at data without a delay do (by simulation). It
    must exceed as well, by a quarter, what the same look finds on each day of the year before,
    taken as the last one, on data that are complete for it (in proportion, where fewer ends were
    expected then): what billing at the end of months or a quiet holiday do, they did then.
    Together, under 1 % of data sets without a delay are told to have one. A mean delay of 10 days
    is found in four of ten companies with 2 ends a day and in nearly all with 5; what is not found
    hides in chance, in the ends of these days and in the curve alike.

    Days are reliable when the law found has 95 % of their ends recorded. The interval of the mean
    holds the laws that the likelihood does not tell from the best one.

    References
    ----------
    .. [1] J. F. Lawless (1994). Adjustments for reporting delays and the prediction of occurred
           but not reported events. Canadian Journal of Statistics 22, 15-31.
    .. [2] S. G. Self, K.-Y. Liang (1987). Asymptotic properties of maximum likelihood estimators
           under nonstandard conditions. JASA 82, 605-610.
    """
    table = lifetimes.drop(columns="entry_days", errors="ignore")
    start = read_days(table["started_at"])
    if observed_from is not None:
        kept = start + table["duration_days"] >= observed_from
        table, start = table[kept], start[kept]
        table = table.assign(entry_days=(observed_from - 1 - start).clip(lower=0))
    if table["churned"].sum() < FEWEST_ENDS:
        return None
    last = as_of - settled_days
    begin = max(int(start.min()), observed_from or 0, last - 2 * LOOK_DAYS - PLACEBO_DAYS + 1)
    if last - begin + 1 < 2 * LOOK_DAYS:
        return None
    table = check_lifetimes(table)
    first = start.to_numpy(int)
    end = first + table["duration_days"].to_numpy(int)
    days = end[table["churned"] & (end >= begin)] - begin
    ended = np.bincount(days, minlength=last - begin + 1)[: last - begin + 1].astype(float)
    expected = _expect_by_day(table, first, end, begin, last)
    ratios = _ratios(ended, expected, settled_days)
    best = ratios[-1].max()
    if not best > max(MARGIN * _placebo(ratios, expected), CHANCE):
        return None
    inside = _MEAN[ratios[-1] >= best - INSIDE]
    found = ratios[-1].argmax()
    days = int(np.ceil(_SCALE[found] * (-np.log(1 - SURE_SHARE)) ** (1 / _SHAPE[found]))) - 1
    tail = slice(max(last + 1 - begin - max(days - settled_days, 0), 0), None)
    level = ended[-2 * LOOK_DAYS : -LOOK_DAYS].sum() / expected[-2 * LOOK_DAYS : -LOOK_DAYS].sum()
    return ReportingLag(
        float(_MEAN[found]),
        float(inside.min()),
        float(inside.max()),
        days,
        int(ended[tail].sum()),
        float(level * expected[tail].sum()),
    )


def _placebo(ratios: Floats, expected: Floats) -> float:
    """Find the largest ratio of the year before, as large as it would be with the ends of today.

    Runs with fewer than half of the ends expected today are passed over: a young company is no
    measure for itself. Without any other nothing can be told.
    """
    n = np.lib.stride_tricks.sliding_window_view(expected, LOOK_DAYS).sum(axis=1)
    growth = n[-1] / np.maximum(n, 1e-300)
    earlier = (ratios.max(axis=1) * np.maximum(growth, 1))[:-LOOK_DAYS]
    alike = growth[:-LOOK_DAYS] <= 2
    return float(earlier[alike].max()) if alike.any() else np.inf


def _ratios(ended: Floats, expected: Floats, settled_days: int) -> Floats:
    """Compare each mean delay with none, for every run of days: one row a run, in time.

    With the level of the run free, twice the log of the likelihood ratio needs only the sums of
    the ends times the log of the share recorded, and of the expected times that share.
    """
    before = np.arange(LOOK_DAYS)[::-1] + settled_days  # days from each day of a run to as_of
    share = -np.expm1(-(((before[:, None] + 1) / _SCALE) ** _SHAPE))
    n = np.lib.stride_tricks.sliding_window_view(ended, LOOK_DAYS)
    e = np.lib.stride_tricks.sliding_window_view(expected, LOOK_DAYS)
    total = np.maximum(e.sum(axis=1, keepdims=True), 1e-300)
    level = np.log(np.maximum(e @ share, 1e-300) / total)
    return 2 * (n @ np.log(share) - n.sum(axis=1, keepdims=True) * level)


def _expect_by_day(
    table: pd.DataFrame, first: Floats, end: Floats, begin: int, last: int
) -> Floats:
    """Sum, for each calendar day, the hazard at the ages of those at risk on it."""
    counts = count_risk_sets(table)
    hazard = np.zeros(last - int(first.min()) + 2)
    ages = counts["time_days"].to_numpy(int)
    step = (counts["n_churned"] / counts["n_at_risk"].clip(lower=1)).to_numpy()
    hazard[ages[ages < len(hazard)]] = step[ages < len(hazard)]
    starts, which = np.unique(first, return_inverse=True)
    # customers with the same first day have the same age, so they are counted, not listed
    there = np.bincount(which[end >= begin], minlength=len(starts)).astype(float)
    order = np.argsort(end, kind="stable")
    leaves = np.searchsorted(end[order], np.arange(begin, last + 2))
    expected = np.zeros(last - begin + 1)
    for i, day in enumerate(range(begin, last + 1)):
        known = np.searchsorted(starts, day, side="right")
        expected[i] = there[:known] @ hazard[day - starts[:known]]
        there -= np.bincount(which[order[leaves[i] : leaves[i + 1]]], minlength=len(starts))
    return expected
