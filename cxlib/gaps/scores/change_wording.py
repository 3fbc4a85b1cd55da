"""Sentences on changes, rendered from their tables."""

from __future__ import annotations

import pandas as pd

from cxlib.gaps.scores.change import ScoreChange
from cxlib.gaps.scores.wording import format_change, format_score, name_score

SURE = 0.80  # a label less certain than this is called undecided


def describe_change(
    change: ScoreChange,
    *,
    metric: str = "nps",
    response: pd.DataFrame | None = None,
    conf_level: float = 0.95,
) -> str:
    """Say whether a score changed, and which part lies within groups and which in their mix.

    Parameters
    ----------
    change : ScoreChange
        From `split_change`.
    metric : {"nps", "csat", "ces", "gap"}, default "nps"
        Score; of several items the first.
    response : pandas.DataFrame, optional
        From `summarise_response` of every wave, for scores that are not weighted.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        Two or three sentences.
    """
    rows = change.split[change.split["metric"].eq(metric)]
    if not len(rows):
        return f"{name_score(metric)} was not asked of enough respondents in both waves."
    rows = rows[rows["item"].eq(rows["item"].iloc[0])].set_index("part")
    total, unit = rows.loc["total"], rows["unit"].iloc[0]
    is_clear = total["q_value"] < 1 - conf_level
    moved = "changed" if is_clear else "did not change by more than chance can explain"
    named = name_score(metric)
    told = (
        f"{named[0].upper()}{named[1:]} {moved} between {change.previous} and {change.wave}: "
        f"{format_score(total['before'], unit)} and {format_score(total['after'], unit)}, "
        f"{_say_part(total, unit, f'{100 * conf_level:g}% interval ')}; {total['n_before']:,} and "
        f"{total['n_after']:,} answers, {_say_basis(change, metric, response)}."
    )
    told += (
        f" Within groups of {change.by} it is {_say_part(rows.loc['within'], unit)}; the changed "
        f"mix of groups accounts for {_say_part(rows.loc['mix'], unit)}."
    )
    return f"{told} {reversal}" if (reversal := describe_reversal(change, metric=metric)) else told


def _say_part(row: pd.Series, unit: str, before: str = "") -> str:
    told = format_change(row["change"], unit)
    if pd.isna(row["conf_low"]):
        return told
    ends = " to ".join(format_change(row[end], unit) for end in ("conf_low", "conf_high"))
    return f"{told} ({before}{ends})"


def _say_basis(change: ScoreChange, metric: str, response: pd.DataFrame | None) -> str:
    if change.is_weighted:
        return "weighted"
    rows = pd.DataFrame() if response is None else response[response["group"].eq("all")]
    shares = dict(zip(rows.get("wave", []), rows.get("score", []), strict=True))
    if change.previous in shares and change.wave in shares:
        both = f"{shares[change.previous]:.0f}% and {shares[change.wave]:.0f}%"
        return f"unweighted, {both} of the invited responded"
    return "unweighted, how many were invited is not known"


def describe_reversal(change: ScoreChange, *, metric: str = "nps") -> str:
    """Warn when most groups moved against the total.

    Parameters
    ----------
    change : ScoreChange
        From `split_change`.
    metric : str, default "nps"
        Score; of several items the first.

    Returns
    -------
    str
        One sentence where it is at least 80 % probable, or where most groups seem to have and
        the probability is 20 to 80 %; else empty.
    """
    rows = change.split[change.split["metric"].eq(metric)]
    if not len(rows) or pd.isna(rows["p_against"].iloc[0]):
        return ""
    row = rows.iloc[0]
    chance = f"probability that most did: {row['p_against']:.0%}"
    counts = f"{row['n_against']} of {row['n_groups']} groups of {change.by}"
    if row["p_against"] >= SURE:
        return (
            f"The total misleads: {name_score(metric)} moved the other way in {counts} ({chance}). "
            "Look at the groups."
        )
    if row["n_against"] > row["n_groups"] / 2 and row["p_against"] >= 1 - SURE:
        return f"In {counts} it moved the other way; whether truly in most is undecided ({chance})."
    return ""


def describe_changed_groups(change: ScoreChange, *, conf_level: float = 0.95) -> str:
    """Say which groups changed, over all scores.

    Parameters
    ----------
    change : ScoreChange
        From `split_change`.
    conf_level : float, default 0.95
        1 - conf_level bounds the false discovery rate.

    Returns
    -------
    str
        One sentence.
    """
    rows = change.groups
    if not len(rows):
        return "No group is large enough in both waves to be compared."
    n_tests = int(rows["n_tests"].iloc[0])
    tested = f"{n_tests} comparison{'s' if n_tests != 1 else ''}, false discovery rate"
    tested = f"({tested} {100 - 100 * conf_level:g}%)"
    clear = rows[rows["q_value"].lt(1 - conf_level)].sort_values("q_value", kind="stable").head(5)
    if not len(clear):
        return f"No group of {change.by} changed by more than chance can explain {tested}."
    told = "; ".join(
        f"{row['group']}, {name_score(row['metric'])} {_say_part(row, row['unit'])}"
        for _, row in clear.iterrows()
    )
    return f"Groups of {change.by} that changed {tested}: {told}."
