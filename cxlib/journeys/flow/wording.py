"""Findings about what follows what, in plain sentences rendered from the tables."""

from __future__ import annotations

import pandas as pd

from cxlib.journeys.log import END, OPEN, START


def describe_transitions(transitions: pd.DataFrame) -> str:
    """Say where journeys begin, end and turn back to where they are.

    Parameters
    ----------
    transitions : pandas.DataFrame
        From :func:`cxlib.journeys.count_transitions`.

    Returns
    -------
    str
        Two or three sentences.
    """
    starts = transitions[transitions["from_touchpoint"] == START]
    ends = transitions[transitions["to_touchpoint"] == END]
    repeats = transitions[transitions["from_touchpoint"] == transitions["to_touchpoint"]]
    first = starts.iloc[0]
    said = [
        f"The commonest start is {first['to_touchpoint']} ({first['share']:.0%} of the journeys, "
        f"{first['conf_low']:.0%} to {first['conf_high']:.0%})."
    ]
    if len(ends):
        n_ends = ends["n"].sum()
        row = ends.iloc[0]
        said.append(f"The commonest end is {row['from_touchpoint']} ({row['n'] / n_ends:.0%}).")
    if len(repeats):
        row = repeats.iloc[0]
        said.append(
            f"The commonest repeat is {row['from_touchpoint']}: {row['share']:.0%} of the contacts "
            "there are followed by another one there."
        )
    return " ".join(said)


def describe_comparison(comparison: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say what differs between groups or periods.

    Parameters
    ----------
    comparison : pandas.DataFrame
        From :func:`cxlib.journeys.compare_transitions`.
    conf_level : float, default 0.95
        One minus the share of false discoveries allowed.

    Returns
    -------
    str
        One or two sentences.
    """
    n_sure = int((comparison["q_value"] <= 1 - conf_level).sum())
    text = (
        f"{n_sure:,} of {len(comparison):,} transitions tested differ beyond chance "
        f"({100 - 100 * conf_level:g}% false discoveries allowed)."
    )
    if not n_sure:
        return text
    row = comparison.iloc[0]
    return (
        f"{text} The surest: {row['from_touchpoint']} is followed by {row['to_touchpoint']} in "
        f"{row['share_b']:.0%} of cases in '{row['group_b']}' against {row['share_a']:.0%} in "
        f"'{row['group_a']}'."
    )


def describe_open(summary: pd.DataFrame, transitions: pd.DataFrame) -> str:
    """Say how many journeys may still go on.

    Parameters
    ----------
    summary : pandas.DataFrame
        From :func:`cxlib.journeys.summarise_journeys`.
    transitions : pandas.DataFrame
        From :func:`cxlib.journeys.count_transitions`.

    Returns
    -------
    str
        One sentence.
    """
    row = summary.iloc[0]
    waiting = transitions[transitions["to_touchpoint"] == OPEN]
    at = f", most of them at {waiting['from_touchpoint'].iloc[0]}" if len(waiting) else ""
    return (
        f"{row['n_open']:,.0f} of {row['n_journeys']:,.0f} journeys ({row['open_share']:.1%}) may "
        f"still go on{at}."
    )
