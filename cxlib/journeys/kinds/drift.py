"""Whether later journeys still walk as those the segments were fitted on."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.errors import TooLittleData
from cxlib.journeys.kinds.assign import NONE, KeptSegments, summarise_fit
from cxlib.stats import adjust_p_values, share_difference_p_values, wilson_interval

MOVED, WORSE, SAME, FEW = (
    "share moved",
    "fit worse: refit",
    "no change shown",
    "too few journeys to tell",
)


def measure_drift(
    journeys: pd.DataFrame, kept: KeptSegments, *, min_cell: int = 10, conf_level: float = 0.95
) -> pd.DataFrame:
    """Measure whether segments are as common, and fit as well, as when they were fitted.

    Parameters
    ----------
    journeys : pandas.DataFrame, one row per journey
        `journeys` of :class:`cxlib.journeys.Assignments`.
    kept : KeptSegments
        What they were assigned by.
    min_cell : int, default 10
        A segment is tested when so many journeys are expected in it, then and now.
    conf_level : float, default 0.95
        Confidence level, and one minus the share of false discoveries allowed.

    Returns
    -------
    pandas.DataFrame, one row per segment and ``(none of these)``
        `segment`, `n`, `share`, `conf_low`, `conf_high`, `fitted_share`, `difference` (now minus
        then), `p_value`, `q_value`; `distance` (mean to the centre, of all journeys nearest to
        it), `fitted_distance`, `distance_p_value`, `distance_q_value`; `n_tests`, `verdict`.

    Raises
    ------
    TooLittleData
        When there are no journeys.

    Notes
    -----
    Shares are compared by the z test at the share of both periods together and effective sizes
    clustered by customer, distances by the z test with clustered standard errors. q-values correct
    for all of these tests (Benjamini-Hochberg). The two periods count as independent: customers of
    both make the tests careful.

    Open journeys are left out on both sides: cut short, they would seem to have moved.

    A share may move because customers change, or because which customers come changes. Segments
    fit worse when journeys walk in ways the centres do not describe; then fit anew. Distances of
    the journeys fitted are a little too small, since centres were laid amidst them: with few
    journeys behind a fit, a slightly worse one is expected.

    References
    ----------
    .. [1] W. G. Cochran (1977). Sampling Techniques, 3rd ed., section 3.12.
    """
    if journeys.empty:
        raise TooLittleData("There are no journeys to compare with the segments.")
    journeys = journeys[~journeys["is_open"]]
    if journeys.empty:
        raise TooLittleData("Every journey may still go on; none can be compared with the fitted.")
    then = kept.reference
    now = summarise_fit(journeys, kept.model.names)
    low, high = wilson_interval(now["share"], now["size"], conf_level=conf_level)
    pooled = (now["n"] + then["n"]) / (now["n"].sum() + then["n"].sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        farther = now["distance"] - then["distance"]
        z_distance = farther / np.hypot(now["distance_error"], then["distance_error"])
    expected = pooled * min(now["n"].sum(), then["n"].sum())
    enough = (expected >= min_cell) & (pooled < 1)
    shares = (then["share"], then["size"], now["share"], now["size"])
    p_values = np.where(enough, share_difference_p_values(*shares, pooled=pooled), np.nan)
    enough &= now["segment"] != NONE
    enough &= np.isfinite(z_distance) & (now["n"] >= min_cell)
    distance_p = np.where(enough, 2 * stats.norm.sf(np.abs(z_distance)), np.nan)
    q_values = adjust_p_values(np.concatenate([p_values, distance_p]))
    share_q, distance_q = np.split(q_values, 2)
    alpha = 1 - conf_level
    worse, moved = (distance_q <= alpha) & (farther > 0), share_q <= alpha
    cases = [worse & moved, worse, moved, np.isnan(p_values) & np.isnan(distance_p)]
    return pd.DataFrame(
        {
            "segment": now["segment"],
            "n": now["n"],
            "share": now["share"],
            "conf_low": low,
            "conf_high": high,
            "fitted_share": then["share"],
            "difference": now["share"] - then["share"],
            "p_value": p_values,
            "q_value": share_q,
            "distance": now["distance"],
            "fitted_distance": then["distance"],
            "distance_p_value": distance_p,
            "distance_q_value": distance_q,
            "n_tests": int(np.isfinite(q_values).sum()),
            "verdict": np.select(cases, [f"{MOVED}; {WORSE}", WORSE, MOVED, FEW], SAME),
        }
    )
