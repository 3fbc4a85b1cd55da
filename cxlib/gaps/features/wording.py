"""Sentences about Kano features and about penalties and rewards."""

from __future__ import annotations

import pandas as pd

from cxlib.gaps.features.asymmetry import Asymmetry
from cxlib.gaps.features.kano import KanoFeatures

_NAMED = 4  # names listed in a sentence
_KANO = {
    "must-be": "taken for granted, and missed when lacking",
    "performance": "the more the better",
    "attractive": "a pleasure to have, not missed",
    "indifferent": "of no concern",
    "reverse": "not wanted",
    "questionable": "answered against themselves",
}
_SIDES = {
    "basic": "low ratings weigh more than high ones (basic)",
    "performance": "low and high ratings weigh alike (performance)",
    "excitement": "high ratings weigh more than low ones (excitement)",
    "reverse": "neither goes the expected way (reverse)",
}
_MANY_QUESTIONABLE = 0.05


def describe_kano(kano: KanoFeatures) -> str:
    """Say which features are taken for granted, wanted, pleasing, or of no concern.

    Parameters
    ----------
    kano : KanoFeatures
        From `classify_kano`.

    Returns
    -------
    str
        Two to four sentences.
    """
    rows = kano.features
    told = [
        f"{category} ({meaning}): {_names(rows[rows['verdict'] == category])}"
        for category, meaning in _KANO.items()
        if rows["verdict"].eq(category).any()
    ]
    n = (
        f"{rows['n'].min():,}"
        if rows["n"].nunique() == 1
        else (f"{rows['n'].min():,} to {rows['n'].max():,}")
    )
    sentence = f"Of {len(rows)} features, each judged by {n} respondents, {'; '.join(told)}."
    if not told:
        sentence = f"None of {len(rows)} features, each judged by {n} respondents, is decided."
    undecided = rows[rows["verdict"] == "undecided"]
    if len(undecided):
        sentence += (
            f" Undecided, because the commonest answer is not sure to be the commonest of all "
            f"customers: {_names(undecided)}."
        )
    if rows["questionable_share"].max() >= _MANY_QUESTIONABLE:
        worst = rows.loc[rows["questionable_share"].idxmax()]
        sentence += (
            f" Up to {worst['questionable_share']:.0%} of answers contradict themselves "
            f"({worst['item']}): look at its wording."
        )
    if kano.n_hidden:
        sentence += f" {kano.n_hidden} with fewer respondents are not shown."
    return sentence


def describe_asymmetry(asymmetry: Asymmetry) -> str:
    """Say where low ratings weigh more than high ones, and where it is the other way round.

    Parameters
    ----------
    asymmetry : Asymmetry
        From `fit_asymmetry`.

    Returns
    -------
    str
        Two or three sentences.
    """
    rows = asymmetry.effects
    told = [
        f"{meaning} at {_names(rows[rows['verdict'] == category], 'name')}"
        for category, meaning in _SIDES.items()
        if rows["verdict"].eq(category).any()
    ]
    outcome = asymmetry.outcome
    what = f"the mean of {outcome}" if ", " in outcome else f"'{outcome}'"
    judged = rows["penalty"].notna()
    sentence = "; ".join(told)
    told_all = (
        f"For {what}, {asymmetry.n:,} respondents: {sentence}."
        if told
        else f"For {what}, {asymmetry.n:,} respondents: nowhere is it decided whether low or high "
        "ratings weigh more."
    )
    for verdict, text in (
        ("undecided", " Undecided"),
        ("no link", " Not shown to go with it at all"),
        ("not judged", " Too few low, middle or high ratings, or the same as another's, to judge"),
    ):
        some = rows[rows["verdict"] == verdict]
        if len(some):
            told_all += f"{text}: {_names(some, 'name')}."
    return (
        f"{told_all} {int(judged.sum())} were judged together and the tests corrected for that; "
        f"all ratings together go with {asymmetry.r2:.0%} of the differences. This describes; it "
        "does not show what would happen if a rating changed."
    )


def _names(rows: pd.DataFrame, column: str = "item") -> str:
    names = list(rows[column].astype(str))
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest
