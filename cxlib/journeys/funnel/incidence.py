"""Cumulative incidence with competing causes, exact times and customers as clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.stats import normal_quantile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SURE = 1e-12  # shares closer to 0 or 1 than rounding


@dataclass(frozen=True)
class Waits:
    """Waits that end by one of several causes, or are still going on.

    Parameters
    ----------
    time : ndarray of int, shape (n,)
        Microseconds waited, not negative.
    cause : ndarray of int, shape (n,)
        What ended the wait, from 1; 0 when it goes on (right-censored).
    customer : ndarray of int, shape (n,)
        Whose wait it is.
    """

    time: Ints
    cause: Ints
    customer: Ints

    def __len__(self) -> int:
        """Return the number of waits."""
        return len(self.time)


@dataclass(frozen=True)
class _Curve:
    """Counts and sums at each distinct time, and what one wait adds to the share.

    Wait i moves the share F(t) by `own[i]` - F(t) `loss[i]` once it is over or censored, and by
    -`spent` + F(t) `hazard` at time t while it lasts.
    """

    time: Ints
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
    spent = np.cumsum(per_wait * ended_so / at_risk + share * ended / at_risk * each)
    is_over = (waits.cause > 0) * each[place]
    own = (waits.cause == cause) * per_wait[place] + share[place] * is_over - spent[place]
    loss = is_over - hazard[place]
    return _Curve(time, place, at_risk - leaving, waiting, share, spent, hazard, own, loss)


def estimate_incidence(waits: Waits, *, cause: int = 1, conf_level: float = 0.95) -> pd.DataFrame:
    """Estimate the share of waits that have ended by a cause, over time.

    Parameters
    ----------
    waits : Waits
        At least one.
    cause : int, default 1
        The cause that counts; all others compete with it.
    conf_level : float, default 0.95
        Confidence level, pointwise.

    Returns
    -------
    pandas.DataFrame, one row per distinct time, from 0
        `time` (microseconds), `n_at_risk` (waits known to last longer), `waiting_share`, `share`,
        `std_error`, `conf_low`, `conf_high`.

    Notes
    -----
    Aalen-Johansen: F(t) is the sum over times u up to t of S(u-) d(u) / Y(u), with d of Y waits at
    risk ending by the cause and S the share still waiting (Kaplan-Meier for all causes). At equal
    times an end comes before censoring. Without censoring F is the plain share.

    The variance is the infinitesimal jackknife: the square of every customer's influence on F(t),
    summed, because waits of one customer may be alike. With Y waits at risk at u, d of them ending
    by the cause and e by any, the influence of wait i is the sum over u up to t of S(u-) (dN_i - d
    / Y) / Y - (F(t) - F(u)) (dM_i - e / Y) / (Y - e), where dN_i and dM_i are 1 when it ends by the
    cause, or by any, at u, and only times count at which it is at risk. The sums over customers
    are carried along in time, so that all times cost one sort. As elsewhere in this package, the
    variance is at least that of independent waits without censoring, F (1 - F) / n.

    Intervals on the log(-log(1 - F)) scale. That scale has none where F is 0 or 1; the end is then
    the exact (Clopper-Pearson) one of the customers whose outcome by then is known.

    References
    ----------
    .. [1] O. O. Aalen, S. Johansen (1978). An empirical transition matrix for non-homogeneous
           Markov chains based on censored observations. Scand. J. Statist. 5, 141-150.
    .. [2] L. Ying, L. J. Wei (1994). The Kaplan-Meier estimate for dependent failure time
           observations. Journal of Multivariate Analysis 50, 17-29.
    .. [3] J. B. Choudhury (2002). Non-parametric confidence interval estimation for competing
           risks analysis. Statistics in Medicine 21, 1129-1144.

    Examples
    --------
    >>> waits = Waits(np.array([1, 2, 2, 3]), np.array([1, 2, 1, 0]), np.arange(4))
    >>> estimate_incidence(waits)["share"].tolist()
    [0.0, 0.25, 0.5, 0.5]
    """
    curve = _follow_cause(waits, cause)
    variance = np.maximum(
        _sum_influence(waits, curve), curve.share * (1 - curve.share) / len(waits)
    )
    table = pd.DataFrame(
        {
            "time": curve.time,
            "n_at_risk": curve.n_left,
            "waiting_share": curve.waiting,
            "share": curve.share,
            "std_error": np.sqrt(variance),
        }
    )
    if table["time"].iloc[0] > 0:
        table.loc[-1] = [0, len(waits), 1.0, 0.0, 0.0]
        table = table.sort_index(ignore_index=True).astype({"time": int, "n_at_risk": int})
    known = _count_known(waits, table["time"].to_numpy())
    low, high = _interval(table["share"], table["std_error"], known, conf_level)
    return table.assign(conf_low=low, conf_high=high)


def _sum_influence(waits: Waits, curve: _Curve) -> Floats:
    """Sum the squared influence of customers at every time.

    A customer's influence is a - F b + c (p - F q): a and b are sums over its waits that are over,
    c counts those that last, p and q are the same for all. So six sums over customers of products
    of a, b and c are enough, and each wait that ends changes them by what its customer had before.
    """
    order = np.lexsort((waits.cause, waits.time, waits.customer))
    customer, own, loss = waits.customer[order], curve.own[order], curve.loss[order]
    starts = np.flatnonzero(np.r_[True, customer[1:] != customer[:-1]])
    sizes = np.diff(np.r_[starts, len(order)])
    a, b = (_sum_before(values, starts, sizes) for values in (own, loss))
    c = np.repeat(starts + sizes, sizes) - np.arange(len(order))
    place, size = curve.place[order], len(curve.time)

    def carry(change: np.ndarray) -> Floats:
        """Add up what every wait that ends changes, by time."""
        return np.cumsum(np.bincount(place, weights=change, minlength=size))

    aa, bb = carry(own * (2 * a + own)), carry(loss * (2 * b + loss))
    ab = carry(a * loss + b * own + own * loss)
    ac, bc = carry(own * (c - 1) - a), carry(loss * (c - 1) - b)
    cc = (sizes.astype(float) ** 2).sum() + carry(1.0 - 2 * c)
    common = -curve.spent + curve.share * curve.hazard
    over = aa - 2 * curve.share * ab + curve.share**2 * bb
    return np.maximum(over + 2 * common * (ac - curve.share * bc) + common**2 * cc, 0)


def _sum_before(values: Floats, starts: Ints, sizes: Ints) -> Floats:
    """Sum what comes before each value of its customer."""
    before = np.cumsum(values) - values
    return before - np.repeat(before[starts], sizes)


def _count_known(waits: Waits, times: Ints) -> Ints:
    """Count customers with a wait whose outcome at a time is known: over, or not over yet."""
    lasting = np.where(waits.cause > 0, np.iinfo(np.int64).max, waits.time)
    order = np.lexsort((lasting, waits.customer))
    customer = waits.customer[order]
    ends = lasting[order][np.r_[customer[1:] != customer[:-1], True]]
    return len(ends) - np.searchsorted(np.sort(ends), times, side="left")


def _interval(
    share: pd.Series, error: pd.Series, known: Ints, conf_level: float
) -> tuple[Floats, Floats]:
    f = share.to_numpy()
    inside = (f > _SURE) & (f < 1 - _SURE)
    log = np.log1p(-f, out=np.full_like(f, -1.0), where=inside)
    reach = normal_quantile(conf_level) * error.to_numpy() / (np.where(inside, 1 - f, 1.0) * -log)
    exact = (0.5 - conf_level / 2) ** (1 / np.maximum(known, 1))
    low = np.where(inside, -np.expm1(log * np.exp(-reach)), np.where(f > 0.5, exact, 0.0))
    high = np.where(inside, -np.expm1(log * np.exp(reach)), np.where(f > 0.5, 1.0, 1 - exact))
    return low, high


def find_influence(waits: Waits, *, cause: int = 1) -> tuple[float, Floats]:
    """Estimate the share that ends by a cause by the last time, and what each wait adds to it.

    Parameters
    ----------
    waits : Waits
        Cut at the time of interest: waits that last longer are censored there.
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
    return share, curve.own - share * curve.loss


def read_curve(table: pd.DataFrame, times: Ints, column: str) -> Floats:
    """Read a column of a curve at times; empty where the curve is not known.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`estimate_incidence`.
    times : ndarray of int
        Microseconds.
    column : str
        Column of the curve.

    Returns
    -------
    ndarray
        Values after what happens at each time. After the last wait they are empty, unless no wait
        is going on: then nothing can change any more.
    """
    known = table["time"].to_numpy()
    values = table[column].to_numpy(float)[np.searchsorted(known, times, side="right") - 1]
    is_over = table["waiting_share"].iloc[-1] <= _SURE
    return np.where((times <= known[-1]) | is_over, values, np.nan)
