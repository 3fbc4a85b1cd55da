"""The parameters behind a page, and which of them somebody set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cxlib.errors import InputError
from cxlib.parameters import read_parameters

if TYPE_CHECKING:
    from nbformat import NotebookNode


def list_parameters(notebook: NotebookNode, values: dict[str, Any]) -> list[tuple[str, str, str]]:
    """List the parameters of a run for a reader, and which of them are the notebook's defaults.

    Parameters
    ----------
    notebook : NotebookNode
        The executed notebook; it still holds the defaults it declares.
    values : dict
        All parameters of the run.

    Returns
    -------
    list of tuple of str
        Name, value, and ``"default"`` or ``"set for this page"`` (empty where the notebook does
        not tell). The workbook is left out: its place on the analyst's disk stays there.
    """
    try:
        declared = read_parameters(notebook, "")
    except InputError:  # a run that never started has no cells
        declared = {}
    rows = []
    for name, value in values.items():
        if name != "workbook":
            text = ", ".join(value) if isinstance(value, list) else str(value)
            why = ""
            if name in declared:
                why = "default" if value == declared[name].default else "set for this page"
            rows.append((name, text or "–", why))
    return rows
