"""Ends recorded late: found, measured, cut; and not seen where there are none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.churn.curves.curves import fit_survival, read_survival
from cxlib.churn.records.delay import _expect_by_day, detect_reporting_lag
from cxlib.churn.records.spells import build_lifetimes, find_observed
from cxlib.churn.records.wording import describe_observation

DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2023-01-01")


def company(
    seed: int,
    *,
    n: int = 6_000,
    days: int = 600,
    delay: float = 0,
    is_batch: bool = False,
    cycle: int = 1,
) -> tuple[pd.DataFrame, pd.Timestamp]:
    """Draw customers who leave at 1 / 400 a day and whose ends are recorded late."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, days, n)
    end = first + np.ceil(rng.exponential(400, n)).astype(int)
    end = -(-end // cycle) * cycle
    late = np.full(n, delay) if is_batch else rng.geometric(1 / (delay + 1), n) - 1
    is_known = end + late < days
    table = pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(n)],
            "started_at": START + first * DAY,
            "ended_at": np.where(is_known, START + end * DAY, np.datetime64("NaT")),
        }
    )
    table["ended_at"] = pd.to_datetime(table["ended_at"])
    return table, START + (days - 1) * DAY


def test_a_delay_is_measured_and_the_last_days_are_cut() -> None:
    """With the cut the curve is right; without it customers look loyal."""
    gaps = []
    for seed in (1, 2, 3):
        rows, as_of = company(seed, days=300, delay=20)
        built = build_lifetimes(rows, as_of=str(as_of.date()))
        hasty = build_lifetimes(
            rows, as_of=str(as_of.date()), observed_until=str(as_of.date())
        ).table
        lag = built.lag

        assert lag is not None
        assert lag.conf_low < 20 < lag.conf_high + 3
        assert lag.n_ended < 0.8 * lag.n_expected
        assert (as_of.date() - built.observed_until).days == lag.days
        at = [
            read_survival(fit_survival(table), times=[150.0])["survival"].iloc[0]
            for table in (built.table, hasty)
        ]
        gaps.append(np.array(at) - np.exp(-150 / 400))
    right, high = np.mean(gaps, axis=0)

    assert abs(right) < 0.012
    assert high > 0.02
    assert "Ends are recorded" in describe_observation(built)
    assert "recorded" in built.ledger["why"].str.cat(sep=" ")


def test_a_batch_that_comes_every_fortnight_is_seen() -> None:
    """Delays that are all alike cost little more than the days they last."""
    rows, as_of = company(4, delay=14, is_batch=True)
    first, until = find_observed(rows, as_of=str(as_of.date()))

    assert pd.Timestamp(first) == rows["started_at"].min()
    assert 13 <= (as_of.date() - until).days <= 25


@pytest.mark.parametrize("seed", range(5))
def test_no_delay_is_made_up(seed: int) -> None:
    """Not in complete data, and not where all leave at the end of a month."""
    rows, as_of = company(10 + seed, n=3_000, days=500)
    assert build_lifetimes(rows, as_of=str(as_of.date())).lag is None

    rows, as_of = company(20 + seed, n=3_000, days=500 + 5 * seed, cycle=30)
    assert build_lifetimes(rows, as_of=str(as_of.date())).lag is None


def test_few_ends_or_days_tell_nothing() -> None:
    """Half a year of ends is needed."""
    rows, as_of = company(5, days=170, delay=20)
    assert build_lifetimes(rows, as_of=str(as_of.date())).lag is None
    rows, as_of = company(5, n=60, delay=20)
    assert build_lifetimes(rows, as_of=str(as_of.date())).lag is None


def test_a_late_start_of_the_records_does_not_matter() -> None:
    """The hazard is taken from those who were there, the delay is found all the same."""
    rows, as_of = company(6, n=12_000, days=700, delay=15)
    rows = rows[~(rows["ended_at"] < START + 300 * DAY)]
    built = build_lifetimes(rows, as_of=str(as_of.date()))

    assert built.late_entry is not None
    assert built.lag is not None
    assert built.lag.conf_low < 15 < built.lag.conf_high


def test_the_ends_expected_are_the_hazards_of_those_at_risk() -> None:
    """By hand: of two at risk at age 2 one left, so each later one of that age counts a half."""
    table = pd.DataFrame(
        {"duration_days": [2.0, 2.0, 5.0], "churned": [True, False, False], "entry_days": 0.0}
    )
    first = np.array([0, 1, 3])
    end = first + table["duration_days"].to_numpy(int)
    found = _expect_by_day(table, first, end, 0, 8)

    # at age 2 three were at risk and one left: a third on the days 2, 3 and 5
    assert found == pytest.approx([0, 0, 1 / 3, 1 / 3, 0, 1 / 3, 0, 0, 0])


def test_too_few_lifetimes_give_no_answer() -> None:
    """A table with no ends is no error here."""
    table = pd.DataFrame(
        {
            "customer_id": ["a"],
            "started_at": [START],
            "duration_days": [400.0],
            "churned": [False],
        }
    )
    assert detect_reporting_lag(table, as_of=20_000) is None
