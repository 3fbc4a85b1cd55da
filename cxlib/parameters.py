"""One registry of typed parameters for notebooks, command line and batch."""

from __future__ import annotations

import ast
import datetime
import io
import json
import math
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cxlib.errors import InputError, closest

if TYPE_CHECKING:
    from nbformat import NotebookNode

VIEWS = ("touchpoint", "channel", "stage", "department")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook: its literal default, the comment behind it as help.

    Parameters
    ----------
    name, about : str
        An identifier and its help.
    default : object
        The literal.
    kind : str
        How values are read: a key of ``KINDS``.
    """

    name: str
    default: Any
    about: str
    kind: str


def _wrong(value: Any, wanted: str) -> ValueError:
    return ValueError(f"'{value}' is not {wanted}")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(value, "a text")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _wrong(ascii(value), "a text in UTF-8")
    return str(value)  # a plain text, whatever kind of text was given


def _number(value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(value, "a number")
    return number


def _whole(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise _wrong(value, "a whole number")
    try:
        return int(value)  # not through a float, which has 16 digits
    except ValueError:
        return int(number)


def _boolean(value: Any) -> bool:
    text = str(value).lower()
    if text not in {"true", "false"}:
        raise _wrong(value, "true or false")
    return text == "true"


def _items(value: Any, wanted: str) -> list[Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value) if value else []
        except (json.JSONDecodeError, RecursionError):
            raise _wrong(value, wanted) from None
    if not isinstance(value, list):
        raise _wrong(value, wanted)
    return value


def _texts(value: Any) -> list[str]:
    wanted = 'a list of texts; write it as JSON, such as ["a", "b"]'
    items = _items(value, wanted)
    if not all(isinstance(item, str) for item in items):
        raise _wrong(value, wanted)
    return [_text(item) for item in items]


def _numbers(value: Any) -> list[float]:
    wanted = "a list of numbers; write it as JSON, such as [1, 2.5]"
    numbers = [_number(item) for item in _items(value, wanted)]
    return [int(number) if number.is_integer() else number for number in numbers]


def _date(value: Any) -> str:
    text = str(value)
    try:
        return datetime.date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise _wrong(value, "a day; write YYYY-MM-DD") from None


def _duration(value: Any) -> str:
    from cxlib.frames import read_duration

    text = str(value).strip()
    try:
        if text and not read_duration(text, name="").value:
            raise _wrong(value, "longer than nothing")
    except InputError:
        raise _wrong(value, "a number with a unit (s, min, h, d, w), such as '30d'") from None
    return text


def _days(value: Any) -> str:
    from cxlib.frames import read_duration

    text = _duration(value)
    if text and read_duration(text, name="").value % (24 * 3600 * 10**9):
        raise _wrong(value, "a whole number of days, such as '90d'")
    return text


def _wait(value: Any) -> str:
    from cxlib.frames import read_duration

    text = str(value).strip()
    try:
        is_nothing = not read_duration(text, name="").value
    except InputError:
        raise _wrong(value, "a number of days, such as '14d' or '0d'") from None
    return "0d" if is_nothing else _days(value)


def _level(value: Any) -> float:
    level = _number(value)
    if not 0.5 <= level < 1:
        raise _wrong(value, "a confidence level between 0.5 and 1, such as 0.95")
    return level


def _seed(value: Any) -> int:
    seed = _whole(value)
    if not 0 <= seed < 2**32:
        raise _wrong(value, "a seed from 0 to 4294967295")
    return seed


def _positive(value: Any) -> int:
    count = _whole(value)
    if count < 1:
        raise _wrong(value, "a whole number of at least 1")
    return count


def _view(value: Any) -> str:
    if value not in VIEWS:
        raise ValueError(f"'{value}' is no view: {closest(str(value), VIEWS)}")
    return str(value)


KINDS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "int": _whole,
    "float": _number,
    "bool": _boolean,
    "list": _texts,
    "numbers": _numbers,
    "date": _date,
    "duration": _duration,
    "days": _days,
    "wait": _wait,
    "level": _level,
    "seed": _seed,
    "count": _positive,
    "view": _view,
    "column": _text,
    "columns": _texts,
    "touchpoint": _text,
    "touchpoints": _texts,
    "end_reasons": _text,
    "outcome": _text,
    "wave": _text,
}
_LITERALS = ("str", "int", "float", "bool", "list", "numbers")
REGISTRY = {
    "segment_by": "column",
    "group_by": "column",
    "compare_by": "column",
    "covariates": "columns",
    "period_start": "date",
    "period_end": "date",
    "compare_date": "date",
    "inactivity": "duration",
    "grace": "days",
    "window": "days",
    "lag": "wait",
    "experiences": "touchpoints",
    "trusted": "columns",
    "conf_level": "level",
    "random_state": "seed",
    "min_cell": "count",
    "horizon_days": "count",
    "view": "view",
    "goal": "touchpoint",
    "within": "duration",
    "answer_target": "duration",
    "repeat_within": "duration",
    "complaints": "touchpoints",
    "replies": "touchpoints",
    "stages": "touchpoints",
    "cause": "end_reasons",
    "outcome": "outcome",
    "wave": "wave",
}


def read_parameters(notebook: NotebookNode, where: str) -> dict[str, Parameter]:
    """Read the parameters a notebook declares.

    Parameters
    ----------
    notebook : NotebookNode
        A notebook with one cell tagged ``parameters``: literals only, one a line, a trailing
        comment as help.
    where : str
        Its name, for messages.

    Returns
    -------
    dict of str to Parameter
        In the order declared.

    Raises
    ------
    InputError
        When there is no such cell, or it holds more than literals.
    """
    cells = [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", [])
    ]
    if len(cells) != 1:
        raise InputError(
            f"The notebook has {len(cells)} cells tagged 'parameters'; it needs one.",
            where,
            "tag the cell that holds its parameters",
        )
    try:
        statements = ast.parse(cells[0]).body
        comments = {
            token.start[0]: token.string.lstrip("# ")
            for token in tokenize.generate_tokens(io.StringIO(cells[0]).readline)
            if token.type == tokenize.COMMENT
        }
    except (SyntaxError, ValueError, tokenize.TokenError) as error:
        problem = f"The parameters cell is no Python: {error}."
        raise InputError(problem, where, "one 'name = literal' a line") from error
    found = {}
    for node in statements:
        try:
            name, default, kind = _literal(node)
        except (TypeError, ValueError):
            raise InputError(
                f"The parameters cell may hold only 'name = literal': '{ast.unparse(node)}'.",
                where,
                "a literal is a text, a number, True or False, or a list of texts or of numbers; "
                "move anything else to the next cell",
            ) from None
        kind = REGISTRY.get(name, kind)
        if name == "inactivity" and not default:  # asks for churn, which counts in days
            kind = "days"
        about = comments.get(node.end_lineno or 0, comments.get(node.lineno, ""))
        found[name] = Parameter(name, default, about, kind)
    return found


def _literal(node: ast.stmt) -> tuple[str, Any, str]:
    """Read a name, its default and its kind; an annotation wins over the type of the default."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target: ast.expr = node.targets[0]
    elif isinstance(node, ast.AnnAssign):
        target = node.target
    else:
        raise TypeError
    if not isinstance(target, ast.Name) or node.value is None:
        raise TypeError
    default = ast.literal_eval(node.value)
    kind = type(default).__name__
    if kind == "list" and default and not isinstance(default[0], str):
        kind = "numbers"
    if isinstance(node, ast.AnnAssign) and (kind, ast.unparse(node.annotation)) == ("int", "float"):
        kind = "float"  # `share: float = 1`
    if kind not in _LITERALS:  # papermill would turn a tuple into a text, and None has no kind
        raise TypeError
    KINDS[kind](default)
    return target.id, default, kind


def read_values(
    parameters: Mapping[str, Parameter],
    given: Mapping[str, Any],
    where: Callable[[str], str],
) -> tuple[dict[str, Any], list[InputError]]:
    """Type what was given for a notebook, and tell everything that is wrong with it.

    Parameters
    ----------
    parameters : mapping of str to Parameter
        What the notebook declares.
    given : mapping of str to object
        Values by name.
    where : callable
        Where a value was written, by its name.

    Returns
    -------
    dict of str to object
        A value for every parameter declared; the default where what was given is wrong.
    list of InputError
        One for every unknown name and every value that is not of its kind.
    """
    errors, values = [], {name: parameter.default for name, parameter in parameters.items()}
    for name, value in given.items():
        if name not in parameters:
            problem = f"The parameter '{name}' is unknown."
            choices = [choice for choice in parameters if choice != "workbook"]
            errors.append(InputError(problem, where(name), closest(name, choices)))
            continue
        parameter = parameters[name]
        try:
            typed = KINDS[parameter.kind](value)
            if parameter.kind in {"duration", "days"} and parameter.default and not typed:
                raise ValueError("it cannot be empty")
            values[name] = typed
        except (ValueError, OverflowError) as error:
            fix = f"{parameter.about or parameter.kind}; the default is {parameter.default!r}"
            errors.append(InputError(f"Parameter '{name}': {error}.", where(name), fix))
    return values, errors
