"""What may go with the outcome: each respondent's ratings of every driver, and who may count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import InputError, TooLittleData, closest
from cxlib.gaps.levels import LevelMeans, Pairs, known_levels, level_means, pair_ratings
from cxlib.gaps.means import Codes, effective_numbers
from cxlib.gaps.outcomes import choose_outcome, read_outcome
from cxlib.gaps.ratings import Ratings
from cxlib.stats import Floats

PREDICTORS = ("both", "perception", "gap")
_FEWEST = 20  # answers to estimate a correlation from: its standard error is 0.22 then
_FEWEST_BLOCKS = 10


@dataclass(frozen=True)
class Candidates:
    """Drivers beside the outcome, one row per respondent.

    Parameters
    ----------
    level : str
        What a driver is: touchpoint, dimension or item.
    predictor : str
        Which of its ratings are entered.
    outcome : str
        Name of the outcome.
    table : pandas.DataFrame, one row per name of the level
        Columns `name`, `text`, `n` (respondents who rated it and gave the outcome), `left_out`
        (why it is not compared, None where it is).
    values : ndarray, respondents x (columns of the drivers compared, then the outcome)
        NaN where not answered.
    size : int
        Columns a driver has.
    perception, expectation : ndarray, respondents x drivers compared
        NaN where not rated.
    weights : ndarray, one per respondent
        Survey weights.
    blocks : ndarray of int, one per respondent
        Independent blocks.
    n : int
        Respondents with the outcome and any driver.
    """

    level: str
    predictor: str
    outcome: str
    table: pd.DataFrame
    values: Floats
    size: int
    perception: Floats
    expectation: Floats
    weights: Floats
    blocks: Codes
    n: int

    @property
    def names(self) -> list[str]:
        """Names of the drivers compared."""
        return self.table.loc[self.table["left_out"].isna(), "name"].tolist()


def collect_candidates(
    ratings: Ratings,
    *,
    outcome: str | Sequence[str] = "",
    level: str = "",
    predictor: str = "both",
    min_cell: int = 10,
    random_state: int = 0,
) -> Candidates:
    """Set every driver's ratings beside the outcome.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    outcome : str or sequence of str, default ""
        As :func:`choose_outcome` takes it.
    level : {"", "touchpoint", "dimension", "item"}, default ""
        What a driver is; empty = the first of these that the items have.
    predictor : {"both", "perception", "gap"}, default "both"
        What enters: perception and expectation together, or one of the two columns alone.
    min_cell : int, default 10
        A driver rated by fewer is left out (and always one rated by fewer than 20).
    random_state : int, default 0
        Seed of the dealing into blocks.

    Returns
    -------
    Candidates
        Those that can be compared, and why others cannot.

    Raises
    ------
    InputError
        When the outcome, level or predictor is unknown, or pairs cannot be made.
    TooLittleData
        When there is no outcome, it does not vary, or too few drivers, respondents or independent
        groups remain.
    """
    pairs = pair_ratings(ratings)
    level = _check(level, _levels(pairs), "level") if level else _levels(pairs)[0]
    _check(predictor, PREDICTORS, "predictor")
    name = choose_outcome(ratings, outcome)
    if not name:
        raise TooLittleData("No outcome was answered, so nothing can be said to go with it.")
    target = read_outcome(ratings, name, random_state=random_state)
    counted = target.weights > 0
    y = np.where(counted, target.values, np.nan)
    if len(np.unique(y[~np.isnan(y)])) < 2:
        raise TooLittleData(f"Nobody differs in '{target.name}', so nothing can go with it.")
    means = level_means(pairs, level)
    table = _choose(means, y, pairs, max(min_cell, _FEWEST))
    kept = np.flatnonzero(table["left_out"].isna())
    perception, expectation = (
        np.where(counted[:, None], values[:, kept], np.nan)
        for values in (means.perception, means.expectation)
    )
    sides = {"both": (perception, expectation), "perception": (perception,)}
    columns = np.stack(sides.get(predictor, (perception - expectation,)), axis=2)
    size = columns.shape[2]
    n = int((~np.isnan(perception[~np.isnan(y)])).any(axis=1).sum())
    answered = ~np.isnan(perception).all(axis=1) & ~np.isnan(y)
    n_effective = float(effective_numbers((target.weights * answered)[:, None])[0])
    _check_size(len(kept), n, n_effective, size * len(kept), target.blocks, level)
    return Candidates(
        level=level,
        predictor=predictor,
        outcome=target.name,
        table=table,
        values=np.column_stack([columns.reshape(len(y), -1), y]),
        size=size,
        perception=perception,
        expectation=expectation,
        weights=target.weights,
        blocks=target.blocks,
        n=n,
    )


def collect_stated(ratings: Ratings, level: str, names: Sequence[str]) -> Floats | None:
    """Average each respondent's stated importance by driver.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    level : {"touchpoint", "dimension", "item"}
        What a driver is.
    names : sequence of str
        The drivers.

    Returns
    -------
    ndarray of shape (respondents, drivers) or None
        Means over the items of a driver, NaN where nothing was stated; None when importance was
        not asked for every driver.

    Raises
    ------
    InputError
        When importance is rated on several scales.
    """
    if "importance" not in ratings.values:
        return None
    facts = ratings.facts("importance")
    scales = facts[["scale_min", "scale_max"]].dropna().drop_duplicates()
    if len(scales) > 1:
        shown = [f"'{r.Index}' on {r.scale_min:g} to {r.scale_max:g}" for r in scales.itertuples()]
        raise InputError(
            "Importance is rated on different scales; it cannot be compared between items.",
            f"table 'items', {', '.join(shown[:3])}",
            "convert the answers to one scale, or leave the role importance out",
        )
    labels = facts.index if level == "item" else facts[level]
    member = (np.asarray(labels, dtype=object)[:, None] == np.array(names, object)).astype(float)
    values = ratings.values["importance"].to_numpy(dtype=float)
    known = ~np.isnan(values)
    count = known.astype(float) @ member
    if not (count[ratings.respondents["weight"] > 0] > 0).any(axis=0).all():
        return None
    total = np.where(known, values, 0.0) @ member
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def _levels(pairs: Pairs) -> list[str]:
    order = ("touchpoint", "dimension", "item")
    return [level for level in order if level in known_levels(pairs)]


def _check(given: str, options: Sequence[str], name: str) -> str:
    if given not in options:
        raise InputError(
            f"{name} = '{given}' is not available.", f"parameter '{name}'", closest(given, options)
        )
    return given


def _choose(means: LevelMeans, y: Floats, pairs: Pairs, fewest: int) -> pd.DataFrame:
    """List the names of a level, with the reason where one cannot be compared."""
    rated = ~np.isnan(means.gap) & ~np.isnan(y)[:, None]
    n = rated.sum(axis=0)
    sides = (means.perception, means.expectation)
    low, high = (
        [fold(np.where(rated, side, -sign * np.inf), axis=0) for side in sides]
        for fold, sign in ((np.min, -1), (np.max, 1))
    )
    varies = np.any([top > bottom for top, bottom in zip(high, low, strict=True)], axis=0)
    reasons = np.full(len(n), None, dtype=object)
    reasons[~varies] = "all answers are equal"
    reasons[n < fewest] = f"fewer than {fewest} answers"
    _drop_unlinked(reasons, rated, fewest)
    texts = pairs.items.set_index("item")["text"] if means.level == "item" else {}
    text = [texts.get(name) for name in means.names]
    return pd.DataFrame({"name": means.names, "text": text, "n": n, "left_out": reasons})


def _drop_unlinked(reasons: np.ndarray, rated: np.ndarray, fewest: int) -> None:
    """Leave out drivers that too few respondents rated together with another one."""
    together = rated.T.astype(float) @ rated
    n = np.diag(together)
    while True:
        kept = np.flatnonzero(pd.isna(reasons))
        short = (together[np.ix_(kept, kept)] < fewest).sum(axis=1)
        if not short.any():
            return
        worst = kept[np.lexsort((n[kept], -short))[0]]
        reasons[worst] = f"fewer than {fewest} rated it together with one of the others"


def _check_size(
    k: int, n: int, n_effective: float, n_columns: int, blocks: Codes, level: str
) -> None:
    if k < 2:
        raise TooLittleData(
            f"Fewer than two of level {level} have enough answers beside the outcome to compare "
            "how they go with it."
        )
    if n < n_columns + _FEWEST:
        raise TooLittleData(
            f"{n} respondents gave the outcome; to compare {n_columns} ratings with it, at least "
            f"{n_columns + _FEWEST} are needed."
        )
    if n_effective < n_columns + _FEWEST - 1e-6:
        raise TooLittleData(
            f"By their weights the {n} respondents count for {n_effective:.0f}; to compare "
            f"{n_columns} ratings with the outcome, at least {n_columns + _FEWEST} are needed."
        )
    n_blocks = len(np.unique(blocks))
    if n_blocks < _FEWEST_BLOCKS:
        raise TooLittleData(
            f"The respondents come in {n_blocks} independent groups (customers or units); at "
            f"least {_FEWEST_BLOCKS} are needed to tell chance from importance."
        )
