"""Sentences say the answer first, with its interval, its n and who answered."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.gaps.scores.bounds import bound_scores
from cxlib.gaps.scores.change import split_change
from cxlib.gaps.scores.change_wording import (
    describe_change,
    describe_changed_groups,
    describe_reversal,
)
from cxlib.gaps.scores.response import summarise_response
from cxlib.gaps.scores.scores import summarise_scores
from cxlib.gaps.scores.weighting import weight_respondents
from cxlib.gaps.scores.wording import (
    describe_response,
    describe_scenarios,
    describe_scores,
    describe_weighting,
    format_change,
    format_score,
    list_score_figures,
)
from tests.gaps.scores.surveys import invite, make_ratings
from tests.gaps.scores.test_bounds import INVITED, RATINGS
from tests.gaps.scores.test_change import KITAGAWA, make_waves


@pytest.mark.parametrize(
    ("value", "unit", "score", "change"),
    [
        (12.34, "points", "+12", "+12.3"),
        (-0.04, "points", "0", "+0.0"),
        (42.4, "percent", "42%", "+42.4"),
        (5.314, "scale points", "5.31", "+5.31"),
        (-0.526, "", "-0.53", "-0.53"),
    ],
)
def test_numbers_are_written_as_their_unit_asks(value, unit, score, change):
    """Signs where zero is neutral, decimals where they mean something, never minus zero."""
    assert (format_score(value, unit), format_change(value, unit)) == (score, change)


def test_unweighted_scores_never_stand_without_the_response():
    """Who answered is said, or that it is not known."""
    told = describe_scores(summarise_scores(RATINGS, INVITED))
    assert told == (
        "NPS (q) is +33 unweighted (95% interval +9 to +55). "
        "60 answers; 60% of 100 invited responded."
    )
    told = describe_scores(summarise_scores(RATINGS), conf_level=0.9)
    assert "90% interval" in told
    assert told.endswith("60 answers; how many were invited is not known.")


def test_weighted_scores_come_first():
    """The weighted score is the answer, the unweighted one stands beside."""
    table = summarise_scores(RATINGS, INVITED, weighting=weight_respondents(RATINGS, INVITED))
    assert describe_scores(table).startswith("NPS (q) is -20 weighted (95% interval ")
    assert ", +33 unweighted (" in describe_scores(table)


def test_scores_of_waves_are_told_apart_and_odd_cases_plainly():
    """Two waves are named; one answer has no interval; no score says what to do."""
    ratings = make_ratings([4, 5, 6], metric="ces", wave=["1", "2", "2"])
    told = describe_scores(summarise_scores(ratings))
    assert (
        "CES (q, 1) is 4.00 unweighted (no interval: too few answers, or all alike). 1 answer;"
        in told
    )
    assert "CES (q, 2) is 5.50" in told
    assert "set `metric`" in describe_scores(summarise_scores(make_ratings([np.nan])))


def test_response_is_told():
    """A share of the invited, or the warning that it is unknown."""
    told = describe_response(summarise_scores(RATINGS, INVITED))
    assert told.startswith("60% of 100 invited answered. Unweighted scores speak for these alone")
    told = describe_response(summarise_scores(RATINGS))
    assert told.startswith("It is not known how many were invited")


def test_weighting_is_told_with_its_price():
    """By what, how unequal the response was, and what it costs."""
    assert describe_weighting(weight_respondents(RATINGS, INVITED)) == (
        "Answers are weighted to look like the 100 invited by kind. 33% responded of kind b, 100% "
        "of kind a. Weights run from 0.60 to 1.80; if they had nothing to do with the answers, 60 "
        "answers would be worth 45 (design effect 1.32)."
    )


def test_what_weighting_could_not_do_is_told():
    """Not used, joined, trimmed, not invited: each has its sentence."""
    told = describe_weighting(weight_respondents(RATINGS, INVITED.assign(same="x", kind="y")))
    assert told == (
        "Nothing is weighted: no attribute of the invited can be used. "
        "Not used: kind, one value. Not used: same, one value."
    )
    kinds = ["a"] * 390 + ["b"] * 18 + ["c"] * 2 + ["b"] * 990
    invited = invite(1400, kind=kinds, rare=["x"] * 1395 + ["y"] * 5)
    ratings = make_ratings([9] * 410)
    ratings.respondents.loc[0, "respondent_id"] = "stranger"
    told = describe_weighting(weight_respondents(ratings, invited))
    assert "Rare values of kind were joined: 2." in told
    assert "Not used: rare, fewer than two levels with 10 respondents." in told
    assert "had not been invited have no weight: 1." in told
    assert "The highest weight allowed binds for 20 respondents; a share of the invited" in told


def test_scenarios_are_told_in_one_go():
    """What is assumed, what is possible, and whether the late differ."""
    told = describe_scenarios(bound_scores(RATINGS, INVITED))
    assert told.startswith(
        "40% of the invited did not answer. NPS of all invited is +33 if they are like all who "
        "answered ("
    )
    assert "with nothing assumed, anything from -20 to +60 is possible." in told
    assert "The last to answer" in told
    days = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(60), unit="D")
    alike = make_ratings([9, 3, 8] * 20, answered_at=days)
    told = describe_scenarios(bound_scores(alike, INVITED))
    assert "The last to answer do not differ from the others by more than chance" in told
    assert told.endswith("That does not show that the silent are like them.")
    assert "Too few" in describe_scenarios(bound_scores(make_ratings([9]), INVITED))


def test_change_is_told_with_its_parts():
    """Clear or not, both scores, both parts, and what they rest on."""
    change = split_change(KITAGAWA, by="kind")
    told = describe_change(change, metric="ces")
    assert told.startswith("CES did not change by more than chance can explain between 1 and 2: ")
    assert "5.00 and 4.50, -0.50 (95% interval " in told
    assert "40 and 40 answers, unweighted, how many were invited is not known." in told
    assert "Within groups of kind it is +0.38" in told
    assert "mix of groups accounts for -0.88" in told
    response = summarise_response(KITAGAWA, invite(100))
    assert "40% and 40% of the invited responded" in describe_change(
        change, metric="ces", response=response
    )
    assert describe_change(change).startswith("NPS was not asked")


def test_a_misleading_total_is_told():
    """Simpson's paradox ends the description; where it is not there, nothing is said."""
    rows = [("1", "a", 6, 50), ("1", "a", 5, 50), ("1", "b", 2, 300), ("1", "b", 1, 300)]
    rows += [("2", "a", 6, 150), ("2", "a", 4, 450), ("2", "b", 2, 20), ("2", "b", 1, 80)]
    told = describe_change(split_change(make_waves(rows), by="kind"), metric="ces")
    assert "The total misleads: CES moved the other way in 2 of 2 groups of kind" in told
    assert told.endswith("Look at the groups.")
    assert describe_reversal(split_change(KITAGAWA, by="kind"), metric="gap") == ""


def test_changed_groups_are_named_or_not():
    """With the number of comparisons made."""
    told = describe_changed_groups(split_change(KITAGAWA, by="kind"), conf_level=0.95)
    assert "false discovery rate 5%" in told
    rows = [
        (wave, kind, 3 + (i + (wave == "2") * (kind == "a")) % 4, 10)
        for wave in "12"
        for kind in "ab"
        for i in range(2)
    ]
    told = describe_changed_groups(split_change(make_waves(rows), by="kind"))
    assert told.startswith(
        "Groups of kind that changed (2 comparisons, false discovery rate 5%): a"
    )


def test_key_figures_are_raw_and_weighted():
    """Percentages become shares; weighted figures have an id of their own."""
    table = summarise_scores(RATINGS, INVITED, weighting=weight_respondents(RATINGS, INVITED))
    figures = {figure["id"]: figure for figure in list_score_figures(table)}
    assert list(figures) == ["nps", "response_rate", "nps_weighted"]
    assert figures["response_rate"]["value"] == pytest.approx(0.6)
    assert figures["response_rate"]["unit"] == "share"
    assert figures["nps_weighted"]["label"] == "NPS (q, weighted)"
    assert figures["nps"]["value"] == pytest.approx(100 / 3)


def test_equal_response_is_said_once():
    """Two groups that responded alike are not set against each other."""
    ratings = make_ratings([9] * 30 + [3] * 30)
    invited = invite(120, kind=["a", "b"] * 60)
    told = describe_weighting(weight_respondents(ratings, invited))
    assert "50% responded of every group." in told
