"""Sentences say what the tables say."""

from __future__ import annotations

from cxlib.journeys import (
    add_groups,
    compare_transitions,
    count_paths,
    count_transitions,
    describe_breaks,
    describe_comparison,
    describe_open,
    describe_paths,
    describe_segments,
    describe_transitions,
    fit_segments,
    measure_funnel,
    summarise_journeys,
)

WALKS = [(f"c{i}", ("ad web web order", "shop buy", "ad web")[i % 3]) for i in range(90)]


def test_segments_are_named_with_share_and_customers(make_steps):
    """Every kind comes with its interval; the evidence is said first."""
    found = fit_segments(make_steps(WALKS), n_resamples=3).segments
    text = describe_segments(found)
    assert text.startswith(f"Customers walk {len(found)} kinds of journey, all found again")
    assert all(name in text for name in found["segment"])
    assert "33% of the journeys, 24% to 44%; 30 customers" in text
    assert text.endswith("(95% intervals).")


def test_no_segments_is_said_plainly(make_steps):
    """The reason is part of the sentence."""
    found = fit_segments(make_steps(WALKS[:20])).segments
    expected = "There is no evidence of different kinds of journey: fewer than 50 journeys"
    assert describe_segments(found).startswith(expected)


def test_breaks_name_the_largest_loss(make_steps):
    """Journeys that pass over a stage are not counted as lost."""
    walks = [*WALKS, ("x", "ad order")]
    funnel = measure_funnel(make_steps(walks), ["ad", "web", "order"])
    assert describe_breaks(funnel) == (
        "Of 61 journeys that reach 'ad', 49.2% (37.1% to 61.4%) come to 'order' with every stage "
        "between in order. Most break off after 'web': 30 of 60 there come to no later stage."
    )
    assert describe_breaks(funnel.head(1)) == "Journeys that reach 'ad': 61."
    whole = measure_funnel(make_steps([("a", "ad web")]), ["ad", "web"])
    assert "break off" not in describe_breaks(whole)


def test_transitions_paths_and_open_journeys(make_steps):
    """Start, end, repeat; number of paths; how many may go on and where they stand."""
    steps = make_steps(WALKS, start="2024-12-30")
    transitions = count_transitions(steps)
    assert describe_transitions(transitions) == (
        "The commonest start is ad (67% of the journeys, 56% to 76%). The commonest repeat is web: "
        "33% of the contacts there are followed by another one there."
    )
    assert describe_open(summarise_journeys(steps), transitions) == (
        "90 of 90 journeys (100.0%) may still go on, most of them at buy."
    )
    ended = count_transitions(make_steps(WALKS))
    assert "The commonest end is buy (33%)." in describe_transitions(ended)
    assert describe_paths(count_paths(steps, goal="order"), goal="order") == (
        "The 90 journeys are 3 different paths; the commonest is walked 30 times (33.3%). Of all "
        "journeys 33.3% hold 'order'."
    )


def test_comparison_counts_what_was_tested(make_steps):
    """A sure difference is told with both shares; none is told as none."""
    walks = [(f"a{i}", "web chat") for i in range(40)] + [(f"b{i}", "web call") for i in range(40)]
    steps = make_steps([*walks, ("a0", "web call"), ("b0", "web chat")])
    sides = steps.mutate(side=steps.customer_id.left(1))
    text = describe_comparison(compare_transitions(add_groups(sides, by="side")))
    assert "transitions tested differ beyond chance" in text
    assert "in 98% of cases in 'b' against 2% in 'a'" in text
    same = steps.mutate(side=steps.customer_id.right(1).isin(list("02468")).ifelse("x", "y"))
    assert describe_comparison(compare_transitions(add_groups(same, by="side"))).startswith("0 of")
