"""Scores managers know (NPS, CSAT, CES) with intervals, raw and weighted to the invited."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.errors import InputError, closest
from cxlib.gaps.groups import as_labels, natural_key
from cxlib.gaps.means import Codes, respondent_clusters
from cxlib.gaps.ratings import Ratings
from cxlib.gaps.scores.linear import Calibration, Mean, estimate_mean
from cxlib.gaps.scores.response import ALL, summarise_response
from cxlib.gaps.scores.weighting import Weighting
from cxlib.stats import Floats, normal_quantile, wilson_interval

METRICS = ("nps", "csat", "ces")
_COLUMNS = [
    *("metric", "item", "wave", "group", "weighting", "n", "score", "conf_low", "conf_high"),
    *("std_error", "n_effective", "n_invited", "response_share", "unit", "score_min", "score_max"),
]


@dataclass(frozen=True)
class ScoreItem:
    """One item that feeds a score, written so that the score is a mean.

    Parameters
    ----------
    metric : {"nps", "csat", "ces"}
        The score.
    item : str
        Item.
    values : ndarray of float, one per row of the ratings
        What each respondent adds: 100, 0 or -100 for NPS, 100 or 0 for CSAT, the answer for CES;
        NaN without an answer.
    unit : {"points", "percent", "scale points"}
        Unit of the score.
    low, high : float
        Ends of the score's range.
    """

    metric: str
    item: str
    values: Floats
    unit: str
    low: float
    high: float


def nps_interval(
    promoters: float, passives: float, detractors: float, *, conf_level: float = 0.95
) -> tuple[float, float, float]:
    """Compute a net promoter score with its adjusted Wald interval.

    Parameters
    ----------
    promoters, passives, detractors : float
        Answers of 9 or 10, of 7 or 8, and of 6 or less; an effective number may be a fraction.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    tuple of float
        Score, lower and upper end, -100 to 100; NaN without an answer.

    Notes
    -----
    The interval is the Wald interval after adding 3/4 of an answer to promoters and to
    detractors and 3/2 to passives: unlike the plain one it neither vanishes when all agree
    nor undercovers in small samples. Over all shares of 5 % and more its exact coverage averages
    95.5 % for 10 answers (least 93.0 %) and 95.0 % for 50 (94.3 %); the score interval of Tango
    covers 96.3 % and 95.1 % and is 6 % and 2 % longer. Ends are cut at the scale and widened to
    hold the score, which matters only for a handful of unanimous answers.

    References
    ----------
    .. [1] B. Rocks (2016). Interval estimation for the "net promoter score". The American
           Statistician 70, 365-372.
    .. [2] D. G. Bonett, R. M. Price (2012). Adjusted Wald confidence interval for a difference of
           binomial proportions based on paired data. JEBS 37, 479-488.
    .. [3] T. Tango (1998). Equivalence test and confidence interval for the difference in
           proportions for the paired-sample design. Statistics in Medicine 17, 891-908.

    Examples
    --------
    >>> [round(x, 1) for x in nps_interval(9, 0, 2)]
    [63.6, 8.0, 92.0]
    """
    n = promoters + passives + detractors
    if n == 0:
        return (np.nan, np.nan, np.nan)
    score = (promoters - detractors) / n
    up, down = (promoters + 0.75) / (n + 3), (detractors + 0.75) / (n + 3)
    half = normal_quantile(conf_level) * math.sqrt((up + down - (up - down) ** 2) / (n + 3))
    low, high = max(up - down - half, -1.0), min(up - down + half, 1.0)
    return 100 * score, 100 * min(low, score), 100 * max(high, score)


def read_scores(ratings: Ratings) -> list[ScoreItem]:
    """Read every item that feeds a score.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`, with items that name a `metric`.

    Returns
    -------
    list of ScoreItem
        NPS, CSAT, then CES; items in natural order.

    Raises
    ------
    InputError
        When a metric is unknown, an item with a metric has no scale, or an NPS item is not on 0
        to 10.

    Notes
    -----
    Answers of the role outcome count, those of the role perception only for items without.
    """
    facts = ratings.items[ratings.items["metric"].notna()]
    facts = facts[facts["role"].isin(("outcome", "perception"))]
    # 'outcome' sorts before 'perception', so the first row of an item is the one that counts
    facts = facts.sort_values(["item", "role"]).drop_duplicates("item")
    scores = []
    for fact in facts.itertuples():
        _check_fact(fact.metric, fact.item, fact.scale_min, fact.scale_max)
        answers = ratings.values[fact.role][fact.item].to_numpy(dtype=float)
        low, high = fact.scale_min, fact.scale_max
        about = (fact.metric, fact.item)
        if fact.metric == "ces":
            scores.append(ScoreItem(*about, answers, "scale points", low, high))
            continue
        lowest_top = high - 1 if high - low >= 3 else high
        hits = 100.0 * (answers >= lowest_top)
        if fact.metric == "nps":
            hits -= 100.0 * (answers <= 6)
        hits[np.isnan(answers)] = np.nan
        is_nps = fact.metric == "nps"
        scores.append(
            ScoreItem(*about, hits, *(("points", -100.0) if is_nps else ("percent", 0.0)), 100.0)
        )
    return sorted(scores, key=lambda s: (METRICS.index(s.metric), natural_key(s.item)))


def _check_fact(metric: str, item: str, low: float, high: float) -> None:
    problem, fix = "", "correct scale_min and scale_max, or remove the metric"
    if metric not in METRICS:
        problem, fix = "feeds no score that is known here", closest(metric, METRICS)
    elif np.isnan(low):
        problem = "has no scale"
    elif metric == "nps" and (low, high) != (0, 10):
        problem = f"is on {low:g} to {high:g}; it takes 0 to 10"
    if problem:
        raise InputError(f"The {metric} item '{item}' {problem}.", "table 'items'", fix)


def summarise_scores(
    ratings: Ratings,
    invitations: pd.DataFrame | None = None,
    *,
    by: str = "",
    weighting: Weighting | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Summarise every score, raw and weighted, beside the share of the invited who answered.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`, with items that name a `metric`; of one wave or of every wave.
    invitations : pandas.DataFrame, optional, one row per invited respondent
        Column `respondent_id`; optional `wave` and `by`. Without, response is not known.
    by : str, default ""
        Column of the respondents to group by; empty = all respondents only.
    weighting : Weighting, optional
        From `weight_respondents` of the same ratings; without, the weights the answers came with.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per weighting, metric, item, wave and group, raw scores first, then the response
        rates (`metric` response_rate), then weighted scores where weights differ. Columns
        `metric` (nps, csat, ces), `item`, `wave`, `group` (``"all"`` first), `weighting` (raw,
        weighted), `n` (answers; of a response rate: invited), `score`, `conf_low`, `conf_high`,
        `std_error`, `n_effective`, `n_invited`, `response_share` (0-1; of all who answered
        anything), `unit` (points, percent, scale points), `score_min`, `score_max` (the ends of
        the score's range).

    Raises
    ------
    InputError
        When a column is missing, a metric is unknown, an item with a metric has no scale, an NPS
        item is not on 0 to 10, or invitations and answers do not meet.

    Notes
    -----
    - nps: percentage of 9 and 10 minus percentage of 0 to 6, see `nps_interval`.
    - csat: percentage of the top two answers of the scale (4 and 5 of 1 to 5), of the top answer
      alone on scales of fewer than four answers; Wilson interval.
    - ces: mean of the scale, Student interval; none for one answer or equal answers.

    Reversed items are turned before. Raw scores count every answer once. Standard errors are
    linearised and allow for customers with several rows and for units; weighted ones for the
    raking and for the chance of who was invited. Intervals of NPS and CSAT use the effective
    sample size (see `estimate_mean`) in place of n.
    """
    if by and by not in ratings.respondents.columns:
        raise InputError(
            f"There is no column '{by}' to group by.",
            "the respondents of the ratings",
            closest(by, ratings.respondents.columns),
        )
    scores = read_scores(ratings)
    weights = (weighting.ratings if weighting else ratings).respondents["weight"].to_numpy(float)
    calibration = weighting.calibration if weighting else None
    blocks = [_summarise(ratings, scores, by, np.ones(len(weights)), None, conf_level, "raw")]
    if invitations is not None:
        in_frame = by if by in invitations.columns else ""
        response = summarise_response(ratings, invitations, by=in_frame, conf_level=conf_level)
        blocks.append(response)
    if len(np.unique(weights[weights > 0])) > 1:
        blocks.append(_summarise(ratings, scores, by, weights, calibration, conf_level, "weighted"))
    table = pd.concat([b for b in blocks if len(b)] or blocks, ignore_index=True)
    if invitations is not None:
        known = response.set_index(["wave", "group"])[["n_invited", "response_share"]]
        keys = pd.MultiIndex.from_frame(table[["wave", "group"]])
        table[known.columns] = known.reindex(keys).to_numpy()
    table = table.reindex(columns=_COLUMNS)
    return table.astype({"n_invited": "Int64", "response_share": float})


def _summarise(
    ratings: Ratings,
    scores: list[ScoreItem],
    by: str,
    weights: Floats,
    calibration: Calibration | None,
    conf_level: float,
    name: str,
) -> pd.DataFrame:
    """Summarise every score in every wave and group with the same weights."""
    wave = as_labels(ratings.respondents["wave"], empty="").to_numpy()
    rows = []
    for one in sorted(set(wave), key=natural_key):
        own = np.flatnonzero(wave == one)
        respondents = ratings.respondents.iloc[own].reset_index(drop=True)
        clusters = respondent_clusters(respondents)
        parts = [(ALL, np.ones(len(own), dtype=bool))]
        if by:
            code, known = pd.factorize(as_labels(respondents[by]))
            names = sorted(enumerate(known), key=lambda pair: natural_key(str(pair[1])))
            parts += [(str(group), code == place) for place, group in names]
        for score in scores:
            of_wave = replace(score, values=score.values[own])
            for group, part in parts:
                row = estimate_score(
                    of_wave,
                    part,
                    weights[own],
                    clusters=clusters,
                    calibration=calibration and calibration.take(own),
                    conf_level=conf_level,
                )
                if row["n"]:
                    rows.append({"wave": one, "group": group, **row})
    about = ["metric", "item", "unit", "score_min", "score_max"]
    table = pd.DataFrame(rows, columns=[*_COLUMNS[2:4], *_COLUMNS[5:11], *about])
    # scores before waves: the sentences and figures go by score
    order = {(score.metric, score.item): place for place, score in enumerate(scores)}
    place = [order[key] for key in zip(table["metric"], table["item"], strict=True)]
    table = table.iloc[np.argsort(place, kind="stable")]
    return table.assign(weighting=name).reset_index(drop=True)


def estimate_score(
    score: ScoreItem,
    part: np.ndarray,
    weights: Floats,
    *,
    clusters: Sequence[Codes] = (),
    calibration: Calibration | None = None,
    conf_level: float = 0.95,
) -> dict[str, object]:
    """Estimate one score of some respondents.

    Parameters
    ----------
    score : ScoreItem
        From `read_scores`.
    part : ndarray of bool, one per row of the ratings
        Whom the score is about.
    weights : ndarray of float, one per row of the ratings
        Weights, 0 or more.
    clusters : sequence of ndarray of int
        From `respondent_clusters`.
    calibration : Calibration, optional
        What the weights were raked to.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    dict
        `metric`, `item`, `n`, `score`, `conf_low`, `conf_high`, `std_error`, `n_effective`,
        `unit`, `score_min`, `score_max`.
    """
    values = np.where(part, score.values, np.nan)
    mean = estimate_mean(values, weights, clusters=clusters, calibration=calibration)
    low, high = _interval(score, mean, values, weights, conf_level)
    return {
        **{"metric": score.metric, "item": score.item, "n": mean.n, "score": mean.mean},
        **{"conf_low": low, "conf_high": high, "std_error": mean.std_error},
        **{"n_effective": mean.n_effective, "unit": score.unit},
        **{"score_min": score.low, "score_max": score.high},
    }


def _interval(
    score: ScoreItem, mean: Mean, values: Floats, weights: Floats, conf_level: float
) -> tuple[float, float]:
    """Return the interval a metric asks for, at the effective sample size."""
    if not mean.n:
        return np.nan, np.nan
    size = mean.size(conf_level)
    if score.metric == "csat":
        ends = wilson_interval(mean.mean / 100, size, conf_level=conf_level)
        return 100 * float(ends[0]), 100 * float(ends[1])
    if score.metric == "nps":
        total = weights[~np.isnan(values)].sum()
        up, down = (size * weights[values == end].sum() / total for end in (100, -100))
        return nps_interval(up, max(size - up - down, 0.0), down, conf_level=conf_level)[1:]
    if not mean.std_error > 0:
        return np.nan, np.nan
    half = float(stats.t.ppf(0.5 + conf_level / 2, mean.degrees)) * mean.std_error
    return max(mean.mean - half, score.low), min(mean.mean + half, score.high)
