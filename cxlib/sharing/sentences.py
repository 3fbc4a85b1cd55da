"""Sentences that count few people, which pages that are handed round leave out.

A sentence tells of few when it counts 1 to 9 customers, respondents, journeys and the like ("3 of
4 VIP customers left", "7 of 1,266 respondents", "n 4"), or when it takes a part of 1 to 9 without
saying of what ("3 of 4 left"). Counts of things stay: "1 of 3 touchpoints", "By stage, 4 of 4",
"2 days", "a rate of 2 of 100 customers a month".

What this cannot see: numbers in words ("three customers"), other names of people ("3 widows"),
counts whose noun stands elsewhere ("Of the customers, 3 left"), shares of few ("75% of them"), and
a part that leaves few ("38 of 40 customers").
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from cxlib.sharing.markup import map_texts, read_text

_PEOPLE = (
    r"(?:customers?|respondents?|journeys?|employees?|people|persons?|lifetimes?|comments?|answers?"
    r"|leavers?|buyers?|users?|members?|households?|clients?|subscribers?)"
)
_THING = (
    r"(?:items?|themes?|touchpoints?|dimensions?|stages?|features?|terms?|pairs?|scales?|cells?"
    r"|pages?|stars?|tests?|comparisons?|groups?|kinds?|channels?|departments?|teams?|waves?|columns?|tables?"
    r"|rows?|rules?|sums?|reports?|models?|levels?|drivers?|causes?|paths?|steps?|points?|times?"
    r"|days?|weeks?|months?|years?|hours?|minutes?)"
)
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
)
_NUMBER = r"(?<![\w.,/%])(?<!\d-)(\d[\d,]*)(?![\w%]|[.,]\d)"
# adjectives between a number and its noun; "4 kinds of journey" counts kinds
_SMALL_WORDS = r"(?:of|in|to|or|and|with|per|than|at|by|on|a|an|for|from|the|which|who|as|were|was)"
_BETWEEN = rf"(?:\s(?!(?:{_SMALL_WORDS}|{_MONTH}|{_THING})\b)[^\W\d_][\w'’-]*){{0,2}}\s"
_COUNTED = re.compile(rf"{_NUMBER}{_BETWEEN}{_PEOPLE}\b", re.IGNORECASE)
_PART = re.compile(rf"{_NUMBER}\sof\s(?:all\s|about\s)?{_NUMBER}", re.IGNORECASE)
_OF_PEOPLE = re.compile(rf"{_BETWEEN}{_PEOPLE}\b", re.IGNORECASE)
_OF_THINGS = re.compile(rf"(?:\s[\w'’-]+){{0,2}}\s{_THING}\b", re.IGNORECASE)
_ABOUT_THINGS = re.compile(rf"\W*(?:[\w'’-]+\s)?{_THING}\b", re.IGNORECASE)
_RATE = re.compile(r"\s\w+(?:\s\w+)?\sa\s(?:day|week|month|year)\b")
_NAMED = re.compile(
    r"(?:\b(?:waves?|groups?|kinds?|versions?|scales?|ranked|rank|place|page|part|step|number|EUR|USD"
    r"|GBP)\s|[€$£]\s?)$",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\b(?:rank|place|page|part|step|number)\s$", re.IGNORECASE)
_BASE = re.compile(rf"\bn\s?[=:]?\s?{_NUMBER}", re.IGNORECASE)


def hide_sentences(text: str, min_cell: int) -> str:
    """Leave out the sentences of a text that count few people.

    Parameters
    ----------
    text : str
        Plain text.
    min_cell : int
        Smallest group that may be told of.

    Returns
    -------
    str
        With one remark in place of sentences that are left out one after the other; the text
        itself when there is none.
    """
    told: list[str] = []
    note = f"(A sentence about fewer than {min_cell} is left out here.)"
    before = ""  # the clause before, when it was left out
    for sentence in _cut(text):
        goes_on = before.rstrip().endswith(";") and sentence[:1].islower()
        before = sentence if goes_on or _tells_few(sentence, min_cell) else ""
        if not before:
            told.append(sentence)
        elif not told or told[-1].strip() != note:
            told.append(f"{note} ")
    whole = "".join(told)
    return whole if whole == text else whole.rstrip()


def hide_in_texts(page: str, min_cell: int) -> str:
    """Leave out such sentences wherever a page says them.

    Parameters
    ----------
    page : str
        HTML.
    min_cell : int
        Smallest group that may be told of.

    Returns
    -------
    str
        The page; a paragraph that lost a sentence also loses its emphasis and links.
    """

    def hide(markup: str) -> str:
        """Leave out sentences of a run of text."""
        text = read_text(markup)
        shown = hide_sentences(text, min_cell)
        return markup if shown == text else html.escape(shown)

    return map_texts(page, hide)


def _cut(text: str) -> Iterator[str]:
    """Cut a text behind ". " and "; " outside brackets."""
    start = depth = 0
    for place, letter in enumerate(text):
        if letter in "([":
            depth += 1
        elif letter in ")]":
            depth = max(depth - 1, 0)
        elif letter in ".;!?\n" and depth == 0 and text[place + 1 : place + 2].isspace():
            yield text[start : place + 2]
            start = place + 2
    yield text[start:]


def _tells_few(sentence: str, min_cell: int) -> bool:
    def few(number: str) -> bool:
        """Tell whether a number is small."""
        return 0 < int(number.replace(",", "")) < min_cell

    for match in (*_COUNTED.finditer(sentence), *_BASE.finditer(sentence)):
        if few(match[1]) and not _NAMED.search(sentence[: match.start()]):
            return True
    for match in _PART.finditer(sentence):
        rest = sentence[match.end() :]
        if _RATE.match(rest) or _PLACE.search(sentence[: match.start()]):
            continue
        if few(match[1]) and _OF_PEOPLE.match(rest):
            return True
        if few(match[2]) and not (_OF_THINGS.match(rest) or _ABOUT_THINGS.match(sentence)):
            return True
    return False
