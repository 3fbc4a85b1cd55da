"""Changes from one wave to the next, split into change within groups and a change of mix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.errors import InputError, TooLittleData, closest
from cxlib.gaps.groups import as_labels, natural_key
from cxlib.gaps.levels import level_means, pair_ratings
from cxlib.gaps.means import Codes, respondent_clusters
from cxlib.gaps.ratings import PAIR, Ratings
from cxlib.gaps.scores.frame import REST
from cxlib.gaps.scores.linear import Calibration, covary, take_calibration_off
from cxlib.gaps.scores.scores import ScoreItem, read_scores
from cxlib.gaps.scores.weighting import Weighting
from cxlib.stats import Floats, adjust_p_values

_DRAWS = 10_000


@dataclass(frozen=True)
class ScoreChange:
    """What changed between two waves.

    Parameters
    ----------
    split : pandas.DataFrame, one row per metric and part
        Columns `metric` (nps, csat, ces, gap), `item`, `part` (total, within, mix), `n_before`,
        `n_after`, `before`, `after` (scores, of the total only), `change`, `std_error`,
        `conf_low`, `conf_high`, `p_value`, `q_value`, `n_tests`, `n_groups`, `n_against` (groups
        that moved against the total), `p_against` (probability that most did), `unit`,
        `score_min`, `score_max`.
    groups : pandas.DataFrame, one row per metric and group
        Columns `metric`, `item`, `group`, `n_before`, `n_after`, `share_before`, `share_after`,
        `before`, `after`, `change`, `std_error`, `conf_low`, `conf_high`, `p_value`, `q_value`,
        `n_tests`, `unit`, `score_min`, `score_max`. Groups rare in a wave are joined to
        ``"(other)"``.
    previous, wave : str
        The waves compared.
    by : str
        Column of the groups.
    is_weighted : bool
        Whether respondents count by unequal weights.
    """

    split: pd.DataFrame
    groups: pd.DataFrame
    previous: str
    wave: str
    by: str
    is_weighted: bool


@dataclass(frozen=True)
class _Setting:
    """What all metrics share: who is in which wave and group, with which weight."""

    after: np.ndarray  # rows of the later wave
    before: np.ndarray
    group: Codes
    labels: list[str]
    weights: Floats
    clusters: list[Codes]
    calibration: Calibration | None
    conf_level: float
    random_state: int


def split_change(
    ratings: Ratings,
    *,
    by: str,
    wave: str = "",
    previous: str = "",
    weighting: Weighting | None = None,
    min_cell: int = 10,
    conf_level: float = 0.95,
    random_state: int = 0,
) -> ScoreChange:
    """Split the change of every score and of the total gap into change within groups and mix.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers` with `every_wave`.
    by : str
        Column of the respondents to group by.
    wave, previous : str, default ""
        The later and the earlier wave; by default the last and the one before it.
    weighting : Weighting, optional
        From `weight_respondents` of the same ratings; without, the weights of the ratings hold.
    min_cell : int, default 10
        Fewest respondents of a group in either wave; rarer groups are joined to ``"(other)"``.
    conf_level : float, default 0.95
        Confidence level.
    random_state : int, default 0
        Seed of the draws behind `p_against`.

    Returns
    -------
    ScoreChange
        The change in parts, and the change of every group.

    Raises
    ------
    InputError
        When the column or a wave is unknown, both waves are the same, an item's scale does not fit
        its metric, or expectation and perception cannot be subtracted.
    TooLittleData
        When there is only one wave, or a wave has fewer than `min_cell` respondents.

    Notes
    -----
    With shares p and means m of group g in waves 0 and 1, the change is the sum over groups of
    (p0 + p1) / 2 (m1 - m0), the part within groups, and of (m0 + m1) / 2 (p1 - p0), the mix. A
    group that is there in one wave only has no change within; it counts as mix. Standard errors
    are linearised: shares and means are estimated, a customer who answered both waves is one
    cluster, and weights that were raked vary less. The order of waves is that of their last
    `answered_at`, else the natural one. `p_against` is the share of 10,000 draws from the joint
    normal distribution of the changes in which more than half of the groups move against the
    total: then the total misleads (Simpson's paradox).

    References
    ----------
    .. [1] E. M. Kitagawa (1955). Components of a difference between two rates. JASA 50,
           1168-1194.
    .. [2] E. H. Simpson (1951). The interpretation of interaction in contingency tables. JRSS B
           13, 238-241.
    """
    respondents = ratings.respondents
    if by not in respondents.columns:
        where = "the respondents of the ratings"
        raise InputError(
            f"There is no column '{by}' to group by.", where, closest(by, respondents.columns)
        )
    previous, wave = _choose_waves(respondents, wave, previous)
    labels = as_labels(respondents[by]).to_numpy(dtype=object)
    before, after = (respondents["wave"].eq(one).to_numpy() for one in (previous, wave))
    weights = (weighting.ratings if weighting else ratings).respondents["weight"].to_numpy(float)
    parts: list[tuple[pd.DataFrame, pd.DataFrame]] = []
    for score in [*read_scores(ratings), *_read_total_gap(ratings)]:
        known = ~np.isnan(score.values) & (weights > 0)
        if min((known & before).sum(), (known & after).sum()) < min_cell:
            continue
        group, names = _join_groups(labels, known & before, known & after, min_cell)
        setting = _Setting(
            **{"after": known & after, "before": known & before, "group": group, "labels": names},
            weights=weights,
            clusters=respondent_clusters(respondents),
            calibration=weighting.calibration if weighting else None,
            conf_level=conf_level,
            random_state=random_state,
        )
        parts.append(_split(score, setting))
    if not parts:
        raise TooLittleData(
            f"No score and no gap has {min_cell} answers in both waves, '{previous}' and '{wave}'."
        )
    split, groups = (pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True))
    groups = groups[groups[["n_before", "n_after"]].min(axis=1).ge(min_cell)]
    return ScoreChange(
        split=_correct(split),
        groups=_correct(groups.reset_index(drop=True)),
        previous=previous,
        wave=wave,
        by=by,
        is_weighted=len(np.unique(weights[(before | after) & (weights > 0)])) > 1,
    )


def _correct(table: pd.DataFrame) -> pd.DataFrame:
    place = list(table.columns).index("p_value") + 1
    table.insert(place, "q_value", adjust_p_values(table["p_value"]))
    table.insert(place + 1, "n_tests", int(table["p_value"].notna().sum()))
    return table


def _choose_waves(respondents: pd.DataFrame, wave: str, previous: str) -> tuple[str, str]:
    known = sorted(set(respondents["wave"]) - {""}, key=natural_key)
    if "answered_at" in respondents.columns:
        last = respondents.groupby("wave")["answered_at"].max()
        known = sorted(known, key=lambda one: (pd.isna(last[one]), last[one]))
    for one in (wave, previous):
        if one and one not in known:
            where = "table 'answers', column 'wave'"
            raise InputError(f"The wave '{one}' is unknown.", where, closest(one, known))
    wave = wave or (known[-1] if known else "")
    earlier = known[: known.index(wave)] if wave else []
    if not previous and not earlier:
        raise TooLittleData(f"There is no wave before '{wave}' to compare with.")
    previous = previous or earlier[-1]
    if previous == wave:
        where = "arguments 'wave' and 'previous'"
        raise InputError(f"The wave '{wave}' is compared with itself.", where, "name two waves")
    return previous, wave


def _read_total_gap(ratings: Ratings) -> list[ScoreItem]:
    if any(role not in ratings.values for role in PAIR):
        return []
    try:
        pairs = pair_ratings(ratings)
    except TooLittleData:
        return []
    width = (pairs.items["scale_max"] - pairs.items["scale_min"]).max()
    gap = level_means(pairs, "total").gap[:, 0]
    return [ScoreItem("gap", "total", gap, "", -float(width), float(width))]


def _join_groups(
    labels: np.ndarray, before: np.ndarray, after: np.ndarray, min_cell: int
) -> tuple[Codes, list[str]]:
    """Code the groups, those rare in a wave as one; a group new in a wave stays itself."""
    names = sorted(set(labels[before | after]), key=natural_key)
    code = pd.Index(names).get_indexer(labels)
    counts = np.array([np.bincount(code[part], minlength=len(names)) for part in (before, after)])
    is_rare = ((counts > 0) & (counts < min_cell)).max(axis=0)
    if not is_rare.any():
        return code, names
    kept = [name for name, rare in zip(names, is_rare, strict=True) if not rare]
    new = np.full(len(names) + 1, len(kept))
    new[:-1][~is_rare] = np.arange(len(kept))
    return new[code], [*kept, REST]


def _split(score: ScoreItem, setting: _Setting) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split one score's change; rows of its parts and of its groups."""
    shares, means, counts = (np.zeros((2, len(setting.labels))) for _ in range(3))
    for side, part in enumerate((setting.before, setting.after)):
        code, w, x = setting.group[part], setting.weights[part], score.values[part]
        size = np.bincount(code, weights=w, minlength=len(setting.labels))
        counts[side] = np.bincount(code, minlength=len(setting.labels))
        shares[side] = size / size.sum()
        sums = np.bincount(code, weights=w * x, minlength=len(setting.labels))
        means[side] = np.divide(sums, size, out=np.full(len(size), np.nan), where=size > 0)
    in_both = counts.min(axis=0) > 0
    filled = np.where(np.isnan(means), means[::-1], means)  # no change within where there is none
    change = np.where(in_both, means[1] - means[0], 0.0)
    weight, tilt = shares.mean(axis=0), shares[1] - shares[0]
    within, mix = float(weight @ change), float(filled.mean(axis=0) @ tilt)
    influence = _influence(score, setting, shares, filled, in_both)
    covariance, degrees = _covary(influence, setting)
    estimates = np.array([within + mix, within, mix, *change])
    table = _intervals(estimates, covariance, degrees, setting.conf_level)
    about = {"metric": score.metric, "item": score.item}
    ends = {"unit": score.unit, "score_min": score.low, "score_max": score.high}
    overall = (shares * np.nan_to_num(means)).sum(axis=1)
    against, chance = _count_against(estimates, covariance, in_both, setting.random_state)
    split = pd.DataFrame(
        {
            **about,
            "part": ["total", "within", "mix"],
            "n_before": int(counts[0].sum()),
            "n_after": int(counts[1].sum()),
            "before": [overall[0], np.nan, np.nan],
            "after": [overall[1], np.nan, np.nan],
            **table.iloc[:3],
            "n_groups": int(in_both.sum()),
            "n_against": against,
            "p_against": chance,
            **ends,
        }
    )
    groups = pd.DataFrame(
        {
            **about,
            "group": setting.labels,
            **{"n_before": counts[0].astype(int), "n_after": counts[1].astype(int)},
            **{"share_before": shares[0], "share_after": shares[1]},
            **{"before": means[0], "after": means[1]},
            **table.iloc[3:].reset_index(drop=True),
            **ends,
        }
    )
    return split, groups[in_both]


def _influence(
    score: ScoreItem, setting: _Setting, shares: Floats, means: Floats, in_both: np.ndarray
) -> Floats:
    """Return what each respondent adds to total, within, mix and every group's change."""
    n_groups = len(setting.labels)
    influence = np.zeros((len(setting.weights), 3 + n_groups))
    change = np.where(in_both, means[1] - means[0], 0.0)
    weight, tilt, middle = shares.mean(axis=0), shares[1] - shares[0], means.mean(axis=0)
    # a group's only mean stands for both of its means
    counts_in_mix = np.where(in_both, 0.5, 1.0)
    for side, (part, sign) in enumerate(((setting.before, -1.0), (setting.after, 1.0))):
        rows = np.flatnonzero(part)
        code, w = setting.group[rows], setting.weights[rows]
        w = w / w.sum()
        off = score.values[rows] - means[side][code]
        share = shares[side]
        ratio = np.divide(weight * in_both, share, out=np.zeros(n_groups), where=share > 0)
        turned = np.divide(tilt * counts_in_mix, share, out=np.zeros(n_groups), where=share > 0)
        by_share = 0.5 * (change - share @ change)
        within = sign * ratio[code] * off + by_share[code]
        mix = turned[code] * off + sign * (middle - share @ middle)[code]
        influence[rows, 1], influence[rows, 2] = w * within, w * mix
        influence[rows, 3 + code] = w * sign * off / share[code]
    influence[:, 0] = influence[:, 1] + influence[:, 2]
    return influence


def _covary(influence: Floats, setting: _Setting) -> tuple[Floats, float]:
    rows, extra = setting.before | setting.after, np.zeros((influence.shape[1],) * 2)
    if setting.calibration is not None:
        influence, extra = take_calibration_off(influence, setting.weights, setting.calibration)
        rows = setting.calibration.cells >= 0
    covariance, degrees = covary(influence[rows], [codes[rows] for codes in setting.clusters])
    return covariance + extra, degrees


def _intervals(
    estimates: Floats, covariance: Floats, degrees: float, conf_level: float
) -> pd.DataFrame:
    std_error = np.sqrt(np.diag(covariance))
    varies = np.where(std_error > 1e-12, std_error, np.nan)
    half = stats.t.ppf(0.5 + conf_level / 2, degrees) * varies
    return pd.DataFrame(
        {
            "change": estimates,
            "std_error": std_error,
            "conf_low": estimates - half,
            "conf_high": estimates + half,
            "p_value": 2 * stats.t.sf(np.abs(estimates) / varies, degrees),
        }
    )


def _count_against(
    estimates: Floats, covariance: Floats, in_both: np.ndarray, random_state: int
) -> tuple[int, float]:
    """Count groups that move against the total, and the probability that most do."""
    kept = np.flatnonzero([True, *in_both])
    kept = np.where(kept > 0, kept + 2, 0)  # the total, then groups
    if len(kept) < 3:
        return 0, float("nan")
    mean, covariance = estimates[kept], covariance[np.ix_(kept, kept)]
    if not np.isfinite(covariance).all():
        return int((mean[0] * mean[1:] < 0).sum()), float("nan")
    size, direction = np.linalg.eigh(covariance)
    root = (direction * np.sqrt(np.maximum(size, 0.0))) @ direction.T
    draws = np.random.default_rng(random_state).standard_normal((_DRAWS, len(kept)))
    draws = mean + draws @ root
    is_against = draws[:, :1] * draws[:, 1:] < 0
    chance = float((is_against.mean(axis=1) > 0.5).mean())
    return int((mean[0] * mean[1:] < 0).sum()), chance
