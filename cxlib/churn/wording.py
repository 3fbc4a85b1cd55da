"""Sentences a manager can read, rendered from the tables of the study."""

from __future__ import annotations

import pandas as pd

_MONTH = 30.4375


def describe_time(days: float) -> str:
    """Write a number of days in the unit a reader would use.

    Parameters
    ----------
    days : float
        Not negative.

    Returns
    -------
    str
        Months from four months on, else days.

    Examples
    --------
    >>> describe_time(365.25), describe_time(90), describe_time(1)
    ('12 months', '90 days', '1 day')
    """
    if days >= 4 * _MONTH:
        return f"{days / _MONTH:.0f} months"
    return f"{days:.3g} day{'s' if days != 1 else ''}"


def describe_staying(
    at: pd.DataFrame, medians: pd.DataFrame, *, cause: str = "", conf_level: float = 0.95
) -> str:
    """Say how many of a hundred new customers stay, and when half of them have left.

    Parameters
    ----------
    at : pandas.DataFrame
        As `read_survival` returns it; the rows of ``all`` are told in order.
    medians : pandas.DataFrame
        As `summarise_medians` returns it; the row of ``all`` is told.
    cause : str, default ""
        End reasons that count; the sentence then says what it assumes.
    conf_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    str
        Two or three sentences.
    """
    rows = at[at["group"] == "all"]
    told = [
        f"about {_of_hundred(row['survival'])} ({_of_hundred(row['conf_low'])}–"
        f"{_of_hundred(row['conf_high'])}) after {describe_time(row['time_days'])}"
        for _, row in rows.iterrows()
    ]
    told[0] = told[0].replace(" after ", " are still here after ")
    given = f"If nobody left for another reason than {cause}: of" if cause else "Of"
    half = medians[medians["group"] == "all"].iloc[0]
    return (
        f"{given} 100 new customers, {_join(told)}. {_describe_half(half)} "
        f"The ranges are {conf_level:.0%} intervals."
    )


def _describe_half(half: pd.Series) -> str:
    if pd.isna(half["median_days"]):
        return "Fewer than half leave within the time observed."
    median, low = describe_time(half["median_days"]), describe_time(half["conf_low"])
    if pd.isna(half["conf_high"]):
        return f"Half have left after about {median} ({low} or later than observed)."
    high = describe_time(half["conf_high"])
    unit = high.split()[-1]
    return f"Half have left after about {median} ({low.removesuffix(f' {unit}')} to {high})."


def describe_groups(comparisons: pd.DataFrame, at: pd.DataFrame, *, by: str) -> str:
    """Say whether groups differ, and which stay longest and shortest.

    Parameters
    ----------
    comparisons : pandas.DataFrame
        As `compare_groups` returns it.
    at : pandas.DataFrame
        As `read_survival` returns it; groups are told on its last day known for all of them.
    by : str
        Name of the grouping.

    Returns
    -------
    str
        Two sentences.
    """
    p_value, pairs = comparisons["p_value"].iloc[0], comparisons.iloc[1:]
    groups = at[at["group"] != "all"]
    days = groups.groupby("time_days")["group"].nunique()
    day = days[days == days.max()].index.max()
    on_day = groups[groups["time_days"] == day].sort_values("survival", kind="stable")
    worst, best = on_day.iloc[0], on_day.iloc[-1]
    found = "differ" if p_value < 0.05 else "cannot be told apart"
    p_text = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    n_pairs = int((pairs["q_value"] < 0.05).sum())
    return (
        f"Groups by {by} {found} in how long they stay (log-rank {p_text}); of {len(pairs)} pairs "
        f"{n_pairs} differ after correction for testing so many. After {describe_time(day)}, "
        f"{best['survival']:.0%} of '{best['group']}' and {worst['survival']:.0%} of "
        f"'{worst['group']}' are still here."
    )


def describe_hazard(hazard: pd.DataFrame) -> str:
    """Say which terms come with a clearly higher or lower risk.

    Parameters
    ----------
    hazard : pandas.DataFrame
        The `table` of `fit_hazard`.

    Returns
    -------
    str
        One or two sentences.
    """
    clear = hazard[hazard["q_value"] < 0.05].sort_values("p_value", kind="stable")
    if clear.empty:
        return f"No term changes the risk of leaving beyond chance ({len(hazard)} tested)."
    told = [
        f"{row['term']} × {row['hazard_ratio']:.3g} ({row['conf_low']:.3g}–{row['conf_high']:.3g})"
        for _, row in clear.head(3).iterrows()
    ]
    return (
        f"A changed risk of leaving is shown for {len(clear)} of {len(hazard)} terms, after "
        f"correction for testing so many. The clearest: {_join(told)}."
    )


def describe_naive(at: pd.DataFrame) -> str:
    """Say how far a hasty reading of the records would be off.

    Parameters
    ----------
    at : pandas.DataFrame
        Rows of `read_survival` on the curves of `compare_naive`; the day nearest to a year is
        told.

    Returns
    -------
    str
        One sentence; empty when there is no other reading.
    """
    day = min(at["time_days"], key=lambda days: abs(days - 365.25))
    on_day = at[at["time_days"] == day].set_index("group")["survival"]
    others = on_day.drop("as analysed")
    if others.empty:
        return ""
    told = [f"{share:.0%} ({method})" for method, share in others.items()]
    return (
        f"After {describe_time(day)} a hasty reading would show {_join(told)} "
        f"instead of {on_day['as analysed']:.0%}."
    )


def describe_left_out(left_out: pd.DataFrame) -> str:
    """Say how many lifetimes were left out, without naming the groups they would be alone in.

    Parameters
    ----------
    left_out : pandas.DataFrame
        The `left_out` of `select_groups` or `fit_hazard`.

    Returns
    -------
    str
        One sentence; empty when nothing was left out.
    """
    if left_out.empty:
        return ""
    n_groups, n = len(left_out), int(left_out["n"].sum())
    groups = "one group or value" if n_groups == 1 else f"{n_groups} groups or values"
    few = " (too small, empty or not observed throughout)"
    return f"Left out here: {groups}{few}, {n:,} lifetime{'s' if n != 1 else ''} in all."


def _of_hundred(share: float) -> str:
    return f"{100 * share:.{1 if 0 < share < 0.1 else 0}f}"


def _join(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
