"""Where journeys go that stop in a funnel."""

from __future__ import annotations

import pytest

from cxlib.errors import InputError
from cxlib.journeys.funnel.drops import count_next
from cxlib.journeys.funnel.funnel import measure_funnel
from cxlib.stats import wilson_interval

WALKS = [
    ("a", "cart web call"),
    ("b", "web cart web"),
    ("c", "cart"),
    ("d", "cart ship call"),
    ("e", "cart ship pay web"),
    ("f", "web"),
]
STAGES = ["cart", "ship", "pay"]


def _rows(table) -> list[list]:
    return table[["stage", "next_touchpoint", "n"]].to_numpy().tolist()


def test_next_and_last_by_hand(make_log):
    """Three stop at the cart, one at the shipment; who came to the end is not asked."""
    log = make_log(WALKS)
    table = count_next(log, STAGES)
    assert _rows(table) == [["cart", "web", 2], ["cart", "(end)", 1], ["ship", "call", 1]]
    assert table["share"].tolist() == pytest.approx([2 / 3, 1 / 3, 1])
    low, high = wilson_interval([2 / 3], [3])
    assert table.loc[0, ["conf_low", "conf_high"]].tolist() == pytest.approx([low[0], high[0]])
    last = count_next(log, STAGES, which="last")
    assert _rows(last)[:3] == [["cart", "(end)", 1], ["cart", "call", 1], ["cart", "web", 1]]


def test_silence_of_open_journeys_is_open(make_log):
    """Nothing has followed yet."""
    table = count_next(make_log(WALKS, start="2024-12-30"), STAGES)
    assert _rows(table)[1] == ["cart", "(open)", 1]


@pytest.mark.parametrize(
    "limits", [{}, {"within": "1h"}, {"without": ["web"]}, {"without": ["web"], "again": "best"}]
)
def test_rows_add_up_to_the_funnel(make_log, limits):
    """Each stage loses as many journeys as are listed after it."""
    log = make_log([*WALKS, ("g", "cart web ship pay"), ("h", "cart web cart ship pay")])
    table = count_next(log, STAGES, **limits)
    lost = -measure_funnel(log, STAGES, **limits)["n"].diff().iloc[1:]
    listed = table.groupby("position")["n"].sum().reindex([1, 2], fill_value=0)
    assert listed.tolist() == lost.tolist()
    assert table.groupby("position")["share"].sum().to_numpy() == pytest.approx(1)


def test_customers_are_the_clusters(make_log):
    """Forty journeys of two customers who do the same each time say less than those of forty."""
    few = [(f"c{i % 2}", "cart web" if i % 2 else "cart call") for i in range(40)]
    many = [(f"c{i}", path) for i, (_, path) in enumerate(few)]
    wide, narrow = (
        count_next(make_log([*walks, ("z", "pay")]), ["cart", "pay"]).iloc[0]
        for walks in (few, many)
    )
    assert [wide["n_customers"], narrow["n_customers"]] == [1, 20]
    assert wide["conf_high"] - wide["conf_low"] > 2 * (narrow["conf_high"] - narrow["conf_low"])


def test_unknown_place_is_refused(make_log):
    """The message names what there is."""
    with pytest.raises(InputError, match="which = 'first' is unknown"):
        count_next(make_log(WALKS), STAGES, which="first")
