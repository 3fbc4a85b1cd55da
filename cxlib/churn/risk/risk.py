"""Who is about to leave: chances over the horizon, given that the customer is still here."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cxlib.churn.hazard.hazard import HazardModel
from cxlib.churn.lifetimes import MONTH_DAYS, check_lifetimes, label_groups
from cxlib.churn.risk.base import Base, read_base
from cxlib.churn.risk.current import check_current, find_current
from cxlib.churn.risk.explanation import explain_risk, write_reasons
from cxlib.churn.risk.forecast import forecast_customers
from cxlib.churn.risk.value import read_monthly_value, summarise_totals
from cxlib.errors import InputError
from cxlib.stats import normal_quantile


@dataclass(frozen=True)
class RiskForecast:
    """What the customers of today are expected to do.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per customer still here, the most value at risk first: `customer_id`,
        `churn_probability` (of leaving within the horizon, given that the customer is here
        today), `conf_low`, `conf_high`, `value_at_risk`, `remaining_days` (mean days to come
        within the horizon), `remaining_low`, `remaining_high`, `age_days`, `horizon_days` (the
        one used), `group` when asked for, `hazard_ratio` (against the average customer) and
        `reasons` with a model.
    totals : pandas.DataFrame
        One row per quantity and cause: `quantity` (``customers`` who leave, ``value`` lost),
        `cause` (``all`` first), `estimate`, `conf_low`, `conf_high` (of what will happen),
        `std_error` (of the expectation), `share` (of all causes), `n` (customers). Of the customers
        who can be followed to the horizon.
    left_out : pandas.DataFrame
        One row per reason why customers have no prediction, or one over fewer days: `why`, `n`.
    horizon_days : float
        Days the totals look ahead: those asked for, or as many as anybody can be followed.
    """

    table: pd.DataFrame
    totals: pd.DataFrame
    left_out: pd.DataFrame
    horizon_days: float


def predict_risk(
    lifetimes: pd.DataFrame,
    *,
    horizon_days: float,
    current: pd.DataFrame | None = None,
    model: HazardModel | None = None,
    by: str = "",
    margin_share: float = 1.0,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> RiskForecast:
    """Predict for every customer still here the chance of leaving, and what it would cost.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime, or per stretch of one
        Columns `customer_id`, `duration_days`, `churned`; `entry_days`, `end_reason`,
        `monthly_value`, and the covariates of the model when there are any.
    horizon_days : float
        Days to look ahead.
    current : pandas.DataFrame, one row per customer, optional
        Who is still here, with the columns of `lifetimes` and the age today in `duration_days`:
        `current` of what `collect_lifetimes` returns. By default those of `lifetimes` who are
        censored without an `end_reason`, aged as last seen.
    model : HazardModel, optional
        As `fit_hazard` returns it from the same lifetimes; without it all customers of an age, or
        of an age and group, have the same risk.
    by : str, default ""
        Column of groups, shown in the table; without a model each has a curve of its own.
    margin_share : float, default 1.0
        Share of the monthly value that is lost with a customer.
    min_cell : int, default 10
        Lifetimes that must be under observation at every age looked ahead to.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    RiskForecast
        One row per customer, totals, and who could not be predicted for.

    Raises
    ------
    InputError
        When the lifetimes cannot be used, the horizon is not positive, a covariate is missing
        from the table, or a monthly value is negative or no number.
    TooLittleData
        When nobody churned, nobody is still here, or nobody has enough older customers to be
        followed on.

    Notes
    -----
    With H the cumulative hazard of customers like this one, of Cox's model with its baseline under
    late entry or from the Kaplan-Meier curve, a customer of age a leaves within h days with the
    probability 1 - exp(-(H(a + h) - H(a))). The interval is that of the log of H(a + h) - H(a),
    by the delta method from coefficients and baseline; where nobody left at the ages ahead, its
    upper end is the exact (Clopper-Pearson) one for none of the fewest under observation there,
    times the hazard ratio. Remaining days are the area under the customer's own curve over the
    horizon, their interval that of the log of the days lost.

    Nothing is extended: where fewer than `min_cell` customers were observed at an age ahead, the
    horizon ends there and `horizon_days` says so; a customer without any day ahead, or with a
    covariate missing or unknown to the model, has no prediction.

    `value_at_risk` is `monthly_value` times the mean months (of 30.4375 days) lost within the
    horizon times `margin_share`, undiscounted: a customer who leaves on the last day costs
    nothing in it. It is empty where the monthly value is.

    References
    ----------
    .. [1] A. A. Tsiatis (1981). A large sample study of Cox's regression model. Annals of
           Statistics 9, 93-108.
    .. [2] J. P. Klein, M. L. Moeschberger (2003). Survival Analysis, 2nd ed., sections 4.5, 8.8.
    """
    check_horizon(horizon_days)
    if not 0 < margin_share <= 1:
        problem = f"margin_share = {margin_share!r} is no share."
        raise InputError(problem, "parameter 'margin_share'", "give a number over 0, up to 1")
    everyone = check_lifetimes(lifetimes).reset_index(drop=True)
    here = find_current(everyone) if current is None else check_current(current)
    base = read_base(
        everyone, here, model=model, by=by, horizon_days=horizon_days, min_cell=min_cell
    )
    worth = read_monthly_value(here) * margin_share / MONTH_DAYS
    forecast, _ = forecast_customers(base.hazard(), base.people, np.nan_to_num(worth))
    reached = min(horizon_days, float(base.people.horizon.max(initial=0)))
    far = np.where(base.people.horizon >= reached, base.people.horizon, 0.0)
    whole = replace(base, people=replace(base.people, horizon=far))
    _, totals = forecast_customers(whole.hazard(), whole.people, np.nan_to_num(worth))
    table = tabulate_risk(base, forecast, conf_level=conf_level)
    table.insert(4, "value_at_risk", worth * forecast["lost_days"])
    if by:
        table["group"] = label_groups(here, by=by).to_numpy(object)
    if model:
        table["hazard_ratio"] = base.hazard().ratio
        table["reasons"] = write_reasons(explain_risk(model, here), here).to_numpy(object)
    order = table.assign(_id=table["customer_id"].astype(str)).sort_values(
        ["value_at_risk", "churn_probability", "_id"], ascending=[False, False, True]
    )
    return RiskForecast(
        table=order.drop(columns="_id").reset_index(drop=True),
        totals=summarise_totals(whole, worth, totals, min_cell=min_cell, conf_level=conf_level),
        left_out=_list_left_out(base, horizon_days),
        horizon_days=reached,
    )


def check_horizon(horizon_days: float) -> None:
    """Refuse a horizon that is no number of days.

    Parameters
    ----------
    horizon_days : float
        Days to look ahead.

    Raises
    ------
    InputError
        When it is not positive, or infinite.
    """
    if not 0 < horizon_days < np.inf:
        raise InputError(
            f"horizon_days = {horizon_days!r} is no time to look ahead.",
            "parameter 'horizon_days'",
            "give a number of days, for example 365",
        )


def tabulate_risk(base: Base, forecast: pd.DataFrame, *, conf_level: float) -> pd.DataFrame:
    """Predict for each customer; see `predict_risk`.

    Parameters
    ----------
    base : Base
        The customers and what their hazard is learnt from.
    forecast : pandas.DataFrame
        As `forecast_customers` returns it.
    conf_level : float
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per customer of `base.current`, in its order: the `table` of `RiskForecast`
        without value, group and reasons.
    """
    horizon = base.people.horizon
    z = normal_quantile(conf_level)
    ends = {}
    for name in ("hazard", "lost"):
        estimate = forecast[name if name == "hazard" else "lost_days"].to_numpy()
        error = forecast[f"{name}_error"].to_numpy()
        ratio = np.divide(error, estimate, out=np.zeros_like(error), where=estimate > 0)
        factor = np.exp(z * ratio)
        ends[name] = (estimate / factor, estimate * factor)
    # nobody left at these ages: the delta method knows of no error there
    with np.errstate(divide="ignore"):
        at_most = -np.log(0.5 - conf_level / 2) * base.hazard().ratio / base.fewest
    none = forecast["hazard"].to_numpy() == 0
    high = np.where(none, at_most, ends["hazard"][1])
    lost_high = np.where(none, horizon * -np.expm1(-at_most), ends["lost"][1])
    return pd.DataFrame(
        {
            "customer_id": base.current["customer_id"].to_numpy(object),
            "churn_probability": -np.expm1(-forecast["hazard"]),
            "conf_low": -np.expm1(-ends["hazard"][0]),
            "conf_high": -np.expm1(-high),
            "remaining_days": horizon - forecast["lost_days"],
            "remaining_low": np.maximum(horizon - lost_high, 0),
            "remaining_high": horizon - ends["lost"][0],
            "age_days": base.people.age,
            "horizon_days": horizon,
        }
    )


def _list_left_out(base: Base, horizon_days: float) -> pd.DataFrame:
    """Count who has no prediction, or one over fewer days, by reason."""
    horizon = base.people.horizon
    is_unknown = base.people.stratum < 0
    is_oldest = ~is_unknown & (horizon == 0)
    is_cut = (horizon > 0) & (horizon < horizon_days)
    reasons = {
        "no prediction: a covariate or group is missing or too rare": is_unknown,
        "no prediction: too few older customers were observed": is_oldest,
        "fewer days ahead: too few older customers were observed": is_cut,
    }
    rows = [(why, int(who.sum())) for why, who in reasons.items() if who.any()]
    return pd.DataFrame(rows, columns=["why", "n"])
