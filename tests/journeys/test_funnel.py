"""The funnel: greedy, in order, honest about open journeys."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlib.errors import InputError
from cxlib.journeys import add_journeys, default_stages, measure_funnel
from cxlib.stats import clustered_share_size, wilson_interval


def _count(steps, stages: str) -> list[int]:
    return measure_funnel(steps, stages.split())["n"].tolist()


@pytest.mark.parametrize(
    ("path", "reached"),
    [
        ("cart pay", [1, 1]),
        ("cart other pay", [1, 1]),
        ("pay cart", [1, 0]),
        ("pay cart pay", [1, 1]),
        ("pay", [0, 0]),
        ("cart cart", [1, 0]),
        ("pay cart cart pay pay", [1, 1]),
    ],
)
def test_order_counts(make_steps, path, reached):
    """Stages count in order, not adjacent, and only steps after the one matched before."""
    assert _count(make_steps([("a", path), ("b", "cart pay")]), "cart pay") == [
        n + 1 for n in reached
    ]


def test_repeated_stage_needs_repeated_steps(make_steps):
    """A funnel that names a stage twice is not converted by one visit."""
    steps = make_steps([("a", "cart"), ("b", "cart cart"), ("c", "cart web cart")])
    assert _count(steps, "cart cart") == [3, 2]


def test_equal_times_follow_the_order_of_the_steps(make_events):
    """Two events at one instant are two steps, the order of the source between them."""
    rows = [("a", "2024-01-01", "pay", 1), ("a", "2024-01-01", "cart", 2)]
    steps = add_journeys(make_events(rows, "_row"), as_of="2024-12-31")
    assert _count(steps, "cart pay") == [1, 0]
    assert _count(steps, "pay cart") == [1, 1]


def test_hand_computed_funnel(make_steps):
    """Four journeys of three customers; the interval clusters by customer."""
    walks = [("a", "cart ship pay"), ("a", "cart pay"), ("b", "cart ship"), ("c", "web")]
    funnel = measure_funnel(make_steps(walks), ["cart", "ship", "pay"]).set_index("stage")
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


def test_open_journeys_are_counted_where_they_stopped(make_steps):
    """An open journey is open at its last stage; one that finished is not."""
    walks = [("a", "cart"), ("b", "cart ship"), ("c", "cart ship pay")]
    funnel = measure_funnel(make_steps(walks, start="2024-12-30"), ["cart", "ship", "pay"])
    assert funnel["n_open"].tolist() == [1, 1, 0]


def test_journeys_that_leave_a_stage_out_are_told_apart_from_those_that_end(make_steps):
    """Of three journeys that stop at `cart`, one holds `pay` later; before it would not count."""
    steps = make_steps([("a", "cart pay"), ("b", "pay cart"), ("c", "cart"), ("d", "cart ship")])
    funnel = measure_funnel(steps, ["cart", "ship", "pay"])
    assert funnel["n"].tolist() == [4, 1, 0]
    assert funnel["n_skipped"].tolist() == [1, 0, 0]


def test_stage_that_nobody_reaches_in_order(make_steps):
    """Shares after an empty stage are empty, not zero; its interval starts at zero."""
    funnel = measure_funnel(make_steps([("a", "web"), ("b", "pay web")]), ["web", "pay", "web"])
    assert funnel["n"].tolist() == [2, 0, 0]
    assert funnel["conversion_share"].tolist() == [1, 0, 0]
    assert np.isnan(funnel["median_days"].iloc[1])
    assert np.isnan(funnel["step_conversion_share"].iloc[2])
    assert 0 == funnel["conf_low"].iloc[1] < funnel["conf_high"].iloc[1] < 1


def test_stages_may_be_lifecycle_stages(make_events):
    """Names that are all stages match the column `stage`, whatever the touchpoints."""
    rows = [
        ("a", "2024-01-01", "ad", "attraction"),
        ("a", "2024-01-02", "home", "awareness"),
        ("a", "2024-01-03", "order", "purchase"),
        ("b", "2024-01-03", "order", "purchase"),
    ]
    steps = add_journeys(make_events(rows, "stage"), as_of="2024-12-31")
    assert _count(steps, "attraction purchase") == [1, 1]
    assert default_stages(steps, ["attraction", "use", "purchase"]) == ["attraction", "purchase"]
    with pytest.raises(InputError, match="mix touchpoints and lifecycle stages"):
        measure_funnel(steps, ["ad", "purchase"])


def test_default_stages_are_the_commonest_start_middle_and_end(make_steps):
    """Without lifecycle stages the funnel is what most journeys do."""
    steps = make_steps([("a", "ad web pay"), ("b", "ad web web pay"), ("c", "mail web end")])
    assert default_stages(steps, ["use"]) == ["ad", "web", "pay"]
    assert default_stages(make_steps([("a", "ad")])) == ["ad"]


def test_bad_stages_are_refused(make_steps):
    """An unknown stage comes with the closest name; no list is no funnel."""
    steps = make_steps([("a", "cart pay")])
    with pytest.raises(InputError, match="No event is at 'carts'") as caught:
        measure_funnel(steps, ["carts", "pay"])
    assert "did you mean 'cart'?" in caught.value.fix
    for bad in ([], "cart"):
        with pytest.raises(InputError, match="no list of names"):
            measure_funnel(steps, bad)


def _match(path: list[str], stages: list[str]) -> int:
    """Count the stages a path holds in order, step by step."""
    reached = 0
    for name in path:
        reached += reached < len(stages) and name == stages[reached]
    return reached


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.lists(st.sampled_from("xyz"), min_size=1, max_size=8), min_size=1, max_size=8),
    st.lists(st.sampled_from("xyz"), min_size=1, max_size=4),
)
def test_engine_agrees_with_a_walk_through_each_path(make_steps, paths, stages):
    """The joins give what reading every path step by step gives; n never rises."""
    paths = [*paths, ["x", "y", "z"]]  # every stage occurs somewhere
    steps = make_steps((f"c{i % 3}", " ".join(path)) for i, path in enumerate(paths))
    expected = [sum(_match(p, stages) > k for p in paths) for k in range(len(stages))]
    funnel = measure_funnel(steps, stages)
    assert expected == funnel["n"].tolist()
    assert funnel["n"].is_monotonic_decreasing
