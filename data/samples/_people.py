"""Customers of the sample company: who they are, how long they stay, what they pay for.

Days are whole numbers counted from the first day of the extract (2023-07-01 is day 0).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating[Any]]

EXTRACT_START = np.datetime64("2023-07-01")
AS_OF = np.datetime64("2025-12-31")
LAST_DAY = int((AS_OF - EXTRACT_START).astype(int))
MONTH = 30.4375

N_JOINED_BEFORE = 4_500  # joined in the five years before; only those still there are exported
N_JOINED_WITHIN = 3_330
YEARS_BEFORE = 5
TAKEOVER_DAY = -1_300  # customers of a firm taken over kept its seven-digit numbers

KINDS = ("direct", "loop", "escalation", "store_social")
KIND_SHARES = (0.30, 0.26, 0.24, 0.20)
HOUSEHOLDS = ("single", "couple", "family", "shared")
HOUSEHOLD_SHARES = (0.26, 0.30, 0.32, 0.12)
REGIONS = ("Dublin", "Dún Laoghaire", "Cork", "Galway", "Limerick", "Waterford")
REGION_SHARES = (0.34, 0.12, 0.20, 0.13, 0.12, 0.09)
AGE_BANDS = ("18-29", "30-44", "45-59", "60+")
AGE_SHARES = (0.19, 0.33, 0.28, 0.20)

# What customers miss at each touchpoint: perception minus expectation, mean and spread.
GAP_MEANS = {
    "website": -0.30,
    "online_order": -0.25,
    "store_visit": -0.30,
    "installation": 0.30,
    "technician_visit": -1.60,
    "billing": -0.50,
    "phone_support": -1.50,
    "app": -0.50,
}
GAP_SPREAD = 0.9

# Monthly hazard of cancelling by month since joining: high at first, again as the first year ends.
CANCEL_HAZARD = {0: 0.016, 3: 0.011, 10: 0.022, 13: 0.012}
PAYMENT_FAILURE_HAZARD = 0.0025
HAZARD_RATIO_BILLING = 0.6  # per point of experience
HAZARD_RATIO_PHONE_ESCALATION = 0.5  # per point, customers of the escalation kind only
HAZARD_RATIO_SHARED_HOUSEHOLD = 1.5

RETURN_SHARE = 0.15  # of those who leave within the extract
RETURN_GAP = (60, 200)
PAUSE_GAP = (3, 20)
BREAKS_A_MONTH = 0.034  # plan changes and pauses while a customer stays
PAUSE_SHARE = 0.14  # of these breaks
PLANS = {"Fibre 100": 32.0, "Fibre 500": 42.0, "Fibre + Phone": 48.0, "Gigabit": 55.0}
STRATA = 50


def stratified_uniforms(rng: np.random.Generator, n: int) -> Floats:
    """Draw uniforms of which every run of fifty has one in each fiftieth.

    The sample's survival curve then lies close to the true one, as the curve of a larger
    company would.
    """
    ranks = rng.permuted(np.tile(np.arange(STRATA), (-(-n // STRATA), 1)), axis=1)
    return (ranks.ravel()[:n] + rng.random(n)) / STRATA


def cumulative_hazard(days: Floats) -> Floats:
    """Add up the baseline hazard of cancelling from joining to each of some days."""
    months = np.arange(1_200)
    start = np.array(list(CANCEL_HAZARD))
    monthly = np.array(list(CANCEL_HAZARD.values()))[np.searchsorted(start, months, "right") - 1]
    grid = np.concatenate([[0.0], np.cumsum(monthly)])
    return np.interp(np.asarray(days) / MONTH, np.arange(len(grid)), grid)


def days_at_hazard(hazard: Floats) -> Floats:
    """Invert `cumulative_hazard`."""
    days = np.arange(1_200) * MONTH
    return np.interp(hazard, cumulative_hazard(days), days)


def draw_people(rng: np.random.Generator) -> pd.DataFrame:
    """Draw everyone who ever joined, in the order of joining, with the hazard they carry."""
    before = rng.integers(-int(YEARS_BEFORE * 365.25), 0, N_JOINED_BEFORE)
    within = rng.integers(0, LAST_DAY, N_JOINED_WITHIN)
    people = pd.DataFrame({"joined_day": np.sort(np.concatenate([before, within]))})
    n = len(people)
    people["kind"] = rng.choice(KINDS, n, p=KIND_SHARES)
    people["household"] = rng.choice(HOUSEHOLDS, n, p=HOUSEHOLD_SHARES)
    people["region"] = rng.choice(REGIONS, n, p=REGION_SHARES)
    people["age_band"] = rng.choice(AGE_BANDS, n, p=AGE_SHARES)
    in_store = (people["kind"] == "store_social") | (rng.random(n) < 0.12)
    online = np.where(rng.random(n) < 0.3, "comparison_site", "online")
    people["acquisition_channel"] = np.where(in_store, "store", online)
    for touchpoint, mean in GAP_MEANS.items():
        people[f"gap_{touchpoint}"] = rng.normal(mean, GAP_SPREAD, n)
    people["log_hazard_ratio"] = log_hazard_ratio(people)
    return people


def log_hazard_ratio(people: pd.DataFrame) -> pd.Series:
    """Sum up what raises or lowers a customer's hazard of cancelling."""
    billing = people["gap_billing"] - GAP_MEANS["billing"]
    phone = people["gap_phone_support"] - GAP_MEANS["phone_support"]
    return (
        np.log(HAZARD_RATIO_BILLING) * billing
        + np.log(HAZARD_RATIO_PHONE_ESCALATION) * phone * (people["kind"] == "escalation")
        + np.log(HAZARD_RATIO_SHARED_HOUSEHOLD) * (people["household"] == "shared")
    )


def draw_ends(
    rng: np.random.Generator, log_ratios: pd.Series
) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Draw the days from joining to leaving, at least one, and the cause of leaving."""
    n = len(log_ratios)
    needed = -np.log1p(-stratified_uniforms(rng, n)) / np.exp(log_ratios.to_numpy())
    cancelled = days_at_hazard(needed)
    failed = -np.log1p(-stratified_uniforms(rng, n)) / PAYMENT_FAILURE_HAZARD * MONTH
    causes = np.where(cancelled <= failed, "cancelled", "payment_failure")
    return np.maximum(np.rint(np.minimum(cancelled, failed)).astype(int), 1), causes


def draw_spells(
    rng: np.random.Generator, people: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the spells of everyone who was there on some day of the extract, with returns.

    Returns the exported customers, now with ids, and their spells: `start_day`, `end_day` (the
    end lies after the extract for those still there), `cause`, `spell` (1, or 2 for a return).
    """
    days, causes = draw_ends(rng, people["log_hazard_ratio"])
    ends = people["joined_day"].to_numpy() + days
    seen = ends > 0
    people = people[seen].reset_index(drop=True)
    people.insert(0, "customer_id", _name_customers(people["joined_day"]))
    first = pd.DataFrame(
        {
            "customer_id": people["customer_id"],
            "start_day": people["joined_day"],
            "end_day": ends[seen],
            "cause": causes[seen],
            "spell": 1,
        }
    )
    returned_day = first["end_day"] + rng.integers(*RETURN_GAP, len(first), endpoint=True)
    returns = (rng.random(len(first)) < RETURN_SHARE) & (returned_day < LAST_DAY)
    days, causes = draw_ends(rng, people.loc[returns, "log_hazard_ratio"])
    second = first[returns].assign(start_day=returned_day[returns], cause=causes, spell=2)
    second["end_day"] = second["start_day"] + days
    spells = pd.concat([first, second]).sort_values(["customer_id", "spell"], ignore_index=True)
    return people, spells


def _name_customers(joined_day: pd.Series) -> list[str]:
    ids = [
        f"{7 * number + 10_000:07d}" if day < TAKEOVER_DAY else f"C{number + 1:06d}"
        for number, day in enumerate(joined_day)
    ]
    ids[len(ids) * 2 // 3] = "NA"  # a real id that careless readers take for a missing one
    return ids


def split_periods(rng: np.random.Generator, spells: pd.DataFrame) -> pd.DataFrame:
    """Cut spells into paid periods at plan changes and pauses, both of which are no churn."""
    rows: list[tuple[Any, ...]] = []
    for spell in spells.itertuples():
        last = min(spell.end_day, LAST_DAY)
        plan, start = str(rng.choice(list(PLANS))), spell.start_day
        for day in _break_days(rng, max(start, 0) + 20, last - 30):
            if rng.random() < PAUSE_SHARE:
                reason, next_plan = "paused", plan
                next_start = day + int(rng.integers(*PAUSE_GAP, endpoint=True))
            else:
                reason = "plan_change"
                next_plan = str(rng.choice([other for other in PLANS if other != plan]))
                next_start = day + int(rng.integers(2))
            rows.append((spell.customer_id, start, day, plan, reason))
            plan, start = next_plan, next_start
        ended = spell.end_day <= LAST_DAY
        end, reason = (spell.end_day, spell.cause) if ended else (None, "")
        rows.append((spell.customer_id, start, end, plan, reason))
    columns = ["customer_id", "start_day", "end_day", "plan", "end_reason"]
    periods = pd.DataFrame(rows, columns=columns)
    periods["end_day"] = periods["end_day"].astype("Int64")
    periods["monthly_value"] = periods["plan"].map(PLANS)
    return periods.sort_values(["start_day", "customer_id"], ignore_index=True)


def _break_days(rng: np.random.Generator, low: int, high: int) -> list[int]:
    """Draw days of plan changes and pauses, at least 45 days apart."""
    if high <= low:
        return []
    n = rng.poisson(BREAKS_A_MONTH * (high - low) / MONTH)
    days: list[int] = []
    for day in sorted(rng.integers(low, high, n).tolist()):
        if not days or day - days[-1] >= 45:
            days.append(day)
    return days


def true_survival(days: ArrayLike) -> Floats:
    """Compute the share of joiners who have not left after some days, all causes together.

    The hazard ratio is log-normal within household and kind, so the mean over joiners is an
    integral over one normal variable, done by Gauss-Hermite quadrature: no simulation.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    escalation, shared = KIND_SHARES[KINDS.index("escalation")], HOUSEHOLD_SHARES[-1]
    billing = (np.log(HAZARD_RATIO_BILLING) * GAP_SPREAD) ** 2
    phone = (np.log(HAZARD_RATIO_PHONE_ESCALATION) * GAP_SPREAD) ** 2
    days = np.asarray(days, dtype=float)
    survival = np.zeros(len(days))
    for spread, kind_share in ((billing + phone, escalation), (billing, 1 - escalation)):
        for factor, share in ((HAZARD_RATIO_SHARED_HOUSEHOLD, shared), (1.0, 1 - shared)):
            ratios = factor * np.exp(np.sqrt(spread) * nodes)
            stay = np.exp(-np.outer(cumulative_hazard(days), ratios)) @ weights
            survival += kind_share * share * stay
    return survival * np.exp(-PAYMENT_FAILURE_HAZARD * days / MONTH)


def true_cumulative_incidence(days: ArrayLike) -> dict[str, Floats]:
    """Compute the share of joiners who have left after some days, by cause."""
    days = np.asarray(days, dtype=float)
    grid = np.arange(0, days.max() + 1, 0.125)
    survival = true_survival(grid)
    middle = (survival[1:] + survival[:-1]) / 2
    failed = np.concatenate([[0.0], np.cumsum(middle) * 0.125 * PAYMENT_FAILURE_HAZARD / MONTH])
    failed_at = np.interp(days, grid, failed)
    return {"cancelled": 1 - true_survival(days) - failed_at, "payment_failure": failed_at}
