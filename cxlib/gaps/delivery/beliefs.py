"""Employees' beliefs and customers' perceptions of the same items, on the same scales."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.cells import open_answers
from cxlib.gaps.groups import as_texts, natural_key
from cxlib.gaps.levels import check_scales
from cxlib.gaps.means import Codes, respondent_clusters
from cxlib.gaps.ratings import Ratings, select_answers
from cxlib.stats import Floats

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class Beliefs:
    """What employees believe customers get, and what customers say they get.

    Parameters
    ----------
    employees, customers : pandas.DataFrame, one row per respondent
        As `Ratings.respondents`.
    items : pandas.DataFrame, one row per item rated by both
        Columns `item`, `text` (marked where the item was turned), `dimension`, `touchpoint`,
        `scale_min`, `scale_max`.
    belief : ndarray, employees x items
        NaN where there is no answer.
    perception : ndarray, customers x items
        NaN where there is no answer.
    employee_wave, customer_wave : str
        The waves compared, ``""`` where answers name none.
    """

    employees: pd.DataFrame
    customers: pd.DataFrame
    items: pd.DataFrame
    belief: Floats
    perception: Floats
    employee_wave: str
    customer_wave: str

    @cached_property
    def employee_clusters(self) -> list[Codes]:
        """Teams that employees share; a single one too, which does not speak for a company."""
        clusters = respondent_clusters(self.employees)
        teams = set(as_texts(self.employees, "unit"))
        if len(teams) == 1 and teams != {""}:
            clusters.append(np.zeros(len(self.employees), dtype=np.intp))
        return clusters

    @cached_property
    def customer_clusters(self) -> list[Codes]:
        """Customers and units that answers share."""
        return respondent_clusters(self.customers)


def select_beliefs(
    answers: pd.DataFrame | ir.Table, items: pd.DataFrame | None = None, *, wave: str = ""
) -> tuple[Ratings, Ratings]:
    """Select the customers' and the employees' answers of the same wave, where there is one.

    Parameters
    ----------
    answers : pandas.DataFrame or ibis Table, one row per answer
        As `select_answers` takes them, of both sources.
    items : pandas.DataFrame, optional, one row per item, or per item and role
        As `select_answers` takes it.
    wave : str, default ""
        The customers' wave; empty = the one in which employees answered last.

    Returns
    -------
    tuple of Ratings
        Of the customers, and of the employees.

    Raises
    ------
    InputError
        When answers cannot be used, or customers have no such wave.
    TooLittleData
        When no employee, or no customer, answered.

    Notes
    -----
    Where one source has no answers in the other's wave, its latest wave is taken; the two are then
    compared over time as well, which `describe_beliefs` says.
    """
    table = open_answers(answers)
    seen = table.select("source", "wave").distinct().to_pandas()
    known = {source: set(part["wave"]) for source, part in seen.groupby("source")}
    if "employee" not in known:
        raise TooLittleData(
            "No answer comes from an employee: what the company believes is not known."
        )
    own = wave if wave in known["employee"] else ""
    employees = select_answers(answers, items, wave=own, source="employee")
    if not wave and employees.wave in known.get("customer", ()):
        wave = employees.wave
    return select_answers(answers, items, wave=wave), employees


def pair_beliefs(customers: Ratings, employees: Ratings) -> Beliefs:
    """Set employees' beliefs beside customers' perceptions, item by item.

    Parameters
    ----------
    customers : Ratings
        Answers with the role perception.
    employees : Ratings
        Answers with the role belief.

    Returns
    -------
    Beliefs
        Ratings that may be compared.

    Raises
    ------
    InputError
        When nobody gave beliefs or perceptions; when the two differ in scale or direction; when
        items have different scales.
    TooLittleData
        When no item was rated by both.
    """
    for ratings, role in ((employees, "belief"), (customers, "perception")):
        if role not in ratings.values:
            raise InputError(
                f"No {ratings.source} gave answers with the role '{role}'.",
                f"table 'answers', source '{ratings.source}', roles {sorted(ratings.values)}",
                f"map the columns that hold the {role} to that role",
            )
    belief, perception = employees.values["belief"], customers.values["perception"]
    asked = perception.columns[perception.notna().any()]
    names = [name for name in belief.columns[belief.notna().any()] if name in asked]
    if not names:
        raise TooLittleData("No item was rated by employees and by customers.")
    own, believed = customers.facts("perception"), employees.facts("belief")
    facts = check_scales(own.loc[names], believed.loc[names], sides=("perception", "belief"))
    return Beliefs(
        employees=employees.respondents,
        customers=customers.respondents,
        items=facts,
        belief=belief[names].to_numpy(),
        perception=perception[names].to_numpy(),
        employee_wave=employees.wave,
        customer_wave=customers.wave,
    )


def level_items(beliefs: Beliefs, level: str) -> tuple[list[str], Floats]:
    """Tell which items belong to each name of a level.

    Parameters
    ----------
    beliefs : Beliefs
        From `pair_beliefs`.
    level : {"item", "dimension", "touchpoint", "total"}
        What to average over.

    Returns
    -------
    names : list of str
        Names in natural order; none where the items have no such names.
    member : ndarray of float, items x names
        1 where the item belongs to the name.
    """
    facts = beliefs.items
    labels = pd.Series("total", facts.index) if level == "total" else facts[level]
    names = sorted(labels.dropna().unique(), key=natural_key)
    member = labels.to_numpy(dtype=object)[:, None] == np.array(names, dtype=object)
    return names, member.astype(float).reshape(len(facts), len(names))


def average_items(values: Floats, member: Floats) -> Floats:
    """Average each respondent's ratings over the items of each name.

    Parameters
    ----------
    values : ndarray, respondents x items
        NaN where there is no answer.
    member : ndarray of float, items x names
        From `level_items`.

    Returns
    -------
    ndarray, respondents x names
        Means over the items rated, NaN where none was.
    """
    known = ~np.isnan(values)
    count = known.astype(float) @ member
    total = np.where(known, values, 0.0) @ member
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
