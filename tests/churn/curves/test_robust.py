"""Weights and clusters: R's robust variances, and what they come to without either.

The R lines are in tests/churn/reference/curves.R.
"""

from __future__ import annotations

import lifelines.datasets
import numpy as np
import pandas as pd
import pytest

from cxlib.churn.curves.counts import count_lifetimes
from cxlib.churn.curves.curves import fit_survival
from cxlib.churn.curves.rmst import fit_rmst
from cxlib.errors import InputError, TooLittleData

DAYS = [100, 310, 500]


@pytest.fixture(scope="module")
def lung() -> pd.DataFrame:
    """Give the lung data of R's survival package with weights, institutions and late entry."""
    lung = lifelines.datasets.load_lung()
    late = (lung["age"] - 39).clip(lower=0)
    return pd.DataFrame(
        {
            "customer_id": lung.index.astype(str),
            "duration_days": lung["time"],
            "churned": lung["status"] == 1,
            "sex": lung["sex"],
            "late": late.where(late < lung["time"], 0),
            "weight": np.where(lung["sex"] == 1, 1.5, 0.8),
            "inst": lung["inst"],
        }
    )


def read(curve: pd.DataFrame) -> np.ndarray:
    """Read survival and standard error on three days."""
    row = np.searchsorted(curve["time_days"], DAYS, side="right") - 1
    return curve[["survival", "std_error"]].to_numpy()[row].T


def test_late_entry_equals_r(lung: pd.DataFrame) -> None:
    """R: survfit(Surv(entry, time, status) ~ 1, lung)."""
    expected = [
        [0.67196482127, 0.3850125678, 0.22809451348],
        [0.07149705278, 0.0482353515, 0.03601905669],
    ]
    curve = fit_survival(lung.assign(entry_days=lung["late"]))
    np.testing.assert_allclose(read(curve), expected, rtol=1e-9)


def test_counts_are_frequency_weights_as_in_r(lung: pd.DataFrame) -> None:
    """R: survfit(Surv(time, status) ~ 1, lung, weights = as.integer(sex)), Greenwood."""
    expected = [
        [0.8804139346, 0.53603870313, 0.32539802539],
        [0.0182034110, 0.02985571194, 0.03089338938],
    ]
    counts = lung.groupby(["duration_days", "churned"], as_index=False)["sex"].sum()
    curve = fit_survival(counts.rename(columns={"sex": "n"}))
    np.testing.assert_allclose(read(curve), expected, rtol=1e-9)


def test_sampling_weights_equal_r(lung: pd.DataFrame) -> None:
    """R: survfit(Surv(time, status) ~ 1, lung, weights = w), robust as w is no whole number."""
    expected = [
        [0.85085073265, 0.46280966946, 0.26836641876],
        [0.02515474528, 0.03637628845, 0.03465488599],
    ]
    curve = fit_survival(lung, weights="weight")
    np.testing.assert_allclose(read(curve), expected, rtol=1e-9)
    assert curve["n_at_risk"].iloc[0] == 228
    row = fit_rmst(lung, horizon_days=365, weights="weight").iloc[0]
    np.testing.assert_allclose(
        [255.640, 8.318567081], row[["rmst_days", "std_error"]].to_list(), rtol=2e-6
    )

    late = [
        [0.65119391112, 0.3542088256, 0.20539275708],
        [0.06650237203, 0.0446464166, 0.03350294482],
    ]
    curve = fit_survival(lung.assign(entry_days=lung["late"]), weights="weight")
    np.testing.assert_allclose(read(curve), late, rtol=1e-9)


def test_clusters_equal_r(lung: pd.DataFrame) -> None:
    """R: survfit(..., cluster = inst), and the residuals of its mean added up by inst."""
    known = lung[lung["inst"].notna()]
    expected = [
        [0.86336937659, 0.49250305137, 0.2953776915],
        [0.02142707062, 0.02655716333, 0.0277911063],
    ]
    np.testing.assert_allclose(read(fit_survival(known, clusters="inst")), expected, rtol=1e-9)
    row = fit_rmst(known, horizon_days=365, clusters="inst").iloc[0]
    np.testing.assert_allclose(7.61913807, row["std_error"], rtol=1e-8)

    expected = [
        [0.85004423427, 0.45953627623, 0.27074319009],
        [0.02260249705, 0.02955890149, 0.02796557642],
    ]
    both = fit_survival(known, clusters="inst", weights="weight")
    np.testing.assert_allclose(read(both), expected, rtol=1e-9)
    row = fit_rmst(known, horizon_days=365, clusters="inst", weights="weight").iloc[0]
    np.testing.assert_allclose(8.16507786, row["std_error"], rtol=1e-8)


def test_alone_and_of_equal_weight_it_is_greenwood(lung: pd.DataFrame) -> None:
    """Every customer a cluster, all weights two, all seen from the start: nothing changes."""
    twice = lung.assign(weight=2.0)
    plain, mean = fit_survival(twice, by="sex"), fit_rmst(twice, by="sex", horizon_days=400)
    for asked in ({"weights": "weight"}, {"clusters": "customer_id"}):
        pd.testing.assert_frame_equal(fit_survival(twice, by="sex", **asked), plain)
        pd.testing.assert_frame_equal(fit_rmst(twice, by="sex", horizon_days=400, **asked), mean)


def test_weights_can_be_counted(lung: pd.DataFrame) -> None:
    """Counts by weight give what the lifetimes give."""
    counts = count_lifetimes(lung, by="sex", weights="weight")
    assert len(counts) < len(lung)
    pd.testing.assert_frame_equal(
        fit_survival(counts, by="group", weights="weight"),
        fit_survival(lung, by="sex", weights="weight"),
    )


def test_customers_who_return_are_covered() -> None:
    """Three spells of a customer with a pace of their own; intervals of independent ones fail."""
    held = {"": 0, "customer_id": 0}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        pace = np.repeat(rng.gamma(2, 0.5, 150), 3)  # shared by the spells of a customer
        left = np.ceil(rng.exponential(100 / pace))
        table = pd.DataFrame(
            {
                "customer_id": np.repeat(np.arange(150), 3),
                "duration_days": np.minimum(left, 120),
                "churned": left <= 120,
            }
        )
        truth = 1 / (1 + 0.5 * 90 / 100) ** 2  # mean of exp(-pace 90 / 100)
        for clusters in held:
            curve = fit_survival(table, clusters=clusters)
            row = curve[curve["time_days"] <= 90].iloc[-1]
            held[clusters] += row["conf_low"] <= truth <= row["conf_high"]

    assert held["customer_id"] >= 52  # 60 draws at 95 %: fewer in 1 of 150
    assert held[""] < held["customer_id"]


def test_one_cluster_and_bad_weights_have_no_interval(lung: pd.DataFrame) -> None:
    """Nothing varies between one cluster; a weight of none weighs nothing."""
    with pytest.raises(TooLittleData, match="All lifetimes belong together"):
        fit_survival(lung.assign(inst=1), clusters="inst")
    with pytest.raises(InputError, match="1 lifetimes have no weight above 0"):
        fit_survival(lung.assign(weight=[-1.0, *[1.0] * 227]), weights="weight")
