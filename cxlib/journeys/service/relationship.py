"""The relationship around the first purchase: what comes before it, and the loop after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.errors import TooLittleData
from cxlib.frames import to_table
from cxlib.journeys.log import DAY, JourneyLog, find_contacts
from cxlib.journeys.service.waits import find_quantiles, fit_waits
from cxlib.schema import STAGES
from cxlib.stats import wilson_interval

if TYPE_CHECKING:
    import ibis.expr.types as ir

BEFORE, AT, AFTER = "before", "at", "after"
HORIZONS = (30.0, 90.0, 180.0, 365.0)  # days
NOWHERE = [-1]  # no contact: engines refuse to look in an empty list
AGAIN = "(bought again)"
ANY = "(any earlier stage)"


@dataclass(frozen=True)
class SalesExperience:
    """What customers go through until they first buy.

    Parameters
    ----------
    until : pandas.DataFrame, three rows
        `measure` (``days`` from the first contact and ``contacts`` before the first purchase, over
        all customers; ``channels`` before it, over those who bought), `n` (customers), `n_bought`,
        `q25`, `median`, `conf_low`, `conf_high` (of the median), `q75`; empty where fewer have
        bought.
    curve : pandas.DataFrame, one row per time
        `time_days`, `n_at_risk`, `share` of customers who have bought, `conf_low`, `conf_high`.
    evaluation : pandas.DataFrame, two rows
        `what` (``adds options``, ``compares again``), `n` (customers who compared and bought),
        `n_customers` (who did it), `share`, `conf_low`, `conf_high`; no rows without stages.
    n_existing : int
        Customers left out: they had bought before the records begin.
    """

    until: pd.DataFrame
    curve: pd.DataFrame
    evaluation: pd.DataFrame
    n_existing: int


def split_relationship(log: JourneyLog, *, goal: str = "purchase") -> ir.Table:
    """Tell for every contact whether it comes before or after the customer's first purchase.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    goal : str, default "purchase"
        Touchpoint or stage of a purchase.

    Returns
    -------
    ibis Table, one row per event
        The steps of the log, `phase` (``before``, ``at`` or ``after`` the first purchase; always
        ``before`` for customers without one) and `since` (microseconds since it, negative before;
        empty without one).

    Raises
    ------
    InputError
        When no event is at the goal.

    Notes
    -----
    Contacts at the same instant keep the order of the log.
    """
    import ibis
    from ibis import _

    (codes,) = find_contacts(log.contacts, [goal])
    order = ibis.window(group_by="customer", order_by=["at", "journey", "step"])
    bought = log.steps.filter(_.contact.isin(codes)).mutate(row=ibis.row_number().over(order))
    bought = bought.filter(_.row == 0).select(
        "customer", bought_at="at", bought_journey="journey", bought_step="step"
    )
    steps = log.steps.left_join(bought, "customer").drop("customer_right")
    same = (_.journey == _.bought_journey) & (_.step == _.bought_step)
    later = (_["at"] > _.bought_at) | (
        (_["at"] == _.bought_at)
        & (
            (_.journey > _.bought_journey)
            | ((_.journey == _.bought_journey) & (_.step > _.bought_step))
        )
    )
    phase = ibis.cases((same, AT), (later, AFTER), else_=BEFORE)
    steps = steps.mutate(phase=phase, since=_["at"] - _.bought_at)
    return steps.drop("bought_at", "bought_journey", "bought_step")


def measure_sales(
    log: JourneyLog,
    *,
    goal: str = "purchase",
    stages: Sequence[str] = STAGES,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> SalesExperience:
    """Measure how long, and through how much, customers go until they first buy.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    goal : str, default "purchase"
        Touchpoint or stage of a purchase.
    stages : sequence of str, default the seven of the lifecycle
        Lifecycle stages in order.
    min_cell : int, default 10
        Customers needed.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    SalesExperience
        Days, contacts and channels before the first purchase, and what happens while customers
        evaluate.

    Raises
    ------
    InputError
        When no event is at the goal.
    TooLittleData
        When fewer than `min_cell` customers are new.

    Notes
    -----
    Days are Kaplan-Meier quantiles: customers who have not bought are censored at the end of the
    data. Contacts and channels are those of buyers alone: on a scale of contacts censoring would
    tell how busy a customer is, and no curve can allow for that.

    Customers whose first contact lies in a stage after the goal's are left out: they bought before
    the records begin. An existing customer who comes back to an early stage first cannot be told
    from a new one, so short records show too many late, slow "first" purchases.

    Customers compare in the stage just before the goal's. They add options when a contact in the
    stage before that follows, and compare again when they do it more than once; contacts begun by
    the company do not count. Ends of the intervals are Wilson's, a customer counting once.
    """
    from ibis import _

    split = split_relationship(log, goal=goal)
    place = _place_goal(log, goal, stages)
    discover, compare = (
        (_stage_codes(log, stages[place - k]) if place >= k else []) or NOWHERE for k in (2, 1)
    )
    before = split.filter(_.phase == BEFORE)
    evaluated = before.group_by("customer").agg(
        n_contacts=_.count(),
        n_compared=_.contact.isin(compare).ifelse(1, 0).sum(),
        compared_at=_["at"].min(where=_.contact.isin(compare)),
        discovered_at=_["at"].max(where=_.contact.isin(discover)),
    )
    people = split.group_by("customer").agg(first_at=_["at"].min(), since=_.since.min())
    people = people.anti_join(_find_existing(log, stages[place + 1 :]), "customer")
    for more in (evaluated, _count_channels(log, before)):
        people = people.left_join(more, "customer").drop("customer_right")
    frame = people.to_pandas().sort_values("customer", ignore_index=True)
    if len(frame) < min_cell:
        raise TooLittleData(f"{len(frame)} customers are new; at least {min_cell} are needed.")
    days = _wait_for_purchase(log, frame)
    return SalesExperience(
        until=_summarise_until(frame, days, conf_level),
        curve=fit_waits(days, conf_level=conf_level).drop(columns="n_over"),
        evaluation=_measure_evaluation(frame, conf_level),
        n_existing=int(log.customers.count().to_pandas()) - len(frame),
    )


def measure_loop(
    log: JourneyLog,
    *,
    goal: str = "purchase",
    stages: Sequence[str] = STAGES,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Measure how many customers come back to an earlier stage, or buy again, after they bought.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    goal : str, default "purchase"
        Touchpoint or stage of a purchase.
    stages : sequence of str, default the seven of the lifecycle
        Lifecycle stages in order.
    min_cell : int, default 10
        Customers needed.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per stage and horizon
        `returns_to` (a stage before the goal's, ``(any earlier stage)``, ``(bought again)``),
        `horizon_days` since the first purchase, `n` (customers who bought), `n_returned` (by then),
        `share`, `conf_low`, `conf_high`, `median_days` until half have returned (empty when fewer
        do).

    Raises
    ------
    InputError
        When no event is at the goal.
    TooLittleData
        When fewer than `min_cell` customers bought.

    Notes
    -----
    One minus Kaplan-Meier from the first purchase in the records to the first contact of the stage
    after it, censored at the end of the data. Contacts begun by the company are no return. A
    customer who left the company can no longer return; where that is common, the shares are those
    of all who bought, not of those who stayed.
    """
    from ibis import _

    split = split_relationship(log, goal=goal)
    place = _place_goal(log, goal, stages)
    targets = {stage: _stage_codes(log, stage) for stage in stages[: max(place, 0)]}
    targets = {stage: codes for stage, codes in targets.items() if codes}
    if len(targets) > 1:
        targets[ANY] = [code for codes in targets.values() for code in codes]
    targets[AGAIN] = find_contacts(log.contacts, [goal])[0]
    buyers = split.group_by("customer").agg(
        bought_at=_["at"].min(where=_.phase == AT),
        **{
            f"to_{k}": _.since.min(where=(_.phase == AFTER) & _.contact.isin(codes))
            for k, codes in enumerate(targets.values())
        },
    )
    frame = buyers.filter(_.bought_at.notnull()).to_pandas().sort_values("customer")
    if len(frame) < min_cell:
        raise TooLittleData(f"{len(frame)} customers bought; at least {min_cell} are needed.")
    left = _days_left(log, frame["bought_at"])
    tables = []
    for k, name in enumerate(targets):
        since = frame[f"to_{k}"].astype(float) / DAY
        waits = pd.DataFrame({"customer": frame["customer"], "wait_days": since.fillna(left)})
        waits["is_over"] = since.notna()
        table = fit_waits(waits, times=HORIZONS, conf_level=conf_level)
        (median,) = find_quantiles(waits, conf_level=conf_level)["days"]
        tables.append(table.assign(returns_to=name, n=len(waits), median_days=median))
    table = pd.concat(tables, ignore_index=True)
    table = table.rename(columns={"time_days": "horizon_days", "n_over": "n_returned"})
    columns = ["returns_to", "horizon_days", "n", "n_returned", "share", "conf_low", "conf_high"]
    return table[[*columns, "median_days"]]


def _place_goal(log: JourneyLog, goal: str, stages: Sequence[str]) -> int:
    """Find where the goal lies among the stages; -1 when that is not known."""
    if "stage" not in log.contacts:
        return -1
    (codes,) = find_contacts(log.contacts, [goal])
    (own,) = log.contacts["stage"].to_numpy()[codes][:1]
    return list(stages).index(own) if own in stages else -1


def _stage_codes(log: JourneyLog, stage: str) -> list[int]:
    """Find the contacts of a stage, those begun by the company left out where that is known."""
    is_here = log.contacts["stage"] == stage
    if "initiated_by" in log.contacts:
        is_here &= log.contacts["initiated_by"] != "company"
    return log.contacts.loc[is_here, "contact"].tolist()


def _find_existing(log: JourneyLog, later: Sequence[str]) -> ir.Table:
    """Find customers who are first seen in a stage after the purchase."""
    from ibis import _

    codes = NOWHERE
    if "stage" in log.contacts:
        is_later = log.contacts["stage"].isin(later)
        codes = log.contacts.loc[is_later, "contact"].tolist() or NOWHERE
    first = log.journeys.group_by("customer").agg(journey=_.journey.min())
    steps = log.steps.filter((_.step == 1) & _.contact.isin(codes)).semi_join(first, "journey")
    return steps.select("customer")


def _count_channels(log: JourneyLog, before: ir.Table) -> ir.Table:
    from ibis import _

    column = "channel" if "channel" in log.contacts else "touchpoint"
    codes = pd.factorize(log.contacts[column])[0]
    kinds = pd.DataFrame({"contact": log.contacts["contact"], "channel": codes})
    named = before.join(to_table(kinds, beside=before), "contact")
    return named.group_by("customer").agg(n_channels=_.channel.nunique())


def _days_left(log: JourneyLog, at: pd.Series) -> pd.Series:
    return ((log.end.value // 1000 - at.astype(float)) / DAY).clip(lower=0)


def _wait_for_purchase(log: JourneyLog, frame: pd.DataFrame) -> pd.DataFrame:
    """Take the days from the first contact to the first purchase, or to the end of the data."""
    has_bought = frame["since"].notna()
    days = (-frame["since"].astype(float) / DAY).where(
        has_bought, _days_left(log, frame["first_at"])
    )
    return pd.DataFrame({"customer": frame["customer"], "wait_days": days, "is_over": has_bought})


def _summarise_until(frame: pd.DataFrame, days: pd.DataFrame, conf_level: float) -> pd.DataFrame:
    has_bought = days["is_over"]
    counts = frame[["n_contacts", "n_channels"]].fillna(0).astype(float)
    waits = {
        "days": days,
        "contacts": days.assign(wait_days=counts["n_contacts"])[has_bought],
        "channels": days.assign(wait_days=counts["n_channels"])[has_bought],
    }
    rows = []
    for measure, waiting in waits.items():
        row = {"measure": measure, "n": len(waiting), "n_bought": int(has_bought.sum())}
        if has_bought.any():
            levels = find_quantiles(waiting, levels=(0.25, 0.5, 0.75), conf_level=conf_level)
            row["q25"], row["median"], row["q75"] = levels["days"]
            row["conf_low"], row["conf_high"] = levels.loc[1, ["conf_low", "conf_high"]]
        rows.append(row)
    columns = ["measure", "n", "n_bought", "q25", "median", "conf_low", "conf_high", "q75"]
    return pd.DataFrame(rows, columns=columns)


def _measure_evaluation(frame: pd.DataFrame, conf_level: float) -> pd.DataFrame:
    """Count what customers who compared, and bought, did while they compared."""
    compared = frame[frame["since"].notna() & (frame["n_compared"] > 0)]
    did = {
        "adds options": compared["discovered_at"] > compared["compared_at"],
        "compares again": compared["n_compared"] > 1,
    }
    n, hits = len(compared), [int(what.sum()) for what in did.values()]
    table = pd.DataFrame({"what": did.keys(), "n": n, "n_customers": hits})
    if not n:
        return table.assign(share=np.nan, conf_low=np.nan, conf_high=np.nan).iloc[:0]
    low, high = wilson_interval(table["n_customers"] / n, table["n"], conf_level=conf_level)
    return table.assign(share=table["n_customers"] / n, conf_low=low, conf_high=high)
