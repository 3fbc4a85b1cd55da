"""The ledger: what happened to every row, by rule, with masked examples."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

EXAMPLES = 3
REPEATED = 10  # so often the same text is no personal detail
COLUMNS = (
    "table",
    "rows_in",
    "rows_kept",
    "rows_changed",
    "rows_refused",
    "rule",
    "n",
    "example",
)


@dataclass(frozen=True)
class Rule:
    """How often one rule was met, with up to three examples (file, row, masked value)."""

    rule: str
    n: int
    examples: list[dict[str, Any]]


@dataclass(frozen=True)
class LedgerEntry:
    """Rows in = kept + refused, of one table; changed rows are kept rows with a mended cell."""

    table: str
    source: str
    sha256: str
    rows_in: int
    rows_kept: int
    rows_changed: int
    rows_refused: int
    rules: list[Rule]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON.

        Returns
        -------
        dict
            The fields, rules as dictionaries.
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> LedgerEntry:
        """Rebuild an entry from :meth:`as_dict`.

        Parameters
        ----------
        values : dict
            What :meth:`as_dict` returned.

        Returns
        -------
        LedgerEntry
            An equal entry.
        """
        return cls(**{**values, "rules": [Rule(**rule) for rule in values["rules"]]})


@dataclass
class Audit:
    """Keep account of a table's rows while it is read.

    A row counts under the first rule that refuses it, so refusals add up to the rows refused.

    Parameters
    ----------
    file : pandas.Series of category, shape (n,)
        File of each row.
    row : ndarray of int, shape (n,)
        Its row number there; the header is row 1.
    """

    file: pd.Series
    row: NDArray[np.int64]
    alive: NDArray[np.bool_] = field(init=False)
    changed: NDArray[np.bool_] = field(init=False)
    rules: list[Rule] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.alive = np.ones(len(self.row), dtype=bool)
        self.changed = np.zeros(len(self.row), dtype=bool)

    def refuse(
        self,
        rule: str,
        rows: NDArray[np.bool_],
        values: pd.Series | None = None,
        *,
        column: str = "",
        show_digits: bool = False,
    ) -> None:
        """Refuse rows that are still alive.

        Parameters
        ----------
        rule : str
            Why.
        rows : ndarray of bool, shape (n,)
            Rows the rule speaks of.
        values : pandas.Series, optional
            The offending values, shape (n,), masked in the examples.
        column : str, default ""
            Column of the contract they stand in, named in the examples.
        show_digits : bool, default False
            Whether digits are harmless (dates, ratings) and stay readable.
        """
        rows = rows & self.alive
        self._note(rule, rows, values, column, show_digits)
        self.alive &= ~rows

    def change(
        self,
        rule: str,
        rows: NDArray[np.bool_],
        values: pd.Series | None = None,
        *,
        column: str = "",
        cells: int | None = None,
        show_digits: bool = True,
    ) -> None:
        """Count rows that are kept with a mended cell.

        Parameters
        ----------
        rule : str
            What was mended.
        rows : ndarray of bool, shape (n,)
            Rows concerned.
        values : pandas.Series, optional
            The values before, masked in the examples.
        column : str, default ""
            Column of the contract they stand in, named in the examples.
        cells : int, optional
            Number of cells when several of a row may be concerned; default the number of rows.
        show_digits : bool, default True
            Whether digits are harmless and stay readable.
        """
        rows = rows & self.alive
        self._note(rule, rows, values, column, show_digits, cells)
        self.changed |= rows

    def note(self, rule: str, rows: NDArray[np.bool_]) -> None:
        """Count rows that are kept as they are, but whose number a reader should know.

        Parameters
        ----------
        rule : str
            What is remarkable.
        rows : ndarray of bool, shape (n,)
            Rows concerned.
        """
        self._note(rule, rows & self.alive, None, "", False)

    def _note(
        self,
        rule: str,
        rows: NDArray[np.bool_],
        values: pd.Series | None,
        column: str,
        show_digits: bool,
        cells: int | None = None,
    ) -> None:
        where = np.flatnonzero(rows)
        if not len(where):
            return
        examples = [
            {
                "file": str(self.file.iat[i]),
                "row": int(self.row[i]),
                "value": _show(values, where, i, column, show_digits),
            }
            for i in where[:EXAMPLES]
        ]
        self.rules.append(Rule(rule, len(where) if cells is None else cells, examples))

    def close(self, table: str, source: str, sha256: str) -> LedgerEntry:
        """Sum up.

        Parameters
        ----------
        table, source, sha256 : str
            What was read.

        Returns
        -------
        LedgerEntry
            Rows in, kept, changed, refused, and the rules met.
        """
        kept = int(self.alive.sum())
        return LedgerEntry(
            table,
            source,
            sha256,
            rows_in=len(self.row),
            rows_kept=kept,
            rows_changed=int((self.changed & self.alive).sum()),
            rows_refused=len(self.row) - kept,
            rules=self.rules,
        )


def _show(
    values: pd.Series | None, where: NDArray[np.int64], i: int, column: str, show_digits: bool
) -> str:
    """Write one of the offending values for the ledger."""
    if values is None:
        return ""
    # an id is somebody; what many rows say alike is a code, and naming it helps
    is_code = column and (values.iloc[where] == values.iat[i]).sum() >= REPEATED
    said = str(values.iat[i])
    return f"{column} {said if is_code else mask(said, show_digits=show_digits)}".strip()


def mask(value: Any, *, show_digits: bool = False) -> str:
    """Hide what a value says and show its shape, so that a ledger can be handed round.

    Parameters
    ----------
    value : object
        A cell.
    show_digits : bool, default False
        Keep digits.

    Returns
    -------
    str
        At most 24 characters, letters as ``x`` and digits as ``9``.

    Examples
    --------
    >>> mask("C000123"), mask("2024-02-31", show_digits=True)
    ('x999999', '2024-02-31')
    """
    text = re.sub(r"[^\W\d_]", "x", str(value)[:24])
    return text if show_digits else re.sub(r"\d", "9", text)


def describe_example(example: dict[str, Any]) -> str:
    """Say where a rule was met.

    Parameters
    ----------
    example : dict
        ``file``, ``row`` and the masked ``value``.

    Returns
    -------
    str
        File and row, and the value when there is one.
    """
    value = f": {example['value']}" if example["value"] else ""
    return f"{example['file']}, row {example['row']}{value}"


def ledger_frame(entries: Iterable[LedgerEntry]) -> pd.DataFrame:
    """Lay the ledger out as a table.

    Parameters
    ----------
    entries : iterable of LedgerEntry
        One a table.

    Returns
    -------
    pandas.DataFrame
        One row a table and rule; ``rule`` is empty for a table that met none.
    """
    rows = []
    for entry in entries:
        counts = (entry.rows_in, entry.rows_kept, entry.rows_changed, entry.rows_refused)
        for rule in entry.rules or [Rule("", 0, [])]:
            first = rule.examples[0] if rule.examples else None
            example = describe_example(first) if first else ""
            rows.append((entry.table, *counts, rule.rule, rule.n, example))
    return pd.DataFrame(rows, columns=list(COLUMNS))
