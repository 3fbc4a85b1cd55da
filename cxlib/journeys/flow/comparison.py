"""Whether two groups or two periods walk differently."""

from __future__ import annotations

import pandas as pd

from cxlib.errors import TooLittleData
from cxlib.journeys.contrast import contrast_shares, list_grouped
from cxlib.journeys.flow.transitions import list_moves
from cxlib.journeys.log import TO_OPEN, JourneyLog, add_places, find_places, name_places


def compare_transitions(
    log: JourneyLog,
    *,
    by: str = "touchpoint",
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Compare how often one touchpoint follows another between groups of journeys.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_groups`.
    by : str, default "touchpoint"
        What a step shows.
    min_cell : int, default 10
        A pair is tested when it is expected at least this often in both groups; a group takes part
        when it has this many customers.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per pair tested (and per group, when there are more than two)
        `from_touchpoint`, `to_touchpoint`, then the columns of
        :func:`cxlib.journeys.contrast.contrast_shares`: shares of all that leaves
        `from_touchpoint`, their difference with interval and effect size, `p_value`, `q_value`;
        the surest first.

    Raises
    ------
    InputError
        When the log has no groups.
    TooLittleData
        When fewer than two groups are large enough, or no pair is expected often enough.

    Notes
    -----
    Only contacts that have been followed for the whole idle time are looked at: later ones may
    still be followed by a move, but not yet by an end, and late periods have more of them. Journeys
    that the source names may go on after a longer silence, and without an idle time nothing ends
    by silence; then the last steps of open journeys are left out, which makes late periods seem to
    end less often.
    """
    from ibis import _

    places = find_places(log, by)
    moves = list_moves(log, places).filter(_.target != TO_OPEN)
    if log.idle is not None:
        known = (log.end - log.idle).value // 1000
        moves = moves.filter(_.left_at.isnull() | (_.left_at < known))
    moves = moves.join(list_grouped(log).drop("customer"), "journey")
    counts = moves.group_by("customer", "origin", "target", "group").agg(n=_.count())
    table = contrast_shares(
        counts, log, of="target", within="origin", min_cell=min_cell, conf_level=conf_level
    )
    if table.empty:
        raise TooLittleData(f"No transition is expected {min_cell} times in both groups.")
    table.insert(0, "from_touchpoint", name_places(places, table.pop("origin")))
    table.insert(1, "to_touchpoint", name_places(places, table.pop("target")))
    order = ["q_value", "p_value", "from_touchpoint", "to_touchpoint", "group_b"]
    return table.sort_values(order, ignore_index=True)


def compare_positions(
    log: JourneyLog,
    *,
    by: str = "touchpoint",
    reach: int = 5,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Compare where journeys are at each of their first steps between groups.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_groups`.
    by : str, default "touchpoint"
        What a step shows.
    reach : int, default 5
        Steps compared.
    min_cell : int, default 10
        As in :func:`compare_transitions`.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per step and place tested (and per group, when more than two)
        `position` (from 1), `touchpoint` (whatever the view), then the columns of
        :func:`cxlib.journeys.contrast.contrast_shares`: shares of the journeys that have such a
        step; the surest first.

    Raises
    ------
    InputError
        When the log has no groups.
    TooLittleData
        When fewer than two groups are large enough, or no place is expected often enough.

    Notes
    -----
    Only journeys that have a step are counted at it, so it does not matter which are still open.
    """
    from ibis import _

    places = find_places(log, by)
    steps = add_places(log.steps.filter(_.step <= reach), places, place="contact")
    steps = steps.mutate(position=_.step.cast("int64"))
    steps = steps.join(list_grouped(log).drop("customer"), "journey")
    counts = steps.group_by("customer", "position", "place", "group").agg(n=_.count())
    table = contrast_shares(
        counts, log, of="place", within="position", min_cell=min_cell, conf_level=conf_level
    )
    if table.empty:
        raise TooLittleData(f"No place is expected {min_cell} times in both groups.")
    table.insert(1, "touchpoint", name_places(places, table.pop("place")))
    order = ["q_value", "p_value", "position", "touchpoint", "group_b"]
    return table.sort_values(order, ignore_index=True)
