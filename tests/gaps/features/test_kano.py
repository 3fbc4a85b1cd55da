"""Kano's categories: by hand, on real pairs, and planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cxlib.data import open_workbook
from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.features.kano import CATEGORIES, classify_kano
from cxlib.gaps.features.plots import plot_kano
from cxlib.gaps.features.wording import describe_kano
from cxlib.gaps.ratings import Ratings, select_answers
from tests.gaps.kiosk import read_kiosk_features, stack

# reference/kano.R: counts of M, O, A, I, R, Q of the 207 who ever used a kiosk
COUNTS = {
    1: (90, 52, 43, 21, 0, 1), 2: (117, 62, 13, 9, 2, 4), 3: (73, 55, 41, 32, 2, 4),
    4: (5, 10, 83, 103, 4, 2), 5: (7, 23, 85, 91, 1, 0), 6: (79, 83, 18, 23, 0, 4),
    7: (61, 49, 52, 43, 1, 1), 8: (27, 87, 66, 25, 0, 2), 9: (26, 77, 73, 27, 3, 1),
    10: (18, 57, 111, 17, 2, 2), 11: (55, 54, 62, 35, 1, 0), 12: (75, 58, 28, 43, 1, 2),
    13: (25, 30, 83, 68, 1, 0), 14: (6, 19, 102, 73, 5, 2), 15: (87, 66, 26, 24, 2, 2),
    16: (51, 81, 44, 29, 1, 1), 17: (39, 71, 54, 42, 0, 1), 18: (22, 31, 78, 73, 3, 0),
    19: (16, 32, 97, 61, 1, 0), 20: (23, 37, 121, 23, 2, 1), 21: (101, 75, 11, 17, 3, 0),
    22: (106, 77, 3, 19, 1, 1), 23: (117, 57, 6, 16, 4, 7), 24: (4, 10, 81, 112, 0, 0),
    25: (61, 92, 29, 24, 1, 0), 26: (25, 26, 61, 91, 1, 3), 27: (7, 22, 157, 20, 0, 1),
    28: (8, 11, 94, 87, 7, 0), 29: (6, 19, 119, 61, 1, 1),
}  # fmt: skip


def make_pairs(*pairs: tuple[int, int], times: int = 10, **columns: object) -> Ratings:
    """Make one feature with each pair of answers this many times."""
    functional, dysfunctional = np.repeat(np.array(pairs, dtype=float), times, axis=0).T
    names = [f"r{i:04d}" for i in range(len(functional))]
    answers = stack(names, {("functional", "f"): functional, ("dysfunctional", "f"): dysfunctional})
    return select_answers(answers.assign(**columns))


@pytest.mark.parametrize(
    ("pair", "category"),
    [
        ((1, 5), "performance"), ((2, 5), "must-be"), ((4, 5), "must-be"), ((1, 3), "attractive"),
        ((1, 2), "attractive"), ((2, 2), "indifferent"), ((3, 4), "indifferent"),
        ((5, 1), "reverse"), ((3, 1), "reverse"), ((5, 4), "reverse"), ((1, 1), "questionable"),
        ((5, 5), "questionable"),
    ],
)  # fmt: skip
def test_evaluation_table(pair, category):
    """Kano's table: what liking, needing and minding come to."""
    kano = classify_kano(make_pairs(pair))
    row = kano.features.iloc[0]
    assert (row["category"], row["verdict"], row["n"]) == (category, category, 10)


def test_coefficients_and_intervals_by_hand():
    """40 M, 30 O, 20 A, 10 I: better 50/100, worse -70/100; Wilson of 50 and 70 in 100."""
    pairs = [(2, 5)] * 4 + [(1, 5)] * 3 + [(1, 3)] * 2 + [(3, 3)]
    kano = classify_kano(make_pairs(*pairs))
    row = kano.features.iloc[0]
    assert row["n_effective"] == pytest.approx(100)
    assert (row["better"], row["worse"]) == (pytest.approx(0.5), pytest.approx(-0.7))
    # R: prop.test(50, 100, correct = FALSE) and prop.test(70, 100, correct = FALSE)
    ends = row[["better_low", "better_high", "worse_low", "worse_high"]].to_list()
    assert ends == pytest.approx([0.4038315, 0.5961685, -0.7810511, -0.6041515], abs=1e-7)
    assert row["strength"] == pytest.approx(0.1)
    must = kano.shares.set_index("category").loc["must-be"]
    # R: prop.test(40, 100, conf.level = 1 - 0.05 / 6, correct = FALSE)
    assert (must["n"], must["share"]) == (40, pytest.approx(0.4))
    assert (must["conf_low"], must["conf_high"]) == pytest.approx((0.2813665668, 0.5316483459))


def test_chance_of_the_category():
    """40 against 30 of 100 is not sure to be first: P(Normal(.1, sd .083) > 0) is about 0.88."""
    pairs = [(2, 5)] * 4 + [(1, 5)] * 3 + [(1, 3)] * 2 + [(3, 3)]
    first = classify_kano(make_pairs(*pairs)).features.iloc[0]
    assert first["p_category"] == pytest.approx(0.88, abs=0.02)
    assert first["verdict"] == "must-be"
    fewer = classify_kano(make_pairs(*pairs, times=2)).features.iloc[0]
    assert fewer["p_category"] < 0.8
    assert (fewer["category"], fewer["verdict"]) == ("must-be", "undecided")


def test_kiosk_counts_equal_r(shared_data):
    """Pairs rebuilt by wording: every cell of all 29 features."""
    kano = classify_kano(read_kiosk_features(shared_data, with_careless=True))
    counts = kano.shares.pivot(index="item", columns="category", values="n")[list(CATEGORIES)]
    found = {int(str(item)[1:]): tuple(row) for item, row in counts.iterrows()}
    assert found == COUNTS


def test_kiosk_verdicts(shared_data):
    """What is sure with the authors' exclusions, and without them."""
    with_all = classify_kano(read_kiosk_features(shared_data, with_careless=True)).features
    kept = classify_kano(read_kiosk_features(shared_data, with_careless=False)).features
    assert (with_all["n"] == 207).all()
    assert (kept["n"] == 194).all()
    sure = {"K2": "must-be", "K10": "attractive", "K20": "attractive", "K21": "must-be",
            "K22": "must-be", "K23": "must-be", "K24": "indifferent", "K25": "performance",
            "K27": "attractive", "K29": "attractive"}  # fmt: skip
    for table in (with_all, kept):
        verdicts = table.set_index("item")["verdict"]
        assert {item: verdicts[item] for item in sure} == sure
    unsure = ["K6", "K9", "K11", "K18", "K28"]  # 79 to 83, 77 to 73, 62 to 55, 78 to 73, 94 to 87
    assert (with_all.set_index("item").loc[unsure, "verdict"] == "undecided").all()
    assert with_all["verdict"].eq("undecided").sum() >= 6
    told = describe_kano(classify_kano(read_kiosk_features(shared_data, with_careless=True)))
    assert told.startswith("Of 29 features, each judged by 207 respondents, must-be (taken for")


def test_planted_categories_are_found():
    """Four features are what they were made to be; two categories tie in the fifth."""
    tables = open_workbook("samples")
    ratings = select_answers(tables.frame("answers"), tables.frame("items"))
    kano = classify_kano(ratings)
    verdicts = kano.features.set_index("item")["verdict"].to_dict()
    assert verdicts == {
        "bill_breakdown": "must-be", "callback": "undecided", "faster_speed": "performance",
        "paper_news": "indifferent", "visit_tracking": "attractive",
    }  # fmt: skip
    told = describe_kano(kano)
    assert "must-be (taken for granted, and missed when lacking): bill_breakdown" in told
    assert told.endswith("the commonest of all customers: callback.")


def test_customers_asked_twice_count_once():
    """Every answer there twice under one customer: half the effective number, wider intervals."""
    pairs = [(2, 5)] * 4 + [(1, 5)] * 3 + [(1, 3)] * 2 + [(3, 3)]
    ratings = make_pairs(*pairs)
    customer = [f"c{i // 2}" for i in range(100)]  # equal answers lie side by side
    twice = replace(ratings, respondents=ratings.respondents.assign(customer_id=customer))
    assert classify_kano(twice).features["n_effective"].iloc[0] == pytest.approx(50)


def test_weights_repeat_respondents():
    """A respondent of weight 3 moves the shares like three, and still is one respondent."""
    ratings = make_pairs((2, 5), (1, 5))
    weight = np.where(np.arange(20) < 10, 3.0, 1.0)
    weighted = replace(ratings, respondents=ratings.respondents.assign(weight=weight))
    kano = classify_kano(weighted)
    shares = kano.shares.set_index("category")["share"]
    assert (shares["must-be"], shares["performance"]) == (pytest.approx(0.75), pytest.approx(0.25))
    assert kano.features["n_effective"].iloc[0] <= 20
    noise = np.where(np.arange(20) % 2, 3.0, 1.0)  # weights that have nothing to do with answers
    some = replace(ratings, respondents=ratings.respondents.assign(weight=noise))
    kish = noise.sum() ** 2 / (noise**2).sum()
    assert classify_kano(some).features["n_effective"].iloc[0] == pytest.approx(kish)


def test_all_alike():
    """Everybody agrees: an interval below 1 all the same, and certainty grows with n."""
    kano = classify_kano(make_pairs((1, 5)))
    top = kano.shares.set_index("category").loc["performance"]
    assert top["share"] == 1
    assert 0.5 < top["conf_low"] < 0.9
    assert kano.features["better"].iloc[0] == 1


def test_nobody_told_what_they_like():
    """Only reverse answers: better and worse have no base."""
    row = classify_kano(make_pairs((5, 1))).features.iloc[0]
    assert np.isnan(row["better"])
    assert (row["better_low"], row["better_high"]) == (0, 1)


def test_off_the_codes():
    """A 0-10 answer is no Kano answer."""
    with pytest.raises(InputError, match=r"not 1, 2, 3, 4 or 5: 10[\s\S]*item 'f'.*: 7"):
        classify_kano(make_pairs((7, 5)))


def test_one_question_alone():
    """Both questions are needed, under one name."""
    alone = stack(["a", "b"], {("functional", "f"): np.array([1.0, 2.0])})
    with pytest.raises(InputError, match="No answer has the role 'dysfunctional'"):
        classify_kano(select_answers(alone))
    apart = stack(
        ["a", "b"],
        {("functional", "f"): np.array([1.0, 2]), ("dysfunctional", "g"): np.array([1.0, 2])},
    )
    with pytest.raises(InputError, match="No feature was asked about both ways"):
        classify_kano(select_answers(apart))


def test_few_answers():
    """Fewer than min_cell are not shown."""
    with pytest.raises(TooLittleData, match="No feature has 10 respondents"):
        classify_kano(make_pairs((1, 5), times=9))


def test_figure_places_features(shared_data):
    """One mark a feature at (-worse, better); undecided ones are open."""
    features = classify_kano(read_kiosk_features(shared_data, with_careless=True)).features
    ax = plot_kano(features)
    marks = [line for line in ax.get_lines() if line.get_label() in set(features["verdict"])]
    assert sum(len(line.get_xdata()) for line in marks) == 29
    undecided = next(line for line in marks if line.get_label() == "undecided")
    rows = features[features["verdict"] == "undecided"]
    assert undecided.get_markerfacecolor() == "white"
    assert undecided.get_xdata() == pytest.approx(-rows["worse"].to_numpy())
    assert undecided.get_ydata() == pytest.approx(rows["better"].to_numpy())


def test_few_units_are_believed_in_part():
    """Three units that happen to agree are hardly more than three answers."""
    ratings = make_pairs((2, 5), (1, 5), (1, 3), times=30)
    unit = [f"u{i % 3}" for i in range(90)]  # every unit has the same shares
    clustered = replace(ratings, respondents=ratings.respondents.assign(unit=unit))
    size = classify_kano(clustered).features["n_effective"].iloc[0]
    assert size == pytest.approx(3 + (90 - 3) * 2 / 5)


def test_one_respondent_with_all_the_weight_decides_nothing():
    """A share of nearly 1 by one heavy answer has no spread, and is one answer."""
    ratings = make_pairs((2, 5), (1, 5), (1, 3), times=30)
    heavy = ratings.respondents.assign(weight=[1e6] + 89 * [1.0])
    row = classify_kano(replace(ratings, respondents=heavy)).features.iloc[0]
    assert row["n_effective"] == pytest.approx(1, abs=0.01)
    assert row["verdict"] == "undecided"
