"""What follows what: transitions between touchpoints, with a start and an end to every journey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.frames import to_frame
from cxlib.journeys.log import (
    DAY,
    FROM_START,
    TO_END,
    TO_OPEN,
    JourneyLog,
    Places,
    add_places,
    find_places,
    name_places,
)
from cxlib.journeys.shares import count_shares

if TYPE_CHECKING:
    import ibis.expr.types as ir

DWELL = {"q25_days": 0.25, "median_days": 0.5, "q75_days": 0.75, "p95_days": 0.95}
_PAIR = ["from_touchpoint", "to_touchpoint"]


def count_transitions(
    log: JourneyLog, *, by: str = "touchpoint", conf_level: float = 0.95
) -> pd.DataFrame:
    """Count how often one touchpoint directly follows another.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    by : str, default "touchpoint"
        What a step shows: ``touchpoint``, ``stage``, ``channel`` or ``department``.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per pair that occurs
        `from_touchpoint`, `to_touchpoint` (whatever the view), `n`, `n_customers`, `share` (of all
        that leaves `from_touchpoint`), `conf_low`, `conf_high`, and the days between the two
        contacts: `median_days`, `q25_days`, `q75_days`, `p95_days` (empty where one of them is no
        contact); the most frequent first.

    Notes
    -----
    Every journey runs from ``(start)`` to ``(end)``, or to ``(open)`` while it may still go on. A
    touchpoint followed by itself counts. So flows conserve: what enters a touchpoint leaves it,
    and the transitions are the events plus one for each journey.

    Customers are the clusters of the intervals: steps of one customer depend on each other.
    Quantiles are over all transitions of the pair, linear between order statistics.

    References
    ----------
    .. [1] W. G. Cochran (1977). Sampling Techniques, 3rd ed., section 3.12.
    """
    from ibis import _

    places = find_places(log, by)
    moves = list_moves(log, places)
    pair = ["origin", "target"]
    counts = moves.group_by("customer", *pair).agg(n=_.count())
    table = count_shares(counts, of="target", within="origin", cuts=log.cuts, conf_level=conf_level)
    within = to_frame(_find_dwell(moves.filter(_.gap.notnull()), pair), sort_by=pair)
    if "dwell" in within:
        within[[*DWELL]] = np.array(within.pop("dwell").tolist()).reshape(-1, len(DWELL))
    table = table.merge(within, on=pair, how="left")
    table[[*DWELL]] = table[[*DWELL]].astype(float) / DAY
    table.insert(0, "from_touchpoint", name_places(places, table.pop("origin")))
    table.insert(1, "to_touchpoint", name_places(places, table.pop("target")))
    return table.sort_values(["n", *_PAIR], ascending=[False, True, True], ignore_index=True)


def _find_dwell(moves: ir.Table, pair: list[str]) -> ir.Table:
    """Find the quantiles of the gaps, in one pass over the values where the engine can."""
    import ibis.expr.operations as ops
    from ibis import _

    if moves.get_backend().has_operation(ops.MultiQuantile):
        return moves.group_by(pair).agg(dwell=_.gap.quantile(list(DWELL.values())))
    return moves.group_by(pair).agg(**{name: _.gap.quantile(q) for name, q in DWELL.items()})


def list_moves(log: JourneyLog, places: Places) -> ir.Table:
    """List every move of every journey, the one in and the one out included.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    places : Places
        What a step shows.

    Returns
    -------
    ibis Table, one row per event and one more per journey
        `customer`, `journey`, `origin` and `target` (places, or the codes of the start, the end
        and of what is open), `gap` in microseconds, empty for the first and the last move, and
        `left_at`, the moment of the contact that is left, empty for the first move.
    """
    import ibis
    from ibis import _

    steps = add_places(log.steps, places, origin="previous", target="contact")
    into = steps.select(
        "customer",
        "journey",
        "target",
        "gap",
        origin=_.origin.fill_null(FROM_START),
        left_at=_["at"] - _.gap,
    )
    out = steps.filter(_.is_end).select(
        "customer",
        "journey",
        target=_.is_open.ifelse(TO_OPEN, TO_END).cast("int64"),
        gap=ibis.null("int64"),
        origin=_.target,
        left_at=_["at"],
    )
    return into.union(out.select(*into.columns))
