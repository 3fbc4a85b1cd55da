"""Rows of text to a typed, audited table of the contract, handed on in parts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.data import words
from cxlib.data.columns import Reading, read_column
from cxlib.data.ledger import Audit, LedgerEntry
from cxlib.data.sources import Rows
from cxlib.data.wide import read_answers
from cxlib.errors import InputError, closest
from cxlib.schema import TABLES
from cxlib.workbook import ColumnSpec, Workbook

PART_ROWS = 1_000_000
_TESTED = ("1", "2", "9", "17")  # Qualtrics: preview, test, preview taken for spam, offline preview


def read_table(
    name: str,
    book: Workbook,
    rows: Rows,
    sha256: str,
    items: pd.DataFrame | None = None,
    *,
    part_rows: int = PART_ROWS,
) -> tuple[Iterator[pd.DataFrame], LedgerEntry]:
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
    part_rows : int, default 1,000,000
        About how many rows a part has.

    Returns
    -------
    iterator of pandas.DataFrame
        The table in parts, at least one row each. Columns of the contract that the source has,
        then attributes; ids and text encoded (empty = missing), moments as UTC, numbers as float,
        booleans as bool.
    LedgerEntry
        What happened to every row.

    Raises
    ------
    InputError
        When a column or every row is unusable.
    """
    spec, contract = book.tables[name], TABLES[name]
    where = f"{spec.source}, table '{name}'"
    reading = Reading(contract, spec, rows, Audit(rows.file, rows.row), book.as_of, where)
    mapping = _map_columns(reading)
    audit = reading.audit
    audit.refuse("wrong number of fields", rows.broken)
    if spec.duplicates == "refuse" and not reading.is_numbered:
        twice = words.find_repeated(rows.frame[column] for column in rows.frame.columns)
        audit.refuse("exact duplicate", twice & ~rows.broken)
    table = pd.DataFrame({c: read_column(reading, c, source) for c, source in mapping.items()})
    if reading.is_numbered:
        numbers = np.arange(len(rows.row))
        table.insert(0, "respondent_id", words.build(numbers, (numbers + 1).astype(str)))
    _check_rows(reading, table)
    _note_tests(reading)
    if reading.is_wide:
        answers = read_answers(reading, table, _scales(items))
        kept, parts = answers.count, answers.parts(part_rows)
    else:
        if name == "answers":
            off = _off_scale(table, _scales(items))
            audit.refuse("off the scale", off, table["value"], show_digits=True)
        alive = np.flatnonzero(audit.alive)
        kept, parts = len(alive), _cut(table, alive, part_rows)
    entry = audit.close(name, spec.source, sha256)
    if not kept:
        raise InputError(
            f"No usable row is left of {entry.rows_in}.",
            where,
            "; ".join(f"{rule.rule}: {rule.n}" for rule in entry.rules[:6]),
        )
    return parts, entry


def _cut(table: pd.DataFrame, rows: NDArray[np.intp], part_rows: int) -> Iterator[pd.DataFrame]:
    for start in range(0, len(rows), part_rows):
        yield table.iloc[rows[start : start + part_rows]].reset_index(drop=True)


def _map_columns(reading: Reading) -> dict[str, ColumnSpec]:
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
    wanted = [(source.column, f"for {name}") for name, source in mapping.items()]
    wanted += [(name, "to be ignored") for name in spec.ignore]
    errors = [
        InputError(
            f"Column '{column}' ({why}) is missing.",
            f"{reading.where}, has {header[:12]}",
            closest(column, header),
        )
        for column, why in wanted
        if column is not None and column not in header
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
        used = {*spec.ignore, *(source.column for source in mapping.values())}
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


def _check_rows(reading: Reading, table: pd.DataFrame) -> None:
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
    alive = np.flatnonzero(audit.alive)
    twice = np.zeros(len(table), dtype=bool)
    twice[alive] = words.find_repeated(table[key].iloc[alive] for key in keys)
    twice &= words.is_filled(table[keys[0]])
    audit.refuse(f"duplicate {', '.join(keys)}", twice, table[keys[0]])


def _note_tests(reading: Reading) -> None:
    """Count what Qualtrics marks as a trial of the questionnaire; whether it stays is not ours."""
    frame = reading.rows.frame
    names = {str(name).lower(): name for name in frame.columns}
    if {"status", "responseid"} <= names.keys():
        status = frame[names["status"]]
        said = words.words_of(status).str.strip().str.lower()
        tested = said.isin(_TESTED) | said.str.contains("survey preview|survey test", regex=True)
        rows = tested.to_numpy()[words.codes_of(status)]
        reading.audit.note("a preview or test response by its Status, kept", rows)


def _scales(items: pd.DataFrame | None) -> dict[tuple[str, str], tuple[float, float]]:
    """List lowest and highest answer by item and role; role ``""`` holds for all of them."""
    if items is None:
        return {}
    roles = items["role"] if "role" in items.columns else [""] * len(items)
    ends = zip(items["scale_min"], items["scale_max"], strict=True)
    return dict(zip(zip(items["item"], roles, strict=True), ends, strict=True))


def _off_scale(
    answers: pd.DataFrame, scales: dict[tuple[str, str], tuple[float, float]]
) -> NDArray[np.bool_]:
    """Tell which of many answers lie off the scale of their item and role."""
    items, roles = (words.words_of(answers[name]) for name in ("item", "role"))
    low, high = np.full((2, len(items), len(roles)), np.nan)
    places = {item: i for i, item in enumerate(items)}
    # items without a role first, so that an item's own role decides
    for (item, role), ends in sorted(scales.items(), key=lambda scale: scale[0][1] != ""):
        if item in places:
            of_role = slice(None) if role == "" else (roles == role).to_numpy()
            low[places[item], of_role], high[places[item], of_role] = ends
    at = words.codes_of(answers["item"]), words.codes_of(answers["role"])
    value = answers["value"].to_numpy()
    return (value < low[at]) | (value > high[at])
