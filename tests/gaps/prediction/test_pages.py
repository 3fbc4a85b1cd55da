"""Sentences and figures about what predicts the outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cxlib.gaps.prediction.conditions import summarise_conditions
from cxlib.gaps.prediction.models import fit_gap_models
from cxlib.gaps.prediction.plots import plot_gap_links, plot_gap_models, plot_response_surface
from cxlib.gaps.prediction.surface import fit_response_surface
from cxlib.gaps.prediction.wording import (
    describe_gap_models,
    describe_gap_verdicts,
    describe_surface,
    list_cautions,
)
from tests.gaps.kiosk import OUTCOMES, draw_ratings, read_kiosk


@pytest.fixture(scope="module")
def kiosk(shared_data):
    """Read the 194 respondents of the kiosk study."""
    return read_kiosk(shared_data)


@pytest.fixture(scope="module")
def models(kiosk):
    """All levels of the kiosk study."""
    return fit_gap_models(kiosk, outcome=OUTCOMES)


def test_kiosk_is_told(models):
    """The answer first, then the shares, the two weights and the test."""
    told = describe_gap_models(models)
    assert told.startswith(
        "For the mean of OUT1, OUT2, OUT3, OUT4 perception alone says hardly less than both ratings"
    )
    assert "194 respondents the gap alone goes with 24%, perception alone with 37%" in told
    assert "perception goes with +0.59 (+0.47 to +0.72)" in told
    assert "are rejected (q < 0.001)" in told
    assert "it does not show what would happen" in told


def test_dimensions_are_told(models):
    """Each name is under one verdict; how many tests were made is said."""
    told = describe_gap_verdicts(models, level="dimension")
    assert told.startswith("By dimension: perception alone says it for")
    assert "all 28 tests" in told
    for name in ("control", "economy", "security", "tangible"):
        assert told.count(name) == 1
    assert describe_gap_verdicts(models, level="touchpoint") == ""


@pytest.mark.parametrize(
    ("ratings", "words"),
    [
        (draw_ratings(1_500, slopes=(-0.8, 0.8)), "the gap alone says hardly less than both"),
        (draw_ratings(1_500, slopes=(-0.4, 0.8)), "neither the gap nor perception alone is"),
        (draw_ratings(600, slopes=(-0.4, 0.4), bend=-0.4), "is curved (chance"),
        (draw_ratings(300, slopes=(0, 0)), "It is not shown that perception or expectation"),
        (draw_ratings(80, slopes=(-0.4, 0.8)), "is undecided: the data lean to '"),
    ],
)
def test_every_verdict_is_told(ratings, words):
    """A sentence a verdict."""
    assert words in describe_gap_models(fit_gap_models(ratings, outcome="out"))


def test_too_few_is_told(kiosk):
    """A name with too few answers gets no number."""
    values = {role: table.copy() for role, table in kiosk.values.items()}
    values["perception"].loc[25:, ["7", "8"]] = np.nan
    models = fit_gap_models(replace(kiosk, values=values), outcome=OUTCOMES)
    told = describe_gap_models(models, level="dimension", name="control")
    assert told.startswith("Too few answers, or all alike, to tell what goes with")
    assert "25 respondents" in told


def test_surface_is_told(kiosk):
    """Flat or curved, the slopes where people are, and what must not be read."""
    told = describe_surface(fit_response_surface(kiosk, outcome=OUTCOMES))
    assert told.startswith("The surface is not shown to be curved (F = 2.3, p = 0.078;")
    assert "where a1 and a3 hold: do not read these two" in told
    bent = draw_ratings(600, slopes=(-0.4, 0.4), bend=-0.4)
    told = describe_surface(fit_response_surface(bent, outcome="out"))
    assert told.startswith("The surface is curved")
    assert "the more the outcome bends down" in told


def test_conditions_are_measured_and_told(kiosk):
    """Asked after, in one survey, and over half of the expectations at the top."""
    conditions = summarise_conditions(kiosk, outcome=OUTCOMES)
    expected = kiosk.values["expectation"].to_numpy()
    assert conditions.timing == "after"
    assert conditions.ceiling_share == pytest.approx((expected == 7).mean())
    every = np.column_stack(
        [kiosk.values[role].to_numpy() for role in ("expectation", "perception")]
        + [kiosk.values["outcome"].mean(axis=1)]
    )
    largest = np.linalg.eigvalsh(np.corrcoef(every.T))[-1] / 49
    assert conditions.first_factor_share == pytest.approx(largest)
    told = list_cautions(conditions)
    assert [any(word in line for line in told) for word in ("same survey", "after", "54% of")] == [
        True
    ] * 3
    before = summarise_conditions(draw_ratings(100, slopes=(0, 1)), outcome="out")
    assert len(list_cautions(before)) == 1
    assert np.isnan(before.outcome_ceiling_share)


def test_figures_show_the_tables(models, kiosk):
    """Points at the estimates, intervals at their ends, and the line of congruence."""
    rows = models.models[models.models["level"] == "dimension"]
    ax = plot_gap_models(rows)
    assert ax.get_yticklabels()[0].get_text() == "control"
    drawn = {line.get_label(): line.get_xdata() for line in ax.get_lines()}
    gap = rows.loc[rows["model"] == "gap alone", "r2"]
    assert drawn["gap alone"] == pytest.approx(gap.to_numpy())

    links = models.links[models.links["level"] == "total"]
    ax = plot_gap_links(links)
    assert ax.get_lines()[1].get_xdata() == pytest.approx(links["correlation"].to_numpy())

    surface = fit_response_surface(kiosk, outcome=OUTCOMES)
    ax = plot_response_surface(surface)
    assert ax.get_xlabel() == "expectation (points of the scale)"
    *dots, line = ax.get_lines()
    assert line.get_xdata() == pytest.approx(line.get_ydata())  # perception = expectation
    assert sum(len(dot.get_xdata()) for dot in dots) == len(surface.density)
