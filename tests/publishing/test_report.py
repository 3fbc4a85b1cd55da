"""Tests of the page: structure, safety, weight."""

from __future__ import annotations

import base64
import hashlib
import html
import html.parser
import re
import subprocess
import urllib.parse
from importlib.metadata import version
from pathlib import Path

import nbformat
import pytest

from cxlib.installation import describe_code
from cxlib.publishing.figures import shrink_svg
from cxlib.publishing.report import render_report
from cxlib.style import figure_svg, new_axes
from cxlib.workbook import read_workbook

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
RUN = {
    "status": "ok",
    "title": "T",
    "started_at": "2026-01-02T03:04:05+00:00",
    "seconds": 1.0,
    "parameters": {"workbook": "samples", "goal": "<i>", "stages": []},
    "inputs": [],
    "uses": [],
    "refusals": [],
    "tables": [],
    "warnings": [],
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


def render(cells, *, with_code=False, **run):
    """Render a page of a few cells, of a run that differs in some fields."""
    notebook = nbformat.v4.new_notebook(cells=cells)
    return render_report(notebook, RUN | run, read_workbook("samples"), with_code=with_code)


def output(data, **metadata):
    """Make a code cell with one output."""
    shown = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    return nbformat.v4.new_code_cell("secret_code()", outputs=[shown])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_pages_of_the_notebooks_are_well_made(path):
    """One h1, ordered headings, language, alternative texts, no other host, light."""
    notebook = nbformat.read(path, as_version=4)
    page = render_report(notebook, RUN, read_workbook("samples"))
    outline = Outline(page)

    assert outline.headings.count(1) == 1
    assert outline.headings[0] == 1
    assert all(b <= a + 1 for a, b in zip(outline.headings, outline.headings[1:], strict=False))
    assert outline.all("html") == [{"lang": "en"}]
    assert all(len(image.get("alt", "")) > 20 for image in outline.all("img"))
    assert all("scope" in header for header in outline.all("th"))
    assert not any("style" in attributes for _, attributes in outline.tags)
    for _, attributes in outline.tags:
        assert re.match(r"data:|#", attributes.get("src", attributes.get("href", "#")))
    assert "url(" not in re.sub(r'src="data:[^"]*"', "", page)
    assert "secret" not in page
    assert len(page.encode()) <= 600_000
    anchors = {link["href"][1:] for link in outline.all("a")}
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert anchors <= set(ids)
    assert len(ids) == len(set(ids))


def test_only_the_script_of_cxlib_may_run():
    """The policy names the hash of the page's one script and style and allows nothing else."""
    page = render([nbformat.v4.new_markdown_cell("# T\n## One\na")])
    policy = html.unescape(Outline(page).all("meta")[2]["content"])

    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; img-src data:; ")
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


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
    assert page.count("<script") == 1
    assert "&lt;script&gt;c" in page
    assert "<p>mine</p>" in page
    assert "&lt;i&gt;" in page


def test_analysts_read_the_code_and_the_traceback():
    """The analyst's copy has the code, closed; terminal colours are left out of a traceback."""
    cell = output({"text/plain": "42"})
    cell.outputs.append(
        nbformat.v4.new_output("error", ename="E", evalue="v", traceback=["\x1b[31m<b>red\x1b[0m"])
    )
    page = render([nbformat.v4.new_markdown_cell("# T\n## One"), cell], with_code=True)

    assert '<details class="code"><summary>Code</summary>' in page
    assert "secret_code()" in page
    assert "<code>&lt;b&gt;red</code>" in page
    assert "red" not in re.sub(r"<style>.*?</style>", "", render([cell]), flags=re.DOTALL)


def test_what_was_printed_is_plain_and_short():
    """Terminal codes and other signs that no page may hold go, and a flood is cut."""
    printed = "\x1b[1;31mred\x1b[0m \x1b]0;title\x07\x1b[2Ksoon\x1b(B\x08\x00\n" + "x" * 200_000
    cell = nbformat.v4.new_code_cell(
        "1", outputs=[nbformat.v4.new_output("stream", name="stdout", text=printed)]
    )
    page = render([nbformat.v4.new_markdown_cell("# T\n## One"), cell])

    assert '<pre tabindex="0">red soon\nxxx' in page
    assert "180,009 more letters are left out here." in page
    assert len(page) < 60_000


@pytest.mark.parametrize(
    ("status", "word"), [("failed-cell", "Failed."), ("timeout", "Took too long.")]
)
def test_the_outcome_is_said_in_words(status, word):
    """The page says what the index says, and how to allow more time."""
    error = {"class": "Timeout", "message": "", "cell": 3}
    page = render([nbformat.v4.new_markdown_cell("# T")], status=status, error=error)

    assert f"<strong>{word}</strong>" in page
    assert ("timeout_seconds in the manifest, --timeout of cx run" in page) == (status == "timeout")


def test_failed_runs_show_what_to_do_and_no_result():
    """A stakeholder's page of a failed run holds the class of the error, not what came before."""
    shown = [nbformat.v4.new_markdown_cell("# T\n## One"), output({"text/plain": "value 42"})]
    error = {"class": "<KeyError>", "message": "'Jane Doe'", "cell": 3}
    page = render(shown, status="failed-cell", error=error)

    assert "A step of the analysis failed." in page
    assert "(&lt;KeyError&gt;)" in page
    assert "Jane" not in page
    assert "value 42" not in page
    assert "value 42" in render(shown, status="failed-cell", error=error, with_code=True)
    too_few = error | {"class": "TooLittleData", "message": "7 customers are too few."}
    assert "7 customers are too few." in render(shown, status="too-little-data", error=too_few)


def test_page_tells_where_it_comes_from():
    """Sources with hashes and rows, parameters given and by default, code, libraries, warnings."""
    declared = 'workbook = "samples"\nregion = "Cork"\nconf_level = 0.95\nrandom_state = 0'
    cell = nbformat.v4.new_code_cell(declared, metadata={"tags": ["parameters"]})
    entry = {"table": "events", "source": "/home/jane/a.csv", "sha256": "ab" * 32, "rules": []}
    entry |= {"rows_in": 1234, "rows_kept": 1230, "rows_refused": 4}
    values = {"workbook": "/home/jane/cx.yml", "region": "<Sligo>", "conf_level": 0.95}
    page = render(
        [cell, nbformat.v4.new_markdown_cell("# T\n## One\na")],
        inputs=[entry],
        uses=["events"],
        parameters=values | {"random_state": 7},
        tables=["paths"],
        warnings=["be <careful>"],
        versions={"cxlib": "0", "numpy": "2.4"},
    )
    text = re.sub(r"<[^>]*>", "|", page[page.index("<footer>") :])

    assert "jane" not in page
    assert "|a.csv|" in text
    assert "|abababababababab|" in text
    assert "|1,234|" in text
    assert "|region||&lt;Sligo&gt;||set for this page|" in text
    assert "|conf_level||0.95||default|" in text
    assert "seed 7" in text
    assert "cxlib 0." in text
    assert "Libraries: numpy 2.4." in text
    assert "be &lt;careful&gt;" in text
    assert "run: paths." in text


def test_equal_runs_give_equal_pages_but_for_times():
    """What is stamped lies in time elements, nothing else differs."""
    cells = [nbformat.v4.new_markdown_cell("# T\n## One\na")]
    first, second = (
        re.sub(r"<time.*?</time>", "", render(cells, started_at=f"{day}T03:04:05+00:00", seconds=s))
        for day, s in (("2026-01-02", 1.0), ("2027-03-04", 99.5))
    )

    assert first == second


def test_commit_and_changes_are_told_in_a_checkout(tmp_path):
    """The version alone where there is no checkout or no commit."""
    assert describe_code(tmp_path) == version("cxlib")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=b"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert describe_code.__wrapped__(tmp_path) == version("cxlib")
    (tmp_path / "cxlib").mkdir()
    (tmp_path / "cxlib" / "a.py").write_text("")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "a"], check=True)
    assert re.search(r" \(commit [0-9a-f]{12}\)$", describe_code.__wrapped__(tmp_path))
    (tmp_path / "cxlib" / "a.py").write_text("1")
    assert describe_code.__wrapped__(tmp_path).endswith(", with changes)")


def test_figures_are_inert_images_with_alternative_text():
    """An SVG is an image, so nothing in it runs, and no tag of it is one of the page's."""
    svg = """<svg onload='x("&")'><script>y()</script></svg>"""
    page = render(
        [
            nbformat.v4.new_markdown_cell("# T\n## One"),
            output({"image/svg+xml": svg}, **{"image/svg+xml": {"alt": 'a "b"', "title": "<t>"}}),
            output({"image/png": "iVBO\nRw0="}),
        ]
    )
    outline = Outline(page)
    drawn, bitmap = outline.all("img")

    assert urllib.parse.unquote(drawn["src"]) == f"data:image/svg+xml,{svg}"
    assert not any("onload" in attributes for _, attributes in outline.tags)
    assert len(outline.all("script")) == 1
    assert drawn["alt"] == 'a "b"'
    assert "<figcaption>&lt;t&gt;</figcaption>" in page
    assert bitmap["src"] == "data:image/png;base64,iVBORw0="
    assert bitmap["alt"] == "A figure that its author has not described."


def test_figures_lose_weight_and_nothing_else():
    """A figure is drawn by fewer letters: the same commands at the same places."""
    ax = new_axes()
    ax.plot(range(200), [x**0.5 for x in range(200)], marker="o", label="a")
    ax.fill_between(range(200), 0, range(200), hatch="//")
    ax.legend()
    drawn = figure_svg(ax)
    shrunk = shrink_svg(drawn)

    assert len(shrunk) < 0.7 * len(drawn)
    assert shrink_svg("<svg><path d='M 1.23456 1'/></svg>") == "<svg><path d='M 1.23456 1'/></svg>"
    for before, after in zip(paths(drawn), paths(shrunk), strict=True):
        assert [letter for letter, _ in before] == [letter for letter, _ in after]
        numbers = [[n for _, places in path for n in places] for path in (before, after)]
        assert numbers[0] == pytest.approx(numbers[1], abs=0.006)
    used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', shrunk))
    assert {a or b for a, b in used} == set(re.findall(r' id="([^"]+)"', shrunk))


def paths(svg):
    """Return the commands of each path with their numbers, repeated letters written out."""
    found = []
    for path in re.findall(r' d="([^"]*)"', svg):
        commands = []
        for letter, text in re.findall(r"([A-Za-z])([^A-Za-z]*)", path):
            numbers = [float(number) for number in text.split()]
            size = {"M": 2, "L": 2, "Q": 4, "C": 6}.get(letter, 1)
            for i in range(0, max(len(numbers), 1), size):
                shown = "L" if letter == "M" and i else letter
                commands.append((shown, numbers[i : i + size]))
        found.append(commands)
    return found


def test_headings_stay_in_order_and_lead_where_they_say():
    """Equal headings get their own anchors; a level is never left out, the title never repeated."""
    text = "# T\n#### Deep\nx\n## One\na\n#### Two <b>\n## One\nb\n# Again\n\n```\n## no\n```"
    page = render([nbformat.v4.new_markdown_cell(text), nbformat.v4.new_markdown_cell("### Six")])
    outline = Outline(page)

    assert outline.headings == [1, 2, 2, 3, 2, 2, 3, 2]
    for anchor in ("deep", "one", "one-2", "again"):
        assert f'href="#{anchor}"' in page
        assert f'id="{anchor}"' in page
    assert "<h3>Two &lt;b&gt;</h3>" in page
    assert "## no" in page


def test_prose_brings_no_style_and_fetches_nothing():
    """Aligned columns, pictures and links of the author keep to the page's policy."""
    table = "| a | b |\n|:--|--:|\n| 1 | 2 |"
    picture = "![what it shows](https://example.org/x.png) [l](javascript:alert(1))"
    page = render([nbformat.v4.new_markdown_cell(f"# T\n## One\n{picture}\n\n{table}")])

    assert 'style="' not in page
    assert '<th scope="col" class="number">b</th>' in page
    assert "<em>what it shows</em>" in page
    assert "example.org" not in page
    assert "javascript:" not in page


def test_page_of_a_part_says_so():
    """A page about one segment is never taken for the company."""
    run = RUN | {
        "parameters": {"segment_by": "region", "segment": "<Cork>", "period_end": "2025-01-01"}
    }
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# T\n## One\na")])
    page = render_report(notebook, run | {"set_name": "<Cork> alone"}, read_workbook("samples"))

    assert "Only region = &lt;Cork&gt;, to 2025-01-01" in page
    assert "<title>&lt;Cork&gt; alone – " in page
    assert '<p class="meta">&lt;Cork&gt; alone</p>' in page
