"""What the silent could change: scores under assumptions about those who did not answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.gaps.means import Codes, respondent_clusters
from cxlib.gaps.ratings import Ratings
from cxlib.gaps.scores.linear import covary, estimate_mean
from cxlib.gaps.scores.response import Invited, match_invitations
from cxlib.gaps.scores.scores import ScoreItem, estimate_score, read_scores
from cxlib.gaps.scores.weighting import Weighting
from cxlib.stats import Floats, adjust_p_values

_LATE = 1 / 3  # share of respondents that counts as late
_COLUMNS = [
    *("metric", "item", "scenario", "n", "n_silent", "n_source", "score_silent", "score"),
    *("conf_low", "conf_high", "difference", "p_value", "q_value", "unit"),
    *("score_min", "score_max"),
]


def bound_scores(
    ratings: Ratings,
    invitations: pd.DataFrame,
    *,
    weighting: Weighting | None = None,
    churned: str = "churned",
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Tell what each score of all invited would be under several assumptions about the silent.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`, of one wave.
    invitations : pandas.DataFrame, one row per invited respondent, or per respondent and wave
        Column `respondent_id`; optional `wave`, `invited_at`.
    weighting : Weighting, optional
        From `weight_respondents`; without, the silent are not likened to those of their own cell.
    churned : str, default "churned"
        Column of the respondents, true for those who left later; where there is none, the silent
        are not likened to them.
    min_cell : int, default 10
        Fewest respondents the silent are likened to.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per score item and scenario. Columns `metric`, `item`, `scenario` (respondents,
        cell, late, churned, worst, best: what the silent are taken to be like), `n` (invited who
        answered the item), `n_silent` (invited who did not), `n_source` (respondents the silent
        are likened to, 0 for worst and best), `score_silent`, `score` (of all invited),
        `conf_low`, `conf_high`, `difference` (late or churned respondents minus the others),
        `p_value`, `q_value` (that it is 0, over all tests of the table), `unit`, `score_min`,
        `score_max`.

    Raises
    ------
    InputError
        When invitations and answers do not meet, or an item's scale does not fit its metric.

    Notes
    -----
    Late are the last third to answer: by the days since the invitation where `invited_at` is
    known, else by `answered_at`; those of the same moment stay together. A scenario's score is
    r m + (1 - r) s, with r the share of the invited who answered, m their mean and s that of those
    the silent are likened to: a weighted mean of respondents, with its linearised Student interval
    of as many degrees of freedom as those have. Worst and best put the silent at the ends of the
    scale and assume nothing; their intervals hold the chance in m alone. That late and early
    respondents agree does not show that the silent are like either.

    References
    ----------
    .. [1] J. S. Armstrong, T. S. Overton (1977). Estimating nonresponse bias in mail surveys.
           Journal of Marketing Research 14, 396-402.
    .. [2] C. F. Manski (1989). Anatomy of the selection problem. Journal of Human Resources 24,
           343-360.
    """
    invited = match_invitations(ratings, invitations)
    inside = invited.place >= 0
    clusters = respondent_clusters(ratings.respondents)
    sources = {
        "churned": _read_churned(ratings, churned),
        "late": _find_late(ratings, invited),
        "respondents": np.ones(len(inside), dtype=bool),
    }
    rows: list[dict] = []
    for score in read_scores(ratings):
        known = inside & ~np.isnan(score.values)
        if known.sum() < min_cell:
            continue
        n_silent = int(len(invited.table) - known.sum())
        about = {
            **{"metric": score.metric, "item": score.item, "unit": score.unit},
            **{"score_min": score.low, "score_max": score.high},
            **{"n": int(known.sum()), "n_silent": n_silent},
        }
        found = {
            name: _liken(score, known, known & source, n_silent, clusters, conf_level)
            for name, source in sources.items()
            if source is not None and (known & source).sum() >= min_cell
        }
        found |= _put_at_ends(score, known, n_silent, clusters, conf_level)
        if weighting is not None and weighting.attributes["is_used"].any():
            found["cell"] = _take_weighted(score, weighting, clusters, conf_level, about)
        order = ("respondents", "cell", "late", "churned", "worst", "best")
        rows += [{**about, "scenario": name, **found[name]} for name in order if name in found]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    table["p_value"] = table["p_value"].astype(float)
    return table.assign(q_value=adjust_p_values(table["p_value"]))


def _read_churned(ratings: Ratings, column: str) -> np.ndarray | None:
    if column not in ratings.respondents.columns:
        return None
    return ratings.respondents[column].astype("boolean").fillna(False).to_numpy(dtype=bool)


def _find_late(ratings: Ratings, invited: Invited) -> np.ndarray | None:
    """Mark the last third to answer; None where nobody knows when."""
    if "answered_at" not in ratings.respondents.columns:
        return None
    answered = _days(ratings.respondents["answered_at"])
    if "invited_at" in invited.table.columns:
        answered = answered - _days(invited.table["invited_at"])[invited.place]
    inside = (invited.place >= 0) & ~np.isnan(answered)
    moments, counts = np.unique(answered[inside], return_counts=True)
    if len(moments) < 2:
        return None
    share = counts[::-1].cumsum()[::-1] / counts.sum()  # who answered then or later
    cut = 1 + int(np.argmin(np.abs(share[1:] - _LATE)))
    return inside & (answered >= moments[cut])


def _days(moments: pd.Series) -> Floats:
    """Count days, whatever unit and time zone the moments are kept in; NaN where not known."""
    since = pd.to_datetime(moments, utc=True) - pd.Timestamp(0, tz="UTC")
    return (since / pd.Timedelta(days=1)).to_numpy(dtype=float)


def _liken(
    score: ScoreItem,
    known: np.ndarray,
    source: np.ndarray,
    n_silent: int,
    clusters: list[Codes],
    conf_level: float,
) -> dict[str, float]:
    """Score all invited as if the silent were like some of the respondents."""
    n_source = int(source.sum())
    weights = known + source * (n_silent / n_source)
    values = np.where(known, score.values, np.nan)
    mean = estimate_mean(values, weights, clusters=clusters)
    degrees = min(mean.degrees, n_source - 1)
    # as for scores, clusters that agree by luck never make the interval shorter
    std_error = max(mean.std_error, estimate_mean(values, weights).std_error)
    half = float(stats.t.ppf(0.5 + conf_level / 2, degrees)) * std_error
    row = {
        "n_source": n_source,
        "score_silent": float(score.values[source].mean()),
        "score": mean.mean,
        "conf_low": max(mean.mean - half, score.low) if half > 0 else np.nan,
        "conf_high": min(mean.mean + half, score.high) if half > 0 else np.nan,
    }
    return row | _compare(score, source, known & ~source, clusters)


def _compare(
    score: ScoreItem, source: np.ndarray, others: np.ndarray, clusters: list[Codes]
) -> dict[str, float]:
    """Test whether some respondents differ from the others."""
    if others.sum() < 2:
        return {"difference": np.nan, "p_value": np.nan}
    influence = np.zeros(len(source))
    means = []
    for part, sign in ((source, 1), (others, -1)):
        means.append(score.values[part].mean())
        influence[part] = sign * (score.values[part] - means[-1]) / part.sum()
    rows = source | others
    covariance, degrees = covary(influence[rows][:, None], [codes[rows] for codes in clusters])
    difference, std_error = float(means[0] - means[1]), float(np.sqrt(covariance[0, 0]))
    if std_error == 0:  # nothing is left to chance
        return {"difference": difference, "p_value": float(difference == 0)}
    p_value = 2 * float(stats.t.sf(abs(difference) / std_error, degrees))
    return {"difference": difference, "p_value": p_value}


def _put_at_ends(
    score: ScoreItem,
    known: np.ndarray,
    n_silent: int,
    clusters: list[Codes],
    conf_level: float,
) -> dict[str, dict[str, float]]:
    """Score all invited with the silent at either end of the scale."""
    ones = np.ones(len(known))
    of_known = estimate_score(score, known, ones, clusters=clusters, conf_level=conf_level)
    answered = known.sum() / (known.sum() + n_silent)
    found = {}
    for name, end in (("worst", score.low), ("best", score.high)):
        row = {
            key: answered * float(str(of_known[key])) + (1 - answered) * end
            for key in ("score", "conf_low", "conf_high")
        }
        found[name] = row | {"n_source": 0, "score_silent": end}
    return found


def _take_weighted(
    score: ScoreItem,
    weighting: Weighting,
    clusters: list[Codes],
    conf_level: float,
    about: dict,
) -> dict[str, float]:
    """Score all invited by their weights; the silent are what is left over the respondents."""
    weights: Floats = weighting.ratings.respondents["weight"].to_numpy(dtype=float)
    row = estimate_score(
        score,
        np.ones(len(weights), dtype=bool),
        weights,
        clusters=clusters,
        calibration=weighting.calibration,
        conf_level=conf_level,
    )
    found = {key: float(str(row[key])) for key in ("score", "conf_low", "conf_high")}
    silent = np.nan
    if about["n_silent"]:
        raw = float(np.nanmean(np.where(weights > 0, score.values, np.nan)))
        total = about["n"] + about["n_silent"]
        silent = (total * found["score"] - about["n"] * raw) / about["n_silent"]
    return found | {"n_source": int(str(row["n"])), "score_silent": silent}
