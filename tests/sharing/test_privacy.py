"""Tests of what is taken out of pages: ids and small groups."""

from __future__ import annotations

import os
import stat

import pytest

from cxlib.errors import InputError
from cxlib.sharing.privacy import (
    find_ids,
    find_words,
    hash_id,
    hash_page,
    hash_text,
    hide_small_groups,
    read_salt,
)
from cxlib.workbook import read_workbook

EVENTS = "tables: {events: {source: e.csv}}"


def rename(value):
    """Name an id in a way a test can see."""
    return f"[{value}]"


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


@pytest.mark.parametrize(
    ("text", "hashed"),
    [
        ("Customer C-1001 left.", "Customer [C-1001] left."),
        ("(C-1001), C-1001; 'C-1001'", "([C-1001]), [C-1001]; '[C-1001]'"),
        ("C-1001/phone and phone:C-1001", "[C-1001]/phone and phone:[C-1001]"),
        ("0010007 and 10007", "[0010007] and [10007]"),
        ("10,007 and 3.10007 and 10007.5 and 2,10007", None),
        ("XC-1001, C-10012", None),
        ("ann@example.org wrote", "[ann@example.org] wrote"),
        ("Customer_C-1001", None),
    ],
)
def test_ids_in_running_text_are_whole_words(text, hashed):
    """An id within a longer word or a number is none."""
    ids = {"C-1001", "0010007", "10007", "ann@example.org"}

    assert hash_text(text, ids, rename) == (hashed or text)


def test_overlapping_readings_count_once():
    """The widest id wins."""
    assert find_ids("a-1001-x", {"a-1001-x", "a-1001"}) == [(0, 8)]


def test_plain_words_and_short_numbers_are_no_candidates():
    """They cannot be told from what the page says itself."""
    assert find_words("Half of 412 customers called; 12% of 2024, id A1") == set()
    assert find_words("see C-1001.") == {"C-1001", "C-1001."}


def test_cells_marked_as_ids_are_hashed_whatever_they_hold():
    """Short numbers and plain words too; a missing one stays missing."""
    page = (
        '<tr><th scope="row" data-id>7</th><td class="number" data-id>smith &amp; co</td>'
        "<td data-id>–</td><td>7</td></tr>"
    )

    assert hash_page(page, (), rename) == (
        '<tr><th scope="row" data-id>[7]</th><td class="number" data-id>[smith & co]</td>'
        "<td data-id>–</td><td>7</td></tr>"
    )


def test_what_a_page_says_aloud_is_hashed_and_what_it_runs_is_not():
    """Alternative texts are text; scripts, styles, addresses and numbers behind cells are not."""
    page = (
        "<style>.C-1001{}</style><p>C-1001 &lt;b&gt;</p>"
        '<img alt="of C-1001" src="data:C-1001"><td data-value="10007">x</td>'
        "<script>C-1001</script>"
    )

    assert hash_page(page, {"C-1001", "10007"}, rename) == page.replace(
        "<p>C-1001", "<p>[C-1001]"
    ).replace("of C-1001", "of [C-1001]")


def table(heads, *rows):
    """Write a table as cxlib does: heads that start with # hold numbers."""
    marks = [' class="number"' if head.startswith("#") else "" for head in heads]
    head = "".join(
        f'<th scope="col"{mark}>{name.lstrip("#")}</th>'
        for name, mark in zip(heads, marks, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<{"td" if place else "th"}{mark} data-value="1">{cell}</{"td" if place else "th"}>'
            for place, (cell, mark) in enumerate(zip(row, marks, strict=True))
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def test_figures_of_small_groups_are_taken_out():
    """The labels stay, the numbers go, the unrounded ones behind them too."""
    page = hide_small_groups(
        table(["group", "#n", "#share", "says"], ["A", 9, "50%", "9 say"], ["B", 10, "40%", "no"]),
        10,
    )

    assert page.startswith(table(["group", "#n", "#share", "says"]).partition("</tbody>")[0])
    assert '<th>A</th><td class="number">under 10</td><td class="number">–</td><td>–</td>' in page
    assert '<td class="number" data-value="1">40%</td><td data-value="1">no</td>' in page


@pytest.mark.parametrize(
    "page",
    [
        table(["rule", "#n", "example"], ["no id", 3, "row 7"]),
        table(["step", "#n", "#n customers"], ["left out", 3, 3]),
        table(["item", "#n items", "#alpha"], ["a", 3, "0.8"]),
        table(["group", "#n", "#share"], ["A", 0, "–"], ["B", "1,009", "1%"]),
    ],
)
def test_counts_of_rows_and_items_stay(page):
    """A ledger tells nothing about a group, an empty group nothing about anybody."""
    assert hide_small_groups(page, 10) == page
