"""Large logs in parts by customer, so that memory does not grow with the number of events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir

CHUNK = 20_000_000  # events worked on at once: about 2 GB


def cut_customers(n_customers: int, n_events: int) -> range:
    """Cut the codes of customers into parts of about 20 million events.

    Parameters
    ----------
    n_customers : int
        Customers, coded from 0.
    n_events : int
        Their events.

    Returns
    -------
    range
        The first customer of every part.
    """
    n_parts = max(-(-n_events // CHUNK), 1)
    return range(0, n_customers, -(-n_customers // n_parts))


def split_customers(table: ir.Table, cuts: Sequence[int]) -> Iterator[ir.Table]:
    """Split a table into parts that hold whole customers.

    Parameters
    ----------
    table : ibis Table
        With the code `customer`.
    cuts : sequence of int
        First customer of every part, ascending.

    Yields
    ------
    ibis Table
        A part; the table itself when there is but one.

    Notes
    -----
    Parts are ranges because engines carry a comparison down to the rows stored, through sums and
    unions, and skip what lies outside; a remainder was worked out after everything was counted.
    """
    if len(cuts) < 2:
        yield table
        return
    for low, high in zip(cuts, [*cuts[1:], None], strict=True):
        part = table.filter(table["customer"] >= low)
        yield part if high is None else part.filter(table["customer"] < high)


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
