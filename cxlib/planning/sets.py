"""The parameter sets of one entry of a manifest: crossed, one per segment, overridden, named."""

from __future__ import annotations

import itertools
import math
import string
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cxlib.errors import InputError, TooLittleData, closest
from cxlib.parameters import Parameter, read_values
from cxlib.planning.names import write_value
from cxlib.planning.options import SEGMENTED, Cut, Data

if TYPE_CHECKING:
    from cxlib.planning.manifest import ForEach, RunSpec

MOST_SETS = 10_000
Given = dict[str, tuple[Any, str]]  # value and where it is written, by parameter
Place = Callable[..., str]


def combine(spec: RunSpec, defaults: Given, place: Place) -> list[Given]:
    """Cross the sets with the matrix, over the parameters of all of them.

    Parameters
    ----------
    spec : RunSpec
        An entry of ``runs:``.
    defaults : dict
        Parameters that anything said in the entry replaces.
    place : callable
        Where keys of the entry are written.

    Returns
    -------
    list of dict
        One set at least.

    Raises
    ------
    InputError
        When a parameter is given in two ways, or there are more sets than anyone can read.
    """
    _check_given_once(spec, place)
    sources: list[list[Given]] = [
        [{name: (value, place("matrix", name, i))} for i, value in enumerate(values)]
        for name, values in spec.matrix.items()
    ]
    if spec.sets:
        sources.append([_located(one, place, "sets", i) for i, one in enumerate(spec.sets)])
    check_number(math.prod(map(len, sources)), place)
    common = defaults | _located(spec.parameters, place, "parameters")
    return [
        common | {name: given for part in parts for name, given in part.items()}
        for parts in itertools.product(*sources)
    ]


def _located(values: Mapping[str, Any], place: Place, *keys: str | int) -> Given:
    return {name: (value, place(*keys, name)) for name, value in values.items()}


def check_number(n: int, place: Place) -> None:
    """Refuse to make more reports than anyone can read.

    Parameters
    ----------
    n : int
        Sets asked for.
    place : callable
        Where keys of the entry are written.

    Raises
    ------
    InputError
        Above ten thousand.
    """
    if n > MOST_SETS:
        problem = f"These are {n:,} sets; a batch has {MOST_SETS:,} at most."
        raise InputError(problem, place(), "ask for fewer, or split the batch")


def _check_given_once(spec: RunSpec, place: Place) -> None:
    givers: dict[str, str] = {}
    named: list[tuple[str, Iterable[str]]] = [
        ("matrix", spec.matrix),
        ("sets", {name for one in spec.sets for name in one}),
    ]
    if spec.for_each:
        named += [("parameters", spec.parameters), ("for_each", names_of(spec.for_each))]
    for key, names in named:
        for name in names:
            # what `parameters` gives is what sets and matrix may change
            if name in givers and key != "parameters":
                problem = f"The parameter '{name}' is given by '{givers[name]}' and by '{key}'."
                raise InputError(problem, place(key), "keep one of them")
            givers[name] = key


def names_of(each: ForEach) -> tuple[str, ...]:
    """List the parameters that ``for_each`` gives.

    Parameters
    ----------
    each : ForEach
        What the manifest says.

    Returns
    -------
    tuple of str
        Those of a segment, unless it names another.
    """
    return (each.parameter,) if each.parameter else ("segment_by", "segment")


def count_segments(each: ForEach, data: Data, cut: Cut, place: Place) -> list[tuple[str, int]]:
    """Count the rows of each value of a column.

    Parameters
    ----------
    each : ForEach
        Table and column.
    data : Data
        The workbook.
    cut : Cut
        What the set looks at; a value without a row there is listed with 0.
    place : callable
        Where keys of the entry are written.

    Returns
    -------
    list of tuple
        Value and rows, by value. Rows without a value belong to none.

    Raises
    ------
    InputError
        When the table or the column is not there, or cannot make segments.
    """
    names = [name for name in data.open(Cut()).names if each.parameter or name in SEGMENTED]
    if each.table not in names:
        problem = f"There is no table '{each.table}' to take values from."
        raise InputError(problem, place("for_each", "table"), closest(each.table, names))
    columns = [name for name in data.columns(Cut(), each.table) if name != "_row"]
    if each.column not in columns:
        problem = f"The table '{each.table}' has no column '{each.column}'."
        raise InputError(problem, place("for_each", "column"), closest(each.column, columns))
    column = each.column
    if not each.parameter:
        holder = data.holder(column)
        if holder != each.table:
            problem = f"'{column}' is a column of '{holder}', too, and segments are made there."
            raise InputError(problem, place("for_each", "table"), f"write table: {holder}")
        column, cut = "segment", Cut(each.column, "", cut.period_start, cut.period_end)
    try:
        whole = data.count(Cut(segment_by=cut.segment_by), each.table, column)
    except InputError as error:  # not constant within a journey, or an id
        raise InputError(error.problem, place("for_each", "column"), error.fix) from error
    rows = dict.fromkeys(whole[column].astype(str), 0)
    check_number(len(rows), place)
    try:
        part = data.count(cut, each.table, column)
        rows |= dict(zip(part[column].astype(str), part["n"].astype(int), strict=True))
    except (InputError, TooLittleData):
        pass  # a cut that cannot be made is told where the set is checked
    return sorted(rows.items())


def override(
    spec: RunSpec, sets: list[Given], declared: Mapping[str, Parameter], place: Place
) -> tuple[list[Given], list[InputError]]:
    """Change the parameters of the sets that have some values.

    Parameters
    ----------
    spec : RunSpec
        An entry of ``runs:``.
    sets : list of dict
        Its sets.
    declared : mapping of str to Parameter
        What the notebook declares.
    place : callable
        Where keys of the entry are written.

    Returns
    -------
    list of dict
        The sets, changed.
    list of InputError
        Conditions that name no parameter, or that no set meets.
    """
    values = [read_values(declared, plain_values(given), place)[0] for given in sets]
    changed, errors = list(sets), []
    for number, change in enumerate(spec.overrides):

        def where(name: str, number: int = number) -> str:
            """Tell where a condition is written."""
            return place("overrides", number, "when", name)

        wanted, wrong = read_values(declared, change.when, where)
        if wrong:
            errors += wrong
            continue
        met = [all(one[name] == wanted[name] for name in change.when) for one in values]
        if not any(met):
            name = next(iter(change.when))
            known = sorted({write_value(one[name]) for one in values} - {""})
            fix = closest(write_value(wanted[name]), known)
            errors.append(InputError(f"No set has {_say(change.when)}.", where(name), fix))
        new = _located(change.parameters, place, "overrides", number, "parameters")
        changed = [one | new if is_met else one for one, is_met in zip(changed, met, strict=True)]
    return changed, errors


def plain_values(given: Given) -> dict[str, Any]:
    """Drop where each value is written.

    Parameters
    ----------
    given : dict
        Value and place by parameter.

    Returns
    -------
    dict of str to object
        Value by parameter.
    """
    return {name: value for name, (value, _) in given.items()}


def _say(values: Mapping[str, Any]) -> str:
    return " and ".join(f"{name} = '{write_value(value)}'" for name, value in values.items())


def read_title(title: str, declared: Mapping[str, Parameter], where: str) -> list[str]:
    """Read which parameters a title is made of.

    Parameters
    ----------
    title : str
        Text with names in braces.
    declared : mapping of str to Parameter
        What the notebook declares.
    where : str
        Where it is written.

    Returns
    -------
    list of str
        Names of parameters, or ``notebook``.

    Raises
    ------
    InputError
        When something else than a plain name stands in the braces.
    """
    known = ["notebook", *(name for name in declared if name != "workbook")]
    fix = "write names of parameters in braces, {{ and }} for braces"
    try:
        parts = list(string.Formatter().parse(title))
    except ValueError as error:
        raise InputError(f"The title '{title}' cannot be read: {error}.", where, fix) from error
    names = []
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if form or conversion or not name.isidentifier():
            inside = name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
            raise InputError(f"The title holds '{{{inside}}}', which is no name.", where, fix)
        if name not in known:
            problem = f"The title holds '{{{name}}}', which the notebook does not declare."
            raise InputError(problem, where, closest(name, known))
        names.append(name)
    return names


def fill_title(title: str, values: Mapping[str, Any], where: str) -> str:
    """Fill in a title.

    Parameters
    ----------
    title : str
        Text with the names in braces that :func:`read_title` has allowed.
    values : mapping of str to object
        Parameters of a set.
    where : str
        Where the title is written.

    Returns
    -------
    str
        One line of printable text.

    Raises
    ------
    InputError
        When a value that is named is empty.
    """
    said = {name: write_value(value) for name, value in values.items()}
    text = ""
    for literal, name, _, _ in string.Formatter().parse(title):
        if name is not None and not said[name]:
            problem = f"The title names '{name}', which is empty in one of the sets."
            raise InputError(problem, where, "give it a value, or take it out of the title")
        text += literal + (said[name] if name is not None else "")
    return write_value(text)
