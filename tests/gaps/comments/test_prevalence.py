"""Themes are counted with intervals, and groups compared."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from cxlib.errors import InputError
from cxlib.gaps.comments.prevalence import NO_THEME, compare_theme_groups, summarise_themes
from cxlib.gaps.comments.wording import describe_themes
from cxlib.stats import wilson_interval
from tests.gaps.comments.conftest import make_comments, make_themes
from tests.gaps.comments.test_themes import match


def test_shares_by_hand():
    """Three of ten mention a, one of them b too; six mention none."""
    comments = make_comments(["w"] * 10)
    themes = make_themes(comments, [[1, 1], [1, 0], [1, 0], [0, 1], *[[0, 0]] * 6], ["a", "b"])
    found = summarise_themes(themes).set_index("theme")
    assert found["n"].to_dict() == {"a": 3, "b": 2, NO_THEME: 6}
    assert found["share"].tolist() == pytest.approx([0.3, 0.2, 0.6])
    low, high = wilson_interval([0.3], [10])
    assert found.loc["a", ["conf_low", "conf_high"]].tolist() == pytest.approx([low[0], high[0]])
    assert found["weight_share"].tolist() == pytest.approx([0.25, 0.15, 0.6])
    assert found.loc["a", "p_commonest"] > found.loc["b", "p_commonest"]
    assert found["p_commonest"].sum() == pytest.approx(1)


def test_several_comments_of_a_customer_widen_the_interval():
    """Ten customers who write the same thing twice are ten, not twenty."""
    flags = [[1]] * 6 + [[0]] * 14
    alone = make_themes(make_comments(["w"] * 20), flags, ["a"])
    twice = make_comments(["w"] * 20, customers=[f"c{i // 2}" for i in range(20)])
    paired = make_themes(twice, flags, ["a"])
    a, b = (summarise_themes(t).iloc[0] for t in (alone, paired))
    assert a["share"] == b["share"]
    assert b["conf_high"] - b["conf_low"] > 1.25 * (a["conf_high"] - a["conf_low"])


def test_planted_prevalence_is_in_the_interval(themes, planted):
    """Of every theme, as far as misread comments allow."""
    found = summarise_themes(themes)
    for name, column in match(themes, planted).items():
        row = found.iloc[column]
        assert row["conf_low"] - 0.01 < planted["themes"][name]["share"] < row["conf_high"] + 0.01


def test_planted_segment_differences_are_found(themes, planted):
    """The young write of the app, store customers of its staff; no other age group differs."""
    columns = match(themes, planted)
    ages = compare_theme_groups(themes, by="age_band")
    clear = ages[ages["q_value"] < 0.05]
    app = themes.names[columns["app_faults"]]
    assert [tuple(row) for row in clear[["theme", "group"]].to_numpy()] == [(app, "18-29")]
    row = clear.iloc[0]
    assert row["conf_low"] < planted["themes"]["app_faults"]["share_by"]["age_band"]["18-29"]
    assert planted["themes"]["app_faults"]["share_by"]["age_band"]["18-29"] < row["conf_high"]
    channels = compare_theme_groups(themes, by="acquisition_channel")
    staff = channels[channels["theme"].eq(themes.names[columns["friendly_staff"]])]
    store = staff.set_index("group").loc["store"]
    assert store["q_value"] < 0.001
    assert store["difference"] > 0.1


def test_the_test_is_the_chi_squared_one():
    """20 of 50 against 10 of 50, without clusters."""
    flags = [[1]] * 20 + [[0]] * 30 + [[1]] * 10 + [[0]] * 40
    comments = make_comments(["w"] * 100, side=["x"] * 50 + ["y"] * 50)
    found = compare_theme_groups(make_themes(comments, flags, ["a"]), by="side")
    expected = stats.chi2_contingency([[20, 30], [10, 40]], correction=False).pvalue
    assert found["p_value"].tolist() == pytest.approx([expected] * 2)
    assert found["difference"].tolist() == pytest.approx([0.2, -0.2])
    assert found["n_tests"].tolist() == [2, 2]


def test_small_groups_and_rare_themes_are_not_tested():
    """A group of three is given no share, a theme met once no p-value."""
    comments = make_comments(["w"] * 43, side=["x"] * 40 + ["tiny"] * 3)
    flags = [[i % 2, int(i == 0)] for i in range(43)]
    found = compare_theme_groups(make_themes(comments, flags, ["a", "b"]), by="side")
    tiny = found[found["group"].eq("tiny")]
    assert tiny["share"].isna().all()
    assert found["p_value"].isna().all()
    assert (found["n_tests"] == 0).all()


def test_a_column_that_is_not_there_is_refused(themes):
    """The message names it."""
    with pytest.raises(InputError, match="'colour' is missing"):
        compare_theme_groups(themes, by="colour")


def test_without_themes_all_comments_have_none():
    """One row, share 1, nothing to compare."""
    comments = make_comments(["w"] * 12, side=["x", "y"] * 6)
    nothing = make_themes(comments, [[]] * 12, [])
    found = summarise_themes(nothing)
    assert found["share"].tolist() == [1.0]
    assert np.isclose(found["conf_high"].iloc[0], 1)
    assert compare_theme_groups(nothing, by="side").empty


def test_one_customer_makes_no_theme_the_commonest():
    """Five hundred comments of one hand are one opinion of what matters."""
    comments = make_comments(["w"] * 60, customers=["c"] * 60)
    themes = make_themes(comments, [[1, i % 2] for i in range(60)], ["a", "b"])
    summary = summarise_themes(themes)
    assert summary["p_commonest"].isna().all()
    assert "is undecided. 2 themes were found" in describe_themes(themes, summary)
