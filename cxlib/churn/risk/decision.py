"""Is the list worth acting on? Net benefit of acting on the customers above a threshold."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.churn.risk.censoring import read_outcomes
from cxlib.errors import InputError
from cxlib.stats import Floats, adjust_p_values

N_THRESHOLDS = 60


def fit_decision_curve(
    predictions: pd.DataFrame, *, horizon_days: float, conf_level: float = 0.95
) -> pd.DataFrame:
    """Weigh customers kept against actions wasted, for every price of an action.

    Parameters
    ----------
    predictions : pandas.DataFrame, one row per customer
        Columns `customer_id`, `churn_probability` (of leaving within the horizon), `time_days`
        (observed from the day of the prediction on), `churned` (whether that time ended in churn).
    horizon_days : float
        Days from the prediction to the judgement.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per threshold: `threshold` (probability from which on one acts), `n_acted`
        (customers), `left_acted`, `left_spared` (share that left of those acted on and of the
        others), `list_benefit`, `all_benefit` (of acting on everybody; acting on nobody has 0),
        `gain` (of the list over the better of the two), `conf_low`, `conf_high` (of the gain at
        this threshold), `p_value` (that it is not above 0), `q_value` (Benjamini-Hochberg over
        the thresholds), `n`. Benefits are per customer, in units of one action on a customer who
        would have left.

    Raises
    ------
    InputError
        When a column is missing or holds what cannot be used.
    TooLittleData
        When fewer than ten left, or fewer than ten are known to have stayed.

    Notes
    -----
    An action of cost c that keeps, with chance s, a customer worth v who would have left pays for
    a customer with probability p when p s v > c, so the threshold is q = c / (s v)
    (`find_threshold`). Acting on those with a probability of q or more has the net benefit
    TP - FP q / (1 - q), with TP and FP the shares of all customers who are acted on and would have
    left, or stayed. One unit of it is worth s v - c.

    So the list beats acting on nobody by (share acted on) (L - q) / (1 - q), where L is the share
    that left of those acted on, and acting on everybody by (share spared) (q - R) / (1 - q), where
    R is the share that left of those spared. The intervals and tests are those of L and R
    (exact, Clopper-Pearson, at Kish's size of the weights), the predictions given; where few are
    spared they are as wide as they should be, which a bootstrap is not. The gain is above 0 when
    both are shown; nothing is tested where nobody is acted on, or spared. Customers lost before
    the horizon count through others, by the weights of `read_outcomes`.

    The customers judged are taken to have been left alone: where earlier actions kept some, the
    benefit is understated. Thresholds are equally spaced up to the largest prediction, or to twice
    the share that left if that is more.

    References
    ----------
    .. [1] A. J. Vickers, E. B. Elkin (2006). Decision curve analysis. Medical Decision Making 26,
           565-574.
    .. [2] A. J. Vickers, A. M. Cronin, E. B. Elkin, M. Gonen (2008). Extensions to decision curve
           analysis. BMC Medical Informatics and Decision Making 8, 53.
    .. [3] C. J. Clopper, E. S. Pearson (1934). The use of confidence or fiducial limits.
           Biometrika 26, 404-413.
    """
    outcomes = read_outcomes(predictions, horizon_days=horizon_days)
    weights, p = outcomes.weigh(), outcomes.probability
    share = float(weights @ outcomes.left / weights.sum())
    top = min(max(float(p.max()), 2 * share), 0.99)
    thresholds = np.linspace(0, top, N_THRESHOLDS + 1)[1:]
    # cell i holds who is acted on at the first i thresholds
    cells = np.searchsorted(thresholds, p, side="right")
    columns = (np.ones(len(p)), weights, weights * outcomes.left, weights**2)
    sums = [np.bincount(cells, part, N_THRESHOLDS + 1) for part in columns]
    by_cell = np.column_stack(sums).astype(float)
    spared = np.cumsum(by_cell, axis=0)[:-1]
    acted = by_cell.sum(axis=0) - spared
    odds = thresholds / (1 - thresholds)
    total = weights.sum()
    over_none = _gain(acted, total, thresholds, conf_level, sign=1.0)
    over_all = _gain(spared, total, thresholds, conf_level, sign=-1.0)
    p_values = np.maximum(over_none["p_value"], over_all["p_value"])
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "n_acted": acted[:, 0].astype(int),
            "left_acted": over_none["left"],
            "left_spared": over_all["left"],
            "list_benefit": over_none["gain"],
            "all_benefit": share - odds * (1 - share),
            **{name: np.minimum(over_none[name], over_all[name]) for name in _GAIN},
            "p_value": p_values,
            "q_value": adjust_p_values(p_values),
            "n": len(p),
        }
    )


_GAIN = ("gain", "conf_low", "conf_high")


def _gain(
    side: Floats, total: float, thresholds: Floats, conf_level: float, *, sign: float
) -> dict[str, Floats]:
    """Gain from treating one side of the threshold as the list does, not as the other side."""
    _, weight, left, squares = side.T
    known = weight > 0
    share = np.divide(left, weight, out=np.full_like(left, np.nan), where=known)
    size = np.divide(weight**2, squares, out=np.ones_like(left), where=known)
    hits = np.nan_to_num(share) * size
    tail = (1 - conf_level) / 2
    low = np.where(hits > 0, stats.beta.ppf(tail, hits, size - hits + 1), 0.0)
    high = np.where(hits < size, stats.beta.ppf(1 - tail, hits + 1, size - hits), 1.0)
    factor = weight / total / (1 - thresholds)
    gain, *ends = (np.where(known, factor * sign * (s - thresholds), 0) for s in (share, low, high))
    # chance of so many who left among those acted on, or so few among the others, at the threshold
    if sign > 0:
        p_value = np.where(hits > 0, stats.beta.cdf(thresholds, hits, size - hits + 1), 1.0)
    else:
        p_value = np.where(hits < size, stats.beta.sf(thresholds, hits + 1, size - hits), 1.0)
    return {
        "left": share,
        "gain": gain,
        "conf_low": np.minimum(*ends),
        "conf_high": np.maximum(*ends),
        "p_value": np.where(known, np.minimum(2 * p_value, 1), np.nan),
    }


def find_threshold(*, action_cost: float, value_kept: float, success_share: float) -> float:
    """Find the probability of leaving from which on an action pays.

    Parameters
    ----------
    action_cost : float
        Cost of acting on one customer.
    value_kept : float
        Worth of one customer who would have left and stays.
    success_share : float
        Share of those who would have left that the action keeps.

    Returns
    -------
    float
        Cost over value times success; 1 or more when the action never pays.

    Raises
    ------
    InputError
        When an amount is not positive, or the share not between 0 and 1.

    Examples
    --------
    >>> find_threshold(action_cost=15, value_kept=300, success_share=0.25)
    0.2
    """
    rules = (
        ("action_cost", action_cost, action_cost > 0, "give an amount over 0"),
        ("value_kept", value_kept, value_kept > 0, "give an amount over 0"),
        ("success_share", success_share, 0 < success_share <= 1, "give a share over 0, up to 1"),
    )
    for name, value, is_right, fix in rules:
        if not is_right:
            raise InputError(f"{name} = {value!r} cannot be.", f"parameter '{name}'", fix)
    return action_cost / (value_kept * success_share)


def find_useful_range(
    decision: pd.DataFrame, *, conf_level: float = 0.95
) -> tuple[float, float] | None:
    """Find the thresholds at which the list is shown to beat acting on all and on nobody.

    Parameters
    ----------
    decision : pandas.DataFrame
        As `fit_decision_curve` returns it.
    conf_level : float, default 0.95
        A gain counts as shown when its `q_value` is below 1 less this.

    Returns
    -------
    tuple of float, or None
        First and last threshold of the longest run of shown gains; None when there is none.
    """
    shown = (decision["q_value"] < 1 - conf_level).to_numpy()
    runs = np.cumsum(np.diff(shown, prepend=False))
    best = pd.Series(runs[shown]).mode()
    if best.empty:
        return None
    inside = decision.loc[shown & (runs == best.iloc[0]), "threshold"]
    return float(inside.iloc[0]), float(inside.iloc[-1])
