"""Do the data begin later than the customers? Who had left by then is missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.churn.curves.counts import count_risk_sets
from cxlib.churn.lifetimes import check_lifetimes

# Over complete data the probability that at most k of max(5, 10 k) expected ends have come,
# summed over k = 0, 1, ..., is 0.7 %.
EXPECTED_BEFORE = 5.0
STRAY_SHARE = 0.1


@dataclass(frozen=True)
class LateEntry:
    """The day from which leaving could be seen in the data.

    Parameters
    ----------
    observed_from : pandas.Timestamp
        The day after the first end that is no stray.
    n_customers : int
        Customers who had started before that day and were there on it.
    n_ended : int
        Ends in the data before that first end: strays.
    n_expected : float
        Ends that later behaviour would have let expect before it.
    """

    observed_from: pd.Timestamp
    n_customers: int
    n_ended: int
    n_expected: float


def read_days(moments: pd.Series) -> pd.Series:
    """Count the days from 1970 to some moments, so that durations are plain differences.

    Parameters
    ----------
    moments : pandas.Series
        Timestamps or ISO dates; the time of day is dropped.

    Returns
    -------
    pandas.Series of float
        Days since 1970-01-01, missing where there is no moment.
    """
    stamps = moments if moments.dtype.kind == "M" else pd.to_datetime(moments)
    return (stamps.dt.normalize() - pd.Timestamp(0)) / pd.Timedelta(days=1)


def detect_late_entry(lifetimes: pd.DataFrame) -> LateEntry | None:
    """Tell whether the data begin later than the customers, and on which day.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `spell`, `started_at`, `duration_days`, `churned`.

    Returns
    -------
    LateEntry or None
        None when no fewer customers left early than chance allows.

    Notes
    -----
    An extract of "customers since March" holds those who started earlier and were still there in
    March, and none of those who left before, except for strays (a test account, a row filled in
    later). Its mark is that far fewer leave before some day than later behaviour lets expect.
    Only the last lifetime of a customer counts here; an earlier one may be known only because its
    owner came back.

    The cumulative hazard by age (Nelson-Aalen with late entry) is estimated from what came after
    the first tenth of all ends. For the day of each of these first ends, O ends came before it
    and E were to be expected, given the age of everybody in the data. The day chosen is the
    change-point of greatest likelihood: it maximises O log(O / E) - O + E. The data are taken to
    begin late when E is 5 or more and O at most a tenth of it. Under complete data O counts a
    Poisson process in the time E, so that this happens in less than 1 % of data sets - provided
    that the hazard depends on age alone. A business that hardly lost anybody in its first years
    cannot be told from an extract, so the day found is shown and can be set by hand. Age is
    allowed for: a minimum term in which nobody leaves is no sign of late entry.

    The end that marks the day cannot count as well: observation begins on the day after it.

    References
    ----------
    .. [1] J. P. Klein, M. L. Moeschberger (2003). Survival Analysis, 2nd ed., sections 3.4, 4.6.
    .. [2] C. R. Loader (1991). Inference for a hazard rate change point. Biometrika 78, 749-757.
    """
    table = check_lifetimes(lifetimes.drop(columns="entry_days", errors="ignore"))
    table = table[table["spell"] == table.groupby("customer_id")["spell"].transform("max")]
    start = read_days(table["started_at"])
    end = start + table["duration_days"]
    ends = np.sort(end[table["churned"]].to_numpy(float))
    if not len(ends):
        return None
    later = ends[len(ends) // 10]
    seen = table.assign(entry_days=(later - start).clip(lower=0))[end > later]
    days = np.unique(ends[ends <= later])
    expected = _expect_ends(seen, start.to_numpy(float), end.to_numpy(float), days)
    ended = np.searchsorted(ends, days).astype(float)
    ratio = np.divide(ended, expected, out=np.ones_like(expected), where=expected > 0)
    evidence = ended * np.log(np.maximum(ratio, 1e-300)) - ended + expected
    best = int(np.where(ratio < 1, evidence, 0).argmax())
    if expected[best] < EXPECTED_BEFORE or ratio[best] > STRAY_SHARE:
        return None
    observed_from = days[best] + 1
    early = (start < observed_from) & (end >= observed_from)
    return LateEntry(
        pd.Timestamp(0) + pd.Timedelta(days=observed_from),
        int(table.loc[early, "customer_id"].nunique()),
        int(ended[best]),
        float(expected[best]),
    )


def _expect_ends(
    seen: pd.DataFrame, start: np.ndarray, end: np.ndarray, days: np.ndarray
) -> np.ndarray:
    """Sum, for each day, the hazard of those `seen` over the ages lived before the day."""
    counts = count_risk_sets(seen)
    n_at_risk = counts["n_at_risk"].clip(lower=1)  # at an age nobody was seen, nobody left
    hazard = np.append(0.0, (counts["n_churned"] / n_at_risk).cumsum())
    ages = counts["time_days"].to_numpy()
    lived = (np.minimum(end, day - 1) - start for day in days)
    return np.array([hazard[np.searchsorted(ages, age, side="right")].sum() for age in lived])
