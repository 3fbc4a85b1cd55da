"""What goes with the outcome and what to look at first, in plain sentences made from the tables."""

from __future__ import annotations

import pandas as pd

from cxlib.gaps.drivers.importance import Importance
from cxlib.gaps.drivers.priorities import AGREEMENT, QUADRANTS, SURE, UNDECIDED

_PLURALS = {"touchpoint": "touchpoints", "dimension": "dimensions", "item": "items"}
_MANY = 5  # names listed in a sentence
_MUCH = 0.01  # shrinkage worth a sentence


def describe_importance(importance: Importance) -> str:
    """Say what goes with the outcome most, how sure that is and what is not shown to matter.

    Parameters
    ----------
    importance : Importance
        From `fit_importance`.

    Returns
    -------
    str
        Three to five sentences.
    """
    fit = importance.fit.iloc[0]
    rows = _rows(importance, importance.method)
    kept = rows[rows["left_out"].isna()]
    level, outcome = _PLURALS[fit["level"]], fit["outcome"]
    shown = kept[kept["is_shown"].eq(True)]
    together = (
        f"With the {len(kept)} {level} together go {max(fit['r_squared_adjusted'], 0):.0%} "
        f"({100 * importance.conf_level:g}% interval {fit['conf_low']:.0%} to "
        f"{fit['conf_high']:.0%}) of the differences in '{outcome}', {fit['n']:,} respondents."
    )
    notes = _left_out(rows)
    if fit["shrinkage"] > _MUCH:
        notes.append(
            f"So few respondents rated the same {level} that their links contradict each other; "
            f"all were made weaker by {fit['shrinkage']:.0%} to fit together."
        )
    if fit["r_squared_adjusted"] <= 0 or not len(shown):
        none = f"None of the {len(kept)} {level} is shown to go with '{outcome}'."
        return " ".join([none, together, *notes])
    first = kept.loc[kept["importance"].idxmax()]
    size = (
        f"{first['share']:.0%} ({100 * importance.conf_level:g}% interval "
        f"{first['share_low']:.0%} to {first['share_high']:.0%}) of what goes with the {level}"
    )
    if first["p_top"] >= SURE:
        lead = (
            f"{_label(first)} goes with '{outcome}' most: {size}; the chance that it is the first "
            f"is {first['p_top']:.0%}."
        )
    else:
        rivals = kept[kept["p_top"].ge(0.05)].sort_values("p_top", ascending=False)
        chances = "; ".join(f"{_label(row)}, {row['p_top']:.0%}" for _, row in rivals.iterrows())
        lead = (
            f"Which of the {level} goes with '{outcome}' most is undecided (chance of being it: "
            f"{chances}). The highest measured is {_label(first)}: {size}."
        )
    weak = kept[kept["is_shown"].eq(False)]
    none = (
        f"Corrected for {len(kept)} comparisons, all are shown to go with it more than chance "
        "would make them."
        if not len(weak)
        else f"Not shown to matter, corrected for {len(kept)} comparisons: {_names(weak)}."
    )
    return " ".join([lead, together, none, *notes])


def describe_ordinal(importance: Importance) -> str:
    """Say whether the order of importance survives taking the outcome as ordered answers.

    Parameters
    ----------
    importance : Importance
        From `fit_importance`.

    Returns
    -------
    str
        One or two sentences.
    """
    fit = importance.fit.iloc[0]
    outcome = fit["outcome"]
    if "ordinal" not in importance.draws:
        return (
            f"Whether the order holds when '{outcome}' is taken as ordered answers instead of a "
            f"number could not be checked: {fit['ordinal_note']}."
        )
    rows = _rows(importance, importance.method).set_index("name")["importance"].dropna()
    other = _rows(importance, "ordinal").set_index("name")["importance"].dropna()
    agreement = rows.rank().corr(other.rank())
    same = rows.idxmax() == other.idxmax()
    chance = _rows(importance, "ordinal").set_index("name")["p_top"][other.idxmax()]
    correlate = f"; the two orders correlate {agreement:.2f}" if pd.notna(agreement) else ""
    return (
        f"Taken as ordered answers instead of a number ({fit['n_ordinal']:,} respondents who rated "
        f"everything compared), '{outcome}' {'has the same' if same else 'has another'} "
        f"{fit['level']} on top ({other.idxmax()}, chance of being it {chance:.0%}){correlate}."
    )


def describe_priorities(priorities: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say what to fix first, what to keep up and what is undecided.

    Parameters
    ----------
    priorities : pandas.DataFrame
        From `rank_priorities`.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        Two to five sentences.
    """
    by_verdict = dict(iter(priorities.groupby("verdict", sort=False)))
    first = by_verdict.get(QUADRANTS[0])
    if first is None:
        told = ["Nothing is surely both important and short of what was expected."]
    else:
        sizes = [
            f"{_label(row)} (gap {row['gap']:+.2f}, {100 * conf_level:g}% interval "
            f"{row['gap_low']:+.2f} to {row['gap_high']:+.2f}; {row['share']:.0%} of importance, "
            f"{row['share_low']:.0%} to {row['share_high']:.0%}; {row['p_quadrant']:.0%} sure, "
            f"{row['n']:,} respondents)"
            for _, row in first.head(_MANY).iterrows()
        ]
        more = f" and {len(first) - _MANY} more" if len(first) > _MANY else ""
        told = [f"Fix first: {'; '.join(sizes)}{more}."]
    low = by_verdict.get(QUADRANTS[2])
    if low is not None:
        worst = priorities.loc[priorities["gap"].idxmin()]
        told.append(f"Low priority, short but of less than average importance: {_names(low)}.")
        if worst["verdict"] == QUADRANTS[2]:
            told.append(
                f"That includes the largest gap measured, {_label(worst)} ({worst['gap']:+.2f}): a "
                "large gap need not be an important one."
            )
    for name, text in (
        (QUADRANTS[1], "Keep up, important and not short"),
        (QUADRANTS[3], "Leave as is, neither important nor short"),
    ):
        if name in by_verdict:
            told.append(f"{text}: {_names(by_verdict[name])}.")
    open_rows = by_verdict.get(UNDECIDED)
    if open_rows is not None:
        reasons = [
            f"{_names(part)} ({reason})" for reason, part in open_rows.groupby("reason", sort=False)
        ]
        told.append(f"Undecided: {'; '.join(reasons)}.")
    return " ".join(told)


def describe_stated(compared: pd.DataFrame) -> str:
    """Say where what respondents call important differs from what goes with the outcome.

    Parameters
    ----------
    compared : pandas.DataFrame
        From `compare_stated`.

    Returns
    -------
    str
        One to three sentences; empty when importance was not asked.
    """
    if not len(compared):
        return ""
    top = compared.loc[compared["stated_rank"].idxmin()]
    linked = compared.loc[compared["derived_rank"].idxmin()]
    stated = f"{_label(top)}{_chance(top['stated_p_top'])}"
    if top["name"] == linked["name"]:
        lead = (
            f"Respondents call {stated} most important, and it goes with the outcome most"
            f"{_chance(linked['derived_p_top'])}."
        )
    else:
        lead = (
            f"Respondents call {stated} most important; what goes with the outcome most is "
            f"{_label(linked)}{_chance(linked['derived_p_top'])}, which they put on rank "
            f"{linked['stated_rank']} of {len(compared)}."
        )
    told = [lead]
    for verdict, text in (
        (AGREEMENT[1], "Called important but going with the outcome less than average"),
        (AGREEMENT[2], "Going with the outcome more than average but not called important"),
    ):
        part = compared[compared["verdict"].eq(verdict)]
        if len(part):
            told.append(f"{text}: {_names(part)}.")
    return " ".join(told)


def _chance(p_top: float) -> str:
    return "" if p_top >= SURE else f" (undecided, {p_top:.0%} sure)"


def _rows(importance: Importance, method: str) -> pd.DataFrame:
    return importance.table[importance.table["method"].eq(method)]


def _left_out(rows: pd.DataFrame) -> list[str]:
    lost = rows[rows["left_out"].notna()]
    parts = [f"{_names(part)} ({why})" for why, part in lost.groupby("left_out", sort=False)]
    return [f"Not compared: {'; '.join(parts)}."] if parts else []


def _names(rows: pd.DataFrame) -> str:
    labels = [_label(row) for _, row in rows.iterrows()]
    more = f" and {len(labels) - _MANY} more" if len(labels) > _MANY else ""
    return ", ".join(labels[:_MANY]) + more


def _label(row: pd.Series) -> str:
    text = str(row["text"]) if pd.notna(row["text"]) else ""
    if not text:
        return f"'{row['name']}'"
    return f"'{text.rstrip('.') if len(text) <= 60 else text[:57].rstrip() + '...'}'"
