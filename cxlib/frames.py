"""The one door from the engine to pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.errors import InputError

if TYPE_CHECKING:
    import ibis.expr.types as ir


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


def read_duration(value: str | pd.Timedelta, *, name: str) -> pd.Timedelta:
    """Read a duration such as ``"30d"`` or ``"90min"``; a bare number is refused.

    Parameters
    ----------
    value : str or pandas.Timedelta
        The duration, with its unit.
    name : str
        Name of the parameter, for the message.

    Returns
    -------
    pandas.Timedelta
        A duration, not negative.

    Raises
    ------
    InputError
        When there is no unit, the text is no duration, or it is negative.

    Examples
    --------
    >>> read_duration("30d", name="grace")
    Timedelta('30 days 00:00:00')
    """
    fix = f"write a number and a unit, for example {name} = '30d', '12h' or '90min'"
    text = str(value).strip()
    if not isinstance(value, pd.Timedelta) and not text[-1:].isalpha():
        raise InputError(f"{name} = {value!r} has no unit.", f"parameter '{name}'", fix)
    try:
        duration = pd.Timedelta(value)
    except ValueError as error:
        raise InputError(
            f"{name} = {value!r} is no duration.", f"parameter '{name}'", fix
        ) from error
    if duration is pd.NaT or duration < pd.Timedelta(0):
        raise InputError(f"{name} = {value!r} is no duration.", f"parameter '{name}'", fix)
    return duration
