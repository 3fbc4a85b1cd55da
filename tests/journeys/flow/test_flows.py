"""Flows from step to step: hand count, lumping, conservation."""

from __future__ import annotations

import pytest

from cxlib.errors import InputError
from cxlib.journeys import count_flows, list_walks

WALKS = [("a", "web chat order"), ("a", "web"), ("b", "chat web order app"), ("c", "web chat")]


def _flows(table) -> dict[tuple[int, str, str], int]:
    keys = ["step", "from_touchpoint", "to_touchpoint"]
    return table.set_index(keys)["n"].to_dict()


def test_hand_counted_flows(make_log):
    """Journeys that are over flow to (end) once and are gone."""
    table = count_flows(list_walks(make_log(WALKS)), n_steps=3)
    assert _flows(table) == {
        (1, "web", "chat"): 2,
        (1, "chat", "web"): 1,
        (1, "web", "(end)"): 1,
        (2, "chat", "(end)"): 1,
        (2, "chat", "order"): 1,
        (2, "web", "order"): 1,
    }
    assert table.loc[table["step"] == 1, "share"].sum() == pytest.approx(1)


def test_rare_places_are_lumped_not_lost(make_log):
    """With one place shown the others are one flow; open journeys flow to (open)."""
    log = make_log([*WALKS, ("d", "shop")], start="2024-12-30")
    table = count_flows(list_walks(log), n_steps=2, top=1)
    assert _flows(table) == {
        (1, "web", "(other)"): 2,
        (1, "(other)", "web"): 1,
        (1, "(other)", "(open)"): 1,
        (1, "web", "(open)"): 1,
    }


def test_one_step_is_no_flow(make_log):
    """A flow needs two steps."""
    with pytest.raises(InputError, match="1 step shows no flow"):
        count_flows(list_walks(make_log(WALKS)), n_steps=1)
