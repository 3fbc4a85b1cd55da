"""Measure one piece of work in a process of its own, and print what it took as one JSON line."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any


def run_alone(module: str, task: str, *arguments: str) -> dict[str, Any]:
    """Run a task of a benchmark module in a fresh process.

    Parameters
    ----------
    module : str
        Module whose ``TASKS`` name the task.
    task : str
        The task.
    *arguments : str
        Its arguments.

    Returns
    -------
    dict
        Laps in seconds, and `peak_mb`, the largest memory the process held.
    """
    command = [sys.executable, "-m", module, "--task", task, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def report_task(work: Callable[..., dict[str, float]], *arguments: str) -> None:
    """Do the work of a child process and print its laps and peak memory.

    Parameters
    ----------
    work : callable
        Returns seconds by name of lap.
    *arguments : str
        Passed on.
    """
    laps = work(*arguments)
    print(json.dumps({"laps": laps, "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """Return the largest memory this process has held, in megabytes.

    Returns
    -------
    float
        Megabytes of 1,000,000 bytes.
    """
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


class Laps:
    """A stopwatch that names its laps."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def end(self, name: str) -> None:
        """End a lap.

        Parameters
        ----------
        name : str
            Name of the lap that ends now.
        """
        now = time.perf_counter()
        self.seconds[name] = now - self._last
        self._last = now


def print_measurement(
    name: str, size: int, seconds: float, yardstick: str, yardstick_seconds: float, peak: float
) -> None:
    """Print one measurement as a JSON line.

    Parameters
    ----------
    name : str
        What was measured.
    size : int
        Rows, or whatever the benchmark counts.
    seconds : float
        Time taken.
    yardstick : str
        What it is compared with, in the same run.
    yardstick_seconds : float
        Time the yardstick took.
    peak : float
        Peak memory in megabytes.
    """
    line = {
        "name": name,
        "size": size,
        "seconds": round(seconds, 6),
        "yardstick": yardstick,
        "yardstick_seconds": round(yardstick_seconds, 6),
        "ratio": round(yardstick_seconds / seconds, 6),
        "peak_mb": round(peak, 1),
    }
    print(json.dumps(line), flush=True)


def untracked_env() -> dict[str, str]:
    """Return the environment for a foreign program: no tracking of its users.

    Returns
    -------
    dict of str to str
        Environment variables.
    """
    return {**os.environ, "RETENTIONEERING_NO_TRACK": "1", "DO_NOT_TRACK": "1"}
