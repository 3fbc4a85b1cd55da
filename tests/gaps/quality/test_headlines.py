"""Headlines are shown with and without the flagged respondents."""

from __future__ import annotations

import pandas as pd

from cxlib.gaps.quality.headlines import compare_headlines
from cxlib.gaps.quality.wording import describe_careless, describe_exclusions

COLUMNS = ["headline", "n", "estimate", "conf_low", "conf_high"]


def headlines(*rows: tuple) -> pd.DataFrame:
    """Make a table of headlines."""
    return pd.DataFrame(rows, columns=COLUMNS)


def test_a_headline_that_leaves_its_interval_or_turns_is_named():
    """A change within the interval is none to speak of."""
    every = headlines(("gap", 100, -0.5, -0.6, -0.4), ("nps", 100, 1.0, -9.0, 11.0))
    still = compare_headlines(every, headlines(("gap", 90, -0.45, 0, 0), ("nps", 90, 2.0, 0, 0)))
    assert not still["is_moved"].any()
    assert still["change"].round(2).tolist() == [0.05, 1.0]
    assert describe_exclusions(still).startswith("Without the flagged respondents no headline")
    moved = compare_headlines(every, headlines(("gap", 90, -0.3, 0, 0), ("nps", 90, -1.0, 0, 0)))
    assert moved["is_moved"].tolist() == [True, True]
    assert "2 of 2 headlines change their sign or leave their interval: gap, nps" in (
        describe_exclusions(moved)
    )


def test_sentences_on_flags_hold_the_counts():
    """How many, of how many, and for what."""
    counts = pd.DataFrame(
        {
            "flag": ["same answer throughout", "too fast", "any of these"],
            "n": [3, 5, 7],
            "n_checked": [100, 90, 100],
            "share": [0.03, 0.055, 0.07],
        }
    )
    said = describe_careless(counts, min_cell=5)
    assert said.startswith("7 of 100 respondents (7.0%) look careless")
    assert "too fast 5, same answer throughout (fewer than 5)" in said
    nobody = describe_careless(counts.assign(n=0))
    assert nobody == "None of 100 respondents looks careless by any rule."
    assert "too few items" in describe_careless(counts.assign(n=0, n_checked=0))


def test_two_items_of_one_score_are_not_mixed_up():
    """Two CSAT items: each beside itself, not each beside both."""
    every = pd.DataFrame(
        {"headline": "csat", "item": ["a", "b"], "n": 9, "estimate": [40.0, 100.0]}
    ).assign(conf_low=30.0, conf_high=100.0)
    table = compare_headlines(every, every)
    assert table["item"].tolist() == ["a", "b"]
    assert table["change"].tolist() == [0, 0]
    assert not table["is_moved"].any()
