"""Cohorts: by hand, the triangle completed, calibration, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.churn.cohorts.plots import plot_renewals, plot_retention
from cxlib.churn.cohorts.renewals import fit_renewals, project_renewals
from cxlib.churn.cohorts.retention import check_completion, fit_retention
from cxlib.churn.cohorts.wording import describe_completion, describe_retention
from cxlib.churn.lifetimes import MONTH_DAYS
from cxlib.errors import InputError, TooLittleData
from cxlib.style import figure_svg


def draw_cohorts(
    rng: np.random.Generator, *, spread: float = 0.0, n: int = 200, n_cohorts: int = 12
) -> pd.DataFrame:
    """Draw quarterly cohorts, 2024 to 2026, whose hazards differ by levels of a given spread."""
    number = np.repeat(np.arange(n_cohorts), n)
    level = np.exp(rng.normal(0, spread, n_cohorts) - spread**2 / 2)[number] if spread else 1.0
    first = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.floor(number * 91.3), "D")
    start = first + pd.to_timedelta(rng.integers(0, 90, len(number)), "D")
    end = np.ceil((rng.weibull(0.8, len(number)) * 700) * level ** (-1 / 0.8))
    known = (pd.Timestamp("2026-12-31") - start).days.to_numpy()
    table = pd.DataFrame(
        {
            "customer_id": np.arange(len(number)).astype(str),
            "started_at": start,
            "duration_days": np.minimum(end, known),
            "churned": end <= known,
        }
    )
    return table[known >= 0]


@pytest.fixture(scope="module")
def company() -> pd.DataFrame:
    """Draw twelve alike cohorts."""
    return draw_cohorts(np.random.default_rng(1))


def read_cell(table: pd.DataFrame, cohort: str, month: int) -> pd.Series:
    """Read one cell."""
    return table[(table["cohort"] == cohort) & (table["month"] == month)].iloc[0]


def test_cells_by_hand() -> None:
    """Two cohorts of 10; ages in days, a month is 30.4375.

    January: one leaves on day 20, one on day 40, one on day 70; all others are seen for 100 days.
    March: two leave on day 25, eight are seen for 45 days. Completed to month 3 by the pool: on
    day 40, 1 of 17 at risk leaves, on day 70 1 of 8. Level 1, as cohorts of 10 do not differ
    more than chance lets them.
    """
    january = pd.DataFrame(
        {"duration_days": [20, 40, 70] + [100] * 7, "churned": [True] * 3 + [False] * 7}
    )
    march = pd.DataFrame(
        {"duration_days": [25] * 2 + [45] * 8, "churned": [True] * 2 + [False] * 8}
    )
    table = pd.concat(
        [january.assign(started_at="2025-01-01"), march.assign(started_at="2025-03-01")]
    ).reset_index(drop=True)
    table["customer_id"] = table.index.astype(str)
    fit = fit_retention(table, n_months=3, min_cell=5)

    assert fit.every == "month"
    assert fit.spread == 0
    seen = fit.table[fit.table["cohort"] == "2025-01"]
    np.testing.assert_allclose([1, 0.9, 0.8, 0.7], seen["retained_share"])
    assert seen["n_at_risk"].tolist() == [10, 9, 8, 7]
    assert not seen["is_completed"].any()
    other = fit.table[fit.table["cohort"] == "2025-03"]
    np.testing.assert_allclose([1, 0.8], other["retained_share"][:2])
    share = 0.8 * 16 / 17
    np.testing.assert_allclose([share, share * 7 / 8], other["retained_share"][2:])
    assert other["is_completed"].tolist() == [False, False, True, True]
    whole = fit.table[fit.table["cohort"] == "all"]["retained_share"]
    # every customer weighs the same, and only who was followed counts: no mean of the cohorts
    np.testing.assert_allclose([1, 0.85, 0.85 * 16 / 17, 0.85 * 16 / 17 * 7 / 8], whole)
    # the chance of the eight still there, and the pool's Greenwood sum, as logarithms
    p = 16 / 17
    variance = (1 - p) / (8 * p) + 1 / (17 * 16)
    factor = np.exp(1.959964 * np.sqrt(variance) / -np.log(share))
    np.testing.assert_allclose(share**factor, other["conf_low"].iloc[2], rtol=1e-6)


def test_shares_never_rise_and_lie_in_their_intervals(company: pd.DataFrame) -> None:
    """Observed or completed, a line of the map falls; the triangle is the newest cohorts'."""
    fit = fit_retention(company, every="quarter")
    table = fit.table

    assert (table.groupby("cohort")["retained_share"].diff().dropna() <= 1e-12).all()
    assert table["retained_share"].between(table["conf_low"], table["conf_high"]).all()
    n_completed = table.groupby("cohort")["is_completed"].sum().drop("all")
    assert n_completed.is_monotonic_increasing
    assert n_completed.iloc[0] == 0 < n_completed.iloc[-1]
    assert table["n"].groupby(table["cohort"]).first()["all"] == len(company)


def test_cohorts_that_entered_late_lend_their_ages_only(company: pd.DataFrame) -> None:
    """Seen from July 2024 on: earlier cohorts have no start, but complete the others."""
    start = pd.to_datetime(company["started_at"])
    entry = (pd.Timestamp("2024-06-30") - start).dt.days.clip(lower=0)
    late = company.assign(entry_days=entry)[company["duration_days"] > entry]
    fit = fit_retention(late, every="quarter")

    assert fit.left_out["cohort"].tolist() == ["2024Q1", "2024Q2"]
    assert set(fit.left_out["why"]) == {"most started before observation began"}
    assert fit.table["cohort"].unique()[1] == "2024Q3"
    # true share after two years
    truth = np.exp(-((24 * MONTH_DAYS / 700) ** 0.8))
    row = read_cell(fit.table, "all", 24)
    assert row["conf_low"] < truth < row["conf_high"]
    wrong = fit_retention(late.assign(entry_days=0), every="quarter").table
    early = np.exp(-((3 * MONTH_DAYS / 700) ** 0.8))
    assert read_cell(wrong, "2024Q1", 3)["conf_low"] > early


def test_own_level_goes_on_where_cohorts_differ() -> None:
    """A cohort that leaves twice as fast is completed so, and the spread of levels is found."""
    fit = fit_retention(draw_cohorts(np.random.default_rng(2), spread=0.5, n=600), every="quarter")
    assert 0.25 < fit.spread < 0.75
    at_last = fit.table[fit.table["month"] == fit.table["month"].max()]
    assert at_last["retained_share"].max() - at_last["retained_share"].min() > 0.15


@pytest.mark.parametrize("spread", [0.0, 0.2])
def test_completed_cells_come_true_as_often_as_they_say(spread: float) -> None:
    """Ten companies with the last half year hidden; cells of a cohort hang together."""
    rng = np.random.default_rng(3)
    checked = [
        check_completion(draw_cohorts(rng, spread=spread), every="quarter", n_months=18)
        for _ in range(10)
    ]
    share = pd.concat(checked)["is_inside"].mean()
    assert 0.86 <= share <= 0.99


def test_sample_company_comes_true() -> None:
    """The last six months of the samples, hidden: nearly all cells lie in their intervals."""
    import cxlib.data
    from cxlib import churn

    tables = cxlib.data.open_workbook("samples")
    collected = churn.collect_lifetimes(
        subscriptions=tables.frame("subscriptions"), as_of=tables.as_of
    )
    first = collected.table[collected.table["spell"] == 1]
    checked = check_completion(first, every="quarter")

    assert len(checked) > 30
    assert checked["is_inside"].mean() >= 0.9
    assert (checked["observed_share"] - checked["retained_share"]).abs().mean() < 0.02
    assert f"of {len(checked)} cells seen since" in describe_completion(checked)


def test_many_cohorts_become_quarters_and_years(company: pd.DataFrame) -> None:
    """A page holds 24 rows."""
    assert fit_retention(company).every == "quarter"
    assert fit_retention(company[company["started_at"] < "2025-12-01"]).every == "month"
    old = company.assign(
        started_at=pd.to_datetime(company["started_at"]) - pd.Timedelta(9_000, "D")
    )
    assert fit_retention(pd.concat([company, old])).every == "year"


def test_figure_hatches_what_is_completed(company: pd.DataFrame) -> None:
    """Numbers in per cent, completed ones in italics, sizes beside the names."""
    fit = fit_retention(company, every="quarter", n_months=24)
    axes = plot_retention(fit.table)
    shown = fit.table[fit.table["month"] % 2 == 0]

    assert len(axes.patches) == shown["is_completed"].sum()
    italics = [text for text in axes.texts if text.get_fontstyle() == "italic"]
    assert len(italics) == shown["is_completed"].sum()
    assert len(axes.texts) == len(shown)
    assert axes.get_yticklabels()[0].get_text() == f"all ({len(company):,})"
    assert "hatched" in axes.get_title(loc="right")
    assert figure_svg(axes).startswith("<svg")
    assert describe_retention(fit).startswith("Of all customers in cohorts seen from their start, ")


def test_figure_of_renewals() -> None:
    """Observed points, the model, and what is projected."""
    lost = pd.DataFrame({"term": [1, 2, 3], "n_at_risk": [100, 80, 70], "n_churned": [20, 10, 5]})
    axes = plot_renewals(project_renewals(fit_renewals(lost), n_terms=5))

    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["model", "projected", "observed"]
    assert axes.get_xlabel() == "renewals"


def test_bad_input_is_refused(company: pd.DataFrame) -> None:
    """Cohorts need starts, a known period and somebody to fill them."""
    with pytest.raises(InputError, match="Cohorts need the day on which each lifetime started"):
        fit_retention(company.drop(columns="started_at"))
    with pytest.raises(InputError, match="every = 'weak' is no period"):
        fit_retention(company, every="weak")
    with pytest.raises(TooLittleData, match="No cohort of 10 customers was seen from its start"):
        fit_retention(company.groupby(pd.to_datetime(company["started_at"]).dt.month).head(3))
    short = company.assign(duration_days=company["duration_days"].clip(upper=40))
    with pytest.raises(TooLittleData, match="No cohort was seen for 2 months by 10 customers"):
        fit_retention(short)
