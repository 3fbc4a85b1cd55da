"""What is taken out of pages before they are handed round: ids and small groups."""

from __future__ import annotations

import hashlib
import hmac
import html
import os
import re
import secrets
import uuid
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from cxlib.errors import InputError
from cxlib.workbook import SAMPLES

if TYPE_CHECKING:
    from cxlib.workbook import Workbook

SALT = ".cx_salt"
_TAG = re.compile(r"(<script.*?</script>|<style.*?</style>|<[^>]*>)", re.DOTALL)
_ID_CELL = re.compile(r"(<(t[hd])\b[^>]*\sdata-id\b[^>]*>)(.*?)(</\2>)", re.DOTALL)
_SPOKEN = re.compile(r'(\s(?:alt|title|aria-label|data-name)=")([^"]*)"')
# an id in running text, from the widest reading of a word to the narrowest
_WORDS = (
    re.compile(r"[^\s\"'<>()\[\]{},;“”‘’]+"),
    re.compile(r"[\w@.+-]*\w"),
    re.compile(r"\w[\w-]*\w"),
    re.compile(r"\w+"),
)
_AROUND = ".:!?…–—"
_PART = re.compile(r"\d[.,]\d")
_COUNTS = {"n", "n customers", "n respondents", "n journeys"}
_TABLE = re.compile(r"(<table\b.*?<tbody>)(.*?)(</tbody>)", re.DOTALL)
_CELL = re.compile(r"(<t[hd]\b)([^>]*)>(.*?)(</t[hd]>)", re.DOTALL)
Rename = Callable[[str], str]


def read_salt(book: Workbook) -> bytes:
    """Read the salt of a workbook; the first time, make it.

    Parameters
    ----------
    book : Workbook
        The workbook. Its salt lies beside it as ``.cx_salt``, for its owner alone. The company of
        the samples is fictional and has a salt that everybody knows.

    Returns
    -------
    bytes
        The same ids get the same hash as long as the file is kept.

    Raises
    ------
    InputError
        When it can be neither read nor made.
    """
    from cxlib.workbook import shipped

    if book.folder == shipped("data", SAMPLES).resolve():
        return SAMPLES.encode()
    path = book.folder / SALT
    fix = f"let {book.folder.name or 'the folder'} be written once, or put 64 random letters there"
    try:
        if not path.exists():
            _make_salt(path)
        salt = path.read_bytes().strip()
    except OSError as error:
        raise InputError(f"No salt to hash ids with: {error.strerror}.", str(path), fix) from error
    if len(salt) < 32:
        raise InputError("The salt to hash ids with is too short.", str(path), f"remove it; {fix}")
    return salt


def _make_salt(path: Path) -> None:
    """Write a salt whole; when another run makes one meanwhile, that one stays."""
    part = path.with_name(f"{SALT}-{uuid.uuid4().hex[:8]}.part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink(missing_ok=True)


def hash_id(value: str, salt: bytes) -> str:
    """Replace an id by a name that is the same on every page and tells nothing.

    Parameters
    ----------
    value : str
        The id.
    salt : bytes
        From :func:`read_salt`.

    Returns
    -------
    str
        Such as ``"id-3fa9c04b1e"``.
    """
    return f"id-{hmac.new(salt, value.encode(), hashlib.sha256).hexdigest()[:10]}"


def find_words(text: str) -> set[str]:
    """List what could be an id in running text.

    Parameters
    ----------
    text : str
        Plain text.

    Returns
    -------
    set of str
        Words of five letters or more that hold a digit, a dot, an @ or the like; a short number
        or a plain word cannot be told from what the page says itself.
    """
    found = {match[0] for pattern in _WORDS for match in pattern.finditer(text)}
    found |= {word.strip(_AROUND) for word in found}
    return {word for word in found if len(word) >= 5 and re.search(r"[\d@._|:-]", word)}


def find_ids(text: str, ids: Collection[str]) -> list[tuple[int, int]]:
    """Find where ids stand in running text.

    Parameters
    ----------
    text : str
        Plain text.
    ids : collection of str
        The words that are ids, of those :func:`find_words` listed.

    Returns
    -------
    list of tuple of int
        Start and end of each, in order. Digits within a longer number are no id.
    """
    found: list[tuple[int, int]] = []
    if not ids:
        return found
    for pattern in _WORDS:
        for match in pattern.finditer(text):
            core = match[0].strip(_AROUND)
            if core not in ids:
                continue
            start = match.start() + match[0].index(core)
            end = start + len(core)
            is_part = core.isdigit() and _PART.search(text[max(start - 2, 0) : end + 2])
            if not is_part and all(end <= first or start >= last for first, last in found):
                found.append((start, end))
    return sorted(found)


def hash_text(text: str, ids: Collection[str], rename: Rename) -> str:
    """Replace the ids in running text.

    Parameters
    ----------
    text : str
        Plain text.
    ids : collection of str
        The words that are ids.
    rename : callable
        From an id to what is written instead.

    Returns
    -------
    str
        The text.
    """
    for start, end in reversed(find_ids(text, ids)):
        text = text[:start] + rename(text[start:end]) + text[end:]
    return text


def hash_page(page: str, ids: Collection[str], rename: Rename) -> str:
    """Replace the ids on a page: cells that are marked as ids, and words that are ids.

    Parameters
    ----------
    page : str
        HTML written by cxlib.
    ids, rename : collection of str, callable
        As in :func:`hash_text`.

    Returns
    -------
    str
        The page; scripts, styles, links and pictures are left as they are.
    """

    def rename_cell(match: re.Match[str]) -> str:
        """Replace the content of a cell of ids; a missing one stays missing."""
        opening, _, value, closing = match.groups()
        value = html.unescape(value)
        return opening + (value if value in ("", "–") else rename(value)) + closing

    def rename_words(text: str) -> str:
        """Replace ids in escaped text, which stays as it is when there is none."""
        plain = html.unescape(text)
        hashed = hash_text(plain, ids, rename)
        return text if hashed == plain else html.escape(hashed)

    def rename_tag(tag: str) -> str:
        """Replace ids in what a tag says to a reader."""
        return _SPOKEN.sub(lambda match: f'{match[1]}{rename_words(match[2])}"', tag)

    parts = _TAG.split(_ID_CELL.sub(rename_cell, page))
    return "".join(
        rename_tag(part) if number % 2 else rename_words(part) for number, part in enumerate(parts)
    )


def hide_small_groups(page: str, min_cell: int) -> str:
    """Take the figures of groups of few customers out of the tables of a page.

    Parameters
    ----------
    page : str
        HTML written by cxlib.
    min_cell : int
        Smallest group that may be told of.

    Returns
    -------
    str
        The page. In a table with a column ``n`` (or ``n customers``, ``n respondents``, ``n
        journeys``) beside other numbers, a row that rests on fewer keeps its labels alone.

    Notes
    -----
    A table of counts alone, such as a ledger of rows, tells nothing about a group and stays.
    """

    def hide_in_table(match: re.Match[str]) -> str:
        """Hide the rows of a table that rest on few."""
        opening, body, closing = match.groups()
        heads = [re.sub(r"<[^>]*>", "", cell[2]) for cell in _CELL.findall(opening)]
        counts = {place for place, head in enumerate(heads) if head in _COUNTS}
        others = [head for head in heads if not re.match(r"n\b", head)]
        numbers = [
            place
            for place, cell in enumerate(_CELL.findall(body)[: len(heads)])
            if 'class="number"' in cell[1] and heads[place] in others
        ]
        if not counts or not numbers:
            return match[0]
        rows = re.sub(
            r"<tr\b.*?</tr>", lambda row: _hide_row(row[0], counts, min_cell), body, flags=re.DOTALL
        )
        return opening + rows + closing

    return _TABLE.sub(hide_in_table, page)


def _hide_row(row: str, counts: Collection[int], min_cell: int) -> str:
    cells = _CELL.findall(row)
    few = [place for place in counts if place < len(cells) and _is_few(cells[place][2], min_cell)]
    if not few:
        return row
    written = []
    for place, (tag, marks, value, closing) in enumerate(cells):
        if place in few:
            value = f"under {min_cell}"
        elif place > 0 and re.search(r"\d", value):
            value = "–"
        marks = re.sub(r' data-value="[^"]*"', "", marks)
        written.append(f"{tag}{marks}>{value}{closing}")
    return f"<tr>{''.join(written)}</tr>"


def _is_few(text: str, min_cell: int) -> bool:
    return text.isdigit() and 0 < int(text) < min_cell
