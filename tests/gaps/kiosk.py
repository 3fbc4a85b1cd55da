"""The kiosk study as ratings, and surveys drawn from a known model."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd

from cxlib.gaps.ratings import Ratings, select_answers

REAL = Path(__file__).parents[1] / "real"
OUTCOMES = "OUT1, OUT2, OUT3, OUT4"
# the authors' careless respondents, as rows of the raw file (SOURCE.md), and the answers' words
CARELESS = {21, 22, 26, 39, 62, 78, 86, 92, 102, 126, 138, 188, 209}
NEVER_USED = "사용한 적 없음"
CODES = {
    "마음에 든다.": 1,
    "당연하다.": 2,
    "아무런 느낌이 없다.": 3,
    "하는 수 없다.": 4,
    "마음에 안 든다.": 5,
}


def stack(respondents: list[str], columns: dict[tuple[str, str], np.ndarray]) -> pd.DataFrame:
    """Stack columns of answers, given by role and item; NaN is no answer."""
    parts = [
        pd.DataFrame({"respondent_id": respondents, "item": item, "role": role, "value": values})
        for (role, item), values in columns.items()
    ]
    return pd.concat(parts, ignore_index=True).dropna(subset="value")


def read_kiosk(shared_data: Path) -> Ratings:
    """Read expectation, perception and outcomes of the 194 respondents."""
    table = pd.read_csv(shared_data / "kiosk" / "kiosk_clean_coded.csv")
    columns = {
        (role, str(i)): table[f"{letter}{i}"].to_numpy(float)
        for role, letter in (("expectation", "E"), ("perception", "P"))
        for i in range(1, 25)
    }
    columns |= {("outcome", name): table[name].to_numpy(float) for name in OUTCOMES.split(", ")}
    items = pd.read_csv(REAL / "kiosk_items.csv", dtype={"item": str})
    return select_answers(stack([f"r{i:03d}" for i in table.index], columns), items)


def read_kiosk_features(shared_data: Path, *, with_careless: bool) -> Ratings:
    """Read the Kano pairs by their wording: n-1 is the feature there, n-2 the feature lacking."""
    path = shared_data / "kiosk" / "kiosk_raw_cp949_original.csv"
    with path.open(encoding="cp949", newline="") as file:
        header, *rows = csv.reader(file)
    kept = [
        row
        for number, row in enumerate(rows, 1)
        if row[2] != NEVER_USED and (with_careless or number not in CARELESS)
    ]
    columns = {}
    for place, question in enumerate(header):
        found = re.fullmatch(r"(\d+)-([12])\. 만약.*느낌이 들겠습니까\? ?", question)
        if found:
            role = "functional" if found[2] == "1" else "dysfunctional"
            values = [CODES[row[place]] for row in kept]
            columns[role, f"K{found[1]}"] = np.array(values, dtype=float)
    assert len(columns) == 58
    items = pd.read_csv(REAL / "kiosk_features.csv")
    return select_answers(stack([f"r{i:03d}" for i in range(len(kept))], columns), items)


def draw_ratings(
    n: int,
    *,
    slopes: tuple[float, float],
    noise: float = 1.0,
    bend: float = 0.0,
    seed: int = 0,
) -> Ratings:
    """Draw one item and an outcome 5 + slopes of (expectation, perception) + bend (E - P)^2."""
    rng = np.random.default_rng(seed)
    style = rng.normal(0, 0.6, n)
    e = np.clip(np.round(5 + style + rng.normal(0, 0.7, n), 1), 1, 7)
    p = np.clip(np.round(4.3 + style + rng.normal(0, 0.9, n), 1), 1, 7)
    y = 5 + slopes[0] * (e - 4) + slopes[1] * (p - 4) + bend * (e - p) ** 2
    y = y + rng.normal(0, noise, n)
    respondents = [f"r{i:06d}" for i in range(n)]
    columns = {("expectation", "x"): e, ("perception", "x"): p, ("outcome", "out"): y}
    items = pd.DataFrame(
        {
            "item": ["x", "out"],
            "scale_min": [1.0, np.nan],
            "scale_max": [7.0, np.nan],
            "expectation_type": ["will", None],
            "timing": ["before", None],
        }
    )
    return select_answers(stack(respondents, columns), items)
