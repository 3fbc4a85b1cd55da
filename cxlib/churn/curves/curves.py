"""Survival curves from counts: who was at risk on which day, who left, who is still here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.churn.lifetimes import check_lifetimes, label_groups
from cxlib.errors import InputError, TooLittleData
from cxlib.stats import Floats, normal_quantile


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


def count_at_risk(lifetimes: pd.DataFrame, times: Floats) -> Floats:
    """Count the lifetimes under observation on each day.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        As `check_lifetimes` returns them.
    times : ndarray of float, shape (k,)
        Days since the start.

    Returns
    -------
    ndarray of float, shape (k,)
        Lifetimes with ``entry_days < t <= duration_days``, day 0 included for an entry of 0.
    """
    durations = np.sort(lifetimes["duration_days"].to_numpy(float))
    entries = lifetimes["entry_days"].to_numpy(float)
    late = np.sort(entries[entries > 0])
    left = np.searchsorted(durations, times, side="left")
    waiting = len(late) - np.searchsorted(late, times, side="left")
    return (len(durations) - left - waiting).astype(float)


def count_risk_sets(lifetimes: pd.DataFrame) -> pd.DataFrame:
    """Count, for every day on which something ended, who was at risk, left, or was last seen.

    Curves, restricted means and tests need no more than these counts.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        As `check_lifetimes` returns them.

    Returns
    -------
    pandas.DataFrame
        One row per distinct `duration_days` and day 0: `time_days`, `n_at_risk`, `n_churned`,
        `n_censored`. Who churns on a day comes before who is censored on it.
    """
    durations = lifetimes["duration_days"].to_numpy(float)
    times, which = np.unique(np.concatenate([[0.0], durations]), return_inverse=True)
    churned = np.bincount(which[1:], lifetimes["churned"].to_numpy(float), len(times))
    ended = np.bincount(which[1:], minlength=len(times))
    return pd.DataFrame(
        {
            "time_days": times,
            "n_at_risk": count_at_risk(lifetimes, times).astype(int),
            "n_churned": churned.astype(int),
            "n_censored": ended - churned.astype(int),
        }
    )


def find_blind_day(lifetimes: pd.DataFrame) -> float | None:
    """Find the first day after which nobody is under observation although others follow.

    With late entry a risk set can run empty and fill again. The product-limit estimate would stay
    at 0, or pass over the hole as if nobody could leave in it; both are wrong.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        As `check_lifetimes` returns them.

    Returns
    -------
    float or None
        Day since the start, None when observation has no hole.
    """
    counts = count_risk_sets(lifetimes)
    times = counts["time_days"].to_numpy()
    entries = np.sort(lifetimes["entry_days"].to_numpy(float))
    entered = np.searchsorted(entries, times, side="right")
    ended = (counts["n_churned"] + counts["n_censored"]).cumsum().to_numpy()
    nobody_stayed = (counts["n_churned"] > 0) & (counts["n_churned"] == counts["n_at_risk"])
    blind = ((entered - ended == 0) | nobody_stayed.to_numpy()) & (times < times[-1])
    return float(times[blind][0]) if blind.any() else None


def select_groups(lifetimes: pd.DataFrame, *, by: str, min_cell: int = 10) -> Selection:
    """Keep the groups that can be analysed and name the others with the reason.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`, `entry_days` (optional) and `by`.
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
    table = check_lifetimes(lifetimes)
    if len(table) < min_cell:
        raise TooLittleData(f"{len(table)} lifetimes are too few; at least {min_cell} are needed.")
    labels = label_groups(table, by=by)
    out = []
    if labels.isna().any():
        out.append(("(no value)", int(labels.isna().sum()), f"'{by}' is empty"))
    for group, part in table.groupby(labels, observed=True):
        if len(part) < min_cell:
            out.append((str(group), len(part), f"fewer than {min_cell} lifetimes"))
        elif (day := find_blind_day(part)) is not None:
            out.append((str(group), len(part), f"nobody is under observation after day {day:g}"))
    left_out = pd.DataFrame(out, columns=["group", "n", "why"])
    if not by:
        return Selection(table, "", left_out.iloc[:0])
    kept = labels.notna() & ~labels.isin(left_out["group"])
    table[by] = table[by].where(kept, None)
    return Selection(table, by if labels[kept].nunique() > 1 else "", left_out)


def split_groups(lifetimes: pd.DataFrame, *, by: str) -> dict[str, pd.DataFrame]:
    """Split lifetimes into all of them and, when asked, each group.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Checked here.
    by : str
        Column of groups; ``""`` for none. Lifetimes without a group count in ``all`` only.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``all`` first, then the groups in the order of their values.

    Raises
    ------
    TooLittleData
        When there is one group only, or observation has a hole in it, so that no curve can be
        drawn from day 0.
    """
    table = check_lifetimes(lifetimes)
    parts = {"all": table}
    if by:
        groups = table.groupby(label_groups(table, by=by), observed=True)
        parts |= {str(name): part for name, part in groups}
        if len(parts) < 3:
            raise TooLittleData(f"'{by}' has fewer than two groups: there is nothing to compare.")
    for name, part in parts.items():
        if (day := find_blind_day(part)) is not None:
            raise TooLittleData(
                f"Group '{name}': nobody is under observation after day {day:g}, although others "
                "enter later. A curve from the first day cannot be drawn."
            )
    return parts


def fit_survival(
    lifetimes: pd.DataFrame, *, by: str = "", conf_level: float = 0.95
) -> pd.DataFrame:
    """Estimate how many customers are still there after each day.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`; `entry_days` for late entry.
    by : str, default ""
        Column of groups; ``""`` for all customers only.
    conf_level : float, default 0.95
        Confidence level of the pointwise intervals.

    Returns
    -------
    pandas.DataFrame
        One row per group and day: `group` (``all`` first, then the groups), `time_days`,
        `n_at_risk`, `n_churned`, `n_censored`, `survival` (share still there after that day),
        `conf_low`, `conf_high`, `std_error`.

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
    reaches 0 the upper end of the step before is kept. Lifetimes are taken as independent,
    censoring and entry as independent of the time of churn given the group.

    References
    ----------
    .. [1] E. L. Kaplan, P. Meier (1958). Nonparametric estimation from incomplete observations.
           JASA 53, 457-481.
    .. [2] J. P. Klein, M. L. Moeschberger (2003). Survival Analysis, 2nd ed., sections 4.2, 4.3
           and 4.6.
    .. [3] C. J. Clopper, E. S. Pearson (1934). The use of confidence or fiducial limits.
           Biometrika 26, 404-413.

    Examples
    --------
    >>> lifetimes = pd.DataFrame(
    ...     {"customer_id": list("abcd"), "duration_days": [2, 2, 3, 5], "churned": [1, 0, 1, 0]}
    ... )
    >>> fit_survival(lifetimes)["survival"].tolist()
    [1.0, 0.75, 0.375, 0.375]
    """
    parts = split_groups(lifetimes, by=by)
    curves = [_fit_curve(count_risk_sets(part), conf_level) for part in parts.values()]
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
    stayed = n - d
    share = np.divide(stayed, n, out=np.ones_like(n), where=d > 0)
    step = np.divide(d, n * stayed, out=np.zeros_like(n), where=(d > 0) & (stayed > 0))
    return counts.assign(survival=np.cumprod(share), greenwood=np.cumsum(step))


def _fit_curve(counts: pd.DataFrame, conf_level: float) -> pd.DataFrame:
    curve = add_greenwood(counts)
    survival = curve["survival"].to_numpy()
    spread = np.sqrt(curve["greenwood"].to_numpy())
    inside = (survival > 0) & (survival < 1)
    log = np.log(survival, out=np.full_like(survival, -1.0), where=inside)
    factor = np.exp(normal_quantile(conf_level) * spread / -log)
    low = np.where(inside, survival**factor, survival)
    high = np.where(inside, survival ** (1 / factor), survival)
    untouched = (survival >= 1) & (curve["time_days"].to_numpy() > 0)
    fewest = np.minimum.accumulate(curve["n_at_risk"].to_numpy(float))
    low[untouched] = (0.5 - conf_level / 2) ** (1 / fewest[untouched])
    gone = survival <= 0
    if gone.any() and not gone.all():
        high[gone] = high[~gone][-1]
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
