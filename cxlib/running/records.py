"""The record of a run: what its kernel noted, and what the runner knows itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.installation import versions
from cxlib.planning.plans import Plan, TooFew, Wanted

if TYPE_CHECKING:
    from cxlib.data.ledger import LedgerEntry

MANY_REFUSED, FEW = 0.05, 5  # share and number of rows
_NEEDED = {  # of each kind of record
    "headline": {"text"},
    "warning": {"text"},
    "table": {"name"},
    "key_figure": {"id", "label", "value", "conf_low", "conf_high", "n", "unit"},
}


def describe_not_run(plan: Plan, error: BaseException) -> dict[str, Any]:
    """Describe a run that left no folder.

    Parameters
    ----------
    plan : Plan
        The run.
    error : BaseException
        Why.

    Returns
    -------
    dict
        A run record with the status ``not-run``.
    """
    failure = {"class": type(error).__name__, "message": str(error), "cell": None}
    return make_record(plan, [], "not-run", failure)


def describe_too_few(plan: TooFew) -> dict[str, Any]:
    """Describe a run that is not made, because its segment has too few rows.

    Parameters
    ----------
    plan : TooFew
        The run.

    Returns
    -------
    dict
        A run record with the status ``too-little-data``.
    """
    error = {"class": "TooLittleData", "message": plan.reason, "cell": None}
    return make_record(plan, [], "too-little-data", error)


def read_records(work: Path) -> list[dict[str, Any]]:
    """Read what a kernel noted.

    Parameters
    ----------
    work : pathlib.Path
        Folder of the run.

    Returns
    -------
    list of dict
        Records in order. A line that the kernel was killed at, or that a cell spoilt, is none.
    """
    try:
        text = (work / "records.jsonl").read_text("utf-8", errors="replace")
    except FileNotFoundError:  # a cell removed it
        text = ""
    records = []
    # not splitlines: names in the data may hold other line separators
    for line in text.split("\n"):
        with suppress(ValueError, RecursionError):
            record = json.loads(line)
            if isinstance(record, dict) and _NEEDED.get(record.get("kind", ""), {""}) <= {*record}:
                records.append(record)
    return records


def make_record(
    plan: Wanted, records: list[dict[str, Any]], status: str, error: dict[str, Any] | None
) -> dict[str, Any]:
    """Make the record of a run; the runner adds times, key and reason.

    Parameters
    ----------
    plan : Wanted
        The run.
    records : list of dict
        From :func:`read_records`.
    status : str
        How it ended.
    error : dict or None
        ``class``, ``message`` and ``cell`` of what went wrong.

    Returns
    -------
    dict
        The content of ``run.json``.
    """
    figures = {r["id"]: r for r in records if r["kind"] == "key_figure"}
    entries = plan.entries
    refused = _warn_of_refusals(entry for entry in entries if entry.table in plan.uses)
    warnings = refused + [r["text"] for r in records if r["kind"] == "warning"]
    return {
        "status": "ok-with-warnings" if status == "ok" and warnings else status,
        "notebook": plan.name,
        "title": plan.title,
        "set_name": plan.set_name,
        "parameters": plan.parameters,
        "as_of": plan.book.as_of.isoformat(),
        "started_at": "",
        "seconds": 0.0,
        "headline": next((r["text"] for r in records if r["kind"] == "headline"), ""),
        "key_figures": [
            {key: value for key, value in figure.items() if key != "kind"}
            for figure in figures.values()
        ],
        "tables": list(dict.fromkeys(r["name"] for r in records if r["kind"] == "table")),
        "inputs": [entry.as_dict() for entry in entries],
        "uses": plan.uses,
        "refusals": refused,
        "warnings": warnings,
        "versions": versions(),
        "key": {},
        "reason": "",
        "batch": "",
        "error": error,
    }


def _warn_of_refusals(entries: Iterable[LedgerEntry]) -> list[str]:
    """Warn where so many rows were refused that what is left may be another population."""
    return [
        f"{entry.rows_refused:,} of {entry.rows_in:,} rows of '{entry.table}' were refused, most "
        f"by the rule '{max(entry.rules, key=lambda rule: rule.n).rule}': what is left may not "
        "speak for all."
        for entry in entries
        if entry.rows_refused > max(MANY_REFUSED * entry.rows_in, FEW)
    ]
