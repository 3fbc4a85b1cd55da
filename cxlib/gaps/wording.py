"""Findings in plain sentences, made from the tables and from nothing else."""

from __future__ import annotations

from typing import Any

import pandas as pd

RELIABLE_FOR_GROUPS = 0.70
RELIABLE_FOR_ONE = 0.90
SURE = 0.80  # a rank less certain than this is called undecided
SCORE_NAMES = {"nps": "NPS", "csat": "CSAT", "ces": "CES", "response_rate": "response rate"}


def describe_gaps(gaps: pd.DataFrame, *, level: str = "item", conf_level: float = 0.95) -> str:
    """Say where perception falls most short, by how much and how sure that is.

    Parameters
    ----------
    gaps : pandas.DataFrame
        From `summarise_gaps`.
    level : {"item", "dimension", "touchpoint", "total"}, default "item"
        The rows to speak about.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        One to three sentences.

    Notes
    -----
    A shortfall is shown where the q-value of the row is below 1 - conf_level, or where all
    respondents agree, which leaves nothing to test. The lowest of these is named. "Most short"
    takes a chance (`p_lowest`) of 80 % and no lower row.
    """
    of_level = gaps[gaps["level"].eq(level)]
    rows = of_level[of_level["std_error"].notna()]
    if not len(rows):
        return f"Too few answers to tell any gap by {level} with an interval."
    if level == "total":
        total = _size(rows.iloc[0], conf_level)
        return f"Over everything asked, perception minus expectation is {total}."
    lowest = of_level.loc[of_level["gap"].idxmin()]
    told = f"{_label(lowest)}: {_size(lowest, conf_level)}"
    is_shown = rows["q_value"].lt(1 - conf_level) | rows["std_error"].eq(0)
    short = rows[is_shown & rows["gap"].lt(0)]
    if not len(short):
        corrected = ""
        if lowest["conf_high"] < 0:  # its own interval seems to say otherwise
            corrected = f", corrected for {_comparisons(int(lowest['n_tests']))}"
        return f"No shortfall was shown on any {level}{corrected}; the lowest is {told}."
    first = short.loc[short["gap"].idxmin()]
    rank = _undecided(rows, first, level)
    if lowest["gap"] < first["gap"]:
        return (
            f"The largest clear shortfall is on {_label(first)}: {_size(first, conf_level)}. "
            f"The lowest measured is {told}, but that is uncertain.{rank}"
        )
    opening = "The largest shortfall measured is" if rank else "Perception falls most short"
    return f"{opening} on {_label(first)}: {_size(first, conf_level)}.{rank}"


def describe_clear_gaps(
    gaps: pd.DataFrame, *, level: str = "item", conf_level: float = 0.95
) -> str:
    """Say how many rows of a level clearly fall short or exceed, and how many were tested.

    Parameters
    ----------
    gaps : pandas.DataFrame
        From `summarise_gaps`.
    level : {"item", "dimension", "touchpoint", "total"}, default "item"
        The rows to speak about.
    conf_level : float, default 0.95
        1 - conf_level bounds the false discovery rate.

    Returns
    -------
    str
        One sentence, and one on rows that cannot be tested because all respondents agree.
    """
    rows = gaps[gaps["level"].eq(level)]
    if not len(rows):
        return f"Too few answers to tell any gap by {level}."
    clear = rows["q_value"].lt(1 - conf_level)
    short, over = int((clear & rows["gap"].lt(0)).sum()), int((clear & rows["gap"].gt(0)).sum())
    agreed = rows[rows["std_error"].eq(0)].sort_values(["gap", "name"]).head(3)
    named = "; ".join(f"{_label(row)} {row['gap']:+.2f}" for _, row in agreed.iterrows())
    return (
        f"By {level}, {short} of {len(rows)} clearly fall short and {over} clearly exceed "
        f"expectation ({_comparisons(int(rows['n_tests'].iloc[0]))}, false discovery rate "
        f"{1 - conf_level:.0%}).{f' Not tested, because all agree: {named}.' if named else ''}"
    )


def describe_gap_groups(groups: pd.DataFrame, *, min_cell: int, conf_level: float = 0.95) -> str:
    """Say whether any group's total gap differs from that of all others.

    Parameters
    ----------
    groups : pandas.DataFrame
        From `compare_gap_groups`.
    min_cell : int
        Groups with fewer respondents are not named.
    conf_level : float, default 0.95
        Level of the intervals in the table; 1 - conf_level bounds the false discovery rate.

    Returns
    -------
    str
        One or two sentences.
    """
    rows = groups[groups["level"].eq("total")]
    shown = rows[rows["n"].ge(min_cell) & rows["q_value"].notna()]
    small = int(rows["n"].lt(min_cell).sum())
    note = f" Groups with fewer than {min_cell} respondents: {small}, not shown." if small else ""
    if len(rows) < 2:
        return "All respondents are in one group: there is nothing to compare."
    if not len(shown):
        return f"Too few respondents to compare groups.{note}"
    clear = shown[shown["q_value"].lt(1 - conf_level)]
    tested = f"{_comparisons(int(rows['n_tests'].iloc[0]))}, false discovery rate"
    tested = f"({tested} {1 - conf_level:.0%})"
    if not len(clear):
        return f"No group's total gap differs clearly from that of all others {tested}.{note}"
    told = "; ".join(
        f"{row.group} {row.difference:+.2f} points ({row.difference_low:+.2f} to "
        f"{row.difference_high:+.2f})"
        for row in clear.head(5).itertuples()
    )
    return f"The total gap differs from that of all others {tested}: {told}.{note}"


def describe_trust(gaps: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say how reliable the total gap is and how many expectations leave no room above.

    Parameters
    ----------
    gaps : pandas.DataFrame
        From `summarise_gaps`.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        Up to three sentences.

    Notes
    -----
    By the lower end of its interval a reliability of 0.70 is enough for comparisons of groups,
    0.90 for statements about single respondents.

    References
    ----------
    .. [1] J. C. Nunnally, I. H. Bernstein (1994). Psychometric Theory, 3rd ed., 264-265.
    """
    total = gaps[gaps["level"].eq("total")].iloc[0]
    if pd.isna(total["reliability"]):
        told = "The reliability of the total gap cannot be told from these answers."
    else:
        told = (
            f"Reliability of the total gap (Cronbach's alpha of {total['n_items']} item gaps) is "
            f"{total['reliability']:.2f} ({conf_level:.0%} interval "
            f"{total['reliability_low']:.2f} to {total['reliability_high']:.2f}). "
        )
        if total["reliability_low"] >= RELIABLE_FOR_ONE:
            told += "Even its lower end is enough to compare single respondents, with care."
        elif total["reliability_low"] >= RELIABLE_FOR_GROUPS:
            told += "By its lower end that is enough for groups, not for single respondents."
        else:
            told += (
                "Means over many respondents stand; single respondents should not be ranked by it."
            )
    if pd.notna(total["ceiling_share"]):
        told += f" {total['ceiling_share']:.0%} of expectations are at the top of the scale."
    return told


def describe_scores(scores: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say each overall score with its interval.

    Parameters
    ----------
    scores : pandas.DataFrame
        From `summarise_scores`.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        One sentence per score.
    """
    rows = scores[scores["group"].eq("all") & scores["metric"].ne("response_rate")]
    parts = []
    for row in rows.itertuples():
        ends = "no interval"
        if pd.notna(row.conf_low):
            low, high = (format_estimate(end, row.unit) for end in (row.conf_low, row.conf_high))
            ends = f"{conf_level:.0%} interval {low} to {high}"
        name = f"{SCORE_NAMES.get(row.metric, row.metric)} ({row.item})"
        parts.append(
            f"{name} is {format_estimate(row.score, row.unit)} ({ends}; {row.n:,} answers)."
        )
    return " ".join(parts) or (
        "No item of this survey feeds a score: set `metric` (nps, csat, ces) in the items table."
    )


def describe_response(scores: pd.DataFrame) -> str:
    """Say how many of the invited answered, or that this is not known.

    Parameters
    ----------
    scores : pandas.DataFrame
        From `summarise_response`, or any scores.

    Returns
    -------
    str
        One sentence.
    """
    rows = scores[scores["group"].eq("all") & scores["metric"].eq("response_rate")]
    if not len(rows):
        return "It is not known how many were invited, so not how many kept silent."
    row = rows.iloc[0]
    return (
        f"{row['score']:.0f}% of {row['n']:,} invited answered; intervals say nothing about the "
        "others, who may think differently."
    )


def list_score_figures(scores: pd.DataFrame) -> list[dict[str, Any]]:
    """List the overall scores as key figures, percentages as shares.

    Parameters
    ----------
    scores : pandas.DataFrame
        From `summarise_scores` and `summarise_response`.

    Returns
    -------
    list of dict
        For each metric, its first item: `id` (the metric), `label`, `value`, `conf_low`,
        `conf_high`, `n`, `unit` (share for percentages).
    """
    rows = scores[scores["group"].eq("all")].drop_duplicates("metric")
    figures = []
    for row in rows.itertuples():
        factor = 0.01 if row.unit == "percent" else 1.0
        ends = {"value": row.score, "conf_low": row.conf_low, "conf_high": row.conf_high}
        name = SCORE_NAMES.get(row.metric, row.metric)
        figures.append(
            {
                "id": row.metric,
                "label": f"{name[0].upper()}{name[1:]}{f' ({row.item})' if row.item else ''}",
                **{key: factor * value for key, value in ends.items()},
                "n": row.n,
                "unit": "share" if row.unit == "percent" else "points",
            }
        )
    return figures


def describe_links(links: pd.DataFrame, *, outcome: str, conf_level: float = 0.95) -> str:
    """Say how strongly an outcome goes together with perception and with the gap.

    Parameters
    ----------
    links : pandas.DataFrame
        From `summarise_outcome_links`.
    outcome : str
        Name of the outcome.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        One or two sentences.
    """
    rows = links.set_index("name")
    known = rows.loc[["perception", "gap"]].dropna()
    if len(known) < 2:
        return f"Too few answers to tell how '{outcome}' goes together with perception or the gap."
    told = [
        f"with {'the gap' if row.Index == 'gap' else row.Index} by {row.correlation:+.2f} "
        f"({conf_level:.0%} interval {row.conf_low:+.2f} to {row.conf_high:+.2f})"
        for row in known.itertuples()
    ]
    return (
        f"'{outcome}' correlates {told[0]} and {told[1]}, {int(known['n'].iloc[0]):,} respondents. "
        "This describes; it does not show what drives the outcome."
    )


def format_estimate(value: float, unit: str) -> str:
    """Write an estimate the way its unit asks.

    Parameters
    ----------
    value : float
        An estimate or an end of its interval.
    unit : str
        As in `summarise_scores`: points, percent or scale points; empty for a difference or a
        correlation, which is shown with its sign.

    Returns
    -------
    str
        Such as ``"+12"``, ``"42%"`` or ``"5.31"``.
    """
    if unit == "points":
        return f"{value:+.0f}"
    if unit == "percent":
        return f"{value:.0f}%"
    return f"{value:.2f}" if unit else f"{value:+.2f}"


def _comparisons(n: int) -> str:
    return f"{n} comparison{'s' if n != 1 else ''}"


def _size(row: pd.Series, conf_level: float) -> str:
    """Tell a gap with its scale and what it rests on."""
    people = f"{row['n']:,} respondent{'s' if row['n'] != 1 else ''}"
    if row["std_error"] == 0:
        basis = f"all {people} agree"
    elif pd.isna(row["conf_low"]):
        basis = f"no interval, {people}"
    else:
        ends = f"{row['conf_low']:+.2f} to {row['conf_high']:+.2f}"
        basis = f"{conf_level:.0%} interval {ends}, {people}"
    return f"{row['gap']:+.2f} points{_on_scale(row)} ({basis})"


def _undecided(rows: pd.DataFrame, first: pd.Series, level: str) -> str:
    """Admit that the rank of the first is not sure, with the chances; empty when it is."""
    if pd.isna(first["p_lowest"]) or first["p_lowest"] >= SURE:
        return ""
    rivals = rows[rows["p_lowest"].ge(0.05)]
    rivals = rivals.sort_values(["p_lowest", "name"], ascending=[False, True]).head(3)
    chances = "; ".join(f"{_label(row)}, {row['p_lowest']:.0%}" for _, row in rivals.iterrows())
    listed = f" (chance of being it: {chances})" if chances else ""
    return f" Which {level} falls most short is undecided{listed}."


def _on_scale(row: pd.Series) -> str:
    if pd.isna(row["scale_min"]):
        return ""
    return f" on the scale {row['scale_min']:g} to {row['scale_max']:g}"


def _label(row: pd.Series) -> str:
    text = str(row["text"]) if pd.notna(row["text"]) else ""
    if not text:
        return f"'{row['name']}'"
    return f"'{text.rstrip('.') if len(text) <= 80 else text[:77].rstrip() + '...'}'"
