"""What a notebook says about itself: its heading, its parameters, the tables it needs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from cxlib.errors import InputError
from cxlib.parameters import Parameter, read_parameters

if TYPE_CHECKING:
    from cxlib.data.connect import Tables


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
    needs : mapping
        The tables it asks for, from its metadata.
    """

    path: Path
    title: str
    declared: Mapping[str, Parameter]
    needs: Mapping[str, Any]

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
        choices = self.needs.get("any_of", [])
        met = [group for group in choices if all(tables.has(n) or values.get(n) for n in group)]
        if choices and not met:
            wanted = " or ".join(" with ".join(f"'{name}'" for name in group) for group in choices)
            raise InputError(
                f"The notebook needs {wanted}.",
                f"{self.where}, {tables.book.file} has {list(tables.book.tables)}",
                "map a table that is missing ('cx check --contract'), or give the parameter",
            )
        required = self.needs.get("tables", [])
        tables.require(*required)
        named = [*required, *self.needs.get("also", []), *(name for group in met for name in group)]
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
        When it is no notebook, or cannot be given a workbook.
    """
    where = f"notebook '{path.stem}'"
    try:
        node = _read(path)
    except Exception as error:
        raise InputError(f"'{path.name}' is no notebook: {error}", str(path)) from error
    declared = read_parameters(node, where)
    if "workbook" not in declared:
        raise InputError("The notebook declares no 'workbook'.", where, 'add workbook = "samples"')
    return Notebook(path, _title(node, path.stem), declared, node.metadata.get("cx", {}))


def _read(path: Path) -> Any:
    """Read what checks need; importing nbformat takes as long as checking forty runs."""
    content = json.loads(path.read_text("utf-8"))
    if content["nbformat"] != 4:
        import nbformat

        return nbformat.read(path, as_version=4)
    cells = [
        SimpleNamespace(
            cell_type=cell["cell_type"],
            source="".join(cell["source"]),
            metadata=dict(cell.get("metadata", {})),
        )
        for cell in content["cells"]
    ]
    return SimpleNamespace(cells=cells, metadata=dict(content.get("metadata", {})))


def _title(notebook: Any, name: str) -> str:
    for cell in notebook.cells:
        found = re.search(r"^# (.+)$", cell.source, re.MULTILINE)
        if cell.cell_type == "markdown" and found:
            return found.group(1).strip()
    return name
