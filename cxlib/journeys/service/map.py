"""The journey map: every touchpoint in its stage, how much passes it and how much ends there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.errors import InputError
from cxlib.journeys.log import JourneyLog, Places, add_places
from cxlib.journeys.service.rates import measure_rates
from cxlib.schema import STAGES

_SCORE = ["score", "score_conf_low", "score_conf_high"]


def map_journey(
    log: JourneyLog,
    *,
    scores: pd.DataFrame | None = None,
    stages: Sequence[str] = STAGES,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Map every touchpoint: stage, volume, journeys that end there, and score where known.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`, of events with `stage`.
    scores : pandas.DataFrame, optional
        One row per `touchpoint`: `score` (such as a mean perception or a mean value), optionally
        `conf_low` and `conf_high`.
    stages : sequence of str, default the seven of the lifecycle
        Lifecycle stages in order; others follow in order of their names.
    min_cell : int, default 10
        Customers a touchpoint needs for a share of endings.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per stage and touchpoint
        `stage`, `touchpoint`, `n` (contacts), `n_customers`, `n_journeys` that come by,
        `journey_share` (of all journeys), `n_over` (journeys of these that are over), `n_end` (end
        there), `end_share`, `conf_low`, `conf_high`, with scores `score`, `score_conf_low`,
        `score_conf_high`; by stage, the most visited first.

    Raises
    ------
    InputError
        When the events have no stages, or the scores no touchpoint and score, or two rows for one
        touchpoint.

    Notes
    -----
    A journey counts once at a touchpoint however often it comes by. Journeys that are still open
    are in `n_journeys`, not in `n_over`. An end is no failure where journeys are meant to end.
    Customers are the clusters of the intervals.
    """
    from ibis import _

    if "stage" not in log.contacts:
        raise InputError(
            "The map needs lifecycle stages.",
            "table 'events', column 'stage'",
            "give every touchpoint a stage in the table 'touchpoints'",
        )
    kinds = log.contacts[["stage", "touchpoint"]].drop_duplicates(ignore_index=True)
    pairs = log.contacts.merge(kinds.reset_index(names="place"), on=["stage", "touchpoint"])
    codes = pairs.sort_values("contact")["place"].to_numpy(np.int64)
    places = Places("place", kinds["touchpoint"].tolist(), codes)
    steps = add_places(log.steps, places, place="contact")
    visits = steps.group_by("customer", "journey", "place").agg(
        k=_.count(), n_end=_.is_end.ifelse(1, 0).sum()
    )
    open_ones = log.journeys.select("journey", "is_open")
    visits = visits.join(open_ones, "journey").mutate(is_hit=_.n_end > 0).cache()
    volume = visits.group_by("place").agg(
        n=_.k.sum(), n_customers=_.customer.nunique(), n_journeys=_.count()
    )
    ends = measure_rates(visits.filter(~_.is_open), by="place", conf_level=conf_level)
    ends = ends.rename(columns={"n": "n_over", "n_hits": "n_end", "share": "end_share"})
    shares = ["end_share", "conf_low", "conf_high"]
    ends.loc[ends["n_customers"] < min_cell, shares] = np.nan
    table = volume.to_pandas().merge(ends.drop(columns="n_customers"), on="place", how="left")
    table[["n_over", "n_end"]] = table[["n_over", "n_end"]].fillna(0).astype("int64")
    n_journeys = int(log.journeys.count().to_pandas())
    table["journey_share"] = table["n_journeys"] / n_journeys
    table = table.join(kinds, on="place")
    if scores is not None:
        table = table.merge(_check_scores(scores), on="touchpoint", how="left")
    order = [*stages, *sorted(set(table["stage"]) - set(stages))]
    table["_stage"] = table["stage"].map(order.index)
    table = table.sort_values(
        ["_stage", "n_journeys", "touchpoint"], ascending=[True, False, True], ignore_index=True
    )
    columns = ["stage", "touchpoint", "n", "n_customers", "n_journeys", "journey_share"]
    return table[[*columns, "n_over", "n_end", *shares, *(_SCORE if scores is not None else [])]]


def _check_scores(scores: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in ("touchpoint", "score") if name not in scores]
    if missing:
        raise InputError(
            f"Column '{missing[0]}' is missing.",
            f"scores, has {list(scores.columns)}",
            "give one row per touchpoint with its score",
        )
    double = scores.loc[scores["touchpoint"].duplicated(), "touchpoint"].unique().tolist()
    if double:
        raise InputError(
            f"'{double[0]}' has more than one score.",
            f"scores, column 'touchpoint', such as {double[:3]}",
            "give one row per touchpoint",
        )
    renamed = scores.rename(columns={"conf_low": _SCORE[1], "conf_high": _SCORE[2]})
    return renamed.reindex(columns=["touchpoint", *_SCORE])
