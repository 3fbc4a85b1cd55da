"""Lifetimes cut where a value changes, so that nothing explains leaving before it was known."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.churn.lifetimes import check_lifetimes
from cxlib.churn.records.late_entry import read_days
from cxlib.churn.records.observation import read_day
from cxlib.errors import InputError, TooLittleData
from cxlib.schema import check_table
from cxlib.stats import Floats

Integers = NDArray[np.int64]
_SPAN = 2.0**21  # days; lifetime and day fit into one number
# Entry 0 includes day 0, so a row that begins after day 0 enters half a day later.
AFTER_DAY_0 = 0.5


def split_lifetimes(
    lifetimes: pd.DataFrame, changes: pd.DataFrame, *, known_from: dt.date | str = ""
) -> pd.DataFrame:
    """Cut lifetimes into rows on which every covariate has the value known at that time.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `started_at` (its first day), `duration_days`, `churned`;
        `entry_days` for late entry.
    changes : pandas.DataFrame, one row per change
        Columns `customer_id`, `day` (days since 1970, or a date), `covariate`, `value` (number or
        text; missing: no longer known); `before` (the value until the first change, missing by
        default) and `adds` (True: values add up to a count so far), the same throughout a
        covariate. As `list_contacts`, `list_scores` and `list_states` return it; several of them
        go together with `pandas.concat`.
    known_from : datetime.date or str, default ""
        First day whose values are known, when changes are recorded later than lifetimes: nobody
        is under observation before it.

    Returns
    -------
    pandas.DataFrame
        One row per lifetime and stretch of constant values, in the order of `lifetimes`: its
        columns with `entry_days` and `duration_days` of the stretch, and a column per covariate.
        `churned` and `end_reason` are those of the lifetime on its last row only.

    Raises
    ------
    InputError
        When a column or a date is missing, a covariate is called like a column, has two values on
        one day, or a customer has two lifetimes at once.
    TooLittleData
        When nobody churned, or nobody is observed after `known_from`.

    Notes
    -----
    A value is known from the next day on. Records have days, not hours: a complaint on the day
    of leaving may well have come after it (the call that cancels), so it must not explain it. A
    row that begins with a change on day c is at risk on c < t <= `duration_days`. The values at
    entry come from the last change on or before that day, changes before the start included;
    then values carry forward. A return starts anew: it knows what happened after the end of the
    lifetime before. A row that begins after day 0 has an `entry_days` of 0.5, because 0 includes
    day 0. Days at risk and ends are those of `lifetimes`; customers without a change stay one row.

    References
    ----------
    .. [1] P. K. Andersen, R. D. Gill (1982). Cox's regression model for counting processes.
           Annals of Statistics 10, 1100-1120.
    .. [2] T. M. Therneau, P. M. Grambsch (2000). Modeling Survival Data, section 3.7.

    Examples
    --------
    >>> lives = pd.DataFrame(
    ...     {
    ...         "customer_id": ["a", "b"],
    ...         "started_at": ["2024-01-01"] * 2,
    ...         "duration_days": [50, 20],
    ...         "churned": [True, False],
    ...     }
    ... )
    >>> calls = pd.DataFrame(
    ...     {
    ...         "customer_id": "a",
    ...         "day": ["2024-01-11", "2024-01-31"],
    ...         "covariate": "called",
    ...         "value": [1, 0],
    ...         "before": 0,
    ...     }
    ... )
    >>> rows = split_lifetimes(lives, calls)
    >>> rows[["customer_id", "entry_days", "duration_days", "churned", "called"]]
      customer_id  entry_days  duration_days  churned  called
    0           a         0.0           10.0    False     0.0
    1           a        10.0           30.0    False     1.0
    2           a        30.0           50.0     True     0.0
    3           b         0.0           20.0    False     0.0
    """
    table = _read_lifetimes(lifetimes, known_from)
    rows, _ = _split(table, _read_changes(changes, table))
    return rows


def select_landmark(
    lifetimes: pd.DataFrame, *, landmark_days: int, changes: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Follow those still here on a day of their life, with what was known of them by then.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        As `split_lifetimes` takes them; `started_at` is needed with `changes` only.
    landmark_days : int
        Day of the lifetime from which it is followed.
    changes : pandas.DataFrame, optional
        As `split_lifetimes` takes them.

    Returns
    -------
    pandas.DataFrame
        One row per lifetime under observation on that day and not over on it: `duration_days`
        counted from the landmark, `entry_days` 0, `started_at` moved to it, and a column per
        covariate with the value known at the end of the landmark day.

    Raises
    ------
    InputError
        When the landmark is negative, or as `split_lifetimes`.
    TooLittleData
        When nobody was there on that day, or nobody left after it.

    Notes
    -----
    Groups formed by the landmark are baseline groups from then on: everybody compared had to stay
    until the same day. What they change into later does not count.

    References
    ----------
    .. [1] J. R. Anderson, K. C. Cain, R. D. Gelber (1983). Analysis of survival by tumor response.
           Journal of Clinical Oncology 1, 710-719.
    """
    if landmark_days < 0:
        raise InputError(
            f"landmark_days = {landmark_days} is negative.",
            "parameter 'landmark_days'",
            "count from the start",
        )
    table = check_lifetimes(lifetimes).reset_index(drop=True)
    rows, which = table, np.arange(len(table))
    if changes is not None:
        table = _read_lifetimes(lifetimes, "")
        rows, which = _split(table, _read_changes(changes, table))
    entry = rows["entry_days"].where(rows["entry_days"] != AFTER_DAY_0, 0)
    here = ((entry <= landmark_days) & (rows["duration_days"] > landmark_days)).to_numpy()
    if not here.any():
        raise TooLittleData(f"Nobody was under observation on day {landmark_days} of a lifetime.")
    whole = table.iloc[which[here]].reset_index(drop=True)
    known = rows.loc[here, rows.columns.difference(table.columns, sort=False)]
    selected = pd.concat([whole, known.reset_index(drop=True)], axis=1)
    selected["duration_days"] -= landmark_days
    selected["entry_days"] = 0.0
    if "started_at" in selected.columns:
        started = pd.to_datetime(selected["started_at"])
        selected["started_at"] = started + pd.Timedelta(days=landmark_days)
    return check_lifetimes(selected)


def _read_lifetimes(lifetimes: pd.DataFrame, known_from: dt.date | str) -> pd.DataFrame:
    """Check the lifetimes and let them enter on the day from which values are known."""
    check_table(lifetimes, ("customer_id", "started_at"), table="lifetimes")
    table = check_lifetimes(lifetimes).reset_index(drop=True)
    start = read_days(table["started_at"])
    if start.isna().any():
        raise InputError(
            f"{int(start.isna().sum()):,} lifetimes have no first day.",
            "table 'lifetimes', column 'started_at'",
            "fill it in: changes have dates, and must be placed in the lifetime",
        )
    if known_from:
        day = read_day("known_from", known_from)
        seen = (start + table["duration_days"] >= day).to_numpy()
        if not seen.any():
            raise TooLittleData(f"Nobody was a customer on {known_from} or later.")
        table["entry_days"] = np.maximum(table["entry_days"], day - 1 - start)
        table, start = table[seen].reset_index(drop=True), start[seen]
    end = start.to_numpy(float) + table["duration_days"].to_numpy(float)
    table = check_lifetimes(table)
    codes, _ = pd.factorize(table["customer_id"])
    order = np.lexsort((end, codes))
    at_once = (codes[order][1:] == codes[order][:-1]) & (
        start.to_numpy()[order][1:] < end[order][:-1]
    )
    if at_once.any():
        who = table["customer_id"].iloc[order[1:][at_once]].head(3).tolist()
        raise InputError(
            "A customer has two lifetimes at once.",
            f"table 'lifetimes', customer_id {who}",
            "give one row per lifetime; rows split before are split once, by all changes together",
        )
    return table


def _read_changes(changes: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Check the changes and count their days."""
    check_table(changes, ("customer_id", "day", "covariate", "value"), table="changes")
    taken = sorted(set(changes["covariate"].unique()) & set(table.columns))
    if taken:
        raise InputError(
            f"The lifetimes already have a column '{taken[0]}'.",
            "table 'changes', column 'covariate'",
            "rename one of them",
        )
    day = changes["day"]
    if not pd.api.types.is_numeric_dtype(day):
        changes = changes.assign(day=read_days(day))
    if changes["day"].isna().any():
        raise InputError(
            f"{int(changes['day'].isna().sum()):,} changes have no day.",
            "table 'changes', column 'day'",
            "leave them out: what is not dated cannot be known in time",
        )
    return changes


def _split(table: pd.DataFrame, changes: pd.DataFrame) -> tuple[pd.DataFrame, Integers]:
    """Cut checked lifetimes by checked changes; tell which lifetime each row belongs to."""
    which, at, source = _place(table, changes)
    entry = table["entry_days"].to_numpy(float)
    origin = np.where(entry > 0, entry, -1.0)  # the evening before the first day at risk
    # a change by then belongs to the first row; a later one begins a row of its own
    key = which * _SPAN + np.maximum(at, origin[which]) + 1
    begins = np.unique(np.concatenate([np.arange(len(table)) * _SPAN + origin + 1, key]))
    lifetime = (begins // _SPAN).astype(np.int64)
    is_new = np.append(True, lifetime[1:] != lifetime[:-1])

    code, names = pd.factorize(changes["covariate"])
    code = code[source]
    order = np.lexsort((at, which, code))
    bounds = np.searchsorted(code[order], np.arange(len(names) + 1))
    kinds = changes.drop_duplicates("covariate").set_index("covariate")
    columns: dict[str, Floats] = {}
    texts: dict[str, NDArray[np.object_] | None] = {}
    for j, name in enumerate(names):
        mine = order[bounds[j] : bounds[j + 1]]
        given = changes["value"].iloc[source[mine]]
        placed = pd.DataFrame({"which": which[mine], "at": at[mine]})
        values, labels = _read_values(given, kinds.loc[name], placed, str(name))
        found = np.searchsorted(key[mine], begins, side="right") - 1
        is_known = (found >= 0) & (np.append(which[mine], -1)[found] == lifetime)
        column = np.where(is_known, values[found], values[-1])
        same = (column[1:] == column[:-1]) | (np.isnan(column[1:]) & np.isnan(column[:-1]))
        is_new[1:] |= ~same
        columns[str(name)] = column
        texts[str(name)] = labels

    kept = np.flatnonzero(is_new)
    start, lifetime = begins[kept] - lifetime[kept] * _SPAN - 1, lifetime[kept]
    is_last = np.append(lifetime[1:] != lifetime[:-1], True)
    is_first = np.append(True, is_last[:-1])
    rows = table.take(lifetime).reset_index(drop=True)
    later = np.where(start > 0, start, AFTER_DAY_0)
    rows["entry_days"] = np.where(is_first, entry[lifetime], later)
    rows["duration_days"] = np.where(is_last, rows["duration_days"], np.roll(start, -1))
    rows["churned"] &= is_last
    if "end_reason" in rows.columns:
        rows["end_reason"] = rows["end_reason"].where(is_last, None)
    for name, column in columns.items():
        labels = texts[name]
        rows[name] = column[kept] if labels is None else labels[column[kept].astype(int)]
    return rows, lifetime


def _place(table: pd.DataFrame, changes: pd.DataFrame) -> tuple[Integers, Floats, Integers]:
    """Find for each change that can matter its lifetime and the day in it; tell its row too."""
    codes, ids = pd.factorize(table["customer_id"])
    who = pd.Index(ids).get_indexer(changes["customer_id"])
    source = np.flatnonzero(who >= 0)
    who, day = who[source], changes["day"].to_numpy(float)[source]
    start = read_days(table["started_at"]).to_numpy(float)
    end = start + table["duration_days"].to_numpy(float)
    order = np.lexsort((end, codes))
    first = min(start.min(), day.min(initial=np.inf))
    # lifetimes of a customer follow each other: a change belongs to the first that ends after it
    ends = codes[order] * _SPAN + end[order] - first
    found = np.searchsorted(ends, who * _SPAN + day - first, side="left")
    which = order[np.minimum(found, len(order) - 1)]
    matters = (found < len(order)) & (codes[which] == who) & (day < end[which])
    which = which[matters]
    return which, day[matters] - start[which], source[matters]


def _read_values(
    given: pd.Series, kind: pd.Series, placed: pd.DataFrame, name: str
) -> tuple[Floats, NDArray[np.object_] | None]:
    """Turn the values of a covariate into numbers, the value before all changes at the end.

    Text becomes the number of its label in the labels returned with it.
    """
    before = kind.get("before", np.nan)
    if pd.api.types.is_numeric_dtype(given) and not isinstance(before, str):
        both = pd.Series(np.append(given.to_numpy(float), float(before)))
    else:
        both = pd.Series(np.append(given.to_numpy(object), before), dtype=object)
    numbers = pd.to_numeric(both, errors="coerce").astype(float)
    labels = None
    if (numbers.isna() & both.notna()).any():
        codes, found = pd.factorize(both)
        numbers = pd.Series(codes, dtype=float)
        labels = np.array([*found, None], dtype=object)  # -1 is the last: missing
    values = numbers.to_numpy()
    again = (placed["which"].diff() == 0) & (placed["at"].diff() == 0)
    adds = kind.get("adds", False)
    if pd.notna(adds) and adds:
        so_far = pd.Series(values[:-1]).groupby(placed["which"], sort=False).cumsum()
        return np.append(so_far, values[-1]), None
    if (again & (pd.Series(values[:-1]).diff() != 0)).any():
        raise InputError(
            f"The covariate '{name}' has two values on one day.",
            "table 'changes'",
            "keep one value for each customer, covariate and day",
        )
    return values, labels
