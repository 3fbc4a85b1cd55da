"""Tests of what a notebook says."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata

import pandas as pd
import pytest

from cxlib import formats, show
from cxlib.errors import InputError
from cxlib.style import new_axes


@pytest.fixture
def run_folder(tmp_path, monkeypatch):
    """Return the folder of a run that is under way."""
    monkeypatch.setenv("CX_RUN_DIR", str(tmp_path))
    monkeypatch.setattr(show, "_KEY_FIGURES", {})
    return tmp_path


@pytest.fixture
def pages(monkeypatch):
    """Return the HTML of what is displayed, in order; of a figure nothing."""
    shown = []
    monkeypatch.setattr(
        "IPython.display.display", lambda data, **_: shown.append(data.get("text/html", ""))
    )
    return shown


def records(folder):
    """Read what was recorded."""
    return [json.loads(line) for line in (folder / "records.jsonl").read_text("utf-8").splitlines()]


def test_records_are_written_for_the_runner(run_folder, capsys):
    """Headline, key figure and warning; what is not a number becomes null."""
    show.headline("Answer")
    show.record("r", "Rate", float("nan"), conf_low=0.1, n=pd.Series([3]).sum(), unit="share")
    show.warn("careful")

    headline, figure, warning = records(run_folder)
    assert headline == {"kind": "headline", "text": "Answer"}
    assert figure["value"] is None
    assert figure["n"] == 3
    assert warning["text"] == "careful"


def test_without_a_run_nothing_is_written(tmp_path, monkeypatch, capsys):
    """In JupyterLab the same calls only display."""
    monkeypatch.delenv("CX_RUN_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    show.headline("Answer")
    show.save_table("x", pd.DataFrame({"a": [1]}))

    assert list(tmp_path.iterdir()) == []


def test_tables_are_safe_in_a_spreadsheet_and_exact_in_parquet(run_folder):
    """Formulas are disarmed in cells and headers, numbers are not touched, 12 digits kept."""
    table = pd.DataFrame(
        {"=cmd()": ["=1+1", "@x", "-5", "- a", "a"], "v": [1 / 3, -2.0, 1e-20, 5e9, 0.1]}
    )
    show.save_table("x", table)
    text = (run_folder / "tables" / "x.csv").read_text()

    assert text.splitlines()[0] == "'=cmd(),v"
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == [
        "'=1+1",
        "'@x",
        "-5",
        "'- a",
        "a",
    ]
    assert text.splitlines()[1].endswith("0.333333333333")
    assert pd.read_parquet(run_folder / "tables" / "x.parquet").equals(table)
    assert records(run_folder) == [{"kind": "table", "name": "x"}]


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        (";=1+1", ";'=1+1"),
        ("a; =1+1", "a; '=1+1"),
        ('a;"=1+1', "a;\"'=1+1"),
        ("\n=1+1", "\n'=1+1"),
        ("a\r\n@SUM(A1)", "a\r\n'@SUM(A1)"),
        ("\t=1", "\t'=1"),
        ("a\t-b\t+c", "a\t'-b\t'+c"),
        ("＝1+1", "'＝1+1"),
        ("x;＋1", "x;'＋1"),
        ("-1.5", "-1.5"),
        ("-1,5", "-1,5"),
        ("+12%", "+12%"),
        ("a - b = c", "a - b = c"),
        ("late, -2 stars", "late, -2 stars"),
        ("a; b", "a; b"),
    ],
)
def test_no_part_of_a_text_becomes_a_formula(text, safe, run_folder):
    """Spreadsheets of other countries split at a semicolon and read wide signs as plain ones."""
    show.save_table("x", pd.DataFrame({text: [text]}))
    written = (run_folder / "tables" / "x.csv").read_bytes().decode()

    assert list(csv.reader(io.StringIO(written, newline=""))) == [[safe], [safe]]


def test_every_form_of_a_formula_sign_is_known():
    """What compatibility normalisation turns into a sign is one."""
    plain = set("=+-@|%")
    forms = [c for c in map(chr, range(0x110000)) if unicodedata.normalize("NFKC", c) in plain]

    assert len(forms) > len(plain)
    assert all(show._inert(f"{sign}cmd()") == f"'{sign}cmd()" for sign in forms)


def test_table_names_are_plain():
    """A name cannot leave the folder."""
    with pytest.raises(InputError, match="is no table name"):
        show.save_table("../x", pd.DataFrame({"a": [1]}))


def test_tables_are_escaped_and_accessible():
    """Cells, headers and caption are text; headers have a scope; formats are applied."""
    table = pd.DataFrame({"who": ["<script>", None], "share": [0.1234, 0.5], "n": [1234, 5]})
    page, text = formats.render_table(table, title="<b>", formats={"share": "percent", "n": "n"})

    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<caption>&lt;b&gt;</caption>" in page
    assert page.count('scope="col"') == 3
    assert page.count('scope="row"') == 2
    assert "12.3%" in page
    assert "1,234" in page
    assert "–" in text


def test_long_tables_say_that_they_are_cut():
    """Nobody takes the first rows for all."""
    page, _ = formats.render_table(pd.DataFrame({"a": range(30)}), title="t", formats={})

    assert "The first 25 of 30 rows." in page


def test_rounded_numbers_carry_their_value_and_ids_a_mark():
    """A page sorts by the number, not by how it is written, and knows which cells name a person."""
    table = pd.DataFrame(
        {
            "customer_id": ["007", "<b>"],
            "share": [0.123456, None],
            "n": [1234, 5],
            "mixed": pd.Series([-0.5, None], dtype=object),
            "who": ["a", "b"],
        }
    )
    styles = {"share": "percent", "n": "n", "mixed": "percent"}
    page, _ = formats.render_table(table, title="t", formats=styles, ids=["who"])

    assert '<th scope="row" data-id>007</th>' in page
    assert '<th scope="row" data-id>&lt;b&gt;</th>' in page
    assert '<td class="number" data-value="0.123456">12.3%</td>' in page
    assert '<td class="number">–</td>' in page
    assert '<td class="number" data-value="1234">1,234</td>' in page
    assert '<td class="number">5</td>' in page
    assert '<td data-value="-0.5">-50.0%</td>' in page
    assert "<td data-id>b</td>" in page


def test_the_numbers_behind_a_figure_are_given(capsys):
    """A table below the figure, of a long one rows spread evenly; else the saved table's name."""
    ax = new_axes()
    show.show(ax, title="T <b>", alt="a", table=pd.DataFrame({"x": range(101)}), saved="curve")
    told = capsys.readouterr().out
    page, _ = formats.render_table(
        pd.DataFrame({"x": range(101)}), title="t", formats={}, saved="curve", spread=True
    )

    assert page.count("<tr>") == 31
    assert '<th scope="row" class="number">100</th>' in page
    assert "30 of 101 rows, spread evenly. All rows are in the table curve of the run." in page
    assert "T <b>: a" in told


def test_an_empty_table_is_a_table():
    """A table without rows or without columns is shown as it is."""
    page, _ = formats.render_table(pd.DataFrame({"a": []}), title="t", formats={})

    assert "<tbody></tbody>" in page
    formats.render_table(pd.DataFrame(), title="t", formats={})


def test_figures_need_alternative_text():
    """A reader who cannot see the figure is told what it shows."""
    with pytest.raises(InputError, match="no alternative text"):
        show.show(new_axes(), title="x", alt=" ", table=pd.DataFrame({"a": [1]}))


def test_figures_need_the_numbers_they_draw():
    """A reader who cannot see the figure can read its numbers."""
    with pytest.raises(InputError, match="no numbers behind it") as told:
        show.show(new_axes(), title="x", alt="a", saved="curve")
    assert "'table'" in str(told.value)


def test_columns_are_written_as_their_names_say(pages):
    """Shares, counts and p-values need no format; a format that is given holds."""
    table = pd.DataFrame({"n": [1234.0], "open_share": [0.5], "q_value": [1e-9], "share": [0.25]})
    show.show(table, title="t", formats={"share": "0.0"})
    show.show(pd.DataFrame({"n": ["a few"]}), title="t")

    cells = re.findall(r">([^<>]+)</t[hd]>", pages[0])
    assert cells[4:] == ["1,234", "50.0%", "&lt; 0.001", "0.2"]
    assert ">a few</th>" in pages[1]


def test_tables_of_customers_are_marked(pages):
    """The mark is on the table alone, whatever its text says."""
    table = pd.DataFrame({"who": ["<table>"]})
    show.show(table, title="<table>", of_customers=True)
    show.show(table, title="t")
    show.show(new_axes(), title="t", alt="a", table=table, of_customers=True)

    shown = [page for page in pages if page]
    assert [page.count('<table data-rows="customers">') for page in shown] == [1, 0, 1]
    assert [page.count("<table") for page in shown] == [1, 1, 1]


def test_figures_repeat_byte_for_byte():
    """Two drawings of the same table are the same text."""
    from cxlib.style import figure_svg

    def draw():
        ax = new_axes()
        ax.plot([1, 2], [3, 4], label="a")
        ax.legend()
        return figure_svg(ax)

    assert draw() == draw()


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.1234, "share", "12.3%"),
        (1234.0, "count", "1,234"),
        (31.26, "days", "31.3 days"),
        (1260.0, "days", "1,260 days"),
        (None, "share", "cannot tell"),
        ("not reached", "days", "not reached"),
        (0.00001, "p", "< 0.001"),
        (1234.5, "EUR", "1,234.50 EUR"),
    ],
)
def test_key_figures_are_written_for_readers(value, unit, expected):
    """Rounded, with their unit."""
    assert formats.format_figure(value, unit) == expected


def test_intervals_name_their_unit_once():
    """An end that is not reached is said so."""
    assert formats.format_interval(39.2, 45.14, "days") == "39.2 to 45.1 days"
    assert formats.format_interval(0.1, 0.2, "share") == "10.0% to 20.0%"
    assert formats.format_interval(400, None, "days") == "400 to not reached"
    assert formats.format_interval(None, 1.0, "days") == ""


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("exports/a*.csv", "exports/a*.csv"),
        ("/home/jane/a.csv", "a.csv"),
        ("../jane/a.csv", "a.csv"),
        ("C:\\jane\\a.csv", "a.csv"),
        ("~/a.csv", "a.csv"),
        ("schema.answers", "schema.answers"),
    ],
)
def test_sources_are_named_without_their_place(source, name):
    """A page does not tell how the analyst's disk is laid out."""
    assert formats.source_name(source) == name


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (("x", "L", [1, 2]), {}),
        (("x", "L", 10**400), {}),
        (("x", None, 1.0), {}),
        ((1, "L", 1.0), {}),
        (("x", "L", 1.0), {"n": "12"}),
        (("x", "L", 1.0), {"conf_low": "1"}),
        (("x", "L", 1.0), {"unit": None}),
    ],
)
def test_a_key_figure_of_another_kind_is_refused(arguments, about):
    """The cell that records it fails, not the index of the whole batch."""
    with pytest.raises(InputError, match="of a key figure cannot be"):
        show.record(*arguments, **about)
