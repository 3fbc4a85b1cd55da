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
from cxlib.publishing.summary import describe_outcomes
from cxlib.publishing.wording import describe_changes, describe_figure
from cxlib.sharing.ids import find_ids, find_in_tables, find_words, hash_page, hash_text
from cxlib.sharing.personal import Finding, find_personal, read_figure, read_page
from cxlib.sharing.salts import hash_id, read_salt
from cxlib.sharing.sentences import hide_sentences
from cxlib.sharing.small import (
    hide_few_rows,
    hide_in_key_figures,
    hide_small_counts,
    is_few,
    is_small_count,
)
from cxlib.workbook import read_workbook

FOLDER = "share"
FIX = (
    "leave what is personal out of the notebook, mark a column of ids by show(ids=...); where "
    "figures rest on few, ask for larger segments (min_rows) or leave the set out"
)
HELD_BACK = "It shows what must not be handed round."
_N_BEFORE = re.compile(r"\(n (\d+)\)")


class _Workbook:
    """The ids of a workbook, as far as the pages of a batch name them, and their hashes."""

    def __init__(self, location: str, salt: bytes, texts: Iterable[str]) -> None:
        from cxlib.data.audit import audit_workbook

        self.rename: Callable[[str], str] = functools.partial(hash_id, salt=salt)
        tables = audit_workbook(read_workbook(location))
        self.sources = {name: table.entry.sha256 for name, table in tables.items()}
        paths = [str(table.path) for table in tables.values()]
        self.ids = find_in_tables(paths, set().union(*map(find_words, texts)))

    def find_changed(self, run: Mapping[str, Any]) -> list[str]:
        """Name the exports that are no longer what a run has read: its ids are not known here."""
        return [
            f"its export '{entry['table']}' has changed since, and ids cannot be looked up"
            for entry in run["inputs"]
            if entry["table"] in run["uses"] and self.sources.get(entry["table"]) != entry["sha256"]
        ]

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
    digit or a sign and have five letters (:mod:`cxlib.sharing.ids`). What tells of fewer than
    ``min_cell`` is left out (:mod:`cxlib.sharing.small`); a report with a key figure that rests on
    fewer is held back. Text within figures is read from the notebook beside the page, and can hold
    a page back, but not be replaced. A folder whose name or parameters hold an id is called by
    the number of its report.
    """
    summary = _read_summary(out)
    pages = [_read(out, each["links"].get("page")) for each in summary["sets"]]
    places = dict.fromkeys(map(_location, batch["runs"]))
    salts = {place: read_salt(read_workbook(place)) for place in places}
    key, seal = _hash_inputs(summary, pages, salts), out / SCRATCH / "share"
    if seal.exists() and seal.read_text("utf-8") == _write_seal(key, out / FOLDER):
        return
    seal.unlink(missing_ok=True)
    figures = [_read_figures(out, each["links"].get("notebook")) for each in summary["sets"]]
    books = _open_workbooks(batch, summary, pages, figures, salts)
    found: dict[int, list[str]] = {}
    sets: list[dict[str, Any]] = []
    with work_folder(out) as work:
        for number, (told, run) in enumerate(zip(summary["sets"], batch["runs"], strict=True)):
            book = books[_location(run)]
            page, shared = _clean(told, pages[number], book)
            folder = _name_folder(told["folder"], run["parameters"], number, book)
            shared["folder"] = folder
            shared["links"] = {"page": f"{folder}/report.html"} if page else {}
            found[number] = _judge(told, shared, page, figures[number], book)
            found[number] += book.find_changed(run) if page else []
            if found[number]:
                shared = _hold_back(shared, number)
            elif page:
                (work / folder).mkdir()
                (work / folder / "report.html").write_text(page, encoding="utf-8")
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
        part.write_text(_write_seal(key, out / FOLDER), encoding="utf-8")


def _read_summary(out: Path) -> dict[str, Any]:
    """Read what the lists say, without what the analyst alone asks: which were made again, why."""
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text("utf-8"))
    sets = [
        {**told, "status": told["outcome"], "reason": "", "not_shared": ""}
        for told in summary["sets"]
    ]
    counts = Counter(told["outcome"] for told in sets)
    return {**summary, "sets": sets, "counts": counts, "sentences": describe_outcomes(sets)}


def _write_seal(key: str, folder: Path) -> str:
    """Write down what was shared and how each file was left: one that was changed is made anew."""
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return json.dumps({"key": key, "files": files})


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
    return "\n".join(map(read_figure, drawn))


def _open_workbooks(
    batch: Mapping[str, Any],
    summary: Mapping[str, Any],
    pages: list[str],
    figures: list[str],
    salts: Mapping[str, bytes],
) -> dict[str, _Workbook]:
    texts: dict[str, list[str]] = {}
    for run, told, page, drawn in zip(batch["runs"], summary["sets"], pages, figures, strict=True):
        said = [read_page(page), drawn, *_list_texts(told), *_list_asked(run["parameters"])]
        texts.setdefault(_location(run), []).extend(said)
    return {place: _Workbook(place, salts[place], said) for place, said in texts.items()}


def _list_texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for each in inner for text in _list_texts(each)]


def _list_asked(parameters: Mapping[str, Any]) -> list[str]:
    values = {name: value for name, value in parameters.items() if name != "workbook"}
    return _list_texts(values) + [str(value) for value in values.values()]


def _hash_inputs(summary: Mapping[str, Any], pages: list[str], salts: Mapping[str, bytes]) -> str:
    from cxlib.installation import hash_installation

    parts = [summary, pages, {place: salt.hex() for place, salt in salts.items()}]
    text = json.dumps([*parts, hash_installation()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _clean(told: Mapping[str, Any], page: str, book: _Workbook) -> tuple[str, dict[str, Any]]:
    """Take ids and small groups out of a page and of what the lists say of it."""
    few = told["min_cell"]
    shared = book.hash_all({**told, "folder": "", "links": {}})
    page = hide_small_counts(hash_page(page, book.ids, book.rename), few)
    page = hide_in_key_figures(page, shared["key_figures"], few)
    for name in ("headline", "advice"):
        shared[name] = hide_sentences(hide_few_rows(shared[name], few), few)
    shared["key_figures"] = [_hide_few(figure, few) for figure in shared["key_figures"]]
    return page, shared


def _hide_few(figure: Mapping[str, Any], min_cell: int) -> dict[str, Any]:
    """Write "under 10" for a count of few; a change of few, or that would tell it, goes."""
    figure, change = dict(figure), figure["change"]
    if change is not None:
        n_before = _N_BEFORE.search(change["why"])
        told = (change["before"], abs(change["difference"] or 0))
        few_before = figure["unit"] == "count" and any(is_few(n, min_cell) for n in told)
        if few_before or (n_before and is_few(n_before[1], min_cell)):
            figure["change"] = None
    if is_small_count(figure, min_cell):
        figure |= {"value": f"under {min_cell}", "change": None}
        figure |= {"conf_low": None, "conf_high": None}
    return figure | {"text": describe_figure(figure)}


def _name_folder(folder: str, parameters: Mapping[str, Any], number: int, book: _Workbook) -> str:
    """Keep the name of a folder unless it, or a parameter it is made from, holds an id."""
    named = any(find_ids(text, book.ids) for text in (folder, *_list_asked(parameters)))
    return f"report-{number + 1:02d}" if named else folder


def _judge(
    told: Mapping[str, Any], shared: Mapping[str, Any], page: str, drawn: str, book: _Workbook
) -> list[str]:
    """Say what keeps a page from being handed round."""
    said = "\n".join(_list_texts({**shared, "links": {}}))
    found = [*map(str, find_personal(read_page(page), book.ids))]
    found += [f"{finding.kind} in its name or figures" for finding in find_personal(said, book.ids)]
    found += [f"{finding.kind} in a figure" for finding in find_personal(drawn, book.ids)]
    for figure in shared["key_figures"]:
        if is_few(figure["n"], told["min_cell"]):
            name = f" '{figure['label']}'"
            name = "" if find_personal(name, book.ids) else name
            found.append(f"the key figure{name} rests on fewer than {told['min_cell']}")
    return found


def _hold_back(shared: Mapping[str, Any], number: int) -> dict[str, Any]:
    name = str(shared["set_name"])
    name = f"Report {number + 1}" if find_personal(name) else name
    empty = {"headline": "", "reason": "", "key_figures": [], "links": {}, "folder": ""}
    why = "This report is held back: it shows what must not be handed round."
    return {
        **shared,
        **empty,
        "set_name": name,
        "name": name,
        "advice": why,
        "held_back": HELD_BACK,
    }


def _count(found: list[str]) -> str:
    return "; ".join(f"{n} × {what}" if n > 1 else what for what, n in Counter(found).items())


def _write_lists(work: Path, summary: dict[str, Any], books: Mapping[str, _Workbook]) -> list[str]:
    """Write index and mail, unless what they say themselves must not be handed round."""
    summary = {**summary, "sentences": describe_outcomes(summary["sets"])}
    if summary["compared"]:
        told = describe_changes(summary["sets"], summary["compared"]["title"])
        summary["compared"] = {**summary["compared"], **told}
    ids = {key: value for book in books.values() for key, value in book.ids.items()}
    problems = []
    for name, text in (("index.html", render_index(summary)), ("mail.html", render_mail(summary))):
        found: list[Finding] = find_personal(read_page(text), ids)
        if found:
            problems.append(f"  {name}: {'; '.join(map(str, found))}")
        else:
            (work / name).write_text(text, encoding="utf-8")
    return problems
