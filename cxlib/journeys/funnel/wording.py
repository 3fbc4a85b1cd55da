"""Findings about funnels, in plain sentences rendered from the tables."""

from __future__ import annotations

import pandas as pd

from cxlib.journeys.funnel.comparison import FunnelComparison
from cxlib.journeys.funnel.timing import ConversionTimes
from cxlib.journeys.log import END, OPEN


def describe_breaks(funnel: pd.DataFrame, *, min_cell: int = 10) -> str:
    """Say how many journeys come through and where most stop.

    Parameters
    ----------
    funnel : pandas.DataFrame
        From :func:`cxlib.journeys.measure_funnel`.
    min_cell : int, default 10
        What fewer customers than this do is told without numbers.

    Returns
    -------
    str
        One or two sentences.
    """
    first, last = funnel.iloc[0], funnel.iloc[-1]
    if 0 < first["n_customers"] < min_cell:
        return f"Fewer than {min_cell} customers reach '{first['stage']}'."
    if len(funnel) == 1:
        return f"Journeys that reach '{first['stage']}': {first['n']:,}."
    share = f"{last['conversion_share']:.1%} ({last['conf_low']:.1%} to {last['conf_high']:.1%})"
    if 0 < last["n_customers"] < min_cell:
        share = f"those of fewer than {min_cell} customers"
    through = (
        f"Of {first['n']:,} journeys that reach '{first['stage']}', {share} come to "
        f"'{last['stage']}' with every stage between in order."
    )
    worst = funnel.loc[funnel["n_ended"].idxmax()]
    if worst["n_ended"] < max(min_cell, 1) or worst["n_customers"] < min_cell:
        return through
    left = worst["n"] - worst["n_ended"] - worst["n_skipped"] - worst["n_open"]
    if 0 < left < min_cell:  # the parts would give away how few go on
        return f"{through} Most break off after '{worst['stage']}'."
    more = [
        f"{_count(worst[column], min_cell)} {text}"
        for column, text in (
            ("n_skipped", "pass over the next stage"),
            ("n_open", "may still go on"),
        )
        if worst[column]
    ]
    beside = f"; of the others {' and '.join(more)}" if more else ""
    return (
        f"{through} Most break off after '{worst['stage']}': {worst['n_ended']:,} of "
        f"{worst['n']:,} there have ended without a later stage{beside}."
    )


def _count(n: int, min_cell: int) -> str:
    return f"fewer than {min_cell}" if 0 < n < min_cell else f"{n:,}"


def describe_times(found: ConversionTimes, *, min_cell: int = 10) -> str:
    """Say how many journeys make the hardest step of the funnel, and how soon.

    Parameters
    ----------
    found : ConversionTimes
        From :func:`cxlib.journeys.time_to_convert`.
    min_cell : int, default 10
        Steps that fewer journeys stand before are not told.

    Returns
    -------
    str
        A sentence on the step that the smallest share makes, and one on how to read it.
    """
    enough = (found.times["cause"] == "converted") & (found.times["n"] >= min_cell)
    came = found.times[enough].dropna(subset="share")
    if came.empty:
        return "Too few journeys were observed to say how soon the next stage is reached."
    last = came.groupby("position").tail(1)
    row = last.loc[last["share"].idxmin()]
    text = (
        f"The hardest step is from '{row['stage']}' to '{row['next_stage']}': {row['share']:.1%} "
        f"of {row['n']:,} journeys make it within {_span(row['horizon_days'])} "
        f"({row['conf_low']:.1%} to {row['conf_high']:.1%})"
    )
    quantiles = found.quantiles[found.quantiles["position"] == row["position"]]
    reached = quantiles.dropna(subset="days")
    if len(reached):
        text += f"; {_describe_quantile(reached.iloc[-1])}"
    naive = quantiles.iloc[-1]["naive_days"]
    if pd.notna(naive):
        text += f"; of those who came, half took at most {_span(naive)}"
    return (
        f"{text}. Shares and times of all count a dropped journey as one that never comes, an open "
        "one as not known yet; the times of those who came leave both out."
    )


def _describe_quantile(row: pd.Series) -> str:
    high = f"to {_span(row['conf_high'])}" if pd.notna(row["conf_high"]) else "or more"
    return (
        f"{row['quantile']:.0%} of all are there after {_span(row['days'])} "
        f"({_span(row['conf_low'])} {high})"
    )


def _span(days: float) -> str:
    for unit, size in (("days", 1.0), ("hours", 1 / 24), ("minutes", 1 / 1440)):
        if days >= 2 * size:
            return f"{days / size:.3g} {unit}"
    return "1 day" if days == 1 else f"{days * 1440:.2g} minutes"


def describe_next(after_drop: pd.DataFrame, *, min_cell: int = 10) -> str:
    """Say what journeys do that stop where most of them stop.

    Parameters
    ----------
    after_drop : pandas.DataFrame
        From :func:`cxlib.journeys.count_next`.
    min_cell : int, default 10
        What fewer customers than this do is left out.

    Returns
    -------
    str
        A sentence on the stage at which most journeys stop.
    """
    if after_drop.empty:
        return "No journey stops before the last stage."
    worst = after_drop.groupby("position")["n"].sum().idxmax()
    rows = after_drop[after_drop["position"] == worst]
    n, stage = rows["n"].sum(), rows["stage"].iloc[0]
    stopped = f"{_count(n, min_cell)} journeys that stop at '{stage}', where most do"
    rows = rows[rows["n_customers"] >= min_cell]
    shares = rows.set_index("next_touchpoint")["share"]
    parts = [
        f"{shares[name]:.0%} {text}"
        for name, text in ((END, "end there"), (OPEN, "may still go on"))
        if shares.get(name, 0) >= 0.005
    ]
    onward = rows[~rows["next_touchpoint"].isin([END, OPEN])]
    if len(onward):
        row = onward.iloc[0]
        parts.append(
            f"the commonest touchpoint afterwards is '{row['next_touchpoint']}' "
            f"({row['share']:.0%}, {row['conf_low']:.0%} to {row['conf_high']:.0%})"
        )
    if not parts:
        return f"Of {stopped}, no {min_cell} customers do the same next."
    return f"Of {stopped}, {', '.join(parts)}."


def describe_funnel_comparison(found: FunnelComparison, *, conf_level: float = 0.95) -> str:
    """Say at which stages groups or periods differ.

    Parameters
    ----------
    found : FunnelComparison
        From :func:`cxlib.journeys.compare_funnels`.
    conf_level : float, default 0.95
        One minus the share of false discoveries allowed.

    Returns
    -------
    str
        One sentence or more.
    """
    tested = found.differences
    if tested.empty:
        return "No stage is reached often enough to compare the groups."
    sure = tested[tested["q_value"] <= 1 - conf_level]
    said = [
        f"{len(sure):,} of {len(tested):,} differences tested are beyond chance "
        f"({100 - 100 * conf_level:g}% false discoveries allowed), counting what is reached within "
        f"{_span(found.horizon_days)}."
    ]
    for row in sure.head(3).itertuples():
        said.append(
            f"'{row.stage}' is reached by {row.share_b:.1%} of {row.n_b:,} journeys in "
            f"'{row.group_b}' against {row.share_a:.1%} of {row.n_a:,} in '{row.group_a}' "
            f"(difference {100 * row.difference:+.1f} points, {100 * row.conf_low:+.1f} to "
            f"{100 * row.conf_high:+.1f}; Cohen's h {row.effect_size:+.2f})."
        )
    return " ".join(said)
