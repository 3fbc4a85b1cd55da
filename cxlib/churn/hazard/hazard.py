"""What raises the risk of leaving: a proportional-hazards model with plain terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.churn.hazard.cox import fit_cox
from cxlib.churn.lifetimes import check_lifetimes, label_groups
from cxlib.errors import InputError, TooLittleData, closest
from cxlib.stats import Floats, adjust_p_values, normal_quantile

# Below about ten ends a coefficient, estimates are biased and intervals too short.
CHURNED_PER_TERM = 10
# A column of text with more distinct numbers than this is a measurement, not a list of codes.
MOST_LEVELS = 10


@dataclass(frozen=True)
class HazardModel:
    """A fitted hazard model.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per term: `term`, `estimate` (log hazard ratio), `std_error`, `hazard_ratio`,
        `conf_low`, `conf_high` (of the hazard ratio), `p_value`, `q_value`, `n`, `n_churned`
        (lifetimes in the model).
    references : pandas.DataFrame
        One row per text covariate: `covariate`, `reference` (the level the others are compared
        with), `n`.
    left_out : pandas.DataFrame
        One row per reason to leave lifetimes out: `covariate`, `n` (lifetimes), `why`.
    repeated : list of str
        Terms left out because they say nothing that the terms before them do not say.
    """

    table: pd.DataFrame
    references: pd.DataFrame
    left_out: pd.DataFrame
    repeated: list[str]


def fit_hazard(
    lifetimes: pd.DataFrame,
    *,
    covariates: Sequence[str],
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> HazardModel:
    """Estimate by what factor each covariate changes the risk of leaving.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`, the covariates; `entry_days` for late
        entry.
    covariates : sequence of str
        Columns known when the lifetime begins. Numbers, yes/no, and text that reads as a number
        throughout count per unit and keep their name as the term; other text counts by level,
        against the most common one, in terms called ``name[level]``.
        Text with more than ten distinct numbers and a few other entries is refused.
    min_cell : int, default 10
        Lifetimes a level needs; those of rarer levels are left out.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    HazardModel
        Terms in the order of the covariates, levels in the order of their values.

    Raises
    ------
    InputError
        When a column is missing, or holds numbers but for a few entries.
    TooLittleData
        When a covariate has one value only among the lifetimes left, fewer than ten customers
        churned per term, nobody or everybody with a level churned, or the likelihood has no
        maximum.

    Notes
    -----
    Cox's model with Efron's treatment of ties, unpenalised, on ``entry_days < t <=
    duration_days``. Wald intervals and p-values. When a customer has several lifetimes the
    standard errors are those of the sandwich over customers. Lifetimes with a missing covariate
    or a rare level are left out and counted, again until every level left has `min_cell` of the
    lifetimes left; and so are terms that repeat others (the level ``No internet`` of
    two services), without which the model says the same. The factor is taken to be the same at
    every age of the customer (proportional hazards); where it is not, the estimate is an average
    over the ages observed. A hazard ratio describes who leaves; it is no proof of what would
    happen if the covariate were changed.

    References
    ----------
    .. [1] D. R. Cox (1972). Regression models and life tables. JRSS B 34, 187-220.
    .. [2] B. Efron (1977). The efficiency of Cox's likelihood function for censored data. JASA
           72, 557-565.
    .. [3] P. Peduzzi et al. (1995). Importance of events per independent variable in proportional
           hazards regression analysis II. Journal of Clinical Epidemiology 48, 1503-1510.
    """
    table = check_lifetimes(lifetimes).reset_index(drop=True)
    columns = {name: _read_covariate(table, name) for name in dict.fromkeys(covariates)}
    if not columns:
        raise InputError("There is no covariate.", "parameter 'covariates'", "name one column")
    columns, left_out = _leave_out(columns, min_cell)
    table = table.loc[next(iter(columns.values())).index]
    if not table["churned"].any():
        raise TooLittleData("Nobody who left has a value in every covariate.")
    design, references = _design(columns)
    repeated = _find_repeated(design)
    design = design.drop(columns=repeated)
    churned = table["churned"].to_numpy(bool)
    _check_design(design, churned)
    entry = table["entry_days"].to_numpy(float)
    customers, _ = pd.factorize(table["customer_id"])
    fit = fit_cox(
        np.where(entry > 0, entry, -1.0),  # an entry of 0 is at risk on day 0 too
        table["duration_days"].to_numpy(float),
        churned,
        design,
        clusters=customers if customers.max() + 1 < len(table) else None,
    )
    std_errors = np.sqrt(np.diag(fit.covariance))
    terms = _summarise_terms(list(design.columns), fit.estimates, std_errors, conf_level)
    return HazardModel(
        table=terms.assign(n=len(table), n_churned=int(table["churned"].sum())),
        references=pd.DataFrame(references, columns=["covariate", "reference", "n"]),
        left_out=left_out,
        repeated=repeated,
    )


def _summarise_terms(
    terms: list[str], estimates: Floats, std_errors: Floats, conf_level: float
) -> pd.DataFrame:
    z = normal_quantile(conf_level)
    p_values = 2 * stats.norm.sf(np.abs(estimates) / std_errors)
    return pd.DataFrame(
        {
            "term": terms,
            "estimate": estimates,
            "std_error": std_errors,
            "hazard_ratio": np.exp(estimates),
            "conf_low": np.exp(estimates - z * std_errors),
            "conf_high": np.exp(estimates + z * std_errors),
            "p_value": p_values,
            "q_value": adjust_p_values(p_values),
        }
    )


def _read_covariate(table: pd.DataFrame, name: str) -> pd.Series:
    """Numbers where the column holds nothing else, else labels; blanks are missing."""
    if name not in table.columns:
        raise InputError(
            f"There is no column '{name}'.", "parameter 'covariates'", closest(name, table.columns)
        )
    values = table[name].astype(object)
    values = values.mask(values.map(lambda value: isinstance(value, str) and not value.strip()))
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    if (numbers.notna() == values.notna()).all():
        return numbers.mask(np.isinf(numbers))
    unread = sorted({str(value) for value in values[numbers.isna()].dropna()})
    if numbers.nunique() > MOST_LEVELS and numbers.notna().sum() > values.notna().sum() / 2:
        raise InputError(
            f"The covariate '{name}' holds numbers, but also {', '.join(map(repr, unread[:3]))}.",
            f"table 'lifetimes', column '{name}'",
            "empty what stands for no value, or write it as a number",
        )
    return label_groups(table.assign(**{name: values}), by=name)


def _leave_out(
    columns: dict[str, pd.Series], min_cell: int
) -> tuple[dict[str, pd.Series], pd.DataFrame]:
    """Keep the lifetimes with a value in every column and no rare level; list the others."""
    data = pd.DataFrame(columns)
    missing = data.isna().sum()
    rows = [(name, int(n), "no value") for name, n in missing.items() if n]
    texts = [name for name in data.columns if data[name].dtype != float]
    data = data.dropna()
    n_before = 0
    while len(data) != n_before:  # a level can become rare when lifetimes of others go
        n_before = len(data)
        for name in texts:
            counts = data[name].value_counts(sort=False)
            rare = counts.index[counts < max(min_cell, 1)]
            found = [level for level in rare if counts[level]]
            rows += [(name, int(counts[level]), f"'{level}' is too rare") for level in found]
            data[name] = data[name].cat.remove_categories(rare)
        data = data.dropna()
    for name in data.columns:
        if data[name].nunique() < 2:
            few = f"fewer than two levels with {min_cell} lifetimes or more"
            raise TooLittleData(
                f"'{name}' has {few if name in texts else 'one value only'} among the lifetimes "
                "with a value in every covariate. Leave it out."
            )
    kept = {name: data[name] for name in data.columns}
    return kept, pd.DataFrame(rows, columns=["covariate", "n", "why"])


def _design(columns: dict[str, pd.Series]) -> tuple[pd.DataFrame, list[tuple[str, str, int]]]:
    """Lay out one column per term and name the reference levels."""
    terms: dict[str, pd.Series] = {}
    references = []
    for name, column in columns.items():
        if column.dtype == float:
            terms[name] = column
            continue
        counts = column.value_counts(sort=False)  # in the order of the levels
        reference = str(counts.idxmax())
        references.append((name, reference, int(counts.max())))
        for level in counts.index.drop(reference):
            terms[f"{name}[{level}]"] = (column == level).astype(float)
    return pd.DataFrame(terms), references


def _check_design(design: pd.DataFrame, churned: np.ndarray) -> None:
    """Refuse what has no estimate, by name, before the fit fails without one."""
    n_terms, n_churned = design.shape[1], int(churned.sum())
    if n_churned < CHURNED_PER_TERM * n_terms:
        raise TooLittleData(
            f"{n_churned:,} customers churned, too few for {n_terms} terms: the model needs about "
            f"{CHURNED_PER_TERM} for each. Name fewer covariates, or covariates with fewer levels."
        )
    for term in design.columns:
        values = design[term].to_numpy()
        ends = values[churned]
        if ends.min() == ends.max() and ends[0] in (values.min(), values.max()):
            raise TooLittleData(
                f"All who churned have {term} = {ends[0]:g}, others have not: its hazard ratio "
                "cannot be told. Leave the covariate out or join the level with another."
            )


def _find_repeated(design: pd.DataFrame) -> list[str]:
    """List the terms that are combinations of the terms before them."""
    products = design.corr().to_numpy()
    repeated = []
    for i, term in enumerate(design.columns):
        # what is left of a term's variance when the terms before it are swept out
        if products[i, i] < 1e-9:
            repeated.append(term)
        else:
            products = products - np.outer(products[:, i], products[i]) / products[i, i]
    return repeated
