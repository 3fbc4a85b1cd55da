"""What marks a kind of journey: touchpoints commoner or rarer in it, at equal length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse, stats

from cxlib.errors import TooLittleData
from cxlib.journeys.counts import (
    Floats,
    Ints,
    fetch_counts,
    hold_places,
    indicate,
    spread_counts,
)
from cxlib.journeys.kinds.describe import code_segments
from cxlib.journeys.walks import Walks
from cxlib.stats import adjust_p_values, normal_quantile

LENGTHS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30, 50)  # where a stratum of lengths begins


def measure_differences(
    walks: Walks, labels: Sequence[str], *, min_cell: int = 10, conf_level: float = 0.95
) -> pd.DataFrame:
    """Measure which touchpoints mark each kind of journey, at equal length.

    Parameters
    ----------
    walks : Walks
        From :func:`cxlib.journeys.list_walks`.
    labels : sequence of str
        Segment of each distinct path, in the order of `walks.paths`.
    min_cell : int, default 10
        A touchpoint is tested in a segment when at least so many journeys are expected to hold it
        there and elsewhere, and so many not to, if it made no difference.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per segment and touchpoint tested
        `segment`, `touchpoint`, `n` (the segment's journeys that hold it), `share` (of the
        segment's journeys), `other_share` (of all other journeys), `lift` (how many times as
        common as in other journeys of the same length), `conf_low`, `conf_high`, `p_value`,
        `q_value`, `n_tests`; large segments first, from what is most surely commoner in the
        segment to what is most surely rarer.

    Raises
    ------
    InputError
        When there is not one label for each path.
    TooLittleData
        When there is only one segment, or no touchpoint is common enough.

    Notes
    -----
    Long journeys hold more of everything, so journeys are compared within strata of the number of
    steps (1 to 7 each, then 8, 10, 12, 15, 20, 30 and 50 and more). With a of the n1 journeys of
    the segment and c of the n0 others in a stratum of N that hold the touchpoint, the lift is the
    Mantel-Haenszel risk ratio R / S, R = sum a n0 / N, S = sum c n1 / N. `lift` may differ from
    `share` / `other_share`, which are not at equal length.

    Interval and p-value invert one test: (R - lift S)^2 / (lift Q d) against chi-squared, with
    Q = sum (n1 n0 (a + c) - a c N) / N^2, the variance of Greenland and Robins, and d the design
    effect: the variance of the linearised R - lift S summed by customer, over that of independent
    journeys, never below 1. So a lift of 0 has an interval too. q-values correct over all rows
    (Benjamini-Hochberg), `n_tests` many.

    Touchpoints that defined the segments differ by construction: the table then describes the
    segments, it does not prove them. Open journeys count with the path so far.

    References
    ----------
    .. [1] S. Greenland, J. M. Robins (1985). Estimation of a common effect parameter from sparse
           follow-up data. Biometrics 41, 55-68.
    .. [2] T. Sato (1990). Confidence limits for the common odds ratio based on the asymptotic
           distribution of the Mantel-Haenszel estimator. Biometrics 46, 71-80.
    """
    segments, codes = code_segments(walks, labels)
    if len(segments) < 2:
        raise TooLittleData("There is one kind of journey only: nothing to compare it with.")
    strata = np.searchsorted(LENGTHS, walks.paths["letters"].str.len(), side="right") - 1
    group = codes * len(LENGTHS) + strata
    holds = hold_places(walks.paths["letters"], len(walks.places.names))
    cells = _count_cells(walks, group, holds, len(segments))
    table = _test_lifts(cells, min_cell)
    if table.empty:
        raise TooLittleData(f"No touchpoint is expected {min_cell} times on both sides.")
    table["design"] = _design_effects(walks, group, holds, cells, table)
    return _write_differences(table, segments, walks.places.names, conf_level)


def _count_cells(
    walks: Walks, group: Ints, holds: sparse.csr_array, n_segments: int
) -> dict[str, Floats]:
    """Count a, c, n1, n0 by segment, stratum and place, strata without a contrast left out."""
    n = walks.paths["n"].to_numpy(np.int64)
    shape = (n_segments, len(LENGTHS), holds.shape[1])
    by_group = indicate(group, shape[0] * shape[1]).multiply(n[:, None]).tocsr().T
    a = (by_group @ holds).toarray().reshape(shape).astype(float)
    n1 = by_group.sum(axis=1).reshape(*shape[:2], 1).astype(float)
    c, n0 = a.sum(axis=0) - a, n1.sum(axis=0) - n1
    total = np.maximum(n1 + n0, 1)
    both = (n1 > 0) & (n0 > 0)
    return {"a": a, "c": c, "n1": n1, "n0": n0, "total": total, "both": both}


def _test_lifts(cells: dict[str, Floats], min_cell: int) -> pd.DataFrame:
    """Sum over strata; keep what is expected often enough on both sides."""
    a, c, n1, n0, total, both = cells.values()
    held = np.where(both, a + c, 0) / total
    free = np.where(both, 1 - held, 0)
    sums = {
        "n": a.sum(axis=1),
        "size": np.broadcast_to(n1.sum(axis=1), a.sum(axis=1).shape),
        "n_other": c.sum(axis=1),
        "size_other": np.broadcast_to(n0.sum(axis=1), a.sum(axis=1).shape),
        "r": (a * n0 / total).sum(axis=1),
        "s": (c * n1 / total).sum(axis=1),
        "q": ((n1 * n0 * (a + c) - a * c * total) / total**2).sum(axis=1),
    }
    expected = [(part * side).sum(axis=1) for part in (held, free) for side in (n1, n0)]
    segment, place = np.nonzero(np.min(expected, axis=0) >= min_cell)
    table = pd.DataFrame({name: value[segment, place] for name, value in sums.items()})
    return table.assign(segment=segment, place=place)


def _design_effects(
    walks: Walks,
    group: Ints,
    holds: sparse.csr_array,
    cells: dict[str, Floats],
    table: pd.DataFrame,
) -> Floats:
    """Compare the variance over customers with that over journeys, for each lift.

    A journey adds `x * slope + level` to the linearised R - lift S, x telling whether it holds the
    touchpoint; both depend on its group (segment and stratum) only. So squares of sums over
    customers come from products of counts per customer and group.
    """
    n_groups = cells["n1"].size
    counts = fetch_counts(walks.journeys, "walk")
    by_customer = spread_counts(counts["n"], counts["customer"], counts["walk"], len(walks.paths))
    journeys = by_customer @ indicate(group, n_groups)
    held = holds.tocoo()
    column = held.col.astype(np.int64) * n_groups + group[held.row]
    size = holds.shape[1] * n_groups
    ones = np.ones(len(column), dtype=np.int64)
    spread = sparse.csr_array((ones, (held.row, column)), shape=(len(group), size))
    holding = (by_customer @ spread).tocsc()
    both = (holding.T @ journeys).tocsr()
    all_pairs = (journeys.T @ journeys).toarray()
    effects = np.ones(len(table))
    for place, rows in table.groupby("place").indices.items():
        own = slice(place * n_groups, (place + 1) * n_groups)
        pairs = (holding[:, own].T @ holding[:, own]).toarray()
        mixed = both[own].toarray()
        n_held, n_all = holding[:, own].sum(axis=0), journeys.sum(axis=0)
        for row in rows:
            segment, r, s = table.loc[row, ["segment", "r", "s"]]
            slope, level = _linearise(cells, int(segment), place, r / s if r * s > 0 else 1.0)
            clustered = slope @ pairs @ slope + 2 * slope @ mixed @ level
            clustered += level @ all_pairs @ level
            alone = n_held @ (slope + level) ** 2 + (n_all - n_held) @ level**2
            effects[row] = max(clustered / alone, 1.0)
    return effects


def _linearise(
    cells: dict[str, Floats], segment: int, place: int, lift: float
) -> tuple[Floats, Floats]:
    """Return what a journey of each group adds to R - lift S: by holding the place, and always."""
    a, c = cells["a"][segment, :, place], cells["c"][segment, :, place]
    n1, n0, total = (cells[name][segment, :, 0] for name in ("n1", "n0", "total"))
    rest = (a * n0 - lift * c * n1) / total
    slope = np.tile(-lift * n1 / total, (len(cells["n1"]), 1))
    level = np.tile((a - rest) / total, (len(cells["n1"]), 1))
    slope[segment], level[segment] = n0 / total, -(lift * c + rest) / total
    return slope.ravel(), level.ravel()


def _write_differences(
    table: pd.DataFrame, segments: list[str], places: list[str], conf_level: float
) -> pd.DataFrame:
    """Invert the test: the ends are the roots of (R - lift S)^2 = z^2 lift Q d."""
    r, s, variance = (table[name].to_numpy() for name in ("r", "s", "q"))
    variance = variance * table["design"].to_numpy()
    z = (r - s) / np.sqrt(variance)
    b = 2 * r * s + normal_quantile(conf_level) ** 2 * variance
    roots = b + np.sqrt(np.maximum(b**2 - 4 * (r * s) ** 2, 0))
    with np.errstate(divide="ignore"):  # nobody else holds it: as common as you like
        lift, high = r / s, roots / (2 * s**2)
    p_values = 2 * stats.norm.sf(np.abs(z))
    written = pd.DataFrame(
        {
            "segment": np.array(segments, dtype=object)[table["segment"]],
            "touchpoint": np.array(places, dtype=object)[table["place"]],
            "n": table["n"].astype(np.int64),
            "share": table["n"] / table["size"],
            "other_share": table["n_other"] / table["size_other"],
            "lift": lift,
            "conf_low": 2 * r**2 / roots,
            "conf_high": high,
            "p_value": p_values,
            "q_value": adjust_p_values(p_values),
            "n_tests": len(table),
        }
    )
    order = np.lexsort((written["touchpoint"], -z, table["segment"]))
    return written.iloc[order].reset_index(drop=True)
