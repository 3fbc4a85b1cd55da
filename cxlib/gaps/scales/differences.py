"""How reliable a difference of two ratings is, and how much all ratings have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.errors import TooLittleData
from cxlib.gaps.scales.moments import (
    complete_rows,
    dimension_items,
    moments_problem,
    pairwise_covariances,
    spaced_rows,
    take_moments,
)
from cxlib.gaps.scales.omega import ratio_interval
from cxlib.gaps.scales.reliability import alpha_of
from cxlib.stats import Floats

if TYPE_CHECKING:
    from cxlib.gaps.levels import Pairs


def gap_reliability(pairs: Pairs, *, conf_level: float = 0.95, min_cell: int = 10) -> pd.DataFrame:
    """Estimate the reliability of each dimension's gap from that of its two sides.

    Parameters
    ----------
    pairs : Pairs
        From `pair_ratings`.
    conf_level : float, default 0.95
        Confidence level.
    min_cell : int, default 10
        With fewer respondents than this nothing is estimated.

    Returns
    -------
    pandas.DataFrame
        One row per dimension and one of all items. Columns `level`, `name`, `n`, `n_items`,
        `alpha_expectation`, `alpha_perception`, `correlation` (of the sums of expectations and of
        perceptions), `reliability` (classical formula), `conf_low`, `conf_high`, `alpha_gap`,
        `alpha_low`, `alpha_high`. NaN where a dimension has one item or nothing varies; no
        interval of the reliability where fewer than 10 gave all answers.

    Notes
    -----
    reliability = (V_E a_E + V_P a_P - 2 C) / (V_E + V_P - 2 C), V and a variances and alphas of
    the sums of expectations and perceptions and C their covariance. The formula takes the errors
    of both sides for independent; where the same habit colours a person's two answers to an item
    it reads too low, and `alpha_gap`, the alpha of the item gaps, is the upper reading. It may be
    negative: then E and P share more than they reliably hold. Covariances are taken pair by pair,
    `n` is the fewest respondents behind any. The interval rests on those who gave all pairs and
    does not need normal answers.

    References
    ----------
    .. [1] F. M. Lord, M. R. Novick (1968). Statistical Theories of Mental Test Scores.
    .. [2] J. P. Peter, G. A. Churchill, T. J. Brown (1993). Caution in the use of difference
           scores in consumer research. Journal of Consumer Research 19, 655-662.
    """
    items = pd.Index(pairs.items["item"])
    dimensions = pairs.items.set_index("item")["dimension"]
    scales = [("dimension", *pair) for pair in dimension_items(items, dimensions).items()]
    both = np.hstack([pairs.expectation, pairs.perception])
    covariances, counts = pairwise_covariances(both)
    rows = []
    for level, name, own in [*scales, ("total", "total", list(items))]:
        where = items.get_indexer(pd.Index(own))
        sides = np.concatenate([where, where + len(items)])
        n, found = int(counts[np.ix_(where, where)].min()), _UNKNOWN
        if n >= min_cell and len(own) > 1:
            values = both[:, sides]
            found = _difference(covariances[np.ix_(sides, sides)], n, values, conf_level)
        rows.append({"level": level, "name": name, "n": n, "n_items": len(own), **found})
    return pd.DataFrame(rows)


_FEWEST = 10  # complete rows; the influence of fewer tells nothing of the spread
_COLUMNS = (
    *("alpha_expectation", "alpha_perception", "correlation", "reliability"),
    *("conf_low", "conf_high", "alpha_gap", "alpha_low", "alpha_high"),
)
_UNKNOWN = dict.fromkeys(_COLUMNS, np.nan)


def _difference(covariances: Floats, n: int, values: Floats, conf_level: float) -> dict[str, float]:
    """Compute the reliability of the sum of p - e, and what goes into it."""
    k = len(covariances) // 2
    of_e, of_p, between = covariances[:k, :k], covariances[k:, k:], covariances[:k, k:]
    first, second = (alpha_of(side, n, conf_level)[0] for side in (of_e, of_p))
    alpha = alpha_of(of_e + of_p - between - between.T, n, conf_level)
    sides = {"alpha_expectation": first, "alpha_perception": second}
    gaps = dict(zip(_COLUMNS[-3:], alpha, strict=True))
    shared = between.sum()
    spread = of_e.sum() + of_p.sum() - 2 * shared
    if np.isnan(first) or np.isnan(second) or not spread > 1e-12:
        return _UNKNOWN | sides | gaps
    reliable = first * of_e.sum() + second * of_p.sum() - 2 * shared
    rows = complete_rows(values)
    interval = (reliable / spread, np.nan, np.nan)
    if len(rows) >= _FEWEST:
        influence = _influence(spaced_rows(rows) - rows.mean(axis=0), interval[0]) / spread
        interval = ratio_interval(interval[0], influence, len(rows), conf_level=conf_level)
    correlation = shared / np.sqrt(of_e.sum() * of_p.sum())
    return (
        sides
        | {"correlation": correlation}
        | dict(zip(_COLUMNS[3:6], interval, strict=True))
        | gaps
    )


def _influence(rows: Floats, reliability: float) -> Floats:
    """Compute each respondent's pull on reliable and on all variance of the difference."""
    k = rows.shape[1] // 2
    e, p = rows[:, :k], rows[:, k:]
    sum_e, sum_p = e.sum(axis=1), p.sum(axis=1)
    apart = (sum_e**2 - (e**2).sum(axis=1)) + (sum_p**2 - (p**2).sum(axis=1))
    reliable = k / (k - 1) * apart - 2 * sum_e * sum_p
    return np.asarray(reliable - reliability * (sum_p - sum_e) ** 2)


def common_share(values: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Estimate how much of all answers one common source could account for.

    Parameters
    ----------
    values : pandas.DataFrame, respondents x items
        Answers of one role.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row: `n` (respondents who answered every item), `n_items`, `share` (of the first
        eigenvalue of the correlations), `conf_low`, `conf_high`.

    Raises
    ------
    TooLittleData
        When too few answered all items, or answers do not vary or repeat each other.

    Notes
    -----
    Harman's check. A large share can be one habit of answering (common-method variance) or one
    real thing that all items measure; the share cannot tell these apart. The interval follows
    from the first-order change of the eigenvalue by each respondent.

    References
    ----------
    .. [1] P. M. Podsakoff, S. B. MacKenzie, J.-Y. Lee, N. P. Podsakoff (2003). Common method
           biases in behavioral research. Journal of Applied Psychology 88, 879-903.
    """
    items = [str(item) for item in values.columns]
    rows = complete_rows(values.to_numpy(float))
    moments = take_moments(rows)
    problem = moments_problem(items, moments, fewest=10)
    if problem:
        raise TooLittleData(f"No common share: {problem}")
    size = np.sqrt(np.diag(moments.covariance))
    sizes, directions = np.linalg.eigh(moments.covariance / np.outer(size, size))
    z = (spaced_rows(rows) - moments.mean) / size
    first, largest = directions[:, -1], sizes[-1]
    # the second part undoes that z was brought to variance 1
    influence = (z @ first) ** 2 - largest * (z**2 @ first**2)
    k = len(items)
    interval = ratio_interval(float(largest / k), influence / k, len(rows), conf_level=conf_level)
    found = dict(zip(("share", "conf_low", "conf_high"), interval, strict=True))
    return pd.DataFrame([{"n": len(rows), "n_items": k, **found}])
