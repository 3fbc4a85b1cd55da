"""Scores stay on their scales and equal published and hand-computed numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln

from cxlib.errors import InputError
from cxlib.gaps.ratings import select_answers
from cxlib.gaps.scores.scores import nps_interval, summarise_scores
from cxlib.stats import wilson_interval
from tests.gaps.answers import make_answers, make_items, make_outcomes
from tests.gaps.scores.surveys import invite, make_ratings


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # detractors, passives, promoters as in the cases collected for the adjusted Wald interval
        ((100, 200, 300), (100 / 3, 27.22, 39.12)),
        ((2, 0, 9), (63.6, 8.0, 92.0)),
        # by hand: n 500, (200.75 - 150.75) / 503 = .0994036, share of both .6988072
        ((150, 150, 200), (10.0, 2.69, 17.19)),
    ],
)
def test_nps_equals_known_cases(counts, expected):
    """Adjusted Wald: 3/4, 3/2 and 3/4 of an answer are added before the Wald interval."""
    detractors, passives, promoters = counts
    score = nps_interval(promoters, passives, detractors)
    assert pytest.approx(expected, abs=0.05) == score


@pytest.mark.parametrize(
    ("counts", "nps", "std_error"),
    [
        # github.com/brendan-r/NPS, tests: detractors, passives, promoters; variance / n
        ((1, 2, 3), 1 / 3, 0.304),
        ((1, 0, 1), 0.0, 0.707),
        ((0, 1, 1), 0.5, 0.354),
        ((1, 1, 1), 0.0, 0.471),
        # n 500, 40 / 30 / 30 per cent: variance .69
        ((150, 150, 200), 0.10, 0.03715),
    ],
)
def test_standard_error_equals_published_ones(counts, nps, std_error):
    """The variance is that of 1, 0 and -1; ours divides by n - 1 in place of n."""
    n = sum(counts)
    row = summarise_scores(make_ratings(np.repeat([3.0, 7.0, 10.0], counts))).iloc[0]
    assert row["score"] == pytest.approx(100 * nps)
    assert row["std_error"] / 100 * np.sqrt((n - 1) / n) == pytest.approx(std_error, abs=6e-4)


@given(st.tuples(*[st.integers(0, 40)] * 3).filter(any))
@settings(max_examples=50, deadline=None)
def test_nps_interval_stays_on_the_scale_and_holds_the_score(counts):
    """-100 <= low <= score <= high <= 100, and turning the answers round turns the sign."""
    promoters, passives, detractors = counts
    score, low, high = nps_interval(promoters, passives, detractors)
    assert -100 <= low <= score <= high <= 100
    assert low < high
    turned = nps_interval(detractors, passives, promoters)
    assert pytest.approx((-score, -high, -low)) == turned


def test_nps_without_answers_is_missing():
    """No answers, no score."""
    assert np.isnan(nps_interval(0, 0, 0)).all()


def _exact_coverage(interval, n: int) -> list[float]:
    """Sum the probabilities of all counts whose interval holds the truth, over a grid of truths."""
    counts = [(b, c) for b in range(n + 1) for c in range(n + 1 - b)]
    up, down = np.array(counts).T
    low, high = np.array([interval(b, c, n) for b, c in counts]).T
    found = []
    for p in np.arange(0.05, 0.951, 0.1):
        for d in np.arange(0.05, 0.951 - p, 0.1):
            logs = gammaln(n + 1) - gammaln(up + 1) - gammaln(down + 1) - gammaln(n - up - down + 1)
            logs += up * np.log(p) + down * np.log(d)
            logs += (n - up - down) * np.log(max(1 - p - d, 1e-12))
            held = (low <= 100 * (p - d) + 1e-9) & (high >= 100 * (p - d) - 1e-9)
            found.append(float(np.exp(logs)[held].sum()))
    return found


def _tango(b: int, c: int, n: int) -> tuple[float, float]:
    """Compute Tango's score interval of (b - c) / n by bisection, in points."""

    def z(d: float) -> float:
        first, last = -b - c + (2 * n - b + c) * d, -c * d * (1 - d)
        q = (np.sqrt(max(first**2 - 8 * n * last, 0.0)) - first) / (4 * n)
        variance = n * (2 * q + d * (1 - d))
        off = b - c - n * d
        return 0.0 if abs(off) < 1e-12 else off / np.sqrt(max(variance, 1e-300))

    ends = []
    for outer, sign in ((-1.0, 1.0), (1.0, -1.0)):
        inner = (b - c) / n
        for _ in range(40):
            middle = (outer + inner) / 2
            if sign * z(middle) > 1.959964:
                outer = middle
            else:
                inner = middle
        ends.append(100 * inner)
    return ends[0], ends[1]


def test_adjusted_wald_is_chosen_over_the_score_interval():
    """Exact coverage for 10 and 20 answers is nearer to 95 % than Tango's, which is published."""
    assert pytest.approx((27.23, 39.14), abs=0.005) == _tango(300, 100, 600)
    for n, least in ((10, 0.93), (20, 0.935)):
        ours = _exact_coverage(lambda b, c, n: nps_interval(b, n - b - c, c)[1:], n)
        tango = _exact_coverage(_tango, n)
        assert min(ours) >= least
        assert abs(np.mean(ours) - 0.95) < abs(np.mean(tango) - 0.95) < 0.02


def test_nps_counts_9_and_10_against_0_to_6():
    """Three promoters, two passives, five detractors: -20."""
    row = summarise_scores(make_ratings([9, 10, 10, 7, 8, 0, 3, 5, 6, 6])).iloc[0]
    assert tuple(row[["metric", "item", "group", "n", "score"]]) == ("nps", "q", "all", 10, -20.0)
    assert tuple(row[["unit", "score_min", "score_max"]]) == ("points", -100.0, 100.0)
    assert pytest.approx(nps_interval(3, 2, 5)) == tuple(row[["score", "conf_low", "conf_high"]])
    assert row["n_effective"] == pytest.approx(10)


@pytest.mark.parametrize(
    ("scale", "values", "percent"),
    [
        ((1.0, 5.0), [5, 4, 3, 2], 50.0),
        ((1.0, 7.0), [7, 6, 5, 4], 50.0),
        ((1.0, 3.0), [3, 2, 1, 1], 25.0),
        ((0.0, 1.0), [1, 1, 1, 0], 75.0),
    ],
)
def test_csat_is_the_share_of_the_top_two_answers(scale, values, percent):
    """The top two of four answers or more, the top one of a shorter scale, with Wilson's ends."""
    items = make_items(item=["sat"], metric=["csat"], scale_min=scale[0], scale_max=scale[1])
    row = summarise_scores(select_answers(make_outcomes("sat", values), items)).iloc[0]
    assert percent == row["score"]
    low, high = wilson_interval(percent / 100, 4)
    assert pytest.approx((100 * low, 100 * high)) == (row["conf_low"], row["conf_high"])


def test_ces_is_the_mean_with_students_interval():
    """4, 5, 7, 6: s = sqrt(5/3), t(3, .975) = 3.182446, so 5.5 -+ 2.054260, cut at 7."""
    row = summarise_scores(make_ratings([4, 5, 7, 6], metric="ces")).iloc[0]
    assert pytest.approx((5.5, 3.445740, 7.0), abs=2e-6) == tuple(
        row[["score", "conf_low", "conf_high"]]
    )
    for values in ([4, 4], [4]):
        row = summarise_scores(make_ratings(values, metric="ces")).iloc[0]
        assert row["score"] == 4.0
        assert np.isnan(row["conf_low"])


@pytest.mark.parametrize("metric", ["nps", "csat"])
def test_all_alike_keeps_an_interval(metric):
    """Unanimous answers are no certainty; two units that agree are worth two answers."""
    top = {"nps": 10, "csat": 5}[metric]
    row = summarise_scores(make_ratings([top] * 20, metric=metric)).iloc[0]
    assert row["score"] == row["conf_high"] == 100
    assert 60 < row["conf_low"] < 90
    one = summarise_scores(make_ratings([top] * 20, metric=metric, unit="shop")).iloc[0]
    assert one["conf_low"] == row["conf_low"]
    shops = ["north", "south"] * 10
    two = summarise_scores(make_ratings([top] * 20, metric=metric, unit=shops)).iloc[0]
    assert two["conf_low"] < row["conf_low"]
    assert two["n_effective"] == pytest.approx(2)


def test_customers_with_several_rows_widen_the_interval():
    """Twenty customers who answer four times are not eighty."""
    values = np.repeat([10.0, 3.0], 40)
    customer = np.repeat([f"c{i}" for i in range(20)], 4)
    alone = summarise_scores(make_ratings(values)).iloc[0]
    row = summarise_scores(make_ratings(values, customer_id=customer)).iloc[0]
    assert row["n"] == 80
    assert row["n_effective"] == pytest.approx(20, rel=0.05)
    width, narrow = (r["conf_high"] - r["conf_low"] for r in (row, alone))
    assert width == pytest.approx(2 * narrow, rel=0.1)


def test_scores_of_groups_follow_the_score_of_all():
    """Groups come in natural order; metrics as nps, csat, ces; items apart."""
    items = make_items(
        item=["ease", "sat2", "sat10", "rec"],
        metric=["ces", "csat", "csat", "nps"],
        scale_min=[1, 1, 1, 0],
        scale_max=[7, 5, 5, 10],
    )
    answers = pd.concat([make_outcomes(item, [5, 4, 3]) for item in items["item"]])
    answers["team"] = answers["respondent_id"].map({"r0": 10.0, "r1": 9.0, "r2": None})
    table = summarise_scores(select_answers(answers, items), by="team")
    assert list(table["item"].unique()) == ["rec", "sat2", "sat10", "ease"]
    assert sorted(table["group"][:4], key=["all", "9", "10", "(unknown)"].index) == [
        "all",
        "9",
        "10",
        "(unknown)",
    ]
    assert list(table["n"][:4]) == [3, 1, 1, 1]
    with pytest.raises(InputError, match="no column 'taem' to group by"):
        summarise_scores(select_answers(answers, items), by="taem")


def test_perception_feeds_a_score_only_without_an_outcome():
    """An item with a metric that was asked as perception counts; its expectation never does."""
    items = make_items(item=["sat"], metric=["csat"], scale_max=5.0)
    answers = make_answers("r0 sat 1 5\nr1 sat 1 4")
    assert summarise_scores(select_answers(answers, items))["score"].item() == 100.0
    both = pd.concat([answers, make_outcomes("sat", [1, 2])])
    assert summarise_scores(select_answers(both, items))["score"].item() == 0.0


def test_no_metric_no_scores():
    """A survey without scores gives an empty table with its columns, or the response alone."""
    ratings = select_answers(make_answers("a speed 7 4"))
    table = summarise_scores(ratings)
    assert len(table) == 0
    contract = ["metric", "group", "n", "score", "conf_low", "conf_high", "weighting"]
    assert set(contract) <= set(table.columns)
    invited = pd.DataFrame({"respondent_id": ["a", "b"]})
    table = summarise_scores(ratings, invited)
    assert table["metric"].tolist() == ["response_rate"]


def test_an_item_nobody_answered_in_a_wave_has_no_row():
    """A score needs an answer."""
    assert len(summarise_scores(make_ratings([np.nan, np.nan]))) == 0


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"scale_min": 1.0}, "nps item 'q' is on 1 to 10; it takes 0 to 10"),
        ({"scale_min": np.nan, "scale_max": np.nan}, "nps item 'q' has no scale"),
        ({"metric": "npx"}, "npx item 'q' feeds no score that is known"),
    ],
)
def test_scores_need_a_metric_and_scale_that_fit(columns, message):
    """Promoters and detractors mean nothing on another scale."""
    ratings = make_ratings([9])
    for name, value in columns.items():
        ratings.items[name] = value
    with pytest.raises(InputError, match=message):
        summarise_scores(ratings)


def test_response_stands_beside_every_score():
    """Raw and weighted rows of a group know how many of it were invited and responded."""
    ratings = make_ratings([9] * 20 + [3] * 10, kind=["a"] * 20 + ["b"] * 10)
    invited = invite(50, kind=["a"] * 20 + ["b"] * 30)
    table = summarise_scores(ratings, invited, by="kind")
    shares = table[table["metric"].eq("nps")].set_index("group")["response_share"]
    assert shares.to_dict() == pytest.approx({"all": 0.6, "a": 1.0, "b": 1 / 3})
    assert table.loc[table["metric"].eq("response_rate"), "n"].tolist() == [50, 20, 30]
    unknown = summarise_scores(ratings, invited.drop(columns="kind"), by="kind")
    assert unknown.set_index("group").loc["a", "response_share"].tolist() != []
    assert unknown[unknown["group"].eq("a")]["response_share"].isna().all()
