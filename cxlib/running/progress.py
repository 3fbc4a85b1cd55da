"""How a command tells of its runs: one live table in a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from cxlib.running.keys import ANSWERED

if TYPE_CHECKING:
    from rich.table import Table

    from cxlib.planning.plans import Wanted


class Telling:
    """Tell of runs as they end; in a terminal, also of those under way.

    Parameters
    ----------
    n : int
        Number of runs.
    place : str, default ""
        Where they are for the reader; by default where the plans say.
    """

    def __init__(self, n: int, place: str = "") -> None:
        self.n, self.place = n, place
        self.ended: Counter[str] = Counter()
        self._running: dict[str, tuple[float, int, int]] = {}
        self._lock = threading.Lock()
        self._live: Any = None

    def __enter__(self) -> Telling:
        if sys.stdout.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(highlight=False, soft_wrap=True)
            self._live = Live(
                get_renderable=self._draw, console=console, transient=True, refresh_per_second=4
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def advance(self, plan: Wanted, done: int, total: int) -> None:
        """Note how far a run is.

        Parameters
        ----------
        plan : Wanted
            The run.
        done, total : int
            Cells done, and cells in all.
        """
        with self._lock:
            started, *_ = self._running.get(plan.folder.name, (time.monotonic(),))
            self._running[plan.folder.name] = (started, done, total)

    def tell(self, plan: Wanted, run: dict[str, Any]) -> None:
        """Tell how a run ended.

        Parameters
        ----------
        plan : Wanted
            The run.
        run : dict
            Its record.
        """
        with self._lock:
            self._running.pop(plan.folder.name, None)
            self.ended[run["status"]] += 1
        for line in describe_run(plan, run, self.place):
            self._print(line)
        if run["error"] is not None and run["status"] not in ANSWERED:
            error = run["error"]
            cell = "" if error["cell"] is None else f" in cell {error['cell']}"
            self._print(f"    {error['class']}{cell}: {error['message']}", file=sys.stderr)

    def _print(self, line: str, file: Any = None) -> None:
        if self._live is not None:
            self._live.console.print(line, markup=False)
            return
        stream = file or sys.stdout
        try:
            print(line, file=stream, flush=True)
        except OSError:  # nobody reads on, or the log's disk is full; the runs go on
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

    def _draw(self) -> Table:
        from rich.table import Table

        with self._lock:
            running, ended = dict(self._running), dict(self.ended)
        counts = ", ".join(f"{n} {status}" for status, n in ended.items())
        n_ended = sum(ended.values())
        table = Table(title=f"{n_ended} of {self.n} runs" + (f": {counts}" if counts else ""))
        table.title_justify = "left"
        table.add_column("running", overflow="ellipsis", no_wrap=True)
        table.add_column("cells", justify="right")
        table.add_column("seconds", justify="right")
        for name, (started, done, total) in running.items():
            cells = f"{done} of {total}" if total else "starting"
            table.add_row(name, cells, f"{time.monotonic() - started:.0f}")
        return table


def describe_run(plan: Wanted, run: dict[str, Any], place: str = "") -> list[str]:
    """Say in plain lines how a run ended.

    Parameters
    ----------
    plan : Wanted
        The run.
    run : dict
        Its record.
    place : str, default ""
        Where its folder is for the reader; by default where the plan says.

    Returns
    -------
    list of str
        Status, seconds and page; why it was made again; its headline; its warnings.
    """
    folder = f"{place}/{plan.folder.name}" if place else shorten(plan.folder)
    page = f"{folder}/report.html" if run.get("folder", True) else plan.folder.name
    if run["status"] == "skipped-unchanged":
        return [f"{run['status']:<17} {'':>8}  {page}"]
    lines = [f"{run['status']:<17} {run['seconds']:>6.1f} s  {page}"]
    if run["reason"] not in {"", "new"}:
        lines.append(f"    made again: {run['reason']}")
    if run["status"] == "too-little-data" and not run["headline"]:
        lines.append(f"    {run['error']['message']}")
    lines += [f"    {run['headline']}"] if run["headline"] else []
    return lines + [f"    note: {warning}" for warning in run["warnings"]]


def shorten(path: Path) -> str:
    """Write a path as seen from the working folder.

    Parameters
    ----------
    path : pathlib.Path
        Any path.

    Returns
    -------
    str
        Relative where it lies below.
    """
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
