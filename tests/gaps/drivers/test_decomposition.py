"""R2 is split among drivers as other programs and papers split it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.gaps.drivers.decomposition import (
    decompose_r_squared,
    johnson_weights,
    standardised_effects,
)
from cxlib.gaps.drivers.moments import draw_correlations

REFERENCE = Path(__file__).parent.parent / "reference"
ONE = np.ones((1, 1))


def correlate(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted correlations as one draw."""
    return draw_correlations(values, weights, np.zeros(len(values), dtype=int), ONE)


@pytest.fixture(scope="module")
def swiss() -> np.ndarray:
    """Read the columns Agriculture to Infant.Mortality, then Fertility."""
    table = pd.read_csv(REFERENCE / "swiss.csv")
    names = ["Agriculture", "Examination", "Education", "Catholic", "Infant.Mortality"]
    return table[[*names, "Fertility"]].to_numpy()


WEIGHTS = 1.0 + np.arange(1, 48) % 3


def test_lmg_on_swiss(swiss: np.ndarray) -> None:
    """The numbers of R's relaimpo 2.2-7, without and with weights."""
    parts = decompose_r_squared(correlate(swiss, np.ones(47)), [1] * 5).mean(axis=2)[0]
    relaimpo = [0.0570912207681, 0.1711730289002, 0.2601346786244, 0.1055701503735, 0.1127659229265]
    assert parts == pytest.approx(relaimpo, rel=1e-11)
    assert parts.sum() == pytest.approx(0.706735001593, rel=1e-11)
    parts = decompose_r_squared(correlate(swiss, WEIGHTS), [1] * 5).mean(axis=2)[0]
    relaimpo = [0.0518208063017, 0.1549452302086, 0.2559770835712, 0.1019573530969, 0.1296324182449]
    assert parts == pytest.approx(relaimpo, rel=1e-11)
    assert parts.sum() == pytest.approx(0.694332891423, rel=1e-11)


def test_groups_of_columns_on_swiss(swiss: np.ndarray) -> None:
    """A group enters whole: Shapley over all orders of three groups (reference/drivers.R)."""
    expected = [0.232520474529, 0.364859780181, 0.109354746882]
    parts = decompose_r_squared(correlate(swiss, np.ones(47)), [2, 2, 1]).mean(axis=2)[0]
    assert parts == pytest.approx(expected, rel=1e-10)
    expected = [0.209283342198, 0.355577892115, 0.129471657110]
    parts = decompose_r_squared(correlate(swiss, WEIGHTS), [2, 2, 1]).mean(axis=2)[0]
    assert parts == pytest.approx(expected, rel=1e-10)


def test_standardised_on_swiss(swiss: np.ndarray) -> None:
    """Sizes of lm's standardised coefficients, and of what groups contribute (drivers.R)."""
    matrices = correlate(swiss, np.ones(47))
    slopes = [0.312921282500, 0.164778222539, 0.670400780106, 0.347600028144, 0.251135976299]
    assert standardised_effects(matrices, [1] * 5)[0] == pytest.approx(slopes, rel=1e-10)
    groups = [0.232963026294, 0.801230854191, 0.251135976299]
    assert standardised_effects(matrices, [2, 2, 1])[0] == pytest.approx(groups, rel=1e-10)


def test_johnson(swiss: np.ndarray) -> None:
    """Swiss, and the example of iopsych's relWt with the output its manual shows."""
    weights = johnson_weights(correlate(swiss, np.ones(47)), [1] * 5)[0]
    expected = [0.048417, 0.154708, 0.271964, 0.114680, 0.116966]
    assert weights == pytest.approx(expected, abs=5e-7)
    matrix = np.array(
        [
            [1.0, 0.2, 0.3, 0.4, -0.4],
            [0.2, 1.0, 0.5, 0.1, 0.1],
            [0.3, 0.5, 1.0, 0.2, -0.3],
            [0.4, 0.1, 0.2, 1.0, 0.4],
            [-0.4, 0.1, -0.3, 0.4, 1.0],
        ]
    )
    weights = johnson_weights(matrix[None], [1] * 4)[0]
    assert weights == pytest.approx([0.24066119, 0.05492664, 0.12143476, 0.28158189], abs=5e-9)


def test_dominance_by_level() -> None:
    """The tables of Azen and Budescu (2003), and of the GPA example of dominanceanalysis."""
    matrix = np.array(
        [
            [1.0, 0.8, 0.1, 0.3, 0.6],
            [0.8, 1.0, 0.1, 0.1, 0.3],
            [0.1, 0.1, 1.0, 0.5, 0.4],
            [0.3, 0.1, 0.5, 1.0, 0.5],
            [0.6, 0.3, 0.4, 0.5, 1.0],
        ]
    )
    levels = decompose_r_squared(matrix[None], [1] * 4)[0]
    expected = [
        [0.360, 0.300, 0.263, 0.246],
        [0.090, 0.074, 0.069, 0.071],
        [0.160, 0.095, 0.063, 0.061],
        [0.250, 0.152, 0.073, 0.010],
    ]
    assert levels == pytest.approx(np.array(expected), abs=6e-4)
    assert levels.mean(axis=1) == pytest.approx([0.29218, 0.07586, 0.09491, 0.12140], abs=6e-6)
    assert levels.mean(axis=1).sum() == pytest.approx(0.58435, abs=6e-6)
    matrix = np.array(
        [[1, 0.3, 0.41, 0.33], [0.3, 1, 0.16, 0.57], [0.41, 0.16, 1, 0.5], [0.33, 0.57, 0.5, 1]]
    )
    expected = [
        [0.1089, 0.02328181, 6.548709e-05],
        [0.3249, 0.2450947, 0.2276912],
        [0.25, 0.1656952, 0.1437922],
    ]
    levels = decompose_r_squared(matrix[None], [1] * 3)[0]
    assert levels == pytest.approx(np.array(expected), rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 2), min_size=2, max_size=5))
def test_parts_sum_to_r_squared_in_any_order(seed: int, sizes: list[int]) -> None:
    """Parts are not negative, sum to R2, and follow their driver when drivers change places."""
    p = sum(sizes)
    values = np.random.default_rng(seed).normal(size=(p + 12, p + 1))
    matrix = np.corrcoef(values.T)[None]
    r_squared = 1 - 1 / np.linalg.inv(matrix[0])[-1, -1]
    parts = decompose_r_squared(matrix, sizes).mean(axis=2)[0]
    weights = johnson_weights(matrix, sizes)[0]
    for found in (parts, weights):
        assert (found > -1e-12).all()
        assert found.sum() == pytest.approx(r_squared, rel=1e-9)
    starts = np.cumsum([0, *sizes])[:-1]
    turned = [c for s, w in zip(starts[::-1], sizes[::-1], strict=True) for c in range(s, s + w)]
    other = matrix[:, [*turned, p]][:, :, [*turned, p]]
    again = decompose_r_squared(other, sizes[::-1]).mean(axis=2)[0]
    assert again[::-1] == pytest.approx(parts, abs=1e-10)


def test_draws_do_not_touch_each_other() -> None:
    """Matrices decomposed together give what each gives alone, across the chunks too."""
    rng = np.random.default_rng(1)
    matrices = np.array([np.corrcoef(rng.normal(size=(9, 40))) for _ in range(60)])
    together = decompose_r_squared(matrices, [1] * 8)
    assert together[57] == pytest.approx(decompose_r_squared(matrices[57:58], [1] * 8)[0])
