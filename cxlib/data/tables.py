"""Rows of text to a typed, audited table of the contract."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.data.clock import end_of_day, parse_moments
from cxlib.data.ledger import Audit, LedgerEntry
from cxlib.data.sources import Rows
from cxlib.data.wide import (
    AnswerColumn,
    find_answer_columns,
    match_columns,
    stack_answers,
)
from cxlib.errors import InputError, closest
from cxlib.schema import TABLES, Column, Table
from cxlib.workbook import ColumnSpec, TableSpec, Workbook

_DAYS = {
    "seconds": 1 / 86400,
    "minutes": 1 / 1440,
    "hours": 1 / 24,
    "days": 1.0,
    "weeks": 7.0,
    "months": 30.4375,
    "years": 365.25,
}
_TRUE, _FALSE = ("true", "1"), ("false", "0")
MOST_WRONG = 20  # unreadable cells a column may hold whatever its length


@dataclass
class _Reading:
    """What the steps of one table share."""

    contract: Table
    spec: TableSpec
    rows: Rows
    audit: Audit
    as_of: datetime.date
    where: str

    @property
    def is_wide(self) -> bool:
        """Whether a row of the source holds many answers."""
        return bool(self.spec.wide or self.spec.outcome)

    @property
    def is_numbered(self) -> bool:
        """Whether rows are their own ids, and so never duplicates."""
        return self.spec.respondent_id == "row_number"

    def cells(self, column: str, missing: list[str]) -> pd.Series:
        """Text of a source column, stripped, with missing codes emptied."""
        text = self.rows.frame[column].str.strip()
        return text.mask(text.isin(missing), "") if missing else text

    def typed(self, column: str | None) -> str:
        """Kind that an engine gave a source column; ``""`` for text."""
        return self.rows.typed.get(column or "", "")

    def numbers(self, text: pd.Series, columns: Iterable[str | None]) -> NDArray[np.float64]:
        """Read numbers as the source columns write them; NaN where a cell is none."""
        if all(self.typed(column) == "number" for column in columns):
            return pd.to_numeric(text, errors="coerce").to_numpy(dtype=float)
        if self.spec.thousands:
            grouped = re.escape(self.spec.thousands)
            point = re.escape(self.spec.decimal)
            whole = text.str.fullmatch(rf"[+-]?\d{{1,3}}(?:{grouped}\d{{3}})+(?:{point}\d+)?")
            text = text.mask(whole, text.str.replace(self.spec.thousands, "", regex=False))
        if self.spec.decimal == ",":  # then 1.234 may mean a thousand: not guessed
            text = text.mask(text.str.contains(".", regex=False), "?")
            text = text.str.replace(",", ".", regex=False)
        return pd.to_numeric(text, errors="coerce").to_numpy(dtype=float)


def read_table(
    name: str, book: Workbook, rows: Rows, sha256: str, items: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, LedgerEntry]:
    """Type and audit one table of a workbook.

    Parameters
    ----------
    name : str
        A table the workbook maps.
    book : Workbook
        The workbook.
    rows : Rows
        Its source.
    sha256 : str
        Hash of the source, for the ledger.
    items : pandas.DataFrame, optional
        The audited ``items``, for the scales and item names of ``answers``.

    Returns
    -------
    pandas.DataFrame
        Columns of the contract that the source has, then attributes; ids and text as strings
        (empty = missing), moments as UTC, numbers as float, booleans as bool.
    LedgerEntry
        What happened to every row.

    Raises
    ------
    InputError
        When a column or every row is unusable.
    """
    spec, contract = book.tables[name], TABLES[name]
    where = f"{spec.source}, table '{name}'"
    reading = _Reading(contract, spec, rows, Audit(rows.file, rows.row), book.as_of, where)
    mapping = _map_columns(reading)
    reading.audit.refuse("wrong number of fields", rows.broken)
    if spec.duplicates == "refuse" and not reading.is_numbered:
        twice = rows.frame.duplicated().to_numpy()
        reading.audit.refuse("exact duplicate", twice & ~rows.broken)
    table = pd.DataFrame({c: _type_column(reading, c, source) for c, source in mapping.items()})
    if reading.is_numbered:
        table.insert(0, "respondent_id", np.arange(1, len(rows.row) + 1).astype(str))
    _check_rows(reading, table)
    if reading.is_wide:
        table = _stack(reading, table, items)
    else:
        if name == "answers":
            _refuse_off_scale(reading, table, items)
        table = table[reading.audit.alive]
    entry = reading.audit.close(name, spec.source, sha256)
    if not len(table):
        raise InputError(
            f"No usable row is left of {entry.rows_in}.",
            where,
            "; ".join(f"{rule.rule}: {rule.n}" for rule in entry.rules[:6]),
        )
    return table.reset_index(drop=True), entry


def _map_columns(reading: _Reading) -> dict[str, ColumnSpec]:
    """Settle which source column feeds which column of the contract."""
    spec, contract = reading.spec, reading.contract
    header = list(reading.rows.frame.columns)
    mapping = dict(spec.columns)
    if spec.respondent_id and not reading.is_numbered:
        mapping["respondent_id"] = ColumnSpec(column=spec.respondent_id)
    stacked = {"item", "role", "value"} if reading.is_wide else set()
    for column in contract.columns:  # a source column with the contract's own name needs no mapping
        if column.name not in mapping and column.name in header and column.name not in stacked:
            mapping[column.name] = ColumnSpec(column=column.name)
    errors = [
        InputError(
            f"Column '{source.column}' (for {name}) is missing.",
            f"{reading.where}, has {header[:12]}",
            closest(source.column, header),
        )
        for name, source in mapping.items()
        if source.column is not None and source.column not in header
    ]
    numbered = {"respondent_id"} if reading.is_numbered else set()
    for column in contract.columns:
        if column.required and column.name not in mapping.keys() | stacked | numbered:
            fix = f"map it under 'columns:'; {closest(column.name, header)}"
            problem = f"Column '{column.name}' is missing."
            errors.append(InputError(problem, f"{reading.where}, has {header[:12]}", fix))
    if errors:
        raise InputError.join(errors)
    if contract.passes:
        used = {source.column for source in mapping.values()}
        attributes = {c: ColumnSpec(column=c) for c in header if c not in used and c not in mapping}
        mapping |= attributes
        _refuse_clashes(list(mapping), reading.where)
    order = {column.name: i for i, column in enumerate(contract.columns)}
    return dict(sorted(mapping.items(), key=lambda pair: order.get(pair[0], len(order))))


def _refuse_clashes(names: list[str], where: str) -> None:
    """Refuse attributes that the engine, which knows no case, could not tell apart."""
    seen: dict[str, str] = {"_row": "_row"}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name or name == "_row":
            raise InputError(
                f"The columns '{other}' and '{name}' cannot be told apart.",
                where,
                "map one of them under another name, or rename it in the export",
            )


def _type_column(reading: _Reading, name: str, source: ColumnSpec) -> Any:
    contract = reading.contract
    column = contract.column(name) if contract.knows(name) else Column(name, "text", "attribute")
    if source.value is not None:
        text = pd.Series(source.value, index=reading.rows.frame.index)
    else:
        # a code such as 99 means "no answer"; as an id it is somebody
        codes = reading.spec.missing if column.kind != "id" else []
        text = reading.cells(str(source.column), [*codes, *source.missing])
    if source.values:
        text = text.replace(source.values)
    if column.required:
        reading.audit.refuse(f"missing {name}", (text == "").to_numpy())
    if column.kind == "moment":
        return _read_moments(reading, column, source, text)
    if column.kind == "number" or source.unit:
        return _read_numbers(reading, column, source, text)
    if column.kind == "boolean":
        return _read_booleans(reading, column, source, text)
    if column.choices:
        text = text.str.lower()
        wrong = ~text.isin((*column.choices, "")).to_numpy()
        reading.audit.refuse("bad value", wrong, text, column=name)
    return text


def _refuse_column(
    reading: _Reading, column: Column, text: pd.Series, bad: NDArray[np.bool_], what: str, fix: str
) -> None:
    """Refuse a column most of which cannot be read: a setting is wrong, not the rows."""
    filled = (text != "").to_numpy() & reading.audit.alive
    wrong = bad & filled
    if wrong.sum() > max(filled.sum() / 2, MOST_WRONG):
        raise InputError(
            f"{wrong.sum():,} of {filled.sum():,} values of '{column.name}' are no {what}; "
            f"the commonest is '{text[wrong].mode().iloc[0]}'.",
            f"{reading.where}, column '{column.name}'",
            fix,
        )


def _read_moments(
    reading: _Reading, column: Column, source: ColumnSpec, text: pd.Series
) -> NDArray[np.datetime64]:
    where = f"{reading.where}, column '{source.column}'"
    timezone = source.timezone or reading.spec.timezone
    known = text.where(reading.audit.alive, "")  # rows already refused decide nothing
    is_typed = reading.typed(source.column) == "moment"
    date_format = None if is_typed else source.date_format or reading.spec.date_format
    moments = parse_moments(known, where=where, date_format=date_format, timezone=timezone)
    audit = reading.audit
    fix = "check 'date_format'; a word that means no date belongs under 'missing'"
    _refuse_column(reading, column, text, moments.bad, "dates", fix)
    shown: dict[str, Any] = {"column": column.name, "show_digits": True}
    audit.refuse("bad date", moments.bad, text, **shown)
    audit.refuse("local time does not exist", moments.skipped, text, **shown)
    audit.refuse("local time exists twice", moments.doubled, text, **shown)
    ends = [end_of_day(reading.as_of, zone, where=where) for zone in (timezone, None)]
    late = moments.value >= np.where(moments.has_time, *ends)
    if column.name == reading.contract.until:
        audit.refuse("after as_of", late, text, **shown)
    elif column.name == "ended_at":
        audit.change("ended_at after as_of emptied", late, text, column=column.name)
        moments.value[late] = np.datetime64("NaT")
    return moments.value


def _read_numbers(
    reading: _Reading, column: Column, source: ColumnSpec, text: pd.Series
) -> NDArray[np.float64]:
    numbers = reading.numbers(text, [source.column])
    if source.unit:
        numbers = numbers * _DAYS[source.unit]
    bad = (text != "").to_numpy() & ~np.isfinite(numbers)
    if column.low is not None:
        bad |= numbers < column.low
    if column.high is not None:
        bad |= numbers > column.high
    fix = "set 'decimal' and 'thousands'; a word that means no number belongs under 'missing'"
    _refuse_column(
        reading, column, text, (text != "").to_numpy() & np.isnan(numbers), "numbers", fix
    )
    if column.on_bad == "empty":
        reading.audit.change("bad number emptied", bad, text, column=column.name)
    else:
        reading.audit.refuse("bad number", bad, text, column=column.name, show_digits=True)
    return np.where(bad, np.nan, numbers)


def _read_booleans(
    reading: _Reading, column: Column, source: ColumnSpec, text: pd.Series
) -> pd.Series:
    is_typed = reading.typed(source.column) == "boolean"
    if (source.true or source.false) and not is_typed:  # what is declared replaces what is usual
        is_true, is_false = text.isin(source.true), text.isin(source.false)
    else:
        is_true, is_false = text.str.lower().isin(_TRUE), text.str.lower().isin(_FALSE)
    filled = (text != "").to_numpy() & reading.audit.alive
    unknown = ~(is_true | is_false).to_numpy() & filled
    if filled.any() and unknown.sum() == filled.sum():
        raise InputError(
            f"No value of '{column.name}' is true or false; the first is '{text[filled].iloc[0]}'.",
            f"{reading.where}, column '{source.column}'",
            'declare them: {column: ..., "true": ["Yes"], "false": ["No"]}',
        )
    reading.audit.refuse("bad value", unknown, text, column=column.name)
    return is_true.astype("boolean").mask(text == "")


def _check_rows(reading: _Reading, table: pd.DataFrame) -> None:
    """Apply the rules that compare columns or rows."""
    audit, contract = reading.audit, reading.contract
    if {"started_at", "ended_at"} <= set(table.columns):
        # by day: one of the two may be a calendar date
        before = (table["ended_at"].dt.normalize() < table["started_at"].dt.normalize()).to_numpy()
        shown = table["ended_at"].dt.strftime("%Y-%m-%d").fillna("")
        audit.refuse("ended before it started", before, shown, column="ended_at", show_digits=True)
    keys = [name for name in contract.unique if name in table.columns]
    if {"scale_min", "scale_max"} <= set(table.columns):
        upside_down = (table["scale_min"] > table["scale_max"]).to_numpy()
        audit.refuse("scale_min above scale_max", upside_down, table["item"])
    kept = contract.name == "events" and reading.spec.duplicates == "keep"
    if not keys or kept or reading.is_numbered:
        return
    alive = table[audit.alive]
    named = (alive[keys[0]] != "").to_numpy()
    twice = np.zeros(len(table), dtype=bool)
    twice[audit.alive] = alive.duplicated(keys).to_numpy() & named
    audit.refuse(f"duplicate {', '.join(keys)}", twice, table[keys[0]])


def _stack(reading: _Reading, about: pd.DataFrame, items: pd.DataFrame | None) -> pd.DataFrame:
    """Turn a wide survey long; a refused answer changes its row."""
    spec, audit, frame = reading.spec, reading.audit, reading.rows.frame
    known = None if items is None else set(items["item"])
    used = {source.column for source in spec.columns.values()} | {spec.respondent_id}
    header = [name for name in frame.columns if name not in used]
    answers = find_answer_columns(header, spec, known, reading.where)
    _note_unknown_items(reading, header, answers)
    cells = pd.DataFrame({a.column: reading.cells(a.column, spec.missing) for a in answers})
    unanswered = (cells == "").all(axis=1).to_numpy()
    audit.note("no answer in the row", unanswered)
    alive = audit.alive
    where = np.flatnonzero(alive)
    long = stack_answers(cells[alive], answers, about[alive])
    place = where[long.pop("place").to_numpy()]
    text = long["value"]
    long["value"] = reading.numbers(text, cells.columns)
    bad = ~np.isfinite(long["value"].to_numpy())
    _drop_answers(audit, "bad number", bad, place, text)
    off = _off_scale(long, items) & ~bad
    _drop_answers(audit, "off the scale", off, place, text)
    return long[~(bad | off)]


def _note_unknown_items(reading: _Reading, header: list[str], answers: list[AnswerColumn]) -> None:
    """Name columns that a pattern matches but whose item the items table does not hold."""
    matched = {answer.column for answer in answers}
    spec = reading.spec.model_copy(update={"outcome": []})
    for answer in match_columns(header, spec) if spec.wide else []:
        if answer.column not in matched:
            filled = (reading.cells(answer.column, reading.spec.missing) != "").to_numpy()
            reading.audit.note(f"'{answer.column}' is no item of the items table", filled)


def _drop_answers(
    audit: Audit, rule: str, wrong: NDArray[np.bool_], place: NDArray[np.int64], text: pd.Series
) -> None:
    rows = np.zeros(len(audit.row), dtype=bool)
    rows[place[wrong]] = True
    first = text[wrong].groupby(place[wrong]).first().reindex(range(len(rows)), fill_value="")
    audit.change(rule, rows, first, cells=int(wrong.sum()))


def _off_scale(answers: pd.DataFrame, items: pd.DataFrame | None) -> NDArray[np.bool_]:
    if items is None:
        return np.zeros(len(answers), dtype=bool)
    keys = ["item", "role"] if "role" in items.columns else ["item"]
    scales = items[[*keys, "scale_min", "scale_max"]]
    exact = answers[["item", "role"]].merge(scales, how="left", on=keys)
    if "role" in items.columns:  # an item without a role holds for all of them
        general = scales[scales["role"] == ""].drop(columns="role")
        exact = exact.fillna(answers[["item"]].merge(general, how="left", on="item"))
    value = answers["value"].to_numpy()
    low, high = exact["scale_min"].to_numpy(), exact["scale_max"].to_numpy()
    return (value < low) | (value > high)


def _refuse_off_scale(reading: _Reading, answers: pd.DataFrame, items: pd.DataFrame | None) -> None:
    shown = answers["value"].astype(str)
    reading.audit.refuse("off the scale", _off_scale(answers, items), shown, show_digits=True)
