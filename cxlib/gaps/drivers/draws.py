"""Importance by each method in all draws, and in draws without any link."""

from __future__ import annotations

import numpy as np

from cxlib.gaps.drivers.candidates import Candidates
from cxlib.gaps.drivers.decomposition import (
    decompose_r_squared,
    johnson_weights_of,
    standardised_effects,
)
from cxlib.gaps.drivers.moments import make_definite
from cxlib.gaps.drivers.ordinal import draw_latent_correlations
from cxlib.gaps.resample import sum_blocks
from cxlib.stats import Floats

_MOST_ORDINAL = 20_000  # respondents the ordinal model is fitted to
_MOST_LEVELS = 30


def draw_parts(method: str, matrices: Floats, size: int) -> tuple[Floats, Floats]:
    """Split R2 among the drivers in all draws, and in draws in which none goes with the outcome.

    Parameters
    ----------
    method : {"lmg", "johnson"}
        How to split it.
    matrices : ndarray of shape (1 + n_draws, p + 1, p + 1)
        Correlation matrices, the sample first, the outcome last.
    size : int
        Columns of a driver.

    Returns
    -------
    importance : ndarray of shape (1 + n_draws, k)
        The sample first.
    null : ndarray of shape (n_draws, k)
        With the correlations of the outcome centred at 0.
    """
    sizes = [size] * ((matrices.shape[1] - 1) // size)
    centred = matrices[:, :-1, -1] - matrices[0, :-1, -1]
    if method == "johnson":  # both at once: the drivers' correlations are those of the draws
        links = np.stack([matrices[:, :-1, -1], centred], axis=2)
        weights = johnson_weights_of(matrices[:, :-1, :-1], links, sizes)
        return weights[..., 0], weights[1:, :, 1]
    null = matrices[1:].copy()
    null[:, :-1, -1] = null[:, -1, :-1] = centred[1:]
    parts, chance = (decompose_r_squared(each, sizes).mean(axis=2) for each in (matrices, null))
    return parts, chance


def draw_effects(matrices: Floats, size: int) -> tuple[Floats, Floats]:
    """Compute standardised effects in all draws, and those of coefficients that are but chance.

    Parameters
    ----------
    matrices : ndarray of shape (1 + n_draws, p + 1, p + 1)
        Correlation matrices, the sample first, the outcome last.
    size : int
        Columns of a driver.

    Returns
    -------
    effects : ndarray of shape (1 + n_draws, k)
        The sample first.
    null : ndarray of shape (n_draws, k)
        Of the coefficients' differences from those of the sample.
    """
    sizes = [size] * ((matrices.shape[1] - 1) // size)
    null = matrices[1:].copy()
    slopes = np.linalg.solve(matrices[0, :-1, :-1], matrices[0, :-1, -1])
    null[:, :-1, -1] -= null[:, :-1, :-1] @ slopes
    return standardised_effects(matrices, sizes), standardised_effects(null, sizes)


def without_bias(estimates: Floats) -> Floats:
    """Move draws of what cannot be negative to where the truth is to be sought.

    Parameters
    ----------
    estimates : ndarray of shape (1 + n_draws, k)
        The sample's estimate first.

    Returns
    -------
    ndarray of the same shape
        The estimate as it was; draws less twice their mean excess over it (they carry the bias of
        the estimate and once more their own), cut at 0.
    """
    bias = estimates[1:].mean(axis=0) - estimates[0]
    return np.vstack([estimates[:1], np.maximum(estimates[1:] - 2 * bias, 0.0)])


def draw_means(values: Floats, data: Candidates, counts: Floats) -> Floats:
    """Compute weighted means in all draws.

    Parameters
    ----------
    values : ndarray, respondents x drivers
        NaN where not known.
    data : Candidates
        Weights and blocks of the respondents.
    counts : ndarray of shape (1 + n_draws, n_blocks)
        How often each block is drawn.

    Returns
    -------
    ndarray of shape (1 + n_draws, drivers)
        Means over all who gave a value, with the outcome or without.
    """
    known = ~np.isnan(values)
    mass = counts @ sum_blocks(known * data.weights[:, None], data.blocks)
    total = counts @ sum_blocks(np.where(known, values, 0.0) * data.weights[:, None], data.blocks)
    means = np.divide(total, mass, out=np.full(mass.shape, np.nan), where=mass > 0)
    return np.where(mass > 0, means, means[0])  # a draw without any answer knows nothing new


def draw_latent(
    data: Candidates, counts: Floats, random_state: int
) -> tuple[Floats | None, int, str]:
    """Compute correlations with the latent outcome of a proportional-odds model in all draws.

    Parameters
    ----------
    data : Candidates
        Drivers and outcome.
    counts : ndarray of shape (1 + n_draws, n_blocks)
        How often each block is drawn.
    random_state : int
        Seed of the choice of blocks where the respondents are too many.

    Returns
    -------
    matrices : ndarray of shape (1 + n_draws, p + 1, p + 1) or None
        The latent outcome last; None where there is no model.
    n : int
        Respondents used.
    note : str
        Why there is no model, else empty.
    """
    complete = ~np.isnan(data.values).any(axis=1) & (data.weights > 0)
    n_blocks = counts.shape[1]
    order = np.random.default_rng(random_state).permutation(n_blocks)
    held = np.cumsum(np.bincount(data.blocks[complete], minlength=n_blocks)[order])
    is_used = np.zeros(n_blocks, dtype=bool)
    is_used[order[held <= max(_MOST_ORDINAL, held[0])]] = True
    rows = complete & is_used[data.blocks]
    n, p = int(rows.sum()), data.values.shape[1] - 1
    levels, answers = np.unique(data.values[rows, -1], return_inverse=True)
    if len(levels) > _MOST_LEVELS:
        return None, 0, f"the outcome has {len(levels)} different values"
    if len(levels) < 2 or n < p + len(levels) + 20:
        return None, 0, f"only {n} respondents rated everything that is compared"
    found = draw_latent_correlations(
        data.values[rows, :-1], answers, data.weights[rows], data.blocks[rows], counts
    )
    if found is None:
        return None, 0, "the model has no estimate: ratings coincide or tell answers fully apart"
    return make_definite(found)[0], n, ""
