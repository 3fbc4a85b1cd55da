"""Causes that compete, counted: who is at risk on which day, who leaves for what, what varies."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.churn.curves.checks import check_counted, label_counted, read_sizes
from cxlib.churn.curves.counts import find_blind_day
from cxlib.errors import InputError, TooLittleData
from cxlib.schema import check_table
from cxlib.stats import Floats

Integers = NDArray[np.intp]
ROUNDING = 1e-9  # what sums may differ by


@dataclass(frozen=True)
class Cells:
    """Lifetimes of one group, each cell any number of equal ones.

    Parameters
    ----------
    entry, duration : ndarray of float, shape (m,)
        At risk on ``entry < t <= duration``; an entry of -1 counts day 0 as well.
    cause : ndarray of int, shape (m,)
        Number of the cause, from 0; -1 where the customer is not known to have left.
    n : ndarray of float, shape (m,)
        Lifetimes of the cell.
    value : ndarray of float, shape (m,)
        What each of them counts; 1 for a share of customers.
    names : list of str
        The causes.
    """

    entry: Floats
    duration: Floats
    cause: Integers
    n: Floats
    value: Floats
    names: list[str]

    def keep(self, rows: NDArray[np.bool_]) -> Cells:
        """Keep some of the cells.

        Parameters
        ----------
        rows : ndarray of bool, shape (m,)
            Which.

        Returns
        -------
        Cells
            Those.
        """
        columns = ("entry", "duration", "cause", "n", "value")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})


@dataclass(frozen=True)
class Curves:
    """What happens on each distinct day, and the shares that follow from it.

    Parameters
    ----------
    times : ndarray of float, shape (k,)
        Day 0 and every distinct duration.
    first, place : ndarray of int, shape (m,)
        A cell is at risk at the days numbered ``first <= i <= place``.
    at_risk : ndarray of float, shape (k,)
        Value at risk.
    ended : ndarray of float, shape (causes, k)
        Value that ended, by cause.
    before, survival : ndarray of float, shape (k,)
        Share still there before and after the day.
    incidence : ndarray of float, shape (causes, k)
        Share that has left for each cause.
    """

    times: Floats
    first: Integers
    place: Integers
    at_risk: Floats
    ended: Floats
    before: Floats
    survival: Floats
    incidence: Floats


def split_cells(lifetimes: pd.DataFrame, *, by: str = "") -> dict[str, Cells]:
    """Split lifetimes with causes into all of them and, when asked, each group.

    Parameters
    ----------
    lifetimes : pandas.DataFrame
        Lifetimes or counts of them with `cause`, as `name_causes` returns them, and `by`.
    by : str, default ""
        Column of groups; ``""`` for none. Lifetimes without a group count in ``all`` only.

    Returns
    -------
    dict of str to Cells
        ``all`` first, then the groups in the order of their values.

    Raises
    ------
    InputError
        When a column is missing, an end has no cause or the table cannot be used, see
        `check_lifetimes`.
    TooLittleData
        When nobody churned, there is one group only, or nobody of a group is under observation
        between two days, so that no curve can be drawn.
    """
    table = check_table(check_counted(lifetimes), ("cause",), table="lifetimes")
    cause = table["cause"].astype("category").where(table["churned"]).cat.remove_unused_categories()
    nameless = table["churned"] & cause.isna()
    if nameless.any():
        raise InputError(
            f"{int(nameless.sum()):,} lifetimes ended without a cause.",
            "table 'lifetimes', column 'cause'",
            "name the causes with `name_causes`",
        )
    entry = table["entry_days"].to_numpy(float)
    cells = Cells(
        entry=np.where(entry > 0, entry, -1.0),
        duration=table["duration_days"].to_numpy(float),
        cause=cause.cat.codes.to_numpy(np.intp),
        n=read_sizes(table).astype(float),
        value=np.ones(len(table)),
        names=[str(name) for name in cause.cat.categories],
    )
    rows = {"all": np.ones(len(table), dtype=bool)}
    if by:
        labels = label_counted(table, by=by)
        groups = labels.cat.remove_unused_categories().cat.categories
        rows |= {str(group): (labels == group).to_numpy() for group in groups}
        if len(rows) < 3:
            raise TooLittleData(f"'{by}' has fewer than two groups: there is nothing to compare.")
    for group, own in rows.items():
        if (day := find_blind_day(table[own])) is not None:
            raise TooLittleData(
                f"Group '{group}': nobody is under observation after day {day:g}, although others "
                "enter later. A curve from the first day cannot be drawn."
            )
    return {group: cells.keep(own) for group, own in rows.items()}


def follow_causes(cells: Cells, *, times: Floats | None = None) -> Curves:
    """Count who is at risk and who leaves for what on each day, and add it up.

    Parameters
    ----------
    cells : Cells
        At least one.
    times : ndarray of float, shape (k,), optional
        Days, rising, every duration among them; by default day 0 and the durations.

    Returns
    -------
    Curves
        Aalen-Johansen's estimate of every cause; the shares and the survival add to 1.
    """
    times = np.union1d([0.0], cells.duration) if times is None else times
    place = np.searchsorted(times, cells.duration)
    first = np.searchsorted(times, cells.entry, side="right")
    weight, size = cells.n * cells.value, len(times)
    change = np.bincount(place, weight, size) - np.bincount(first, weight, size + 1)[1:]
    # summed from the last day back: late risk sets are small and keep their digits
    at_risk = np.cumsum(change[::-1])[::-1]
    ended = np.zeros((len(cells.names), size))
    left = cells.cause >= 0
    np.add.at(ended, (cells.cause[left], place[left]), weight[left])
    hazard = np.divide(ended, at_risk, out=np.zeros_like(ended), where=ended > 0)
    stayed = 1 - hazard.sum(axis=0)
    survival = np.cumprod(np.where(stayed < ROUNDING, 0.0, stayed), dtype=float)
    before = np.append(1.0, survival[:-1])
    incidence = np.cumsum(before * hazard, axis=1)
    return Curves(times, first, place, at_risk, ended, before, survival, incidence)


@dataclass(frozen=True)
class _Sums:
    """Sums over the days so far that make up the influence of a lifetime, see `fit_incidence`."""

    loss: Floats  # of 1 / (Y - e), on the day alone
    p: Floats
    q: Floats
    v: Floats


def _sum_days(curves: Curves, k: int) -> _Sums:
    """Add up the days, from a 0 on; nothing varies after all at risk have left."""
    y, e = curves.at_risk, curves.ended.sum(axis=0)
    loss = _invert(np.where(y - e > ROUNDING * y, y - e, 0.0))
    q = e * _invert(y) * loss
    steps = (curves.before * curves.ended[k] * _invert(y) ** 2, q, curves.incidence[k] * q)
    return _Sums(loss, *(np.append(0.0, np.cumsum(step)) for step in steps))


def _invert(values: Floats) -> Floats:
    """1 / values, and 0 where nobody is left."""
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)


def _own_parts(cells: Cells, curves: Curves, k: int, sums: _Sums) -> tuple[Floats, Floats]:
    """Find what a lifetime that is over adds to the share F(t): a + F(t) b."""
    place, first = curves.place, curves.first
    share = curves.before * _invert(curves.at_risk)
    loss = (cells.cause >= 0) * sums.loss[place]
    own = (cells.cause == k) * share[place] + curves.incidence[k][place] * loss
    a = own - (sums.p[place + 1] - sums.p[first]) - (sums.v[place + 1] - sums.v[first])
    return a, sums.q[place + 1] - sums.q[first] - loss


def find_variance(cells: Cells, curves: Curves, k: int) -> Floats:
    """Find the variance of a cumulative incidence on every day.

    Parameters
    ----------
    cells : Cells
        Lifetimes.
    curves : Curves
        From `follow_causes`.
    k : int
        Number of the cause.

    Returns
    -------
    ndarray of float, one a day
        Sum of the squared influences of the lifetimes (infinitesimal jackknife).
    """
    sums, rising, size = _sum_days(curves, k), curves.incidence[k], len(curves.times)
    a, b = _own_parts(cells, curves, k, sums)
    square = cells.n * cells.value**2

    def carry(values: Floats, numbers: Integers) -> Floats:
        """Add up the squares of the cells whose number lies at or before each day."""
        return np.cumsum(np.bincount(numbers, square * values, size + 1)[:size])

    place, first = curves.place, curves.first
    over = carry(a * a, place) + 2 * rising * carry(a * b, place) + rising**2 * carry(b * b, place)
    # lifetimes that last: g(t) + h - F(t) q, with h and q 0 for those seen from the start
    g = -sums.p[1:] + rising * sums.q[1:] - sums.v[1:]
    h, q = (sums.p + sums.v)[first], sums.q[first]
    there = [
        carry(values, first) - carry(values, place)
        for values in (np.ones_like(h), h, q, h * h, h * q, q * q)
    ]
    lasting = g * g * there[0] + 2 * g * (there[1] - rising * there[2])
    lasting += there[3] - 2 * rising * there[4] + rising**2 * there[5]
    return np.maximum(over + lasting, 0)


def find_influence(cells: Cells, curves: Curves, k: int, time: float) -> Floats:
    """Find what each lifetime adds to a cumulative incidence on one day.

    Parameters
    ----------
    cells : Cells
        Lifetimes.
    curves : Curves
        From `follow_causes`.
    k : int
        Number of the cause.
    time : float
        Day since the start.

    Returns
    -------
    ndarray of float, shape (m,)
        Influence of a lifetime of each cell, per unit of its value.
    """
    i = int(np.searchsorted(curves.times, time, side="right")) - 1
    sums, now = _sum_days(curves, k), curves.incidence[k, i]
    a, b = _own_parts(cells, curves, k, sums)
    first = curves.first
    lasting = -(sums.p[i + 1] - sums.p[first]) - (sums.v[i + 1] - sums.v[first])
    lasting = np.where(first <= i, lasting + now * (sums.q[i + 1] - sums.q[first]), 0.0)
    return np.where(curves.place <= i, a + now * b, lasting)
