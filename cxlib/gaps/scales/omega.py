"""Reliabilities that are ratios of variances, with intervals that need no normal answers."""

from __future__ import annotations

import numpy as np

from cxlib.gaps.scales.model import Solution, blocks, implied
from cxlib.gaps.scales.moments import spaced_rows
from cxlib.stats import Floats, normal_quantile


def estimate_omega(
    solution: Solution, rows: Floats, *, conf_level: float
) -> tuple[float, float, float]:
    """Estimate omega total of a one-factor (congeneric) model, omega-u.

    Parameters
    ----------
    solution : Solution
        A one-factor model with factor variance 1.
    rows : ndarray, respondents x items
        The complete rows it was fitted to.
    conf_level : float
        Confidence level.

    Returns
    -------
    tuple of float
        Omega, lower and upper end; NaN when the search failed or a residual variance is negative.

    Notes
    -----
    omega = (sum of loadings)^2 / ((sum of loadings)^2 + sum of residual variances). The influence
    of a respondent on it is z' G z, z his or her deviations from the means and G the gradient of
    omega by the covariances; the variance of these influences over n is that of omega, whatever
    the distribution of answers. With more than 20,000 respondents it is taken from 20,000 of them.

    References
    ----------
    .. [1] A. Maydeu-Olivares, D. L. Coffman, W. M. Hartmann (2007). Asymptotically
           distribution-free (ADF) interval estimation of coefficient alpha. Psychological Methods
           12, 157-176.
    .. [2] K.-H. Yuan, P. M. Bentler (2002). On robustness of the normal-theory based asymptotic
           distributions of three reliability coefficient estimates. Psychometrika 67, 251-259.
    """
    part, values = blocks(solution.structure.factor), solution.values[0]
    loading, residual = values[part["loadings"]], values[part["residuals"]]
    if not solution.is_converged or (residual < 0).any():
        return (np.nan, np.nan, np.nan)
    true, error = loading.sum() ** 2, residual.sum()
    omega = float(true / (true + error))
    slope = np.zeros(len(values))
    slope[part["loadings"]] = 2 * loading.sum() * error / (true + error) ** 2
    slope[part["residuals"]] = -true / (true + error) ** 2
    # a respondent's pull on the parameters, weighted by what they do to omega
    weight = len(rows) * solution.covariance_of(0) @ slope
    inverse = np.linalg.inv(implied(solution.structure.factor, values)[1])
    turned = (spaced_rows(rows) - rows.mean(axis=0)) @ inverse
    influence = (turned @ weight[part["loadings"]]) * (turned @ loading)
    influence += 0.5 * turned**2 @ weight[part["residuals"]]
    return ratio_interval(omega, influence, len(rows), conf_level=conf_level)


def ratio_interval(
    estimate: float, influence: Floats, n: int, *, conf_level: float
) -> tuple[float, float, float]:
    """Compute the interval of a share of variance from the influence of each respondent.

    Parameters
    ----------
    estimate : float
        At most 1.
    influence : ndarray, one value per respondent
        First-order effect of the respondent on the estimate, up to a constant.
    n : int
        Respondents the estimate rests on; `influence` may hold a part of them.
    conf_level : float
        Confidence level.

    Returns
    -------
    tuple of float
        The estimate, lower and upper end, on the scale of log(1 - estimate), which keeps the
        interval below 1.
    """
    if not estimate < 1 or len(influence) < 2:
        return estimate, np.nan, np.nan
    error = float(influence.std(ddof=1) / np.sqrt(n))
    factor = np.exp(normal_quantile(conf_level) * error / (1 - estimate))
    return estimate, float(1 - (1 - estimate) * factor), float(1 - (1 - estimate) / factor)
