"""Do two groups or two periods walk differently? Differences with intervals, corrected."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.errors import InputError, TooLittleData, closest
from cxlib.frames import to_frame
from cxlib.journeys.steps import JOURNEY, OPEN, UNKNOWN
from cxlib.journeys.transitions import list_moves
from cxlib.stats import adjust_p_values, clustered_share_size, wilson_interval

if TYPE_CHECKING:
    import ibis.expr.types as ir

OTHERS = "(others)"
_PAIR = ["from_touchpoint", "to_touchpoint"]


def add_groups(
    steps: ir.Table,
    *,
    by: str = "",
    date: datetime.date | str = "",
    customers: ir.Table | None = None,
) -> ir.Table:
    """Give every journey a group, by an attribute or by a date.

    Parameters
    ----------
    steps : ibis Table, one row per event
        From :func:`cxlib.journeys.add_journeys`.
    by : str, default ""
        A column of `customers` or of `steps`; of a column that changes within a journey the value
        at its first step counts.
    date : datetime.date or str, default ""
        Instead of `by`: journeys that began before this day are one group, the others another.
    customers : ibis Table, optional
        One row per `customer_id` with attributes.

    Returns
    -------
    ibis Table, one row per event
        With the text column `group`.

    Raises
    ------
    InputError
        When not exactly one of `by` and `date` is given, `by` is no column or `date` no date.
    """
    from ibis import _

    if bool(by) == bool(date):
        raise InputError(
            "A comparison needs an attribute or a date, not both.",
            "parameters 'compare_by' and 'compare_date'",
            "set one of the two",
        )
    first = steps.filter(_.is_start)
    if date:
        day = _read_day(date)
        began_before = first.timestamp < pd.Timestamp(day)
        labels = first.select(*JOURNEY, group=began_before.ifelse(f"before {day}", f"from {day}"))
    elif by in first.columns:
        labels = first.select(*JOURNEY, group=first[by].cast("string"))
    elif customers is not None and by in customers.columns:
        own = customers.select("customer_id", group=customers[by].cast("string"))
        labels = first.select(*JOURNEY).left_join(own, "customer_id").select(*JOURNEY, "group")
    else:
        known = [*(customers.columns if customers is not None else ()), *steps.columns]
        raise InputError(f"There is no '{by}'.", "parameter 'compare_by'", closest(by, known))
    labels = labels.mutate(group=_.group.nullif("").fill_null(UNKNOWN))
    rest = [name for name in steps.columns if name != "group"]
    return steps.select(*rest).join(labels, list(JOURNEY)).select(*rest, "group").cache()


def _read_day(date: datetime.date | str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(str(date)[:10])
    except ValueError as error:
        raise InputError(
            f"'{date}' is no date.", "parameter 'compare_date'", "write it as 2025-03-31"
        ) from error


def compare_transitions(
    steps: ir.Table, *, min_cell: int = 10, conf_level: float = 0.95
) -> pd.DataFrame:
    """Compare how often one touchpoint follows another between groups of journeys.

    Parameters
    ----------
    steps : ibis Table, one row per event
        From :func:`add_groups`.
    min_cell : int, default 10
        A pair is tested when it is expected at least this often in both groups; a group takes part
        when it has this many customers.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per pair tested (and per group, when there are more than two)
        `from_touchpoint`, `to_touchpoint`, `group_a`, `group_b`, `n_a`, `n_b` (times the pair
        occurs), `share_a`, `share_b` (of all that leaves `from_touchpoint`), `difference`
        (b minus a), `conf_low`, `conf_high`, `p_value`, `q_value`; the surest first. Two groups
        are compared in order of their names; of more, each as `group_b` with all others as a.

    Raises
    ------
    InputError
        When there is no column `group`.
    TooLittleData
        When fewer than two groups are large enough.

    Notes
    -----
    The last step of an open journey is left out: what follows it is not known yet, and late
    periods have more of them. Customers are the clusters, also across groups: a customer may have
    journeys in both periods.

    p-values come from the z test at the share of both groups together and their effective sizes;
    q-values correct for all pairs tested (Benjamini-Hochberg). The interval is
    Newcombe's, from the two Wilson intervals at effective sizes and the correlation of the shares.

    References
    ----------
    .. [1] R. G. Newcombe (1998). Improved confidence intervals for the difference between binomial
           proportions based on paired data. Statistics in Medicine 17, 2635-2650.
    .. [2] W. G. Cochran (1977). Sampling Techniques, 3rd ed., section 3.12.
    """
    from ibis import _

    if "group" not in steps.columns:
        raise InputError("There are no groups.", "column 'group'", "call add_groups first")
    sizes = steps.group_by("group").agg(n=_.customer_id.nunique()).to_pandas()
    names = sorted(sizes.loc[sizes["n"] >= min_cell, "group"])
    if len(names) < 2:
        raise TooLittleData(f"Fewer than two groups have {min_cell} customers.")
    moves = list_moves(steps).filter((_.to_touchpoint != OPEN) & _.group.isin(names))
    counts = moves.group_by("customer_id", *_PAIR, "group").agg(n=_.count()).cache()
    two = [(names[0], names[1])]
    contrasts = two if len(names) == 2 else [(OTHERS, name) for name in names]
    tables = [_contrast(counts, a, b, min_cell, conf_level) for a, b in contrasts]
    table = pd.concat([part for part in tables if len(part)] or tables[:1], ignore_index=True)
    table["q_value"] = adjust_p_values(table["p_value"])
    return table.sort_values(["q_value", "p_value", *_PAIR, "group_b"], ignore_index=True)


def _contrast(counts: ir.Table, a: str, b: str, min_cell: int, conf_level: float) -> pd.DataFrame:
    sums = _sum_contrast(counts, b)
    pooled = (sums["xa"] + sums["xb"]) / (sums["ya"] + sums["yb"])
    keep = (pooled * sums[["ya", "yb"]].min(axis=1) >= min_cell) & (pooled < 1)
    sums, pooled = sums[keep].reset_index(drop=True), pooled[keep].reset_index(drop=True)
    share_a, share_b = sums["xa"] / sums["ya"], sums["xb"] / sums["yb"]
    size_a, size_b = _size(sums, share_a, "a"), _size(sums, share_b, "b")
    r = _correlation(sums, share_a, share_b, size_a, size_b)
    spread = 1 / size_a + 1 / size_b - 2 * r / np.sqrt(size_a * size_b)
    error = np.sqrt(pooled * (1 - pooled) * np.maximum(spread, 0))
    difference = share_b - share_a
    certain = np.where(difference == 0, 0.0, np.inf)  # where customers leave no error
    z = np.divide(np.abs(difference), error, out=certain, where=error > 0)
    low_a, high_a = wilson_interval(share_a, size_a, conf_level=conf_level)
    low_b, high_b = wilson_interval(share_b, size_b, conf_level=conf_level)
    return pd.DataFrame(
        {
            **{name: sums[name] for name in _PAIR},
            "group_a": a,
            "group_b": b,
            "n_a": sums["xa"],
            "n_b": sums["xb"],
            "share_a": share_a,
            "share_b": share_b,
            "difference": difference,
            "conf_low": difference - _distance(share_b - low_b, high_a - share_a, r),
            "conf_high": difference + _distance(share_a - low_a, high_b - share_b, r),
            "p_value": 2 * stats.norm.sf(z),
        }
    )


def _sum_contrast(counts: ir.Table, b: str) -> pd.DataFrame:
    """Sum x (times the pair), y (times `from` is left) and their products over customers."""
    import ibis
    from ibis import _

    is_b = _.group == b
    sums = {"xa": is_b.ifelse(0, _.n).sum(), "xb": is_b.ifelse(_.n, 0).sum()}
    customers = counts.group_by("customer_id", *_PAIR).agg(**sums)
    leaving = ibis.window(group_by=["customer_id", "from_touchpoint"])
    customers = customers.mutate(ya=_.xa.sum().over(leaving), yb=_.xb.sum().over(leaving))
    products = ("xa xa", "xb xb", "xa ya", "xb yb", "xa xb", "xa yb", "ya xb")
    pairs = customers.group_by(*_PAIR).agg(xa=_.xa.sum(), xb=_.xb.sum(), **_sum_products(products))
    wholes = customers.group_by("customer_id", "from_touchpoint").agg(ya=_.xa.sum(), yb=_.xb.sum())
    wholes = wholes.group_by("from_touchpoint").agg(
        total_a=_.ya.sum(), total_b=_.yb.sum(), **_sum_products(("ya ya", "yb yb", "ya yb"))
    )
    wholes = wholes.rename(ya="total_a", yb="total_b")
    frame = to_frame(pairs, sort_by=_PAIR).merge(wholes.to_pandas(), on="from_touchpoint")
    return frame[(frame["ya"] > 0) & (frame["yb"] > 0)].reset_index(drop=True)


def _sum_products(pairs: tuple[str, ...]) -> dict[str, Any]:
    from ibis import _

    return {
        pair.replace(" ", "_"): (_[pair.split()[0]] * _[pair.split()[1]]).sum() for pair in pairs
    }


def _size(sums: pd.DataFrame, share: pd.Series, group: str) -> Any:
    xx, xy, yy = (sums[f"{u}{group}_{v}{group}"] for u, v in ("xx", "xy", "yy"))
    return clustered_share_size(share, sums[f"y{group}"], xx, xy, yy)


def _correlation(
    sums: pd.DataFrame, share_a: pd.Series, share_b: pd.Series, size_a: Any, size_b: Any
) -> Any:
    """Correlate the shares of two groups that some customers belong to both of."""
    cross = sums["xa_xb"] - share_b * sums["xa_yb"] - share_a * sums["ya_xb"]
    covariance = (cross + share_a * share_b * sums["ya_yb"]) / (sums["ya"] * sums["yb"])
    variances = share_a * (1 - share_a) / size_a * share_b * (1 - share_b) / size_b
    none = np.zeros(len(sums))
    return np.clip(np.divide(covariance, np.sqrt(variances), out=none, where=variances > 0), -1, 1)


def _distance(down: Any, up: Any, r: Any) -> Any:
    return np.sqrt(np.maximum(down**2 - 2 * r * down * up + up**2, 0))
