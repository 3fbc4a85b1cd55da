"""Evidence on groups: matches, resamples, and journeys without kinds."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from cxlib.journeys.kinds.centres import find_nearest, find_spots
from cxlib.journeys.kinds.evidence import (
    Look,
    deal_out,
    group_by_lcs,
    match_groups,
    measure_clarity,
    resample_groups,
)

FAR = np.array([[1.0, 0.0], [0.0, 1.0]])


def test_matches_by_hand():
    """Group 0 holds 4 journeys, 3 of them in the other 0 of 3; group 1 holds 2, in the other 1."""
    labels, others = np.array([0, 0, 1]), np.array([0, 1, 1])
    assert match_groups(labels, others, np.array([3, 1, 2])).tolist() == [3 / 4, 2 / 3]


def test_far_groups_are_found_in_every_resample():
    """Two points far apart, ten journeys each."""
    found = resample_groups(FAR, np.array([10, 10]), FAR, n_resamples=5, random_state=0)
    assert found.tolist() == [[1, 1]] * 5


def test_a_split_heap_dissolves():
    """One round heap cut in three: the cuts are elsewhere in every resample."""
    rng = np.random.default_rng(0)
    spots = rng.normal(size=(400, 6))
    centres = spots[:3]
    found = resample_groups(spots, np.ones(400, dtype=int), centres, n_resamples=10, random_state=0)
    assert found.mean(axis=0).min() < 0.6


def test_dealing_out_keeps_lengths_and_touchpoints():
    """The order alone is lost."""
    paths = pd.DataFrame({"letters": ["aab", "bb"], "n": [3, 1]})
    dealt = deal_out(paths, size=4, rng=np.random.default_rng(0))
    drawn = Counter(dealt["letters"].str.len())
    assert drawn[3] + drawn[2] == 4
    assert Counter("".join(dealt["letters"]))["a"] == 2 * drawn[3]
    assert (dealt["n"] == 1).all()


def test_nearest_centres_and_spots():
    """Distances are Euclidean; equal points are one spot, points of no journey none."""
    labels, distances = find_nearest(np.array([[1.0, 1.0], [0.0, 3.0]]), FAR)
    assert labels.tolist() == [0, 1]
    assert distances.tolist() == pytest.approx([1, 2])
    spots, weight = find_spots(np.array([[1.0], [2.0], [1.0], [3.0]]), np.array([1, 2, 4, 0]))
    assert spots.ravel().tolist() == [1, 2]
    assert weight.tolist() == [5, 2]


def test_both_representations_have_a_say():
    """Groups clear in one and wrong in the other are told by two silhouettes of unlike sign."""
    line = np.array([0.0, 1, 10, 11])
    near = np.abs(line[:, None] - line)
    swapped = near[np.ix_([0, 2, 1, 3], [0, 2, 1, 3])]
    labels = np.array([0, 0, 1, 1])
    look = Look(np.arange(4), near, swapped)
    good, bad = measure_clarity(look, labels)
    assert good > 0.8
    assert bad < 0
    assert match_groups(labels, group_by_lcs(look, [2])[2], look.n).max() < 0.5
