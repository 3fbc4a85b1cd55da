"""Whole journeys as paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cxlib.errors import InputError, closest
from cxlib.journeys.steps import ARROW, JOURNEY, OTHER

if TYPE_CHECKING:
    import ibis.expr.types as ir


def list_journeys(steps: ir.Table, *, goal: str = "") -> ir.Table:
    """Write every journey as one row with its path.

    Parameters
    ----------
    steps : ibis Table, one row per event
        From :func:`cxlib.journeys.add_journeys`.
    goal : str, default ""
        A touchpoint, or a stage when no touchpoint has that name.

    Returns
    -------
    ibis Table, one row per journey
        `customer_id`, `journey_id`, `path` (touchpoints in order joined by `` > ``, nothing
        collapsed), `n_steps`, `is_open` and, with a goal, `converted` (the journey holds it).

    Raises
    ------
    InputError
        When no event is at the goal.
    """
    from ibis import _

    columns = {
        "path": _.touchpoint.group_concat(ARROW, order_by=_.step),
        "n_steps": _.count(),
        "is_open": _.is_open.max(),
    }
    if goal:
        columns["converted"] = (_[find_goal(steps, goal)] == goal).fill_null(False).max()
    return steps.group_by(*JOURNEY).agg(**columns)


def find_goal(steps: ir.Table, goal: str) -> str:
    """Find the column that a goal is a value of.

    Parameters
    ----------
    steps : ibis Table, one row per event
        From :func:`cxlib.journeys.add_journeys`.
    goal : str
        A touchpoint (whatever the view) or a stage.

    Returns
    -------
    str
        ``event_touchpoint``, ``touchpoint`` or ``stage``.

    Raises
    ------
    InputError
        When no event is at the goal.
    """
    known: list[str] = []
    for column in ("event_touchpoint", "touchpoint", "stage"):
        if column in steps.columns:
            names = steps.select(column).distinct().to_pandas()[column].dropna()
            if goal in set(names):
                return column
            known += sorted(names)
    raise InputError(f"No event is at the goal '{goal}'.", "parameter 'goal'", closest(goal, known))


def count_paths(steps: ir.Table, *, goal: str = "", top: int = 1000) -> pd.DataFrame:
    """Count equal journeys.

    Parameters
    ----------
    steps : ibis Table, one row per event
        From :func:`cxlib.journeys.add_journeys`.
    goal : str, default ""
        A touchpoint, or a stage; journeys that hold it count as converted.
    top : int, default 1000
        Paths listed; the rest is one row ``(other)``.

    Returns
    -------
    pandas.DataFrame, one row per path
        `path`, `n` (journeys), `share` (of all journeys), with a goal `converted_share`, and
        `n_paths` (1; in the last row the number of paths lumped); the commonest first, equal ones
        by name, ``(other)`` last.

    Notes
    -----
    Journeys that are still open count with the path walked so far. When `view` shows another
    column than the touchpoint, the goal is still looked for among touchpoints first, so equal
    paths may differ in conversion.
    """
    from ibis import _

    sums = {"n": _.count()}
    if goal:
        sums["n_converted"] = _.converted.sum()
    paths = list_journeys(steps, goal=goal).group_by("path").agg(**sums).cache()
    total = paths.agg(n_paths=_.count(), **{name: _[name].sum() for name in sums}).to_pandas()
    listed = paths.order_by([_.n.desc(), _.path]).limit(top).to_pandas()
    listed = listed.sort_values(["n", "path"], ascending=[False, True], ignore_index=True)
    listed["n_paths"] = 1
    rest = total[["n_paths", *sums]] - listed[["n_paths", *sums]].sum()
    if int(rest["n_paths"].iloc[0]):
        listed = pd.concat([listed, rest.assign(path=OTHER)], ignore_index=True)
    listed["share"] = listed["n"] / int(total["n"].iloc[0])
    if goal:
        listed["converted_share"] = listed["n_converted"] / listed["n"]
    columns = ["path", "n", "share", "converted_share", "n_paths"]
    return listed[[c for c in columns if c in listed]]
