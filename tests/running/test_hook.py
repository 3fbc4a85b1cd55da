"""Tests of the command that is started when a batch has ended."""

from __future__ import annotations

import os
import sys
import time

import pytest

from cxlib.running import hook
from cxlib.running.hook import run_hook


def test_the_hook_is_told_where_the_batch_is(tmp_path):
    """No shell reads the words; the folder and the summary are in the environment."""
    code = (
        "import os, pathlib, sys; out = pathlib.Path(os.environ['CX_OUT']);"
        "(out / 'told').write_text(sys.argv[1] + os.environ['CX_SUMMARY'])"
    )

    assert run_hook([sys.executable, "-c", code, "$HOME; ls "], tmp_path, folder=tmp_path) == ""
    assert (tmp_path / "told").read_text() == f"$HOME; ls {tmp_path / 'summary.json'}"


def test_a_hook_that_fails_is_told(tmp_path, monkeypatch):
    """What went wrong is said in a sentence; nothing is raised, nothing hangs."""
    failing = run_hook([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, folder=tmp_path)
    assert failing == f"The command of 'on_finish' ({sys.executable}) failed with exit code 3."
    missing = run_hook(["no-such-program"], tmp_path, folder=tmp_path)
    assert missing.startswith("The command of 'on_finish' (no-such-program) could not be started: ")

    monkeypatch.setattr(hook, "HOOK_SECONDS", 0.5)
    started = time.monotonic()
    code = (
        "import os, pathlib, subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "pathlib.Path(os.environ['CX_OUT'], 'pid').write_text(str(child.pid)); time.sleep(60)"
    )
    slow = run_hook([sys.executable, "-c", code], tmp_path, folder=tmp_path)
    assert slow.endswith("took longer than 0.5 seconds and was ended.")
    assert time.monotonic() - started < 10
    assert not _is_running(int((tmp_path / "pid").read_text()))


def test_a_batch_that_is_stopped_takes_its_hook_with_it(tmp_path, monkeypatch):
    """Nobody waits for the program any more."""

    def stop(process, timeout=None):
        """Stand for the signal that comes while the hook runs."""
        while not (tmp_path / "pid").exists():
            time.sleep(0.05)
        raise KeyboardInterrupt

    monkeypatch.setattr(hook.subprocess.Popen, "wait", stop)
    code = (
        "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid()));time.sleep(60)"
    )
    with pytest.raises(KeyboardInterrupt):
        run_hook([sys.executable, "-c", code], tmp_path, folder=tmp_path)
    monkeypatch.undo()

    assert not _is_running(int((tmp_path / "pid").read_text()))


def _is_running(pid):
    """Tell whether a process is there and no zombie, a moment after it was ended."""
    for _ in range(50):
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return False
            os.kill(pid, 0)
        except OSError:
            return False
        time.sleep(0.1)
    return True
