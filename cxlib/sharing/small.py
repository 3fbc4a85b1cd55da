"""The rule of small counts: what rests on fewer than ``min_cell`` is not handed round.

On shared pages, ``min_cell`` being 10 unless the notebook's parameter says otherwise:

- A row of a table that rests on 1 to 9 people keeps its labels alone; its count reads "under 10".
  When it is the only one, the row with the next smallest count is left out too: otherwise the
  total would give it away. Another count of 1 to 9 in a row that rests on more reads "under 10".
  Ledgers (by rule, step or use) of rows stay; of people they lose small counts alone.
- A table with one customer a row is left out.
- A figure is left out when the table behind it lost a row or a cell.
- A key figure that counts 1 to 9 people reads "under 10"; a page with a key figure that rests on
  1 to 9 is held back (:mod:`cxlib.sharing.share`).
- A sentence that counts 1 to 9 people is left out (:mod:`cxlib.sharing.sentences`).

What this cannot see: a small count that is the difference of two large ones, or a share times its
base; one that two pages give together; more than one row that a total could tell when the row left
out beside it is known from elsewhere; figures without a table behind them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cxlib.sharing.markup import Cell, Table, map_tables
from cxlib.sharing.sentences import hide_in_texts

_PEOPLE = frozenset(
    f"{prefix}{noun}"
    for prefix in ("", "n ")
    for noun in (
        *("customers", "respondents", "journeys", "employees", "comments", "lifetimes"),
        *("users", "leavers", "answers"),
    )
)
_BASES = frozenset({"n", "N", "count", "n at risk", "n frame", "n x"}) | _PEOPLE
_COUNTED = frozenset({"counted", "expected"})  # of sums that must agree
_THINGS = frozenset(
    f"n {name}"
    for name in ("items", "themes", "distinct", "values", "tables", "rows", "without partner")
)
_ROWS = frozenset({"rows", "rows in", "kept", "changed", "refused"})
_LEDGERS = frozenset({"rule", "step", "use"})
_CUSTOMERS = re.compile(
    r'(?:<div class="table"[^>]*>)?<table\b[^>]*\bdata-rows="customers".*?</table>(?:</div>)?',
    re.DOTALL,
)
_FIGURE = re.compile(
    r"(<figure\b[^<]*(?:<(?!/figure>)[^<]*)*</figure>)"
    r'(\s*<details class="numbers">.*?</details>)?',
    re.DOTALL,
)
_IMAGE = re.compile(r"<img\b[^>]*>")
_FIRST_COUNT = re.compile(r"^(\d[\d,]*) rows?(?=;)")
NOT_TOLD, LEFT_OUT = "–", "not shown"


def is_count(head: str) -> bool:
    """Tell whether a column counts something.

    Parameters
    ----------
    head : str
        Its heading.

    Returns
    -------
    bool
        Whether it does: people, things or rows.
    """
    return head in _BASES or head in _ROWS or head.startswith("n ")


def is_few(value: Any, min_cell: int) -> bool:
    """Tell whether a number counts few.

    Parameters
    ----------
    value : object
        A number, or one as it is written on a page.
    min_cell : int
        Smallest group that may be told of.

    Returns
    -------
    bool
        Whether it is above nothing and below ``min_cell``.
    """
    return 0 < _number(value) < min_cell


def _number(value: Any) -> float:
    try:
        return float(str(value).replace(",", ""))
    except ValueError:
        return math.nan


def hide_small_counts(page: str, min_cell: int) -> str:
    """Take out of a page what tells of groups of few customers.

    Parameters
    ----------
    page : str
        HTML written by cxlib.
    min_cell : int
        Smallest group that may be told of.

    Returns
    -------
    str
        The page, by the rule of this module. A figure that is no SVG is left out, too: what is
        written in it cannot be searched.
    """

    def hide_in_figure(match: re.Match[str]) -> str:
        """Leave out a figure that shows what its table hides."""
        figure, behind = match[1], match[2] or ""
        shown = _hide_in_tables(behind, min_cell)
        if shown != behind:
            why = f"it shows groups of fewer than {min_cell}; the table below has the others"
            figure = _leave_out(figure, why)
        elif 'src="data:image/svg+xml' not in figure:
            figure = _leave_out(figure, "what is written in it could not be searched")
        return figure + shown

    return hide_in_texts(_hide_in_tables(_FIGURE.sub(hide_in_figure, page), min_cell), min_cell)


def _leave_out(figure: str, why: str) -> str:
    return _IMAGE.sub(f'<p class="meta">The figure is left out here: {why}.</p>', figure)


def _hide_in_tables(page: str, min_cell: int) -> str:
    page = _CUSTOMERS.sub('<p class="meta">Rows of single customers are left out here.</p>', page)
    return map_tables(page, lambda table: _hide_in_table(table, min_cell))


def _hide_in_table(table: Table, min_cell: int) -> str | None:
    """Hide rows and counts; None when there was nothing to hide."""
    bases = [place for place, head in enumerate(table.heads) if head in _BASES]
    counts = [
        place
        for place, head in enumerate(table.heads)
        if head in _COUNTED or (head.startswith("n ") and head not in _THINGS | _BASES)
    ]
    if _is_ledger(table):
        if not _PEOPLE & set(table.heads):
            return None
        bases, counts = [], [*bases, *counts]  # where people went; its rows are no groups
    smallest = [_find_smallest(row, bases, min_cell) for row in table.rows]
    few = [number for number, base in enumerate(smallest) if 0 < base < min_cell]
    others = sorted((b, number) for number, b in enumerate(smallest) if b >= min_cell)
    too = others[0][1] if len(few) == 1 and len(others) >= 2 else None
    cells = 0
    for number, row in enumerate(table.rows):
        if number in few or number == too:
            _hide_row(row, bases, min_cell, LEFT_OUT if number == too else NOT_TOLD)
            continue
        for place in counts:
            if place < len(row) and is_few(row[place].value, min_cell):
                row[place].write(f"under {min_cell}")
                cells += 1
    if too is not None:
        return (
            f'<p class="meta">One group of fewer than {min_cell} is left out, and the next '
            "smallest too: a total would give the one away.</p>"
        )
    return "" if few or cells else None


def _is_ledger(table: Table) -> bool:
    """Tell a ledger of rows: by rule, step or use, with counts and words alone."""
    numbers = {
        head
        for row in table.rows
        for head, cell in zip(table.heads, row, strict=False)
        if 'class="number"' in cell.marks
    }
    return bool(_LEDGERS & set(table.heads)) and all(map(is_count, numbers))


def _find_smallest(row: Sequence[Cell], bases: Sequence[int], min_cell: int) -> float:
    """Find what a row rests on; nothing when it does not say."""
    told = [_number(row[place].value) for place in bases if place < len(row)]
    return min((n for n in told if n > 0), default=0)


def _hide_row(row: Sequence[Cell], bases: Sequence[int], min_cell: int, other: str) -> None:
    """Leave the labels of a row, and say of its counts that they are small."""
    for place, cell in enumerate(row):
        if place in bases and is_few(cell.value, min_cell):
            cell.write(f"under {min_cell}")
        elif place in bases and other == LEFT_OUT:
            cell.write(LEFT_OUT)
        elif place > 0 and _has_figures(cell.text):
            cell.write(NOT_TOLD)


def _has_figures(text: str) -> bool:
    """Tell figures, "75%" or "mean EUR 310", from a label with digits, "T03 Send the receipt"."""
    digits = sum(map(str.isdigit, text))
    letters = sum(map(str.isalpha, text))
    return digits > 0 and (letters <= 4 * digits or not text[0].isalpha())


def hide_few_rows(text: str, min_cell: int) -> str:
    """Say less of why a set was not made.

    Parameters
    ----------
    text : str
        Such as ``"3 rows; at least 100 are asked for."``
    min_cell : int
        Smallest group that may be told of.

    Returns
    -------
    str
        With ``"Fewer than 10 rows"`` where they were fewer.
    """
    found = _FIRST_COUNT.match(text)
    if found is None or not is_few(found[1], min_cell):
        return text
    return f"Fewer than {min_cell} rows{text[found.end() :]}"


def hide_in_key_figures(page: str, figures: Sequence[Mapping[str, Any]], min_cell: int) -> str:
    """Write "under 10" for key figures of a page that count few people.

    Parameters
    ----------
    page : str
        HTML written by cxlib.
    figures : sequence of dict
        Its key figures, with labels as the page has them.
    min_cell : int
        Smallest group that may be told of.

    Returns
    -------
    str
        The page.
    """
    labels = {figure["label"] for figure in figures if is_small_count(figure, min_cell)}

    def hide(table: Table) -> str | None:
        """Hide values by their labels."""
        if not labels or table.heads[:2] != ["key figure", "value"]:
            return None
        rows = [row for row in table.rows if row[0].text in labels]
        for row in rows:
            row[1].write(f"under {min_cell}")
        return "" if rows else None

    return map_tables(page, hide)


def is_small_count(figure: Mapping[str, Any], min_cell: int) -> bool:
    """Tell whether a key figure counts few people.

    Parameters
    ----------
    figure : dict
        A key figure.
    min_cell : int
        Smallest group that may be told of.

    Returns
    -------
    bool
        Whether it does.
    """
    return figure["unit"] == "count" and is_few(figure["value"], min_cell)
