"""Findings on the zone of tolerance and on weighted gaps in plain sentences."""

from __future__ import annotations

import pandas as pd

from cxlib.gaps.estimates.weighting import WeightedGaps
from cxlib.gaps.estimates.wording import SURE, on_scale

_NAMED = 3


def describe_tolerance(
    tolerance: pd.DataFrame, *, level: str = "item", conf_level: float = 0.95
) -> str:
    """Say what lies below the least that customers accept, and what above their wishes.

    Parameters
    ----------
    tolerance : pandas.DataFrame
        From `summarise_tolerance`.
    level : str, default "item"
        The rows to speak about.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        One to four sentences.
    """
    rows = tolerance[tolerance["level"].eq(level)]
    if not len(rows):
        return f"Too few answers to place anything by {level}."
    counts = rows["verdict"].value_counts()
    told = (
        f"By {level}, {counts.get('below', 0)} of {len(rows)} lie below the minimum customers "
        f"accept, {counts.get('inside', 0)} inside the zone of tolerance, {counts.get('above', 0)} "
        f"above what they desire; {counts.get('undecided', 0)} are undecided (less than {SURE:.0%} "
        "sure)."
    )
    below = rows[rows["verdict"].eq("below")].nsmallest(_NAMED, "adequacy")
    if len(below):
        named = "; ".join(
            f"{_name(row)} {row['adequacy']:+.2f} points{on_scale(row)} ({100 * conf_level:g}% "
            f"interval {row['adequacy_low']:+.2f} to {row['adequacy_high']:+.2f}, {row['n']:,} "
            "respondents)"
            for _, row in below.iterrows()
        )
        told += f" Farthest below the minimum: {named}."
    return told + _tell_inverted(rows)


def _tell_inverted(rows: pd.DataFrame) -> str:
    inverted = rows[rows["n_inverted"].gt(0)]
    if not len(inverted):
        return ""
    worst = inverted.loc[inverted["n_inverted"].idxmax()]
    return (
        f" Some desire less than their minimum (most on {_name(worst)}: {worst['n_inverted']:,} of "
        f"{worst['n']:,} respondents); they have no zone, are in no share, and stay in the means."
    )


def describe_weighted_gaps(weighted: WeightedGaps, *, conf_level: float = 0.95) -> str:
    """Say what weighting by importance changes, and which dimension weighs most.

    Parameters
    ----------
    weighted : WeightedGaps
        From `weigh_gaps`.
    conf_level : float, default 0.95
        Level of the intervals in the tables.

    Returns
    -------
    str
        Three to five sentences.
    """
    total = weighted.total.set_index("measure")
    own, plain, change = (total.loc[name] for name in ("weighted", "unweighted", "difference"))
    told = (
        f"Weighted by importance the gap is {own['gap']:+.2f} points ({_ends(own, conf_level)}"
        f"{own['n']:,.0f} respondents), with all dimensions alike {plain['gap']:+.2f}; weighting "
        f"moves it by {change['gap']:+.2f}"
    )
    if pd.notna(change["conf_low"]):
        told += f" ({change['conf_low']:+.2f} to {change['conf_high']:+.2f})"
    told += f". {_tell_first(weighted.dimensions)} {_tell_basis(weighted)}"
    left_out = []
    if weighted.n_zero:
        left_out.append(f"{weighted.n_zero:,} who gave nothing but zero")
    if weighted.n_incomplete:
        left_out.append(f"{weighted.n_incomplete:,} who left out the importance of a dimension")
    return told + (f" Not in it: {' and '.join(left_out)}." if left_out else "")


def _tell_first(rows: pd.DataFrame) -> str:
    first = rows.loc[rows["contribution"].idxmin()]
    what = f"'{first['name']}' with {first['contribution']:+.2f}"
    if pd.notna(first["conf_low"]):
        what += f" ({first['conf_low']:+.2f} to {first['conf_high']:+.2f})"
    if len(rows) == 1:
        return f"It consists of {what}."
    if pd.isna(first["p_lowest"]):
        return f"Measured it is pulled down most by {what}; how sure that is cannot be told."
    if first["contribution"] >= 0:
        return f"No dimension pulls it down; the lowest is {what}."
    if first["p_lowest"] < SURE:
        return (
            f"Which dimension pulls it down most is undecided; measured it is {what}, "
            f"{first['p_lowest']:.0%} sure."
        )
    return f"It is pulled down most by {what}, {first['p_lowest']:.0%} sure."


def _tell_basis(weighted: WeightedGaps) -> str:
    if weighted.basis == "points":
        off = (
            f"; {weighted.n_off:,} gave another sum and were scaled to it" if weighted.n_off else ""
        )
        return f"Respondents divided {weighted.points:g} points among the dimensions{off}."
    low, high = weighted.dimensions["importance"].agg(["min", "max"])
    return (
        "Importance was rated, not divided as points: each respondent's ratings were scaled to "
        f"sum to 1, which pulls weights together (mean weights {low:.0%} to {high:.0%})."
    )


def _ends(row: pd.Series, conf_level: float) -> str:
    if pd.isna(row["conf_low"]):
        return "no interval, "
    return f"{100 * conf_level:g}% interval {row['conf_low']:+.2f} to {row['conf_high']:+.2f}, "


def _name(row: pd.Series) -> str:
    text = row["text"] if pd.notna(row["text"]) else row["name"]
    return f"'{str(text).rstrip('.')}'"
