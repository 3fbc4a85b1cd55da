"""Tests of the rule of small counts."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from cxlib.formats import render_table
from cxlib.sharing.small import (
    hide_few_rows,
    hide_in_key_figures,
    hide_small_counts,
)
from tests.batches import make_figure

ONE, FIGURE = "One group of fewer than 10", "The figure is left out here"
SVG = '<figure><figcaption>t</figcaption><img alt="a" src="data:image/svg+xml,x"></figure>'


def write(formats=None, **columns):
    """Write a table as cxlib does."""
    page, _ = render_table(pd.DataFrame(columns), title="t", formats=formats or {})
    return page


def read(page):
    """Read the cells of all tables of a page."""
    return [
        [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[hd]\b.*?</t[hd]>", row)]
        for row in re.findall(r"<tr\b.*?</tr>", page)
    ][1:]


def test_figures_of_small_groups_are_taken_out():
    """The labels stay, the numbers go, the unrounded ones behind them too."""
    table = write(
        group=["A", "B", "C", "D"],
        n=[9, 8, 10, 0],
        share=[0.123456, 0.2, 0.3, None],
        says=list("wxyz"),
    )
    page = hide_small_counts(table, 10)

    assert read(page) == [
        ["A", "under 10", "–", "w"],
        ["B", "under 10", "–", "x"],
        ["C", "10", "0.3", "y"],
        ["D", "0", "–", "z"],
    ]
    assert "0.123456" not in page


@pytest.mark.parametrize(
    "base",
    [
        *("n", "N", "customers", "respondents", "journeys", "n customers", "n_customers", "n_x"),
        *("n at risk", "n employees", "n comments", "n lifetimes", "n frame", "n_respondents"),
    ],
)
@pytest.mark.parametrize("few", [4, 4.0, "4", "4.0"])
def test_a_base_has_many_names_and_forms(base, few):
    """Beside shares that are written as text, too."""
    page = hide_small_counts(
        write(**{"tier": ["a", "b"], base: ["1,234", few], "p": ["41%", "75%"]}), 10
    )

    assert read(page) == [["a", "1,234", "41%"], ["b", "under 10", "–"]]


def test_labels_with_digits_stay():
    """Figures in words do not."""
    page = write(
        group=["A", "B"],
        next=["T07-1 Draft advice on aspect 1", "T03 Send the receipt"],
        says=["mean EUR 310.5 a month", "9 say"],
        n=[4, 5],
    )

    assert read(hide_small_counts(page, 10)) == [
        ["A", "T07-1 Draft advice on aspect 1", "–", "under 10"],
        ["B", "T03 Send the receipt", "–", "under 10"],
    ]


def test_a_base_in_front_is_hidden_too():
    """A row need not begin with its label."""
    page = hide_small_counts(write(n=[300, 4], tier=["std", "vip"], share=[0.4, 0.7]), 10)

    assert read(page) == [["300", "std", "0.4"], ["under 10", "vip", "–"]]


def test_other_counts_of_few_are_hidden_alone():
    """The row rests on enough."""
    page = write(stage=["a", "b"], n=[300, 412], n_open=[3, 0], n_items=[3, 4], share=[0.4, 0.7])

    assert read(hide_small_counts(page, 10)) == [
        ["a", "300", "under 10", "3", "0.4"],
        ["b", "412", "0", "4", "0.7"],
    ]


def test_the_next_smallest_group_goes_with_the_only_small_one():
    """Else 300 in all, less 150 and 142, are 8."""
    page = hide_small_counts(
        write(
            region=["Cork", "Dublin", "Galway", "all"],
            n=[150, 142, 8, 300],
            share=[0.4, 0.5, 0.6, 0.7],
        ),
        10,
    )

    assert read(page) == [
        ["Cork", "150", "0.4"],
        ["Dublin", "not shown", "–"],
        ["Galway", "under 10", "–"],
        ["all", "300", "0.7"],
    ]
    assert ONE in page
    assert hide_small_counts(page, 10) == page  # said and done once
    assert "Rows" not in page


@pytest.mark.parametrize("n", [[150, 8, 7, 300], [8, 300], [8, 0, 300]])
def test_no_other_group_goes_where_it_would_not_help(n):
    """Two small ones hide each other; a total and one group are no secret anyway."""
    page = hide_small_counts(write(region=[str(each) for each in n], n=n, share=[0.5] * len(n)), 10)

    assert ONE not in page
    assert "not shown" not in page


@pytest.mark.parametrize(
    "page",
    [
        write(rule=["no id"], n=[3], example=["row 7"]),
        write(step=["left out"], n=[3], why=["after 2024"]),
        write(item=["a"], n_items=[3], alpha=[0.8]),
        write(table=["a"], n_values=[3], n_without_partner=[3]),
        write(group=["A", "B"], n=["0", "1,009"], share=["–", "1%"]),
        write(table=["events"], rows_in=[3], kept=[2]),
    ],
)
def test_counts_of_rows_and_things_stay(page):
    """A ledger of rows tells nothing about a group, an empty group nothing about anybody."""
    assert hide_small_counts(page, 10) == page


def test_steps_of_a_funnel_are_no_ledger():
    """They have figures."""
    page = hide_small_counts(write(step=["a"], n=[3], share=[0.5]), 10)

    assert read(page) == [["a", "under 10", "–"]]


@pytest.mark.parametrize("n", [[300, 4], [4, 5]])
def test_a_figure_goes_with_what_its_table_hides(n):
    """Also where a cell alone is hidden; the one before it stays."""
    behind = write(tier=["std", "vip"], n=n, share=[0.4, 0.7])
    page = f'{SVG}<p>x</p>{SVG}\n<details class="numbers"><summary>s</summary>{behind}</details>'
    shown = hide_small_counts(page, 10)

    assert shown.count(FIGURE) == 1
    assert shown.startswith(f"{SVG}<p>x</p><figure><figcaption>t</figcaption><p")
    assert shown.count("<img") == 1


def test_a_figure_of_many_stays():
    """And so does one without a table."""
    behind = write(tier=["std", "vip"], n=[300, 40], share=[0.4, 0.7])
    page = f'{SVG}<details class="numbers">{behind}</details>{SVG}'

    assert hide_small_counts(page, 10) == page


def test_a_picture_of_dots_is_left_out():
    """Nobody can search what is written in it."""
    page = '<figure><img alt="a" src="data:image/png;base64,x"></figure>'

    assert "<img" not in hide_small_counts(page, 10)


def test_rows_of_single_customers_are_left_out():
    """Where the notebook says that they are, with the figure drawn from them."""
    table = write(customer=["a"], spent=[310.0]).replace("<table>", '<table data-rows="customers">')
    other = write(tier=["a"], share=[0.5])
    shown = hide_small_counts(f'{SVG}<details class="numbers">{table}</details>{other}', 10)

    assert "Rows of single customers are left out here." in shown
    assert "310" not in shown
    assert FIGURE in shown
    assert shown.endswith(other)


def test_a_set_that_is_too_small_does_not_say_how_small():
    """Unless it is large enough to be told."""
    rest = "; at least 100 are asked for."

    assert hide_few_rows(f"3 rows{rest}", 10) == f"Fewer than 10 rows{rest}"
    assert hide_few_rows(f"1 row{rest}", 10) == f"Fewer than 10 rows{rest}"
    assert hide_few_rows(f"12 rows{rest}", 10) == f"12 rows{rest}"
    assert hide_few_rows(f"1,003 rows{rest}", 10) == f"1,003 rows{rest}"


def test_a_key_figure_that_counts_few_people_does_not_say_how_few():
    """Counts of things and other units stay."""
    labels = ["left & gone", "Themes", "Share", "Many", "None"]
    units = ["count", "number", "share", "count", "count"]
    values = [3, 3, 0.5, 12, 0]
    figures = [
        make_figure(value, label=label, unit=unit)
        for label, unit, value in zip(labels, units, values, strict=True)
    ]
    page = write(**{"key figure": labels, "value": ["3", "3", "50.0%", "12", "0"]})

    assert [row[1] for row in read(hide_in_key_figures(page, figures, 10))] == [
        *("under 10", "3", "50.0%", "12", "0"),
    ]


def test_where_people_went_is_told_without_small_counts():
    """A ledger of people is no group, but neither does it tell of three; one of rows stays."""
    steps = write(step=["churned", "still there"], n_customers=[3, 812], n_lifetimes=[3, 820])
    rows = write(rule=["bad date"], rows=[3], n=[3])

    assert read(hide_small_counts(steps, 10)) == [
        ["churned", "under 10", "under 10"],
        ["still there", "812", "820"],
    ]
    assert hide_small_counts(rows, 10) == rows


def test_sums_that_must_agree_tell_no_small_part():
    """The table of checks prints what the funnel hides."""
    page = write(check=["ended after 'use'", "all"], counted=[4, 1234], expected=[4, 1234])

    assert read(hide_small_counts(page, 10)) == [
        ["ended after &#x27;use&#x27;", "under 10", "under 10"],
        ["all", "1,234", "1,234"],
    ]
