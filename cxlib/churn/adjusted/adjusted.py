"""Groups compared as if they had the same customers: adjusted curves, days and money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.churn.adjusted.groups import LEAST_ALIKE, Groups, choose_groups, no_group
from cxlib.churn.cohorts.intervals import log_log_interval
from cxlib.churn.curves.counts import count_at_risk
from cxlib.churn.lifetimes import MONTH_DAYS
from cxlib.errors import InputError
from cxlib.stats import Floats, adjust_p_values, normal_quantile

# A curve is given on so many days at most; a picture shows no more.
MOST_DAYS = 60
_ENDS = ["std_error", "conf_low", "conf_high"]


@dataclass(frozen=True)
class Adjusted:
    """Groups compared as if each had the same customers.

    Parameters
    ----------
    survival : pandas.DataFrame
        One row per group and day: `group`, `time_days`, `n_at_risk`, `survival`, `conf_low`,
        `conf_high`.
    rmst : pandas.DataFrame
        One row per group: `group`, `horizon_days`, `rmst_days`, `std_error`, `conf_low`,
        `conf_high`, `n` (lifetimes), `n_churned` (before the horizon).
    differences : pandas.DataFrame
        One row per pair: `group_a`, `group_b`, `horizon_days`, `difference_days` (a minus b),
        `std_error`, `conf_low`, `conf_high`, `p_value`, `q_value` (Benjamini-Hochberg).
    value : pandas.DataFrame
        One row per group but the reference: `group`, `reference`, `n` (lifetimes of the group with
        a monthly value), `value_per_customer` (money each brings more within the horizon with the
        hazard of the reference), `std_error`, `conf_low`, `conf_high`, `p_value`, `q_value`,
        `value_total`, `total_conf_low`, `total_conf_high` (all n). No rows without values, or
        where most customers of the group have no counterpart in the reference.
    overlap : pandas.DataFrame
        As `measure_overlap` returns it.
    left_out : pandas.DataFrame
        One row per group left out: `group`, `n`, `why`.
    """

    survival: pd.DataFrame
    rmst: pd.DataFrame
    differences: pd.DataFrame
    value: pd.DataFrame
    overlap: pd.DataFrame
    left_out: pd.DataFrame


def fit_adjusted(
    lifetimes: pd.DataFrame,
    *,
    by: str,
    covariates: Sequence[str],
    horizon_days: float,
    target: str = "",
    reference: str = "",
    margin_share: float = 1.0,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> Adjusted:
    """Compare groups as if each had the same customers, in shares, days and money.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`, `by`, the covariates; `entry_days` for
        late entry, `monthly_value` for money.
    by : str
        Column of groups, known when the lifetime begins.
    covariates : sequence of str
        Columns in which the groups differ and should not, read as by `fit_hazard`.
    horizon_days : float
        Days counted; cut to the shortest follow-up of a group.
    target : str, default ""
        Group whose customers all groups are given; ``""`` for the customers of all groups.
    reference : str, default ""
        Group the money is compared with; ``""`` for the largest.
    margin_share : float, default 1.0
        Share of `monthly_value` that is earned, over 0 and up to 1.
    min_cell : int, default 10
        Lifetimes a group, or a level of a covariate, needs.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    Adjusted
        Curves, mean stays, their differences, and the money in them.

    Raises
    ------
    InputError
        When a column cannot be used, a group named does not exist, rows are stretches of
        lifetimes, or the horizon or the margin is no such thing.
    TooLittleData
        When fewer than two groups can be compared, or the hazard model cannot be fitted (a
        covariate separates who leaves, or says what the group says).

    Notes
    -----
    A Cox model with a baseline hazard for each group (strata) and common coefficients of the
    covariates gives S_g(t | x) = exp(-H_g(t) exp(b'x)). Its mean over the covariates of the
    target is the curve these customers would have if the hazard of group g applied to them
    (g-computation); its area to the horizon is the mean stay. Hazards of groups need not be
    proportional; covariates are taken to act alike in all groups and at all ages. Customers of the
    target count as they are in the data, those who entered late like others.

    The money of a group puts its own customers under the hazard of the reference: the mean over
    them of monthly value times margin times the difference of their two mean stays in months of
    30.4375 days, not discounted.

    Standard errors come from one influence of every customer on the whole chain: having been drawn
    with these covariates and this value, coefficients, and baseline hazards (see `fit_chain`);
    lifetimes of one customer are put together. The size of a group is taken as given. Intervals
    of curves are on the log(-log) scale, others symmetric.

    Nothing here proves a cause: groups may differ in what is not among the covariates, and a
    covariate that being in the group brings about (a mediator) hides a part of the difference.

    References
    ----------
    .. [1] P.-Y. Chen, A. A. Tsiatis (2001). Causal inference on the difference of the restricted
           mean lifetime between two groups. Biometrics 57, 1030-1038.
    .. [2] D. M. Zucker (1998). Restricted mean life with covariates: modification and extension of
           a useful survival analysis method. JASA 93, 702-709.
    """
    if not horizon_days > 0:
        raise InputError(
            f"horizon_days = {horizon_days!r} is not positive.",
            "parameter 'horizon_days'",
            "give a number of days, for example 365",
        )
    if not 0 < margin_share <= 1:
        raise InputError(
            f"margin_share = {margin_share!r} is no share.",
            "parameter 'margin_share'",
            "give a number over 0 and up to 1, for example 0.6",
        )
    groups = choose_groups(
        lifetimes,
        by=by,
        covariates=covariates,
        horizon_days=horizon_days,
        target=target,
        min_cell=min_cell,
    )
    if reference and reference not in groups.names:
        raise no_group(reference, "reference", groups.names)
    members = _find_joiners(groups)
    if target:
        members &= groups.labels.to_numpy() == target
    stays = {name: groups.stay(name, members) for name in groups.names}
    base = reference or str(groups.labels.value_counts().idxmax())
    return Adjusted(
        survival=_draw_curves(groups, members, conf_level),
        rmst=_list_stays(groups, stays, conf_level),
        differences=_compare_stays(groups, stays, conf_level),
        value=_value_groups(groups, base, margin_share, conf_level),
        overlap=groups.overlap,
        left_out=groups.left_out,
    )


def _draw_curves(groups: Groups, members: np.ndarray, conf_level: float) -> pd.DataFrame:
    parts = []
    for number, name in enumerate(groups.names):
        days = np.append(groups.days(name), groups.horizon)
        days = days[np.unique(np.linspace(0, len(days) - 1, MOST_DAYS).round().astype(int))]
        at_risk = count_at_risk(groups.table[groups.labels == name], days)
        points = [
            groups.chain.average(number, days[i : i + 1], np.ones(1), members=members)
            for i in range(len(days))
        ]
        survival = np.array([share for share, _ in points])
        spread = np.array([groups.std_error(influence) for _, influence in points])
        low, high = log_log_interval(
            survival, (spread / survival) ** 2, at_risk, conf_level=conf_level
        )
        low[(days == 0) & (survival == 1)] = 1.0
        part = {"time_days": days, "n_at_risk": at_risk.astype(int), "survival": survival}
        parts.append(pd.DataFrame({"group": name, **part, "conf_low": low, "conf_high": high}))
    return pd.concat(parts, ignore_index=True)


def _interval(estimate: float, std_error: float, conf_level: float) -> tuple[float, float, float]:
    reach = normal_quantile(conf_level) * std_error
    return std_error, estimate - reach, estimate + reach


def _list_stays(
    groups: Groups, stays: dict[str, tuple[float, Floats]], conf_level: float
) -> pd.DataFrame:
    rows = []
    for name, (days, influence) in stays.items():
        own = groups.table[groups.labels == name]
        n_churned = int((own["churned"] & (own["duration_days"] < groups.horizon)).sum())
        ends = _interval(days, groups.std_error(influence), conf_level)
        rows.append((name, groups.horizon, days, *ends, len(own), n_churned))
    columns = ["group", "horizon_days", "rmst_days", *_ENDS, "n", "n_churned"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(conf_high=table["conf_high"].clip(upper=groups.horizon))


def _compare_stays(
    groups: Groups, stays: dict[str, tuple[float, Floats]], conf_level: float
) -> pd.DataFrame:
    rows = []
    for a, b in combinations(stays, 2):
        difference = stays[a][0] - stays[b][0]
        ends = _interval(difference, groups.std_error(stays[a][1] - stays[b][1]), conf_level)
        rows.append((a, b, groups.horizon, difference, *ends))
    columns = ["group_a", "group_b", "horizon_days", "difference_days", *_ENDS]
    return _test(pd.DataFrame(rows, columns=columns), "difference_days")


def _test(table: pd.DataFrame, estimate: str) -> pd.DataFrame:
    statistic = (table[estimate] / table["std_error"]).to_numpy(float)
    p_values = 2 * stats.norm.sf(np.abs(statistic))
    return table.assign(p_value=p_values, q_value=adjust_p_values(p_values))


def _find_joiners(groups: Groups) -> np.ndarray:
    """Find who was seen from the start: those who entered late had to stay until then."""
    seen = (groups.table["entry_days"] == 0).to_numpy()
    return seen if seen.any() else np.full(len(seen), True)


def _value_groups(
    groups: Groups, reference: str, margin_share: float, conf_level: float
) -> pd.DataFrame:
    """Put the own customers of every group under the hazard of the reference, in money."""
    money = pd.Series(np.nan, groups.table.index)
    if "monthly_value" in groups.table.columns:
        money = pd.to_numeric(groups.table["monthly_value"], errors="coerce").astype(float)
    values = money.fillna(0.0).to_numpy() * margin_share / MONTH_DAYS
    alike = groups.overlap.set_index(["group", "counterpart"])["share_alike"]
    rows = []
    for name in groups.names:
        members = ((groups.labels == name) & money.notna()).to_numpy() & _find_joiners(groups)
        if name == reference or not members.any() or alike[name, reference] < LEAST_ALIKE:
            continue
        longer, by_longer = groups.stay(reference, members, values)
        own, by_own = groups.stay(name, members, values)
        gain, n = longer - own, int(members.sum())
        ends = _interval(gain, groups.std_error(by_longer - by_own), conf_level)
        rows.append((name, reference, n, gain, *ends, n * gain, n * ends[1], n * ends[2]))
    columns = ["group", "reference", "n", "value_per_customer", *_ENDS]
    totals = ["value_total", "total_conf_low", "total_conf_high"]
    table = _test(pd.DataFrame(rows, columns=[*columns, *totals]), "value_per_customer")
    return table[[*columns, "p_value", "q_value", *totals]]
