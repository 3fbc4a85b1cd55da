"""Whether a ranking by gap is more than the ranking by perception."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.gaps.estimates.design import Design
from cxlib.gaps.estimates.levels import list_levels
from cxlib.gaps.estimates.trust import percentiles
from cxlib.gaps.levels import pair_ratings
from cxlib.gaps.ratings import Ratings
from cxlib.stats import Floats

SAME_SHARE, SAME_ORDER = 0.10, 0.90  # from here on a gap ranking is the perception ranking
_NOTHING = 1e-12  # a variance this small is a rounding


def summarise_rankings(
    ratings: Ratings,
    *,
    touchpoints: pd.DataFrame | None = None,
    conf_level: float = 0.95,
    random_state: int = 0,
) -> pd.DataFrame:
    """Tell whether ranking names by their gap is more than ranking them by perception.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    touchpoints : pandas.DataFrame, optional, one row per touchpoint
        Columns `touchpoint`, `stage`; adds the level stage.
    conf_level : float, default 0.95
        Confidence level.
    random_state : int, default 0
        Seed of the draws.

    Returns
    -------
    pandas.DataFrame
        One row per level of three or more names. Columns `level`, `n_names`, `expectation_share`
        (of the variance of the mean gaps between names), `conf_low`, `conf_high`,
        `rank_correlation` (Spearman's, of gaps and perceptions), `rank_low`, `rank_high`, `p_same`
        (probability that the share is under 10 % and the rank correlation at least 0.90),
        `p_value` (of all names being expected alike).

    Raises
    ------
    InputError
        When expectation and perception cannot be subtracted, see `pair_ratings`.
    TooLittleData
        When fewer than two respondents rated one item in both roles.

    Notes
    -----
    The share is (var E - cov) / var(P - E) over the names' mean ratings. Intervals and probability
    come from 10,000 draws of all means at once, see `draw_means`; draws scatter about means
    that scatter themselves, so a share near zero tends to be told too large. Where all names are
    expected alike, gaps and perceptions have one order whatever the draws say; `p_value` is the
    share of draws whose mean expectations lie as far apart from the estimates by chance alone as
    the estimates from each other.

    References
    ----------
    .. [1] T. J. Brown, G. A. Churchill, J. P. Peter (1993). Improving the measurement of service
           quality. Journal of Retailing 69, 127-139.
    """
    pairs = pair_ratings(ratings)
    design = Design.of(pairs.respondents, conf_level=conf_level, random_state=random_state)
    tail, rows = (1 - conf_level) / 2, []
    for level in list_levels(pairs, touchpoints=touchpoints):
        if len(level.means.names) < 3:
            continue
        sides = np.hstack([level.means.expectation, level.means.perception])
        drawn = design.draw(sides)
        means = np.where(np.isnan(drawn[0]), np.nan, design.average(sides))
        estimate = compare_orders(*np.split(means[None], 2, axis=1))[0]
        draws = compare_orders(*np.split(drawn, 2, axis=1))
        ends = [percentiles(column, tail) for column in draws.T]
        same = (draws[:, 0] < SAME_SHARE) & (draws[:, 1] >= SAME_ORDER)
        p_same = float(same.mean()) if not np.isnan(draws).all() else np.nan
        told = (estimate[0], *ends[0], estimate[1], *ends[1], p_same, _test_alike(means, drawn))
        rows.append((level.name, len(level.means.names), *told))
    return pd.DataFrame(rows, columns=_RANKINGS)


def _test_alike(means: Floats, drawn: Floats) -> float:
    """Test whether all names are expected alike; expectations are the first half."""
    half = len(means) // 2
    known = ~np.isnan(means[:half])
    if known.sum() < 2:
        return np.nan
    apart = means[:half][known]
    chance = drawn[:, :half][:, known] - apart
    reached = chance.var(axis=1) >= apart.var() - _NOTHING
    return float((1 + reached.sum()) / (1 + len(drawn)))


def compare_orders(expectation: Floats, perception: Floats) -> Floats:
    """Compute how much expectations add to the order of gaps.

    Parameters
    ----------
    expectation, perception : ndarray, draws x names
        Mean ratings; names without any are left out.

    Returns
    -------
    ndarray, draws x 2
        Share of the variance of the gaps owed to expectations, and Spearman's correlation of gaps
        and perceptions; NaN where nothing varies.
    """
    from scipy.stats import rankdata

    known = ~np.isnan(expectation + perception).any(axis=0)
    e, p = expectation[:, known], perception[:, known]
    gap = p - e
    orders = [rankdata(np.round(values, 9), axis=1) for values in (gap, p)]
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = _covariances(gap, gap)
        share = np.where(variance > _NOTHING, -_covariances(e, gap) / variance, np.nan)
        size = np.sqrt(_covariances(orders[0], orders[0]) * _covariances(orders[1], orders[1]))
        rank = np.where(size > _NOTHING, _covariances(*orders) / size, np.nan)
    return np.stack([share, rank], axis=1)


def _covariances(a: Floats, b: Floats) -> Floats:
    """Return the covariance within each row."""
    centred = a - a.mean(axis=1, keepdims=True)
    return (centred * b).mean(axis=1)


_RANKINGS = [
    *("level", "n_names", "expectation_share", "conf_low", "conf_high"),
    *("rank_correlation", "rank_low", "rank_high", "p_same", "p_value"),
]
