"""How far journeys come through stages in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.journeys.funnel.matching import match_stages
from cxlib.journeys.log import DAY, JourneyLog
from cxlib.stats import clustered_share_interval

if TYPE_CHECKING:
    import ibis.expr.types as ir


def measure_funnel(
    log: JourneyLog,
    stages: Sequence[str],
    *,
    within: str | pd.Timedelta | None = None,
    without: Sequence[str] = (),
    again: str = "first",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Count the journeys that hold the stages so far, in this order.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    stages : sequence of str
        All touchpoints or all lifecycle stages, first to last; a name may come twice.
    within : str or pandas.Timedelta or None, default None
        Conversion window: a stage counts when it is reached at most this long after the first.
    without : sequence of str, default ()
        Touchpoints, or lifecycle stages, that stop a journey: what follows one of them after the
        first stage does not count.
    again : str, default "first"
        Which arrival at the first stage counts: the ``first``, or the ``best``, the one from which
        the journey comes furthest (of equals the latest).
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per stage, in order
        `stage`, `n` (journeys that came so far), `conversion_share` (of those at the first stage),
        `conf_low`, `conf_high`, `step_conversion_share` (of those at the stage before),
        `median_days` (from the stage before, among those who made the step), `n_open` (journeys
        that stopped here but may still go on), `n_customers`, `journey_share` (of all journeys),
        `n_skipped` (of those that stopped here for good, the ones that leave the next stage out but
        hold a later one afterwards), `n_ended` (the others that stopped for good), `open_share`
        (journeys that may still come to this stage, as a share of those at the first one).

    Raises
    ------
    InputError
        When no stage is given, a name is unknown, a stage also stops journeys, or `within` or
        `again` cannot be read.

    Notes
    -----
    The match is greedy: the first step at stage 1, then the first later step at stage 2, and so
    on; other steps may lie between. A journey that skips a stage stops before it. One step serves
    one stage, so a stage named twice needs two steps, and steps at the same instant follow the
    order of the log.

    The parts add up: `n` = `n` of the next stage + `n_open` + `n_skipped` + `n_ended`; at the last
    stage nothing can stop and these three are 0. A journey whose window has run out, or that has
    met a touchpoint of `without`, does not count as open when `again` is ``first``.

    The first stage is the whole, so its share is 1 without uncertainty. Intervals are Wilson's at
    the effective size of a ratio over customers. `conversion_share` counts open journeys among
    those at the first stage, so it may still rise, by `open_share` at most; `median_days` leaves
    out those who have not made the step yet, so it is too short while journeys are open.
    :func:`time_to_convert` corrects both.

    References
    ----------
    .. [1] W. G. Cochran (1977). Sampling Techniques, 3rd ed., section 3.12.
    """
    reached = match_stages(log, stages, within=within, without=without, again=again)
    table = _count_stages(reached, list(stages))
    first = table["n"].iloc[0]  # not 0: every stage occurs
    share = table["n"] / first
    squares = (table["xx"], table["xy"], table["xx"].iloc[0])
    table["conversion_share"] = share
    ends = clustered_share_interval(share, first, *squares, conf_level=conf_level)
    table["conf_low"], table["conf_high"] = ends
    table.loc[0, ["conf_low", "conf_high"]] = 1.0
    before = table["n"].shift(fill_value=first)
    table["step_conversion_share"] = table["n"] / before.where(before > 0)
    table["journey_share"] = table["n"] / int(log.journeys.count().to_pandas())
    table["n_ended"] = table["n_stopped"] - table["n_open"] - table["n_skipped"]
    table["open_share"] = table["n_open"].cumsum().shift(fill_value=0) / first
    names = ["stage", "n", "conversion_share", "conf_low", "conf_high", "step_conversion_share"]
    more = ["n_customers", "journey_share", "n_skipped", "n_ended", "open_share"]
    return table[[*names, "median_days", "n_open", *more]]


def _count_stages(reached: ir.Table, stages: list[str]) -> pd.DataFrame:
    """Count journeys, customers and stops at every stage, and time the steps."""
    from ibis import _

    every = range(len(stages))
    hits = {f"x_{k}": (_.n_reached > k).ifelse(1, 0).sum().cast("int64") for k in every}
    sums, stops = {}, {}
    for k in every:
        x, stopped = _[f"x_{k}"], (_.n_reached == k + 1) & (k + 1 < len(stages))
        sums[f"n_{k}"], sums[f"n_customers_{k}"] = x.sum(), (x > 0).ifelse(1, 0).sum()
        sums[f"xx_{k}"], sums[f"xy_{k}"] = (x * x).sum(), (x * _.x_0).sum()
        stops[f"n_stopped_{k}"] = stopped.ifelse(1, 0).sum()
        stops[f"n_open_{k}"] = (stopped & _.may_go_on).ifelse(1, 0).sum()
        gone = stopped & _.is_skipped & ~_.may_go_on
        stops[f"n_skipped_{k}"] = gone.ifelse(1, 0).sum()
        if k:
            stops[f"median_{k}"] = (_[f"at_{k}"] - _[f"at_{k - 1}"]).median()
    row = reached.group_by("customer").agg(**hits).agg(**sums).to_pandas().iloc[0]
    row = pd.concat([row, reached.agg(**stops).to_pandas().iloc[0]])
    counted = ("n", "n_customers", "xx", "xy", "n_stopped", "n_open", "n_skipped")
    table = pd.DataFrame({name: [int(row[f"{name}_{k}"]) for k in every] for name in counted})
    medians = pd.to_numeric(pd.Series([row.get(f"median_{k}") for k in every]))
    return table.assign(stage=stages, median_days=medians.astype(float) / DAY)


def default_stages(log: JourneyLog, workbook_stages: Sequence[str] = ()) -> list[str]:
    """Choose the stages of a funnel when none are asked for.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    workbook_stages : sequence of str, default ()
        Lifecycle stages in order.

    Returns
    -------
    list of str
        The workbook's stages that occur in the events, when there are two or more; else the
        touchpoint most journeys start with, the commonest in between and the one most journeys end
        with, each named once.
    """
    from ibis import _

    if "stage" in log.contacts:
        known = set(log.contacts["stage"])
        stages = [stage for stage in workbook_stages if stage in known]
        if len(stages) > 1:
            return stages
    counts = log.steps.group_by("contact").agg(
        start=_.is_start.ifelse(1, 0).sum(),
        middle=(~_.is_start & ~_.is_end).ifelse(1, 0).sum(),
        end=(_.is_end & ~_.is_start).ifelse(1, 0).sum(),
    )
    named = counts.to_pandas().merge(log.contacts[["contact", "touchpoint"]], on="contact")
    frame = named.groupby("touchpoint")[["start", "middle", "end"]].sum()  # sorted by name
    chosen: dict[str, str] = {}
    for place in ("start", "end", "middle"):
        left = frame.loc[~frame.index.isin(chosen.values()), place]
        if len(left) and left.max() > 0:
            chosen[place] = str(left.idxmax())
    return [chosen[place] for place in ("start", "middle", "end") if place in chosen]
