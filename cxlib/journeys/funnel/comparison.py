"""Do two groups or two periods come equally far? Differences with intervals, corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.errors import TooLittleData
from cxlib.frames import read_duration
from cxlib.journeys.contrast import OTHERS, judge_pairs, list_grouped
from cxlib.journeys.funnel.matching import find_stages, match_stages
from cxlib.journeys.funnel.timing import fetch_waits, list_waits
from cxlib.journeys.incidence import Waits, cut_waits, find_influence, find_size
from cxlib.journeys.log import DAY, JourneyLog
from cxlib.stats import wilson_interval

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class FunnelComparison:
    """How far the journeys of different groups come.

    Parameters
    ----------
    groups : pandas.DataFrame, one row per stage after the first and group
        `position` (from 2), `stage`, `group`, `n` (journeys at the first stage), `n_customers`,
        `n_reached` (that came to this stage in time), `conversion_share`, `conf_low`, `conf_high`.
    differences : pandas.DataFrame, one row per stage tested (and group, when more than two)
        `position`, `stage`, `group_a`, `group_b`, `n_a`, `n_b` (journeys at the first stage),
        `share_a`, `share_b`, `difference` (b minus a), `conf_low`, `conf_high`, `effect_size`
        (Cohen's h), `p_value`, `q_value`, `n_tests`; the surest first.
    horizon_days : float
        Time since the first stage within which a stage counts, the same for all groups.
    """

    groups: pd.DataFrame
    differences: pd.DataFrame
    horizon_days: float


@dataclass(frozen=True)
class _Side:
    """One group, or all others, at one stage."""

    n: int
    n_reached: int
    share: float
    influence: pd.Series  # by customer
    size: float


def compare_funnels(
    log: JourneyLog,
    stages: Sequence[str],
    *,
    within: str | pd.Timedelta | None = None,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> FunnelComparison:
    """Compare how far the journeys of different groups come.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_groups`: `log.journeys` has the column `group`.
    stages : sequence of str
        All touchpoints or all lifecycle stages, first to last; a name may come twice.
    within : str or pandas.Timedelta or None, default None
        Conversion window, counted from the first stage; None: as long as every group is observed.
    min_cell : int, default 10
        A group takes part when it has this many customers at the first stage; a stage is tested
        when this many journeys are expected there in both groups.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    FunnelComparison
        Two groups are compared in order of their names; of more, each as `group_b` with all others
        as a.

    Raises
    ------
    InputError
        When there is no column `group`, or the stages or the window cannot be read.
    TooLittleData
        When fewer than two groups are large enough, or the funnel has one stage only.

    Notes
    -----
    A late period has more open journeys, so plain shares would make it look worse. `share` is the
    Aalen-Johansen share of journeys that come to the stage within the window, with dropping as the
    competing cause and open journeys censored (:func:`time_to_convert` says when a journey has
    dropped). Without open journeys, and when no journey takes longer, it is the
    `conversion_share` of :func:`cxlib.journeys.measure_funnel`. Without `within` the window is the
    shortest time from a group's first arrival to the end of the data.

    Customers are the clusters, also across groups: a customer may have journeys in both periods.
    The variance of a share is the sum over customers of their squared influence, the covariance
    of two shares that of the product; the effective size of a share is that of shares without
    censoring (:func:`cxlib.stats.clustered_share_size`) whose hits are pseudo-observations, the
    share plus n times the influence. Differences are estimated and tested as
    :func:`cxlib.journeys.contrast.contrast_shares` does, all stages and groups as one family.

    References
    ----------
    .. [1] O. O. Aalen, S. Johansen (1978). An empirical transition matrix for non-homogeneous
           Markov chains based on censored observations. Scand. J. Statist. 5, 141-150.
    .. [2] P. K. Andersen, J. P. Klein, S. Rosthøj (2003). Generalised linear models for correlated
           pseudo-observations, with applications to multi-state models. Biometrika 90, 15-27.
    """
    list_grouped(log)  # or there is nothing to compare
    window = None if within is None else read_duration(within, name="within")
    if len(find_stages(log, stages)) == 1:
        raise TooLittleData("A funnel of one stage has no conversion to compare.")
    reached = match_stages(log, stages)
    names, horizon = _list_groups(log, reached, min_cell, window)
    shares, tests = [], []
    for k, stage in enumerate(stages[1:], 1):
        waits = list_waits(log, reached, origin=0, target=k)
        parts = [fetch_waits(waits.filter(waits["group"] == name)) for name in names]
        by_group = {name: cut_waits(part, horizon) for name, part in zip(names, parts, strict=True)}
        sides = {name: _summarise(part) for name, part in by_group.items()}
        row = {"position": k + 1, "stage": stage}
        shares += [row | _describe(name, side, conf_level) for name, side in sides.items()]
        for a, b in [(names[0], names[1])] if len(names) == 2 else [(OTHERS, n) for n in names]:
            rest = [part for name, part in by_group.items() if name != b]
            side_a = sides[a] if a in sides else _summarise(_join(rest))
            test = _contrast(side_a, sides[b], min_cell)
            tests += [row | {"group_a": a, "group_b": b} | test] if test else []
    pairs = pd.DataFrame(tests, columns=_COLUMNS)
    differences = judge_pairs(pairs, ["position", "group_b"], conf_level=conf_level)
    return FunnelComparison(pd.DataFrame(shares), differences, horizon / DAY)


_COLUMNS = ["position", "stage", "group_a", "group_b", "n_a", "n_b", "share_a", "share_b"]
_COLUMNS += ["size_a", "size_b", "covariance", "pooled"]


def _list_groups(
    log: JourneyLog, reached: ir.Table, min_cell: int, window: pd.Timedelta | None
) -> tuple[list[str], int]:
    """List the groups that take part, and the time for which all of them are observed."""
    from ibis import _

    groups = reached.group_by("group").agg(n=_.customer.nunique(), first_at=_.at_0.min())
    frame = groups.to_pandas()
    frame = frame[frame["n"] >= min_cell].sort_values("group")
    if len(frame) < 2:
        raise TooLittleData(
            f"Fewer than two groups have {min_cell} customers at the first stage of the funnel."
        )
    if window is not None:
        return frame["group"].tolist(), window.value // 1000
    return frame["group"].tolist(), int(log.end.value // 1000 - frame["first_at"].max())


def _join(parts: list[Waits]) -> Waits:
    columns = [(part.time, part.cause, part.customer) for part in parts]
    return Waits(*[np.concatenate(column) for column in zip(*columns, strict=True)])


def _summarise(waits: Waits) -> _Side:
    share, influence = find_influence(waits)
    by_customer = pd.Series(influence).groupby(waits.customer).sum()
    size = find_size(waits, share, influence)
    return _Side(len(waits), int((waits.cause == 1).sum()), share, by_customer, size)


def _describe(name: str, side: _Side, conf_level: float) -> dict[str, object]:
    low, high = wilson_interval([side.share], [side.size], conf_level=conf_level)
    return {
        "group": name,
        "n": side.n,
        "n_customers": len(side.influence),
        "n_reached": side.n_reached,
        "conversion_share": side.share,
        "conf_low": low[0],
        "conf_high": high[0],
    }


def _contrast(a: _Side, b: _Side, min_cell: int) -> dict[str, float]:
    pooled = (a.n * a.share + b.n * b.share) / (a.n + b.n)
    if pooled * min(a.n, b.n) < min_cell or pooled >= 1:
        return {}
    return {
        "n_a": a.n,
        "n_b": b.n,
        "share_a": a.share,
        "share_b": b.share,
        "size_a": a.size,
        "size_b": b.size,
        "covariance": (a.influence * b.influence).sum(),  # of the customers of both sides
        "pooled": pooled,
    }
