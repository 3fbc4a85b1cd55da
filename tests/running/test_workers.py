"""Tests of runs side by side: as many as fit, and an end when the caller goes."""

from __future__ import annotations

import math
import threading
import time

import pytest

from cxlib.running import workers
from cxlib.running.workers import fit_workers, free_megabytes, run_side_by_side


def write_system(root, *, available, group="", **files):
    """Write what a system says of its memory, in MB."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text(
        f"MemTotal: 9999999 kB\nMemAvailable:   {available * 1024} kB\n"
    )
    (root / "proc/self/cgroup").write_text(group)
    for place, text in files.items():
        path = root / "sys/fs/cgroup" / place.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_free_memory_is_the_least_that_is_left(tmp_path):
    """System, control group and the groups above it each have a say; caches can be given up."""
    mega = 2**20
    plain = write_system(tmp_path / "a", available=800)
    version_2 = write_system(
        tmp_path / "b",
        available=8000,
        group="0::/outer/inner\n",
        **{
            "outer__memory.max": f"{1000 * mega}\n",
            "outer__memory.current": f"{700 * mega}\n",
            "outer__memory.stat": f"anon 5\ninactive_file {100 * mega}\n",
            "outer__inner__memory.max": "max\n",
            "outer__inner__memory.current": f"{10 * mega}\n",
        },
    )
    version_1 = write_system(
        tmp_path / "c",
        available=8000,
        group="5:cpu:/x\n3:memory:/job\n",
        **{
            "memory__job__memory.limit_in_bytes": f"{500 * mega}",
            "memory__job__memory.usage_in_bytes": f"{450 * mega}",
        },
    )

    assert free_megabytes(plain) == 800
    assert free_megabytes(version_2) == 400
    assert free_megabytes(version_1) == 50
    assert free_megabytes(tmp_path / "none") == math.inf


@pytest.mark.parametrize(("free", "fitting"), [(10_000, 4), (1_300, 2), (100, 1), (math.inf, 4)])
def test_workers_are_cut_to_what_fits(monkeypatch, free, fitting):
    """One run is always made; a cut is told with the numbers it rests on."""
    monkeypatch.setattr(workers, "free_megabytes", lambda: free)
    n, note = fit_workers(4)

    assert n == fitting
    assert bool(note) == (n < 4)
    if note:
        assert f"{fitting} of 4 workers: {free:,.0f} MB are free" in note


def test_the_next_run_waits_while_memory_is_short(monkeypatch):
    """With little left, runs go one after the other, whatever the number of workers."""
    monkeypatch.setattr(workers, "free_megabytes", lambda: 10)
    at_once, most = [], []

    def execute(plan):
        """Count who runs."""
        at_once.append(plan)
        most.append(len(at_once))
        time.sleep(0.02)
        at_once.remove(plan)
        return {}

    done = list(run_side_by_side([1, 2, 3], execute, lambda: None, workers=3))

    assert sorted(plan for plan, _ in done) == [1, 2, 3]
    assert max(most) == 1


def test_when_the_caller_goes_all_is_stopped():
    """What runs is ended, what waits is not begun."""
    begun, stopped = [], threading.Event()

    def execute(plan):
        """Run until stopped."""
        begun.append(plan)
        if plan:
            stopped.wait(30)
        return {}

    ended = run_side_by_side([0, 1, 2, 3, 4], execute, stopped.set, workers=2)
    assert next(ended)[0] == 0
    ended.close()

    assert stopped.is_set()
    assert len(begun) < 5


def test_an_error_of_the_executor_is_raised_not_awaited():
    """No hang when a thread breaks."""

    def execute(plan):
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        list(run_side_by_side([1, 2], execute, lambda: None, workers=1))
