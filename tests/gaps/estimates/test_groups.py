"""Groups, waves and flagged respondents are compared fairly and told with their certainty."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.errors import InputError
from cxlib.gaps.estimates.gaps import summarise_gaps
from cxlib.gaps.estimates.groups import compare_flagged, compare_gap_groups
from cxlib.gaps.ratings import keep_respondents, select_answers
from tests.gaps.answers import ITEMS, SURVEY, make_answers, make_items

ALL = make_items(item=["speed", "hold"])
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
    table = compare_gap_groups(select_answers(answers, ALL), by="team")
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
    assert pytest.approx(test.pvalue) == row["p_value"]
    assert row["q_value"] == pytest.approx(row["p_value"])  # item and total are the same here
    # either team is all others to the other: one comparison, printed on both rows; item and total
    assert list(table["n_tests"]) == [2] * 4
    assert table["q_value"].nunique() == 1


def test_two_groups_compare_each_name_once():
    """Two items, the total and two teams are three comparisons; three teams make nine."""
    answers = make_answers(GROUPS.rstrip() + GROUPS.replace("speed", "hold").replace("6 7", "6 3"))
    answers["team"] = answers["respondent_id"].map(dict(zip("abcdefg", "xxxxyyy", strict=True)))
    table = compare_gap_groups(select_answers(answers, ALL), by="team")
    assert list(table["n_tests"]) == [3] * 6
    of_x, of_y = (table[table["group"].eq(team)] for team in "xy")
    expected = stats.false_discovery_control(of_x["p_value"])
    assert pytest.approx(list(expected)) == list(of_x["q_value"]) == list(of_y["q_value"])
    answers["team"] = answers["respondent_id"].map(dict(zip("abcdefg", "xxyyzzz", strict=True)))
    table = compare_gap_groups(select_answers(answers, ALL), by="team")
    assert list(table["n_tests"]) == [9] * 9


def test_group_of_one_is_shown_without_a_comparison():
    """A single respondent gives a gap, no interval and no test."""
    answers = make_answers(GROUPS)
    answers["team"] = np.where(answers["respondent_id"].eq("a"), "alone", "rest")
    table = compare_gap_groups(select_answers(answers, ALL), by="team")
    row = table.iloc[0]
    assert (row["group"], row["n"], row["gap"]) == ("alone", 1, -3.0)
    assert row[["conf_low", "difference_low", "p_value", "q_value"]].isna().all()


def test_single_group_has_nobody_to_compare_with():
    """One group for all is the total and no comparison."""
    answers = make_answers(GROUPS).assign(team="all of them")
    table = compare_gap_groups(select_answers(answers, ALL), by="team")
    assert table["difference"].isna().all()
    assert pytest.approx(-6 / 7) == table["gap"].iloc[0]


def test_waves_are_groups_that_share_customers():
    """Everybody one point better than before: no doubt for the same customers, some for others."""
    rng = np.random.default_rng(1)
    base = rng.integers(-6, 1, 40)
    parts = []
    for wave, better in (("1", 0), ("2", 1)):
        answers = make_answers(
            "\n".join(f"r{i} x 90 {90 + gap + better}" for i, gap in enumerate(base))
        )
        parts.append(answers.assign(wave=wave, customer_id="c" + answers["respondent_id"]))
    items = make_items(item=["x"], scale_max=99.0)
    answers = pd.concat(parts, ignore_index=True)
    answers.loc[answers["respondent_id"].eq("r0") & answers["wave"].eq("2"), "value"] += 0.5
    same = compare_gap_groups(select_answers(answers, items, every_wave=True), by="wave").iloc[0]
    answers["customer_id"] += answers["wave"]
    answers["respondent_id"] += answers["wave"]
    other = compare_gap_groups(select_answers(answers, items, every_wave=True), by="wave").iloc[0]
    assert (same["group"], same["n"]) == ("1", 40)
    assert same["difference"] == other["difference"] == pytest.approx(-1.0, abs=0.03)
    assert same["difference_high"] - same["difference_low"] < 0.1
    assert other["difference_high"] - other["difference_low"] > 1


def test_grouping_column_must_be_there_and_constant():
    """A misspelt column is answered with the closest, a varying one with the reason."""
    answers = make_answers(GROUPS).assign(team="x")
    with pytest.raises(InputError, match=r"no column 'teem' to group by[\s\S]*did you mean 'team'"):
        compare_gap_groups(select_answers(answers, ALL), by="teem")
    answers["team"] = answers["role"]
    with pytest.raises(InputError, match="'team' is not one group per respondent"):
        compare_gap_groups(select_answers(answers, ALL), by="team")


def test_flagged_are_left_out_and_the_change_has_an_interval():
    """The change is the gap without them less the gap with them."""
    ratings = select_answers(make_answers(SURVEY), ITEMS)
    flagged = np.array([False, True, False, False])
    table = compare_flagged(ratings, flagged).set_index(["level", "name"])
    gaps = summarise_gaps(ratings).set_index(["level", "name"])
    without = summarise_gaps(keep_respondents(ratings, ~flagged)).set_index(["level", "name"])
    assert pytest.approx(list(gaps["gap"])) == list(table["gap"])
    assert pytest.approx(list(without["gap"])) == list(table["gap_without"])
    assert pytest.approx(list(without["conf_low"]), nan_ok=True) == list(table["without_low"])
    assert pytest.approx(list(without["gap"] - gaps["gap"])) == list(table["change"])
    assert list(table["n_flagged"]) == [1] * 7
    assert table["change_low"].isna().all()  # one flagged: no interval of what they differ by


def test_change_by_flags_by_hand():
    """Gaps -3 -1 -2 -1 flagged, 0 0 1 kept: from -6/7 to 1/3."""
    ratings = select_answers(make_answers(GROUPS), ALL)
    row = compare_flagged(ratings, np.array([True] * 4 + [False] * 3)).iloc[0]
    assert (row["n"], row["n_flagged"]) == (7, 4)
    assert row["change"] == pytest.approx(1 / 3 + 6 / 7)
    # pull of each: 7/3 (gap - 1/3) where kept, less gap + 6/7
    gap = np.array([-3, -1, -2, -1, 0, 0, 1.0])
    pull = np.where(np.arange(7) > 3, 7 / 3 * (gap - 1 / 3), 0) - (gap + 6 / 7)
    error = np.sqrt((pull**2).sum() / 7 / 6)
    half = stats.t.ppf(0.975, 6) * error
    assert (row["change_low"], row["change_high"]) == pytest.approx(
        (row["change"] - half, row["change"] + half)
    )
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(row["change"] / error, 6))


def test_nobody_and_everybody_may_be_flagged():
    """No flag changes nothing; all flags leave nothing."""
    ratings = select_answers(make_answers(SURVEY), ITEMS)
    none = compare_flagged(ratings, np.zeros(4, dtype=bool))
    assert none["change"].eq(0).all()
    assert none["q_value"].isna().all()
    assert compare_flagged(ratings, np.ones(4, dtype=bool))["gap_without"].isna().all()
    with pytest.raises(InputError, match="There are 3 flags for 4 respondents"):
        compare_flagged(ratings, np.ones(3, dtype=bool))
