"""Which experiences go with leaving."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlib.data
from cxlib import churn
from cxlib.churn.drivers.plots import plot_experiences
from cxlib.churn.drivers.screening import Experiences, fit_experiences, list_experiences
from cxlib.churn.drivers.wording import (
    describe_drivers,
    describe_experiences,
    name_experience,
)
from cxlib.churn.records.changes import list_contacts, list_scores
from cxlib.errors import InputError, TooLittleData
from cxlib.stats import adjust_p_values

REFERENCE = Path(__file__).parent.parent / "reference"
START = pd.Timestamp("2024-01-01")


def draw_company(*, ratio: float, calls_before_leaving: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw 4,000 lives day by day: a call multiplies the risk of the next 90 days by `ratio`."""
    rng, n, last = np.random.default_rng(3), 4000, 360
    called = np.full(n, -1000)
    here, end = np.ones(n, bool), np.full(n, last)
    calls = []
    for day in range(1, last):
        risk = 0.001 * np.where(day - called <= 90, ratio, 1.0)
        leaves = here & (rng.random(n) < risk)
        end[leaves] = day
        here &= ~leaves
        rings = np.flatnonzero(here & (rng.random(n) < 1 / 300))
        called[rings] = day
        calls += [(customer, day) for customer in rings]
    left = end < last
    if calls_before_leaving:
        calls += [(i, end[i] - rng.integers(1, 11)) for i in np.flatnonzero(left & (end > 20))]
    lives = pd.DataFrame({"customer_id": [f"c{i}" for i in range(n)], "started_at": START})
    lives = lives.assign(duration_days=end, churned=left)
    events = pd.DataFrame(calls, columns=["customer_id", "day"])
    events["timestamp"] = START + pd.to_timedelta(events["day"], unit="D")
    events["customer_id"] = "c" + events["customer_id"].astype(str)
    return lives, events.assign(touchpoint="call")


def test_a_planted_ratio_is_found() -> None:
    """Twice the risk for 90 days after a call."""
    import ibis

    lives, events = draw_company(ratio=2.0, calls_before_leaving=False)
    changes = list_contacts(ibis.memtable(events))
    found = fit_experiences(lives, changes).table.iloc[0]

    assert found["conf_low"] < 2.0 < found["conf_high"]
    assert found["conf_low"] > 1.5
    assert found["experience"] == "call, last 90 days"


def test_a_lag_takes_out_the_calls_of_leaving() -> None:
    """Calls that change nothing, and a call in the ten days before leaving."""
    import ibis

    lives, events = draw_company(ratio=1.0, calls_before_leaving=True)
    events = ibis.memtable(events)
    at_once = fit_experiences(lives, list_contacts(events)).table.iloc[0]
    lagged = fit_experiences(lives, list_contacts(events, lag="14d")).table.iloc[0]

    assert at_once["conf_low"] > 3
    assert lagged["conf_low"] < 1 < lagged["conf_high"]


def read_heart() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the Stanford heart data, with transplants as R's `heart` has them."""
    jasa = pd.read_csv(REFERENCE / "jasa.csv", dtype={"customer_id": str})
    done = jasa.dropna(subset=["wait_days"])
    wait = done["wait_days"] - ((done["wait_days"] == done["duration_days"]) & done["churned"])
    day = pd.to_datetime(done["started_at"]) + pd.to_timedelta(wait, unit="D")
    changes = pd.DataFrame({"customer_id": done["customer_id"], "day": day, "value": 1})
    return jasa.astype({"churned": bool}), changes.assign(covariate="transplanted", before=0)


def test_one_experience_equals_the_model_it_stands_for() -> None:
    """The ratio of R's heart, reference/experiences.R; who had it and who left with it."""
    jasa, changes = read_heart()
    found = fit_experiences(jasa, changes, covariates=["age", "surgery"])

    row = found.table.iloc[0]
    assert row["estimate"] == pytest.approx(0.0160956053, abs=1e-8)
    assert (row["n_customers"], row["n_churned"]) == (69, 45)
    assert found.joint.empty
    assert found.left_out.empty


def test_rare_experiences_are_suppressed_with_the_reason() -> None:
    """Nine customers, or everybody but nine."""
    jasa, changes = read_heart()
    few = changes.head(9).assign(covariate="few")
    most = jasa[["customer_id"]].iloc[9:].assign(day=pd.Timestamp("1960-01-01"), value=1)
    most = most.assign(covariate="most", before=0)
    found = fit_experiences(jasa, pd.concat([changes, few, most]))

    assert found.table["term"].tolist() == ["transplanted"]
    assert found.left_out.to_numpy().tolist() == [
        ["few", "Fewer than 10 customers had it."],
        ["most", "Fewer than 10 customers were seen without it."],
    ]
    with pytest.raises(TooLittleData, match="None of 1 experiences can be judged"):
        fit_experiences(jasa, few)
    with pytest.raises(InputError, match="'transplanted' is an experience and a covariate"):
        fit_experiences(jasa, changes, covariates=["transplanted"])


@cache
def fit_samples() -> Experiences:
    """Fit contacts and survey gaps of the sample company, adjusted for the household."""
    tables = cxlib.data.open_workbook("samples")
    lifetimes = churn.collect_lifetimes(
        subscriptions=tables.frame("subscriptions"), as_of=tables.as_of, cause="cancelled"
    ).table
    lifetimes = churn.add_attributes(
        lifetimes, customers=tables.frame("customers"), names=["household"]
    )
    contacts = list_contacts(tables.events, touchpoints=["app", "complaint", "phone_support"])
    gaps = list_scores(tables.frame("answers"), items=tables.frame("items"))
    return fit_experiences(
        lifetimes,
        pd.concat([contacts, gaps]),
        covariates=["household"],
        known_from="2023-09-29",  # 90 days after the first contacts
    )


def test_the_samples_show_that_billing_matters() -> None:
    """Planted 0.6 a point; the score has a reliability of 0.69, so 0.6 ** 0.69 = 0.70 is to come.

    Contacts change nothing in truth: the ratio of phone support, 1.33 with p = 0.008, is the chance
    of this seed (1.0 on average over eight others), and smaller with a lag.
    """
    table = fit_samples().table.set_index("term")
    billing = table.loc["billing_gap"]

    assert billing["conf_low"] < 0.6**0.69 < billing["conf_high"] < 1
    assert billing["q_value"] < 0.05
    assert table.index[0] == "billing_gap"
    assert (table.drop(["billing_gap", "phone_support_90d"])["q_value"] > 0.05).all()
    assert 2000 < billing["n_customers"] < 2200
    joint = fit_samples().joint.set_index("term")
    assert sorted(joint.index) == sorted(table.index)
    assert joint.loc["billing_gap", "hazard_ratio"] < 1


def test_the_sentence_says_who_and_not_why() -> None:
    """With the number tested, and the lag when there was one."""
    table = fit_samples().table
    told = describe_experiences(table)

    assert told.startswith("2 of 11 experiences go with a higher or lower risk")
    assert "billing gap × 0.7" in told
    assert "not why" in told
    assert "with a lag" in told
    nothing = describe_experiences(table[table["term"] == "app_90d"], lag="14d")
    assert nothing.startswith("None of 1 experience was shown")
    assert "contacts of the last 14 days are not counted" in nothing


def test_names_read_well() -> None:
    """Covariates of contacts in words; others without underscores."""
    names = ["complaint_ever", "chat_count_30d", "complaint_unanswered_90d", "sofa_90d_gap"]
    assert [name_experience(name) for name in names] == [
        "complaint, ever",
        "chat, number, last 30 days",
        "complaint unanswered, last 90 days",
        "sofa 90d gap",
    ]


def test_the_figure_shows_the_clearest_with_their_customers() -> None:
    """Highest on top, twelve at most."""
    table = fit_samples().table
    ax = plot_experiences(pd.concat([table] * 2, ignore_index=True))
    labels = [label.get_text().replace("\n", " ") for label in ax.get_yticklabels()]

    n = table.set_index("term").loc["billing_gap", "n_customers"]
    assert len(labels) == 12
    assert labels[-1] == f"billing gap ({n:,})"
    ratios = ax.lines[0].get_xdata()
    assert list(ratios) == sorted(ratios, reverse=True)


def test_each_family_of_experiences_is_a_question_of_its_own() -> None:
    """q-values correct within contacts and within survey gaps; the sentence counts both."""
    found = fit_samples().table
    both = found.assign(family=found["term"].str.endswith("_gap").map({True: "gap", False: "call"}))
    told = describe_experiences(both)
    assert "3 calls and 8 gaps (each kind a question of its own)" in told

    tables = cxlib.data.open_workbook("samples")
    changes, since = list_experiences(
        tables.events,
        answers=tables.frame("answers"),
        items=tables.frame("items"),
        touchpoints=["app", "complaint"],
        lag="14d",
    )
    assert since == "2023-10-13"  # 104 days after the first contacts
    families = changes.groupby("covariate")["family"].first()
    assert families["app_90d"] == "contact"
    assert families["billing_gap"] == "survey gap"

    lifetimes = churn.collect_lifetimes(
        subscriptions=tables.frame("subscriptions"), as_of=tables.as_of
    ).table
    table = fit_experiences(lifetimes, changes, known_from=since).table
    for _, family in table.groupby("family"):
        np.testing.assert_allclose(family["q_value"], adjust_p_values(family["p_value"]))
    assert set(table["family"]) == {"contact", "survey gap"}


def test_without_contacts_and_gaps_there_is_nothing_to_follow() -> None:
    """Answers that name no touchpoint are no experience."""
    with pytest.raises(TooLittleData, match="neither contacts nor survey gaps"):
        list_experiences(None)


def test_the_headline_tells_what_goes_most_surely_with_leaving() -> None:
    """Two ratios at most of each kind; nothing shown is said plainly."""
    found = fit_samples().table
    hazard = pd.DataFrame(
        {
            "term": ["household[shared]"],
            "hazard_ratio": [1.5],
            "conf_low": [1.2],
            "conf_high": [1.9],
            "p_value": [0.001],
            "q_value": [0.001],
        }
    )
    told = describe_drivers(hazard, found[found["term"] == "app_90d"])
    assert told.startswith("Of what is known at the start, household[shared] (risk × 1.50, 1.20–")
    assert (
        "Of what customers meet with, nothing is shown to go with leaving (1 experience tested)."
        in told
    )
    assert describe_drivers(None, None).startswith("Nothing could be looked at")
