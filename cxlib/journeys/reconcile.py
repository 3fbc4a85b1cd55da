"""Whether the views tell one story: every number that must equal another, side by side."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cxlib.errors import InputError
from cxlib.journeys.log import END, OPEN, START, JourneyLog


def reconcile(
    log: JourneyLog, tables: Mapping[str, pd.DataFrame], *, rows: Mapping[str, int] | None = None
) -> pd.DataFrame:
    """Check that the views count the same events and journeys.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    tables : mapping of str to pandas.DataFrame
        Any of the study's tables by name: `transitions`, `step_matrix`, `flows`, `funnel`,
        `paths`, `segments`, `assignments`.
    rows : mapping of str to int, optional
        Rows of the source that became no step, by reason, and ``in``, all its rows.

    Returns
    -------
    pandas.DataFrame, one row per check
        `check`, `counted`, `expected`, `difference` (0 when the views agree).

    Raises
    ------
    InputError
        When a table is not known here.
    """
    from ibis import _

    unknown = sorted(set(tables) - set(_CHECKS))
    if unknown:
        raise InputError(
            f"There is no check of '{unknown[0]}'.", "argument 'tables'", f"know {sorted(_CHECKS)}"
        )
    n_events = int(log.steps.count().to_pandas())
    journeys = log.journeys.agg(n=_.count(), n_open=_.is_open.sum(), steps=_.n_steps.sum())
    total = {"events": n_events} | journeys.to_pandas().iloc[0].astype(int).to_dict()
    checks = [("contacts in journeys are the contacts", total["steps"], n_events)]
    if rows:
        said = ", ".join(f"{n:,} {reason}" for reason, n in rows.items() if reason != "in" and n)
        became = rows["in"] - sum(n for reason, n in rows.items() if reason != "in")
        label = "rows of the source" + (f" without {said}" if said else "") + " are contacts"
        checks.append((label, became, n_events))
    for name, table in tables.items():
        checks += _CHECKS[name](table, total)
    frame = pd.DataFrame(checks, columns=["check", "counted", "expected"])
    return frame.assign(difference=frame["counted"] - frame["expected"])


_Check = list[tuple[str, int, int]]


def _check_transitions(table: pd.DataFrame, total: dict[str, int]) -> _Check:
    into = table.groupby("to_touchpoint")["n"].sum()
    out = table.groupby("from_touchpoint")["n"].sum()
    ends = into.reindex([END, OPEN], fill_value=0)
    inner = [name for name in out.index if name != START]
    unequal = int((into.reindex(inner, fill_value=0) - out[inner]).abs().sum())
    return [
        ("transitions are contacts plus journeys", table["n"].sum(), total["events"] + total["n"]),
        ("transitions from (start) are journeys", int(out.get(START, 0)), total["n"]),
        ("transitions to (open) are open journeys", int(ends[OPEN]), total["n_open"]),
        ("transitions to (end) are the others", int(ends[END]), total["n"] - total["n_open"]),
        ("what enters a touchpoint and does not leave it", unequal, 0),
    ]


def _check_positions(table: pd.DataFrame, total: dict[str, int]) -> _Check:
    anchor = table["anchor"].iloc[0]
    sums = table.groupby("position")["n"].sum()
    expected = total["n"] if anchor in ("start", "end") else int(sums.get(0, 0))
    worst = sums.loc[(sums - expected).abs().idxmax()]
    return [(f"journeys at each step from the {anchor}", int(worst), expected)]


def _check_flows(table: pd.DataFrame, total: dict[str, int]) -> _Check:
    first = table.loc[table["step"] == 1, "n"].sum()
    over = table.loc[table["to_touchpoint"].isin([END, OPEN]), "n"].sum()
    last = table.loc[table["step"] == table["step"].max()]
    going = last.loc[~last["to_touchpoint"].isin([END, OPEN]), "n"].sum()
    return [
        ("flows of the first step are journeys", int(first), total["n"]),
        ("flows over on the way or still going are journeys", int(over + going), total["n"]),
    ]


def _check_funnel(table: pd.DataFrame, total: dict[str, int]) -> _Check:
    parts = table[["n_open", "n_skipped", "n_ended"]].sum(axis=1)
    further = table["n"].shift(-1, fill_value=0)
    last = table.index[-1]
    checks = [
        (f"funnel: gone on, passed over, ended or open after '{row.stage}'", int(gone), int(row.n))
        for row, gone in zip(table.itertuples(), parts + further, strict=True)
        if row.Index != last
    ]
    return checks


def _check_paths(table: pd.DataFrame, total: dict[str, int]) -> _Check:
    return [("journeys on the paths, (other) included", int(table["n"].sum()), total["n"])]


def _check_segments(table: pd.DataFrame, total: dict[str, int]) -> _Check:
    return [("journeys in the kinds", int(table["n"].sum()), total["n"])]


def _check_assignments(table: pd.DataFrame, total: dict[str, int]) -> _Check:
    return [("journeys assigned to a kind", len(table), total["n"])]


_CHECKS = {
    "transitions": _check_transitions,
    "step_matrix": _check_positions,
    "flows": _check_flows,
    "funnel": _check_funnel,
    "paths": _check_paths,
    "segments": _check_segments,
    "assignments": _check_assignments,
}
