"""Weighted SERVQUAL: points and ratings, who is left out, what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.estimates.weighting import weigh_gaps
from cxlib.gaps.estimates.zones import describe_weighted_gaps
from cxlib.gaps.ratings import Ratings, select_answers
from tests.gaps.answers import ITEMS, SURVEY, make_answers, make_items

POINTS = {"a": (60, 40), "b": (20, 80), "c": (100, 0), "d": (50, 50)}


def _ratings(points: dict[str, tuple[float, float]], names: tuple[str, str]) -> Ratings:
    """Add the importance of two items to the small survey; NaN is no answer."""
    rows = [
        (who, name, "importance", float(value))
        for who, values in points.items()
        for name, value in zip(names, values, strict=True)
        if not np.isnan(value)
    ]
    columns = ["respondent_id", "item", "role", "value"]
    answers = pd.concat([make_answers(SURVEY), pd.DataFrame(rows, columns=columns)])
    extra = make_items(item=list(names), scale_min=0.0, scale_max=100.0)
    extra["role"] = "importance"
    return select_answers(answers, pd.concat([ITEMS, extra]))


def test_points_by_hand():
    """Gaps of time and people: a -2, 0; b -2.5, 1; c -3, none; d -1, none."""
    weighted = weigh_gaps(_ratings(POINTS, ("time", "people")))
    own = np.array([0.6 * -2, 0.2 * -2.5 + 0.8, -3.0, -1.0])
    plain = np.array([-1.0, -0.75, -3.0, -1.0])
    total = weighted.total.set_index("measure")
    for name, values in (("weighted", own), ("unweighted", plain), ("difference", own - plain)):
        test = stats.ttest_1samp(values, 0)
        row = total.loc[name]
        assert row["n"] == 4
        assert row["gap"] == pytest.approx(values.mean())
        assert row["p_value"] == pytest.approx(test.pvalue)
        ends = test.confidence_interval(0.95)
        assert (row["conf_low"], row["conf_high"]) == pytest.approx((ends.low, ends.high))
    parts = weighted.dimensions.set_index("name")
    assert parts.loc["people", "contribution"] == pytest.approx(0.8 / 4)
    assert parts["contribution"].sum() == pytest.approx(own.mean())
    assert parts.loc["people", "importance"] == pytest.approx((0.4 + 0.8) / 2)
    assert list(parts["n"]) == [2, 4]
    assert (weighted.basis, weighted.points, weighted.n_off) == ("points", 100, 0)


def test_equal_points_change_nothing():
    """Everybody finds everything as important: the difference is zero."""
    weighted = weigh_gaps(_ratings(dict.fromkeys("abcd", (50, 50)), ("time", "people")))
    assert weighted.total.set_index("measure").loc["difference", "gap"] == pytest.approx(0)


def test_points_of_another_sum_are_scaled_and_counted():
    """Six and four are sixty and forty."""
    odd = weigh_gaps(_ratings(POINTS | {"a": (6, 4)}, ("time", "people")))
    even = weigh_gaps(_ratings(POINTS, ("time", "people")))
    pd.testing.assert_frame_equal(odd.total, even.total)
    assert (odd.n_off, odd.points) == (1, 100)


def test_zero_and_missing_points_are_left_out_and_counted():
    """Nothing but zeros weighs nothing; a dimension left out is not guessed."""
    points = POINTS | {"a": (0, 0), "b": (20, np.nan)}
    weighted = weigh_gaps(_ratings(points, ("time", "people")))
    assert (weighted.n_zero, weighted.n_incomplete) == (1, 1)
    assert list(weighted.total["n"]) == [2, 2, 2]


def test_importance_of_items_is_averaged_by_dimension():
    """Ratings of speed and polite stand for time and people; c gives none for polite."""
    ratings = {"a": (6, 2), "b": (3, 7), "c": (5, np.nan), "d": (4, 3)}
    weighted = weigh_gaps(_ratings(ratings, ("speed", "polite")))
    assert (weighted.basis, weighted.n_incomplete) == ("ratings", 0)  # c has no gap of people
    own = np.array([0.75 * -2, 0.3 * -2.5 + 0.7, -3.0, -1.0])
    assert weighted.total["gap"].iloc[0] == pytest.approx(own.mean())


def test_importance_must_cover_the_dimensions():
    """No importance, none for a dimension, and negative points are told."""
    with pytest.raises(InputError, match="No answer has the role 'importance'"):
        weigh_gaps(select_answers(make_answers(SURVEY), ITEMS))
    with pytest.raises(InputError, match="no importance for the dimension 'people'"):
        weigh_gaps(_ratings(POINTS, ("time", "price")))
    bare = select_answers(make_answers(SURVEY), ITEMS.assign(dimension=None))
    with pytest.raises(InputError, match="No item belongs to a dimension"):
        weigh_gaps(bare)
    answers = make_answers("a x 7 4\na y 6 5\nb x 6 3\nb y 6 6")
    points = make_answers("a p - -5\na q - 5\nb p - 5\nb q - 5").assign(role="importance")
    items = make_items(
        item=list("xypq"), dimension=["p", "q", None, None], scale_min=np.nan, scale_max=np.nan
    )
    with pytest.raises(InputError, match=r"Importance is negative[\s\S]*item 'p'"):
        weigh_gaps(select_answers(pd.concat([answers, points]), items))


def test_one_respondent_with_importance_is_too_little():
    """A weighted gap of one person is no estimate."""
    with pytest.raises(TooLittleData, match="Fewer than two respondents gave importance"):
        weigh_gaps(_ratings({"a": (60, 40)}, ("time", "people")))


def test_nothing_is_sure_of_one_cluster():
    """All answers of one customer: which dimension is lowest is not known, and said so."""
    ratings = _ratings(POINTS, ("time", "people"))
    one = replace(ratings, respondents=ratings.respondents.assign(customer_id="c"))
    weighted = weigh_gaps(one)
    assert weighted.dimensions["p_lowest"].isna().all()
    assert "how sure that is cannot be told" in describe_weighted_gaps(weighted)


def test_gaps_above_zero_pull_nothing_down():
    """Where every dimension exceeds what was expected none is blamed."""
    weighted = weigh_gaps(_ratings(POINTS, ("time", "people")))
    rows = weighted.dimensions.assign(contribution=[0.1, 0.4], p_lowest=[0.9, 0.1])
    told = describe_weighted_gaps(replace(weighted, dimensions=rows))
    assert "No dimension pulls it down" in told
