"""Employees and customers are only set side by side when they may be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.delivery.beliefs import level_items, pair_beliefs, select_beliefs
from tests.gaps.delivery.survey import ITEMS, make_beliefs, make_survey


def test_ratings_are_set_side_by_side() -> None:
    """Both matrices have the same items, in natural order."""
    beliefs = make_beliefs(make_survey())
    assert beliefs.items["item"].tolist() == ["care", "speed"]
    assert beliefs.belief[:, 1].tolist() == [6, 6, 7, 5, 6, 7]
    assert beliefs.perception[:, 1].tolist() == [3, 4, 5, 4, 3, 4, 5]
    assert level_items(beliefs, "dimension")[0] == ["people", "time"]
    assert level_items(beliefs, "touchpoint")[0] == []


def test_reversed_items_are_turned_for_both() -> None:
    """A statement worded the other way round is turned, and says so."""
    items = ITEMS.assign(higher_is_better=[False, True])
    beliefs = make_beliefs(make_survey(), items)
    assert beliefs.belief[0, 1] == 2
    assert beliefs.perception[0, 1] == 5
    assert beliefs.items["text"].tolist() == [None, "Served fast. (reversed)"]


def test_scale_mismatch_is_refused() -> None:
    """Beliefs on 0 to 10 and perceptions on 1 to 7 cannot be compared."""
    own = pd.DataFrame({"item": ["speed"], "role": ["belief"], "scale_min": 0.0, "scale_max": 10.0})
    with pytest.raises(InputError) as error:
        make_beliefs(make_survey(), pd.concat([ITEMS, own]))
    assert str(error.value) == (
        "Item 'speed' is rated on 0 to 10 as belief and on 1 to 7 as perception; the two cannot be "
        "subtracted.\n"
        "  where: table 'items'\n"
        "  fix:   compare ratings of one scale and direction, or leave the item out"
    )


def test_items_of_two_scales_are_refused() -> None:
    """A mean over a scale of 7 and one of 10 means nothing."""
    items = ITEMS.assign(scale_max=[7.0, 10.0])
    with pytest.raises(InputError, match="'care' on 1 to 10, 'speed' on 1 to 7"):
        make_beliefs(make_survey(), items)


def test_missing_roles_and_sources_are_told() -> None:
    """Employees without beliefs, no employees, and no item in common are three messages."""
    answers = make_survey()
    with pytest.raises(InputError, match="No employee gave answers with the role 'belief'"):
        make_beliefs(answers.assign(role="perception"))
    with pytest.raises(TooLittleData, match="what the company believes is not known"):
        select_beliefs(answers[answers["source"].eq("customer")], ITEMS)
    with pytest.raises(TooLittleData, match="No answer comes from a customer"):
        select_beliefs(answers[answers["source"].eq("employee")], ITEMS)
    theirs = answers["source"].eq("customer") & answers["item"].eq("speed")
    ours = answers["source"].eq("employee") & answers["item"].eq("care")
    with pytest.raises(TooLittleData, match="No item was rated by employees and by customers"):
        make_beliefs(answers[theirs | ours])


@pytest.mark.parametrize(
    ("ours", "theirs", "wave", "found"),
    [
        (["w1"], ["w1", "w2"], "", ("w1", "w1")),
        (["w1"], ["w2", "w3"], "", ("w3", "w1")),
        (["w1", "w2"], ["w1", "w2"], "w1", ("w1", "w1")),
        (["w1"], ["w1", "w2"], "w2", ("w2", "w1")),
    ],
)
def test_waves_are_matched(
    ours: list[str], theirs: list[str], wave: str, found: tuple[str, str]
) -> None:
    """The customers' wave is the employees', where there is one, unless another is asked for."""
    answers = make_survey()
    is_own = answers["source"].eq("employee")
    parts = [answers[is_own].assign(wave=name) for name in ours]
    parts += [answers[~is_own].assign(wave=name) for name in theirs]
    customers, employees = select_beliefs(pd.concat(parts), ITEMS, wave=wave)
    assert (customers.wave, employees.wave) == found
    assert len(pair_beliefs(customers, employees).customers) == 7


def test_an_item_nobody_answered_is_no_item() -> None:
    """Beliefs that are all missing do not make a column."""
    answers = make_survey()
    empty = answers["source"].eq("employee") & answers["item"].eq("care")
    beliefs = make_beliefs(answers.assign(value=answers["value"].mask(empty)))
    assert beliefs.items["item"].tolist() == ["speed"]
    assert np.isfinite(beliefs.belief).all()
