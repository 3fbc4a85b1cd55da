"""Likely touchpoints by name: defaults a reader sees, checks and replaces by their own list."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cxlib.errors import InputError
from cxlib.journeys.log import JourneyLog, find_contacts

_COMPLAINTS = r"complain|grievance|\bclaim|\bdispute|\bnegative|\bbad ?review"
_ANSWERS = r"\brepl(?:y|ied)|\banswer|\brespon|\bresol|\bsolved|\bclosed"
_SERVICE = r"service|support|\bcare\b|help"
_SELF_SERVICE = r"\bweb|\bapp\b|\bonline|\bportal|\bkiosk|\bself|bot\b"
_ASSISTED = r"phone|\bcall|\bstore\b|\bshop|\bbranch|\bchat(?! ?bot)|whatsapp|\bagent|\bdesk"


def find_complaints(log: JourneyLog) -> tuple[str, ...]:
    """Find touchpoints that look like negative contacts begun by customers.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.

    Returns
    -------
    tuple of str
        Touchpoints named like complaints, claims, disputes or bad reviews, and not like an answer
        to one; contacts begun by the company are left out where that is known. May be empty.
    """
    names = log.contacts["touchpoint"]
    return _choose(log, _is_like(names, _COMPLAINTS) & ~_is_like(names, _ANSWERS))


def find_service(log: JourneyLog) -> tuple[str, ...]:
    """Find touchpoints at which customers look for help.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.

    Returns
    -------
    tuple of str
        Touchpoints of the stage ``use`` begun by customers and owned by a department named like
        service, support, care or help; without departments, touchpoints named so or like a
        complaint. May be empty.
    """
    if "department" in log.contacts:
        return _choose(log, _is_in_use(log) & _is_like(log.contacts["department"], _SERVICE))
    names = log.contacts["touchpoint"]
    is_service = _is_like(names, _SERVICE) | _is_like(names, _COMPLAINTS)
    return _choose(log, _is_in_use(log) & is_service & ~_is_like(names, _ANSWERS))


def find_self_service(log: JourneyLog) -> tuple[str, ...]:
    """Find touchpoints at which customers help themselves.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.

    Returns
    -------
    tuple of str
        Touchpoints of the stage ``use`` begun by customers in a channel named like web, app or
        portal (without channels: named so themselves), but not named like a person who helps, such
        as a chat. May be empty.
    """
    is_human = _is_like(log.contacts["touchpoint"], _ASSISTED)
    return _choose(log, _is_in_use(log) & _is_like(_places(log), _SELF_SERVICE) & ~is_human)


def find_assisted(log: JourneyLog) -> tuple[str, ...]:
    """Find touchpoints at which a person helps customers.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.

    Returns
    -------
    tuple of str
        Touchpoints of the stage ``use`` begun by customers that are named, or whose channel is
        named, like phone, store or chat. May be empty.
    """
    is_human = _is_like(log.contacts["touchpoint"], _ASSISTED)
    return _choose(log, _is_in_use(log) & (is_human | _is_like(_places(log), _ASSISTED)))


def find_codes(log: JourneyLog, names: Sequence[str], *, parameter: str, what: str) -> list[int]:
    """Find the contacts of touchpoints, or stages, and refuse to look at none.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    names : sequence of str
        Named by the caller or found.
    parameter : str
        Where they come from.
    what : str
        What they stand for, for the message.

    Returns
    -------
    list of int
        Codes of the contacts.

    Raises
    ------
    InputError
        When there is no name, one is unknown, or one text is given instead of a list.
    """
    if isinstance(names, str):
        raise InputError(
            f"{parameter} = '{names}' is a text, not a list of touchpoints.",
            f"parameter '{parameter}'",
            f"write {parameter} = ['{names}']",
        )
    if not names:
        raise InputError(
            f"No touchpoint is known to be {what}.",
            f"parameter '{parameter}'",
            f"name touchpoints in '{parameter}'; none of the events looks like one",
        )
    found = find_contacts(log.contacts, list(dict.fromkeys(names)), parameter=parameter)
    return [code for codes in found for code in codes]


def _is_like(names: pd.Series, words: str) -> pd.Series:
    # an underscore is a letter to patterns, but ends a word in names
    return names.str.lower().str.replace("_", " ").str.contains(words)


def _places(log: JourneyLog) -> pd.Series:
    return log.contacts["channel" if "channel" in log.contacts else "touchpoint"]


def _is_in_use(log: JourneyLog) -> pd.Series:
    if "stage" not in log.contacts or "use" not in set(log.contacts["stage"]):
        return pd.Series(True, index=log.contacts.index)
    return log.contacts["stage"] == "use"


def _choose(log: JourneyLog, is_likely: pd.Series) -> tuple[str, ...]:
    """Name the touchpoints all of whose contacts are likely and not begun by the company."""
    if "initiated_by" in log.contacts:
        is_likely = is_likely & (log.contacts["initiated_by"] != "company")
    every = is_likely.groupby(log.contacts["touchpoint"]).all()
    return tuple(every.index[every])
