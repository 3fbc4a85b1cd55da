"""Sentences follow from the tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.gaps.levels import pair_ratings
from cxlib.gaps.ratings import select_answers
from cxlib.gaps.scales.cfa import fit_factors
from cxlib.gaps.scales.differences import common_share, gap_reliability
from cxlib.gaps.scales.invariance import fit_invariance
from cxlib.gaps.scales.reliability import summarise_scales
from cxlib.gaps.scales.wording import (
    describe_common_share,
    describe_factors,
    describe_gap_reliability,
    describe_invariance,
    describe_scales,
)
from tests.gaps.kiosk import read_kiosk
from tests.gaps.scales.surveys import ABILITIES, PUPILS, TESTS, draw_answers


def test_scales_of_the_kiosk(shared_data):
    """How many dimensions are reliable, which is least and why."""
    scales = summarise_scales(read_kiosk(shared_data))
    told = describe_scales(scales)
    assert "3 of 6; not reliable enough: 0; undecided: 3." in told
    assert "Lowest is 'reliability': alpha 0.64 (95% interval 0.55 to 0.72), 194 resp" in told
    assert "Too few items or answers" in describe_scales(scales, role="belief")


def test_gap_of_the_kiosk(shared_data):
    """Both readings, both sides, and what they allow."""
    told = describe_gap_reliability(gap_reliability(pair_ratings(read_kiosk(shared_data))))
    assert "reliability of 0.84 (95% interval 0.80 to 0.87), 194 respondents" in told
    assert "upper reading, is 0.89" in told
    assert told.endswith("Good enough to compare groups, not to rank single customers.")


def test_common_share_names_both_readings():
    """A share cannot tell habit from opinion."""
    told = describe_common_share(common_share(TESTS))
    assert "36% of the variance of all 9 items (95% interval 31% to 40%, 301 resp" in told
    assert "cannot tell apart" in told


def test_factors_that_fit_and_are_distinct():
    """Fit first, then distinctness."""
    told = describe_factors(fit_factors(TESTS, ABILITIES))
    assert told.startswith("The answers fit the dimensions (CFI 0.93, RMSEA 0.092 [0.067, 0.118]")
    assert "No two of the dimensions are the same" in told


def test_factors_that_do_not_fit():
    """Items shuffled over dimensions fit no more, and their dimensions are one."""
    values, _ = draw_answers(800, {"a": [0.8] * 3, "b": [0.8] * 3, "c": [0.8] * 3}, r=0.1)
    told = describe_factors(fit_factors(values, pd.Series([*"pqrpqrpqr"], index=values.columns)))
    assert told.startswith("The answers do not fit the dimensions")
    assert "Not distinct, correlation above 0.9: 3 of 3 pairs" in told
    three = describe_factors(
        fit_factors(values.iloc[:, :3], pd.Series("a", index=["a1", "a2", "a3"]))
    )
    assert three.startswith("Three items always fit one dimension")


def test_invariance_of_the_schools():
    """One sentence per verdict, the items freed named, how sure."""
    told = describe_invariance(fit_invariance(TESTS, PUPILS["school"], ABILITIES))
    assert told.startswith(
        "Groups may be compared on means, but not on the items named: 'all dimensions' (without "
        "x3, x7, 2 groups, 301 respondents, 84% sure); 'speed' (without x7"
    )
    assert "Groups may be compared in what goes with what, not in their means: 'visual'" in told
    assert "'textual' (2 groups, 301 respondents, 39% sure that a step" in told
    assert "item by item" in told


def test_invariance_that_cannot_be_tested():
    """The reason is told, and who was left out."""
    values, dimensions = draw_answers(200, {"a": [0.7] * 3})
    groups = pd.Series(np.where(np.arange(200) < 170, "x", "y"))
    told = describe_invariance(fit_invariance(values, groups, dimensions))
    assert told.startswith(
        "Whether groups may be compared cannot be tested: 'a'. There are not two groups to "
        "compare. y: 30 answered all 3 items; 50 are needed."
    )
    assert "left out in some of 1 scales, with the reason in the table: 'y' in 1." in told


def gap_reading(**numbers: float) -> pd.DataFrame:
    """Make the row of all items, reliable at .75 unless said otherwise."""
    usual = {"alpha_expectation": 0.8, "alpha_perception": 0.8, "correlation": 0.3, "n": 100}
    usual |= {"reliability": 0.75, "conf_low": 0.71, "conf_high": 0.79}
    usual |= {"alpha_gap": 0.75, "alpha_low": 0.71, "alpha_high": 0.79}
    return pd.DataFrame([{"level": "total", "name": "total", **usual, **numbers}])


def test_the_use_of_a_gap_rests_on_its_interval():
    """An estimate of .75 that may be .55 is no licence to compare groups."""
    assert describe_gap_reliability(gap_reading()).endswith("not to rank single customers.")
    wide = gap_reading(conf_low=0.55, alpha_low=0.55)
    assert "is undecided; single customers are not" in describe_gap_reliability(wide)
    low = gap_reading(reliability=0.2, conf_low=0.1, conf_high=0.3, alpha_gap=0.3, alpha_high=0.4)
    assert "single customers not ranked by it" in describe_gap_reliability(low)


def test_unknown_numbers_are_not_printed():
    """No 'nan' and no 'None' where too few gave all answers, or nothing varies but one item."""
    told = describe_gap_reliability(gap_reading(conf_low=np.nan, conf_high=np.nan))
    assert "0.75 (no interval: too few gave all answers)" in told
    values = pd.DataFrame({"a": [1.0, 2, 3, 4] * 5, "b": 5.0})
    answers = values.stack().rename("value").rename_axis(["respondent_id", "item"]).reset_index()
    scales = summarise_scales(select_answers(answers.assign(role="perception")))
    told = describe_scales(scales)
    assert "nan" not in told
    assert "None" not in told
