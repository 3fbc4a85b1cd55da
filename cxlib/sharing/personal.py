"""Search what is to be handed round for what looks like a person's contact data or an id."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cxlib.sharing.privacy import find_ids

_ATTRIBUTE = re.compile(r'\s(?:alt|title|aria-label|href|id|data-name)="([^"]*)"')
_INLINE = re.compile(r"</?(?:a|b|i|em|strong|span|small|code|time|abbr|sub|sup)\b[^>]*>")
_HEADING = re.compile(r"<(?:h[1-6]|caption|figcaption)\b[^>]*>")
_ZONE = r"(?:Z|[+-]\d\d:?\d\d)?"
_DATES = re.compile(
    rf"(?<!\d)(?<!\d[./-])(?:\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?{_ZONE})?"
    r"|\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d\d)|\d{1,2}:\d\d(?::\d\d)?)(?!\d|[./-]\d)"
)
_PHONES = (
    # +353 87 123 4567, +49 (0)30/123456, 0033.1.23.45.67.89
    re.compile(r"(?<![\w.+])(?:\+|00)[1-9]\d{0,2}(?:[ /-]?\(?\d{1,10}\)?){1,6}(?![\w]|[.,]\d)"),
    re.compile(r"(?<![\w.+])(?:\+|00)[1-9]\d{0,2}(?:\.\d{1,4}){3,6}(?![\w]|[.,]\d)"),
    # 087 123 4567, (01) 234 5678, 030/1234567, 01.23.45.67.89, 0871234567
    re.compile(r"(?<![\w.,/-])\(?0\d{1,4}\)?(?:[ /-]\d{2,8}){1,4}(?![\w-]|[.,]\d)"),
    re.compile(r"(?<![\w.,/-])0[1-9](?:\.\d\d){4}(?![\w-]|[.,]\d)"),
    re.compile(r"(?<![\w.,/-])0[1-9]\d{8,9}(?![\w-]|[.,]\d)"),
    # (212) 555-0123, 212-555-0123
    re.compile(r"(?<![\w.,/-])(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[.-]\d{4}(?![\w-]|[.,]\d)"),
)
_MAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_ACCOUNT = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"
)
_CARD = re.compile(r"(?<![\w.,])[3-6]\d{3}(?:[ -]?\d{2,6}){2,4}(?![\w]|[.,]\d)")


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
    spoken = "\n".join(match[1] for match in _ATTRIBUTE.finditer(page))
    text = _HEADING.sub("\n\0", _INLINE.sub("", page))
    return html.unescape(f"{re.sub(r'<[^>]*>', chr(10), text)}\n\0\n{spoken}")


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


def find_personal(text: str, ids: Collection[str] = ()) -> list[Finding]:
    """Search a text for e-mail addresses, phone numbers, bank accounts, cards and ids.

    Parameters
    ----------
    text : str
        From :func:`read_page`.
    ids : collection of str
        Words that are ids of the workbook.

    Returns
    -------
    list of Finding
        In order of the text.

    Notes
    -----
    Phone numbers are found in the forms +353 ..., 0033 ..., with a leading 0, and in the American
    form, not as bare groups of digits, which cannot be told from other numbers. Accounts and
    cards must pass their check digits.
    """
    found = sorted({(start, kind) for start, kind in _find_all(text, ids)})
    return [Finding(kind, _find_heading(text, start)) for start, kind in found]


def _find_all(text: str, ids: Collection[str]) -> Iterator[tuple[int, str]]:
    yield from ((match.start(), "an e-mail address") for match in _MAIL.finditer(text))
    timeless = _DATES.sub(lambda match: "x" * len(match[0]), text)
    for pattern in _PHONES:
        for match in pattern.finditer(timeless):
            if 9 <= len(re.sub(r"\D", "", match[0])) <= 15:
                yield match.start(), "a phone number"
    for match in _ACCOUNT.finditer(text):
        if _is_account(match[0].replace(" ", "")):
            yield match.start(), "a bank account"
    for match in _CARD.finditer(timeless):
        if _is_card(re.sub(r"\D", "", match[0])):
            yield match.start(), "a card number"
    yield from ((start, "an id") for start, _ in find_ids(text, ids))


def _is_account(account: str) -> bool:
    """Check an IBAN by ISO 7064, modulo 97."""
    digits = "".join(str(int(letter, 36)) for letter in account[4:] + account[:4])
    return 15 <= len(account) <= 34 and int(digits) % 97 == 1


def _is_card(digits: str) -> bool:
    """Check a card number by the formula of Luhn."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return 13 <= len(digits) <= 19 and sum(n - 9 * (n > 9) for n in doubled) % 10 == 0


def _find_heading(text: str, start: int) -> str:
    """Name the heading before a place, unless the heading itself holds what was found."""
    mark = text.rfind("\0", 0, start)
    heading = text[mark + 1 :].partition("\n")[0].strip()
    if mark < 0 or start <= mark + 1 + len(heading) or next(_find_all(heading, ()), None):
        return ""
    return heading
