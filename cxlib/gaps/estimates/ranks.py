"""The signed-rank test beside the t-test: it asks for the order of the answers only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from cxlib.stats import Floats

_EXACT = 13  # so few blocks or fewer: all their signs are tried, 8,192 at most
_DIGITS = 9  # means of equal answers may differ by a rounding; that is no rank


def summarise_ranks(
    gaps: Floats,
    *,
    weights: Floats | None = None,
    clusters: Sequence[NDArray[np.int_]] = (),
) -> pd.DataFrame:
    """Test each column for gaps that lie on neither side of zero more than on the other.

    Parameters
    ----------
    gaps : ndarray, respondents x names
        One gap per respondent, NaN where not known.
    weights : ndarray, optional, one per respondent
        Weights; default all equal.
    clusters : sequence of ndarray of int
        None, one or two groupings of respondents who do not answer independently.

    Returns
    -------
    pandas.DataFrame
        One row per column. Columns `rank_effect` (rank-biserial correlation: -1 all fall short,
        0 as much on either side, 1 all exceed) and `rank_p_value`; NaN where all gaps are zero.

    Notes
    -----
    Zeros are treated as Pratt does: they take part in the ranking and are then left out. Ties share
    their mean rank. With S the sums of w * sign * rank over a respondent, or over a cluster,
    z = sum(S) / sqrt(sum(S^2)); without weights and clusters this is Wilcoxon's test with the
    variance corrected for ties, with clusters Rosner's. Thirteen or fewer such sums: the p-value is
    exact, the share of all their signs under which the total is as far from zero. Two groupings:
    their variances are added and that of their crossing is taken off, and Student's t with one
    degree of freedom less than the fewer clusters replaces the normal law. In a weighted ranking a
    respondent takes up as many places as the weight tells, mean weight 1.

    References
    ----------
    .. [1] F. Wilcoxon (1945). Individual comparisons by ranking methods. Biometrics Bulletin 1,
           80-83.
    .. [2] J. W. Pratt (1959). Remarks on zeros and ties in the Wilcoxon signed rank procedures.
           JASA 54, 655-667.
    .. [3] B. Rosner, R. J. Glynn, M.-L. T. Lee (2006). The Wilcoxon signed rank test for paired
           comparisons of clustered data. Biometrics 62, 185-192.
    .. [4] T. Lumley, A. J. Scott (2013). Two-sample rank tests under complex sampling. Biometrika
           100, 831-842.
    .. [5] D. S. Kerby (2014). The simple difference formula. Comprehensive Psychology 3, 1.
    """
    rows = []
    for column in gaps.T:
        known = np.flatnonzero(~np.isnan(column))
        weight = np.ones(len(known)) if weights is None else weights[known]
        known, weight = known[weight > 0], weight[weight > 0]
        groups = [np.asarray(codes)[known] for codes in clusters]
        rows.append(_test_column(np.round(column[known], _DIGITS), weight, groups))
    return pd.DataFrame(rows, columns=["rank_effect", "rank_p_value"], dtype=float)


def _test_column(
    gap: Floats, weight: Floats, clusters: list[NDArray[np.int_]]
) -> tuple[float, float]:
    if not gap.any():
        return np.nan, np.nan
    weight = weight / weight.mean()
    ranks = _weighted_ranks(np.abs(gap), weight)
    signed = weight * np.sign(gap) * ranks
    effect = float(signed.sum() / (weight * ranks)[gap != 0].sum())
    if len(clusters) == 2:
        crossed = [_sum_by(signed, codes) for codes in (*clusters, _cross(*clusters))]
        first, second, both = (float(part @ part) for part in crossed)
        # taking off the crossing may leave less than one grouping alone, even less than nothing
        variance = max(first + second - both, first, second)
        degrees = min(len(crossed[0]), len(crossed[1])) - 1
        p_value = 2 * stats.t.sf(abs(signed.sum()) / np.sqrt(variance), degrees)
        return effect, float(p_value) if degrees else np.nan
    sums = _sum_by(signed, clusters[0]) if clusters else signed
    sums = sums[np.abs(sums) > 1e-9]
    if not len(sums):
        return effect, 1.0
    if len(sums) <= _EXACT:
        return effect, _flip_signs(sums)
    return effect, float(2 * stats.norm.sf(abs(sums.sum()) / np.sqrt(sums @ sums)))


def _weighted_ranks(values: Floats, weight: Floats) -> Floats:
    """Return mid-ranks; without weights those of every textbook."""
    codes, known = pd.factorize(values)  # few distinct values, many rows
    size = np.bincount(codes, weights=weight, minlength=len(known))
    order = np.argsort(known)
    below = np.empty(len(known))
    below[order] = np.cumsum(size[order]) - size[order]
    return (below + (size + 1) / 2)[codes]


def _sum_by(values: Floats, codes: NDArray[np.int_]) -> Floats:
    return np.asarray(np.bincount(pd.factorize(codes)[0], weights=values), dtype=float)


def _cross(first: NDArray[np.int_], second: NDArray[np.int_]) -> NDArray[np.int_]:
    return first * (int(second.max()) + 1) + second


def _flip_signs(sums: Floats) -> float:
    """Return the share of all ways to set the signs that go as far from zero as these."""
    n = len(sums)
    signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    reach = np.abs(signs @ np.abs(sums))
    return float(np.mean(reach >= abs(sums.sum()) * (1 - 1e-9)))
