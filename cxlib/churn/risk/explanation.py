"""Why this customer: what each covariate does to the risk, against the average customer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.churn.hazard.design import lay_out
from cxlib.churn.hazard.hazard import HazardModel

# A factor nearer to 1 than this is no reason.
LEAST_CHANGE = 0.01


def explain_risk(model: HazardModel, customers: pd.DataFrame) -> pd.DataFrame:
    """Compute the factor by which each covariate moves each customer's risk.

    Parameters
    ----------
    model : HazardModel
        As `fit_hazard` returns it.
    customers : pandas.DataFrame, one row per customer
        The covariates by name.

    Returns
    -------
    pandas.DataFrame
        One row per customer, under the index of `customers`; one column per covariate with its
        factor. Missing where a covariate is missing or not known to the model.

    Raises
    ------
    InputError
        When a covariate is missing from the table.

    Notes
    -----
    The factor of a covariate is exp of the sum of (x - mean) times coefficient over its terms,
    with the means of the lifetimes in the model. The factors of a customer multiply exactly to the
    hazard ratio against a customer with mean covariates. They tell how the model comes to the
    number, not what would happen if the covariate were changed.
    """
    design = lay_out(model.design, customers)
    moves = (design - model.fit.center) * model.fit.estimates
    factors = {}
    for name, levels in model.design.covariates.items():
        terms = [f"{name}[{level}]" for level in levels[1:]] if levels else [name]
        terms = [term for term in terms if term in moves.columns]
        if terms:
            factors[name] = np.exp(moves[terms].sum(axis=1, skipna=False))
    return pd.DataFrame(factors, index=customers.index)


def write_reasons(
    factors: pd.DataFrame, customers: pd.DataFrame, *, n_reasons: int = 3
) -> pd.Series:
    """Write the covariates that move each customer's risk most.

    Parameters
    ----------
    factors : pandas.DataFrame
        As `explain_risk` returns them.
    customers : pandas.DataFrame
        The covariates by name, under the same index.
    n_reasons : int, default 3
        Covariates named at most; those that move the risk by less than 1 % are not.

    Returns
    -------
    pandas.Series of str
        Such as ``household shared × 1.50; age_band 18-29 × 0.88``, the strongest first; empty
        where nothing moves the risk, or it is not known.
    """
    values = factors.to_numpy(float)
    size = np.nan_to_num(np.abs(np.log(values)))
    strongest = np.argsort(-size, axis=1, kind="stable")[:, :n_reasons]
    texts = [_write_factors(factors[name], customers[name]) for name in factors.columns]
    written = np.column_stack(texts)
    told = np.take_along_axis(size, strongest, axis=1) >= np.log1p(LEAST_CHANGE)
    chosen = np.where(told, np.take_along_axis(written, strongest, axis=1), "")
    lines = ["; ".join(filter(None, row)) for row in chosen.tolist()]
    return pd.Series(lines, index=factors.index, dtype=object)


def _write_factors(factor: pd.Series, value: pd.Series) -> np.ndarray:
    """Write value and factor; each distinct value once, there are few of them."""
    codes, distinct = pd.factorize(value.to_numpy(object), use_na_sentinel=False)
    first = np.full(len(distinct), np.nan)
    first[codes] = factor.to_numpy(float)  # equal values have equal factors
    lines = [
        f"{factor.name} {_shorten(text)} × {ratio:.2f}"
        for text, ratio in zip(distinct, first, strict=True)
    ]
    return np.array(lines, dtype=object)[codes]


def _shorten(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
