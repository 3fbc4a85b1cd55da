"""The fast REML agrees with lme4 (numbers from tests/gaps/reference/consistency.R)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib.gaps.consistency.crossed import Design, fit_reml, profile_share, sum_ratings

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
DYESTUFF = (  # O. L. Davies, P. L. Goldsmith (1972), table 6.2: six batches of five
    *(1545, 1440, 1440, 1520, 1580, 1540, 1555, 1490, 1560, 1495, 1595, 1550, 1605, 1510, 1560),
    *(1445, 1440, 1595, 1465, 1545, 1595, 1630, 1515, 1635, 1625, 1520, 1455, 1450, 1480, 1445),
)


def make_design(
    table: pd.DataFrame, value: str, row: str, cell: str, units: str = "", waves: str = ""
) -> Design:
    """Make the model of crossed intercepts for a long table."""
    rows, names = pd.factorize(table[row])
    cells = pd.factorize(table[cell], sort=True)[0]
    once = table.drop_duplicates(row)
    none = np.full(len(names), -1)
    unit = pd.factorize(once[units], sort=True)[0] if units else none
    wave = pd.factorize(once[waves], sort=True)[0] if waves else none
    values = table[value].to_numpy(dtype=float)
    sums, _ = sum_ratings(rows, cells, values, units=unit, waves=wave)
    n_cells = cells.max() + 1
    eye = np.eye(len(sums.target))
    columns = {"item": eye[:, 1 : n_cells + 1]} if n_cells > 1 else {}
    if waves:
        columns["wave"] = eye[:, n_cells + 1 :]
    return Design(sums, ("respondent", *(["unit"] if units else []), *columns), columns)


def test_one_way_is_the_analysis_of_variance() -> None:
    """Balanced batches: REML is the ANOVA estimate, here by hand and as lme4 has it."""
    table = pd.DataFrame({"batch": np.repeat(range(6), 5), "dye": "x", "y": DYESTUFF})
    fit = fit_reml(make_design(table, "y", "batch", "dye"))
    y = np.reshape(DYESTUFF, (6, 5)).astype(float)
    within = y.var(axis=1, ddof=1).mean()
    between = y.mean(axis=1).var(ddof=1) - within / 5
    assert fit.variances["residual"] == pytest.approx(within, rel=1e-5)
    assert fit.variances["respondent"] == pytest.approx(between, rel=1e-4)
    assert fit.variances["respondent"] == pytest.approx(1764.05, rel=1e-4)
    assert fit.deviance == pytest.approx(319.6542768, abs=1e-6)


def test_crossed_penicillin() -> None:
    """Plates crossed with samples: variances, criterion, and the profile of a share."""
    table = pd.read_csv(REFERENCE / "penicillin.csv")
    design = make_design(table, "diameter", "plate", "sample")
    fit = fit_reml(design)
    assert fit.variances["respondent"] == pytest.approx(0.7169083, rel=1e-4)
    assert fit.variances["item"] == pytest.approx(3.730919, rel=1e-4)
    assert fit.variances["residual"] == pytest.approx(0.3024154, rel=1e-4)
    assert fit.deviance == pytest.approx(330.860589, abs=1e-5)
    ends = profile_share(design, fit, "item", conf_level=0.95)
    assert ends == pytest.approx((0.5357258619, 0.9480482532), abs=1e-3)


def test_units_and_waves_with_missing_ratings() -> None:
    """Five variances at once, with a fifth of the ratings missing."""
    table = pd.read_csv(REFERENCE / "crossed.csv")
    design = make_design(table, "value", "respondent_id", "item", "unit", "wave")
    fit = fit_reml(design)
    expected = {
        "respondent": 0.3131433784,
        "item": 0.5089588435,
        "unit": 0.2716238211,
        "wave": 0.1845690258,
        "residual": 0.7241454738,
    }
    assert {k: fit.variances[k] for k in expected} == pytest.approx(expected, rel=1e-4)
    assert fit.deviance == pytest.approx(1048.481383, abs=1e-5)


def test_a_place_beside_its_items() -> None:
    """Touchpoints of two items each; lme4 finds the items' own variance at its bound of zero."""
    table = pd.read_csv(REFERENCE / "crossed.csv")
    base = make_design(table, "value", "respondent_id", "item", "unit", "wave")
    place = np.zeros((len(base.sums.target), 4))
    place[np.arange(1, 9), np.arange(8) // 2] = 1.0
    design = Design(base.sums, (*base.names, "place"), {**base.columns, "place": place})
    fit = fit_reml(design)
    assert fit.deviance == pytest.approx(1035.025405, abs=1e-4)
    assert fit.variances["item"] < 1e-5
    assert fit.variances["place"] == pytest.approx(0.5978403091, rel=1e-4)
    low, high = profile_share(design, fit, "item", conf_level=0.95)
    assert low == 0
    assert 0.001 < high < 0.1


def test_profile_of_one_way_is_close_to_the_exact_interval() -> None:
    """The share of the residual ends where that of the batches begins; F gives nearly the same."""
    from scipy import stats

    table = pd.DataFrame({"batch": np.repeat(range(6), 5), "dye": "x", "y": DYESTUFF})
    design = make_design(table, "y", "batch", "dye")
    fit = fit_reml(design)
    low, high = profile_share(design, fit, "respondent", conf_level=0.95)
    other = profile_share(design, fit, "residual", conf_level=0.95)
    assert (1 - other[1], 1 - other[0]) == pytest.approx((low, high), abs=2e-3)
    y = np.reshape(DYESTUFF, (6, 5)).astype(float)
    ratio = 5 * y.mean(axis=1).var(ddof=1) / y.var(axis=1, ddof=1).mean()
    exact = [(ratio / f - 1) / (ratio / f + 4) for f in stats.f.ppf([0.975, 0.025], 5, 24)]
    assert (low, high) == pytest.approx(exact, abs=0.06)
