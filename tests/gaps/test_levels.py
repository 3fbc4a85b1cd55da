"""Ratings are paired only where they may be subtracted, and averaged so that all count once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.levels import check_respondents, known_levels, level_means, pair_ratings
from cxlib.gaps.ratings import select_answers
from tests.gaps.answers import ITEMS, SURVEY, make_answers, make_items

NAN = np.nan


def pair(survey: str, items: pd.DataFrame, **columns: object):
    """Pair the ratings of a small survey."""
    return pair_ratings(select_answers(make_answers(survey).assign(**columns), items))


def test_pairs_hold_only_items_rated_in_both_roles():
    """Half a pair is none: neither side of it enters a mean."""
    pairs = pair(SURVEY, ITEMS)
    gap = [[-1, 0, -3], [-4, 1, -1], [-4, NAN, -2], [NAN, NAN, -1]]
    np.testing.assert_array_equal(pairs.gap, gap)
    assert np.isnan(pairs.perception[2, 1])  # rated, but without an expectation
    assert list(pairs.items["item"]) == ["hold", "polite", "speed"]
    assert list(pairs.items["dimension"]) == ["time", "people", "time"]
    assert pairs.n == 4


def test_respondents_count_once_at_every_level():
    """A dimension's gap is the mean over the items a respondent rated, be it one or two."""
    pairs = pair(SURVEY, ITEMS)
    assert known_levels(pairs) == ["item", "dimension", "touchpoint", "total"]
    means = level_means(pairs, "dimension")
    assert (means.names, means.n_items) == (["people", "time"], [1, 2])
    np.testing.assert_array_equal(means.gap, [[0, -2], [1, -2.5], [NAN, -3], [NAN, -1]])
    np.testing.assert_array_equal(means.count, [[1, 2], [1, 2], [0, 2], [0, 1]])
    total = level_means(pairs, "total")
    np.testing.assert_allclose(total.gap[:, 0], [-4 / 3, -4 / 3, -3, -1])
    np.testing.assert_allclose(total.perception - total.expectation, total.gap)


def test_touchpoint_of_the_answer_comes_before_that_of_the_item():
    """An answer's own touchpoint holds, the perception's first; an item's fills the rest."""
    items = make_items(item=["speed"], touchpoint=["phone"])
    touchpoints = ["chat", "web", "chat", None, "", None]
    pairs = pair("a speed 7 4\nb speed 6 5\nc speed 6 5", items, touchpoint=touchpoints)
    means = level_means(pairs, "touchpoint")
    assert (means.names, means.n_items) == (["chat", "phone", "web"], [1, 1, 1])
    np.testing.assert_array_equal(means.gap, [[NAN, NAN, -3], [-1, NAN, NAN], [NAN, -1, NAN]])


def test_turned_items_say_so():
    """High numbers now deny the wording."""
    items = make_items(item=["wait"], higher_is_better=[False], text=["I wait long"])
    assert pair("a wait 1 2\nb wait 2 2", items).items["text"][0] == "I wait long (reversed)"


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"scale_max": 5.0}, "1 to 7 as expectation and on 1 to 5 as perception"),
        ({"higher_is_better": False}, r"and on 1 to 7 \(reversed\) as perception"),
        ({"scale_min": None, "scale_max": None}, "and on an unknown scale as perception"),
    ],
)
def test_ratings_on_different_scales_are_not_subtracted(other, message):
    """Expectation and perception must share scale and direction."""
    items = make_items(
        item=["speed"] * 2, role=["expectation", "perception"], higher_is_better=[True] * 2
    )
    for column, value in other.items():
        items[column] = items[column].astype(object)
        items.loc[1, column] = value
    with pytest.raises(InputError, match=message):
        pair("a speed 4 4\nb speed 4 4", items)


def test_items_on_different_scales_are_not_averaged():
    """A gap of one point is more on 1 to 5 than on 0 to 10."""
    items = make_items(item=["speed", "hold"], scale_max=[7.0, 10.0])
    with pytest.raises(InputError, match=r"different scales[\s\S]*'hold' on 1 to 10, 'speed' on 1"):
        pair("a speed 4 4\na hold 4 4\nb speed 4 4", items)


@pytest.mark.parametrize("fact", ["expectation_type", "timing"])
def test_what_was_expected_must_be_known_and_one(fact):
    """A gap to what should be is not a gap to what was foreseen; nothing is guessed."""
    two = "a speed 4 4\nb hold 4 4"
    with pytest.raises(InputError, match=rf"It is not known [\s\S]*'hold'[\s\S]*{fact}: {{value"):
        pair(two, make_items(item=["speed", "hold"]).drop(columns=fact))
    values = {"expectation_type": ["will", "should"], "timing": ["after", "before"]}[fact]
    with pytest.raises(InputError, match=rf"items differ in [\s\S]*'hold' {values[1]}"):
        pair(two, make_items(item=["speed", "hold"], **{fact: values}))


def test_a_role_that_was_never_asked_is_named():
    """Perceptions alone make no gap."""
    with pytest.raises(InputError, match=r"No answer has the role 'expectation'"):
        pair("a speed - 4\nb speed - 4", ITEMS)


def test_too_few_respondents_are_too_little_data():
    """One respondent, or fewer than asked for, is no study."""
    with pytest.raises(TooLittleData, match="Fewer than two respondents"):
        pair("a speed 7 4", ITEMS)
    with pytest.raises(TooLittleData, match="4; at least 5 are needed"):
        check_respondents(select_answers(make_answers(SURVEY), ITEMS), min_cell=5)
