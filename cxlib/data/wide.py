"""Wide survey exports, one row a respondent, to one row an answer."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from cxlib.errors import InputError
from cxlib.workbook import TableSpec, WideSpec


@dataclass(frozen=True)
class AnswerColumn:
    """A source column that holds the answers to one item in one role."""

    column: str
    item: str
    role: str


def find_answer_columns(
    header: Collection[str], spec: TableSpec, items: Collection[str] | None, where: str
) -> list[AnswerColumn]:
    """Match source columns with the patterns of a wide survey.

    Parameters
    ----------
    header : collection of str
        Source columns.
    spec : TableSpec
        Its ``wide`` patterns and ``outcome`` columns. ``{item}`` is any text, ``*`` any text that
        is not kept.
    items : collection of str or None
        Items of the ``items`` table, when there is one: only these are matched.
    where : str
        File and table, for messages.

    Returns
    -------
    list of AnswerColumn
        In header order, by role.

    Raises
    ------
    InputError
        When a pattern matches nothing, a column answers two roles, or an outcome is missing.
    """
    found, errors = [], []
    for role, wide in spec.wide.items():
        matched = _match(header, role, wide)
        matched = [answer for answer in matched if items is None or answer.item in items]
        if not matched:
            known = f" for an item of the items table ({', '.join(sorted(items or ())[:5])}, ...)"
            errors.append(
                InputError(
                    f"The pattern '{wide.pattern}' for '{role}' matches no column"
                    f"{known if items else ''}.",
                    where,
                    f"the columns are {list(header)[:8]}",
                )
            )
        found += matched
    for outcome in spec.outcome:
        if outcome not in header:
            fix = f"the columns are {list(header)[:8]}"
            errors.append(InputError(f"The outcome '{outcome}' is no column.", where, fix))
        found.append(AnswerColumn(outcome, outcome, "outcome"))
    errors += _clashes(found, where)
    if errors:
        raise InputError.join(errors)
    return found


def match_columns(header: Collection[str], spec: TableSpec) -> list[AnswerColumn]:
    """Match columns with the patterns alone, whatever the items table holds.

    Parameters
    ----------
    header : collection of str
        Source columns.
    spec : TableSpec
        Its ``wide`` patterns.

    Returns
    -------
    list of AnswerColumn
        By role, in header order.
    """
    return [answer for role, wide in spec.wide.items() for answer in _match(header, role, wide)]


def _match(header: Collection[str], role: str, wide: WideSpec) -> list[AnswerColumn]:
    before, after = (
        ".*".join(re.escape(part) for part in side.split("*"))
        for side in wide.pattern.split("{item}")
    )
    pattern = re.compile(f"{before}(.+?){after}", re.DOTALL)
    matches = [(column, pattern.fullmatch(column)) for column in header]
    return [
        AnswerColumn(column, wide.item.replace("{item}", match.group(1).strip()), role)
        for column, match in matches
        if match
    ]


def _clashes(found: list[AnswerColumn], where: str) -> list[InputError]:
    errors: list[InputError] = []
    seen: dict[tuple[str, ...], AnswerColumn] = {}
    for answer in found:
        for key in (("column", answer.column), ("item", answer.item, answer.role)):
            other = seen.setdefault(key, answer)
            if other is not answer:
                errors.append(
                    InputError(
                        f"'{other.column}' as {other.item}/{other.role} and '{answer.column}' as "
                        f"{answer.item}/{answer.role} clash.",
                        where,
                        "make the patterns narrower, or list the items in an items table",
                    )
                )
    return errors


def stack_answers(
    rows: pd.DataFrame, answers: list[AnswerColumn], about: pd.DataFrame
) -> pd.DataFrame:
    """Stack answer columns; empty cells are no answers.

    Parameters
    ----------
    rows : pandas.DataFrame
        Text cells, one row a respondent.
    answers : list of AnswerColumn
        Columns to stack.
    about : pandas.DataFrame
        What is known of the respondents, same index as ``rows``.

    Returns
    -------
    pandas.DataFrame
        One row an answer in respondent order: the columns of ``about``, then ``item``, ``role``,
        ``value`` (text) and ``place``, the position of the respondent's row.
    """
    parts = []
    for order, answer in enumerate(answers):
        cells = rows[answer.column]
        filled = (cells != "").to_numpy()
        part = about[filled].assign(
            item=answer.item, role=answer.role, value=cells[filled], place=filled.nonzero()[0]
        )
        parts.append(part.assign(order=order))
    stacked = pd.concat(parts, ignore_index=True)
    return stacked.sort_values(["place", "order"], ignore_index=True).drop(columns="order")
