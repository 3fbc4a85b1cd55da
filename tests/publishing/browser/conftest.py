"""What the tests in a browser share: one Chromium, the rules of axe-core, rendered pages."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from cxlib.publishing.report import render_report
from cxlib.workbook import read_workbook
from tests.publishing.browser.chromium import Browser, find_chromium, run_chromium

NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"
LOOKS = {"light": ("light", ""), "dark": ("dark", ""), "print": ("light", "print")}
RUN = {
    "status": "ok",
    "title": "T",
    "started_at": "2026-01-02T03:04:05+00:00",
    "seconds": 1.0,
    "parameters": {"workbook": "samples", "stages": [], "random_state": 0},
    "inputs": [],
    "uses": [],
    "refusals": [],
    "tables": ["paths"],
    "warnings": [],
    "versions": {"cxlib": "0", "numpy": "2"},
    "error": None,
}
Rendered = Callable[..., Path]


def violations(browser, axe):
    """Return the rules of axe-core that the open page breaks badly, with where."""
    browser.run(axe)
    found = browser.run("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        (rule["id"], [node["html"] for node in rule["nodes"]])
        for rule in found
        if rule["impact"] in {"serious", "critical"}
    ]


def _lacking(what: str) -> None:
    """Skip where something is not installed; acceptance must have it."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not installed")
    pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return a browser that lives as long as the session."""
    command = find_chromium()
    if command is None:
        _lacking("Chromium")
    with run_chromium(str(command), tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="session")
def axe() -> str:
    """Return the script of axe-core; the package around it drives another browser."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or not found.submodule_search_locations:
        _lacking("axe-playwright-python, which holds axe-core,")
    folder = found.submodule_search_locations[0]
    return (Path(folder) / "axe.min.js").read_text("utf-8")


@pytest.fixture(scope="session")
def render(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """Return a function that renders a notebook, or a few cells, into a file of its own."""

    def rendered(what: str | list, *, with_code: bool = False, **run: Any) -> Path:
        if isinstance(what, str):
            notebook = nbformat.read(NOTEBOOKS / f"{what}.ipynb", as_version=4)
        else:
            notebook = nbformat.v4.new_notebook(cells=what)
        book = read_workbook("samples")
        path = tmp_path_factory.mktemp("page") / "report.html"
        path.write_text(
            render_report(notebook, RUN | run, book, with_code=with_code), encoding="utf-8"
        )
        return path

    return rendered
