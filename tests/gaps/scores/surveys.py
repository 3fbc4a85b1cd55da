"""Ratings the tests of scores make directly."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.gaps.ratings import Ratings

SCALES = {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "ces": (1.0, 7.0)}


def make_ratings(values: list[float], *, metric: str = "nps", **columns: object) -> Ratings:
    """Make ratings of one outcome item `q`, one respondent a value, r0, r1, ..."""
    low, high = SCALES[metric]
    facts = pd.DataFrame({"item": ["q"], "role": "outcome", "scale_min": low, "scale_max": high})
    facts = facts.assign(higher_is_better=True, metric=metric)
    respondents = pd.DataFrame({"respondent_id": [f"r{i}" for i in range(len(values))]})
    respondents = respondents.assign(**{"wave": "", "weight": 1.0, **columns})
    answers = pd.DataFrame({"q": np.asarray(values, dtype=float)})
    return Ratings(respondents, facts, {"outcome": answers}, None, pd.DataFrame(), "", "customer")


def invite(n: int, **columns: object) -> pd.DataFrame:
    """Invite r0, r1, ..."""
    return pd.DataFrame({"respondent_id": [f"r{i}" for i in range(n)], **columns})
