"""Do intervals of scores hold the truth 95 times in 100? ``python -m benchmarks.gap_scores``.

Draws surveys of a company whose customers are known: the unhappy answer less often, the same
customers are asked in two waves, and the mix of customers changes in between. Prints the share of
runs in which each interval held the truth, one JSON line each.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

import numpy as np
import pandas as pd

from cxlib.gaps.ratings import Ratings
from cxlib.gaps.scores.change import split_change
from cxlib.gaps.scores.scores import nps_interval, summarise_scores
from cxlib.gaps.scores.weighting import weight_respondents
from cxlib.stats import wilson_interval

GROUPS = ("green", "amber", "red")
WAVES = ("1", "2")
MIX = np.array([[0.60, 0.25, 0.15], [0.50, 0.30, 0.20]])  # waves x groups, of all customers
RESPONSE = np.array([0.50, 0.35, 0.20])
# promoters, passives, detractors by wave and group
ANSWERS = np.array(
    [
        [[0.50, 0.30, 0.20], [0.20, 0.25, 0.55], [0.10, 0.10, 0.80]],
        [[0.55, 0.30, 0.15], [0.25, 0.25, 0.50], [0.05, 0.15, 0.80]],
    ]
)
_VALUES = np.array([10.0, 8.0, 3.0])
Held = tuple[str, float, float, float]


def draw_survey(rng: np.random.Generator, n_invited: int) -> tuple[Ratings, pd.DataFrame]:
    """Draw who is invited to both waves, who answers, and what.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    n_invited : int
        Invitations a wave; a customer invited to the first is invited to the second.

    Returns
    -------
    ratings : Ratings
        Both waves, one NPS item, with `health` of every respondent.
    invitations : pandas.DataFrame
        One row per customer and wave.
    """
    luck = rng.random(n_invited)  # a customer's own, shared by the two waves
    waves = []
    for wave, mix, answers in zip(WAVES, MIX, ANSWERS, strict=True):
        group = rng.choice(3, n_invited, p=mix)
        own = np.where(rng.random(n_invited) < 0.5, luck, rng.random(n_invited))
        kind = (own[:, None] > answers[group].cumsum(axis=1)[:, :2]).sum(axis=1)
        frame = pd.DataFrame({"customer_id": np.arange(n_invited).astype(str), "wave": wave})
        frame["health"] = np.array(GROUPS)[group]
        frame["value"] = _VALUES[kind]
        frame["answers"] = rng.random(n_invited) < RESPONSE[group]
        waves.append(frame)
    invited = pd.concat(waves, ignore_index=True)
    invited.insert(0, "respondent_id", invited["wave"] + "-" + invited["customer_id"])
    given = invited[invited["answers"]].reset_index(drop=True)
    return make_ratings(given), invited.drop(columns=["value", "answers"])


def make_ratings(given: pd.DataFrame) -> Ratings:
    """Make ratings of one NPS item.

    Parameters
    ----------
    given : pandas.DataFrame, one row per respondent
        `value`, and the columns that `Ratings.respondents` shall have.

    Returns
    -------
    Ratings
        As `select_answers` gives them.
    """
    facts = pd.DataFrame(
        {
            **{"item": ["recommend"], "role": "outcome", "scale_min": 0.0, "scale_max": 10.0},
            **{"higher_is_better": True, "metric": "nps"},
        }
    )
    values = {"outcome": given[["value"]].set_axis(["recommend"], axis=1)}
    respondents = given.drop(columns="value").assign(weight=1.0)
    return Ratings(respondents, facts, values, None, pd.DataFrame(), "", "customer")


def find_truth() -> dict[str, float]:
    """Find the true numbers from the shares.

    Returns
    -------
    dict of str to float
        By the names that `estimate_once` gives.
    """
    score = 100 * (ANSWERS[:, :, 0] - ANSWERS[:, :, 2])
    reached = MIX * RESPONSE
    among = (reached * score).sum(axis=1) / reached.sum(axis=1)
    total = (MIX * score).sum(axis=1)
    within = float(MIX.mean(axis=0) @ (score[1] - score[0]))
    mix = float(score.mean(axis=0) @ (MIX[1] - MIX[0]))
    return {
        "nps raw, of those who would answer": among[1],
        "nps weighted, of all customers": total[1],
        "nps weighted, of a group": score[1, 2],
        "change weighted": total[1] - total[0],
        "change within groups": within,
        "change of mix": mix,
        "nps raw of 30 answers": 20.0,
        "nps raw of 20 teams": 0.0,
    }


def estimate_once(rng: np.random.Generator, n_invited: int) -> Iterator[Held]:
    """Estimate everything that has a truth.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    n_invited : int
        Invitations a wave.

    Yields
    ------
    tuple of str and three float
        Name, estimate and the ends of its interval.
    """
    ratings, invited = draw_survey(rng, n_invited)
    weighting = weight_respondents(ratings, invited)
    table = summarise_scores(ratings, by="health", weighting=weighting)
    rows = table[table["wave"].eq("2")].set_index(["weighting", "group"])
    for name, key in (
        ("nps raw, of those who would answer", ("raw", "all")),
        ("nps weighted, of all customers", ("weighted", "all")),
        ("nps weighted, of a group", ("weighted", "red")),
    ):
        yield (name, *rows.loc[key, ["score", "conf_low", "conf_high"]].astype(float))
    split = split_change(ratings, by="health", weighting=weighting).split.set_index("part")
    for name, part in (
        ("change weighted", "total"),
        ("change within groups", "within"),
        ("change of mix", "mix"),
    ):
        yield (name, *split.loc[part, ["change", "conf_low", "conf_high"]].astype(float))
    promoters, passives, detractors = rng.multinomial(30, [0.45, 0.30, 0.25])
    yield ("nps raw of 30 answers", *nps_interval(promoters, passives, detractors))
    team = np.repeat(np.arange(20), 15)
    mood = rng.normal(0, 0.5, 20)[team] + rng.normal(0, 1, 300)
    value = np.select([mood > 0.5, mood > -0.5], [10.0, 8.0], 3.0)
    given = pd.DataFrame({"respondent_id": np.arange(300).astype(str), "wave": ""})
    given = given.assign(unit=team.astype(str), value=value)
    row = summarise_scores(make_ratings(given)).iloc[0]
    yield ("nps raw of 20 teams", row["score"], row["conf_low"], row["conf_high"])


def simulate_nps_coverage(
    n_simulations: int = 1_000, random_state: int = 0, *, n_invited: int = 1_000
) -> pd.DataFrame:
    """Count how often each interval held the truth, and print a JSON line for each.

    Parameters
    ----------
    n_simulations : int, default 1,000
        Surveys to draw.
    random_state : int, default 0
        Seed.
    n_invited : int, default 1,000
        Invitations a wave.

    Returns
    -------
    pandas.DataFrame
        One row per estimate: `name`, `truth`, `mean` (of the estimates), `n_runs`, `coverage`,
        `conf_low`, `conf_high` (Wilson), `too_low` and `too_high` (share of intervals that lie
        below and above the truth).
    """
    truth = find_truth()
    found = [
        row
        for seed in range(n_simulations)
        for row in estimate_once(np.random.default_rng([random_state, seed]), n_invited)
    ]
    table = pd.DataFrame(found, columns=["name", "mean", "low", "high"])
    table["truth"] = table["name"].map(truth)
    table["too_low"] = table["high"] < table["truth"] - 1e-9
    table["too_high"] = table["low"] > table["truth"] + 1e-9
    result = table.groupby("name", sort=False).agg(
        truth=("truth", "first"),
        mean=("mean", "mean"),
        n_runs=("truth", "size"),
        too_low=("too_low", "mean"),
        too_high=("too_high", "mean"),
    )
    coverage = 1 - result["too_low"] - result["too_high"]
    low, high = wilson_interval(coverage, result["n_runs"])
    result = result.assign(coverage=coverage, conf_low=low, conf_high=high).reset_index()
    for row in result.to_dict("records"):
        plain = {k: round(v, 6) if isinstance(v, float) else v for k, v in row.items()}
        print(json.dumps(plain), flush=True)
    return result


def main() -> None:
    """Read the command line and print a line for every estimate."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gap_scores", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000, help="surveys to draw")
    parser.add_argument("--invited", type=int, default=1_000, help="invitations a wave")
    parser.add_argument("--random-state", type=int, default=0, help="seed")
    given = parser.parse_args()
    simulate_nps_coverage(given.runs, given.random_state, n_invited=given.invited)


if __name__ == "__main__":
    main()
