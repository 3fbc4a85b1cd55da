"""The way up to a goal: which ways end there, which break off, and which steps matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse, special

from cxlib.errors import InputError, TooLittleData
from cxlib.journeys.counts import (
    Floats,
    estimate_shares,
    fetch_counts,
    indicate,
    spread_counts,
)
from cxlib.journeys.log import OPEN, OTHER, START, Places
from cxlib.journeys.walks import Walks, spell
from cxlib.stats import adjust_p_values


@dataclass(frozen=True)
class LeadUps:
    """The paths of closed journeys up to just before their first contact at the goal.

    Parameters
    ----------
    places : Places
        What a step shows.
    letters : list of str
        The distinct lead-ups, sorted; a journey that never comes to the goal gives its whole path.
    trials : scipy.sparse.csr_array of int, shape (customers, lead-ups)
        Journeys of each customer.
    hits : scipy.sparse.csr_array of int, shape (customers, lead-ups)
        Those that come to the goal next.
    n_open : int
        Journeys left out because they may still go on, converted or not.
    n_at_once : int
        Closed journeys left out because they begin at the goal: nothing led up to it.
    """

    places: Places
    letters: list[str]
    trials: sparse.csr_array
    hits: sparse.csr_array
    n_open: int
    n_at_once: int


def find_lead_ups(walks: Walks) -> LeadUps:
    """Cut every closed journey off before its first contact at the goal.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`, with a goal.

    Returns
    -------
    LeadUps
        Distinct paths, with journeys and conversions by customer.

    Raises
    ------
    InputError
        When the walks have no goal.
    TooLittleData
        When every journey may still go on.

    Notes
    -----
    The full path of a journey that converts holds the goal and what follows from it, so it cannot
    be compared with one that did not. Journeys that convert and journeys that end are compared by
    what both had done by then: the same steps, and then either the goal or the end.

    Open journeys are left out even when they have converted already: keeping those alone would
    make success look commoner than it is.
    """
    if "n_converted" not in walks.paths:
        where, fix = "parameter 'goal'", "name a touchpoint or stage in list_walks(log, goal=...)"
        raise InputError("The journeys have no goal.", where, fix)
    counts = fetch_counts(walks.journeys, "walk", "goal_step", closed_only=True)
    converted = counts["goal_step"] > 0
    n_at_once = int(counts.loc[counts["goal_step"] == 1, "n"].sum())
    kept = counts["goal_step"] != 1
    counts, converted = counts[kept].reset_index(drop=True), converted[kept].to_numpy()
    if counts.empty:
        raise TooLittleData("Every closed journey begins at the goal; nothing leads up to it.")
    most = int(counts["goal_step"].max()) + 2
    cut, cuts = pd.factorize(counts["walk"] * most + counts["goal_step"] + 1)
    paths = walks.paths["letters"].to_numpy(dtype=object)
    steps = cuts % most - 2  # steps before the goal; -2 for those that never come to it
    walked = [paths[i][: n if n > 0 else None] for i, n in zip(cuts // most, steps, strict=True)]
    lead, letters = pd.factorize(np.array(walked, dtype=object), sort=True)
    cells = lead[cut]
    trials = spread_counts(counts["n"], counts["customer"], cells, len(letters))
    hits = spread_counts(counts["n"] * converted, counts["customer"], cells, len(letters))
    n_open = int(walks.paths["n_open"].sum())
    return LeadUps(walks.places, list(letters), trials, hits, n_open, n_at_once)


def rank_paths(walks: Walks, *, min_n: int = 30, conf_level: float = 0.95) -> pd.DataFrame:
    """Rank the ways up to the goal by how often they come there.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`, with a goal.
    min_n : int, default 30
        Customers who must have walked a path for it to be listed.
    conf_level : float, default 0.95
        Confidence level; one minus it is the share of false discoveries allowed.

    Returns
    -------
    pandas.DataFrame, one row per lead-up path
        `path`, `n` (journeys that walk just this and then come to the goal or end), `n_customers`,
        `n_converted`, `converted_share`, `conf_low`, `conf_high`, `base_share` (of all lead-ups),
        `lift` (the ratio of the two), `p_value`, `q_value`, `n_tests`, `verdict` (``converts
        more``, ``converts less``, ``undecided``) and `n_paths`. The surest to convert come first
        and the surest to break off last; below them ``(other)``, the rarer paths together,
        ``(start)``, journeys that begin at the goal, and ``(open)``, journeys that may still go on;
        so `n` adds up to all journeys.

    Raises
    ------
    InputError
        When the walks have no goal.
    TooLittleData
        When every journey may still go on, or none comes to the goal after another step.

    Notes
    -----
    See :func:`find_lead_ups` for what is compared. Paths are ordered by the end of the interval
    that lies nearer to the base share, so that a small path cannot lead by luck.

    Intervals are Wilson's at the effective size of shares clustered by customer. p-values are exact
    binomial against the base share, at that size; q-values correct for all paths listed
    (Benjamini-Hochberg).

    References
    ----------
    .. [1] W. G. Cochran (1977). Sampling Techniques, 3rd ed., section 3.12.
    """
    lead_ups = find_lead_ups(walks)
    base = find_base(lead_ups)
    n_customers = np.bincount(lead_ups.trials.indices, minlength=len(lead_ups.letters))
    common = np.flatnonzero(n_customers >= min_n)
    groups = np.full(len(lead_ups.letters), len(common))
    groups[common] = np.arange(len(common))
    sums = indicate(groups, len(common) + 1)
    hits, trials = lead_ups.hits @ sums, lead_ups.trials @ sums
    table = estimate_shares(hits, trials, conf_level=conf_level)
    table["n_customers"] = np.bincount(trials.indices, minlength=len(table))
    names = [spell(lead_ups.letters[i], lead_ups.places) for i in common]
    table["path"] = [*names, OTHER]
    table["p_value"] = _test_shares(table["share"], table["size"], base)
    table.loc[len(common), "p_value"] = np.nan
    table["q_value"] = adjust_p_values(table["p_value"])
    table["n_tests"] = len(common)
    sure = table["q_value"] <= 1 - conf_level
    more, less = sure & (table["share"] > base), sure & (table["share"] < base)
    table["verdict"] = np.select([more, less], ["converts more", "converts less"], "undecided")
    table["base_share"], table["lift"] = base, table["share"] / base
    table["n_paths"] = [1] * len(common) + [len(groups) - len(common)]
    nearer = table["conf_low"].where(table["share"] > base, table["conf_high"])
    order = np.lexsort((table["path"][:-1], -nearer[:-1]))
    return _add_left_out(table.iloc[[*order, len(common)]].reset_index(drop=True), lead_ups)


def find_base(lead_ups: LeadUps) -> float:
    """Return the share of lead-ups that come to the goal.

    Parameters
    ----------
    lead_ups : LeadUps
        From :func:`find_lead_ups`.

    Returns
    -------
    float
        Above 0.

    Raises
    ------
    TooLittleData
        When none does.
    """
    n_converted = int(lead_ups.hits.sum())
    if not n_converted:
        raise TooLittleData("No closed journey comes to the goal after another step.")
    return n_converted / int(lead_ups.trials.sum())


def _test_shares(share: pd.Series, size: pd.Series, base: float) -> Floats:
    """Test shares against a known one, two-sided; sizes need not be whole numbers."""
    x, n = share * size, size
    above = np.where(x > 0, special.betainc(np.maximum(x, 1e-9), n - x + 1, base), 1)
    below = np.where(x < n, special.betainc(np.maximum(n - x, 1e-9), x + 1, 1 - base), 1)
    return np.minimum(2 * np.minimum(above, below), 1)


def _add_left_out(table: pd.DataFrame, lead_ups: LeadUps) -> pd.DataFrame:
    """Add rows for the journeys without a lead-up, so that the journeys add up."""
    n_at_once, at, columns = lead_ups.n_at_once, len(table), ["path", "n", "n_converted", "verdict"]
    table = table.rename(
        columns={"n_trials": "n", "n_hits": "n_converted", "share": "converted_share"}
    ).reindex(range(at + 2))
    table.loc[at, columns] = [START, n_at_once, n_at_once, "begins at the goal"]
    table.loc[at + 1, columns] = [OPEN, lead_ups.n_open, np.nan, "may still go on"]
    table = table[table["n"] > 0].astype({"n": np.int64})
    columns = ["path", "n", "n_customers", "n_converted", "converted_share", "conf_low"]
    columns += ["conf_high", "base_share", "lift", "p_value", "q_value", "n_tests", "verdict"]
    return table[[*columns, "n_paths"]].reset_index(drop=True)
