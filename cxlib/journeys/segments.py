"""Kinds of journey, with the evidence that they exist."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.errors import InputError
from cxlib.journeys.clusters import (
    MOST,
    STABLE,
    WEAK,
    Clusters,
    find_clusters,
    shuffled_silhouettes,
)
from cxlib.journeys.features import Ints, embed_paths, split_path
from cxlib.journeys.paths import find_goal, list_journeys
from cxlib.journeys.shares import count_shares
from cxlib.journeys.steps import ARROW

if TYPE_CHECKING:
    import ibis.expr.types as ir

FEWEST = 50  # journeys
LONGEST = 500  # steps of a journey that are looked at: robots must not set the pace
LEAD = 0.25  # how much commoner than elsewhere a touchpoint must be to name a segment


@dataclass(frozen=True)
class JourneySegments:
    """Kinds of journey and how far they can be trusted.

    Parameters
    ----------
    segments : pandas.DataFrame, one row per segment
        `segment`, `n` (journeys), `share`, `conf_low`, `conf_high`, `stability` (0-1), `verdict`,
        `representative` (its commonest path), `representative_share` (of the segment), and
        `n_customers`, `n_paths`, `steps_median`, `open_share`, with a goal `converted_share`.
    assignments : pandas.DataFrame, one row per journey
        `journey_id`, `customer_id`, `segment`.
    profiles : pandas.DataFrame, one row per segment and touchpoint
        `segment`, `touchpoint`, `share` of the segment's journeys that hold it, `other_share` of
        all others, and `place`, where it comes on average (0 first, 1 last).
    quality : pandas.DataFrame, one row per number of segments tried
        `n_clusters`, `silhouette`, `shuffled_silhouette` (the best of journeys without kinds),
        `stability_min`, `stability_mean` (by journeys), `smallest_share`, `chosen`.
    """

    segments: pd.DataFrame
    assignments: pd.DataFrame
    profiles: pd.DataFrame
    quality: pd.DataFrame


def fit_segments(
    steps: ir.Table,
    *,
    goal: str = "",
    n_clusters: int | None = None,
    n_resamples: int = 50,
    conf_level: float = 0.95,
    random_state: int = 0,
) -> JourneySegments:
    """Group journeys into kinds, and say whether the kinds are real.

    Parameters
    ----------
    steps : ibis Table, one row per event
        From :func:`cxlib.journeys.add_journeys`.
    goal : str, default ""
        A touchpoint or stage. What is the outcome must not define the kinds: touchpoints at the
        goal are left out of the features, and `converted_share` tells how the kinds differ in it.
    n_clusters : int, optional
        Number of segments, shown even where the evidence is against them (the verdicts say so);
        chosen by the evidence when not given.
    n_resamples : int, default 50
        Bootstrap resamples behind `stability`.
    conf_level : float, default 0.95
        Confidence level of the shares.
    random_state : int, default 0
        Seed.

    Returns
    -------
    JourneySegments
        With one segment ``all`` that holds every journey when there is no evidence of kinds.

    Raises
    ------
    InputError
        When `n_clusters` is below 2 or above the number of different journeys, or no event is at
        the goal.

    Notes
    -----
    k-means on :func:`~cxlib.journeys.features.embed_paths`, each distinct path weighted by its
    journeys. `stability` is the mean Jaccard similarity of a segment with its best match when
    journeys are drawn anew and grouped again (all journeys are put to the nearest new centre; the
    features stay). From 0.75 a segment is "stable", under 0.6 it dissolves.

    The number of segments, 2 to 8, is the smallest whose silhouette lies within 0.02 of the
    largest among those whose segments are all stable (when there is none, all above 0.6) and hold
    1 % of the journeys each. Its silhouette must beat the best, over all numbers of segments, of
    each of 19 data sets with the touchpoints dealt out anew over all journeys; otherwise there are
    no segments. So where touchpoints come at random, segments are found at most 1 time in 20.

    Of a journey the first 500 steps are looked at; open ones take part with the path so far.
    Intervals of shares are clustered by customer and take the segments as given.

    References
    ----------
    .. [1] C. Hennig (2007). Cluster-wise assessment of cluster stability. Computational Statistics
           & Data Analysis 52, 258-271.
    .. [2] P. J. Rousseeuw (1987). Silhouettes: a graphical aid to the interpretation and
           validation of cluster analysis. J. Computational and Applied Mathematics 20, 53-65.
    .. [3] M. Studer (2021). Validating sequence analysis typologies using parametric bootstrap.
           Sociological Methodology 51, 290-318.
    """
    from threadpoolctl import threadpool_limits

    if n_clusters is not None and n_clusters < 2:
        raise InputError(
            f"{n_clusters} segments cannot be told apart.",
            "parameter 'n_clusters'",
            "give 2 or more, or leave it out",
        )
    outcome = _touchpoints_at(steps, goal) if goal else []
    journeys = list_journeys(steps, goal=goal).to_pandas()
    journeys = journeys.sort_values(["customer_id", "journey_id"], ignore_index=True)
    codes, distinct = pd.factorize(journeys["path"], sort=True)
    paths, n = distinct.tolist(), np.bincount(codes)
    with threadpool_limits(1):  # sums in one order, so results repeat; faster on few points
        looked_at = [ARROW.join(path.split(ARROW, LONGEST)[:LONGEST]) for path in paths]
        clusters = _find_kinds(looked_at, n, outcome, n_clusters, n_resamples, random_state)
    labels = np.zeros_like(clusters.labels) if clusters.doubt else clusters.labels
    walks = [split_path(path) for path in paths]
    profiles = _profile(walks, n, labels)
    names = ["all"] if clusters.doubt else _name(walks, n, labels, outcome)
    journeys["segment"] = np.array(names, dtype=object)[labels[codes]]
    profiles["segment"] = np.array(names, dtype=object)[profiles["segment"]]
    segments = _describe(journeys, clusters, names, conf_level)
    rank = {name: i for i, name in enumerate(segments["segment"])}
    profiles = profiles.sort_values(
        ["segment", "share", "touchpoint"],
        ascending=[True, False, True],
        key=lambda column: column.map(rank) if column.name == "segment" else column,
        ignore_index=True,
    )
    assignments = journeys[["journey_id", "customer_id", "segment"]]
    return JourneySegments(segments, assignments, profiles, clusters.quality)


def _touchpoints_at(steps: ir.Table, goal: str) -> list[str]:
    if "event_touchpoint" in steps.columns:  # paths name channels, say, and those are no outcome
        return []
    at_goal = steps.filter(steps[find_goal(steps, goal)] == goal)
    return sorted(at_goal.select("touchpoint").distinct().to_pandas()["touchpoint"])


def _find_kinds(
    paths: list[str],
    n: Ints,
    outcome: list[str],
    n_clusters: int | None,
    n_resamples: int,
    random_state: int,
) -> Clusters:
    points = embed_paths(paths, n, without=outcome, random_state=random_state)
    n_spots = len(np.unique(points.round(9), axis=0)) if points.shape[1] else 1
    if n_clusters is not None and n_clusters > n_spots:
        raise InputError(
            f"{n_clusters} segments cannot be made of {n_spots} different journeys.",
            "parameter 'n_clusters'",
            "ask for fewer, or leave it out",
        )
    doubt = ""
    if n.sum() < FEWEST:
        doubt = f"fewer than {FEWEST} journeys are too few to look for kinds"
    elif n_spots < 2:
        doubt = "all journeys are alike"
    if doubt:
        return Clusters(np.zeros(len(paths), dtype=np.int64), np.ones(1), pd.DataFrame(), doubt)
    sizes = [n_clusters] if n_clusters else range(2, min(MOST, n_spots) + 1)
    seeds = {"random_state": random_state}
    shuffled = shuffled_silhouettes(paths, n, sizes=sizes, without=outcome, **seeds)
    found = find_clusters(
        points, n, shuffled=shuffled, sizes=sizes, n_resamples=n_resamples, **seeds
    )
    if n_clusters and found.doubt:  # asked for: shown with their verdicts all the same
        return replace(found, doubt="", quality=found.quality.assign(chosen=True))
    return found


def _profile(walks: list[list[str]], n: Ints, labels: Ints) -> pd.DataFrame:
    rows = []
    for walk, count, label in zip(walks, n, labels, strict=True):
        last = max(len(walk) - 1, 1)
        first = {name: i / last for i, name in reversed(list(enumerate(walk)))}
        rows += [(int(label), name, count, count * place) for name, place in first.items()]
    held = pd.DataFrame(rows, columns=["segment", "touchpoint", "n", "place"])
    held = held.groupby(["segment", "touchpoint"], sort=True).sum()
    grid = pd.MultiIndex.from_product(held.index.levels)
    held = held.reindex(grid, fill_value=0).reset_index()
    size = np.bincount(labels, n)
    rest = held.groupby("touchpoint")["n"].transform("sum") - held["n"]
    others = n.sum() - size[held["segment"]]
    return pd.DataFrame(
        {
            "segment": held["segment"],
            "touchpoint": held["touchpoint"],
            "share": held["n"] / size[held["segment"]],
            "other_share": rest / np.where(others, others, np.nan),
            "place": held["place"] / held["n"].where(held["n"] > 0),
        }
    )


def _name(walks: list[list[str]], n: Ints, labels: Ints, outcome: list[str]) -> list[str]:
    """Name segments by what sets them apart: one or two touchpoints, else who follows whom."""
    walks = [[name for name in walk if name not in outcome] for walk in walks]
    pairs = [[f"{a} → {b}" for a, b in pairwise(walk)] for walk in walks]
    touchpoints, moves = (_rank_leads(_profile(kind, n, labels)) for kind in (walks, pairs))
    names = []
    for segment in range(labels.max() + 1):
        own = touchpoints[touchpoints["segment"] == segment]
        own = own[own["lead"] > max(own["lead"].max() / 2, LEAD)].head(2)
        names.append(" + ".join(own.sort_values(["place", "touchpoint"])["touchpoint"]))
    times = Counter(names)
    for segment, name in enumerate(names):
        if not name or times[name] > 1:
            own = moves[moves["segment"] == segment]
            names[segment] = own["touchpoint"].iloc[0] if len(own) else name or "others"
    times = Counter(names)
    numbers: Counter[str] = Counter()
    for segment, name in enumerate(names):
        numbers[name] += 1
        if times[name] > 1:
            names[segment] = f"{name} ({numbers[name]})"
    return names


def _rank_leads(profiles: pd.DataFrame) -> pd.DataFrame:
    leads = profiles.assign(lead=profiles["share"] - profiles["other_share"])
    leads = leads[leads["lead"] > 0]
    return leads.sort_values(["lead", "touchpoint"], ascending=[False, True])


def _describe(
    journeys: pd.DataFrame, clusters: Clusters, names: list[str], conf_level: float
) -> pd.DataFrame:
    import ibis

    counts = journeys.groupby(["customer_id", "segment"]).size().reset_index(name="n")
    shares = count_shares(ibis.memtable(counts), of="segment", conf_level=conf_level)
    walked = journeys.groupby(["segment", "path"]).size().reset_index(name="k")
    walked = walked.sort_values(["k", "path"], ascending=[False, True])
    common = walked.groupby("segment").agg(
        representative=("path", "first"), k=("k", "first"), n_paths=("k", "size")
    )
    kinds = journeys.groupby("segment")
    facts = kinds.agg(steps_median=("n_steps", "median"), open_share=("is_open", "mean"))
    if "converted" in journeys:
        facts["converted_share"] = kinds["converted"].mean()
    stability = clusters.stability
    evidence = pd.DataFrame(
        {
            "stability": [stability.min()] if clusters.doubt else stability,
            "verdict": _judge(clusters),
        },
        index=pd.Index(names, name="segment"),
    )
    table = shares.set_index("segment").join([evidence, common, facts]).reset_index()
    table["representative_share"] = table["k"] / table["n"]
    first = ["segment", "n", "share", "conf_low", "conf_high", "stability", "verdict"]
    first += ["representative", "representative_share", "n_customers", "n_paths"]
    table = table.sort_values(["n", "segment"], ascending=[False, True], ignore_index=True)
    return table[[*first, *facts.columns]]


def _judge(clusters: Clusters) -> list[str]:
    if clusters.doubt:
        return [f"no segments here: {clusters.doubt}"]
    chosen = clusters.quality[clusters.quality["chosen"]].iloc[0]
    if chosen["silhouette"] <= chosen["shuffled_silhouette"]:
        return ["no clearer than chance: do not name it"] * len(clusters.stability)
    words = []
    for stability in clusters.stability:
        if stability >= STABLE:
            words.append("stable")
        elif stability >= WEAK:
            words.append("weak: its edges move when journeys are drawn anew")
        else:
            words.append("dissolves when journeys are drawn anew: do not name it")
    return words
