"""Faults: whatever goes wrong, statuses are true, nothing is lost, nothing hangs or is left."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from cxlib.errors import InputError, RunError
from cxlib.files import whole_file
from cxlib.parameters import KINDS, REGISTRY
from cxlib.planning.plans import plan_run
from cxlib.running import runs
from cxlib.running.batch import run_batch
from cxlib.running.runs import exit_code
from cxlib.running.warm import warm_kernels
from tests.small import make_place, plan_tiny, write_manifest

TYPOS = {
    "int": ("number", "1o"),
    "float": ("weight", "0,5"),
    "bool": ("is_on", "treu"),
    "list": ("names", "[a, b]"),
    "numbers": ("cuts", "[1, two]"),
    "date": ("period_start", "2024-13-01"),
    "duration": ("within", "30"),
    "days": ("grace", "12h"),
    "wait": ("lag", "soon"),
    "level": ("conf_level", "95"),
    "seed": ("random_state", "-1"),
    "count": ("min_cell", "0"),
    "view": ("view", "chanel"),
    "column": ("group_by", "regoin"),
    "columns": ("covariates", '["regoin"]'),
    "touchpoint": ("goal", "chekout"),
    "touchpoints": ("stages", '["serach"]'),
    "end_reasons": ("cause", "prise"),
    "outcome": ("outcome", "NSP"),
    "wave": ("wave", "2025-5"),
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a folder with a small workbook and notebook; kernels start cold."""
    monkeypatch.setenv("CX_WARM", "0")
    return make_place(tmp_path)


@pytest.fixture(autouse=True)
def _nothing_left():
    """Check that no process is left behind."""
    yield
    limit = time.monotonic() + 10
    while (left := _kernels()) and time.monotonic() < limit:
        time.sleep(0.1)
    assert not left


def _kernels():
    """List kernels of this process, and those whose runner was killed."""
    mine, found = os.getpid(), []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words, parents = process.cmdline(), [p.pid for p in process.parents()]
            if words == ["sleep", "61.5"]:
                found.append(process)
            if "ipykernel_launcher" in words and (mine in parents or parents[:1] == [1]):
                found.append(process)
    return found


def status_of(place, mode, timeout=60.0):
    """Run the tiny notebook in a mode; return its record and folder."""
    plan = plan_tiny(place, place / "out", timeout, mode=mode)
    return runs.execute_run(plan), plan.folder


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"str"}))
def test_a_typo_in_each_kind_of_parameter_is_refused(tmp_path, kind):
    """Before any kernel: the message names the parameter, and no folder is made."""
    name, wrong = TYPOS[kind]
    defaults = {"int": "0", "float": "0.5", "bool": "True", "list": '["a"]', "numbers": "[1.5]"}
    text = {"level": "0.95", "seed": "0", "count": "10", "view": '"touchpoint"', "wait": '"0d"'}
    default = (defaults | text).get(kind, "[]" if kind in {"columns", "touchpoints"} else '""')
    cell = nbformat.v4.new_code_cell(
        f'workbook = "samples"\n{name} = {default}', metadata={"tags": ["parameters"]}
    )
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "n.ipynb")
    for given in ({name: wrong}, {name[:-1]: "1"}):
        with pytest.raises(InputError, match=f"'{next(iter(given))}'|{wrong}"):
            plan_run(
                str(tmp_path / "n.ipynb"), workbook="samples", given=given, out=tmp_path / "out"
            )

    assert REGISTRY.get(name, kind) == kind
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("mode", "status", "error"),
    [
        ("error", "failed-cell", "KeyError"),
        ("memory", "failed-cell", "MemoryError"),
        ("full", "failed-cell", "OSError"),
        ("quit", "failed-cell", "SystemExit"),
        ("exit", "dead-kernel", "DeadKernelError"),
        ("killed", "dead-kernel", "DeadKernelError"),
    ],
)
def test_a_notebook_that_fails_is_told_as_what_it_is(place, mode, status, error):
    """The record has the class; the notebook the guilty cell; the page no value, no traceback."""
    record, folder = status_of(place, mode)
    page = (folder / "report.html").read_text("utf-8")
    notebook = (folder / "notebook.ipynb").read_text("utf-8")

    assert (record["status"], record["error"]["class"]) == (status, error)
    assert record["error"]["cell"] == 5
    assert exit_code([record]) == 1
    assert "Traceback" not in page
    assert "secret value" not in page
    assert ('"output_type": "error"' in notebook) == (status == "failed-cell")
    assert '"status": "pending"' in notebook


def test_a_timeout_ends_the_kernel_and_what_it_started(place):
    """Processes that a cell has started go with it."""
    record, _ = status_of(place, "child", timeout=4)

    assert record["status"] == "timeout"
    assert record["seconds"] < 20


@pytest.mark.parametrize("warm", [False, True])
def test_what_a_dead_kernel_had_started_is_ended(place, monkeypatch, warm):
    """Its children do not outlive it; the check after each test looks for them."""
    if warm:
        monkeypatch.delenv("CX_WARM")
    with warm_kernels(warm):
        plan = plan_tiny(place, place / "out", mode="orphan")
        assert runs.execute_run(plan, warm=warm)["status"] == "dead-kernel"


def test_a_client_that_hangs_is_given_up(place, monkeypatch):
    """When even the messages to the kernel hang, the run ends as a timeout."""
    monkeypatch.setattr(runs, "GRACE_SECONDS", 0.5)
    monkeypatch.setattr(runs, "_execute", lambda *arguments: time.sleep(20))
    started = time.monotonic()
    record, folder = status_of(place, "ok", timeout=0.5)

    assert record["status"] == "timeout"
    assert time.monotonic() - started < 10
    assert (folder / "notebook.ipynb").exists()


def test_a_full_disk_costs_a_run_and_nothing_else(place, monkeypatch):
    """No half file: the run is not-run, what was there stays, the batch goes on and is listed."""
    plans = [plan_tiny(place, place / "out", number=n) for n in (1, 2)]
    run_batch(plans, place / "out", title="T", told=lambda plan, run: None)
    before = (plans[0].folder / "report.html").read_bytes()
    real = runs._save

    def full(path, text):
        if path.name == "notebook.ipynb" and '"number": 1' in text:
            path.write_text(text[:100])
            raise OSError(28, "No space left on device")
        real(path, text)

    monkeypatch.setattr(runs, "_save", full)
    done = run_batch(plans, place / "out", title="T", told=lambda plan, run: None, fresh=True)

    assert [run["status"] for run in done] == ["not-run", "ok"]
    assert (plans[0].folder / "report.html").read_bytes() == before
    assert not list((place / "out/.cx").glob("run-*"))


def in_small_folder(place, script):
    """Run a script where ``out`` is a file system of its own, which only that script sees."""
    cx = f'cx() {{ "{sys.executable}" -m cxlib batch m.yml --out out --workers 1 "$@"; }}'
    mount = "mkdir out && mount -t tmpfs -o size=220k tmpfs out"
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    command.append(f"{cx}\n{mount} || exit 99\n{script}")
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=180)
    assert done.returncode != 99, done.stderr
    return done


@pytest.mark.skipif(
    subprocess.run(["unshare", "--user", "--mount", "true"], capture_output=True).returncode != 0,
    reason="the system lets no user mount a file system",
)
def test_a_disk_that_is_full_and_read_only_for_real(place):
    """What fitted stays whole and is not made again; a read-only folder is told once."""
    write_manifest(place, *(f"number: {number}" for number in range(6)))
    done = in_small_folder(
        place,
        "cx; echo ended $?; cp -a out full; mount -o remount,size=64m out; cx --resume\n"
        "echo ended $?; mount -o remount,ro out; cp -a out before; cx --fresh; echo ended $?\n"
        "diff -r out before",
    )
    finished = dict.fromkeys(look(place / "full"), "skipped-unchanged")
    record = json.loads((place / "before/batch.json").read_text("utf-8"))
    statuses = {run["folder"]: run["status"] for run in record["runs"]}

    assert [line for line in done.stdout.splitlines() if line.startswith("ended")] == [
        "ended 1", "ended 0", "ended 2",
    ]  # fmt: skip
    assert 0 < len(finished) < 6
    assert "No space left on device" in done.stdout + done.stderr
    assert done.stderr.count("The output folder cannot be written: Read-only file system.") == 1
    assert "Traceback" not in done.stderr
    assert statuses == dict.fromkeys(statuses, "ok") | finished
    assert len(look(place / "before")) == 6
    assert done.returncode == 0  # the same as before


def test_a_write_that_fails_leaves_no_part(tmp_path):
    """Neither the file nor its part is there."""

    def write():
        """Write a half."""
        with whole_file(tmp_path / "x") as part:
            part.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write()

    assert not list(tmp_path.iterdir())


def test_an_output_folder_that_cannot_be_written_is_refused(place):
    """A file where the folder should be, and one that no file can be made in."""
    (place / "file").write_text("x")
    for out in (place / "file", Path("/proc/cx")):
        with pytest.raises(InputError, match="cannot be written"):
            plan_tiny(place, out)
    # it was writable when it was checked
    plan = plan_tiny(place, place / "late")
    (place / "late").write_text("x")
    with pytest.raises(RunError, match="could not be written"):
        run_batch([plan], place / "late", title="T", told=lambda plan, run: None)


def cx_batch(place, *options):
    """Start ``cx batch`` on the folder."""
    command = [sys.executable, "-m", "cxlib", "batch", "m.yml", "--out", "out", *options]
    return subprocess.Popen(
        command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_a_runner_that_is_told_to_stop_ends_its_kernels(place, number, code):
    """Ctrl-C or the signal of a scheduler: it says how to go on, and exits as stopped."""
    log = place / "log"
    write_manifest(place, f"mode: sleep, log: {log}", f"number: 2, mode: sleep, log: {log}")
    process = cx_batch(place, "--workers", "2")
    _wait_for(lambda: log.exists() and len(log.read_text().split()) == 2)
    process.send_signal(number)
    out, errors = process.communicate(timeout=30)

    assert process.returncode == code
    assert "stopped: 0 of 2 runs have ended; --resume goes on with the others" in out
    assert "Traceback" not in errors
    assert not list(place.glob("out/tiny*"))
    assert not list(place.glob("out/.cx/run-*"))


def test_a_killed_runner_takes_its_kernel_with_it(place):
    """Nobody can tell it to end, so it looks after itself; the next batch clears its folder."""
    log = place / "log"
    write_manifest(place, f"mode: sleep, log: {log}")
    process = cx_batch(place)
    _wait_for(log.exists)
    process.kill()
    process.communicate()
    _wait_for(lambda: not _kernels(), seconds=10)
    left = list(place.glob("out/.cx/run-*"))
    write_manifest(place, "number: 1")
    again = cx_batch(place)
    again.communicate(timeout=60)

    assert len(left) == 1
    assert again.returncode == 0
    assert not list(place.glob("out/.cx/run-*"))


def _wait_for(condition, seconds=30):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)


def run_all(plans, out, resume):
    """Run the batch of the test below; the body of a runner that may be killed."""
    settings = {"title": "T", "told": lambda plan, run: None, "workers": 2}
    try:
        run_batch(plans, out, resume=resume, **settings)
    except InputError:  # killed before it had written down what it would do
        run_batch(plans, out, **settings)


def look(out):
    """Return the record of each finished run, and check that nothing is half there."""
    finished = {}
    for folder in out.glob("tiny*"):
        finished[folder.name] = (folder / "run.json").stat().st_mtime_ns
        json.loads((folder / "run.json").read_text("utf-8"))
        page = (folder / "report.html").read_text("utf-8")
        assert page.rstrip().endswith("</html>")
        nbformat.read(folder / "notebook.ipynb", as_version=4)
    for page in out.glob("*.html"):
        assert page.read_text("utf-8").rstrip().endswith("</html>")
    return finished


def test_a_runner_killed_at_any_moment_loses_nothing(place, monkeypatch):
    """Killed 20 times and resumed: nothing finished is made again, no page is half there."""
    monkeypatch.delenv("CX_WARM")
    out, moments = place / "out", random.Random(6)
    plans = [plan_tiny(place, out, number=n) for n in range(24)]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["tests.running.test_faults", "papermill", "cxlib.publishing.index"]
    )
    finished = {}
    with warm_kernels():  # one server for all runners
        runs.execute_run(plan_tiny(place, place / "first"), warm=True)  # when it is up
        for attempt in range(20):
            runner = context.Process(target=run_all, args=(plans, out, attempt > 0))
            runner.start()
            runner.join(moments.uniform(0.05, 2.0))
            runner.kill()
            runner.join()
            before, finished = finished, look(out)
            assert before.items() <= finished.items()
        runner = context.Process(target=run_all, args=(plans, out, True))
        runner.start()
        runner.join(60)
    record = json.loads((out / "batch.json").read_text("utf-8"))
    statuses = [run["status"] for run in record["runs"]]

    assert runner.exitcode == 0
    assert finished.items() <= look(out).items()
    assert statuses.count("skipped-unchanged") == len(finished) > 0
    assert statuses.count("skipped-unchanged") + statuses.count("ok") == 24
    assert sorted(path.name for path in (out / ".cx").iterdir()) == ["lock", "share"]
