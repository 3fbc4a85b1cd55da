"""Where journeys go that stop in a funnel."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cxlib.errors import InputError, closest
from cxlib.journeys.funnel.matching import match_stages
from cxlib.journeys.log import TO_END, TO_OPEN, JourneyLog, add_places, find_places, name_places
from cxlib.journeys.shares import count_shares

WHICH = ("next", "last")


def count_next(
    log: JourneyLog,
    stages: Sequence[str],
    *,
    which: str = "next",
    within: str | pd.Timedelta | None = None,
    without: Sequence[str] = (),
    again: str = "first",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Count what journeys do after the stage of a funnel where they stop.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    stages : sequence of str
        All touchpoints or all lifecycle stages, first to last; a name may come twice.
    which : str, default "next"
        The touchpoint directly after the stage (``next``), or the ``last`` one of the journey.
    within, without, again : optional
        Limits of the funnel, as :func:`cxlib.journeys.measure_funnel` takes them.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per stage (but the last) and touchpoint
        `position` (from 1), `stage`, `next_touchpoint`, `n` (journeys), `n_customers`, `share` (of
        those that stop at the stage), `conf_low`, `conf_high`; in order of the stages, the
        commonest first. Nothing more happens in ``(end)``, nothing yet in ``(open)``.

    Raises
    ------
    InputError
        When the stages or a limit cannot be read, or `which` is unknown.

    Notes
    -----
    The rows of a stage add up to the journeys that stop there: `n` minus `n` of the next stage in
    :func:`cxlib.journeys.measure_funnel`. Intervals are clustered by customer.
    """
    from ibis import _

    if which not in WHICH:
        raise InputError(
            f"which = '{which}' is unknown.", "parameter 'which'", closest(which, WHICH)
        )
    reached = match_stages(log, stages, within=within, without=without, again=again)
    stopped = reached.filter(_.n_reached < len(stages))
    places = find_places(log)
    steps = add_places(log.steps, places, target="contact").select(
        "journey", "step", "is_end", "target"
    )
    after = steps.join(stopped.select("journey", "last_step"), "journey")
    chosen = _.step == _.last_step + 1 if which == "next" else _.is_end & (_.step > _.last_step)
    after = after.filter(chosen).select("journey", "target")
    stopped = stopped.left_join(after, "journey").drop("journey_right")
    silent = _.is_open.ifelse(TO_OPEN, TO_END).cast("int64")
    stopped = stopped.mutate(target=_.target.fill_null(silent))
    counts = stopped.group_by("customer", "n_reached", "target").agg(n=_.count()).cache()
    table = count_shares(counts, of="target", within="n_reached", conf_level=conf_level)
    table.insert(0, "position", table.pop("n_reached").astype("int64"))
    table.insert(1, "stage", table["position"].map(dict(enumerate(stages, 1))).astype(object))
    table.insert(2, "next_touchpoint", name_places(places, table.pop("target")).astype(object))
    order = ["position", "n", "next_touchpoint"]
    return table.sort_values(order, ascending=[True, False, True], ignore_index=True)
