"""Surveys whose importance is known, for the tests of drivers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.gaps.ratings import Ratings

NAMES = ("billing", "phone", "shop", "visit")


def make_ratings(
    expectation: np.ndarray,
    perception: np.ndarray,
    outcome: np.ndarray,
    *,
    names: Sequence[str] = NAMES,
    importance: np.ndarray | None = None,
    **respondents: object,
) -> Ratings:
    """Make ratings of one item a touchpoint, and of one outcome, `recommend`."""
    names = list(names)
    values = {
        "expectation": pd.DataFrame(expectation, columns=names, dtype=float),
        "perception": pd.DataFrame(perception, columns=names, dtype=float),
        "outcome": pd.DataFrame({"recommend": np.asarray(outcome, dtype=float)}),
    }
    if importance is not None:
        values["importance"] = pd.DataFrame(importance, columns=names, dtype=float)
    facts = [
        _facts(item, role, touchpoint=None if role == "outcome" else item)
        for role, table in values.items()
        for item in table.columns
    ]
    n = len(outcome)
    people = {"respondent_id": [f"r{i}" for i in range(n)], "wave": "", "weight": 1.0}
    return Ratings(
        respondents=pd.DataFrame({**people, **respondents}),
        items=pd.DataFrame(facts),
        values=values,
        touchpoints=None,
        uses=pd.DataFrame(),
        wave="",
        source="customer",
    )


def _facts(item: str, role: str, *, touchpoint: str | None) -> dict:
    return {
        "item": item,
        "role": role,
        "scale_min": 0.0 if role == "outcome" else 1.0,
        "scale_max": 10.0 if role == "outcome" else 7.0,
        "higher_is_better": True,
        "text": None,
        "dimension": None,
        "touchpoint": touchpoint,
        "metric": "nps" if role == "outcome" else None,
        "expectation_type": "should",
        "timing": "after",
        "kind": None,
    }


def draw_survey(
    n: int = 400,
    *,
    slopes: Sequence[float] = (1.0, 0.5, 0.0, 0.0),
    gaps: Sequence[float] = (-0.4, -1.5, -1.5, 0.5),
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Draw ratings in which only the experience at the first touchpoints moves the outcome."""
    rng = np.random.default_rng(seed)
    k = len(slopes)
    experience = rng.normal(size=(n, k))
    expectation = np.clip(np.rint(rng.normal(5.3, 0.8, (n, k))), 1, 7)
    noise = rng.normal(0, 0.5, (n, k))
    perception = np.clip(np.rint(expectation + np.array(gaps) + experience + noise), 1, 7)
    outcome = np.clip(np.rint(6 + experience @ np.array(slopes) + rng.normal(0, 1, n)), 0, 10)
    return {"expectation": expectation, "perception": perception, "outcome": outcome}
