"""The Cox model: closed forms, R's numbers, and what has no estimate."""

from __future__ import annotations

import lifelines.datasets
import numpy as np
import pandas as pd
import pytest

from cxlib import churn
from cxlib.churn.hazard.cox import CoxFit, fit_cox
from cxlib.errors import InputError, TooLittleData


def fit(entry: list, duration: list, churned: list, x: list) -> CoxFit:
    """Fit lists."""
    design = pd.DataFrame(np.asarray(x, dtype=float).reshape(len(duration), -1))
    numbers = (np.asarray(part, dtype=float) for part in (entry, duration))
    return fit_cox(*numbers, np.asarray(churned, dtype=bool), design)


@pytest.fixture(scope="module")
def lung() -> pd.DataFrame:
    """Give the lung data of R's survival package as lifetimes."""
    lung = lifelines.datasets.load_lung()
    ends = {"duration_days": lung["time"], "churned": lung["status"] == 1}
    return lung.assign(customer_id=lung.index.astype(str), **ends)


@pytest.fixture(scope="module")
def company() -> pd.DataFrame:
    """Draw 2,000 customers who enter late, with hazard ratios of 2 (plan B) and 1.5 a visit."""
    rng = np.random.default_rng(5)
    n = 4_000
    plan, visits = rng.choice(["A", "B"], n, p=[0.6, 0.4]), rng.integers(0, 3, n)
    rate = 2.0 ** (plan == "B") * 1.5**visits / 300
    left = rng.exponential(1 / rate)
    entry = rng.integers(0, 200, n) * (rng.random(n) < 0.5)
    table = pd.DataFrame(
        {
            "customer_id": np.arange(n).astype(str),
            "duration_days": np.ceil(np.minimum(left, entry + 150)),
            "churned": left <= entry + 150,
            "entry_days": entry,
            "plan": plan,
            "visits": visits,
        }
    )
    return table[left > entry + 1][:2_000]


def test_first_closed_form() -> None:
    """Therneau, validate.Rnw, test1, by Efron: r = exp(beta) solves r^3 - 23 r - 30 = 0.

    Score by hand: 2 = r/(r+1) + r/(r+3) + r/(r+5). Root: 2 sqrt(23/3) cos(phi/3) with
    cos(phi) = 15 (3/23)^(3/2), so beta = 1.676857; log-likelihoods and information as printed.
    """
    found = fit([-1] * 6, [1, 1, 6, 6, 8, 9], [1, 0, 1, 1, 0, 1], [1, 1, 1, 0, 0, 0])
    root = 2 * np.sqrt(23 / 3) * np.cos(np.arccos(15 * (3 / 23) ** 1.5) / 3)

    np.testing.assert_allclose(np.log(root), found.estimates, atol=1e-12)
    np.testing.assert_allclose(1.676857, found.estimates, atol=1e-6)
    np.testing.assert_allclose(1 / 0.612632, found.covariance, rtol=2e-6)
    np.testing.assert_allclose(-4.276666, found.log_likelihood_null, atol=1e-6)
    np.testing.assert_allclose(-3.358975, found.log_likelihood, atol=1e-6)


def test_second_closed_form_with_late_entry() -> None:
    """Therneau, validate.Rnw, test2, Efron on (start, stop]: -0.021105, se 0.79518."""
    found = fit(
        [1, 2, 5, 2, 1, 7, 3, 4, 8, 8],
        [2, 3, 6, 7, 8, 9, 9, 9, 14, 17],
        [1, 1, 1, 1, 1, 1, 1, 0, 0, 0],
        [1, 0, 0, 1, 0, 1, 1, 1, 0, 0],
    )

    np.testing.assert_allclose(-0.021105, found.estimates, atol=1e-6)
    np.testing.assert_allclose(0.79518, np.sqrt(found.covariance), atol=1e-5)
    np.testing.assert_allclose(-9.169166, found.log_likelihood, atol=1e-6)


def test_lung_equals_r(lung: pd.DataFrame) -> None:
    """R: coxph(Surv(time, status) ~ age + sex, lung, ties = "efron")."""
    model = churn.fit_hazard(lung, covariates=["age", "sex"])

    assert model.table["term"].tolist() == ["age", "sex"]
    np.testing.assert_allclose([0.01704533, -0.51321852], model.table["estimate"], atol=1e-8)
    np.testing.assert_allclose([0.00922327, 0.16745796], model.table["std_error"], atol=1e-8)
    np.testing.assert_allclose(np.exp(model.table["estimate"]), model.table["hazard_ratio"])
    assert model.table.loc[0, ["n", "n_churned"]].tolist() == [228, 165]


def test_robust_variance_of_lung_equals_r() -> None:
    """R: coxph(Surv(time, status) ~ age + sex, lung, robust = TRUE), every row a cluster."""
    lung = lifelines.datasets.load_lung()
    found = fit_cox(
        np.full(len(lung), -1.0),
        lung["time"].to_numpy(float),
        lung["status"].to_numpy(bool),
        lung[["age", "sex"]],
        clusters=np.arange(len(lung)),
    )

    robust = np.sqrt(np.diag(found.covariance))
    np.testing.assert_allclose([0.00950464, 0.16017417], robust, atol=1e-8)


def test_stanford_heart_equals_r() -> None:
    """R: coxph(Surv(start, stop, event) ~ age + surgery + transplant, heart), Efron."""
    heart = lifelines.datasets.load_stanford_heart_transplants()
    found = fit(
        heart["start"], heart["stop"], heart["event"], heart[["age", "surgery", "transplant"]]
    )

    np.testing.assert_allclose([0.03053631, -0.77332765, 0.01609561], found.estimates, atol=1e-8)
    errors = np.sqrt(np.diag(found.covariance))
    np.testing.assert_allclose([0.0138928, 0.3596680, 0.3085858], errors, atol=1e-7)
    np.testing.assert_allclose(-292.762026, found.log_likelihood, atol=1e-6)


def test_late_entry_equals_statsmodels(company: pd.DataFrame) -> None:
    """Statsmodels referees Efron with late entry.

    It counts who enters on a day as at risk on that day, so entries are set half a day later.
    """
    from statsmodels.duration.hazard_regression import PHReg

    x = np.column_stack([company["plan"] == "B", company["visits"]]).astype(float)
    entry = company["entry_days"].to_numpy(float) + 0.5
    theirs = PHReg(
        company["duration_days"], x, status=company["churned"], entry=entry, ties="efron"
    ).fit(disp=0)
    ours = fit_cox(
        entry,
        company["duration_days"].to_numpy(float),
        company["churned"].to_numpy(bool),
        pd.DataFrame(x),
    )

    np.testing.assert_allclose(theirs.params, ours.estimates, atol=1e-6)
    np.testing.assert_allclose(theirs.bse, np.sqrt(np.diag(ours.covariance)), atol=1e-6)


def test_planted_ratios_are_recovered(company: pd.DataFrame) -> None:
    """The intervals hold the planted 2 and 1.5; the more common plan is the reference."""
    model = churn.fit_hazard(company, covariates=["plan", "visits"])
    table = model.table.set_index("term")

    assert table.index.tolist() == ["plan[B]", "visits"]
    assert table.loc["plan[B]", "conf_low"] < 2 < table.loc["plan[B]", "conf_high"]
    assert table.loc["visits", "conf_low"] < 1.5 < table.loc["visits", "conf_high"]
    assert tuple(model.references.loc[0, ["covariate", "reference"]]) == ("plan", "A")


def test_shuffling_shifting_and_scaling_change_nothing_else(company: pd.DataFrame) -> None:
    """Row order and origin of a covariate do not matter; its unit scales its coefficient."""
    plain = churn.fit_hazard(company, covariates=["visits"]).table
    moved = company.sample(frac=1, random_state=1).assign(visits=company["visits"] * 10 + 7)
    scaled = churn.fit_hazard(moved, covariates=["visits"]).table

    np.testing.assert_allclose(plain["estimate"] / 10, scaled["estimate"], rtol=1e-8)
    np.testing.assert_allclose(plain["p_value"], scaled["p_value"], rtol=1e-6)


def test_text_that_reads_as_numbers_is_a_number(company: pd.DataFrame) -> None:
    """Attributes arrive as text; a 0/1 covariate keeps its column name."""
    text = company.assign(visits=company["visits"].astype(str))

    pd.testing.assert_frame_equal(
        churn.fit_hazard(company, covariates=["visits"]).table,
        churn.fit_hazard(text, covariates=["visits"]).table,
    )


def test_missing_values_and_rare_levels_are_left_out_and_counted(company: pd.DataFrame) -> None:
    """The result says how many lifetimes it rests on and why."""
    marked = company.reset_index(drop=True)
    marked.loc[:4, "visits"] = None
    marked.loc[10:11, "plan"] = "C"
    marked.loc[20, "plan"] = " "
    model = churn.fit_hazard(marked, covariates=["visits", "plan"])

    assert list(model.left_out.itertuples(index=False, name=None)) == [
        ("visits", 5, "no value"),
        ("plan", 1, "no value"),
        ("plan", 2, "'C' is too rare"),
    ]
    assert model.table.loc[0, "n"] == 2_000 - 8


def test_a_term_that_repeats_others_is_left_out_by_name(company: pd.DataFrame) -> None:
    """The model without it says the same."""
    twice = company.assign(double=company["visits"] * 2, copy=company["plan"])
    model = churn.fit_hazard(twice, covariates=["visits", "plan", "double", "copy"])

    assert model.repeated == ["double", "copy[B]"]
    assert model.table["term"].tolist() == ["visits", "plan[B]"]


def test_returning_customers_widen_the_standard_error(company: pd.DataFrame) -> None:
    """The same lifetimes twice, as one customer each, tell no more than once."""
    twice = pd.concat([company, company])
    once = churn.fit_hazard(company, covariates=["visits"]).table["std_error"].iloc[0]
    by_customer = churn.fit_hazard(twice, covariates=["visits"]).table["std_error"].iloc[0]
    renamed = twice.assign(customer_id=np.arange(len(twice)))
    naive = churn.fit_hazard(renamed, covariates=["visits"]).table["std_error"].iloc[0]

    assert naive < 0.8 * once
    np.testing.assert_allclose(once, by_customer, rtol=0.05)


@pytest.mark.parametrize(
    ("covariates", "error", "message"),
    [
        ([], InputError, "There is no covariate"),
        (["visist"], InputError, "did you mean 'visits'"),
        (["constant"], TooLittleData, "'constant' has fewer than two levels"),
        (["fixed"], TooLittleData, "'fixed' has one value only"),
        (["empty"], TooLittleData, "'empty' has one value only"),
        (["unclean"], InputError, "'unclean' holds numbers, but also 'n/a'"),
        (["separates"], TooLittleData, "separates = 1, others have not"),
        (["early"], TooLittleData, "no maximum"),
        (["number"], TooLittleData, "fewer than two levels with 10 lifetimes or more"),
        (["hundreds"], TooLittleData, "too few for 179 terms"),
    ],
)
def test_what_has_no_estimate_is_named(
    company: pd.DataFrame, covariates: list, error: type, message: str
) -> None:
    """Never a wrong number: a message with the covariate instead."""
    place = np.arange(len(company))
    table = company.assign(
        constant="x",
        fixed=1.0,
        empty=None,
        unclean=np.where(place == 3, "n/a", (place % 50).astype(str)),
        separates=(company["churned"] | (place % 2 == 0)).astype(int),
        early=-company["duration_days"].where(company["churned"], 9_999.0),
        number=[f"n{i}" for i in place],
        hundreds=[f"h{i % 180}" for i in place],
    )
    with pytest.raises(error, match=message):
        churn.fit_hazard(table, covariates=covariates)


@pytest.mark.parametrize("case", ["after all others", "before all others", "lone latest"])
@pytest.mark.parametrize("more", [[], ["visits"]])
def test_a_level_that_separates_is_named_and_not_estimated(case: str, more: list) -> None:
    """The coefficient grows without end; steps that vanish in rounding are no maximum."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        n = 200
        level = (rng.random(n) < 0.4).astype(float)
        days, churned = rng.integers(1, 100, n), rng.random(n) < 0.9
        if case == "lone latest":
            lone = np.flatnonzero(level)[0]
            churned &= level == 0
            churned[lone], days[lone] = True, 500
        else:
            days[level == (case == "after all others")] += 100
        table = pd.DataFrame(
            {
                "customer_id": np.arange(n).astype(str),
                "duration_days": days,
                "churned": churned,
                "level": level,
                "visits": rng.normal(size=n),
            }
        )
        with pytest.raises(TooLittleData, match="no maximum: 'level', alone or with others"):
            churn.fit_hazard(table, covariates=["level", *more])


def test_a_large_but_finite_ratio_is_estimated(company: pd.DataFrame) -> None:
    """One among many leaves early: the ratio is far from 1 and its interval wide."""
    rng = np.random.default_rng(1)
    rare = (np.arange(len(company)) < 300).astype(float)
    churned = company["churned"] & (rare == 0)
    churned.iloc[np.flatnonzero(rare)[rng.integers(300)]] = True
    model = churn.fit_hazard(company.assign(churned=churned, rare=rare), covariates=["rare"])

    assert model.table["hazard_ratio"].iloc[0] < 0.1
    assert 0.9 < model.table["std_error"].iloc[0] < 1.1


def test_a_level_made_rare_by_other_missing_values_is_left_out(company: pd.DataFrame) -> None:
    """Twelve lifetimes of a level, two of them complete, are two; the level goes as well."""
    table = company.reset_index(drop=True)
    table.loc[:11, "plan"] = "C"
    table.loc[:9, "visits"] = None
    model = churn.fit_hazard(table, covariates=["plan", "visits"])

    assert model.table["term"].tolist() == ["plan[B]", "visits"]
    assert model.table.loc[0, "n"] == 2_000 - 12
    assert model.left_out.iloc[-1].tolist() == ["plan", 2, "'C' is too rare"]
    table.loc[10:11, "visits"] = None
    emptied = churn.fit_hazard(table, covariates=["plan", "visits"])
    assert emptied.table["term"].tolist() == ["plan[B]", "visits"]
    assert emptied.left_out["why"].tolist() == ["no value"]


def test_who_lacks_a_rare_level_is_not_counted_as_the_reference(company: pd.DataFrame) -> None:
    """Lifetimes of a level that is too rare leave the model with it."""
    table = company.reset_index(drop=True)
    table.loc[:8, "plan"] = "C"
    alone = churn.fit_hazard(table, covariates=["plan"]).table
    without = churn.fit_hazard(table[9:], covariates=["plan"]).table

    pd.testing.assert_frame_equal(without, alone)


def test_terms_that_repeat_others_need_no_churn_of_their_own(company: pd.DataFrame) -> None:
    """Two terms and eight copies ask for twenty who left, not for a hundred."""
    few = company.assign(
        churned=company["churned"] & (company["churned"].cumsum() <= 30),
        **{f"copy{i}": company["visits"] for i in range(8)},
    )
    copies = [f"copy{i}" for i in range(8)]

    assert churn.fit_hazard(few, covariates=["visits", *copies]).repeated == copies


def test_codes_with_a_word_among_them_are_levels(company: pd.DataFrame) -> None:
    """'1', '2' and '3 or more' are no numbers with an error among them."""
    codes = company["visits"].map({0: "1", 1: "2", 2: "3 or more"})
    model = churn.fit_hazard(company.assign(codes=codes), covariates=["codes"])

    assert len(model.table) == 2
