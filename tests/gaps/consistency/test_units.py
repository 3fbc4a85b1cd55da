"""Units are drawn to the average, so that small ones are not ranked on noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.consistency.kinds import compare_kinds
from cxlib.gaps.consistency.plots import plot_units
from cxlib.gaps.consistency.units import score_respondents, shrink_means, shrink_units
from cxlib.gaps.consistency.wording import describe_kinds, describe_units
from cxlib.gaps.levels import pair_ratings
from cxlib.gaps.ratings import select_answers
from tests.gaps.answers import make_answers, make_items

# D. B. Rubin (1981): effects of coaching in eight schools, and their standard errors
SCHOOLS = np.array([28.0, 8, -3, 7, -1, 1, 18, 12]), np.array([15.0, 10, 16, 11, 9, 11, 10, 18])


def make_units(n: list[int], means: list[float], *, seed: int = 0) -> pd.DataFrame:
    """Make answers to one item, of units of these sizes and means, spread 1."""
    rng = np.random.default_rng(seed)
    unit = np.repeat([f"u{i}" for i in range(len(n))], n)
    value = np.repeat(means, n) + rng.normal(0, 1, len(unit))
    ids = [f"r{i}" for i in range(len(unit))]
    return pd.DataFrame(
        {"respondent_id": ids, "item": "x", "role": "perception", "value": value, "unit": unit}
    )


def test_eight_schools() -> None:
    """Posterior means of the textbook example, as Stan gives them (flat priors on mu and tau)."""
    table = shrink_means(*SCHOOLS)
    known = [11.4, 7.9, 6.1, 7.6, 5.1, 6.1, 10.6, 8.5]
    assert table["estimate"].tolist() == pytest.approx(known, abs=0.15)
    assert table["verdict"].eq("undecided").all()
    assert table["p_lowest"].sum() == pytest.approx(1)
    # Gelman et al. (2013), Bayesian Data Analysis, table 5.3: school A, 2.5 % and 97.5 %
    assert table.loc[0, ["conf_low", "conf_high"]].tolist() == pytest.approx([-2, 31], abs=2)


def test_errors_decide_how_far_means_are_drawn() -> None:
    """With errors that hardly matter nothing is drawn; with large ones everything is."""
    mean = np.array([1.0, 2.0, 3.0, 6.0])
    sharp = shrink_means(mean, np.full(4, 0.01))
    assert sharp["estimate"].tolist() == pytest.approx(mean.tolist(), abs=0.01)
    assert sharp.loc[[0, 1, 3], "verdict"].tolist() == ["below", "below", "above"]
    assert sharp.loc[0, "p_lowest"] == 1
    many = np.linspace(1, 6, 20)
    blunt = shrink_means(many, np.full(20, 100.0))
    assert np.ptp(blunt["estimate"]) < 0.2 * np.ptp(many)
    assert blunt["estimate"].mean() == pytest.approx(3.5)


def test_small_units_are_drawn_more() -> None:
    """Of two equally low units the one of few respondents ends nearer the average."""
    answers = make_units([4, 400, 400, 400, 400], [4.0, 4.0, 5.0, 5.0, 5.0], seed=3)
    table = shrink_units(select_answers(answers)).set_index("name")
    drawn = (table["estimate"] - table["mean"]).abs()
    assert drawn["u0"] > 5 * drawn["u1"]
    assert table.loc["u1", "verdict"] == "below"
    assert table["n"].sum() == 1604
    raw = answers.groupby("unit")["value"].mean()
    assert table["mean"].sort_index().tolist() == pytest.approx(raw.tolist())


def test_intervals_cover_and_ranks_are_honest() -> None:
    """Over simulated units, intervals cover 95 % and "below" is right as often as it says."""
    rng = np.random.default_rng(5)
    covered, said, right = [], [], []
    for _ in range(40):
        truth = rng.normal(0, 0.3, 30)
        error = rng.uniform(0.1, 0.6, 30)
        table = shrink_means(truth + rng.normal(0, error), error)
        covered += table["conf_low"].le(truth).to_numpy().tolist()
        covered += table["conf_high"].ge(truth).to_numpy().tolist()
        below = table["verdict"].eq("below").to_numpy()
        said += table["p_below"][below].tolist()
        right += (truth < truth.mean())[below].tolist()
    assert np.mean(covered) == pytest.approx(0.975, abs=0.012)
    assert np.mean(right) == pytest.approx(np.mean(said), abs=0.05)


def test_nothing_between_units_ends_undecided() -> None:
    """Units that are all alike are not ranked, and have intervals of some length."""
    table = shrink_units(select_answers(make_units([30] * 12, [5.0] * 12, seed=8)))
    assert table["verdict"].eq("undecided").mean() > 0.7
    assert table["conf_high"].sub(table["conf_low"]).min() > 0.1
    assert table["spread_low"].iloc[0] < 0.05


def test_units_asked_different_items_are_comparable() -> None:
    """A unit that was asked about what is low everywhere is not low for it."""
    values = np.array([[2.0, np.nan], [3.0, np.nan], [np.nan, 6.0], [np.nan, 5.0], [2.5, 5.5]])
    assert score_respondents(values).tolist() == pytest.approx([3.5, 4.5, 4.5, 3.5, 4.0])
    full = np.array([[1.0, 2.0], [3.0, 7.0]])
    assert score_respondents(full).tolist() == pytest.approx([1.5, 5.0])
    assert np.isnan(score_respondents(np.array([[np.nan], [1.0]]))[0])


def test_bad_units_are_told() -> None:
    """No such column, two units, units without any spread."""
    answers = make_units([3, 3], [4.0, 5.0])
    with pytest.raises(InputError, match="There is no column 'team'"):
        shrink_units(select_answers(answers), by="team")
    with pytest.raises(TooLittleData, match="Units with ratings: 2"):
        shrink_units(select_answers(answers))
    same = make_units([3, 3, 3], [4.0, 5.0, 6.0]).assign(value=4.0)
    with pytest.raises(TooLittleData, match="all answer alike"):
        shrink_units(select_answers(same))


def test_units_are_told_and_drawn() -> None:
    """The sentence names who is below, with the chance; the figure has hollow and full dots."""
    answers = make_units([200, 200, 200, 5], [3.0, 5.0, 5.2, 5.0], seed=2)
    none = answers.assign(unit=answers["unit"].mask(answers["respondent_id"].eq("r1")))
    table = shrink_units(select_answers(none))
    assert table["n_without"].eq(1).all()
    told = describe_units(table)
    assert told.startswith("4 groups by unit differ by a standard deviation of about ")
    assert "Likely below the average: u0 3." in told
    assert told.endswith("The lowest is u0 (probability 100%).")
    assert describe_units(table.head(0)).startswith("No group by unit has enough")
    axes = plot_units(table)
    assert [line.get_label() for line in axes.lines[-2:]] == ["raw mean", "shrunken"]
    assert axes.get_yticklabels()[0].get_text() == "u0 (n = 199)"


def test_kinds_are_paired_within_the_respondent() -> None:
    """The difference is the paired t-test of each respondent's mean gaps."""
    answers = make_answers("""
        a speed 7 4
        a hold  6 5
        a warm  6 4
        b speed 6 5
        b hold  7 3
        b warm  5 5
        c speed 7 5
        c warm  6 3
        d speed 5 4
    """)
    items = make_items(
        item=["speed", "hold", "warm"],
        kind=["functional", "functional", "emotional"],
        expectation_type="should",
        timing="after",
    )
    table = compare_kinds(pair_ratings(select_answers(answers, items))).set_index("name")
    functional, emotional = np.array([-2.0, -2.5, -2.0]), np.array([-2.0, 0.0, -3.0])
    assert table.loc["functional", "gap"] == pytest.approx(functional.mean())
    row = table.loc["difference"]
    assert row["gap"] == pytest.approx((emotional - functional).mean())
    assert row["p_value"] == pytest.approx(stats.ttest_rel(emotional, functional).pvalue)
    assert table["n"].tolist() == [3, 3, 3]
    told = describe_kinds(table.reset_index())
    assert told.startswith("On 1 emotional item the gap is -1.67, on 2 functional items -2.17: no")
    with pytest.raises(TooLittleData, match="kinds given: functional"):
        compare_kinds(pair_ratings(select_answers(answers, items.assign(kind="functional"))))


def test_a_customer_of_four_waves_is_not_four_customers() -> None:
    """The same answers in four waves say no more; independent ones say four times as much."""
    once = make_units([30, 30, 30, 30], [5.0, 5.2, 4.8, 5.0], seed=5)
    waves = [once.assign(wave=f"w{i}", customer_id=once["respondent_id"]) for i in range(4)]
    table = shrink_units(select_answers(once)).set_index("name")
    again = shrink_units(select_answers(pd.concat(waves), every_wave=True)).set_index("name")
    length, longer = (t["mean_high"] - t["mean_low"] for t in (table, again))
    assert again["n"].eq(120).all()
    assert longer.tolist() == pytest.approx(length.tolist(), rel=0.03)
    rng = np.random.default_rng(0)
    fresh = [one.assign(value=rng.permutation(one["value"])) for one in waves]
    mixed = shrink_units(select_answers(pd.concat(fresh), every_wave=True)).set_index("name")
    shorter = mixed["mean_high"] - mixed["mean_low"]
    assert shorter.tolist() == pytest.approx((length / 2).tolist(), rel=0.2)
