"""Tests of what a command tells: a live table in a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import os
import sys
from types import SimpleNamespace

import pytest

from cxlib.running.progress import Telling, describe_run

RUN = {
    "status": "ok-with-warnings",
    "seconds": 1.26,
    "folder": "a",
    "reason": "data changed: events",
    "headline": "Customers stay " + "very " * 60 + "long.",
    "warnings": ["Mind the gap."],
    "error": None,
}


@pytest.fixture
def plan(tmp_path):
    """Return what is told of a plan."""
    return SimpleNamespace(folder=tmp_path / "a")


class Terminal(io.StringIO):
    """Takes itself for a terminal."""

    def isatty(self):
        """Say so."""
        return True


def test_lines_are_plain_and_unwrapped(plan, capsys):
    """Not a terminal: status, time, page, why it was made, headline and notes, a line each."""
    with Telling(1) as telling:
        telling.advance(plan, 1, 5)
        telling.tell(plan, RUN)
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == f"ok-with-warnings     1.3 s  {plan.folder}/report.html"
    assert lines[1:] == ["    made again: data changed: events", f"    {RUN['headline']}",
                         "    note: Mind the gap."]  # fmt: skip


def test_a_failure_is_told_with_its_cell(plan, capsys):
    """On the error stream, for whoever reads only that."""
    error = {"class": "KeyError", "cell": 5, "message": "'x'"}
    with Telling(1) as telling:
        telling.tell(plan, RUN | {"status": "failed-cell", "error": error, "reason": "new"})
    told = capsys.readouterr()

    assert "KeyError in cell 5: 'x'" in told.err
    assert "made again" not in told.out


def test_what_was_skipped_takes_a_line_and_too_few_rows_their_reason(plan):
    """A page on a URL is told as a URL; a run that left no folder has no page."""
    skipped = describe_run(plan, RUN | {"status": "skipped-unchanged"}, "s3://bucket")
    error = {"class": "TooLittleData", "cell": None, "message": "Only 3 rows."}
    few = {"status": "too-little-data", "folder": "", "headline": "", "error": error, "reason": ""}

    assert skipped == ["skipped-unchanged           s3://bucket/a/report.html"]
    assert describe_run(plan, RUN | few)[:2] == ["too-little-data      1.3 s  a",
                                                 "    Only 3 rows."]  # fmt: skip


def test_a_terminal_shows_what_is_under_way(plan, monkeypatch):
    """One table of running runs with their cells; what has ended stands above it, uncut."""
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    other = SimpleNamespace(folder=plan.folder.with_name("other"))
    with Telling(3) as telling:
        telling.advance(plan, 0, 0)
        telling.advance(other, 2, 7)
        telling._live.refresh()
        telling.tell(plan, RUN)
        telling._live.refresh()
    shown = sys.stdout.getvalue()

    assert "starting" in shown
    assert "2 of 7" in shown
    assert "1 of 3 runs: 1 ok-with-warnings" in shown
    assert RUN["headline"] in shown


def test_a_reader_who_went_away_stops_nothing(plan, monkeypatch):
    """``cx batch | head`` closes the pipe; the runs go on."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        with Telling(1) as telling:
            telling.tell(plan, RUN)
            telling.tell(plan, RUN)
