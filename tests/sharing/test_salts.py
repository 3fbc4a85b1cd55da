"""Tests of the salt of a workbook and the codes it makes."""

from __future__ import annotations

import os
import stat

import pytest

from cxlib.errors import InputError
from cxlib.sharing.salts import hash_id, read_salt
from cxlib.workbook import read_workbook

EVENTS = "tables: {events: {source: e.csv}}"


def test_the_salt_is_made_once_for_its_owner(write_workbook):
    """It lies beside the workbook, readable by nobody else, and stays."""
    path = write_workbook(EVENTS, e__csv="a")
    book = read_workbook(path)
    salt = read_salt(book)

    assert read_salt(book) == salt
    assert len(salt) == 64
    assert stat.S_IMODE((path.parent / ".cx_salt").stat().st_mode) == 0o600
    assert [file.name for file in path.parent.glob(".cx_salt*")] == [".cx_salt"]


def test_another_workbook_has_another_salt(write_workbook):
    """Pages of two companies cannot be joined by their hashes."""
    path = write_workbook(EVENTS, e__csv="a")
    first = read_salt(read_workbook(path))
    (path.parent / ".cx_salt").unlink()

    assert hash_id("C-1001", first) != hash_id("C-1001", read_salt(read_workbook(path)))


def test_the_samples_need_no_file():
    """Their company is fictional, and an installed package may not be writable."""
    book = read_workbook("samples")

    assert read_salt(book) == b"samples"
    assert not (book.folder / ".cx_salt").exists()


def test_a_salt_that_cannot_be_made_is_told(write_workbook, monkeypatch):
    """The message says what to do."""
    path = write_workbook(EVENTS, e__csv="a")

    def refuse(*_):
        """Behave like a folder that cannot be written."""
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(InputError, match="No salt to hash ids with: Permission denied") as told:
        read_salt(read_workbook(path))
    assert told.value.where == str(path.parent / ".cx_salt")
    assert told.value.fix.startswith("let ")


def test_a_salt_that_is_too_short_is_refused(write_workbook):
    """An empty file would make hashes that anybody can make."""
    path = write_workbook(EVENTS, e__csv="a")
    (path.parent / ".cx_salt").write_text("abc\n")

    with pytest.raises(InputError, match="The salt to hash ids with is too short"):
        read_salt(read_workbook(path))
