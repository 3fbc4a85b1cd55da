"""Does the rule decide the result? The headline under shorter and longer breaks or silences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.churn.curves.counts import count_lifetimes
from cxlib.churn.curves.curves import fit_survival, read_survival, summarise_medians
from cxlib.churn.curves.rmst import fit_rmst
from cxlib.churn.lifetimes import Lifetimes
from cxlib.churn.records.inactivity import close_stays, read_stays
from cxlib.churn.records.late_entry import read_days
from cxlib.churn.records.observation import (
    Limits,
    Steps,
    Window,
    observe_spells,
    read_whole_days,
)
from cxlib.churn.records.periods import (
    check_grace,
    find_limits,
    join_periods,
    read_periods,
    settle,
)
from cxlib.errors import InputError, TooLittleData
from cxlib.schema import check_table

if TYPE_CHECKING:
    import ibis.expr.types as ir

YEAR = 365.25
_GRACES = (7, 14, 30, 45, 60, 90)
_TIMES_CHOSEN = (0.5, 0.75, 1.0, 1.5, 2.0)
_EMPTY = (float("nan"),) * 3


def measure_sensitivity(
    *,
    subscriptions: pd.DataFrame | None = None,
    events: ir.Table | None = None,
    as_of: dt.date | str,
    grace: str | pd.Timedelta = "30d",
    inactivity: str | pd.Timedelta = "",
    thresholds: Sequence[str | pd.Timedelta] = (),
    cause: str = "",
    period_start: str = "",
    period_end: str = "",
    observed_from: dt.date | str = "",
    observed_until: dt.date | str = "",
    horizon_days: float = 365,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Work out the headline numbers for a range of thresholds, each from the records.

    Parameters
    ----------
    subscriptions : pandas.DataFrame, optional
        Paid periods, one a row, as `build_lifetimes` takes them.
    events : ibis Table, optional
        Events, one a row, as `lifetimes_from_events` takes them; used with `inactivity`.
    as_of : datetime.date or str
        Last day known, included.
    grace, inactivity : str or pandas.Timedelta, default "30d" and ""
        The threshold chosen: longest break of subscriptions or, when given, longest silence.
    thresholds : sequence of str or pandas.Timedelta, default ()
        Thresholds to try beside the one chosen; ``()`` for graces of 7 to 90 days, or for half
        the silence chosen to twice as long.
    cause, period_start, period_end, observed_from, observed_until : str, default ""
        As `build_lifetimes` takes them.
    horizon_days : float, default 365
        Days the mean stay is counted over.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per threshold, by length: `rule` (``grace`` or ``inactivity``), `threshold_days`,
        `is_chosen`, `n_lifetimes` (returns included), `n_customers`, `n_churned` (both of first
        stays), then five numbers of first stays, each followed by its `_low` and `_high`:
        `survival` (share still here after `time_days`, twelve months or the shortest follow-up),
        `median_days`, `rmst_days` (within `horizon_days`), `came_back_share` (of those who left,
        within twelve months). Missing where nothing can be said, as when nobody was silent for so
        long.

    Raises
    ------
    InputError
        When no table fits or a threshold cannot be used.
    TooLittleData
        When the threshold chosen gives no curve.

    Notes
    -----
    Rows are not independent: they are the same customers read by other rules. The intervals say
    how sure each number is, not whether two differ.

    Records are sorted once. Stays under a longer threshold are unions of those under a shorter
    one, so the engine is asked once, for the shortest. First and last day of observation are
    found with the threshold chosen; how long an end stays unsure depends on each.

    Who left and came back is a Kaplan-Meier estimate of the time from leaving to the return, so
    that those who left lately count for as long as they could be seen.
    """
    window = Window.read(as_of=as_of, period_start=period_start, period_end=period_end)
    rule, chosen = ("inactivity", inactivity) if inactivity else ("grace", grace)
    days = _list_thresholds(rule, chosen, thresholds, window)
    if inactivity:
        read = _by_silence(events, days, window)
    else:
        known = (observed_from, observed_until)
        read = _by_break(subscriptions, days, window, cause, known)
    found: dict[int, tuple[Lifetimes, pd.DataFrame]] = {}
    for threshold in days:
        try:
            found[threshold] = read(threshold)
        except (TooLittleData, InputError):  # too long for these records, unless it was chosen
            if threshold == days[0]:
                raise
    return _tell(found, days, rule, horizon_days, conf_level, window.as_of)


def _list_thresholds(
    rule: str, chosen: str | pd.Timedelta, given: Sequence[str | pd.Timedelta], window: Window
) -> list[int]:
    """List the thresholds, the one chosen first."""
    days = read_whole_days(rule, chosen)
    others = [read_whole_days("thresholds", value) for value in given]
    if not others:
        scaled = [max(round(days * factor), 1) for factor in _TIMES_CHOSEN]
        others = list(_GRACES) if rule == "grace" else scaled
    if rule == "inactivity" and min([days, *others]) < 1:
        raise InputError(
            f"An inactivity of {min([days, *others])} days ends every stay at once.",
            "parameters 'inactivity', 'thresholds'",
            "write whole days of 1 or more, such as '90d'",
        )
    return [days, *sorted(set(others) - {days})]


def _by_break(
    subscriptions: pd.DataFrame | None,
    days: list[int],
    window: Window,
    cause: str,
    known: tuple[dt.date | str, dt.date | str],
) -> Callable[[int], tuple[Lifetimes, pd.DataFrame]]:
    """Prepare to read subscriptions under any grace."""
    if subscriptions is None:
        raise InputError(
            "A range of graces needs paid periods.",
            "table 'subscriptions'",
            "map it, or set inactivity for a range of silences in events",
        )
    wanted = ["customer_id", "started_at", "ended_at", "end_reason"]
    kept = [name for name in wanted if name in subscriptions.columns]
    check_table(subscriptions, ("customer_id", "started_at"), table="subscriptions")
    code = pd.factorize(subscriptions["customer_id"])[0]  # read many times: whole numbers are fast
    periods = read_periods(subscriptions[kept].assign(customer_id=code), window, Steps())
    check_grace(periods, days[0], window)
    first, until = known
    chosen = find_limits(periods, days[0], window, observed_from=first, observed_until=until)

    def read(threshold: int) -> tuple[Lifetimes, pd.DataFrame]:
        """Read the lifetimes, and the spells they come from, with one grace."""
        check_grace(periods, threshold, window)
        limits = chosen if until else settle(chosen, periods, threshold, window)
        spells = join_periods(periods, threshold)
        return _observe(spells, window, cause, limits), spells

    return read


def _by_silence(
    events: ir.Table | None, days: list[int], window: Window
) -> Callable[[int], tuple[Lifetimes, pd.DataFrame]]:
    """Prepare to read events under any inactivity."""
    if events is None:
        raise InputError(
            "A range of silences needs events.", "parameter 'inactivity'", "map the table 'events'"
        )
    stays = read_stays(events, min(days), window)[["customer_id", "first_day", "last_day"]]
    gap = stays["first_day"] - stays.groupby("customer_id", sort=False)["last_day"].shift()
    code = pd.factorize(stays["customer_id"])[0]
    stays = stays.assign(customer_id=code, gap_days=gap, is_open=False, is_repeated=False)

    def read(threshold: int) -> tuple[Lifetimes, pd.DataFrame]:
        """Read the lifetimes, and the spells they come from, with one silence."""
        spells = close_stays(join_periods(stays, threshold), threshold, window)
        return _observe(spells, window, "", Limits()), spells

    return read


def _observe(spells: pd.DataFrame, window: Window, cause: str, limits: Limits) -> Lifetimes:
    return observe_spells(
        spells, window=window, steps=Steps(), source="", cause=cause, limits=limits
    )


def _tell(
    found: dict[int, tuple[Lifetimes, pd.DataFrame]],
    days: list[int],
    rule: str,
    horizon_days: float,
    conf_level: float,
    as_of: int,
) -> pd.DataFrame:
    """Write one row a threshold, all on the same day and to the same horizon."""
    first = {day: read.table[read.table["spell"] == 1] for day, (read, _) in found.items()}
    first = {day: table for day, table in first.items() if table["churned"].any()}
    followed = min(table["duration_days"].max() for table in first.values())
    time_days, horizon = min(YEAR, followed), min(horizon_days, followed)
    rows = []
    for day in sorted(days):
        row = {"rule": rule, "threshold_days": day, "is_chosen": day == days[0]}
        if day in found:
            row["n_lifetimes"] = len(found[day][0].table)
        if day in first:
            spells, table = found[day][1], first[day]
            counts = count_lifetimes(table)
            curve = fit_survival(counts, conf_level=conf_level)
            mean = fit_rmst(counts, horizon_days=horizon, conf_level=conf_level)
            half, at = summarise_medians(curve), read_survival(curve, times=[time_days])
            row |= {
                "n_customers": table["customer_id"].nunique(),
                "n_churned": int(table["churned"].sum()),
                "time_days": time_days,
                **_write("survival", at[["survival", "conf_low", "conf_high"]]),
                **_write("median_days", half[["median_days", "conf_low", "conf_high"]]),
                "horizon_days": horizon,
                **_write("rmst_days", mean[["rmst_days", "conf_low", "conf_high"]]),
                **_write("came_back_share", _measure_returns(table, spells, as_of, conf_level)),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def _write(name: str, row: pd.DataFrame) -> dict[str, float]:
    names = (name, f"{name}_low", f"{name}_high")
    return dict(zip(names, row.iloc[0].to_numpy(float), strict=True))


def _measure_returns(
    first: pd.DataFrame, spells: pd.DataFrame, as_of: int, conf_level: float
) -> pd.DataFrame:
    """Share of those who left their first stay that came back within twelve months."""
    left = first[first["churned"]]
    end = read_days(left["started_at"]) + left["duration_days"]
    second = spells[spells["spell"] == 2].set_index("customer_id")["first_day"]
    back = left["customer_id"].map(second)
    wait = (back.fillna(as_of) - end).clip(lower=0)
    waits = pd.DataFrame(
        {"customer_id": left["customer_id"], "duration_days": wait, "churned": back.notna()}
    )
    names = ["survival", "conf_high", "conf_low"]  # turned over: who is back has left silence
    if not waits["churned"].any():
        n = int((wait >= YEAR).sum())
        low = (0.5 - conf_level / 2) ** (1 / n) if n else np.nan
        return pd.DataFrame([[0.0 if n else np.nan, 0.0 if n else np.nan, 1 - low]], columns=names)
    at = read_survival(fit_survival(waits, conf_level=conf_level), times=[YEAR])
    return 1 - at[names] if len(at) else pd.DataFrame([_EMPTY], columns=names)
