"""Tests of many runs: what is left alone, what is made and why, and what is never lost."""

from __future__ import annotations

import json
from dataclasses import replace

import nbformat
import pytest

from cxlib.errors import InputError, RunError
from cxlib.folders import lock_folder
from cxlib.planning.plans import TooFew
from cxlib.running import batch, runs
from cxlib.running.batch import explain_plan, run_batch
from cxlib.running.keys import hash_run
from cxlib.running.runs import exit_code
from tests.small import make_place, plan_tiny


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a folder with a small workbook and notebook; kernels start cold."""
    monkeypatch.setenv("CX_WARM", "0")
    return make_place(tmp_path)


def make(place, *numbers, modes=None, **settings):
    """Run a batch of tiny notebooks; return statuses by number and what was executed."""
    log, out = place / "log", place / "out"
    log.write_text("")
    plans = [
        plan_tiny(place, out, number=n, log=str(log), mode=(modes or {}).get(n, "ok"))
        for n in numbers
    ]
    records = run_batch(
        plans, out, title="T", **{"told": lambda plan, run: None, "workers": 2} | settings
    )
    executed = sorted(int(line) for line in log.read_text().split())
    return [run["status"] for run in records], executed


def reasons(place):
    """Return why the runs of the last batch were made."""
    records = json.loads((place / "out/batch.json").read_text("utf-8"))["runs"]
    return [run["reason"] for run in records]


def read_stamps(place):
    """Return when each file of a run, and what is shared, was written."""
    files = [*place.glob("out/tiny*/*"), *place.glob("out/share/**/*")]
    return {path: path.stat().st_mtime_ns for path in files}


def test_unchanged_runs_are_left_alone(place):
    """The second batch executes nothing, touches no folder and lists all; --fresh makes all."""
    first = make(place, 1, 2)
    stamps = read_stamps(place)
    second = make(place, 1, 2)
    same = read_stamps(place)
    listed = json.loads((place / "out/batch.json").read_text("utf-8"))
    fresh = make(place, 1, 2, fresh=True)

    assert first == (["ok", "ok"], [1, 2])
    assert second == (["skipped-unchanged", "skipped-unchanged"], [])
    assert stamps == same
    assert listed["title"] == "T"
    assert [run["kept_status"] for run in listed["runs"]] == ["ok", "ok"]
    assert all((place / "out" / run["folder"] / "report.html").exists() for run in listed["runs"])
    assert fresh == (["ok", "ok"], [1, 2])
    assert reasons(place) == ["asked for", "asked for"]
    assert (place / "out/index.html").read_text("utf-8").count("report.html") >= 2


def test_what_changed_is_made_again_and_says_why(place):
    """Data, text of the notebook, missing files and an earlier failure are told apart."""
    make(place, 1)
    with (place / "e.csv").open("a") as file:
        file.write("99,2024-02-01,a\n")
    data = make(place, 1)[1], reasons(place)
    node = nbformat.read(place / "tiny.ipynb", as_version=4)
    node.cells[-1].source = "print('other')"
    nbformat.write(node, place / "tiny.ipynb")
    notebook = make(place, 1)[1], reasons(place)
    next(place.glob("out/tiny*/report.html")).unlink()
    missing = make(place, 1)[1], reasons(place)
    failed = make(place, 1, 2, modes={2: "error"})
    again = make(place, 1, 2, modes={2: "error"}), reasons(place)

    assert data == ([1], ["data changed: events"])
    assert notebook == ([1], ["notebook changed"])
    assert missing == ([1], ["files are missing"])
    assert failed == (["skipped-unchanged", "failed-cell"], [2])
    assert again[0] == (["skipped-unchanged", "failed-cell"], [2])
    assert again[1] == ["files are missing", "failed-cell before"]


def test_a_new_number_is_made_and_the_old_one_stays(place):
    """A batch that grew executes the new run alone; its order is the manifest's."""
    make(place, 1)

    assert make(place, 2, 1) == (["ok", "skipped-unchanged"], [2])


def interrupt_after(n):
    """Return a listener that interrupts a batch when n runs have ended."""
    ended = []

    def told(plan, run):
        """Count, then stop."""
        ended.append(run)
        if len(ended) == n:
            raise KeyboardInterrupt

    return told


def test_resume_finishes_what_was_interrupted(place):
    """Ctrl-C ends the kernels; what had ended stays, a failed run too; the rest is made."""
    with pytest.raises(KeyboardInterrupt):
        make(place, 1, 2, 3, modes={2: "error"}, told=interrupt_after(2), workers=1)
    left = sorted(path.name for path in (place / "out").iterdir())
    resumed = make(place, 1, 2, 3, modes={2: "error"}, resume=True)

    assert "index.html" not in left
    assert resumed == (["skipped-unchanged", "failed-cell", "ok"], [3])
    with pytest.raises(InputError, match="No batch was interrupted here"):
        make(place, 1, 2, 3, resume=True)
    assert make(place, 1, 2, 3, modes={2: "error"})[1] == [2]


def test_resume_of_a_fresh_batch_goes_on_with_all(place):
    """What --fresh had not reached is made, although it is unchanged."""
    make(place, 1, 2)
    with pytest.raises(KeyboardInterrupt):
        make(place, 1, 2, told=interrupt_after(1), workers=1, fresh=True)

    assert make(place, 1, 2, resume=True) == (["skipped-unchanged", "ok"], [2])


def test_resume_is_refused_when_something_has_changed(place):
    """Another set, or other data: half of the pages would be of another state."""
    with pytest.raises(KeyboardInterrupt):
        make(place, 1, 2, told=interrupt_after(1), workers=1)
    with pytest.raises(InputError, match=r"had no run 'tiny__number-3[\s\S]*leave out --resume"):
        make(place, 1, 2, 3, resume=True)
    with pytest.raises(InputError, match="had a run 'tiny__number-2"):
        make(place, 1, resume=True)
    with (place / "e.csv").open("a") as file:
        file.write("99,2024-02-01,a\n")
    with pytest.raises(InputError, match="data changed: events"):
        make(place, 1, 2, resume=True)
    assert make(place, 1, 2)[1] == [1, 2]


def test_interruption_writes_no_folder_for_what_ran(place):
    """A run that was stopped is no timeout: it leaves nothing, and no work folder."""

    def told(plan, run):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(place, 1, 2, modes={2: "sleep"}, told=told)

    assert [path.name for path in place.glob("out/*/run.json")] == ["run.json"]
    assert not list(place.glob("out/.cx/run-*"))


def test_of_two_batches_in_one_folder_the_second_is_refused(place):
    """The message names who holds it; afterwards the folder is free."""
    with lock_folder(place / "out"), pytest.raises(InputError, match=r"Another batch.*\n.*process"):
        make(place, 1)

    assert make(place, 1)[0] == ["ok"]


def test_a_batch_goes_on_when_one_run_cannot_be_written(place, monkeypatch):
    """The index lists it as not run, without a link, and the other as it ended."""
    put = runs.put_folder

    def refuse(work, folder):
        if "number-1" in folder.name:
            raise OSError(28, "No space left on device")
        put(work, folder)

    monkeypatch.setattr(runs, "put_folder", refuse)
    assert make(place, 1, 2)[0] == ["not-run", "ok"]
    record = json.loads((place / "out/batch.json").read_text("utf-8"))["runs"][0]

    assert "No space left" in record["error"]["message"]
    assert record["folder"] == ""
    assert exit_code([record]) == 1
    assert not list(place.glob("out/tiny__number-1*"))


def test_whatever_stops_one_run_the_others_are_made(place, monkeypatch):
    """An error of the runner itself is the run's, not the batch's."""
    real = batch.execute_run

    def breaks(plan, *arguments, **settings):
        if "number-1" in plan.folder.name:
            raise RecursionError("too deep")
        return real(plan, *arguments, **settings)

    monkeypatch.setattr(batch, "execute_run", breaks)

    assert make(place, 1, 2)[0] == ["not-run", "ok"]


def test_a_segment_with_too_few_rows_is_a_row_without_a_run(place):
    """It is listed with its reason, and counts as an answer."""
    plan = plan_tiny(place, place / "out", number=7)
    few = TooFew(**vars(plan), min_rows=20, reason="Only 3 rows; 20 were asked for.")
    told = []
    done = run_batch([few], place / "out", title="T", told=lambda plan, run: told.append(run))

    assert [run["status"] for run in done] == ["too-little-data"]
    assert done[0]["error"]["message"] == "Only 3 rows; 20 were asked for."
    assert done[0]["folder"] == ""
    assert len(told) == 1
    assert exit_code(done) == 0
    assert not few.folder.exists()
    assert "too-little-data" in (place / "out/index.html").read_text("utf-8")


def test_an_index_that_cannot_be_written_is_told(place, monkeypatch):
    """The runs stay, the earlier index stays whole, and the batch counts as interrupted."""
    make(place, 1)
    before = (place / "out/index.html").read_text("utf-8")
    real = batch._save

    def full(path, content):
        if path.name == "batch.json" and path.parent.name == "out":
            raise OSError(28, "No space left on device")
        real(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(batch, "_save", full)
        with pytest.raises(RunError, match="could not be written"):
            make(place, 1, 2)

    assert "tiny__number-1" in before
    assert make(place, 1, 2, resume=True) == (["skipped-unchanged", "skipped-unchanged"], [])


def test_a_dry_run_tells_what_would_be_made(place):
    """New, unchanged, or asked for; nothing is written."""
    out = place / "out"
    make(place, 1)
    plan = plan_tiny(place, out, number=1, log=str(place / "log"))

    assert explain_plan(plan) == "skipped-unchanged"
    assert explain_plan(plan, fresh=True) == "asked for"
    assert explain_plan(replace(plan, folder=out / "other")) == "new"


def test_resume_makes_what_somebody_removed(place):
    """A run that is finished but not whole is no finished run."""
    make(place, 1, 2)
    (place / "out/batch.json").rename(place / "out/.cx/batch.json")
    plans = [plan_tiny(place, place / "out", number=n, log=str(place / "log")) for n in (1, 2)]
    keys = {plan.folder.name: hash_run(plan) for plan in plans}
    began = json.loads((plans[0].folder / "run.json").read_text("utf-8"))["batch"]
    journal = {"title": "T", "started_at": began, "fresh": False, "keys": keys}
    (place / "out/.cx/batch.json").write_text(json.dumps(journal))
    (plans[0].folder / "report.html").unlink()
    statuses, executed = make(place, 1, 2, resume=True)

    assert statuses == ["ok", "skipped-unchanged"]
    assert executed == [1]
    assert reasons(place)[0] == "files are missing"


@pytest.mark.parametrize(
    "text", ["", "[]", '{"status": "ok", "key": "x"}', '{"status": "ok"}', "[" * 100_000]
)
def test_a_record_of_another_shape_is_no_record(place, text):
    """The run is made as if it were new, and the batch has its index."""
    make(place, 1)
    folder = next(place.glob("out/tiny*"))
    (folder / "run.json").write_text(text)

    assert make(place, 1) == (["ok"], [1])
    assert reasons(place) == ["new"]
    assert (place / "out/index.html").exists()


def test_what_no_batch_has_made_is_not_overwritten(place):
    """Somebody's own folder for sharing keeps what is in it; no kernel starts."""
    (place / "out/share").mkdir(parents=True)
    (place / "out/share/notes").write_text("precious")

    with pytest.raises(InputError, match="would overwrite 'share'"):
        make(place, 1)
    assert (place / "out/share/notes").read_text() == "precious"
    assert not (place / "log").read_text()


def test_a_salt_that_cannot_be_used_is_told_before_the_first_run(place):
    """Sharing needs it at the end, when all would have been for nothing."""
    (place / ".cx_salt").write_text("short")

    with pytest.raises(InputError, match="salt to hash ids with is too short"):
        make(place, 1)
    assert not (place / "log").read_text()


def test_another_kind_of_earlier_batch_is_told_before_the_first_run(place):
    """A file that happens to have the name is no batch."""
    (place / "old").mkdir()
    (place / "old/batch.json").write_text("[]")

    with pytest.raises(InputError, match="no record of a batch"):
        make(place, 1, compare_to=place / "old")
    assert not (place / "log").read_text()
