"""Rework: contacts that repeat one of the same journey, where, in which channel, at what cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from cxlib.errors import InputError, closest
from cxlib.journeys.costs import read_costs
from cxlib.journeys.counts import (
    Floats,
    Ints,
    estimate_shares,
    fetch_counts,
    find_previous,
    spread_counts,
)
from cxlib.journeys.log import JourneyLog, Places, find_places
from cxlib.journeys.walks import list_walks, read_letters

ALL = "(all)"
KINDS = {
    "repeated": "any contact at a touchpoint where the journey has been before",
    "self_loop": "of these, directly after a contact at the same touchpoint",
    "repeat": "of these, after contacts elsewhere",
    "same_channel": "of these, in the channel used there the last time",
    "other_channel": "of these, in another channel than the last time",
    "ping_pong": "of these, the second return between two touchpoints (A B A B)",
    "return_to_start": "of these, back where the journey began, from elsewhere",
    "earlier_stage": "a contact in an earlier lifecycle stage than the contact before",
}


def count_rework(
    log: JourneyLog,
    *,
    by: str = "touchpoint",
    stages: Sequence[str] = (),
    touchpoints: pd.DataFrame | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Count the contacts that repeat a contact of the same journey.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    by : str, default "touchpoint"
        What counts as the same: ``touchpoint``, ``stage``, ``channel``, ``department``.
    stages : sequence of str, default ()
        The lifecycle stages in order; empty: going back to an earlier stage is not counted.
    touchpoints : pandas.DataFrame, optional
        `touchpoint` and `action_cost`, what one contact there costs.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per kind of rework and touchpoint
        `kind` (the keys of ``KINDS``), `touchpoint` (whatever the view; ``(all)`` for the journeys
        as wholes), `n` (journeys that hold it), `n_customers`, `n_times` (contacts), `n_journeys`
        (journeys that come to the touchpoint), `share` (`n` of `n_journeys`), `conf_low`,
        `conf_high`, and with costs `extra_cost`, the cost of the `n_times` contacts; the kinds in
        order, ``(all)`` first, then the most journeys.

    Raises
    ------
    InputError
        When the view is unknown, none of the stages occurs, or costs are not numbers.
    TooLittleData
        When every journey may still go on.

    Notes
    -----
    Closed journeys only: an open one may still turn back.

    ``repeated`` is ``self_loop`` plus ``repeat``, and also ``same_channel`` plus ``other_channel``;
    costs of these add up. The other kinds overlap with them. In bupaR a repetition by the same
    resource is a repeat, by another one a redo: ``other_channel`` is the redo of customers. Where a
    touchpoint has one channel only, look at ``by="stage"`` or ``by="department"`` for redo.

    ``extra_cost`` takes contacts without a known cost as free; it is empty where none is known.
    Not every repeated contact is waste: a second order is not. Read it by touchpoint.

    References
    ----------
    .. [1] G. Janssenswillen et al. (2019). bupaR: enabling reproducible business process analysis.
           Knowledge-Based Systems 163, 927-930.
    """
    places = find_places(log, by)
    steps = _Steps(log, places, stages, touchpoints)
    table = pd.concat(
        [
            _count_kind(steps, step, conf_level).assign(kind=kind)
            for kind, step in _find_rework(steps).items()
        ],
        ignore_index=True,
    )
    table["touchpoint"] = np.array([ALL, *places.names], dtype=object)[table["column"]]
    table["kind"] = pd.Categorical(table["kind"], categories=list(KINDS), ordered=True)
    whole = table["touchpoint"] == ALL
    table = table[whole | (table["n"] > 0)].assign(whole=~whole)
    order = ["kind", "whole", "n", "touchpoint"]
    table = table.sort_values(order, ascending=[True, True, False, True], ignore_index=True)
    columns = ["kind", "touchpoint", "n", "n_customers", "n_times", "n_journeys", "share"]
    columns += ["conf_low", "conf_high", *(["extra_cost"] if touchpoints is not None else [])]
    return table.astype({"kind": str})[columns]


class _Steps:
    """The steps of the distinct paths of contacts, flat, and who walked them."""

    def __init__(
        self,
        log: JourneyLog,
        places: Places,
        stages: Sequence[str],
        touchpoints: pd.DataFrame | None,
    ) -> None:
        kinds = pd.DataFrame({"place": places.codes})
        if "channel" in log.contacts:
            kinds["channel"] = pd.factorize(log.contacts["channel"])[0]
        if stages and "stage" in log.contacts:
            kinds["stage"] = _order_stages(log.contacts["stage"], stages)
        if touchpoints is not None:
            kinds["cost"] = log.contacts["touchpoint"].map(read_costs(touchpoints))
        # contacts that do not differ here make one letter: fewer distinct paths
        codes = kinds.groupby(list(kinds), dropna=False, sort=False).ngroup().to_numpy(np.int64)
        shown = Places("contact", [str(i) for i in range(codes.max() + 1)], codes)
        walks = list_walks(log, by=shown)
        counts = fetch_counts(walks.journeys, "walk", closed_only=True)
        n_walks = len(walks.paths)
        self.journeys = spread_counts(counts["n"], counts["customer"], counts["walk"], n_walks)
        letters, self.path = read_letters(walks.paths["letters"])
        self.first = np.searchsorted(self.path, self.path)
        of_letter = kinds.groupby(codes).first()
        self.place = of_letter["place"].to_numpy()[letters]
        self.channel, self.stage, self.cost = (
            of_letter[name].to_numpy()[letters] if name in kinds else None
            for name in ("channel", "stage", "cost")
        )
        self.n_places = len(places.names)
        visits = self.tally(np.arange(len(self.path))).sign()
        self.visits = (self.journeys @ visits).tocsr()

    def tally(self, steps: Ints, weights: Floats | None = None) -> sparse.csr_array:
        """Add steps up by path, in column 0 over all places, then by place."""
        ones = np.ones(len(steps), dtype=np.int64) if weights is None else weights
        row = np.concatenate([self.path[steps], self.path[steps]])
        column = np.concatenate([np.zeros_like(steps), self.place[steps] + 1])
        shape = (self.journeys.shape[1], self.n_places + 1)
        return sparse.coo_array((np.concatenate([ones, ones]), (row, column)), shape=shape).tocsr()


def _order_stages(named: pd.Series, stages: Sequence[str]) -> pd.Series:
    known = sorted(named.unique())
    if not set(stages) & set(known):
        raise InputError(
            f"No event is in one of the stages {list(stages)}.",
            f"parameter 'stages', stages of these events: {known}",
            closest(stages[0], known),
        )
    return named.map({stage: float(place) for place, stage in enumerate(stages)})


def _find_rework(steps: _Steps) -> dict[str, Ints]:
    """Find the steps of each kind."""
    path, place = steps.path, steps.place
    at = np.arange(len(path))
    last = find_previous(path, place)
    again = last >= 0
    found = {
        "repeated": again,
        "self_loop": again & (last == at - 1),
        "repeat": again & (last < at - 1),
    }
    if steps.channel is not None:
        changed = steps.channel != steps.channel[last]
        found |= {"same_channel": again & ~changed, "other_channel": again & changed}
    # runs of the same place count as one stay when two places alternate
    stays = np.flatnonzero(~found["self_loop"])
    ping_pong = np.zeros(len(path), dtype=bool)
    stay_place, stay_path = place[stays], path[stays]
    same = (stay_place[2:] == stay_place[:-2]) & (stay_path[2:] == stay_path[:-2])
    ping_pong[stays[3:][same[1:] & same[:-1]]] = True
    found["ping_pong"] = ping_pong
    found["return_to_start"] = found["repeat"] & (place == place[steps.first])
    if steps.stage is not None:
        back = np.zeros(len(path), dtype=bool)
        back[1:] = (steps.stage[1:] < steps.stage[:-1]) & (path[1:] == path[:-1])
        found["earlier_stage"] = back
    return {kind: np.flatnonzero(mask) for kind, mask in found.items()}


def _count_kind(steps: _Steps, found: Ints, conf_level: float) -> pd.DataFrame:
    times = steps.tally(found)
    hits = (steps.journeys @ times.sign()).tocsr()
    table = estimate_shares(hits, steps.visits, conf_level=conf_level)
    n = steps.journeys.sum(axis=0)
    table = table.rename(columns={"n_hits": "n", "n_trials": "n_journeys"})
    table["n_customers"] = np.bincount(hits.indices, minlength=hits.shape[1])
    table["n_times"] = n @ times
    if steps.cost is not None:
        cost = steps.cost[found]
        known = ~np.isnan(cost)
        sums = n @ steps.tally(found[known], cost[known])
        n_known = n @ steps.tally(found[known])
        # no contact costs nothing; contacts of unknown cost have no sum
        table["extra_cost"] = np.where((n_known > 0) | (table["n_times"] == 0), sums, np.nan)
    table["column"] = np.arange(len(table))
    return table
