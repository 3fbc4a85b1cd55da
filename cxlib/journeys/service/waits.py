"""How long until it happens: the next contact of a kind, and curves that know who still waits."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.journeys.log import DAY, JourneyLog, Places, add_places
from cxlib.stats import Floats, normal_quantile

if TYPE_CHECKING:
    import ibis.expr.types as ir

_POINTS = 200  # of a curve: finer steps cannot be seen


def list_waits(
    log: JourneyLog,
    first: Sequence[int],
    then: Sequence[int],
    *,
    same: Places | None = None,
    backwards: bool = False,
) -> ir.Table:
    """Find, for every contact of one kind, the next contact of another by the same customer.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    first : sequence of int
        Codes of the contacts from which the wait runs.
    then : sequence of int
        Codes of the contacts that end it; both may hold the same code.
    same : Places, optional
        The contact that ends the wait must be at the same of these places.
    backwards : bool, default False
        Look for the last contact before instead; `wait` is then the time since.

    Returns
    -------
    ibis Table, one row per contact of `first`
        `customer`, `contact`, `at`, `wait` (microseconds until the next contact of `then`, in this
        or a later journey; empty when there is none) and `left` (microseconds from the contact to
        the end of the data). Stored.

    Notes
    -----
    One contact of `then` ends the wait of every contact before it. Contacts at the same instant
    follow each other in the order of the log.
    """
    import ibis
    from ibis import _

    rows = log.steps.filter(_.contact.isin([*first, *then]))
    rows = rows.mutate(mark=_.contact.isin(list(then)).ifelse(_["at"], ibis.null("int64")))
    key = ["customer"]
    if same is not None:
        rows, key = add_places(rows, same, place="contact"), ["customer", "place"]
    order = ["at", "journey", "step"]
    if not backwards:
        order = [ibis.desc(name) for name in order]
    so_far = ibis.cumulative_window(group_by=key, order_by=order)
    nearest = _.mark.max() if backwards else _.mark.min()
    rows = rows.mutate(nearest=nearest.over(so_far))
    # without the contact itself, which may be of both kinds
    nearest = _.nearest.lag().over(ibis.window(group_by=key, order_by=order))
    rows = rows.mutate(wait=(nearest - _["at"]).abs())
    end = log.end.value // 1000
    # in zones west of Greenwich the last day ends after it does in UTC
    left = (_["at"] < end).ifelse(end - _["at"], 0)
    waits = rows.filter(_.contact.isin(list(first)))
    return waits.select("customer", "contact", "at", "wait", left=left).cache()


def fetch_waits(waits: ir.Table, *, within_days: float = np.inf) -> pd.DataFrame:
    """Fetch waits in days.

    Parameters
    ----------
    waits : ibis Table
        From :func:`list_waits`.
    within_days : float, default infinity
        What comes later does not end a wait any more.

    Returns
    -------
    pandas.DataFrame, one row per contact waited from, in the order of time
        `customer`, `contact`, `at`, `wait_days` (until the next contact, at most `within_days` and
        to the end of the data) and `is_over` (False: it had not ended by then).
    """
    frame = waits.to_pandas().sort_values(["at", "customer", "contact"], ignore_index=True)
    wait, left = frame["wait"].astype(float) / DAY, frame["left"].to_numpy(float) / DAY
    is_over = wait <= within_days  # not where there is none
    days = wait.where(is_over, np.minimum(left, within_days))
    return frame[["customer", "contact", "at"]].assign(wait_days=days, is_over=is_over)


def fit_waits(
    waits: pd.DataFrame, *, times: Sequence[float] = (), conf_level: float = 0.95
) -> pd.DataFrame:
    """Estimate the share for which it has happened after each time.

    Parameters
    ----------
    waits : pandas.DataFrame, one row per wait
        `customer`, `wait_days` and `is_over` (False: censored).
    times : sequence of float, default ()
        Days at which to estimate; empty: where the curve rises, at most 200 points, from 0.
    conf_level : float, default 0.95
        Confidence level, pointwise.

    Returns
    -------
    pandas.DataFrame, one row per time
        `time_days`, `n_at_risk` (still waiting, just before), `n_over` (ended so far), `share`,
        `conf_low`, `conf_high`. Times after the last wait are left out: no curve is extended.

    Notes
    -----
    One minus the Kaplan-Meier estimate; at equal times an end comes before censoring. Its
    variance sums the influence of each customer on log S, whose waits may be alike: wait i adds
    G(min(T_i, t)) minus, when it ended by t, 1 / (Y - d), with d of Y at risk ending at T_i and G
    the sum of d / (Y (Y - d)). With one wait a customer that is Greenwood's variance exactly,
    which is also the least that is used.
    Intervals on the log(-log S) scale. That scale has none at S = 1, where the end is the exact
    (Clopper-Pearson) one of the customers at risk, nor at S = 0, where the end before is kept.

    References
    ----------
    .. [1] E. L. Kaplan, P. Meier (1958). Nonparametric estimation from incomplete observations.
           JASA 53, 457-481.
    .. [2] L. Ying, L. J. Wei (1994). The Kaplan-Meier estimate for dependent failure time
           observations. Journal of Multivariate Analysis 50, 17-29.

    Examples
    --------
    >>> waits = pd.DataFrame(
    ...     {"customer": [1, 2, 3, 4], "wait_days": [1, 2, 2, 3], "is_over": [1, 1, 0, 0]}
    ... )
    >>> fit_waits(waits, times=[1, 2])["share"].tolist()
    [0.25, 0.5]
    """
    limit = _ProductLimit(waits)
    wanted = np.asarray(times, float) if len(times) else limit.pick_times()
    wanted = wanted[wanted <= limit.times[-1]]
    rows = []
    for time in wanted:
        low, high = limit.interval_at(time, conf_level)
        n_at_risk = int(limit.at_risk[np.searchsorted(limit.times, time)])
        n_over = int(limit.ended[limit.times <= time].sum())
        rows.append((time, n_at_risk, n_over, 1 - limit.survival_at(time), 1 - high, 1 - low))
    columns = ["time_days", "n_at_risk", "n_over", "share", "conf_low", "conf_high"]
    return pd.DataFrame(rows, columns=columns)


def find_quantiles(
    waits: pd.DataFrame, *, levels: Sequence[float] = (0.5,), conf_level: float = 0.95
) -> pd.DataFrame:
    """Find the time by which a share of the waits has ended.

    Parameters
    ----------
    waits : pandas.DataFrame, one row per wait
        As :func:`fit_waits` takes them.
    levels : sequence of float, default (0.5,)
        Shares.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per level
        `level`, `days`, `conf_low`, `conf_high`; missing where the curve, or the end of its
        interval, does not come so far.

    Notes
    -----
    The first time at which the share reaches the level; the interval holds the times at which the
    pointwise interval of the share does.

    References
    ----------
    .. [1] R. Brookmeyer, J. Crowley (1982). A confidence interval for the median survival time.
           Biometrics 38, 29-41.
    """
    limit = _ProductLimit(waits)
    rises = np.unique(limit.days[limit.is_over])
    rows = []
    for level in levels:
        reach = [
            lambda time: 1 - limit.survival_at(time),
            lambda time: 1 - limit.interval_at(time, conf_level)[0],  # rises early
            lambda time: 1 - limit.interval_at(time, conf_level)[1],
        ]
        rows.append((level, *[_find_first(rises, share, level) for share in reach]))
    return pd.DataFrame(rows, columns=["level", "days", "conf_low", "conf_high"])


def _find_first(times: Floats, share: Callable[[float], float], level: float) -> float:
    """Find the first time at which a share that does not fall reaches a level."""
    at = bisect_left(times, level - 1e-12, key=share)
    return float(times[at]) if at < len(times) else float("nan")


def contrast_waits(waits: pd.DataFrame, is_in: pd.Series, *, time: float) -> float:
    """Test whether some waits have ended by a time in a different share than the others.

    Parameters
    ----------
    waits : pandas.DataFrame, one row per wait
        As :func:`fit_waits` takes them.
    is_in : pandas.Series of bool
        Which waits are compared with the others.
    time : float
        Days.

    Returns
    -------
    float
        p-value; NaN where one side has no variance, or is not followed so long.

    Notes
    -----
    The difference of log(-log S) over its error; the influence of a customer sums over both sides.

    References
    ----------
    .. [1] J. P. Klein, B. Logan, M. Harhoff, P. K. Andersen (2007). Analyzing survival curves at
           a fixed point in time. Statistics in Medicine 26, 4505-4519.
    """
    codes, customers = pd.factorize(waits["customer"])
    total, estimates = np.zeros(len(customers)), []
    for side, sign in ((is_in.to_numpy(), 1), (~is_in.to_numpy(), -1)):
        if not side.any():
            return float("nan")
        limit = _ProductLimit(waits.assign(customer=codes)[side])
        survival = limit.survival_at(time)
        if not 0 < survival < 1 or time > limit.times[-1]:
            return float("nan")
        estimates.append(np.log(-np.log(survival)))
        total[limit.customers] += sign * limit.influence_at(time) / np.log(survival)
    z = abs(estimates[0] - estimates[1]) / np.sqrt((total**2).sum())
    return float(2 * stats.norm.sf(z))


class _ProductLimit:
    """The Kaplan-Meier estimate and what each customer does to it."""

    def __init__(self, waits: pd.DataFrame) -> None:
        self.days = waits["wait_days"].to_numpy(float)
        self.is_over = waits["is_over"].to_numpy(bool)
        self.cluster, self.customers = pd.factorize(waits["customer"])
        self.times, self.place = np.unique(self.days, return_inverse=True)
        self.ended = np.bincount(self.place, self.is_over, len(self.times))
        self.at_risk = np.bincount(self.place, minlength=len(self.times))[::-1].cumsum()[::-1]
        stay = self.at_risk - self.ended
        self.survival = np.cumprod(stay / self.at_risk)
        none = np.zeros(len(self.times))
        self.jump = np.divide(1.0, stay, out=none.copy(), where=stay > 0)
        self.greenwood = np.cumsum(
            np.divide(self.ended, self.at_risk * stay, out=none, where=stay > 0)
        )

    def _step(self, time: float) -> int:
        return int(np.searchsorted(self.times, time, side="right")) - 1

    def survival_at(self, time: float) -> float:
        """Return the share still waiting."""
        step = self._step(time)
        return float(self.survival[step]) if step >= 0 else 1.0

    def influence_at(self, time: float) -> Floats:
        """Return what each customer adds to log S."""
        step = self._step(time)
        wait = self.greenwood[np.minimum(self.place, step)]
        wait = wait - self.jump[self.place] * (self.is_over & (self.place <= step))
        return np.asarray(np.bincount(self.cluster, wait, len(self.customers)), float)

    def interval_at(self, time: float, conf_level: float) -> tuple[float, float]:
        """Return the ends of the interval of S."""
        survival = self.survival_at(time)
        if survival >= 1:
            n = len(np.unique(self.cluster[self.days >= time]))
            return (1.0 if time <= 0 else (0.5 - conf_level / 2) ** (1 / n)), 1.0
        if survival <= 0:
            last = np.flatnonzero(self.survival > 0)
            if len(last):
                return 0.0, self.interval_at(self.times[last[-1]], conf_level)[1]
            return 0.0, 1 - (0.5 - conf_level / 2) ** (1 / len(self.customers))
        variance = self.greenwood[self._step(time)]
        if len(self.customers) < len(self.days):  # waits alike tell less, never more
            variance = max(variance, (self.influence_at(time) ** 2).sum())
        error = np.sqrt(variance)
        factor = np.exp(normal_quantile(conf_level) * error / -np.log(survival))
        return survival**factor, survival ** (1 / factor)

    def pick_times(self) -> Floats:
        """Pick the times at which a curve is drawn."""
        rises = np.unique(self.days[self.is_over])
        if len(rises) > _POINTS:
            rises = rises[np.linspace(0, len(rises) - 1, _POINTS).round().astype(int)]
        return np.unique(np.concatenate([[0.0], rises]))
