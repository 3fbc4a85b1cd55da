"""The step matrix: where journeys are, step by step, from their start, their end or an anchor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlib.errors import InputError
from cxlib.journeys.chunks import split_customers
from cxlib.journeys.log import (
    FROM_START,
    TO_END,
    TO_OPEN,
    JourneyLog,
    Places,
    add_places,
    find_contacts,
    find_places,
    name_places,
)
from cxlib.stats import clustered_share_interval

if TYPE_CHECKING:
    import ibis.expr.types as ir

FIRST, LAST = "start", "end"


def count_positions(
    log: JourneyLog,
    *,
    anchor: str = FIRST,
    by: str = "touchpoint",
    reach: int = 8,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Count where journeys are at each step before and after an anchor.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    anchor : str, default "start"
        ``start`` (steps 1, 2, ...), ``end`` (steps -1, the last, -2, ...) or a touchpoint or stage,
        whose first contact in a journey is step 0; journeys without it are left out.
    by : str, default "touchpoint"
        What a step shows.
    reach : int, default 8
        Steps shown on each side of the anchor.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per step and place that occurs
        `anchor`, `position`, `touchpoint` (whatever the view), `n` (journeys), `n_customers`,
        `share` (of all journeys with the anchor), `conf_low`, `conf_high`; by position, the most
        frequent first.

    Raises
    ------
    InputError
        When no event is at the anchor, or `reach` is not positive.

    Notes
    -----
    Every journey has a place at every position: after its last step it is at ``(end)``, or at
    ``(open)`` while it may still go on, and before its first at ``(start)``. So the shares of a
    position add to 1. Intervals are Wilson's at the effective size of a ratio over customers.

    References
    ----------
    .. [1] W. G. Cochran (1977). Sampling Techniques, 3rd ed., section 3.12.
    """
    from ibis import _

    if reach < 1:
        raise InputError(f"reach = {reach} shows no step.", "parameter 'reach'", "write 1 or more")
    places = find_places(log, by)
    anchored = _find_anchors(log, anchor).cache()
    low, high = _window(anchor, reach)
    totals = anchored.group_by("customer").agg(y=_.count()).cache()
    frame = pd.concat(
        [
            _count_seen(log, anchored, totals, places, low, high),
            _count_outside(anchored, low, high, log.cuts),
        ]
    ).sort_values(["position", "place"], ignore_index=True)
    sums = totals.agg(y=_.y.sum(), yy=(_.y * _.y).sum()).to_pandas().iloc[0]
    frame["share"] = frame["n"] / sums["y"]
    squares = (frame["xx"], frame["xy"], sums["yy"])
    ends = clustered_share_interval(frame["share"], sums["y"], *squares, conf_level=conf_level)
    frame["conf_low"], frame["conf_high"] = ends
    frame.insert(0, "anchor", anchor)
    frame["touchpoint"] = name_places(places, frame["place"])
    frame["position"] += {FIRST: 1, LAST: -1}.get(anchor, 0)
    columns = ["anchor", "position", "touchpoint", "n", "n_customers"]
    table = frame[[*columns, "share", "conf_low", "conf_high"]]
    order = ["position", "n", "touchpoint"]
    return table.sort_values(order, ascending=[True, False, True], ignore_index=True)


def _window(anchor: str, reach: int) -> tuple[int, int]:
    return {FIRST: (0, reach - 1), LAST: (1 - reach, 0)}.get(anchor, (-reach, reach))


def _find_anchors(log: JourneyLog, anchor: str) -> ir.Table:
    """Give every journey the step of its anchor, and how many steps lie around it."""
    from ibis import _

    journeys = log.journeys.select("customer", "journey", "n_steps", "is_open")
    if anchor == FIRST:
        journeys = journeys.mutate(at=1)
    elif anchor == LAST:
        journeys = journeys.mutate(at=_.n_steps)
    else:
        (contacts,) = find_contacts(log.contacts, [anchor], parameter="anchor")
        hits = log.steps.filter(_.contact.isin(contacts)).group_by("journey").agg(at=_.step.min())
        journeys = journeys.join(hits, "journey")
    return journeys.mutate(before=_["at"] - 1, after=_.n_steps - _["at"])


def _count_seen(
    log: JourneyLog, anchored: ir.Table, totals: ir.Table, places: Places, low: int, high: int
) -> pd.DataFrame:
    """Sum the journeys at each place, with their squares over customers."""
    from ibis import _

    steps = add_places(log.steps, places, place="contact")
    if low < 0:  # else every journey is anchored at its first step
        steps = steps.join(anchored.select("journey", anchor=_["at"]), "journey")
    else:
        steps = steps.mutate(anchor=1)
    steps = steps.mutate(position=(_.step - _.anchor).cast("int64"))
    steps = steps.filter(_.position.between(low, high))
    cells = steps.group_by("customer", "position", "place").agg(n=_.count())
    cells = cells.join(totals, "customer")
    sums = {"n": _.n.sum(), "n_customers": _.count()}
    sums |= {"xx": (_.n * _.n).sum(), "xy": (_.n * _.y).sum()}
    where = ["position", "place"]
    parts = [
        part.aggregate(by=where, **sums).to_pandas() for part in split_customers(cells, log.cuts)
    ]
    return pd.concat(parts).groupby(where, as_index=False).sum()


def _count_outside(anchored: ir.Table, low: int, high: int, cuts: Sequence[int]) -> pd.DataFrame:
    """Sum the journeys that have not begun, or are over, with their squares over customers."""
    from ibis import _

    outside = {(p, FROM_START): _.before < -p for p in range(low, 0)}
    for p in range(1, high + 1):
        outside[p, TO_END] = (_.after < p) & ~_.is_open
        outside[p, TO_OPEN] = (_.after < p) & _.is_open
    names = {f"x_{i}": key for i, key in enumerate(outside)}
    counts = {name: _.count(where=outside[key]) for name, key in names.items()}
    customers = anchored.group_by("customer").agg(y=_.count(), **counts)
    sums: dict[str, Any] = {}
    for name in names:
        x = _[name]
        one = {"n": x.sum(), "n_customers": (x > 0).sum(), "xx": (x * x).sum()}
        one["xy"] = (x * _.y).sum()
        sums |= {f"{name} {column}": value for column, value in one.items()}
    parts = [part.agg(**sums).to_pandas() for part in split_customers(customers, cuts)]
    found = pd.concat(parts).sum()
    columns = ["n", "n_customers", "xx", "xy"]
    rows = [[*at, *(int(found[f"{name} {c}"]) for c in columns)] for name, at in names.items()]
    frame = pd.DataFrame(rows, columns=["position", "place", *columns])
    return frame[frame["n"] > 0]
