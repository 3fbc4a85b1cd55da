"""Praise and complaint are read word by word."""

from __future__ import annotations

import numpy as np
import pytest

from cxlib.errors import InputError
from cxlib.gaps.comments.lexicon import ENGLISH
from cxlib.gaps.comments.sentiment import read_framing, score_sentiment, summarise_sentiment
from cxlib.gaps.comments.wording import describe_sentiment
from tests.gaps.comments.conftest import SAMPLES, make_comments, make_themes

PRAISE = {"friendly_staff", "fast_installation", "easy_ordering"}


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Friendly and helpful", 2.0),
        ("not friendly", -1.0),
        ("never helpful, friendly though", 0.0),
        ("very friendly", 1.5),
        ("slightly slow", -0.5),
        ("not very friendly", -1.5),
        ("no complaints", 1.0),
        ("not bad", 0.5),
        ("no problem but expensive", 0.0),
        ("without any problem", 1.0),
        ("I cannot recommend this", -1.0),
        ("waited on hold", -2.0),
        ("a waste of time", -2.0),
        ("FRIENDLY!!!", 1.0),
    ],
)
def test_scores_by_hand(text, score):
    """Negations turn, 'very' strengthens, phrases go before words."""
    found = score_sentiment(make_comments([text])).table
    assert found["sentiment"].iloc[0] == pytest.approx(score)


def test_labels_and_unknown_words():
    """Balanced is not the same as unreadable."""
    texts = ["great", "awful", "friendly but slow", "the sky", "Techniker kam nicht"]
    found = score_sentiment(make_comments(texts)).table
    assert found["label"].tolist() == [
        *("positive", "negative", "balanced", "no word known", "no word known")
    ]
    assert found["n_words"].tolist() == [1, 1, 2, 0, 0]


def test_a_lexicon_of_ones_own():
    """German words, weights as given."""
    texts = ["sehr freundlich", "viel zu langsam"]
    found = score_sentiment(make_comments(texts), lexicon={"freundlich": 1, "zu langsam": -2})
    assert found.table["sentiment"].tolist() == [1, -2]
    with pytest.raises(InputError, match="The lexicon is empty"):
        score_sentiment(make_comments(texts), lexicon={})
    with pytest.raises(InputError, match="no weight for 'gut'"):
        score_sentiment(make_comments(texts), lexicon={"gut": "ja"})


@pytest.mark.parametrize(
    ("question", "framing"),
    [
        ("What could we improve?", "negative"),
        ("What could we do better?", "negative"),
        ("What would you change?", "negative"),
        ("Was können wir verbessern?", "negative"),
        ("Why did you give this score?", "neutral"),
        ("Anything else?", "neutral"),
        ("", "neutral"),
    ],
)
def test_framing_is_read_from_the_question(question, framing):
    """Only questions that ask for criticism are."""
    assert read_framing(question) == framing


def test_answers_to_a_request_for_criticism_are_negative():
    """The router, named without a verdict, is a complaint; 'nothing' and praise are not."""
    texts = ["the router", "nothing", "great service", "friendly but slow", "all good"]
    found = score_sentiment(make_comments(texts), question="What could we improve?").table
    assert found["label"].tolist() == [
        *("negative", "no word known", "positive", "negative", "positive")
    ]
    assert found["by_framing"].tolist() == [True, False, False, True, False]


def test_planted_praise_and_complaint_are_told_apart(comments, planted):
    """Of English comments on one theme at least seven in eight are read right."""
    import pandas as pd

    truth = pd.read_csv(SAMPLES / planted["file"], keep_default_na=False)
    found = score_sentiment(comments).table["label"].to_numpy()
    told = comments.table[["respondent_id"]].merge(truth, on="respondent_id")
    one = told["themes"].str.count(" ").eq(0) & told["themes"].ne("none") & told["holds"].eq("")
    one &= told["language"].eq("en")
    expected = np.where(told["themes"].isin(PRAISE), "positive", "negative")
    assert (found == expected)[one].mean() > 0.875


def test_shares_by_theme_and_touchpoint():
    """Two of four complain; a row below the least size gives no share."""
    comments = make_comments(
        ["awful", "slow", "great", "the sky"] * 3, touchpoint=["shop"] * 11 + ["app"]
    )
    themes = make_themes(comments, [[1]] * 12, ["a"])
    found = summarise_sentiment(score_sentiment(comments), themes).set_index(["level", "name"])
    row = found.loc[("theme", "a")]
    assert (row["n"], row["n_unknown"]) == (12, 3)
    assert (row["negative_share"], row["positive_share"]) == (0.5, 0.25)
    assert row["negative_low"] < 0.5 < row["negative_high"]
    assert np.isnan(found.loc[("touchpoint", "app"), "negative_share"])
    assert found.loc[("touchpoint", "shop"), "n"] == 11


def test_the_lexicon_is_in_order():
    """Small letters, finite weights, phrases of five words at most."""
    assert all(word == word.lower() for word in ENGLISH)
    assert all(len(word.split()) <= 6 and np.isfinite(weight) for word, weight in ENGLISH.items())


def test_a_lexicon_that_cannot_read_gives_no_shares():
    """German comments neither complain nor praise in English: that is no share of 0 %."""
    read = make_comments(["great"] * 6 + ["Rechnung falsch"] * 6)
    unread = make_comments(["great"] * 5 + ["Rechnung falsch"] * 7)
    half, less = (summarise_sentiment(score_sentiment(c)).iloc[0] for c in (read, unread))
    assert half["positive_share"] == 0.5
    assert less[["positive_share", "negative_share", "negative_high"]].isna().all()
    assert less["n_unknown"] == 7
    told = describe_sentiment(score_sentiment(unread), summarise_sentiment(score_sentiment(unread)))
    assert "5 of 12 comments hold a word of the lexicon" in told
    assert "complain (" not in told


def test_nothing_to_criticise_in_other_languages():
    """Who answers "nichts" or "nada" to a critical question does not complain."""
    found = score_sentiment(
        make_comments(["nichts", "Nada", "rien", "alles gut", "der Preis"]),
        question="Was können wir verbessern?",
    )
    assert found.table["by_framing"].tolist() == [False] * 4 + [True]
