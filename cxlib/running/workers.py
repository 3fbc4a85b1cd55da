"""Runs side by side on this machine, as many as fit into its memory."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from cxlib.planning.plans import Plan

# peak of a kernel on the samples with all that is imported, and the page made from it
KERNEL_MEGABYTES = 600
STOP_SECONDS = 40.0
Execute = Callable[[Plan], dict[str, Any]]


def run_side_by_side(
    plans: Sequence[Plan], execute: Execute, stop: Callable[[], None], *, workers: int
) -> Iterator[tuple[Plan, dict[str, Any]]]:
    """Execute plans, each in a thread that waits for its kernel.

    Parameters
    ----------
    plans : sequence of Plan
        What to run, in this order.
    execute : callable
        Makes a plan's record; what it raises is raised here, and ends the others.
    stop : callable
        Ends all that run; used when the caller goes away.
    workers : int
        Kernels at a time. Where memory has become short, the next one waits until another ends.

    Yields
    ------
    tuple of Plan and dict
        Each as it ends.

    Notes
    -----
    Threads, because kernels are processes of their own and the runner mostly waits: two worker
    processes made no more pages a minute than two threads.
    """
    waiting = deque(plans)
    ended: SimpleQueue[tuple[Plan, dict[str, Any] | BaseException]] = SimpleQueue()
    running: list[Plan] = []
    gone = threading.Event()

    def work() -> None:
        """Take plans until there are none, or nobody is left to hear of them."""
        while waiting and not gone.is_set():
            if running and free_megabytes() < KERNEL_MEGABYTES:
                gone.wait(0.5)
                continue
            with suppress(IndexError):  # another thread took the last one
                plan = waiting.popleft()
                running.append(plan)
                ended.put((plan, attempt(plan)))
                running.remove(plan)

    def attempt(plan: Plan) -> dict[str, Any] | BaseException:
        """Execute a plan; an error is for the caller, not for the thread."""
        try:
            return execute(plan)
        except BaseException as error:
            return error

    # daemons: a thread that hangs must not keep the process
    threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
    try:
        for thread in threads:
            thread.start()
        for _ in plans:
            plan, run = ended.get()
            if isinstance(run, BaseException):
                raise run
            yield plan, run
    finally:
        gone.set()
        limit = time.monotonic() + STOP_SECONDS
        while any(thread.is_alive() for thread in threads) and time.monotonic() < limit:
            stop()
            time.sleep(0.05)


def count_cores() -> int:
    """Count the cores this process may use.

    Returns
    -------
    int
        At least 1.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def fit_workers(wanted: int) -> tuple[int, str]:
    """Cut the number of kernels to what fits into the free memory.

    Parameters
    ----------
    wanted : int
        Kernels at a time.

    Returns
    -------
    int
        At least 1, at most as many as wanted.
    str
        What is to be told; empty when all fit.
    """
    free = free_megabytes()
    fitting = min(wanted, max(1, math.floor(min(free / KERNEL_MEGABYTES, wanted))))
    if fitting == wanted:
        return wanted, ""
    return fitting, (
        f"{fitting} of {wanted} workers: {free:,.0f} MB are free, and a kernel is reckoned with "
        f"{KERNEL_MEGABYTES} MB"
    )


def free_megabytes(root: Path = Path("/")) -> float:
    """Tell how much memory is left to this process.

    Parameters
    ----------
    root : pathlib.Path, default ``Path("/")``
        Where ``proc`` and ``sys`` are.

    Returns
    -------
    float
        The least of what the system has and what each control group leaves, without caches that
        can be given up; infinite where nobody tells.
    """
    free = [math.inf]
    for line in _read(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            free.append(int(line.split()[1]) / 1024)
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, place = line.split(":", 2)
        version_1 = "memory" in controllers.split(",")
        if not version_1 and controllers:
            continue
        top = root / ("sys/fs/cgroup/memory" if version_1 else "sys/fs/cgroup")
        group = top / place.strip("/")
        for folder in (group, *group.parents):
            free.append(_left_in(folder, version_1))
            if folder == top:
                break
    return min(free)


def _left_in(group: Path, version_1: bool) -> float:
    """Read what a control group leaves; those of containers are not all to be seen."""
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes") if version_1 else ("max", "current")
    limit, used = (_read(group / (n if version_1 else f"memory.{n}")).strip() for n in names)
    if not limit.isdigit() or not used.isdigit():  # "max", or not there
        return math.inf
    name = "total_inactive_file" if version_1 else "inactive_file"
    stat = dict(line.split(" ", 1) for line in _read(group / "memory.stat").splitlines())
    return (int(limit) - int(used) + int(stat.get(name, 0))) / 2**20


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""
