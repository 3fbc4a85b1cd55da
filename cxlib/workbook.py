"""``cx.yml`` as a typed model: a user's own files mapped to the contract."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError

from cxlib import schema
from cxlib.engine import FILES, Engine, parse_engine
from cxlib.errors import InputError, closest
from cxlib.mapping import check_mapping

SAMPLES = "samples"
MOST_VALUES = 200_000  # in a file of settings; aliases of aliases can stand for any number
Lines = dict[tuple[str, ...], int]
Unit = Literal["seconds", "minutes", "hours", "days", "weeks", "months", "years"]
Texts = Annotated[list[str], BeforeValidator(lambda v: [v] if isinstance(v, str) else v)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ColumnSpec(_Model):
    """Where one column of the contract comes from."""

    column: str | None = None
    value: str | None = None
    unit: Unit | None = None
    date_format: str | None = None
    timezone: str | None = None
    true: Texts = []
    false: Texts = []
    values: dict[str, str] = {}
    labels: bool = False
    missing: Texts = []


class WideSpec(_Model):
    """Source columns that hold the answers of one role; ``values`` turns words into numbers."""

    pattern: str
    item: str = "{item}"
    values: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = {}


def _day(value: Any) -> Any:
    if not re.fullmatch(r"(19|2[01])\d\d-\d\d-\d\d", str(value)):
        raise ValueError("it is no day from 1900 to 2199, written YYYY-MM-DD")
    return value


def _column(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


def _wide(value: Any) -> Any:
    return {"pattern": value} if isinstance(value, str) else value


class TableSpec(_Model):
    """One table of the workbook: a source, how to read it, and its columns."""

    source: str
    sheet: str | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    header: list[str] | None = None
    header_rows: int = Field(default=1, ge=1, le=5)
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'"] | None = None
    date_format: str | None = None
    timezone: str | None = None
    columns: dict[str, Annotated[ColumnSpec, BeforeValidator(_column)]] = {}
    ignore: Texts = []
    duplicates: Literal["refuse", "keep"] = "refuse"
    missing: Texts = []
    respondent_id: str | None = None
    wide: dict[str, Annotated[WideSpec, BeforeValidator(_wide)]] = {}
    outcome: Texts = []


class Money(_Model):
    """What a customer is worth."""

    currency: str = "EUR"
    horizon_months: float = Field(default=12, gt=0, allow_inf_nan=False)
    margin_share: float = Field(default=1, gt=0, le=1)


class Workbook(_Model):
    """A validated ``cx.yml``.

    Parameters
    ----------
    name : str
        Whose data it is; a headline of every page.
    as_of : datetime.date
        Last day used, included.
    tables : dict of str to TableSpec
        Any subset of the contract's tables.
    engine : str, default "duckdb"
        Where tables are that are no files: a URL; ``"duckdb"`` when all are files.
    stages : list of str
        Lifecycle stages in order.
    money : Money or None
        Currency, horizon and margin; None when the workbook names none.
    """

    name: str
    as_of: Annotated[datetime.date, BeforeValidator(_day)]
    tables: dict[str, TableSpec] = Field(min_length=1)
    engine: str = FILES
    stages: list[str] = list(schema.STAGES)
    money: Money | None = None
    _file: Path = PrivateAttr(default=Path("cx.yml"))
    _engine: Engine | None = PrivateAttr(default=None)

    @property
    def file(self) -> Path:
        """Where it was read from."""
        return self._file

    @property
    def tables_engine(self) -> Engine | None:
        """The engine that holds tables; None when all sources are files."""
        return self._engine

    @property
    def folder(self) -> Path:
        """Folder that relative sources start from."""
        return self._file.parent


def shipped(*parts: str) -> Path:
    """Find a folder that ships with cxlib, in a checkout or in an installed wheel.

    Parameters
    ----------
    *parts : str
        Path below the project's root, such as ``"data", "samples"``.

    Returns
    -------
    pathlib.Path
        Where it lies.
    """
    package = Path(__file__).resolve().parent
    installed = package.joinpath("_shipped", *parts)
    return installed if installed.exists() else package.parent.joinpath(*parts)


def read_workbook(path: str | os.PathLike[str]) -> Workbook:
    """Read and check a ``cx.yml``.

    Parameters
    ----------
    path : str or path
        The file, its folder, or ``"samples"`` for the company that ships with cxlib.

    Returns
    -------
    Workbook
        The typed model; sources are still paths relative to the file.

    Raises
    ------
    InputError
        When the file is not there, is no YAML, or says something the model does not know.
    """
    file = shipped("data", "samples", "cx.yml") if str(path) == SAMPLES else Path(path)
    if os.path.isdir(file):  # Path.is_dir raises when a name is too long
        file = file / "cx.yml"
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"There is no workbook '{file}'.",
            str(file.parent),
            "name an existing cx.yml with --workbook, or use 'samples'",
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"'{file.name}' is not UTF-8.", str(file), "save it as UTF-8") from error
    content, lines = load_yaml(text, file)
    try:
        book = Workbook.model_validate(content)
    except ValidationError as error:
        raise InputError.join(explain(error, file, lines, _known_keys)) from error
    book._file = file.resolve()
    book._engine = parse_engine(book.engine, _where(file, ("engine",), lines))
    check_mapping(book, lambda *keys: _where(file, keys, lines))
    return book


class _Loader(yaml.SafeLoader):
    """YAML whose scalars stay text, so that ``Yes``, ``007`` and ``1e3`` are what was written."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":null", ":merge"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "null", "map", "seq", "merge")}


def load_yaml(text: str, file: Path) -> tuple[dict[str, Any], Lines]:
    """Load YAML whose scalars stay text, with the line of every key.

    Parameters
    ----------
    text : str
        The document.
    file : pathlib.Path
        For messages.

    Returns
    -------
    dict
        Its content.
    dict of tuple of str to int
        Line by path of keys.

    Raises
    ------
    InputError
        When it is no YAML, no mapping, gives a key twice, asks for another type than text, or
        holds a text that no file can hold.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        lines = _lines(node, (), {}, file) if node is not None else {}
        content = loader.construct_document(node) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(file)
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise InputError(f"'{file.name}' is not valid YAML: {problem}.", where) from error
    except RecursionError as error:
        raise InputError(f"'{file.name}' is nested without end.", str(file)) from error
    if not isinstance(content, dict):
        raise InputError(f"'{file.name}' holds no settings.", str(file), "see the README")
    return content, lines


def _lines(node: yaml.Node, path: tuple[str, ...], found: Lines, file: Path) -> Lines:
    """Collect the line of every key; a key given twice is refused rather than half ignored."""
    if len(found) > MOST_VALUES:
        problem = f"'{file.name}' holds more than {MOST_VALUES:,} values."
        raise InputError(problem, str(file), "name fewer; an alias counts as often as it is used")
    _check_node(node, path, file)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            _check_node(key, here, file)
            if here in found:
                raise InputError(
                    f"The key '{key.value}' is given twice.",
                    f"{file}, lines {found[here]} and {key.start_mark.line + 1}",
                    "keep one of them",
                )
            found[here] = key.start_mark.line + 1
            _lines(value, here, found, file)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            here = (*path, str(number))
            found[here] = value.start_mark.line + 1
            _lines(value, here, found, file)
    return found


def _check_node(node: yaml.Node, path: tuple[str, ...], file: Path) -> None:
    """Refuse what is no text, list or mapping, and text that can be in no file and no name."""
    keys = ".".join(path).encode(errors="backslashreplace").decode()
    where = f"{file}, line {node.start_mark.line + 1}, {keys or 'top level'}"
    if node.tag not in _TAGS:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        fix = "leave it out: what is written is read as text, and typed where it is used"
        raise InputError(f"'{keys}' has the tag '{tag}'.", where, fix)
    if not isinstance(node, yaml.ScalarNode):
        return
    try:
        is_sound = b"\0" not in node.value.encode()
    except UnicodeEncodeError:  # half of a character that is written as two escapes
        is_sound = False
    if not is_sound:
        problem = f"'{keys}' holds a character that cannot be saved."
        raise InputError(problem, where, "write the character itself, without escape, or none")


def _where(file: Path, location: tuple[str, ...], lines: Lines) -> str:
    known = location
    while known and known not in lines:
        known = known[:-1]
    line = f", line {lines[known]}" if known else ""
    return f"{file}{line}, {'.'.join(location) or 'top level'}"


_FIELDS: dict[str, type[_Model]] = {"columns": ColumnSpec, "wide": WideSpec, "tables": TableSpec}


def _known_keys(location: tuple[str, ...]) -> list[str]:
    model: type[_Model] = Workbook
    if len(location) > 1:
        model = Money if location[0] == "money" else _FIELDS.get(location[-3:-2][0], TableSpec)
        if len(location) == 3:
            model = TableSpec
    return list(model.model_fields)


def explain(
    error: ValidationError,
    file: Path,
    lines: Lines,
    known_keys: Callable[[tuple[str, ...]], list[str]],
) -> list[InputError]:
    """Turn a model's findings into messages for the person who wrote the file.

    Parameters
    ----------
    error : pydantic.ValidationError
        What the model found.
    file : pathlib.Path
        The file.
    lines : dict of tuple of str to int
        From :func:`load_yaml`.
    known_keys : callable
        The keys allowed beside a path of keys.

    Returns
    -------
    list of InputError
        One a finding.
    """
    errors = []
    for detail in error.errors():
        location = tuple(str(part) for part in detail["loc"])
        where, key = _where(file, location, lines), location[-1] if location else ""
        if detail["type"] == "extra_forbidden":
            fix = closest(key, known_keys(location))
            errors.append(InputError(f"The key '{key}' is unknown.", where, fix))
        elif detail["type"] == "missing":
            fix = f"add '{key}:'"
            if key == "as_of":
                fix = "add 'as_of: YYYY-MM-DD', the last day to use; today is never assumed"
            errors.append(InputError(f"The key '{key}' is missing.", where, fix))
        else:
            given = detail["input"] if isinstance(detail["input"], str | int | float) else "..."
            problem = f"'{key}' cannot be '{given}': {detail['msg'].lower()}."
            errors.append(InputError(problem, where, _hint(key)))
    return errors


def _hint(key: str) -> str:
    if key == "as_of":
        return "write a day as YYYY-MM-DD"
    return "see 'cx check --contract' and the README for what it may be"
