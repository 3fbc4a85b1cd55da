"""Whole journeys as paths."""

from __future__ import annotations

import pandas as pd

from cxlib.journeys.log import OTHER
from cxlib.journeys.walks import Walks, spell


def count_paths(walks: Walks, *, top: int = 1000) -> pd.DataFrame:
    """Count equal journeys.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`.
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
    Journeys that are still open count with the path walked so far. When the view is not the
    touchpoint, equal paths may differ in conversion.
    """
    paths = walks.paths
    sums = [name for name in ("n", "n_converted") if name in paths]
    listed = paths.head(top)[sums].assign(n_paths=1)
    listed.insert(
        0, "path", [spell(letters, walks.places) for letters in paths["letters"].head(top)]
    )
    rest = paths.iloc[top:]
    if len(rest):
        other = rest[sums].sum().to_frame().T.assign(path=OTHER, n_paths=len(rest))
        listed = pd.concat([listed, other], ignore_index=True)
    listed["share"] = listed["n"] / paths["n"].sum()
    if "n_converted" in sums:
        listed["converted_share"] = listed["n_converted"] / listed["n"]
    columns = ["path", "n", "share", "converted_share", "n_paths"]
    return listed[[name for name in columns if name in listed]]
