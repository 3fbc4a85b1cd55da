"""What part of all leaving each cause is, in customers and in value; and one minus Kaplan-Meier."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.churn.causes.causes import name_causes
from cxlib.churn.causes.shares import compare_one_minus_survival, summarise_causes
from cxlib.churn.curves.curves import fit_survival
from cxlib.errors import InputError, TooLittleData


def test_without_censoring_the_share_is_that_of_the_ends(ties: pd.DataFrame) -> None:
    """Of 20 who left by day 30, 15 for a: the variance of a share of 20, on the logit scale."""
    table = pd.DataFrame(
        {
            "customer_id": range(50),
            "duration_days": [*range(1, 21), *[99] * 30],
            "churned": [True] * 20 + [False] * 30,
            "cause": ["a", "a", "a", "b"] * 5 + [None] * 30,
        }
    )
    shares = summarise_causes(table, horizon_days=30).set_index("cause")

    assert shares["incidence"].round(12).to_dict() == {"a": 0.3, "b": 0.1}
    assert shares["n_churned"].to_dict() == {"a": 15, "b": 5}
    reach = 1.959963984540054 / np.sqrt(0.75 * 0.25 * 20)
    low, high = 1 / (1 + np.exp([reach, -reach]) / 3)
    np.testing.assert_allclose(
        shares.loc["a", ["share", "conf_low", "conf_high"]].to_list(), [0.75, low, high]
    )
    np.testing.assert_allclose(
        shares.loc["b", ["conf_low", "conf_high"]].to_list(), [1 - high, 1 - low]
    )


def test_value_counts_as_often_as_it_is_worth(ties: pd.DataFrame) -> None:
    """A customer of twice the value moves the share as two do; who pays nothing does not count."""
    worth = 1 + ties["customer_id"] % 3
    shares = summarise_causes(ties.assign(monthly_value=worth), horizon_days=15)
    value = shares[shares["measure"] == "monthly value"]
    repeated = ties.loc[ties.index.repeat(worth)]
    plain = summarise_causes(repeated, horizon_days=15)

    np.testing.assert_allclose(value["incidence"], plain["incidence"], atol=1e-12)
    np.testing.assert_allclose(value["share"], plain["share"], atol=1e-12)
    # the same shares from fewer customers are less sure
    assert (value["conf_low"].to_numpy() < plain["conf_low"].to_numpy()).all()
    assert value["n"].tolist() == [120, 120]
    nothing = summarise_causes(ties.assign(monthly_value=0.0), horizon_days=15)
    assert set(nothing["measure"]) == {"customers"}
    some = summarise_causes(ties.assign(monthly_value=worth.where(worth < 3)), horizon_days=15)
    assert some["n"].tolist() == [120, 120, 80, 80]


def test_the_horizon_is_cut_to_the_follow_up(ties: pd.DataFrame) -> None:
    """Nothing is said about days that nobody was followed to."""
    assert set(summarise_causes(ties, horizon_days=999)["horizon_days"]) == {33.0}


def test_a_cause_nobody_left_for_yet_has_an_exact_upper_end(ties: pd.DataFrame) -> None:
    """On day 1 one left for `two`, none for `one`: with n = 1 next to nothing is known."""
    shares = summarise_causes(ties, horizon_days=1).set_index("cause")

    assert shares.loc["one", ["share", "conf_low"]].tolist() == [0, 0]
    np.testing.assert_allclose(shares.loc["one", "conf_high"], 1 - 0.025)
    np.testing.assert_allclose(shares.loc["two", ["conf_low", "conf_high"]].to_list(), [0.025, 1])


def test_one_minus_kaplan_meier_overstates(ties: pd.DataFrame) -> None:
    """It is the curve with other causes censored, larger for every cause, and passes 1 in all."""
    compared = compare_one_minus_survival(ties, times=[1, 12, 33, 99])

    assert compared["time_days"].unique().tolist() == [1, 12, 33]
    for cause in ("one", "two"):
        alone = fit_survival(ties.assign(churned=ties["cause"] == cause)).set_index("time_days")
        row = compared[compared["cause"] == cause].set_index("time_days")
        expected = 1 - alone.loc[[1, 12, 33], "survival"]
        np.testing.assert_allclose(row["one_minus_survival"], expected, atol=1e-12)
        assert (row["overstated"] >= -1e-12).all()
        assert row["overstated"].iloc[-1] > 0.1
    assert compared["one_minus_survival"].iloc[-1] > 1


def test_the_sample_company_is_recovered(samples_first: pd.DataFrame, truth: dict) -> None:
    """Planted: cancelling is .179123 of .205978 of the leaving within a year."""
    shares = summarise_causes(name_causes(samples_first).table, horizon_days=365.25)
    planted = {cause: at[1] for cause, at in truth["survival"]["cumulative_incidence"].items()}
    for measure, rows in shares.groupby("measure"):
        rows = rows.set_index("cause")
        np.testing.assert_allclose(rows["share"].sum(), 1)
        share = planted["payment_failure"] / sum(planted.values())
        row = rows.loc["payment_failure"]
        assert row["conf_low"] < share < row["conf_high"], measure
        assert row["conf_high"] - row["conf_low"] < 0.07


def test_bad_input_is_refused(ties: pd.DataFrame) -> None:
    """A horizon of nothing, a negative value, nobody gone by then."""
    with pytest.raises(InputError, match="horizon_days = 0 is not positive"):
        summarise_causes(ties, horizon_days=0)
    with pytest.raises(InputError, match="120 lifetimes have a negative monthly_value"):
        summarise_causes(ties.assign(monthly_value=-1.0), horizon_days=9)
    with pytest.raises(TooLittleData, match="Nobody left within the first 0 days"):
        summarise_causes(ties, horizon_days=0.5)
