"""Blocks of respondents stand in for respondents."""

from __future__ import annotations

import numpy as np

from cxlib.gaps.resample import assign_blocks, draw_counts, sum_blocks


def test_few_respondents_are_blocks_of_their_own():
    """Then it is the ordinary bootstrap."""
    assert list(assign_blocks(4)) == [0, 1, 2, 3]


def test_clusters_stay_together_in_blocks_of_about_equal_size():
    """The coarsest kind of cluster is dealt whole."""
    shops = np.repeat(np.arange(90), 3)
    customers = np.arange(270)
    blocks = assign_blocks(270, clusters=[customers, shops], most=30)
    assert len(np.unique(blocks)) == 30
    assert np.bincount(blocks).tolist() == [9] * 30
    assert all(len(set(blocks[shops == shop])) == 1 for shop in range(90))


def test_every_draw_holds_as_many_blocks_as_there_are():
    """Drawn with replacement, the same for a seed."""
    counts = draw_counts(50, 20, 1)
    assert (counts.sum(axis=1) == 50).all()
    np.testing.assert_array_equal(counts, draw_counts(50, 20, 1))


def test_sums_of_blocks_by_hand():
    """Rows add up by block."""
    sums = sum_blocks(np.array([[1.0, 0], [2, 1], [4, 1]]), np.array([1, 0, 1]))
    assert sums.tolist() == [[2, 1], [5, 1]]


def test_blocks_give_the_spread_of_a_mean():
    """The bootstrap of 5,000 respondents in 500 blocks has the mean's standard error."""
    values = np.random.default_rng(2).normal(size=5_000)
    blocks = assign_blocks(5_000, most=500)
    drawn = draw_counts(500, 4_000, 3) @ sum_blocks(values[:, None], blocks) / 5_000
    assert abs(drawn.std() / (values.std() / np.sqrt(5_000)) - 1) < 0.06
