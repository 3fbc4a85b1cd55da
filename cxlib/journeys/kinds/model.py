"""What is needed to put other journeys to segments found once."""

from __future__ import annotations

from dataclasses import dataclass

from cxlib.journeys.kinds.features import Floats, Space, count_features, fold_walks, place_ways
from cxlib.journeys.walks import Walks


@dataclass(frozen=True)
class SegmentModel:
    """Segments as places in a space.

    Parameters
    ----------
    by : str
        What a step shows.
    left_out : list of str
        Places that do not tell journeys apart, such as the goal.
    space : Space
        Where ways lie.
    centres : ndarray of shape (segments, dimensions)
        Centres of the segments.
    names : list of str
        Their names, the commonest first.
    """

    by: str
    left_out: list[str]
    space: Space
    centres: Floats
    names: list[str]


def place_walks(walks: Walks, model: SegmentModel) -> Floats:
    """Place distinct paths, of the same journeys or of others, in the space of a model.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`, in the view of the model.
    model : SegmentModel
        From :func:`cxlib.journeys.fit_segments`.

    Returns
    -------
    ndarray of shape (paths, dimensions)
        Points on the unit sphere; the origin for paths without a touchpoint the model knows.
    """
    names = walks.places.names
    ways = fold_walks(walks, without=[i for i, n in enumerate(names) if n in model.left_out])
    return place_ways(count_features(ways), model.space)[ways.of_walk]
