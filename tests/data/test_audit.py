"""Tests of kept audits: a run rests on what it was planned on, or says that it cannot."""

from __future__ import annotations

import errno
import shutil

import pytest

from cxlib.data import audit, open_workbook
from cxlib.data.audit import audit_workbook, pin_audit
from cxlib.errors import InputError
from cxlib.workbook import read_workbook

HEADER = "customer_id,timestamp,touchpoint\n"
ROW = "1,2024-01-01,a\n"
TABLES = "tables:\n  events: {source: 'e*.csv'}\n"


@pytest.fixture
def planned(write_workbook, tmp_path, monkeypatch):
    """Return a workbook of one event, planned, in what is from now on the kernel of its run."""
    monkeypatch.setenv("CX_CACHE", str(tmp_path / "cache"))
    path = write_workbook(TABLES, e1__csv=HEADER + ROW)
    book = read_workbook(path)
    (tmp_path / "run").mkdir()
    pin_audit(tmp_path / "run", book, [table.entry for table in audit_workbook(book).values()])
    monkeypatch.setenv("CX_RUN_DIR", str(tmp_path / "run"))
    return path


def count_events(path):
    """Count the events a notebook sees."""
    return len(open_workbook(str(path)).frame("events"))


def change_export(path):
    """Replace the export by one of two events."""
    (path.parent / "e1.csv").write_text(HEADER + ROW + "2,2024-01-02,b\n")


def test_what_happens_to_the_export_during_a_run_is_not_seen(planned):
    """Another content, another file that the pattern finds, no file at all."""
    change_export(planned)
    assert count_events(planned) == 1
    (planned.parent / "e2.csv").write_text(HEADER + ROW.replace("1,", "7,"))
    assert count_events(planned) == 1
    for file in planned.parent.glob("e*.csv"):
        file.unlink()
    assert count_events(planned) == 1


def test_a_file_that_is_found_under_another_name_is_another_source(planned, monkeypatch):
    """Its refused rows are told with its name, so an audit of the old name is not served."""
    monkeypatch.delenv("CX_RUN_DIR")
    first = audit_workbook(read_workbook(planned))["events"]
    (planned.parent / "e1.csv").rename(planned.parent / "e2.csv")
    second = audit_workbook(read_workbook(planned))["events"]

    assert first.path != second.path
    assert first.entry.sha256 != second.entry.sha256


def test_settings_that_change_during_a_run_are_refused(planned):
    """The page would rest on other settings than its record says."""
    planned.write_text(planned.read_text().replace("2024-12-31", "2023-12-31"))
    with pytest.raises(InputError, match=r"The workbook changed while[\s\S]*run it again"):
        count_events(planned)


def test_settings_written_otherwise_are_the_same_settings(planned):
    """A comment changes nothing."""
    planned.write_text(f"# yearly\n{planned.read_text()}")

    assert count_events(planned) == 1


def test_a_cache_that_goes_during_a_run_is_made_again(planned):
    """As long as the export still is what the run was planned on; else the run is refused."""
    shutil.rmtree(planned.parent / "cache")
    assert count_events(planned) == 1
    shutil.rmtree(planned.parent / "cache")
    change_export(planned)
    with pytest.raises(InputError, match=r"'events' changed while[\s\S]*e\*\.csv[\s\S]*run it ag"):
        count_events(planned)


def test_a_full_cache_is_told_with_its_folder(write_workbook, tmp_path, monkeypatch):
    """What is full, and the setting that names another."""

    def full(parts, path):
        """Write nothing, like a disk without room."""
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("CX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(audit, "_write", full)
    book = read_workbook(write_workbook(TABLES, e1__csv=HEADER + ROW))
    with pytest.raises(InputError, match=r"No space left[\s\S]*cache[\s\S]*CX_CACHE"):
        audit_workbook(book)

    assert not list((tmp_path / "cache").iterdir())
