"""Paths: equal journeys counted, goals found."""

from __future__ import annotations

import pytest

from cxlib.errors import InputError
from cxlib.journeys import add_journeys, count_paths


def test_paths_are_counted_and_nothing_is_collapsed(make_steps):
    """Repeats stay in the path; equal counts come in alphabetical order."""
    steps = make_steps([("a", "x x y"), ("b", "x y"), ("c", "x x y"), ("d", "w")])
    paths = count_paths(steps)
    assert paths["path"].tolist() == ["x > x > y", "w", "x > y"]
    assert paths["n"].tolist() == [2, 1, 1]
    assert paths["share"].tolist() == [0.5, 0.25, 0.25]
    assert list(paths.columns) == ["path", "n", "share", "n_paths"]


def test_rare_paths_are_lumped_and_counted(make_steps):
    """The rest of the paths is one row, so that the numbers still add up."""
    steps = make_steps([("a", "x"), ("b", "x"), ("c", "y"), ("d", "z y"), ("e", "y x")])
    paths = count_paths(steps, goal="y", top=2)
    assert paths["path"].tolist() == ["x", "y", "(other)"]
    assert paths["n"].tolist() == [2, 1, 2]
    assert paths["n_paths"].tolist() == [1, 1, 2]
    assert paths["converted_share"].tolist() == [0, 1, 1]
    assert pytest.approx(paths["share"].sum()) == 1


def test_goal_is_a_touchpoint_in_every_view(make_events):
    """Equal paths of channels may differ in conversion; a stage serves as a goal too."""
    rows = [
        ("a", "2024-01-01", "home", "web", "awareness"),
        ("b", "2024-01-01", "order", "web", "purchase"),
    ]
    steps = add_journeys(make_events(rows, "channel", "stage"), as_of="2024-12-31", view="channel")
    for goal in ("order", "purchase"):
        paths = count_paths(steps, goal=goal)
        assert paths[["path", "n", "converted_share"]].to_numpy().tolist() == [["web", 2, 0.5]]


def test_unknown_goal_is_refused(make_steps):
    """A misspelt goal comes with the closest touchpoint."""
    with pytest.raises(InputError, match="No event is at the goal 'ordr'") as caught:
        count_paths(make_steps([("a", "web order")]), goal="ordr")
    assert "did you mean 'order'?" in caught.value.fix
