"""What a batch says as a whole: how its reports ended, their figures, what moved, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cxlib.publishing.report import ADVICE, STATUSES, describe_scope, find_period, write_day
from cxlib.publishing.wording import describe_changes, describe_figure

_NO_ANSWER = ("failed-cell", "dead-kernel", "timeout", "not-run")
Summary = dict[str, Any]


def summarise_batch(
    batch: Mapping[str, Any],
    *,
    previous: Mapping[str, Any] | None = None,
    out: Path | None = None,
) -> Summary:
    """Gather what the pages about a batch say.

    Parameters
    ----------
    batch : dict
        Content of ``batch.json``.
    previous : dict, optional
        The same of an earlier batch to compare with.
    out : pathlib.Path, optional
        Folder of the batch; what lies there is linked.

    Returns
    -------
    dict
        ``title``, ``made_at``, ``until`` (last day of the data, in words; empty when the runs
        differ), ``counts`` by status, ``sentences``, ``compared`` (None, or what
        :func:`describe_changes` gives, with ``until`` and ``remade`` of the earlier batch) and
        ``sets``, each with its status, links, headline, key figures with ``change`` and ``text``,
        ``not_shared``, why it is not in ``share/``, and ``held_back``, empty here: a list that is
        handed round says there why it shows nothing of the set.
    """
    runs: Sequence[Mapping[str, Any]] = batch["runs"]
    if previous is not None:
        from cxlib.publishing.changes import add_changes

        runs = add_changes(runs, previous["runs"])
    sets = [_describe_set(run, out) for run in runs]
    compared = None
    if previous is not None:
        compared = describe_changes(sets, previous["title"])
        compared |= {"until": _find_last_day(previous["runs"]), "remade": _describe_remade(runs)}
    return {
        "title": batch["title"],
        "made_at": max((run["started_at"] for run in runs), default=""),
        "until": _find_last_day(runs),
        "counts": {
            name: [run["status"] for run in runs].count(name)
            for name in dict.fromkeys(run["status"] for run in runs)
        },
        "sentences": describe_outcomes(sets),
        "compared": compared,
        "sets": sets,
    }


def _find_last_day(runs: Sequence[Mapping[str, Any]]) -> str:
    days = {find_period(run)[1] for run in runs}
    return write_day(days.pop()) if len(days) == 1 and "" not in days else ""


def _describe_remade(runs: Sequence[Mapping[str, Any]]) -> str:
    """Say whether another program made the earlier batch; a difference may come from that."""
    titles = dict.fromkeys(run["title"] for run in runs if "notebook" in run["remade"])
    parts = ["cxlib"] if any("cxlib" in run["remade"] for run in runs) else []
    parts += [f"the notebook{'s' if len(titles) > 1 else ''} {', '.join(titles)}"] if titles else []
    made = " and of ".join(parts)
    return (
        f"That batch was made by another version of {made}: differences may come from that."
        if made
        else ""
    )


def _describe_set(run: Mapping[str, Any], out: Path | None) -> dict[str, Any]:
    parameters, folder = run["parameters"], run.get("folder", "")
    name = run.get("set_name") or describe_scope(parameters) or run["title"]
    return {
        "set_name": name,
        "name": name.removeprefix(f"{run['title']}: "),
        "title": run["title"],
        "notebook": run["notebook"],
        "folder": folder,
        "status": run["status"],
        "outcome": run.get("kept_status", run["status"]),
        "reason": run.get("reason", ""),  # why it was made
        "headline": run["headline"] if run["status"] not in _NO_ANSWER else "",
        "advice": _advise(run),
        "not_shared": run.get("held_back", ""),
        "held_back": "",
        "n_warnings": len(run["warnings"]),
        "conf_level": float(parameters.get("conf_level", 0.95)),
        "min_cell": int(parameters.get("min_cell", 10)),
        "n_tables": len(run["tables"]),
        "links": _find_links(out, folder),
        "key_figures": [
            {"change": None, **figure, "text": describe_figure(figure)}
            for figure in run["key_figures"]
        ],
    }


def _advise(run: Mapping[str, Any]) -> str:
    outcome = run.get("kept_status", run["status"])
    if outcome == "too-little-data" and run["error"]:
        return str(run["error"]["message"])  # written by a study for readers
    return ADVICE.get(outcome, "")


def _find_links(out: Path | None, folder: str) -> dict[str, str]:
    """Find what of a run can be opened."""
    names = {"page": "report.html", "notebook": "notebook.ipynb", "tables": "tables/"}
    if not folder or out is None:
        return {}
    return {
        name: f"{folder}/{file}" for name, file in names.items() if (out / folder / file).exists()
    }


def find_outcome(told: Mapping[str, Any]) -> str:
    """Find what a list says became of a set.

    Parameters
    ----------
    told : dict
        A set of a summary.

    Returns
    -------
    str
        A key of `STATUSES`: ``"held-back"`` where the list may not show it, else its outcome.
    """
    return "held-back" if told["held_back"] else str(told["outcome"])


def describe_outcomes(sets: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say how the reports ended.

    Parameters
    ----------
    sets : sequence of dict
        Of a summary.

    Returns
    -------
    list of str
        Sentences, the worst first.
    """
    outcomes = [find_outcome(told) for told in sets]
    if len(outcomes) == 0:
        return ["There is no report."]
    told = [
        f"{n} of {_number(len(outcomes))} {one if n == 1 else several}."
        for status, (_, _, one, several) in STATUSES.items()
        if (n := outcomes.count(status))
    ]
    if len(told) == 1 and len(outcomes) > 1:
        told = [f"All {len(outcomes)} reports {STATUSES[outcomes[0]][3]}."]
    return told + _count_unchanged(sets)


def _number(n: int) -> str:
    return f"{n} report{'s' if n != 1 else ''}"


def _count_unchanged(sets: Sequence[Mapping[str, Any]]) -> list[str]:
    n = sum(told["status"] == "skipped-unchanged" for told in sets)
    if n == 0:
        return []
    was, them = ("was", "it") if n == 1 else ("were", "them")
    return [f"{n} of {_number(len(sets))} {was} kept: nothing behind {them} has changed."]
