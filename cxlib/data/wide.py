"""Wide survey exports, one row a respondent, to one row an answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.data import words
from cxlib.data.columns import MOST_WRONG, Reading
from cxlib.data.ledger import EXAMPLES, REPEATED
from cxlib.errors import InputError
from cxlib.workbook import TableSpec, WideSpec

_LABELLED = r"\d+\s*\W?\s*[^\W\d].*"  # a point of the scale with its label: 5 - very satisfied


@dataclass(frozen=True)
class AnswerColumn:
    """A source column that holds the answers to one item in one role."""

    column: str
    item: str
    role: str


@dataclass(frozen=True)
class _Cells:
    """The cells of an answer column: by code its word, its number and what is wrong with it."""

    answer: AnswerColumn
    codes: NDArray[np.int_]
    text: pd.Series
    number: NDArray[np.float64]
    is_bad: NDArray[np.bool_]
    is_off: NDArray[np.bool_]

    @property
    def value(self) -> NDArray[np.float64]:
        """The answer by code; NaN where there is none that counts."""
        return np.where(self.is_bad | self.is_off, np.nan, self.number)


@dataclass(frozen=True)
class Answers:
    """The answers of a wide survey, stacked when they are asked for.

    Parameters
    ----------
    about : pandas.DataFrame
        What is known of the respondents, one row a row of the source.
    cells : list
        The answer columns.
    rows : ndarray of int
        Places of the rows kept.
    """

    about: pd.DataFrame
    cells: list[_Cells]
    rows: NDArray[np.intp]

    @property
    def count(self) -> int:
        """Number of answers kept."""
        return sum(int((~np.isnan(c.value))[c.codes[self.rows]].sum()) for c in self.cells)

    def parts(self, part_rows: int) -> Iterator[pd.DataFrame]:
        """Stack the answers; empty cells are no answers.

        Parameters
        ----------
        part_rows : int
            About how many answers a part has; a respondent is never divided.

        Yields
        ------
        pandas.DataFrame
            One row an answer in respondent order: the columns of ``about``, then ``item``,
            ``role`` and ``value``.
        """
        items, roles = (
            words.encode(getattr(cells.answer, name) for cells in self.cells)
            for name in ("item", "role")
        )
        values = [cells.value for cells in self.cells]
        step = max(1, part_rows // len(self.cells))
        for start in range(0, len(self.rows), step):
            rows = self.rows[start : start + step]
            grid = np.column_stack(
                [value[c.codes[rows]] for value, c in zip(values, self.cells, strict=True)]
            )
            row, column = np.nonzero(~np.isnan(grid))
            if len(row):
                part = self.about.iloc[rows[row]].reset_index(drop=True)
                yield part.assign(
                    item=items.iloc[column].array,
                    role=roles.iloc[column].array,
                    value=grid[row, column],
                )


def read_answers(
    reading: Reading, about: pd.DataFrame, scales: Mapping[tuple[str, str], tuple[float, float]]
) -> Answers:
    """Read the answer columns of a wide survey; a refused answer changes its row.

    Parameters
    ----------
    reading : Reading
        The table.
    about : pandas.DataFrame
        What is known of the respondents.
    scales : mapping of (item, role) to (lowest, highest)
        From the ``items`` table, the only items matched; empty when there is none.

    Returns
    -------
    Answers
        What is kept.

    Raises
    ------
    InputError
        When patterns do not fit the header, or a column holds words that no ``values`` declare.
    """
    spec, audit, frame = reading.spec, reading.audit, reading.rows.frame
    known = {item for item, _ in scales} or None
    used = {source.column for source in spec.columns.values()} | {spec.respondent_id}
    header = [name for name in frame.columns if name not in used]
    answers = find_answer_columns(header, spec, known, reading.where)
    _note_unknown_items(reading, header, answers)
    cells = [_read_cells(reading, answer, scales) for answer in answers]
    _refuse_words(reading, cells)
    unanswered = np.logical_and.reduce([c.codes == 0 for c in cells])
    audit.note("no answer in the row", unanswered)
    _drop_answers(reading, "bad number", cells, [c.is_bad for c in cells])
    _drop_answers(reading, "off the scale", cells, [c.is_off for c in cells])
    return Answers(about, cells, np.flatnonzero(audit.alive))


def _read_cells(
    reading: Reading,
    answer: AnswerColumn,
    scales: Mapping[tuple[str, str], tuple[float, float]],
) -> _Cells:
    spec = reading.spec
    cells = reading.cells(answer.column, spec.missing)
    text = words.words_of(cells)
    number = reading.numbers(text, answer.column)
    if answer.role in spec.wide and answer.column not in spec.outcome:
        declared = text.map(spec.wide[answer.role].values).to_numpy(dtype=float)
        number = np.where(np.isnan(declared), number, declared)
    is_bad = (text != "").to_numpy() & ~np.isfinite(number)
    both = (np.nan, np.nan)  # no scale, nothing off it
    low, high = scales.get((answer.item, answer.role), scales.get((answer.item, ""), both))
    is_off = ((number < low) | (number > high)) & ~is_bad
    return _Cells(answer, words.codes_of(cells), text, number, is_bad, is_off)


def _refuse_words(reading: Reading, cells: list[_Cells]) -> None:
    """Refuse answers written as words: dropping them would drop one end of the scale."""
    said: dict[str, dict[str, int]] = {}
    for column in cells:
        n = np.bincount(column.codes[reading.audit.alive], minlength=len(column.text))
        wrong = n * column.is_bad
        labelled = column.text.str.fullmatch(_LABELLED).to_numpy(dtype=bool) & (wrong >= REPEATED)
        most = wrong.sum() > max(n[1:].sum() / 2, MOST_WRONG)
        all_ = wrong.sum() == n[1:].sum() >= EXAMPLES
        if labelled.any() or most or all_:
            counts = said.setdefault(column.answer.role, {})
            for code in np.flatnonzero(wrong):
                word = str(column.text[code])
                counts[word] = counts.get(word, 0) + int(wrong[code])
    errors = []
    for role, counts in said.items():
        often = sorted(counts, key=lambda word: (-counts[word], word))
        shown = [word[:40] for word in often if counts[word] > 1][:7] or [often[0][:40]]
        pattern = reading.spec.wide[role].pattern if role in reading.spec.wide else "{item}"
        errors.append(
            InputError(
                f"{sum(counts.values()):,} answers of the role '{role}' are no numbers: {shown}.",
                reading.where,
                f"say what they stand for: wide: {{{role}: {{pattern: '{pattern}', values: "
                f"{{'{shown[0]}': NUMBER, ...}}}}}}; a word that means no answer belongs under "
                "'missing'",
            )
        )
    if errors:
        raise InputError.join(errors)


def _note_unknown_items(reading: Reading, header: list[str], answers: list[AnswerColumn]) -> None:
    """Name columns that a pattern matches but whose item the items table does not hold."""
    matched = {answer.column for answer in answers}
    spec = reading.spec.model_copy(update={"outcome": []})
    for answer in match_columns(header, spec) if spec.wide else []:
        if answer.column not in matched:
            filled = words.is_filled(reading.cells(answer.column, reading.spec.missing))
            reading.audit.note(f"'{answer.column}' is no item of the items table", filled)


def _drop_answers(
    reading: Reading, rule: str, cells: list[_Cells], wrong: list[NDArray[np.bool_]]
) -> None:
    audit, n = reading.audit, 0
    rows = np.zeros(len(audit.row), dtype=bool)
    for column, is_wrong in zip(cells, wrong, strict=True):
        if is_wrong.any():
            here = is_wrong[column.codes] & audit.alive
            n += int(here.sum())
            rows |= here
    shown = pd.Series("", index=range(len(rows)), dtype=object)
    for row in np.flatnonzero(rows)[:EXAMPLES]:
        shown[row] = next(
            column.text[column.codes[row]]
            for column, is_wrong in zip(cells, wrong, strict=True)
            if is_wrong[column.codes[row]]
        )
    audit.change(rule, rows, shown, cells=n)


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
