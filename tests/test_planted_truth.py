"""The notebooks find in the sample company what was planted there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from cxlib.data import open_workbook
from cxlib.planning.plans import plan_run
from cxlib.running.runs import execute_run

SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples"


@pytest.fixture(scope="module")
def truth():
    """Return what was planted."""
    return json.loads((SAMPLES / "truth.json").read_text("utf-8"))


def read_off(survival: pd.DataFrame, days: list[float]) -> np.ndarray:
    """Read a step curve at some days."""
    curve = survival[survival["group"] == "all"].sort_values("time_days")
    at = np.searchsorted(curve["time_days"], days, side="right") - 1
    return curve["survival"].to_numpy()[at]


def test_every_dirty_row_is_found(executed, truth):
    """The ledger counts what was planted, table by table and rule by rule."""
    ledger = executed("data_check").table("ledger")
    met = ledger[ledger["rule"] != ""].groupby(["table", "rule"])["n"].sum()
    planted = {
        (table, rule): n for table, rules in truth["dirty"].items() for rule, n in rules.items()
        if isinstance(n, int)
    }  # fmt: skip

    assert met.to_dict() == planted


def test_journeys_and_their_kinds_are_recovered(executed, truth):
    """The journeys are the planted ones, and their segments agree with the planted kinds."""
    found = executed("journey_segments").table("assignments")
    planted = pd.read_csv(SAMPLES / "truth_journeys.csv.gz", dtype=str, keep_default_na=False)
    both = found.merge(planted, on="journey_id", validate="one_to_one")

    assert len(found) == len(planted) == len(both) == truth["journeys"]["n_journeys"]
    assert adjusted_rand_score(both["kind"], both["segment"]) >= 0.8


def test_planted_kinds_are_called_stable(executed):
    """Segments that are there by design survive resampling."""
    segments = executed("journey_segments").table("segments")

    assert len(segments) == 4
    assert segments["stability"].min() > 0.75
    assert segments["share"].sum() == pytest.approx(1)


def test_survival_with_late_entry_is_right_and_the_naive_curve_is_not(executed, truth):
    """Within 0.02 of the generator's own curve at 6, 12 and 24 months; a naive curve is not."""
    days = truth["survival"]["days"]
    planted = np.array(truth["survival"]["survival"])
    ours = read_off(executed("churn_survival").table("survival"), days)
    naive = naive_curve(days)

    assert np.abs(ours - planted).max() <= 0.02
    assert np.abs(naive - planted).min() > 0.02


def naive_curve(days: list[float]) -> np.ndarray:
    """Take every row as a customer and every end as churn; know no late entry."""
    tables = open_workbook("samples")
    rows = tables.frame("subscriptions")
    end = rows["ended_at"].fillna(pd.Timestamp(tables.as_of) + pd.Timedelta(days=1))
    duration = (end - rows["started_at"]).dt.days.to_numpy()
    left = rows["ended_at"].notna().to_numpy()
    survival = []
    for day in days:
        times = np.unique(duration[left & (duration <= day)])
        at_risk = np.array([(duration >= t).sum() for t in times])
        ended = np.array([(duration[left] == t).sum() for t in times])
        survival.append(np.prod(1 - ended / at_risk))
    return np.array(survival)


def test_planted_gap_signs_are_right(executed, truth):
    """Every touchpoint and item falls short or exceeds as planted."""
    gaps = executed("expectation_gaps").table("gaps")
    planted = {
        ("touchpoint", name): effect["sign"]
        for name, effect in truth["gaps"]["touchpoints"].items()
    } | {("item", name): effect["sign"] for name, effect in truth["gaps"]["items"].items()}
    found = {
        (row.level, row.name): "falls short" if row.gap < 0 else "exceeds"
        for row in gaps[["level", "name", "gap"]].itertuples(index=False)
        if row.level in {"touchpoint", "item"}
    }

    assert found == planted


def test_employees_are_not_in_the_gap(executed):
    """Only customers who rated an item in both roles count, each once."""
    total = executed("expectation_gaps").table("gaps").query("level == 'total'").iloc[0]
    answers = open_workbook("samples").frame("answers")
    latest = answers[(answers["source"] == "customer") & (answers["wave"] == answers["wave"].max())]
    both = latest[latest["role"].isin(["expectation", "perception"])]
    roles = both.groupby(["respondent_id", "item"])["role"].nunique()
    paired = roles[roles == 2].index.get_level_values("respondent_id").nunique()

    assert total["n"] == paired


def test_the_gap_that_matters_comes_first_and_the_largest_does_not(executed):
    """A small gap at billing goes with recommending; the largest, of the technician, hardly."""
    priorities = executed("expectation_gaps").table("priorities").set_index("name")

    assert priorities.loc["billing", "verdict"] == "fix first"
    assert priorities["importance"].idxmax() == "billing"
    assert priorities["gap"].idxmin() == "technician_visit"
    assert priorities.loc["technician_visit", "verdict"] in {"low priority", "undecided"}
    importance = executed("expectation_gaps").table("importance")
    assert {"lmg", "johnson", "standardised", "ordinal"} <= set(importance["method"])
    stated = executed("tolerance_and_kano").table("stated_importance")
    assert stated.set_index("name")["stated"].idxmax() == "reliability"


def test_weights_recover_the_score_that_response_distorts(executed, truth):
    """The raw score is about ten points too high; weighted by health it holds the truth."""
    scores = executed("expectation_gaps").table("scores")
    nps = scores[scores["metric"].eq("nps") & scores["group"].eq("all")].set_index("weighting")
    true = truth["nonresponse"]["waves"]["2025-11"]["nps_all_invited"]

    assert nps.loc["raw", "conf_low"] > true
    assert nps.loc["raw", "score"] - true == pytest.approx(10, abs=4)
    assert nps.loc["weighted", "conf_low"] < true < nps.loc["weighted", "conf_high"]


def test_gaps_win_over_perceptions_where_they_were_planted(executed):
    """The samples' outcome is made from gaps: the models say so in total."""
    verdicts = executed("expectation_gaps").table("outcome_verdicts")
    total = verdicts[verdicts["level"] == "total"].iloc[0]

    assert total["verdict"] == "gap"


def test_planted_careless_answers_are_flagged(executed, truth):
    """Straight-liners and the implausibly fast, each and no more."""
    counts = executed("survey_quality").table("careless").set_index("flag")["n"]

    assert counts["same answer throughout"] == truth["seconds"]["n_straight"]["2025-11"]
    assert counts["too fast"] == truth["seconds"]["n_fast"]["2025-11"]


def test_planted_overrated_items_are_found(executed, truth):
    """Employees overrate four items by more than 0.8 points, and no other."""
    beliefs = executed("delivery_gap").table("beliefs").query("level == 'item'")
    found = beliefs[beliefs["verdict"] == "overrated"]

    assert set(found["name"]) == set(truth["employees"]["overrated"])
    assert (found["difference"] > 0.8).all()


def test_planted_zones_and_kano_categories_are_found(executed, truth):
    """Where perception lies between minimum and desired, and what each feature is."""
    zones = executed("tolerance_and_kano").table("tolerance").query("level == 'touchpoint'")
    places = {"below": "below the minimum", "inside": "within the zone"}
    places["above"] = "above what is desired"
    planted = {n: e["verdict"] for n, e in truth["tolerance"]["touchpoints"].items()}
    assert zones.set_index("name")["verdict"].map(places).to_dict() == planted

    kano = executed("tolerance_and_kano").table("kano").set_index("item")["verdict"]
    planted = {n: f["category"].replace("_", "-") for n, f in truth["kano"]["features"].items()}
    assert kano.to_dict() == planted


def test_planted_theme_pulls_the_score_down(executed, truth):
    """Comments on the bill lower the score of those who write, as much as planted."""
    effects = executed("comment_themes").table("theme_effects")
    lowest = effects.sort_values("effect").iloc[0]
    planted = truth["comments"]["themes"]

    assert "bill" in lowest["theme"]
    assert lowest["conf_low"] < planted["bill_surprise"]["nps_effect"] < lowest["conf_high"]
    assert len(effects[effects["theme"] != "(no theme)"]) == len(planted) - 1


def test_hostile_values_stay_inert(tmp_path):
    """A formula in the data reaches Parquet as it is and CSV disarmed."""
    plan = plan_run(
        "churn_survival", workbook="samples", given={"group_by": "household"}, out=tmp_path
    )
    record = execute_run(plan)
    tables = plan.folder / "tables"

    assert record["error"] is None
    assert "=cmd()" in set(pd.read_parquet(tables / "left_out.parquet")["group"])
    assert "\n'=cmd()," in (tables / "left_out.csv").read_text("utf-8")


def test_planted_household_hazard_is_found(tmp_path):
    """Shared households leave sooner, by the planted ratio within its interval."""
    given = {"covariates": '["household"]'}
    plan = plan_run("churn_survival", workbook="samples", given=given, out=tmp_path)
    execute_run(plan)
    hazard = pd.read_parquet(plan.folder / "tables/hazard.parquet").set_index("term")

    row = hazard.loc["household[shared]"]
    assert row["conf_low"] < 1.5 < row["conf_high"]
    assert row["p_value"] < 0.001


def test_reasons_to_leave_come_out_as_planted(executed, truth):
    """Incidence of each cause at 12 months lies in its interval; the causes are 85 to 15."""
    table = executed("churn_drivers").table("causes")
    for cause, planted in truth["survival"]["cumulative_incidence"].items():
        own = table[(table["group"] == "all") & (table["cause"] == cause)]
        row = own[own["time_days"] <= truth["survival"]["days"][1]].iloc[-1]
        assert row["conf_low"] < planted[1] < row["conf_high"]


def test_of_all_that_might_go_with_leaving_only_the_planted_is_shown(executed, truth):
    """Shared households among attributes, the billing gap among experiences, and nothing else."""
    hazard = executed("churn_drivers").table("hazard")
    met = executed("churn_drivers").table("experiences")
    shared = hazard.set_index("term").loc["household[shared]"]
    billing = met.set_index("term").loc["billing_gap"]

    assert hazard.loc[hazard["q_value"] < 0.05, "term"].tolist() == ["household[shared]"]
    assert shared["conf_low"] < truth["hazard"]["household[shared]"] < shared["conf_high"]
    assert met.loc[met["q_value"] < 0.05, "term"].tolist() == ["billing_gap"]
    assert truth["hazard"]["billing"] < billing["conf_high"] < 1


def test_the_forecast_of_the_year_before_came_true(executed):
    """Made a year earlier from what was known then, it expects as many as left."""
    scores = executed("churn_survival").table("validation").set_index("metric")
    ratio = scores.loc["observed_expected"]
    assert ratio["conf_low"] < 1 < ratio["conf_high"]


def test_three_hasty_readings_are_wrong(executed, truth):
    """Late entry ignored, every record a lifetime, survey takers as a group: each 4 points off."""
    naive = executed("churn_survival").table("naive")
    day, planted = truth["survival"]["days"][1], truth["survival"]["survival"][1]
    off = {
        group: read_off(curve.assign(group="all"), [day])[0] - planted
        for group, curve in naive.groupby("group")
    }
    assert abs(off.pop("as analysed")) < 0.01
    assert len(off) == 3
    assert min(map(abs, off.values())) > 0.04
