"""When is the risk of leaving highest? Hazards, added up over days and averaged over ages."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.churn.curves.counts import count_risk_sets, lay_out_counts, split_groups
from cxlib.churn.lifetimes import MONTH_DAYS
from cxlib.errors import InputError, TooLittleData
from cxlib.stats import Floats, normal_quantile

_BANDS = (7.0, MONTH_DAYS, 3 * MONTH_DAYS, 6 * MONTH_DAYS, 12 * MONTH_DAYS)
_MOST_BANDS = 36
_ENOUGH = 0.1  # of the fullest band: below it a rate is too rough to be called the highest
_POINTS = 400  # of a rate's distribution, for the probability that it is the highest


def fit_cumulative_hazard(
    lifetimes: pd.DataFrame, *, by: str = "", conf_level: float = 0.95
) -> pd.DataFrame:
    """Estimate the risk of leaving added up from the first day; its slope is the risk of a day.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`; `entry_days` for late entry. Or counts
        of them, see `count_lifetimes`.
    by : str, default ""
        Column of groups; ``""`` for all customers only.
    conf_level : float, default 0.95
        Confidence level of the pointwise intervals.

    Returns
    -------
    pandas.DataFrame
        One row per group (``all`` first) and day: `group`, `time_days`, `n_at_risk`, `n_churned`,
        `cumulative_hazard`, `std_error`, `conf_low`, `conf_high`.

    Raises
    ------
    InputError
        When the table cannot be used, see `check_lifetimes`.
    TooLittleData
        When nobody churned, there is one group only, or observation has a hole.

    Notes
    -----
    Nelson-Aalen: the sum of d / n over the days up to t. The variance adds the unbiased one of a
    share, d (n - d) / (n^2 (n - 1)), which is Aalen's d / n^2 where one leaves at a time; with
    many on one day (a billing date) Aalen's would be too large. Where all at risk leave, d / n^2
    stands. Intervals on the log scale; before the first churn the upper end belongs to the exact
    (Clopper-Pearson) one of the curve.

    References
    ----------
    .. [1] O. Aalen (1978). Nonparametric inference for a family of counting processes. Annals of
           Statistics 6, 701-726.
    .. [2] P. K. Andersen, O. Borgan, R. D. Gill, N. Keiding (1993). Statistical Models Based on
           Counting Processes, section IV.1.

    Examples
    --------
    >>> lifetimes = pd.DataFrame(
    ...     {"customer_id": list("abcd"), "duration_days": [2, 2, 3, 5], "churned": [1, 0, 1, 0]}
    ... )
    >>> fit_cumulative_hazard(lifetimes)["cumulative_hazard"].tolist()
    [0.0, 0.25, 0.75, 0.75]
    """
    z = normal_quantile(conf_level)
    curves = []
    for group, part in split_groups(lifetimes, by=by).items():
        sets = count_risk_sets(part).drop(columns="n_censored")
        n, d = sets["n_at_risk"].to_numpy(float), sets["n_churned"].to_numpy(float)
        hazard = np.cumsum(np.divide(d, n, out=np.zeros_like(n), where=d > 0))
        step = np.where(
            n > d, d * (n - d) / (n**2 * np.maximum(n - 1, 1)), d / np.maximum(n, 1) ** 2
        )
        std_error = np.sqrt(np.cumsum(step))
        factor = np.exp(z * np.divide(std_error, hazard, out=np.zeros_like(n), where=hazard > 0))
        none_left = -np.log(0.5 - conf_level / 2) / np.minimum.accumulate(np.maximum(n, 1))
        none_left[sets["time_days"] == 0] = 0.0
        ends = {
            "conf_low": hazard / factor,
            "conf_high": np.where(hazard > 0, hazard * factor, none_left),
        }
        sets = sets.assign(cumulative_hazard=hazard, std_error=std_error, **ends)
        sets.insert(0, "group", group)
        curves.append(sets)
    return pd.concat(curves, ignore_index=True)


def summarise_rates(
    lifetimes: pd.DataFrame,
    *,
    by: str = "",
    band_days: float | None = None,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Summarise how fast customers of each age leave.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`; `entry_days` for late entry. Or counts
        of them, see `count_lifetimes`.
    by : str, default ""
        Column of groups; ``""`` for all customers only.
    band_days : float, optional
        Days of age in a band; by default the shortest of a week, one, three, six and twelve
        months that gives at most 36 bands.
    min_cell : int, default 10
        Lifetimes that must be under observation in a band; bands with fewer are left out.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per group (``all`` first) and band: `group`, `from_days`, `to_days` (ages over the
        first and up to the second, day 0 in the first band), `n_at_risk` (lifetimes under
        observation in the band), `n_churned`, `customer_months`, `rate` (churned in 100
        customer-months), `conf_low`, `conf_high`, `p_highest` (probability that the group's risk
        is highest in this band; missing where a tenth of the fullest band or less is left).

    Raises
    ------
    InputError
        When the table or `band_days` cannot be used.
    TooLittleData
        When nobody churned, there is one group only, or no band has `min_cell` lifetimes.

    Notes
    -----
    Customer-months are the days under observation, ``entry_days < t <= duration_days`` and day 0,
    over 30.4375. Bands end on whole days, on the next one where a month is none, so that an
    anniversary falls into the band it closes. Intervals are exact for a Poisson count, and too
    wide where a large share leaves on one day. `p_highest` takes the rates of the bands as
    independent gamma variables of n_churned + 1/2 and the days observed (Jeffreys).

    References
    ----------
    .. [1] F. Garwood (1936). Fiducial limits for the Poisson distribution. Biometrika 28, 437-442.

    Examples
    --------
    >>> lifetimes = pd.DataFrame(
    ...     {"customer_id": list("abcd"), "duration_days": [2, 9, 12, 13], "churned": [1, 0, 1, 0]}
    ... )
    >>> rates = summarise_rates(lifetimes, band_days=7, min_cell=1)
    >>> rates[["from_days", "to_days", "n_at_risk", "n_churned"]].values.tolist()
    [[0.0, 7.0, 4.0, 1.0], [7.0, 14.0, 3.0, 1.0]]
    """
    if band_days is not None and not 1 <= band_days < np.inf:
        raise InputError(
            f"band_days = {band_days!r} is no day or more.",
            "parameter 'band_days'",
            "give days, for example 30.4375 for a month",
        )
    counts = lay_out_counts(lifetimes, by=by)
    last = float(counts["duration_days"].max())
    if band_days is None:
        band_days = next((b for b in _BANDS if last <= b * _MOST_BANDS), _BANDS[-1])
    edges = np.ceil(np.arange(np.ceil(max(last, 1.0) / band_days) + 1) * band_days)
    parts = {"all": counts}
    if by:
        parts |= {str(name): part for name, part in counts.groupby("group", observed=True)}
        if len(parts) < 3:
            raise TooLittleData(f"'{by}' has fewer than two groups: there is nothing to compare.")
    bands = [_rates(part, edges, min_cell, conf_level) for part in parts.values()]
    table = pd.concat(bands, keys=parts.keys(), names=["group", None]).reset_index("group")
    if table.empty:
        raise TooLittleData(f"At no age are {min_cell} lifetimes under observation.")
    return table.reset_index(drop=True)


def _rates(counts: pd.DataFrame, edges: Floats, min_cell: int, conf_level: float) -> pd.DataFrame:
    """Rates of one group."""
    n, churned = counts["n"].to_numpy(float), counts["churned"].to_numpy(bool)
    entry, duration = (counts[name].to_numpy() for name in ("entry_days", "duration_days"))
    lived = np.diff(
        [n @ np.minimum(duration, edge) - n @ np.minimum(entry, edge) for edge in edges]
    )
    lived[0] += n[entry == 0].sum()  # day 0
    # a lifetime ends in the band whose edges hold its last day, day 0 in the first
    ends_in = np.maximum(np.searchsorted(edges, duration) - 1, 0)
    enters_in = np.searchsorted(edges, entry, side="right") - 1
    size = len(edges) - 1
    before = np.append(0.0, np.cumsum(np.bincount(ends_in, n, size)))[:-1]
    n_at_risk = np.cumsum(np.bincount(enters_in, n, size)) - before
    n_churned = np.bincount(ends_in[churned], n[churned], size)
    kept = n_at_risk >= min_cell
    lived, n_churned, months = lived[kept], n_churned[kept], lived[kept] / MONTH_DAYS / 100
    low = stats.chi2.ppf(0.5 - conf_level / 2, 2 * n_churned) / 2
    high = stats.chi2.ppf(0.5 + conf_level / 2, 2 * n_churned + 2) / 2
    return pd.DataFrame(
        {
            "from_days": edges[:-1][kept],
            "to_days": edges[1:][kept],
            "n_at_risk": n_at_risk[kept].astype(int),
            "n_churned": n_churned.astype(int),
            "customer_months": 100 * months,
            "rate": n_churned / months,
            "conf_low": np.where(n_churned > 0, low, 0.0) / months,
            "conf_high": high / months,
            "p_highest": _find_highest(n_churned, lived, n_at_risk[kept]),
        }
    )


def _find_highest(n_churned: Floats, lived: Floats, n_at_risk: Floats) -> Floats:
    """Compute for each band with enough lifetimes the probability that its rate is the highest."""
    enough = n_at_risk >= _ENOUGH * n_at_risk.max(initial=0)
    shape, lived = n_churned[enough] + 0.5, lived[enough]
    share = (np.arange(_POINTS) + 0.5) / _POINTS
    probability = []
    for i in range(len(shape)):
        rate = stats.gamma.ppf(share, shape[i]) / lived[i]
        below = stats.gamma.cdf(rate * lived[:, None], shape[:, None])
        below[i] = 1.0
        probability.append(below.prod(axis=0).mean())
    p_highest = np.full(len(enough), np.nan)
    p_highest[enough] = np.array(probability) / np.sum(probability)
    return p_highest
