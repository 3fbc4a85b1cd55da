"""Journeys step by step: shares and entropies by hand, journeys drawn."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.journeys import list_walks
from cxlib.journeys.kinds.describe import find_representatives
from cxlib.journeys.kinds.sequences import list_positions, list_sequences, spread_steps
from cxlib.stats import clustered_share_size, wilson_interval
from tests.journeys.kinds.test_assign import build_log


@pytest.fixture
def walks():
    """Return four journeys of three customers: `a b` twice by one, `a`, `b c b`."""
    return list_walks(build_log([("c0", "a b"), ("c0", "a b"), ("c1", "a"), ("c2", "b c b")]))


def _read(table: pd.DataFrame, value: str) -> dict:
    return {(row.step, row.touchpoint): getattr(row, value) for row in table.itertuples()}


def test_positions_by_hand(walks):
    """Where four journeys are at three steps; those that ended stay in the whole."""
    table = list_positions(walks, ["all"] * 3, n_steps=3)
    assert _read(table, "n") == {
        (1, "a"): 3,
        (1, "b"): 1,
        (2, "b"): 2,
        (2, "(end)"): 1,
        (2, "c"): 1,
        (3, "(end)"): 3,
        (3, "b"): 1,
    }
    assert table.groupby("step")["share"].sum().tolist() == [1, 1, 1]
    assert table["touchpoint"].tolist()[:5] == ["a", "b", "b", "(end)", "c"]
    bits = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(5)
    even = -(0.5 * math.log(0.5) + 0.5 * math.log(0.25)) / math.log(5)
    entropy = table.drop_duplicates("step")["entropy"].tolist()
    assert entropy == pytest.approx([bits, even, bits])


def test_positions_are_clustered_by_customer(walks):
    """At step 1 three of four are at `a`, two of them of one customer: sums by hand."""
    row = list_positions(walks, ["all"] * 3).iloc[0]
    # x = 2, 1, 0 and y = 2, 1, 1 of the three customers
    size = clustered_share_size([0.75], [4], [5], [5], [6])
    low, high = wilson_interval([0.75], size)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((low[0], high[0]))


def test_open_journeys_have_not_ended(make_log):
    """A journey that may still go on is neither at a place nor at its end."""
    walks = list_walks(make_log([("c0", "a"), ("c1", "a b")], start="2024-12-30"))
    table = list_positions(walks, ["k", "k"], n_steps=2)
    assert _read(table, "n") == {(1, "a"): 2, (2, "(open)"): 1, (2, "b"): 1}


def test_positions_go_by_segment_large_first(walks):
    """Each segment is a whole; one place for all has no entropy."""
    labels = ["ab" if n == 2 else "rest" for n in walks.paths["n"]]
    table = list_positions(walks, labels, n_steps=2)
    sizes = table.groupby(["segment", "step"])["n"].sum()
    assert sizes.to_dict() == {("ab", 1): 2, ("ab", 2): 2, ("rest", 1): 2, ("rest", 2): 2}
    assert table[table["segment"] == "ab"]["entropy"].tolist() == [0, 0]


def test_steps_are_spread_and_cut():
    """One row a path; -1 after its end."""
    letters = ["\U00010002\U00010000", "\U00010001\U00010001\U00010003"]
    assert spread_steps(letters, 2).tolist() == [[2, 0], [1, 1]]
    assert spread_steps(letters, 4).tolist() == [[2, 0, -1, -1], [1, 1, 3, -1]]


def test_sequences_lie_by_distance(walks):
    """All four journeys, those like `a b` first; equal distances by path."""
    labels = ["all"] * 3
    table = list_sequences(walks, labels, find_representatives(walks, labels), min_cell=4)
    rows = table.groupby("row").agg(path=("touchpoint", " ".join), far=("distance", "first"))
    assert rows["path"].tolist() == ["a b", "a b", "a", "b c b"]
    assert rows["far"].tolist() == [0, 0, 1, 3]


def test_sequences_are_drawn_without_replacement_and_repeat(make_log):
    """Never more of a path than there are; the same seed draws the same journeys."""
    rng = np.random.default_rng(0)
    paths = [" ".join(rng.choice(list("abcd"), rng.integers(1, 8))) for _ in range(80)]
    log = make_log([(f"c{i}", path) for i, path in enumerate(paths)], start="2024-12-30")
    walks = list_walks(log)
    labels = ["all"] * len(walks.paths)
    found = find_representatives(walks, labels)
    table = list_sequences(walks, labels, found, n_journeys=70, n_steps=5)
    assert table["row"].max() == 70
    assert table["step"].max() == 5
    assert table.groupby("row")["distance"].first().is_monotonic_increasing
    drawn = table[table["touchpoint"] != "(open)"].groupby("row")["touchpoint"].agg(" ".join)
    there = pd.Series([" ".join(path.split()[:5]) for path in paths]).value_counts()
    times = drawn.value_counts()
    assert (times <= there.reindex(times.index)).all()
    short = [path for path in drawn if len(path.split()) < 5]
    assert (table["touchpoint"] == "(open)").sum() == len(short)
    pd.testing.assert_frame_equal(
        table, list_sequences(walks, labels, found, n_journeys=70, n_steps=5)
    )


def test_too_few_journeys_or_steps_are_refused(walks):
    """Segments under min_cell are left out; no step is no picture."""
    labels = ["ab" if n == 2 else "rest" for n in walks.paths["n"]]
    found = find_representatives(walks, labels)
    with pytest.raises(TooLittleData, match="No kind of journey has 10 journeys"):
        list_sequences(walks, labels, found)
    with pytest.raises(InputError, match="n_steps = 0 shows no step"):
        list_positions(walks, labels, n_steps=0)
    with pytest.raises(InputError, match="n_steps = 0 shows no step"):
        list_sequences(walks, labels, found, n_steps=0)
