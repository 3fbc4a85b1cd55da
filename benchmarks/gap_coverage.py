"""Do 95 % intervals of gaps hold the truth 95 times in 100? ``python -m benchmarks.gap_coverage``.

Draws surveys of ordinal ratings whose means are known, with what makes survey data hard: customers
who answer twice, units that differ, unhappy customers who answer less often and weights that make
up for it, items left out. Prints the share of runs in which each interval held the truth, one
JSON line each; then the same of scores and of drivers, with how far chances can be believed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.coverage import Held, count_held, print_rows
from benchmarks.gap_drivers import print_driver_coverage
from benchmarks.gap_scores import simulate_nps_coverage
from cxlib.gaps.estimates.gaps import summarise_gaps
from cxlib.gaps.estimates.groups import compare_flagged, compare_gap_groups
from cxlib.gaps.estimates.tolerance import summarise_tolerance
from cxlib.gaps.estimates.weighting import weigh_gaps
from cxlib.gaps.ratings import Ratings

LOW, HIGH = 1, 7
ITEMS = ("a1", "a2", "b1", "b2")
SHIFT = np.array([0.0, 0.2, -0.3, 0.1])  # of an item's perception
UNHAPPY = 0.3  # share of customers
# role: mean of the happy, what being unhappy adds, spreads between customers, units, answers
MODEL = {
    "expectation": (5.9, 0.2, 0.5, 0.1, 0.9),
    "perception": (5.2, -1.0, 0.6, 0.35, 1.1),
    "minimum": (4.4, 0.2, 0.5, 0.1, 0.9),
    "desired": (6.2, 0.1, 0.4, 0.1, 0.8),
}
POINTS = {"a": 60.0, "b": 40.0}  # what respondents divide, give or take


@dataclass(frozen=True)
class Survey:
    """What kind of survey is drawn.

    Parameters
    ----------
    name : str
        Name.
    n : int
        Respondents.
    n_units : int
        Units they come from; 0 = none.
    per_customer : int
        Answers of one customer.
    is_weighted : bool
        Whether the unhappy answer half as often and weigh twice as much.
    """

    name: str
    n: int
    n_units: int = 0
    per_customer: int = 1
    is_weighted: bool = False


SURVEYS = (
    Survey("50 respondents", 50),
    Survey("300 weighted", 300, is_weighted=True),
    Survey("400 of 200 customers, weighted", 400, per_customer=2, is_weighted=True),
    Survey("600 of 30 units and 300 customers, weighted", 600, 30, 2, is_weighted=True),
)


def draw_ratings(rng: np.random.Generator, survey: Survey) -> Ratings:
    """Draw the ratings of a survey.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    survey : Survey
        What kind.

    Returns
    -------
    Ratings
        Expectation, perception, minimum, desired of four items in two dimensions, and importance.
    """
    customer = np.arange(survey.n) // survey.per_customer
    share = UNHAPPY / (2 - UNHAPPY) if survey.is_weighted else UNHAPPY
    unhappy = (rng.random(survey.n) < share)[customer]
    unit = rng.integers(0, max(survey.n_units, 1), survey.n)
    values = {}
    for role, (mean, less, between, of_units, within) in MODEL.items():
        level = mean + less * unhappy + rng.normal(0, between, survey.n)[customer]
        if survey.n_units:
            level = level + rng.normal(0, of_units, survey.n_units)[unit]
        latent = level[:, None] + SHIFT * (role == "perception")
        latent = latent + rng.normal(0, within, (survey.n, len(ITEMS)))
        rated = np.clip(np.rint(latent), LOW, HIGH)
        rated[rng.random(rated.shape) < 0.05] = np.nan
        values[role] = pd.DataFrame(rated, columns=list(ITEMS))
    points = np.clip(np.rint(POINTS["a"] + rng.normal(0, 10, survey.n)), 0, 100)
    values["importance"] = pd.DataFrame({"a": points, "b": 100 - points})
    respondents = pd.DataFrame({"respondent_id": np.arange(survey.n).astype(str), "wave": ""})
    respondents["weight"] = np.where(unhappy & survey.is_weighted, 2.0, 1.0)
    respondents["mood"] = np.where(unhappy, "unhappy", "happy")
    if survey.per_customer > 1:
        respondents["customer_id"] = customer.astype(str)
    if survey.n_units:
        respondents["unit"] = unit.astype(str)
    facts = [(item, role) for role, table in values.items() for item in table.columns]
    items = pd.DataFrame(facts, columns=["item", "role"]).assign(
        **{"scale_min": float(LOW), "scale_max": float(HIGH), "higher_is_better": True},
        **dict.fromkeys(("text", "touchpoint", "metric", "kind")),
        **{"expectation_type": "should", "timing": "after"},
    )
    items["dimension"] = items["item"].str[0]
    return Ratings(respondents, items, values, None, pd.DataFrame(), "", "customer")


def find_truth(survey: Survey) -> dict[str, float]:
    """Find the true numbers from the model.

    Parameters
    ----------
    survey : Survey
        What kind; spreads between units widen the answers.

    Returns
    -------
    dict of str to float
        By the names that `estimate_once` gives.
    """

    def mean(role: str, *, mood: int, top: bool = False) -> np.ndarray:
        """Return the mean rating of each item, or its share at the top."""
        centre, less, between, of_units, within = MODEL[role]
        spread = np.sqrt(between**2 + of_units**2 * bool(survey.n_units) + within**2)
        centre = centre + less * mood + SHIFT * (role == "perception")
        steps = np.arange(HIGH if top else LOW + 1, HIGH + 1)[:, None] - 0.5
        beyond = stats.norm.sf(steps, centre + np.zeros(len(ITEMS)), spread)
        return beyond.sum(axis=0) + (0 if top else LOW)

    def difference(role: str, *, top: bool = False) -> np.ndarray:
        """Return perception less another role, happy and unhappy, by item."""
        return np.array(
            [mean("perception", mood=m, top=top) - mean(role, mood=m, top=top) for m in (0, 1)]
        )

    mix = np.array([1 - UNHAPPY, UNHAPPY])
    gap = difference("expectation")
    by_mood, by_item = gap.mean(axis=1), mix @ gap
    points = np.array([POINTS["a"], POINTS["b"]]) / 100
    return {
        "gap of an item": by_item[0],
        "gap of a dimension": by_item[:2].mean(),
        "total gap": by_item.mean(),
        "top gap of an item": (mix @ difference("expectation", top=True))[0],
        "difference of groups": by_mood[1] - by_mood[0],
        "change without a group": by_mood[0] - mix @ by_mood,
        "adequacy of a dimension": (mix @ difference("minimum"))[:2].mean(),
        "superiority of an item": (mix @ difference("desired"))[0],
        "weighted gap": float(points @ by_item.reshape(2, 2).mean(axis=1)),
    }


def estimate_once(ratings: Ratings) -> Iterator[Held]:
    """Estimate everything that has a truth.

    Parameters
    ----------
    ratings : Ratings
        As `draw_ratings` gives them.

    Yields
    ------
    tuple of str and three float
        Name, estimate and the ends of its interval.
    """
    gaps = summarise_gaps(ratings)
    ends = ("gap", "conf_low", "conf_high")
    yield "gap of an item", *_read(gaps, ends, level="item", name="a1")
    yield "gap of a dimension", *_read(gaps, ends, level="dimension", name="a")
    yield "total gap", *_read(gaps, ends, level="total")
    top = ("top_gap", "top_low", "top_high")
    yield "top gap of an item", *_read(gaps, top, level="item", name="a1")
    groups = compare_gap_groups(ratings, by="mood")
    ends = ("difference", "difference_low", "difference_high")
    yield "difference of groups", *_read(groups, ends, group="unhappy", level="total")
    change = compare_flagged(ratings, ratings.respondents["mood"].eq("unhappy"))
    ends = ("change", "change_low", "change_high")
    yield "change without a group", *_read(change, ends, level="total")
    zone = summarise_tolerance(ratings)
    ends = ("adequacy", "adequacy_low", "adequacy_high")
    yield "adequacy of a dimension", *_read(zone, ends, level="dimension", name="a")
    ends = ("superiority", "superiority_low", "superiority_high")
    yield "superiority of an item", *_read(zone, ends, level="item", name="a1")
    total = weigh_gaps(ratings).total
    yield "weighted gap", *_read(total, ("gap", "conf_low", "conf_high"), measure="weighted")


def _read(table: pd.DataFrame, columns: tuple[str, ...], **where: str) -> tuple[float, ...]:
    """Return three numbers of the one row that has the values named."""
    for column, value in where.items():
        table = table[table[column].eq(value)]
    return tuple(map(float, table.iloc[0][list(columns)]))


def measure_gap_coverage(n_runs: int, survey: Survey) -> pd.DataFrame:
    """Count how often each interval of a gap held the truth.

    Parameters
    ----------
    n_runs : int
        Surveys to draw.
    survey : Survey
        What kind.

    Returns
    -------
    pandas.DataFrame
        One row per estimate, as `benchmarks.coverage.count_held` gives it, with the survey's name.
    """
    found = [
        estimate
        for seed in range(n_runs)
        for estimate in estimate_once(draw_ratings(np.random.default_rng([seed, 5]), survey))
    ]
    table = count_held(found, find_truth(survey))
    return table.assign(name=survey.name + ": " + table["name"])


def main() -> None:
    """Read the command line and print a line for every estimate."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gap_coverage", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000, help="surveys to draw of each kind")
    parser.add_argument("--of", choices=["gaps", "scores", "drivers"], help="default all three")
    given = parser.parse_args()
    if given.of in (None, "gaps"):
        for survey in SURVEYS:
            print_rows(measure_gap_coverage(given.runs, survey))
    if given.of in (None, "scores"):
        simulate_nps_coverage(given.runs)
    if given.of in (None, "drivers"):
        print_driver_coverage(given.runs)


if __name__ == "__main__":
    main()
