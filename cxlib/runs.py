"""One run: parameters, audit, papermill, the truth about how it ended, a page."""

from __future__ import annotations

import datetime
import errno
import hashlib
import json
import os
import re
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.errors import InputError, closest
from cxlib.parameters import Parameter, check_against, check_values, read_parameters
from cxlib.schema import TABLES
from cxlib.workbook import SAMPLES, Workbook, read_workbook, shipped

if TYPE_CHECKING:
    from nbformat import NotebookNode

GOOD = ("ok", "ok-with-warnings", "too-little-data", "skipped-unchanged")
BAD = ("failed-cell", "timeout", "dead-kernel", "not-run")
TIMEOUT_SECONDS = 1800.0
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """A run that has passed every check that can be made before a kernel starts.

    Parameters
    ----------
    notebook : pathlib.Path
        The notebook file.
    title : str
        Its top heading.
    parameters : dict
        All parameters, defaults included.
    book : Workbook
        The workbook it runs on.
    folder : pathlib.Path
        Folder of the run.
    timeout : float
        Seconds the whole run may take.
    """

    notebook: Path
    title: str
    parameters: dict[str, Any]
    book: Workbook
    folder: Path
    timeout: float = TIMEOUT_SECONDS

    @property
    def name(self) -> str:
        """Name of the notebook, without extension."""
        return self.notebook.stem


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


def find_notebook(name: str) -> Path:
    """Find a notebook by name, wherever cx was installed, or by path.

    Parameters
    ----------
    name : str
        A name such as ``"churn_survival"``, or a path.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputError
        When there is none.
    """
    if name.endswith(".ipynb") or os.sep in name:
        path = Path(name)
        if path.is_file():
            return path
        raise InputError(f"There is no notebook '{name}'.", str(path.parent), "check the path")
    folder = shipped("notebooks")
    path = folder / f"{name}.ipynb"
    if path.is_file():
        return path
    names = notebook_names()
    raise InputError(f"There is no notebook '{name}'.", "the notebooks of cx", closest(name, names))


def notebook_names() -> list[str]:
    """List the notebooks that ship with cxlib, templates left out.

    Returns
    -------
    list of str
        Names, sorted.
    """
    files = shipped("notebooks").glob("*.ipynb")
    return sorted(file.stem for file in files if not file.stem.startswith("_"))


def plan_run(
    notebook: str,
    *,
    workbook: str,
    given: Mapping[str, Any],
    out: Path,
    timeout: float = TIMEOUT_SECONDS,
) -> Plan:
    """Check everything that can be checked before a kernel starts.

    Parameters
    ----------
    notebook : str
        Name or path.
    workbook : str
        Path of a ``cx.yml``, or ``"samples"``.
    given : mapping of str to object
        Parameters given; texts are read by their declared kind.
    out : pathlib.Path
        Folder of all runs.
    timeout : float
        Seconds the whole run may take.

    Returns
    -------
    Plan
        Ready to execute.

    Raises
    ------
    InputError
        When notebook, workbook, data, parameter or folder cannot be used.
    """
    import nbformat

    path = find_notebook(notebook)
    where = f"notebook '{path.stem}'"
    try:
        book_node = nbformat.read(path, as_version=4)
    except Exception as error:
        raise InputError(f"'{path.name}' is no notebook: {error}", str(path)) from error
    declared = read_parameters(book_node, where)
    if "workbook" not in declared:
        raise InputError("The notebook declares no 'workbook'.", where, 'add workbook = "samples"')
    if "workbook" in given:
        problem = "The workbook is no parameter of the command."
        raise InputError(problem, where, "give it with --workbook")
    book = read_workbook(workbook)
    location = SAMPLES if workbook == SAMPLES else str(book.file)
    values = check_values(declared, given, where) | {"workbook": location}
    _check_data(book_node, declared, values, where)
    folder = out.resolve() / _slug(path.stem, declared, values)
    _check_folder(folder)
    return Plan(path, _title(book_node, path.stem), values, book, folder, timeout)


def _check_data(
    notebook: NotebookNode,
    declared: Mapping[str, Parameter],
    values: Mapping[str, Any],
    where: str,
) -> None:
    """Audit the workbook and check the parameters that name something in it."""
    from cxlib.data import open_workbook
    from cxlib.errors import TooLittleData

    cuts = ("segment_by", "segment", "period_start", "period_end")
    cut = {name: values[name] for name in cuts if name in values}
    tables = open_workbook(values["workbook"], **cut)
    needs = notebook.metadata.get("cx", {})
    try:
        tables.require(*needs.get("tables", []))
    except TooLittleData:
        return  # sound input whose cut is empty: the run says so on its page
    choices = needs.get("any_of", [])

    def given(name: str) -> bool:
        return tables.has(name) if name in TABLES else bool(values.get(name))

    if choices and not any(all(given(name) for name in group) for group in choices):
        wanted = " or ".join(" with ".join(f"'{name}'" for name in group) for group in choices)
        raise InputError(
            f"The notebook needs {wanted}.",
            f"{where}, {tables.book.file} has {list(tables.book.tables)}",
            "map a table that is missing ('cx check --contract'), or give the parameter",
        )
    check_against(declared, values, tables)


def _title(notebook: NotebookNode, name: str) -> str:
    for cell in notebook.cells:
        found = re.search(r"^# (.+)$", cell.source, re.MULTILINE)
        if cell.cell_type == "markdown" and found:
            return found.group(1).strip()
    return name


def _slug(name: str, declared: Mapping[str, Parameter], values: Mapping[str, Any]) -> str:
    changed = [
        f"{key}-{value}"
        for key, value in values.items()
        if key != "workbook" and value != declared[key].default
    ]
    if not changed:
        return name
    text = "_".join(changed)
    plain = re.sub(r"[^a-zA-Z0-9_.-]+", "-", text).strip("-.")
    if plain != text or len(plain) > 80:  # two parameter sets never share a folder
        plain = f"{plain[:70]}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
    return f"{name}__{plain}"


def _check_folder(folder: Path) -> None:
    if folder.is_file() or (folder.exists() and not _is_run(folder)):
        raise InputError(
            f"'{folder.name}' exists and is no run of cx.", str(folder), "choose another --out"
        )
    parent = next(path for path in folder.parents if path.exists())
    try:
        with tempfile.TemporaryDirectory(dir=parent):
            pass
    except OSError as error:
        raise InputError(
            f"The output folder cannot be written: {error.strerror}.",
            str(folder.parent),
            "choose another --out",
        ) from error


def _is_run(folder: Path) -> bool:
    return (folder / "run.json").exists() or not any(folder.iterdir())


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
    from cxlib.report import render_report

    started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    plan.folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=plan.folder.parent, prefix=f".{plan.name}-"))
    try:
        (work / "records.jsonl").touch()
        account = Account(progress)
        status, error = _execute(plan, work, account)
        run = _describe(plan, work, status, error)
        run["started_at"] = started.isoformat(timespec="seconds")
        run["seconds"] = round(time.monotonic() - clock, 2)
        _save(work / "run.json", json.dumps(run, indent=1, ensure_ascii=False))
        _save(work / "report.html", render_report(_annotate(work, account, run), run, plan.book))
        (work / "records.jsonl").unlink()
        work.chmod(0o755)
        _put(work, plan.folder)
    except OSError as error:
        raise InputError(
            f"The run could not be written: {error.strerror}.", str(plan.folder), "make room"
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return run


def _execute(plan: Plan, work: Path, account: Account) -> tuple[str, dict[str, Any] | None]:
    import logging

    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from cxlib.kernels import register_engine

    register_engine()
    for name in ("papermill", "traitlets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is in run.json
    killer = threading.Timer(plan.timeout, _kill, [account])
    killer.start()
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
    except DeadKernelError as error:
        account.failure = error
    except Exception as error:
        account.failure = error
    finally:
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


def _describe(plan: Plan, work: Path, status: str, error: dict[str, Any] | None) -> dict[str, Any]:
    from cxlib.data import audit_workbook
    from cxlib.show import versions

    text = (work / "records.jsonl").read_text("utf-8")
    records = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
    figures = {r["id"]: r for r in records if r["kind"] == "key_figure"}
    warnings = [r["text"] for r in records if r["kind"] == "warning"]
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
        "inputs": [table.entry.as_dict() for table in audit_workbook(plan.book).values()],
        "warnings": warnings,
        "versions": versions(),
        "error": error,
    }


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
