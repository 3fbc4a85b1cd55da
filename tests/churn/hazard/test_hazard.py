"""The model with plain terms: what goes in, what is counted, and what has no estimate."""

from __future__ import annotations

import lifelines.datasets
import numpy as np
import pandas as pd
import pytest

from cxlib import churn
from cxlib.churn.hazard.design import lay_out, number_strata
from cxlib.errors import InputError, TooLittleData


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


def test_lung_equals_r(lung: pd.DataFrame) -> None:
    """R: coxph(Surv(time, status) ~ age + sex, lung, ties = "efron")."""
    model = churn.fit_hazard(lung, covariates=["age", "sex"])

    assert model.table["term"].tolist() == ["age", "sex"]
    np.testing.assert_allclose([0.01704533, -0.51321852], model.table["estimate"], atol=1e-8)
    np.testing.assert_allclose([0.00922327, 0.16745796], model.table["std_error"], atol=1e-8)
    np.testing.assert_allclose(np.exp(model.table["estimate"]), model.table["hazard_ratio"])
    assert model.table.loc[0, ["n", "n_churned"]].tolist() == [228, 165]


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
        (["separates"], TooLittleData, "separates = 1, others have not.*\n?.*ask for a ridge"),
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


def cut(lifetimes: pd.DataFrame, days: float) -> pd.DataFrame:
    """Cut every lifetime that goes on after a day of age into two stretches."""
    long = (lifetimes["duration_days"] > days) & (lifetimes["entry_days"] < days)
    before = lifetimes.assign(
        duration_days=lifetimes["duration_days"].where(~long, days),
        churned=lifetimes["churned"] & ~long,
    )
    return pd.concat([before, lifetimes[long].assign(entry_days=days)], ignore_index=True)


def test_stretches_of_a_lifetime_are_one_lifetime(company: pd.DataFrame) -> None:
    """Start-stop rows give the numbers of the whole rows, errors by customer included."""
    whole = churn.fit_hazard(company, covariates=["plan", "visits"])
    stretches = cut(cut(company, 60), 120).sample(frac=1, random_state=3)
    pieces = churn.fit_hazard(stretches, covariates=["plan", "visits"])

    assert len(stretches) > len(company) + 1_000
    assert pieces.table[["n", "n_churned"]].equals(whole.table[["n", "n_churned"]])
    assert pieces.references.equals(whole.references)
    np.testing.assert_allclose(pieces.table["estimate"], whole.table["estimate"], rtol=1e-8)
    # errors by customer do not depend on how many rows the customer has
    once = churn.fit_hazard(cut(company, 60), covariates=["plan", "visits"])
    np.testing.assert_allclose(pieces.table["std_error"], once.table["std_error"], rtol=1e-8)
    np.testing.assert_allclose(pieces.table["std_error"], whole.table["std_error"], rtol=0.1)


def test_a_level_of_many_rows_and_few_lifetimes_is_rare(company: pd.DataFrame) -> None:
    """Three customers in thirty rows each are three customers."""
    table = company.reset_index(drop=True)
    table.loc[:2, "plan"] = "C"
    days = table.loc[:2, "duration_days"].min() - 1
    stretches = cut(table, days / 2)
    for part in range(1, 30):
        rows = stretches["plan"] == "C"
        stretches = pd.concat([stretches[~rows], cut(stretches[rows], days * part / 30)])
    model = churn.fit_hazard(stretches, covariates=["plan"])

    assert (stretches["plan"] == "C").sum() > 60
    assert model.left_out.to_numpy().tolist() == [["plan", 3, "'C' is too rare"]]
    assert model.table["n"].tolist() == [len(company) - 3]


def test_a_value_missing_for_a_time_takes_out_that_time(company: pd.DataFrame) -> None:
    """The other stretches of the lifetime stay, and it counts once."""
    stretches = cut(company.reset_index(drop=True), 60)
    later = stretches.index[stretches["entry_days"] == 60][:20]
    stretches["visits"] = stretches["visits"].astype(float)
    stretches.loc[later, "visits"] = None
    model = churn.fit_hazard(stretches, covariates=["visits"])
    begun = stretches.loc[stretches["customer_id"].isin(stretches.loc[later, "customer_id"])]

    assert model.left_out.to_numpy().tolist() == [["visits", 20, "no value"]]
    gone = 20 - begun.drop(index=later)["customer_id"].nunique()
    assert model.table["n"].tolist() == [len(company) - gone]


def test_returns_without_spell_are_lifetimes_of_their_own(company: pd.DataFrame) -> None:
    """Who left and came back has several lifetimes, seen from day 0."""
    first = company[company["churned"] & (company["entry_days"] == 0)][:50]
    both = pd.concat([company, first, first.assign(duration_days=9, churned=False)])
    model = churn.fit_hazard(both, covariates=["visits"])

    assert model.table["n"].tolist() == [len(company) + 100]


def test_strata_have_no_ratio_and_take_the_baseline_apart(company: pd.DataFrame) -> None:
    """Equal to R's strata(): see test_cox; here the columns, their numbers and what is missing."""
    table = company.reset_index(drop=True)
    table["region"] = np.where(table.index % 2, "north", "south")
    table.loc[:4, "region"] = None
    model = churn.fit_hazard(table, covariates=["visits"], strata=["region", "plan"])

    assert model.table["term"].tolist() == ["visits"]
    assert model.left_out.to_numpy().tolist() == [["region", 5, "no value"]]
    expected = [("north", "A"), ("north", "B"), ("south", "A"), ("south", "B")]
    assert model.design.strata_levels == expected
    assert sorted(model.fit.baseline["stratum"].unique()) == [0, 1, 2, 3]
    people = pd.DataFrame({"region": ["south", "east", None], "plan": ["B", "A", "A"]})
    assert number_strata(model.design, people).tolist() == [3, -1, -1]


def test_a_ridge_gives_a_separating_level_a_finite_ratio(company: pd.DataFrame) -> None:
    """Refused without one, estimated with one; the ratios of the others hardly move."""
    table = company.assign(never=(~company["churned"]).astype(int) * (company["visits"] == 0))
    with pytest.raises(TooLittleData, match="All who churned have never = 0"):
        churn.fit_hazard(table, covariates=["visits", "never"])
    model = churn.fit_hazard(table, covariates=["visits", "never"], ridge=1.0)
    ratios = model.table.set_index("term")["hazard_ratio"]

    assert 0 < ratios["never"] < 0.1
    with pytest.raises(InputError, match="ridge = -1 is no penalty"):
        churn.fit_hazard(table, covariates=["visits"], ridge=-1)


def test_a_column_is_covariate_or_stratum(company: pd.DataFrame) -> None:
    """Within its strata a covariate has one value."""
    with pytest.raises(InputError, match="'plan' cannot be covariate and stratum at once"):
        churn.fit_hazard(company, covariates=["plan"], strata=["plan"])
    with pytest.raises(InputError, match="did you mean 'plan'"):
        churn.fit_hazard(company, covariates=["visits"], strata=["plam"])


def test_customers_are_laid_out_as_in_the_model(company: pd.DataFrame) -> None:
    """Levels against the reference, numbers as text; unknown levels and blanks are missing."""
    model = churn.fit_hazard(company, covariates=["plan", "visits"])
    people = pd.DataFrame(
        {"plan": ["A", "B", "C", "", "B"], "visits": ["1", "2", "0", "1", " "]}, index=list("abcde")
    )
    laid = lay_out(model.design, people)

    assert laid.columns.tolist() == model.fit.terms == ["plan[B]", "visits"]
    assert laid.loc[["a", "b"]].to_numpy().tolist() == [[0, 1], [1, 2]]
    assert laid.loc[["c", "d", "e"]].isna().all(axis=None)
    with pytest.raises(InputError, match="There is no column 'visits'"):
        lay_out(model.design, people[["plan"]])
    again = lay_out(model.design, company)
    np.testing.assert_allclose(again.mean(), model.fit.center)


def test_lifetimes_of_no_day_have_no_pace() -> None:
    """All that ended on the day they began tell nothing of who leaves sooner."""
    table = pd.DataFrame(
        {
            "customer_id": [str(i) for i in range(200)],
            "duration_days": 0.0,
            "churned": [i % 3 > 0 for i in range(200)],
            "contract": ["y" if i % 2 else "n" for i in range(200)],
        }
    )
    with pytest.raises(TooLittleData, match="Nobody was followed for a day"):
        churn.fit_hazard(table, covariates=["contract"])
