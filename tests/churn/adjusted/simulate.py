"""A company with a known adjusted difference, to see whether intervals hold it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.churn.adjusted.adjusted import Adjusted, fit_adjusted

HORIZON = 365.0
SCALES = {"A": 500.0, "B": 380.0}  # Weibull, in days, before covariates
SHAPES = {"A": 1.0, "B": 0.7}  # so that hazards of the groups are not proportional
EFFECTS = (0.5, 0.4)  # log hazard ratios of `visits` and of `home[shared]`


def draw_company(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Draw n customers: groups of unlike customers, late entry, weekly ties, censoring."""
    frames = []
    while sum(map(len, frames)) < n:
        visits, shared = rng.integers(0, 3, n), rng.random(n) < 0.4
        group = np.where(rng.random(n) < 0.3 + 0.15 * visits + 0.1 * shared, "B", "A")
        risk = np.exp(EFFECTS[0] * visits + EFFECTS[1] * shared)
        scale, shape = (pd.Series(group).map(part).to_numpy() for part in (SCALES, SHAPES))
        left = scale * (rng.exponential(1 / risk)) ** (1 / shape)
        left = np.ceil(left / 7) * 7
        entry = np.where(rng.random(n) < 0.4, rng.integers(1, 200, n), 0)
        until = entry + rng.integers(90, 700, n)
        frame = pd.DataFrame(
            {
                "entry_days": entry.astype(float),
                "duration_days": np.minimum(left, until),
                "churned": left <= until,
                "group": group,
                "visits": visits,
                "home": np.where(shared, "shared", "other"),
                "monthly_value": 20 + 10 * visits + rng.integers(0, 20, n),
            }
        )
        frames.append(frame[left > entry])
    table = pd.concat(frames, ignore_index=True).iloc[:n]
    return table.assign(customer_id=np.arange(n).astype(str))


def fit_company(company: pd.DataFrame) -> Adjusted:
    """Compare the two groups of a company."""
    return fit_adjusted(
        company,
        by="group",
        covariates=["visits", "home"],
        horizon_days=HORIZON,
        reference="A",
        margin_share=0.5,
    )


def find_truth(*, n: int = 200_000, random_state: int = 1) -> dict[str, float]:
    """Find the true numbers: known hazards, covariates of very many who are seen to join."""
    company = draw_company(np.random.default_rng(random_state), n)
    company = company[company["entry_days"] == 0]
    risk = np.exp(EFFECTS[0] * company["visits"] + EFFECTS[1] * (company["home"] == "shared"))
    days = np.arange(0, HORIZON, 7)  # everybody leaves at the end of a week
    widths = np.diff(np.append(days, HORIZON))
    ratios, which = np.unique(risk, return_inverse=True)
    stay = {
        name: (np.exp(-np.outer(ratios, (days / SCALES[name]) ** SHAPES[name])) @ widths)[which]
        for name in SCALES
    }
    own = company["group"] == "B"
    value = company["monthly_value"] * 0.5 / 30.4375 * (stay["A"] - stay["B"])
    return {
        "rmst of A": float(stay["A"].mean()),
        "rmst of B": float(stay["B"].mean()),
        "difference": float((stay["A"] - stay["B"]).mean()),
        "value": float(value[own].mean()),
        "survival of A": float(np.exp(-risk * (364 / SCALES["A"]) ** SHAPES["A"]).mean()),
    }


def read_intervals(fit: Adjusted) -> dict[str, tuple[float, float, float]]:
    """Read estimate and interval of everything that has a truth."""
    stays = fit.rmst.set_index("group")
    last = fit.survival[(fit.survival["group"] == "A")].iloc[-1]
    rows = {
        "rmst of A": stays.loc["A"].rename({"rmst_days": "estimate"}),
        "rmst of B": stays.loc["B"].rename({"rmst_days": "estimate"}),
        "difference": fit.differences.iloc[0].rename({"difference_days": "estimate"}),
        "value": fit.value.iloc[0].rename({"value_per_customer": "estimate"}),
        "survival of A": last.rename({"survival": "estimate"}),
    }
    return {
        name: tuple(float(row[key]) for key in ("estimate", "conf_low", "conf_high"))
        for name, row in rows.items()
    }


def count_covered(n_runs: int, *, n: int = 1000, random_state: int = 0) -> pd.DataFrame:
    """Count how often 95 % intervals of n customers hold the truth.

    One row per estimand: `estimand`, `truth`, `mean_estimate`, `covered_share`, `n_runs`.
    """
    rng, truth = np.random.default_rng(random_state), find_truth()
    runs = [read_intervals(fit_company(draw_company(rng, n))) for _ in range(n_runs)]
    rows = []
    for name, value in truth.items():
        found = np.array([run[name] for run in runs])
        covered = ((found[:, 1] <= value) & (value <= found[:, 2])).mean()
        rows.append((name, value, found[:, 0].mean(), covered, n_runs))
    columns = ["estimand", "truth", "mean_estimate", "covered_share", "n_runs"]
    return pd.DataFrame(rows, columns=columns)
