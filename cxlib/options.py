"""Parameters that name something in the data: a column, a touchpoint, a wave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cxlib.errors import InputError, closest
from cxlib.parameters import VIEWS, Parameter
from cxlib.schema import TABLES, check_names

if TYPE_CHECKING:
    from cxlib.data.connect import Tables


def check_against(
    parameters: Mapping[str, Parameter],
    values: Mapping[str, Any],
    tables: Tables,
    uses: Sequence[str],
) -> None:
    """Check values that name something in the data: a column, a touchpoint, a wave.

    Parameters
    ----------
    parameters : mapping of str to Parameter
        What the notebook declares.
    values : mapping of str to object
        Typed values.
    tables : Tables
        The opened workbook.
    uses : sequence of str
        The tables the notebook rests on; columns are looked up there.

    Raises
    ------
    InputError
        When something named is not there.
    """
    errors = []
    options = _OPTIONS | dict.fromkeys(("column", "columns"), lambda _: _columns(tables, uses))
    for name, parameter in parameters.items():
        value = values[name]
        if not value or parameter.kind not in options or name == "segment_by":
            continue
        known = options[parameter.kind](tables)
        wanted = value if isinstance(value, list) else [value]
        if parameter.kind == "end_reasons":
            wanted = [part.strip() for part in value.split(",")]
        for item in wanted:
            if known is not None and item not in known:
                problem = f"Parameter '{name}': the data hold no '{item}'."
                errors.append(InputError(problem, str(tables.book.file), closest(item, known)))
    errors += _check_inactivity(parameters, values, tables)
    if {"touchpoint", "touchpoints"} & {parameter.kind for parameter in parameters.values()}:
        for column in dict.fromkeys(("touchpoint", values.get("view", "touchpoint"))):
            check_names(_distinct(tables, "events", column) or [], column=column)
    if errors:
        raise InputError.join(errors)


def _check_inactivity(
    parameters: Mapping[str, Parameter], values: Mapping[str, Any], tables: Tables
) -> list[InputError]:
    declared = parameters.get("inactivity")
    if declared is None or not declared.default or values["inactivity"] == declared.default:
        return []
    if "events" not in tables.names or "journey_id" not in tables.events.columns:
        return []
    return [
        InputError(
            "Parameter 'inactivity' cannot be changed: the data's own journey_id defines journeys.",
            str(tables.book.file),
            "leave 'inactivity' alone, or do not map 'journey_id'",
        )
    ]


def _columns(tables: Tables, uses: Sequence[str]) -> list[str]:
    """List what customers, journeys or answers can be split by: texts, flags and attributes."""
    names = []
    for table in (name for name in tables.names if name in uses):
        contract = TABLES[table]
        for column in getattr(tables, table).columns:
            kind = contract.column(column).kind if contract.knows(column) else "text"
            if column != "_row" and kind not in {"id", "moment"}:
                names.append(column)
    return list(dict.fromkeys(names))


def _distinct(tables: Tables, table: str, column: str) -> list[str] | None:
    if table not in tables.names or column not in getattr(tables, table).columns:
        return None
    view = getattr(tables, table)
    return sorted(view.select(column).distinct().to_pandas()[column].dropna())


def _places(tables: Tables) -> list[str]:
    names = [_distinct(tables, "events", column) or [] for column in ("touchpoint", "stage")]
    return sorted({name for group in names for name in group})


def _reasons(tables: Tables) -> list[str]:
    reasons = {
        reason
        for table in ("subscriptions", "lifetimes")
        for reason in _distinct(tables, table, "end_reason") or []
    }
    return sorted(reasons)


def _outcomes(tables: Tables) -> list[str]:
    if "answers" not in tables.names:
        return []
    answers = tables.answers
    items = answers.filter(answers.role == "outcome").select("item").distinct()
    return sorted(items.to_pandas()["item"])


_OPTIONS: dict[str, Callable[[Any], list[str] | None]] = {
    "view": lambda tables: [v for v in VIEWS if v in tables.events.columns],
    "touchpoint": _places,
    "touchpoints": _places,
    "end_reasons": _reasons,
    "outcome": _outcomes,
    "wave": lambda tables: _distinct(tables, "answers", "wave") or [],
}
