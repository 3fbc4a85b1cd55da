"""Raking: weights with which the respondents look like a population, margin by margin."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.errors import InputError, closest
from cxlib.gaps.groups import as_labels
from cxlib.gaps.means import Codes
from cxlib.schema import check_table
from cxlib.stats import Floats

_ROUNDS = 1_000
_CLOSE = 1e-10  # share of the total by which a margin may be missed
_MARGINS = ("attribute", "level", "target")


def rake(
    respondents: pd.DataFrame,
    margins: pd.DataFrame,
    *,
    weights: Floats | None = None,
    most: float = float("inf"),
) -> Floats:
    """Rake weights so that the margins of some attributes meet their targets.

    Parameters
    ----------
    respondents : pandas.DataFrame, one row per respondent
        A column per attribute.
    margins : pandas.DataFrame, one row per attribute and level
        Columns `attribute`, `level`, `target` (a count or a share of the population).
    weights : ndarray of float, one per respondent, optional
        Weights to start from, all above 0; by default 1.
    most : float, default inf
        Highest adjustment allowed, as a multiple of the average one. Where it binds, margins
        may be missed; the total is kept.

    Returns
    -------
    ndarray of float
        A weight per respondent; they sum to the total of the first attribute's targets.

    Raises
    ------
    InputError
        When a column is missing, a starting weight is not above 0, a target is negative or not a
        number, targets of two attributes have totals more than 2 % apart, a level of the
        respondents has no target or a target no respondents, or the margins cannot be met
        together.

    Notes
    -----
    Iterative proportional fitting: the weights of each level are multiplied by target / sum of
    weights, attribute by attribute, until all margins are met. The result is the one closest to
    the starting weights in the sense of Kullback and Leibler; products of weights that are
    proportional within every level stay proportional. Attributes with another total are scaled to
    that of the first. Missing values are a level of their own, ``"(unknown)"``.

    References
    ----------
    .. [1] W. E. Deming, F. F. Stephan (1940). On a least squares adjustment of a sampled frequency
           table when the expected marginal totals are known. Annals of Mathematical Statistics
           11, 427-444.
    .. [2] G. Kalton, I. Flores-Cervantes (2003). Weighting methods. Journal of Official Statistics
           19, 81-97.

    Examples
    --------
    >>> people = pd.DataFrame({"health": ["good", "good", "good", "bad"]})
    >>> margins = pd.DataFrame(
    ...     {"attribute": "health", "level": ["good", "bad"], "target": [0.5, 0.5]}
    ... )
    >>> rake(people, margins).round(3).tolist()
    [0.167, 0.167, 0.167, 0.5]
    """
    check_table(margins, _MARGINS, table="margins")
    start = np.ones(len(respondents)) if weights is None else np.asarray(weights, dtype=float)
    check_start(start)
    columns, targets, offset = [], [], 0
    for attribute, part in margins.groupby("attribute", sort=False):
        check_table(respondents, (str(attribute),), table="respondents")
        levels = pd.Index(as_labels(part["level"]))
        if levels.has_duplicates:
            twice = levels[levels.duplicated()][0]
            where = f"margins of '{attribute}'"
            raise InputError(f"'{twice}' has two targets.", where, "keep one row per level")
        codes = levels.get_indexer(as_labels(respondents[str(attribute)]))
        target = part["target"].to_numpy(dtype=float)
        _check_margin(str(attribute), levels, target, codes, respondents[str(attribute)])
        columns.append(codes + offset)
        targets.append(target)
        offset += len(levels)
    targets = _scale_targets(list(margins["attribute"].unique()), targets)
    codes = np.column_stack(columns)
    factors, off, _ = fit_margins(codes, start, np.concatenate(targets), most=most)
    if off > 1e-6 and not np.isfinite(most):
        raise InputError(
            f"The margins cannot be met together; after {_ROUNDS:,} rounds one is still missed by "
            f"{off:.1%} of the total.",
            "margins of " + ", ".join(f"'{name}'" for name in margins["attribute"].unique()),
            "leave out one of the attributes, or join rare levels",
        )
    return start * factors


def check_start(start: Floats) -> None:
    """Check weights to start from.

    Parameters
    ----------
    start : ndarray of float
        Weights.

    Raises
    ------
    InputError
        When one is not above 0.
    """
    bad = ~(start > 0) | ~np.isfinite(start)
    if bad.any():
        raise InputError(
            f"A weight to start from must be above 0: {int(bad.sum()):,} are not.",
            f"column 'weight', such as {start[bad][0]:g}",
            "correct these weights, or leave these respondents out",
        )


def fit_margins(
    levels: Codes, totals: Floats, targets: Floats, *, most: float | Floats = float("inf")
) -> tuple[Floats, float, int]:
    """Find the factors by which cells must be multiplied for their margins to meet targets.

    Parameters
    ----------
    levels : ndarray of int, cells x attributes
        Margin each cell counts in; every margin is of one attribute only.
    totals : ndarray of float, one per cell
        Sums of the weights to start from.
    targets : ndarray of float, one per margin
        Target sums.
    most : float or ndarray of float, one per cell, default inf
        Highest factor allowed, as a multiple of sum of targets / sum of totals; the total is kept
        though margins may be missed.

    Returns
    -------
    factors : ndarray of float, one per cell
        Factors.
    off : float
        Largest miss of a margin, as a share of the total.
    rounds : int
        Rounds it took.
    """
    total = targets[np.unique(levels[:, 0])].sum()
    ceiling = np.broadcast_to(np.asarray(most) * total / totals.sum(), totals.shape)
    factors = np.ones(len(totals))
    off, rounds = np.inf, 0
    while off > _CLOSE and rounds < _ROUNDS:
        rounds += 1
        for column in levels.T:
            sums = np.bincount(column, weights=totals * factors, minlength=len(targets))
            ratio = np.divide(targets, sums, out=np.ones(len(targets)), where=sums > 0)
            # margins that exclude each other would drive factors to infinity
            factors = np.clip(factors * ratio[column], 1e-99, 1e99)
        factors = np.minimum(factors, ceiling)
        off = _find_miss(levels, totals * factors, targets) / total
    for _ in range(_ROUNDS if off > _CLOSE else 0):  # what is cut off goes to all others
        free = factors < ceiling
        left = total - totals[~free] @ factors[~free]
        scale = left / max(totals[free] @ factors[free], 1e-99)
        if abs(scale - 1) < _CLOSE:
            break
        factors = np.where(free, np.minimum(factors * scale, ceiling), factors)
    return factors, _find_miss(levels, totals * factors, targets) / total, rounds


def _find_miss(levels: Codes, sums: Floats, targets: Floats) -> float:
    """Return by how much the margin that is missed most is missed."""
    miss = 0.0
    for column in levels.T:
        margins = np.unique(column)
        found = np.bincount(column, weights=sums, minlength=len(targets))
        miss = max(miss, float(np.abs(found - targets)[margins].max()))
    return miss


def design_effect(weights: Floats) -> float:
    """Compute Kish's design effect of unequal weights.

    Parameters
    ----------
    weights : ndarray of float
        Weights; those of 0 do not count.

    Returns
    -------
    float
        n sum w^2 / (sum w)^2: how many times the variance of a mean grows when the weights have
        nothing to do with the answers. The effective sample size is n over it.

    References
    ----------
    .. [1] L. Kish (1992). Weighting for unequal Pi. Journal of Official Statistics 8, 183-200.

    Examples
    --------
    >>> design_effect(np.array([1.0, 1.0, 2.0]))
    1.125
    """
    weights = weights[weights > 0]
    return float(len(weights) * (weights**2).sum() / weights.sum() ** 2)


def _check_margin(
    attribute: str, levels: pd.Index, target: Floats, codes: Codes, values: pd.Series
) -> None:
    where = f"margins of '{attribute}'"
    bad = ~(target >= 0) | ~np.isfinite(target)
    if bad.any() or not target.sum() > 0:
        shown = f"{target[bad][0]:g}" if bad.any() else "0 for all levels"
        raise InputError(f"A target is {shown}.", where, "give counts or shares, 0 or more")
    if (codes < 0).any():
        lost = as_labels(values)[codes < 0].iloc[0]
        fix = f"add a row for it; {closest(lost, levels)}"
        raise InputError(f"Respondents with '{lost}' have no target.", where, fix)
    count = np.bincount(codes, minlength=len(levels))
    for is_bad, problem in (
        ((count == 0) & (target > 0), "has a target but no respondents"),
        ((count > 0) & (target == 0), "has respondents but the target 0"),
    ):
        if is_bad.any():
            fix = "join it with another level, in the margins and in the answers"
            raise InputError(f"'{levels[is_bad][0]}' {problem}.", where, fix)


def _scale_targets(attributes: list[str], targets: list[Floats]) -> list[Floats]:
    total = targets[0].sum()
    for attribute, target in zip(attributes, targets, strict=True):
        if abs(target.sum() / total - 1) > 0.02:
            raise InputError(
                f"The targets of '{attribute}' sum to {target.sum():g}, those of "
                f"'{attributes[0]}' to {total:g}.",
                "margins",
                "give targets of one and the same population",
            )
    return [target * total / target.sum() for target in targets]
