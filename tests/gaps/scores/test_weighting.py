"""Weights make the respondents look like the invited, and tell what they could not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError
from cxlib.gaps.ratings import select_answers
from cxlib.gaps.scores.scores import summarise_scores
from cxlib.gaps.scores.weighting import weight_respondents
from tests.gaps.scores.surveys import invite, make_ratings

# 40 invited, half a and half b; 20 a and 10 b answer
INVITED = invite(40, kind=["a"] * 20 + ["b"] * 20)
RATINGS = make_ratings([9] * 20 + [3] * 10)


def test_two_kinds_by_hand():
    """a: 20 of 20, b: 10 of 20; weights 3/4 and 3/2; NPS 33 raw, 0 weighted."""
    weighting = weight_respondents(RATINGS, INVITED)
    margins = weighting.margins.set_index("level")
    assert margins["mean_weight"].tolist() == pytest.approx([0.75, 1.5])
    assert margins["target_share"].tolist() == margins["weighted_share"].tolist() == [0.5, 0.5]
    assert margins["response_share"].tolist() == [1.0, 0.5]
    assert margins["raw_share"].tolist() == pytest.approx([2 / 3, 1 / 3])
    row = weighting.summary.iloc[0]
    # n sum w^2 / (sum w)^2 = 30 (20 * 9/16 + 10 * 9/4) / 900
    assert (row["design_effect"], row["n_effective"]) == pytest.approx((1.125, 80 / 3))
    table = summarise_scores(RATINGS, INVITED, weighting=weighting)
    scores = table.set_index(["metric", "weighting"])["score"]
    assert scores["nps", "raw"] == pytest.approx(100 / 3)
    assert scores["nps", "weighted"] == pytest.approx(0, abs=1e-8)
    assert table["weighting"].tolist() == ["raw", "raw", "weighted"]


@pytest.mark.parametrize("wave", ["2025-05", "2025-11"])
def test_weighting_recovers_the_score_of_all_invited(sample, truth, wave):
    """Planted: the raw NPS is about ten points too high; weighted by health it is right."""
    ratings = select_answers(sample["answers"], sample["items"], wave=wave)
    weighting = weight_respondents(ratings, sample["invitations"])
    assert weighting.attributes.loc[weighting.attributes["is_used"], "attribute"].tolist() == [
        "health"
    ]
    table = summarise_scores(ratings, sample["invitations"], weighting=weighting)
    rows = table[table["metric"].eq("nps")].set_index("weighting")
    true = truth[wave]["nps_all_invited"]
    assert rows.loc["weighted", "conf_low"] <= true <= rows.loc["weighted", "conf_high"]
    assert rows.loc["raw", "conf_low"] > true
    assert rows.loc["raw", "score"] - true == pytest.approx(10, abs=3)
    assert rows.loc["raw", "response_share"] == pytest.approx(
        truth[wave]["response_share"], abs=0.01
    )


def test_every_wave_is_raked_for_itself(sample):
    """Both waves at once give the weights and scores of each alone."""
    both = select_answers(sample["answers"], sample["items"], every_wave=True)
    weighting = weight_respondents(both, sample["invitations"])
    table = summarise_scores(both, sample["invitations"], weighting=weighting)
    for wave in ("2025-05", "2025-11"):
        one = select_answers(sample["answers"], sample["items"], wave=wave)
        alone = weight_respondents(one, sample["invitations"])
        own = weighting.ratings.respondents["wave"].eq(wave)
        np.testing.assert_allclose(
            weighting.ratings.respondents.loc[own, "weight"],
            alone.ratings.respondents["weight"],
            rtol=1e-9,
        )
        expected = summarise_scores(one, sample["invitations"], weighting=alone)
        found = table[table["wave"].eq(wave)].reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected, rtol=1e-9)


def test_attributes_of_customers_are_looked_up(sample):
    """An attribute that only the customers have joins through the invitations."""
    ratings = select_answers(sample["answers"], sample["items"])
    weighting = weight_respondents(
        ratings, sample["invitations"], by=["health", "region"], customers=sample["customers"]
    )
    assert weighting.attributes["is_used"].all()
    margins = weighting.margins
    np.testing.assert_allclose(margins["weighted_share"], margins["target_share"], atol=1e-8)
    with pytest.raises(InputError, match="no column 'regoin'"):
        weight_respondents(ratings, sample["invitations"], by=["regoin"])


def test_rare_levels_are_joined_and_told():
    """Of c there are two respondents, of d none: joined with the next rarest to (other)."""
    kinds = ["a"] * 20 + ["b"] * 15 + ["c"] * 2 + ["d"] * 3
    invited = invite(40, kind=kinds)
    weighting = weight_respondents(make_ratings([9] * 37), invited, min_cell=10)
    row = weighting.attributes.iloc[0]
    assert (row["is_used"], row["n_levels"], row["n_joined"]) == (True, 2, 3)
    assert weighting.margins["level"].tolist() == ["a", "(other)"]
    assert weighting.margins["n_frame"].tolist() == [20, 20]


def test_what_is_not_used_is_told():
    """One value, too few respondents for two levels, too many levels; moments and ids never."""
    invited = invite(
        40,
        customer_id=[f"c{i % 15}" for i in range(40)],
        invited_at=pd.to_datetime(["2025-01-01", "2025-01-02"] * 20),
        same="x",
        many=range(40),
        rare=["a"] * 38 + ["b"] * 2,
        first=["a", "b"] * 20,
        second=["a", "a", "b", "b"] * 10,
        third=["a"] * 20 + ["b"] * 20,
    )
    weighting = weight_respondents(make_ratings([9, 3] * 17), invited)
    reasons = weighting.attributes.set_index("attribute")["reason"]
    assert reasons.index.tolist() == ["same", "many", "rare", "first", "second", "third"]
    assert reasons["same"] == "one value"
    assert reasons["many"] == "more than 20 values"
    assert reasons["rare"] == "fewer than two levels with 10 respondents"
    assert reasons["first"] == reasons["second"] == ""
    assert reasons["third"] == "too many levels for 34 respondents"


def test_margins_that_exclude_each_other_are_told():
    """All respondents who are y are n; the invited are y and m: health is used, the other not."""
    answered = [("x", "m")] * 15 + [("x", "n")] * 1 + [("y", "n")] * 14
    silent = [("y", "m")] * 40
    frame = pd.DataFrame(answered + silent, columns=["first", "second"])
    invited = pd.concat([invite(len(frame)), frame], axis=1)
    weighting = weight_respondents(make_ratings([9, 3] * 15), invited, most=np.inf)
    reasons = weighting.attributes.set_index("attribute")["reason"]
    assert reasons["first"] == ""
    assert "cannot be met together" in reasons["second"]


def test_nothing_to_weight_by_changes_nothing():
    """Without a usable attribute weights stay 1, and there is no weighted score."""
    weighting = weight_respondents(RATINGS, INVITED[["respondent_id"]])
    assert weighting.ratings.respondents["weight"].eq(1).all()
    assert len(weighting.margins) == len(weighting.attributes) == 0
    table = summarise_scores(RATINGS, INVITED, weighting=weighting)
    assert table["weighting"].eq("raw").all()


def test_strangers_have_no_weight():
    """A respondent who was not invited counts in the raw score alone, and is told."""
    ratings = make_ratings([9] * 20 + [3] * 10 + [9])
    ratings.respondents.loc[30, "respondent_id"] = "stranger"
    weighting = weight_respondents(ratings, INVITED)
    assert weighting.summary["n_outside"].item() == 1
    assert weighting.ratings.respondents["weight"].iloc[-1] == 0
    table = summarise_scores(ratings, INVITED, weighting=weighting)
    nps = table[table["metric"].eq("nps")].set_index("weighting")
    assert nps["n"].to_dict() == {"raw": 31, "weighted": 30}
    assert nps.loc["weighted", "score"] == pytest.approx(0, abs=1e-8)


def test_weights_of_the_answers_are_where_raking_starts():
    """Within a kind the weights keep the ratio they came with."""
    start = [1.0, 3.0] * 15
    ratings = make_ratings([9, 3] * 15, weight=start)
    weighting = weight_respondents(ratings, INVITED)
    weight = weighting.ratings.respondents["weight"].to_numpy()
    assert weighting.margins["weighted_share"].tolist() == pytest.approx([0.5, 0.5])
    assert weight[1] / weight[0] == pytest.approx(3)
    table = summarise_scores(ratings, INVITED, weighting=weighting)
    assert table["score"].iloc[-1] == pytest.approx(-50)


def test_weights_of_the_invitations_make_the_targets():
    """Half as often b was invited, so the margins count it twice."""
    invited = INVITED.assign(weight=[1.0] * 20 + [2.0] * 20)
    weighting = weight_respondents(RATINGS, invited)
    assert weighting.margins["target_share"].tolist() == pytest.approx([1 / 3, 2 / 3])
    with pytest.raises(InputError, match="must be above 0"):
        weight_respondents(RATINGS, INVITED.assign(weight=0.0))


def test_trimmed_weights_are_told():
    """10 of 1,000 b answer: their weight would be 40 times the others'."""
    invited = invite(1400, kind=["a"] * 400 + ["b"] * 1000)
    weighting = weight_respondents(make_ratings([9] * 410), invited, most=5.0)
    row = weighting.summary.iloc[0]
    assert row["n_trimmed"] == 10
    assert row["largest_miss"] > 0.3
    assert weighting.margins["weighted_share"].iloc[1] < 0.2


def test_scores_with_weights_of_their_own_need_no_frame():
    """Weights that came with the answers give weighted rows without any invitations."""
    table = summarise_scores(make_ratings([9, 3, 8], weight=[2.0, 1.0, 1.0]))
    assert table["weighting"].tolist() == ["raw", "weighted"]
    assert table["score"].tolist() == pytest.approx([0, 25])
