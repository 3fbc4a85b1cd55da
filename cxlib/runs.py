"""One run: parameters, audit, papermill, the truth about how it ended, a page."""

from __future__ import annotations

import datetime
import errno
import json
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.errors import RunError
from cxlib.plans import Plan

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from cxlib.data.ledger import LedgerEntry

MANY_REFUSED, FEW = 0.05, 5  # share and number of rows
BAD = ("failed-cell", "timeout", "dead-kernel", "not-run")
_LIVE: list[Account] = []
Progress = Callable[[int, int], None]


@dataclass
class Account:
    """What the runner itself saw of an execution; the notebook file is never asked."""

    progress: Progress
    timed_out: bool = False
    cell: int | None = None
    failure: BaseException | None = None
    notebook: NotebookNode | None = None
    client: Any = None
    seen: set[int] = field(default_factory=set)


def execute_run(plan: Plan, progress: Progress = lambda done, total: None) -> dict[str, Any]:
    """Execute a planned run and write its folder, whole, whatever happens in the kernel.

    Parameters
    ----------
    plan : Plan
        From :func:`plan_run`.
    progress : callable, optional
        Called with cells done and cells in all.

    Returns
    -------
    dict
        The content of ``run.json``.
    """
    from cxlib.data.audit import pin_audit
    from cxlib.report import render_report

    started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    plan.folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=plan.folder.parent, prefix=f".{plan.name}-"))
    try:
        (work / "records.jsonl").touch()
        pin = pin_audit(work, plan.book, plan.entries)
        account = Account(progress)
        status, error = _execute(plan, work, account)
        run = _describe(plan, _read_records(work), status, error)
        run["started_at"] = started.isoformat(timespec="seconds")
        run["seconds"] = round(time.monotonic() - clock, 2)
        _save(work / "run.json", json.dumps(run, indent=1, ensure_ascii=False))
        _save(work / "report.html", render_report(_annotate(work, account, run), run, plan.book))
        (work / "records.jsonl").unlink()
        pin.unlink()
        work.chmod(0o755)
        _put(work, plan.folder)
    except OSError as error:
        raise RunError(f"The run could not be written to {plan.folder}: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return run


def _execute(plan: Plan, work: Path, account: Account) -> tuple[str, dict[str, Any] | None]:
    import logging

    import papermill
    from papermill.exceptions import PapermillExecutionError

    from cxlib.kernels import register_engine

    register_engine()
    for name in ("papermill", "traitlets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is in run.json
    killer = threading.Timer(plan.timeout, _kill, [account])
    killer.daemon = True
    killer.start()
    _LIVE.append(account)
    try:
        papermill.execute_notebook(
            _plain(plan.notebook),
            _plain(work / "notebook.ipynb"),
            parameters=plan.parameters,
            engine_name="cx",
            kernel_name="python3",
            language="python",
            progress_bar=False,
            request_save_on_cell_execute=False,
            account=account,
            run_folder=work,
        )
    except PapermillExecutionError:
        pass  # the account holds the cell's own error
    except Exception as error:
        account.failure = error
    finally:
        _LIVE.remove(account)
        killer.cancel()
    return _judge(account, plan.timeout)


def _plain(path: Path) -> str:
    """Write a path so that papermill, which formats paths, leaves it as it is."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _kill(account: Account) -> None:
    """End a run that takes too long: the kernel and whatever it started."""
    account.timed_out = True
    process = getattr(getattr(account.client, "km", None), "provisioner", None)
    pid = getattr(process, "pid", None)
    if pid:
        try:
            os.killpg(os.getpgid(pid), signal.SIGKILL)
        except (OSError, AttributeError):
            os.kill(pid, signal.SIGTERM)


def stop_all() -> None:
    """End every run of this process that is under way."""
    for account in list(_LIVE):
        _kill(account)


def _judge(account: Account, timeout: float) -> tuple[str, dict[str, Any] | None]:
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    failure = account.failure
    error: dict[str, Any] = {"class": type(failure).__name__, "message": "", "cell": account.cell}
    if account.timed_out:
        message = f"The run took longer than {timeout:g} seconds and was ended."
        return "timeout", {**error, "class": "Timeout", "message": message}
    if failure is None:
        return "ok", None
    if isinstance(failure, CellExecutionError):
        error |= {"class": failure.ename, "message": failure.evalue}
        if failure.ename == "TooLittleData":
            return "too-little-data", error
        return "failed-cell", error
    if isinstance(failure, DeadKernelError):
        message = "The kernel died, most often for lack of memory."
        return "dead-kernel", {**error, "message": message}
    return "not-run", {**error, "message": str(failure)}


def describe_not_run(plan: Plan, error: RunError) -> dict[str, Any]:
    """Describe a run whose folder could not be written.

    Parameters
    ----------
    plan : Plan
        The run.
    error : RunError
        Why.

    Returns
    -------
    dict
        A run record with the status ``not-run``.
    """
    failure = {"class": type(error).__name__, "message": str(error), "cell": None}
    return _describe(plan, [], "not-run", failure)


def _read_records(work: Path) -> list[dict[str, Any]]:
    text = (work / "records.jsonl").read_text("utf-8")
    # not splitlines: names in the data may hold other line separators
    return [json.loads(line) for line in text.split("\n") if line.endswith("}")]


def _describe(
    plan: Plan, records: list[dict[str, Any]], status: str, error: dict[str, Any] | None
) -> dict[str, Any]:
    from cxlib.show import versions

    figures = {r["id"]: r for r in records if r["kind"] == "key_figure"}
    entries = plan.entries
    refused = _warn_of_refusals(entry for entry in entries if entry.table in plan.uses)
    warnings = refused + [r["text"] for r in records if r["kind"] == "warning"]
    return {
        "status": "ok-with-warnings" if status == "ok" and warnings else status,
        "notebook": plan.name,
        "title": plan.title,
        "parameters": plan.parameters,
        "started_at": "",
        "seconds": 0.0,
        "headline": next((r["text"] for r in records if r["kind"] == "headline"), ""),
        "key_figures": [
            {key: value for key, value in figure.items() if key != "kind"}
            for figure in figures.values()
        ],
        "tables": list(dict.fromkeys(r["name"] for r in records if r["kind"] == "table")),
        "inputs": [entry.as_dict() for entry in entries],
        "uses": plan.uses,
        "refusals": refused,
        "warnings": warnings,
        "versions": versions(),
        "error": error,
    }


def _warn_of_refusals(entries: Iterable[LedgerEntry]) -> list[str]:
    """Warn where so many rows were refused that what is left may be another population."""
    return [
        f"{entry.rows_refused:,} of {entry.rows_in:,} rows of '{entry.table}' were refused, most "
        f"by the rule '{max(entry.rules, key=lambda rule: rule.n).rule}': what is left may not "
        "speak for all."
        for entry in entries
        if entry.rows_refused > max(MANY_REFUSED * entry.rows_in, FEW)
    ]


def _annotate(work: Path, account: Account, run: dict[str, Any]) -> NotebookNode:
    """Make the saved notebook tell the truth: which cell failed, which never ran."""
    import nbformat
    from papermill.execute import ERROR_MARKER_TAG

    path = work / "notebook.ipynb"
    saved = nbformat.read(path, as_version=4) if path.exists() else None
    notebook = account.notebook if account.notebook is not None else saved
    if notebook is None:
        notebook = nbformat.v4.new_notebook()
    if run["error"] is not None:
        # papermill's own banner shifts the cells and is not there after a timeout or a dead kernel
        notebook.cells = [
            cell for cell in notebook.cells if ERROR_MARKER_TAG not in cell.metadata.get("tags", [])
        ]
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
        _save(path, nbformat.writes(shown))
    return notebook


def _put(work: Path, folder: Path) -> None:
    """Put a finished run in its place; of two runs that end together, the later one stays."""
    for _ in range(10):
        old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".old-"))
        try:
            if folder.exists():
                os.replace(folder, old / "run")
            os.rename(work, folder)
            return
        except FileNotFoundError:
            continue  # another run moved the old folder first
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                if (old / "run").exists() and not folder.exists():
                    os.replace(old / "run", folder)  # what was there stays there
                raise
        finally:
            shutil.rmtree(old, ignore_errors=True)
    raise OSError(errno.EBUSY, "other runs keep writing there")


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
