"""Tables of an engine in, rows of text out, as if they had been exported."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cxlib.data import words
from cxlib.data.sources import Rows
from cxlib.engine import Engine
from cxlib.errors import InputError, closest
from cxlib.schema import TABLES
from cxlib.workbook import TableSpec, Workbook

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt
    import ibis.expr.types as ir

_BATCH = 100_000
_EXTRAS = {"postgres": "postgres", "pyspark": "spark"}
_CONNECT_SECONDS = "10"


class Source:
    """The engine that a workbook's tables are read from, connected when it is first asked.

    Parameters
    ----------
    book : Workbook
        The workbook.
    engine : Engine
        Its engine.
    """

    def __init__(self, book: Workbook, engine: Engine) -> None:
        self.engine = engine
        self.where = f"{book.file}, engine"
        self._folder = book.folder
        self._con: Any = None
        self._close: Callable[[], None] = lambda: None
        self._error: InputError | None = None

    @property
    def con(self) -> Any:
        """The Ibis connection; a failure is told again without another attempt."""
        if self._error is not None:
            raise self._error
        if self._con is None:
            try:
                self._con, self._close = self._connect()
            except InputError as error:
                self._error = error
                raise
        return self._con

    def close(self) -> None:
        """Close the connection, if there is one."""
        self._close()

    def hide(self, error: Exception) -> str:
        """Return what a driver said, without secrets.

        Parameters
        ----------
        error : Exception
            Of the driver.

        Returns
        -------
        str
            One line.
        """
        return self.engine.hide(str(error))

    def _connect(self) -> tuple[Any, Callable[[], None]]:
        kind, filled = self.engine.kind, self.engine.fill_in(self.where)
        connect = {"duckdb": _duckdb, "postgres": _postgres, "pyspark": _spark}[kind]
        try:
            return connect(filled, self._folder)
        except InputError:
            raise
        except ImportError:
            problem = f"The driver of '{kind}' is not installed."
            fix = f"pip install 'cxlib[{_EXTRAS.get(kind, kind)}]'"
            raise InputError(problem, self.where, fix) from None
        except Exception as error:  # each driver has its own, whose chain may hold secrets
            problem = f"'{kind}' cannot be opened: {self.hide(error)}"
            raise InputError(problem, self.where, _hint(kind)) from None


def _hint(kind: str) -> str:
    return {
        "duckdb": "check the path, and that no other program has the file open for writing",
        "postgres": "check host, port, database, user and password, and that the server runs",
        "pyspark": "check Spark's settings, and that Java 17 or later is installed",
    }[kind]


def _duckdb(engine: Engine, folder: Path) -> tuple[Any, Callable[[], None]]:
    import ibis

    path = folder / engine.parts["path"]
    if not os.path.isfile(path):  # Path.is_file raises when a name is too long
        there = sorted(other.name for other in path.parent.glob("*") if other.is_file())
        problem = f"The DuckDB file '{engine.parts['path']}' is not there."
        raise InputError(problem, str(path.parent), closest(path.name, there))
    # nothing is fetched at run time, whatever the file may ask for
    con = ibis.duckdb.connect(
        path,
        read_only=True,
        autoinstall_known_extensions=False,
        autoload_known_extensions=False,
    )
    return con, con.disconnect


def _postgres(engine: Engine, folder: Path) -> tuple[Any, Callable[[], None]]:
    import ibis

    # every part ibis.connect would take from a URL, but a password may hold any character
    settings: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS, **engine.parts}
    con = ibis.postgres.connect(**settings | dict(engine.options))
    with con.begin() as cursor:
        cursor.execute("SET DateStyle = ISO")
    return con, con.disconnect


def _spark(engine: Engine, folder: Path) -> tuple[Any, Callable[[], None]]:
    import ibis
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    settings = dict(engine.options)
    if engine.parts["path"]:
        settings["spark.sql.warehouse.dir"] = str(folder / engine.parts["path"])
    builder = SparkSession.builder
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    # a session of our own: a notebook that has one keeps its settings
    con = ibis.pyspark.connect(session.newSession())
    return con, (lambda: None) if running else session.stop


def read_engine_rows(source: Source, spec: TableSpec, table: str) -> tuple[Rows, str]:
    """Read a table of an engine.

    Parameters
    ----------
    source : Source
        The engine.
    spec : TableSpec
        Its ``source`` names the table, with its schema when it needs one.
    table : str
        Name of the table in the contract.

    Returns
    -------
    Rows
        All rows as text, with the kind of the columns that are typed.
    str
        SHA-256 of all their cells.

    Raises
    ------
    InputError
        When there is no such table, it may not be read, or it is empty.

    Notes
    -----
    A table has no order. Rows are sorted by the columns that make a row unique, then by the other
    columns of the contract, then by the rest; numbers by value, everything else by code point,
    empty last. Instants come in UTC.
    """
    where = f"{spec.source}, table '{table}'"
    found = _find_table(source, spec.source, where)
    try:
        cells = _fetch(found)
        instants = _instants(source, found)
    except Exception as error:
        problem = f"'{spec.source}' cannot be read: {source.hide(error)}"
        raise InputError(problem, where, "check that the user may read it") from None
    if not cells.num_rows:
        raise InputError(f"'{spec.source}' has no rows.", where, "check which table is meant")
    order = _order(cells.column_names, spec, table)
    cells = cells.sort_by([(name, "ascending") for name in order])
    typed = _kinds(found.schema())
    frame = pd.DataFrame(
        {name: _text(cells[name], typed.get(name), name in instants) for name in cells.column_names}
    )
    rows = Rows(
        frame,
        words.repeat(spec.source, len(frame)),
        np.arange(1, len(frame) + 1),
        np.zeros(len(frame), dtype=bool),
        typed,
    )
    return rows, _hash(frame, typed)


def _find_table(source: Source, name: str, where: str) -> ir.Table:
    *database, own = name.split(".")
    place = {"database": tuple(database) if len(database) > 1 else database[0]} if database else {}
    con = source.con
    try:
        return con.table(own, **place)
    except Exception as error:  # each engine has its own for a schema that is not there
        fix = _closest_table(con, own, place)
        if not fix:
            problem = f"'{name}' cannot be read: {source.hide(error)}"
            raise InputError(problem, where, "write TABLE or SCHEMA.TABLE") from None
    raise InputError(
        f"There is no table '{name}' in '{source.engine.kind}'.",
        f"{where}, {source.where}",
        f"{fix} (a file is written with its folder: './{name}')",
    )


def _closest_table(con: Any, own: str, place: dict[str, Any]) -> str:
    """Suggest a schema or table; nothing when the engine cannot tell what it has, or has it."""
    hidden = ("information_schema", "pg_")
    schema = place.get("database")
    try:
        schemas = sorted(s for s in con.list_databases() if not s.startswith(hidden))
        if isinstance(schema, str) and schema not in schemas:
            return f"there is no schema '{schema}'; {closest(schema, schemas)}"
        tables = sorted(con.list_tables(**place))
    except Exception:
        return ""
    return "" if own in tables else closest(own, tables)


def _fetch(table: ir.Table) -> pa.Table:
    """Fetch all rows in batches; what is neither text nor number is written by the engine."""
    columns = [_plain(table[name]).name(name) for name in table.columns]
    return table.select(columns).to_pyarrow_batches(chunk_size=_BATCH).read_all()


def _plain(column: ir.Value) -> ir.Value:
    kind = column.type()
    if kind.is_integer() or kind.is_floating():
        return column
    if kind.is_string():
        return column + ""  # DuckDB hands an enum back as text only after an operation
    # infinity, far years and large decimals have no Python value
    return column.cast("string")


def _kinds(schema: Iterable[tuple[str, dt.DataType]]) -> dict[str, str]:
    """Tell which columns are typed, and so know no format, zone or words for true and false."""
    return {name: kind for name, type_ in dict(schema).items() if (kind := _kind(type_))}


def _kind(type_: dt.DataType) -> str:
    if type_.is_date() or type_.is_timestamp():
        return "moment"
    if type_.is_boolean():
        return "boolean"
    return "number" if type_.is_numeric() else ""


def _instants(source: Source, table: ir.Table) -> set[str]:
    """Name columns of instants that the engine writes without their zone."""
    if source.engine.kind != "pyspark":
        return set()
    fields = source.con.raw_sql(source.con.compile(table.limit(0))).schema.fields
    return {field.name for field in fields if field.dataType.typeName() == "timestamp"}


def _text(column: pa.ChunkedArray, kind: str | None, is_instant: bool) -> pd.Series:
    text = words.arrow_text(column)
    if kind == "moment" and is_instant:
        return words.change_words(text, lambda w: w.mask(w != "", w + "Z"))
    if kind == "moment" and words.words_of(text).str.fullmatch(r"(\S* 00:00:00)?").all():
        # calendar dates, which no zone may shift
        return words.change_words(text, lambda w: w.str.slice(0, -9))
    if kind == "number" and pa.types.is_string(column.type):  # decimals: 12.50 is 12.5
        bare = r"^(-?\d+)(?:\.0+|(\.\d*[1-9])0+)$"
        return words.change_words(text, lambda w: w.str.replace(bare, r"\1\2", regex=True))
    return text


def _order(header: list[str], spec: TableSpec, table: str) -> list[str]:
    contract = TABLES[table]
    mapped = {name: source.column for name, source in spec.columns.items()}
    mapped |= {"respondent_id": spec.respondent_id} if spec.respondent_id else {}
    wanted = [*contract.unique, *(column.name for column in contract.columns)]
    named = [mapped.get(name, name) for name in wanted]
    return list(dict.fromkeys([*(n for n in named if n in header), *sorted(header)]))


def _hash(frame: pd.DataFrame, typed: dict[str, str]) -> str:
    """Hash types, and every cell with its length, so that no two different tables look alike."""
    digest = hashlib.sha256(repr(sorted(typed.items())).encode())
    for name in frame.columns:
        cells = frame[name].astype(object)
        lengths = cells.str.len().to_numpy(dtype="<i8")
        for part in (name.encode(), lengths.tobytes(), "".join(cells).encode()):
            digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()
