"""Segments kept and used again: the same journeys get the same segments."""

from __future__ import annotations

import json
from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

from cxlib.errors import InputError, TooLittleData
from cxlib.journeys import JourneyLog, add_journeys, list_walks
from cxlib.journeys.kinds.assign import (
    NONE,
    assign_segments,
    keep_segments,
    read_segments,
    save_segments,
    summarise_fit,
)
from cxlib.journeys.kinds.evidence import find_nearest
from cxlib.journeys.kinds.features import count_features, fit_space, fold_walks, place_ways
from cxlib.journeys.kinds.model import SegmentModel, place_walks

WAYS = {"buy": "ad web plan order install", "help": "faq chat phone visit", "shop": "tv shop till"}


def build_log(walks: list[tuple[str, str]]) -> JourneyLog:
    """Make a log of (customer, path) pairs in an engine of its own, to have several at once."""
    rows = [
        (customer, f"j{number:05d}", pd.Timestamp("2024-01-01") + pd.Timedelta(hours=hour), name)
        for number, (customer, path) in enumerate(walks)
        for hour, name in enumerate(path.split())
    ]
    columns = ["customer_id", "journey_id", "timestamp", "touchpoint"]
    events = ibis.duckdb.connect().create_table("events", pd.DataFrame(rows, columns=columns))
    return add_journeys(events, as_of="2024-12-31")


def draw_walks(n: int, seed: int, *, ways: dict[str, str] | None = None) -> list[tuple[str, str]]:
    """Draw journeys of three kinds, steps left out and put in; customers keep to a kind mostly."""
    ways = WAYS if ways is None else ways
    rng = np.random.default_rng(seed)
    walks = []
    for i in range(n):
        if i % 2 == 0:
            own = rng.integers(len(ways))
        kind = own if rng.random() < 0.7 else rng.integers(len(ways))
        way = list(ways.values())[kind].split()
        kept = [name for name in way if rng.random() < 0.85] or way
        kept += ["mail"] * (rng.random() < 0.2)
        walks.append((f"c{i // 2:04d}", " ".join(kept)))
    return walks


def fit_plainly(log: JourneyLog, *, n_clusters: int = 3) -> SimpleNamespace:
    """Fit segments without the evidence for them, which takes its time."""
    walks = list_walks(log)
    ways = fold_walks(walks)
    features = count_features(ways)
    space = fit_space(features, ways.n)
    points = place_ways(features, space)
    means = KMeans(n_clusters, n_init=5, random_state=0).fit(points, sample_weight=ways.n)
    centres = means.cluster_centers_
    names = ["one", "two", "three", "four"][:n_clusters]
    model = SegmentModel("touchpoint", [], space, centres, names)
    kinds = find_nearest(place_walks(walks, model), centres)[0]
    return SimpleNamespace(model=model, walks=walks, kinds=kinds)


@pytest.fixture(scope="module")
def fitted() -> SimpleNamespace:
    """Return three segments of 600 journeys, and their log."""
    log = build_log(draw_walks(600, 1))
    found = fit_plainly(log)
    found.log = log
    return found


def test_round_trip_gives_exactly_the_labels_of_the_fit(fitted, tmp_path):
    """Saved, read, used on the same log: every label and every number is the same."""
    path = tmp_path / "segments.json"
    save_segments(fitted, path)
    kept = read_segments(path)
    again = assign_segments(fitted.log, kept).journeys
    walks = fitted.walks.journeys.select("journey", "walk").to_pandas().set_index("journey")["walk"]
    ids = fitted.log.journeys.select("journey", "source_id").to_pandas().set_index("source_id")
    own = walks[ids["journey"]].to_numpy()
    expected = pd.Series(np.array(fitted.model.names)[fitted.kinds[own]], index=ids.index)
    assert again["nearest"].tolist() == expected[again["journey_id"]].tolist()
    assert set(again["nearest"]) == {"one", "two", "three"}
    far = again["segment"] != again["nearest"]
    assert set(again.loc[far, "segment"]) <= {NONE}
    assert far.mean() <= 0.01
    assert len(again) == 600
    before = keep_segments(fitted)
    assert before.farthest == kept.farthest
    np.testing.assert_array_equal(before.model.centres, kept.model.centres)
    np.testing.assert_array_equal(before.model.space.components, kept.model.space.components)
    pd.testing.assert_frame_equal(before.model.space.features, kept.model.space.features)
    pd.testing.assert_frame_equal(before.reference, kept.reference)
    pd.testing.assert_frame_equal(
        summarise_fit(again, kept.model.names).drop(columns=["distance", "distance_error"]),
        kept.reference.drop(columns=["distance", "distance_error"]),
    )


def test_file_is_plain_and_holds_no_customer(fitted, tmp_path):
    """JSON of numbers and names of touchpoints and segments."""
    path = tmp_path / "segments.json"
    save_segments(fitted, path)
    content = json.loads(path.read_text("utf-8"))
    assert content["version"] == 1
    assert content["names"] == ["one", "two", "three"]
    assert "c0001" not in path.read_text("utf-8")
    assert sum(content["reference"]["n"]) == 600


def test_codes_of_another_log_do_not_matter(fitted):
    """A few journeys with other touchpoints in front get the segments they had."""
    kept = keep_segments(fitted)
    names = dict(zip(*_label_paths(fitted, kept), strict=True))
    paths = list(WAYS.values())
    log = build_log([(f"n{i}", path) for i, path in enumerate([*paths, "aaa " + paths[0]])])
    again = assign_segments(log, kept)
    labels = again.journeys.sort_values("journey_id")["nearest"].tolist()
    assert labels == [names[paths[0]], names[paths[1]], names[paths[2]], names[paths[0]]]
    assert again.unseen.to_numpy().tolist() == [["aaa", 1, 0.25]]


def _label_paths(fitted, kept) -> tuple[list[str], list[str]]:
    journeys = assign_segments(fitted.log, kept).journeys
    steps = fitted.log.steps.join(fitted.log.journeys.select("journey", "source_id"), "journey")
    steps = steps.to_pandas().sort_values(["source_id", "step"])
    names = fitted.log.contacts.set_index("contact")["touchpoint"]
    paths = names[steps["contact"]].groupby(steps["source_id"].to_numpy()).agg(" ".join)
    return paths[journeys["journey_id"]].tolist(), journeys["nearest"].tolist()


def test_journeys_unlike_all_are_none_of_these(fitted):
    """Touchpoints the fit did not know leave nothing to go by; the nearest is still told."""
    kept = keep_segments(fitted)
    journeys = assign_segments(build_log([("a", "x y z"), ("b", WAYS["buy"])]), kept).journeys
    assert journeys["segment"].tolist()[0] == NONE
    assert journeys["segment"].tolist()[1] == journeys["nearest"].tolist()[1]
    assert journeys["nearest"].isin(kept.model.names).all()


def test_farthest_leaves_one_in_a_hundred():
    """Of 100 journeys at distances 1 to 100 one is farther than 99; ties are not."""
    from cxlib.journeys.kinds.assign import _find_farthest

    assert _find_farthest(np.arange(100.0) + 1, np.ones(100, dtype=np.int64)) == 99
    assert _find_farthest(np.array([2.0, 1.0]), np.array([2, 98])) == 2
    assert _find_farthest(np.array([2.0, 1.0]), np.array([1, 99])) == 1


def test_summary_by_hand():
    """Two customers, four journeys: share, size and the error of the mean by sums on paper."""
    journeys = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "b"],
            "segment": ["k", "k", "o", NONE],
            "nearest": ["k", "k", "k", "o"],
            "distance": [1.0, 2.0, 6.0, 9.0],
        }
    )
    table = summarise_fit(journeys, ["k", "o"]).set_index("segment")
    assert table["n"].to_dict() == {"k": 2, "o": 1, NONE: 1}
    assert table["share"].tolist() == [0.5, 0.25, 0.25]
    # k: x = 2, 0 and y = 2, 2: (4 - 2 * .5 * 4 + .25 * 8) / 16 = 1 / 8 against 1 / 4
    assert table.loc["k", "size"] == 2
    assert table.loc["k", "distance"] == 3
    # from the mean: customer a -2 - 1, b 3; (9 + 9) * 2 / 1 over 9
    assert table.loc["k", "distance_error"] == pytest.approx(2)
    assert table.loc[["o", NONE], ["distance", "distance_error"]].isna().all(axis=None)


def test_nothing_is_kept_where_no_kinds_were_found(tmp_path):
    """One segment `all` has no centre to go by."""
    model = SimpleNamespace(names=["all"])
    with pytest.raises(TooLittleData, match="No kinds of journey were found"):
        save_segments(SimpleNamespace(model=model, walks=None), tmp_path / "segments.json")


def test_files_that_cannot_be_used_are_refused(fitted, tmp_path):
    """Missing, foreign, broken, of another version: each is said, none is a traceback."""
    path = tmp_path / "segments.json"
    with pytest.raises(InputError, match="There is no file"):
        read_segments(path)
    save_segments(fitted, path)
    content = json.loads(path.read_text("utf-8"))
    for text in (
        "not json",
        "[1]",
        "{}",
        json.dumps({**content, "centres": [[1.0]]}),
        json.dumps({**content, "features": 3}),
        json.dumps({name: content[name] for name in content if name != "reference"}),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(InputError, match="holds no journey segments") as caught:
            read_segments(path)
        assert "save_segments" in caught.value.fix
    path.write_text(json.dumps({**content, "version": 99}), "utf-8")
    with pytest.raises(InputError, match="of version 99"):
        read_segments(path)
    with pytest.raises(InputError, match="There is no folder"):
        save_segments(fitted, tmp_path / "nowhere" / "segments.json")


def test_view_of_the_segments_must_be_there(fitted):
    """Segments of channels cannot be looked for where events have none."""
    kept = keep_segments(fitted)
    other = SimpleNamespace(**{**vars(kept), "model": SimpleNamespace(**vars(kept.model))})
    other.model.by = "channel"
    with pytest.raises(InputError, match="The view 'channel' is not a column"):
        assign_segments(build_log([("a", "x y")]), other)
