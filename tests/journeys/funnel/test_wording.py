"""Sentences say what the tables say."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from cxlib.journeys.funnel.comparison import FunnelComparison
from cxlib.journeys.funnel.drops import count_next
from cxlib.journeys.funnel.funnel import measure_funnel
from cxlib.journeys.funnel.timing import ConversionTimes, time_to_convert
from cxlib.journeys.funnel.wording import (
    describe_breaks,
    describe_funnel_comparison,
    describe_next,
    describe_times,
)

WALKS = [(f"c{i}", ("ad web web order", "shop buy", "ad web")[i % 3]) for i in range(90)]
STAGES = ["ad", "web", "order"]


def test_breaks_name_the_largest_loss(make_log):
    """Journeys that pass over a stage, or are open, are not counted as lost."""
    log = make_log([*WALKS, ("x", "ad order")])
    funnel = measure_funnel(log, STAGES)
    through = (
        "Of 61 journeys that reach 'ad', 49.2% (37.1% to 61.4%) come to 'order' with every stage "
        "between in order."
    )
    lost = "Most break off after 'web': 30 of 60 there have ended without a later stage"
    assert describe_breaks(funnel) == f"{through} {lost}."
    funnel.loc[1, ["n_skipped", "n_open"]] = [4, 2]
    assert describe_breaks(funnel, min_cell=1).endswith(
        f"{lost}; of the others 4 pass over the next stage and 2 may still go on."
    )
    assert describe_breaks(funnel.head(1)) == "Journeys that reach 'ad': 61."
    assert describe_breaks(funnel.assign(n_ended=0)) == through


def test_breaks_tell_no_number_of_few(make_log):
    """60 and 30 customers are told, fewer than the smallest group are not; none is none."""
    funnel = measure_funnel(make_log([*WALKS, ("x", "ad order")]), STAGES)
    funnel.loc[1, ["n_skipped", "n_open"]] = [4, 0]
    assert describe_breaks(funnel).endswith(
        "; of the others fewer than 10 pass over the next stage."
    )
    assert describe_breaks(funnel, min_cell=31) == (
        "Of 61 journeys that reach 'ad', those of fewer than 31 customers come to 'order' with "
        "every stage between in order."
    )
    assert describe_breaks(funnel, min_cell=62) == "Fewer than 62 customers reach 'ad'."
    none = measure_funnel(make_log(WALKS), ["ad", "web", "shop"])
    assert "0.0% (0.0% to" in describe_breaks(none)


def test_times_leave_out_steps_of_few(make_log):
    """The hardest step is told of 60, not of 9: then it is the other one, or none."""
    found = time_to_convert(make_log(WALKS), STAGES, horizons=["7d"])
    assert "50.0% of 60 journeys" in describe_times(found)
    few = found.times["n"].mask(found.times["stage"] == "web", 9)
    short = dataclasses.replace(found, times=found.times.assign(n=few))
    assert "from 'ad' to 'web': 100.0% of 60 journeys" in describe_times(short)
    none = dataclasses.replace(found, times=found.times.assign(n=9))
    assert describe_times(none).startswith("Too few journeys")


def test_times_give_shares_times_and_the_naive_ones(make_log):
    """The longest horizon, the largest quantile reached, and how to read them."""
    found = time_to_convert(make_log(WALKS), STAGES, horizons=["1d", "7d"])
    text = describe_times(found)
    assert text.startswith(
        "The hardest step is from 'web' to 'order': 50.0% of 60 journeys make it within 7 days ("
    )
    assert "; 50% of all are there after 2 hours (2 hours or more); of those who came" in text
    assert text.endswith("the times of those who came leave both out.")
    never = found.quantiles.assign(days=np.nan, naive_days=np.nan)
    assert "of all are there" not in describe_times(dataclasses.replace(found, quantiles=never))
    nothing = ConversionTimes(found.times.assign(share=np.nan), found.quantiles, found.curves)
    assert describe_times(nothing).startswith("Too few journeys were observed")


def test_next_tells_end_open_and_the_commonest(make_log):
    """Shares are of all that stop at the stage."""
    walks = [("a", "ad chat"), ("b", "ad chat"), ("c", "ad shop"), ("d", "ad"), ("e", "web")]
    stopped = count_next(make_log(walks), ["ad", "web"])
    assert describe_next(stopped, min_cell=1) == (
        "Of 4 journeys that stop at 'ad', where most do, 25% end there, the commonest touchpoint "
        "afterwards is 'chat' (50%, 15% to 85%)."
    )
    assert describe_next(stopped, min_cell=2) == (
        "Of 4 journeys that stop at 'ad', where most do, the commonest touchpoint afterwards is "
        "'chat' (50%, 15% to 85%)."
    )
    assert describe_next(stopped) == (
        "Of fewer than 10 journeys that stop at 'ad', where most do, no 10 customers do the same "
        "next."
    )
    late = count_next(make_log(walks, start="2024-12-30"), ["ad", "web"])
    late = describe_next(late, min_cell=1)
    assert "25% may still go on" in late
    empty = count_next(make_log([("a", "ad web")]), ["ad", "web"])
    assert describe_next(empty) == "No journey stops before the last stage."


def test_comparison_counts_what_was_tested():
    """A sure difference is told with both shares and its size; none is told as none."""
    row = {
        "position": 2, "stage": "web", "group_a": "old", "group_b": "new", "n_a": 80, "n_b": 70,
        "share_a": 0.6, "share_b": 0.8, "difference": 0.2, "conf_low": 0.0524, "conf_high": 0.3339,
        "effect_size": 0.442, "p_value": 0.008, "q_value": 0.016, "n_tests": 2,
    }  # fmt: skip
    table = pd.DataFrame([row, row | {"stage": "order", "q_value": 0.4}])
    found = FunnelComparison(pd.DataFrame(), table, 30.0)
    assert describe_funnel_comparison(found) == (
        "1 of 2 differences tested are beyond chance (5% false discoveries allowed), counting what "
        "is reached within 30 days. 'web' is reached by 80.0% of 70 journeys in 'new' against "
        "60.0% of 80 in 'old' (difference +20.0 points, +5.2 to +33.4; Cohen's h +0.44)."
    )
    none = FunnelComparison(pd.DataFrame(), table.tail(1), 30.0)
    assert describe_funnel_comparison(none).startswith("0 of 1 differences tested are beyond")
    assert "within 30 days." in describe_funnel_comparison(none)
    empty = FunnelComparison(pd.DataFrame(), table.head(0), 30.0)
    assert describe_funnel_comparison(empty).startswith("No stage is reached often enough")
