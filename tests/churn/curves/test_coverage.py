"""Intervals hold a known truth; the long run is ``python -m benchmarks.coverage``."""

from __future__ import annotations

import numpy as np
from scipy import stats

from benchmarks.coverage import READ_ON, draw_company, find_truth, measure_coverage
from benchmarks.curves import fit_lifelines, group_plainly, make_curves, write_lifetimes
from cxlib.churn.curves.curves import fit_survival, read_survival

RUNS = 100


def test_intervals_hold_the_truth_with_late_entry_ties_and_censoring() -> None:
    """Of 100 intervals 95 in 100 do, give or take what chance does in 1 of 1,000 tests."""
    table = measure_coverage(RUNS, 250, is_adjusted=False).set_index("name")
    low, high = stats.binom.ppf([0.0005, 0.9995], RUNS, 0.95)

    assert len(table) == 13
    outside = table[(table["n_held"] < low) | (table["n_held"] > high)]
    assert outside.empty, outside["n_held"].to_dict()
    # estimates lie about the truth, not to one side of it
    assert (table[["too_low", "too_high"]] < 0.1).all(axis=None)


def test_late_entry_passed_over_would_be_seen() -> None:
    """Who is counted from the first day without having been there lifts the curve off the truth."""
    truth, held = find_truth(), 0
    for seed in range(10):
        company = draw_company(np.random.default_rng(seed), 1_500).assign(entry_days=0)
        row = read_survival(fit_survival(company), times=READ_ON).iloc[1]
        held += row["conf_low"] <= truth["survival day 120"] <= row["conf_high"]

    assert held < 4


def test_the_benchmark_counts_every_customer(tmp_path) -> None:
    """Its tasks run on a small file and time every lap."""
    path = tmp_path / "lifetimes.parquet"
    write_lifetimes(path, 5_000)

    laps = make_curves(str(path))
    assert list(laps) == ["counts", "survival", "rmst", "log-rank"]
    assert group_plainly(str(path))["plain group-by"] > 0
    assert fit_lifelines(str(path), "5000")["lifelines"] > 0
