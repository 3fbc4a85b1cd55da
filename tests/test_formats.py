"""Tests of how numbers, sources and tables are written for readers."""

from __future__ import annotations

import pandas as pd
import pytest

from cxlib.formats import format_figure, format_interval, render_table, source_name


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1234, "count", "1,234"),
        (2.7, "count", "3"),
        (3, "number", "3"),
        (1234.0, "number", "1,234"),
        (0.1234, "share", "12.3%"),
        (-0.0001, "share", "0.0%"),
        (-0.004, "points", "0.00"),
        (-0.006, "points", "-0.01"),
        (-0.04, "days", "0.0 days"),
        (99.94, "days", "99.9 days"),
        (104.2, "days", "104 days"),
        (-310.5, "EUR", "-310.50 EUR"),
        ("none shown", "count", "none shown"),
        (None, "days", "cannot tell"),
    ],
)
def test_figures_are_rounded_with_their_unit(value, unit, text):
    """To the nearest, and nothing is less than nothing."""
    assert format_figure(value, unit) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (39.2, 45.14, "39.2 to 45.1 days"),
        (95.04, 104.2, "95 to 104 days"),
        (95.04, None, "95.0 to not reached"),
        (-0.04, 1.0, "0.0 to 1.0 days"),
        (None, 3.0, ""),
    ],
)
def test_both_ends_of_an_interval_are_written_alike(low, high, text):
    """A hundred days are written without decimals, and so is the other end."""
    assert format_interval(low, high, "days") == text


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("exports/events.csv", "exports/events.csv"),
        ("./exports/../events.csv", "events.csv"),
        ("exports/*.csv", "exports/*.csv"),
        ("main.events", "main.events"),
        ("/home/ann/events.csv", "events.csv"),
        ("../ann/events.csv", "events.csv"),
        ("./../ann/events.csv", "events.csv"),
        ("data/../../ann/events.csv", "events.csv"),
        ("~/ann/events.csv", "events.csv"),
        ("~ann/events.csv", "events.csv"),
        (r"C:\Users\ann\events.csv", "events.csv"),
        (r"data\..\..\ann\events.csv", "events.csv"),
        ("", ""),
    ],
)
def test_a_source_outside_the_workbook_is_named_without_its_place(source, name):
    """However the path says that it is outside."""
    assert source_name(source) == name


def test_ids_are_written_as_their_table_holds_them():
    """No grouping, no decimals of a column with gaps; a missing one stays missing."""
    table = pd.DataFrame(
        {"customer_id": [10007, 2], "order_id": [1234567.0, None], "who": ["0010", 10008]}
    )
    page, text = render_table(table, title="t", formats={"order_id": "n"}, ids=["who"])

    for cell in ("10007", "1234567", "–", "0010", "10008"):
        assert f" data-id>{cell}</t" in page
        assert cell in text
