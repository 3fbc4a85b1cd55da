"""The lists of a batch: a page for people, a summary for programs, a mail."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cxlib.errors import RunError
from cxlib.files import whole_file
from cxlib.formats import format_figure, format_interval
from cxlib.publishing.pages import render_page
from cxlib.publishing.report import STATUSES
from cxlib.publishing.strips import draw_grid, draw_strip, find_axis, join_prefix
from cxlib.publishing.summary import Summary, find_outcome, summarise_batch
from cxlib.publishing.wording import FEW, describe_change


def write_index(
    batch: Mapping[str, Any], out: Path, *, previous: Mapping[str, Any] | None = None
) -> None:
    """Write ``index.html``, ``summary.json`` and ``mail.html`` of a batch.

    Parameters
    ----------
    batch : dict
        Content of ``batch.json``: ``title`` and ``runs``.
    out : pathlib.Path
        Folder of the batch.
    previous : dict, optional
        The same of an earlier batch to compare with.

    Raises
    ------
    RunError
        When they cannot be written.
    """
    summary = summarise_batch(batch, previous=previous, out=out)
    content = {
        "summary.json": json.dumps(summary, indent=1, ensure_ascii=False),
        "mail.html": render_mail(summary),
        "index.html": render_index(summary),
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in content.items():
            with whole_file(out / name) as part:
                part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunError(f"The index could not be written to {out}: {error}") from error


def render_index(summary: Summary) -> str:
    """Render the page that lists the reports of a batch.

    Parameters
    ----------
    summary : dict
        From :func:`summarise_batch`.

    Returns
    -------
    str
        A whole HTML document; links are relative to the folder of the batch.
    """
    levels = sorted({each["conf_level"] for each in summary["sets"]})
    return render_page(
        "index.html.j2",
        extra="index",
        summary=summary,
        groups=_group(summary["sets"]),
        statuses=STATUSES,
        ranks={name: rank for rank, name in enumerate(STATUSES)},
        outcome=find_outcome,
        outcomes={find_outcome(each) for each in summary["sets"]},
        few=FEW,
        levels=" or ".join(f"{level:.0%}" for level in levels),
        figure=format_figure,
        interval=format_interval,
        change=lambda figure: describe_change(figure, ""),
        draw_strip=draw_strip,
    )


def _group(sets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put the sets of a notebook together, their key figures into columns on common axes."""
    groups = []
    for number, name in enumerate(dict.fromkeys(each["notebook"] for each in sets)):
        members = [each for each in sets if each["notebook"] == name]
        ids = dict.fromkeys(f["id"] for each in members for f in each["key_figures"])
        columns = []
        for place, id in enumerate(ids):
            figures = [f for each in members for f in each["key_figures"] if f["id"] == id]
            label = join_prefix(figure["label"] for figure in figures)
            axis = find_axis(figures, id=f"axis-{number}-{place}")
            grid = draw_grid(axis) if axis else ""
            columns.append({"id": id, "label": label or id, "axis": axis, "grid": grid})
        rows = [(each, {f["id"]: f for f in each["key_figures"]}) for each in members]
        groups.append({"title": members[0]["title"], "columns": columns, "rows": rows})
    return groups


def render_mail(summary: Summary) -> str:
    """Render the batch as a mail: a plain table, no script, no picture, no link.

    Parameters
    ----------
    summary : dict
        From :func:`summarise_batch`.

    Returns
    -------
    str
        A whole HTML document with its styles inline, as mail programs want them.
    """
    return render_page("mail.html.j2", summary=summary, statuses=STATUSES, outcome=find_outcome)
