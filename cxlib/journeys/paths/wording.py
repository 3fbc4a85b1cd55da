"""Findings about whole journeys, in plain sentences rendered from the tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.journeys.log import OPEN, OTHER, START
from cxlib.journeys.paths.rework import ALL


def describe_paths(paths: pd.DataFrame, *, goal: str = "", min_cell: int = 10) -> str:
    """Say how alike journeys are.

    Parameters
    ----------
    paths : pandas.DataFrame
        From :func:`cxlib.journeys.count_paths`.
    goal : str, default ""
        What makes a journey count as converted.
    min_cell : int, default 10
        A path of fewer journeys is told without its number.

    Returns
    -------
    str
        One or two sentences.
    """
    n_paths, first = int(paths["n_paths"].sum()), paths.iloc[0]
    text = f"The {int(paths['n'].sum()):,} journeys are {n_paths:,} different paths; "
    if first["n"] < min_cell:
        text += f"none is walked {min_cell} times or more."
    else:
        times = f"time{'s' if first['n'] > 1 else ''}"
        text += f"the commonest is walked {first['n']:,} {times} ({first['share']:.1%})."
    if "converted_share" in paths:
        converted = (paths["converted_share"] * paths["n"]).sum() / paths["n"].sum()
        text += f" Of all journeys {converted:.1%} hold '{goal}'."
    return text


def describe_pattern(counted: pd.DataFrame, *, min_cell: int = 10) -> str:
    """Say how many journeys go a certain way, and whether they convert more often.

    Parameters
    ----------
    counted : pandas.DataFrame
        From :func:`cxlib.journeys.count_pattern`.
    min_cell : int, default 10
        What fewer journeys do is told without numbers.

    Returns
    -------
    str
        One to three sentences.
    """
    row = counted.iloc[0]
    if 0 < row["n"] < min_cell:
        few = f"Fewer than {min_cell} of {row['n_journeys']:,} closed journeys"
        return f"{few} go '{row['pattern']}'."
    text = (
        f"{row['n']:,} of {row['n_journeys']:,} closed journeys go '{row['pattern']}' "
        f"({row['share']:.1%}, {row['conf_low']:.1%} to {row['conf_high']:.1%})."
    )
    if "n_before" not in row:
        return text
    if not row["n_before"]:
        return f"{text} None of them does so before the goal."
    if row["n_before"] < min_cell:
        return f"{text} Fewer than {min_cell} of them do so before the goal or without it."
    if np.isnan(row["difference"]):
        return f"{text} There are no other journeys to compare them with."
    text += (
        f" Of the {row['n_before']:,} that do so before the goal or without it, "
        f"{row['converted_share']:.1%} come to the goal, against {row['base_share']:.1%} of the "
        f"others: {row['difference'] * 100:+.1f} points ({row['difference_low'] * 100:+.1f} to "
        f"{row['difference_high'] * 100:+.1f})"
    )
    if row["base_share"] > 0:
        most = f"to {row['lift_high']:.2f}" if np.isfinite(row["lift_high"]) else "or more"
        text += f", {row['lift']:.2f} times as often ({row['lift_low']:.2f} {most})"
    text += "."
    unsure = row["difference_low"] <= 0 <= row["difference_high"]
    return f"{text} That may be chance." if unsure else text


def describe_rework(rework: pd.DataFrame, *, currency: str = "") -> str:
    """Say how often customers have to come back, where most, and at what cost.

    Parameters
    ----------
    rework : pandas.DataFrame
        From :func:`cxlib.journeys.count_rework`.
    currency : str, default ""
        Unit of the costs.

    Returns
    -------
    str
        One to four sentences.
    """
    whole = rework[rework["touchpoint"] == ALL].set_index("kind")
    row = whole.loc["repeated"]
    if not row["n"]:
        return f"None of the {row['n_journeys']:,} closed journeys comes back to a touchpoint."
    directly = whole.loc["self_loop", "n_times"] / row["n_times"]
    said = [
        f"{row['share']:.0%} of the {row['n_journeys']:,} closed journeys ({row['conf_low']:.0%} "
        f"to {row['conf_high']:.0%}) come back to a touchpoint: {row['n_times']:,} repeated "
        f"contacts, {directly:.0%} of them directly again."
    ]
    places = rework[(rework["kind"] == "repeated") & (rework["touchpoint"] != ALL)]
    most = places.sort_values("n_times", ascending=False, kind="stable").iloc[0]
    said.append(
        f"Most repeated is {most['touchpoint']} ({most['n_times']:,} times; {most['share']:.0%} of "
        "the journeys that come there)."
    )
    if "other_channel" in whole.index:
        other = whole.loc["other_channel", "n_times"] / row["n_times"]
        said.append(f"{other:.0%} of the repeated contacts are in another channel than before.")
    if "extra_cost" in rework and not np.isnan(row["extra_cost"]):
        unit = f" {currency}" if currency else ""
        dear = places.sort_values("extra_cost", ascending=False, kind="stable").iloc[0]
        said.append(
            f"Repeated contacts cost {row['extra_cost']:,.0f}{unit}, the largest part at "
            f"{dear['touchpoint']} ({dear['extra_cost']:,.0f}{unit})."
        )
    return " ".join(said)


def describe_lead_ups(lead_ups: pd.DataFrame, *, min_cell: int = 10) -> str:
    """Say which ways come to the goal more and less often than the others.

    Parameters
    ----------
    lead_ups : pandas.DataFrame
        From :func:`cxlib.journeys.rank_paths`.
    min_cell : int, default 10
        Fewer journeys are told without their number.

    Returns
    -------
    str
        Two to four sentences.
    """
    n = lead_ups.set_index("path")["n"]
    n_open, n_start = (
        f"fewer than {min_cell}" if 0 < n.get(path, 0) < min_cell else f"{n.get(path, 0):,}"
        for path in (OPEN, START)
    )
    base = lead_ups.iloc[0]
    compared = lead_ups[~lead_ups["path"].isin([START, OPEN])]
    if compared["n"].sum() < min_cell:
        return f"Fewer than {min_cell} closed journeys begin with other steps than the goal."
    text = (
        f"{base['base_share']:.1%} of {compared['n'].sum():,} closed journeys come to the goal "
        f"after other steps; {n_open} open ones and {n_start} that begin at it are left out."
    )
    listed = compared[compared["path"] != OTHER]
    said = []
    for verdict, at in (("converts more", 0), ("converts less", -1)):
        sure = listed[listed["verdict"] == verdict]
        if len(sure):
            row = sure.iloc[at]
            said.append(
                f"{len(sure)} {verdict.replace('converts', 'convert')} often beyond chance, most "
                f"surely '{row['path']}' ({row['converted_share']:.0%} of {row['n']:,}, "
                f"{row['conf_low']:.0%} to {row['conf_high']:.0%})"
            )
    if listed.empty:
        return f"{text} No way is common enough to be tested."
    if not said:
        return f"{text} None of the {len(listed)} ways tested differs from that beyond chance."
    return f"{text} Of the {len(listed)} ways tested {'; '.join(said)}."


def describe_drivers(drivers: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say which touchpoints go with coming to the goal, and which with breaking off.

    Parameters
    ----------
    drivers : pandas.DataFrame
        From :func:`cxlib.journeys.count_drivers`.
    conf_level : float, default 0.95
        One minus the share of false discoveries allowed.

    Returns
    -------
    str
        One to three sentences.
    """
    sure = drivers[drivers["q_value"] <= 1 - conf_level]
    text = (
        f"{len(sure)} of {len(drivers)} touchpoints go with coming to the goal more or less often "
        "beyond chance, among journeys equally long."
    )
    for row, word in ((sure.head(1), "more"), (sure.tail(1), "less")):
        found = row[row["difference"] > 0] if word == "more" else row[row["difference"] < 0]
        for one in found.itertuples():
            text += (
                f" With {one.touchpoint} they come there {word} often: {one.difference * 100:+.0f} "
                f"points ({one.conf_low * 100:+.0f} to {one.conf_high * 100:+.0f}; "
                f"{one.crude_difference * 100:+.0f} without regard to length)."
            )
    return f"{text} This describes; it is no proof of a cause." if len(sure) else text


def describe_attribution(attribution: pd.DataFrame, journeys: pd.DataFrame) -> str:
    """Say who gets the credit, and how far methods agree on it.

    Parameters
    ----------
    attribution, journeys : pandas.DataFrame
        The tables of :class:`cxlib.journeys.Attribution`.

    Returns
    -------
    str
        Three sentences.
    """
    row = journeys.iloc[0]
    tops = attribution.groupby("method", sort=False).head(1)
    leaders = tops.groupby("name", sort=False)["method"].agg(list)
    shares = attribution[attribution["name"].isin(leaders.index)].groupby("name")["share"]
    spread = shares.agg(["min", "max"])
    if len(leaders) == 1:
        name = leaders.index[0]
        low, high = spread.loc[name]
        agreed = f"By all {len(tops)} methods most credit goes to {name}: {low:.0%} to {high:.0%}."
    else:
        parts = [
            f"{name} by {', '.join(methods).replace('_', ' ')}" for name, methods in leaders.items()
        ]
        agreed = f"Methods disagree who gets most: {'; '.join(parts)}."
    return (
        f"Credit for {row['n_converted']:,} conversions against {row['n_null']:,} journeys that "
        f"ended without; {row['n_open']:,} open ones, neither yet, and {row['n_at_once']:,} that "
        f"begin at the goal are left out. {agreed} Attribution describes paths; it does not tell "
        "what would happen without a touchpoint."
    )
