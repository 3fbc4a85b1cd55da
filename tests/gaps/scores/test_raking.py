"""Raking meets its margins from any start, equals R, and refuses what cannot be met."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.errors import InputError
from cxlib.gaps.scores.linear import estimate_mean
from cxlib.gaps.scores.raking import design_effect, rake
from cxlib.gaps.scores.weighting import weight_to_margins
from tests.gaps.scores.surveys import make_ratings

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
SAMPLE = [20, 50, 100, 30, 40, 140, 50, 100, 40, 310, 50, 70]
POPULATION = [80, 60, 170, 55, 40, 150, 60, 165, 55, 340, 200, 125]
KALTON = [1.81080509, 1.08356444, 2.19608910, 1.83322553, 1.45282194, 0.86935154]
KALTON += [1.76193807, 1.47081002, 2.01677551, 1.20681472, 2.44588372, 2.04174617]


def make_margins(**targets: dict[str, float]) -> pd.DataFrame:
    """Write targets by attribute and level."""
    rows = [(a, level, t) for a, levels in targets.items() for level, t in levels.items()]
    return pd.DataFrame(rows, columns=["attribute", "level", "target"])


@pytest.fixture
def kalton():
    """Make the 1,000 respondents of Kalton and Flores-Cervantes with their margins."""
    cells = pd.DataFrame({"a": list("1234") * 3, "b": np.repeat(list("123"), 4)})
    sums = {name: pd.Series(POPULATION).groupby(cells[name]).sum().to_dict() for name in "ab"}
    return cells.loc[np.repeat(np.arange(12), SAMPLE)].reset_index(drop=True), make_margins(**sums)


def test_kalton_equals_the_published_ratios(kalton):
    """Raked weights of the 12 cells, R survey tests/kalton.Rout.save, and Kish's design effect."""
    people, margins = kalton
    weights = rake(people, margins)
    first = np.cumsum([0, *SAMPLE[:-1]])
    assert pytest.approx(KALTON, abs=1e-7) == weights[first]
    assert weights.sum() == pytest.approx(1500)
    assert design_effect(weights) == pytest.approx(1.0997, abs=5e-5)


@pytest.mark.parametrize(
    ("start", "mean", "std_error", "rel"),
    [
        (lambda i: 1.0, 5.0129251, 0.104753123, 1e-5),
        (lambda i: 1 + i % 3, 5.0342183, 0.1128792385, 1e-7),
    ],
)
def test_kalton_standard_errors_equal_r(kalton, start, mean, std_error, rel):
    """SE after raking, from equal and unequal weights (reference/raking.R)."""
    people, margins = kalton
    numbers = np.arange(1, 1001)
    y = (numbers * 37) % 11
    weight = [float(start(i)) for i in numbers]
    ratings = make_ratings(y, metric="ces", a=people["a"], b=people["b"], weight=weight)
    weighting = weight_to_margins(ratings, margins)
    raked = weighting.ratings.respondents["weight"].to_numpy()
    ours = estimate_mean(y.astype(float), raked, calibration=weighting.calibration)
    assert (ours.mean, ours.std_error) == (pytest.approx(mean), pytest.approx(std_error, rel=rel))


SCHOOLS = make_margins(
    **{"stype": {"E": 4421, "H": 755, "M": 1018}, "sch.wide": {"No": 1072, "Yes": 5122}}
)


def _schools(weight):
    table = pd.read_csv(REFERENCE / "apiclus1.csv")
    columns = {name: table[name] for name in ("dnum", "stype", "sch.wide", "awards")}
    return table, make_ratings(table["api00"], metric="ces", weight=weight, **columns)


def test_cluster_sample_of_schools_equals_r():
    """R survey: 644.17 SE 23.542 before, 641.23 and 23.704 after, of 757 districts 15."""
    table, ratings = _schools(6194 / 183)
    values, clusters = table["api00"].to_numpy(float), [table["dnum"].to_numpy()]
    fpc = np.sqrt(1 - 15 / 757)
    before = estimate_mean(values, np.ones(183), clusters=clusters)
    assert (before.mean, before.std_error * fpc) == (
        pytest.approx(644.1693989),
        pytest.approx(23.54224, abs=5e-6),
    )
    weighting = weight_to_margins(ratings, SCHOOLS)
    raked = weighting.ratings.respondents["weight"].to_numpy()
    after = estimate_mean(values, raked, clusters=clusters, calibration=weighting.calibration)
    assert after.mean == pytest.approx(641.230320927)
    assert after.std_error == pytest.approx(23.9420099146)
    assert after.std_error * fpc == pytest.approx(23.7036168879)


def test_unequal_start_and_domains_equal_r():
    """Equal svymean and svyby after calibrate(calfun = "raking") from unequal weights."""
    start = 10 + (np.arange(1, 184) * 7) % 23
    table, ratings = _schools(start.astype(float))
    weighting = weight_to_margins(ratings, SCHOOLS)
    raked = weighting.ratings.respondents["weight"].to_numpy()
    expected = [42.1944195884, 33.7049706924, 43.5355871444, 21.0656066828, 30.8962231347]
    assert pytest.approx(expected) == raked[:5] * 6194 / 183
    values = table["api00"].to_numpy(float)
    parts = {"": (638.089574629, 8.1970257286), "No": (623.212806044, 14.0111110987)}
    for awards, (mean, std_error) in (parts | {"Yes": (645.952396576, 10.1167144864)}).items():
        inside = np.where(table["awards"].eq(awards) | (awards == ""), values, np.nan)
        ours = estimate_mean(inside, raked, calibration=weighting.calibration)
        assert (ours.mean, ours.std_error) == (pytest.approx(mean), pytest.approx(std_error))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.floats(0.1, 9)), max_size=40))
@settings(max_examples=40, deadline=None)
def test_margins_are_met_from_unequal_weights(rows):
    """Whatever the starting weights: margins met, ratios within a cell kept (balance #431)."""
    rows += [(a, b, 1.0 + a) for a in range(3) for b in range(2)]
    table = pd.DataFrame(rows, columns=["a", "b", "start"])
    margins = make_margins(a={"0": 0.2, "1": 0.3, "2": 0.5}, b={"0": 0.6, "1": 0.4})
    start = table["start"].to_numpy()
    weights = rake(table, margins, weights=start)
    for name in "ab":
        met = pd.Series(weights).groupby(table[name]).sum()
        target = margins.loc[margins["attribute"].eq(name), "target"]
        assert pytest.approx(target.tolist(), abs=1e-6) == met.tolist()
    ratio = pd.Series(weights / start).groupby([table["a"], table["b"]])
    assert (ratio.max() / ratio.min() - 1 < 1e-9).all()


def test_a_weight_of_two_counts_as_two_respondents():
    """Raking weights equals raking repeated rows."""
    people = pd.DataFrame({"a": list("xxyz"), "b": list("mnmn")})
    margins = make_margins(a={"x": 3, "y": 2, "z": 5}, b={"m": 4, "n": 6})
    weighted = rake(people, margins, weights=np.array([2.0, 1, 1, 1]))
    repeated = rake(people.loc[[0, 0, 1, 2, 3]], margins)
    assert pytest.approx(weighted.tolist(), abs=1e-6) == [repeated[:2].sum(), *repeated[2:]]


PEOPLE = pd.DataFrame({"a": ["x", "x", "y"], "b": ["m", "n", "n"]})


@pytest.mark.parametrize(
    ("margins", "weights", "message"),
    [
        (make_margins(a={"x": 1, "y": 1, "z": 1}), None, "'z' has a target but no respondents"),
        (make_margins(a={"x": 1, "y": 0}), None, "'y' has respondents but the target 0"),
        (make_margins(a={"x": 1}), None, "Respondents with 'y' have no target"),
        (make_margins(a={"x": 1, "y": -1}), None, "A target is -1"),
        (make_margins(a={"x": 0, "y": 0}), None, "A target is 0 for all levels"),
        (pd.concat([make_margins(a={"x": 1, "y": 1})] * 2), None, "'x' has two targets"),
        (make_margins(c={"x": 1}), None, "Column 'c' is missing"),
        (make_margins(a={"x": 1, "y": 1}), [1, 0, 1], "weight to start from must be above 0: 1"),
        (make_margins(a={"x": 1, "y": 1}), [1, -2, 1], "weight to start from must be above 0: 1"),
        (
            make_margins(a={"x": 1, "y": 1}, b={"m": 5, "n": 5}),
            None,
            "sum to 10, those of 'a' to 2",
        ),
        # who is y is n, so n cannot be rarer than y
        (make_margins(a={"x": 0.1, "y": 0.9}, b={"m": 0.9, "n": 0.1}), None, "cannot be met"),
    ],
)
def test_what_cannot_be_raked_is_refused(margins, weights, message):
    """Every impossible request is told with its level or number."""
    with pytest.raises(InputError, match=message):
        rake(PEOPLE, margins, weights=None if weights is None else np.array(weights, dtype=float))


def test_trimming_binds():
    """At most twice the average adjustment: what is cut off goes to the others."""
    people = pd.DataFrame({"a": ["x"] * 9 + ["y"]})
    weights = rake(people, make_margins(a={"x": 50, "y": 50}), most=2.0)
    assert weights[-1] == pytest.approx(20)
    assert weights[0] == pytest.approx(80 / 9)
