"""The proportional-odds model agrees with R, and its draws with fits to the drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib.gaps.drivers.ordinal import draw_latent_correlations, fit_proportional_odds

REFERENCE = Path(__file__).parent.parent / "reference"


@pytest.fixture(scope="module")
def wine() -> tuple[np.ndarray, np.ndarray]:
    """Read warm temperature and contact, and the rating."""
    table = pd.read_csv(REFERENCE / "wine.csv")
    x = np.column_stack([table["temp"] == "warm", table["contact"] == "yes"]).astype(float)
    return x, table["rating"].to_numpy() - 1


def test_housing_with_frequencies() -> None:
    """Coefficients, thresholds, errors and likelihood of MASS::polr (reference/drivers.R)."""
    table = pd.read_csv(REFERENCE / "housing.csv")
    terms = [("Infl", "Medium"), ("Infl", "High"), ("Type", "Apartment"), ("Type", "Atrium")]
    terms += [("Type", "Terrace"), ("Cont", "High")]
    x = np.column_stack([table[name] == level for name, level in terms]).astype(float)
    levels = table["Sat"].map({"Low": 0, "Medium": 1, "High": 2}).to_numpy()
    fit = fit_proportional_odds(x, levels, table["Freq"].to_numpy(dtype=float))
    assert fit is not None
    polr = [0.566393737902, 1.288819110864, -0.572350002038, -0.366186370687, -1.091014658963]
    assert fit.coefficients == pytest.approx([*polr, 0.360284004567], abs=5e-7)
    assert fit.thresholds == pytest.approx([-0.496135343838, 0.690708290379], abs=5e-7)
    errors = np.sqrt(np.diag(np.linalg.inv(fit.information)))
    expected = [0.104652786219, 0.127156148981, 0.119238014176, 0.155173338842, 0.151486025631]
    expected += [0.095535799323, 0.124847247335, 0.125471941667]
    assert errors == pytest.approx(expected, rel=2e-5)
    assert fit.log_likelihood == pytest.approx(-1739.57464953, abs=1e-7)


def test_wine(wine: tuple[np.ndarray, np.ndarray]) -> None:
    """The numbers of ordinal::clm (reference/drivers.R)."""
    fit = fit_proportional_odds(*wine, np.ones(72))
    assert fit is not None
    assert fit.coefficients == pytest.approx([2.50310200790, 1.52779765810], rel=1e-8)
    expected = [-1.34438341126, 1.25080879842, 3.46688692647, 5.00640420427]
    assert fit.thresholds == pytest.approx(expected, rel=1e-7)
    errors = np.sqrt(np.diag(np.linalg.inv(fit.information)))
    assert errors[:2] == pytest.approx([0.528680100825, 0.476622629648], rel=1e-6)
    assert fit.log_likelihood == pytest.approx(-86.49192336564909, abs=1e-9)


def test_latent_r_squared_of_wine(wine: tuple[np.ndarray, np.ndarray]) -> None:
    """R2 of the latent outcome is McKelvey and Zavoina's (reference/drivers.R)."""
    x, levels = wine
    found = draw_latent_correlations(x, levels, np.ones(72), np.arange(72), np.ones((1, 72)))
    assert found is not None
    r_squared = 1 - 1 / np.linalg.inv(found[0])[-1, -1]
    assert r_squared == pytest.approx(0.395221423234, rel=1e-7)


def test_a_draw_is_close_to_a_fit_of_its_own() -> None:
    """One Newton step gives nearly the correlations that a fit to the drawn rows gives."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 2))
    latent = x @ [0.8, -0.4] + rng.logistic(size=600)
    levels = np.digitize(latent, [-1.5, 0.0, 1.5])
    counts = rng.multinomial(600, np.full(600, 1 / 600), size=20).astype(float)
    draws = np.vstack([np.ones(600), counts])
    found = draw_latent_correlations(x, levels, np.ones(600), np.arange(600), draws)
    assert found is not None
    own = []
    for weights in counts:
        fitted = draw_latent_correlations(x, levels, weights, np.arange(600), draws[:1])
        assert fitted is not None
        own.append(fitted[0, :2, 2])
    step = found[1:, :2, 2]
    assert step == pytest.approx(np.array(own), abs=0.01)
    assert step.std(axis=0) == pytest.approx(np.std(own, axis=0), rel=0.05)
    assert step.mean(axis=0) == pytest.approx(np.mean(own, axis=0), abs=0.002)


def test_no_estimate_is_said_so() -> None:
    """A driver that tells all answers apart has no finite coefficient."""
    x = np.arange(20.0)[:, None]
    levels = (np.arange(20) >= 10).astype(int)
    assert fit_proportional_odds(x, levels, np.ones(20)) is None
    same = np.column_stack([np.arange(20) % 3, np.arange(20) % 3]).astype(float)
    assert fit_proportional_odds(same, np.arange(20) % 2, np.ones(20)) is None
