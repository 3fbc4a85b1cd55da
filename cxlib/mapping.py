"""What a workbook says of its tables, compared with the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cxlib import schema
from cxlib.engine import is_file
from cxlib.errors import InputError, closest

if TYPE_CHECKING:
    from cxlib.workbook import TableSpec, Workbook

Place = Callable[..., str]


def check_mapping(book: Workbook, place: Place) -> None:
    """Compare names and settings with the contract and with the kind of the source.

    Parameters
    ----------
    book : Workbook
        The workbook.
    place : callable
        From the keys of a setting to where it stands, for messages.

    Raises
    ------
    InputError
        With a block for every mistake.
    """
    errors: list[InputError] = []
    for name, spec in book.tables.items():
        if name in schema.TABLES:
            errors += [*_check_names(name, spec, place), *_check_columns(name, spec, place)]
            errors += _check_source(name, spec, place)
        else:
            errors.append(_unknown("table", name, schema.TABLES, place("tables", name)))
    if errors:
        raise InputError.join(errors)


def _unknown(what: str, name: str, options: Iterable[str], where: str) -> InputError:
    return InputError(f"The {what} '{name}' is unknown.", where, closest(name, options))


def _check_names(name: str, spec: TableSpec, place: Place) -> list[InputError]:
    contract = schema.TABLES[name]
    options = [column.name for column in contract.columns]
    errors = [
        _unknown("column", column, options, place("tables", name, "columns", column))
        for column in spec.columns
        if not contract.passes and not contract.knows(column)
    ]
    return errors + [
        _unknown("role", role, schema.ROLES, place("tables", name, "wide", role))
        for role in spec.wide
        if role not in schema.ROLES
    ]


def _check_columns(name: str, spec: TableSpec, place: Place) -> list[InputError]:
    errors = []
    contract = schema.TABLES[name]
    for column, source in spec.columns.items():
        where = place("tables", name, "columns", column)
        kind = contract.column(column).kind if contract.knows(column) else "text"
        both = sorted(set(source.true) & set(source.false))
        mistakes = (
            (
                (source.column is None) == (source.value is None),
                f"'{column}' needs a column or a value.",
                "write the source column's name, or {value: constant}",
            ),
            (
                source.labels and not _is_spss(spec.source),
                f"'{spec.source}' holds no value labels.",
                "labels are read from .sav and .zsav; use {values: {source: contract}}",
            ),
            (
                source.unit and not column.endswith(("_days", "_seconds")),
                f"'{column}' has no unit to convert.",
                "remove 'unit'",
            ),
            (
                (source.true or source.false) and kind != "boolean",
                f"'{column}' is not true or false.",
                "use {values: {source: contract}}",
            ),
            (both, f"{both} cannot be both true and false.", "keep it in one list"),
        )
        errors += [
            InputError(problem, where, fix) for is_wrong, problem, fix in mistakes if is_wrong
        ]
    return errors


def _check_source(name: str, spec: TableSpec, place: Place) -> list[InputError]:
    errors = []

    def refuse(problem: str, fix: str, *keys: str) -> None:
        """Note a setting that does not go with the source."""
        errors.append(InputError(problem, place("tables", name, *keys), fix))

    if spec.header_rows > 1 and not _has_header(spec.source):
        refuse(f"'{spec.source}' has no header rows.", "remove 'header_rows'", "header_rows")
    if spec.header and "header_rows" in spec.model_fields_set:
        fix = "'header' names the columns of a file without a header; keep one of them"
        refuse("'header' and 'header_rows' exclude each other.", fix, "header_rows")
    if name != "answers" and (spec.wide or spec.outcome):
        refuse(f"'{name}' cannot be wide.", "wide and outcome are for answers")
    if spec.respondent_id and not schema.TABLES[name].knows("respondent_id"):
        refuse(f"'{name}' has no respondents.", "remove 'respondent_id'")
    for role, wide in spec.wide.items():
        if wide.pattern.count("{item}") != 1 or wide.item.count("{item}") != 1:
            problem = f"The pattern '{wide.pattern}' must hold {{item}} once."
            refuse(problem, 'for example "E{item}"', "wide", role)
    return errors


def _is_spss(source: str) -> bool:
    return source.lower().endswith((".sav", ".zsav"))


def _has_header(source: str) -> bool:
    """Tell text files and sheets from sources whose columns have names of their own."""
    return is_file(source) and not (
        _is_spss(source) or source.lower().endswith((".parquet", ".pq"))
    )
