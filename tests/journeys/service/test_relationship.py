"""Before the first purchase and the loop after it, by hand and against lifelines."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from cxlib.errors import InputError, TooLittleData
from cxlib.journeys.service.relationship import measure_loop, measure_sales, split_relationship

LIFE = [
    ("a", "2024-01-01", "ad"),
    ("a", "2024-01-02", "plans"),
    ("a", "2024-01-03", "compare"),
    ("a", "2024-01-04", "plans"),
    ("a", "2024-01-05", "order"),
    ("a", "2024-01-15", "help"),
    ("a", "2024-02-04", "compare"),
    ("a", "2024-02-05", "order"),
    ("b", "2024-01-01", "plans"),
    ("b", "2024-01-01", "compare"),
    ("b", "2024-01-02", "compare"),
    ("b", "2024-01-03", "order"),
    ("b", "2024-03-01", "ad"),
    ("c", "2024-12-22", "plans"),
    ("old", "2024-01-01", "help"),
    ("old", "2024-01-02", "order"),
]


def test_phases_by_hand(write_log):
    """Every contact is before, at or after the first purchase of its customer."""
    split = split_relationship(write_log(LIFE)).to_pandas()
    ids = write_log(LIFE).customers.to_pandas().set_index("customer")["customer_id"]
    split = split.assign(id=split["customer"].map(ids)).sort_values(["id", "at", "step"])
    phases = split.groupby("id")["phase"].agg(list)
    assert phases["a"] == ["before"] * 4 + ["at"] + ["after"] * 3
    assert phases["c"] == ["before"]
    since = split[split["id"] == "a"]["since"] / 86_400e6
    assert since.tolist() == [-4, -3, -2, -1, 0, 10, 30, 31]
    assert split[split["id"] == "c"]["since"].isna().all()


def test_sales_experience_by_hand(write_log):
    """Customers first seen in use had bought before; who has not bought is censored."""
    found = measure_sales(write_log(LIFE), min_cell=1)
    assert found.n_existing == 1
    until = found.until.set_index("measure")
    assert until.loc["days", ["n", "n_bought", "q25", "median"]].tolist() == [3, 2, 2, 4]
    assert np.isnan(until.loc["days", "q75"])  # c still has not bought
    assert until.loc["contacts", ["q25", "median", "q75"]].tolist() == [
        3,
        3,
        4,
    ]  # c goes on after 1
    assert until.loc["channels", ["n", "median"]].tolist() == [2, 1]
    what = found.evaluation.set_index("what")
    assert what.loc["adds options", ["n", "n_customers"]].tolist() == [2, 1]  # a looked again
    assert what.loc["compares again", ["n", "n_customers"]].tolist() == [2, 1]  # b compared twice
    assert found.curve["share"].tolist() == pytest.approx([0, 1 / 3, 2 / 3])


def test_without_stages_only_the_goal_is_known(make_log):
    """A touchpoint as goal; no evaluation, nobody is known to have bought before."""
    log = make_log([(f"c{i}", "web order web") for i in range(12)])
    found = measure_sales(log, goal="order")
    assert found.n_existing == 0
    assert not len(found.evaluation)
    loop = measure_loop(log, goal="order")
    assert set(loop["returns_to"]) == {"(bought again)"}


def test_loop_by_hand(write_log):
    """One compares again after 30 days and buys after 31; an advertisement is no return."""
    loop = measure_loop(write_log(LIFE), min_cell=1).set_index(["returns_to", "horizon_days"])
    assert loop.loc[("cultivation", 30), ["n", "n_returned"]].tolist() == [3, 1]
    assert loop.loc[("(bought again)", 30), "n_returned"] == 0
    assert loop.loc[("(bought again)", 90), "n_returned"] == 1
    assert loop.loc[("(any earlier stage)", 90), "n_returned"] == 1
    assert "attraction" not in loop.index.get_level_values(0)


def test_loop_equals_lifelines(samples):
    """Time to the second purchase is lifelines' curve."""
    loop = measure_loop(samples)
    again = loop[loop["returns_to"] == "(bought again)"]
    is_order = samples.contacts["stage"] == "purchase"
    steps = samples.steps.select("customer", "contact", "at").to_pandas()
    steps = steps[is_order.to_numpy()[steps["contact"]]].sort_values(["customer", "at"])
    first = steps.groupby("customer")["at"].first()
    second = steps.groupby("customer")["at"].nth(1)
    second.index = steps.loc[second.index, "customer"]
    wait = (second.reindex(first.index) - first) / 86_400e6
    left = (samples.end.value // 1000 - first) / 86_400e6
    fitter = KaplanMeierFitter().fit(wait.fillna(left), wait.notna())
    expected = 1 - fitter.predict(again["horizon_days"]).to_numpy()
    assert again["share"].to_numpy() == pytest.approx(expected)
    median = again["median_days"].iloc[0]
    assert median == pytest.approx(fitter.median_survival_time_)


def test_shares_of_any_stage_hold_those_of_each(samples):
    """Coming back to any earlier stage is at least as common as to one of them."""
    loop = measure_loop(samples)
    last = loop[loop["horizon_days"] == 365].set_index("returns_to")["share"]
    assert (last["(any earlier stage)"] >= last[["awareness", "discovery", "cultivation"]]).all()
    assert np.isclose(last["(any earlier stage)"], 0.6, atol=0.1)


def test_messages(write_log):
    """An unknown goal and too few customers."""
    log = write_log(LIFE)
    with pytest.raises(InputError, match="No event is at 'sale'"):
        measure_sales(log, goal="sale")
    with pytest.raises(TooLittleData, match="3 customers are new; at least 10"):
        measure_sales(log)
    with pytest.raises(TooLittleData, match="3 customers bought; at least 10"):
        measure_loop(log)
