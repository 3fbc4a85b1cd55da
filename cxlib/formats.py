"""How numbers and tables are written for readers."""

from __future__ import annotations

import html
import math
import posixpath
from collections.abc import Collection, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

PAGE_ROWS, SPREAD_ROWS = 25, 30
_STYLES = {
    "share": "percent",
    "count": "n",
    "number": "n",
    "points": "0.00",
    "days": "0.0",
    "long days": "0.",
    "p": "p",
}
_BARE = {"share", "count", "number", "points", "p", ""}
_LONG_DAYS = 100  # from here on without decimals


def format_figure(value: float | int | str | None, unit: str) -> str:
    """Write a key figure for a reader.

    Parameters
    ----------
    value : float, int, str or None
        The figure.
    unit : str
        As in :func:`record`.

    Returns
    -------
    str
        Rounded, with its unit; ``"cannot tell"`` when there is none.
    """
    is_long = isinstance(value, Real) and abs(value) >= _LONG_DAYS
    return _write_figure(value, unit, is_long=is_long)


def _write_figure(value: float | int | str | None, unit: str, *, is_long: bool) -> str:
    if value is None:
        return "cannot tell"
    if isinstance(value, str):
        return value
    style = "long days" if unit == "days" and is_long else unit
    text = _cell(value, _STYLES.get(style, "0.00"))
    return text if unit in _BARE else f"{text} {unit}"


def format_interval(
    low: float | int | str | None, high: float | int | str | None, unit: str
) -> str:
    """Write the interval of a key figure for a reader.

    Parameters
    ----------
    low, high : float, int, str or None
        Its ends, which are written alike; an end that is None is not reached.
    unit : str
        As in :func:`record`.

    Returns
    -------
    str
        Such as ``"39.2 to 45.1 days"``; empty without a lower end.
    """
    if low is None:
        return ""
    is_long = any(isinstance(end, Real) and abs(end) >= _LONG_DAYS for end in (low, high))
    lower, upper = (_write_figure(end, unit, is_long=is_long) for end in (low, high))
    upper = "not reached" if high is None else upper
    return f"{lower if unit in _BARE else lower.removesuffix(f' {unit}')} to {upper}"


def source_name(source: str) -> str:
    """Name a source without the place it has on the analyst's disk.

    Parameters
    ----------
    source : str
        As ``cx.yml`` names it: a relative or absolute path, or a table of the engine.

    Returns
    -------
    str
        The file's name where the path is absolute or leaves the workbook's folder.
    """
    path = posixpath.normpath(source.replace("\\", "/")) if source else source
    parts = path.split("/")
    outside = parts[0] in {"", ".."} or parts[0].startswith("~") or parts[0].endswith(":")
    return parts[-1] if outside else path


def render_table(
    table: pd.DataFrame,
    *,
    title: str,
    formats: Mapping[str, str],
    ids: Collection[str] = (),
    saved: str = "",
    spread: bool = False,
) -> tuple[str, str]:
    """Render a table as escaped HTML and as plain text.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows; the first 25 are rendered.
    title : str
        Its caption.
    formats, ids, saved : mapping, collection of str, str
        As in :func:`show`.
    spread : bool, default False
        Of a longer table render 30 rows spread evenly, as suits a curve, not the first 25.

    Returns
    -------
    tuple of str
        HTML with caption and header scopes, and text. A cell whose number is rounded carries it
        as ``data-value``, a cell with an id carries the mark ``data-id``.
    """
    shown, note = _cut(table, spread, saved)
    names = [str(column) for column in table.columns]
    columns = [
        _render_column(
            shown.iloc[:, place],
            style=formats.get(name, ""),
            is_id=name in ids or name.endswith("_id"),
            align=_align(table.iloc[:, place]),
        )
        for place, name in enumerate(names)
    ]
    head = "".join(
        f'<th scope="col"{_align(table.iloc[:, place])}>{html.escape(_heading(name))}</th>'
        for place, name in enumerate(names)
    )
    body = []
    for (first, marks), *rest in zip(*columns, strict=True):
        cells = "".join(f"<td{marks}>{html.escape(text)}</td>" for text, marks in rest)
        body.append(f'<tr><th scope="row"{marks}>{html.escape(first)}</th>{cells}</tr>')
    caption = html.escape(title)
    page = (
        f'<div class="table" role="group" aria-label="{caption}" tabindex="0"><table>'
        f"<caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>"
        f"{f'<p>{html.escape(note)}</p>' if note else ''}"
    )
    texts = {place: [text for text, _ in column] for place, column in enumerate(columns)}
    plain = pd.DataFrame(texts).set_axis([_heading(name) for name in names], axis=1)
    return page, f"{title}\n{plain.to_string(index=False)}"


def _cut(table: pd.DataFrame, spread: bool, saved: str) -> tuple[pd.DataFrame, str]:
    """Choose the rows of a page and say what was left out."""
    most = SPREAD_ROWS if spread else PAGE_ROWS
    everything = f"All rows are in the table {saved} of the run." if saved else ""
    if len(table) <= most:
        return table, ""
    if spread:
        places = np.linspace(0, len(table) - 1, most).astype(int)
        note = f"{most} of {len(table):,} rows, spread evenly. {everything}"
        return table.iloc[places], note.strip()
    return table.head(most), f"The first {most} of {len(table):,} rows. {everything}".strip()


def _render_column(
    values: pd.Series, *, style: str, is_id: bool, align: str
) -> list[tuple[str, str]]:
    """Write each cell's text and attributes."""
    cells = []
    for value in values:
        text, marks = _id(value) if is_id else _cell(value, style), align
        if is_id:
            marks += " data-id"
        elif isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value):
            number = str(value) if isinstance(value, Integral) else f"{value:.9g}"
            marks += "" if number == text else f' data-value="{number}"'
        cells.append((text, marks))
    return cells


def _align(column: pd.Series) -> str:
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return ' class="number"' if is_number else ""


def _heading(column: str) -> str:
    return column.replace("_", " ")


def _id(value: Any) -> str:
    """Write an id as its table holds it: no grouping, and a column with gaps is no decimal one."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return "–"
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if is_whole else str(value)


def _cell(value: Any, style: str) -> str:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return "–"
    text = _write_number(value, style)
    is_zero = text.startswith("-") and isinstance(value, Real) and not text.strip("-0.,%")
    return text.removeprefix("-") if is_zero else text


def _write_number(value: Any, style: str) -> str:
    if style == "percent":
        return f"{value:.1%}"
    if style == "n":
        return f"{value:,.0f}"
    if style == "p":
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    if style.startswith("0."):
        return f"{value:,.{len(style) - 2}f}"
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
