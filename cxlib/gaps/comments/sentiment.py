"""Praise and complaint in comments, word by word from a lexicon."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import InputError
from cxlib.gaps.comments.lexicon import ENGLISH, NEGATIONS, STRONGER, WEAKER
from cxlib.gaps.comments.prevalence import NO_THEME, count_shares
from cxlib.gaps.comments.select import Comments
from cxlib.gaps.comments.themes import Themes
from cxlib.gaps.comments.words import split_words
from cxlib.gaps.groups import natural_key
from cxlib.stats import wilson_interval

POSITIVE, NEGATIVE, MIXED, UNKNOWN = "positive", "negative", "balanced", "no word known"
_REACH = 3  # words that a negation turns
_STRONGER, _WEAKER = 1.5, 0.5
_LEAST_READ = 0.5  # of the comments; where the lexicon knows less, silence is not moderation
_BREAK = re.compile(r"[.!?;:,\n]+|\bbut\b", re.IGNORECASE)
# Questions that ask for criticism: whoever names anything then names something that is wrong.
_CRITICAL = re.compile(
    r"improv|do (?:\w+ ){0,2}better|\bchange\b|dislike|wrong|bother|annoy|frustrat|missing|\bmiss\b"
    r"|disappoint|complain|problem|\blow(?:er)? score|verbesser|mejorar|améliorer",
    re.IGNORECASE,
)
_CONTENT = {
    *("nothing", "none", "no", "na", "ok", "okay", "fine", "all", "good", "happy", "thanks"),
    *("thank", "you", "comment", "comments", "complaints", "complaint", "everything", "is"),
    *("nichts", "nein", "keine", "alles", "gut", "nada", "todo", "bien", "rien", "non", "tout"),
}


@dataclass(frozen=True)
class Sentiment:
    """Praise and complaint of every comment.

    Parameters
    ----------
    comments : Comments
        What was read.
    table : pandas.DataFrame, one row per comment
        Columns `sentiment` (sum of word weights), `n_words` (lexicon words met), `label`
        (``"positive"``, ``"negative"``, ``"balanced"``, ``"no word known"``), `by_framing` (the
        label comes from the question).
    framing : {"neutral", "negative"}
        What the question asks for.
    """

    comments: Comments
    table: pd.DataFrame
    framing: str


def read_framing(question: str) -> str:
    """Tell whether a question asks for criticism.

    Parameters
    ----------
    question : str
        The question the comments answer; ``""`` when not known.

    Returns
    -------
    {"neutral", "negative"}
        Negative for questions such as "What could we improve?".
    """
    return "negative" if _CRITICAL.search(question) else "neutral"


def score_sentiment(
    comments: Comments, *, lexicon: Mapping[str, float] | None = None, question: str = ""
) -> Sentiment:
    """Score how much each comment praises or complains.

    Parameters
    ----------
    comments : Comments
        From `select_comments`.
    lexicon : mapping of str to float, optional
        Weight of words and of phrases up to five words: above 0 praise, below 0 complaint, 0 to
        keep a phrase from being read word by word; default a small one for English customer
        comments.
    question : str, default ""
        The question the comments answer.

    Returns
    -------
    Sentiment
        In the order of the comments.

    Raises
    ------
    InputError
        When the lexicon is empty or a weight is no number.

    Notes
    -----
    The longest phrase that fits counts, within a part of a sentence. A word such as "not" or
    "without" up to three words before turns the sign, "very" multiplies by 1.5, "slightly" by
    0.5. The sum above 0 is positive, below negative, 0 balanced.

    Framing: an answer to "What could we improve?" is a criticism, however it is worded. To such a
    question comments without a known word, or balanced ones, count as negative (`by_framing`),
    unless they say no more than "nothing" or "all good".

    A lexicon knows neither irony nor the trade; it is right about groups of comments more often
    than about one.
    """
    known = {word.lower(): weight for word, weight in (lexicon or ENGLISH).items()}
    if lexicon is not None:
        _check_lexicon(lexicon)
    longest = max(len(word.split()) for word in known)
    scored = [_score(text, known, longest) for text in comments.table["text"]]
    table = pd.DataFrame(scored, columns=["sentiment", "n_words"])
    sums = table["sentiment"].to_numpy(float)
    label = np.select([sums > 0, sums < 0], [POSITIVE, NEGATIVE], MIXED).astype(object)
    label[table["n_words"].eq(0).to_numpy()] = UNKNOWN
    framing = read_framing(question)
    is_framed = np.zeros(len(table), dtype=bool)
    if framing == "negative":
        says = [bool(set(split_words(text)) - _CONTENT) for text in comments.table["text"]]
        is_framed = np.isin(label, [UNKNOWN, MIXED]) & np.array(says, dtype=bool)
        label[is_framed] = NEGATIVE
    return Sentiment(comments, table.assign(label=label, by_framing=is_framed), framing)


def _check_lexicon(lexicon: Mapping[str, float]) -> None:
    bad = [word for word, weight in lexicon.items() if not _is_weight(weight)]
    if not lexicon or bad:
        raise InputError(
            f"The lexicon has no weight for '{bad[0]}'." if bad else "The lexicon is empty.",
            "argument 'lexicon'",
            "give words with numbers: above 0 praise, below 0 complaint",
        )


def _is_weight(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)


def _score(text: str, known: Mapping[str, float], longest: int) -> tuple[float, int]:
    """Sum the weights of one comment, and count the lexicon words it holds."""
    total, n_words = 0.0, 0
    for part in _BREAK.split(text):
        words = split_words(part)
        at = 0
        while at < len(words):
            size, weight = _meet_phrase(words, at, known, longest)
            if weight is not None:
                total += weight * _modify(words[max(at - _REACH, 0) : at])
                n_words += weight != 0
            at += size
    return total, n_words


def _meet_phrase(
    words: list[str], at: int, known: Mapping[str, float], longest: int
) -> tuple[int, float | None]:
    """Find the longest phrase that begins here: its number of words and its weight."""
    for size in range(min(longest, len(words) - at), 0, -1):
        weight = known.get(" ".join(words[at : at + size]))
        if weight is not None:
            return size, weight
    return 1, None


def _modify(before: list[str]) -> float:
    """Tell what the words before make of a weight."""
    factor = -1.0 if sum(word in NEGATIONS for word in before) % 2 else 1.0
    if before and before[-1] in STRONGER:
        factor *= _STRONGER
    elif before and before[-1] in WEAKER:
        factor *= _WEAKER
    return factor


def summarise_sentiment(
    sentiment: Sentiment,
    themes: Themes | None = None,
    *,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Count praise and complaint, over all comments, by theme and by touchpoint.

    Parameters
    ----------
    sentiment : Sentiment
        From `score_sentiment`.
    themes : Themes, optional
        From `find_themes`, of the same comments.
    min_cell : int, default 10
        Rows of fewer comments, or of which the lexicon reads less than half, get no shares.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        Columns `level` (all, theme, touchpoint), `name`, `n`, `n_unknown` (no lexicon word),
        `positive_share`, `positive_low`, `positive_high`, `negative_share`, `negative_low`,
        `negative_high`: shares of all comments of the row, with Wilson intervals at the effective
        size of customers.
    """
    table = sentiment.comments.table
    everyone = np.ones(len(table), dtype=bool)
    rows = [("all", "all comments", everyone)]
    if themes is not None and len(themes.names):
        rows += [("theme", n, themes.mentions[:, i]) for i, n in enumerate(themes.names)]
        rows.append(("theme", NO_THEME, themes.is_unassigned))
    touchpoint = table["touchpoint"]
    places = sorted(set(touchpoint) - {""}, key=natural_key)
    rows += [("touchpoint", place, touchpoint.eq(place).to_numpy()) for place in places]
    labels = sentiment.table["label"].to_numpy()
    clusters = sentiment.comments.clusters
    flags = np.column_stack([labels == POSITIVE, labels == NEGATIVE])
    found = []
    for level, name, own in rows:
        share, size, n = count_shares(flags[own], clusters[own])
        low, high = wilson_interval(share, size, conf_level=conf_level)
        numbers = np.column_stack([share, low, high]).ravel()
        n_unknown = int((labels[own] == UNKNOWN).sum())
        if n < min_cell or n - n_unknown < _LEAST_READ * n:
            numbers = np.full(6, np.nan)
        found.append((level, name, n, n_unknown, *numbers))
    ends = [
        f"{side}_{end}" for side in ("positive", "negative") for end in ("share", "low", "high")
    ]
    return pd.DataFrame(found, columns=["level", "name", "n", "n_unknown", *ends])
