"""What a notebook says: figures, tables, sentences and key figures, for Lab and for a run.

With ``CX_RUN_DIR`` set, everything is also written down there for the runner; without it, it is
only displayed. Text that comes from data is escaped here, once.
"""

from __future__ import annotations

import html
import json
import math
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlib.errors import InputError
from cxlib.files import whole_file
from cxlib.formats import format_figure, format_interval, render_table, source_name
from cxlib.installation import versions

if TYPE_CHECKING:
    from cxlib.data.connect import Tables
    from cxlib.style import Axes

_KEY_FIGURES: dict[str, dict[str, Any]] = {}
# what begins a formula where a cell may begin: at the start, or after what a spreadsheet of another
# country splits at; some read a sign in wide or small form as the plain one
_WIDE_SIGNS = r"\u207a\u207c\u208a\u208c\ufb29\ufe62\ufe63\ufe66\ufe6a\ufe6b"
_WIDE_SIGNS += r"\uff05\uff0b\uff0d\uff1d\uff20\uff5c"
_FORMULA = re.compile(
    rf'(^|[;\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029])([\s"]*)(?=[=+\-@|%{_WIDE_SIGNS}])'
)
_PLAIN_NUMBER = re.compile(r"^[+-]?[\d.,]+(?:[eE][+-]?\d+)?%?$")
_TABLE_NAME = re.compile(r"[a-z][a-z0-9_]*")


def headline(text: str) -> None:
    """Show the answer: one to three plain sentences rendered from results.

    Parameters
    ----------
    text : str
        Plain text.
    """
    _KEY_FIGURES.clear()  # a new answer, with figures of its own
    _write({"kind": "headline", "text": text})
    _display(f'<p class="headline">{html.escape(text)}</p>', text)


def say(text: str) -> None:
    """Show a finding.

    Parameters
    ----------
    text : str
        Plain text.
    """
    _display(f'<p class="finding">{html.escape(text)}</p>', text)


def warn(text: str) -> None:
    """Show a warning: the result is right, but the reader must know something.

    Parameters
    ----------
    text : str
        Plain text.
    """
    _write({"kind": "warning", "text": text})
    _display(f'<p class="warning"><strong>Note:</strong> {html.escape(text)}</p>', f"Note: {text}")


def record(
    id: str,  # the name the run record uses
    label: str,
    value: float | int | str | None,
    *,
    conf_low: float | None = None,
    conf_high: float | None = None,
    n: int | None = None,
    unit: str = "",
) -> None:
    """Record a key figure of the run.

    Parameters
    ----------
    id : str
        Stable identifier, such as ``"survival_12m"``.
    label : str
        What it is called on the page.
    value : float, int, str or None
        The figure; None or NaN when it cannot be told.
    conf_low, conf_high : float, optional
        Its interval.
    n : int, optional
        How many it rests on.
    unit : str, default ""
        ``share``, ``days``, ``points``, ``p`` or a currency; ``count`` of people and of what they
        did (journeys, contacts, answers), which pages that are handed round do not tell when it
        is small; ``number`` of things (tables, themes, rows).

    Raises
    ------
    InputError
        When a part is of another kind: every list of reports would stumble over it.
    """
    figure = {
        "id": id,
        "label": label,
        "value": _plain(value),
        "conf_low": _plain(conf_low),
        "conf_high": _plain(conf_high),
        "n": _plain(n),
        "unit": unit,
    }
    _check_figure(figure)
    _KEY_FIGURES[id] = figure
    _write({"kind": "key_figure", **figure})


def _check_figure(figure: Mapping[str, Any]) -> None:
    words = {"id": (str,), "label": (str,), "unit": (str,), "value": (int, float, str, NoneType)}
    for name, value in figure.items():
        kinds = words.get(name, (int, float, NoneType))
        if not isinstance(value, kinds) or (isinstance(value, int) and abs(value) > 2**63):
            problem = f"The {name} of a key figure cannot be {str(value)[:40]!r}."
            fix = "record() takes one number, plain text or None as value, text as id and label"
            raise InputError(problem, f"record({str(figure['id'])[:40]!r}, ...)", fix)


def show_key_figures() -> None:
    """Show the key figures recorded so far, rounded for a reader."""
    rows = []
    for figure in _KEY_FIGURES.values():
        unit, low, high = figure["unit"], figure["conf_low"], figure["conf_high"]
        interval = format_interval(low, high, unit)
        n = "" if figure["n"] is None else f"{figure['n']:,}"
        rows.append((figure["label"], format_figure(figure["value"], unit), interval, n))
    table = pd.DataFrame(rows, columns=["key figure", "value", "interval", "n"])
    told = [column for column in table.columns if (table[column] != "").any()]
    show(table[told], title="Key figures")


def show(
    what: Axes | pd.DataFrame,
    *,
    title: str,
    alt: str = "",
    table: pd.DataFrame | None = None,
    saved: str = "",
    formats: Mapping[str, str] | None = None,
    ids: Collection[str] = (),
    of_customers: bool = False,
) -> None:
    """Show a figure or a table.

    Parameters
    ----------
    what : matplotlib Axes or pandas.DataFrame
        The figure the axes belong to, or a table of which the first 25 rows are shown.
    title : str
        What it shows, in a few words.
    alt : str, default ""
        For a figure, required: what a reader who cannot see it should know.
    table : pandas.DataFrame, optional
        For a figure, required: the numbers it is drawn from, which a reader can open below it; of
        more than 30 rows, 30 spread evenly.
    saved : str, default ""
        Name under which :func:`save_table` keeps all the numbers.
    formats : mapping of str to str, optional
        ``"percent"``, ``"n"``, ``"p"`` or a number of decimals such as ``"0.00"``, by column.
        Columns whose names say that they are shares, counts or p-values need none.
    ids : collection of str, default ()
        Columns that name a person, beside those whose name ends in ``_id``: pages that are handed
        round show a code in their place.
    of_customers : bool, default False
        Each row of the table is one customer, respondent or journey: pages that are handed round
        leave the table out.

    Raises
    ------
    InputError
        When a figure has no ``alt`` or no ``table``.
    """
    rows = what if isinstance(what, pd.DataFrame) else table
    styles = {**_usual_formats(rows), **(formats or {})} if rows is not None else {}
    written: dict[str, Any] = {"formats": styles, "ids": ids, "saved": saved}
    if isinstance(what, pd.DataFrame):
        page, text = render_table(what, title=title, **written)
        _display(_mark_rows(page, of_customers), text)
        return
    if not alt.strip():
        raise InputError(
            f"The figure '{title}' has no alternative text.", "show(...)", "say it in 'alt'"
        )
    if table is None:
        raise InputError(
            f"The figure '{title}' has no numbers behind it.",
            "show(...)",
            "give the table it draws in 'table'",
        )
    from cxlib.style import figure_svg

    _display_figure(figure_svg(what), title, alt)
    page, text = render_table(table, title=title, spread=True, **written)
    summary = f"<summary>Numbers behind the figure: {html.escape(title)}</summary>"
    page = _mark_rows(page, of_customers)
    _display(f'<details class="numbers">{summary}{page}</details>', text)


def save_table(name: str, table: pd.DataFrame) -> None:
    """Save a full table of the run as CSV and Parquet.

    Parameters
    ----------
    name : str
        Lower-case name of the table.
    table : pandas.DataFrame
        Its rows.

    Raises
    ------
    InputError
        When the name is no plain name.

    Notes
    -----
    CSV holds 12 significant digits. A text cell or header that a spreadsheet would run as a
    formula gets an apostrophe before the sign that would start it, also after a semicolon, a tab
    or a line break, at which spreadsheets may split; numbers never do. Parquet holds the values as
    they are.
    """
    if not _TABLE_NAME.fullmatch(name):
        raise InputError(f"'{name}' is no table name.", "save_table", "use a-z, 0-9 and _")
    folder = _run_folder()
    if folder is None:
        return
    tables = folder / "tables"
    tables.mkdir(exist_ok=True)
    safe = table.rename(columns=lambda column: _inert(str(column)))
    for i, column in enumerate(table.columns):
        if not pd.api.types.is_numeric_dtype(table[column]):
            safe.isetitem(i, table[column].map(_inert))
    with whole_file(tables / f"{name}.csv") as part:
        safe.to_csv(part, index=False, float_format="%.12g")
    with whole_file(tables / f"{name}.parquet") as part:
        table.to_parquet(part, index=False)
    _write({"kind": "table", "name": name})


def provenance(tables: Tables) -> None:
    """Show what the page rests on: sources, rows, versions.

    Parameters
    ----------
    tables : Tables
        The opened workbook.
    """
    rows = [
        (
            *(e.table, source_name(e.source), e.sha256[:12]),
            *(e.rows_in, e.rows_kept, e.rows_changed, e.rows_refused),
        )
        for e in tables.entries
    ]
    columns = ["table", "source", "sha256", "rows in", "kept", "changed", "refused"]
    counts = dict.fromkeys(columns[3:], "n")
    show(pd.DataFrame(rows, columns=columns), title="Sources", formats=counts)
    listed = ", ".join(f"{name} {version}" for name, version in versions().items())
    text = f"{tables.name}, data up to {tables.as_of}. Made with {listed}."
    _display(f'<p class="meta">{html.escape(text)}</p>', text)


def show_exclusions(tables: Tables, *names: str) -> None:
    """Show which rows were refused or mended before the analysis, and why.

    Parameters
    ----------
    tables : Tables
        The opened workbook.
    *names : str
        Tables the page rests on; default all.
    """
    entries = [entry for entry in tables.entries if not names or entry.table in names]
    ledger = tables.ledger
    ledger = ledger[ledger["table"].isin([e.table for e in entries]) & (ledger["rule"] != "")]
    for entry in entries:
        say(
            f"{entry.table}: {entry.rows_in:,} rows in, {entry.rows_kept:,} kept "
            f"({entry.rows_changed:,} with a mended cell), {entry.rows_refused:,} refused."
        )
    if len(ledger):
        columns = ["table", "rule", "n", "example"]
        show(ledger[columns], title="Rows refused or mended, by rule", formats={"n": "n"})


def _plain(value: Any) -> Any:
    """Turn numpy scalars into plain ones; what is not a number becomes None."""
    if value is None or isinstance(value, str):
        return value
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _usual_formats(table: pd.DataFrame) -> dict[str, str]:
    """Tell how columns are written whose names say what they hold."""
    styles = {}
    for column in table.select_dtypes("number").columns:
        name = str(column)
        if name == "n" or name.startswith("n_"):
            styles[name] = "n"
        elif name == "share" or name.endswith("_share"):
            styles[name] = "percent"
        elif name.endswith(("p_value", "q_value")):
            styles[name] = "p"
    return styles


def _mark_rows(page: str, of_customers: bool) -> str:
    """Mark a table of single customers; all text in it is escaped, so the first tag is its own."""
    return page.replace("<table>", '<table data-rows="customers">', 1) if of_customers else page


def _inert(value: Any) -> Any:
    if isinstance(value, str) and not _PLAIN_NUMBER.match(value):
        return _FORMULA.sub(r"\1\2'", value)
    return value


def _run_folder() -> Path | None:
    folder = os.environ.get("CX_RUN_DIR")
    return Path(folder) if folder else None


def _write(entry: dict[str, Any]) -> None:
    folder = _run_folder()
    if folder is not None:
        with (folder / "records.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def _display(page: str, text: str) -> None:
    from IPython.display import display

    data = {"text/html": page, "text/plain": text}
    # the mark tells the page that everything in the HTML is escaped
    display(data, raw=True, metadata={"text/html": {"cxlib": True}})


def _display_figure(svg: str, title: str, alt: str) -> None:
    from IPython.display import display

    display(
        {"image/svg+xml": svg, "text/plain": f"{title}: {alt}"},
        raw=True,
        metadata={"image/svg+xml": {"title": title, "alt": alt}},
    )
