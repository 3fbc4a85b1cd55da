"""Delimited text: decode it, find its delimiter, parse it without losing a record."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from cxlib.errors import InputError
from cxlib.workbook import TableSpec

DELIMITERS = (",", ";", "\t", "|")
_BLANKS = r"\s+"
_QUOTE = '"'


def read_text(file: Path, spec: TableSpec, where: str) -> tuple[pd.DataFrame, set[int], int]:
    """Read a delimited text file.

    Parameters
    ----------
    file : pathlib.Path
        The file, gzipped when its name ends in ``.gz``.
    spec : TableSpec
        Encoding, delimiter, header.
    where : str
        File and table, for messages.

    Returns
    -------
    pandas.DataFrame
        Whole records as text.
    set of int
        Places, from 0, of the records whose number of fields is not the header's.
    int
        Row number of the first record.

    Raises
    ------
    InputError
        When the file cannot be decoded or parsed.
    """
    data = file.read_bytes()
    if file.name.lower().endswith(".gz"):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"'{file.name}' is no whole gzip file.", where) from error
    text = _decode(data, spec.encoding, where)
    if not text.strip():
        return pd.DataFrame(), set(), 1
    body = text.lstrip("\r\n")
    skipped = len(text[: len(text) - len(body)].splitlines())
    delimiter = spec.delimiter or _sniff(body)
    if delimiter == _BLANKS:
        body = "\n".join(re.sub(r"\s+", "\t", line.strip()) for line in body.splitlines())
        delimiter = "\t"
    if len(delimiter.encode()) != 1:
        raise InputError(
            f"The delimiter '{delimiter}' is not supported.",
            where,
            r'use one character, or "\\s+" for runs of blanks',
        )
    try:
        frame, broken = _parse(body, delimiter, spec.header, where)
    except (csv.Error, pa.ArrowInvalid) as error:
        fix = "check the delimiter and the quotes"
        raise InputError(f"'{file.name}' cannot be parsed: {error}", where, fix) from error
    return frame, broken, skipped + (1 if spec.header else 2)


def name_columns(names: list[str], where: str) -> list[str]:
    """Name every column of a header once.

    Parameters
    ----------
    names : list of str
        The header; a column without a name is called ``column_3``, after its place.
    where : str
        File and table, for messages.

    Returns
    -------
    list of str
        Distinct names.

    Raises
    ------
    InputError
        When two names are equal.
    """
    named = [name.strip() or f"column_{i}" for i, name in enumerate(names, start=1)]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise InputError(f"The header names {twice} twice.", where, "rename one of them")
    return named


def _decode(data: bytes, encoding: str, where: str) -> str:
    name = "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            f"The file is not {encoding}: byte {data[error.start : error.start + 1]!r} "
            f"in line {line} cannot be decoded.",
            where,
            f"set 'encoding:' for this table; {_fitting(data)} can decode all of it",
        ) from error
    except (LookupError, ValueError) as error:
        raise InputError(f"The encoding '{encoding}' is unknown.", where) from error


def _fitting(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    fits = []
    for encoding in ("cp1252", "cp949", "shift_jis", "gb18030", "cp1251", "iso-8859-15"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        fits.append(encoding)
    return " or ".join(fits[:3]) or "none of the common encodings"


def _sniff(text: str) -> str:
    """Choose the delimiter that splits the first lines most often into as many fields."""
    sample = text[:65536].splitlines()[:50]

    def score(delimiter: str) -> tuple[bool, float, int]:
        """Rank by: splits at all, splits alike, splits into many."""
        widths = [len(fields) for fields in csv.reader(sample, delimiter=delimiter) if fields]
        same = sum(width == widths[0] for width in widths) / len(widths)
        return widths[0] > 1, same, widths[0]

    return max(DELIMITERS, key=score)


def _parse(
    text: str, delimiter: str, header: list[str] | None, where: str
) -> tuple[pd.DataFrame, set[int]]:
    from pyarrow import csv as arrow_csv

    first = header or next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    names = name_columns(first, where)
    broken: dict[int, str] = {}
    offset = 1 if header else 2

    def keep_account(record: Any) -> str:
        """Remember a record of another width."""
        broken[record.number - offset] = record.text or ""
        return "skip"

    content = arrow_csv.read_csv(
        pa.py_buffer(text.encode()),
        read_options=arrow_csv.ReadOptions(
            column_names=names, skip_rows=0 if header else 1, use_threads=False, block_size=1 << 26
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=keep_account,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
    frame = content.to_pandas()
    for column in frame.columns:
        long = frame[column].str.contains("\n", regex=False)
        _check_quotes(frame.loc[long, column], len(names), delimiter, where)
    _check_quotes(broken.values(), len(names), delimiter, where)
    return frame, set(broken)


def _check_quotes(cells: Iterable[str], width: int, delimiter: str, where: str) -> None:
    """Refuse a file where a stray quote has swallowed records into one cell."""
    least = 1 if width > 2 else 3  # a comment may well hold a line with one comma
    for cell in cells:
        lines = [line for line in cell.splitlines()[1:] if line.count(delimiter) >= width - 1]
        if len(lines) >= least:
            raise InputError(
                f"A quote ({_QUOTE}) is opened and not closed: one cell holds "
                f"{len(cell.splitlines())} lines that look like records.",
                f"{where}, before the line '{lines[0][:40]}'",
                "close or remove the quote",
            )
