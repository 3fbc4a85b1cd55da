"""Restricted mean survival time: days with us within a horizon, and their differences."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.churn.curves import add_greenwood, count_risk_sets, split_groups
from cxlib.errors import InputError, TooLittleData
from cxlib.stats import adjust_p_values, normal_quantile


def fit_rmst(
    lifetimes: pd.DataFrame, *, horizon_days: float, by: str = "", conf_level: float = 0.95
) -> pd.DataFrame:
    """Estimate how many of the next days a new customer stays, on average.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`; `entry_days` for late entry.
    horizon_days : float
        Days counted at most. Beyond the shortest follow-up of a group it is cut to that for all
        groups, since means to different horizons cannot be compared.
    by : str, default ""
        Column of groups; ``""`` for all customers only.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per group (``all`` first): `group`, `horizon_days` (the one used), `rmst_days`
        (0 to the horizon), `std_error`, `conf_low`, `conf_high`, `n` (lifetimes).

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
    variance of the estimate, not of the lifetimes. Follow-up is the longest duration of a group.

    References
    ----------
    .. [1] J. P. Klein, M. L. Moeschberger (2003). Survival Analysis, 2nd ed., section 4.5.
    .. [2] P. Royston, M. K. B. Parmar (2013). Restricted mean survival time. BMC Medical Research
           Methodology 13, 152.

    Examples
    --------
    >>> lifetimes = pd.DataFrame(
    ...     {"customer_id": list("abcd"), "duration_days": [2, 2, 3, 5], "churned": [1, 0, 1, 0]}
    ... )
    >>> float(fit_rmst(lifetimes, horizon_days=4)["rmst_days"].iloc[0])
    3.125
    """
    if not horizon_days > 0:
        raise InputError(
            f"horizon_days = {horizon_days!r} is not positive.",
            "parameter 'horizon_days'",
            "give a number of days, for example 365",
        )
    parts = split_groups(lifetimes, by=by)
    horizon = min(horizon_days, *(part["duration_days"].max() for part in parts.values()))
    if horizon <= 0:
        raise TooLittleData("A group was not followed for a single day: there is no mean to give.")
    z = normal_quantile(conf_level)
    rows = []
    for group, part in parts.items():
        mean, std_error = _area(count_risk_sets(part), horizon)
        low, high = max(mean - z * std_error, 0.0), min(mean + z * std_error, horizon)
        rows.append((group, float(horizon), mean, std_error, low, high, len(part)))
    columns = ["group", "horizon_days", "rmst_days", "std_error", "conf_low", "conf_high", "n"]
    return pd.DataFrame(rows, columns=columns)


def _area(counts: pd.DataFrame, horizon: float) -> tuple[float, float]:
    """Area under the curve to the horizon and its standard error."""
    curve = add_greenwood(counts)
    curve = curve[curve["time_days"] <= horizon]
    widths = np.diff(np.append(curve["time_days"].to_numpy(), horizon))
    pieces = curve["survival"].to_numpy() * widths
    to_come = np.cumsum(pieces[::-1])[::-1]
    steps = np.diff(curve["greenwood"].to_numpy(), prepend=0.0)
    return float(pieces.sum()), float(np.sqrt((to_come**2 * steps).sum()))


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
    Groups are independent, so the variances add; normal approximation.
    """
    groups = rmst[rmst["group"] != "all"]
    z = normal_quantile(conf_level)
    rows = []
    for (_, a), (_, b) in combinations(groups.iterrows(), 2):
        difference = a["rmst_days"] - b["rmst_days"]
        std_error = float(np.hypot(a["std_error"], b["std_error"]))
        p_value = float(2 * stats.norm.sf(abs(difference) / std_error)) if std_error else np.nan
        ends = (difference - z * std_error, difference + z * std_error)
        names = (a["group"], b["group"], a["horizon_days"])
        rows.append((*names, difference, std_error, *ends, p_value))
    columns = ["group_a", "group_b", "horizon_days", "difference_days", "std_error"]
    table = pd.DataFrame(rows, columns=[*columns, "conf_low", "conf_high", "p_value"])
    return table.assign(q_value=adjust_p_values(table["p_value"].to_numpy(float)))
