"""Executed notebook to one HTML page: the answer first, no other host, code for analysts alone."""

from __future__ import annotations

import datetime
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cxlib.formats import source_name
from cxlib.installation import describe_code
from cxlib.publishing.figures import render_figure
from cxlib.publishing.lineage import list_parameters
from cxlib.publishing.pages import render_page
from cxlib.publishing.prose import Prose
from cxlib.workbook import Workbook

if TYPE_CHECKING:
    from nbformat import NotebookNode

ADVICE = {
    "too-little-data": "The data are sound, but too few for this answer. Widen the period or the "
    "segment, or collect more, and run it again.",
    "timeout": "The run took too long and was ended. Run it on less data, or allow more time: "
    "timeout_seconds in the manifest, --timeout of cx run.",
    "dead-kernel": "The analysis died, most often for lack of memory. Run it on less data.",
    "failed-cell": "A step of the analysis failed. The analyst finds the reason in notebook.ipynb.",
    "not-run": "The analysis gave no page. The analyst finds the reason in run.json.",
}
# worst first: what is said of one report and of several
STATUSES = {
    "failed-cell": ("✕", "failed", "failed", "failed"),
    "dead-kernel": ("✕", "died", "died, most often for lack of memory", "died"),
    "timeout": ("✕", "took too long", "took too long and was ended", "took too long"),
    "not-run": ("✕", "not run", "could not be run", "could not be run"),
    "held-back": ("■", "held back", "is held back", "are held back"),
    "too-little-data": ("○", "too little data", "has too little data", "have too little data"),
    "ok-with-warnings": ("▲", "ok, with notes", "is ok, with notes", "are ok, with notes"),
    "ok": ("✓", "ok", "is ok", "are ok"),
}
PRINTED = 20_000  # letters of one output that a page shows
# what moves and colours text in a terminal, and what no page may hold
_TERMINAL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])|"
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)


@dataclass
class Section:
    """A part of the page under one heading; all of it is finished HTML."""

    heading: str
    anchor: str
    blocks: list[str] = field(default_factory=list)


def render_report(
    notebook: NotebookNode, run: dict[str, Any], book: Workbook, *, with_code: bool = False
) -> str:
    """Render the page of a run.

    Parameters
    ----------
    notebook : NotebookNode
        The executed notebook.
    run : dict
        The run's record.
    book : Workbook
        Whose data it is.
    with_code : bool, default False
        Render the analyst's copy: with the code, behind a switch, and with the traceback of a
        run that failed.

    Returns
    -------
    str
        A whole HTML document without references to other hosts. A stakeholder's page of a run
        that failed says what kind of error it was and what to do, and shows no result.
    """
    intro, *sections = _sections(notebook, with_code)
    failed = run["error"] is not None and run["status"] != "too-little-data"
    if failed and not with_code:
        intro, sections = Section("", "top"), []
    inputs = [entry for entry in run["inputs"] if entry["table"] in run["uses"]]
    return render_page(
        "report.html.j2",
        run=run,
        book=book,
        title=run["title"],
        name=run.get("set_name") or run["title"],
        with_code=with_code,
        intro=intro.blocks,
        sections=[section for section in sections if section.blocks],
        advice=_advice(run),
        outcome=STATUSES[run["status"]][1].capitalize(),
        made=write_day(run["started_at"]),
        scope=describe_scope(run["parameters"]),
        parameters=list_parameters(notebook, run["parameters"]),
        inputs=inputs,
        refused=sum(entry["rows_refused"] for entry in inputs),
        code=describe_code(),
        source_name=source_name,
    )


def describe_scope(parameters: dict[str, Any]) -> str:
    """Say which part of the customers or of the time a page is about.

    Parameters
    ----------
    parameters : dict
        Parameters of the run.

    Returns
    -------
    str
        Such as ``"Only region = Cork, from 2024-01-01"``; empty when it is about all.
    """
    parts = []
    if parameters.get("segment"):
        parts.append(f"{parameters['segment_by']} = {parameters['segment']}")
    for name, word in (("period_start", "from"), ("period_end", "to")):
        if parameters.get(name):
            parts.append(f"{word} {parameters[name]}")
    return f"Only {', '.join(parts)}" if parts else ""


def _advice(run: dict[str, Any]) -> str:
    """Say what became of a run that did not end well; no value of the data, no traceback."""
    error = run["error"]
    if error is None:
        return ""
    if run["status"] == "too-little-data":  # the message is written by a study for readers
        return f"{error['message']} {ADVICE[run['status']]}"
    return f"{ADVICE[run['status']]} ({error['class']})"


def find_period(run: Mapping[str, Any]) -> tuple[str, str]:
    """Find the first and the last day whose data a run rests on.

    Parameters
    ----------
    run : dict
        Its record.

    Returns
    -------
    tuple of str
        ISO days, which order as text; empty where no bound is known.
    """
    parameters = run["parameters"]
    ends = [day for day in (parameters.get("period_end"), run.get("as_of")) if day]
    return parameters.get("period_start", ""), min(ends, default="")


def write_day(stamp: str) -> str:
    """Write a day for a reader.

    Parameters
    ----------
    stamp : str
        ISO day, or day and time.

    Returns
    -------
    str
        Such as ``"2 January 2026"``.
    """
    moment = datetime.datetime.fromisoformat(stamp)
    return f"{moment.day} {moment:%B %Y}"


def _sections(notebook: NotebookNode, with_code: bool) -> list[Section]:
    """Cut the notebook at its second-level headings."""
    prose, sections, used = Prose(), [Section("", "top")], {"top", "main", "lineage"}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for heading, text in prose.sections(cell.source):
                if heading:
                    sections.append(Section(heading, _anchor(heading, used)))
                if text.strip():
                    sections[-1].blocks.append(text)
        elif cell.cell_type == "code":
            sections[-1].blocks += _blocks(cell, with_code)
    return sections


def _anchor(heading: str, used: set[str]) -> str:
    text = html.unescape(re.sub(r"<[^>]*>", "", heading)).lower()
    anchor = base = re.sub(r"[^a-z0-9]+", "-", text).strip("-") or "section"
    number = 2
    while anchor in used:
        anchor, number = f"{base}-{number}", number + 1
    used.add(anchor)
    return anchor


def _blocks(cell: NotebookNode, with_code: bool) -> Iterator[str]:
    """Render what a code cell showed, for analysts after the code and with what went wrong."""
    if with_code and cell.source.strip():
        yield _code("Code", cell.source)
    for output in cell.outputs:
        if output.output_type == "error":
            if with_code:
                yield _code("Traceback", _TERMINAL.sub("", "\n".join(output.traceback)))
        elif block := _output(output):
            yield block


def _code(summary: str, text: str) -> str:
    return (
        f'<details class="code"><summary>{summary}</summary>'
        f'<pre tabindex="0"><code>{html.escape(text)}</code></pre></details>'
    )


def _output(output: NotebookNode) -> str:
    if output.output_type == "stream":
        return _text(output.text) if output.name == "stdout" else ""
    data, about = output.data, output.metadata
    for mime in ("image/svg+xml", "image/png"):
        if mime in data:
            return render_figure(data[mime], mime, about.get(mime, {}))
    if "text/html" in data and about.get("text/html", {}).get("cxlib"):
        return str(data["text/html"])
    # HTML that cxlib did not write may carry anything the data carried
    return _text(data.get("text/plain", ""))


def _text(text: str) -> str:
    text = _TERMINAL.sub("", text)
    if not text.strip():
        return ""
    left = len(text) - PRINTED
    note = f'<p class="meta">{left:,} more letters are left out here.</p>' if left > 0 else ""
    return f'<pre tabindex="0">{html.escape(text[:PRINTED])}</pre>{note}'
