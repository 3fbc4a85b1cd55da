"""Kano's questionnaire: what a feature is for, with the chance that its category is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.groups import natural_key
from cxlib.gaps.means import DOMINATED, Codes, respondent_clusters
from cxlib.gaps.ratings import Ratings
from cxlib.gaps.resample import assign_blocks, sum_blocks
from cxlib.stats import Floats, wilson_interval

ROLES = ("functional", "dysfunctional")
CATEGORIES = (
    "must-be",
    "performance",  # one-dimensional, in Kano's words
    "attractive",
    "indifferent",
    "reverse",
    "questionable",
)
_M, _O, _A, _I, _R, _Q = range(6)
# rows: with the feature; columns: without it; both like, must be, neutral, live with, dislike
_EVALUATION = np.array(
    [
        [_Q, _A, _A, _A, _O],
        [_R, _I, _I, _I, _M],
        [_R, _I, _I, _I, _M],
        [_R, _I, _I, _I, _M],
        [_R, _R, _R, _R, _Q],
    ]
)
SURE = 0.8  # chance from which a category is given
_DRAWS = 10_000


@dataclass(frozen=True)
class KanoFeatures:
    """Categories of features by Kano's questionnaire.

    Parameters
    ----------
    features : pandas.DataFrame, one row per feature
        Columns `item`, `text`, `n`, `n_effective`, `category` (the commonest), `p_category` (the
        chance that it is the commonest of all customers), `verdict` (the category, or
        "undecided"), `strength` (its share less the next one's), `better`, `better_low`,
        `better_high`, `worse`, `worse_low`, `worse_high`, `questionable_share`.
    shares : pandas.DataFrame, one row per feature and category
        Columns `item`, `category`, `n`, `share`, `conf_low`, `conf_high` (of all six at once).
    n_hidden : int
        Features with fewer respondents than `min_cell`, left out.
    conf_level : float
        Level of the intervals.
    """

    features: pd.DataFrame
    shares: pd.DataFrame
    n_hidden: int
    conf_level: float


def classify_kano(
    ratings: Ratings, *, conf_level: float = 0.95, min_cell: int = 10, random_state: int = 0
) -> KanoFeatures:
    """Classify features by how customers feel with and without them.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`; roles functional and dysfunctional, answers 1 (I like it), 2 (it
        must be so), 3 (neutral), 4 (I can live with it), 5 (I dislike it).
    conf_level : float, default 0.95
        Confidence level.
    min_cell : int, default 10
        Features with fewer respondents are left out.
    random_state : int, default 0
        Seed of the draws.

    Returns
    -------
    KanoFeatures
        One category a feature, with shares and coefficients.

    Raises
    ------
    InputError
        When a role was never asked or an answer is not 1 to 5.
    TooLittleData
        When no feature has enough respondents.

    Notes
    -----
    A respondent counts for a feature when both questions were answered. Shares are weighted. Their
    effective n is sum p (1 - p) / sum variance over the categories, variances by linearisation
    with clusters; few clusters are believed in part, as in `stats.clustered_share_size`.
    Intervals of the six shares hold together (Goodman: Wilson's with the level divided by six).
    The chance of a category is the share of draws from Dirichlet(effective n x share + 1/2) in
    which it is the commonest; under 80 % the verdict is "undecided". A test of the two commonest
    (Fong) asks less: whether these two differ, not whether a third may win.

    better = (A + O) / (A + O + M + I), worse = -(O + M) / (A + O + M + I), with Wilson's intervals:
    how much satisfaction having the feature may gain, and lacking it may cost.

    References
    ----------
    .. [1] N. Kano et al. (1984). Attractive quality and must-be quality. J. Japanese Society for
           Quality Control 14(2), 39-48.
    .. [2] C. Berger et al. (1993). Kano's methods for understanding customer-defined quality.
           Center for Quality Management Journal 2(4), 3-36.
    .. [3] L. A. Goodman (1965). On simultaneous confidence intervals for multinomial proportions.
           Technometrics 7, 247-254.
    .. [4] J. N. K. Rao, A. J. Scott (1981). The analysis of categorical data from complex sample
           surveys. JASA 76, 221-230.
    """
    functional, dysfunctional = _read_pairs(ratings)
    clusters = respondent_clusters(ratings.respondents)
    blocks = assign_blocks(len(functional), clusters=clusters) if clusters else None
    weights = ratings.respondents["weight"].to_numpy(dtype=float)
    texts = ratings.facts("functional")["text"]
    rows, shares, n_hidden = [], [], 0
    rng = np.random.default_rng(random_state)
    for item in functional.columns:
        category = _evaluate(functional[item].to_numpy(), dysfunctional[item].to_numpy())
        used = (category >= 0) & (weights > 0)
        n = int(used.sum())
        if n < max(min_cell, 2):
            n_hidden += 1
            continue
        share, size = _share(
            category[used], weights[used], None if blocks is None else blocks[used]
        )
        rows.append(
            {"item": item, "text": texts[item], "n": n, **_judge(share, size, conf_level, rng)}
        )
        shares.append(_list_shares(item, category[used], share, size, conf_level))
    if not rows:
        raise TooLittleData(
            f"No feature has {max(min_cell, 2)} respondents who answered how they feel with it and "
            "without it."
        )
    return KanoFeatures(
        pd.DataFrame(rows), pd.concat(shares, ignore_index=True), n_hidden, conf_level
    )


def _read_pairs(ratings: Ratings) -> tuple[pd.DataFrame, pd.DataFrame]:
    for role in ROLES:
        if role not in ratings.values:
            raise InputError(
                f"No answer has the role '{role}'; Kano's categories need both questions.",
                f"table 'answers', roles {sorted(ratings.values)}",
                f"map the columns that hold the {role} question to that role",
            )
    sides = [ratings.values[role] for role in ROLES]
    names = sorted(set(sides[0].columns) & set(sides[1].columns), key=natural_key)
    if not names:
        raise InputError(
            "No feature was asked about both ways.",
            f"table 'answers', functional {list(sides[0].columns)[:3]}, dysfunctional "
            f"{list(sides[1].columns)[:3]}",
            "give the two questions of a feature the same item name",
        )
    for role, side in zip(ROLES, sides, strict=True):
        values = side[names].to_numpy()
        off = ~np.isnan(values) & ~np.isin(values, (1, 2, 3, 4, 5))
        if off.any():
            row, column = np.argwhere(off)[0]
            who = ratings.respondents["respondent_id"].iloc[row]
            raise InputError(
                f"Kano answers that are not 1, 2, 3, 4 or 5: {int(off.sum()):,}.",
                f"table 'answers', respondent '{who}', item '{names[column]}', role {role}: "
                f"{values[row, column]:g}",
                "code them 1 like, 2 must be, 3 neutral, 4 live with, 5 dislike",
            )
    return sides[0][names], sides[1][names]


def _evaluate(functional: Floats, dysfunctional: Floats) -> Codes:
    """Look up each pair of answers; -1 where one is missing."""
    known = ~np.isnan(functional) & ~np.isnan(dysfunctional)
    category = np.full(len(functional), -1)
    places = ((side[known] - 1).astype(int) for side in (functional, dysfunctional))
    category[known] = _EVALUATION[tuple(places)]
    return category


def _share(category: Codes, weights: Floats, blocks: Codes | None) -> tuple[Floats, float]:
    """Return the weighted share of each category and the effective number of respondents."""
    member = (category[:, None] == np.arange(len(CATEGORIES))).astype(float)
    share = weights @ member / weights.sum()
    residual = weights[:, None] * (member - share) / weights.sum()
    if blocks is not None:
        residual = sum_blocks(residual, blocks)
    n = len(residual)
    variance = (residual**2).sum() * n / max(n - 1, 1)
    spread = float((share * (1 - share)).sum())
    kish = float(weights.sum() ** 2 / (weights**2).sum())
    # the n - 1 is dropped again, so that equal weights without clusters give back n
    size = spread / variance * n / max(n - 1, 1) if variance > 0 else kish
    size = kish if kish < DOMINATED else min(size, len(category))
    if blocks is not None:  # few clusters show a spread too small as often as one too large
        held = sum_blocks(weights[:, None], blocks)[:, 0]
        alike = float(held.sum() ** 2 / (held**2).sum())
        if size > alike:
            size = alike + (size - alike) * (alike - 1) / (alike + 2)
    return share, float(size)


def _judge(
    share: Floats, size: float, conf_level: float, rng: np.random.Generator
) -> dict[str, object]:
    first, second = np.sort(share)[::-1][:2]
    top = int(share.argmax())
    draws = rng.dirichlet(size * share + 0.5, _DRAWS)
    chance = float((draws.argmax(axis=1) == top).mean())
    told = share[[_A, _O, _M, _I]].sum()
    row: dict[str, object] = {
        "n_effective": size,
        "category": CATEGORIES[top],
        "p_category": chance,
        "verdict": CATEGORIES[top] if chance >= SURE else "undecided",
        "strength": first - second,
    }
    for name, members, sign in (("better", [_A, _O], 1), ("worse", [_O, _M], -1)):
        part = share[members].sum() / told if told > 0 else np.nan
        ends = wilson_interval([np.nan_to_num(part)], [size * told], conf_level=conf_level)
        low, high = sorted(sign * float(end[0]) for end in ends)
        row |= {name: sign * part, f"{name}_low": low, f"{name}_high": high}
    return row | {"questionable_share": float(share[_Q])}


def _list_shares(
    item: str, category: Codes, share: Floats, size: float, conf_level: float
) -> pd.DataFrame:
    level = 1 - (1 - conf_level) / len(CATEGORIES)
    low, high = wilson_interval(share, np.full(len(share), size), conf_level=level)
    return pd.DataFrame(
        {
            "item": item,
            "category": CATEGORIES,
            "n": np.bincount(category, minlength=len(CATEGORIES)),
            "share": share,
            "conf_low": low,
            "conf_high": high,
        }
    )
