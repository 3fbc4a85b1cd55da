"""Tests of finding, choosing and ordering the reports of a batch, by keyboard alone."""

from __future__ import annotations

import pytest

from cxlib.publishing.index import write_index
from tests.batches import make_batch, make_figure, make_run

SETS = "[...document.querySelectorAll('[data-set]')].filter(set => set.checkVisibility())"
NAMES = f"{SETS}.map(set => set.dataset.name)"
TOLD = "document.getElementById('told').textContent"
ACTIVE = "document.activeElement"


@pytest.fixture
def page(tmp_path, browser):
    """Open an index with three sets of one notebook and one of another."""
    runs = [
        make_run("Dublin", make_figure(20)),
        make_run("Cork", make_figure(9.5)),
        make_run("Sligo", status="too-little-data", folder=""),
        make_run("all", make_figure(1), notebook="data", title="Data", set_name="Data"),
    ]
    write_index(make_batch(*runs), tmp_path)
    browser.look()
    browser.open(tmp_path / "index.html")
    return browser


def go_to(page, selector):
    """Press Tab until an element has the focus."""
    for _ in range(40):
        if page.run(f"{ACTIVE}.matches('{selector}')"):
            return
        page.press("Tab")
    pytest.fail(f"{selector} cannot be reached by keyboard")


def test_all_reports_are_there_at_first(page):
    """In the order of the batch; the number is said to a screen reader."""
    assert page.run(NAMES) == ["region Dublin", "region Cork", "region Sligo", "Data"]
    assert page.run(TOLD) == "4 of 4 reports shown"
    assert page.run("document.getElementById('told').getAttribute('role')") == "status"
    assert page.complaints == []


def test_typing_finds_reports(page):
    """Every word must be met; a notebook without a report left goes, heading and all."""
    go_to(page, "#search")
    page.type("cork region")

    assert page.run(NAMES) == ["region Cork"]
    assert page.run(TOLD) == "1 of 4 reports shown"
    shown = "[...document.querySelectorAll('h2')].filter(e => e.checkVisibility()).length"
    assert page.run(shown) == 1
    page.press("Enter")
    assert page.complaints == []


def test_a_status_can_be_chosen(page):
    """The list offers the statuses of this batch and no other."""
    go_to(page, "#status")
    page.type("t")

    assert page.run("[...document.getElementById('status').options].map(o => o.text)") == [
        "all",
        "too little data",
        "ok",
    ]
    assert page.run(NAMES) == ["region Sligo"]


def test_the_worst_can_be_put_first(page):
    """Within and between notebooks; the order of the batch comes back."""
    go_to(page, "#order")
    page.type("w")
    assert page.run(NAMES) == ["region Sligo", "region Dublin", "region Cork", "Data"]
    page.run("new Promise(done => setTimeout(done, 1200))")  # the browser takes letters together
    page.type("a")
    assert page.run(NAMES) == ["region Dublin", "region Cork", "region Sligo", "Data"]


def test_a_column_orders_reports_by_its_figure(page):
    """Down, up, as it was; a report without the figure stays last; the state is said."""
    head = ".sets thead th:nth-child(2)"
    go_to(page, f"{head} button")
    orders, states = [], []
    for _ in range(3):
        page.press("Enter")
        orders.append([name.removeprefix("region ") for name in page.run(NAMES)[:3]])
        states.append(page.run(f"document.querySelector('{head}').getAttribute('aria-sort')"))

    assert orders == [
        ["Dublin", "Cork", "Sligo"],
        ["Cork", "Dublin", "Sligo"],
        ["Dublin", "Cork", "Sligo"],
    ]
    assert states == ["descending", "ascending", None]
