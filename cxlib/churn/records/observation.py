"""What was observed: late entry, the window, the end of data, and the reasons that count."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.churn.lifetimes import Lifetimes, check_lifetimes
from cxlib.errors import InputError, TooLittleData, closest
from cxlib.frames import read_duration

if TYPE_CHECKING:
    from cxlib.churn.records.delay import ReportingLag
    from cxlib.churn.records.late_entry import LateEntry

MANY_ENDS = 10  # customers do not choose the same day so often
_FIRST = ["customer_id", "spell", "started_at", "duration_days", "churned", "entry_days"]


@dataclass
class Steps:
    """The ledger in the making: how many rows and customers each step concerned.

    Parameters
    ----------
    lines : list of tuple
        Step, rows, customers, reason.
    """

    lines: list[tuple[str, int, int, str]] = field(default_factory=list)

    def add(self, step: str, rows: pd.DataFrame, why: str) -> None:
        """Add a line unless it concerns nobody.

        Parameters
        ----------
        step : str
            What happened.
        rows : pandas.DataFrame
            The rows it happened to, with `customer_id`.
        why : str
            The reason, for the reader.
        """
        if len(rows):
            self.lines.append((step, len(rows), int(rows["customer_id"].nunique()), why))

    def table(self) -> pd.DataFrame:
        """Give the ledger as a table.

        Returns
        -------
        pandas.DataFrame
            Columns `step`, `n`, `n_customers`, `why`.
        """
        return pd.DataFrame(self.lines, columns=["step", "n", "n_customers", "why"])


@dataclass(frozen=True)
class Window:
    """The days in which somebody could be seen to leave, as day numbers since 1970.

    Parameters
    ----------
    first : int or None
        First day of the window, None when it is open.
    last : int
        Last day of the window, `as_of` at the latest.
    as_of : int
        Last day known.
    """

    first: int | None
    last: int
    as_of: int

    @classmethod
    def read(cls, *, as_of: dt.date | str, period_start: str, period_end: str) -> Window:
        """Read the window from dates.

        Parameters
        ----------
        as_of : datetime.date or str
            Last day known, included.
        period_start, period_end : str
            First and last day of the window; ``""`` for none.

        Returns
        -------
        Window
            The days in numbers.

        Raises
        ------
        InputError
            When a date cannot be read or the window is empty.
        """
        known = read_day("as_of", as_of)
        first = read_day("period_start", period_start) if period_start else None
        last = min(read_day("period_end", period_end), known) if period_end else known
        if first is not None and first > last:
            raise InputError(
                f"The window from {period_start} to {period_end or as_of} is empty.",
                "parameters 'period_start', 'period_end'",
                f"choose a start before the end; the last day known is {as_of}",
            )
        return cls(first, last, known)


@dataclass(frozen=True)
class Limits:
    """The days between which the records tell who left, as day numbers since 1970.

    Parameters
    ----------
    first : int, optional
        First day on which leaving is recorded; None for always.
    last : int, optional
        Last day on which leaving is known for sure; None for the last day known.
    why : str, default ""
        What keeps later ends from being sure.
    late_entry : LateEntry, optional
        How the first day was found, when it was.
    lag : ReportingLag, optional
        The delay found in the records, when there is one.
    """

    first: int | None = None
    last: int | None = None
    why: str = ""
    late_entry: LateEntry | None = None
    lag: ReportingLag | None = None


def write_day(number: int) -> dt.date:
    """Give the date of a day number.

    Parameters
    ----------
    number : int
        Days since 1970-01-01.

    Returns
    -------
    datetime.date
        The date.
    """
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(number))


def read_whole_days(name: str, value: str | pd.Timedelta) -> int:
    """Read a duration that must be a whole number of days.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    value : str or pandas.Timedelta
        For example ``"90d"``.

    Returns
    -------
    int
        Days.

    Raises
    ------
    InputError
        When it is no duration or holds a part of a day.
    """
    duration = read_duration(value, name=name)
    if duration != pd.Timedelta(days=duration.days):
        raise InputError(
            f"{name} = {value!r} is no whole number of days.",
            f"parameter '{name}'",
            f"churn counts in days; write {name} = '90d'",
        )
    return duration.days


def read_day(name: str, date: dt.date | str) -> int:
    """Count the days from 1970 to a date given as a parameter.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    date : datetime.date or str
        The date, ISO when it is text.

    Returns
    -------
    int
        Days since 1970-01-01.

    Raises
    ------
    InputError
        When it is no date.
    """
    try:
        return (dt.date.fromisoformat(str(date)) - dt.date(1970, 1, 1)).days
    except ValueError as error:
        raise InputError(
            f"{name} = {date!r} is no date.", f"parameter '{name}'", "write it as 2025-12-31"
        ) from error


def observe_spells(
    spells: pd.DataFrame,
    *,
    window: Window,
    steps: Steps,
    source: str,
    cause: str = "",
    limits: Limits | None = None,
) -> Lifetimes:
    """Cut spells to what was observed and measure them.

    Parameters
    ----------
    spells : pandas.DataFrame, one row per spell
        Columns `customer_id`, `spell`, `first_day`, `last_day` (day numbers), `churned` (False =
        still there on the last day known), then attributes.
    window : Window
        Days of observation; entry on its first, censoring on its last.
    steps : Steps
        The ledger so far; gets more lines, which add up: spells are those left out and the
        lifetimes, lifetimes are the churned and the censored.
    source : str
        The table of the workbook the spells come from.
    cause : str, default ""
        End reasons that count, separated by commas; ``""`` counts all.
    limits : Limits, optional
        The days between which the records tell who left; None where all do.

    Returns
    -------
    Lifetimes
        Table, ledger, and who is there on the last day known.

    Raises
    ------
    InputError
        When `cause` names a reason that does not occur.
    TooLittleData
        When the window lies outside of the days on which leaving is recorded, ten ends or more
        fall on one day all together, nothing was observed or nobody left.
    """
    limits = limits or Limits()
    _check_ends(spells)
    start, end = int(spells["first_day"].min()), window.last
    begin = max(day for day in (start, window.first, limits.first) if day is not None)
    sure = end if limits.last is None else min(end, limits.last)
    recorded = None
    if limits.first is not None and limits.first > start:
        recorded = write_day(limits.first)
        if limits.first > end:
            raise TooLittleData(f"Leaving is recorded from {recorded} on; the window ends before.")
    if sure < begin:
        raise TooLittleData(
            f"Nothing is observed before {write_day(begin)}, and ends after {write_day(sure)} "
            f"{'are not sure yet: ' + limits.why if limits.why else 'lie outside the window'}."
        )
    table = spells[_leave_out(spells, window, limits, sure, steps)].copy()
    if table.empty:
        raise TooLittleData("Nobody was a customer in the days observed.")
    unsettled = table["churned"] & (table["last_day"] > sure) & (table["last_day"] <= end)
    table["churned"] &= table["last_day"] <= sure
    table["last_day"] = table["last_day"].clip(upper=sure)
    # who leaves on the first day observed is seen to leave: entry is the evening before
    table["entry_days"] = (begin - 1 - table["first_day"]).clip(lower=0).astype(float)
    table = _measure(table)
    steps.add("lifetimes", table, "rows of the table, returns included")
    entered = "started before observation began, counted from then on"
    steps.add("of them late entries", table[table["entry_days"] > 0], entered)
    other = pd.Series(False, index=table.index)
    if cause:
        other = table["churned"] & ~match_cause(table, cause=cause)
        table["churned"] &= ~other
    steps.add("churned", table[table["churned"]], "left in the days observed")
    rest = ~(table["churned"] | other | unsettled)
    steps.add("censored: still there", table[rest], f"on the last day observed, {write_day(sure)}")
    steps.add("censored: end not sure yet", table[unsettled], limits.why)
    steps.add("censored: other reason", table[other], f"left for another reason than {cause}")
    if "end_reason" in table.columns:  # what ends later is not known on the last day observed
        table["end_reason"] = table["end_reason"].where(table["churned"] | other)
    return Lifetimes(
        check_lifetimes(_arrange(table.drop(columns="value_now", errors="ignore"))),
        steps.table(),
        source,
        recorded,
        write_day(sure) if sure < end else None,
        _arrange(_measure(_take_value_now(spells[~spells["churned"]].assign(entry_days=0.0)))),
        limits.late_entry,
        limits.lag,
    )


def _take_value_now(current: pd.DataFrame) -> pd.DataFrame:
    """Let what a customer pays today stand for what was paid at the start."""
    if "value_now" not in current.columns:
        return current
    return current.assign(monthly_value=current["value_now"]).drop(columns="value_now")


def _check_ends(spells: pd.DataFrame) -> None:
    """Refuse to analyse ends that are all of one day."""
    ends = spells.loc[spells["churned"], "last_day"]
    if len(ends) >= MANY_ENDS and ends.nunique() == 1:
        raise TooLittleData(
            f"All {len(ends):,} ends fall on {write_day(ends.iloc[0])}. Such a day is one of the "
            "records (an export, a closure): it does not tell when customers leave."
        )


def _leave_out(
    spells: pd.DataFrame, window: Window, limits: Limits, sure: int, steps: Steps
) -> pd.Series:
    """Tell which spells were observed; each of the others is left out for one reason."""
    first, last = spells["first_day"], spells["last_day"]
    never = pd.Series(False, index=spells.index)
    unknown = never if limits.first is None else last < limits.first
    before = never if window.first is None else ~unknown & (last < window.first)
    after = ~unknown & ~before & (first > sure)
    if limits.first is not None:
        since = f"leaving is recorded from {write_day(limits.first)} on"
        steps.add("left out: ended before ends were recorded", spells[unknown], since)
    steps.add("left out: ended before", spells[before], "ended before the window")
    steps.add("left out: began after", spells[after], "began after the last day observed")
    return ~(unknown | before | after)


def _measure(spells: pd.DataFrame) -> pd.DataFrame:
    """Turn first and last days into a start and a duration."""
    return spells.assign(
        duration_days=(spells["last_day"] - spells["first_day"]).astype(float),
        started_at=pd.to_datetime(spells["first_day"], unit="D"),
    )


def _arrange(table: pd.DataFrame) -> pd.DataFrame:
    rest = [name for name in table.columns if name not in [*_FIRST, "first_day", "last_day"]]
    return table[[*_FIRST, *rest]].sort_values(_FIRST[:2], ignore_index=True)


def match_cause(lifetimes: pd.DataFrame, *, cause: str) -> pd.Series:
    """Tell which lifetimes ended for a reason that counts.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Column `end_reason`.
    cause : str
        End reasons, separated by commas.

    Returns
    -------
    pandas.Series of bool
        True where the end reason is one of them.

    Raises
    ------
    InputError
        When a reason does not occur.
    """
    reasons = [reason.strip() for reason in cause.split(",") if reason.strip()]
    reason = lifetimes.get("end_reason", pd.Series("", index=lifetimes.index)).fillna("")
    known = sorted(set(reason[lifetimes["churned"].astype(bool)]) - {""})
    for name in reasons:
        if name not in known:
            raise InputError(
                f"Nobody left for the reason '{name}'.",
                "parameter 'cause', column 'end_reason'",
                closest(name, known),
            )
    return reason.isin(reasons)
