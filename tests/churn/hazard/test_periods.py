"""Ratios by period of age: R's numbers (tests/churn/reference/cox.R), planted changes, words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib.churn.hazard.hazard import fit_hazard
from cxlib.churn.hazard.periods import HazardPeriods, fit_periods
from cxlib.churn.hazard.plots import plot_periods
from cxlib.churn.hazard.wording import describe_periods
from cxlib.errors import InputError, TooLittleData

REFERENCE = Path(__file__).parent.parent / "reference"


@pytest.fixture(scope="module")
def lung() -> pd.DataFrame:
    """Give survival::lung of R as lifetimes."""
    lung = pd.read_csv(REFERENCE / "lung.csv")
    ends = {"duration_days": lung["time"], "churned": lung["status"] == 2}
    return lung.assign(customer_id=lung.index.astype(str), **ends)


@pytest.fixture(scope="module")
def company() -> pd.DataFrame:
    """Draw customers: plan B leaves 2.5 times as fast until day 90, as fast as A afterwards."""
    rng = np.random.default_rng(1)
    n = 6_000
    plan, visits = rng.choice(["A", "B"], n), rng.integers(0, 3, n)
    late, early = 1.2**visits / 500, 1.2**visits / 500 * np.where(plan == "B", 2.5, 1)
    spent = rng.exponential(size=n)
    left = np.where(spent < early * 90, spent / early, 90 + (spent - early * 90) / late)
    return pd.DataFrame(
        {
            "customer_id": np.arange(n).astype(str),
            "duration_days": np.ceil(np.minimum(left, 1_000)),
            "churned": left <= 1_000,
            "plan": plan,
            "visits": visits,
        }
    )


@pytest.fixture(scope="module")
def periods(company: pd.DataFrame) -> HazardPeriods:
    """Fit the default periods."""
    return fit_periods(company, covariates=["plan", "visits"])


def test_ratios_by_period_equal_r(lung: pd.DataFrame) -> None:
    """R: survSplit at 180 and 365, coxph(~ sex:period + age) and Wald's test of equality."""
    found = fit_periods(lung, covariates=["age", "sex"], cuts=(180, 365))
    sex = found.table[found.table["term"] == "sex"]

    np.testing.assert_allclose(
        sex["estimate"], [-0.901885666733, -0.336779731355, -0.282332258564], rtol=1e-9
    )
    np.testing.assert_allclose(
        sex["std_error"], [0.303543774279, 0.270993701875, 0.311801963734], rtol=1e-9
    )
    np.testing.assert_allclose(found.tests["statistic"], [1.25522320848, 2.60564814546], rtol=1e-8)
    assert found.tests["degrees_of_freedom"].tolist() == [2, 2]
    assert sex["n"].tolist() == [228, *((lung["time"] > day).sum() for day in (180, 365))]
    assert sex["n_churned"].sum() == 165


def test_one_term_in_every_period_alike_is_the_model_for_all_ages(lung: pd.DataFrame) -> None:
    """The likelihood is not changed by the cuts: the average lies between the periods."""
    whole = fit_hazard(lung, covariates=["sex"]).table["estimate"].iloc[0]
    parts = fit_periods(lung, covariates=["sex"], cuts=(180, 365)).table
    weights = 1 / parts["std_error"] ** 2

    assert (parts["estimate"] @ weights) / weights.sum() == pytest.approx(whole, abs=0.02)


def test_a_planted_change_is_found_and_a_steady_ratio_is_not(periods: HazardPeriods) -> None:
    """The intervals hold 2.5, then 1; 1.2 for the visits at every age."""
    rows = periods.table.set_index(["term", "from_days"])
    for (term, start), row in rows.iterrows():
        truth = 1.2 if term == "visits" else 2.5 if start == 0 else 1
        assert row["hazard_ratio"] == pytest.approx(truth, rel=0.15)
        assert row["conf_low"] * 0.97 < truth < row["conf_high"] * 1.03
    tests = periods.tests.set_index("term")
    assert tests.loc["plan[B]", "q_value"] < 1e-9
    assert tests.loc["plan[B]", "change"] == pytest.approx(2.5, rel=0.1)
    assert tests.loc["visits", "q_value"] > 0.2


def test_the_sentence_tells_the_size(periods: HazardPeriods) -> None:
    """From the earlier to the later extreme, with intervals; steady ratios are counted."""
    said = describe_periods(periods.table, periods.tests)
    assert said.startswith("1 hazard ratio changes with the age of the customer (2 terms tested")
    assert "'plan[B]' falls from × 2.51 (2.27–2.77) in the first 90 days to × 0.968" in said
    assert "visits" not in said
    rising = periods.table.assign(hazard_ratio=1 / periods.table["hazard_ratio"])
    assert "'plan[B]' rises from × 0.399" in describe_periods(rising, periods.tests)
    steady = periods.tests.assign(q_value=0.9)
    none = "No hazard ratio was shown to change with the age of the customer (2 terms tested)."
    assert describe_periods(periods.table, steady) == none


def test_the_figure_shows_every_period_and_marks_one(periods: HazardPeriods) -> None:
    """One line a term on a log scale, periods in words."""
    axes = plot_periods(periods.table)

    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["plan[B]", "visits"]
    labels = [label.get_text().replace("\n", " ") for label in axes.get_xticklabels()]
    assert labels == ["first 90 days", "90 days to 12 months", "12 to 24 months", "after 24 months"]
    assert axes.get_yscale() == "log"
    assert [list(line.get_ydata()) for line in axes.get_lines()].count([1, 1]) == 1
    assert 1 in axes.get_yticks()


def test_late_entry_start_stop_and_returns_count_lifetimes(company: pd.DataFrame) -> None:
    """Rows cut by hand before say the same; n counts lifetimes."""
    long = company[company["duration_days"] > 200]
    stretches = pd.concat(
        [
            company[company["duration_days"] <= 200].assign(entry_days=0),
            long.assign(duration_days=200, churned=False, entry_days=0),
            long.assign(entry_days=200),
        ]
    )
    whole = fit_periods(company, covariates=["plan"]).table
    parts = fit_periods(stretches, covariates=["plan"]).table

    np.testing.assert_allclose(parts["estimate"], whole["estimate"], rtol=1e-8)
    assert parts["n"].tolist() == whole["n"].tolist()
    np.testing.assert_allclose(parts["std_error"], whole["std_error"], rtol=0.1)


def test_periods_with_too_few_who_left_are_joined(company: pd.DataFrame) -> None:
    """A cut needs ten who left on both of its sides."""
    found = fit_periods(company, covariates=["plan"], cuts=(0.5, 90, 999.5, 2_000))
    assert found.table["to_days"].dropna().tolist() == [90]
    with pytest.raises(TooLittleData, match="too few in all periods but one"):
        fit_periods(company, covariates=["plan"], cuts=(2_000,))


def test_a_term_that_cannot_be_told_in_a_period_is_named(company: pd.DataFrame) -> None:
    """Nobody with the level is left after a year: one ratio there cannot be told."""
    gone = company.assign(short=np.where(company["customer_id"].astype(int) < 600, "yes", "no"))
    cut = (gone["short"] == "yes") & (gone["duration_days"] > 300)
    gone.loc[cut, "churned"] = False
    gone.loc[cut, "duration_days"] = 300
    found = fit_periods(gone, covariates=["visits", "short"])

    why = "its ratio cannot be told in every period"
    assert found.left_out.to_numpy().tolist() == [["short[yes]", why]]
    assert found.tests["term"].tolist() == ["visits"]


def test_bad_cuts_and_too_little_data_are_refused(lung: pd.DataFrame) -> None:
    """Cuts are ages in rising order, and every coefficient needs ten who left."""
    with pytest.raises(InputError, match="do not rise from above 0"):
        fit_periods(lung, covariates=["sex"], cuts=(90, 90))
    with pytest.raises(TooLittleData, match="too few for 2 terms in 2 periods"):
        fit_periods(lung[:31], covariates=["age", "sex"], cuts=(300,))
