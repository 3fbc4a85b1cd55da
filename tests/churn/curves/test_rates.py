"""Hazards: Nelson-Aalen and rates by age, by hand, against R and against planted truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxlib.data
from cxlib import churn
from cxlib.churn.curves.plots import plot_rates
from cxlib.churn.curves.rates import fit_cumulative_hazard, summarise_rates
from cxlib.churn.curves.wording import describe_rates
from cxlib.errors import InputError, TooLittleData

# R: survival::ovarian, no tied deaths; entry 200 where age > 55 and futime > 200
OVARIAN = {
    "duration_days": "59 115 156 421 431 448 464 475 477 563 638 744 769 770 803 855 1040 1106 "
    "1129 1206 1227 268 329 353 365 377",
    "churned": "1 1 1 0 1 0 1 1 0 1 1 0 0 0 0 0 0 0 0 0 0 1 1 1 1 0",
    "entry": "0 0 0 0 0 200 200 200 200 200 200 0 200 200 0 0 0 0 0 0 200 200 0 200 200 200",
}


def lifetimes(duration: list, churned: list, entry: list | None = None) -> pd.DataFrame:
    """Lifetimes of customers named by their place."""
    table = pd.DataFrame({"duration_days": duration, "churned": churned})
    table.insert(0, "customer_id", [f"c{i}" for i in range(len(table))])
    return table if entry is None else table.assign(entry_days=entry)


def test_cumulative_hazard_by_hand() -> None:
    """At day 2 two of five leave: 2/5, variance 2 3 / (25 4); at day 3 one of two more."""
    curve = fit_cumulative_hazard(lifetimes([2, 2, 2, 3, 4], [1, 1, 0, 1, 0]))
    error = np.sqrt(6 / 100)

    assert curve["n_at_risk"].tolist() == [5, 5, 2, 1]
    np.testing.assert_allclose([0, 0.4, 0.9, 0.9], curve["cumulative_hazard"])
    np.testing.assert_allclose([0, error, np.sqrt(0.06 + 0.25)], curve["std_error"][:3])
    np.testing.assert_allclose(0.4 * np.exp(1.959964 * error / 0.4), curve["conf_high"][1])
    np.testing.assert_allclose(0.4 / np.exp(1.959964 * error / 0.4), curve["conf_low"][1])


@pytest.mark.parametrize(
    ("entry", "hazard", "std_error"),
    [
        (
            False,
            [0.03846153846, 0.1636064660, 0.6778412508],
            [0.03846153846, 0.0818887063, 0.204340524],
        ),
        (
            True,
            [0.07692307692, 0.2946437620, 0.8088785469],
            [0.07692307692, 0.1517116547, 0.2409682878],
        ),
    ],
)
def test_cumulative_hazard_equals_r(entry: bool, hazard: list, std_error: list) -> None:
    """R: survfit(Surv(futime, fustat) ~ 1, ovarian), cumhaz and std.chaz on days 59, 268, 638."""
    columns = {name: np.array(text.split(), dtype=float) for name, text in OVARIAN.items()}
    table = lifetimes(
        columns["duration_days"], columns["churned"].astype(bool), columns["entry"] * entry
    )
    curve = fit_cumulative_hazard(table).set_index("time_days").loc[[59, 268, 638]]

    np.testing.assert_allclose(curve["cumulative_hazard"], hazard, rtol=1e-9)
    np.testing.assert_allclose(curve["std_error"], std_error, rtol=1e-9)


def test_before_the_first_churn_the_hazard_is_not_certain() -> None:
    """None of four left: the upper end is -log 0.025 / 4."""
    curve = fit_cumulative_hazard(lifetimes([1, 2, 2, 2], [0, 1, 0, 0]))

    assert curve.loc[1, ["cumulative_hazard", "conf_low"]].tolist() == [0, 0]
    np.testing.assert_allclose(-np.log(0.025) / 4, curve.loc[1, "conf_high"])


def test_rates_by_hand_with_late_entry() -> None:
    """Days 0 to 7 and 8 to 14: 3 + 8 + 8 and 2 + 5 + 3 days observed, one end in each."""
    table = lifetimes([2, 9, 12, 14], [1, 0, 1, 0], [0, 0, 0, 11])
    rates = summarise_rates(table, band_days=7, min_cell=1)

    assert rates[["from_days", "to_days"]].to_numpy().tolist() == [[0, 7], [7, 14]]
    assert rates["n_at_risk"].tolist() == [3, 3]
    assert rates["n_churned"].tolist() == [1, 1]
    np.testing.assert_allclose(rates["customer_months"] * 30.4375, [19, 10])
    np.testing.assert_allclose(rates["rate"], [100 * 30.4375 / 19, 100 * 30.4375 / 10])


def test_rates_have_exact_poisson_intervals() -> None:
    """R: poisson.test(7, 123)$conf.int  0.02288100042 0.11725752327."""
    table = lifetimes([2] * 7 + [14] * 7 + [3], [1] * 7 + [0] * 8)  # 7 * 3 + 7 * 14 + 4 = 123
    row = summarise_rates(table, band_days=13).iloc[0]
    day = 100 * 30.4375

    assert row["customer_months"] * 30.4375 == pytest.approx(123)
    ends = [0.02288100042 * day, 0.11725752327 * day]
    np.testing.assert_allclose(row[["conf_low", "conf_high"]].to_list(), ends, rtol=1e-9)


def test_all_days_observed_and_all_ends_are_in_a_band() -> None:
    """An anniversary falls into the band it closes, day 0 into the first."""
    rng = np.random.default_rng(1)
    entry = rng.integers(0, 300, 500) * (rng.random(500) < 0.4)
    duration = entry + rng.integers(1, 500, 500) * (rng.random(500) < 0.9)
    duration = np.where((entry > 0) & (duration <= entry), entry + 1, duration)
    table = lifetimes(duration, rng.random(500) < 0.6, entry)
    rates = summarise_rates(table, min_cell=1)

    days = (duration - entry + (entry == 0)).sum()
    np.testing.assert_allclose(rates["customer_months"].sum() * 30.4375, days)
    assert rates["n_churned"].sum() == table["churned"].sum()
    assert rates["to_days"].tolist()[:12] == [
        31,
        61,
        92,
        122,
        153,
        183,
        214,
        244,
        274,
        305,
        335,
        366,
    ]
    inside = ((entry < 61) & (duration > 31)).sum()
    assert rates["n_at_risk"].iloc[1] == inside


def test_the_riskiest_age_is_found_and_told() -> None:
    """A hazard of 10 in the second month and 2 else, per 100 and month."""
    rng = np.random.default_rng(2)
    daily = np.full(400, 0.02 / 30.4375)
    daily[31:61] = 0.10 / 30.4375
    alive = np.cumprod(1 - daily)
    left = np.searchsorted(-alive, -rng.random(6_000)) + 1
    table = lifetimes(np.minimum(left, 365), left <= 365)
    rates = summarise_rates(table)
    told = describe_rates(rates)

    second = rates.iloc[1]
    assert second["p_highest"] > 0.99
    assert second["conf_low"] < 10 < second["conf_high"]
    np.testing.assert_allclose(rates["p_highest"].sum(), 1)
    assert told.startswith(
        "The risk of leaving is highest between 1 and 2 months after the start ("
    )
    assert "with a probability of 100% among the 12 ages compared. The ranges" in told
    assert "risk of leaving for price" in describe_rates(rates, cause="price")


def test_the_probability_of_the_highest_of_two_is_that_of_gammas() -> None:
    """P(a > b) of gamma(6.5) over 240 days and gamma(3.5) over 100, by the beta distribution."""
    table = lifetimes([4] * 5 + [8] * 3 + [8] * 22, [1] * 8 + [0] * 22)
    rates = summarise_rates(table, band_days=4)
    shape, days = rates["n_churned"] + 0.5, rates["customer_months"] * 30.4375
    # a/(a+b) of standard gammas is beta; rate a > rate b when a / b > days a / days b
    share = days[0] / (days[0] + days[1])
    expected = stats.beta.sf(share, shape[0], shape[1])

    np.testing.assert_allclose(rates["p_highest"], [expected, 1 - expected], atol=2e-3)


def test_a_constant_risk_has_no_riskiest_age() -> None:
    """Chance makes one band the highest; the sentence does not."""
    rng = np.random.default_rng(3)
    left = np.ceil(rng.exponential(300, 800))
    rates = summarise_rates(lifetimes(np.minimum(left, 365), left <= 365))

    assert "is highest is undecided" in describe_rates(rates)
    rates["p_highest"] = [0.45, *[0.01] * 10, 0.45]
    told = describe_rates(rates)
    assert " between 0 and 1 months after the start (" in told
    assert " or between 11 and 12 months after the start (" in told
    assert "a probability of 90% among the 12 ages compared; which of them is undecided." in told
    rates.loc[11, ["rate", "conf_low"]] = 0
    assert "between 11 and 12 months" not in describe_rates(rates)
    assert "is highest is undecided" in describe_rates(rates)
    rates.loc[0, "p_highest"] = 0.8
    told = describe_rates(rates)
    assert "highest between 0 and 1 months after the start (" in told
    assert "a probability of 80% among" in told
    one = summarise_rates(lifetimes([3] * 20, [1] * 5 + [0] * 15))
    assert describe_rates(one).startswith("Customers were followed for too short a time")


def test_bands_with_few_are_left_out_or_too_few_to_be_the_highest() -> None:
    """Nine lifetimes are no band; a tenth of the fullest band or less decides nothing."""
    table = lifetimes([5] * 200 + [12] * 15 + [19] * 9, [1] * 100 + [0] * 100 + [1] * 24)
    rates = summarise_rates(table, band_days=7)

    assert rates["to_days"].tolist() == [7, 14]
    assert rates["n_at_risk"].tolist() == [224, 24]
    assert rates["p_highest"].notna().tolist() == [True, True]
    fewer = summarise_rates(table.drop(range(215, 220)), band_days=7)
    assert fewer["p_highest"].notna().tolist() == [True, False]
    with pytest.raises(TooLittleData, match="At no age are 10 lifetimes under observation"):
        summarise_rates(lifetimes([2, 3, 4], [1, 1, 1]))


def test_everything_on_one_day_is_one_band() -> None:
    """All leave on the first day, or on the same later one."""
    first = summarise_rates(lifetimes([0] * 12, [1] * 12)).iloc[0]
    assert first[["n_at_risk", "n_churned"]].tolist() == [12, 12]
    assert np.isfinite(first["conf_high"])
    curve = fit_cumulative_hazard(lifetimes([5] * 12, [1] * 12))
    assert curve["cumulative_hazard"].tolist() == [0, 1]
    assert curve["std_error"].iloc[-1] > 0


@pytest.mark.parametrize("band", [0, -3, float("nan"), float("inf")])
def test_bands_of_no_days_are_refused(band: float) -> None:
    """The message shows the value."""
    with pytest.raises(InputError, match=r"band_days = .* is no day or more"):
        summarise_rates(lifetimes([5] * 12, [1] * 12), band_days=band)


def test_one_group_is_too_little_to_compare() -> None:
    """As for curves."""
    table = lifetimes([5] * 12, [1] * 12).assign(plan="x")
    with pytest.raises(TooLittleData, match="fewer than two groups"):
        summarise_rates(table, by="plan")


def test_the_figure_shows_rates_and_cuts_what_few_left() -> None:
    """Months, one line a group, and an axis that the last few do not stretch."""
    rng = np.random.default_rng(4)
    left = np.ceil(rng.exponential(250, 900))
    table = lifetimes(np.minimum(left, 1000), left <= 1000).assign(plan=rng.choice(["a", "b"], 900))
    rates = summarise_rates(table, by="plan")
    axes = plot_rates(rates[rates["group"] != "all"], cause="price")

    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
    assert axes.get_xlabel() == "months since the start"
    assert axes.get_ylabel() == "of 100 customers leave in a month\nfor price"
    assert axes.get_ylim()[1] < rates["conf_high"].max()
    line = plot_rates(rates[rates["group"] == "all"]).get_lines()[0]
    drawn = np.asarray(line.get_ydata(), dtype=float)
    np.testing.assert_allclose(drawn, rates.loc[rates["group"] == "all", "rate"])


def test_the_samples_show_when_their_customers_leave() -> None:
    """Planted: a higher hazard in the first three months and as the first year ends."""
    tables = cxlib.data.open_workbook("samples")
    found = churn.build_lifetimes(tables.frame("subscriptions"), as_of=tables.as_of).table
    rates = summarise_rates(found[found["spell"] == 1]).set_index("to_days")

    later = rates.loc[732:1462]
    assert rates.index[:4].tolist() == [92, 183, 274, 366]
    for day in (92, 366):
        assert rates.loc[day, "conf_low"] > later["rate"].mean()
        assert rates.loc[day, "conf_low"] > rates.loc[[183, 274], "rate"].max()
    assert rates.loc[92, "n_at_risk"] > 1_000
