"""Tests of columns of text as words and codes."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.data import words

TEXTS = st.lists(st.sampled_from(["", "a", "b", " a", "NA", "ü"]), max_size=12)


def test_words_come_in_the_order_of_their_cells():
    """The empty text has code 0, whether a cell holds it or not."""
    column = words.encode(["b", "a", "b"])

    assert words.words_of(column).tolist() == ["", "b", "a"]
    assert words.codes_of(column).tolist() == [1, 2, 1]
    assert words.count_cells(column).tolist() == [0, 2, 1]


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_cells_come_back(cells):
    """Encoding, by way of Arrow in several chunks too, changes no cell; empty is null outside."""
    column = words.encode(cells)
    chunks = [pa.array(cells[:3], pa.string()), pa.array(cells[3:], pa.string())]

    assert column.astype(object).tolist() == cells
    assert words.from_arrow(pa.chunked_array(chunks)).astype(object).tolist() == cells
    assert words.to_arrow(column).to_pylist() == [cell or None for cell in cells]
    assert words.is_filled(column).tolist() == [cell != "" for cell in cells]


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_words_that_become_equal_are_one(cells):
    """Work on words is work on cells."""
    column = words.change_words(words.encode(cells), lambda text: text.str.strip())

    assert column.astype(object).tolist() == [cell.strip() for cell in cells]
    assert words.words_of(column).is_unique


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from(["", "a", "b"])] * 3), min_size=1, max_size=12))
@pytest.mark.parametrize("largest", [words._LARGEST_KEY, 8])
def test_repeated_rows_are_those_of_pandas(largest, rows):
    """Also when the keys of all columns together do not fit a number."""
    frame = pd.DataFrame(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "_LARGEST_KEY", largest)
        found = words.find_repeated(words.encode(frame[name]) for name in frame)

    assert found.tolist() == frame.duplicated().tolist()


def test_cells_are_placed_kept_and_joined():
    """None comes where nothing is placed; joined columns share their words."""
    column = words.encode(["a", "b"])
    placed = words.place_cells(column, pd.Series([1, -1, 0]).to_numpy())

    assert placed.tolist() == ["b", "", "a"]
    assert words.keep_cells(column, (column == "b").to_numpy()).tolist() == ["", "b"]
    joined = words.join([column, words.encode(["", "c", "a"])])
    assert joined.tolist() == ["a", "b", "", "c", "a"]
    assert words.codes_of(joined).tolist() == [1, 2, 0, 3, 1]
