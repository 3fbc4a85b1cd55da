"""The outcome as an order of answers: proportional odds, in the sample and in every draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cxlib.gaps.drivers.moments import draw_correlations
from cxlib.gaps.means import Codes
from cxlib.gaps.resample import sum_products
from cxlib.stats import Floats

_STEPS = 50
_LOGISTIC_VARIANCE = np.pi**2 / 3


@dataclass(frozen=True)
class ProportionalOdds:
    """A proportional-odds model, logit P(Y <= j) = threshold_j - x b.

    Parameters
    ----------
    coefficients : ndarray of shape (p,)
        Positive = goes with higher answers.
    thresholds : ndarray of shape (n_levels - 1,)
        Ascending.
    information : ndarray of shape (p + n_levels - 1,) squared
        Observed information, coefficients first; its inverse is their covariance.
    log_likelihood : float
        At the estimate.
    """

    coefficients: Floats
    thresholds: Floats
    information: Floats
    log_likelihood: float


def fit_proportional_odds(x: Floats, levels: Codes, weights: Floats) -> ProportionalOdds | None:
    """Fit a proportional-odds model by Newton's method.

    Parameters
    ----------
    x : ndarray of shape (n, p)
        Drivers, none missing, without a constant.
    levels : ndarray of int, shape (n,)
        Answer of each row, 0 to the number of levels less one, each given by somebody.
    weights : ndarray of shape (n,)
        Weight (or frequency) of each row.

    Returns
    -------
    ProportionalOdds or None
        None when there is no finite estimate: a driver sets the answers apart without overlap, or
        drivers are collinear.

    References
    ----------
    .. [1] P. McCullagh (1980). Regression models for ordinal data. JRSS B 42, 109-142.
    """
    p, n_levels = x.shape[1], int(levels.max()) + 1
    mass = np.bincount(levels, weights, minlength=n_levels)
    below = np.cumsum(mass)[:-1] / mass.sum()
    parameters = np.concatenate([np.zeros(p), np.log(below / (1 - below))])
    fit = _evaluate(parameters, x, levels, weights)
    for _ in range(_STEPS):
        score = np.concatenate([part.sum(axis=0) for part in _scores(fit, x, levels, weights)])
        information = _information(fit, x, levels, weights, np.zeros(len(x), dtype=np.intp))
        information = information.reshape(len(parameters), -1)
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            return None
        if score @ step < 1e-10 * mass.sum():  # a last step squares what is left
            size = float(np.abs(x * parameters[:p]).max(initial=0.0))
            is_finite = size < 100 and np.linalg.cond(information) < 1e12
            parameters = parameters + step
            own = ProportionalOdds(parameters[:p], parameters[p:], information, fit[0])
            return own if is_finite else None
        for _ in range(30):
            trial = _evaluate(parameters + step, x, levels, weights)
            if trial[0] >= fit[0]:
                break
            step = step / 2
        parameters, fit = parameters + step, trial
    return None


_Fit = tuple[float, Floats, Floats, Floats]


def _evaluate(parameters: Floats, x: Floats, levels: Codes, weights: Floats) -> _Fit:
    """Return the log-likelihood and, by row, P(Y <= level), P(Y < level) and P(Y = level)."""
    p = x.shape[1]
    ends = np.concatenate([[-np.inf], parameters[p:], [np.inf]])
    linear = x @ parameters[:p]
    upper, lower = ends[levels + 1] - linear, ends[levels] - linear
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        at_most, less = 1 / (1 + np.exp(-upper)), 1 / (1 + np.exp(-lower))
        # the difference on the side where both are small, so that it keeps its digits
        turned = 1 / (1 + np.exp(lower)) - 1 / (1 + np.exp(upper))
        exactly = np.where(lower > 0, turned, at_most - less)
        terms = np.where(weights > 0, weights * np.log(exactly), 0.0)
    total = float(terms.sum())
    return total if np.isfinite(total) else -np.inf, at_most, less, exactly


def _scores(fit: _Fit, x: Floats, levels: Codes, weights: Floats) -> tuple[Floats, Floats]:
    """Return each row's derivative by the coefficients and by the thresholds."""
    _, at_most, less, exactly = fit
    upper, lower = at_most * (1 - at_most), less * (1 - less)
    by_threshold = _mark(levels, upper / exactly, lower / exactly, sign=-1.0)
    return (-weights * (1 - at_most - less))[:, None] * x, weights[:, None] * by_threshold


def _information(fit: _Fit, x: Floats, levels: Codes, weights: Floats, blocks: Codes) -> Floats:
    """Sum the observed information over the rows of each block."""
    _, at_most, less, exactly = fit
    upper, lower = at_most * (1 - at_most), less * (1 - less)
    zero = np.zeros_like(upper)
    # second derivatives of log P(Y = level) are three squares: of each end, and of both together
    sides = (
        (np.sqrt(weights * upper), _mark(levels, zero + 1, zero)),
        (np.sqrt(weights * lower), _mark(levels, zero, zero + 1)),
    )
    total: Floats | float = 0.0
    for root, ends in sides:
        design = np.hstack([-x, ends]) * root[:, None]
        total = total + sum_products(design, design, blocks)
    both = np.sqrt(weights * upper * lower) / exactly
    design = np.hstack([np.zeros_like(x), _mark(levels, both, both, sign=-1.0)])
    return np.asarray(total + sum_products(design, design, blocks))


def _mark(levels: Codes, upper: Floats, lower: Floats, *, sign: float = 1.0) -> Floats:
    """Put a number at the threshold above each row's level, and one at the threshold below."""
    rows = np.arange(len(levels))
    marks = np.zeros((len(levels), int(levels.max()) + 2))
    marks[rows, levels + 1] = upper
    marks[rows, levels] += sign * lower
    return marks[:, 1:-1]  # no threshold below the lowest level nor above the highest


def draw_latent_correlations(
    x: Floats, levels: Codes, weights: Floats, blocks: Codes, counts: Floats
) -> Floats | None:
    """Compute correlations of drivers with the latent outcome of a proportional-odds model.

    Parameters
    ----------
    x : ndarray of shape (n, p)
        Drivers, none missing.
    levels : ndarray of int, shape (n,)
        Answer of each row, as :func:`fit_proportional_odds` takes it.
    weights : ndarray of shape (n,)
        Survey weights.
    blocks : ndarray of int, shape (n,)
        Block of each row.
    counts : ndarray of shape (n_draws, n_blocks)
        How often each block is drawn, the first row once each.

    Returns
    -------
    ndarray of shape (n_draws, p + 1, p + 1) or None
        Correlation matrices, the latent outcome last; None when the model has no estimate.

    Notes
    -----
    The model says that a latent outcome is x b plus logistic noise, of which only the interval is
    seen that it falls into. So its correlations are R b / sqrt(b' R b + pi^2 / 3), with b for
    standardised drivers, and its R2 (McKelvey and Zavoina) can be decomposed exactly like that of
    a linear model. In a draw the estimate moves by one Newton step from that of the sample, with
    the scores and the information of the blocks drawn.

    References
    ----------
    .. [1] R. D. McKelvey, W. Zavoina (1975). A statistical model for the analysis of ordinal level
           dependent variables. Journal of Mathematical Sociology 4, 103-120.
    .. [2] J. Shao, D. Tu (1995). The Jackknife and Bootstrap. Springer, section 5.4 (one step).
    """
    p = x.shape[1]
    mean = weights @ x / weights.sum()
    spread = np.sqrt(weights @ (x - mean) ** 2 / weights.sum())
    x = (x - mean) / np.where(spread > 0, spread, 1.0)
    model = fit_proportional_odds(x, levels, weights)
    if model is None:
        return None
    estimate = np.concatenate([model.coefficients, model.thresholds])
    fit = _evaluate(estimate, x, levels, weights)
    used, blocks = np.unique(blocks, return_inverse=True)
    counts = counts[:, used]
    one = np.ones((len(x), 1))
    scores = sum_products(one, np.hstack(_scores(fit, x, levels, weights)), blocks)
    information = counts @ _information(fit, x, levels, weights, blocks)
    information = information.reshape(len(counts), len(estimate), -1)
    information += 1e-9 * len(x) * np.eye(len(estimate))  # a draw may miss an answer
    steps = np.linalg.solve(information, (counts @ scores)[..., None])[..., 0]
    steps[0] = 0.0
    sums = counts @ sum_products(weights[:, None], np.hstack([one, x, x**2]), blocks)
    middle, square = np.split(sums[:, 1:] / sums[:, :1], 2, axis=1)
    # a draw has standard deviations of its own, which its correlations are free of
    slopes = (estimate[:p] + steps[:, :p]) * np.sqrt(np.maximum(square - middle**2, 0.0))
    result = np.empty((len(counts), p + 1, p + 1))
    result[:, :p, :p] = draw_correlations(x, weights, blocks, counts)
    together = np.einsum("dij,dj->di", result[:, :p, :p], slopes)
    explained = np.einsum("di,di->d", together, slopes)
    latent = together / np.sqrt(explained + _LOGISTIC_VARIANCE)[:, None]
    result[:, :p, p] = result[:, p, :p] = latent
    result[:, p, p] = 1.0
    return result
