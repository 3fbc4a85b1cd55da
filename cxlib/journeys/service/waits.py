"""How long until it happens: the next contact of a kind, and curves that know who still waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from cxlib.journeys.incidence import (
    Waits,
    cut_waits,
    estimate_incidence,
    find_influence,
    find_size,
)
from cxlib.journeys.incidence import find_quantiles as read_quantiles
from cxlib.journeys.log import DAY, JourneyLog, Places, add_places
from cxlib.stats import share_difference_p_values

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
    One minus the Kaplan-Meier estimate, :func:`cxlib.journeys.incidence.estimate_incidence` with a
    single cause: customers are the clusters, and with one wait a customer the variance is
    Greenwood's exactly. Intervals on the log(-log S) scale; where no wait has ended the end is the
    exact (Clopper-Pearson) one of the customers at risk, and where all have, the end before is
    kept.

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
    days, is_over = waits["wait_days"].to_numpy(float), waits["is_over"].to_numpy(bool)
    wanted = np.asarray(times, float) if len(times) else _pick_times(days[is_over])
    wanted = wanted[wanted <= days.max()]
    table = _follow(waits, wanted, conf_level).set_index("time").loc[wanted]
    may_differ = (wanted > 0) | (table["share"] > 0)  # nothing happens before there is time
    return pd.DataFrame(
        {
            "time_days": wanted,
            "n_at_risk": len(days) - np.searchsorted(np.sort(days), wanted),
            "n_over": np.searchsorted(np.sort(days[is_over]), wanted, side="right"),
            "share": 1 - table["waiting_share"].to_numpy(),
            "conf_low": table["conf_low"].to_numpy(),
            "conf_high": np.where(may_differ, table["conf_high"], 0.0),
        }
    )


def _pick_times(rises: np.ndarray) -> np.ndarray:
    """Pick the times at which a curve is drawn."""
    rises = np.unique(rises)
    if len(rises) > _POINTS:
        rises = rises[np.linspace(0, len(rises) - 1, _POINTS).round().astype(int)]
    return np.union1d([0.0], rises)


def _take(waits: pd.DataFrame) -> Waits:
    columns = (waits["wait_days"].to_numpy(float), waits["is_over"].to_numpy(np.int64))
    return Waits(*columns, pd.factorize(waits["customer"])[0])


def _follow(waits: pd.DataFrame, times: ArrayLike, conf_level: float) -> pd.DataFrame:
    """Estimate where the curve rises, and at more times."""
    rises = waits.loc[waits["is_over"].astype(bool), "wait_days"].unique()
    curve = estimate_incidence(_take(waits), times=np.union1d(rises, times), conf_level=conf_level)
    has_end = (curve["waiting_share"] > 0) | (curve["time"] <= waits["wait_days"].min())
    return curve.assign(conf_low=curve["conf_low"].where(has_end).ffill().fillna(0.0))


def find_quantiles(
    waits: pd.DataFrame, *, levels: Sequence[float] = (0.5,), conf_level: float = 0.95
) -> pd.DataFrame:
    """Find the days by which a share of the waits has ended.

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
        `level`, `days`, `conf_low`, `conf_high`, as
        :func:`cxlib.journeys.incidence.find_quantiles` reads them.
    """
    table = read_quantiles(_follow(waits, (), conf_level), levels)
    return table.rename(columns={"time": "days"})


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
        p-value; NaN where a side is not followed so long, or both shares are 0 or both 1.

    Notes
    -----
    The difference of log(-log S) over its error; the influence of a customer sums over both sides.
    Where a share is 0 or 1 that scale has no value; the shares are then compared by the z test at
    the share of both together, with their effective numbers of waits.

    References
    ----------
    .. [1] J. P. Klein, B. Logan, M. Harhoff, P. K. Andersen (2007). Analyzing survival curves at
           a fixed point in time. Statistics in Medicine 26, 4505-4519.
    """
    spans, side = _take(waits), is_in.to_numpy(bool)
    total, shares, pooled = np.zeros(len(waits)), [], 0.0
    for is_here, sign in ((side, 1), (~side, -1)):
        here = Waits(spans.time[is_here], spans.cause[is_here], spans.customer[is_here])
        if not len(here) or time > here.time.max():
            return float("nan")
        here = cut_waits(here, time)
        share, influence = find_influence(here)
        shares += [[share], [find_size(here, share, influence)]]
        pooled += share * len(here) / len(waits)
        if 0 < share < 1:
            total[is_here] = sign * influence / ((1 - share) * np.log1p(-share))
    (p,), (q,) = shares[0], shares[2]
    if p == q and p in (0, 1):
        return float("nan")
    error = np.sqrt((np.bincount(spans.customer, total) ** 2).sum())
    # by rounding: influences of a side sum to 0, so one customer has none
    if min(p, q) <= 0 or max(p, q) >= 1 or error < 1e-12:
        return float(share_difference_p_values(*shares, pooled=[pooled])[0])
    apart = np.log(-np.log1p(-p)) - np.log(-np.log1p(-q))
    return float(2 * stats.norm.sf(abs(apart) / error))
