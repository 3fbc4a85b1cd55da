"""Comments meet the score of their writers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.comments.select import Comments, compare_silent, select_comments
from cxlib.gaps.comments.wording import describe_comments
from cxlib.gaps.ratings import select_answers
from tests.gaps.answers import make_items
from tests.gaps.comments.conftest import make_comments

ITEMS = make_items(
    item=["recommend"], scale_min=0.0, scale_max=10.0, metric="nps", expectation_type=None
)


def make_ratings(rows: list[tuple[str, str, float]]):
    """Make ratings of respondents in waves."""
    answers = pd.DataFrame(rows, columns=["respondent_id", "wave", "value"])
    answers = answers.assign(item="recommend", role="outcome")
    months = answers["wave"].map({"w1": "2025-05-01", "w2": "2025-11-01"})
    answers["answered_at"] = pd.to_datetime(months)
    return select_answers(answers, ITEMS, every_wave=True)


def test_scores_are_promoters_passives_and_detractors():
    """Nine and ten count 100, six and less -100, a writer without a rating nothing."""
    ratings = make_ratings([("a", "w1", 9), ("b", "w1", 8), ("c", "w1", 6), ("e", "w1", 10)])
    told = pd.DataFrame({"respondent_id": ["a", "b", "c", "d"], "text": ["w"] * 4})
    found = select_comments(told, ratings)
    assert found.table["score"].tolist()[:3] == [100, 0, -100]
    assert np.isnan(found.table["score"].iloc[3])
    assert found.item == "recommend"
    assert found.raters["wrote"].tolist() == [True, True, True, False]


def test_a_writer_of_two_waves_is_met_in_the_nearest():
    """The comment of November meets the answer of November; without a date the latest."""
    ratings = make_ratings([("a", "w1", 10), ("a", "w2", 0)])
    dates = pd.to_datetime(["2025-05-03", "2025-10-30", None])
    told = pd.DataFrame({"respondent_id": "a", "text": ["x", "y", "z"], "answered_at": dates})
    assert select_comments(told, ratings).table["score"].tolist() == [100, -100, -100]
    assert select_comments(told, ratings, wave="w1").table["text"].tolist() == ["x"]
    undated = told.drop(columns="answered_at")
    assert select_comments(undated, ratings).table["score"].tolist() == [-100] * 3


def test_what_is_left_out_is_counted():
    """Blanks, signs and emoji hold no word; they are counted and gone."""
    told = pd.DataFrame({"respondent_id": list("abcd"), "text": ["  ", "👍👍", "Good", "good"]})
    found = select_comments(told)
    uses = found.uses.set_index("use")["n"]
    assert found.table["text"].tolist() == ["Good", "good"]
    assert uses["without a word, left out"] == 2
    assert uses["used, same words as an earlier comment"] == 1


def test_comments_are_masked_before_anything_else():
    """No address reaches the table."""
    told = pd.DataFrame({"respondent_id": ["a"], "text": ["me@example.com\n says  hi"]})
    found = select_comments(told)
    assert found.table["text"].tolist() == ["[e-mail] says hi"]
    assert found.masked["n"].sum() == 1


def test_nothing_to_read_is_too_little():
    """Only blanks are a result, not a fault."""
    told = pd.DataFrame({"respondent_id": ["a"], "text": [" "]})
    with pytest.raises(TooLittleData, match="None of 1 comments holds a word"):
        select_comments(told)


def test_a_missing_column_or_wave_is_refused():
    """The message names it."""
    with pytest.raises(InputError, match="'text' is missing"):
        select_comments(pd.DataFrame({"respondent_id": ["a"]}))
    told = pd.DataFrame({"respondent_id": ["a"], "text": ["w"]})
    with pytest.raises(InputError, match="no wave 'w9'"):
        select_comments(told, make_ratings([("a", "w1", 9)]), wave="w9")


def test_writers_are_compared_with_the_silent_by_hand():
    """Adjusted ends of 50 are -39.4 and 79.4, those of -50 the other way round: 89.4 sqrt(2)."""
    raters = pd.DataFrame(
        {"score": [100.0, 0, 0, -100], "weight": 1.0, "wrote": [True, True, False, False]}
    )
    told = pd.DataFrame()
    versus = compare_silent(Comments(told, told, told, "recommend", raters))
    assert (versus["score_wrote"], versus["score_silent"]) == (50, -50)
    end = 20 - 195.9964 * np.sqrt((0.5 - 0.04) / 5)
    assert end == pytest.approx(-39.4, abs=0.1)
    assert versus["difference"] - versus["conf_low"] == pytest.approx((50 - end) * np.sqrt(2))


def test_a_few_who_agree_leave_chance():
    """Two promoters and two detractors are no proof; alike and unanimous is no difference."""
    told = pd.DataFrame()
    for scores, difference in (([100.0, 100, -100, -100], 200), ([100.0] * 4, 0)):
        raters = pd.DataFrame({"score": scores, "weight": 1.0, "wrote": [True, True, False, False]})
        comments = make_comments(["w"] * 2)
        versus = compare_silent(Comments(told, told, told, "recommend", raters))
        assert versus["difference"] == difference
        assert versus["conf_low"] < versus["difference"] - 50
        told_of = describe_comments(Comments(comments.table, told, comments.masked, "x", raters))
        assert ("does not differ clearly" in told_of) == (versus["conf_low"] <= 0)


def test_one_writer_has_no_interval():
    """A single score is no sample."""
    raters = pd.DataFrame({"score": [100.0, 0], "weight": 1.0, "wrote": [True, False]})
    told = pd.DataFrame()
    assert np.isnan(compare_silent(Comments(told, told, told, "", raters))["conf_low"])
