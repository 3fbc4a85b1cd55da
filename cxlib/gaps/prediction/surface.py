"""The outcome as a surface over expectation and perception, inside what was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.errors import InputError, TooLittleData, closest
from cxlib.gaps.levels import level_means, pair_ratings
from cxlib.gaps.outcomes import read_outcome
from cxlib.gaps.prediction.comparison import FLAT_CONTRASTS, PER_COEFFICIENT, summarise_terms
from cxlib.gaps.prediction.least_squares import Fit, explained_share, fit_products, wald_test
from cxlib.gaps.prediction.models import scale_middle
from cxlib.gaps.prediction.products import (
    BOTH,
    EXPECTATION,
    PERCEPTION,
    SURFACE,
    cross_products,
)
from cxlib.gaps.ratings import Ratings
from cxlib.stats import Floats

TERMS = (
    "intercept",
    "expectation",
    "perception",
    "expectation^2",
    "expectation x perception",
    "perception^2",
)
SHAPE = {
    # combinations of b0 to b5
    "a1": ("slope where both rise together", [0, 1, 1, 0, 0, 0]),
    "a2": ("bend where both rise together", [0, 0, 0, 1, 1, 1]),
    "a3": ("slope as expectation passes perception", [0, 1, -1, 0, 0, 0]),
    "a4": ("bend as expectation passes perception", [0, 0, 0, 1, -1, 1]),
    "a5": ("bend by expectation less bend by perception", [0, 0, 0, 1, 0, -1]),
}
_STEPS = 41  # grid lines a side
_BINS = 24  # a side


@dataclass(frozen=True)
class ResponseSurface:
    """A quadratic surface of an outcome over expectation and perception.

    Parameters
    ----------
    terms : pandas.DataFrame, one row per coefficient
        Columns `term`, `estimate`, `std_error`, `conf_low`, `conf_high`, `p_value`; expectation and
        perception are counted from the middle of their scale.
    shape : pandas.DataFrame, one row per a1 to a5
        Columns `term`, `meaning`, `estimate`, `std_error`, `conf_low`, `conf_high`, `p_value`.
    slopes : pandas.DataFrame, one row for expectation and one for perception
        Columns as `terms`: what one point more goes with where respondents answered on average.
    test : pandas.DataFrame, one row
        Columns `test`, `statistic`, `degrees_1`, `degrees_2`, `p_value`: is the surface flat?
    grid : pandas.DataFrame, one row per point
        Columns `expectation`, `perception`, `outcome` (fitted), `is_inside` (the hull of the
        answers), in points of the scale.
    hull : pandas.DataFrame, one row per corner
        Columns `expectation`, `perception`, in order around.
    density : pandas.DataFrame, one row per cell with answers
        Columns `expectation`, `perception` (means of the cell), `n`.
    is_middle_inside : bool
        Whether the middle of the scale, where a1 and a3 hold, lies inside the hull.
    n : int
        Respondents.
    r2, r2_flat : float
        R squared of the surface and of the plane.
    outcome : str
        Name of the outcome.
    level, name : str
        What was rated.
    """

    terms: pd.DataFrame
    shape: pd.DataFrame
    slopes: pd.DataFrame
    test: pd.DataFrame
    grid: pd.DataFrame
    hull: pd.DataFrame
    density: pd.DataFrame
    is_middle_inside: bool
    n: int
    r2: float
    r2_flat: float
    outcome: str
    level: str
    name: str


def fit_response_surface(
    ratings: Ratings,
    *,
    outcome: str | Sequence[str],
    level: str = "total",
    name: str = "total",
    conf_level: float = 0.95,
    random_state: int = 0,
) -> ResponseSurface:
    """Fit an outcome as a quadratic surface over expectation and perception.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    outcome : str or sequence of str
        As in `fit_gap_models`.
    level, name : str, default "total"
        What was rated: a level and one of its names.
    conf_level : float, default 0.95
        Confidence level.
    random_state : int, default 0
        Seed of the blocks that errors rest on in large surveys.

    Returns
    -------
    ResponseSurface
        Coefficients, shape, test, and tables to draw.

    Raises
    ------
    InputError
        When the outcome or the name is unknown.
    TooLittleData
        When fewer than 60 respondents gave all three answers, these come in fewer than 12
        independent groups, or expectation and perception lie on one line.

    Notes
    -----
    y = b0 + b1 E + b2 P + b3 E^2 + b4 E P + b5 P^2, with E and P counted from the middle of their
    common scale: centring each at its own mean would move the line P = E. Errors are HC3 (cluster
    jackknife); those of a1 to a5 follow from the whole covariance, so that of a4 = b3 - b4 + b5
    has 2 cov(b3, b5) - 2 cov(b3, b4) - 2 cov(b4, b5); early printed formulas of it had a sign
    wrong and were corrected in 2014. The surface says nothing outside the hull of the answers.

    References
    ----------
    .. [1] J. R. Edwards, M. E. Parry (1993). On the use of polynomial regression equations as an
           alternative to difference scores. Academy of Management Journal 36, 1577-1613.
    .. [2] L. R. Shanock et al. (2010). Polynomial regression with response surface analysis.
           J. Business and Psychology 25, 543-554; erratum 29 (2014), 161.
    .. [3] F. D. Schönbrodt (2016). Testing fit patterns with polynomial regression models.
    """
    pairs = pair_ratings(ratings)
    target = read_outcome(ratings, outcome, random_state=random_state)
    means = level_means(pairs, level)
    if name not in means.names:
        problem = f"'{name}' was not rated as {level}."
        raise InputError(problem, "table 'items'", closest(name, means.names))
    column = means.names.index(name)
    expectation, perception = means.expectation[:, column], means.perception[:, column]
    middle = scale_middle(pairs)
    products, n = cross_products(target, expectation, perception, middle=middle)
    used = ~np.isnan(expectation + perception + target.values) & (target.weights > 0)
    points = np.column_stack([expectation[used], perception[used]])
    hull = _find_hull(points) if n >= PER_COEFFICIENT * len(SURFACE) else None
    if hull is None:
        raise TooLittleData(
            f"A surface needs {PER_COEFFICIENT * len(SURFACE)} respondents whose expectation and "
            f"perception differ in more than one direction; {n} gave both and '{target.name}'."
        )
    fit = fit_products(products, SURFACE, n)
    if np.isnan(fit.covariance).any():
        raise TooLittleData(
            f"The respondents come in {len(np.unique(target.blocks[used]))} independent groups "
            f"(customers or units); a surface needs {2 * len(SURFACE)}."
        )
    statistic, p_value = wald_test(fit, FLAT_CONTRASTS)
    test = ("the surface is flat", statistic, len(FLAT_CONTRASTS), fit.degrees, p_value)
    total = products.sum(axis=0)
    return ResponseSurface(
        terms=summarise_terms(fit, TERMS, conf_level),
        shape=summarise_shape(fit, conf_level=conf_level),
        test=pd.DataFrame(
            [test], columns=["test", "statistic", "degrees_1", "degrees_2", "p_value"]
        ),
        slopes=_slopes(fit, total[0, [EXPECTATION, PERCEPTION]] / total[0, 0], conf_level),
        grid=_fill_grid(hull, fit.coefficients, middle),
        hull=pd.DataFrame(hull, columns=["expectation", "perception"]),
        density=_count_cells(points),
        is_middle_inside=bool(_is_inside(hull, np.array([[middle, middle]]))[0]),
        n=n,
        r2=float(explained_share(total, SURFACE)),
        r2_flat=float(explained_share(total, BOTH)),
        outcome=target.name,
        level=level,
        name=name,
    )


def summarise_shape(fit: Fit, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Turn the coefficients of a surface into its slopes and bends along P = E and P = -E.

    Parameters
    ----------
    fit : Fit
        Coefficients b0 to b5 and their covariance.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per a1 to a5. Columns `term`, `meaning`, `estimate`, `std_error`, `conf_low`,
        `conf_high`, `p_value`.

    Notes
    -----
    a1 = b1 + b2, a2 = b3 + b4 + b5, a3 = b1 - b2, a4 = b3 - b4 + b5, a5 = b3 - b5.
    """
    contrasts = np.array([weights for _, weights in SHAPE.values()], dtype=float)
    shape = Fit(contrasts @ fit.coefficients, contrasts @ fit.covariance @ contrasts.T, fit.degrees)
    table = summarise_terms(shape, list(SHAPE), conf_level)
    table.insert(1, "meaning", [meaning for meaning, _ in SHAPE.values()])
    return table


def predict_surface(coefficients: Floats, expectation: Floats, perception: Floats) -> Floats:
    """Compute the height of a surface.

    Parameters
    ----------
    coefficients : ndarray, shape (6,)
        b0 to b5.
    expectation, perception : ndarray
        Counted from the middle of the scale.

    Returns
    -------
    ndarray
        The outcome.
    """
    e, p = expectation, perception
    columns = (np.ones_like(e), e, p, e * e, e * p, p * p)
    return np.asarray(sum(b * x for b, x in zip(coefficients, columns, strict=True)))


def _find_hull(points: Floats) -> Floats | None:
    """Find the corners around all points; None when they lie on a line."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        return np.asarray(points[ConvexHull(points).vertices])
    except QhullError:
        return None


def _fill_grid(hull: Floats, coefficients: Floats, middle: float) -> pd.DataFrame:
    axes = [
        np.linspace(low, high, _STEPS) for low, high in zip(hull.min(0), hull.max(0), strict=True)
    ]
    e, p = (side.ravel() for side in np.meshgrid(*axes))
    return pd.DataFrame(
        {
            "expectation": e,
            "perception": p,
            "outcome": predict_surface(coefficients, e - middle, p - middle),
            "is_inside": _is_inside(hull, np.column_stack([e, p])),
        }
    )


def _is_inside(hull: Floats, points: Floats) -> NDArray[np.bool_]:
    """Tell which points lie left of every edge; the corners go round against the clock."""
    step = np.roll(hull, -1, axis=0) - hull
    e, p = points[:, :1] - hull[:, 0], points[:, 1:] - hull[:, 1]
    return np.asarray((step[:, 0] * p - step[:, 1] * e >= -1e-9).all(axis=1))


def _slopes(fit: Fit, at: Floats, conf_level: float) -> pd.DataFrame:
    """Compute the slopes by expectation and by perception at one point."""
    e, p = at
    contrasts = np.array([[0, 1, 0, 2 * e, p, 0], [0, 0, 1, 0, e, 2 * p]])
    slopes = Fit(
        contrasts @ fit.coefficients, contrasts @ fit.covariance @ contrasts.T, fit.degrees
    )
    return summarise_terms(slopes, ["expectation", "perception"], conf_level)


def _count_cells(points: Floats) -> pd.DataFrame:
    low, high = points.min(), points.max()
    cell = np.minimum(((points - low) / (high - low) * _BINS).astype(int), _BINS - 1)
    _, cell = np.unique(cell[:, 0] * _BINS + cell[:, 1], return_inverse=True)
    n = np.bincount(cell)
    means = {
        side: np.bincount(cell, weights=points[:, i]) / n
        for i, side in enumerate(("expectation", "perception"))
    }
    return pd.DataFrame({**means, "n": n})
