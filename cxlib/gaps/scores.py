"""Scores managers know (NPS, CSAT, CES) and the response rate behind them, with intervals."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.errors import InputError, closest
from cxlib.gaps.groups import as_labels, as_texts, natural_key, respondent_groups
from cxlib.gaps.ratings import Ratings, answer_sources
from cxlib.schema import check_table
from cxlib.stats import Floats, mean_interval, normal_quantile, wilson_interval

ALL = "all"
_SCORES = [
    *("metric", "item", "group", "n", "score", "conf_low", "conf_high"),
    *("unit", "score_min", "score_max"),
]


def nps_interval(
    promoters: int, passives: int, detractors: int, *, conf_level: float = 0.95
) -> tuple[float, float, float]:
    """Compute a net promoter score with its adjusted Wald interval.

    Parameters
    ----------
    promoters, passives, detractors : int
        Answers of 9 or 10, of 7 or 8, and of 6 or less.
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
    nor undercovers in small samples. Ends are cut at the scale and widened to hold the score,
    which matters only for a handful of unanimous answers.

    References
    ----------
    .. [1] D. G. Bonett, R. M. Price (2012). Adjusted Wald confidence interval for a difference of
           binomial proportions based on paired data. JEBS 37, 479-488.

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


def summarise_scores(ratings: Ratings, *, by: str = "", conf_level: float = 0.95) -> pd.DataFrame:
    """Summarise every item that feeds a score, for all respondents and for each group.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`, with items that name a `metric`.
    by : str, default ""
        Column of the answers to group by; empty = all respondents only.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per metric, item and group; none when no item names a metric. Columns `metric`
        (nps, csat, ces), `item`, `group` (``"all"`` first), `n` (answers), `score`, `conf_low`,
        `conf_high`, `unit` (points, percent, scale points), `score_min`, `score_max` (the ends of
        the score's range).

    Raises
    ------
    InputError
        When an item with a metric has no scale, or an NPS item is not on 0 to 10.

    Notes
    -----
    - nps: percentage of 9 and 10 minus percentage of 0 to 6, see `nps_interval`.
    - csat: percentage of the top two answers of the scale (4 and 5 of 1 to 5), of the top answer
      alone on scales of fewer than four answers; Wilson interval.
    - ces: mean of the scale, Student interval; none for one answer or equal answers.

    Reversed items are turned before. Answers of the role outcome count, those of the role
    perception only for items without. Scores are unweighted.
    """
    chosen = _score_answers(ratings)
    groups = respondent_groups(ratings.answers, by=by) if by else None
    rows = []
    for (metric, item), part in chosen.groupby(["metric", "item"]):
        for group, values in _split(part.set_index("respondent_id")["value"], groups):
            low, high = part["scale_min"].iloc[0], part["scale_max"].iloc[0]
            score = _SCORE_OF[metric](values.to_numpy(), low, high, conf_level)
            rows.append((metric, item, group, len(values), *score))
    table = pd.DataFrame(rows, columns=_SCORES)
    order = [("nps", "csat", "ces").index(metric) for metric in table["metric"]]
    keys = sorted(range(len(table)), key=lambda i: (order[i], natural_key(str(table["item"][i]))))
    return table.iloc[keys].reset_index(drop=True)


def summarise_response(
    answers: pd.DataFrame,
    invitations: pd.DataFrame,
    *,
    wave: str = "",
    by: str = "",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Summarise which share of the invited answered, overall and for each group.

    Parameters
    ----------
    answers : pandas.DataFrame, one row per answer
        Column `respondent_id`; optional `wave`, `source`.
    invitations : pandas.DataFrame, one row per invited respondent, or per respondent and wave
        Columns `respondent_id` and `by`; optional `wave`.
    wave : str, default ""
        Count the invitations and the answers of this wave only; empty = all.
    by : str, default ""
        Column of the invitations to group by; empty = all only.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per group, in the columns of `summarise_scores`: `metric` is ``"response_rate"``,
        `n` the number of invited, `score` in percent with its Wilson interval.

    Raises
    ------
    InputError
        When a column is missing, nobody was invited to the wave, or nobody who answered had been
        invited.

    Notes
    -----
    An invited respondent counts as responding with one answer to anything, given as a
    customer. Respondents who were not invited do not count. Where both tables name waves an
    invitation is met only by an answer of its own wave, and who was invited to two waves counts
    twice. A table that names no wave is counted whole, whatever `wave`.
    """
    check_table(answers, ("respondent_id",), table="answers")
    check_table(invitations, ("respondent_id", *([by] if by else [])), table="invitations")
    answered = _select_wave(answers[answer_sources(answers).eq("customer")], wave)
    invited = _select_wave(invitations, wave)
    if not len(invited):
        raise InputError(
            f"Nobody was invited to the wave '{wave}'.",
            "table 'invitations', column 'wave'",
            closest(wave, as_texts(invitations, "wave").unique()),
        )
    both_name_waves = answered["wave"].ne("").any() and invited["wave"].ne("").any()
    keys = ["respondent_id", "wave"] if both_name_waves else ["respondent_id"]
    invited = invited.drop_duplicates(keys, ignore_index=True)
    asked, given = (pd.MultiIndex.from_frame(table[keys]) for table in (invited, answered))
    responded = pd.Series(asked.isin(given.unique()))
    if not responded.any():
        like = [[" / ".join(map(str, key)) for key in ids.unique()[:2]] for ids in (given, asked)]
        raise InputError(
            "Nobody who answered is among the invited.",
            f"{' / '.join(keys)} in 'answers' like {like[0]}, in 'invitations' like {like[1]}",
            f"write the same {' and '.join(keys)} in both tables",
        )
    groups = as_labels(invited[by]) if by else None
    rows = []
    for group, part in _split(responded, groups):
        score = _percent(part.to_numpy(), conf_level)
        rows.append(("response_rate", "", group, len(part), *score))
    return pd.DataFrame(rows, columns=_SCORES)


def _select_wave(table: pd.DataFrame, wave: str) -> pd.DataFrame:
    """Keep the rows of one wave, all where none is asked for or named; `wave` becomes text."""
    waves = as_texts(table, "wave")
    table = table.assign(wave=waves)
    return table[waves.eq(wave)] if wave and waves.ne("").any() else table


def _score_answers(ratings: Ratings) -> pd.DataFrame:
    facts = ratings.items.dropna(subset="metric")
    facts = facts[facts["role"].isin(("outcome", "perception"))]
    # 'outcome' sorts before 'perception', so the first row of an item is the one that counts
    facts = facts.sort_values(["item", "role"]).drop_duplicates("item")
    for fact in facts.itertuples():
        problem = ""
        if np.isnan(fact.scale_min):
            problem = "has no scale"
        elif fact.metric == "nps" and (fact.scale_min, fact.scale_max) != (0, 10):
            problem = f"is on {fact.scale_min:g} to {fact.scale_max:g}; it takes 0 to 10"
        if problem:
            raise InputError(
                f"The {fact.metric} item '{fact.item}' {problem}.",
                "table 'items'",
                "correct scale_min and scale_max, or remove the metric",
            )
    columns = ["item", "role", "metric", "scale_min", "scale_max"]
    return ratings.answers[["respondent_id", "item", "role", "value"]].merge(facts[columns])


def _split(values: pd.Series, groups: pd.Series | None) -> list[tuple[str, pd.Series]]:
    """Return all values, then those of each group in natural order."""
    parts = [(ALL, values)]
    if groups is not None:
        labels = groups.reindex(values.index)
        parts += [(g, values[labels.eq(g)]) for g in sorted(labels.unique(), key=natural_key)]
    return parts


def _nps(values: Floats, low: float, high: float, conf_level: float) -> tuple:
    promoters, detractors = int((values >= 9).sum()), int((values <= 6).sum())
    passives = len(values) - promoters - detractors
    score = nps_interval(promoters, passives, detractors, conf_level=conf_level)
    return (*score, "points", -100.0, 100.0)


def _csat(values: Floats, low: float, high: float, conf_level: float) -> tuple:
    lowest_top = high - 1 if high - low >= 3 else high
    return _percent(values >= lowest_top, conf_level)


def _ces(values: Floats, low: float, high: float, conf_level: float) -> tuple:
    mean, std_error, *ends = mean_interval(values, conf_level=conf_level)
    return (mean, *(ends if std_error > 0 else (np.nan, np.nan)), "scale points", low, high)


def _percent(hits: NDArray[np.bool_], conf_level: float) -> tuple:
    share = hits.mean()
    low, high = wilson_interval(share, len(hits), conf_level=conf_level)
    return (100 * share, 100 * float(low), 100 * float(high), "percent", 0.0, 100.0)


_SCORE_OF = {"nps": _nps, "csat": _csat, "ces": _ces}
