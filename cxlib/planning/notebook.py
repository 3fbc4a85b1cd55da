"""What a notebook says about itself: its heading, its parameters, the tables it needs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from cxlib.errors import InputError
from cxlib.parameters import Parameter, read_parameters

if TYPE_CHECKING:
    from cxlib.data.connect import Tables


class Needs(BaseModel):
    """The tables a notebook asks for: all of some, and one group of others at least."""

    tables: list[str] = []
    also: list[str] = []
    any_of: list[list[str]] = []


class _CellMetadata(BaseModel):
    tags: list[str] = []


class _Cell(BaseModel):
    cell_type: str
    source: str | list[str]
    metadata: _CellMetadata


class _Metadata(BaseModel):
    cx: Needs = Needs()


class _Content(BaseModel):
    cells: list[_Cell]
    metadata: _Metadata = _Metadata()


@dataclass(frozen=True)
class Notebook:
    """What a notebook says about itself.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    title : str
        Its top heading.
    declared : mapping of str to Parameter
        Its parameters.
    needs : Needs
        The tables it asks for, from its metadata.
    """

    path: Path
    title: str
    declared: Mapping[str, Parameter]
    needs: Needs

    @property
    def where(self) -> str:
        """Its name, for messages."""
        return f"notebook '{self.path.stem}'"

    def uses(self, tables: Tables, values: Mapping[str, Any]) -> list[str]:
        """List the tables it rests on.

        Parameters
        ----------
        tables : Tables
            The opened workbook.
        values : mapping of str to object
            Typed parameters; some make a table necessary.

        Returns
        -------
        list of str
            All tables when it names none.

        Raises
        ------
        InputError
            When a table that it needs is not mapped.
        """
        choices = self.needs.any_of
        met = [group for group in choices if all(tables.has(n) or values.get(n) for n in group)]
        if choices and not met:
            wanted = " or ".join(" with ".join(f"'{name}'" for name in group) for group in choices)
            raise InputError(
                f"The notebook needs {wanted}.",
                f"{self.where}, {tables.book.file} has {list(tables.book.tables)}",
                "map a table that is missing ('cx check --contract'), or give the parameter",
            )
        required = self.needs.tables
        tables.require(*required)
        named = [*required, *self.needs.also, *(name for group in met for name in group)]
        return [name for name in tables.book.tables if name in named or not named]


def read_notebook(path: Path) -> Notebook:
    """Read what a notebook says about itself.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    Notebook
        Its heading, parameters and needs.

    Raises
    ------
    InputError
        When it is no notebook of format 4, or cannot be given a workbook.
    """
    where = f"notebook '{path.stem}'"
    content = _read(path)
    node: Any = SimpleNamespace(
        cells=[
            SimpleNamespace(
                cell_type=cell.cell_type,
                source="".join(cell.source),
                metadata={"tags": cell.metadata.tags},
            )
            for cell in content.cells
        ]
    )
    declared = read_parameters(node, where)
    if "workbook" not in declared:
        raise InputError("The notebook declares no 'workbook'.", where, 'add workbook = "samples"')
    return Notebook(path, _title(node.cells, path.stem), declared, content.metadata.cx)


def _read(path: Path) -> _Content:
    """Read what checks need; importing nbformat takes as long as checking forty runs."""
    fix = "open and save it once in JupyterLab"
    try:
        content = json.loads(path.read_text("utf-8"))
        version = content["nbformat"]
        if version == 4:
            return _Content.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        said = f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}"
        raise InputError(f"'{path.name}' is no notebook: {said}.", str(path), fix) from error
    except Exception as error:
        raise InputError(f"'{path.name}' is no notebook: {error}", str(path)) from error
    raise InputError(f"'{path.name}' is saved in format {version}.", str(path), fix)


def _title(cells: Sequence[Any], name: str) -> str:
    for cell in cells:
        found = re.search(r"^# (.+)$", cell.source, re.MULTILINE)
        if cell.cell_type == "markdown" and found:
            return found.group(1).strip()
    return name
