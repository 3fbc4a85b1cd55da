"""Paid periods: read, sorted and joined to stays, and the days between which they tell who left."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd

from cxlib.churn.records.delay import detect_reporting_lag
from cxlib.churn.records.late_entry import detect_late_entry, read_days
from cxlib.churn.records.observation import Limits, Steps, Window, read_day
from cxlib.errors import InputError, TooLittleData
from cxlib.schema import check_table


def read_periods(subscriptions: pd.DataFrame, window: Window, steps: Steps) -> pd.DataFrame:
    """Count days, take ends after `as_of` as open, leave out what cannot be, and sort.

    Parameters
    ----------
    subscriptions : pandas.DataFrame, one row per paid period
        As `build_lifetimes` takes them.
    window : Window
        Tells the last day known.
    steps : Steps
        The ledger; gets the rows in and those refused.

    Returns
    -------
    pandas.DataFrame
        Sorted by customer and first day, with `first_day`, `last_day`, `is_open` and `gap_days`:
        days from the last day of all earlier periods of the customer to the first of this one,
        negative when they overlap, missing for the customer's first.

    Raises
    ------
    InputError
        When a column is missing.
    TooLittleData
        When no usable period is left.
    """
    check_table(subscriptions, ("customer_id", "started_at"), table="subscriptions")
    periods = subscriptions.assign(first_day=read_days(subscriptions["started_at"]))
    periods["last_day"] = float("nan")
    if "ended_at" in periods.columns:
        periods["last_day"] = read_days(periods["ended_at"])
    first, last = periods["first_day"], periods["last_day"]
    steps.add("rows in", periods, "paid periods of the table")
    reversed_ = last < first
    unknown = first.isna()
    future = (first > window.as_of) & ~reversed_
    steps.add("refused: ends before it starts", periods[reversed_], "the dates contradict")
    steps.add("refused: no start", periods[unknown], "the first day is missing")
    steps.add("refused: starts later", periods[future], "the first day is after the last day known")
    periods["is_open"] = last.isna() | (last > window.as_of)
    periods["last_day"] = last.fillna(window.as_of).clip(upper=window.as_of)
    periods = periods[~(reversed_ | unknown | future)]
    if periods.empty:
        raise TooLittleData("No paid period has a first day up to as_of and an end after it.")
    # equal periods of a customer differ in nothing that is kept, so their order does not matter
    order = ["customer_id", "first_day", "last_day", "is_open", "plan", "monthly_value"]
    order = [name for name in (*order, "end_reason") if name in periods.columns]
    codes = np.array([pd.factorize(periods[name], sort=True)[0] for name in order])
    sequence = np.lexsort(codes[::-1])
    periods = periods.astype({"first_day": "int64", "last_day": "int64"})
    periods = periods.drop(columns="ended_at", errors="ignore").iloc[sequence]
    periods = periods.reset_index(drop=True)
    codes = codes[:, sequence]
    periods["is_repeated"] = np.append(False, (codes[:, 1:] == codes[:, :-1]).all(axis=0))
    reached = periods.groupby(codes[0], sort=False)["last_day"].cummax()
    periods["gap_days"] = periods["first_day"] - reached.groupby(codes[0], sort=False).shift()
    return periods


def check_grace(periods: pd.DataFrame, grace_days: int, window: Window) -> None:
    """Refuse a grace that the records are too short to show.

    Parameters
    ----------
    periods : pandas.DataFrame
        As `read_periods` returns them.
    grace_days : int
        Longest break that does not count as having left.
    window : Window
        Tells the last day known.

    Raises
    ------
    InputError
        When it is as long as the records, so that no break could ever count.
    """
    length = window.as_of - int(periods["first_day"].min()) + 1
    if grace_days >= length:
        raise InputError(
            f"grace = '{grace_days}d' is as long as the records ({length:,} days): "
            "nobody could be known to have left.",
            "parameter 'grace'",
            "choose a shorter one, such as '30d'",
        )


def join_periods(periods: pd.DataFrame, grace_days: int) -> pd.DataFrame:
    """Join periods without a break longer than the grace into spells.

    Parameters
    ----------
    periods : pandas.DataFrame
        As `read_periods` returns them.
    grace_days : int
        Longest break that does not count as having left.

    Returns
    -------
    pandas.DataFrame
        One row per spell: what the first period tells, `last_day`, `churned` (not open), the
        `end_reason` of the last period, its `monthly_value` as `value_now`, and the number of the
        customer's `spell`.
    """
    gap = periods["gap_days"].to_numpy()
    starts = ~(gap <= grace_days)  # a customer's first period has no gap
    first = np.flatnonzero(starts)
    spells = periods.iloc[first].drop(columns=["is_open", "is_repeated", "gap_days"])
    spells = spells.reset_index(drop=True)
    last = periods["last_day"].to_numpy()
    spells["last_day"] = np.maximum.reduceat(last, first)
    spells["churned"] = ~np.logical_or.reduceat(periods["is_open"].to_numpy(), first)
    which = np.arange(len(first))
    of_customer = np.maximum.accumulate(np.where(np.isnan(gap[first]), which, 0))
    spells["spell"] = which - of_customer + 1
    is_last = last == spells["last_day"].to_numpy()[np.cumsum(starts) - 1]
    final = np.maximum.reduceat(np.where(is_last, np.arange(len(last)), -1), first)
    if "monthly_value" in periods.columns:
        spells["value_now"] = periods["monthly_value"].iloc[final].to_numpy()
    if "end_reason" in periods.columns:
        reasons = periods["end_reason"].iloc[final].reset_index(drop=True)
        spells["end_reason"] = reasons.where(spells["churned"])
    return spells


def find_limits(
    periods: pd.DataFrame,
    grace_days: int,
    window: Window,
    *,
    observed_from: dt.date | str = "",
    observed_until: dt.date | str = "",
) -> Limits:
    """Find the days between which the records tell who left.

    Parameters
    ----------
    periods : pandas.DataFrame
        As `read_periods` returns them.
    grace_days : int
        Longest break that does not count as having left.
    window : Window
        Tells the last day known.
    observed_from, observed_until : datetime.date or str, default ""
        The days, when they are known.

    Returns
    -------
    Limits
        First and last day, and what they rest on.
    """
    spells = join_periods(periods, grace_days)
    start = pd.to_datetime(spells["first_day"], unit="D")
    days = spells["last_day"] - spells["first_day"]
    seen = spells.assign(started_at=start, duration_days=days)
    late = lag = None
    first = read_day("observed_from", observed_from) if observed_from else None
    if not observed_from and seen["churned"].any():
        late = detect_late_entry(seen)
        first = (late.observed_from - pd.Timestamp(0)).days if late else None
    if not observed_until and seen["churned"].any():
        lag = detect_reporting_lag(
            seen,
            as_of=window.as_of,
            observed_from=first,
            settled_days=count_bridged(periods, grace_days),
        )
    if observed_until:
        until = min(read_day("observed_until", observed_until), window.as_of)
        return Limits(first, until, "leaving is not known later", late)
    return settle(Limits(first, late_entry=late, lag=lag), periods, grace_days, window)


def count_bridged(periods: pd.DataFrame, grace_days: int) -> int:
    """Count the days of the longest break that was bridged.

    Parameters
    ----------
    periods : pandas.DataFrame
        As `read_periods` returns them.
    grace_days : int
        Longest break that does not count as having left.

    Returns
    -------
    int
        Days, 0 when there is no such break.
    """
    gap = periods["gap_days"].to_numpy()
    return max(int(gap[gap <= grace_days].max(initial=0)), 0)


def settle(limits: Limits, periods: pd.DataFrame, grace_days: int, window: Window) -> Limits:
    """Find the last day on which an end is sure under a grace.

    Parameters
    ----------
    limits : Limits
        The first day and the delay of the records.
    periods : pandas.DataFrame
        As `read_periods` returns them.
    grace_days : int
        Longest break that does not count as having left.
    window : Window
        Tells the last day known.

    Returns
    -------
    Limits
        With the last day and the reason.
    """
    bridged, whys = count_bridged(periods, grace_days), []
    if bridged:
        whys.append(f"breaks of up to {bridged} days were bridged, so this one may be, too")
    if limits.lag:
        whys.append(f"ends are recorded {limits.lag.mean_days:.0f} days late on average")
    last = window.as_of - max(bridged, limits.lag.days if limits.lag else 0)
    return replace(limits, last=last, why="; ".join(whys))
