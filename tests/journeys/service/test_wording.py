"""Sentences say what the tables say."""

from __future__ import annotations

import pandas as pd

from cxlib.journeys.service.answering import measure_amplification, measure_answers
from cxlib.journeys.service.contacts import count_escalations, count_repeats
from cxlib.journeys.service.handoffs import count_handoffs
from cxlib.journeys.service.identities import AnonymousContacts
from cxlib.journeys.service.map import map_journey
from cxlib.journeys.service.relationship import measure_loop, measure_sales
from cxlib.journeys.service.wording import (
    describe_amplification,
    describe_anonymous,
    describe_answers,
    describe_escalations,
    describe_handoffs,
    describe_loop,
    describe_map,
    describe_repeats,
    describe_sales,
)


def test_answers(samples):
    """Unanswered, target, median, what is too recent, and how many groups were tested."""
    assert describe_answers(measure_answers(samples, asked=["complaint"])) == (
        "Of 100 negative contacts, 36 are not answered within 30 days (33 to 39; 1,102 contacts of "
        "897 customers). Within the target of 2 days, 8% are answered (7% to 10%). Half are "
        "answered after 9.54 days (9.02 to 10.1); of those answered at all, after 6.26. 21 are too "
        "recent to tell. Of 32 groups (by channel, month) compared with the others, none differs "
        "beyond chance."
    )
    rare = measure_answers(samples, asked=["complaint"], within="2d")
    assert "Fewer than half are answered in the time observed." in describe_answers(rare)


def test_amplification(samples):
    """One sentence with the interval."""
    row = measure_amplification(samples, praised=["review"], followed=["advocacy"])
    assert describe_amplification(row).startswith(
        "Of 1,556 positive contacts, 6.2% are followed up"
    )


def test_repeats_and_escalations(samples):
    """The whole, the highest if it is sure, and the cost."""
    assert "The share is highest for chat: 87%" in describe_repeats(count_repeats(samples))
    costs = pd.DataFrame({"touchpoint": ["chat", "phone_support"], "action_cost": [3, 7.5]})
    text = describe_escalations(count_escalations(samples, touchpoints=costs), currency="EUR")
    assert text.startswith("19% of 10,764 self-service contacts (18% to 20%) are followed by")
    assert text.endswith("The 2,923 assisted contacts after self-service cost 14,930 EUR.")
    one = describe_escalations(count_escalations(samples, self_service=["web_help"]))
    assert one.endswith("There is one touchpoint only.")
    table = count_repeats(samples).assign(q_value=0.5)
    assert "No touchpoint can be told to have the highest share." in describe_repeats(table)


def test_handoffs(samples):
    """Moves, journeys and the commonest pair."""
    text = describe_handoffs(count_handoffs(samples))
    assert text.startswith("54% of 67,706 moves from one contact to the next (54% to 55%) change")
    assert "96% of the journeys" in text
    assert text.endswith("is from marketing to sales (5,500, after a median of 0.44 days).")


def test_relationship(samples):
    """Before the first purchase, and the loop after it."""
    text = describe_sales(measure_sales(samples))
    assert text.startswith("Half of 4,827 new customers have bought 3.5 days after the first")
    assert "813 customers had bought before the records begin." in text
    assert "looked for more options and 16% (14% to 17%) compared again." in text
    slow = describe_sales(measure_sales(samples, goal="add_on"))
    assert slow.startswith("Fewer than half of 4,827 new customers have bought.")
    loop = measure_loop(samples)
    assert describe_loop(loop) == (
        "Within 365 days of the first purchase 61% of 5,313 customers (59% to 62%) come back to an "
        "earlier stage. By stage: awareness 29%, discovery 44%, cultivation 47%. 55% (53% to 56%) "
        "buy again within 365 days."
    )
    assert describe_loop(loop.iloc[:0]) == "Purchases are too recent to tell who comes back."


def test_anonymous():
    """How many, where, and how soon they became known."""
    total = {"n_events": 6, "n_anonymous": 2, "n": 3, "share": 1 / 3, "conf_low": 0.06}
    total |= {"conf_high": 0.79, "median_days": 5.0}
    first = {"touchpoint": "ad", "share": 0.5}
    found = AnonymousContacts(pd.DataFrame([total]), pd.DataFrame([first]))
    assert describe_anonymous(found) == (
        "33% of 3 customers (6% to 79%) were in contact before they were known: 2 of 6 contacts. "
        "Most often they were at ad (50% of these contacts). Half became known within 5 days."
    )


def test_map(samples):
    """The busiest place, where most ends, the lowest score."""
    scores = pd.DataFrame({"touchpoint": ["app", "billing"], "score": [5.25, 4]})
    text = describe_map(map_journey(samples, scores=scores))
    assert text.startswith("Most journeys come by plans_page (51%). The largest share ends at")
    assert text.endswith("The lowest score is that of billing (4).")
