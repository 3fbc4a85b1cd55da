"""Do groups differ in how long they stay? The log-rank test."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.churn.curves.counts import count_at_risk, split_groups
from cxlib.errors import InputError
from cxlib.stats import Floats, adjust_p_values


def compare_groups(
    lifetimes: pd.DataFrame, *, by: str, strata: str = "", correction: str = "benjamini-hochberg"
) -> pd.DataFrame:
    """Test whether groups leave at the same rate, all at once and two by two.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`, `by`; `entry_days` for late entry. Or
        counts of them, see `count_lifetimes`.
    by : str
        Column of groups; lifetimes without a group do not count.
    strata : str, default ""
        Column known at the start; groups are compared within its values only, so that a mix of
        them that differs between groups explains nothing. Lifetimes without a value do not count.
    correction : {"benjamini-hochberg", "holm"}
        What `q_value` holds: the share of false finds among the pairs found (Benjamini-Hochberg),
        or the chance of a single false find (Holm).

    Returns
    -------
    pandas.DataFrame
        First row the overall test, ``all`` against ``all``; then one row per pair: `group_a`,
        `group_b`, `test` (``log-rank`` or ``stratified log-rank``), `statistic` (chi-squared),
        `p_value`, `q_value` (corrected over the pairs; the overall test stands alone),
        `degrees_of_freedom`, `n`, `n_churned`. Missing where nobody of a group was at risk when
        somebody left.

    Raises
    ------
    InputError
        When the table cannot be used, see `check_lifetimes`, or the correction is unknown.
    TooLittleData
        When nobody churned, there is one group only, or observation has a hole.

    Notes
    -----
    On each day with churn, the churn expected of a group is its share of those at risk times the
    number who left; at risk means ``entry_days < t <= duration_days``. The statistic is
    (O - E)' V^-1 (O - E) with the hypergeometric variance, on as many degrees of freedom as
    groups that were ever at risk, less one. All days weigh the same, so the test is strongest
    where the ratio of rates is constant and can miss curves that cross. With strata, O, E and V
    are added up over them. Lifetimes are taken as independent: where customers return, the test
    finds too much, and `fit_hazard` with its variance by customer takes its place. Below five
    expected in a group the chi-squared distribution is a rough guide.

    References
    ----------
    .. [1] N. Mantel (1966). Evaluation of survival data and two new rank order statistics.
           Cancer Chemotherapy Reports 50, 163-170.
    .. [2] J. P. Klein, M. L. Moeschberger (2003). Survival Analysis, 2nd ed., sections 7.3, 7.5.
    .. [3] S. Holm (1979). A simple sequentially rejective multiple test procedure. Scandinavian
           Journal of Statistics 6, 65-70.

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
    if correction not in ("benjamini-hochberg", "holm"):
        raise InputError(
            f"There is no correction '{correction}'.",
            "parameter 'correction'",
            "choose 'benjamini-hochberg' or 'holm'",
        )
    parts = split_groups(lifetimes, by=by, strata=strata)
    del parts["all"]
    names = list(parts)
    if strata:
        levels = pd.concat(parts.values())["stratum"].dropna().unique()
        split = [[part[part["stratum"] == level] for part in parts.values()] for level in levels]
    else:
        split = [list(parts.values())]
    counted = [_Stratum.count(groups) for groups in split]
    pairs = list(combinations(range(len(names)), 2))
    wanted = [tuple(range(len(names))), *pairs]
    tests = [_test(counted, list(groups)) for groups in wanted]
    rows = [("all", "all"), *((names[a], names[b]) for a, b in pairs)]
    result = pd.DataFrame(rows, columns=["group_a", "group_b"])
    result["test"] = "stratified log-rank" if strata else "log-rank"
    result[["statistic", "p_value", "degrees_of_freedom", "n", "n_churned"]] = tests
    adjust = adjust_p_values if correction == "benjamini-hochberg" else _adjust_holm
    of_pairs = adjust(result["p_value"].to_numpy(float)[1:])
    result.insert(5, "q_value", np.append(result["p_value"].iloc[:1], of_pairs))
    return result.astype({"degrees_of_freedom": int, "n": int, "n_churned": int})


@dataclass(frozen=True)
class _Stratum:
    """Who left and who was at risk on each day with churn, one row a group."""

    churned: Floats  # (groups, days)
    at_risk: Floats
    n: Floats  # lifetimes, (groups,)

    @classmethod
    def count(cls, groups: list[pd.DataFrame]) -> _Stratum:
        """Count the groups on the days on which anyone of them left."""
        left = [group.loc[group["churned"], ["duration_days", "n"]] for group in groups]
        times = np.unique(np.concatenate([part["duration_days"] for part in left]))
        churned = [
            np.bincount(np.searchsorted(times, part["duration_days"]), part["n"], len(times))
            for part in left
        ]
        at_risk = [count_at_risk(group, times) for group in groups]
        n = [group["n"].sum() for group in groups]
        return cls(np.array(churned), np.array(at_risk), np.array(n))


def _test(strata: list[_Stratum], groups: list[int]) -> tuple[float, float, int, int, int]:
    """Statistic, p-value, degrees of freedom, lifetimes and churned of one test."""
    gap, variance = np.zeros(len(groups)), np.zeros((len(groups), len(groups)))
    total = np.zeros(len(groups))
    for stratum in strata:
        churned, at_risk = stratum.churned[groups], stratum.at_risk[groups]
        n, d = at_risk.sum(axis=0), churned.sum(axis=0)
        share = np.divide(at_risk, n, out=np.zeros_like(at_risk), where=n > 0)
        weight = np.divide(d * (n - d), n - 1, out=np.zeros(len(n)), where=n > 1)
        expected = (share * d).sum(axis=1)
        total += expected
        gap += churned.sum(axis=1) - expected
        variance += np.diag(share @ weight) - (share * weight) @ share.T
    sizes = (
        int(sum(stratum.n[groups].sum() for stratum in strata)),
        int(sum(stratum.churned[groups].sum() for stratum in strata)),
    )
    keep = np.flatnonzero(total > 0)[:-1]  # the last group follows from the others
    gap, variance = gap[keep], variance[np.ix_(keep, keep)]
    if not len(keep) or np.linalg.matrix_rank(variance) < len(keep):
        return np.nan, np.nan, 0, *sizes
    statistic = float(gap @ np.linalg.solve(variance, gap))
    return statistic, float(stats.chi2.sf(statistic, len(keep))), len(keep), *sizes


def _adjust_holm(p_values: Floats) -> Floats:
    """Adjust by Holm; missing p-values stay missing and do not count."""
    order = np.argsort(p_values)  # missing ones last
    m = int((~np.isnan(p_values)).sum())
    steps = p_values[order[:m]] * (m - np.arange(m))
    adjusted = np.full(len(p_values), np.nan)
    adjusted[order[:m]] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
