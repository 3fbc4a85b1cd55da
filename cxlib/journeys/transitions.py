"""What follows what: transitions between touchpoints, with a start and an end to every journey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cxlib.frames import to_frame
from cxlib.journeys.shares import count_shares
from cxlib.journeys.steps import END, OPEN, START

if TYPE_CHECKING:
    import ibis.expr.types as ir


def count_transitions(steps: ir.Table, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Count how often one touchpoint directly follows another.

    Parameters
    ----------
    steps : ibis Table, one row per event
        From :func:`cxlib.journeys.add_journeys`.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per pair that occurs
        `from_touchpoint`, `to_touchpoint`, `n`, `n_customers`, `share` (of all that leaves
        `from_touchpoint`), `conf_low`, `conf_high`, `median_days` between the two contacts (empty
        where one of them is no contact); the most frequent first.

    Notes
    -----
    Every journey runs from ``(start)`` to ``(end)``, or to ``(open)`` while it may still go on. A
    touchpoint followed by itself counts. So flows conserve: what enters a touchpoint leaves it,
    and the transitions are the events plus one for each journey.

    Customers are the clusters of the intervals: steps of one customer depend on each other. The
    median is over all transitions of the pair, the mean of the two middle ones when even.

    References
    ----------
    .. [1] W. G. Cochran (1977). Sampling Techniques, 3rd ed., section 3.12.
    """
    from ibis import _

    moves = list_moves(steps)
    pair = ["from_touchpoint", "to_touchpoint"]
    counts = moves.group_by("customer_id", *pair).agg(n=_.count())
    shares = count_shares(
        counts, of="to_touchpoint", within="from_touchpoint", conf_level=conf_level
    )
    gaps = moves.group_by(*pair).agg(seconds=_.gap_seconds.median())
    table = shares.merge(to_frame(gaps, sort_by=pair), on=pair)
    table["median_days"] = table.pop("seconds") / 86400
    return table.sort_values(["n", *pair], ascending=[False, True, True], ignore_index=True)


def list_moves(steps: ir.Table) -> ir.Table:
    """List every move of every journey, the one in and the one out included.

    Parameters
    ----------
    steps : ibis Table, one row per event
        From :func:`cxlib.journeys.add_journeys`.

    Returns
    -------
    ibis Table, one row per event and one more per journey
        `from_touchpoint`, `to_touchpoint`, `gap_seconds` (empty for the first and last move), and
        the columns of the step the move belongs to.
    """
    import ibis
    from ibis import _

    keep = [c for c in steps.columns if c not in ("touchpoint", "previous_touchpoint")]
    into = steps.select(
        *keep, from_touchpoint=_.previous_touchpoint.fill_null(START), to_touchpoint=_.touchpoint
    )
    out = steps.filter(_.is_end).mutate(gap_seconds=ibis.null("float64"))
    out = out.select(*keep, from_touchpoint=_.touchpoint, to_touchpoint=_.is_open.ifelse(OPEN, END))
    return into.union(out.select(*into.columns))
