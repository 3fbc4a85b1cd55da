"""The rules by which a model is preferred."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.gaps.prediction.verdicts import EQUAL, FLAT, LINK, NOTHING, judge


def decide(gap: float, perception: float, surface: float, **q_values: float) -> tuple:
    """Judge one name of which this share of draws loses more than the margin."""
    n = 1_000

    def loses(share: float, sign: int = 1) -> np.ndarray:
        """Give draws of which this share lies beyond the margin."""
        return sign * np.where(np.arange(n) < share * n, 0.5, 0.0)

    draws = {
        "gap alone": loses(gap),
        "perception alone": loses(perception),
        "curved surface": loses(surface, -1),
    }
    q = {"link": 0.001, "equal": 0.001, "nothing": 0.001, "flat": 0.5} | q_values
    names = {"link": LINK, "equal": EQUAL, "nothing": NOTHING, "flat": FLAT}
    tests = pd.DataFrame(
        [("total", "total", names[key], value) for key, value in q.items()],
        columns=["level", "name", "test", "q_value"],
    )
    fit = {"level": "total", "name": "total", "n": 100, "draws": draws}
    row = judge([fit], tests, margin=0.1, alpha=0.05).iloc[0]
    return row["verdict"], row["p_verdict"], row["leading"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (decide(0, 1, 0), ("gap", 1, "gap")),
        (decide(1, 0.1, 0), ("perception", 0.9, "perception")),
        (decide(1, 0.3, 0), ("undecided", 0.7, "perception")),  # under 80 %
        (decide(1, 0, 0, equal=0.2), ("undecided", 1, "perception")),  # the gap is not ruled out
        (decide(0, 1, 0, nothing=0.2), ("undecided", 1, "gap")),
        (decide(1, 1, 0), ("both", 1, "both")),
        (decide(1, 1, 0, nothing=0.06), ("undecided", 1, "both")),
        (decide(0, 0, 0), ("either", 1, "either")),
        (decide(0, 1, 0.9, flat=0.01), ("curved", 0.9, "curved")),
        (decide(0, 1, 0.7, flat=0.01), ("gap", 1, "gap")),  # curved, but too little to matter
        (decide(0, 1, 1, flat=np.nan), ("gap", 1, "gap")),  # no surface was fitted
    ],
)
def test_rules(given, expected):
    """Each verdict needs its probability and the rejection of what it denies."""
    assert given == expected


def test_no_link():
    """Neither straight nor curved terms are shown: nothing is preferred."""
    verdict, chance, leading = decide(0, 1, 0, link=0.3)
    assert (verdict, leading) == ("no link", "")
    assert np.isnan(chance)
