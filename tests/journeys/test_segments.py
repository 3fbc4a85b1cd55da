"""Kinds of journey: found where planted, refused where there are none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from cxlib.errors import InputError
from cxlib.journeys import fit_segments
from cxlib.journeys.clusters import find_clusters
from cxlib.journeys.features import embed_paths, shuffle_paths, split_path

KINDS = {
    "direct": "ad site plans order install mail",
    "loop": "app compare compare addon app review",
    "escalation": "help chat phone phone technician complaint",
    "store": "social comment shop buy referral",
}
NOISE = ["site", "app", "mail", "billing"]


def _draw_walks(n: int, seed: int) -> tuple[list[tuple[str, str]], list[str]]:
    """Draw noisy journeys: missing steps, repeats, detours, one in twenty a single contact."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(list(KINDS), n, p=[0.4, 0.2, 0.25, 0.15])
    walks = []
    for i, kind in enumerate(kinds):
        path = [name for name in KINDS[kind].split() if rng.random() < 0.85]
        path = [name for name in path for _ in range(1 + int(rng.random() < 0.2))]
        path = [
            x for name in path for x in ([name, rng.choice(NOISE)] * 1)[: 1 + (rng.random() < 0.1)]
        ]
        path = path or [KINDS[kind].split()[0]]
        if rng.random() < 0.05:
            path = path[:1]
        walks.append((f"c{i // 2:04d}", " ".join(path)))
    return walks, list(kinds)


@pytest.fixture
def planted(make_steps):
    """Return noisy journeys of four kinds and the kind of each."""
    walks, kinds = _draw_walks(1500, 1)
    return make_steps(walks), kinds


def _agreement(assignments: pd.DataFrame, kinds: list[str]) -> float:
    return adjusted_rand_score(kinds, assignments.sort_values("journey_id")["segment"])


def test_planted_kinds_are_found_and_stable(planted):
    """Four kinds come back, each stable, with shares that add up to one."""
    steps, kinds = planted
    found = fit_segments(steps, n_resamples=20)
    assert len(found.segments) == 4
    assert _agreement(found.assignments, kinds) >= 0.8
    assert set(found.segments["verdict"]) == {"stable"}
    assert (found.segments["stability"] >= 0.75).all()
    assert found.segments["share"].sum() == pytest.approx(1)
    inside = found.segments["share"].between(
        found.segments["conf_low"], found.segments["conf_high"]
    )
    assert inside.all()
    assert len(kinds) == len(found.assignments) == found.segments["n"].sum()
    assert found.quality["chosen"].sum() == 1
    assert list(found.segments["n"]) == sorted(found.segments["n"], reverse=True)
    assert found.assignments["segment"].isin(found.segments["segment"]).all()


def test_segments_are_named_by_what_sets_them_apart(planted):
    """Names hold touchpoints of the kind; the representative is its commonest path."""
    found = fit_segments(planted[0], n_resamples=5)
    own = {frozenset(path.split()) for path in KINDS.values()}
    for row in found.segments.itertuples():
        assert any(set(row.segment.split(" + ")) <= names for names in own)
        assert any(set(row.representative.split(" > ")) <= names | set(NOISE) for names in own)
        assert 0 < row.representative_share <= 1
    top = found.profiles.drop_duplicates("segment")
    assert (top["share"] > top["other_share"]).all()


def test_same_seed_same_tables(make_steps):
    """Row order and results repeat, whatever the order of the rows."""
    walks, _ = _draw_walks(400, 2)
    once = fit_segments(make_steps(walks), n_resamples=3)
    again = fit_segments(make_steps(walks), n_resamples=3)
    pd.testing.assert_frame_equal(once.segments, again.segments)
    pd.testing.assert_frame_equal(once.assignments, again.assignments)
    pd.testing.assert_frame_equal(once.quality, again.quality)


@pytest.mark.parametrize("seed", range(3))
def test_touchpoints_dealt_out_at_random_have_no_segments(make_steps, seed):
    """One row `all` says why; every journey is assigned to it."""
    walks, _ = _draw_walks(600, seed)
    rng = np.random.default_rng(seed)
    names = rng.permutation([name for _, path in walks for name in path.split()])
    ends = np.cumsum([len(path.split()) for _, path in walks])[:-1]
    dealt = [
        (who, " ".join(part)) for (who, _), part in zip(walks, np.split(names, ends), strict=True)
    ]
    found = fit_segments(make_steps(dealt), n_resamples=5)
    assert found.segments["segment"].tolist() == ["all"]
    assert found.segments["verdict"].iloc[0].startswith("no segments here: ")
    assert set(found.assignments["segment"]) == {"all"}
    assert len(walks) == len(found.assignments)
    assert not found.quality["chosen"].any()


@pytest.mark.parametrize(
    ("walks", "why"),
    [
        ([("a", "web chat"), ("b", "phone")], "fewer than 50 journeys"),
        ([(f"c{i}", "web chat") for i in range(60)], "all journeys are alike"),
        ([("a", "web chat")], "fewer than 50 journeys"),
    ],
)
def test_too_few_or_equal_journeys_are_one_segment(make_steps, walks, why):
    """What cannot be grouped is not grouped, and the reason is given."""
    found = fit_segments(make_steps(walks))
    assert found.segments["segment"].tolist() == ["all"]
    assert why in found.segments["verdict"].iloc[0]
    assert found.segments["share"].tolist() == [1]


def test_goal_does_not_define_the_kinds(make_steps):
    """Journeys that differ only in the goal are alike, but their conversion is told."""
    walks = [(f"c{i}", "web chat" + " order" * (i % 2)) for i in range(100)]
    found = fit_segments(make_steps(walks), goal="order")
    assert found.segments["segment"].tolist() == ["all"]
    assert found.segments["converted_share"].tolist() == [0.5]


def test_number_of_segments_may_be_asked_for(planted):
    """The number asked for is given, each segment with its own verdict."""
    found = fit_segments(planted[0], n_clusters=7, n_resamples=10)
    assert len(found.segments) == 7
    assert found.segments["verdict"].str.match("stable|weak|dissolves").all()
    assert found.quality["n_clusters"].tolist() == [7]
    assert found.quality["chosen"].tolist() == [True]


def test_segments_asked_for_where_there_are_none_say_so(make_steps):
    """Touchpoints at random, two segments asked for: the verdicts advise against them."""
    rng = np.random.default_rng(0)
    walks = [(f"c{i}", " ".join(rng.choice(list("abcdefgh"), 6))) for i in range(400)]
    found = fit_segments(make_steps(walks), n_clusters=2, n_resamples=5)
    verdicts = set(found.segments["verdict"])
    assert len(found.segments) == 2
    assert all("do not name it" in verdict for verdict in verdicts)


def test_bad_numbers_of_segments_are_refused(make_steps):
    """One segment is none, and there are no more kinds than different journeys."""
    steps = make_steps([(f"c{i}", ("web", "chat")[i % 2]) for i in range(60)])
    with pytest.raises(InputError, match="1 segments cannot be told apart"):
        fit_segments(steps, n_clusters=1)
    with pytest.raises(InputError, match="3 segments cannot be made of 2 different journeys"):
        fit_segments(steps, n_clusters=3)


def test_repeats_and_the_goal_are_left_out_of_features():
    """A path with a touchpoint visited ten times lies where the path visiting it once lies."""
    assert split_path("a > a > b > a", without=["b"]) == ["a"]
    paths = ["a > b", "a > a > a > b", "c > d"]
    points = embed_paths(paths, np.array([10, 10, 10]))
    assert points[0] == pytest.approx(points[1])
    assert points[0] @ points[2] == pytest.approx(0)
    assert embed_paths(["g", "g > g"], np.array([5, 5]), without=["g"]).shape == (2, 0)


def test_shuffling_keeps_lengths_and_touchpoints():
    """Dealing out anew changes the order only."""
    paths, counts = shuffle_paths(
        ["a > a > b"], np.array([4]), size=20, rng=np.random.default_rng(0)
    )
    names = [name for path, n in zip(paths, counts, strict=True) for name in path.split(" > ") * n]
    assert (names.count("a"), names.count("b")) == (40, 20)
    assert {len(path.split(" > ")) for path in paths} == {3}


def test_stability_of_two_far_groups_is_one():
    """Two points far apart, ten journeys each, are found again in every resample."""
    points = np.array([[1.0, 0.0], [0.0, 1.0]])
    shuffled = pd.Series([0.1], index=[2])
    found = find_clusters(points, np.array([10, 10]), shuffled=shuffled, sizes=[2], n_resamples=5)
    assert found.stability.tolist() == [1, 1]
    assert found.quality["silhouette"].tolist() == [1]
    assert found.doubt == ""
    unclear = find_clusters(
        points, np.array([10, 10]), shuffled=shuffled + 1, sizes=[2], n_resamples=5
    )
    assert "at random" in unclear.doubt
