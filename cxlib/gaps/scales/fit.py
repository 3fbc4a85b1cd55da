"""How well a factor model reproduces what was observed, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import optimize, stats

from cxlib.gaps.scales.model import Solution, implied
from cxlib.gaps.scales.moments import Moments

# Models whose true CFI is below this leave too much unexplained to be read (Bentler and Bonett).
ACCEPTABLE_CFI = 0.90
# The loss of CFI beyond which equal parameters are not equal (Cheung and Rensvold).
CFI_LOSS = 0.010
SURE = 0.80  # a verdict less certain than this is called undecided


def measure_fit(
    groups: Sequence[Moments], solution: Solution, *, conf_level: float
) -> dict[str, float]:
    """Measure the fit of a model.

    Parameters
    ----------
    groups : sequence of Moments
        What the model was fitted to.
    solution : Solution
        The model.
    conf_level : float
        Level of the interval of RMSEA.

    Returns
    -------
    dict of str to float
        `n`, `chi2`, `df`, `p_value`, `cfi`, `tli`, `rmsea`, `conf_low`, `conf_high`, `srmr`,
        `p_acceptable` (how sure it is that the true CFI is .90 or more). A model with df 0
        reproduces everything and has no fit: all but the first three are NaN.

    Notes
    -----
    With d = max(chi2 - df, 0), and 0 for the model without correlations: CFI = 1 - d / max(d,
    d0); TLI = (chi2_0 / df_0 - chi2 / df) / (chi2_0 / df_0 - 1); RMSEA = sqrt(g d / (df N)) for g
    groups, its interval from the noncentral chi-squared distribution; SRMR is the root mean
    square of correlation residuals (means left out), weighted by group size.

    References
    ----------
    .. [1] P. M. Bentler (1990). Comparative fit indexes in structural models. Psychological
           Bulletin 107, 238-246.
    .. [2] J. H. Steiger (1998). A note on multiple sample extensions of the RMSEA fit index.
           Structural Equation Modeling 5, 411-419.
    .. [3] L. Hu, P. M. Bentler (1999). Cutoff criteria for fit indexes in covariance structure
           analysis. Structural Equation Modeling 6, 1-55.
    """
    n = sum(moments.n for moments in groups)
    measures: dict[str, float] = {"n": n, "chi2": solution.chi2, "df": solution.df}
    chi2, df = solution.chi2, solution.df
    names = ("p_value", "cfi", "tli", "rmsea", "conf_low", "conf_high", "srmr", "p_acceptable")
    if df == 0:
        return measures | dict.fromkeys(names, np.nan)
    base_chi2, base_df = fit_baseline(groups)
    excess, base_excess = max(chi2 - df, 0.0), max(base_chi2 - base_df, 0.0)
    worst = max(excess, base_excess)
    base_ratio = base_chi2 / base_df
    ends = [
        np.sqrt(len(groups) * _noncentrality(chi2, df, share) / (df * n))
        for share in (0.5 + conf_level / 2, 0.5 - conf_level / 2)
    ]
    return measures | {
        "p_value": float(stats.chi2.sf(chi2, df)),
        "cfi": 1 - excess / worst if worst > 0 else 1.0,
        "tli": (base_ratio - chi2 / df) / (base_ratio - 1) if base_ratio != 1 else np.nan,
        "rmsea": float(np.sqrt(len(groups) * excess / (df * n))),
        "conf_low": ends[0],
        "conf_high": ends[1],
        "srmr": _srmr(groups, solution),
        "p_acceptable": chance_loss_below(1 - ACCEPTABLE_CFI, chi2, df, base_excess=base_excess),
    }


def fit_baseline(groups: Sequence[Moments]) -> tuple[float, int]:
    """Fit the model in which no item goes with any other.

    Parameters
    ----------
    groups : sequence of Moments
        One per group.

    Returns
    -------
    tuple of float and int
        Chi-squared and its degrees of freedom.
    """
    chi2 = sum(
        moments.n
        * (np.log(np.diag(moments.covariance)).sum() - np.linalg.slogdet(moments.covariance)[1])
        for moments in groups
    )
    k = len(groups[0].mean)
    return float(chi2), len(groups) * k * (k - 1) // 2


def chance_loss_below(loss: float, chi2: float, df: int, *, base_excess: float) -> float:
    """Tell how sure it is that the true loss of CFI is no larger than a limit.

    Parameters
    ----------
    loss : float
        The limit, 0.01 for a hundredth of CFI.
    chi2 : float
        Chi-squared of a model, or the difference of two nested models.
    df : int
        Its degrees of freedom.
    base_excess : float
        Chi-squared less degrees of freedom of the model without correlations.

    Returns
    -------
    float
        Between 0 and 1.

    Notes
    -----
    Chi-squared estimates a noncentrality l, and l / base_excess is the loss of CFI in the
    population. P(chi2 or more | l = loss x base_excess) is the confidence that l is no larger: the
    p-value of the equivalence test turned round. With loss 0 it is the usual p-value, so a small
    survey is not rewarded for seeing nothing, and a huge one not punished for seeing a trifle.

    References
    ----------
    .. [1] K.-H. Yuan, W. Chan (2016). Measurement invariance via multigroup SEM: issues and
           solutions with chi-square-difference tests. Psychological Methods 21, 405-426.
    """
    return _at_least(max(chi2, 0.0), df, loss * base_excess)


def _at_least(chi2: float, df: int, noncentrality: float) -> float:
    """Return P(chi-squared or more), from the normal law where the exact sum is too long."""
    if chi2 + noncentrality < 1e4:
        return float(stats.ncx2.sf(chi2, df, noncentrality))
    mean, variance = df + noncentrality, 2 * (df + 2 * noncentrality)
    return float(stats.norm.sf((chi2 - mean) / np.sqrt(variance)))


def _noncentrality(chi2: float, df: int, share: float) -> float:
    """Find the noncentrality at which a share of chi-squared values is below the observed."""
    if stats.chi2.cdf(chi2, df) < share:
        return 0.0
    top = chi2 + 10 * np.sqrt(chi2 + df) + 100
    return float(optimize.brentq(lambda at: 1 - _at_least(chi2, df, at) - share, 0.0, top))


def _srmr(groups: Sequence[Moments], solution: Solution) -> float:
    """Compare observed and implied covariances in units of observed deviations."""
    total = 0.0
    for moments, own in zip(groups, solution.values, strict=True):
        size = np.sqrt(np.diag(moments.covariance))
        off = moments.covariance - implied(solution.structure.factor, own)[1]
        residuals = (off / np.outer(size, size))[np.tril_indices(len(size))]
        total += moments.n * float(np.sqrt(np.mean(residuals**2)))
    return total / sum(moments.n for moments in groups)
