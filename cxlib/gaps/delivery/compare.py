"""How far employees' beliefs lie from customers' perceptions, and how sure that is."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.errors import InputError, closest
from cxlib.gaps.delivery.beliefs import Beliefs, average_items, level_items
from cxlib.gaps.groups import natural_key
from cxlib.gaps.levels import LEVELS
from cxlib.gaps.means import Codes, estimate_means, respondent_clusters
from cxlib.stats import Floats, adjust_p_values

MARGIN_SHARE = 0.1  # of the scale: less than a tenth of it is nothing to act on
SURE = 0.80
_FEW_UNITS = 30
_VERDICTS = ("overrated", "about right", "underrated")


def compare_beliefs(
    beliefs: Beliefs, *, margin: float | None = None, conf_level: float = 0.95
) -> pd.DataFrame:
    """Compare what employees believe with what customers perceive, at every level.

    Parameters
    ----------
    beliefs : Beliefs
        From `pair_beliefs`.
    margin : float, optional
        Difference in points from which on an item counts as over- or underrated; default a tenth
        of the length of the scale, half a point where no scale is known.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per level and name, the most overrated first. Columns `level` (item, dimension,
        touchpoint, total), `name`, `text`, `n_items`, `n_employees`, `n_units` (teams), `n`
        (customers), `belief`, `belief_low`, `belief_high`, `perception`, `perception_low`,
        `perception_high`, `difference` (belief - perception), `std_error`, `conf_low`,
        `conf_high`, `p_value`, `q_value`, `n_tests` (size of the family, which is the level),
        `margin`, `verdict` (overrated, about right, underrated, undecided), `p_verdict`,
        `relative`, `relative_low`, `relative_high` (item level: the difference beyond the mean
        difference over all items).

    Raises
    ------
    InputError
        When the margin is not positive.

    Notes
    -----
    Two independent samples: the squared standard errors of the two means add up, with Welch's and
    Satterthwaite's degrees of freedom. Employees of a team are one cluster, and so are answers of
    a customer or a unit of customers, so a handful of teams leaves few degrees of freedom; a
    single team or employee gives no interval, and up to 30 clusters never make one shorter. Both
    means are weighted where answers have weights. On levels above the item each respondent counts
    once, with the mean of the items he or she rated.

    `p_verdict` is the probability, under Student's distribution about the difference and a flat
    prior, that the true one lies above the margin, within it, or below; the likeliest is the
    verdict, "undecided" under 80 %.

    `relative` takes out each respondent's own level over all items: what remains cannot come from
    employees being more generous throughout.

    References
    ----------
    .. [1] B. L. Welch (1947). The generalization of Student's problem when several different
           population variances are involved. Biometrika 34, 28-35.
    """
    scale = beliefs.items[["scale_min", "scale_max"]].max()
    margin = _check_margin(margin, float(scale["scale_max"] - scale["scale_min"]))
    parts = []
    for level in LEVELS:
        names, member = level_items(beliefs, level)
        if not names:
            continue
        part = _difference(beliefs, member, conf_level=conf_level)
        part.insert(0, "level", level)
        part.insert(1, "name", names)
        part["n_items"] = member.sum(axis=0).astype(int)
        part["q_value"] = adjust_p_values(part["p_value"])
        part["n_tests"] = part["p_value"].count()
        parts.append(part.join(_relative(beliefs, conf_level)) if level == "item" else part)
    table = pd.concat(parts, ignore_index=True)
    texts = beliefs.items.set_index("item")["text"]
    table.insert(2, "text", table["name"].map(texts).where(table["level"].eq("item"), None))
    table = table.assign(margin=margin, **scale)
    verdict = _judge(table, margin)
    order = np.lexsort([-table["difference"], table["level"].map(LEVELS.index)])
    return table.join(verdict).drop(columns="degrees").iloc[order].reset_index(drop=True)


def _check_margin(margin: float | None, length: float) -> float:
    if margin is None:
        return 0.5 if np.isnan(length) else MARGIN_SHARE * length
    if not margin > 0:
        raise InputError(
            f"margin = {margin!r} is not positive.",
            "parameter 'margin'",
            "give the difference in points that would matter, for example 0.5",
        )
    return float(margin)


def _difference(beliefs: Beliefs, member: Floats, *, conf_level: float) -> pd.DataFrame:
    """Estimate both means and their difference for every name."""
    sides = {}
    for side, people, clusters, values in (
        ("belief", beliefs.employees, beliefs.employee_clusters, beliefs.belief),
        ("perception", beliefs.customers, beliefs.customer_clusters, beliefs.perception),
    ):
        sides[side] = _estimate(people, clusters, average_items(values, member), conf_level)
    employees, customers = sides["belief"], sides["perception"]
    table = pd.DataFrame({"n_employees": employees["n"], "n": customers["n"]})
    table["n_units"] = count_units(beliefs.employees, average_items(beliefs.belief, member))
    for side, means in sides.items():
        table[side] = means["mean"]
        table[[f"{side}_low", f"{side}_high"]] = means[["conf_low", "conf_high"]]
    return table.join(_welch(employees, customers, conf_level=conf_level))


def _estimate(
    people: pd.DataFrame, clusters: list[Codes], values: Floats, conf_level: float
) -> pd.DataFrame:
    weights = people["weight"].to_numpy(dtype=float)
    means = estimate_means(values, weights=weights, clusters=clusters, conf_level=conf_level)
    if any(codes.max() < _FEW_UNITS for codes in clusters):
        # two or three teams may agree by luck, which must not pass for knowledge
        alone = estimate_means(values, weights=weights, conf_level=conf_level)["std_error"]
        means["std_error"] = np.maximum(means["std_error"], alone)
        half = stats.t.ppf(0.5 + conf_level / 2, means["degrees"]) * means["std_error"]
        means["conf_low"], means["conf_high"] = means["mean"] - half, means["mean"] + half
    return means


def count_units(people: pd.DataFrame, values: Floats) -> list[int]:
    """Count the teams behind each column.

    Parameters
    ----------
    people : pandas.DataFrame, one row per respondent
        Optional column `unit`.
    values : ndarray, respondents x columns
        NaN where there is no answer.

    Returns
    -------
    list of int
        Distinct units of those who answered; 0 where none is named.
    """
    if "unit" not in people.columns:
        return [0] * values.shape[1]
    unit = people["unit"].to_numpy(dtype=object)
    known = ~np.isnan(values)
    return [int(pd.Series(unit[column]).replace("", None).nunique()) for column in known.T]


def _welch(first: pd.DataFrame, second: pd.DataFrame, *, conf_level: float) -> pd.DataFrame:
    """Estimate the difference of two rows of means, first minus second."""
    difference = (first["mean"] - second["mean"]).to_numpy()
    squares = [side["std_error"].to_numpy() ** 2 for side in (first, second)]
    variance = squares[0] + squares[1]
    varies = np.where(variance > 0, variance, np.nan)
    shares = sum(
        square**2 / side["degrees"].to_numpy()
        for square, side in zip(squares, (first, second), strict=True)
    )
    degrees = varies**2 / shares
    std_error = np.sqrt(variance)
    half = stats.t.ppf(0.5 + conf_level / 2, degrees) * std_error
    return pd.DataFrame(
        {
            "difference": difference,
            "std_error": std_error,
            "degrees": degrees,
            "conf_low": difference - half,
            "conf_high": difference + half,
            "p_value": 2 * stats.t.sf(np.abs(difference) / np.sqrt(varies), degrees),
        }
    )


def _relative(beliefs: Beliefs, conf_level: float) -> pd.DataFrame:
    """Estimate every item's difference beyond the respondents' own level over all items."""
    sides = []
    for people, clusters, values in (
        (beliefs.employees, beliefs.employee_clusters, beliefs.belief),
        (beliefs.customers, beliefs.customer_clusters, beliefs.perception),
    ):
        weight = people["weight"].to_numpy(dtype=float)[:, None]
        means = estimate_means(values, weights=weight[:, 0])["mean"].to_numpy()
        every = np.ones((values.shape[1], 1))
        # over the items rated, so that who skips the bad ones does not pass for generous
        own = average_items(values - means, every)
        sides.append(_estimate(people, clusters, values - own - means.mean(), conf_level))
    names = {"difference": "relative", "conf_low": "relative_low", "conf_high": "relative_high"}
    return _welch(*sides, conf_level=conf_level)[list(names)].rename(columns=names)


def _judge(table: pd.DataFrame, margin: float) -> pd.DataFrame:
    """Call each row over- or underrated or about right, with the probability of that."""
    std_error = table["std_error"].where(table["std_error"] > 0)
    above = stats.t.sf((margin - table["difference"]) / std_error, table["degrees"])
    below = stats.t.cdf((-margin - table["difference"]) / std_error, table["degrees"])
    chances = np.column_stack([above, 1 - above - below, below])
    likeliest = np.where(np.isnan(chances), -1, chances).argmax(axis=1)
    chance = chances[np.arange(len(table)), likeliest]
    verdict = np.where(chance >= SURE, np.array(_VERDICTS)[likeliest], "undecided")
    return pd.DataFrame({"verdict": verdict, "p_verdict": chance}, index=table.index)


def compare_belief_groups(
    beliefs: Beliefs, *, by: str, min_cell: int = 10, conf_level: float = 0.95
) -> pd.DataFrame:
    """Compare the beliefs of groups of employees with the customers, and with one another.

    Parameters
    ----------
    beliefs : Beliefs
        From `pair_beliefs`, whose `employees` have the column `by` (see `add_group`).
    by : str
        Column of the employees: seniority, department, distance to the customer.
    min_cell : int, default 10
        Smaller groups are left out.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per group, over all items. Columns `group`, `n` (employees), `n_units`, `belief`,
        `perception`, `difference` (belief - perception), `conf_low`, `conf_high`, `versus_others`
        (the group's belief minus that of all other employees), `versus_low`, `versus_high`,
        `p_value` and `q_value` (of the comparison with the others), `n_tests`, `n_left_out`
        (employees in groups too small to show).

    Raises
    ------
    InputError
        When employees have no such column.

    Notes
    -----
    Every group is compared with the same customers, so the differences of two groups are not
    independent; whether groups differ is what `versus_others` tells. It takes a group and the
    others as independent, which makes the interval too long where both sit in the same teams.
    Means as in `compare_beliefs`; all groups are one Benjamini-Hochberg family, and of two groups
    only one comparison counts, since either is all others to the other.
    """
    people = beliefs.employees
    if by not in people.columns:
        where = "the employees' columns"
        raise InputError(f"There is no column '{by}'.", where, closest(by, list(people.columns)))
    values = average_items(beliefs.belief, np.ones((len(beliefs.items), 1)))
    perceived = average_items(beliefs.perception, np.ones((len(beliefs.items), 1)))
    customers = _estimate(beliefs.customers, beliefs.customer_clusters, perceived, conf_level)
    labels = people[by].astype(str).to_numpy()
    sizes = pd.Series(labels[~np.isnan(values[:, 0])]).value_counts()
    rows = []
    for group in sorted(sizes.index[sizes >= min_cell], key=natural_key):
        inside = labels == group
        own, others = (
            _estimate(people[side], respondent_clusters(people[side]), values[side], conf_level)
            for side in (inside, ~inside)
        )
        against = _welch(own, customers, conf_level=conf_level).iloc[0]
        versus = _welch(own, others, conf_level=conf_level).iloc[0]
        rows.append(
            {
                "group": group,
                "n": int(own["n"][0]),
                "n_units": count_units(people[inside], values[inside])[0],
                "belief": own["mean"][0],
                "perception": customers["mean"][0],
                **against[["difference", "conf_low", "conf_high"]],
                "versus_others": versus["difference"],
                "versus_low": versus["conf_low"],
                "versus_high": versus["conf_high"],
                "p_value": versus["p_value"],
            }
        )
    columns = ["group", "n", "n_units", "belief", "perception", "difference", "conf_low"]
    columns += ["conf_high", "versus_others", "versus_low", "versus_high", "p_value"]
    table = pd.DataFrame(rows, columns=columns)
    if len(sizes) == 2 and len(table) == 2:
        table["q_value"], table["n_tests"] = table["p_value"], 1
    else:
        table["q_value"] = adjust_p_values(table["p_value"])
        table["n_tests"] = table["p_value"].count()
    return table.assign(n_left_out=int(sizes[sizes < min_cell].sum()))
