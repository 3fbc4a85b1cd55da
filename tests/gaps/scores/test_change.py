"""Changes split as Kitagawa does, with the variance a bootstrap finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.groups import add_group
from cxlib.gaps.ratings import keep_respondents, select_answers
from cxlib.gaps.scores.change import split_change
from cxlib.gaps.scores.weighting import weight_respondents
from tests.gaps.answers import make_items
from tests.gaps.scores.surveys import make_ratings


def make_waves(rows: list[tuple[str, str, float, int]], metric: str = "ces", **columns: object):
    """Make ratings of (wave, group, value, how many)."""
    table = pd.DataFrame(rows, columns=["wave", "group", "value", "n"])
    table = table.loc[table.index.repeat(table["n"])].reset_index(drop=True)
    given = {"wave": table["wave"], "kind": table["group"], **columns}
    return make_ratings(table["value"].to_list(), metric=metric, **given)


# mean of a 2 and then 3, of b 6 and 6; a is 1/4 and then 1/2 of 40
KITAGAWA = make_waves([("1", "a", 2, 10), ("1", "b", 6, 30), ("2", "a", 3, 20), ("2", "b", 6, 20)])


def test_split_by_hand():
    """5 to 4.5: within 3/8 * 1, mix (2.5 - 6) / 4 = -.875."""
    change = split_change(KITAGAWA, by="kind")
    split = change.split.set_index("part")
    assert (change.previous, change.wave) == ("1", "2")
    assert split.loc["total", ["before", "after"]].tolist() == [5.0, 4.5]
    assert split["change"].to_dict() == pytest.approx(
        {"total": -0.5, "within": 0.375, "mix": -0.875}
    )
    groups = change.groups.set_index("group")
    assert groups["change"].to_dict() == pytest.approx({"a": 1.0, "b": 0.0})
    assert groups["share_before"].tolist() == [0.25, 0.75]
    assert not change.is_weighted


def test_a_constant_mix_leaves_all_within_and_constant_groups_all_in_the_mix():
    """The parts do not leak into each other."""
    same = make_waves([("1", "a", 2, 10), ("1", "b", 6, 30), ("2", "a", 3, 20), ("2", "b", 5, 60)])
    parts = split_change(same, by="kind").split.set_index("part")["change"]
    assert parts["mix"] == pytest.approx(0)
    assert parts["within"] == pytest.approx(-0.5)
    moved = make_waves([("1", "a", 2, 10), ("1", "b", 6, 30), ("2", "a", 2, 20), ("2", "b", 6, 20)])
    parts = split_change(moved, by="kind").split.set_index("part")["change"]
    assert parts["within"] == pytest.approx(0)
    assert parts["mix"] == pytest.approx(-1)


def _random_waves(weighted: bool):
    rng = np.random.default_rng(11)
    n = 240
    customer = np.tile([f"c{i}" for i in range(n // 2)], 2)
    wave = np.repeat(["1", "2"], n // 2)
    kind = rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2])
    mood = np.tile(rng.normal(0, 1, n // 2), 2)
    value = np.clip(np.rint(4 + mood + rng.normal(0, 0.7, n)), 1, 7)
    weight = rng.uniform(0.5, 2, n) if weighted else np.ones(n)
    columns = {"wave": wave, "kind": kind, "customer_id": customer, "weight": weight}
    return make_ratings(value, metric="ces", **columns)


@pytest.mark.parametrize("weighted", [False, True])
def test_standard_errors_equal_the_jackknife_of_customers(weighted):
    """Leaving out a customer, with all his or her waves, at a time finds the same errors."""
    ratings = _random_waves(weighted)
    change = split_change(ratings, by="kind", min_cell=2)
    customers = ratings.respondents["customer_id"]
    found = []
    for one in customers.unique():
        left = split_change(keep_respondents(ratings, customers.ne(one)), by="kind", min_cell=2)
        found.append([*left.split["change"], *left.groups["change"]])
    n = len(found)
    jackknife = np.std(found, axis=0) * np.sqrt(n - 1)
    ours = np.array([*change.split["std_error"], *change.groups["std_error"]])
    np.testing.assert_allclose(ours, jackknife, rtol=0.06)


def test_the_same_customers_in_both_waves_make_the_change_surer():
    """A customer who answers alike in both waves is no new evidence of the level."""
    ratings = _random_waves(weighted=False)
    paired = split_change(ratings, by="kind").split["std_error"][0]
    strangers = replace(ratings, respondents=ratings.respondents.drop(columns="customer_id"))
    apart = split_change(strangers, by="kind").split["std_error"][0]
    assert paired < 0.75 * apart


def test_a_total_that_misleads_is_told_with_its_probability():
    """Every group falls, yet the total rises, because the happy group grew: Simpson."""
    rows = [("1", "a", 6, 50), ("1", "a", 5, 50), ("1", "b", 2, 300), ("1", "b", 1, 300)]
    rows += [("2", "a", 6, 150), ("2", "a", 4, 450), ("2", "b", 2, 20), ("2", "b", 1, 80)]
    split = split_change(make_waves(rows), by="kind").split.set_index("part")
    assert split.loc["total", "change"] > 1
    assert split.loc["within", "change"] < 0
    assert split.loc["total", ["n_groups", "n_against"]].tolist() == [2, 2]
    assert split.loc["total", "p_against"] > 0.95


def test_a_group_of_one_wave_counts_as_mix():
    """B appears in wave 2 only: no change within it, no row of its own, the sum still right."""
    rows = [("1", "a", 2, 20), ("1", "a", 4, 20), ("2", "a", 2, 10), ("2", "a", 4, 10)]
    rows += [("2", "b", 6, 20)]
    change = split_change(make_waves(rows), by="kind")
    parts = change.split.set_index("part")["change"]
    assert parts.to_dict() == pytest.approx({"total": 1.5, "within": 0.0, "mix": 1.5})
    assert change.groups["group"].tolist() == ["a"]
    assert change.split["std_error"].gt(0).all()


def test_rare_groups_are_joined():
    """Groups of 3 become (other), which is shown because it has 12."""
    rows = [(wave, kind, 3 + i % 2, 3) for wave in "12" for i, kind in enumerate("wxyz")]
    rows += [(wave, "a", value, 10) for wave in "12" for value in (2, 5)]
    change = split_change(make_waves(rows), by="kind")
    assert change.groups["group"].tolist() == ["a", "(other)"]
    assert change.groups["n_before"].tolist() == [20, 12]


def test_raked_weights_are_respected(sample):
    """Of the weighted NPS, the mix of health flags changes by what the invitations say."""
    ratings = select_answers(sample["answers"], sample["items"], every_wave=True)
    weighting = weight_respondents(ratings, sample["invitations"])
    by_health = add_group(ratings.respondents, by="health", invitations=sample["invitations"])
    ratings = replace(ratings, respondents=by_health)
    change = split_change(ratings, by="health", weighting=weighting)
    assert change.is_weighted
    assert change.split["metric"].unique().tolist() == ["nps", "csat", "ces", "gap"]
    share = change.groups[change.groups["metric"].eq("nps")].set_index("group")["share_after"]
    invited = sample["invitations"]
    frame = invited[invited["wave"].eq("2025-11")]["health"].value_counts(normalize=True)
    assert share.to_dict() == pytest.approx(frame.to_dict())
    mix = change.split[change.split["part"].eq("mix")].set_index("metric")
    raw = split_change(ratings, by="health").split
    raw_mix = raw[raw["part"].eq("mix")].set_index("metric")
    assert (mix["std_error"] < raw_mix["std_error"]).all()
    assert change.split["n_tests"].eq(12).all()


def test_total_gap_is_split_too():
    """Perception minus expectation goes from -1 to -2."""
    rows = []
    for wave, perceived in (("1", 5), ("2", 4)):
        for i in range(12):
            for role, value in (("expectation", 6), ("perception", perceived + i % 2)):
                rows.append((f"{wave}-{i}", "speed", role, value, wave, "ab"[i % 2]))
    columns = ["respondent_id", "item", "role", "value", "wave", "kind"]
    answers = pd.DataFrame(rows, columns=columns)
    ratings = select_answers(answers, make_items(item=["speed"]), every_wave=True)
    total = split_change(ratings, by="kind", min_cell=6).split.iloc[0]
    assert total[["metric", "before", "after", "change"]].tolist() == ["gap", -0.5, -1.5, -1.0]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"by": "knid"}, InputError, "no column 'knid' to group by"),
        ({"wave": "3"}, InputError, "The wave '3' is unknown"),
        ({"wave": "2", "previous": "2"}, InputError, "compared with itself"),
        ({"wave": "1"}, TooLittleData, "no wave before '1'"),
        ({"min_cell": 50}, TooLittleData, "50 answers in both waves, '1' and '2'"),
    ],
)
def test_what_cannot_be_compared_is_told(arguments, error, message):
    """Unknown columns and waves, one wave, too few answers."""
    with pytest.raises(error, match=message):
        split_change(KITAGAWA, **{"by": "kind", **arguments})


def test_the_order_of_waves_is_that_of_their_answers():
    """Named spring and autumn, the later is the one answered later."""
    at = pd.to_datetime(["2025-10-01"] * 40 + ["2025-04-01"] * 40)
    rows = [("autumn", "a", 2, 20), ("autumn", "a", 4, 20)]
    rows += [("spring", "a", 2, 20), ("spring", "a", 5, 20)]
    change = split_change(make_waves(rows, answered_at=at), by="kind")
    assert (change.previous, change.wave) == ("spring", "autumn")
