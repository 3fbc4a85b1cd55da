"""The parts of a page of cxlib that sharing reads and rewrites: runs of text and tables."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

_INLINE = "a|b|i|em|strong|span|small|code|time|abbr|sub|sup"
_RUNS = re.compile(
    rf"(<script.*?</script>|<style.*?</style>|<(?!/?(?:{_INLINE})\b)[^>]*>)", re.DOTALL
)
_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</\1>", re.DOTALL)
_VALUE = re.compile(r' data-value="([^"]*)"')
SPOKEN = re.compile(r'(\s(?:alt|title|aria-label|data-name)=")([^"]*)"')


def read_text(markup: str) -> str:
    """Read the text of some HTML.

    Parameters
    ----------
    markup : str
        HTML.

    Returns
    -------
    str
        Without tags and escapes.
    """
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


def map_texts(page: str, change: Callable[[str], str]) -> str:
    """Change the texts of a page: each run of letters between two blocks, and what is spoken.

    Parameters
    ----------
    page : str
        HTML. Scripts, styles and the other attributes stay.
    change : callable
        From a run of HTML without blocks, or the value of an attribute, to what replaces it.

    Returns
    -------
    str
        The page.
    """
    parts = _RUNS.split(page)
    for place, part in enumerate(parts):
        if place % 2:
            parts[place] = SPOKEN.sub(lambda match: f'{match[1]}{change(match[2])}"', part)
        elif part.strip():
            parts[place] = change(part)
    return "".join(parts)


@dataclass
class Cell:
    """A cell of a table.

    Parameters
    ----------
    tag, marks, content : str
        ``th`` or ``td``, its attributes, its HTML.
    """

    tag: str
    marks: str
    content: str

    @property
    def text(self) -> str:
        """What a reader sees."""
        return read_text(self.content).strip()

    @property
    def value(self) -> str:
        """The number behind the cell, when it was rounded, else its text."""
        found = _VALUE.search(self.marks)
        return found[1] if found else self.text

    def write(self, text: str) -> None:
        """Put a text in its place; the number behind it goes."""
        self.marks, self.content = _VALUE.sub("", self.marks), html.escape(text)


@dataclass
class Table:
    """A table of a page.

    Parameters
    ----------
    marks : str
        Its attributes.
    heads : list of str
        Its headings, with spaces for underscores.
    rows : list of list of Cell
        Its body.
    """

    marks: str
    heads: list[str]
    rows: list[list[Cell]]


def map_tables(page: str, change: Callable[[Table], str | None]) -> str:
    """Change the tables of a page.

    Parameters
    ----------
    page : str
        HTML.
    change : callable
        Changes cells of a table in place, and returns what is written behind the table, or None
        when it changed nothing.

    Returns
    -------
    str
        The page.
    """

    def rewrite(match: re.Match[str]) -> str:
        """Write a table anew when it changed."""
        head, body, tail = _cut(match[0])
        heads = [" ".join(cell.text.replace("_", " ").split()) for cell in _read_cells(head)]
        table = Table(
            head.partition(">")[0], heads, [_read_cells(row) for row in _ROW.findall(body)]
        )
        note = change(table)
        if note is None:
            return match[0]
        rows = "".join(f"<tr>{''.join(map(_write_cell, row))}</tr>" for row in table.rows)
        return head + rows + tail + note

    return _TABLE.sub(rewrite, page)


def _cut(table: str) -> tuple[str, str, str]:
    """Cut a table before and after its body; one without a body has no rows."""
    start, end = table.find("<tbody>") + len("<tbody>"), table.rfind("</tbody>")
    return (table[:start], table[start:end], table[end:]) if start < end else (table, "", "")


def _read_cells(row: str) -> list[Cell]:
    return [Cell(*found) for found in _CELL.findall(row)]


def _write_cell(cell: Cell) -> str:
    return f"<{cell.tag}{cell.marks}>{cell.content}</{cell.tag}>"
