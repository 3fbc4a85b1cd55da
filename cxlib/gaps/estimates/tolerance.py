"""The zone of tolerance: between the least customers accept and what they wish for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.errors import CxError, InputError
from cxlib.gaps.estimates.design import Design
from cxlib.gaps.estimates.levels import Level, describe_members, list_levels, replace_values
from cxlib.gaps.levels import Pairs, pair_ratings
from cxlib.gaps.means import effective_numbers
from cxlib.gaps.ratings import Ratings
from cxlib.gaps.resample import sum_blocks
from cxlib.stats import Floats, adjust_p_values, wilson_interval

ROLES = ("minimum", "desired", "perception")
SURE = 0.80  # a place less certain than this is called undecided
_PLACES = ("below", "inside", "above")


def summarise_tolerance(
    ratings: Ratings,
    *,
    touchpoints: pd.DataFrame | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Place perceptions below, inside or above the zone between minimum and desired service.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`, with the roles minimum, desired and perception.
    touchpoints : pandas.DataFrame, optional, one row per touchpoint
        Columns `touchpoint`, `stage`; adds the level stage.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per level and name. Columns `level`, `name`, `text`, `n_items`, `n` (respondents
        who gave all three ratings of an item), `minimum`, `desired`, `perception`, `adequacy`
        (perception - minimum), `adequacy_low`, `adequacy_high`, `adequacy_q_value`, `superiority`
        (perception - desired), `superiority_low`, `superiority_high`, `superiority_q_value`,
        `n_tests`, `below_share`, `inside_share`, `above_share` (of respondents), each with ``_low``
        and ``_high``, `n_inverted` (respondents who desire less than their minimum), `p_below`,
        `p_inside`, `p_above` (probability of the mean's place), `verdict` (below, inside, above,
        undecided), `scale_min`, `scale_max`.

    Raises
    ------
    InputError
        When a role was never asked, the three differ in scale or direction, or it is not known when
        they were asked, see `pair_ratings`.
    TooLittleData
        When fewer than two respondents gave all three ratings of an item.

    Notes
    -----
    Everything is paired within the respondent, averaged, weighted and clustered as in
    `summarise_gaps`; adequacy and superiority of all rows are one Benjamini-Hochberg family. A
    respondent is inside when his or her mean perception lies between both means or on one of them.
    Where desired lies under minimum there is no zone: such respondents are in no share, but their
    ratings stay in the means, and `n_inverted` counts them. Shares have Wilson's interval at the
    effective number of respondents; few clusters are believed in part, as in
    `stats.clustered_share_size`.

    P(below) is the probability that the mean adequacy is negative, P(above) that the mean
    superiority is positive, by Student's law about the estimates; inside is the rest. The place
    with 80 % or more is the verdict.

    References
    ----------
    .. [1] V. A. Zeithaml, L. L. Berry, A. Parasuraman (1993). The nature and determinants of
           customer expectations of service. Journal of the Academy of Marketing Science 21, 1-12.
    .. [2] A. Parasuraman, V. A. Zeithaml, L. L. Berry (1994). Alternative scales for measuring
           service quality. Journal of Retailing 70, 201-230.
    """
    minimum, desired = _zone_pairs(ratings)
    design = Design.of(minimum.respondents, conf_level=conf_level)
    parts = [
        _place(level, desired.expectation, design)
        for level in list_levels(minimum, touchpoints=touchpoints)
    ]
    table = pd.concat(parts, ignore_index=True)
    tests = table[["adequacy_p_value", "superiority_p_value"]].to_numpy()
    q_values = adjust_p_values(tests.ravel()).reshape(tests.shape)
    table["adequacy_q_value"], table["superiority_q_value"] = q_values.T
    table["n_tests"] = int((~np.isnan(tests)).sum())
    for end in ("scale_min", "scale_max"):
        table[end] = minimum.items[end].max()
    return table[_TOLERANCE]


def _place(level: Level, desired: Floats, design: Design) -> pd.DataFrame:
    """Estimate the zone and the place of perception for the names of one level."""
    low = level.means
    high = replace_values(level, desired, level.pairs.perception)
    part = describe_members(level).drop(columns="item_share")
    part["minimum"] = design.average(low.expectation)
    part["desired"] = design.average(high.expectation)
    part["perception"] = design.average(low.perception)
    chance = {}
    for name, gap in (("adequacy", low.gap), ("superiority", high.gap)):
        table = design.estimate(gap)
        part["n"] = table["n"]
        part[name] = table["mean"]
        part[f"{name}_low"], part[f"{name}_high"] = table["conf_low"], table["conf_high"]
        part[f"{name}_p_value"] = table["p_value"]
        chance[name] = _chance_positive(table)
    part["p_below"] = 1 - chance["adequacy"]
    part["p_above"] = chance["superiority"]
    # the zone of the means may be inverted too; then below and above overlap and nothing is inside
    part["p_inside"] = np.clip(1 - part["p_below"] - part["p_above"], 0, None)
    part["verdict"] = _name_places(part)
    inverted = low.expectation > high.expectation + 1e-9
    part["n_inverted"] = (inverted & design.counts(low.gap)).sum(axis=0)
    return part.join(_shares(low.gap, high.gap, inverted, design))


def _chance_positive(table: pd.DataFrame) -> Floats:
    """Return the probability that a mean is above zero; where all agree it is sure."""
    t = table["mean"] / table["std_error"].where(table["std_error"].gt(0))
    chance = np.where(t.notna(), stats.t.cdf(t, table["degrees"]), np.nan)
    agreed = table["std_error"].eq(0)
    return np.where(agreed, np.heaviside(table["mean"], 0.5), chance)


def _name_places(part: pd.DataFrame) -> pd.Series:
    chances = part[[f"p_{place}" for place in _PLACES]].to_numpy()
    sure = chances >= SURE
    is_one = sure.sum(axis=1) == 1
    names = np.array(_PLACES, dtype=object)[sure.argmax(axis=1)]
    return pd.Series(np.where(is_one, names, "undecided"), index=part.index)


def _shares(
    adequacy: Floats, superiority: Floats, inverted: np.ndarray, design: Design
) -> pd.DataFrame:
    """Estimate the shares of respondents below, inside and above their own zone."""
    known = ~np.isnan(adequacy) & ~inverted
    below, above = adequacy < -1e-9, superiority > 1e-9
    columns = {}
    alike = _count_alike(known, design)
    for place, is_there in zip(_PLACES, (below, ~below & ~above, above), strict=True):
        values = np.where(known, is_there, np.nan)
        table = design.estimate(values)
        share, error = table["mean"].to_numpy(), table["std_error"].to_numpy()
        with np.errstate(invalid="ignore", divide="ignore"):
            size = np.where(error > 0, share * (1 - share) / error**2, alike)
            part = np.maximum(alike - 1, 0) / (alike + 2) if design.clusters else 1.0
            size = np.where(size > alike, alike + (size - alike) * part, size)
        low, high = wilson_interval(share, np.nan_to_num(size), conf_level=design.conf_level)
        columns[f"{place}_share"] = share
        columns[f"{place}_low"] = np.where(np.isnan(share), np.nan, low)
        columns[f"{place}_high"] = np.where(np.isnan(share), np.nan, high)
    return pd.DataFrame(columns)


def _count_alike(known: np.ndarray, design: Design) -> Floats:
    """Count respondents by their weights, or clusters that answer as one where there are some."""
    weight = np.where(known, design.weights[:, None], 0.0)
    parts = [sum_blocks(weight, codes) for codes in design.clusters] or [weight]
    return np.asarray(np.min([effective_numbers(part) for part in parts], axis=0))


def _zone_pairs(ratings: Ratings) -> tuple[Pairs, Pairs]:
    """Pair perception with minimum and with desired, of answers that have all three."""
    for role in ROLES:
        if role not in ratings.values:
            raise InputError(
                f"No answer has the role '{role}'; a zone of tolerance needs minimum, desired and "
                "perception.",
                f"table 'answers', roles {sorted(ratings.values)}",
                f"map the columns that hold the {role} to that role",
            )
    tables = [ratings.values[role] for role in ROLES]
    items = [name for name in tables[2].columns if all(name in table for table in tables)]
    sides = [table[items] for table in tables]
    known = sides[0].notna() & sides[1].notna() & sides[2].notna()
    cut = {role: side.where(known) for role, side in zip(ROLES, sides, strict=True)}
    return _pair_as_expectation(ratings, cut, "minimum"), _pair_as_expectation(
        ratings, cut, "desired"
    )


def _pair_as_expectation(ratings: Ratings, cut: dict[str, pd.DataFrame], role: str) -> Pairs:
    """Pair a role with perception, under all the checks an expectation is put to."""
    facts = ratings.items[ratings.items["role"].isin([role, "perception"])]
    # the role itself says what was expected
    facts = facts.assign(role=facts["role"].replace(role, "expectation"), expectation_type=role)
    values = {"expectation": cut[role], "perception": cut["perception"]}
    try:
        return pair_ratings(replace(ratings, items=facts, values=values))
    except CxError as error:
        raise type(error)(str(error).replace("expectation", role)) from None


_TOLERANCE = [
    *("level", "name", "text", "n_items", "n", "minimum", "desired", "perception"),
    *("adequacy", "adequacy_low", "adequacy_high", "adequacy_q_value"),
    *("superiority", "superiority_low", "superiority_high", "superiority_q_value", "n_tests"),
    *("below_share", "below_low", "below_high", "inside_share", "inside_low", "inside_high"),
    *("above_share", "above_low", "above_high", "n_inverted"),
    *("p_below", "p_inside", "p_above", "verdict", "scale_min", "scale_max"),
]
