"""The naive readings, the sentences on the records, and the flow chart."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from cxlib.churn.curves.curves import read_survival
from cxlib.churn.lifetimes import Lifetimes
from cxlib.churn.records.collect import collect_lifetimes, compare_naive
from cxlib.churn.records.plots import plot_steps
from cxlib.churn.records.wording import describe_observation, describe_steps
from cxlib.data import open_workbook

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "samples"


@pytest.fixture(scope="module")
def tables():
    """Return the sample company."""
    return open_workbook("samples")


@pytest.fixture(scope="module")
def collected(tables) -> Lifetimes:
    """Return its lifetimes."""
    return collect_lifetimes(subscriptions=tables.frame("subscriptions"), as_of=tables.as_of)


def test_ours_is_right_and_every_hasty_reading_is_not(tables, collected: Lifetimes) -> None:
    """Returns and plan changes as churn, no late entry, answering as a group: all far off."""
    truth = json.loads((SAMPLES / "truth.json").read_text("utf-8"))["survival"]
    naive = compare_naive(
        collected.table[collected.table["spell"] == 1],
        subscriptions=tables.frame("subscriptions"),
        answers=tables.frame("answers"),
        as_of=tables.as_of,
    )
    at = read_survival(naive, times=truth["days"]).pivot(
        index="time_days", columns="group", values="survival"
    )
    off = at.sub(truth["survival"], axis=0)

    assert off["as analysed"].abs().max() < 0.005
    assert off["every record a lifetime"].max() < -0.05
    assert off["late entry ignored"].min() > 0.04
    assert off["answered a survey, as a group"].min() > 0.07
    assert len(at.columns) == 4


def test_a_reading_that_cannot_be_drawn_is_left_out(collected: Lifetimes) -> None:
    """Nobody of those who answered has left yet."""
    first = collected.table[collected.table["spell"] == 1]
    stay = first.loc[~first["churned"], "customer_id"].head(3)
    readings = compare_naive(first, answers=pd.DataFrame({"customer_id": stay}))["group"].unique()

    assert readings.tolist() == ["as analysed", "late entry ignored"]


def test_who_is_there_is_kept_apart_from_what_was_observed(tables, collected: Lifetimes) -> None:
    """All who pay on the last day, with their age on it, those of the last weeks included."""
    rows = tables.frame("subscriptions")
    paying = rows.loc[rows["ended_at"].isna(), "customer_id"].nunique()
    age = (pd.Timestamp(tables.as_of) - collected.current["started_at"]).dt.days

    assert len(collected.current) == collected.current["customer_id"].nunique() == paying
    assert (collected.current["duration_days"] == age).all()
    assert not collected.current["churned"].any()
    assert collected.current.columns.tolist() == collected.table.columns.tolist()


def test_the_records_are_described(collected: Lifetimes) -> None:
    """First day, last day, and how many rows became how many lifetimes."""
    told = describe_observation(collected)

    assert told == (
        "Leaving is recorded from 2023-07-04 on: no customer left before, where the later pace "
        "lets one expect 994. Who left is known for sure up to 2025-12-11; 50 later ends are not "
        "counted yet, since a short break may still be bridged."
    )
    assert collected.lag is None
    assert describe_steps(collected.ledger) == (
        "9,617 rows gave 6,248 lifetimes (3,286 joined to others, 83 left out as stays); 1,751 "
        "ended, 4,497 are censored."
    )


def test_complete_records_need_no_words() -> None:
    """Mapped lifetimes have no first and last day; their ledger adds up."""
    table = pd.DataFrame(
        {
            "customer_id": list("abc"),
            "duration_days": [5, 6, 7],
            "churned": [True, True, False],
            "end_reason": ["price", "death", ""],
        }
    )
    read = collect_lifetimes(lifetimes=table, as_of="2024-12-31", cause="price")
    n = read.ledger.set_index("step")["n"]

    assert describe_observation(read) == ""
    assert n["rows in"] == n["lifetimes"] == 3
    assert n["churned"] + n["censored: still there"] + n["censored: other reason"] == 3
    assert read.current["customer_id"].tolist() == ["c"]


def test_the_flow_chart_shows_what_went_on_and_what_was_taken_out(collected: Lifetimes) -> None:
    """Four boxes down, three beside them, with numbers that add up."""
    boxes = [text.get_text() for text in plot_steps(collected.ledger).texts if text.get_text()]

    assert boxes == [
        "rows delivered\n9,617 (6,098 customers)",
        "merged: change of plan: 2,830\nmerged: short lapse: 456",
        "stays\n6,331 (6,098 customers)",
        "left out: ended before ends were recorded: 3\nleft out: began after: 80",
        "lifetimes\n6,248 (6,022 customers)",
        "censored: still there: 4,447\ncensored: end not sure yet: 50",
        "churned\n1,751 (1,711 customers)",
    ]
