"""The response surface and its shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.prediction.least_squares import Fit
from cxlib.gaps.prediction.surface import fit_response_surface, predict_surface, summarise_shape
from tests.gaps.kiosk import OUTCOMES, draw_ratings, read_kiosk


def test_published_shape():
    """Shanock et al. 2010, table 2: coefficients to a1 .54, a2 .10, a3 -1.00, a4 -.44, a5 .03."""
    fit = Fit(np.array([0, -0.23, 0.77, -0.07, 0.27, -0.10]), np.eye(6), 100.0)
    shape = summarise_shape(fit)
    assert shape["estimate"].round(2).tolist() == [0.54, 0.10, -1.00, -0.44, 0.03]


def test_error_of_a4_has_the_signs_of_the_erratum():
    """Var(b3) + var(b4) + var(b5) - 2 cov(b3, b4) + 2 cov(b3, b5) - 2 cov(b4, b5)."""
    root = np.random.default_rng(0).normal(size=(6, 6))
    v = root @ root.T
    shape = summarise_shape(Fit(np.zeros(6), v, 50.0)).set_index("term")["std_error"]
    a4 = v[3, 3] + v[4, 4] + v[5, 5] - 2 * v[3, 4] + 2 * v[3, 5] - 2 * v[4, 5]
    assert shape["a4"] == pytest.approx(np.sqrt(a4))
    assert shape["a1"] == pytest.approx(np.sqrt(v[1, 1] + v[2, 2] + 2 * v[1, 2]))
    assert shape["a3"] == pytest.approx(np.sqrt(v[1, 1] + v[2, 2] - 2 * v[1, 2]))


def test_kiosk_equals_r(shared_data):
    """reference/prediction.R: quadratic model from the middle of the scale, HC3."""
    surface = fit_response_surface(read_kiosk(shared_data), outcome=OUTCOMES)

    assert surface.n == 194
    assert surface.terms["estimate"].to_numpy() == pytest.approx(
        [3.5149004442, -0.1332222952, 0.7655633952, 0.0537359231, 0.0269357737, -0.1617636112]
    )
    assert surface.terms["std_error"].to_numpy() == pytest.approx(
        [0.6078904345, 0.6413858407, 0.2762063913, 0.1682256384, 0.1351631396, 0.0652665548]
    )
    shape = surface.shape.set_index("term")
    assert shape["estimate"].to_numpy() == pytest.approx(
        [0.6323411000, -0.0810919145, -0.8987856904, -0.1349634618, 0.2154995342]
    )
    assert shape["std_error"].to_numpy() == pytest.approx(
        [0.6535001983, 0.1708188781, 0.7404519062, 0.2614381322, 0.1860746045]
    )
    assert surface.test["statistic"].iloc[0] == pytest.approx(2.30418, abs=5e-6)
    assert surface.r2 == pytest.approx(0.390157082915)
    assert not surface.is_middle_inside  # nobody expects 4 of 7


def test_tables_to_draw_hold_together(shared_data):
    """The hull holds every answer, cells count all, and the fit at a point is the polynomial."""
    ratings = read_kiosk(shared_data)
    surface = fit_response_surface(ratings, outcome=OUTCOMES)

    assert surface.density["n"].sum() == 194
    hull = surface.hull.to_numpy()
    after = np.roll(hull, -1, axis=0)
    area = 0.5 * np.sum(hull[:, 0] * after[:, 1] - after[:, 0] * hull[:, 1])
    cells = surface.grid
    width = np.ptp(cells["expectation"]) * np.ptp(cells["perception"])
    assert cells["is_inside"].mean() == pytest.approx(area / width, abs=0.05)
    row = cells.iloc[100]
    e, p = row["expectation"] - 4, row["perception"] - 4
    fitted = predict_surface(surface.terms["estimate"].to_numpy(), np.array([e]), np.array([p]))
    assert fitted[0] == pytest.approx(row["outcome"])


def test_planted_surface_is_found():
    """5 - 0.4 E + 0.4 P - 0.3 (E - P)^2: a4 = -1.2, a2 = 0, and slopes at the mean point."""
    ratings = draw_ratings(4_000, slopes=(-0.4, 0.4), bend=-0.3, noise=0.5)
    surface = fit_response_surface(ratings, outcome="out")
    shape = surface.shape.set_index("term")

    for term, truth in (("a2", 0.0), ("a3", -0.8), ("a4", -1.2)):
        row = shape.loc[term]
        assert abs(row["estimate"] - truth) < 3 * row["std_error"]
    assert surface.test["p_value"].iloc[0] < 1e-6
    e, p = (ratings.values[role]["x"].mean() for role in ("expectation", "perception"))
    slopes = surface.slopes.set_index("term")["estimate"]
    assert slopes["perception"] == pytest.approx(0.4 + 0.6 * (e - p), abs=0.1)
    assert slopes["expectation"] == pytest.approx(-0.4 - 0.6 * (e - p), abs=0.1)


def test_answers_on_a_line_have_no_surface():
    """Perception always one below expectation: no hull, no surface."""
    ratings = draw_ratings(80, slopes=(0, 1))
    values = dict(ratings.values)
    values["perception"] = values["expectation"] - 1
    values["expectation"] = values["expectation"].clip(lower=2)
    values["perception"] = values["expectation"] - 1
    with pytest.raises(TooLittleData, match="differ in more than one direction; 80 gave both"):
        fit_response_surface(replace(ratings, values=values), outcome="out")


def test_few_answers_have_no_surface():
    """Fifty respondents are too few for six coefficients."""
    with pytest.raises(TooLittleData, match="A surface needs 60 respondents"):
        fit_response_surface(draw_ratings(50, slopes=(0, 1)), outcome="out")


def test_unknown_name_suggests_the_closest(shared_data):
    """A typing error is answered with what there is."""
    with pytest.raises(InputError, match=r"'econmy' was not rated as dimension[\s\S]*'economy'"):
        fit_response_surface(
            read_kiosk(shared_data), outcome=OUTCOMES, level="dimension", name="econmy"
        )


def test_few_units_make_no_surface():
    """Eight units leave no error to tell a bend by: no surface rather than one of NaN."""
    ratings = draw_ratings(120, slopes=(-0.5, 0.5))
    units = ratings.respondents.assign(unit=[f"u{i % 8}" for i in range(120)])
    with pytest.raises(TooLittleData, match="come in 8 independent groups"):
        fit_response_surface(replace(ratings, respondents=units), outcome="out")
