"""Scores stay on their scales and equal published and hand-computed numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.errors import InputError
from cxlib.gaps import nps_interval, select_answers, summarise_response, summarise_scores
from cxlib.stats import wilson_interval
from tests.gaps.answers import make_answers, make_items, make_outcomes

NPS = make_items(item=["rec"], metric=["nps"], scale_min=0.0, scale_max=10.0)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # detractors, passives, promoters as in the cases collected for the adjusted Wald interval
        ((100, 200, 300), (100 / 3, 27.22, 39.12)),
        ((2, 0, 9), (63.6, 8.0, 92.0)),
        # by hand: n 500, (200.75 - 150.75) / 503 = .0994036, share of both .6988072
        ((150, 150, 200), (10.0, 2.69, 17.19)),
    ],
)
def test_nps_equals_known_cases(counts, expected):
    """Adjusted Wald: 3/4, 3/2 and 3/4 of an answer are added before the Wald interval."""
    detractors, passives, promoters = counts
    score = nps_interval(promoters, passives, detractors)
    assert pytest.approx(expected, abs=0.05) == score


@given(st.tuples(*[st.integers(0, 40)] * 3).filter(any))
@settings(max_examples=50, deadline=None)
def test_nps_interval_stays_on_the_scale_and_holds_the_score(counts):
    """-100 <= low <= score <= high <= 100, and turning the answers round turns the sign."""
    promoters, passives, detractors = counts
    score, low, high = nps_interval(promoters, passives, detractors)
    assert -100 <= low <= score <= high <= 100
    assert low < high
    turned = nps_interval(detractors, passives, promoters)
    assert pytest.approx((-score, -high, -low)) == turned


def test_nps_without_answers_is_missing():
    """No answers, no score."""
    assert np.isnan(nps_interval(0, 0, 0)).all()


def test_nps_interval_covers_as_often_as_it_says():
    """Whether 30 or 300 answer, a 95 % interval holds the true score 93 to 98 % of times."""
    rng = np.random.default_rng(5)
    for n in (30, 300):
        hits = [
            low <= 20 <= high
            for promoters, passives, detractors in rng.multinomial(n, [0.45, 0.3, 0.25], 1000)
            for _, low, high in [nps_interval(promoters, passives, detractors)]
        ]
        assert 0.93 <= np.mean(hits) <= 0.98


def test_nps_counts_9_and_10_against_0_to_6():
    """Three promoters, two passives, five detractors: -20."""
    answers = make_outcomes("rec", [9, 10, 10, 7, 8, 0, 3, 5, 6, 6])
    row = summarise_scores(select_answers(answers, NPS)).iloc[0]
    assert tuple(row[["metric", "item", "group", "n", "score"]]) == ("nps", "rec", "all", 10, -20.0)
    assert tuple(row[["unit", "score_min", "score_max"]]) == ("points", -100.0, 100.0)


@pytest.mark.parametrize(
    ("scale", "values", "percent"),
    [
        ((1.0, 5.0), [5, 4, 3, 2], 50.0),
        ((1.0, 7.0), [7, 6, 5, 4], 50.0),
        ((1.0, 3.0), [3, 2, 1, 1], 25.0),
        ((0.0, 1.0), [1, 1, 1, 0], 75.0),
    ],
)
def test_csat_is_the_share_of_the_top_two_answers(scale, values, percent):
    """The top two of four answers or more, the top one of a shorter scale, with Wilson's ends."""
    items = make_items(item=["sat"], metric=["csat"], scale_min=scale[0], scale_max=scale[1])
    row = summarise_scores(select_answers(make_outcomes("sat", values), items)).iloc[0]
    assert percent == row["score"]
    low, high = wilson_interval(percent / 100, 4)
    assert pytest.approx((100 * low, 100 * high)) == (row["conf_low"], row["conf_high"])


def test_ces_is_the_mean_with_students_interval():
    """4, 5, 7, 6: s = sqrt(5/3), t(3, .975) = 3.182446, so 5.5 -+ 2.054260."""
    items = make_items(item=["ease"], metric=["ces"])
    row = summarise_scores(select_answers(make_outcomes("ease", [4, 5, 7, 6]), items)).iloc[0]
    assert pytest.approx((5.5, 3.445740, 7.554260), abs=2e-6) == tuple(
        row[["score", "conf_low", "conf_high"]]
    )
    equal = summarise_scores(select_answers(make_outcomes("ease", [4, 4]), items)).iloc[0]
    assert equal["score"] == 4.0
    assert np.isnan(equal["conf_low"])


def test_scores_of_groups_follow_the_score_of_all():
    """Groups come in natural order; metrics as nps, csat, ces; items apart."""
    items = make_items(
        item=["ease", "sat2", "sat10", "rec"],
        metric=["ces", "csat", "csat", "nps"],
        scale_min=[1, 1, 1, 0],
        scale_max=[7, 5, 5, 10],
    )
    answers = pd.concat([make_outcomes(item, [5, 4, 3]) for item in items["item"]])
    answers["team"] = answers["respondent_id"].map({"r0": 10.0, "r1": 9.0, "r2": None})
    table = summarise_scores(select_answers(answers, items), by="team")
    assert list(table["item"].unique()) == ["rec", "sat2", "sat10", "ease"]
    assert sorted(table["group"][:4], key=["all", "9", "10", "(unknown)"].index) == [
        "all",
        "9",
        "10",
        "(unknown)",
    ]
    assert list(table["n"][:4]) == [3, 1, 1, 1]


def test_perception_feeds_a_score_only_without_an_outcome():
    """An item with a metric that was asked as perception counts; its expectation never does."""
    items = make_items(item=["sat"], metric=["csat"], scale_max=5.0)
    answers = make_answers("r0 sat 1 5\nr1 sat 1 4")
    assert summarise_scores(select_answers(answers, items))["score"].item() == 100.0
    both = pd.concat([answers, make_outcomes("sat", [1, 2])])
    assert summarise_scores(select_answers(both, items))["score"].item() == 0.0


def test_no_metric_no_scores():
    """A survey without scores gives an empty table with its columns."""
    table = summarise_scores(select_answers(make_answers("a speed 7 4")))
    assert len(table) == 0
    assert list(table.columns[:7]) == [
        "metric",
        "item",
        "group",
        "n",
        "score",
        "conf_low",
        "conf_high",
    ]


@pytest.mark.parametrize(
    ("ends", "message"),
    [((1.0, 10.0), "is on 1 to 10; it takes 0 to 10"), ((None, None), "has no scale")],
)
def test_nps_needs_the_scale_0_to_10(ends, message):
    """Promoters and detractors mean nothing on another scale."""
    items = NPS.assign(scale_min=ends[0], scale_max=ends[1])
    with pytest.raises(InputError, match=f"The nps item 'rec' {message}"):
        summarise_scores(select_answers(make_outcomes("rec", [9]), items))


INVITED = pd.DataFrame(
    {
        "respondent_id": ["r0", "r1", "r2", "r3", "r4"],
        "region": ["n", "n", "s", "s", "s"],
        "wave": ["1", "1", "2", "2", "2"],
    }
)


def test_response_rate_counts_the_invited():
    """Two of five answered; an uninvited respondent changes nothing."""
    answers = make_outcomes("rec", [9, 9])
    stranger = answers.head(1).assign(respondent_id="stranger")
    table = summarise_response(pd.concat([answers, stranger]), INVITED, by="region")
    assert list(table[["group", "n", "score"]].itertuples(index=False, name=None)) == [
        ("all", 5, 40.0),
        ("n", 2, 100.0),
        ("s", 3, 0.0),
    ]
    # Wilson by hand for 2 of 5: .1176 to .7693
    assert pytest.approx((11.76, 76.93), abs=0.01) == (table["conf_low"][0], table["conf_high"][0])


def test_response_rate_of_a_wave_counts_its_invitations():
    """Invitations that name their wave are counted for that wave only."""
    answers = make_outcomes("rec", [9, 9, 9])
    table = summarise_response(answers, INVITED, wave="2")
    assert (3, pytest.approx(100 / 3)) == (table["n"][0], table["score"][0])
    without = summarise_response(answers, INVITED.drop(columns="wave"), wave="2")
    assert without["n"][0] == 5
    with pytest.raises(InputError, match="Nobody was invited to the wave '3'"):
        summarise_response(answers, INVITED, wave="3")


def test_answers_of_another_wave_are_no_response():
    """All of 100 answered the first wave, half of them the second: the second has 50 %."""
    ids = [f"r{i}" for i in range(100)]
    first = make_outcomes("rec", [9] * 100).assign(wave="w1")
    answers = pd.concat([first, first.head(50).assign(wave="w2")])
    invited = pd.DataFrame({"respondent_id": ids, "wave": "w2"})
    assert summarise_response(answers, invited, wave="w2")["score"][0] == 50.0
    assert summarise_response(answers, invited)["score"][0] == 50.0
    unnamed = invited.drop(columns="wave")
    assert summarise_response(answers, unnamed, wave="w2")["score"][0] == 50.0
    assert summarise_response(answers, unnamed)["score"][0] == 100.0
    both = pd.concat([invited, invited.assign(wave="w1")])
    table = summarise_response(answers, both)
    assert (table["n"][0], table["score"][0]) == (200, 75.0)


def test_employees_are_no_respondents():
    """An employee who shares an id with an invited customer did not answer for him."""
    answers = make_outcomes("rec", [9, 9]).assign(source=["customer", "employee"])
    assert summarise_response(answers, INVITED)["score"][0] == 20.0


def test_waves_that_never_meet_are_refused():
    """A wave written in two ways is told with the names of either table."""
    answers = make_outcomes("rec", [9]).assign(wave="spring")
    with pytest.raises(InputError, match=r"respondent_id / wave in 'answers' like \['r0 / spring'"):
        summarise_response(answers, INVITED)


def test_ids_that_never_meet_are_refused():
    """A response rate of zero because two tables number people differently would be a lie."""
    answers = make_outcomes("rec", [9]).assign(respondent_id="S-1")
    with pytest.raises(InputError, match=r"Nobody who answered is among the invited[\s\S]*S-1"):
        summarise_response(answers, INVITED)
