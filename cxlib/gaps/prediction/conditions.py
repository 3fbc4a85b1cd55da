"""How expectation, perception and outcome were asked: what a link between them may owe to that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxlib.gaps.levels import Pairs, pair_ratings
from cxlib.gaps.outcomes import read_outcome
from cxlib.gaps.ratings import Ratings
from cxlib.stats import Floats

_MANY = 20_000  # respondents beyond which a pick will do


@dataclass(frozen=True)
class Conditions:
    """What was measured of how the answers came about.

    Parameters
    ----------
    timing : str
        When expectations were asked: before or after the experience.
    ceiling_share : float
        Share of expectations at the top of the scale; NaN without a scale.
    outcome_ceiling_share : float
        Share of outcomes at the top of theirs; NaN without a scale.
    first_factor_share : float
        Share of the variance of all items and the outcome that goes along one line.
    n_columns : int
        Items and outcome that this rests on.
    """

    timing: str
    ceiling_share: float
    outcome_ceiling_share: float
    first_factor_share: float
    n_columns: int


def summarise_conditions(ratings: Ratings, *, outcome: str | Sequence[str]) -> Conditions:
    """Measure how far a link may come from the way the questions were asked.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    outcome : str or sequence of str
        As in `fit_gap_models`.

    Returns
    -------
    Conditions
        Timing, shares at the ceiling, and Harman's single factor.

    Raises
    ------
    InputError
        When the outcome is unknown or the ratings cannot be subtracted.

    Notes
    -----
    The single factor is the largest eigenvalue of the pairwise correlations, over their number.
    It is a reading, no test: a high share may be one real opinion as well as one mood. Beyond
    20,000 respondents it rests on an even pick of about that many.

    References
    ----------
    .. [1] P. M. Podsakoff et al. (2003). Common method biases in behavioral research. J. Applied
           Psychology 88, 879-903.
    """
    pairs = pair_ratings(ratings)
    target = read_outcome(ratings, outcome)
    timing = ratings.facts("expectation")["timing"].dropna()
    columns = np.column_stack([pairs.expectation, pairs.perception, target.values])
    share, n_columns = _first_factor(columns[:: max(len(columns) // _MANY, 1)])
    return Conditions(
        timing=str(timing.iloc[0]) if len(timing) else "",
        ceiling_share=_ceiling_share(pairs),
        outcome_ceiling_share=_share_at(target.values, target.scale_max),
        first_factor_share=share,
        n_columns=n_columns,
    )


def _ceiling_share(pairs: Pairs) -> float:
    return _share_at(pairs.expectation, float(pairs.items["scale_max"].max()))


def _share_at(values: Floats, top: float) -> float:
    known = values[~np.isnan(values)]
    return float((known >= top).mean()) if len(known) and not np.isnan(top) else float("nan")


def _first_factor(columns: Floats) -> tuple[float, int]:
    known = ~np.isnan(columns)
    n = known.sum(axis=0)
    mean = np.divide(np.nansum(columns, axis=0), n, out=np.zeros(len(n)), where=n > 0)
    centred = np.where(known, columns - mean, 0.0)
    keep = (centred**2).sum(axis=0) > 1e-9 * np.maximum(n, 1)
    centred, seen = centred[:, keep], known[:, keep].astype(float)
    if centred.shape[1] < 2:
        return float("nan"), int(keep.sum())
    squares = (centred**2).T @ seen  # of the first where the second is known too
    scale = np.sqrt(squares * squares.T)
    correlation = np.divide(centred.T @ centred, scale, out=np.zeros_like(scale), where=scale > 0)
    return float(np.linalg.eigvalsh(correlation)[-1] / len(correlation)), len(correlation)
