"""Gaps between perception and expectation, with intervals, tests and the certainty of ranks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.gaps.groups import natural_key, respondent_groups
from cxlib.gaps.levels import (
    chance_lowest,
    check_pairs,
    column_means,
    describe_columns,
    describe_differences,
    item_scales,
    level_names,
    respondent_means,
    spread,
)
from cxlib.gaps.ratings import Ratings
from cxlib.gaps.reliability import cronbach_alpha
from cxlib.stats import adjust_p_values


def summarise_gaps(
    ratings: Ratings, *, conf_level: float = 0.95, random_state: int = 0
) -> pd.DataFrame:
    """Summarise the gap of every item, dimension and touchpoint, and in total.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    conf_level : float, default 0.95
        Confidence level.
    random_state : int, default 0
        Seed of the draws behind `p_lowest`.

    Returns
    -------
    pandas.DataFrame
        One row per level and name. Columns `level` (item, dimension, touchpoint, total), `name`,
        `text` (an item's wording, marked where it was turned), `n_items`, `n` (respondents),
        `item_share` (mean share of the row's items that these respondents rated in both roles),
        `expectation`, `perception`, `gap`
        (perception - expectation), `std_error`, `conf_low`, `conf_high`, `effect_size` (d_z),
        `p_value`, `q_value`, `n_tests` (size of the family), `p_lowest` (probability that the gap
        is the lowest of its level), `reliability` (Cronbach's alpha of the item gaps),
        `reliability_low`, `reliability_high`, `ceiling_share` (share of expectations at the top of
        the scale), `scale_min`, `scale_max`.

    Raises
    ------
    InputError
        When a role was never asked, or the items have different scales.
    TooLittleData
        When fewer than two respondents rated one item in both roles.

    Notes
    -----
    Everything is paired within the respondent. On item level a row holds the respondents
    who gave both ratings. On the other levels each respondent counts once, with the mean over
    the items he or she rated in both roles, be it one or all of them; `item_share` tells how many
    they were. Items without dimension or touchpoint enter no row of that level.

    gap +- t(n - 1) * s / sqrt(n), d_z = gap / s, with s the standard deviation (ddof 1) of the
    respondents' gaps; the p-value is the paired t-test's. With n < 2 or s = 0 there is no
    interval, effect size or p-value. The q-values are Benjamini-Hochberg's, each level one family.

    `p_lowest` is the share of 10,000 draws from the joint normal distribution of the level's mean
    gaps in which the row is the lowest: how sure one may be when calling it the largest shortfall.
    A row on which all agree (s = 0) is ranked with its mean held fixed, which says too much when
    few answered; a row of one respondent is not ranked. Estimates are unweighted.

    References
    ----------
    .. [1] A. Parasuraman, V. A. Zeithaml, L. L. Berry (1988). SERVQUAL. Journal of Retailing 64,
           12-40.
    .. [2] J. Cohen (1988). Statistical Power Analysis for the Behavioral Sciences, 2nd ed., 2.3.5.
    .. [3] Y. Benjamini, Y. Hochberg (1995). Controlling the false discovery rate. JRSS B 57,
           289-300.
    """
    pairs = check_pairs(ratings)
    parts = []
    for level, names in level_names(pairs).items():
        labels, means = respondent_means(pairs, names)
        part = describe_columns(means["gap"], conf_level=conf_level)
        # the means shown belong to the very respondents whose gaps are averaged
        for role in ("expectation", "perception"):
            part[role] = column_means(means[role])
        part["level"], part["name"] = level, labels
        part = part.join(_describe_rows(pairs, names, conf_level=conf_level), on="name")
        part["item_share"] = means["count"].sum(axis=0) / (part["n"] * part["n_items"])
        part["q_value"] = adjust_p_values(part["p_value"])
        part["n_tests"] = part["p_value"].count()
        part["p_lowest"] = chance_lowest(means["gap"], random_state=random_state)
        parts.append(part)
    gaps = pd.concat(parts, ignore_index=True)
    gaps["text"] = gaps["name"].where(gaps["level"].eq("item")).map(_wordings(ratings))
    scales = item_scales(ratings).loc[pairs["item"].unique()]
    for end in ("scale_min", "scale_max"):  # one scale for all, see check_pairs
        gaps[end] = scales[end].max()
    return gaps[_GAPS]


def compare_gap_groups(ratings: Ratings, *, by: str, conf_level: float = 0.95) -> pd.DataFrame:
    """Compare each group's gaps with those of all other respondents.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`, on answers that have the column `by`.
    by : str
        Column to group by, constant for a respondent.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per group, level and name. Columns `group`, `level`, `name`, `n`, `expectation`,
        `perception`, `gap`, `std_error`, `conf_low`, `conf_high`, `difference` (the group's gap
        minus that of all others), `difference_low`, `difference_high`, `p_value` and `q_value` (of
        the difference), `n_tests`.

    Raises
    ------
    InputError
        When `by` is missing or not constant for a respondent, a role was never asked, or the items
        have different scales.
    TooLittleData
        When fewer than two respondents rated one item in both roles.

    Notes
    -----
    Gaps as in `summarise_gaps`. The difference has Welch's interval and test, without
    equal variances; it needs two respondents on either side and some variance. All groups and
    names of one level are one Benjamini-Hochberg family. With two groups either is all others to
    the other: one comparison on two rows, which counts once. The comparison takes for granted that
    the groups use the scale alike.

    References
    ----------
    .. [1] B. L. Welch (1947). The generalization of Student's problem when several different
           population variances are involved. Biometrika 34, 28-35.
    """
    pairs = check_pairs(ratings)
    groups = respondent_groups(ratings.answers, by=by)
    order = sorted(groups.unique(), key=natural_key)
    group_of = groups.reindex(pairs["respondent_id"].unique()).to_numpy()
    levels = [
        (level, *respondent_means(pairs, names)) for level, names in level_names(pairs).items()
    ]
    parts = []
    for group in order:
        inside = group_of == group
        for level, labels, means in levels:
            part = describe_columns(means["gap"][inside], conf_level=conf_level)
            for role in ("expectation", "perception"):
                part[role] = column_means(means[role][inside])
            difference = describe_differences(means["gap"], inside, conf_level=conf_level)
            part = part.drop(columns="p_value").join(difference)
            parts.append(part.assign(group=group, level=level, name=labels))
    table = pd.concat(parts, ignore_index=True)
    table = table[table["n"].gt(0)].reset_index(drop=True)
    sides = table.groupby(["level", "name"], sort=False)
    is_twin = sides["group"].transform("size").eq(2) & sides.cumcount().eq(1)
    family = table["p_value"].mask(is_twin).groupby(table["level"], sort=False)
    table["q_value"] = family.transform(adjust_p_values)
    table["n_tests"] = family.transform("count")
    table["q_value"] = table["q_value"].mask(is_twin, sides["q_value"].transform("first"))
    return table[_GAPS_BY_GROUP]


def _wordings(ratings: Ratings) -> pd.Series:
    """Return each item's wording; a turned item says so, for high numbers now deny its text."""
    items = ratings.items.dropna(subset="text").drop_duplicates("item").set_index("item")
    texts = items["text"].astype(str)
    return texts.where(items["higher_is_better"], texts + " (reversed)")


def _describe_rows(pairs: pd.DataFrame, names: pd.Series, *, conf_level: float) -> pd.DataFrame:
    """Describe the items behind each row of a level: how many, how consistent, how near the top."""
    rows = {}
    for name, part in pairs.groupby(names, sort=False):
        n_items = part["item"].nunique()
        alpha: tuple[float, ...] = (np.nan, np.nan, np.nan)
        if n_items > 1:
            alpha = cronbach_alpha(spread(part, value="gap"), conf_level=conf_level)
        rows[name] = (n_items, *alpha, part["at_ceiling"].mean())
    columns = ["n_items", "reliability", "reliability_low", "reliability_high", "ceiling_share"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


_GAPS = [
    *("level", "name", "text", "n_items", "n", "item_share", "expectation", "perception"),
    *("gap", "std_error", "conf_low", "conf_high", "effect_size", "p_value", "q_value", "n_tests"),
    *("p_lowest", "reliability", "reliability_low", "reliability_high", "ceiling_share"),
    *("scale_min", "scale_max"),
]
_GAPS_BY_GROUP = [
    *("group", "level", "name", "n", "expectation", "perception"),
    *("gap", "std_error", "conf_low", "conf_high"),
    *("difference", "difference_low", "difference_high", "p_value", "q_value", "n_tests"),
]
