"""Periods are cut by the calendar and averaged at one mix of segments."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.gaps.trends.chart import chart_trend
from cxlib.gaps.trends.periods import choose_period, label_periods, summarise_periods
from cxlib.gaps.trends.wording import describe_limits


def make_days(start: str, days: int, per_day: int, **columns: object) -> pd.DataFrame:
    """Make respondents, some on each day."""
    at = pd.date_range(start, periods=days, tz="UTC").repeat(per_day)
    return pd.DataFrame({"answered_at": at, "weight": 1.0}).assign(**columns)


def test_weeks_begin_on_monday() -> None:
    """Sunday belongs to the week before, whatever the zone is called."""
    respondents = make_days("2025-03-02", 2, 1)
    assert label_periods(respondents, "week").tolist() == ["2025-02-24", "2025-03-03"]
    assert label_periods(respondents, "month").tolist() == ["2025-03", "2025-03"]
    empty = respondents.assign(answered_at=respondents["answered_at"].mask([True, False]))
    assert label_periods(empty, "week").tolist() == [None, "2025-03-03"]


@pytest.mark.parametrize(
    ("days", "per_day", "expected"),
    [(100, 5, "week"), (400, 2, "month"), (100, 1, "month"), (60, 10, "month")],
)
def test_period_is_the_shortest_that_is_full(days: int, per_day: int, expected: str) -> None:
    """Weeks of 35; weeks of 14 but months of 60; too few of either."""
    respondents = make_days("2025-01-06", days, per_day)
    assert choose_period(respondents, np.zeros(len(respondents))) == expected


def test_waves_are_the_last_resort() -> None:
    """Two bursts of answers are two waves, and waves without times are in natural order."""
    parts = [make_days(start, 14, 30) for start in ("2025-05-05", "2025-11-05")]
    respondents = pd.concat([parts[0].assign(wave="b"), parts[1].assign(wave="a")])
    respondents = respondents.reset_index(drop=True)
    assert choose_period(respondents, np.zeros(len(respondents))) == "wave"
    table = summarise_periods(respondents, np.zeros(len(respondents)), period="wave")
    assert table["period"].tolist() == ["b", "a"]
    plain = pd.DataFrame({"wave": np.repeat(["w10", "w9"], 40), "weight": 1.0})
    table = summarise_periods(plain, np.zeros(80), period="wave")
    assert table["period"].tolist() == ["w9", "w10"]


def test_mix_is_held() -> None:
    """By hand: segments at 0 and 2, of which the first thins out; the mean moves, the value not."""
    wave = np.repeat(["1", "2"], 40)
    segment = np.array(["a"] * 30 + ["b"] * 10 + ["a"] * 10 + ["b"] * 30)
    noise = np.tile([-1.0, 1.0], 40)
    values = np.where(segment == "a", 0.0, 2.0) + noise
    respondents = pd.DataFrame({"wave": wave, "weight": 1.0, "segment": segment})
    table = summarise_periods(respondents, values, period="wave", by="segment")
    assert table["mean"].tolist() == pytest.approx([0.5, 1.5])
    assert table["value"].tolist() == pytest.approx([1.0, 1.0])
    pooled = 80 / (80 - 4)  # squares of the noise over observations less cells
    error = np.sqrt(pooled * 0.25 * (1 / 30 + 1 / 10))
    assert table["std_error"].tolist() == pytest.approx([error, error])
    assert table["n_segments"].tolist() == [2, 2]


def test_segments_missing_from_a_period_are_put_together() -> None:
    """A segment without answers in one period is joined by the smallest of the others."""
    segment = np.array(["a"] * 30 + ["b"] * 5 + ["c"] * 5 + ["a"] * 30 + ["b"] * 10)
    respondents = pd.DataFrame(
        {"wave": np.repeat(["1", "2"], 40), "weight": 1.0, "segment": segment}
    )
    values = np.where(segment == "a", 0.0, 1.0) + np.tile([-1.0, 1.0], 40)
    table = summarise_periods(respondents, values, period="wave", by="segment")
    assert table["n_segments"].tolist() == [2, 2]
    assert len(table) == 2


def test_weights_count_as_repetition() -> None:
    """A respondent of weight 2 moves the mean as two would."""
    respondents = pd.DataFrame({"wave": "1", "weight": [2.0] + [1.0] * 39})
    values = np.arange(40.0)
    table = summarise_periods(respondents, values, period="wave")
    assert table["mean"].iloc[0] == pytest.approx(values.sum() / 41)
    assert table["n"].iloc[0] == 40


def test_thin_periods_are_left_out_and_told() -> None:
    """A week of too few respondents is counted, not charted."""
    respondents = pd.concat([make_days("2025-01-06", 98, 6), make_days("2025-04-14", 1, 3)])
    respondents = respondents.reset_index(drop=True)
    values = np.random.default_rng(0).normal(size=len(respondents))
    chart = chart_trend(respondents, values)
    assert len(chart.table) == 14
    assert chart.table["n_left_out"].eq(3).all()
    assert "3 respondents of weeks with too few answers are left out" in describe_limits(chart)
    none = chart_trend(respondents, values, min_n=500, period="week")
    assert none.reason.startswith("0 weeks with at least 500 respondents")
