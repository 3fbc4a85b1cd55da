"""Kinds of journey, with the evidence that they exist."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import InputError
from cxlib.frames import to_table
from cxlib.journeys.kinds.clusters import DISSOLVED, STABLE, WEAK, Clusters, find_clusters
from cxlib.journeys.kinds.features import Ints, fold_walks
from cxlib.journeys.kinds.model import SegmentModel
from cxlib.journeys.kinds.profiles import name_groups, profile_touchpoints
from cxlib.journeys.log import JourneyLog, Places, find_contacts
from cxlib.journeys.shares import count_shares
from cxlib.journeys.walks import Walks, list_walks, spell


@dataclass(frozen=True)
class JourneySegments:
    """Kinds of journey and how far they can be trusted.

    Parameters
    ----------
    segments : pandas.DataFrame, one row per segment
        `segment`, `n` (journeys), `share`, `conf_low`, `conf_high`, `stability` (0-1), `verdict`,
        `representative` (its commonest path), `representative_share` (of the segment),
        `dissolved_share` (of the resamples), `agreement` (0-1, with the best match among groups
        by longest common subsequence; empty without segments), and `n_customers`, `n_paths`,
        `steps_median`, `open_share`, with a goal `converted_share`; the commonest first.
    assignments : pandas.DataFrame, one row per journey
        `journey_id`, `customer_id`, `segment`.
    profiles : pandas.DataFrame, one row per segment and touchpoint
        `segment`, `touchpoint`, `share` of the segment's journeys that hold it, `other_share` of
        all others, and `place`, where it comes on average (0 first, 1 last).
    quality : pandas.DataFrame, one row per number of segments tried
        `n_clusters`; `silhouette` and `lcs_silhouette`, in the space of features and on distances
        by longest common subsequence; `clarity`, the lesser of the two; `null_clarity`, the best
        of journeys without kinds; on distances by longest common subsequence `point_biserial`,
        `hubert_gamma`, `hubert_c` (small is good), `calinski_harabasz`; `smallest_share`;
        `lcs_agreement` and `markov_agreement`, adjusted Rand indices with the groups that other
        representations find; `stability_min` and `stability_mean` (by journeys), over 15 resamples;
        `holds`, whether the evidence bears so many; `chosen`.
    agreement : pandas.DataFrame, one row per segment and representation
        `segment`, `representation` (``lcs``, ``markov``), `jaccard` with its best match there.
    walks : Walks
        The distinct paths.
    kinds : ndarray of int, shape (paths,)
        Row of `segments` that each distinct path belongs to.
    model : SegmentModel
        What puts other journeys to these segments.
    """

    segments: pd.DataFrame
    assignments: pd.DataFrame
    profiles: pd.DataFrame
    quality: pd.DataFrame
    agreement: pd.DataFrame
    walks: Walks
    kinds: Ints
    model: SegmentModel


def fit_segments(
    log: JourneyLog,
    *,
    goal: str = "",
    by: str = "touchpoint",
    n_clusters: int | None = None,
    n_resamples: int = 50,
    conf_level: float = 0.95,
    random_state: int = 0,
) -> JourneySegments:
    """Group journeys into kinds, and say whether the kinds are real.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    goal : str, default ""
        A touchpoint or stage. What is the outcome must not define the kinds: touchpoints at the
        goal are left out of the features, and `converted_share` tells how the kinds differ in it.
    by : str, default "touchpoint"
        What a step shows; in other views than the touchpoint nothing is left out.
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
        When `n_clusters` is below 2 or above the number of different journeys, the view is
        unknown, or no event is at the goal.

    Notes
    -----
    k-means on the points of :func:`cxlib.journeys.kinds.features.place_ways`: touchpoints and the
    ordered pairs at most 3 steps apart, each distinct path weighted by its journeys. Journeys of
    one contact show no way: they form no kind, and go to the nearest one.

    The number of segments, 2 to 8, must hold in a representation the groups were not made from,
    the longest common subsequence of two journeys. `clarity` is the lesser of the silhouettes in
    the two. Segments count when (a) their clarity beats the best, over all numbers of segments,
    of each of 19 data sets with the touchpoints dealt out anew over all journeys, by more than
    0.02 (so touchpoints at random make segments at most 1 time in 20), (b) the groups that longest
    common subsequences find on their own agree with them (adjusted Rand index from 0.6), (c) each
    holds 1 % of the journeys, and (d) all are stable, or when no number has that, all above 0.6.
    Of the numbers that count (`holds`), the largest within 0.02 of the best clarity is chosen.

    `stability` is the mean Jaccard similarity of a segment with its best match when journeys are
    drawn anew and grouped again, `agreement` that with its best match among the groups by longest
    common subsequence; a segment is "stable" when both reach 0.75. `dissolved_share` is the share
    of resamples where the similarity is under 0.5. Silhouettes and agreements are means over 3
    draws of 700 journeys; groups are fitted to 20,000 journeys, resamples have 2,000 and data sets
    dealt out anew 400, when there are more.

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
    .. [4] L. Hubert, P. Arabie (1985). Comparing partitions. J. Classification 2, 193-218.
    """
    if n_clusters is not None and n_clusters < 2:
        raise InputError(
            f"{n_clusters} segments cannot be told apart.",
            "parameter 'n_clusters'",
            "give 2 or more, or leave it out",
        )
    walks = list_walks(log, by=by, goal=goal)
    outcome = _find_outcome(log, walks.places, goal)
    ways = fold_walks(walks, without=outcome)
    clusters = find_clusters(
        walks,
        ways,
        without=outcome,
        n_clusters=n_clusters,
        n_resamples=n_resamples,
        random_state=random_state,
    )
    chosen = not clusters.quality.empty and clusters.quality["chosen"].any()
    labels = clusters.labels if chosen else np.zeros_like(clusters.labels)
    order = np.argsort(-np.bincount(labels, ways.n), kind="stable")
    kinds = np.argsort(order)[labels[ways.of_walk]]
    names = name_groups(ways, labels) if chosen else ["all"]
    names = [names[group] for group in order]
    evidence, agreement = _weigh_evidence(clusters, order, names)
    segments = _describe(log, walks, kinds, names, conf_level).join(evidence, on="segment")
    first = ["segment", "n", "share", "conf_low", "conf_high", "stability", "verdict"]
    first += ["representative", "representative_share", "dissolved_share", "agreement"]
    return JourneySegments(
        segments[[*first, *[name for name in segments if name not in first]]],
        _assign(log, walks, kinds, names),
        _profile(walks, kinds, names),
        clusters.quality,
        agreement,
        walks,
        kinds,
        SegmentModel(
            by,
            [walks.places.names[code] for code in outcome],
            clusters.space,
            clusters.centres[order],
            names,
        ),
    )


def _find_outcome(log: JourneyLog, places: Places, goal: str) -> list[int]:
    if not goal or places.by != "touchpoint":  # a channel, say, is no outcome
        return []
    (at_goal,) = find_contacts(log.contacts, [goal])
    return sorted({int(code) for code in places.codes[at_goal]})


def _weigh_evidence(
    clusters: Clusters, order: Ints, names: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Judge each segment; without segments, the least stable group speaks for all."""
    stability = clusters.found.mean(axis=0)
    dissolved = (clusters.found < DISSOLVED).mean(axis=0)
    if names == ["all"]:
        evidence = {
            "stability": [stability.min()],
            "dissolved_share": [dissolved.max()],
            "agreement": [np.nan],
            "verdict": [f"no segments here: {clusters.doubt}"],
        }
        rows = pd.DataFrame({"segment": [], "representation": [], "jaccard": []})
        return pd.DataFrame(evidence, index=names), rows.astype({"jaccard": float})
    agreement = {name: matches[order] for name, matches in clusters.agreement.items()}
    evidence = pd.DataFrame(
        {
            "stability": stability[order],
            "dissolved_share": dissolved[order],
            "agreement": agreement["lcs"],
        },
        index=names,
    )
    measured = zip(*(evidence[name] for name in evidence), strict=True)
    evidence["verdict"] = [_judge(*values, doubt=clusters.doubt) for values in measured]
    rows = pd.DataFrame(agreement, index=pd.Index(names, name="segment")).stack(future_stack=True)
    return evidence, rows.rename_axis(["segment", "representation"]).reset_index(name="jaccard")


def _judge(stability: float, dissolved: float, agreement: float, *, doubt: str) -> str:
    if stability < WEAK and dissolved > 0:
        return f"dissolves in {dissolved:.0%} of resamples: do not name it"
    if doubt:
        return f"no kind: {doubt}; do not name it"
    if stability < STABLE:
        return "weak: its edges move when journeys are drawn anew"
    if not agreement >= STABLE:
        return "weak: comparing whole journeys draws other edges"
    return "stable"


def _describe(
    log: JourneyLog, walks: Walks, kinds: Ints, names: list[str], conf_level: float
) -> pd.DataFrame:
    from ibis import _

    lookup = pd.DataFrame({"walk": np.arange(len(kinds)), "kind": kinds})
    journeys = walks.journeys.join(to_table(lookup, beside=walks.journeys), "walk")
    counts = journeys.group_by("customer", "kind").agg(n=_.count())
    table = count_shares(counts, of="kind", cuts=log.cuts, conf_level=conf_level)
    paths = walks.paths.assign(kind=kinds)
    groups = paths.groupby("kind")
    sums = groups[[name for name in ("n", "n_open", "n_converted") if name in paths]].sum()
    top = groups.first()  # the commonest comes first
    table["representative"] = [spell(letters, walks.places) for letters in top["letters"]]
    table["representative_share"] = (top["n"] / sums["n"]).to_numpy()
    table["n_paths"] = groups.size().to_numpy()
    table["steps_median"] = [
        _weighted_median(own["letters"].str.len().to_numpy(), own["n"].to_numpy())
        for _kind, own in groups
    ]
    table["open_share"] = (sums["n_open"] / sums["n"]).to_numpy()
    if "n_converted" in sums:
        table["converted_share"] = (sums["n_converted"] / sums["n"]).to_numpy()
    table.insert(0, "segment", [names[kind] for kind in table.pop("kind")])
    return table


def _weighted_median(values: Ints, n: Ints) -> float:
    order = np.argsort(values, kind="stable")
    upto, total = np.cumsum(n[order]), int(n.sum())
    middle = np.searchsorted(upto, [(total + 1) // 2, total // 2 + 1])
    return float(values[order][middle].mean())


def _assign(log: JourneyLog, walks: Walks, kinds: Ints, names: list[str]) -> pd.DataFrame:
    """Name every journey's segment, by customer and in time, or by the name its source gave."""
    named = walks.journeys.join(log.ids, ["customer", "journey"])
    frame = named.select("customer", "journey", "walk", "journey_id", "customer_id").to_pandas()
    given = "source_id" in log.journeys.columns  # journeys that begin at once have no order
    order = ["customer", "journey_id"] if given else ["journey"]
    frame = frame.sort_values(order, ignore_index=True)
    frame["segment"] = np.array(names, dtype=object)[kinds[frame["walk"]]]
    return frame[["journey_id", "customer_id", "segment"]]


def _profile(walks: Walks, kinds: Ints, names: list[str]) -> pd.DataFrame:
    ways = fold_walks(walks)
    labels = np.zeros(len(ways.letters), dtype=np.int64)
    labels[ways.of_walk] = kinds  # paths that fold into one way are of one kind
    profiles = profile_touchpoints(ways, labels)
    profiles.insert(0, "segment", np.array(names, dtype=object)[profiles["group"]])
    profiles = profiles.sort_values(
        ["group", "share", "touchpoint"], ascending=[True, False, True], ignore_index=True
    )
    return profiles.drop(columns="group")
