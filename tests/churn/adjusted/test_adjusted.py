"""Adjusted curves: by hand, against R, the influence of a row, coverage, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib.churn.adjusted.adjusted import fit_adjusted
from cxlib.churn.adjusted.chain import collapse, fit_chain
from cxlib.churn.adjusted.overlap import measure_overlap
from cxlib.churn.adjusted.plots import plot_adjusted
from cxlib.churn.adjusted.wording import describe_adjusted, describe_overlap, describe_value
from cxlib.churn.curves.curves import fit_survival
from cxlib.churn.curves.rmst import compare_rmst, fit_rmst
from cxlib.churn.hazard.cox import CoxFit, fit_cox
from cxlib.errors import InputError, TooLittleData
from cxlib.style import figure_svg
from tests.churn.adjusted import simulate

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="module")
def lung() -> pd.DataFrame:
    """Give the lung data of R's survival package as lifetimes, where ph.ecog is known."""
    lung = pd.read_csv(REFERENCE / "lung.csv").dropna(subset="ph.ecog").reset_index(drop=True)
    return pd.DataFrame(
        {
            "customer_id": lung.index.astype(str),
            "duration_days": lung["time"],
            "churned": lung["status"] == 2,
            "age": lung["age"],
            "sex": lung["sex"],
            "ecog": lung["ph.ecog"],
        }
    )


def read_share(survival: pd.DataFrame, group: str, day: float) -> float:
    """Read a curve that is given on some days: the last one until the day."""
    curve = survival[(survival["group"] == group) & (survival["time_days"] <= day)]
    return float(curve["survival"].iloc[-1])


def test_curve_by_hand() -> None:
    """A covariate that makes no difference leaves the baseline: exp(-H), H by Efron.

    In either group x = 0 and x = 1 leave on the same days, so the coefficient is 0. Group 0: of 4
    at risk 2 leave on day 1, the others on day 3: H(1) = 1/4 + 1/3, H(3) = H(1) + 1/2 + 1. Group
    1: 2 of 4 leave on day 2, so H(2) = 7/12 too. Area to day 3 in group 0: 1 + 2 exp(-7/12).
    """
    duration = np.array([1.0, 1, 3, 3, 2, 2, 4, 4])
    churned = np.array([1, 1, 1, 1, 1, 1, 0, 0], dtype=bool)
    design = pd.DataFrame({"x": [0.0, 1, 0, 1, 0, 1, 0, 1]})
    strata = np.repeat([0, 1], 4)
    chain = fit_chain(np.full(8, -1.0), duration, churned, design, strata=strata)
    everybody = np.full(8, True)

    area, _ = chain.average(0, np.array([0.0, 1]), np.array([1.0, 2]), members=everybody)
    share, _ = chain.average(1, np.array([2.0]), np.ones(1), members=everybody)
    np.testing.assert_allclose(1 + 2 * np.exp(-7 / 12), area)
    np.testing.assert_allclose(np.exp(-7 / 12), share)


@pytest.mark.parametrize(
    ("late", "shares", "stays"),
    [
        (False, [[0.8331498588, 0.4450502862], [0.9217799989, 0.6705444101]],
         [242.9162482, 296.7874449]),
        (True, [[0.7239645594, 0.3555864544], [0.8766737856, 0.6112570343]],
         [209.0291392, 279.5102964]),
    ],
)  # fmt: skip
def test_lung_equals_r(
    lung: pd.DataFrame, late: bool, shares: list[list[float]], stays: list[float]
) -> None:
    """R: reference/adjusted.R, mean over customers of survfit(coxph(... + strata(sex)))."""
    if late:
        entry = np.where(np.arange(len(lung)) % 2 == 1, lung["duration_days"] // 3, 0)
        lung = lung.assign(entry_days=entry)
    fit = fit_adjusted(lung, by="sex", covariates=["age", "ecog"], horizon_days=365)

    assert fit.rmst["group"].tolist() == ["1", "2"]
    np.testing.assert_allclose(stays, fit.rmst["rmst_days"], atol=1e-6)
    np.testing.assert_allclose(stays[0] - stays[1], fit.differences["difference_days"], atol=2e-6)
    chain = fit_chain(
        np.where(
            lung.get("entry_days", pd.Series(0, lung.index)) > 0, lung.get("entry_days", 0), -1.0
        ),
        lung["duration_days"].to_numpy(float),
        lung["churned"].to_numpy(),
        lung[["age", "ecog"]],
        strata=lung["sex"].to_numpy() - 1,
    )
    joined = (lung.get("entry_days", pd.Series(0, lung.index)) == 0).to_numpy()
    found = [
        [chain.average(g, np.array([day]), np.ones(1), members=joined)[0] for day in (100.0, 300)]
        for g in (0, 1)
    ]
    np.testing.assert_allclose(shares, found, atol=1e-8)
    # the curve is given on at most 60 days, exact on each
    day = fit.survival.loc[fit.survival["group"] == "1", "time_days"].iloc[30]
    expected, _ = chain.average(0, np.array([day]), np.ones(1), members=joined)
    np.testing.assert_allclose(expected, read_share(fit.survival, "1", day))


def mean_stay(fit: CoxFit, design: pd.DataFrame, weights: np.ndarray, values: np.ndarray) -> float:
    """Mean stay of weighted rows with the baseline of stratum 1, the long way round."""
    days = fit.baseline[fit.baseline["stratum"] == 1]
    known = days[days["time_days"] < simulate.HORIZON]
    hazard = np.append(0.0, known["hazard"].cumsum())
    widths = np.diff(np.concatenate([[0.0], known["time_days"], [simulate.HORIZON]]))
    risk = np.exp((design.to_numpy(float) - fit.center) @ fit.estimates)
    stay = np.exp(-np.outer(risk, hazard)) @ widths
    return float((weights * values * stay).sum() / weights.sum())


def test_influence_is_the_derivative_by_the_weight_of_a_row() -> None:
    """Ties, late entry, censoring and values in one; differences over weights 1 +- 0.0001."""
    table = simulate.draw_company(np.random.default_rng(4), 200)
    design = pd.DataFrame({"visits": table["visits"], "home": table["home"] == "shared"}) * 1.0
    entry = np.where(table["entry_days"] > 0, table["entry_days"], -1.0)
    times = (entry, table["duration_days"].to_numpy(float), table["churned"].to_numpy())
    strata = (table["group"] == "B").to_numpy(np.intp)
    values = table["monthly_value"].to_numpy(float)
    chain = fit_chain(*times, design, strata=strata)
    left = table[table["churned"] & (table["group"] == "B")]["duration_days"]
    days = np.unique(np.append(0.0, left[left < simulate.HORIZON]))
    widths = np.diff(np.append(days, simulate.HORIZON))
    everybody = np.full(len(table), True)

    estimate, influence = chain.average(1, days, widths, members=everybody, values=values)
    one = np.ones(len(table))
    direct = mean_stay(fit_cox(*times, design, strata=strata), design, one, values)
    np.testing.assert_allclose(direct, estimate)
    np.testing.assert_allclose(0.0, influence.sum(), atol=1e-9 * estimate)
    for row in (0, 7, 50, int(np.flatnonzero(times[2] & (strata == 1))[2])):
        change = []
        for step in (1e-4, -1e-4):
            weights = one.copy()
            weights[row] += step
            fit = fit_cox(*times, design, strata=strata, weights=weights)
            change.append(mean_stay(fit, design, weights, values))
        slope = (change[0] - change[1]) / 2e-4
        np.testing.assert_allclose(slope, influence[row], rtol=1e-5, atol=1e-6)


def test_many_scores_are_read_off_few_nodes() -> None:
    """The relative error of cubics between nodes 0.02 apart is about 1e-8."""
    score = np.random.default_rng(2).normal(0, 1.2, 20_000)
    loadings, nodes = collapse(score)

    assert len(nodes) < 700
    for hazard in (0.01, 0.3, 2.0):
        found, exact = loadings @ np.exp(-hazard * np.exp(nodes)), np.exp(-hazard * np.exp(score))
        np.testing.assert_allclose(exact, found, atol=1e-7)
    few = np.repeat([0.5, -1.0], 3)
    loadings, nodes = collapse(few)
    np.testing.assert_array_equal(few, loadings @ nodes)


def test_truth_is_recovered_where_the_plain_difference_is_not() -> None:
    """Groups of unlike customers: adjusted intervals hold the truth, the plain mean is far off."""
    company = simulate.draw_company(np.random.default_rng(7), 6_000)
    fit, truth = simulate.fit_company(company), simulate.find_truth(n=100_000)
    for name, (estimate, low, high) in simulate.read_intervals(fit).items():
        assert low < truth[name] < high, name
        assert low < estimate < high
    plain = compare_rmst(fit_rmst(company, by="group", horizon_days=simulate.HORIZON)).iloc[0]
    assert plain["conf_low"] > truth["difference"]

    total = fit.value.iloc[0]
    assert total["n"] == ((company["group"] == "B") & (company["entry_days"] == 0)).sum()
    np.testing.assert_allclose(total["n"] * total["value_per_customer"], total["value_total"])
    np.testing.assert_allclose(total["n"] * total["conf_low"], total["total_conf_low"])


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """25 companies of 400; the benchmark of coverage has 1,000 of 1,000 (`count_covered`)."""
    covered = simulate.count_covered(25, n=400, random_state=3)

    # 0.95 of 25 less three standard errors
    assert (covered["covered_share"] >= 0.82).all()
    assert covered["covered_share"].mean() < 0.995
    np.testing.assert_allclose(covered["truth"], covered["mean_estimate"], rtol=0.08)


def test_rows_may_be_shuffled_and_groups_of_one_hazard_do_not_differ() -> None:
    """The order of rows says nothing; the same customers twice have the same curves."""
    company = simulate.draw_company(np.random.default_rng(8), 500)
    fit = simulate.fit_company(company)
    again = simulate.fit_company(company.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(fit.rmst, again.rmst)
    pd.testing.assert_frame_equal(fit.value, again.value)

    twins = [company.assign(group=g, customer_id=company["customer_id"] + g) for g in "AB"]
    alike = simulate.fit_company(pd.concat(twins))
    np.testing.assert_allclose(0, alike.differences["difference_days"], atol=1e-9)


def test_lifetimes_of_one_customer_are_put_together() -> None:
    """Every customer twice: the estimates stay, and so do the standard errors but for ties."""
    company = simulate.draw_company(np.random.default_rng(9), 600)
    twice = pd.concat([company.assign(spell=1), company.assign(spell=2)])
    once, both = simulate.fit_company(company).rmst, simulate.fit_company(twice).rmst

    np.testing.assert_allclose(once["rmst_days"], both["rmst_days"], rtol=5e-3)
    np.testing.assert_allclose(once["std_error"], both["std_error"], rtol=0.05)


def test_target_gives_all_groups_the_customers_of_one() -> None:
    """Customers of group B visit more and leave sooner, under either hazard."""
    company = simulate.draw_company(np.random.default_rng(10), 2_000)
    options = {"by": "group", "covariates": ["visits", "home"], "horizon_days": 365}
    of_all, of_b = (fit_adjusted(company, **options, target=t).rmst for t in ("", "B"))

    assert (of_b["rmst_days"] < of_all["rmst_days"]).all()


def test_groups_without_counterparts_are_told_and_left_out() -> None:
    """Group C is served in the north only, where nobody else is."""
    company = simulate.draw_company(np.random.default_rng(11), 900)
    north = simulate.draw_company(np.random.default_rng(12), 300)
    company["region"] = np.where(np.arange(900) % 2, "south", "west")
    north = north.assign(group="C", region="north", customer_id="c" + north["customer_id"])
    table = pd.concat([company, north])
    options = {"by": "group", "covariates": ["visits", "region"], "horizon_days": 365}
    fit = fit_adjusted(table, **options)

    assert fit.left_out.to_numpy().tolist() == [
        ["C", 300, "most other customers have no counterpart in it"]
    ]
    assert fit.rmst["group"].tolist() == ["A", "B"]
    with pytest.raises(
        TooLittleData, match=r"fewer than two groups that can be compared .*'C': most"
    ):
        fit_adjusted(table[table["group"] != "B"], **options)

    terms = pd.DataFrame({"region[north]": (table["region"] == "north") * 1.0})
    overlap = measure_overlap(terms, table["group"].astype("category"))
    row = overlap[(overlap["group"] == "C") & (overlap["counterpart"] == "A")].iloc[0]
    assert row["lacking"] == "region[north]"
    assert row["share_alike"] == 0


def test_small_groups_are_left_out_and_do_not_cut_the_horizon() -> None:
    """Three customers seen for 20 days are too few, and say nothing of the others' horizon."""
    company = simulate.draw_company(np.random.default_rng(13), 600)
    few = company.head(3).assign(group="Z", duration_days=20, entry_days=0, churned=False)
    few["customer_id"] = list("xyz")
    fit = simulate.fit_company(pd.concat([company, few]))

    assert fit.left_out.to_numpy().tolist() == [["Z", 3, "fewer than 10 lifetimes"]]
    assert (fit.rmst["horizon_days"] == 365).all()

    short = company.assign(duration_days=company["duration_days"].clip(upper=300))
    short = short[short["entry_days"] < 300]
    short["churned"] &= short["duration_days"] < 300
    assert (simulate.fit_company(short).rmst["horizon_days"] == 300).all()


def test_money_needs_values() -> None:
    """Without a monthly value there is no row of money; a missing one is left out of it."""
    company = simulate.draw_company(np.random.default_rng(14), 400)
    assert simulate.fit_company(company.drop(columns="monthly_value")).value.empty
    company.loc[company.index[:200], "monthly_value"] = np.nan
    seen = company.iloc[200:]
    n = int(((seen["group"] == "B") & (seen["entry_days"] == 0)).sum())
    assert simulate.fit_company(company).value["n"].tolist() == [n]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon_days": 0}, "horizon_days = 0 is not positive"),
        ({"margin_share": 60}, "margin_share = 60 is no share"),
        ({"target": "b"}, "There is no group 'b'.*\n.*target.*\n.*did you mean 'B'"),
        ({"reference": "Q"}, "There is no group 'Q'.*\n.*reference"),
        ({"by": "grup"}, "no column 'grup'"),
        ({"covariates": ["visit"]}, "no column 'visit'"),
        ({"covariates": ["group"]}, "cannot be covariate and stratum at once"),
    ],
)
def test_bad_arguments_are_refused(options: dict, message: str) -> None:
    """Every message says what is wrong and where."""
    company = simulate.draw_company(np.random.default_rng(15), 300)
    given = {"by": "group", "covariates": ["visits"], "horizon_days": 365} | options
    with pytest.raises(InputError, match=message):
        fit_adjusted(company, **given)


def test_stretches_of_lifetimes_are_refused() -> None:
    """Covariates that change after the start would be averaged as if known at it."""
    company = simulate.draw_company(np.random.default_rng(16), 300)
    whole = company[company["duration_days"] > company["entry_days"] + 10].assign(spell=1)
    cut = whole["entry_days"] + 5
    first = whole.assign(duration_days=cut, churned=False)
    with pytest.raises(InputError, match="stretches of one lifetime"):
        simulate.fit_company(pd.concat([first, whole.assign(entry_days=cut)]))


def test_a_covariate_that_says_what_the_group_says_is_named() -> None:
    """Within the groups it is constant: nothing can be adjusted for it."""
    company = simulate.draw_company(np.random.default_rng(17), 400)
    company["plan"] = company["group"].map({"A": "basic", "B": "plus"})
    with pytest.raises(TooLittleData):
        fit_adjusted(company, by="group", covariates=["visits", "plan"], horizon_days=365)


def test_separation_is_told() -> None:
    """Nobody with the flag leaves: its hazard ratio has no estimate."""
    company = simulate.draw_company(np.random.default_rng(18), 400)
    company["flag"] = np.where(company["churned"], 0, np.arange(400) % 2)
    with pytest.raises(TooLittleData, match="no maximum: 'flag'"):
        fit_adjusted(company, by="group", covariates=["flag"], horizon_days=365)


def test_figure_and_sentences() -> None:
    """The picture shows adjusted and observed curves; the sentences the days and the money."""
    company = simulate.draw_company(np.random.default_rng(19), 3_000)
    fit = simulate.fit_company(company)
    axes = plot_adjusted(fit.survival, plain=fit_survival(company, by="group"))
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["A", "B", "dotted: as observed"]
    assert axes.get_ylabel() == "still customers, adjusted"
    assert axes.get_xlabel() == "months since the start"
    assert figure_svg(axes).startswith("<svg")

    plain = compare_rmst(fit_rmst(company, by="group", horizon_days=365))
    days = fit.differences.iloc[0]
    told = describe_adjusted(fit, plain, by="group")
    assert told.startswith("Had the groups by group the same customers, the two would still differ")
    assert f"'A' would stay {days['difference_days']:.1f} days longer" in told
    assert f"as observed it is {plain['difference_days'].iloc[0]:.1f}." in told
    money = fit.value.iloc[0]
    told = describe_value(fit.value, currency="EUR")
    assert told.startswith(f"If the {money['n']:,} customers of 'B' stayed like")
    assert f"each would bring EUR {money['value_per_customer']:,.0f} more" in told
    assert "no promise" in told
    assert describe_value(fit.value.iloc[:0], currency="EUR") == ""
    assert describe_overlap(fit.overlap).startswith("Every group has customers like those of")
    thin = fit.overlap.assign(share_alike=[0.6, 0.95], lacking=["home[shared]", ""])
    told = describe_overlap(thin)
    assert told.startswith("1 of 2 comparisons rest partly on the model")
    assert told.endswith("60% of 'A' have counterparts in 'B' (none with home[shared]).")

    turned = fit.value.assign(
        value_per_customer=-3.0, conf_low=-5.0, conf_high=-1.0, value_total=-9.0,
        total_conf_low=-15.0, total_conf_high=-3.0,
    )  # fmt: skip
    told = describe_value(turned, currency="EUR")
    assert "EUR 3 less (1 to 5), all of them EUR 9 (3 to 15)" in told
    alike = [company.assign(group=g, customer_id=company["customer_id"] + g) for g in "AB"]
    told = describe_adjusted(simulate.fit_company(pd.concat(alike)), plain, by="group")
    assert "no difference in how long they stay is shown (1 pair tested)" in told
