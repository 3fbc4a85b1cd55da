"""Personal data taken out of comments before anything else reads them."""

from __future__ import annotations

import re

import pandas as pd

LINK, MAIL, IBAN, CARD, PHONE, ACCOUNT = "link", "e-mail", "IBAN", "card", "phone", "account"
KINDS = (MAIL, PHONE, IBAN, CARD, ACCOUNT, LINK)
LEAST_DIGITS = 7  # shorter numbers are prices, years, speeds
_CARD_DIGITS = 13
_IBAN_DIGITS = 8

_CUES = (
    "account|acct|customer|contract|order|ticket|case|ref|reference|policy|invoice|serial|meter"
    "|konto|kunden|kundennummer|vertrag|vertragsnummer|rechnungsnummer|cuenta|cliente|pedido"
    "|contrato|compte|client|commande|contrat"
)
# One pass, the first alternative that fits wins. Nothing may begin inside a word or a number, which
# also keeps the time of long nonsense linear.
_PATTERN = re.compile(
    r"(?P<link>\b(?:https?://|www\.)[^\s<>\"]+)"
    r"|(?P<mail>(?<![\w.+-])[\w.+-]+\s?(?:@|\(at\)|\[at\])\s?[\w-]+(?:\s?(?:\.|\(dot\)|\[dot\])\s?"
    r"[\w-]{2,})+)"
    r"|(?P<iban>(?<!\w)[a-z]{2}\d{2}(?:[ -]?[a-z0-9]{4}){2,7}(?:[ -]?[a-z0-9]{1,3})?(?!\w))"
    rf"|(?P<cue>(?<!\w)(?:{_CUES})\b[\s.:#-]*(?:(?:number|no|nr|num|id|is|n[°º])[\s.:#-]*){{0,3}})"
    r"(?P<coded>[a-z]{0,4}[-/]?\d[\d-]{3,}(?!\w))"
    r"|(?P<account>(?<!\w)[a-z]{1,4}[-/]?\d{5,}(?!\w))"
    r"|(?P<kept>(?<![\w.,])(?:"
    r"\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})(?![./-]?\d)"  # dates
    r"|(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2}(?!\d)"
    r"|(?:19|20)\d\d\s?[/–-]\s?(?:19|20)\d\d(?!\d)"  # from year to year
    r"|[1-9]\d{1,3}/\d{2,4}(?!\d)"  # 1000/1000 Mbit
    r"|[1-9](?:[., ]\d{3}){2}(?:[.,]\d{1,2})?(?![., ]?\d)"  # amounts
    r"|\d+[.,]\d{1,3}(?![.,]?\d)))"
    r"|(?P<number>(?<![\w.,])[+(]?\d(?:[\s().\-/]{0,3}\d)+(?!\w))",
    re.IGNORECASE,
)

_MAY_HOLD = re.compile(r"[\d@]|\(at\)|\[at\]|www\.|https?:", re.IGNORECASE)


def mask_personal(texts: pd.Series) -> tuple[pd.Series, pd.DataFrame]:
    """Replace personal data in comments by their kind in brackets.

    Parameters
    ----------
    texts : pandas.Series of str
        Comments.

    Returns
    -------
    texts : pandas.Series of str
        The same comments with ``[e-mail]``, ``[phone]``, ``[IBAN]``, ``[card]``, ``[account]`` and
        ``[link]`` in place of what was found.
    counts : pandas.DataFrame, one row per kind
        Columns `kind`, `n` (pieces masked), `n_comments`.

    Notes
    -----
    Masked are e-mail addresses, IBANs, numbers of 7 digits and more with or without blanks between
    them (13 and more count as cards, unbroken shorter ones without a leading 0 or + as accounts),
    codes of up to 4 letters and 5 or more digits, numbers after words such as "account" or
    "order", and links that hold a digit or a query. Dates, amounts, years and "24/7" stay. When in
    doubt a number is masked. Names and street addresses are not recognised: before a quote leaves
    the house, somebody has to read it.

    Examples
    --------
    >>> texts, _ = mask_personal(pd.Series(["Mail me at a.b@example.com, it was 24/7"]))
    >>> texts[0]
    'Mail me at [e-mail], it was 24/7'
    """
    found: list[list[str]] = []
    masked = [_mask(text, found) for text in texts]
    rows = [
        (kind, sum(own.count(kind) for own in found), sum(kind in own for own in found))
        for kind in KINDS
    ]
    counts = pd.DataFrame(rows, columns=["kind", "n", "n_comments"])
    return pd.Series(masked, index=texts.index, dtype=object), counts


def _mask(text: str, found: list[list[str]]) -> str:
    if not _MAY_HOLD.search(text):
        return text
    kinds: list[str] = []

    def replace(match: re.Match[str]) -> str:
        """Write the kind of what was matched, or leave it."""
        kind = _name(match)
        if not kind:
            return match.group()
        kinds.append(kind)
        return f"{match.group('cue') or ''}[{kind}]"

    masked = _PATTERN.sub(replace, text)
    if kinds:
        found.append(kinds)
    return masked


def _name(match: re.Match[str]) -> str:
    """Name what was matched; empty for what may stay."""
    text = match.group()
    digits = sum(letter.isdigit() for letter in text)
    if match["link"]:
        return LINK if digits or any(sign in text for sign in "?=@") else ""
    if match["mail"]:
        return MAIL
    if match["iban"]:  # a word of two letters and a year may look like the beginning of one
        return IBAN if digits >= _IBAN_DIGITS else ""
    if match["coded"] or match["account"]:
        return ACCOUNT
    if match["number"] and digits >= LEAST_DIGITS:
        if digits >= _CARD_DIGITS:
            return CARD
        return ACCOUNT if text.isdigit() and text[0] != "0" else PHONE
    return ""
