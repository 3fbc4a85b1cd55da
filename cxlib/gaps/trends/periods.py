"""Periods of time and their means, adjusted for who answered when."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.errors import InputError, closest
from cxlib.gaps.groups import as_texts, natural_key
from cxlib.stats import Floats, normal_quantile

MIN_PERIODS = 10  # fewer points give limits that are mostly guesswork
PERIODS = ("week", "month", "wave")
_RULES = {"week": "W-SUN", "month": "M"}
_USABLE_SHARE = 0.8
OTHER = "(other)"


def choose_period(respondents: pd.DataFrame, values: Floats, *, min_n: int = 30) -> str:
    """Choose the shortest period of which there are enough, with enough respondents in each.

    Parameters
    ----------
    respondents : pandas.DataFrame, one row per respondent and wave
        Column `answered_at` or `wave`.
    values : ndarray, one per respondent
        What is to be charted, NaN where not known.
    min_n : int, default 30
        Respondents a period needs.

    Returns
    -------
    {"week", "month", "wave"}
        Week, or month, when at least ten periods, and four in five of those with any answer, have
        `min_n` respondents; else wave, where answers name several; else month.

    Raises
    ------
    InputError
        When there is neither time nor wave.
    """
    known = ~np.isnan(values)
    has_times = "answered_at" in respondents.columns and bool(
        respondents.loc[known, "answered_at"].notna().any()
    )
    waves = set(as_texts(respondents, "wave")[known]) - {""}
    if not has_times and not waves:
        raise InputError(
            "It is not known when anybody answered.",
            "table 'answers', columns 'answered_at' and 'wave'",
            "map the date of the answers, or the wave they belong to",
        )
    for period in _RULES if has_times else ():
        sizes = pd.Series(label_periods(respondents[known], period)).value_counts()
        usable = sizes.ge(min_n)
        if usable.sum() >= MIN_PERIODS and usable.mean() >= _USABLE_SHARE:
            return period
    return "wave" if len(waves) > 1 or not has_times else "month"


def label_periods(respondents: pd.DataFrame, period: str) -> np.ndarray:
    """Label every respondent with the period of the answers.

    Parameters
    ----------
    respondents : pandas.DataFrame, one row per respondent and wave
        Column `answered_at`, or `wave`.
    period : {"week", "month", "wave"}
        Weeks begin on Monday.

    Returns
    -------
    ndarray of object
        First day of the week or month as YYYY-MM-DD (of months YYYY-MM), or the wave; None where
        not known.

    Raises
    ------
    InputError
        When the period is unknown or its column is missing.
    """
    if period not in PERIODS:
        fix = closest(period, PERIODS)
        raise InputError(f"period = {period!r} is unknown.", "parameter 'period'", fix)
    column = "wave" if period == "wave" else "answered_at"
    if column not in respondents.columns:
        raise InputError(
            f"Answers have no '{column}', so there is no {period}.",
            f"table 'answers', column '{column}'",
            f"map it, or set period to {'week or month' if period == 'wave' else 'wave'}",
        )
    if period == "wave":
        waves = as_texts(respondents, "wave").astype(object)
        return waves.mask(waves.eq(""), None).to_numpy()
    codes, moments = pd.factorize(respondents["answered_at"])
    moments = pd.DatetimeIndex(pd.to_datetime(moments, utc=True)).tz_localize(None)
    starts = moments.to_period(_RULES[period])
    form = "%Y-%m" if period == "month" else "%Y-%m-%d"
    labels = np.array([*starts.start_time.strftime(form), None], dtype=object)
    return np.asarray(labels[codes], dtype=object)


def summarise_periods(
    respondents: pd.DataFrame,
    values: Floats,
    *,
    period: str,
    by: str = "",
    min_n: int = 30,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Average a value over the respondents of each period, at one and the same mix of segments.

    Parameters
    ----------
    respondents : pandas.DataFrame, one row per respondent and wave
        Column `weight`, `answered_at` or `wave`, and `by`.
    values : ndarray, one per respondent
        A gap or a score, NaN where not known.
    period : {"week", "month", "wave"}
        How to cut time.
    by : str, default ""
        Column of segments whose mix is held; empty = nothing is adjusted.
    min_n : int, default 30
        Periods with fewer respondents are left out.
    conf_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per period in order of time. Columns `period`, `starts_at`, `ends_at` (first and
        last answer), `n`, `mean` (as answered), `value` (adjusted; the mean where nothing is),
        `std_error` (chance among respondents alone), `conf_low`, `conf_high`, `n_segments`
        (segments held), `n_left_out` (respondents of periods left out).

    Raises
    ------
    InputError
        When `by` is missing, or the period cannot be made.

    Notes
    -----
    The variance of a value within a period (and segment) is pooled over all of them; the squared
    error of a mean is that variance over Kish's effective number of respondents. Post-stratified,
    a period's value is the mean of its segments' means at the segments' shares among all
    respondents. Segments that have no respondent in some period are put together as one, with the
    smallest of the others where even that is not enough.

    References
    ----------
    .. [1] D. Holt, T. M. F. Smith (1979). Post stratification. JRSS A 142, 33-46.
    """
    labels = label_periods(respondents, period)
    weights = respondents["weight"].to_numpy(dtype=float)
    known = ~np.isnan(values) & (weights > 0) & ~pd.isna(labels)
    names = sorted(set(labels[known]), key=natural_key)
    codes = np.where(known, pd.Index(names).get_indexer(labels), -1)
    if period == "wave":
        codes, names = _order_waves(respondents, codes, names)
    sizes = np.bincount(codes[known], minlength=len(names))
    kept = np.flatnonzero(sizes >= min_n)
    inside = known & np.isin(codes, kept)
    segments = _segments(respondents, by, inside, codes)
    place = np.searchsorted(kept, codes[inside])
    table = _average(values[inside], weights[inside], place, segments[inside], len(kept))
    table.insert(0, "period", np.array(names, dtype=object)[kept])
    times = _times(respondents[inside], place, len(kept))
    table = pd.concat([table.iloc[:, :1], times, table.iloc[:, 1:]], axis=1)
    # where all answer alike there is no chance to measure, which is not the same as certainty
    varies = table["std_error"].where(table["std_error"] > 0)
    half = normal_quantile(conf_level) * varies
    table["conf_low"], table["conf_high"] = table["value"] - half, table["value"] + half
    table["n_segments"] = len(np.unique(segments[inside]))
    return table.assign(n_left_out=int(known.sum() - inside.sum()))


def _order_waves(
    respondents: pd.DataFrame, codes: np.ndarray, names: list[str]
) -> tuple[np.ndarray, list[str]]:
    """Order waves by their last answer, where all have one, as `select_answers` does."""
    if "answered_at" not in respondents.columns:
        return codes, names
    last = respondents["answered_at"].groupby(codes).max().reindex(range(len(names)))
    if last.isna().any():
        return codes, names
    order = np.argsort(last.to_numpy(), kind="stable")
    place = np.argsort(order)
    return np.where(codes >= 0, place[codes], -1), [names[i] for i in order]


def _segments(
    respondents: pd.DataFrame, by: str, inside: np.ndarray, codes: np.ndarray
) -> np.ndarray:
    """Code the segments, those missing from a period put together."""
    if not by:
        return np.zeros(len(respondents), dtype=int)
    if by not in respondents.columns:
        where = "the respondents' columns"
        fix = closest(by, list(respondents.columns))
        raise InputError(f"There is no column '{by}' to hold the mix of.", where, fix)
    labels = as_texts(respondents, by)
    counts = pd.crosstab(codes[inside], labels[inside].to_numpy())
    sizes = counts.sum().sort_values(kind="stable")
    rare = [name for name in sizes.index if counts[name].eq(0).any()]
    rest = [name for name in sizes.index if name not in rare]
    while rest and rare and counts[rare].sum(axis=1).eq(0).any():
        rare.append(rest.pop(0))  # still missing somewhere: take the smallest of the others along
    return pd.factorize(labels.where(~labels.isin(rare), OTHER), sort=True)[0]


def _average(
    values: Floats, weights: Floats, place: np.ndarray, segments: np.ndarray, n_periods: int
) -> pd.DataFrame:
    """Average by period, and by period at the common mix, with errors from the pooled spread."""
    n_segments = int(segments.max(initial=0)) + 1
    cell = place * n_segments + segments
    n_cells = n_periods * n_segments
    n, total, squares, sums = (
        np.bincount(cell, weights=w, minlength=n_cells)
        for w in (np.ones(len(cell)), weights, weights**2, weights * values)
    )
    mean = np.divide(sums, total, out=np.zeros(n_cells), where=total > 0)
    residual = values - mean[cell]
    freedom = max(len(values) - int((n > 0).sum()), 1)
    pooled = np.average(residual**2, weights=weights) * len(values) / freedom if len(values) else 0
    shape = (n_periods, n_segments)
    n, total, squares, sums, mean = (a.reshape(shape) for a in (n, total, squares, sums, mean))
    mix = total.sum(axis=0) / max(total.sum(), 1e-300)
    error = np.divide(squares, total**2, out=np.zeros(shape), where=total > 0) * pooled
    return pd.DataFrame(
        {
            "n": n.sum(axis=1).astype(int),
            "mean": sums.sum(axis=1) / total.sum(axis=1),
            "value": mean @ mix,
            "std_error": np.sqrt(error @ mix**2),
        }
    )


def _times(respondents: pd.DataFrame, place: np.ndarray, n_periods: int) -> pd.DataFrame:
    if "answered_at" not in respondents.columns:
        empty = pd.Series(pd.NaT, index=range(n_periods))
        return pd.DataFrame({"starts_at": empty, "ends_at": empty})
    moments = pd.to_datetime(respondents["answered_at"], utc=True).dt.tz_localize(None)
    ends = moments.groupby(place).agg(["min", "max"]).reindex(range(n_periods))
    return ends.set_axis(["starts_at", "ends_at"], axis=1)
