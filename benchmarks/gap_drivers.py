"""How far intervals of importance and chances of quadrants can be believed.

``python -m benchmarks.gap_drivers --runs 1000``: draws surveys whose importances are known, since
ratings and outcome are sums of normal parts; how many drivers matter, and how much, differs from
survey to survey. Prints a JSON line for every coverage and for every bin of a chance.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator

import numpy as np
import pandas as pd

from cxlib.gaps.drivers.decomposition import decompose_r_squared
from cxlib.gaps.drivers.importance import fit_importance, split
from cxlib.gaps.drivers.priorities import UNDECIDED, rank_priorities
from cxlib.gaps.ratings import Ratings
from cxlib.stats import wilson_interval

NAMES = [f"t{i}" for i in range(6)]
_BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def draw_survey(rng: np.random.Generator, n: int) -> tuple[Ratings, pd.DataFrame]:
    """Draw a survey and the truth behind it.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    n : int
        Respondents.

    Returns
    -------
    ratings : Ratings
        Expectation, perception and an outcome.
    truth : pandas.DataFrame
        One row per driver: `importance`, `share`, `gap` in the population.
    """
    k = len(NAMES)
    slopes = np.where(rng.random(k) < 1 / 3, 0.0, np.abs(rng.normal(0, 0.8, k)))
    gaps = rng.normal(-0.1, 0.15, k)
    mood = rng.choice([0.0, 0.25])  # what all perceptions and the outcome share
    # independent parts: mood, style, then experience, expectation and noise of each driver, noise
    parts = np.zeros((2 * k + 1, 3 + 3 * k))
    for j in range(k):
        own = 2 + 3 * j
        parts[2 * j + 1, [1, own + 1]] = 0.5, 0.6
        parts[2 * j, [0, 1, own, own + 1, own + 2]] = mood, 0.5, 0.7, 0.6, 0.6
        parts[-1, own] = 0.7 * slopes[j]
    parts[-1, [0, -1]] = 2 * mood, 1.2
    values = rng.normal(size=(n, parts.shape[1])) @ parts.T
    covariance = parts @ parts.T
    spread = np.sqrt(np.diag(covariance))
    matrix = (covariance / np.outer(spread, spread))[None]
    importance = decompose_r_squared(matrix, [2] * k).mean(axis=2)
    truth = pd.DataFrame({"importance": importance[0], "share": split(importance)[0], "gap": gaps})
    tables = {
        "expectation": pd.DataFrame(5 + values[:, 1:-1:2], columns=NAMES),
        "perception": pd.DataFrame(5 + values[:, :-1:2] + gaps, columns=NAMES),
        "outcome": pd.DataFrame({"outcome": values[:, -1]}),
    }
    facts = [(item, role) for role, table in tables.items() for item in table.columns]
    items = pd.DataFrame(facts, columns=["item", "role"]).assign(
        **dict.fromkeys(("scale_min", "scale_max"), np.nan),
        **dict.fromkeys(("text", "dimension", "touchpoint", "metric", "kind")),
        higher_is_better=True,
        expectation_type="should",
        timing="after",
    )
    people = pd.DataFrame({"respondent_id": np.arange(n).astype(str), "wave": "", "weight": 1.0})
    return Ratings(people, items, tables, None, pd.DataFrame(), "", "customer"), truth


def run_surveys(n_runs: int, n: int, *, n_draws: int = 500) -> pd.DataFrame:
    """Fit importance and priorities to many surveys, beside the truth.

    Parameters
    ----------
    n_runs : int
        Surveys to draw.
    n : int
        Respondents of each.
    n_draws : int, default 500
        Bootstrap draws of each.

    Returns
    -------
    pandas.DataFrame
        One row per survey and driver: the priorities, `p_top`, `is_shown`, intervals of importance
        and `true_importance`, `true_share`, `true_gap`.
    """
    runs = []
    for seed in range(n_runs):
        ratings, truth = draw_survey(np.random.default_rng([seed, n]), n)
        fitted = fit_importance(ratings, n_draws=n_draws, random_state=seed)
        rows = fitted.table[fitted.table["method"].eq(fitted.method)].set_index("name")
        table = rank_priorities(fitted).set_index("name").loc[NAMES]
        columns = ["conf_low", "conf_high", "p_top", "is_shown"]
        table = table.join(rows[columns]).reset_index(drop=True)
        runs.append(table.join(truth.add_prefix("true_")).assign(run=seed))
    return pd.concat(runs, ignore_index=True)


def list_coverage(runs: pd.DataFrame, n: int) -> Iterator[dict]:
    """Count how often intervals held the truth, by how much a driver matters.

    Parameters
    ----------
    runs : pandas.DataFrame
        From `run_surveys`.
    n : int
        Respondents of each survey.

    Yields
    ------
    dict
        `name`, `size`, `n_runs` (intervals), `coverage`, `conf_low`, `conf_high`.
    """
    share = runs["true_share"]
    kinds = {
        "above the average share": share > 1 / len(NAMES),
        "below it": share.le(1 / len(NAMES)) & share.gt(1e-9),
        "no link at all": share < 1e-9,
    }
    for label, low, high, truth in (
        ("importance", "conf_low", "conf_high", "true_importance"),
        ("share", "share_low", "share_high", "true_share"),
    ):
        held = runs[low].le(runs[truth] + 1e-12) & runs[truth].le(runs[high])
        for kind, here in kinds.items():
            yield _share(f"interval of {label}, {kind}", n, held[here], "coverage")
    gap = runs["gap_low"].le(runs["true_gap"]) & runs["true_gap"].le(runs["gap_high"])
    yield _share("interval of the gap", n, gap, "coverage")
    absent = runs[kinds["no link at all"]]
    yield _share("no link at all, called shown", n, absent["is_shown"].eq(True), "rate")


def list_calibration(runs: pd.DataFrame, n: int) -> Iterator[dict]:
    """Count how often what a chance is given for is true.

    Parameters
    ----------
    runs : pandas.DataFrame
        From `run_surveys`.
    n : int
        Respondents of each survey.

    Yields
    ------
    dict
        `name`, `size`, `n_runs` (cases of the bin), `claimed` (mean chance), `right` (share that
        was true), `conf_low`, `conf_high`.
    """
    important = runs["true_share"] > 1 / len(NAMES)
    short = runs["true_gap"] < 0
    truth = np.select(
        [important & short, important, short],
        ["fix first", "keep up", "low priority"],
        "leave as is",
    )
    is_right = runs["quadrant"].eq(truth)
    yield from _bins("chance of the quadrant", n, runs["p_quadrant"], is_right)
    decided = runs["verdict"].ne(UNDECIDED)
    yield _share("verdict given", n, decided, "rate")
    yield _share("verdict right, where given", n, is_right[decided], "right")
    first = runs.loc[runs.groupby("run")["share"].idxmax()]
    highest = first["true_share"].eq(
        runs.groupby("run")["true_share"].max()[first["run"]].to_numpy()
    )
    yield from _bins("chance to be first, of the first", n, first["p_top"], highest)


def _bins(name: str, n: int, chance: pd.Series, is_right: pd.Series) -> Iterator[dict]:
    places = np.clip(np.searchsorted(_BINS, chance, side="right"), 1, len(_BINS) - 1)
    for place, (low, high) in enumerate(itertools.pairwise(_BINS), 1):
        here = places == place
        if here.any():
            row = _share(f"{name}, {low:.0%} to {high:.0%}", n, is_right[here], "right")
            yield {**row, "claimed": round(float(chance[here].mean()), 4)}


def _share(name: str, n: int, hits: pd.Series, column: str) -> dict:
    share = float(hits.mean()) if len(hits) else float("nan")
    low, high = wilson_interval([share], [len(hits)])
    ends = {"conf_low": round(float(low[0]), 4), "conf_high": round(float(high[0]), 4)}
    return {"name": name, "size": n, "n_runs": len(hits), column: round(share, 4), **ends}


def print_driver_coverage(n_runs: int, sizes: tuple[int, ...] = (200, 1_000)) -> None:
    """Print coverage and calibration as JSON lines.

    Parameters
    ----------
    n_runs : int
        Surveys of each size.
    sizes : tuple of int, default (200, 1000)
        Respondents of a survey.
    """
    for n in sizes:
        runs = run_surveys(n_runs, n)
        for row in (*list_coverage(runs, n), *list_calibration(runs, n)):
            print(json.dumps(row), flush=True)


def main() -> None:
    """Read the command line and print the lines."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gap_drivers", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000, help="surveys of each size")
    print_driver_coverage(parser.parse_args().runs)


if __name__ == "__main__":
    main()
