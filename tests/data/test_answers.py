"""Tests of answers in parts, wide and long, and of what belongs to a survey alone."""

from __future__ import annotations

import pandas as pd
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.data import open_workbook
from cxlib.data.audit import audit_workbook
from cxlib.data.sources import find_files, read_rows
from cxlib.data.tables import read_table
from cxlib.workbook import read_workbook

WIDE = """tables:
  answers:
    source: a.csv
    respondent_id: r
    missing: [99]
    wide: {expectation: "E{item}", perception: "P{item}"}
"""
LONG = "tables:\n  answers: {source: a.csv}\n"
CELLS = st.sampled_from(["1", "7", "9", "x", "", "99", " 5 "])
SCALES = pd.DataFrame({"item": ["1", "2"], "scale_min": 1.0, "scale_max": 7.0})


def rules(path, table):
    """Return rules and their numbers of a table."""
    entry = audit_workbook(read_workbook(path))[table].entry
    return {rule.rule: rule.n for rule in entry.rules}


def read_parts(folder, settings_, part_rows):
    """Return the whole table, the number of its parts, and the ledger."""
    (folder / "cx.yml").write_text(f"name: T\nas_of: 2024-12-31\n{settings_}")
    book = read_workbook(folder)
    files = find_files(book.tables["answers"], folder, "answers")
    rows = read_rows(files, book.tables["answers"], "answers")
    parts, entry = read_table("answers", book, rows, "", SCALES, part_rows=part_rows)
    parts = [part.astype(dict.fromkeys(part.select_dtypes("category"), object)) for part in parts]
    return pd.concat(parts, ignore_index=True), len(parts), entry


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcd"), CELLS, CELLS, CELLS, CELLS), max_size=8),
    st.integers(1, 9),
)
def test_parts_of_any_size_are_one_table(tmp_path_factory, rows, part_rows):
    """Wide or long: how many rows are worked on at once changes neither table nor ledger."""
    folder = tmp_path_factory.mktemp("w")
    rows = [*rows, ("sure", "1", "2", "3", "4")]
    (folder / "a.csv").write_text("r,E1,E2,P1,P2\n" + "".join(",".join(row) + "\n" for row in rows))
    whole, n_whole, entry = read_parts(folder, WIDE, 1_000_000)
    cut, n_parts, again = read_parts(folder, WIDE, part_rows)

    pd.testing.assert_frame_equal(cut, whole)
    assert (n_whole, again) == (1, entry)
    assert n_parts <= len(whole)

    long = [
        (f"{i}{row[0]}", item, row[j]) for i, row in enumerate(rows) for j, item in ((1, 1), (2, 2))
    ]
    (folder / "a.csv").write_text(
        "respondent_id,item,role,value\n" + "".join(f"{r},{i},belief,{v}\n" for r, i, v in long)
    )
    whole, _, entry = read_parts(folder, LONG, 1_000_000)
    cut, n_parts, again = read_parts(folder, LONG, part_rows)

    pd.testing.assert_frame_equal(cut, whole)
    assert again == entry
    assert n_parts == -(-len(whole) // part_rows)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8))
def test_wide_and_long_hold_the_same_answers(tmp_path_factory, rows):
    """A wide export gives what its answers, written one a row, give."""
    folder = tmp_path_factory.mktemp("w")
    rows = [*rows, ("1", "2", "3")]
    lines = [(i, dict(zip(("E1", "E2", "P1"), row, strict=True))) for i, row in enumerate(rows)]
    (folder / "a.csv").write_text(
        "r,E1,E2,P1\n" + "".join(f"{i},{','.join(cells.values())}\n" for i, cells in lines)
    )
    wide, _, entry = read_parts(folder, WIDE, 5)
    role = {"E": "expectation", "P": "perception"}
    (folder / "a.csv").write_text(
        "respondent_id,item,role,value\n"
        + "".join(
            f"{i},{name[1]},{role[name[0]]},{cell}\n"
            for i, cells in lines
            for name, cell in cells.items()
        )
    )
    long, _, refused = read_parts(folder, LONG.replace("a.csv", "a.csv, missing: [99]"), 5)

    pd.testing.assert_frame_equal(wide, long)
    counts = {rule.rule: rule.n for rule in entry.rules}
    others = {rule.rule: rule.n for rule in refused.rules}
    assert counts.get("off the scale") == others.get("off the scale")
    assert counts.get("bad number") == others.get("bad number")


def test_text_of_the_audit_is_text_to_every_reader(write_workbook):
    """Each part is a row group; codes of words stay inside."""
    path = write_workbook(LONG, a__csv="respondent_id,item,role,value\na,1,belief,2\n")
    schema = pq.read_schema(audit_workbook(read_workbook(path))["answers"].path)

    assert [str(field.type) for field in schema] == ["string"] * 3 + ["double", "int64"]


def test_duration_has_a_unit_and_a_bad_one_costs_no_answer(write_workbook):
    """Minutes become seconds; what is below nothing or no number is emptied."""
    path = write_workbook(
        "tables:\n  answers:\n    source: a.csv\n    respondent_id: r\n"
        "    columns: {duration_seconds: {column: took, unit: minutes}}\n"
        "    wide: {perception: 'P{item}'}\n",
        a__csv="r,took,P1\na,1.5,5\nb,-1,4\nc,long,3\nd,,2\n",
    )
    seconds = open_workbook(str(path)).frame("answers")["duration_seconds"]

    assert seconds.astype(object).where(seconds.notna(), None).tolist() == [90, None, None, None]
    assert rules(path, "answers") == {"bad number emptied": 2}


def test_every_role_may_have_a_scale_of_its_own(write_workbook):
    """Points of 100, a zone of tolerance and Kano pairs stand beside seven-point ratings."""
    roles = {
        "importance": "W",
        "minimum": "L",
        "desired": "D",
        "functional": "KF",
        "dysfunctional": "KD",
        "perception": "P",
    }
    ends = {"importance": "0,100", "functional": "1,5", "dysfunctional": "1,5", "": "1,7"}
    path = write_workbook(
        "tables:\n  answers:\n    source: a.csv\n    respondent_id: r\n    wide:\n"
        + "".join(f'      {role}: "{letter}_{{item}}"\n' for role, letter in roles.items())
        + "  items: {source: i.csv}\n",
        a__csv="r,W_x,L_x,D_x,KF_x,KD_x,P_x\na,100,7,7,5,5,7\nb,101,8,8,6,6,8\nc,0,1,1,1,1,1\n",
        i__csv="item,role,scale_min,scale_max\n"
        + "".join(f"x,{role},{scale}\n" for role, scale in ends.items()),
    )
    answers = open_workbook(str(path)).frame("answers")

    assert rules(path, "answers") == {"off the scale": 6}
    assert answers.groupby("role")["value"].max().to_dict() == {
        "importance": 100,
        "minimum": 7,
        "desired": 7,
        "functional": 5,
        "dysfunctional": 5,
        "perception": 7,
    }
