"""The rules by which one model of an outcome is preferred, each with its probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.stats import Floats

# the hypotheses that are tested
LINK = "neither goes with the outcome"
EQUAL = "weights equal and opposite (the gap)"
NOTHING = "expectation adds nothing to perception"
FLAT = "the surface is flat"
SURE = 0.8  # chance from which a verdict is given
_NEEDS = {  # what must be rejected before a verdict is given
    "gap": (NOTHING,),
    "perception": (EQUAL,),
    "both": (EQUAL, NOTHING),
    "either": (),
}


def judge(
    fits: Sequence[dict[str, Any]], tests: pd.DataFrame, *, margin: float, alpha: float
) -> pd.DataFrame:
    """Judge which model the data support at each name.

    Parameters
    ----------
    fits : sequence of dict
        `level`, `name`, `n` and `draws`: by model, bootstrap draws of the part lost of what both
        ratings with weights of their own explain; None where no model could be fitted.
    tests : pandas.DataFrame
        As in `GapModels`.
    margin : float
        Part of it that is too little to matter.
    alpha : float
        A test rejects when its `q_value` is below.

    Returns
    -------
    pandas.DataFrame
        One row per level and name. Columns `level`, `name`, `n`, `verdict`, `p_verdict`,
        `leading`.

    Notes
    -----
    In this order: "too few" when no model could be fitted; "no link" when neither the straight
    nor the curved terms are shown to go with the outcome; "curved" when flatness is rejected and
    the surface explains more than `margin` beyond the plane in 80 % of draws. Else each draw says
    what an analyst who saw just that draw would say: a one-rating model suffices when it loses
    less than `margin` against both. "gap", "perception": that alone suffices; "either": both of
    these do, so that the data cannot tell them apart; "both": neither does. The commonest is given
    when 80 % of draws agree and the tests reject what it denies (equal and opposite weights for
    "perception", no weight of expectation for "gap", both for "both"); else "undecided".
    """
    q_values = tests.set_index(["level", "name", "test"])["q_value"]
    rows = []
    for fit in fits:
        about = (fit["level"], fit["name"], fit["n"])
        if fit["draws"] is None:
            rows.append((*about, "too few", np.nan, ""))
            continue
        rejected = {
            test: bool(q_values[(*about[:2], test)] < alpha)
            for test in (LINK, EQUAL, NOTHING, FLAT)
        }
        rows.append((*about, *_decide(fit["draws"], rejected, margin)))
    names = ["level", "name", "n", "verdict", "p_verdict", "leading"]
    return pd.DataFrame(rows, columns=names)


def _decide(
    draws: dict[str, Floats], rejected: dict[str, bool], margin: float
) -> tuple[str, float, str]:
    if not (rejected[LINK] or rejected[FLAT]):
        return "no link", np.nan, ""
    if rejected[FLAT]:  # then the surface was fitted
        p_curved = float(np.mean(draws["curved surface"] < -margin))
        if p_curved >= SURE:
            return "curved", p_curved, "curved"
    gap = draws["gap alone"] < margin
    perception = draws["perception alone"] < margin
    chances = {
        "gap": float(np.mean(gap & ~perception)),
        "perception": float(np.mean(~gap & perception)),
        "either": float(np.mean(gap & perception)),
        "both": float(np.mean(~gap & ~perception)),
    }
    leading = max(chances, key=lambda name: chances[name])
    is_sure = chances[leading] >= SURE and all(rejected[test] for test in _NEEDS[leading])
    return leading if is_sure else "undecided", chances[leading], leading
