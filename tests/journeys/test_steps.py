"""The steps table: where journeys begin and end, in which order, and what is refused."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlib.errors import InputError
from cxlib.journeys import (
    add_journeys,
    count_groups,
    find_places,
    list_steps,
    parse_inactivity,
    summarise_journeys,
)

AS_OF = "2024-12-31"
SETTINGS = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _in_order(log) -> pd.DataFrame:
    frame = list_steps(log).to_pandas()
    return frame.sort_values(["customer_id", "journey_id", "step"], ignore_index=True)


def test_gap_strictly_greater_splits(make_events):
    """A gap of exactly the inactivity stays in the journey, a microsecond more ends it."""
    rows = [
        ("a", "2024-01-01 00:00:00", "web"),
        ("a", "2024-01-31 00:00:00", "chat"),
        ("a", "2024-03-01 00:00:00.000001", "phone"),
    ]
    steps = _in_order(add_journeys(make_events(rows), as_of=AS_OF))
    assert steps["journey_id"].tolist() == ["a-1", "a-1", "a-2"]
    assert steps["step"].tolist() == [1, 2, 1]
    assert steps["is_start"].tolist() == [True, False, True]
    assert steps["is_end"].tolist() == [False, True, True]
    assert steps["previous_touchpoint"].fillna("").tolist() == ["", "web", ""]
    assert steps["gap_seconds"].fillna(-1).tolist() == [-1, 30 * 86400, -1]


@pytest.mark.parametrize(
    ("text", "journeys"), [("30min", 3), ("1h", 2), ("90min", 2), ("12h", 1), ("1w", 1)]
)
def test_inactivity_is_read_with_its_unit(make_events, text, journeys):
    """Gaps of one and ten hours split as the unit says."""
    rows = [("a", f"2024-01-01 {hour:02d}:00", "web") for hour in (0, 1, 11)]
    log = add_journeys(make_events(rows), as_of=AS_OF, inactivity=text)
    assert journeys == len(log.journeys.to_pandas())


@pytest.mark.parametrize("bad", ["30", 30, "30 days", "30m", "", "-3d", "d", "1e3d"])
def test_inactivity_without_a_known_unit_is_refused(bad):
    """A bare number or an ambiguous unit is never guessed."""
    with pytest.raises(InputError, match="is not a number with a unit") as caught:
        parse_inactivity(bad)
    assert "'90min'" in caught.value.fix


def test_inactivity_of_nothing_is_refused():
    """Zero idle time would make every event a journey."""
    with pytest.raises(InputError, match="not longer than nothing"):
        parse_inactivity("0d")
    assert pd.Timedelta(hours=2) == parse_inactivity(pd.Timedelta("2h"))


def test_given_journeys_rule_and_ids_repeat_between_customers(make_events):
    """A journey is the pair of customer and id, whatever the gaps."""
    rows = [
        ("a", "2024-01-01", "web", "1"),
        ("a", "2024-09-01", "chat", "1"),
        ("b", "2024-01-01", "web", "1"),
        ("NA", "2024-01-02", "web", "1"),
    ]
    events = make_events(rows, "journey_id")
    steps = _in_order(add_journeys(events, as_of=AS_OF))
    assert steps.groupby(["customer_id", "journey_id"]).size().to_dict() == {
        ("NA", "1"): 1,
        ("a", "1"): 2,
        ("b", "1"): 1,
    }
    for rule in ({"inactivity": "7d"}, {"ends_at": "web"}, {"calendar": "month"}):
        with pytest.raises(InputError, match="the events bring their own journeys") as caught:
            add_journeys(events, as_of=AS_OF, **rule)
        assert f"'{next(iter(rule))}'" in caught.value.problem


def test_open_journeys_end_within_the_inactivity_of_the_last_day(make_events):
    """The `as_of` day counts in full; a journey idle for longer is over."""
    rows = [
        ("a", "2024-12-02 00:00:00", "web"),
        ("b", "2024-12-01 23:59:59.999999", "web"),
        ("c", "2024-12-31 23:59:59", "web"),
    ]
    steps = _in_order(add_journeys(make_events(rows), as_of=AS_OF))
    assert steps["is_open"].tolist() == [True, False, True]


def test_equal_times_follow_the_source_then_the_text(make_events):
    """With `_row` the order of the source decides, else the alphabet; equal events all stay."""
    rows = [("a", "2024-01-01", "web", 1), ("a", "2024-01-01", "chat", 2)] * 2
    rows = [(*row[:3], i) for i, row in enumerate(rows)]
    steps = _in_order(add_journeys(make_events(rows, "_row"), as_of=AS_OF))
    assert steps["touchpoint"].tolist() == ["web", "chat", "web", "chat"]
    steps = _in_order(add_journeys(make_events([row[:3] for row in rows]), as_of=AS_OF))
    assert steps["touchpoint"].tolist() == ["chat", "chat", "web", "web"]


def test_order_of_equal_times_does_not_depend_on_row_order(make_events):
    """Events at one instant come out the same from a table turned upside down."""
    rows = [("a", "2024-01-01", name, stage) for name in "zyx" for stage in ("use", "awareness")]
    once = _in_order(add_journeys(make_events(rows, "stage"), as_of=AS_OF))
    again = _in_order(add_journeys(make_events(rows[::-1], "stage"), as_of=AS_OF))
    pd.testing.assert_frame_equal(once, again)
    assert once["stage"].tolist() == ["awareness", "use"] * 3


def test_places_of_a_view(make_events):
    """A view names each kind of contact; what is missing is (unknown)."""
    rows = [("a", "2024-01-01", "home", "web"), ("a", "2024-01-02", "call", None)]
    log = add_journeys(make_events(rows, "channel"), as_of=AS_OF)
    assert log.contacts["touchpoint"].tolist() == ["call", "home"]
    places = find_places(log, "channel")
    assert [places.names[code] for code in places.codes] == ["(unknown)", "web"]
    with pytest.raises(InputError, match="The view 'chanel' is not a column") as caught:
        find_places(log, "chanel")
    assert "did you mean 'channel'?" in caught.value.fix


def test_reserved_names_are_refused(make_events):
    """Names of the tables' own rows and the arrow of paths cannot be touchpoints."""
    for name in ("(end)", "home > plans"):
        log = add_journeys(make_events([("a", "2024-01-01", name)]), as_of=AS_OF)
        with pytest.raises(InputError, match="is kept for the tables of the journey study"):
            find_places(log)


def test_goal_ends_a_journey(make_events):
    """After a purchase the loop is a new journey; one that ended so is not open."""
    rows = [("a", f"2024-12-{day}", name) for day, name in enumerate(("web", "buy", "app"), 20)]
    rows += [("b", "2024-12-30", "web"), ("b", "2024-12-31", "buy")]
    log = add_journeys(make_events(rows), as_of=AS_OF, ends_at="buy")
    steps = _in_order(log)
    assert steps["journey_id"].tolist() == ["a-1", "a-1", "a-2", "b-1", "b-1"]
    assert steps["is_open"].tolist() == [False, False, True, False, False]
    with pytest.raises(InputError, match="No event is at 'bye'") as caught:
        add_journeys(make_events(rows), as_of=AS_OF, ends_at="bye")
    assert "did you mean 'buy'?" in caught.value.fix


def test_calendar_ends_a_journey(make_events):
    """A journey ends with its month, and is open only in the last one."""
    rows = [("a", day, "web") for day in ("2024-11-29", "2024-11-30", "2024-12-01", "2024-12-31")]
    rows += [("b", "2024-11-30", "web")]
    log = add_journeys(make_events(rows), as_of=AS_OF, calendar="month", inactivity="60d")
    steps = _in_order(log)
    assert steps["journey_id"].tolist() == ["a-1", "a-1", "a-2", "a-2", "b-1"]
    assert steps["is_open"].tolist() == [False, False, False, True, False]
    with pytest.raises(InputError, match="The calendar 'monthly' is unknown") as caught:
        add_journeys(make_events(rows), as_of=AS_OF, calendar="monthly")
    assert "did you mean 'month'?" in caught.value.fix


def test_without_inactivity_a_customer_is_one_open_journey(make_events):
    """Silence ends nothing when no idle time is given."""
    rows = [("a", "2023-01-01", "web"), ("a", "2024-12-01", "web")]
    log = add_journeys(make_events(rows), as_of=AS_OF, inactivity=None)
    assert log.journeys.to_pandas()[["n_steps", "is_open"]].to_numpy().tolist() == [[2, True]]


def test_ties_can_be_reversed(make_events):
    """The same instant read backwards: a bound for what rests on the order of the source."""
    rows = [("a", "2024-01-01", name, i) for i, name in enumerate(("web", "chat"))]
    rows.append(("a", "2024-01-02", "call", 2))
    events = make_events(rows, "_row")
    steps = _in_order(add_journeys(events, as_of=AS_OF, ties="reversed"))
    assert steps["touchpoint"].tolist() == ["chat", "web", "call"]
    with pytest.raises(InputError, match="The ties 'revers' is unknown"):
        add_journeys(events, as_of=AS_OF, ties="revers")


def test_bad_events_are_refused_by_name(make_events):
    """Every violation is named, with the column and the number of rows."""
    good = [("a", "2024-01-01", "web", "1")]
    events = make_events(good, "journey_id")
    with pytest.raises(InputError, match="Column 'touchpoint' is missing"):
        add_journeys(events.drop("touchpoint"), as_of=AS_OF)
    with pytest.raises(InputError, match="has no rows"):
        add_journeys(events.filter(events.customer_id == "b"), as_of=AS_OF)
    with pytest.raises(InputError, match="1 of 1 events lie after as_of, at 2023-12-31 12:00 UTC"):
        add_journeys(events, as_of="2023-12-30")
    missing = make_events([*good, ("b", "2024-01-01", "web", None)], "journey_id")
    with pytest.raises(InputError, match="1 of 2 events have no journey_id") as caught:
        add_journeys(missing, as_of=AS_OF)
    assert "inactivity then ends journeys" in caught.value.fix


def test_summary_of_a_hand_made_table(make_events):
    """Two customers, three journeys of 1, 2 and 3 steps, one tie and one open journey."""
    rows = [
        ("a", "2024-01-01", "web"),
        ("b", "2024-01-01", "web"),
        ("b", "2024-01-03", "chat"),
        ("b", "2024-12-30", "web"),
        ("b", "2024-12-30", "chat"),
        ("b", "2024-12-31", "chat"),
    ]
    summary = summarise_journeys(add_journeys(make_events(rows), as_of=AS_OF)).iloc[0]
    expected = {
        "n_events": 6,
        "n_customers": 2,
        "n_journeys": 3,
        "n_open": 1,
        "open_share": 1 / 3,
        "one_step_share": 1 / 3,
        "steps_q25": 1.5,
        "steps_median": 2,
        "steps_q75": 2.5,
        "steps_p95": 2.9,
        "days_median": 1,
        "tie_share": 1 / 6,
    }
    assert summary.to_dict() == pytest.approx(expected)


def test_groups_count_journeys(make_events):
    """Journeys are counted by `segment`; one that changes within a journey is refused."""
    rows = [
        ("a", "2024-01-01", "web", "north"),
        ("a", "2024-06-01", "web", "north"),
        ("b", "2024-01-01", "web", None),
    ]
    groups = count_groups(add_journeys(make_events(rows, "segment"), as_of=AS_OF))
    assert groups["segment"].tolist() == ["north", "(unknown)"]
    assert groups["n_journeys"].tolist() == [2, 1]
    assert groups["n_customers"].tolist() == [1, 1]
    assert groups["share"].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert (groups["conf_low"] < groups["share"]).all()
    mixed = [("a", "2024-01-01", "web", "north"), ("a", "2024-01-02", "web", "south")]
    with pytest.raises(InputError, match="changes within 1 journeys"):
        count_groups(add_journeys(make_events(mixed, "segment"), as_of=AS_OF))
    with pytest.raises(InputError, match="no groups to count"):
        count_groups(add_journeys(make_events([row[:3] for row in rows]), as_of=AS_OF))


@SETTINGS
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 200), st.sampled_from(["x", "y"])),
        min_size=1,
        max_size=40,
    ),
    st.integers(1, 40),
)
def test_longer_inactivity_never_gives_more_journeys(make_events, moves, days):
    """Journeys only merge when the idle time grows; events are neither lost nor made."""
    start = pd.Timestamp("2024-01-01")
    events = make_events((who, start + pd.Timedelta(day, "D"), name) for who, day, name in moves)
    short, long = (
        summarise_journeys(add_journeys(events, as_of=AS_OF, inactivity=f"{n}d")).iloc[0]
        for n in (days, days + 7)
    )
    assert len(moves) == short["n_events"] == long["n_events"]
    assert long["n_journeys"] <= short["n_journeys"] <= len(moves)
