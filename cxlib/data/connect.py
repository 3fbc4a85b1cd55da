"""Open a workbook for a notebook: audited tables on an in-memory engine, cut as asked."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlib.data.audit import AuditedTable, audit_workbook
from cxlib.data.clock import end_of_day
from cxlib.data.ledger import ledger_frame
from cxlib.errors import InputError, TooLittleData, closest
from cxlib.schema import TABLES
from cxlib.workbook import Workbook, read_workbook

if TYPE_CHECKING:
    import ibis.expr.types as ir

_PLACE = ("stage", "channel", "department")
CUT_BY_PERIOD = ("events", "answers", "comments")


class Tables:
    """The audited tables of a workbook, as attributes.

    Each is an Ibis table on an in-memory DuckDB. Every table with ``customer_id`` has a text
    column ``segment`` when ``segment_by`` was given.

    Parameters
    ----------
    book : Workbook
        The workbook.
    audited : mapping of str to AuditedTable
        Its audited tables.
    expressions : mapping of str to ibis Table
        The tables as cut.
    empty : mapping of str to str
        Tables in which the cut leaves no row, with the reason.
    uncut : collection of str, default ()
        Tables that cannot be cut as asked, because they do not say when.
    """

    def __init__(
        self,
        book: Workbook,
        audited: Mapping[str, AuditedTable],
        expressions: Mapping[str, ir.Table],
        empty: Mapping[str, str],
        uncut: Collection[str] = (),
    ) -> None:
        self.book = book
        self.entries = [table.entry for table in audited.values()]
        self._expressions = dict(expressions)
        self._empty = dict(empty)
        self._uncut = set(uncut)

    def __getattr__(self, name: str) -> ir.Table:
        if name.startswith("_") or name not in TABLES:
            raise AttributeError(f"there is no table '{name}'; {closest(name, TABLES)}")
        self.require(name)
        table = self._expressions[name]
        return table if name == "events" else table.drop("_row")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._expressions]

    @property
    def name(self) -> str:
        """Name of the company, from ``cx.yml``."""
        return self.book.name

    @property
    def as_of(self) -> datetime.date:
        """Last day used, included."""
        return self.book.as_of

    @property
    def names(self) -> list[str]:
        """Tables that hold rows, in the workbook's order."""
        return [name for name in self.book.tables if name not in self._empty]

    @property
    def stages(self) -> list[str]:
        """Lifecycle stages in order."""
        return list(self.book.stages)

    @property
    def ledger(self) -> pd.DataFrame:
        """Rows in, kept, changed and refused by table and rule."""
        return ledger_frame(self.entries)

    def has(self, name: str) -> bool:
        """Tell whether the workbook maps a table.

        Parameters
        ----------
        name : str
            A table of the contract.

        Returns
        -------
        bool
            True when it is there.
        """
        return name in self._expressions

    def require(self, *names: str) -> None:
        """Refuse to go on without some tables.

        Parameters
        ----------
        *names : str
            Tables of the contract.

        Raises
        ------
        InputError
            When one is not mapped, or does not say when while a period was asked for.
        TooLittleData
            When the cut leaves one without a row.
        """
        for name in names:
            if name not in self._expressions:
                row = f" (one row is {TABLES[name].row})" if name in TABLES else ""
                raise InputError(
                    f"This workbook has no table '{name}'.",
                    f"{self.book.file}, tables: {list(self._expressions)}",
                    f"map '{name}'{row}; see 'cx check --contract'",
                )
            if name in self._uncut:
                raise InputError(
                    f"A period cannot be cut out of '{name}': its column '{TABLES[name].until}' "
                    "is not mapped.",
                    f"parameters 'period_start' and 'period_end', {self.book.file}",
                    f"map '{TABLES[name].until}', or leave both empty",
                )
            if name in self._empty:
                raise TooLittleData(self._empty[name])

    def frame(self, name: str) -> pd.DataFrame:
        """Fetch a table as pandas, in the order of its source.

        Parameters
        ----------
        name : str
            A table of the contract.

        Returns
        -------
        pandas.DataFrame
            Its rows.
        """
        self.require(name)
        frame = self._expressions[name].to_pandas()
        return frame.sort_values("_row", ignore_index=True).drop(columns="_row")


def open_engine() -> Any:
    """Open an embedded engine in memory.

    Returns
    -------
    ibis backend
        DuckDB that fetches nothing at run time, whatever a file may ask for, and writes what does
        not fit into memory to the system's folder for temporary files.
    """
    import tempfile

    import ibis

    con = ibis.duckdb.connect()
    con.raw_sql("SET autoinstall_known_extensions = false")
    con.raw_sql("SET autoload_known_extensions = false")
    folder = tempfile.gettempdir().replace("'", "''")
    con.raw_sql(f"SET temp_directory = '{folder}/cxlib-duckdb'")
    con.raw_sql("SET preserve_insertion_order = false")  # rows are sorted where order matters
    return con


def open_workbook(
    workbook: str,
    *,
    segment_by: str = "",
    segment: str = "",
    period_start: str = "",
    period_end: str = "",
) -> Tables:
    """Audit a workbook (or take the kept audit) and open its tables.

    Parameters
    ----------
    workbook : str
        Path of a ``cx.yml``, or ``"samples"``.
    segment_by : str, default ""
        Column of ``customers``, or of ``events`` where it is constant within a journey, or of
        ``lifetimes``.
    segment : str, default ""
        Keep only this value of ``segment_by``.
    period_start, period_end : str, default ""
        First and last day (ISO dates) of events, answers and comments; empty = no bound.

    Returns
    -------
    Tables
        The audited tables.

    Raises
    ------
    InputError
        When the workbook or a parameter is unusable.

    Notes
    -----
    A table in which the cut leaves no row raises `TooLittleData` when it is asked for, and one
    that a period cannot cut, because it does not say when, `InputError`. Days of the period are
    days of the table's own timezone.
    """
    book = read_workbook(workbook)
    audited = audit_workbook(book)
    con = open_engine()
    views = {name: con.read_parquet(table.path, table_name=name) for name, table in audited.items()}
    if "events" in views and "touchpoints" in views:
        views["events"] = _fill_places(views["events"], views["touchpoints"])
    views = _add_segment(views, segment_by)
    if segment:
        views = _keep_segment(views, segment_by, segment)
    days = _day(period_start, "period_start"), _day(period_end, "period_end")
    views, uncut = _keep_period(views, book, *days)
    return Tables(book, audited, views, _find_empty(views, segment, *days), uncut)


def _fill_places(events: ir.Table, touchpoints: ir.Table) -> ir.Table:
    """Take stage, channel and department from ``touchpoints`` where an event has none."""
    import ibis

    known = [name for name in _PLACE if name in touchpoints.columns]
    if not known:
        return events
    places = touchpoints.select("touchpoint", **{f"_{name}": touchpoints[name] for name in known})
    joined = events.left_join(places, "touchpoint")
    own = [name for name in events.columns if name not in known]
    filled = {
        name: ibis.coalesce(joined[name], joined[f"_{name}"])
        if name in events.columns
        else joined[f"_{name}"]
        for name in known
    }
    return joined.select(*own, **filled)


def segment_columns(views: Mapping[str, Any]) -> dict[str, str]:
    """List the columns that may split the customers.

    Parameters
    ----------
    views : mapping of str to ibis Table
        The tables.

    Returns
    -------
    dict of str to str
        Table that holds the column, by column name.
    """
    found: dict[str, str] = {}
    for table in ("customers", "events", "lifetimes"):
        if table in views:
            keys = {"customer_id", "timestamp", "touchpoint", "event_id", "journey_id", "_row"}
            for name in views[table].columns:
                if name not in keys:
                    found.setdefault(name, table)
    return found


def _add_segment(views: dict[str, Any], segment_by: str) -> dict[str, Any]:
    if not segment_by:
        return views
    options = segment_columns(views)
    if segment_by not in options:
        raise InputError(
            f"There is no column '{segment_by}' to split by.",
            "parameter 'segment_by', columns of customers, events and lifetimes",
            closest(segment_by, options),
        )
    holder = views[options[segment_by]]
    if options[segment_by] != "customers":
        table = options[segment_by]
        if table == "events":
            _check_constant(holder, segment_by)
        label = holder[segment_by].cast("string")
        return {**views, table: _without_segment(holder.mutate(_label=label))}
    labels = holder.select("customer_id", _label=holder[segment_by].cast("string"))
    split = dict(views)
    for name, view in views.items():
        if "customer_id" in view.columns and name != "identities":
            joined = view.left_join(labels, "customer_id").select(*view.columns, "_label")
            split[name] = _without_segment(joined)
    return split


def _without_segment(view: ir.Table) -> ir.Table:
    """Call the label ``segment``, in place of an attribute of that name in any spelling."""
    own = [name for name in view.columns if name.lower() != "segment" and name != "_label"]
    return view.select(*own, segment=view["_label"])


def _check_constant(events: ir.Table, column: str) -> None:
    """Refuse a column that changes within a journey the source has numbered."""
    if "journey_id" not in events.columns:
        return  # journeys are cut later, and checked there
    keys = ["customer_id", "journey_id"]
    mixed = events.group_by(keys).agg(n=events[column].nunique()).filter(lambda t: t.n > 1)
    n = mixed.count().execute()
    if n:
        raise InputError(
            f"'{column}' is not constant: {n} journeys have more than one value.",
            "parameter 'segment_by', table 'events'",
            "split by a column of customers, or by one that is constant within a journey",
        )


def _keep_segment(views: dict[str, Any], segment_by: str, segment: str) -> dict[str, Any]:
    if not segment_by:
        raise InputError(
            f"A segment ('{segment}') needs a column.", "parameter 'segment'", "give 'segment_by'"
        )
    split = {name: view for name, view in views.items() if "segment" in view.columns}
    values: set[str] = set()
    for view in split.values():
        values |= set(view.select("segment").distinct().to_pandas()["segment"].dropna())
    if segment not in values:
        raise InputError(
            f"There is no segment '{segment}' in '{segment_by}'.",
            "parameter 'segment'",
            closest(segment, sorted(values)),
        )
    return {**views, **{n: view.filter(view.segment == segment) for n, view in split.items()}}


def _day(text: str, parameter: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InputError(
            f"'{text}' is not a day.", f"parameter '{parameter}'", "write YYYY-MM-DD"
        ) from error


def _keep_period(
    views: dict[str, Any], book: Workbook, start: datetime.date | None, end: datetime.date | None
) -> tuple[dict[str, Any], list[str]]:
    if start and end and start > end:
        raise InputError(
            f"The period ends ({end}) before it starts ({start}).",
            "parameters 'period_start' and 'period_end'",
            "swap them",
        )
    cut, uncut = dict(views), []
    for name in [name for name in CUT_BY_PERIOD if name in views and (start or end)]:
        column = TABLES[name].until
        if column not in views[name].columns:
            uncut.append(name)
            continue
        view, zone = views[name], _zone_of(views[name], book, name, column)
        if start:
            before = start - datetime.timedelta(days=1)
            view = view.filter(view[column] >= pd.Timestamp(end_of_day(before, zone)))
        if end:
            view = view.filter(view[column] < pd.Timestamp(end_of_day(end, zone)))
        cut[name] = view
    return cut, uncut


def _zone_of(view: ir.Table, book: Workbook, name: str, column: str) -> str | None:
    """Find the zone whose days a period means; calendar dates have none."""
    spec = book.tables[name]
    source = spec.columns.get(column)
    zone = (source.timezone if source else None) or spec.timezone
    if zone is None:
        return None
    has_time = view.filter(view[column] != view[column].truncate("D")).limit(1).count().execute()
    return zone if has_time else None


def _find_empty(
    views: dict[str, Any], segment: str, start: datetime.date | None, end: datetime.date | None
) -> dict[str, str]:
    if not (segment or start or end):
        return {}
    said = [f"segment '{segment}'"] if segment else []
    said += [f"from {start}"] if start else []
    said += [f"to {end}"] if end else []
    return {
        name: f"The table '{name}' holds no row for {' '.join(said)}."
        for name, view in views.items()
        if not view.limit(1).count().execute()
    }
