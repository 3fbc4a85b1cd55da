"""Patterns of steps: which journeys go a certain way, and whether they convert more often."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from cxlib.errors import TooLittleData
from cxlib.frames import to_table
from cxlib.journeys.counts import (
    compare_shares,
    estimate_shares,
    fetch_counts,
    spread_counts,
)
from cxlib.journeys.log import JourneyLog, restrict_log
from cxlib.journeys.paths.language import compile_pattern, find_pattern
from cxlib.journeys.paths.lead_ups import find_lead_ups
from cxlib.journeys.walks import Walks


def match_walks(walks: Walks, pattern: str) -> NDArray[np.bool_]:
    """Tell which distinct paths a pattern is found in.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`.
    pattern : str
        As :func:`compile_pattern` reads it.

    Returns
    -------
    numpy.ndarray of bool, in the order of `walks.paths`
        Open journeys match by the path walked so far.
    """
    return find_pattern(compile_pattern(pattern, walks.places), walks.paths["letters"])


def keep_journeys(log: JourneyLog, walks: Walks, pattern: str) -> JourneyLog:
    """Keep the journeys that a pattern is found in.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    walks : Walks
        Of this log, in the view that the pattern speaks of.
    pattern : str
        As :func:`compile_pattern` reads it.

    Returns
    -------
    JourneyLog
        With all steps of the journeys kept, stored; customers and contacts are those of `log`.

    Raises
    ------
    TooLittleData
        When no journey matches.
    """
    matches = np.flatnonzero(match_walks(walks, pattern))
    if not len(matches):
        raise TooLittleData(f"No journey goes '{pattern}'.")
    kept = to_table(pd.DataFrame({"walk": matches}), beside=walks.journeys)
    return restrict_log(log, walks.journeys.semi_join(kept, "walk").select("journey").cache())


def count_pattern(walks: Walks, pattern: str, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Count the journeys that go a certain way, and how many of them convert.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`.
    pattern : str
        As :func:`compile_pattern` reads it.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row
        `pattern`, `n` (closed journeys that match), `n_customers`, `n_journeys` (closed journeys),
        `share`, `conf_low`, `conf_high`. With a goal also, all about the way up to the goal:
        `n_before` (journeys that match there), `converted_share` of them with `converted_low` and
        `converted_high`, `base_share` of the others with `base_low` and `base_high`, their
        `difference` and ratio `lift`, each with ``_low`` and ``_high``.

    Raises
    ------
    InputError
        When the pattern cannot be read.
    TooLittleData
        When every journey may still go on.

    Notes
    -----
    Open journeys are left out: they may still match, and still convert.

    For conversion the pattern must lie before the first contact at the goal, and ``$`` means the
    step before it. What follows a purchase does not lead to it; counting it would make every
    journey to "installation" a success. Journeys that begin at the goal are on neither side.
    """
    counts = fetch_counts(walks.journeys, "walk", closed_only=True)
    counts["hits"] = counts["n"] * match_walks(walks, pattern)[counts["walk"]]
    one = np.zeros(len(counts), dtype=np.int64)
    hits, trials = (spread_counts(counts[c], counts["customer"], one, 1) for c in ("hits", "n"))
    row = estimate_shares(hits, trials, conf_level=conf_level).iloc[0]
    table = {
        "pattern": pattern,
        "n": int(row["n_hits"]),
        "n_customers": counts.loc[counts["hits"] > 0, "customer"].nunique(),
        "n_journeys": int(row["n_trials"]),
        "share": row["share"],
        "conf_low": row["conf_low"],
        "conf_high": row["conf_high"],
    }
    if "n_converted" in walks.paths:
        table |= _compare_conversion(walks, pattern, conf_level)
    return pd.DataFrame([table])


def _compare_conversion(walks: Walks, pattern: str, conf_level: float) -> dict[str, float]:
    lead_ups = find_lead_ups(walks)
    matches = find_pattern(compile_pattern(pattern, walks.places), lead_ups.letters)
    sides = sparse.csr_array(np.column_stack([matches, ~matches]).astype(np.int64))
    hits, trials = lead_ups.hits @ sides, lead_ups.trials @ sides
    shares = estimate_shares(hits, trials, conf_level=conf_level)
    ends = ["share", "conf_low", "conf_high"]
    shares.loc[shares["n_trials"] == 0, ends] = np.nan
    table: dict[str, float] = {"n_before": int(shares["n_trials"].iloc[0])}
    for name, row in zip(("converted", "base"), shares[ends].to_numpy(), strict=True):
        table |= dict(zip((f"{name}_share", f"{name}_low", f"{name}_high"), row, strict=True))
    return table | compare_shares(hits, trials, conf_level=conf_level)
