"""How common themes are, overall and by group."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.gaps.comments.themes import Flags, Themes
from cxlib.gaps.groups import as_labels, natural_key
from cxlib.gaps.means import Codes
from cxlib.gaps.resample import assign_blocks, draw_counts, sum_blocks
from cxlib.schema import check_table
from cxlib.stats import (
    Floats,
    adjust_p_values,
    clustered_share_size,
    share_difference_interval,
    share_difference_p_values,
    wilson_interval,
)

NO_THEME = "(no theme)"
_LEAST_EXPECTED = 5.0
_N_DRAWS = 2_000


def summarise_themes(
    themes: Themes, *, conf_level: float = 0.95, random_state: int = 0
) -> pd.DataFrame:
    """Count the comments that mention each theme.

    Parameters
    ----------
    themes : Themes
        From `find_themes`.
    conf_level : float, default 0.95
        Confidence level.
    random_state : int, default 0
        Seed of the draws behind `p_commonest`.

    Returns
    -------
    pandas.DataFrame, one row per theme, then one for the comments that mention none
        Columns `theme`, `words`, `n` (comments that mention it), `share` (of all comments),
        `conf_low`, `conf_high`, `weight_share` (of what the comments say: weights instead of
        mentions), `p_commonest` (how often the theme is the commonest when customers are drawn
        anew; NaN of a single customer), `agreement`, `is_stable`.

    Notes
    -----
    Wilson intervals at the effective size of comments that come in clusters (several by one
    customer). A comment may mention several themes, so shares add up to more than 1.
    """
    silent = {"theme": NO_THEME, "words": "", "agreement": np.nan, "is_stable": True}
    rest = pd.DataFrame([silent | {"n": int(themes.is_unassigned.sum())}])
    table = pd.concat([themes.table, rest], ignore_index=True) if len(themes.table) else rest
    flags = np.column_stack([themes.mentions, themes.is_unassigned])
    weights = np.column_stack([themes.weights, themes.weights.sum(axis=1) == 0]).mean(axis=0)
    share, size, _ = count_shares(flags, themes.comments.clusters)
    low, high = wilson_interval(share, size, conf_level=conf_level)
    table = table.assign(share=share, conf_low=low, conf_high=high, weight_share=weights)
    table["p_commonest"] = [*_rank_first(themes, random_state), np.nan]
    columns = ["theme", "words", "n", "share", "conf_low", "conf_high", "weight_share"]
    columns += ["p_commonest", "agreement", "is_stable"]
    return table.astype({"n": int, "is_stable": bool})[columns]


def _rank_first(themes: Themes, random_state: int) -> Floats:
    """Compute how often each theme is the commonest when customers are drawn anew."""
    if not themes.names:
        return np.zeros(0)
    clusters = themes.comments.clusters
    blocks = assign_blocks(len(clusters), clusters=[clusters], random_state=random_state)
    sums = sum_blocks(themes.mentions.astype(float), blocks)
    if len(sums) < 2:  # one customer, drawn anew, is the same again
        return np.full(len(themes.names), np.nan)
    drawn = draw_counts(len(sums), _N_DRAWS, random_state) @ sums
    first = drawn == drawn.max(axis=1, keepdims=True)
    return np.asarray((first / first.sum(axis=1, keepdims=True)).mean(axis=0))


def compare_theme_groups(
    themes: Themes, *, by: str, min_cell: int = 10, conf_level: float = 0.95
) -> pd.DataFrame:
    """Compare how common themes are in each group with all other comments.

    Parameters
    ----------
    themes : Themes
        From `find_themes`.
    by : str
        Column of the comments.
    min_cell : int, default 10
        Groups of fewer comments are neither tested nor given shares.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame, one row per theme and group
        Columns `theme`, `group`, `n` (comments of the group), `n_mentions`, `share`, `conf_low`,
        `conf_high`, `difference` (share minus that of all other comments), `difference_low`,
        `difference_high`, `p_value`, `q_value`, `n_tests`, `is_stable`.

    Raises
    ------
    InputError
        When the comments have no such column.

    Notes
    -----
    z tests of two shares at effective sizes, Newcombe's intervals, one family of all themes and
    groups. No test is made where fewer than five mentions (or comments without) are expected.
    """
    table = themes.comments.table
    check_table(table, ("respondent_id", by), table="comments")
    labels = as_labels(table[by])
    clusters = themes.comments.clusters
    parts = [
        _compare(themes, labels.eq(group).to_numpy(), group, clusters, min_cell, conf_level)
        for group in sorted(set(labels), key=natural_key)
    ]
    found = pd.concat(parts, ignore_index=True)
    place = {name: i for i, name in enumerate(themes.names)}
    found = found.sort_values("theme", key=lambda names: names.map(place), kind="stable")
    p_values = found["p_value"].to_numpy(float)
    found = found.assign(
        q_value=adjust_p_values(p_values), n_tests=int((~np.isnan(p_values)).sum())
    )
    stable = dict(zip(themes.names, themes.table["is_stable"], strict=True))
    return found.assign(is_stable=found["theme"].map(stable)).reset_index(drop=True)


def _compare(
    themes: Themes, own: Flags, group: str, clusters: Codes, min_cell: int, conf_level: float
) -> pd.DataFrame:
    """Compare one group with the rest, theme by theme."""
    share, size, n = count_shares(themes.mentions[own], clusters[own])
    other, other_size, other_n = count_shares(themes.mentions[~own], clusters[~own])
    low, high = wilson_interval(share, size, conf_level=conf_level)
    ends = share_difference_interval(other, other_size, share, size, conf_level=conf_level)
    pooled = (share * n + other * other_n) / max(n + other_n, 1)
    p_values = share_difference_p_values(other, other_size, share, size, pooled=pooled)
    expected = np.minimum(pooled, 1 - pooled) * np.minimum(size, other_size)
    is_tested = expected >= _LEAST_EXPECTED
    numbers = {
        "share": share,
        "conf_low": low,
        "conf_high": high,
        "difference": share - other,
        "difference_low": ends[0],
        "difference_high": ends[1],
        "p_value": np.where(is_tested, p_values, np.nan),
    }
    known = {name: min(n, other_n) >= min_cell for name in numbers}
    known |= dict.fromkeys(("share", "conf_low", "conf_high"), n >= min_cell)
    told = {name: np.where(known[name], value, np.nan) for name, value in numbers.items()}
    n_mentions = themes.mentions[own].sum(axis=0)
    return pd.DataFrame(
        {"theme": themes.names, "group": group, "n": n, "n_mentions": n_mentions, **told}
    )


def count_shares(flags: Flags, clusters: Codes) -> tuple[Floats, Floats, int]:
    """Count flags of comments that come in clusters.

    Parameters
    ----------
    flags : ndarray of bool, comments x columns
        What is counted.
    clusters : ndarray of int, one per comment
        From `Comments.clusters`.

    Returns
    -------
    share, size : ndarray of float, one per column
        Share of the comments, and the effective number of comments behind it.
    n : int
        Number of comments.
    """
    n = len(flags)
    if not n:
        return np.zeros(flags.shape[1]), np.zeros(flags.shape[1]), 0
    codes = np.unique(clusters, return_inverse=True)[1]
    trials = np.bincount(codes).astype(float)
    hits = sum_blocks(flags.astype(float), codes)
    share = flags.mean(axis=0)
    sums = ((hits**2).sum(axis=0), trials @ hits, np.full(len(share), (trials**2).sum()))
    return share, clustered_share_size(share, np.full(len(share), n), *sums), n
