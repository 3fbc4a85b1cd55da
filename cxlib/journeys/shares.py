"""Shares of counts that come in clusters: a customer's journeys and steps resemble each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.frames import to_frame
from cxlib.journeys.chunks import split_customers
from cxlib.stats import clustered_share_interval

if TYPE_CHECKING:
    import ibis.expr.types as ir

_WIDE, _BELOW = 1 << 20, 8  # codes of wholes lie between -8 and a million


def count_shares(
    counts: ir.Table,
    *,
    of: str,
    within: str = "",
    cuts: Sequence[int] = (0,),
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Turn counts by customer into shares with intervals clustered by customer.

    Parameters
    ----------
    counts : ibis Table, one row per customer and kind
        `customer`, the column `of`, the column `within` if named, and `n`, a whole number.
    of : str
        Column of the kinds.
    within : str, default ""
        Column of the wholes that the shares are parts of; empty: one whole.
    cuts : sequence of int, default (0,)
        First customer of every part of a large log, which are summed one after the other.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per kind (within its whole), sorted
        The named columns, `n`, `n_customers`, `share`, `conf_low`, `conf_high`.

    Notes
    -----
    Wilson intervals at the effective size of a ratio over clusters. The engine sums whole numbers;
    what is left to floating point happens here.

    References
    ----------
    .. [1] W. G. Cochran (1977). Sampling Techniques, 3rd ed., section 3.12.
    """
    whole = [within] if within else []
    parts = [_sum_squares(part, of, whole) for part in split_customers(counts, cuts)]
    frame = pd.concat(parts).groupby([*whole, of], as_index=False).sum()
    # the kinds of a whole add up to it, customer by customer
    sums = frame.groupby(within)[["n", "xy"]].transform("sum") if within else frame.sum()
    share = frame["n"] / sums["n"]
    squares = (frame["xx"], frame["xy"], sums["xy"])
    low, high = clustered_share_interval(share, sums["n"], *squares, conf_level=conf_level)
    frame = frame.assign(share=share, conf_low=low, conf_high=high)
    return frame[[*whole, of, "n", "n_customers", "share", "conf_low", "conf_high"]]


def _sum_squares(counts: ir.Table, of: str, whole: list[str]) -> pd.DataFrame:
    """Sum the counts x of a kind, their squares and their products with those y of the whole."""
    from ibis import _

    codes = bool(whole) and counts[whole[0]].type().is_integer()
    # one number is counted and joined faster than two
    packed = _.customer.cast("int64") * _WIDE + _[whole[0]] + _BELOW if codes else _.customer
    by = [] if codes else whole
    counts = counts.select(*by, of, "n", cluster=packed).cache()
    totals = counts.group_by("cluster", *by).agg(y=_.n.sum().cast("int64"))
    both = counts.join(totals, ["cluster", *by])
    if codes:
        both = both.mutate(**{whole[0]: _.cluster % _WIDE - _BELOW})
    sums = both.aggregate(
        by=[*whole, of],
        n=_.n.sum(),
        n_customers=_.count(),
        xx=(_.n * _.n).sum(),
        xy=(_.n * _.y).sum(),
    )
    return to_frame(sums, sort_by=[*whole, of])
