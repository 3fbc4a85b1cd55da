"""Gaps equal the numbers worked out by hand and published, and behave at the edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.estimates.gaps import summarise_gaps
from cxlib.gaps.ratings import Ratings, keep_respondents, select_answers
from tests.gaps.answers import ITEMS, SURVEY, make_answers, make_items

ITEM_X = make_items(item=["x"])


def _ratings(answers: pd.DataFrame, items: pd.DataFrame | None = None) -> Ratings:
    if items is None:
        items = make_items(item=sorted(answers["item"].unique()), scale_max=99.0)
    return select_answers(answers, items)


def _gaps(survey: str, items: pd.DataFrame | None = None) -> pd.DataFrame:
    return summarise_gaps(_ratings(make_answers(survey), items)).set_index(["level", "name"])


def test_item_gap_by_hand():
    """Gaps -3, -1, -2, -1: the paired t-test and its interval on 3 degrees of freedom."""
    row = _gaps(SURVEY, ITEMS).loc[("item", "speed")]
    assert (row["n"], row["expectation"], row["perception"], row["gap"]) == (4, 6.25, 4.5, -1.75)
    # by hand: squared deviations 1.5625, .5625, .0625, .5625 sum to 2.75, s = sqrt(2.75 / 3)
    assert pytest.approx(np.sqrt(2.75 / 3) / 2) == row["std_error"]
    assert pytest.approx(-1.75 / np.sqrt(2.75 / 3)) == row["effect_size"]
    # t(3, .975) = 3.182446
    half = 3.182446 * np.sqrt(2.75 / 3) / 2
    assert pytest.approx([-1.75 - half, -1.75 + half], abs=1e-6) == [
        row["conf_low"],
        row["conf_high"],
    ]
    # on 3 degrees of freedom the t distribution has a closed form
    t = 1.75 / (np.sqrt(2.75 / 3) / 2)
    inside = 2 / np.pi * (t / np.sqrt(3) / (1 + t**2 / 3) + np.arctan(t / np.sqrt(3)))
    assert pytest.approx(1 - inside) == row["p_value"]


def test_dimension_gap_is_the_mean_of_respondents_not_of_answers():
    """D rated one of two items and counts once: (-2 - 2.5 - 3 - 1) / 4."""
    row = _gaps(SURVEY, ITEMS).loc[("dimension", "time")]
    assert pytest.approx(-2.125) == row["gap"]
    assert pytest.approx((6.5 + 6.5 + 6.5 + 5) / 4) == row["expectation"]
    assert (row["n"], row["n_items"], row["item_share"]) == (4, 2, 7 / 8)


def test_expectation_without_perception_enters_no_mean():
    """The means shown are those of the paired ratings: c's unpaired rating of polite is out."""
    row = _gaps(SURVEY, ITEMS).loc[("item", "polite")]
    assert (row["n"], row["expectation"], row["perception"], row["gap"]) == (2, 5.5, 6.0, 0.5)


def test_levels_come_in_order_and_only_where_known():
    """Items without a touchpoint enter no touchpoint row; without `items` two levels are left."""
    assert list(_gaps(SURVEY, ITEMS).index) == [
        ("item", "hold"),
        ("item", "polite"),
        ("item", "speed"),
        ("dimension", "people"),
        ("dimension", "time"),
        ("touchpoint", "phone"),
        ("total", "total"),
    ]
    bare = make_items(item=["speed", "hold", "polite"])
    assert {"item", "total"} == set(_gaps(SURVEY, bare).index.get_level_values("level"))


def test_whole_table_is_one_family():
    """Three items, two dimensions, a touchpoint and the total are seven tests."""
    gaps = _gaps(SURVEY, ITEMS)
    assert list(gaps["n_tests"]) == [7] * 7
    assert pytest.approx(list(stats.false_discovery_control(gaps["p_value"]))) == list(
        gaps["q_value"]
    )
    assert pytest.approx(list(stats.false_discovery_control(gaps["rank_p_value"]))) == list(
        gaps["rank_q_value"]
    )


def test_equal_gaps_have_no_interval_and_no_p_value():
    """Everyone one point short: the spread is zero, which is no certainty."""
    row = _gaps("a speed 7 6\nb speed 6 5\nc speed 5 4").loc[("item", "speed")]
    assert (row["gap"], row["std_error"]) == (-1.0, 0.0)
    missing = ["conf_low", "conf_high", "effect_size", "p_value", "q_value"]
    assert row[missing].isna().all()
    assert row["n_tests"] == 0


def test_equal_means_of_thirds_have_no_variance_either():
    """Means that cannot be written exactly still count as equal."""
    lines = [f"{who} q{i} 7 {value}" for who in "abc" for i, value in enumerate((6, 6, 5))]
    row = _gaps("\n".join(lines)).loc[("total", "total")]
    assert row["std_error"] == 0.0
    assert np.isnan(row["p_value"])


def test_item_with_one_respondent_has_no_interval():
    """One pair is a number, not an estimate with an interval."""
    row = _gaps("a speed 7 4\nb speed 6 5\na hold 7 4").loc[("item", "hold")]
    assert (row["n"], row["gap"]) == (1, -3.0)
    assert row[["std_error", "conf_low", "p_value", "p_lowest"]].isna().all()


def test_one_respondent_is_too_little_data():
    """Nothing can be told with an interval."""
    with pytest.raises(TooLittleData, match="Fewer than two respondents"):
        _gaps("a speed 7 4\na hold 7 5")


def test_nobody_in_both_roles_is_too_little_data():
    """Expectations of some and perceptions of others make no pair."""
    with pytest.raises(TooLittleData, match="Fewer than two respondents"):
        _gaps("a speed 7 -\nb speed - 5")


def test_missing_role_is_named():
    """A survey of perceptions has no gap."""
    with pytest.raises(InputError, match="No answer has the role 'expectation'"):
        _gaps("a speed - 4\nb speed - 5")


def test_items_of_different_scales_are_not_averaged():
    """A mean over a 1-7 and a 1-5 item would be in no unit."""
    items = make_items(item=["speed", "hold"], scale_max=[7.0, 5.0])
    with pytest.raises(InputError, match=r"different scales[\s\S]*'hold' on 1 to 5, 'speed' on 1"):
        _gaps("a speed 7 4\na hold 5 4\nb speed 6 4\nb hold 5 3", items)


def test_reversed_wording_is_marked():
    """A turned item says so, for its numbers no longer agree with its text."""
    items = make_items(
        item=["wait", "fast"], higher_is_better=[False, True], text=["I wait long", "Fast"]
    )
    gaps = _gaps("a wait 1 4\nb wait 2 5\na fast 7 6\nb fast 7 4", items)
    assert gaps.loc[("item", "wait"), "text"] == "I wait long (reversed)"
    assert gaps.loc[("item", "fast"), "text"] == "Fast"


def test_ceiling_share_counts_paired_expectations():
    """Two of the four expectations of speed are at the top, 7."""
    assert _gaps(SURVEY, ITEMS).loc[("item", "speed"), "ceiling_share"] == 0.5


def test_top_gap_is_the_difference_of_top_shares():
    """Of speed two of four expectations are 7 and no perception: -1/2; no share is below -1."""
    row = _gaps(SURVEY, ITEMS).loc[("item", "speed")]
    half = 3.182446 * np.sqrt(1 / 3) / 2  # -1, 0, -1, 0: variance 1/3
    assert -0.5 - half < -1
    assert pytest.approx([-0.5, -1, -0.5 + half], abs=1e-6) == list(
        row[["top_gap", "top_low", "top_high"]]
    )
    # by dimension a respondent's share of ratings: hold is 6, 7, 6 for a, b, c
    row = _gaps(SURVEY, ITEMS).loc[("dimension", "time")]
    assert pytest.approx((0.5 + 0.5 + 0.5 + 0) / 4) == row["ceiling_share"]


def test_top_shares_need_a_scale():
    """Where the scale is not known, neither is its top."""
    items = make_items(item=["speed"], scale_min=np.nan, scale_max=np.nan)
    row = _gaps("a speed 7 4\nb speed 6 5\nc speed 6 2", items).loc[("item", "speed")]
    assert row[["top_gap", "ceiling_share", "scale_max"]].isna().all()
    assert row["agreement"] in ("agree", "differ in significance")


def test_views_that_differ_are_marked():
    """Most exceed a little, few fall far short: the mean is below zero, the ranks above."""
    many = [f"r{i} x 90 {92 + i % 2}" for i in range(90)]
    few = [f"s{i} x 90 {10 + i % 3}" for i in range(20)]
    row = _gaps("\n".join(many + few)).loc[("item", "x")]
    assert row["gap"] < 0 < row["rank_effect"]
    assert row["q_value"] < 0.05
    assert row["rank_q_value"] < 0.05
    assert row["agreement"] == "differ in sign"
    row = _gaps("\n".join([*many[:20], "t x 90 1"])).loc[("item", "x")]
    assert row["q_value"] > 0.05 > row["rank_q_value"]
    assert row["agreement"] == "differ in significance"


def test_more_top_answers_in_spite_of_a_lower_mean_are_marked():
    """Half are delighted, half are not: more 7s than expected, and a lower mean all the same."""
    row = _gaps("\n".join(f"r{i} x {5 + i % 2} {2 if i % 3 else 7}" for i in range(60)), ITEM_X)
    row = row.loc[("item", "x")]
    assert row["gap"] < 0 < row["top_low"]
    assert row["agreement"] == "differ at the top"


def test_stages_put_touchpoints_together():
    """A stage holds the items of its touchpoints; a touchpoint in two stages is refused."""
    items = make_items(item=["speed", "hold", "polite"], touchpoint=["phone", "chat", "shop"])
    stages = pd.DataFrame(
        {"touchpoint": ["phone", "chat", "shop"], "stage": ["use", "use", "purchase"]}
    )
    ratings = select_answers(make_answers(SURVEY), items)
    gaps = summarise_gaps(ratings, touchpoints=stages).set_index(["level", "name"])
    levels = list(dict.fromkeys(gaps.index.get_level_values("level")))
    assert levels == ["item", "touchpoint", "stage", "total"]
    assert pytest.approx(-2.125) == gaps.loc[("stage", "use"), "gap"]
    assert gaps.loc[("stage", "use"), "n_items"] == 2
    twice = pd.concat([stages, stages.assign(stage="advocacy").head(1)])
    with pytest.raises(InputError, match=r"Touchpoint 'phone' is in two stages"):
        summarise_gaps(ratings, touchpoints=twice)


def test_answers_that_name_their_touchpoint_count_there():
    """The same item is about the shop for one and about the phone for the other."""
    answers = make_answers("a speed 7 4\nb speed 6 5\nc speed 7 1\nd speed 5 3\na hold 7 6")
    answers["touchpoint"] = answers["respondent_id"].map(
        {"a": "shop", "b": "shop", "c": "phone", "d": "phone"}
    )
    stages = pd.DataFrame({"touchpoint": ["phone", "shop"], "stage": ["use", "use"]})
    gaps = summarise_gaps(
        select_answers(answers, make_items(item=["speed", "hold"])), touchpoints=stages
    ).set_index(["level", "name"])
    assert pytest.approx([-4.0, -1.5]) == list(gaps.loc["touchpoint", "gap"])
    assert list(gaps.loc["touchpoint", "n_items"]) == [1, 2]
    total = gaps.loc[("total", "total"), "gap"]
    assert gaps.loc[("stage", "use"), "gap"] == pytest.approx(total) == -2.75


def test_weights_and_clusters_reach_the_estimates():
    """Twice the same person is one customer: the interval is that of one, not of two."""
    single = make_answers("a x 7 4\nb x 6 5\nc x 7 5\nd x 5 5")
    double = pd.concat([single, single.assign(respondent_id=single["respondent_id"] + "2")])
    double["customer_id"] = double["respondent_id"].str[0]
    items = make_items(item=["x"])
    one, two = (summarise_gaps(select_answers(a, items)).iloc[0] for a in (single, double))
    for column in ("gap", "std_error", "conf_low", "p_value"):
        assert one[column] == pytest.approx(two[column])
    assert (one["n"], two["n"]) == (4, 8)
    weighted = single.assign(weight=single["respondent_id"].map({"a": 3, "b": 1, "c": 1, "d": 1}))
    assert summarise_gaps(select_answers(weighted, items)).iloc[0]["gap"] == pytest.approx(-2.0)


def test_half_without_expectation_are_left_out_and_counted():
    """Those who gave one rating of an item are in no row of it."""
    lines = [f"r{i} x {6 if i % 2 else '-'} {3 + i % 4}" for i in range(20)]
    row = _gaps("\n".join(lines)).loc[("item", "x")]
    assert row["n"] == 10
    assert row["perception"] == pytest.approx(np.mean([3 + i % 4 for i in range(1, 20, 2)]))


def test_respondents_can_be_left_out():
    """The table of some respondents is the table of a survey of them alone."""
    answers = make_answers(SURVEY)
    kept = keep_respondents(select_answers(answers, ITEMS), [True, True, True, False])
    alone = select_answers(answers[answers["respondent_id"].ne("d")], ITEMS)
    pd.testing.assert_frame_equal(summarise_gaps(kept), summarise_gaps(alone))


def _many(means: dict[str, float], n: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    parts = []
    for item, mean in means.items():
        gap = np.rint(mean + rng.normal(0, 1, n))
        for role, value in (("expectation", np.full(n, 50.0)), ("perception", 50 + gap)):
            ids = [f"r{i}" for i in range(n)]
            parts.append(
                pd.DataFrame({"respondent_id": ids, "item": item, "role": role, "value": value})
            )
    return pd.concat(parts, ignore_index=True)


def test_rank_is_certain_only_when_it_is():
    """Far apart gaps are ranked for sure; equal ones share the chance."""
    clear = summarise_gaps(_ratings(_many({"x": -3.0, "y": 0.0})))
    assert list(clear["p_lowest"][:2]) == [1.0, 0.0]
    close = summarise_gaps(_ratings(_many({"x": -1.0, "y": -1.0, "z": 2.0})))
    chances = close["p_lowest"][:3]
    assert pytest.approx(1.0) == chances.sum()
    assert chances[0] > 0.02
    assert chances[1] > 0.02


def test_chance_of_being_lowest_matches_the_normal_law():
    """Two independent means differ by d with error s: the chance is Phi(d / s)."""
    answers = _many({"x": -0.1, "y": 0.0}, n=400, seed=3)
    # disjoint respondents make the two means independent
    answers.loc[answers["item"].eq("y"), "respondent_id"] += "-other"
    gaps = summarise_gaps(_ratings(answers))
    x, y = gaps.iloc[0], gaps.iloc[1]
    error = np.hypot(x["std_error"], y["std_error"])
    expected = stats.norm.cdf((y["gap"] - x["gap"]) / error)
    assert pytest.approx(expected, abs=0.015) == x["p_lowest"]


def test_unanimous_gap_is_ranked_with_its_mean_fixed():
    """Thirty of thirty at -3 are the lowest; two such items share the chance."""
    lines = [f"r{i} x 7 4\nr{i} y {5 + i % 3} 5" for i in range(30)]
    chances = summarise_gaps(_ratings(make_answers("\n".join(lines))))["p_lowest"]
    assert list(chances[:2]) == [1.0, 0.0]
    lines += [f"r{i} z 6 3" for i in range(30)]
    chances = summarise_gaps(_ratings(make_answers("\n".join(lines))))["p_lowest"]
    assert list(chances[:3]) == [0.5, 0.0, 0.5]


def test_items_answered_alike_share_the_chance():
    """Two items with the very same answers are the lowest equally often."""
    lines = [f"r{i} {item} {5 + i % 3} 5" for i in range(30) for item in "xyz"]
    chances = summarise_gaps(_ratings(make_answers("\n".join(lines))))["p_lowest"]
    assert pytest.approx([1 / 3] * 3) == list(chances[:3])


def test_same_seed_same_table():
    """Draws repeat, and another seed moves only the draws."""
    ratings = _ratings(_many({"x": -1.0, "y": -1.0}))
    first, again = summarise_gaps(ratings), summarise_gaps(ratings)
    pd.testing.assert_frame_equal(first, again)
    other = summarise_gaps(ratings, random_state=1)
    pd.testing.assert_frame_equal(first.drop(columns="p_lowest"), other.drop(columns="p_lowest"))


surveys = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from("xyz"), st.integers(1, 7), st.integers(1, 7)),
    min_size=2,
    max_size=25,
    unique_by=lambda row: row[:2],
).filter(lambda rows: len({row[0] for row in rows}) > 1)


def _lines(rows: list[tuple[int, str, int, int]]) -> str:
    return "\n".join(f"r{who} {item} {e} {p}" for who, item, e, p in rows)


@given(rows=surveys, seed=st.integers(0, 99))
@settings(max_examples=8, deadline=None)
def test_order_of_rows_changes_nothing(rows, seed):
    """Shuffled answers give the same table."""
    answers = make_answers(_lines(rows))
    shuffled = answers.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(
        summarise_gaps(_ratings(answers)), summarise_gaps(_ratings(shuffled))
    )


@given(rows=surveys)
@settings(max_examples=8, deadline=None)
def test_swapping_the_roles_turns_the_sign(rows):
    """gap(P, E) = -gap(E, P), with the same error and p-value, and gap = P - E."""
    straight = _gaps(_lines(rows))
    swapped = _gaps(_lines([(who, item, p, e) for who, item, e, p in rows]))
    np.testing.assert_allclose(straight["gap"], -swapped["gap"], atol=1e-12)
    np.testing.assert_allclose(straight["p_value"], swapped["p_value"])
    difference = straight["perception"] - straight["expectation"]
    np.testing.assert_allclose(straight["gap"], difference, atol=1e-12)
