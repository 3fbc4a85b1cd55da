"""Leaving a theme out is exact, and its interval covers what was planted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.gaps.comments.effects import estimate_theme_effects
from tests.gaps.comments.conftest import make_comments, make_themes
from tests.gaps.comments.test_themes import match


def test_the_effect_by_hand():
    """NPS 20 with the two detractors who write of a, 75 without: effect -55."""
    scores = [100.0, 100, 100, 0, -100, -100]
    themes = make_themes(make_comments(["w"] * 6, scores), [[0]] * 4 + [[1]] * 2, ["a"])
    row = estimate_theme_effects(themes).iloc[0]
    assert row["score_all"] == pytest.approx(100 / 6)
    assert row["score_without"] == 75
    assert row["score_with"] == -100
    assert row["effect"] == pytest.approx(100 / 6 - 75)


@given(
    st.lists(
        st.tuples(st.sampled_from([-100.0, 0.0, 100.0]), st.booleans()), min_size=4, max_size=40
    ).filter(lambda rows: 0 < sum(m for _, m in rows) < len(rows))
)
@settings(max_examples=30, deadline=None)
def test_it_equals_the_formula_of_survey_platforms(rows):
    """n_t (NPS_t - NPS) / (N - n_t), whose documentation asks for why n_t stands twice."""
    scores, flags = zip(*rows, strict=True)
    themes = make_themes(
        make_comments(["w"] * len(rows), list(scores)), [[f] for f in flags], ["a"]
    )
    row = estimate_theme_effects(themes, n_draws=10).iloc[0]
    n, total = row["n"], row["n_scored"]
    impact = n * (row["score_with"] - row["score_all"]) / (total - n)
    assert row["effect"] == pytest.approx(impact, abs=1e-9)


def test_planted_effects_are_in_the_intervals(themes, planted):
    """Of all eight; the bill pulls down most, the technician shows nothing."""
    found = estimate_theme_effects(themes).set_index("theme")
    columns = match(themes, planted)
    for name, column in columns.items():
        row = found.loc[themes.names[column]]
        assert row["conf_low"] < planted["themes"][name]["nps_effect"] < row["conf_high"]
    bill = found.loc[themes.names[columns["bill_surprise"]]]
    assert bill["q_value"] < 0.01
    assert bill["p_lowest"] > 0.95
    assert found.index[0] == themes.names[columns["bill_surprise"]]
    for name in ("technician_no_show", "slow_evenings", "phone_wait"):
        assert found.loc[themes.names[columns[name]], "q_value"] > 0.1


def test_the_interval_is_the_linearised_one():
    """The bootstrap agrees with the delta method on 400 writers."""
    rng = np.random.default_rng(0)
    scores = rng.choice([-100.0, 0, 100], 400)
    flags = rng.random(400) < np.where(scores < 0, 0.4, 0.2)
    themes = make_themes(make_comments(["w"] * 400, list(scores)), flags[:, None].tolist(), ["a"])
    row = estimate_theme_effects(themes, n_draws=4000).iloc[0]
    rest = ~flags
    influence = (scores - scores.mean()) / 400
    influence -= rest * (scores - scores[rest].mean()) / rest.sum()
    half = 1.959964 * np.sqrt((influence**2).sum())
    assert row["conf_high"] - row["conf_low"] == pytest.approx(2 * half, rel=0.06)


def test_customers_are_drawn_not_comments():
    """The same forty opinions said four times each widen the interval twofold."""
    rng = np.random.default_rng(2)
    scores = rng.choice([-100.0, 100], 40)
    flags = [[bool(f)] for f in rng.random(40) < 0.4]
    once = make_themes(make_comments(["w"] * 40, list(scores)), flags, ["a"])
    names = [f"c{i}" for i in range(40)] * 4
    again = make_comments(["w"] * 160, list(scores) * 4, customers=names)
    a, b = (estimate_theme_effects(t).iloc[0] for t in (once, make_themes(again, flags * 4, ["a"])))
    assert a["effect"] == pytest.approx(b["effect"])
    assert a["conf_high"] - a["conf_low"] == pytest.approx(b["conf_high"] - b["conf_low"], rel=0.1)


def test_weights_count():
    """A writer of weight 3 is three writers."""
    heavy = make_comments(["w"] * 3, [100.0, -100, 0])
    heavy.table["weight"] = [3.0, 1, 1]
    light = make_comments(["w"] * 5, [100.0, 100, 100, -100, 0])
    a = estimate_theme_effects(make_themes(heavy, [[0], [1], [0]], ["a"]), n_draws=10).iloc[0]
    flags = [[0], [0], [0], [1], [0]]
    b = estimate_theme_effects(make_themes(light, flags, ["a"]), n_draws=10).iloc[0]
    columns = ["score_all", "score_without", "score_with", "effect"]
    assert a[columns].tolist() == pytest.approx(b[columns].tolist())


def test_without_scores_or_themes_there_is_nothing():
    """An empty table with its columns; a theme everybody mentions has no effect to tell."""
    assert estimate_theme_effects(make_themes(make_comments(["w"] * 4), [[1]] * 4, ["a"])).empty
    scored = make_comments(["w"] * 4, [100.0, 0, -100, 0])
    assert estimate_theme_effects(make_themes(scored, [[]] * 4, [])).empty
    both = make_themes(scored, [[1, 1], [1, 0], [1, 0], [1, 1]], ["a", "b"])
    found = estimate_theme_effects(both).set_index("theme")
    assert np.isnan(found.loc["a", ["effect", "p_value"]].to_numpy(float)).all()
    assert found.loc["b", "n_tests"] == 1


def test_nothing_is_sure_of_one_customer_or_of_equal_scores():
    """Drawn anew they are the same again: no interval, no test, no chance of being lowest."""
    flags = [[i % 2 == 0, i % 3 == 0] for i in range(60)]
    one = make_comments(["w"] * 60, [100.0, -100, 0] * 20, customers=["c"] * 60)
    equal = make_comments(["w"] * 60, [100.0] * 60)
    for comments in (one, equal):
        found = estimate_theme_effects(make_themes(comments, flags, ["a", "b"]))
        assert found[["std_error", "conf_low", "conf_high", "p_value", "p_lowest"]].isna().all(None)
        assert found["n_tests"].eq(0).all()
