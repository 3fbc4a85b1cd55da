"""Counts of lifetimes: equal on every engine, and enough for every curve, mean and test."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.churn.curves.compare import compare_groups
from cxlib.churn.curves.counts import count_lifetimes, count_risk_sets
from cxlib.churn.curves.curves import fit_survival, select_groups
from cxlib.churn.curves.rates import fit_cumulative_hazard, summarise_rates
from cxlib.churn.curves.rmst import fit_rmst
from cxlib.errors import InputError, TooLittleData


@pytest.fixture
def lifetimes() -> pd.DataFrame:
    """Seven lifetimes; one has no plan, one entered late."""
    return pd.DataFrame(
        {
            "customer_id": list("abcdefg"),
            "plan": ["10", "9", "9", "10", None, "9", "10"],
            "region": ["n", "n", "s", "s", "n", "n", "s"],
            "duration_days": [3, 3, 3, 5, 5, 3, 5],
            "churned": [True, True, False, False, True, True, False],
            "entry_days": [0, 0, 0, 2, None, 0, 2],
            "end_reason": ["price", "", None, None, "moved", "price", None],
            "weight": [1.0, 2.0, 1.0, 1.0, 1.0, 2.0, 1.0],
        }
    )


def test_counts_by_hand(lifetimes: pd.DataFrame) -> None:
    """One row per combination, groups in the order of their numbers, the one without last."""
    counts = count_lifetimes(lifetimes, by="plan", causes="end_reason")

    assert counts.columns.tolist() == [
        "group",
        "entry_days",
        "duration_days",
        "churned",
        "cause",
        "n",
    ]
    rows = counts.astype({"group": object}).fillna("-").itertuples(index=False, name=None)
    assert list(rows) == [
        ("9", 0, 3, False, "", 1),
        ("9", 0, 3, True, "(no reason)", 1),
        ("9", 0, 3, True, "price", 1),
        ("10", 0, 3, True, "price", 1),
        ("10", 2, 5, False, "", 2),
        ("-", 0, 5, True, "moved", 1),
    ]


@pytest.mark.engines
def test_engines_count_alike(con, lifetimes: pd.DataFrame) -> None:
    """What the engine counts is what pandas counts, whatever is asked for."""
    given = lifetimes.astype({"entry_days": float})
    table = con.create_table("lifetimes", given)
    asked = (
        {},
        {"by": "plan"},
        {"by": "plan", "strata": "region", "weights": "weight"},
        {"by": "region", "causes": "end_reason", "clusters": "customer_id"},
    )
    for wanted in asked:
        pd.testing.assert_frame_equal(
            count_lifetimes(table, **wanted), count_lifetimes(given, **wanted)
        )


rows = st.lists(
    st.tuples(st.integers(0, 12), st.booleans(), st.integers(0, 5), st.sampled_from("ab")),
    min_size=4,
    max_size=60,
).filter(lambda rows: any(churned for _, churned, _, _ in rows))


@settings(max_examples=20, deadline=None)
@given(rows=rows)
def test_counts_say_all_that_lifetimes_say(rows: list) -> None:
    """Every curve, mean, rate and test of the counts is that of the lifetimes."""
    table = pd.DataFrame(rows, columns=["duration_days", "churned", "entry_days", "plan"])
    table["entry_days"] = table["entry_days"].where(table["entry_days"] < table["duration_days"], 0)
    table = table.assign(customer_id=[f"c{i}" for i in range(len(table))])
    counts = count_lifetimes(table, by="plan")
    for estimate in (
        lambda table, by: fit_survival(table, by=by),
        lambda table, by: fit_cumulative_hazard(table, by=by),
        lambda table, by: fit_rmst(table, by=by, horizon_days=9),
        lambda table, by: compare_groups(table, by=by),
        lambda table, by: summarise_rates(table, by=by, min_cell=1),
    ):
        told = [_tell(estimate, table, "plan"), _tell(estimate, counts, "group")]
        if isinstance(told[0], str):
            assert told[0].replace("'plan'", "'group'") == told[1]
        else:
            pd.testing.assert_frame_equal(*told)


def _tell(estimate: Callable, table: pd.DataFrame, by: str) -> pd.DataFrame | str:
    try:
        return estimate(table, by)
    except TooLittleData as error:
        return str(error)


def test_counts_of_parts_are_put_together(lifetimes: pd.DataFrame) -> None:
    """Counts of two halves, one below the other, give the curve of the whole."""
    halves = [count_lifetimes(part) for part in (lifetimes[:3], lifetimes[3:])]

    pd.testing.assert_frame_equal(fit_survival(pd.concat(halves)), fit_survival(lifetimes))


def test_counts_saved_as_text_can_be_used(lifetimes: pd.DataFrame, tmp_path) -> None:
    """Read back from a file, groups are labelled again and ordered by size."""
    counts = count_lifetimes(lifetimes[lifetimes["plan"].notna()], by="plan")
    counts.to_csv(tmp_path / "counts.csv", index=False)
    read = pd.read_csv(tmp_path / "counts.csv")

    assert fit_survival(read, by="group")["group"].unique().tolist() == ["all", "9", "10"]


def test_risk_sets_are_counted_by_n() -> None:
    """Three lifetimes in two rows; who entered on day 2 is not at risk on it."""
    counts = pd.DataFrame(
        {
            "entry_days": [0.0, 2.0],
            "duration_days": [2.0, 4.0],
            "churned": [True, False],
            "n": [2, 1],
        }
    )

    assert count_risk_sets(counts).to_numpy().tolist() == [
        [0, 2, 0, 0],
        [2, 2, 2, 0],
        [4, 1, 0, 1],
    ]


def test_small_groups_of_counts_are_left_out_by_n() -> None:
    """Three customers are no group, however many rows they fill."""
    counts = pd.DataFrame(
        {
            "group": list("aabbc"),
            "duration_days": [1.0, 2.0, 1.0, 2.0, 3.0],
            "churned": True,
            "n": [9, 9, 9, 9, 3],
        }
    )
    kept = select_groups(counts, by="group")

    assert kept.left_out[["group", "n"]].to_numpy().tolist() == [["c", 3]]
    assert compare_groups(kept.table, by=kept.by)["n"].tolist() == [36, 36]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"duration_days": [1.0, None]}, "3 lifetimes have no duration_days"),
        ({"duration_days": [1.0, np.inf]}, "3 lifetimes have no duration_days"),
        ({"duration_days": [1.0, -1.0]}, "3 lifetimes have a negative duration_days"),
        ({"entry_days": [0.0, -1.0]}, "3 lifetimes have a negative entry_days"),
        ({"entry_days": [0.0, 5.0]}, "3 lifetimes enter observation at or after their end"),
        ({"churned": [True, "perhaps"]}, "3 lifetimes have no yes or no in churned"),
        ({"n": [2, -3]}, "1 rows count no whole number of lifetimes above 0 in 'n'"),
        ({"n": [2.5, 3]}, "1 rows count no whole number"),
        ({"weight": [1.0, 0.0]}, "3 lifetimes have no weight above 0"),
    ],
)
def test_counts_that_cannot_be_are_refused(change: dict, message: str) -> None:
    """The message counts lifetimes and shows the row."""
    counts = pd.DataFrame(
        {
            "duration_days": [2.0, 4.0],
            "entry_days": 0.0,
            "churned": [True, False],
            "n": [2, 3],
            "weight": 1.0,
        }
    ).assign(**change)
    with pytest.raises(InputError, match=message) as told:
        count_lifetimes(counts, weights="weight")
    assert "where:" in str(told.value)


def test_an_endless_lifetime_is_refused(lifetimes: pd.DataFrame) -> None:
    """Nothing can be counted beyond it."""
    with pytest.raises(InputError, match="1 lifetimes never end"):
        count_lifetimes(lifetimes.assign(duration_days=[np.inf, 3, 3, 5, 5, 3, 5]))


def test_a_missing_column_is_named(con, lifetimes: pd.DataFrame) -> None:
    """Before anything is counted, in a frame and in an engine."""
    table = con.create_table("lifetimes", lifetimes)
    for source in (lifetimes, table):
        with pytest.raises(InputError, match="There is no column 'plam' to group by"):
            count_lifetimes(source, by="plam")
        with pytest.raises(InputError, match="There is no column 'wait'"):
            count_lifetimes(source, weights="wait")
    with pytest.raises(InputError, match="Column 'churned' is missing"):
        count_lifetimes(table.drop("churned"))


def test_nobody_who_left_is_too_little_data(lifetimes: pd.DataFrame) -> None:
    """All censored: no curve, no rate, no test."""
    stayed = lifetimes.assign(churned=False)
    counts = pd.DataFrame({"duration_days": [3.0, 5.0], "churned": False, "n": [4, 5]})
    for estimate in (fit_survival, fit_cumulative_hazard, summarise_rates, count_lifetimes):
        with pytest.raises(TooLittleData, match="None of the 7 lifetimes ended"):
            estimate(stayed)
        with pytest.raises(TooLittleData, match="None of the 9 lifetimes ended"):
            estimate(counts)
