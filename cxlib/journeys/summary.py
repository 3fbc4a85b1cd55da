"""How many journeys there are, how long they are, and how they divide into groups."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.errors import InputError, closest
from cxlib.frames import to_table
from cxlib.journeys.log import DAY, UNKNOWN, VIEWS, JourneyLog, restrict_log
from cxlib.journeys.shares import count_shares

if TYPE_CHECKING:
    import ibis.expr.types as ir


def summarise_journeys(log: JourneyLog) -> pd.DataFrame:
    """Count events, customers and journeys and describe how long journeys are.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.

    Returns
    -------
    pandas.DataFrame, one row
        `n_events`, `n_customers`, `n_journeys`, `n_open`, `open_share`, `one_step_share`;
        `steps_q25`, `steps_median`, `steps_q75`, `steps_p95` (contacts of a journey) and
        `days_median` (first to last contact); `tie_share`, the share of events at the same instant
        as the step before but another kind of contact, whose order is a convention.

    Notes
    -----
    Quantiles are linear between order statistics, over all journeys, open ones as far as they are
    seen.
    """
    from ibis import _

    ties = (_.gap == 0) & (_.previous != _.contact)
    events = log.steps.agg(n_events=_.count(), n_ties=ties.sum().fill_null(0))
    total = log.journeys.agg(
        n_customers=_.customer.nunique(),
        n_journeys=_.count(),
        n_open=_.is_open.sum(),
        days=(_.ended_at - _.started_at).median(),
    )
    row = pd.concat([events.to_pandas(), total.to_pandas()], axis=1).iloc[0]
    sizes = log.journeys.group_by("n_steps").agg(n=_.count()).to_pandas().sort_values("n_steps")
    lengths = np.repeat(sizes["n_steps"].to_numpy(), sizes["n"].to_numpy())
    q25, median, q75, p95 = np.quantile(lengths, [0.25, 0.5, 0.75, 0.95])
    return pd.DataFrame(
        {
            "n_events": [int(row["n_events"])],
            "n_customers": [int(row["n_customers"])],
            "n_journeys": [int(row["n_journeys"])],
            "n_open": [int(row["n_open"])],
            "open_share": [row["n_open"] / row["n_journeys"]],
            "one_step_share": [float((lengths == 1).mean())],
            "steps_q25": [q25],
            "steps_median": [median],
            "steps_q75": [q75],
            "steps_p95": [p95],
            "days_median": [float(row["days"]) / DAY],
            "tie_share": [row["n_ties"] / row["n_events"]],
        }
    )


def count_groups(log: JourneyLog, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Count the journeys of every group of the column `segment`.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`, of events with `segment`.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per group
        `segment`, `n_journeys`, `n_customers`, `share` (of all journeys), `conf_low`, `conf_high`
        (by customer); the largest first.

    Raises
    ------
    InputError
        When there is no column `segment`, or it changes within a journey.
    """
    from ibis import _

    if "segment" not in log.steps.columns:
        raise InputError(
            "There are no groups to count.", "column 'segment'", "set segment_by to an attribute"
        )
    named = log.steps.mutate(segment=_.segment.nullif("").fill_null(UNKNOWN))
    kinds = named.group_by("journey").agg(k=_.segment.nunique()).filter(_.k > 1)
    n_changing = int(kinds.count().to_pandas())
    if n_changing:
        raise InputError(
            f"The group changes within {n_changing} journeys.",
            "column 'segment'",
            "choose an attribute that is constant within a journey",
        )
    counts = named.filter(_.is_start).group_by("customer", "segment").agg(n=_.count()).cache()
    groups = count_shares(counts, of="segment", conf_level=conf_level)
    groups = groups.rename(columns={"n": "n_journeys"})
    return groups.sort_values(["n_journeys", "segment"], ascending=[False, True], ignore_index=True)


def add_groups(
    log: JourneyLog,
    *,
    by: str = "",
    date: datetime.date | str = "",
    customers: ir.Table | None = None,
) -> JourneyLog:
    """Give every journey a group, by an attribute or by a date.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    by : str, default ""
        A name of the contacts, such as ``channel``, or ``segment``, of which the value at the first
        step counts; or a column of `customers`.
    date : datetime.date or str, default ""
        Instead of `by`: journeys that began before this day are one group, the others another.
    customers : ibis Table, optional
        One row per `customer_id` with attributes.

    Returns
    -------
    JourneyLog
        Its journeys with the text column `group`; a missing value is ``(unknown)``.

    Raises
    ------
    InputError
        When not exactly one of `by` and `date` is given, `by` is no column or `date` no date.
    """
    from ibis import _

    if bool(by) == bool(date):
        raise InputError(
            "A comparison needs an attribute or a date, not both.",
            "parameters 'compare_by' and 'compare_date'",
            "set one of the two",
        )
    journeys = log.journeys.drop("group") if "group" in log.journeys.columns else log.journeys
    views = [name for name in VIEWS if name in log.contacts]
    if "segment" in log.steps.columns:
        views.append("segment")
    if date:
        day = _read_day(date)
        before = _.started_at < pd.Timestamp(day).value // 1000
        grouped = journeys.mutate(group=before.ifelse(f"before {day}", f"from {day}"))
    elif by == "segment" and by in views:
        first = log.steps.filter(_.is_start).select("journey", group="segment")
        grouped = journeys.join(first, "journey")
    elif by in views:
        names = log.contacts[["contact", by]].rename(columns={by: "group"})
        names = to_table(names, beside=log.steps)
        first = log.steps.filter(_.is_start).join(names, "contact").select("journey", "group")
        grouped = journeys.join(first, "journey")
    elif customers is not None and by in customers.columns:
        own = customers.select("customer_id", group=customers[by].cast("string"))
        own = log.customers.join(own, "customer_id").select("customer", "group")
        grouped = journeys.left_join(own, "customer").drop("customer_right")
    else:
        known = [*(customers.columns if customers is not None else ()), *views]
        raise InputError(f"There is no '{by}'.", "parameter 'compare_by'", closest(by, known))
    named = grouped.mutate(group=grouped["group"].nullif("").fill_null(UNKNOWN))
    return replace(log, journeys=named.cache())


def keep_since(log: JourneyLog, date: datetime.date | str) -> JourneyLog:
    """Keep the journeys that began on a day or later.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    date : datetime.date or str
        First day, in UTC.

    Returns
    -------
    JourneyLog
        Whole journeys.

    Raises
    ------
    InputError
        When `date` is no date.
    """
    began = log.journeys["started_at"] >= pd.Timestamp(_read_day(date)).value // 1000
    return restrict_log(log, log.journeys.filter(began).select("journey"))


def _read_day(date: datetime.date | str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(str(date)[:10])
    except ValueError as error:
        raise InputError(
            f"'{date}' is no date.", "parameter 'compare_date'", "write it as 2025-03-31"
        ) from error
