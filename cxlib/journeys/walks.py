"""Distinct paths: journeys that walk the same way are counted once, with their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.frames import to_table
from cxlib.journeys.chunks import split_customers, stack
from cxlib.journeys.log import JourneyLog, Places, add_places, find_contacts, find_places
from cxlib.schema import ARROW

if TYPE_CHECKING:
    import ibis.expr.types as ir

FIRST_LETTER = 0x10000  # a plane of letters without a meaning in patterns
Ints = NDArray[np.int64]
_BITS = 62  # of a whole number that an engine sums


@dataclass(frozen=True)
class Walks:
    """The distinct paths of a log in one view.

    Parameters
    ----------
    places : Places
        What a step shows.
    paths : pandas.DataFrame, one row per distinct path
        `letters` (one letter a step, :func:`letter` of its place), `n` (journeys), `n_open`,
        with a goal `n_converted`; the commonest first, then by letters. The index is `walk`.
    journeys : ibis Table, one row per journey
        `customer`, `journey`, `walk`, `is_open`, with a goal `is_converted` and `goal_step` (the
        first step at the goal, empty when there is none); stored.
    """

    places: Places
    paths: pd.DataFrame
    journeys: ir.Table


def list_walks(log: JourneyLog, *, by: str | Places = "touchpoint", goal: str = "") -> Walks:
    """List the distinct paths, and which journey walks which.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    by : str or Places, default "touchpoint"
        What a step shows: a view, or places of your own.
    goal : str, default ""
        A touchpoint, or a stage when no touchpoint has that name; journeys that hold it count as
        converted, whatever the view.

    Returns
    -------
    Walks
        Nothing is collapsed or cut: every step is a letter.

    Raises
    ------
    InputError
        When the view is unknown or no event is at the goal.

    Notes
    -----
    The engine packs as many steps as fit into one whole number, a few bits a step, the first step
    the largest: that keeps the order, sorts paths by their places and can be
    undone. Only the rest of longer paths is joined as text.
    """
    places = by if isinstance(by, Places) else find_places(log, by)
    bits = len(places.names).bit_length()  # codes from 1; 0 means no step
    at_goal = find_contacts(log.contacts, [goal])[0] if goal else None
    longest = int(log.journeys["n_steps"].max().to_pandas())
    keys = ["head"] if longest <= _BITS // bits else ["head", "tail"]
    steps = add_places(log.steps, places, place="contact")
    parts = split_customers(steps, log.cuts)
    packed = [_pack(part, bits, keys, at_goal).cache() for part in parts]
    counted = pd.concat([_count(part, keys) for part in packed])
    frame = counted.groupby(keys).sum().reset_index()  # in the order of the places
    frame = frame.sort_values("n", ascending=False, kind="stable", ignore_index=True)
    frame["letters"] = _unpack(frame, bits)
    numbers = to_table(frame[keys].rename_axis("walk").reset_index(), beside=steps)
    walked = [_number_walks(part, numbers, keys) for part in packed]
    for part in packed:  # what is stored holds on to what it was made from
        part.release()
    counts = ["n", "n_open", *(["n_converted"] if goal else [])]
    return Walks(places, frame[["letters", *counts]], stack(walked))


def _pack(steps: ir.Table, bits: int, keys: list[str], at_goal: Sequence[int] | None) -> ir.Table:
    """Pack the steps of every journey into the number `head`, and the rest into the text `tail`."""
    import ibis
    from ibis import _

    per_block = _BITS // bits
    shift = ((per_block - _.slot) * bits).cast("int32")
    packed = ((_.place + 1) << shift).sum().cast("int64")
    seen = {"is_open": _.is_open.sum() > 0}
    if at_goal is not None:
        seen["goal_step"] = _.step.min(where=_.contact.isin(at_goal))
    first = steps.filter(_.step <= per_block).mutate(slot=_.step.cast("int64"))
    heads = first.group_by("journey").agg(customer=_.customer.max(), head=packed, **seen)
    if "tail" not in keys:
        return heads
    later = steps.filter(_.step > per_block)
    later = later.mutate(
        block=(_.step - 1) // per_block, slot=(_.step.cast("int64") - 1) % per_block + 1
    )
    blocks = later.group_by("journey", "block").agg(packed=packed, **seen)
    # engines sort collected texts, but not all of them join texts in an order asked for
    numbered = _.block.cast("string").lpad(9, "0") + ":" + _.packed.cast("string").lpad(19, "0")
    texts = {"tail": numbered.collect().sort().join(" "), "ends_open": _.is_open.sum() > 0}
    if at_goal is not None:
        texts["later_goal"] = _.goal_step.min()
    tails = blocks.group_by("journey").agg(**texts)
    whole = heads.left_join(tails, "journey").drop("journey_right")
    whole = whole.mutate(
        tail=_.tail.fill_null(""), is_open=_.is_open | _.ends_open.fill_null(False)
    ).drop("ends_open")
    if at_goal is None:
        return whole
    return whole.mutate(goal_step=ibis.coalesce(_.goal_step, _.later_goal)).drop("later_goal")


def _count(journeys: ir.Table, keys: list[str]) -> pd.DataFrame:
    from ibis import _

    sums = {"n": _.count(), "n_open": _.is_open.sum()}
    if "goal_step" in journeys.columns:
        sums["n_converted"] = _.goal_step.count()
    return journeys.group_by(keys).agg(**sums).to_pandas()


def _unpack(frame: pd.DataFrame, bits: int) -> list[str]:
    """Write packed steps as letters."""
    heads = _spell(frame["head"].to_numpy(np.int64), bits)
    letters = heads.tolist()
    if "tail" not in frame:
        return letters
    long = frame.index[frame["tail"] != ""]
    tails = [[int(block[10:]) for block in tail.split()] for tail in frame.loc[long, "tail"]]
    blocks = np.array([block for tail in tails for block in tail], dtype=np.int64)
    words, at = _spell(blocks, bits).tolist(), 0
    for row, tail in zip(long, tails, strict=True):
        letters[row] += "".join(words[at : at + len(tail)])
        at += len(tail)
    return letters


def _spell(packed: Ints, bits: int) -> np.ndarray:
    per_block = _BITS // bits
    codes = packed[:, None] >> bits * np.arange(per_block)[::-1] & ((1 << bits) - 1)
    grid = np.where(codes > 0, codes - 1 + FIRST_LETTER, 0).astype(np.uint32)
    return np.ascontiguousarray(grid).view(f"<U{per_block}")[:, 0]


def _number_walks(journeys: ir.Table, numbers: ir.Table, keys: list[str]) -> ir.Table:
    from ibis import _

    numbered = journeys.join(numbers, keys)
    if "goal_step" in numbered.columns:
        numbered = numbered.mutate(is_converted=_.goal_step.notnull())
    keep = [name for name in ("is_open", "is_converted", "goal_step") if name in numbered.columns]
    return numbered.select("customer", "journey", "walk", *keep).cache()


def letter(place: int) -> str:
    """Return the letter of a place.

    Parameters
    ----------
    place : int
        Code of the place.

    Returns
    -------
    str
        One character.
    """
    return chr(FIRST_LETTER + place)


def spell(letters: str, places: Places) -> str:
    """Write a path in words.

    Parameters
    ----------
    letters : str
        One letter a step.
    places : Places
        What a step shows.

    Returns
    -------
    str
        Names joined by `` > ``.
    """
    return ARROW.join(places.names[ord(char) - FIRST_LETTER] for char in letters)


def read_letters(letters: Sequence[str]) -> tuple[Ints, Ints]:
    """Read paths as the codes of their places.

    Parameters
    ----------
    letters : sequence of str
        Paths, one letter a step.

    Returns
    -------
    tuple of ndarray of int
        The codes of all steps, and the path each belongs to.
    """
    text = "".join(letters).encode("utf-32-le")
    codes = np.frombuffer(text, dtype="<u4").astype(np.int64) - FIRST_LETTER
    sizes = np.fromiter(map(len, letters), np.int64, len(letters))
    return codes, np.repeat(np.arange(len(letters)), sizes)


def write_letters(codes: Ints, row: Ints, n_rows: int) -> list[str]:
    """Write codes as paths, the inverse of :func:`read_letters`.

    Parameters
    ----------
    codes : ndarray of int
        The codes of all steps.
    row : ndarray of int
        The path each belongs to, ascending.
    n_rows : int
        Number of paths; one without a step is an empty text.

    Returns
    -------
    list of str
        Paths, one letter a step.
    """
    text = (codes + FIRST_LETTER).astype("<u4").tobytes().decode("utf-32-le")
    ends = np.cumsum(np.bincount(row, minlength=n_rows)).tolist()
    return [text[start:end] for start, end in pairwise([0, *ends])]
