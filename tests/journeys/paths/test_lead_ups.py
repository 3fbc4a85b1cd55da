"""Lead-ups: what converting and other journeys had done before, and which steps go with it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxlib.data
from cxlib.errors import InputError, TooLittleData
from cxlib.journeys import add_journeys, list_walks
from cxlib.journeys.paths.drivers import count_drivers
from cxlib.journeys.paths.lead_ups import find_lead_ups, rank_paths


def _many(**paths: int) -> list[tuple[str, str]]:
    """Make journeys of a customer each: how many of which path, `_` between the steps."""
    return [
        (f"{name}{i}", name.replace("_", " "))
        for name, count in paths.items()
        for i in range(count)
    ]


def test_paths_are_cut_before_the_goal(make_log):
    """What comes after the first contact at the goal belongs to no lead-up."""
    log = make_log(_many(a_b_goal_c_goal=2, a_b=1, a_goal_b=1, goal_a=3, c=1))
    found = find_lead_ups(list_walks(log, goal="goal"))
    names = [[found.places.names[ord(x) - 0x10000] for x in path] for path in found.letters]
    assert names == [["a"], ["a", "b"], ["c"]]
    assert found.trials.sum(axis=0).tolist() == [1, 3, 1]
    assert found.hits.sum(axis=0).tolist() == [1, 2, 0]
    assert found.n_at_once == 3


def test_every_journey_is_in_one_row(make_events):
    """Lead-ups, rare ones, those that begin at the goal and open ones add up."""
    rows = [(f"a{i}", "2024-01-01", "x") for i in range(40)]
    rows += [(f"a{i}", "2024-01-02", "goal") for i in range(10)]
    rows += [("b", "2024-01-01", "y"), ("c", "2024-01-01", "goal")]
    rows += [("d", "2024-12-30", "x"), ("e", "2024-12-30", "x"), ("e", "2024-12-31", "goal")]
    table = rank_paths(list_walks(add_journeys(make_events(rows), as_of="2024-12-31"), goal="goal"))
    assert table["path"].tolist() == ["x", "(other)", "(start)", "(open)"]
    assert table["n"].tolist() == [40, 1, 1, 2]
    row = table.iloc[0]
    assert row[["n_customers", "n_converted", "converted_share"]].tolist() == [40, 10, 0.25]
    assert (row["base_share"], row["lift"]) == pytest.approx((10 / 41, 0.25 * 41 / 10))
    assert table["p_value"].notna().tolist() == [True, False, False, False]


def test_the_surest_come_first_and_last(make_log):
    """A small path cannot lead by luck; p-values are those of the binomial test."""
    journeys = _many(a_goal=90, a=10, b_goal=30, c_goal=10, c=90, d_goal=50, d=50)
    table = rank_paths(list_walks(make_log(journeys), goal="goal"))
    assert table["path"].tolist() == ["b", "a", "d", "c"]
    words = ["converts more", "converts more", "undecided", "converts less"]
    assert table["verdict"].tolist() == words
    base = 180 / 330
    counts = zip(table["n_converted"], table["n"], strict=True)
    tails = [
        2 * min(stats.binom.sf(x - 1, n, base), stats.binom.cdf(x, n, base)) for x, n in counts
    ]
    assert table["p_value"].tolist() == pytest.approx(np.minimum(tails, 1))
    assert table["q_value"].tolist() == pytest.approx(stats.false_discovery_control(tails))
    assert (table["n_tests"] == 4).all()


def test_no_path_stands_out_by_chance(make_log):
    """Thirty paths that convert alike: none is told to differ."""
    rng = np.random.default_rng(2)
    journeys = [
        (f"c{path}_{i}", f"p{path:02d}" + (" goal" if rng.random() < 0.3 else ""))
        for path in range(30)
        for i in range(50)
    ]
    table = rank_paths(list_walks(make_log(journeys), goal="goal"))
    assert len(table) == 30
    assert set(table["verdict"]) == {"undecided"}


def test_without_goal_or_conversion_there_is_no_answer(make_log):
    """The goal is asked for; nothing that converts is too little."""
    log = make_log([("a", "x y"), ("b", "goal x")])
    with pytest.raises(InputError, match="The journeys have no goal"):
        rank_paths(list_walks(log))
    with pytest.raises(TooLittleData, match="No closed journey comes to the goal"):
        rank_paths(list_walks(log, goal="goal"))


def test_journeys_that_begin_at_the_goal_have_no_lead_up(make_log):
    """Nothing led up to any of them."""
    with pytest.raises(TooLittleData, match="Every closed journey begins at the goal"):
        rank_paths(list_walks(make_log([("a", "goal x"), ("b", "goal")]), goal="goal"))


def test_length_is_no_driver(make_log):
    """`z` stands in long journeys, and those convert more; equally long ones do not differ."""
    short = _many(x_goal=20, x=80, z_goal=5, z=20)
    long = _many(x_x_x_goal=30, x_x_x=20, x_x_z_goal=120, x_x_z=80)
    table = count_drivers(list_walks(make_log(short + long), goal="goal")).set_index("touchpoint")
    row = table.loc["z"]
    assert row["converted_share"] == pytest.approx(125 / 225)
    assert row["other_share"] == pytest.approx(50 / 150)
    assert row["crude_difference"] == pytest.approx(125 / 225 - 50 / 150)
    assert row["difference"] == pytest.approx(0, abs=1e-12)
    assert row["conf_low"] < 0 < row["conf_high"]
    assert row["p_value"] == pytest.approx(1)


def test_differences_within_lengths_equal_mantel_haenszel(make_log):
    """Difference and variance under no difference by hand, a journey a customer."""
    journeys = _many(x_goal=20, x=60, z_goal=15, z=25, y_x_goal=30, y_x=30, y_z_goal=40, y_z=20)
    row = (
        count_drivers(list_walks(make_log(journeys), goal="goal")).set_index("touchpoint").loc["z"]
    )
    strata = np.array([[15, 40, 20, 80], [40, 60, 30, 60]])  # a, n1, c, n0
    a, n1, c, n0 = strata.T
    weight = n1 * n0 / (n1 + n0)
    difference = (weight * (a / n1 - c / n0)).sum() / weight.sum()
    p = (a + c) / (n1 + n0)
    alone = weight**2 * p * (1 - p) * (1 / n1 + 1 / n0)
    square = (a * (1 - p) ** 2 + (n1 - a) * p**2) / n1**2
    square += (c * (1 - p) ** 2 + (n0 - c) * p**2) / n0**2
    error = np.sqrt(max(alone.sum(), (weight**2 * square).sum())) / weight.sum()
    assert row["difference"] == pytest.approx(difference)
    assert row["conf_high"] - row["difference"] == pytest.approx(1.959964 * error)
    assert row["p_value"] == pytest.approx(2 * stats.norm.sf(difference / error))


def test_few_successes_are_no_certainty(make_log):
    """None of 30 journeys with `z` converts, 5 % of the others do: that may well be chance."""
    journeys = _many(z=30, x_goal=50, x=950)
    table = count_drivers(list_walks(make_log(journeys), goal="goal")).set_index("touchpoint")
    assert 0.05 < table.loc["z", "p_value"] < 0.5
    assert table.loc["z", "conf_high"] > 0


def test_drivers_need_journeys_on_both_sides(make_log):
    """A touchpoint of all journeys, or of a few, is not compared."""
    log = make_log(_many(x_goal=40, x_y=40, x_rare=3))
    table = count_drivers(list_walks(log, goal="goal"))
    assert table["touchpoint"].tolist() == ["y"]
    with pytest.raises(TooLittleData, match="No touchpoint has 50 journeys"):
        count_drivers(list_walks(log, goal="goal"), min_n=50)


def test_planted_escalation_breaks_off():
    """In the samples the ways that seldom come to a purchase are those of the escalation kind."""
    tables = cxlib.data.open_workbook("samples")
    log = add_journeys(tables.events, as_of=tables.as_of)
    walks = list_walks(log, goal="purchase")
    table = rank_paths(walks)
    assert table["n"].sum() == 11_985
    less = table[table["verdict"] == "converts less"]
    assert len(less) > 2
    assert less["path"].str.startswith("web_help > chat > phone_support").all()
    drivers = count_drivers(walks).set_index("touchpoint")
    for name in ("web_help", "chat", "phone_support", "complaint", "technician_visit"):
        assert drivers.loc[name, "conf_high"] < 0
    assert pd.Series(drivers["difference"]).loc["live_chat_sales"] > 0
