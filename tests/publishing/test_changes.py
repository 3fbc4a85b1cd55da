"""Tests of the comparison with an earlier batch."""

from __future__ import annotations

import numpy as np
import pytest

from cxlib.publishing.changes import add_changes
from cxlib.publishing.wording import LENGTHS
from tests.batches import make_figure, make_run

SPRING = {"period_start": "2026-01-01", "period_end": "2026-03-31"}
SUMMER = {"period_start": "2026-04-01", "period_end": "2026-06-30"}
YEARS = (
    {"period_start": "2025-01-01", "period_end": "2025-12-31"},
    {
        "period_start": "2024-01-01",
        "period_end": "2024-12-31",
    },
)


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
    now, before = make_figure(35, 29, 41, n=None), make_figure(31, 23, 39, n=None)
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
            make_run(name, make_figure(z, z - wide, z + wide, n=None), parameters=SUMMER)
            for name, z in pairs
        ],
        [
            make_run(name, make_figure(0, -wide, wide, n=None), parameters=SPRING)
            for name, _ in pairs
        ],
    )
    changes = [run["key_figures"][0]["change"] for run in runs]

    assert changes[0]["p_value"] < 0.05  # alone it would have moved
    assert [change["q_value"] for change in changes] == pytest.approx(
        [0.1071865, 0.6170751, 0.6170751], abs=1e-6
    )
    assert {change["verdict"] for change in changes} == {"not clearly"}


def test_welch_tests_means_of_known_n():
    """R: t.test(rep(c(1:9, 40), 2), rep(seq(5, 23, 2), 2)), n 20 each.

    t = -1.962376, df = 28.98267, p = 0.05938336, interval -11.23236 to 0.2323636.
    """
    values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 40] * 2, list(range(5, 25, 2)) * 2
    now, before = (make_mean(np.array(each, float)) for each in values)

    change = compare(now, before)

    assert (change["conf_low"], change["conf_high"]) == pytest.approx(
        (-11.23236, 0.2323636), abs=1e-5
    )
    assert change["p_value"] == pytest.approx(0.05938336, abs=1e-7)


def make_mean(values):
    """Make the figure of a mean with its t interval, as R's t.test gives it."""
    from scipy import stats

    n, mean = len(values), values.mean()
    half = stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / n**0.5
    return make_figure(mean, mean - half, mean + half, n=n)


@pytest.mark.parametrize("n", [20, 50])
def test_small_sets_do_not_move_by_chance(n):
    """Of 100 batches of 40 skewed ratings that did not change, at most 7 have one that moved.

    Ratings from 1 to 7, most of them 6 and 7, against 1,000; by the normal distribution it would
    be about 30 (n = 20) and 14 (n = 50) of 100.
    """
    rng, shares = np.random.default_rng(n), [0.02, 0.03, 0.05, 0.10, 0.20, 0.30, 0.30]
    n_false = 0
    for _ in range(100):
        ratings = [[rng.choice(7, size, p=shares) + 1.0 for _ in range(40)] for size in (n, 1000)]
        now, before = (
            [make_mean(each) | {"id": str(place)} for place, each in enumerate(some)]
            for some in ratings
        )
        (run,) = add_changes(
            [make_run("Cork", *now, parameters=SUMMER)],
            [make_run("Cork", *before, parameters=SPRING)],
        )
        n_false += any(figure["change"]["verdict"] == "moved" for figure in run["key_figures"])

    assert n_false <= 7


def test_a_smaller_set_varies_no_less_than_the_larger():
    """By hand: n 25 with half the spread of n 100, whose standard error is 1, counts as 2."""
    from scipy import stats

    t_small, t_large = stats.t.ppf(0.975, 24), stats.t.ppf(0.975, 99)
    small = make_figure(10, 10 - t_small, 10 + t_small, n=25)
    large = make_figure(6, 6 - t_large, 6 + t_large, n=100)
    freedom = 25 / (4**2 / 24 + 1 / 99)

    for now, before in ((small, large), (large, small)):
        p_value = compare(now, before)["p_value"]
        assert p_value == pytest.approx(2 * stats.t.sf(4 / 5**0.5, freedom))


def test_few_are_not_tested():
    """From n 20 on both sides; where n is not known, the interval is believed."""
    few = compare(make_figure(n=12), make_figure(n=412))

    assert (few["verdict"], few["why"]) == ("not tested", "too few (n 12)")
    assert few["p_value"] is None
    assert compare(make_figure(n=20), make_figure(n=None))["verdict"] == "not clearly"


@pytest.mark.parametrize(
    ("now", "before", "why"),
    [
        ({}, {}, "the two share rows"),
        (SUMMER, SPRING, ""),
        (SUMMER, SPRING | {"period_end": "2026-04-01"}, "the two share rows"),
        (SPRING, SUMMER, ""),
        (*YEARS, ""),
        ({"period_end": "2025-12-31"}, {"period_end": "2026-03-31"}, "the two share rows"),
        ({"wave": "2026-05"}, {"wave": "2025-05"}, ""),
        ({"wave": "2026-05"}, {"wave": "2026-05"}, "the two share rows"),
        ({"wave": ""}, {"wave": "2025-05"}, "the two share rows"),
        # an open end is the last day of the data, 15 July
        ({"period_start": "2026-07-01"},
         {"period_start": "2026-06-16", "period_end": "2026-06-30"}, ""),
        ({"period_start": "2026-07-01"}, SPRING, "periods of different length"),
        (SUMMER | {"period_end": "2026-04-30"}, SPRING, "periods of different length"),
        (SUMMER, {"period_end": "2026-03-31"}, "periods of different length"),
        (SUMMER, {}, "periods of different length"),
        (SUMMER | {"wave": "b"}, {"wave": "a"}, "periods of different length"),
        # January and February
        ({"period_start": "2026-02-01", "period_end": "2026-02-28"},
         {"period_start": "2026-01-01", "period_end": "2026-01-31"}, ""),
    ],
)  # fmt: skip
def test_only_equal_periods_without_shared_rows_are_tested(now, before, why):
    """Equal periods that do not overlap, or waves, are tested; else the difference stands.

    The last day of the data ends a period that is open, and one that runs beyond it.
    """
    low, high = make_figure(10, 9, 11), make_figure(90, 89, 91)
    runs = add_changes(
        [make_run("Cork", high, parameters=now, as_of="2026-07-15")],
        [make_run("Cork", low, parameters=before, as_of="2026-07-15")],
    )
    change = runs[0]["key_figures"][0]["change"]

    assert change["difference"] == 80
    assert (change["verdict"], change["why"]) == ("not tested" if why else "moved", why)
    assert (change["p_value"] is None) == bool(why)


def test_an_unfinished_period_is_shorter():
    """Of April to June, data up to 10 May are 40 days and not 91."""
    figures = [make_figure(90, 89, 91)], [make_figure(10, 9, 11)]
    (run,) = add_changes(
        [make_run("Cork", *figures[0], parameters=SUMMER, as_of="2026-05-10")],
        [make_run("Cork", *figures[1], parameters=SPRING, as_of="2026-05-10")],
    )

    assert run["key_figures"][0]["change"]["why"] == "periods of different length"


def test_counts_of_unequal_periods_say_so():
    """A month has fewer contacts than a quarter; that is no change."""
    count = {"conf_low": None, "conf_high": None, "unit": "count"}
    for periods, why in (((SUMMER, SPRING), "no interval"), ((SUMMER, {}), LENGTHS)):
        runs = [[make_run("Cork", make_figure(9, **count), parameters=each)] for each in periods]
        change = add_changes(*runs)[0]["key_figures"][0]["change"]
        assert (change["verdict"], change["why"]) == ("not tested", why)


def test_only_the_ends_that_face_each_other_are_needed():
    """By hand: 39 of (32 to not reached) against 30 of (0 to 34): 9 - hypot(7, 4) is 0.9377."""
    now = make_figure(39, 32, None, n=None)
    before = make_figure(30, 0, 34, n=None)

    change = compare(now, before)

    assert change["verdict"] == "moved"
    assert change["conf_low"] == pytest.approx(9 - 65**0.5)
    assert change["conf_high"] is None
    same = compare(make_figure(30, 20, None), make_figure(30, None, 34))
    assert (same["p_value"], same["verdict"], same["conf_high"]) == (1, "not clearly", None)


def test_p_values_are_not_tested():
    """A p-value is no estimate of anything."""
    figure = make_figure(0.04, 0.01, 0.2, unit="p")

    assert compare(figure, make_figure(0.9, 0.8, 1.0, unit="p"))["why"] == "no interval"


@pytest.mark.parametrize(
    ("now", "before", "verdict", "why"),
    [
        ({}, {"label": "NPS of all"}, "not compared", "it was 'NPS of all' before"),
        ({}, {"unit": "share"}, "not compared", "it was 'NPS' before"),
        ({"value": "not reached"}, {}, "not compared", "no number on both sides"),
        ({"value": None}, {}, "not compared", "no number on both sides"),
        ({"value": 30.0, "conf_high": None}, {}, "not tested", "no interval"),
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


@pytest.mark.parametrize("own", [0, 1])
def test_a_parameter_that_only_one_has_is_asked_differently(own):
    """The notebook has changed, and what it did in place of the parameter is not known."""
    runs = [
        make_run("Cork", make_figure(), parameters={"horizon_days": 365} if own == place else {})
        for place in (0, 1)
    ]
    change = add_changes(runs[:1], runs[1:])[0]["key_figures"][0]["change"]

    assert change["why"] == "asked differently: horizon_days"


def test_what_was_made_by_another_version_is_told():
    """By the hashes of notebook and cxlib, where both are known."""
    keys = {"notebook": "a", "cxlib": "b"}, {"notebook": "c", "cxlib": "b"}, {}
    old = make_run("Cork", make_figure(), key=keys[0])

    made = [
        add_changes([make_run("Cork", make_figure(), key=key)], [old])[0]["remade"] for key in keys
    ]
    assert made == [[], ["notebook"], []]
    assert add_changes([old], [])[0]["remade"] == []


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
