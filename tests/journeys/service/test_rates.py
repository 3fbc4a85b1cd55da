"""Shares by group agree with sums over customers done by hand."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportions_ztest

from cxlib.journeys.service.rates import measure_rates


def _units(n: int, customers: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    customer = rng.integers(0, customers, n)
    group = rng.choice(["a", "b", "c"], n)
    chance = 0.2 + 0.5 * (customer % 2) + 0.1 * (group == "a")
    return pd.DataFrame({"customer": customer, "group": group, "is_hit": rng.random(n) < chance})


def test_all_units_are_one_group():
    """Two customers, three of four units hit."""
    units = pd.DataFrame({"customer": [1, 1, 2, 2], "is_hit": [True, True, True, False]})
    row = measure_rates(ibis.memtable(units)).iloc[0]
    assert row[["n", "n_customers", "n_hits", "share"]].tolist() == [4, 2, 3, 0.75]


def test_p_value_is_that_of_the_pooled_test():
    """One unit a customer is the textbook z test; the same units twice are no new evidence."""
    units = _units(400, 60)
    alone = units.assign(customer=range(len(units)))
    table = measure_rates(ibis.memtable(alone), by="group").set_index("group")
    for name in "abc":
        own = units["group"] == name
        hits = [units.loc[side, "is_hit"].sum() for side in (own, ~own)]
        expected = proportions_ztest(hits, [own.sum(), (~own).sum()])[1]
        assert table.loc[name, "p_value"] == pytest.approx(expected)
    twice = measure_rates(ibis.memtable(pd.concat([alone, alone])), by="group").set_index("group")
    assert twice["p_value"].to_numpy() == pytest.approx(table["p_value"].to_numpy())


def test_one_group_has_nothing_to_be_compared_with():
    """The p-value of the only group is missing."""
    units = _units(50, 20).assign(group="only")
    assert measure_rates(ibis.memtable(units), by="group")["p_value"].isna().all()
