"""How employees' answers are spread beside the customers': distributions and shares."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from cxlib.gaps.delivery.beliefs import Beliefs, average_items, level_items
from cxlib.gaps.means import Codes, estimate_means
from cxlib.stats import Floats, clustered_share_interval

ABOVE, BELOW, TOP = "above the customers' interval", "below the customers' interval", "top two"


def summarise_calibration(
    beliefs: Beliefs, *, level: str = "item", conf_level: float = 0.95
) -> pd.DataFrame:
    """Count the employees who rate above what customers say, and who gives top marks.

    Parameters
    ----------
    beliefs : Beliefs
        From `pair_beliefs`.
    level : {"item", "dimension", "touchpoint", "total"}, default "item"
        What to average over.
    conf_level : float, default 0.95
        Confidence level, also of the interval of the customers' mean.

    Returns
    -------
    pandas.DataFrame
        Four rows per name. Columns `level`, `name`, `source` (employee, customer), `reading`
        (above the customers' interval, below the customers' interval, top two), `n`, `share`,
        `conf_low`, `conf_high`, `limit` (the rating above or below which, or from which on, the
        answers are counted).

    Notes
    -----
    The customers' interval is that of their mean; where it is missing (fewer than two customers)
    the shares beside it are missing too. Employees who on average are right, and differ about
    it, lie above it as often as below: about half each, so a share is high when it is well above
    one half and the share below is small. On whole-number scales one answer may decide much: with
    customers at 4.9, everybody who answers 5 lies above.

    The top two are ratings of at least one below the end of the scale (6 and 7 of 1 to 7), for
    employees and customers alike: two shares on one question, which the well-known "80 % of
    companies, 8 % of customers" are not. Above the item it is the mean over respondents of the
    share of their ratings that are. Shares have Wilson's interval at the effective sample
    size of clustered and weighted answers; the limit is taken as given.

    References
    ----------
    .. [1] J. Allen, F. F. Reichheld, B. Hamilton, R. Markey (2005). Closing the delivery gap. Bain
           & Company.
    """
    names, member = level_items(beliefs, level)
    believed = average_items(beliefs.belief, member)
    perceived = average_items(beliefs.perception, member)
    people = _people(beliefs)
    means = estimate_means(
        perceived,
        weights=beliefs.customers["weight"].to_numpy(dtype=float),
        clusters=beliefs.customer_clusters,
        conf_level=conf_level,
    )
    high, low = means["conf_high"].to_numpy(), means["conf_low"].to_numpy()
    first = beliefs.items["scale_max"].max() - 1
    top = np.full(len(names), first)
    marks = [
        average_items(np.where(np.isnan(ratings), np.nan, ratings >= first), member)
        for ratings in (beliefs.belief, beliefs.perception)
    ]
    parts = []
    for source, reading, values, limit, hits in (
        ("employee", ABOVE, believed, high, believed > high),
        ("employee", BELOW, believed, low, believed < low),
        ("employee", TOP, believed, top, marks[0]),
        ("customer", TOP, perceived, top, marks[1]),
    ):
        known = ~np.isnan(values) & ~np.isnan(limit)
        counted = np.where(known, hits, np.nan)
        part = share_columns(*people[source], counted, conf_level=conf_level)
        part.insert(0, "name", names)
        parts.append(part.assign(level=level, source=source, reading=reading, limit=limit))
    table = pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)
    columns = ["level", "name", "source", "reading", "n", "share", "conf_low", "conf_high", "limit"]
    return table[columns]


def count_ratings(beliefs: Beliefs, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Count how employees' and customers' answers are spread over the scale of each item.

    Parameters
    ----------
    beliefs : Beliefs
        From `pair_beliefs`.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per item, source and value that anybody gave. Columns `item`, `source` (employee,
        customer), `value`, `n` (answers of the source to the item), `share`, `conf_low`,
        `conf_high`.

    Notes
    -----
    Intervals as in `summarise_calibration`.
    """
    parts = []
    given = np.unique(np.concatenate([beliefs.belief.ravel(), beliefs.perception.ravel()]))
    values = given[~np.isnan(given)]
    people = _people(beliefs)
    for source, ratings in (("employee", beliefs.belief), ("customer", beliefs.perception)):
        for value in values:
            hits = np.where(np.isnan(ratings), np.nan, ratings == value)
            part = share_columns(*people[source], hits, conf_level=conf_level)
            part.insert(0, "item", beliefs.items["item"].to_numpy())
            parts.append(part.assign(source=source, value=value, _item=range(len(part))))
    table = pd.concat(parts, ignore_index=True)
    table = table.sort_values(["_item", "source", "value"], ignore_index=True)
    return table[["item", "source", "value", "n", "share", "conf_low", "conf_high"]]


def _people(beliefs: Beliefs) -> dict[str, tuple[Floats, list[Codes]]]:
    return {
        "employee": (beliefs.employees["weight"].to_numpy(float), beliefs.employee_clusters),
        "customer": (beliefs.customers["weight"].to_numpy(float), beliefs.customer_clusters),
    }


def share_columns(
    weight: Floats, clusters: list[Codes], hits: Floats, *, conf_level: float
) -> pd.DataFrame:
    """Estimate the share of ones in every column.

    Parameters
    ----------
    weight : ndarray, one per respondent
        0 or more.
    clusters : list of ndarray of int
        From `respondent_clusters`; the coarsest kind is used.
    hits : ndarray, respondents x columns
        1, 0, or NaN where not known.
    conf_level : float
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per column: `n`, `share`, `conf_low`, `conf_high`; NaN where nobody is known.
    """
    known = ~np.isnan(hits) & (weight > 0)[:, None]
    each = np.arange(len(weight))
    codes = min(clusters, key=lambda kind: int(kind.max()), default=each)
    w = np.where(known, weight[:, None], 0.0)
    squares = (w**2).sum(axis=0)
    # scaled so that the trials add up to Kish's effective number of respondents
    w *= np.divide(w.sum(axis=0), squares, out=np.zeros(len(squares)), where=squares > 0)
    trials, found = (_sum_by(codes, part) for part in (w, w * np.where(known, hits, 0.0)))
    size = trials.sum(axis=0)
    share = np.divide(found.sum(axis=0), size, out=np.full(len(size), np.nan), where=size > 0)
    low, high = clustered_share_interval(
        share,
        size,
        (found**2).sum(axis=0),
        (found * trials).sum(axis=0),
        (trials**2).sum(axis=0),
        conf_level=conf_level,
    )
    n = known.sum(axis=0)
    ends = {"conf_low": np.where(n > 0, low, np.nan), "conf_high": np.where(n > 0, high, np.nan)}
    return pd.DataFrame({"n": n, "share": share, **ends})


def _sum_by(codes: np.ndarray, values: Floats) -> Floats:
    if codes.max(initial=-1) + 1 == len(codes):  # everybody is a cluster
        return values
    places = codes, np.arange(len(codes))
    return np.asarray(sparse.csr_matrix((np.ones(len(codes)), places)) @ values)
