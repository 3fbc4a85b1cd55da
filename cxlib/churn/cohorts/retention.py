"""How many of each cohort stay: observed as far as it was seen, completed and marked beyond."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.churn.cohorts.intervals import log_log_interval
from cxlib.churn.curves.counts import count_at_risk, count_risk_sets
from cxlib.churn.curves.curves import add_greenwood
from cxlib.churn.lifetimes import MONTH_DAYS, check_lifetimes
from cxlib.churn.records.late_entry import read_days
from cxlib.errors import InputError, TooLittleData, closest
from cxlib.stats import Floats

PERIODS = {"month": "M", "quarter": "Q", "year": "Y"}
# More rows than this are too many for a page.
MOST_COHORTS = 24
SHORTEST_MONTHS = 2
_COLUMNS = ["cohort", "month", "n", "n_at_risk", "retained_share", "conf_low", "conf_high"]


@dataclass(frozen=True)
class Retention:
    """Shares retained of cohorts of customers, month by month.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per cohort (``all`` first) and month since the start: `cohort`, `month`, `n` (of
        the cohort), `n_at_risk` (observed that long), `retained_share`, `conf_low`, `conf_high`,
        `is_completed` (from the model, not observed).
    left_out : pandas.DataFrame
        One row per cohort without a row of its own: `cohort`, `n`, `why`.
    every : str
        What a cohort is: all who started in the same ``month``, ``quarter`` or ``year``.
    spread : float
        Standard deviation by which the levels of the cohorts' hazards differ beyond chance.
    """

    table: pd.DataFrame
    left_out: pd.DataFrame
    every: str
    spread: float


@dataclass(frozen=True)
class _Curve:
    """One cohort, or all, at every month."""

    n: int
    n_at_risk: Floats
    survival: Floats
    greenwood: Floats
    seen: np.ndarray  # months it was observed long enough for


def fit_retention(
    lifetimes: pd.DataFrame,
    *,
    every: str = "",
    n_months: int = 24,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> Retention:
    """Estimate which share of each cohort is still there after each month.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `started_at`, `duration_days`, `churned`; `entry_days` for late
        entry.
    every : str, default ""
        Customers who started in the same ``month``, ``quarter`` or ``year`` are a cohort; ``""``
        takes the shortest that makes 24 cohorts at most.
    n_months : int, default 24
        Months since the start, at most; fewer where no cohort was seen so long.
    min_cell : int, default 10
        Customers a cohort needs, and customers observed that a month needs to count as observed.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    Retention
        Observed shares, completed to the same month for all cohorts.

    Raises
    ------
    InputError
        When the start of the lifetimes is not known or `every` is none of the three.
    TooLittleData
        When nobody churned, no cohort can be shown or none was seen for two months.

    Notes
    -----
    Observed shares are Kaplan-Meier estimates of the cohort, so only those followed to an age
    count at it; ``all`` is the estimate over all cohorts shown, in which every customer weighs the
    same, and no mean of cohorts. A month is observed while `min_cell` of the cohort are under
    observation then, or nobody of it was censored before. Cohorts most of which entered
    observation late have no start to count from; they are not shown, and lend the others the ages
    at which they were seen.

    Beyond its last observed month m a cohort goes on as S(m) exp(-k (H(t) - H(m))) with H the
    cumulative hazard of all lifetimes by age (the chain ladder of insurers), and k the level of
    the cohort. With O ends seen and E to be expected by H, k = (O v + 1) / (E v + 1): 1 where
    cohorts differ no more than chance lets them (v = 0), near O / E where they do. v, the variance
    of the levels, is that of the moments of O. Nothing is known of days not seen yet: a change of
    the times that spares the days observed is not foreseen.

    Intervals of observed months are those of the rate behind the cohort (Greenwood, log(-log)
    scale). Those of completed months are to hold the share the cohort will be seen to have: they
    contain the chance of those still there, the hazards of the others, the level, and of the
    cohort's own curve what censoring left open. They are one month's each, not those of a whole
    line.

    References
    ----------
    .. [1] E. L. Kaplan, P. Meier (1958). Nonparametric estimation from incomplete observations.
           JASA 53, 457-481.
    .. [2] T. Mack (1993). Distribution-free calculation of the standard error of chain ladder
           reserve estimates. ASTIN Bulletin 23, 213-225.
    .. [3] H. Bühlmann, A. Gisler (2005). A Course in Credibility Theory and its Applications.
    """
    table, every = _read_cohorts(lifetimes, every)
    parts, left_out = _select_cohorts(table, min_cell)
    shown = table[table["cohort"].isin(list(parts))]
    months = np.arange(n_months + 1)
    pool = _follow(table, months, min_cell=min_cell)
    known = pool.seen & (pool.survival > 0)
    months = months[: int(known.argmin()) if not known.all() else None]
    if len(months) <= SHORTEST_MONTHS:
        raise TooLittleData(
            f"No cohort was seen for {SHORTEST_MONTHS} months by {min_cell} customers."
        )
    pool = _follow(table, months, min_cell=min_cell)
    curves = {name: _follow(part, months, min_cell=min_cell) for name, part in parts.items()}
    hazard = _read_hazard(table)
    ends = {name: _count_ends(parts[name], curves[name], hazard) for name in parts}
    observed, expected = np.array(list(ends.values())).T
    variance = _estimate_variance(observed, expected)
    total = _follow(shown, months, min_cell=min_cell)
    rows = [_complete(total, pool, 1.0, 0.0, conf_level)]
    for name, curve in curves.items():
        weight = ends[name][1] * variance + 1
        level = (ends[name][0] * variance + 1) / weight
        rows.append(_complete(curve, pool, level, level * variance / weight, conf_level))
    result = pd.concat(rows, keys=["all", *parts], names=["cohort", "month"]).reset_index()
    return Retention(result[[*_COLUMNS, "is_completed"]], left_out, every, float(variance**0.5))


def _read_cohorts(lifetimes: pd.DataFrame, every: str) -> tuple[pd.DataFrame, str]:
    """Add the cohort, from the shortest period that does not make too many."""
    if "started_at" not in lifetimes.columns or lifetimes["started_at"].isna().any():
        raise InputError(
            "Cohorts need the day on which each lifetime started.",
            "table 'lifetimes', column 'started_at'",
            "map 'subscriptions', which give it",
        )
    if every and every not in PERIODS:
        raise InputError(f"every = {every!r} is no period.", "every", closest(every, PERIODS))
    table = check_lifetimes(lifetimes)
    starts = pd.to_datetime(table["started_at"])
    seen = starts[table["entry_days"] == 0]
    for name in [every] if every else PERIODS:
        if every or seen.dt.to_period(PERIODS[name]).nunique() <= MOST_COHORTS:
            break
    return table.assign(cohort=starts.dt.to_period(PERIODS[name]).astype(str)), name


def _select_cohorts(
    table: pd.DataFrame, min_cell: int
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Keep cohorts seen from their start; name the others and why."""
    parts, out = {}, []
    for name, part in table.groupby("cohort"):
        if (part["entry_days"] > 0).mean() > 0.5:
            out.append((name, len(part), "most started before observation began"))
        elif len(part) < min_cell:
            out.append((name, len(part), f"fewer than {min_cell} lifetimes"))
        else:
            parts[str(name)] = part
    if not parts:
        raise TooLittleData(f"No cohort of {min_cell} customers was seen from its start.")
    return parts, pd.DataFrame(out, columns=["cohort", "n", "why"])


def _follow(part: pd.DataFrame, months: np.ndarray, *, min_cell: int) -> _Curve:
    """Read the curve of some lifetimes at every month."""
    curve = add_greenwood(count_risk_sets(part))
    days = months * MONTH_DAYS
    at = np.searchsorted(curve["time_days"].to_numpy(), days, side="right") - 1
    n_at_risk = count_at_risk(part, days)
    censored = curve["n_censored"].cumsum().to_numpy()[at]
    is_seen = (n_at_risk >= min_cell) | (censored == 0)
    return _Curve(
        len(part),
        n_at_risk,
        curve["survival"].to_numpy()[at],
        curve["greenwood"].to_numpy()[at],
        np.logical_and.accumulate(is_seen),
    )


def _read_hazard(table: pd.DataFrame) -> tuple[Floats, Floats]:
    """Cumulate the hazard of all lifetimes: the days, and the hazard before and after each."""
    counts = count_risk_sets(table)
    step = counts["n_churned"] / counts["n_at_risk"].clip(lower=1)
    return counts["time_days"].to_numpy(), np.append(0.0, step.cumsum().to_numpy())


def _count_ends(
    part: pd.DataFrame, curve: _Curve, hazard: tuple[Floats, Floats]
) -> tuple[float, float]:
    """Count the ends of a cohort while it counts as observed, and those its ages let expect."""
    days, so_far = hazard
    last = (int(curve.seen.sum()) - 1) * MONTH_DAYS
    duration, entry = part["duration_days"].to_numpy(float), part["entry_days"].to_numpy(float)
    began = np.where(entry > 0, np.searchsorted(days, entry, side="right"), 0)
    ended = np.searchsorted(days, np.minimum(duration, last), side="right")
    expected = (so_far[np.maximum(ended, began)] - so_far[began]).sum()
    return float((part["churned"].to_numpy(bool) & (duration <= last)).sum()), float(expected)


def _estimate_variance(observed: Floats, expected: Floats) -> float:
    """Estimate how much levels vary beyond chance, by moments (DerSimonian and Laird)."""
    observed, expected = observed[expected > 0], expected[expected > 0]
    if len(expected) < 2:
        return 0.0
    excess = ((observed - expected) ** 2 / expected).sum() - (len(expected) - 1)
    total = expected.sum()
    return max(0.0, float(excess / (total - (expected**2).sum() / total)))


def _complete(
    curve: _Curve, pool: _Curve, level: float, level_variance: float, conf_level: float
) -> pd.DataFrame:
    """Join what was seen and what the pool lets expect after it, by month."""
    last = max(int(curve.seen.sum()) - 1, 0)
    start = curve.survival[last]
    later = np.log(pool.survival / pool.survival[last])
    stay = np.where(curve.seen, 1.0, np.exp(level * later))
    still_there = curve.n * start
    with np.errstate(divide="ignore", invalid="ignore"):
        by_censoring = curve.greenwood[last] - (1 - start) / still_there
        to_come = (
            max(by_censoring, 0.0)
            + (1 - stay) / (still_there * stay)
            + level**2 * (pool.greenwood - pool.greenwood[last])
            + later**2 * level_variance
        )
    variance = np.where(curve.seen, curve.greenwood, to_come)
    share = np.where(curve.seen, curve.survival, start * stay)
    n = np.where(curve.seen, curve.n_at_risk, still_there * stay)
    low, high = log_log_interval(share, variance, np.maximum(n, 1), conf_level=conf_level)
    low[0] = 1.0 if share[0] == 1 else low[0]
    return pd.DataFrame(
        {
            "n": curve.n,
            "n_at_risk": curve.n_at_risk.astype(int),
            "retained_share": share,
            "conf_low": low,
            "conf_high": high,
            "is_completed": ~curve.seen,
        }
    )


def check_completion(
    lifetimes: pd.DataFrame,
    *,
    hidden_months: int = 6,
    every: str = "",
    n_months: int = 24,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Hide the last months, complete the cohorts without them, and compare with what came.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        As for `fit_retention`.
    hidden_months : int, default 6
        Months before the last day known that are hidden.
    every, n_months, min_cell, conf_level
        As for `fit_retention`.

    Returns
    -------
    pandas.DataFrame
        One row per cohort and month completed then and observed since: `cohort`, `month`,
        `retained_share`, `conf_low`, `conf_high` (completed then), `observed_share`, `is_inside`
        (whether the interval holds it). Cohorts that still grew then are left out.

    Raises
    ------
    InputError, TooLittleData
        As `fit_retention`, for the lifetimes or what is left of them.
    """
    now = fit_retention(
        lifetimes, every=every, n_months=n_months, min_cell=min_cell, conf_level=conf_level
    )
    before = fit_retention(
        _hide(check_lifetimes(lifetimes), hidden_months * MONTH_DAYS),
        every=now.every,
        n_months=n_months,
        min_cell=min_cell,
        conf_level=conf_level,
    )
    came = now.table[~now.table["is_completed"]]
    came = came[["cohort", "month", "n", "retained_share"]]
    came = came.rename(columns={"retained_share": "observed_share"})
    told = before.table[before.table["is_completed"] & (before.table["cohort"] != "all")]
    both = told.merge(came, on=["cohort", "month", "n"])
    inside = both["observed_share"].between(both["conf_low"], both["conf_high"])
    columns = ["cohort", "month", "retained_share", "conf_low", "conf_high", "observed_share"]
    return both[columns].assign(is_inside=inside)


def _hide(table: pd.DataFrame, hidden_days: float) -> pd.DataFrame:
    """Cut lifetimes to what was known some days earlier."""
    start = read_days(table["started_at"])
    last = np.floor((start + table["duration_days"]).max() - hidden_days)
    known = table[start + table["entry_days"] < last].copy()
    left = last - start[known.index]
    known["churned"] &= known["duration_days"] <= left
    known["duration_days"] = np.minimum(known["duration_days"], left)
    return known
