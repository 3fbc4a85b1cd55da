"""Correlations of every draw come from sums over blocks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.gaps.drivers.moments import draw_correlations, make_definite


@pytest.fixture
def values() -> np.ndarray:
    """Draw four linked columns with holes."""
    rng = np.random.default_rng(0)
    values = 5 + rng.normal(size=(60, 4)) + rng.normal(size=(60, 1))
    values[rng.random(values.shape) < 0.2] = np.nan
    return values


def test_pairwise_correlations_are_those_of_pandas(values: np.ndarray) -> None:
    """Each pair over those who gave both, its own means and variances."""
    found = draw_correlations(values, np.ones(60), np.arange(60), np.ones((1, 60)))
    assert found[0] == pytest.approx(pd.DataFrame(values).corr().to_numpy(), abs=1e-12)


def test_a_draw_is_the_sample_it_stands_for(values: np.ndarray) -> None:
    """Blocks drawn twice and weights both count like repeated respondents."""
    blocks = np.arange(60) % 7
    counts = np.array([[1, 1, 1, 1, 1, 1, 1], [2, 0, 1, 0, 3, 1, 0]], dtype=float)
    drawn = draw_correlations(values, np.ones(60), blocks, counts)
    rows = np.repeat(np.arange(60), counts[1].astype(int)[blocks])
    assert drawn[1] == pytest.approx(pd.DataFrame(values[rows]).corr().to_numpy(), abs=1e-12)
    weighted = draw_correlations(values, counts[1][blocks], blocks, counts[:1])
    assert weighted[0] == pytest.approx(drawn[1], abs=1e-12)


def test_a_column_without_differences_goes_with_nothing(values: np.ndarray) -> None:
    """A constant has correlation 0, not NaN."""
    values[:, 2] = 4.0
    found = draw_correlations(values, np.ones(60), np.arange(60), np.ones((1, 60)))[0]
    assert found[2, [0, 1, 3]].tolist() == [0.0, 0.0, 0.0]
    assert np.isfinite(found).all()


def test_contradictory_correlations_are_shrunk_alike() -> None:
    """By hand: eigenvalues of this matrix are 1.9, 1.9 and -0.8; s = (1e-6 + 0.8) / 1.8."""
    bad = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1.0]])
    good = np.eye(3)
    matrices, shrinkage = make_definite(np.array([bad, good]))
    assert shrinkage == pytest.approx([(1e-6 + 0.8) / 1.8, 0.0])
    assert np.linalg.eigvalsh(matrices[0])[0] == pytest.approx(1e-6, abs=1e-12)
    assert np.unique(np.abs(matrices[0][~np.eye(3, dtype=bool)]).round(12)).size == 1
    assert (matrices[1] == good).all()
