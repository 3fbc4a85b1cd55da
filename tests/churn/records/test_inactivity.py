"""Churn from events: when silence becomes leaving."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import pandas as pd
import pytest

from cxlib import churn
from cxlib.errors import InputError, TooLittleData

AS_OF = "2024-12-31"


@pytest.fixture
def make(con: ibis.BaseBackend) -> Callable[..., ibis.Table]:
    """Return a function that makes an events table of customer and moment."""

    def events(*rows: tuple, **columns: list) -> ibis.Table:
        frame = pd.DataFrame(rows, columns=["customer_id", "timestamp"]).assign(**columns)
        frame["timestamp"] = pd.to_datetime(frame["timestamp"], format="ISO8601")
        return con.create_table("events", frame)

    return events


def test_lifetimes_by_hand(make: Callable[..., ibis.Table]) -> None:
    """Churn is dated at the end of the silence; a silence not over by as_of censors."""
    table = churn.lifetimes_from_events(
        make(
            ("once", "2024-01-01"),
            ("twice", "2024-01-01 09:00"),
            ("twice", "2024-01-31 23:59"),  # 30 days later: goes on
            ("back", "2024-01-01"),
            ("back", "2024-02-01"),  # 31 days later: a return
            ("new", "2024-12-01"),  # 30 days of silence are over on the last day
            ("newer", "2024-12-02"),
        ),
        inactivity="30d",
        as_of=AS_OF,
    ).table

    found = table[["customer_id", "spell", "duration_days", "churned"]]
    assert list(found.itertuples(index=False, name=None)) == [
        ("back", 1, 30, True),
        ("back", 2, 30, True),
        ("new", 1, 30, True),
        ("newer", 1, 29, False),
        ("once", 1, 30, True),
        ("twice", 1, 60, True),
    ]


def test_nothing_after_as_of_is_used(make: Callable[..., ibis.Table]) -> None:
    """A purchase of next year keeps nobody alive."""
    events = make(("a", "2024-06-01"), ("a", "2025-01-01"), ("b", "2025-01-01"))
    table = churn.lifetimes_from_events(events, inactivity="90d", as_of=AS_OF).table

    assert table[["customer_id", "churned"]].to_numpy().tolist() == [["a", True]]


def test_a_longer_silence_never_gives_more_spells(make: Callable[..., ibis.Table]) -> None:
    """And loses no customer."""
    days = pd.date_range("2024-01-01", periods=60, freq="4D").to_series().sample(40, random_state=1)
    events = make(*[(f"c{i % 7}", day) for i, day in enumerate(days)])
    spells = [
        churn.lifetimes_from_events(events, inactivity=f"{n}d", as_of="2026-12-31").table
        for n in (10, 20, 40)
    ]

    counts = [len(table) for table in spells]
    assert counts == sorted(counts, reverse=True)
    assert [table["customer_id"].nunique() for table in spells] == [7, 7, 7]


def test_a_window_cuts_observation_not_the_start(make: Callable[..., ibis.Table]) -> None:
    """The clock still starts at the first event."""
    events = make(("a", "2024-01-01"), ("a", "2024-03-01"), ("b", "2024-02-01"))
    table = churn.lifetimes_from_events(
        events, inactivity="90d", as_of=AS_OF, period_start="2024-02-01", period_end="2024-05-15"
    ).table

    assert table["entry_days"].tolist() == [30, 0]
    assert table["duration_days"].tolist() == [135, 90]
    assert table["churned"].tolist() == [False, True]


def test_the_segment_is_kept_and_must_not_change(make: Callable[..., ibis.Table]) -> None:
    """A group formed on the way is no group to start from."""
    rows = (("a", "2024-01-01"), ("a", "2024-01-02"))
    kept = churn.lifetimes_from_events(
        make(*rows, segment=["x", "x"]), inactivity="90d", as_of=AS_OF
    )
    assert kept.table["segment"].tolist() == ["x"]


def test_a_changing_segment_is_refused(make: Callable[..., ibis.Table]) -> None:
    """The message names the customer."""
    events = make(("a", "2024-01-01"), ("a", "2024-01-02"), segment=["x", "y"])
    with pytest.raises(InputError, match="segment of 1 customers changes"):
        churn.lifetimes_from_events(events, inactivity="90d", as_of=AS_OF)


@pytest.mark.parametrize(
    ("inactivity", "message"),
    [
        ("90", "not a number with a unit"),
        ("36h", "no whole number of days"),
        ("0d", "no whole number of days"),
    ],
)
def test_silence_is_a_whole_number_of_days(
    make: Callable[..., ibis.Table], inactivity: str, message: str
) -> None:
    """A bare number and parts of a day are refused."""
    with pytest.raises(InputError, match=message):
        churn.lifetimes_from_events(make(("a", "2024-01-01")), inactivity=inactivity, as_of=AS_OF)


def test_missing_columns_and_no_events_are_told(make: Callable[..., ibis.Table]) -> None:
    """The first is an error of input, the second a result."""
    events = make(("a", "2025-01-01"))
    with pytest.raises(TooLittleData, match="No event up to as_of"):
        churn.lifetimes_from_events(events, inactivity="90d", as_of=AS_OF)
    with pytest.raises(InputError, match="Column 'timestamp' is missing"):
        churn.lifetimes_from_events(events.drop("timestamp"), inactivity="90d", as_of=AS_OF)


def test_collect_takes_what_fits(make: Callable[..., ibis.Table]) -> None:
    """Inactivity asks for events; else lifetimes come before subscriptions."""
    lifetimes = pd.DataFrame({"customer_id": ["a"], "duration_days": [5], "churned": [True]})
    periods = pd.DataFrame(
        {"customer_id": ["a"], "started_at": ["2024-01-01"], "ended_at": ["2024-02-01"]}
    )
    tables = {"lifetimes": lifetimes, "subscriptions": periods, "events": make(("a", "2024-01-01"))}

    assert churn.collect_lifetimes(**tables, as_of=AS_OF).source == "lifetimes"
    assert churn.collect_lifetimes(subscriptions=periods, as_of=AS_OF).source == "subscriptions"
    assert churn.collect_lifetimes(**tables, as_of=AS_OF, inactivity="30d").source == "events"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "No table tells how long customers stay"),
        ({"inactivity": "90d"}, "Churn by inactivity needs events"),
        ({"inactivity": "90d", "cause": "price", "events": True}, "gives no reason"),
        ({"lifetimes": True, "period_start": "2024-01-01"}, "no dates to cut by"),
    ],
)
def test_collect_refuses_what_does_not_fit(
    make: Callable[..., ibis.Table], arguments: dict, message: str
) -> None:
    """No parameter is passed over in silence."""
    given = {"events": make(("a", "2024-01-01")), "lifetimes": pd.DataFrame({"customer_id": ["a"]})}
    arguments = {name: given.get(name, value) for name, value in arguments.items()}
    with pytest.raises(InputError, match=message):
        churn.collect_lifetimes(as_of=AS_OF, **arguments)


def test_mapped_lifetimes_count_their_causes() -> None:
    """Other reasons are censored, and the ledger says so."""
    lifetimes = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "duration_days": [5, 6, 7],
            "churned": [True, True, False],
            "end_reason": ["price", "death", ""],
        }
    )
    collected = churn.collect_lifetimes(lifetimes=lifetimes, as_of=AS_OF, cause="price")

    assert collected.table["churned"].tolist() == [True, False, False]
    assert "censored: other reason" in collected.ledger["step"].tolist()
