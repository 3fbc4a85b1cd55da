"""Do groups differ in how long they stay? The log-rank test."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.churn.curves.curves import count_at_risk, split_groups
from cxlib.stats import Floats, adjust_p_values


def compare_groups(lifetimes: pd.DataFrame, *, by: str) -> pd.DataFrame:
    """Test whether groups leave at the same rate, all at once and two by two.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`, `by`; `entry_days` for late entry.
    by : str
        Column of groups; lifetimes without a group do not count.

    Returns
    -------
    pandas.DataFrame
        First row the overall test, ``all`` against ``all``; then one row per pair: `group_a`,
        `group_b`, `test` (``log-rank``), `statistic` (chi-squared), `p_value`, `q_value`
        (Benjamini-Hochberg over the pairs; the overall test stands alone), `degrees_of_freedom`,
        `n`, `n_churned`. Missing where nobody of a group was at risk when somebody left.

    Raises
    ------
    InputError
        When the table cannot be used, see `check_lifetimes`.
    TooLittleData
        When nobody churned, there is one group only, or observation has a hole.

    Notes
    -----
    On each day with churn, the churn expected of a group is its share of those at risk times the
    number who left; at risk means ``entry_days < t <= duration_days``. The statistic is
    (O - E)' V^-1 (O - E) with the hypergeometric variance, on as many degrees of freedom as
    groups that were ever at risk, less one. All days weigh the same, so the test is strongest
    where the ratio of rates is constant and can miss curves that cross.

    References
    ----------
    .. [1] N. Mantel (1966). Evaluation of survival data and two new rank order statistics.
           Cancer Chemotherapy Reports 50, 163-170.
    .. [2] J. P. Klein, M. L. Moeschberger (2003). Survival Analysis, 2nd ed., section 7.3.

    Examples
    --------
    >>> lifetimes = pd.DataFrame(
    ...     {
    ...         "customer_id": list("abcd"),
    ...         "duration_days": [1, 2, 3, 4],
    ...         "churned": [1, 1, 1, 1],
    ...         "plan": ["x", "x", "y", "y"],
    ...     }
    ... )
    >>> compare_groups(lifetimes, by="plan")["statistic"].round(6).tolist()
    [2.882353, 2.882353]
    """
    parts = split_groups(lifetimes, by=by)
    del parts["all"]
    pairs = list(combinations(parts, 2))
    tests = [_log_rank(list(parts.values())), *(_log_rank([parts[a], parts[b]]) for a, b in pairs)]
    result = pd.DataFrame(pairs, columns=["group_a", "group_b"])
    result = pd.concat([pd.DataFrame([("all", "all")], columns=result.columns), result])
    result = result.reset_index(drop=True).assign(test="log-rank")
    result[["statistic", "p_value", "degrees_of_freedom", "n", "n_churned"]] = tests
    q_values = np.append(result["p_value"].iloc[:1], adjust_p_values(result["p_value"].iloc[1:]))
    result.insert(5, "q_value", q_values)
    return result.astype({"degrees_of_freedom": int, "n": int, "n_churned": int})


def _log_rank(parts: list[pd.DataFrame]) -> tuple[float, float, int, int, int]:
    """Statistic, p-value, degrees of freedom, lifetimes and churned of one test."""
    ends = [part.loc[part["churned"], "duration_days"].to_numpy(float) for part in parts]
    times = np.unique(np.concatenate(ends))
    churned = np.array([np.bincount(np.searchsorted(times, e), minlength=len(times)) for e in ends])
    at_risk = np.array([count_at_risk(part, times) for part in parts])
    statistic, freedom = _chi_squared(churned, at_risk)
    p_value = float(stats.chi2.sf(statistic, freedom)) if freedom else np.nan
    n = sum(map(len, parts))
    return statistic, p_value, freedom, n, int(churned.sum())


def _chi_squared(churned: Floats, at_risk: Floats) -> tuple[float, int]:
    n, d = at_risk.sum(axis=0), churned.sum(axis=0)
    share = at_risk / n
    expected = share * d
    ever = expected.sum(axis=1) > 0
    freedom = int(ever.sum()) - 1
    if freedom < 1:
        return float("nan"), 0
    weight = np.divide(d * (n - d), n - 1, out=np.zeros(len(n)), where=n > 1)
    variance = np.diag(share @ weight) - (share * weight) @ share.T
    keep = np.flatnonzero(ever)[:-1]  # the last group follows from the others
    gap = (churned - expected).sum(axis=1)[keep]
    variance = variance[np.ix_(keep, keep)]
    if np.linalg.matrix_rank(variance) < freedom:
        return float("nan"), 0
    return float(gap @ np.linalg.solve(variance, gap)), freedom
