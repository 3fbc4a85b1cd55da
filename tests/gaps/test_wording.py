"""Sentences say what the table says, and admit what it does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.gaps import (
    describe_clear_gaps,
    describe_gap_groups,
    describe_gaps,
    describe_links,
    describe_response,
    describe_scores,
    describe_trust,
    list_score_figures,
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
        "By item, 1 of 2 clearly fall short and 0 clearly exceed expectation (3 comparisons, "
        "false discovery rate 5%). Not tested, because all agree: 'a' -3.00."
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
        "(3 comparisons, false discovery rate 5%)."
    )
    # two rows on the page, three in the family
    assert "(3 comparisons" in describe_clear_gaps(gaps.head(2))


def _group(name: str, n: int, difference: float, q_value: float) -> dict:
    return {
        **{"level": "total", "group": name, "n": n, "difference": difference, "n_tests": 3},
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
        "The total gap differs from that of all others (3 comparisons, false discovery rate 5%): "
        "north -0.40 points (-0.50 to -0.30). Groups with fewer than 10 respondents: 1, not shown."
    )
    none = describe_gap_groups(groups.iloc[1:], min_cell=10)
    assert none.startswith("No group's total gap differs clearly")
    assert describe_gap_groups(groups, min_cell=100).startswith("Too few respondents")
    assert describe_gap_groups(groups.iloc[[0]], min_cell=10).startswith("All respondents are in")


SCORES = pd.DataFrame(
    {
        "metric": ["nps", "csat", "ces", "response_rate", "nps"],
        "item": ["rec", "sat", "ease", "", "rec"],
        "group": ["all", "all", "all", "all", "north"],
        "n": [1000, 1000, 1, 2500, 10],
        "score": [12.3, 68.4, 5.25, 40.0, 50.0],
        "conf_low": [8.0, 65.0, np.nan, 38.0, 1.0],
        "conf_high": [16.6, 71.0, np.nan, 42.0, 90.0],
        "unit": ["points", "percent", "scale points", "percent", "points"],
    }
)


def test_scores_are_told_with_their_intervals():
    """Each overall score in its own unit; groups and the response rate are told elsewhere."""
    assert describe_scores(SCORES) == (
        "NPS (rec) is +12 (95% interval +8 to +17; 1,000 answers). "
        "CSAT (sat) is 68% (95% interval 65% to 71%; 1,000 answers). "
        "CES (ease) is 5.25 (no interval; 1 answers)."
    )
    assert "set `metric`" in describe_scores(SCORES.iloc[:0])


def test_share_that_answered_is_told_or_admitted_unknown():
    """What is known of those who kept silent is never left out."""
    assert describe_response(SCORES).startswith("40% of 2,500 invited answered; intervals say")
    assert describe_response(SCORES.iloc[:3]).startswith("It is not known how many were invited")


def test_percentages_become_shares_in_key_figures():
    """One figure per metric, ready to be recorded."""
    figures = list_score_figures(SCORES)
    assert [figure["id"] for figure in figures] == ["nps", "csat", "ces", "response_rate"]
    assert [figure["unit"] for figure in figures] == ["points", "share", "points", "share"]
    assert figures[3]["label"] == "Response rate"
    assert figures[1]["label"] == "CSAT (sat)"
    assert [figures[3][key] for key in ("value", "conf_low", "conf_high")] == pytest.approx(
        [0.40, 0.38, 0.42]
    )


def test_trust_depends_on_reliability():
    """A low alpha forbids ranking single respondents; no alpha is said plainly."""
    total = {"level": "total", "n_items": 16, "reliability": 0.59, "ceiling_share": 0.104}
    total |= {"reliability_low": 0.55, "reliability_high": 0.62}
    told = describe_trust(pd.DataFrame([total]))
    assert "16 item gaps) is 0.59 (95% interval 0.55 to 0.62)" in told
    assert "single respondents should not be ranked by it" in told
    assert told.endswith("10% of expectations are at the top of the scale.")
    unknown = total | {"reliability": np.nan, "ceiling_share": np.nan}
    assert describe_trust(pd.DataFrame([unknown])).endswith("cannot be told from these answers.")


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
    total = {"level": "total", "n_items": 16, "reliability": 0.92, "ceiling_share": 0.1}
    total |= {"reliability_low": low, "reliability_high": 0.95}
    assert told in describe_trust(pd.DataFrame([total]))


@pytest.mark.parametrize("known", [True, False])
def test_links_are_a_description(known):
    """Both correlations side by side, or a plain refusal."""
    links = pd.DataFrame(
        {
            "name": ["perception", "gap", "expectation"],
            "n": 194,
            "correlation": [0.6047, 0.4889, 0.1491] if known else np.nan,
            "conf_low": 0.1,
            "conf_high": 0.7,
        }
    )
    told = describe_links(links, outcome="rec")
    if known:
        assert "perception by +0.60 (95% interval +0.10 to +0.70) and with the gap by +0.49" in told
        assert "does not show what drives" in told
    else:
        assert "Too few answers to tell how 'rec' goes together" in told
