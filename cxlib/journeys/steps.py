"""From events to the journey log: where a journey begins and ends, and in which order it goes."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.errors import InputError, closest
from cxlib.frames import read_duration, to_table
from cxlib.journeys.chunks import cut_customers, split_customers, stack
from cxlib.journeys.log import (
    UNKNOWN,
    VIEWS,
    JourneyLog,
    find_contacts,
    name_journeys,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

INACTIVITY = "30d"
CALENDARS = {"week": "W", "month": "M", "quarter": "Q", "year": "Y"}
TIES = ("source", "reversed")
_MANY = 1 << 32  # steps of one customer that the codes of journeys leave room for


def parse_inactivity(inactivity: str | pd.Timedelta) -> pd.Timedelta:
    """Read an idle time with its unit.

    Parameters
    ----------
    inactivity : str or pandas.Timedelta
        As :func:`cxlib.frames.read_duration` reads it.

    Returns
    -------
    pandas.Timedelta
        The idle time.

    Raises
    ------
    InputError
        When the unit is missing or unknown, or the time is not positive.

    Examples
    --------
    >>> parse_inactivity("12h")
    Timedelta('0 days 12:00:00')
    """
    idle = read_duration(inactivity, name="inactivity")
    if not idle > pd.Timedelta(0):
        raise InputError(
            f"inactivity = {inactivity!r} is not longer than nothing.",
            "parameter 'inactivity'",
            "write a positive time such as '30d'",
        )
    return idle


def add_journeys(
    events: ir.Table,
    *,
    as_of: datetime.date | str,
    inactivity: str | pd.Timedelta | None = INACTIVITY,
    ends_at: str = "",
    calendar: str = "",
    ties: str = "source",
) -> JourneyLog:
    """Cut every customer's events into journeys and number the steps.

    Parameters
    ----------
    events : ibis Table, one row per event
        Columns `customer_id`, `timestamp` (UTC), `touchpoint`; optionally `journey_id`, `stage`,
        `channel`, `department`, `initiated_by`, `segment`, and `_row`, the row's place in the
        source.
    as_of : datetime.date or str
        Last day of the data, included.
    inactivity : str or pandas.Timedelta or None, default "30d"
        Idle time; a gap strictly greater starts a new journey. None: silence ends no journey.
    ends_at : str, default ""
        A touchpoint or stage; the journey ends with it, and what follows is the next journey (the
        loop after a purchase).
    calendar : str, default ""
        ``week``, ``month``, ``quarter`` or ``year``: a journey also ends with the period (UTC).
    ties : str, default "source"
        Order of events of a customer at the same instant: that of the source, or ``reversed``,
        which shows how far results rest on that order.

    Returns
    -------
    JourneyLog
        Stored in the engine, so later views do not compute it again.

    Raises
    ------
    InputError
        When a column is missing, a needed value is empty, an event lies after `as_of`, a parameter
        is unknown, or a rule is given although the events bring their `journey_id`.

    Notes
    -----
    With a column `journey_id` a journey is a pair of `customer_id` and `journey_id`, whatever the
    gaps. Without it the n-th journey of a customer in time is ``<customer_id>-<n>``.

    A journey is open when its last event lies within `inactivity` of the end of the `as_of` day
    (with None: always) and no other rule has ended it.

    Ties keep the order of the source where `_row` is there, else the alphabetical order of the
    touchpoint, then of the other names. Equal events all stay and count.
    """
    idle = None if inactivity is None else parse_inactivity(inactivity)
    given = "journey_id" in events.columns
    _check_rules(given, idle, ends_at, calendar, ties)
    end = pd.Timestamp(as_of).normalize() + pd.Timedelta(1, "D")
    _check_columns(events)
    # the last day of a zone west of Greenwich ends up to 12 hours after the day in UTC
    n_events = _check_rows(events, end + pd.Timedelta(12, "h"))
    coded, customers, contacts = _add_codes(events, ties, with_time=bool(calendar))
    cuts = cut_customers(int(customers.count().to_pandas()), n_events)
    is_read_again = given or len(cuts) > 1
    if is_read_again:
        coded = coded.cache()
    ends = find_contacts(contacts, [ends_at], parameter="ends_at")[0] if ends_at else []
    chunks = list(split_customers(coded, cuts))
    if given:
        numbered = [_number_given(chunk).cache() for chunk in chunks]
        parts = [
            _add_given_steps(chunk, ids, end, idle).cache()
            for chunk, ids in zip(chunks, numbered, strict=True)
        ]
        journeys = [
            _summarise(part).join(ids.select("journey", source_id=ids["journey_id"]), "journey")
            for part, ids in zip(parts, numbered, strict=True)
        ]
    else:
        parts = [_add_cut_steps(chunk, end, idle, ends, calendar).cache() for chunk in chunks]
        journeys = [_summarise(part) for part in parts]
    if is_read_again:  # what is stored holds on to what it was made from
        coded.release()
    steps, summary = stack(parts).drop("started_at"), stack(journeys)
    ids = name_journeys(summary, customers)
    return JourneyLog(steps, summary, customers, ids, contacts, cuts, end, idle)


def _check_rules(
    given: bool, idle: pd.Timedelta | None, ends_at: str, calendar: str, ties: str
) -> None:
    if given and (ends_at or calendar or idle != parse_inactivity(INACTIVITY)):
        name = "ends_at" if ends_at else "calendar" if calendar else "inactivity"
        raise InputError(
            f"The parameter '{name}' has no effect: the events bring their own journeys.",
            f"parameter '{name}', table 'events', column 'journey_id'",
            f"leave '{name}' at its default, or take 'journey_id' out of the columns mapped",
        )
    for name, value, known in (("calendar", calendar, CALENDARS), ("ties", ties, TIES)):
        if value and value not in known:
            raise InputError(
                f"The {name} '{value}' is unknown.",
                f"parameter '{name}', known: {list(known)}",
                closest(value, known),
            )


def _check_columns(events: ir.Table) -> None:
    errors = [
        InputError(
            f"Column '{name}' is missing.",
            f"table 'events', has {list(events.columns)}",
            f"map '{name}'; {closest(name, events.columns)}",
        )
        for name in ("customer_id", "timestamp", "touchpoint")
        if name not in events.columns
    ]
    if errors:
        raise InputError.join(errors)


def _check_rows(events: ir.Table, end: pd.Timestamp) -> int:
    """Count the events, and refuse those that cannot be steps."""
    needed = [c for c in ("customer_id", "journey_id", "timestamp", "touchpoint") if c in events]
    counts = events.agg(
        n=events.count(),
        late=(events["timestamp"] >= end).sum().fill_null(0),
        **{name: events[name].isnull().sum().fill_null(0) for name in needed},
    ).to_pandas()
    row = counts.iloc[0]
    if not row["n"]:
        raise InputError("Table 'events' has no rows.", "table 'events'", "choose a wider period")
    errors = [
        InputError(
            f"{row[name]} of {row['n']} events have no {name}.",
            f"table 'events', column '{name}'",
            "fill it in the source"
            + (", or do not map it: inactivity then ends journeys" if name == "journey_id" else ""),
        )
        for name in needed
        if row[name]
    ]
    if row["late"]:
        errors.append(
            InputError(
                f"{row['late']} of {row['n']} events lie after as_of, at {end:%Y-%m-%d %H:%M} UTC"
                " or later.",
                "table 'events', column 'timestamp'",
                "set as_of to the last day of the data",
            )
        )
    if errors:
        raise InputError.join(errors)
    return int(row["n"])


def _add_codes(
    events: ir.Table, ties: str, *, with_time: bool
) -> tuple[ir.Table, ir.Table, pd.DataFrame]:
    """Write customers and contacts as whole numbers, and time as microseconds."""
    import ibis
    from ibis import _

    names = [name for name in VIEWS if name in events.columns]
    kinds = events.select(names).distinct().to_pandas()
    shown = kinds.replace("", None).fillna(UNKNOWN)
    order = shown.sort_values(names, kind="stable").index
    contacts = shown.loc[order].drop_duplicates(ignore_index=True)
    contacts.insert(0, "contact", np.arange(len(contacts)))
    kinds["contact"] = shown.merge(contacts, on=names, how="left")["contact"].to_numpy()
    if kinds["touchpoint"].is_unique:  # the other names follow from it
        names = ["touchpoint"]
    keys = {f"_{name}": _[name].fill_null("") for name in names}
    kinds = kinds[[*names, "contact"]].fillna(dict.fromkeys(names, ""))
    kinds = kinds.rename(columns={name: f"_{name}" for name in names}).drop_duplicates([*keys])
    customers = events.select("customer_id").distinct()
    customers = customers.mutate(customer=ibis.row_number().over(order_by="customer_id"))
    customers = customers.cache()
    keep = [name for name in ("journey_id", "segment") if name in events.columns]
    keep += ["timestamp"] if with_time else []
    coded = events.mutate(**keys).join(to_table(kinds, beside=events), list(keys))
    coded = coded.join(customers, "customer_id")
    sign = 1 if ties == "source" else -1
    tie = coded["_row"] if "_row" in coded.columns else coded["contact"]
    epoch = ibis.timestamp("1970-01-01 00:00:00")
    coded = coded.select(
        *keep,
        customer=coded["customer"].cast("int32"),
        contact=coded["contact"].cast("int32"),
        at=coded["timestamp"].delta(epoch, unit="microsecond"),
        tie=(sign * tie).cast("int64"),
    )
    return coded, customers, contacts


def _micros(time: pd.Timestamp | pd.Timedelta) -> int:
    return time.value // 1000


def _is_open(at: Any, end: pd.Timestamp, idle: pd.Timedelta | None) -> Any:
    """Tell whether silence since this moment is still too short to mean an end."""
    return at.notnull() if idle is None else at >= _micros(end) - _micros(idle)


def _add_cut_steps(
    coded: ir.Table,
    end: pd.Timestamp,
    idle: pd.Timedelta | None,
    ends: list[int],
    calendar: str,
) -> ir.Table:
    """Cut by the gap, the contact before and the calendar; everything else follows from that."""
    import ibis
    from ibis import _

    now = {"period": _.timestamp.truncate(CALENDARS[calendar])} if calendar else {}
    customer = ibis.window(group_by="customer", order_by=["at", "tie"])
    steps = coded.mutate(**now).mutate(
        row=ibis.row_number().over(customer).cast("int32"),
        before=_["at"].lag().over(customer),
        after=_["at"].lead().over(customer),
        previous=_.contact.lag().over(customer),
        **({"next_period": _.period.lead().over(customer)} if calendar else {}),
    )
    cut_before, cut_after = _.before.isnull(), _.after.isnull()
    may_go_on = _.after.isnull() & _is_open(_["at"], end, idle)
    if idle is not None:
        cut_before |= _["at"] - _.before > _micros(idle)
        cut_after |= _.after - _["at"] > _micros(idle)
    if ends:
        cut_before |= _.previous.isin(ends)
        cut_after |= _.contact.isin(ends)
        may_go_on &= ~_.contact.isin(ends)
    if calendar:
        last = pd.Timestamp(end - pd.Timedelta(1, "us")).to_period(CALENDARS[calendar]).start_time
        steps = steps.mutate(last_period=_.period.lag().over(customer))
        cut_before |= _.last_period != _.period
        cut_after |= _.next_period != _.period
        may_go_on &= _.period >= last
    steps = steps.mutate(
        is_start=cut_before.fill_null(True), is_end=cut_after.fill_null(True), is_open=may_go_on
    )
    so_far = ibis.cumulative_window(group_by="customer", order_by="row")
    steps = steps.mutate(
        first=_.is_start.ifelse(_.row, ibis.null("int32")).max().over(so_far),
        started_at=_.is_start.ifelse(_["at"], ibis.null("int64")).max().over(so_far),
    )
    return steps.select(
        "customer",
        "contact",
        "at",
        "is_start",
        "is_end",
        "is_open",
        "started_at",
        *([c for c in steps.columns if c == "segment"]),
        journey=_.customer.cast("int64") * _MANY + _["first"],
        step=(_.row - _["first"] + 1).cast("int32"),
        previous=_.is_start.ifelse(ibis.null("int32"), _.previous),
        gap=_.is_start.ifelse(ibis.null("int64"), _["at"] - _.before),
    )


def _number_given(coded: ir.Table) -> ir.Table:
    """Give the journeys that the source names codes in the order they begin."""
    import ibis
    from ibis import _

    first = ibis.window(group_by=["customer", "journey_id"], order_by=["at", "tie"])
    starts = coded.select("customer", "journey_id", "at", "tie", row=ibis.row_number().over(first))
    order = ibis.window(group_by="customer", order_by=["at", "tie"])
    starts = starts.filter(_.row == 0).mutate(number=ibis.row_number().over(order))
    return starts.select(
        "customer", "journey_id", journey=_.customer.cast("int64") * _MANY + _.number
    )


def _add_given_steps(
    coded: ir.Table, numbered: ir.Table, end: pd.Timestamp, idle: pd.Timedelta | None
) -> ir.Table:
    import ibis
    from ibis import _

    steps = coded.join(numbered, ["customer", "journey_id"])
    journey = ibis.window(group_by="journey", order_by=["at", "tie"])
    before = _["at"].lag().over(journey)
    steps = steps.mutate(
        step=(ibis.row_number().over(journey) + 1).cast("int32"),
        previous=_.contact.lag().over(journey),
        gap=_["at"] - before,
        started_at=_["at"].first().over(journey),
        is_end=_["at"].lead().over(journey).isnull(),
    )
    steps = steps.mutate(is_start=_.step == 1, is_open=_.is_end & _is_open(_["at"], end, idle))
    keep = ["customer", "journey", "contact", "at", "step", "previous", "gap"]
    keep += [
        "is_start",
        "is_end",
        "is_open",
        "started_at",
        *[c for c in steps.columns if c == "segment"],
    ]
    return steps.select(keep)


def _summarise(steps: ir.Table) -> ir.Table:
    from ibis import _

    return steps.filter(_.is_end).select(
        "journey", "customer", "started_at", "is_open", ended_at=_["at"], n_steps=_.step
    )
