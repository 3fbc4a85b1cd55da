"""Tests of what may be handed round."""

from __future__ import annotations

import json
import re

import nbformat
import pytest

from cxlib.errors import HeldBack, RunError
from cxlib.publishing.index import write_index
from cxlib.sharing.share import share_batch
from tests.batches import make_batch, make_figure, make_run

EVENTS = """customer_id,timestamp,touchpoint
C-1001,2024-01-02,web
7,2024-01-03,web
user_anna,2024-01-03,web
"""


@pytest.fixture
def share(write_workbook, tmp_path):
    """Return a function that shares a batch of pages, given by name, and returns the folder."""
    workbook = write_workbook("tables: {events: {source: e.csv}}", e__csv=EVENTS)
    out = tmp_path / "out"

    def shared(*reports, previous=None, parameters=None, **about):
        """Write pages and index of a batch, then share it."""
        asked, runs = {"workbook": str(workbook), **(parameters or {})}, []
        for name, content, *more in reports:
            figures, drawn = more[0] if more else [], more[1] if more[1:] else ""
            run = make_run(name, *figures, parameters=asked, **about)
            folder = out / run["folder"]
            (folder / "tables").mkdir(parents=True, exist_ok=True)
            page = f"<!doctype html><h1>{run['title']}</h1><h2>Part</h2>{content}"
            (folder / "report.html").write_text(page, encoding="utf-8")
            svg = nbformat.v4.new_output("display_data", data={"image/svg+xml": drawn})
            cells = [nbformat.v4.new_code_cell("plot()", outputs=[svg] if drawn else [])]
            nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "notebook.ipynb")
            runs.append(run)
        batch = make_batch(*runs)
        write_index(batch, out, previous=previous)
        share_batch(batch, out)
        return out / "share"

    shared.out = out
    return shared


def test_pages_of_data_that_have_changed_since_are_held_back(share):
    """Their ids are not in the tables any more, so nobody can look for them."""
    entry = {"table": "events", "sha256": "of another export"}
    with pytest.raises(HeldBack, match="its export 'events' has changed since"):
        share(("Cork", "<p>C-1001</p>"), inputs=[entry], uses=["events"])

    assert not list((share.out / "share").glob("scores*"))
    share(("Cork", "<p>fine</p>"), inputs=[entry], uses=["answers"])


def test_pages_alone_are_shared(share):
    """No notebook, table or record, and no link to one."""
    folder = share(("Cork", "<p>fine</p>"), ("Dublin", "<p>fine</p>"))
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    pages = {f"scores__segment-{name}/report.html" for name in ("Cork", "Dublin")}
    assert files == {"index.html", "mail.html"} | pages
    links = re.findall(r'href="([^"#][^"]*)"', (folder / "index.html").read_text("utf-8"))
    assert set(links) == pages


def test_ids_are_hashed_alike_on_every_page(share):
    """In marked cells, in text, in index and mail; the analyst's pages keep them."""
    cell = "<table><tr><th scope='row' data-id>7</th><td data-id>C-1001</td></tr></table>"
    folder = share(
        ("Cork", cell), ("Dublin", "<p>Ask C-1001, not 7.</p>"), headline="C-1001 is the first."
    )
    texts = [path.read_text("utf-8") for path in sorted(folder.rglob("*.html"))]
    names = [set(re.findall(r"id-[0-9a-f]{10}", text)) for text in texts]

    assert not any("C-1001" in text for text in texts)
    assert len(set.union(*names)) == 2
    assert len(set.intersection(*names)) == 1
    assert "not 7." in texts[-1]
    assert "C-1001" in (share.out / "scores__segment-Dublin" / "report.html").read_text()


def test_pages_repeat(share):
    """The same batch shared twice gives the same bytes, and the second time nothing is written."""
    folder = share(("Cork", "<p>C-1001</p>"))
    page = folder / "scores__segment-Cork" / "report.html"
    first, written = page.read_bytes(), page.stat().st_mtime_ns
    share(("Cork", "<p>C-1001</p>"))
    assert page.stat().st_mtime_ns == written

    (share.out / ".cx" / "share").unlink()
    share(("Cork", "<p>C-1001</p>"))
    assert page.read_bytes() == first


def test_what_is_gone_from_the_batch_is_gone_from_the_share(share):
    """The folder holds this batch and nothing else."""
    share(("Cork", ""), ("Dublin", ""))
    folder = share(("Cork", ""))

    assert [path.name for path in folder.glob("scores*")] == ["scores__segment-Cork"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("<p>ann@example.org</p>", "an e-mail address under 'Part'"),
        ("<p>087 123 4567</p><p>087 123 4568</p>", "2 × a phone number under 'Part'"),
        ("<p>DE89370400440532013000</p>", "a bank account under 'Part'"),
        ("<p id='x'><a href=\"#C-1001\">x</a></p>", "an id"),
    ],
)
def test_a_page_with_personal_data_is_held_back(content, kind, share):
    """The message names page and kind and never the value; the other pages are there."""
    with pytest.raises(RunError, match="Not all pages may be handed round") as told:
        share(("Cork", content), ("Dublin", "<p>fine</p>"))

    assert f"  report 1 (Scores: region Cork): {kind}\n" in str(told.value)
    assert not re.search(r"ann@|087|DE89|C-1001", str(told.value))
    folder = share.out / "share"
    assert [path.name for path in folder.glob("scores*")] == ["scores__segment-Dublin"]
    assert "This report is held back" in (folder / "index.html").read_text("utf-8")
    with pytest.raises(RunError):  # it is not taken for done the second time
        share(("Cork", content), ("Dublin", "<p>fine</p>"))


def test_what_is_drawn_in_a_figure_counts(share):
    """On a page letters are curves; the notebook still knows what they say."""
    with pytest.raises(RunError, match=r"region Cork\): an id in a figure"):
        share(("Cork", "<p>fine</p>", [], "<svg><!-- C-1001 --><g/></svg>"))
    with pytest.raises(RunError, match=r"region Cork\): an e-mail address in a figure"):
        share(("Cork", "<p>fine</p>", [], "<svg><text>ann@example.org</text></svg>"))
    share(("Cork", "<p>fine</p>", [], "<svg><!-- Cork --><text>7</text></svg>"))


def test_a_name_that_is_personal_is_held_back(share):
    """Neither index, mail nor message say it."""
    with pytest.raises(RunError, match=r"report 1 \(Report 1\): 4 × an e-mail address in its name"):
        share(("ann@example.org", "<p>fine</p>"), ("Cork", "<p>fine</p>"))

    for path in (share.out / "share").rglob("*.html"):
        assert "ann@" not in path.read_text("utf-8")


def test_a_title_that_is_personal_keeps_index_and_mail_back(share, monkeypatch):
    """What the lists say themselves is searched too."""
    share(("Cork", "<p>fine</p>"))
    batch = make_batch(title="Reports for ann@example.org")
    write_index(batch, share.out)
    with pytest.raises(RunError, match=r"index.html: an e-mail address"):
        share_batch(batch, share.out)

    assert list((share.out / "share").iterdir()) == []


def test_small_groups_are_not_shared(share):
    """Rows of tables lose their figures; a report that rests on few is held back."""
    row = '<tr><th scope="row">A</th><td class="number">9</td><td class="number">50%</td></tr>'
    head = '<th scope="col">group</th><th scope="col" class="number">n</th>'
    page = (
        f"<table><thead><tr>{head}<th scope='col' class='number'>share</th></tr></thead>"
        f"<tbody>{row}</tbody></table>"
    )
    folder = share(("Cork", page))
    shared = (folder / "scores__segment-Cork" / "report.html").read_text("utf-8")
    assert "under 10" in shared
    assert "50%" not in shared

    with pytest.raises(RunError, match=r"Cork\): the key figure 'NPS' rests on fewer than 10"):
        share(("Cork", "<p>fine</p>", [make_figure(n=9)]))


def test_counts_of_few_are_not_told(share):
    """Neither by the page nor by the lists, nor by how they changed; counts of things are."""
    kinds = {"of them left": "count", "Themes": "number", "Share": "share"}
    figures = [
        make_figure(value, None, None, id=label, label=label, unit=unit, n=412)
        for (label, unit), value in zip(kinds.items(), (3, 4, 0.5), strict=True)
    ]
    before = [{**figure, "value": 1.0} for figure in figures]
    cells = "".join(
        f'<tr><th scope="row">{figure["label"]}</th><td>{figure["value"]}</td></tr>'
        for figure in figures
    )
    page = (
        '<table><thead><tr><th scope="col">key figure</th><th scope="col">value</th></tr></thead>'
        f"<tbody>{cells}</tbody></table>"
    )
    folder = share(
        ("Cork", page, figures),
        headline="3 customers left. Fine.",
        previous=make_batch(make_run("Cork", *before)),
    )
    shared = (folder / "scores__segment-Cork" / "report.html").read_text("utf-8")
    assert "<td>under 10</td></tr>" in shared
    assert "<td>4</td></tr>" in shared
    for name in ("index.html", "mail.html"):
        text = (folder / name).read_text("utf-8")
        assert "3 customers" not in text
        assert "(A sentence about fewer than 10 is left out here.) Fine." in text
    index = (folder / "index.html").read_text("utf-8")
    assert '<td class="number">under 10</td>' in index
    assert "up 2" not in index
    assert "up 3" in index


def test_a_count_that_was_of_few_does_not_say_how_it_changed(share):
    """The difference would tell it; so would how few the earlier figure rested on."""
    count = make_figure(15, None, None, unit="count", n=None)
    rating = make_figure(30.0, 20.0, 40.0, id="r", n=412)
    earlier = make_run("Cork", {**count, "value": 3}, {**rating, "n": 7}, parameters={"wave": "a"})
    folder = share(
        ("Cork", "<p>x</p>", [count, rating]),
        previous=make_batch(earlier),
        parameters={"wave": "b"},
    )
    index = (folder / "index.html").read_text("utf-8")

    assert "<td>15</td>" in index.replace(' class="number"', "")
    assert not re.search(r"up 12|n 7", index)


def test_why_a_set_was_not_made_does_not_say_how_few(share):
    """The lists of the analyst do."""
    about = {
        "class": "TooLittleData",
        "message": "3 rows; at least 100 are asked for.",
        "cell": None,
    }
    folder = share(("Cork", "<p>x</p>"), status="too-little-data", error=about)
    shared = (folder / "index.html").read_text("utf-8")

    assert "Fewer than 10 rows; at least 100 are asked for." in shared
    assert ">3 rows" not in shared


@pytest.mark.parametrize("segment", ["C-1001", "user_anna"])
def test_a_folder_that_names_an_id_is_called_by_its_number(segment, share):
    """Neither a file nor a link says it; the others keep their names."""
    folder = share(("Cork", "<p>x</p>"), (segment, "<p>x</p>"))

    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == [
        "report-02",
        "scores__segment-Cork",
    ]
    index = (folder / "index.html").read_text("utf-8")
    assert 'href="report-02/report.html"' in index
    assert segment not in index


@pytest.mark.parametrize("change", ["edit", "add", "remove"])
def test_a_changed_share_is_made_anew(change, share):
    """Nobody's edit is handed round as ours."""
    folder = share(("Cork", "<p>fine</p>"))
    page = folder / "scores__segment-Cork" / "report.html"
    first = page.read_bytes()
    if change == "edit":
        page.write_text("ann@example.org")
    elif change == "add":
        (folder / "notes.txt").write_text("ann@example.org")
    else:
        page.unlink()
    share(("Cork", "<p>fine</p>"))

    assert page.read_bytes() == first
    assert not (folder / "notes.txt").exists()


def test_lists_say_that_a_report_is_held_back(share):
    """Two reports that are ok are not both shown."""
    with pytest.raises(RunError):
        share(("Cork", "<p>ann@example.org</p>"), ("Dublin", "<p>fine</p>"))

    assert "All 2 reports are ok." in (share.out / "index.html").read_text("utf-8")
    for name in ("index.html", "mail.html"):
        text = (share.out / "share" / name).read_text("utf-8")
        assert "All 2 reports" not in text
        assert "1 of 2 reports is held back." in text
        assert "1 of 2 reports is ok." in text


def test_what_moved_is_said_of_shared_reports_alone(share):
    """A held-back report leaves no figure in the list of what moved."""
    before = make_batch(
        *(make_run(name, make_figure(1, 0, 2), parameters={"wave": "a"}) for name in "AB")
    )
    pages = {"A": "<p>ann@example.org</p>", "B": "<p>fine</p>"}
    reports = [(name, page, [make_figure(90, 80, 99)]) for name, page in pages.items()]
    with pytest.raises(RunError):
        share(*reports, previous=before, parameters={"wave": "b"})

    summary = json.loads((share.out / "summary.json").read_text("utf-8"))
    assert len(summary["compared"]["moved"]) == 2
    page = (share.out / "share" / "index.html").read_text("utf-8")
    assert "Scores: region B: NPS" in page
    assert "region A: NPS" not in page
