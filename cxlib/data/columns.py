"""One column of a source to one typed column of the contract, with its rules."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.data import words
from cxlib.data.clock import end_of_day, parse_moments
from cxlib.data.ledger import Audit
from cxlib.data.sources import Rows
from cxlib.errors import InputError
from cxlib.schema import Column, Table
from cxlib.workbook import ColumnSpec, TableSpec

_DAYS = {
    "seconds": 1 / 86400,
    "minutes": 1 / 1440,
    "hours": 1 / 24,
    "days": 1.0,
    "weeks": 7.0,
    "months": 30.4375,
    "years": 365.25,
}
_SECONDS = {unit: round(days * 86400) for unit, days in _DAYS.items()}
_TRUE, _FALSE = ("true", "1"), ("false", "0")
MOST_WRONG = 20  # unreadable cells a column may hold whatever its length


@dataclass
class Reading:
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
        """Return the encoded text of a source column, stripped, missing codes emptied.

        Parameters
        ----------
        column : str
            A source column.
        missing : list of str
            Codes that mean no answer.

        Returns
        -------
        pandas.Series of category
            Shape (n,).
        """

        def tidy(text: pd.Series) -> pd.Series:
            """Strip and empty."""
            text = text.str.strip()
            return text.mask(text.isin(missing), "")

        return words.change_words(self.rows.frame[column], tidy)

    def typed(self, column: str | None) -> str:
        """Tell the kind that an engine gave a source column.

        Parameters
        ----------
        column : str or None
            A source column.

        Returns
        -------
        str
            ``""`` for text.
        """
        return self.rows.typed.get(column or "", "")

    def numbers(self, text: pd.Series, column: str | None) -> NDArray[np.float64]:
        """Read numbers as a source column writes them.

        Parameters
        ----------
        text : pandas.Series of str
            Distinct words of the column.
        column : str or None
            The source column.

        Returns
        -------
        ndarray of float
            NaN where a word is no number.
        """
        if self.typed(column) != "number":
            if self.spec.thousands:
                grouped = re.escape(self.spec.thousands)
                point = re.escape(self.spec.decimal)
                whole = text.str.fullmatch(rf"[+-]?\d{{1,3}}(?:{grouped}\d{{3}})+(?:{point}\d+)?")
                text = text.mask(whole, text.str.replace(self.spec.thousands, "", regex=False))
            if self.spec.decimal == ",":  # then 1.234 may mean a thousand: not guessed
                text = text.mask(text.str.contains(".", regex=False), "?")
                text = text.str.replace(",", ".", regex=False)
        return pd.to_numeric(text, errors="coerce").to_numpy(dtype=float)


def read_column(reading: Reading, name: str, source: ColumnSpec) -> Any:
    """Type one column and audit its cells.

    Parameters
    ----------
    reading : Reading
        The table.
    name : str
        Column of the contract, or an attribute.
    source : ColumnSpec
        Where it comes from.

    Returns
    -------
    pandas.Series or ndarray
        Encoded text, UTC moments, floats or booleans, shape (n,).

    Raises
    ------
    InputError
        When a setting does not fit most of the cells.
    """
    contract = reading.contract
    column = contract.column(name) if contract.knows(name) else Column(name, "text", "attribute")
    if source.value is not None:
        text = words.repeat(source.value, len(reading.rows.row))
    else:
        # a code such as 99 means "no answer"; as an id it is somebody
        codes = reading.spec.missing if column.kind != "id" else []
        text = reading.cells(str(source.column), [*codes, *source.missing])
    if source.values:
        text = words.change_words(text, lambda cells: cells.replace(source.values))
    if column.required:
        reading.audit.refuse(f"missing {name}", ~words.is_filled(text))
    if column.kind == "moment":
        return _read_moments(reading, column, source, text)
    if column.kind == "number" or source.unit:
        return _read_numbers(reading, column, source, text)
    if column.kind == "boolean":
        return _read_booleans(reading, column, source, text)
    if column.choices:
        text = words.change_words(text, lambda cells: cells.str.lower())
        unknown = ~words.words_of(text).isin((*column.choices, "")).to_numpy()
        wrong = unknown[words.codes_of(text)]
        fix = f"say what its words mean: {{column: ..., values: {{word: {column.choices[0]}}}}}"
        _refuse_column(reading, column, text, wrong, " or ".join(column.choices), fix)
        reading.audit.refuse("bad value", wrong, text, column=name)
    return text


def _refuse_column(
    reading: Reading, column: Column, text: pd.Series, bad: NDArray[np.bool_], what: str, fix: str
) -> None:
    """Refuse a column most of which cannot be read: a setting is wrong, not the rows."""
    filled = words.is_filled(text) & reading.audit.alive
    wrong = bad & filled
    if wrong.sum() > max(filled.sum() / 2, MOST_WRONG):
        raise InputError(
            f"{wrong.sum():,} of {filled.sum():,} values of '{column.name}' are no {what}; "
            f"the commonest is '{text[wrong].astype(object).mode().iloc[0]}'.",
            f"{reading.where}, column '{column.name}'",
            fix,
        )


def _read_moments(
    reading: Reading, column: Column, source: ColumnSpec, text: pd.Series
) -> NDArray[np.datetime64]:
    where = f"{reading.where}, column '{source.column}'"
    timezone = source.timezone or reading.spec.timezone
    known = words.keep_cells(text, reading.audit.alive)  # rows already refused decide nothing
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
    reading: Reading, column: Column, source: ColumnSpec, text: pd.Series
) -> NDArray[np.float64]:
    numbers = reading.numbers(words.words_of(text), source.column)[words.codes_of(text)]
    filled = words.is_filled(text)
    if source.unit:
        units = _SECONDS if column.name.endswith("_seconds") else _DAYS
        numbers = numbers * units[source.unit]
    bad = filled & ~np.isfinite(numbers)
    if column.low is not None:
        bad |= numbers < column.low
    if column.high is not None:
        bad |= numbers > column.high
    fix = (
        "set 'decimal' and 'thousands'; a word that stands for a number belongs under 'values', "
        "one that means none under 'missing'"
    )
    _refuse_column(reading, column, text, filled & np.isnan(numbers), "numbers", fix)
    if column.on_bad == "empty":
        reading.audit.change("bad number emptied", bad, text, column=column.name)
    else:
        reading.audit.refuse("bad number", bad, text, column=column.name, show_digits=True)
    return np.where(bad, np.nan, numbers)


def _read_booleans(
    reading: Reading, column: Column, source: ColumnSpec, text: pd.Series
) -> pd.Series:
    is_typed = reading.typed(source.column) == "boolean"
    cells, codes = words.words_of(text), words.codes_of(text)
    if (source.true or source.false) and not is_typed:  # what is declared replaces what is usual
        is_true, is_false = cells.isin(source.true), cells.isin(source.false)
    else:
        is_true, is_false = cells.str.lower().isin(_TRUE), cells.str.lower().isin(_FALSE)
    filled = words.is_filled(text) & reading.audit.alive
    unknown = ~(is_true | is_false).to_numpy()[codes] & filled
    if filled.any() and unknown.sum() == filled.sum():
        raise InputError(
            f"No value of '{column.name}' is true or false; the first is '{text[filled].iloc[0]}'.",
            f"{reading.where}, column '{source.column}'",
            'declare them: {column: ..., "true": ["Yes"], "false": ["No"]}',
        )
    reading.audit.refuse("bad value", unknown, text, column=column.name)
    return is_true.astype("boolean").mask(cells == "").take(codes).reset_index(drop=True)
