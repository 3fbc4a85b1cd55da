"""Functional against emotional items: the same respondents, two kinds of promise."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.errors import TooLittleData
from cxlib.gaps.levels import Pairs
from cxlib.gaps.means import estimate_means, respondent_clusters

KINDS = ("functional", "emotional")


def compare_kinds(pairs: Pairs, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Compare the gaps of functional and of emotional items within the respondent.

    Parameters
    ----------
    pairs : Pairs
        From `pair_ratings`; `kind` of the items tells functional from emotional.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        Three rows: `name` (functional, emotional, difference: emotional - functional), `n_items`,
        `n` (respondents who rated items of both kinds), `expectation`, `perception`, `gap`,
        `std_error`, `conf_low`, `conf_high`, `p_value` (the last five of the gap).

    Raises
    ------
    TooLittleData
        When the items are not of both kinds, or fewer than two respondents rated both.

    Notes
    -----
    Each respondent's mean over the items rated of a kind; the difference is paired. The interval
    is about respondents: it holds for these items, not for all one might have asked.
    """
    kind = pairs.items["kind"].to_numpy(dtype=object)
    found = [np.flatnonzero(kind == name) for name in KINDS]
    if not all(len(columns) for columns in found):
        known = ", ".join(sorted({str(k) for k in kind if k is not None})) or "none"
        raise TooLittleData(
            f"Items of both kinds, functional and emotional, are needed; kinds given: {known}."
        )
    means = {}
    for side in ("gap", "expectation", "perception"):
        values = getattr(pairs, side)
        columns = []
        for chosen in found:
            part = values[:, chosen]
            count = (~np.isnan(part)).sum(axis=1)
            total = np.nansum(part, axis=1)
            empty = np.full(len(part), np.nan)
            columns.append(np.divide(total, count, out=empty, where=count > 0))
        both = np.isnan(columns).any(axis=0)
        first, second = (np.where(both, np.nan, column) for column in columns)
        means[side] = estimate_means(
            np.column_stack([first, second, second - first]),
            weights=pairs.respondents["weight"].to_numpy(dtype=float),
            clusters=respondent_clusters(pairs.respondents),
            conf_level=conf_level,
        )
    gap = means["gap"]
    if gap["n"].max() < 2:
        raise TooLittleData("Fewer than two respondents rated items of both kinds.")
    sizes = [len(columns) for columns in found]
    table = pd.DataFrame({"name": [*KINDS, "difference"], "n_items": [*sizes, sum(sizes)]})
    table["n"] = gap["n"]
    table["expectation"], table["perception"] = (
        means[side]["mean"] for side in ("expectation", "perception")
    )
    ends = ["std_error", "conf_low", "conf_high", "p_value"]
    return table.assign(gap=gap["mean"], **{name: gap[name] for name in ends})
