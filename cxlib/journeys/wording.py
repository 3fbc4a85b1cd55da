"""Findings in plain sentences, rendered from the tables."""

from __future__ import annotations

import pandas as pd

from cxlib.journeys.steps import END, OPEN, START


def describe_segments(segments: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say which kinds of journey exist, how common they are and how sure that is.

    Parameters
    ----------
    segments : pandas.DataFrame
        The table `segments` of :class:`cxlib.journeys.JourneySegments`.
    conf_level : float, default 0.95
        Confidence level of its intervals.

    Returns
    -------
    str
        One or two sentences.
    """
    if segments["verdict"].iloc[0].startswith("no segments here"):
        reason = segments["verdict"].iloc[0].split(": ", 1)[1]
        return f"There is no evidence of different kinds of journey: {reason}."
    kinds = "; ".join(
        f"{row.segment} ({row.share:.0%} of the journeys, {row.conf_low:.0%} to "
        f"{row.conf_high:.0%}; {row.n_customers:,} customers)"
        for row in segments.head(4).itertuples()
    )
    more = f"; and {len(segments) - 4} rarer ones" if len(segments) > 4 else ""
    n_stable = int((segments["verdict"] == "stable").sum())
    sure = "all" if n_stable == len(segments) else f"{n_stable or 'none'} of them"
    return (
        f"Customers walk {len(segments)} kinds of journey, {sure} found again when journeys are "
        f"drawn anew: {kinds}{more} ({conf_level:.0%} intervals)."
    )


def describe_doubt(quality: pd.DataFrame) -> str:
    """Say when the number of kinds is not settled.

    Parameters
    ----------
    quality : pandas.DataFrame
        The table `quality` of :class:`cxlib.journeys.JourneySegments`.

    Returns
    -------
    str
        A sentence or two when the largest number tried was chosen; else empty.
    """
    if len(quality) < 2 or not quality["chosen"].iloc[-1]:
        return ""
    return (
        f"The number of kinds is not settled: {quality['n_clusters'].iloc[-1]} is the largest "
        "number tried and the clearest. Some kinds may be variants of one another with a step "
        "more or less."
    )


def describe_breaks(funnel: pd.DataFrame) -> str:
    """Say how many journeys come through and where most stop.

    Parameters
    ----------
    funnel : pandas.DataFrame
        From :func:`cxlib.journeys.measure_funnel`.

    Returns
    -------
    str
        One or two sentences.
    """
    first, last = funnel.iloc[0], funnel.iloc[-1]
    if len(funnel) == 1:
        return f"Journeys that reach '{first['stage']}': {first['n']:,}."
    through = (
        f"Of {first['n']:,} journeys that reach '{first['stage']}', {last['conversion_share']:.1%} "
        f"({last['conf_low']:.1%} to {last['conf_high']:.1%}) come to '{last['stage']}' with every "
        "stage between in order."
    )
    ended = (funnel["n"].diff(-1) - funnel["n_skipped"]).iloc[:-1]
    if not ended.max():
        return through
    worst = funnel.loc[ended.idxmax()]
    skipped = (
        f" ({worst['n_skipped']:,} more pass over the next stage)" if worst["n_skipped"] else ""
    )
    still_open = f"; {worst['n_open']:,} of them may still go on" if worst["n_open"] else ""
    return (
        f"{through} Most break off after '{worst['stage']}': {int(ended.max()):,} of "
        f"{worst['n']:,} there come to no later stage{skipped}{still_open}."
    )


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


def describe_paths(paths: pd.DataFrame, *, goal: str = "") -> str:
    """Say how alike journeys are.

    Parameters
    ----------
    paths : pandas.DataFrame
        From :func:`cxlib.journeys.count_paths`.
    goal : str, default ""
        What makes a journey count as converted.

    Returns
    -------
    str
        One or two sentences.
    """
    n_paths, first = int(paths["n_paths"].sum()), paths.iloc[0]
    text = (
        f"The {int(paths['n'].sum()):,} journeys are {n_paths:,} different paths; the commonest is "
        f"walked {first['n']:,} times ({first['share']:.1%})."
    )
    if "converted_share" in paths:
        converted = (paths["converted_share"] * paths["n"]).sum() / paths["n"].sum()
        text += f" Of all journeys {converted:.1%} hold '{goal}'."
    return text


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
        f"({1 - conf_level:.0%} false discoveries allowed)."
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
