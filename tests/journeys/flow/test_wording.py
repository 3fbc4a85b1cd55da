"""Sentences about what follows what say what the tables say."""

from __future__ import annotations

from cxlib.frames import to_table
from cxlib.journeys import (
    add_groups,
    compare_transitions,
    count_transitions,
    describe_comparison,
    describe_open,
    describe_transitions,
    summarise_journeys,
)

WALKS = [(f"c{i}", ("ad web web order", "shop buy", "ad web")[i % 3]) for i in range(90)]


def test_transitions_and_open_journeys(make_log):
    """Start, end, repeat; how many may go on and where they stand."""
    log = make_log(WALKS, start="2024-12-30")
    transitions = count_transitions(log)
    assert describe_transitions(transitions) == (
        "The commonest start is ad (67% of the journeys, 56% to 76%). The commonest repeat is web: "
        "33% of the contacts there are followed by another one there."
    )
    assert describe_open(summarise_journeys(log), transitions) == (
        "90 of 90 journeys (100.0%) may still go on, most of them at buy."
    )
    ended = count_transitions(make_log(WALKS))
    assert "The commonest end is buy (33%)." in describe_transitions(ended)


def test_comparison_counts_what_was_tested(make_log):
    """A sure difference is told with both shares; none is told as none."""
    walks = [(f"a{i}", "web chat") for i in range(40)] + [(f"b{i}", "web call") for i in range(40)]
    log = make_log([*walks, ("a0", "web call"), ("b0", "web chat")])
    customers = log.customers.to_pandas()[["customer_id"]]
    customers["side"] = customers["customer_id"].str[0]
    customers["parity"] = [str(int(name[1:]) % 2) for name in customers["customer_id"]]
    customers = to_table(customers, beside=log.steps)

    def compare(by: str):
        """Compare the groups of an attribute."""
        return compare_transitions(add_groups(log, by=by, customers=customers))

    text = describe_comparison(compare("side"))
    assert "transitions tested differ beyond chance" in text
    assert "in 98% of cases in 'b' against 2% in 'a'" in text
    assert describe_comparison(compare("parity")).startswith("0 of")
