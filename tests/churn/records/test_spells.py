"""Subscriptions to lifetimes: what is one stay, when it is seen, and the ledger of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib import churn
from cxlib.errors import InputError, TooLittleData

AS_OF = "2024-12-31"


def periods(*rows: tuple) -> pd.DataFrame:
    """Paid periods of customer, first day, last day, plan and end reason."""
    columns = ["customer_id", "started_at", "ended_at", "plan", "end_reason"]
    return pd.DataFrame([(*row, *[None] * (5 - len(row))) for row in rows], columns=columns)


def steps(ledger: pd.DataFrame) -> dict:
    """Rows by step."""
    return dict(zip(ledger["step"], ledger["n"], strict=True))


LEAVER = ("z", "2024-01-01", "2024-03-01")


def test_a_plan_change_a_renewal_an_overlap_and_a_lapse_are_no_churn() -> None:
    """Four customers with two periods each stay once; the first plan stays with the spell."""
    built = churn.build_lifetimes(
        periods(
            ("plan", "2024-01-01", "2024-01-31", "S", "swap"),
            ("plan", "2024-02-01", None, "L"),
            ("renewal", "2024-01-01", "2024-01-31", "S"),
            ("renewal", "2024-01-31", "2024-05-31", "S", "price"),
            ("overlap", "2024-01-01", "2024-06-30", "S", "price"),
            ("overlap", "2024-02-01", "2024-03-01", "S", "swap"),
            ("lapse", "2024-01-01", "2024-01-31", "S"),
            ("lapse", "2024-03-01", "2024-04-30", "S", "price"),  # 30 days later: still a lapse
        ),
        as_of=AS_OF,
    )
    table = built.table.set_index("customer_id")

    # a break of 30 days was bridged: ends after 1 December are not sure yet, so nothing is counted
    assert table.loc[["plan", "renewal", "overlap", "lapse"], "duration_days"].tolist() == [
        335,
        151,
        181,
        120,
    ]
    assert str(built.observed_until) == "2024-12-01"
    assert built.current[["customer_id", "duration_days"]].to_numpy().tolist() == [["plan", 365]]
    assert table["churned"].to_dict() == {
        "lapse": True,
        "overlap": True,
        "plan": False,
        "renewal": True,
    }
    assert table.loc["plan", "plan"] == "S"
    assert table.loc["overlap", "end_reason"] == "price"
    assert pd.isna(table.loc["plan", "end_reason"])
    found = steps(built.ledger)
    assert [found["rows in"], found["spells"], found["merged: change of plan"]] == [8, 4, 1]
    assert [found["merged: renewal or overlap"], found["merged: short lapse"]] == [2, 1]


def test_a_longer_break_is_churn_and_then_a_return() -> None:
    """The 31st day starts a new spell whose clock begins again."""
    built = churn.build_lifetimes(
        periods(("a", "2024-01-01", "2024-01-31"), ("a", "2024-03-02", None)), as_of=AS_OF
    )

    assert built.table["spell"].tolist() == [1, 2]
    assert built.table["duration_days"].tolist() == [30, 304]
    assert built.table["churned"].tolist() == [True, False]
    assert steps(built.ledger)["of them returns"] == 1


def test_a_long_period_hides_the_gap_between_shorter_ones() -> None:
    """The break is counted from the last day of all periods before, not of the row before."""
    built = churn.build_lifetimes(
        periods(
            ("a", "2024-01-01", "2024-10-31"),
            ("a", "2024-02-01", "2024-03-01"),
            ("a", "2024-11-01", "2024-11-30"),
        ),
        as_of=AS_OF,
    )

    assert built.table["duration_days"].tolist() == [334]


def test_two_open_periods_at_once_are_one_stay() -> None:
    """Both are censored on the last day known, once."""
    built = churn.build_lifetimes(
        periods(("a", "2024-12-01", None), ("a", "2024-12-11", None), LEAVER), as_of=AS_OF
    )

    assert built.table["duration_days"].tolist() == [30, 60]
    assert built.table["churned"].tolist() == [False, True]


def test_open_twice_and_the_same_row_twice_are_told() -> None:
    """A contradiction and a copy are merged, each under a line of its own."""
    built = churn.build_lifetimes(
        periods(
            ("open", "2024-01-01", None, "S"),
            ("open", "2024-06-01", None, "L"),
            ("copy", "2024-01-01", "2024-06-01", "S", "price"),
            ("copy", "2024-01-01", "2024-06-01", "S", "price"),
        ),
        as_of=AS_OF,
    )
    found = steps(built.ledger)

    assert [found["merged: open twice at once"], found["merged: the same row again"]] == [1, 1]
    assert "merged: change of plan" not in found
    assert built.table["churned"].tolist() == [True, False]


def test_a_row_without_a_start_is_refused() -> None:
    """It is told apart from one that starts too late."""
    built = churn.build_lifetimes(periods(("a", None, "2024-02-01"), LEAVER), as_of=AS_OF)

    assert steps(built.ledger)["refused: no start"] == 1
    assert len(built.table) == 1


def test_ends_after_as_of_are_not_known_yet() -> None:
    """An end in the future is an open period; a start in the future is not there."""
    built = churn.build_lifetimes(
        periods(("a", "2024-12-01", "2025-03-01"), ("b", "2025-01-01", None), LEAVER), as_of=AS_OF
    )

    assert built.table["customer_id"].tolist() == ["a", "z"]
    assert not built.table["churned"].iloc[0]
    assert steps(built.ledger)["refused: starts later"] == 1


def test_an_end_before_the_start_is_refused_and_counted() -> None:
    """The row is left out; the other rows of the customer stay."""
    built = churn.build_lifetimes(
        periods(("a", "2024-05-01", "2024-04-01"), ("a", "2024-06-01", None), LEAVER), as_of=AS_OF
    )

    assert steps(built.ledger)["refused: ends before it starts"] == 1
    assert len(built.table) == 2


def test_who_leaves_on_the_first_day_has_a_lifetime_of_no_days() -> None:
    """First and last day are the same; the curve counts the loss on day 0."""
    built = churn.build_lifetimes(
        periods(("a", "2024-05-01", "2024-05-01"), ("b", "2024-05-01", None)), as_of=AS_OF
    )

    assert built.table["duration_days"].tolist() == [0, 244]
    assert churn.fit_survival(built.table)["survival"].iloc[0] == 0.5


def test_only_the_reasons_that_count_are_churn() -> None:
    """Other ends are censored on their day; an unknown reason is refused with a hint."""
    rows = periods(
        ("a", "2024-01-01", "2024-02-01", "S", "price"),
        ("b", "2024-01-01", "2024-03-01", "S", "death"),
        ("c", "2024-01-01", "2024-04-01", "S", "service"),
    )
    built = churn.build_lifetimes(rows, as_of=AS_OF, cause="price, service")

    assert built.table["churned"].tolist() == [True, False, True]
    assert built.table["duration_days"].tolist() == [31, 60, 91]
    assert steps(built.ledger)["censored: other reason"] == 1
    with pytest.raises(InputError, match="did you mean 'price'"):
        churn.build_lifetimes(rows, as_of=AS_OF, cause="pirce")


def test_a_window_enters_late_and_censors_on_its_last_day() -> None:
    """Before the window nobody is at risk; an end on its first day counts, one after it not."""
    built = churn.build_lifetimes(
        periods(
            ("before", "2024-01-01", "2024-03-31"),
            ("first", "2024-01-01", "2024-04-01"),
            ("later", "2024-05-01", "2024-11-01"),
            ("after", "2024-11-01", None),
        ),
        as_of=AS_OF,
        period_start="2024-04-01",
        period_end="2024-06-30",
    )
    table = built.table.set_index("customer_id")

    assert table.index.tolist() == ["first", "later"]
    assert table["entry_days"].tolist() == [90, 0]
    assert table["duration_days"].tolist() == [91, 60]
    assert table["churned"].tolist() == [True, False]
    found = steps(built.ledger)
    assert [found["left out: ended before"], found["left out: began after"]] == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"grace": "30"}, "grace = '30' is not a number with a unit"),
        ({"period_start": "2024-07-01", "period_end": "2024-06-01"}, "is empty"),
        ({"period_start": "2025-07-01"}, "is empty"),
        ({"period_start": "July"}, "period_start = 'July' is no date"),
        ({"cause": "price"}, "Nobody left for the reason 'price'"),
        ({"grace": "36h"}, "grace = '36h' is no whole number of days"),
        ({"grace": "366d"}, r"grace = '366d' is as long as the records \(366 days\)"),
        ({"observed_until": "July"}, "observed_until = 'July' is no date"),
    ],
)
def test_unusable_arguments_are_refused(arguments: dict, message: str) -> None:
    """Each message names the parameter."""
    with pytest.raises(InputError, match=message):
        churn.build_lifetimes(periods(LEAVER), **({"as_of": AS_OF} | arguments))


def test_nothing_usable_is_too_little_data() -> None:
    """All rows contradict themselves, or nobody was there in the window, or nobody left."""
    with pytest.raises(TooLittleData, match="No paid period"):
        churn.build_lifetimes(periods(("a", "2024-05-01", "2024-04-01")), as_of=AS_OF)
    with pytest.raises(TooLittleData, match="Nobody was a customer"):
        churn.build_lifetimes(periods(LEAVER), as_of=AS_OF, period_start="2024-06-01")
    with pytest.raises(TooLittleData, match="ended"):
        churn.build_lifetimes(periods(("a", "2024-05-01", None)), as_of=AS_OF)
    with pytest.raises(TooLittleData, match="No paid period"):
        churn.build_lifetimes(periods(("a", "2025-05-01", None)), as_of=AS_OF)


def test_ends_that_are_all_of_one_day_tell_nothing() -> None:
    """An export that fills in its own date; nine may still be chance."""
    rows = [(f"c{i}", f"2024-0{1 + i % 6}-01", "2024-11-30") for i in range(10)]
    with pytest.raises(TooLittleData, match="All 10 ends fall on 2024-11-30"):
        churn.build_lifetimes(periods(*rows), as_of=AS_OF)

    assert churn.build_lifetimes(periods(*rows[:9]), as_of=AS_OF).table["churned"].all()


def test_customers_from_before_1970_are_seen_from_their_start() -> None:
    """Day numbers below 0 are days like others."""
    built = churn.build_lifetimes(periods(("a", "1965-01-01", "1966-01-01"), LEAVER), as_of=AS_OF)

    assert built.table["duration_days"].tolist() == [365, 60]
    assert (built.table["entry_days"] == 0).all()


def test_an_end_shortly_before_as_of_is_not_sure_yet() -> None:
    """A break of 10 days was bridged, so ends of the last 10 days may be one as well."""
    rows = periods(
        ("back", "2024-01-01", "2024-03-01"),
        ("back", "2024-03-11", "2024-06-30"),
        ("sure", "2024-01-01", "2024-12-21"),
        ("lately", "2024-01-01", "2024-12-22", "S", "price"),
        ("new", "2024-12-25", None),
    )
    built = churn.build_lifetimes(rows, as_of=AS_OF)
    table, found = built.table.set_index("customer_id"), steps(built.ledger)

    assert str(built.observed_until) == "2024-12-21"
    assert table["churned"].to_dict() == {"back": True, "lately": False, "sure": True}
    assert table.loc["lately", "duration_days"] == table.loc["sure", "duration_days"] == 355
    assert pd.isna(table.loc["lately", "end_reason"])
    assert [found["censored: end not sure yet"], found["left out: began after"]] == [1, 1]
    assert built.current["customer_id"].tolist() == ["new"]
    # a window that ends before has nothing to fear
    early = churn.build_lifetimes(rows, as_of=AS_OF, period_end="2024-11-30")
    assert early.observed_until is None


def with_pauses(seed: int, n: int = 2_500, last: int = 250) -> pd.DataFrame:
    """Draw customers of the days up to 200 who leave at 1 / 300 a day and pause for 5 to 25."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        start = int(rng.integers(0, 200))
        end = start + int(np.ceil(rng.exponential(300)))
        while (pause := start + 10 + int(rng.exponential(60))) < end - 30:
            rows.append((f"c{i}", start, pause))
            start = pause + int(rng.integers(5, 26))
        rows.append((f"c{i}", start, end))
    table = pd.DataFrame(rows, columns=["customer_id", "started_at", "ended_at"])
    table = table[table["started_at"] <= last]
    table["ended_at"] = table["ended_at"].where(table["ended_at"] <= last)
    for name in ("started_at", "ended_at"):
        table[name] = pd.Timestamp("2024-01-01") + pd.to_timedelta(table[name], unit="D")
    return table


def test_the_curve_is_unbiased_with_pauses_up_to_the_last_day() -> None:
    """Counting ends of the last days as churn is too low, censoring them one by one too high."""
    days, as_of, gaps = [60.0, 120.0, 200.0], "2024-09-07", []
    for seed in range(4):
        rows = with_pauses(seed)
        ours = churn.build_lifetimes(rows, as_of=as_of)
        hasty = churn.build_lifetimes(rows, as_of=as_of, observed_until=as_of).table
        lately = hasty["started_at"] + pd.to_timedelta(hasty["duration_days"] + 25, unit="D")
        censored = hasty.assign(churned=hasty["churned"] & (lately <= pd.Timestamp(as_of)))
        at = [
            churn.read_survival(churn.fit_survival(table), times=days)["survival"]
            for table in (ours.table, hasty, censored)
        ]
        gaps.append([curve.to_numpy() - np.exp(-np.array(days) / 300) for curve in at])
        assert ours.observed_until.isoformat() == "2024-08-13"
    right, low, high = np.mean(gaps, axis=0)

    assert np.abs(right).max() < 0.012
    assert low[1:].max() < -0.04
    assert high[1:].min() > 0.02


def company(seed: int, n: int = 3_000, minimum: int = 0) -> pd.DataFrame:
    """Draw customers who join over six years to the end of 2024 and leave at 1 / 500 a day."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 2190, n), unit="D")
    stay = pd.to_timedelta(minimum + np.ceil(rng.exponential(500, n)), unit="D")
    ids = [f"c{i}" for i in range(n)]
    return pd.DataFrame({"customer_id": ids, "started_at": start, "ended_at": start + stay})


def test_a_late_extract_is_detected_and_corrected() -> None:
    """Customers who had left by mid 2023 are missing; the curve is right all the same."""
    everyone = company(1, n=6_000)
    built = churn.build_lifetimes(everyone[everyone["ended_at"] >= "2023-07-01"], as_of=AS_OF)
    day, _ = churn.find_observed(everyone[everyone["ended_at"] >= "2023-07-01"], as_of=AS_OF)
    late = churn.detect_late_entry(built.table)
    curve = churn.fit_survival(built.table)
    read = churn.read_survival(curve, times=[182.625, 365.25, 730.5])

    assert late is not None
    assert "2023-07-02" <= str(day) <= "2023-07-04"
    assert day == built.observed_from
    assert (built.table["entry_days"] > 0).sum() >= late.n_customers - 5
    assert late.n_expected > 100
    np.testing.assert_allclose(np.exp(-read["time_days"] / 500), read["survival"], atol=0.025)


@pytest.mark.parametrize("minimum", [0, 365])
def test_complete_data_have_no_late_entry(minimum: int) -> None:
    """Not even where nobody may leave in the first year."""
    built = churn.build_lifetimes(company(2, minimum=minimum), as_of=AS_OF)

    assert churn.detect_late_entry(built.table) is None
    assert (built.table["entry_days"] == 0).all()


def test_returns_do_not_hide_a_late_extract() -> None:
    """Somebody's stay in 2020 is known only because they came back after the extract began."""
    everyone = company(3)
    late = everyone[everyone["ended_at"] >= "2023-07-01"]
    early = late.head(20).assign(started_at="2018-01-01", ended_at="2018-06-01")
    rows = pd.concat([late, early]).assign(started_at=lambda t: pd.to_datetime(t["started_at"]))
    rows["ended_at"] = pd.to_datetime(rows["ended_at"])
    built = churn.build_lifetimes(rows, as_of=AS_OF)

    assert steps(built.ledger)["left out: ended before ends were recorded"] >= 20
    assert churn.detect_late_entry(built.table) is not None


@pytest.mark.parametrize("n_strays", [1, 5])
def test_stray_early_ends_do_not_hide_a_late_extract(n_strays: int) -> None:
    """Test accounts and rows filled in later move neither the day nor the curve."""
    everyone = company(1, n=6_000)
    rows = everyone[everyone["ended_at"] >= "2023-07-01"]
    strays = everyone[everyone["ended_at"] < "2021-01-01"].head(n_strays)
    built = churn.build_lifetimes(pd.concat([rows, strays]), as_of=AS_OF)
    without = churn.build_lifetimes(rows, as_of=AS_OF)
    read = churn.read_survival(churn.fit_survival(built.table), times=[365.25])

    assert built.observed_from == without.observed_from
    pd.testing.assert_frame_equal(without.table, built.table)
    left_out = "left out: ended before ends were recorded"
    assert steps(built.ledger)[left_out] == steps(without.ledger)[left_out] + n_strays
    assert f"recorded from {built.observed_from} on" in built.ledger["why"].str.cat()
    assert read["conf_low"].iloc[0] < np.exp(-365.25 / 500) < read["conf_high"].iloc[0]


def test_the_end_that_marks_the_day_is_no_event() -> None:
    """Counting it as churn as well made every small curve too low."""
    table = company(1, n=6_000)
    rows = table[table["ended_at"] >= "2023-07-01"]
    built = churn.build_lifetimes(rows, as_of=AS_OF).table
    entered = built["started_at"] + pd.to_timedelta(built["entry_days"], unit="D")
    first_end = rows["ended_at"].min()

    assert (entered[built["entry_days"] > 0] == first_end).all()
    left = built["started_at"] + pd.to_timedelta(built["duration_days"], unit="D")
    assert (left > first_end).all()


def test_a_segment_uses_the_day_of_the_whole_company() -> None:
    """Twenty customers are too few to tell, and need not."""
    table = company(1, n=6_000)
    rows = table[table["ended_at"] >= "2023-07-01"]
    day, _ = churn.find_observed(rows, as_of=AS_OF)
    segment = rows[::150]
    alone = churn.build_lifetimes(segment, as_of=AS_OF)
    told = churn.collect_lifetimes(subscriptions=segment, as_of=AS_OF, observed_from=day)

    assert alone.observed_from is None
    assert told.observed_from == day
    start = pd.to_datetime(segment["started_at"])
    assert (told.table["entry_days"] > 0).sum() == (start < pd.Timestamp(day)).sum()


def test_complete_data_are_recorded_from_the_first_start() -> None:
    """Passing that day on changes nothing."""
    table = company(2)
    day, _ = churn.find_observed(table, as_of=AS_OF)
    built = churn.build_lifetimes(table, as_of=AS_OF, observed_from=str(day))

    assert pd.Timestamp(day) == table["started_at"].min()
    assert built.observed_from is None
    found = churn.build_lifetimes(table, as_of=AS_OF)
    pd.testing.assert_frame_equal(found.table, built.table)


def test_a_window_before_ends_were_recorded_is_too_little_data() -> None:
    """The parameters are fine; the data begin later."""
    table = company(1, n=6_000)
    rows = table[table["ended_at"] >= "2023-07-01"]
    with pytest.raises(
        TooLittleData, match=r"recorded from 2023-07-0\d on; the window ends before"
    ):
        churn.build_lifetimes(rows, as_of=AS_OF, period_end="2022-12-31")
    with pytest.raises(InputError, match="observed_from = 'July' is no date"):
        churn.build_lifetimes(rows, as_of=AS_OF, observed_from="July")


def test_the_naive_readings_are_wrong_on_both_sides() -> None:
    """Ignoring late entry flatters the curve, counting each record as a customer spoils it."""
    everyone = company(4)
    late = everyone[everyone["ended_at"] >= "2023-07-01"]
    middle = late["started_at"] + (late["ended_at"] - late["started_at"]) / 2
    first = late.assign(ended_at=middle.dt.normalize())
    second = late.assign(started_at=middle.dt.normalize() + pd.Timedelta(days=1))
    rows = pd.concat([first, second[second["started_at"] <= second["ended_at"]]])
    built = churn.build_lifetimes(rows, as_of=AS_OF)
    curves = churn.compare_naive(built.table, subscriptions=rows, as_of=AS_OF)
    at = churn.read_survival(curves, times=[365]).set_index("group")["survival"]

    assert at["late entry ignored"] > at["as analysed"] + 0.1
    assert at["every record a lifetime"] < at["late entry ignored"] - 0.1
    assert abs(at["as analysed"] - np.exp(-365 / 500)) < 0.03


rows_of_days = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 300), st.integers(0, 100)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15, deadline=None)
@given(rows=rows_of_days, grace=st.integers(0, 40), seed=st.integers(0, 9))
def test_a_longer_grace_never_gives_more_spells(rows: list, grace: int, seed: int) -> None:
    """And the order of the rows does not matter."""
    day = pd.Timestamp("2024-01-01")
    table = pd.DataFrame(
        [
            (who, day + pd.Timedelta(days=first), day + pd.Timedelta(days=first + length))
            for who, first, length in rows
        ],
        columns=["customer_id", "started_at", "ended_at"],
    )
    short = churn.build_lifetimes(table, as_of="2025-12-31", grace=f"{grace}d").table
    shuffled = table.sample(frac=1, random_state=seed)
    again = churn.build_lifetimes(shuffled, as_of="2025-12-31", grace=f"{grace}d").table
    longer = churn.build_lifetimes(table, as_of="2025-12-31", grace=f"{grace + 20}d").table

    pd.testing.assert_frame_equal(short, again)
    assert len(longer) <= len(short)
    assert set(longer["customer_id"]) == set(table["customer_id"])


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.integers(0, 330),
            st.one_of(st.none(), st.integers(-20, 100)),
            st.sampled_from("SL"),
        ),
        min_size=1,
        max_size=14,
    ),
    grace=st.integers(0, 40),
    start=st.sampled_from(["", "2024-03-01"]),
    cause=st.sampled_from(["", "price"]),
)
def test_the_ledger_adds_up(rows: list, grace: int, start: str, cause: str) -> None:
    """Rows are refused, merged or stays; stays are left out or lifetimes; these end or not."""
    day = pd.Timestamp("2024-01-01")
    table = pd.DataFrame(
        [
            {
                "customer_id": who,
                "started_at": day + pd.Timedelta(days=first),
                "ended_at": pd.NaT if length is None else day + pd.Timedelta(days=first + length),
                "plan": plan,
                "end_reason": "price" if first % 2 else "other",
            }
            for who, first, length, plan in rows
        ]
    )
    try:
        built = churn.build_lifetimes(
            table, as_of="2024-11-01", grace=f"{grace}d", period_start=start, cause=cause
        )
    except (TooLittleData, InputError):  # nobody left, too short for the grace, no such reason
        return
    ledger = built.ledger
    n = ledger.groupby(ledger["step"].str.partition(":")[0])["n"].sum()
    n = n.reindex(["rows in", "refused", "merged", "spells", "left out", "lifetimes"]).fillna(0)
    censored = ledger.loc[ledger["step"].str.startswith("censored"), "n"].sum()
    churned = steps(ledger).get("churned", 0)

    assert n["rows in"] == len(table) == n["refused"] + n["merged"] + n["spells"]
    assert n["spells"] == n["left out"] + n["lifetimes"]
    assert n["lifetimes"] == len(built.table) == churned + censored
    assert churned == built.table["churned"].sum()
    assert ((built.table["entry_days"] > 0).sum()) == steps(ledger).get("of them late entries", 0)


def test_who_is_here_today_is_worth_the_price_of_today() -> None:
    """The stay keeps the price it began with; the customer of today pays the last one."""
    rows = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b"],
            "started_at": pd.to_datetime(["2024-01-01", "2024-06-01", "2024-01-01"]),
            "ended_at": pd.to_datetime(["2024-05-31", None, "2024-08-31"]),
            "plan": ["S", "L", "S"],
            "monthly_value": [20.0, 50.0, 20.0],
        }
    )
    built = churn.build_lifetimes(rows, as_of="2024-12-31")

    assert built.table["monthly_value"].tolist() == [20.0, 20.0]
    assert built.current["monthly_value"].tolist() == [50.0]
    assert "value_now" not in built.table.columns
