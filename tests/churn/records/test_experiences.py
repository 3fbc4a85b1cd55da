"""Lifetimes cut where a value changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.churn.hazard.cox import fit_cox
from cxlib.churn.hazard.hazard import fit_hazard
from cxlib.churn.records.experiences import select_landmark, split_lifetimes
from cxlib.errors import InputError, TooLittleData

REFERENCE = Path(__file__).parent.parent / "reference"
START = 19_723  # 2024-01-01
COLUMNS = ["customer_id", "entry_days", "duration_days", "churned"]


def make_lives(*rows: tuple) -> pd.DataFrame:
    """Make lifetimes of customer, entry, duration and churn; all start on one day."""
    lives = pd.DataFrame(rows, columns=COLUMNS)
    return lives.assign(started_at="2024-01-01")


def make_changes(name: str, *rows: tuple, **columns: object) -> pd.DataFrame:
    """Make changes of customer, day of life and value."""
    changes = pd.DataFrame(rows, columns=["customer_id", "day", "value"])
    return changes.assign(day=changes["day"] + START, covariate=name, **columns)


def read_jasa() -> pd.DataFrame:
    """Read the Stanford heart data, with an `id` as text."""
    jasa = pd.read_csv(REFERENCE / "jasa.csv", dtype={"customer_id": str})
    return jasa.astype({"churned": bool})


def list_transplants(jasa: pd.DataFrame) -> pd.DataFrame:
    """List transplants as changes from 0 to 1."""
    done = jasa.dropna(subset=["wait_days"])
    day = pd.to_datetime(done["started_at"]) + pd.to_timedelta(done["wait_days"], unit="D")
    return pd.DataFrame(
        {
            "customer_id": done["customer_id"],
            "day": day,
            "covariate": "transplanted",
            "value": 1,
            "before": 0,
        }
    )


def test_eight_lives_are_cut_as_r_cuts_them() -> None:
    """The rows of R's tmerge with tdc and cumtdc, reference/experiences.R."""
    lives = make_lives(
        ("1", 0, 10, True),
        ("2", 0, 10, False),
        ("3", 0, 30, True),
        ("4", 0, 5, True),
        ("5", 10, 40, False),
        ("6", 10, 40, True),
        ("7", 0, 0, True),
        ("8", 0, 7, True),
    )
    plan = make_changes(
        "plan",
        *[("1", -3, "a"), ("1", 4, "b"), ("2", 10, "b"), ("3", 0, "a"), ("3", 29, "b")],
        *[("5", 6, "a"), ("5", 10, "b"), ("6", 11, "a"), ("7", 0, "b"), ("8", 6, "a")],
    )
    calls = make_changes(
        "calls",
        *[("1", 4, 1), ("1", 10, 1), ("3", 2, 1), ("3", 0, 1), ("3", 29, 1)],
        *[("5", 3, 1), ("5", 20, 1), ("6", 10, 1), ("8", 2, 1), ("8", 2, 1)],
        before=0,
        adds=True,
    )
    rows = split_lifetimes(lives, pd.concat([plan, calls]))

    # in R day 0 is a day like others, and (0, 2] begins after it: here 0.5
    expected = [
        ("1", 0, 4, False, "a", 0),
        ("1", 4, 10, True, "b", 1),
        ("2", 0, 10, False, None, 0),
        ("3", 0, 0, False, None, 0),
        ("3", 0.5, 2, False, "a", 1),
        ("3", 2, 29, False, "a", 2),
        ("3", 29, 30, True, "b", 3),
        ("4", 0, 5, True, None, 0),
        ("5", 10, 20, False, "b", 1),
        ("5", 20, 40, False, "b", 2),
        ("6", 10, 11, False, None, 1),
        ("6", 11, 40, True, "a", 1),
        ("7", 0, 0, True, None, 0),
        ("8", 0, 2, False, None, 0),
        ("8", 2, 6, False, None, 2),
        ("8", 6, 7, True, "a", 2),
    ]
    found = rows[[*COLUMNS, "plan", "calls"]].itertuples(index=False, name=None)
    assert list(found) == expected


def test_what_happens_on_the_last_day_explains_nothing() -> None:
    """The call that cancels comes on the day of leaving; the day before counts."""
    lives = make_lives(("a", 0, 20, True), ("b", 0, 20, True))
    rows = split_lifetimes(lives, make_changes("called", ("a", 20, 1), ("b", 19, 1), before=0))

    assert rows["called"].tolist() == [0, 0, 1]
    assert rows.loc[rows["churned"], "called"].tolist() == [0, 1]


def test_a_return_starts_anew() -> None:
    """It knows what happened since the end of the stay before, and counts from there."""
    lives = make_lives(("a", 0, 50, True), ("a", 0, 30, True)).assign(spell=[1, 2])
    lives["started_at"] = ["2024-01-01", "2024-04-10"]  # day 100
    score = make_changes("score", ("a", 10, 3), ("a", 60, 5))
    calls = make_changes(
        "calls", ("a", 5, 1), ("a", 50, 1), ("a", 70, 1), ("a", 110, 1), before=0, adds=True
    )
    rows = split_lifetimes(lives, pd.concat([score, calls]))

    assert rows["spell"].tolist() == [1, 1, 1, 2, 2]
    assert rows["entry_days"].tolist() == [0, 5, 10, 0, 10]
    np.testing.assert_array_equal(rows["score"], [np.nan, np.nan, 3, 5, 5])
    assert rows["calls"].tolist() == [0, 1, 1, 1, 2]


def test_only_the_last_row_has_an_end() -> None:
    """A reason on a row before it would count as an end of that kind."""
    lives = make_lives(("a", 0, 20, True)).assign(end_reason="price", plan="basic")
    rows = split_lifetimes(lives, make_changes("called", ("a", 5, 1)))

    assert rows["churned"].tolist() == [False, True]
    assert rows["end_reason"].tolist() == [None, "price"]
    assert rows["plan"].tolist() == ["basic", "basic"]


def test_dates_and_day_numbers_say_the_same() -> None:
    """A time of day is dropped."""
    lives, changes = make_lives(("a", 0, 20, True)), make_changes("x", ("a", 5, 1))
    dated = changes.assign(day=pd.Timestamp("2024-01-06 23:59"))

    pd.testing.assert_frame_equal(split_lifetimes(lives, changes), split_lifetimes(lives, dated))


def test_a_value_can_be_unknown_again() -> None:
    """Missing is a value like others; a covariate nobody has is a column of what was before."""
    lives = make_lives(("a", 0, 20, True))
    lost = make_changes("x", ("a", 5, 1.0), ("a", 9, None))
    other = make_changes("y", ("b", 5, 1), before=0)
    rows = split_lifetimes(lives, pd.concat([lost, other]))

    np.testing.assert_array_equal(rows["x"], [np.nan, 1, np.nan])
    assert rows["y"].tolist() == [0, 0, 0]


def test_nobody_is_at_risk_before_values_are_known() -> None:
    """Contacts recorded since day 10: lifetimes enter on that day, those over by then are out."""
    lives = make_lives(("a", 0, 20, True), ("b", 0, 9, True), ("c", 15, 30, True))
    rows = split_lifetimes(lives, make_changes("x", ("a", 12, 1)), known_from="2024-01-11")

    assert rows["customer_id"].tolist() == ["a", "a", "c"]
    assert rows["entry_days"].tolist() == [9, 12, 15]


def count_days(table: pd.DataFrame) -> int:
    """Count the days at risk: entry 0 includes day 0."""
    entry = table["entry_days"]
    return int((np.floor(table["duration_days"]) - np.floor(entry) + (entry == 0)).sum())


lives_and_changes = st.tuples(
    st.lists(
        st.tuples(st.integers(-30, 30), st.integers(0, 60), st.integers(0, 40), st.booleans()),
        min_size=1,
        max_size=8,
    ),
    st.dictionaries(
        st.tuples(st.integers(0, 8), st.integers(-60, 120), st.sampled_from(["x", "y"])),
        st.integers(0, 2),
        min_size=1,
        max_size=40,
    ),
)


def build(drawn: tuple) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Build one lifetime per customer, the first one churned, and changes on distinct days."""
    rows, values = drawn
    lives = make_lives(
        *[
            (f"c{i}", entry if entry < duration else 0, duration, churned or i == 0)
            for i, (_, duration, entry, churned) in enumerate(rows)
        ]
    )
    shift = pd.to_timedelta([row[0] for row in rows], unit="D")
    lives["started_at"] = pd.Timestamp("2024-01-01") + shift
    changes = pd.DataFrame(
        [(f"c{c}", START + day, name, value) for (c, day, name), value in values.items()],
        columns=["customer_id", "day", "covariate", "value"],
    )
    return lives, changes.assign(before=0)


@settings(max_examples=40, deadline=None)
@given(lives_and_changes)
def test_days_at_risk_and_ends_stay_and_every_day_has_its_value(drawn: tuple) -> None:
    """Day by day, the value is that of the last change before the day."""
    lives, changes = build(drawn)
    rows = split_lifetimes(lives, changes)

    assert count_days(rows) == count_days(lives)
    assert rows["churned"].sum() == lives["churned"].sum()
    for row in rows.itertuples():
        start = (row.started_at - pd.Timestamp(0)).days
        first = 0 if row.entry_days == 0 else int(np.floor(row.entry_days)) + 1
        for day in range(first, int(row.duration_days) + 1):
            for name in set(changes["covariate"]):
                seen = changes[
                    (changes["customer_id"] == row.customer_id)
                    & (changes["covariate"] == name)
                    & (changes["day"] < start + day)
                ]
                last = seen.sort_values("day")["value"].tail(1)
                assert getattr(row, name) == (last.iloc[0] if len(last) else 0)
    one_row = lives[~lives["customer_id"].isin(changes["customer_id"])]["customer_id"]
    assert (rows.loc[rows["customer_id"].isin(one_row), "customer_id"].value_counts() == 1).all()


@settings(max_examples=15, deadline=None)
@given(lives_and_changes)
def test_the_order_of_rows_does_not_matter(drawn: tuple) -> None:
    """Changes come from several tables, lifetimes in any order."""
    lives, changes = build(drawn)
    rows = split_lifetimes(lives, changes)
    columns = [*COLUMNS, *sorted(set(changes["covariate"]))]
    key = ["customer_id", "entry_days", "duration_days"]
    shuffled = split_lifetimes(lives.iloc[::-1], changes.sample(frac=1, random_state=1))

    pd.testing.assert_frame_equal(
        rows[columns].sort_values(key, ignore_index=True),
        shuffled[columns].sort_values(key, ignore_index=True),
    )


def test_ever_transplanted_looks_like_a_cure_and_being_transplanted_does_not() -> None:
    """Stanford heart data: 0.18 against 1.02, adjusted for age and surgery."""
    jasa = read_jasa()
    terms = ["age", "surgery", "transplant"]
    naive = fit_hazard(jasa, covariates=terms).table
    # as R's heart has it: who was transplanted on the day of death died transplanted
    on_that_day = (jasa["wait_days"] == jasa["duration_days"]) & jasa["churned"]
    moved = jasa.assign(wait_days=jasa["wait_days"] - on_that_day)
    rows = split_lifetimes(moved, list_transplants(moved))
    right = fit_hazard(rows, covariates=["age", "surgery", "transplanted"]).table

    assert len(rows) == 172
    naive_estimates = [0.058886302, -0.419015878, -1.717112914]
    np.testing.assert_allclose(naive["estimate"], naive_estimates, atol=1e-8)
    assert naive["hazard_ratio"].iloc[2] == pytest.approx(0.180, abs=5e-4)
    estimates = [0.0305363149, -0.7733276453, 0.0160956053]
    np.testing.assert_allclose(right["estimate"], estimates, atol=1e-8)
    assert right["hazard_ratio"].iloc[2] == pytest.approx(1.016, abs=5e-4)


def test_whole_days_equal_r() -> None:
    """With tstart = -1 in R: day 0 counts, and a transplant on the last day does not."""
    jasa = read_jasa()
    rows = split_lifetimes(jasa, list_transplants(jasa))
    entry = rows["entry_days"].to_numpy(float)
    fit = fit_cox(
        np.where(entry > 0, entry, -1.0),
        rows["duration_days"].to_numpy(float),
        rows["churned"].to_numpy(bool),
        rows[["age", "surgery", "transplanted"]].astype(float),
    )

    assert len(rows) == 171
    estimates = [0.0313602080, -0.7703933416, -0.0770967676]
    np.testing.assert_allclose(fit.estimates, estimates, atol=1e-8)
    std_errors = [0.0139236962, 0.3595917266, 0.3063987545]
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), std_errors, atol=1e-8)


def test_a_landmark_takes_those_still_here_with_what_was_known() -> None:
    """The day itself is known, its leavers are gone, and late entrants were not seen on it."""
    lives = make_lives(
        ("a", 0, 50, True),
        ("gone", 0, 30, True),
        ("c", 10, 70, False),
        ("late", 31, 90, True),
        ("day 0", 0, 40, True),
    )
    changes = make_changes(
        "called", ("a", 30, 1), ("c", 31, 1), ("gone", 3, 1), ("day 0", 0, 1), before=0
    )
    table = select_landmark(lives, landmark_days=30, changes=changes)

    assert table["customer_id"].tolist() == ["a", "c", "day 0"]
    assert table["duration_days"].tolist() == [20, 40, 10]
    assert table["entry_days"].tolist() == [0, 0, 0]
    assert table["called"].tolist() == [1, 0, 1]
    assert table["churned"].tolist() == [True, False, True]
    assert (table["started_at"] == "2024-01-31").all()
    plain = select_landmark(lives.drop(columns="started_at"), landmark_days=0)
    assert plain["customer_id"].tolist() == ["a", "gone", "day 0"]


def test_a_landmark_repairs_the_heart_data() -> None:
    """Transplanted by day 30 or not, among those alive then: no cure to be seen."""
    # reference/experiences.R
    jasa = read_jasa()
    table = select_landmark(jasa, landmark_days=30, changes=list_transplants(jasa))
    fit = fit_hazard(table, covariates=["transplanted"]).table.iloc[0]

    assert fit["estimate"] == pytest.approx(-0.0887810876, abs=1e-8)
    assert fit["std_error"] == pytest.approx(0.281532876, abs=1e-8)


@pytest.mark.parametrize(
    ("lives", "changes", "message"),
    [
        ({"drop": "started_at"}, {}, "Column 'started_at' is missing"),
        ({"started_at": None}, {}, "1 lifetimes have no first day"),
        ({}, {"drop": "value"}, "Column 'value' is missing"),
        ({}, {"day": None}, "2 changes have no day"),
        ({}, {"covariate": "started_at"}, "already have a column 'started_at'"),
        ({}, {"day": START + 3}, "covariate 'x' has two values on one day"),
        ({"twice": True}, {}, "two lifetimes at once"),
    ],
)
def test_what_cannot_be_cut_is_refused(lives: dict, changes: dict, message: str) -> None:
    """With the table and the way out."""
    table = make_lives(("a", 0, 20, True))
    moved = make_changes("x", ("a", 2, 1), ("a", 5, 2))
    table = pd.concat([table] * 2) if lives.pop("twice", False) else table
    table = table.drop(columns=lives.pop("drop", [])).assign(**lives)
    moved = moved.drop(columns=changes.pop("drop", [])).assign(**changes)
    with pytest.raises(InputError, match=message):
        split_lifetimes(table, moved)


def test_nobody_left_is_told() -> None:
    """After the day from which values are known, or on the landmark."""
    lives = make_lives(("a", 0, 20, True))
    with pytest.raises(TooLittleData, match="Nobody was a customer on 2025-01-01"):
        split_lifetimes(lives, make_changes("x", ("a", 2, 1)), known_from="2025-01-01")
    with pytest.raises(TooLittleData, match="on day 20 of a lifetime"):
        select_landmark(lives, landmark_days=20)
    with pytest.raises(InputError, match="is negative"):
        select_landmark(lives, landmark_days=-1)
