"""Careless answers are flagged by rules that can be read, and nobody is dropped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from cxlib.data import open_workbook
from cxlib.gaps.quality.careless import flag_careless, given_answers
from cxlib.gaps.ratings import Ratings, select_answers

SAMPLES = Path(__file__).parents[3] / "data" / "samples"
ITEMS = [f"q{i}" for i in range(1, 11)]


def survey(*profiles: tuple[str, list[int], list[int]], **about: list) -> Ratings:
    """Rate ten items, the last reversed, by lists of expectations and perceptions."""
    rows = [
        (who, item, role, float(value), *(values[place] for values in about.values()))
        for place, (who, *both) in enumerate(profiles)
        for role, given in zip(("expectation", "perception"), both, strict=True)
        for item, value in zip(ITEMS, given, strict=False)
    ]
    answers = pd.DataFrame(rows, columns=["respondent_id", "item", "role", "value", *about])
    items = pd.DataFrame({"item": ITEMS, "scale_min": 1.0, "scale_max": 7.0})
    items["higher_is_better"] = items["item"].ne("q10")
    return select_answers(answers, items)


RISING = [1, 2, 3, 4, 5, 6, 7, 6, 5, 4]
USUAL = [2, 2, 3, 4, 5, 6, 7, 6, 6, 4]


def flagged(ratings: Ratings, flag: str) -> list[str]:
    """Return who is flagged by one rule."""
    flags = flag_careless(ratings).flags
    return flags.loc[flags[flag], "respondent_id"].tolist()


def test_one_number_for_everything_is_straight_lining():
    """Also with a reversed item, which is turned only afterwards, and in one role alone."""
    ratings = survey(
        ("all", [4] * 10, [4] * 10),
        ("one role", RISING, [7] * 10),
        ("no", RISING, [7] * 9 + [1]),
        ("few", [5] * 4, []),
    )
    assert flagged(ratings, "same answer throughout") == ["all", "one role"]
    counts = flag_careless(ratings).counts.set_index("flag")
    assert counts.loc["same answer throughout", ["n", "n_checked"]].tolist() == [2, 3]


def test_given_answers_are_those_ticked():
    """A reversed item's 4 of 1 to 7 stays 4, its 6 was never a 2."""
    ratings = survey(("a", RISING, [*USUAL[:9], 6]))
    assert given_answers(ratings, "perception")[0].tolist() == [*USUAL[:9], 6]
    assert ratings.values["perception"]["q10"][0] == 2


def test_a_third_of_the_median_is_too_fast():
    """300 seconds are usual: 99 are too few, 101 not; unknown durations are not judged."""
    names = ["a", "b", "c", "fast", "quick", "unknown"]
    people = [(name, RISING, [*USUAL[:8], i % 7 + 1, 4]) for i, name in enumerate(names)]
    ratings = survey(*people, duration_seconds=[300.0, 300.0, 400.0, 99.0, 101.0, np.nan])
    assert flagged(ratings, "too fast") == ["fast"]
    counts = flag_careless(ratings).counts.set_index("flag")
    assert counts.loc["too fast", "n_checked"] == 5


def test_copies_are_flagged_on_both_sides():
    """Nobody knows which of two equal questionnaires was first."""
    ratings = survey(("a", RISING, USUAL), ("b", RISING, USUAL), ("c", RISING, USUAL[::-1]))
    assert flagged(ratings, "same as another") == ["a", "b"]


def test_high_where_all_others_are_low_is_a_contrary_profile():
    """The correlation with everybody's means is negative for the one who turns the scale round."""
    others = [(f"p{i}", RISING, USUAL) for i in range(5)]
    ratings = survey(*others, ("contrary", RISING, [8 - value for value in USUAL]))
    assert flagged(ratings, "contrary profile") == ["contrary"]


def test_a_minimum_above_the_desired_is_impossible():
    """Once may be a slip; mostly is a pattern."""
    rows = [
        (who, f"q{i}", role, value)
        for who, minimum in (("a", [5, 5, 1]), ("b", [5, 1, 1]))
        for i, low in enumerate(minimum)
        for role, value in (("minimum", float(low)), ("desired", 4.0))
    ]
    ratings = select_answers(pd.DataFrame(rows, columns=["respondent_id", "item", "role", "value"]))
    assert flagged(ratings, "impossible pattern") == ["a"]


def test_rules_that_cannot_apply_are_not_listed():
    """Two items are no pattern: no flag can be raised, and none is claimed to be clear."""
    ratings = survey(("a", [1, 2], [1, 2]), ("b", [1, 2], [1, 2]))
    careless = flag_careless(ratings)
    assert list(careless.counts["flag"]) == ["any of these"]
    assert not careless.flags["is_flagged"].any()


def test_planted_careless_answers_are_found():
    """Every straight-liner and every implausibly fast respondent of the samples, no other."""
    truth = json.loads((SAMPLES / "truth.json").read_text("utf-8"))
    tables = open_workbook("samples")
    ratings = select_answers(tables.answers, tables.frame("items"))
    counts = flag_careless(ratings).counts.set_index("flag")["n"]
    planted = truth["seconds"]
    assert counts["same answer throughout"] == planted["n_straight"][ratings.wave]
    assert counts["too fast"] == planted["n_fast"][ratings.wave]
