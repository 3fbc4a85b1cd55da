"""The hazard a customer faces over a stretch of days, with its uncertainty."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cxlib.churn.hazard.cox import CoxFit
from cxlib.errors import InputError


def predict_hazard(
    fit: CoxFit,
    design: pd.DataFrame,
    *,
    from_days: ArrayLike,
    to_days: ArrayLike,
    strata: NDArray[np.intp] | None = None,
) -> pd.DataFrame:
    """Predict the cumulative hazard of customers over a stretch of their age.

    Parameters
    ----------
    fit : CoxFit
        The fitted model.
    design : pandas.DataFrame, shape (n, p)
        Customers in the columns of the model, one a row.
    from_days, to_days : float or array_like of float, shape (n,)
        Age of each customer at the two ends; the hazard is that of ``from < t <= to``. A negative
        `from_days` counts day 0 as well, as for a customer who has not begun.
    strata : ndarray of int, shape (n,), optional
        Stratum of each row, numbered as in the fit; 0 by default, -1 where it is not known.

    Returns
    -------
    pandas.DataFrame
        One row per row of `design`, under its index: `hazard` (cumulative), `std_error` (of it).
        Missing where a covariate or the stratum is, and where nobody of the stratum was observed
        at some age of the stretch: before the first entry, in a hole, after the last day.

    Raises
    ------
    InputError
        When the columns are not those of the model.

    Notes
    -----
    The chance of leaving in the stretch, given that the customer was there at its beginning, is
    1 - exp(-hazard). The variance adds that of the baseline increments, coefficients known, and
    that of the coefficients (Tsiatis' estimator): with H(x) = exp(b'x) A and D its derivative,
    Var = exp(2 b'x) V(A) + D'VD. Equal to R's ``survfit(coxph(...), newdata)``.

    References
    ----------
    .. [1] A. A. Tsiatis (1981). A large sample study of Cox's regression model. Annals of
           Statistics 9, 93-108.
    .. [2] T. M. Therneau, P. M. Grambsch (2000). Modeling Survival Data, section 10.2.
    """
    if list(map(str, design.columns)) != fit.terms:
        raise InputError(
            f"The columns are {list(design.columns)}, those of the model {fit.terms}.",
            "parameter 'design'",
            "lay the customers out with the design of the model",
        )
    n = len(design)
    apart = design.to_numpy(float) - fit.center
    start = np.broadcast_to(np.asarray(from_days, dtype=float), n)
    stop = np.broadcast_to(np.asarray(to_days, dtype=float), n)
    stratum = np.zeros(n, dtype=int) if strata is None else np.asarray(strata)
    hazard, variance = np.full(n, np.nan), np.full(n, np.nan)
    for number, days in fit.baseline.groupby("stratum"):
        rows = np.flatnonzero(stratum == number)
        times = days["time_days"].to_numpy()
        low = np.searchsorted(times, start[rows], side="right")
        high = np.maximum(np.searchsorted(times, stop[rows], side="right"), low)
        steps = np.column_stack([days[["hazard", "variance"]], fit.baseline_means[days.index]])
        so_far = np.vstack([np.zeros(steps.shape[1]), np.cumsum(steps, axis=0)])
        stretch = so_far[high] - so_far[low]
        ratio = np.exp(apart[rows] @ fit.estimates)
        slope = apart[rows] * stretch[:, :1] - stretch[:, 2:]
        spread = np.einsum("ij,jk,ik->i", slope, fit.covariance, slope)
        hazard[rows] = ratio * stretch[:, 0]
        variance[rows] = ratio**2 * (stretch[:, 1] + spread)
    for hole in fit.unseen.itertuples():
        inside = (stratum == hole.stratum) & (start < hole.to_days) & (stop > hole.from_days)
        hazard[inside] = variance[inside] = np.nan
    unknown = np.isnan(start) | np.isnan(stop)
    hazard[unknown] = variance[unknown] = np.nan
    return pd.DataFrame({"hazard": hazard, "std_error": np.sqrt(variance)}, index=design.index)
