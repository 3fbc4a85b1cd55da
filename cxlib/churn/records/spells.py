"""From subscription records to lifetimes: merge what belongs together, count every step."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from cxlib.churn.lifetimes import Lifetimes
from cxlib.churn.records.observation import (
    Steps,
    Window,
    observe_spells,
    read_whole_days,
    write_day,
)
from cxlib.churn.records.periods import check_grace, find_limits, join_periods, read_periods


def build_lifetimes(
    subscriptions: pd.DataFrame,
    *,
    as_of: dt.date | str,
    grace: str | pd.Timedelta = "30d",
    cause: str = "",
    period_start: str = "",
    period_end: str = "",
    observed_from: dt.date | str = "",
    observed_until: dt.date | str = "",
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
    observed_from, observed_until : datetime.date or str, default ""
        First and last day on which leaving is known, for part of a company as `find_observed`
        tells them of the whole; ``""`` to find them here.

    Returns
    -------
    Lifetimes
        `table` sorted by customer and spell, with the attributes of the first period of each
        spell and the `end_reason` of the last; `ledger` of the steps.

    Raises
    ------
    InputError
        When a column is missing, `cause` names no end reason of the data, `grace` is no whole
        number of days or as long as the records, or the window is empty.
    TooLittleData
        When no usable period is left, leaving is not known in the window, ten ends or more fall
        on one day all together, or nobody left.

    Notes
    -----
    Dates count in whole days; a time of day is dropped. A period starts a new spell when it
    begins more than `grace` days after the last day of all periods of the customer before it;
    else it continues the spell, be it an overlap, a renewal, a change of plan or a short lapse. A
    longer break is churn, and what follows is a return: a spell of its own whose clock starts
    again, no longer the life of a new customer.

    A lifetime is its last day minus its first. A spell open on the last day observed is censored
    on that day, after all who leave on it.

    **The last days.** An end shortly before `as_of` may still turn out to be a break. Counting it
    as churn makes the curve too low. Censoring it on its own day, while who pays is followed to
    `as_of`, makes it too high: then nobody can leave in those days although everybody is at risk
    in them. So all are censored on the same day, the last on which an end is sure: `as_of` minus
    the longest break within `grace` that these records ever bridged. That day does not depend on
    what a customer does, so the curve stays unbiased. Records without any such break (not even
    the day between a period and its renewal) are used to `as_of`. Where cancellations are
    recorded late (`detect_reporting_lag`), the last day moves back further. `current` of the
    result is not cut: who pays on `as_of` is known.

    When the data begin later than the customers, those who had left by then are missing, and who
    is there has survived until then by selection: such lifetimes enter late
    (`detect_late_entry`), and spells that ended before are left out.

    With `cause`, the curve says how many would stay if the other reasons did not exist and the
    reasons were independent. It is not the share still there.

    References
    ----------
    .. [1] J. D. Kalbfleisch, R. L. Prentice (2002). The Statistical Analysis of Failure Time
           Data, 2nd ed., section 1.3 (censoring must not look ahead).
    .. [2] D. Moher et al. (2010). CONSORT 2010 explanation and elaboration. BMJ 340, c869 (the
           ledger).

    Examples
    --------
    >>> periods = pd.DataFrame(
    ...     {
    ...         "customer_id": ["a", "a", "b"],
    ...         "started_at": ["2024-01-01", "2024-02-01", "2024-01-10"],
    ...         "ended_at": ["2024-01-31", None, "2024-03-10"],
    ...     }
    ... )
    >>> build_lifetimes(periods, as_of="2024-04-01").table[["duration_days", "churned"]]
       duration_days  churned
    0           90.0    False
    1           60.0     True
    """
    grace_days = read_whole_days("grace", grace)
    window = Window.read(as_of=as_of, period_start=period_start, period_end=period_end)
    steps = Steps()
    periods = read_periods(subscriptions, window, steps)
    check_grace(periods, grace_days, window)
    spells = join_periods(periods, grace_days)
    _count_merges(periods, grace_days, steps)
    steps.add("spells", spells, f"stays, with breaks of up to {grace_days} days bridged")
    returns = spells[spells["spell"] > 1]
    steps.add("of them returns", returns, f"came back after more than {grace_days} days")
    return observe_spells(
        spells,
        window=window,
        steps=steps,
        source="subscriptions",
        cause=cause,
        limits=find_limits(
            periods, grace_days, window, observed_from=observed_from, observed_until=observed_until
        ),
    )


def find_observed(
    subscriptions: pd.DataFrame, *, as_of: dt.date | str, grace: str | pd.Timedelta = "30d"
) -> tuple[dt.date, dt.date]:
    """Find the first and last day on which leaving is known, for use with part of the customers.

    A segment has too few ends to tell; the whole company tells for it.

    Parameters
    ----------
    subscriptions : pandas.DataFrame, one row per paid period
        Periods of all customers, as `build_lifetimes` takes them.
    as_of : datetime.date or str
        Last day known, included.
    grace : str or pandas.Timedelta, default "30d"
        Longest break, in whole days, that does not count as having left.

    Returns
    -------
    tuple of datetime.date
        The day that `detect_late_entry` finds, else the first start; the last day on which an end
        is sure.

    Raises
    ------
    InputError
        When a column is missing or `grace` cannot be used.
    TooLittleData
        When no usable period is left.
    """
    grace_days = read_whole_days("grace", grace)
    window = Window.read(as_of=as_of, period_start="", period_end="")
    periods = read_periods(subscriptions, window, Steps())
    check_grace(periods, grace_days, window)
    limits = find_limits(periods, grace_days, window)
    first = periods["first_day"].min() if limits.first is None else limits.first
    return write_day(first), write_day(window.as_of if limits.last is None else limits.last)


def _count_merges(periods: pd.DataFrame, grace_days: int, steps: Steps) -> None:
    """Tell why periods were joined to what came before; each is counted for one reason."""
    gap = periods["gap_days"]
    customer = pd.factorize(periods["customer_id"])[0]
    n_open = periods["is_open"].groupby(customer, sort=False).cumsum()
    changed = pd.Series(False, index=periods.index)
    if "plan" in periods.columns:
        plan = periods["plan"].fillna("")
        changed = plan != plan.shift()
    reasons = (
        ("the same row again", periods["is_repeated"], "a customer cannot buy it twice at once"),
        (
            "open twice at once",
            periods["is_open"] & (n_open > 1),
            "a contradiction: an end is missing, or two customers share an id",
        ),
        ("change of plan", (gap <= 1) & changed, "the customer stayed"),
        ("renewal or overlap", gap <= 1, "the customer stayed"),
        ("short lapse", gap > 1, f"a break of at most {grace_days} days is no churn"),
    )
    left = gap <= grace_days
    for reason, applies, why in reasons:
        steps.add(f"merged: {reason}", periods[left & applies], why)
        left &= ~applies
