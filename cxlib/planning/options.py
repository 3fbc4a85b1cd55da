"""Parameters that name something in the data: a column, a touchpoint, a wave."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cxlib.errors import InputError, closest
from cxlib.parameters import VIEWS, Parameter
from cxlib.schema import TABLES, check_names
from cxlib.workbook import SAMPLES, read_workbook

if TYPE_CHECKING:
    import pandas as pd

    from cxlib.data.connect import Tables


SEGMENTED = ("customers", "events", "lifetimes")  # where `segment_by` looks, in this order


@dataclass(frozen=True)
class Cut:
    """The part of the data a run looks at, as its parameters say."""

    segment_by: str = ""
    segment: str = ""
    period_start: str = ""
    period_end: str = ""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Cut:
        """Take the cut out of the parameters of a run.

        Parameters
        ----------
        values : mapping of str to object
            Typed values.

        Returns
        -------
        Cut
            Empty where the notebook declares no such parameter.
        """
        return cls(**{name: str(values.get(name, "")) for name in cls.__dataclass_fields__})


class Data:
    """What checks ask of one workbook; each answer is read once, however many runs ask.

    Parameters
    ----------
    workbook : str
        Path of a ``cx.yml``, or ``"samples"``.
    """

    def __init__(self, workbook: str) -> None:
        self.book = read_workbook(workbook)
        self.location = SAMPLES if workbook == SAMPLES else str(self.book.file)
        self._opened: dict[Cut, Tables | InputError] = {}
        self._groups: dict[tuple[Any, ...], pd.DataFrame] = {}
        self._segments: dict[str, list[str]] = {}
        self._columns: dict[tuple[str, str], list[str]] = {}

    def open(self, cut: Cut) -> Tables:
        """Open the tables of a cut, its segment left whole.

        Parameters
        ----------
        cut : Cut
            The cut.

        Returns
        -------
        Tables
            Opened once for each column and period.

        Raises
        ------
        InputError
            When the data or the column cannot be used.
        """
        from cxlib.data import open_workbook

        cut = replace(cut, segment="")
        if cut not in self._opened:
            try:
                self._opened[cut] = open_workbook(self.location, **vars(cut))
            except InputError as error:
                self._opened[cut] = error
        opened = self._opened[cut]
        if isinstance(opened, InputError):
            raise opened
        return opened

    def count(self, cut: Cut, table: str, *columns: str) -> pd.DataFrame:
        """Count rows by the values of columns.

        Parameters
        ----------
        cut : Cut
            The part of the data.
        table : str
            A table of the contract.
        *columns : str
            Its columns.

        Returns
        -------
        pandas.DataFrame
            One row per combination that occurs: the columns and ``n``; empty when the table has
            no row in the cut, or not these columns.
        """
        place = (replace(cut, segment=""), table, columns, bool(cut.segment))
        if place not in self._groups:
            self._groups[place] = self._count(cut, table, list(columns))
        groups = self._groups[place]
        if not cut.segment or "segment" in columns or "segment" not in groups.columns:
            return groups
        return groups[groups["segment"] == cut.segment]

    def _count(self, cut: Cut, table: str, keys: list[str]) -> pd.DataFrame:
        """Count in all segments at once when one of them is asked for: the next is asked, too."""
        import pandas as pd

        tables = self.open(cut)
        view = getattr(tables, table) if table in tables.names else None
        if view is None or not set(keys) <= set(view.columns):
            return pd.DataFrame(columns=[*keys, "n"])
        if cut.segment and "segment" in view.columns and "segment" not in keys:
            keys = [*keys, "segment"]
        return view.group_by(keys).agg(n=view.count()).to_pandas().dropna()

    def values(self, cut: Cut, table: str, column: str) -> list[str]:
        """List the values of a column.

        Parameters
        ----------
        cut : Cut
            The part of the data.
        table, column : str
            Where to look.

        Returns
        -------
        list of str
            Sorted; none when there is no such column.
        """
        return sorted(self.count(cut, table, column)[column])

    def segments(self, column: str) -> list[str]:
        """List the segments a column makes.

        Parameters
        ----------
        column : str
            What ``segment_by`` takes.

        Returns
        -------
        list of str
            Sorted.
        """
        if column not in self._segments:
            self.open(Cut(segment_by=column))
            holder = self.holder(column)
            self._segments[column] = self.values(Cut(segment_by=column), holder, "segment")
        return self._segments[column]

    def holder(self, column: str) -> str:
        """Find the table that ``segment_by`` takes a column from.

        Parameters
        ----------
        column : str
            A column of customers, events or lifetimes.

        Returns
        -------
        str
            The first that has it.
        """
        return next(table for table in SEGMENTED if column in self.columns(Cut(), table))

    def columns(self, cut: Cut, table: str) -> list[str]:
        """List the columns of a table that holds rows.

        Parameters
        ----------
        cut : Cut
            The part of the data.
        table : str
            A table of the contract.

        Returns
        -------
        list of str
            None when the table is not mapped.
        """
        place = (cut.segment_by, table)
        if place not in self._columns:
            tables = self.open(Cut(segment_by=cut.segment_by))
            is_there = table in tables.names
            self._columns[place] = list(getattr(tables, table).columns) if is_there else []
        return self._columns[place]


def check_cut(
    data: Data, cut: Cut, uses: Sequence[str], where: Callable[[str], str]
) -> list[InputError]:
    """Check the parameters that say which part of the data is looked at.

    Parameters
    ----------
    data : Data
        The workbook; its tables can be opened.
    cut : Cut
        The cut asked for.
    uses : sequence of str
        Tables that the notebook rests on.
    where : callable
        Place of a parameter, by its name.

    Returns
    -------
    list of InputError
        What is wrong.
    """
    errors = []
    period = "period_start" if cut.period_start else "period_end" if cut.period_end else ""
    for name in _find_timeless(data, uses) if period else ():
        problem = f"The table '{name}' does not say when, so it cannot be cut by a period."
        fix = f"map '{TABLES[name].until}' in '{name}', or leave the period out"
        errors.append(InputError(problem, where(period), fix))
    if cut.period_start and cut.period_end and cut.period_start > cut.period_end:
        problem = f"The period ends ({cut.period_end}) before it starts ({cut.period_start})."
        errors.append(InputError(problem, where("period_end"), "swap them"))
    if cut.segment and not cut.segment_by:
        problem = f"A segment ('{cut.segment}') needs a column."
        errors.append(InputError(problem, where("segment"), "give 'segment_by'"))
    elif cut.segment_by:
        try:
            known = data.segments(cut.segment_by)
        except InputError as error:
            place = f"{where('segment_by')}; {error.where}"
            return [*errors, InputError(error.problem, place, error.fix)]
        if cut.segment and cut.segment not in known:
            problem = f"There is no segment '{cut.segment}' in '{cut.segment_by}'."
            errors.append(InputError(problem, where("segment"), closest(cut.segment, known)))
    return errors


def _find_timeless(data: Data, uses: Sequence[str]) -> list[str]:
    """List the tables that a period ought to cut and that have no time."""
    from cxlib.data.connect import CUT_BY_PERIOD

    known = {name: data.columns(Cut(), name) for name in uses if name in CUT_BY_PERIOD}
    return [
        name for name, columns in known.items() if columns and TABLES[name].until not in columns
    ]


def check_against(
    parameters: Mapping[str, Parameter],
    values: Mapping[str, Any],
    data: Data,
    uses: Sequence[str],
    where: Callable[[str], str],
) -> list[InputError]:
    """Check values that name something in the data: a column, a touchpoint, a wave.

    Parameters
    ----------
    parameters : mapping of str to Parameter
        What the notebook declares.
    values : mapping of str to object
        Typed values; their cut is sound.
    data : Data
        The workbook.
    uses : sequence of str
        The tables the notebook rests on; columns are looked up there.
    where : callable
        Place of a parameter, by its name.

    Returns
    -------
    list of InputError
        What is wrong. A table without a row in the cut is too little data, and no mistake.
    """
    cut, errors = Cut.of(values), []
    whose = f"the data of '{cut.segment}'" if cut.segment else "the data"
    for parameter, item in _names_given(parameters, values):
        known = _known(parameter.kind, data, cut, uses)
        if item not in known and (known or item not in _known(parameter.kind, data, Cut(), uses)):
            problem = f"Parameter '{parameter.name}': {whose} hold no '{item}'."
            place = f"{where(parameter.name)}, workbook {data.book.file}"
            errors.append(InputError(problem, place, closest(item, known)))
    errors += _check_inactivity(parameters, values, data, where)
    if {"touchpoint", "touchpoints"} & {parameter.kind for parameter in parameters.values()}:
        for column in dict.fromkeys(("touchpoint", values.get("view", "touchpoint"))):
            errors += _check_names(data, cut, column)
    return errors


def _check_names(data: Data, cut: Cut, column: str) -> list[InputError]:
    """Refuse names that journey tables need for themselves; the whole is asked first, once."""
    errors: list[InputError] = []
    for part in (Cut(), cut):
        try:
            check_names(data.values(part, "events", column), column=column)
            return []
        except InputError as error:
            errors = [error]
    return errors


def _names_given(
    parameters: Mapping[str, Parameter], values: Mapping[str, Any]
) -> Iterator[tuple[Parameter, str]]:
    for name, parameter in parameters.items():
        value = values[name]
        if not value or parameter.kind not in _OPTIONS or name == "segment_by":
            continue
        if parameter.kind == "end_reasons":
            value = [part.strip() for part in value.split(",")]
        yield from ((parameter, item) for item in (value if isinstance(value, list) else [value]))


def _known(kind: str, data: Data, cut: Cut, uses: Sequence[str]) -> list[str]:
    """List what may be named, in the cut."""
    if kind in {"column", "columns"}:
        return _splitters(data, cut, uses)
    if kind == "view":
        return [view for view in VIEWS if view in data.columns(cut, "events")]
    if kind == "outcome":
        answers = data.count(cut, "answers", "role", "item")
        return sorted(answers.loc[answers["role"] == "outcome", "item"])
    places = _OPTIONS[kind]
    return sorted({name for place in places for name in data.values(cut, *place)})


def _check_inactivity(
    parameters: Mapping[str, Parameter],
    values: Mapping[str, Any],
    data: Data,
    where: Callable[[str], str],
) -> list[InputError]:
    declared = parameters.get("inactivity")
    if declared is None or not declared.default or values["inactivity"] == declared.default:
        return []
    if "journey_id" not in data.columns(Cut(), "events"):
        return []
    return [
        InputError(
            "Parameter 'inactivity' cannot be changed: the data's own journey_id defines journeys.",
            where("inactivity"),
            "leave 'inactivity' alone, or do not map 'journey_id'",
        )
    ]


def _splitters(data: Data, cut: Cut, uses: Sequence[str]) -> list[str]:
    """List what customers, journeys or answers can be split by: texts, flags and attributes."""
    names = []
    for table in uses:
        contract = TABLES[table]
        for column in data.columns(cut, table):
            kind = contract.column(column).kind if contract.knows(column) else "text"
            if column != "_row" and kind not in {"id", "moment"}:
                names.append(column)
    return list(dict.fromkeys(names))


_OPTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "column": (),
    "columns": (),
    "view": (),
    "touchpoint": (("events", "touchpoint"), ("events", "stage")),
    "touchpoints": (("events", "touchpoint"), ("events", "stage")),
    "end_reasons": (("subscriptions", "end_reason"), ("lifetimes", "end_reason")),
    "outcome": (),
    "wave": (("answers", "wave"),),
}
