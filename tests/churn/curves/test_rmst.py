"""Restricted means with the variance of the estimate, against R."""

from __future__ import annotations

import lifelines.datasets
import numpy as np
import pandas as pd
import pytest

from cxlib import churn
from cxlib.errors import InputError, TooLittleData


@pytest.fixture(scope="module")
def lung() -> pd.DataFrame:
    """Give the lung data of R's survival package as lifetimes."""
    lung = lifelines.datasets.load_lung()
    columns = {"time": "duration_days", "sex": "sex", "ph.ecog": "ecog"}
    table = lung[list(columns)].rename(columns=columns)
    return table.assign(customer_id=lung.index.astype(str), churned=lung["status"] == 1)


def test_area_by_hand() -> None:
    """1 * 2 + 0.75 * 1 + 0.375 * 1; variance (1.125^2 / 12 + 0.375^2 / 2).

    After day 2 the area to come is 1.125, d/(n(n-d)) = 1/(4*3); after day 3 it is 0.375, 1/(2*1).
    """
    table = pd.DataFrame(
        {"customer_id": list("abcd"), "duration_days": [2, 2, 3, 5], "churned": [1, 0, 1, 0]}
    )
    row = churn.fit_rmst(table, horizon_days=4).iloc[0]

    np.testing.assert_allclose(3.125, row["rmst_days"])
    np.testing.assert_allclose(np.sqrt(1.125**2 / 12 + 0.375**2 / 2), row["std_error"])


def test_lung_equals_r(lung: pd.DataFrame) -> None:
    """The standard error is that of the mean, not the spread of the lifetimes.

    R: print(survfit(Surv(time, status) ~ 1, lung), rmean = 365)    263.22187, se 7.79886
       print(survfit(Surv(time, status) ~ sex, lung), rmean = 365)  241.49509 (10.35823),
                                                                    297.46541 (10.79132)
       survRM2::rmst2: difference -55.97032, se 14.95813
    """
    rmst = churn.fit_rmst(lung, horizon_days=365, by="sex")
    difference = churn.compare_rmst(rmst).iloc[0]

    np.testing.assert_allclose([263.22187, 241.49509, 297.46541], rmst["rmst_days"], atol=5e-6)
    np.testing.assert_allclose([7.79886, 10.35823, 10.79132], rmst["std_error"], atol=5e-6)
    np.testing.assert_allclose(-55.97032, difference["difference_days"], atol=1e-5)
    np.testing.assert_allclose(14.95813, difference["std_error"], atol=1e-5)
    assert difference["p_value"] == difference["q_value"]


def test_lung_by_performance_equals_r(lung: pd.DataFrame) -> None:
    """R: print(survfit(Surv(time, status) ~ ph.ecog, lung), rmean = 730), scores 0 to 2."""
    scored = lung[lung["ecog"].isin([0, 1, 2])]
    rmst = churn.fit_rmst(scored, horizon_days=730, by="ecog")

    assert rmst["group"].tolist() == ["all", "0", "1", "2"]
    np.testing.assert_allclose([428.58, 366.27, 255.62], rmst["rmst_days"][1:], atol=0.005)
    np.testing.assert_allclose([32.16, 22.42, 29.96], rmst["std_error"][1:], atol=0.005)


def test_horizon_is_cut_to_the_shortest_follow_up_for_all(lung: pd.DataFrame) -> None:
    """Means to different horizons cannot be compared."""
    rmst = churn.fit_rmst(lung, horizon_days=5000, by="sex")

    shortest = lung.groupby("sex")["duration_days"].max().min()
    assert [shortest] * 3 == rmst["horizon_days"].tolist()
    assert (rmst["conf_high"] <= shortest).all()


def test_bad_horizons_are_refused(lung: pd.DataFrame) -> None:
    """A horizon of no days is a mistake; follow-up of no days is too little."""
    with pytest.raises(InputError, match="horizon_days = 0 is not positive"):
        churn.fit_rmst(lung, horizon_days=0)
    with pytest.raises(TooLittleData, match="not followed for a single day"):
        churn.fit_rmst(lung.assign(duration_days=0), horizon_days=10)


def lifetimes(days: list, churned: list, groups: str) -> pd.DataFrame:
    """Lifetimes with one letter a group."""
    ids = [str(i) for i in range(len(days))]
    return pd.DataFrame(
        {"customer_id": ids, "duration_days": days, "churned": churned, "group": list(groups)}
    )


def test_nobody_left_has_no_standard_error_and_an_exact_lower_end() -> None:
    """Twenty followed for 365 days, none left: S >= 0.025^(1/20) = 0.8316; no test against them."""
    stay = [*range(100, 120), *[400] * 20]
    table = lifetimes(stay, [True] * 20 + [False] * 20, "a" * 20 + "b" * 20)
    rmst = churn.fit_rmst(table, horizon_days=365, by="group").set_index("group")

    assert rmst["n_churned"].to_dict() == {"all": 20, "a": 20, "b": 0}
    assert np.isnan(rmst.loc["b", "std_error"])
    np.testing.assert_allclose(365 * 0.025 ** (1 / 20), rmst.loc["b", "conf_low"])
    assert rmst.loc["b", "conf_high"] == rmst.loc["b", "rmst_days"] == 365
    pair = churn.compare_rmst(rmst.reset_index()).iloc[0]
    assert pair["difference_days"] < 0
    assert pair[["std_error", "conf_low", "conf_high", "p_value", "q_value"]].isna().all()


def test_everybody_leaving_at_once_has_no_interval() -> None:
    """One day of churn for all tells nothing of its spread."""
    row = churn.fit_rmst(lifetimes([5] * 9, [True] * 9, "a" * 9), horizon_days=9).iloc[0]

    assert row["rmst_days"] == 5
    assert row[["std_error", "conf_low", "conf_high"]].isna().all()


def test_few_churned_get_an_interval_on_the_log_of_the_days_lost() -> None:
    """One of 20 leaves on day 265 of 365: 5 days lost, se 5 sqrt(19 / 20)."""
    table = lifetimes([265] + [365] * 19, [True] + [False] * 19, "a" * 20)
    row = churn.fit_rmst(table, horizon_days=365).iloc[0]
    factor = np.exp(1.959964 * np.sqrt(19 / 20))

    np.testing.assert_allclose(
        [360, 5 * np.sqrt(19 / 20)], row[["rmst_days", "std_error"]].to_list()
    )
    ends = row[["conf_low", "conf_high"]].to_list()
    np.testing.assert_allclose([365 - 5 * factor, 365 - 5 / factor], ends, rtol=1e-6)


def test_few_churned_are_covered() -> None:
    """About two of sixty leave; a symmetric interval held the truth in 86 of 100 draws."""
    rate = 0.03 / 365
    truth = np.exp(-rate * np.arange(365)).sum()
    held = []
    for seed in range(200):
        left = np.ceil(np.random.default_rng(seed).exponential(1 / rate, 60))
        if not (left <= 365).any():
            continue
        table = lifetimes(list(np.minimum(left, 365)), list(left <= 365), "a" * 60)
        row = churn.fit_rmst(table, horizon_days=365).iloc[0]
        held.append(row["conf_low"] <= truth <= row["conf_high"])

    assert np.mean(held) > 0.87


def test_a_group_gone_to_the_last_does_not_cut_the_horizon() -> None:
    """Its curve is known to be 0; one whose last is censored is not known to."""
    days, gone = [*range(1, 21), *[400] * 20], [True] * 20 + [False] * 20
    rmst = churn.fit_rmst(lifetimes(days, gone, "a" * 20 + "b" * 20), horizon_days=365, by="group")
    gone[19] = False
    cut = churn.fit_rmst(lifetimes(days, gone, "a" * 20 + "b" * 20), horizon_days=365, by="group")

    assert rmst["horizon_days"].tolist() == [365] * 3
    np.testing.assert_allclose(10.5, rmst["rmst_days"].iloc[1])
    assert cut["horizon_days"].tolist() == [20] * 3
