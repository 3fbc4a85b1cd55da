"""The variance of a curve whose lifetimes are weighted or belong together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.churn.curves.counts import weigh_risk_sets
from cxlib.errors import TooLittleData
from cxlib.stats import Floats

_CELLS = 4_000_000  # of one block of influences: memory stays flat whatever the customers


def is_robust(counts: pd.DataFrame) -> bool:
    """Tell whether Greenwood's variance is not valid.

    Parameters
    ----------
    counts : pandas.DataFrame
        Counts of lifetimes.

    Returns
    -------
    bool
        True when they have weights or clusters.
    """
    return "weight" in counts.columns or "cluster" in counts.columns


def weigh_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """Add up the weights of who was at risk, left or ended.

    Parameters
    ----------
    counts : pandas.DataFrame
        Counts, with `weight` where there is one.

    Returns
    -------
    pandas.DataFrame
        As `weigh_risk_sets` returns it.
    """
    sizes = counts["n"].to_numpy(float)
    if "weight" in counts.columns:
        sizes = sizes * counts["weight"].to_numpy()
    return weigh_risk_sets(counts, sizes)


def curve_variance(sets: pd.DataFrame, counts: pd.DataFrame) -> Floats:
    """Compute the robust variance of the log of a curve, in the place of Greenwood's sum.

    Parameters
    ----------
    sets : pandas.DataFrame, k rows
        As `weigh_counts` returns them.
    counts : pandas.DataFrame
        Counts with `weight` or `cluster`.

    Returns
    -------
    ndarray of float, shape (k,)
        The infinitesimal-jackknife variance on each day of `sets`.
    """
    times, score = sets["time_days"].to_numpy(), _score(sets)
    size = max(1, _CELLS // len(counts))
    blocks = [times[start : start + size] for start in range(0, len(times), size)]
    sums = [
        sum_influence(sets, counts, score[:, None] * (times[:, None] <= block)) for block in blocks
    ]
    return np.concatenate(sums)


def area_variance(counts: pd.DataFrame, to_come: Floats) -> float:
    """Compute the robust variance of the area under a curve.

    Parameters
    ----------
    counts : pandas.DataFrame
        Counts with `weight` or `cluster`.
    to_come : ndarray of float, shape (k,)
        Area from each day on which something ended to the horizon, 0 beyond it.

    Returns
    -------
    float
        The infinitesimal-jackknife variance.
    """
    sets = weigh_counts(counts)
    return float(sum_influence(sets, counts, (_score(sets) * to_come)[:, None])[0])


def _score(sets: pd.DataFrame) -> Floats:
    """Change of -log S per lifetime that leaves: 1 / (n - d); nothing varies after the last."""
    n, stayed = sets["n_at_risk"].to_numpy(), (sets["n_at_risk"] - sets["n_churned"]).to_numpy()
    return np.divide(1.0, stayed, out=np.zeros_like(n, dtype=float), where=stayed > 1e-9 * n)


def sum_influence(sets: pd.DataFrame, counts: pd.DataFrame, score: Floats) -> Floats:
    """Add up squared influences of clusters on sums of hazards.

    Parameters
    ----------
    sets : pandas.DataFrame, k rows
        As `weigh_risk_sets` returns them.
    counts : pandas.DataFrame
        Counts with `weight` or `cluster`.
    score : ndarray of float, shape (k, m)
        Weight of each day in the m sums.

    Returns
    -------
    ndarray of float, shape (m,)
        One variance a sum.

    Raises
    ------
    TooLittleData
        When there are fewer than two clusters.

    Notes
    -----
    The influence of a lifetime on the sum of a(t) d/n is, but for its weight, a(T) at its own
    churn less the sum of a(t) d/n over the days it was at risk. Influences of a cluster are added
    before they are squared. Without weights, clusters and late entry this is Greenwood's sum for
    a(t) = 1 / (n - d), which is why it may stand in for it.
    """
    times = sets["time_days"].to_numpy()
    n, d = sets["n_at_risk"].to_numpy(float), sets["n_churned"].to_numpy(float)
    hazard = np.divide(d, n, out=np.zeros_like(n), where=d > 0)
    spent = np.vstack([np.zeros(score.shape[1]), np.cumsum(hazard[:, None] * score, axis=0)])
    entry, duration = counts["entry_days"].to_numpy(), counts["duration_days"].to_numpy()
    last = np.searchsorted(times, duration)
    first = np.where(entry > 0, np.searchsorted(times, entry, side="right"), 0)
    own = score[last] * counts["churned"].to_numpy(float)[:, None]
    influence = own - (spent[last + 1] - spent[first])
    if "weight" in counts.columns:
        influence *= counts["weight"].to_numpy()[:, None]
    if "cluster" not in counts.columns:
        return np.asarray(counts["n"].to_numpy(float) @ influence**2)
    influence *= counts["n"].to_numpy(float)[:, None]
    order = np.argsort(counts["cluster"].to_numpy(), kind="stable")
    starts = np.flatnonzero(np.diff(counts["cluster"].to_numpy()[order], prepend=-2))
    if len(starts) < 2:
        raise TooLittleData("All lifetimes belong together: their curve has no interval.")
    return np.asarray((np.add.reduceat(influence[order], starts) ** 2).sum(axis=0))


def share_effective(counts: pd.DataFrame) -> float:
    """Compute what share of the lifetimes would tell as much if all were alike and independent.

    Parameters
    ----------
    counts : pandas.DataFrame
        Counts, with `weight` or `cluster` where there is one.

    Returns
    -------
    float
        Kish's (sum w)^2 / sum w^2 over clusters, as a share of the lifetimes; at most 1.

    References
    ----------
    .. [1] L. Kish (1965). Survey Sampling.
    """
    n = counts["n"].to_numpy(float)
    weight = counts["weight"].to_numpy() if "weight" in counts.columns else np.ones(len(counts))
    if "cluster" in counts.columns:
        squares = (np.bincount(counts["cluster"], n * weight) ** 2).sum()
    else:
        squares = (n * weight**2).sum()
    return float((n * weight).sum() ** 2 / squares / n.sum())
