"""The funnel: greedy, in order, honest about open journeys."""

from __future__ import annotations

import dataclasses
import itertools

import ibis
import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError
from cxlib.journeys import add_journeys
from cxlib.journeys.funnel.funnel import default_stages, measure_funnel
from cxlib.journeys.funnel.matching import match_stages
from cxlib.stats import clustered_share_size, wilson_interval

AS_OF = "2024-12-31"


def _count(log, stages: str, **limits) -> list[int]:
    return measure_funnel(log, stages.split(), **limits)["n"].tolist()


def test_order_counts(make_log):
    """Stages count in order, not adjacent, and only steps after the one matched before."""
    expected = {
        "cart pay": 2,
        "cart other pay": 2,
        "pay cart": 1,
        "pay cart pay": 2,
        "pay": 0,
        "cart": 1,
        "cart cart": 1,
        "pay cart cart pay pay": 2,
    }
    found = match_stages(make_log(enumerate(expected)), ["cart", "pay"])
    reached = dict(found.select("customer", "n_reached").to_pandas().to_numpy())
    assert [reached.get(number, 0) for number in range(8)] == list(expected.values())


def test_repeated_stage_needs_repeated_steps(make_log):
    """A funnel that names a stage twice is not converted by one visit."""
    log = make_log([("a", "cart"), ("b", "cart cart"), ("c", "cart web cart")])
    assert _count(log, "cart cart") == [3, 2]
    assert _count(log, "cart cart", again="best", within="90min") == [3, 1]


def test_equal_times_follow_the_order_of_the_steps(make_events):
    """Two events at one instant are two steps, the order of the source between them."""
    rows = [("a", "2024-01-01", "pay", 1), ("a", "2024-01-01", "cart", 2)]
    log = add_journeys(make_events(rows, "_row"), as_of=AS_OF)
    for limits in ({}, {"within": "0s", "again": "best"}):
        assert _count(log, "cart pay", **limits) == [1, 0]
        assert _count(log, "pay cart", **limits) == [1, 1]


def test_hand_computed_funnel(make_log):
    """Four journeys of three customers; the interval clusters by customer."""
    walks = [("a", "cart ship pay"), ("a", "cart pay"), ("b", "cart ship"), ("c", "web")]
    funnel = measure_funnel(make_log(walks), ["cart", "ship", "pay"]).set_index("stage")
    assert funnel["n"].tolist() == [3, 2, 1]
    assert funnel["n_customers"].tolist() == [2, 2, 1]
    assert funnel["conversion_share"].tolist() == pytest.approx([1, 2 / 3, 1 / 3])
    assert funnel["step_conversion_share"].tolist() == pytest.approx([1, 2 / 3, 1 / 2])
    assert funnel["journey_share"].tolist() == pytest.approx([3 / 4, 2 / 4, 1 / 4])
    assert funnel["median_days"].fillna(-1).tolist() == pytest.approx([-1, 1 / 24, 1 / 24])
    # pay: x = 1, 0 of y = 2, 1 -> xx 1, xy 2, yy 5
    low, high = wilson_interval([1 / 3], clustered_share_size([1 / 3], [3], [1], [2], [5]))
    assert funnel.loc["pay", ["conf_low", "conf_high"]].tolist() == pytest.approx([low[0], high[0]])
    assert funnel.loc["cart", ["conf_low", "conf_high"]].tolist() == [1, 1]


def test_open_journeys_are_counted_where_they_stopped(make_log):
    """An open journey is open at its last stage; one that finished is not."""
    walks = [("a", "cart"), ("b", "cart ship"), ("c", "cart ship pay")]
    funnel = measure_funnel(make_log(walks, start="2024-12-30"), ["cart", "ship", "pay"])
    assert funnel["n_open"].tolist() == [1, 1, 0]
    assert funnel["open_share"].tolist() == pytest.approx([0, 1 / 3, 2 / 3])
    assert funnel["n_ended"].tolist() == [0, 0, 0]


def test_journeys_that_leave_a_stage_out_are_told_apart_from_those_that_end(make_log):
    """Of three journeys that stop at `cart`, one holds `pay` later; before it would not count."""
    walks = [("a", "cart pay"), ("b", "pay cart"), ("c", "cart"), ("d", "cart ship")]
    funnel = measure_funnel(make_log(walks), ["cart", "ship", "pay"])
    assert funnel["n"].tolist() == [4, 1, 0]
    assert funnel["n_skipped"].tolist() == [1, 0, 0]
    assert funnel["n_ended"].tolist() == [2, 1, 0]
    late = measure_funnel(make_log(walks, start="2024-12-30"), ["cart", "ship", "pay"])
    assert late["n_open"].tolist() == [3, 1, 0]
    assert late["n_skipped"].tolist() == [0, 0, 0]  # it may still go back to the stage


def test_stage_that_nobody_reaches_in_order(make_log):
    """Shares after an empty stage are empty, not zero; its interval starts at zero."""
    funnel = measure_funnel(make_log([("a", "web"), ("b", "pay web")]), ["web", "pay", "web"])
    assert funnel["n"].tolist() == [2, 0, 0]
    assert funnel["conversion_share"].tolist() == [1, 0, 0]
    assert np.isnan(funnel["median_days"].iloc[1])
    assert np.isnan(funnel["step_conversion_share"].iloc[2])
    assert 0 == funnel["conf_low"].iloc[1] < funnel["conf_high"].iloc[1] < 1


def test_window_runs_from_the_first_stage_and_includes_its_end(make_log):
    """Contacts are an hour apart: `pay` comes two hours after `cart`, though one after `ship`."""
    log = make_log([("a", "cart ship pay")])
    assert _count(log, "cart ship pay", within="2h") == [1, 1, 1]
    assert _count(log, "cart ship pay", within="119min") == [1, 1, 0]
    assert _count(log, "cart ship pay", within=pd.Timedelta("30min")) == [1, 0, 0]


def test_best_arrival_forgives_an_early_one(make_log):
    """The first cart is too long before the payment, the second is not."""
    log = make_log([("a", "cart web web cart pay"), ("b", "cart web")])
    assert _count(log, "cart pay", within="1h") == [2, 0]
    best = measure_funnel(log, ["cart", "pay"], within="1h", again="best")
    assert best["n"].tolist() == [2, 1]
    assert best["median_days"].iloc[1] == pytest.approx(1 / 24)


def test_exclusion_stops_a_journey_after_the_first_stage_only(make_log):
    """A complaint before the cart does not matter; one after it stops the journey there."""
    walks = [("a", "moan cart pay"), ("b", "cart moan pay"), ("c", "cart pay moan")]
    log = make_log([*walks, ("d", "cart moan cart pay")])
    assert _count(log, "cart pay") == [4, 4]
    assert _count(log, "cart pay", without=["moan"]) == [4, 2]
    assert _count(log, "cart pay", without=["moan"], again="best") == [4, 3]


def test_journeys_out_of_the_window_or_stopped_are_not_open(make_log):
    """What can no longer convert has ended, unless it may arrive at the first stage again."""
    log = make_log([("a", "cart"), ("b", "cart moan"), ("c", "pay")], start="2024-12-30")
    stages = ["cart", "pay"]
    for limits, expected in (
        ({"within": "2d"}, [2, 0]),  # the data end 48 hours after the cart
        ({"within": "47h"}, [0, 2]),
        ({"within": "47h", "again": "best"}, [2, 0]),
        ({"without": ["moan"]}, [1, 1]),
        ({"without": ["moan"], "again": "best"}, [2, 0]),
    ):
        row = measure_funnel(log, stages, **limits).iloc[0]
        assert row[["n_open", "n_ended"]].tolist() == expected


@pytest.fixture(scope="module")
def every_path():
    """Return a log of all paths of one to six contacts out of three, and the paths."""
    paths = [path for size in range(1, 7) for path in itertools.product("xyz", repeat=size)]
    rows = [
        (f"c{number % 7}", pd.Timestamp("2024-12-01") + pd.Timedelta(hours=hour), name, f"{number}")
        for number, path in enumerate(paths)
        for hour, name in enumerate(path)
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", "timestamp", "touchpoint", "journey_id"])
    events = ibis.duckdb.connect().create_table("events", frame.astype({"timestamp": "M8[us]"}))
    return add_journeys(events, as_of="2024-12-10"), paths


def _walk(path, begin: int, stages: str, within: int, without: str) -> int:
    """Count the stages that a path holds in order from one arrival, step by step."""
    reached = 1
    for hour in range(begin + 1, min(begin + within + 1, len(path))):
        if path[hour] in without:
            break
        reached += reached < len(stages) and path[hour] == stages[reached]
    return reached


@pytest.mark.parametrize(
    ("stages", "within", "without"),
    [
        ("xyz", 9, ""),
        ("xx", 9, ""),
        ("xyx", 3, ""),
        ("xxy", 2, "z"),
        ("yx", 9, "z"),
    ],
)
def test_engine_agrees_with_a_walk_through_every_path(every_path, stages, within, without):
    """All 1,092 paths: what the joins give is what reading them step by step gives."""
    log, paths = every_path
    for again in ("first", "best"):
        limits = {"within": f"{within}h", "without": list(without), "again": again}
        found = match_stages(log, list(stages), **limits)
        named = found.join(log.journeys.select("journey", "source_id"), "journey").to_pandas()
        expected = {}
        for number, path in enumerate(paths):
            begins = [hour for hour, name in enumerate(path) if name == stages[0]]
            tries = [_walk(path, begin, stages, within, without) for begin in begins]
            if tries:
                expected[f"{number}"] = tries[0] if again == "first" else max(tries)
        assert dict(zip(named["source_id"], named["n_reached"], strict=True)) == expected


@pytest.mark.parametrize("again", ["first", "best"])
def test_parts_add_up(every_path, again):
    """Every journey at a stage came to the next, may still, left it out, or has ended."""
    log, _ = every_path
    end = pd.Timestamp("2024-12-01 08:00")
    is_open = log.journeys["ended_at"] >= (end - pd.Timedelta("5h")).value // 1000
    log = dataclasses.replace(log, journeys=log.journeys.mutate(is_open=is_open), end=end)
    for limits in ({}, {"within": "4h", "without": ["x"]}):
        funnel = measure_funnel(log, ["y", "z", "y", "z"], again=again, **limits)
        assert (funnel[["n_open", "n_ended"]].sum() > 0).all()
        parts = funnel["n_open"] + funnel["n_skipped"] + funnel["n_ended"]
        following = funnel["n"].shift(-1, fill_value=funnel["n"].iloc[-1])
        assert (funnel["n"] == following + parts).all()
        assert (funnel[["n_open", "n_skipped", "n_ended"]] >= 0).all(axis=None)
        assert funnel["n"].is_monotonic_decreasing
        assert (funnel["conversion_share"] + funnel["open_share"] <= 1 + 1e-12).all()


def test_stages_may_be_lifecycle_stages(make_events):
    """Names that are all stages match the column `stage`, whatever the touchpoints."""
    rows = [
        ("a", "2024-01-01", "ad", "attraction"),
        ("a", "2024-01-02", "home", "awareness"),
        ("a", "2024-01-03", "order", "purchase"),
        ("b", "2024-01-03", "order", "purchase"),
        ("b", "2024-01-04", "shop", "purchase"),
    ]
    log = add_journeys(make_events(rows, "stage"), as_of=AS_OF)
    assert _count(log, "attraction purchase") == [1, 1]
    assert _count(log, "purchase purchase") == [2, 1]
    assert default_stages(log, ["attraction", "use", "purchase"]) == ["attraction", "purchase"]
    with pytest.raises(InputError, match="mix touchpoints and lifecycle stages"):
        measure_funnel(log, ["ad", "purchase"])


def test_default_stages_are_the_commonest_start_middle_and_end(make_log):
    """Without lifecycle stages the funnel is what most journeys do."""
    log = make_log([("a", "ad web pay"), ("b", "ad web web pay"), ("c", "mail web end")])
    assert default_stages(log, ["use"]) == ["ad", "web", "pay"]
    assert default_stages(make_log([("a", "ad")])) == ["ad"]


def test_bad_stages_are_refused(make_log):
    """An unknown stage comes with the closest name; no list is no funnel."""
    log = make_log([("a", "cart pay")])
    with pytest.raises(InputError, match="No event is at 'carts'") as caught:
        measure_funnel(log, ["carts", "pay"])
    assert "did you mean 'cart'?" in caught.value.fix
    for bad in ([], "cart"):
        with pytest.raises(InputError, match="no list of names"):
            measure_funnel(log, bad)


def test_bad_limits_are_refused(make_log):
    """A bare number, an unknown way to arrive, a stage that also stops, a text for a list."""
    log = make_log([("a", "cart pay")])
    for limits, message in (
        ({"within": 7}, "within = 7 is not a number with a unit"),
        ({"again": "last"}, "again = 'last' is unknown"),
        ({"without": ["pay"]}, "'pay' is a stage of the funnel and cannot stop journeys as well"),
        ({"without": "pay"}, "without = 'pay' is no list of names"),
        ({"without": ["moan"]}, "No event is at 'moan'"),
    ):
        with pytest.raises(InputError, match=message):
            measure_funnel(log, ["cart", "pay"], **limits)
