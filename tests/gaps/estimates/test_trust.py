"""What gaps consist of, and whether their order is more than that of the perceptions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.gaps.estimates.gaps import summarise_gaps
from cxlib.gaps.estimates.rankings import compare_orders, summarise_rankings
from cxlib.gaps.estimates.trust import summarise_trust
from cxlib.gaps.estimates.wording import describe_trust
from cxlib.gaps.ratings import select_answers
from tests.gaps.answers import ITEMS, SURVEY, make_answers, make_items


def _draw(n: int, spread_e: float, spread_p: float, seed: int = 0) -> pd.DataFrame:
    """Draw one item with independent expectations and perceptions."""
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame(
            {
                "respondent_id": [f"r{i}" for i in range(n)],
                "item": "x",
                "role": role,
                "value": 50 + rng.normal(0, spread, n),
            }
        )
        for role, spread in (("expectation", spread_e), ("perception", spread_p))
    ]
    return pd.concat(parts, ignore_index=True)


X = make_items(item=["x"], scale_max=99.0)


def test_share_of_expectations_by_hand():
    """E 7 6 7 5 and P 4 5 5 4: var E 2.75/3, cov .25/3, var gap 2.75/3."""
    trust = summarise_trust(select_answers(make_answers(SURVEY), ITEMS))
    row = trust.set_index(["level", "name"]).loc[("item", "speed")]
    assert row["n"] == 4
    assert row["correlation"] == pytest.approx(0.5 / np.sqrt(2.75))
    assert row["expectation_share"] == pytest.approx((2.75 - 0.5) / 2.75)


def test_independent_sides_share_by_their_variances():
    """Spreads 1 and 2: a fifth of the gap's variance is the expectations', within the interval."""
    trust = summarise_trust(select_answers(_draw(4_000, 1.0, 2.0), X)).iloc[0]
    assert trust["share_low"] < 0.2 < trust["share_high"]
    assert trust["share_high"] - trust["share_low"] < 0.05
    assert trust["correlation_low"] < 0 < trust["correlation_high"]
    # Fisher's z: 1.96 / sqrt(n - 3) on either side
    width = trust["correlation_high"] - trust["correlation_low"]
    assert width == pytest.approx(2 * 1.96 / np.sqrt(3_997), rel=0.1)


def test_doubled_customers_are_no_more_certain():
    """Every customer answering twice alike leaves the interval as wide."""
    single = _draw(300, 1.0, 2.0)
    double = pd.concat([single, single.assign(respondent_id=single["respondent_id"] + "b")])
    double["customer_id"] = double["respondent_id"].str.rstrip("b")
    one, two = (summarise_trust(select_answers(a, X)).iloc[0] for a in (single, double))
    assert two["expectation_share"] == pytest.approx(one["expectation_share"])
    ratio = (two["share_high"] - two["share_low"]) / (one["share_high"] - one["share_low"])
    assert ratio == pytest.approx(1, abs=0.1)


def test_equal_answers_have_no_share():
    """Nothing varies: neither correlation nor share."""
    trust = summarise_trust(select_answers(make_answers("a x 7 5\nb x 7 5\nc x 7 5"), X))
    assert trust[["correlation", "expectation_share", "share_low"]].isna().all(axis=None)


def test_published_expectations_near_the_ceiling_give_the_perception_ranking():
    """Zarei et al. 2012, items 1, 11, 13, 20: expectations add little, the order is the same."""
    e, p = np.array([[4.94, 4.96, 4.87, 4.95]]), np.array([[4.04, 4.39, 3.34, 3.96]])
    share, rank = compare_orders(e, p)[0]
    gap = p - e
    np.testing.assert_allclose(gap.round(2), [[-0.90, -0.57, -1.53, -0.99]])
    assert share == pytest.approx((np.var(e) - np.cov(e[0], p[0], ddof=0)[0, 1]) / np.var(gap))
    assert share < 0.10
    assert rank == 1.0


def test_expectations_all_alike_are_told_with_certainty():
    """Everybody expects the top: P(same ranking) is one, and no share is the expectations'."""
    lines = [
        f"r{i} {item} 7 {place + i % 2}" for i in range(60) for place, item in enumerate("wxyz", 1)
    ]
    ratings = select_answers(make_answers("\n".join(lines)), make_items(item=list("wxyz")))
    row = summarise_rankings(ratings).iloc[0]
    assert (row["level"], row["n_names"], row["expectation_share"]) == ("item", 4, 0.0)
    assert (row["rank_correlation"], row["p_same"]) == (1.0, 1.0)


def test_two_names_are_no_ranking():
    """A level of fewer than three names has no row."""
    rankings = summarise_rankings(select_answers(make_answers(SURVEY), ITEMS))
    assert list(rankings["level"]) == ["item"]


def test_bootstrap_of_few_clusters_tells_no_interval():
    """Four customers drawn again and again look alike: no interval, and the sentence says so."""
    rows = "\n".join(f"r{i:02d} x {4 + i % 3} {2 + i % 5}" for i in range(40))
    answers = make_answers(rows)
    customer = "c" + (answers["respondent_id"].str[1:].astype(int) % 4).astype(str)
    ratings = select_answers(answers.assign(customer_id=customer), make_items(item=["x"]))
    trust = summarise_trust(ratings)
    assert trust["correlation"].notna().all()
    assert trust[["correlation_low", "share_low"]].isna().all(axis=None)
    told = describe_trust(summarise_gaps(ratings), trust)
    assert "nan" not in told
    assert "(no interval)" in told


def test_expectations_alike_are_seen_as_such():
    """Drawn from one law for all items, a test at 5 % rejects about as often; apart, surely."""
    rejected = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows = "\n".join(
            f"r{i:02d} q{j} {rng.integers(3, 8)} {rng.integers(1, 8)}"
            for i in range(50)
            for j in range(6)
        )
        items = make_items(item=[f"q{j}" for j in range(6)])
        ratings = select_answers(make_answers(rows), items)
        rejected += int(summarise_rankings(ratings)["p_value"].iloc[0] < 0.05)
    assert rejected <= 3
    expectation = ratings.values["expectation"]
    expectation["q0"] = expectation["q0"] - 2
    assert summarise_rankings(ratings)["p_value"].iloc[0] < 0.001
