"""Tests of one run: what is refused before a kernel, and the truth about how it ended."""

from __future__ import annotations

import json

import nbformat
import pandas as pd
import pytest

from cxlib.errors import InputError, RunError
from cxlib.planning.plans import plan_run
from cxlib.publishing import report
from cxlib.running import runs
from cxlib.running.batch import run_batch
from cxlib.running.keys import explain_run, hash_run
from cxlib.running.runs import execute_run, exit_code
from tests.small import write_place

PARAMETERS = """workbook = "samples"  # a cx.yml
segment_by = ""
segment = ""
period_start = ""
period_end = ""
mode = "ok"  # what happens
"""
BODY = """import os, time
import cxlib.data
cxlib.data.open_workbook(workbook, period_start=period_start).frame("events")
import pandas as pd
from cxlib.errors import TooLittleData
from cxlib.show import headline, record, save_table, show, warn
headline("Answer <b>")
record("n", "Number", 3, unit="count")
save_table("x", pd.DataFrame({"a": ["<script>alert(1)</script>"]}))
show(pd.DataFrame({"a": ["<script>alert(1)</script>"]}), title="T")
"""
MODES = """if mode == "exit":
    os._exit(3)
if mode == "sleep":
    time.sleep(60)
if mode == "error":
    {}["secret value"]
if mode == "quit":
    raise SystemExit(0)
if mode == "little":
    raise TooLittleData("Only 3 customers.")
if mode == "warn":
    warn("careful")
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with a small workbook and notebook."""
    return write_place(tmp_path_factory.mktemp("place"), "small", PARAMETERS, BODY, MODES)


def run(place, mode, timeout=60.0):
    """Run the small notebook in a mode; return its record and folder."""
    plan = plan_run(
        str(place / "small.ipynb"),
        workbook=str(place / "cx.yml"),
        given={"mode": mode},
        out=place / "out",
        timeout=timeout,
    )
    record = execute_run(plan)
    assert json.loads((plan.folder / "run.json").read_text("utf-8")) == record
    return record, plan.folder


def test_a_good_run_leaves_a_whole_folder(place):
    """Page, notebook, tables and a record with everything an index needs."""
    steps = []
    plan = plan_run(str(place / "small.ipynb"), workbook=str(place), given={}, out=place / "out")
    record = execute_run(plan, lambda done, total: steps.append((done, total)))

    assert record["status"] == "ok", record["error"]
    assert plan.folder.name == "small"
    assert sorted(p.name for p in plan.folder.iterdir()) == [
        "analyst.html", "notebook.ipynb", "report.html", "run.json", "tables",
    ]  # fmt: skip
    assert record["key_figures"] == [
        {"id": "n", "label": "Number", "value": 3, "conf_low": None, "conf_high": None, "n": None,
         "unit": "count"}
    ]  # fmt: skip
    assert record["tables"] == ["x"]
    assert record["inputs"][0]["rows_refused"] == 1
    assert record["inputs"][0]["rules"][0]["rule"] == "bad date"
    assert record["parameters"]["mode"] == "ok"
    assert record["error"] is None
    assert steps[-1] == (5, 5)
    assert pd.read_csv(plan.folder / "tables/x.csv")["a"].tolist() == ["<script>alert(1)</script>"]


def test_many_refused_rows_are_a_warning(place, tmp_path):
    """When a good part of a table is refused, the result may speak of others."""
    (tmp_path / "e.csv").write_text(
        "customer_id,timestamp,touchpoint\n1,2024-01-01,a\n" + 6 * "1,soon,a\n"
    )
    (tmp_path / "cx.yml").write_text((place / "cx.yml").read_text())
    plan = plan_run(
        str(place / "small.ipynb"), workbook=str(tmp_path), given={}, out=tmp_path / "out"
    )
    record = execute_run(plan)

    assert record["status"] == "ok-with-warnings"
    assert record["warnings"][0].startswith("6 of 7 rows of 'events' were refused")
    assert "6 of 7 rows" in (plan.folder / "report.html").read_text("utf-8")


def test_braces_in_paths_are_names(place):
    """A folder called {x} is no template."""
    out = place / "a {x} {workbook}"
    plan = plan_run(str(place / "small.ipynb"), workbook=str(place), given={}, out=out)

    assert execute_run(plan)["status"] == "ok"
    assert (out / "small/report.html").is_file()


def test_two_kernels_at_a_time_do_not_meet(place):
    """Runs side by side end like runs one after the other, and the index lists both."""
    plans = [
        plan_run(
            str(place / "small.ipynb"),
            workbook=str(place),
            given={"mode": mode},
            out=place / "side",
        )
        for mode in ("ok", "warn", "ok ")
    ]
    told = []
    done = run_batch(
        plans, place / "side", title="T", workers=2, told=lambda plan, run: told.append(plan)
    )

    assert [record["status"] for record in done] == ["ok", "ok-with-warnings", "ok"]
    assert len(told) == 3
    assert (place / "side/index.html").read_text("utf-8").count("report.html") == 3


def test_a_run_replaces_its_folder(place):
    """A second run leaves nothing of the first, and no scratch folder."""
    _, folder = run(place, "ok")
    (folder / "old.txt").write_text("x")
    _, folder = run(place, "ok")

    assert not (folder / "old.txt").exists()
    assert not list((folder.parent / ".cx").iterdir())


@pytest.mark.parametrize(
    ("mode", "status", "error", "code"),
    [
        ("warn", "ok-with-warnings", None, 0),
        ("little", "too-little-data", "TooLittleData", 0),
        ("error", "failed-cell", "KeyError", 1),
        ("quit", "failed-cell", "SystemExit", 1),
        ("exit", "dead-kernel", "DeadKernelError", 1),
        ("sleep", "timeout", "Timeout", 1),
    ],
)
def test_status_is_the_truth(place, mode, status, error, code):
    """However a run ends, its record, notebook and page say so, and what came before is kept."""
    record, folder = run(place, mode, timeout=9.0 if mode == "sleep" else 60.0)

    assert record["status"] == status
    assert exit_code([record]) == code
    assert (record["error"] or {}).get("class") == error
    assert record["headline"] == "Answer <b>"
    page = (folder / "report.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "Traceback" not in page
    assert "secret value" not in page
    if error is None:
        return
    assert record["error"]["cell"] == 5  # with the cell that papermill injects
    assert f"<strong>{report.STATUSES[status][1].capitalize()}" in page
    states = [
        cell.metadata["papermill"].get("status")
        for cell in nbformat.read(folder / "notebook.ipynb", as_version=4).cells[1:]
    ]
    assert states[-2:] == ["failed", "pending"]
    assert set(states[:-2]) == {"completed"}


def test_an_empty_cut_is_too_little_data(place):
    """A sound workbook whose period holds nothing gives a page, not an error."""
    plan = plan_run(
        str(place / "small.ipynb"),
        workbook=str(place),
        given={"period_start": "2024-06-01"},
        out=place / "out",
    )
    record = execute_run(plan)

    assert plan.folder.name == "small__period_start-2024-06-01"
    assert record["status"] == "too-little-data"
    assert "holds no row" in (plan.folder / "report.html").read_text("utf-8")


def test_other_line_separators_in_names_do_no_harm(place, tmp_path):
    """A record is a line, whatever characters a name of the data brings."""
    node = nbformat.read(place / "small.ipynb", as_version=4)
    node.cells[-1].source = 'headline("one\\x85two\\u2028three")'
    nbformat.write(node, tmp_path / "odd.ipynb")
    plan = plan_run(
        str(tmp_path / "odd.ipynb"), workbook=str(place), given={}, out=tmp_path / "out"
    )

    assert execute_run(plan)["status"] == "ok"


def test_time_that_runs_out_before_the_kernel_is_up_is_a_timeout(place):
    """The run ends all the same, and says so."""
    record, _ = run(place, "sleep", timeout=0.01)

    assert record["status"] == "timeout"
    assert record["seconds"] < 30


def test_a_run_that_cannot_be_written_leaves_what_was_there(place, monkeypatch):
    """The earlier run stays whole, the new one is told as an error, no scratch is left."""
    _, folder = run(place, "ok")
    before = (folder / "run.json").read_text("utf-8")

    def full(path, text):
        if path.name == "report.html":
            path.write_text(text[:10])
            raise OSError(28, "No space left on device")
        path.write_text(text, encoding="utf-8")

    monkeypatch.setattr(runs, "_save", full)
    with pytest.raises(RunError, match="No space left on device"):
        run(place, "ok")

    assert (folder / "run.json").read_text("utf-8") == before
    assert not list((folder.parent / ".cx").iterdir())


def test_a_notebook_edited_while_it_runs_is_never_taken_for_unchanged(place, tmp_path):
    """Nobody can tell which of the two texts the page shows, so its key says so."""
    node = nbformat.read(place / "small.ipynb", as_version=4)
    node.cells[-1].source = (
        f"import pathlib\npath = pathlib.Path({str(tmp_path / 'own.ipynb')!r})\n"
        "path.write_text(path.read_text().replace('What is it', 'What was it'))"
    )
    nbformat.write(node, tmp_path / "own.ipynb")
    plan = plan_run(
        str(tmp_path / "own.ipynb"), workbook=str(place), given={}, out=tmp_path / "out"
    )
    record = execute_run(plan)

    assert record["status"] == "ok"
    assert record["key"]["notebook"] == "changed while it ran"
    assert record["key"]["cxlib"] == hash_run(plan)["cxlib"]
    assert record["reason"] == "new"
    assert explain_run(plan, hash_run(plan), record) == "notebook changed while it ran"


def test_folders_of_parameter_sets_are_told_apart(place):
    """Values that imitate another parameter's name do not share its folder."""
    names = {
        plan_run(
            str(place / "small.ipynb"), workbook=str(place), given=given, out=place / "o"
        ).folder.name
        for given in ({"mode": "x_b-y", "segment": ""}, {"mode": "x"})
    }

    assert len(names) == 2


@pytest.mark.parametrize(
    ("notebook", "settings", "message"),
    [
        ("smal", {}, r"no notebook 'smal'"),
        ("nowhere/x.ipynb", {}, r"no notebook 'nowhere/x.ipynb'"),
        ("churn_survial", {}, r"did you mean 'churn_survival'"),
        ("small", {"given": {"mod": "x"}}, r"'mod' is unknown[\s\S]*mean 'mode'"),
        ("small", {"given": {"workbook": "x"}}, r"--workbook"),
        ("small", {"given": {"segment_by": "x"}}, r"no column 'x' to split by"),
        ("small", {"workbook": "nope.yml"}, r"There is no workbook"),
        ("expectation_gaps", {}, r"no table 'answers'"),
        (
            "churn_survival",
            {"given": {"inactivity": "12h"}},
            r"not a whole number of days",
        ),
        (
            "churn_survival",
            {},
            r"needs 'lifetimes' or 'subscriptions' or 'events' with 'inactivity'",
        ),
    ],
)
def test_refused_before_any_kernel(place, notebook, settings, message):
    """Bad notebook, parameter, workbook or table: a message, and no run folder."""
    out = place / "refused"
    name = str(place / "small.ipynb") if notebook == "small" else notebook
    with pytest.raises(InputError, match=message):
        plan_run(name, **{"workbook": str(place), "given": {}, "out": out, **settings})

    assert not out.exists()


def test_files_that_are_no_notebooks_of_ours_are_refused(place, tmp_path):
    """No JSON, no workbook parameter: each says so."""
    (tmp_path / "x.ipynb").write_text("not json")
    bare = nbformat.v4.new_code_cell("a = 1", metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[bare]), tmp_path / "y.ipynb")

    for name, message in (("x", "'x.ipynb' is no notebook"), ("y", "declares no 'workbook'")):
        with pytest.raises(InputError, match=message):
            plan_run(
                str(tmp_path / f"{name}.ipynb"), workbook=str(place), given={}, out=tmp_path / "o"
            )


def test_output_folder_must_be_usable(place):
    """A folder that is a file, or holds something else, is refused before the kernel."""
    (place / "file").write_text("x")
    other = place / "other" / "small"
    other.mkdir(parents=True)
    (other / "thesis.txt").write_text("x")

    with pytest.raises(InputError, match="cannot be written"):
        plan_run(str(place / "small.ipynb"), workbook=str(place), given={}, out=place / "file")
    with pytest.raises(InputError, match="is no run of cx"):
        plan_run(str(place / "small.ipynb"), workbook=str(place), given={}, out=place / "other")


def test_parameter_sets_have_their_own_folders(place):
    """Values that look alike once made safe for a path do not share a folder."""
    folders = {
        plan_run(
            str(place / "small.ipynb"), workbook=str(place), given={"mode": mode}, out=place / "o"
        ).folder.name
        for mode in ("a/b", "a b", "../../a b", "x" * 300)
    }

    assert len(folders) == 4
    assert all("/" not in name and len(name) < 120 for name in folders)


def test_a_page_that_cannot_be_made_costs_no_notebook_and_no_table(place, monkeypatch):
    """The run is not-run with the reason; what the kernel made is there, and a page says so."""

    def breaks(output):
        raise RecursionError("too deep")

    monkeypatch.setattr(report, "_output", breaks)
    record, folder = run(place, "warn")
    page = (folder / "report.html").read_text("utf-8")
    notebook = nbformat.read(folder / "notebook.ipynb", as_version=4)

    assert record["status"] == "not-run"
    assert record["error"]["message"] == "The page could not be made: too deep"
    assert pd.read_parquet(folder / "tables/x.parquet")["a"].item() == "<script>alert(1)</script>"
    assert any(cell.get("outputs") for cell in notebook.cells)
    assert "The analysis gave no page." in page
    assert "too deep" not in page


def run_code(place, tmp_path, code):
    """Run a notebook of one cell; return its record and the notebook it leaves."""
    node = nbformat.read(place / "small.ipynb", as_version=4)
    node.cells[3:] = [nbformat.v4.new_code_cell(code)]
    nbformat.write(node, tmp_path / "own.ipynb")
    plan = plan_run(
        str(tmp_path / "own.ipynb"), workbook=str(place), given={}, out=tmp_path / "out"
    )
    return execute_run(plan), nbformat.read(plan.folder / "notebook.ipynb", as_version=4)


def test_nothing_a_kernel_says_is_lost(place, tmp_path):
    """Five thousand findings at once are five thousand on the page."""
    code = "from cxlib.show import say\nfor i in range(5000):\n    say(f'finding {i}')"
    record, notebook = run_code(place, tmp_path, code)
    page = (tmp_path / "out/own/report.html").read_text("utf-8")

    assert record["status"] == "ok"
    assert page.count(">finding ") == 5000
    assert len(notebook.cells[-1].outputs) == 5000


@pytest.mark.parametrize(
    "damage",
    [
        'open(path, \'a\').write(\'{"kind": "warning", "te\')',
        "open(path, 'ab').write(b'\\xff\\n')",
        "open(path, 'a').write('[1]\\n{\"kind\": \"key_figure\"}\\n')",
        "os.remove(path)",
    ],
)
def test_a_record_that_a_cell_spoils_costs_no_run(place, tmp_path, damage):
    """What can be read counts; the page and the notebook are there."""
    code = (
        "import os\nfrom cxlib.show import headline, record\n"
        f"path = os.environ['CX_RUN_DIR'] + '/records.jsonl'\n{damage}\n"
        "print()\nrecord('n', 'Number', 3)\nheadline('Answer')"
    )
    record, _ = run_code(place, tmp_path, code)

    assert record["status"] == "ok"
    assert record["headline"] == "Answer"
