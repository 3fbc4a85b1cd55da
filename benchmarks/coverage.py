"""Do 95 % intervals hold the truth 95 times in 100? ``python -m benchmarks.coverage``.

Draws companies whose every hazard is known, with all that makes churn data hard at once: late
entry, whole days with billing dates on which many leave together, censoring, groups of unlike
customers. Prints the share of runs in which each interval held the truth, one JSON line each.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from cxlib.churn.adjusted.adjusted import fit_adjusted
from cxlib.churn.curves.curves import fit_survival, read_survival
from cxlib.churn.curves.rates import fit_cumulative_hazard
from cxlib.churn.curves.rmst import compare_rmst, fit_rmst
from cxlib.churn.hazard.cox import fit_cox
from cxlib.stats import normal_quantile, wilson_interval

HORIZON = 365
EFFECTS = {"plan": 0.5, "visits": 0.35}  # log hazard ratios
READ_ON = (30.0, 120.0, 360.0)  # billing dates: the curve falls there
Held = tuple[str, float, float, float]

_days = np.arange(HORIZON + 1)
# a customer of plan a without visits: 0.05 % a day, and 2 % on every thirtieth
_HAZARD = np.where(_days == 0, 0.001, np.where(_days % 30 == 0, 0.02, 0.0005))
_CUMULATIVE = np.cumsum(_HAZARD)


def draw_company(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Draw customers who are in the data: those who left before it begins are not.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    n : int
        Customers in the data.

    Returns
    -------
    pandas.DataFrame
        One row per lifetime, with `plan` (0 or 1) and `visits` (0 to 2).
    """
    drawn = 3 * n
    visits = rng.integers(0, 3, drawn)
    plan = (rng.random(drawn) < 0.3 + 0.2 * visits).astype(int)
    risk = np.exp(EFFECTS["plan"] * plan + EFFECTS["visits"] * visits)
    left = np.searchsorted(_CUMULATIVE, rng.exponential(1 / risk))  # HORIZON + 1: later
    entry = np.where(rng.random(drawn) < 0.4, rng.integers(1, 200, drawn), 0)
    until = np.minimum(entry + rng.integers(60, 600, drawn), HORIZON)
    company = pd.DataFrame(
        {
            "entry_days": entry,
            "duration_days": np.minimum(left, until),
            "churned": left <= until,
            "plan": plan,
            "visits": visits,
        }
    )
    company = company[(entry == 0) | (left > entry)].head(n)
    return company.assign(customer_id=np.arange(len(company)).astype(str)).reset_index(drop=True)


def find_truth() -> dict[str, float]:
    """Find the true numbers from the hazards.

    Returns
    -------
    dict of str to float
        By the names that `estimate_once` gives.
    """
    visits = np.tile(np.arange(3), 2)
    plan = np.repeat([0, 1], 3)
    share = np.where(plan == 1, 0.3 + 0.2 * visits, 0.7 - 0.2 * visits) / 3
    risk = np.exp(EFFECTS["plan"] * plan + EFFECTS["visits"] * visits)
    alive = np.exp(-np.outer(risk, _CUMULATIVE))  # kinds of customer x days
    curves = {
        "all": share @ alive,
        "0": share[plan == 0] @ alive[plan == 0] / share[plan == 0].sum(),
        "1": share[plan == 1] @ alive[plan == 1] / share[plan == 1].sum(),
    }
    hazard = -np.diff(curves["all"], prepend=1.0) / np.append(1.0, curves["all"][:-1])
    mean = {group: curve[:HORIZON].sum() for group, curve in curves.items()}
    truth = {f"cox {term}": effect for term, effect in EFFECTS.items()}
    for day in map(int, READ_ON):
        truth[f"survival day {day}"] = curves["all"][day]
        truth[f"survival of plan 1 day {day}"] = curves["1"][day]
        truth[f"cumulative hazard day {day}"] = hazard[: day + 1].sum()
    truth |= {"rmst": mean["all"], "rmst difference": mean["0"] - mean["1"]}
    # adjusted: for the visits of those in the data, where who left before entry is missing
    of_visits = draw_company(np.random.default_rng(0), 200_000)["visits"].value_counts(True)
    stay = pd.DataFrame({"plan": plan, "visits": visits, "mean": alive[:, :HORIZON].sum(axis=1)})
    gap = stay[stay["plan"] == 0].set_index("visits")["mean"]
    gap = gap - stay[stay["plan"] == 1].set_index("visits")["mean"]
    return truth | {"adjusted rmst difference": float((gap * of_visits).sum())}


def estimate_once(company: pd.DataFrame, *, is_adjusted: bool = True) -> Iterator[Held]:
    """Estimate everything that has a truth.

    Parameters
    ----------
    company : pandas.DataFrame
        As `draw_company` gives it.
    is_adjusted : bool, default True
        Whether the adjusted difference is among it.

    Yields
    ------
    tuple of str and three float
        Name, estimate and the ends of its interval.
    """
    survival = fit_survival(company, by="plan")
    for row in read_survival(survival, times=READ_ON).itertuples():
        of = {"all": "", "1": " of plan 1"}.get(row.group)
        if of is not None:
            name = f"survival{of} day {row.time_days:.0f}"
            yield name, row.survival, row.conf_low, row.conf_high
    hazard = fit_cumulative_hazard(company)
    for day in READ_ON:
        row = hazard[hazard["time_days"] <= day].iloc[-1]
        name = f"cumulative hazard day {day:.0f}"
        yield name, row["cumulative_hazard"], row["conf_low"], row["conf_high"]
    rmst = fit_rmst(company, by="plan", horizon_days=HORIZON)
    row = rmst.iloc[0]
    yield "rmst", row["rmst_days"], row["conf_low"], row["conf_high"]
    pair = compare_rmst(rmst).iloc[0]
    yield "rmst difference", pair["difference_days"], pair["conf_low"], pair["conf_high"]
    entry = company["entry_days"].to_numpy(float)
    model = fit_cox(
        np.where(entry > 0, entry, -1.0),
        company["duration_days"].to_numpy(float),
        company["churned"].to_numpy(bool),
        company[list(EFFECTS)].astype(float),
    )
    reach = normal_quantile(0.95) * np.sqrt(np.diag(model.covariance))
    for term, estimate, half in zip(EFFECTS, model.estimates, reach, strict=True):
        yield f"cox {term}", estimate, estimate - half, estimate + half
    if is_adjusted:
        fit = fit_adjusted(company, by="plan", covariates=["visits"], horizon_days=HORIZON)
        pair = fit.differences.iloc[0]
        name = "adjusted rmst difference"
        yield name, pair["difference_days"], pair["conf_low"], pair["conf_high"]


def measure_coverage(n_runs: int, n: int, *, is_adjusted: bool = True) -> pd.DataFrame:
    """Count how often each interval held the truth.

    Parameters
    ----------
    n_runs : int
        Companies to draw.
    n : int
        Customers of each.
    is_adjusted : bool, default True
        Whether the adjusted difference is among it.

    Returns
    -------
    pandas.DataFrame
        One row per estimate: `name`, `truth`, `mean` (of the estimates), `n_runs` (in which there
        was one), `n_held`, `coverage`, `conf_low`, `conf_high` (Wilson), `too_low` and `too_high`
        (share of intervals that lie below and above the truth).
    """
    truth = find_truth()
    found = [
        estimate
        for seed in range(n_runs)
        for estimate in estimate_once(
            draw_company(np.random.default_rng([seed, n]), n), is_adjusted=is_adjusted
        )
    ]
    return count_held(found, truth)


def count_held(found: Iterable[Held], truth: dict[str, float]) -> pd.DataFrame:
    """Count how often each interval held its truth.

    Parameters
    ----------
    found : iterable of tuple of str and three float
        Name, estimate and the ends of its interval, of many runs.
    truth : dict of str to float
        By name.

    Returns
    -------
    pandas.DataFrame
        As `measure_coverage` gives it.
    """
    table = pd.DataFrame(found, columns=["name", "mean", "low", "high"])
    table["truth"] = table["name"].map(truth)
    table["too_low"], table["too_high"] = (
        table["high"] < table["truth"],
        table["low"] > table["truth"],
    )
    table["n_held"] = (table["low"] <= table["truth"]) & (table["truth"] <= table["high"])
    result = table.groupby("name", sort=False).agg(
        truth=("truth", "first"),
        mean=("mean", "mean"),
        n_runs=("truth", "size"),
        n_held=("n_held", "sum"),
        coverage=("n_held", "mean"),
        too_low=("too_low", "mean"),
        too_high=("too_high", "mean"),
    )
    low, high = wilson_interval(result["coverage"], result["n_runs"])
    return result.assign(conf_low=low, conf_high=high).reset_index()


def print_rows(table: pd.DataFrame) -> None:
    """Print a JSON line for every row.

    Parameters
    ----------
    table : pandas.DataFrame
        Such as `count_held` gives it.
    """
    for row in table.to_dict("records"):
        print(json.dumps({key: _plain(value) for key, value in row.items()}), flush=True)


def main() -> None:
    """Read the command line and print a line for every estimate."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000, help="companies to draw")
    parser.add_argument("--customers", type=int, default=500, help="customers of each")
    given = parser.parse_args()
    print_rows(measure_coverage(given.runs, given.customers))


def _plain(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
