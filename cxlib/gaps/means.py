"""Means of respondents with weights and clusters: the one estimator behind gaps and scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from cxlib.gaps.groups import as_texts
from cxlib.stats import Floats

Codes = NDArray[np.intp]
DOMINATED = 1.5  # fewer respondents than that, counted by weight, have no spread to speak of


def respondent_clusters(respondents: pd.DataFrame) -> list[Codes]:
    """Find what makes respondents alike: the same customer, the same unit.

    Parameters
    ----------
    respondents : pandas.DataFrame, one row per respondent and wave
        Column `respondent_id`; optional `customer_id`, `unit`.

    Returns
    -------
    list of ndarray of int
        For each kind of cluster that joins at least two rows, the cluster of every row. A row
        without a customer is its respondent's own; a row without a unit is alone. Where all are
        of one unit, results are about that unit, and it is no cluster.
    """
    own = respondents["respondent_id"].astype(str)
    customer = as_texts(respondents, "customer_id")
    unit = as_texts(respondents, "unit")
    alone = pd.Series(respondents.index.astype(str), index=respondents.index)
    labels = [("c" + customer).where(customer.ne(""), "r" + own)]
    if unit.nunique() > 1:
        labels.append(("u" + unit).where(unit.ne(""), "r" + alone))
    codes = (pd.factorize(label)[0] for label in labels)
    return [code for code in codes if len(code) and code.max() + 1 < len(code)]


def estimate_means(
    values: Floats,
    *,
    weights: Floats | None = None,
    clusters: Sequence[Codes] = (),
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Estimate the mean of each column, with weights and clusters of respondents.

    Parameters
    ----------
    values : ndarray of float, respondents x columns
        NaN where not known.
    weights : ndarray of float, one per respondent, optional
        0 or more; a respondent of weight 0 does not count.
    clusters : sequence of ndarray of int, each one per respondent
        None, one, or two kinds of clusters.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per column. Columns `n` (respondents), `mean`, `std_error`, `degrees` (of freedom),
        `conf_low`, `conf_high`, `p_value` (mean of 0). The last four are NaN where n < 2, with
        fewer than two clusters, where one respondent has nearly all the weight (Kish's effective
        number under 1.5), or where nothing varies (`std_error` 0).

    Notes
    -----
    With e the weighted residual w (x - mean) / sum(w), the variance is G / (G - 1) times the sum
    over clusters of the squared cluster sums of e (each respondent a cluster when none are
    given): without weights and clusters that is s^2 / n, and the test is Student's. Two kinds of
    clusters add up, less the variance by both at once, and never count for less than either
    alone. Degrees of freedom are the fewest clusters of a kind, less one. Weights are taken as
    given: an uncertainty of their own is not in it.

    References
    ----------
    .. [1] D. A. Binder (1983). On the variances of asymptotically normal estimators from complex
           surveys. International Statistical Review 51, 279-292.
    .. [2] A. C. Cameron, J. B. Gelbach, D. L. Miller (2011). Robust inference with multiway
           clustering. JBES 29, 238-249.

    Examples
    --------
    >>> estimate_means(np.array([[1.0], [2.0], [3.0]]))[["n", "mean"]].to_numpy().tolist()
    [[3.0, 2.0]]
    """
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    known = ~np.isnan(values) & (weights > 0)[:, None]
    n = known.sum(axis=0)
    w = np.where(known, weights[:, None], 0.0)
    total = w.sum(axis=0)
    filled = np.where(known, values, 0.0)
    mean = np.divide((w * filled).sum(axis=0), total, out=np.full(len(n), np.nan), where=n > 0)
    safe = np.where(n > 0, mean, 0.0)
    residual = np.where(known, w * (filled - safe), 0.0) / np.where(total > 0, total, 1.0)
    variance, degrees = _variance(residual, known, clusters)
    variance = np.where(effective_numbers(w) < DOMINATED, np.nan, variance)
    # a mean of equal numbers may be off by a rounding; that is no variance
    size = np.max(np.abs(filled), axis=0, initial=0.0)
    variance = np.where(variance <= (1e-12 * size) ** 2, 0.0, variance)
    std_error = np.sqrt(variance)
    varies = np.where(variance > 0, std_error, np.nan)
    half = stats.t.ppf(0.5 + conf_level / 2, degrees) * varies
    return pd.DataFrame(
        {
            "n": n,
            "mean": mean,
            "std_error": std_error,
            "degrees": degrees,
            "conf_low": mean - half,
            "conf_high": mean + half,
            "p_value": 2 * stats.t.sf(np.abs(mean / varies), degrees),
        }
    )


def effective_numbers(weights: Floats) -> Floats:
    """Count the respondents of each column by their weights, as Kish does.

    Parameters
    ----------
    weights : ndarray, respondents x columns
        0 where not known.

    Returns
    -------
    ndarray
        sum(w)^2 / sum(w^2), 0 where nobody is known.

    References
    ----------
    .. [1] L. Kish (1965). Survey Sampling.
    """
    share = weights / np.maximum(weights.sum(axis=0), 1e-300)
    squares = (share**2).sum(axis=0)
    return np.divide(1.0, squares, out=np.zeros(len(squares)), where=squares > 0)


def _variance(
    residual: Floats, known: NDArray[np.bool_], clusters: Sequence[Codes]
) -> tuple[Floats, Floats]:
    """Return the variance of each column's mean and its degrees of freedom, NaN where none."""
    kinds = list(clusters) or [np.arange(len(residual))]
    parts = [_cluster_variance(residual, known, codes) for codes in kinds]
    variance = np.max([part for part, _ in parts], axis=0)
    n_clusters = np.min([count for _, count in parts], axis=0)
    if len(kinds) > 1:
        both = np.unique(kinds[0] * (kinds[1].max() + 1) + kinds[1], return_inverse=True)[1]
        shared, _ = _cluster_variance(residual, known, both)
        variance = np.maximum(variance, sum(part for part, _ in parts) - shared)
    degrees = np.where(n_clusters > 1, n_clusters - 1.0, np.nan)
    return np.where(n_clusters > 1, variance, np.nan), degrees


def _cluster_variance(
    residual: Floats, known: NDArray[np.bool_], codes: Codes
) -> tuple[Floats, NDArray[np.intp]]:
    if np.bincount(codes).max(initial=0) <= 1:  # everybody is a cluster
        sums, count = residual, known.sum(axis=0)
    else:
        order = np.argsort(codes, kind="stable")
        first = np.flatnonzero(np.diff(codes[order], prepend=-1))
        sums = np.add.reduceat(residual[order], first, axis=0)
        count = np.add.reduceat(known[order], first, axis=0).astype(bool).sum(axis=0)
    return (sums**2).sum(axis=0) * count / np.maximum(count - 1, 1), count
