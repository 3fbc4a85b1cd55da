"""What a batch leaves in its folder: read again to compare with, told from files of others."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxlib.errors import InputError
from cxlib.folders import SCRATCH

# in the folder of a batch itself, beside the folders of its runs
OUTPUTS = ("share", "index.html", "mail.html", "summary.json", "batch.json")
_RUN = {"notebook": str, "parameters": dict, "status": str, "key_figures": list}
_NUMBER = (int, float, type(None))
_FIGURE = {
    "id": str,
    "label": str,
    "unit": str,
    "value": (*_NUMBER, str),
    "n": _NUMBER,
    "conf_low": _NUMBER,
    "conf_high": _NUMBER,
}


def read_batch(folder: Path) -> dict[str, Any]:
    """Read the record of a batch that has ended, to compare another with it.

    Parameters
    ----------
    folder : pathlib.Path
        Its folder.

    Returns
    -------
    dict
        Content of its ``batch.json``: at least ``title`` and ``runs``, each with ``notebook``,
        ``parameters``, ``status`` and ``key_figures``.

    Raises
    ------
    InputError
        When there is none, or a file of another kind has its name.
    """
    file, fix = folder / "batch.json", "name the --out of an earlier batch"
    if not os.path.isfile(file):  # Path.is_file raises when a name is too long
        raise InputError("No batch has ended in this folder.", str(folder), fix)
    try:
        batch = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"'batch.json' cannot be read: {error}.", str(file), fix) from error
    lack = _find_lack(batch)
    if lack:
        raise InputError(f"'batch.json' is no record of a batch: {lack}.", str(file), fix)
    return dict(batch)


def _find_lack(batch: Any) -> str:
    """Say what a record of a batch lacks; empty when it has all that a comparison asks."""
    if not _has(batch, {"title": str, "runs": list}):
        return "it has no title or no runs"
    for number, run in enumerate(batch["runs"], start=1):
        for name, kind in _RUN.items():
            if not _has(run, {name: kind}):
                return f"run {number} has no sound '{name}'"
        if not all(_has(figure, _FIGURE) for figure in run["key_figures"]):
            return f"run {number} has no sound 'key_figures'"
    return ""


def _has(record: Any, kinds: Mapping[str, Any]) -> bool:
    return isinstance(record, dict) and all(
        name in record and isinstance(record[name], kind) for name, kind in kinds.items()
    )


def check_outputs(out: Path) -> None:
    """Check that a batch would not overwrite what no batch has written.

    Parameters
    ----------
    out : pathlib.Path
        Folder of all runs.

    Raises
    ------
    InputError
        When files or folders that a batch writes are there, and nothing tells that a batch was.
    """
    there = [name for name in OUTPUTS if os.path.lexists(out / name)]
    # the lock tells of one that was interrupted; a copy of a URL has the journal of one instead
    if not there or any((out / SCRATCH / name).exists() for name in ("lock", "batch.json")):
        return
    try:
        read_batch(out)
    except InputError as error:
        names = " and ".join(f"'{name}'" for name in there)
        problem = f"A batch would overwrite {names}, which no batch has made."
        raise InputError(problem, str(out), "choose another --out") from error
