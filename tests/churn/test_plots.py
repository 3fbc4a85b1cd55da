"""Figures: labels, lines and marks, and the sentences beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib import churn
from cxlib.style import figure_svg


@pytest.fixture(scope="module")
def lifetimes() -> pd.DataFrame:
    """Draw 300 customers of ten plans, two of them with many."""
    rng = np.random.default_rng(6)
    plans = ["A $ plan", "A plan whose name is much longer than any axis would like it to be"]
    return pd.DataFrame(
        {
            "customer_id": np.arange(300).astype(str),
            "duration_days": rng.integers(1, 800, 300),
            "churned": rng.random(300) < 0.6,
            "plan": rng.choice([*plans, *"cdefghij"], 300, p=[0.3, 0.3, *[0.05] * 8]),
            "visits": rng.integers(0, 3, 300),
        }
    )


def test_curves_show_at_most_eight_groups_with_numbers_at_risk(lifetimes: pd.DataFrame) -> None:
    """The axis is in months, the share in percent, one line of numbers a group."""
    survival = churn.fit_survival(lifetimes, by="plan")
    axes = churn.plot_survival(survival[survival["group"] != "all"])

    assert len(axes.get_legend().get_texts()) == 8
    assert axes.get_xlabel() == "months since the start"
    assert axes.get_ylabel() == "still customers"
    written = [text.get_text() for text in axes.texts]
    assert written[0] == "under observation"
    n = (lifetimes["plan"] == "A $ plan").sum()
    assert str(n) in written
    assert "A $ plan" in written  # a dollar sign begins no formula, and needs no escape


def test_a_short_curve_is_in_days(lifetimes: pd.DataFrame) -> None:
    """Months would leave two ticks."""
    short = lifetimes.assign(duration_days=lifetimes["duration_days"] % 60)

    assert churn.plot_survival(churn.fit_survival(short)).get_xlabel() == "days since the start"


def test_a_long_curve_is_thinned_but_ends_where_it_ends(lifetimes: pd.DataFrame) -> None:
    """More steps than the picture has room for only make the page heavy."""
    long = pd.concat([lifetimes] * 10).assign(duration_days=np.arange(3_000))
    survival = churn.fit_survival(long)
    line = churn.plot_survival(survival).get_lines()[0]

    assert len(line.get_xdata()) <= 302
    assert line.get_xdata()[-1] == 2_990  # ten are left
    assert line.get_ydata()[-1] == survival.loc[survival["time_days"] == 2_990, "survival"].item()


def test_a_curve_stops_where_few_are_left(lifetimes: pd.DataFrame) -> None:
    """Ten customers with 10, 20, ... 100 days: four are at risk until day 70."""
    few = lifetimes.head(10).assign(duration_days=np.arange(10, 101, 10), churned=True)
    survival = churn.fit_survival(few)
    axes = churn.plot_survival(survival, min_cell=4)

    assert axes.get_lines()[0].get_xdata()[-1] == 70
    written = [text.get_text() for text in axes.texts]
    assert written[:2] == ["under observation", "10"]
    assert {int(text) for text in written[1:] if text != "<4"} <= {10, 9, 8, 7, 6, 5, 4}
    nothing = churn.plot_survival(survival, min_cell=11)
    assert {text.get_text() for text in nothing.texts} == {"under observation"}


def test_intervals_are_drawn_for_every_row(lifetimes: pd.DataFrame) -> None:
    """One tick label a row, the first on top, the one of no effect marked."""
    model = churn.fit_hazard(lifetimes, covariates=["visits"])
    axes = churn.plot_hazard(model.table)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["visits"]
    assert axes.get_xscale() == "log"

    rmst = churn.fit_rmst(lifetimes, horizon_days=365, by="plan")
    axes = churn.plot_rmst(rmst)
    assert axes.get_xlabel() == "mean days as a customer in the first 365 days"
    assert len(axes.get_yticklabels()) == 11
    assert figure_svg(axes) == figure_svg(churn.plot_rmst(rmst))


def test_wide_ratios_get_marks_at_one_two_five() -> None:
    """A scale over decades is still readable."""
    table = pd.DataFrame(
        {"term": ["a"], "hazard_ratio": [0.1], "conf_low": [0.01], "conf_high": [20.0]}
    )

    assert 0.5 in churn.plot_hazard(table).get_xticks().round(6)


def test_the_headline_is_rendered_from_results() -> None:
    """Shares of a hundred with their interval, then the median."""
    at = pd.DataFrame(
        {
            "group": ["all", "all", "x"],
            "time_days": [365.25, 730.5, 365.25],
            "survival": [0.79, 0.018, 0.5],
            "conf_low": [0.77, 0.016, 0.4],
            "conf_high": [0.81, 0.02, 0.6],
        }
    )
    half = pd.DataFrame(
        {"group": ["all"], "n_churned": [9], "median_days": [400.0], "conf_low": [390.0]}
    )
    told = churn.describe_staying(at, half.assign(conf_high=420.0))
    assert told == (
        "Of 100 new customers, about 79 (77–81) are still here after 12 months and about 1.8 "
        "(1.6–2.0) after 24 months. Half have left after about 13 months (13 to 14 months). "
        "The ranges are 95% intervals."
    )
    assert "(13 months or later than observed)" in churn.describe_staying(
        at, half.assign(conf_high=np.nan)
    )
    told = churn.describe_staying(
        at, half.assign(median_days=np.nan, conf_high=np.nan), cause="price"
    )
    assert told.startswith("If other reasons than price did not exist: of 100 new customers")
    assert "would still be here after 12 months" in told
    assert "Fewer than half would leave within the time observed." in told


def test_findings_name_the_groups_and_terms(lifetimes: pd.DataFrame) -> None:
    """Counts, corrected, with the ends of the range."""
    two = lifetimes.assign(plan=np.where(lifetimes["visits"] > 0, "some", "none"))
    two["duration_days"] = two["duration_days"] / (1 + two["visits"])
    survival = churn.fit_survival(two, by="plan")
    at = churn.read_survival(survival, times=[90, 180])
    told = churn.describe_groups(churn.compare_groups(two, by="plan"), at, by="plan")
    assert "A difference between groups by plan in how long they stay is shown" in told
    assert "(log-rank p < 0.001); of 1 pair, 1 differs after correction" in told
    assert "% of 'some' are still here." in told
    told = churn.describe_groups(churn.compare_groups(two, by="plan"), at, by="plan", cause="x")
    assert told.endswith("would still be here if other reasons did not exist.")

    model = churn.fit_hazard(two, covariates=["visits"])
    assert "1 of 1 terms goes with a higher or lower risk" in churn.describe_hazard(model.table)
    flat = model.table.assign(q_value=0.9)
    assert churn.describe_hazard(flat) == (
        "No term was shown to go with a higher or lower risk of leaving (1 tested)."
    )
    assert churn.find_clearest(flat).empty


def test_the_clearest_term_is_not_the_largest() -> None:
    """A ratio of 9 that chance explains gives way to a clear one under 1."""
    hazard = pd.DataFrame(
        {
            "term": ["wide", "clear", "less clear"],
            "hazard_ratio": [9.0, 0.5, 1.4],
            "conf_low": [0.5, 0.4, 1.1],
            "conf_high": [99.0, 0.6, 1.8],
            "p_value": [0.3, 0.001, 0.03],
            "q_value": [0.3, 0.003, 0.07],
        }
    )

    assert churn.find_clearest(hazard)["term"].tolist() == ["clear"]
    assert churn.find_clearest(hazard, conf_level=0.9)["term"].tolist() == ["clear", "less clear"]
    assert "1 of 3 terms" in churn.describe_hazard(hazard)
    assert "2 of 3 terms" in churn.describe_hazard(hazard, conf_level=0.9)


def test_groups_followed_for_a_short_time_are_told_without_a_day() -> None:
    """No day common to two groups, then none is named; the level decides what is shown."""
    comparisons = pd.DataFrame({"p_value": [0.08, 0.08], "q_value": [np.nan, 0.08]})
    at = pd.DataFrame({"group": ["all", "a"], "time_days": [182.0, 182.0], "survival": [0.5, 0.4]})
    told = churn.describe_groups(comparisons, at, by="plan")
    wide = churn.describe_groups(comparisons, at[:1], by="plan", conf_level=0.9)

    assert told.startswith("No difference between groups by plan")
    assert told.endswith("of 1 pair, 0 differ after correction for testing so many.")
    assert wide.startswith("A difference between groups by plan")
    never = churn.describe_groups(comparisons.assign(p_value=np.nan), at, by="plan")
    assert never == "Groups by plan cannot be compared: they were never at risk together."


def test_a_cause_is_told_on_every_axis(lifetimes: pd.DataFrame) -> None:
    """What would be without the other reasons is not what is."""
    supposed = "if other reasons did not exist"
    assert supposed in churn.plot_survival(churn.fit_survival(lifetimes), cause="x").get_ylabel()
    rmst = churn.fit_rmst(lifetimes, horizon_days=365)
    assert supposed in churn.plot_rmst(rmst, cause="x").get_xlabel()
    model = churn.fit_hazard(lifetimes, covariates=["visits"])
    label = churn.plot_hazard(model.table, cause="price").get_xlabel()
    assert label.startswith("hazard ratio of leaving for price")


def test_readings_are_compared_on_a_day_known_for_both() -> None:
    """The analysed window may end before the day nearest to a year."""
    at = pd.DataFrame(
        {
            "group": ["as analysed", "every record a lifetime", "every record a lifetime"],
            "time_days": [118.0, 118.0, 182.0],
            "survival": [0.7, 0.6, 0.5],
            "n_at_risk": [90, 80, 10],
        }
    )

    assert churn.describe_naive(at, min_cell=81) == ""  # a reading of few is not told
    assert churn.describe_naive(at.assign(n_at_risk=9)) == ""
    assert churn.describe_naive(at) == (
        "After 118 days, a hasty reading would show 60% (every record a lifetime) instead of 70%."
    )
    assert churn.describe_naive(at.iloc[[0, 2]]) == ""
    assert "if other reasons did not exist" in churn.describe_naive(at, cause="x")


def test_there_may_be_nothing_to_tell() -> None:
    """No other reading and nothing left out give an empty text."""
    at = pd.DataFrame({"group": ["as analysed"], "time_days": [365.0], "survival": [0.5]})
    at["n_at_risk"] = 50
    none = pd.DataFrame(columns=["group", "n", "why"])

    assert churn.describe_naive(at) == ""
    assert churn.describe_left_out(none) == ""
    some = pd.DataFrame({"group": ["x"], "n": [1], "why": ["small"]})
    assert "one group or value" in churn.describe_left_out(some)
    other = at.assign(group="late entry ignored", survival=0.6)
    told = churn.describe_naive(pd.concat([at, other]))
    assert told == (
        "After 12 months, a hasty reading would show 60% (late entry ignored) instead of 50%."
    )
