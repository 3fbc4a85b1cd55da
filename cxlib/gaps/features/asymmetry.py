"""Do low ratings cost more than high ratings gain: penalties and rewards by touchpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.groups import natural_key
from cxlib.gaps.outcomes import Outcome, read_outcome
from cxlib.gaps.prediction.least_squares import (
    Fit,
    explained_share,
    fit_products,
    wald_test,
)
from cxlib.gaps.prediction.products import square_products
from cxlib.gaps.ratings import Ratings
from cxlib.stats import Floats, adjust_p_values

SURE = 0.8  # chance from which a category is given
TWICE = 2.0  # one side outweighs the other when it is this many times as large
_DRAWS = 10_000
_MANY = 20  # names; beyond, their many columns are paid for with fewer blocks
_EFFECTS = [
    *("penalty", "penalty_low", "penalty_high", "reward", "reward_low", "reward_high"),
    *("asymmetry", "std_error", "conf_low", "conf_high", "p_value", "q_value", "q_link"),
    *("category", "p_category", "verdict"),
]
Cut = Literal["scale", "answers"]
Flags = NDArray[np.bool_]
Place = tuple[int, int] | None  # columns of low and high; None where a name is not judged


@dataclass(frozen=True)
class Asymmetry:
    """Penalties of low and rewards of high ratings.

    Parameters
    ----------
    effects : pandas.DataFrame, one row per name
        Columns `name`, `text`, `n`, `n_low`, `n_high`, `low_cut`, `high_cut`, `penalty`,
        `penalty_low`, `penalty_high`, `reward`, `reward_low`, `reward_high`, `asymmetry` (reward +
        penalty: below 0, low ratings cost more than high ones gain), `std_error`, `conf_low`,
        `conf_high`, `p_value`, `q_value` (of the asymmetry), `q_link` (of both effects together),
        `category`, `p_category`, `verdict` (the category, "undecided", "no link" or "not judged").
    n : int
        Respondents in the model.
    r2 : float
        R squared of all names together.
    outcome : str
        Name of the outcome.
    level : str
        Touchpoint, dimension or item.
    cut : str
        How low and high were cut.
    conf_level : float
        Level of the intervals.
    """

    effects: pd.DataFrame
    n: int
    r2: float
    outcome: str
    level: str
    cut: str
    conf_level: float


def fit_asymmetry(
    ratings: Ratings,
    *,
    outcome: str | Sequence[str],
    level: Literal["touchpoint", "dimension", "item"] = "touchpoint",
    cut: Cut = "scale",
    conf_level: float = 0.95,
    min_cell: int = 10,
    random_state: int = 0,
) -> Asymmetry:
    """Estimate what low and what high ratings of each touchpoint go with.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    outcome : str or sequence of str
        An outcome item, or several of one scale: their mean.
    level : {"touchpoint", "dimension", "item"}, default "touchpoint"
        What is rated; a respondent counts with the mean perception of its items.
    cut : {"scale", "answers"}, default "scale"
        Low and high are the outer thirds of the scale (1 to 3 and 5 to 7 of 1 to 7), or the outer
        thirds of the answers.
    conf_level : float, default 0.95
        Confidence level.
    min_cell : int, default 10
        A name with fewer low, middle or high ratings enters as a straight line, not judged.
    random_state : int, default 0
        Seed of blocks and draws.

    Returns
    -------
    Asymmetry
        Effects with their intervals, and what each name is for.

    Raises
    ------
    InputError
        When the outcome is unknown, nothing was rated at that level, or no scale is known.
    TooLittleData
        When there are fewer than 10 respondents or two independent groups a coefficient.

    Notes
    -----
    One linear model holds two 0/1 columns a name, low and high; the middle is what both are
    compared with, at equal ratings of all other names. Ratings not given have a 0/1 column of
    their own, so that a touchpoint somebody never met costs no respondent. Errors are HC3, or the
    cluster jackknife. The default cut asks what a bad and a good rating mean in the words of the
    scale; outer thirds of the answers always fill the groups, but call 5 of 7 low where most give
    6, and then measure mere slope.

    Each draw from the joint normal distribution of penalty and reward is one category: "basic"
    when a low rating takes more than twice what a high one gives (Kano's must-be), "excitement"
    when the high one gives more than twice, else "performance"; "reverse" when neither goes the
    expected way. The commonest is given when 80 % of draws agree, basic and excitement only where
    the asymmetry itself is shown (`q_value`); else "undecided". "No link" where the two effects
    together are not shown (`q_link`). q-values are Benjamini-Hochberg's over all names judged.

    References
    ----------
    .. [1] D. R. Brandt (1987). A procedure for identifying value-enhancing service components using
           customer satisfaction survey data. In Add Value to Your Service, 61-65.
    .. [2] V. Mittal, W. T. Ross, P. M. Baldasare (1998). The asymmetric impact of negative and
           positive attribute-level performance. Journal of Marketing 62(1), 33-47.
    .. [3] K. Matzler, E. Sauerwein (2002). The factor structure of customer satisfaction. Int. J.
           Service Industry Management 13, 314-332.
    """
    values, facts = _mean_perceptions(ratings, level)
    most = 500 if len(facts) > _MANY else 2_000
    target = read_outcome(ratings, outcome, most=most, random_state=random_state)
    used = ~np.isnan(target.values) & (target.weights > 0) & ~np.isnan(values).all(axis=1)
    values, known = values[used], ~np.isnan(values[used]).all(axis=0)
    values, facts = values[:, known], facts[known].reset_index(drop=True)
    cuts = _find_cuts(values, facts, cut)
    groups = np.where(
        np.isnan(values), np.nan, (values >= cuts[:, 1]) * 1.0 - (values <= cuts[:, 0])
    )
    sizes = np.array([(groups == side).sum(axis=0) for side in (-1, 0, 1)])
    judged = np.asarray((sizes >= max(min_cell, 2)).all(axis=0))
    columns, places = _build_columns(values, groups, judged)
    n = len(values)
    if not judged.any():
        raise TooLittleData(
            f"No {level} has {max(min_cell, 2)} low, middle and high ratings each; low means up to "
            f"{cuts[0, 0]:.3g}, high from {cuts[0, 1]:.3g} on."
        )
    if n < 10 * columns.shape[1]:
        raise TooLittleData(
            f"Penalties and rewards of {len(facts)} {level}s together need {10 * columns.shape[1]} "
            f"respondents; {n} gave ratings and '{target.name}'."
        )
    y = target.values[used]
    if np.ptp(y) == 0:
        raise TooLittleData(f"All answers to '{target.name}' are the same; nothing goes with it.")
    fit, places, r2 = _fit(columns, places, y - y.mean(), target, used)
    if np.isnan(fit.covariance).any():
        raise TooLittleData(
            f"The respondents come in {len(np.unique(target.blocks[used]))} independent groups "
            f"(customers or units); penalties and rewards of {len(facts)} {level}s together need "
            f"{2 * len(fit.coefficients)}."
        )
    effects = _list_effects(fit, places, conf_level, random_state)
    about = facts.assign(
        n=(~np.isnan(values)).sum(axis=0),
        n_low=sizes[0],
        n_high=sizes[2],
        low_cut=cuts[:, 0],
        high_cut=cuts[:, 1],
    )
    effects = pd.concat([about.drop(columns=["scale_min", "scale_max"]), effects], axis=1)
    return Asymmetry(effects, n, r2, target.name, level, cut, conf_level)


def _mean_perceptions(ratings: Ratings, level: str) -> tuple[Floats, pd.DataFrame]:
    """Average each respondent's perceptions by name; also without any expectation."""
    if "perception" not in ratings.values:
        raise InputError(
            "No answer has the role 'perception'.",
            f"table 'answers', roles {sorted(ratings.values)}",
            "map the columns that hold the perception to that role",
        )
    table, facts = ratings.values["perception"], ratings.facts("perception")
    labels = pd.Series(facts.index, facts.index) if level == "item" else facts[level]
    names = sorted(labels.dropna().unique(), key=natural_key)
    if not names:
        problem = f"No item names a {level}."
        raise InputError(problem, f"table 'items', column '{level}'", "choose another level")
    given = table.to_numpy()
    means, rows = [], []
    for name in names:
        inside = labels.eq(name).to_numpy()
        known = ~np.isnan(given[:, inside])
        count = known.sum(axis=1)
        total = np.where(known, given[:, inside], 0.0).sum(axis=1)
        means.append(np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0))
        scale = facts.loc[inside, ["scale_min", "scale_max"]].drop_duplicates()
        if len(scale) > 1:
            raise InputError(
                f"The items of '{name}' have different scales; their mean has no meaning.",
                f"table 'items', {list(facts.index[inside])[:3]}",
                "choose the level item, or name items of one scale",
            )
        rows.append((name, facts["text"].iloc[inside.argmax()], *scale.iloc[0]))
    about = pd.DataFrame(rows, columns=["name", "text", "scale_min", "scale_max"])
    if level != "item":
        about["text"] = None
    return np.column_stack(means), about


def _find_cuts(values: Floats, facts: pd.DataFrame, cut: Cut) -> Floats:
    """Find for each name the highest low and the lowest high rating."""
    if cut == "answers":
        return np.asarray(np.nanquantile(values, [1 / 3, 2 / 3], axis=0).T)
    if facts["scale_min"].isna().any():
        name = facts.loc[facts["scale_min"].isna(), "name"].iloc[0]
        raise InputError(
            f"The scale of '{name}' is not known, so low and high are not.",
            "table 'items'",
            "give scale_min and scale_max, or cut='answers'",
        )
    third = (facts["scale_max"] - facts["scale_min"]).to_numpy() / 3
    low, high = facts["scale_min"].to_numpy() + third, facts["scale_max"].to_numpy() - third
    # a mean such as 3.0000000004 must not cross a cut
    return np.column_stack([low + 1e-9, high - 1e-9])


def _build_columns(values: Floats, groups: Floats, judged: Flags) -> tuple[Floats, list[Place]]:
    """Build the intercept, two columns a name, one a straight line, one for not rated."""
    columns: list[np.ndarray] = [np.ones(len(values))]
    places: list[Place] = []
    for i in range(values.shape[1]):
        if judged[i]:
            places.append((len(columns), len(columns) + 1))
            columns += [groups[:, i] == -1, groups[:, i] == 1]
            continue
        places.append(None)
        columns.append(np.nan_to_num(values[:, i] - np.nanmean(values[:, i])))
    unrated = np.isnan(values)
    columns += [unrated[:, i] for i in np.flatnonzero(unrated.any(axis=0))]
    return np.column_stack(columns).astype(float), places


def _fit(
    columns: Floats, places: list[Place], y: Floats, target: Outcome, used: Flags
) -> tuple[Fit, list[Place], float]:
    """Fit the columns that no earlier ones hold already; a name that loses one has no place."""
    table = np.column_stack([columns, y])
    products = square_products(table, target.weights[used], target.blocks[used])
    inside = _find_independent(products.sum(axis=0)[:-1, :-1])
    new = {old: place for place, old in enumerate(inside)}
    moved = [
        (new[pair[0]], new[pair[1]]) if pair and pair[0] in new and pair[1] in new else None
        for pair in places
    ]
    r2 = float(explained_share(products.sum(axis=0), inside))
    return fit_products(products, inside, len(y)), moved, r2


def _find_independent(products: Floats) -> list[int]:
    """Eliminate column by column, as Gauss did; one of which nothing is left depends on others."""
    left = products.copy()
    inside = []
    for column in range(len(left)):
        rest = left[column, column]
        if rest > 1e-10 * products[column, column]:
            inside.append(column)
            left -= np.outer(left[:, column], left[column]) / rest
    return inside


def _list_effects(
    fit: Fit,
    places: list[Place],
    conf_level: float,
    random_state: int,
) -> pd.DataFrame:
    rng = np.random.default_rng(random_state)
    t = float(stats.t.ppf(0.5 + conf_level / 2, fit.degrees))
    rows = [
        _judge(fit, list(pair), t, rng) if pair else {"verdict": "not judged"} for pair in places
    ]
    table = pd.DataFrame(rows).reindex(columns=[*_EFFECTS, "p_link"])
    table["q_value"] = adjust_p_values(table["p_value"])
    table["q_link"] = adjust_p_values(table["p_link"])
    unlinked = table["p_link"].notna() & ~(table["q_link"] < 1 - conf_level)
    even = table["verdict"].isin(["basic", "excitement"]) & ~(table["q_value"] < 1 - conf_level)
    table["verdict"] = table["verdict"].mask(even, "undecided").mask(unlinked, "no link")
    return table[_EFFECTS]


def _judge(fit: Fit, pair: list[int], t: float, rng: np.random.Generator) -> dict[str, object]:
    low, high = fit.coefficients[pair]
    spread = fit.covariance[np.ix_(pair, pair)]
    errors = np.sqrt(np.diagonal(spread))
    std_error = float(np.sqrt(spread.sum()))
    both = np.zeros((2, len(fit.coefficients)))
    both[[0, 1], pair] = 1
    _, p_link = wald_test(fit, both)
    row: dict[str, object] = {}
    for name, value, error in (("penalty", low, errors[0]), ("reward", high, errors[1])):
        row |= {name: value, f"{name}_low": value - t * error, f"{name}_high": value + t * error}
    row |= {
        "asymmetry": low + high,
        "std_error": std_error,
        "conf_low": low + high - t * std_error,
        "conf_high": low + high + t * std_error,
        "p_value": 2 * float(stats.t.sf(abs(low + high) / std_error, fit.degrees)),
        "p_link": p_link,
    }
    draws = rng.multivariate_normal([low, high], spread, _DRAWS)
    chances = _count_categories(draws)
    category = max(chances, key=lambda name: chances[name])
    return row | {
        "category": category,
        "p_category": chances[category],
        "verdict": category if chances[category] >= SURE else "undecided",
    }


def _count_categories(draws: Floats) -> dict[str, float]:
    loss, gain = -draws[:, 0], draws[:, 1]
    basic = (loss > 0) & (loss > TWICE * gain)
    excitement = (gain > 0) & (gain > TWICE * loss)
    reverse = (loss <= 0) & (gain <= 0)
    rest = ~(basic | excitement | reverse)
    return {
        "basic": float(basic.mean()),
        "performance": float(rest.mean()),
        "excitement": float(excitement.mean()),
        "reverse": float(reverse.mean()),
    }
