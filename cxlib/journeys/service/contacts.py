"""Contacts that should not have been needed: repeats, and calls after self-service failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from cxlib.errors import InputError, TooLittleData
from cxlib.frames import read_duration, to_table
from cxlib.journeys.costs import read_costs
from cxlib.journeys.log import DAY, JourneyLog
from cxlib.journeys.service.guesses import (
    find_assisted,
    find_codes,
    find_self_service,
    find_service,
)
from cxlib.journeys.service.rates import ALL, RATE, measure_rates
from cxlib.journeys.service.waits import list_waits
from cxlib.stats import adjust_p_values

_LEVELS = ("touchpoint", "channel", "department")


@dataclass(frozen=True)
class Escalations:
    """How often customers who helped themselves still need a person.

    Parameters
    ----------
    rates : pandas.DataFrame, one row per self-service touchpoint
        `level`, `group` (``(all)`` first), `within_days`, `n` (contacts), `n_customers`, `n_hits`
        (followed by an assisted contact in time), `share`, `conf_low`, `conf_high`, `p_value`,
        `q_value`, `n_tests`.
    causes : pandas.DataFrame, one row per assisted touchpoint
        `touchpoint`, `n` (contacts), `n_customers`, `n_hits` (preceded by self-service in time),
        `share`, `conf_low`, `conf_high`; with costs `action_cost`, `cost` of `n_hits` contacts.
    """

    rates: pd.DataFrame
    causes: pd.DataFrame


def count_repeats(
    log: JourneyLog,
    *,
    within: str | pd.Timedelta = "7d",
    of: Sequence[str] = (),
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Count the service contacts after which the customer had to come again.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    within : str or pandas.Timedelta, default "7d"
        Time in which another service contact counts as a repeat.
    of : sequence of str, default ()
        Touchpoints (or stages) that are service contacts; empty: those that
        :func:`cxlib.journeys.service.guesses.find_service` returns.
    min_cell : int, default 10
        Customers a group needs to be estimated.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per touchpoint, channel and department
        `level`, `group` (``(all)`` first), `within_days`, `n` (contacts), `n_customers`, `n_hits`
        (repeated), `share`, `conf_low`, `conf_high`, `resolved_share` (at first contact: the rest),
        `p_value` of the difference to all other groups of the level, `q_value`, `n_tests`.

    Raises
    ------
    InputError
        When no touchpoint is named or found, or a name is unknown.
    TooLittleData
        When fewer than `min_cell` customers are observed long enough.

    Notes
    -----
    A repeat is any later service contact of the customer, in this or the next journey and by any
    channel: what it was about is not recorded. Contacts less than `within` before the end of the
    data are left out, repeated or not, so that all have had the same time. Customers are the
    clusters; q-values correct for all groups tested (Benjamini-Hochberg).
    """
    codes = find_codes(log, of or find_service(log), parameter="of", what="a service contact")
    table = _measure_followed(log, codes, codes, within, _LEVELS, min_cell, conf_level)
    table.insert(table.columns.get_loc("p_value"), "resolved_share", 1 - table["share"])
    return table


def count_escalations(
    log: JourneyLog,
    *,
    self_service: Sequence[str] = (),
    assisted: Sequence[str] = (),
    within: str | pd.Timedelta = "2d",
    touchpoints: pd.DataFrame | None = None,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> Escalations:
    """Count the self-service contacts after which the customer still turned to a person.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    self_service, assisted : sequence of str, default ()
        Touchpoints (or stages); empty: those that
        :func:`cxlib.journeys.service.guesses.find_self_service` and
        :func:`cxlib.journeys.service.guesses.find_assisted` return.
    within : str or pandas.Timedelta, default "2d"
        Time in which an assisted contact counts as the failure of the one before.
    touchpoints : pandas.DataFrame, optional
        `touchpoint` and `action_cost`, the cost of one contact.
    min_cell : int, default 10
        Customers a group needs to be estimated.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    Escalations
        Seen from the self-service contact, and from the assisted one that it led to, where every
        contact costs once however often the customer tried before.

    Raises
    ------
    InputError
        When no touchpoint is named or found, a name is unknown, or one is both.
    TooLittleData
        When fewer than `min_cell` customers are observed long enough.

    Notes
    -----
    Self-service contacts less than `within` before the end of the data are left out. That a call
    follows does not prove that it was about the same matter.
    """
    first, then = self_service or find_self_service(log), assisted or find_assisted(log)
    tried = find_codes(log, first, parameter="self_service", what="self-service")
    helped = find_codes(log, then, parameter="assisted", what="an assisted contact")
    both = log.contacts.loc[sorted(set(tried) & set(helped)), "touchpoint"].tolist()
    if both:
        raise InputError(
            f"'{both[0]}' is self-service and assisted at once.",
            "parameters 'self_service' and 'assisted'",
            "name it in one of the two",
        )
    rates = _measure_followed(log, tried, helped, within, _LEVELS[:1], min_cell, conf_level)
    causes = _measure_causes(log, tried, helped, within, conf_level)
    if touchpoints is not None and "action_cost" in touchpoints:
        causes["action_cost"] = causes["touchpoint"].map(read_costs(touchpoints))
        causes["cost"] = causes["n_hits"] * causes["action_cost"]
    return Escalations(rates=rates, causes=causes)


def _micros(within: str | pd.Timedelta) -> int:
    return read_duration(within, name="within").value // 1000


def _measure_followed(
    log: JourneyLog,
    first: list[int],
    then: list[int],
    within: str | pd.Timedelta,
    levels: Sequence[str],
    min_cell: int,
    conf_level: float,
) -> pd.DataFrame:
    """Measure which contacts are followed by another in time, in all and by level."""
    from ibis import _

    time = _micros(within)
    waits = list_waits(log, first, then)
    seen = waits.filter(_.left >= time).mutate(is_hit=(_.wait <= time).fill_null(False))
    total = measure_rates(seen, conf_level=conf_level)
    n_customers = int(total["n_customers"].iloc[0]) if len(total) else 0
    if n_customers < min_cell:
        raise TooLittleData(
            f"{n_customers} customers have such contacts that are observed for {within}; at least "
            f"{min_cell} are needed."
        )
    tables = [total.assign(level=ALL, group=ALL)]
    for level in levels:
        if level in log.contacts and log.contacts.loc[first, level].nunique() > 1:
            named = log.contacts[["contact", level]].rename(columns={level: "group"})
            named = seen.join(to_table(named, beside=seen), "contact")
            tables.append(measure_rates(named, by="group", conf_level=conf_level))
            tables[-1]["level"] = level
    table = pd.concat(tables, ignore_index=True)
    table["p_value"] = table.get("p_value", float("nan"))  # a single group has no other
    small = table["n_customers"] < min_cell
    table.loc[small, ["share", "conf_low", "conf_high", "p_value"]] = float("nan")
    table["q_value"] = adjust_p_values(table["p_value"])
    table["n_tests"] = int(table["p_value"].notna().sum())
    table["within_days"] = time / DAY
    return table[["level", "group", "within_days", *RATE, "p_value", "q_value", "n_tests"]]


def _measure_causes(
    log: JourneyLog,
    tried: list[int],
    helped: list[int],
    within: str | pd.Timedelta,
    conf_level: float,
) -> pd.DataFrame:
    """Measure which assisted contacts came after self-service: the same in reverse time."""
    from ibis import _

    waits = list_waits(log, helped, tried, backwards=True)
    units = waits.mutate(is_hit=(_.wait <= _micros(within)).fill_null(False))
    names = log.contacts[["contact", "touchpoint"]]
    units = units.join(to_table(names, beside=units), "contact")
    table = measure_rates(units, by="touchpoint", conf_level=conf_level).drop(columns="p_value")
    return table.sort_values(["n_hits", "touchpoint"], ascending=[False, True], ignore_index=True)
