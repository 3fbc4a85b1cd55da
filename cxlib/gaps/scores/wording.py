"""Sentences on scores and on the silent, rendered from their tables."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.gaps.scores.weighting import Weighting

SCENARIOS = {
    "respondents": "like all who answered",
    "cell": "like respondents with the same attributes",
    "late": "like the last third to answer",
    "churned": "like respondents who left later",
}
_NAMES = {
    **{"nps": "NPS", "csat": "CSAT", "ces": "CES"},
    **{"response_rate": "response rate", "gap": "total gap"},
}


def name_score(metric: str) -> str:
    """Name a score as managers do.

    Parameters
    ----------
    metric : str
        As in the tables.

    Returns
    -------
    str
        Such as ``"NPS"``.
    """
    return _NAMES.get(metric, metric)


def format_score(value: float, unit: str) -> str:
    """Write a score the way its unit asks.

    Parameters
    ----------
    value : float
        A score or an end of its interval.
    unit : str
        As in `summarise_scores`: points, percent or scale points; empty for a gap.

    Returns
    -------
    str
        Such as ``"+12"``, ``"0"``, ``"42%"``, ``"5.31"`` or ``"-0.53"``.
    """
    if unit == "points":
        return f"{round(value):+d}" if round(value) else "0"
    if unit == "percent":
        return f"{value:.0f}%"
    return f"{value:.2f}" if unit else f"{value:+.2f}"


def format_change(value: float, unit: str) -> str:
    """Write a difference of scores the way its unit asks.

    Parameters
    ----------
    value : float
        A difference or an end of its interval.
    unit : str
        As in `summarise_scores`; empty for a gap.

    Returns
    -------
    str
        With its sign; one decimal for points and percent, else two.
    """
    # adding 0.0 turns a rounded -0.0 into 0.0
    digits = 1 if unit in ("points", "percent") else 2
    return f"{round(value, digits) + 0.0:+.{digits}f}"


def describe_scores(scores: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say the scores of all: weighted where they are, raw with the share who answered.

    Parameters
    ----------
    scores : pandas.DataFrame
        From `summarise_scores`.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        A sentence for every score, wave by wave; what to do when there is none.
    """
    rows = scores[scores["group"].eq("all") & scores["metric"].ne("response_rate")]
    has_waves = rows["wave"].nunique() > 1
    interval = f"{100 * conf_level:g}% interval"
    told: dict[str, list[str]] = {}  # scores with the same answers behind them share a sentence
    for key, part in rows.groupby(["metric", "item", "wave"], sort=False):
        of_kind = {str(row.weighting): row for row in part.itertuples()}
        name = f"{name_score(key[0])} ({key[1]}{f', {key[2]}' if has_waves else ''})"
        said = [_say_score(of_kind[k], k, interval) for k in ("weighted", "raw") if k in of_kind]
        told.setdefault(_say_answers(part.iloc[0]), []).append(f"{name} is {', '.join(said)}")
    sentences = [f"{'; '.join(parts)}. {answers}" for answers, parts in told.items()]
    return " ".join(sentences) or (
        "No item of this survey feeds a score: set `metric` (nps, csat, ces) in the items table."
    )


def _say_score(row: Any, weighting: str, interval: str) -> str:
    ends = _ends(row)
    told = f"{interval} {ends}" if ends else "no interval: too few answers, or all alike"
    name = "unweighted" if weighting == "raw" else weighting
    return f"{format_score(row.score, row.unit)} {name} ({told})"


def _say_answers(row: pd.Series) -> str:
    answered = f"{row['n']:,} answer{'s' if row['n'] != 1 else ''}"
    if pd.isna(row["response_share"]):
        return f"{answered}; how many were invited is not known."
    return f"{answered}; {row['response_share']:.0%} of {row['n_invited']:,} invited responded."


def _ends(row: Any) -> str:
    if pd.isna(row.conf_low):
        return ""
    return " to ".join(format_score(end, row.unit) for end in (row.conf_low, row.conf_high))


def describe_response(scores: pd.DataFrame) -> str:
    """Say how many of the invited answered, or that this is not known.

    Parameters
    ----------
    scores : pandas.DataFrame
        From `summarise_scores` or `summarise_response`.

    Returns
    -------
    str
        A sentence a wave.
    """
    rows = scores[scores["group"].eq("all") & scores["metric"].eq("response_rate")]
    if not len(rows):
        return "It is not known how many were invited, so not how many kept silent."
    told = " ".join(
        f"{row.score:.0f}% of {row.n:,} invited answered"
        f"{f' ({row.wave})' if len(rows) > 1 else ''}."
        for row in rows.itertuples()
    )
    return f"{told} Unweighted scores speak for these alone; the silent may think differently."


def describe_weighting(weighting: Weighting) -> str:
    """Say what the answers were weighted to, what it costs, and what was left out.

    Parameters
    ----------
    weighting : Weighting
        From `weight_respondents`.

    Returns
    -------
    str
        Two sentences and one for everything that did not go as wished.
    """
    used = weighting.attributes[weighting.attributes["is_used"]]
    left = weighting.attributes[~weighting.attributes["is_used"]]
    notes = [f" Not used: {row.attribute}, {row.reason}." for row in left.itertuples()]
    summary, margins = weighting.summary, weighting.margins
    n_outside = int(summary["n_outside"].sum())
    if n_outside:
        notes.append(f" Respondents who had not been invited have no weight: {n_outside:,}.")
    if not len(used):
        return "Nothing is weighted: no attribute of the invited can be used." + "".join(notes)
    n_frame = int(summary["n_frame"].sum())
    whom = f"the {n_frame:,} invited" if n_frame else "the population"
    told = f"Answers are weighted to look like {whom} by {_join(list(used['attribute']))}."
    if margins["response_share"].notna().any():
        low = margins.loc[margins["response_share"].idxmin()]
        high = margins.loc[margins["response_share"].idxmax()]
        told += (
            f" {low['response_share']:.0%} responded of {low['attribute']} {low['level']}, "
            f"{high['response_share']:.0%} of {high['attribute']} {high['level']}."
            if low["response_share"] < high["response_share"]
            else f" {low['response_share']:.0%} responded of every group."
        )
    told += (
        f" Weights run from {summary['lowest'].min():.2f} to {summary['highest'].max():.2f}; if "
        f"they had nothing to do with the answers, {int(summary['n'].sum()):,} answers would be "
        f"worth {summary['n_effective'].sum():,.0f} (design effect "
        f"{summary['design_effect'].max():.2f})."
    )
    for row in used[used["n_joined"].gt(0)].itertuples():
        notes.insert(0, f" Rare values of {row.attribute} were joined: {row.n_joined}.")
    if summary["n_trimmed"].sum():
        notes.append(
            f" The highest weight allowed binds for {int(summary['n_trimmed'].sum()):,} "
            f"respondents; a share of the invited is missed by up to "
            f"{100 * summary['largest_miss'].max():.1f} percentage points."
        )
    return told + "".join(notes)


def describe_scenarios(scenarios: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say what one score of all invited would be under each assumption about the silent.

    Parameters
    ----------
    scenarios : pandas.DataFrame
        Rows of one score item from `bound_scores`.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        One to four sentences.
    """
    if not len(scenarios):
        return "Too few of the invited answered to say what the silent could change."
    rows = {str(row.scenario): row for row in scenarios.itertuples()}
    first = next(iter(rows.values()))
    silent = first.n_silent / (first.n + first.n_silent)
    unit = first.unit
    order = [name for name in ("respondents", "cell", "late", "churned") if name in rows]
    assumed = [
        f"{format_score(rows[name].score, unit)} if they are {SCENARIOS[name]}"
        f"{f' ({ends})' if (ends := _ends(rows[name])) else ''}"
        for name in order
    ]
    told = f"{silent:.0%} of the invited did not answer. {name_score(first.metric)} of all invited"
    if assumed:
        told += f" is {_join(assumed)} ({100 * conf_level:g}% intervals)"
    ends = " to ".join(format_score(rows[name].score, unit) for name in ("worst", "best"))
    told += f"; with nothing assumed, anything from {ends} is possible."
    for name, who in (("late", "The last to answer"), ("churned", "Respondents who left later")):
        if name in rows and pd.notna(rows[name].q_value):
            told += f" {who} {_say_test(rows[name], conf_level)}."
    tested = [name for name in ("late", "churned") if name in rows]
    if tested and not any(rows[name].q_value < 1 - conf_level for name in tested):
        told += " That does not show that the silent are like them."
    return told


def _say_test(row: Any, conf_level: float) -> str:
    size = f"{format_change(row.difference, row.unit)}, q {row.q_value:.2g}"
    if row.q_value < 1 - conf_level:
        return f"scored {'lower' if row.difference < 0 else 'higher'} than the others ({size})"
    return f"do not differ from the others by more than chance ({size})"


def list_score_figures(scores: pd.DataFrame) -> list[dict[str, Any]]:
    """List the overall scores as key figures, percentages as shares.

    Parameters
    ----------
    scores : pandas.DataFrame
        From `summarise_scores`, of one wave.

    Returns
    -------
    list of dict
        For each metric and weighting, its first item: `id` (the metric; `<metric>_weighted`),
        `label`, `value`, `conf_low`, `conf_high`, `n`, `unit` (share for percentages).
    """
    rows = scores[scores["group"].eq("all")].drop_duplicates(["metric", "weighting"])
    figures = []
    for row in rows.itertuples():
        factor = 0.01 if row.unit == "percent" else 1.0
        ends = {"value": row.score, "conf_low": row.conf_low, "conf_high": row.conf_high}
        name = name_score(row.metric)
        is_weighted = row.weighting == "weighted"
        about = ", ".join(part for part in (row.item, "weighted" if is_weighted else "") if part)
        figures.append(
            {
                "id": f"{row.metric}_weighted" if is_weighted else row.metric,
                "label": f"{name[0].upper()}{name[1:]}{f' ({about})' if about else ''}",
                **{key: factor * value for key, value in ends.items()},
                "n": row.n,
                "unit": "share" if row.unit == "percent" else "points",
            }
        )
    return figures


def _join(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
