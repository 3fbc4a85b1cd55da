"""Control charts: which movements of a mean are more than chance and the usual unrest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import InputError
from cxlib.gaps.trends.periods import MIN_PERIODS, choose_period, summarise_periods
from cxlib.stats import Floats, normal_quantile

RUN = 8
_SIGMAS = 3.0
_RANGE_FACTOR = 1.128  # mean range of two standard normal values (d2)
_CHARTS = 4_000


@dataclass(frozen=True)
class TrendChart:
    """A control chart, or what can be said where there is none.

    Parameters
    ----------
    table : pandas.DataFrame, one row per period
        As `summarise_periods` returns it, and `centre`, `limit_low`, `limit_high`, `is_beyond`
        (outside the limits), `is_run` (one of eight or more in a row on one side of the centre);
        without a chart missing and False.
    period : str
        week, month or wave.
    by : str
        Column whose mix is held, ``""`` for none.
    reason : str
        Why there is no chart; ``""`` when there is one.
    widening : float
        Factor by which limits are wider than chance among respondents asks.
    autocorrelation : float
        Correlation of neighbouring periods.
    autocorrelation_limit : float
        What chance alone would leave it under.
    false_alarm_share : float
        Share of charts of this size that show a signal though nothing ever changes.
    conf_level : float
        Level of the intervals of the table.
    """

    table: pd.DataFrame
    period: str
    by: str
    reason: str
    widening: float
    autocorrelation: float
    autocorrelation_limit: float
    false_alarm_share: float
    conf_level: float

    @property
    def signals(self) -> pd.DataFrame:
        """The periods that signal."""
        return self.table[self.table["is_beyond"] | self.table["is_run"]]


def chart_trend(
    respondents: pd.DataFrame,
    values: Floats,
    *,
    period: str = "",
    by: str = "",
    min_n: int = 30,
    conf_level: float = 0.95,
    random_state: int = 0,
) -> TrendChart:
    """Chart a mean over time between limits within which it moves without cause.

    Parameters
    ----------
    respondents : pandas.DataFrame, one row per respondent and wave
        Columns `weight` and `answered_at` or `wave`; from `select_answers` with `every_wave`.
    values : ndarray, one per respondent
        One number each, such as `score_respondents(pairs.gap)`; NaN where not known.
    period : {"", "week", "month", "wave"}, default ""
        How to cut time; empty = the shortest with enough respondents, see `choose_period`.
    by : str, default ""
        Column of segments whose mix is held; empty = nothing is adjusted.
    min_n : int, default 30
        Periods with fewer respondents are left out.
    conf_level : float, default 0.95
        Level of the intervals (not of the limits).
    random_state : int, default 0
        Seed of the charts simulated for the false alarms.

    Returns
    -------
    TrendChart
        The chart; with fewer than ten periods, or values that are all equal, the means alone and
        the reason.

    Raises
    ------
    InputError
        When there is no time, the period is unknown, `by` is missing, or `min_n` is below 2.

    Notes
    -----
    Limits lie three standard errors of the period about the centre, the mean of all periods
    weighted by precision: few respondents, wide limits. Where neighbouring periods differ by more
    than that, as means of surveys do, limits are widened by Laney's factor: the mean moving range
    of (value - centre) / std_error, over 1.128; it is never below 1. A signal is a period beyond
    the limits, or one of eight in a row on one side of the centre: rules 1 and 4 of Western
    Electric, which on known limits give one false alarm in 152.7 periods.

    The false alarm share comes from 4,000 simulated charts of these sizes without any change,
    limits and widening estimated anew in each. It does not reckon with autocorrelation, which
    makes runs likelier; the lag-1 correlation is given beside what chance leaves it under.

    References
    ----------
    .. [1] D. C. Montgomery (2009). Introduction to Statistical Quality Control, 6th ed., 6.3.
    .. [2] D. B. Laney (2002). Improved control charts for attributes. Quality Engineering 14,
           531-537.
    .. [3] C. W. Champ, W. H. Woodall (1987). Exact results for Shewhart control charts with
           supplementary runs rules. Technometrics 29, 393-399.
    """
    if min_n < 2:
        fix = "give the fewest respondents a period needs"
        raise InputError(f"min_n = {min_n!r} is below 2.", "parameter 'min_n'", fix)
    period = period or choose_period(respondents, values, min_n=min_n)
    table = summarise_periods(
        respondents, values, period=period, by=by, min_n=min_n, conf_level=conf_level
    )
    error = table["std_error"].to_numpy()
    reason = ""
    if len(table) < MIN_PERIODS:
        s = "s" if len(table) != 1 else ""
        reason = (
            f"{len(table)} {period}{s} with at least {min_n} respondents; a control chart takes "
            f"{MIN_PERIODS}"
        )
    elif not (error > 0).all():
        reason = "all respondents of a period answer alike, so chance has no size"
    if reason:
        empty = dict.fromkeys(("centre", "limit_low", "limit_high"), np.nan)
        table = table.assign(**empty, is_beyond=False, is_run=False)
        none = float("nan")
        return TrendChart(table, period, by, reason, none, none, none, none, conf_level)
    value = table["value"].to_numpy()
    centre, widening = (float(a[0]) for a in _limits(value[None], error))
    half = _SIGMAS * widening * error
    beyond, run = (a[0] for a in _find_signals(value[None], error))
    ends = {"centre": centre, "limit_low": centre - half, "limit_high": centre + half}
    table = table.assign(**ends, is_beyond=beyond, is_run=run)
    scores = (value - centre) / error
    off = scores - scores.mean()
    rng = np.random.default_rng(random_state)
    still = rng.standard_normal((_CHARTS, len(table))) * error
    alarms = np.logical_or(*_find_signals(still, error)).any(axis=1)
    return TrendChart(
        table=table,
        period=period,
        by=by,
        reason="",
        widening=widening,
        autocorrelation=float(off[1:] @ off[:-1] / (off @ off)),
        autocorrelation_limit=float(normal_quantile(0.95) / np.sqrt(len(table))),
        false_alarm_share=float(alarms.mean()),
        conf_level=conf_level,
    )


def _limits(values: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Return the centre and the widening of charts, one a row."""
    centre = (values / error**2).sum(axis=1) / (1 / error**2).sum()
    scores = (values - centre[:, None]) / error
    ranges = np.abs(np.diff(scores, axis=1)).mean(axis=1)
    return centre, np.maximum(ranges / _RANGE_FACTOR, 1.0)


def _find_signals(values: Floats, error: Floats) -> tuple[np.ndarray, np.ndarray]:
    """Mark, in charts one a row, what lies beyond the limits and what belongs to a run."""
    centre, widening = _limits(values, error)
    scores = (values - centre[:, None]) / (widening[:, None] * error)
    run = np.zeros(scores.shape, dtype=bool)
    for side in (scores > 0, scores < 0):
        # a run is marked whole: any window of eight that lies on one side
        count = np.cumsum(np.pad(side, ((0, 0), (1, 0))), axis=1)
        whole: np.ndarray = count[:, RUN:] - count[:, :-RUN] == RUN
        for shift in range(RUN):
            run[:, shift : shift + whole.shape[1]] |= whole
    return np.abs(scores) > _SIGMAS, run


def signal_starts(table: pd.DataFrame) -> np.ndarray:
    """Mark the periods in which a signal begins.

    Parameters
    ----------
    table : pandas.DataFrame
        The table of a `TrendChart`.

    Returns
    -------
    ndarray of bool
        Beyond the limits on a side where the period before was not, or first of a run.
    """
    side = np.sign(table["value"] - table["centre"]).to_numpy()
    starts = np.zeros(len(table), dtype=bool)
    for name in ("is_beyond", "is_run"):
        signed = np.where(table[name], side, 0)
        starts |= (signed != 0) & (signed != np.concatenate([[0], signed[:-1]]))
    return starts


def place_incidents(
    chart: TrendChart, incidents: pd.DataFrame, *, touchpoint: str = ""
) -> pd.DataFrame:
    """Place marked changes among the periods of a chart.

    Parameters
    ----------
    chart : TrendChart
        From `chart_trend`.
    incidents : pandas.DataFrame, one row per change
        Columns `at`, `label`; optional `touchpoint`.
    touchpoint : str, default ""
        Only changes at this touchpoint; empty = all.

    Returns
    -------
    pandas.DataFrame
        One row per change between the first and the last answer charted, in order. Columns `at`,
        `label`, `position` (0 = the first period; between two periods where it fell between
        them), `next_signal` (first period from then on in which a signal begins, ``""`` for none).
    """
    table = chart.table
    rows = incidents.assign(at=pd.to_datetime(incidents["at"], utc=True).dt.tz_localize(None))
    if touchpoint:
        rows = rows[rows["touchpoint"].eq(touchpoint)]
    first, last = table["starts_at"].min(), table["ends_at"].max()
    rows = rows[rows["at"].ge(first) & rows["at"].le(last)].sort_values("at", ignore_index=True)
    starts, ends = (table[name].to_numpy() for name in ("starts_at", "ends_at"))
    moments = rows["at"].to_numpy()
    position = np.searchsorted(starts, moments, side="right") - 1.0
    if len(rows):
        position += np.where(moments > ends[position.astype(int)], 0.5, 0.0)
    signals = np.flatnonzero(signal_starts(table))
    following = [signals[signals >= at] for at in position]
    names = table["period"].to_numpy()
    return pd.DataFrame(
        {
            "at": rows["at"],
            "label": rows["label"],
            "position": position,
            "next_signal": [names[later[0]] if len(later) else "" for later in following],
        }
    )
