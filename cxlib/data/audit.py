"""Audit a workbook once and keep the result: content-addressed Parquet with its ledger."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import cxlib
from cxlib.data import words
from cxlib.data.engines import Source, read_engine_rows
from cxlib.data.ledger import LedgerEntry
from cxlib.data.sources import find_files, hash_files, read_rows
from cxlib.data.tables import read_table
from cxlib.engine import is_file
from cxlib.errors import InputError
from cxlib.files import whole_file
from cxlib.workbook import TableSpec, Workbook

_PIN = "audited.json"


@dataclass(frozen=True)
class AuditedTable:
    """An audited table on disk and its ledger entry."""

    path: Path
    entry: LedgerEntry


def audit_workbook(book: Workbook) -> dict[str, AuditedTable]:
    """Read and audit every table of a workbook.

    Parameters
    ----------
    book : Workbook
        The workbook.

    Returns
    -------
    dict of str to AuditedTable
        By table name, in the workbook's order. Each Parquet file holds the kept rows with
        ``_row``, the order of the source; missing text is null.

    Raises
    ------
    InputError
        With a block for every table that is unusable. In the kernel of a run, when the settings
        or a source that is not kept any more have changed since the run was planned.
    """
    audited: dict[str, AuditedTable] = {}
    errors = []
    pinned = _read_pin(book)
    items_first = sorted(book.tables, key=lambda name: name != "items")
    engine = book.tables_engine
    source = Source(book, engine) if engine else None
    try:
        for name in items_first:
            try:
                items = audited.get("items") if name == "answers" else None
                audited[name] = _audit_table(name, book, items, source, pinned.get(name, ""))
            except InputError as error:
                errors += [error] if error not in errors else []  # one for all its tables
    finally:
        if source:
            source.close()
    if errors:
        raise InputError.join(errors)
    return {name: audited[name] for name in book.tables}


def _audit_table(
    name: str, book: Workbook, items: AuditedTable | None, source: Source | None, pinned: str
) -> AuditedTable:
    spec = book.tables[name]

    def find(content: str) -> tuple[Path, AuditedTable | None]:
        """Find the file of the audited table, which is named by all it depends on."""
        key = _key(name, book, content, "" if items is None else items.path.stem)
        path = cache_folder() / f"{name}-{key}.parquet"
        return path, _find_kept(path)

    kept = find(pinned)[1] if pinned else None
    if kept:
        return kept
    rows = None
    if source is None or is_file(spec.source):
        files = find_files(spec, book.folder, name)
        sha256 = _hash_source(files, spec)
    else:  # what tells whether a table has changed is reading it
        rows, sha256 = read_engine_rows(source, spec, name)
    if pinned and sha256 != pinned:
        problem = f"The source of '{name}' changed while the run was under way."
        raise InputError(problem, f"{spec.source}, table '{name}'", "run it again")
    path, kept = find(sha256)
    if kept:
        return kept
    scales = None if items is None else pd.read_parquet(items.path)
    if scales is not None and "role" in scales.columns:
        scales = scales.assign(role=scales["role"].fillna(""))
    rows = rows or read_rows(files, spec, name)
    parts, entry = read_table(name, book, rows, sha256, scales)
    try:
        with whole_file(path) as file:
            _write(parts, file)
        with whole_file(path.with_suffix(".json")) as part:
            part.write_text(json.dumps(entry.as_dict(), ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        said = os.strerror(error.errno) if error.errno else str(error)
        fix = "make room there, or name another folder in the environment variable CX_CACHE"
        raise InputError(
            f"The audited table '{name}' cannot be kept: {said}.", str(path.parent), fix
        ) from error
    return AuditedTable(path, entry)


def _hash_source(files: list[Path], spec: TableSpec) -> str:
    """Hash a source; which file a pattern has found is part of it."""
    sha256 = hash_files(files)
    if len(files) > 1 or files[0].name == Path(spec.source).name:
        return sha256
    return hashlib.sha256(f"{files[0].name} {sha256}".encode()).hexdigest()


def _find_kept(path: Path) -> AuditedTable | None:
    ledger = path.with_suffix(".json")
    if path.exists() and ledger.exists():
        try:
            kept = json.loads(ledger.read_text("utf-8"))
            return AuditedTable(path, LedgerEntry.from_dict(kept))
        except (ValueError, TypeError, KeyError):
            ledger.unlink()  # not what was written there: read again
    return None


def pin_audit(folder: Path, book: Workbook, entries: Iterable[LedgerEntry]) -> Path:
    """Let the kernel of a run use what the run was planned on, whatever the source holds by then.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the run, ``CX_RUN_DIR`` of its kernel.
    book : Workbook
        The workbook of the run.
    entries : iterable of LedgerEntry
        What the audit found.

    Returns
    -------
    pathlib.Path
        The file written, to be removed when the run is over.
    """
    pin = folder / _PIN
    hashes = {entry.table: entry.sha256 for entry in entries}
    content = {"workbook": str(book.file), "settings": _hash_settings(book), "sha256": hashes}
    pin.write_text(json.dumps(content), encoding="utf-8")
    return pin


def _read_pin(book: Workbook) -> dict[str, str]:
    """Read the hash of each table that the run was planned on, if this is the kernel of a run."""
    folder = os.environ.get("CX_RUN_DIR")
    if not folder or not (Path(folder) / _PIN).exists():
        return {}
    pin = json.loads((Path(folder) / _PIN).read_text("utf-8"))
    if pin["workbook"] != str(book.file):
        return {}
    if pin["settings"] != _hash_settings(book):
        problem = "The workbook changed while the run was under way."
        raise InputError(problem, str(book.file), "run it again")
    return dict(pin["sha256"])


def _hash_settings(book: Workbook) -> str:
    return hashlib.sha256(book.model_dump_json().encode()).hexdigest()


def _key(name: str, book: Workbook, content: str, items: str) -> str:
    spec = book.tables[name].model_dump(mode="json")
    parts = [name, spec, book.engine, book.as_of.isoformat(), content, items, _code_hash()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _code_hash() -> str:
    """Hash the code that reads, so that a mended reader never serves an old reading."""
    package = Path(cxlib.__file__).parent
    files = [package / "schema.py", *sorted((package / "data").glob("*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def cache_folder() -> Path:
    """Find the folder of audited tables.

    Returns
    -------
    pathlib.Path
        ``$CX_CACHE``, else ``cxlib`` in the user's cache folder, else a temporary one.
    """
    if os.environ.get("CX_CACHE"):
        wanted = Path(os.environ["CX_CACHE"])
    else:
        wanted = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cxlib"
    try:
        wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
        tempfile.TemporaryFile(dir=wanted).close()
    except OSError:
        user = os.getuid() if hasattr(os, "getuid") else "user"
        wanted = Path(tempfile.gettempdir()) / f"cxlib-{user}"
        wanted.mkdir(exist_ok=True, mode=0o700)
    return wanted


def _write(parts: Iterable[pd.DataFrame], path: Path) -> None:
    """Write a table part by part, each a row group; text is a column of text to every reader."""
    n, writer = 0, None
    try:
        for part in parts:
            content = _to_arrow(part, n)
            writer = writer or pq.ParquetWriter(path, content.schema, store_schema=False)
            writer.write_table(content)
            n += len(part)
    finally:
        if writer:
            writer.close()


def _to_arrow(part: pd.DataFrame, first: int) -> pa.Table:
    columns: dict[str, pa.Array] = {}
    for name in part.columns:
        column = part[name]
        is_text = isinstance(column.dtype, pd.CategoricalDtype)
        columns[name] = words.to_arrow(column) if is_text else pa.Array.from_pandas(column)
    columns["_row"] = pa.array(np.arange(first, first + len(part)))
    return pa.table(columns)
