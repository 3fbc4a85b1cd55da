"""The risk list: by hand, by R, its intervals, causes, reasons, and what cannot be predicted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib.churn.curves.rmst import fit_rmst
from cxlib.churn.hazard.baseline import predict_hazard
from cxlib.churn.hazard.design import lay_out
from cxlib.churn.hazard.hazard import HazardModel, fit_hazard
from cxlib.churn.lifetimes import MONTH_DAYS, check_lifetimes
from cxlib.churn.risk.base import read_base
from cxlib.churn.risk.causes import forecast_totals
from cxlib.churn.risk.current import count_followed, find_current
from cxlib.churn.risk.explanation import explain_risk
from cxlib.churn.risk.forecast import forecast_customers
from cxlib.churn.risk.risk import predict_risk
from cxlib.churn.risk.value import summarise_concentration
from cxlib.churn.risk.wording import (
    describe_concentration,
    describe_not_predicted,
    describe_risk,
)
from cxlib.errors import InputError, TooLittleData

REFERENCE = Path(__file__).parent.parent / "reference"


def draw_company(seed: int, n: int = 3_000) -> pd.DataFrame:
    """Draw customers who cancel (the more, the higher x; shared homes 1.5 times) or do not pay.

    Records begin on day 600, today is day 1,500; `left` is the day each one will leave on.
    """
    rng = np.random.default_rng(seed)
    x, shared = rng.normal(size=n), rng.random(n) < 0.4
    ratio = np.exp(0.6 * x + np.log(1.5) * shared)
    ends = np.ceil(rng.exponential(np.array([[900.0], [2_700.0]]) / ratio))
    left, start = ends.min(axis=0), rng.integers(0, 1_500, n)
    age, entry = 1_500.0 - start, np.maximum(600.0 - start, 0)
    churned = left <= age
    table = pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(n)],
            "duration_days": np.minimum(left, age),
            "churned": churned,
            "entry_days": entry,
            "started_at": pd.Timestamp("2020-01-01") + pd.to_timedelta(start, "D"),
            "end_reason": np.where(
                churned, np.where(ends[0] <= ends[1], "cancelled", "unpaid"), ""
            ),
            "monthly_value": rng.integers(10, 100, n).astype(float),
            "x": x,
            "household": np.where(shared, "shared", "single"),
            "left": left,
            "reason": np.where(ends[0] <= ends[1], "cancelled", "unpaid"),
        }
    )
    return table[left > entry].reset_index(drop=True)


@pytest.fixture(scope="module")
def company() -> pd.DataFrame:
    """Give one company."""
    return draw_company(1)


@pytest.fixture(scope="module")
def model(company: pd.DataFrame) -> HazardModel:
    """Fit its hazard model."""
    return fit_hazard(company, covariates=["x", "household"])


def make_lifetimes(duration: list[float], churned: list[int], **more: list) -> pd.DataFrame:
    """Lay out lists."""
    ids = [str(i) for i in range(len(duration))]
    ends = {"duration_days": duration, "churned": np.array(churned, dtype=bool)}
    return pd.DataFrame({"customer_id": ids, **ends, **more})


@pytest.fixture
def by_hand() -> pd.DataFrame:
    """Give ten customers: one leaves on day 20 of 8 at risk, two on day 40 of 6, all worth 30.

    Two are here at 10 and 30 days; the others reach day 100.
    """
    duration = [10, 20, 30, 40, 40, 100, 100, 100, 100, 100]
    return make_lifetimes(duration, [0, 1, 0, 1, 1, 0, 0, 0, 0, 1], monthly_value=[30.4375] * 10)


def test_conditional_risk_by_hand(by_hand: pd.DataFrame) -> None:
    """Aged 10, 50 days ahead: 8/9 stay on day 20 (9 at risk), 5/7 on day 40 (7 at risk).

    Mean days to come: 10 whole, then 20 with 8/9 and 20 with 8/9 x 5/7. Aged 30: day 40 only.
    """
    risk = predict_risk(by_hand, horizon_days=50, min_cell=1).table.set_index("customer_id")

    young, old = risk.loc["0"], risk.loc["2"]
    assert young["churn_probability"] == pytest.approx(1 - 8 / 9 * 5 / 7)
    assert young["remaining_days"] == pytest.approx(10 + 20 * 8 / 9 + 20 * 8 / 9 * 5 / 7)
    assert old["churn_probability"] == pytest.approx(2 / 7)
    assert old["remaining_days"] == pytest.approx(10 + 40 * 5 / 7)
    assert young["value_at_risk"] == pytest.approx(50 - young["remaining_days"])
    assert risk.index.tolist() == ["2", "0", "5", "6", "7", "8"]


def test_totals_by_hand(by_hand: pd.DataFrame) -> None:
    """Sums over the two with a day ahead; the four of 100 days have none."""
    risk = predict_risk(by_hand, horizon_days=50, min_cell=1, margin_share=0.5)
    totals = risk.totals.set_index("quantity")

    assert totals.loc["customers", "estimate"] == pytest.approx(1 - 40 / 63 + 2 / 7)
    assert totals["n"].tolist() == [2, 2]
    table = risk.table
    assert totals.loc["value", "estimate"] == pytest.approx(table["value_at_risk"].sum())
    lost = (table["horizon_days"] - table["remaining_days"]).sum()
    assert totals.loc["value", "estimate"] == pytest.approx(lost / 2)


def test_horizon_ends_where_nobody_was_observed(by_hand: pd.DataFrame) -> None:
    """From 30 on there are 70 days to see, with two needed; the oldest have no prediction."""
    risk = predict_risk(by_hand, horizon_days=365, min_cell=2)
    table = risk.table.set_index("customer_id")

    assert table["horizon_days"].to_dict() == {"0": 90, "2": 70, "5": 0, "6": 0, "7": 0, "8": 0}
    assert table.loc[["5", "6", "7", "8"], "churn_probability"].isna().all()
    assert risk.left_out.set_index("why")["n"].to_dict() == {
        "no prediction: too few older customers were observed": 4,
        "fewer days ahead: too few older customers were observed": 2,
    }
    assert "4 customers (no prediction: too few" in describe_not_predicted(risk.left_out)


def test_horizon_does_not_cross_a_gap_in_the_ages() -> None:
    """Nobody is under observation between 50 and 80: 40 days ahead of 30 end at 50."""
    lifetimes = make_lifetimes(
        [30, 50, 50, 50, 120, 120, 120], [0, 1, 1, 0, 1, 0, 0], entry_days=[0] * 4 + [80] * 3
    )
    followed = count_followed(check_lifetimes(lifetimes))
    ages = np.array([30.0, 50.0, 60.0, 85.0, 120.0])

    reach = followed.reach(ages, horizon_days=25, min_cell=3)
    assert reach.tolist() == [20, 0, 0, 25, 0]
    assert followed.fewest(np.array([0.0, 30.0]), np.array([40.0, 20.0])).tolist() == [3, 3]


def test_risk_of_lung_patients_equals_r() -> None:
    """reference/risk.R: survfit(coxph(age + sex)) at 180 days on, over its value today."""
    lung = pd.read_csv(REFERENCE / "lung.csv")
    table = lung.assign(
        customer_id=(lung.index + 1).astype(str),
        duration_days=lung["time"],
        churned=lung["status"] == 2,
    )
    model = fit_hazard(table, covariates=["age", "sex"])
    risk = predict_risk(table, horizon_days=180, model=model, min_cell=1).table
    found = risk.set_index("customer_id").loc[["153", "212"]]

    assert found["age_days"].tolist() == [315, 221]
    np.testing.assert_allclose([0.3151023816, 0.5030872976], found["churn_probability"], atol=1e-8)
    np.testing.assert_allclose([149.2293176681, 133.2259733197], found["remaining_days"], atol=1e-6)


def test_hazard_and_its_error_are_those_of_the_model(
    company: pd.DataFrame, model: HazardModel
) -> None:
    """The forecast day by day ends at `predict_hazard`, for few and for many of an age."""
    crowd = company[~company["churned"]].head(40).assign(duration_days=200.0)
    crowd["customer_id"] = [f"d{i}" for i in range(40)]
    here = pd.concat([company[~company["churned"]], crowd], ignore_index=True)
    risk = predict_risk(company, current=here, horizon_days=365, model=model).table
    seen = risk[risk["horizon_days"] > 0].set_index("customer_id")
    ages, ends = seen["age_days"], seen["age_days"] + seen["horizon_days"]
    design = lay_out(model.design, here.set_index("customer_id").loc[seen.index])
    direct = predict_hazard(model.fit, design, from_days=ages, to_days=ends)
    seen, direct = seen[direct["hazard"] > 0], direct[direct["hazard"] > 0]

    np.testing.assert_allclose(1 - np.exp(-direct["hazard"]), seen["churn_probability"], rtol=1e-9)
    factor = np.exp(1.959963984540054 * direct["std_error"] / direct["hazard"])
    np.testing.assert_allclose(1 - np.exp(-direct["hazard"] / factor), seen["conf_low"], rtol=1e-9)
    np.testing.assert_allclose(1 - np.exp(-direct["hazard"] * factor), seen["conf_high"], rtol=1e-9)


def test_many_customers_of_an_age_are_forecast_as_each_alone(
    company: pd.DataFrame, model: HazardModel
) -> None:
    """Interpolation between ratios changes nothing to nine digits; nor do sums, by another way."""
    rng = np.random.default_rng(0)
    many = company[~company["churned"]].assign(
        duration_days=rng.choice([50.0, 300.0, 700.0], (~company["churned"]).sum())
    )
    many["x"] = rng.normal(scale=2.5, size=len(many))  # ratios from 0.01 to 100
    settings = {"model": model, "by": "", "horizon_days": 365, "min_cell": 10}
    lifetimes = check_lifetimes(company).reset_index(drop=True)
    worth = many["monthly_value"].to_numpy() / MONTH_DAYS
    base = read_base(lifetimes, many.reset_index(drop=True), **settings)
    together, totals = forecast_customers(base.hazard(), base.people, worth)
    few = many.head(10).reset_index(drop=True)
    alone, _ = forecast_customers(
        (part := read_base(lifetimes, few, **settings)).hazard(), part.people, worth[:10]
    )

    pd.testing.assert_frame_equal(alone, together.head(10), rtol=1e-8)
    direct = forecast_totals([base.hazard()], base.people, worth)
    pd.testing.assert_frame_equal(direct, totals, rtol=1e-8)


def test_days_to_come_of_a_new_customer_are_the_restricted_mean(company: pd.DataFrame) -> None:
    """At age 0 without covariates: estimate and standard error of the area under the curve."""
    complete = company.assign(entry_days=0.0)
    here = complete[~complete["churned"]].assign(duration_days=0.0).head(30)
    base = read_base(
        check_lifetimes(complete).reset_index(drop=True),
        here.reset_index(drop=True),
        model=None,
        by="",
        horizon_days=365,
        min_cell=10,
    )
    forecast, totals = forecast_customers(base.hazard(), base.people, np.ones(30))
    mean = fit_rmst(complete, horizon_days=365).iloc[0]

    np.testing.assert_allclose(365 - mean["rmst_days"], forecast["lost_days"], rtol=1e-10)
    np.testing.assert_allclose(mean["std_error"], forecast["lost_error"], rtol=1e-10)
    # thirty alike: their errors are one and the same
    assert totals.loc[1, "std_error"] == pytest.approx(30 * mean["std_error"], rel=1e-10)


def test_groups_have_curves_of_their_own(company: pd.DataFrame) -> None:
    """By household, each predicted as if the others did not exist; no group, no prediction."""
    blank = company.assign(household=company["household"].mask(company.index % 50 == 0))
    both = predict_risk(blank, horizon_days=200, by="household").table
    alone = predict_risk(blank[blank["household"] == "shared"], horizon_days=200).table

    shared = both[both["group"] == "shared"].set_index("customer_id").sort_index()
    alone = alone.set_index("customer_id").sort_index()
    pd.testing.assert_frame_equal(shared[alone.columns], alone)
    assert both.loc[both["group"].isna(), "churn_probability"].isna().all()
    assert both["group"].isna().sum() > 10


def test_nobody_left_at_the_ages_ahead() -> None:
    """The risk is 0, but none of 20 may leave by chance (0.025) up to 17 %: 1 - 0.025^(1/20)."""
    lifetimes = make_lifetimes([5] * 5 + [10] * 10 + [90] * 20, [1] * 5 + [0] * 30)
    risk = predict_risk(lifetimes, horizon_days=60).table
    young = risk[risk["age_days"] == 10].iloc[0]

    assert young["churn_probability"] == 0
    assert young["conf_high"] == pytest.approx(1 - 0.025 ** (1 / 20))
    assert young["remaining_days"] == 60
    assert young["remaining_low"] == pytest.approx(60 * 0.025 ** (1 / 20))


def test_causes_add_up_to_the_total(company: pd.DataFrame, model: HazardModel) -> None:
    """A quarter of those who leave do not pay, as drawn; parts have the sum of all."""
    totals = predict_risk(company, horizon_days=365, model=model).totals
    for _, part in totals.groupby("quantity"):
        shares = part.set_index("cause")["share"]
        assert shares.index.tolist() == ["all", "cancelled", "unpaid"]
        assert shares[["cancelled", "unpaid"]].sum() == pytest.approx(1)
        assert shares["unpaid"] == pytest.approx(0.25, abs=0.03)
        ends = part.set_index("cause")
        assert (ends["conf_low"] < ends["estimate"]).all()
    told = describe_risk(totals, horizon_days=365, currency="EUR")
    assert "% for cancelled and" in told
    assert "EUR" in told


def test_split_by_cause_by_hand() -> None:
    """Aged 10 of 20 to day 100: 4 of 19 leave for a on day 20, 3 of 15 for b on day 50.

    b takes 15/19 of its share, and of 60 days ahead 10 instead of 40 days each. With increments
    -log(1 - d/n) as the only cause of a day each, the split is exact.
    """
    lifetimes = make_lifetimes(
        [10] + [20] * 4 + [50] * 3 + [100] * 12,
        [0] + [1] * 7 + [0] * 12,
        end_reason=[""] + ["a"] * 4 + ["b"] * 3 + [""] * 12,
        monthly_value=[MONTH_DAYS] * 20,
    )
    totals = predict_risk(lifetimes, horizon_days=50, min_cell=3).totals
    parts = totals[totals["n"] == 1].set_index(["quantity", "cause"])["estimate"]

    assert parts["customers", "a"] == pytest.approx(4 / 19)
    assert parts["customers", "b"] == pytest.approx(15 / 19 * 3 / 15)
    assert parts["value", "a"] == pytest.approx(4 / 19 * 40)
    assert parts["value", "b"] == pytest.approx(15 / 19 * 3 / 15 * 10)


def test_intervals_hold_what_happens() -> None:
    """Thirty companies: who leaves in the next year, in all and by cause, and what it costs."""
    held: dict[tuple[str, str], list[bool]] = {}
    for seed in range(30):
        company = draw_company(seed, n=900)
        model = fit_hazard(company, covariates=["x", "household"])
        risk = predict_risk(company, horizon_days=365, model=model)
        after = risk.table.merge(company[["customer_id", "left", "reason", "monthly_value"]])
        after = after[after["horizon_days"] == risk.horizon_days]
        days = after["left"] - after["age_days"]
        gone = days <= after["horizon_days"]
        lost = ((after["horizon_days"] - days) * after["monthly_value"] / MONTH_DAYS).where(gone, 0)
        totals = risk.totals.set_index(["quantity", "cause"])
        for cause in ("all", "cancelled", "unpaid"):
            counts = gone & ((after["reason"] == cause) | (cause == "all"))
            for quantity, amount in (("customers", counts.sum()), ("value", lost[counts].sum())):
                row = totals.loc[(quantity, cause)]
                inside = row["conf_low"] <= amount <= row["conf_high"]
                held.setdefault((quantity, cause), []).append(inside)

    # 24 or fewer of 30 inside have a chance of 0.3 % at a coverage of 95 %
    assert min(sum(inside) for inside in held.values()) >= 25, held
    assert np.mean([sum(inside) for inside in held.values()]) >= 27


def test_reasons_multiply_to_the_ratio(company: pd.DataFrame, model: HazardModel) -> None:
    """Factors against the average customer, the strongest first in words."""
    here = company[~company["churned"]]
    factors = explain_risk(model, here)
    risk = predict_risk(company, horizon_days=365, model=model).table.set_index("customer_id")
    ratio = risk.loc[here["customer_id"], "hazard_ratio"].to_numpy()
    design = lay_out(model.design, here)

    assert factors.columns.tolist() == ["x", "household"]
    np.testing.assert_allclose(ratio, factors.prod(axis=1))
    direct = np.exp((design - model.fit.center) @ model.fit.estimates)
    np.testing.assert_allclose(ratio, direct)
    worst = here.loc[here["x"].idxmax()]
    words = risk.loc[worst["customer_id"], "reasons"]
    assert words.startswith(f"x {worst['x']:g} × {factors.loc[here['x'].idxmax(), 'x']:.2f}; house")


def test_no_reason_where_nothing_is_known(company: pd.DataFrame, model: HazardModel) -> None:
    """A level the model does not know: no prediction, no reason, and it is counted."""
    odd = company.assign(household=company["household"].mask(company.index % 40 == 0, "boat"))
    risk = predict_risk(odd, horizon_days=365, model=model)
    boats = risk.table[risk.table["reasons"] == ""]

    n = (~odd["churned"] & (odd["household"] == "boat")).sum()
    assert len(boats) == n
    assert boats["churn_probability"].isna().all()
    assert risk.left_out["n"].iloc[0] == n


def test_customers_of_today_are_older_than_last_observed(
    company: pd.DataFrame, model: HazardModel
) -> None:
    """Ends of the last days may not be sure; who is here today is told apart from the past."""
    here = find_current(check_lifetimes(company)).head(20)
    today = here.assign(duration_days=here["duration_days"] + 30)
    table = predict_risk(company, current=today, horizon_days=100, model=model).table

    assert len(table) == 20
    ages = today.set_index("customer_id")["duration_days"]
    assert (table.set_index("customer_id")["age_days"].sort_index() == ages.sort_index()).all()


def test_stretches_and_other_reasons_are_not_customers_of_today() -> None:
    """Of the stretches of a lifetime the last counts; who left for a reason not counted is gone."""
    lifetimes = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "c", "d"],
            "spell": 1,
            "entry_days": [0, 30, 0, 0, 0],
            "duration_days": [30, 70, 50, 60, 20],
            "churned": [False, False, False, True, False],
            "end_reason": ["", "", "moved", "price", None],
            "plan": ["x", "y", "x", "x", "x"],
        }
    )
    here = find_current(check_lifetimes(lifetimes))

    assert here["customer_id"].tolist() == ["a", "d"]
    assert here["plan"].tolist() == ["y", "x"]


def test_concentration_by_hand() -> None:
    """Ten customers, one with half of the value at risk, the most likely with a tenth of it."""
    value = [9.0, *[1.0] * 9]
    risk = pd.DataFrame(
        {
            "customer_id": list("abcdefghij"),
            "value_at_risk": value,
            "churn_probability": np.linspace(0.1, 0.9, 10),
        }
    )
    found = summarise_concentration(risk)
    tenth = found[found["customer_share"] == 0.1].iloc[0]

    assert tenth[["n", "by_value", "by_probability"]].tolist() == [1, 0.5, 1 / 18]
    assert found.iloc[-1][["by_value", "by_probability"]].tolist() == [1, 1]
    assert "10% of customers with the most value at risk (1) hold 50%" in describe_concentration(
        found
    )
    assert summarise_concentration(risk.assign(value_at_risk=np.nan)).empty


def test_values_that_are_missing(company: pd.DataFrame) -> None:
    """Empty values stay empty and are not counted; without the column there are no values."""
    some = company.assign(monthly_value=company["monthly_value"].mask(company.index % 2 == 0))
    risk = predict_risk(some, horizon_days=100)
    n = risk.totals.set_index(["quantity", "cause"])["n"]
    assert risk.table["value_at_risk"].isna().sum() > 100
    assert n["value", "all"] < 0.6 * n["customers", "all"]

    none = predict_risk(company.drop(columns="monthly_value"), horizon_days=100)
    assert set(none.totals["quantity"]) == {"customers"}
    assert none.table["value_at_risk"].isna().all()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (-5, "1 monthly values are negative: -5"),
        ("free", "1 monthly values are no numbers: 'free'"),
    ],
)
def test_values_that_cannot_be(company: pd.DataFrame, value: object, message: str) -> None:
    """The message names value and customer."""
    odd = company.astype({"monthly_value": object})
    who = odd.index[~odd["churned"]][0]
    odd.loc[who, "monthly_value"] = value

    with pytest.raises(InputError, match=message) as caught:
        predict_risk(odd, horizon_days=100)
    assert odd.loc[who, "customer_id"] in caught.value.where


def test_nobody_left_to_predict_for() -> None:
    """All have churned."""
    with pytest.raises(TooLittleData, match="Nobody is still here"):
        predict_risk(make_lifetimes([10, 20], [1, 1]), horizon_days=100)


def test_nobody_to_learn_from() -> None:
    """All began on one day: the days ahead are beyond what anybody has lived."""
    lifetimes = make_lifetimes([20] * 15 + [50] * 30, [1] * 15 + [0] * 30)
    with pytest.raises(TooLittleData, match="For none of the 30 customers who are still"):
        predict_risk(lifetimes, horizon_days=100)


def test_a_customer_twice() -> None:
    """Two open lifetimes of one customer."""
    lifetimes = make_lifetimes([20, 30, 40], [1, 0, 0]).assign(customer_id=["a", "b", "b"])
    with pytest.raises(InputError, match="1 customers are still here in two lifetimes"):
        predict_risk(lifetimes, horizon_days=10)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"horizon_days": 0}, "horizon_days = 0 is no time"),
        ({"horizon_days": float("nan")}, "horizon_days = nan is no time"),
        ({"horizon_days": 10, "margin_share": 60}, "margin_share = 60 is no share"),
        ({"horizon_days": 10, "by": "plann"}, "There is no column 'plann'"),
    ],
)
def test_settings_that_cannot_be(company: pd.DataFrame, settings: dict, message: str) -> None:
    """Refused by name."""
    with pytest.raises(InputError, match=message):
        predict_risk(company, **settings)


def test_shuffling_changes_nothing(company: pd.DataFrame, model: HazardModel) -> None:
    """The list has an order of its own."""
    shuffled = company.sample(frac=1, random_state=2)
    first = predict_risk(company, horizon_days=365, model=model)
    second = predict_risk(shuffled, horizon_days=365, model=model)

    pd.testing.assert_frame_equal(first.table, second.table)
    pd.testing.assert_frame_equal(first.totals, second.totals)


def test_totals_are_of_customers_who_can_be_followed_to_the_horizon() -> None:
    """A young company: half a year ahead is known for few, and the total speaks of them alone."""
    rng = np.random.default_rng(5)
    left, seen = rng.exponential(500, 1_500), rng.uniform(0, 420, 1_500)
    company = pd.DataFrame(
        {
            "customer_id": np.arange(1_500).astype(str),
            "duration_days": np.ceil(np.minimum(left, seen)),
            "churned": left <= seen,
        }
    )
    risk = predict_risk(company, horizon_days=180)
    far = risk.table[risk.table["horizon_days"] == 180]
    row = risk.totals.set_index(["quantity", "cause"]).loc[("customers", "all")]

    assert 0 < len(far) == row["n"] < len(risk.table) / 1.2
    assert row["estimate"] == pytest.approx(far["churn_probability"].sum())
    told = describe_risk(risk.totals, horizon_days=risk.horizon_days)
    assert f"Of the {len(far)} customers still here who can be followed 6 months ahead" in told
    beyond = predict_risk(company, horizon_days=5_000)
    assert beyond.horizon_days == beyond.table["horizon_days"].max() < 420
