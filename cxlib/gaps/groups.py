"""Groups of respondents and the labels they are shown by."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from cxlib.errors import InputError, closest

UNKNOWN = "(unknown)"


def add_group(
    table: pd.DataFrame,
    *,
    by: str,
    customers: pd.DataFrame | None = None,
    invitations: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Add the column to group by, from the table itself, its customers or its invitations.

    Parameters
    ----------
    table : pandas.DataFrame, one row per answer or per invitation
        Columns `respondent_id` and, to look up customers, `customer_id`.
    by : str
        Column to group by.
    customers : pandas.DataFrame, optional, one row per customer
        Column `customer_id` and attributes.
    invitations : pandas.DataFrame, optional, one row per invited respondent
        Column `respondent_id` and attributes.

    Returns
    -------
    pandas.DataFrame
        The same rows with the column; ``"(unknown)"`` where there is no value.

    Raises
    ------
    InputError
        When no table has the column.
    """
    if by in table.columns:
        return table.assign(**{by: as_labels(table[by])})
    options = list(table.columns)
    for other, key in ((customers, "customer_id"), (invitations, "respondent_id")):
        if other is None or key not in table.columns or key not in other.columns:
            continue
        if by in other.columns:
            labels = pd.Series(as_labels(other[by]).to_numpy(), index=other[key].to_numpy())
            return table.assign(**{by: table[key].map(labels).fillna(UNKNOWN)})
        options += [column for column in other.columns if column not in options]
    raise InputError(
        f"There is no column '{by}' to group by.",
        "tables 'answers', 'customers' and 'invitations'",
        closest(by, options),
    )


def as_labels(values: pd.Series, *, empty: str = UNKNOWN) -> pd.Series:
    """Write values as text the way a source would: 1, not 1.0.

    Parameters
    ----------
    values : pandas.Series
        Any values.
    empty : str, default "(unknown)"
        What stands for no value.

    Returns
    -------
    pandas.Series
        The same length, of str.
    """
    codes, known = pd.factorize(values)  # few distinct values, many rows
    if pd.api.types.is_float_dtype(known) and (known % 1 == 0).all():
        known = known.astype("int64")
    labels = np.array([str(value) or empty for value in known] + [empty], dtype=object)
    return pd.Series(labels[codes], index=values.index)


def as_texts(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return an optional text column, empty text where there is no value.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any table.
    column : str
        A column that may be absent.

    Returns
    -------
    pandas.Series
        One text per row.
    """
    if column not in frame.columns:
        return pd.Series("", index=frame.index)
    return as_labels(frame[column], empty="")


def natural_key(text: str) -> tuple[tuple[int | str, ...], str]:
    """Make a sort key in which numbers inside a text count as numbers.

    Parameters
    ----------
    text : str
        A label.

    Returns
    -------
    tuple
        Sort key; "item 2" comes before "item 10".
    """
    parts = re.split(r"(\d+)", text)
    return tuple(int(p) if i % 2 else p.casefold() for i, p in enumerate(parts)), text
