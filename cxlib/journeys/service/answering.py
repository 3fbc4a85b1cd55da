"""How soon the company answers: complaints and bad reviews, and praise that is passed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.errors import InputError, TooLittleData
from cxlib.frames import read_duration, to_frame
from cxlib.journeys.log import DAY, UNKNOWN, JourneyLog, Places
from cxlib.journeys.service.guesses import find_codes
from cxlib.journeys.service.rates import ALL
from cxlib.journeys.service.waits import (
    contrast_waits,
    fetch_waits,
    find_quantiles,
    fit_waits,
    list_waits,
)
from cxlib.stats import adjust_p_values

if TYPE_CHECKING:
    import ibis.expr.types as ir

HORIZONS = (1.0, 2.0, 7.0, 14.0, 30.0)  # days


@dataclass(frozen=True)
class Answering:
    """How soon negative contacts are answered.

    Parameters
    ----------
    by_time : pandas.DataFrame, one row per touchpoint and horizon
        `touchpoint` (``(all)`` first), `horizon_days`, `n` (contacts), `n_customers`, `n_answered`
        (by then), `share` answered, `conf_low`, `conf_high`, `naive_share` (`n_answered` of `n`,
        as if the youngest could not be answered any more).
    medians : pandas.DataFrame, one row per touchpoint
        `touchpoint`, `n`, `n_customers`, `n_answered`, `n_unanswered` (the time is up), `n_waiting`
        (it is not), `median_days` until half are answered, `conf_low`, `conf_high`, and
        `answered_median_days`, over those answered alone.
    curve : pandas.DataFrame, one row per touchpoint and time
        `touchpoint`, `time_days` (where the share rises, and the end), `n_at_risk`, `share`,
        `conf_low`, `conf_high`.
    groups : pandas.DataFrame, one row per channel, department and month
        `level`, `group`, `n`, `n_customers`, `n_answered`, `horizon_days`, `share` answered by
        then, `conf_low`, `conf_high`, `median_days`, `p_value`, `q_value`, `n_tests`.
    unanswered : pandas.DataFrame, one row per contact without an answer
        `customer_id`, `touchpoint`, `asked_at` (UTC), `days_open` (to the end of the data); the
        oldest first.
    target_days, within_days : float
        Days in which the company means to answer, and after which nothing counts as an answer.
    """

    by_time: pd.DataFrame
    medians: pd.DataFrame
    curve: pd.DataFrame
    groups: pd.DataFrame
    unanswered: pd.DataFrame
    target_days: float
    within_days: float


def measure_answers(
    log: JourneyLog,
    *,
    asked: Sequence[str],
    answered: Sequence[str] = (),
    within: str | pd.Timedelta = "30d",
    target: str | pd.Timedelta = "2d",
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> Answering:
    """Measure how soon complaints and other negative contacts are answered.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    asked : sequence of str
        Touchpoints (or stages) of the negative contacts, such as those that
        :func:`cxlib.journeys.service.guesses.find_complaints` returns.
    answered : sequence of str, default ()
        Touchpoints that are answers; empty: contacts begun by the company that the same department
        owns, in the same lifecycle stage where stages are known, so that a newsletter or a bill is
        no answer.
    within : str or pandas.Timedelta, default "30d"
        Time after which nothing counts as an answer any more; at its end channels, departments and
        months are compared.
    target : str or pandas.Timedelta, default "2d"
        Time within which the company means to answer.
    min_cell : int, default 10
        Customers a group needs to be estimated.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    Answering
        Curves, shares, groups and the list of what is still open.

    Raises
    ------
    InputError
        When nothing is asked, a touchpoint is unknown, or nothing can be told to be an answer.
    TooLittleData
        When fewer than `min_cell` customers asked.

    Notes
    -----
    The answer is the first one after the contact, whichever journey it falls in, if it comes
    within `within`: later ones mean another contact. One answer settles all contacts of the
    customer (and department, see `answered`) that are open: whether it meant each of them is not
    recorded. A contact is censored at the end of the data, so a recent one is not unanswered yet.

    Customers are the clusters, see :func:`cxlib.journeys.service.waits.fit_waits`; each group is
    tested against all others at `within`, and q-values correct for all groups tested
    (Benjamini-Hochberg).
    """
    horizon, promise = _days(within, "within"), _days(target, "target")
    first = find_codes(log, asked, parameter="asked", what="a negative contact")
    then, same = _find_answers(log, first, answered)
    listed = list_waits(log, first, then, same=same)
    waits = fetch_waits(listed, within_days=horizon)
    _count_customers(waits, min_cell)
    touchpoint = log.contacts["touchpoint"].to_numpy()[waits["contact"]]
    waits = waits.assign(touchpoint=touchpoint)
    parts = _split(waits, min_cell)
    times = sorted(time for time in {*HORIZONS, horizon, promise} if time <= horizon)
    return Answering(
        by_time=_stack({name: _fit_horizons(p, times, conf_level) for name, p in parts.items()}),
        medians=_stack(
            {name: _summarise(part, horizon, conf_level) for name, part in parts.items()}
        ),
        curve=_stack({name: _fit_curve(part, horizon, conf_level) for name, part in parts.items()}),
        groups=_compare_groups(log, waits, horizon, min_cell, conf_level),
        unanswered=_list_unanswered(log, listed, horizon),
        target_days=promise,
        within_days=horizon,
    )


def measure_amplification(
    log: JourneyLog,
    *,
    praised: Sequence[str],
    followed: Sequence[str],
    within: str | pd.Timedelta = "30d",
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Measure how often a positive contact is followed up, by the company or the customer.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    praised : sequence of str
        Touchpoints (or stages) of positive contacts: good reviews, mentions, referrals.
    followed : sequence of str
        Touchpoints (or stages) that amplify them: thanks of the company, a share, a referral.
    within : str or pandas.Timedelta, default "30d"
        Time in which that counts.
    min_cell : int, default 10
        Customers needed.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row
        `n` (positive contacts), `n_customers`, `n_followed`, `horizon_days`, `share`, `conf_low`,
        `conf_high`.

    Raises
    ------
    InputError
        When nothing is named or a name is unknown.
    TooLittleData
        When fewer than `min_cell` customers praised, or none is observed so long.

    Notes
    -----
    One minus Kaplan-Meier at `within`, as for answers.
    """
    horizon = _days(within, "within")
    first = find_codes(log, praised, parameter="praised", what="a positive contact")
    then = find_codes(log, followed, parameter="followed", what="a follow-up")
    waits = fetch_waits(list_waits(log, first, then))
    n_customers = _count_customers(waits, min_cell)
    row = fit_waits(waits, times=[horizon], conf_level=conf_level)
    if not len(row):
        raise TooLittleData(f"No contact has been observed for {horizon:g} days yet.")
    row.insert(0, "n", len(waits))
    row.insert(1, "n_customers", n_customers)
    row = row.rename(columns={"n_over": "n_followed", "time_days": "horizon_days"})
    return row[["n", "n_customers", "n_followed", "horizon_days", "share", "conf_low", "conf_high"]]


def _days(value: str | pd.Timedelta, name: str) -> float:
    return read_duration(value, name=name) / pd.Timedelta(1, "D")


def _count_customers(waits: pd.DataFrame, min_cell: int) -> int:
    n = int(waits["customer"].nunique())
    if n < min_cell:
        raise TooLittleData(f"{n} customers had such a contact; at least {min_cell} are needed.")
    return n


def _find_answers(
    log: JourneyLog, first: list[int], answered: Sequence[str]
) -> tuple[list[int], Places | None]:
    """Find which contacts are answers, and what an answer must share with the question."""
    if answered:
        return find_codes(log, answered, parameter="answered", what="an answer"), None
    missing = [name for name in ("initiated_by", "department") if name not in log.contacts]
    if missing:
        raise InputError(
            f"Which contact is an answer cannot be told without '{missing[0]}'.",
            f"table 'events', column '{missing[0]}'",
            "name the touchpoints that are answers in 'answered', or map the column",
        )
    shared = [name for name in ("department", "stage") if name in log.contacts]
    contacts = log.contacts
    owner = contacts[shared].agg(" > ".join, axis=1)
    is_known = contacts["department"] != UNKNOWN
    is_answer = (contacts["initiated_by"] == "company") & is_known & owner.isin(owner[first])
    is_answer &= ~contacts["contact"].isin(first)
    if not is_answer.any():
        raise InputError(
            "No contact begun by the company could be an answer.",
            f"table 'events', contacts with initiated_by 'company' and the same {shared}",
            "name the touchpoints that are answers in 'answered'",
        )
    codes, names = pd.factorize(owner, sort=True)
    place = Places("owner", list(names), codes.astype(np.int64))
    return contacts.loc[is_answer, "contact"].tolist(), place


def _split(waits: pd.DataFrame, min_cell: int) -> dict[str, pd.DataFrame]:
    """Take all waits and, when there are several touchpoints, those large enough alone."""
    parts = {ALL: waits}
    if waits["touchpoint"].nunique() > 1:
        sizes = waits.groupby("touchpoint")["customer"].nunique()
        for name in sizes.index[sizes >= min_cell]:
            parts[name] = waits[waits["touchpoint"] == name]
    return parts


def _stack(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    stacked = pd.concat(tables, names=["touchpoint", None]).reset_index("touchpoint")
    return stacked.reset_index(drop=True)


def _fit_horizons(waits: pd.DataFrame, times: list[float], conf_level: float) -> pd.DataFrame:
    table = fit_waits(waits, times=times, conf_level=conf_level)
    table = table.rename(columns={"time_days": "horizon_days", "n_over": "n_answered"})
    table["n"], table["n_customers"] = len(waits), waits["customer"].nunique()
    table["naive_share"] = table["n_answered"] / len(waits)
    keep = ["horizon_days", "n", "n_customers", "n_answered", "share", "conf_low", "conf_high"]
    return table[[*keep, "naive_share"]]


def _summarise(waits: pd.DataFrame, horizon: float, conf_level: float) -> pd.DataFrame:
    median = find_quantiles(waits, conf_level=conf_level).drop(columns="level")
    median = median.rename(columns={"days": "median_days"})
    is_over, days = waits["is_over"], waits["wait_days"]
    counts = {
        "n": len(waits),
        "n_customers": waits["customer"].nunique(),
        "n_answered": int(is_over.sum()),
        "n_unanswered": int((~is_over & (days >= horizon)).sum()),
        "n_waiting": int((~is_over & (days < horizon)).sum()),
    }
    answered = days[is_over].median()
    return pd.DataFrame([counts]).join(median).assign(answered_median_days=answered)


def _fit_curve(waits: pd.DataFrame, horizon: float, conf_level: float) -> pd.DataFrame:
    curve = fit_waits(waits, conf_level=conf_level)
    end = fit_waits(waits, times=[horizon], conf_level=conf_level)
    if len(end):
        curve = pd.concat([curve, end]).drop_duplicates("time_days")
    return curve[["time_days", "n_at_risk", "share", "conf_low", "conf_high"]]


def _compare_groups(
    log: JourneyLog, waits: pd.DataFrame, horizon: float, min_cell: int, conf_level: float
) -> pd.DataFrame:
    levels = {
        name: pd.Series(log.contacts[name].to_numpy()[waits["contact"]])
        for name in ("channel", "department")
        if name in log.contacts
    }
    months = waits["at"].to_numpy("datetime64[us]").astype("datetime64[M]")
    levels["month"] = pd.Series(np.datetime_as_string(months))
    rows = []
    for level, groups in levels.items():
        for group in sorted(groups.unique()) if groups.nunique() > 1 else []:
            is_in = groups == group
            part = waits[is_in]
            row = {
                "level": level,
                "group": group,
                "n": len(part),
                "n_customers": part["customer"].nunique(),
                "n_answered": int(part["is_over"].sum()),
                "horizon_days": horizon,
            }
            if row["n_customers"] >= min_cell:
                row |= _estimate_group(waits, is_in, horizon, conf_level)
            rows.append(row)
    names = ["level", "group", "n", "n_customers", "n_answered", "horizon_days", "share"]
    names += ["conf_low", "conf_high", "median_days", "p_value"]
    table = pd.DataFrame(rows, columns=names)
    table["q_value"] = adjust_p_values(table["p_value"].astype(float))
    return table.assign(n_tests=int(table["p_value"].notna().sum()))


def _estimate_group(
    waits: pd.DataFrame, is_in: pd.Series, horizon: float, conf_level: float
) -> dict[str, float]:
    fitted = fit_waits(waits[is_in], times=[horizon], conf_level=conf_level)
    ends = fitted[["share", "conf_low", "conf_high"]].to_dict("records")
    (median,) = find_quantiles(waits[is_in], conf_level=conf_level)["days"]
    tested = contrast_waits(waits, is_in, time=horizon)
    return {**(ends[0] if ends else {}), "median_days": median, "p_value": tested}


def _list_unanswered(log: JourneyLog, waits: ir.Table, within_days: float) -> pd.DataFrame:
    from ibis import _

    is_answered = (_.wait <= int(within_days * DAY)).fill_null(False)
    still = waits.filter(~is_answered).join(log.customers, "customer")
    frame = to_frame(still.drop("customer"), sort_by=["at", "customer_id", "contact"])
    end = log.end.value // 1000
    return pd.DataFrame(
        {
            "customer_id": frame["customer_id"],
            "touchpoint": log.contacts["touchpoint"].to_numpy()[frame["contact"]],
            "asked_at": pd.to_datetime(frame["at"], unit="us"),
            "days_open": (end - frame["at"]).clip(lower=0) / DAY,
        }
    )
