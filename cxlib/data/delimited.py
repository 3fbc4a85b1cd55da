"""Delimited text: decode it, find its delimiter, parse it without losing a record."""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from cxlib.data.headers import name_columns, read_header
from cxlib.data.words import from_arrow, words_of
from cxlib.errors import InputError
from cxlib.workbook import TableSpec

DELIMITERS = (",", ";", "\t", "|")
_BLANKS = r"\s+"
_QUOTE = '"'
_PIECE = 1 << 24  # bytes decoded at once
_EMPTY = pa.chunked_array([], pa.string())
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")


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
        Whole records as encoded text.
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
    text = _to_utf8(data, spec.encoding, where)
    if not re.search(rb"\S", text):
        return pd.DataFrame(), set(), 1
    blank = re.match(rb"[\r\n]*", text).group()  # type: ignore[union-attr]
    skipped, body = len(blank.splitlines()), text[len(blank) :]
    delimiter = spec.delimiter or _sniff(bytes(body[:65536]).decode(errors="ignore"))
    if delimiter == _BLANKS:
        lines = bytes(body).decode().splitlines()
        body = memoryview("\n".join(re.sub(r"\s+", "\t", x.strip()) for x in lines).encode())
        delimiter = "\t"
    if len(delimiter.encode()) != 1:
        raise InputError(
            f"The delimiter '{delimiter}' is not supported.",
            where,
            r'use one character, or "\\s+" for runs of blanks',
        )
    try:
        names = name_columns(spec.header, where) if spec.header else []
        if not names:
            records, end = _take_records(body, delimiter, spec.header_rows)
            names, body = read_header(records, skipped + 1, where), body[end:]
        frame, broken = _parse(body, names, delimiter, where)
    except (csv.Error, pa.ArrowInvalid) as error:
        fix = "check the delimiter and the quotes"
        raise InputError(f"'{file.name}' cannot be parsed: {error}", where, fix) from error
    return frame, broken, skipped + 1 + (0 if spec.header else spec.header_rows)


def _to_utf8(data: bytes, encoding: str, where: str) -> memoryview:
    """Decode piece by piece, so that a large file is never held as text of Python."""
    is_utf8 = encoding.lower().replace("_", "-") in {"utf-8", "utf8"}
    name = "utf-8-sig" if is_utf8 else encoding
    try:
        b"".decode(name)
        decoder = codecs.getincrementaldecoder(name)()
        pieces = []
        for start in range(0, len(data), _PIECE):
            end = start + _PIECE
            piece = decoder.decode(data[start:end], final=end >= len(data))
            pieces += [] if is_utf8 else [piece.encode()]
    except UnicodeDecodeError:
        raise _undecodable(data, encoding, name, where) from None
    except (LookupError, ValueError) as error:
        raise InputError(f"The encoding '{encoding}' is unknown.", where) from error
    if not is_utf8:
        return memoryview(b"".join(pieces))
    return memoryview(data)[len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0 :]


def _undecodable(data: bytes, encoding: str, name: str, where: str) -> InputError:
    place = 0
    try:
        data.decode(name)
    except UnicodeDecodeError as error:
        place = error.start
    line = data.count(b"\n", 0, place) + 1
    return InputError(
        f"The file is not {encoding}: byte {data[place : place + 1]!r} "
        f"in line {line} cannot be decoded.",
        where,
        f"set 'encoding:' for this table; {_fitting(data)} can decode all of it",
    )


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
    sample = text.splitlines()[:50]

    def score(delimiter: str) -> tuple[bool, float, int]:
        """Rank by: splits at all, splits alike, splits into many."""
        widths = [len(fields) for fields in csv.reader(sample, delimiter=delimiter) if fields]
        same = sum(width == widths[0] for width in widths) / len(widths)
        return widths[0] > 1, same, widths[0]

    return max(DELIMITERS, key=score)


def _take_records(body: memoryview, delimiter: str, n: int) -> tuple[list[list[str]], int]:
    """Read the first records, which may span lines, and tell where the next one begins."""
    end = 0

    def lines() -> Iterator[str]:
        """Give line after line, and remember where the last one ended."""
        nonlocal end
        for found in _LINE.finditer(body):
            end = found.end()
            yield found.group().decode()

    reader = csv.reader(lines(), delimiter=delimiter)
    return list(islice(reader, n)), end


def _parse(
    body: memoryview, names: list[str], delimiter: str, where: str
) -> tuple[pd.DataFrame, set[int]]:
    from pyarrow import csv as arrow_csv

    broken: dict[int, str] = {}

    def keep_account(record: Any) -> str:
        """Remember a record of another width."""
        broken[record.number - 1] = record.text or ""
        return "skip"

    if not len(body):
        return pd.DataFrame({name: from_arrow(_EMPTY) for name in names}), set()
    content = arrow_csv.read_csv(
        pa.py_buffer(body),
        read_options=arrow_csv.ReadOptions(
            column_names=names, use_threads=False, block_size=1 << 26
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=keep_account,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string())),
            strings_can_be_null=False,
        ),
    )
    frame = pd.DataFrame(
        {name: from_arrow(column) for name, column in zip(names, content.columns, strict=True)}
    )
    for name in names:
        words = words_of(frame[name])
        long = words.str.contains("\n", regex=False)
        _check_quotes(words[long], len(names), delimiter, where)
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
