"""Differences between belief and perception are those of two samples, clustered by team."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxlib.data
from cxlib.errors import InputError
from cxlib.gaps.delivery.beliefs import Beliefs, pair_beliefs, select_beliefs
from cxlib.gaps.delivery.calibration import ABOVE, BELOW, TOP, count_ratings, summarise_calibration
from cxlib.gaps.delivery.compare import compare_belief_groups, compare_beliefs
from cxlib.stats import wilson_interval
from tests.gaps.delivery.survey import CARE, SPEED, TEAMS, make_beliefs, make_survey

TRUTH = Path(__file__).resolve().parents[3] / "data" / "samples" / "truth.json"


@pytest.fixture(scope="module")
def sample() -> Beliefs:
    """Pair the employees and customers of the sample company."""
    tables = cxlib.data.open_workbook("samples")
    return pair_beliefs(*select_beliefs(tables.frame("answers"), tables.frame("items")))


def test_without_teams_it_is_welch() -> None:
    """Difference, interval and p-value are those of Welch's test."""
    row = compare_beliefs(make_beliefs(make_survey())).set_index("name").loc["speed"]
    test = stats.ttest_ind(SPEED["employee"], SPEED["customer"], equal_var=False)
    ends = test.confidence_interval(0.95)
    assert row["difference"] == pytest.approx(37 / 6 - 4)
    assert row["p_value"] == pytest.approx(test.pvalue)
    assert row[["conf_low", "conf_high"]].tolist() == pytest.approx([ends.low, ends.high])
    assert (row["n_employees"], row["n"], row["n_units"], row["text"]) == (6, 7, 0, "Served fast.")


def test_teams_are_clusters() -> None:
    """Three teams: the error of their means, and two degrees of freedom on that side."""
    row = compare_beliefs(make_beliefs(make_survey(unit=True))).set_index("name").loc["speed"]
    # team sums of residuals about 37/6: a 12 - 37/3, b 12 - 37/3, c 13 - 37/3, over n = 6
    clustered = 3 / 2 * ((1 / 3) ** 2 * 2 + (2 / 3) ** 2) / 36
    alone = np.var(SPEED["employee"], ddof=1) / 6
    ours = max(clustered, alone)  # teams that agree by luck do not shorten the interval
    theirs = np.var(SPEED["customer"], ddof=1) / 7
    degrees = (ours + theirs) ** 2 / (ours**2 / 2 + theirs**2 / 6)
    assert row["std_error"] == pytest.approx(np.sqrt(ours + theirs))
    half = stats.t.ppf(0.975, degrees) * np.sqrt(ours + theirs)
    assert row["conf_high"] == pytest.approx(37 / 6 - 4 + half)
    assert row["n_units"] == 3


def test_verdicts_come_with_their_probability() -> None:
    """The probability that the true difference exceeds the margin, from Student's distribution."""
    table = compare_beliefs(make_beliefs(make_survey())).set_index("name")
    assert table.loc["speed", "margin"] == pytest.approx(0.6)
    test = stats.ttest_ind(np.array(SPEED["employee"]) - 0.6, SPEED["customer"], equal_var=False)
    assert table.loc["speed", "p_verdict"] == pytest.approx(1 - test.pvalue / 2)
    assert table.loc["speed", "verdict"] == "overrated"
    assert table.loc["care", "verdict"] == "about right"
    wide = compare_beliefs(make_beliefs(make_survey()), margin=2.1).set_index("name")
    assert wide.loc["speed", "verdict"] == "undecided"
    assert wide.loc["speed", "p_verdict"] < 0.8


def test_each_level_is_one_family() -> None:
    """q-values are Benjamini-Hochberg's over the items alone."""
    table = compare_beliefs(make_beliefs(make_survey()))
    items = table[table["level"].eq("item")]
    assert items["q_value"].tolist() == pytest.approx(
        [2 * items["p_value"].min(), items["p_value"].max()]
    )
    assert table["n_tests"].tolist() == [2, 2, 2, 2, 1]
    assert table["level"].tolist() == ["item", "item", "dimension", "dimension", "total"]


def test_relative_difference_takes_generosity_out() -> None:
    """One point more on everything moves the difference, not the relative one."""
    answers = make_survey()
    lower = answers["source"].eq("employee")
    before = compare_beliefs(make_beliefs(answers)).set_index("name")
    after = compare_beliefs(
        make_beliefs(answers.assign(value=answers["value"].mask(lower, answers["value"] - 1)))
    ).set_index("name")
    names = ["relative", "relative_low", "relative_high"]
    for name in ("speed", "care"):
        assert after.loc[name, "difference"] == pytest.approx(before.loc[name, "difference"] - 1)
        assert after.loc[name, names].tolist() == pytest.approx(before.loc[name, names].tolist())
    own = np.array(SPEED["employee"]) - np.array(CARE["employee"])
    other = np.array(SPEED["customer"]) - np.array(CARE["customer"])
    assert before.loc["speed", "relative"] == pytest.approx((own.mean() - other.mean()) / 2)


def test_weights_are_repeated_customers() -> None:
    """A customer of weight 2 moves the mean as two customers would."""
    answers = make_survey(weight=1.0)
    first = answers["respondent_id"].eq("c0")
    heavy = answers.assign(weight=np.where(first, 2.0, 1.0))
    twice = pd.concat([answers, answers[first].assign(respondent_id="c9")])
    found = [compare_beliefs(make_beliefs(table)) for table in (heavy, twice)]
    assert found[0]["perception"].tolist() == pytest.approx(found[1]["perception"].tolist())


@pytest.mark.parametrize("kept", [["e0"], ["e0", "e1"]])
def test_one_employee_or_team_gives_no_interval(kept: list[str]) -> None:
    """The difference stands without interval, test or verdict."""
    answers = make_survey(unit=True)
    few = answers[answers["source"].eq("customer") | answers["respondent_id"].isin(kept)]
    row = compare_beliefs(make_beliefs(few)).iloc[0]
    assert row["difference"] == 2.0
    assert row[["conf_low", "p_value", "q_value", "p_verdict"]].isna().all()
    assert row["verdict"] == "undecided"


def test_equal_answers_give_no_test() -> None:
    """Where all employees and all customers agree there is nothing to test."""
    row = compare_beliefs(make_beliefs(make_survey(value=4.0))).iloc[0]
    assert row["difference"] == 0
    assert row["std_error"] == 0
    assert np.isnan(row["p_value"])
    assert row["verdict"] == "undecided"


def test_a_margin_must_be_positive() -> None:
    """Nothing is overrated by more than a negative amount."""
    with pytest.raises(InputError, match="margin = 0 is not positive"):
        compare_beliefs(make_beliefs(make_survey()), margin=0)


def test_planted_overrated_items_are_found(sample: Beliefs) -> None:
    """Exactly the four items of truth.json are overrated, by more than 0.8; all others are not."""
    truth = json.loads(TRUTH.read_text(encoding="utf-8"))["employees"]
    table = compare_beliefs(sample)
    items = table[table["level"].eq("item")].set_index("name")
    over = items[items["verdict"].eq("overrated")]
    assert sorted(over.index) == sorted(truth["overrated"])
    assert over["difference"].gt(0.8).all()
    assert over["p_verdict"].gt(0.99).all()
    assert over["relative_low"].gt(0).all()
    others = items.drop(over.index)
    assert others["verdict"].eq("about right").all()
    assert others["difference"].abs().lt(0.2).all()
    assert items["q_value"].lt(0.05).sum() == 4
    assert items["n_units"].eq(truth["n_teams"]).all()


def test_groups_are_compared_with_customers_and_others() -> None:
    """Two groups: their differences to customers, and Welch's test against each other once."""
    beliefs = make_beliefs(make_survey())
    people = beliefs.employees.assign(rank=["boss", "boss", "staff", "staff", "boss", "staff"])
    grouped = dataclasses.replace(beliefs, employees=people)
    table = compare_belief_groups(grouped, by="rank", min_cell=2).set_index("group")
    means = (np.array(SPEED["employee"]) + np.array(CARE["employee"])) / 2
    boss, staff = means[[0, 1, 4]], means[[2, 3, 5]]
    theirs = (np.array(SPEED["customer"]) + np.array(CARE["customer"])) / 2
    assert table.loc["boss", "difference"] == pytest.approx(boss.mean() - theirs.mean())
    assert table.loc["boss", "versus_others"] == pytest.approx(boss.mean() - staff.mean())
    test = stats.ttest_ind(boss, staff, equal_var=False)
    assert table["p_value"].tolist() == pytest.approx([test.pvalue] * 2)
    assert table["q_value"].tolist() == pytest.approx([test.pvalue] * 2)
    assert table["n_tests"].tolist() == [1, 1]
    few = compare_belief_groups(grouped, by="rank", min_cell=4)
    assert len(few) == 0
    with pytest.raises(InputError, match="There is no column 'rang'"):
        compare_belief_groups(grouped, by="rang")


def test_share_above_the_customers_interval() -> None:
    """Counted by hand: customers' speed has the interval 4 -+ t s / sqrt 7."""
    table = summarise_calibration(make_beliefs(make_survey()))
    rows = table[table["name"].eq("speed")].set_index(["source", "reading"])
    half = stats.t.ppf(0.975, 6) * np.std(SPEED["customer"], ddof=1) / np.sqrt(7)
    assert rows.loc[("employee", ABOVE), "limit"] == pytest.approx(4 + half)
    assert rows["share"].tolist() == pytest.approx([1, 0, 5 / 6, 0])
    low, high = wilson_interval([5 / 6], [6])
    ends = rows.loc[("employee", TOP), ["conf_low", "conf_high"]].tolist()
    assert ends == pytest.approx([low[0], high[0]])
    total = summarise_calibration(make_beliefs(make_survey()), level="total")
    shares = total.set_index(["source", "reading"])["share"]
    assert shares["employee", TOP] == pytest.approx(5 / 12)
    assert shares["employee", BELOW] == 0


def test_teams_widen_the_interval_of_a_share() -> None:
    """Employees who answer alike within teams count for fewer."""
    answers = make_survey(unit=True)
    value = answers["unit"].map({"a": 6.0, "b": 6.0, "c": 2.0})
    answers["value"] = value.where(value.notna(), answers["value"])
    rows = [
        summarise_calibration(make_beliefs(t)).iloc[0]
        for t in (answers, answers.drop(columns="unit"))
    ]
    assert rows[0]["share"] == rows[1]["share"] == pytest.approx(2 / 3)
    assert rows[0]["conf_low"] < rows[1]["conf_low"]
    assert rows[0]["conf_high"] > rows[1]["conf_high"]


def test_distributions_add_up(sample: Beliefs) -> None:
    """The shares of an item and source sum to one and fit the mean."""
    table = count_ratings(sample)
    sums = table.groupby(["item", "source"])["share"].sum()
    assert sums.to_numpy() == pytest.approx(1)
    part = table[table["item"].eq("phone_wait") & table["source"].eq("employee")]
    column = sample.items["item"].tolist().index("phone_wait")
    assert part["share"] @ part["value"] == pytest.approx(np.nanmean(sample.belief[:, column]))
    assert (table["conf_low"] <= table["share"]).all()
    assert (table["conf_high"] >= table["share"]).all()


def test_order_of_rows_does_not_matter() -> None:
    """Shuffled answers give the same table."""
    answers = make_survey(unit=True)
    shuffled = answers.sample(frac=1, random_state=1)
    first, second = (compare_beliefs(make_beliefs(table)) for table in (answers, shuffled))
    pd.testing.assert_frame_equal(first, second)
    assert len(TEAMS) == first["n_employees"].max()
