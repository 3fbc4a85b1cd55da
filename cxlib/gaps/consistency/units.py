"""Units compared without ranking noise: their means, drawn to the average as far as chance asks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.errors import InputError, TooLittleData, closest
from cxlib.gaps.consistency.variance import check_role
from cxlib.gaps.groups import as_texts, natural_key
from cxlib.gaps.means import Codes, respondent_clusters
from cxlib.gaps.ratings import Ratings
from cxlib.stats import Floats, normal_quantile

SURE = 0.80
_DRAWS = 4_000
_GRID = 200


def shrink_units(
    ratings: Ratings,
    *,
    by: str = "unit",
    role: str = "perception",
    conf_level: float = 0.95,
    random_state: int = 0,
) -> pd.DataFrame:
    """Estimate every unit's mean rating, small units drawn to the average of all.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    by : str, default "unit"
        Column of the respondents that names the unit: team, store, region.
    role : str, default "perception"
        The ratings to average; ``"belief"`` for employees.
    conf_level : float, default 0.95
        Level of the intervals.
    random_state : int, default 0
        Seed of the draws.

    Returns
    -------
    pandas.DataFrame
        One row per unit, the lowest estimate first. Columns `name`, `n` (respondents), `mean`
        (raw), `mean_low`, `mean_high`, `estimate` (shrunken), `conf_low`, `conf_high`, `p_below`
        (probability that the unit lies below the mean of all units), `p_lowest`, `verdict` (below,
        above, undecided), `spread` (standard deviation between units, posterior median),
        `spread_low`, `spread_high`, `average` (mean of all units), `n_without` (respondents of no
        unit).

    Raises
    ------
    InputError
        When there is no such role or column, or items have different scales.
    TooLittleData
        When there are fewer than three units, or no unit has two respondents, or all answer alike.

    Notes
    -----
    A respondent enters with the mean of what his or her ratings differ from the mean of their
    items, so that a unit is not low because it was asked about what is low everywhere. A raw mean
    has the pooled spread of respondents within units over the square root of their (effective)
    number; both feed `shrink_means`. Rows of one customer within a unit, as in several waves, count
    by how alike they are (the intraclass correlation of all such pairs). Weights count.

    Verdicts take a probability of 80 %.

    References
    ----------
    .. [1] H. Goldstein, D. J. Spiegelhalter (1996). League tables and their limitations. JRSS A
           159, 385-443.
    """
    values = check_role(ratings, role)
    people = ratings.respondents
    if by not in people.columns:
        fix = closest(by, list(people.columns))
        raise InputError(f"There is no column '{by}'.", f"the {ratings.source}s' columns", fix)
    labels, weights = as_texts(people, by), people["weight"].to_numpy(dtype=float)
    score = score_respondents(values, weights)
    known = ~np.isnan(score) & (weights > 0)
    n_without = int((known & labels.eq("").to_numpy()).sum())
    known &= labels.ne("").to_numpy()
    names = sorted(set(labels[known]), key=natural_key)
    codes = pd.Index(names).get_indexer(labels)[known]
    score, weights = score[known], weights[known]
    n, total, squares = (
        np.bincount(codes, weights=w, minlength=len(names))
        for w in (np.ones(len(codes)), weights, weights**2)
    )
    if len(names) < 3 or n.max() < 2:
        raise TooLittleData(
            f"Units with ratings: {len(names)}; three, one of them with two respondents, are the "
            "fewest that can be drawn to their average."
        )
    mean = np.bincount(codes, weights=weights * score) / total
    residual = score - mean[codes]
    pooled = np.sqrt((residual**2).sum() / (n.sum() - len(names)))
    if pooled <= 1e-12 * max(abs(score).max(), 1):
        raise TooLittleData(
            "Within every unit all answer alike: there is no chance to reckon with."
        )
    again = _count_again(people[known], codes, weights, residual / pooled)
    std_error = pooled * np.sqrt(squares + again) / total
    shrunken = shrink_means(mean, std_error, conf_level=conf_level, random_state=random_state)
    half = normal_quantile(conf_level) * std_error
    table = pd.DataFrame({"name": names, "n": n.astype(int), "mean": mean})
    table = table.assign(mean_low=mean - half, mean_high=mean + half).join(shrunken)
    table["n_without"] = n_without
    return table.sort_values("estimate", kind="stable", ignore_index=True)


def _count_again(people: pd.DataFrame, units: Codes, weights: Floats, residual: Floats) -> Floats:
    """Sum by unit the products of weights of rows of one customer, times their correlation."""
    customers = next(iter(respondent_clusters(people.drop(columns="unit", errors="ignore"))), None)
    n_units = int(units.max()) + 1
    if customers is None:
        return np.zeros(n_units)
    both = np.unique(np.column_stack([units, customers]), axis=0, return_inverse=True)
    unit, place = both[0][:, 0], both[1].ravel()

    def pairs(values: Floats) -> Floats:
        """Sum the products of all pairs of different rows of a customer in a unit."""
        return np.asarray(np.bincount(place, values) ** 2 - np.bincount(place, values**2), float)

    n_pairs = pairs(np.ones(len(place))).sum()
    correlation = np.clip(pairs(residual).sum() / max(n_pairs, 1.0), 0.0, 1.0)
    return np.asarray(correlation * np.bincount(unit, pairs(weights), minlength=n_units))


def score_respondents(values: Floats, weights: Floats | None = None) -> Floats:
    """Sum up each respondent's ratings in one number that does not depend on what was asked.

    Parameters
    ----------
    values : ndarray, respondents x items
        Ratings or gaps, NaN where there are none.
    weights : ndarray, one per respondent, optional
        For the means of the items.

    Returns
    -------
    ndarray, one per respondent
        The mean difference of the ratings from the means of their items, plus the mean of these;
        the plain mean when all rated everything. NaN where nothing was rated.

    Examples
    --------
    >>> score_respondents(np.array([[1.0, 5.0], [3.0, 7.0], [np.nan, 6.0]])).tolist()
    [3.0, 5.0, 4.0]
    """
    weights = np.ones(len(values)) if weights is None else weights
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    size = weights @ known
    item = np.divide(weights @ filled, size, out=np.zeros(len(size)), where=size > 0)
    off = np.where(known, filled - item, 0.0).sum(axis=1)
    count = known.sum(axis=1)
    centre = item[size > 0].mean() if (size > 0).any() else np.nan
    return np.divide(off, count, out=np.full(len(values), np.nan), where=count > 0) + centre


def shrink_means(
    mean: Floats, std_error: Floats, *, conf_level: float = 0.95, random_state: int = 0
) -> pd.DataFrame:
    """Draw independent means to their common average as far as their errors ask.

    Parameters
    ----------
    mean, std_error : ndarray, one per unit
        At least three; errors above zero.
    conf_level : float, default 0.95
        Level of the intervals.
    random_state : int, default 0
        Seed of the draws.

    Returns
    -------
    pandas.DataFrame
        One row per unit, in the order given. Columns `estimate`, `conf_low`, `conf_high`,
        `p_below`, `p_lowest`, `verdict`, `spread`, `spread_low`, `spread_high`, `average`, as in
        `shrink_units`.

    Notes
    -----
    mean_u ~ N(theta_u, se_u^2), theta_u ~ N(mu, tau^2), with flat priors on mu and on tau. What is
    often done instead, a plug-in of one estimate of tau, gives intervals of no length when that
    estimate is zero. 4,000 draws: tau from its posterior on a grid, then mu, then all theta.

    References
    ----------
    .. [1] D. B. Rubin (1981). Estimation in parallel randomized experiments. Journal of
           Educational Statistics 6, 377-401.
    .. [2] A. Gelman (2006). Prior distributions for variance parameters in hierarchical models.
           Bayesian Analysis 1, 515-534.
    """
    # the grid reaches from zero to a hundred times the scale, ever coarser
    step = (np.arange(_GRID) + 0.5) / _GRID
    scale = max(float(mean.std(ddof=1)), float(std_error.min()))
    tau = scale * step / (1 - step)
    precision = 1 / (std_error**2 + tau[:, None] ** 2)
    centre = (precision * mean).sum(axis=1) / precision.sum(axis=1)
    log = 0.5 * (np.log(precision) - precision * (mean - centre[:, None]) ** 2).sum(axis=1)
    log += -0.5 * np.log(precision.sum(axis=1)) - 2 * np.log(1 - step)
    chance = np.exp(log - log.max())
    chance /= chance.sum()
    keep = 1 - std_error**2 * precision  # share of a unit's own mean in its estimate
    estimate = chance @ (keep * mean + (1 - keep) * centre[:, None])
    rng = np.random.default_rng(random_state)
    drawn = rng.choice(_GRID, size=_DRAWS, p=chance)
    mu = centre[drawn] + rng.standard_normal(_DRAWS) / np.sqrt(precision.sum(axis=1))[drawn]
    # of a normal with the unit's own mean and the average, each by its precision
    error = std_error * np.sqrt(keep[drawn])
    theta = keep[drawn] * mean + (1 - keep[drawn]) * mu[:, None]
    theta += error * rng.standard_normal(theta.shape)
    tails = [0.5 - conf_level / 2, 0.5 + conf_level / 2]
    low, high = np.quantile(theta, tails, axis=0)
    p_below = (theta < theta.mean(axis=1, keepdims=True)).mean(axis=0)
    lowest = np.bincount(theta.argmin(axis=1), minlength=len(mean)) / _DRAWS
    verdict = np.select([p_below >= SURE, p_below <= 1 - SURE], ["below", "above"], "undecided")
    spread = np.quantile(tau[drawn], [0.5, *tails])
    names = ["spread", "spread_low", "spread_high"]
    return pd.DataFrame(
        {
            "estimate": estimate,
            "conf_low": low,
            "conf_high": high,
            "p_below": p_below,
            "p_lowest": lowest,
            "verdict": verdict,
            **dict(zip(names, spread, strict=True)),
            "average": float(estimate.mean()),
        }
    )
