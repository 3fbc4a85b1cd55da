"""Weights with which those who answered look like those who were invited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cxlib.gaps.groups import add_group, as_labels
from cxlib.gaps.ratings import Ratings
from cxlib.gaps.scores.frame import (
    Attribute,
    Base,
    code_waves,
    count_levels,
    lay_cells,
    list_attributes,
    open_frame,
    read_attribute,
    refuse_attribute,
    sum_start,
)
from cxlib.gaps.scores.linear import Calibration
from cxlib.gaps.scores.raking import design_effect, fit_margins, rake
from cxlib.gaps.scores.response import match_invitations
from cxlib.stats import Floats


@dataclass(frozen=True)
class Weighting:
    """Ratings with raked weights, and what was done to get them.

    Parameters
    ----------
    ratings : Ratings
        The ratings; `weight` of the respondents has the mean 1 among those in the frame of a wave
        and is 0 for those outside.
    margins : pandas.DataFrame, one row per wave, attribute and level
        Columns `wave`, `attribute`, `level`, `n_frame`, `n` (respondents), `response_share`,
        `target_share`, `raw_share`, `weighted_share`, `mean_weight`.
    attributes : pandas.DataFrame, one row per attribute that was thought of
        Columns `attribute`, `is_used`, `n_levels`, `n_joined` (rare levels joined to
        ``"(other)"``), `reason` (why it is not used, else empty).
    summary : pandas.DataFrame, one row per wave
        Columns `wave`, `n_frame`, `n`, `n_outside` (respondents who were not invited, weight 0),
        `design_effect` (Kish), `n_effective`, `lowest`, `highest` (weight), `n_trimmed`
        (respondents at the highest adjustment allowed), `largest_miss` (of a margin, as a share).
    calibration : Calibration
        What the weights were raked to, for standard errors.
    """

    ratings: Ratings
    margins: pd.DataFrame
    attributes: pd.DataFrame
    summary: pd.DataFrame
    calibration: Calibration


def weight_respondents(
    ratings: Ratings,
    invitations: pd.DataFrame,
    *,
    by: Sequence[str] = (),
    customers: pd.DataFrame | None = None,
    most: float = 5.0,
    min_cell: int = 10,
) -> Weighting:
    """Weight those who answered so that they look like those who were invited.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`, of one wave or of every wave; every wave is raked for itself.
    invitations : pandas.DataFrame, one row per invited respondent, or per respondent and wave
        Column `respondent_id`, attributes; optional `wave`, `customer_id`, `weight` (one over the
        chance of being invited).
    by : sequence of str, default ()
        Attributes to rake to; by default every attribute of the invitations with 2 to 20 values.
    customers : pandas.DataFrame, optional, one row per customer
        Column `customer_id` and attributes that `by` may name.
    most : float, default 5.0
        Highest adjustment of a weight, as a multiple of the average one.
    min_cell : int, default 10
        Fewest respondents of a level, in every wave; rarer levels are joined to ``"(other)"``.

    Returns
    -------
    Weighting
        Ratings with weights, the margins before and after, and what was left out and why. No
        attribute that can be used is no error: all weights then stay as they were.

    Raises
    ------
    InputError
        When an attribute is unknown, a starting weight is negative or missing, or invitations and
        answers do not meet.

    Notes
    -----
    Weights start from those of the answers, or of the invitations where the answers have none. An
    attribute is used if two of its levels have `min_cell` respondents, if there are `min_cell`
    respondents for every level of all attributes together, and if its margins can be met together
    with those of the attributes before it. Weighting repairs what non-response does to a score
    as far as, within the cells of these attributes, the silent are like those who answered.

    References
    ----------
    .. [1] G. Kalton, I. Flores-Cervantes (2003). Weighting methods. Journal of Official Statistics
           19, 81-97.
    """
    for name in by:
        if name not in invitations.columns:
            invitations = add_group(invitations, by=name, customers=customers)
    invited = match_invitations(ratings, invitations)
    base = open_frame(ratings, invited)
    chosen: list[Attribute] = []
    rows = []
    for name, reason in (dict.fromkeys(by, "") or list_attributes(invited.table)).items():
        if reason:
            rows.append((name, False, 0, 0, reason))
            continue
        attribute = read_attribute(base, invited, name, min_cell)
        reason = refuse_attribute(base, [*chosen, attribute], min_cell)
        rows.append((name, not reason, len(attribute.levels), attribute.n_joined, reason))
        if not reason:
            chosen.append(attribute)
    columns = ["attribute", "is_used", "n_levels", "n_joined", "reason"]
    return _weigh(base, chosen, pd.DataFrame(rows, columns=columns), most)


def weight_to_margins(
    ratings: Ratings, margins: pd.DataFrame, *, most: float = float("inf")
) -> Weighting:
    """Weight those who answered so that they look like a population of known margins.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`; the respondents have a column per attribute.
    margins : pandas.DataFrame, one row per attribute and level
        Columns `attribute`, `level`, `target` (a count or a share of the population).
    most : float, default inf
        Highest adjustment of a weight, as a multiple of the average one.

    Returns
    -------
    Weighting
        As `weight_respondents` gives it; nothing is known of response.

    Raises
    ------
    InputError
        As `rake` says.
    """
    waves, own_wave = code_waves(ratings)
    start = ratings.respondents["weight"].to_numpy(dtype=float)
    empty = np.zeros(0, dtype=np.intp)
    base = Base(ratings, waves, own_wave, start, empty, empty, np.zeros(0))
    for wave in range(len(waves)):
        part = base.inside & (own_wave == wave)
        rake(ratings.respondents[part], margins, weights=start[part], most=most)
    chosen = []
    for name, part in margins.groupby("attribute", sort=False):
        levels = list(as_labels(part["level"]))
        own = pd.Index(levels).get_indexer(as_labels(ratings.respondents[str(name)]))
        target = part["target"].to_numpy(dtype=float)
        targets = np.tile(target / target.sum(), (len(waves), 1))
        own = np.where(base.inside, own, -1)
        chosen.append(Attribute(str(name), levels, empty, own, targets))
    rows = [(a.name, True, len(a.levels), 0, "") for a in chosen]
    columns = ["attribute", "is_used", "n_levels", "n_joined", "reason"]
    return _weigh(base, chosen, pd.DataFrame(rows, columns=columns), most)


def _weigh(base: Base, chosen: list[Attribute], attributes: pd.DataFrame, most: float) -> Weighting:
    calibration, targets = lay_cells(base, chosen)
    inside, cells = base.inside, calibration.cells[base.inside]
    factors, off = fit_margins(calibration.levels, sum_start(calibration), targets, most=most)[:2]
    weights = np.zeros(len(inside))
    weights[inside] = base.start[inside] * factors[cells]
    n = np.bincount(base.own_wave[inside], minlength=len(base.waves))
    total = np.bincount(base.own_wave, weights=weights, minlength=len(base.waves))
    weights *= (n / np.where(total > 0, total, 1.0))[base.own_wave]
    at_most = np.zeros(len(inside), dtype=bool)
    at_most[inside] = factors[cells] >= most * (1 - 1e-9)
    respondents = base.ratings.respondents.assign(weight=weights)
    rows = []
    for code, wave in enumerate(base.waves):
        of_wave = base.own_wave == code
        own = weights[of_wave & inside]
        effect = design_effect(own) if len(own) else float("nan")
        n_frame = int(np.count_nonzero(base.frame_wave == code))
        row = (wave, n_frame, len(own), int((of_wave & ~inside).sum()), effect, len(own) / effect)
        rows.append((*row, own.min(initial=np.inf), own.max(initial=0.0), at_most[of_wave].sum()))
    columns = ["wave", "n_frame", "n", "n_outside", "design_effect", "n_effective"]
    summary = pd.DataFrame(rows, columns=[*columns, "lowest", "highest", "n_trimmed"])
    return Weighting(
        ratings=replace(base.ratings, respondents=respondents),
        margins=_list_margins(base, chosen, weights),
        attributes=attributes,
        summary=summary.assign(largest_miss=off),
        calibration=calibration,
    )


def _list_margins(base: Base, chosen: list[Attribute], weights: Floats) -> pd.DataFrame:
    parts = []
    inside, own_wave = base.inside, base.own_wave[base.inside]
    for a in chosen:
        shape = (len(base.waves), len(a.levels))
        own = a.own[inside]
        n = count_levels(own_wave, own, shape)
        weighted = count_levels(own_wave, own, shape, weights[inside])
        n_frame = (
            count_levels(base.frame_wave, a.frame, shape) if len(a.frame) else np.full(shape, 0)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            part = {
                "wave": np.repeat(base.waves, len(a.levels)),
                "attribute": a.name,
                "level": np.tile(a.levels, len(base.waves)),
                "n_frame": n_frame.ravel().astype(int),
                "n": n.ravel().astype(int),
                "response_share": (n / np.where(n_frame > 0, n_frame, np.nan)).ravel(),
                "target_share": a.targets.ravel(),
                "raw_share": (n / n.sum(axis=1, keepdims=True)).ravel(),
                "weighted_share": (weighted / weighted.sum(axis=1, keepdims=True)).ravel(),
                "mean_weight": (weighted / n).ravel(),
            }
        parts.append(pd.DataFrame(part))
    columns = ["wave", "attribute", "level", "n_frame", "n", "response_share", "target_share"]
    columns += ["raw_share", "weighted_share", "mean_weight"]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return table.sort_values(["wave", "attribute"], kind="stable", ignore_index=True)
