"""Sentences about what predicts an outcome: the gap, perception, or both."""

from __future__ import annotations

import pandas as pd

from cxlib.gaps.prediction.conditions import Conditions
from cxlib.gaps.prediction.models import GapModels
from cxlib.gaps.prediction.surface import ResponseSurface
from cxlib.gaps.prediction.verdicts import EQUAL

_MUCH_CEILING = 0.2  # share of answers at the top from which there is little room above
_NAMED = 4  # names listed in a sentence
_TOLD = {
    "gap": "the gap alone says it",
    "perception": "perception alone says it",
    "either": "the gap and perception say it equally well",
    "both": "both are needed, with weights of their own",
    "curved": "the link is curved",
    "no link": "no link is shown",
    "undecided": "undecided",
    "too few": "too few answers, or all alike",
}


def describe_gap_models(models: GapModels, *, level: str = "total", name: str = "total") -> str:
    """Say which model of the outcome the data support.

    Parameters
    ----------
    models : GapModels
        From `fit_gap_models`.
    level, name : str, default "total"
        Which row to tell.

    Returns
    -------
    str
        The verdict, what it rests on, and the two weights.
    """
    verdict = _row(models.verdicts, level, name)
    n, what = f"{verdict['n']:,} respondents", _outcome(models.outcome)
    if verdict["verdict"] == "too few":
        return f"Too few answers, or all alike, to tell what goes with {what} ({n})."
    chance = f"(chance that this is right: {_chance(verdict['p_verdict'])})"
    told = {
        "gap": f"For {what} the gap alone says hardly less than both ratings apart {chance}: what "
        "counts is perception measured against expectation.",
        "perception": f"For {what} perception alone says hardly less than both ratings {chance}. "
        "The gap describes, but it goes with this outcome less than perception does.",
        "either": f"For {what} the gap and perception alone do equally well {chance}, so these "
        "data cannot tell which of them counts.",
        "both": f"For {what} neither the gap nor perception alone is enough {chance}: expectation "
        "counts, but with a weight of its own.",
        "curved": f"How perception and expectation go with {what} is curved {chance}: what a point "
        "is worth depends on where one stands, and no straight difference holds.",
        "no link": f"It is not shown that perception or expectation goes with {what}.",
        "undecided": _undecided(verdict, what),
    }[verdict["verdict"]]
    shares = _rows(models.models, level, name).set_index("model")["r2"]
    explained = (
        f"Of the differences between {n} the gap alone goes with {_share(shares['gap alone'])}, "
        f"perception alone with {_share(shares['perception alone'])}, both with weights of their "
        f"own {_share(shares['both, own weights'])}"
    )
    if verdict["verdict"] == "curved":
        return f"{told} {explained}, the curved surface {_share(shares['curved surface'])}."
    return f"{told} {explained}. {_weights(models, level, name)}"


def describe_gap_verdicts(models: GapModels, *, level: str) -> str:
    """Say which model the data support at each name of a level.

    Parameters
    ----------
    models : GapModels
        From `fit_gap_models`.
    level : str
        Such as touchpoint.

    Returns
    -------
    str
        One or two sentences; empty when the level has no names.
    """
    rows = models.verdicts[models.verdicts["level"] == level]
    if rows.empty:
        return ""
    told = []
    for verdict, text in _TOLD.items():
        names = list(rows.loc[rows["verdict"] == verdict, "name"])
        if names:
            rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            told.append(f"{text} for {', '.join(names[:_NAMED])}{rest}")
    n_tests = int(models.tests["p_value"].notna().sum())
    sentence = "; ".join(told)
    return (
        f"By {level}: {sentence}. The q values account for all {n_tests} tests made for "
        f"{_outcome(models.outcome)}."
    )


def describe_surface(surface: ResponseSurface, *, conf_level: float = 0.95) -> str:
    """Say whether the outcome is a curved surface, and what a point is worth on it.

    Parameters
    ----------
    surface : ResponseSurface
        From `fit_response_surface`.
    conf_level : float, default 0.95
        Level of the intervals in its tables.

    Returns
    -------
    str
        Two to four sentences.
    """
    test = surface.test.iloc[0]
    is_curved = test["p_value"] < 1 - conf_level
    bends = (
        f"F = {test['statistic']:.1f}, p {_p(test['p_value'])}; it goes with {surface.r2:.1%} of "
        f"the differences, the flat one with {surface.r2_flat:.1%}; {surface.n:,} respondents"
    )
    told = f"The surface is {'' if is_curved else 'not shown to be '}curved ({bends})."
    slopes = surface.slopes.set_index("term")
    told += (
        " Where respondents stand on average, one point more of perception goes with "
        f"{_estimate(slopes.loc['perception'])}, one point more of expectation with "
        f"{_estimate(slopes.loc['expectation'])} ({100 * conf_level:g}% intervals)."
    )
    apart = surface.shape.set_index("term").loc["a4"]
    if is_curved and apart["p_value"] < 1 - conf_level:
        bend = "down" if apart["estimate"] < 0 else "up"
        told += (
            " The further perception and expectation lie apart, on either side, the more the "
            f"outcome bends {bend} (a4 = {_estimate(apart)})."
        )
    if not surface.is_middle_inside:
        told += (
            " Nobody answered around the middle of the scale, where a1 and a3 hold: do not read "
            "these two."
        )
    return told


def list_cautions(conditions: Conditions) -> list[str]:
    """List what a link between ratings and outcome may owe to how they were asked.

    Parameters
    ----------
    conditions : Conditions
        From `summarise_conditions`.

    Returns
    -------
    list of str
        One sentence each.
    """
    told = [
        "Ratings and outcome were given by the same people in the same survey: a good or bad mood "
        "colours all answers, so the links here are upper readings. Along one single line go "
        f"{conditions.first_factor_share:.0%} of the differences in all {conditions.n_columns} "
        "columns. Behaviour, or an outcome from a later survey, would be the better test."
    ]
    if conditions.timing == "after":
        told.append(
            "Expectations were asked after the experience and are coloured by it. That draws "
            "expectation towards perception, and the weight of expectation is hard to trust."
        )
    if conditions.ceiling_share >= _MUCH_CEILING:
        told.append(
            f"{conditions.ceiling_share:.0%} of expectations are at the top of the scale: with so "
            "little room to differ, expectation cannot show what it is worth."
        )
    if conditions.outcome_ceiling_share >= _MUCH_CEILING:
        told.append(
            f"{conditions.outcome_ceiling_share:.0%} of the outcomes are at the top of their "
            "scale: better experiences cannot raise them any more, which flattens every link."
        )
    return told


def _undecided(verdict: pd.Series, what: str) -> str:
    lean = {
        "gap": "the gap alone suffices",
        "perception": "perception alone suffices",
        "either": "the gap and perception do equally well",
        "both": "both are needed with weights of their own",
    }.get(verdict["leading"], "")
    return (
        f"Whether the gap or perception goes with {what} is undecided: the data lean to '{lean}' "
        f"({_chance(verdict['p_verdict'])}), but too weakly, or what it denies is not ruled out."
    )


def _weights(models: GapModels, level: str, name: str) -> str:
    rows = _rows(models.weights, level, name).set_index("term")
    q_value = _rows(models.tests, level, name).set_index("test")["q_value"][EQUAL]
    equal = "rejected" if q_value < 1 - models.conf_level else "not rejected"
    return (
        "At equal expectation, one point more of perception goes with "
        f"{_estimate(rows.loc['perception'])}; at equal perception, one point more of expectation "
        f"with {_estimate(rows.loc['expectation'])} ({100 * models.conf_level:g}% intervals). "
        f"Equal and opposite weights, which the gap assumes, are {equal} (q {_p(q_value)}). This "
        "describes; it does not show what would happen if either changed."
    )


def _row(table: pd.DataFrame, level: str, name: str) -> pd.Series:
    return _rows(table, level, name).iloc[0]


def _rows(table: pd.DataFrame, level: str, name: str) -> pd.DataFrame:
    return table[(table["level"] == level) & (table["name"] == name)]


def _outcome(name: str) -> str:
    return f"the mean of {name}" if ", " in name else f"'{name}'"


def _share(value: float) -> str:
    return f"{value:.0%}" if value >= 0.095 else f"{value:.1%}"


def _estimate(row: pd.Series) -> str:
    return f"{row['estimate']:+.2f} ({row['conf_low']:+.2f} to {row['conf_high']:+.2f})"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _chance(value: float) -> str:
    return "over 99%" if value > 0.99 else f"{value:.0%}"
