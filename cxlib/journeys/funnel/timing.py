"""How long the steps of a funnel take, when journeys also end and some are still open."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.errors import InputError, TooLittleData
from cxlib.frames import read_duration
from cxlib.journeys.funnel.matching import find_stages, match_stages
from cxlib.journeys.incidence import Waits, estimate_incidence, find_quantiles
from cxlib.journeys.log import DAY, JourneyLog

if TYPE_CHECKING:
    import ibis.expr.types as ir

HORIZONS = ("1d", "7d", "14d", "30d")
QUANTILES = (0.10, 0.25, 0.50)
CAUSES = {"converted": 1, "dropped": 2}
_POINTS = 120  # of a curve that is drawn


@dataclass(frozen=True)
class ConversionTimes:
    """Time from each stage of a funnel to the next one.

    Parameters
    ----------
    times : pandas.DataFrame, one row per step of the funnel, cause and horizon
        `position` (from 1), `stage`, `next_stage`, `cause` (``converted``: came to the next stage;
        ``dropped``: the journey ended first), `horizon_days`, `n` (journeys at the stage), `share`
        of them, `conf_low`, `conf_high`, `n_at_risk` (known to wait still).
    quantiles : pandas.DataFrame, one row per step of the funnel and quantile
        `position`, `stage`, `next_stage`, `quantile`, `days` (by which that share of all journeys
        at the stage has come to the next one; empty when it never does), `conf_low`, `conf_high`
        (empty when the interval has no end), `naive_days` (the same quantile among those who came).
    curves : pandas.DataFrame, one row per step of the funnel, cause and point in time
        `position`, `stage`, `next_stage`, `cause`, `time_days`, `share`, `conf_low`, `conf_high`.
    """

    times: pd.DataFrame
    quantiles: pd.DataFrame
    curves: pd.DataFrame


def time_to_convert(
    log: JourneyLog,
    stages: Sequence[str],
    *,
    horizons: Sequence[str | pd.Timedelta] = HORIZONS,
    conf_level: float = 0.95,
) -> ConversionTimes:
    """Estimate how many journeys come to the next stage, and how soon.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    stages : sequence of str
        All touchpoints or all lifecycle stages, first to last; a name may come twice.
    horizons : sequence of str or pandas.Timedelta, default ("1d", "7d", "14d", "30d")
        Times since the stage at which shares are reported; curves end with the longest.
    conf_level : float, default 0.95
        Confidence level, pointwise.

    Returns
    -------
    ConversionTimes
        Steps of the funnel that no journey came to are left out.

    Raises
    ------
    InputError
        When the stages or horizons cannot be read.
    TooLittleData
        When the funnel has one stage only.

    Notes
    -----
    Journeys are those of :func:`cxlib.journeys.measure_funnel`. One that has come to stage k waits
    until it comes to the next stage, or until it drops, or is censored at the end of the data
    while it may still do either. That a journey has dropped is known only when the idle time has
    passed after its last contact, so that is when it drops: what counts at any moment was known by
    then, and open journeys are not favoured. Where another rule ends journeys (`ends_at`,
    `calendar`, `journey_id`), the drop is placed there too, or at the end of the data when that
    comes first. Without an idle time a journey that such a rule has ended drops at its last
    contact, and no other ever does: the share converted is then one minus Kaplan-Meier.

    Shares, intervals and customers as clusters: :func:`estimate_incidence`. A share is empty at a
    horizon beyond the longest wait observed. `days` is the first time at which the share reaches
    the quantile, and its interval the times at which the ends of the pointwise interval do. The
    quantiles among those who came (`naive_days`) are of another kind: they ignore who never comes
    and who may still come, so they are mostly too short, the more the younger the journeys are.

    References
    ----------
    .. [1] O. O. Aalen, S. Johansen (1978). An empirical transition matrix for non-homogeneous
           Markov chains based on censored observations. Scand. J. Statist. 5, 141-150.
    .. [2] R. Brookmeyer, J. Crowley (1982). A confidence interval for the median survival time.
           Biometrics 38, 29-41.
    """
    marks = read_horizons(horizons)
    if len(find_stages(log, stages)) == 1:
        raise TooLittleData("A funnel of one stage has no step that takes time.")
    reached = match_stages(log, stages)
    parts: list[tuple[pd.DataFrame, ...]] = []
    for k, (stage, next_stage) in enumerate(itertools.pairwise(stages)):
        waits = fetch_waits(list_waits(log, reached, origin=k, target=k + 1))
        if len(waits):
            step = {"position": k + 1, "stage": stage, "next_stage": next_stage}
            found = _time_step(waits, marks, conf_level)
            parts.append(tuple(_label(table, step) for table in found))
    times, quantiles, curves = (
        pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True)
    )
    return ConversionTimes(times, quantiles, curves)


def read_horizons(horizons: Sequence[str | pd.Timedelta]) -> np.ndarray:
    """Read times with their units.

    Parameters
    ----------
    horizons : sequence of str or pandas.Timedelta
        As :func:`cxlib.frames.read_duration` reads them.

    Returns
    -------
    ndarray of int
        Microseconds, rising.

    Raises
    ------
    InputError
        When it is no list of positive times.
    """
    listed = [] if isinstance(horizons, str) else list(horizons)
    times = sorted({read_duration(time, name="horizons").value // 1000 for time in listed})
    if not times or times[0] <= 0:
        raise InputError(
            f"The horizons {horizons!r} are no list of positive times.",
            "parameter 'horizons'",
            'write a list such as ["1d", "7d"]',
        )
    return np.array(times, dtype=np.int64)


def list_waits(log: JourneyLog, reached: ir.Table, *, origin: int, target: int) -> ir.Table:
    """List how long journeys waited between two stages, and what ended the wait.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    reached : ibis Table
        From :func:`match_stages`, without limits.
    origin, target : int
        Positions of the stages, from 0.

    Returns
    -------
    ibis Table, one row per journey at the stage `origin`
        `customer`, `time` (microseconds), `cause` (1 came to `target`, 2 dropped, 0 censored), and
        `group` where the journeys have it.
    """
    import ibis
    from ibis import _

    end = ibis.literal(log.end.value // 1000)
    silence = 0 if log.idle is None else log.idle.value // 1000
    over = ibis.least(_.ended_at + silence, end)
    came = _.n_reached > target
    until = ibis.cases((came, _[f"at_{target}"]), (~_.is_open, over), else_=end)
    cause = ibis.cases((came, 1), (~_.is_open, 2), else_=0)
    extra = [name for name in ("group",) if name in reached.columns]
    # the last day of some zones ends after the data do: no wait is negative
    time = ibis.greatest(until - _[f"at_{origin}"], 0)
    here = reached.filter(_.n_reached > origin)
    return here.select("customer", *extra, time=time.cast("int64"), cause=cause.cast("int64"))


def fetch_waits(waits: ir.Table) -> Waits:
    """Fetch waits from the engine.

    Parameters
    ----------
    waits : ibis Table
        From :func:`list_waits`.

    Returns
    -------
    Waits
        In an order that does not depend on the engine.
    """
    frame = waits.select("customer", "time", "cause").to_pandas()
    columns = [frame[name].to_numpy(np.int64) for name in ("time", "cause", "customer")]
    order = np.lexsort(columns)
    return Waits(*[column[order] for column in columns])


def _label(table: pd.DataFrame, step: dict[str, object]) -> pd.DataFrame:
    named = table.assign(**step)
    return named[[*step, *table.columns]]


def _time_step(waits: Waits, marks: np.ndarray, conf_level: float) -> tuple[pd.DataFrame, ...]:
    # closer together at first, where most journeys that come do come
    grid = (marks[-1] * np.linspace(0, 1, _POINTS + 1) ** 2).astype(np.int64)
    curves = {
        name: estimate_incidence(
            waits, cause=cause, times=np.union1d(marks, grid), conf_level=conf_level
        )
        for name, cause in CAUSES.items()
    }
    columns = ["share", "conf_low", "conf_high"]
    times = _read(curves, marks, "horizon_days").assign(n=len(waits))
    times = times[["cause", "horizon_days", "n", *columns, "n_at_risk"]]
    points = _read(curves, grid, "time_days")[["cause", "time_days", *columns]]
    return times, _find_quantiles(waits, conf_level), points


def _read(curves: dict[str, pd.DataFrame], at: np.ndarray, name: str) -> pd.DataFrame:
    read = [curve.set_index("time").loc[at].assign(cause=c) for c, curve in curves.items()]
    table = pd.concat(read).rename_axis(name).reset_index()
    return table.assign(**{name: table[name] / DAY})


def _find_quantiles(waits: Waits, conf_level: float) -> pd.DataFrame:
    table = find_quantiles(estimate_incidence(waits, conf_level=conf_level), QUANTILES)
    table = table.rename(columns={"level": "quantile", "time": "days"})
    table[["days", "conf_low", "conf_high"]] /= DAY
    came = waits.time[waits.cause == CAUSES["converted"]]
    naive = np.quantile(came, QUANTILES) / DAY if len(came) else np.nan
    return table.assign(naive_days=naive)
