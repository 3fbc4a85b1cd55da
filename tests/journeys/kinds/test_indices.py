"""Indices of clarity, against WeightedCluster and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import calinski_harabasz_score, silhouette_score

from cxlib.journeys.kinds.indices import measure_indices, measure_silhouette

POINTS = np.array([[0, 0], [0, 1], [1, 0], [3, 3], [4, 4]], dtype=float)
DISTANCES = np.sqrt(((POINTS[:, None] - POINTS) ** 2).sum(axis=2))
WEIGHTS = np.array([1, 2, 1, 1, 3])
GROUPINGS = [np.array(labels) for labels in ([0, 0, 0, 1, 1], [0, 0, 0, 1, 2], [0, 0, 1, 2, 3])]


def test_indices_equal_those_of_weighted_cluster():
    """Reference: R, WeightedCluster.

    diss <- dist(rbind(c(0, 0), c(0, 1), c(1, 0), c(3, 3), c(4, 4)))
    wcKMedRange(diss, kvals = 2:4, weights = c(1, 2, 1, 1, 3))$stats[, c("PBC", "HG", "HC", "CHsq")]
    """
    found = measure_indices(DISTANCES, GROUPINGS, WEIGHTS)
    assert found["point_biserial"].tolist() == pytest.approx(
        [0.954081705719811, 0.857491632401563, 0.775256020647423]
    )
    assert found["hubert_gamma"].tolist() == pytest.approx([1, 1, 1])
    assert found["hubert_c"].tolist() == pytest.approx([0, 0, 0])
    assert found["calinski_harabasz"].tolist() == pytest.approx(
        [84.2307692307692, 67.3214285714286, 96.4166666666667]
    )


def test_silhouette_equals_that_of_weighted_cluster():
    """Reference: R, wcKMedRange(...)$stats["cluster2", "ASW"] on the same points."""
    assert measure_silhouette(DISTANCES, GROUPINGS[0], WEIGHTS) == pytest.approx(0.817696601694053)


def test_weights_are_repeated_rows():
    """A point that counts three times is three points, as scikit-learn sees them."""
    rng = np.random.default_rng(0)
    points, n = rng.normal(size=(20, 3)), rng.integers(1, 4, 20)
    labels = rng.integers(0, 3, 20)
    distances = np.sqrt(((points[:, None] - points) ** 2).sum(axis=2))
    rows = np.repeat(np.arange(20), n)
    assert measure_silhouette(distances, labels, n) == pytest.approx(
        silhouette_score(points[rows], labels[rows])
    )
    found = measure_indices(distances, [labels], n)
    assert found["calinski_harabasz"][0] == pytest.approx(
        calinski_harabasz_score(points[rows], labels[rows])
    )
    again = measure_indices(distances[np.ix_(rows, rows)], [labels[rows]], np.ones(len(rows), int))
    assert found.to_numpy() == pytest.approx(again.to_numpy())


def test_wrong_groups_are_told_from_right_ones():
    """Two pairs far apart: split across, the gamma is low and C is high."""
    line = np.array([0.0, 1, 10, 11])
    distances = np.abs(line[:, None] - line)
    right, wrong = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    found = measure_indices(distances, [right, wrong], np.ones(4, int))
    assert found["hubert_gamma"][0] == 1
    assert found["hubert_gamma"][1] < 0.5
    assert found["hubert_c"][0] == 0
    assert found["hubert_c"][1] > 0.4


def test_one_group_has_no_index():
    """Missing, not a number that looks like one."""
    whole = np.zeros(5, dtype=int)
    assert measure_indices(DISTANCES, [whole], WEIGHTS).isna().all(axis=None)
    assert measure_silhouette(DISTANCES, whole, WEIGHTS) == 0
