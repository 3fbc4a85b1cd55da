"""How numbers and tables are written for readers."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import pandas as pd

PAGE_ROWS = 25
_STYLES = {"share": "percent", "count": "n", "points": "0.00", "days": "0.0", "p": "p"}
_BARE = {"share", "count", "points", "p", ""}


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
    if value is None:
        return "cannot tell"
    if isinstance(value, str):
        return value
    text = _cell(value, _STYLES.get(unit, "0.00"))
    if unit == "days" and abs(value) >= 100:
        text = f"{value:,.0f}"
    return text if unit in _BARE else f"{text} {unit}"


def format_interval(
    low: float | int | str | None, high: float | int | str | None, unit: str
) -> str:
    """Write the interval of a key figure for a reader.

    Parameters
    ----------
    low, high : float, int, str or None
        Its ends; an end that is None is not reached.
    unit : str
        As in :func:`record`.

    Returns
    -------
    str
        Such as ``"39.2 to 45.1 days"``; empty without a lower end.
    """
    if low is None:
        return ""
    upper = "not reached" if high is None else format_figure(high, unit)
    lower = format_figure(low, unit)
    return f"{lower if unit in _BARE else lower.removesuffix(f' {unit}')} to {upper}"


def render_table(table: pd.DataFrame, *, title: str, formats: Mapping[str, str]) -> tuple[str, str]:
    """Render a table as escaped HTML and as plain text.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows; the first 25 are rendered.
    title : str
        Its caption.
    formats : mapping of str to str
        As in :func:`show`.

    Returns
    -------
    tuple of str
        HTML with caption and header scopes, and text.
    """
    shown = table.head(PAGE_ROWS)
    text = pd.DataFrame(
        {
            i: [_cell(value, formats.get(str(column), "")) for value in shown[column]]
            for i, column in enumerate(shown.columns)
        }
    )
    numeric = [pd.api.types.is_numeric_dtype(table[column]) for column in table.columns]
    head = "".join(
        f'<th scope="col"{_right(right)}>{html.escape(_heading(str(column)))}</th>'
        for column, right in zip(table.columns, numeric, strict=True)
    )
    body = []
    for row in text.itertuples(index=False):
        first, *rest = (html.escape(cell) for cell in row)
        cells = "".join(
            f"<td{_right(right)}>{cell}</td>" for cell, right in zip(rest, numeric[1:], strict=True)
        )
        body.append(f'<tr><th scope="row"{_right(numeric[0])}>{first}</th>{cells}</tr>')
    note = ""
    if len(table) > len(shown):
        note = f"<p>The first {len(shown)} of {len(table):,} rows.</p>"
    page = (
        f'<div class="table" tabindex="0"><table><caption>{html.escape(title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>{note}"
    )
    plain = text.set_axis([_heading(str(c)) for c in table.columns], axis=1)
    return page, f"{title}\n{plain.to_string(index=False)}"


def _right(right: bool) -> str:
    return ' class="number"' if right else ""


def _heading(column: str) -> str:
    return column.replace("_", " ")


def _cell(value: Any, style: str) -> str:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return "–"
    if style == "percent":
        return f"{value:.1%}"
    if style == "n":
        return f"{int(value):,}"
    if style == "p":
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    if style.startswith("0."):
        return f"{value:,.{len(style) - 2}f}"
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
