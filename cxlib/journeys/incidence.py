"""By when has it happened? Competing causes, exact times and customers as clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.stats import clustered_share_size, normal_quantile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Times = NDArray[Any]  # whole numbers or floats
_SURE = 1e-12  # shares closer to 0 or 1 than rounding


@dataclass(frozen=True)
class Waits:
    """Waits that end by one of several causes, or are still going on.

    Parameters
    ----------
    time : ndarray of int or float, shape (n,)
        Time waited, not negative, in one unit for all.
    cause : ndarray of int, shape (n,)
        What ended the wait, from 1; 0 when it goes on (right-censored).
    customer : ndarray of int, shape (n,)
        Whose wait it is.
    """

    time: Times
    cause: Ints
    customer: Ints

    def __len__(self) -> int:
        """Return the number of waits."""
        return len(self.time)


@dataclass(frozen=True)
class _Curve:
    """Counts and sums at each distinct time, and what one wait adds to the share.

    Wait i moves the share F(t) by `own[i]` + (1 - F(t)) `loss[i]` once it is over or censored, and
    by -`spent` - (1 - F(t)) `hazard` at time t while it lasts. With one cause `own` and `spent` are
    0, and what is left is Kaplan-Meier.
    """

    time: Times
    place: Ints  # of each wait's time among the times
    n_left: Ints  # waits that last longer
    waiting: Floats
    share: Floats
    spent: Floats
    hazard: Floats
    own: Floats
    loss: Floats


def _follow_cause(waits: Waits, cause: int) -> _Curve:
    time, place = np.unique(waits.time, return_inverse=True)
    size = len(time)
    leaving = np.bincount(place, minlength=size)
    at_risk = len(waits) - np.cumsum(leaving) + leaving
    ended = np.bincount(place[waits.cause > 0], minlength=size)
    ended_so = np.bincount(place[waits.cause == cause], minlength=size)
    waiting = np.cumprod(1 - ended / at_risk)
    per_wait = np.concatenate([[1.0], waiting[:-1]]) / at_risk
    share = np.cumsum(per_wait * ended_so)
    after = at_risk - ended
    # when all at risk leave, nothing is left that could vary afterwards
    each = np.divide(1.0, after, out=np.zeros(size), where=after > 0)
    hazard = np.cumsum(ended / at_risk * each)
    spent = np.cumsum((per_wait * ended_so - (1 - share) * ended * each) / at_risk)
    is_over = (waits.cause > 0) * each[place]
    own = (waits.cause == cause) * per_wait[place] - (1 - share)[place] * is_over - spent[place]
    loss = is_over - hazard[place]
    return _Curve(time, place, at_risk - leaving, waiting, share, spent, hazard, own, loss)


def estimate_incidence(
    waits: Waits,
    *,
    cause: int = 1,
    times: Times | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Estimate the share of waits that have ended by a cause, over time.

    Parameters
    ----------
    waits : Waits
        At least one.
    cause : int, default 1
        The cause that counts; all others compete with it.
    times : ndarray, optional
        Times, rising, at which to estimate; by default 0 and every distinct time of the waits.
    conf_level : float, default 0.95
        Confidence level, pointwise.

    Returns
    -------
    pandas.DataFrame, one row per time
        `time`, `n_at_risk` (waits known to last longer), `waiting_share`, `share`, `std_error`,
        `conf_low`, `conf_high`. No curve is extended: after the last wait all but `n_at_risk` are
        empty, unless no wait is going on; then nothing can change any more.

    Notes
    -----
    Aalen-Johansen: F(t) is the sum over times u up to t of S(u-) d(u) / Y(u), with d of Y waits at
    risk ending by the cause and S the share still waiting (Kaplan-Meier for all causes). At equal
    times an end comes before censoring. Without censoring F is the plain share; with one cause it
    is one minus Kaplan-Meier.

    The variance is the infinitesimal jackknife: the square of every customer's influence on F(t),
    summed, because waits of one customer may be alike. With Y waits at risk at u, d of them ending
    by the cause and e by any, the influence of wait i is the sum over u up to t of S(u-) (dN_i - d
    / Y) / Y - (F(t) - F(u)) (dM_i - e / Y) / (Y - e), where dN_i and dM_i are 1 when it ends by the
    cause, or by any, at u, and only times count at which it is at risk. The sums over customers
    are carried along in time, so that all times cost one sort. The variance is at least that of
    independent waits, each its own customer: that is Greenwood's with one cause, and F (1 - F) / n
    without censoring. Waits of a customer that are unlike may make the sum smaller by chance; they
    are not taken to tell more than as many customers would.

    Intervals on the log(-log(1 - F)) scale. That scale has none where F is 0 or 1; the end is then
    the exact (Clopper-Pearson) one of the customers whose outcome by then is known. At 1 with waits
    that were censored those are the early ones, and the end before F came to 1 is kept.

    References
    ----------
    .. [1] O. O. Aalen, S. Johansen (1978). An empirical transition matrix for non-homogeneous
           Markov chains based on censored observations. Scand. J. Statist. 5, 141-150.
    .. [2] L. Ying, L. J. Wei (1994). The Kaplan-Meier estimate for dependent failure time
           observations. Journal of Multivariate Analysis 50, 17-29.
    .. [3] J. B. Choudhury (2002). Non-parametric confidence interval estimation for competing
           risks analysis. Statistics in Medicine 21, 1129-1144.
    .. [4] M. Greenwood (1926). The errors of sampling of the survivorship tables. Reports on
           Public Health and Statistical Subjects 33, appendix 1.

    Examples
    --------
    >>> waits = Waits(np.array([1, 2, 2, 3]), np.array([1, 2, 1, 0]), np.arange(4))
    >>> estimate_incidence(waits)["share"].tolist()
    [0.0, 0.25, 0.5, 0.5]
    """
    curve = _follow_cause(waits, cause)
    at = np.union1d([0], curve.time).astype(curve.time.dtype) if times is None else times
    step = np.searchsorted(curve.time, at, side="right")
    is_known = (at <= curve.time[-1]) | (curve.waiting[-1] <= _SURE)
    error = np.sqrt(_sum_influence(waits, curve))
    columns = {"waiting_share": (1.0, curve.waiting), "share": (0.0, curve.share)}
    columns["std_error"] = (0.0, error)
    read = {
        name: np.where(is_known, np.r_[before, values][step], np.nan)
        for name, (before, values) in columns.items()
    }
    n_at_risk = np.r_[len(waits), curve.n_left][step]
    table = pd.DataFrame({"time": at, "n_at_risk": n_at_risk, **read})
    known = _count_known(waits, at)
    low, high = _interval(read["share"], read["std_error"], known, conf_level)
    if (waits.cause == 0).any():  # who is known by then ended early: keep the end before
        rising = np.flatnonzero((curve.share > _SURE) & (curve.share < 1 - _SURE))[-1:]
        known_one = np.ones(len(rising), dtype=np.int64)
        before = _interval(curve.share[rising], error[rising], known_one, conf_level)[0]
        low = np.where(read["share"] >= 1 - _SURE, before if len(before) else 0.0, low)
    return table.assign(conf_low=low, conf_high=high)


def _sum_influence(waits: Waits, curve: _Curve) -> Floats:
    """Sum the squared influence of customers at every time.

    With R = 1 - F a customer's influence is a + R b - c (p + R q): a and b are sums over its waits
    that are over, c counts those that last, p and q are the same for all. So six sums over
    customers of products of a, b and c are enough, and each wait that ends changes them by what its
    customer had before. Squares of single waits (independent ones have no more) and products of two
    are summed apart.
    """
    order = np.lexsort((waits.cause, waits.time, waits.customer))
    customer, own, loss = waits.customer[order], curve.own[order], curve.loss[order]
    starts = np.flatnonzero(np.r_[True, customer[1:] != customer[:-1]])
    sizes = np.diff(np.r_[starts, len(order)])
    place, size, rest = curve.place[order], len(curve.time), 1 - curve.share
    common = curve.spent + rest * curve.hazard

    def carry(change: np.ndarray) -> Floats:
        """Add up what every wait that ends changes, by time."""
        return np.cumsum(np.bincount(place, weights=change, minlength=size))

    single = carry(own**2) + 2 * rest * carry(own * loss) + rest**2 * carry(loss**2)
    single = np.maximum(single + common**2 * curve.n_left, 0)  # or it rounds to less
    if len(starts) == len(order):
        return single
    a, b = (_sum_before(values, starts, sizes) for values in (own, loss))
    c = np.repeat(starts + sizes, sizes) - np.arange(len(order)) - 1  # that last longer
    pairs = carry(own * a) + rest * carry(own * b + loss * a) + rest**2 * carry(loss * b)
    pairs -= common * (carry(own * c - a) + rest * carry(loss * c - b))
    pairs += common**2 * ((sizes * (sizes - 1.0)).sum() / 2 - carry(c))
    return single + 2 * np.maximum(pairs, 0)


def _sum_before(values: Floats, starts: Ints, sizes: Ints) -> Floats:
    """Sum what comes before each value of its customer."""
    before = np.cumsum(values) - values
    return before - np.repeat(before[starts], sizes)


def _count_known(waits: Waits, times: Times) -> Ints:
    """Count customers with a wait whose outcome at a time is known: over, or not over yet."""
    lasting = np.where(waits.cause > 0, np.inf, waits.time)
    order = np.lexsort((lasting, waits.customer))
    customer = waits.customer[order]
    ends = lasting[order][np.r_[customer[1:] != customer[:-1], True]]
    return len(ends) - np.searchsorted(np.sort(ends), times, side="left")


def _interval(
    share: Floats, error: Floats, known: Ints, conf_level: float
) -> tuple[Floats, Floats]:
    inside = ~((share <= _SURE) | (share >= 1 - _SURE))  # empty ones stay empty
    log = np.log1p(-share, out=np.full_like(share, -1.0), where=inside)
    reach = normal_quantile(conf_level) * error / (np.where(inside, 1 - share, 1.0) * -log)
    exact = (0.5 - conf_level / 2) ** (1 / np.maximum(known, 1))
    low = np.where(inside, -np.expm1(log * np.exp(-reach)), np.where(share > 0.5, exact, 0.0))
    high = np.where(inside, -np.expm1(log * np.exp(reach)), np.where(share > 0.5, 1.0, 1 - exact))
    return low, high


def find_quantiles(curve: pd.DataFrame, levels: Sequence[float]) -> pd.DataFrame:
    """Find the time by which a share of the waits has ended.

    Parameters
    ----------
    curve : pandas.DataFrame
        From :func:`estimate_incidence`.
    levels : sequence of float
        Shares.

    Returns
    -------
    pandas.DataFrame, one row per level
        `level`, `time`, `conf_low`, `conf_high`; empty where the curve, or the end of its interval,
        does not come so far.

    Notes
    -----
    The first time at which the share reaches the level; the interval holds the times at which the
    pointwise interval of the share does.

    References
    ----------
    .. [1] R. Brookmeyer, J. Crowley (1982). A confidence interval for the median survival time.
           Biometrics 38, 29-41.
    """
    found = pd.DataFrame({"level": levels})
    # the upper end of the share comes to the level early
    ends = {"time": "share", "conf_low": "conf_high", "conf_high": "conf_low"}
    for name, column in ends.items():
        reached = np.append(curve[column], np.inf) >= np.array(levels)[:, None] - _SURE
        found[name] = np.append(curve["time"], np.nan)[reached.argmax(axis=1)]
    return found


def find_influence(waits: Waits, *, cause: int = 1) -> tuple[float, Floats]:
    """Estimate the share that ends by a cause by the last time, and what each wait adds to it.

    Parameters
    ----------
    waits : Waits
        From :func:`cut_waits` for a time of interest.
    cause : int, default 1
        The cause that counts.

    Returns
    -------
    tuple of float and ndarray of shape (n,)
        The share, and the influence of each wait on it; the influences sum to 0, and the sum of
        their squares (summed by customer) is the variance of the share.
    """
    curve = _follow_cause(waits, cause)
    share = float(curve.share[-1])
    share = 1.0 if share > 1 - _SURE else share
    return share, curve.own + (1 - share) * curve.loss


def find_size(waits: Waits, share: float, influence: Floats) -> float:
    """Find the effective number of waits behind a share.

    Parameters
    ----------
    waits : Waits
        Waits.
    share : float
        From :func:`find_influence`.
    influence : ndarray of shape (n,)
        Of each wait, from the same.

    Returns
    -------
    float
        At most the number of waits. A pseudo-observation, the share plus n times the influence,
        stands for the hit or miss that censoring may hide.

    References
    ----------
    .. [1] P. K. Andersen, J. P. Klein, S. Rosthoj (2003). Generalised linear models for correlated
           pseudo-observations, with applications to multi-state models. Biometrika 90, 15-27.
    """
    n = len(waits)
    code = np.unique(waits.customer, return_inverse=True)[1]
    x, y = np.bincount(code, share + n * influence), np.bincount(code).astype(float)
    return float(clustered_share_size(share, n, x @ x, x @ y, y @ y))


def cut_waits(waits: Waits, time: float) -> Waits:
    """Censor what lasts longer than a time.

    Parameters
    ----------
    waits : Waits
        Waits.
    time : float
        In their unit.

    Returns
    -------
    Waits
        None is longer.
    """
    return Waits(np.minimum(waits.time, time), waits.cause * (waits.time <= time), waits.customer)
