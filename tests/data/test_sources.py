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
    with pytest.raises(InputError, match=r"folder '.*nowhere' does not exist"):
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
