"""Control charts: published limits, signals by hand, and false alarms as often as announced."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cxlib.data
from cxlib.errors import InputError
from cxlib.gaps.consistency.units import score_respondents
from cxlib.gaps.levels import pair_ratings
from cxlib.gaps.ratings import select_answers
from cxlib.gaps.trends.chart import _find_signals, chart_trend, place_incidents, signal_starts
from cxlib.gaps.trends.plots import plot_trend
from cxlib.gaps.trends.wording import describe_incidents, describe_limits, describe_trend

# D. C. Montgomery (2009), tables 6.3 and 6.4: piston rings, 25 samples of five; in the second
# table some samples lost their last values.
RINGS = Path(__file__).resolve().parents[1] / "reference" / "piston_rings.csv"
LOST = {2: 3, 6: 4, 7: 4, 9: 4, 13: 3, 15: 3, 17: 4, 20: 3}


def read_rings(lost: dict[int, int]) -> tuple[pd.DataFrame, np.ndarray]:
    """Read the rings as respondents, one sample a wave."""
    table = pd.read_csv(RINGS, index_col="sample")
    rows = [(f"{i}", v) for i, row in table.iterrows() for v in row[: lost.get(i, 5)]]
    waves, values = zip(*rows, strict=True)
    return pd.DataFrame({"wave": waves, "weight": 1.0}), np.array(values)


def make_weeks(
    n: list[int], means: list[float], *, seed: int = 0, spread: float = 1.0
) -> tuple[pd.DataFrame, np.ndarray]:
    """Make respondents of successive weeks with these means."""
    rng = np.random.default_rng(seed)
    week = np.repeat(np.arange(len(n)), n)
    at = pd.Timestamp("2025-01-06") + pd.to_timedelta(7 * week + rng.integers(0, 7, len(week)), "D")
    values = np.repeat(means, n) + rng.normal(0, spread, len(week))
    return pd.DataFrame({"answered_at": at, "weight": 1.0}), values


def test_piston_rings_have_their_published_centre() -> None:
    """Centre 74.00118; limits 73.988 and 74.014 as printed, though those are made from ranges."""
    chart = chart_trend(*read_rings({}), period="wave", min_n=2)
    row = chart.table.iloc[0]
    assert row["centre"] == pytest.approx(74.001176, abs=5e-7)
    plain = 3 * row["std_error"]
    assert (row["centre"] - plain, row["centre"] + plain) == pytest.approx(
        (73.988, 74.014), abs=1e-3
    )
    assert not len(chart.signals)


def test_samples_of_different_size() -> None:
    """Example 6.4: centre 74.001 (8362.075 / 113), pooled spread 0.0103, limits by size."""
    respondents, values = read_rings(LOST)
    chart = chart_trend(respondents, values, period="wave", min_n=2)
    table = chart.table
    assert table["n"].sum() == 113
    # the book sums means rounded to 0.001
    assert table["centre"].iloc[0] == pytest.approx(8362.075 / 113, abs=2e-4)
    spread = table["std_error"] * np.sqrt(table["n"])
    assert spread.to_numpy() == pytest.approx(0.0103, abs=5e-5)
    half = (table["limit_high"] - table["limit_low"]) / 2
    assert half.iloc[1] / half.iloc[0] == pytest.approx(np.sqrt(5 / 3))


def test_widening_is_laneys_factor() -> None:
    """The mean moving range of the standardised means, over 1.128, when above 1."""
    means = [0.0, 1, -1, 1, 0, 1, -1, 0, 1, -1, 1, 0]
    chart = chart_trend(*make_weeks([50, 80] * 6, means, spread=0.5), min_n=5)
    table = chart.table
    score = (table["value"] - table["centre"]) / table["std_error"]
    factor = score.diff().abs().mean() / 1.128
    assert chart.widening == pytest.approx(factor)
    assert factor > 5
    half = 3 * factor * table["std_error"]
    assert (table["limit_high"] - table["centre"]).tolist() == pytest.approx(half.tolist())
    calm = chart_trend(*make_weeks([50] * 12, [0.0] * 12), min_n=5)
    assert calm.widening >= 1


def test_a_lasting_change_is_found() -> None:
    """Twelve weeks, then twelve lower: runs on both sides, and neighbours resemble each other."""
    weeks = make_weeks([60] * 24, [0.0] * 12 + [-0.6] * 12, seed=2)
    chart = chart_trend(*weeks)
    assert chart.period == "week"
    assert chart.table["is_run"].all()
    starts = chart.table["period"][signal_starts(chart.table) & chart.table["is_run"]]
    assert starts.tolist()[0] == "2025-01-06"
    assert "2025-03-31" in starts.tolist()
    told = describe_trend(chart)
    assert told.startswith("The gap moved by more than chance and the usual unrest allow (24 weeks")
    assert "a run alone does not date an event" in told


def test_one_bad_week_is_found() -> None:
    """A single week three points lower lies beyond the limits, alone."""
    chart = chart_trend(*make_weeks([40] * 20, [0.0] * 10 + [-1.5] + [0.0] * 9, seed=1))
    assert chart.table["period"][chart.table["is_beyond"]].tolist() == ["2025-03-17"]
    assert not chart.table["is_run"].any()
    assert chart.table.loc[10, "value"] < chart.table.loc[10, "limit_low"]


def test_runs_are_marked_whole() -> None:
    """Nine in a row on one side are all marked, seven are not."""
    side = np.array([[1, -1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, 1, -1, -1, -1, -1, -1, -1, -1, 1.0]])
    beyond, run = _find_signals(side, np.ones(21))
    assert np.flatnonzero(run[0]).tolist() == list(range(2, 11))
    assert not beyond.any()


def test_false_alarms_come_as_often_as_announced() -> None:
    """Charts of respondents among whom nothing changes signal at the share the chart states."""
    alarms, announced = [], []
    for seed in range(150):
        chart = chart_trend(*make_weeks([20, 40, 60] * 7, [0.0] * 21, seed=seed), min_n=10)
        alarms.append(len(chart.signals) > 0)
        announced.append(chart.false_alarm_share)
    share = float(np.mean(announced))
    assert 0.02 < share < 0.2
    assert np.mean(alarms) == pytest.approx(share, abs=3 * np.sqrt(share * (1 - share) / 150))


def test_average_run_length_is_the_published_one() -> None:
    """Champ and Woodall (1987): rules 1 and 4 give a false alarm in 152.7 periods."""
    values = np.random.default_rng(0).standard_normal((1500, 800))
    beyond, run = _find_signals(values, np.ones(800))
    never = 10_000
    first = np.where(beyond.any(axis=1), beyond.argmax(axis=1), never)
    # a run is known at its eighth point
    known = np.where(run.any(axis=1), run.argmax(axis=1) + 7, never)
    first = np.minimum(first, known)
    rate = (first < never).sum() / np.minimum(first + 1, 800).sum()
    assert 1 / rate == pytest.approx(152.7, rel=0.12)


def test_two_waves_are_no_chart() -> None:
    """The sample company asks twice: two means with intervals, and the reason."""
    tables = cxlib.data.open_workbook("samples")
    ratings = select_answers(tables.frame("answers"), tables.frame("items"), every_wave=True)
    pairs = pair_ratings(ratings)
    chart = chart_trend(pairs.respondents, score_respondents(pairs.gap))
    assert chart.period == "wave"
    assert chart.table["period"].tolist() == ["2025-05", "2025-11"]
    assert chart.reason == "2 waves with at least 30 respondents; a control chart takes 10"
    assert chart.table["limit_low"].isna().all()
    assert describe_trend(chart).startswith("No control chart can be drawn: 2 waves with at least ")
    assert len(plot_trend(chart).lines) == 1
    incidents = place_incidents(chart, tables.frame("incidents"))
    assert "fall" in describe_incidents(incidents, chart)


def test_equal_answers_are_no_chart() -> None:
    """Where all answer alike, chance has no size."""
    respondents, values = make_weeks([40] * 12, [1.0] * 12)
    chart = chart_trend(respondents, np.full(len(values), 2.0))
    assert chart.reason == "all respondents of a period answer alike, so chance has no size"
    assert describe_limits(chart) == ""


def test_incidents_are_placed_among_the_periods() -> None:
    """In the week they fell into, with the signal that begins next; others are left out."""
    chart = chart_trend(*make_weeks([40] * 20, [0.0] * 10 + [-1.5] + [0.0] * 9, seed=1))
    incidents = pd.DataFrame(
        {
            "at": ["2025-03-05", "2024-01-01", "2025-04-30"],
            "label": ["new bill", "old", "late"],
            "touchpoint": ["billing", "billing", "app"],
        }
    )
    placed = place_incidents(chart, incidents)
    assert placed["label"].tolist() == ["new bill", "late"]
    assert placed["position"].tolist() == [8, 16]
    assert placed["next_signal"].tolist() == ["2025-03-17", ""]
    assert place_incidents(chart, incidents, touchpoint="app")["label"].tolist() == ["late"]
    told = describe_incidents(placed, chart)
    assert "'new bill' (2025-03-05): next signal 2025-03-17; 'late' (2025-04-30): no " in told
    assert told.endswith("does not make it the reason.")
    axes = plot_trend(chart, placed)
    assert {text.get_text() for text in axes.texts} == {"new bill", "late"}
    assert describe_incidents(placed.head(0), chart).startswith("No marked change")


def test_calm_charts_say_so() -> None:
    """Nothing is claimed where nothing signals, and short charts are provisional."""
    chart = chart_trend(*make_weeks([40] * 12, [0.5] * 12, seed=4))
    assert describe_trend(chart).startswith(
        "Nothing shows that the gap changed: it moves around +0"
    )
    assert "Where nothing ever changes" in describe_trend(chart)
    assert "With fewer than 20 weeks they are provisional." in describe_limits(chart)


def test_bad_parameters_are_told() -> None:
    """An unknown period, a column that is not there, no time at all, too small a minimum."""
    respondents, values = make_weeks([40] * 12, [0.0] * 12)
    with pytest.raises(InputError, match="period = 'weeks' is unknown"):
        chart_trend(respondents, values, period="weeks")
    with pytest.raises(InputError, match="Answers have no 'wave'"):
        chart_trend(respondents, values, period="wave")
    with pytest.raises(InputError, match="There is no column 'region' to hold the mix of"):
        chart_trend(respondents, values, by="region")
    with pytest.raises(InputError, match="It is not known when anybody answered"):
        chart_trend(respondents[["weight"]], values)
    with pytest.raises(InputError, match="min_n = 1 is below 2"):
        chart_trend(respondents, values, min_n=1)


@settings(max_examples=15, deadline=None)
@given(shift=st.floats(-5, 5), scale=st.floats(0.1, 10))
def test_units_of_measurement_do_not_matter(shift: float, scale: float) -> None:
    """Another origin and scale move the line and its limits alike; signals stay."""
    respondents, values = make_weeks([30] * 15, [0.0] * 7 + [-1.0] * 8, seed=6)
    one = chart_trend(respondents, values)
    other = chart_trend(respondents, shift + scale * values)
    assert other.table["is_run"].tolist() == one.table["is_run"].tolist()
    moved = shift + scale * one.table["limit_low"]
    assert other.table["limit_low"].tolist() == pytest.approx(moved.tolist(), abs=1e-8)


def test_equal_answers_have_no_interval_and_one_change_falls() -> None:
    """A mean of equal answers is not certain; the sentence counts in the singular."""
    respondents, values = make_weeks([40] * 8, [1.0] * 8)
    chart = chart_trend(respondents, np.full(len(values), 2.0), period="week")
    assert chart.table["conf_low"].isna().all()
    told = describe_trend(chart)
    assert "+2.00 (no interval, n = 40)" in told
    assert told.endswith("; and 2 more.")
    first = chart.table["starts_at"].iloc[0]
    placed = place_incidents(chart, pd.DataFrame({"at": [first], "label": ["x"]}))
    assert describe_incidents(placed, chart) == "1 marked change falls into that time."
