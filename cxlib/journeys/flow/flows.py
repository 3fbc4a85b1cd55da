"""Flows from step to step: the numbers behind a Sankey diagram."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.errors import InputError
from cxlib.journeys.log import END, OPEN, OTHER, TO_END, TO_OPEN
from cxlib.journeys.walks import FIRST_LETTER, Walks

_REST = -9  # code of the places that are not shown


def count_flows(walks: Walks, *, n_steps: int = 5, top: int = 8) -> pd.DataFrame:
    """Count how journeys move from each of their first steps to the next.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`.
    n_steps : int, default 5
        Steps shown.
    top : int, default 8
        Places shown, the most visited within these steps; the rest is ``(other)``.

    Returns
    -------
    pandas.DataFrame, one row per step and pair
        `step` (of `from_touchpoint`, from 1), `from_touchpoint`, `to_touchpoint` (``(end)`` and
        ``(open)`` included), `n` (journeys), `share` (of all journeys); the largest first.

    Raises
    ------
    InputError
        When fewer than two steps are asked for.

    Notes
    -----
    Flows conserve: what reaches a place at a step leaves it, and what starts is every journey.
    """
    if n_steps < 2:
        raise InputError(f"{n_steps} step shows no flow.", "parameter 'n_steps'", "write 2 or more")
    seen, is_open = _first_codes(walks, n_steps), walks.paths["n_open"].to_numpy()
    n = np.concatenate([walks.paths["n"].to_numpy() - is_open, is_open])
    codes = np.concatenate([np.where(seen < 0, over, seen) for over in (TO_END, TO_OPEN)])
    visited = codes >= 0
    visits = np.bincount(codes[visited], np.broadcast_to(n[:, None], codes.shape)[visited])
    shown = np.argsort(-visits, kind="stable")[:top]
    codes = np.where(~visited | np.isin(codes, shown), codes, _REST)
    names = dict(enumerate(walks.places.names)) | {TO_END: END, TO_OPEN: OPEN, _REST: OTHER}
    tables = []
    for step in range(1, n_steps):
        pairs = pd.DataFrame({"a": codes[:, step - 1], "b": codes[:, step], "n": n})
        here = pairs["a"].isin([*shown, _REST]) & (pairs["n"] > 0)
        tables.append(pairs[here].groupby(["a", "b"])["n"].sum().reset_index().assign(step=step))
    table = pd.concat(tables, ignore_index=True)
    table = table.assign(
        from_touchpoint=table["a"].map(names),
        to_touchpoint=table["b"].map(names),
        share=table["n"] / n.sum(),
    )
    columns = ["step", "from_touchpoint", "to_touchpoint"]
    table = table[[*columns, "n", "share"]]
    return table.sort_values(
        ["step", "n", *columns[1:]], ascending=[True, False, True, True], ignore_index=True
    )


def _first_codes(walks: Walks, n_steps: int) -> NDArray[np.int64]:
    """Give the places of the first steps of every path; -1 where it is over."""
    letters = walks.paths["letters"].to_numpy().astype(f"<U{n_steps}")
    grid = letters.view(np.uint32).reshape(len(letters), n_steps).astype(np.int64)
    return np.where(grid > 0, grid - FIRST_LETTER, -1)
