"""Findings about service, in plain sentences rendered from the tables."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.journeys.service.answering import Answering
from cxlib.journeys.service.contacts import Escalations
from cxlib.journeys.service.handoffs import Handoffs
from cxlib.journeys.service.identities import AnonymousContacts
from cxlib.journeys.service.rates import ALL
from cxlib.journeys.service.relationship import AGAIN, ANY, SalesExperience


def describe_answers(answering: Answering, *, conf_level: float = 0.95) -> str:
    """Say how many negative contacts are answered, how soon, and whether groups differ.

    Parameters
    ----------
    answering : Answering
        From :func:`cxlib.journeys.measure_answers`.
    conf_level : float, default 0.95
        One minus the share of false discoveries allowed.

    Returns
    -------
    str
        Three to five sentences.
    """
    row = answering.medians.iloc[0]
    by_time = answering.by_time[answering.by_time["touchpoint"] == ALL].set_index("horizon_days")
    said = []
    if answering.within_days in by_time.index:
        last = by_time.loc[answering.within_days]
        said.append(
            f"Of 100 negative contacts, {_of_100(1 - last['share'])} are not answered within "
            f"{_days(answering.within_days)} ({_of_100(1 - last['conf_high'])} to "
            f"{_of_100(1 - last['conf_low'])}; {_n(row['n'])} contacts of "
            f"{_n(row['n_customers'])} customers)."
        )
    if answering.target_days in by_time.index:
        kept = by_time.loc[answering.target_days]
        said.append(
            f"Within the target of {_days(answering.target_days)}, {kept['share']:.0%} are "
            f"answered ({_ends(kept)})."
        )
    if pd.isna(row["median_days"]):
        said.append("Fewer than half are answered in the time observed.")
    else:
        low, high = row["conf_low"], row["conf_high"]
        upper = "more" if pd.isna(high) else f"{high:.3g}"
        said.append(
            f"Half are answered after {row['median_days']:.3g} days ({low:.3g} to {upper}); of "
            f"those answered at all, after {row['answered_median_days']:.3g}."
        )
    if row["n_waiting"]:
        said.append(f"{_n(row['n_waiting'])} are too recent to tell.")
    said.append(_tell_tests(answering.groups, conf_level))
    return " ".join(said)


def describe_amplification(amplification: pd.DataFrame) -> str:
    """Say how many positive contacts are followed up.

    Parameters
    ----------
    amplification : pandas.DataFrame
        From :func:`cxlib.journeys.measure_amplification`.

    Returns
    -------
    str
        One sentence.
    """
    row = amplification.iloc[0]
    return (
        f"Of {_n(row['n'])} positive contacts, {row['share']:.1%} are followed up within "
        f"{_days(row['horizon_days'])} ({_ends(row, 1)})."
    )


def describe_repeats(repeats: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say how often one service contact was not enough, and where that is most so.

    Parameters
    ----------
    repeats : pandas.DataFrame
        From :func:`cxlib.journeys.count_repeats`.
    conf_level : float, default 0.95
        One minus the share of false discoveries allowed.

    Returns
    -------
    str
        Two or three sentences.
    """
    row = repeats.iloc[0]
    text = (
        f"After {row['share']:.0%} of {_n(row['n'])} service contacts ({_ends(row)}) the customer "
        f"came again within {_days(row['within_days'])}; {row['resolved_share']:.0%} needed "
        "no other contact."
    )
    return f"{text} {_tell_most(repeats, 'touchpoint', conf_level)}"


def describe_escalations(
    escalations: Escalations, *, currency: str = "", conf_level: float = 0.95
) -> str:
    """Say how often self-service was not enough, and what that cost.

    Parameters
    ----------
    escalations : Escalations
        From :func:`cxlib.journeys.count_escalations`.
    currency : str, default ""
        Of the costs.
    conf_level : float, default 0.95
        One minus the share of false discoveries allowed.

    Returns
    -------
    str
        Two to four sentences.
    """
    row, causes = escalations.rates.iloc[0], escalations.causes
    text = (
        f"{row['share']:.0%} of {_n(row['n'])} self-service contacts ({_ends(row)}) are followed "
        f"by an assisted one within {_days(row['within_days'])}. "
        f"{_tell_most(escalations.rates, 'touchpoint', conf_level)}"
    )
    if "cost" in causes and causes["cost"].notna().any():
        n_costed = int(causes.loc[causes["cost"].notna(), "n_hits"].sum())
        cost = f"{causes['cost'].sum():,.0f} {currency}".strip()
        text += f" The {_n(n_costed)} assisted contacts after self-service cost {cost}."
    return text


def describe_handoffs(handoffs: Handoffs) -> str:
    """Say how often customers are passed on, and between whom most.

    Parameters
    ----------
    handoffs : Handoffs
        From :func:`cxlib.journeys.count_handoffs`.

    Returns
    -------
    str
        Two or three sentences.
    """
    total, journeys = handoffs.total.iloc[0], handoffs.journeys.set_index("at_least")
    text = (
        f"{total['share']:.0%} of {_n(total['n'])} moves from one contact to the next "
        f"({_ends(total)}) change the {handoffs.by}."
    )
    if len(journeys):
        one, two = journeys.loc[1], journeys.loc[2]
        text += (
            f" {one['share']:.0%} of the journeys ({_ends(one)}) have at least one such hand-off, "
            f"{two['share']:.0%} ({_ends(two)}) two or more."
        )
    handed = handoffs.moves[handoffs.moves["is_handoff"]]
    if len(handed):
        most = handed.iloc[0]
        text += (
            f" The commonest is from {most['from_place']} to {most['to_place']} ({_n(most['n'])}, "
            f"after a median of {most['median_days']:.2g} days)."
        )
    return text


def describe_sales(sales: SalesExperience) -> str:
    """Say how long and through how much customers go before they first buy.

    Parameters
    ----------
    sales : SalesExperience
        From :func:`cxlib.journeys.measure_sales`.

    Returns
    -------
    str
        Two to four sentences.
    """
    until, rows = sales.until.set_index("measure"), sales.evaluation.to_dict("records")
    days, contacts = until.loc["days"], until.loc["contacts"]
    if pd.isna(days["median"]):
        text = f"Fewer than half of {_n(days['n'])} new customers have bought."
    else:
        upper = "more" if pd.isna(days["conf_high"]) else f"{days['conf_high']:.2g}"
        text = (
            f"Half of {_n(days['n'])} new customers have bought {abs(days['median']):.2g} days "
            f"after the first contact ({abs(days['conf_low']):.2g} to {upper})."
        )
    if not pd.isna(contacts["median"]):
        text += f" Those who bought had {contacts['median']:.0f} contacts before (median)."
    if sales.n_existing:
        text += f" {_n(sales.n_existing)} customers had bought before the records begin."
    verbs = {"adds options": "looked for more options", "compares again": "compared again"}
    told = [f"{row['share']:.0%} ({_ends(row)}) {verbs[row['what']]}" for row in rows]
    if told:
        text += f" Of {rows[0]['n']:,.0f} who compared and bought, {' and '.join(told)}."
    return text


def describe_loop(loop: pd.DataFrame) -> str:
    """Say how many customers come back to earlier stages, and buy again.

    Parameters
    ----------
    loop : pandas.DataFrame
        From :func:`cxlib.journeys.measure_loop`.

    Returns
    -------
    str
        One to three sentences.
    """
    if not len(loop):
        return "Purchases are too recent to tell who comes back."
    horizon = loop["horizon_days"].max()
    last = loop[loop["horizon_days"] == horizon].set_index("returns_to")
    stages = last.drop([name for name in (ANY, AGAIN) if name in last.index])
    said = []
    name = ANY if ANY in last.index else (stages.index[0] if len(stages) else "")
    if name:
        row = last.loc[name]
        to = "an earlier stage" if name == ANY else name
        said.append(
            f"Within {_days(horizon)} of the first purchase {row['share']:.0%} of {_n(row['n'])} "
            f"customers ({_ends(row)}) come back to {to}."
        )
    if len(stages) > 1:
        told = ", ".join(f"{stage} {row['share']:.0%}" for stage, row in stages.iterrows())
        said.append(f"By stage: {told}.")
    if AGAIN in last.index:
        row = last.loc[AGAIN]
        said.append(f"{row['share']:.0%} ({_ends(row)}) buy again within {_days(horizon)}.")
    return " ".join(said)


def describe_anonymous(anonymous: AnonymousContacts) -> str:
    """Say how much happens before a customer is known.

    Parameters
    ----------
    anonymous : AnonymousContacts
        From :func:`cxlib.journeys.measure_anonymous`.

    Returns
    -------
    str
        Two or three sentences.
    """
    row, first = anonymous.total.iloc[0], anonymous.touchpoints.iloc[0]
    text = (
        f"{row['share']:.0%} of {_n(row['n'])} customers ({_ends(row)}) were in contact before "
        f"they were known: {_n(row['n_anonymous'])} of {_n(row['n_events'])} contacts. Most often "
        f"they were at {first['touchpoint']} ({first['share']:.0%} of these contacts)."
    )
    if pd.isna(row["median_days"]):
        return text
    return f"{text} Half became known within {row['median_days']:.2g} days."


def describe_map(journey_map: pd.DataFrame, *, score: str = "score") -> str:
    """Say where journeys pass most, and where most of those that pass end.

    Parameters
    ----------
    journey_map : pandas.DataFrame
        From :func:`cxlib.journeys.map_journey`.
    score : str, default "score"
        What the scores are called.

    Returns
    -------
    str
        One to three sentences.
    """
    most = journey_map.loc[journey_map["n_journeys"].idxmax()]
    said = [f"Most journeys come by {most['touchpoint']} ({most['journey_share']:.0%})."]
    if journey_map["end_share"].notna().any():
        row = journey_map.loc[journey_map["end_share"].idxmax()]
        said.append(
            f"The largest share ends at {row['touchpoint']}: {row['end_share']:.0%} of the "
            f"{_n(row['n_over'])} journeys that come by and are over ({_ends(row)})."
        )
    if "score" in journey_map and journey_map["score"].notna().any():
        row = journey_map.loc[journey_map["score"].idxmin()]
        said.append(f"The lowest {score} is that of {row['touchpoint']} ({row['score']:.3g}).")
    return " ".join(said)


def _tell_tests(groups: pd.DataFrame, conf_level: float) -> str:
    tested = groups[groups["p_value"].notna()]
    if not len(tested):
        return "No groups could be compared."
    sure = tested[tested["q_value"] <= 1 - conf_level]
    levels = ", ".join(tested["level"].drop_duplicates())
    if len(tested) < 2:
        return ""
    text = f"Of {len(tested)} groups (by {levels}) compared with the others, "
    text += f"{len(sure) or 'none'} differ{'s' if len(sure) <= 1 else ''}"
    if not len(sure):
        return f"{text} beyond chance."
    row = sure.sort_values(["q_value", "p_value"], kind="stable").iloc[0]
    return f"{text} beyond chance, {row['group']} most surely ({row['share']:.0%}, {_ends(row)})."


def _tell_most(rates: pd.DataFrame, level: str, conf_level: float) -> str:
    """Name the group with the highest share, if it differs beyond chance."""
    known = rates[(rates["level"] == level) & rates["share"].notna()]
    if len(known) < 2:
        return f"There is one {level} only."
    row = known.loc[known["share"].idxmax()]
    if not row["q_value"] <= 1 - conf_level:
        return f"No {level} can be told to have the highest share."
    return (
        f"The share is highest for {row['group']}: {row['share']:.0%} ({_ends(row)}; n "
        f"{_n(row['n'])}), more than for the others beyond chance."
    )


def _ends(row: Any, digits: int = 0) -> str:
    return f"{row['conf_low']:.{digits}%} to {row['conf_high']:.{digits}%}"


def _n(count: float) -> str:
    return f"{count:,.0f}"


def _of_100(share: float) -> str:
    return f"{100 * share:.0f}"


def _days(days: float) -> str:
    return f"{days:g} day{'' if days == 1 else 's'}"
