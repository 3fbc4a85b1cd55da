"""Patterns: the language, the automaton, and what is counted with them."""

from __future__ import annotations

import re
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.errors import InputError, TooLittleData
from cxlib.journeys import add_journeys, count_paths, list_walks
from cxlib.journeys.log import Places
from cxlib.journeys.paths.language import compile_pattern, find_pattern
from cxlib.journeys.paths.patterns import count_pattern, keep_journeys, match_walks
from cxlib.journeys.walks import letter

NAMES = ["a", "b", "c", "live chat"]
PLACES = Places("touchpoint", NAMES, np.arange(4))
LETTERS = "".join(letter(place) for place in range(4))
PLAIN = str.maketrans("abcd", LETTERS)  # d stands for the live chat


def _find(pattern: str, *paths: str) -> list[bool]:
    return find_pattern(
        compile_pattern(pattern, PLACES), [path.translate(PLAIN) for path in paths]
    ).tolist()


STEPS = {
    "a": "a",
    "[a|b]": "[ab]",
    "!a": "[^a]",
    "[^a|c]": "[^ac]",
    "![a|c]": "[^ac]",
    ".": ".",
    '"live chat"': "d",
    "!'live chat'": "[^d]",
}


@st.composite
def _patterns(draw) -> tuple[str, str]:
    """Draw a pattern and the regular expression that means the same."""
    parts = draw(
        st.lists(
            st.tuples(st.sampled_from([*STEPS, "..."]), st.sampled_from(["", "*", "+", "?"])),
            min_size=1,
            max_size=6,
        )
    )
    texts = [name if name == "..." else name + mark for name, mark in parts]
    plain = "".join(".*" if name == "..." else STEPS[name] + mark for name, mark in parts)
    start, end = draw(st.sampled_from(["", "^", "(start) > "])), draw(st.sampled_from(["", "$"]))
    return start + " > ".join(texts) + end, ("^" if start else "") + plain + end


@settings(deadline=None, max_examples=400)
@given(_patterns(), st.lists(st.text("abcd", min_size=1, max_size=14), min_size=1, max_size=8))
def test_patterns_find_what_regular_expressions_find(pattern, paths):
    """The automaton agrees with Python's own search on every pattern."""
    ours, theirs = pattern
    assert _find(ours, *paths) == [bool(re.search(theirs, path)) for path in paths]


def test_steps_follow_directly_unless_dots_stand_between():
    """`>` is strict; `...` and `.*` skip; anchors hold the ends."""
    assert _find("a > b", "ab", "cabc", "acb") == [True, True, False]
    assert _find("a > ... > b", "ab", "accb", "ba") == [True, True, False]
    assert _find("a > !b* > c", "ac", "aac", "abc") == [True, True, False]
    assert _find("(start) > a", "ab", "ba") == [True, False]
    assert _find("a > (end)", "ab", "ba") == [False, True]
    assert _find("^ > a > b+ > $", "abb", "abba") == [True, False]
    assert _find('a > "live chat"', "ad", "ab") == [True, False]


@pytest.mark.parametrize(
    ("pattern", "problem", "at"),
    [
        ("a > aa2", "No step is at 'aa2'", 4),
        ("a > live chat", "No step is at 'live'", 4),
        ("a > b c", "There is 'c' where '>' is expected", 6),
        ("a > > b", "There is '>' where a name is expected", 4),
        ("a >", "The pattern ends where a name is expected", 3),
        ("[a|b > c", r"There is '>' where '|' or ']' is expected", 5),
        ("a > (b)", "The pattern cannot be read from '(b)' on", 4),
        ("a**", "There is '*' where '>' is expected", 2),
        ("a > ^b", "There is '^' where a name is expected", 4),
        ('a > "live', "The pattern cannot be read from", 4),
        ("^$", "The pattern ends where a name is expected", 2),
    ],
)
def test_what_cannot_be_read_is_shown_where(pattern, problem, at):
    """A mark stands under the place where the pattern goes wrong."""
    with pytest.raises(InputError, match=re.escape(problem)) as caught:
        compile_pattern(pattern, PLACES)
    shown = caught.value.where.split("\n")
    assert shown[1] == f"    {pattern}"
    assert shown[2].index("^") - 4 == at


def test_misspelt_names_come_with_the_closest_one():
    """The message names the place that is spelt alike."""
    with pytest.raises(InputError) as caught:
        compile_pattern("a > 'live_chat'", PLACES)
    assert "did you mean 'live chat'?" in caught.value.fix
    with pytest.raises(InputError, match="The pattern is empty"):
        compile_pattern("  ", PLACES)


@pytest.mark.parametrize(
    "pattern",
    ["a > !c* > c > !c* > c", "a* > a* > a* > a* > c", "a > " + " > ".join("." * 10) + " > c"],
)
def test_a_path_of_a_million_steps_is_read_once(pattern):
    """Searches that never end with regular expressions take a moment."""
    drawn = np.random.default_rng(0).integers(0, 2, 1_000_000)
    path = "".join(np.array(list(LETTERS))[drawn])
    before = time.perf_counter()
    assert not find_pattern(compile_pattern(pattern, PLACES), [path])[0]
    assert time.perf_counter() - before < 5


def test_patterns_with_more_states_than_are_kept_stay_right():
    """Fifteen steps of memory: 32,768 states, seen with fewer kept."""
    drawn = np.random.default_rng(0).integers(0, 2, 30_000)
    path = "".join(np.array(["a", "b"])[drawn])
    begin = path[-16]
    other = "b" if begin == "a" else "a"
    tail = " > ".join("." * 15) + " > $"
    assert _find(f"{begin} > {tail}", path) == [True]
    assert _find(f"{other} > {tail}", path) == [False]


def test_journeys_that_match_are_kept_whole(make_log):
    """Steps and journeys of the others go; nothing else changes."""
    log = make_log([("a", "x y z"), ("b", "y x"), ("b", "x y"), ("c", "x x")])
    walks = list_walks(log)
    kept = keep_journeys(log, walks, "x > y")
    assert count_paths(list_walks(kept))["path"].tolist() == ["x > y", "x > y > z"]
    assert kept.steps.count().to_pandas() == 5
    assert kept.journeys.to_pandas()["source_id"].sort_values().tolist() == ["j00000", "j00002"]
    assert kept.contacts is log.contacts
    with pytest.raises(TooLittleData, match="No journey goes 'z > z'"):
        keep_journeys(log, walks, "z > z")


def test_matches_are_in_the_order_of_the_paths(make_log):
    """One answer a distinct path."""
    walks = list_walks(make_log([("a", "x y"), ("b", "x y"), ("c", "y x"), ("d", "x")]))
    assert match_walks(walks, "x > y").tolist() == [True, False, False]


def test_denominator_base_and_lift_come_together(make_log):
    """10 of 20 journeys with `x > y` convert, 10 of 40 others: twice as often."""
    journeys = [(f"a{i}", "x y goal" if i % 2 else "x y") for i in range(20)]
    journeys += [(f"b{i}", "x z goal" if i % 4 == 0 else "y x") for i in range(40)]
    walks = list_walks(make_log(journeys), goal="goal")
    row = count_pattern(walks, "x > y").iloc[0]
    assert row[["n", "n_customers", "n_journeys", "n_before"]].tolist() == [20, 20, 60, 20]
    shares = row[["share", "converted_share", "base_share", "difference", "lift"]].tolist()
    assert shares == pytest.approx([1 / 3, 0.5, 0.25, 0.25, 2])
    assert row["difference_low"] < 0.25 < row["difference_high"]
    assert row["lift_low"] < 2 < row["lift_high"]


def test_what_follows_the_goal_does_not_lead_to_it(make_log):
    """`goal > z` is found in journeys, but not before the goal: no lift is claimed."""
    journeys = [(f"a{i}", "x goal z") for i in range(5)] + [(f"b{i}", "x y") for i in range(5)]
    walks = list_walks(make_log(journeys), goal="goal")
    row = count_pattern(walks, "goal > z").iloc[0]
    assert row[["n", "n_before"]].tolist() == [5, 0]
    assert row[["converted_share", "difference", "lift"]].isna().all()
    row = count_pattern(walks, "x > $").iloc[0]
    assert row[["n", "n_before", "converted_share"]].tolist() == [0, 5, 1]


def test_a_customer_who_repeats_is_one_witness(make_log):
    """20 matching journeys of one customer say less than 20 of twenty."""
    journeys = [("a", "x")] * 20 + [(f"b{i}", "y") for i in range(20)]
    walks = list_walks(make_log([*journeys, *((f"c{i}", "z") for i in range(20))]))
    wide, narrow = (count_pattern(walks, name).iloc[0] for name in ("x", "y"))
    assert wide["n"] == narrow["n"] == 20
    assert (wide["n_customers"], narrow["n_customers"]) == (1, 20)
    width = wide["conf_high"] - wide["conf_low"]
    assert width > 1.3 * (narrow["conf_high"] - narrow["conf_low"])


def test_open_journeys_are_left_out(make_events):
    """A journey that may still go on neither matches nor fails to."""
    rows = [("a", "2024-01-01", "x"), ("b", "2024-12-30", "x"), ("c", "2024-02-01", "y")]
    log = add_journeys(make_events(rows), as_of="2024-12-31")
    row = count_pattern(list_walks(log), "x").iloc[0]
    assert row[["n", "n_journeys"]].tolist() == [1, 2]
    late = add_journeys(make_events([("a", "2024-12-30", "x")]), as_of="2024-12-31")
    with pytest.raises(TooLittleData, match="Every journey may still go on"):
        count_pattern(list_walks(late), "x")
    assert isinstance(count_pattern(list_walks(log), "y"), pd.DataFrame)
