"""How far a gap can be trusted, and how much of it is owed to the expectations."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.gaps.estimates.design import Design
from cxlib.gaps.estimates.levels import describe_members, list_levels
from cxlib.gaps.levels import LevelMeans, pair_ratings
from cxlib.gaps.means import Codes
from cxlib.gaps.ratings import Ratings
from cxlib.gaps.resample import assign_blocks, draw_counts
from cxlib.gaps.scales.differences import gap_reliability
from cxlib.stats import Floats

_DRAWS = 1_000
_FEWEST = 10  # blocks; a bootstrap of fewer tells too narrow an interval
_NOTHING = 1e-12  # a variance this small is a rounding


def summarise_trust(
    ratings: Ratings,
    *,
    touchpoints: pd.DataFrame | None = None,
    conf_level: float = 0.95,
    random_state: int = 0,
) -> pd.DataFrame:
    """Summarise how consistent gaps are, and how much of them is owed to the expectations.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    touchpoints : pandas.DataFrame, optional, one row per touchpoint
        Columns `touchpoint`, `stage`; adds the level stage.
    conf_level : float, default 0.95
        Confidence level.
    random_state : int, default 0
        Seed of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row per level and name. Columns `level`, `name`, `text`, `n_items`, `n`,
        `correlation` (of expectation and perception), `correlation_low`, `correlation_high`,
        `expectation_share` (of the variance of the respondents' gaps), `share_low`, `share_high`;
        for dimensions and in total also `alpha_expectation`, `alpha_perception`, `alpha_gap`,
        `alpha_low`, `alpha_high`, and `classical` (reliability of the gap by the formula for
        differences), `classical_low`, `classical_high`, see `gap_reliability`.

    Raises
    ------
    InputError
        When expectation and perception cannot be subtracted, see `pair_ratings`.
    TooLittleData
        When fewer than two respondents rated one item in both roles.

    Notes
    -----
    var(P - E) = (var E - cov) + (var P - cov): `expectation_share` is the first part divided by
    the whole. It may leave 0 to 1, below 0 where expectations merely follow perceptions.
    Correlation and share are weighted; their intervals are percentiles of 1,000 bootstrap samples
    of respondents, or of the clusters they come in; there are none with fewer than ten of these.

    References
    ----------
    .. [1] J. P. Peter, G. A. Churchill, T. J. Brown (1993). Caution in the use of difference
           scores in consumer research. Journal of Consumer Research 19, 655-662.
    """
    pairs = pair_ratings(ratings)
    design = Design.of(pairs.respondents, conf_level=conf_level, random_state=random_state)
    weights = design.weights
    blocks = assign_blocks(len(weights), clusters=design.clusters, random_state=random_state)
    counts = draw_counts(int(blocks.max()) + 1, _DRAWS, random_state)
    tail = (1 - conf_level) / 2 if len(counts[0]) >= _FEWEST else np.nan
    parts = []
    for level in list_levels(pairs, touchpoints=touchpoints):
        part = describe_members(level).drop(columns="item_share")
        part["n"] = design.counts(level.means.gap).sum(axis=0)
        sums = _sum_products(level.means, weights, blocks)
        rows = []
        for of_name in np.moveaxis(sums, -1, 0):
            whole, drawn = _compose(of_name.sum(axis=0)), _compose(counts @ of_name)
            ends = [percentiles(column, tail) for column in drawn.T]
            rows.append([whole[0], *ends[0], whole[1], *ends[1]])
        parts.append(part.join(pd.DataFrame(rows, columns=_COMPOSED)))
    table = pd.concat(parts, ignore_index=True)
    consistency = gap_reliability(pairs, conf_level=conf_level).rename(columns=_RENAMED)
    consistency = consistency[["level", "name", *_CONSISTENCY]]
    return table.merge(consistency, on=["level", "name"], how="left")


def _sum_products(means: LevelMeans, weights: Floats, blocks: Codes) -> Floats:
    """Sum what variances and covariance are made of: blocks x products x names."""
    from scipy.sparse import csr_array

    known = ~np.isnan(means.gap)
    # about a middle of the scale, lest large squares cancel
    middle = float(np.nanmean(means.perception))
    e, p = (np.where(known, side - middle, 0.0) for side in (means.expectation, means.perception))
    shape = (int(blocks.max()) + 1, len(blocks))
    into_blocks = csr_array((weights, (blocks, np.arange(len(blocks)))), shape=shape)
    products = (known.astype(float), e, p, e * e, p * p, e * p)
    return np.stack([into_blocks @ product for product in products], axis=1)


def _compose(sums: Floats) -> Floats:
    """Return correlation and share of the expectations, last axis, from summed products."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums / sums[..., :1]
        var_e = mean[..., 3] - mean[..., 1] ** 2
        var_p = mean[..., 4] - mean[..., 2] ** 2
        both = mean[..., 5] - mean[..., 1] * mean[..., 2]
        var_gap = var_e + var_p - 2 * both
        correlation = np.where(
            (var_e > _NOTHING) & (var_p > _NOTHING), both / np.sqrt(var_e * var_p), np.nan
        )
        share = np.where(var_gap > _NOTHING, (var_e - both) / var_gap, np.nan)
    return np.stack([np.clip(correlation, -1, 1), share], axis=-1)


def percentiles(drawn: Floats, tail: float) -> list[float]:
    """Return both ends of the interval of the draws that are known.

    Parameters
    ----------
    drawn : ndarray
        Draws of one estimate, NaN where there is none.
    tail : float
        Share of the draws beyond either end; NaN = no interval.

    Returns
    -------
    list of float
        Lower and upper end, NaN with fewer than two draws.
    """
    drawn = drawn[~np.isnan(drawn)]
    if np.isnan(tail) or len(drawn) < 2:
        return [np.nan, np.nan]
    return np.quantile(drawn, [tail, 1 - tail]).tolist()


_COMPOSED = [
    *("correlation", "correlation_low", "correlation_high"),
    *("expectation_share", "share_low", "share_high"),
]
_RENAMED = {"reliability": "classical", "conf_low": "classical_low", "conf_high": "classical_high"}
_CONSISTENCY = [
    *("alpha_expectation", "alpha_perception", "alpha_gap", "alpha_low", "alpha_high"),
    *("classical", "classical_low", "classical_high"),
]
