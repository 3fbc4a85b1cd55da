"""``OUT/share/``: what may be handed round, pages alone, without ids, small groups or contacts."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from cxlib.errors import HeldBack
from cxlib.files import whole_file
from cxlib.folders import SCRATCH, put_folder, work_folder
from cxlib.publishing.index import render_index, render_mail
from cxlib.publishing.summary import describe_changes
from cxlib.sharing.personal import Finding, find_personal, read_page
from cxlib.sharing.privacy import (
    find_words,
    hash_id,
    hash_page,
    hash_text,
    hide_small_groups,
    read_salt,
)
from cxlib.workbook import read_workbook

FOLDER = "share"
FIX = (
    "leave what is personal out of the notebook, mark a column of ids by show(ids=...); where "
    "figures rest on few, ask for larger segments (min_rows) or leave the set out"
)
_DRAWN = re.compile(r"<!-- (.*?) -->|>([^<>]+)<", re.DOTALL)


class _Workbook:
    """The ids of a workbook, as far as the pages of a batch name them, and their hashes."""

    def __init__(self, location: str, salt: bytes, texts: Iterable[str]) -> None:
        self.rename: Callable[[str], str] = functools.partial(hash_id, salt=salt)
        self.ids = _find_in_tables(location, set().union(*map(find_words, texts)))

    def hash_all(self, value: Any) -> Any:
        """Replace ids in every text of a record."""
        if isinstance(value, str):
            return hash_text(value, self.ids, self.rename)
        if isinstance(value, dict):
            return {key: self.hash_all(inner) for key, inner in value.items()}
        return [self.hash_all(inner) for inner in value] if isinstance(value, list) else value


def share_batch(batch: Mapping[str, Any], out: Path) -> None:
    """Write what may be handed round: the index, the mail and the pages of a batch.

    Parameters
    ----------
    batch : dict
        Content of ``batch.json``.
    out : pathlib.Path
        Folder of the batch, where :func:`cxlib.publishing.index.write_index` has been.

    Raises
    ------
    OSError
        When they cannot be written.
    HeldBack
        When a page shows what looks like personal data. It is held back, the others are there;
        the message names page and kind, never what was found.

    Notes
    -----
    Ids are replaced by hashes: in cells marked as ids always, in running text where they hold a
    digit or a sign and have five letters. Rows of tables that rest on fewer than ``min_cell`` lose
    their figures; a report whose own key figure does is held back. Text within figures is read
    from the notebook beside the page, and can hold a page back, but not be replaced.
    """
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    pages = [_read(out, each["links"].get("page")) for each in summary["sets"]]
    places = dict.fromkeys(map(_location, batch["runs"]))
    salts = {place: read_salt(read_workbook(place)) for place in places}
    key, seal = _hash_inputs(summary, pages, salts), out / SCRATCH / "share"
    if seal.exists() and seal.read_text("utf-8") == key and (out / FOLDER).is_dir():
        return
    seal.unlink(missing_ok=True)
    figures = [_read_figures(out, each["links"].get("notebook")) for each in summary["sets"]]
    books = _open_workbooks(batch, summary, pages, figures, salts)
    found: dict[int, list[str]] = {}
    sets: list[dict[str, Any]] = []
    with work_folder(out) as work:
        for number, told in enumerate(summary["sets"]):
            book = books[_location(batch["runs"][number])]
            page, shared = _clean(told, pages[number], book)
            found[number] = _judge(told, shared, page, figures[number], book)
            if found[number]:
                shared = _hold_back(shared, number)
            elif page:
                (work / told["folder"]).mkdir()
                (work / told["folder"] / "report.html").write_text(page, encoding="utf-8")
            sets.append(shared)
        lists = _write_lists(work, {**summary, "sets": sets}, books)
        put_folder(work, out / FOLDER)
    why = {number: _count(kinds) for number, kinds in found.items() if kinds}
    if why or lists:
        pages_held = [
            f"  report {n + 1} ({sets[n]['set_name']}): {text}" for n, text in why.items()
        ]
        problems = ["Not all pages may be handed round. Held back:", *pages_held, *lists]
        raise HeldBack("\n".join([*problems, f"  fix:   {FIX}"]), why)
    with whole_file(seal) as part:
        part.write_text(key, encoding="utf-8")


def _location(run: Mapping[str, Any]) -> str:
    return str(run["parameters"].get("workbook", ""))


def _read(out: Path, link: str | None) -> str:
    return (out / link).read_text("utf-8") if link else ""


def _read_figures(out: Path, link: str | None) -> str:
    """Read what is written in the figures of a page: there, letters are drawn as curves."""
    if not link:
        return ""
    drawn = [
        "".join(output["data"]["image/svg+xml"])
        for cell in json.loads(_read(out, link))["cells"]
        for output in cell.get("outputs", [])
        if "image/svg+xml" in output.get("data", {})
    ]
    return "\n".join(a or b for svg in drawn for a, b in _DRAWN.findall(svg) if (a or b).strip())


def _open_workbooks(
    batch: Mapping[str, Any],
    summary: Mapping[str, Any],
    pages: list[str],
    figures: list[str],
    salts: Mapping[str, bytes],
) -> dict[str, _Workbook]:
    texts: dict[str, list[str]] = {}
    for run, told, page, drawn in zip(batch["runs"], summary["sets"], pages, figures, strict=True):
        said = [read_page(page), drawn, *_list_texts(told)]
        texts.setdefault(_location(run), []).extend(said)
    return {place: _Workbook(place, salts[place], said) for place, said in texts.items()}


def _list_texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for each in inner for text in _list_texts(each)]


def _find_in_tables(location: str, words: set[str]) -> frozenset[str]:
    """Find which words are ids in the audited tables; these may be larger than memory."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from cxlib.data.audit import audit_workbook

    found: set[str] = set()
    wanted = pa.array(sorted(words), pa.string())
    for table in audit_workbook(read_workbook(location)).values():
        with pq.ParquetFile(table.path) as file:
            names = [name for name in file.schema_arrow.names if name.endswith("_id")]
            for part in file.iter_batches(columns=names) if names and words else ():
                for column in part.columns:
                    text = column.cast(pa.string())
                    met = pc.filter(text, pc.is_in(text, value_set=wanted))
                    found.update(met.to_pylist())
    return frozenset(found)


def _hash_inputs(summary: Mapping[str, Any], pages: list[str], salts: Mapping[str, bytes]) -> str:
    from cxlib.installation import hash_installation

    parts = [summary, pages, {place: salt.hex() for place, salt in salts.items()}]
    text = json.dumps([*parts, hash_installation()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _clean(told: Mapping[str, Any], page: str, book: _Workbook) -> tuple[str, dict[str, Any]]:
    """Take ids and small groups out of a page and of what the lists say of it."""
    page = hide_small_groups(hash_page(page, book.ids, book.rename), told["min_cell"])
    shared = book.hash_all({**told, "folder": "", "links": {}})
    links = {name: link for name, link in told["links"].items() if name == "page"}
    return page, shared | {"folder": told["folder"], "links": links}


def _judge(
    told: Mapping[str, Any], shared: Mapping[str, Any], page: str, drawn: str, book: _Workbook
) -> list[str]:
    """Say what keeps a page from being handed round."""
    said = "\n".join(_list_texts({**shared, "links": {}, "folder": told["folder"] if page else ""}))
    found = [*map(str, find_personal(read_page(page), book.ids))]
    found += [f"{finding.kind} in its name or figures" for finding in find_personal(said, book.ids)]
    found += [f"{finding.kind} in a figure" for finding in find_personal(drawn, book.ids)]
    few = [f for f in told["key_figures"] if f["n"] is not None and f["n"] < told["min_cell"]]
    if few:
        found.append(f"a key figure that rests on fewer than {told['min_cell']}")
    return found


def _hold_back(shared: Mapping[str, Any], number: int) -> dict[str, Any]:
    name = str(shared["set_name"])
    name = f"Report {number + 1}" if find_personal(name) else name
    empty = {"headline": "", "reason": "", "key_figures": [], "links": {}, "folder": ""}
    why = "This report is held back: it shows what must not be handed round."
    return {**shared, **empty, "set_name": name, "name": name, "advice": why}


def _count(found: list[str]) -> str:
    return "; ".join(f"{n} × {what}" if n > 1 else what for what, n in Counter(found).items())


def _write_lists(work: Path, summary: dict[str, Any], books: Mapping[str, _Workbook]) -> list[str]:
    """Write index and mail, unless what they say themselves must not be handed round."""
    if summary["compared"]:
        moved = describe_changes(summary["sets"], "")["moved"]
        summary = {**summary, "compared": {**summary["compared"], "moved": moved}}
    ids = frozenset().union(*(book.ids for book in books.values()))
    problems = []
    for name, text in (("index.html", render_index(summary)), ("mail.html", render_mail(summary))):
        found: list[Finding] = find_personal(read_page(text), ids)
        if found:
            problems.append(f"  {name}: {'; '.join(map(str, found))}")
        else:
            (work / name).write_text(text, encoding="utf-8")
    return problems
