"""From subscription records to lifetimes: merge what belongs together, count every step."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from cxlib.churn.lifetimes import Lifetimes
from cxlib.churn.records.late_entry import detect_late_entry, read_days
from cxlib.churn.records.observation import Steps, Window, observe_spells, read_day
from cxlib.errors import TooLittleData
from cxlib.frames import read_duration
from cxlib.schema import check_table

_KEY = ["customer_id", "spell"]


def build_lifetimes(
    subscriptions: pd.DataFrame,
    *,
    as_of: dt.date | str,
    grace: str | pd.Timedelta = "30d",
    cause: str = "",
    period_start: str = "",
    period_end: str = "",
    observed_from: dt.date | str = "",
) -> Lifetimes:
    """Turn paid periods into lifetimes, so that changing the plan is not taken for leaving.

    Parameters
    ----------
    subscriptions : pandas.DataFrame, one row per paid period
        Columns `customer_id`, `started_at`; `ended_at` (last day, empty = active), `plan`,
        `monthly_value`, `end_reason` and further attributes when there are any.
    as_of : datetime.date or str
        Last day known, included.
    grace : str or pandas.Timedelta, default "30d"
        Longest break, in whole days, that does not count as having left.
    cause : str, default ""
        End reasons that count as churn, separated by commas; ``""`` counts all. Other ends are
        censored on their day, see Notes.
    period_start, period_end : str, default ""
        First and last day of a window of observation; ``""`` for none. Who was a customer before
        enters late on the first day; who is one after it is censored on the last.
    observed_from : datetime.date or str, default ""
        First day on which leaving is recorded, for part of a company as `find_observed_from`
        tells it of the whole; ``""`` to find it here.

    Returns
    -------
    Lifetimes
        `table` sorted by customer and spell, with the attributes of the first period of each
        spell and the `end_reason` of the last; `ledger` of the steps.

    Raises
    ------
    InputError
        When a column is missing, `cause` names no end reason of the data, `grace` has no unit, or
        the window is empty.
    TooLittleData
        When no usable period is left, leaving is recorded only after the window, or nobody left.

    Notes
    -----
    Dates count in whole days; a time of day is dropped. A period starts a new spell when it
    begins more than `grace` days after the last day of all periods of the customer before it;
    else it continues the spell, be it an overlap, a renewal, a change of plan or a short lapse. A
    longer break is churn, and what follows is a return: a spell of its own whose clock starts
    again, no longer the life of a new customer.

    A lifetime is its last day minus its first. A spell open on `as_of` is censored on that day,
    after all who leave on it. An end less than `grace` before `as_of` counts as churn although a
    return may still undo it; the ledger says how many there are.

    When the data begin later than the customers, those who had left by then are missing, and who
    is there has survived until then by selection: such lifetimes enter late
    (`detect_late_entry`), and spells that ended before are left out.

    With `cause`, the curve says how many would stay if the other reasons did not exist and the
    reasons were independent. It is not the share still there.

    Examples
    --------
    >>> periods = pd.DataFrame(
    ...     {
    ...         "customer_id": ["a", "a", "b"],
    ...         "started_at": ["2024-01-01", "2024-02-01", "2024-01-10"],
    ...         "ended_at": ["2024-01-31", None, "2024-03-10"],
    ...     }
    ... )
    >>> build_lifetimes(periods, as_of="2024-03-31").table[["duration_days", "churned"]]
       duration_days  churned
    0           90.0    False
    1           60.0     True
    """
    check_table(subscriptions, ("customer_id", "started_at"), table="subscriptions")
    grace_days = read_duration(grace, name="grace").days
    window = Window.read(as_of=as_of, period_start=period_start, period_end=period_end)
    steps = Steps()
    spells = _merge_periods(_read_periods(subscriptions, window, steps), grace_days, window, steps)
    recorded = read_day("observed_from", observed_from) if observed_from else _detect(spells)
    return observe_spells(
        spells,
        window=window,
        steps=steps,
        source="subscriptions",
        cause=cause,
        observed_from=recorded,
    )


def find_observed_from(
    subscriptions: pd.DataFrame, *, as_of: dt.date | str, grace: str | pd.Timedelta = "30d"
) -> dt.date:
    """Find the first day on which leaving is recorded, for use with part of the customers.

    A segment has too few ends to tell; the whole company tells for it.

    Parameters
    ----------
    subscriptions : pandas.DataFrame, one row per paid period
        Periods of all customers, as `build_lifetimes` takes them.
    as_of : datetime.date or str
        Last day known, included.
    grace : str or pandas.Timedelta, default "30d"
        Longest break that does not count as having left.

    Returns
    -------
    datetime.date
        The day that `detect_late_entry` finds, else the first start.

    Raises
    ------
    InputError
        When a column is missing.
    TooLittleData
        When no usable period is left.
    """
    check_table(subscriptions, ("customer_id", "started_at"), table="subscriptions")
    window, steps = Window.read(as_of=as_of, period_start="", period_end=""), Steps()
    grace_days = read_duration(grace, name="grace").days
    spells = _merge_periods(_read_periods(subscriptions, window, steps), grace_days, window, steps)
    return dt.date(1970, 1, 1) + dt.timedelta(
        days=_detect(spells) or int(spells["first_day"].min())
    )


def _detect(spells: pd.DataFrame) -> int:
    """Find the number of the day from which leaving is recorded, 0 for always."""
    if not spells["churned"].any():
        return 0
    start = pd.to_datetime(spells["first_day"], unit="D")
    days = spells["last_day"] - spells["first_day"]
    late = detect_late_entry(spells.assign(started_at=start, duration_days=days))
    return (late.observed_from - pd.Timestamp(0)).days if late else 0


def _read_periods(subscriptions: pd.DataFrame, window: Window, steps: Steps) -> pd.DataFrame:
    """Count days, take ends after `as_of` as open, leave out what cannot be."""
    periods = subscriptions.assign(first_day=read_days(subscriptions["started_at"]))
    periods["last_day"] = float("nan")
    if "ended_at" in periods.columns:
        periods["last_day"] = read_days(periods["ended_at"])
    first, last = periods["first_day"], periods["last_day"]
    steps.add("rows in", periods, "paid periods of the table")
    reversed_ = last < first
    unknown = first.isna() | ((first > window.as_of) & ~reversed_)
    steps.add("refused: ends before it starts", periods[reversed_], "the dates contradict")
    steps.add("refused: no start by then", periods[unknown], "no first day, or after the last day")
    periods["is_open"] = last.isna() | (last > window.as_of)
    periods["last_day"] = last.fillna(window.as_of).clip(upper=window.as_of)
    periods = periods[~reversed_ & ~unknown]
    if periods.empty:
        raise TooLittleData("No paid period has a first day up to as_of and an end after it.")
    return periods.astype({"first_day": "int64", "last_day": "int64"})


def _merge_periods(
    periods: pd.DataFrame, grace_days: int, window: Window, steps: Steps
) -> pd.DataFrame:
    """Join periods without a break longer than the grace into spells."""
    # equal periods of a customer differ in nothing that is kept, so their order does not matter
    order = ["customer_id", "first_day", "last_day", "plan", "monthly_value", "end_reason"]
    order = [name for name in order if name in periods.columns]
    periods = periods.sort_values(order, kind="stable", ignore_index=True)
    customer = periods["customer_id"]
    reached = periods.groupby(customer, sort=False)["last_day"].cummax()
    gap = periods["first_day"] - reached.groupby(customer, sort=False).shift()
    starts = gap.isna() | (gap > grace_days)
    periods["spell"] = starts.groupby(customer, sort=False).cumsum().astype(int)
    _count_merges(periods, gap.where(~starts), grace_days, steps)

    spells = periods.drop_duplicates(_KEY, keep="first").set_index(_KEY)
    by_end = periods.sort_values([*_KEY, "last_day"], kind="stable")
    final = by_end.drop_duplicates(_KEY, keep="last").set_index(_KEY)
    spells["last_day"] = final["last_day"]
    spells["churned"] = ~periods.groupby(_KEY)["is_open"].any()
    if "end_reason" in periods.columns:
        spells["end_reason"] = final["end_reason"].where(spells["churned"])
    spells = spells.drop(columns=["is_open", "ended_at"], errors="ignore").reset_index()

    steps.add("spells", spells, f"stays, with breaks of up to {grace_days} days bridged")
    returns = spells[spells["spell"] > 1]
    steps.add("of them returns", returns, f"came back after more than {grace_days} days")
    lately = spells[spells["churned"] & (spells["last_day"] > window.as_of - grace_days)]
    steps.add("of them ended lately", lately, "count as churned, may still come back in time")
    return spells


def _count_merges(periods: pd.DataFrame, gap: pd.Series, grace_days: int, steps: Steps) -> None:
    """Tell why periods were joined to the one before; `gap` is missing where they were not."""
    changed = pd.Series(False, index=periods.index)
    if "plan" in periods.columns:
        plan = periods["plan"].fillna("")
        changed = plan != plan.shift()
    close = gap <= 1
    steps.add("merged: change of plan", periods[close & changed], "the customer stayed")
    steps.add("merged: renewal or overlap", periods[close & ~changed], "the customer stayed")
    lapse = f"a break of at most {grace_days} days is no churn"
    steps.add("merged: short lapse", periods[gap > 1], lapse)
