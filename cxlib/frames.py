"""The one door from the engine to pandas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.errors import InputError

if TYPE_CHECKING:
    import ibis.expr.types as ir

_UNITS = {"s": "s", "min": "min", "h": "h", "d": "D", "w": "W"}


def to_frame(expr: ir.Table, *, sort_by: Sequence[str]) -> pd.DataFrame:
    """Fetch an Ibis table as a frame whose row order does not depend on the engine.

    Parameters
    ----------
    expr : ibis Table
        An aggregated table: one row per modelled unit, never one per event.
    sort_by : sequence of str
        Columns that identify a row. Sorted in pandas, because engines collate strings differently.

    Returns
    -------
    pandas.DataFrame
        The rows, sorted, with a fresh index.
    """
    frame = expr.to_pandas()
    return frame.sort_values(list(sort_by), kind="stable", ignore_index=True)


def to_table(frame: pd.DataFrame, *, beside: ir.Table) -> ir.Table:
    """Hand a frame to the engine of a table, to be joined with it.

    Parameters
    ----------
    frame : pandas.DataFrame
        Few rows, such as codes with their names.
    beside : ibis Table
        A table of the engine.

    Returns
    -------
    ibis Table
        The rows of the frame.
    """
    import ibis

    table = ibis.memtable(frame)
    # Spark cannot store an expression whose frames it has not seen before
    beside.get_backend().to_pandas(table.count())
    return table


def read_duration(value: str | pd.Timedelta, *, name: str) -> pd.Timedelta:
    """Read a duration such as ``"30d"`` or ``"90min"``; a bare number is refused.

    Parameters
    ----------
    value : str or pandas.Timedelta
        A number and one of the units s, min, h, d, w: ``"30d"``, ``"30min"``, ``"1.5h"``.
    name : str
        Name of the parameter, for the message.

    Returns
    -------
    pandas.Timedelta
        A duration, not negative.

    Raises
    ------
    InputError
        When there is no unit, the unit is unknown, or it is negative.

    Examples
    --------
    >>> read_duration("30d", name="grace")
    Timedelta('30 days 00:00:00')
    """
    fix = f"write a number and one of s, min, h, d, w, such as {name} = '30d' or '90min'"
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([a-z]+)", str(value).strip())
    if isinstance(value, pd.Timedelta):
        duration = value
    elif match and match[2] in _UNITS:
        duration = pd.Timedelta(float(match[1]), _UNITS[match[2]])
    else:
        problem = f"{name} = {value!r} is not a number with a unit."
        raise InputError(problem, f"parameter '{name}'", fix)
    if not duration >= pd.Timedelta(0):
        raise InputError(f"{name} = {value!r} is no duration.", f"parameter '{name}'", fix)
    return duration
