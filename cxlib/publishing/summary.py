"""What a batch says as a whole: how its reports ended, their figures, what moved, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cxlib.formats import format_figure, format_interval
from cxlib.publishing.report import ADVICE, describe_scope

_NO_ANSWER = ("failed-cell", "dead-kernel", "timeout", "not-run")
# worst first: what is said of one report and of several
STATUSES = {
    "failed-cell": ("✕", "failed", "failed", "failed"),
    "dead-kernel": ("✕", "died", "died, most often for lack of memory", "died"),
    "timeout": ("✕", "took too long", "took too long and was ended", "took too long"),
    "not-run": ("✕", "not run", "could not be run", "could not be run"),
    "too-little-data": ("○", "too little data", "has too little data", "have too little data"),
    "ok-with-warnings": ("▲", "ok, with notes", "is ok, with notes", "are ok, with notes"),
    "ok": ("✓", "ok", "is ok", "are ok"),
}
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
        ``title``, ``made_at``, ``counts`` by status, ``sentences``, ``compared`` (None, or title,
        ``n_tested``, ``n_moved``, ``n_untested`` and ``moved``) and ``sets``, each with its
        status, links, headline and key figures with ``change`` and ``text``.
    """
    runs: Sequence[Mapping[str, Any]] = batch["runs"]
    if previous is not None:
        from cxlib.publishing.changes import add_changes

        runs = add_changes(runs, previous["runs"])
    sets = [_describe_set(run, out) for run in runs]
    outcomes = [each["outcome"] for each in sets]
    return {
        "title": batch["title"],
        "made_at": max((run["started_at"] for run in runs), default=""),
        "counts": {
            name: [run["status"] for run in runs].count(name)
            for name in dict.fromkeys(run["status"] for run in runs)
        },
        "sentences": [*_count(outcomes), *_count_unchanged(runs)],
        "compared": None if previous is None else describe_changes(sets, previous["title"]),
        "sets": sets,
    }


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
        "held_back": run.get("held_back", ""),
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


def _count(outcomes: Sequence[str]) -> list[str]:
    """Say how the reports ended, the worst first."""
    if len(outcomes) == 0:
        return ["There is no report."]
    if len(set(outcomes)) == 1 and len(outcomes) > 1:
        return [f"All {len(outcomes)} reports {STATUSES[outcomes[0]][3]}."]
    told = []
    for status, (_, _, one, several) in STATUSES.items():
        if n := outcomes.count(status):
            told.append(f"{n} of {_number(len(outcomes))} {one if n == 1 else several}.")
    return told


def _number(n: int) -> str:
    return f"{n} report{'s' if n != 1 else ''}"


def _count_unchanged(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    n = sum(run["status"] == "skipped-unchanged" for run in runs)
    if n == 0:
        return []
    was, them = ("was", "it") if n == 1 else ("were", "them")
    return [f"{n} of {_number(len(runs))} {was} kept: nothing behind {them} has changed."]


def describe_figure(figure: Mapping[str, Any]) -> str:
    """Say a key figure in words.

    Parameters
    ----------
    figure : dict
        A key figure, with ``change`` when there is an earlier batch.

    Returns
    -------
    str
        Such as ``"NPS 31.00 (25.00 to 37.00), n 412: up 4.00 against the last batch, moved"``.
    """
    interval = format_interval(figure["conf_low"], figure["conf_high"], figure["unit"])
    label = figure["label"] + (":" if " " in figure["label"] else "")
    parts = [f"{label} {format_figure(figure['value'], figure['unit'])}"]
    parts[0] += f" ({interval})" if interval else ""
    parts += [f"n {figure['n']:,}"] if figure["n"] is not None else []
    change = describe_change(figure)
    return ", ".join(parts) + (f": {change}" if change else "")


def describe_change(figure: Mapping[str, Any], against: str = " against the last batch") -> str:
    """Say how a key figure differs from the earlier batch.

    Parameters
    ----------
    figure : dict
        A key figure with ``change``.
    against : str
        What it is compared with.

    Returns
    -------
    str
        Such as ``"up 4.00 against the last batch, not clearly"``; empty when there is none.
    """
    change = figure.get("change")
    if change is None:
        return ""
    verdict = f"{change['verdict']}: {change['why']}" if change["why"] else change["verdict"]
    difference = change["difference"]
    if difference is None:
        return verdict
    if difference == 0:
        return f"as before, {verdict}"
    size = format_figure(abs(difference), figure["unit"])
    if figure["unit"] == "share":
        size = f"{100 * abs(difference):.1f} points"
    return f"{'up' if difference > 0 else 'down'} {size}{against}, {verdict}"


def describe_changes(sets: Sequence[Mapping[str, Any]], title: str) -> dict[str, Any]:
    """Say what moved since the earlier batch.

    Parameters
    ----------
    sets : sequence of dict
        Of a summary.
    title : str
        Of the earlier batch.

    Returns
    -------
    dict
        ``title``, ``n_tested``, ``n_moved``, ``n_untested``, and ``moved``, sentences with the
        clearest first.
    """
    found = [
        (figure["change"], f"{each['set_name']}: {figure['text']}")
        for each in sets
        for figure in each["key_figures"]
        if figure["change"]
    ]
    verdicts = [change["verdict"] for change, _ in found]
    moved = [(change["q_value"], text) for change, text in found if change["verdict"] == "moved"]
    return {
        "title": title,
        "n_tested": sum(verdict in ("moved", "not clearly") for verdict in verdicts),
        "n_moved": len(moved),
        "n_untested": verdicts.count("not tested"),
        "moved": [text for _, text in sorted(moved, key=lambda each: each[0])],
    }
