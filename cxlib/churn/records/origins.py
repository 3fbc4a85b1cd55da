"""When was a group formed? One formed after the origin lends its members immortal time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.churn.lifetimes import check_lifetimes, label_levels
from cxlib.churn.records.guarantee import GuaranteeTime, detect_guarantee
from cxlib.churn.records.late_entry import read_days
from cxlib.errors import InputError
from cxlib.frames import to_frame

if TYPE_CHECKING:
    import ibis.expr.types as ir

# A column is made from records when having one and being in its levels agree to this share.
AGREEMENT = 0.95
LATE_SHARE = 0.01
_FIX = (
    "let the value begin on its day (split_lifetimes), or compare those still here on a landmark "
    "day (select_landmark)"
)


@dataclass(frozen=True)
class Baseline:
    """Columns known when a lifetime begins.

    Parameters
    ----------
    names : list of str
        Columns that may stand for groups or covariates.
    reasons : list of str
        Why others may not.
    doubts : list of GuaranteeTime
        Levels of the columns kept that look as if one had to stay to get into them.
    """

    names: list[str]
    reasons: list[str]
    doubts: list[GuaranteeTime]


def date_records(
    *,
    answers: pd.DataFrame | None = None,
    invitations: pd.DataFrame | None = None,
    events: ir.Table | None = None,
) -> pd.DataFrame:
    """Date the first record of each customer in each source a group may have been made from.

    Parameters
    ----------
    answers : pandas.DataFrame, optional
        Columns `customer_id`, `answered_at`; `wave` when there are several.
    invitations : pandas.DataFrame, optional
        Columns `customer_id`, `invited_at`; `wave` when there are several.
    events : ibis Table, optional
        Columns `customer_id`, `timestamp`, `touchpoint`, `channel` (optional).

    Returns
    -------
    pandas.DataFrame
        One row per customer and source: `customer_id`, `source` (such as ``answers``, ``answers of
        2025-05``, ``touchpoint complaint``, ``channel phone``), `day` (since 1970).
    """
    parts = []
    for label, table, moment in (
        ("answers", answers, "answered_at"),
        ("invitations", invitations, "invited_at"),
    ):
        if table is None or not {"customer_id", moment} <= set(table.columns):
            continue
        dated = table.assign(day=read_days(table[moment])).dropna(subset=["customer_id", "day"])
        sources = [pd.Series(label, index=dated.index)]
        if "wave" in dated.columns and dated["wave"].nunique() > 1:
            sources.append(f"{label} of " + dated["wave"].astype(str))
        parts += [dated.assign(source=source) for source in sources]
    if events is not None:
        day = (events.timestamp.truncate("D").epoch_seconds() / 86_400).cast("int64")
        for column in ("touchpoint", "channel"):
            if column in events.columns:
                dated = events.select("customer_id", source=events[column], day=day)
                dated = dated.filter(dated.source.notnull())
                first = dated.group_by("customer_id", "source").aggregate(day=dated.day.min())
                frame = to_frame(first, sort_by=["customer_id", "source"])
                parts.append(frame.assign(source=f"{column} " + frame["source"]))
    columns = ["customer_id", "source", "day"]
    if not parts:
        return pd.DataFrame(columns=columns)
    dated = pd.concat([part[columns] for part in parts])
    return dated.groupby(columns[:2], sort=True)["day"].min().reset_index()


def check_baseline(
    lifetimes: pd.DataFrame,
    *,
    by: str,
    records: pd.DataFrame | None = None,
    trusted: Collection[str] = (),
    min_cell: int = 10,
) -> None:
    """Refuse a group that customers got into only by staying long enough.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`, `by`; `started_at` with `records`;
        all lifetimes of each customer, with `spell`.
    by : str
        Column of groups, or covariate.
    records : pandas.DataFrame, optional
        Dated records (`date_records`): `customer_id`, `source`, `day`. A source called as `by`
        dates the group itself.
    trusted : collection of str, default ()
        Columns known at the start whatever the data look like, such as a plan with a minimum term.
    min_cell : int, default 10
        Lifetimes a level needs to be judged.

    Raises
    ------
    InputError
        When the group is made from records that came after observation began, or a level looks as
        if one had to stay to get into it (`detect_guarantee`).
    TooLittleData
        When nobody churned.

    Notes
    -----
    A column counts as made from a source when its levels tell who has a record there: of those in
    the levels whose members mostly have one, and of those who have one, 95 % or more are the
    same. It is refused when more than one in a hundred records came after the day on which
    observation of the lifetime began. Whoever left before that day could never get in, so that
    the group looks loyal: on the Stanford heart data, the ever-transplanted die at 0.18 times the
    rate of others, and at 1.02 times when each counts as transplanted from the day on.
    """
    if by in trusted:
        return
    table = check_lifetimes(lifetimes)
    _check_dates(table, by, records)
    found = detect_guarantee(table, by=by, min_cell=min_cell)
    if found:
        until = f"before {found.until}" if found.clock == "calendar" else f"within {found.until}"
        raise InputError(
            f"Of '{by}' = '{found.level}', {found.n_ended:,} left {until}, although their later "
            f"pace lets expect {found.n_expected:,.0f}: it seems that one had to stay to get into "
            "the group (immortal time).",
            f"column '{by}'",
            f"if it was formed on the way, {_FIX}; if it was known on the first day, say so: "
            f"trusted = ['{by}']",
        )


def _check_dates(table: pd.DataFrame, by: str, records: pd.DataFrame | None) -> None:
    source, share = _find_source(table, by, records)
    if source:
        what = "is dated" if source == by else f"tells who has records in '{source}', dated"
        raise InputError(
            f"'{by}' {what} after the start for {share:.0%} of its members: to get into the group "
            "they had to stay until then (immortal time), so it looks loyal whatever it does.",
            f"column '{by}'",
            _FIX,
        )


def select_baseline(
    lifetimes: pd.DataFrame,
    *,
    names: Sequence[str],
    records: pd.DataFrame | None = None,
    trusted: Collection[str] = (),
    min_cell: int = 10,
) -> Baseline:
    """Keep the columns that may stand for groups or covariates, and say why others may not.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        As `check_baseline` takes them.
    names : sequence of str
        Columns; empty names are passed over.
    records : pandas.DataFrame, optional
        Dated records (`date_records`).
    trusted : collection of str, default ()
        Columns known at the start whatever the data look like.
    min_cell : int, default 10
        Lifetimes a level needs to be judged.

    Returns
    -------
    Baseline
        The columns kept, a reason for each that dated records rule out, and the doubts about
        others.

    Raises
    ------
    TooLittleData
        When nobody churned.

    Notes
    -----
    Dates prove that a group was formed on the way; that nobody leaves it at first does not, since
    a contract with a minimum term looks the same. So the first are left out and the second kept
    with a doubt; `check_baseline` refuses both.
    """
    kept: list[str] = []
    reasons: list[str] = []
    doubts: list[GuaranteeTime] = []
    table = check_lifetimes(lifetimes)
    for name in dict.fromkeys(filter(None, names)):
        if name not in trusted:
            try:
                _check_dates(table, name, records)
            except InputError as error:
                reasons.append(str(error))
                continue
            found = detect_guarantee(table, by=name, min_cell=min_cell)
            doubts += [found] if found else []
        kept.append(name)
    return Baseline(kept, reasons, doubts)


def _find_source(table: pd.DataFrame, by: str, records: pd.DataFrame | None) -> tuple[str, float]:
    """Find the records a column is made from, and the share that came after observation began."""
    if records is None or records.empty or "started_at" not in table.columns:
        return "", 0.0
    codes, _ = pd.factorize(label_levels(table[by]))
    codes = codes + 1  # no value is a level like others: such is who never got into a group
    began = (read_days(table["started_at"]) + table["entry_days"]).to_numpy(float)
    for source, part in records.groupby("source", sort=True):
        day = table["customer_id"].map(part.set_index("customer_id")["day"]).to_numpy(float)
        has = ~np.isnan(day)
        if not has.any():
            continue
        share = np.bincount(codes, has) / np.maximum(np.bincount(codes), 1)
        told = (share > 0.5)[codes]
        both = (told & has).sum() / max(told.sum(), has.sum())
        late = float((day[has] > began[has]).mean())
        if (source == by or (both >= AGREEMENT and not told.all())) and late > LATE_SHARE:
            return str(source), late
    return "", 0.0
