"""Comments as counts of words."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.errors import InputError
from cxlib.gaps.comments.mask import KINDS

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

LEAST_COMMENTS = 3  # a word must be in as many
_LEAST_SHARE = 0.002
_MOST_SHARE = 0.5  # of the comments
_SHORT, _MOST_SHORT = 4, 0.2  # letters; without a list of stop words
_MOST_WORDS = 2_000
_WORD = re.compile(r"[^\W\d_]{2,}(?:['’][^\W\d_]+)*")
_MASKED = re.compile("|".join(re.escape(f"[{kind}]") for kind in KINDS))

# Words that say nothing of a theme. The usual lists of search engines hold "bill", "call", "system"
# and "interest", which are what customers write about.
ENGLISH = frozenset(
    """
    about above across after again against ago all almost along already also although always am
    among an and another any anybody anyone anything anyway are aren't around as at away be became
    because become been before behind being below between both but by came can can't cannot come
    could couldn't did didn't do does doesn't doing don't done down during each either else enough
    especially etc even ever every everybody everyone everything except few for from further get
    gets getting go goes going gone got had hadn't has hasn't have haven't having he her here hers
    him himself his how however i'd i'll i'm i've if in indeed into is isn't it it's its itself just
    least less let lot made make makes many may maybe me might mine more most much must my myself
    neither never no nobody none nor not nothing now of off often on once one only onto or other
    others our ours ourselves out over own per perhaps please put quite rather re really said same
    say see seem seems several shall she should shouldn't since so some somebody someone something
    sometimes still such take takes than that that's the their theirs them themselves then there
    therefore these they they're thing things this those though through thus till to together too
    took toward towards two under until up upon us use used very via want was wasn't way we we're
    well went were weren't what when where whether which while who whole whom whose why will with
    within without won't would wouldn't yet you you're your yours yourself thanks thank
    """.split()  # noqa: SIM905
)


def split_words(text: str) -> list[str]:
    """Split a comment into words of at least two letters, in small letters.

    Parameters
    ----------
    text : str
        A comment, masked.

    Returns
    -------
    list of str
        Words in order; what was masked is none.
    """
    return [w.replace("’", "'") for w in _WORD.findall(_MASKED.sub(" ", text).lower())]


def read_stop_words(stop_words: str | Collection[str]) -> frozenset[str]:
    """Read which words carry no theme.

    Parameters
    ----------
    stop_words : str or collection of str
        ``"english"``, ``""`` for none, or the words themselves.

    Returns
    -------
    frozenset of str
        In small letters.

    Raises
    ------
    InputError
        When the name is not known.
    """
    if not isinstance(stop_words, str):
        return frozenset(word.lower() for word in stop_words)
    known: dict[str, frozenset[str]] = {"english": ENGLISH, "": frozenset()}
    if stop_words not in known:
        raise InputError(
            f"There is no list of stop words called '{stop_words}'.",
            "argument 'stop_words'",
            'give "english", "" for any other language, or the words themselves',
        )
    return known[stop_words]


def count_words(
    texts: pd.Series, stop_words: str | Collection[str] = "english"
) -> tuple[csr_matrix, NDArray[Any]]:
    """Count how often each comment says each word.

    Parameters
    ----------
    texts : pandas.Series of str
        Comments, masked.
    stop_words : str or collection of str, default "english"
        As for `read_stop_words`.

    Returns
    -------
    counts : sparse matrix, comments x words
        How often.
    words : ndarray of str
        The words, at most 2,000: those in at least 3 comments and 0.2 % of them, and in no more
        than half. Without a list of stop words those of up to four letters must be in no more than
        a fifth: in most languages the words of such a list are short.
    """
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import CountVectorizer

    stops = read_stop_words(stop_words)
    most = int(_MOST_SHARE * len(texts))
    least = max(LEAST_COMMENTS, math.ceil(_LEAST_SHARE * len(texts)))
    nothing = csr_matrix((len(texts), 0)), np.array([], dtype=object)
    if most < least:
        return nothing
    vectorizer = CountVectorizer(
        analyzer=lambda text: [word for word in split_words(text) if word not in stops],
        min_df=least,
        max_df=most,
        max_features=_MOST_WORDS,
        dtype=np.float64,
    )
    try:
        counts = vectorizer.fit_transform(texts)
    except ValueError:  # no word is left
        return nothing
    words = vectorizer.get_feature_names_out()
    if not stops:
        is_short = np.char.str_len(words.astype(str)) <= _SHORT
        share = np.bincount(counts.indices, minlength=len(words)) / len(texts)
        kept = ~(is_short & (share > _MOST_SHORT))
        counts, words = counts[:, kept], words[kept]
    return counts, words


def weigh_words(counts: csr_matrix) -> csr_matrix:
    """Weigh words by how telling they are (tf-idf).

    Parameters
    ----------
    counts : sparse matrix, comments x words
        From `count_words`.

    Returns
    -------
    sparse matrix, comments x words
        1 + log of the count, times log((1 + n) / (1 + comments with the word)) + 1; each row is
        scaled to length 1, a row of zeros stays one.

    References
    ----------
    .. [1] G. Salton, C. Buckley (1988). Term-weighting approaches in automatic text retrieval.
           Information Processing & Management 24, 513-523.
    """
    from sklearn.preprocessing import normalize

    weights = counts.astype(float)
    weights.sum_duplicates()  # puts the words of a comment in order
    n_with = np.bincount(weights.indices, minlength=counts.shape[1])
    telling = np.log((1 + counts.shape[0]) / (1 + n_with)) + 1
    weights.data = (1 + np.log(weights.data)) * telling[weights.indices]
    return normalize(weights)
