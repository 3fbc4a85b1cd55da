"""Tests of what a run depends on, and of the reason it is made again."""

from __future__ import annotations

from dataclasses import replace

import nbformat
import pytest

from cxlib import installation
from cxlib.planning.plans import plan_run
from cxlib.running.keys import explain_change, explain_run, hash_run, is_whole, read_run
from tests.small import make_place, plan_tiny

ANSWERED = {"status": "ok", "parameters": {}, "tables": []}


@pytest.fixture
def place(tmp_path):
    """Return a folder with a small workbook and notebook."""
    return make_place(tmp_path)


def edit(place, change):
    """Change the notebook; return its key."""
    node = nbformat.read(place / "tiny.ipynb", as_version=4)
    change(node)
    nbformat.write(node, place / "tiny.ipynb")
    return hash_run(plan_tiny(place, place / "out"))


def test_equal_runs_have_equal_keys_and_each_part_tells_its_change(place):
    """A part changes with what it stands for, and the others do not."""
    key = hash_run(plan_tiny(place, place / "out"))
    again = hash_run(plan_tiny(place, place / "elsewhere"))
    number = hash_run(plan_tiny(place, place / "out", number=1))
    (place / "cx.yml").write_text((place / "cx.yml").read_text().replace("Small", "Large"))
    settings = hash_run(plan_tiny(place, place / "out"))
    (place / "e.csv").write_text("customer_id,timestamp,touchpoint\n1,2024-01-01,b\n")
    data = hash_run(plan_tiny(place, place / "out"))

    assert key == again
    assert explain_change(key, number) == "title changed, parameters changed"
    assert explain_change(key, settings) == "workbook changed"
    assert explain_change(settings, data) == "data changed: events"
    assert explain_change({}, key) == "made by an earlier cxlib"


def test_what_a_page_shows_counts_and_outputs_that_were_saved_do_not(place):
    """Code, text and tags are the notebook; results and counts of an earlier run are not."""

    def run(node):
        """Save results, as Jupyter does."""
        node.cells[3].outputs = [nbformat.v4.new_output("stream", text="1")]
        node.cells[3].execution_count = 7
        node.metadata["kernelspec"] = {"name": "python3", "display_name": "x"}

    key = edit(place, lambda node: None)
    same = edit(place, run)
    text = edit(place, lambda node: node.cells[0].update(source="# A tiny page\n\nWhat was it?"))
    code = edit(place, lambda node: node.cells[3].update(source="import os, time, resource"))

    assert same == key
    assert explain_change(key, text) == "notebook changed"
    assert explain_change(text, code) == "notebook changed"


def test_only_tables_used_count(tmp_path):
    """A table the notebook does not name may change; one that opening joins may not."""
    place = make_place(tmp_path)
    more = "  customers:\n    source: c.csv\n  touchpoints:\n    source: t.csv\n"
    with (place / "cx.yml").open("a") as file:
        file.write(more)
    (place / "c.csv").write_text("customer_id,region\n1,N\n2,N\n")
    (place / "t.csv").write_text("touchpoint,channel\na,web\n")
    plain, split = (
        hash_run(plan_tiny(place, place / "out", segment_by=by)) for by in ("", "region")
    )
    (place / "c.csv").write_text("customer_id,region\n1,N\n2,S\n")
    (place / "t.csv").write_text("touchpoint,channel\na,phone\n")
    changed, changed_split = (
        hash_run(plan_tiny(place, place / "out", segment_by=by)) for by in ("", "region")
    )

    assert explain_change(plain, changed) == "data changed: touchpoints"
    assert explain_change(split, changed_split) == "data changed: customers, touchpoints"


def test_code_libraries_and_templates_count(place, monkeypatch):
    """A mended cxlib, another pandas and another template make every page anew."""
    from importlib import metadata

    plan, real = plan_tiny(place, place / "out"), metadata.version
    key = hash_run(plan)
    other = "9.9"
    monkeypatch.setattr(metadata, "version", lambda n: other if n == "pandas" else real(n))
    installation.hash_installation.cache_clear()
    libraries = hash_run(plan)
    monkeypatch.setattr(installation, "_hash_files", lambda paths: f"{len(list(paths))} files")
    installation.hash_installation.cache_clear()
    files = hash_run(plan)
    monkeypatch.undo()
    installation.hash_installation.cache_clear()

    assert explain_change(key, libraries) == "libraries changed"
    assert explain_change(libraries, files) == "cxlib changed, templates changed"
    assert hash_run(plan) == key


def test_the_reason_is_what_keeps_an_answer_from_holding(place):
    """New, failed before, a parameter by its name, a file removed; nothing when all is there."""
    plan = plan_tiny(place, place / "out")
    key = hash_run(plan)
    run = ANSWERED | {"key": key, "parameters": plan.parameters}
    plan.folder.mkdir(parents=True)
    missing = explain_run(plan, key, run)
    for name in ("report.html", "analyst.html", "notebook.ipynb"):
        (plan.folder / name).touch()
    other = replace(plan, parameters={**plan.parameters, "number": 5})

    assert explain_run(plan, key, None) == "new"
    assert explain_run(plan, key, run | {"status": "timeout"}) == "timeout before"
    assert missing == "files are missing"
    assert explain_run(plan, key, run) == ""
    assert explain_run(other, hash_run(other), run) == "parameters changed: number"
    assert not is_whole(plan.folder, run | {"tables": ["x"]})


def test_a_record_that_cannot_be_read_is_none(place):
    """A folder that somebody spoilt is made anew."""
    for text in ("{", "[]", "{}"):
        (place / "run.json").write_text(text)
        assert read_run(place) is None


def test_a_notebook_that_names_no_table_depends_on_all(place):
    """Nobody knows what it reads."""
    node = nbformat.read(place / "tiny.ipynb", as_version=4)
    node.metadata["cx"] = {}
    nbformat.write(node, place / "any.ipynb")
    plan = plan_run(str(place / "any.ipynb"), workbook=str(place), given={}, out=place / "out")

    assert "data events" in hash_run(plan)
