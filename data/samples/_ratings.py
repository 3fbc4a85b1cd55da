"""Further questions of the survey: tolerance, stated importance, Kano pairs, and time taken.

They have random numbers of their own, so that expectations, perceptions and outcomes stay as they
were before these questions were asked.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from _people import Floats
from _survey import ITEMS, MISSING_SHARE, REVERSED
from numpy.typing import NDArray

# touchpoint: points from the minimum up to the expectation, and from there up to what is desired,
# before both are cut where they would cross the expectation
TOLERANCE = {"technician_visit": (0.9, 0.6), "billing": (1.3, 0.6), "installation": (1.2, -0.4)}
ZONE_ITEMS = [name for name, item in ITEMS.items() if item.touchpoint in TOLERANCE]

# dimension: points of 100 that customers say it is worth, on average
STATED = {
    "reliability": 34,
    "responsiveness": 27,
    "assurance": 16,
    "empathy": 9,
    "tangibles": 14,
}
STATED_SPREAD = 14.0  # larger is closer together
NOT_A_HUNDRED_SHARE = 0.01

KANO = ("must_be", "performance", "attractive", "indifferent", "reverse", "questionable")
# pairs of answers to "if it is there" and "if it is not": 1 like, 2 must be, 3 neutral, 4 can live
# with it, 5 dislike
CODES = {
    "must_be": ((2, 5), (3, 5), (4, 5)),
    "performance": ((1, 5),),
    "attractive": ((1, 2), (1, 3), (1, 4)),
    "indifferent": ((2, 2), (2, 3), (3, 2), (3, 3), (3, 4), (4, 3), (4, 4)),
    "reverse": ((3, 1), (5, 3), (4, 1)),
    "questionable": ((1, 1), (5, 5)),
}
# feature: wording, planted category, shares of the categories in the order of KANO
FEATURES = {
    "bill_breakdown": (
        "Every charge on the bill is explained.",
        "must_be",
        (0.56, 0.20, 0.07, 0.13, 0.02, 0.02),
    ),
    "faster_speed": (
        "The line gets twice as fast.",
        "performance",
        (0.14, 0.55, 0.19, 0.09, 0.01, 0.02),
    ),
    "visit_tracking": (
        "A map shows where the technician is.",
        "attractive",
        (0.06, 0.14, 0.55, 0.20, 0.03, 0.02),
    ),
    "paper_news": (
        "A magazine comes by post.",
        "indifferent",
        (0.02, 0.04, 0.09, 0.64, 0.18, 0.03),
    ),
    "callback": (
        "The hotline calls back.",
        "undecided",
        (0.14, 0.33, 0.33, 0.16, 0.02, 0.02),
    ),
}

MEDIAN_SECONDS = {"C": 540, "E": 150}  # by panel: customers answer four times as many questions
SECONDS_SPREAD = 0.38
FAST_SHARE = 0.009  # others who rush through
FAST_SECONDS = {"C": (45, 110), "E": (12, 30)}

ADDED = [f"{role}_{name}" for role in "LD" for name in ZONE_ITEMS]
ADDED += [f"W_{name}" for name in STATED]
ADDED += [f"{role}_{name}" for role in ("KF", "KD") for name in FEATURES]


def draw_zone(rng: np.random.Generator, census: pd.DataFrame) -> pd.DataFrame:
    """Draw the minimum and the desired rating of everyone invited: `L_<item>`, `D_<item>`.

    The minimum is never above the expectation, what is desired never below it.
    """
    zone = pd.DataFrame(index=census.index)
    for name in ZONE_ITEMS:
        below, above = TOLERANCE[ITEMS[name].touchpoint]
        expected = census[f"E_{name}"].to_numpy()
        minimum = np.rint(expected - below + rng.normal(0, 0.5, len(expected)))
        desired = np.rint(expected + above + rng.normal(0, 0.5, len(expected)))
        zone[f"L_{name}"] = np.clip(minimum, 1, expected)
        zone[f"D_{name}"] = np.clip(desired, expected, 7)
    return zone[[f"{role}_{name}" for role in "LD" for name in ZONE_ITEMS]]


def draw_importance(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Draw how `n` customers split 100 points over the dimensions, in steps of five.

    A few do not add up.
    """
    shares = rng.dirichlet(STATED_SPREAD * np.array(list(STATED.values())) / 100, n)
    fives = np.floor(20 * shares).astype(int)
    order = np.argsort(np.argsort(-(20 * shares - fives), axis=1), axis=1)
    fives += order < (20 - fives.sum(axis=1))[:, None]
    points = pd.DataFrame(5.0 * fives, columns=[f"W_{name}" for name in STATED])
    wrong = rng.random(n) < NOT_A_HUNDRED_SHARE
    points.loc[wrong, "W_reliability"] += 10
    return points


def draw_kano(rng: np.random.Generator, waves: pd.Series) -> pd.DataFrame:
    """Draw Kano pairs, `KF_` if the feature were there, `KD_` if it were not.

    Within a wave the categories have their shares exactly, so that the mixed one stays mixed.
    """
    pairs = pd.DataFrame(index=waves.index, columns=ADDED[-2 * len(FEATURES) :], dtype=float)
    for _, own in waves.groupby(waves):
        n = len(own)
        for name, (_, _, shares) in FEATURES.items():
            cuts = np.rint(np.cumsum(shares) * n).astype(int)
            category = rng.permutation(np.searchsorted(cuts, np.arange(n), "right"))
            codes = np.array([_pick(rng, CODES[KANO[number]]) for number in category])
            pairs.loc[own.index, [f"KF_{name}", f"KD_{name}"]] = codes
    return pairs


def _pick(rng: np.random.Generator, options: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    return options[rng.integers(len(options))]


def draw_seconds(rng: np.random.Generator, panel: str, straight: NDArray[np.bool_]) -> Floats:
    """Draw the seconds each respondent took; straight-liners and a few others rush through."""
    n = len(straight)
    seconds = np.rint(MEDIAN_SECONDS[panel] * np.exp(rng.normal(0, SECONDS_SPREAD, n)))
    fast = straight | (rng.random(n) < FAST_SHARE)
    return np.where(fast, rng.integers(*FAST_SECONDS[panel], n), seconds)


def find_straight_liners(given: pd.DataFrame) -> NDArray[np.bool_]:
    """Find who gave one number to everything; with these items nobody else does."""
    return (given.filter(regex="^[EPB]_").nunique(axis=1) == 1).to_numpy()


def answer_more(
    rng: np.random.Generator, given: pd.DataFrame, zone: pd.DataFrame, waves: pd.Series
) -> pd.DataFrame:
    """Return what respondents wrote to these questions, as the survey tool holds it.

    `given` has their other answers as written; straight-liners give their number here too, 20
    points to each dimension and the middle code to each feature.
    """
    straight = find_straight_liners(given)
    habit = given.filter(regex="^[EP]_").max(axis=1)
    zone = zone.copy()
    for column in zone:
        if column[2:] in REVERSED:
            zone[column] = 8 - zone[column]
        zone[column] = zone[column].mask(straight, habit)
    importance = draw_importance(rng, len(given)).set_index(given.index)
    importance.loc[straight] = 20.0
    kano = draw_kano(rng, waves)
    kano.loc[straight] = 3.0
    importance.loc[rng.random(len(given)) < MISSING_SHARE] = np.nan
    singles = zone.join(kano)
    singles = singles.where(rng.random(singles.shape) >= MISSING_SHARE)
    return singles.join(importance)[ADDED]
