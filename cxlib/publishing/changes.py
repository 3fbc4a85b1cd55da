"""What moved since an earlier batch: differences of key figures, tested where they can be."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scipy import stats

from cxlib.publishing.report import find_period
from cxlib.publishing.wording import FEW, LENGTHS, NO_INTERVAL, SHARE_ROWS, TOO_FEW
from cxlib.stats import adjust_p_values

FALSE_SHARE = 0.05  # of the figures called moved, the share that chance may have moved
ALIKE = 0.1  # months differ by that much in length, and are compared
_FREE = {"workbook", "period_start", "period_end", "wave", "random_state", "conf_level", "min_cell"}
Run = Mapping[str, Any]
Error = tuple[float, float]  # standard error, degrees of freedom


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
        The records of ``runs``, with ``remade``, which of notebook and cxlib are not those of
        the earlier run, and each key figure with ``change``: None where the earlier batch has
        no such figure, else ``before``, ``difference``, its interval ``conf_low`` and
        ``conf_high``, ``p_value``, ``q_value`` and ``verdict`` ("moved", "not clearly", "not
        tested" with ``why``, or "not compared" with ``why`` and no difference).

    Notes
    -----
    Figures are tested only where the two share no rows, because their periods do not overlap or
    their waves differ, and where the periods are of equal length, give or take a tenth. Both are
    taken as independent; where the same people are in both and remain alike, the difference is
    less uncertain than that, so the test is cautious. All tests of a batch are one family for
    Benjamini and Hochberg.

    The standard error is recovered from the ends of the intervals that lie towards each other,
    each at its own level, so that uneven intervals count on the right side [1]_; the other two
    ends need not be reached. With n known, ends of figures other than shares are taken for ends of
    t intervals and the difference is tested as Welch does [2]_, except that one respondent of the
    smaller set is taken to vary no less than one of the larger: where ratings crowd at the top of
    the scale, a small set that by chance holds no low rating has a high mean and hardly any spread.
    Of batches of 40 figures that did not change, skewed ratings from 1 to 7 of 10 to 100
    respondents against 1,000, up to 2 % have one that is called moved; by Welch's own variances it
    is 28 % (n = 10) and 8 % (n = 100), by the normal distribution 50 % and 9 %. Of sets of equal
    size it is at most 6 %, of shares 8 % at n = 10 and 6 % at n = 20, from which on all is tested.

    References
    ----------
    .. [1] G. Y. Zou, A. Donner (2008). Construction of confidence limits about effect measures: a
           general approach. Statistics in Medicine 27, 1693-1702.
    .. [2] B. L. Welch (1947). The generalization of 'Student's' problem when several different
           population variances are involved. Biometrika 34, 28-35.
    """
    changed = []
    for run in runs:
        old = _match(run, earlier)
        figures = [{**figure, "change": _compare(figure, run, old)} for figure in _figures(run)]
        changed.append({**run, "key_figures": figures, "remade": _find_remade(run, old)})
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
    """Name the parameters that make two runs answers to different questions.

    One that only one of them has, does so: what the other did in its place is not known.
    """
    now, before = run["parameters"], old["parameters"]
    names = [name for name in {**now, **before} if name not in _FREE]
    return [name for name in names if _given(now, name) != _given(before, name)]


def _given(parameters: Run, name: str) -> list[Any]:
    return [parameters[name]] if name in parameters else []


def _find_remade(run: Run, old: Run | None) -> list[str]:
    keys = run.get("key") or {}, (old or {}).get("key") or {}
    known = [part for part in ("notebook", "cxlib") if all(part in key for key in keys)]
    return [part for part in known if keys[0][part] != keys[1][part]]


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
    levels = [float(each["parameters"].get("conf_level", 0.95)) for each in (run, old)]
    tested = _test(figure, before, *levels)
    sizes = [each["n"] for each in (figure, before) if each["n"] is not None]
    if _differ_in_length(run, old):
        why = LENGTHS
    elif tested is None:
        why = NO_INTERVAL
    elif _share_rows(run, old):
        why = SHARE_ROWS
    elif min(sizes, default=FEW) < FEW:
        why = f"{TOO_FEW} (n {min(sizes)})"
    else:
        return change | tested
    return change | {"verdict": "not tested", "why": why}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _share_rows(run: Run, old: Run) -> bool:
    """Tell whether two runs may rest on the same rows."""
    waves = run["parameters"].get("wave"), old["parameters"].get("wave")
    if all(waves) and waves[0] != waves[1]:
        return False
    (start, end), (start_before, end_before) = find_period(run), find_period(old)
    # ISO dates; an empty one is no bound
    return not ("" < end < start_before or "" < end_before < start)


def _differ_in_length(run: Run, old: Run) -> bool:
    """Tell whether two periods are, or may be, of different length."""
    now, before = find_period(run), find_period(old)
    if not (now[0] or before[0]):
        return False
    if not all((*now, *before)):
        return True  # when the data begin is not known
    days = [_count_days(*period) for period in (now, before)]
    return abs(days[0] - days[1]) > ALIKE * max(days)


def _count_days(start: str, end: str) -> int:
    return (datetime.date.fromisoformat(end) - datetime.date.fromisoformat(start)).days + 1


def _test(
    figure: Run, before: Run, level: float, level_before: float
) -> dict[str, float | None] | None:
    """Test a difference; None without the interval that takes."""
    ends = ("conf_low", "conf_high")
    if figure["unit"] == "p" or not (_is_sound(figure) and _is_sound(before)):
        return None
    low, high = (_find_error(figure, end, level) for end in ends)
    low_before, high_before = (_find_error(before, end, level_before) for end in ends)
    below, above = _add_errors(low, high_before), _add_errors(high, low_before)
    difference = figure["value"] - before["value"]
    error = below if difference > 0 else above if difference < 0 else below or above
    if error is None:
        return None
    return {
        "conf_low": below and difference - _t_quantile(level, below[1]) * below[0],
        "conf_high": above and difference + _t_quantile(level, above[1]) * above[0],
        "p_value": 2 * float(stats.t.sf(abs(difference) / error[0], error[1])),
    }


def _is_sound(figure: Run) -> bool:
    low, high = figure["conf_low"], figure["conf_high"]
    above = not _is_number(low) or low <= figure["value"]
    return above and (not _is_number(high) or figure["value"] <= high)


def _find_error(figure: Run, end: str, level: float) -> Error | None:
    """Find the standard error towards an end of the interval, and its degrees of freedom."""
    if not _is_number(figure[end]):
        return None
    is_mean = figure["unit"] != "share" and figure["n"] is not None and figure["n"] > 1
    freedom = figure["n"] - 1 if is_mean else math.inf
    return abs(figure[end] - figure["value"]) / _t_quantile(level, freedom), freedom


def _add_errors(now: Error | None, before: Error | None) -> Error | None:
    """Combine the errors of two independent figures."""
    if now is None or before is None:
        return None
    variances = [now[0] ** 2, before[0] ** 2]
    freedoms = [now[1], before[1]]
    if all(map(math.isfinite, freedoms)) and freedoms[0] != freedoms[1]:
        small = freedoms.index(min(freedoms))
        ratio = (freedoms[1 - small] + 1) / (freedoms[small] + 1)
        variances[small] = max(variances[small], variances[1 - small] * ratio)
    total = sum(variances)
    if total == 0:
        return None
    lost = sum(
        (each / total) ** 2 / freedom for each, freedom in zip(variances, freedoms, strict=True)
    )
    return math.sqrt(total), 1 / lost if lost else math.inf


def _t_quantile(level: float, freedom: float) -> float:
    return float(stats.t.ppf(0.5 + level / 2, freedom))
