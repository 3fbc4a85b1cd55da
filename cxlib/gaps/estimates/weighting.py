"""Gaps weighted by what each respondent finds important (weighted SERVQUAL)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.estimates.design import Design
from cxlib.gaps.estimates.draws import chance_lowest
from cxlib.gaps.levels import LevelMeans, Pairs, level_means, pair_ratings
from cxlib.gaps.ratings import Ratings
from cxlib.stats import Floats

_ALIKE = 0.5  # points are points when at least this share of respondents gave the same sum


@dataclass(frozen=True)
class WeightedGaps:
    """Gaps by dimension put together by importance.

    Parameters
    ----------
    total : pandas.DataFrame, one row per measure
        Columns `measure` (weighted, unweighted, difference), `n`, `gap`, `std_error`, `conf_low`,
        `conf_high`, `p_value`.
    dimensions : pandas.DataFrame, one row per dimension
        Columns `name`, `n`, `importance` (mean share of a respondent's points),
        `importance_low`, `importance_high`, `gap`, `gap_low`, `gap_high`, `contribution` (to the
        weighted gap), `conf_low`, `conf_high`, `p_lowest` (probability that it is the lowest).
    basis : str
        ``"points"`` divided among the dimensions, or ``"ratings"`` of importance.
    points : float
        What a respondent's points mostly sum to; NaN for ratings.
    n_off : int
        Respondents whose points sum to something else; scaled all the same.
    n_zero : int
        Respondents left out because all they gave is zero.
    n_incomplete : int
        Respondents left out because a dimension they rated got no importance.
    """

    total: pd.DataFrame
    dimensions: pd.DataFrame
    basis: str
    points: float
    n_off: int
    n_zero: int
    n_incomplete: int


def weigh_gaps(
    ratings: Ratings, *, conf_level: float = 0.95, random_state: int = 0
) -> WeightedGaps:
    """Weigh each respondent's gaps by the importance he or she gave the dimensions.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`, with the role importance: of items named like the dimensions
        (points), or of the items themselves, which are averaged by dimension.
    conf_level : float, default 0.95
        Confidence level.
    random_state : int, default 0
        Seed of the draws behind `p_lowest`.

    Returns
    -------
    WeightedGaps
        The weighted gap beside the unweighted one, and what each dimension adds.

    Raises
    ------
    InputError
        When no importance was asked, a dimension has none, importance is negative, items have no
        dimension, or expectation and perception cannot be subtracted.
    TooLittleData
        When fewer than two respondents gave importance and both ratings.

    Notes
    -----
    With r the importance and g the gap of respondent i in dimension d, w = r / sum(r) over the
    dimensions he or she rated; the weighted gap is the mean over respondents of sum(w g), the
    unweighted one of mean(g), each dimension alike, of the same respondents. The difference is
    paired. Contributions are means of w g and sum to the weighted gap; a dimension not rated
    adds 0. Means, weights of respondents and clusters as in `estimate_means`.

    Importance counts as points when at least half of the respondents' sums over dimensions are the
    same. Ratings are put to the same sum; their lowest answer still weighs something, so that
    ratings pull the weights together.

    References
    ----------
    .. [1] A. Parasuraman, L. L. Berry, V. A. Zeithaml (1991). Refinement and reassessment of the
           SERVQUAL scale. Journal of Retailing 67, 420-450.
    .. [2] A. Parasuraman, V. A. Zeithaml, L. L. Berry (1988). SERVQUAL. Journal of Retailing 64,
           12-40.
    """
    pairs = pair_ratings(ratings)
    means = _mean_dimensions(pairs)
    importance, is_divided = _find_importance(ratings, pairs, means)
    weights = pairs.respondents["weight"].to_numpy(float)
    rated = ~np.isnan(means.gap)
    answered = rated.any(axis=1) & ~np.isnan(importance).all(axis=1) & (weights > 0)
    complete = answered & ~(rated & np.isnan(importance)).any(axis=1)
    sums = np.where(rated, np.nan_to_num(importance), 0.0).sum(axis=1)
    used = complete & (sums > 0)
    if used.sum() < 2:
        raise TooLittleData(
            "Fewer than two respondents gave importance as well as expectation and perception."
        )
    points, n_off = _read_points(importance[used]) if is_divided else (np.nan, 0)
    people = pairs.respondents[used].reset_index(drop=True)
    design = Design.of(people, conf_level=conf_level, random_state=random_state)
    share = np.where(rated, importance, np.nan)[used] / sums[used, None]
    gap = means.gap[used]
    return WeightedGaps(
        total=_describe_total(share, gap, design),
        dimensions=_describe_dimensions(means.names, share, gap, design),
        basis="ratings" if np.isnan(points) else "points",
        points=points,
        n_off=n_off,
        n_zero=int((complete & (sums <= 0)).sum()),
        n_incomplete=int((answered & ~complete).sum()),
    )


def _describe_total(share: Floats, gap: Floats, design: Design) -> pd.DataFrame:
    weighted, plain = np.nansum(share * gap, axis=1), np.nanmean(gap, axis=1)
    total = design.estimate(np.stack([weighted, plain, weighted - plain], axis=1))
    total.insert(0, "measure", ["weighted", "unweighted", "difference"])
    return total.rename(columns={"mean": "gap"}).drop(columns="degrees")


def _describe_dimensions(
    names: list[str], share: Floats, gap: Floats, design: Design
) -> pd.DataFrame:
    parts = np.nan_to_num(share * gap)
    table = pd.DataFrame({"name": names, "n": (~np.isnan(gap)).sum(axis=0)})
    for name, values in (("importance", share), ("gap", gap), ("contribution", parts)):
        own = "conf" if name == "contribution" else name
        estimate = design.estimate(values)
        table[name] = estimate["mean"]
        table[f"{own}_low"], table[f"{own}_high"] = estimate["conf_low"], estimate["conf_high"]
    return table.assign(p_lowest=chance_lowest(design.draw(parts)))


def _mean_dimensions(pairs: Pairs) -> LevelMeans:
    if not pairs.items["dimension"].notna().any():
        raise InputError(
            "No item belongs to a dimension; importance weighs dimensions.",
            "table 'items', column 'dimension'",
            "name the dimension of the items",
        )
    return level_means(pairs, "dimension")


def _find_importance(ratings: Ratings, pairs: Pairs, means: LevelMeans) -> tuple[Floats, bool]:
    """Return respondents x dimensions of importance, and whether dimensions were weighed."""
    if "importance" not in ratings.values:
        raise InputError(
            "No answer has the role 'importance'.",
            f"table 'answers', roles {sorted(ratings.values)}",
            "map the importance of the dimensions, or of the items, to that role",
        )
    table = ratings.values["importance"]
    if table.lt(0).any(axis=None):
        item = table.columns[table.lt(0).any()][0]
        raise InputError(
            "Importance is negative.",
            f"table 'answers', role importance, item '{item}'",
            "give 0 or more",
        )
    is_divided = any(name in table.columns for name in means.names)
    if is_divided:
        columns = {name: [name] if name in table.columns else [] for name in means.names}
    else:
        of_item = pairs.items.set_index("item")["dimension"]
        columns = {
            name: [item for item in table.columns if of_item.get(item) == name]
            for name in means.names
        }
    lost = [name for name, found in columns.items() if not found]
    if lost:
        raise InputError(
            f"There is no importance for the dimension '{lost[0]}'.",
            f"table 'answers', role importance, items {list(table.columns[:5])}",
            "give the importance of every dimension, as an item named like it, or of its items",
        )
    found = [_row_means(table[columns[name]].to_numpy()) for name in means.names]
    return np.stack(found, axis=1), is_divided


def _row_means(values: Floats) -> Floats:
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def _read_points(importance: Floats) -> tuple[float, int]:
    """Return the sum most respondents gave, NaN when there is none, and how many gave another."""
    sums = np.round(np.nansum(importance, axis=1), 6)
    known, counts = np.unique(sums, return_counts=True)
    if counts.max() < _ALIKE * len(sums):
        return np.nan, 0
    return float(known[counts.argmax()]), int(len(sums) - counts.max())
