"""Variances of anything that is, to first order, a weighted sum over respondents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from cxlib.gaps.means import Codes
from cxlib.stats import Floats


@dataclass(frozen=True)
class Calibration:
    """What weights were raked to, as far as variances need it.

    Parameters
    ----------
    start : ndarray of float, one per respondent
        Weights before raking; 0 for respondents outside the frame.
    cells : ndarray of int, one per respondent
        Combination of wave and attributes the respondent is in, -1 outside the frame.
    levels : ndarray of int, cells x attributes
        Margin that a cell counts in, one number per wave, attribute and level.
    waves : ndarray of int, one per cell
        Wave of the cell.
    shares : ndarray of float, one per cell
        Share of the cell in the frame of its wave.
    n_frame : ndarray of float, one per wave
        Size of the frame; infinite where the margins are known without error.
    """

    start: Floats
    cells: Codes
    levels: Codes
    waves: Codes
    shares: Floats
    n_frame: Floats

    def take(self, rows: Codes) -> Calibration:
        """Take the calibration of some respondents, all those of a wave.

        Parameters
        ----------
        rows : ndarray of int
            Their rows.

        Returns
        -------
        Calibration
            The same cells and margins.
        """
        return replace(self, start=self.start[rows], cells=self.cells[rows])


def covary(influence: Floats, clusters: Sequence[Codes] = ()) -> tuple[Floats, float]:
    """Compute the covariance of sums over respondents.

    Parameters
    ----------
    influence : ndarray of float, respondents x estimates
        What each respondent adds to each estimate, to first order.
    clusters : sequence of ndarray of int, each one per respondent
        None, one, or two kinds of clusters.

    Returns
    -------
    covariance : ndarray, estimates x estimates
        NaN with fewer than two clusters.
    degrees : float
        Degrees of freedom, NaN with fewer than two clusters.

    Notes
    -----
    G / (G - 1) times the sum over G clusters of the products of the cluster sums about their
    mean. Two kinds of clusters add up, less the part of both at once; where that falls below
    either kind alone, the larger kind holds.

    References
    ----------
    .. [1] D. A. Binder (1983). On the variances of asymptotically normal estimators from complex
           surveys. International Statistical Review 51, 279-292.
    .. [2] A. C. Cameron, J. B. Gelbach, D. L. Miller (2011). Robust inference with multiway
           clustering. JBES 29, 238-249.
    """
    parts = [_cluster_products(influence, codes) for codes in clusters]
    if not parts:
        parts = [_multiply(influence)]
    n_clusters = min(count for _, count in parts)
    if n_clusters < 2:
        return np.full((influence.shape[1],) * 2, np.nan), float("nan")
    covariance = max((part for part, _ in parts), key=np.trace)
    if len(parts) > 1:
        first, second = (np.unique(codes, return_inverse=True)[1] for codes in clusters)
        both, _ = _cluster_products(influence, first * (second.max() + 1) + second)
        summed = parts[0][0] + parts[1][0] - both
        if (np.diag(summed) >= np.diag(covariance)).all():
            covariance = summed
    return covariance, n_clusters - 1.0


def _cluster_products(influence: Floats, codes: Codes) -> tuple[Floats, int]:
    order = np.argsort(codes, kind="stable")
    first = np.flatnonzero(np.diff(codes[order], prepend=-1))
    return _multiply(np.add.reduceat(influence[order], first))


def _multiply(sums: Floats) -> tuple[Floats, int]:
    """Return the products of the sums of clusters about their mean, and the number of clusters."""
    count = len(sums)
    # without weights that were raked the mean is 0 already
    centred = sums - sums.mean(axis=0)
    return centred.T @ centred * (count / max(count - 1, 1)), count


def take_calibration_off(
    influence: Floats, weights: Floats, calibration: Calibration
) -> tuple[Floats, Floats]:
    """Take off what raking has fixed, and tell what the frame itself leaves to chance.

    Parameters
    ----------
    influence : ndarray of float, respondents x estimates
        Weighted influence; all in the frame or 0.
    weights : ndarray of float, one per respondent
        Weights after raking.
    calibration : Calibration
        What they were raked to.

    Returns
    -------
    residual : ndarray, respondents x estimates
        Influence less its weighted regression on the margins.
    covariance : ndarray, estimates x estimates
        Variance of the part that was taken off, over frames drawn anew.

    Notes
    -----
    The residuals are of the regression with the starting weights, times the raked weights. The
    part taken off, x'B, is known exactly for the frame. A frame of invited people is itself a
    sample of n_frame; the mean of x'B varies from frame to frame by its variance / n_frame.

    References
    ----------
    .. [1] J.-C. Deville, C.-E. Sarndal, O. Sautory (1993). Generalized raking procedures in survey
           sampling. JASA 88, 1013-1020.
    .. [2] C.-E. Sarndal, B. Swensson, J. Wretman (1992). Model Assisted Survey Sampling, ch. 9.
    """
    from scipy import sparse

    inside = calibration.cells >= 0
    cells, n_cells = calibration.cells[inside], len(calibration.levels)
    ratio = np.divide(calibration.start, weights, out=np.zeros(len(weights)), where=weights > 0)
    by_cell = np.column_stack(
        [
            np.bincount(cells, weights=(ratio * column)[inside], minlength=n_cells)
            for column in influence.T
        ]
    )
    size = np.bincount(cells, weights=calibration.start[inside], minlength=n_cells)
    n_levels = calibration.levels.shape[1]
    where = (np.repeat(np.arange(n_cells), n_levels), calibration.levels.ravel())
    margins = sparse.csr_matrix((np.ones(len(where[0])), where))
    squares = (margins.T @ margins.multiply(size[:, None]).tocsr()).toarray()
    fitted = margins @ np.linalg.lstsq(squares, margins.T @ by_cell, rcond=None)[0]
    residual = influence.copy()
    residual[inside] -= weights[inside, None] * fitted[cells]
    covariance = np.zeros((influence.shape[1],) * 2)
    totals = np.bincount(
        calibration.waves[cells], weights=weights[inside], minlength=len(calibration.n_frame)
    )
    for wave, n in enumerate(calibration.n_frame):
        of_wave = calibration.waves == wave
        part, share = fitted[of_wave], calibration.shares[of_wave]
        if np.isfinite(n) and n > 1:
            centred = part - share @ part
            covariance += (centred.T * share) @ centred * totals[wave] ** 2 / (n - 1)
    return residual, covariance


@dataclass(frozen=True)
class Mean:
    """A weighted mean and how well it is known.

    Parameters
    ----------
    n : int
        Respondents behind it.
    mean, std_error : float
        NaN where there is nobody, or no telling.
    degrees : float
        Degrees of freedom.
    n_effective : float
        Size of a simple random sample that would know it as well, at most n.
    """

    n: int
    mean: float
    std_error: float
    degrees: float
    n_effective: float

    def size(self, conf_level: float) -> float:
        """Give the effective size that makes intervals of a few clusters as wide as they must be.

        Parameters
        ----------
        conf_level : float
            Confidence level.

        Returns
        -------
        float
            Effective size times the squared ratio of Student's quantiles with n - 1 and with the
            degrees of freedom there are.

        References
        ----------
        .. [1] E. L. Korn, B. I. Graubard (1998). Confidence intervals for proportions with small
               expected number of positive counts. Survey Methodology 24, 193-201.
        """
        if self.n < 2 or self.degrees == self.n - 1:
            return self.n_effective
        if not self.degrees >= 1:
            return min(self.n_effective, 1.0)
        both = stats.t.ppf(0.5 + conf_level / 2, [self.n - 1, self.degrees])
        return self.n_effective * float(both[0] / both[1]) ** 2


def estimate_mean(
    values: Floats,
    weights: Floats,
    *,
    clusters: Sequence[Codes] = (),
    calibration: Calibration | None = None,
) -> Mean:
    """Estimate a weighted mean with its linearised standard error and effective sample size.

    Parameters
    ----------
    values : ndarray of float, one per respondent
        NaN for those who do not count.
    weights : ndarray of float, one per respondent
        0 or more; a respondent of weight 0 does not count.
    clusters : sequence of ndarray of int, each one per respondent
        None, one, or two kinds of clusters.
    calibration : Calibration, optional
        What the weights were raked to; without, they are taken as given.

    Returns
    -------
    Mean
        Estimate, standard error, degrees of freedom and effective size.

    Notes
    -----
    The effective size is the variance of the values over the variance of their mean. Where all
    agree it is that of the weights alone, with clusters answering as one: (sum w)^2 / sum w^2. It
    is never taken for more than n.

    References
    ----------
    .. [1] L. Kish (1965). Survey Sampling.
    .. [2] J. D. Parker et al. (2017). National Center for Health Statistics data presentation
           standards for proportions. Vital and Health Statistics 2(175).
    """
    inside = ~np.isnan(values) & (weights > 0)
    n = int(inside.sum())
    if not n:
        return Mean(0, *(float("nan"),) * 3, 0.0)
    x, w = values[inside], weights[inside]
    mean = float(w @ x / w.sum())
    influence = w * (x - mean) / w.sum()
    counted, own = influence[:, None], [codes[inside] for codes in clusters]
    extra = 0.0
    if calibration is not None:
        counted = np.zeros((len(values), 1))
        counted[inside, 0] = influence
        counted, frame = take_calibration_off(counted, weights, calibration)
        in_frame, extra = calibration.cells >= 0, float(frame[0, 0])
        counted, own = counted[in_frame], [codes[in_frame] for codes in clusters]
    covariance, degrees = covary(counted, own)
    variance = float(covariance[0, 0]) + extra
    n_rows = len(counted)
    spread = float(w @ (x - mean) ** 2 / w.sum()) * n_rows / max(n_rows - 1, 1)
    alike = min(_kish(w, codes[inside]) for codes in clusters) if clusters else _kish(w)
    # equal numbers leave a variance of roundings
    varies = variance > (1e-12 * float(np.abs(x).max())) ** 2
    if not varies:
        variance = 0.0 if variance == variance else variance
    size = spread / variance if varies else alike
    if n < 2:
        variance = float("nan")
    return Mean(n, mean, float(np.sqrt(variance)), degrees, float(min(size, n)))


def _kish(weights: Floats, codes: NDArray[np.intp] | None = None) -> float:
    """Return (sum w)^2 / sum w^2, clusters counting as one respondent."""
    if codes is not None:
        weights = np.bincount(np.unique(codes, return_inverse=True)[1], weights=weights).astype(
            float
        )
    return float(weights.sum() ** 2 / (weights**2).sum())
