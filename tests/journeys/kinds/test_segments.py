"""Kinds of journey: found where planted, refused where there are none."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from cxlib.errors import InputError
from cxlib.journeys import add_journeys
from cxlib.journeys.kinds.centres import find_nearest
from cxlib.journeys.kinds.model import place_walks
from cxlib.journeys.kinds.segments import fit_segments
from tests.engines import load_frame

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


@pytest.fixture(scope="module")
def planted():
    """Return noisy journeys of four kinds, the kind of each, and the segments found."""
    walks, kinds = _draw_walks(1000, 1)
    rows = [
        (who, pd.Timestamp("2024-01-01") + pd.Timedelta(hours=hour), name, f"j{number:05d}")
        for number, (who, path) in enumerate(walks)
        for hour, name in enumerate(path.split())
    ]
    events = pd.DataFrame(rows, columns=["customer_id", "timestamp", "touchpoint", "journey_id"])
    log = add_journeys(ibis.duckdb.connect().create_table("events", events), as_of="2024-12-31")
    return log, kinds, fit_segments(log, n_resamples=20)


def _agreement(assignments: pd.DataFrame, kinds: list[str]) -> float:
    return adjusted_rand_score(kinds, assignments.sort_values("journey_id")["segment"])


def test_planted_kinds_are_found_and_stable(planted):
    """Four kinds come back, each stable, with shares that add up to one."""
    _log, kinds, found = planted
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
    found = planted[2]
    own = {frozenset(path.split()) for path in KINDS.values()}
    for row in found.segments.itertuples():
        assert any(set(row.segment.split(" + ")) <= names for names in own)
        assert any(set(row.representative.split(" > ")) <= names | set(NOISE) for names in own)
        assert 0 < row.representative_share <= 1
    top = found.profiles.drop_duplicates("segment")
    assert (top["share"] > top["other_share"]).all()


def test_same_seed_same_tables(make_log):
    """Row order and results repeat, whatever the order of the rows."""
    walks, _ = _draw_walks(400, 2)
    once = fit_segments(make_log(walks), n_resamples=3)
    again = fit_segments(make_log(walks), n_resamples=3)
    pd.testing.assert_frame_equal(once.segments, again.segments)
    pd.testing.assert_frame_equal(once.assignments, again.assignments)
    pd.testing.assert_frame_equal(once.quality, again.quality)


@pytest.mark.parametrize("seed", range(1))
def test_touchpoints_dealt_out_at_random_have_no_segments(make_log, seed):
    """One row `all` says why; every journey is assigned to it."""
    walks, _ = _draw_walks(600, seed)
    rng = np.random.default_rng(seed)
    names = rng.permutation([name for _, path in walks for name in path.split()])
    ends = np.cumsum([len(path.split()) for _, path in walks])[:-1]
    dealt = [
        (who, " ".join(part)) for (who, _), part in zip(walks, np.split(names, ends), strict=True)
    ]
    found = fit_segments(make_log(dealt), n_resamples=5)
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
def test_too_few_or_equal_journeys_are_one_segment(make_log, walks, why):
    """What cannot be grouped is not grouped, and the reason is given."""
    found = fit_segments(make_log(walks))
    assert found.segments["segment"].tolist() == ["all"]
    assert why in found.segments["verdict"].iloc[0]
    assert found.segments["share"].tolist() == [1]


def test_goal_does_not_define_the_kinds(make_log):
    """Journeys that differ only in the goal are alike, but their conversion is told."""
    walks = [(f"c{i}", "web chat" + " order" * (i % 2)) for i in range(100)]
    found = fit_segments(make_log(walks), goal="order")
    assert found.segments["segment"].tolist() == ["all"]
    assert found.segments["converted_share"].tolist() == [0.5]


def test_number_of_segments_may_be_asked_for(planted):
    """The number asked for is given, each segment with its own verdict."""
    found = fit_segments(planted[0], n_clusters=7, n_resamples=10)
    assert len(found.segments) == 7
    assert found.segments["verdict"].str.match("stable|weak|dissolves|no kind").all()
    assert not (found.segments["verdict"] == "stable").all()
    assert found.quality["n_clusters"].tolist() == [7]
    assert found.quality["chosen"].tolist() == [True]


def test_segments_asked_for_where_there_are_none_say_so(make_log):
    """Touchpoints at random, two segments asked for: the verdicts advise against them."""
    rng = np.random.default_rng(0)
    walks = [(f"c{i}", " ".join(rng.choice(list("abcdefgh"), 6))) for i in range(400)]
    found = fit_segments(make_log(walks), n_clusters=2, n_resamples=5)
    verdicts = set(found.segments["verdict"])
    assert len(found.segments) == 2
    assert all("do not name it" in verdict for verdict in verdicts)


def test_bad_numbers_of_segments_are_refused(make_log):
    """One segment is none, and there are no more kinds than different journeys."""
    log = make_log([(f"c{i}", ("web chat", "chat web")[i % 2]) for i in range(60)])
    with pytest.raises(InputError, match="1 segments cannot be told apart"):
        fit_segments(log, n_clusters=1)
    with pytest.raises(InputError, match="3 segments cannot be made of 2 different journeys"):
        fit_segments(log, n_clusters=3)


def test_evidence_lies_beside_each_segment(planted):
    """Resamples in which it dissolves, and how far other representations find it."""
    found = planted[2]
    assert (found.segments["dissolved_share"] == 0).all()
    assert found.agreement["representation"].value_counts().to_dict() == {"lcs": 4, "markov": 4}
    assert found.agreement["jaccard"].between(0, 1).all()
    lcs = found.agreement[found.agreement["representation"] == "lcs"]
    assert lcs["jaccard"].tolist() == found.segments["agreement"].tolist()
    assert lcs["segment"].tolist() == found.segments["segment"].tolist() == found.model.names


def test_a_segment_that_dissolves_says_how_often(make_log):
    """Far more segments than kinds: some are elsewhere in most resamples."""
    rng = np.random.default_rng(0)
    walks = []
    for i in range(600):
        kind = ("abcdefgh", "ijklmnop")[i % 2]
        walks.append((f"c{i}", " ".join(s for s in kind if rng.random() < 0.6) or kind[0]))
    found = fit_segments(make_log(walks), n_clusters=8, n_resamples=10)
    assert len(found.segments) == 8
    gone = found.segments[found.segments["verdict"].str.startswith("dissolves in ")]
    said = gone["verdict"].str.extract(r"dissolves in (\d+)% of resamples: do not name it")[0]
    assert len(gone)
    assert (said.astype(float) / 100).tolist() == pytest.approx(gone["dissolved_share"].tolist())
    assert (gone["stability"] < 0.6).all()


def test_the_model_puts_journeys_where_they_were(planted):
    """Paths, kinds, model and assignments tell the same."""
    found = planted[2]
    labels, distances = find_nearest(place_walks(found.walks, found.model), found.model.centres)
    assert labels.tolist() == found.kinds.tolist()
    assert (distances <= 2).all()
    n = np.bincount(found.kinds, found.walks.paths["n"])
    assert n.tolist() == found.segments["n"].tolist()
    counts = found.assignments["segment"].value_counts()
    assert counts.to_dict() == dict(
        zip(found.segments["segment"], found.segments["n"], strict=True)
    )


def test_facts_of_one_segment_by_hand(make_log):
    """Median of steps, open journeys and conversion count every journey, not every path."""
    walks = [("a", "web chat order"), ("a", "web"), ("b", "web"), ("c", "web chat")]
    found = fit_segments(make_log(walks), goal="order")
    row = found.segments.iloc[0]
    assert (row["n"], row["n_customers"], row["n_paths"]) == (4, 3, 3)
    assert (row["representative"], row["representative_share"]) == ("web", 0.5)
    assert (row["steps_median"], row["open_share"], row["converted_share"]) == (1.5, 0, 0.25)
    assert found.assignments["customer_id"].tolist() == ["a", "a", "b", "c"]
    assert sorted(found.assignments["journey_id"]) == [f"j{i:05d}" for i in range(4)]
    web = found.profiles[found.profiles["touchpoint"] == "web"].iloc[0]
    assert (web["segment"], web["share"], web["place"]) == ("all", 1, 0)


def test_views_other_than_the_touchpoint(make_events):
    """Kinds of ways through channels; staying in a channel is a way of several contacts."""
    rows = [
        (f"c{i:03d}", f"2024-01-01 {hour:02d}:00", name, channel)
        for i in range(120)
        for hour, (name, channel) in enumerate(
            [("site", "web"), ("faq", "web")]
            if i % 2
            else [("shop", "store"), ("call", "phone"), ("mail", "post")]
        )
    ]
    log = add_journeys(make_events(rows, "channel"), as_of="2024-12-31")
    found = fit_segments(log, by="channel", goal="faq", n_resamples=5)
    assert found.model.by == "channel"
    assert found.model.left_out == []
    assert sorted(found.segments["n"]) == [60, 60]
    assert found.segments.set_index("segment")["converted_share"].to_dict()["web"] == 1


@pytest.mark.engines
def test_every_engine_finds_the_same_segments(con):
    """Segments, assignments and evidence do not depend on the engine."""
    walks, _kinds = _draw_walks(150, 3)
    rows = [
        (who, pd.Timestamp("2024-01-01") + pd.Timedelta(hours=hour), name, f"j{number:05d}")
        for number, (who, path) in enumerate(walks)
        for hour, name in enumerate(path.split())
    ]
    events = pd.DataFrame(rows, columns=["customer_id", "timestamp", "touchpoint", "journey_id"])
    here, there = (
        fit_segments(
            add_journeys(load_frame(engine, events), as_of="2024-12-31"),
            goal="order",
            n_resamples=2,
        )
        for engine in (ibis.duckdb.connect(), con)
    )
    for name in ("segments", "assignments", "profiles", "quality", "agreement"):
        pd.testing.assert_frame_equal(
            getattr(here, name), getattr(there, name), check_dtype=False, rtol=1e-9, obj=name
        )


def test_kinds_planted_in_the_samples_come_back():
    """Four kinds, as planted, all stable."""
    import cxlib.data

    tables = cxlib.data.open_workbook("samples")
    found = fit_segments(add_journeys(tables.events, as_of=tables.as_of))
    truth = pd.read_csv("data/samples/truth_journeys.csv.gz", dtype=str)
    both = found.assignments.merge(truth, on=["customer_id", "journey_id"])
    assert len(both) > 0.99 * len(truth)
    assert adjusted_rand_score(both["kind"], both["segment"]) >= 0.8
    assert set(found.segments["verdict"]) == {"stable"}
    assert len(found.segments) == 4
