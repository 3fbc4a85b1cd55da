"""Tests of ids on pages: found however they are written, replaced by codes."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxlib.formats import render_table
from cxlib.sharing.ids import (
    find_ids,
    find_in_tables,
    find_words,
    hash_page,
    hash_text,
    index_ids,
)

IDS = index_ids(
    [
        *("C-1001", "0010007", "10007", "10008", "10009", "ann@example.org"),
        *("IE 12345", "O'Neill-77", "ABC/1001", "user_anna"),
    ]
)


def rename(value):
    """Name an id in a way a test can see."""
    return f"[{value}]"


@pytest.mark.parametrize(
    ("text", "hashed"),
    [
        ("Customer C-1001 left.", "Customer [C-1001] left."),
        ("(C-1001), C-1001; 'C-1001'", "([C-1001]), [C-1001]; '[C-1001]'"),
        ("C-1001/phone and phone:C-1001", "[C-1001]/phone and phone:[C-1001]"),
        ("0010007 and 10007", "[0010007] and [10007]"),
        ("10,007 and 3.10007 and 10007.5 and 10,007.25", None),
        ("XC-1001, C-10012", None),
        ("ann@example.org wrote", "[ann@example.org] wrote"),
        ("c-1001 and C_1001 and C 1001", "[C-1001] and [C-1001] and [C-1001]"),
        ("C\u20111001, C\u200b-1001, C \u2013 1001", "[C-1001], [C-1001], [C-1001]"),
        ("C-1001_2024.pdf and Customer_C-1001", "[C-1001]_2024.pdf and Customer_[C-1001]"),
        ("https://x.org/c/C%2D1001?x=1", "https://x.org/c/[C-1001]?x=1"),
        (
            "IE 12345 and O'Neill-77 and O\u2019Neill-77",
            "[IE 12345] and [O'Neill-77] and [O'Neill-77]",
        ),
        ("ABC/1001, user_anna", "[ABC/1001], [user_anna]"),
        ("10007,10008,10009 and 10007.", "[10007],[10008],[10009] and [10007]."),
        ("customer 10,007 and account #10,008", "customer [10007] and account #[10008]"),
        ("10,007 customers, orders 10,007", None),
        ("user anna, C, 1001; C\n1001", None),
    ],
)
def test_ids_in_running_text_are_whole_words_however_written(text, hashed):
    """Case, signs and spaces do not matter; an id within a word or a number is none."""
    assert hash_text(text, IDS, rename) == (hashed or text)


def test_the_longest_reading_counts_once():
    """An id that begins with another is that one."""
    ids = index_ids(["a-1001-x", "a-1001"])

    assert find_ids("a-1001-x", ids) == [(0, 8, "a-1001-x")]


def test_plain_words_and_short_numbers_are_no_candidates():
    """They cannot be told from what the page says itself."""
    said = find_words("Half of all customers called; 12% of 2024, id A1, A-17, jsmith")

    assert not said & {"half", "customers", "2024", "a-17", "a1", "jsmith", "half-of"}
    assert find_words("see C-1001.") == {"c-1001", "see-c-1001"}
    assert "10007" in find_words("10,007 contacts")


def test_ids_are_looked_up_in_the_columns_of_ids(tmp_path):
    """Whatever their case and signs; other columns and missing values are no ids."""
    path = tmp_path / "e.parquet"
    ids = ["C-1001", None, "IE 12345", "7", "10007"]
    pq.write_table(pa.table({"customer_id": ids, "channel": ["web-10"] * 5}), path)
    words = find_words("c_1001, ie-12345, web-10, 7 of 10,007")

    assert find_in_tables([str(path)], words) == {
        "c-1001": "C-1001",
        "ie-12345": "IE 12345",
        "10007": "10007",
    }


def test_cells_marked_as_ids_are_hashed_whatever_they_hold():
    """Short numbers and plain words too; a missing one stays missing."""
    page = (
        '<tr><th scope="row" data-id>7</th><td class="number" data-id>smith &amp; co</td>'
        "<td data-id>–</td><td>7</td></tr>"
    )

    assert hash_page(page, {}, rename) == (
        '<tr><th scope="row" data-id>[7]</th><td class="number" data-id>[smith & co]</td>'
        "<td data-id>–</td><td>7</td></tr>"
    )


def test_what_a_page_says_aloud_is_hashed_and_what_it_runs_is_not():
    """Alternative texts are text; scripts, styles and addresses are not."""
    page = (
        "<style>.C-1001{}</style><p>C-1001 &lt;b&gt; <b>x</b></p>"
        '<img alt="of C-1001" src="data:C-1001"><script>C-1001</script>'
    )

    assert hash_page(page, IDS, rename) == page.replace("<p>C-1001", "<p>[C-1001]").replace(
        "of C-1001", "of [C-1001]"
    )


def test_a_column_of_whole_numbers_that_are_all_ids_is_hashed():
    """Also where its name does not say so, with the number behind each cell; counts stay."""
    table = pd.DataFrame({"customer": [10007, 10008], "value": [10007, 5], "n": [10007, 10008]})
    page, _ = render_table(table, title="t", formats={})
    shared = hash_page(page, IDS, lambda value: f"code {value[-1]}")

    assert ">code 7</th>" in shared
    assert ">code 8</th>" in shared
    assert shared.count('data-value="10007"') == 2  # of value and n
    assert shared.count(">10,007<") == 2


def test_an_id_has_one_code_in_whatever_column():
    """A number in a column of ids, one with gaps, a text: the same customer, the same code."""
    said = []
    for ids in ([10007], [10007.0, None], ["10007"]):
        page, text = render_table(pd.DataFrame({"customer_id": ids}), title="t", formats={})
        said.append(hash_page(page, {}, rename).partition("<tbody>")[2].partition("</th>")[0])
        assert "10007" in text

    assert [cell.rpartition(">")[2] for cell in said] == ["[10007]"] * 3


def test_a_heading_that_names_an_id_gets_another_anchor():
    """The list of contents still leads there."""
    page = (
        '<section aria-labelledby="of-c-1001-more"><h2 id="of-c-1001-more">Of C-1001, more</h2>'
        '<a href="#of-c-1001-more">x</a></section><h2 id="fine">y</h2>'
    )

    assert hash_page(page, IDS, rename) == (
        '<section aria-labelledby="part-1"><h2 id="part-1">Of [C-1001], more</h2>'
        '<a href="#part-1">x</a></section><h2 id="fine">y</h2>'
    )
