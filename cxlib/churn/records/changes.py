"""What happened to customers, as changes of a value on a day: contacts, scores, states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.churn.records.late_entry import read_days
from cxlib.errors import InputError, closest
from cxlib.frames import read_duration, to_frame
from cxlib.schema import check_table

if TYPE_CHECKING:
    import ibis.expr.types as ir

NOT_YET = "(none yet)"
_SPAN = 2**21  # more days than any calendar holds: customer and day fit into one number
_LEAST = {"any": 1, "repeat": 2}


def list_contacts(
    events: ir.Table,
    *,
    touchpoints: Sequence[str] = (),
    measure: Literal["any", "repeat", "count"] = "any",
    window: str | pd.Timedelta = "90d",
    lag: str | pd.Timedelta = "0d",
) -> pd.DataFrame:
    """List on which days the contacts of the last weeks change.

    Parameters
    ----------
    events : ibis Table, one row per event
        Columns `customer_id`, `timestamp`, `touchpoint`.
    touchpoints : sequence of str, default ()
        Touchpoints to follow; all by default.
    measure : {"any", "repeat", "count"}, default "any"
        Whether there was a contact in the window, whether there were two or more, or how many.
    window : str or pandas.Timedelta, default "90d"
        How long a contact counts, in whole days; ``""`` for ever.
    lag : str or pandas.Timedelta, default "0d"
        Contacts of the last days that do not count yet. Who is about to leave gets in touch more:
        a relation that goes away with a lag of some weeks was the leaving itself.

    Returns
    -------
    pandas.DataFrame
        One row per customer, touchpoint and day of a change, sorted: `customer_id`, `day` (since
        1970), `covariate`, `value` (0 or 1, or a count), `before` (0); for ``count`` without
        window `adds`. Covariates are called ``complaint_90d``, ``complaint_repeat_90d``,
        ``complaint_count_90d``; for ever ``complaint_ever``, ``complaint_repeat_ever``,
        ``complaint_count``.

    Raises
    ------
    InputError
        When a column or a touchpoint is missing, or a duration is no whole number of days.

    Notes
    -----
    A contact on day d is known from day d + 1 on (see `split_lifetimes`) and counts on the days
    d + lag + 1 to d + lag + window. The engine counts by customer, touchpoint and day.
    """
    days, shift = _whole_days("window", window) if window else 0, _whole_days("lag", lag)
    counts = _count_by_day(events, touchpoints)
    name = {"any": "", "repeat": "_repeat", "count": "_count"}[measure]
    name += f"_{days}d" if window else "" if measure == "count" else "_ever"
    if not window and measure == "count":
        return pd.DataFrame(
            {
                "customer_id": counts["customer_id"],
                "day": counts["day"] + shift,
                "covariate": counts["touchpoint"] + name,
                "value": counts["n"].astype(float),
                "before": 0.0,
                "adds": True,
            }
        )
    first = counts["day"].to_numpy(np.int64) + shift
    changes = _run(
        counts["customer_id"],
        counts["touchpoint"],
        first,
        first + days if window else None,
        counts["n"].to_numpy(np.int64),
    )
    changes["covariate"] += name
    if measure != "count":
        changes["value"] = (changes["value"] >= _LEAST[measure]).astype(float)
    return changes


def list_unanswered(
    events: ir.Table,
    *,
    touchpoint: str,
    reply: str,
    after: str | pd.Timedelta = "14d",
    window: str | pd.Timedelta = "90d",
    lag: str | pd.Timedelta = "0d",
) -> pd.DataFrame:
    """List on which days a contact begins and ceases to be without an answer.

    Parameters
    ----------
    events : ibis Table, one row per event
        Columns `customer_id`, `timestamp`, `touchpoint`.
    touchpoint, reply : str
        What asks for an answer, such as ``"complaint"``, and what answers it.
    after : str or pandas.Timedelta, default "14d"
        Silence after which a contact counts as unanswered, in whole days.
    window : str or pandas.Timedelta, default "90d"
        How long it counts from then on, unless the answer comes.
    lag : str or pandas.Timedelta, default "0d"
        Days by which all is taken to be known later.

    Returns
    -------
    pandas.DataFrame
        As `list_contacts` returns it, with 1 while a contact is unanswered; the covariate is
        called ``complaint_unanswered_90d``.

    Raises
    ------
    InputError
        When a column or a touchpoint is missing, or a duration is no whole number of days.

    Notes
    -----
    That no answer will ever come is known to nobody on the day of the contact. It counts once
    `after` has passed, and no longer than until the answer: never by looking ahead. An answer
    belongs to every contact before it, on the same day included.
    """
    days, shift = _whole_days("window", window), _whole_days("lag", lag)
    wait = _whole_days("after", after)
    counts = _count_by_day(events, (touchpoint, reply))
    codes, _ = pd.factorize(counts["customer_id"])
    key = codes * _SPAN + counts["day"].to_numpy(np.int64)
    is_reply = (counts["touchpoint"] == reply).to_numpy()
    answers = np.append(np.sort(key[is_reply]), np.iinfo(np.int64).max)
    asked = key[~is_reply]
    answer = answers[np.searchsorted(answers, asked)]
    open_ = answer > asked + wait
    who = counts.loc[~is_reply, "customer_id"][open_]
    first = asked[open_] % _SPAN + wait
    # an answer to somebody else has a key further away than any window
    last = first + np.minimum(answer[open_] - asked[open_] - wait, days)
    ones = np.ones(len(first), dtype=np.int64)
    name = pd.Series(f"{touchpoint}_unanswered_{days}d", index=who.index)
    changes = _run(who, name, first + shift, last + shift, ones)
    changes["value"] = (changes["value"] > 0).astype(float)
    return changes


def list_scores(
    answers: pd.DataFrame,
    *,
    items: pd.DataFrame,
    by: Literal["item", "touchpoint", "dimension", "metric"] = "touchpoint",
    score: str = "gap",
) -> pd.DataFrame:
    """List on which days the last known survey score of a customer changes.

    Parameters
    ----------
    answers : pandas.DataFrame, one row per answer
        Columns `respondent_id`, `customer_id`, `answered_at`, `item`, `role`, `value`; `source`
        when employees answered too.
    items : pandas.DataFrame, one row per item
        Columns `item`, `scale_min`, `scale_max`, `higher_is_better` and `by`.
    by : {"item", "touchpoint", "dimension", "metric"}, default "touchpoint"
        Whose items are averaged.
    score : str, default "gap"
        ``"gap"`` (perception minus expectation) or a role: ``"perception"``, ``"outcome"``, ...

    Returns
    -------
    pandas.DataFrame
        One row per customer, score and day of an answer, sorted: `customer_id`, `day`,
        `covariate` (``billing_gap``; an outcome keeps its name), `value` (points, higher is
        better), `before` (missing: not known yet).

    Raises
    ------
    InputError
        When a column is missing, or no answer can be assigned to a customer and a day.

    Notes
    -----
    A score is known from the day after the answer until the next answer. Until the first one it
    is missing, and so are the scores of all who never answer: a model on these rows follows
    customers from their first answer on, unlike one that takes the score as known before it was
    given (`check_baseline`). Items that are better when lower are turned. Answers of a customer
    on one day are averaged.
    """
    needed = ("respondent_id", "customer_id", "answered_at", "item", "role", "value")
    check_table(answers, needed, table="answers")
    check_table(items, ("item", "scale_min", "scale_max", by), table="items")
    table = answers
    if "source" in table.columns:
        table = table[table["source"].fillna("customer") == "customer"]
    roles = ("perception", "expectation") if score == "gap" else (score,)
    table = table[table["role"].isin(roles)].merge(
        items.drop_duplicates("item")[_item_columns(items, by)], on="item", suffixes=("", "_item")
    )
    table = table.assign(day=read_days(table["answered_at"]), name=table[by])
    table = table.dropna(subset=["customer_id", "day", "name", "value"])
    if table.empty:
        raise InputError(
            f"No answer has a score '{score}' by {by} of a known customer on a known day.",
            "table 'answers', columns 'customer_id', 'answered_at', 'role'",
            "map customer_id and answered_at; outcomes are asked by = 'item'",
        )
    turned = table["scale_min"] + table["scale_max"] - table["value"]
    better = table.get("higher_is_better", pd.Series(True, index=table.index))
    table["points"] = table["value"].where(
        better.astype("boolean").fillna(True).astype(bool), turned
    )
    key = ["customer_id", "day", "name", "item"]
    points = table.pivot_table(index=key, columns="role", values="points", aggfunc="mean")
    value = points[roles[0]] - points[roles[-1]] if score == "gap" else points[score]
    value = value.dropna().groupby(key[:3]).mean().reset_index(name="value")
    name = value["name"] if score == "outcome" else value["name"] + f"_{score}"
    changes = value.assign(covariate=name, day=value["day"].astype(np.int64), before=np.nan)
    changes = changes[["customer_id", "day", "covariate", "value", "before"]]
    return changes.sort_values(["customer_id", "covariate", "day"], ignore_index=True)


def _item_columns(items: pd.DataFrame, by: str) -> list[str]:
    wanted = ["item", "scale_min", "scale_max", "higher_is_better", by]
    return [name for name in dict.fromkeys(wanted) if name in items.columns]


def list_states(states: pd.DataFrame, *, name: str) -> pd.DataFrame:
    """List the changes of a dated state, such as the segment of a customer's journeys.

    Parameters
    ----------
    states : pandas.DataFrame, one row per customer and moment
        Columns `customer_id`, `at`, `value` (text or number).
    name : str
        What the covariate is called.

    Returns
    -------
    pandas.DataFrame
        One row per customer and day: `customer_id`, `day`, `covariate`, `value` (the last of the
        day), `before` (``(none yet)`` for text, missing for numbers).

    Raises
    ------
    InputError
        When a column is missing, a moment cannot be read, or a customer has two states at once.
    """
    check_table(states, ("customer_id", "at", "value"), table="states")
    table = states.dropna(subset=["customer_id", "value"]).assign(
        at=lambda rows: pd.to_datetime(rows["at"], format="ISO8601", errors="coerce"),
        covariate=name,
    )
    distinct = table[["customer_id", "at", "value"]].drop_duplicates()
    twice = distinct.duplicated(["customer_id", "at"])
    if twice.any() or table["at"].isna().any():
        bad = distinct[twice] if twice.any() else table[table["at"].isna()]
        problem = "has two values at once" if twice.any() else "has no moment"
        raise InputError(
            f"The state '{name}' {problem}.",
            f"table 'states', customer_id {bad['customer_id'].head(3).tolist()}",
            "keep one value for each customer and moment",
        )
    table = table.sort_values(["customer_id", "at"], kind="stable")
    table["day"] = read_days(table["at"]).astype(np.int64)
    table = table.drop_duplicates(["customer_id", "day"], keep="last", ignore_index=True)
    table["before"] = np.nan if pd.api.types.is_numeric_dtype(table["value"]) else NOT_YET
    return table[["customer_id", "day", "covariate", "value", "before"]]


def _whole_days(name: str, value: str | pd.Timedelta) -> int:
    """Read a duration that must be whole days."""
    duration = read_duration(value, name=name)
    if duration != pd.Timedelta(days=duration.days) or (name == "window" and not duration.days):
        raise InputError(
            f"{name} = {value!r} is no whole number of days.",
            f"parameter '{name}'",
            "churn counts in days; write '90d'",
        )
    return duration.days


def _count_by_day(events: ir.Table, touchpoints: Sequence[str]) -> pd.DataFrame:
    """Count in the engine: one row per customer, touchpoint and day."""
    columns = pd.DataFrame(columns=events.columns, index=[0])
    check_table(columns, ("customer_id", "timestamp", "touchpoint"), table="events")
    day = (events.timestamp.truncate("D").epoch_seconds() / 86_400).cast("int64")
    contacts = events.select("customer_id", "touchpoint", day=day)
    if touchpoints:
        contacts = contacts.filter(contacts.touchpoint.isin(list(touchpoints)))
    counts = contacts.group_by("customer_id", "touchpoint", "day").aggregate(n=contacts.count())
    frame = to_frame(counts, sort_by=["customer_id", "touchpoint", "day"])
    missing = [name for name in touchpoints if name not in set(frame["touchpoint"].unique())]
    if missing:
        known = events.touchpoint.topk(1000).execute()["touchpoint"].dropna()
        raise InputError(
            f"There is no contact at '{missing[0]}'.",
            "table 'events', column 'touchpoint'",
            closest(missing[0], sorted(known)),
        )
    return frame


def _run(
    customers: pd.Series,
    covariates: pd.Series,
    first: NDArray[np.int64],
    last: NDArray[np.int64] | None,
    n: NDArray[np.int64],
) -> pd.DataFrame:
    """Add up what is on, day by day: each row adds `n` on its first day and takes it off again."""
    who, ids = pd.factorize(customers)  # in order: the engine's counts are sorted
    what, names = pd.factorize(covariates, sort=True)
    series = (who * max(len(names), 1) + what) * _SPAN
    key, amount = series + first, n
    if last is not None:
        key, amount = np.concatenate([key, series + last]), np.concatenate([n, -n])
    order = np.argsort(key, kind="stable")
    key, amount = key[order], amount[order]
    ends = np.flatnonzero(np.append(key[1:] != key[:-1], len(key) > 0))  # last row of each day
    key, so_far = key[ends], np.cumsum(amount)[ends]
    series = key // _SPAN
    begins = np.flatnonzero(np.append(len(key) > 0, series[1:] != series[:-1]))
    before = np.append(0, so_far)[begins]  # the total of all series before this one
    value = so_far - np.repeat(before, np.diff(np.append(begins, len(key))))
    frame: dict[str, Any] = {
        "customer_id": np.asarray(ids, dtype=object)[series // max(len(names), 1)],
        "day": key % _SPAN,
        "covariate": np.asarray(names, dtype=object)[series % max(len(names), 1)],
        "value": value.astype(float),
        "before": 0.0,
    }
    return pd.DataFrame(frame)
