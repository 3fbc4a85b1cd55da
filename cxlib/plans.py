"""What is checked before a kernel starts: notebook, workbook, data, parameters, folder."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.errors import InputError, TooLittleData, closest
from cxlib.options import check_against
from cxlib.parameters import Parameter, check_values, read_parameters
from cxlib.workbook import SAMPLES, Workbook, read_workbook, shipped

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from cxlib.data.ledger import LedgerEntry

TIMEOUT_SECONDS = 1800.0


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
    uses : list of str
        Its tables that the notebook rests on.
    entries : list of LedgerEntry
        What the audit found.
    folder : pathlib.Path
        Folder of the run.
    timeout : float
        Seconds the whole run may take.
    """

    notebook: Path
    title: str
    parameters: dict[str, Any]
    book: Workbook
    uses: list[str]
    entries: list[LedgerEntry]
    folder: Path
    timeout: float = TIMEOUT_SECONDS

    @property
    def name(self) -> str:
        """Name of the notebook, without extension."""
        return self.notebook.stem


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
    uses, entries = _check_data(book_node, declared, values, where)
    folder = out.resolve() / _slug(path.stem, declared, values)
    _check_folder(folder)
    return Plan(path, _title(book_node, path.stem), values, book, uses, entries, folder, timeout)


def _check_data(
    notebook: NotebookNode,
    declared: Mapping[str, Parameter],
    values: Mapping[str, Any],
    where: str,
) -> tuple[list[str], list[LedgerEntry]]:
    """Audit the workbook, check the parameters that name something in it, list tables used."""
    from cxlib.data import open_workbook

    cuts = ("segment_by", "segment", "period_start", "period_end")
    cut = {name: values[name] for name in cuts if name in values}
    tables = open_workbook(values["workbook"], **cut)
    needs = notebook.metadata.get("cx", {})
    choices = needs.get("any_of", [])
    met = [group for group in choices if all(tables.has(n) or values.get(n) for n in group)]
    if choices and not met:
        wanted = " or ".join(" with ".join(f"'{name}'" for name in group) for group in choices)
        raise InputError(
            f"The notebook needs {wanted}.",
            f"{where}, {tables.book.file} has {list(tables.book.tables)}",
            "map a table that is missing ('cx check --contract'), or give the parameter",
        )
    named = [*needs.get("tables", []), *needs.get("also", []), *(n for g in met for n in g)]
    uses = [name for name in tables.book.tables if name in named or not named]
    try:
        tables.require(*needs.get("tables", []))
        check_against(declared, values, tables, uses)
    except TooLittleData:
        pass  # sound input whose cut is empty: the run says so on its page
    return uses, tables.entries


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
    joined = len(changed) > 1 and any("_" in part.partition("-")[2] for part in changed)
    if plain != text or joined or len(plain) > 80:  # two parameter sets never share a folder
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
