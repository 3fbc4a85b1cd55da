"""Sentences on gaps say what the table says, and admit what it does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.gaps.estimates.wording import (
    describe_clear_gaps,
    describe_flagged,
    describe_gap_groups,
    describe_gaps,
    describe_ranking,
    describe_trust,
    describe_views,
)


def _row(name: str, gap: float, half: float, chance: float, **others: object) -> dict:
    return {
        **{"level": "item", "name": name, "text": None, "n": 1200, "gap": gap},
        **{"conf_low": gap - half, "conf_high": gap + half, "p_lowest": chance, "n_tests": 3},
        **{"q_value": 0.001 if abs(gap) > half else 0.6, "scale_min": 1.0, "scale_max": 7.0},
        **{"std_error": half / 1.96, **others},
    }


def _agreed(name: str, gap: float, chance: float, **others: object) -> dict:
    nothing = {"std_error": 0.0, "q_value": np.nan}
    return _row(name, gap, np.nan, chance, **(nothing | {"n": 30} | others))


def test_clear_shortfall_is_named_with_size_and_interval():
    """A rank that is sure is said without hedging."""
    gaps = pd.DataFrame([_row("a", -1.5, 0.1, 0.97), _row("b", -1.0, 0.1, 0.03)])
    assert describe_gaps(gaps) == (
        "Perception falls most short on 'a': -1.50 points on the scale 1 to 7 "
        "(95% interval -1.60 to -1.40, 1,200 respondents)."
    )
    assert "90% interval" in describe_gaps(gaps, conf_level=0.9)


def test_rank_below_80_percent_is_undecided():
    """The largest gap measured is not called the largest unless that is 80 % sure."""
    gaps = pd.DataFrame(
        [_row("a", -1.5, 0.4, 0.6), _row("b", -1.4, 0.4, 0.38), _row("c", -0.5, 0.4, 0.02)]
    )
    told = describe_gaps(gaps)
    assert "The largest shortfall measured is on 'a'" in told
    assert "undecided (chance of being it: 'a', 60%; 'b', 38%)" in told


def test_no_clear_shortfall_is_said_so():
    """An interval that holds zero, and gaps above zero, are no shortfalls."""
    for gap, half in ((-0.1, 0.4), (0.3, 0.1)):
        told = describe_gaps(pd.DataFrame([_row("a", gap, half, np.nan)]))
        assert told.startswith("No shortfall was shown on any item; the lowest is 'a': ")


def test_shortfall_lost_to_the_correction_is_said_so():
    """An interval below zero beside 'no shortfall' needs the reason."""
    gaps = pd.DataFrame([_row("a", -0.3, 0.29, 0.9, q_value=0.12), _row("b", 0.1, 0.3, 0.1)])
    assert describe_gaps(gaps).startswith(
        "No shortfall was shown on any item, corrected for 3 comparisons; the lowest is 'a': -0.30"
    )


def test_clear_shortfall_leads_although_an_uncertain_one_is_lower():
    """Twelve respondents at -0.60 do not hide three hundred at -0.54."""
    gaps = pd.DataFrame([_row("i0", -0.6, 0.93, 0.55, n=12), _row("i1", -0.54, 0.1, 0.45, n=300)])
    assert describe_gaps(gaps) == (
        "The largest clear shortfall is on 'i1': -0.54 points on the scale 1 to 7 "
        "(95% interval -0.64 to -0.44, 300 respondents). "
        "The lowest measured is 'i0': -0.60 points on the scale 1 to 7 "
        "(95% interval -1.53 to +0.33, 12 respondents), but that is uncertain. "
        "Which item falls most short is undecided (chance of being it: 'i0', 55%; 'i1', 45%)."
    )


def test_single_answer_below_is_not_passed_over():
    """A row without any spread to judge by still stops 'most short'."""
    alone = _row("a", -4.0, np.nan, np.nan, n=1, std_error=np.nan, q_value=np.nan)
    told = describe_gaps(pd.DataFrame([alone, _row("b", -1.0, 0.1, np.nan)]))
    assert told.startswith("The largest clear shortfall is on 'b': -1.00")
    assert told.endswith(
        "The lowest measured is 'a': -4.00 points on the scale 1 to 7 "
        "(no interval, 1 respondent), but that is uncertain."
    )


def test_rank_taken_by_rows_not_shown_is_undecided():
    """Chances may belong to rows left out for their size; then none is listed."""
    gaps = pd.DataFrame([_row("a", -1.5, 0.1, 0.01), _row("b", -1.0, 0.1, 0.0)])
    assert describe_gaps(gaps).endswith("Which item falls most short is undecided.")


def test_unanimous_shortfall_is_named():
    """Thirty of thirty at -3 leave nothing to test and are the finding all the same."""
    gaps = pd.DataFrame([_agreed("a", -3.0, 1.0), _row("b", -1.0, 0.1, 0.0)])
    assert describe_gaps(gaps) == (
        "Perception falls most short on 'a': -3.00 points on the scale 1 to 7 "
        "(all 30 respondents agree)."
    )
    assert describe_clear_gaps(gaps) == (
        "By item, 1 of 2 clearly fall short and 0 clearly exceed expectation (corrected for "
        "the 3 comparisons of all levels, false discovery rate 5%). Not tested, because "
        "all agree: 'a' -3.00."
    )


def test_too_few_answers_are_said_so():
    """Without any interval nothing is claimed."""
    gaps = pd.DataFrame([_row("a", -1.0, np.nan, np.nan, n=1, std_error=np.nan)])
    assert describe_gaps(gaps) == "Too few answers to tell any gap by item with an interval."
    assert "Too few answers" in describe_gaps(gaps, level="dimension")
    assert describe_clear_gaps(gaps, level="dimension") == (
        "Too few answers to tell any gap by dimension."
    )


def test_total_and_wording_of_items():
    """The total is told as a whole; an item is called by its wording, a long one is cut."""
    total = _row("total", -0.5, 0.1, np.nan, level="total", scale_min=np.nan)
    assert describe_gaps(pd.DataFrame([total]), level="total") == (
        "Over everything asked, perception minus expectation is -0.50 points "
        "(95% interval -0.60 to -0.40, 1,200 respondents)."
    )
    long = pd.DataFrame([_row("a", -1.5, 0.1, 0.97, text="word " * 40)])
    assert "wo...': -1.50" in describe_gaps(long)


def test_clear_rows_are_counted_with_the_number_of_tests():
    """Short, above and tested are counted apart."""
    gaps = pd.DataFrame(
        [_row("a", -1.5, 0.1, 0.9), _row("b", 0.5, 0.1, 0.0), _row("c", 0.1, 0.3, 0.1)]
    )
    assert describe_clear_gaps(gaps) == (
        "By item, 1 of 3 clearly fall short and 1 clearly exceed expectation "
        "(corrected for the 3 comparisons of all levels, false discovery rate 5%)."
    )
    # two rows on the page, three in the family
    assert "3 comparisons" in describe_clear_gaps(gaps.head(2))


def _group(name: str, n: int, difference: float, q_value: float) -> dict:
    return {
        **{"level": "total", "name": "total", "text": None, "group": name, "n": n, "n_tests": 3},
        "difference": difference,
        **{"difference_low": difference - 0.1, "difference_high": difference + 0.1},
        "q_value": q_value,
    }


def test_groups_that_differ_are_named_and_small_ones_are_not():
    """A group under the smallest cell never appears by name."""
    groups = pd.DataFrame(
        [_group("north", 90, -0.4, 0.01), _group("south", 80, 0.1, 0.4), _group("x", 3, 2.0, 0.01)]
    )
    told = describe_gap_groups(groups, min_cell=10)
    assert told == (
        "The total gap differs from that of all others (corrected for 3 comparisons of all levels, "
        "false discovery rate 5%): north -0.40 points (-0.50 to -0.30; 90 respondents). "
        "Groups with fewer than 10 respondents: 1, not shown."
    )
    none = describe_gap_groups(groups.iloc[1:], min_cell=10)
    assert none.startswith("No group's total gap differs clearly")
    assert describe_gap_groups(groups, min_cell=100).startswith("Too few respondents")
    assert describe_gap_groups(groups.iloc[[0]], min_cell=10).startswith("All respondents are in")


def test_many_differing_rows_are_cut_to_the_largest():
    """Of six clear dimensions the five farthest are named."""
    rows = [
        _group("north", 90, -0.1 * i, 0.01) | {"level": "dimension", "name": f"d{i}"}
        for i in range(1, 7)
    ]
    rows.append(_group("south", 90, 0.0, 0.9) | {"level": "dimension", "name": "d1"})
    told = describe_gap_groups(pd.DataFrame(rows), min_cell=10, level="dimension")
    assert told.startswith("The gap by dimension differs from that of all others")
    assert "The largest of 6: north, 'd6' -0.60 points" in told
    assert "'d1'" not in told


def _views(agreement: str, **others: object) -> dict:
    row = {"level": "item", "name": "a", "text": None, "gap": -0.2, "q_value": 0.01}
    row |= {"rank_effect": 0.3, "rank_q_value": 0.0001, "agreement": agreement}
    return row | {"top_gap": 0.12, "top_low": 0.1, "top_high": 0.14} | others


def test_views_that_agree_and_differ_are_told():
    """One sentence when all agree; else the numbers of those that do not."""
    agree = [_views("agree"), _views("agree")]
    assert describe_views(pd.DataFrame(agree)) == (
        "Treating answers as numbers does no harm on all 2 items: the signed-rank test, which asks "
        "for their order only, says the same."
    )
    told = describe_views(pd.DataFrame([*agree, _views("differ in sign", name="b")]))
    assert told == (
        "By item, 1 of 3 results hang on treating answers as numbers; do not rest a decision on "
        "the mean alone there: 'b' differs in sign (mean -0.20, q 0.010; ranks +0.30, q < 0.001)."
    )
    assert describe_views(pd.DataFrame([_views("")])).startswith("Too few answers")


def test_top_answers_that_point_the_other_way_are_told():
    """Where experiences are spread differently, with the largest difference."""
    top = "differ at the top"
    rows = [_views("agree"), _views(top), _views(top, name="b", top_gap=0.2)]
    told = describe_views(pd.DataFrame(rows))
    assert told.startswith("Treating answers as numbers does no harm on all 3 items")
    assert told.endswith(
        "On 2 of 3 the share of top answers points the other way than the mean, for experiences "
        "are spread differently from expectations; most on 'b': mean -0.20, top answers +20 "
        "percentage points (+10 to +14)."
    )


TRUST = {
    **{"level": "total", "n_items": 16, "alpha_gap": 0.59, "alpha_low": 0.55, "alpha_high": 0.62},
    **{"alpha_expectation": 0.7, "alpha_perception": 0.8, "classical": 0.5},
    **{"classical_low": 0.45, "classical_high": 0.55, "correlation": 0.3},
    **{"correlation_low": 0.2, "correlation_high": 0.4, "expectation_share": -0.02},
    **{"share_low": -0.1, "share_high": 0.06},
}
TOTAL = pd.DataFrame({"level": ["total"], "ceiling_share": [0.104]})


def test_trust_depends_on_reliability():
    """A low alpha forbids ranking single respondents; no alpha is said plainly."""
    told = describe_trust(TOTAL, pd.DataFrame([TRUST]))
    assert told.startswith(
        "Reliability of the total gap is 0.59 (95% interval 0.55 to 0.62; 0.50 by the formula for "
        "differences), of expectations 0.70, of perceptions 0.80. Means over many"
    )
    assert "correlate +0.30 (+0.20 to +0.40); 0% (0% to 6%) of how respondents' gaps" in told
    assert told.endswith("10% of expectations are at the top of the scale.")
    unknown = TRUST | {"alpha_gap": np.nan, "correlation": np.nan}
    told = describe_trust(TOTAL.assign(ceiling_share=np.nan), pd.DataFrame([unknown]))
    assert told == "The reliability of the total gap cannot be told from these answers."


@pytest.mark.parametrize(
    ("low", "told"),
    [
        (0.69, "Means over many respondents stand; single respondents should not be ranked"),
        (0.70, "By its lower end that is enough for groups, not for single respondents."),
        (0.89, "By its lower end that is enough for groups, not for single respondents."),
        (0.90, "Even its lower end is enough to compare single respondents, with care."),
    ],
)
def test_lower_end_of_reliability_decides(low, told):
    """0.70 is the rule for groups, 0.90 for single respondents (Nunnally and Bernstein 1994)."""
    for lower, other in (("alpha_low", "classical_low"), ("classical_low", "alpha_low")):
        row = TRUST | {lower: low, other: 0.95}
        assert told in describe_trust(TOTAL, pd.DataFrame([row]))


def _ranking(
    share: float, rank: float, p_same: float, *, spread: float = 0.02, p_value: float = 0.001
) -> pd.DataFrame:
    row = {"level": "item", "n_names": 16, "expectation_share": share, "p_same": p_same}
    row |= {"p_value": p_value}
    row |= {"conf_low": share - spread, "conf_high": share + spread, "rank_correlation": rank}
    row |= {"rank_low": rank - spread, "rank_high": min(rank + spread, 1)}
    return pd.DataFrame([row])


def test_gap_ranking_that_is_the_perception_ranking_is_called_so():
    """Sure, undecided, and something else."""
    told = describe_ranking(_ranking(0.04, 0.98, 0.93))
    assert told == (
        "This gap ranking is the perception ranking: 4% of how the gaps of 16 items differ is owed "
        "to expectations (2% to 6%), and the order of gaps and the order of perceptions correlate "
        "+0.98 (+0.96 to +1.00)."
    )
    assert "is undecided: 9%" in describe_ranking(_ranking(0.09, 0.95, 0.6))
    told = describe_ranking(_ranking(1.06, 0.1, 0.0))
    assert told.startswith("The gap ranking says something else than the perception ranking: 100%")
    assert describe_ranking(_ranking(-0.2, 0.8, 0.0)).startswith(
        "Expectations hardly shape the gap ranking, yet it is not that of perceptions: 0%"
    )
    assert describe_ranking(_ranking(0.04, 0.98, 0.93), level="stage") == ""


def test_noise_does_not_make_the_gap_ranking_another():
    """Draws of noise are hardly ever alike; intervals from end to end show no difference."""
    told = describe_ranking(_ranking(0.44, 0.52, 0.05, spread=0.45))
    assert told.startswith("Whether the gap ranking is more than the perception ranking is undec")
    assert "44% of how" in told
    assert "(0% to 89%)" in told
    alike = _ranking(0.44, 0.52, 0.05, p_value=0.3)  # sharp, but of expectations alike in truth
    assert "is undecided" in describe_ranking(alike)


def test_level_of_intervals_is_not_rounded():
    """An interval of 99.9 % is not one of 100 %, nor a rate of 0.1 % none."""
    gaps = pd.DataFrame([_row("a", -1.5, 0.1, 0.97)])
    assert "(99.9% interval" in describe_gaps(gaps, conf_level=0.999)
    assert "false discovery rate 0.1%" in describe_clear_gaps(gaps, conf_level=0.999)


def _change(**others: object) -> dict:
    row = {"level": "total", "n": 200, "n_flagged": 10, "gap": -0.5, "gap_without": -0.6}
    row |= {"change": -0.1, "change_low": -0.15, "change_high": -0.05, "q_value": 0.01}
    return row | {"n_tests": 2} | others


def test_change_without_flagged_is_told():
    """How many are flagged, what the total becomes, how many gaps change or turn."""
    item = _change(level="item", gap=0.1, gap_without=-0.1, q_value=0.2)
    assert describe_flagged(pd.DataFrame([item, _change()])) == (
        "Without the 10 flagged of 200 respondents the total gap is -0.60 points instead of -0.50, "
        "a change of -0.10 (-0.15 to -0.05). Over all levels, 1 of 2 gaps change clearly, 1 change "
        "sign."
    )
    assert describe_flagged(pd.DataFrame([_change(n_flagged=0)])) == (
        "None of the 200 respondents with a gap is flagged."
    )
    nobody = _change(n_flagged=200, gap_without=np.nan)
    assert "All 200 respondents" in describe_flagged(pd.DataFrame([nobody]))
