"""Sentences a manager can read, rendered from the tables of the study."""

from __future__ import annotations

import pandas as pd

from cxlib.churn.lifetimes import MONTH_DAYS


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
    if days >= 4 * MONTH_DAYS:
        return f"{days / MONTH_DAYS:.0f} months"
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
    here = "would still be here" if cause else "are still here"
    told[0] = told[0].replace(" after ", f" {here} after ")
    given = f"If other reasons than {cause} did not exist: of" if cause else "Of"
    half = medians[medians["group"] == "all"].iloc[0]
    return (
        f"{given} 100 new customers, {join_words(told)}. {_describe_half(half, bool(cause))} "
        f"The ranges are {100 * conf_level:g}% intervals."
    )


def _describe_half(half: pd.Series, is_supposed: bool) -> str:
    if pd.isna(half["median_days"]):
        leave = "would leave" if is_supposed else "leave"
        return f"Fewer than half {leave} within the time observed."
    half_left = "Half would have left" if is_supposed else "Half have left"
    median, low = describe_time(half["median_days"]), describe_time(half["conf_low"])
    if pd.isna(half["conf_high"]):
        return f"{half_left} after about {median} ({low} or later than observed)."
    high = describe_time(half["conf_high"])
    unit = high.split()[-1]
    return f"{half_left} after about {median} ({low.removesuffix(f' {unit}')} to {high})."


def describe_groups(
    comparisons: pd.DataFrame,
    at: pd.DataFrame,
    *,
    by: str,
    cause: str = "",
    conf_level: float = 0.95,
) -> str:
    """Say whether groups differ, and which stay longest and shortest.

    Parameters
    ----------
    comparisons : pandas.DataFrame
        As `compare_groups` returns it.
    at : pandas.DataFrame
        As `read_survival` returns it; the groups are told on the last day on which most of them
        are known, if at least two are.
    by : str
        Name of the grouping.
    cause : str, default ""
        End reasons that count; the second sentence then says what it assumes.
    conf_level : float, default 0.95
        A difference counts as shown below 1 less this.

    Returns
    -------
    str
        One or two sentences.
    """
    p_value, pairs = comparisons["p_value"].iloc[0], comparisons.iloc[1:]
    if pd.isna(p_value):
        return f"Groups by {by} cannot be compared: they were never at risk together."
    shown = "A" if p_value < 1 - conf_level else "No"
    p_text = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    n_pairs = int((pairs["q_value"] < 1 - conf_level).sum())
    told = (
        f"{shown} difference between groups by {by} in how long they stay is shown (log-rank "
        f"{p_text}); of {len(pairs)} pair{'s' if len(pairs) != 1 else ''}, {n_pairs} "
        f"differ{'s' if n_pairs == 1 else ''} after correction for testing so many."
    )
    groups = at[at["group"] != "all"]
    n_known = groups.groupby("time_days")["group"].transform("nunique")
    groups = groups[(n_known == n_known.max()) & (n_known > 1)]
    if groups.empty or p_value >= 1 - conf_level:  # the best of equals is chance
        return told
    day = groups["time_days"].max()
    on_day = groups[groups["time_days"] == day].sort_values("survival", kind="stable")
    worst, best = on_day.iloc[0], on_day.iloc[-1]
    stay = "would still be here if other reasons did not exist" if cause else "are still here"
    return (
        f"{told} After {describe_time(day)}, {best['survival']:.0%} of '{best['group']}' and "
        f"{worst['survival']:.0%} of '{worst['group']}' {stay}."
    )


def find_clearest(hazard: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """List the terms shown to go with a higher or lower risk, the clearest first.

    Parameters
    ----------
    hazard : pandas.DataFrame
        The `table` of `fit_hazard`.
    conf_level : float, default 0.95
        A ratio counts as shown when its `q_value` is below 1 less this.

    Returns
    -------
    pandas.DataFrame
        Rows of `hazard` by rising `q_value`, then `p_value`; none when nothing is shown.
    """
    shown = hazard[hazard["q_value"] < 1 - conf_level]
    return shown.sort_values(["q_value", "p_value"], kind="stable")


def describe_hazard(hazard: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say which terms go with a clearly higher or lower risk.

    Parameters
    ----------
    hazard : pandas.DataFrame
        The `table` of `fit_hazard`.
    conf_level : float, default 0.95
        A ratio counts as shown when its `q_value` is below 1 less this.

    Returns
    -------
    str
        One or two sentences.
    """
    clear = find_clearest(hazard, conf_level=conf_level)
    if clear.empty:
        return (
            "No term was shown to go with a higher or lower risk of leaving "
            f"({len(hazard)} tested)."
        )
    told = [
        f"{row['term']} × {row['hazard_ratio']:.3g} ({row['conf_low']:.3g}–{row['conf_high']:.3g})"
        for _, row in clear.head(3).iterrows()
    ]
    verb = "goes" if len(clear) == 1 else "go"
    return (
        f"{len(clear)} of {len(hazard)} terms {verb} with a higher or lower risk of leaving, after "
        "correction for testing so many. The clearest, each with its own interval: "
        f"{join_words(told)}."
    )


def describe_naive(at: pd.DataFrame, *, cause: str = "", min_cell: int = 10) -> str:
    """Say how far a hasty reading of the records would be off.

    Parameters
    ----------
    at : pandas.DataFrame
        Rows of `read_survival` on the curves of `compare_naive`; of the days known for the
        analysis and another reading, the nearest to a year is told.
    cause : str, default ""
        End reasons that count; the sentence then says what it assumes.
    min_cell : int, default 10
        A reading of fewer customers on that day is not told.

    Returns
    -------
    str
        One sentence; empty when there is no other reading to compare with.
    """
    at = at[at["n_at_risk"] >= min_cell]
    if "as analysed" not in set(at["group"]):
        return ""
    known = at.pivot(index="time_days", columns="group", values="survival")
    known = known[known["as analysed"].notna() & (known.notna().sum(axis=1) > 1)]
    if known.empty:
        return ""
    day = min(known.index, key=lambda days: abs(days - 365.25))
    on_day = known.loc[day, list(dict.fromkeys(at["group"]))].dropna()
    others = on_day.drop("as analysed")
    told = [f"{share:.0%} ({method})" for method, share in others.items()]
    given = "if other reasons did not exist, " if cause else ""
    return (
        f"After {describe_time(day)}, {given}a hasty reading would show {join_words(told)} "
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


def join_words(parts: list[str]) -> str:
    """Join parts of a sentence with commas, the last with an ``and``.

    Parameters
    ----------
    parts : list of str
        One or more.

    Returns
    -------
    str
        Such as ``"a, b and c"``.
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
