"""Tests of files in, text out."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.data.sources import find_files, hash_files, read_rows
from cxlib.errors import InputError
from cxlib.workbook import TableSpec


def read(path, **settings):
    """Read one file."""
    return read_rows([path], TableSpec(source=path.name, **settings), "events")


def write(tmp_path, content, name="x.csv"):
    """Write a file."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_cells_stay_text(tmp_path):
    """Nothing is typed: ids keep zeros, NA is a text, an empty cell is empty."""
    rows = read(write(tmp_path, "id,x\n007,NA\n1.0,\n"))

    assert rows.frame.to_dict("list") == {"id": ["007", "1.0"], "x": ["NA", ""]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_sniffed(tmp_path, delimiter):
    """The delimiter that splits the lines alike is taken."""
    path = write(tmp_path, f"a{delimiter}b\n1.5{delimiter}2\n2{delimiter}x y\n")

    assert list(read(path).frame.columns) == ["a", "b"]


def test_runs_of_blanks(tmp_path):
    """Columns set apart by blanks, with leading blanks."""
    rows = read(write(tmp_path, "  a  b\n 1   2 \n 3 4\n", "x.txt"), delimiter=r"\s+")

    assert rows.frame.to_dict("list") == {"a": ["1", "3"], "b": ["2", "4"]}


def test_wrong_number_of_fields_is_kept_in_the_count(tmp_path):
    """Too short and too long records keep their place and row number; empty lines are none."""
    rows = read(write(tmp_path, 'a,b\n1,2\n\n3\n4,5,6\n"x\ny",8\n'))

    assert rows.broken.tolist() == [False, True, True, False]
    assert rows.row.tolist() == [2, 4, 5, 6]
    assert rows.frame["a"].tolist() == ["1", "", "", "x\ny"]


def test_file_without_header(tmp_path):
    """Names are given, the first record is row 1."""
    rows = read(write(tmp_path, "1,2\n3,4\n"), header=["a", "b"])

    assert rows.frame["b"].tolist() == ["2", "4"]
    assert rows.row.tolist() == [1, 2]


def test_gzip_encoding_and_byte_order_mark(tmp_path):
    """Compressed files and other encodings are read as declared; a mark is no column name."""
    zipped = write(tmp_path, gzip.compress("naïve;b\né;1\n".encode("cp1252")), "x.csv.gz")
    marked = write(tmp_path, "a,b\n1,2\n".encode("utf-8-sig"), "y.csv")

    assert read(zipped, encoding="cp1252").frame.columns.tolist() == ["naïve", "b"]
    assert read(marked).frame.columns.tolist() == ["a", "b"]


def test_parquet_and_excel_give_the_same_text(tmp_path):
    """Typed sources become the text a CSV would hold; a float that is whole is an id again."""
    frame = pd.DataFrame(
        {"id": ["007", "NA"], "n": [7.0, 8.0], "t": pd.to_datetime(["2024-03-01 10:00", None])}
    )
    frame.to_parquet(tmp_path / "x.parquet")
    frame.to_excel(tmp_path / "x.xlsx", index=False)

    for name in ("x.parquet", "x.xlsx"):
        cells = read(tmp_path / name).frame
        assert cells["id"].tolist() == ["007", "NA"]
        assert cells["n"].tolist() == ["7", "8"]
        assert cells["t"].str.replace("T", " ").str[:16].tolist() == ["2024-03-01 10:00", ""]


def test_glob_is_sorted_and_hashed(tmp_path):
    """Files of one source are read in the order of their names, with their own row numbers."""
    write(tmp_path, "a\n2\n", "p2.csv")
    write(tmp_path, "a\n1\n", "p1.csv")
    spec = TableSpec(source="p*.csv")
    files = find_files(spec, tmp_path, "events")
    rows = read_rows(files, spec, "events")

    assert rows.frame["a"].tolist() == ["1", "2"]
    assert rows.row.tolist() == [2, 2]
    assert hash_files(files) != hash_files(files[:1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "'x.csv' is empty"),
        ("   \n", "'x.csv' is empty"),
        ("a,b\n", "has a header but no rows"),
        ('a,b,c\n1,"2,3\n4,5,6\n', r"quote .* is opened and not closed"),
        ('a,b,c\n1,"2,3\n4,5,6\n7,8",9\n', r"one cell holds 3 lines[\s\S]*before the line '4,5,6'"),
        ("a,a\n1,2\n", r"names \['a'\] twice"),
        ("a,b\n\xe9,2\n".encode("latin-1"), r"not utf-8: byte b'\\xe9' in line 2[\s\S]*cp1252"),
        ("a\n1\n".encode("utf-16"), r"utf-16 can decode"),
    ],
)
def test_unreadable_files_say_why(tmp_path, content, message):
    """Empty, header only, twice the same name, another encoding: each has its message."""
    with pytest.raises(InputError, match=message):
        read(write(tmp_path, content))


def test_other_mistakes_of_a_source_say_why(tmp_path):
    """A missing file suggests the closest name; odd settings and headers are named."""
    path = write(tmp_path, "a,b\n1,2\n", "touch.csv")
    other = write(tmp_path, "a,c\n1,2\n", "other.csv")

    with pytest.raises(InputError, match=r"'touhc.csv' is not there[\s\S]*mean 'touch.csv'"):
        find_files(TableSpec(source="touhc.csv"), tmp_path, "events")
    with pytest.raises(InputError, match=r"there is no file in '.*nowhere'"):
        find_files(TableSpec(source="nowhere/x.csv"), tmp_path, "events")
    with pytest.raises(InputError, match=r"different columns: \['b', 'c'\]"):
        read_rows([path, other], TableSpec(source="*.csv"), "events")
    with pytest.raises(InputError, match="encoding 'utf-99' is unknown"):
        read(path, encoding="utf-99")
    with pytest.raises(InputError, match=r"delimiter '::' is not supported"):
        read(path, delimiter="::")
    with pytest.raises(InputError, match="cannot be read"):
        read(write(tmp_path, b"not a parquet file", "x.parquet"))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=4), min_size=1, max_size=30))
def test_no_record_is_lost(tmp_path_factory, records):
    """Whatever the widths: rows in = whole + broken records, each with its own row number."""
    path = tmp_path_factory.mktemp("x") / "x.csv"
    path.write_text("a,b\n" + "".join(",".join(record) + "\n" for record in records))
    rows = read(path)

    assert rows.row.tolist() == list(range(2, len(records) + 2))
    assert rows.broken.tolist() == [len(record) != 2 for record in records]


def test_blank_lines_before_the_header(tmp_path):
    """They are no records, and rows keep their numbers."""
    rows = read(write(tmp_path, "\n\na,b\n1,2\n"))

    assert rows.frame["b"].tolist() == ["2"]
    assert rows.row.tolist() == [4]


def test_columns_without_a_name_are_named_by_place(tmp_path):
    """A trailing delimiter makes a column, not a mistake."""
    assert list(read(write(tmp_path, "a,,\n1,2,\n")).frame.columns) == ["a", "column_2", "column_3"]


def test_multi_line_comments_are_read(tmp_path):
    """A quoted line break is part of a cell."""
    rows = read(write(tmp_path, 'id,text,x\n1,"good, but\nslow",2\n'))

    assert rows.frame["text"].tolist() == ["good, but\nslow"]


def test_days_of_typed_sources_stay_days(tmp_path):
    """A column of midnights is calendar dates, which no zone shifts."""
    frame = pd.DataFrame({"day": pd.to_datetime(["2024-07-01", "2024-07-31"])})
    frame.to_excel(tmp_path / "x.xlsx", index=False)
    frame.to_parquet(tmp_path / "x.parquet")

    for name in ("x.xlsx", "x.parquet"):
        assert read(tmp_path / name).frame["day"].tolist() == ["2024-07-01", "2024-07-31"]


def test_missing_values_of_typed_sources_are_empty(tmp_path):
    """Not a number is no id called nan; odd types are text, not the end."""
    frame = pd.DataFrame(
        {"id": [1.0, float("nan")], "big": [1e20, 1.0], "list": [[1], [2]], "flag": [True, None]}
    )
    frame.to_parquet(tmp_path / "x.parquet")
    cells = read(tmp_path / "x.parquet").frame

    assert cells["id"].tolist() == ["1", ""]
    assert cells["flag"].tolist() == ["true", ""]
    assert cells["list"].tolist() == ["[1]", "[2]"]


def test_excel_with_empty_rows_above_and_twice_the_same_name(tmp_path):
    """The header is the first filled row; a name given twice is refused."""
    sheet = pd.DataFrame([["", ""], ["id", "x"], ["007", 5]])
    sheet.to_excel(tmp_path / "x.xlsx", index=False, header=False)
    pd.DataFrame([["a", "a"], [1, 2]]).to_excel(tmp_path / "y.xlsx", index=False, header=False)
    rows = read(tmp_path / "x.xlsx")

    assert rows.frame.to_dict("list") == {"id": ["007"], "x": ["5"]}
    assert rows.row.tolist() == [3]
    with pytest.raises(InputError, match="twice"):
        read(tmp_path / "y.xlsx")


def test_an_empty_month_of_a_glob_is_no_mistake(tmp_path):
    """A file with a header only adds no rows; all of them empty is refused."""
    write(tmp_path, "a\n1\n", "m1.csv")
    write(tmp_path, "a\n", "m2.csv")
    spec = TableSpec(source="m*.csv")

    assert len(read_rows(find_files(spec, tmp_path, "events"), spec, "events").frame) == 1


def test_brackets_in_names_are_names(tmp_path):
    """A folder called d [2024] is no pattern."""
    folder = tmp_path / "d [2024]"
    folder.mkdir()
    (folder / "e [1].csv").write_text("a\n1\n")

    assert find_files(TableSpec(source="e [1].csv"), folder, "events")[0].name == "e [1].csv"
    assert find_files(TableSpec(source="e*.csv"), folder, "events")[0].name == "e [1].csv"


@pytest.mark.parametrize("name", ["x.zip", "x.xls", "x.xlsx", "x.csv.gz"])
def test_files_of_other_kinds_say_so(tmp_path, name):
    """What cannot be read is named as such, not as an encoding."""
    with pytest.raises(InputError, match=r"not supported|cannot be read|no whole gzip"):
        read(write(tmp_path, b"PK\x03\x04nonsense", name))


def test_sheets_are_named_not_guessed(tmp_path):
    """With several sheets one must be named; a wrong name is told the right ones."""
    with pd.ExcelWriter(tmp_path / "x.xlsx") as writer:
        for name in ("Notes", "Data"):
            pd.DataFrame({"a": [name]}).to_excel(writer, sheet_name=name, index=False)

    assert read(tmp_path / "x.xlsx", sheet="Data").frame["a"].tolist() == ["Data"]
    with pytest.raises(InputError, match=r"2 sheets: \['Notes', 'Data'\][\s\S]*set 'sheet'"):
        read(tmp_path / "x.xlsx")
    with pytest.raises(InputError, match=r"no sheet 'Dta'[\s\S]*mean 'Data'"):
        read(tmp_path / "x.xlsx", sheet="Dta")
