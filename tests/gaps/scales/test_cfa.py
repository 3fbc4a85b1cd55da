"""Factor models equal lavaan's, and say what a reader must know."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.data import open_workbook
from cxlib.errors import TooLittleData
from cxlib.gaps.ratings import select_answers
from cxlib.gaps.scales.cfa import fit_factors
from cxlib.gaps.scales.fit import chance_loss_below
from tests.gaps.scales.surveys import ABILITIES, TESTS, draw_answers

# R, reference/scales.R: cfa(three, hs, std.lv = TRUE)
LAVAAN = pd.DataFrame(
    [
        (0.899620314, 0.0808465334, 0.771880719, 0.0549726562),
        (0.497940511, 0.0774547819, 0.423601842, 0.0596190651),
        (0.656156093, 0.0744212257, 0.581132263, 0.0551392670),
        (0.989693449, 0.0566367179, 0.851582472, 0.0225430570),
        (1.101604650, 0.0626757561, 0.855065681, 0.0223412114),
        (0.916600978, 0.0536584940, 0.838010343, 0.0233551387),
        (0.619475434, 0.0695825769, 0.569516154, 0.0531547665),
        (0.730948803, 0.0659093165, 0.723044461, 0.0505304713),
        (0.669980109, 0.0650169735, 0.665009553, 0.0510942485),
    ],
    index=[f"x{i}" for i in range(1, 10)],
    columns=["loading", "loading_error", "estimate", "std_error"],
)


@pytest.fixture(scope="module")
def pupils():
    """Return the model of the three abilities."""
    return fit_factors(TESTS, ABILITIES, conf_level=0.90)


def test_fit_equals_lavaan(pupils):
    """Published: chi2 85.306 df 24, CFI .931, TLI .896, RMSEA .092, SRMR .065."""
    fit = pupils.fit.iloc[0]
    assert (fit["n"], fit["df"]) == (301, 24)
    measures = ["chi2", "cfi", "tli", "rmsea", "conf_low", "conf_high", "srmr"]
    expected = [85.3055218, 0.9305597, 0.8958395, 0.0921215, 0.0714185, 0.1136780, 0.0652051]
    assert list(fit[measures]) == pytest.approx(expected, abs=2e-7)
    assert fit["p_value"] == pytest.approx(8.503e-9, rel=1e-3)
    assert pupils.is_proper
    assert pupils.notes == ()


def test_loadings_and_errors_equal_lavaan(pupils):
    """Both in units of the answers and standardised; published ratios are to the first item."""
    found = pupils.loadings.set_index("item").loc[LAVAAN.index, LAVAAN.columns]
    np.testing.assert_allclose(found, LAVAAN, atol=3e-6)
    ratios = found["loading"].to_numpy().reshape(3, 3)
    ratios = (ratios / ratios[:, :1]).round(3).ravel()
    assert list(ratios) == [1, 0.554, 0.729, 1, 1.113, 0.926, 1, 1.180, 1.082]


def test_correlations_equal_lavaan(pupils):
    """Estimates and standard errors of the three correlations."""
    table = pupils.correlations.set_index(["dimension_a", "dimension_b"])
    expected = {
        ("textual", "visual"): (0.458509799, 0.0637792964),
        ("speed", "visual"): (0.470534683, 0.0728266323),
        ("speed", "textual"): (0.282985557, 0.0687292215),
    }
    for pair, numbers in expected.items():
        found = table.loc[pair, ["estimate", "std_error"]]
        assert list(found) == pytest.approx(numbers, abs=5e-6)


def test_omega_of_the_model_of_three_equals_semtools(pupils):
    """Anchors: .6253 .8852 .6878 belong to this model; one factor alone gives .6326 .8859 .6961."""
    for name, omega in (("visual", 0.625318526), ("textual", 0.885175574), ("speed", 0.687760750)):
        own = pupils.loadings[pupils.loadings["dimension"].eq(name)]
        residual = own["loading"] ** 2 * (1 / own["estimate"] ** 2 - 1)
        true = own["loading"].sum() ** 2
        assert true / (true + residual.sum()) == pytest.approx(omega, abs=2e-6)


def test_order_of_rows_and_items_changes_nothing(pupils):
    """A model is one of items, not of positions."""
    other = fit_factors(
        TESTS.sample(frac=1, random_state=1)[TESTS.columns[::-1]], ABILITIES, conf_level=0.90
    )
    assert other.fit.iloc[0].to_dict() == pytest.approx(pupils.fit.iloc[0].to_dict(), abs=1e-7)


def test_planted_structure_is_found():
    """Loadings, correlations and a fit the model deserves."""
    planted = {"a": [0.8, 0.7, 0.6, 0.5], "b": [0.9, 0.6, 0.4], "c": [0.7, 0.7]}
    values, dimensions = draw_answers(6000, planted, r=0.5, seed=3)
    model = fit_factors(values, dimensions, conf_level=0.99)
    truth = np.concatenate(list(planted.values()))
    assert model.loadings["conf_low"].lt(truth).all()
    assert model.loadings["conf_high"].gt(truth).all()
    assert model.correlations["conf_low"].lt(0.5).all()
    assert model.correlations["conf_high"].gt(0.5).all()
    assert model.correlations["p_same"].lt(0.01).all()
    assert model.fit.iloc[0]["p_value"] > 0.001
    assert model.fit.iloc[0]["p_acceptable"] > 0.99


def test_one_dimension_under_two_names_is_not_distinct():
    """Items of one factor given out as two dimensions correlate by about 1."""
    values, _ = draw_answers(2000, {"a": [0.7] * 6})
    model = fit_factors(values, pd.Series(["p"] * 3 + ["q"] * 3, index=values.columns))
    pair = model.correlations.iloc[0]
    assert pair["estimate"] == pytest.approx(1, abs=0.05)
    assert pair["p_same"] > 0.99


def test_improper_result_is_told():
    """Correlations .8, .8 and .3 leave less than no variance of the first item: 1 - .8 .8 / .3."""
    r = np.array([[1, 0.8, 0.8], [0.8, 1, 0.45], [0.8, 0.45, 1.0]])
    values = pd.DataFrame(exactly(r, 100), columns=["x", "y", "z"])
    model = fit_factors(values, pd.Series("a", index=["x", "y", "z"]))
    assert not model.is_proper
    assert any("Heywood" in note and "'x'" in note for note in model.notes)
    assert np.isnan(model.fit.iloc[0]["cfi"])  # three items always fit


def test_model_without_a_solution_is_told():
    """Correlations .5, .5 and -.5 have no common factor: their product is negative."""
    r = np.array([[1, 0.5, 0.5], [0.5, 1, -0.45], [0.5, -0.45, 1]])
    model = fit_factors(
        pd.DataFrame(exactly(r, 100), columns=["x", "y", "z"]), pd.Series("a", index=list("xyz"))
    )
    assert not model.is_proper
    assert any("no solution" in note or "Improper" in note for note in model.notes)


def exactly(r: np.ndarray, n: int) -> np.ndarray:
    """Make rows with exactly these correlations."""
    values = np.random.default_rng(0).standard_normal((n, len(r)))
    values -= values.mean(axis=0)
    white = values @ np.linalg.inv(np.linalg.cholesky(np.cov(values, rowvar=False))).T
    return white @ np.linalg.cholesky(r).T


def test_what_is_left_out_is_named():
    """Items without dimension, dimensions of one item, respondents with holes, coarse answers."""
    values, dimensions = draw_answers(300, {"a": [0.7] * 4, "b": [0.7], "c": [0.7]})
    dimensions["c1"] = None
    values["a1"] = (values["a1"] > 0).astype(float)
    values.iloc[:7, 1] = np.nan
    model = fit_factors(values, dimensions)
    assert model.fit.iloc[0]["n"] == 293
    told = " ".join(model.notes)
    assert "they have no dimension: 'c1'" in told
    assert "one item only: 'b'" in told
    assert "7 respondents who skipped an item" in told
    assert "1 of 4 items were answered in 4 categories or fewer ('a1')" in told


def test_items_without_any_dimension_are_taken_for_one():
    """A survey without dimensions still has one model, and says so."""
    model = fit_factors(TESTS, pd.Series(None, index=TESTS.columns, dtype=object))
    assert set(model.loadings["dimension"]) == {"all items"}
    assert model.fit.iloc[0]["chi2"] == pytest.approx(312.264, abs=5e-4)  # R: one factor, ML
    assert "No item has a dimension; all are taken for one." in model.notes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.head(30), "30 answered all 9 items; 50 are needed"),
        (lambda t: t.assign(x4=5.0), "same answer to 'x4'"),
        (lambda t: t.assign(x5=t["x4"]), "'x4' and 'x5' were answered alike by all"),
        (lambda t: t.assign(x9=t["x7"] + t["x8"]), "sums or differences of others"),
        (lambda t: t.assign(x1=np.nan), "0 answered all 9 items"),
        (lambda t: t[["x1", "x2"]], "needs a dimension of three items.*'visual' 2"),
    ],
    ids=["few", "constant", "twice", "sum", "nobody", "two items"],
)
def test_too_little_for_a_model(change, message):
    """A reason instead of a number."""
    with pytest.raises(TooLittleData, match=message):
        fit_factors(change(TESTS), ABILITIES)


def test_chance_of_a_loss():
    """R: pchisq(40.0593, 6, ncp = .01 * (957.769 - 72), lower.tail = FALSE); normal when large."""
    chance = chance_loss_below(0.01, 40.0593, 6, base_excess=885.769)
    assert chance == pytest.approx(0.002649919, abs=1e-9)
    # with no room for a loss it is the p-value of the usual test
    assert chance_loss_below(0.0, 12.592, 6, base_excess=1e3) == pytest.approx(0.05, abs=1e-4)
    exact = chance_loss_below(0.01, 4990, 10, base_excess=5e5)
    beyond = chance_loss_below(0.01, 5010, 10, base_excess=5e5)
    assert exact == pytest.approx(beyond, abs=0.06)
    assert 0.4 < beyond < exact < 0.6


def test_samples_go_by_touchpoint_not_by_dimension():
    """Planted: two items of a touchpoint share its experience, those of a dimension do not."""
    tables = open_workbook("samples")
    ratings = select_answers(tables.answers, tables.frame("items"))
    facts, values = ratings.facts("perception"), ratings.values["perception"]
    assert fit_factors(values, facts["touchpoint"]).fit["p_acceptable"].item() > 0.8
    assert fit_factors(values, facts["dimension"]).fit["p_acceptable"].item() < 0.2
