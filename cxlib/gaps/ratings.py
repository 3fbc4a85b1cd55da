"""From survey answers to ratings that may be compared: one source, one direction, one matrix."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cxlib.errors import InputError, TooLittleData, closest
from cxlib.gaps.cells import fill_matrices, list_respondents, open_answers, turn_reversed
from cxlib.gaps.groups import natural_key
from cxlib.gaps.items import describe_items

if TYPE_CHECKING:
    import ibis.expr.types as ir

PAIR = ("expectation", "perception")


@dataclass(frozen=True)
class Ratings:
    """Answers of one source as one matrix per role, turned so that higher is better.

    Parameters
    ----------
    respondents : pandas.DataFrame, one row per respondent (and wave, when there are several)
        Columns `respondent_id`, `wave`, `weight` (1.0 unless answers have weights) and every other
        column of the answers that is constant for a respondent, sorted.
    items : pandas.DataFrame, one row per item and role that was answered
        Columns `item`, `role`, `scale_min`, `scale_max`, `higher_is_better`, `text`, `dimension`,
        `touchpoint`, `metric`, `expectation_type`, `timing`, `kind`; empty where not known.
    values : dict of str to pandas.DataFrame
        By role: respondents x items in natural order, NaN where there is no answer.
    touchpoints : pandas.DataFrame or None
        Respondents x items: the touchpoint the answer names; None where no answer names any.
    uses : pandas.DataFrame, one row per use
        Columns `use`, `n` (answers), `n_respondents`: what became of every answer given.
    wave : str
        The wave used, ``""`` where answers name none or all waves were asked for.
    source : str
        Whose answers these are.
    varying : tuple of str
        Columns of the answers that are not constant for a respondent, and so not in `respondents`.
    """

    respondents: pd.DataFrame
    items: pd.DataFrame
    values: dict[str, pd.DataFrame]
    touchpoints: pd.DataFrame | None
    uses: pd.DataFrame
    wave: str
    source: str
    varying: tuple[str, ...] = ()

    def facts(self, role: str) -> pd.DataFrame:
        """List what is known of the items of one role, in the order of its matrix.

        Parameters
        ----------
        role : str
            A role that was answered.

        Returns
        -------
        pandas.DataFrame
            The rows of `items`, indexed by item.
        """
        return self.items[self.items["role"].eq(role)].set_index("item")


def select_answers(
    answers: pd.DataFrame | ir.Table,
    items: pd.DataFrame | None = None,
    *,
    wave: str = "",
    source: str = "customer",
    every_wave: bool = False,
) -> Ratings:
    """Select one wave of one source, and spread its answers to one matrix per role.

    Parameters
    ----------
    answers : pandas.DataFrame or ibis Table, one row per answer
        Columns `respondent_id`, `item`, `role`, `value`; optional `wave`, `answered_at`,
        `source`, `touchpoint`, `weight`, `unit`, `customer_id` and any column to group by.
    items : pandas.DataFrame, optional, one row per item, or per item and role
        Columns `item`, `scale_min`, `scale_max`; optional `role`, `higher_is_better`, `text`,
        `dimension`, `touchpoint`, `metric`, `expectation_type`, `timing`, `kind`. A row with a
        role wins over a row without.
    wave : str, default ""
        The wave to use; empty = the latest.
    source : {"customer", "employee"}, default "customer"
        Whose answers to use; an answer without a source is a customer's.
    every_wave : bool, default False
        Use all waves; a respondent has one row in each.

    Returns
    -------
    Ratings
        Ratings of the source, and what became of the other answers.

    Raises
    ------
    InputError
        When a column is missing, the wave is unknown, an answer is there twice or off its scale,
        or weights are missing for some, all zero, or several for one respondent.
    TooLittleData
        When nobody of that source answered.

    Notes
    -----
    The latest wave is the one with the latest `answered_at`; without times, or on a tie, the last
    in natural order ("wave 10" after "wave 9"). When any answer names a wave, those that name
    none are left out and counted in `uses`. A reversed item (`higher_is_better` False) is turned by
    scale_min + scale_max - value.

    Examples
    --------
    >>> answers = pd.DataFrame(
    ...     {
    ...         "respondent_id": ["a", "a", "b"],
    ...         "item": ["speed"] * 3,
    ...         "role": ["expectation", "perception", "expectation"],
    ...         "value": [7, 4, 6],
    ...     }
    ... )
    >>> ratings = select_answers(answers)
    >>> ratings.values["expectation"]["speed"].tolist()
    [7.0, 6.0]
    """
    table = open_answers(answers)
    waves = _count_waves(table)
    of_source = waves[waves["source"].eq(source)]
    if not len(of_source):
        raise TooLittleData(f"No answer comes from {_article(source)}.")
    wave = _choose_wave(of_source, wave)
    chosen = table.filter(table["source"] == source)
    if every_wave:
        wave = ""
    elif wave:
        chosen = chosen.filter(chosen["wave"] == wave)
    respondents, varying = list_respondents(chosen)
    asked = chosen.select("item", "role").distinct().to_pandas()
    order = sorted(zip(asked["item"], asked["role"], strict=True), key=_item_order)
    facts = describe_items(pd.DataFrame(order, columns=["item", "role"], dtype=object), items)
    values, touchpoints = fill_matrices(chosen, respondents, facts)
    ratings = Ratings(
        respondents=_add_weights(respondents, varying),
        items=facts,
        values=turn_reversed(values, facts, respondents),
        touchpoints=touchpoints,
        uses=pd.DataFrame(),
        wave=wave,
        source=source,
        varying=tuple(varying),
    )
    return replace(ratings, uses=_count_uses(ratings, table))


def keep_respondents(ratings: Ratings, keep: ArrayLike) -> Ratings:
    """Keep some respondents.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    keep : array_like of bool, one per respondent
        Whom to keep.

    Returns
    -------
    Ratings
        The ratings of those kept; `uses` still counts all.
    """
    rows = np.flatnonzero(np.asarray(keep, dtype=bool))

    def cut(table: pd.DataFrame) -> pd.DataFrame:
        """Take the rows of those kept."""
        return table.iloc[rows].reset_index(drop=True)

    return replace(
        ratings,
        respondents=cut(ratings.respondents),
        values={role: cut(table) for role, table in ratings.values.items()},
        touchpoints=None if ratings.touchpoints is None else cut(ratings.touchpoints),
    )


def _item_order(key: tuple[str, str]) -> tuple:
    return natural_key(key[0]), key[1]


def _article(source: str) -> str:
    return f"{'an' if source[:1] in 'aeiou' else 'a'} {source}"


def _count_waves(table: ir.Table) -> pd.DataFrame:
    last = {"last": table["answered_at"].max()} if "answered_at" in table.columns else {}
    counts = table.group_by(["source", "wave"]).agg(n=table.count(), **last)
    return counts.to_pandas()


def _choose_wave(waves: pd.DataFrame, wave: str) -> str:
    known = sorted(set(waves["wave"]) - {""}, key=natural_key)
    if wave and wave not in known:
        raise InputError(
            f"The wave '{wave}' is unknown.", "table 'answers', column 'wave'", closest(wave, known)
        )
    if wave or not known:
        return wave
    if "last" in waves.columns:
        last = waves.set_index("wave")["last"].reindex(known)
        known = [name for name in known if last[name] == last.max()] or known
    return known[-1]


def _add_weights(respondents: pd.DataFrame, varying: list[str]) -> pd.DataFrame:
    where, fix = "table 'answers', column 'weight'", "give every respondent one weight, 0 or more"
    if "weight" in varying:
        raise InputError("A respondent has several weights.", where, fix)
    if "weight" not in respondents.columns:
        return respondents.assign(weight=1.0)
    weight = respondents["weight"].astype(float)
    bad = weight.isna() | weight.lt(0) | ~np.isfinite(weight)
    if bad.any():
        who = respondents.loc[bad, "respondent_id"].head(3).tolist()
        problem = f"Respondents without a usable weight: {int(bad.sum()):,}."
        raise InputError(problem, f"{where}, respondents {who}", fix)
    if not weight.gt(0).any():
        raise InputError("All weights are zero.", where, fix)
    return respondents.assign(weight=weight)


def _count_uses(ratings: Ratings, table: ir.Table) -> pd.DataFrame:
    """Count what became of every answer given."""
    n = len(ratings.respondents)
    nobody = pd.DataFrame(np.zeros((n, 0)))
    known = {role: values.notna() for role, values in ratings.values.items()}
    first, second = (known.get(role, nobody.astype(bool)) for role in PAIR)
    both = first.reindex(columns=second.columns, fill_value=False) & second
    in_gap = both.sum(axis=1).to_numpy()
    given = first.sum(axis=1).to_numpy() + second.sum(axis=1).to_numpy()
    other = sum(
        (table.sum(axis=1).to_numpy() for role, table in known.items() if role not in PAIR),
        np.zeros(n, dtype=int),
    )
    ids = pd.factorize(ratings.respondents["respondent_id"])[0]
    counts = [
        (use, int(count.sum()), len(np.unique(ids[count > 0])))
        for use, count in (
            ("in the gaps: expectation and perception of one item", 2 * in_gap),
            ("not in the gaps: only one of the two was answered", given - 2 * in_gap),
            ("not in the gaps: another kind of rating", other),
        )
    ]
    is_source = table["source"] == ratings.source
    unused = {f"not used: not {_article(ratings.source)}'s answer": ~is_source}
    if ratings.wave:
        unused["not used: another wave"] = is_source & (table["wave"] != ratings.wave)
    for use, rows in unused.items():
        part = table.filter(rows)
        row = part.aggregate(n=part.count(), who=part["respondent_id"].nunique()).to_pandas()
        counts.append((use, int(row["n"][0]), int(row["who"][0])))
    return pd.DataFrame(counts, columns=["use", "n", "n_respondents"])
