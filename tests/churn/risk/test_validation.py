"""Predictions from an earlier day: what is hidden, what is judged, and the planted truth."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlib.data
from cxlib.churn.hazard.hazard import fit_hazard
from cxlib.churn.lifetimes import add_attributes
from cxlib.churn.records.collect import collect_lifetimes
from cxlib.churn.risk.plots import plot_calibration, plot_concentration, plot_decision
from cxlib.churn.risk.risk import predict_risk
from cxlib.churn.risk.validation import choose_cut, hide_after, validate_risk
from cxlib.churn.risk.value import summarise_concentration
from cxlib.churn.risk.wording import describe_validation
from cxlib.errors import InputError, TooLittleData
from tests.churn.risk.test_risk import draw_company

AS_OF = dt.date(2020, 1, 1) + dt.timedelta(days=1_500)  # of the companies drawn
TRUTH = Path(__file__).resolve().parents[3] / "data" / "samples" / "truth_customers.csv.gz"


def make_spells() -> pd.DataFrame:
    """Give five customers around 2024-06-30, a day on which nobody knows of July."""
    return pd.DataFrame(
        {
            "customer_id": list("abcde"),
            "started_at": pd.to_datetime(
                ["2024-01-01", "2024-01-01", "2024-01-01", "2024-07-15", "2023-01-01"]
            ),
            "duration_days": [100, 250, 300, 20, 700],
            "churned": [True, True, False, True, False],
            "entry_days": [0, 0, 0, 0, 600],
            "end_reason": ["price", "price", None, "price", None],
        }
    )


def test_nothing_after_the_day_is_known() -> None:
    """Left before: kept; after: still here, no reason; begun or entered later: unknown."""
    known = hide_after(make_spells(), cut="2024-06-30").set_index("customer_id")

    assert known.index.tolist() == ["a", "b", "c"]
    assert known["duration_days"].tolist() == [100, 181, 181]
    assert known["churned"].tolist() == [True, False, False]
    assert known.loc["a", "end_reason"] == "price"
    assert known.loc[["b", "c"], "end_reason"].isna().all()


def test_an_end_on_the_day_is_known() -> None:
    """The day itself is included; the day before it is not enough."""
    spells = make_spells()
    on = hide_after(spells, cut="2024-09-07").set_index("customer_id")
    before = hide_after(spells, cut="2024-09-06").set_index("customer_id")

    assert on.loc["b", ["duration_days", "churned"]].tolist() == [250, True]
    assert before.loc["b", ["duration_days", "churned"]].tolist() == [249, False]


def test_the_future_changes_no_prediction() -> None:
    """Other ends after the cut: the same predictions, whatever happened."""
    company = draw_company(3)
    other = company.copy()
    cut, horizon = choose_cut(company, as_of=AS_OF, horizon_days=365)
    age = (pd.Timestamp(cut) - company["started_at"]).dt.days
    after = company["duration_days"] > age
    other.loc[after, "duration_days"] = age[after] + 400
    other.loc[after, "churned"] = False
    covariates = ["x", "household"]
    one, two = (hide_after(table, cut=cut) for table in (company, other))
    first, second = (
        predict_risk(
            table, horizon_days=horizon, model=fit_hazard(table, covariates=covariates)
        ).table
        for table in (one, two)
    )

    pd.testing.assert_frame_equal(first, second)


def test_cut_is_one_horizon_ago_or_half_of_the_records() -> None:
    """As much is learnt from as judged by."""
    spells = make_spells().assign(entry_days=0)  # from 2023-01-01 on

    assert choose_cut(spells, as_of="2024-12-31", horizon_days=90) == (dt.date(2024, 10, 2), 90)
    assert choose_cut(spells, as_of="2024-12-31", horizon_days=900) == (dt.date(2024, 1, 1), 365)


def test_validation_of_a_sound_model() -> None:
    """Who was here on the cut, judged by what happened: calibrated, better than one number."""
    company = draw_company(4)
    found = validate_risk(
        company, as_of=AS_OF, horizon_days=200, covariates=["x", "household"], random_state=1
    )
    cut = pd.Timestamp(found.cut)
    age = (cut - company["started_at"]).dt.days
    end = age - company["duration_days"]
    here = (age >= 0) & ((end < 0) | ((end == 0) & ~company["churned"]))
    gone = here & company["churned"] & (end >= -200)

    assert found.cut == AS_OF - dt.timedelta(days=200)
    assert len(found.predictions) + found.n_left_out == here.sum()
    judged = company["customer_id"].isin(found.predictions["customer_id"])
    assert found.table["n_churned"].iloc[0] == (gone & judged).sum()
    table = found.table.set_index("metric")
    assert table["horizon_days"].eq(200).all()
    for metric in ("observed_expected", "calibration_slope"):
        assert table.loc[metric, "conf_low"] < 1 < table.loc[metric, "conf_high"]
    assert table.loc["ipa", "conf_low"] > 0
    told = describe_validation(found.table, cut=found.cut, n_left_out=found.n_left_out)
    assert "in line with what was predicted" in told
    assert "Telling customers apart makes the predictions better" in told
    assert f"{found.n_left_out:,} customers without" in told


@pytest.fixture(scope="module")
def samples() -> tuple[pd.DataFrame, dt.date]:
    """Give the sample company with its true log hazard ratios, and the last day that is sure."""
    tables = cxlib.data.open_workbook("samples")
    collected = collect_lifetimes(subscriptions=tables.frame("subscriptions"), as_of=tables.as_of)
    lifetimes = add_attributes(
        collected.table, customers=tables.frame("customers"), names=["household", "region"]
    )
    truth = pd.read_csv(TRUTH, dtype={"customer_id": str}, keep_default_na=False)
    truth = truth[["customer_id", "log_hazard_ratio"]]
    return lifetimes.merge(truth, on="customer_id"), collected.observed_until or tables.as_of


def test_samples_are_calibrated_against_what_happened(
    samples: tuple[pd.DataFrame, dt.date],
) -> None:
    """Without covariates and with: in the last year as many left as predicted before it.

    With the true log hazard ratios the predictions tell customers apart as they should; what can
    be known of a customer on the first day (household matters, region does not) hardly does.
    """
    lifetimes, until = samples
    scores = {}
    for covariate in ("", "household", "region", "log_hazard_ratio"):
        found = validate_risk(
            lifetimes, as_of=until, horizon_days=365, covariates=[covariate] if covariate else []
        )
        scores[covariate] = found.table.set_index("metric")
        level = scores[covariate].loc["observed_expected"]
        assert level["conf_low"] < 1 < level["conf_high"]
        assert level["conf_high"] - level["conf_low"] < 0.25
    best = scores["log_hazard_ratio"]
    assert (
        best.loc["calibration_slope", "conf_low"] < 1 < best.loc["calibration_slope", "conf_high"]
    )
    assert best.loc["ipa", "conf_low"] > 0.02
    assert best.loc["auc", "conf_low"] > 0.6
    assert scores["region"].loc["ipa", "conf_high"] < 0.02


def test_samples_give_the_planted_reason(samples: tuple[pd.DataFrame, dt.date]) -> None:
    """Shared households leave 1.5 times as often for cancelling, which is 85 % of all ends."""
    lifetimes, _ = samples
    model = fit_hazard(lifetimes, covariates=["household", "region"])
    risk = predict_risk(lifetimes, horizon_days=365, model=model)
    table = risk.table.merge(lifetimes[["customer_id", "household"]].drop_duplicates("customer_id"))

    shared = table[(table["household"] == "shared") & (table["reasons"] != "")]
    assert shared["reasons"].str.startswith("household shared × 1.").all()
    parts = risk.totals.set_index(["quantity", "cause"])["share"]
    assert parts["customers", "payment_failure"] == pytest.approx(0.15, abs=0.03)


def test_figures_show_what_the_tables_say() -> None:
    """Points, bars, lines and labels."""
    company = draw_company(4)
    found = validate_risk(company, as_of=AS_OF, horizon_days=200, covariates=["x"])
    calibration = plot_calibration(found.calibration, found.histogram)
    points = calibration.get_lines()[1]
    np.testing.assert_allclose(points.get_xdata(), found.calibration["predicted"])
    np.testing.assert_allclose(points.get_ydata(), found.calibration["observed"])
    assert len(calibration.patches) == len(found.histogram)
    assert calibration.get_ylabel() == "share that left"

    decision = plot_decision(found.decision, threshold=0.1)
    assert [text.get_text() for text in decision.get_legend().get_texts()] == [
        "the list",
        "everybody",
        "nobody",
    ]
    np.testing.assert_allclose(decision.get_lines()[0].get_ydata(), found.decision["list_benefit"])
    assert decision.texts[0].get_text() == "your action"

    concentration = summarise_concentration(predict_risk(company, horizon_days=365).table)
    axes = plot_concentration(concentration)
    assert axes.get_lines()[0].get_ydata()[-1] == pytest.approx(1)
    assert axes.get_xlabel() == "share of customers"


def test_lifetimes_without_days() -> None:
    """A table of durations cannot be cut at a day."""
    company = draw_company(1, 300).drop(columns="started_at")
    with pytest.raises(InputError, match="Lifetimes without the day they began cannot be cut"):
        validate_risk(company, as_of=AS_OF, horizon_days=100)
    with pytest.raises(InputError, match="column 'started_at'"):
        hide_after(company, cut=AS_OF)


def test_nobody_left_in_the_window() -> None:
    """Too little data, not a perfect score."""
    company = draw_company(5, 600)
    age = (pd.Timestamp(AS_OF) - company["started_at"]).dt.days
    late = company["churned"] & (age - company["duration_days"] < 101)
    with pytest.raises(TooLittleData, match="0 customers left within the 100 days: too few"):
        validate_risk(company[~late], as_of=AS_OF, horizon_days=100)


def test_records_of_a_day() -> None:
    """Nothing can be learnt before and judged after."""
    spells = make_spells().assign(started_at=pd.Timestamp("2024-12-30"), entry_days=0)
    with pytest.raises(TooLittleData, match="The records cover less than two days"):
        choose_cut(spells, as_of="2024-12-31", horizon_days=90)


def test_nobody_could_be_followed_so_far() -> None:
    """Where 60 must have been seen at an age, none of 200 can be followed for 300 days."""
    with pytest.raises(TooLittleData, match="nobody could be followed for 300 days ahead"):
        validate_risk(draw_company(5, 200), as_of=AS_OF, horizon_days=300, min_cell=60)
