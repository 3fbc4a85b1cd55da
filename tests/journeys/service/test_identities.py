"""Aliases lead to the customer, and what came before is told."""

from __future__ import annotations

import ibis
import pandas as pd
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.journeys import add_journeys
from cxlib.journeys.service.identities import join_identities, measure_anonymous

EVENTS = [
    ("cookie", "2024-01-01", "ad"),
    ("cookie", "2024-01-03", "web"),
    ("cookie", "2024-01-09", "web"),
    ("ann", "2024-01-06", "order"),
    ("bob", "2024-01-02", "web"),
    ("stray", "2024-01-02", "web"),
]


@pytest.fixture
def identify(con):
    """Return a function that stores aliases as a table."""

    def make(rows, columns=("alias_id", "customer_id", "known_from")) -> ibis.Table:
        frame = pd.DataFrame(rows, columns=list(columns))
        types = dict.fromkeys(columns, "string")
        if "known_from" in columns:
            frame["known_from"] = pd.to_datetime(frame["known_from"]).astype("datetime64[us]")
            types["known_from"] = "timestamp(6)"
        name = f"identities_{len(con.list_tables())}"  # stored results are known by name
        return con.create_table(name, frame, schema=ibis.schema(types))

    return make


def _read(joined: ibis.Table) -> dict:
    frame = joined.to_pandas().sort_values(["timestamp", "customer_id"])
    columns = ["customer_id", "was_joined", "was_anonymous"]
    return {
        (at.day, who): tuple(rest) for at, who, *rest in frame[["timestamp", *columns]].to_numpy()
    }


def test_alias_becomes_the_customer(make_events, identify):
    """Before the moment of knowing a joined contact was anonymous; others stay as they are."""
    joined = join_identities(make_events(EVENTS), identify([("cookie", "ann", "2024-01-05")]))
    assert _read(joined) == {
        (1, "ann"): (True, True),
        (3, "ann"): (True, True),
        (9, "ann"): (True, False),
        (6, "ann"): (False, False),
        (2, "bob"): (False, False),
        (2, "stray"): (False, False),
    }
    assert add_journeys(joined, as_of="2024-12-31").journeys.count().to_pandas() == 3


def test_chains_are_followed_to_the_end(make_events, identify):
    """The customer is known from the last link; without a moment all of it was anonymous."""
    links = [
        ("cookie", "device", "2024-01-02"),
        ("device", "mail", "2024-01-04"),
        ("mail", "login", "2024-01-02"),
        ("login", "ann", None),
        ("bob", "bob", None),
    ]
    dated = identify([*links[:2], ("mail", "ann", "2024-01-02")])
    joined = _read(join_identities(make_events(EVENTS), dated))
    assert joined[3, "ann"] == (True, True)
    assert joined[9, "ann"] == (True, False)
    joined = _read(join_identities(make_events(EVENTS), identify(links)))
    assert joined[9, "ann"] == (True, True)
    assert joined[2, "bob"] == (False, False)


def test_known_from_may_be_missing(make_events, identify):
    """Without the column every joined contact was anonymous."""
    table = identify([("cookie", "ann")], ("alias_id", "customer_id"))
    joined = join_identities(make_events(EVENTS), table)
    assert int(joined["was_anonymous"].sum().to_pandas()) == 3


def test_what_happened_before_they_were_known(make_events, identify):
    """One of three customers, two contacts, five days before the first known one."""
    joined = join_identities(make_events(EVENTS), identify([("cookie", "ann", "2024-01-05")]))
    found = measure_anonymous(joined)
    row = found.total.iloc[0]
    counts = ["n_events", "n_joined", "n_anonymous", "n", "n_customers"]
    assert row[counts].tolist() == [6, 3, 2, 3, 1]
    assert row["share"] == pytest.approx(1 / 3)
    assert row["median_days"] == 5
    assert found.touchpoints[["touchpoint", "n"]].to_numpy().tolist() == [["ad", 1], ["web", 1]]


def test_messages(make_events, identify):
    """Two customers of one alias, circles, missing columns, nothing anonymous."""
    events = make_events(EVENTS)
    with pytest.raises(InputError, match="1 aliases name two customers or more") as error:
        join_identities(events, identify([("x", "ann", None), ("x", "bob", None)]))
    assert "such as ['x']" in str(error.value)
    circle = [("x", "y", None), ("y", "z", None), ("z", "x", None), ("cookie", "ann", None)]
    with pytest.raises(InputError, match="Aliases name each other in a circle"):
        join_identities(events, identify(circle))
    with pytest.raises(InputError, match="Aliases name each other in a circle"):
        join_identities(events, identify([circle[0], ("y", "x", None)]))
    with pytest.raises(InputError, match="Column 'alias_id' is missing"):
        join_identities(events, identify([("x",)], ("customer_id",)))
    with pytest.raises(TooLittleData, match="No contact came before"):
        measure_anonymous(join_identities(events, identify([("nobody", "ann", None)])))
