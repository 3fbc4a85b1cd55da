"""A few comments that stand for each theme."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd

from cxlib.gaps.comments.themes import Themes
from cxlib.gaps.comments.words import split_words

_ALIKE = 0.5  # share of words two quotes may have in common


def pick_quotes(themes: Themes, *, n_quotes: int = 3, longest: int = 200) -> pd.DataFrame:
    """Pick the comments that lie closest to each theme.

    Parameters
    ----------
    themes : Themes
        From `find_themes`.
    n_quotes : int, default 3
        Quotes of a theme, at most.
    longest : int, default 200
        Letters of a quote; longer comments end in dots.

    Returns
    -------
    pandas.DataFrame, one row per quote
        Columns `theme`, `quote` (masked), `touchpoint`, `closeness` (share of the comment's words
        that the theme accounts for, as the cosine between the two).

    Notes
    -----
    Typical comments, not the strongest: by strength of the theme among those that speak mostly of
    it, none that shares more than half of its words with one before, ties in the order given.
    Personal data are masked, names are not: read a quote before it leaves the house.
    """
    table = themes.comments.table
    rows = []
    for i, name in enumerate(themes.names):
        own = np.flatnonzero(themes.mentions[:, i] & (themes.weights.argmax(axis=1) == i))
        own = own[np.argsort(-themes.strength[own, i], kind="stable")]
        seen: list[set[str]] = []
        for row in own:
            words = set(split_words(str(table["text"].iloc[row])))
            if any(len(words & other) > _ALIKE * len(words | other) for other in seen):
                continue
            seen.append(words)
            text = _shorten(str(table["text"].iloc[row]), longest)
            closeness = float(min(themes.strength[row, i], 1.0))
            rows.append((name, text, table["touchpoint"].iloc[row], closeness))
            if len(seen) == n_quotes:
                break
    return pd.DataFrame(rows, columns=["theme", "quote", "touchpoint", "closeness"])


def _shorten(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    short = textwrap.shorten(text, longest, placeholder=" …")
    return short if len(short) > 2 else f"{text[: longest - 1]}…"  # one endless word
