"""Large logs in parts by customer, so that memory does not grow with the number of events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir

CHUNK = 20_000_000  # events worked on at once: about 2 GB


def split_customers(table: ir.Table, n_events: int) -> Iterator[ir.Table]:
    """Split a table into parts that hold whole customers.

    Parameters
    ----------
    table : ibis Table
        With the code `customer`.
    n_events : int
        Events the table is made of.

    Yields
    ------
    ibis Table
        A part of about 20 million events; the table itself when it is smaller.
    """
    n_parts = -(-n_events // CHUNK)
    if n_parts < 2:
        yield table
        return
    for part in range(n_parts):
        yield table.filter(table["customer"] % n_parts == part)


def stack(parts: Sequence[ir.Table]) -> ir.Table:
    """Put parts on top of one another.

    Parameters
    ----------
    parts : sequence of ibis Table
        One or more, with the same columns.

    Returns
    -------
    ibis Table
        All rows.
    """
    import ibis

    return parts[0] if len(parts) == 1 else ibis.union(*parts)
