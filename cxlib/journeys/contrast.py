"""Differences of shares between groups of journeys, with customers as the clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlib.errors import InputError, TooLittleData
from cxlib.frames import to_frame
from cxlib.journeys.log import JourneyLog
from cxlib.stats import (
    adjust_p_values,
    clustered_share_size,
    share_correlation,
    share_difference_interval,
    share_difference_p_values,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

OTHERS = "(others)"


def contrast_shares(
    counts: ir.Table,
    log: JourneyLog,
    *,
    of: str,
    within: str,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Compare shares between groups of journeys.

    Parameters
    ----------
    counts : ibis Table, one row per customer, whole, kind and group
        `customer`, the columns `within` and `of`, `group`, and `n`, a whole number.
    log : JourneyLog
        From :func:`cxlib.journeys.add_groups`; tells how large the groups are.
    of : str
        Column of the kinds.
    within : str
        Column of the wholes that the shares are parts of.
    min_cell : int, default 10
        A kind is tested when it is expected at least this often in both groups; a group takes part
        when it has this many customers.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per kind tested (and per group, when there are more than two)
        The columns `within` and `of`, `group_a`, `group_b`, `n_a`, `n_b`, `share_a`, `share_b`,
        `difference` (b minus a), `conf_low`, `conf_high`, `effect_size` (Cohen's h), `p_value`,
        `q_value`, `n_tests`; the surest first. Two groups are compared in order of their names; of
        more, each as `group_b` with all others as a.

    Raises
    ------
    InputError
        When the log has no groups.
    TooLittleData
        When fewer than two groups are large enough.

    Notes
    -----
    Customers are the clusters, also across groups: a customer may have journeys in both periods.

    p-values come from the z test at the share of both groups together and their effective sizes;
    q-values correct for all tests of the table (Benjamini-Hochberg). The interval is Newcombe's,
    from the two Wilson intervals at effective sizes and the correlation of the shares. Cohen's
    h = 2 asin(sqrt(b)) - 2 asin(sqrt(a)); 0.2 is small, 0.5 medium, 0.8 large.

    References
    ----------
    .. [1] R. G. Newcombe (1998). Improved confidence intervals for the difference between binomial
           proportions based on paired data. Statistics in Medicine 17, 2635-2650.
    .. [2] W. G. Cochran (1977). Sampling Techniques, 3rd ed., section 3.12.
    .. [3] J. Cohen (1988). Statistical Power Analysis for the Behavioral Sciences, 2nd ed.
    """
    from ibis import _

    names = list_groups(log, min_cell=min_cell)
    counts = counts.filter(_.group.isin(names)).cache()
    two = [(names[0], names[1])]
    contrasts = two if len(names) == 2 else [(OTHERS, name) for name in names]
    keys = [within, of]
    tables = [_contrast(counts, keys, a, b, min_cell) for a, b in contrasts]
    pairs = pd.concat([part for part in tables if len(part)] or tables[:1], ignore_index=True)
    return judge_pairs(pairs, [*keys, "group_b"], conf_level=conf_level)


def list_groups(log: JourneyLog, *, min_cell: int = 10) -> list[str]:
    """List the groups that are large enough to be compared.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_groups`.
    min_cell : int, default 10
        Customers a group must have.

    Returns
    -------
    list of str
        Two or more names, sorted.

    Raises
    ------
    InputError
        When the log has no groups.
    TooLittleData
        When fewer than two groups are large enough.
    """
    from ibis import _

    sizes = list_grouped(log).group_by("group").agg(n=_.customer.nunique()).to_pandas()
    names = sorted(sizes.loc[sizes["n"] >= min_cell, "group"])
    if len(names) < 2:
        raise TooLittleData(f"Fewer than two groups have {min_cell} customers.")
    return names


def list_grouped(log: JourneyLog) -> ir.Table:
    """List the group of every journey.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_groups`.

    Returns
    -------
    ibis Table, one row per journey
        `customer`, `journey`, `group`.

    Raises
    ------
    InputError
        When the log has no groups.
    """
    if "group" not in log.journeys.columns:
        raise InputError("There are no groups.", "column 'group'", "call add_groups first")
    return log.journeys.select("customer", "journey", "group")


def _contrast(counts: ir.Table, keys: list[str], a: str, b: str, min_cell: int) -> pd.DataFrame:
    sums = _sum_contrast(counts, keys, b)
    pooled = (sums["xa"] + sums["xb"]) / (sums["ya"] + sums["yb"])
    keep = (pooled * sums[["ya", "yb"]].min(axis=1) >= min_cell) & (pooled < 1)
    sums, pooled = sums[keep].reset_index(drop=True), pooled[keep].reset_index(drop=True)
    share_a, share_b = sums["xa"] / sums["ya"], sums["xb"] / sums["yb"]
    cross = sums["xa_xb"] - share_b * sums["xa_yb"] - share_a * sums["ya_xb"]
    cross += share_a * share_b * sums["ya_yb"]
    return sums[keys].assign(
        group_a=a,
        group_b=b,
        n_a=sums["xa"],
        n_b=sums["xb"],
        share_a=share_a,
        share_b=share_b,
        size_a=_size(sums, share_a, "a"),
        size_b=_size(sums, share_b, "b"),
        covariance=cross / (sums["ya"] * sums["yb"]),
        pooled=pooled,
    )


def judge_pairs(pairs: pd.DataFrame, order: list[str], *, conf_level: float) -> pd.DataFrame:
    """Estimate and test differences of shares, as one family.

    Parameters
    ----------
    pairs : pandas.DataFrame, one row per difference
        `share_a`, `share_b`, `size_a`, `size_b` (effective), `covariance` of the shares and their
        `pooled` share, after columns of any kind.
    order : list of str
        Columns that tell rows equally sure apart.
    conf_level : float
        Confidence level.

    Returns
    -------
    pandas.DataFrame, the same rows, the surest first
        The columns before, `share_a`, `share_b`, `difference` and the rest of those that
        :func:`contrast_shares` returns.
    """
    a, b = pairs["share_a"], pairs["share_b"]
    sides = a, pairs["size_a"], b, pairs["size_b"]
    r = share_correlation(*sides, pairs["covariance"])
    low, high = share_difference_interval(*sides, r, conf_level=conf_level)
    p_values = share_difference_p_values(*sides, r, pooled=pairs["pooled"])
    table = pairs.drop(columns=["size_a", "size_b", "covariance", "pooled"]).assign(
        difference=b - a,
        conf_low=low,
        conf_high=high,
        effect_size=2 * (np.arcsin(np.sqrt(b)) - np.arcsin(np.sqrt(a))),
        p_value=p_values,
        q_value=adjust_p_values(p_values),
        n_tests=len(pairs),
    )
    return table.sort_values(["q_value", "p_value", *order], ignore_index=True)


def _sum_contrast(counts: ir.Table, keys: list[str], b: str) -> pd.DataFrame:
    """Sum x (times the kind), y (times the whole) and their products over customers."""
    from ibis import _

    within = keys[0]
    is_b = _.group == b
    sums = {"xa": is_b.ifelse(0, _.n).sum(), "xb": is_b.ifelse(_.n, 0).sum()}
    kinds = counts.group_by("customer", *keys).agg(**sums)
    wholes = counts.group_by("customer", within).agg(ya=sums["xa"], yb=sums["xb"]).cache()
    products = ("xa xa", "xb xb", "xa ya", "xb yb", "xa xb", "xa yb", "ya xb")
    pairs = kinds.join(wholes, ["customer", within]).aggregate(
        by=keys, xa=_.xa.sum(), xb=_.xb.sum(), **_sum_products(products)
    )
    totals = wholes.group_by(within).agg(
        total_a=_.ya.sum(), total_b=_.yb.sum(), **_sum_products(("ya ya", "yb yb", "ya yb"))
    )
    totals = totals.rename(ya="total_a", yb="total_b")
    frame = to_frame(pairs, sort_by=keys).merge(totals.to_pandas(), on=within)
    return frame[(frame["ya"] > 0) & (frame["yb"] > 0)].reset_index(drop=True)


def _sum_products(pairs: tuple[str, ...]) -> dict[str, Any]:
    from ibis import _

    return {
        pair.replace(" ", "_"): (_[pair.split()[0]] * _[pair.split()[1]]).sum() for pair in pairs
    }


def _size(sums: pd.DataFrame, share: pd.Series, group: str) -> Any:
    xx, xy, yy = (sums[f"{u}{group}_{v}{group}"] for u, v in ("xx", "xy", "yy"))
    return clustered_share_size(share, sums[f"y{group}"], xx, xy, yy)
