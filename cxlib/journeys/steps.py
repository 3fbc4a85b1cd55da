"""The steps table: one row per event with its journey, its place in it and what came before."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.errors import InputError, closest
from cxlib.frames import read_duration
from cxlib.journeys.shares import count_shares

if TYPE_CHECKING:
    import ibis.expr.types as ir

START, END, OPEN, OTHER, UNKNOWN = "(start)", "(end)", "(open)", "(other)", "(unknown)"
JOURNEY = ("customer_id", "journey_id")  # ids may repeat between customers
ARROW = " > "
INACTIVITY = "30d"


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
    inactivity: str | pd.Timedelta = INACTIVITY,
    view: str = "touchpoint",
) -> ir.Table:
    """Cut every customer's events into journeys and number the steps.

    Parameters
    ----------
    events : ibis Table, one row per event
        Columns `customer_id`, `timestamp` (UTC), `touchpoint`; optionally `journey_id`, `stage`,
        `channel`, `department`, `segment`, and `_row`, the row's place in the source.
    as_of : datetime.date or str
        Last day of the data, included.
    inactivity : str or pandas.Timedelta, default "30d"
        Idle time; a gap strictly greater starts a new journey.
    view : str, default "touchpoint"
        The column whose text is shown as `touchpoint`; a missing value as ``(unknown)``.

    Returns
    -------
    ibis Table, one row per event
        Stored in the engine, so later views do not compute it again: `customer_id`, `journey_id`,
        `step` (from 1), `touchpoint`, `timestamp`, `previous_touchpoint` and `gap_seconds` (both
        empty on the first step), `is_start`, `is_end`, `is_open` (the journey may still go on:
        its last event lies within `inactivity` of the end of the `as_of` day; the same on all its
        rows), `event_touchpoint` (only when `view` is another column), then every other column.

    Raises
    ------
    InputError
        When a column is missing, a needed value is empty, a name is reserved, an event lies after
        `as_of`, or `inactivity` is changed although the events bring their `journey_id`.

    Notes
    -----
    With a column `journey_id` a journey is a pair of `customer_id` and `journey_id`, whatever the
    gaps. Without it the n-th journey of a customer in time is ``<customer_id>-<n>``.

    Ties: events of one journey at the same instant keep the order of the source where `_row` is
    there, else the alphabetical order of the touchpoint, then of the stage (by integer codes:
    engines collate text differently). Equal events all stay and count.
    """
    idle = parse_inactivity(inactivity)
    given = "journey_id" in events.columns
    if given and idle != parse_inactivity(INACTIVITY):
        raise InputError(
            f"The inactivity '{inactivity}' has no effect: the events bring their own journeys.",
            "parameter 'inactivity', table 'events', column 'journey_id'",
            f"leave inactivity at '{INACTIVITY}', or take 'journey_id' out of the columns mapped",
        )
    end = pd.Timestamp(as_of).normalize() + pd.Timedelta(1, "D")
    _check_columns(events, view)
    # the last day of a zone west of Greenwich ends up to 12 hours after the day in UTC
    _check_rows(events, end + pd.Timedelta(12, "h"))
    events = _add_view(events, view)
    if "_row" not in events.columns:
        events = _add_order(events)
    steps = _add_steps(events, idle, end, given)
    first = [*JOURNEY, "step", "touchpoint", "timestamp", "previous_touchpoint", "gap_seconds"]
    first += ["is_start", "is_end", "is_open"]
    rest = [c for c in steps.columns if c not in first and not c.startswith("_")]
    return steps.select(*first, *rest).cache()


def _check_columns(events: ir.Table, view: str) -> None:
    errors = [
        InputError(
            f"Column '{name}' is missing.",
            f"table 'events', has {list(events.columns)}",
            f"map '{name}'; {closest(name, events.columns)}",
        )
        for name in ("customer_id", "timestamp", "touchpoint")
        if name not in events.columns
    ]
    if not errors and view not in events.columns:
        text = [name for name in events.columns if events[name].type().is_string()]
        errors.append(
            InputError(
                f"The view '{view}' is not a column of the events.",
                f"parameter 'view', table 'events', has {list(events.columns)}",
                closest(view, [name for name in text if not name.endswith("_id")]),
            )
        )
    if errors:
        raise InputError.join(errors)


def _check_rows(events: ir.Table, end: pd.Timestamp) -> None:
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


def _add_view(events: ir.Table, view: str) -> ir.Table:
    if view != "touchpoint":
        events = events.mutate(event_touchpoint=events["touchpoint"])
    if "stage" in events.columns:
        events = events.mutate(stage=events["stage"].nullif(""))
    events = events.mutate(touchpoint=events[view].cast("string").nullif("").fill_null(UNKNOWN))
    names = events.select("touchpoint").distinct().to_pandas()["touchpoint"]
    bad = sorted(n for n in names if n in (START, END, OPEN, OTHER) or ARROW in n)[:3]
    if bad:
        raise InputError(
            f"The name '{bad[0]}' is kept for the tables of this study.",
            f"table 'events', column '{view}', values {bad}",
            f"rename it in the source; '{ARROW.strip()}' between blanks joins touchpoints in paths",
        )
    return events


def _add_order(events: ir.Table) -> ir.Table:
    """Add `_row`: an integer code that breaks ties in time by what the events say."""
    import ibis

    by = [c for c in ("touchpoint", "event_touchpoint", "stage") if c in events.columns]
    keys = {f"_{name}": events[name].fill_null("") for name in by}
    kinds = events.select(**keys).distinct().to_pandas().sort_values(list(keys))
    codes = ibis.memtable(kinds.assign(_row=np.arange(len(kinds))))
    keyed = events.mutate(**keys)
    return keyed.join(codes, list(keys)).drop(*keys)


def _add_steps(events: ir.Table, idle: pd.Timedelta, end: pd.Timestamp, given: bool) -> ir.Table:
    import ibis
    from ibis import _

    def micros(time: pd.Timestamp | pd.Timedelta) -> int:
        """Count microseconds."""
        return time.value // 1000

    epoch = ibis.timestamp("1970-01-01")
    events = events.mutate(_at=_.timestamp.delta(epoch, unit="microsecond"))
    order = ["_at", "_row"]
    if given:
        events = events.mutate(journey_id=_.journey_id.cast("string"))
        by = list(JOURNEY)
    else:
        customer = ibis.window(group_by="customer_id", order_by=order)
        events = events.mutate(_gap=_["_at"] - _["_at"].lag().over(customer))
        events = events.mutate(_new=(_["_gap"].isnull() | (_["_gap"] > micros(idle))).cast("int64"))
        so_far = ibis.cumulative_window(group_by="customer_id", order_by=order)
        events = events.mutate(_number=_["_new"].sum().over(so_far))
        by = ["customer_id", "_number"]
    journey = ibis.window(group_by=by, order_by=order)
    steps = events.mutate(
        step=ibis.row_number().over(journey) + 1,
        previous_touchpoint=_.touchpoint.lag().over(journey),
        gap_seconds=(_["_at"] - _["_at"].lag().over(journey)) / 1e6,
        is_end=_["_at"].lead().over(journey).isnull(),
        _last=_["_at"].max().over(ibis.window(group_by=by)),
    )
    steps = steps.mutate(is_start=_.step == 1, is_open=_["_last"] >= micros(end) - micros(idle))
    if not given:
        steps = steps.mutate(journey_id=_.customer_id + "-" + _["_number"].cast("string"))
    return steps


def summarise_journeys(steps: ir.Table) -> pd.DataFrame:
    """Count events, customers and journeys and describe how long journeys are.

    Parameters
    ----------
    steps : ibis Table, one row per event
        From :func:`add_journeys`.

    Returns
    -------
    pandas.DataFrame, one row
        `n_events`, `n_customers`, `n_journeys`, `n_open`, `open_share`, `one_step_share`;
        `steps_q25`, `steps_median`, `steps_q75`, `steps_p95` (contacts of a journey) and
        `days_median` (first to last contact); `tie_share`, the share of events at the same instant
        as the step before but another touchpoint, whose order is a convention.

    Notes
    -----
    Quantiles are those of numpy, linear between order statistics, over all journeys, open ones as
    far as they are seen.
    """
    from ibis import _

    ties = (_.gap_seconds == 0) & (_.previous_touchpoint != _.touchpoint)
    ends = steps.filter(_.is_end)
    total = steps.agg(
        n_events=_.count(),
        n_customers=_.customer_id.nunique(),
        n_journeys=_.is_end.sum(),
        n_open=(_.is_end & _.is_open).sum(),
        n_ties=ties.sum().fill_null(0),
    ).to_pandas()
    lasted = _.timestamp.max().delta(_.timestamp.min(), unit="second")
    seconds = steps.group_by(*JOURNEY).agg(lasted=lasted).agg(median=_.lasted.median())
    sizes = ends.group_by("step").agg(n=_.count()).to_pandas().sort_values("step")
    lengths = np.repeat(sizes["step"].to_numpy(), sizes["n"].to_numpy())
    q25, median, q75, p95 = np.quantile(lengths, [0.25, 0.5, 0.75, 0.95])
    row = total.iloc[0]
    return pd.DataFrame(
        {
            "n_events": [row["n_events"]],
            "n_customers": [row["n_customers"]],
            "n_journeys": [row["n_journeys"]],
            "n_open": [row["n_open"]],
            "open_share": [row["n_open"] / row["n_journeys"]],
            "one_step_share": [float((lengths == 1).mean())],
            "steps_q25": [q25],
            "steps_median": [median],
            "steps_q75": [q75],
            "steps_p95": [p95],
            "days_median": [float(seconds.to_pandas()["median"].iloc[0]) / 86400],
            "tie_share": [row["n_ties"] / row["n_events"]],
        }
    )


def count_groups(steps: ir.Table, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Count the journeys of every group of the column `segment`.

    Parameters
    ----------
    steps : ibis Table, one row per event
        From :func:`add_journeys`, with `segment`.
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

    if "segment" not in steps.columns:
        raise InputError(
            "There are no groups to count.", "column 'segment'", "set segment_by to an attribute"
        )
    named = steps.mutate(segment=_.segment.nullif("").fill_null(UNKNOWN))
    changing = named.group_by(*JOURNEY).agg(k=_.segment.nunique()).filter(_.k > 1).count()
    n_changing = int(changing.to_pandas())
    if n_changing:
        raise InputError(
            f"The group changes within {n_changing} journeys.",
            "column 'segment'",
            "choose an attribute that is constant within a journey",
        )
    counts = named.filter(_.is_start).group_by("customer_id", "segment").agg(n=_.count())
    groups = count_shares(counts, of="segment", conf_level=conf_level)
    groups = groups.rename(columns={"n": "n_journeys"})
    return groups.sort_values(["n_journeys", "segment"], ascending=[False, True], ignore_index=True)
