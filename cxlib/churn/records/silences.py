"""How long is too long? The silences in events, and how many of each length end in a return."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.churn.records.inactivity import check_events, list_visits, read_threshold
from cxlib.churn.records.observation import read_day
from cxlib.errors import InputError, TooLittleData
from cxlib.frames import to_frame
from cxlib.stats import Floats, normal_quantile

if TYPE_CHECKING:
    import ibis.expr.types as ir

CANDIDATES = (7, 14, 30, 45, 60, 90, 120, 180, 270, 365, 540, 730)
FEWEST = 50  # silences still watched on the last day returns are counted to


def suggest_inactivity(
    events: ir.Table,
    *,
    as_of: dt.date | str,
    return_share: float = 0.1,
    inactivity: str | pd.Timedelta = "",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Find the silence after which few customers come back, from the silences in the events.

    Parameters
    ----------
    events : ibis Table, one row per event
        Columns `customer_id`, `timestamp`.
    as_of : datetime.date or str
        Last day known, included.
    return_share : float, default 0.1
        Share of silences of that length that may still end in a return.
    inactivity : str or pandas.Timedelta, default ""
        A threshold to compare with; ``""`` for none.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per candidate, by length: `threshold_days`, `n_silences` (longer than that),
        `return_share` (of these, share that ends in a return by `followed_days`), `conf_low`,
        `conf_high`, `followed_days` (longest silence returns are counted to), `n_lifetimes` and
        `n_churned` (with this threshold), `is_suggested` (one row at most), `is_chosen`.

    Raises
    ------
    InputError
        When a column is missing, `inactivity` is no whole number of days, or `return_share` is no
        share.
    TooLittleData
        When fewer than 50 silences can be followed for two days.

    Notes
    -----
    A silence runs from one active day of a customer to the next, or to `as_of`: the second kind
    is still going on and is censored, not taken for an end. With S the Kaplan-Meier curve of the
    silences, of those longer than t days the share 1 - S(h) / S(t) ends in a return by day h, the
    last day on which at least 50 silences are still watched. The interval is the log(-log) one of
    S(h) / S(t) with Greenwood's variance; it takes the silences of a customer as independent.

    The threshold suggested is the shortest from which on, up to h / 2, the share is at most
    `return_share`. Longer ones are not considered: close to h the share falls because there is no
    time left to see a return, not because nobody comes back. Nothing is suggested when none is
    short enough.

    References
    ----------
    .. [1] E. L. Kaplan, P. Meier (1958). Nonparametric estimation from incomplete observations.
           JASA 53, 457-481.
    """
    if not 0 < return_share < 1:
        raise InputError(
            f"return_share = {return_share!r} is no share.",
            "parameter 'return_share'",
            "write a number between 0 and 1, such as 0.1",
        )
    chosen = read_threshold(inactivity) if inactivity else 0
    check_events(events)
    counted = _count_silences(events, read_day("as_of", as_of))
    silences = to_frame(counted, sort_by=["silence_days", "is_return"])
    length = int(silences["silence_days"].max()) + 2 if len(silences) else 1
    returned, ongoing = (
        np.bincount(part["silence_days"], part["n"], minlength=length).astype(float)
        for part in (silences[silences["is_return"] == 1], silences[silences["is_return"] == 0])
    )
    longer = _from(returned + ongoing)
    followed = int((longer >= FEWEST).sum()) - 1
    if followed < 2:
        raise TooLittleData(f"Fewer than {FEWEST} silences last two days: no threshold is shown.")
    share, low, high = _share_returning(returned, longer, followed, conf_level)
    few = share[1 : followed // 2 + 1] <= return_share
    n_last = int(np.logical_and.accumulate(few[::-1]).sum())  # few from there on
    suggested = followed // 2 - n_last + 1 if n_last else 0
    wanted = {day for day in (*CANDIDATES, suggested) if 0 < 2 * day <= followed}
    at = np.array(sorted(wanted | ({chosen} if 0 < chosen < followed else set())), dtype=int)
    return pd.DataFrame(
        {
            "threshold_days": at,
            "n_silences": longer[at + 1].astype(int),
            "return_share": share[at],
            "conf_low": low[at],
            "conf_high": high[at],
            "followed_days": followed,
            "n_lifetimes": (ongoing.sum() + _from(returned)[at + 1]).astype(int),
            "n_churned": (_from(ongoing)[at] + _from(returned)[at + 1]).astype(int),
            "is_suggested": at == suggested,
            "is_chosen": at == chosen,
        }
    )


def _from(counts: Floats) -> Floats:
    """Sum from each length on."""
    return np.asarray(counts[::-1].cumsum()[::-1], dtype=float)


def _share_returning(
    returned: Floats, longer: Floats, followed: int, conf_level: float
) -> tuple[Floats, Floats, Floats]:
    """Share of the silences longer than each day that end in a return by the last day followed."""
    n, d = longer[: followed + 1], returned[: followed + 1]
    stay = np.divide(n - d, n, out=np.ones_like(n), where=n > 0)
    step = np.divide(d, n * (n - d), out=np.zeros_like(n), where=(n > d) & (d > 0))
    # from day t to the last: the product and the sum over the days after t
    to_come = np.append(stay[1:][::-1].cumprod()[::-1], 1.0)
    spread = np.sqrt(np.append(step[1:][::-1].cumsum()[::-1], 0.0))
    inside = (to_come > 0) & (to_come < 1)
    log = np.log(to_come, out=np.full_like(to_come, -1.0), where=inside)
    factor = np.exp(normal_quantile(conf_level) * spread / -log)
    low = np.where(inside, 1 - to_come ** (1 / factor), 1 - to_come)
    none = 1 - (0.5 - conf_level / 2) ** (1 / np.maximum(longer[followed], 1))
    high = np.where(inside, 1 - to_come**factor, np.where(to_come >= 1, none, 1.0))
    return 1 - to_come, low, high


def _count_silences(events: ir.Table, as_of: int) -> ir.Table:
    """Count silences by length in the engine; the last of a customer is still going on."""
    import ibis

    visits = list_visits(events, as_of)
    by_day = ibis.window(group_by="customer_id", order_by="day")
    visits = visits.mutate(later=visits.day.lead().over(by_day))
    silences = visits.select(
        silence_days=ibis.coalesce(visits.later, as_of).cast("int64") - visits.day,
        is_return=ibis.ifelse(visits.later.notnull(), 1, 0),
    )
    return silences.group_by("silence_days", "is_return").aggregate(n=silences.count())
