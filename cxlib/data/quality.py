"""What an analyst wants to know of audited tables before trusting an analysis of them."""

from __future__ import annotations

import pandas as pd

from cxlib.data.connect import Tables
from cxlib.schema import TABLES

# (table, column) that should find its partner in (table, column)
_REFERENCES = (
    ("events", "customer_id", "customers", "customer_id"),
    ("events", "touchpoint", "touchpoints", "touchpoint"),
    ("subscriptions", "customer_id", "customers", "customer_id"),
    ("answers", "item", "items", "item"),
    ("answers", "customer_id", "customers", "customer_id"),
    ("answers", "respondent_id", "invitations", "respondent_id"),
    ("invitations", "customer_id", "customers", "customer_id"),
)


def count_by_month(tables: Tables) -> pd.DataFrame:
    """Count rows by calendar month of every table that has a moment.

    Parameters
    ----------
    tables : Tables
        The opened workbook.

    Returns
    -------
    pandas.DataFrame
        One row a table and month with any row: ``table``, ``month`` (first day), ``n``.
    """
    parts = []
    for name in tables.names:
        view, column = getattr(tables, name), TABLES[name].until
        if column not in view.columns:
            continue
        dated = view.filter(view[column].notnull())
        counts = dated.group_by(month=dated[column].truncate("M")).agg(n=dated.count())
        parts.append(counts.to_pandas().assign(table=name))
    if not parts:
        return pd.DataFrame({"table": [], "month": [], "n": []})
    counts = pd.concat(parts)[["table", "month", "n"]]
    return counts.sort_values(["table", "month"], ignore_index=True)


def measure_completeness(tables: Tables) -> pd.DataFrame:
    """Measure which share of the cells of each column is filled.

    Parameters
    ----------
    tables : Tables
        The opened workbook.

    Returns
    -------
    pandas.DataFrame
        One row a column: ``table``, ``column``, ``n`` rows, ``n_distinct`` values,
        ``filled_share``.
    """
    rows = []
    for name in tables.names:
        view = getattr(tables, name)
        columns = [column for column in view.columns if column not in {"_row", "segment"}]
        counts = view.agg(
            _n=view.count(),
            **{f"filled_{column}": view[column].count() for column in columns},
            **{f"distinct_{column}": view[column].nunique() for column in columns},
        ).to_pandas()
        n = int(counts["_n"].iloc[0])
        for column in columns:
            filled, distinct = (
                int(counts[f"{k}_{column}"].iloc[0]) for k in ("filled", "distinct")
            )
            rows.append((name, column, n, distinct, filled / n))
    columns = ["table", "column", "n", "n_distinct", "filled_share"]
    return pd.DataFrame(rows, columns=columns)


def check_references(tables: Tables) -> pd.DataFrame:
    """Count values that should find a partner in another table and do not.

    Parameters
    ----------
    tables : Tables
        The opened workbook.

    Returns
    -------
    pandas.DataFrame
        One row a reference that both tables of the workbook have: ``table``, ``column``,
        ``looked_up_in``, ``n_values`` distinct, ``n_without_partner`` distinct.
    """
    rows = []
    for table, column, other, key in _REFERENCES:
        if not {table, other} <= set(tables.names):
            continue
        view, partner = getattr(tables, table), getattr(tables, other)
        if column not in view.columns or key not in partner.columns:
            continue
        values = view.filter(view[column].notnull()).select(column).distinct()
        known = partner.select(**{column: partner[key]}).distinct()
        n, matched = values.count().execute(), values.inner_join(known, column).count().execute()
        rows.append((table, column, other, int(n), int(n - matched)))
    columns = ["table", "column", "looked_up_in", "n_values", "n_without_partner"]
    return pd.DataFrame(rows, columns=columns)


def count_customers(tables: Tables) -> int:
    """Count distinct customers over all tables.

    Parameters
    ----------
    tables : Tables
        The opened workbook.

    Returns
    -------
    int
        Customers; 0 when no table names one.
    """
    found = None
    for name in tables.names:
        view = getattr(tables, name)
        if "customer_id" not in view.columns:
            continue
        ids = view.filter(view.customer_id.notnull()).select("customer_id")
        found = ids if found is None else found.union(ids)
    if found is None:
        return 0
    return int(found.distinct().count().execute())


def summarise_ledger(tables: Tables) -> pd.DataFrame:
    """Sum the ledger up by table.

    Parameters
    ----------
    tables : Tables
        The opened workbook.

    Returns
    -------
    pandas.DataFrame
        One row a table: ``table``, ``rows_in``, ``rows_kept``, ``rows_changed``,
        ``rows_refused``, ``refused_share``, ``source``.
    """
    counts = ["rows_in", "rows_kept", "rows_changed", "rows_refused"]
    rows = [
        (e.table, *(getattr(e, name) for name in counts), e.rows_refused / e.rows_in, e.source)
        for e in tables.entries
    ]
    return pd.DataFrame(rows, columns=["table", *counts, "refused_share", "source"])
