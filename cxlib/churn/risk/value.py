"""What leaving costs: value at risk by customer, in all and by cause, and where it is gathered."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.churn.risk.base import Base, list_causes, read_causes
from cxlib.churn.risk.causes import forecast_totals
from cxlib.errors import InputError
from cxlib.stats import Floats, normal_quantile

SHARES = (0.01, 0.02, 0.05, *(step / 20 for step in range(2, 21)))


def read_monthly_value(customers: pd.DataFrame) -> Floats:
    """Read the monthly value of customers.

    Parameters
    ----------
    customers : pandas.DataFrame, one row per customer
        Columns `customer_id` and, when it is known, `monthly_value`.

    Returns
    -------
    ndarray of float
        Missing where it is not known.

    Raises
    ------
    InputError
        When a value is negative or no number.
    """
    if "monthly_value" not in customers.columns:
        return np.full(len(customers), np.nan)
    given = customers["monthly_value"]
    if not pd.api.types.is_numeric_dtype(given):
        given = given.mask(given.astype(str).str.strip() == "")
    values = pd.to_numeric(given, errors="coerce").astype(float)
    for bad, what in (
        (given.notna() & ~np.isfinite(values), "are no numbers"),
        (values < 0, "are negative"),
    ):
        if bad.any():
            first = customers[bad].iloc[0]
            raise InputError(
                f"{int(bad.sum()):,} monthly values {what}: {first['monthly_value']!r}.",
                f"column 'monthly_value', customer_id {first['customer_id']!r}",
                "write amounts from 0 on, and leave empty what is not known",
            )
    return values.to_numpy()


def summarise_totals(
    base: Base, worth: Floats, totals: pd.DataFrame, *, min_cell: int, conf_level: float
) -> pd.DataFrame:
    """Add up over all customers who leaves and what it costs, by cause.

    Parameters
    ----------
    base : Base
        The customers and what their hazard is learnt from.
    worth : ndarray of float, shape (n,)
        What a day of each customer is worth; missing counts as nothing.
    totals : pandas.DataFrame
        Sums of all causes together, as `forecast_customers` returns them.
    min_cell : int
        Ends a cause needs; rarer ones are put together.
    conf_level : float
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per quantity and cause: `quantity` (``customers``, ``value``), `cause` (``all``
        first, the others when there are two or more), `estimate`, `conf_low`, `conf_high`,
        `std_error`, `share` (of all), `n` (customers predicted for; with a value).

    Notes
    -----
    The interval is one for what will happen, not for the expectation only: the error of the model,
    which all customers share, and chance, as if customers left independently given their risks,
    are added as variances; `std_error` is the model's part. Normal approximation, not below 0.

    Causes split the probability of each customer in the ratio of cause-specific hazards with the
    same covariates, day by day (Aalen-Johansen for this customer). One model a cause does not add
    up exactly to one model of leaving, so the parts are scaled to the sum of all: the models of
    the causes say how it is shared, the model of leaving how much there is.

    References
    ----------
    .. [1] P. K. Andersen, N. Keiding (2012). Interpretability and importance of functionals in
           competing risks and multistate models. Statistics in Medicine 31, 1074-1088.
    .. [2] P. K. Andersen (2013). Decomposition of number of life years lost according to causes of
           death. Statistics in Medicine 32, 5278-5285.
    """
    totals = totals.assign(cause="all")
    causes = read_causes(base.lifetimes, min_cell=min_cell)
    names = list_causes(causes)
    if len(names) > 1:
        parts = forecast_totals(base.hazards_by_cause(causes), base.people, np.nan_to_num(worth))
        of_all = totals.set_index("quantity")["estimate"]
        of_parts = parts.groupby("quantity")["estimate"].sum()
        scale = parts["quantity"].map(of_all / of_parts.where(of_parts > 0, 1.0))
        columns = ["estimate", "std_error", "chance_error"]
        parts[columns] = parts[columns].mul(scale, axis=0)
        parts["cause"] = [names[number] for number in parts["cause"]]
        totals = pd.concat([totals, parts]).sort_values("quantity", kind="stable")
    reach = normal_quantile(conf_level) * np.hypot(totals["std_error"], totals["chance_error"])
    whole = totals.groupby("quantity")["estimate"].transform("first")
    is_seen = base.people.horizon > 0
    n = {"customers": is_seen.sum(), "value": (is_seen & ~np.isnan(worth)).sum()}
    totals = totals.assign(
        conf_low=(totals["estimate"] - reach).clip(lower=0),
        conf_high=totals["estimate"] + reach,
        share=totals["estimate"] / whole.where(whole > 0),
        n=totals["quantity"].map(n).astype(int),
    )
    columns = ["quantity", "cause", "estimate", "conf_low", "conf_high", "std_error", "share", "n"]
    return totals.loc[totals["n"] > 0, columns].reset_index(drop=True)


def summarise_concentration(risk: pd.DataFrame) -> pd.DataFrame:
    """Find how much of the value at risk lies with how few customers.

    Parameters
    ----------
    risk : pandas.DataFrame, one row per customer
        The `table` of `predict_risk`.

    Returns
    -------
    pandas.DataFrame
        One row per share of customers: `customer_share`, `n` (customers), `by_value` (share of
        the value at risk with the customers of the most value at risk), `by_probability` (with
        those most likely to leave). No rows when there is no value at risk.

    Notes
    -----
    Shares of the expected value at risk, which is known exactly once the risks are; they carry no
    interval of their own. The gap between the two shows what ranking by probability gives away.
    """
    known = risk[risk["value_at_risk"].notna()]
    total = known["value_at_risk"].sum()
    if not total > 0:
        columns = ["customer_share", "n", "by_value", "by_probability"]
        return pd.DataFrame(columns=columns)
    shares = np.array(SHARES)
    n = np.maximum(np.ceil(shares * len(known) - 1e-9).astype(int), 1)
    held = {}
    for name, column in (("by_value", "value_at_risk"), ("by_probability", "churn_probability")):
        ranked = known.sort_values([column, "value_at_risk"], ascending=False, kind="stable")
        held[name] = ranked["value_at_risk"].cumsum().to_numpy()[n - 1] / total
    return pd.DataFrame({"customer_share": shares, "n": n, **held})
