"""Small surveys the tests write out by hand."""

from __future__ import annotations

import pandas as pd


def make_answers(rows: str) -> pd.DataFrame:
    """Read lines of `respondent item expectation perception`; a dash is no answer."""
    answers = []
    for line in rows.strip().splitlines():
        respondent, item, *values = line.split()
        for role, value in zip(("expectation", "perception"), values, strict=True):
            if value != "-":
                answers.append((respondent, item, role, float(value)))
    return pd.DataFrame(answers, columns=["respondent_id", "item", "role", "value"])


def make_outcomes(item: str, values: list[float]) -> pd.DataFrame:
    """Make one outcome answer a respondent, r0, r1, ..."""
    return pd.DataFrame(
        {
            "respondent_id": [f"r{i}" for i in range(len(values))],
            "item": item,
            "role": "outcome",
            "value": [float(value) for value in values],
        }
    )


def make_items(**columns: object) -> pd.DataFrame:
    """Make the table `items`: scales of 1 to 7, what should be, asked after, unless given."""
    usual = {"scale_min": 1.0, "scale_max": 7.0, "expectation_type": "should", "timing": "after"}
    return pd.DataFrame({**usual, **columns})


# Two dimensions; respondent c skips an expectation, d answers speed only.
SURVEY = """
    a speed   7 4
    a hold    6 5
    a polite  6 6
    b speed   6 5
    b hold    7 3
    b polite  5 6
    c speed   7 5
    c hold    6 2
    c polite  - 4
    d speed   5 4
"""
ITEMS = make_items(
    item=["speed", "hold", "polite"],
    dimension=["time", "time", "people"],
    touchpoint=["phone", "phone", None],
    text=["Served fast", "No waiting in line", None],
)
