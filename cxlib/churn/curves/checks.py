"""The door of the curves: lifetimes, or counts of them, that can be used."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.churn.lifetimes import check_lifetimes, label_groups
from cxlib.errors import InputError, TooLittleData
from cxlib.schema import check_table
from cxlib.stats import Floats

DAYS = ("entry_days", "duration_days")


def is_counted(table: pd.DataFrame) -> bool:
    """Tell counts from lifetimes.

    Parameters
    ----------
    table : pandas.DataFrame
        Lifetimes or counts of them.

    Returns
    -------
    bool
        True when the rows stand for `n` lifetimes each and have no `customer_id`.
    """
    return "n" in table.columns and "customer_id" not in table.columns


def read_sizes(table: pd.DataFrame) -> Floats:
    """Read how many lifetimes each row stands for.

    Parameters
    ----------
    table : pandas.DataFrame
        Lifetimes or counts of them.

    Returns
    -------
    ndarray of int, shape (rows,)
        `n` of counts, 1 for a lifetime.
    """
    return table["n"].to_numpy() if is_counted(table) else np.ones(len(table), dtype=np.int64)


def check_counted(lifetimes: pd.DataFrame) -> pd.DataFrame:
    """Check lifetimes or counts of them and fill in what may be left out.

    Parameters
    ----------
    lifetimes : pandas.DataFrame
        One row per lifetime, or counts with `n` and without `customer_id`.

    Returns
    -------
    pandas.DataFrame
        A copy with `churned` as boolean and `entry_days`, see `check_lifetimes`.

    Raises
    ------
    InputError
        As `check_lifetimes`, and when a duration has no end or `n` is no whole number above 0.
    TooLittleData
        When nobody churned.
    """
    if not is_counted(lifetimes):
        table = check_lifetimes(lifetimes)
        if not np.isfinite(table["duration_days"]).all():
            raise InputError(
                f"{int(np.isinf(table['duration_days']).sum()):,} lifetimes never end.",
                "table 'lifetimes', column 'duration_days'",
                "give the days until the end or until last seen",
            )
        return table
    table = check_table(lifetimes, ("duration_days", "churned"), table="counts of lifetimes").copy()
    entry = table["entry_days"] if "entry_days" in table.columns else pd.Series(0.0, table.index)
    table["entry_days"] = pd.to_numeric(entry, errors="coerce").fillna(0).astype(float)
    for name in ("duration_days", "n"):
        table[name] = pd.to_numeric(table[name], errors="coerce").astype(float)
    _refuse_faults(table)
    if not table["churned"].astype(bool).any():
        raise TooLittleData(
            f"None of the {int(table['n'].sum()):,} lifetimes ended: nothing can be said about "
            "churn."
        )
    return table.astype({"churned": bool, "n": "int64"})


def _refuse_faults(table: pd.DataFrame) -> None:
    """Refuse what no lifetime can be; the rules of `check_lifetimes`, rows counted by `n`."""
    entry, duration, n = table["entry_days"], table["duration_days"], table["n"]
    sizes = ~((n > 0) & (n % 1 == 0))
    rules = (
        (~np.isfinite(duration), "have no duration_days", "leave them out or fill them in"),
        (duration < 0, "have a negative duration_days", "count from the start to the end"),
        (entry < 0, "have a negative entry_days", "count from the start; 0 = seen from the start"),
        (
            (entry > 0) & (entry >= duration),
            "enter observation at or after their end",
            "leave out lifetimes that ended before observation began",
        ),
        (~table["churned"].isin([True, False]), "have no yes or no in churned", "map the values"),
    )
    errors = [
        InputError(f"{n[bad].sum():,.0f} lifetimes {problem}.", _rows(table[bad]), fix)
        for bad, problem, fix in rules
        if bad.any()
    ]
    if sizes.any():
        told = f"{int(sizes.sum()):,} rows count no whole number of lifetimes above 0 in 'n'."
        errors = [InputError(told, _rows(table[sizes]), "count the lifetimes a row stands for")]
    if errors:
        raise InputError.join(errors)


def _rows(bad: pd.DataFrame) -> str:
    """Name up to three offending rows of counts."""
    shown = bad[[*DAYS, "churned", "n"]].head(3).to_dict("records")
    rows = ["; ".join(f"{name} {value}" for name, value in row.items()) for row in shown]
    return f"counts of lifetimes, row {' / '.join(rows)}{' / ...' if len(bad) > 3 else ''}"


def label_counted(table: pd.DataFrame, *, by: str) -> pd.Series:
    """Write groups as the source wrote them; those of counts stand there already.

    Parameters
    ----------
    table : pandas.DataFrame
        Lifetimes or counts of them.
    by : str
        Column of groups; ``""`` puts all into one group called ``all``.

    Returns
    -------
    pandas.Series
        As `label_groups` returns it.
    """
    if by and is_counted(table) and isinstance(table[by].dtype, pd.CategoricalDtype):
        return table[by]
    return label_groups(table, by=by)
