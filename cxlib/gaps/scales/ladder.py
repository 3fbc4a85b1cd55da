"""From fitted models of several groups to a verdict on what may be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import linalg, stats

from cxlib.gaps.scales.cfa import find_improper
from cxlib.gaps.scales.fit import (
    CFI_LOSS,
    SURE,
    chance_loss_below,
    fit_baseline,
    measure_fit,
)
from cxlib.gaps.scales.model import Integers, Solution, blocks, fit_structure, free_structure
from cxlib.gaps.scales.moments import Moments
from cxlib.gaps.scales.partial import Freed, free_intercepts
from cxlib.stats import normal_quantile

_EQUAL = {"metric": ("loadings",), "scalar": ("loadings", "intercepts")}
LADDER = [
    *("name", "model", "n_groups", "n", "chi2", "df", "p_value", "cfi", "tli", "rmsea"),
    *("conf_low", "conf_high", "srmr", "p_acceptable", "chi2_change", "df_change", "p_change"),
    *("q_change", "cfi_change", "rmsea_change", "p_holds", "result"),
]
STEPS = [
    *("name", "step", "item", "statistic", "df", "p_value", "n_tests", "p_adjusted"),
    *("is_freed", "chi2_change"),
]
MEANS = [
    *("name", "dimension", "group", "reference", "n", "estimate", "std_error"),
    *("conf_low", "conf_high"),
]
_ASKED = {
    "configural": "items belong to the same dimensions in all groups",
    "metric": "a step on a dimension moves each item alike in all groups",
    "scalar": "equal dimensions give equal answers in all groups",
}


@dataclass(frozen=True)
class Scale:
    """One scale in the groups that can be used.

    Parameters
    ----------
    name : str
        Of the scale.
    items, dimensions, groups : list of str
        In the order of the models; the first group is the reference.
    moments : list of Moments
        One per group.
    models : dict of str to Solution
        From `fit_models`; empty when there are not two groups.
    problem : str
        Why there are none.
    """

    name: str
    items: list[str]
    dimensions: list[str]
    groups: list[str]
    moments: list[Moments]
    models: dict[str, Solution]
    problem: str


@dataclass(frozen=True)
class Climb:
    """How far a scale got.

    Parameters
    ----------
    verdict : dict
        One row of `Invariance.verdicts`.
    rungs, steps, means : list of dict
        Rows of `Invariance.ladder`, `intercepts` and `means`.
    """

    verdict: dict[str, Any]
    rungs: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    means: list[dict[str, Any]] = field(default_factory=list)


def fit_models(
    factor: Integers, moments: Sequence[Moments], apart: Sequence[Solution]
) -> dict[str, Solution]:
    """Fit the configural, metric and scalar model.

    Parameters
    ----------
    factor : ndarray of int, shape (k,)
        The factor each item loads on.
    moments : sequence of Moments
        One per group.
    apart : sequence of Solution
        The model of each group by itself; together they are the configural model.

    Returns
    -------
    dict of str to Solution
        By name.
    """
    models = {
        "configural": Solution(
            structure=free_structure(factor, n_groups=len(moments)),
            values=np.vstack([solution.values for solution in apart]),
            covariance=linalg.block_diag(*[solution.covariance for solution in apart]),
            chi2=sum(solution.chi2 for solution in apart),
            df=sum(solution.df for solution in apart),
            is_converged=all(solution.is_converged for solution in apart),
        )
    }
    for name, equal in _EQUAL.items():
        structure = free_structure(factor, n_groups=len(moments), equal=equal)
        models[name] = fit_structure(moments, structure)
    return models


def climb(scale: Scale, *, conf_level: float) -> Climb:
    """Compare each model with the one before, and say what may be compared.

    Parameters
    ----------
    scale : Scale
        With its models.
    conf_level : float
        Confidence level.

    Returns
    -------
    Climb
        Verdict and tables.
    """
    if not scale.models:
        return Climb(_verdict(scale, "untested", np.nan, scale.problem))
    chi2, df = fit_baseline(scale.moments)
    excess = max(chi2 - df, 0.0)
    rungs: list[dict[str, Any]] = []
    for name, solution in scale.models.items():
        before = rungs[-1] if rungs else None
        rungs.append(_compare(scale, name, solution, before, excess, conf_level))
    stopped = next((rung for rung in rungs if rung["result"] != "holds"), None)
    final = scale.models["scalar"]
    freed: Freed | None = None
    if stopped is rungs[-1] and final.is_converged:
        freed = free_intercepts(
            scale.moments, final, scale.models["metric"], scale.items, excess, conf_level=conf_level
        )
        if freed.is_enough:
            final = freed.solution
            rungs.append(_compare(scale, "partial scalar", final, rungs[1], excess, conf_level))
    verdict = _decide(scale, rungs, stopped, freed)
    return Climb(
        verdict,
        rungs,
        [{"name": scale.name, **step} for step in freed.steps] if freed else [],
        _means(scale, final, conf_level) if verdict["verdict"] in ("means", "partial") else [],
    )


def _compare(
    scale: Scale,
    name: str,
    solution: Solution,
    before: dict[str, Any] | None,
    excess: float,
    conf_level: float,
) -> dict[str, Any]:
    """Judge a model by what it loses against the one before."""
    changes = dict.fromkeys(
        ("chi2_change", "df_change", "p_change", "cfi_change", "rmsea_change"), np.nan
    )
    fit = measure_fit(scale.moments, solution, conf_level=conf_level)
    p_holds, p_value = fit["p_acceptable"], fit["p_value"]
    if before is not None:
        change, df = fit["chi2"] - before["chi2"], int(fit["df"] - before["df"])
        p_value = float(stats.chi2.sf(change, df))
        whole = 1.0 if np.isnan(before["cfi"]) else before["cfi"]  # df 0 fits by construction
        changes = {
            "chi2_change": change,
            "df_change": df,
            "p_change": p_value,
            "cfi_change": fit["cfi"] - whole,
            "rmsea_change": fit["rmsea"] - before["rmsea"],
        }
        p_holds = chance_loss_below(CFI_LOSS, change, df, base_excess=excess)
    result = "undecided"
    if solution.is_converged:
        by_construction = before is None and fit["df"] == 0
        if by_construction or p_holds >= SURE:
            result = "holds"
        elif p_holds <= 1 - SURE and p_value < 1 - conf_level:
            result = "fails"
    about = {"name": scale.name, "model": name, "n_groups": len(scale.groups)}
    return about | fit | changes | {"p_holds": p_holds, "result": result}


def _decide(
    scale: Scale,
    rungs: list[dict[str, Any]],
    stopped: dict[str, Any] | None,
    freed: Freed | None,
) -> dict[str, Any]:
    """Name what may be compared; a chain of models is as sure as its weakest link."""
    improper = find_improper(scale.models["configural"], scale.items, scale.dimensions)
    passed = [rung["p_holds"] for rung in rungs if rung["result"] == "holds"]
    sure = float(np.nanmin(passed)) if not np.isnan(passed).all() else np.nan
    if stopped is None:
        return _verdict(scale, "means", sure, f"It holds that {_ASKED['scalar']}.", improper)
    if freed is not None and freed.is_enough:
        reason = f"It holds that {_ASKED['scalar']}, but for the items freed."
        return _verdict(scale, "partial", sure, reason, improper, freed.items)
    told = f"that {_ASKED[stopped['model']]}"
    if not scale.models[stopped["model"]].is_converged:
        reason = f"The {stopped['model']} model has no solution in these groups."
        return _verdict(scale, "untested", np.nan, reason)
    if stopped["result"] == "undecided":
        reason = f"It is {stopped['p_holds']:.0%} sure {told}."
        if stopped["model"] == "scalar":
            reason += " Relations may be compared."
        return _verdict(scale, "undecided", stopped["p_holds"], reason, improper)
    verdict = "relations" if stopped["model"] == "scalar" else "none"
    sure = float(np.nanmin([sure, 1 - stopped["p_holds"]]))
    return _verdict(scale, verdict, sure, f"It does not hold {told}.", improper)


def _verdict(
    scale: Scale,
    verdict: str,
    certainty: float,
    reason: str,
    improper: Sequence[str] = (),
    freed: Sequence[str] = (),
) -> dict[str, Any]:
    return {
        "name": scale.name,
        "n_groups": len(scale.groups),
        "n": sum(moments.n for moments in scale.moments),
        "n_items": len(scale.items),
        "verdict": verdict,
        "certainty": certainty,
        "freed": ", ".join(freed),
        "reason": " ".join([reason, *improper]),
    }


def _means(scale: Scale, solution: Solution, conf_level: float) -> list[dict[str, Any]]:
    """List the means of the dimensions against the reference group."""
    where = blocks(solution.structure.factor)["means"]
    z, rows = normal_quantile(conf_level), []
    for g, (group, moments) in enumerate(zip(scale.groups, scale.moments, strict=True)):
        errors = np.sqrt(np.diag(solution.covariance_of(g))[where])
        for dimension, estimate, error in zip(
            scale.dimensions, solution.values[g][where], errors, strict=True
        ):
            if g:
                rows.append(
                    {
                        "name": scale.name,
                        "dimension": dimension,
                        "group": group,
                        "reference": scale.groups[0],
                        "n": moments.n,
                        "estimate": estimate,
                        "std_error": error,
                        "conf_low": estimate - z * error,
                        "conf_high": estimate + z * error,
                    }
                )
    return rows
