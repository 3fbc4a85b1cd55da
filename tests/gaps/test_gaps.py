"""Gaps equal the numbers worked out by hand and published, and behave at the edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps import check_respondents, compare_gap_groups, select_answers, summarise_gaps
from cxlib.gaps.levels import describe_columns
from tests.gaps.answers import ITEMS, SURVEY, make_answers, make_items


def _gaps(survey: str, items: pd.DataFrame | None = None) -> pd.DataFrame:
    table = summarise_gaps(select_answers(make_answers(survey), items))
    return table.set_index(["level", "name"])


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
    assert {"item", "total"} == set(_gaps(SURVEY).index.get_level_values("level"))


def test_each_level_is_one_family():
    """Three items are three tests; the total stands alone and keeps its p-value."""
    gaps = _gaps(SURVEY, ITEMS)
    assert list(gaps["n_tests"]) == [3, 3, 3, 2, 2, 1, 1]
    total = gaps.loc[("total", "total")]
    assert total["p_value"] == total["q_value"]
    items = gaps.loc["item"]
    smallest = items["p_value"].min()
    assert items["q_value"].min() <= 3 * smallest
    assert (items["q_value"] >= items["p_value"]).all()


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
    with pytest.raises(TooLittleData, match="one and the same item: 1; at least 2 are needed"):
        _gaps("a speed 7 4\na hold 7 5")


def test_nobody_in_both_roles_is_too_little_data():
    """Expectations of some and perceptions of others make no pair."""
    with pytest.raises(TooLittleData, match="one and the same item: 0; at least 2"):
        _gaps("a speed 7 -\nb speed - 5")


def test_fewer_respondents_than_asked_for_are_too_little_data():
    """A page shows nothing of fewer people than its smallest cell."""
    ratings = select_answers(make_answers(SURVEY))
    assert check_respondents(ratings, min_cell=4) is ratings
    with pytest.raises(TooLittleData, match="item: 4; at least 5 are needed"):
        check_respondents(ratings, min_cell=5)


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
    clear = summarise_gaps(select_answers(_many({"x": -3.0, "y": 0.0})))
    assert list(clear["p_lowest"][:2]) == [1.0, 0.0]
    close = summarise_gaps(select_answers(_many({"x": -1.0, "y": -1.0, "z": 2.0})))
    chances = close["p_lowest"][:3]
    assert pytest.approx(1.0) == chances.sum()
    assert chances[0] > 0.02
    assert chances[1] > 0.02


def test_chance_of_being_lowest_matches_the_normal_law():
    """Two independent means differ by d with error s: the chance is Phi(d / s)."""
    answers = _many({"x": -0.1, "y": 0.0}, n=400, seed=3)
    # disjoint respondents make the two means independent
    answers.loc[answers["item"].eq("y"), "respondent_id"] += "-other"
    gaps = summarise_gaps(select_answers(answers))
    x, y = gaps.iloc[0], gaps.iloc[1]
    error = np.hypot(x["std_error"], y["std_error"])
    expected = stats.norm.cdf((y["gap"] - x["gap"]) / error)
    assert pytest.approx(expected, abs=0.015) == x["p_lowest"]


def test_unanimous_gap_is_ranked_with_its_mean_fixed():
    """Thirty of thirty at -3 are the lowest; two such items share the chance."""
    lines = [f"r{i} x 7 4\nr{i} y {5 + i % 3} 5" for i in range(30)]
    chances = summarise_gaps(select_answers(make_answers("\n".join(lines))))["p_lowest"]
    assert list(chances[:2]) == [1.0, 0.0]
    lines += [f"r{i} z 6 3" for i in range(30)]
    chances = summarise_gaps(select_answers(make_answers("\n".join(lines))))["p_lowest"]
    assert list(chances[:3]) == [0.5, 0.0, 0.5]


def test_items_answered_alike_share_the_chance():
    """Two items with the very same answers are the lowest equally often."""
    lines = [f"r{i} {item} {5 + i % 3} 5" for i in range(30) for item in "xyz"]
    chances = summarise_gaps(select_answers(make_answers("\n".join(lines))))["p_lowest"]
    assert pytest.approx([1 / 3] * 3) == list(chances[:3])


def test_same_seed_same_table():
    """Draws repeat, and another seed moves only the draws."""
    ratings = select_answers(_many({"x": -1.0, "y": -1.0}))
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
@settings(max_examples=25, deadline=None)
def test_order_of_rows_changes_nothing(rows, seed):
    """Shuffled answers give the same table."""
    answers = make_answers(_lines(rows))
    shuffled = answers.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(
        summarise_gaps(select_answers(answers)), summarise_gaps(select_answers(shuffled))
    )


@given(rows=surveys)
@settings(max_examples=25, deadline=None)
def test_swapping_the_roles_turns_the_sign(rows):
    """gap(P, E) = -gap(E, P), with the same error and p-value, and gap = P - E."""
    straight = _gaps(_lines(rows))
    swapped = _gaps(_lines([(who, item, p, e) for who, item, e, p in rows]))
    np.testing.assert_allclose(straight["gap"], -swapped["gap"], atol=1e-12)
    np.testing.assert_allclose(straight["p_value"], swapped["p_value"])
    difference = straight["perception"] - straight["expectation"]
    np.testing.assert_allclose(straight["gap"], difference, atol=1e-12)


def test_interval_covers_the_truth_as_often_as_it_says():
    """Of 4,000 intervals at 95 %, each of 30 respondents, 93 to 97 % hold the truth."""
    rng = np.random.default_rng(7)
    drawn = rng.normal(-0.5, 1.0, (30, 4000))
    table = describe_columns(drawn, conf_level=0.95)
    covered = (table["conf_low"] <= -0.5) & (table["conf_high"] >= -0.5)
    assert 0.93 < covered.mean() < 0.97


GROUPS = """
    a speed 7 4
    b speed 6 5
    c speed 7 5
    d speed 5 4
    e speed 5 5
    f speed 6 6
    g speed 6 7
"""


def test_group_difference_is_welchs():
    """Gaps -3, -1, -2, -1 against 0, 0, 1: t.test() in R, or Welch's formulas by hand."""
    answers = make_answers(GROUPS)
    answers["team"] = answers["respondent_id"].map(lambda who: "10" if who in "abcd" else "9")
    table = compare_gap_groups(select_answers(answers), by="team")
    assert list(table["group"]) == ["9", "9", "10", "10"]
    row = table[table["group"].eq("10") & table["level"].eq("item")].iloc[0]
    # by hand: variances 2.75/3 and 1/3, so error = sqrt(2.75/12 + 1/9) = .583333
    assert pytest.approx((4, -1.75, -1.75 - 1 / 3)) == (row["n"], row["gap"], row["difference"])
    error = np.sqrt(2.75 / 12 + 1 / 9)
    degrees = error**4 / ((2.75 / 12) ** 2 / 3 + (1 / 9) ** 2 / 2)
    half = stats.t.ppf(0.975, degrees) * error
    assert pytest.approx(-1.75 - 1 / 3 - half) == row["difference_low"]
    assert pytest.approx(-1.75 - 1 / 3 + half) == row["difference_high"]
    test = stats.ttest_ind([-3, -1, -2, -1], [0, 0, 1], equal_var=False)
    assert pytest.approx(test.pvalue) == row["p_value"] == row["q_value"]
    # either team is all others to the other: one comparison, printed on both rows
    assert list(table["n_tests"]) == [1] * 4
    assert table["q_value"].nunique() == 1


def test_two_groups_compare_each_item_once():
    """Two items and two teams are two comparisons; three teams make six."""
    answers = make_answers(GROUPS.rstrip() + GROUPS.replace("speed", "hold").replace("6 7", "6 3"))
    answers["team"] = answers["respondent_id"].map(dict(zip("abcdefg", "xxxxyyy", strict=True)))
    table = compare_gap_groups(select_answers(answers), by="team")
    items = table[table["level"].eq("item")].set_index(["group", "name"])
    assert list(items["n_tests"]) == [2] * 4
    small, large = sorted(items["p_value"].unique())
    assert pytest.approx([min(2 * small, large), large]) == sorted(items["q_value"].unique())
    assert list(items.loc["x", "q_value"]) == list(items.loc["y", "q_value"])
    answers["team"] = answers["respondent_id"].map(dict(zip("abcdefg", "xxyyzzz", strict=True)))
    table = compare_gap_groups(select_answers(answers), by="team")
    assert list(table["n_tests"][table["level"].eq("item")]) == [6] * 6


def test_group_of_one_is_shown_without_a_comparison():
    """A single respondent gives a gap, no interval and no test."""
    answers = make_answers(GROUPS)
    answers["team"] = np.where(answers["respondent_id"].eq("a"), "alone", "rest")
    table = compare_gap_groups(select_answers(answers), by="team")
    row = table.iloc[0]
    assert (row["group"], row["n"], row["gap"]) == ("alone", 1, -3.0)
    assert row[["conf_low", "difference_low", "p_value", "q_value"]].isna().all()


def test_single_group_has_nobody_to_compare_with():
    """One group for all is the total and no comparison."""
    answers = make_answers(GROUPS).assign(team="all of them")
    table = compare_gap_groups(select_answers(answers), by="team")
    assert table["difference"].isna().all()
    assert pytest.approx(-6 / 7) == table["gap"].iloc[0]
