"""A small survey of employees and customers, written out by hand."""

from __future__ import annotations

import pandas as pd

from cxlib.gaps.delivery.beliefs import Beliefs, pair_beliefs, select_beliefs

ITEMS = pd.DataFrame(
    {
        "item": ["speed", "care"],
        "scale_min": 1.0,
        "scale_max": 7.0,
        "text": ["Served fast.", None],
        "dimension": ["time", "people"],
    }
)
SPEED = {"employee": [6, 6, 7, 5, 6, 7], "customer": [3, 4, 5, 4, 3, 4, 5]}
CARE = {"employee": [5, 4, 5, 4, 5, 4], "customer": [5, 4, 5, 4, 4, 5, 5]}
TEAMS = ["a", "a", "b", "b", "c", "c"]


def make_survey(*, unit: bool = False, **columns: object) -> pd.DataFrame:
    """Make the answers of six employees and seven customers."""
    rows = []
    for item, ratings in (("speed", SPEED), ("care", CARE)):
        for source, values in ratings.items():
            role = "belief" if source == "employee" else "perception"
            for i, value in enumerate(values):
                team = TEAMS[i] if unit and source == "employee" else None
                rows.append((f"{source[0]}{i}", item, role, float(value), source, team))
    names = ["respondent_id", "item", "role", "value", "source", "unit"]
    table = pd.DataFrame(rows, columns=names).assign(**columns)
    return table if unit else table.drop(columns="unit")


def make_beliefs(answers: pd.DataFrame, items: pd.DataFrame = ITEMS) -> Beliefs:
    """Pair the two sources of a survey."""
    return pair_beliefs(*select_beliefs(answers, items))
