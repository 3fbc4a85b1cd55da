"""Who is known to have left or stayed by a day, and how much each of them counts for others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.errors import InputError, TooLittleData
from cxlib.schema import check_table
from cxlib.stats import Floats

PREDICTIONS = ("customer_id", "churn_probability", "time_days", "churned")
# Fewer who left, or who stayed, than this and no measure of a forecast has a useful interval.
FEWEST = 10


@dataclass(frozen=True)
class Outcomes:
    """Predictions beside what became of the customers, laid out for weighting.

    Parameters
    ----------
    probability : ndarray of float, shape (n,)
        Predicted probability of having left by the horizon.
    left : ndarray of float, shape (n,)
        1 where the customer is known to have left by the horizon.
    stayed : ndarray of float, shape (n,)
        1 where the customer is known to have stayed until the horizon.
    when : ndarray of int, shape (n,)
        Number of the customer's day among the distinct days.
    churned : ndarray of float, shape (n,)
        1 where the day ends in churn, 0 where in censoring.
    n_times : int
        Distinct days.
    horizon_time : int
        Number of the first day that is not before the horizon.
    """

    probability: Floats
    left: Floats
    stayed: Floats
    when: NDArray[np.intp]
    churned: Floats
    n_times: int
    horizon_time: int

    def weigh(self, counts: Floats | None = None) -> Floats:
        """Compute the censoring weights of a sample.

        Parameters
        ----------
        counts : ndarray of float, shape (n,), optional
            How often each customer is in a resample; once each by default.

        Returns
        -------
        ndarray of float, shape (n,)
            Weights times counts; 0 where it is not known whether the customer left.
        """
        counts = np.ones(len(self.left)) if counts is None else counts
        known = self.left + self.stayed
        if known.all():
            return counts
        here = self._stay_uncensored(counts)
        index = np.where(self.left > 0, self.when, min(self.horizon_time, self.n_times - 1))
        share = here[index]
        return np.divide(counts * known, share, out=np.zeros_like(share), where=share > 0)

    def _stay_uncensored(self, counts: Floats) -> Floats:
        """Kaplan-Meier of censoring just before each day; who churns on a day does so first."""
        ends = np.bincount(self.when, counts, self.n_times)
        churned = np.bincount(self.when, counts * self.churned, self.n_times)
        at_risk = np.cumsum(ends[::-1])[::-1] - churned
        lost = np.divide(ends - churned, at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)
        return np.append(1.0, np.cumprod(1 - lost)[:-1])


def read_outcomes(predictions: pd.DataFrame, *, horizon_days: float) -> Outcomes:
    """Lay out predictions and outcomes for weighting by the chance of being observed.

    Parameters
    ----------
    predictions : pandas.DataFrame, one row per customer
        Columns `customer_id`, `churn_probability` (of leaving within the horizon), `time_days`
        (observed from the day of the prediction on), `churned` (whether that time ended in churn).
    horizon_days : float
        Days from the prediction to the judgement.

    Returns
    -------
    Outcomes
        Of all customers, in their order.

    Raises
    ------
    InputError
        When a column is missing, a probability is not between 0 and 1, or a time is negative.
    TooLittleData
        When fewer than ten left, or fewer than ten are known to have stayed.

    Notes
    -----
    A customer known to have left on day T counts 1/G(T-), one known to have stayed until the
    horizon t counts 1/G(t-), one lost before it counts 0. G(s-) is the Kaplan-Meier probability of
    not being censored before day s. On equal days churn comes before censoring: who is censored on
    the day of a churn was at risk of it, and who is censored on the day of the horizon has stayed.
    This is the convention of `brier` in R's survival package. With this G the weights add up to
    the number of customers and the weighted share that left equals one less Kaplan-Meier.
    Censoring is taken to be independent of churn.

    References
    ----------
    .. [1] E. Graf, C. Schmoor, W. Sauerbrei, M. Schumacher (1999). Assessment and comparison of
           prognostic classification schemes for survival data. Statistics in Medicine 18,
           2529-2545.
    .. [2] T. A. Gerds, M. Schumacher (2006). Consistent estimation of the expected Brier score.
           Biometrical Journal 48, 1029-1040.
    """
    table = check_table(predictions, PREDICTIONS, table="predictions")
    probability = pd.to_numeric(table["churn_probability"], errors="coerce").to_numpy(float)
    time = pd.to_numeric(table["time_days"], errors="coerce").to_numpy(float)
    for bad, name, fix in (
        (
            ~((probability >= 0) & (probability <= 1)),
            "churn_probability",
            "give shares from 0 to 1",
        ),
        (~(time >= 0), "time_days", "count days from the prediction on"),
    ):
        if bad.any():
            raise InputError(
                f"{int(bad.sum()):,} values of {name} cannot be used.",
                f"table 'predictions', customer_id {table.loc[bad, 'customer_id'].iloc[0]!r}",
                fix,
            )
    churned = table["churned"].to_numpy(bool)
    left = churned & (time <= horizon_days)
    stayed = ~left & (time >= horizon_days)
    for n, what in ((left.sum(), "left within"), (stayed.sum(), "are known to have stayed for")):
        if n < FEWEST:
            raise TooLittleData(
                f"{n} customers {what} the {horizon_days:g} days: too few to judge predictions; "
                f"at least {FEWEST} are needed."
            )
    times, when = np.unique(time, return_inverse=True)
    return Outcomes(
        probability=probability,
        left=left.astype(float),
        stayed=stayed.astype(float),
        when=when,
        churned=churned.astype(float),
        n_times=len(times),
        horizon_time=int(np.searchsorted(times, horizon_days, side="left")),
    )
