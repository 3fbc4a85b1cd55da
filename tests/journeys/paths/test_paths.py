"""Paths: equal journeys counted, goals found."""

from __future__ import annotations

import pytest

from cxlib.journeys import add_journeys, list_walks
from cxlib.journeys.paths.paths import count_paths


def test_paths_are_counted_and_nothing_is_collapsed(make_log):
    """Repeats stay in the path; equal counts come in alphabetical order."""
    log = make_log([("a", "x x y"), ("b", "x y"), ("c", "x x y"), ("d", "w")])
    paths = count_paths(list_walks(log))
    assert paths["path"].tolist() == ["x > x > y", "w", "x > y"]
    assert paths["n"].tolist() == [2, 1, 1]
    assert paths["share"].tolist() == [0.5, 0.25, 0.25]
    assert list(paths.columns) == ["path", "n", "share", "n_paths"]


def test_rare_paths_are_lumped_and_counted(make_log):
    """The rest of the paths is one row, so that the numbers still add up."""
    log = make_log([("a", "x"), ("b", "x"), ("c", "y"), ("d", "z y"), ("e", "y x")])
    paths = count_paths(list_walks(log, goal="y"), top=2)
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
    log = add_journeys(make_events(rows, "channel", "stage"), as_of="2024-12-31")
    for goal in ("order", "purchase"):
        paths = count_paths(list_walks(log, by="channel", goal=goal))
        assert paths[["path", "n", "converted_share"]].to_numpy().tolist() == [["web", 2, 0.5]]
