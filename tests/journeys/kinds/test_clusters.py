"""How many kinds the evidence bears, on simulated journeys whose kinds are known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from cxlib.errors import InputError
from cxlib.journeys.kinds.clusters import find_clusters
from cxlib.journeys.kinds.features import fold_walks
from cxlib.journeys.walks import list_walks

SCRIPTS = ["a b c d e f", "g h c i j k", "l m n o b p q", "r s t n u"]
SIZES = [0.45, 0.25, 0.18, 0.12]


def _simulate(n: int, kinds: int, seed: int, *, skip: float, noise: float = 0.1, alone: float = 0):
    """Draw journeys that skip steps, repeat some and put others in between."""
    rng = np.random.default_rng(seed)
    share = np.array(SIZES[:kinds]) / sum(SIZES[:kinds])
    truth = rng.choice(kinds, n, p=share)
    paths = []
    for kind in truth:
        steps = SCRIPTS[kind].split()
        path = [step for step in steps if rng.random() >= skip] or steps[:1]
        path = [step for step in path for _ in range(1 + int(rng.random() < 0.15))]
        path = [
            s
            for step in path
            for s in [step, rng.choice(list("abcgilnr"))][: 1 + (rng.random() < noise)]
        ]
        paths.append(" ".join(path[:1] if rng.random() < alone else path))
    return paths, truth


def _find(make_log, paths: list[str], **settings):
    walks = list_walks(make_log([(f"c{i:05d}", path) for i, path in enumerate(paths)]))
    ways = fold_walks(walks)
    clusters = find_clusters(walks, ways, **settings)
    journeys = walks.journeys.order_by("journey").to_pandas()
    return clusters, clusters.labels[ways.of_walk][journeys["walk"]]


@pytest.mark.parametrize(("kinds", "skip", "seed"), [(3, 0.2, 1), (4, 0.3, 3), (4, 0.4, 4)])
def test_skipped_steps_do_not_multiply_the_kinds(make_log, kinds, skip, seed):
    """Every step missing with probability 0.2 to 0.4: as many kinds as were planted."""
    paths, truth = _simulate(700, kinds, seed, skip=skip)
    clusters, labels = _find(make_log, paths, n_resamples=10)
    assert clusters.doubt == ""
    assert len(clusters.centres) == kinds
    assert adjusted_rand_score(truth, labels) >= 0.8
    assert clusters.found.mean(axis=0).min() >= 0.75
    assert clusters.agreement["lcs"].min() >= 0.75


def test_journeys_of_one_contact_form_no_kind(make_log):
    """Half the journeys are one contact: they join a kind instead of being kinds of their own."""
    paths, truth = _simulate(1000, 3, 6, skip=0.3, alone=0.5)
    clusters, labels = _find(make_log, paths, n_resamples=5)
    several = np.array([" " in path for path in paths])
    assert len(clusters.centres) == 3
    assert adjusted_rand_score(truth[several], labels[several]) >= 0.8


@pytest.mark.parametrize("seed", range(2))
def test_no_kinds_where_touchpoints_are_dealt_out(make_log, seed):
    """The same contacts in any order and journey: no groups, and why."""
    paths, _ = _simulate(400, 4, seed, skip=0.2)
    rng = np.random.default_rng(seed)
    steps = rng.permutation(" ".join(paths).split())
    ends = np.cumsum([len(path.split()) for path in paths])[:-1]
    dealt = [" ".join(part) for part in np.split(steps, ends)]
    clusters, _labels = _find(make_log, dealt, n_resamples=5)
    assert clusters.doubt
    assert not clusters.quality["holds"].any()
    assert not clusters.quality["chosen"].any()


def test_one_process_is_not_cut_into_kinds(make_log):
    """One Markov chain for all: its turns are no kinds."""
    rng = np.random.default_rng(3)
    rates = rng.dirichlet(np.full(10, 0.5), 10)
    paths = []
    for _ in range(500):
        walk = [rng.integers(10)]
        while rng.random() < 0.8:
            walk.append(rng.choice(10, p=rates[walk[-1]]))
        paths.append(" ".join(f"t{step}" for step in walk))
    clusters, _labels = _find(make_log, paths, n_resamples=5)
    assert "do not find the same groups" in clusters.doubt or "at random" in clusters.doubt


def test_quality_lists_the_evidence_of_every_number(make_log):
    """One row a number of groups; the clarity is the lesser silhouette, one row is chosen."""
    paths, _ = _simulate(500, 3, 7, skip=0.2)
    quality = _find(make_log, paths, n_resamples=4)[0].quality
    assert quality["n_clusters"].tolist() == list(range(2, 9))
    assert quality["clarity"].tolist() == pytest.approx(
        quality[["silhouette", "lcs_silhouette"]].min(axis=1).tolist()
    )
    assert not quality.isna().any(axis=None)
    assert quality["chosen"].sum() == 1
    assert quality.loc[quality["chosen"], "holds"].all()
    for name in ("lcs_agreement", "markov_agreement", "point_biserial", "hubert_gamma"):
        assert quality[name].between(-1, 1).all()


def test_more_groups_than_points_are_refused(make_log):
    """Ways that hold the same touchpoints and pairs lie at one point."""
    with pytest.raises(InputError, match="3 segments cannot be made of 2 different journeys"):
        _find(make_log, ["a b", "b a"] * 40, n_clusters=3)
