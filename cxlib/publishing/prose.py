"""The author's Markdown as HTML that fits a page: one outline, no style, nothing fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator

import mistune


class Prose:
    """The prose of one page, cell by cell; headings are kept in order over all of them.

    The first top-level heading is the page's title, which the page writes itself. Sections start
    at second-level headings, later top-level ones count as such, and no level is left out.
    """

    def __init__(self) -> None:
        self._render = mistune.create_markdown(renderer=_Renderer(), plugins=["table"])

    def sections(self, source: str) -> Iterator[tuple[str, str]]:
        """Cut Markdown where sections start.

        Parameters
        ----------
        source : str
            Content of a Markdown cell.

        Yields
        ------
        tuple of str
            Heading and content as HTML; the heading of what precedes the first is empty.
        """
        # only a heading can write this tag: any other < was escaped
        first, *rest = re.split(r"<h2>(.*?)</h2>", str(self._render(source)), flags=re.DOTALL)
        yield "", first
        yield from zip(rest[::2], rest[1::2], strict=True)


class _Renderer(mistune.HTMLRenderer):
    def __init__(self) -> None:
        super().__init__(escape=True)
        self.last = 0

    def heading(self, text: str, level: int, **attributes: str) -> str:
        """Write a heading at most one level below the one before it."""
        if self.last == 0 and level == 1:
            self.last = 1
            return ""
        self.last = max(2, min(level, self.last + 1))
        return f"<h{self.last}>{text}</h{self.last}>\n"

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        """Write a cell without the inline style that the page's policy forbids."""
        number = ' class="number"' if align == "right" else ""
        return f'<th scope="col"{number}>{text}</th>' if head else f"<td{number}>{text}</td>"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Write what a picture shows: a page fetches nothing, not even from its own folder."""
        return f"<em>{text}</em>"
