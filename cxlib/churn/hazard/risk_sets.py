"""Who is at risk on which day: sums over risk sets as cumulated sums by day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from cxlib.stats import Floats

Integers = NDArray[np.integer]


@dataclass(frozen=True)
class Rows:
    """Rows laid out for summing by day.

    Each stratum has a slot for every day with churn and one more for what comes after the last;
    slots of all strata are numbered through, n_days in all.

    Parameters
    ----------
    days : pandas.DataFrame
        One row per slot: `stratum`, `time_days` (the last day observed in the slot after).
    n_strata : int
        Strata.
    first, last : ndarray of int, shape (n,)
        A row is at risk in the slots ``first <= i < last`` of its stratum.
    ends : ndarray of int, shape (d,)
        Rows that churned.
    when : ndarray of int, shape (d,)
        Slot in which each of them left.
    at : ndarray of int, shape (d,)
        The same slots in ascending order.
    share : ndarray of float, shape (d,)
        r / m for the r-th of m tied ends, r = 0 .. m - 1 (0 with Breslow's ties).
    weight : ndarray of float, shape (d,)
        Mean weight of the tied ends, in the order of `at`.
    end_weights : ndarray of float, shape (d,)
        Weights of the rows that churned.
    weights : ndarray of float, shape (n,), or None
        Case weights; None for 1.
    """

    days: pd.DataFrame
    n_strata: int
    first: Integers
    last: Integers
    ends: Integers
    when: Integers
    at: Integers
    share: Floats
    weight: Floats
    end_weights: Floats
    weights: Floats | None
    _pointers: Integers
    _slots: Integers
    _entries: Integers

    @property
    def n_days(self) -> int:
        """Number of slots."""
        return len(self.days)

    def total(self, risk: Floats, values: Floats) -> tuple[Floats, Floats]:
        """Sum values times risk by slot over those at risk in it and over those who leave in it.

        Parameters
        ----------
        risk : ndarray of float, shape (n,)
            Factor of each row.
        values : ndarray of float, shape (n, q)
            What is summed.

        Returns
        -------
        tuple of ndarray, shape (n_days, q)
            Sums over the risk sets, and over the ends.
        """
        factor = np.repeat(risk, np.diff(self._pointers))
        factor[self._entries] *= -1
        shape = (2 * self.n_days, len(risk))
        sums = sparse.csc_array((factor, self._slots, self._pointers), shape=shape) @ values
        change = sums[: self.n_days].reshape(self.n_strata, -1, values.shape[1])
        # summed from the last day back: late risk sets are small and keep their digits
        at_risk = np.zeros_like(change)
        at_risk[:, :-1] = np.cumsum(change[:, :0:-1], axis=1)[:, ::-1]
        return at_risk.reshape(-1, values.shape[1]), sums[self.n_days :]

    def spend(self, by_day: Floats, of_ties: Floats) -> Floats:
        """Sum values of the days over the days each row was at risk.

        Parameters
        ----------
        by_day : ndarray of float, shape (n_days,)
            Values of the days.
        of_ties : ndarray of float, shape (n_days,)
            What a row that leaves does not take of its last day: it is at risk for its tied ends
            in shares only.

        Returns
        -------
        ndarray of float, shape (n,)
            One sum a row.
        """
        so_far = np.append(0.0, np.cumsum(by_day))
        spent = so_far[self.last]
        spent -= so_far[self.first]
        spent[self.ends] -= of_ties[self.when]
        return np.asarray(spent, dtype=float)


@dataclass(frozen=True)
class DaySums:
    """What Cox's likelihood and its derivatives need of each day.

    The m ends of a day have denominators s_r = S - r/m T, r = 0 .. m - 1, and weigh w each.

    Parameters
    ----------
    at_risk, tied : ndarray of float, shape (n_days, p)
        Sums of the covariates times risk over those at risk (for S) and those who leave (for T).
    inverse : ndarray of float, shape (2, n_days)
        Sums of w/s and of w/s r/m.
    squared : ndarray of float, shape (3, n_days)
        Sums of w/s^2, of w/s^2 r/m and of w/s^2 (r/m)^2.
    log_sum : float
        Sum of w log s over all ends.
    """

    at_risk: Floats
    tied: Floats
    inverse: Floats
    squared: Floats
    log_sum: float


def sum_days(rows: Rows, risk: Floats, values: Floats) -> DaySums:
    """Sum risks and covariates by day.

    Parameters
    ----------
    rows : Rows
        The layout.
    risk : ndarray of float, shape (n,)
        Weight times hazard ratio of each row.
    values : ndarray of float, shape (n, 1 + p)
        A column of ones and the covariates.

    Returns
    -------
    DaySums
        The sums.
    """
    totals, tied = rows.total(risk, values)
    sums = totals[rows.at, 0] - rows.share * tied[rows.at, 0]
    inverse = rows.weight / sums
    squared = inverse / sums
    parts = [inverse, inverse * rows.share]
    parts += [squared, squared * rows.share, squared * rows.share**2]
    by_day = np.array([np.bincount(rows.at, part, rows.n_days) for part in parts])
    log_sum = float(rows.weight @ np.log(sums))
    return DaySums(totals[:, 1:], tied[:, 1:], by_day[:2], by_day[2:], log_sum)


def lay_out_rows(
    entry: Floats,
    duration: Floats,
    churned: NDArray[np.bool_],
    *,
    strata: Integers | None,
    weights: Floats | None,
    is_efron: bool,
) -> Rows:
    """Lay rows out by the days with churn on which they are at risk.

    Parameters
    ----------
    entry, duration : ndarray of float, shape (n,)
        A row is at risk on ``entry < t <= duration``.
    churned : ndarray of bool, shape (n,)
        Whether the row ended in churn.
    strata : ndarray of int, shape (n,), or None
        Numbers of the strata from 0 on.
    weights : ndarray of float, shape (n,), or None
        Case weights.
    is_efron : bool
        Whether tied ends share the risk set.

    Returns
    -------
    Rows
        The layout.
    """
    times = np.unique(duration[churned])
    width = len(times) + 1
    first, last = _count_until(times, entry), _count_until(times, duration)
    n_strata = 1 if strata is None else int(strata.max()) + 1
    if strata is not None:
        first += (strata * width).astype(np.int32)
        last += (strata * width).astype(np.int32)
    days = _list_days(times, duration, strata, n_strata)
    ends = np.flatnonzero(churned)
    when = last[ends] - 1
    ties = np.bincount(when, minlength=len(days))
    at = np.repeat(np.arange(len(days)), ties)
    place = np.arange(len(at)) - np.repeat(np.cumsum(ties) - ties, ties)
    end_weights = np.ones(len(ends)) if weights is None else weights[ends]
    mean_weight = np.bincount(when, end_weights, len(days)) / np.maximum(ties, 1)

    is_late = first > (0 if strata is None else (strata * width))
    pointers = np.zeros(len(entry) + 1, dtype=np.int64)
    np.cumsum(1 + is_late + churned, out=pointers[1:])
    pointers = pointers.astype(np.int32 if pointers[-1] < 2**31 else np.int64)
    slots = np.empty(pointers[-1], dtype=pointers.dtype)
    slots[pointers[:-1]] = last
    entries = pointers[:-1][is_late] + 1
    slots[entries] = first[is_late]
    slots[pointers[1:][churned] - 1] = when + len(days)
    return Rows(
        days=days,
        n_strata=n_strata,
        first=first,
        last=last,
        ends=ends,
        when=when,
        at=at,
        share=place / ties[at] if is_efron else np.zeros(len(at)),
        weight=mean_weight[at],
        end_weights=end_weights,
        weights=weights,
        _pointers=pointers,
        _slots=slots,
        _entries=entries,
    )


def _count_until(times: Floats, values: Floats) -> NDArray[np.int32]:
    """Count the times up to each value; whole days are looked up and not searched for."""
    longest = values.max()
    if longest < len(values) and np.array_equal(values, np.trunc(values)):
        known = np.searchsorted(times, np.arange(-1, longest + 1), side="right")
        return known.astype(np.int32)[np.maximum(values, -1).astype(np.intp) + 1]
    return np.searchsorted(times, values, side="right").astype(np.int32)


def _list_days(
    times: Floats, duration: Floats, strata: Integers | None, n_strata: int
) -> pd.DataFrame:
    """List the slots: the days of each stratum and its last day under observation."""
    final = np.full(n_strata, duration.max())
    if strata is not None:
        final[:] = -np.inf
        np.maximum.at(final, strata, duration)
    grid = np.column_stack([np.tile(times, (n_strata, 1)), final])
    stratum = np.repeat(np.arange(n_strata), grid.shape[1])
    return pd.DataFrame({"stratum": stratum, "time_days": grid.ravel()})


def find_unseen(entry: Floats, duration: Floats, strata: Integers | None) -> pd.DataFrame:
    """Find the stretches of age in which nobody was under observation.

    Parameters
    ----------
    entry, duration : ndarray of float, shape (n,)
        A row is at risk on ``entry < t <= duration``.
    strata : ndarray of int, shape (n,), or None
        Numbers of the strata from 0 on.

    Returns
    -------
    pandas.DataFrame
        One row per stratum and stretch (from, to]: `stratum`, `from_days`, `to_days`; the first
        stretch of a stratum begins at minus and the last ends at plus infinity.
    """
    # one line of time for all strata, one after the other
    width = duration.max() - entry.min() + 1
    shift = -entry.min() + (0.0 if strata is None else strata * width)
    starts, stops = np.sort(entry + shift), np.sort(duration + shift)
    # after i ends somebody is there unless the start i + 1 is still to come
    gaps = np.flatnonzero(starts[1:] > stops[:-1])
    begin, end = stops[np.append(gaps, -1)], starts[np.append(0, gaps + 1)]
    begin, end = np.append(-np.inf, begin), np.append(end, np.inf)
    before, after = np.floor(begin / width), np.floor(end / width)
    same = before == after
    table = pd.DataFrame(
        {
            "stratum": np.append(before[1:], after[:-1][~same[:-1]]),
            "from_days": np.append(begin[1:], np.full((~same[:-1]).sum(), -np.inf)),
            "to_days": np.append(np.where(same, end, np.inf)[1:], end[:-1][~same[:-1]]),
        }
    ).astype({"stratum": int})
    table = table.sort_values(["stratum", "from_days"], ignore_index=True)
    table[["from_days", "to_days"]] += np.array([entry.min() - table["stratum"] * width]).T
    return table
