"""The table contracts: one place from which checks, ``cx check --contract`` and docs come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from cxlib.errors import InputError, closest

Kind = Literal["id", "text", "number", "moment", "boolean"]

ROLES = (
    "perception",
    "expectation",
    "importance",
    "minimum",
    "desired",
    "belief",
    "outcome",
    "functional",
    "dysfunctional",
)
KEPT_NAMES = ("(start)", "(end)", "(open)", "(other)")  # rows of the journey tables
ARROW = " > "  # joins touchpoints in paths
STAGES = (
    "attraction",
    "awareness",
    "discovery",
    "cultivation",
    "purchase",
    "use",
    "advocacy",
)


def check_names(names: Iterable[str], *, column: str) -> None:
    """Refuse names of contacts that journey tables use for themselves.

    Parameters
    ----------
    names : iterable of str
        Touchpoints, channels, stages or departments.
    column : str
        Column of ``events`` they come from.

    Raises
    ------
    InputError
        When a name is that of a table's own row, or holds the arrow of paths.
    """
    bad = sorted(name for name in names if name in KEPT_NAMES or ARROW in name)[:3]
    if bad:
        raise InputError(
            f"The name '{bad[0]}' is kept for the tables of the journey study.",
            f"table 'events', column '{column}', values {bad}",
            f"rename it in the source; '{ARROW.strip()}' between blanks joins touchpoints in paths",
        )


@dataclass(frozen=True)
class Column:
    """One column of a contract.

    Parameters
    ----------
    name : str
        Column name, fixed by the contract.
    kind : {"id", "text", "number", "moment", "boolean"}
        How values are read. Ids stay strings; a moment is a UTC instant or a calendar date.
    about : str
        One line for the data dictionary.
    required : bool, default False
        Whether the table is refused without it; a row without a value is refused too.
    choices : tuple of str, default ()
        The only values allowed, when there are any.
    low, high : float, optional
        The range allowed, ends included.
    on_bad : {"refuse", "empty"}, default "refuse"
        What an unreadable value does to its row.
    """

    name: str
    kind: Kind
    about: str
    required: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    on_bad: Literal["refuse", "empty"] = "refuse"


@dataclass(frozen=True)
class Table:
    """One table of the contract.

    Parameters
    ----------
    name : str
        Table name, fixed by the contract.
    row : str
        What one row is.
    columns : tuple of Column
        All columns the contract knows.
    unique : tuple of str, default ()
        Columns that together identify a row; later rows with the same values are refused.
    passes : bool, default False
        Whether columns that are not mapped pass through as attributes.
    until : str, default ""
        The moment column that must not be after ``as_of``.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    unique: tuple[str, ...] = ()
    passes: bool = False
    until: str = ""

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns a table cannot do without."""
        return tuple(column.name for column in self.columns if column.required)

    def column(self, name: str) -> Column:
        """Return the column of that name.

        Parameters
        ----------
        name : str
            A column of this contract.

        Returns
        -------
        Column
            Its definition.
        """
        return next(column for column in self.columns if column.name == name)

    def knows(self, name: str) -> bool:
        """Tell whether the contract names a column.

        Parameters
        ----------
        name : str
            Any name.

        Returns
        -------
        bool
            True when it is a column of this contract.
        """
        return any(column.name == name for column in self.columns)


_TABLES = (
    Table(
        "events",
        "one contact",
        (
            Column("customer_id", "id", "who", required=True),
            Column("timestamp", "moment", "when the contact began", required=True),
            Column("touchpoint", "text", "what the contact was", required=True),
            Column("event_id", "id", "the source's own number of the contact"),
            Column("journey_id", "id", "the journey, when the source already has one"),
            Column("channel", "text", "web, app, phone, ..."),
            Column("stage", "text", "lifecycle stage"),
            Column("department", "text", "who owns the contact"),
            Column("value", "number", "amount of money or units", on_bad="empty"),
            Column("initiated_by", "text", "who began it", choices=("customer", "company")),
        ),
        unique=("event_id",),
        until="timestamp",
    ),
    Table(
        "customers",
        "one customer",
        (Column("customer_id", "id", "who", required=True),),
        unique=("customer_id",),
        passes=True,
    ),
    Table(
        "subscriptions",
        "one paid period",
        (
            Column("customer_id", "id", "who", required=True),
            Column("started_at", "moment", "first day of the period", required=True),
            Column("ended_at", "moment", "last day; empty = active"),
            Column("plan", "text", "what was bought"),
            Column("monthly_value", "number", "money a month", low=0, on_bad="empty"),
            Column("end_reason", "text", "why it ended"),
        ),
        until="started_at",
    ),
    Table(
        "lifetimes",
        "one observed lifetime, when periods are already summarised",
        (
            Column("customer_id", "id", "who", required=True),
            Column("duration_days", "number", "days from start to end or last sight", True, low=0),
            Column("churned", "boolean", "True = left; False = right-censored", required=True),
            Column("entry_days", "number", "days from start until observation began", low=0),
            Column("end_reason", "text", "why it ended"),
            Column("monthly_value", "number", "money a month", low=0, on_bad="empty"),
        ),
        passes=True,
    ),
    Table(
        "answers",
        "one survey answer",
        (
            Column("respondent_id", "id", "who answered", required=True),
            Column("item", "id", "which question", required=True),
            Column("role", "text", "what kind of rating", required=True, choices=ROLES),
            Column("value", "number", "the rating", required=True),
            Column("customer_id", "id", "the customer, when known"),
            Column("answered_at", "moment", "when"),
            Column(
                "duration_seconds",
                "number",
                "seconds the respondent took for the questionnaire",
                low=0,
                on_bad="empty",
            ),
            Column("wave", "text", "survey wave"),
            Column("source", "text", "who was asked", choices=("customer", "employee")),
            Column("unit", "text", "team or store the answer is about"),
            Column("touchpoint", "text", "touchpoint the answer is about"),
            Column("weight", "number", "survey weight", low=0),
        ),
        unique=("respondent_id", "item", "role", "wave", "source"),
        until="answered_at",
    ),
    Table(
        "items",
        "one survey item (or one item x role, when roles differ in scale)",
        (
            Column("item", "id", "name of the item", required=True),
            Column("scale_min", "number", "lowest answer", required=True),
            Column("scale_max", "number", "highest answer", required=True),
            Column("role", "text", "role the scale belongs to; empty = all", choices=ROLES),
            Column("text", "text", "the wording"),
            Column("dimension", "text", "group of items"),
            Column("touchpoint", "text", "touchpoint asked about"),
            Column("higher_is_better", "boolean", "False for reversed items"),
            Column("metric", "text", "score this item feeds", choices=("nps", "csat", "ces")),
            Column(
                "expectation_type",
                "text",
                "what was expected",
                choices=("should", "will", "desired", "minimum"),
            ),
            Column("timing", "text", "asked before or after", choices=("before", "after")),
            Column("kind", "text", "kind of benefit", choices=("functional", "emotional")),
        ),
        unique=("item", "role"),
    ),
    Table(
        "invitations",
        "one invited respondent (the frame for response rates)",
        (
            Column("respondent_id", "id", "who was invited", required=True),
            Column("customer_id", "id", "the customer, when known"),
            Column("invited_at", "moment", "when"),
            Column("wave", "text", "survey wave"),
        ),
        unique=("respondent_id", "wave"),
        passes=True,
        until="invited_at",
    ),
    Table(
        "comments",
        "one verbatim",
        (
            Column("respondent_id", "id", "who wrote it", required=True),
            Column("text", "text", "what they wrote", required=True),
            Column("customer_id", "id", "the customer, when known"),
            Column("answered_at", "moment", "when"),
            Column("touchpoint", "text", "touchpoint it is about"),
        ),
        until="answered_at",
    ),
    Table(
        "touchpoints",
        "one touchpoint",
        (
            Column("touchpoint", "text", "name, as in events", required=True),
            Column("stage", "text", "lifecycle stage"),
            Column("channel", "text", "web, app, phone, ..."),
            Column("department", "text", "who owns it"),
            Column("action_cost", "number", "cost of one contact", low=0, on_bad="empty"),
        ),
        unique=("touchpoint",),
    ),
    Table(
        "identities",
        "one alias",
        (
            Column("alias_id", "id", "id before the customer was known", required=True),
            Column("customer_id", "id", "the customer", required=True),
            Column("known_from", "moment", "when the two were joined"),
        ),
        unique=("alias_id",),
        until="known_from",
    ),
    Table(
        "incidents",
        "one marked change",
        (
            Column("at", "moment", "when", required=True),
            Column("label", "text", "what changed", required=True),
            Column("touchpoint", "text", "touchpoint it concerns"),
        ),
        until="at",
    ),
)
TABLES: dict[str, Table] = {table.name: table for table in _TABLES}


def check_table(frame: pd.DataFrame, columns: tuple[str, ...], *, table: str) -> pd.DataFrame:
    """Check at a study's door that a frame has its columns and at least one row.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table handed to a study.
    columns : tuple of str
        Columns the study needs.
    table : str
        Name of the table, for the message.

    Returns
    -------
    pandas.DataFrame
        The same frame.

    Raises
    ------
    InputError
        When a column is missing or the frame is empty.
    """
    errors = [
        InputError(
            f"Column '{name}' is missing.",
            f"table '{table}', has {list(map(str, frame.columns))}",
            f"add '{name}'; {closest(name, frame.columns)}",
        )
        for name in columns
        if name not in frame.columns
    ]
    if not errors and not len(frame):
        errors.append(InputError(f"Table '{table}' has no rows.", f"table '{table}'"))
    if errors:
        raise InputError.join(errors)
    return frame


def describe_contract() -> str:
    """Write the data dictionary as Markdown.

    Returns
    -------
    str
        One section a table; required columns in bold.
    """
    lines = ["# Data dictionary", ""]
    for table in TABLES.values():
        lines += [f"## {table.name}", "", f"One row is {table.row}.", ""]
        lines += ["| column | kind | allowed | meaning |", "|---|---|---|---|"]
        for column in table.columns:
            name = f"**{column.name}**" if column.required else column.name
            lines.append(f"| {name} | {column.kind} | {_allowed(column)} | {column.about} |")
        if table.unique:
            lines += ["", f"A row is unique by {', '.join(table.unique)}."]
        if table.passes:
            lines += ["", "Columns that are not mapped pass through as attributes."]
        lines.append("")
    return "\n".join(lines)


def _allowed(column: Column) -> str:
    if column.choices:
        return ", ".join(column.choices)
    if column.low is not None:
        return f">= {column.low:g}"
    return ""
