"""Response rates count the invited, each wave for itself."""

from __future__ import annotations

import pandas as pd
import pytest

from cxlib.errors import InputError
from cxlib.gaps.ratings import select_answers
from cxlib.gaps.scores.response import summarise_response
from tests.gaps.answers import make_outcomes

INVITED = pd.DataFrame(
    {
        "respondent_id": ["r0", "r1", "r2", "r3", "r4"],
        "region": ["n", "n", "s", "s", "s"],
        "wave": ["1", "1", "2", "2", "2"],
    }
)


def _rates(answers, invited, wave="", **options):
    ratings = select_answers(answers, wave=wave, every_wave=not wave)
    table = summarise_response(ratings, invited, **options)
    return list(table[["wave", "group", "n", "score"]].itertuples(index=False, name=None))


def test_response_rate_counts_the_invited():
    """Two of five answered; an uninvited respondent changes nothing."""
    answers = make_outcomes("rec", [9, 9])
    stranger = answers.head(1).assign(respondent_id="stranger")
    both = pd.concat([answers, stranger])
    assert _rates(both, INVITED, by="region") == [
        ("", "all", 5, 40.0),
        ("", "n", 2, 100.0),
        ("", "s", 3, 0.0),
    ]
    # Wilson by hand for 2 of 5: .1176 to .7693
    row = summarise_response(select_answers(both), INVITED).iloc[0]
    assert pytest.approx((11.76, 76.93), abs=0.01) == (row["conf_low"], row["conf_high"])


def test_response_rate_of_a_wave_counts_its_invitations():
    """An answer meets an invitation of its own wave only; unnamed invitations count whole."""
    ids = [f"r{i}" for i in range(100)]
    first = make_outcomes("rec", [9] * 100).assign(wave="w1")
    answers = pd.concat([first, first.head(50).assign(wave="w2")])
    invited = pd.DataFrame({"respondent_id": ids, "wave": "w2"})
    assert _rates(answers, invited, wave="w2") == [("w2", "all", 100, 50.0)]
    both = pd.concat([invited, invited.assign(wave="w1")])
    assert _rates(answers, both) == [("w1", "all", 100, 100.0), ("w2", "all", 100, 50.0)]
    unnamed = invited.drop(columns="wave")
    assert _rates(answers, unnamed) == [("w1", "all", 100, 100.0), ("w2", "all", 100, 50.0)]
    with pytest.raises(InputError, match="Nobody was invited to the wave 'w1'"):
        _rates(answers, invited, wave="w1")


def test_somebody_invited_twice_to_a_wave_counts_once():
    """A reminder is no second invitation."""
    answers = make_outcomes("rec", [9])
    assert _rates(answers, pd.concat([INVITED, INVITED])) == [("", "all", 5, 20.0)]


def test_employees_are_no_respondents():
    """An employee who shares an id with an invited customer did not answer for him."""
    answers = make_outcomes("rec", [9, 9]).assign(source=["customer", "employee"])
    assert _rates(answers, INVITED) == [("", "all", 5, 20.0)]


def test_ids_that_never_meet_are_refused():
    """A response rate of zero because two tables number people differently would be a lie."""
    answers = make_outcomes("rec", [9]).assign(respondent_id="S-1")
    with pytest.raises(InputError, match=r"Nobody who answered is among the invited[\s\S]*S-1"):
        _rates(answers, INVITED)
    with pytest.raises(InputError, match="Column 'respondent_id' is missing"):
        _rates(answers, INVITED.drop(columns="respondent_id"))
    with pytest.raises(InputError, match="Column 'regoin' is missing"):
        _rates(answers, INVITED, by="regoin")
