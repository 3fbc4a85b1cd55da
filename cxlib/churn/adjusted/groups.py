"""Which groups can be compared, over which days, and the model that compares them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.churn.adjusted.chain import Chain, fit_chain
from cxlib.churn.adjusted.overlap import measure_overlap
from cxlib.churn.curves.counts import find_blind_day
from cxlib.churn.hazard.design import number_lifetimes
from cxlib.churn.hazard.hazard import lay_out_times, select_rows
from cxlib.churn.lifetimes import check_lifetimes, label_groups
from cxlib.errors import InputError, TooLittleData, closest
from cxlib.stats import Floats

# Under about ten who left, a baseline hazard is too rough for a symmetric interval.
FEW_CHURNED = 10
# A group in which fewer of the others than this have counterparts is not compared.
LEAST_ALIKE = 0.5


@dataclass(frozen=True)
class Groups:
    """Groups that can be compared and the model that does.

    Parameters
    ----------
    table : pandas.DataFrame
        Lifetimes with a value in every covariate.
    labels : pandas.Series
        Group of each, ordered categories.
    customers : ndarray of int, shape (n,)
        Number of the customer of each.
    horizon : float
        Days for which all groups were followed, at most those asked for.
    chain : Chain
        The model, one stratum a group in the order of the categories.
    overlap : pandas.DataFrame
        As `measure_overlap` returns it.
    left_out : pandas.DataFrame
        One row per group left out: `group`, `n`, `why`.
    """

    table: pd.DataFrame
    labels: pd.Series
    customers: np.ndarray
    horizon: float
    chain: Chain
    overlap: pd.DataFrame
    left_out: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """Groups in the order of their values."""
        return list(self.labels.cat.categories)

    def days(self, group: str) -> Floats:
        """List day 0 and the days before the horizon on which customers of a group left.

        Parameters
        ----------
        group : str
            The group.

        Returns
        -------
        ndarray of float
            Days on which its curve steps.
        """
        own = self.table[(self.labels == group) & self.table["churned"]]
        days = np.unique(np.append(0.0, own["duration_days"].to_numpy(float)))
        return np.asarray(days[days < self.horizon])

    def stay(
        self, group: str, members: np.ndarray, values: Floats | None = None
    ) -> tuple[float, Floats]:
        """Average the days customers stay within the horizon with the hazard of a group.

        Parameters
        ----------
        group : str
            The group whose baseline hazard applies.
        members : ndarray of bool, shape (n,)
            Customers averaged over.
        values : ndarray of float, shape (n,), optional
            Factor of each.

        Returns
        -------
        tuple of float and ndarray, shape (n,)
            The mean and the influence of every lifetime on it.
        """
        days = self.days(group)
        widths = np.diff(np.append(days, self.horizon))
        number = self.names.index(group)
        return self.chain.average(number, days, widths, members=members, values=values)

    def std_error(self, influence: Floats) -> float:
        """Put the influence of a customer's lifetimes together to a standard error.

        Parameters
        ----------
        influence : ndarray of float, shape (n,)
            Influence of each lifetime.

        Returns
        -------
        float
            Standard error.
        """
        by_customer = np.bincount(self.customers, influence)
        n = len(by_customer)
        return float(np.sqrt((by_customer**2).sum() * n / (n - 1)))


def choose_groups(
    lifetimes: pd.DataFrame,
    *,
    by: str,
    covariates: Sequence[str],
    horizon_days: float,
    target: str,
    min_cell: int,
) -> Groups:
    """Keep the groups that can be compared and fit the model to them.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        As for `fit_adjusted`.
    by : str
        Column of groups.
    covariates : sequence of str
        Columns adjusted for.
    horizon_days : float
        Days counted, at most.
    target : str
        Group whose covariates count, ``""`` for all.
    min_cell : int
        Lifetimes a group or level needs.

    Returns
    -------
    Groups
        With what was left out: groups that are too small, in which too few left before the
        horizon, with a hole in their observation, or in which fewer than half of the others have
        counterparts.

    Raises
    ------
    InputError
        When a column cannot be used or rows are stretches of lifetimes.
    TooLittleData
        When fewer than two groups are left or the model cannot be fitted.
    """
    table = check_lifetimes(lifetimes).reset_index(drop=True)
    labels = label_groups(table, by=by)
    if target and target not in labels.cat.categories:
        raise no_group(target, "target", list(labels.cat.categories))
    if number_lifetimes(table).max() + 1 < len(table):
        raise InputError(
            "Several rows are stretches of one lifetime.",
            "table 'lifetimes', columns 'customer_id', 'spell'",
            "give one row per lifetime, with covariates known when it began",
        )
    table[by] = labels.astype(object)
    left_out: list[tuple[str, int, str]] = []
    while True:
        _check_number(table[by], by, left_out)
        rows = select_rows(table, covariates=covariates, strata=[by], min_cell=min_cell)
        kept = rows.table[by].astype(
            pd.CategoricalDtype(
                [name for name in labels.cat.categories if (rows.table[by] == name).any()],
                ordered=True,
            )
        )
        _check_number(kept, by, left_out)
        faults, horizon = _find_faults(rows.table, kept, horizon_days, min_cell)
        if not faults:
            overlap = measure_overlap(rows.terms, kept)
            faults = _find_strangers(overlap, target)
        if not faults:
            break
        left_out += faults
        table = table[~table[by].isin([name for name, _, _ in faults])].reset_index(drop=True)
    if target and target not in kept.cat.categories:
        raise TooLittleData(f"Group '{target}', whose customers are to count, is left out.")
    entry, duration, customers = lay_out_times(rows.table)
    churned, strata = rows.table["churned"].to_numpy(bool), kept.cat.codes.to_numpy(np.intp)
    return Groups(
        rows.table.reset_index(drop=True),
        kept.reset_index(drop=True),
        customers,
        horizon,
        fit_chain(entry, duration, churned, rows.terms, strata=strata),
        overlap,
        pd.DataFrame(left_out, columns=["group", "n", "why"]),
    )


def no_group(name: str, parameter: str, names: list[str]) -> InputError:
    """Say that a group does not exist.

    Parameters
    ----------
    name : str
        What was asked for.
    parameter : str
        By which parameter.
    names : list of str
        The groups there are.

    Returns
    -------
    InputError
        To be raised.
    """
    return InputError(
        f"There is no group '{name}'.", f"parameter '{parameter}'", closest(name, names)
    )


def _check_number(groups: pd.Series, by: str, left_out: list[tuple[str, int, str]]) -> None:
    if groups.nunique() < 2:
        why = "; ".join(f"'{name}': {reason}" for name, _, reason in left_out)
        raise TooLittleData(
            f"'{by}' has fewer than two groups that can be compared{f' ({why})' if why else ''}."
        )


def _find_faults(
    table: pd.DataFrame, groups: pd.Series, horizon_days: float, min_cell: int
) -> tuple[list[tuple[str, int, str]], float]:
    """Name the groups that have no curve, and the days for which all others were followed."""
    parts = {str(name): part for name, part in table.groupby(groups, observed=True)}
    why = {
        name: f"fewer than {min_cell} lifetimes" for name in parts if len(parts[name]) < min_cell
    }
    for name, part in parts.items():
        if (day := find_blind_day(part)) is not None:
            why.setdefault(name, f"nobody is under observation after day {day:g}")
    # what is left out for these reasons shall not cut the horizon of the others
    horizon = min(
        [horizon_days, *(p["duration_days"].max() for n, p in parts.items() if n not in why)]
    )
    for name, part in parts.items() if not why else ():
        if (part["churned"] & (part["duration_days"] < horizon)).sum() < FEW_CHURNED:
            why[name] = f"fewer than {FEW_CHURNED} left before the horizon"
    return [(name, len(parts[name]), reason) for name, reason in why.items()], float(horizon)


def _find_strangers(overlap: pd.DataFrame, target: str) -> list[tuple[str, int, str]]:
    """Name the groups in which most customers of the target have no counterpart."""
    others = overlap[overlap["group"] == target] if target else overlap
    faults = []
    for name, part in others.groupby("counterpart"):
        if np.average(part["share_alike"], weights=part["n"]) < LEAST_ALIKE:
            n = int(overlap.loc[overlap["group"] == name, "n"].iloc[0])
            faults.append((str(name), n, "most other customers have no counterpart in it"))
    return faults
