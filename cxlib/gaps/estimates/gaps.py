"""Gaps between perception and expectation at every level, with intervals, tests and ranks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.gaps.estimates.design import Design
from cxlib.gaps.estimates.draws import chance_lowest
from cxlib.gaps.estimates.levels import Level, describe_members, list_levels, replace_values
from cxlib.gaps.estimates.ranks import summarise_ranks
from cxlib.gaps.levels import LevelMeans, pair_ratings
from cxlib.gaps.ratings import Ratings
from cxlib.gaps.scales.reliability import cronbach_alpha
from cxlib.stats import Floats, adjust_p_values


def summarise_gaps(
    ratings: Ratings,
    *,
    touchpoints: pd.DataFrame | None = None,
    conf_level: float = 0.95,
    random_state: int = 0,
) -> pd.DataFrame:
    """Summarise the gap of every item, dimension, touchpoint and stage, and in total.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    touchpoints : pandas.DataFrame, optional, one row per touchpoint
        Columns `touchpoint`, `stage`; adds the level stage.
    conf_level : float, default 0.95
        Confidence level.
    random_state : int, default 0
        Seed of the draws behind `p_lowest`.

    Returns
    -------
    pandas.DataFrame
        One row per level and name. Columns `level` (item, dimension, touchpoint, stage, total),
        `name`, `text` (an item's wording, marked where it was turned), `n_items`, `n`
        (respondents), `item_share` (mean share of the row's items that these respondents rated
        in both roles), `expectation`, `perception`, `gap` (perception - expectation), `std_error`,
        `conf_low`, `conf_high`, `effect_size` (d_z), `p_value`, `q_value`, `n_tests` (size of the
        family), `p_lowest` (probability that the gap is the lowest of its level), `rank_effect`,
        `rank_p_value`, `rank_q_value` (signed-rank test), `top_gap` (share of perceptions less
        share of expectations at the top of the scale), `top_low`, `top_high`, `ceiling_share`
        (share of expectations at the top), `agreement` (of these views with the mean: agree, differ
        in sign, in significance or at the top; empty where nothing can be tested), `reliability`
        (Cronbach's alpha of the item gaps), `reliability_low`, `reliability_high`, `scale_min`,
        `scale_max`.

    Raises
    ------
    InputError
        When expectation and perception cannot be subtracted, see `pair_ratings`.
    TooLittleData
        When fewer than two respondents rated one item in both roles.

    Notes
    -----
    Everything is paired within the respondent. On item level a row holds the respondents
    who gave both ratings. On the other levels each respondent counts once, with the mean over
    the items he or she rated in both roles, be it one or all of them; `item_share` tells how many
    they were. Items without dimension or touchpoint enter no row of that level.

    Means, intervals and tests are those of `estimate_means`: weighted, and clustered by customer
    and unit where several respondents share one; plainly the paired t-test. Reliability is
    unweighted. d_z = gap / s, with s
    the (weighted) standard deviation of the respondents' gaps, ddof 1. With n < 2 or s = 0 there is
    no interval, effect size or p-value. All rows of the table are one Benjamini-Hochberg family;
    so are their signed-rank tests (Pratt's zeros, see `summarise_ranks`).

    Mean and ranks differ in sign when both tests are below 1 - conf_level after correction and
    point to different sides, in significance when only one of them is below. They differ at the
    top when the mean is clear and the interval of `top_gap` lies on the other side of zero:
    perceptions are then spread differently from expectations.

    `p_lowest` is the share of 10,000 draws from the joint law of the level's mean gaps in which the
    row is the lowest: how sure one may be when calling it the largest shortfall. A row on which all
    agree (s = 0) is ranked with its mean held fixed, which says too much when few answered; a row
    of one respondent is not ranked.

    References
    ----------
    .. [1] A. Parasuraman, V. A. Zeithaml, L. L. Berry (1988). SERVQUAL. Journal of Retailing 64,
           12-40.
    .. [2] J. Cohen (1988). Statistical Power Analysis for the Behavioral Sciences, 2nd ed., 2.3.5.
    .. [3] Y. Benjamini, Y. Hochberg (1995). Controlling the false discovery rate. JRSS B 57,
           289-300.
    """
    pairs = pair_ratings(ratings)
    design = Design.of(pairs.respondents, conf_level=conf_level, random_state=random_state)
    parts = [
        _summarise_level(level, design) for level in list_levels(pairs, touchpoints=touchpoints)
    ]
    gaps = pd.concat(parts, ignore_index=True)
    gaps["q_value"] = adjust_p_values(gaps["p_value"])
    gaps["n_tests"] = gaps["p_value"].count()
    gaps["rank_q_value"] = adjust_p_values(gaps["rank_p_value"])
    gaps["agreement"] = _compare_views(gaps, alpha=1 - conf_level)
    for end in ("scale_min", "scale_max"):  # one scale for all, see pair_ratings
        gaps[end] = pairs.items[end].max()
    return gaps[_GAPS]


def _summarise_level(level: Level, design: Design) -> pd.DataFrame:
    """Estimate everything about the names of one level."""
    means = level.means
    estimate = design.estimate(means.gap).drop(columns="degrees")
    part = describe_members(level).join(estimate).rename(columns={"mean": "gap"})
    # the means shown belong to the very respondents whose gaps are averaged
    part["expectation"] = design.average(means.expectation)
    part["perception"] = design.average(means.perception)
    part["effect_size"] = part["gap"] / _deviations(means.gap, design)
    part["p_lowest"] = chance_lowest(design.draw(means.gap))
    ranks = summarise_ranks(means.gap, weights=design.weights, clusters=design.clusters)
    part = part.join(ranks)
    tops = _at_top(level)
    part["ceiling_share"] = design.average(tops.expectation)
    top = design.estimate(tops.gap)
    part["top_gap"], part["top_low"], part["top_high"] = (
        top[name].clip(-1, 1) for name in ("mean", "conf_low", "conf_high")
    )
    return part.join(_measure_reliability(level, design))


def _measure_reliability(level: Level, design: Design) -> pd.DataFrame:
    gap = level.pairs.gap
    alphas = [
        cronbach_alpha(pd.DataFrame(level.members(name, gap)), conf_level=design.conf_level)
        if n_items > 1
        else (np.nan, np.nan, np.nan)
        for name, n_items in zip(level.means.names, level.means.n_items, strict=True)
    ]
    return pd.DataFrame(alphas, columns=["reliability", "reliability_low", "reliability_high"])


def _deviations(values: Floats, design: Design) -> Floats:
    """Return weighted standard deviations, ddof 1; NaN where nothing varies."""
    n = design.counts(values).sum(axis=0)
    variance = design.average((values - design.average(values)) ** 2) * n / np.maximum(n - 1, 1)
    size = np.max(np.abs(np.nan_to_num(values)), axis=0, initial=0.0)
    return np.sqrt(np.where(variance > (1e-12 * size) ** 2, variance, np.nan))


def _at_top(level: Level) -> LevelMeans:
    """Mark ratings at the top of the scale; not known where the scale is not."""
    top = level.pairs.items["scale_max"].to_numpy(float)
    expectation, perception = (
        np.where(np.isnan(values) | np.isnan(top), np.nan, values >= top)
        for values in (level.pairs.expectation, level.pairs.perception)
    )
    return replace_values(level, expectation, perception)


def _compare_views(gaps: pd.DataFrame, *, alpha: float) -> pd.Series:
    """Say whether ranks and top answers tell the same story as the means."""
    clear, rank_clear = gaps["q_value"].lt(alpha), gaps["rank_q_value"].lt(alpha)
    sign, rank_sign, top_sign = (np.sign(gaps[c]) for c in ("gap", "rank_effect", "top_gap"))
    top_clear = gaps["top_low"].gt(0) | gaps["top_high"].lt(0)
    views = pd.Series("agree", index=gaps.index)
    views[clear & top_clear & (sign * top_sign).lt(0)] = "differ at the top"
    views[clear.ne(rank_clear)] = "differ in significance"
    views[clear & rank_clear & (sign * rank_sign).lt(0)] = "differ in sign"
    return views.mask(gaps["q_value"].isna() | gaps["rank_q_value"].isna(), "")


_GAPS = [
    *("level", "name", "text", "n_items", "n", "item_share", "expectation", "perception"),
    *("gap", "std_error", "conf_low", "conf_high", "effect_size", "p_value", "q_value", "n_tests"),
    *("p_lowest", "rank_effect", "rank_p_value", "rank_q_value"),
    *("top_gap", "top_low", "top_high", "ceiling_share", "agreement"),
    *("reliability", "reliability_low", "reliability_high", "scale_min", "scale_max"),
]
