"""Which causes compete: end reasons as the analysis takes them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cxlib.churn.curves.checks import check_counted, is_counted, read_sizes
from cxlib.churn.records.observation import match_cause
from cxlib.errors import InputError, TooLittleData

OTHER, UNKNOWN, STILL_HERE = "(other)", "(unknown)", "(still here)"
KEPT_NAMES = (OTHER, UNKNOWN, STILL_HERE, "all")  # rows and areas of the tables and figures
# Under about ten ends a cause has no estimate worth a test or a model.
FEWEST_ENDS = 10


@dataclass(frozen=True)
class Causes:
    """Lifetimes with the cause of their end.

    Parameters
    ----------
    table : pandas.DataFrame
        The lifetimes with `cause`, ordered categories of text: the most common first, then
        ``(other)`` and ``(unknown)``; missing where the customer is not known to have left.
    names : pandas.DataFrame
        One row per cause in the same order: `cause`, `n_churned`, `end_reasons` (what the cause
        holds).
    """

    table: pd.DataFrame
    names: pd.DataFrame


def name_causes(lifetimes: pd.DataFrame, *, cause: str = "", min_ends: int = FEWEST_ENDS) -> Causes:
    """Name the cause of every end, so that causes can compete.

    Parameters
    ----------
    lifetimes : pandas.DataFrame
        Lifetimes with `churned` (True for an end of any kind) and `end_reason`, or counts of them
        as ``count_lifetimes(..., causes="end_reason")`` returns them.
    cause : str, default ""
        End reasons that count, separated by commas: each is a cause, all others are joined in
        ``(other)`` and compete. With ``""`` every end reason is a cause.
    min_ends : int, default 10
        Ends that an end reason needs to be a cause of its own when `cause` does not name it; those
        with fewer are joined in ``(other)``.

    Returns
    -------
    Causes
        The same lifetimes with `cause`, and a list of the causes.

    Raises
    ------
    InputError
        When the table cannot be used (see `check_lifetimes`), `cause` names no end reason of the
        data, or an end reason is called as the tables call their own rows.
    TooLittleData
        When nobody left, or all for one cause, so that nothing competes.

    Notes
    -----
    Ends without a reason are the cause ``(unknown)``: they compete with the others, and they may
    be any of them. Lifetimes in which other ends than those for `cause` are censored already have
    lost what competes; make them without `cause`.
    """
    table = check_counted(lifetimes)
    given = table.get("cause" if is_counted(table) else "end_reason", pd.Series("", table.index))
    reason = given.astype(object).where(given.notna(), "").astype(str).str.strip()
    reason = reason.replace("(no reason)", "").where(table["churned"])
    _check_names(reason)
    n = pd.Series(read_sizes(table), table.index)
    n_churned = n.groupby(reason).sum()
    if cause:
        match_cause(table.assign(end_reason=reason), cause=cause)
        own = {name.strip() for name in cause.split(",")}
    else:
        own = set(n_churned.index[n_churned >= min_ends])
    names = {name: name if name in own else OTHER for name in n_churned.index} | {"": UNKNOWN}
    labels = reason.map(names)
    names_table = _list_causes(n, reason, labels)
    order = list(names_table["cause"])
    if len(order) == 1:
        raise TooLittleData(
            f"All who left did so for one cause, {order[0]}: nothing competes, and the share who "
            "left is one minus the share still here."
        )
    table["cause"] = labels.astype(pd.CategoricalDtype(order, ordered=True))
    return Causes(table, names_table)


def _check_names(reason: pd.Series) -> None:
    bad = sorted(set(reason.dropna()) & set(KEPT_NAMES))
    if bad:
        raise InputError(
            f"The end reason '{bad[0]}' is a name that the tables use for themselves.",
            f"table 'lifetimes', column 'end_reason', values {bad}",
            "rename it in the source; an end without a known reason is left empty",
        )


def _list_causes(n: pd.Series, reason: pd.Series, labels: pd.Series) -> pd.DataFrame:
    """One row per cause, the most common first, joined and unknown ones last."""
    ends = pd.DataFrame({"cause": labels, "reason": reason, "n": n}).dropna(subset="cause")
    found = ends.groupby("cause", as_index=False).agg(
        n_churned=("n", "sum"),
        end_reasons=("reason", lambda values: ", ".join(sorted(set(values) - {""}))),
    )
    last = found["cause"].map({OTHER: 1, UNKNOWN: 2}).fillna(0)
    found = found.assign(last=last).sort_values(
        ["last", "n_churned", "cause"], ascending=[True, False, True], ignore_index=True
    )
    return found.drop(columns="last")
