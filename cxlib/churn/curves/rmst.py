"""Restricted mean survival time: days with us within a horizon, and their differences."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.churn.curves.counts import count_at_risk, split_groups
from cxlib.churn.curves.curves import estimate_curve
from cxlib.churn.curves.robust import area_variance, is_robust, share_effective
from cxlib.errors import InputError, TooLittleData
from cxlib.stats import adjust_p_values, normal_quantile

# Under about ten who left, the days lost are too skewed for a symmetric interval.
FEW_CHURNED = 10


def fit_rmst(
    lifetimes: pd.DataFrame,
    *,
    horizon_days: float,
    by: str = "",
    conf_level: float = 0.95,
    weights: str = "",
    clusters: str = "",
) -> pd.DataFrame:
    """Estimate how many of the next days a new customer stays, on average.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`; `entry_days` for late entry. Or counts
        of them, see `count_lifetimes`.
    horizon_days : float
        Days counted at most. Beyond the shortest follow-up of a group it is cut to that for all
        groups, since means to different horizons cannot be compared. A group that has left to the
        last is followed to any day: nobody of it is left.
    by : str, default ""
        Column of groups; ``""`` for all customers only.
    conf_level : float, default 0.95
        Confidence level.
    weights, clusters : str, default ""
        Columns as in `fit_survival`.

    Returns
    -------
    pandas.DataFrame
        One row per group (``all`` first): `group`, `horizon_days` (the one used), `rmst_days`
        (0 to the horizon), `std_error`, `conf_low`, `conf_high`, `n` (lifetimes), `n_churned`
        (before the horizon). No `std_error` where nobody, or everybody at once, left before it;
        in the second case no interval either.

    Raises
    ------
    InputError
        When the horizon is not positive or the table cannot be used.
    TooLittleData
        When nobody churned, there is one group only, or nobody was followed for a day.

    Notes
    -----
    The area under the Kaplan-Meier curve from 0 to the horizon. Its variance is the sum over the
    days of churn of A^2 d / (n (n - d)), with A the area from that day to the horizon: the
    variance of the estimate, not of the lifetimes. With `weights` or `clusters` it is the
    infinitesimal jackknife, see `fit_survival`. Follow-up is the longest duration of a group.

    The interval is symmetric from ten who left on. Under that it is symmetric for the log of the
    days lost (horizon less mean), whose spread is skewed. Where nobody left, it begins at the
    horizon times the exact (Clopper-Pearson) lower end of the share still there at the horizon.

    References
    ----------
    .. [1] J. P. Klein, M. L. Moeschberger (2003). Survival Analysis, 2nd ed., section 4.5.
    .. [2] P. Royston, M. K. B. Parmar (2013). Restricted mean survival time. BMC Medical Research
           Methodology 13, 152.
    .. [3] C. J. Clopper, E. S. Pearson (1934). The use of confidence or fiducial limits.
           Biometrika 26, 404-413.

    Examples
    --------
    >>> lifetimes = pd.DataFrame(
    ...     {"customer_id": list("abcd"), "duration_days": [2, 2, 3, 5], "churned": [1, 0, 1, 0]}
    ... )
    >>> float(fit_rmst(lifetimes, horizon_days=4)["rmst_days"].iloc[0])
    3.125
    """
    if not 0 < horizon_days < np.inf:
        raise InputError(
            f"horizon_days = {horizon_days!r} is not positive and finite.",
            "parameter 'horizon_days'",
            "give a number of days, for example 365",
        )
    parts = split_groups(lifetimes, by=by, weights=weights, clusters=clusters)
    curves = {group: estimate_curve(part) for group, part in parts.items()}
    horizon = min(float(horizon_days), *map(_follow_up, curves.values()))
    if horizon <= 0:
        raise TooLittleData("A group was not followed for a single day: there is no mean to give.")
    rows = []
    for group, part in parts.items():
        before = curves[group][curves[group]["time_days"] < horizon]
        n_churned = int(before["n_churned"].sum())
        mean, std_error = _area(curves[group], part, horizon)
        if n_churned:
            ends = _interval(mean, std_error, horizon, n_churned, conf_level)
        else:
            fewest = min(before["n_at_risk"].min(), count_at_risk(part, np.array([horizon]))[0])
            fewest *= share_effective(part)
            ends = (horizon * (0.5 - conf_level / 2) ** (1 / fewest), horizon)
        spread = std_error if std_error > 0 else np.nan
        rows.append((group, horizon, mean, spread, *ends, int(part["n"].sum()), n_churned))
    columns = ["group", "horizon_days", "rmst_days", "std_error", "conf_low", "conf_high"]
    return pd.DataFrame(rows, columns=[*columns, "n", "n_churned"])


def _follow_up(curve: pd.DataFrame) -> float:
    """Find the last day the curve is known on; a curve that has reached 0 stays there."""
    last = curve.iloc[-1]
    return float(last["time_days"]) if last["survival"] > 0 else np.inf


def _interval(
    mean: float, std_error: float, horizon: float, n_churned: int, conf_level: float
) -> tuple[float, float]:
    z = normal_quantile(conf_level)
    if std_error <= 0:
        return np.nan, np.nan
    if n_churned >= FEW_CHURNED:
        return max(mean - z * std_error, 0.0), min(mean + z * std_error, horizon)
    lost = horizon - mean
    factor = np.exp(z * std_error / lost)
    return max(horizon - lost * factor, 0.0), horizon - lost / factor


def _area(curve: pd.DataFrame, counts: pd.DataFrame, horizon: float) -> tuple[float, float]:
    """Area under the curve to the horizon and its standard error."""
    times, steps = curve["time_days"].to_numpy(), np.diff(curve["greenwood"], prepend=0.0)
    widths = np.diff(np.minimum(np.append(times, np.inf), horizon))
    pieces = curve["survival"].to_numpy() * widths
    to_come = np.cumsum(pieces[::-1])[::-1]
    if is_robust(counts):
        variance = area_variance(counts, to_come)
    else:
        variance = float((to_come**2 * steps).sum())
    return float(pieces.sum()), float(np.sqrt(variance))


def compare_rmst(rmst: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Compare the restricted means of every two groups.

    Parameters
    ----------
    rmst : pandas.DataFrame
        As `fit_rmst` returns it, with groups.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per pair: `group_a`, `group_b`, `horizon_days`, `difference_days` (a minus b),
        `std_error`, `conf_low`, `conf_high`, `p_value`, `q_value` (Benjamini-Hochberg).

    Notes
    -----
    Groups are independent, so the variances add (not so where customers have lifetimes in two of
    them); normal approximation, rough where fewer than ten of a group left. No interval and no
    test where one of the groups has no standard error.
    """
    groups = rmst[rmst["group"] != "all"]
    z = normal_quantile(conf_level)
    rows = []
    for (_, a), (_, b) in combinations(groups.iterrows(), 2):
        difference = a["rmst_days"] - b["rmst_days"]
        std_error = float(np.hypot(a["std_error"], b["std_error"]))
        p_value = float(2 * stats.norm.sf(abs(difference) / std_error)) if std_error > 0 else np.nan
        ends = (difference - z * std_error, difference + z * std_error)
        names = (a["group"], b["group"], a["horizon_days"])
        rows.append((*names, difference, std_error, *ends, p_value))
    columns = ["group_a", "group_b", "horizon_days", "difference_days", "std_error"]
    table = pd.DataFrame(rows, columns=[*columns, "conf_low", "conf_high", "p_value"])
    return table.assign(q_value=adjust_p_values(table["p_value"].to_numpy(float)))
