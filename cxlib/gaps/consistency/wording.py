"""Findings on consistency in plain sentences, made from its tables and nothing else."""

from __future__ import annotations

from typing import Any

import pandas as pd

_PLURALS = {"touchpoint": "touchpoints", "channel": "channels", "department": "departments"}
_PLURALS |= {"item": "items", "wave": "waves", "respondent": "respondents", "unit": "units"}
_FEW_LEVELS = 5


def part_name(row: Any) -> str:
    """Name a part of the variance with the number of its levels.

    Parameters
    ----------
    row : named tuple
        A row of `split_variance`.

    Returns
    -------
    str
        Such as "between 8 touchpoints".
    """
    if row.part == "residual":
        return "within respondents (what is left)"
    if row.part not in _PLURALS:
        return f"between {row.n_levels:,} groups by {row.part}"
    return f"between {row.n_levels:,} {_PLURALS[row.part]}"


def describe_variance(parts: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say between what the ratings differ, and how much of it is single answers.

    Parameters
    ----------
    parts : pandas.DataFrame
        From `split_variance`.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        Two to four sentences.
    """
    told, is_first = [], True
    for row in parts.sort_values("share", ascending=False, kind="stable").itertuples():
        if row.part in ("respondent", "residual", "item"):
            continue
        named = f"{100 * conf_level:g}% interval " if is_first else ""
        told.append(
            f"{row.share:.1%} {part_name(row)} ({named}{row.conf_low:.1%} to {row.conf_high:.1%}; "
            f"one typically lies {row.std_dev:.2f} points off)"
        )
        is_first = False
    listed = "; ".join(told)
    text = f"Of the variance of ratings lies {listed}." if told else ""
    rest = parts[parts["part"].isin(["respondent", "residual"])].set_index("part")
    if "respondent" in rest.index:
        one, other = rest.loc["respondent"], rest.loc["residual"]
        text += (
            f" Between respondents lies {one['share']:.0%} ({one['conf_low']:.0%} to "
            f"{one['conf_high']:.0%}), within one and the same respondent {other['share']:.0%} "
            f"({other['conf_low']:.0%} to {other['conf_high']:.0%})."
        )
    row = parts.iloc[0]
    text += f" {row['n_ratings']:,} ratings of {row['n']:,} respondents."
    ways = [_PLURALS[name] for name in _PLURALS if name in set(parts["part"])][:3]
    ways = [way for way in ways if way in ("touchpoints", "channels", "departments")]
    if len(ways) > 1:
        text += f" {_join(ways).capitalize()} sort the same items: do not add these shares."
    few = parts[parts["n_levels"].lt(_FEW_LEVELS)]
    if len(few):
        listed = _join([part_name(r).removeprefix("between ") for r in few.itertuples()])
        text += f" With {listed} little can be said about others of that kind."
    return text.strip()


def describe_units(units: pd.DataFrame, *, by: str = "unit", conf_level: float = 0.95) -> str:
    """Say how far units differ and which of them lie below or above the average.

    Parameters
    ----------
    units : pandas.DataFrame
        From `shrink_units`.
    by : str, default "unit"
        Column the units come from.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        Three or four sentences.
    """
    if not len(units):
        return f"No group by {by} has enough respondents to be shown."
    first = units.iloc[0]
    text = (
        f"{len(units)} groups by {by} differ by a standard deviation of about "
        f"{first['spread']:.2f} points beyond chance ({100 * conf_level:g}% interval "
        f"{first['spread_low']:.2f} to {first['spread_high']:.2f}). "
    )
    for verdict in ("below", "above"):
        rows = units[units["verdict"].eq(verdict)]
        rows = rows if verdict == "below" else rows.iloc[::-1]
        chance = rows["p_below"] if verdict == "below" else 1 - rows["p_below"]
        listed = "; ".join(
            f"{row.name} {row.estimate:.2f} ({row.conf_low:.2f} to {row.conf_high:.2f}, "
            f"probability {p:.0%}, n = {row.n:,})"
            for row, p in zip(rows.head(3).itertuples(index=False), chance, strict=False)
        )
        more = f"; and {len(rows) - 3} more" if len(rows) > 3 else ""
        text += f"Likely {verdict} the average: {listed or 'none'}{more}. "
    undecided = int(units["verdict"].eq("undecided").sum())
    text += f"Undecided: {undecided} of {len(units)}. "
    lowest = units.loc[units["p_lowest"].idxmax()]
    if lowest["p_lowest"] >= 0.8:
        text += f"The lowest is {lowest['name']} (probability {lowest['p_lowest']:.0%})."
    else:
        text += (
            f"Which is the lowest is undecided: the likeliest, {lowest['name']}, is it with a "
            f"probability of {lowest['p_lowest']:.0%}."
        )
    return text


def describe_kinds(kinds: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say whether emotional items fall further short than functional ones.

    Parameters
    ----------
    kinds : pandas.DataFrame
        From `compare_kinds`.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        One or two sentences.
    """
    rows = kinds.set_index("name")
    first, second, row = (rows.loc[name] for name in ("functional", "emotional", "difference"))
    told = (
        f"On {int(second['n_items'])} emotional item{_s(second)} the gap is "
        f"{second['gap']:+z.2f}, on {int(first['n_items'])} functional item{_s(first)} "
        f"{first['gap']:+z.2f}"
    )
    if pd.isna(row["conf_low"]):
        return f"{told}; the difference, {row['gap']:+z.2f}, has no interval."
    ends = f"{100 * conf_level:g}% interval {row['conf_low']:+z.2f} to {row['conf_high']:+z.2f}"
    is_shown = row["conf_low"] > 0 or row["conf_high"] < 0
    lower = "emotional" if row["gap"] < 0 else "functional"
    finding = f"{lower} items fall further short" if is_shown else "no difference was shown"
    return (
        f"{told}: {finding} (difference {row['gap']:+z.2f}, {ends}, {int(row['n']):,} respondents "
        "who rated both). It holds for these items, not for all that might be asked."
    )


def _s(row: pd.Series) -> str:
    return "" if row["n_items"] == 1 else "s"


def _join(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
