"""A factor model of one or several groups, fitted by maximum likelihood.

Every item loads on one factor. A group has the parameters loadings, residual variances,
factor covariances (upper triangle, row by row), intercepts and factor means, in this order; a
table of slots says which of them are free and which of them are one and the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cxlib.gaps.scales.moments import Moments
from cxlib.stats import Floats

Integers = NDArray[np.int64]
_ROUNDS = 100
# Distance to the optimum, in units of chi-squared, at which the search ends.
_NEAR = 1e-11
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Structure:
    """Which parameters a model has and which of them are equal.

    Parameters
    ----------
    factor : ndarray of int, shape (k,)
        The factor each item loads on, from 0.
    slots : ndarray of int, shape (groups, m)
        Number of the free parameter, -1 where fixed; equal numbers are equal parameters.
    fixed : ndarray, shape (groups, m)
        Values of the fixed parameters.
    """

    factor: Integers
    slots: Integers
    fixed: Floats


@dataclass(frozen=True)
class Solution:
    """A fitted model.

    Parameters
    ----------
    structure : Structure
        What was fitted.
    values : ndarray, shape (groups, m)
        All parameters.
    covariance : ndarray, shape (q, q)
        Of the free parameters, from the expected information.
    chi2 : float
        N times the minimum of the discrepancy function.
    df : int
        Moments less free parameters.
    is_converged : bool
        False when the search ended before the optimum.
    """

    structure: Structure
    values: Floats
    covariance: Floats
    chi2: float
    df: int
    is_converged: bool

    def covariance_of(self, group: int) -> Floats:
        """Return the covariance of all parameters of a group, 0 for fixed ones.

        Parameters
        ----------
        group : int
            Position of the group.

        Returns
        -------
        ndarray, shape (m, m)
            Covariances.
        """
        slots = self.structure.slots[group]
        return np.pad(self.covariance, (0, 1))[np.ix_(slots, slots)]


def blocks(factor: Integers) -> dict[str, slice]:
    """Tell where the kinds of parameters lie.

    Parameters
    ----------
    factor : ndarray of int, shape (k,)
        The factor each item loads on.

    Returns
    -------
    dict of str to slice
        `loadings`, `residuals`, `factors`, `intercepts`, `means`.
    """
    k, f = len(factor), int(factor.max()) + 1
    ends = np.cumsum([0, k, k, f * (f + 1) // 2, k, f])
    names = ("loadings", "residuals", "factors", "intercepts", "means")
    return {name: slice(*ends[i : i + 2]) for i, name in enumerate(names)}


def free_structure(factor: Integers, *, n_groups: int = 1, equal: Sequence[str] = ()) -> Structure:
    """Lay out a model in which some kinds of parameters are equal in all groups.

    Parameters
    ----------
    factor : ndarray of int, shape (k,)
        The factor each item loads on.
    n_groups : int, default 1
        Groups.
    equal : sequence of str, default ()
        ``"loadings"`` and ``"intercepts"`` are held equal when named.

    Returns
    -------
    Structure
        Factors have variance 1 and mean 0 in the first group, and in the others too as long as
        loadings, or intercepts, differ.
    """
    part = blocks(factor)
    m = part["means"].stop
    slots = np.arange(n_groups * m).reshape(n_groups, m)
    fixed = np.zeros((n_groups, m))
    rows, columns = np.triu_indices(int(factor.max()) + 1)
    variances = part["factors"].start + np.flatnonzero(rows == columns)
    fixed[:, variances] = 1.0
    # equal loadings carry the unit of the first group's factor over to the others, and equal
    # intercepts carry its zero
    slots[: 1 if "loadings" in equal else n_groups, variances] = -1
    slots[: 1 if "intercepts" in equal else n_groups, part["means"]] = -1
    for name in equal:
        slots[:, part[name]] = slots[0, part[name]]
    return renumber(Structure(factor, slots, fixed))


def renumber(structure: Structure) -> Structure:
    """Renumber the free parameters from 0 without holes.

    Parameters
    ----------
    structure : Structure
        Any numbers, -1 for fixed.

    Returns
    -------
    Structure
        The same model.
    """
    slots = structure.slots
    names = np.unique(slots[slots >= 0])
    again = np.where(slots >= 0, np.searchsorted(names, slots), -1)
    return Structure(structure.factor, again, structure.fixed)


def implied(factor: Integers, values: Floats) -> tuple[Floats, Floats]:
    """Compute the means and covariances a group's parameters imply.

    Parameters
    ----------
    factor : ndarray of int, shape (k,)
        The factor each item loads on.
    values : ndarray, shape (m,)
        Parameters of the group.

    Returns
    -------
    tuple of ndarray
        Means and covariances of the items.
    """
    part = blocks(factor)
    loading = _spread(factor, values[part["loadings"]])
    common = loading @ factor_covariance(factor, values) @ loading.T
    mean = values[part["intercepts"]] + loading @ values[part["means"]]
    return mean, common + np.diag(values[part["residuals"]])


def factor_covariance(factor: Integers, values: Floats) -> Floats:
    """Return the covariance matrix of the factors.

    Parameters
    ----------
    factor : ndarray of int, shape (k,)
        The factor each item loads on.
    values : ndarray, shape (m,)
        Parameters of the group.

    Returns
    -------
    ndarray, factors x factors
        Symmetric.
    """
    rows, columns = np.triu_indices(int(factor.max()) + 1)
    matrix = np.zeros((rows.max() + 1,) * 2)
    matrix[rows, columns] = matrix[columns, rows] = values[blocks(factor)["factors"]]
    return matrix


def fit_structure(groups: Sequence[Moments], structure: Structure) -> Solution:
    """Fit a model by Fisher scoring.

    Parameters
    ----------
    groups : sequence of Moments
        One per group, covariances positive definite.
    structure : Structure
        What is free and what is equal.

    Returns
    -------
    Solution
        The maximum of the normal likelihood, or where the search ended.

    Notes
    -----
    Minimised is F = sum over groups of n_g / N (log|Sigma| + tr(S Sigma^-1) - log|S| - k + d'
    Sigma^-1 d), d the difference of observed and implied means; chi2 = N F. Steps solve the
    expected information, damped (Levenberg-Marquardt) until F falls. Residual variances may
    become negative as long as Sigma stays positive definite, so that improper solutions show.

    References
    ----------
    .. [1] K. G. Jöreskog (1969). A general approach to confirmatory maximum likelihood factor
           analysis. Psychometrika 34, 183-202.
    .. [2] K. G. Jöreskog (1971). Simultaneous factor analysis in several populations.
           Psychometrika 36, 409-426.
    """
    with threadpool_limits(1):  # on small matrices more threads wait for each other
        return _search(groups, structure)


def _search(groups: Sequence[Moments], structure: Structure) -> Solution:
    """Step by step to the optimum."""
    free = _start(groups, structure)
    chi2 = _discrepancy(groups, structure, free)
    damping, is_converged = 1e-3, False
    for _ in range(_ROUNDS):
        gradient, information = derive(groups, structure, fill(structure, free))
        weight = np.diag(np.maximum(np.diag(information), 1e-6))  # never singular
        while damping < 1e12:
            step = -np.linalg.solve(information + damping * weight, gradient)
            trial = _discrepancy(groups, structure, free + step)
            if trial <= chi2 + _ROUNDING:
                break
            damping *= 10
        else:
            break
        free, chi2, damping = free + step, trial, max(damping / 10, 1e-12)
        if abs(gradient @ step) < _NEAR:
            is_converged = True
            break
    information = derive(groups, structure, fill(structure, free))[1]
    # a parameter the data say nothing about leaves no inverse: no model to speak of
    is_converged &= bool(np.linalg.eigvalsh(_scaled(information))[0] > 1e-10)
    k = len(structure.factor)
    df = len(groups) * k * (k + 3) // 2 - len(free)
    values = fill(structure, free)
    covariance = np.asarray(np.linalg.pinv(information), dtype=float)
    if chi2 < _ROUNDING:  # a perfect fit, but for roundings that no two machines share
        chi2 = 0.0
    return Solution(structure, values, covariance, chi2, df, is_converged)


def _scaled(information: Floats) -> Floats:
    """Bring an information matrix to a unit diagonal."""
    size = np.sqrt(np.maximum(np.diag(information), 1e-300))
    return information / np.outer(size, size)


def fill(structure: Structure, free: Floats) -> Floats:
    """Write free and fixed parameters group by group.

    Parameters
    ----------
    structure : Structure
        What is free and what is equal.
    free : ndarray, shape (q,)
        Free parameters.

    Returns
    -------
    ndarray, shape (groups, m)
        All parameters.
    """
    return np.where(structure.slots >= 0, free[structure.slots], structure.fixed)


def derive(
    groups: Sequence[Moments], structure: Structure, values: Floats
) -> tuple[Floats, Floats]:
    """Compute the gradient of half of chi-squared and the expected information.

    Parameters
    ----------
    groups : sequence of Moments
        One per group.
    structure : Structure
        What is free and what is equal; may be wider than the model `values` was fitted by.
    values : ndarray, shape (groups, m)
        All parameters.

    Returns
    -------
    tuple of ndarray
        Gradient, shape (q,), and information, shape (q, q).
    """
    q = int(structure.slots.max()) + 1
    gradient, information = np.zeros(q), np.zeros((q, q))
    for moments, slots, own in zip(groups, structure.slots, values, strict=True):
        mean, sigma = implied(structure.factor, own)
        inverse = np.linalg.inv(sigma)
        by_mean, by_sigma = _derivatives(structure.factor, own)
        off = moments.mean - mean
        residual = inverse @ (moments.covariance + np.outer(off, off) - sigma) @ inverse
        slope = -0.5 * np.einsum("iab,ab->i", by_sigma, residual) - by_mean @ (inverse @ off)
        turned = by_sigma @ inverse
        flat, across = (a.reshape(len(own), -1) for a in (turned, turned.transpose(0, 2, 1)))
        curve = 0.5 * flat @ across.T + by_mean @ inverse @ by_mean.T
        free = slots >= 0
        gradient[slots[free]] += moments.n * slope[free]
        information[np.ix_(slots[free], slots[free])] += moments.n * curve[np.ix_(free, free)]
    return gradient, information


def _derivatives(factor: Integers, values: Floats) -> tuple[Floats, Floats]:
    """Differentiate means and covariances by every parameter of a group."""
    part, k = blocks(factor), len(factor)
    m, items = part["means"].stop, np.arange(k)
    loading = _spread(factor, values[part["loadings"]])
    by_mean, by_sigma = np.zeros((m, k)), np.zeros((m, k, k))
    # one loading moves its item's row and column
    by_sigma[items, items] = (loading @ factor_covariance(factor, values))[:, factor].T
    by_sigma[:k] += by_sigma[:k].transpose(0, 2, 1)
    by_mean[items, items] = values[part["means"]][factor]
    by_sigma[k + items, items, items] = 1.0
    for i, (a, b) in enumerate(zip(*np.triu_indices(loading.shape[1]), strict=True)):
        outer = np.outer(loading[:, a], loading[:, b])
        by_sigma[part["factors"].start + i] = outer if a == b else outer + outer.T
    by_mean[part["intercepts"].start + items, items] = 1.0
    by_mean[part["means"]] = loading.T
    return by_mean, by_sigma


def _spread(factor: Integers, loadings: Floats) -> Floats:
    """Lay loadings out as a matrix of items by factors."""
    matrix = np.zeros((len(factor), int(factor.max()) + 1))
    matrix[np.arange(len(factor)), factor] = loadings
    return matrix


def _discrepancy(groups: Sequence[Moments], structure: Structure, free: Floats) -> float:
    """Return chi-squared, infinite where a covariance matrix is not positive definite."""
    total = 0.0
    for moments, own in zip(groups, fill(structure, free), strict=True):
        mean, sigma = implied(structure.factor, own)
        try:
            root = np.linalg.cholesky(sigma)
        except np.linalg.LinAlgError:
            return float("inf")
        off = moments.mean - mean
        ratio = np.linalg.solve(sigma, moments.covariance + np.outer(off, off))
        log_sigma = 2 * np.log(np.diag(root)).sum()
        log_s = np.linalg.slogdet(moments.covariance)[1]
        total += moments.n * (log_sigma + np.trace(ratio) - log_s - len(mean))
    return float(total)


def _start(groups: Sequence[Moments], structure: Structure) -> Floats:
    """Guess parameters: first components of the factors' items, means over the groups."""
    factor, part = structure.factor, blocks(structure.factor)
    guess = np.zeros(structure.slots.shape)
    for row, moments in zip(guess, groups, strict=True):
        s = moments.covariance
        loading = np.zeros(len(factor))
        for f in range(int(factor.max()) + 1):
            own = np.flatnonzero(factor == f)
            vector = np.linalg.eigh(s[np.ix_(own, own)])[1][:, -1]
            vector *= np.sign(vector.sum()) or 1.0
            spread = np.sqrt(np.diag(s)[own])
            loading[own] = spread * np.clip(vector / np.abs(vector).max(), -1, 1) * 0.7
        score = _spread(factor, loading / np.diag(s))
        between = score.T @ s @ score
        size = np.sqrt(np.diag(between))
        r = np.clip(between / np.outer(size, size), -0.8, 0.8)
        np.fill_diagonal(r, 1.0)
        row[part["loadings"]] = loading
        row[part["residuals"]] = np.diag(s) - loading**2
        row[part["factors"]] = r[np.triu_indices(len(r))]
        row[part["intercepts"]] = moments.mean
    free = structure.slots >= 0
    slots = structure.slots[free]
    return np.bincount(slots, weights=guess[free]) / np.bincount(slots)
