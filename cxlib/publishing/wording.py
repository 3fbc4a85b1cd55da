"""How figures, their change and what moved are said, and the reasons why a change is not tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cxlib.formats import format_figure, format_interval

FEW = 20  # a figure that rests on fewer is not tested
SHARE_ROWS, LENGTHS = "the two share rows", "periods of different length"
TOO_FEW, NO_INTERVAL = "too few", "no interval"
_EQUAL_PERIODS = "Give both period_start and period_end, of equal length, to have them tested."
_WHY = {
    SHARE_ROWS: f"the two batches share rows. {_EQUAL_PERIODS}",
    LENGTHS: f"the two batches have periods of different length. {_EQUAL_PERIODS}",
    TOO_FEW: f"on one side fewer than {FEW} tell.",
}


def describe_figure(figure: Mapping[str, Any]) -> str:
    """Say a key figure in words.

    Parameters
    ----------
    figure : dict
        A key figure, with ``change`` when there is an earlier batch.

    Returns
    -------
    str
        Such as ``"NPS 31.00 (25.00 to 37.00), n 412: up 4.00 against the last batch (1.20 to
        6.80), moved"``.
    """
    interval = format_interval(figure["conf_low"], figure["conf_high"], figure["unit"])
    label = figure["label"] + (":" if " " in figure["label"] else "")
    parts = [f"{label} {format_figure(figure['value'], figure['unit'])}"]
    parts[0] += f" ({interval})" if interval else ""
    parts += [f"n {figure['n']:,}"] if figure["n"] is not None else []
    change = describe_change(figure)
    return ", ".join(parts) + (f": {change}" if change else "")


def describe_change(figure: Mapping[str, Any], against: str = " against the last batch") -> str:
    """Say how a key figure differs from the earlier batch.

    Parameters
    ----------
    figure : dict
        A key figure with ``change``.
    against : str
        What it is compared with.

    Returns
    -------
    str
        Such as ``"up 4.00 against the last batch (-1.20 to 9.20), not clearly"``; empty when
        there is none. A figure without an interval has its plain difference.
    """
    change = figure.get("change")
    if change is None:
        return ""
    verdict = _describe_verdict(change)
    if change["difference"] is None:
        return verdict
    told = _describe_size(change, figure["unit"], against) + _describe_reach(change, figure["unit"])
    return f"{told}, {verdict}" if verdict else told


def _describe_verdict(change: Mapping[str, Any]) -> str:
    short = {NO_INTERVAL: "", LENGTHS: LENGTHS, SHARE_ROWS: "not tested"}  # told once for all
    if change["why"] in short:
        return short[change["why"]]
    return f"{change['verdict']}: {change['why']}" if change["why"] else str(change["verdict"])


def _describe_size(change: Mapping[str, Any], unit: str, against: str) -> str:
    difference = change["difference"]
    if difference == 0:
        return "as before"
    size = _write_size(abs(difference), unit)
    way = "up" if difference > 0 else "down"
    if size != _write_size(0, unit):
        return f"{way} {size}{' points' if unit == 'share' else ''}{against}"
    return f"slightly {way}{against}" if change["verdict"] == "moved" else "hardly changed"


def _describe_reach(change: Mapping[str, Any], unit: str) -> str:
    """Say the interval of a difference; where a figure is not reached, so is its difference."""
    ends = [change.get(name) for name in ("conf_low", "conf_high")]
    low, high = ("" if end is None else _write_size(end, unit, bare=True) for end in ends)
    if low and high:
        return f" ({low} to {high})"
    return f" ({low or high} or {'more' if low else 'less'})" if low or high else ""


def _write_size(value: float, unit: str, *, bare: bool = False) -> str:
    text = f"{100 * value:.1f}" if unit == "share" else format_figure(value, unit)
    text = text.removesuffix(f" {unit}") if bare else text
    return text.removeprefix("-") if not text.strip("-0.") else text


def describe_changes(sets: Sequence[Mapping[str, Any]], title: str) -> dict[str, Any]:
    """Say what moved since the earlier batch.

    Parameters
    ----------
    sets : sequence of dict
        Of a summary.
    title : str
        Of the earlier batch.

    Returns
    -------
    dict
        ``title``, ``n_tested``, ``n_moved``, ``n_untested`` (of those with an interval),
        ``untested``, sentences why, and ``moved``, sentences with the clearest first.
    """
    found = [
        (figure["change"], f"{each['set_name']}: {figure['text']}")
        for each in sets
        for figure in each["key_figures"]
        if figure["change"]
    ]
    n_tested = sum(change["verdict"] in ("moved", "not clearly") for change, _ in found)
    moved = [(change["q_value"], text) for change, text in found if change["verdict"] == "moved"]
    reasons = [change["why"] for change, _ in found if change["verdict"] == "not tested"]
    reasons = [why for why in reasons if why != NO_INTERVAL]
    return {
        "title": title,
        "n_tested": n_tested,
        "n_moved": len(moved),
        "n_untested": len(reasons),
        "untested": _describe_untested(reasons, n_tested),
        "moved": [text for _, text in sorted(moved, key=lambda each: each[0])],
    }


def _describe_untested(reasons: Sequence[str], n_tested: int) -> list[str]:
    told = []
    for reason, why in _WHY.items():
        n = sum(each.startswith(reason) for each in reasons)
        if n == 0:
            continue
        lead = f"{n} difference{' is' if n == 1 else 's are'} not tested"
        if n_tested == 0 and n == len(reasons) > 1:
            lead = f"None of the {n} differences is tested"
        told.append(f"{lead}: {why}")
    return told
