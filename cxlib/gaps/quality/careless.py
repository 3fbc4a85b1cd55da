"""Careless answers: flagged by stated rules, counted, and never dropped silently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.gaps.ratings import PAIR, Ratings
from cxlib.stats import Floats, wilson_interval

Flags = NDArray[np.bool_]
_RATED = (*PAIR, "belief", "minimum", "desired", "functional", "dysfunctional")
_FEWEST = 8  # fewer answers are no pattern, no profile and no fingerprint
_FASTEST_SHARE = 1 / 3  # of the median duration
_MOST_MISSING = 0.5


@dataclass(frozen=True)
class CarelessAnswers:
    """Respondents whose answers look careless, and why.

    Parameters
    ----------
    flags : pandas.DataFrame, one row per respondent
        Column `respondent_id`, one boolean column per flag, and `is_flagged` (any of them).
    counts : pandas.DataFrame, one row per flag, the last ``any of these``
        Columns `flag`, `rule`, `n` (respondents flagged), `n_checked` (who could be flagged),
        `share` (of those checked), `conf_low`, `conf_high`.
    """

    flags: pd.DataFrame
    counts: pd.DataFrame


def flag_careless(ratings: Ratings, *, conf_level: float = 0.95) -> CarelessAnswers:
    """Flag straight-lining, speeding, copies, contrary profiles, impossible and empty answers.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    CarelessAnswers
        Flags by respondent, and how many each rule flags. A flag that could be raised for nobody
        (no durations, too few items) is not listed.

    Notes
    -----
    Answers are compared as they were given, before reversed items are turned: the same number
    for a statement and for its opposite is what gives a straight-liner away.

    - *same answer throughout*: one single number for all items of a role (expectation, perception,
      belief, minimum, desired, functional, dysfunctional), or of expectation and perception
      together, with at least 8 answers. Who is delighted with everything is flagged too; that is
      why a flag is not an exclusion.
    - *too fast*: less than a third of the median duration.
    - *same as another*: all answers equal to those of another respondent, with at least 8 rated
      items, and not one number throughout.
    - *contrary profile*: the correlation of the perceptions with everybody's item means is
      below 0 (at least 8 items that differ in their means).
    - *impossible pattern*: a minimum above the level desired for more than half of the items
      where both were asked, or "I like it" both ways (dislike both ways) for more than half of
      the Kano pairs.
    - *mostly unanswered*: fewer than half of the items of expectation and perception.

    References
    ----------
    .. [1] A. W. Meade, S. B. Craig (2012). Identifying careless responses in survey data.
           Psychological Methods 17, 437-455.
    .. [2] P. G. Curran (2016). Methods for the detection of carelessly invalid responses in survey
           data. Journal of Experimental Social Psychology 66, 4-19.
    .. [3] R. Greszki, M. Meyer, H. Schoen (2015). Exploring the effects of removing "too fast"
           responses and respondents from web surveys. Public Opinion Quarterly 79, 471-503.
    """
    flags = ratings.respondents[["respondent_id"]].copy()
    rows, checked_any = [], np.zeros(len(flags), dtype=bool)
    for name, (rule, find) in _RULES.items():
        found, checked = find(ratings)
        if not checked.any():
            continue
        flags[name] = found & checked
        checked_any |= checked
        rows.append((name, rule, int(flags[name].sum()), int(checked.sum())))
    flags["is_flagged"] = flags.drop(columns="respondent_id").any(axis=1).astype(bool)
    rows.append(("any of these", "", int(flags["is_flagged"].sum()), int(checked_any.sum())))
    counts = pd.DataFrame(rows, columns=["flag", "rule", "n", "n_checked"])
    counts["share"] = counts["n"] / counts["n_checked"].clip(lower=1)
    low, high = wilson_interval(counts["share"], counts["n_checked"], conf_level=conf_level)
    return CarelessAnswers(flags, counts.assign(conf_low=low, conf_high=high))


def given_answers(ratings: Ratings, role: str) -> Floats:
    """Turn reversed items back: the numbers as they were ticked.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    role : str
        A role; one that was not asked has no columns.

    Returns
    -------
    ndarray of float, respondents x items
        NaN where there is no answer.
    """
    if role not in ratings.values:
        return np.zeros((len(ratings.respondents), 0))
    facts = ratings.facts(role)
    values = ratings.values[role].to_numpy()
    is_straight = facts["higher_is_better"].to_numpy(dtype=bool)
    turned = (facts["scale_min"] + facts["scale_max"]).to_numpy() - values
    return np.where(is_straight, values, turned)


def _same_throughout(ratings: Ratings) -> tuple[Flags, Flags]:
    parts = [given_answers(ratings, role) for role in _RATED]
    found = [_is_constant(part) for part in (*parts, np.hstack(parts[:2]))]
    return np.any([flag for flag, _ in found], axis=0), np.any([c for _, c in found], axis=0)


def _is_constant(values: Floats) -> tuple[Flags, Flags]:
    known = ~np.isnan(values)
    checked = known.sum(axis=1) >= _FEWEST
    low = np.min(np.where(known, values, np.inf), axis=1, initial=np.inf)
    high = np.max(np.where(known, values, -np.inf), axis=1, initial=-np.inf)
    return checked & (low == high), checked


def _too_fast(ratings: Ratings) -> tuple[Flags, Flags]:
    if "duration_seconds" not in ratings.respondents.columns:
        nobody = np.zeros(len(ratings.respondents), dtype=bool)
        return nobody, nobody
    seconds = ratings.respondents["duration_seconds"].to_numpy(dtype=float)
    checked = ~np.isnan(seconds)
    median = np.median(seconds[checked]) if checked.any() else np.nan
    return seconds < _FASTEST_SHARE * median, checked


def _same_as_another(ratings: Ratings) -> tuple[Flags, Flags]:
    values = np.hstack([given_answers(ratings, role) for role in PAIR])
    checked = (~np.isnan(values)).sum(axis=1) >= _FEWEST
    checked &= ~_is_constant(values)[0]
    if not checked.any():
        return checked, checked
    prints = pd.util.hash_pandas_object(pd.DataFrame(values), index=False)
    return prints.where(checked).duplicated(keep=False).to_numpy() & checked, checked


def _contrary(ratings: Ratings) -> tuple[Flags, Flags]:
    values = given_answers(ratings, "perception")
    known = ~np.isnan(values)
    n = known.sum(axis=0)
    means = np.where(known, values, 0.0).sum(axis=0) / np.maximum(n, 1)
    checked = (known.sum(axis=1) >= _FEWEST) & ~_is_constant(values)[0]
    filled = np.where(known, values, 0.0)
    count = np.maximum(known.sum(axis=1), 1)
    own = filled.sum(axis=1) / count
    expected = (known * means).sum(axis=1) / count
    products = (filled * means).sum(axis=1) / count - own * expected
    return products < 0, checked & (np.ptp(means) > 0 if len(means) else False)


def _impossible(ratings: Ratings) -> tuple[Flags, Flags]:
    shares = []
    for first, second, is_wrong in (
        ("minimum", "desired", np.greater),
        ("functional", "dysfunctional", _is_both_ways),
    ):
        if first not in ratings.values or second not in ratings.values:
            continue
        one, two = ratings.values[first], ratings.values[second]
        names = [name for name in one.columns if name in two.columns]
        a, b = one[names].to_numpy(), two[names].to_numpy()
        both = ~np.isnan(a) & ~np.isnan(b)
        n = both.sum(axis=1)
        wrong = (is_wrong(a, b) & both).sum(axis=1)
        shares.append((wrong > n / 2, n > 0))
    nobody = (np.zeros(len(ratings.respondents), dtype=bool),) * 2
    found = np.any([wrong & checked for wrong, checked in [nobody, *shares]], axis=0)
    return found, np.any([checked for _, checked in [nobody, *shares]], axis=0)


def _is_both_ways(functional: Floats, dysfunctional: Floats) -> Flags:
    """Tell Kano's questionable answers: liked, or disliked, both with and without."""
    return (functional == dysfunctional) & np.isin(functional, (1, 5))


def _mostly_unanswered(ratings: Ratings) -> tuple[Flags, Flags]:
    values = np.hstack([given_answers(ratings, role) for role in PAIR])
    everybody = np.full(len(values), values.shape[1] >= _FEWEST)
    return np.isnan(values).mean(axis=1) > _MOST_MISSING if values.size else everybody, everybody


_RULES: dict[str, tuple[str, Callable[[Ratings], tuple[Flags, Flags]]]] = {
    "same answer throughout": ("one number for all items of a role", _same_throughout),
    "too fast": ("less than a third of the median duration", _too_fast),
    "same as another": ("all answers equal to another respondent's", _same_as_another),
    "contrary profile": ("high where all others are low, and low where they are high", _contrary),
    "impossible pattern": ("answers that exclude each other, mostly", _impossible),
    "mostly unanswered": ("fewer than half of the items", _mostly_unanswered),
}
