"""Answers are selected and turned as the contract says, or refused with a reason."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.groups import add_group, as_labels, natural_key
from cxlib.gaps.ratings import keep_respondents, select_answers
from tests.gaps.answers import ITEMS, SURVEY, make_answers, make_items


def test_every_role_is_one_matrix():
    """A row per respondent, a column per item in natural order, NaN where nothing was said."""
    ratings = select_answers(make_answers(SURVEY), ITEMS)
    assert list(ratings.respondents["respondent_id"]) == ["a", "b", "c", "d"]
    expected = ratings.values["expectation"]
    assert list(expected.columns) == ["hold", "polite", "speed"]
    nan = np.nan
    np.testing.assert_array_equal(expected, [[6, 6, 7], [7, 5, 6], [6, nan, 7], [nan, nan, 5]])


@pytest.mark.engines
def test_engines_and_frames_give_the_same_ratings(con: ibis.BaseBackend):
    """Where the answers lie changes nothing, nor does the order of rows."""
    answers = make_answers(SURVEY).assign(wave="1", touchpoint="", customer_id="x", weight=2.0)
    answers.loc[answers["item"].eq("speed"), "touchpoint"] = "chat"
    answers["source"] = ["customer", *[""] * (len(answers) - 1)]
    table = con.create_table("answers", answers.sample(frac=1, random_state=1))
    one, two = select_answers(answers, ITEMS), select_answers(table, ITEMS)
    pd.testing.assert_frame_equal(one.respondents, two.respondents, check_dtype=False)
    for role in one.values:
        pd.testing.assert_frame_equal(one.values[role], two.values[role], check_names=False)
    pd.testing.assert_frame_equal(one.touchpoints, two.touchpoints)
    pd.testing.assert_frame_equal(one.uses, two.uses)


def test_every_answer_is_accounted_for():
    """The uses add up to the answers given."""
    answers = make_answers(SURVEY).assign(wave="1", source=None)
    other = make_answers("e speed 1 1").assign(wave="1", source="employee")
    earlier = make_answers("a speed 1 1").assign(wave="0", source="customer")
    outcome = pd.DataFrame(
        {"respondent_id": ["a"], "item": "nps", "role": "outcome", "value": 9.0, "wave": "1"}
    )
    everything = pd.concat([answers, other, earlier, outcome], ignore_index=True)
    uses = select_answers(everything, ITEMS).uses
    assert len(everything) == uses["n"].sum()
    assert list(uses["n"]) == [18, 1, 1, 2, 2]
    assert list(uses["n_respondents"]) == [4, 1, 1, 1, 1]


def test_employees_never_mix_into_customers_ratings():
    """Only answers of the asked source count, and no source means customer."""
    answers = make_answers("a speed 7 4").assign(source="")
    employee = make_answers("b speed 1 7").assign(source="employee")
    both = pd.concat([answers, employee], ignore_index=True)
    assert list(select_answers(both).respondents["respondent_id"]) == ["a"]
    assert list(select_answers(both, source="employee").respondents["respondent_id"]) == ["b"]


def test_latest_wave_goes_by_time():
    """The wave answered last is the latest, whatever its name."""
    old = make_answers("a speed 7 4").assign(wave="winter", answered_at=pd.Timestamp("2024-01-05"))
    new = make_answers("b speed 7 4").assign(wave="autumn", answered_at=pd.Timestamp("2024-10-05"))
    assert select_answers(pd.concat([old, new])).wave == "autumn"
    assert select_answers(pd.concat([old, new]), wave="winter").wave == "winter"


def test_latest_wave_without_times_is_last_in_natural_order():
    """Without times, or without any known time, wave 10 comes after wave 9."""
    answers = pd.concat(
        [make_answers(f"{name} speed 7 4").assign(wave=f"wave {name}") for name in ("9", "10")]
    )
    assert select_answers(answers).wave == "wave 10"
    assert select_answers(answers.assign(answered_at=pd.NaT)).wave == "wave 10"


def test_survey_without_waves_is_one_wave():
    """No wave column, or an empty one, leaves nothing out."""
    answers = make_answers(SURVEY)
    assert select_answers(answers).wave == ""
    assert len(select_answers(answers.assign(wave="")).respondents) == 4


def test_every_wave_gives_a_respondent_a_row_in_each():
    """Waves are compared on one table, in which who answered twice stands twice."""
    answers = pd.concat([make_answers("a speed 7 4").assign(wave=wave) for wave in ("1", "2")])
    ratings = select_answers(answers, every_wave=True)
    rows = ratings.respondents[["respondent_id", "wave"]]
    assert rows.to_numpy().tolist() == [["a", "1"], ["a", "2"]]
    assert list(ratings.uses["n"]) == [4, 0, 0, 0]
    assert list(ratings.uses["n_respondents"]) == [1, 0, 0, 0]


def test_reversed_item_is_turned_by_its_scale():
    """On 1 to 7 an answer of 2 to a reversed item counts as 6."""
    items = make_items(item=["wait"], higher_is_better=[False])
    values = select_answers(make_answers("a wait 1 2"), items).values
    assert (values["expectation"]["wait"][0], values["perception"]["wait"][0]) == (7.0, 6.0)


def test_row_of_a_role_wins_over_the_row_of_all_roles():
    """A row of `items` for one role fills what the common row leaves open, and overrides it."""
    items = make_items(
        item=["speed"] * 2, role=["", "perception"], dimension=["time", None], text=["old", "new"]
    )
    facts = select_answers(make_answers("a speed 7 4"), items).items.set_index("role")
    assert list(facts["dimension"]) == ["time", "time"]
    assert facts.loc["perception", "text"] == "new"
    assert facts.loc["expectation", "text"] == "old"


def test_constant_columns_are_the_respondents():
    """What is the same in all answers of a person is about the person; the rest is named."""
    answers = make_answers("a speed 7 4\nb speed 6 5").assign(
        unit=["x", "x", "y", None], team=["x", "y", "x", "x"], weight=[2.0, 2.0, 0.0, 0.0]
    )
    ratings = select_answers(answers)
    assert list(ratings.respondents["unit"]) == ["x", "y"]
    assert list(ratings.respondents["weight"]) == [2.0, 0.0]
    assert ratings.varying == ("team",)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 2.0, 1.0, 1.0], "A respondent has several weights"),
        ([1.0, 1.0, np.nan, np.nan], r"without a usable weight: 1[\s\S]*\['b'\]"),
        ([1.0, 1.0, -1.0, -1.0], "without a usable weight: 1"),
        ([0.0] * 4, "All weights are zero"),
    ],
)
def test_unusable_weights_are_refused(weights, message):
    """A weight is one number a respondent, 0 or more, not 0 for everybody."""
    answers = make_answers("a speed 7 4\nb speed 6 5").assign(weight=weights)
    with pytest.raises(InputError, match=message):
        select_answers(answers)


def test_some_respondents_may_be_kept():
    """Matrices and respondents are cut alike."""
    answers = make_answers("a speed 7 4\nb speed 6 5").assign(touchpoint=["p", "p", "q", "q"])
    kept = keep_respondents(select_answers(answers), [False, True])
    assert list(kept.respondents["respondent_id"]) == ["b"]
    assert kept.values["perception"]["speed"].tolist() == [5.0]
    assert kept.touchpoints["speed"].tolist() == ["q"]


def test_caller_keeps_the_table_unchanged():
    """Nothing is written into the tables handed in."""
    answers, items = make_answers("a wait 1 2"), make_items(item=["wait"], higher_is_better=[False])
    before = answers.copy(), items.copy()
    select_answers(answers, items)
    pd.testing.assert_frame_equal(before[0], answers)
    pd.testing.assert_frame_equal(before[1], items)


def test_missing_column_is_named():
    """A table without its columns is refused at the door."""
    with pytest.raises(InputError, match="Column 'role' is missing"):
        select_answers(make_answers(SURVEY).drop(columns="role"))


def test_unknown_wave_suggests_the_closest():
    """A wave that is not there is refused."""
    answers = make_answers(SURVEY).assign(wave="2024-H1")
    with pytest.raises(InputError, match=r"wave '2024H1' is unknown[\s\S]*did you mean '2024-H1'"):
        select_answers(answers, wave="2024H1")


def test_no_answers_of_the_source_is_too_little_data():
    """A survey of employees only has no customers to speak of."""
    with pytest.raises(TooLittleData, match="No answer comes from a customer"):
        select_answers(make_answers(SURVEY).assign(source="employee"))


def test_answer_given_twice_is_refused():
    """Two answers by one respondent to one item in one role cannot both be meant."""
    answers = pd.concat([make_answers("a speed 7 4"), make_answers("a speed 6 -")])
    with pytest.raises(InputError, match=r"more than once in one wave: 1[\s\S]*a / speed / expec"):
        select_answers(answers)


def test_answer_off_its_scale_is_refused():
    """A 0 on a scale declared 1 to 7 means the declaration or the answer is wrong."""
    with pytest.raises(InputError, match=r"off the scale of their item: 1[\s\S]*0 on 1 to 7"):
        select_answers(make_answers("a speed 7 0"), ITEMS)


def test_item_described_twice_is_refused():
    """Two rows for one item and role are a contradiction."""
    with pytest.raises(InputError, match="Item 'speed' is described twice"):
        select_answers(make_answers("a speed 7 4"), make_items(item=["speed"] * 2))


def test_reversed_item_without_scale_is_refused():
    """Without its ends a scale cannot be turned."""
    items = make_items(item=["speed"], higher_is_better=[False], scale_min=None, scale_max=None)
    with pytest.raises(InputError, match="Item 'speed' is reversed but has no scale"):
        select_answers(make_answers("a speed 7 4"), items)


def test_group_comes_from_answers_customers_or_invitations():
    """The first table that has the column gives it; nobody is lost."""
    answers = make_answers("a speed 7 4\nb speed 6 5").assign(customer_id=["1", "1", "2", "2"])
    customers = pd.DataFrame({"customer_id": ["1"], "region": ["north"]})
    invitations = pd.DataFrame({"respondent_id": ["a", "b"], "health": [1.0, 2.0]})
    found = add_group(answers, by="region", customers=customers, invitations=invitations)
    assert list(found["region"]) == ["north", "north", "(unknown)", "(unknown)"]
    found = add_group(answers, by="health", customers=customers, invitations=invitations)
    assert list(found["health"]) == ["1", "1", "2", "2"]
    found = add_group(answers.assign(unit=["x", "x", None, None]), by="unit")
    assert list(found["unit"]) == ["x", "x", "(unknown)", "(unknown)"]
    with pytest.raises(InputError, match=r"no column 'regoin'[\s\S]*did you mean 'region'"):
        add_group(answers, by="regoin", customers=customers)


def test_labels_print_as_the_source_wrote_them():
    """Whole numbers lose the .0 a missing value gave them, ids keep their zeros."""
    assert list(as_labels(pd.Series([1.0, None]))) == ["1", "(unknown)"]
    assert list(as_labels(pd.Series(["007", ""]))) == ["007", "(unknown)"]
    assert list(as_labels(pd.Series([1.5, 2.0]))) == ["1.5", "2.0"]


def test_natural_order_counts_numbers():
    """Item 2 comes before item 10, and shorter before longer."""
    assert sorted(["q10", "OUT1", "q2", "OUT"], key=natural_key) == ["OUT", "OUT1", "q2", "q10"]
