"""Whether items measure the same thing in every group, and what may be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import InputError
from cxlib.gaps.groups import UNKNOWN, as_labels, natural_key
from cxlib.gaps.scales.cfa import FEWEST, choose_items
from cxlib.gaps.scales.ladder import LADDER, MEANS, STEPS, Scale, climb, fit_models
from cxlib.gaps.scales.model import fit_structure, free_structure
from cxlib.gaps.scales.moments import (
    Moments,
    few_categories,
    moments_problem,
    take_moments,
    unrelated_items,
)
from cxlib.stats import adjust_p_values

TOGETHER = "all dimensions"
_ABOUT_GROUPS = ["name", "group", "n", "n_incomplete", "is_used", "reason"]


@dataclass(frozen=True)
class Invariance:
    """What was found of the same scales in several groups.

    Parameters
    ----------
    verdicts : pandas.DataFrame, one row per scale
        Columns `name` (a dimension, or ``"all dimensions"``), `n_groups`, `n`, `n_items`,
        `verdict` (``means``, ``partial``, ``relations``, ``none``, ``undecided``, ``untested``),
        `certainty` (how sure that is, 0 to 1), `freed` (items whose intercepts differ), `reason`.
    ladder : pandas.DataFrame, one row per scale and model
        Columns `name`, `model` (``configural``, ``metric``, ``scalar``, ``partial scalar``), those
        of `measure_fit`, then against the model it is nested in (metric for both scalar models):
        `chi2_change`, `df_change`, `p_change`, `q_change`, `cfi_change`, `rmsea_change`,
        `p_holds` (how sure it is that the true loss of CFI is .010 at most; on the first model
        that its CFI is .90 at least), `result` (``holds``, ``fails``, ``undecided``).
    intercepts : pandas.DataFrame, one row per scale, step and item tested
        Columns `name`, `step`, `item`, `statistic`, `df`, `p_value`, `n_tests`, `p_adjusted`
        (times the number of tests), `is_freed`, `chi2_change` (of freeing it).
    means : pandas.DataFrame, one row per scale, dimension and group
        Columns `name`, `dimension`, `group`, `reference`, `n`, `estimate` (mean of the dimension
        less that of the reference, in standard deviations of the reference), `std_error`,
        `conf_low`, `conf_high`; only where means may be compared.
    groups : pandas.DataFrame, one row per scale and group
        Columns `name`, `group`, `n`, `n_incomplete`, `is_used`, `reason`.
    notes : tuple of str
        What a reader must know.
    conf_level : float
        Level of all intervals.
    """

    verdicts: pd.DataFrame
    ladder: pd.DataFrame
    intercepts: pd.DataFrame
    means: pd.DataFrame
    groups: pd.DataFrame
    notes: tuple[str, ...]
    conf_level: float


def fit_invariance(
    values: pd.DataFrame,
    groups: pd.Series,
    dimensions: pd.Series,
    *,
    conf_level: float = 0.95,
    min_cell: int = 10,
) -> Invariance:
    """Test whether items measure the same in all groups, and say what may be compared.

    Parameters
    ----------
    values : pandas.DataFrame, respondents x items
        Answers of one role, NaN where not answered; or those of `stack_groups`.
    groups : pandas.Series
        Group of each respondent, in the order of `values`.
    dimensions : pandas.Series
        Dimension by item.
    conf_level : float, default 0.95
        Confidence level.
    min_cell : int, default 10
        Groups need as many respondents, and in any case 50 and three an item.

    Returns
    -------
    Invariance
        One verdict for the model of all dimensions together, and one for each dimension.

    Raises
    ------
    InputError
        When groups do not match the answers.
    TooLittleData
        When no dimension has enough items.

    Notes
    -----
    Three models, each nested in the one before: configural (same items on the same dimensions),
    metric (equal loadings: a step on the dimension moves each item alike, so relations may be
    compared), scalar (equal intercepts too: equal dimensions give equal answers, so means may be
    compared). Where scalar fails, intercepts are freed one at a time (`free_intercepts`).

    A model holds when it is at least 80 % sure that its true loss of CFI against the one before is
    .010 at most (Cheung and Rensvold's limit, taken as an equivalence test). It fails when 80 %
    sure of the opposite and the chi-squared difference is significant, and is undecided between.
    The chi-squared difference alone would call trifles failures in large surveys and hold
    everything in small ones; its p-value, and the q-value over all scales and models, stand
    beside, like the changes of CFI and RMSEA. Chen's limit for a rise of RMSEA is .015. Of the
    configural model it is asked whether its true CFI is .90 or more; a single dimension of three
    items fits by construction, so its first test is the metric one.

    A dimension of its own needs three items. Only respondents who answered every item of a scale
    are used. Left out and listed are groups with fewer than three respondents an item or 50 in
    all, groups in which the items of a dimension show no sign of going with each other (Bartlett's
    test: equal loadings of nothing always hold), and groups where the model has no solution. The
    largest group is the reference; no fit depends on it. Respondents count as independent and
    alike: neither weights nor several rows of one customer are taken into account. Maximum
    likelihood takes answers for measurements, which is doubtful with four categories or fewer.

    References
    ----------
    .. [1] W. Meredith (1993). Measurement invariance, factor analysis and factorial invariance.
           Psychometrika 58, 525-543.
    .. [2] G. W. Cheung, R. B. Rensvold (2002). Evaluating goodness-of-fit indexes for testing
           measurement invariance. Structural Equation Modeling 9, 233-255.
    .. [3] F. F. Chen (2007). Sensitivity of goodness of fit indexes to lack of measurement
           invariance. Structural Equation Modeling 14, 464-504.
    .. [4] K.-H. Yuan, W. Chan (2016). Measurement invariance via multigroup SEM: issues and
           solutions with chi-square-difference tests. Psychological Methods 21, 405-426.
    """
    if len(groups) != len(values):
        raise InputError(
            f"{len(groups)} groups were given for {len(values)} respondents.",
            "fit_invariance, argument 'groups'",
            "give one group per row of the answers, in the same order",
        )
    labels = as_labels(pd.Series(groups.to_numpy())).astype("category")
    members, notes = choose_items(values.columns, dimensions)
    choices = {name: {name: own} for name, own in members.items() if len(own) > 2}
    if len(members) > 1:
        choices = {TOGETHER: members, **choices}
    short = [f"'{name}'" for name, own in members.items() if len(own) == 2]
    if short:
        notes.append(f"Tested only together with others, for want of items: {', '.join(short)}.")
    prepared = [
        _prepare(values, labels, name, own, min_cell, conf_level) for name, own in choices.items()
    ]
    notes += list(dict.fromkeys(warning for *_, warning in prepared if warning))[:1]
    climbs = [climb(scale, conf_level=conf_level) for scale, _, _ in prepared]
    ladder = pd.DataFrame([rung for found in climbs for rung in found.rungs], columns=LADDER)
    ladder["q_change"] = adjust_p_values(ladder["p_change"].astype(float))
    return Invariance(
        verdicts=pd.DataFrame([found.verdict for found in climbs]),
        ladder=ladder,
        intercepts=pd.DataFrame([step for found in climbs for step in found.steps], columns=STEPS),
        means=pd.DataFrame([mean for found in climbs for mean in found.means], columns=MEANS),
        groups=pd.concat([about for _, about, _ in prepared], ignore_index=True),
        notes=tuple(notes),
        conf_level=conf_level,
    )


def stack_groups(parts: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.Series]:
    """Put the answers of several sources to the same items under each other.

    Parameters
    ----------
    parts : mapping of str to pandas.DataFrame
        Answers by group, such as customers' perceptions and employees' beliefs.

    Returns
    -------
    values : pandas.DataFrame, respondents x items
        The items all parts have.
    groups : pandas.Series
        The part each row is from.

    Raises
    ------
    InputError
        When the parts have fewer than three items in common.
    """
    first, *others = parts.values()
    items = [item for item in first.columns if all(item in other.columns for other in others)]
    if len(items) < 3:
        sizes = ", ".join(f"'{name}' {part.shape[1]}" for name, part in parts.items())
        raise InputError(
            f"{len(items)} items were answered by all groups; three are needed.",
            f"stack_groups, items by group: {sizes}",
            "ask all groups the same items, under the same names",
        )
    values = pd.concat([part[items] for part in parts.values()], ignore_index=True)
    sizes_of = [len(part) for part in parts.values()]
    return values, pd.Series(np.repeat(list(parts), sizes_of), name="group")


def _prepare(
    values: pd.DataFrame,
    labels: pd.Series,
    name: str,
    chosen: dict[str, list[str]],
    min_cell: int,
    conf_level: float,
) -> tuple[Scale, pd.DataFrame, str]:
    """Fit the models of one scale to the groups that have enough respondents."""
    items = [item for own in chosen.values() for item in own]
    matrix = values[items].to_numpy(float)
    factor = np.repeat(np.arange(len(chosen)), [len(own) for own in chosen.values()])
    fewest = max(FEWEST, min_cell, 3 * len(items))
    about, used, warning = [], [], ""
    is_full = ~np.isnan(matrix).any(axis=1)
    is_empty = np.isnan(matrix).all(axis=1)
    for label in sorted(labels.cat.categories, key=natural_key):
        own = labels.eq(label).to_numpy()
        rows = matrix[own & is_full]
        n_lost = int((own & ~is_full & ~is_empty).sum())
        moments = take_moments(rows)
        why = "It is not known which group they are of." if label == UNKNOWN else ""
        why = why or moments_problem(items, moments, fewest=fewest)
        why = why or _find_unrelated(moments, chosen, conf_level)
        if not why:
            alone = fit_structure([moments], free_structure(factor))
            why = "" if alone.is_converged else "The model has no solution in this group."
            used += [] if why else [(label, moments, alone)]
            warning = warning or few_categories(items, rows)
        about.append((name, label, len(rows), n_lost, not why, why))
    used.sort(key=lambda group: -group[1].n)
    moments_of = [moments for _, moments, _ in used]
    left_out = " ".join(f"{label}: {why}" for _, label, *_, why in about[:3] if why)
    is_tested = len(used) > 1
    scale = Scale(
        name=name,
        items=items,
        dimensions=list(chosen),
        groups=[label for label, *_ in used],
        moments=moments_of,
        models=fit_models(factor, moments_of, [one for *_, one in used]) if is_tested else {},
        problem="" if is_tested else f"There are not two groups to compare. {left_out}".strip(),
    )
    return scale, pd.DataFrame(about, columns=_ABOUT_GROUPS), warning


def _find_unrelated(moments: Moments, chosen: dict[str, list[str]], conf_level: float) -> str:
    """Name the dimensions whose items show no sign of going with each other."""
    lost, start = [], 0
    for name, own in chosen.items():
        where = slice(start, start := start + len(own))
        part = Moments(moments.n, moments.mean[where], moments.covariance[where, where])
        if unrelated_items(part, conf_level=conf_level):
            lost.append(f"'{name}'")
    if not lost:
        return ""
    return f"No sign that the items of {', '.join(lost)} go with each other here."
