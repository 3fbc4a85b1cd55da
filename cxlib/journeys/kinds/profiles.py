"""What sets segments apart: the touchpoints and the moves their journeys hold."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from cxlib.journeys.kinds.features import Ints, Ways
from cxlib.journeys.walks import read_letters

LEAD = 0.25  # how much commoner than elsewhere a touchpoint must be to name a segment


def profile_touchpoints(ways: Ways, labels: Ints) -> pd.DataFrame:
    """Count which share of each group holds a touchpoint, and where it comes.

    Parameters
    ----------
    ways : Ways
        From :func:`cxlib.journeys.kinds.features.fold_walks`.
    labels : ndarray of int, shape (ways,)
        Group of each way, from 0.

    Returns
    -------
    pandas.DataFrame, one row per group and touchpoint
        `group`, `touchpoint`, `share` of the group's journeys that hold it, `other_share` of all
        others, `place` of its first visit on average (0 first step, 1 last; empty where it does
        not occur).
    """
    codes, row = read_letters(ways.letters)
    return _profile(codes, row, np.array(ways.places, dtype=object), ways.n, labels)


def profile_moves(ways: Ways, labels: Ints) -> pd.DataFrame:
    """Count which share of each group holds a move from one touchpoint to the next.

    Parameters
    ----------
    ways : Ways
        From :func:`cxlib.journeys.kinds.features.fold_walks`.
    labels : ndarray of int, shape (ways,)
        Group of each way, from 0.

    Returns
    -------
    pandas.DataFrame, one row per group and move
        As :func:`profile_touchpoints`; `touchpoint` is ``a → b``.
    """
    codes, row = read_letters(ways.letters)
    same, size = row[1:] == row[:-1], len(ways.places)
    found, move = np.unique((codes[:-1] * size + codes[1:])[same], return_inverse=True)
    names = [f"{ways.places[pair // size]} → {ways.places[pair % size]}" for pair in found]
    return _profile(move.reshape(-1), row[1:][same], np.array(names, dtype=object), ways.n, labels)


def _profile(items: Ints, row: Ints, names: np.ndarray, n: Ints, labels: Ints) -> pd.DataFrame:
    size, groups = max(len(names), 1), int(labels.max()) + 1
    _, first = np.unique(row * size + items, return_index=True)
    item, way = items[first], row[first]
    steps = np.bincount(row, minlength=len(n))
    place = (first - (np.cumsum(steps) - steps)[way]) / np.maximum(steps[way] - 1, 1)
    cell = labels[way] * size + item
    held = np.bincount(cell, n[way], groups * size).reshape(groups, size)
    places = np.bincount(cell, n[way] * place, groups * size).reshape(groups, size)
    total = np.bincount(labels, n, groups)[:, None]
    others = n.sum() - total
    there = held.sum(axis=0) > 0
    shares = {
        "share": held / total,
        "other_share": (held.sum(axis=0) - held) / np.where(others > 0, others, np.nan),
        "place": places / np.where(held > 0, held, np.nan),
    }
    table = {name: values[:, there].ravel() for name, values in shares.items()}
    group = np.repeat(np.arange(groups), there.sum())
    names = np.tile(names[there], groups)
    return pd.DataFrame({"group": group, "touchpoint": names, **table})


def name_groups(ways: Ways, labels: Ints) -> list[str]:
    """Name groups by what sets them apart: one or two touchpoints, else who follows whom.

    Parameters
    ----------
    ways : Ways
        From :func:`cxlib.journeys.kinds.features.fold_walks`, without the goal.
    labels : ndarray of int, shape (ways,)
        Group of each way, from 0.

    Returns
    -------
    list of str
        Names, all different.
    """
    touchpoints = _rank_leads(profile_touchpoints(ways, labels))
    moves = _rank_leads(profile_moves(ways, labels))
    names = []
    for group in range(int(labels.max()) + 1):
        own = touchpoints[touchpoints["group"] == group]
        own = own[own["lead"] > max(own["lead"].max() / 2, LEAD)].head(2)
        names.append(" + ".join(own.sort_values(["place", "touchpoint"])["touchpoint"]))
    times = Counter(names)
    for group, name in enumerate(names):
        if not name or times[name] > 1:
            own = moves[moves["group"] == group]
            names[group] = own["touchpoint"].iloc[0] if len(own) else name or "others"
    times = Counter(names)
    numbers: Counter[str] = Counter()
    for group, name in enumerate(names):
        numbers[name] += 1
        if times[name] > 1:
            names[group] = f"{name} ({numbers[name]})"
    return names


def _rank_leads(profiles: pd.DataFrame) -> pd.DataFrame:
    leads = profiles.assign(lead=profiles["share"] - profiles["other_share"])
    leads = leads[leads["lead"] > 0]
    return leads.sort_values(["lead", "touchpoint"], ascending=[False, True])
