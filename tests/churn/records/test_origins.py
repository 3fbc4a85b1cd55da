"""Groups formed after the origin are refused, with the reason."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest

import cxlib.data
from cxlib import churn
from cxlib.churn.hazard.hazard import fit_hazard
from cxlib.churn.records.experiences import split_lifetimes
from cxlib.churn.records.guarantee import detect_guarantee
from cxlib.churn.records.origins import check_baseline, date_records, select_baseline
from cxlib.errors import InputError

REFERENCE = Path(__file__).parent.parent / "reference"


@cache
def open_samples() -> tuple[cxlib.data.Workbook, pd.DataFrame]:
    """Open the sample company, with all lifetimes, attributes and who ever answered."""
    tables = cxlib.data.open_workbook("samples")
    lifetimes = churn.collect_lifetimes(
        subscriptions=tables.frame("subscriptions"), as_of=tables.as_of
    ).table
    names = ["region", "household", "age_band", "acquisition_channel"]
    lifetimes = churn.add_attributes(lifetimes, customers=tables.frame("customers"), names=names)
    answered = lifetimes["customer_id"].isin(tables.frame("answers")["customer_id"])
    return tables, lifetimes.assign(answered=np.where(answered, "yes", "no"))


def read_jasa() -> pd.DataFrame:
    """Read the Stanford heart data."""
    jasa = pd.read_csv(REFERENCE / "jasa.csv", dtype={"customer_id": str})
    return jasa.astype({"churned": bool})


def draw_lives(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Draw lifetimes whose risk falls with age, some of which entered late."""
    start = rng.integers(-900, 900, n)
    days = np.ceil(rng.weibull(0.7, n) * 500)
    lives = pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(n)],
            "started_at": pd.Timestamp("2023-01-01") + pd.to_timedelta(start, unit="D"),
            "duration_days": np.minimum(days, 900 - start),
            "churned": days <= 900 - start,
            "entry_days": np.maximum(-start - 1, 0),
        }
    )
    return lives[lives["duration_days"] > lives["entry_days"]].reset_index(drop=True)


def test_ever_transplanted_is_caught_and_surgery_is_not() -> None:
    """One of those who were ever transplanted died in the first week, where others died fast."""
    jasa = read_jasa()
    found = detect_guarantee(jasa, by="transplant")

    assert found is not None
    assert (found.level, found.clock, found.until) == ("1", "days since entry", "7 days")
    assert found.n_ended == 1
    assert found.n_expected == pytest.approx(8.5, abs=0.05)
    assert found.p_value < 0.01
    assert detect_guarantee(jasa, by="surgery") is None
    assert detect_guarantee(jasa, by="age") is None


def test_innocent_attributes_raise_no_alarm() -> None:
    """At most 1 % of 200, of 2 to 5 levels, with and without another risk, with late entry."""
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(200):
        lives = draw_lives(rng, int(rng.choice([100, 300, 1000])))
        level = rng.integers(0, rng.integers(2, 6), len(lives))
        kept = (level > 0) | (rng.random(len(lives)) < 0.6)  # the first level is smaller
        alarms += (
            detect_guarantee(lives.assign(level=level.astype(str))[kept], by="level") is not None
        )

    assert alarms <= 2


def test_a_group_joined_on_the_way_is_caught() -> None:
    """Whoever stays long enough gets in, at random: no effect at all, and a perfect alarm."""
    rng = np.random.default_rng(8)
    lives = draw_lives(rng, 2000)
    joins = lives["entry_days"] + rng.exponential(200, len(lives))
    lives["joined"] = np.where(joins < lives["duration_days"], "yes", "no")
    found = detect_guarantee(lives, by="joined")

    assert found is not None
    assert found.level == "yes"
    assert found.n_ended < found.n_expected / 3


def test_the_samples_tell_guilty_from_innocent() -> None:
    """Who answered the survey had to be there in May 2025; region and plan were known before."""
    _, lifetimes = open_samples()
    found = detect_guarantee(lifetimes, by="answered")

    assert found is not None
    assert (found.level, found.clock, found.n_ended) == ("yes", "calendar", 0)
    innocent = ["region", "household", "age_band", "acquisition_channel", "plan", "monthly_value"]
    assert [by for by in innocent if detect_guarantee(lifetimes, by=by)] == []


def test_a_column_made_from_records_is_refused_by_name() -> None:
    """Answers, contacts by phone, and a segment with dates of its own."""
    tables, lifetimes = open_samples()
    records = date_records(answers=tables.frame("answers"), events=tables.events)
    phoned = records.loc[records["source"] == "channel phone", "customer_id"]
    lifetimes = lifetimes.assign(phoned=lifetimes["customer_id"].isin(phoned))
    with pytest.raises(InputError, match="'answered' tells who has records in 'answers'") as error:
        check_baseline(lifetimes, by="answered", records=records)
    assert "immortal time" in error.value.problem
    assert "split_lifetimes" in error.value.fix
    assert "select_landmark" in error.value.fix
    with pytest.raises(InputError, match="'phoned' tells who has records in 'channel phone'"):
        check_baseline(lifetimes, by="phoned", records=records)
    for by in ("region", "household", "plan"):
        check_baseline(lifetimes, by=by, records=records)

    half = lifetimes["customer_id"].drop_duplicates().iloc[::2]
    dated = pd.DataFrame({"customer_id": half, "source": "region", "day": 20_300})
    with pytest.raises(InputError, match="'region' is dated after the start for"):
        check_baseline(lifetimes, by="region", records=dated)


def test_answering_a_survey_keeps_nobody() -> None:
    """As a baseline group it seems to cut the risk to a sixth; from the answer on, hardly."""
    tables, lifetimes = open_samples()
    records = date_records(answers=tables.frame("answers"))
    answers = records[records["source"] == "answers"].assign(covariate="since", value=1, before=0)
    naive = fit_hazard(lifetimes, covariates=["answered"]).table.iloc[0]
    right = fit_hazard(split_lifetimes(lifetimes, answers), covariates=["since"]).table.iloc[0]

    assert naive["hazard_ratio"] == pytest.approx(0.17, abs=0.02)
    assert right["conf_low"] > 0.6
    assert right["conf_high"] > 1


def test_records_before_the_start_are_no_reason() -> None:
    """A group known on the first day, or by the day observation began, is a baseline group."""
    rng = np.random.default_rng(9)
    lives = draw_lives(rng, 400)
    lives["kind"] = np.where(rng.random(len(lives)) < 0.5, "store", "web")
    began = (lives["started_at"] - pd.Timestamp(0)).dt.days + lives["entry_days"]
    store = lives["kind"] == "store"
    records = pd.DataFrame(
        {
            "customer_id": lives["customer_id"][store],
            "source": "touchpoint store",
            "day": began[store],
        }
    )

    check_baseline(lives, by="kind", records=records)
    later = records.assign(day=records["day"] + 1)
    with pytest.raises(InputError, match="for 100% of its members"):
        check_baseline(lives, by="kind", records=later)


def test_a_minimum_term_looks_the_same_and_can_be_vouched_for() -> None:
    """Only the analyst knows that the contract was signed on the first day."""
    rng = np.random.default_rng(10)
    lives = draw_lives(rng, 1500)
    bound = rng.random(len(lives)) < 0.5
    lives["term"] = np.where(bound, "two years", "monthly")
    lives = lives[~(bound & lives["churned"] & (lives["duration_days"] < 730))]
    with pytest.raises(InputError, match=r"Of 'term' = 'two years', \d+ left within") as error:
        check_baseline(lives, by="term")

    assert "trusted = ['term']" in error.value.fix
    check_baseline(lives, by="term", trusted=["term"])


@pytest.mark.engines
def test_records_are_dated_by_their_first(con: ibis.BaseBackend) -> None:
    """One row per customer and source, waves apart; other engines say the same."""
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b"],
            "timestamp": pd.to_datetime(
                ["2024-01-05 12:00", "2024-01-02 23:00", "2024-01-09 00:00"]
            ),
            "touchpoint": ["chat", "chat", "call"],
            "channel": ["web", "web", None],
        }
    )
    events = con.create_table("origin_events", frame, overwrite=True)
    answers = pd.DataFrame(
        {
            "customer_id": ["a", "a", None],
            "answered_at": ["2024-03-01", "2024-02-01", "2024-02-01"],
            "wave": ["2", "1", "1"],
        }
    )
    records = date_records(answers=answers, events=events)

    first = records.assign(day=records["day"] - 19_723)
    assert list(first.itertuples(index=False, name=None)) == [
        ("a", "answers", 31),
        ("a", "answers of 1", 31),
        ("a", "answers of 2", 60),
        ("a", "channel web", 1),
        ("a", "touchpoint chat", 1),
        ("b", "touchpoint call", 8),
    ]
    assert date_records().empty


def test_columns_that_may_not_stand_are_named_with_the_reason() -> None:
    """Answering a survey is refused; the household of the sample company is kept."""
    tables = cxlib.data.open_workbook("samples")
    answers = tables.frame("answers")
    lifetimes = churn.collect_lifetimes(
        subscriptions=tables.frame("subscriptions"), as_of=tables.as_of
    ).table
    lifetimes = churn.add_attributes(
        lifetimes, customers=tables.frame("customers"), names=["household"]
    )
    answered = lifetimes["customer_id"].isin(answers["customer_id"])
    lifetimes["answered"] = answered.map({True: "yes", False: "no"})
    found = select_baseline(
        lifetimes, names=["", "household", "answered"], records=date_records(answers=answers)
    )

    assert found.names == ["household"]
    assert len(found.reasons) == 1
    assert "immortal time" in found.reasons[0]
    trusted = select_baseline(lifetimes, names=["answered"], trusted=["answered"])
    assert (trusted.names, trusted.reasons, trusted.doubts) == (["answered"], [], [])
    undated = select_baseline(lifetimes, names=["answered"])
    assert undated.names == ["answered"]
    told = churn.describe_doubts(undated)
    assert "of 'answered' = 'yes', " in told
    assert "name 'answered' in 'trusted'" in told
    assert churn.describe_doubts(found) == ""
