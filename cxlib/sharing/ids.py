"""Ids of a workbook on its pages: found however they are written, and replaced by codes."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from cxlib.sharing.markup import Cell, Table, map_tables, map_texts
from cxlib.sharing.small import is_count

_TOKEN = re.compile(r"%[0-9A-Fa-f]{2}|[^\W_]+")
# between the parts of an id; %2D and the like are signs of a link
_GAP = re.compile(
    r"(?:%[0-9A-Fa-f]{2}|[-_./:@'’\u00ad\u200b-\u200d\u2010-\u2015\u2212\ufeff]|[^\S\n]){1,3}"
)
_MOST = 6  # parts of an id
# a number that is written in one of these forms is no list of ids
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+")
_NAMED = re.compile(
    r"\b(?:customer|respondent|employee|person|journey|account|order|id|no\.?|number)\s+#?"
    r"(\d{1,3}(?:,\d{3})+)(?![\d%]|[.,]\d)",
    re.IGNORECASE,
)
_ID_CELL = re.compile(r"(<(t[hd])\b[^>]*\sdata-id\b[^>]*>)(.*?)(</\2>)", re.DOTALL)
_ANCHOR = re.compile(r'\sid="([^"]*)"')
Rename = Callable[[str], str]


def index_ids(ids: Iterable[str]) -> dict[str, str]:
    """List ids by what they have in common however they are written.

    Parameters
    ----------
    ids : iterable of str
        Ids as the tables hold them.

    Returns
    -------
    dict of str to str
        From letters and digits in lower case, with a hyphen for whatever stands between them, to
        the id: the customer ``C-1001`` may be written ``c_1001``, ``C 1001`` or ``C%2D1001``.
    """
    return {_join(value): value for value in sorted(ids, reverse=True)}


def _join(value: str) -> str:
    return "-".join(token.lower() for token in re.findall(r"[^\W_]+", value))


def find_words(text: str) -> set[str]:
    """List what could be an id in running text.

    Parameters
    ----------
    text : str
        Plain text.

    Returns
    -------
    set of str
        Words in the form of :func:`index_ids`, of five letters or more, that hold a digit or a
        sign; a short number or a plain word cannot be told from what the page says itself.
    """
    found = {key for _, _, key in _read_words(text)}
    found |= {match[0].replace(",", "") for match in re.finditer(r"\d{1,3}(?:,\d{3})+", text)}
    return {word for word in found if len(word) >= 5}


def _read_words(text: str) -> Iterator[tuple[int, int, str]]:
    """Read each run of up to six parts, of which one space at most lies between two.

    From a start, the longest run comes last.
    """
    tokens = [token for token in _TOKEN.finditer(text) if token[0][0] != "%"]
    gaps = [text[a.end() : b.start()] for a, b in itertools.pairwise(tokens)]
    joins = [None if not _GAP.fullmatch(gap) else gap.isspace() for gap in gaps]
    digits = [any(map(str.isdigit, token[0])) for token in tokens]
    words = [token[0].lower() for token in tokens]
    for first, token in enumerate(tokens):
        spaces, marked = 0, digits[first]
        if marked:
            yield token.start(), token.end(), words[first]
        for last in range(first + 1, min(first + _MOST, len(tokens))):
            join = joins[last - 1]
            if join is None or spaces + join > 1:
                break
            spaces += join
            marked = marked or digits[last] or not join
            if marked:
                yield token.start(), tokens[last].end(), "-".join(words[first : last + 1])


def find_ids(text: str, ids: Mapping[str, str]) -> list[tuple[int, int, str]]:
    """Find where ids stand in running text.

    Parameters
    ----------
    text : str
        Plain text.
    ids : mapping of str to str
        From :func:`index_ids`.

    Returns
    -------
    list of tuple
        Start, end and id of each, in order. A number such as 10,007 or 10007.5 is none, unless a
        word such as "customer" stands before it: else every count would be somebody's.
    """
    if not ids:
        return []
    found: dict[int, tuple[int, int, str]] = {}
    for start, end, key in _read_words(text):
        if key in ids and not _is_number(text, start, end):
            found[start] = (start, end, ids[key])  # the longest from here
    for match in _NAMED.finditer(text):
        if (key := match[1].replace(",", "")) in ids:
            found[match.start(1)] = (*match.span(1), ids[key])
    chosen: list[tuple[int, int, str]] = []
    for start, end, value in sorted(found.values()):
        if not chosen or start >= chosen[-1][1]:
            chosen.append((start, end, value))
    return chosen


def _is_number(text: str, start: int, end: int) -> bool:
    """Tell digits that are part of a decimal or grouped number from those in a list."""
    if re.search(r"[^\W\d_]", text[start:end]):
        return False
    before = re.search(r"[\d.,]*$", text[max(start - 30, 0) : start])
    behind = re.match(r"[\d.,]*", text[end : end + 30])
    assert before is not None
    assert behind is not None
    whole = f"{before[0]}{text[start:end]}{behind[0]}".strip(".,")
    return _NUMBER.fullmatch(whole) is not None


def hash_text(text: str, ids: Mapping[str, str], rename: Rename) -> str:
    """Replace the ids in running text.

    Parameters
    ----------
    text : str
        Plain text.
    ids : mapping of str to str
        From :func:`index_ids`.
    rename : callable
        From an id to what is written instead.

    Returns
    -------
    str
        The text.
    """
    for start, end, value in reversed(find_ids(text, ids)):
        text = text[:start] + rename(value) + text[end:]
    return text


def hash_page(page: str, ids: Mapping[str, str], rename: Rename) -> str:
    """Replace the ids on a page.

    Parameters
    ----------
    page : str
        HTML written by cxlib.
    ids, rename : mapping of str to str, callable
        As in :func:`hash_text`.

    Returns
    -------
    str
        The page: cells that are marked as ids, columns of whole numbers that are all ids, and ids
        in running text are replaced; a heading that names one gets another anchor. Scripts,
        styles, links and pictures are left as they are.
    """

    def rename_cell(match: re.Match[str]) -> str:
        """Replace the content of a cell of ids; a missing one stays missing."""
        opening, _, value, closing = match.groups()
        value = html.unescape(value)
        return opening + (value if value in ("", "–") else rename(value)) + closing

    def rename_words(markup: str) -> str:
        """Replace ids in escaped text, which stays as it is when there is none."""
        parts = re.split(r"(<[^>]*>)", markup)
        for place, part in enumerate(parts):
            plain = html.unescape(part)
            if place % 2 == 0 and (hashed := hash_text(plain, ids, rename)) != plain:
                parts[place] = html.escape(hashed)
        return "".join(parts)

    def rename_columns(table: Table) -> str | None:
        """Replace whole numbers in columns where all of them are ids."""
        cells = [cell for column in _find_id_columns(table, ids) for cell in column]
        for cell in cells:
            cell.write(rename(ids[_whole(cell)]))
        return "" if cells else None

    page = _ID_CELL.sub(rename_cell, page)
    if not ids:
        return page
    return map_texts(_renumber_anchors(map_tables(page, rename_columns), ids), rename_words)


def _find_id_columns(table: Table, ids: Mapping[str, str]) -> Iterator[list[Cell]]:
    for place, head in enumerate(table.heads):
        cells = [row[place] for row in table.rows if place < len(row)]
        told = [cell for cell in cells if cell.text not in ("", "–")]
        if told and not is_count(head) and all(_whole(cell) in ids for cell in told):
            yield told


def _whole(cell: Cell) -> str:
    """Read a whole number of five digits or more, however it is grouped."""
    text = cell.value.replace(",", "").removesuffix(".0")
    return text if re.fullmatch(r"\d{5,}", text) and "data-id" not in cell.marks else ""


def _renumber_anchors(page: str, ids: Mapping[str, str]) -> str:
    """Give headings that name an id an anchor that does not."""
    for number, anchor in enumerate(dict.fromkeys(_ANCHOR.findall(page)), 1):
        if find_ids(html.unescape(anchor), ids):
            old = re.escape(anchor)
            page = re.sub(
                rf'(\s(?:id|aria-labelledby)="|href="#){old}"', rf'\1part-{number}"', page
            )
    return page


def find_in_tables(paths: Iterable[str], words: set[str]) -> dict[str, str]:
    """Find which words are ids in audited tables; these may be larger than memory.

    Parameters
    ----------
    paths : iterable of str
        Parquet files.
    words : set of str
        From :func:`find_words`.

    Returns
    -------
    dict of str to str
        As of :func:`index_ids`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found: set[str] = set()
    wanted = pa.array(sorted(words), pa.string())
    for path in paths if words else ():
        with pq.ParquetFile(path) as file:
            names = [name for name in file.schema_arrow.names if name.endswith("_id")]
            for part in file.iter_batches(2**20, columns=names) if names else ():
                for column in part.columns:
                    text = pc.unique(column.cast(pa.string()))
                    text = pc.filter(text, pc.greater_equal(pc.utf8_length(text), 5))
                    keys = pc.replace_substring_regex(text, r"[^\pL\pN]+", "-")
                    keys = pc.utf8_trim(pc.utf8_lower(keys), "-")
                    found.update(pc.filter(text, pc.is_in(keys, value_set=wanted)).to_pylist())
    return index_ids(found)
