"""Which items' intercepts differ between groups: one freed at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from cxlib.gaps.scales.fit import CFI_LOSS, SURE, chance_loss_below
from cxlib.gaps.scales.model import Solution, Structure, blocks, derive, fit_structure
from cxlib.gaps.scales.moments import Moments
from cxlib.stats import Floats

# a dimension is compared through the items that measure it alike; one alone proves nothing
_FEWEST_EQUAL = 2


@dataclass(frozen=True)
class Freed:
    """The scalar model after intercepts were freed.

    Parameters
    ----------
    solution : Solution
        The last model.
    items : list of str
        Items freed, in this order.
    steps : list of dict
        One row per step and item tested: `step`, `item`, `statistic`, `df`, `p_value`, `n_tests`,
        `p_adjusted`, `is_freed`, `chi2_change`.
    is_enough : bool
        Whether the model then holds against the metric one.
    """

    solution: Solution
    items: list[str]
    steps: list[dict[str, Any]]
    is_enough: bool


def free_intercepts(
    groups: Sequence[Moments],
    scalar: Solution,
    metric: Solution,
    items: list[str],
    base_excess: float,
    *,
    conf_level: float,
) -> Freed:
    """Free the intercepts that differ most, until the rest are as good as equal.

    Parameters
    ----------
    groups : sequence of Moments
        One per group.
    scalar, metric : Solution
        The two models.
    items : list of str
        In the order of the models.
    base_excess : float
        Chi-squared less degrees of freedom of the model without correlations.
    conf_level : float
        Bonferroni-adjusted p-values below 1 - conf_level free an intercept.

    Returns
    -------
    Freed
        The model, what was freed, every test made.

    Notes
    -----
    At each step a score (Lagrange multiplier) test asks of every intercept still equal whether the
    fit would gain if it differed in all groups; its p-value is multiplied by the number of tests
    of the step. The largest is freed and the model fitted again (`chi2_change` is that likelihood
    ratio), until the model holds, nothing is significant, or a dimension would keep fewer than two
    equal intercepts. What is chosen by looking at the data looks better than it is: confirm the
    freed items on another wave.

    References
    ----------
    .. [1] B. M. Byrne, R. J. Shavelson, B. Muthén (1989). Testing for the equivalence of factor
           covariance and mean structures: the issue of partial measurement invariance.
           Psychological Bulletin 105, 456-466.
    """
    factor, solution = scalar.structure.factor, scalar
    freed: list[int] = []
    steps: list[dict[str, Any]] = []
    while True:
        change, df = solution.chi2 - metric.chi2, solution.df - metric.df
        if df == 0 or not solution.is_converged:
            return Freed(solution, [items[i] for i in freed], steps, False)
        holds = chance_loss_below(CFI_LOSS, change, df, base_excess=base_excess) >= SURE
        if freed and holds:
            return Freed(solution, [items[i] for i in freed], steps, True)
        equal = np.bincount(np.delete(factor, freed), minlength=int(factor.max()) + 1)
        open_items = [
            i for i in range(len(items)) if i not in freed and equal[factor[i]] > _FEWEST_EQUAL
        ]
        if not open_items:
            return Freed(solution, [items[i] for i in freed], steps, False)
        statistics = score_intercepts(groups, solution, open_items)
        p_values = stats.chi2.sf(statistics, len(groups) - 1)
        best = int(np.argmax(statistics))
        is_shown = p_values[best] * len(open_items) < 1 - conf_level
        for j, i in enumerate(open_items):
            steps.append(
                {
                    "step": len(freed) + 1,
                    "item": items[i],
                    "statistic": statistics[j],
                    "df": len(groups) - 1,
                    "p_value": p_values[j],
                    "n_tests": len(open_items),
                    "p_adjusted": min(p_values[j] * len(open_items), 1.0),
                    "is_freed": is_shown and j == best,
                    "chi2_change": np.nan,
                }
            )
        if not is_shown:
            return Freed(solution, [items[i] for i in freed], steps, False)
        freed.append(open_items[best])
        wider = fit_structure(groups, _free(solution.structure, [open_items[best]]))
        steps[best - len(open_items)]["chi2_change"] = solution.chi2 - wider.chi2
        solution = wider


def score_intercepts(groups: Sequence[Moments], solution: Solution, items: Sequence[int]) -> Floats:
    """Test for each item whether its intercept differs between groups.

    Parameters
    ----------
    groups : sequence of Moments
        One per group.
    solution : Solution
        A model in which these intercepts are equal.
    items : sequence of int
        Positions of the items.

    Returns
    -------
    ndarray
        Score statistics, each chi-squared with one degree of freedom less than there are groups
        when that intercept is equal.
    """
    base, wide = solution.structure, _free(solution.structure, items)
    q, extra = int(base.slots.max()) + 1, len(groups) - 1
    gradient, information = derive(groups, wide, solution.values)
    # parameters of the wide model: the common intercept plus a group's difference from it
    first = blocks(base.factor)["intercepts"].start
    turn = np.eye(len(gradient))
    for j, item in enumerate(items):
        turn[q + j * extra : q + (j + 1) * extra, base.slots[0, first + item]] = 1.0
    gradient, information = turn.T @ gradient, turn.T @ information @ turn
    known = np.linalg.solve(information[:q, :q], information[:q, q:])
    rest = information[q:, q:] - information[q:, :q] @ known
    statistics = np.empty(len(items))
    for j in range(len(items)):
        own = slice(j * extra, (j + 1) * extra)
        pull = gradient[q:][own]
        statistics[j] = pull @ np.linalg.solve(rest[own, own], pull)
    return statistics


def _free(structure: Structure, items: Sequence[int]) -> Structure:
    """Give the intercepts of items a parameter of their own in every group after the first."""
    slots = structure.slots.copy()
    first, q = blocks(structure.factor)["intercepts"].start, int(slots.max()) + 1
    for item in items:
        slots[1:, first + item] = np.arange(q, q + len(slots) - 1)
        q += len(slots) - 1
    return Structure(structure.factor, slots, structure.fixed)
