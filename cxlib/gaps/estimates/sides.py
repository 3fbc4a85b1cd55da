"""Means of some respondents against those of all others, at the cost of the few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from cxlib.gaps.estimates.design import Design
from cxlib.gaps.means import DOMINATED, Codes
from cxlib.stats import Floats

_EMPTY = 1e-300  # divides nothing by something where nobody is known
_OWN = ("std_error", "conf_low", "conf_high")
_DIFFERENCE = ("difference_error", "difference_low", "difference_high")


@dataclass(frozen=True)
class _Kind:
    """What is needed of one kind of cluster to cut any part of the respondents out of it."""

    codes: Codes
    sums: list[Floats]  # clusters x names: of w x, of w, of those known
    n_clusters: Floats  # with anybody known, by name
    squares: list[Floats]  # sums over clusters of (w x)^2, (w x) w, w^2


class Sides:
    """Compare the means of any part of the respondents with those of the rest.

    Parameters
    ----------
    values : ndarray, respondents x names
        NaN where not known.
    design : Design
        Weights and clusters of the respondents.

    Notes
    -----
    The variance of a mean is the sum over clusters of the squared sums of w (x - mean) / sum(w),
    times G / (G - 1) for its G clusters. For a difference the residuals of the others count
    negative, so a cluster with respondents on both sides takes its own habit out. All sums are
    made once; a part of the respondents touches its own clusters only.
    """

    def __init__(self, values: Floats, design: Design) -> None:
        known = design.counts(values)
        self._conf_level = design.conf_level
        self._middle = design.average(np.where(known, values, np.nan))
        self._size = np.max(np.abs(np.nan_to_num(values)), axis=0, initial=0.0)
        weight = np.where(known, design.weights[:, None], 0.0)
        # about the mean of all, lest the sums cancel
        weighted = np.where(known, weight * (values - self._middle), 0.0)
        self._parts = [weighted, weight, known.astype(float)]
        self._totals = [part.sum(axis=0) for part in self._parts]
        self._squares = weight**2
        self._all_squares = self._squares.sum(axis=0)
        kinds = list(design.clusters) or [np.arange(len(values))]
        if len(kinds) == 2:
            kinds.append(pd.factorize(kinds[0] * (int(kinds[1].max()) + 1) + kinds[1])[0])
        self._kinds = [self._prepare(codes) for codes in kinds]

    def _prepare(self, codes: Codes) -> _Kind:
        sums = [_sum_by(part, codes)[1] for part in self._parts]
        pairs = ((0, 0), (0, 1), (1, 1))
        squares = [np.einsum("cp,cp->p", sums[i], sums[j]) for i, j in pairs]
        return _Kind(codes, sums, (sums[2] > 0).sum(axis=0), squares)

    def compare(self, inside: NDArray[np.bool_]) -> pd.DataFrame:
        """Estimate the means of some, and how they differ from those of all others.

        Parameters
        ----------
        inside : ndarray of bool, one per respondent
            The respondents to compare with all others.

        Returns
        -------
        pandas.DataFrame
            One row per column. Columns `n`, `gap`, `std_error`, `conf_low`, `conf_high` of those
            inside, `difference`, `difference_low`, `difference_high`, `p_value`; NaN where a side
            has fewer than two respondents or clusters, or nothing varies.
        """
        rows = np.flatnonzero(inside)
        own = [part[rows].sum(axis=0) for part in self._parts]
        rest = [whole - of for whole, of in zip(self._totals, own, strict=True)]
        weight = np.maximum(np.stack([own[1], rest[1]]), _EMPTY)
        mean = np.where(np.stack([own[2], rest[2]]) > 0.5, [own[0], rest[0]] / weight, np.nan)
        found = [self._spread(kind, rows, np.nan_to_num(mean), weight) for kind in self._kinds]
        variance = np.max([part for part, _ in found[:2]], axis=0)
        if len(found) == 3:
            variance = np.maximum(variance, found[0][0] + found[1][0] - found[2][0])
        variance = np.where(variance > (1e-12 * self._size) ** 2, variance, 0.0)
        degrees = np.min([count for _, count in found[:2]], axis=0) - 1.0
        squares = self._squares[rows].sum(axis=0)
        squares = np.maximum(np.stack([squares, self._all_squares - squares]), _EMPTY)
        is_spread = (degrees > 0) & (weight >= np.sqrt(DOMINATED * squares))
        variance[:2] = np.where(is_spread, variance[:2], np.nan)
        variance[2] = np.where(np.isnan(variance[:2]).any(axis=0), np.nan, variance[2])
        with np.errstate(invalid="ignore", divide="ignore"):
            welch = variance[:2].sum(axis=0) ** 2 / (variance[:2] ** 2 / degrees).sum(axis=0)
        gap, difference = mean[0] + self._middle, mean[0] - mean[1]
        return pd.DataFrame(
            {
                "n": own[2].astype(int),
                "gap": gap,
                **_interval(gap, variance[0], degrees[0], self._conf_level, _OWN),
                "difference": difference,
                **_interval(difference, variance[2], welch, self._conf_level, _DIFFERENCE),
                "p_value": _test(difference, variance[2], welch),
            }
        )

    def _spread(
        self, kind: _Kind, rows: NDArray[np.intp], mean: Floats, weight: Floats
    ) -> tuple[Floats, Floats]:
        """Return variances of both means and of the difference, and the clusters of either."""
        touched, wx = _sum_by(self._parts[0][rows], kind.codes[rows])
        w, known = (_sum_by(part[rows], kind.codes[rows])[1] for part in self._parts[1:])
        whole = [part[touched] for part in kind.sums]
        own = wx - mean[0] * w
        before = whole[0] - mean[1] * whole[1]
        rest = before - (wx - mean[1] * w)
        xx, xw, ww = kind.squares
        untouched = xx - 2 * mean[1] * xw + mean[1] ** 2 * ww - (before**2).sum(axis=0)
        left = kind.n_clusters - (whole[2] > 0.5).sum(axis=0) + (whole[2] - known > 0.5).sum(axis=0)
        counts = np.stack([(known > 0.5).sum(axis=0), left]).astype(float)
        scale = np.sqrt(counts / np.maximum(counts - 1, 1)) / weight
        squares = np.stack([(own**2).sum(axis=0), np.maximum(untouched, 0) + (rest**2).sum(axis=0)])
        single = squares * scale**2
        both = single.sum(axis=0) - 2 * (own * rest).sum(axis=0) * scale[0] * scale[1]
        return np.vstack([single, np.maximum(both, 0)]), counts


def _sum_by(values: Floats, codes: Codes) -> tuple[Codes, Floats]:
    """Sum the rows of each code; codes sorted."""
    if not len(codes):
        return codes, values[:0]
    order = np.argsort(codes, kind="stable")
    first = np.flatnonzero(np.diff(codes[order], prepend=-1))
    if len(first) == len(codes):
        return codes[order], values[order]
    return codes[order][first], np.add.reduceat(values[order], first, axis=0)


def _interval(
    estimate: Floats, variance: Floats, degrees: Floats, conf_level: float, names: Sequence[str]
) -> dict[str, Floats]:
    """Return error and ends under their names; no ends where nothing varies."""
    error = np.sqrt(variance)
    varies = np.where(error > 0, error, np.nan)
    half = stats.t.ppf(0.5 + conf_level / 2, degrees) * varies
    return dict(zip(names, (error, estimate - half, estimate + half), strict=True))


def _test(estimate: Floats, variance: Floats, degrees: Floats) -> Floats:
    error = np.sqrt(np.where(variance > 0, variance, np.nan))
    return np.asarray(2 * stats.t.sf(np.abs(estimate) / error, degrees))
