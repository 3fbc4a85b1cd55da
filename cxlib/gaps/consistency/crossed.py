"""Crossed random intercepts by REML, on sums that are as small as the survey is wide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, sparse, stats

from cxlib.stats import Floats

Codes = NDArray[np.intp]
_Fixed = tuple[str, str, float]  # component, the one that is 1, odds of the share
_LOG_RANGE = (-16.0, 12.0)  # variances relative to one another; beyond it nothing changes


@dataclass(frozen=True)
class Sums:
    """Everything the likelihood needs of the ratings, whatever their number.

    Respondents come in classes of those who gave the same number of ratings. The columns are a
    constant, then one per cell of items and one per wave.

    Parameters
    ----------
    size : ndarray, classes
        Ratings a respondent of the class gave.
    n : ndarray, classes
        Respondents in it.
    within : ndarray, columns x columns
        Sums over ratings of the products of columns.
    between : ndarray, classes x columns x columns
        Sums over respondents of the products of their column sums.
    target : ndarray, columns
        Sums over ratings of column times rating.
    target_between : ndarray, classes x columns
        Sums over respondents of column sum times sum of ratings.
    squares : float
        Sum of squared ratings, about their mean.
    squares_between : ndarray, classes
        Sums over respondents of the squared sum of ratings.
    unit_n, unit_sum : ndarray, classes x units
        Respondents, and the sum of their ratings, by unit.
    unit_columns : ndarray, classes x units x columns
        Column sums by unit.
    """

    size: Floats
    n: Floats
    within: Floats
    between: Floats
    target: Floats
    target_between: Floats
    squares: float
    squares_between: Floats
    unit_n: Floats
    unit_sum: Floats
    unit_columns: Floats

    @property
    def n_ratings(self) -> int:
        """Number of ratings."""
        return int(self.size @ self.n)


def sum_ratings(
    rows: Codes, cells: Codes, values: Floats, *, units: Codes, waves: Codes
) -> tuple[Sums, float]:
    """Sum ratings up to what the likelihood needs.

    Parameters
    ----------
    rows, cells : ndarray of int, one per rating
        Respondent and cell (item, or item at a touchpoint) of every rating, from 0.
    values : ndarray of float, one per rating
        The ratings.
    units, waves : ndarray of int, one per respondent
        Unit and wave from 0; -1 throughout where there are none.

    Returns
    -------
    sums : Sums
        The sums, of ratings less their mean.
    mean : float
        The mean taken away.
    """
    mean = float(values.mean())
    n_cells, n_waves, n_units = (int(a.max()) + 1 for a in (cells, waves, units))
    centred = values - mean
    shape = (len(units), n_cells)
    counts = sparse.csr_matrix((np.ones(len(rows)), (rows, cells)), shape=shape)
    size = np.bincount(rows, minlength=len(units))
    total = np.bincount(rows, weights=centred, minlength=len(units))
    of_wave = sparse.csr_matrix(np.eye(n_waves)[waves] if n_waves else np.zeros((len(units), 0)))
    sums_of_row = sparse.hstack(
        [sparse.csr_matrix(size[:, None], dtype=float), counts, of_wave.multiply(size[:, None])]
    ).tocsr()
    by_cell, per_cell = np.bincount(cells, weights=centred), np.bincount(cells).astype(float)
    wave_size, wave_total = (of_wave.T @ a for a in (size.astype(float), total))
    cell_wave = np.asarray((counts.T @ of_wave).todense())
    within = np.block(
        [
            [np.array([[float(len(rows))]]), per_cell[None], wave_size[None]],
            [per_cell[:, None], np.diag(per_cell), cell_wave],
            [wave_size[:, None], cell_wave.T, np.diag(wave_size)],
        ]
    )
    parts = []
    for m in np.unique(size[size > 0]):
        here = np.flatnonzero(size == m)
        block, t = sums_of_row[here], total[here]
        own = np.flatnonzero(units[here] >= 0)
        ones = (np.ones(len(own)), (units[here][own], own))
        member = sparse.csr_matrix(ones, shape=(n_units, len(here)))
        between, columns = (np.asarray(a.todense()) for a in (block.T @ block, member @ block))
        n_here = np.asarray(member.sum(axis=1)).ravel()
        parts.append(
            (float(m), float(len(here)), between, block.T @ t, t @ t, n_here, member @ t, columns)
        )
    sizes, n, between, targets, squares, unit_n, unit_sum, columns = (
        np.array(part) for part in zip(*parts, strict=True)
    )
    target = np.concatenate([[centred.sum()], by_cell, wave_total])
    sums = Sums(
        *(sizes, n, within, between, target, targets, float(centred @ centred), squares),
        *(unit_n, unit_sum, columns),
    )
    return sums, mean


@dataclass(frozen=True)
class Design:
    """Which random intercepts a model has.

    Parameters
    ----------
    sums : Sums
        From `sum_ratings`.
    names : tuple of str
        The components, `respondent` and `unit` among them where the model has them; all others
        are sets of columns.
    columns : dict of str to ndarray, each columns of the sums x levels
        Membership of the columns in the levels of every other component.
    """

    sums: Sums
    names: tuple[str, ...]
    columns: dict[str, Floats]


def reml_deviance(design: Design, ratios: dict[str, float]) -> tuple[float, float]:
    """Compute minus twice the restricted log-likelihood, at its best residual variance.

    Parameters
    ----------
    design : Design
        The model.
    ratios : dict of str to float
        Variance of every component relative to the residual one.

    Returns
    -------
    deviance : float
        With all constants, so that it equals lme4's REML criterion.
    residual : float
        Residual variance.

    Notes
    -----
    A respondent's ratings have the covariance I + r 1 1' (relative to the residual), whose inverse
    is I - r / (1 + r m) 1 1' for m ratings: respondents drop out into sums by m. Units, of which a
    respondent has one, have a diagonal block and are eliminated too. What is left has a row per
    level of items, places and waves.

    References
    ----------
    .. [1] D. Bates, M. Maechler, B. Bolker, S. Walker (2015). Fitting linear mixed-effects models
           using lme4. Journal of Statistical Software 67(1).
    """
    sums = design.sums
    ratio = ratios.get("respondent", 0.0)
    keep = 1.0 / (1.0 + ratio * sums.size)  # what is left of a respondent's sum of ratings
    cut = ratio * keep
    small = sums.within - np.tensordot(cut, sums.between, 1)
    target = sums.target - cut @ sums.target_between
    squares = sums.squares - float(cut @ sums.squares_between)
    log_det = -float(sums.n @ np.log(keep))
    basis = [np.eye(len(target))[:, :1]]
    basis += [np.sqrt(ratios[name]) * block for name, block in design.columns.items()]
    wide = np.hstack(basis)
    matrix = wide.T @ small @ wide
    matrix[np.arange(1, len(matrix)), np.arange(1, len(matrix))] += 1.0
    right = wide.T @ target
    if ratios.get("unit", 0.0) > 0:
        root = np.sqrt(ratios["unit"])
        own = 1.0 + ratios["unit"] * ((keep * sums.size) @ sums.unit_n)
        cross = root * np.tensordot(keep, sums.unit_columns, 1) @ wide
        rest = root * (keep @ sums.unit_sum)
        log_det += float(np.log(own).sum())
        squares -= float((rest**2 / own).sum())
        matrix = matrix - cross.T @ (cross / own[:, None])
        right = right - cross.T @ (rest / own)
    factor = linalg.cho_factor(matrix, lower=True)
    log_det += 2 * float(np.log(np.diag(factor[0])).sum())
    degrees = sums.n_ratings - 1
    residual = max(squares - float(right @ linalg.cho_solve(factor, right)), 1e-300) / degrees
    return log_det + degrees * (1 + np.log(2 * np.pi * residual)), residual


@dataclass(frozen=True)
class Fit:
    """Variances of a fitted model.

    Parameters
    ----------
    variances : dict of str to float
        By component, `residual` last.
    deviance : float
        Minus twice the restricted log-likelihood.
    """

    variances: dict[str, float]
    deviance: float


def fit_reml(design: Design) -> Fit:
    """Fit the variances by restricted maximum likelihood.

    Parameters
    ----------
    design : Design
        The model.

    Returns
    -------
    Fit
        The variances.
    """
    free = list(design.names)
    start = np.full(len(free), -2.0)
    first = reml_deviance(design, _ratios(free, start, None))[0]
    logs, deviance = _minimise(design, free, start, None, first)
    ratios = _ratios(free, logs, None)
    residual = reml_deviance(design, ratios)[1]
    variances = {name: ratios[name] * residual for name in free}
    return Fit({**variances, "residual": residual}, deviance)


def profile_share(design: Design, fit: Fit, name: str, *, conf_level: float) -> tuple[float, float]:
    """Compute the profile-likelihood interval of a component's share of the total variance.

    Parameters
    ----------
    design : Design
        The model.
    fit : Fit
        From `fit_reml`.
    name : str
        A component or ``"residual"``.
    conf_level : float
        Confidence level.

    Returns
    -------
    tuple of float
        Lower and upper end: the shares at which the best restricted likelihood, all other
        variances free, falls short of the greatest by half the chi-squared quantile on 1 degree
        of freedom.
    """
    total = sum(fit.variances.values())
    share = fit.variances[name] / total
    # one variance is the unit that the others are measured in
    unit = "residual" if name != "residual" else max(design.names, key=fit.variances.__getitem__)
    others = [other for other in design.names if other not in (name, unit)]
    relative = [fit.variances[other] / fit.variances[unit] for other in others]
    start = np.log(np.maximum(relative, 1e-7))
    depth = float(stats.chi2.ppf(conf_level, 1))
    seen = {"logs": start}

    def excess(logit: float) -> float:
        """Deviance above what the interval allows, at a share."""
        odds = np.exp(logit)
        fixed = (name, unit, odds)
        seen["logs"], deviance = _minimise(design, others, seen["logs"], fixed, fit.deviance)
        return deviance - fit.deviance - depth

    middle = float(np.log(max(share, 1e-7) / max(1 - share, 1e-7)))
    ends = []
    for way in (-1.0, 1.0):
        seen["logs"] = start
        near, far = middle, middle
        while abs(far) < 15 or far * way < 0:
            near, far = far, far + way * (1.0 if far * way > -6 else 2.0)
            if excess(far) > 0:
                while abs(far - near) > 5e-3:
                    half = (near + far) / 2
                    near, far = (near, half) if excess(half) > 0 else (half, far)
                ends.append(float(1 / (1 + np.exp(-(near + far) / 2))))
                break
        else:
            ends.append(0.0 if way < 0 else 1.0)
    return ends[0], ends[1]


def _ratios(free: list[str], logs: Floats, fixed: _Fixed | None) -> dict[str, float]:
    """Turn free log variances into ratios to the residual, one component having a fixed share."""
    variances = {**dict(zip(free, np.exp(logs), strict=True)), "residual": 1.0}
    if fixed is not None:
        name, unit, odds = fixed
        variances[unit] = 1.0
        variances[name] = odds * sum(v for other, v in variances.items() if other != name)
    residual = variances.pop("residual")
    return {name: float(value / residual) for name, value in variances.items()}


def _minimise(
    design: Design, free: list[str], start: Floats, fixed: _Fixed | None, about: float
) -> tuple[Floats, float]:
    """Find the log variances of least deviance; `about` is near it, so that digits are left."""

    def deviance(logs: Floats) -> float:
        """Deviance at log variances, less what it is about."""
        return reml_deviance(design, _ratios(free, logs, fixed))[0] - about

    if not free:
        return start, deviance(start) + about
    accuracy = 1e-9 if fixed is None else 1e-4  # of a deviance; an end of an interval takes less
    found = optimize.minimize(
        deviance,
        start,
        method="L-BFGS-B",
        bounds=[_LOG_RANGE] * len(free),
        options={"eps": 1e-5, "ftol": accuracy, "gtol": np.sqrt(accuracy)},
    )
    return found.x, float(found.fun) + about
