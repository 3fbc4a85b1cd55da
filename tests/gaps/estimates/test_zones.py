"""Sentences on zones and weights say what the tables say."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.gaps.estimates.weighting import WeightedGaps
from cxlib.gaps.estimates.zones import describe_tolerance, describe_weighted_gaps


def _zone(name: str, verdict: str, adequacy: float, **others: object) -> dict:
    row = {"level": "item", "name": name, "text": None, "n": 1000, "verdict": verdict}
    row |= {"adequacy": adequacy, "adequacy_low": adequacy - 0.1, "adequacy_high": adequacy + 0.1}
    return row | {"n_inverted": 0, "scale_min": 1.0, "scale_max": 9.0} | others


def test_places_are_counted_and_the_worst_named():
    """Every verdict has its count; what lies below the minimum comes with its interval."""
    rows = [_zone("a", "below", -0.5), _zone("b", "inside", 0.5), _zone("c", "undecided", 0.0)]
    assert describe_tolerance(pd.DataFrame(rows)) == (
        "By item, 1 of 3 lie below the minimum customers accept, 1 inside the zone of tolerance, "
        "0 above what they desire; 1 are undecided (less than 80% sure). Farthest below the "
        "minimum: 'a' -0.50 points on the scale 1 to 9 (95% interval -0.60 to -0.40, 1,000 "
        "respondents)."
    )
    assert "Too few" in describe_tolerance(pd.DataFrame(rows), level="dimension")


def test_inverted_zones_are_told():
    """How many desire less than their minimum, on the item with most of them."""
    rows = [_zone("a", "inside", 0.5, n_inverted=3), _zone("b", "inside", 0.5, n_inverted=7)]
    assert "(most on 'b': 7 of 1,000 respondents); they have no zone" in describe_tolerance(
        pd.DataFrame(rows)
    )


def _weighted(**others: object) -> WeightedGaps:
    total = pd.DataFrame(
        {
            "measure": ["weighted", "unweighted", "difference"],
            "n": 200,
            "gap": [-1.2, -1.0, -0.2],
            "conf_low": [-1.3, -1.1, -0.25],
            "conf_high": [-1.1, -0.9, -0.15],
        }
    )
    dimensions = pd.DataFrame(
        {
            "name": ["time", "people"],
            "importance": [0.7, 0.3],
            "contribution": [-0.9, -0.3],
            "conf_low": [-1.0, -0.4],
            "conf_high": [-0.8, -0.2],
            "p_lowest": [0.97, 0.03],
        }
    )
    usual = {"basis": "points", "points": 100.0, "n_off": 0, "n_zero": 0, "n_incomplete": 0}
    return WeightedGaps(**({"total": total, "dimensions": dimensions} | usual | others))


def test_weighting_is_told_with_what_it_moves():
    """Weighted, unweighted, the move, the dimension that weighs most."""
    assert describe_weighted_gaps(_weighted()) == (
        "Weighted by importance the gap is -1.20 points (95% interval -1.30 to -1.10, 200 "
        "respondents), with all dimensions alike -1.00; weighting moves it by -0.20 (-0.25 to "
        "-0.15). It is pulled down most by 'time' with -0.90 (-1.00 to -0.80), 97% sure. "
        "Respondents divided 100 points among the dimensions."
    )


def test_unsure_rank_ratings_and_those_left_out_are_told():
    """Under 80 % is undecided; ratings are no points; nobody is dropped silently."""
    unsure = _weighted().dimensions.assign(p_lowest=[0.6, 0.4])
    told = describe_weighted_gaps(
        _weighted(dimensions=unsure, basis="ratings", points=np.nan, n_zero=4, n_incomplete=9)
    )
    assert "is undecided; measured it is 'time' with -0.90 (-1.00 to -0.80), 60% sure." in told
    assert "Importance was rated, not divided as points" in told
    assert "(mean weights 30% to 70%)" in told
    assert told.endswith(
        "Not in it: 4 who gave nothing but zero and 9 who left out the importance of a dimension."
    )
    assert "5 gave another sum and were scaled to it." in describe_weighted_gaps(_weighted(n_off=5))
