"""Kaplan-Meier with late entry: by hand, against R, and by its properties."""

from __future__ import annotations

import lifelines.datasets
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib import churn
from cxlib.errors import InputError, TooLittleData


def lifetimes(duration: list, churned: list, entry: list | None = None) -> pd.DataFrame:
    """Lifetimes of customers named by their place."""
    table = pd.DataFrame({"duration_days": duration, "churned": churned})
    table.insert(0, "customer_id", [f"c{i}" for i in range(len(table))])
    return table if entry is None else table.assign(entry_days=entry)


@pytest.fixture(scope="module")
def lung() -> pd.DataFrame:
    """Give the lung data of R's survival package as lifetimes; 1 = male, 2 = female."""
    lung = lifelines.datasets.load_lung()
    return lifetimes(lung["time"], lung["status"] == 1).assign(sex=lung["sex"])


def test_curve_by_hand_with_late_entry_and_ties() -> None:
    """At day 2 two of three leave; c3, who enters at 2, counts from the day after."""
    curve = churn.fit_survival(lifetimes([2, 2, 3, 5], [1, 0, 1, 1], [0, 0, 0, 2]))

    assert curve["time_days"].tolist() == [0, 2, 3, 5]
    assert curve["n_at_risk"].tolist() == [3, 3, 2, 1]
    assert curve["n_churned"].tolist() == [0, 1, 1, 1]
    assert curve["n_censored"].tolist() == [0, 1, 0, 0]
    np.testing.assert_allclose([1, 2 / 3, 1 / 3, 0], curve["survival"], atol=1e-12)
    assert curve["group"].tolist() == ["all"] * 4


def test_who_leaves_on_the_first_day_counts() -> None:
    """A duration of 0 with an entry of 0 is at risk on day 0."""
    curve = churn.fit_survival(lifetimes([0, 0, 4, 5], [1, 0, 1, 0]))

    assert curve["time_days"].tolist() == [0, 4, 5]
    np.testing.assert_allclose([0.75, 0.375, 0.375], curve["survival"])


def test_intervals_are_log_log_with_greenwood() -> None:
    """By hand at day 2 of two days with one of four leaving: S = 0.75, sum d/(n(n-d)) = 1/12."""
    curve = churn.fit_survival(lifetimes([2, 3, 3, 3], [1, 0, 0, 0]))
    half = 1.959963984540054 * np.sqrt(1 / 12) / abs(np.log(0.75))

    row = curve[curve["time_days"] == 2].iloc[0]
    np.testing.assert_allclose(0.75 ** np.exp(half), row["conf_low"])
    np.testing.assert_allclose(0.75 ** np.exp(-half), row["conf_high"])
    np.testing.assert_allclose(0.75 * np.sqrt(1 / 12), row["std_error"])


def test_an_untouched_curve_is_not_certain() -> None:
    """None of four left by day 1: the exact lower end is 0.025^(1/4), not 1."""
    curve = churn.fit_survival(lifetimes([1, 2, 2, 2], [0, 1, 0, 0]))

    np.testing.assert_allclose(0.025**0.25, curve.loc[1, "conf_low"])
    assert curve.loc[1, "conf_high"] == 1.0


def test_an_emptied_curve_keeps_the_upper_end() -> None:
    """Where all have left, the interval reaches from 0 to the end of the step before."""
    curve = churn.fit_survival(lifetimes([2, 3], [1, 1]))

    assert 0.0 == curve["survival"].iloc[-1] == curve["conf_low"].iloc[-1]
    assert curve["conf_high"].iloc[-2] == curve["conf_high"].iloc[-1] > 0


def test_lung_equals_r(lung: pd.DataFrame) -> None:
    """Medians and intervals of R.

    R: survfit(Surv(time, status) ~ 1, lung, conf.type = "log-log")   310 (284-361)
       survfit(Surv(time, status) ~ sex, lung, conf.type = "log-log") 270 (210-306), 426 (345-524)
    """
    medians = churn.summarise_medians(churn.fit_survival(lung, by="sex"))

    assert medians["group"].tolist() == ["all", "1", "2"]
    assert medians["n_churned"].tolist() == [165, 112, 53]
    assert medians["median_days"].tolist() == [310, 270, 426]
    assert medians["conf_low"].tolist() == [284, 210, 345]
    assert medians["conf_high"].tolist() == [361, 306, 524]


def test_lung_by_performance_equals_r() -> None:
    """R: survfit(Surv(time, status) ~ ph.ecog, lung), medians of the scores 0 to 2."""
    lung = lifelines.datasets.load_lung()
    table = lifetimes(lung["time"], lung["status"] == 1).assign(ecog=lung["ph.ecog"])
    medians = churn.summarise_medians(churn.fit_survival(table[table["ecog"] < 3], by="ecog"))

    assert medians["group"].tolist() == ["all", "0", "1", "2"]
    assert medians["median_days"].tolist()[1:] == [394, 306, 199]


def test_curve_equals_lifelines_with_late_entry() -> None:
    """Lifelines' Kaplan-Meier with entry is right and referees ours."""
    from lifelines import KaplanMeierFitter

    rng = np.random.default_rng(1)
    entry = rng.integers(0, 30, 400) * (rng.random(400) < 0.5)
    duration = entry + rng.integers(1, 60, 400)
    churned = rng.random(400) < 0.6
    ours = churn.fit_survival(lifetimes(list(duration), list(churned), list(entry)))
    referee = KaplanMeierFitter().fit(duration, event_observed=churned, entry=entry)

    theirs = referee.survival_function_at_times(ours["time_days"].iloc[1:]).to_numpy()
    np.testing.assert_allclose(theirs, ours["survival"].iloc[1:], atol=1e-12)


def test_late_entry_recovers_the_truth_and_ignoring_it_does_not() -> None:
    """Customers with a hazard of 1 / 400 days who left before the data begin are not in them."""
    rng = np.random.default_rng(2)
    start = rng.integers(-1000, 500, 20_000)
    left = start + rng.exponential(400, 20_000)
    seen = left > 0
    table = lifetimes(
        list((np.minimum(left, 600) - start)[seen]),
        list((left <= 600)[seen]),
        list(np.maximum(-start, 0)[seen]),
    )
    right = churn.read_survival(churn.fit_survival(table), times=[365.25])
    wrong = churn.read_survival(churn.fit_survival(table.assign(entry_days=0)), times=[365.25])

    truth = np.exp(-365.25 / 400)
    assert abs(right["survival"].iloc[0] - truth) < 0.015
    assert wrong["survival"].iloc[0] - truth > 0.1


@pytest.mark.parametrize(
    ("entry", "duration", "day"),
    [
        ([3, 3], [5, 6], 0),  # nobody from the start
        ([0, 4, 4], [2, 6, 7], 2),  # all left before the next enters
        ([0, 2, 2], [2, 6, 7], 2),  # all at risk leave on the day the next enter
    ],
)
def test_a_hole_in_observation_is_too_little_data(entry: list, duration: list, day: int) -> None:
    """A risk set that runs empty would hold the curve at 0 for ever."""
    with pytest.raises(TooLittleData, match=f"nobody is under observation after day {day}"):
        churn.fit_survival(lifetimes(duration, [1] * len(entry), entry))


def test_groups_below_min_cell_or_with_holes_are_left_out_by_name() -> None:
    """They stay in the total and lose their group."""
    table = lifetimes([5, 6, 7, 8, 9, 9, 9], [1, 0, 1, 0, 1, 1, 1], [0, 0, 0, 0, 0, 3, 3])
    table["plan"] = ["a", "a", "b", "b", None, "late", "late"]
    kept = churn.select_groups(table, by="plan", min_cell=2)

    assert kept.by == "plan"
    assert len(kept.table) == 7
    assert list(kept.left_out[["group", "n"]].itertuples(index=False, name=None)) == [
        ("(no value)", 1),
        ("late", 2),
    ]
    groups = churn.fit_survival(kept.table, by=kept.by)["group"].unique().tolist()
    assert groups == ["all", "a", "b"]


def test_one_group_left_means_no_groups() -> None:
    """There is nothing to compare it with."""
    table = lifetimes([5, 6, 7], [1, 0, 1]).assign(plan=["a", "a", "b"])

    assert churn.select_groups(table, by="plan", min_cell=2).by == ""
    with pytest.raises(TooLittleData, match="fewer than two groups"):
        churn.fit_survival(table.assign(plan="a"), by="plan")


def test_too_few_lifetimes_are_too_little_data() -> None:
    """Three customers give no curve."""
    with pytest.raises(TooLittleData, match="3 lifetimes are too few; at least 10"):
        churn.select_groups(lifetimes([5, 6, 7], [1, 0, 1]), by="")


def test_reading_stops_where_the_curve_stops() -> None:
    """Days beyond follow-up are left out; days between steps read the step before."""
    curve = churn.fit_survival(lifetimes([2, 4], [1, 0]))
    read = churn.read_survival(curve, times=[9, 3, 2, 4, 0])

    assert read["time_days"].tolist() == [0, 2, 3, 4]
    assert read["survival"].tolist() == [1.0, 0.5, 0.5, 0.5]
    assert read["n_at_risk"].tolist() == [2, 2, 1, 1]
    with pytest.raises(InputError, match="Day -1 lies before the start"):
        churn.read_survival(curve, times=[-1])


def test_a_median_not_reached_is_missing() -> None:
    """A curve above a half has no median, and its interval may have one end only."""
    median = churn.summarise_medians(churn.fit_survival(lifetimes([2, 4, 4], [1, 0, 0]))).iloc[0]

    assert np.isnan(median["median_days"])
    assert np.isnan(median["conf_high"])


rows = st.lists(
    st.tuples(st.integers(0, 20), st.booleans(), st.integers(0, 5)), min_size=2, max_size=40
).filter(lambda rows: any(churned for _, churned, _ in rows))


@settings(max_examples=25, deadline=None)
@given(rows=rows)
def test_survival_never_rises_and_lies_in_its_interval(rows: list) -> None:
    """Whatever the data, the curve falls from 1 and stays between its ends."""
    table = lifetimes([d for d, _, _ in rows], [c for _, c, _ in rows])
    curve = churn.fit_survival(table)

    assert (curve["survival"].diff().dropna() <= 0).all()
    assert (curve["conf_low"] <= curve["survival"] + 1e-12).all()
    assert (curve["survival"] <= curve["conf_high"] + 1e-12).all()
    assert len(table) == curve["n_churned"].sum() + curve["n_censored"].sum()


@settings(max_examples=25, deadline=None)
@given(rows=rows, seed=st.integers(0, 99))
def test_order_names_and_copies_change_nothing(rows: list, seed: int) -> None:
    """Shuffling rows or doubling them leaves the curve as it is."""
    table = lifetimes([d for d, _, _ in rows], [c for _, c, _ in rows])
    shuffled = table.sample(frac=1, random_state=seed).assign(customer_id="x")
    curve = churn.fit_survival(table)

    pd.testing.assert_frame_equal(curve, churn.fit_survival(shuffled))
    doubled = churn.fit_survival(pd.concat([table, table]))
    np.testing.assert_allclose(curve["survival"], doubled["survival"], atol=1e-12)


@pytest.mark.parametrize("days", [0, 5])
def test_everything_on_one_day_is_one_step(days: int) -> None:
    """Half of twelve leave on the only day there is; or all of them, and 0 is not certain."""
    half = churn.fit_survival(lifetimes([days] * 12, [1, 0] * 6)).iloc[-1]
    assert half[["time_days", "survival", "n_at_risk"]].tolist() == [days, 0.5, 12]
    assert half["conf_low"] < 0.3
    assert half["conf_high"] > 0.7

    gone = churn.fit_survival(lifetimes([days] * 12, [1] * 12)).iloc[-1]
    assert gone["survival"] == gone["conf_low"] == 0
    np.testing.assert_allclose(1 - 0.025 ** (1 / 12), gone["conf_high"])
