"""Tests of sentences that count few people."""

from __future__ import annotations

import html
import re
from pathlib import Path

import nbformat
import pytest

from cxlib.sharing.sentences import hide_in_texts, hide_sentences

NOTE = "(A sentence about fewer than 10 is left out here.)"
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize(
    "sentence",
    [
        "Only 3 of 4 vip customers in Cork left",
        "7 of 1,266 respondents look careless",
        "3 of 4 left",
        "0 of 4 left",
        "vip 75% (n 4)",
        "vip 75% (3 to 95%, n = 4)",
        "1 customer left",
        "9 new customers came",
        "0.0% of 1 journeys make it within 7 days",
        "It rests on 2 respondents",
        "86% of employees (77% to 91%, 9 employees) say so",
        "12,345 contacts of 9 customers",
    ],
)
def test_a_sentence_that_counts_few_people_is_left_out(sentence):
    """The ones around it stay."""
    for text in (f"Before. {sentence}. After 7 days.", f"Before; {sentence}; After 7 days."):
        shown = hide_sentences(text, 10)
        assert NOTE in shown
        assert sentence not in shown
        assert shown.startswith("Before")
        assert shown.endswith("After 7 days.")


@pytest.mark.parametrize(
    "text",
    [
        "By touchpoint, 1 of 3 lie below the minimum, 1 inside; 1 of 3 touchpoints above.",
        "By stage, 4 of 4 clearly fall short and 0 clearly exceed expectation.",
        "Employees overrate 4 of 16 items by more than 0.6 points.",
        "Within 2 days 10 customers came back; 8 themes were found.",
        "Customers walk 4 kinds of journey (3,378 customers).",
        "The risk is 2.5 of 100 customers a month, later 2 of 100 new customers a month.",
        "Of 100 new customers, about 79 (71-86) are still here; 1,003 customers came.",
        "They put it on rank 5 of 5; n 12, n = 1,234, n 0.",
        "10 of 12 customers left.",
        "0 customers left; 0 of 40 customers left.",
        "0.5 customers, 3.2 journeys a customer, on average.",
        "No group of health changed (12 comparisons, false discovery rate 5%).",
        "NPS is +2 (95% interval -3 to +7), 412 answers.",
        "No 3 ages at which customers left hold it; 3 at which customers left.",
        "In wave 3 respondents were happier; Group 5 respondents too.",
        "On 3 November customers wrote; it costs EUR 4 a customer.",
        "It has 4 of 5 stars, on 1 of 2 pages.",
    ],
)
def test_counts_of_things_and_of_many_stay(text):
    """Nothing is lost that tells of no small group."""
    assert hide_sentences(text, 10) == text


def test_what_goes_on_after_a_clause_goes_with_it():
    """The mean of four customers is no less about them."""
    text = "Only 3 of 4 customers left; mean value EUR 310. Others stay."

    assert hide_sentences(text, 10) == f"{NOTE} Others stay."


def test_sentences_are_cut_outside_brackets_and_numbers():
    """What a bracket belongs to goes with it; two remarks in a row are one."""
    text = "Half left after 3.5 days (n 412; 4 customers. Of these 2) in all. 2 customers. Fine. "

    assert hide_sentences(text, 10) == f"{NOTE} Fine."
    assert hide_sentences("3 customers (left. Fine. And so on.", 10) == NOTE  # never closed


def test_the_smallest_group_is_that_of_the_page():
    """Nothing is small where nothing is asked for."""
    assert hide_sentences("19 customers left.", 20).startswith("(A sentence about fewer than 20")
    assert hide_sentences("1 customer left.", 1) == "1 customer left."


def test_wherever_a_page_says_it():
    """Paragraphs with emphasis, lists, cells, captions and alternative texts; scripts stay."""
    page = (
        "<p><b>3</b> customers &amp; more left. Fine &amp; good.</p><li>4 customers</li>"
        '<img alt="4 customers. A" src="data:4 customers"><script>4 customers</script><p>5</p> x'
    )

    assert hide_in_texts(page, 10) == (
        f"<p>{NOTE} Fine &amp; good.</p><li>{NOTE}</li>"
        f'<img alt="{NOTE} A" src="data:4 customers"><script>4 customers</script><p>5</p> x'
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_samples_lose_no_sentence(path):
    """They tell of thousands: what would be left out would be about things."""
    for cell in nbformat.read(path, as_version=4).cells:
        outputs = [
            output.get("data", {}).get("text/html", "") for output in cell.get("outputs", [])
        ]
        for said in (cell.source if cell.cell_type == "markdown" else "", *outputs):
            text = html.unescape(re.sub(r"<[^>]*>", "\n", said))
            lost = [line for line in text.split("\n") if hide_sentences(line, 10) != line]
            assert lost == []
