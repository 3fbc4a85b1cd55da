"""What was observed: late entry, the window, the end of data, and the reasons that count."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pandas as pd

from cxlib.churn.lifetimes import Lifetimes, check_lifetimes
from cxlib.errors import InputError, TooLittleData, closest


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
    observed_from: int = 0,
) -> Lifetimes:
    """Cut spells to what was observed and measure them.

    Parameters
    ----------
    spells : pandas.DataFrame, one row per spell
        Columns `customer_id`, `spell`, `first_day`, `last_day` (day numbers), `churned`, then
        attributes.
    window : Window
        Days of observation; entry on its first, censoring on its last.
    steps : Steps
        The ledger so far; gets more lines.
    source : str
        The table of the workbook the spells come from.
    cause : str, default ""
        End reasons that count, separated by commas; ``""`` counts all.
    observed_from : int, default 0
        Day number from which ends were recorded, 0 for always.

    Returns
    -------
    Lifetimes
        Table and ledger.

    Raises
    ------
    InputError
        When `cause` names a reason that does not occur.
    TooLittleData
        When the window ends before ends were recorded, nothing was observed or nobody left.
    """
    begin, recorded = window.first or 0, None
    before, after = spells["last_day"] < begin, spells["first_day"] > window.last
    if observed_from > spells["first_day"].min():
        recorded = dt.date(1970, 1, 1) + dt.timedelta(days=observed_from)
        since = f"leaving is recorded from {recorded} on"
        if observed_from > window.last:
            raise TooLittleData(f"{since.capitalize()}; the window ends before.")
        unknown = spells["last_day"] < observed_from
        steps.add("left out: ended before ends were recorded", spells[unknown], since)
        begin, before = max(begin, observed_from), before & ~unknown
        after &= ~unknown
    steps.add("left out: ended before", spells[before], "ended before the window")
    steps.add("left out: began after", spells[after & ~before], "began after the window")
    table = spells[(spells["last_day"] >= begin) & ~after].copy()
    if table.empty:
        raise TooLittleData("Nobody was a customer in the days observed.")
    beyond = table["last_day"] > window.last
    table.loc[beyond, "last_day"] = window.last
    table["churned"] &= ~beyond
    # who leaves on the first day observed is seen to leave: entry is the evening before
    table["entry_days"] = (begin - 1 - table["first_day"]).clip(lower=0).astype(float)
    table["duration_days"] = (table["last_day"] - table["first_day"]).astype(float)
    table["started_at"] = pd.to_datetime(table["first_day"], unit="D")
    entered = "started before observation began, counted from then on"
    steps.add("late entries", table[table["entry_days"] > 0], entered)
    steps.add("censored: still there", table[~table["churned"]], "on the last day observed")
    if cause:
        counted = match_cause(table, cause=cause)
        other = table["churned"] & ~counted
        steps.add("censored: other reason", table[other], f"left for another reason than {cause}")
        table["churned"] &= counted
    steps.add("churned", table[table["churned"]], "left in the days observed")
    steps.add("lifetimes", table, "rows of the table, returns included")
    first = ["customer_id", "spell", "started_at", "duration_days", "churned", "entry_days"]
    rest = [name for name in table.columns if name not in [*first, "first_day", "last_day"]]
    table = table[[*first, *rest]].sort_values(first[:2], ignore_index=True)
    return Lifetimes(check_lifetimes(table), steps.table(), source, recorded)


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
