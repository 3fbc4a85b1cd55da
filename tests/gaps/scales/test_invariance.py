"""The ladder equals published values, and verdicts follow what was planted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError
from cxlib.gaps.scales.invariance import TOGETHER, fit_invariance, stack_groups
from tests.gaps.scales.surveys import ABILITIES, PUPILS, TESTS, draw_answers

LOADINGS = {"a": [0.8, 0.7, 0.7, 0.6], "b": [0.7, 0.8, 0.6, 0.7]}


@pytest.fixture(scope="module")
def schools():
    """Return what is found of the two schools."""
    return fit_invariance(TESTS, PUPILS["school"], ABILITIES, conf_level=0.90)


def rungs(result, name=TOGETHER):
    """Return the ladder of one scale by model."""
    return result.ladder[result.ladder["name"].eq(name)].set_index("model")


def test_ladder_equals_published_values(schools):
    """Published 115.851 (48), 124.044 (54), 164.103 (60); the rest R, reference/scales.R."""
    ladder = rungs(schools)
    expected = {
        "configural": (115.8513439, 48, 0.9233984, 0.8850976, 0.0969149, 0.0745053, 0.1195828),
        "metric": (124.0435442, 54, 0.9209235, 0.8945646, 0.0928365, 0.0713961, 0.1144111),
        "scalar": (164.1028309, 60, 0.8824718, 0.8589662, 0.1073711, 0.0879039, 0.1271944),
        "partial scalar": (129.4224803, 58, 0.9193667, 0.8999035, 0.0904555, 0.0695747, 0.1113989),
    }
    columns = ["chi2", "df", "cfi", "tli", "rmsea", "conf_low", "conf_high"]
    for model, numbers in expected.items():
        assert list(ladder.loc[model, columns]) == pytest.approx(numbers, abs=2e-7), model
    srmr = [0.0743414, 0.0784904, 0.0795467, 0.0786556]
    assert list(ladder["srmr"]) == pytest.approx(srmr, abs=2e-6)
    changes = ladder.loc["scalar", ["chi2_change", "df_change", "cfi_change", "rmsea_change"]]
    assert list(changes) == pytest.approx([40.0592867, 6, -0.0384517, 0.0145346], abs=1e-6)


def test_score_tests_equal_lavaan(schools):
    """R: lavTestScore of the scalar model; x3 first, then x7, as the literature frees them."""
    steps = schools.intercepts[schools.intercepts["name"].eq(TOGETHER)]
    first = steps[steps["step"].eq(1)].set_index("item")["statistic"]
    lavaan = [5.847, 6.863, 19.193, 2.139, 1.563, 0.032, 15.021, 4.710, 1.498]
    assert list(first[TESTS.columns]) == pytest.approx(lavaan, abs=6e-4)
    freed = steps[steps["is_freed"]]
    assert list(freed["item"]) == ["x3", "x7"]
    # dimensions of three keep two equal intercepts, so step 2 tests six items
    assert list(freed["n_tests"]) == [9, 6]
    assert list(freed["p_adjusted"]) == pytest.approx(list(freed["p_value"] * freed["n_tests"]))
    assert freed["chi2_change"].sum() == pytest.approx(164.1028309 - 129.4224803, abs=1e-6)


def test_means_equal_lavaan(schools):
    """R: factor means of the second school in the partial model, first school's deviations."""
    means = schools.means[schools.means["name"].eq(TOGETHER)].set_index("dimension")
    assert means["group"].eq("Grant-White").all()
    found = means.loc[["visual", "textual", "speed"], ["estimate", "std_error"]].to_numpy()
    expected = [[0.0569652, 0.1451698], [0.6146163, 0.1294361], [-0.1295082, 0.1616383]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_verdict_of_the_schools(schools):
    """Scalar fails, two intercepts freed mend it; how sure is the weakest rung."""
    row = schools.verdicts.set_index("name").loc[TOGETHER]
    assert (row["verdict"], row["freed"], row["n"], row["n_groups"]) == (
        "partial",
        "x3, x7",
        301,
        2,
    )
    held = rungs(schools).query("result == 'holds'")["p_holds"]
    assert row["certainty"] == pytest.approx(held.min())
    assert rungs(schools).loc["scalar", "result"] == "fails"


def two_groups(n: int = 1200, *, seed: int = 0):
    """Draw two groups that answer alike."""
    values, dimensions = draw_answers(2 * n, LOADINGS, seed=seed)
    return values, pd.Series(np.repeat(["north", "south"], n)), dimensions


def test_equal_groups_may_be_compared_on_means():
    """Groups that differ in the dimension alone: the difference is found, the items are equal."""
    values, groups, dimensions = two_groups()
    south = groups.eq("south").to_numpy()
    for item, loading in zip(["a1", "a2", "a3", "a4"], LOADINGS["a"], strict=True):
        values.loc[south, item] += 0.5 * loading
    result = fit_invariance(values, groups, dimensions)
    verdicts = result.verdicts.set_index("name")
    assert verdicts.loc[TOGETHER, "verdict"] == "means"
    assert verdicts["certainty"].ge(0.8).all()
    means = result.means[result.means["name"].eq(TOGETHER)].set_index("dimension")
    assert means.loc["a", "conf_low"] < 0.5 < means.loc["a", "conf_high"]
    assert means.loc["b", "conf_low"] < 0 < means.loc["b", "conf_high"]


def test_item_answered_higher_is_freed():
    """One intercept half a point higher in one group: means on the other items only."""
    values, groups, dimensions = two_groups(seed=1)
    values.loc[groups.eq("south").to_numpy(), "b2"] += 0.6
    verdicts = fit_invariance(values, groups, dimensions).verdicts.set_index("name")
    assert list(verdicts.loc[[TOGETHER, "b"], "verdict"]) == ["partial", "partial"]
    assert list(verdicts.loc[[TOGETHER, "b"], "freed"]) == ["b2", "b2"]
    assert verdicts.loc["a", "verdict"] == "means"


def test_many_shifted_items_leave_relations_only():
    """Intercepts that differ up and down cannot be mended."""
    values, groups, dimensions = two_groups(seed=2)
    south = groups.eq("south").to_numpy()
    for item, shift in (("a1", 0.7), ("a2", -0.7), ("a3", 1.4)):
        values.loc[south, item] += shift
    result = fit_invariance(values, groups, dimensions)
    row = result.verdicts.set_index("name").loc["a"]
    assert row["verdict"] == "relations"
    assert row["certainty"] >= 0.8
    assert not len(result.means[result.means["name"].eq("a")])


def test_different_loadings_leave_nothing():
    """An item that measures the dimension in one group only: neither relations nor means."""
    values, groups, dimensions = two_groups(seed=3)
    south = groups.eq("south").to_numpy()
    values.loc[south, "a1"] = np.random.default_rng(5).standard_normal(south.sum())
    verdicts = fit_invariance(values, groups, dimensions).verdicts.set_index("name")
    assert verdicts.loc["a", "verdict"] == "none"
    assert verdicts.loc["b", "verdict"] == "means"


def test_trifle_in_a_large_survey_does_not_forbid_means():
    """A difference of .03 is significant among 80,000 and holds all the same."""
    values, groups, dimensions = two_groups(40_000, seed=4)
    values.loc[groups.eq("south").to_numpy(), "a1"] += 0.03
    result = fit_invariance(values, groups, dimensions)
    row = rungs(result).loc["scalar"]
    assert row["p_change"] < 0.01
    assert row["result"] == "holds"


def test_small_survey_does_not_prove_equality():
    """Sixty a group see no difference, and that is not shown to be none."""
    values, groups, dimensions = two_groups(60, seed=5)
    result = fit_invariance(values, groups, dimensions)
    open_ = result.ladder[result.ladder["result"].eq("undecided")]
    assert len(open_)
    assert open_["p_change"].gt(0.05).any()
    assert "undecided" in set(result.verdicts["verdict"])


def test_q_values_count_every_comparison(schools):
    """One family: every change of every scale."""
    p = schools.ladder["p_change"]
    assert p.notna().sum() == 8 + 2  # three scales and all together, two changes each, two partial
    assert schools.ladder["q_change"].ge(p).where(p.notna(), other=True).all()


def test_group_whose_items_do_not_go_together_is_left_out():
    """Equal loadings of nothing always hold; such a group is not called comparable."""
    values, groups, dimensions = two_groups(300)
    noise = np.random.default_rng(6).standard_normal((300, 8))
    values = pd.concat([values, pd.DataFrame(noise, columns=values.columns)], ignore_index=True)
    groups = pd.concat([groups, pd.Series(["staff"] * 300)], ignore_index=True)
    found = fit_invariance(values, groups, dimensions).groups.set_index(["name", "group"])
    for name in ("a", "b"):
        assert not found.loc[(name, "staff"), "is_used"]
        assert "No sign that the items" in found.loc[(name, "staff"), "reason"]
    alone = groups.isin(["north", "staff"]).to_numpy()
    result = fit_invariance(values[alone], groups[alone], dimensions)
    assert set(result.verdicts["verdict"]) == {"untested"}
    assert not len(result.ladder)
    assert "chi2" in result.ladder.columns


def test_small_and_unknown_groups_are_listed():
    """Nothing is left out without a reason."""
    values, groups, dimensions = two_groups(200)
    groups[:20] = "east"
    groups[20:40] = None
    values.iloc[50, 0] = np.nan
    found = fit_invariance(values, groups, dimensions).groups.set_index(["name", "group"])
    assert found.loc[("a", "east"), "reason"] == "20 answered all 4 items; 50 are needed."
    assert "not known" in found.loc[("a", "(unknown)"), "reason"]
    assert list(found.loc[("a", "north"), ["n", "n_incomplete"]]) == [159, 1]


def test_one_group_is_a_verdict():
    """Nothing to compare is a result, not an error."""
    values, groups, dimensions = two_groups(100)
    result = fit_invariance(values, groups.mask(groups.notna(), "all"), dimensions)
    assert set(result.verdicts["verdict"]) == {"untested"}
    assert "There are not two groups" in result.verdicts["reason"].iloc[0]


def test_short_dimensions_are_tested_together_only():
    """Two items make no model of their own."""
    values, dimensions = draw_answers(900, {"a": [0.7, 0.8], "b": [0.8, 0.7, 0.7]})
    groups = pd.Series(np.tile(["x", "y", "z"], 300))
    result = fit_invariance(values, groups, dimensions)
    assert list(result.verdicts["name"]) == [TOGETHER, "b"]
    assert any("for want of items: 'a'" in note for note in result.notes)


def test_groups_must_match_the_answers():
    """The message says what was given."""
    with pytest.raises(InputError, match="2 groups were given for 301 respondents"):
        fit_invariance(TESTS, pd.Series(["a", "b"]), ABILITIES)


def test_sources_are_stacked_by_item():
    """Customers' perceptions and employees' beliefs, on the items both were asked."""
    customers, staff = TESTS.head(3), TESTS.tail(2).drop(columns="x4")[::-1]
    values, groups = stack_groups({"customers": customers, "employees": staff})
    assert list(groups) == ["customers"] * 3 + ["employees"] * 2
    assert list(values.columns) == [name for name in TESTS.columns if name != "x4"]
    assert list(values["x1"]) == [*customers["x1"], *staff["x1"]]
    with pytest.raises(InputError, match="2 items were answered by all groups"):
        stack_groups({"customers": customers[["x1", "x2"]], "employees": staff})
