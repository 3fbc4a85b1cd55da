"""Journeys of the sample company: four kinds of path through its touchpoints, with noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from _people import EXTRACT_START, KIND_SHARES, KINDS, LAST_DAY, PLANS, Floats
from numpy.typing import NDArray

CHANGE_DATE = np.datetime64("2025-03-01")  # month 20: sales chat and app ordering go live
CHANGE_DAY = int((CHANGE_DATE - EXTRACT_START).astype(int))
UNANSWERED_SHARE = 0.35
OWN_KIND_SHARE = 0.7  # journeys of the customer's own kind; the others follow the common mix
DETOUR_SHARE = 0.05
DETOURS = ("website", "newsletter", "billing", "app", "web_help", "store_visit")
BORROWING_SHARE = 0.2  # journeys that take a few steps of another kind on the way
SHORTEST, LONGEST = 3, 20
SILENCE_DAYS = 40  # least time between two journeys of a customer
PAUSE_MEAN_DAYS = 318  # further time between two journeys, on average

# touchpoint: stage, channel, department, cost of one contact in EUR
TOUCHPOINTS = {
    "social_ad": ("attraction", "social", "marketing", 0.35),
    "search_ad": ("attraction", "web", "marketing", 0.80),
    "website": ("awareness", "web", "marketing", 0.02),
    "newsletter": ("awareness", "e-mail", "marketing", 0.01),
    "social_comment": ("discovery", "social", "marketing", 0.60),
    "plans_page": ("discovery", "web", "sales", 0.02),
    "compare_options": ("cultivation", "web", "sales", 0.05),
    "live_chat_sales": ("cultivation", "web", "sales", 3.20),
    "store_visit": ("cultivation", "store", "retail", 6.50),
    "online_order": ("purchase", "web", "sales", 1.10),
    "app_order": ("purchase", "app", "sales", 0.90),
    "store_purchase": ("purchase", "store", "retail", 9.00),
    "add_on": ("purchase", "app", "sales", 0.40),
    "installation": ("use", "home", "field", 65.00),
    "welcome_email": ("use", "e-mail", "marketing", 0.01),
    "app": ("use", "app", "digital", 0.01),
    "billing": ("use", "e-mail", "billing", 0.15),
    "web_help": ("use", "web", "service", 0.05),
    "chat": ("use", "web", "service", 3.00),
    "phone_support": ("use", "phone", "service", 7.50),
    "technician_visit": ("use", "home", "field", 80.00),
    "complaint": ("use", "e-mail", "service", 12.00),
    "complaint_reply": ("use", "e-mail", "service", 9.00),
    "review": ("advocacy", "web", "marketing", 0.05),
    "referral": ("advocacy", "app", "marketing", 20.00),
}
COMPANY_BEGINS = {
    "social_ad",
    "search_ad",
    "newsletter",
    "welcome_email",
    "billing",
    "complaint_reply",
}
OTHER_CHANNELS = {"complaint": ("phone", "social"), "chat": ("app",), "website": ("app",)}
OTHER_CHANNEL_SHARE = 0.3
SLOW_DAYS = {
    "installation": (3.0, 11.0),
    "technician_visit": (1.0, 7.0),
    "complaint_reply": (0.5, 12.0),
}


@dataclass(frozen=True)
class Step:
    """One step a journey may take.

    `share` is how often it is taken, `again` how often it is repeated (at most three times),
    `instead` what happens when it is not taken, `follows` the touchpoint it must come right
    after, `leaves` how often the journey ends here.
    """

    touchpoint: str
    share: float = 1.0
    again: float = 0.0
    instead: str = ""
    follows: str = ""
    leaves: float = 0.0


@dataclass(frozen=True)
class Kind:
    """A kind of journey: steps before, a core that may be gone through again, steps after."""

    head: tuple[Step, ...]
    core: tuple[Step, ...]
    tail: tuple[Step, ...]
    again: float = 0.0


_REPLY = Step("complaint_reply", 1 - UNANSWERED_SHARE, follows="complaint")
_DIRECT = Kind(
    head=(Step("search_ad", 0.7), Step("website", 0.9, again=0.15)),
    core=(Step("plans_page", again=0.2, leaves=0.15), Step("online_order")),
    tail=(
        Step("installation", 0.9),
        Step("welcome_email", 0.65),
        Step("app", 0.35),
        Step("complaint", 0.02),
        _REPLY,
    ),
)
# After the change: of the visitors who read the plans page and go on, most chat first,
# and most order in the app.
CHAT_SHARE, APP_ORDER_SHARE = 0.7, 0.7
_DIRECT_CHANGED = replace(
    _DIRECT,
    core=(
        _DIRECT.core[0],
        Step("live_chat_sales", CHAT_SHARE),
        Step("app_order", APP_ORDER_SHARE, instead="online_order"),
    ),
)
_LOOP = Kind(
    head=(Step("newsletter", 0.2), Step("online_order", 0.45, instead="app")),
    core=(
        Step("plans_page", 0.25),
        Step("compare_options", 0.9, again=0.25, leaves=0.08),
        Step("add_on", 0.8),
        Step("app", 0.5),
    ),
    tail=(Step("billing", 0.15), Step("review", 0.6), Step("referral", 0.06)),
    again=0.3,
)
_ESCALATION = Kind(
    head=(Step("billing", 0.12), Step("app", 0.12), Step("web_help", 0.95, again=0.2)),
    core=(
        Step("chat", 0.8, again=0.1, leaves=0.06),
        Step("phone_support", 0.9, again=0.2),
        Step("technician_visit", 0.5),
    ),
    tail=(Step("complaint", 0.5), _REPLY, Step("app", 0.1)),
    again=0.15,
)
_STORE_SOCIAL = Kind(
    head=(
        Step("social_ad", 0.85),
        Step("social_comment", 0.75, again=0.15),
        Step("website", 0.2),
    ),
    core=(
        Step("store_visit", again=0.15, leaves=0.1),
        Step("store_purchase", 0.9, instead="online_order"),
    ),
    tail=(
        Step("installation", 0.3),
        Step("app", 0.5),
        Step("referral", 0.5),
        Step("review", 0.06),
        Step("complaint", 0.02),
        _REPLY,
    ),
)
_PLAIN = {
    "direct": _DIRECT,
    "loop": _LOOP,
    "escalation": _ESCALATION,
    "store_social": _STORE_SOCIAL,
}


def kind_at(name: str, day: float) -> Kind:
    """Return how a kind of journey runs when it starts on a day."""
    if name == "direct" and day >= CHANGE_DAY:
        return _DIRECT_CHANGED
    return _PLAIN[name]


def draw_steps(rng: np.random.Generator, kind: Kind, *, completes: bool = False) -> list[str]:
    """Draw the touchpoints of one journey, 3 to 20 of them; `completes` = it does not end early."""
    while True:
        steps = _add_detours(rng, _walk(rng, kind, completes=completes))
        if rng.random() < BORROWING_SHARE:
            steps = _borrow(rng, steps)
        if SHORTEST <= len(steps) <= LONGEST:
            return steps


def _borrow(rng: np.random.Generator, steps: list[str]) -> list[str]:
    """Put two to four steps of some plain kind somewhere into a journey; complaints stay out."""
    other = _walk(rng, _PLAIN[str(rng.choice(KINDS))], completes=True)
    other = [step for step in other if not step.startswith("complaint")]
    first, at = rng.integers(0, max(len(other) - 2, 1)), rng.integers(1, len(steps) + 1)
    return [*steps[:at], *other[first : first + rng.integers(2, 5)], *steps[at:]]


def _walk(rng: np.random.Generator, kind: Kind, *, completes: bool) -> list[str]:
    cores = 1 + sum(rng.random(2) < kind.again)
    steps: list[str] = []
    for step in kind.head + kind.core * cores + kind.tail:
        if step.follows and (not steps or steps[-1] != step.follows):
            continue
        if rng.random() >= step.share:
            steps += [step.instead] if step.instead else []
            continue
        steps.append(step.touchpoint)
        repeats = np.cumprod(rng.random(3) < step.again).sum() if step.again else 0
        steps += [step.touchpoint] * int(repeats)
        if step.leaves and not completes and rng.random() < step.leaves:
            break
    return steps


def _add_detours(rng: np.random.Generator, steps: list[str]) -> list[str]:
    detours = rng.random(len(steps)) < DETOUR_SHARE
    walked = []
    for step, detour in zip(steps, detours, strict=True):
        walked += [step, str(rng.choice(DETOURS))] if detour else [step]
    return walked


def draw_times(rng: np.random.Generator, steps: list[str]) -> Floats:
    """Draw the moment of each step in days from the first morning, between 7 and 23 o'clock.

    Two steps are never more than 16 days apart.
    """
    moment = rng.uniform(8, 21) / 24
    moments = [moment]
    for step in steps[1:]:
        if step in SLOW_DAYS:
            moment += rng.uniform(*SLOW_DAYS[step])
        elif rng.random() < 0.45:
            moment += 0.001 + min(rng.exponential(0.02), 0.3)
        else:
            moment += 0.1 + min(rng.exponential(2.2), 14)
        hour = moment % 1 * 24
        if not 7 <= hour < 23:  # people sleep; so no clock change falls on a contact
            moment = np.floor(moment + 1 / 24) + rng.uniform(8, 11) / 24
        moments.append(moment)
    return np.array(moments)


def draw_events(
    rng: np.random.Generator, people: pd.DataFrame, spells: pd.DataFrame
) -> pd.DataFrame:
    """Draw all contacts, in time order, each with the number and kind of its journey."""
    stays = {
        customer_id: part[["start_day", "end_day"]].to_numpy()
        for customer_id, part in spells.groupby("customer_id", sort=False)
    }
    rows: list[tuple[str, int, str, float, str]] = []
    for person in people.itertuples():
        walked = _customer_journeys(rng, person, stays[person.customer_id])
        for number, (kind, steps, moments) in enumerate(walked, 1):
            rows += [
                (person.customer_id, number, kind, moment, step)
                for step, moment in zip(steps, moments, strict=True)
                if moment < LAST_DAY + 1
            ]
    events = pd.DataFrame(rows, columns=["customer_id", "n", "kind", "moment", "touchpoint"])
    seconds = np.floor(events["moment"] * 86_400).astype("int64").to_numpy()
    events["local_time"] = EXTRACT_START.astype("datetime64[s]") + seconds
    events = events.drop(columns="moment")
    return _add_attributes(rng, events.sort_values(["local_time", "customer_id"], kind="stable"))


def _customer_journeys(
    rng: np.random.Generator, person: Any, stays: NDArray[np.int64]
) -> Iterator[tuple[str, list[str], Floats]]:
    """Yield kind, steps and moments of a customer's journeys, at least 40 days apart."""
    quiet_until = 0.0
    if person.joined_day > 0:
        kind = "store_social" if person.acquisition_channel == "store" else "direct"
        steps, moments = _draw_joining(rng, kind, person.joined_day)
        if moments[0] >= 0:  # otherwise the extract holds only a part; such journeys are left out
            quiet_until = moments[-1] + SILENCE_DAYS
            yield kind, steps, moments
    for start, end in stays:
        begin = np.floor(max(start, quiet_until) + rng.exponential(PAUSE_MEAN_DAYS))
        while begin < min(end, LAST_DAY):
            own = rng.random() < OWN_KIND_SHARE
            kind = person.kind if own else str(rng.choice(KINDS, p=KIND_SHARES))
            steps = draw_steps(rng, kind_at(kind, begin))
            moments = begin + draw_times(rng, steps)
            yield kind, steps, moments
            quiet_until = moments[-1] + SILENCE_DAYS
            begin = np.floor(quiet_until + rng.exponential(PAUSE_MEAN_DAYS))


def _draw_joining(rng: np.random.Generator, kind: str, joined_day: int) -> tuple[list[str], Floats]:
    """Draw the journey that made a customer; installation, or its last step, is on that day."""
    begin = float(joined_day)
    while True:
        steps = draw_steps(rng, kind_at(kind, begin), completes=True)
        moments = draw_times(rng, steps)
        anchor = steps.index("installation") if "installation" in steps else len(steps) - 1
        moments += joined_day - np.floor(moments[anchor])
        if kind_at(kind, moments[0]) is kind_at(kind, begin):
            return steps, moments
        begin = moments[0]


def _add_attributes(rng: np.random.Generator, events: pd.DataFrame) -> pd.DataFrame:
    events = events.reset_index(drop=True)
    touchpoint = events["touchpoint"]
    events["event_id"] = [f"{number:07d}" for number in range(1, len(events) + 1)]
    channel = touchpoint.map({name: row[1] for name, row in TOUCHPOINTS.items()})
    for name, others in OTHER_CHANNELS.items():
        other = (touchpoint == name) & (rng.random(len(events)) < OTHER_CHANNEL_SHARE)
        channel = channel.mask(other, rng.choice(others, len(events)))
    events["channel"] = channel
    company = touchpoint.isin(COMPANY_BEGINS)
    events["initiated_by"] = np.where(company, "company", "customer")
    fee = rng.choice(list(PLANS.values()), len(events))
    add_on = rng.choice([4.5, 7.0, 12.0], len(events))
    value = np.where(touchpoint.isin({"online_order", "app_order", "store_purchase"}), fee, np.nan)
    events["value"] = np.where(touchpoint == "add_on", add_on, value)
    return events


def next_shares(events: pd.DataFrame, touchpoint: str) -> dict[str, dict[str, float]]:
    """Count what follows a touchpoint within a journey, before and after the change."""
    events = events.sort_values(["customer_id", "n", "local_time", "event_id"])
    journey = events.groupby(["customer_id", "n"])
    events = events.assign(
        following=journey["touchpoint"].shift(-1).fillna("(end)"),
        period=np.where(journey["local_time"].transform("min") < CHANGE_DATE, "before", "after"),
    )
    steps = events[events["touchpoint"] == touchpoint]
    watched = ("online_order", "live_chat_sales", "app_order")
    return {
        period: {name: float((part["following"] == name).mean()) for name in watched}
        for period, part in steps.groupby("period", sort=False)
    }
