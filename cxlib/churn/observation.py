"""What was observed: late entry, the window, the end of data, and the reasons that count."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.churn.curves import count_risk_sets
from cxlib.churn.lifetimes import Lifetimes, check_lifetimes
from cxlib.errors import InputError, TooLittleData, closest

# Fewer churned than this could be missing before the first one by chance; exp(-5) is under 1 %.
EXPECTED_BEFORE = 5.0


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
        known = _day("as_of", as_of)
        first = _day("period_start", period_start) if period_start else None
        last = min(_day("period_end", period_end), known) if period_end else known
        if first is not None and first > last:
            raise InputError(
                f"The window from {period_start} to {period_end or as_of} is empty.",
                "parameters 'period_start', 'period_end'",
                f"choose a start before the end; the last day known is {as_of}",
            )
        return cls(first, last, known)


def _day(name: str, date: dt.date | str) -> int:
    try:
        return (dt.date.fromisoformat(str(date)) - dt.date(1970, 1, 1)).days
    except ValueError as error:
        raise InputError(
            f"{name} = {date!r} is no date.", f"parameter '{name}'", "write it as 2025-12-31"
        ) from error


def read_days(moments: pd.Series) -> pd.Series:
    """Count the days from 1970 to some moments, so that durations are plain differences.

    Parameters
    ----------
    moments : pandas.Series
        Timestamps or ISO dates; the time of day is dropped.

    Returns
    -------
    pandas.Series of float
        Days since 1970-01-01, missing where there is no moment.
    """
    stamps = pd.to_datetime(moments).dt.normalize()
    return (stamps - pd.Timestamp(0)) / pd.Timedelta(days=1)


@dataclass(frozen=True)
class LateEntry:
    """The day from which leaving could be seen in the data.

    Parameters
    ----------
    observed_from : pandas.Timestamp
        Day of the first end in the data.
    n_customers : int
        Customers who had started before that day.
    n_expected : float
        Ends that these customers' later behaviour would have let expect before that day.
    """

    observed_from: pd.Timestamp
    n_customers: int
    n_expected: float


def detect_late_entry(lifetimes: pd.DataFrame) -> LateEntry | None:
    """Tell whether the data begin later than the customers, and on which day.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `spell`, `started_at`, `duration_days`, `churned`.

    Returns
    -------
    LateEntry or None
        None when the first end comes no later than chance allows.

    Notes
    -----
    An extract of "customers since March" holds those who started earlier and were still there in
    March, and none of those who left before. Its mark is that nobody leaves for long after the
    first start. The first end of a customer's last lifetime is taken as the day from which
    leaving was recorded; an earlier lifetime may be known only because its owner came back.

    From that day on the cumulative hazard is estimated by age (Nelson-Aalen with late entry), and
    with it the number of ends to expect before the day, given each customer's age at it. Under
    complete data the hazard summed up to the first event is exponential with mean 1, so that 5
    and more has a probability below 1 %; then the data are taken to begin late. Age is allowed
    for: a minimum term in which nobody leaves is no sign of late entry.

    References
    ----------
    .. [1] J. P. Klein, M. L. Moeschberger (2003). Survival Analysis, 2nd ed., sections 3.4, 4.6.
    """
    table = check_lifetimes(lifetimes.drop(columns="entry_days", errors="ignore"))
    start = read_days(table["started_at"])
    end = start + table["duration_days"]
    is_last = table["spell"] == table.groupby("customer_id")["spell"].transform("max")
    if not (is_last & table["churned"]).any():
        return None
    first_end = end[is_last & table["churned"]].min()
    table["entry_days"] = (first_end - 1 - start).clip(lower=0)
    seen = table[end >= first_end]
    counts = count_risk_sets(seen)
    n_at_risk = counts["n_at_risk"].clip(lower=1)  # at an age nobody was seen, nobody left
    hazard = np.append(0.0, (counts["n_churned"] / n_at_risk).cumsum())
    known = np.searchsorted(counts["time_days"], seen["entry_days"], side="right")
    expected = float(hazard[known][seen["entry_days"] > 0].sum())
    if expected < EXPECTED_BEFORE:
        return None
    early = seen["entry_days"] > 0
    n_customers = int(seen.loc[early, "customer_id"].nunique())
    return LateEntry(pd.Timestamp(0) + pd.Timedelta(days=first_end), n_customers, expected)


def observe_spells(
    spells: pd.DataFrame,
    *,
    window: Window,
    steps: Steps,
    source: str,
    cause: str = "",
    observed_from: float = 0,
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
    observed_from : float, default 0
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
        When nothing was observed or nobody left.
    """
    begin = max(observed_from, window.first or 0)
    before, after = spells["last_day"] < begin, spells["first_day"] > window.last
    steps.add("left out: ended before", spells[before], "ended before observation began")
    steps.add("left out: began after", spells[after & ~before], "began after the window")
    table = spells[~before & ~after].copy()
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
    return Lifetimes(check_lifetimes(table), steps.table(), source)


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
