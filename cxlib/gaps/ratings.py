"""From survey answers to ratings that may be compared: one wave, one source, one direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import InputError, TooLittleData, closest
from cxlib.gaps.groups import as_texts, natural_key
from cxlib.schema import TABLES, check_table

PAIR = ("expectation", "perception")
_FACTS = ("scale_min", "scale_max", "higher_is_better", "text", "dimension", "touchpoint", "metric")
_TEXTS = ("text", "dimension", "touchpoint", "metric")


@dataclass(frozen=True)
class Ratings:
    """Answers of one wave and one source, turned so that higher is better.

    Parameters
    ----------
    answers : pandas.DataFrame, one row per answer
        The columns of `answers`, with `value` turned for reversed items.
    items : pandas.DataFrame, one row per item and role that was answered
        Columns `item`, `role`, `scale_min`, `scale_max`, `higher_is_better`, `text`,
        `dimension`, `touchpoint`, `metric`; empty where not known.
    pairs : pandas.DataFrame, one row per respondent and item rated in both roles
        Columns `respondent_id`, `item`, `dimension`, `touchpoint`, `expectation`, `perception`,
        `gap` (perception - expectation), `at_ceiling` (1.0 where the expectation is the top of
        the scale, so that no perception can exceed it; NaN without a scale), sorted.
    uses : pandas.DataFrame, one row per use
        Columns `use`, `n` (answers), `n_respondents`: what became of every answer given.
    wave : str
        The wave used, ``""`` where answers name none.
    """

    answers: pd.DataFrame
    items: pd.DataFrame
    pairs: pd.DataFrame
    uses: pd.DataFrame
    wave: str


def select_answers(
    answers: pd.DataFrame,
    items: pd.DataFrame | None = None,
    *,
    wave: str = "",
    source: str = "customer",
) -> Ratings:
    """Select one wave of one source and pair each respondent's expectations and perceptions.

    Parameters
    ----------
    answers : pandas.DataFrame, one row per answer
        Columns `respondent_id`, `item`, `role`, `value`; optional `wave`, `answered_at`,
        `source`, `touchpoint` and any column to group by.
    items : pandas.DataFrame, optional, one row per item, or per item and role
        Columns `item`, `scale_min`, `scale_max`; optional `role`, `higher_is_better`, `text`,
        `dimension`, `touchpoint`, `metric`. A row with a role wins over a row without.
    wave : str, default ""
        The wave to use; empty = the latest.
    source : {"customer", "employee"}, default "customer"
        Whose answers to use; an answer without a source is a customer's.

    Returns
    -------
    Ratings
        Ratings of one wave and source, and what became of the other answers.

    Raises
    ------
    InputError
        When a column is missing, the wave is unknown, an answer is there twice or off its scale,
        or an item's expectation and perception differ in scale or direction.
    TooLittleData
        When nobody of that source answered.

    Notes
    -----
    The latest wave is the one with the latest `answered_at`; without times, or on a tie, the last
    in natural order ("wave 10" after "wave 9"). When any answer names a wave, those that name
    none are left out and counted in `uses`. A reversed item (`higher_is_better` False) is turned by
    scale_min + scale_max - value. An answer is about the touchpoint it names, else its item's;
    where the two answers of a pair differ, the perception's holds. The column `weight` is not
    used: all estimates are unweighted.

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
    >>> select_answers(answers).pairs[["respondent_id", "item", "gap"]]
      respondent_id   item  gap
    0             a  speed -3.0
    """
    check_table(answers, TABLES["answers"].required, table="answers")
    of_source = answer_sources(answers) == source
    if not of_source.any():
        raise TooLittleData(f"No answer comes from a {source}.")
    waves = as_texts(answers, "wave")
    wave = _choose_wave(answers[of_source], waves[of_source], wave)
    of_wave = waves.eq(wave) if wave else pd.Series(True, index=answers.index)
    chosen = answers[of_source & of_wave]
    facts, keys = _describe_items(chosen, items)
    people, respondents = pd.factorize(chosen["respondent_id"], sort=True)
    _check_once(chosen, people * len(facts) + keys)
    chosen = _turn(chosen, facts, keys)
    pairs, in_pair = _pair(chosen, facts, keys, people, respondents)
    in_role = facts["role"].isin(PAIR).to_numpy()[keys]
    uses = {
        "in the gaps: expectation and perception of one item": people[in_pair],
        "not in the gaps: only one of the two was answered": people[in_role & ~in_pair],
        "not in the gaps: another kind of rating": people[~in_role],
        f"not used: not a {source}'s answer": answers.loc[~of_source, "respondent_id"],
        "not used: another wave": answers.loc[of_source & ~of_wave, "respondent_id"],
    }
    counts = [(use, len(who), len(pd.unique(who))) for use, who in uses.items()]
    table = pd.DataFrame(counts, columns=["use", "n", "n_respondents"])
    return Ratings(chosen, facts, pairs, table, wave)


def answer_sources(answers: pd.DataFrame) -> pd.Series:
    """Tell whose each answer is.

    Parameters
    ----------
    answers : pandas.DataFrame, one row per answer
        Optional column `source`.

    Returns
    -------
    pandas.Series
        One text per row; an answer without a source is a customer's.
    """
    return as_texts(answers, "source").replace("", "customer")


def _choose_wave(answers: pd.DataFrame, waves: pd.Series, wave: str) -> str:
    known = sorted(set(waves) - {""}, key=natural_key)
    if wave and wave not in known:
        raise InputError(
            f"The wave '{wave}' is unknown.", "table 'answers', column 'wave'", closest(wave, known)
        )
    if wave or not known:
        return wave
    if "answered_at" in answers.columns:
        last = answers["answered_at"].groupby(waves).max().reindex(known)
        known = [name for name in known if last[name] == last.max()] or known
    return known[-1]


def _describe_items(
    answers: pd.DataFrame, items: pd.DataFrame | None
) -> tuple[pd.DataFrame, np.ndarray]:
    """Find what is known of each item in each role, and the row of it for every answer."""
    keys = answers.groupby(["item", "role"], sort=False).ngroup().to_numpy()
    first = np.unique(keys, return_index=True)[1]
    facts = answers[["item", "role"]].iloc[first].astype(str).reset_index(drop=True)
    if items is None:
        items = pd.DataFrame(columns=["item"])
    items = items.assign(role=as_texts(items, "role")).reindex(columns=["item", "role", *_FACTS])
    for name in _TEXTS:
        items[name] = items[name].mask(items[name].eq("").fillna(False))
    twice = items[items.duplicated(["item", "role"])]
    if len(twice):
        item, role = twice.iloc[0][["item", "role"]]
        raise InputError(
            f"Item '{item}' is described twice{f' for the role {role}' if role else ''}.",
            "table 'items'",
            "keep one row per item, or one per item and role",
        )
    own = facts.merge(items, on=["item", "role"], how="left")
    common = facts.merge(items[items["role"].eq("")].drop(columns="role"), on="item", how="left")
    for name in _FACTS:
        facts[name] = own[name].where(own[name].notna(), common[name])
    for name in ("scale_min", "scale_max"):
        facts[name] = facts[name].astype(float)
    is_straight = facts["higher_is_better"].astype("boolean").fillna(True)
    return facts.assign(higher_is_better=is_straight.astype(bool)), keys


def _check_once(answers: pd.DataFrame, cells: np.ndarray) -> None:
    twice = pd.Series(cells).duplicated().to_numpy()
    if twice.any():
        rows = answers.loc[twice, ["respondent_id", "item", "role"]].head(3).astype(str)
        raise InputError(
            f"Answers are there more than once in one wave: {int(twice.sum()):,}.",
            f"table 'answers', {'; '.join(rows.agg(' / '.join, axis=1))}",
            "keep one answer per respondent, item, role, wave and source",
        )


def _turn(answers: pd.DataFrame, facts: pd.DataFrame, keys: np.ndarray) -> pd.DataFrame:
    """Turn reversed items; refuse answers off their scale, which would be turned to nonsense."""
    lost = facts.loc[~facts["higher_is_better"] & facts["scale_min"].isna(), "item"]
    if len(lost):
        raise InputError(
            f"Item '{lost.iloc[0]}' is reversed but has no scale.",
            "table 'items'",
            "give scale_min and scale_max",
        )
    low, high = (facts[end].to_numpy()[keys] for end in ("scale_min", "scale_max"))
    value = answers["value"].to_numpy(dtype=float)
    is_off = (value < low) | (value > high)
    if is_off.any():
        first = int(np.flatnonzero(is_off)[0])
        row = answers.iloc[first]
        raise InputError(
            f"Answers are off the scale of their item: {int(is_off.sum()):,}.",
            f"table 'answers', respondent '{row['respondent_id']}', item '{row['item']}', role "
            f"{row['role']}: {value[first]:g} on {low[first]:g} to {high[first]:g}",
            "correct scale_min and scale_max in 'items', or declare the value as missing",
        )
    is_straight = facts["higher_is_better"].to_numpy()[keys]
    return answers.assign(value=np.where(is_straight, value, low + high - value))


def _pair(
    answers: pd.DataFrame,
    facts: pd.DataFrame,
    keys: np.ndarray,
    people: np.ndarray,
    respondents: pd.Index,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Join each respondent's two ratings of an item, and mark the answers so used."""
    names = pd.Index(sorted(facts.loc[facts["role"].isin(PAIR), "item"].unique(), key=natural_key))
    value = answers["value"].to_numpy()
    # the row of every rating by role, respondent and item: a join by position, sorted at once
    found = np.full((2, len(respondents), len(names)), -1)
    for side, role in enumerate(PAIR):
        at = np.flatnonzero(facts["role"].eq(role).to_numpy()[keys] & ~np.isnan(value))
        found[side, people[at], names.get_indexer(facts["item"])[keys[at]]] = at
    rows, columns = np.nonzero((found >= 0).all(axis=0))
    first, second = found[:, rows, columns]
    of_item = _pair_facts(facts, list(names[np.unique(columns)])).reindex(names)
    touchpoint = of_item["touchpoint"].to_numpy()[columns]
    if "touchpoint" in answers.columns:
        own = as_texts(answers, "touchpoint").to_numpy()
        for at in (first, second):
            touchpoint = np.where(own[at] != "", own[at], touchpoint)
    top = of_item["scale_max"].to_numpy(dtype=float)[columns]
    pairs = pd.DataFrame(
        {
            "respondent_id": np.asarray(respondents)[rows],
            "item": names.to_numpy()[columns],
            "dimension": of_item["dimension"].to_numpy()[columns],
            "touchpoint": touchpoint,
            "expectation": value[first],
            "perception": value[second],
            "gap": value[second] - value[first],
            "at_ceiling": np.where(np.isnan(top), np.nan, value[first] >= top),
        }
    )
    in_pair = np.zeros(len(answers), dtype=bool)
    in_pair[first] = in_pair[second] = True
    return pairs, in_pair


def _pair_facts(facts: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Take an item's facts from the perception, once both roles are seen to be comparable."""
    by_role = {role: part.set_index("item") for role, part in facts.groupby("role")}
    empty = facts.iloc[:0].set_index("item")
    perception = by_role.get("perception", empty).reindex(names)
    expectation = by_role.get("expectation", empty).reindex(names)
    errors = [
        InputError(
            f"Item '{name}' is rated on {_scale(e)} as expectation and on {_scale(p)} as "
            "perception; the two cannot be subtracted.",
            "table 'items'",
            "compare ratings of one scale and direction, or leave the item out",
        )
        for name, e, p in zip(
            names,
            expectation.itertuples(index=False),
            perception.itertuples(index=False),
            strict=True,
        )
        if _scale(e) != _scale(p)
    ]
    if errors:
        raise InputError.join(errors[:3])
    return perception.where(perception.notna(), expectation)


def _scale(row: tuple) -> str:
    low, high, is_straight = row[1:4]
    scale = "an unknown scale" if np.isnan(low) else f"{low:g} to {high:g}"
    return f"{scale}{'' if is_straight else ' (reversed)'}"
