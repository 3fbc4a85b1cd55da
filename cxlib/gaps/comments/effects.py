"""What the score would be without the comments that mention a theme."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.gaps.comments.themes import Themes
from cxlib.gaps.resample import assign_blocks, draw_counts, sum_blocks
from cxlib.stats import Floats, adjust_p_values


def estimate_theme_effects(
    themes: Themes, *, n_draws: int = 2_000, conf_level: float = 0.95, random_state: int = 0
) -> pd.DataFrame:
    """Estimate how much each theme's comments move the net promoter score of those who write.

    Parameters
    ----------
    themes : Themes
        From `find_themes`.
    n_draws : int, default 2000
        Bootstrap samples.
    conf_level : float, default 0.95
        Confidence level.
    random_state : int, default 0
        Seed.

    Returns
    -------
    pandas.DataFrame, one row per theme, the strongest pull down first
        Columns `theme`, `n` (scored comments that mention it), `n_scored` (scored comments),
        `score_with` (of the writers who mention it), `score_without` (of the others),
        `score_all`, `effect` (`score_all` minus `score_without`), `std_error`, `conf_low`,
        `conf_high`, `p_value`, `q_value`, `n_tests`, `p_lowest` (how often the effect is the lowest
        of all when customers are drawn anew), `is_stable`. Empty without themes or scores; NaN
        where all scored comments mention a theme, one customer wrote them, or all scores are equal.

    Notes
    -----
    effect = NPS of all - NPS without the theme's comments. With n_t of N comments mentioning the
    theme at a score of NPS_t this equals n_t (NPS_t - NPS) / (N - n_t), the "NPS impact" of survey
    platforms: exact, no model. It grows with how common a theme is and how far its writers are from
    the others. It compares writers and does not say that the theme made their score.

    Standard errors come from drawing customers with replacement, all themes in the same draws;
    intervals and tests are Student's with one degree of freedom less than customers. In 4,000
    simulations each with 60, 150 and 400 customers they cover a strong effect in 93.6, 94.4 and
    94.8 %, none at all in 97.2, 95.0 and 95.3 %. The tests are one family. The themes themselves
    are taken as given, so the intervals leave out that other comments would have led to somewhat
    other themes.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani (1993). An Introduction to the Bootstrap, chapters 6 and
           12.
    """
    table = themes.comments.table
    score = table["score"].to_numpy(float)
    weight = table["weight"].to_numpy(float)
    known = ~np.isnan(score) & (weight > 0)
    if known.sum() < 2 or themes.mentions[known].all(axis=0).all():
        return pd.DataFrame(columns=_COLUMNS)
    score, weight, mentions = score[known], weight[known], themes.mentions[known]
    rest = weight[:, None] * ~mentions
    values = np.column_stack([weight, weight * score, rest, rest * score[:, None]])
    writers = np.unique(themes.comments.clusters[known], return_inverse=True)[1]
    blocks = assign_blocks(len(score), clusters=[writers], random_state=random_state)
    sums = sum_blocks(values, blocks)
    total, without = _scores(sums.sum(axis=0)[None])
    effect = (total[:, None] - without)[0]
    drawn_total, drawn = _scores(draw_counts(len(sums), n_draws, random_state) @ sums)
    draws = drawn_total[:, None] - np.where(np.isnan(effect), np.nan, drawn)
    degrees = len(sums) - 1
    std_error, low, high, p_values = _read_draws(effect, draws, degrees, conf_level)
    ranked = np.where(np.isnan(draws), np.inf, draws)
    first = ranked == ranked.min(axis=1, keepdims=True)
    chance = (first / first.sum(axis=1, keepdims=True)).mean(axis=0)
    held = weight[:, None] * mentions
    with np.errstate(invalid="ignore", divide="ignore"):
        score_with = (held * score[:, None]).sum(axis=0) / held.sum(axis=0)
    found = pd.DataFrame(
        {
            "theme": themes.names,
            "n": mentions.sum(axis=0),
            "n_scored": len(score),
            "score_with": score_with,
            "score_without": without[0],
            "score_all": total[0],
            "effect": effect,
            "std_error": std_error,
            "conf_low": low,
            "conf_high": high,
            "p_value": p_values,
            "q_value": adjust_p_values(p_values),
            "n_tests": int((~np.isnan(p_values)).sum()),
            "p_lowest": np.where(np.isnan(std_error), np.nan, chance),
            "is_stable": themes.table["is_stable"].to_numpy(bool),
        }
    )
    return found.sort_values("effect", kind="stable", ignore_index=True)


_COLUMNS = [
    *("theme", "n", "n_scored", "score_with", "score_without", "score_all", "effect"),
    *(
        "std_error",
        "conf_low",
        "conf_high",
        "p_value",
        "q_value",
        "n_tests",
        "p_lowest",
        "is_stable",
    ),
]


def _scores(sums: Floats) -> tuple[Floats, Floats]:
    """Compute the score of all and without each theme from sums of weights and of scores."""
    k = (sums.shape[1] - 2) // 2
    weights, scores = sums[:, 2 : 2 + k], sums[:, 2 + k :]
    without = np.full(weights.shape, np.nan)
    np.divide(scores, weights, out=without, where=weights > 0)
    return sums[:, 1] / sums[:, 0], without


def _read_draws(
    effect: Floats, draws: Floats, degrees: int, conf_level: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Read standard errors off bootstrap draws, and from them ends and p-values."""
    from scipy import stats

    failed = np.isnan(draws).mean(axis=0) > 0.5
    std_error = np.nanstd(np.where(failed, 0.0, draws), axis=0, ddof=1)
    # effects that never vary, but for roundings of points, are no estimates of chance
    std_error = np.where(failed | (std_error < 1e-9), np.nan, std_error)
    half = stats.t.ppf(0.5 + conf_level / 2, degrees) * std_error
    with np.errstate(invalid="ignore", divide="ignore"):
        p_values = 2 * stats.t.sf(np.abs(effect) / std_error, degrees)
    return std_error, effect - half, effect + half, p_values
