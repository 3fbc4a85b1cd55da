"""Hand-offs: customers who pass from one channel or department to another within a journey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.errors import TooLittleData
from cxlib.frames import to_frame
from cxlib.journeys.log import DAY, UNKNOWN, JourneyLog, add_places, find_places, name_places
from cxlib.journeys.service.guesses import find_codes
from cxlib.journeys.service.rates import measure_rates
from cxlib.journeys.shares import count_shares

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class Handoffs:
    """How often customers are passed on within a journey.

    Parameters
    ----------
    by : str
        ``channel`` or ``department``.
    moves : pandas.DataFrame, one row per pair that occurs
        `from_place`, `to_place`, `is_handoff` (False: they stay), `n`, `n_customers`, `share` (of
        all moves out of `from_place`), `conf_low`, `conf_high`, `median_days` of the wait between
        the two contacts; the most frequent first.
    total : pandas.DataFrame, one row
        `n` (moves), `n_customers`, `n_hits` (hand-offs), `share`, `conf_low`, `conf_high`, and
        `n_unknown`, moves left out because a place is not known.
    journeys : pandas.DataFrame, two rows
        `at_least` (1 and 2 hand-offs), `n` (journeys that are over), `n_customers`, `n_hits`,
        `share`, `conf_low`, `conf_high`.
    """

    by: str
    moves: pd.DataFrame
    total: pd.DataFrame
    journeys: pd.DataFrame


def count_handoffs(
    log: JourneyLog,
    *,
    by: str = "department",
    among: Sequence[str] = (),
    conf_level: float = 0.95,
) -> Handoffs:
    """Count how often customers pass from one channel or department to another.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    by : str, default "department"
        ``channel`` or ``department``.
    among : sequence of str, default ()
        Touchpoints (or stages) that both contacts of a move must be at, such as the stage ``use``;
        empty: all.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    Handoffs
        Moves, journeys and the total.

    Raises
    ------
    InputError
        When the events do not have the column, or a name of `among` is unknown.
    TooLittleData
        When no journey has two contacts whose places are known.

    Notes
    -----
    A move is a contact directly followed by another in the same journey; it is a hand-off when the
    place differs. In `journeys` are those with a contact of `among`; those still open are left
    out, since more may come. Customers are the clusters.
    """
    import ibis
    from ibis import _

    places = find_places(log, by)
    steps = log.steps
    if among:
        codes = find_codes(log, among, parameter="among", what="looked at")
        steps = steps.filter(_.contact.isin(codes))
        none = ibis.null("int32")
        steps = steps.mutate(previous=_.previous.isin(codes).ifelse(_.previous, none))
    steps = add_places(steps, places, origin="previous", target="contact")
    unknown = places.names.index(UNKNOWN) if UNKNOWN in places.names else -1
    is_known = (steps["origin"] != unknown) & (steps["target"] != unknown)
    steps = steps.mutate(is_known=steps["origin"].notnull() & is_known)
    moves = steps.filter(_.is_known).mutate(is_hit=_.origin != _.target)
    counts = moves.group_by("customer", "origin", "target").agg(n=_.count()).cache()
    table = count_shares(counts, of="target", within="origin", conf_level=conf_level)
    if not len(table):
        raise TooLittleData(f"No journey has two contacts whose {by} is known.")
    waits = moves.group_by("origin", "target").agg(median_days=_.gap.median())
    table = table.merge(to_frame(waits, sort_by=["origin", "target"]), on=["origin", "target"])
    table["median_days"] = table["median_days"].astype(float) / DAY
    table.insert(2, "is_handoff", table["origin"] != table["target"])
    table.insert(0, "from_place", name_places(places, table.pop("origin")))
    table.insert(1, "to_place", name_places(places, table.pop("target")))
    table = table.sort_values(
        ["n", "from_place", "to_place"], ascending=[False, True, True], ignore_index=True
    )
    total = measure_rates(moves, conf_level=conf_level)
    n_moves = int(steps["origin"].count().to_pandas())
    total["n_unknown"] = n_moves - total["n"]
    return Handoffs(by, table, total, _count_journeys(log, steps, conf_level))


def _count_journeys(log: JourneyLog, steps: ir.Table, conf_level: float) -> pd.DataFrame:
    """Count journeys with one and two hand-offs, those without any move included."""
    from ibis import _

    handed = (_.is_known & (_.origin != _.target)).fill_null(False).ifelse(1, 0)
    over = steps.group_by("customer", "journey").agg(n_hits=handed.sum())
    over = over.semi_join(log.journeys.filter(~_.is_open), "journey").cache()
    rows = {
        k: measure_rates(over.mutate(is_hit=_.n_hits >= k), conf_level=conf_level) for k in (1, 2)
    }
    stacked = pd.concat(rows, names=["at_least", None]).reset_index("at_least")
    return stacked.reset_index(drop=True)
