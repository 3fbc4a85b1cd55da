"""Rework: contacts that repeat one of the same journey."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.journeys import add_journeys
from cxlib.journeys.paths.rework import KINDS, count_rework

STAGES = {"ad": "awareness", "web": "discovery", "buy": "purchase"}
COSTS = pd.DataFrame({"touchpoint": ["ad", "web", "buy"], "action_cost": [1.0, 10.0, np.nan]})


@pytest.fixture
def make_journeys(make_events):
    """Return a function that makes a log of (customer, steps); a step is touchpoint:channel."""

    def make(walks, start="2024-01-01"):
        rows = []
        for number, (customer, path) in enumerate(walks):
            for hour, step in enumerate(path.split()):
                name, _, channel = step.partition(":")
                time = pd.Timestamp(start) + pd.Timedelta(hours=hour)
                journey = f"j{number:04d}"
                stage = STAGES.get(name, "")
                rows.append((customer, time, name, journey, channel or "web", stage))
        events = make_events(rows, "journey_id", "channel", "stage")
        return add_journeys(events, as_of="2024-12-31")

    return make


def _row(table: pd.DataFrame, kind: str, touchpoint: str = "(all)") -> pd.Series:
    return table.set_index(["kind", "touchpoint"]).loc[(kind, touchpoint)]


def _times(table: pd.DataFrame, touchpoint: str = "(all)") -> dict[str, int]:
    return {kind: int(_row(table, kind, touchpoint)["n_times"]) for kind in table["kind"].unique()}


def test_every_kind_of_rework_by_hand(make_journeys):
    """One journey: A A B A B C A."""
    table = count_rework(make_journeys([("a", "A A B A B C A")]))
    assert _times(table) == {
        "repeated": 4,  # the second A, the A and B after B, the last A
        "self_loop": 1,
        "repeat": 3,
        "same_channel": 4,
        "other_channel": 0,
        "ping_pong": 1,  # the second B closes A B A B; A A counts as one stay
        "return_to_start": 2,
    }
    assert _row(table, "repeated", "A")["n_times"] == 3
    assert _row(table, "ping_pong", "B")["n_times"] == 1
    assert ("repeated", "C") not in set(zip(table["kind"], table["touchpoint"], strict=True))


def test_shares_are_of_the_journeys_that_come_there(make_journeys):
    """Of four journeys three come to `web`, one of them twice; one customer has two journeys."""
    walks = [("a", "web web"), ("a", "ad web"), ("b", "web"), ("c", "ad")]
    table = count_rework(make_journeys(walks))
    row = _row(table, "repeated", "web")
    columns = ["n", "n_customers", "n_times", "n_journeys"]
    assert row[columns].tolist() == [1, 1, 1, 3]
    assert row["share"] == pytest.approx(1 / 3)
    assert _row(table, "repeated")[columns].tolist() == [1, 1, 1, 4]
    assert row["conf_low"] < 1 / 3 < row["conf_high"]


def test_channel_of_the_last_time_tells_redo(make_journeys):
    """Called after writing: the same touchpoint in another channel, directly or later."""
    table = count_rework(make_journeys([("a", "help:mail help:phone buy help:phone")]))
    assert _times(table)["other_channel"] == 1
    assert _times(table)["same_channel"] == 1
    assert _times(table)["repeated"] == 2


def test_stages_before_the_last_one_count_as_going_back(make_journeys):
    """From purchase back to discovery; onward is no rework. Unknown stages tell nothing."""
    log = make_journeys([("a", "ad web buy web"), ("b", "buy other ad"), ("c", "web ad")])
    table = count_rework(log, stages=list(dict.fromkeys(STAGES.values())))
    assert _row(table, "earlier_stage")[["n", "n_times"]].tolist() == [2, 2]
    assert _row(table, "earlier_stage", "web")["n_times"] == 1
    assert "earlier_stage" not in set(count_rework(log)["kind"])
    with pytest.raises(InputError, match="No event is in one of the stages") as caught:
        count_rework(log, stages=["discovry"])
    assert "did you mean 'discovery'?" in caught.value.fix


def test_costs_are_those_of_the_repeated_contacts(make_journeys):
    """Two journeys repeat `web` three times at 10; `buy` has no known cost."""
    log = make_journeys([("a", "web web web"), ("b", "ad web ad web buy buy")])
    table = count_rework(log, touchpoints=COSTS)
    assert _row(table, "repeated")["extra_cost"] == 31
    assert _row(table, "repeated", "web")["extra_cost"] == 30
    assert _row(table, "self_loop")["extra_cost"] == 20
    assert np.isnan(_row(table, "repeated", "buy")["extra_cost"])
    assert _row(table, "other_channel")["extra_cost"] == 0
    bad = COSTS.astype({"action_cost": object}).assign(action_cost=["1", "ten", ""])
    with pytest.raises(InputError, match="The cost 'ten' is not a number") as caught:
        count_rework(log, touchpoints=bad)
    assert "touchpoint 'web'" in caught.value.where


def test_open_journeys_are_left_out(make_journeys):
    """A journey that may still go on may still turn back."""
    with pytest.raises(TooLittleData, match="Every journey may still go on"):
        count_rework(make_journeys([("a", "web web")], start="2024-12-30"))


def test_a_view_makes_touchpoints_the_same(make_journeys):
    """Two touchpoints of one stage: a repeat of the stage, at the costs of the touchpoints."""
    STAGES["shop"] = "discovery"
    log = make_journeys([("a", "web shop ad")])
    del STAGES["shop"]
    table = count_rework(log, by="stage", touchpoints=COSTS.assign(touchpoint=["ad", "shop", ""]))
    assert _row(table, "self_loop", "discovery")[["n_times", "extra_cost"]].tolist() == [1, 10]


def test_counts_equal_a_plain_loop(make_log):
    """Repeated, directly and later, back at the start, and to and fro, step by step."""
    rng = np.random.default_rng(4)
    paths = [list(rng.choice(list("ABC"), size)) for size in rng.integers(1, 15, 200)]
    log = make_log([(f"c{n // 3}", " ".join(path)) for n, path in enumerate(paths)])
    found = _times(count_rework(log))
    plain = dict.fromkeys(found, 0)
    for path in paths:
        stays = [name for i, name in enumerate(path) if not i or name != path[i - 1]]
        plain["repeated"] += len(path) - len(set(path))
        plain["self_loop"] += len(path) - len(stays)
        plain["repeat"] += len(stays) - len(set(path))
        plain["return_to_start"] += stays[1:].count(path[0])
        plain["ping_pong"] += sum(
            stays[i : i + 2] == stays[i + 2 : i + 4] for i in range(len(stays) - 3)
        )
    assert found == plain


def test_kinds_are_explained():
    """Every kind has its words, for the glossary."""
    assert list(KINDS)[:3] == ["repeated", "self_loop", "repeat"]
    assert all(KINDS.values())
