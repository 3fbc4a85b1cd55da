"""How an outcome goes together with perception and with the gap: a description."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.errors import InputError, closest
from cxlib.gaps.levels import check_pairs, level_names, respondent_means
from cxlib.gaps.ratings import Ratings
from cxlib.stats import normal_quantile

_LINKS = ["name", "n", "correlation", "conf_low", "conf_high", "p_value"]


def summarise_outcome_links(
    ratings: Ratings, *, outcome: str, conf_level: float = 0.95
) -> pd.DataFrame:
    """Correlate an outcome with perception, expectation and the gap.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    outcome : str
        An item that was answered in the role outcome.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per name: perception, gap, expectation. Columns `name`, `n` (respondents),
        `correlation`, `conf_low`, `conf_high`, `p_value`.

    Raises
    ------
    InputError
        When the outcome is not an outcome item that was answered, or there are no pairs to
        average.
    TooLittleData
        When fewer than two respondents rated one item in both roles.

    Notes
    -----
    Each respondent counts with the means over the items rated in both roles. Pearson's r
    with Fisher's interval, tanh(atanh(r) +- z / sqrt(n - 3)), and the t-test of r = 0; no interval
    with n < 4 or without variance. The rows rest on the same respondents, so their intervals may
    overlap although the correlations differ. A correlation is no proof that one thing drives
    the other, and the gap holds perception itself.

    References
    ----------
    .. [1] R. A. Fisher (1921). On the probable error of a coefficient of correlation. Metron 1,
           3-32.
    """
    answers = ratings.answers[ratings.answers["role"].eq("outcome")]
    options = sorted(answers["item"].unique())
    if outcome not in options:
        raise InputError(
            f"'{outcome}' is not an outcome item that was answered.",
            "table 'answers', role outcome",
            closest(outcome, options),
        )
    pairs = check_pairs(ratings)
    _, means = respondent_means(pairs, level_names(pairs)["total"])
    values = answers[answers["item"].eq(outcome)].set_index("respondent_id")["value"]
    y = values.reindex(pairs["respondent_id"].unique()).to_numpy(dtype=float)
    rows = []
    for name in ("perception", "gap", "expectation"):
        x = means[name][:, 0]
        known = ~np.isnan(x) & ~np.isnan(y)
        rows.append((name, int(known.sum()), *_correlate(x[known], y[known], conf_level)))
    return pd.DataFrame(rows, columns=_LINKS)


def _correlate(x: np.ndarray, y: np.ndarray, conf_level: float) -> tuple[float, ...]:
    if len(x) < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return (np.nan,) * 4
    r, p_value = stats.pearsonr(x, y)
    if abs(r) > 1 - 1e-12:  # perfectly collinear: atanh has no value
        return float(r), np.nan, np.nan, np.nan
    half = normal_quantile(conf_level) / np.sqrt(len(x) - 3)
    low, high = np.tanh(np.arctanh(r) + np.array([-half, half]))
    return float(r), float(low), float(high), float(p_value)
