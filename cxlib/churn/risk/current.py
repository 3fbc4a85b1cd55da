"""Who is still here, how old, and how far ahead older customers show the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.churn.hazard.design import number_lifetimes
from cxlib.errors import InputError, TooLittleData
from cxlib.schema import check_table
from cxlib.stats import Floats


def find_current(lifetimes: pd.DataFrame) -> pd.DataFrame:
    """Find the customers who are still here, with the row that tells of today.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime, or per stretch of one
        As `check_lifetimes` returns them.

    Returns
    -------
    pandas.DataFrame
        One row per customer, the last stretch of a lifetime. Not among them: who churned, and who
        left for a reason that does not count as churn (censored, with an `end_reason`).

    Raises
    ------
    InputError
        When a customer is still here in two lifetimes.
    TooLittleData
        When nobody is.
    """
    last = pd.Series(number_lifetimes(lifetimes), index=lifetimes.index)
    ordered = lifetimes.assign(_lifetime=last).sort_values("duration_days", kind="stable")
    rows = ordered.drop_duplicates("_lifetime", keep="last").drop(columns="_lifetime").sort_index()
    here = ~rows["churned"]
    if "end_reason" in rows.columns:
        here &= rows["end_reason"].fillna("").astype(str).str.strip() == ""
    return check_current(rows[here])


def check_current(current: pd.DataFrame) -> pd.DataFrame:
    """Check that there are customers to predict for, each once and of a known age.

    Parameters
    ----------
    current : pandas.DataFrame
        Who is still here: `customer_id`, `duration_days` (age today).

    Returns
    -------
    pandas.DataFrame
        The same rows with a fresh index.

    Raises
    ------
    InputError
        When a customer is there twice, or an age is missing or negative.
    TooLittleData
        When nobody is still here.
    """
    if current.empty:
        raise TooLittleData("Nobody is still here: there is nobody to predict for.")
    check_table(current, ("customer_id", "duration_days"), table="current customers")
    age = pd.to_numeric(current["duration_days"], errors="coerce")
    for bad, problem, fix in (
        (~(age >= 0), "have no age", "give the days since the start in duration_days"),
        (
            current["customer_id"].duplicated(),
            "are still here in two lifetimes",
            "join their periods, or leave out all but one",
        ),
    ):
        if bad.any():
            raise InputError(
                f"{int(bad.sum()):,} customers {problem}.",
                f"table 'lifetimes', customer_id {current.loc[bad, 'customer_id'].iloc[0]!r}",
                fix,
            )
    return current.assign(duration_days=age.astype(float)).reset_index(drop=True)


@dataclass(frozen=True)
class Followed:
    """How many were under observation at each age.

    Parameters
    ----------
    edges : ndarray of float, shape (k,)
        Ages at which the number changes.
    n_at_risk : ndarray of float, shape (k,)
        Lifetimes under observation after each edge, the next included; 0 after the last.
    """

    edges: Floats
    n_at_risk: Floats

    def reach(self, ages: Floats, *, horizon_days: float, min_cell: int) -> Floats:
        """Cut the horizon of customers to the ages at which enough others were observed.

        Parameters
        ----------
        ages : ndarray of float, shape (n,)
            Age of each customer.
        horizon_days : float
            Days wanted.
        min_cell : int
            Lifetimes under observation that are enough.

        Returns
        -------
        ndarray of float, shape (n,)
            Days from the age on through which there are always as many, at most those wanted.
        """
        thin = np.flatnonzero(self.n_at_risk < max(min_cell, 1))
        at = np.searchsorted(self.edges, ages, side="right") - 1
        # the stretch after the last edge is thin, so there is always a next one
        stop = self.edges[thin[np.searchsorted(thin, at)]]
        days = np.clip(stop - ages, 0, horizon_days)
        return np.where(at >= 0, days, 0.0)

    def fewest(self, ages: Floats, horizons: Floats) -> Floats:
        """Find the smallest number under observation over the ages ahead.

        Parameters
        ----------
        ages, horizons : ndarray of float, shape (n,)
            Age of each customer, and days ahead.

        Returns
        -------
        ndarray of float, shape (n,)
            The least number from each age to the end of its horizon.
        """
        first = np.maximum(np.searchsorted(self.edges, ages, side="right") - 1, 0)
        last = np.searchsorted(self.edges, ages + horizons, side="left")
        bounds = np.column_stack([first, np.maximum(last, first + 1)])
        pairs, which = np.unique(bounds, axis=0, return_inverse=True)
        least = np.array([self.n_at_risk[a:b].min() for a, b in pairs])
        return np.asarray(least[which.ravel()], dtype=float)


def count_followed(lifetimes: pd.DataFrame) -> Followed:
    """Count who was under observation at each age.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime, or per stretch of one
        As `check_lifetimes` returns them.

    Returns
    -------
    Followed
        A row is under observation for ``entry_days < t <= duration_days``.
    """
    entry = lifetimes["entry_days"].to_numpy(float)
    duration = lifetimes["duration_days"].to_numpy(float)
    edges = np.unique(np.concatenate([entry, duration]))
    change = np.bincount(np.searchsorted(edges, entry), minlength=len(edges))
    change = change - np.bincount(np.searchsorted(edges, duration), minlength=len(edges))
    return Followed(edges, np.cumsum(change).astype(float))
