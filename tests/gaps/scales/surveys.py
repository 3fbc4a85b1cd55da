"""Surveys of known structure, and the pupils of Holzinger and Swineford."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

PUPILS = pd.read_csv(
    Path(__file__).parent.parent / "reference" / "holzinger_swineford.csv", dtype={"school": str}
)
TESTS = PUPILS.drop(columns="school")
ABILITIES = pd.Series(np.repeat(["visual", "textual", "speed"], 3), index=TESTS.columns)


def draw_answers(n: int, loadings: dict[str, list[float]], *, r: float = 0.4, seed: int = 0):
    """Draw answers of a factor model with item variance 1: items a1, a2, ... of dimension a."""
    draw = np.random.default_rng(seed)
    f = len(loadings)
    factors = draw.multivariate_normal(np.zeros(f), np.full((f, f), r) + (1 - r) * np.eye(f), n)
    columns = {}
    for i, (name, own) in enumerate(loadings.items()):
        for j, loading in enumerate(own, 1):
            noise = draw.standard_normal(n) * np.sqrt(1 - loading**2)
            columns[f"{name}{j}"] = loading * factors[:, i] + noise
    values = pd.DataFrame(columns)
    return values, pd.Series([name[0] for name in columns], index=list(columns))
