"""Which model of an outcome the data support: the gap, perception, or both with free weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlib.errors import TooLittleData
from cxlib.gaps.levels import Pairs, known_levels, level_means, pair_ratings
from cxlib.gaps.outcomes import Outcome, read_outcome
from cxlib.gaps.prediction.comparison import FEWEST, can_compare, compare_models
from cxlib.gaps.prediction.products import BOTH, cross_products
from cxlib.gaps.prediction.verdicts import judge
from cxlib.gaps.ratings import Ratings
from cxlib.gaps.resample import draw_counts
from cxlib.stats import Floats, adjust_p_values


@dataclass(frozen=True)
class GapModels:
    """How well the gap, perception, and both predict an outcome.

    Parameters
    ----------
    links : pandas.DataFrame, one row per level, name and rating
        Columns `level`, `name`, `rating` (perception, gap, expectation), `n`, `correlation`,
        `conf_low`, `conf_high`, `p_value`.
    models : pandas.DataFrame, one row per level, name and model
        Columns `level`, `name`, `model`, `n`, `r2`, `conf_low`, `conf_high`, `r2_unseen` (on
        respondents the model was not fitted to), `r2_lost` (against both, own weights; below 0
        for a better model), `lost_low`, `lost_high`.
    weights : pandas.DataFrame, one row per level, name and term of both, own weights
        Columns `level`, `name`, `term`, `n`, `estimate`, `std_error`, `conf_low`, `conf_high`,
        `p_value`.
    tests : pandas.DataFrame, one row per level, name and test
        Columns `level`, `name`, `test`, `n`, `statistic`, `degrees_1`, `degrees_2`, `p_value`,
        `q_value` (over the whole table).
    verdicts : pandas.DataFrame, one row per level and name
        Columns `level`, `name`, `n`, `verdict`, `p_verdict`, `leading` (what the verdict would be
        were it sure).
    outcome : str
        Name of the outcome.
    margin : float
        Part of what both ratings explain together that may be lost as too little to matter.
    conf_level : float
        Level of the intervals.
    """

    links: pd.DataFrame
    models: pd.DataFrame
    weights: pd.DataFrame
    tests: pd.DataFrame
    verdicts: pd.DataFrame
    outcome: str
    margin: float
    conf_level: float


def fit_gap_models(
    ratings: Ratings,
    *,
    outcome: str | Sequence[str],
    levels: Sequence[str] = ("total", "dimension", "touchpoint"),
    margin: float = 0.1,
    conf_level: float = 0.95,
    min_cell: int = 10,
    n_draws: int = 1_000,
    random_state: int = 0,
) -> GapModels:
    """Fit an outcome on the gap, on perception, and on both with weights of their own.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    outcome : str or sequence of str
        An outcome item, or several of one scale (``"OUT1, OUT2"``): their mean.
    levels : sequence of str, default ("total", "dimension", "touchpoint")
        Levels to judge; those without names are passed over.
    margin : float, default 0.1
        Part of what both ratings explain together that may be lost as too little to matter.
    conf_level : float, default 0.95
        Level of intervals; tests reject below 1 less this.
    min_cell : int, default 10
        Names with fewer respondents are left out.
    n_draws : int, default 1000
        Bootstrap samples.
    random_state : int, default 0
        Seed.

    Returns
    -------
    GapModels
        Correlations, R squared, weights, tests and verdicts.

    Raises
    ------
    InputError
        When the outcome is unknown or the ratings cannot be subtracted.
    TooLittleData
        When fewer than 30 respondents gave expectation, perception and outcome.

    Notes
    -----
    Expectation and perception are a respondent's means over the items rated in both roles. With
    y = b0 + bE E + bP P + e, the gap alone is the model with bE = -bP and perception alone that
    with bE = 0; the surface adds E^2, E P and P^2. Tests are Wald's F with HC3 errors (the cluster
    jackknife where customers or units come several times), so unequal spread, which ratings near
    the end of a scale have, does no harm. q-values are Benjamini-Hochberg's over all tests of the
    call. Intervals of R squared and of its loss are percentiles of a bootstrap of respondents (or
    clusters), moved by twice the bias that the bootstrap shows: R squared only ever grows with a
    term, so a loss of 0 would otherwise lie outside. Correlations have jackknife errors on
    Fisher's scale. Respondents who skipped the outcome are left out and not counted in n.

    How the verdict is found: see `cxlib.gaps.prediction.verdicts.judge`.

    References
    ----------
    .. [1] J. R. Edwards (2002). Alternatives to difference scores: polynomial regression analysis
           and response surface methodology. In Measuring and Analyzing Behavior in Organizations.
    .. [2] J. J. Cronin, S. A. Taylor (1992). Measuring service quality: a reexamination and
           extension. Journal of Marketing 56(3), 55-68.
    """
    pairs = pair_ratings(ratings)
    target = read_outcome(ratings, outcome, random_state=random_state)
    counts = draw_counts(int(target.blocks.max()) + 1, n_draws, random_state)
    tables: list[dict[str, pd.DataFrame]] = []
    judged: list[dict[str, Any]] = []
    for level, name, expectation, perception in _each_name(pairs, levels):
        products, n = cross_products(target, expectation, perception, middle=scale_middle(pairs))
        if n < max(min_cell, 1):
            continue
        about = {"level": level, "name": name, "n": n}
        draws = None
        if can_compare(products, n):
            draws, found = compare_models(
                products, n, counts, conf_level=conf_level, random_state=random_state
            )
            tables.append({key: _prepend(table, about) for key, table in found.items()})
        judged.append({**about, "draws": draws})
    if not tables:
        raise TooLittleData(_tell_lack(target, max((fit["n"] for fit in judged), default=0)))
    joined = {key: pd.concat([part[key] for part in tables], ignore_index=True) for key in found}
    joined["tests"]["q_value"] = adjust_p_values(joined["tests"]["p_value"])
    return GapModels(
        **joined,
        verdicts=judge(judged, joined["tests"], margin=margin, alpha=1 - conf_level),
        outcome=target.name,
        margin=margin,
        conf_level=conf_level,
    )


def _each_name(pairs: Pairs, levels: Sequence[str]) -> Iterator[tuple[str, str, Floats, Floats]]:
    """Yield every name of every level with its respondents' expectation and perception."""
    known = known_levels(pairs)
    for level in (level for level in levels if level in known):
        means = level_means(pairs, level)
        for i, name in enumerate(means.names):
            yield level, name, means.expectation[:, i], means.perception[:, i]


def _tell_lack(target: Outcome, n: int) -> str:
    """Say why no model could be fitted."""
    n_blocks = len(np.unique(target.blocks))
    if n < FEWEST:
        lack = f"Fewer than {FEWEST} respondents gave expectation, perception and '{target.name}'"
    elif n_blocks < 2 * len(BOTH):
        lack = (
            f"The respondents come in {n_blocks} independent groups (customers or units), and "
            f"{2 * len(BOTH)} are needed"
        )
    else:
        lack = (
            f"Expectation, perception, the gap or '{target.name}' is the same for all {n:,} "
            "respondents"
        )
    return f"{lack}; a link cannot be told from chance."


def _prepend(table: pd.DataFrame, about: dict[str, Any]) -> pd.DataFrame:
    columns = {**about, **{name: table[name].to_numpy() for name in table.columns}}
    order = ["level", "name", table.columns[0], "n", *table.columns[1:]]
    return pd.DataFrame(columns)[order]


def scale_middle(pairs: Pairs) -> float:
    """Find the middle of the scale that expectation and perception share.

    Parameters
    ----------
    pairs : Pairs
        From `pair_ratings`.

    Returns
    -------
    float
        The middle of the declared scale, else of the answers given.
    """
    low, high = pairs.items["scale_min"].min(), pairs.items["scale_max"].max()
    if np.isnan(low) or np.isnan(high):
        sides = (pairs.expectation, pairs.perception)
        low, high = min(map(np.nanmin, sides)), max(map(np.nanmax, sides))
    return float(low + high) / 2
