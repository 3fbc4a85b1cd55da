"""Quotes, sentences and figures say what the tables say."""

from __future__ import annotations

import pandas as pd
import pytest

from cxlib.gaps.comments.effects import estimate_theme_effects
from cxlib.gaps.comments.plots import plot_sentiment, plot_theme_groups, plot_themes
from cxlib.gaps.comments.prevalence import compare_theme_groups, summarise_themes
from cxlib.gaps.comments.quotes import pick_quotes
from cxlib.gaps.comments.sentiment import score_sentiment, summarise_sentiment
from cxlib.gaps.comments.themes import find_themes
from cxlib.gaps.comments.wording import (
    describe_comments,
    describe_sentiment,
    describe_theme_effects,
    describe_theme_groups,
    describe_themes,
)
from cxlib.show import render_table
from cxlib.style import figure_svg
from tests.gaps.comments.conftest import make_comments, make_themes

CAUSAL = ("because of", "causes", "leads to", "due to", "drives", "impact")


def test_quotes_are_typical_masked_short_and_unlike(themes):
    """Three a theme, each holds a telling word, none an address."""
    quotes = pick_quotes(themes, longest=60)
    assert quotes["theme"].value_counts().max() == 3
    assert quotes["quote"].str.len().max() <= 60
    assert not quotes["quote"].str.contains("@").any()
    first = quotes.drop_duplicates("theme").set_index("theme")["quote"]
    for row in themes.table.itertuples():
        words = set(first[row.theme].lower().replace(",", " ").split())
        assert words & set(row.words.split(", "))


def test_one_endless_word_is_cut():
    """No blank to break at."""
    comments = make_comments(["a" * 500, "=cmd()", "<script>alert(1)</script>"])
    quotes = pick_quotes(make_themes(comments, [[1]] * 3, ["a"]), longest=40)
    assert quotes["quote"].iloc[0] == "a" * 39 + "…"
    page, _ = render_table(quotes, title="Quotes", formats={})
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_the_samples_are_told_in_plain_sentences(comments, themes):
    """Answer first, with interval, n and how sure; nothing causal."""
    summary, effects = summarise_themes(themes), estimate_theme_effects(themes)
    ages = compare_theme_groups(themes, by="age_band")
    sentiment = score_sentiment(comments)
    told = [
        describe_comments(comments),
        describe_themes(themes, summary),
        describe_theme_effects(effects),
        describe_theme_groups(ages, by="age_band"),
        describe_sentiment(sentiment, summarise_sentiment(sentiment, themes)),
    ]
    assert "852 comments" in told[0]
    assert "3 e-mail" in told[0]
    assert "which truly is the commonest is undecided" in told[1]
    assert "Without the comments on 'bill, price, explain' it would be" in told[2]
    assert "8 themes were tested" in told[2]
    assert "differ in 1 of" in told[3]
    assert "18-29" in told[3]
    assert "hold a word of the lexicon" in told[4]
    assert not [word for text in told for word in CAUSAL if word in text]


def test_a_question_for_criticism_is_said_to_be_one(comments):
    """The page names the framing."""
    sentiment = score_sentiment(comments, question="What could we improve?")
    told = describe_sentiment(sentiment, summarise_sentiment(sentiment))
    assert "asks for criticism" in told


def test_nothing_clear_is_said_so():
    """Even scores, two even groups."""
    scores = [100.0, -100, 0, 0] * 20
    comments = make_comments(["slow"] * 80, scores, side=["x", "y"] * 40)
    themes = make_themes(comments, [[i // 4 % 2, (i // 8) % 2] for i in range(80)], ["a", "b"])
    assert "No theme pulls it down clearly" in describe_theme_effects(
        estimate_theme_effects(themes)
    )
    groups = compare_theme_groups(themes, by="side")
    assert "No group clearly writes about other things" in describe_theme_groups(groups, by="side")


def test_no_themes_are_said_to_be_none():
    """Every sentence has an answer to too little data."""
    few = make_comments(["bill wrong"] * 12, side=["x", "y"] * 6)
    themes = find_themes(few)
    assert describe_themes(themes, summarise_themes(themes)).startswith("No themes. 12 comments")
    assert "cannot be told" in describe_theme_effects(estimate_theme_effects(themes))
    groups = compare_theme_groups(themes, by="side")
    assert "too few comments" in describe_theme_groups(groups, by="side")
    assert "is not known" in describe_comments(few)
    one = score_sentiment(make_comments(["bad"]))
    assert "too few to say" in describe_sentiment(one, summarise_sentiment(one))


def test_unstable_themes_are_named():
    """They are shown, and warned of."""
    comments = make_comments(["w"] * 20, [100.0, -100] * 10)
    themes = make_themes(comments, [[i % 2, i // 10] for i in range(20)], ["a", "b"])
    themes.table["is_stable"] = [True, False]
    told = describe_themes(themes, summarise_themes(themes))
    assert "Not stable, to be read with care: 'b'" in told
    assert "No stable theme of 20" in describe_themes(themes, summarise_themes(themes).iloc[1:])
    labels = [t.get_text() for t in plot_themes(summarise_themes(themes)).get_yticklabels()]
    assert labels[1] == "b (10, not stable)"


def test_figures_draw_their_tables(comments, themes):
    """Bars are shares, the clear ones coloured; cells and their frames; praise to the right."""
    summary, effects = summarise_themes(themes), estimate_theme_effects(themes)
    ax = plot_themes(summary, effects)
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(summary["share"].tolist())
    assert len({bar.get_facecolor() for bar in ax.patches}) == 3
    ages = compare_theme_groups(themes, by="age_band")
    heat = plot_theme_groups(ages)
    assert len(heat.patches) == int((ages["q_value"] < 0.05).sum())
    assert "18-29 (152)" in [t.get_text() for t in heat.get_xticklabels()]
    sentiment = summarise_sentiment(score_sentiment(comments), themes)
    sides = plot_sentiment(sentiment)
    sentiment = sentiment.dropna(subset="negative_share")
    shown = pd.concat([-sentiment["negative_share"], sentiment["positive_share"]])
    assert [bar.get_width() for bar in sides.patches] == pytest.approx(shown.tolist())
    for drawn in (ax, heat, sides):
        assert figure_svg(drawn).startswith("<svg")
