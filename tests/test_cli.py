"""Tests of the commands as a user types them: exit codes, messages, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cxlib.errors import InputError
from tests.small import make_place

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
EVENTS = "tables:\n  events:\n    source: e.csv\n"
HEAD = "customer_id,timestamp,touchpoint\n"


def cx(*arguments, cwd=None):
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cxlib", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("rows", "code"),
    [("1,2024-01-01,a\n", 0), ("1,2024-01-01,a\n,2024-01-01,a\n", 1), (",x,\n", 2)],
)
def test_check_tells_clean_usable_unusable(write_workbook, rows, code):
    """Exit codes 0, 1 and 2."""
    done = cx("check", "--workbook", write_workbook(EVENTS, e__csv=HEAD + rows))

    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_check_prints_the_ledger_plainly(write_workbook):
    """Not a terminal: unwrapped lines, no colour."""
    path = write_workbook(EVENTS, e__csv=HEAD + "1,2024-01-01,a\n1,2024-02-30,a\n")
    done = cx("check", "--workbook", path)

    assert "events: 2 rows in, 1 kept, 0 changed, 1 refused (e.csv)" in done.stdout
    assert "bad date" in done.stdout
    assert "e.csv, row 3: timestamp 2024-02-30" in done.stdout
    assert "\x1b" not in done.stdout


def test_check_prints_the_contract():
    """The data dictionary needs no workbook."""
    done = cx("check", "--contract")

    assert done.returncode == 0
    assert "## subscriptions" in done.stdout
    assert "**customer_id**" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "data_check"), "There is no workbook 'cx.yml'"),
        (("run", "data_chek", "--workbook", "samples"), "did you mean 'data_check'"),
        (("run", "data_check", "--workbook", "samples", "-p", "min_cel=5"), "mean 'min_cell'"),
        (("run", "data_check", "--workbook", "samples", "-p", "min_cell"), "-p name=value"),
        (("run", "data_check", "--workbook", "samples", "--out", "/proc/none"), "be written"),
        (("check",), "There is no workbook"),
        (("batch", "none.yml"), "There is no manifest"),
        (("batch", "none.yml", "--resume", "--fresh"), "--resume and --fresh exclude each other"),
        (("frob",), "No such command"),
        (("run", "data_check", "--timeout", "soon"), "Invalid value for '--timeout'"),
    ],
)
def test_mistakes_exit_with_2_and_a_message(tmp_path, arguments, message):
    """What the user can mend is said plainly; no folder is left behind."""
    done = cx(*arguments, cwd=tmp_path)

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_run_works_from_any_folder_with_relative_paths(tmp_path, write_workbook):
    """A workbook beside the working folder is found, its sources relative to itself."""
    path = write_workbook(EVENTS, e__csv=HEAD + "1,2024-01-01,a\n")
    there = tmp_path / "elsewhere"
    there.mkdir()
    done = cx("run", "data_check", "--workbook", f"../{path.name}", "--out", "o", cwd=there)

    assert done.returncode == 0, done.stderr
    assert (there / "o/data_check/report.html").is_file()
    assert "o/data_check/report.html" in done.stdout


def test_batch_checks_all_runs_before_the_first(tmp_path, write_workbook):
    """Every mistake of a manifest is told and nothing is run; a good one is listed dry."""
    write_workbook(EVENTS, e__csv=HEAD + "1,2024-01-01,a\n")
    manifest = tmp_path / "m.yml"
    runs = "runs:\n  - notebook: data_check\n    parameters: {min_cell: %s}\n  - notebook: %s\n"
    manifest.write_text("workbook: cx.yml\n" + runs % ("0", "data_chek"))
    bad = cx("batch", manifest, "--out", tmp_path / "o")
    manifest.write_text("workbook: cx.yml\n" + runs % ("5", "data_check"))
    dry = cx("batch", manifest, "--out", tmp_path / "o", "--dry-run")
    manifest.write_text("workbook: cx.yml\nruns:\n  - {notebook: a, notebook: b}\n")
    twice = cx("batch", manifest)
    manifest.write_text("workbook: cx.yml\n" + runs % ("10", "data_check"))
    same = cx("batch", manifest, "--out", tmp_path / "o")
    manifest.write_text("workbook: cx.yml\nrnus: []\n")
    misspelt = cx("batch", manifest)

    assert bad.returncode == 2
    assert "at least 1" in bad.stderr
    assert "Run 2 (data_chek)" in bad.stderr
    assert "mean 'data_check'" in bad.stderr
    assert "'notebook' is given twice" in twice.stderr
    assert "Two runs share the folder 'data_check'" in same.stderr
    assert [line.split(" | ")[1:] for line in dry.stdout.splitlines()] == [
        ["data_check", "min_cell=5", "new"],
        ["data_check", "defaults", "new"],
    ]
    assert not (tmp_path / "o").exists()
    assert "did you mean 'runs'" in misspelt.stderr


def test_batch_runs_and_lists(tmp_path, write_workbook):
    """A batch leaves a folder a run and an index; a notebook beside the manifest is found."""
    write_workbook(EVENTS, e__csv=HEAD + "1,2024-01-01,a\n")
    shutil.copy(NOTEBOOKS / "data_check.ipynb", tmp_path / "own.ipynb")
    (tmp_path / "m.yml").write_text("title: Two\nworkbook: cx.yml\nruns: [{notebook: own.ipynb}]\n")
    done = cx("batch", tmp_path / "m.yml", "--out", tmp_path / "o")
    page = (tmp_path / "o/index.html").read_text("utf-8")

    assert done.returncode == 0, done.stderr
    assert "<h1>Two</h1>" in page
    assert 'href="own/report.html"' in page


def test_batch_resumes_only_what_was_interrupted_and_takes_urls_with_a_cluster(tmp_path):
    """Both are refused before anything is run."""
    (tmp_path / "m.yml").write_text("runs: [{notebook: data_check}]\n")
    resume = cx("batch", "m.yml", "--resume", "--out", "o", cwd=tmp_path)
    url = cx("batch", "m.yml", "--out", "s3://bucket/reports", cwd=tmp_path)

    assert (resume.returncode, url.returncode) == (2, 2)
    assert "No batch was interrupted here" in resume.stderr
    assert "Only the workers of a cluster write to a URL" in url.stderr
    assert not list(tmp_path.glob("o/data_check*"))


def test_an_unchanged_batch_is_over_at_once(tmp_path, write_workbook):
    """Runs that are there need no kernel and no engine."""
    write_workbook(EVENTS, e__csv=HEAD + "1,2024-01-01,a\n")
    cells = ", ".join(f'"{n}"' for n in range(1, 13))
    (tmp_path / "m.yml").write_text(
        f"workbook: cx.yml\nruns: [{{notebook: tiny.ipynb, matrix: {{number: [{cells}]}}}}]\n"
    )
    make_place(tmp_path)
    started = time.monotonic()
    made = cx("batch", tmp_path / "m.yml", "--out", tmp_path / "o")
    middle = time.monotonic()
    again = cx("batch", tmp_path / "m.yml", "--out", tmp_path / "o")

    assert (made.returncode, again.returncode) == (0, 0), made.stderr
    assert again.stdout.count("skipped-unchanged") == 12
    assert time.monotonic() - middle < (middle - started) / 2  # a fifth here: no kernel, no engine


def test_lab_copies_point_at_the_workbook(tmp_path, write_workbook):
    """The copies start with the user's workbook; a copy the user changed is kept."""
    from cxlib.lab import copy_notebooks

    path = write_workbook(EVENTS, e__csv=HEAD + "1,2024-01-01,a\n")
    folder = copy_notebooks(str(path), tmp_path / "nb")
    (folder / "data_check.ipynb").write_text("mine")
    copy_notebooks(str(path), tmp_path / "nb")

    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="notebooks cannot be copied"):
        copy_notebooks(str(path), tmp_path / "file")
    assert str(path) in (folder / "churn_survival.ipynb").read_text("utf-8")
    assert (folder / "data_check.ipynb").read_text() == "mine"


def test_commands_start_at_once():
    """Nothing heavy is imported for a help text or for ``import cxlib``."""
    code = "import cxlib, cxlib.cli, sys; print({'pandas', 'ibis', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    started = time.monotonic()
    cx("--help")

    assert done.stdout.strip() == "set()"
    assert time.monotonic() - started < 5  # 0.1 s here; a guard against an import of the stack


def test_a_page_that_is_held_back_fails_the_batch_and_the_hook_is_told(tmp_path, write_workbook):
    """The others are shared, index and record say what is not, and the mail can still go out."""
    write_workbook(EVENTS, e__csv=HEAD + "1,2024-01-01,a\n")
    make_place(tmp_path)
    (tmp_path / "send.py").write_text(
        "import os; open('sent', 'w').write(os.environ['CX_EXIT'] + ' ' + os.environ['CX_OUT'])"
    )
    (tmp_path / "m.yml").write_text(
        "workbook: cx.yml\non_finish: [python, send.py]\n"
        "runs: [{notebook: tiny.ipynb, matrix: {mode: [ok, mail]}}]\n"
    )
    done = cx("batch", tmp_path / "m.yml", "--out", tmp_path / "o")
    runs = json.loads((tmp_path / "o/batch.json").read_text("utf-8"))["runs"]

    assert done.returncode == 1
    assert "2 runs in" in done.stdout
    assert "Held back" in done.stderr
    assert "@" not in done.stderr
    assert [run["status"] for run in runs] == ["ok", "ok"]
    assert (runs[0]["held_back"], "an e-mail address" in runs[1]["held_back"]) == ("", True)
    assert "not in share/: an e-mail address" in (tmp_path / "o/index.html").read_text("utf-8")
    assert (tmp_path / "sent").read_text() == f"1 {tmp_path / 'o'}"
    assert len(list((tmp_path / "o/share").glob("*/report.html"))) == 1


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_letter_the_terminal_lacks_ends_nothing(tmp_path, write_workbook, encoding):
    """The headline is printed as well as it can be."""
    write_workbook(EVENTS, e__csv=HEAD + "1,2024-01-01,a\n")
    make_place(tmp_path)
    (tmp_path / "m.yml").write_text(
        "workbook: cx.yml\nruns: [{notebook: tiny.ipynb, title: 5 € – more}]\n"
    )
    command = [sys.executable, "-m", "cxlib", "batch", "m.yml", "--dry-run"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)

    assert done.returncode == 0, done.stderr
    assert b"more" in done.stdout


def test_closed_and_full_outputs_end_nothing(tmp_path, write_workbook):
    """A daemon without streams, and a log on a full disk."""
    write_workbook(EVENTS, e__csv=HEAD + "1,2024-01-01,a\n")
    make_place(tmp_path)
    (tmp_path / "m.yml").write_text("workbook: cx.yml\nruns: [{notebook: tiny.ipynb}]\n")
    for number, end in enumerate((">&- 2>&-", "> /dev/full")):
        command = f'"{sys.executable}" -m cxlib batch m.yml --out o{number} {end}'
        done = subprocess.run(["sh", "-c", command], cwd=tmp_path, stderr=subprocess.PIPE)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / f"o{number}/index.html").exists()
