"""Survey of the sample company: what customers expect and get, and what employees believe.

An expectation is latent; a perception is the expectation plus the touchpoint's gap, the customer's
own experience, the mood of the day and noise. Both are then rounded and cut to the scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from _people import EXTRACT_START, GAP_MEANS, Floats

WAVES = ("2025-05", "2025-11")
WAVE_DAYS = {wave: int((np.datetime64(f"{wave}-05") - EXTRACT_START).astype(int)) for wave in WAVES}
N_INVITED = 3_000
RESPONSE_SHARES = {"green": 0.50, "amber": 0.35, "red": 0.20}  # by the flag of the customer file
HEALTH_CUTS = (-1.05, -0.15)  # red below the first, amber below the second
MISSING_CODE = "99"
MISSING_SHARE = 0.03
STRAIGHT_LINER_SHARE = 0.012
MOOD_SPREAD = 0.25  # points by which a customer's mood moves all perceptions alike

EMPLOYEE_WAVE = "2025-11"
TEAMS = (
    *("care-1", "care-2", "care-3", "care-4", "field-1", "field-2", "field-3", "field-4"),
    *("shop-1", "shop-2", "shop-3", "sales-1", "sales-2", "billing-1"),
)
EMPLOYEES_A_TEAM = (12, 12, 12, 11, 12, 12, 12, 11, 11, 11, 11, 11, 11, 11)
OVERRATED = {"tech_ontime": 1.3, "phone_wait": 1.3, "phone_care": 1.2, "bill_surprise": 1.5}


@dataclass(frozen=True)
class Item:
    """One survey item: `offset` moves its gap away from the touchpoint's."""

    touchpoint: str
    dimension: str
    text: str
    expectation: float
    offset: float
    kind: str = "functional"
    is_reversed: bool = False


ITEMS = {
    "web_clear": Item("website", "tangibles", "Prices and plans are easy to find.", 5.6, 0.06),
    "web_works": Item("website", "reliability", "The website works when I need it.", 5.8, -0.06),
    "order_simple": Item("online_order", "responsiveness", "Ordering takes few steps.", 5.5, 0.05),
    "order_correct": Item("online_order", "reliability", "I get what I ordered.", 5.9, -0.05),
    "store_welcome": Item(
        "store_visit", "empathy", "I am made welcome in the shop.", 5.2, 0.05, "emotional"
    ),
    "store_advice": Item("store_visit", "assurance", "Shop staff know their plans.", 5.5, -0.05),
    "install_ontime": Item("installation", "reliability", "The installer comes on time.", 5.3, 0.1),
    "install_tidy": Item("installation", "tangibles", "The installer leaves it tidy.", 5.0, -0.1),
    "tech_ontime": Item(
        "technician_visit", "reliability", "The technician comes as promised.", 5.7, -0.1
    ),
    "tech_skill": Item(
        "technician_visit", "assurance", "The technician solves it in one visit.", 5.6, 0.1
    ),
    "bill_clear": Item("billing", "empathy", "My bill is made for me to read.", 5.5, 0.05),
    "bill_surprise": Item(
        "billing", "assurance", "My bill holds surprises.", 5.6, -0.05, "emotional", True
    ),
    "phone_wait": Item(
        "phone_support", "responsiveness", "I wait long on the phone.", 5.5, -0.1, is_reversed=True
    ),
    "phone_care": Item(
        "phone_support", "empathy", "On the phone they take my side.", 5.4, 0.1, "emotional"
    ),
    "app_easy": Item("app", "tangibles", "The app is easy to use.", 5.6, 0.08),
    "app_tells": Item("app", "responsiveness", "The app tells me of faults in time.", 5.3, -0.08),
}
OUTCOMES = {
    "recommend": ("nps", 0, 10, "How likely are you to recommend us?"),
    "satisfied": ("csat", 1, 5, "How satisfied are you overall?"),
    "effort": ("ces", 1, 7, "The company makes it easy to get things done."),
}
REVERSED = [name for name, item in ITEMS.items() if item.is_reversed]


def add_experience(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """Add each customer's mood, overall experience and the health flag of the customer file."""
    off = {name: people[f"gap_{name}"] - mean for name, mean in GAP_MEANS.items()}
    mood = pd.Series(rng.normal(0, 1, len(people)), people.index)
    experience = (
        0.8 * off["billing"]
        + 0.7 * off["phone_support"] * (people["kind"] == "escalation")
        + 0.2 * (off["website"] + off["online_order"] + off["installation"] + off["app"])
        + 0.5 * mood
    )
    flagged = experience + rng.normal(0, 0.6, len(people))
    health = np.select([flagged < cut for cut in HEALTH_CUTS], ["red", "amber"], "green")
    return people.assign(mood=mood, experience=experience, health=health)


def draw_invited(
    rng: np.random.Generator, people: pd.DataFrame, spells: pd.DataFrame
) -> pd.DataFrame:
    """Invite 3,000 active customers a wave and draw who responds.

    Whether they respond depends on the health flag alone, so weighting by it can repair what
    non-response does.
    """
    waves = []
    for number, (wave, day) in enumerate(WAVE_DAYS.items(), 1):
        active = spells[(spells["start_day"] <= day) & (spells["end_day"] > day)]
        chosen = rng.choice(active["customer_id"].to_numpy(dtype=str), N_INVITED, replace=False)
        frame = pd.DataFrame({"customer_id": chosen}).merge(people, on="customer_id")
        frame.insert(0, "respondent_id", [f"S{number}-{i:05d}" for i in range(1, len(frame) + 1)])
        frame["wave"] = wave
        frame["invited_day"] = day + rng.integers(0, 4, len(frame))
        waves.append(frame)
    invited = pd.concat(waves, ignore_index=True)
    chance = invited["health"].map(RESPONSE_SHARES)
    invited["response_probability"] = chance
    invited["responds"] = rng.random(len(invited)) < chance
    invited["answered_day"] = invited["invited_day"] + rng.integers(1, 15, len(invited))
    return invited


def draw_answers(rng: np.random.Generator, invited: pd.DataFrame) -> pd.DataFrame:
    """Draw what every invited customer would answer, so that the truth can be counted.

    Columns `E_<item>` and `P_<item>` and the outcomes, on their scales, higher is better (reversed
    items are turned when they are written).
    """
    n = len(invited)
    style = rng.normal(0, 0.5, n)
    answers = invited[["respondent_id"]].copy()
    for name, item in ITEMS.items():
        expected = item.expectation + style + rng.normal(0, 0.6, n)
        gap = invited[f"gap_{item.touchpoint}"] + item.offset + MOOD_SPREAD * invited["mood"]
        answers[f"E_{name}"] = _on_scale(expected, 1, 7)
        answers[f"P_{name}"] = _on_scale(expected + gap + rng.normal(0, 0.6, n), 1, 7)
    experience = invited["experience"]
    answers["recommend"] = _on_scale(7.3 + 1.5 * experience + rng.normal(0, 1.2, n), 0, 10)
    answers["satisfied"] = _on_scale(3.7 + 0.6 * experience + rng.normal(0, 0.6, n), 1, 5)
    answers["effort"] = _on_scale(4.9 + 0.7 * experience + rng.normal(0, 0.9, n), 1, 7)
    return answers


def _on_scale(latent: Floats | pd.Series, low: int, high: int) -> Floats:
    return np.clip(np.rint(np.asarray(latent)), low, high)


def spoil_answers(rng: np.random.Generator, answers: pd.DataFrame) -> pd.DataFrame:
    """Turn the reversed items, make a few straight-liners, leave some answers out (NaN)."""
    ratings = [column for column in answers if column[:2] in ("E_", "P_", "B_")]
    answers = answers.copy()
    for column in ratings:
        if column[2:] in REVERSED:
            answers[column] = 8 - answers[column]
    lazy = rng.random(len(answers)) < STRAIGHT_LINER_SHARE
    habit = rng.integers(4, 8, len(answers))
    for column in ratings:
        answers[column] = answers[column].mask(lazy, habit)
    kept = rng.random((len(answers), len(ratings))) >= MISSING_SHARE
    answers[ratings] = answers[ratings].where(kept)
    return answers


def draw_beliefs(rng: np.random.Generator, census: pd.DataFrame) -> pd.DataFrame:
    """Draw what employees believe customers get: right on all items but four, which they overrate.

    Columns `respondent_id`, `unit` and `B_<item>`; `census` holds what all invited customers
    would answer.
    """
    units = np.repeat(TEAMS, EMPLOYEES_A_TEAM)
    n = len(units)
    beliefs = pd.DataFrame({"respondent_id": [f"E-{i:03d}" for i in range(1, n + 1)]})
    beliefs["unit"] = units
    team = np.repeat(rng.normal(0, 0.1, len(TEAMS)), EMPLOYEES_A_TEAM)
    for name in ITEMS:
        delivered = census[f"P_{name}"].mean() + OVERRATED.get(name, 0.0)
        belief = delivered + team + _centred_noise(rng, n, 0.9)
        beliefs[f"B_{name}"] = _on_scale(belief, 1, 7)
    return beliefs


def _centred_noise(rng: np.random.Generator, n: int, spread: float) -> Floats:
    """Draw normal noise that sums to zero, so that 160 employees are as right as many would be."""
    noise = rng.normal(0, spread, n)
    return noise - noise.mean()


def net_promoter_score(recommend: pd.Series, weights: pd.Series | float = 1.0) -> float:
    """Compute promoters (9, 10) minus detractors (0 to 6) in points of 100."""
    score = 100.0 * ((recommend >= 9).astype(int) - (recommend <= 6).astype(int))
    return float((score * weights).sum() / (score * 0 + weights).sum())
