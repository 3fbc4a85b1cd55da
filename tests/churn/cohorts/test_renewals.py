"""Renewals: the published example, counting under censoring and late entry, what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special

from cxlib.churn.cohorts.renewals import (
    count_renewals,
    expect_renewals,
    find_term,
    fit_renewals,
    project_renewals,
)
from cxlib.churn.cohorts.wording import describe_renewals
from cxlib.errors import InputError, TooLittleData

# Fader and Hardie (2007), table 1: customers left of 1,000 after years 0 to 7, and 8 to 12
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394]


def lose(left: list[int]) -> pd.DataFrame:
    """Count decisions of a cohort followed to the end."""
    left = np.array(left)
    return pd.DataFrame(
        {"term": np.arange(1, len(left)), "n_at_risk": left[:-1], "n_churned": left[:-1] - left[1:]}
    )


def draw(rng: np.random.Generator, n: int, alpha: float, beta: float) -> np.ndarray:
    """Draw the renewal at which each of n customers leaves."""
    return rng.geometric(rng.beta(alpha, beta, n))


@pytest.mark.parametrize(
    ("left", "alpha", "beta"), [(REGULAR, 0.704, 1.182), (HIGH_END, 0.668, 3.806)]
)
def test_published_parameters(left: list[int], alpha: float, beta: float) -> None:
    """Fader and Hardie (2007) fit years 0 to 7 and find these numbers."""
    model = fit_renewals(lose(left[:8]))

    np.testing.assert_allclose([alpha, beta], model.table["estimate"], atol=0.0006)
    assert (model.table["conf_low"] < [alpha, beta]).all()
    assert (model.table["conf_high"] > [alpha, beta]).all()
    projected = project_renewals(model, n_terms=12).query("source == 'model'")
    # S(t) = B(alpha, beta + t) / B(alpha, beta)
    a, b = model.table["estimate"]
    terms = np.arange(13)
    np.testing.assert_allclose(
        special.beta(a, b + terms) / special.beta(a, b), projected["retained_share"], rtol=1e-9
    )
    # what came in years 8 to 12 lies in the intervals
    came = np.array(left[8:]) / 1000
    assert (projected["conf_low"].to_numpy()[8:] < came).all()
    assert (came < projected["conf_high"].to_numpy()[8:]).all()
    assert projected["is_projected"].tolist() == [False] * 8 + [True] * 5


def test_expected_renewals_equal_the_closed_form() -> None:
    """Fader and Hardie (2010), eq. 6, by Gauss' function; 7.530 for High End after 7, at 10 %."""
    model = fit_renewals(lose(HIGH_END[:8]))
    expected = expect_renewals(model, discount_share=0.1)

    a, b = model.table["estimate"]
    n = expected["term"].to_numpy() + 1
    closed = (b + n - 1) / (a + b + n - 1) * special.hyp2f1(1, b + n, a + b + n, 1 / 1.1)
    np.testing.assert_allclose(closed, expected["expected_renewals"], rtol=1e-8)
    np.testing.assert_allclose(7.530, expected["expected_renewals"].iloc[7], atol=5e-4)
    assert expected["expected_renewals"].is_monotonic_increasing
    assert (expected["conf_low"] < expected["expected_renewals"]).all()
    assert (expected["expected_renewals"] < expected["conf_high"]).all()


def test_intervals_are_those_of_the_profile_likelihood() -> None:
    """The likelihood is flat along no more than the interval: checked for alpha by brute force."""
    renewals = lose(REGULAR[:8])
    model = fit_renewals(renewals)
    churned = renewals["n_churned"].to_numpy()
    stayed = renewals["n_at_risk"].to_numpy() - churned
    beta, terms = np.linspace(0.6, 2.5, 4001)[:, None], np.arange(7)

    def profile(alpha: float) -> float:
        leave = alpha / (alpha + beta + terms)
        return float((churned * np.log(leave) + stayed * np.log(1 - leave)).sum(axis=1).max())

    best, low, high = model.table.loc[0, ["estimate", "conf_low", "conf_high"]]
    for end in (low, high):
        np.testing.assert_allclose(1.9207, profile(best) - profile(end), atol=0.005)


def test_counts_by_hand() -> None:
    """Contracts of 100 days; ends lie 2 days before to 3 days after a renewal.

    Renewal 1: a leaves; b, c, d, f renew; e (98 days, still there) has not decided; g entered
    on day 150. Renewal 2: b leaves, c, d, f, g renew. Renewal 3: c leaves; d (302 days) has not
    decided, nor f; g leaves on day 350, in the midst, and counts at renewal 4.
    """
    table = pd.DataFrame(
        [
            ("a", 100, True, 0),
            ("b", 198, True, 0),
            ("c", 303, True, 0),
            ("d", 302, False, 0),
            ("e", 98, False, 0),
            ("f", 203, False, 0),
            ("g", 350, True, 150),
            *[(f"x{i}", 100, True, 0) for i in range(10)],
        ],
        columns=["customer_id", "duration_days", "churned", "entry_days"],
    )
    counts = count_renewals(table, term_days=100)

    assert counts.to_numpy().tolist() == [[1, 15, 11], [2, 5, 1], [3, 2, 1], [4, 1, 1]]


def test_late_entry_and_censoring_do_not_bias() -> None:
    """Planted alpha 0.9 and beta 2.5; half enter late and so are survivors, all are cut."""
    rng = np.random.default_rng(5)
    n = 30_000
    end = draw(rng, n, 0.9, 2.5) * 365.25 // 1
    entry = np.where(rng.random(n) < 0.5, rng.integers(1, 1200, n), 0)
    last = entry + rng.integers(200, 2200, n)
    table = pd.DataFrame(
        {
            "customer_id": np.arange(n).astype(str),
            "duration_days": np.minimum(end, last),
            "churned": end <= last,
            "entry_days": entry,
        }
    )[end > entry]
    assert find_term(table) == 12 * 30.4375
    model = fit_renewals(count_renewals(table, term_days=365.25))
    assert (model.table["conf_low"] < [0.9, 2.5]).all()
    assert (model.table["conf_high"] > [0.9, 2.5]).all()
    assert model.misfit_p_value > 0.01

    naive = fit_renewals(count_renewals(table.assign(entry_days=0), term_days=365.25))
    first = project_renewals(naive, n_terms=1).iloc[-1]
    assert first["conf_low"] > 2.5 / 3.4


def test_intervals_cover() -> None:
    """80 cohorts of 200: the projected share after ten renewals, of which five were seen."""
    rng, truth = np.random.default_rng(6), special.beta(1.0, 4.0) / special.beta(1.0, 14.0)
    covered = 0
    for _ in range(80):
        leaves = draw(rng, 200, 1.0, 4.0)
        left = [200, *(int((leaves > t).sum()) for t in range(1, 6))]
        row = project_renewals(fit_renewals(lose(left)), n_terms=10).iloc[-1]
        covered += row["conf_low"] <= 1 / truth <= row["conf_high"]
    assert 0.88 <= covered / 80 <= 0.99


def test_customers_who_are_all_alike_have_no_bound_of_alpha() -> None:
    """A fifth leaves every time: heterogeneity may be none, the projection is geometric."""
    model = fit_renewals(lose([10_000, 8_000, 6_400, 5_120, 4_096]))

    assert np.isinf(model.table["conf_high"]).all()
    row = project_renewals(model, n_terms=8).iloc[-1]
    assert row["conf_low"] < 0.8**8 < row["conf_high"]
    np.testing.assert_allclose(0.8**8, row["retained_share"], rtol=0.02)


def test_customers_who_leave_on_any_day_are_refused() -> None:
    """There is no term, and a term that is given is not believed."""
    days = np.arange(30, 1030)
    table = pd.DataFrame(
        {"customer_id": days.astype(str), "duration_days": days, "churned": days % 2 == 0}
    )
    assert find_term(table) is None
    with pytest.raises(
        InputError, match=r"of 500 customers who left .* no contracts of 365.25 days"
    ):
        count_renewals(table, term_days=365.25)
    with pytest.raises(InputError, match="term_days = 0 is not positive"):
        count_renewals(table, term_days=0)


def test_too_little_is_told() -> None:
    """One renewal has two parameters, nine who left say nothing."""
    with pytest.raises(TooLittleData, match="1 renewal with 369 customers who left are too few"):
        fit_renewals(lose([1000, 631]))
    with pytest.raises(TooLittleData, match="2 renewals with 9 customers"):
        fit_renewals(lose([20, 15, 11]))
    with pytest.raises(InputError, match="discount_share = 0 is not positive"):
        expect_renewals(fit_renewals(lose(REGULAR[:4])), discount_share=0)


def test_sentence() -> None:
    """It tells the projection and both ends of the renewals to come."""
    model = fit_renewals(lose(HIGH_END[:8]))
    projection = project_renewals(model, n_terms=12)
    expected = expect_renewals(model, discount_share=0.1, n_terms=7)
    told = describe_renewals(model, projection, expected)

    assert told.startswith(
        "38% (34%–42%) of new customers are projected to be still there after 12"
    )
    assert "one who has made 7 has 7.5 (" in told
    assert told.endswith("read the projection with care.")
