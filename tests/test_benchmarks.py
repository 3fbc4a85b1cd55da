"""The benchmarks run and say what they measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import churn

ROOT = Path(__file__).resolve().parent.parent
KEYS = {"name", "size", "seconds", "yardstick", "yardstick_seconds", "ratio", "peak_mb"}


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (
            ["--events", "20000"],
            ["steps", "transitions", "step matrix", "funnel", "paths", "features", "tables"],
        ),
        (["--journeys", "2000", "--paths", "100"], ["segments", "distances"]),
    ],
)
def test_journey_benchmark_prints_a_line_a_measurement(arguments, names):
    """Each line holds plain numbers and the ratio to a yardstick of the same run."""
    command = [sys.executable, "-m", "benchmarks.journeys", *arguments]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in told.splitlines()]

    assert [line["name"] for line in lines] == names
    for line in lines:
        assert set(line) == KEYS
        assert line["seconds"] > 0
        assert line["ratio"] == pytest.approx(line["yardstick_seconds"] / line["seconds"], rel=0.01)
        assert line["peak_mb"] > 50


def test_batch_benchmark_prints_a_line_a_measurement():
    """Reports, the same again and the fixed cost, after the tables were compared."""
    command = [sys.executable, "-m", "benchmarks.batch", "--sets", "2", "--empty", "1"]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]

    assert [line["name"] for line in lines] == ["reports", "unchanged", "fixed cost"]
    assert [line["size"] for line in lines] == [2, 2, 1]
    assert all(set(line) == KEYS for line in lines)
    assert lines[1]["ratio"] > 1
    assert lines[2]["ratio"] > 2
    assert "idle server" in told
    assert "2 of 2 left alone" in told


def test_cox_benchmark_prints_a_line_a_yardstick():
    """Ours and lifelines' fit of the same rows, after their numbers were compared."""
    command = [sys.executable, "-m", "benchmarks.churn", "--rows", "3000", "--covariates", "3"]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in told.splitlines()]

    assert [(line["name"], line["yardstick"]) for line in lines] == [("cox", "lifelines")]
    assert set(lines[0]) == KEYS
    assert lines[0]["size"] == 3000
    assert lines[0]["ratio"] > 1


def test_cox_benchmark_writes_start_stop_rows_that_repeat(tmp_path):
    """Customers have up to three stretches that follow each other; only the last may end."""
    n_ends = churn.write_rows(tmp_path / "rows.bin", 3_000, 4)
    columns = churn.read_rows(str(tmp_path / "rows.bin"), "3000")

    assert (columns["start"] < columns["stop"]).all()
    assert n_ends == columns["churned"].sum() > 100
    assert list(columns)[4:] == ["x1", "x2", "x3", "x4"]
    same = columns["customer"][1:] == columns["customer"][:-1]
    assert (columns["start"][1:] == columns["stop"][:-1])[same].all()
    assert (columns["churned"][:-1][same] == 0).all()
    churn.write_rows(tmp_path / "again.bin", 3_000, 4)
    assert (tmp_path / "rows.bin").read_bytes() == (tmp_path / "again.bin").read_bytes()


def test_cox_benchmark_prints_no_ratio_when_the_numbers_differ(tmp_path):
    """A fast wrong answer is no answer."""
    np.savetxt(tmp_path / "rows.ours.csv", [[0.5, 0.1, 0.1]], delimiter=",")
    np.savetxt(tmp_path / "rows.r.csv", [[0.500002, 0.1]], delimiter=",")
    with pytest.raises(SystemExit, match="differ by 2e-06, no ratio"):
        churn.check_equal(tmp_path / "rows", "r", churn.R_DIGITS)
