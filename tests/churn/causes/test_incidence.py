"""Cumulative incidence: by hand, against R, from counts, with late entry and ties."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.churn.causes.causes import name_causes
from cxlib.churn.causes.cells import find_influence, find_variance, follow_causes, split_cells
from cxlib.churn.causes.incidence import fit_incidence, read_incidence
from cxlib.churn.curves.curves import fit_survival
from cxlib.errors import InputError, TooLittleData


def read(table: pd.DataFrame, times: list[float]) -> pd.DataFrame:
    """Read estimates and standard errors of both causes on some days."""
    curves = fit_incidence(table)
    return curves[curves["time_days"].isin(times)].set_index(["cause", "time_days"])


def test_by_hand() -> None:
    """Of 4, one leaves for a and one is censored on day 2, one for b on 3, one for a on 5."""
    table = pd.DataFrame(
        {
            "customer_id": list("wxyz"),
            "duration_days": [2, 2, 3, 5],
            "churned": [True, False, True, True],
            "cause": ["a", None, "b", "a"],
        }
    )
    curves = fit_incidence(table).set_index(["cause", "time_days"])

    assert curves.loc["a", "incidence"].tolist() == [0, 0.25, 0.25, 0.25 + 0.75 * 0.5]
    assert curves.loc["b", "incidence"].tolist() == [0, 0, 0.375, 0.375]
    assert curves.loc["a", "survival"].tolist() == [1, 0.75, 0.375, 0]
    assert curves.loc["a", "n_at_risk"].tolist() == [4, 4, 2, 1]
    assert curves.loc["b", "n_churned"].tolist() == [0, 0, 1, 0]
    # nobody has left for b yet: the exact end for none of 4; then of a share of 1 / 4 of 4
    np.testing.assert_allclose(curves.loc[("b", 2), "conf_high"], 1 - 0.025 ** (1 / 4))
    np.testing.assert_allclose(curves.loc[("a", 2), "std_error"], np.sqrt(0.25 * 0.75 / 4))


def test_ties_equal_r(ties: pd.DataFrame) -> None:
    """R: survfit(Surv(time, factor(event)) ~ 1), pstate and std.err, see causes.R."""
    curves = read(ties, [1, 5, 12, 32])

    one, two = curves.loc["one"], curves.loc["two"]
    expected = [0, 0.0252912033885, 0.1067249832655, 0.4332577763261]
    np.testing.assert_allclose(one["incidence"], expected, atol=1e-12)
    expected = [0, 0.0144179652860, 0.0291942990785, 0.0732783799355]
    np.testing.assert_allclose(one["std_error"], expected, atol=1e-12)
    expected = [0.00833333333333, 0.01673789173789, 0.09008196805187, 0.47017565332342]
    np.testing.assert_allclose(two["incidence"], expected, atol=1e-12)
    expected = [0.00829853847016, 0.01173632345406, 0.02726722088248, 0.06764931090715]
    np.testing.assert_allclose(two["std_error"], expected, atol=1e-12)


def test_late_entry_equals_r(ties: pd.DataFrame) -> None:
    """R: survfit(Surv(entry, time, factor(event)) ~ 1, id = id), see causes.R."""
    curves = read(ties.assign(entry_days=ties["late"]), [1, 5, 12, 32])

    one, two = curves.loc["one"], curves.loc["two"]
    expected = [0, 0.0315726469321, 0.1155855503454, 0.4355013111565]
    np.testing.assert_allclose(one["incidence"], expected, atol=1e-12)
    expected = [0, 0.0179292841087, 0.0313151026424, 0.0725145342932]
    np.testing.assert_allclose(one["std_error"], expected, atol=1e-12)
    expected = [0.0109289650132, 0.0151192712072, 0.0292337174781, 0.0669713544314]
    np.testing.assert_allclose(two["std_error"], [0.0109284650132, *expected[1:]], atol=1e-12)
    np.testing.assert_allclose(
        one["survival"],
        [0.9890109890110, 0.9468063558138, 0.7869167223268, 0.0946096945824],
        atol=1e-12,
    )


def test_mgus_equals_r(mgus: pd.DataFrame) -> None:
    """R: survfit(Surv(months, factor(event)) ~ 1, mgus2) after 12, 120 and 360 months."""
    curves = fit_incidence(mgus)
    at = read_incidence(curves, times=[12, 120, 360]).set_index("cause")
    expected = [0.00940125934465, 0.06372216801311, 0.13404164432608]
    np.testing.assert_allclose(at.loc["malignancy", "incidence"], expected, atol=1e-13)
    expected = [0.122185402813, 0.531817704080, 0.784208246832]
    np.testing.assert_allclose(at.loc["death", "incidence"], expected, atol=1e-12)
    error = curves[curves["cause"] == "malignancy"].set_index("time_days")["std_error"]
    np.testing.assert_allclose(error[[12, 120]], [0.00259515576302, 0.00679684842396], atol=1e-13)
    assert at.loc["death", "n_churned"].tolist() == sorted(at.loc["death", "n_churned"])


LIFETIME = st.tuples(st.integers(1, 9), st.integers(0, 5), st.sampled_from(["a", "b", "c", None]))


@given(st.lists(LIFETIME, min_size=4, max_size=60))
@settings(max_examples=25, deadline=None)
def test_shares_add_to_one_rise_and_survive_counting(
    lifetimes: list[tuple[int, int, str | None]],
) -> None:
    """With ties and late entry; shuffling, relabelling and counting change nothing."""
    # one customer seen throughout, so that observation has no hole
    rows = [(duration, min(entry, duration - 1), cause) for duration, entry, cause in lifetimes]
    rows += [(10, 0, None), (1, 0, "a"), (2, 0, "b")]
    table = pd.DataFrame(rows, columns=["duration_days", "entry_days", "cause"])
    table = table.assign(customer_id=np.arange(len(table)), churned=table["cause"].notna())
    curves = fit_incidence(table)

    by_day = curves.groupby("time_days").agg(left=("incidence", "sum"), here=("survival", "first"))
    np.testing.assert_allclose(by_day["left"] + by_day["here"], 1, atol=1e-12)
    assert (curves.groupby("cause")["incidence"].diff().dropna() >= 0).all()
    ends = curves[["conf_low", "incidence", "conf_high"]].to_numpy()
    assert (np.diff(ends, axis=1) >= -1e-12).all()
    assert ((ends >= 0) & (ends <= 1)).all()
    shuffled = table.sample(frac=1, random_state=1).assign(customer_id=table["customer_id"] + 7)
    pd.testing.assert_frame_equal(curves, fit_incidence(shuffled))
    keys = ["duration_days", "entry_days", "cause", "churned"]
    counts = table.groupby(keys, dropna=False).size().reset_index(name="n")
    pd.testing.assert_frame_equal(curves, fit_incidence(counts))
    cells = split_cells(table)["all"]
    followed = follow_causes(cells)
    for i, time in enumerate(followed.times):
        influence = find_influence(cells, followed, 0, time)
        np.testing.assert_allclose(influence.sum(), 0, atol=1e-12)
        variance = find_variance(cells, followed, 0)[i]
        np.testing.assert_allclose((influence**2).sum(), variance, atol=1e-12)


def test_one_cause_is_one_minus_the_survival_curve(ties: pd.DataFrame) -> None:
    """Estimate, interval and standard error of Kaplan-Meier, upside down."""
    table = ties.assign(cause=np.where(ties["churned"], "any", None))
    curves, survival = fit_incidence(table, by="group"), fit_survival(table, by="group")

    for ours, theirs in (("incidence", "survival"), ("conf_low", "conf_high")):
        seen = curves["time_days"] > 0
        np.testing.assert_allclose(curves[ours][seen], 1 - survival[theirs][seen], atol=1e-12)
    np.testing.assert_allclose(curves["std_error"], survival["std_error"], atol=1e-12)
    assert list(curves["group"].unique()) == ["all", "a", "b", "c"]


def test_where_all_have_left_for_one_cause_the_lower_end_is_kept() -> None:
    """A share of 1 has no interval of its own."""
    table = pd.DataFrame(
        {"customer_id": [1, 2, 3], "duration_days": [1, 2, 3], "churned": True, "cause": "a"}
    )
    table["cause"] = table["cause"].astype(pd.CategoricalDtype(["a", "b"]))
    last = fit_incidence(table).iloc[-1]

    assert (last["incidence"], last["conf_high"]) == (1, 1)
    assert 0 < last["conf_low"] < 1


def test_intervals_cover_with_late_entry_ties_and_censoring() -> None:
    """About 95 of 100 intervals hold the truth (100 runs of 300; benchmarks hold the long run)."""
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(100):
        first, other = rng.exponential(60, 300), rng.exponential(120, 300)
        censored = rng.uniform(30, 150, 300)
        entry = np.where(rng.random(300) < 0.4, np.floor(rng.uniform(0, 40, 300)), 0)
        end = np.ceil(np.minimum(np.minimum(first, other), censored))
        churned = np.minimum(first, other) <= censored
        table = pd.DataFrame(
            {
                "customer_id": np.arange(300),
                "entry_days": entry,
                "duration_days": end,
                "churned": churned,
                "cause": np.where(churned, np.where(first < other, "a", "b"), None),
            }
        )
        at = read_incidence(fit_incidence(table[end > entry]), times=[40]).iloc[0]
        held += at["conf_low"] <= 2 / 3 * (1 - np.exp(-40 / 40)) <= at["conf_high"]

    assert 88 <= held <= 99


def test_the_sample_company_is_recovered(samples_first: pd.DataFrame, truth: dict) -> None:
    """Planted: cancelled .179123 and payment_failure .026855 after a year; both intervals hold."""
    at = read_incidence(
        fit_incidence(name_causes(samples_first).table), times=[182.625, 365.25, 730.5]
    )
    for cause, planted in truth["survival"]["cumulative_incidence"].items():
        rows = at[at["cause"] == cause]
        assert (rows["conf_low"] < planted).all()
        assert (rows["conf_high"] > planted).all()
        np.testing.assert_allclose(rows["incidence"], planted, rtol=0.08)


def test_days_beyond_the_follow_up_are_left_out(ties: pd.DataFrame) -> None:
    """No curve is extended, and none begins before the start."""
    curves = fit_incidence(ties)
    at = read_incidence(curves, times=[0, 10.5, 40])
    assert at["time_days"].tolist() == [0, 10.5, 0, 10.5]
    assert (at.loc[at["time_days"] == 0, "incidence"] == 0).all()
    with pytest.raises(InputError, match="Day -1 lies before the start"):
        read_incidence(curves, times=[-1])


def test_what_cannot_be_drawn_is_refused(ties: pd.DataFrame) -> None:
    """A hole in observation, one group, an end without a cause, no causes at all."""
    hole = ties[~ties["duration_days"].between(8, 12)]
    hole = hole.assign(entry_days=np.where(hole["duration_days"] > 12, 10, 0))
    with pytest.raises(TooLittleData, match="nobody is under observation after day 7"):
        fit_incidence(hole)
    with pytest.raises(TooLittleData, match="fewer than two groups"):
        fit_incidence(ties.assign(group="a"), by="group")
    with pytest.raises(InputError) as refused:
        fit_incidence(ties.assign(cause=ties["cause"].where(ties["cause"] == "one")))
    assert "33 lifetimes ended without a cause." in str(refused.value)
    assert "name the causes with `name_causes`" in str(refused.value)
    with pytest.raises(InputError, match="Column 'cause' is missing"):
        fit_incidence(ties.drop(columns="cause"))
