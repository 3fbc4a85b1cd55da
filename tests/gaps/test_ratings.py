"""Answers are selected, turned and paired as the contract says, or refused with a reason."""

from __future__ import annotations

import pandas as pd
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps import add_group, select_answers
from cxlib.gaps.groups import as_labels, natural_key, respondent_groups
from tests.gaps.answers import ITEMS, SURVEY, make_answers, make_items


def test_pairs_hold_only_items_rated_in_both_roles():
    """A pair is one respondent and item with expectation and perception, sorted."""
    pairs = select_answers(make_answers(SURVEY), ITEMS).pairs
    assert list(pairs[["respondent_id", "item", "gap"]].itertuples(index=False, name=None)) == [
        ("a", "hold", -1.0),
        ("a", "polite", 0.0),
        ("a", "speed", -3.0),
        ("b", "hold", -4.0),
        ("b", "polite", 1.0),
        ("b", "speed", -1.0),
        ("c", "hold", -4.0),
        ("c", "speed", -2.0),
        ("d", "speed", -1.0),
    ]
    assert list(pairs["dimension"][:3]) == ["time", "people", "time"]


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


def test_employees_never_mix_into_customers_gaps():
    """Only answers of the asked source count, and no source means customer."""
    answers = make_answers("a speed 7 4").assign(source="")
    employee = make_answers("b speed 1 7").assign(source="employee")
    both = pd.concat([answers, employee], ignore_index=True)
    assert list(select_answers(both).pairs["respondent_id"]) == ["a"]
    assert list(select_answers(both, source="employee").pairs["respondent_id"]) == ["b"]


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
    assert len(select_answers(answers.assign(wave="")).pairs) == 9


def test_reversed_item_is_turned_by_its_scale():
    """On 1 to 7 an answer of 2 to a reversed item counts as 6."""
    answers = make_answers("a wait 1 2")
    items = make_items(item=["wait"], higher_is_better=[False])
    pair = select_answers(answers, items).pairs.iloc[0]
    assert (pair["expectation"], pair["perception"], pair["gap"]) == (7.0, 6.0, -1.0)


def test_row_of_a_role_wins_over_the_row_of_all_roles():
    """A row of `items` for one role fills what the common row leaves open, and overrides it."""
    items = make_items(
        item=["speed"] * 2, role=["", "perception"], dimension=["time", None], text=["old", "new"]
    )
    facts = select_answers(make_answers("a speed 7 4"), items).items.set_index("role")
    assert list(facts["dimension"]) == ["time", "time"]
    assert facts.loc["perception", "text"] == "new"
    assert facts.loc["expectation", "text"] == "old"


def test_touchpoint_of_the_answer_comes_before_that_of_the_item():
    """An answer's own touchpoint holds, the perception's first; an item's fills the rest."""
    answers = make_answers("a speed 7 4\nb speed 6 5\nc speed 6 5")
    answers["touchpoint"] = ["chat", "web", "chat", None, "", None]
    pairs = select_answers(answers, make_items(item=["speed"], touchpoint=["phone"])).pairs
    assert list(pairs["touchpoint"]) == ["web", "chat", "phone"]


def test_ceiling_marks_expectations_at_the_top_of_the_scale():
    """An expectation of 7 on 1 to 7 leaves no room above; without a scale nobody knows."""
    answers = make_answers("a speed 7 4\nb speed 6 6")
    assert list(select_answers(answers, ITEMS).pairs["at_ceiling"]) == [1.0, 0.0]
    assert select_answers(answers).pairs["at_ceiling"].isna().all()


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


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"scale_max": 5.0}, "1 to 7 as expectation and on 1 to 5 as perception"),
        ({"higher_is_better": False}, r"and on 1 to 7 \(reversed\) as perception"),
        ({"scale_min": None, "scale_max": None}, "and on an unknown scale as perception"),
    ],
)
def test_ratings_on_different_scales_are_not_subtracted(other, message):
    """Expectation and perception must share scale and direction."""
    items = make_items(
        item=["speed"] * 2, role=["expectation", "perception"], higher_is_better=[True] * 2
    )
    for column, value in other.items():
        items[column] = items[column].astype(object)
        items.loc[1, column] = value
    with pytest.raises(InputError, match=message):
        select_answers(make_answers("a speed 4 4"), items)


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


def test_group_must_be_constant_for_a_respondent():
    """A respondent in two groups would be counted twice."""
    answers = make_answers("a speed 7 4\nb speed 6 5").assign(unit=["x", "y", "x", "x"])
    with pytest.raises(
        InputError, match=r"not one group per respondent[\s\S]*'a' has \['x', 'y'\]"
    ):
        respondent_groups(answers, by="unit")


def test_labels_print_as_the_source_wrote_them():
    """Whole numbers lose the .0 a missing value gave them, ids keep their zeros."""
    assert list(as_labels(pd.Series([1.0, None]))) == ["1", "(unknown)"]
    assert list(as_labels(pd.Series(["007", ""]))) == ["007", "(unknown)"]
    assert list(as_labels(pd.Series([1.5, 2.0]))) == ["1.5", "2.0"]


def test_natural_order_counts_numbers():
    """Item 2 comes before item 10, and shorter before longer."""
    assert sorted(["q10", "OUT1", "q2", "OUT"], key=natural_key) == ["OUT", "OUT1", "q2", "q10"]
