"""The step matrix: where journeys are around an anchor, with every journey at every step."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlib.errors import InputError
from cxlib.journeys import count_positions
from cxlib.stats import clustered_share_size, wilson_interval

WALKS = [("a", "web chat order"), ("a", "web"), ("b", "chat web order app")]


def _cells(table) -> dict[tuple[int, str], int]:
    return table.set_index(["position", "touchpoint"])["n"].to_dict()


def test_steps_from_the_start(make_log):
    """Journeys that are over stay at (end), so every step holds all of them."""
    table = count_positions(make_log(WALKS), reach=3)
    assert _cells(table) == {
        (1, "web"): 2,
        (1, "chat"): 1,
        (2, "(end)"): 1,
        (2, "chat"): 1,
        (2, "web"): 1,
        (3, "order"): 2,
        (3, "(end)"): 1,
    }
    web = table.iloc[0]
    # by customer: at web 2, 0 of 2, 1 journeys -> sum xx 4, xy 4, yy 5, share 2/3
    low, high = wilson_interval([2 / 3], clustered_share_size([2 / 3], [3], [4], [4], [5]))
    assert [web["conf_low"], web["conf_high"]] == pytest.approx([low[0], high[0]])
    assert web["n_customers"] == 1


def test_steps_from_the_end_and_around_a_touchpoint(make_log):
    """The last step is -1; an anchor's first contact is 0, and journeys without it are out."""
    log = make_log(WALKS)
    table = count_positions(log, anchor="end", reach=2)
    assert _cells(table) == {
        (-2, "(start)"): 1,
        (-2, "chat"): 1,
        (-2, "order"): 1,
        (-1, "app"): 1,
        (-1, "order"): 1,
        (-1, "web"): 1,
    }
    table = count_positions(log, anchor="chat", reach=1)
    assert _cells(table) == {
        (-1, "(start)"): 1,
        (-1, "web"): 1,
        (0, "chat"): 2,
        (1, "order"): 1,
        (1, "web"): 1,
    }


def test_open_journeys_stand_where_they_are(make_log):
    """What may still go on is not over."""
    table = count_positions(make_log([("a", "web")], start="2024-12-30"), reach=2)
    assert _cells(table) == {(1, "web"): 1, (2, "(open)"): 1}


def test_bad_anchors_are_refused(make_log):
    """An unknown anchor comes with the closest touchpoint; nothing is shown of no steps."""
    log = make_log(WALKS)
    with pytest.raises(InputError, match="No event is at 'caht'") as caught:
        count_positions(log, anchor="caht")
    assert "did you mean 'chat'?" in caught.value.fix
    with pytest.raises(InputError, match="reach = 0 shows no step"):
        count_positions(log, reach=0)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.lists(st.sampled_from("xyz"), min_size=1, max_size=6).map(" ".join),
        ),
        min_size=1,
        max_size=10,
    ),
    st.sampled_from(["start", "end", "x"]),
)
def test_every_journey_is_somewhere_at_every_step(make_log, walks, anchor):
    """Shares of a position add to one, whatever the anchor."""
    log = make_log([*walks, ("d", "x")])
    table = count_positions(log, anchor=anchor, reach=3)
    assert table.groupby("position")["share"].sum().to_numpy() == pytest.approx(1)
    assert ((table["conf_low"] <= table["share"]) & (table["share"] <= table["conf_high"])).all()
