"""How far journeys come through stages in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.errors import InputError, closest
from cxlib.journeys.steps import JOURNEY
from cxlib.stats import clustered_share_size, wilson_interval

if TYPE_CHECKING:
    import ibis.expr.types as ir


def measure_funnel(
    steps: ir.Table, stages: Sequence[str], *, conf_level: float = 0.95
) -> pd.DataFrame:
    """Count the journeys that hold the stages so far, in this order.

    Parameters
    ----------
    steps : ibis Table, one row per event
        From :func:`cxlib.journeys.add_journeys`.
    stages : sequence of str
        All touchpoints or all lifecycle stages, first to last; a name may come twice.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per stage, in order
        `stage`, `n` (journeys that came so far), `conversion_share` (of those at the first stage),
        `conf_low`, `conf_high`, `step_conversion_share` (of those at the stage before),
        `median_days` (from the stage before, among those who made the step), `n_open` (journeys
        that stopped here but may still go on), `n_customers`, `journey_share` (of all journeys),
        `n_skipped` (journeys that stopped here because they leave the next stage out, but hold a
        later one afterwards).

    Raises
    ------
    InputError
        When no stage is given, or one occurs neither as a touchpoint nor as a stage.

    Notes
    -----
    The match is greedy: the first step at stage 1, then the first later step at stage 2, and so
    on; other steps may lie between. A journey that skips a stage stops before it. One step serves
    one stage, so a stage named twice needs two steps, and steps at the same instant follow the
    order of the steps table.

    The first stage is the whole, so its share is 1 without uncertainty. Intervals are Wilson's at
    the effective size of a ratio over customers. `median_days` leaves out those who have not made
    the step yet, so it is too short while journeys are open.
    """
    column = find_stages(steps, stages)
    places = steps.filter(steps[column].isin(list(stages))).select(
        *JOURNEY, "step", "timestamp", "is_open", name=steps[column]
    )
    places = places.cache()
    reached = _match_stages(places, list(stages))
    table = _count_stages(places, reached, list(stages))
    first = table["n"].iloc[0]  # not 0: every stage occurs
    share = table["n"] / first
    size = clustered_share_size(share, first, table["xx"], table["xy"], table["xx"].iloc[0])
    table["conversion_share"] = share
    table["conf_low"], table["conf_high"] = wilson_interval(share, size, conf_level=conf_level)
    table.loc[0, ["conf_low", "conf_high"]] = 1.0
    before = table["n"].shift(fill_value=first)
    table["step_conversion_share"] = table["n"] / before.where(before > 0)
    table["journey_share"] = table["n"] / int(steps["is_end"].sum().to_pandas())
    names = ["stage", "n", "conversion_share", "conf_low", "conf_high", "step_conversion_share"]
    return table[[*names, "median_days", "n_open", "n_customers", "journey_share", "n_skipped"]]


def find_stages(steps: ir.Table, stages: Sequence[str]) -> str:
    """Find the column that holds all the stages of a funnel.

    Parameters
    ----------
    steps : ibis Table, one row per event
        From :func:`cxlib.journeys.add_journeys`.
    stages : sequence of str
        Names asked for.

    Returns
    -------
    str
        ``touchpoint``, ``event_touchpoint`` or ``stage``, the first that holds them all.

    Raises
    ------
    InputError
        When none holds them all.
    """
    if isinstance(stages, str) or not len(stages):
        raise InputError(
            f"The stages {stages!r} are no list of names.",
            "parameter 'stages'",
            'write a list such as ["cart", "purchase"]',
        )
    known: list[str] = []
    for column in ("touchpoint", "event_touchpoint", "stage"):
        if column not in steps.columns:
            continue
        names = sorted(steps.select(column).distinct().to_pandas()[column].dropna())
        if set(stages) <= set(names):
            return column
        known += names
    unknown = [name for name in stages if name not in known]
    if not unknown:
        raise InputError(
            f"The stages {list(stages)} mix touchpoints and lifecycle stages.",
            "parameter 'stages'",
            "name either touchpoints or lifecycle stages",
        )
    raise InputError.join(
        InputError(f"No event is at '{name}'.", "parameter 'stages'", closest(name, known))
        for name in unknown
    )


def _match_stages(places: ir.Table, stages: list[str]) -> ir.Table:
    """Give every journey at the first stage its step and time at every stage reached."""
    from ibis import _

    reached = (
        places.filter(_.name == stages[0])
        .group_by(*JOURNEY)
        .agg(step_0=_.step.min(), at_0=_.timestamp.min(), is_open=_.is_open.max())
    )
    for k, name in enumerate(stages[1:], 1):
        so_far = reached.select(*JOURNEY, before=reached[f"step_{k - 1}"])
        later = (
            places.filter(_.name == name)
            .join(so_far, list(JOURNEY))
            .filter(_.step > _.before)
            .group_by(*JOURNEY)
            .agg(**{f"step_{k}": _.step.min(), f"at_{k}": _.timestamp.min()})
        )
        # stored: the next round reads it twice
        reached = reached.left_join(later, list(JOURNEY)).drop("customer_id_right").cache()
        reached = reached.drop("journey_id_right")
    return reached.cache()


def _count_stages(places: ir.Table, reached: ir.Table, stages: list[str]) -> pd.DataFrame:
    from ibis import _

    counts = {f"x_{k}": _[f"step_{k}"].count() for k in range(len(stages))}
    customers = reached.group_by("customer_id").agg(**counts)
    rows = []
    for k, stage in enumerate(stages):
        hits = customers.agg(
            n=_[f"x_{k}"].sum(),
            n_customers=(_[f"x_{k}"] > 0).sum(),
            xx=(_[f"x_{k}"] * _[f"x_{k}"]).sum(),
            xy=(_[f"x_{k}"] * _["x_0"]).sum(),
        )
        row = hits.to_pandas().iloc[0].to_dict()
        row |= {"stage": stage, "median_days": _median_days(reached, k) if k else float("nan")}
        rows.append(row | _count_stopped(places, reached, k, stages))
    return pd.DataFrame(rows)


def _count_stopped(
    places: ir.Table, reached: ir.Table, k: int, stages: list[str]
) -> dict[str, int]:
    from ibis import _

    if k == len(stages) - 1:
        return {"n_open": 0, "n_skipped": 0}
    stopped = reached.filter(_[f"step_{k}"].notnull() & _[f"step_{k + 1}"].isnull())
    stopped = stopped.select(*JOURNEY, "is_open", stopped_at=_[f"step_{k}"])
    further = places.filter(_.name.isin(stages[k + 2 :])).select(*JOURNEY, "step")
    skipped = further.join(stopped, list(JOURNEY)).filter(_.step > _.stopped_at)
    return {
        "n_open": int(stopped.filter(_.is_open).count().to_pandas()),
        "n_skipped": int(skipped.select(*JOURNEY).distinct().count().to_pandas()),
    }


def _median_days(reached: ir.Table, k: int) -> float:
    taken = reached[f"at_{k}"].delta(reached[f"at_{k - 1}"], unit="microsecond")
    median = reached.select(taken=taken)["taken"].median().to_pandas()
    return float("nan") if pd.isna(median) else float(median) / 86400e6


def default_stages(steps: ir.Table, workbook_stages: Sequence[str] = ()) -> list[str]:
    """Choose the stages of a funnel when none are asked for.

    Parameters
    ----------
    steps : ibis Table, one row per event
        From :func:`cxlib.journeys.add_journeys`.
    workbook_stages : sequence of str, default ()
        Lifecycle stages in order.

    Returns
    -------
    list of str
        The workbook's stages that occur in the column `stage`, when there are two or more; else
        the touchpoint most journeys start with, the commonest in between and the one most journeys
        end with, each named once.
    """
    from ibis import _

    if "stage" in steps.columns:
        known = set(steps.select("stage").distinct().to_pandas()["stage"].dropna())
        stages = [stage for stage in workbook_stages if stage in known]
        if len(stages) > 1:
            return stages
    counts = steps.group_by("touchpoint").agg(
        start=_.is_start.sum(),
        middle=(~_.is_start & ~_.is_end).sum(),
        end=(_.is_end & ~_.is_start).sum(),
    )
    frame = counts.to_pandas().fillna(0).sort_values("touchpoint").set_index("touchpoint")
    chosen: dict[str, str] = {}
    for place in ("start", "end", "middle"):
        left = frame.loc[~frame.index.isin(chosen.values()), place]
        if len(left) and left.max() > 0:
            chosen[place] = str(left.idxmax())
    return [chosen[place] for place in ("start", "middle", "end") if place in chosen]
