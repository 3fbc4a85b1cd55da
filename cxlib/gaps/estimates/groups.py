"""Gaps of groups and waves against all others, and of a survey without some respondents."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from cxlib.errors import InputError, closest
from cxlib.gaps.estimates.design import Design, weighted_means
from cxlib.gaps.estimates.levels import Level, describe_members, list_levels
from cxlib.gaps.estimates.sides import Sides
from cxlib.gaps.groups import as_labels, natural_key
from cxlib.gaps.levels import pair_ratings
from cxlib.gaps.ratings import Ratings
from cxlib.stats import adjust_p_values


def compare_gap_groups(
    ratings: Ratings,
    *,
    by: str,
    touchpoints: pd.DataFrame | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Compare each group's gaps with those of all other respondents.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`; to compare waves, with ``every_wave=True``.
    by : str
        Column of its respondents to group by, such as ``"segment"`` or ``"wave"``.
    touchpoints : pandas.DataFrame, optional, one row per touchpoint
        Columns `touchpoint`, `stage`; adds the level stage.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per group, level and name. Columns `group`, `level`, `name`, `text`, `n`,
        `expectation`, `perception`, `gap`, `std_error`, `conf_low`, `conf_high`, `difference` (the
        group's gap minus that of all others), `difference_low`, `difference_high`, `p_value` and
        `q_value` (of the difference), `n_tests`.

    Raises
    ------
    InputError
        When `by` is missing or not constant for a respondent, or expectation and perception cannot
        be subtracted, see `pair_ratings`.
    TooLittleData
        When fewer than two respondents rated one item in both roles.

    Notes
    -----
    Gaps and their intervals as in `summarise_gaps`. The difference of two weighted means has the
    variance of their linearised residuals, those of the others taken negative, summed over
    clusters: a customer who answered in two waves is on both sides and takes his or her own habit
    out. Degrees of freedom are Welch and Satterthwaite's; plainly this is Welch's test. It needs
    two respondents (or clusters) on either side and some variance.

    The whole table is one Benjamini-Hochberg family. With two groups either is all others to the
    other: one comparison on two rows, which counts once. The comparison takes for granted that the
    groups use the scale alike.

    References
    ----------
    .. [1] B. L. Welch (1947). The generalization of Student's problem when several different
           population variances are involved. Biometrika 34, 28-35.
    .. [2] D. A. Binder (1983). On the variances of asymptotically normal estimators from complex
           surveys. International Statistical Review 51, 279-292.
    """
    pairs = pair_ratings(ratings)
    labels = _find_groups(ratings, by)
    design = Design.of(pairs.respondents, conf_level=conf_level)
    parts: dict[str, list[pd.DataFrame]] = {
        group: [] for group in sorted(set(labels), key=natural_key)
    }
    for level in list_levels(pairs, touchpoints=touchpoints):
        sides = Sides(level.means.gap, design)
        for group, tables in parts.items():
            table = _compare(level, sides, labels == group, design)
            tables.append(table.assign(group=group))
    table = pd.concat(chain.from_iterable(parts.values()), ignore_index=True)
    table = table[table["n"].gt(0)].reset_index(drop=True)
    sides = table.groupby(["level", "name"], sort=False)
    is_twin = sides["group"].transform("size").eq(2) & sides.cumcount().eq(1)
    family = table["p_value"].mask(is_twin)
    table["q_value"] = adjust_p_values(family)
    table["n_tests"] = family.count()
    table["q_value"] = table["q_value"].mask(is_twin, sides["q_value"].transform("first"))
    return table[_GROUPS]


def compare_flagged(
    ratings: Ratings,
    flagged: ArrayLike,
    *,
    touchpoints: pd.DataFrame | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Compare the gaps of all respondents with the gaps without those who are flagged.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    flagged : array_like of bool, one per respondent
        Whom to leave out, such as those who seem to have answered carelessly.
    touchpoints : pandas.DataFrame, optional, one row per touchpoint
        Columns `touchpoint`, `stage`; adds the level stage.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per level and name. Columns `level`, `name`, `text`, `n`, `n_flagged` (of these),
        `gap`, `gap_without`, `without_low`, `without_high`, `change` (gap_without - gap),
        `change_low`, `change_high`, `p_value`, `q_value`, `n_tests`.

    Raises
    ------
    InputError
        When there is not one flag per respondent, or expectation and perception cannot be
        subtracted, see `pair_ratings`.
    TooLittleData
        When fewer than two respondents rated one item in both roles.

    Notes
    -----
    The change is a difference of two means over partly the same respondents. Its error sums what
    each of them adds to either, W / W_kept * (gap - gap_without) of those kept less gap - mean of
    all, with W sums of weights; so it allows for another share of flagged in another sample. It
    needs two flagged and two kept. The whole table is one Benjamini-Hochberg family.

    References
    ----------
    .. [1] D. A. Binder (1983). On the variances of asymptotically normal estimators from complex
           surveys. International Statistical Review 51, 279-292.
    """
    pairs = pair_ratings(ratings)
    kept = ~np.asarray(flagged, dtype=bool)
    if kept.shape != (len(pairs.respondents),):
        raise InputError(
            f"There are {kept.size:,} flags for {len(pairs.respondents):,} respondents.",
            "argument 'flagged'",
            "give one flag for every row of ratings.respondents",
        )
    design = Design.of(pairs.respondents, conf_level=conf_level)
    parts = [
        _leave_out(level, kept, design) for level in list_levels(pairs, touchpoints=touchpoints)
    ]
    table = pd.concat(parts, ignore_index=True)
    table["q_value"] = adjust_p_values(table["p_value"])
    table["n_tests"] = table["p_value"].count()
    return table[_FLAGGED]


def _leave_out(level: Level, kept: NDArray[np.bool_], design: Design) -> pd.DataFrame:
    """Estimate the gaps of those kept and what leaving out the others changes."""
    values = np.where(design.counts(level.means.gap), level.means.gap, np.nan)
    own = np.where(kept[:, None], values, np.nan)
    part = describe_members(level)[["level", "name", "text"]]
    part["gap"] = design.average(values)
    without = design.estimate(own)
    part["n"] = (~np.isnan(values)).sum(axis=0)
    part["n_flagged"] = part["n"] - without["n"]
    part["gap_without"] = without["mean"]
    part["without_low"], part["without_high"] = without["conf_low"], without["conf_high"]
    change = (part["gap_without"] - part["gap"]).to_numpy()
    # what every respondent adds to the error of the change: its mean is zero
    weight = design.weights
    total, kept_total = (weight @ ~np.isnan(side) for side in (values, own))
    scale = total / np.maximum(kept_total, 1e-300)
    pull = np.nan_to_num((own - part["gap_without"].to_numpy()) * scale)
    spread = design.estimate(pull - (values - part["gap"].to_numpy()))
    is_told = part["n_flagged"].gt(1) & without["n"].gt(1) & spread["std_error"].gt(0)
    error = np.where(is_told, spread["std_error"], np.nan)
    half = stats.t.ppf(0.5 + design.conf_level / 2, spread["degrees"]) * error
    part["change"], part["change_low"], part["change_high"] = change, change - half, change + half
    return part.assign(p_value=2 * stats.t.sf(np.abs(change) / error, spread["degrees"]))


def _find_groups(ratings: Ratings, by: str) -> NDArray[np.object_]:
    respondents = ratings.respondents
    if by in ratings.varying:
        raise InputError(
            f"'{by}' is not one group per respondent.",
            "table 'answers'",
            "group by a column that is constant for a respondent",
        )
    if by not in respondents.columns:
        raise InputError(
            f"There is no column '{by}' to group by.",
            "table 'answers'",
            closest(by, respondents.columns),
        )
    return as_labels(respondents[by]).to_numpy(dtype=object)


def _compare(level: Level, sides: Sides, inside: NDArray[np.bool_], design: Design) -> pd.DataFrame:
    """Estimate the gaps of some respondents and their difference from all others."""
    table = describe_members(level)[["level", "name", "text"]]
    means = (("expectation", level.means.expectation), ("perception", level.means.perception))
    for role, values in means:
        table[role] = weighted_means(values[inside], design.weights[inside])
    return table.join(sides.compare(inside))


_GROUPS = [
    *("group", "level", "name", "text", "n", "expectation", "perception"),
    *("gap", "std_error", "conf_low", "conf_high"),
    *("difference", "difference_low", "difference_high", "p_value", "q_value", "n_tests"),
]
_FLAGGED = [
    *("level", "name", "text", "n", "n_flagged", "gap", "gap_without"),
    *("without_low", "without_high", "change", "change_low", "change_high"),
    *("p_value", "q_value", "n_tests"),
]
