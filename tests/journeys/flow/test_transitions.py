"""Transitions: counts, flows, intervals by customer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlib.journeys import add_journeys, count_transitions
from cxlib.stats import clustered_share_size, wilson_interval

# The six cases of the process-mining textbook example: 42 events, 16 pairs, 36 moves.
RUNNING_EXAMPLE = {
    "1": "register thoroughly check decide reject",
    "2": "register check casually decide pay",
    "3": "register casually check decide reinitiate thoroughly check decide pay",
    "4": "register check thoroughly decide reject",
    "5": "register casually check decide reinitiate check casually decide reinitiate casually"
    " check decide reject",
    "6": "register casually check decide pay",
}
RUNNING_EDGES = {
    ("check", "decide"): 6,
    ("casually", "check"): 4,
    ("decide", "reject"): 3,
    ("decide", "pay"): 3,
    ("register", "casually"): 3,
    ("decide", "reinitiate"): 3,
    ("thoroughly", "check"): 2,
    ("register", "check"): 2,
    ("check", "casually"): 2,
    ("casually", "decide"): 2,
    ("register", "thoroughly"): 1,
    ("reinitiate", "thoroughly"): 1,
    ("reinitiate", "check"): 1,
    ("reinitiate", "casually"): 1,
    ("check", "thoroughly"): 1,
    ("thoroughly", "decide"): 1,
    ("(start)", "register"): 6,
    ("pay", "(end)"): 3,
    ("reject", "(end)"): 3,
}
PAIR = ["from_touchpoint", "to_touchpoint"]


def test_running_example_has_the_published_edges(make_log):
    """Counts equal those shipped with pm4py's running-example.dfg."""
    table = count_transitions(make_log(RUNNING_EXAMPLE.items()))
    assert table.set_index(PAIR)["n"].to_dict() == RUNNING_EDGES
    assert table["n"].is_monotonic_decreasing


def test_hand_computed_row(make_log):
    """Of five moves out of `web` three go to `chat`, by two customers; gaps are one hour."""
    walks = [("a", "web chat web chat"), ("a", "web"), ("b", "web chat"), ("c", "web web")]
    table = count_transitions(make_log(walks)).set_index(PAIR)
    row = table.loc[("web", "chat")]
    # by customer: chat 2, 1, 0 of web 3, 1, 2 -> sum xx 5, xy 7, yy 14, share 3/6
    size = clustered_share_size(0.5, 6, 5, 7, 14)
    low, high = wilson_interval([0.5], [float(size)])
    assert (row["n"], row["n_customers"], row["share"]) == (3, 2, 0.5)
    assert [row["conf_low"], row["conf_high"]] == pytest.approx([low[0], high[0]])
    assert row["median_days"] == pytest.approx(1 / 24)
    assert table.loc[("web", "web"), "n"] == 1
    assert np.isnan(table.loc[("(start)", "web"), "median_days"])
    assert np.isnan(table.loc[("chat", "(end)"), "median_days"])


def test_median_is_the_mean_of_the_two_middle_gaps(make_events):
    """Gaps of 1, 2, 4 and 20 days have the median 3."""
    rows = []
    for customer, days in zip("abcd", (1, 2, 4, 20), strict=True):
        start = pd.Timestamp("2024-01-01")
        rows += [(customer, start, "web"), (customer, start + pd.Timedelta(days, "D"), "chat")]
    table = count_transitions(add_journeys(make_events(rows), as_of="2024-12-31")).set_index(PAIR)
    assert table.loc[("web", "chat"), "median_days"] == 3


def test_open_journeys_do_not_end(make_log):
    """The last step of a journey that may go on leads to (open), not to (end)."""
    table = count_transitions(make_log([("a", "web chat")], start="2024-12-30"))
    assert table.set_index(PAIR)["n"].to_dict() == {
        ("(start)", "web"): 1,
        ("web", "chat"): 1,
        ("chat", "(open)"): 1,
    }


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.lists(st.sampled_from("xyz"), min_size=1, max_size=6).map(" ".join),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_flows_conserve(make_log, walks):
    """What enters a touchpoint leaves it; moves are events plus journeys; shares add to one."""
    table = count_transitions(make_log(walks))
    into = table.groupby("to_touchpoint")["n"].sum().drop("(end)")
    out = table.groupby("from_touchpoint")["n"].sum().drop("(start)")
    assert into.to_dict() == out.to_dict()
    assert sum(len(path.split()) + 1 for _, path in walks) == table["n"].sum()
    assert table.groupby("from_touchpoint")["share"].sum().to_numpy() == pytest.approx(1)
    assert ((table["conf_low"] <= table["share"]) & (table["share"] <= table["conf_high"])).all()
