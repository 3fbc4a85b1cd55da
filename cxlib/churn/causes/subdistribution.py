"""Fine and Gray's likelihood from the same sums by day as Cox's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from cxlib.churn.hazard.cox import fit_rows
from cxlib.churn.hazard.risk_sets import Rows, find_unseen, lay_out_rows
from cxlib.errors import TooLittleData
from cxlib.stats import Floats

Integers = NDArray[np.intp]


@dataclass(frozen=True)
class SubdistributionRows(Rows):
    """Rows of which some stay at risk after their end, with a weight that changes by day.

    Parameters
    ----------
    stayers : ndarray of int, shape (m,)
        Rows that left for another cause.
    factor : ndarray of float, shape (m,)
        What the weight of each of them on a day is, over that of the day.
    by_day : ndarray of float, shape (n_days,)
        Weight of the day; 0 after the last.
    """

    stayers: Integers
    factor: Floats
    by_day: Floats

    def total(self, risk: Floats, values: Floats) -> tuple[Floats, Floats]:
        """Sum values times risk by day, over those at risk and over those who leave.

        Parameters
        ----------
        risk : ndarray of float, shape (n,)
            Factor of each row.
        values : ndarray of float, shape (n, q)
            What is summed.

        Returns
        -------
        tuple of ndarray, shape (n_days, q)
            Sums over the risk sets, and over the ends.
        """
        at_risk, tied = super().total(risk, values)
        kept = risk[self.stayers] * self.factor
        place = (self.last[self.stayers], np.arange(len(kept)))
        begun = sparse.csr_array((kept, place), shape=(self.n_days, len(kept)))
        stayed = np.cumsum(begun @ values[self.stayers], axis=0)
        return at_risk + self.by_day[:, None] * stayed, tied

    def spend(self, by_day: Floats, of_ties: Floats) -> Floats:
        """Sum values of the days over the days each row was at risk, by its weight on them.

        Parameters
        ----------
        by_day : ndarray of float, shape (n_days,)
            Values of the days.
        of_ties : ndarray of float, shape (n_days,)
            What a row that leaves does not take of its last day.

        Returns
        -------
        ndarray of float, shape (n,)
            One sum a row.
        """
        spent = super().spend(by_day, of_ties)
        so_far = np.append(0.0, np.cumsum(by_day * self.by_day))
        spent[self.stayers] += self.factor * (so_far[-1] - so_far[self.last[self.stayers]])
        return spent


def fit_subdistribution(
    entry: Floats,
    duration: Floats,
    churned: NDArray[np.bool_],
    competing: NDArray[np.bool_],
    design: pd.DataFrame,
    *,
    clusters: Integers,
) -> tuple[Floats, Floats]:
    """Fit Fine and Gray's proportional subdistribution hazards.

    Parameters
    ----------
    entry, duration : ndarray of float, shape (n,)
        A lifetime is at risk on ``entry < t <= duration``; a negative entry counts day 0 as well.
    churned : ndarray of bool, shape (n,)
        Whether it ended for the cause.
    competing : ndarray of bool, shape (n,)
        Whether it ended for another one.
    design : pandas.DataFrame, shape (n, p)
        One column of numbers a term.
    clusters : ndarray of int, shape (n,)
        Lifetimes of one customer share a number from 0 on.

    Returns
    -------
    tuple of ndarray, shapes (p,) and (p, p)
        Log hazard ratios, and their sandwich covariance over clusters.

    Raises
    ------
    TooLittleData
        When the likelihood has no maximum (see `fit_cox`), or observation has a hole.

    Notes
    -----
    Who left for another cause on day s stays at risk on the later days t with the weight
    g(t) / g(s), the chance to be still under observation: g = G(t-) H(t-), see `weigh_days`.
    Efron's ties. R's ``finegray`` splits such a lifetime on every day on which g changes; here the
    weight is a number of the lifetime times one of the day, so that all of them are one cumulated
    sum, and the cost is that of an ordinary Cox fit. The sandwich takes g as known, as does
    ``coxph(..., weights = fgwt, cluster = id)``, whose numbers these are; ``cmprsk::crr`` adds the
    small part that is due to estimating it.

    References
    ----------
    .. [1] J. P. Fine, R. J. Gray (1999). A proportional hazards model for the subdistribution of a
           competing risk. JASA 94, 496-509.
    .. [2] R. B. Geskus (2011). Cause-specific cumulative incidence estimation and the Fine and
           Gray model under both left truncation and right censoring. Biometrics 67, 39-49.
    """
    plain = lay_out_rows(entry, duration, churned, strata=None, weights=None, is_efron=True)
    stayers = np.flatnonzero(competing)
    days = plain.days["time_days"].to_numpy()[:-1]
    ended = churned | competing
    own = weigh_days(entry, duration, ended, duration[stayers])
    if (own[plain.last[stayers] < len(days)] <= 0).any():
        raise TooLittleData(
            "Nobody is under observation all through from the first days to the later ones: how "
            "many would still be observed cannot be told."
        )
    rows = SubdistributionRows(
        **vars(plain),
        stayers=stayers,
        factor=np.divide(1.0, own, out=np.zeros_like(own), where=own > 0),
        by_day=np.append(weigh_days(entry, duration, ended, days), 0.0),
    )
    fit = fit_rows(rows, design, unseen=find_unseen(entry, duration, None), clusters=clusters)
    return fit.estimates, fit.covariance


def weigh_days(entry: Floats, duration: Floats, ended: NDArray[np.bool_], times: Floats) -> Floats:
    """Estimate the chance to be under observation on given days, had nobody left.

    Parameters
    ----------
    entry, duration : ndarray of float, shape (n,)
        Under observation on ``entry < t <= duration``.
    ended : ndarray of bool, shape (n,)
        Whether the lifetime ended, for any cause; else it was censored.
    times : ndarray of float, shape (k,)
        Days.

    Returns
    -------
    ndarray of float, shape (k,)
        G(t-) H(t-), up to a constant factor: G the product-limit estimate of not being censored,
        H of having entered, by looking back from the last day. On one day ends come before
        censoring, and that before entry.
    """
    known = np.union1d(entry, duration)
    begun = np.bincount(np.searchsorted(known, entry), minlength=len(known))
    gone = np.searchsorted(known, duration)
    left = np.bincount(gone[ended], minlength=len(known))
    censored = np.bincount(gone[~ended], minlength=len(known))
    entered = np.cumsum(begun)
    after = np.cumsum(left + censored)
    # at risk of censoring: entered before the day and neither gone before nor leaving on it
    exposed = entered - begun - (after - censored)
    observed = np.cumprod(1 - censored / np.maximum(exposed, 1))
    # at risk of having just entered: under observation right after the day
    present = np.maximum(entered - after, 1)
    joined = np.append(np.cumprod((1 - begun / present)[::-1])[::-1], 1.0)
    place = np.searchsorted(known, times, side="left")
    return np.asarray(np.append(1.0, observed)[place] * joined[place], dtype=float)
