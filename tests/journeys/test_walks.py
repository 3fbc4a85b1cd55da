"""Walks: steps packed into whole numbers come back as they were."""

from __future__ import annotations

from collections import Counter

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.errors import InputError
from cxlib.journeys import JourneyLog, add_journeys, list_walks
from cxlib.journeys.log import Places
from cxlib.journeys.walks import letter, spell


def _make(paths: list[list[str]]) -> JourneyLog:
    """Make a log in which the n-th path is journey n, of customer n // 3."""
    names = sorted({name for path in paths for name in path})
    contacts = pd.DataFrame({"contact": range(len(names)), "touchpoint": names})
    code = dict(zip(names, contacts["contact"], strict=True))
    rows = [
        (number // 3, number, code[name], step)
        for number, path in enumerate(paths)
        for step, name in enumerate(path, 1)
    ]
    steps = pd.DataFrame(rows, columns=["customer", "journey", "contact", "step"])
    journeys = steps.groupby("journey", as_index=False).agg(
        customer=("customer", "max"), n_steps=("step", "max")
    )
    con = ibis.duckdb.connect()
    stored = con.create_table("journeys", journeys.assign(is_open=False))
    return JourneyLog(
        steps=con.create_table("steps", steps.assign(is_open=False)),
        journeys=stored,
        customers=stored.select("customer").distinct(),
        ids=stored,
        contacts=contacts,
        cuts=(0,),
        end=pd.Timestamp("2025-01-01"),
        idle=None,
    )


def _paths(walks) -> dict[str, int]:
    spelt = [spell(letters, walks.places) for letters in walks.paths["letters"]]
    return dict(zip(spelt, walks.paths["n"], strict=True))


PATHS = st.integers(1, 40).flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, size - 1).map("t{:02d}".format), min_size=1, max_size=70),
        min_size=1,
        max_size=12,
    )
)


@settings(deadline=None, max_examples=20)
@given(PATHS)
def test_walks_equal_a_plain_count(journeys):
    """No path is lost, cut or mixed up; every journey knows its path and its step at the goal."""
    goal = journeys[0][-1]
    walks = list_walks(_make(journeys), goal=goal)
    assert _paths(walks) == Counter(" > ".join(path) for path in journeys)
    found = walks.journeys.to_pandas().sort_values("journey")
    spelt = walks.paths["letters"].map(lambda letters: spell(letters, walks.places))
    assert spelt.loc[found["walk"]].tolist() == [" > ".join(path) for path in journeys]
    first = [path.index(goal) + 1 if goal in path else -1 for path in journeys]
    assert found["goal_step"].fillna(-1).tolist() == first
    assert found["is_converted"].tolist() == [step > 0 for step in first]
    assert walks.paths["n_converted"].sum() == sum(step > 0 for step in first)


def test_paths_that_differ_in_a_late_block_stay_apart():
    """With 3 places a block holds 31 steps; equal beginnings, and a tail in the other order."""
    begin, late = ["a", "b", "c"] * 30, ["a"] * 31 + ["b"] * 31
    journeys = [[*begin, "a"], [*begin, "b"], begin, late, late[::-1], [*late, *late[::-1]]]
    assert _paths(list_walks(_make(journeys))) == {" > ".join(path): 1 for path in journeys}


def test_two_thousand_touchpoints():
    """Eleven bits a step; codes up to the last one come back."""
    rng = np.random.default_rng(0)
    names = [f"t{number:04d}" for number in range(2_000)]
    journeys = [names[at : at + 10] for at in range(0, 2_000, 10)]
    journeys += [list(rng.choice(names, size)) for size in rng.integers(1, 30, 200)]
    walks = list_walks(_make(journeys))
    assert len(walks.places.names) == 2_000
    assert _paths(walks) == Counter(" > ".join(path) for path in journeys)


def test_one_very_long_journey():
    """A robot with 100,000 events in one journey does not break the others."""
    rng = np.random.default_rng(1)
    robot = list(rng.choice([f"t{number:02d}" for number in range(15)], 100_000))
    walks = list_walks(_make([robot, ["t01", "t02"], ["t01", "t02"]]), goal="t02")
    assert walks.paths["n"].tolist() == [2, 1]
    assert spell(walks.paths["letters"][1], walks.places) == " > ".join(robot)
    assert walks.paths["n_converted"].tolist() == [2, 1]


def test_open_journeys_are_counted_by_path(make_events):
    """What still may go on is known per path."""
    rows = [("a", "2024-01-01", "x"), ("b", "2024-12-30", "x"), ("c", "2024-12-30", "y")]
    paths = list_walks(add_journeys(make_events(rows), as_of="2024-12-31")).paths
    assert paths[["n", "n_open"]].to_numpy().tolist() == [[2, 1], [1, 1]]


def test_views_and_places_of_your_own(make_events):
    """A view maps several contacts to one letter; a stage as goal counts in every view."""
    rows = [
        ("a", "2024-01-01", "home", "web", "awareness"),
        ("a", "2024-01-02", "order", "web", "purchase"),
        ("b", "2024-01-01", "shop", "store", "purchase"),
    ]
    log = add_journeys(make_events(rows, "channel", "stage"), as_of="2024-12-31")
    walks = list_walks(log, by="channel", goal="purchase")
    assert _paths(walks) == {"web > web": 1, "store": 1}
    assert walks.journeys.to_pandas()["goal_step"].sort_values().tolist() == [1, 2]
    own = Places("any", ["somewhere"], np.zeros(3, dtype=np.int64))
    assert _paths(list_walks(log, by=own)) == {"somewhere > somewhere": 1, "somewhere": 1}
    with pytest.raises(InputError, match="The view 'chanel' is not a column"):
        list_walks(log, by="chanel")
    with pytest.raises(InputError, match="No event is at 'ordr'") as caught:
        list_walks(log, goal="ordr")
    assert "did you mean 'order'?" in caught.value.fix


def test_letters_have_no_meaning_in_patterns():
    """Letters lie in a plane of their own, one character each."""
    assert letter(0) == "\U00010000"
    assert [len(letter(place)) for place in (0, 1_999)] == [1, 1]
