"""Tests of the index of a batch in a real browser, with its pages beside it."""

from __future__ import annotations

import shutil

import nbformat
import pytest

from cxlib.publishing.index import write_index
from tests.publishing.browser.conftest import LOOKS, RUN, violations

EVIL = "<script>window.hacked = 1</script>\"'><img src=x onerror='window.hacked=2'>"
STATUSES = ["ok", "ok-with-warnings", "too-little-data", "failed-cell", "timeout", "not-run"]


def make_run(number):
    """Return the record of one of the runs of a batch."""
    status = STATUSES[number % len(STATUSES)]
    figure = {"id": "nps", "label": f"NPS {EVIL}", "value": 30.0 + number, "unit": "points"}
    failed = status not in {"ok", "ok-with-warnings"}
    about = {
        "status": status,
        "set_name": f"T: region {number} {EVIL}",
        "folder": f"run-{number}",
        "notebook": "t",
        "headline": EVIL,
        "parameters": {"segment_by": "region", "segment": f"{number} {EVIL}"},
        "key_figures": [figure | {"conf_low": 1.0 + number, "conf_high": 60.0, "n": 100}],
        "error": {"class": "KeyError", "message": EVIL, "cell": 1} if failed else None,
        "warnings": [EVIL] if status == "ok-with-warnings" else [],
    }
    return RUN | about


@pytest.fixture(scope="module")
def batch(tmp_path_factory, render):
    """Return a folder with an index of 14 runs and a page for each."""
    out = tmp_path_factory.mktemp("batch")
    runs = [make_run(number) for number in range(14)]
    for run in runs:
        (out / run["folder"]).mkdir()
        page = render([nbformat.v4.new_markdown_cell("# T\n## One\na")], **run)
        shutil.move(page, out / run["folder"] / "report.html")
    write_index({"title": f"Batch {EVIL}", "runs": runs}, out)
    return out


def test_the_index_asks_for_nothing_and_runs_nothing_of_the_data(batch, browser):
    """The console is silent, names from the data stay text, the page is light."""
    browser.look()
    browser.open(batch / "index.html")

    assert browser.complaints == []
    assert browser.requests == [(batch / "index.html").as_uri()]
    assert browser.run("typeof hacked") == "undefined"
    assert browser.run("document.scripts.length") == 1
    assert browser.run("document.querySelector('h1').textContent") == f"Batch {EVIL}"


def test_links_of_the_index_lead_to_pages_of_the_folder(batch, browser):
    """Every page is reached from the index, and no link leaves the folder."""
    browser.look()
    browser.open(batch / "index.html")
    links = browser.run("[...document.links].map(link => link.href.replace(/#.*/, ''))")

    assert {link for link in links if link.endswith("report.html")} == {
        path.as_uri() for path in batch.glob("*/report.html")
    }
    assert all(link.startswith(batch.as_uri()) for link in links)


@pytest.mark.parametrize("look", LOOKS)
def test_the_index_breaks_no_rule_of_accessibility(look, batch, browser, axe):
    """Axe-core finds nothing serious, with everything open."""
    scheme, media = LOOKS[look]
    browser.look(scheme=scheme, media=media)
    browser.open(batch / "index.html")
    browser.run("document.querySelectorAll('details').forEach(part => { part.open = true; })")

    assert violations(browser, axe) == []


def test_the_index_is_complete_without_script(batch, browser):
    """Every set is listed, and nothing that needs a script is shown."""
    browser.look()
    browser.open(batch / "index.html", script=False)

    text = browser.run("document.querySelector('main').innerText")
    assert all(f"region {number} " in text for number in range(14))
    seen = "[...document.querySelectorAll('button, input')].filter(e => e.checkVisibility())"
    assert browser.run(f"{seen}.length") == 0
    assert browser.complaints == []
