"""Search what is to be handed round for what looks like a person's contact data or an id."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from cxlib.sharing.ids import find_ids

_ATTRIBUTE = re.compile(r'\s(alt|title|aria-label|href|id|data-name)="([^"]*)"')
_INLINE = re.compile(r"</?(?:a|b|i|em|strong|span|small|code|time|abbr|sub|sup)\b[^>]*>")
_HEADING = re.compile(r"<(?:h[1-6]|caption|figcaption)\b[^>]*>")
# a label of a figure: matplotlib says its lines in comments, of which each may be a part of a word
_LABELS = re.compile(r"(?=<g id=|<text\b)|(?<=</text>)")
_DRAWN = re.compile(r"<!--(.*?)-->|>([^<>]+)(?=<)", re.DOTALL)
_NAMED = re.compile(
    r'\s(?:xlink:)?(?:href|id|aria-label|title|alt|class|data-[\w-]+)="(?!#)([^"]*)"'
)
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_DASHES = re.compile("[\u2010-\u2015\u2212\u2043]")
_ZONE = r"(?:Z|[+-]\d\d:?\d\d)?"
_DATES = re.compile(
    rf"(?<!\d)(?<!\d[./-])(?:\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?{_ZONE})?"
    r"|\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d\d)|\d{1,2}:\d\d(?::\d\d)?)(?!\d|[./-]\d)"
)
_END = r"(?![\w-]|[.,]\d)"
# each digit can be read in one way only, so that no text takes long
_PHONES = (
    # +353 87 123 4567, +49 (0)30 / 123456, 00 353 87 1234567
    re.compile(r"(?<![\w.+])(?:\+|00 ?)[1-9](?: ?[/-]? ?\(?\d\)?){8,14}(?!\w|[.,]\d)"),
    re.compile(r"(?<![\w.+])(?:\+|00)[1-9]\d{0,2}(?:\.\d{1,4}){3,6}(?!\w|[.,]\d)"),
    # 087 123 4567, (01) 234 5678, (0)87 123 4567, 030 / 123 45 67, 01.23.45.67.89, 0871234567
    re.compile(
        rf"(?<![\w.,/-])(?:\(0\)\d{{1,4}}|\(?0\d{{1,4}}\)?)(?: ?[ /-] ?\d{{2,8}}){{1,4}}{_END}"
    ),
    re.compile(rf"(?<![\w.,/-])0[1-9](?:\.\d\d){{4}}{_END}"),
    re.compile(rf"(?<![\w.,/-])0[1-9]\d\.\d{{3}}\.\d{{4}}{_END}"),
    re.compile(rf"(?<![\w.,/-])0[1-9]\d{{8,9}}{_END}"),
    # (212) 555-0123, 212-555-0123, 212 555 0123
    re.compile(rf"(?<![\w.,/-])(?:1[ .-])?(?:\(\d{{3}}\) ?|\d{{3}}[.-])\d{{3}}[.-]\d{{4}}{_END}"),
    re.compile(rf"(?<![\w.,/-])(?<!\d )[2-9]\d\d [2-9]\d\d \d{{4}}(?! \d){_END}"),
)
_MAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64} ?@ ?(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,63}")
_AT = re.compile(r" ?[(\[] ?at ?[)\]] ?|%40", re.IGNORECASE)
_DOT = re.compile(r" ?[(\[] ?dot ?[)\]] ?", re.IGNORECASE)
_ACCOUNT = re.compile(r"(?<![A-Za-z0-9])(?=([A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}))")
# letters and digits of an IBAN by country, from the registry of SWIFT
_LENGTHS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 "
    "EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 "
    "IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 "
    "NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 "
    "TN24 TR26 UA29 VA22 VG24 XK20"
)
_ACCOUNT_LENGTH = {word[:2]: int(word[2:]) for word in _LENGTHS.split()}
_CARD = re.compile(
    r"(?<![\w.,])(?:(?:[3-6]\d{3}|2[2-7]\d{2})([ .-]?)\d{4}\1\d{4}\1\d{1,7}"
    r"|3[47]\d{2}([ .-]?)\d{6}\2\d{5})(?!\w|[.,]\d)"
)


def read_page(page: str) -> str:
    """Read the text of a page as the search for personal data needs it.

    Parameters
    ----------
    page : str
        HTML.

    Returns
    -------
    str
        A line for each cell, paragraph and attribute; headings start with a zero byte.
    """
    page = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    spoken = "\n".join(
        unquote(value) if name == "href" else value for name, value in _ATTRIBUTE.findall(page)
    )
    text = _HEADING.sub("\n\0", _INLINE.sub("", page))
    return html.unescape(f"{re.sub(r'<[^>]*>', chr(10), text)}\n\0\n{spoken}")


def read_figure(svg: str) -> str:
    """Read what is written in a figure, where letters may be drawn as curves.

    Parameters
    ----------
    svg : str
        SVG of matplotlib, which says each line of a label in a comment, or of anybody else.

    Returns
    -------
    str
        A line for each line of a label, for each label as a whole, with its lines joined by a
        space and by nothing, and for each name and link.
    """
    told = [unquote(html.unescape(value)) for value in _NAMED.findall(svg)]
    for label in _LABELS.split(svg):
        lines = [a or b for a, b in _DRAWN.findall(re.sub(r"<style\b.*?</style>", "", label))]
        lines = [html.unescape(line).strip() for line in lines if line.strip()]
        told += [*lines, " ".join(lines), "".join(lines)] if len(lines) > 1 else lines
    return "\n".join(told)


@dataclass(frozen=True)
class Finding:
    """Something that must not be handed round, without saying what it is.

    Parameters
    ----------
    kind : str
        What it looks like.
    place : str
        Heading before it.
    """

    kind: str
    place: str

    def __str__(self) -> str:
        return f"{self.kind} under '{self.place}'" if self.place else self.kind


def find_personal(text: str, ids: Mapping[str, str] | None = None) -> list[Finding]:
    """Search a text for e-mail addresses, phone numbers, bank accounts, cards and ids.

    Parameters
    ----------
    text : str
        From :func:`read_page`.
    ids : mapping of str to str, optional
        Ids of the workbook, from :func:`cxlib.sharing.ids.index_ids`.

    Returns
    -------
    list of Finding
        In order of the text.

    Notes
    -----
    Phone numbers are found in the forms +353 ..., 0033 ..., with a leading 0, and in the American
    form, not as bare digits, which cannot be told from other numbers. Accounts and cards must
    pass their check digits. Letters and signs of every script that look alike are read alike, as
    are ``(at)`` and ``%40``.
    """
    text = _read_alike(text)
    found = sorted({(start, kind) for start, kind in _find_all(text, ids or {})})
    return [Finding(kind, _find_heading(text, start)) for start, kind in found]


def _read_alike(text: str) -> str:
    """Write spaces, dashes and wide letters in their plain form."""
    text = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    text = _DASHES.sub("-", re.sub(r"[^\S\n]", " ", text))
    return _DOT.sub(".", _AT.sub("@", text))


def _find_all(text: str, ids: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    yield from ((start, "an id") for start, _, _ in find_ids(text, ids))
    for pattern, measure, kind in _KINDS:
        found = [(match.start(), measure(match)) for match in pattern.finditer(text)]
        spans = [(start, start + length) for start, length in found if length]
        text = _blank(text, spans)  # the digits of a card are not read again as a phone's
        yield from ((start, kind) for start, _ in spans if kind)


def _blank(text: str, spans: list[tuple[int, int]]) -> str:
    parts, last = [], 0
    for start, end in spans:
        parts += [text[last:start], "x" * (end - max(start, last))]
        last = max(end, last)
    return "".join([*parts, text[last:]])


def _measure(match: re.Match[str]) -> int:
    return len(match[0])


def _measure_phone(match: re.Match[str]) -> int:
    digits = sum(map(str.isdigit, match[0]))
    return len(match[0]) if 9 <= digits <= 15 else 0


def _measure_account(match: re.Match[str]) -> int:
    """Check an IBAN by the length of its country and ISO 7064, modulo 97."""
    text = match[1]
    letters = [place for place, letter in enumerate(text) if letter.isalnum()]
    length = _ACCOUNT_LENGTH.get(text[:2].upper(), len(text) + 1)
    if len(letters) < length or text[letters[length - 1] + 1 :][:1].isalnum():
        return 0
    account = "".join(text[place] for place in letters[:length])
    digits = "".join(str(int(letter, 36)) for letter in account[4:] + account[:4])
    return letters[length - 1] + 1 if int(digits) % 97 == 1 else 0


def _measure_card(match: re.Match[str]) -> int:
    """Check a card number by the formula of Luhn."""
    digits = [int(letter) for letter in match[0] if letter.isdigit()]
    doubled = [digit * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    is_card = 13 <= len(digits) <= 19 and sum(n - 9 * (n > 9) for n in doubled) % 10 == 0
    return len(match[0]) if is_card else 0


# in this order: what is found is not read again, and dates are no numbers
_KINDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], int], str], ...] = (
    (_MAIL, _measure, "an e-mail address"),
    (_ACCOUNT, _measure_account, "a bank account"),
    (_DATES, _measure, ""),
    (_CARD, _measure_card, "a card number"),
    *((pattern, _measure_phone, "a phone number") for pattern in _PHONES),
)


def _find_heading(text: str, start: int) -> str:
    """Name the heading before a place, unless the heading itself holds what was found."""
    mark = text.rfind("\0", 0, start)
    heading = text[mark + 1 :].partition("\n")[0].strip()
    if mark < 0 or start <= mark + 1 + len(heading) or next(_find_all(heading, {}), None):
        return ""
    return heading
