"""The journey log: every contact with its journey and place in it, in whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.errors import InputError, closest
from cxlib.frames import to_table
from cxlib.schema import KEPT_NAMES, check_names

if TYPE_CHECKING:
    import ibis.expr.types as ir

START, END, OPEN, OTHER = KEPT_NAMES
UNKNOWN = "(unknown)"
FROM_START, TO_END, TO_OPEN = -1, -2, -3  # codes of the places before and after a journey
VIEWS = ("touchpoint", "stage", "channel", "department", "initiated_by")
DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True)
class JourneyLog:
    """Contacts cut into journeys, stored in the engine; every view of the study counts it.

    Parameters
    ----------
    steps : ibis Table, one row per event
        `customer`, `journey` and `contact` (codes), `step` (from 1), `at` (microseconds since
        1970-01-01 UTC), `previous` (the contact before) and `gap` (microseconds since it), both
        empty on the first step, `is_start`, `is_end`, `is_open` (the last step of a journey that
        may still go on), and `segment` when the events have it.
    journeys : ibis Table, one row per journey
        `customer`, `journey` (a later journey of a customer has a larger code), `started_at`,
        `ended_at` (microseconds), `n_steps`, `is_open`; `source_id` when the source names its
        journeys; `group` after :func:`cxlib.journeys.add_groups`.
    customers : ibis Table, one row per customer
        `customer`, `customer_id`.
    ids : ibis Table, one row per journey
        `customer`, `journey`, `customer_id`, `journey_id`: the name the source gave it, or
        ``<customer_id>-<n>`` for the n-th journey of a customer; not stored, as few views need it.
    contacts : pandas.DataFrame, one row per kind of contact
        `contact` (from 0, in the order of the names), `touchpoint` and, where the events have
        them, `stage`, `channel`, `department`, `initiated_by`; a missing name is ``(unknown)``.
    cuts : sequence of int
        First customer of every part that a large log is worked on in, ascending from 0.
    end : pandas.Timestamp
        The moment after the last day of the data.
    idle : pandas.Timedelta or None
        Idle time after which a journey is over; None when only other rules end journeys.

    Notes
    -----
    Codes are whole numbers because engines count them many times faster than text and agree on
    their order. :func:`list_steps` writes the log in words.
    """

    steps: ir.Table
    journeys: ir.Table
    customers: ir.Table
    ids: ir.Table
    contacts: pd.DataFrame
    cuts: Sequence[int]
    end: pd.Timestamp
    idle: pd.Timedelta | None


@dataclass(frozen=True)
class Places:
    """What a step shows in a view, such as its touchpoint or its channel.

    Parameters
    ----------
    by : str
        The view.
    names : list of str
        Name of each place; its position is its code.
    codes : numpy.ndarray of int, shape (contacts,)
        Place of each kind of contact.
    """

    by: str
    names: list[str]
    codes: np.ndarray


def find_places(log: JourneyLog, by: str = "touchpoint") -> Places:
    """List the places of a view.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    by : str, default "touchpoint"
        ``touchpoint``, ``stage``, ``channel``, ``department`` or ``initiated_by``.

    Returns
    -------
    Places
        Names in order of the text, and the place of each contact.

    Raises
    ------
    InputError
        When the events do not have the view, or a name is kept for the tables.
    """
    views = [name for name in VIEWS if name in log.contacts]
    if by not in views:
        raise InputError(
            f"The view '{by}' is not a column of the events.",
            f"parameter 'view', views of these events: {views}",
            closest(by, views),
        )
    names = sorted(log.contacts[by].unique())
    check_names(names, column=by)
    codes = pd.Categorical(log.contacts[by], categories=names).codes.astype(np.int64)
    return Places(by, names, codes)


def add_places(table: ir.Table, places: Places, **columns: str) -> ir.Table:
    """Add the place of contacts.

    Parameters
    ----------
    table : ibis Table
        With columns of contacts.
    places : Places
        A view.
    **columns : str
        New column = column of contacts, such as ``place="contact"``.

    Returns
    -------
    ibis Table, the same rows
        With the new columns, int64; empty where the contact is.
    """
    if np.array_equal(places.codes, np.arange(len(places.codes))):
        return table.mutate(**{new: table[old].cast("int64") for new, old in columns.items()})
    codes = pd.DataFrame({"_contact": np.arange(len(places.codes)), "_place": places.codes})
    for new, old in columns.items():
        lookup = to_table(codes.rename(columns={"_place": new}), beside=table)
        table = table.left_join(lookup, table[old] == lookup["_contact"]).drop("_contact")
    return table


def name_places(places: Places, codes: pd.Series) -> pd.Series:
    """Write codes of places as names, those before and after a journey included.

    Parameters
    ----------
    places : Places
        A view.
    codes : pandas.Series of int
        Codes of places.

    Returns
    -------
    pandas.Series of str
        Their names.
    """
    names = dict(enumerate(places.names)) | {FROM_START: START, TO_END: END, TO_OPEN: OPEN}
    return codes.map(names)


def find_contacts(
    contacts: pd.DataFrame, names: Sequence[str], *, parameter: str = "goal"
) -> list[list[int]]:
    """Find the contacts that touchpoints, or stages, stand for.

    Parameters
    ----------
    contacts : pandas.DataFrame, one row per kind of contact
        Of a log.
    names : sequence of str
        All touchpoints or all stages; touchpoints are looked for first.
    parameter : str, default "goal"
        Where the names come from, for messages.

    Returns
    -------
    list of list of int
        Codes of the contacts of each name.

    Raises
    ------
    InputError
        When a name is neither a touchpoint nor a stage, or both kinds are mixed.
    """
    known: list[str] = []
    for column in ("touchpoint", "stage"):
        if column in contacts:
            here = contacts[column]
            if set(names) <= set(here):
                return [contacts.loc[here == name, "contact"].tolist() for name in names]
            known += sorted(set(here) - {UNKNOWN})
    unknown = [name for name in names if name not in known]
    if not unknown:
        raise InputError(
            f"The {parameter} {list(names)} mix touchpoints and lifecycle stages.",
            f"parameter '{parameter}'",
            "name either touchpoints or lifecycle stages",
        )
    raise InputError.join(
        InputError(f"No event is at '{name}'.", f"parameter '{parameter}'", closest(name, known))
        for name in unknown
    )


def list_steps(log: JourneyLog) -> ir.Table:
    """Write the log in words.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.

    Returns
    -------
    ibis Table, one row per event
        `customer_id`, `journey_id`, `step`, `timestamp`, `touchpoint` and the other names of the
        contact, `previous_touchpoint`, `gap_seconds`, `is_start`, `is_end`, `is_open`.
    """
    import ibis
    from ibis import _

    epoch = ibis.timestamp("1970-01-01 00:00:00")
    contacts = to_table(log.contacts, beside=log.steps)
    before = contacts.select(previous=_.contact, previous_touchpoint=_.touchpoint)
    names = [name for name in VIEWS if name in log.contacts]
    steps = log.steps.join(contacts, "contact").left_join(before, "previous")
    steps = steps.join(log.ids, ["customer", "journey"])
    return steps.select(
        "customer_id",
        "journey_id",
        "step",
        *names,
        "previous_touchpoint",
        "is_start",
        "is_end",
        "is_open",
        timestamp=epoch + steps["at"].as_interval("us"),
        gap_seconds=_.gap / 1e6,
    )


def name_journeys(journeys: ir.Table, customers: ir.Table) -> ir.Table:
    """Name every journey as its source did, or by customer and number.

    Parameters
    ----------
    journeys, customers : ibis Table
        Of a log, all of them.

    Returns
    -------
    ibis Table, one row per journey
        `customer`, `journey`, `customer_id`, `journey_id`.
    """
    import ibis
    from ibis import _

    if "source_id" in journeys.columns:
        names = journeys.select("customer", "journey", journey_id="source_id")
        return names.join(customers, "customer").relocate("journey_id", after="customer_id")
    in_time = ibis.window(group_by="customer", order_by="journey")
    named = journeys.select("customer", "journey", number=ibis.row_number().over(in_time) + 1)
    named = named.join(customers, "customer")
    name = _.customer_id + "-" + _.number.cast("string")
    return named.select("customer", "journey", "customer_id", journey_id=name)


def restrict_log(log: JourneyLog, kept: ir.Table) -> JourneyLog:
    """Keep some journeys of a log.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    kept : ibis Table
        With the codes of the journeys kept as `journey`.

    Returns
    -------
    JourneyLog
        All steps of these journeys, stored; codes and names are those of `log`.
    """
    steps = log.steps.semi_join(kept, "journey").cache()
    journeys = log.journeys.semi_join(kept, "journey").cache()
    return replace(log, steps=steps, journeys=journeys)
