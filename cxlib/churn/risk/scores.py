"""How good are predicted probabilities? Brier score, calibration and discrimination."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from cxlib.churn.curves.counts import count_at_risk, count_risk_sets
from cxlib.churn.curves.curves import add_greenwood
from cxlib.churn.risk.censoring import Outcomes, read_outcomes
from cxlib.stats import Floats, wilson_interval

METRICS = (
    "brier",
    "ipa",
    "observed_expected",
    "calibration_slope",
    "ici",
    "e50",
    "e90",
    "auc",
)
# Predictions are put into this many cells of equal size for the smooth curve and the ranks.
MOST_CELLS = 1_000
FEWEST_PER_BIN = 10  # expected to leave, so that a point of the curve says something
RESAMPLES = 400


@dataclass(frozen=True)
class _Cells:
    """Predictions in cells of neighbours, each with the basis of the smooth calibration curve."""

    which: NDArray[np.intp]  # cell of each unit
    squares: Floats  # mean squared prediction of each unit
    probability: Floats  # mean of the cell
    line: Floats  # 1 and the log odds, (k, 2)
    spline: Floats  # and a bend, where there are enough distinct predictions


def score_predictions(
    predictions: pd.DataFrame,
    *,
    horizon_days: float,
    conf_level: float = 0.95,
    random_state: int = 0,
    n_resamples: int = RESAMPLES,
) -> pd.DataFrame:
    """Judge predicted probabilities of leaving by who left.

    Parameters
    ----------
    predictions : pandas.DataFrame, one row per customer
        Columns `customer_id`, `churn_probability` (of leaving within the horizon), `time_days`
        (observed from the day of the prediction on), `churned` (whether that time ended in churn).
    horizon_days : float
        Days from the prediction to the judgement.
    conf_level : float, default 0.95
        Confidence level.
    random_state : int, default 0
        Seed of the resamples.
    n_resamples : int, default 400
        Resamples of customers.

    Returns
    -------
    pandas.DataFrame
        One row per metric: `metric`, `horizon_days`, `estimate`, `conf_low`, `conf_high`, `n`,
        `n_churned`. Metrics: ``brier`` (mean squared error, 0 is best), ``ipa`` (share of the
        Brier score of telling everybody the same, true share that is saved; 0 or less is
        useless), ``observed_expected`` (share that left over the mean prediction, 1 is best),
        ``calibration_slope`` (under 1: predictions too extreme), ``ici``, ``e50`` and ``e90``
        (mean, median and 90 % quantile of the distance of predictions from the calibration
        curve), ``auc`` (chance that who left had a higher prediction than who stayed, 0.5 is
        guessing).

    Raises
    ------
    InputError
        When a column is missing or holds what cannot be used.
    TooLittleData
        When fewer than ten left, or fewer than ten are known to have stayed.

    Notes
    -----
    Customers lost before the horizon count through others, by the weights of `read_outcomes`. The
    area under the curve is the cumulative/dynamic one at the horizon; equal predictions count a
    half. The calibration curve is a weighted logistic regression of leaving on the log odds of the
    prediction, as a natural cubic spline with knots at their 10 %, 50 % and 90 % quantiles; the
    slope is that of the straight line. More than 1,000 distinct predictions are put into 1,000
    cells of neighbours for the curve and the ranks, not for the Brier score.

    Intervals are basic bootstrap intervals over customers (twice the estimate less the quantiles
    of the resamples), the censoring weights computed anew each time, on the log scale for
    ``observed_expected``. The three distances are too large in every sample and larger still in a
    resample, so that their upper quantile gives both ends: it is the upper one, and lies as far
    above the estimate as the lower one below. The intervals belong to this list of predictions;
    another fit of the model would give another list.

    References
    ----------
    .. [1] E. Graf, C. Schmoor, W. Sauerbrei, M. Schumacher (1999). Assessment and comparison of
           prognostic classification schemes for survival data. Statistics in Medicine 18,
           2529-2545.
    .. [2] M. W. Kattan, T. A. Gerds (2018). The index of prediction accuracy. Diagnostic and
           Prognostic Research 2, 7.
    .. [3] P. C. Austin, F. E. Harrell, D. van Klaveren (2020). Graphical calibration curves and the
           integrated calibration index (ICI) for survival models. Statistics in Medicine 39,
           2714-2742.
    .. [4] P. Blanche, J.-F. Dartigues, H. Jacqmin-Gadda (2013). Review and comparison of ROC curve
           estimators for a time-dependent outcome. Biometrical Journal 55, 687-704.
    .. [5] P. Blanche, M. W. Kattan, T. A. Gerds (2019). The c-index is not proper for the
           evaluation of t-year predicted risks. Biostatistics 20, 347-357.
    .. [6] A. C. Davison, D. V. Hinkley (1997). Bootstrap Methods and their Application, section
           5.2.
    """
    outcomes = read_outcomes(predictions, horizon_days=horizon_days)
    n = len(outcomes.left)
    units, cells, sizes = _gather(outcomes)
    estimates = _measure(units, cells, sizes)
    drawn = np.random.default_rng(random_state)
    resamples = np.array(
        [
            _measure(units, cells, drawn.multinomial(n, sizes / n).astype(float))
            for _ in range(n_resamples)
        ]
    )
    low, high = _find_ends(estimates, resamples, conf_level)
    return pd.DataFrame(
        {
            "metric": METRICS,
            "horizon_days": float(horizon_days),
            "estimate": estimates,
            "conf_low": low,
            "conf_high": high,
            "n": n,
            "n_churned": int(outcomes.left.sum()),
        }
    )


def _find_ends(estimates: Floats, resamples: Floats, conf_level: float) -> tuple[Floats, Floats]:
    """Bootstrap intervals inside the range of each metric; see the notes of `score_predictions`."""
    ratio = METRICS.index("observed_expected")
    names = pd.Index(METRICS)
    middle = estimates.copy()
    middle[ratio], resamples[:, ratio] = np.log(middle[ratio]), np.log(resamples[:, ratio])
    tail = (1 - conf_level) / 2
    below, above = np.quantile(resamples, [tail, 1 - tail], axis=0)
    low, high = 2 * middle - above, 2 * middle - below
    distance = names.isin(["ici", "e50", "e90"])
    high[distance] = above[distance]
    low[ratio], high[ratio] = np.exp([low[ratio], high[ratio]])
    bounded = names.isin(["brier", "ici", "e50", "e90", "auc"])
    low[bounded], high[bounded] = np.clip(low[bounded], 0, 1), np.clip(high[bounded], 0, 1)
    return low, high


def _gather(outcomes: Outcomes) -> tuple[Outcomes, _Cells, Floats]:
    """Put customers together that no metric tells apart, with their numbers.

    Those of one cell and one outcome; and of one day, where some were lost and days matter.
    """
    which, values = _number_cells(outcomes.probability)
    is_known = (outcomes.left + outcomes.stayed).all()
    when = np.zeros_like(outcomes.when) if is_known else outcomes.when
    keys = np.column_stack([which, when, outcomes.left, outcomes.churned]).astype(np.int64)
    codes = keys @ np.cumprod(np.append(1, keys.max(axis=0)[:0:-1] + 1))[::-1]
    _, first, unit = np.unique(codes, return_index=True, return_inverse=True)
    sizes = np.bincount(unit).astype(float)
    p = outcomes.probability
    units = Outcomes(
        probability=np.bincount(unit, p) / sizes,
        left=outcomes.left[first],
        stayed=outcomes.stayed[first],
        when=when[first],
        churned=outcomes.churned[first],
        n_times=outcomes.n_times,
        horizon_time=outcomes.horizon_time,
    )
    squares = np.bincount(unit, p**2) / sizes
    return units, _make_cells(which[first], values, sizes, squares), sizes


def _number_cells(probability: Floats) -> tuple[NDArray[np.intp], Floats]:
    values, which = np.unique(probability, return_inverse=True)
    if len(values) > MOST_CELLS:
        rank = np.argsort(np.argsort(probability, kind="stable"), kind="stable")
        which = rank * MOST_CELLS // len(rank)
        values = np.bincount(which, probability) / np.bincount(which)
    return which, values


def _make_cells(which: NDArray[np.intp], values: Floats, sizes: Floats, squares: Floats) -> _Cells:
    inside = np.clip(values, 1e-6, 1 - 1e-6)  # the log odds of 0 and 1 are infinite
    odds = np.log(inside / (1 - inside))
    line = np.column_stack([np.ones(len(odds)), odds])
    by_cell = np.bincount(which, sizes).astype(float)
    knots = np.unique(np.array(_quantiles(odds, by_cell, (0.1, 0.5, 0.9))))
    if len(knots) < 3:
        columns = 1 if len(values) == 1 else 2
        return _Cells(which, squares, values, line[:, :columns], line[:, :columns])
    low, middle, high = knots
    cube = np.maximum(odds[:, None] - knots, 0) ** 3
    bend = cube @ [1.0, -(high - low) / (high - middle), (middle - low) / (high - middle)]
    return _Cells(which, squares, values, line, np.column_stack([line, bend / (high - low) ** 2]))


def _measure(outcomes: Outcomes, cells: _Cells, counts: Floats) -> Floats:
    """All metrics of one sample, in the order of METRICS."""
    weights = outcomes.weigh(counts)
    p, left = outcomes.probability, weights * outcomes.left
    total = weights.sum()
    share = left.sum() / total
    brier = (left.sum() - 2 * left @ p + weights @ cells.squares) / total
    parts = (weights, left, counts)
    n_cells = len(cells.probability)
    weight, hits, size = (np.bincount(cells.which, x, n_cells).astype(float) for x in parts)
    slope = _fit_logistic(cells.line, weight, hits)
    smooth = special.expit(cells.spline @ _fit_logistic(cells.spline, weight, hits))
    distance = np.abs(smooth - cells.probability)
    e50, e90 = _quantiles(distance, size, (0.5, 0.9))
    return np.array(
        [
            brier,
            1 - brier / (share * (1 - share)),
            share / (counts @ p / counts.sum()),
            slope[1] if len(slope) > 1 else np.nan,
            distance @ size / size.sum(),
            e50,
            e90,
            _area_under_curve(weight, hits),
        ]
    )


def _fit_logistic(basis: Floats, weights: Floats, left: Floats) -> Floats:
    """Weighted logistic regression by Newton's method, from perfect calibration on."""
    beta = np.zeros(basis.shape[1])
    if len(beta) > 1:
        beta[1] = 1.0
    for _ in range(25):
        fitted = special.expit(np.clip(basis @ beta, -30, 30))
        slope = (basis * (weights * fitted * (1 - fitted))[:, None]).T @ basis
        # a resample in which all predictions are alike leaves directions without information
        step = np.linalg.lstsq(slope, basis.T @ (left - weights * fitted), rcond=1e-12)[0]
        beta = beta + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-9:
            break
    return beta


def _quantiles(values: Floats, size: Floats, shares: tuple[float, ...]) -> list[float]:
    """Smallest values that at least the given shares of the customers do not exceed."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(size[order]) / size.sum()
    return [float(values[order][np.searchsorted(reached, share - 1e-12)]) for share in shares]


def _area_under_curve(weights: Floats, left: Floats) -> float:
    """Chance that who left was in a higher cell than who stayed; cells are in rising order."""
    stayed = weights - left
    below = np.cumsum(stayed) - stayed / 2
    pairs = left.sum() * stayed.sum()
    return float(left @ below / pairs) if pairs > 0 else np.nan


def summarise_calibration(
    predictions: pd.DataFrame, *, horizon_days: float, conf_level: float = 0.95
) -> pd.DataFrame:
    """Compare predicted and observed shares in bins of customers with like predictions.

    Parameters
    ----------
    predictions : pandas.DataFrame, one row per customer
        As `score_predictions` takes them.
    horizon_days : float
        Days from the prediction to the judgement.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per bin, from the lowest predictions to the highest: `bin`, `n`, `n_churned`,
        `predicted` (mean probability), `observed` (share that left by the horizon), `conf_low`,
        `conf_high`.

    Raises
    ------
    InputError
        When a column is missing or holds what cannot be used.
    TooLittleData
        When fewer than ten left, or fewer than ten are known to have stayed.

    Notes
    -----
    At most ten bins of equal size, fewer where a bin would expect fewer than ten to leave; equal
    predictions stay together. The observed share is one less Kaplan-Meier at the horizon, its
    interval Wilson's with the sample size at which a share would have Greenwood's variance.
    """
    outcomes = read_outcomes(predictions, horizon_days=horizon_days)
    p = outcomes.probability
    n_bins = int(np.clip(p.sum() // FEWEST_PER_BIN, 1, 10))
    edges = np.unique(np.quantile(p, np.arange(1, n_bins) / n_bins, method="inverted_cdf"))
    which = np.searchsorted(edges, p, side="left")
    ends = pd.DataFrame(
        {
            "duration_days": pd.to_numeric(predictions["time_days"]).to_numpy(float),
            "churned": predictions["churned"].to_numpy(bool),
            "entry_days": 0.0,
        }
    )
    rows = []
    for number in np.unique(which):
        part = which == number
        observed, size = _observe(ends[part], horizon_days)
        low, high = wilson_interval(observed, size, conf_level=conf_level)
        n_churned = int(outcomes.left[part].sum())
        rows.append((part.sum(), n_churned, p[part].mean(), observed, float(low), float(high)))
    columns = ["n", "n_churned", "predicted", "observed", "conf_low", "conf_high"]
    table = pd.DataFrame(rows, columns=columns).astype({"n": int})
    table.insert(0, "bin", np.arange(1, len(table) + 1))
    return table


def _observe(ends: pd.DataFrame, horizon_days: float) -> tuple[float, float]:
    """Share that left by the horizon, and the size of a sample in which it is as certain."""
    counts = add_greenwood(count_risk_sets(ends))
    last = counts[counts["time_days"] <= horizon_days].iloc[-1]
    left = 1 - float(last["survival"])
    if last["greenwood"] > 0:
        return left, left / ((1 - left) * float(last["greenwood"]))
    return left, float(count_at_risk(ends, np.array([horizon_days]))[0])


def count_predictions(predictions: pd.DataFrame, *, n_bars: int = 40) -> pd.DataFrame:
    """Count customers by predicted probability, for a histogram.

    Parameters
    ----------
    predictions : pandas.DataFrame, one row per customer
        Column `churn_probability`.
    n_bars : int, default 40
        Bars of equal width from 0 to the largest prediction.

    Returns
    -------
    pandas.DataFrame
        One row per bar: `from_probability`, `to_probability`, `n`.
    """
    p = predictions["churn_probability"].to_numpy(float)
    n, edges = np.histogram(p, bins=n_bars, range=(0, max(float(p.max()), 1e-6)))
    return pd.DataFrame({"from_probability": edges[:-1], "to_probability": edges[1:], "n": n})
