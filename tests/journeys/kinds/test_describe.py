"""Representatives and differences: small tables by hand, and references."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.errors import InputError
from cxlib.journeys import list_walks
from cxlib.journeys.kinds.describe import (
    code_segments,
    find_representatives,
    measure_distances,
)
from cxlib.journeys.walks import spell


def _label(walks, kind_of) -> list[str]:
    """Label each distinct path by its touchpoints."""
    return [kind_of(spell(text, walks.places).split(" > ")) for text in walks.paths["letters"]]


def _by_last(names: list[str]) -> str:
    return names[-1]


def test_distance_counts_steps_put_in_or_left_out():
    """`abcd` to `acd` is one step; to `dcba` all but one common step go and come."""
    assert measure_distances("abcd", ["abcd", "acd", "dcba", ""]).tolist() == [0, 1, 6, 4]
    assert measure_distances("abcd", ["dcba"], most=2).tolist() == [3]


@given(st.lists(st.text("abc", max_size=7), min_size=1, max_size=5), st.text("abc", max_size=7))
@settings(max_examples=40, deadline=None)
def test_distance_is_that_of_the_longest_common_subsequence(others, path):
    """Compared with the textbook table."""

    def common(a: str, b: str) -> int:
        """Return the length of the longest common subsequence."""
        table = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                table[i + 1, j + 1] = (
                    table[i, j] + 1 if x == y else max(table[i, j + 1], table[i + 1, j])
                )
        return int(table[-1, -1])

    expected = [len(path) + len(other) - 2 * common(path, other) for other in others]
    assert measure_distances(path, others).tolist() == expected


def test_representatives_by_hand(make_log):
    """Ten journeys: distances, radius, choice and coverage worked out on paper.

    Paths and journeys: abcd 3, abd 2, abc 2, xy 3. The largest distance is 6 (abcd to xy: 4 + 2
    steps), so a neighbourhood of 0.2 is 1.2 steps. Within it: abcd has abd and abc (7 journeys),
    abd and abc have abcd (5; abd to abc is 2 steps), xy has itself (3).
    """
    paths = ["a b c d"] * 3 + ["a b d"] * 2 + ["a b c"] * 2 + ["x y"] * 3
    walks = list_walks(make_log([(f"c{i}", path) for i, path in enumerate(paths)]))
    found = find_representatives(walks, ["all"] * 4, coverage=0.9, neighbourhood=0.2)
    assert found.to_dict("list") == {
        "segment": ["all", "all"],
        "rank": [1, 2],
        "path": ["a > b > c > d", "x > y"],
        "n": [3, 3],
        "n_covered": [7, 10],
        "coverage_share": [0.7, 1.0],
        "radius": [pytest.approx(1.2)] * 2,
    }
    first = find_representatives(walks, ["all"] * 4, coverage=0.7, neighbourhood=0.2)
    assert first["rank"].tolist() == [1]
    exact = find_representatives(walks, ["all"] * 4, coverage=0.9, neighbourhood=0)
    assert exact["n_covered"].tolist() == [3, 6, 8, 10]  # ties: abcd is nearer to all than xy
    assert exact["path"].tolist()[:2] == ["a > b > c > d", "x > y"]


def test_representatives_are_of_their_segment_and_large_ones_first(make_log):
    """Each segment is told by a path of its own."""
    walks = list_walks(make_log([(f"c{i}", ("a b", "a c", "a c")[i % 3]) for i in range(30)]))
    found = find_representatives(walks, _label(walks, _by_last))
    assert found[["segment", "path", "n"]].to_numpy().tolist() == [
        ["c", "a > c", 20],
        ["b", "a > b", 10],
    ]


def test_coverage_is_counted_over_all_journeys_though_some_are_drawn(make_log, monkeypatch):
    """With 40 journeys drawn of 300 the counts are still those of all 300."""
    rng = np.random.default_rng(3)
    paths = [" ".join(rng.choice(list("abcde"), 5)) for _ in range(300)]
    walks = list_walks(make_log([(f"c{i}", path) for i, path in enumerate(paths)]))
    labels = ["all"] * len(walks.paths)
    monkeypatch.setattr("cxlib.journeys.kinds.describe.DRAWN", 40)
    found = find_representatives(walks, labels, coverage=0.5, neighbourhood=0.25)
    chosen = [path.replace(" > ", "") for path in found["path"]]
    radius = found["radius"].iloc[0]
    near = [
        (measure_distances(path, ["".join(p.split()) for p in paths]) <= radius) for path in chosen
    ]
    covered = np.logical_or.accumulate(near).sum(axis=1)
    assert found["n_covered"].tolist() == covered.tolist()
    again = find_representatives(walks, labels, coverage=0.5, neighbourhood=0.25)
    pd.testing.assert_frame_equal(found, again)


def test_planted_ways_are_the_representatives(make_log):
    """Ways with one step in ten left out: the whole way is the one that stands for them."""
    rng = np.random.default_rng(1)
    ways = {"buy": "ad web plan order install", "help": "faq chat phone visit"}
    walks = []
    for i in range(400):
        way = ways["buy" if i % 2 else "help"].split()
        kept = [name for name in way if rng.random() > 0.1] or way
        walks.append((f"c{i}", " ".join(kept)))
    listed = list_walks(make_log(walks))
    labels = _label(
        listed, lambda names: "buy" if set(names) & set(ways["buy"].split()) else "help"
    )
    first = find_representatives(listed, labels).drop_duplicates("segment")
    assert {row.segment: row.path.replace(" > ", " ") for row in first.itertuples()} == ways


def test_bad_shares_and_labels_are_refused(make_log):
    """The messages say what is expected."""
    walks = list_walks(make_log([("a", "x y"), ("b", "y")]))
    with pytest.raises(InputError, match=r"coverage = 25 is no share"):
        find_representatives(walks, ["k", "k"], coverage=25)
    with pytest.raises(InputError, match=r"neighbourhood = -1 is no share"):
        find_representatives(walks, ["k", "k"], neighbourhood=-1)
    with pytest.raises(InputError, match="1 labels for 2 distinct paths") as caught:
        code_segments(walks, ["k"])
    assert "fitted on the same walks" in caught.value.fix
