"""Which touchpoints journeys that come to the goal hold before it, and others do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse, stats

from cxlib.errors import TooLittleData
from cxlib.journeys.counts import Floats, Ints, hold_places, indicate
from cxlib.journeys.paths.lead_ups import LeadUps, find_base, find_lead_ups
from cxlib.journeys.walks import Walks
from cxlib.stats import adjust_p_values, normal_quantile


def count_drivers(walks: Walks, *, min_n: int = 30, conf_level: float = 0.95) -> pd.DataFrame:
    """Compare journeys that hold a touchpoint before the goal with journeys that do not.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`, with a goal.
    min_n : int, default 30
        Customers with the touchpoint, and journeys without it, that a row needs.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per touchpoint
        `touchpoint` (whatever the view), `n` (journeys that hold it on the way), `n_customers`,
        `converted_share` and `other_share` (converted shares with and without it),
        `crude_difference` of the two, `difference` (the same among journeys equally long),
        `conf_low`, `conf_high`, `p_value`, `q_value`, `n_tests`; the largest difference first.

    Raises
    ------
    InputError
        When the walks have no goal.
    TooLittleData
        When no touchpoint has enough journeys on both sides, or nothing converts.

    Notes
    -----
    Long journeys hold more of everything, and their length also goes with success or failure; a
    crude difference may show nothing but that. So journeys are compared within strata of the
    length of the way up (1, 2, 3, 4-5, 6-7, 8-11, 12-15, 16-22, ... steps), weighted as Mantel and
    Haenszel do. The variance is that of independent journeys under no difference, which stays sound
    where few convert, times a design effect of customers, never below 1.

    One time is not made equal by this: a journey that converts is watched up to the goal, one that
    does not up to its end. A touchpoint that customers turn to when they give up looks harmful, and
    one that only stands in front of the goal, such as a basket, looks helpful, without being the
    cause. Differences describe; they do not say what would happen if the touchpoint were pushed.

    References
    ----------
    .. [1] N. Mantel, W. Haenszel (1959). Statistical aspects of the analysis of data from
           retrospective studies of disease. JNCI 22, 719-748.
    .. [2] S. Greenland, J. M. Robins (1985). Estimation of a common effect parameter from sparse
           follow-up data. Biometrics 41, 55-68.
    """
    lead_ups = find_lead_ups(walks)
    find_base(lead_ups)
    n_places = len(lead_ups.places.names)
    holds = hold_places(lead_ups.letters, n_places)
    n, x = lead_ups.trials.sum(axis=0), lead_ups.hits.sum(axis=0)
    n_customers = np.bincount((lead_ups.trials @ holds).indices, minlength=n_places)
    tested = np.flatnonzero((n_customers >= min_n) & (n.sum() - n @ holds >= min_n))
    if not len(tested):
        raise TooLittleData(f"No touchpoint has {min_n} journeys with and without it.")
    holds = holds[:, tested]
    with_n, with_x = n @ holds, x @ holds
    table = pd.DataFrame({"touchpoint": np.array(lead_ups.places.names, dtype=object)[tested]})
    table["n"], table["n_customers"] = with_n, n_customers[tested]
    table["converted_share"] = with_x / with_n
    table["other_share"] = (x.sum() - with_x) / (n.sum() - with_n)
    table["crude_difference"] = table["converted_share"] - table["other_share"]
    lengths = np.fromiter(map(len, lead_ups.letters), np.int64)
    strata = np.floor(2 * np.log2(lengths)).astype(np.int64)
    table["difference"], error = _compare_within(lead_ups, holds, strata)
    half = normal_quantile(conf_level) * error
    table["conf_low"] = np.maximum(table["difference"] - half, -1)
    table["conf_high"] = np.minimum(table["difference"] + half, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        table["p_value"] = 2 * stats.norm.sf(np.abs(table["difference"]) / error)
    table["q_value"] = adjust_p_values(table["p_value"])
    table["n_tests"] = len(table)
    return table.sort_values(
        ["difference", "touchpoint"], ascending=[False, True], ignore_index=True
    )


def _compare_within(
    lead_ups: LeadUps, holds: sparse.csr_array, strata: Ints
) -> tuple[Floats, Floats]:
    """Return Mantel-Haenszel differences and their errors over customers."""
    by_stratum = indicate(strata, int(strata.max()) + 1)
    n, x = lead_ups.trials.sum(axis=0), lead_ups.hits.sum(axis=0)
    n1 = (by_stratum.T @ holds.multiply(n[:, None]).tocsr()).toarray()
    x1 = (by_stratum.T @ holds.multiply(x[:, None]).tocsr()).toarray()
    n0 = (by_stratum.T @ n)[:, None] - n1
    x0 = (by_stratum.T @ x)[:, None] - x1
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.nan_to_num(n1 * n0 / (n1 + n0))
        weight = weight / weight.sum(axis=0)
        p1, p0 = x1 / n1, x0 / n0
        difference = np.where(weight > 0, weight * (p1 - p0), 0).sum(axis=0)
        slopes = [np.where(weight > 0, weight / n1, 0), np.where(weight > 0, -weight / n0, 0)]
        pooled = (x1 + x0) / (n1 + n0)
        null = np.where(weight > 0, weight**2 * pooled * (1 - pooled) * (1 / n1 + 1 / n0), 0)
    design = np.ones(len(difference))
    for k in range(len(difference)):
        held = holds[:, [k]].toarray()[:, 0].astype(bool)
        slope = np.where(held, slopes[0][strata, k], slopes[1][strata, k])
        expected = pooled[strata, k]
        residuals = lead_ups.hits @ slope - lead_ups.trials @ (slope * np.nan_to_num(expected))
        alone = (slope**2 * n * np.nan_to_num(expected * (1 - expected))).sum()
        design[k] = max((residuals**2).sum() / alone, 1.0) if alone > 0 else 1.0
    return difference, np.sqrt(null.sum(axis=0) * design)
