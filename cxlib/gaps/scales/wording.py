"""Findings on scales in plain sentences, made from the tables and from nothing else."""

from __future__ import annotations

import pandas as pd

from cxlib.gaps.scales.cfa import DISTINCT_BELOW, FactorModel
from cxlib.gaps.scales.fit import ACCEPTABLE_CFI, SURE
from cxlib.gaps.scales.invariance import Invariance

RELIABLE_FOR_GROUPS = 0.70
RELIABLE_FOR_ONE = 0.90
_SHOWN = 4  # names in a sentence before it becomes a list nobody reads


def describe_scales(
    scales: pd.DataFrame, *, role: str = "perception", conf_level: float = 0.95
) -> str:
    """Say whether the items of each dimension measure one thing well enough to compare groups.

    Parameters
    ----------
    scales : pandas.DataFrame
        From `summarise_scales`.
    role : str, default "perception"
        The role to speak about.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        Two to four sentences.

    Notes
    -----
    A dimension is reliable enough for groups when the whole interval of alpha is .70 or more, not
    reliable enough when the whole interval is less, and undecided between.
    """
    rows = scales[scales["role"].eq(role)]
    rows = rows[rows["level"].eq("dimension")] if rows["level"].eq("dimension").any() else rows
    known = rows[rows["alpha"].notna()]
    if not len(known):
        return f"Too few items or answers to tell how reliable the {role} is by dimension."
    enough = known[known["conf_low"].ge(RELIABLE_FOR_GROUPS)]
    poor = known[known["conf_high"].lt(RELIABLE_FOR_GROUPS)]
    unsure = len(known) - len(enough) - len(poor)
    told = [
        f"Dimensions reliable enough to compare groups ({role}, alpha {RELIABLE_FOR_GROUPS:.2f} or "
        f"more): {len(enough)} of {len(known)}; not reliable enough: {len(poor)}; undecided: "
        f"{unsure}."
    ]
    least = known.loc[known["alpha"].idxmin()]
    told.append(
        f"Lowest is '{least['name']}': alpha {_interval(least, 'alpha', conf_level)}, "
        f"{int(least['n']):,} respondents, {int(least['n_items'])} items"
        + (
            f"; its item that goes least with the others is '{least['weakest_item']}' "
            f"({least['item_rest']:+.2f})."
            if pd.notna(least["item_rest"])
            else "."
        )
    )
    doubtful = known[known["p_acceptable"].le(1 - SURE)]
    if len(doubtful):
        told.append(f"More than one thing is measured by {_names(doubtful['name'])}.")
    single = rows[rows["n_items"].lt(2)]
    if len(single):
        told.append(f"Of one item, so not to be told: {_names(single['name'])}.")
    return " ".join(told)


def describe_gap_reliability(reliability: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say whether gaps are reliable enough to compare groups, or single customers.

    Parameters
    ----------
    reliability : pandas.DataFrame
        From `gap_reliability`.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        Two or three sentences.

    Notes
    -----
    Judged is the interval of the higher of the two readings: it lies above what is needed, below
    it, or the verdict is undecided.
    """
    rows = reliability[reliability["level"].eq("total") & reliability["reliability"].notna()]
    if not len(rows):
        return "Too few items or answers to tell how reliable the gap is."
    row = rows.iloc[0]
    told = (
        f"The gap over all items has a reliability of "
        f"{_interval(row, 'reliability', conf_level)}, {int(row['n']):,} respondents; the alpha of "
        f"the item gaps, the upper reading, is {row['alpha_gap']:.2f}. Its two sides have "
        f"{row['alpha_expectation']:.2f} and {row['alpha_perception']:.2f} and correlate by "
        f"{row['correlation']:.2f}: the more they share, the less is left of the difference."
    )
    is_upper = row["alpha_gap"] > row["reliability"] or pd.isna(row["conf_low"])
    low, high = (
        row["alpha_low" if is_upper else "conf_low"],
        row["alpha_high" if is_upper else "conf_high"],
    )
    if high < RELIABLE_FOR_GROUPS:
        return f"{told} Means of many customers may be read, single customers not ranked by it."
    if low < RELIABLE_FOR_GROUPS:
        return (
            f"{told} Whether that is enough to compare groups ({RELIABLE_FOR_GROUPS:.2f}) is "
            "undecided; single customers are not to be ranked by it."
        )
    if low < RELIABLE_FOR_ONE:
        return f"{told} Good enough to compare groups, not to rank single customers."
    return told


def describe_common_share(common: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say how much of all answers goes one way.

    Parameters
    ----------
    common : pandas.DataFrame
        From `common_share`.
    conf_level : float, default 0.95
        Level of the interval.

    Returns
    -------
    str
        One sentence.
    """
    row = common.iloc[0]
    return (
        f"One common direction holds {row['share']:.0%} of the variance of all "
        f"{int(row['n_items'])} items ({100 * conf_level:g}% interval {row['conf_low']:.0%} to "
        f"{row['conf_high']:.0%}, {int(row['n']):,} respondents who answered all): overall opinion "
        "or a habit of answering, which one survey cannot tell apart."
    )


def describe_factors(model: FactorModel) -> str:
    """Say whether the dimensions fit the answers and are distinct.

    Parameters
    ----------
    model : FactorModel
        From `fit_factors`.

    Returns
    -------
    str
        Two or three sentences, and the notes of the model.
    """
    fit = model.fit.iloc[0]
    about = f"{int(fit['n_items'])} items, {int(fit['n']):,} respondents who answered all"
    measures = (
        f"CFI {fit['cfi']:.2f}, RMSEA {fit['rmsea']:.3f} [{fit['conf_low']:.3f}, "
        f"{fit['conf_high']:.3f}], SRMR {fit['srmr']:.3f}"
    )
    if fit["df"] == 0:
        told = [f"Three items always fit one dimension, so nothing is tested ({about})."]
    elif fit["p_acceptable"] >= SURE:
        told = [f"The answers fit the dimensions ({measures}; {about})."]
    elif fit["p_acceptable"] <= 1 - SURE:
        told = [
            f"The answers do not fit the dimensions ({measures}; {about}): items go together in "
            "another way than the questionnaire says."
        ]
    else:
        told = [
            f"Whether the answers fit the dimensions is undecided: {fit['p_acceptable']:.0%} sure "
            f"that CFI is {ACCEPTABLE_CFI:.2f} or more ({measures}; {about})."
        ]
    told += [*_distinct(model), *model.notes]
    return " ".join(told)


def _distinct(model: FactorModel) -> list[str]:
    """Warn of dimensions that are one and the same."""
    pairs = model.correlations
    if not len(pairs):
        return []
    same = pairs[pairs["p_same"].ge(SURE)].sort_values("estimate", ascending=False)
    unsure = pairs[pairs["p_same"].gt(1 - SURE) & pairs["p_same"].lt(SURE)]
    shown = "; ".join(
        f"'{row['dimension_a']}' and '{row['dimension_b']}' "
        f"{_interval(row, 'estimate', model.conf_level)}"
        for _, row in same.head(2).iterrows()
    )
    limit = f"correlation above {DISTINCT_BELOW:.1f}"
    if not len(same):
        told = f"No two of the dimensions are the same for all purposes ({limit})"
    else:
        more = f"; and {len(same) - 2} more" if len(same) > 2 else ""
        told = f"Not distinct, {limit}: {len(same)} of {len(pairs)} pairs ({shown}{more})"
    return [f"{told}, {len(unsure)} undecided." if len(unsure) else f"{told}."]


def describe_invariance(result: Invariance) -> str:
    """Say what may be compared between groups, scale by scale.

    Parameters
    ----------
    result : Invariance
        From `fit_invariance`.

    Returns
    -------
    str
        One sentence per kind of verdict, the best first, then what was left out.
    """
    verdicts = result.verdicts
    openings = {
        "means": "Groups may be compared on their means",
        "partial": "Groups may be compared on means, but not on the items named",
        "relations": "Groups may be compared in what goes with what, not in their means",
        "none": "Groups may not be compared: the items do not measure the same",
        "undecided": "It is undecided whether groups may be compared",
        "untested": "Whether groups may be compared cannot be tested",
    }
    told = []
    for verdict, opening in openings.items():
        rows = verdicts[verdicts["verdict"].eq(verdict)]
        if not len(rows):
            continue
        if verdict == "untested":
            told.append(f"{opening}: {_names(rows['name'])}. {rows['reason'].iloc[0]}")
        else:
            scales = "; ".join(_scale(row) for _, row in rows.iterrows())
            told.append(f"{opening}: {scales}.")
    if verdicts["verdict"].isin(["relations", "none", "undecided", "untested"]).any():
        told.append("Where means may not be compared, read each group by itself or item by item.")
    lost = result.groups[~result.groups["is_used"]]
    if len(lost):
        pairs = lost.groupby("group", sort=False)["name"].nunique()
        shown = ", ".join(f"'{group}' in {n}" for group, n in pairs.items())
        told.append(
            f"Groups left out in some of {len(verdicts)} scales, with the reason in the table: "
            f"{shown}."
        )
    return " ".join([*told, *result.notes])


def _scale(row: pd.Series) -> str:
    """Tell one scale with what its verdict rests on."""
    sure = f"{row['certainty']:.0%} sure" if pd.notna(row["certainty"]) else ""
    if row["verdict"] == "undecided":
        sure = row["reason"].rstrip(".").replace("It is ", "").replace(". R", ", r")
    freed = f"without {row['freed']}" if row["freed"] else ""
    about = [freed, f"{row['n_groups']} groups", f"{row['n']:,} respondents", sure]
    return f"'{row['name']}' ({', '.join(part for part in about if part)})"


def _names(names: pd.Series) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _interval(row: pd.Series, name: str, conf_level: float) -> str:
    if pd.isna(row["conf_low"]):
        return f"{row[name]:.2f} (no interval: too few gave all answers)"
    ends = f"{row['conf_low']:.2f} to {row['conf_high']:.2f}"
    return f"{row[name]:.2f} ({100 * conf_level:g}% interval {ends})"
