"""How the headline moves with the threshold."""

from __future__ import annotations

import time
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest

from cxlib.churn.curves.curves import fit_survival, read_survival, summarise_medians
from cxlib.churn.curves.rmst import fit_rmst
from cxlib.churn.records.collect import collect_lifetimes
from cxlib.churn.records.plots import plot_sensitivity
from cxlib.churn.records.sensitivity import measure_sensitivity
from cxlib.churn.records.wording import describe_sensitivity
from cxlib.data import open_workbook
from cxlib.errors import InputError, TooLittleData
from cxlib.style import figure_svg
from tests.churn.records.test_silences import visits
from tests.engines import load_frame


@pytest.fixture(scope="module")
def samples() -> tuple[pd.DataFrame, str]:
    """Return the paid periods of the sample company and its last day."""
    tables = open_workbook("samples")
    return tables.frame("subscriptions"), str(tables.as_of)


@pytest.fixture(scope="module")
def measured(samples: tuple[pd.DataFrame, str]) -> pd.DataFrame:
    """Return the sensitivity of the sample company."""
    thresholds = [f"{day}d" for day in (7, 14, 45, 60, 90, 120, 180)]
    return measure_sensitivity(subscriptions=samples[0], as_of=samples[1], thresholds=thresholds)


def same_numbers(row: pd.Series, table: pd.DataFrame) -> None:
    """Compare a row with the study run on its own."""
    first = table[table["spell"] == 1]
    curve = fit_survival(first)
    at = read_survival(curve, times=[row["time_days"]]).iloc[0]
    mean = fit_rmst(first, horizon_days=row["horizon_days"]).iloc[0]

    assert row[["n_lifetimes", "n_churned"]].tolist() == [len(table), first["churned"].sum()]
    for name, estimate, of in (("survival", "survival", at), ("rmst_days", "rmst_days", mean)):
        found = row[[name, f"{name}_low", f"{name}_high"]].tolist()
        assert found == pytest.approx([of[estimate], of["conf_low"], of["conf_high"]])
    median = summarise_medians(curve)["median_days"].iloc[0]
    assert row["median_days"] == pytest.approx(median, nan_ok=True)


@pytest.mark.parametrize("days", [7, 30, 90])
def test_every_row_is_the_study_under_its_grace(
    samples: tuple[pd.DataFrame, str], measured: pd.DataFrame, days: int
) -> None:
    """Nothing is approximated for speed."""
    collected = collect_lifetimes(
        subscriptions=samples[0], as_of=samples[1], grace=f"{days}d", observed_from="2023-07-04"
    )
    same_numbers(measured.set_index("threshold_days").loc[days], collected.table)


def test_the_planted_curve_is_found_between_the_pauses_and_the_returns(
    measured: pd.DataFrame,
) -> None:
    """Pauses last 20 days at most, returns come after 60: in between the grace does not matter."""
    table = measured.set_index("threshold_days")

    assert table.index.tolist() == [7, 14, 30, 45, 60, 90, 120, 180]
    assert table.index[table["is_chosen"]].tolist() == [30]
    assert table.loc[[30, 45], "survival"].nunique() == 1
    assert (table.loc[[30, 45, 60], "survival"] - 0.794023).abs().max() < 0.01
    assert table.loc[7, "survival"] < 0.775  # pauses taken for leaving
    assert table.loc[180, "survival"] > 0.81  # returns taken for staying
    assert table.loc[30, "came_back_share"] == pytest.approx(0.15, abs=0.02)
    assert table["n_lifetimes"].is_monotonic_decreasing


@pytest.mark.engines
def test_silences_are_read_once_and_right_on_every_engine(con: Any) -> None:
    """A row equals the study under its threshold; the engine sessionises for the shortest."""
    events = load_frame(con, visits(5, n=150))
    measured = measure_sensitivity(
        events=events, as_of="2024-12-31", inactivity="40d", thresholds=["20d", "60d"]
    )
    collected = collect_lifetimes(events=events, as_of="2024-12-31", inactivity="60d")

    assert measured["threshold_days"].tolist() == [20, 40, 60]
    assert measured["rule"].unique().tolist() == ["inactivity"]
    same_numbers(measured.iloc[2], collected.table)


def test_too_long_a_threshold_is_an_empty_row() -> None:
    """Nobody can have been silent for longer than the records; the others are told."""
    events = ibis.memtable(visits(5, n=150))
    arguments = {"events": events, "as_of": "2024-12-31"}
    measured = measure_sensitivity(**arguments, inactivity="40d", thresholds=["400d"])

    assert measured["survival"].isna().tolist() == [False, True]
    with pytest.raises(TooLittleData, match="ended"):
        measure_sensitivity(**arguments, inactivity="365d", thresholds=["40d"])
    with pytest.raises(InputError, match="longer than the records"):
        measure_sensitivity(**arguments, inactivity="900d", thresholds=["800d"])


def test_who_came_back_is_counted_as_long_as_they_could_be_seen() -> None:
    """By hand: of four who left, one is back after 100 days, one was seen for 50 days only."""
    day = pd.Timestamp("2022-01-01")
    rows = [("a", 0, 100), ("a", 200, 900), ("b", 0, 200), ("c", 0, 300), ("d", 0, 950)]
    table = pd.DataFrame(rows, columns=["customer_id", "first", "last"])
    periods = pd.DataFrame(
        {
            "customer_id": table["customer_id"],
            "started_at": day + pd.to_timedelta(table["first"], unit="D"),
            "ended_at": day + pd.to_timedelta(table["last"], unit="D"),
        }
    )
    as_of = (day + pd.Timedelta(days=1_000)).date()
    measured = measure_sensitivity(subscriptions=periods, as_of=as_of, thresholds=["120d"])

    # of the three seen for 100 days one came back; under a grace of 120 days nobody did
    assert measured["came_back_share"].tolist() == pytest.approx([1 / 3, 0])
    assert measured["came_back_share_high"].iloc[1] == pytest.approx(1 - 0.025 ** (1 / 2))


def test_eight_thresholds_are_quick(samples: tuple[pd.DataFrame, str]) -> None:
    """Ten thousand periods take well under a second of computing."""
    before = time.process_time()
    measure_sensitivity(
        subscriptions=samples[0],
        as_of=samples[1],
        thresholds=[f"{day}d" for day in (7, 14, 45, 60, 90, 120, 180)],
    )
    assert time.process_time() - before < 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "A range of graces needs paid periods"),
        ({"inactivity": "30d"}, "A range of silences needs events"),
        ({"inactivity": "1d", "thresholds": ["0d"]}, "An inactivity of 0 days ends every stay"),
        ({"grace": "30d", "thresholds": ["36h"]}, "thresholds = '36h' is no whole number of days"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments: dict, message: str) -> None:
    """Each message says what is missing."""
    with pytest.raises(InputError, match=message):
        measure_sensitivity(as_of="2024-12-31", **arguments)


def test_the_sentence_says_where_the_choice_matters(measured: pd.DataFrame) -> None:
    """Within a point of the share at the value chosen it does not."""
    told = describe_sensitivity(measured)
    assert "At the 30 days of grace chosen, 79% (78%–81%) are still here after 12 months." in told
    assert "Between 30 and 90 days the share moves by 0.9 points: the choice does not" in told
    assert "beyond it does (78% at 14 days and 81% at 120 days)" in told

    inner = measured[measured["threshold_days"].between(30, 60)]
    assert describe_sensitivity(inner).endswith("points: the choice does not matter.")
    outer = measured[measured["threshold_days"].isin([7, 30, 180])]
    assert "The choice matters (76% at 7 days and 82% at 180 days)" in describe_sensitivity(outer)
    assert describe_sensitivity(measured[measured["is_chosen"]]) == ""


def test_the_chart_shows_the_band_and_the_choice(measured: pd.DataFrame) -> None:
    """One point a threshold, an axis in days, the one chosen named."""
    axes = plot_sensitivity(measured)

    assert axes.get_xlabel() == "longest break that is no leaving (days)"
    assert axes.get_ylabel() == "still here after 12 months (%)"
    assert axes.get_lines()[0].get_ydata() == pytest.approx(100 * measured["survival"])
    assert [text.get_text() for text in axes.texts] == ["chosen"]
    assert len(axes.collections) == 2
    assert figure_svg(axes) == figure_svg(plot_sensitivity(measured))
    assert np.diff(axes.get_ylim())[0] < 20
