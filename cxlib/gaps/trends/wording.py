"""Findings on trends in plain sentences, made from the chart and nothing else."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.gaps.trends.chart import TrendChart, signal_starts

_FIRM_PERIODS = 20


def describe_trend(chart: TrendChart, *, label: str = "the gap") -> str:
    """Say whether a mean moved by more than chance, when, and how often charts cry wolf.

    Parameters
    ----------
    chart : TrendChart
        From `chart_trend`.
    label : str, default "the gap"
        What is charted.

    Returns
    -------
    str
        Two to four sentences.
    """
    table = chart.table
    if chart.reason:
        listed = "; ".join(f"{row.period} {_mean(row)}" for row in table.head(6).itertuples())
        more = f"; and {len(table) - 6} more" if len(table) > 6 else ""
        told = f" The means, with their intervals: {listed}{more}." if listed else ""
        return f"No control chart can be drawn: {chart.reason}.{told}"
    span = f"{len(table)} {chart.period}s, {int(table['n'].sum()):,} respondents"
    centre = f"around {table['centre'].iloc[0]:+z.2f}"
    beyond, run = int(table["is_beyond"].sum()), int(table["is_run"].sum())
    if not beyond and not run:
        text = f"Nothing shows that {label} changed: it moves {centre} within its limits ({span})."
    else:
        starts = table[signal_starts(table)]
        listed = "; ".join(_signal(row) for row in starts.head(4).itertuples())
        more = f"; and {len(starts) - 4} more" if len(starts) > 4 else ""
        text = (
            f"{label[0].upper()}{label[1:]} moved by more than chance and the usual unrest allow "
            f"({span}, centre {table['centre'].iloc[0]:+z.2f}). Signals: {listed}{more}."
        )
    text += (
        f" Where nothing ever changes, {chart.false_alarm_share:.0%} of charts of this size show a "
        "signal all the same."
    )
    if chart.autocorrelation > chart.autocorrelation_limit:
        text += (
            f" Neighbouring {chart.period}s resemble each other (correlation "
            f"{chart.autocorrelation:.2f}; chance stays under {chart.autocorrelation_limit:.2f}): "
            "there is a lasting change or a slow drift, and a run alone does not date an event."
        )
    return text


def describe_limits(chart: TrendChart) -> str:
    """Say what the limits are made of, and what was left out.

    Parameters
    ----------
    chart : TrendChart
        From `chart_trend`.

    Returns
    -------
    str
        Up to four sentences; empty where there is no chart and nothing was left out.
    """
    parts = []
    if not chart.reason:
        widened = (
            f"{chart.period}s differ {chart.widening:.2f} times as much as chance among "
            "respondents explains, and the limits are widened by that"
            if chart.widening > 1
            else f"{chart.period}s differ no more than chance among respondents explains"
        )
        parts.append(
            f"Limits lie three standard errors about the centre, so they are wide where few "
            f"answered; {widened}."
        )
        if len(chart.table) < _FIRM_PERIODS:
            parts.append(f"With fewer than {_FIRM_PERIODS} {chart.period}s they are provisional.")
    held = int(chart.table["n_segments"].max()) if len(chart.table) else 0
    if chart.by and held > 1:
        parts.append(
            f"Every {chart.period} is shown at the same mix of {chart.by} ({held} segments), so "
            "that a change in who answers is no change in the line."
        )
    left_out = int(chart.table["n_left_out"].max()) if len(chart.table) else 0
    if left_out:
        parts.append(
            f"{left_out:,} respondents of {chart.period}s with too few answers are left out."
        )
    return " ".join(parts)


def describe_incidents(incidents: pd.DataFrame, chart: TrendChart) -> str:
    """Say which marked changes fall into the chart and where the next signal begins.

    Parameters
    ----------
    incidents : pandas.DataFrame
        From `place_incidents`.
    chart : TrendChart
        From `chart_trend`.

    Returns
    -------
    str
        One or two sentences.
    """
    if not len(incidents):
        return "No marked change falls into the time charted."
    if chart.reason:
        n = len(incidents)
        return f"{n} marked change{'s fall' if n != 1 else ' falls'} into that time."
    listed = "; ".join(
        f"'{row.label}' ({row.at:%Y-%m-%d}): "
        + (f"next signal {row.next_signal}" if row.next_signal else "no signal after it")
        for row in incidents.itertuples()
    )
    return f"Marked changes: {listed}. That one follows the other does not make it the reason."


def _mean(row: Any) -> str:
    is_known = row.conf_low == row.conf_low
    ends = f"{row.conf_low:+z.2f} to {row.conf_high:+z.2f}" if is_known else "no interval"
    return f"{row.value:+z.2f} ({ends}, n = {row.n:,})"


def _signal(row: Any) -> str:
    side = "above" if row.value > row.centre else "below"
    what = "beyond the limits" if row.is_beyond else "a run of eight or more begins"
    return f"{row.period} {row.value:+z.2f} ({what}, {side} the centre, n = {row.n:,})"
