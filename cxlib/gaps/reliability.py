"""How consistently items measure one thing."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats


def cronbach_alpha(
    ratings: pd.DataFrame, *, conf_level: float = 0.95
) -> tuple[float, float, float]:
    """Compute Cronbach's alpha with its interval.

    Parameters
    ----------
    ratings : pandas.DataFrame, one row per respondent, one column per item
        Numbers; missing values allowed.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    tuple of float
        Alpha, lower and upper end; NaN with fewer than two items, fewer than two respondents who
        answered each pair of items, or no variance.

    Notes
    -----
    alpha = k / (k - 1) * (1 - trace(C) / sum(C)) with C the covariances of the k items, each over
    the respondents who answered both items. The interval is Feldt's, with n the smallest
    number of respondents behind any covariance. Alpha may be negative.

    References
    ----------
    .. [1] L. J. Cronbach (1951). Coefficient alpha and the internal structure of tests.
           Psychometrika 16, 297-334.
    .. [2] L. S. Feldt, D. J. Woodruff, F. A. Salih (1987). Statistical inference for coefficient
           alpha. Applied Psychological Measurement 11, 93-103.

    Examples
    --------
    >>> cronbach_alpha(pd.DataFrame({"a": [1, 2, 3], "b": [1, 2, 3]}))[0]
    1.0
    """
    nothing = (np.nan, np.nan, np.nan)
    k = ratings.shape[1]
    if k < 2:
        return nothing
    known = ratings.notna().to_numpy(dtype=float)
    n = int((known.T @ known).min())
    if n < 2:
        return nothing
    covariances = ratings.cov().to_numpy()
    total = covariances.sum()
    if not total > 1e-12:
        return nothing
    alpha = float(k / (k - 1) * (1 - np.trace(covariances) / total))
    tail = (1 - conf_level) / 2
    f = stats.f(n - 1, (n - 1) * (k - 1))
    return alpha, float(1 - (1 - alpha) * f.isf(tail)), float(1 - (1 - alpha) * f.ppf(tail))
