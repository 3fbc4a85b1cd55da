"""The benchmarks run and say what they measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
