"""Tests of cx.yml as a typed model."""

from __future__ import annotations

import datetime

import pytest

from cxlib.errors import InputError
from cxlib.workbook import read_workbook

GOOD = "name: T\nas_of: 2024-12-31\ntables:\n  events:\n    source: e.csv\n"


def read(tmp_path, text):
    """Write and read a workbook."""
    path = tmp_path / "cx.yml"
    path.write_text(text, encoding="utf-8")
    return read_workbook(path)


def test_scalars_are_what_was_written(tmp_path):
    """Yes, 007 and 1e3 are texts; true and false are keys of a value map."""
    book = read(
        tmp_path,
        GOOD
        + """    missing: [007, 1e3, NA]
    columns:
      customer_id: id
      touchpoint: {value: purchase}
      initiated_by: {column: by, values: {Yes: customer}}
  lifetimes:
    source: l.csv
    columns:
      churned: {column: s, true: [Yes], false: No}
""",
    )
    spec = book.tables["events"]

    assert book.as_of == datetime.date(2024, 12, 31)
    assert spec.missing == ["007", "1e3", "NA"]
    assert spec.columns["customer_id"].column == "id"
    assert spec.columns["touchpoint"].value == "purchase"
    assert spec.columns["initiated_by"].values == {"Yes": "customer"}
    assert book.tables["lifetimes"].columns["churned"].true == ["Yes"]
    assert book.tables["lifetimes"].columns["churned"].false == ["No"]


def test_samples_and_folders_are_found(tmp_path):
    """'samples' is the company that ships with cxlib; a folder stands for its cx.yml."""
    read(tmp_path, GOOD)

    assert read_workbook("samples").name == "Brightline Broadband"
    assert read_workbook(tmp_path).name == "T"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "    colums: {}\n", r"'colums' is unknown.[\s\S]*line 6.*[\s\S]*mean 'columns'"),
        (GOOD + "nme: x\n", r"'nme' is unknown[\s\S]*mean 'name'"),
        (GOOD + "money: {curency: EUR}\n", r"'curency' is unknown[\s\S]*mean 'currency'"),
        (GOOD + "    columns: {touchpoint: {colum: x}}\n", r"'colum' is unknown[\s\S]*'column'"),
        (GOOD + "    columns: {touchpiont: x}\n", r"column 'touchpiont' is unknown[\s\S]*'touchp"),
        (GOOD + "    columns: {touchpoint: {unit: days}}\n", r"needs a column or a value"),
        (GOOD + "    columns: {value: {column: x, unit: days}}\n", r"'value' has no unit"),
        (GOOD + "    columns: {stage: {column: s, true: x}}\n", r"'stage' is not true or false"),
        (
            GOOD + "  lifetimes:\n    source: l\n"
            "    columns: {churned: {column: c, true: x, false: x}}\n",
            r"\['x'\] cannot be both",
        ),
        (GOOD + "    respondent_id: x\n", r"'events' has no respondents"),
        (GOOD + "file: x\n", r"'file' is unknown"),
        (GOOD + "a: &a [*a]\n", r"nested without end|not valid YAML"),
        (GOOD + "    duplicates: drop\n", r"'duplicates' cannot be 'drop'"),
        (GOOD + "    wide: {perception: 'P{item}'}\n", r"'events' cannot be wide"),
        (GOOD + "engine: spark\n", r"engine 'spark' is unknown[\s\S]*line 6[\s\S]*use 'duckdb'"),
        (GOOD.replace("events", "evnts"), r"table 'evnts' is unknown[\s\S]*mean 'events'"),
        (
            GOOD + "  answers:\n    source: a\n    wide: {percepton: 'P{item}'}\n",
            r"role 'percepton'",
        ),
        (GOOD + "  answers:\n    source: a\n    wide: {belief: 'P'}\n", r"must hold \{item\} once"),
        (GOOD + "    header_rows: 0\n", r"'header_rows' cannot be '0'"),
        (GOOD + "    header_rows: 2\n    header: [a]\n", r"exclude each other[\s\S]*line 6"),
        (GOOD.replace("e.csv", "e.sav") + "    header_rows: 2\n", r"'e.sav' has no header rows"),
        (GOOD.replace("e.csv", "events") + "    header_rows: 2\n", r"'events' has no header rows"),
        (
            GOOD + "    columns: {stage: {column: s, labels: true}}\n",
            r"'e.csv' holds no value labels[\s\S]*\{values:",
        ),
        (
            GOOD + "  answers:\n    source: a\n"
            "    wide: {belief: {pattern: 'P{item}', values: {Low: low}}}\n",
            r"'Low' cannot be 'low': input should be a valid number",
        ),
        (GOOD.replace("as_of: 2024-12-31\n", ""), r"'as_of' is missing[\s\S]*today is never"),
        (GOOD.replace("2024-12-31", "today"), r"'as_of' cannot be 'today'[\s\S]*YYYY-MM-DD"),
        (GOOD.replace("2024-12-31", "86400"), r"'as_of' cannot be '86400'"),
        (GOOD.replace("2024-12-31", "9999-12-31"), r"'as_of' cannot be '9999-12-31'"),
        (GOOD.replace("2024-12-31", "2024-02-30"), r"'as_of' cannot be '2024-02-30'"),
        (GOOD + "name: again\n", r"'name' is given twice[\s\S]*lines 1 and 6"),
        ("name: [\n", r"not valid YAML[\s\S]*line 2"),
        ("", r"holds no settings"),
        ("name: T\nas_of: 2024-12-31\ntables: {}\n", r"'tables' cannot be"),
    ],
)
def test_mistakes_are_explained(tmp_path, text, message):
    """Each says what is wrong, on which line, and what was probably meant."""
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_missing_and_undecodable_workbooks(tmp_path):
    """A path that is not there, and a file in another encoding."""
    with pytest.raises(InputError, match="There is no workbook"):
        read_workbook(tmp_path / "nope.yml")
    (tmp_path / "cx.yml").write_bytes("name: é\n".encode("latin-1"))
    with pytest.raises(InputError, match="is not UTF-8"):
        read_workbook(tmp_path)


def test_all_mistakes_are_told_at_once(tmp_path):
    """Two misspelt keys make two blocks."""
    with pytest.raises(InputError, match=r"'a' is unknown[\s\S]*'b' is unknown"):
        read(tmp_path, GOOD + "a: 1\nb: 2\n")
