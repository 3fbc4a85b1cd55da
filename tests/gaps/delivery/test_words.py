"""Sentences and figures of the delivery gap say what the tables say."""

from __future__ import annotations

import dataclasses

from cxlib.gaps.delivery.calibration import count_ratings, summarise_calibration
from cxlib.gaps.delivery.compare import compare_belief_groups, compare_beliefs
from cxlib.gaps.delivery.plots import plot_belief_groups, plot_belief_ratings, plot_beliefs
from cxlib.gaps.delivery.wording import (
    describe_belief_groups,
    describe_belief_tests,
    describe_beliefs,
    describe_calibration,
    describe_measurement,
)
from cxlib.style import figure_svg
from tests.gaps.delivery.survey import make_beliefs, make_survey


def test_findings_name_the_overrated() -> None:
    """What is overrated stands first, with interval and numbers of people."""
    table = compare_beliefs(make_beliefs(make_survey(unit=True)))
    told = describe_beliefs(table)
    assert told.startswith("Employees overrate 1 of 2 items by more than 0.6 points: 'Served fast'")
    assert "+2.17 (95% interval " in told
    assert told.endswith("(6 employees in 3 teams, 7 customers).")
    assert "1 of 2 items (2 comparisons, false discovery rate 5%)" in describe_belief_tests(table)
    assert describe_beliefs(table, level="total").startswith("Over everything asked, employees")
    assert describe_beliefs(table, level="touchpoint").startswith("How employees' beliefs compare")


def test_one_team_is_said_not_to_suffice() -> None:
    """Without an interval there is no finding."""
    answers = make_survey(unit=True)
    one = answers[answers["source"].eq("customer") | answers["unit"].eq("a")]
    assert "cannot be told with an interval" in describe_beliefs(compare_beliefs(make_beliefs(one)))


def test_calibration_is_read_out() -> None:
    """Above, below, and both shares of top marks."""
    table = summarise_calibration(make_beliefs(make_survey()))
    told = describe_calibration(table, name="speed", label="Served fast")
    assert told.startswith("100% of employees (95% interval 61% to 100%, n = 6) rate on 'Served ")
    assert "83% of employees' (44% to 97%) and 0% of customers' (0% to 35%) are 6 or higher" in told
    assert "one question" not in told


def test_groups_and_caveats_are_told() -> None:
    """Groups that do not differ, groups too small, waves that differ."""
    beliefs = make_beliefs(make_survey())
    people = beliefs.employees.assign(rank=["boss", "boss", "staff", "staff", "boss", "x"])
    beliefs = dataclasses.replace(beliefs, employees=people, employee_wave="w1")
    groups = compare_belief_groups(beliefs, by="rank", min_cell=2)
    told = describe_belief_groups(groups, by="rank")
    assert told.startswith("No group by rank believes clearly more or less than the others (2 ")
    assert "1 employees in groups too small to show are left out." in told
    assert describe_belief_groups(groups.head(1), by="rank").startswith("Too few employees")
    assert "in wave w1, the customers in wave (none)" in describe_measurement(beliefs)
    axes = plot_belief_groups(groups)
    assert "staff (n = 2)" in [t.get_text().replace("\n", " ") for t in axes.get_yticklabels()]


def test_figures_show_the_table() -> None:
    """The most overrated is on top; bars end at one."""
    beliefs = make_beliefs(make_survey())
    table = compare_beliefs(beliefs)
    items = table[table["level"].eq("item")]
    axes = plot_beliefs(items)
    assert axes.get_yticklabels()[-1].get_text() == "Served fast."
    assert axes.get_xlabel() == "mean rating, scale 1 to 7"
    assert any("+2.17" in text.get_text() for text in axes.texts)
    bars = plot_belief_ratings(count_ratings(beliefs), items)
    assert max(patch.get_x() + patch.get_width() for patch in bars.patches) <= 1 + 1e-9
    assert figure_svg(bars).startswith("<svg")


def test_equal_answers_are_not_taken_for_few() -> None:
    """Where all answer alike the sentences say so, not that people are missing."""
    answers = make_survey(unit=True).assign(value=5)
    beliefs = make_beliefs(answers)
    assert "who do not all answer alike" in describe_beliefs(compare_beliefs(beliefs))
    assert "too much alike" in describe_calibration(summarise_calibration(beliefs), name="speed")


def test_levels_are_printed_as_given() -> None:
    """99.9 % is not 100 %."""
    table = compare_beliefs(make_beliefs(make_survey(unit=True)), conf_level=0.999)
    assert "(99.9% interval " in describe_beliefs(table, level="total", conf_level=0.999)
    assert "false discovery rate 0.1%" in describe_belief_tests(table, conf_level=0.999)
