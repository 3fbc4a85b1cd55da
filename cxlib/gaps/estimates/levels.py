"""Every level of a survey with its respondents' means, stages of the journey included."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cxlib.errors import InputError
from cxlib.gaps.groups import natural_key
from cxlib.gaps.levels import LevelMeans, Pairs, known_levels, level_means
from cxlib.schema import check_table
from cxlib.stats import Floats


@dataclass(frozen=True)
class Level:
    """One level of a survey.

    Parameters
    ----------
    name : str
        item, dimension, touchpoint, stage or total.
    pairs : Pairs
        The pairs, their touchpoints replaced by stages on that level.
    means : LevelMeans
        Each respondent's means.
    """

    name: str
    pairs: Pairs
    means: LevelMeans

    def members(self, name: str, values: Floats) -> Floats:
        """Take the items behind one name.

        Parameters
        ----------
        name : str
            A name of the level.
        values : ndarray, respondents x items
            Any values of the pairs.

        Returns
        -------
        ndarray, respondents x items of the name
            NaN where the respondent's answer is about another name.
        """
        of_answers = self.pairs.touchpoints
        if self.means.level == "touchpoint" and of_answers is not None:
            here = of_answers == name
            return np.where(here, values, np.nan)[:, here.any(axis=0)]
        if self.name == "total":
            return values
        return values[:, self.pairs.items[self.means.level].eq(name).to_numpy()]


def list_levels(pairs: Pairs, *, touchpoints: pd.DataFrame | None = None) -> list[Level]:
    """Average each respondent's pairs at every level the survey knows.

    Parameters
    ----------
    pairs : Pairs
        From `pair_ratings`.
    touchpoints : pandas.DataFrame, optional, one row per touchpoint
        Columns `touchpoint`, `stage`; adds the level stage.

    Returns
    -------
    list of Level
        item, dimension, touchpoint, stage, total, in this order and where known.

    Raises
    ------
    InputError
        When a touchpoint has two stages.
    """
    levels = []
    for name in known_levels(pairs):
        levels.append(Level(name, pairs, _average(pairs, name)))
        if name == "touchpoint" and touchpoints is not None and "stage" in touchpoints:
            staged = _name_stages(pairs, touchpoints)
            if "touchpoint" in known_levels(staged):
                levels.append(Level("stage", staged, level_means(staged, "touchpoint")))
    return levels


def replace_values(level: Level, expectation: Floats, perception: Floats) -> LevelMeans:
    """Average other values of the same pairs at a level.

    Parameters
    ----------
    level : Level
        From `list_levels`.
    expectation, perception : ndarray, respondents x items
        What stands in for the ratings, NaN where there is no pair.

    Returns
    -------
    LevelMeans
        Their means.
    """
    pairs = replace(level.pairs, expectation=expectation, perception=perception)
    return _average(pairs, level.means.level)


def describe_members(level: Level) -> pd.DataFrame:
    """Describe what stands behind each name of a level.

    Parameters
    ----------
    level : Level
        From `list_levels`.

    Returns
    -------
    pandas.DataFrame
        One row per name. Columns `level`, `name`, `text` (an item's wording), `n_items`,
        `item_share` (mean share of these items that the row's respondents rated in both roles).
    """
    means = level.means
    rated = (means.count > 0).sum(axis=0)
    share = np.full(len(means.names), np.nan)
    asked = rated * np.array(means.n_items)
    np.divide(means.count.sum(axis=0), asked, out=share, where=asked > 0)
    table = pd.DataFrame({"level": level.name, "name": means.names})
    texts = level.pairs.items.set_index("item")["text"]
    is_item = level.name == "item"
    table["text"] = table["name"].map(texts).astype(object) if is_item else None
    return table.assign(n_items=means.n_items, item_share=share)


def _average(pairs: Pairs, level: str) -> LevelMeans:
    """Average pairs; a single item's mean is its rating, which need not be computed."""
    names = list(pairs.items["item"])
    if level != "item" or names != sorted(names, key=natural_key):
        return level_means(pairs, level)
    gap = pairs.gap
    count = (~np.isnan(gap)).astype(float)
    sides = (pairs.expectation, pairs.perception, gap)
    return LevelMeans(level, names, [1] * len(names), *sides, count)


def _name_stages(pairs: Pairs, touchpoints: pd.DataFrame) -> Pairs:
    check_table(touchpoints, ("touchpoint", "stage"), table="touchpoints")
    known = touchpoints[["touchpoint", "stage"]].dropna().drop_duplicates()
    twice = known[known["touchpoint"].duplicated(keep=False)]
    if len(twice):
        name = twice["touchpoint"].iloc[0]
        stages = twice.loc[twice["touchpoint"].eq(name), "stage"].tolist()
        raise InputError(
            f"Touchpoint '{name}' is in two stages.",
            f"table 'touchpoints', stages {stages}",
            "give every touchpoint one stage",
        )
    stage_of = known.set_index("touchpoint")["stage"].to_dict()
    items = pairs.items.assign(
        touchpoint=[stage_of.get(name) for name in pairs.items["touchpoint"]]
    )
    answered = pairs.touchpoints
    if answered is not None:
        codes, names = pd.factorize(answered.ravel())
        stages = np.array([*(stage_of.get(name) for name in names), None], dtype=object)
        answered = stages[codes].reshape(answered.shape)
    return replace(pairs, items=items, touchpoints=answered)
