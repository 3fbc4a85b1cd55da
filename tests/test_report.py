"""Tests of the page: structure, safety, weight."""

from __future__ import annotations

import html.parser
import re
from pathlib import Path

import nbformat
import pytest

from cxlib.report import render_report
from cxlib.workbook import read_workbook

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
RUN = {
    "status": "ok",
    "title": "T",
    "started_at": "2026-01-02T03:04:05+00:00",
    "seconds": 1.0,
    "parameters": {"workbook": "samples", "goal": "<i>", "stages": []},
    "inputs": [],
    "uses": [],
    "refusals": [],
    "versions": {"cxlib": "0"},
    "error": None,
}


class Outline(html.parser.HTMLParser):
    """Collects what a page's structure is judged by."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.tags: list[tuple[str, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def all(self, tag):
        """Return the attributes of all such tags."""
        return [attrs for name, attrs in self.tags if name == tag]


def render(cells):
    """Render a page of a few cells."""
    return render_report(nbformat.v4.new_notebook(cells=cells), RUN, read_workbook("samples"))


def output(data, **metadata):
    """Make a code cell with one output."""
    shown = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    return nbformat.v4.new_code_cell("secret_code()", outputs=[shown])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_pages_of_the_notebooks_are_well_made(path):
    """One h1, ordered headings, language, alternative texts, no script, no other host, light."""
    notebook = nbformat.read(path, as_version=4)
    page = render_report(notebook, RUN, read_workbook("samples"))
    outline = Outline(page)

    assert outline.headings.count(1) == 1
    assert outline.headings[0] == 1
    assert all(b <= a + 1 for a, b in zip(outline.headings, outline.headings[1:], strict=False))
    assert outline.all("html") == [{"lang": "en"}]
    assert all(len(image.get("alt", "")) > 20 for image in outline.all("img"))
    assert all("scope" in header for header in outline.all("th"))
    assert not outline.all("script")
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page)
    assert "url(" not in page
    assert "secret" not in page
    assert len(page) < 1_000_000
    anchors = {link["href"][1:] for link in outline.all("a")}
    assert anchors <= {attrs.get("id") for _, attrs in outline.tags}


def test_page_has_no_code_and_escapes_data():
    """Code never shows; text of the data is text; HTML that cxlib did not write is not trusted."""
    page = render(
        [
            nbformat.v4.new_markdown_cell("# T\n\n<script>a</script>\n\n## One"),
            output({"text/html": "<script>b</script>", "text/plain": "<script>c</script>"}),
            output({"text/html": "<p>mine</p>"}, **{"text/html": {"cxlib": True}}),
        ]
    )

    assert "secret_code" not in page
    assert "<script" not in page
    assert "&lt;script&gt;c" in page
    assert "<p>mine</p>" in page
    assert "&lt;i&gt;" in page


def test_figures_are_inert_images_with_alternative_text():
    """An SVG is an image, so nothing in it runs."""
    svg = '<svg onload="x()"></svg>'
    page = render(
        [
            nbformat.v4.new_markdown_cell("# T\n## One"),
            output({"image/svg+xml": svg}, **{"image/svg+xml": {"alt": 'a "b"', "title": "<t>"}}),
        ]
    )

    assert "onload" not in page
    assert 'alt="a &quot;b&quot;"' in page
    assert "<figcaption>&lt;t&gt;</figcaption>" in page


def test_same_headings_get_their_own_anchors():
    """A contents list leads where it says."""
    page = render([nbformat.v4.new_markdown_cell("# T\n## One\na\n## One\nb")])

    assert 'href="#one"' in page
    assert 'href="#one-2"' in page


def test_page_of_a_part_says_so():
    """A page about one segment is never taken for the company."""
    run = RUN | {
        "parameters": {"segment_by": "region", "segment": "<Cork>", "period_end": "2025-01-01"}
    }
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# T\n## One\na")])
    page = render_report(notebook, run, read_workbook("samples"))

    assert "Only region = &lt;Cork&gt;, to 2025-01-01" in page
