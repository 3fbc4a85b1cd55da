"""Executed notebook to one HTML page for the stakeholder: answer first, no code, no other host."""

from __future__ import annotations

import base64
import datetime
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.workbook import Workbook

if TYPE_CHECKING:
    from nbformat import NotebookNode

_ADVICE = {
    "too-little-data": "The data are sound, but too few for this answer. Widen the period or the "
    "segment, or collect more, and run it again.",
    "timeout": "The run took too long and was ended. Run it on less data, or allow more time.",
    "dead-kernel": "The analysis died, most often for lack of memory. Run it on less data.",
    "failed-cell": "A step of the analysis failed. The analyst finds the reason in notebook.ipynb.",
    "not-run": "The analysis could not be started. The analyst finds the reason in run.json.",
}


@dataclass
class Section:
    """A part of the page under one heading; its content is finished HTML."""

    heading: str
    anchor: str
    blocks: list[str] = field(default_factory=list)


def render_report(notebook: NotebookNode, run: dict[str, Any], book: Workbook) -> str:
    """Render the page of a run.

    Parameters
    ----------
    notebook : NotebookNode
        The executed notebook.
    run : dict
        The run's record.
    book : Workbook
        Whose data it is.

    Returns
    -------
    str
        A whole HTML document without code, scripts or references to other hosts.
    """
    intro, *sections = list(_sections(notebook))
    inputs = [entry for entry in run["inputs"] if entry["table"] in run["uses"]]
    return _template("report.html.j2").render(
        run=run,
        book=book,
        title=run["title"],
        intro=_without_title(intro.blocks),
        sections=[section for section in sections if section.blocks],
        advice=_advice(run),
        made=_day(run["started_at"]),
        scope=describe_scope(run["parameters"]),
        parameters=_given(run["parameters"]),
        inputs=inputs,
        refused=sum(entry["rows_refused"] for entry in inputs),
    )


def render_index(runs: list[dict[str, Any]], title: str) -> str:
    """Render the page that lists runs.

    Parameters
    ----------
    runs : list of dict
        Run records, each with ``folder``, the run's folder relative to the page.
    title : str
        Heading of the page.

    Returns
    -------
    str
        A whole HTML document.
    """
    from cxlib.formats import format_figure, format_interval

    return _template("index.html.j2").render(
        runs=runs,
        title=title,
        figure=format_figure,
        interval=format_interval,
        scope=describe_scope,
        advice=_ADVICE,
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


def _template(name: str) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = Path(__file__).parent / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _advice(run: dict[str, Any]) -> str:
    """Say what became of a run that did not end well; no value of the data, no traceback."""
    error = run["error"]
    if error is None:
        return ""
    if run["status"] == "too-little-data":  # the message is written by a study for readers
        return f"{error['message']} {_ADVICE[run['status']]}"
    return f"{_ADVICE[run['status']]} ({error['class']})"


def _day(stamp: str) -> str:
    moment = datetime.datetime.fromisoformat(stamp)
    return f"{moment.day} {moment:%B %Y}"


def _given(parameters: dict[str, Any]) -> list[tuple[str, str]]:
    """List parameters for a reader; the workbook's place on the analyst's disk stays there."""
    return [
        (name, ", ".join(value) if isinstance(value, list) else str(value))
        for name, value in parameters.items()
        if name != "workbook" and value not in ("", [])
    ]


def _sections(notebook: NotebookNode) -> Iterator[Section]:
    """Cut the notebook at its second-level headings."""
    section = Section("", "top")
    used: set[str] = {"top"}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for heading, text in _split(cell.source):
                if heading:
                    yield section
                    section = Section(heading, _anchor(heading, used))
                if text.strip():
                    section.blocks.append(_markdown(text))
        elif cell.cell_type == "code":
            section.blocks += [block for output in cell.outputs if (block := _output(output))]
    yield section


def _split(source: str) -> Iterator[tuple[str, str]]:
    parts = re.split(r"^## +(.+)$", source, flags=re.MULTILINE)
    yield "", parts[0]
    yield from zip(parts[1::2], parts[2::2], strict=True)


def _anchor(heading: str, used: set[str]) -> str:
    anchor = base = re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") or "section"
    number = 2
    while anchor in used:
        anchor, number = f"{base}-{number}", number + 1
    used.add(anchor)
    return anchor


def _markdown(text: str) -> str:
    import mistune

    render = mistune.create_markdown(escape=True, plugins=["table"])
    return str(render(text))


def _without_title(blocks: list[str]) -> list[str]:
    return [re.sub(r"<h1>.*?</h1>\s*", "", block, flags=re.DOTALL) for block in blocks]


def _output(output: NotebookNode) -> str:
    if output.output_type == "stream":
        return f"<pre>{html.escape(output.text)}</pre>" if output.name == "stdout" else ""
    if output.output_type not in {"display_data", "execute_result"}:
        return ""  # a traceback is the analyst's, in notebook.ipynb
    about = output.metadata
    if "image/svg+xml" in output.data:
        svg = output.data["image/svg+xml"]
        return _figure(svg.encode(), "image/svg+xml", about.get("image/svg+xml", {}))
    if "image/png" in output.data:
        content = base64.b64decode(output.data["image/png"])
        return _figure(content, "image/png", about.get("image/png", {}))
    if "text/html" in output.data and about.get("text/html", {}).get("cxlib"):
        return output.data["text/html"]
    # HTML that cxlib did not write may carry anything the data carried
    return f"<pre>{html.escape(output.data.get('text/plain', ''))}</pre>"


def _figure(content: bytes, mime: str, about: dict[str, Any]) -> str:
    """Embed a picture as an image: nothing inside it can run, its ids meet no others."""
    data = base64.b64encode(content).decode()
    alt, title = html.escape(about.get("alt", "")), html.escape(about.get("title", ""))
    caption = f"<figcaption>{title}</figcaption>" if title else ""
    return f'<figure>{caption}<img alt="{alt}" src="data:{mime};base64,{data}"></figure>'
