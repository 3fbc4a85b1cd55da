"""Findings in plain sentences, made from the tables and from nothing else."""

from __future__ import annotations

from typing import Any

import pandas as pd

RELIABLE = 0.70  # alpha below this does not order single respondents
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
    """
    rows = gaps[gaps["level"].eq(level) & gaps["conf_low"].notna()]
    if not len(rows):
        return f"Too few answers to tell any gap by {level} with an interval."
    worst = rows.loc[rows["gap"].idxmin()]
    interval = f"{conf_level:.0%} interval {worst['conf_low']:+.2f} to {worst['conf_high']:+.2f}"
    size = f"{worst['gap']:+.2f} points{_on_scale(worst)} ({interval}, {worst['n']:,} respondents)"
    if level == "total":
        return f"Over everything asked, perception minus expectation is {size}."
    if worst["gap"] >= 0:
        return f"Perception falls short of expectation nowhere; the least good {level} is " + (
            f"{_label(worst)}: {size}."
        )
    if worst["conf_high"] >= 0:
        return f"No {level} clearly falls short; the lowest is {_label(worst)}: {size}."
    if len(rows) == 1 or worst["p_lowest"] >= SURE:
        return f"Perception falls most short on {_label(worst)}: {size}."
    rivals = rows.sort_values(["p_lowest", "name"], ascending=[False, True])
    rivals = rivals[rivals["p_lowest"].ge(0.05)].head(3)
    chances = "; ".join(f"{_label(row)}, {row['p_lowest']:.0%}" for _, row in rivals.iterrows())
    return (
        f"The largest shortfall measured is on {_label(worst)}: {size}. Which {level} falls most "
        f"short is undecided (chance of being it: {chances})."
    )


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
        One sentence.
    """
    rows = gaps[gaps["level"].eq(level)]
    clear = rows["q_value"].lt(1 - conf_level)
    short, over = int((clear & rows["gap"].lt(0)).sum()), int((clear & rows["gap"].gt(0)).sum())
    n_tests = int(rows["q_value"].count())
    return (
        f"By {level}, {short} of {len(rows)} clearly fall short and {over} clearly exceed "
        f"expectation ({_comparisons(n_tests)}, false discovery rate {1 - conf_level:.0%})."
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
        low = total["reliability"] < RELIABLE
        told += (
            "Means over many respondents stand; single respondents should not be ranked by it."
            if low
            else "That is enough to compare respondents, with care."
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
    return " ".join(parts) or "No item of this survey feeds a score."


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


def _on_scale(row: pd.Series) -> str:
    if pd.isna(row["scale_min"]):
        return ""
    return f" on the scale {row['scale_min']:g} to {row['scale_max']:g}"


def _label(row: pd.Series) -> str:
    text = str(row["text"]) if pd.notna(row["text"]) else ""
    if not text:
        return f"'{row['name']}'"
    return f"'{text.rstrip('.') if len(text) <= 80 else text[:77].rstrip() + '...'}'"
