"""What a run depends on, as hashes: equal hashes, equal page, so the run need not be made again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.installation import hash_content, hash_installation

if TYPE_CHECKING:
    from cxlib.planning.plans import Plan

WHILE_IT_RAN = "changed while it ran"
ANSWERED = ("ok", "ok-with-warnings", "too-little-data")
_SHAPE: dict[str, type] = {
    "status": str,
    "notebook": str,
    "title": str,
    "batch": str,
    "reason": str,
    "headline": str,
    "parameters": dict,
    "key": dict,
    "key_figures": list,
    "tables": list,
    "inputs": list,
    "warnings": list,
}
# tables that opening a workbook joins to those a notebook names
_JOINED = {"events": "touchpoints", "answers": "items"}


def hash_run(plan: Plan) -> dict[str, str]:
    """Hash what a run depends on, part by part.

    Parameters
    ----------
    plan : Plan
        The run.

    Returns
    -------
    dict of str to str
        By part: ``notebook``, ``title``, ``parameters``, ``workbook`` (its settings),
        ``data <table>``, ``cxlib``, ``libraries`` and ``templates``.

    Notes
    -----
    Outputs that a notebook was saved with count for nothing, its text does, because it is on the
    page. Of the workbook, only what concerns the tables used counts, and not where it lies.
    """
    used = _tables_used(plan)
    settings = plan.book.model_dump(mode="json")
    settings["tables"] = {name: settings["tables"][name] for name in used}
    parameters = {name: value for name, value in plan.parameters.items() if name != "workbook"}
    data = {entry.table: entry.as_dict() for entry in plan.entries}
    return {
        "notebook": _hash_notebook(plan.notebook, plan.notebook.stat().st_mtime_ns),
        "title": hash_content(plan.set_name),
        "parameters": hash_content(parameters),
        "workbook": hash_content(settings),
        **{f"data {name}": hash_content(data[name]) for name in used},
        **hash_installation(),
    }


def read_run(folder: Path) -> dict[str, Any] | None:
    """Read the record of a run.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the run.

    Returns
    -------
    dict or None
        The content of ``run.json``; None when there is none to be read.
    """
    try:
        run = json.loads((folder / "run.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return run if isinstance(run, dict) and _has_shape(run) else None


def _has_shape(run: Mapping[str, Any]) -> bool:
    """Tell whether a record has what is asked of it; one of an older cxlib may not."""
    return all(isinstance(run.get(name), kind) for name, kind in _SHAPE.items())


def is_whole(folder: Path, run: Mapping[str, Any]) -> bool:
    """Tell whether the files of a run are still there.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the run.
    run : mapping
        Its record.

    Returns
    -------
    bool
        False when somebody removed one.
    """
    tables = [f"tables/{name}.{kind}" for name in run["tables"] for kind in ("csv", "parquet")]
    pages = ("report.html", "analyst.html", "notebook.ipynb")
    return all((folder / name).is_file() for name in (*pages, *tables))


def explain_run(plan: Plan, key: Mapping[str, str], earlier: Mapping[str, Any] | None) -> str:
    """Say why a run is made.

    Parameters
    ----------
    plan : Plan
        The run.
    key : mapping of str to str
        From :func:`hash_run`.
    earlier : mapping or None
        Record of the run that its folder holds.

    Returns
    -------
    str
        Such as ``"data changed: answers"``; empty when it need not be made.
    """
    if earlier is None:
        return "new"
    changed = explain_change(earlier.get("key", {}), key)
    if changed == "parameters changed":
        names = _differing(earlier["parameters"], plan.parameters)
        changed += f": {', '.join(name for name in names if name != 'workbook')}"
    if changed:
        return changed
    if earlier["status"] not in ANSWERED:
        return f"{earlier['status']} before"
    return "" if is_whole(plan.folder, earlier) else "files are missing"


def explain_change(earlier: Mapping[str, str], key: Mapping[str, str]) -> str:
    """Say in what two keys differ.

    Parameters
    ----------
    earlier, key : mapping of str to str
        From :func:`hash_run`.

    Returns
    -------
    str
        Such as ``"cxlib changed"`` or ``"notebook changed, data changed: items"``; empty when
        they are equal.
    """
    if not earlier:
        return "made by an earlier cxlib"
    parts = _differing(earlier, key)
    late = [part for part in parts if earlier.get(part) == WHILE_IT_RAN]
    if late:
        return f"{', '.join(late)} {WHILE_IT_RAN}"
    said = [f"{part} changed" for part in parts if not part.startswith("data ")]
    tables = [part.removeprefix("data ") for part in parts if part.startswith("data ")]
    said += [f"data changed: {', '.join(tables)}"] if tables else []
    return ", ".join(said)


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    return [name for name in {**first, **second} if first.get(name) != second.get(name)]


def _tables_used(plan: Plan) -> list[str]:
    wanted = set(plan.uses) | {_JOINED.get(name, name) for name in plan.uses}
    if plan.parameters.get("segment_by"):
        wanted |= {"customers"}
    return [name for name in plan.book.tables if name in wanted]


@cache
def _hash_notebook(path: Path, _changed_at: int) -> str:
    content = json.loads(path.read_text("utf-8"))
    cells = [
        [cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("tags", [])]
        for cell in content["cells"]
    ]
    return hash_content([cells, content.get("metadata", {}).get("cx")])
