"""Header rows: survey exports have up to three, of which each column gets one name."""

from __future__ import annotations

import re

import pandas as pd

from cxlib.errors import InputError
from cxlib.schema import TABLES
from cxlib.workbook import TableSpec

JOINT = " / "  # between a question and what is asked below it
_IMPORT_ID = '{"ImportId"'
_LOOK = 50  # records that show what a column usually holds
_LEAST = 3  # columns, and records, that must agree before a row is taken for a header
_PLAIN_ANSWERS = {"Response", "Open-Ended Response"}  # SurveyMonkey's second row


def name_columns(names: list[str], where: str) -> list[str]:
    """Name every column of a header once.

    Parameters
    ----------
    names : list of str
        The header; a column without a name is called ``column_3``, after its place.
    where : str
        File and table, for messages.

    Returns
    -------
    list of str
        Distinct names.

    Raises
    ------
    InputError
        When two names are equal.
    """
    named = [name.strip() or _place_name(i) for i, name in enumerate(names)]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise InputError(f"The header names {twice} twice.", where, "rename one of them")
    return named


def _place_name(place: int) -> str:
    return f"column_{place + 1}"


def read_header(rows: list[list[str]], first: int, where: str) -> list[str]:
    """Name the columns by one or several header rows.

    Parameters
    ----------
    rows : list of list of str
        The header rows as the file has them, at least one.
    first : int
        Row number of the first.
    where : str
        File and table, for messages.

    Returns
    -------
    list of str
        Distinct names.

    Raises
    ------
    InputError
        When two names are equal, or when a header row holds a record.

    Notes
    -----
    A name in the first row stands for its column, whatever the rows below say (question texts
    and import ids of Qualtrics, ``Response`` of SurveyMonkey). A question whose cells to the right
    are empty spans them: its columns are called ``question / answer option``.
    """
    if len(rows) == 1:
        return name_columns(rows[0], where)
    width = max(map(len, rows))
    top, *below = [[*(_tidy(cell) for cell in row), *[""] * (width - len(row))] for row in rows]
    names, alone, question = [], [], ""
    for i in range(width):
        question = top[i] or question
        under = [row[i] for row in below if row[i]]
        spans = i + 1 < width and not top[i + 1] and any(row[i + 1] for row in below)
        if top[i] and not spans:
            names.append(top[i])
            alone.append(i)
        else:
            names.append(JOINT.join([question, *under] if under else [top[i]]))
    for number, row in enumerate(below, start=first + 1):
        _refuse_record(row, alone or list(range(width)), number, where)
    return name_columns(names, where)


def _tidy(cell: str) -> str:
    return " ".join(cell.split())


def _is_number(cell: str) -> bool:
    """Tell numbers and dates from words; both are false for an empty cell."""
    return bool(re.fullmatch(r"[\d\W_]*\d[\d\W_]*", cell))


def _refuse_record(row: list[str], columns: list[int], number: int, where: str) -> None:
    filled = [row[i] for i in columns if row[i]]
    numbers = [cell for cell in filled if _is_number(cell)]
    if numbers and len(numbers) * 2 >= len(filled):
        raise InputError(
            f"Row {number} is declared a header row but holds a record ('{numbers[0][:20]}').",
            where,
            "set 'header_rows:' to the number of rows above the first record",
        )


def refuse_header_rows(
    frame: pd.DataFrame, first: int, spec: TableSpec, table: str, where: str
) -> None:
    """Refuse a file whose first records are header rows that the workbook does not declare.

    Parameters
    ----------
    frame : pandas.DataFrame
        Records as text.
    first : int
        Row number of the first.
    spec : TableSpec
        Its ``header_rows``.
    table : str
        Name of the table.
    where : str
        File and table, for messages.

    Raises
    ------
    InputError
        When a row holds Qualtrics' import ids, or looks like the second header row of a survey.

    Notes
    -----
    What only looks like a header row is taken for a record when the workbook says
    ``header_rows: 1``.
    """
    head = frame.head(_LOOK).astype(str).to_numpy(dtype=object)
    unnamed = [name == _place_name(i) for i, name in enumerate(frame.columns)]
    of_survey = TABLES[table].knows("respondent_id") and not {"header", "header_rows"} & (
        spec.model_fields_set
    )
    n, shown, fix = 0, "", ""
    for i, row in enumerate(head[:_LEAST]):
        if any(_IMPORT_ID in cell for cell in row):
            n, shown, fix = i + 1, f"Row {first + i} holds Qualtrics' import ids", ""
        elif of_survey and n == i and _looks_like_header(row, head[i + 1 :], unnamed):
            cells = [cell for cell in row if cell][:_LEAST]
            n, shown = i + 1, f"Row {first + i} looks like a header row, not like a record: {cells}"
            fix = "; if it is a record, 'header_rows: 1'"
    if n:
        rows, instead = (n, " and remove 'header'") if spec.header else (spec.header_rows + n, fix)
        raise InputError(f"{shown}.", where, f"set 'header_rows: {rows}' for this table{instead}")


def _looks_like_header(row: list[str], below: list[list[str]], unnamed: list[bool]) -> bool:
    filled = [cell for cell in row if cell]
    if not row[0] and filled:  # SurveyMonkey leaves the columns about the respondent empty
        options = any(cell and bare for cell, bare in zip(row, unnamed, strict=True))
        if options or set(filled) <= _PLAIN_ANSWERS:
            return True
    if any(_is_number(cell) for cell in filled) or len(below) < _LEAST:
        return False
    words = set()
    for i, cell in enumerate(row):
        others = [other[i] for other in below if other[i]]
        if cell and len(others) >= _LEAST and all(_is_number(other) for other in others):
            words.add(cell)
    return len(words) >= _LEAST
