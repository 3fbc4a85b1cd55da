"""How far the answers rest on the order of contacts at the same moment."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cxlib.journeys.flow.transitions import count_transitions
from cxlib.journeys.funnel.funnel import measure_funnel
from cxlib.journeys.log import JourneyLog
from cxlib.journeys.walks import list_walks


def bound_ties(
    log: JourneyLog, reversed_log: JourneyLog, stages: Sequence[str], *, by: str = "touchpoint"
) -> pd.DataFrame:
    """Compare the headline numbers under both orders of contacts at the same moment.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    reversed_log : JourneyLog
        The same events with ``ties="reversed"``.
    stages : sequence of str
        Stages of the funnel.
    by : str, default "touchpoint"
        What a step shows.

    Returns
    -------
    pandas.DataFrame, one row per number
        `measure`, `source_order`, `reversed_order`, `difference` (reversed minus source).

    Notes
    -----
    Where many contacts share their moment, as in exports that stamp batches, what follows what is
    partly a convention. Numbers that hardly move may be trusted all the same; those that do are
    known only to lie about between the two.
    """
    rows = [_headlines(each, stages, by) for each in (log, reversed_log)]
    table = pd.DataFrame(rows, index=["source_order", "reversed_order"]).T
    table["difference"] = table["reversed_order"] - table["source_order"]
    return table.rename_axis("measure").reset_index()


def _headlines(log: JourneyLog, stages: Sequence[str], by: str) -> dict[str, float]:
    funnel = measure_funnel(log, stages)
    paths = list_walks(log, by=by).paths
    transitions = count_transitions(log, by=by)
    repeats = transitions["from_touchpoint"] == transitions["to_touchpoint"]
    first, last = funnel["stage"].iloc[0], funnel["stage"].iloc[-1]
    return {
        f"share from '{first}' through to '{last}'": float(funnel["conversion_share"].iloc[-1]),
        "different paths": float(len(paths)),
        "share of the commonest path": float(paths["n"].iloc[0] / paths["n"].sum()),
        "contacts followed by one of the same kind": float(transitions.loc[repeats, "n"].sum()),
    }
