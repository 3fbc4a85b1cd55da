"""All sets of a manifest, checked together before the first kernel starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cxlib.errors import InputError, closest
from cxlib.parameters import read_values
from cxlib.planning.options import Cut
from cxlib.planning.outputs import check_outputs, read_batch
from cxlib.planning.plans import Plan, Planner, TooFew, tell_apart
from cxlib.planning.sets import (
    Given,
    check_number,
    combine,
    count_segments,
    fill_title,
    names_of,
    override,
    plain_values,
    read_title,
)
from cxlib.workbook import SAMPLES

if TYPE_CHECKING:
    from cxlib.planning.manifest import Manifest, RunSpec
    from cxlib.planning.notebook import Notebook
    from cxlib.planning.options import Data

MOST_BLOCKS = 10


@dataclass
class Mistakes:
    """What is wrong with a batch; a mistake that many sets share is told once."""

    found: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)

    def add(self, error: InputError, label: str) -> None:
        """Note a mistake.

        Parameters
        ----------
        error : InputError
            What is wrong.
        label : str
            Which run it was found in.
        """
        self.found.setdefault((error.problem, error.where, error.fix), []).append(label)

    def raise_any(self) -> None:
        """Tell the mistakes that were noted.

        Raises
        ------
        InputError
            With ten blocks at most, and the number of the others.
        """
        blocks = []
        for (problem, where, fix), labels in self.found.items():
            others = f" and {len(labels) - 1:,} more" if len(labels) > 1 else ""
            said = [where, labels[0] + others]
            blocks.append(InputError(problem, "; ".join(part for part in said if part), fix))
        more = len(blocks) - MOST_BLOCKS
        if more > 0:
            rest = f"{more:,} more {'mistake is' if more == 1 else 'mistakes are'} not shown."
            blocks[MOST_BLOCKS:] = [InputError(rest, fix="mend those above first")]
        if blocks:
            raise InputError.join(blocks)


@dataclass(frozen=True)
class Scope:
    """A manifest with what it takes from the one that includes it.

    Parameters
    ----------
    manifest : Manifest
        What was read.
    folder : pathlib.Path
        Its paths are relative to it.
    workbook : str
        Workbook of runs that name none.
    timeout : float
        Seconds a run may take.
    defaults : dict
        Parameters of every run whose notebook declares them.
    """

    manifest: Manifest
    folder: Path
    workbook: str
    timeout: float
    defaults: Given

    @classmethod
    def of(cls, manifest: Manifest, folder: Path, outer: Scope | None = None) -> Scope:
        """Add to a manifest what it does not say itself.

        Parameters
        ----------
        manifest : Manifest
            What was read.
        folder : pathlib.Path
            Its folder.
        outer : Scope, optional
            The manifest that includes it.

        Returns
        -------
        Scope
            With paths resolved.
        """
        said = manifest.model_fields_set
        scope = cls(
            manifest,
            folder,
            locate(manifest.workbook, folder),
            manifest.timeout_seconds,
            {n: (value, manifest.place("defaults", n)) for n, value in manifest.defaults.items()},
        )
        if outer is None:
            return scope
        return replace(
            scope,
            workbook=scope.workbook if "workbook" in said else outer.workbook,
            timeout=scope.timeout if "timeout_seconds" in said else outer.timeout,
            defaults=outer.defaults | scope.defaults,
        )

    def all(self) -> Iterator[Scope]:
        """List what is included, first things first, and this one last.

        Yields
        ------
        Scope
            Manifests in the order of their runs.
        """
        for other in self.manifest.included:
            yield from Scope.of(other, other.folder, self).all()
        yield self


def locate(workbook: str, folder: Path) -> str:
    """Find a workbook that a manifest names.

    Parameters
    ----------
    workbook : str
        A path, or ``"samples"``.
    folder : pathlib.Path
        Folder of the manifest.

    Returns
    -------
    str
        A path, or ``"samples"``.
    """
    return workbook if workbook == SAMPLES else str(folder / workbook)


@dataclass(frozen=True)
class _Set:
    """A checked set: its plan, its run, and the values that its title names."""

    plan: Plan | TooFew
    label: str
    place: str
    named_by: tuple[str, ...] | None


class _Entry:
    """One entry of ``runs:`` with one of its notebooks."""

    def __init__(
        self, planner: Planner, mistakes: Mistakes, scope: Scope, number: int, name: str
    ) -> None:
        self.planner, self.mistakes, self.scope, self.number = planner, mistakes, scope, number
        self.spec: RunSpec = scope.manifest.runs[number]
        self.label = f"Run {number + 1} ({name})"
        beside = scope.folder / name
        is_beside = os.path.isfile(beside)  # Path.is_file raises when a name is too long
        self.notebook: Notebook = planner.notebook(str(beside) if is_beside else name)
        own = self.spec.workbook
        self.data: Data = planner.data(locate(own, scope.folder) if own else scope.workbook)
        self.data.open(Cut())

    def place(self, *keys: str | int) -> str:
        """Tell where in the manifest something of this run stands."""
        return self.scope.manifest.place("runs", self.number, *keys)

    def plan(self) -> list[_Set]:
        """Check all sets; what is wrong with one does not hide what is wrong with others."""
        declared = self.notebook.declared
        if self.spec.title:
            read_title(self.spec.title, declared, self.place("title"))
        defaults = {k: v for k, v in self.scope.defaults.items() if k in declared}
        sets: list[Given] = []
        rows: list[int | None] = []
        for common in combine(self.spec, defaults, self.place):
            for given, n in self._split(common):
                sets.append(given)
                rows.append(n)
            check_number(len(sets), self.place)
        sets, errors = override(self.spec, sets, declared, self.place)
        for error in errors:
            self.mistakes.add(error, self.label)
        planned = (self._plan_set(given, n) for given, n in zip(sets, rows, strict=True))
        return [one for one in planned if one]

    def _split(self, common: Given) -> Iterator[tuple[Given, int | None]]:
        """Make a set for each value of the column of ``for_each``."""
        each = self.spec.for_each
        if each is None:
            yield common, None
            return
        values, _ = read_values(self.notebook.declared, plain_values(common), self.place)
        place, names = self.place("for_each"), names_of(each)
        for value, n in count_segments(each, self.data, Cut.of(values), self.place):
            given = dict.fromkeys(names, (value, place))
            if not each.parameter:
                given["segment_by"] = (each.column, place)
            yield common | given, n

    def _plan_set(self, given: Given, n: int | None) -> _Set | None:
        def where(name: str) -> str:
            """Tell where a parameter is written."""
            return given[name][1] if name in given else self.place()

        values, timeout, reason = plain_values(given), self.scope.timeout, ""
        each = self.spec.for_each
        try:
            plan, errors = self.planner.plan(
                self.notebook, self.data, values, where, timeout=timeout
            )
            if errors and each and not each.parameter:
                lacking = errors[0].problem
                del values["segment"]  # what the whole data hold is no mistake, but lacking here
                _, errors = self.planner.plan(self.notebook, self.data, values, where)
                reason = "" if errors else lacking
            title, named_by = plan.set_name, None
            if self.spec.title and not errors:
                known = plan.parameters | {"notebook": plan.name}
                title = fill_title(self.spec.title, known, self.place("title"))
                names = read_title(self.spec.title, self.notebook.declared, "")
                named_by = tuple(str(known[name]) for name in names)
        except InputError as refused:
            errors = [_located(refused, self.place())]
        for error in errors:
            self.mistakes.add(error, self.label)
        if errors:
            return None
        plan = replace(plan, set_name=title, n=n)
        made: Plan | TooFew = plan
        if each and n is not None and (reason or n < each.min_rows):
            few = f"{n:,} {'row' if n == 1 else 'rows'}; at least {each.min_rows:,} are asked for."
            reason = few if n < each.min_rows else reason
            made = TooFew(**vars(plan), min_rows=each.min_rows, reason=reason)
        return _Set(made, self.label, self.place("title"), named_by)


def _located(error: InputError, place: str) -> InputError:
    """Add where the run is written, unless the message knows it."""
    where = error.where if place in error.where else "; ".join(filter(None, (error.where, place)))
    return InputError(error.problem, where, error.fix)


def check_batch(manifest: Manifest, folder: Path, out: Path) -> list[Plan | TooFew]:
    """Check every set of a manifest.

    Parameters
    ----------
    manifest : Manifest
        The batch.
    folder : pathlib.Path
        Folder of the manifest.
    out : pathlib.Path
        Folder of all runs.

    Returns
    -------
    list of Plan or TooFew
        In the manifest's order.

    Raises
    ------
    InputError
        With what is wrong in all sets.
    """
    planner, mistakes = Planner(out), Mistakes()
    for check in (planner.check_out, lambda: check_outputs(out), manifest.find_command):
        try:
            check()
        except InputError as error:
            mistakes.add(error, "")
    _check_previous(manifest, folder, out, mistakes)
    sets: list[_Set] = []
    declared: set[str] = set()
    is_known = True
    scopes = list(Scope.of(manifest, folder).all())
    for scope in scopes:
        for number, spec in enumerate(scope.manifest.runs):
            for name in spec.notebook:
                entry = None
                try:
                    entry = _Entry(planner, mistakes, scope, number, name)
                    declared |= set(entry.notebook.declared)
                    sets += entry.plan()
                except InputError as error:
                    place = scope.manifest.place("runs", number)
                    mistakes.add(_located(error, place), f"Run {number + 1} ({name})")
                    is_known &= entry is not None
    defaults = {name: place for scope in scopes for name, (_, place) in scope.defaults.items()}
    for name in (name for name in defaults if is_known and declared and name not in declared):
        problem = f"No notebook declares the parameter '{name}'."
        mistakes.add(InputError(problem, defaults[name], closest(name, declared)), "")
    sets = _number_names(sets, mistakes)
    _check_folders(sets, mistakes)
    mistakes.raise_any()
    return tell_apart([one.plan for one in sets])


def _check_previous(manifest: Manifest, folder: Path, out: Path, mistakes: Mistakes) -> None:
    if not manifest.compare_to:
        return
    earlier, place = folder / manifest.compare_to, manifest.place("compare_to")
    if earlier.resolve() == out.resolve():
        problem = "The batch cannot be compared with the folder it is written to."
        mistakes.add(InputError(problem, place, "choose another --out"), "")
        return
    try:
        read_batch(earlier)
    except InputError as error:
        mistakes.add(_located(error, place), "")


def _number_names(sets: list[_Set], mistakes: Mistakes) -> list[_Set]:
    """Make names unique; a title that does not name what tells two sets apart is refused."""
    seen: dict[str, list[_Set]] = {}
    numbered = []
    for one in sets:
        name = one.plan.set_name
        others = seen.setdefault(name, [])
        if one.named_by is not None and any(o.named_by == one.named_by for o in others):
            fix = "name in the title what tells them apart, such as {segment} or {notebook}"
            problem = f"Two sets are called '{name}'."
            mistakes.add(InputError(problem, one.place, fix), one.label)
        others.append(one)
        number = len(others)
        while number > 1 and f"{name} ({number})" in seen:
            number += 1
        if number > 1:  # names in the data may differ in what is not shown
            one = replace(one, plan=replace(one.plan, set_name=f"{name} ({number})"))
            seen[one.plan.set_name] = [one]
        numbered.append(one)
    return numbered


def _check_folders(sets: list[_Set], mistakes: Mistakes) -> None:
    seen: dict[Path, _Set] = {}
    for one in sets:
        first = seen.setdefault(one.plan.folder, one)
        if first is not one:
            problem = f"Two runs share the folder '{one.plan.folder.name}'."
            where = first.label if first.label == one.label else f"{first.label}, {one.label}"
            fix = "drop one, or run it into another --out"
            mistakes.add(InputError(problem, "", fix), where)
