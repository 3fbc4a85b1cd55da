"""Files in, rows of text out: nothing is typed, guessed or lost here."""

from __future__ import annotations

import datetime
import glob
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from cxlib.data import words
from cxlib.data.delimited import read_text
from cxlib.data.headers import name_columns, read_header, refuse_header_rows
from cxlib.data.spss import read_spss
from cxlib.errors import InputError, closest
from cxlib.workbook import TableSpec


@dataclass(frozen=True)
class Rows:
    """Rows as the source wrote them.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a record, every column encoded text (:mod:`cxlib.data.words`).
    file : pandas.Series of category
        File of each row.
    row : ndarray of int
        Row number in the file; the header is row 1.
    broken : ndarray of bool
        Records whose number of fields is not the header's; their cells are empty.
    typed : mapping of str to {"number", "moment", "boolean"}
        Columns that an engine has typed: their text is ISO 8601, has a decimal point, or is true
        or false, whatever the workbook says of text.
    """

    frame: pd.DataFrame
    file: pd.Series
    row: NDArray[np.int64]
    broken: NDArray[np.bool_]
    typed: Mapping[str, str] = field(default_factory=dict)


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
    path = folder / spec.source
    found = glob.glob(spec.source, root_dir=folder)
    # Path.is_file raises when a name is too long
    files = [path] if os.path.isfile(path) else sorted(folder / name for name in found)
    files = [file for file in files if os.path.isfile(file)]
    if files:
        return files
    parent = path.parent
    try:
        there = sorted(other.name for other in parent.iterdir() if other.is_file())
    except OSError:
        there = []
    fix = closest(path.name, there) if there else f"there is no file in '{parent}'"
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

    Raises
    ------
    InputError
        When a file may not be read.
    """
    digests = []
    for file in files:
        try:
            with file.open("rb") as handle:
                digests.append(hashlib.file_digest(handle, "sha256").hexdigest())
        except OSError as error:
            raise InputError(
                f"'{file.name}' cannot be read: {error.strerror}.", str(file)
            ) from error
    if len(files) == 1:
        return digests[0]
    lines = "\n".join(f"{file.name} {digest}" for file, digest in zip(files, digests, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest()


def read_rows(files: list[Path], spec: TableSpec, table: str) -> Rows:
    """Read files that share one header.

    Parameters
    ----------
    files : list of pathlib.Path
        CSV or TSV (also gzipped), Parquet, Excel or SPSS, told by the file name.
    spec : TableSpec
        Encoding, delimiter, header rows, sheet.
    table : str
        Name of the table, for messages.

    Returns
    -------
    Rows
        All records in file order.

    Raises
    ------
    InputError
        When a file is empty, cannot be decoded, has another header than the first, or begins with
        header rows that the workbook does not declare.
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
    if not sum(len(part.frame) for part in parts):
        where = f"{files[0].name}, table '{table}'"
        raise InputError(f"'{files[0].name}' has a header but no rows.", where, "export it again")
    return Rows(
        pd.DataFrame({name: words.join([part.frame[name] for part in parts]) for name in header}),
        words.join([part.file for part in parts]),
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.broken for part in parts]),
    )


def _read_file(file: Path, spec: TableSpec, table: str) -> Rows:
    name = file.name.lower()
    where = f"{file.name}, table '{table}'"
    broken: set[int] = set()
    first = 2
    if name.endswith((".zip", ".xls", ".json", ".pdf")):
        kind = Path(name).suffix
        fix = "save it as CSV, Parquet, .xlsx or .sav"
        raise InputError(f"Files that end in '{kind}' are not supported.", where, fix)
    try:
        if name.endswith((".parquet", ".pq")):
            frame = _read_parquet(file, where)
        elif name.endswith((".sav", ".zsav")):
            frame, first = read_spss(file, spec, where), 1
        else:
            if name.endswith((".xlsx", ".xlsm")):
                frame, first = _read_excel(file, spec, where)
            else:
                frame, broken, first = read_text(file, spec, where)
            refuse_header_rows(frame, first, spec, table, where)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"'{file.name}' cannot be read: {error}", where) from error
    if not len(frame.columns):
        raise InputError(f"'{file.name}' is empty.", where, "export it again with a header")
    return _place(frame, broken, file.name, first=first)


def _place(frame: pd.DataFrame, broken: set[int], name: str, *, first: int) -> Rows:
    """Put broken records back where they stood, so that row numbers hold and all are counted."""
    total = len(frame) + len(broken)
    is_broken = np.zeros(total, dtype=bool)
    is_broken[sorted(broken)] = True
    columns = {name: frame[name] for name in frame.columns}
    if broken:
        places = np.where(is_broken, -1, np.cumsum(~is_broken) - 1)
        columns = {name: words.place_cells(column, places) for name, column in columns.items()}
    empty = ~is_broken  # an empty line is no record
    for column in columns.values():
        if not empty.any():
            break
        empty &= ~words.is_filled(column)
    frame, row = pd.DataFrame(columns), np.arange(first, first + total)
    if empty.any():
        frame, row = frame[~empty].reset_index(drop=True), row[~empty]
        is_broken = is_broken[~empty]
    return Rows(frame, words.repeat(name, len(row)), row, is_broken)


def _read_parquet(file: Path, where: str) -> pd.DataFrame:
    import pyarrow.parquet as pq

    schema = pq.read_schema(file)
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    content = pq.read_table(file, read_dictionary=texts)
    names = name_columns(content.column_names, where)
    columns = {name: words.arrow_text(c) for name, c in zip(names, content.columns, strict=True)}
    return pd.DataFrame(columns)


def _read_excel(file: Path, spec: TableSpec, where: str) -> tuple[pd.DataFrame, int]:
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and validations it drops
            with pd.ExcelFile(file) as book:
                sheet = _choose_sheet([str(name) for name in book.sheet_names], spec, where)
                cells = book.parse(sheet, dtype=object, na_filter=False, header=None)
    except InputError:
        raise
    except Exception as error:  # a damaged workbook fails in many ways
        fix = "check 'sheet', and that the file opens in a spreadsheet"
        raise InputError(f"'{file.name}' cannot be read: {error}", where, fix) from error
    text = cells.apply(_excel_text)
    filled = (text != "").any(axis=1).to_numpy() if len(text) else np.zeros(0, dtype=bool)
    if not filled.any():
        return pd.DataFrame(), 1
    start = int(filled.argmax())
    above = text.iloc[start : start + spec.header_rows].to_numpy().tolist()
    own = spec.header
    names = name_columns(own, where) if own else read_header(above, start + 1, where)
    if len(names) != text.shape[1]:
        problem = f"'header' names {len(names)} columns, the sheet has {text.shape[1]}."
        raise InputError(problem, where, "name every column")
    start += 0 if spec.header else len(above)
    columns = zip(names, text, strict=True)
    frame = pd.DataFrame({name: words.encode(text[place].iloc[start:]) for name, place in columns})
    return frame, start + 1


def _choose_sheet(sheets: list[str], spec: TableSpec, where: str) -> str:
    if spec.sheet in sheets:
        return str(spec.sheet)
    if spec.sheet is None and len(sheets) == 1:
        return sheets[0]
    if spec.sheet is None:
        raise InputError(f"The workbook has {len(sheets)} sheets: {sheets}.", where, "set 'sheet'")
    raise InputError(f"There is no sheet '{spec.sheet}'.", where, closest(spec.sheet, sheets))


def _excel_text(column: pd.Series) -> pd.Series:
    stamps = [value for value in column if isinstance(value, datetime.datetime)]
    dates = all(value.time() == datetime.time() for value in stamps)

    def write(value: Any) -> str:
        """Write one cell."""
        if value is None or (isinstance(value, float) and value != value) or value is pd.NaT:
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        if isinstance(value, datetime.datetime) and dates:  # days, which no zone may shift
            return value.date().isoformat()
        return value.isoformat() if hasattr(value, "isoformat") else str(value)

    return column.map(write).astype(object)
