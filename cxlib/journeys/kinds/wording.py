"""Findings about kinds of journey, in plain sentences rendered from the tables."""

from __future__ import annotations

from typing import Any

import pandas as pd

AS_CLEAR = 0.05  # groupings whose clarity differs by less are rivals


def describe_segments(
    segments: pd.DataFrame, *, min_cell: int = 10, conf_level: float = 0.95
) -> str:
    """Say which kinds of journey exist, how common they are and how sure that is.

    Parameters
    ----------
    segments : pandas.DataFrame
        The table `segments` of :class:`cxlib.journeys.JourneySegments`.
    min_cell : int, default 10
        Kinds of fewer customers are counted, not named.
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
    named = segments[segments["n_customers"] >= min_cell].head(4)
    if named.empty:
        return f"No kind of journey is walked by {min_cell} customers or more."
    kinds = "; ".join(
        f"{row.segment} ({row.share:.0%} of the journeys, {row.conf_low:.0%} to "
        f"{row.conf_high:.0%}; {row.n_customers:,} customers)"
        for row in named.itertuples()
    )
    n_more = len(segments) - len(named)
    more = f"; and {n_more} rarer one{'s' if n_more > 1 else ''}" if n_more else ""
    n_stable = int((segments["verdict"] == "stable").sum())
    sure = "all" if n_stable == len(segments) else f"{n_stable or 'none'} of them"
    return (
        f"Customers walk {len(segments)} kinds of journey, {sure} found again when journeys are "
        f"drawn anew: {kinds}{more} ({100 * conf_level:g}% intervals)."
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
        A sentence or two when the largest number tried was chosen, or another one holds almost as
        clearly; else empty.
    """
    own = quality[quality["chosen"]] if len(quality) > 1 else quality.head(0)
    if own.empty:
        return ""
    said = "The number of kinds is not settled: "
    if quality["chosen"].iloc[-1]:
        return (
            f"{said}{quality['n_clusters'].iloc[-1]} is the largest number tried and the clearest. "
            "Some kinds may be variants of one another with a step more or less."
        )
    near = quality["clarity"] >= own["clarity"].iloc[0] - AS_CLEAR
    rivals = quality.loc[quality["holds"] & near & ~quality["chosen"], "n_clusters"]
    if rivals.empty:
        return ""
    return f"{said}{' or '.join(rivals.astype(str))} would hold almost as well."


def describe_representatives(representatives: pd.DataFrame) -> str:
    """Say by which real paths each kind of journey is best told.

    Parameters
    ----------
    representatives : pandas.DataFrame
        From :func:`cxlib.journeys.find_representatives`.

    Returns
    -------
    str
        A sentence for each of the four largest segments.
    """
    said = []
    for name in representatives["segment"].drop_duplicates().head(4):
        own = representatives[representatives["segment"] == name]
        first, last = own.iloc[0], own.iloc[-1]
        steps = int(first["radius"])
        near = (
            f"at most {steps} step{'s' if steps > 1 else ''} put in or left out"
            if steps
            else "exactly so"
        )
        more = f"; with {len(own) - 1} more, {last['coverage_share']:.0%}" if len(own) > 1 else ""
        said.append(
            f"{name}: {first['path']} stands for {first['coverage_share']:.0%} of the journeys "
            f"({near}){more}."
        )
    return " ".join(said)


def describe_differences(differences: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say which touchpoints mark each kind of journey, at equal length.

    Parameters
    ----------
    differences : pandas.DataFrame
        From :func:`cxlib.journeys.measure_differences`.
    conf_level : float, default 0.95
        Confidence level, and one minus the share of false discoveries allowed.

    Returns
    -------
    str
        A sentence for each of the four largest segments, and what was tested.
    """
    sure = differences[differences["q_value"] <= 1 - conf_level]
    said = []
    for name in differences["segment"].drop_duplicates().head(4):
        own = sure[(sure["segment"] == name) & (sure["lift"] > 1)]
        marks = [_say_lift(row) for row in own.head(2).itertuples()]
        said.append(f"{name}: {' and '.join(marks) if marks else 'nothing is surely commoner'}.")
    return (
        "Against other journeys of the same length, "
        + " ".join(said)
        + f" ({len(sure)} of {differences['n_tests'].iloc[0]} tests show a difference. Touchpoints "
        "that defined the kinds differ by construction.)"
    )


def _say_lift(row: Any) -> str:
    if row.conf_low >= 100:  # the rest of the digits says nothing
        return f"{row.touchpoint} is found almost only here"
    high = f"to {row.conf_high:.1f}" if row.conf_high < 100 else "or more"
    return f"{row.touchpoint} is {row.lift:.1f} times as common ({row.conf_low:.1f} {high})"


def describe_drift(drift: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say whether the segments still hold.

    Parameters
    ----------
    drift : pandas.DataFrame
        From :func:`cxlib.journeys.measure_drift`.
    conf_level : float, default 0.95
        One minus the share of false discoveries allowed.

    Returns
    -------
    str
        What moved, what fits worse and what to do.
    """
    n_tests = drift["n_tests"].iloc[0]
    tested = f"({n_tests} tests, {100 - 100 * conf_level:g}% false discoveries allowed)"
    moved = drift[drift["q_value"] <= 1 - conf_level]
    moved = moved.reindex(moved["difference"].abs().sort_values(ascending=False).index)
    worse = drift[drift["verdict"].str.contains("refit")]
    if not n_tests:
        return f"{drift['n'].sum():,} journeys are too few to tell whether the kinds still hold."
    if moved.empty and worse.empty:
        return f"No change is shown in how common the kinds are or how well they fit {tested}."
    said = []
    if len(moved):
        shares = "; ".join(
            f"{row.segment} from {row.fitted_share:.1%} to {row.share:.1%} "
            f"({row.conf_low:.1%} to {row.conf_high:.1%})"
            for row in moved.head(3).itertuples()
        )
        more = f"; and {len(moved) - 3} more" if len(moved) > 3 else ""
        said.append(f"How common kinds are has moved: {shares}{more}.")
    if len(worse):
        names = ", ".join(worse["segment"])
        said.append(f"Journeys fit worse than those the kinds were found on: {names}. Fit anew.")
    return " ".join(said) + f" {tested[0].upper()}{tested[1:]}."


def describe_unseen(unseen: pd.DataFrame) -> str:
    """Say which touchpoints the segments did not know.

    Parameters
    ----------
    unseen : pandas.DataFrame
        `unseen` of :class:`cxlib.journeys.Assignments`.

    Returns
    -------
    str
        One sentence; empty when all were known.
    """
    if unseen.empty:
        return ""
    names = ", ".join(
        f"{row.touchpoint} ({row.share:.1%} of the journeys)" for row in unseen.head(3).itertuples()
    )
    more = f" and {len(unseen) - 3} more" if len(unseen) > 3 else ""
    return f"Touchpoints the kinds were found without have no say in them: {names}{more}."
