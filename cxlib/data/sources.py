"""Files in, rows of text out: nothing is typed, guessed or lost here."""

from __future__ import annotations

import csv
import glob
import gzip
import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from cxlib.errors import InputError, closest
from cxlib.workbook import TableSpec

DELIMITERS = (",", ";", "\t", "|")
_BLANKS = r"\s+"


@dataclass(frozen=True)
class Rows:
    """Rows as the source wrote them.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a record, every cell text, an empty cell ``""``.
    file : ndarray of str
        File of each row.
    row : ndarray of int
        Row number in the file; the header is row 1.
    broken : ndarray of bool
        Records whose number of fields is not the header's; their cells are empty.
    """

    frame: pd.DataFrame
    file: NDArray[Any]
    row: NDArray[np.int64]
    broken: NDArray[np.bool_]


def find_files(spec: TableSpec, folder: Path, table: str) -> list[Path]:
    """Resolve a source to files.

    Parameters
    ----------
    spec : TableSpec
        Its ``source`` is a path or a glob relative to ``folder``.
    folder : pathlib.Path
        Folder of the workbook.
    table : str
        Name of the table, for the message.

    Returns
    -------
    list of pathlib.Path
        Sorted by name, at least one.

    Raises
    ------
    InputError
        When nothing is there.
    """
    pattern = str(folder / spec.source)
    files = sorted(Path(name) for name in glob.glob(pattern) if Path(name).is_file())
    if files:
        return files
    parent = Path(pattern).parent
    there = sorted(p.name for p in parent.iterdir()) if parent.is_dir() else []
    fix = closest(Path(pattern).name, there) if there else f"the folder '{parent}' does not exist"
    raise InputError(f"The source '{spec.source}' is not there.", f"table '{table}', {parent}", fix)


def hash_files(files: list[Path]) -> str:
    """Hash the content of a source.

    Parameters
    ----------
    files : list of pathlib.Path
        One or more files.

    Returns
    -------
    str
        SHA-256 of the file, or of names and hashes when there are several.
    """
    digests = []
    for file in files:
        with file.open("rb") as handle:
            digests.append(hashlib.file_digest(handle, "sha256").hexdigest())
    if len(files) == 1:
        return digests[0]
    lines = "\n".join(f"{file.name} {digest}" for file, digest in zip(files, digests, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest()


def read_rows(files: list[Path], spec: TableSpec, table: str) -> Rows:
    """Read files that share one header.

    Parameters
    ----------
    files : list of pathlib.Path
        CSV or TSV (also gzipped), Parquet or Excel, told by the file name.
    spec : TableSpec
        Encoding, delimiter, header, sheet.
    table : str
        Name of the table, for messages.

    Returns
    -------
    Rows
        All records in file order.

    Raises
    ------
    InputError
        When a file is empty, cannot be decoded, or has another header than the first.
    """
    parts = [_read_file(file, spec, table) for file in files]
    header = list(parts[0].frame.columns)
    for file, part in zip(files, parts, strict=True):
        other = set(part.frame.columns) ^ set(header)
        if other:
            raise InputError(
                f"The files of one source have different columns: {sorted(other)[:6]}.",
                f"table '{table}', {files[0].name} and {file.name}",
                "export them with one header, or map them as separate workbooks",
            )
    return Rows(
        pd.concat([part.frame for part in parts], ignore_index=True),
        np.concatenate([part.file for part in parts]),
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.broken for part in parts]),
    )


def _read_file(file: Path, spec: TableSpec, table: str) -> Rows:
    name = file.name.lower().removesuffix(".gz")
    where = f"{file.name}, table '{table}'"
    broken: set[int] = set()
    try:
        if name.endswith((".parquet", ".pq")):
            frame = _read_parquet(file)
        elif name.endswith((".xlsx", ".xlsm")):
            frame = _read_excel(file, spec, where)
        else:
            frame, broken = _read_text(file, spec, where)
    except (OSError, pa.ArrowException, EOFError) as error:
        raise InputError(f"'{file.name}' cannot be read: {error}", where) from error
    if not len(frame.columns):
        raise InputError(f"'{file.name}' is empty.", where, "export it again with a header")
    if not len(frame) and not broken:
        raise InputError(f"'{file.name}' has a header but no rows.", where, "export it again")
    return _place(frame, broken, file.name, first=1 if spec.header else 2)


def _place(frame: pd.DataFrame, broken: set[int], name: str, *, first: int) -> Rows:
    """Put broken records back where they stood, so that row numbers hold and all are counted."""
    total = len(frame) + len(broken)
    is_broken = np.zeros(total, dtype=bool)
    is_broken[sorted(broken)] = True
    frame = frame.set_index(np.flatnonzero(~is_broken)).reindex(range(total), fill_value="")
    empty = (frame == "").all(axis=1).to_numpy() & ~is_broken  # an empty line is no record
    row = (np.arange(total) + first)[~empty]
    frame = frame[~empty].reset_index(drop=True)
    return Rows(frame, np.full(len(frame), name, dtype=object), row, is_broken[~empty])


def _read_parquet(file: Path) -> pd.DataFrame:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    content = pq.read_table(file)
    columns = {}
    for name, column in zip(content.column_names, content.columns, strict=True):
        if pa.types.is_floating(column.type):  # an id that passed through a float: 7.0 is "7"
            whole = pc.all(pc.equal(pc.floor(column), column)).as_py()
            column = column.cast(pa.int64()) if whole and len(column) else column
        columns[name] = column.cast(pa.string()).fill_null("").to_pandas()
    return pd.DataFrame(columns)


def _read_excel(file: Path, spec: TableSpec, where: str) -> pd.DataFrame:
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and validations it drops
            frame = pd.read_excel(
                file, sheet_name=spec.sheet or 0, dtype=object, na_filter=False, header=None
            )
    except ValueError as error:
        raise InputError(
            f"'{file.name}' cannot be read: {error}", where, "check 'sheet'"
        ) from error
    if not len(frame):
        return pd.DataFrame()
    text = frame.map(_cell_text)
    header = spec.header or list(text.iloc[0])
    body = text if spec.header else text.iloc[1:]
    return body.set_axis(header, axis=1).reset_index(drop=True)


def _cell_text(value: Any) -> str:
    if value is None or value is pd.NaT:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _read_text(file: Path, spec: TableSpec, where: str) -> tuple[pd.DataFrame, set[int]]:
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    text = _decode(data, spec.encoding, where)
    if not text.strip():
        return pd.DataFrame(), set()
    delimiter = spec.delimiter if spec.delimiter else _sniff(text)
    if delimiter == _BLANKS:
        text = re.sub(r"[^\S\n]+", "\t", re.sub(r"(?m)^[^\S\n]+|[^\S\n]+$", "", text))
        delimiter = "\t"
    if len(delimiter) != 1:
        raise InputError(
            f"The delimiter '{delimiter}' is not supported.",
            where,
            r'use one character, or "\\s+" for runs of blanks',
        )
    return _parse(text, delimiter, spec.header, where)


def _decode(data: bytes, encoding: str, where: str) -> str:
    name = "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding
    try:
        return data.decode(name)
    except LookupError as error:
        raise InputError(f"The encoding '{encoding}' is unknown.", where) from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            f"The file is not {encoding}: byte {data[error.start : error.start + 1]!r} "
            f"in line {line} cannot be decoded.",
            where,
            f"set 'encoding:' for this table; {_fitting(data)} can decode all of it",
        ) from error


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
        widths = [len(fields) for fields in csv.reader(sample, delimiter=delimiter) if fields]
        same = sum(width == widths[0] for width in widths) / len(widths)
        return widths[0] > 1, same, widths[0]

    return max(DELIMITERS, key=score)


def _parse(
    text: str, delimiter: str, header: list[str] | None, where: str
) -> tuple[pd.DataFrame, set[int]]:
    from pyarrow import csv as arrow_csv

    names = header or next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(f"The header names {sorted(twice)} twice.", where, "rename one of them")
    broken: set[int] = set()
    offset = 1 if header else 2

    def keep_account(record: Any) -> str:
        broken.add(record.number - offset)
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
    return content.to_pandas(), broken
