"""A manifest of runs, checked whole before the first kernel starts."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, PrivateAttr, ValidationError

from cxlib.errors import InputError
from cxlib.planning.plans import TIMEOUT_SECONDS, Plan, TooFew
from cxlib.workbook import SAMPLES, Lines, Texts, explain, load_yaml

_WEEK = 7 * 24 * 3600.0
_DEEPEST = 50  # manifests that include one another


def _value(value: Any) -> str | list[str]:
    """Take a value as it is written; the notebook's declaration types it."""
    if value is None:
        raise ValueError("it is empty; write '' for an empty text")
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in items):
        raise ValueError("it is neither a value nor a list of values")
    return value


Value = Annotated[Any, PlainValidator(_value)]
Values = dict[str, Value]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ForEach(_Model):
    """A report for each value of a column that has enough rows."""

    table: str
    column: str
    min_rows: int = Field(default=10, ge=1)
    parameter: str = ""


class Override(_Model):
    """Parameters of the sets that have some values."""

    when: Values = Field(min_length=1)
    parameters: Values = Field(min_length=1)


class RunSpec(_Model):
    """Notebooks and the parameter sets they are run with: one when nothing else is said."""

    notebook: Texts = Field(min_length=1)
    workbook: str = ""
    title: str = ""
    parameters: Values = {}
    matrix: dict[str, Annotated[list[Value], Field(min_length=1)]] = {}
    sets: list[Values] = []
    for_each: ForEach | None = None
    overrides: list[Override] = []


class Manifest(_Model):
    """A batch: a title, a workbook and the runs.

    Parameters
    ----------
    title : str
        Heading of the index.
    workbook : str
        A ``cx.yml`` or ``"samples"``, for all runs that name none.
    timeout_seconds : float
        Seconds a run may take.
    compare_to : str
        Folder of an earlier batch.
    on_finish : list of str
        Program and arguments to start when the batch has ended.
    include : list of str
        Other manifests whose runs come first, each once. What they do not say - workbook, time,
        defaults - they take from here.
    defaults : dict
        Parameters of every run whose notebook declares them.
    runs : list of RunSpec
        The runs.
    """

    title: str = "Reports"
    workbook: str = SAMPLES
    timeout_seconds: float = Field(default=TIMEOUT_SECONDS, gt=0, le=_WEEK, allow_inf_nan=False)
    compare_to: str = ""
    on_finish: Texts = []
    include: Texts = []
    defaults: Values = {}
    runs: list[RunSpec] = []
    _file: Path = PrivateAttr(default=Path("manifest"))
    _lines: Lines = PrivateAttr(default_factory=dict)
    _included: list[Manifest] = PrivateAttr(default_factory=list)

    @property
    def folder(self) -> Path:
        """Folder that its paths are relative to."""
        return self._file.resolve().parent

    @property
    def compare_folder(self) -> Path | None:
        """Folder of the earlier batch; None when there is none to compare with."""
        return self.folder / self.compare_to if self.compare_to else None

    @property
    def included(self) -> list[Manifest]:
        """The manifests it includes."""
        return self._included

    def find_command(self) -> list[str]:
        """Find the program that is started when the batch has ended.

        Returns
        -------
        list of str
            Program and arguments; empty when there is none to start. A bare name is looked for
            beside the Python that runs, then on the PATH: ``python`` is the one of cxlib.

        Raises
        ------
        InputError
            When the program is not there.
        """
        if not self.on_finish:
            return []
        program, *arguments = self.on_finish
        named = str(self.folder / program) if os.sep in program else program
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        found = shutil.which(named, path=path)
        if found is None:
            problem = f"There is no program '{program}'."
            fix = "check its name; a path starts at the folder of the manifest"
            raise InputError(problem, self.place("on_finish"), fix)
        return [found, *arguments]

    def place(self, *keys: str | int) -> str:
        """Tell where something is written.

        Parameters
        ----------
        *keys : str or int
            Keys and numbers from the top.

        Returns
        -------
        str
            File, line and keys.
        """
        path = tuple(map(str, keys))
        known = path
        while known and known not in self._lines:
            known = known[:-1]
        line = f", line {self._lines[known]}" if known else ""
        return f"{self._file}{line}, {'.'.join(path)}"


_MODELS: dict[str, type[_Model]] = {"for_each": ForEach, "overrides": Override, "runs": RunSpec}


def _known_keys(location: tuple[str, ...]) -> list[str]:
    inner = [key for key in location[:-1] if key in _MODELS]
    model = _MODELS[inner[-1]] if inner else Manifest
    return list(model.model_fields)


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest and those it includes.

    Parameters
    ----------
    path : pathlib.Path
        A YAML file.

    Returns
    -------
    Manifest
        The typed model.

    Raises
    ------
    InputError
        When it is not there, says something the model does not know, or includes itself or one
        manifest twice.
    """
    return _read(path, (), {})


def _read(path: Path, chain: tuple[Path, ...], included: dict[Path, str]) -> Manifest:
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"There is no manifest '{path}'.", str(path.parent)) from error
    except UnicodeDecodeError as error:
        raise InputError(f"'{path.name}' is not UTF-8.", str(path), "save it as UTF-8") from error
    content, lines = load_yaml(text, path)
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as error:
        raise InputError.join(explain(error, path, lines, _known_keys)) from error
    manifest._file, manifest._lines = path, lines
    if not manifest.runs and not manifest.include:
        raise InputError(f"'{path.name}' asks for no run.", str(path), "add 'runs:'")
    chain = (*chain, path.resolve())
    if len(chain) > _DEEPEST:
        problem = f"The manifests include one another more than {_DEEPEST} deep."
        raise InputError(problem, str(path), "name them in one manifest")
    for number, name in enumerate(manifest.include):
        other, where = manifest.folder / name, manifest.place("include", number)
        if other.resolve() in chain:
            names = " > ".join(file.name for file in (*chain, other))
            raise InputError(f"'{name}' includes itself: {names}.", where, "drop this line")
        if not os.path.isfile(other):  # Path.is_file raises when a name is too long
            raise InputError(f"There is no manifest '{name}'.", where, "check the path")
        first = included.setdefault(other.resolve(), where)
        if first is not where:
            fix = "drop one of these lines: its runs are the same"
            raise InputError(f"'{name}' is included twice.", f"{first} and {where}", fix)
        manifest._included.append(_read(other, chain, included))
    return manifest


def plan_batch(manifest: Manifest, folder: Path, out: Path) -> list[Plan | TooFew]:
    """Check every run of a manifest.

    Parameters
    ----------
    manifest : Manifest
        The batch.
    folder : pathlib.Path
        Folder of the manifest; its paths are relative to it.
    out : pathlib.Path
        Folder of all runs.

    Returns
    -------
    list of Plan or TooFew
        In the manifest's order; a segment with too little data stands in its place.

    Raises
    ------
    InputError
        With a block for every mistake of every run, ten at most and the number of the others.
    """
    from cxlib.planning.checks import check_batch

    return check_batch(manifest, folder, out)
