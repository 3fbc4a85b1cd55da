"""Sentences about kinds say what the tables say."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.journeys.kinds.assign import NONE
from cxlib.journeys.kinds.wording import (
    describe_differences,
    describe_doubt,
    describe_drift,
    describe_representatives,
    describe_segments,
    describe_unseen,
)

SEGMENTS = pd.DataFrame(
    {
        "segment": ["web + order", "shop"],
        "n": [60, 40],
        "share": [0.6, 0.4],
        "conf_low": [0.5, 0.3],
        "conf_high": [0.7, 0.5],
        "stability": [0.95, 0.7],
        "verdict": ["stable", "weak: its edges move when journeys are drawn anew"],
        "n_customers": [55, 35],
    }
)
REPRESENTATIVES = pd.DataFrame(
    {
        "segment": ["buy", "buy", "help"],
        "rank": [1, 2, 1],
        "path": ["ad > web", "ad > shop", "chat > phone"],
        "n": [30, 10, 9],
        "coverage_share": [0.2, 0.31, 0.5],
        "radius": [1.8, 1.8, 0.4],
    }
)
DIFFERENCES = pd.DataFrame(
    {
        "segment": ["buy", "buy", "buy", "help"],
        "touchpoint": ["order", "web", "chat", "mail"],
        "lift": [np.inf, 2.5, 0.1, 1.2],
        "conf_low": [300, 2, 0.05, 0.8],
        "conf_high": [np.inf, 3.1, 0.2, 1.8],
        "q_value": [0.001, 0.001, 0.001, 0.4],
        "n_tests": 4,
    }
)
DRIFT = pd.DataFrame(
    {
        "segment": ["buy", "help", NONE],
        "n": [600, 390, 10],
        "share": [0.6, 0.39, 0.01],
        "conf_low": [0.57, 0.36, 0.005],
        "conf_high": [0.63, 0.42, 0.018],
        "fitted_share": [0.5, 0.49, 0.01],
        "difference": [0.1, -0.1, 0.0],
        "q_value": [0.001, 0.001, 0.9],
        "n_tests": 5,
        "verdict": ["share moved; fit worse: refit", "share moved", "no change shown"],
    }
)


def test_segments_are_named_with_share_and_customers():
    """Every kind comes with its interval; the evidence is said first."""
    text = describe_segments(SEGMENTS)
    assert text == (
        "Customers walk 2 kinds of journey, 1 of them found again when journeys are drawn anew: "
        "web + order (60% of the journeys, 50% to 70%; 55 customers); shop (40% of the journeys, "
        "30% to 50%; 35 customers) (95% intervals)."
    )
    stable = SEGMENTS.assign(verdict="stable")
    assert "kinds of journey, all found again" in describe_segments(stable)


def test_kinds_of_few_are_counted_not_named():
    """Two kinds of 55 and 35 customers; the smallest group is 40."""
    text = describe_segments(SEGMENTS, min_cell=40)
    assert text.endswith("55 customers); and 1 rarer one (95% intervals).")
    assert "shop" not in text
    assert describe_segments(SEGMENTS, min_cell=99) == (
        "No kind of journey is walked by 99 customers or more."
    )


def test_no_segments_is_said_plainly():
    """The reason is part of the sentence."""
    none = SEGMENTS.head(1).assign(verdict="no segments here: all journeys are alike")
    expected = "There is no evidence of different kinds of journey: all journeys are alike."
    assert describe_segments(none) == expected


def test_doubt_is_said_when_the_largest_number_won():
    """The largest number tried may not be the end, and a rival almost as clear is named."""
    quality = pd.DataFrame(
        {
            "n_clusters": [2, 3],
            "clarity": [0.4, 0.45],
            "holds": [True, True],
            "chosen": [False, True],
        }
    )
    assert "3 is the largest number tried" in describe_doubt(quality)
    assert describe_doubt(quality.tail(1)) == ""
    other = quality.assign(chosen=[True, False])
    assert describe_doubt(other) == (
        "The number of kinds is not settled: 3 would hold almost as well."
    )
    assert describe_doubt(other.assign(clarity=[0.4, 0.3])) == ""
    assert describe_doubt(other.assign(holds=[True, False])) == ""


def test_representatives_tell_what_they_stand_for():
    """The first path, how near the others are, and how far more paths reach."""
    assert describe_representatives(REPRESENTATIVES) == (
        "buy: ad > web stands for 20% of the journeys (at most 1 step put in or left out); with 1 "
        "more, 31%. help: chat > phone stands for 50% of the journeys (exactly so)."
    )


def test_differences_name_what_is_commoner_and_what_was_tested():
    """What is rarer is left to the table; what defined the kinds is no proof of them."""
    assert describe_differences(DIFFERENCES) == (
        "Against other journeys of the same length, buy: order is found almost only here and web "
        "is 2.5 times as common (2.0 to 3.1). help: nothing is surely commoner. (3 of 4 tests show "
        "a difference. Touchpoints that defined the kinds differ by construction.)"
    )


def test_drift_says_what_moved_and_what_to_do():
    """Shares then and now, what fits worse, how many tests."""
    assert describe_drift(DRIFT) == (
        "How common kinds are has moved: buy from 50.0% to 60.0% (57.0% to 63.0%); help from 49.0% "
        "to 39.0% (36.0% to 42.0%). Journeys fit worse than those the kinds were found on: buy. "
        "Fit anew. (5 tests, 5% false discoveries allowed)."
    )
    same = DRIFT.assign(q_value=0.5, verdict="no change shown")
    assert describe_drift(same).startswith("No change is shown in how common the kinds are")
    few = DRIFT.assign(q_value=np.nan, verdict="too few journeys to tell", n_tests=0)
    assert describe_drift(few) == (
        "1,000 journeys are too few to tell whether the kinds still hold."
    )


def test_unseen_touchpoints_are_told():
    """The commonest by name, the rest counted; nothing is said when there are none."""
    unseen = pd.DataFrame({"touchpoint": list("abcd"), "n": [9, 8, 7, 6], "share": 0.05})
    text = describe_unseen(unseen)
    assert "a (5.0% of the journeys), b" in text
    assert text.endswith("and 1 more.")
    assert describe_unseen(unseen.head(0)) == ""
