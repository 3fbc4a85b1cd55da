"""Findings on the delivery gap in plain sentences, made from its tables and nothing else."""

from __future__ import annotations

import pandas as pd

from cxlib.gaps.delivery.beliefs import Beliefs
from cxlib.gaps.delivery.calibration import ABOVE, BELOW, TOP


def describe_beliefs(
    comparison: pd.DataFrame, *, level: str = "item", conf_level: float = 0.95
) -> str:
    """Say what employees overrate and underrate, by how much, and how sure that is.

    Parameters
    ----------
    comparison : pandas.DataFrame
        From `compare_beliefs`.
    level : {"item", "dimension", "touchpoint", "total"}, default "item"
        The rows to speak about.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        Two to four sentences.
    """
    rows = comparison[comparison["level"].eq(level)]
    if not rows["conf_low"].notna().any():
        return (
            f"How employees' beliefs compare by {level} cannot be told with an interval: that "
            "takes two employees, of two teams where teams are known, and two customers, who do "
            "not all answer alike."
        )
    first = rows.iloc[0]
    if level == "total":
        return (
            f"Over everything asked, employees believe customers rate {first['belief']:.2f}; "
            f"customers rate {first['perception']:.2f}: a difference of "
            f"{_size(first, conf_level)} ({_people(rows)})."
        )
    counts = rows["verdict"].value_counts()
    over = rows[rows["verdict"].eq("overrated")]
    under = rows[rows["verdict"].eq("underrated")].iloc[::-1]
    margin = f"{first['margin']:.2g} points"
    told = [
        f"Employees overrate {len(over)} of {len(rows)} {level}s by more than {margin}"
        + (f": {_list(over, conf_level)}." if len(over) else ".")
    ]
    if len(under):
        told.append(f"They underrate {len(under)}: {_list(under, conf_level)}.")
    told.append(
        f"They are about right (within {margin}) on {counts.get('about right', 0)}; "
        f"{counts.get('undecided', 0)} are undecided, the probability being under 80 % either way "
        f"({_people(rows)})."
    )
    return " ".join(told)


def describe_belief_tests(
    comparison: pd.DataFrame, *, level: str = "item", conf_level: float = 0.95
) -> str:
    """Say on how many rows any difference was shown, and whether generosity may explain it.

    Parameters
    ----------
    comparison : pandas.DataFrame
        From `compare_beliefs`.
    level : {"item", "dimension", "touchpoint", "total"}, default "item"
        The rows to speak about.
    conf_level : float, default 0.95
        1 - conf_level bounds the false discovery rate.

    Returns
    -------
    str
        One sentence; on items that are overrated a second one.
    """
    rows = comparison[comparison["level"].eq(level)]
    n_tests = int(rows["n_tests"].max()) if len(rows) else 0
    shown = int(rows["q_value"].lt(1 - conf_level).sum())
    told = (
        f"A difference, of whatever size, was shown on {shown} of {len(rows)} {level}s "
        f"({n_tests} comparison{'s' if n_tests != 1 else ''}, false discovery rate "
        f"{100 - 100 * conf_level:g}%)."
    )
    over = rows[rows["verdict"].eq("overrated")]
    if level == "item" and len(over):
        beyond = int(over["relative_low"].gt(0).sum())
        told += (
            f" {beyond} of the {len(over)} overrated stand out even from the mean difference over "
            "all items, which employees who are merely generous throughout would not bring about."
        )
    return told


def describe_calibration(
    calibration: pd.DataFrame, *, name: str = "", label: str = "", conf_level: float = 0.95
) -> str:
    """Say how many employees rate above the customers, and who gives top marks.

    Parameters
    ----------
    calibration : pandas.DataFrame
        From `summarise_calibration`.
    name : str, default ""
        The row to speak about; empty = the first.
    label : str, default ""
        What to call it; empty = the name.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        Two sentences.
    """
    rows = calibration[calibration["name"].eq(name or calibration["name"].iloc[0])]
    found = {(row.source, row.reading): row for row in rows.itertuples()}
    above, below = found["employee", ABOVE], found["employee", BELOW]
    subject = "" if above.name == "total" else f" on '{label or above.name}'"
    if pd.isna(above.share):
        return f"Customers are too few{subject}, or too much alike, to set employees beside them."
    told = (
        f"{above.share:.0%} of employees ({100 * conf_level:g}% interval {above.conf_low:.0%} to "
        f"{above.conf_high:.0%}, n = {above.n:,}) rate{subject} above the interval of the "
        f"customers' mean, {below.share:.0%} below it; as many above as below would be right on "
        "average."
    )
    ours, theirs = found["employee", TOP], found["customer", TOP]
    if pd.notna(ours.share):
        told += (
            f" Of the answers, {ours.share:.0%} of employees' ({ours.conf_low:.0%} to "
            f"{ours.conf_high:.0%}) and {theirs.share:.0%} of customers' ({theirs.conf_low:.0%} to "
            f"{theirs.conf_high:.0%}) are {ours.limit:g} or higher."
        )
    return told


def describe_belief_groups(groups: pd.DataFrame, *, by: str, conf_level: float = 0.95) -> str:
    """Say which groups of employees see the company differently from the others.

    Parameters
    ----------
    groups : pandas.DataFrame
        From `compare_belief_groups`.
    by : str
        Column the groups come from.
    conf_level : float, default 0.95
        1 - conf_level bounds the false discovery rate.

    Returns
    -------
    str
        One to three sentences.
    """
    left_out = int(groups["n_left_out"].max()) if len(groups) else 0
    note = f" {left_out} employees in groups too small to show are left out." if left_out else ""
    if len(groups) < 2 or not groups["p_value"].notna().any():
        return f"Too few employees, or teams, to compare them by {by}.{note}"
    n_tests = int(groups["n_tests"].iloc[0])
    clear = groups[groups["q_value"].lt(1 - conf_level)]
    tested = f"{n_tests} comparison{'s' if n_tests != 1 else ''}, false discovery rate"
    tested = f"({tested} {100 - 100 * conf_level:g}%)"
    if not len(clear):
        return f"No group by {by} believes clearly more or less than the others {tested}.{note}"
    listed = "; ".join(
        f"{row.group} {row.versus_others:+z.2f} points ({row.versus_low:+z.2f} to "
        f"{row.versus_high:+z.2f}, n = {row.n:,})"
        for row in clear.itertuples()
    )
    return f"By {by}, belief differs from that of all other employees {tested}: {listed}.{note}"


def describe_measurement(beliefs: Beliefs) -> str:
    """Say what the comparison takes for granted.

    Parameters
    ----------
    beliefs : Beliefs
        From `pair_beliefs`.

    Returns
    -------
    str
        Two or three sentences.
    """
    told = (
        "The comparison takes for granted that a 5 means the same to an employee and to a "
        "customer. Employees may be more generous, or shy of the ends of the scale, without "
        "believing anything else; the test of measurement invariance on the survey quality page "
        "says whether means may be compared. Where it fails, compare the order of items only."
    )
    ours, theirs = beliefs.employee_wave, beliefs.customer_wave
    if ours != theirs:
        told += (
            f" The employees answered in wave {ours or '(none)'}, the customers in wave "
            f"{theirs or '(none)'}: what changed in between is part of the difference."
        )
    return told


def _list(rows: pd.DataFrame, conf_level: float) -> str:
    listed = [
        f"{_label(row)} {_size(row, conf_level if i == 0 else None)}"
        for i, (_, row) in enumerate(rows.head(5).iterrows())
    ]
    more = f"; and {len(rows) - 5} more" if len(rows) > 5 else ""
    return "; ".join(listed) + more


def _label(row: pd.Series) -> str:
    text = row["text"] if isinstance(row["text"], str) and row["text"] else row["name"]
    return f"'{text.rstrip('.')}'"


def _size(row: pd.Series, conf_level: float | None) -> str:
    told = f"{row['difference']:+z.2f}"
    if pd.isna(row["conf_low"]):
        return told
    named = "" if conf_level is None else f"{100 * conf_level:g}% interval "
    return f"{told} ({named}{row['conf_low']:+z.2f} to {row['conf_high']:+z.2f})"


def _people(rows: pd.DataFrame) -> str:
    employees, teams = int(rows["n_employees"].max()), int(rows["n_units"].max())
    in_teams = f" in {teams} team{'s' if teams != 1 else ''}" if teams else ""
    return (
        f"{employees:,} employee{'s' if employees != 1 else ''}{in_teams}, "
        f"{int(rows['n'].max()):,} customers"
    )
