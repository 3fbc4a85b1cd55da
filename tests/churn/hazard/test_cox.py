"""The Cox core: closed forms, R's numbers (tests/churn/reference/cox.R), and a real data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.churn.hazard.cox import CoxFit, fit_cox
from cxlib.churn.hazard.hazard import fit_hazard
from cxlib.churn.hazard.risk_sets import lay_out_rows, sum_days
from cxlib.errors import TooLittleData

REFERENCE = Path(__file__).parent.parent / "reference"
TEST1 = {
    "entry": [-1] * 6,
    "duration": [1, 1, 6, 6, 8, 9],
    "churned": [1, 0, 1, 1, 0, 1],
    "x": [1, 1, 1, 0, 0, 0],
}
TEST2 = {
    "entry": [1, 2, 5, 2, 1, 7, 3, 4, 8, 8],
    "duration": [2, 3, 6, 7, 8, 9, 9, 9, 14, 17],
    "churned": [1, 1, 1, 1, 1, 1, 1, 0, 0, 0],
    "x": [1, 0, 0, 1, 0, 1, 1, 1, 0, 0],
}
TEST3 = {
    "entry": [-1] * 9,
    "duration": [1, 1, 2, 2, 2, 2, 3, 4, 5],
    "churned": [1, 0, 1, 1, 1, 0, 0, 1, 0],
    "x": [2, 0, 1, 1, 0, 1, 0, 1, 0],
}
WEIGHTS3 = np.array([1.0, 2, 3, 4, 3, 2, 1, 2, 1])


def fit(entry: Any, duration: Any, churned: Any, x: Any, **given: Any) -> CoxFit:
    """Fit lists."""
    design = x if isinstance(x, pd.DataFrame) else pd.DataFrame({"x": x})
    numbers = (np.asarray(part, dtype=float) for part in (entry, duration))
    return fit_cox(*numbers, np.asarray(churned, dtype=bool), design.astype(float), **given)


def assert_fit(
    found: CoxFit, estimates: list[float], std_errors: list[float], likelihoods: list[float]
) -> None:
    """Compare with what R prints, to nine digits."""
    np.testing.assert_allclose(found.estimates, estimates, rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), std_errors, rtol=1e-9)
    both = [found.log_likelihood_null, found.log_likelihood]
    np.testing.assert_allclose(both, likelihoods, rtol=1e-10)


@pytest.fixture(scope="module")
def lung() -> pd.DataFrame:
    """Give survival::lung of R, the lung cancer trial of Loprinzi et al. (1994)."""
    return pd.read_csv(REFERENCE / "lung.csv")


@pytest.fixture(scope="module")
def heart() -> pd.DataFrame:
    """Give survival::heart of R: stretches before and after a transplant (Crowley, Hu 1977)."""
    return pd.read_csv(REFERENCE / "heart.csv")


def fit_lung(lung: pd.DataFrame, terms: list[str], **given: Any) -> CoxFit:
    """Fit the lung data; 2 in status is a death."""
    return fit(np.full(len(lung), -1), lung["time"], lung["status"] == 2, lung[terms], **given)


def fit_heart(heart: pd.DataFrame, terms: list[str], **given: Any) -> CoxFit:
    """Fit the heart data."""
    return fit(heart["start"], heart["stop"], heart["event"], heart[terms], **given)


def test_first_closed_form() -> None:
    """Therneau, validate.Rnw, test1: r = exp(beta) solves r^3 - 23 r - 30 = 0 (Efron).

    Score by hand: 2 = r/(r+1) + r/(r+3) + r/(r+5). Root: 2 sqrt(23/3) cos(phi/3) with
    cos(phi) = 15 (3/23)^(3/2). With Breslow's ties r = (3 + sqrt 33) / 2.
    """
    root = 2 * np.sqrt(23 / 3) * np.cos(np.arccos(15 * (3 / 23) ** 1.5) / 3)
    efron = fit(*TEST1.values())
    np.testing.assert_allclose(efron.estimates, np.log(root), rtol=1e-10)
    np.testing.assert_allclose(1 / efron.covariance, 0.612632, atol=1e-6)
    assert_fit(efron, [1.67685748559], [1.27761557628], [-4.27666611902, -3.35897484026])
    breslow = fit(*TEST1.values(), ties="breslow")
    np.testing.assert_allclose(breslow.estimates, np.log((3 + np.sqrt(33)) / 2), rtol=1e-10)
    assert_fit(breslow, [1.47528491483], [1.25573439301], [-4.56434819147, -3.82474950500])


def test_first_closed_form_of_the_baseline() -> None:
    """By hand at r = exp(beta), Efron: two leave together on day 6.

    Day 1: one end of 3r + 3; day 6: two ends of r + 3, the second less half of r + 1; day 9: one
    end of 1. The baseline belongs to the mean of x, 1/2.
    """
    found = fit(*TEST1.values())
    r = np.exp(found.estimates[0])
    by_hand = np.array([1 / (3 * r + 3), 1 / (r + 3) + 2 / (r + 5), 1.0])

    assert found.center.tolist() == [0.5]
    assert found.baseline["time_days"].tolist() == [1, 6, 9]
    np.testing.assert_allclose(found.baseline["hazard"], np.sqrt(r) * by_hand, rtol=1e-9)


def test_first_closed_form_of_the_residuals() -> None:
    """Martingale residuals at zero, Efron's ties: left less expected, as worked out by Therneau."""
    entry, duration, churned = (
        np.asarray(TEST1[name], dtype=float) for name in ("entry", "duration", "churned")
    )
    rows = lay_out_rows(
        entry, duration, churned.astype(bool), strata=None, weights=None, is_efron=True
    )
    days = sum_days(rows, np.ones(6), np.column_stack([np.ones(6), TEST1["x"]]))
    residuals = churned - rows.spend(*days.inverse)
    np.testing.assert_allclose(residuals, [5 / 6, -1 / 6, 5 / 12, 5 / 12, -3 / 4, -3 / 4])


def test_second_closed_form_with_late_entry() -> None:
    """Therneau, validate.Rnw, test2, on (start, stop]."""
    efron, breslow = fit(*TEST2.values()), fit(*TEST2.values(), ties="breslow")
    assert_fit(efron, [-0.0211052095802], [0.79517687382], [-9.16951837746, -9.16916646472])
    assert_fit(breslow, [-0.0845260806613], [0.793817277486], [-9.39266192877, -9.38701511837])


def test_third_closed_form_with_weights() -> None:
    """Therneau, validate.Rnw, test3: weights as R takes them."""
    efron = fit(*TEST3.values(), weights=WEIGHTS3)
    breslow = fit(*TEST3.values(), weights=WEIGHTS3, ties="breslow")
    assert_fit(efron, [0.872604246383], [0.71257043649], [-30.2921796059, -29.4167846001])
    assert_fit(breslow, [0.859557444494], [0.71309419961], [-32.8675507789, -32.0210462764])


def test_weights_are_repeated_rows_with_breslow_only() -> None:
    """With Efron's ties the copies of a row would be tied with each other."""
    times = WEIGHTS3.astype(int)
    repeated = [np.repeat(part, times) for part in TEST3.values()]
    apart = {}
    for ties in ("efron", "breslow"):
        weighted = fit(*TEST3.values(), weights=WEIGHTS3, ties=ties).estimates
        apart[ties] = abs(weighted - fit(*repeated, ties=ties).estimates)[0]

    assert apart["breslow"] < 1e-10
    assert apart["efron"] > 1e-3


def test_lung_equals_r(lung: pd.DataFrame) -> None:
    """R: coxph(Surv(time, status) ~ age + sex, lung, ties = ..., robust = ...)."""
    terms, every = ["age", "sex"], np.arange(len(lung))
    null = {"efron": -749.909801390, "breslow": -750.122018895}
    expected: dict[Any, list[float]] = {
        "efron": [0.0170453318502, -0.5132185198362],
        "breslow": [0.0170128892031, -0.5125647942292],
    }
    plain = {
        "efron": [0.00922327347726, 0.16745796243624],
        "breslow": [0.00922195368519, 0.16746206322231],
    }
    robust = {
        "efron": [0.009504638126, 0.160174167914],
        "breslow": [0.00948632318238, 0.15994067452026],
    }
    likelihood = {"efron": -742.848245784, "breslow": -743.079654198}
    for ties, estimates in expected.items():
        both = [null[ties], likelihood[ties]]
        assert_fit(fit_lung(lung, terms, ties=ties), estimates, plain[ties], both)
        found = fit_lung(lung, terms, ties=ties, clusters=every)
        assert_fit(found, estimates, robust[ties], both)


def test_strata_and_clusters_of_lung_equal_r(lung: pd.DataFrame) -> None:
    """R: ~ age + ph.ecog + strata(sex), and ~ age + sex with cluster = inst."""
    known = lung[lung["ph.ecog"].notna()]
    found = fit_lung(known, ["age", "ph.ecog"], strata=known["sex"].to_numpy() - 1)
    errors = [0.00924137389309, 0.11476109785480]
    assert_fit(found, [0.0105662546009, 0.4624244343583], errors, [-638.509764984, -628.770939501])

    known = lung[lung["inst"].notna()]
    clusters = known["inst"].to_numpy(int)
    found = fit_lung(known, ["age", "sex"], clusters=clusters)
    errors = [0.00732739307695, 0.12823060177951]
    assert_fit(found, [0.0170334959766, -0.5116682982164], errors, [-744.799933703, -737.810921265])
    found = fit_lung(known, ["age", "sex"], clusters=clusters, ties="breslow")
    errors = [0.00730480766743, 0.12795916268198]
    assert_fit(found, [0.0170000450713, -0.5109965893852], errors, [-745.013060575, -738.043641522])


def test_ridge_equals_r(lung: pd.DataFrame) -> None:
    """R: coxph(Surv(time, status) ~ ridge(age, sex, theta = 10), lung), scaled by default."""
    found = fit_lung(lung, ["age", "sex"], ridge=10)
    # R stops its penalised steps early: six digits
    np.testing.assert_allclose(found.estimates, [0.0160241456302, -0.4820820633303], rtol=1e-6)
    errors = np.sqrt(np.diag(found.covariance))
    np.testing.assert_allclose(errors, [0.00889678469853, 0.16123711873986], rtol=1e-6)
    np.testing.assert_allclose(found.log_likelihood, -742.872951587, rtol=1e-8)


def test_stanford_heart_equals_r(heart: pd.DataFrame) -> None:
    """R: coxph(Surv(start, stop, event) ~ age + surgery + transplant, heart, ties = ...)."""
    terms = ["age", "surgery", "transplant"]
    assert_fit(
        fit_heart(heart, terms),
        [0.0305363149142, -0.7733276453005, 0.0160956052965],
        [0.0138927866309, 0.3596679881107, 0.3085858042285],
        [-298.121355673, -292.762025532],
    )
    assert_fit(
        fit_heart(heart, terms, ties="breslow"),
        [0.0305322105488, -0.7716099957827, 0.0144196166127],
        [0.0138981297328, 0.3596750675748, 0.3085158060771],
        [-298.325606736, -292.983954845],
    )


def test_stanford_heart_of_the_book_equals_r() -> None:
    """Kalbfleisch and Prentice, model 1. R: ~ (age + surgery) * transplant, jasa1, breslow."""
    jasa = pd.read_csv(REFERENCE / "jasa1.csv")
    x = jasa[["age", "surgery", "transplant"]].assign(
        age_after=jasa["age"] * jasa["transplant"],
        surgery_after=jasa["surgery"] * jasa["transplant"],
    )
    assert_fit(
        fit(jasa["start"], jasa["stop"], jasa["event"], x, ties="breslow"),
        [0.0138569771155, -0.5465229177598, 0.1157229610681, 0.0347342364248, -0.2903672207303],
        [0.0181253940899, 0.6109096207995, 0.3272866443422, 0.0272537377868, 0.7581891996805],
        [-298.325606736, -292.101872777],
    )


def test_everything_at_once_equals_r(heart: pd.DataFrame) -> None:
    """R: ~ age + transplant + strata(surgery), weights = 1 + id %% 3, cluster = id, heart."""
    given: dict[str, Any] = {
        "strata": heart["surgery"].to_numpy(),
        "weights": 1.0 + heart["id"].to_numpy() % 3,
        "clusters": heart["id"].to_numpy(),
    }
    assert_fit(
        fit_heart(heart, ["age", "transplant"], **given),
        [0.0187100618993, 0.2152889912781],
        [0.0143102929765, 0.3603965160577],
        [-639.688186705, -636.341753462],
    )
    assert_fit(
        fit_heart(heart, ["age", "transplant"], ties="breslow", **given),
        [0.0187728185676, 0.2117071879920],
        [0.0142923701087, 0.3585143092219],
        [-640.067287315, -636.734539951],
    )


def test_telephone_company_equals_the_exact_optimum(shared_data: Path) -> None:
    """Coefficients of lifelines' example notebook, at the exact optimum -10106.048345."""
    telco = pd.read_csv(shared_data / "telco" / "Telco-Customer-Churn.csv", dtype=str)
    telco = telco.apply(lambda column: column.where(~column.str.startswith("No "), "No"))
    lifetimes = telco.rename(columns={"customerID": "customer_id"}).assign(
        duration_days=telco["tenure"].astype(float), churned=telco["Churn"] == "Yes"
    )
    services = ["InternetService", "StreamingMovies", "StreamingTV", "PhoneService"]
    covariates = "MonthlyCharges SeniorCitizen Dependents Contract DeviceProtection MultipleLines"
    covariates += " OnlineBackup OnlineSecurity PaperlessBilling Partner PaymentMethod TechSupport"
    model = fit_hazard(lifetimes, covariates=[*covariates.split(), "gender"], strata=services)
    found = model.table.set_index("term")["estimate"]

    assert (len(lifetimes), model.table["n_churned"].iloc[0]) == (7043, 1869)
    assert model.fit.log_likelihood == pytest.approx(-10106.048345, abs=1e-6)
    expected = {
        "Partner[Yes]": -0.530764, "OnlineSecurity[Yes]": -0.621880, "OnlineBackup[Yes]": -0.649416,
        "TechSupport[Yes]": -0.398502, "Contract[One year]": -1.593001,
        "Contract[Two year]": -3.107069, "PaperlessBilling[No]": -0.187855,
        "PaymentMethod[Bank transfer (automatic)]": -0.563462,  # against the electronic check
        "PaymentMethod[Mailed check]": 0.506332 - 0.563462, "MonthlyCharges": -0.005575,
    }  # fmt: skip
    for term, estimate in expected.items():
        assert found[term] == pytest.approx(estimate, abs=1.1e-6), term


def test_late_entry_equals_statsmodels() -> None:
    """Statsmodels referees Efron with late entry on a larger table.

    It counts who enters on a day as at risk on that day, so entries are set half a day later.
    """
    from statsmodels.duration.hazard_regression import PHReg

    rng = np.random.default_rng(5)
    entry = rng.integers(0, 200, 800) + 0.5
    x = np.column_stack([rng.random(800) < 0.4, rng.normal(size=800)]).astype(float)
    duration, churned = np.ceil(entry + rng.exponential(90, 800) + 1), rng.random(800) < 0.7
    theirs = PHReg(duration, x, status=churned, entry=entry, ties="efron").fit(disp=0)
    ours = fit(entry, duration, churned, pd.DataFrame(x))

    np.testing.assert_allclose(ours.estimates, theirs.params, atol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.covariance)), theirs.bse, atol=1e-6)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """Draw rows with ties, late entry, two strata and repeated customers."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n = draw(st.integers(40, 80))
    entry = rng.integers(-1, 12, n).astype(float)
    return {
        "entry": entry,
        "duration": entry + rng.integers(1, 12, n),
        "churned": rng.random(n) < 0.7,
        "x": pd.DataFrame(rng.normal(size=(n, 2))),
        "strata": rng.integers(0, 2, n),
        "clusters": rng.integers(0, n // 2, n),
        "weights": rng.uniform(0.5, 2, n),
    }


@settings(max_examples=20, deadline=None)
@given(rows(), st.sampled_from(["efron", "breslow"]))
def test_cutting_rows_shuffling_and_renaming_change_nothing(given: dict, ties: str) -> None:
    """A row of two stretches is the row; the order of rows and the numbers of strata are names."""
    x = given["x"]
    once = fit(**given, ties=ties)
    middle = np.floor((given["entry"] + given["duration"]) / 2)
    cut = np.flatnonzero(middle > given["entry"])
    order = np.random.default_rng(0).permutation(len(x) + len(cut))
    pieces = {name: np.append(part, part[cut]) for name, part in given.items() if name != "x"}
    pieces["entry"] = np.append(given["entry"], middle[cut])
    pieces["duration"][cut] = middle[cut]
    pieces["churned"][cut] = False
    pieces["strata"] = 1 - pieces["strata"]
    shuffled = {name: part[order] for name, part in pieces.items()}
    twice = fit(**shuffled, x=pd.concat([x, x.iloc[cut]]).iloc[order], ties=ties)

    np.testing.assert_allclose(twice.estimates, once.estimates, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(twice.covariance, once.covariance, rtol=1e-6, atol=1e-9)


def test_units_and_origin_of_a_covariate_do_not_matter(heart: pd.DataFrame) -> None:
    """Dates in seconds since 1970 and shares near 0 are fitted alike."""
    plain = fit_heart(heart, ["age", "surgery"])
    moved = heart.assign(age=heart["age"] * 3.15e7 + 1e9, surgery=heart["surgery"] * 1e-6)
    scaled = fit_heart(moved, ["age", "surgery"])

    np.testing.assert_allclose(scaled.estimates * [3.15e7, 1e-6], plain.estimates, rtol=1e-7)
    np.testing.assert_allclose(scaled.log_likelihood, plain.log_likelihood, rtol=1e-12)


def test_a_ridge_gives_a_separating_covariate_a_finite_ratio() -> None:
    """Without it there is no maximum; the more it weighs the nearer the ratio is to 1."""
    separates = {**TEST1, "x": [1, 0, 1, 1, 0, 0]}
    with pytest.raises(TooLittleData, match=r"no maximum: 'x'.*ask for a ridge"):
        fit(*separates.values())
    ratios = [np.exp(fit(*separates.values(), ridge=ridge).estimates[0]) for ridge in (0.1, 1, 10)]

    assert np.isfinite(ratios[0])
    assert ratios[0] > ratios[1] > ratios[2] > 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"churned": [0] * 10}, "Nobody churned"),
        ({"x": [1] * 10}, "'x' has one value only"),
        ({"x": [0] * 9 + [1]}, "'x' tells nobody at risk apart"),
    ],
)
def test_what_cannot_be_fitted_is_named(change: dict, message: str) -> None:
    """The last customer enters after all others have left or are not told apart."""
    late = {**TEST2, "entry": [*TEST2["entry"][:9], 16]}
    with pytest.raises(TooLittleData, match=message):
        fit(*{**late, **change}.values())


def test_a_term_that_strata_explain_is_named(heart: pd.DataFrame) -> None:
    """Within each stratum the covariate is constant."""
    with pytest.raises(TooLittleData, match="'surgery' tells nobody at risk apart"):
        fit_heart(heart, ["age", "surgery"], strata=heart["surgery"].to_numpy())


def test_the_parametric_referee_agrees_with_r(lung: pd.DataFrame) -> None:
    """R: survreg(Surv(time, status) ~ age + sex, lung), Weibull; lifelines is its counterpart."""
    from lifelines import WeibullAFTFitter

    table = lung[["time", "age", "sex"]].assign(left=lung["status"] == 2)
    found = WeibullAFTFitter().fit(table, "time", "left")
    terms = found.params_["lambda_"]
    expected = {"Intercept": 6.274853, "age": -0.01225703, "sex": 0.38208514}
    assert terms[list(expected)].to_dict() == pytest.approx(expected, rel=1e-4)
    assert np.exp(-found.params_["rho_"]["Intercept"]) == pytest.approx(0.75405095, rel=1e-4)
    assert found.log_likelihood_ == pytest.approx(-1147.05443, rel=1e-7)
