"""Survival curves from counts: who was at risk on which day, who left, who is still here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.churn.curves.counts import (
    check_counted,
    count_risk_sets,
    find_blind_day,
    label_counted,
    read_sizes,
    split_groups,
)
from cxlib.churn.curves.robust import curve_variance, is_robust, share_effective, weigh_counts
from cxlib.errors import InputError, TooLittleData
from cxlib.stats import normal_quantile


@dataclass(frozen=True)
class Selection:
    """Lifetimes with the groups that can be analysed, and the groups that cannot.

    Parameters
    ----------
    table : pandas.DataFrame
        All lifetimes, one per row; those of a group left out have no group any more.
    by : str
        Column of groups; ``""`` when fewer than two groups are left.
    left_out : pandas.DataFrame
        One row per group left out: `group`, `n` (lifetimes), `why`.
    """

    table: pd.DataFrame
    by: str
    left_out: pd.DataFrame


def select_groups(lifetimes: pd.DataFrame, *, by: str, min_cell: int = 10) -> Selection:
    """Keep the groups that can be analysed and name the others with the reason.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`, `entry_days` (optional) and `by`; or
        counts of them.
    by : str
        Column of groups; ``""`` for none.
    min_cell : int, default 10
        Lifetimes a group needs.

    Returns
    -------
    Selection
        All lifetimes, and what was left out of the groups: lifetimes without a value, groups
        below `min_cell`, groups with a hole in their observation (`find_blind_day`).

    Raises
    ------
    TooLittleData
        When there are fewer than `min_cell` lifetimes at all, or nobody churned.
    """
    table = check_counted(lifetimes)
    sizes = pd.Series(read_sizes(table), table.index)
    if sizes.sum() < min_cell:
        raise TooLittleData(f"{sizes.sum()} lifetimes are too few; at least {min_cell} are needed.")
    labels = label_counted(table, by=by)
    out = []
    if labels.isna().any():
        out.append(("(no value)", int(sizes[labels.isna()].sum()), f"'{by}' is empty"))
    for group, part in table.groupby(labels, observed=True):
        n = int(read_sizes(part).sum())
        if n < min_cell:
            out.append((str(group), n, f"fewer than {min_cell} lifetimes"))
        elif (day := find_blind_day(part)) is not None:
            out.append((str(group), n, f"nobody is under observation after day {day:g}"))
    left_out = pd.DataFrame(out, columns=["group", "n", "why"])
    if not by:
        return Selection(table, "", left_out.iloc[:0])
    kept = labels.notna() & ~labels.isin(left_out["group"])
    table[by] = table[by].where(kept, None)
    return Selection(table, by if labels[kept].nunique() > 1 else "", left_out)


def fit_survival(
    lifetimes: pd.DataFrame,
    *,
    by: str = "",
    conf_level: float = 0.95,
    weights: str = "",
    clusters: str = "",
) -> pd.DataFrame:
    """Estimate how many customers are still there after each day.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`; `entry_days` for late entry. Or counts
        of them, see `count_lifetimes`.
    by : str, default ""
        Column of groups; ``""`` for all customers only.
    conf_level : float, default 0.95
        Confidence level of the pointwise intervals.
    weights : str, default ""
        Column of sampling weights: how many of the company a lifetime speaks for.
    clusters : str, default ""
        Column whose equal values belong together, such as `customer_id` where customers return.

    Returns
    -------
    pandas.DataFrame
        One row per group and day: `group` (``all`` first, then the groups), `time_days`,
        `n_at_risk`, `n_churned`, `n_censored` (lifetimes, whatever their weights), `survival`
        (share still there after that day), `conf_low`, `conf_high`, `std_error`.

    Raises
    ------
    InputError
        When the table cannot be used, see `check_lifetimes`.
    TooLittleData
        When nobody churned, there is one group only, or observation has a hole.

    Notes
    -----
    Kaplan-Meier with left truncation: S(t) is the product of 1 - d/n over the days up to t with d
    of n at risk leaving; n counts ``entry_days < t <= duration_days`` (day 0 included for an
    entry of 0). At equal times churn comes before censoring. Variance by Greenwood, intervals on
    the log(-log S) scale. That scale has no interval at 1 and 0: before the first churn the lower
    end is the exact (Clopper-Pearson) one for none of the n now at risk, and where the curve
    reaches 0 the upper end of the step before is kept, or is the exact one where it was the only
    step. Lifetimes are taken as independent,
    censoring and entry as independent of the time of churn given the group.

    Greenwood's variance counts a lifetime as one. With `weights` or `clusters` the variance is
    the infinitesimal jackknife: squared influences of lifetimes, added up within a cluster first,
    as R's ``survfit(..., robust = TRUE, cluster = )``; the exact lower end counts the effective
    number of lifetimes. It is too small where there are few clusters, under about thirty.

    References
    ----------
    .. [1] E. L. Kaplan, P. Meier (1958). Nonparametric estimation from incomplete observations.
           JASA 53, 457-481.
    .. [2] J. P. Klein, M. L. Moeschberger (2003). Survival Analysis, 2nd ed., sections 4.2, 4.3
           and 4.6.
    .. [3] C. J. Clopper, E. S. Pearson (1934). The use of confidence or fiducial limits.
           Biometrika 26, 404-413.
    .. [4] T. M. Therneau, P. M. Grambsch (2000). Modeling Survival Data: Extending the Cox Model,
           section 8.2.

    Examples
    --------
    >>> lifetimes = pd.DataFrame(
    ...     {"customer_id": list("abcd"), "duration_days": [2, 2, 3, 5], "churned": [1, 0, 1, 0]}
    ... )
    >>> fit_survival(lifetimes)["survival"].tolist()
    [1.0, 0.75, 0.375, 0.375]
    """
    parts = split_groups(lifetimes, by=by, weights=weights, clusters=clusters)
    curves = [_fit_curve(part, conf_level) for part in parts.values()]
    return (
        pd.concat(curves, keys=parts.keys(), names=["group", None])
        .reset_index("group")[
            [
                "group",
                "time_days",
                "n_at_risk",
                "n_churned",
                "n_censored",
                "survival",
                "conf_low",
                "conf_high",
                "std_error",
            ]
        ]
        .reset_index(drop=True)
    )


def add_greenwood(counts: pd.DataFrame) -> pd.DataFrame:
    """Add the product-limit estimate and its cumulative Greenwood sum to counts.

    Parameters
    ----------
    counts : pandas.DataFrame
        As `count_risk_sets` returns them.

    Returns
    -------
    pandas.DataFrame
        With `survival` and `greenwood`, the sum of d / (n (n - d)) so far; days on which all at
        risk leave add nothing to it, since nothing is left to vary after them.
    """
    n = counts["n_at_risk"].to_numpy(float)
    d = counts["n_churned"].to_numpy(float)
    stayed = np.where(n - d > 1e-9 * n, n - d, 0.0)  # sums of weights leave crumbs
    share = np.divide(stayed, n, out=np.ones_like(n), where=d > 0)
    step = np.divide(d, n * stayed, out=np.zeros_like(n), where=(d > 0) & (stayed > 0))
    return counts.assign(survival=np.cumprod(share), greenwood=np.cumsum(step))


def estimate_curve(counts: pd.DataFrame) -> pd.DataFrame:
    """Estimate a curve and the variance of its log, of whatever kind the counts ask for.

    Parameters
    ----------
    counts : pandas.DataFrame
        Counts of one group, as `split_groups` returns them.

    Returns
    -------
    pandas.DataFrame
        As `add_greenwood` returns it, with the robust variance in place of Greenwood's where
        there are weights or clusters; numbers stay those of lifetimes.
    """
    sets = count_risk_sets(counts)
    if not is_robust(counts):
        return add_greenwood(sets)
    curve = add_greenwood(weigh_counts(counts))
    return sets.assign(survival=curve["survival"], greenwood=curve_variance(curve, counts))


def _fit_curve(counts: pd.DataFrame, conf_level: float) -> pd.DataFrame:
    curve = estimate_curve(counts)
    survival = curve["survival"].to_numpy()
    spread = np.sqrt(curve["greenwood"].to_numpy())
    inside = (survival > 0) & (survival < 1)
    log = np.log(survival, out=np.full_like(survival, -1.0), where=inside)
    factor = np.exp(normal_quantile(conf_level) * spread / -log)
    low = np.where(inside, survival**factor, survival)
    high = np.where(inside, survival ** (1 / factor), survival)
    untouched = (survival >= 1) & (curve["time_days"].to_numpy() > 0)
    fewest = np.minimum.accumulate(curve["n_at_risk"].to_numpy(float)) * share_effective(counts)
    low[untouched] = (0.5 - conf_level / 2) ** (1 / fewest[untouched])
    gone = survival <= 0
    if gone.any() and inside.any():
        high[gone] = high[~gone][-1]
    elif gone.any():
        n_gone = curve.loc[gone, "n_at_risk"].iloc[0] * share_effective(counts)
        high[gone] = 1 - (0.5 - conf_level / 2) ** (1 / n_gone)
    return curve.assign(conf_low=low, conf_high=high, std_error=survival * spread)


def read_survival(survival: pd.DataFrame, *, times: Sequence[float]) -> pd.DataFrame:
    """Read curves at given days.

    Parameters
    ----------
    survival : pandas.DataFrame
        As `fit_survival` returns it.
    times : sequence of float
        Days since the start, none negative.

    Returns
    -------
    pandas.DataFrame
        One row per group and day: `group`, `time_days`, `n_at_risk`, `survival`, `conf_low`,
        `conf_high`. Days beyond the follow-up of a group are left out: no curve is extended.

    Raises
    ------
    InputError
        When a day is negative.
    """
    wanted = np.asarray(sorted(times), dtype=float)
    if (wanted < 0).any():
        raise InputError(f"Day {wanted[0]:g} lies before the start.", "times", "count from 0")
    parts = []
    for group, curve in survival.groupby("group", sort=False):
        known = curve["time_days"].to_numpy()
        at = wanted[wanted <= known[-1] + 1e-9]
        row = np.searchsorted(known, at + 1e-9, side="right") - 1
        # who is at risk on the next day something ended was still there on the day asked for
        later = np.searchsorted(known, at - 1e-9, side="left")
        part = curve.iloc[row][["survival", "conf_low", "conf_high"]].reset_index(drop=True)
        part.insert(0, "n_at_risk", curve["n_at_risk"].to_numpy()[later])
        part.insert(0, "time_days", at)
        part.insert(0, "group", group)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def summarise_medians(survival: pd.DataFrame) -> pd.DataFrame:
    """Find the day by which half of the customers have left.

    Parameters
    ----------
    survival : pandas.DataFrame
        As `fit_survival` returns it.

    Returns
    -------
    pandas.DataFrame
        One row per group: `group`, `n_churned`, `median_days`, `conf_low`, `conf_high`; missing
        where the curve, or the end of its interval, stays above a half.

    Notes
    -----
    The median is the first day with S(t) <= 0.5; its interval is read where the pointwise
    interval of S crosses a half.

    References
    ----------
    .. [1] R. Brookmeyer, J. Crowley (1982). A confidence interval for the median survival time.
           Biometrics 38, 29-41.
    """
    rows = []
    for group, curve in survival.groupby("group", sort=False):
        days = [_first_below(curve, name) for name in ("survival", "conf_low", "conf_high")]
        rows.append((group, int(curve["n_churned"].sum()), *days))
    return pd.DataFrame(
        rows, columns=["group", "n_churned", "median_days", "conf_low", "conf_high"]
    )


def _first_below(curve: pd.DataFrame, name: str) -> float:
    reached = curve.loc[curve[name] <= 0.5 + 1e-12, "time_days"]
    return float(reached.iloc[0]) if len(reached) else float("nan")
