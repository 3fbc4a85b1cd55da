"""Figures of causes and the sentences beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.churn.causes.causes import name_causes
from cxlib.churn.causes.fine_gray import fit_cause_hazards
from cxlib.churn.causes.gray import compare_incidence
from cxlib.churn.causes.incidence import fit_incidence, read_incidence
from cxlib.churn.causes.plots import plot_causes, plot_incidence
from cxlib.churn.causes.shares import compare_one_minus_survival, summarise_causes
from cxlib.churn.causes.wording import (
    describe_cause_hazards,
    describe_causes,
    describe_incidence_tests,
    describe_joined,
    describe_overstated,
)
from cxlib.style import figure_svg


def test_areas_fill_the_whole_and_are_named_beside_it(mgus: pd.DataFrame) -> None:
    """The last edge is at 100 %, every area has its share on the last day."""
    incidence = fit_incidence(mgus)
    shown = incidence[incidence["time_days"] <= 240]
    axes = plot_causes(shown)

    areas = [path.vertices[:, 1] for area in axes.collections for path in area.get_paths()]
    assert len(areas) == 3
    assert max(values.max() for values in areas) < 1 + 1e-9
    below, above = areas[0], areas[-1]
    assert below.min() == 0
    np.testing.assert_allclose(above[above > 0.999], 1, atol=1e-9)
    written = [text.get_text() for text in axes.texts]
    end = shown[shown["time_days"] == shown["time_days"].max()].set_index("cause")
    assert written[0] == f"still here {end['survival'].iloc[0]:.1%}"
    assert written[1].startswith(f"death {end.loc['death', 'incidence']:.1%} (")
    assert axes.get_xlabel() == "months since the start"
    assert figure_svg(axes) == figure_svg(plot_causes(shown))


def test_names_of_thin_areas_do_not_cover_each_other(ties: pd.DataFrame) -> None:
    """Labels keep their distance and stay inside the height of the figure."""
    names = [f"cause {i % 6} $ {'x' * 40}" for i in ties["customer_id"]]
    many = ties.assign(cause=pd.Series(names).where(ties["churned"]))
    axes = plot_causes(fit_incidence(many))
    places = [text.xyann[1] for text in axes.texts]

    assert len(places) == 7
    assert np.diff(places).min() > 0.07
    assert 0 <= min(places) <= max(places) <= 1
    assert axes.get_xlabel() == "days since the start"


def test_groups_are_lines_with_bands(ties: pd.DataFrame) -> None:
    """One line and one band a group; the axis names the cause."""
    curves = fit_incidence(ties, by="group")
    axes = plot_incidence(curves[curves["group"] != "all"], cause="two")

    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b", "c"]
    assert len(axes.get_lines()) == len(axes.collections) == 3
    assert axes.get_ylabel() == "share that has left: two"
    last = curves[(curves["group"] == "c") & (curves["cause"] == "two")]["incidence"].iloc[-1]
    assert axes.get_lines()[2].get_ydata()[-1] == last
    assert plot_incidence(curves[curves["group"] == "all"], cause="two").get_legend() is None


def test_sentences_are_rendered_from_results(ties: pd.DataFrame) -> None:
    """Shares with intervals, parts of the leaving, and what one minus Kaplan-Meier would say."""
    priced = ties.assign(monthly_value=10.0)
    at = read_incidence(fit_incidence(ties), times=[5, 12])
    told = describe_causes(at, summarise_causes(priced, horizon_days=12))
    assert told.startswith(
        "Of 100 new customers, 10.7 for 'one' (6.2–18.1) and 9.0 for 'two' (4.9–16.1) have left "
        "within 12 days; 80.3 are still here. Within 12 days, 'one' is 54% ("
    )
    assert "of the leaving and 46% of the value. The ranges are 95% intervals." in told
    told = describe_overstated(compare_one_minus_survival(ties, times=[12, 33]))
    assert told.startswith("Taking other causes for censoring (one minus Kaplan-Meier) would show")
    assert "within 33 days instead of" in told
    assert describe_overstated(compare_one_minus_survival(ties, times=[99])) == ""


def test_tests_are_told_by_cause(ties: pd.DataFrame) -> None:
    """Both tests of all groups, then how many pairs differ."""
    rare = ties.assign(cause=ties["cause"].mask(ties["churned"] & (ties.index < 8), "rare"))
    n = int((rare["cause"] == "rare").sum())
    told = describe_incidence_tests(compare_incidence(rare, by="group"), by="group")
    assert f"For 'rare' groups by group cannot be compared ({n} left for it)." in told
    told = describe_incidence_tests(compare_incidence(ties, by="group"), by="group")
    assert told == (
        "Between groups by group, 'one' shows a difference in the share that leaves (q = 0.048) "
        "and a difference in the rate of leaving (q = 0.010). Between groups by group, 'two' shows "
        "a difference in the share that leaves (q = 0.048) and a difference in the rate of leaving "
        "(q = 0.010). Of 6 pairs of groups and causes, 0 differ in the share after correction for "
        "testing so many."
    )


def test_hazards_are_told_with_both_ratios(mgus: pd.DataFrame) -> None:
    """The clearest terms of each cause, and how to read them."""
    told = describe_cause_hazards(fit_cause_hazards(mgus, covariates=["age", "female"]).table)
    assert told.startswith("age (rate × 1.07, 1.06–1.07; share × 1.06, 1.05–1.07) and female (")
    assert "go with leaving for 'death'." in told
    assert "age (rate × 1.01, 0.997–1.03; share × 0.983, 0.972–0.994) goes with" in told
    table = fit_cause_hazards(mgus, covariates=["female"]).table
    assert "No term is shown to go with leaving for 'malignancy' (1 tested)." in (
        describe_cause_hazards(table)
    )
    assert told.endswith("A cause to act on shows in the first, a forecast needs the second.")


def test_joined_and_unknown_causes_are_told() -> None:
    """Nothing is joined without a word."""
    reasons = ["price"] * 20 + ["died"] * 4 + ["sold"] * 3 + [None] * 1_200
    table = pd.DataFrame(
        {
            "customer_id": np.arange(len(reasons)),
            "duration_days": 3.0,
            "churned": True,
            "end_reason": reasons,
        }
    )
    assert describe_joined(name_causes(table).names) == (
        "Joined as (other), 7 ends: died, sold. 1,200 ends have no reason: (unknown) competes as "
        "a cause of its own."
    )
    assert describe_joined(name_causes(table[:24], min_ends=1).names) == ""
