"""Sentences about causes, rendered from the tables of the study."""

from __future__ import annotations

import pandas as pd

from cxlib.churn.causes.fine_gray import RATE, SHARE
from cxlib.churn.causes.shares import ALL_CAUSES, CUSTOMERS, VALUE
from cxlib.churn.wording import describe_time, join_words


def describe_causes(at: pd.DataFrame, shares: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say how many of a hundred customers have left for each cause, and its part of all leaving.

    Parameters
    ----------
    at : pandas.DataFrame
        As `read_incidence` returns it; the last day of ``all`` is told.
    shares : pandas.DataFrame
        As `summarise_causes` returns it.
    conf_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    str
        Two or three sentences.
    """
    rows = at[(at["group"] == "all") & (at["time_days"] == at["time_days"].max())]
    left = [
        f"{100 * row['incidence']:.1f} for '{row['cause']}' "
        f"({100 * row['conf_low']:.1f}–{100 * row['conf_high']:.1f})"
        for _, row in rows.iterrows()
    ]
    day, here = describe_time(rows["time_days"].iloc[0]), rows["survival"].iloc[0]
    told = (
        f"Of 100 new customers, {join_words(left)} have left within {day}; {100 * here:.1f} are "
        "still here."
    )
    customers = shares[shares["measure"] == CUSTOMERS].set_index("cause")
    value = shares[shares["measure"] == VALUE].set_index("cause")
    parts = []
    for cause, row in customers.iterrows():
        money = f" and {value.loc[cause, 'share']:.0%} of the value" if cause in value.index else ""
        ends = f"{100 * row['conf_low']:.0f}–{100 * row['conf_high']:.0f}"
        parts.append(f"'{cause}' is {row['share']:.0%} ({ends}) of the leaving{money}")
    within = describe_time(customers["horizon_days"].iloc[0])
    told += f" Within {within}, {join_words(parts)}."
    return f"{told} The ranges are {100 * conf_level:g}% intervals."


def describe_overstated(compared: pd.DataFrame) -> str:
    """Say how far one minus Kaplan-Meier would be off for the cause it misses most.

    Parameters
    ----------
    compared : pandas.DataFrame
        As `compare_one_minus_survival` returns it; the last day is told.

    Returns
    -------
    str
        One sentence; empty when there is no day.
    """
    if compared.empty:
        return ""
    rows = compared[compared["time_days"] == compared["time_days"].max()]
    single = rows[rows["cause"] != ALL_CAUSES]
    worst = single.loc[single["overstated"].idxmax()]
    return (
        f"Taking other causes for censoring (one minus Kaplan-Meier) would show "
        f"{worst['one_minus_survival']:.1%} leaving for '{worst['cause']}' within "
        f"{describe_time(worst['time_days'])} instead of {worst['incidence']:.1%}: it lets "
        "customers leave who are gone for another cause."
    )


def describe_incidence_tests(
    comparisons: pd.DataFrame, *, by: str, conf_level: float = 0.95
) -> str:
    """Say for which causes groups differ, in the share that leaves and in the rate of it.

    Parameters
    ----------
    comparisons : pandas.DataFrame
        As `compare_incidence` returns it; the tests of all groups are told.
    by : str
        Name of the grouping.
    conf_level : float, default 0.95
        A difference counts as shown when its `q_value` is below 1 less this.

    Returns
    -------
    str
        One sentence a cause, and one on the pairs.
    """
    overall = comparisons[comparisons["group_a"] == "all"]
    told = []
    for cause, rows in overall.groupby("cause", sort=False):
        q = rows.set_index("test")["q_value"]
        if q.isna().all():
            few = int(rows["n_churned"].iloc[0])
            told.append(f"For '{cause}' groups by {by} cannot be compared ({few} left for it).")
            continue
        words = [
            f"{'a' if q[test] < 1 - conf_level else 'no'} difference in the {what} ({_q(q[test])})"
            for test, what in (("Gray", "share that leaves"), ("log-rank", "rate of leaving"))
        ]
        told.append(f"Between groups by {by}, '{cause}' shows {' and '.join(words)}.")
    pairs = comparisons[(comparisons["group_a"] != "all") & (comparisons["test"] == "Gray")]
    n = int(pairs["p_value"].notna().sum())
    if n > 1:
        shown = int((pairs["q_value"] < 1 - conf_level).sum())
        told.append(
            f"Of {n} pairs of groups and causes, {shown} differ{'s' if shown == 1 else ''} in the "
            "share after correction for testing so many."
        )
    return " ".join(told)


def describe_cause_hazards(hazards: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say what goes with leaving for each cause, and how to read the two ratios.

    Parameters
    ----------
    hazards : pandas.DataFrame
        The `table` of `fit_cause_hazards`.
    conf_level : float, default 0.95
        A term counts as shown when the `q_value` of either ratio is below 1 less this.

    Returns
    -------
    str
        One sentence a cause, and two on how to read them.
    """
    told = []
    for cause, rows in hazards.groupby("cause", sort=False):
        q_values = rows.groupby("term", sort=False)["q_value"].min()
        shown = q_values[q_values < 1 - conf_level].sort_values(kind="stable").index
        if shown.empty:
            n = len(q_values)
            told.append(f"No term is shown to go with leaving for '{cause}' ({n} tested).")
            continue
        ratios = rows.set_index(["term", "method"])
        parts = [
            f"{term} (rate {_ratio(ratios.loc[(term, RATE)])}; "
            f"share {_ratio(ratios.loc[(term, SHARE)])})"
            for term in shown[:3]
        ]
        verb = "goes" if len(parts) == 1 else "go"
        told.append(f"{join_words(parts)} {verb} with leaving for '{cause}'.")
    reading = (
        "The first ratio compares the rate at which customers still here leave for the cause; the "
        "second goes with the share that ends up leaving for it, which also falls when more leave "
        "for other causes. A cause to act on shows in the first, a forecast needs the second."
    )
    return f"{' '.join(told)} {reading}"


def describe_joined(names: pd.DataFrame) -> str:
    """Say which end reasons were joined, and how many ends have none.

    Parameters
    ----------
    names : pandas.DataFrame
        The `names` of `name_causes`.

    Returns
    -------
    str
        One or two sentences; empty when every end reason is a cause of its own.
    """
    told = []
    for _, row in names.iterrows():
        n = int(row["n_churned"])
        if row["cause"] == "(other)":
            told.append(f"Joined as (other), {n:,} ends: {row['end_reasons']}.")
        elif row["cause"] == "(unknown)":
            told.append(f"{n:,} ends have no reason: (unknown) competes as a cause of its own.")
    return " ".join(told)


def _ratio(row: pd.Series) -> str:
    return f"× {row['hazard_ratio']:.3g}, {row['conf_low']:.3g}–{row['conf_high']:.3g}"


def _q(value: float) -> str:
    return "q < 0.001" if value < 0.001 else f"q = {value:.3f}"
