"""Tests of files that appear whole or not at all."""

from __future__ import annotations

import pytest

from cxlib.files import whole_file


def test_a_file_appears_when_all_is_written(tmp_path):
    """Until then the old one stays."""
    path = tmp_path / "x.txt"
    path.write_text("old")
    with whole_file(path) as part:
        part.write_text("new")
        before = path.read_text()

    assert (before, path.read_text()) == ("old", "new")
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]


def test_a_failure_leaves_nothing_behind(tmp_path):
    """Neither half a file nor its scratch name."""

    def fail():
        with whole_file(tmp_path / "x.txt") as part:
            part.write_text("half")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()

    assert list(tmp_path.iterdir()) == []
