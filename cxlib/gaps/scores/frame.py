"""Respondents and the frame they come from, as cells of attributes with targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.gaps.groups import as_labels, natural_key
from cxlib.gaps.means import Codes
from cxlib.gaps.ratings import Ratings
from cxlib.gaps.scores.linear import Calibration
from cxlib.gaps.scores.raking import check_start, fit_margins
from cxlib.gaps.scores.response import Invited
from cxlib.stats import Floats

REST = "(other)"
_KEYS = ("respondent_id", "customer_id", "wave", "weight")
_LEVELS = (2, 20)  # fewest and most values of an attribute that is taken unasked


@dataclass(frozen=True)
class Attribute:
    """One attribute to weight by.

    Parameters
    ----------
    name : str
        Its column.
    levels : list of str
        Its values, rare ones joined.
    frame : ndarray of int, one per row of the frame
        Level there; empty where only margins are known.
    own : ndarray of int, one per respondent
        Level, -1 outside the frame.
    targets : ndarray of float, waves x levels
        Shares to meet.
    n_joined : int, default 0
        Values that were joined.
    """

    name: str
    levels: list[str]
    frame: Codes
    own: Codes
    targets: Floats
    n_joined: int = 0


@dataclass(frozen=True)
class Base:
    """Respondents and frame before any attribute is looked at.

    Parameters
    ----------
    ratings : Ratings
        The ratings.
    waves : list of str
        Waves in natural order.
    own_wave : ndarray of int, one per respondent
        Wave.
    start : ndarray of float, one per respondent
        Weight to start from, 0 outside the frame.
    rows, frame_wave, frame_weight : ndarray, one per row of the frame
        Row of the invitations (all of them once a wave, where they name none), wave and weight;
        empty where only margins are known.
    """

    ratings: Ratings
    waves: list[str]
    own_wave: Codes
    start: Floats
    rows: Codes
    frame_wave: Codes
    frame_weight: Floats

    @property
    def inside(self) -> np.ndarray:
        """Respondents in the frame."""
        return self.start > 0


def code_waves(ratings: Ratings) -> tuple[list[str], Codes]:
    """List the waves, and the wave of each respondent.

    Parameters
    ----------
    ratings : Ratings
        The ratings.

    Returns
    -------
    waves : list of str
        Waves in natural order.
    codes : ndarray of int, one per respondent
        Wave of each.
    """
    wave = ratings.respondents["wave"]
    waves = sorted(wave.unique(), key=natural_key)
    return waves, pd.Index(waves).get_indexer(wave)


def open_frame(ratings: Ratings, invited: Invited) -> Base:
    """Lay respondents and invited side by side.

    Parameters
    ----------
    ratings : Ratings
        The ratings.
    invited : Invited
        From `match_invitations`.

    Returns
    -------
    Base
        Start weights are those of the answers; where these are all alike, of the invitations.

    Raises
    ------
    InputError
        When a weight of the invitations is not above 0.
    """
    waves, own_wave = code_waves(ratings)
    parts = [np.flatnonzero(invited.of_wave(wave)) for wave in waves]
    rows = np.concatenate(parts)
    start = ratings.respondents["weight"].to_numpy(dtype=float)
    frame_weight = np.ones(len(rows))
    if "weight" in invited.table.columns:
        given = invited.table["weight"].to_numpy(dtype=float)
        check_start(given)
        frame_weight = given[rows]
        if len(np.unique(start)) == 1:
            start = given[invited.place]
    start = np.where(invited.place >= 0, start, 0.0)
    frame_wave = np.repeat(np.arange(len(waves)), [len(part) for part in parts])
    return Base(ratings, waves, own_wave, start, rows, frame_wave, frame_weight)


def list_attributes(invited: pd.DataFrame) -> dict[str, str]:
    """List the attributes of the invited, and why some are not for weighting.

    Parameters
    ----------
    invited : pandas.DataFrame
        One row per invited respondent.

    Returns
    -------
    dict of str to str
        By column, never ids, waves, weights or moments: empty for 2 to 20 values, else the reason.
    """
    reasons = {}
    for name in invited.columns.drop([key for key in _KEYS if key in invited.columns]):
        if not pd.api.types.is_datetime64_any_dtype(invited[name]):
            n = invited[name].nunique(dropna=False)
            reasons[str(name)] = ""
            if not _LEVELS[0] <= n <= _LEVELS[1]:
                reasons[str(name)] = "one value" if n < 2 else f"more than {_LEVELS[1]} values"
    return reasons


def read_attribute(base: Base, invited: Invited, name: str, min_cell: int) -> Attribute:
    """Read an attribute of frame and respondents, rare levels joined.

    Parameters
    ----------
    base : Base
        From `open_frame`.
    invited : Invited
        From `match_invitations`.
    name : str
        Column of the invitations.
    min_cell : int
        Fewest respondents of a level in every wave.

    Returns
    -------
    Attribute
        Levels, codes and targets.
    """
    labels = as_labels(invited.table[name])
    levels = sorted(labels.unique(), key=natural_key)
    code = pd.Index(levels).get_indexer(labels)
    own = np.where(base.inside, code[invited.place], -1)
    frame = code[base.rows]
    shape = (len(base.waves), len(levels))
    asked = count_levels(base.frame_wave, frame, shape)
    given = count_levels(base.own_wave[base.inside], own[base.inside], shape)
    least = np.where(asked > 0, given, np.inf).min(axis=0)
    rare = _find_rare(least, min_cell)
    if len(rare):
        kept = [i for i in range(len(levels)) if i not in rare]
        new = np.full(len(levels) + 1, len(kept))
        new[kept] = np.arange(len(kept))
        new[-1] = -1  # outside the frame
        levels, own, frame = [*(levels[i] for i in kept), REST], new[own], new[frame]
        shape = (len(base.waves), len(levels))
    targets = count_levels(base.frame_wave, frame, shape, base.frame_weight)
    targets = targets / targets.sum(axis=1, keepdims=True)
    return Attribute(name, levels, frame, own, targets, len(rare))


def count_levels(
    wave: Codes, code: Codes, shape: tuple[int, int], weights: Floats | None = None
) -> Floats:
    """Count, or sum weights, by wave and level.

    Parameters
    ----------
    wave, code : ndarray of int
        Wave and level of each row.
    shape : tuple of int
        Number of waves and of levels.
    weights : ndarray of float, optional
        What to sum; by default rows are counted.

    Returns
    -------
    ndarray of float, waves x levels
        Counts or sums.
    """
    cells = wave * shape[1] + code
    counts = np.bincount(cells, weights=weights, minlength=shape[0] * shape[1])
    return counts.astype(float).reshape(shape)


def _find_rare(count: Floats, min_cell: int) -> list[int]:
    """Find the levels to join: the rarest, until together they are not rare."""
    joined: list[int] = []
    total = 0.0
    for level in np.argsort(count, kind="stable"):
        if count[level] >= min_cell and (not joined or total >= min_cell):
            break
        joined.append(int(level))
        total += count[level]
    return joined


def refuse_attribute(base: Base, attributes: list[Attribute], min_cell: int) -> str:
    """Say why the last attribute cannot be used beside those before it.

    Parameters
    ----------
    base : Base
        From `open_frame`.
    attributes : list of Attribute
        Those in use, and the one to judge.
    min_cell : int
        Fewest respondents for every level.

    Returns
    -------
    str
        The reason, empty when it can be used.
    """
    fewest = int(np.bincount(base.own_wave[base.inside], minlength=len(base.waves)).min())
    if len(attributes[-1].levels) < 2:
        return f"fewer than two levels with {min_cell} respondents"
    needed = 1 + sum(len(attribute.levels) - 1 for attribute in attributes)
    if needed * min_cell > fewest:
        return f"too many levels for {fewest:,} respondents"
    calibration, targets = lay_cells(base, attributes)
    off = fit_margins(calibration.levels, sum_start(calibration), targets)[1]
    return "its margins cannot be met together with the others" if off > 1e-6 else ""


def lay_cells(base: Base, attributes: list[Attribute]) -> tuple[Calibration, Floats]:
    """Find the cells of frame and respondents, the margins they count in, and their targets.

    Parameters
    ----------
    base : Base
        Respondents and frame.
    attributes : list of Attribute
        Attributes that span the cells; with none, the waves do.

    Returns
    -------
    calibration : Calibration
        Cells and margins.
    targets : ndarray of float, one per margin
        In sums of starting weights.
    """
    n_waves = len(base.waves)
    frame, own = base.frame_wave, base.own_wave[base.inside]
    for a in attributes:
        frame = frame * len(a.levels) + (a.frame if len(a.frame) else 0)
        own = own * len(a.levels) + a.own[base.inside]
    known, code = np.unique(np.concatenate([frame, own]), return_inverse=True)
    cells = np.full(len(base.start), -1)
    cells[base.inside] = code[len(frame) :]
    rest, columns, targets = known, [], []
    total = np.bincount(base.own_wave, weights=base.start, minlength=n_waves).astype(float)
    sizes = [len(a.levels) for a in attributes]
    offsets = np.cumsum([0, *(n_waves * size for size in sizes)])
    parts = []
    for size in reversed(sizes):
        parts.append(rest % size)
        rest = rest // size
    for a, part, offset in zip(attributes, reversed(parts), offsets, strict=False):
        columns.append(offset + rest * len(a.levels) + part)
        targets.append((a.targets * total[:, None]).ravel())
    if not attributes:  # nothing but the waves themselves
        columns, targets = [rest], [total]
    shares = np.bincount(code[: len(frame)], weights=base.frame_weight, minlength=len(known))
    of_wave = np.bincount(rest, weights=shares, minlength=n_waves)[rest]
    shares = np.divide(shares, of_wave, out=np.zeros(len(known)), where=of_wave > 0)
    n_frame = np.bincount(base.frame_wave, minlength=n_waves).astype(float)
    n_frame[n_frame == 0] = np.inf
    levels = np.column_stack(columns)
    return Calibration(base.start, cells, levels, rest, shares, n_frame), np.concatenate(targets)


def sum_start(calibration: Calibration) -> Floats:
    """Sum the starting weights of every cell.

    Parameters
    ----------
    calibration : Calibration
        From `lay_cells`.

    Returns
    -------
    ndarray of float
        One sum per cell.
    """
    inside = calibration.cells >= 0
    codes, start = calibration.cells[inside], calibration.start[inside]
    return np.bincount(codes, weights=start, minlength=len(calibration.levels)).astype(float)
