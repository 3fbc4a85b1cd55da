"""Segments kept in a file, and other journeys put into them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.errors import InputError, TooLittleData
from cxlib.journeys.counts import Floats, Ints, hold_places
from cxlib.journeys.kinds.evidence import find_nearest
from cxlib.journeys.kinds.features import Space
from cxlib.journeys.kinds.model import SegmentModel, place_walks
from cxlib.journeys.log import JourneyLog
from cxlib.journeys.walks import Walks, list_walks
from cxlib.stats import clustered_share_size

if TYPE_CHECKING:
    from cxlib.journeys.kinds.segments import JourneySegments

NONE = "(none of these)"
VERSION = 1
WITHIN = 0.99  # of the journeys the segments were fitted on lie no farther from their centre


@dataclass(frozen=True)
class KeptSegments:
    """Segments as they were fitted, to put other journeys into.

    Parameters
    ----------
    model : SegmentModel
        Features and centres.
    places : list of str
        Touchpoints that were there, whatever the view.
    farthest : float
        Distance that 99 % of the journeys did not exceed.
    reference : pandas.DataFrame, one row per segment and ``(none of these)``
        From :func:`summarise_fit`, of the journeys the segments were fitted on.
    """

    model: SegmentModel
    places: list[str]
    farthest: float
    reference: pd.DataFrame


@dataclass(frozen=True)
class Assignments:
    """Journeys put into segments that were fitted on others.

    Parameters
    ----------
    journeys : pandas.DataFrame, one row per journey
        `journey_id`, `customer_id`, `is_open`, `segment` (``(none of these)`` when it is farther
        from every centre than 99 % of the journeys fitted, or holds nothing the segments tell apart
        by), `nearest` (the segment whose centre is nearest in any case), `distance` to that centre.
    unseen : pandas.DataFrame, one row per touchpoint that the fit did not know
        `touchpoint`, `n` (journeys that hold it), `share` (of all journeys); the commonest first.
    """

    journeys: pd.DataFrame
    unseen: pd.DataFrame


def keep_segments(segments: JourneySegments) -> KeptSegments:
    """Take from fitted segments what other journeys are put into them by.

    Parameters
    ----------
    segments : JourneySegments
        From :func:`cxlib.journeys.fit_segments`.

    Returns
    -------
    KeptSegments
        With the shares and distances of the closed journeys fitted, to compare with: open ones are
        not whole, and lie elsewhere for that.

    Raises
    ------
    TooLittleData
        When no kinds of journey were found.
    """
    model, walks = segments.model, segments.walks
    if len(model.names) < 2:
        raise TooLittleData("No kinds of journey were found, so there are none to keep.")
    label, nearest, distance, farthest = _place(walks, model)
    closed = walks.journeys.filter(~walks.journeys["is_open"])
    journeys = closed.group_by("customer", "walk").agg(n=closed.count())
    counts = journeys.to_pandas().sort_values(["customer", "walk"])
    walk, n = counts["walk"].to_numpy(np.int64), counts["n"].to_numpy(np.int64)
    frame = pd.DataFrame(
        {
            "customer_id": counts["customer"].to_numpy(),
            "segment": label[walk],
            "nearest": nearest[walk],
            "distance": distance[walk],
        }
    )
    reference = summarise_fit(frame, model.names, n=n)
    return KeptSegments(model, list(walks.places.names), farthest, reference)


def assign_segments(log: JourneyLog, kept: KeptSegments) -> Assignments:
    """Put journeys into segments that were fitted on others.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`, cut by the same rules.
    kept : KeptSegments
        From :func:`read_segments` or :func:`keep_segments`.

    Returns
    -------
    Assignments
        One row per journey, by customer and of one customer in time, and the touchpoints that the
        fit did not know.

    Raises
    ------
    InputError
        When the events lack the view of the segments.

    Notes
    -----
    The journeys a model was fitted on come back with the same `nearest`. Touchpoints that are new
    have no say: a journey is placed by what was known. `unseen` tells how many journeys that
    concerns.
    """
    model = kept.model
    walks = list_walks(log, by=model.by)
    label, nearest, distance, _ = _place(walks, model, kept.farthest)
    named = walks.journeys.select("journey", "walk", "is_open").join(log.ids, "journey")
    frame = named.select("journey", "customer_id", "journey_id", "walk", "is_open").to_pandas()
    frame = frame.sort_values("journey", ignore_index=True)
    walk = frame["walk"].to_numpy(np.int64)
    frame = frame[["journey_id", "customer_id", "is_open"]].assign(
        segment=label[walk], nearest=nearest[walk], distance=distance[walk]
    )
    return Assignments(frame, _count_unseen(walks, kept.places))


def summarise_fit(
    journeys: pd.DataFrame, names: list[str], *, n: Ints | None = None
) -> pd.DataFrame:
    """Summarise how common segments are and how well journeys fit them, by customer.

    Parameters
    ----------
    journeys : pandas.DataFrame, one row per journey or group of equal ones
        `customer_id`, `segment`, `nearest`, `distance`.
    names : list of str
        Segments.
    n : ndarray of int, optional
        Journeys of each row; 1 when not given.

    Returns
    -------
    pandas.DataFrame, one row per segment and ``(none of these)``
        `segment`, `n`, `share`, `size` (effective size of the share, of all journeys, clustered by
        customer), `distance` (mean to the centre, of all journeys nearest to it) and
        `distance_error`, its standard error clustered by customer; both empty for
        ``(none of these)`` and where fewer than two customers are.
    """
    from scipy import sparse

    labels = pd.Index([*names, NONE])
    n = np.ones(len(journeys), dtype=np.int64) if n is None else n
    customer, customers = pd.factorize(journeys["customer_id"])

    segment = labels.get_indexer(journeys["segment"])
    centre = labels.get_indexer(journeys["nearest"])

    def sum_by_customer(values: Ints | Floats, column: Ints) -> sparse.csr_array:
        """Sum values over the journeys of each customer, a column for each segment."""
        shape = (len(customers), len(labels))
        return sparse.csr_array((values, (customer, column)), shape=shape)

    counts = sum_by_customer(n, segment)
    total = counts.sum(axis=1)
    share = counts.sum(axis=0) / n.sum()
    squares = (counts * counts).sum(axis=0)
    size = clustered_share_size(share, n.sum(), squares, counts.T @ total, (total**2).sum())
    nearest = sum_by_customer(n, centre)
    walked, n_customers = nearest.sum(axis=0), (nearest > 0).sum(axis=0)
    far = n * journeys["distance"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sum_by_customer(far, centre).sum(axis=0) / walked
        apart = far - n * mean[centre]
        spread = (sum_by_customer(apart, centre) ** 2).sum(axis=0)
        error = np.sqrt(spread * n_customers / (n_customers - 1)) / walked
    return pd.DataFrame(
        {
            "segment": labels,
            "n": counts.sum(axis=0),
            "share": share,
            "size": size,
            "distance": np.where(n_customers > 1, mean, np.nan),
            "distance_error": np.where(n_customers > 1, error, np.nan),
        }
    )


def save_segments(segments: JourneySegments, path: str | Path) -> None:
    """Write segments to a file, so that later journeys are put into the same ones.

    Parameters
    ----------
    segments : JourneySegments
        From :func:`cxlib.journeys.fit_segments`.
    path : str or pathlib.Path
        The file, plain JSON; no customer is in it.

    Raises
    ------
    InputError
        When the folder does not exist.
    TooLittleData
        When no kinds of journey were found.
    """
    kept, path = keep_segments(segments), Path(path)
    if not path.parent.is_dir():
        raise InputError(
            f"There is no folder '{path.parent}'.", f"file '{path}'", "make it, or choose another"
        )
    model, features = kept.model, kept.model.space.features
    reference = kept.reference.astype(object).where(kept.reference.notna(), None)
    content = {
        "version": VERSION,
        "by": model.by,
        "left_out": list(model.left_out),
        "names": list(model.names),
        "places": kept.places,
        "farthest": kept.farthest,
        "features": features[["origin", "target", "weight"]].to_dict("list"),
        "components": model.space.components.tolist(),
        "centres": model.centres.tolist(),
        "reference": reference.to_dict("list"),
    }
    path.write_text(json.dumps(content, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def read_segments(path: str | Path) -> KeptSegments:
    """Read segments that were saved.

    Parameters
    ----------
    path : str or pathlib.Path
        From :func:`save_segments`.

    Returns
    -------
    KeptSegments
        The same numbers, to the last digit.

    Raises
    ------
    InputError
        When there is no such file, or it holds something else or another version.
    """
    path = Path(path)
    fix = f"write it with save_segments (version {VERSION})"
    if not path.is_file():
        raise InputError(f"There is no file '{path}'.", "saved journey segments", fix)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["version"]
        if version == VERSION:
            return _read(content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError("This file holds no journey segments.", f"file '{path}'", fix) from error
    raise InputError(f"The segments are of version {version!r}.", f"file '{path}'", fix)


def _read(content: dict) -> KeptSegments:
    features = pd.DataFrame(content["features"]).astype({"weight": float})
    components = np.array(content["components"], dtype=float).reshape(len(features), -1)
    centres = np.array(content["centres"], dtype=float)
    if centres.shape != (len(content["names"]), components.shape[1]):
        raise ValueError("centres do not fit the features")
    space = Space(features[["origin", "target", "weight"]], components)
    model = SegmentModel(
        by=content["by"],
        left_out=content["left_out"],
        space=space,
        centres=centres,
        names=content["names"],
    )
    reference = pd.DataFrame(content["reference"])
    numbers = ["share", "size", "distance", "distance_error"]
    reference = reference.astype({"n": np.int64, **dict.fromkeys(numbers, float)})
    return KeptSegments(model, content["places"], float(content["farthest"]), reference)


def _place(
    walks: Walks, model: SegmentModel, farthest: float | None = None
) -> tuple[np.ndarray, np.ndarray, Floats, float]:
    """Return segment, nearest centre and distance of each path, and what is too far."""
    points = place_walks(walks, model)
    nearest, distance = find_nearest(points, model.centres)
    if farthest is None:
        farthest = _find_farthest(distance, walks.paths["n"].to_numpy(np.int64))
    labels = np.array([*model.names, NONE], dtype=object)
    too_far = distance > farthest + 1e-9  # the last digits differ between machines
    too_far |= ~points.any(axis=1)
    return np.where(too_far, NONE, labels[nearest]), labels[nearest], distance, farthest


def _find_farthest(distance: Floats, n: Ints) -> float:
    order = np.argsort(distance, kind="stable")
    reached = np.cumsum(n[order])
    return float(distance[order][np.searchsorted(reached, WITHIN * reached[-1])])


def _count_unseen(walks: Walks, places: list[str]) -> pd.DataFrame:
    names, n = walks.places.names, walks.paths["n"].to_numpy(np.int64)
    holding = n @ hold_places(walks.paths["letters"], len(names))
    table = pd.DataFrame({"touchpoint": names, "n": holding})
    table["share"] = table["n"] / walks.paths["n"].sum()
    unseen = table[~table["touchpoint"].isin(places)]
    return unseen.sort_values(["n", "touchpoint"], ascending=[False, True], ignore_index=True)
