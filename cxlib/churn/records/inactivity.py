"""Churn without a contract: who was silent for longer than a rule allows has left."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.churn.lifetimes import Lifetimes
from cxlib.churn.records.observation import Steps, Window, observe_spells
from cxlib.errors import InputError, TooLittleData
from cxlib.frames import read_duration, to_frame
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
        When a column is missing, `inactivity` is no whole number of days, the window is empty, or
        the segment of a customer changes.
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

    The rule is part of the result: another threshold gives another curve. A customer's first
    event in the data is taken as the start, which an extract that begins later cannot show.
    """
    _check_events(events)
    silence = read_duration(inactivity, name="inactivity")
    days = silence.days
    if days < 1 or silence != pd.Timedelta(days=days):
        raise InputError(
            f"inactivity = {inactivity!r} is no whole number of days.",
            "parameter 'inactivity'",
            "churn counts in days; write '90d'",
        )
    window = Window.read(as_of=as_of, period_start=period_start, period_end=period_end)
    spells = to_frame(_count_spells(events, days, window.as_of), sort_by=["customer_id", "spell"])
    if spells.empty:
        raise TooLittleData("No event up to as_of: nobody can be followed.")
    if "segment" in spells.columns:
        spells = _keep_segment(spells)
    spells["churned"] = spells["last_day"] + days <= window.as_of
    spells["last_day"] = (spells["last_day"] + days).clip(upper=window.as_of)
    steps = Steps()
    steps.add("spells", spells, f"times of activity with no silence of more than {days} days")
    returns = spells[spells["spell"] > 1]
    steps.add("of them returns", returns, f"came back after more than {days} days")
    return observe_spells(spells, window=window, steps=steps, source="events")


def _check_events(events: ir.Table) -> None:
    # a row of blanks stands for the rows, which are not counted for a mere check of columns
    check_table(
        pd.DataFrame(columns=events.columns, index=[0]),
        ("customer_id", "timestamp"),
        table="events",
    )


def _count_spells(events: ir.Table, days: int, as_of: int) -> ir.Table:
    """Sessionise in the engine: one row per customer and spell."""
    import ibis

    day = (events.timestamp.truncate("D").epoch_seconds() / 86_400).cast("int64")
    more = ["segment"] if "segment" in events.columns else []
    visits = events.mutate(day=day).filter(lambda t: t.day <= as_of)
    # one row per customer and day: no ties are left for the window to break
    visits = visits.group_by("customer_id", "day").aggregate(
        **{name: visits[name].min() for name in more},
        **{f"{name}_last": visits[name].max() for name in more},
    )
    by_day = ibis.window(group_by="customer_id", order_by="day")
    visits = visits.mutate(gap=visits.day - visits.day.lag().over(by_day))
    is_return = ibis.ifelse(visits.gap > days, 1, 0)
    so_far = ibis.cumulative_window(group_by="customer_id", order_by="day")
    visits = visits.mutate(spell=is_return.sum().over(so_far) + 1)
    return visits.group_by("customer_id", "spell").aggregate(
        first_day=visits.day.min(),
        last_day=visits.day.max(),
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
