"""Ways and where they lie, against tables small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlib.journeys.kinds.features import (
    count_features,
    count_transition_shares,
    draw_journeys,
    fit_space,
    fold_walks,
    place_ways,
)
from cxlib.journeys.walks import letter, list_walks, read_letters, spell, write_letters


def _list(make_log, *paths: str):
    return list_walks(make_log([(f"c{i:03d}", path) for i, path in enumerate(paths)]))


def _place(ways):
    features = count_features(ways)
    return place_ways(features, fit_space(features, ways.n))


def _names(walks, ways):
    return [spell(text, walks.places) for text in ways.letters]


def test_repeats_and_the_goal_make_no_other_way(make_log):
    """Ways are counted together; of the goal nothing is left, not even a journey's only step."""
    walks = _list(make_log, "a b b", "a a b", "a b goal", "a goal b", "goal", "a", "goal a goal")
    goal = walks.places.names.index("goal")
    ways = fold_walks(walks, without=[goal])
    counts = dict(zip(_names(walks, ways), zip(ways.n, ways.n_several, strict=True), strict=True))
    assert counts == {"a > b": (4, 4), "a": (2, 0), "": (1, 0)}
    assert [ways.letters[way] for way in ways.of_walk] == [
        text.replace(letter(goal), "")
        .replace(letter(0) * 2, letter(0))
        .replace(letter(1) * 2, letter(1))
        for text in walks.paths["letters"]
    ]


def test_only_the_first_500_steps_are_looked_at(make_log):
    """A robot's thousand steps set no pace."""
    walks = _list(make_log, " ".join(["a", "b"] * 600))
    assert [len(text) for text in fold_walks(walks).letters] == [500]


@given(st.lists(st.lists(st.integers(0, 40), max_size=8), max_size=8))
def test_letters_written_are_read_again(paths):
    """Reading and writing are inverse, empty paths included."""
    letters = ["".join(letter(code) for code in path) for path in paths]
    codes, row = read_letters(letters)
    assert codes.tolist() == [code for path in paths for code in path]
    assert write_letters(codes, row, len(letters)) == letters


def test_pairs_reach_three_steps(make_log):
    """Skipping two steps keeps a pair, skipping three does not."""
    walks = _list(make_log, "a b c d e", "a b a")
    features = count_features(fold_walks(walks))
    held = {
        name: [a + b for a, b in features.names[row > 0].itertuples(index=False)]
        for name, row in zip(
            _names(walks, fold_walks(walks)), features.holds.toarray(), strict=True
        )
    }
    assert held == {
        "a > b > c > d > e": [*"abcde", "ab", "ac", "ad", "bc", "bd", "be", "cd", "ce", "de"],
        "a > b > a": ["a", "b", "aa", "ab", "ba"],
    }
    assert set(features.holds.data) == {1}


def test_weights_are_those_of_rare_features(make_log):
    """Ln((1 + N) / (1 + n)) + 1; features of all or of fewer than 5 journeys are left out."""
    walks = _list(make_log, *["a b"] * 6, *["a c"] * 10, *["a d"] * 4)
    ways = fold_walks(walks)
    space = fit_space(count_features(ways), ways.n)
    weights = {a + b: weight for a, b, weight in space.features.itertuples(index=False)}
    rare, common = np.log(21 / 7) + 1, np.log(21 / 11) + 1
    assert weights == pytest.approx({"b": rare, "ab": rare, "c": common, "ac": common})


def test_like_ways_lie_together(make_log):
    """Repeats change nothing; ways without a common touchpoint are orthogonal, all of length 1."""
    walks = _list(make_log, *["a b"] * 5, *["a a a b"] * 5, *["c d"] * 5)
    ways = fold_walks(walks)
    points = _place(ways)[ways.of_walk]
    where = {spell(text, walks.places): i for i, text in enumerate(walks.paths["letters"])}
    assert points[where["a > b"]] == pytest.approx(points[where["a > a > a > b"]])
    assert points[where["a > b"]] @ points[where["c > d"]] == pytest.approx(0)
    assert np.linalg.norm(points, axis=1) == pytest.approx(1)


def test_a_skipped_step_keeps_most_features(make_log):
    """Without C, a way of six keeps 12 of its 18 features: 5 of 6 touchpoints, 7 of 12 pairs."""
    walks = _list(make_log, "a b c d e f", "a b d e f", "f e d c b a")
    ways = fold_walks(walks)
    rows = dict(zip(_names(walks, ways), count_features(ways).holds.toarray(), strict=True))
    whole, skipped, turned = (rows[" > ".join(way)] for way in ("abcdef", "abdef", "fedcba"))
    assert (whole.sum(), whole @ skipped, whole @ turned) == (18, 12, 6)


def test_nothing_to_tell_apart_has_no_dimension(make_log):
    """Without the goal nothing is left."""
    ways = fold_walks(_list(make_log, *["g"] * 5, *["g g"] * 5), without=[0])
    assert _place(ways).shape == (1, 0)


def test_other_journeys_are_placed_by_name(make_log):
    """Codes of another log differ; touchpoints it alone has carry nothing."""
    ways = fold_walks(_list(make_log, *["b c"] * 6, *["d e"] * 6))
    features = count_features(ways)
    space = fit_space(features, ways.n)
    others = _list(make_log, "a b c", "z")
    found = place_ways(count_features(fold_walks(others)), space)
    names = _names(others, fold_walks(others))
    home = place_ways(features, space)
    assert found[names.index("a > b > c")] == pytest.approx(home[0]) or found[
        names.index("a > b > c")
    ] == pytest.approx(home[1])
    assert found[names.index("z")] == pytest.approx(0)


def test_transition_shares_make_hellinger_distances(make_log):
    """Rows of roots of shares: from the start to a, a to b twice, b to a once."""
    walks = _list(make_log, "a b a b", "a")
    ways = fold_walks(walks)
    shares = count_transition_shares(ways).toarray()
    rows = dict(zip(_names(walks, ways), shares, strict=True))
    assert sorted(rows["a > b > a > b"] ** 2) == pytest.approx([0.25, 0.25, 0.5])
    assert sorted(rows["a"] ** 2) == pytest.approx([0, 0, 1])
    assert rows["a"] @ rows["a > b > a > b"] == pytest.approx(0.5)


def test_few_ways_are_all_drawn():
    """A draw is made only when there are more ways than asked for."""
    n = np.array([5, 0, 3])
    assert draw_journeys(n, 2, 0).tolist() == [5, 0, 3]
    drawn = draw_journeys(np.full(100, 10), 50, 0)
    assert drawn.sum() == 50
    pd.testing.assert_series_equal(
        pd.Series(drawn), pd.Series(draw_journeys(np.full(100, 10), 50, 0))
    )
