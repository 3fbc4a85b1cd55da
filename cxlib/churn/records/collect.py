"""Which table tells how long customers stay, and what the naive reading of it would say."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.churn.curves.curves import fit_survival
from cxlib.churn.lifetimes import Lifetimes, check_lifetimes
from cxlib.churn.records.inactivity import lifetimes_from_events
from cxlib.churn.records.late_entry import read_days
from cxlib.churn.records.observation import Steps, Window, match_cause
from cxlib.churn.records.spells import build_lifetimes
from cxlib.errors import InputError, TooLittleData

if TYPE_CHECKING:
    import ibis.expr.types as ir


def collect_lifetimes(
    *,
    lifetimes: pd.DataFrame | None = None,
    subscriptions: pd.DataFrame | None = None,
    events: ir.Table | None = None,
    as_of: dt.date | str,
    inactivity: str = "",
    grace: str = "30d",
    cause: str = "",
    period_start: str = "",
    period_end: str = "",
    observed_from: dt.date | str = "",
    observed_until: dt.date | str = "",
) -> Lifetimes:
    """Make the modelling table from whatever a workbook holds.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, optional
        Lifetimes summarised by the source, one a row.
    subscriptions : pandas.DataFrame, optional
        Paid periods, one a row.
    events : ibis Table, optional
        Events, one a row.
    as_of : datetime.date or str
        Last day known, included.
    inactivity : str, default ""
        Asks for churn from events: the longest silence of a customer who is still there.
    grace : str, default "30d"
        Longest break between paid periods that does not count as having left.
    cause : str, default ""
        End reasons that count, separated by commas; ``""`` counts all, others are censored.
    period_start, period_end : str, default ""
        First and last day of a window of observation; ``""`` for none.
    observed_from, observed_until : datetime.date or str, default ""
        First and last day on which the subscriptions tell who left; ``""`` to find them there.

    Returns
    -------
    Lifetimes
        With `inactivity`, from events; else the `lifetimes` as they are; else from subscriptions.

    Raises
    ------
    InputError
        When no table fits, or a parameter cannot be applied to the one that does.
    TooLittleData
        When nothing was observed or nobody left.
    """
    if inactivity:
        return _from_events(
            events,
            as_of=as_of,
            inactivity=inactivity,
            cause=cause,
            period_start=period_start,
            period_end=period_end,
        )
    if lifetimes is not None:
        if period_start or period_end:
            raise InputError(
                "A table of lifetimes has no dates to cut by.",
                "parameters 'period_start', 'period_end'",
                "leave them empty, or map 'subscriptions'",
            )
        return _from_lifetimes(lifetimes, cause)
    if subscriptions is not None:
        return build_lifetimes(
            subscriptions,
            as_of=as_of,
            grace=grace,
            cause=cause,
            period_start=period_start,
            period_end=period_end,
            observed_from=observed_from,
            observed_until=observed_until,
        )
    raise InputError(
        "No table tells how long customers stay.",
        "tables 'lifetimes', 'subscriptions'",
        "map one of them; or, for churn from events, say when a silent customer has left: "
        "inactivity = '90d'",
    )


def _from_events(
    events: ir.Table | None,
    *,
    as_of: dt.date | str,
    inactivity: str,
    cause: str,
    period_start: str,
    period_end: str,
) -> Lifetimes:
    if events is None:
        raise InputError(
            "Churn by inactivity needs events.", "parameter 'inactivity'", "map the table 'events'"
        )
    if cause:
        raise InputError(
            "A silent customer gives no reason: cause and inactivity do not go together.",
            "parameters 'cause', 'inactivity'",
            "leave one of them empty",
        )
    return lifetimes_from_events(
        events,
        inactivity=inactivity,
        as_of=as_of,
        period_start=period_start,
        period_end=period_end,
    )


def _from_lifetimes(lifetimes: pd.DataFrame, cause: str) -> Lifetimes:
    steps = Steps()
    steps.add("rows in", lifetimes, "lifetimes as the source gives them")
    table = check_lifetimes(lifetimes)
    table["spell"] = table.get("spell", 1)
    steps.add("lifetimes", table, "rows of the table")
    entered = "started before observation began, counted from then on"
    steps.add("of them late entries", table[table["entry_days"] > 0], entered)
    current = table[~table["churned"]].assign(entry_days=0.0).reset_index(drop=True)
    other = pd.Series(False, index=table.index)
    if cause:
        other = table["churned"] & ~match_cause(table, cause=cause)
        table["churned"] &= ~other
    steps.add("churned", table[table["churned"]], "left")
    steps.add("censored: still there", table[~table["churned"] & ~other], "not known to have left")
    steps.add("censored: other reason", table[other], f"left for another reason than {cause}")
    return Lifetimes(check_lifetimes(table), steps.table(), "lifetimes", current=current)


def compare_naive(
    lifetimes: pd.DataFrame,
    *,
    subscriptions: pd.DataFrame | None = None,
    answers: pd.DataFrame | None = None,
    as_of: dt.date | str = "",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Draw up the curves that a hasty reading of the same records would give.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        The lifetimes analysed.
    subscriptions : pandas.DataFrame, optional
        The paid periods they were made from.
    answers : pandas.DataFrame, optional
        Survey answers with `customer_id`.
    as_of : datetime.date or str, default ""
        Last day known; needed with `subscriptions`.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        As `fit_survival`, with the method in `group`: ``as analysed``; ``late entry ignored``
        (all counted from the start) where somebody entered late; ``every record a lifetime``
        (each period on its own, so that a change of plan, a pause or a return is one who left and
        one who is new) with `subscriptions`; ``answered a survey, as a group`` (who ever answered,
        counted from the first day, although they had to stay until they were asked) with
        `answers`. A reading in which nobody left, or a hole opens, is left out.

    References
    ----------
    .. [1] S. Suissa (2008). Immortal time bias in pharmaco-epidemiology. American Journal of
           Epidemiology 167, 492-499.
    """
    readings = {"as analysed": lifetimes}
    if (lifetimes["entry_days"] > 0).any():
        readings["late entry ignored"] = lifetimes.assign(entry_days=0.0)
    if subscriptions is not None:
        readings["every record a lifetime"] = _each_record(subscriptions, as_of)
    if answers is not None and "customer_id" in answers.columns:
        answered = lifetimes["customer_id"].isin(answers["customer_id"].dropna())
        readings["answered a survey, as a group"] = lifetimes[answered]
    curves = []
    for method, table in readings.items():
        try:
            curves.append(fit_survival(table, conf_level=conf_level).assign(group=method))
        except TooLittleData:
            if method == "as analysed":
                raise
    return pd.concat(curves, ignore_index=True)


def _each_record(subscriptions: pd.DataFrame, as_of: dt.date | str) -> pd.DataFrame:
    last = Window.read(as_of=as_of, period_start="", period_end="").as_of
    start, end = read_days(subscriptions["started_at"]), read_days(subscriptions["ended_at"])
    records = pd.DataFrame(
        {
            "customer_id": subscriptions["customer_id"],
            "duration_days": end.fillna(last).clip(upper=last) - start,
            "churned": end <= last,
        }
    )
    return records[records["duration_days"] >= 0]
