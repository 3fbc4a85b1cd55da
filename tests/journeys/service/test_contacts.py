"""Repeats, failed self-service and hand-offs, counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.journeys.service.contacts import count_escalations, count_repeats
from cxlib.journeys.service.handoffs import count_handoffs


def _service(n: int = 12) -> list[tuple[str, str, str]]:
    """Every customer asks for help; half call a day later; each third calls again after 9 days."""
    rows = []
    for i in range(n):
        rows.append((f"c{i:02}", "2024-06-01", "help"))
        if i % 2:
            rows.append((f"c{i:02}", "2024-06-02", "call"))
        if i % 3 == 0:
            rows.append((f"c{i:02}", "2024-06-10", "call"))
    return rows


def test_repeats_by_hand(write_log):
    """A contact is repeated when any other service contact follows within the time."""
    table = count_repeats(write_log(_service()), within="7d", min_cell=1)
    table = table.set_index(["level", "group"])
    assert table.loc[("(all)", "(all)"), ["n", "n_hits"]].tolist() == [22, 6]
    assert table.loc[("touchpoint", "help"), ["n", "n_hits"]].tolist() == [12, 6]
    assert table.loc[("channel", "phone"), ["n", "n_hits"]].tolist() == [10, 0]
    assert table.loc[("touchpoint", "help"), "resolved_share"] == 0.5
    assert ("department", "service") not in table.index  # the only one
    longer = count_repeats(write_log(_service()), within="8d", min_cell=1)
    assert longer["n_hits"].iloc[0] == 8  # two of those who called on the 2nd call again


def test_contacts_seen_too_short_are_left_out(write_log):
    """On the last days nobody had the time to come again, so they do not count as settled."""
    rows = [*_service(), ("z", "2024-12-30", "help"), ("z", "2024-12-31", "call")]
    assert count_repeats(write_log(rows), min_cell=1)["n"].iloc[0] == 22


def test_repeats_cover_the_given_touchpoints(write_log):
    """Named touchpoints replace the guess; bills are no service contacts."""
    rows = [*_service(), ("c00", "2024-06-02", "bill")]
    assert count_repeats(write_log(rows), min_cell=1)["n"].iloc[0] == 22
    table = count_repeats(write_log(rows), of=["help", "bill"], min_cell=1)
    assert table["n_hits"].iloc[0] == 1


def test_a_longer_time_never_gives_fewer_repeats(samples):
    """Repeats rise with the time; intervals hold the share."""
    shares = []
    for within in ("1d", "3d", "7d"):
        table = count_repeats(samples, within=within)
        assert table["share"].between(table["conf_low"], table["conf_high"]).all()
        shares.append(table["share"].iloc[0])
    assert shares == sorted(shares)


def test_repeats_equal_a_count_in_pandas(samples):
    """The same numbers from a sort and a shift."""
    table = count_repeats(samples, of=["web_help", "phone_support"], within="7d")
    names = samples.contacts["touchpoint"]
    steps = samples.steps.select("customer", "contact", "at").to_pandas()
    steps["touchpoint"] = names.to_numpy()[steps["contact"]]
    steps = steps[steps["touchpoint"].isin(["web_help", "phone_support"])]
    steps = steps.sort_values(["customer", "at"])
    wait = steps.groupby("customer")["at"].shift(-1) - steps["at"]
    seen = samples.end.value // 1000 - steps["at"] >= 7 * 86_400e6
    assert table["n"].iloc[0] == seen.sum()
    assert table["n_hits"].iloc[0] == (wait[seen] <= 7 * 86_400e6).sum()


def test_escalations_and_their_cost(write_log):
    """One call after two tries costs once; a call on its own is nobody's failure."""
    rows = [*_service(), ("c01", "2024-06-01 05:00", "help"), ("solo", "2024-06-05", "call")]
    costs = pd.DataFrame({"touchpoint": ["call", "help"], "action_cost": [7.5, 0.1]})
    found = count_escalations(write_log(rows), touchpoints=costs, min_cell=1)
    assert found.rates["n"].iloc[0] == 13
    assert found.rates["n_hits"].iloc[0] == 7  # both tries of c01 led to the call
    row = found.causes.set_index("touchpoint").loc["call"]
    assert row[["n", "n_hits", "cost"]].tolist() == [11, 6, 45.0]
    assert "cost" not in count_escalations(write_log(rows), min_cell=1).causes


def test_time_of_escalation_is_included(write_log):
    """Exactly two days later counts, a second more does not."""
    rows = [(f"c{i}", "2024-06-01 10:00:00", "help") for i in range(10)]
    at = [("2024-06-03 10:00:00", "call"), ("2024-06-03 10:00:01", "call")]
    rows += [(f"c{i}", *at[i % 2]) for i in range(10)]
    assert count_escalations(write_log(rows)).rates["n_hits"].iloc[0] == 5


def test_handoffs_by_hand(make_events):
    """Moves that change the department; what is unknown is no hand-off."""
    from cxlib.journeys import add_journeys

    walks = {"a": ["s", "s", "m", "s"], "b": ["m", "s"], "c": ["s", ""], "d": ["m"]}
    rows = [
        (customer, f"2024-01-01 0{hour}:00", f"t{name}", name)
        for customer, path in walks.items()
        for hour, name in enumerate(path)
    ]
    log = add_journeys(make_events(rows, "department"), as_of="2024-12-31")
    found = count_handoffs(log)
    moves = found.moves.set_index(["from_place", "to_place"])
    assert moves["n"].to_dict() == {("m", "s"): 2, ("s", "m"): 1, ("s", "s"): 1}
    assert moves["is_handoff"].to_dict() == {("m", "s"): True, ("s", "m"): True, ("s", "s"): False}
    assert moves.loc[("s", "m"), "share"] == 0.5
    assert moves.loc[("m", "s"), "median_days"] == pytest.approx(1 / 24)
    assert found.total[["n", "n_hits", "n_unknown"]].iloc[0].tolist() == [4, 3, 1]
    assert found.journeys[["at_least", "n", "n_hits"]].to_numpy().tolist() == [[1, 4, 2], [2, 4, 1]]


def test_handoffs_among_some_contacts(write_log):
    """Moves out of service do not count; journeys still open are left out."""
    rows = [
        ("a", f"2024-01-01 0{i}:00", x) for i, x in enumerate(["order", "help", "call", "help"])
    ]
    rows += [("b", "2024-12-30", "help"), ("b", "2024-12-31", "call")]
    found = count_handoffs(write_log(rows), by="channel", among=["use"])
    assert found.total[["n", "n_hits"]].iloc[0].tolist() == [3, 3]
    assert found.journeys[["n", "n_hits"]].to_numpy().tolist() == [[1, 1], [1, 1]]


def test_moves_conserve(samples):
    """Shares out of a place add up to one, and every move is counted once."""
    for by in ("channel", "department"):
        found = count_handoffs(samples, by=by)
        assert found.moves.groupby("from_place")["share"].sum().to_numpy() == pytest.approx(1)
        assert found.moves["n"].sum() == found.total["n"].iloc[0]
        handed = found.moves.loc[found.moves["is_handoff"], "n"].sum()
        assert handed == found.total["n_hits"].iloc[0]


def test_messages(write_log, make_log):
    """Nothing found, both kinds at once, unknown columns, too few."""
    with pytest.raises(InputError, match="No touchpoint is known to be a service contact"):
        count_repeats(make_log([("a", "x y")]))
    with pytest.raises(InputError, match="No touchpoint is known to be self-service"):
        count_escalations(make_log([("a", "x y")]))
    log = write_log(_service())
    with pytest.raises(InputError, match="'help' is self-service and assisted at once"):
        count_escalations(log, self_service=["help"], assisted=["help", "call"])
    with pytest.raises(TooLittleData, match="12 customers have such contacts"):
        count_repeats(log, min_cell=13)
    with pytest.raises(InputError, match="The view 'region' is not a column"):
        count_handoffs(log, by="region")
    with pytest.raises(TooLittleData, match="No journey has two contacts"):
        count_handoffs(write_log([("a", "2024-01-01", "help")]))
    small = count_repeats(log, min_cell=11).set_index("group").loc["call"]
    assert small["n"] == 10
    assert np.isnan(small["share"])
