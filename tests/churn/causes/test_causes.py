"""End reasons as causes: named, joined, unknown, refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.churn.causes.causes import name_causes
from cxlib.churn.causes.incidence import fit_incidence
from cxlib.churn.curves.counts import count_lifetimes
from cxlib.errors import InputError, TooLittleData


def make(**reasons: int) -> pd.DataFrame:
    """Make lifetimes that ended so often for each reason, and five that go on."""
    names = [name for name, n in reasons.items() for _ in range(n)]
    n = len(names) + 5
    return pd.DataFrame(
        {
            "customer_id": np.arange(n).astype(str),
            "duration_days": np.arange(n) % 7 + 1.0,
            "churned": [True] * len(names) + [False] * 5,
            "end_reason": [name if name != "none" else None for name in names] + [None] * 5,
        }
    )


def test_rare_reasons_are_joined_and_missing_ones_are_a_cause() -> None:
    """The most common stands first; what is joined and what is not known stand last."""
    found = name_causes(make(moved=12, price=30, died=3, sold=4, none=2))

    assert found.names.to_dict("list") == {
        "cause": ["price", "moved", "(other)", "(unknown)"],
        "n_churned": [30, 12, 7, 2],
        "end_reasons": ["price", "moved", "died, sold", ""],
    }
    assert list(found.table["cause"].cat.categories) == list(found.names["cause"])
    assert found.table["cause"].isna().equals(~found.table["churned"])


def test_reasons_that_count_are_kept_and_others_compete() -> None:
    """A reason asked for is a cause however rare; all others are one."""
    found = name_causes(make(moved=12, price=30, died=3), cause="died, moved")

    assert found.names["cause"].tolist() == ["moved", "died", "(other)"]
    assert found.names["end_reasons"].tolist() == ["moved", "died", "price"]


def test_blanks_are_no_reason_and_a_reason_of_who_stays_does_not_count() -> None:
    """Spaces are as good as nothing; the reason of a lifetime cut by the window is no end."""
    table = make(price=20, moved=20)
    table.loc[:3, "end_reason"] = "  "
    table.loc[table.index[-1], "end_reason"] = "moved"
    found = name_causes(table)

    assert found.names.set_index("cause")["n_churned"].to_dict() == {
        "moved": 20,
        "price": 16,
        "(unknown)": 4,
    }


def test_counts_have_the_same_causes_and_curves() -> None:
    """Counts made in the engine or in pandas give what the lifetimes give."""
    table = make(price=20, moved=15, died=2, none=3)
    counts = name_causes(count_lifetimes(table, causes="end_reason"))
    rows = name_causes(table)

    pd.testing.assert_frame_equal(rows.names, counts.names)
    assert len(counts.table) < len(table)
    pd.testing.assert_frame_equal(fit_incidence(rows.table), fit_incidence(counts.table))


def test_one_cause_is_no_competition() -> None:
    """The verdict says what to read instead."""
    with pytest.raises(TooLittleData, match="All who left did so for one cause, price: nothing"):
        name_causes(make(price=20))
    with pytest.raises(TooLittleData, match=r"one cause, \(unknown\): nothing"):
        name_causes(make(price=20).drop(columns="end_reason"))


def test_names_that_tables_use_are_refused() -> None:
    """A reason called (other) could not be told from what is joined."""
    with pytest.raises(InputError) as refused:
        name_causes(make(price=20, **{"(other)": 20}))
    assert str(refused.value) == (
        "The end reason '(other)' is a name that the tables use for themselves.\n"
        "  where: table 'lifetimes', column 'end_reason', values ['(other)']\n"
        "  fix:   rename it in the source; an end without a known reason is left empty"
    )


def test_a_reason_nobody_left_for_is_refused() -> None:
    """The closest name is suggested."""
    with pytest.raises(InputError, match="did you mean 'price'"):
        name_causes(make(price=20, moved=20), cause="prise")
