"""The customers of today beside the lifetimes their hazard is learnt from."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.churn.hazard.cox import fit_cox
from cxlib.churn.hazard.design import lay_out, number_strata
from cxlib.churn.hazard.hazard import CHURNED_PER_TERM, HazardModel, lay_out_times
from cxlib.churn.lifetimes import label_groups
from cxlib.churn.risk.current import count_followed
from cxlib.churn.risk.hazards import Hazard, People, hazard_of_curve, hazard_of_model
from cxlib.errors import TooLittleData
from cxlib.stats import Floats

NO_REASON = "(no reason)"
OTHER = "(other)"


@dataclass(frozen=True)
class Base:
    """Everything a forecast rests on.

    Parameters
    ----------
    lifetimes : pandas.DataFrame
        Rows the hazard is learnt from: those with all covariates and a stratum.
    strata : ndarray of int, shape (len(lifetimes),)
        Stratum of each.
    current : pandas.DataFrame, one row per customer
        Who is still here.
    people : People
        Their strata (-1 where a covariate or group is missing or not known), ages and horizons.
    fewest : ndarray of float, shape (len(current),)
        Fewest lifetimes under observation at the ages ahead of each.
    model : HazardModel or None
        The model; None for curves.
    terms, current_terms : pandas.DataFrame or None
        Lifetimes and customers in the columns of the model.
    """

    lifetimes: pd.DataFrame
    strata: NDArray[np.intp]
    current: pd.DataFrame
    people: People
    fewest: Floats
    model: HazardModel | None
    terms: pd.DataFrame | None
    current_terms: pd.DataFrame | None

    def hazard(self) -> Hazard:
        """Give the hazard of leaving for the customers of today.

        Returns
        -------
        Hazard
            Of the model, or of the curves.
        """
        if self.model is None or self.current_terms is None:
            return hazard_of_curve(self.lifetimes, self.strata, len(self.current))
        return hazard_of_model(self.model.fit, self.current_terms)

    def hazards_by_cause(self, causes: pd.Series) -> list[Hazard]:
        """Learn one hazard a cause, in the covariates of the model where there is enough.

        Parameters
        ----------
        causes : pandas.Series
            Cause of every churned row of `lifetimes`.

        Returns
        -------
        list of Hazard
            In the order of `list_causes`. A cause with fewer than ten ends a term, or without a
            maximum, has the curve of all customers instead.
        """
        hazards = []
        for cause in list_causes(causes):
            counted = (causes == cause).reindex(self.lifetimes.index, fill_value=False)
            hazards.append(self._learn(counted.to_numpy(bool)))
        return hazards

    def _learn(self, counted: NDArray[np.bool_]) -> Hazard:
        part = self.lifetimes.assign(churned=counted)
        fit = None
        if self.terms is not None and counted.sum() >= CHURNED_PER_TERM * self.terms.shape[1]:
            entry, duration, customers = lay_out_times(part)
            repeated = customers.max() + 1 < len(part)
            # a cause whose model has no maximum has the curve as well
            with contextlib.suppress(TooLittleData):
                fit = fit_cox(
                    entry,
                    duration,
                    counted,
                    self.terms,
                    clusters=customers if repeated else None,
                    strata=self.strata if self.strata.any() else None,
                )
        if fit is None or self.current_terms is None:
            return hazard_of_curve(part, self.strata, len(self.current))
        return hazard_of_model(fit, self.current_terms)


def read_base(
    lifetimes: pd.DataFrame,
    current: pd.DataFrame,
    *,
    model: HazardModel | None,
    by: str,
    horizon_days: float,
    min_cell: int,
) -> Base:
    """Put the customers of today beside the lifetimes and see how far ahead others show the way.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime, or per stretch of one
        As `check_lifetimes` returns them.
    current : pandas.DataFrame, one row per customer
        As `check_current` returns them.
    model : HazardModel or None
        The model; None for curves by group.
    by : str
        Column of groups.
    horizon_days : float
        Days wanted.
    min_cell : int
        Lifetimes under observation that are enough.

    Returns
    -------
    Base
        With a horizon of 0 for customers about whom nothing can be said.

    Raises
    ------
    InputError
        When a covariate or the column of groups is missing.
    TooLittleData
        When nobody has a day ahead.
    """
    terms = now = None
    if model is None:
        groups = label_groups(lifetimes, by=by)
        strata = groups.cat.codes.to_numpy(np.intp)
        stratum = groups.cat.categories.get_indexer(label_groups(current, by=by).astype(object))
        known = strata >= 0
    else:
        terms, now = lay_out(model.design, lifetimes), lay_out(model.design, current)
        strata, stratum = (number_strata(model.design, table) for table in (lifetimes, current))
        known = (strata >= 0) & terms.notna().all(axis=1).to_numpy()
        terms = terms[known]
        stratum = np.where(now.notna().all(axis=1), stratum, -1)
    ages = current["duration_days"].to_numpy(float)
    horizons, fewest = np.zeros(len(ages)), np.zeros(len(ages))
    for number in np.unique(stratum[stratum >= 0]):
        mine = stratum == number
        followed = count_followed(lifetimes[known & (strata == number)])
        horizons[mine] = followed.reach(ages[mine], horizon_days=horizon_days, min_cell=min_cell)
        fewest[mine] = followed.fewest(ages[mine], horizons[mine])
    if not horizons.any():
        raise TooLittleData(
            f"For none of the {len(ages):,} customers who are still here at least {min_cell} "
            "older ones were observed: nothing can be said about the days ahead."
        )
    return Base(
        lifetimes=lifetimes[known],
        strata=strata[known],
        current=current,
        people=People(stratum.astype(np.intp), ages, horizons),
        fewest=fewest,
        model=model,
        terms=terms,
        current_terms=now,
    )


def read_causes(lifetimes: pd.DataFrame, *, min_cell: int) -> pd.Series:
    """Read why lifetimes ended.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `churned` and, when there are any, `end_reason`.
    min_cell : int
        Ends a cause needs; rarer ones are put together.

    Returns
    -------
    pandas.Series of str
        Cause of every churned row.
    """
    churned = lifetimes[lifetimes["churned"]]
    if "end_reason" not in churned.columns:
        return pd.Series(NO_REASON, index=churned.index)
    reason = churned["end_reason"].fillna("").astype(str).str.strip().replace("", NO_REASON)
    counts = reason.value_counts()
    return reason.where(reason.map(counts) >= min_cell, OTHER)


def list_causes(causes: pd.Series) -> list[str]:
    """List causes, the most common first.

    Parameters
    ----------
    causes : pandas.Series of str
        As `read_causes` returns them.

    Returns
    -------
    list of str
        Equally common ones by name.
    """
    counts = causes.value_counts().reset_index().set_axis(["cause", "n"], axis=1)
    return counts.sort_values(["n", "cause"], ascending=[False, True])["cause"].tolist()
