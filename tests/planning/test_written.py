"""Tests of how manifests and notebooks may be written, where that is what stops them."""

from __future__ import annotations

import json
import re
import time

import nbformat
import pytest

from cxlib.errors import InputError
from cxlib.planning.manifest import plan_batch, read_manifest
from cxlib.planning.plans import describe_plans, plan_run
from cxlib.workbook import read_workbook
from tests.small import make_place

RUNS = "runs: [{notebook: tiny.ipynb}]\n"


@pytest.fixture
def place(tmp_path):
    """Return a folder with a small workbook and notebook."""
    return make_place(tmp_path)


def plan(place, text, name="m.yml"):
    """Write, read and check a manifest."""
    path = place / name
    path.write_text(text, encoding="utf-8")
    return plan_batch(read_manifest(path), place, place / "out")


def refused(place, text):
    """Return what is said about a manifest that is refused."""
    with pytest.raises(InputError) as caught:
        plan(place, f"workbook: cx.yml\n{text}" if "workbook:" not in text else text)
    return str(caught.value)


LONG = "x" * 300


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ('workbook: "a\\0"\n' + RUNS, ["'workbook' holds", "m.yml, line 1"]),
        ('compare_to: "a\\0"\n' + RUNS, ["'compare_to' holds", "line 2"]),
        ('include: "a\\0"\n', ["'include' holds", "line 2"]),
        ('include: ["b.yml", "a\\0"]\n', ["'include.1' holds", "line 2"]),
        ('title: "\\ud800"\n' + RUNS, ["'title' holds", "line 2", "cannot be saved"]),
        ('"\\ud800": a\n', ["line 2"]),
        (f"workbook: {LONG}\n{RUNS}", [f"There is no workbook '/.*{LONG}'", "runs.0"]),
        (f"include: {LONG}\n", [f"no manifest '{LONG}'", "line 2, include.0"]),
        (f"compare_to: {LONG}\n{RUNS}", ["No batch has ended", "line 2, compare_to"]),
        (f"runs: [{{notebook: {LONG}}}]", [f"no notebook '{LONG}'", "line 2, runs.0"]),
        (f"runs: [{{notebook: {LONG}.ipynb}}]", [f"no notebook '{LONG}.ipynb'"]),
        (f"runs: [{{notebook: tiny.ipynb, workbook: {LONG}}}]", ["There is no workbook"]),
        (f"on_finish: [./{LONG}]\n{RUNS}", ["no program"]),
        ("timeout_seconds: !!int x\n" + RUNS, ["tag '!!int'", "line 2, timeout_seconds"]),
        ("title: !!timestamp x\n" + RUNS, ["tag '!!timestamp'", "line 2"]),
        ("title: !!binary x\n" + RUNS, ["tag '!!binary'", "line 2"]),
        ("runs: !!set {a: }\n", ["'runs' has the tag '!!set'", "line 2"]),
        ("title: !mine x\n" + RUNS, ["tag '!mine'", "line 2"]),
        ("!!int runs: []\n", ["tag '!!int'"]),
    ],
)
def test_texts_that_no_file_can_have_are_refused(place, text, messages):
    """Each with its line, like any other mistake."""
    said = refused(place, text)

    assert all(re.search(message, said) for message in messages), said


def test_tags_that_say_what_is_so_anyway_are_no_mistake(place):
    """Everything is text; a list is a list."""
    (made,) = plan(
        place,
        "workbook: !!str cx.yml\nruns: !!seq\n- !!map {notebook: tiny.ipynb, "
        "parameters: {mode: !!str 007}}\n",
    )

    assert made.parameters["mode"] == "007"


def test_a_workbook_is_read_by_the_same_rules(place):
    """cx.yml and manifests share their reader."""
    path = place / "cx.yml"
    path.write_text(path.read_text().replace("Small", '"\\ud800"'))
    with pytest.raises(InputError, match=r"'name' holds[\s\S]*line 1"):
        read_workbook(path)
    with pytest.raises(InputError, match="There is no workbook"):
        read_workbook(LONG)


@pytest.mark.parametrize("how", ["*{0}, *{0}", "<<: [*{0}, *{0}]"])
def test_aliases_of_aliases_are_not_followed_without_end(place, how):
    """Twenty-five lines that stand for thirty million values."""
    close = ("[", "]") if how[0] == "*" else ("{", "}")
    lines = ["x0: &x0 {a: 1}"]
    for i in range(1, 26):
        lines.append(f"x{i}: &x{i} {close[0]}{how.format(f'x{i - 1}')}{close[1]}")
    started = time.monotonic()
    said = refused(place, "\n".join(lines) + f"\n{RUNS}")

    assert "'m.yml' holds more than 200,000 values." in said
    assert time.monotonic() - started < 10


def test_aliases_as_people_use_them_are_followed(place):
    """A block that several runs share, and one that is merged."""
    plans = plan(
        place,
        "workbook: cx.yml\nruns:\n- notebook: tiny.ipynb\n  parameters: &p {mode: a, number: 1}\n"
        "- notebook: tiny.ipynb\n  parameters: {<<: *p, number: 2}\n",
    )

    assert [p.parameters["mode"] for p in plans] == ["a", "a"]
    assert [p.parameters["number"] for p in plans] == [1, 2]


def test_a_manifest_is_included_once(place):
    """By one file twice, or by two files: else twenty-five files stand for millions of runs."""
    (place / "last.yml").write_text(RUNS)
    (place / "b.yml").write_text("include: last.yml\n")
    twice = refused(place, "include: [last.yml, ./last.yml]\n")
    by_two = refused(place, "include: [b.yml, last.yml]\n")

    assert "'./last.yml' is included twice." in twice
    assert "m.yml, line 2, include.1" in twice
    assert "'last.yml' is included twice." in by_two
    assert "b.yml, line 1, include.0" in by_two
    assert "m.yml, line 2, include.1" in by_two


def test_manifests_are_not_followed_into_the_depths(place):
    """Fifty are, a thousand are refused."""
    for i in range(1000):
        (place / f"{i}.yml").write_text(f"include: {i + 1}.yml\n")
    assert "more than 50 deep" in refused(place, "include: 0.yml\n")
    (place / "48.yml").write_text(RUNS)

    assert len(plan(place, "workbook: cx.yml\ninclude: 0.yml\n")) == 1


def test_paths_of_a_linked_manifest_start_where_the_file_is(place, tmp_path_factory):
    """Includes, notebooks and workbook alike."""
    (place / "b.yml").write_text(RUNS)
    (place / "m.yml").write_text(
        "workbook: cx.yml\ninclude: b.yml\n"
        "runs: [{notebook: tiny.ipynb, parameters: {number: 1}}]\n"
    )
    link = tmp_path_factory.mktemp("elsewhere") / "link.yml"
    link.symlink_to(place / "m.yml")
    manifest = read_manifest(link)

    assert [p.set_name for p in plan_batch(manifest, manifest.folder, place / "out")] == [
        "A tiny page", "A tiny page: number 1",
    ]  # fmt: skip


def test_a_file_where_a_run_goes_is_told(place):
    """It is left alone."""
    (place / "out").mkdir()
    (place / "out/tiny").touch()
    with pytest.raises(InputError, match="'tiny' exists and is no run of cx"):
        plan_run(f"{place}/tiny.ipynb", workbook=str(place), given={}, out=place / "out")
    with pytest.raises(InputError, match="output folder cannot be written: File name too long"):
        plan_run(f"{place}/tiny.ipynb", workbook=str(place), given={}, out=place / LONG)


def test_files_of_others_are_told_with_all_other_mistakes(place):
    """A dry run knows them, too."""
    (place / "out").mkdir()
    (place / "out/index.html").write_text("mine")
    said = refused(place, "runs: [{notebook: tiny.ipynb, parameters: {mod: x}}]\n")

    assert "'index.html'" in said
    assert "'mod' is unknown" in said


@pytest.mark.parametrize("content", ["[]", "{}", '{"runs": []}', '{"title": "x", "runs": [{}]}'])
def test_an_earlier_batch_of_another_shape_is_told_at_once(place, content):
    """Not after hours of runs."""
    (place / "old").mkdir()
    (place / "old/batch.json").write_text(content)
    said = refused(place, "compare_to: old\n" + RUNS)

    assert "is no record of a batch" in said
    assert "m.yml, line 2, compare_to" in said


def break_notebook(place, change):
    """Change the notebook's JSON and return what is said of it."""
    path = place / "tiny.ipynb"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return refused(place, RUNS)


def test_notebooks_of_other_formats_are_refused(place):
    """Format 3 keeps its cells elsewhere; nobody knows a format to come."""
    node = nbformat.read(place / "tiny.ipynb", as_version=4)
    nbformat.write(nbformat.convert(node, 3), place / "tiny.ipynb", version=3)
    said = refused(place, RUNS)

    assert "'tiny.ipynb' is saved in format 3." in said
    assert "open and save it once in JupyterLab" in said
    assert "in format 5." in break_notebook(place, lambda node: node.update(nbformat=5))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda node: node["cells"][2].pop("metadata"), "cells.2.metadata: field required"),
        (lambda node: node["cells"][2].update(metadata=[]), "cells.2.metadata: "),
        (lambda node: node["cells"][2]["metadata"].update(tags=None), "cells.2.metadata.tags: "),
        (lambda node: node["cells"][2].update(cell_type=1), "cells.2.cell_type: "),
        (lambda node: node["cells"][2].update(source=5), "cells.2.source"),
        (lambda node: node["cells"].append("x"), "cells.6: "),
        (lambda node: node.update(cells={}), "cells: "),
        (lambda node: node.pop("cells"), "cells: field required"),
        (lambda node: node.update(metadata=[]), "metadata: "),
        (lambda node: node["metadata"].update(cx=["events"]), "metadata.cx: "),
        (lambda node: node["metadata"].update(cx={"tables": "events"}), "metadata.cx.tables: "),
        (lambda node: node["metadata"].update(cx={"any_of": ["a"]}), "metadata.cx.any_of.0: "),
    ],
)
def test_what_a_notebook_lacks_is_told_before_it_is_run(place, change, said):
    """Whatever reads it later can rely on it."""
    assert f"'tiny.ipynb' is no notebook: {said}" in break_notebook(place, change)


def test_what_a_manifest_gives_is_listed_though_the_notebook_would_take_it_anyway(place):
    """The folder is that of the defaults; the list says what was asked for."""
    (made,) = plan(
        place,
        "workbook: cx.yml\nruns:\n- notebook: tiny.ipynb\n  parameters: {number: 3}\n"
        "  overrides: [{when: {number: 3}, parameters: {number: 0, mode: ok}}]\n",
    )

    assert describe_plans([made]) == ["A tiny page | tiny | number=0, mode='ok'"]
    assert made.folder.name == "tiny"
