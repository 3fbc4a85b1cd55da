"""Contacts, scores and states as changes of a value on a day."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.churn.records.changes import list_contacts, list_scores, list_states, list_unanswered
from cxlib.errors import InputError

START = pd.Timestamp("2024-01-01")
FIRST = 19_723


@pytest.fixture
def make(con: ibis.BaseBackend) -> Callable[..., ibis.Table]:
    """Return a function that makes an events table of customer, touchpoint and day."""

    def events(*rows: tuple) -> ibis.Table:
        frame = pd.DataFrame(rows, columns=["customer_id", "touchpoint", "day"])
        hours = pd.to_timedelta(np.arange(len(frame)) % 24, unit="h")
        frame["timestamp"] = START + pd.to_timedelta(frame.pop("day"), unit="D") + hours
        return con.create_table("experience_events", frame, overwrite=True)

    return events


def read(changes: pd.DataFrame) -> list[tuple]:
    """Read customer, covariate, day from the first of January on and value."""
    days = changes["day"] - FIRST
    rows = changes.assign(day=days)[["customer_id", "covariate", "day", "value"]]
    return list(rows.itertuples(index=False, name=None))


CONTACTS = [
    *[("a", "complaint", 0), ("a", "complaint", 5), ("a", "chat", 5)],
    *[("b", "complaint", 3), ("b", "complaint", 3), ("NA", "complaint", 40)],
]


@pytest.mark.engines
def test_contacts_count_for_a_window(make: Callable[..., ibis.Table]) -> None:
    """Off again when the last one is over; the same on every engine."""
    changes = list_contacts(make(*CONTACTS), window="10d")

    assert read(changes) == [
        ("NA", "complaint_10d", 40, 1),
        ("NA", "complaint_10d", 50, 0),
        ("a", "chat_10d", 5, 1),
        ("a", "chat_10d", 15, 0),
        ("a", "complaint_10d", 0, 1),
        ("a", "complaint_10d", 5, 1),
        ("a", "complaint_10d", 10, 1),
        ("a", "complaint_10d", 15, 0),
        ("b", "complaint_10d", 3, 1),
        ("b", "complaint_10d", 13, 0),
    ]
    assert (changes["before"] == 0).all()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            {"measure": "repeat", "window": "10d"},
            [("complaint_repeat_10d", day, on) for day, on in [(0, 0), (5, 1), (10, 0), (15, 0)]],
        ),
        (
            {"measure": "count", "window": "10d", "lag": "7d"},
            [("complaint_count_10d", day, n) for day, n in [(7, 1), (12, 2), (17, 1), (22, 0)]],
        ),
        ({"window": ""}, [("complaint_ever", 0, 1), ("complaint_ever", 5, 1)]),
        (
            {"measure": "count", "window": ""},
            [("complaint_count", 0, 1), ("complaint_count", 5, 1)],
        ),
    ],
)
def test_contacts_can_be_counted_in_other_ways(
    make: Callable[..., ibis.Table], arguments: dict, expected: list[tuple]
) -> None:
    """Twice in the window, how many, ever, and later by a lag."""
    events = make(*[row for row in CONTACTS if row[0] == "a"])
    changes = list_contacts(events, touchpoints=["complaint"], **arguments)

    assert read(changes) == [("a", *row) for row in expected]
    assert ("adds" in changes) == (arguments == {"measure": "count", "window": ""})


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60)), min_size=1, max_size=25))
def test_the_count_of_a_day_is_that_of_the_days_before(drawn: list[tuple[int, int]]) -> None:
    """By hand for every customer and day."""
    rows = [(f"c{customer}", START + pd.Timedelta(days=day)) for customer, day in drawn]
    frame = pd.DataFrame(rows, columns=["customer_id", "timestamp"]).assign(touchpoint="x")
    changes = list_contacts(ibis.memtable(frame), measure="count", window="9d", lag="2d")

    for customer in range(4):
        mine = changes[changes["customer_id"] == f"c{customer}"]
        for day in range(75):
            known = mine.loc[mine["day"] < FIRST + day, "value"].tail(1)
            contacts = sum(c == customer and day - 11 <= d <= day - 3 for c, d in drawn)
            assert (known.iloc[0] if len(known) else 0) == contacts


@pytest.mark.engines
def test_silence_counts_once_it_has_lasted(make: Callable[..., ibis.Table]) -> None:
    """From after the patience until the answer or the end of the window; never by looking ahead."""
    events = make(
        *[("never", "complaint", 0), ("late", "complaint", 0), ("late", "reply", 20)],
        *[("in time", "complaint", 0), ("in time", "reply", 14), ("same day", "complaint", 0)],
        *[("same day", "reply", 0), ("again", "reply", 0), ("again", "complaint", 3)],
        *[("again", "complaint", 10), ("zz", "reply", 1)],
    )
    changes = list_unanswered(events, touchpoint="complaint", reply="reply", window="30d")

    name = "complaint_unanswered_30d"
    assert read(changes) == [
        ("again", name, 17, 1),
        ("again", name, 24, 1),
        ("again", name, 47, 1),
        ("again", name, 54, 0),
        ("late", name, 14, 1),
        ("late", name, 20, 0),
        ("never", name, 14, 1),
        ("never", name, 44, 0),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"window": "90"}, "not a number with a unit"),
        ({"window": "36h"}, "no whole number of days"),
        ({"window": "0d"}, "no whole number of days"),
        ({"lag": "1.5d"}, "lag = '1.5d' is no whole number of days"),
        (
            {"touchpoints": ["complaints"]},
            "no contact at 'complaints'(.|\n)*did you mean 'complaint'",
        ),
    ],
)
def test_contacts_that_cannot_be_listed_are_refused(
    make: Callable[..., ibis.Table], arguments: dict, message: str
) -> None:
    """A window in days, a touchpoint that exists."""
    with pytest.raises(InputError, match=message):
        list_contacts(make(*CONTACTS), **arguments)


ITEMS = pd.DataFrame(
    {
        "item": ["clear", "surprise", "wait", "nps"],
        "touchpoint": ["billing", "billing", "phone", None],
        "scale_min": [1, 1, 1, 0],
        "scale_max": [7, 7, 7, 10],
        "higher_is_better": [True, False, True, True],
    }
)


def make_answers(*rows: tuple) -> pd.DataFrame:
    """Make answers of customer, day, item, role and value."""
    answers = pd.DataFrame(rows, columns=["customer_id", "answered_at", "item", "role", "value"])
    return answers.assign(respondent_id="r", source="customer")


def test_scores_by_hand() -> None:
    """Reversed items are turned, items of a touchpoint averaged, days kept apart."""
    answers = make_answers(
        ("a", "2024-01-01", "clear", "expectation", 6),
        ("a", "2024-01-01", "clear", "perception", 4),  # -2
        ("a", "2024-01-01", "surprise", "expectation", 2),
        ("a", "2024-01-01", "surprise", "perception", 5),  # turned 6 and 3: -3
        ("a", "2024-02-01", "clear", "perception", 4),  # no expectation
        ("a", "2024-01-01", "nps", "outcome", 9),
        ("a", "2024-02-01", "nps", "outcome", 3),
        (None, "2024-02-01", "nps", "outcome", 1),
    )
    answers = pd.concat([answers, answers.assign(source="employee", value=1)])
    gaps = list_scores(answers, items=ITEMS)
    perceived = list_scores(answers, items=ITEMS, by="item", score="perception")
    outcomes = list_scores(answers, items=ITEMS, by="item", score="outcome")

    assert read(gaps) == [("a", "billing_gap", 0, -2.5)]
    assert gaps["before"].isna().all()
    assert read(perceived) == [
        ("a", "clear_perception", 0, 4),
        ("a", "clear_perception", 31, 4),
        ("a", "surprise_perception", 0, 3),
    ]
    assert read(outcomes) == [("a", "nps", 0, 9), ("a", "nps", 31, 3)]


def test_answers_without_customer_or_day_are_told() -> None:
    """They cannot be placed in a lifetime."""
    answers = make_answers((None, "2024-01-01", "nps", "outcome", 9))
    with pytest.raises(InputError, match="No answer has a score 'outcome' by item"):
        list_scores(answers, items=ITEMS, by="item", score="outcome")


def test_states_keep_the_last_of_a_day() -> None:
    """Text has a level until the first one; two at once are refused."""
    states = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a"],
            "at": ["2024-01-01 12:00", "2024-01-01 08:00", "2024-01-03"],
            "value": ["late", "early", "next"],
        }
    )
    changes = list_states(states, name="segment")

    assert read(changes) == [("a", "segment", 0, "late"), ("a", "segment", 2, "next")]
    assert (changes["before"] == "(none yet)").all()
    assert list_states(states.assign(value=[1, 2, 3]), name="n")["before"].isna().all()
    with pytest.raises(InputError, match="'segment' has two values at once"):
        list_states(states.assign(at="2024-01-01"), name="segment")
    with pytest.raises(InputError, match="'segment' has no moment"):
        list_states(states.assign(at=[None, "2024-01-01", "2024-01-02"]), name="segment")
