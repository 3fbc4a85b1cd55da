"""Distances between paths: published values, hand computation, and one definition by the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.journeys.kinds.distances import match_optimally, measure_lcs, transition_costs
from cxlib.journeys.walks import letter

PATHS = st.lists(st.text("abcd", max_size=7), min_size=1, max_size=5)


def _letters(*words: str) -> list[str]:
    return ["".join(letter(ord(char) - ord("a")) for char in word.lower()) for word in words]


def _constant(cost: float) -> np.ndarray:
    return cost * (1 - np.eye(26))


def _edit(x: str, y: str, costs: np.ndarray, indel: float) -> float:
    """Fill the table of Wagner and Fischer cell by cell."""
    table = np.add.outer(indel * np.arange(len(x) + 1), indel * np.arange(len(y) + 1))
    for i, a in enumerate(x, 1):
        for j, b in enumerate(y, 1):
            replaced = table[i - 1, j - 1] + costs[ord(a) - ord("a"), ord(b) - ord("a")]
            table[i, j] = min(replaced, table[i - 1, j] + indel, table[i, j - 1] + indel)
    return float(table[-1, -1])


@pytest.mark.parametrize(
    ("x", "y", "common"),
    [("AGCAT", "GAC", 2), ("XMJYAUZ", "MZJAWXU", 4), ("ABCBDAB", "BDCABA", 4), ("abc", "xyz", 0)],
)
def test_published_common_subsequences(x, y, common):
    """Textbook pairs (Cormen et al., Introduction to Algorithms, ch. 15; Wikipedia)."""
    expected = 1 - 2 * common / (len(x) + len(y))
    assert measure_lcs(_letters(x), _letters(y))[0, 0] == pytest.approx(expected)
    unscaled = match_optimally(_letters(x), _letters(y), costs=_constant(2.0))
    assert unscaled[0, 0] == len(x) + len(y) - 2 * common


@pytest.mark.parametrize(
    ("x", "y", "edits"), [("kitten", "sitting", 3), ("saturday", "sunday", 3), ("", "abc", 3)]
)
def test_published_edit_distances(x, y, edits):
    """With all costs 1, optimal matching is the distance of Levenshtein."""
    assert match_optimally(_letters(x), _letters(y), costs=_constant(1.0))[0, 0] == edits


@settings(deadline=None)
@given(PATHS, PATHS)
def test_matching_with_cost_two_is_the_longest_common_subsequence(xs, ys):
    """OM with substitution 2 and indel 1 is |x| + |y| - 2 LCS."""
    sizes = np.add.outer([len(x) for x in xs], [len(y) for y in ys])
    found = match_optimally(_letters(*xs), _letters(*ys), costs=_constant(2.0))
    assert found == pytest.approx(measure_lcs(_letters(*xs), _letters(*ys)) * sizes, abs=1e-5)


@settings(deadline=None)
@given(PATHS, st.floats(0.3, 2), st.integers(0, 10))
def test_matching_equals_the_table_filled_by_hand(xs, indel, seed):
    """Any costs, any lengths."""
    costs = np.random.default_rng(seed).uniform(0, 2, (26, 26))
    costs = (costs + costs.T) * (1 - np.eye(26)) / 2
    found = match_optimally(_letters(*xs), costs=costs, indel=indel)
    assert found == pytest.approx(np.array([[_edit(x, y, costs, indel) for y in xs] for x in xs]))
    assert found == pytest.approx(found.T)


def test_transition_costs_by_hand():
    """From a: to b 3 of 4, to c 1 of 4; from b: to a 1 of 1; c is never left."""
    costs = transition_costs(_letters("ab", "ab", "ac", "bab"), np.array([1, 1, 1, 1]), n_places=3)
    assert costs == pytest.approx(
        np.array([[0, 2 - 0.75 - 1, 2 - 0.25], [0.25, 0, 2], [1.75, 2, 0]])
    )
    twice = transition_costs(_letters("ab", "ac", "bab"), np.array([2, 1, 1]), n_places=3)
    assert twice == pytest.approx(costs)


def test_matching_with_transition_costs_by_hand():
    """To turn ab into ac replaces b by c at 2; to turn ba into ab replaces both or moves one."""
    costs = transition_costs(_letters("ab", "ab", "ac", "bab"), np.ones(4, int), n_places=3)
    found = match_optimally(_letters("ab", "ba"), _letters("ac", "ab", ""), costs=costs)
    assert found == pytest.approx(np.array([[2, 0, 2], [0.25 + 1.75, 0.5, 2]]))


def test_empty_paths_are_equal():
    """Nothing and nothing are alike, nothing and something are not."""
    assert measure_lcs(["", *_letters("ab")]).tolist() == [[0, 1], [1, 0]]
