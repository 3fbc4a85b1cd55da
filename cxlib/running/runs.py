"""One run: parameters, audit, papermill, the truth about how it ended, a page."""

from __future__ import annotations

import datetime
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.errors import RunError
from cxlib.folders import put_folder, work_folder
from cxlib.planning.plans import Plan
from cxlib.running.keys import WHILE_IT_RAN, explain_run, hash_run, read_run
from cxlib.running.records import make_record, read_records

if TYPE_CHECKING:
    from nbformat import NotebookNode


BAD = ("failed-cell", "timeout", "dead-kernel", "not-run")
GRACE_SECONDS = 30.0
_LIVE: list[Account] = []
Progress = Callable[[int, int], None]


@dataclass
class Account:
    """What the runner itself saw of an execution; the notebook file is never asked."""

    progress: Progress
    batch: str = ""
    ended: str = ""  # why the runner ended it: timeout, stopped
    cell: int | None = None
    failure: BaseException | None = None
    notebook: NotebookNode | None = None
    manager: Any = None  # of the kernel
    seen: set[int] = field(default_factory=set)

    @property
    def timed_out(self) -> bool:
        """Whether no further cell may start."""
        return bool(self.ended)


def execute_run(
    plan: Plan,
    progress: Progress = lambda done, total: None,
    *,
    batch: str = "",
    reason: str = "",
    warm: bool = False,
) -> dict[str, Any]:
    """Execute a planned run and write its folder, whole, whatever happens in the kernel.

    Parameters
    ----------
    plan : Plan
        From :func:`plan_run`.
    progress : callable, optional
        Called with cells done and cells in all.
    batch : str, default ""
        The batch it belongs to.
    reason : str, default ""
        Why it is made; by default what has changed since its folder was written.
    warm : bool, default False
        Fork the kernel from a process that has imported the stack, where that is possible.

    Returns
    -------
    dict
        The content of ``run.json``.

    Raises
    ------
    RunError
        When the folder cannot be written; what it held before is still there.
    KeyboardInterrupt
        When the run was stopped. Nothing is written.
    """
    from cxlib.data.audit import pin_audit

    started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    try:
        key = hash_run(plan)
        reason = reason or explain_run(plan, key, read_run(plan.folder)) or "asked for"
        with work_folder(plan.folder.parent) as work:
            (work / "records.jsonl").touch()
            pin = pin_audit(work, plan.book, plan.entries)
            account = Account(progress, batch)
            status, error = _watch(plan, work, account, warm)
            run = make_record(plan, read_records(work), status, error)
            run |= {"started_at": started.isoformat(timespec="seconds"), "batch": batch}
            run["seconds"] = round(time.monotonic() - clock, 2)
            run |= {"key": _confirm(plan, key), "reason": reason}
            _write_pages(_annotate(plan, work, account, run), run, plan, work)
            _save(work / "run.json", json.dumps(run, indent=1, ensure_ascii=False))
            (work / "records.jsonl").unlink(missing_ok=True)
            pin.unlink(missing_ok=True)
            put_folder(work, plan.folder)
    except OSError as error:
        raise RunError(f"The run could not be written to {plan.folder}: {error}") from error
    return run


def _confirm(plan: Plan, key: dict[str, str]) -> dict[str, str]:
    """Mark a part of the key that changed during the run: nobody can tell what the page shows."""
    try:
        now = hash_run(plan)
    except (OSError, ValueError, KeyError, TypeError):  # it may be no notebook any more
        now = {}
    return {part: text if now.get(part) == text else WHILE_IT_RAN for part, text in key.items()}


def _watch(
    plan: Plan, work: Path, account: Account, warm: bool
) -> tuple[str, dict[str, Any] | None]:
    """Execute beside this thread, which ends it when its time is up, whatever it waits for."""
    thread = threading.Thread(target=_execute, args=(plan, work, account, warm), daemon=True)
    _LIVE.append(account)
    try:
        thread.start()
        thread.join(plan.timeout)
        if thread.is_alive():
            _end(account, "timeout")
            thread.join(GRACE_SECONDS)
    except BaseException:
        _end(account, "stopped")
        thread.join(GRACE_SECONDS)
        raise
    finally:
        _LIVE.remove(account)
    if account.ended == "stopped":
        raise KeyboardInterrupt
    status, error = _judge(account, plan.timeout)
    if status == "dead-kernel":
        _end_orphans(account)
    return status, error


def _execute(plan: Plan, work: Path, account: Account, warm: bool) -> None:
    import logging

    import papermill
    from papermill.exceptions import PapermillExecutionError

    from cxlib.running.kernels import register_engine

    register_engine()
    for name in ("papermill", "traitlets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is in run.json
    try:
        papermill.execute_notebook(
            _plain(plan.notebook),
            None,  # what it would save says nothing of dead kernels: saved in _annotate
            parameters=plan.parameters,
            engine_name="cx",
            kernel_name="python3",
            language="python",
            progress_bar=False,
            request_save_on_cell_execute=False,
            account=account,
            run_folder=work,
            warm=warm,
        )
    except PapermillExecutionError:
        pass  # the account holds the cell's own error
    except BaseException as error:
        account.failure = error


def _plain(path: Path) -> str:
    """Write a path so that papermill, which formats paths, leaves it as it is."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _end(account: Account, why: str) -> None:
    """End a run: the kernel and whatever it started."""
    account.ended = account.ended or why
    kernel: Any = getattr(account.manager, "provisioner", None)
    if getattr(kernel, "has_process", False):
        with suppress(ProcessLookupError):
            try:
                os.killpg(os.getpgid(kernel.pid), signal.SIGKILL)
            except AttributeError:  # no process groups on Windows
                os.kill(kernel.pid, signal.SIGTERM)


def _end_orphans(account: Account) -> None:
    """End what a kernel that died had started; the group keeps its number while one lives."""
    kernel: Any = getattr(account.manager, "provisioner", None)
    group = getattr(kernel, "pgid", None)
    if group:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def stop_runs(batch: str = "") -> None:
    """End the runs of this process that are under way; they write nothing.

    Parameters
    ----------
    batch : str, default ""
        Only those of this batch.
    """
    for account in list(_LIVE):
        if account.batch == batch or not batch:
            _end(account, "stopped")


def _judge(account: Account, timeout: float) -> tuple[str, dict[str, Any] | None]:
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    failure = account.failure
    error: dict[str, Any] = {"class": type(failure).__name__, "message": "", "cell": account.cell}
    if account.ended:
        message = f"The run took longer than {timeout:g} seconds and was ended."
        return "timeout", {**error, "class": "Timeout", "message": message}
    if failure is None:
        return "ok", None
    if isinstance(failure, CellExecutionError):
        error |= {"class": failure.ename, "message": failure.evalue}
        if failure.ename == "TooLittleData":
            return "too-little-data", error
        return "failed-cell", error
    if isinstance(failure, DeadKernelError) or str(failure).startswith("Kernel died"):
        message = "The kernel died, most often for lack of memory."
        return "dead-kernel", {**error, "class": "DeadKernelError", "message": message}
    return "not-run", {**error, "message": str(failure)}


def _annotate(plan: Plan, work: Path, account: Account, run: dict[str, Any]) -> NotebookNode:
    """Save the notebook with the truth in it: which cell failed, which never ran."""
    import nbformat
    from papermill.execute import ERROR_MARKER_TAG

    notebook = account.notebook or nbformat.read(plan.notebook, as_version=4)
    # papermill's own banner shifts the cells and is not there after a timeout or a dead kernel
    notebook.cells = [
        cell for cell in notebook.cells if ERROR_MARKER_TAG not in cell.metadata.get("tags", [])
    ]
    shown = notebook
    if run["error"] is not None:
        for index, cell in enumerate(notebook.cells):
            note = cell.metadata.setdefault("papermill", {})
            if index == account.cell:
                note.update(status="failed", exception=True)
            elif index not in account.seen:
                note.update(status="pending", exception=None)
        banner = f"**{run['status']}**: {run['error']['class']} in cell {run['error']['cell']}."
        notebook.metadata["cx_status"] = run["status"]
        shown = nbformat.from_dict(notebook)
        shown.cells = [nbformat.v4.new_markdown_cell(banner), *notebook.cells]
    _save(work / "notebook.ipynb", nbformat.writes(shown))
    return notebook


def _write_pages(notebook: NotebookNode, run: dict[str, Any], plan: Plan, work: Path) -> None:
    """Write both pages; when that is not possible, notebook and tables stay and a page says so."""
    from nbformat.v4 import new_notebook

    from cxlib.publishing.report import render_report

    def render(shown: NotebookNode) -> list[str]:
        """Render the reader's page and the analyst's."""
        return [render_report(shown, run, plan.book, with_code=code) for code in (False, True)]

    try:
        pages = render(notebook)
    except Exception as error:
        message = f"The page could not be made: {error}"
        failure = {"class": type(error).__name__, "message": message, "cell": None}
        run.update(status="not-run", error=failure)
        pages = render(new_notebook())
    for name, page in zip(("report.html", "analyst.html"), pages, strict=True):
        _save(work / name, page)


def _save(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def exit_code(runs: list[dict[str, Any]]) -> int:
    """Tell how a command ends.

    Parameters
    ----------
    runs : list of dict
        Run records.

    Returns
    -------
    int
        0 when every run gave an answer or a plain reason for none, else 1.
    """
    return int(any(run["status"] in BAD for run in runs))
