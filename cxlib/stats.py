"""Intervals and multiplicity that several studies share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]


def normal_quantile(conf_level: float) -> float:
    """Return the two-sided standard normal quantile, 1.96 for 0.95.

    Parameters
    ----------
    conf_level : float
        Between 0 and 1.

    Returns
    -------
    float
        The quantile.
    """
    return float(stats.norm.ppf(0.5 + conf_level / 2))


def wilson_interval(
    share: ArrayLike, n: ArrayLike, *, conf_level: float = 0.95
) -> tuple[Floats, Floats]:
    """Compute the Wilson score interval of shares.

    Parameters
    ----------
    share : array_like of float, shape (k,)
        Observed shares, 0 to 1.
    n : array_like of float, shape (k,)
        Sample sizes; an effective size (fractional) is allowed, 0 gives the interval 0 to 1.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    tuple of ndarray, each of shape (k,)
        Lower and upper ends, inside 0 to 1.

    References
    ----------
    .. [1] E. B. Wilson (1927). Probable inference, the law of succession, and statistical
           inference. JASA 22, 209-212.

    Examples
    --------
    >>> low, high = wilson_interval([0.5], [10])
    >>> low.round(3), high.round(3)
    (array([0.237]), array([0.763]))
    """
    share, n = np.asarray(share, dtype=float), np.asarray(n, dtype=float)
    z2 = normal_quantile(conf_level) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (share * n + z2 / 2) / (n + z2)
        half = np.sqrt(z2) / (n + z2) * np.sqrt(n * share * (1 - share) + z2 / 4)
    # rounding may leave the ends a hair inside a share of exactly 0 or 1
    low = np.where(share <= 0, 0.0, np.clip(centre - half, 0, 1))
    high = np.where(share >= 1, 1.0, np.clip(centre + half, 0, 1))
    empty = n <= 0
    return np.where(empty, 0.0, low), np.where(empty, 1.0, high)


def clustered_share_size(
    share: ArrayLike, n: ArrayLike, sum_xx: ArrayLike, sum_xy: ArrayLike, sum_yy: ArrayLike
) -> Floats:
    """Compute the effective sample size of a share whose rows come in clusters.

    With x hits and y trials in a cluster (a customer), the ratio p = sum x / sum y has the
    linearised variance sum (x - p y)^2 / (sum y)^2. The effective size is the number of
    independent trials with that variance: p (1 - p) / variance, at most n.

    Parameters
    ----------
    share : array_like of float
        The share p.
    n : array_like of float
        Trials over all clusters, sum y.
    sum_xx, sum_xy, sum_yy : array_like of float
        Sums over clusters of x^2, x y and y^2; whole numbers, so an engine sums them exactly.

    Returns
    -------
    ndarray
        Effective sizes, between 0 and n. A share of 0 or 1 has no variance to read a design
        effect from; its size is n^2 / sum y^2, the Kish size of clusters answering as one.

    Notes
    -----
    With few clusters, or one that outweighs the others, that variance comes out too small; all
    trials of a single cluster have none at all. So a size s above that of clusters answering as
    one, k = n^2 / sum y^2, is believed in part: k + (s - k) (f - 1) / (f + 2), with f the least of
    k and the same sizes of the hits alone and of the misses alone, since a rare share is known from
    the few clusters that hold its hits. For 5 or more clusters (f - 1) / (f + 2) is about (z / t)^2
    with Student's t of f - 1 degrees of freedom.

    References
    ----------
    .. [1] W. G. Cochran (1977). Sampling Techniques, 3rd ed., section 3.12.
    .. [2] L. Kish (1965). Survey Sampling.
    """
    share, n, xx, xy, yy = (np.asarray(a, dtype=float) for a in (share, n, sum_xx, sum_xy, sum_yy))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (xx - 2 * share * xy + share**2 * yy) / n**2
        alike = n**2 / yy
        size = np.where((share > 0) & (share < 1), share * (1 - share) / variance, alike)
        size = np.clip(np.nan_to_num(size, nan=0.0, posinf=np.inf), 0, n)
        hits, misses = share * n, (1 - share) * n
        of_hits = np.where(hits > 0, hits**2 / xx, np.inf)
        of_misses = np.where(misses > 0, misses**2 / (yy - 2 * xy + xx), np.inf)
        few = np.maximum(np.fmin(alike, np.fmin(of_hits, of_misses)), 1)
        size = np.where(size > alike, alike + (size - alike) * (few - 1) / (few + 2), size)
    return size


def clustered_share_interval(
    share: ArrayLike,
    n: ArrayLike,
    sum_xx: ArrayLike,
    sum_xy: ArrayLike,
    sum_yy: ArrayLike,
    *,
    conf_level: float = 0.95,
) -> tuple[Floats, Floats]:
    """Compute Wilson's interval of a share whose rows come in clusters.

    Parameters
    ----------
    share, n, sum_xx, sum_xy, sum_yy : array_like of float
        As :func:`clustered_share_size` takes them.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    tuple of ndarray
        Lower and upper end, at the effective size.
    """
    size = clustered_share_size(share, n, sum_xx, sum_xy, sum_yy)
    return wilson_interval(share, size, conf_level=conf_level)


def share_correlation(
    share_a: ArrayLike, n_a: ArrayLike, share_b: ArrayLike, n_b: ArrayLike, covariance: ArrayLike
) -> Floats:
    """Compute the correlation of shares whose trials are partly of the same clusters.

    Parameters
    ----------
    share_a, n_a, share_b, n_b : array_like of float, shape (k,)
        Two shares and their (effective) sample sizes.
    covariance : array_like of float, shape (k,)
        Covariance of the two.

    Returns
    -------
    ndarray of shape (k,)
        Between -1 and 1; 0 where a share does not vary.
    """
    given = (share_a, n_a, share_b, n_b, covariance)
    a, n_a, b, n_b, both = (np.asarray(values, dtype=float) for values in given)
    variance = a * (1 - a) / n_a * (b * (1 - b) / n_b)
    r = np.divide(both, np.sqrt(variance), out=np.zeros_like(variance), where=variance > 0)
    return np.clip(r, -1, 1)


def share_difference_interval(
    share_a: ArrayLike,
    n_a: ArrayLike,
    share_b: ArrayLike,
    n_b: ArrayLike,
    correlation: ArrayLike = 0.0,
    *,
    conf_level: float = 0.95,
) -> tuple[Floats, Floats]:
    """Compute Newcombe's interval of differences of shares, b minus a.

    Parameters
    ----------
    share_a, n_a, share_b, n_b : array_like of float, shape (k,)
        Two shares and their (effective) sample sizes.
    correlation : array_like of float, default 0.0
        Correlation of the two shares.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    tuple of ndarray, each of shape (k,)
        Lower and upper ends, inside -1 to 1.

    Notes
    -----
    With u and v the distances of the shares from those ends of their Wilson intervals that move
    the difference the same way, an end lies sqrt(u^2 + v^2 - 2 r u v) from the difference.

    References
    ----------
    .. [1] R. G. Newcombe (1998). Interval estimation for the difference between independent
           proportions. Statistics in Medicine 17, 873-890, method 10.
    .. [2] R. G. Newcombe (1998). Improved confidence intervals for the difference between binomial
           proportions based on paired data. Statistics in Medicine 17, 2635-2650, method 10.
    """
    a, b, r = (np.asarray(values, dtype=float) for values in (share_a, share_b, correlation))
    low_a, high_a = wilson_interval(a, n_a, conf_level=conf_level)
    low_b, high_b = wilson_interval(b, n_b, conf_level=conf_level)
    reach_low, reach_high = (
        np.sqrt(np.maximum(u**2 - 2 * r * u * v + v**2, 0))
        for u, v in ((b - low_b, high_a - a), (a - low_a, high_b - b))
    )
    return b - a - reach_low, b - a + reach_high


def share_difference_p_values(
    share_a: ArrayLike,
    n_a: ArrayLike,
    share_b: ArrayLike,
    n_b: ArrayLike,
    correlation: ArrayLike = 0.0,
    *,
    pooled: ArrayLike,
) -> Floats:
    """Test whether shares differ, by the z test at the share of both together.

    Parameters
    ----------
    share_a, n_a, share_b, n_b : array_like of float, shape (k,)
        Two shares and their (effective) sample sizes.
    correlation : array_like of float, default 0.0
        Correlation of the two shares.
    pooled : array_like of float, shape (k,)
        Share of both together, all trials counted.

    Returns
    -------
    ndarray of shape (k,)
        Two-sided p-values; where nothing is left to chance, 1 for equal shares and else 0.
    """
    given = (share_a, n_a, share_b, n_b, correlation, pooled)
    a, n_a, b, n_b, r, p = (np.asarray(values, dtype=float) for values in given)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.maximum(1 / n_a + 1 / n_b - 2 * r / np.sqrt(n_a * n_b), 0)
        z = np.where(a == b, 0.0, np.abs(b - a) / np.sqrt(p * (1 - p) * spread))
    return np.asarray(2 * stats.norm.sf(z))


def adjust_p_values(p_values: ArrayLike) -> Floats:
    """Compute Benjamini-Hochberg q-values; missing p-values stay missing and do not count.

    Parameters
    ----------
    p_values : array_like of float, shape (m,)
        One family of tests; NaN where a test could not be made.

    Returns
    -------
    ndarray of shape (m,)
        q-values in the order given.

    References
    ----------
    .. [1] Y. Benjamini, Y. Hochberg (1995). Controlling the false discovery rate. JRSS B 57,
           289-300.

    Examples
    --------
    >>> adjust_p_values([0.01, 0.04, float("nan"), 0.03])
    array([0.03, 0.04,  nan, 0.04])
    """
    p_values = np.asarray(p_values, dtype=float)
    q_values = np.full(p_values.shape, np.nan)
    known = ~np.isnan(p_values)
    if known.any():
        q_values[known] = stats.false_discovery_control(p_values[known])
    return q_values
