"""By when has who left for which cause? Cumulative incidence from counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.churn.causes.cells import ROUNDING, Curves, find_variance, follow_causes, split_cells
from cxlib.errors import InputError
from cxlib.stats import Floats, normal_quantile

_SURE = 1e-12  # shares closer to 0 or 1 than rounding


def fit_incidence(
    lifetimes: pd.DataFrame, *, by: str = "", conf_level: float = 0.95
) -> pd.DataFrame:
    """Estimate which share of customers has left for each cause after each day.

    Parameters
    ----------
    lifetimes : pandas.DataFrame
        Lifetimes or counts of them with `cause`, as `name_causes` returns them (its `table`).
    by : str, default ""
        Column of groups; ``""`` for all customers only.
    conf_level : float, default 0.95
        Confidence level of the pointwise intervals.

    Returns
    -------
    pandas.DataFrame
        One row per group, cause and day: `group` (``all`` first), `cause`, `time_days`,
        `n_at_risk`, `n_churned` (for the cause, on the day), `incidence` (share that has left for
        the cause), `conf_low`, `conf_high`, `std_error`, `survival` (share still there). On every
        day the shares of the causes and the survival add to 1.

    Raises
    ------
    InputError
        When a column is missing.
    TooLittleData
        When there is one group only, or observation has a hole.

    Notes
    -----
    Aalen-Johansen with left truncation: F(t) is the sum over the days u up to t of S(u-) d(u) /
    Y(u), with d of Y at risk leaving for the cause and S the share still there (Kaplan-Meier for
    all causes); Y counts ``entry_days < t <= duration_days``. At equal times leaving comes before
    censoring, and causes on one day share it as they are: no times are moved. One minus
    Kaplan-Meier with other causes censored is larger: it says who would have left if the others
    did not exist.

    The variance is the infinitesimal jackknife, as that of R's ``survfit`` for several states: the
    sum over lifetimes of the square of sum over u up to t of S(u-) (dN - d / Y) / Y - (F(t) -
    F(u)) (dM - e / Y) / (Y - e), where e leave for any cause, and dN and dM are 1 when the
    lifetime ends for the cause, or for any, at u; days count at which it is at risk. With one
    cause and no late entry it is Greenwood's. Intervals on the log(-log(1 - F)) scale, which with
    one cause are those of the survival curve. That scale has none at 0 and 1: where nobody has
    left for the cause yet the upper end is the exact (Clopper-Pearson) one for none of the n at
    risk, and where all have, the lower end before is kept. Lifetimes are taken as independent,
    censoring and entry as independent of time and cause given the group.

    References
    ----------
    .. [1] O. O. Aalen, S. Johansen (1978). An empirical transition matrix for non-homogeneous
           Markov chains based on censored observations. Scand. J. Statist. 5, 141-150.
    .. [2] J. B. Choudhury (2002). Non-parametric confidence interval estimation for competing
           risks analysis. Statistics in Medicine 21, 1129-1144.
    .. [3] H. Putter, M. Fiocco, R. B. Geskus (2007). Tutorial in biostatistics: competing risks
           and multi-state models. Statistics in Medicine 26, 2389-2430.

    Examples
    --------
    >>> lifetimes = pd.DataFrame(
    ...     {
    ...         "customer_id": list("abcd"),
    ...         "duration_days": [2, 2, 3, 5],
    ...         "churned": [True, False, True, True],
    ...         "cause": ["price", None, "moved", "price"],
    ...     }
    ... )
    >>> fit_incidence(lifetimes).query("cause == 'price'")["incidence"].tolist()
    [0.0, 0.25, 0.25, 0.625]
    """
    tables = []
    for group, cells in split_cells(lifetimes, by=by).items():
        curves = follow_causes(cells)
        for k, name in enumerate(cells.names):
            share = curves.incidence[k]
            # nothing is left to vary when all have left for one cause, but for rounding
            error = np.where(share < 1 - _SURE, np.sqrt(find_variance(cells, curves, k)), 0.0)
            low, high = _limit(curves, share, error, conf_level)
            tables.append(
                pd.DataFrame(
                    {
                        "group": group,
                        "cause": name,
                        "time_days": curves.times,
                        "n_at_risk": curves.at_risk.round().astype(int),
                        "n_churned": curves.ended[k].round().astype(int),
                        "incidence": share,
                        "conf_low": low,
                        "conf_high": high,
                        "std_error": error,
                        "survival": curves.survival,
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)


def _limit(
    curves: Curves, share: Floats, error: Floats, conf_level: float
) -> tuple[Floats, Floats]:
    inside = (share > _SURE) & (share < 1 - _SURE)
    log = np.log1p(-share, out=np.full_like(share, -1.0), where=inside)
    reach = normal_quantile(conf_level) * error / (np.where(inside, 1 - share, 1.0) * -log)
    low = np.where(inside, -np.expm1(log * np.exp(-reach)), share)
    high = np.where(inside, -np.expm1(log * np.exp(reach)), share)
    untouched = share <= _SURE
    fewest = np.maximum(np.minimum.accumulate(curves.at_risk), 1)
    high[untouched] = 1 - (0.5 - conf_level / 2) ** (1 / fewest[untouched])
    complete = share >= 1 - _SURE
    if complete.any():
        low[complete] = low[inside][-1] if inside.any() else 0.0
    return low, high


def read_incidence(incidence: pd.DataFrame, *, times: Sequence[float]) -> pd.DataFrame:
    """Read cumulative incidences at given days.

    Parameters
    ----------
    incidence : pandas.DataFrame
        As `fit_incidence` returns it.
    times : sequence of float
        Days since the start, none negative.

    Returns
    -------
    pandas.DataFrame
        One row per group, cause and day: `group`, `cause`, `time_days`, `n_churned` (for the cause
        so far), `incidence`, `conf_low`, `conf_high`, `survival`. Days beyond the follow-up of a
        group are left out: no curve is extended.

    Raises
    ------
    InputError
        When a day is negative.
    """
    wanted = np.asarray(sorted(times), dtype=float)
    if (wanted < 0).any():
        raise InputError(f"Day {wanted[0]:g} lies before the start.", "times", "count from 0")
    parts = []
    for (group, cause), curve in incidence.groupby(["group", "cause"], sort=False):
        known = curve["time_days"].to_numpy()
        at = wanted[wanted <= known[-1] + ROUNDING]
        row = np.searchsorted(known, at + ROUNDING, side="right") - 1
        part = curve.iloc[row][["incidence", "conf_low", "conf_high", "survival"]]
        so_far = curve["n_churned"].cumsum().to_numpy()[row]
        part = part.reset_index(drop=True)
        for place, (name, values) in enumerate(
            {"group": group, "cause": cause, "time_days": at, "n_churned": so_far}.items()
        ):
            part.insert(place, name, values)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
