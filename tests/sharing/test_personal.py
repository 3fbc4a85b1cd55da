"""Tests of the search for personal data on finished pages."""

from __future__ import annotations

import time
from pathlib import Path

import nbformat
import pytest

from cxlib.publishing.report import render_report
from cxlib.sharing.ids import index_ids
from cxlib.sharing.personal import find_personal, read_figure, read_page
from cxlib.style import figure_svg, new_axes
from cxlib.workbook import read_workbook
from tests.batches import make_run

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to ann.o'neill@example.org", "an e-mail address"),
        ("jürgen@müller.example", "an e-mail address"),
        ("+353 87 123 4567", "a phone number"),
        ("+353 (0)87 123-4567", "a phone number"),
        ("+353871234567", "a phone number"),
        ("00353 87 1234567", "a phone number"),
        ("+33.1.23.45.67.89", "a phone number"),
        ("+49 30/1234567", "a phone number"),
        ("+1 212 555 0123", "a phone number"),
        ("087 123 4567", "a phone number"),
        ("087-1234567", "a phone number"),
        ("(01) 234 5678", "a phone number"),
        ("030/1234567", "a phone number"),
        ("01 23 45 67 89", "a phone number"),
        ("01.23.45.67.89", "a phone number"),
        ("0871234567", "a phone number"),
        ("call 0871234567.", "a phone number"),
        ("(212) 555-0123", "a phone number"),
        ("212-555-0123", "a phone number"),
        ("1-212-555-0123", "a phone number"),
        ("IE29 AIBK 9311 5212 3456 78", "a bank account"),
        ("DE89370400440532013000", "a bank account"),
        ("4111 1111 1111 1111", "a card number"),
        ("5500-0000-0000-0004", "a card number"),
        ("378282246310005", "a card number"),
        ("ann@localhost.example", "an e-mail address"),
        ("ann @ example.org", "an e-mail address"),
        ("ann (at) example.org", "an e-mail address"),
        ("ann[at]example[dot]org", "an e-mail address"),
        ("ann%40example.org", "an e-mail address"),
        ("ann\uff20example.org", "an e-mail address"),
        ("+353\u00a087\u00a0123\u00a04567", "a phone number"),
        ("+353\u202f87\u202f123\u202f4567", "a phone number"),
        ("\uff0b353871234567", "a phone number"),
        ("087\u2013123\u20134567", "a phone number"),
        ("+353\u2011871234567", "a phone number"),
        ("00 353 87 123 4567", "a phone number"),
        ("030 / 123 45 67", "a phone number"),
        ("+49 30 / 1234567", "a phone number"),
        ("(0)87 123 4567", "a phone number"),
        ("087.123.4567", "a phone number"),
        ("212 555 0123", "a phone number"),
        ("ie29aibk93115212345678", "a bank account"),
        ("IE29-AIBK-9311-5212-3456-78", "a bank account"),
        ("IE29\u00a0AIBK\u00a09311\u00a05212\u00a03456\u00a078", "a bank account"),
        ("ES91 2100 0418 4502 0005 1332", "a bank account"),
        ("4111.1111.1111.1111", "a card number"),
        ("4111\u00a01111\u00a01111\u00a01111", "a card number"),
        ("2221 0000 0000 0009", "a card number"),
    ],
)
def test_what_belongs_to_a_person_is_found(text, kind):
    """Each in the forms people write it, alone and within a sentence."""
    for said in (text, f"Please reach me: {text}, thanks", f"It is {text} here"):
        assert [finding.kind for finding in find_personal(said)] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "2024-12-31 to 2025-01-31",
        "2026-05-03T08:00:00+00:00 and 2026-05-03 08:00",
        "31.12.2024, 01/02/2025 and 01-02-2025 at 08:15:30",
        "1,234,567 customers, 12 345 678 contacts",
        "EUR 1,299.00 and 1.299,00 €",
        "0.123 0.456 0.789 0.012",
        "+12.5 -3.25 0.125 points, +4 (0.1 to 0.5)",
        "p 0.05, 0.001 and 0.0001",
        "n 412 of 1103, 2024 and 2025",
        "0010007 and 00912345",
        "sha256 4f1e2d3c5b6a79880123456789abcdef0123456789",
        "4111 1111 1111 1112",  # fails the check digit
        "DE89370400440532013001",
        "version 1.26.4, 2.4.1 and 0.11.0",
        "a@b and 5 @ 3",
        "10-19, 020-029, 100-199",
        "day 0 30 60 90 120 150 180 210",
        "https://example.org/0/12",
        "ISBN 978-3-16-148410-0",
        "4111.1111.1111.1112",
        "be12345678901234 and in12 cdef 0123 4567 89ab",  # like a hash, like words
        "2024 2025 2026, 412 365 2024 12, 120 150 1800",
        "0.647\u20130.919, 0\u2013365 days, 2010\u20132024",
    ],
)
def test_numbers_of_a_report_are_no_personal_data(text):
    """Dates, prices, intervals, hashes, versions and counts pass."""
    assert find_personal(text) == []


def test_cells_of_a_table_are_not_read_together():
    """Numbers side by side are no phone number; one written in two styles is."""
    assert find_personal(read_page("<td>087</td><td>123</td><td>4567</td>")) == []
    assert len(find_personal(read_page("<p><b>087</b> 123 4567</p>"))) == 1


def test_attributes_are_read_and_pictures_are_not():
    """What is spoken and linked counts."""
    page = (
        '<img alt="ann@example.org" src="data:bob@example.org"><a href="mailto:c@example.org">c</a>'
    )

    assert len(find_personal(read_page(page))) == 2


def test_links_are_read_as_what_they_lead_to():
    """A sign that a link writes as a number is that sign."""
    page = '<a href="mailto:ann%40example.org">x</a><a href="https://x.org/C%2D1001">y</a>'

    assert [f.kind for f in find_personal(read_page(page), index_ids(["C-1001"]))] == [
        "an e-mail address",
        "an id",
    ]


def test_ids_that_are_left_are_found():
    """Wherever they stand, as whole words."""
    page = '<p>XC-1001</p><p>C-1001</p><a href="#of-C-1001">x</a><img alt="C-1001">'

    assert [f.kind for f in find_personal(read_page(page), index_ids(["C-1001"]))] == ["an id"] * 3


@pytest.mark.parametrize("letters", ["a", "a.", "0", "00 ", "+1 ", "DE89 ", "a@", "(", "4111 "])
def test_the_time_it_takes_grows_with_the_text(letters):
    """Eight times the letters do not take 64 times as long, whatever they are."""

    def measure(n):
        """Take the shortest of three times."""
        text = letters * (n // len(letters))
        times = []
        for _ in range(3):
            start = time.perf_counter()
            find_personal(text)
            times.append(time.perf_counter() - start)
        return min(times)

    assert measure(400_000) < 32 * measure(50_000)


def draw(*labels):
    """Draw bars with labels, as cxlib shows them."""
    ax = new_axes()
    ax.barh(labels, range(1, len(labels) + 1))
    return ax


@pytest.mark.parametrize(
    ("label", "kinds"),
    [
        ("C-1001", {"an id"}),
        ("C-\n1001", {"an id"}),
        ("C &\n1001 & 0871234567", {"a phone number"}),
        ("ann.oneill@\nexample.org", {"an e-mail address"}),
        ("write to\nann@example.org", {"an e-mail address"}),
        ("Cork", set()),
    ],
)
def test_labels_of_a_figure_are_read(label, kinds):
    """Where letters are drawn as curves, and where a label is wrapped within a word."""
    text = read_figure(figure_svg(draw(label, "Dublin")))

    assert {f.kind for f in find_personal(text, index_ids(["C-1001"]))} == kinds
    assert "Dublin" in text.split("\n")


def test_names_and_links_within_a_figure_are_read():
    """What matplotlib calls a gid and a URL."""
    ax = draw("x")
    ax.patches[0].set_gid("C-1001")
    ax.patches[0].set_url("mailto:ann%40example.org")
    found = find_personal(read_figure(figure_svg(ax)), index_ids(["C-1001"]))

    assert [finding.kind for finding in found] == ["an id", "an e-mail address"]


def test_figures_of_others_are_read():
    """Text that is text, in one piece or several, escaped or not."""
    svg = (
        '<svg aria-label="C-1001"><title>ann&#64;example.org</title>'
        "<text>087 <tspan>123 4567</tspan></text><style>.a{}</style></svg>"
    )

    assert {f.kind for f in find_personal(read_figure(svg), index_ids(["C-1001"]))} == {
        "an id",
        "an e-mail address",
        "a phone number",
    }


def test_the_place_is_the_heading_before_and_never_the_value():
    """A heading that holds what was found is not said."""
    page = "<h2>Comments</h2><p>ann@example.org</p><h2>bob@example.org</h2><p>c@example.org</p>"
    told = [str(finding) for finding in find_personal(read_page(page))]

    assert told == ["an e-mail address under 'Comments'", "an e-mail address", "an e-mail address"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_pages_of_the_samples_hold_nothing_personal(path):
    """No number, date, price or hash of a real page is taken for somebody's."""
    run = make_run(notebook=path.stem)
    page = render_report(nbformat.read(path, as_version=4), run, read_workbook("samples"))

    assert find_personal(read_page(page)) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_figures_of_the_samples_hold_nothing_personal(path):
    """What is written at axes and bars is read, and is no number of anybody."""
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            if svg := output.get("data", {}).get("image/svg+xml"):
                text = read_figure(svg)
                assert len(text.split()) > 5
                assert find_personal(text) == []
