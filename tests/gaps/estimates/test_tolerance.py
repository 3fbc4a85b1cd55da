"""The zone of tolerance: arithmetic, places, shares, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.estimates.tolerance import summarise_tolerance
from cxlib.gaps.ratings import select_answers
from cxlib.stats import wilson_interval
from tests.gaps.answers import make_items

ROLES = ("minimum", "desired", "perception")


def _answers(rows: str, **columns: object) -> pd.DataFrame:
    """Read lines of `respondent item minimum desired perception`; a dash is no answer."""
    answers = []
    for line in rows.strip().splitlines():
        respondent, item, *values = line.split()
        answers += [
            (respondent, item, role, float(value))
            for role, value in zip(ROLES, values, strict=True)
            if value != "-"
        ]
    names = ["respondent_id", "item", "role", "value"]
    return pd.DataFrame(answers, columns=names).assign(**columns)


def _zone(rows: str, items: pd.DataFrame | None = None) -> pd.DataFrame:
    items = make_items(item=["x"], scale_max=9.0) if items is None else items
    table = summarise_tolerance(select_answers(_answers(rows), items))
    return table.set_index(["level", "name"])


X = """
    a x 5 8 4
    b x 6 8 7
    c x 6 7 8
    d x 5 9 5
    e x 7 8 6
    f x - 8 6
"""


def test_adequacy_and_superiority_by_hand():
    """P - min: -1 1 2 0 -1; P - desired: -4 -1 1 -4 -2; f gave no minimum."""
    row = _zone(X).loc[("item", "x")]
    assert (row["n"], row["minimum"], row["desired"], row["perception"]) == (5, 5.8, 8.0, 6.0)
    assert row["adequacy"] == pytest.approx(0.2)
    assert row["superiority"] == pytest.approx(-2.0)
    for name, gap in (("adequacy", [-1, 1, 2, 0, -1]), ("superiority", [-4, -1, 1, -4, -2])):
        ends = stats.ttest_1samp(gap, 0).confidence_interval(0.95)
        assert tuple(row[[f"{name}_low", f"{name}_high"]]) == pytest.approx((ends.low, ends.high))
    assert tuple(row[["below_share", "inside_share", "above_share"]]) == (0.4, 0.4, 0.2)
    low, high = wilson_interval([0.4], [4])  # the t-like variance has n - 1 in it
    assert tuple(row[["below_low", "below_high"]]) == pytest.approx((low[0], high[0]))
    t = 0.2 / (np.std([-1, 1, 2, 0, -1], ddof=1) / np.sqrt(5))
    assert row["p_below"] == pytest.approx(stats.t.sf(t, 4))
    assert row["verdict"] == "undecided"
    assert row["n_tests"] == 4  # two gaps of the item, two of the total


@pytest.mark.parametrize(
    ("minimum", "desired", "perception", "adequacy", "superiority"),
    [(6.23, 7.93, 6.99, 0.76, -0.94), (6.60, 8.06, 7.28, 0.68, -0.78)],
)
def test_libqual_anchors(minimum, desired, perception, adequacy, superiority):
    """LibQUAL+ 2002, AS-3 and AS-7 (printed .69 from unrounded means): the same arithmetic."""
    spread = (-0.3, 0.0, 0.3)
    rows = "\n".join(
        f"r{i} x {minimum + a} {desired + b} {perception + c}"
        for i, (a, b, c) in enumerate((a, b, c) for a in spread for b in spread for c in spread)
    )
    row = _zone(rows).loc[("item", "x")]
    assert row["adequacy"] == pytest.approx(adequacy)
    assert row["superiority"] == pytest.approx(superiority)
    assert (row["verdict"], row["inside_share"]) == ("inside", 1.0)
    assert row["p_inside"] > 0.99


def test_places_are_named_when_sure():
    """Clearly under, within and over the zone; a mean on the border is undecided."""
    items = make_items(item=["low", "mid", "top", "edge"], scale_max=9.0)
    rows = [
        f"r{i} {item} 4 7 {place + i % 2}"
        for i in range(40)
        for item, place in (("low", 2), ("mid", 5), ("top", 8), ("edge", 3.5))
    ]
    table = _zone("\n".join(rows), items).loc["item"]
    assert table["verdict"].to_dict() == {
        "low": "below", "mid": "inside", "top": "above", "edge": "undecided",
    }  # fmt: skip
    assert table.loc["low", "below_share"] == 1.0
    assert table.loc["low", "below_low"] > 0.9


def test_inverted_zones_are_counted_and_in_no_share():
    """Who desires less than the minimum has no zone, but stays in the means."""
    row = _zone("a x 8 5 4\nb x 5 8 4\nc x 5 8 6\nd x 5 8 9").loc[("item", "x")]
    assert (row["n"], row["n_inverted"], row["minimum"]) == (4, 1, 5.75)
    shares = row[["below_share", "inside_share", "above_share"]].astype(float)
    assert list(shares) == pytest.approx([1 / 3] * 3)


def test_all_equal_is_placed_without_an_interval():
    """No spread: the place is plain, the test is not there."""
    row = _zone("a x 4 8 6\nb x 4 8 6\nc x 4 8 6").loc[("item", "x")]
    assert (row["verdict"], row["p_inside"], row["n_tests"]) == ("inside", 1.0, 0)
    assert np.isnan(row["adequacy_low"])


def test_different_scales_are_refused():
    """A minimum on 1 to 7 and a perception on 1 to 9 cannot be subtracted."""
    items = make_items(item=["x"] * 3, role=list(ROLES), scale_max=[7.0, 9.0, 9.0])
    with pytest.raises(InputError, match=r"1 to 7 as minimum and on 1 to 9 as perception"):
        _zone("a x 5 8 4\nb x 6 8 7", items)
    items = make_items(item=["x"] * 3, role=list(ROLES), scale_max=[9.0, 7.0, 9.0])
    with pytest.raises(InputError, match=r"1 to 7 as desired and on 1 to 9 as perception"):
        _zone("a x 5 7 4\nb x 6 7 7", items)


def test_missing_role_and_too_few_are_told():
    """All three roles are needed, of the same item, by two respondents."""
    with pytest.raises(InputError, match="No answer has the role 'desired'; a zone of tolerance"):
        _zone("a x 5 - 4\nb x 6 - 7")
    with pytest.raises(TooLittleData, match="the minimum and the perception"):
        _zone("a x 5 8 4\nb x - 8 7\nc x 6 - 5")


def test_time_of_asking_must_be_known():
    """What a role says needs no declaring; when it was asked does."""
    items = make_items(item=["x"], scale_max=9.0, expectation_type=None)
    assert len(_zone(X, items)) == 2
    with pytest.raises(InputError, match="when the minimum was asked"):
        _zone(X, items.assign(timing=None))


def test_shares_of_few_clusters_are_wide():
    """Nobody of three customers is below: that is no more than three answers, not sixty."""
    rows = "\n".join(f"r{i:02d} x 3 8 {5 + i % 2}" for i in range(60))
    answers = _answers(rows)
    customer = "c" + (answers["respondent_id"].str[1:].astype(int) % 3).astype(str)
    items = make_items(item=["x"], scale_max=9.0)
    row = summarise_tolerance(select_answers(answers.assign(customer_id=customer), items)).iloc[0]
    high = wilson_interval([0.0], [3.0])[1][0]
    assert row["below_share"] == 0
    assert row["below_high"] == pytest.approx(high)
