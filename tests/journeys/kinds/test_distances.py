"""Distances between paths: published values, hand computation, and one definition by the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.journeys.kinds.distances import measure_lcs
from cxlib.journeys.walks import letter

PATHS = st.lists(st.text("abcd", max_size=7), min_size=1, max_size=5)


def _letters(*words: str) -> list[str]:
    return ["".join(letter(ord(char) - ord("a")) for char in word.lower()) for word in words]


def _edit(x: str, y: str) -> int:
    """Fill the table of insertions and deletions cell by cell."""
    table = np.add.outer(np.arange(len(x) + 1), np.arange(len(y) + 1))
    for i, a in enumerate(x, 1):
        for j, b in enumerate(y, 1):
            replaced = table[i - 1, j - 1] if a == b else np.inf
            table[i, j] = min(replaced, table[i - 1, j] + 1, table[i, j - 1] + 1)
    return int(table[-1, -1])


@pytest.mark.parametrize(
    ("x", "y", "common"),
    [("AGCAT", "GAC", 2), ("XMJYAUZ", "MZJAWXU", 4), ("ABCBDAB", "BDCABA", 4), ("abc", "xyz", 0)],
)
def test_published_common_subsequences(x, y, common):
    """Textbook pairs (Cormen et al., Introduction to Algorithms, ch. 15; Wikipedia)."""
    expected = 1 - 2 * common / (len(x) + len(y))
    assert measure_lcs(_letters(x), _letters(y))[0, 0] == pytest.approx(expected)
    assert _edit(x, y) == len(x) + len(y) - 2 * common


@settings(deadline=None)
@given(PATHS, PATHS)
def test_the_distance_is_the_table_filled_by_hand(xs, ys):
    """Insertions and deletions over the steps of both, whatever the lengths."""
    sizes = np.add.outer([len(x) for x in xs], [len(y) for y in ys])
    expected = np.array([[_edit(x, y) for y in ys] for x in xs])
    assert measure_lcs(_letters(*xs), _letters(*ys)) * sizes == pytest.approx(expected, abs=1e-5)


def test_empty_paths_are_equal():
    """Nothing and nothing are alike, nothing and something are not."""
    assert measure_lcs(["", *_letters("ab")]).tolist() == [[0, 1], [1, 0]]
