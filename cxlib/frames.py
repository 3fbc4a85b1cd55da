"""The one door from the engine to pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

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
