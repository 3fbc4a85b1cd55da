"""Churn without a contract: who was silent for longer than a rule allows has left."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.churn.lifetimes import Lifetimes
from cxlib.churn.records.observation import (
    Steps,
    Window,
    observe_spells,
    read_whole_days,
)
from cxlib.errors import InputError, TooLittleData
from cxlib.frames import to_frame
from cxlib.schema import check_table

if TYPE_CHECKING:
    import ibis.expr.types as ir


def lifetimes_from_events(
    events: ir.Table,
    *,
    inactivity: str | pd.Timedelta,
    as_of: dt.date | str,
    period_start: str = "",
    period_end: str = "",
) -> Lifetimes:
    """Turn events into lifetimes by a rule: silent for longer than this means gone.

    Parameters
    ----------
    events : ibis Table, one row per event
        Columns `customer_id`, `timestamp`; `segment` when there is one.
    inactivity : str or pandas.Timedelta
        Longest silence of a customer who is still there, in whole days, for example ``"90d"``.
    as_of : datetime.date or str
        Last day known, included.
    period_start, period_end : str, default ""
        First and last day of a window of observation; ``""`` for none.

    Returns
    -------
    Lifetimes
        `table` with one row per customer and spell; `ledger`.

    Raises
    ------
    InputError
        When a column is missing, `inactivity` is no whole number of days or as long as the
        records, the window is empty, or the segment of a customer changes.
    TooLittleData
        When there is no event up to `as_of`, or nobody was silent for long enough.

    Notes
    -----
    Days with an event more than `inactivity` days apart belong to different spells; a gap of
    exactly `inactivity` does not split. A spell ends in churn at the end of the silent time,
    `inactivity` days after its last event, because only then the rule can tell. So every
    customer is at risk for at least that long, a customer who bought once included, and the
    curve is flat until then. Dating churn at the last event instead would use the future (the
    silence to come), give customers who bought once a lifetime of 0, and leave the last days
    before `as_of` with no one who could churn. A customer whose silence is not over on `as_of` is
    censored there.

    The rule is part of the result: another threshold gives another curve (`suggest_inactivity`
    and `measure_sensitivity` help to choose one). A customer's first
    event in the data is taken as the start, which an extract that begins later cannot show.
    """
    days = read_threshold(inactivity)
    window = Window.read(as_of=as_of, period_start=period_start, period_end=period_end)
    spells = read_stays(events, days, window)
    steps = Steps()
    of_customer = spells.groupby("customer_id")["n_events"].agg(["sum", "size"])
    n_events, n_customers = int(of_customer["sum"].sum()), len(of_customer)
    steps.lines.append(("rows in", n_events, n_customers, "events up to the last day known"))
    if n_events > len(spells):
        same = int((of_customer["sum"] > of_customer["size"]).sum())
        why = f"at most {days} days after the one before"
        steps.lines.append(("merged: same stay", n_events - len(spells), same, why))
    steps.add("spells", spells, f"times of activity with no silence of more than {days} days")
    returns = spells[spells["spell"] > 1]
    steps.add("of them returns", returns, f"came back after more than {days} days")
    spells = close_stays(spells.drop(columns="n_events"), days, window)
    return observe_spells(spells, window=window, steps=steps, source="events")


def read_threshold(inactivity: str | pd.Timedelta) -> int:
    """Read the longest silence of a customer who is still there.

    Parameters
    ----------
    inactivity : str or pandas.Timedelta
        For example ``"90d"``.

    Returns
    -------
    int
        Whole days, at least 1.

    Raises
    ------
    InputError
        When it is something else.
    """
    days = read_whole_days("inactivity", inactivity)
    if days < 1:
        raise InputError(
            f"inactivity = {inactivity!r} is no whole number of days.",
            "parameter 'inactivity'",
            "churn counts in days; write inactivity = '90d'",
        )
    return days


def read_stays(events: ir.Table, days: int, window: Window) -> pd.DataFrame:
    """Find the times of activity of every customer, in the engine.

    Parameters
    ----------
    events : ibis Table, one row per event
        As `lifetimes_from_events` takes them.
    days : int
        Longest silence within a time of activity.
    window : Window
        Tells the last day known.

    Returns
    -------
    pandas.DataFrame
        One row per customer and `spell`, sorted: `first_day`, `last_day` (of an event),
        `n_events`; `segment` when there is one.

    Raises
    ------
    InputError
        When a column is missing, the records are no longer than `days`, or the segment of a
        customer changes.
    TooLittleData
        When there is no event up to the last day known.
    """
    check_events(events)
    counted = _count_spells(list_visits(events, window.as_of), days)
    spells = to_frame(counted, sort_by=["customer_id", "spell"])
    if spells.empty:
        raise TooLittleData("No event up to as_of: nobody can be followed.")
    length = window.as_of - int(spells["first_day"].min())
    if days > length:
        raise InputError(
            f"inactivity = '{days}d' is longer than the records ({length:,} days from the first "
            "event to as_of): nobody can have been silent for so long.",
            "parameter 'inactivity'",
            "choose a shorter one",
        )
    return _keep_segment(spells) if "segment" in spells.columns else spells


def close_stays(stays: pd.DataFrame, days: int, window: Window) -> pd.DataFrame:
    """Date churn at the end of the silence that tells it; a silence not over yet censors.

    Parameters
    ----------
    stays : pandas.DataFrame
        As `read_stays` returns them.
    days : int
        Silence after which a customer has left.
    window : Window
        Tells the last day known.

    Returns
    -------
    pandas.DataFrame
        With `churned` and the `last_day` moved to the end of the silence.
    """
    over = stays["last_day"] + days
    return stays.assign(churned=over <= window.as_of, last_day=over.clip(upper=window.as_of))


def check_events(events: ir.Table) -> None:
    """Check that events have the columns needed.

    Parameters
    ----------
    events : ibis Table, one row per event
        Needs `customer_id`, `timestamp`.

    Raises
    ------
    InputError
        When a column is missing.
    """
    # a row of blanks stands for the rows, which are not counted for a mere check of columns
    check_table(
        pd.DataFrame(columns=events.columns, index=[0]),
        ("customer_id", "timestamp"),
        table="events",
    )


def list_visits(events: ir.Table, as_of: int) -> ir.Table:
    """List the active days up to the last one known, in the engine.

    Parameters
    ----------
    events : ibis Table, one row per event
        Columns `customer_id`, `timestamp`; `segment` when there is one.
    as_of : int
        Last day known, in days since 1970.

    Returns
    -------
    ibis Table
        One row per customer and `day`, so that no ties are left for a window by day to break:
        `n_events`; the first and last `segment` by name when there is one.
    """
    day = (events.timestamp.truncate("D").epoch_seconds() / 86_400).cast("int64")
    more = ["segment"] if "segment" in events.columns else []
    visits = events.mutate(day=day).filter(lambda t: t.day <= as_of)
    return visits.group_by("customer_id", "day").aggregate(
        n_events=visits.count(),
        **{name: visits[name].min() for name in more},
        **{f"{name}_last": visits[name].max() for name in more},
    )


def _count_spells(visits: ir.Table, days: int) -> ir.Table:
    """Sessionise in the engine: one row per customer and spell."""
    import ibis

    more = ["segment"] if "segment" in visits.columns else []
    by_day = ibis.window(group_by="customer_id", order_by="day")
    visits = visits.mutate(gap=visits.day - visits.day.lag().over(by_day))
    is_return = ibis.ifelse(visits.gap > days, 1, 0)
    so_far = ibis.cumulative_window(group_by="customer_id", order_by="day")
    visits = visits.mutate(spell=is_return.sum().over(so_far) + 1)
    return visits.group_by("customer_id", "spell").aggregate(
        first_day=visits.day.min(),
        last_day=visits.day.max(),
        n_events=visits.n_events.sum(),
        **{name: visits[name].min() for name in more},
        **{f"{name}_last": visits[f"{name}_last"].max() for name in more},
    )


def _keep_segment(spells: pd.DataFrame) -> pd.DataFrame:
    """Refuse a segment that changes: a group must be known at the start."""
    changes = spells["segment"].fillna("") != spells["segment_last"].fillna("")
    if changes.any():
        who = spells.loc[changes, "customer_id"].head(3).tolist()
        raise InputError(
            f"The segment of {int(changes.sum()):,} customers changes between their events.",
            f"table 'events', column 'segment', customer_id {who}",
            "segment by a column of customers, known when they start",
        )
    return spells.drop(columns="segment_last")
