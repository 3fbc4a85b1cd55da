"""Sentences say what the tables say, and no more; figures show every row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cxlib.gaps.drivers.importance import Importance, fit_importance
from cxlib.gaps.drivers.plots import plot_importance, plot_priorities
from cxlib.gaps.drivers.priorities import compare_stated, rank_priorities
from cxlib.gaps.drivers.wording import (
    describe_importance,
    describe_ordinal,
    describe_priorities,
    describe_stated,
)
from cxlib.style import figure_svg
from tests.gaps.drivers.survey import draw_survey, make_ratings


@pytest.fixture(scope="module")
def importance() -> Importance:
    """Fit importance to the planted survey, with stated importance that says otherwise."""
    stated = np.random.default_rng(0).normal([4.0, 5.0, 6.5, 5.0], 0.5, (400, 4))
    return fit_importance(make_ratings(**draw_survey(), importance=stated), n_draws=200)


def test_importance_in_words(importance: Importance) -> None:
    """First what goes with the outcome most, then how much in all, then what is not shown."""
    text = describe_importance(importance)
    assert text.startswith("'billing' goes with 'recommend' most: ")
    assert "the chance that it is the first is 100%" in text
    assert "With the 4 touchpoints together go " in text
    assert "400 respondents" in text
    assert "Not shown to matter, corrected for 4 comparisons: 'shop', 'visit'." in text
    assert "drive" not in text


def test_undecided_first_and_nothing_shown() -> None:
    """Two alike: the first is undecided, with chances. Nothing there: said so."""
    survey = draw_survey(300, slopes=(0.6, 0.6, 0, 0), seed=3)
    text = describe_importance(fit_importance(make_ratings(**survey), n_draws=200))
    assert text.startswith("Which of the touchpoints goes with 'recommend' most is undecided")
    survey = draw_survey(150, slopes=(0, 0, 0, 0), seed=1)
    text = describe_importance(fit_importance(make_ratings(**survey), n_draws=100))
    assert text.startswith("None of the 4 touchpoints is shown to go with 'recommend'.")


def test_what_was_left_out_is_named() -> None:
    """A driver with too few answers is named with the reason."""
    survey = draw_survey(200)
    survey["perception"][10:, 3] = np.nan
    text = describe_importance(fit_importance(make_ratings(**survey), n_draws=50))
    assert text.endswith("Not compared: 'visit' (fewer than 20 answers).")


def test_contradictory_links_are_told(importance: Importance) -> None:
    """Shrinkage beyond a hundredth is said."""
    shrunk = replace(importance, fit=importance.fit.assign(shrinkage=0.07))
    assert "all were made weaker by 7% to fit together." in describe_importance(shrunk)
    assert "weaker" not in describe_importance(importance)


def test_ordinal_in_words(importance: Importance) -> None:
    """The order survives, or it says why that is not known."""
    text = describe_ordinal(importance)
    assert "'recommend' has the same touchpoint on top (billing, chance of being it 100%)" in text
    assert "400 respondents" in text
    outcome = np.random.default_rng(0).normal(size=400)
    other = fit_importance(make_ratings(**{**draw_survey(), "outcome": outcome}), n_draws=20)
    assert "could not be checked: the outcome has 400 different values." in describe_ordinal(other)


def test_priorities_in_words(importance: Importance) -> None:
    """What to fix first with its gap, share and chance; a large gap that does not matter."""
    table = rank_priorities(importance)
    text = describe_priorities(table)
    assert text.startswith("Fix first: 'billing' (gap -0.")
    assert "Low priority, short but of less than average importance: " in text
    assert "'shop'" in text
    undecided = table.assign(verdict="undecided", reason="near a border")
    text = describe_priorities(undecided)
    assert text.startswith("Nothing is surely both important and short of what was expected.")
    assert "(near a border)." in text


def test_stated_in_words(importance: Importance) -> None:
    """What respondents call important beside what goes with the outcome."""
    text = describe_stated(compare_stated(importance))
    assert text.startswith(
        "Respondents call 'shop' most important; what goes with the outcome most is 'billing', "
        "which they put on rank 4 of 4."
    )
    assert "less than average: 'shop'." in text
    assert describe_stated(pd.DataFrame()) == ""


def test_figure_of_importance(importance: Importance) -> None:
    """Every driver has a row, the highest on top; what is not shown has an open mark."""
    rows = importance.table[importance.table["method"].eq("lmg")]
    ax = plot_importance(rows)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[-1] == "billing"
    assert len(labels) == 4
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "not shown to matter" in legend
    assert "100%" in [text.get_text() for text in ax.texts]
    assert figure_svg(plot_importance(rows)) == figure_svg(plot_importance(rows))


@pytest.mark.parametrize("k", [4, 16])
def test_labels_of_the_map_do_not_cover_each_other(k: int) -> None:
    """Up to sixteen names, in a crowd: no label covers another label or any mark."""
    rng = np.random.default_rng(k)
    gap, share = rng.normal(-0.8, 0.3, k), rng.uniform(0.5, 1.5, k) / k
    table = pd.DataFrame({"name": [f"touchpoint_{i}" for i in range(k)], "text": None})
    table = table.assign(gap=gap, gap_low=gap - 0.1, gap_high=gap + 0.1, share=share)
    table = table.assign(share_low=share * 0.8, share_high=share * 1.2, gap_cut=0.0)
    table["importance_cut"] = 1 / k
    table["verdict"] = rng.choice(["fix first", "low priority", "undecided"], k)
    ax = plot_priorities(table)
    ax.get_figure(root=True).draw_without_rendering()
    labels = [text for text in ax.texts if text.get_text().startswith("touchpoint_")]
    boxes = [text.get_window_extent() for text in labels]
    assert len(boxes) == k
    for i, box in enumerate(boxes):
        assert not box.count_overlaps(boxes[i + 1 :])
        assert not any(
            box.contains(*at) for at in ax.transData.transform(table[["share", "gap"]] * [100, 1])
        )


def test_long_names_are_numbered(importance: Importance) -> None:
    """Sentences stand beside the map, numbers in it."""
    table = rank_priorities(importance)
    table["text"] = [f"A statement of many words, number {i}" for i in range(4)]
    texts = [text.get_text() for text in plot_priorities(table).texts]
    assert {"1", "2", "3", "4"} <= set(texts)
    assert any("1  A statement of many words" in text for text in texts)


def test_first_by_word_and_by_link_is_undecided_when_unsure() -> None:
    """No rank without its chance."""
    rows = {"name": ["a", "b"], "text": None, "stated_rank": [1, 2], "derived_rank": [2, 1]}
    rows |= {"stated_p_top": [0.55, 0.45], "derived_p_top": [0.38, 0.62], "verdict": "undecided"}
    text = describe_stated(pd.DataFrame(rows))
    assert text.startswith("Respondents call 'a' (undecided, 55% sure) most important; ")
    assert "'b' (undecided, 62% sure), which they put on rank 2 of 2" in text


def test_noise_accounts_for_nothing_not_less(importance: Importance) -> None:
    """An adjusted share below zero is told as 0 %."""
    fit = importance.fit.assign(r_squared_adjusted=-0.02, conf_low=0.0, conf_high=0.1)
    text = describe_importance(replace(importance, fit=fit))
    assert "together go 0% (95% interval 0% to 10%)" in text
