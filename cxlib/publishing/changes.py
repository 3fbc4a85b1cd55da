"""What moved since an earlier batch: differences of key figures, tested where they can be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cxlib.stats import adjust_p_values, normal_quantile

FALSE_SHARE = 0.05  # of the figures called moved, the share that chance may have moved
_FREE = {"workbook", "period_start", "period_end", "wave", "random_state", "conf_level", "min_cell"}
_SHARE_ROWS = "the two share rows"
Run = Mapping[str, Any]


def add_changes(runs: Sequence[Run], earlier: Sequence[Run]) -> list[dict[str, Any]]:
    """Compare the key figures of runs with those of an earlier batch.

    Parameters
    ----------
    runs, earlier : sequence of dict
        Run records. Two belong together when notebook and parameters are the same, period and
        wave aside; else, when notebook and ``set_name`` are.

    Returns
    -------
    list of dict
        The records of ``runs``, each key figure with ``change``: None where the earlier batch has
        no such figure, else ``before``, ``difference``, its interval ``conf_low`` and
        ``conf_high``, ``p_value``, ``q_value`` and ``verdict`` ("moved", "not clearly", "not
        tested" with ``why``, or "not compared" with ``why`` and no difference).

    Notes
    -----
    Figures are tested only where the two share no rows: their periods do not overlap, or their
    waves differ. Both are taken as independent; where the same customers are in both and remain
    alike, the difference is less uncertain than that, so the test is cautious. All tests of a
    batch are one family for Benjamini and Hochberg.

    The standard error is recovered from the ends of the intervals that lie towards each other,
    each at its own level, so that uneven intervals count on the right side [1]_.

    References
    ----------
    .. [1] G. Y. Zou, A. Donner (2008). Construction of confidence limits about effect measures: a
           general approach. Statistics in Medicine 27, 1693-1702.
    """
    changed = []
    for run in runs:
        old = _match(run, earlier)
        figures = [{**figure, "change": _compare(figure, run, old)} for figure in _figures(run)]
        changed.append({**run, "key_figures": figures})
    changes = [f["change"] for run in changed for f in run["key_figures"] if f["change"]]
    q_values = adjust_p_values([_or_nan(change["p_value"]) for change in changes])
    for change, q_value in zip(changes, q_values, strict=True):
        if not math.isnan(q_value):
            change["q_value"] = float(q_value)
            change["verdict"] = "moved" if q_value <= FALSE_SHARE else "not clearly"
    return changed


def _figures(run: Run) -> list[dict[str, Any]]:
    return list(run["key_figures"])


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _match(run: Run, earlier: Sequence[Run]) -> Run | None:
    """Find the only run of an earlier batch that asked the same."""
    fits = [old for old in earlier if old["notebook"] == run["notebook"]]
    same = [old for old in fits if not _asked_differently(run, old)]
    fits = same or [old for old in fits if _name(old) and _name(old) == _name(run)]
    nearer: list[Callable[[Run], Any]] = [
        _name,
        lambda old: old["parameters"].get("workbook"),
        lambda old: [old["parameters"].get(key) for key in ("period_start", "period_end", "wave")],
    ]
    for what in nearer:
        if len(fits) > 1:
            fits = [old for old in fits if what(old) == what(run)] or fits
    return fits[0] if len(fits) == 1 else None


def _name(run: Run) -> str:
    return str(run.get("set_name", ""))


def _outcome(run: Run) -> str:
    """Status of the run that made the folder; one that was skipped keeps it."""
    return str(run.get("kept_status", run["status"]))


def _asked_differently(run: Run, old: Run) -> list[str]:
    """Name the parameters that make two runs answers to different questions."""
    now, before = run["parameters"], old["parameters"]
    return [
        name for name in now if name not in _FREE and name in before and now[name] != before[name]
    ]


def _compare(figure: Run, run: Run, old: Run | None) -> dict[str, Any] | None:
    if old is None or not all(_outcome(each).startswith("ok") for each in (run, old)):
        return None
    before = next((f for f in _figures(old) if f["id"] == figure["id"]), None)
    if before is None:
        return None
    names = ("before", "difference", "conf_low", "conf_high", "p_value", "q_value")
    change: dict[str, Any] = dict.fromkeys(names) | {"verdict": "not compared", "why": ""}
    others = _asked_differently(run, old)
    if others:
        return change | {"why": f"asked differently: {', '.join(others)}"}
    if (figure["label"], figure["unit"]) != (before["label"], before["unit"]):
        return change | {"why": f"it was '{before['label']}' before"}
    if not (_is_number(figure["value"]) and _is_number(before["value"])):
        return change | {"why": "no number on both sides"}
    change |= {"before": before["value"], "difference": figure["value"] - before["value"]}
    if _share_rows(run["parameters"], old["parameters"]):
        return change | {"verdict": "not tested", "why": _SHARE_ROWS}
    levels = [float(each["parameters"].get("conf_level", 0.95)) for each in (run, old)]
    return change | _test(figure, before, *levels)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _share_rows(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Tell whether two runs may rest on the same rows, by their parameters."""
    waves = now.get("wave"), before.get("wave")
    if all(waves) and waves[0] != waves[1]:
        return False
    (start, end), (start_before, end_before) = (
        (each.get("period_start", ""), each.get("period_end", "")) for each in (now, before)
    )
    # ISO dates; an empty one is no bound
    return not ("" < end < start_before or "" < end_before < start)


def _test(figure: Run, before: Run, level: float, level_before: float) -> dict[str, Any]:
    ends = [each[name] for each in (figure, before) for name in ("conf_low", "conf_high")]
    if not all(_is_number(end) for end in ends):
        return {"verdict": "not tested", "why": "no interval"}
    z, z_before = normal_quantile(level), normal_quantile(level_before)
    now, then = figure["value"], before["value"]
    low, high, low_before, high_before = ends
    below = math.hypot((now - low) / z, (high_before - then) / z_before)
    above = math.hypot((high - now) / z, (then - low_before) / z_before)
    difference = now - then
    std_error = below if difference > 0 else above
    if not (low <= now <= high and low_before <= then <= high_before and std_error > 0):
        return {"verdict": "not tested", "why": "no interval"}
    return {
        "conf_low": difference - z * below,
        "conf_high": difference + z * above,
        "p_value": math.erfc(abs(difference) / std_error / math.sqrt(2)),
    }
