"""Shares of things that happened or not, by group, with customers as the clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.frames import to_frame
from cxlib.stats import (
    clustered_share_interval,
    clustered_share_size,
    share_correlation,
    share_difference_p_values,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

ALL = "(all)"
_PRODUCTS = ("x x", "x y", "y y", "x tx", "x ty", "y tx", "y ty")
RATE = ["n", "n_customers", "n_hits", "share", "conf_low", "conf_high"]


def measure_rates(units: ir.Table, *, by: str = "", conf_level: float = 0.95) -> pd.DataFrame:
    """Measure in what share of units something happened.

    Parameters
    ----------
    units : ibis Table, one row per unit
        `customer`, `is_hit` (never empty) and the column `by` if named.
    by : str, default ""
        Column of groups; ``""``: all units are one.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per group, sorted
        The column `by`, `n` (units), `n_customers`, `n_hits`, `share`, `conf_low`, `conf_high`
        and, with groups, `p_value` of the difference to all other groups together (NaN where
        neither varies).

    Notes
    -----
    Wilson intervals at the effective size of a ratio over clusters. The test is the
    z test of two shares at the share of both together, their effective sizes and their correlation,
    so customers found in both count once.

    References
    ----------
    .. [1] W. G. Cochran (1977). Sampling Techniques, 3rd ed., section 3.12.
    """
    from ibis import _

    key = [by] if by else []
    counts = units.group_by("customer", *key).agg(y=_.count(), x=_.is_hit.ifelse(1, 0).sum())
    totals = counts.group_by("customer").agg(ty=_.y.sum().cast("int64"), tx=_.x.sum().cast("int64"))
    pairs = counts.join(totals, "customer")
    products = {a + b: (pairs[a] * pairs[b]).sum() for a, b in map(str.split, _PRODUCTS)}
    sums = pairs.aggregate(by=key, n=_.y.sum(), n_customers=_.count(), n_hits=_.x.sum(), **products)
    frame = to_frame(sums, sort_by=key) if key else sums.to_pandas()
    frame = frame[frame["n"] > 0].reset_index(drop=True)
    share = frame["n_hits"] / frame["n"]
    squares = (frame["xx"], frame["xy"], frame["yy"])
    low, high = clustered_share_interval(share, frame["n"], *squares, conf_level=conf_level)
    frame = frame.assign(share=share, conf_low=low, conf_high=high)
    if by:
        whole = totals.agg(
            n=_.ty.sum(), hits=_.tx.sum(), xx=(_.tx * _.tx).sum(), xy=(_.tx * _.ty).sum(),
            yy=(_.ty * _.ty).sum(),
        )  # fmt: skip
        tested = len(frame) and _test_against_rest(frame, whole.to_pandas().iloc[0])
        frame["p_value"] = pd.Series(tested, index=frame.index, dtype=float)
    return frame[[*key, *RATE, *(["p_value"] if by else [])]]


def _test_against_rest(frame: pd.DataFrame, whole: pd.Series) -> np.ndarray:
    """Compare each group with the others; sums of the others are those of all minus its own."""
    sums = frame.select_dtypes("number").astype(float)
    n, n_rest = sums["n"], float(whole["n"]) - sums["n"]
    p = sums["n_hits"] / n
    with np.errstate(divide="ignore", invalid="ignore"):
        q = (float(whole["hits"]) - sums["n_hits"]) / n_rest
        rest_xx = whole["xx"] - 2 * sums["xtx"] + sums["xx"]
        rest_xy = whole["xy"] - sums["xty"] - sums["ytx"] + sums["xy"]
        rest_yy = whole["yy"] - 2 * sums["yty"] + sums["yy"]
        cross = (
            (sums["xtx"] - sums["xx"])
            - q * (sums["xty"] - sums["xy"])
            - p * (sums["ytx"] - sums["xy"])
            + p * q * (sums["yty"] - sums["yy"])
        )
        sizes = (
            clustered_share_size(p, n, sums["xx"], sums["xy"], sums["yy"]),
            clustered_share_size(q, n_rest, rest_xx, rest_xy, rest_yy),
        )
        shares = p, sizes[0], q, sizes[1]
        r = share_correlation(*shares, cross / (n * n_rest))
        pooled = np.full(len(frame), float(whole["hits"]) / float(whole["n"]))
        p_values = share_difference_p_values(*shares, r, pooled=pooled)
    return np.where((n_rest > 0) & (pooled > 0) & (pooled < 1), p_values, np.nan)
