"""Tests of the folders of runs: put in place at once, held while in use, cleared after a kill."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from cxlib.errors import InputError
from cxlib.folders import clear_leftovers, lock_folder, put_folder, work_folder

HOLD = """import sys, pathlib
from cxlib.folders import lock_folder, work_folder
out = pathlib.Path(sys.argv[1])
with lock_folder(out), work_folder(out) as work:
    (work / "half.html").touch()
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Return a process that holds the folder and works in it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_work_folder_goes_unless_it_was_put_in_place(tmp_path):
    """Put, it is readable by others, whatever the system's habit with temporary folders."""
    with work_folder(tmp_path) as first:
        (first / "run.json").write_text("1")
    with work_folder(tmp_path) as second:
        (second / "run.json").write_text("2")
        put_folder(second, tmp_path / "run")

    assert (tmp_path / "run/run.json").read_text() == "2"
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o755
    assert not list((tmp_path / ".cx").iterdir())


def test_of_two_runs_that_end_together_one_stays_whole(tmp_path):
    """Whoever comes later replaces the other; nothing is lost on the way, no scratch is left."""

    def put(name):
        """Make a run."""
        with work_folder(tmp_path) as work:
            (work / "run.json").write_text(name)
            put_folder(work, tmp_path / "run")

    for _ in range(20):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(put, "abcd"))

        assert (tmp_path / "run/run.json").read_text() in set("abcd")
        assert not list((tmp_path / ".cx").iterdir())


def test_what_could_not_be_replaced_stays(tmp_path, monkeypatch):
    """When the new folder cannot be put, the old one is put back."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text("old")

    def full(source, target):
        raise OSError(28, "No space left on device")

    with work_folder(tmp_path) as work:
        monkeypatch.setattr(os, "rename", full)
        with pytest.raises(OSError, match="No space"):
            put_folder(work, tmp_path / "run")

    assert (tmp_path / "run/run.json").read_text() == "old"


def test_leftovers_of_the_dead_are_cleared_and_those_of_the_living_are_not(tmp_path, holder):
    """A work folder is in use as long as its process lives, however it dies."""
    clear_leftovers(tmp_path)
    living = list(tmp_path.glob(".cx/run-*/half.html"))
    holder.kill()
    holder.wait()
    clear_leftovers(tmp_path)

    assert len(living) == 1
    assert not list(tmp_path.glob(".cx/run-*"))


def test_a_folder_that_was_being_replaced_is_put_back(tmp_path):
    """Killed between two renames, a runner loses nothing; half files and rests go."""
    for place in ("old-1/lost", "old-2/there"):
        (tmp_path / ".cx" / place).mkdir(parents=True)
        (tmp_path / ".cx" / place / "run.json").write_text("old")
    (tmp_path / "there").mkdir()
    (tmp_path / "there/run.json").write_text("new")
    (tmp_path / ".index.html-0123abcd.part").write_text("<ht")
    (tmp_path / ".hidden").write_text("mine")
    clear_leftovers(tmp_path)

    assert (tmp_path / "lost/run.json").read_text() == "old"
    assert (tmp_path / "there/run.json").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".cx", ".hidden", "lost", "there"]
    assert not list((tmp_path / ".cx").iterdir())


def test_a_killed_holder_leaves_no_lock(tmp_path, holder):
    """Another process is refused with the number of the holder, until that is killed."""
    with (
        pytest.raises(InputError, match=rf"process {holder.pid} on .*\n.*another --out"),
        lock_folder(tmp_path),
    ):
        pass
    holder.kill()
    holder.wait()
    with lock_folder(tmp_path):
        pass
