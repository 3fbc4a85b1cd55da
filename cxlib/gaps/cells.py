"""Answers in the engine to matrices of respondents and items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.errors import InputError
from cxlib.frames import to_table
from cxlib.schema import TABLES, check_table
from cxlib.stats import Floats

if TYPE_CHECKING:
    import ibis.expr.types as ir

_CELL = ("item", "role", "value", "touchpoint")  # columns of an answer; the rest is of its giver
_BATCH = 1_000_000  # answers fetched at a time


def open_answers(answers: pd.DataFrame | ir.Table) -> ir.Table:
    """Open answers in an engine, with every wave and source filled in.

    Parameters
    ----------
    answers : pandas.DataFrame or ibis Table, one row per answer
        Columns of the contract.

    Returns
    -------
    ibis Table
        The answers that have a value; `wave` is ``""`` where there is none, `source`
        ``"customer"``.

    Raises
    ------
    InputError
        When a column is missing or there is no row.
    """
    import ibis

    required = TABLES["answers"].required
    if isinstance(answers, pd.DataFrame):
        check_table(answers, required, table="answers")
        known = answers.columns[answers.notna().any()].union(required, sort=False)
        answers = ibis.memtable(answers[[c for c in answers.columns if c in known]])
    else:
        check_table(answers.limit(1).to_pandas(), required, table="answers")
    texts: dict[str, Any] = {}
    for name in ("wave", "source"):
        own = answers[name] if name in answers.columns else ibis.null()
        texts[name] = own.cast("string").fill_null("")
    texts["source"] = texts["source"].nullif("").fill_null("customer")
    ids = {name: answers[name].cast("string") for name in ("respondent_id", "item", "role")}
    answers = answers.mutate(value=answers["value"].cast("float64"), **texts, **ids)
    return answers.filter(answers["value"].notnull() & ~answers["value"].isnan())


def list_respondents(answers: ir.Table) -> tuple[pd.DataFrame, list[str]]:
    """List who answered, with everything that is one and the same in all of a person's answers.

    Parameters
    ----------
    answers : ibis Table
        From `open_answers`, of one source.

    Returns
    -------
    respondents : pandas.DataFrame, one row per respondent and wave
        `respondent_id`, `wave` and the constant columns, sorted.
    varying : list of str
        Columns of which somebody has two values.
    """
    keys = ["respondent_id", "wave"]
    about = [c for c in answers.columns if c not in {*keys, *_CELL, "source", "_row"}]
    ends = {f"_low_{c}": answers[c].min() for c in about}
    ends |= {f"_high_{c}": answers[c].max() for c in about}
    frame = answers.group_by(keys).agg(**ends, _n=answers.count()).to_pandas()
    frame = frame.sort_values(keys, kind="stable", ignore_index=True)
    respondents, varying = frame[keys].copy(), []
    for name in about:
        low, high = frame[f"_low_{name}"], frame[f"_high_{name}"]
        if name != "answered_at" and (low.notna() & low.ne(high)).any():
            varying.append(name)
        else:
            respondents[name] = high  # of several moments the last
    return respondents, varying


def fill_matrices(
    answers: ir.Table, respondents: pd.DataFrame, facts: pd.DataFrame
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame | None]:
    """Spread answers to one matrix per role.

    Parameters
    ----------
    answers : ibis Table
        From `open_answers`.
    respondents : pandas.DataFrame, one row per respondent and wave
        From `list_respondents`.
    facts : pandas.DataFrame, one row per item and role
        Columns `item`, `role`, in the order the matrices shall have.

    Returns
    -------
    values : dict of str to pandas.DataFrame
        By role: respondents x items, NaN where there is no answer.
    touchpoints : pandas.DataFrame or None
        Respondents x items: the touchpoint an answer names, the perception's before the others';
        None where no answer names any.

    Raises
    ------
    InputError
        When somebody answered one item in one role twice.
    """
    people = respondents[["respondent_id", "wave"]].assign(_person=respondents.index)
    places = facts[["item", "role"]].assign(_place=facts.index)
    coded = answers.inner_join(to_table(people, beside=answers), ["respondent_id", "wave"])
    coded = coded.inner_join(to_table(places, beside=answers), ["item", "role"])
    cells = np.full((len(respondents), len(facts)), np.nan)
    n = 0
    for batch in _fetch(coded.select("_person", "_place", "value")):
        cells[batch["_person"], batch["_place"]] = batch["value"]
        n += len(batch["value"])
    if n != np.count_nonzero(~np.isnan(cells)):
        _refuse_twice(answers)
    values = {
        role: pd.DataFrame(cells[:, part.index], columns=pd.Index(part["item"], name=None))
        for role, part in facts.groupby("role", sort=False)
    }
    if "touchpoint" not in answers.columns:
        return values, None
    named = coded.filter(coded["touchpoint"].cast("string").fill_null("") != "")
    return values, _place_touchpoints(named, facts, len(respondents))


def _place_touchpoints(named: ir.Table, facts: pd.DataFrame, n: int) -> pd.DataFrame | None:
    labels = sorted(named.select("touchpoint").distinct().to_pandas()["touchpoint"].astype(str))
    if not labels:
        return None
    codes = pd.DataFrame({"touchpoint": labels, "_touchpoint": range(len(labels))})
    named = named.inner_join(to_table(codes, beside=named), "touchpoint")
    items = list(dict.fromkeys(facts["item"]))
    column = pd.Index(items).get_indexer(facts["item"])
    is_perception = facts["role"].eq("perception").to_numpy()
    found = np.full((2, n, len(items)), -1, dtype=np.int16)  # of the perception, of any other
    for batch in _fetch(named.select("_person", "_place", "_touchpoint")):
        side = (~is_perception[batch["_place"]]).astype(int)
        found[side, batch["_person"], column[batch["_place"]]] = batch["_touchpoint"]
    best = np.where(found[0] >= 0, found[0], found[1])
    names = np.array([*labels, None], dtype=object)
    return pd.DataFrame(names[best], columns=items)


def _fetch(table: ir.Table) -> Any:
    """Yield the columns of a table of numbers as arrays, a part of the rows at a time."""
    for batch in table.to_pyarrow_batches(chunk_size=_BATCH):
        yield {
            name: batch.column(name).to_numpy(zero_copy_only=False) for name in batch.schema.names
        }


def _refuse_twice(answers: ir.Table) -> None:
    keys = ["respondent_id", "item", "role", "wave"]
    counts = answers.group_by(keys).agg(n=answers.count())
    twice = counts.filter(counts["n"] > 1).to_pandas().sort_values(keys)
    shown = twice.head(3)[["respondent_id", "item", "role"]].agg(" / ".join, axis=1)
    raise InputError(
        f"Answers are there more than once in one wave: {int((twice['n'] - 1).sum()):,}.",
        f"table 'answers', {'; '.join(shown)}",
        "keep one answer per respondent, item, role, wave and source",
    )


def turn_reversed(
    values: dict[str, pd.DataFrame], facts: pd.DataFrame, respondents: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Turn reversed items; refuse answers off their scale, which would be turned to nonsense.

    Parameters
    ----------
    values : dict of str to pandas.DataFrame
        From `fill_matrices`.
    facts : pandas.DataFrame, one row per item and role
        From `describe_items`.
    respondents : pandas.DataFrame
        One row per row of the matrices, column `respondent_id`.

    Returns
    -------
    dict of str to pandas.DataFrame
        The same matrices with higher always better.

    Raises
    ------
    InputError
        When an answer is off its scale.
    """
    turned, problems = {}, []
    for role, part in facts.groupby("role", sort=False):
        table = values[role]
        cells, low, high = (
            a.to_numpy(dtype=float) for a in (table, part["scale_min"], part["scale_max"])
        )
        is_off = (cells < low) | (cells > high)
        if is_off.any():
            row, column = np.argwhere(is_off)[0]
            where = (
                f"respondent '{respondents['respondent_id'][row]}', item '{table.columns[column]}'"
            )
            given = f"{cells[row, column]:g} on {low[column]:g} to {high[column]:g}"
            problems.append((int(is_off.sum()), f"{where}, role {role}: {given}"))
        is_straight: NDArray[np.bool_] = part["higher_is_better"].to_numpy()
        new: Floats = np.where(is_straight, cells, low + high - cells)
        turned[role] = pd.DataFrame(new, columns=table.columns)
    if problems:
        raise InputError(
            f"Answers are off the scale of their item: {sum(n for n, _ in problems):,}.",
            f"table 'answers', {problems[0][1]}",
            "correct scale_min and scale_max in 'items', or declare the value as missing",
        )
    return turned
