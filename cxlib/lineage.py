"""Where a page comes from: code, parameters, sources."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.errors import InputError
from cxlib.parameters import read_parameters

if TYPE_CHECKING:
    from nbformat import NotebookNode

_ROOT = Path(__file__).resolve().parent.parent
_GIT_SECONDS = 10


@functools.cache
def describe_code(root: Path = _ROOT) -> str:
    """Name the version of cxlib, and in a checkout the commit and whether files differ from it.

    Parameters
    ----------
    root : pathlib.Path
        Folder that holds the package.

    Returns
    -------
    str
        Such as ``"0.1.0 (commit 1a2b3c4d5e6f, with changes)"``; the version alone when `root` is
        no checkout or git is not there.
    """
    from importlib.metadata import version

    name = version("cxlib")
    if not (root / ".git").exists():
        return name
    try:
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        changed = _git(root, "status", "--porcelain", "--", "cxlib", "notebooks", "pyproject.toml")
    except (OSError, subprocess.SubprocessError):
        return name
    return f"{name} (commit {commit}{', with changes' if changed else ''})"


def _git(root: Path, *words: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(root), *words]
    done = subprocess.run(command, capture_output=True, check=True, timeout=_GIT_SECONDS)
    return done.stdout.decode().strip()


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
