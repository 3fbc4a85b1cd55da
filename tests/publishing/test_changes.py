"""Tests of the comparison with an earlier batch."""

from __future__ import annotations

import pytest

from cxlib.publishing.changes import add_changes
from tests.batches import make_figure, make_run

SPRING = {"period_start": "2026-01-01", "period_end": "2026-03-31"}
SUMMER = {"period_start": "2026-04-01"}


def compare(now, before, **about):
    """Compare one figure of one set in two periods that share no rows."""
    runs = add_changes(
        [make_run("Cork", now, parameters=SUMMER, **about)],
        [make_run("Cork", before, parameters=SPRING)],
    )
    return runs[0]["key_figures"][0]["change"]


def test_the_difference_of_two_shares_has_newcombes_interval():
    """56 of 70 against 48 of 80, Wilson intervals: method 10 of Newcombe (1998), table II, a."""
    now = make_figure(56 / 70, 0.6918336, 0.8769526, unit="share")
    before = make_figure(48 / 80, 0.4904547, 0.7003817, unit="share")

    change = compare(now, before)

    assert change["difference"] == pytest.approx(0.2)
    assert change["conf_low"] == pytest.approx(0.0524, abs=5e-5)
    assert change["conf_high"] == pytest.approx(0.3339, abs=5e-5)


def test_the_test_is_the_z_test_where_intervals_are_even():
    """R: 2 * pnorm(-4 / sqrt((6/qnorm(.975))^2 + (8/qnorm(.95))^2)) is 0.4864098."""
    now, before = make_figure(35, 29, 41), make_figure(31, 23, 39)
    runs = add_changes(
        [make_run("Cork", now, parameters=SUMMER)],
        [make_run("Cork", before, parameters={**SPRING, "conf_level": 0.9})],
    )
    change = runs[0]["key_figures"][0]["change"]

    assert change["p_value"] == pytest.approx(0.4864098, abs=1e-6)
    assert change["verdict"] == "not clearly"


def test_all_tests_of_a_batch_are_one_family():
    """R: p.adjust(2 * pnorm(-c(2.1, 0.5, 0.5)), "BH") is 0.1071865, 0.6170751, 0.6170751."""
    wide = 1.959963984540054 / 2**0.5  # the standard error of a difference is 1
    pairs = [("Cork", 2.1), ("Dublin", 0.5), ("Galway", 0.5)]
    runs = add_changes(
        [
            make_run(name, make_figure(z, z - wide, z + wide), parameters=SUMMER)
            for name, z in pairs
        ],
        [make_run(name, make_figure(0, -wide, wide), parameters=SPRING) for name, _ in pairs],
    )
    changes = [run["key_figures"][0]["change"] for run in runs]

    assert changes[0]["p_value"] < 0.05  # alone it would have moved
    assert [change["q_value"] for change in changes] == pytest.approx(
        [0.1071865, 0.6170751, 0.6170751], abs=1e-6
    )
    assert {change["verdict"] for change in changes} == {"not clearly"}


@pytest.mark.parametrize(
    ("now", "before", "shares"),
    [
        ({}, {}, True),
        ({"period_start": "2026-04-01"}, {"period_end": "2026-03-31"}, False),
        ({"period_start": "2026-03-31"}, {"period_end": "2026-03-31"}, True),
        ({"period_end": "2025-12-31"}, {"period_start": "2026-01-01"}, False),
        ({"period_start": "2026-04-01"}, {"period_start": "2026-01-01"}, True),
        ({"wave": "2026-05"}, {"wave": "2025-05"}, False),
        ({"wave": "2026-05"}, {"wave": "2026-05"}, True),
        ({"wave": ""}, {"wave": "2025-05"}, True),
    ],
)
def test_only_what_shares_no_rows_is_tested(now, before, shares):
    """Periods that do not overlap and waves that differ are tested, else the difference stands."""
    low, high = make_figure(10, 9, 11), make_figure(90, 89, 91)
    runs = add_changes(
        [make_run("Cork", high, parameters=now)], [make_run("Cork", low, parameters=before)]
    )
    change = runs[0]["key_figures"][0]["change"]

    assert change["difference"] == 80
    expected = ("not tested", "the two share rows") if shares else ("moved", "")
    assert (change["verdict"], change["why"]) == expected
    assert (change["p_value"] is None) == shares


@pytest.mark.parametrize(
    ("now", "before", "verdict", "why"),
    [
        ({}, {"label": "NPS of all"}, "not compared", "it was 'NPS of all' before"),
        ({}, {"unit": "share"}, "not compared", "it was 'NPS' before"),
        ({"value": "not reached"}, {}, "not compared", "no number on both sides"),
        ({"value": None}, {}, "not compared", "no number on both sides"),
        ({"conf_high": None}, {}, "not tested", "no interval"),
        ({}, {"conf_low": None, "conf_high": None}, "not tested", "no interval"),
        ({"value": 99.0}, {}, "not tested", "no interval"),
        ({"conf_low": 31.0, "conf_high": 31.0}, {"conf_low": 31.0, "conf_high": 31.0},
         "not tested", "no interval"),
    ],
)  # fmt: skip
def test_what_cannot_be_tested_says_why(now, before, verdict, why):
    """Another figure, no number, or no interval around the value: no test, and the reason."""
    change = compare(make_figure(**now), make_figure(**before))

    assert (change["verdict"], change["why"]) == (verdict, why)
    assert change["q_value"] is None


def test_sets_are_matched_by_what_was_asked():
    """Period, wave, seed and the workbook's place may differ; a set's name need not be the same."""
    now = make_run("Cork", make_figure(30), parameters=SUMMER)
    elsewhere = {**SPRING, "workbook": "/other/cx.yml", "random_state": 7}
    before = [
        make_run("Dublin", make_figure(10), parameters=SPRING),
        make_run("Cork", make_figure(20), parameters=elsewhere, set_name="Spring"),
        make_run("Cork", make_figure(40), parameters=SPRING, notebook="other"),
    ]

    assert add_changes([now], before)[0]["key_figures"][0]["change"]["difference"] == 10


def test_a_set_that_was_asked_differently_is_not_compared():
    """With another parameter a figure of the same name is another figure."""
    now = make_run("Cork", make_figure(), parameters={"horizon_days": 365})
    before = make_run("Cork", make_figure(), parameters={"horizon_days": 180})
    change = add_changes([now], [before])[0]["key_figures"][0]["change"]

    assert change["why"] == "asked differently: horizon_days"
    assert change["difference"] is None


def test_two_candidates_are_none():
    """Of two sets of the earlier batch that fit equally well, neither is taken."""
    before = [
        make_run("Cork", make_figure(), parameters=SPRING, set_name="a"),
        make_run("Cork", make_figure(), parameters=SPRING, set_name="b"),
    ]
    now = make_run("Cork", make_figure(), parameters=SUMMER)

    assert add_changes([now], before)[0]["key_figures"][0]["change"] is None


@pytest.mark.parametrize(
    ("about", "compared"),
    [
        ({"status": "skipped-unchanged", "kept_status": "ok"}, True),
        ({"status": "skipped-unchanged", "kept_status": "too-little-data"}, False),
        ({"status": "failed-cell"}, False),
    ],
)
def test_only_answers_are_compared(about, compared):
    """A run that gave no answer left figures that are not to be trusted."""
    change = compare(make_figure(), make_figure(), **about)

    assert (change is not None) == compared
