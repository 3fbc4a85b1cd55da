"""What is checked before a kernel starts: notebook, workbook, data, parameters, folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.errors import InputError, closest
from cxlib.parameters import read_values
from cxlib.planning.names import hash_values, name_folder, name_set
from cxlib.planning.notebook import Notebook, read_notebook
from cxlib.planning.options import Cut, Data, check_against, check_cut
from cxlib.planning.outputs import OUTPUTS
from cxlib.workbook import Workbook, shipped

if TYPE_CHECKING:
    from cxlib.data.ledger import LedgerEntry

TIMEOUT_SECONDS = 1800.0


@dataclass(frozen=True)
class Wanted:
    """A run that was asked for and has passed every check before a kernel starts.

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
    set_name : str
        What it is called among the runs of its batch: one line of plain text.
    changed : mapping
        The parameters that differ from the notebook's defaults.
    given : tuple of str
        The parameters that were given, whatever the notebook's default.
    n : int or None
        Rows of its segment, when the manifest asked for a report for each.
    """

    notebook: Path
    title: str
    parameters: dict[str, Any]
    book: Workbook
    uses: list[str]
    entries: list[LedgerEntry]
    folder: Path
    timeout: float = TIMEOUT_SECONDS
    set_name: str = ""
    changed: Mapping[str, Any] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    n: int | None = None

    @property
    def name(self) -> str:
        """Name of the notebook, without extension."""
        return self.notebook.stem


@dataclass(frozen=True)
class Plan(Wanted):
    """A run that is ready to be made."""


@dataclass(frozen=True)
class TooFew(Wanted):
    """A run that is not made, because its segment holds too little data.

    Parameters
    ----------
    min_rows : int
        The rows that were asked for.
    reason : str
        What is lacking.
    """

    min_rows: int = 1
    reason: str = ""


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
        if os.path.isfile(name):  # Path.is_file raises when a name is too long
            return Path(name)
        problem = f"There is no notebook '{name}'."
        raise InputError(problem, str(Path(name).parent), "check the path")
    names = notebook_names()
    path = shipped("notebooks") / f"{name}.ipynb"
    if os.path.isfile(path):
        return path
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


def tell_apart(plans: Sequence[Plan | TooFew]) -> list[Plan | TooFew]:
    """Give runs whose folders differ only by case folders that differ on every disk.

    Parameters
    ----------
    plans : sequence of Plan or TooFew
        Runs of one batch.

    Returns
    -------
    list of Plan or TooFew
        The same runs, in the same order.
    """
    alike: dict[str, set[str]] = {}
    for plan in plans:
        alike.setdefault(plan.folder.name.casefold(), set()).add(plan.folder.name)
    return [
        replace(plan, folder=Path(f"{plan.folder}-{hash_values(plan.changed)}"))
        if len(alike[plan.folder.name.casefold()]) > 1
        else plan
        for plan in plans
    ]


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
    planner = Planner(out)
    planner.check_out()
    found = planner.notebook(notebook)
    plan, errors = planner.plan(
        found, planner.data(workbook), given, lambda name: found.where, timeout=timeout
    )
    if errors:
        raise InputError.join(errors)
    return plan


class Planner:
    """Checks runs; notebooks, workbooks, audits and folder are read once for all of them.

    Parameters
    ----------
    out : pathlib.Path
        Folder of all runs.
    """

    def __init__(self, out: Path) -> None:
        self._out = out.resolve()
        self._notebooks: dict[str, Notebook] = {}
        self._data: dict[str, Data] = {}

    def check_out(self) -> None:
        """Check that runs can be written.

        Raises
        ------
        InputError
            When the folder of all runs cannot be made, or nothing can be written to it.
        """
        try:
            place = next(path for path in (self._out, *self._out.parents) if path.exists())
            with tempfile.TemporaryDirectory(dir=place):
                pass
        except OSError as error:
            problem = f"The output folder cannot be written: {error.strerror}."
            raise InputError(problem, str(self._out), "choose another --out") from error

    def notebook(self, name: str) -> Notebook:
        """Read what a notebook says about itself.

        Parameters
        ----------
        name : str
            Name or path.

        Returns
        -------
        Notebook
            Its parameters and needs.

        Raises
        ------
        InputError
            When it cannot be found or run.
        """
        if name not in self._notebooks:
            self._notebooks[name] = read_notebook(find_notebook(name))
        return self._notebooks[name]

    def data(self, workbook: str) -> Data:
        """Read a workbook.

        Parameters
        ----------
        workbook : str
            Path of a ``cx.yml``, or ``"samples"``.

        Returns
        -------
        Data
            The workbook, and what its data hold.

        Raises
        ------
        InputError
            When it cannot be used.
        """
        if workbook not in self._data:
            self._data[workbook] = Data(workbook)
        return self._data[workbook]

    def plan(
        self,
        notebook: Notebook,
        data: Data,
        given: Mapping[str, Any],
        where: Callable[[str], str],
        *,
        timeout: float = TIMEOUT_SECONDS,
    ) -> tuple[Plan, list[InputError]]:
        """Check one run.

        Parameters
        ----------
        notebook : Notebook
            What is run.
        data : Data
            On what.
        given : mapping of str to object
            Parameters given.
        where : callable
            Place of a parameter, by its name.
        timeout : float
            Seconds the whole run may take.

        Returns
        -------
        Plan
            Ready to execute when nothing is wrong.
        list of InputError
            Every parameter that is wrong.

        Raises
        ------
        InputError
            When the data or the folder cannot be used, whatever the parameters.
        """
        given = dict(given)
        errors = []
        if given.pop("workbook", None) is not None:
            problem = "The workbook is no parameter of the command."
            errors.append(InputError(problem, where("workbook"), "give it with --workbook"))
        values, wrong = read_values(notebook.declared, given, where)
        errors += wrong
        values["workbook"] = data.location
        tables = data.open(Cut())
        try:
            uses = notebook.uses(tables, values)
        except InputError as error:
            raise InputError.join([*errors, error]) from error
        wrong = check_cut(data, Cut.of(values), uses, where)
        whole = {name: "" for name in vars(Cut()) if name in values}  # where the cut is no cut
        sound = values | whole if wrong else values
        errors += wrong + check_against(notebook.declared, sound, data, uses, where)
        changed = {
            name: value
            for name, value in values.items()
            if name != "workbook" and value != notebook.declared[name].default
        }
        folder = self._out / name_folder(notebook.path.stem, changed)
        self._check_folder(folder)
        plan = Plan(
            notebook.path, notebook.title, values, data.book, uses, tables.entries, folder, timeout,
            set_name=name_set(notebook.title, changed), changed=changed, given=tuple(given),
        )  # fmt: skip
        return plan, errors

    def _check_folder(self, folder: Path) -> None:
        name = folder.name
        if name.startswith(".") or name.casefold() in OUTPUTS or len(name.encode()) > 200:
            problem = f"A run cannot have a folder called '{name}'."
            raise InputError(problem, str(folder.parent), "rename the notebook")
        if folder.is_symlink() or (folder.exists() and not _is_run(folder)):
            raise InputError(
                f"'{folder.name}' exists and is no run of cx.", str(folder), "choose another --out"
            )


def _is_run(folder: Path) -> bool:
    return folder.is_dir() and ((folder / "run.json").exists() or not any(folder.iterdir()))


def describe_plans(plans: Sequence[Plan | TooFew]) -> list[str]:
    """List the runs of a batch, for a look before it starts.

    Parameters
    ----------
    plans : sequence of Plan or TooFew
        From :func:`cxlib.planning.manifest.plan_batch`.

    Returns
    -------
    list of str
        A line for each: name, notebook, parameters that were given or differ from the notebook's
        defaults, rows of its segment, and why there is no report.
    """
    lines = []
    for plan in plans:
        told = {name: plan.parameters[name] for name in (*plan.given, *plan.changed)}
        values = ", ".join(f"{name}={value!r}" for name, value in told.items())
        parts = [plan.set_name, plan.name, values or "defaults"]
        if isinstance(plan, TooFew):
            parts.append(f"too little data: {plan.reason}")
        elif plan.n is not None:
            parts.append(f"{plan.n:,} rows")
        lines.append(" | ".join(parts))
    return lines
