"""From ratings to paired ratings, and to one number per respondent at every level."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.groups import natural_key
from cxlib.gaps.ratings import PAIR, Ratings
from cxlib.stats import Floats

LEVELS = ("item", "dimension", "touchpoint", "total")
_ABOUT = {
    "expectation_type": ("what was expected", ("minimum", "desired", "will", "should")),
    "timing": ("when the expectation was asked", ("before", "after")),
}
_FACTS = ["item", "text", "dimension", "touchpoint", "kind", "scale_min", "scale_max"]


@dataclass(frozen=True)
class Pairs:
    """Ratings of two kinds of the same respondents and items.

    Parameters
    ----------
    respondents : pandas.DataFrame, one row per respondent
        As in `Ratings`.
    items : pandas.DataFrame, one row per item rated in both roles by anybody
        Columns `item`, `text` (marked where the item was turned), `dimension`, `touchpoint`,
        `kind`, `scale_min`, `scale_max`.
    expectation, perception : ndarray, respondents x items
        NaN unless the respondent gave both.
    touchpoints : ndarray of object, respondents x items, or None
        The touchpoint each pair is about, where answers name any.
    """

    respondents: pd.DataFrame
    items: pd.DataFrame
    expectation: Floats
    perception: Floats
    touchpoints: np.ndarray | None

    @cached_property
    def gap(self) -> Floats:
        """Perception minus expectation, respondents x items."""
        return self.perception - self.expectation

    @property
    def n(self) -> int:
        """Respondents with at least one pair."""
        return int((~np.isnan(self.gap)).any(axis=1).sum())


@dataclass(frozen=True)
class LevelMeans:
    """Each respondent's mean ratings by the names of one level.

    Parameters
    ----------
    level : str
        One of `LEVELS`.
    names : list of str
        Names in natural order.
    n_items : list of int
        Items behind each name.
    expectation, perception, gap : ndarray, respondents x names
        Means over the pairs of a name, NaN where the respondent has none.
    count : ndarray, respondents x names
        Number of pairs.
    """

    level: str
    names: list[str]
    n_items: list[int]
    expectation: Floats
    perception: Floats
    gap: Floats
    count: Floats


def check_respondents(ratings: Ratings, *, min_cell: int) -> Ratings:
    """Check that enough respondents rated one item in both roles.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    min_cell : int
        The fewest respondents to show results of.

    Returns
    -------
    Ratings
        The same ratings.

    Raises
    ------
    InputError
        When a role was never asked, or the two cannot be subtracted.
    TooLittleData
        When they are fewer.
    """
    n = pair_ratings(ratings).n
    if n < min_cell:
        raise TooLittleData(
            "Respondents who rated the expectation and the perception of one and the same item: "
            f"{n}; at least {min_cell} are needed."
        )
    return ratings


def pair_ratings(ratings: Ratings) -> Pairs:
    """Pair each respondent's expectation and perception of an item.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.

    Returns
    -------
    Pairs
        Ratings that may be subtracted.

    Raises
    ------
    InputError
        When a role was never asked; when an item's two roles differ in scale or direction; when
        items have different scales; when it is not known, or not one and the same, what was
        expected (`expectation_type`) and when it was asked (`timing`).
    TooLittleData
        When fewer than two respondents rated one item in both roles.

    Notes
    -----
    An answer is about the touchpoint it names, else its item's; where the two answers of a pair
    differ, the perception's holds.
    """
    for role in PAIR:
        if role not in ratings.values:
            raise InputError(
                f"No answer has the role '{role}'; a gap needs expectation and perception.",
                f"table 'answers', roles {sorted(ratings.values)}",
                f"map the columns that hold the {role} to that role",
            )
    first, second = (ratings.values[role] for role in PAIR)
    names = [name for name in second.columns if name in first.columns]
    expectation, perception = (table[names].to_numpy() for table in (first, second))
    unpaired = np.isnan(expectation) | np.isnan(perception)
    known = ~unpaired.all(axis=0)
    names = [name for name, is_known in zip(names, known, strict=True) if is_known]
    if (~unpaired.all(axis=1)).sum() < 2:
        raise TooLittleData(
            "Fewer than two respondents rated the expectation and the perception of one and the "
            "same item."
        )
    facts = _check_comparable(ratings, names)
    touchpoints = None
    if ratings.touchpoints is not None:
        own = ratings.touchpoints[names].to_numpy()
        touchpoints = np.where(pd.isna(own), facts["touchpoint"].to_numpy(dtype=object), own)
    return Pairs(
        respondents=ratings.respondents,
        items=facts,
        expectation=np.where(unpaired, np.nan, expectation)[:, known],
        perception=np.where(unpaired, np.nan, perception)[:, known],
        touchpoints=touchpoints,
    )


def _check_comparable(ratings: Ratings, names: list[str]) -> pd.DataFrame:
    """Take an item's facts from the perception, once both roles are seen to be comparable."""
    expected, perceived = (ratings.facts(role).loc[names] for role in PAIR)
    errors = []
    for fact in ("expectation_type", "timing"):
        known = expected[fact].where(expected[fact].notna(), perceived[fact])
        errors += _check_one(known, fact)
    if errors:
        raise InputError.join(errors[:3])
    return check_scales(perceived, expected, sides=("perception", "expectation"))


def _check_one(known: pd.Series, fact: str) -> list[InputError]:
    """Ask for one kind of expectation: different ones must not be pooled, nor guessed."""
    about, choices = _ABOUT[fact]
    where = f"table 'items', column '{fact}'"
    if known.isna().any():
        return [
            InputError(
                f"It is not known {about} of item '{known.index[known.isna()][0]}'; without that "
                "a gap has no meaning.",
                where,
                f"say {' or '.join(choices)}; for all items at once: "
                f"{fact}: {{value: {choices[-1]}}}",
            )
        ]
    if known.nunique() > 1:
        shown = [f"'{item}' {value}" for item, value in known.drop_duplicates().items()]
        problem = f"The items differ in {about}; such gaps must not be put together."
        where = f"{where}: {', '.join(shown)}"
        return [InputError(problem, where, "study the items of one kind at a time")]
    return []


def check_scales(
    facts: pd.DataFrame, other: pd.DataFrame, *, sides: tuple[str, str]
) -> pd.DataFrame:
    """Check that two kinds of ratings of the same items may be subtracted and averaged.

    Parameters
    ----------
    facts, other : pandas.DataFrame, one row per item, indexed alike
        From `Ratings.facts`.
    sides : tuple of str
        What the two are, for the message.

    Returns
    -------
    pandas.DataFrame
        Columns `item`, `text` (the other's where the first has none, marked where the item was
        turned), `dimension`, `touchpoint`, `kind`, `scale_min`, `scale_max`.

    Raises
    ------
    InputError
        When an item's two scales or directions differ, or items have different scales.
    """
    scale = ["scale_min", "scale_max", "higher_is_better"]
    first, second = (table[scale].apply(_scale, axis=1) for table in (facts, other))
    errors = [
        InputError(
            f"Item '{name}' is rated on {second[name]} as {sides[1]} and on {first[name]} as "
            f"{sides[0]}; the two cannot be subtracted.",
            "table 'items'",
            "compare ratings of one scale and direction, or leave the item out",
        )
        for name in first.index[first.ne(second)]
    ]
    if errors:
        raise InputError.join(errors[:3])
    scales = facts[scale[:2]].dropna().drop_duplicates()
    if len(scales) > 1:
        shown = [f"'{r.Index}' on {r.scale_min:g} to {r.scale_max:g}" for r in scales.itertuples()]
        raise InputError(
            "The items are rated on different scales; their differences cannot be averaged.",
            f"table 'items', {', '.join(shown[:3])}",
            "convert the answers to one scale, or study the items of one scale at a time",
        )
    text = facts["text"].where(facts["text"].notna(), other["text"])
    turned = text.notna() & ~facts["higher_is_better"]
    text = text.mask(turned, text.astype(str) + " (reversed)")
    return facts.assign(text=text).rename_axis("item").reset_index()[_FACTS]


def _scale(facts: pd.Series) -> str:
    low, high, is_straight = facts
    scale = "an unknown scale" if pd.isna(low) else f"{low:g} to {high:g}"
    return f"{scale}{'' if is_straight else ' (reversed)'}"


def known_levels(pairs: Pairs) -> list[str]:
    """List the levels that the items have names for.

    Parameters
    ----------
    pairs : Pairs
        From `pair_ratings`.

    Returns
    -------
    list of str
        In the order of `LEVELS`; item and total always.
    """
    has_touchpoints = pairs.touchpoints is not None or pairs.items["touchpoint"].notna().any()
    has = {"dimension": pairs.items["dimension"].notna().any(), "touchpoint": has_touchpoints}
    return [level for level in LEVELS if has.get(level, True)]


def level_means(pairs: Pairs, level: str) -> LevelMeans:
    """Average each respondent's pairs by the names of one level.

    Parameters
    ----------
    pairs : Pairs
        From `pair_ratings`.
    level : {"item", "dimension", "touchpoint", "total"}
        What to average over.

    Returns
    -------
    LevelMeans
        Items without a name at that level count for none.
    """
    if level == "touchpoint" and pairs.touchpoints is not None:
        return _answered_means(pairs)
    is_total = level == "total"
    labels = pd.Series("total", pairs.items.index) if is_total else pairs.items[level]
    names = sorted(labels.dropna().unique(), key=natural_key)
    member = (labels.to_numpy()[:, None] == np.array(names, dtype=object)).astype(float)
    known = ~np.isnan(pairs.gap)
    count = known.astype(float) @ member
    sides = (_average(values, known, member, count) for values in _sides(pairs))
    expectation, perception = sides
    n_items = member.sum(axis=0).astype(int).tolist()
    gap = perception - expectation
    return LevelMeans(level, names, n_items, expectation, perception, gap, count)


def _sides(pairs: Pairs) -> tuple[Floats, Floats]:
    return pairs.expectation, pairs.perception


def _average(values: Floats, known: np.ndarray, member: Floats, count: Floats) -> Floats:
    total = np.where(known, values, 0.0) @ member
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def _answered_means(pairs: Pairs) -> LevelMeans:
    """Average by the touchpoint that every single answer names."""
    touchpoints = np.asarray(pairs.touchpoints)
    known = ~np.isnan(pairs.gap)
    named = touchpoints[known & ~pd.isna(touchpoints)]
    names = sorted(pd.unique(named), key=natural_key)
    parts: list[list[Floats]] = [[], []]
    counts, n_items = [], []
    for name in names:
        here = known & (touchpoints == name)
        count = here.sum(axis=1, keepdims=True).astype(float)
        every = np.ones((here.shape[1], 1))
        for part, values in zip(parts, _sides(pairs), strict=True):
            part.append(_average(values, here, every, count))
        counts.append(count)
        n_items.append(int(here.any(axis=0).sum()))
    expectation, perception = (np.hstack(part) for part in parts)
    gap = perception - expectation
    return LevelMeans("touchpoint", names, n_items, expectation, perception, gap, np.hstack(counts))
