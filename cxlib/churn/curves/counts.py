"""Lifetimes counted by what they have in common: all that curves, means and tests need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.churn.curves.checks import (
    DAYS,
    check_counted,
    is_counted,
    label_counted,
    read_sizes,
)
from cxlib.errors import InputError, TooLittleData, closest
from cxlib.frames import to_frame
from cxlib.schema import check_table
from cxlib.stats import Floats

if TYPE_CHECKING:
    import ibis.expr.types as ir

Integers = NDArray[np.intp]
_NO_REASON = "(no reason)"


def count_lifetimes(
    lifetimes: pd.DataFrame | ir.Table,
    *,
    by: str = "",
    strata: str = "",
    causes: str = "",
    weights: str = "",
    clusters: str = "",
) -> pd.DataFrame:
    """Count the lifetimes that are alike, in the engine where the table lies there.

    Parameters
    ----------
    lifetimes : pandas.DataFrame or ibis Table
        One row per lifetime: `customer_id`, `duration_days`, `churned`; `entry_days` for late
        entry. Or counts, with `n` and without `customer_id`.
    by : str, default ""
        Column of groups; ``""`` puts all into one group called ``all``.
    strata : str, default ""
        Column of strata within which groups are compared.
    causes : str, default ""
        Column of end reasons.
    weights : str, default ""
        Column of sampling weights; lifetimes of different weight are counted apart.
    clusters : str, default ""
        Column whose equal values belong together, such as `customer_id`.

    Returns
    -------
    pandas.DataFrame
        One row per distinct combination, sorted: `group` (ordered categories, missing where there
        is none), `entry_days`, `duration_days`, `churned`, and `n`, the lifetimes it stands for.
        When asked for, also `stratum`, `cause` (text; empty where censored, ``(no reason)`` where
        none is given), `weight` and `cluster` (whole numbers). Counts that are given are not
        added up again.

    Raises
    ------
    InputError
        When a column is missing or the values of one cannot be, see `check_lifetimes`.
    TooLittleData
        When nobody churned.

    Notes
    -----
    Every function of the study that takes lifetimes and needs no attributes takes these counts as
    well, with ``by="group"``, ``strata="stratum"``, ``weights="weight"``: as many rows as there
    are distinct days of entry and of end, whatever the number of customers. Counts of parts of a
    company are put together with `pandas.concat`. The engine adds up whole numbers only, so every
    engine gives the same table.

    Examples
    --------
    >>> lifetimes = pd.DataFrame(
    ...     {"customer_id": list("abcd"), "duration_days": [2, 2, 2, 5], "churned": [1, 1, 0, 0]}
    ... )
    >>> count_lifetimes(lifetimes)[["duration_days", "churned", "n"]]
       duration_days  churned  n
    0            2.0    False  1
    1            2.0     True  2
    2            5.0    False  1
    """
    counts = lay_out_counts(
        lifetimes, by=by, strata=strata, causes=causes, weights=weights, clusters=clusters
    )
    if isinstance(lifetimes, pd.DataFrame) and is_counted(lifetimes):
        return counts
    keys = counts.columns.drop("n").tolist()
    return counts.groupby(keys, observed=True, dropna=False, as_index=False)["n"].sum()


def lay_out_counts(
    lifetimes: pd.DataFrame | ir.Table,
    *,
    by: str = "",
    strata: str = "",
    causes: str = "",
    weights: str = "",
    clusters: str = "",
) -> pd.DataFrame:
    """Lay lifetimes out in the columns of counts without adding up what is alike.

    Parameters
    ----------
    lifetimes : pandas.DataFrame or ibis Table
        Lifetimes or counts of them; checked here.
    by, strata, causes, weights, clusters : str, default ""
        Columns as in `count_lifetimes`.

    Returns
    -------
    pandas.DataFrame
        As `count_lifetimes` returns it, but for rows that are alike and for their order: as good
        for sums, and quicker.
    """
    named = [name for name in dict.fromkeys((by, strata, causes, weights, clusters)) if name]
    for name in named:
        if name not in lifetimes.columns:
            raise InputError(
                f"There is no column '{name}'{' to group by' if name == by else ''}.",
                "table 'lifetimes'",
                closest(name, lifetimes.columns),
            )
    in_frame = isinstance(lifetimes, pd.DataFrame)
    table = check_counted(lifetimes if in_frame else _count_in_engine(lifetimes, named))
    columns = {"group": label_counted(table, by=by)}
    if strata:
        columns["stratum"] = label_counted(table, by=strata)
    if clusters:
        owner = table["cluster" if clusters not in table.columns else clusters]
        columns["cluster"] = pd.Series(pd.factorize(owner, sort=True)[0], table.index)
    columns |= {name: table[name] for name in (*DAYS, "churned")}
    if causes:
        columns["cause"] = _read_causes(table, causes)
    if weights:
        columns["weight"] = _read_weights(table, weights)
    return pd.DataFrame(columns).assign(n=read_sizes(table)).reset_index(drop=True)


def _read_causes(table: pd.DataFrame, causes: str) -> pd.Series:
    text = table[causes].astype(object).where(table[causes].notna(), "").astype(str)
    return text.where(text != "", _NO_REASON).where(table["churned"], "")


def _read_weights(table: pd.DataFrame, weights: str) -> pd.Series:
    values = pd.to_numeric(table[weights], errors="coerce").astype(float)
    bad = ~((values > 0) & np.isfinite(values))
    if bad.any():
        raise InputError(
            f"{int(read_sizes(table)[bad].sum()):,} lifetimes have no weight above 0.",
            f"table 'lifetimes', column '{weights}', values {table.loc[bad, weights].tolist()[:3]}",
            "leave these lifetimes out or weigh them",
        )
    return values


def _count_in_engine(lifetimes: ir.Table, named: Sequence[str]) -> pd.DataFrame:
    """Count in the engine; values are read and labelled on the small table."""
    # a row of blanks stands for the rows, which are not counted for a mere check of columns
    blank = pd.DataFrame(columns=lifetimes.columns, index=[0])
    check_table(blank, ("duration_days", "churned"), table="lifetimes")
    known = [name for name in (*DAYS, "churned") if name in lifetimes.columns]
    keys = list(dict.fromkeys([*known, *named]))
    grouped = lifetimes.select(*keys).group_by(*keys)
    # the order does not matter: the frame is added up once more when it is labelled
    frame = to_frame(grouped.aggregate(n=lambda t: t.count()), sort_by=["duration_days"])
    return frame.rename(columns={"customer_id": "cluster"})  # no lifetime of one customer


def split_groups(
    lifetimes: pd.DataFrame, *, by: str, strata: str = "", weights: str = "", clusters: str = ""
) -> dict[str, pd.DataFrame]:
    """Count lifetimes for all of them and, when asked, for each group.

    Parameters
    ----------
    lifetimes : pandas.DataFrame
        Lifetimes or counts of them; checked here.
    by : str
        Column of groups; ``""`` for none. Lifetimes without a group count in ``all`` only.
    strata, weights, clusters : str, default ""
        Columns as in `count_lifetimes`.

    Returns
    -------
    dict of str to pandas.DataFrame
        Counts of ``all`` first, then of the groups in the order of their values.

    Raises
    ------
    TooLittleData
        When there is one group only, or observation has a hole in it, so that no curve can be
        drawn from day 0.
    """
    counts = lay_out_counts(lifetimes, by=by, strata=strata, weights=weights, clusters=clusters)
    parts = {"all": counts}
    if by:
        parts |= {str(name): part for name, part in counts.groupby("group", observed=True)}
        if len(parts) < 3:
            raise TooLittleData(f"'{by}' has fewer than two groups: there is nothing to compare.")
    for name, part in parts.items():
        if (day := find_blind_day(part)) is not None:
            raise TooLittleData(
                f"Group '{name}': nobody is under observation after day {day:g}, although others "
                "enter later. A curve from the first day cannot be drawn."
            )
    return parts


def count_at_risk(lifetimes: pd.DataFrame, times: Floats) -> Floats:
    """Count the lifetimes under observation on each day.

    Parameters
    ----------
    lifetimes : pandas.DataFrame
        Lifetimes or counts of them, checked.
    times : ndarray of float, shape (k,)
        Days since the start, ascending.

    Returns
    -------
    ndarray of float, shape (k,)
        Lifetimes with ``entry_days < t <= duration_days``, day 0 included for an entry of 0.
    """
    sizes, end = read_sizes(lifetimes), len(times) + 1
    first = _number_entries(lifetimes, times)
    last = np.searchsorted(times, lifetimes["duration_days"].to_numpy(float), side="right")
    change = np.bincount(first, sizes, end) - np.bincount(last, sizes, end)
    return np.asarray(np.cumsum(change)[:-1], dtype=float)


def _number_entries(
    lifetimes: pd.DataFrame, times: Floats, side: Literal["left", "right"] = "right"
) -> Integers:
    """Find the place of the first of `times` after each entry, or with "left" from it on."""
    # looked up once a distinct day: there are few, whatever the number of rows
    codes, days = pd.factorize(lifetimes["entry_days"].to_numpy(float))
    place = np.searchsorted(times, days, side=side)
    return np.where(days > 0, place, 0)[codes]


def count_risk_sets(lifetimes: pd.DataFrame) -> pd.DataFrame:
    """Count, for every day on which something ended, who was at risk, left, or was last seen.

    Curves, restricted means and tests need no more than these counts.

    Parameters
    ----------
    lifetimes : pandas.DataFrame
        Lifetimes or counts of them, checked.

    Returns
    -------
    pandas.DataFrame
        One row per distinct `duration_days` and day 0: `time_days`, `n_at_risk`, `n_churned`,
        `n_censored`. Who churns on a day comes before who is censored on it.
    """
    sets = weigh_risk_sets(lifetimes, read_sizes(lifetimes))
    return sets.astype(dict.fromkeys(sets.columns[1:], "int64"))


def weigh_risk_sets(lifetimes: pd.DataFrame, sizes: Floats) -> pd.DataFrame:
    """Add up sizes, for every day on which something ended, over who was at risk, left or ended.

    Parameters
    ----------
    lifetimes : pandas.DataFrame
        Lifetimes or counts of them, checked.
    sizes : ndarray of float, shape (rows,)
        Size of each row: its lifetimes, or their weights.

    Returns
    -------
    pandas.DataFrame
        As `count_risk_sets` returns it, with sums in place of counts.
    """
    days = np.append(0.0, lifetimes["duration_days"].to_numpy(float))
    codes, times = pd.factorize(days, sort=True)
    last, k = codes[1:], len(times)
    left = lifetimes["churned"].to_numpy(bool)
    churned, ended = np.bincount(last[left], sizes[left], k), np.bincount(last, sizes, k)
    entered = np.bincount(_number_entries(lifetimes, times), sizes, k)
    # summed from the last day back: late risk sets are small and keep their digits
    change = ended - np.append(entered[1:], 0.0)
    return pd.DataFrame(
        {
            "time_days": times,
            "n_at_risk": np.cumsum(change[::-1])[::-1],
            "n_churned": churned,
            "n_censored": ended - churned,
        }
    )


def find_blind_day(lifetimes: pd.DataFrame) -> float | None:
    """Find the first day after which nobody is under observation although others follow.

    With late entry a risk set can run empty and fill again. The product-limit estimate would stay
    at 0, or pass over the hole as if nobody could leave in it; both are wrong.

    Parameters
    ----------
    lifetimes : pandas.DataFrame
        Lifetimes or counts of them, checked.

    Returns
    -------
    float or None
        Day since the start, None when observation has no hole.
    """
    if not (lifetimes["entry_days"] > 0).any():
        return None
    sets, sizes = count_risk_sets(lifetimes), read_sizes(lifetimes)
    times = sets["time_days"].to_numpy()
    entered = np.cumsum(np.bincount(_number_entries(lifetimes, times, "left"), sizes, len(times)))
    ended = (sets["n_churned"] + sets["n_censored"]).cumsum().to_numpy()
    nobody_stayed = (sets["n_churned"] > 0) & (sets["n_churned"] == sets["n_at_risk"])
    blind = ((entered - ended < 0.5) | nobody_stayed.to_numpy()) & (times < times[-1])
    return float(times[blind][0]) if blind.any() else None
