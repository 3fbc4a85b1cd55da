"""Shares of counts that come in clusters: a customer's journeys and steps resemble each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cxlib.frames import to_frame
from cxlib.stats import clustered_share_size, wilson_interval

if TYPE_CHECKING:
    import ibis.expr.types as ir


def count_shares(
    counts: ir.Table, *, of: str, within: str = "", conf_level: float = 0.95
) -> pd.DataFrame:
    """Turn counts by customer into shares with intervals clustered by customer.

    Parameters
    ----------
    counts : ibis Table, one row per customer and kind
        `customer_id`, the column `of`, the column `within` if named, and `n`, a whole number.
    of : str
        Column of the kinds.
    within : str, default ""
        Column of the wholes that the shares are parts of; empty: one whole.
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
    import ibis
    from ibis import _

    whole = [within] if within else []
    by_customer = ibis.window(group_by=["customer_id", *whole])
    counts = counts.mutate(y=_.n.sum().over(by_customer))
    parts = counts.group_by(*whole, of).agg(
        n=_.n.sum(),
        n_customers=_.count(),
        xx=(_.n * _.n).sum(),
        xy=(_.n * _.y).sum(),
    )
    frame = to_frame(parts, sort_by=[*whole, of])
    totals = counts.group_by("customer_id", *whole).agg(y=_.n.sum())
    sums = totals.aggregate(by=whole, total=_.y.sum(), yy=(_.y * _.y).sum()).to_pandas()
    frame = frame.merge(sums, on=within) if within else frame.merge(sums, how="cross")
    share = frame["n"] / frame["total"]
    size = clustered_share_size(share, frame["total"], frame["xx"], frame["xy"], frame["yy"])
    low, high = wilson_interval(share, size, conf_level=conf_level)
    frame = frame.assign(share=share, conf_low=low, conf_high=high)
    return frame[[*whole, of, "n", "n_customers", "share", "conf_low", "conf_high"]]
