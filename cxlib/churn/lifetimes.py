"""The modelling table of the study: one observed lifetime a row, checked and ready to group."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.errors import InputError, TooLittleData, closest
from cxlib.schema import check_table

if TYPE_CHECKING:
    from cxlib.churn.records.delay import ReportingLag
    from cxlib.churn.records.late_entry import LateEntry

MONTH_DAYS = 30.4375
REQUIRED = ("customer_id", "duration_days", "churned")
MANY = 5.0  # ends, or stays, that chance hardly makes none
_KEPT = (*REQUIRED, "spell", "started_at", "entry_days", "end_reason")  # not to be grouped by
_NO_ATTRIBUTES = ("spell", "started_at", "entry_days", "end_reason", "monthly_value", "segment")


@dataclass(frozen=True)
class Lifetimes:
    """Observed lifetimes and the way that led to them.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per lifetime: `customer_id`, `spell` (1 = first), `started_at`, `duration_days`,
        `churned` (False = right-censored), `entry_days`, and what the source tells about the
        first day (`plan`, `monthly_value`, ...) and the last (`end_reason`).
    ledger : pandas.DataFrame
        One row per step from the records to the table: `step`, `n`, `n_customers`, `why`.
    source : str
        The table of the workbook it was made from.
    observed_from : datetime.date, optional
        First day on which leaving is recorded; None when it is from the first start on.
    observed_until : datetime.date, optional
        Last day on which leaving is known for sure, where that is before the last day asked for.
    current : pandas.DataFrame
        Who is there on the last day known, one row each with the columns of `table`: the age on
        that day in `duration_days`, nobody `churned`, no `entry_days`. For what is to come; the
        past is told by `table`.
    late_entry : LateEntry, optional
        How `observed_from` was found, when it was.
    lag : ReportingLag, optional
        How late leaving is recorded, when the records show it.
    """

    table: pd.DataFrame
    ledger: pd.DataFrame
    source: str
    observed_from: dt.date | None = None
    observed_until: dt.date | None = None
    current: pd.DataFrame = field(default_factory=pd.DataFrame)
    late_entry: LateEntry | None = None
    lag: ReportingLag | None = None


def check_lifetimes(lifetimes: pd.DataFrame) -> pd.DataFrame:
    """Check that lifetimes can be analysed and fill in what may be left out.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`; `entry_days` when observation began
        after the start.

    Returns
    -------
    pandas.DataFrame
        A copy with `churned` as boolean and `entry_days` (0 where it was empty or missing).

    Raises
    ------
    InputError
        When a column is missing, a duration is missing or negative, `churned` is not yes or no,
        or observation begins at or after the end of a lifetime.
    TooLittleData
        When nobody churned.

    Notes
    -----
    A lifetime is under observation on the days t with ``entry_days < t <= duration_days``; an
    entry of 0 means from the first day on, day 0 included, so that a customer who leaves on the
    first day counts. A lifetime with a duration of 0 is allowed.
    """
    table = check_table(lifetimes, REQUIRED, table="lifetimes").copy()
    for column in ("duration_days", "entry_days"):
        if column in table.columns:
            table[column] = pd.to_numeric(table[column], errors="coerce").astype(float)
    table["entry_days"] = table["entry_days"].fillna(0.0) if "entry_days" in table.columns else 0.0
    entry, duration = table["entry_days"], table["duration_days"]
    rules = (
        (duration.isna(), "have no duration_days", "leave these rows out or fill them in"),
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
        InputError(f"{int(bad.sum()):,} lifetimes {problem}.", _rows(table[bad]), fix)
        for bad, problem, fix in rules
        if bad.any()
    ]
    if errors:
        raise InputError.join(errors)
    table["churned"] = table["churned"].astype(bool)
    if not table["churned"].any():
        raise TooLittleData(
            f"None of the {len(table):,} lifetimes ended: nothing can be said about churn."
        )
    return table


def _rows(bad: pd.DataFrame) -> str:
    """Name up to three offending lifetimes."""
    ids = [f"customer_id {customer!r}" for customer in bad["customer_id"].head(3)]
    return f"table 'lifetimes', {', '.join(ids)}{', ...' if len(bad) > 3 else ''}"


def add_attributes(
    lifetimes: pd.DataFrame, *, customers: pd.DataFrame | None, names: list[str]
) -> pd.DataFrame:
    """Add the attributes that lifetimes do not have yet from the customers table.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Column `customer_id`.
    customers : pandas.DataFrame or None
        One row per customer: `customer_id` and attributes.
    names : list of str
        Attributes wanted, for groups or covariates; empty names are passed over.

    Returns
    -------
    pandas.DataFrame
        The same rows in the same order with the columns added; missing where the customer is not
        in `customers`.

    Raises
    ------
    InputError
        When neither table has a column, the column is one that tells of the end of a lifetime, or
        a customer stands in `customers` twice.

    Notes
    -----
    Only attributes known at the start of a lifetime may explain it. A group formed later (reached
    by phone, answered the survey) lends its members the time they needed to get there.
    """
    offered = [] if customers is None else list(customers.columns.drop("customer_id"))
    options = [*lifetimes.columns.drop(list(REQUIRED)), *offered]
    options = [name for name in options if name not in _KEPT]
    for name in names:
        if name in _KEPT:
            raise InputError(
                f"'{name}' tells of the lifetime itself and cannot stand for a group.",
                "tables 'lifetimes' and 'customers'",
                "map an attribute of that name otherwise, such as customers: columns: "
                f"{{{name}_known: {name}}}",
            )
        if name and name not in options:
            raise InputError(
                f"There is no attribute '{name}'.",
                "tables 'lifetimes' and 'customers'",
                closest(name, options),
            )
    wanted = [name for name in dict.fromkeys(names) if name and name not in lifetimes.columns]
    if not wanted or customers is None:
        return lifetimes.copy()
    twice = customers["customer_id"].duplicated()
    if twice.any():
        raise InputError(
            f"Customer {customers.loc[twice, 'customer_id'].iloc[0]!r} stands there twice.",
            "table 'customers', column 'customer_id'",
            "keep one row per customer",
        )
    return lifetimes.merge(customers[["customer_id", *wanted]], on="customer_id", how="left")


def suggest_covariates(
    lifetimes: pd.DataFrame,
    *,
    customers: pd.DataFrame | None = None,
    most_levels: int = 12,
    min_cell: int = 10,
) -> list[str]:
    """List the attributes of few values, to look at when nobody has named any.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Their `plan` is one of the attributes.
    customers : pandas.DataFrame, optional
        One row per customer: `customer_id` and attributes.
    most_levels : int, default 12
        Most values an attribute may have.
    min_cell : int, default 10
        Rows that two of the values must have.

    Returns
    -------
    list of str
        Columns with 2 to `most_levels` values, in the order of the tables; the attributes that
        `lifetimes` bring themselves only where there are no `customers`, because they are often
        written at the end. A column of which a value tells for certain who has left, such as a
        status, is passed over.
    """
    own = ["plan"] if customers is not None else list(lifetimes.columns.drop(list(REQUIRED)))
    own = [name for name in own if name in lifetimes.columns and name not in _NO_ATTRIBUTES]
    tables = [(lifetimes, own)]
    if customers is not None:
        offered = customers.columns.drop(["customer_id", "segment"], errors="ignore")
        tables.append((customers, list(offered)))
    return [
        name
        for table, names in tables
        for name in names
        if name not in _KEPT
        and 2 <= table[name].nunique() <= most_levels
        and (table[name].value_counts() >= min_cell).sum() > 1
        and not _tells_ends(lifetimes, table, name)
    ]


def _tells_ends(lifetimes: pd.DataFrame, table: pd.DataFrame, name: str) -> bool:
    """Tell whether all, or none, with some value left, where five others were to be expected."""
    if table is lifetimes:
        value = lifetimes[name]
    else:
        value = lifetimes["customer_id"].map(table.set_index("customer_id")[name])
    left = lifetimes["churned"].astype(bool)
    by_value = left.groupby(value.to_numpy()).agg(["size", "mean"])
    stays, goes = by_value["mean"] == 0, by_value["mean"] == 1
    expected = by_value["size"] * np.where(goes, 1 - left.mean(), left.mean())
    return bool(((stays | goes) & (expected >= MANY)).any())


def label_levels(values: pd.Series) -> pd.Series:
    """Write the level of every row as the source wrote it.

    Parameters
    ----------
    values : pandas.Series
        Values of an attribute.

    Returns
    -------
    pandas.Series
        Ordered categories of text: ``1`` and not ``1.0``, missing where there is no value or an
        empty text. Categories stand in the order of the values.
    """
    values = values.astype(object)
    values = values.mask(values == "", None)
    labels = {level: _label(level) for level in sort_levels(values)}
    kind = pd.CategoricalDtype(list(dict.fromkeys(labels.values())), ordered=True)
    return values.map(labels).astype(kind)


def label_groups(lifetimes: pd.DataFrame, *, by: str) -> pd.Series:
    """Write the group of every lifetime as the source wrote it.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        The table that holds the column `by`.
    by : str
        Column of groups; ``""`` puts all into one group called ``all``.

    Returns
    -------
    pandas.Series
        Ordered categories of text: ``1`` and not ``1.0``, missing where there is no value or an
        empty text. Categories stand in the order of the values.

    Raises
    ------
    InputError
        When the column is missing, or a group is called ``all``, which names the total.
    """
    if not by:
        return pd.Series("all", index=lifetimes.index, dtype="category")
    if by not in lifetimes.columns:
        raise InputError(
            f"There is no column '{by}' to group by.",
            "table 'lifetimes'",
            closest(by, lifetimes.columns),
        )
    labels = label_levels(lifetimes[by])
    if "all" in labels.cat.categories:
        raise InputError(
            "A group is called 'all', which names the total.", f"column '{by}'", "rename the group"
        )
    return labels


def sort_levels(values: pd.Series) -> list[object]:
    """List the distinct values of a column in the order a reader expects.

    Parameters
    ----------
    values : pandas.Series
        Values of one kind; missing ones are passed over.

    Returns
    -------
    list
        By size when all are numbers or read as numbers, else by text.
    """
    levels = pd.Series(values.dropna().unique(), dtype=object)
    numbers = pd.to_numeric(levels, errors="coerce")
    key = levels.astype(str) if numbers.isna().any() else numbers.astype(float)
    return levels[key.sort_values(kind="stable").index].tolist()


def _label(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
