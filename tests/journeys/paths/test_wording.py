"""Sentences about whole journeys say what the tables say."""

from __future__ import annotations

import pandas as pd

from cxlib.journeys import list_walks
from cxlib.journeys.paths.attribution import count_attribution
from cxlib.journeys.paths.drivers import count_drivers
from cxlib.journeys.paths.lead_ups import rank_paths
from cxlib.journeys.paths.paths import count_paths
from cxlib.journeys.paths.patterns import count_pattern
from cxlib.journeys.paths.rework import count_rework
from cxlib.journeys.paths.wording import (
    describe_attribution,
    describe_drivers,
    describe_lead_ups,
    describe_paths,
    describe_pattern,
    describe_rework,
)

WALKS = [(f"c{i}", ("ad web web order", "shop buy", "ad web")[i % 3]) for i in range(90)]


def test_paths_are_counted_in_words(make_log):
    """How many paths, the commonest, and how many hold the goal."""
    paths = count_paths(list_walks(make_log(WALKS), goal="order"))
    assert describe_paths(paths, goal="order") == (
        "The 90 journeys are 3 different paths; the commonest is walked 30 times (33.3%). Of all "
        "journeys 33.3% hold 'order'."
    )


def test_what_few_journeys_do_has_no_number(make_log):
    """30 of 90 walk the commonest path and come to the goal."""
    log = make_log(WALKS)
    walks = list_walks(log, goal="order")
    assert describe_paths(count_paths(walks), min_cell=31).startswith(
        "The 90 journeys are 3 different paths; none is walked 31 times or more."
    )
    assert describe_pattern(count_pattern(walks, "web > order"), min_cell=31) == (
        "Fewer than 31 of 90 closed journeys go 'web > order'."
    )
    few = count_pattern(walks, "ad > web").assign(n_before=9)
    assert describe_pattern(few).endswith(
        "Fewer than 10 of them do so before the goal or without it."
    )
    started = [(f"a{i}", "ad order") for i in range(50)] + [("b", "order")]
    table = rank_paths(list_walks(make_log(started), goal="order"))
    assert "0 open ones and fewer than 10 that begin at it" in describe_lead_ups(table)
    assert describe_lead_ups(table, min_cell=51) == (
        "Fewer than 51 closed journeys begin with other steps than the goal."
    )


def test_patterns_come_with_base_and_lift(make_log):
    """Denominator, both shares, difference and ratio, each with its interval."""
    walks = list_walks(
        make_log([*WALKS, *((f"s{i}", "shop order") for i in range(10))]), goal="order"
    )
    assert describe_pattern(count_pattern(walks, "ad > web")) == (
        "60 of 100 closed journeys go 'ad > web' (60.0%, 50.2% to 69.1%). Of the 60 that do so "
        "before the goal or without it, 50.0% come to the goal, against 25.0% of the others: +25.0 "
        "points (+5.5 to +41.4), 2.00 times as often (1.15 to 3.66)."
    )
    assert describe_pattern(count_pattern(walks, "web > order")).endswith(
        "None of them does so before the goal."
    )


def test_no_ratio_to_nothing(make_log):
    """Where the others never convert, only the difference is told."""
    walks = list_walks(make_log(WALKS), goal="order")
    text = describe_pattern(count_pattern(walks, "ad > web"))
    assert text.endswith("against 0.0% of the others: +50.0 points (+33.3 to +62.3).")


def test_what_may_be_chance_is_told_so(make_log):
    """The interval of the difference holds 0."""
    kinds = ("ad web order", "ad web", "ad order", "ad")
    walks = list_walks(make_log([(f"c{i}", kinds[i % 4]) for i in range(40)]), goal="order")
    assert describe_pattern(count_pattern(walks, "web")).endswith("That may be chance.")


def test_patterns_without_a_goal_are_counted_only(make_log):
    """One sentence."""
    text = describe_pattern(count_pattern(list_walks(make_log(WALKS)), "shop"))
    assert text == "30 of 90 closed journeys go 'shop' (33.3%, 24.5% to 43.6%)."


def test_rework_says_where_and_at_what_cost(make_log):
    """Share with interval, the touchpoint repeated most, and money when it is known."""
    costs = pd.DataFrame({"touchpoint": ["web"], "action_cost": [2.5]})
    rework = count_rework(make_log(WALKS), touchpoints=costs)
    assert describe_rework(rework, currency="EUR") == (
        "33% of the 90 closed journeys (24% to 44%) come back to a touchpoint: 30 repeated "
        "contacts, 100% of them directly again. Most repeated is web (30 times; 50% of the "
        "journeys that come there). Repeated contacts cost 75 EUR, the largest part at web "
        "(75 EUR)."
    )


def test_no_rework_is_said_plainly(make_log):
    """Nobody comes back."""
    rework = count_rework(make_log([("a", "x y"), ("b", "y")]))
    assert describe_rework(rework) == "None of the 2 closed journeys comes back to a touchpoint."


def test_lead_ups_name_both_ends(make_log):
    """How many were tested, how many differ, the surest of either sort with its interval."""
    walks = [(f"a{i}", "ad web order") for i in range(50)] + [(f"b{i}", "shop") for i in range(50)]
    table = rank_paths(list_walks(make_log(walks), goal="order"))
    assert describe_lead_ups(table) == (
        "50.0% of 100 closed journeys come to the goal after other steps; 0 open ones and 0 that "
        "begin at it are left out. Of the 2 ways tested 1 convert more often beyond chance, most "
        "surely 'ad > web' (100% of 50, 93% to 100%); 1 convert less often beyond chance, most "
        "surely 'shop' (0% of 50, 0% to 7%)."
    )


def test_lead_ups_that_do_not_differ(make_log):
    """None is told as none."""
    walks = [(f"a{i}", ("ad", "ad order", "web", "web order")[i % 4]) for i in range(200)]
    table = rank_paths(list_walks(make_log(walks), goal="order"))
    assert describe_lead_ups(table).endswith(
        "None of the 2 ways tested differs from that beyond chance."
    )


def test_drivers_say_both_differences(make_log):
    """The one within equal lengths, and the crude one beside it."""
    walks = [(f"a{i}", "ad web order") for i in range(40)] + [
        (f"a{i}", "ad web") for i in range(10)
    ]
    walks += [(f"b{i}", "ad shop order") for i in range(10)] + [
        (f"b{i}", "ad shop") for i in range(40)
    ]
    text = describe_drivers(count_drivers(list_walks(make_log(walks), goal="order")))
    assert text.startswith("2 of 2 touchpoints go with coming to the goal more or less often")
    assert "With web they come there more often: +60 points" in text
    assert "With shop they come there less often: -60 points" in text
    assert text.endswith("it is no proof of a cause.")


def test_attribution_says_whether_methods_agree(make_log):
    """One leader by all methods, or who leads by which; who is left out."""
    found = count_attribution(list_walks(make_log(WALKS), goal="order"), n_resamples=20)
    text = describe_attribution(found.attribution, found.journeys)
    assert text.startswith("Credit for 30 conversions against 60 journeys that ended without; 0 ")
    assert "most: ad by first, shapley, markov; web by last, linear, position based." in text
    assert text.endswith("it does not tell what would happen without a touchpoint.")


def test_attribution_to_one_touchpoint(make_log):
    """All methods agree."""
    walks = list_walks(make_log([(f"c{i}", "ad order") for i in range(20)]), goal="order")
    found = count_attribution(walks, n_resamples=20)
    text = describe_attribution(found.attribution, found.journeys)
    assert "By all 6 methods most credit goes to ad: 100% to 100%." in text
