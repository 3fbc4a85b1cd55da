"""Would the list have been right? Predict from an earlier day and look what happened since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.churn.hazard.design import number_lifetimes
from cxlib.churn.hazard.hazard import fit_hazard
from cxlib.churn.lifetimes import check_lifetimes
from cxlib.churn.records.late_entry import read_days
from cxlib.churn.records.observation import read_day
from cxlib.churn.risk.base import read_base
from cxlib.churn.risk.current import find_current
from cxlib.churn.risk.decision import fit_decision_curve
from cxlib.churn.risk.forecast import forecast_customers
from cxlib.churn.risk.risk import check_horizon, tabulate_risk
from cxlib.churn.risk.scores import count_predictions, score_predictions, summarise_calibration
from cxlib.errors import InputError, TooLittleData


@dataclass(frozen=True)
class Validation:
    """Predictions made on an earlier day, judged by what happened since.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per metric, as `score_predictions` returns it.
    calibration : pandas.DataFrame
        One row per bin of predictions, as `summarise_calibration` returns it.
    histogram : pandas.DataFrame
        Customers by prediction, as `count_predictions` returns it.
    decision : pandas.DataFrame
        One row per threshold, as `fit_decision_curve` returns it.
    predictions : pandas.DataFrame
        One row per customer judged: `customer_id`, `churn_probability`, `time_days`, `churned`.
    cut : datetime.date
        The day the predictions were made on; nothing later was used for them.
    horizon_days : float
        Days judged, after the cut.
    n_left_out : int
        Customers here on the day without a prediction over the whole horizon.
    """

    table: pd.DataFrame
    calibration: pd.DataFrame
    histogram: pd.DataFrame
    decision: pd.DataFrame
    predictions: pd.DataFrame
    cut: dt.date
    horizon_days: float
    n_left_out: int


def hide_after(lifetimes: pd.DataFrame, *, cut: dt.date | str) -> pd.DataFrame:
    """Cut lifetimes to what was known on a day.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime, or per stretch of one
        Columns `customer_id`, `started_at`, `duration_days`, `churned`; `entry_days`.
    cut : datetime.date or str
        Last day known, included.

    Returns
    -------
    pandas.DataFrame
        The rows under observation by then, under their index: ends after the day are censored on
        it and lose their `end_reason`; what began later is left out.

    Raises
    ------
    InputError
        When there is no `started_at`, one is missing, or the lifetimes cannot be used.
    TooLittleData
        When nobody had churned by then.

    Notes
    -----
    Attributes stay as they are: they must be those of the start of the row. A break that had begun
    by the day and turned out to be short still counts as having stayed, although nobody could know
    it then.
    """
    if "started_at" not in lifetimes.columns or lifetimes["started_at"].isna().any():
        raise InputError(
            "Lifetimes without the day they began cannot be cut at an earlier day.",
            "table 'lifetimes', column 'started_at'",
            "give the day of every start, or map 'subscriptions' instead",
        )
    table = check_lifetimes(lifetimes)
    age = read_day("cut", cut) - read_days(table["started_at"])
    table = table[(age >= 0) & ((table["entry_days"] == 0) | (table["entry_days"] < age))].copy()
    age = age.loc[table.index]
    later = table["duration_days"] > age
    table["churned"] &= ~later
    table["duration_days"] = table["duration_days"].clip(upper=age)
    if "end_reason" in table.columns:
        table["end_reason"] = table["end_reason"].mask(later)
    return check_lifetimes(table)


def choose_cut(
    lifetimes: pd.DataFrame, *, as_of: dt.date | str, horizon_days: float
) -> tuple[dt.date, float]:
    """Choose the day to predict from so that the horizon after it has passed.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `started_at`, `duration_days`, `churned`; `entry_days`.
    as_of : datetime.date or str
        Last day known.
    horizon_days : float
        Days wanted.

    Returns
    -------
    tuple of datetime.date and float
        The day, and the horizon: the one wanted, or half of the days on which leaving was
        recorded when that is less, so that no less is learnt from than judged by.

    Raises
    ------
    InputError
        When there is no `started_at`, or the horizon is not positive.
    TooLittleData
        When the records cover less than two days.
    """
    check_horizon(horizon_days)
    table = check_lifetimes(lifetimes)
    if "started_at" not in table.columns:
        raise InputError(
            "Lifetimes without the day they began cannot be cut at an earlier day.",
            "table 'lifetimes', column 'started_at'",
            "give the day of every start, or map 'subscriptions' instead",
        )
    last = read_day("as_of", as_of)
    first = float((read_days(table["started_at"]) + table["entry_days"]).min())
    horizon = min(float(horizon_days), float((last - first) // 2))
    if not horizon >= 1:
        raise TooLittleData("The records cover less than two days: nothing can be judged.")
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(last - horizon)), horizon


def validate_risk(
    lifetimes: pd.DataFrame,
    *,
    as_of: dt.date | str,
    horizon_days: float,
    covariates: Sequence[str] = (),
    by: str = "",
    min_cell: int = 10,
    conf_level: float = 0.95,
    random_state: int = 0,
) -> Validation:
    """Predict who would leave from what was known on an earlier day, and judge by who did.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime, or per stretch of one
        Columns `customer_id`, `started_at`, `duration_days`, `churned`; `entry_days`; the
        covariates or groups.
    as_of : datetime.date or str
        Last day known.
    horizon_days : float
        Days to judge; cut to half of the days recorded (`choose_cut`).
    covariates : sequence of str, default ()
        Covariates of the hazard model; none for curves.
    by : str, default ""
        Column of groups of the curves, when there are no covariates.
    min_cell : int, default 10
        As in `fit_hazard` and `predict_risk`.
    conf_level : float, default 0.95
        Confidence level.
    random_state : int, default 0
        Seed of the resamples.

    Returns
    -------
    Validation
        Metrics, calibration and decision curve of the customers who were here on the day.

    Raises
    ------
    InputError
        When the lifetimes cannot be used or have no `started_at`.
    TooLittleData
        When too few had left by the day to learn from, or left after it to judge by.

    Notes
    -----
    Model and predictions use `hide_after` of the cut only; customers are judged by their days
    after it. A split by calendar, not at random, shows what the list of today can be expected to
    do tomorrow, changes of the times included. Customers without a prediction over the whole
    horizon are counted and not judged. Who left for a reason that does not count as churn is
    censored on that day.

    References
    ----------
    .. [1] E. W. Steyerberg (2019). Clinical Prediction Models, 2nd ed., chapter 17 (temporal
           validation).
    """
    cut, horizon = choose_cut(lifetimes, as_of=as_of, horizon_days=horizon_days)
    everyone = check_lifetimes(lifetimes).reset_index(drop=True)
    known = hide_after(everyone, cut=cut)
    model = None
    if covariates:
        model = fit_hazard(known, covariates=covariates, min_cell=min_cell, conf_level=conf_level)
    here = find_current(known)
    base = read_base(
        known,
        here,
        model=model,
        by="" if model else by,
        horizon_days=horizon,
        min_cell=min_cell,
    )
    forecast, _ = forecast_customers(base.hazard(), base.people, np.zeros(len(here)))
    risk = tabulate_risk(base, forecast, conf_level=conf_level)
    full = risk[(risk["horizon_days"] >= horizon) & risk["churn_probability"].notna()]
    if full.empty:
        raise TooLittleData(
            f"Of those here on {cut}, nobody could be followed for {horizon:,.0f} days ahead by "
            "what was known then."
        )
    predictions = _follow_up(everyone, full, cut)
    return Validation(
        table=score_predictions(
            predictions, horizon_days=horizon, conf_level=conf_level, random_state=random_state
        ),
        calibration=summarise_calibration(predictions, horizon_days=horizon, conf_level=conf_level),
        histogram=count_predictions(predictions),
        decision=fit_decision_curve(predictions, horizon_days=horizon, conf_level=conf_level),
        predictions=predictions,
        cut=cut,
        horizon_days=horizon,
        n_left_out=len(risk) - len(full),
    )


def _follow_up(everyone: pd.DataFrame, risk: pd.DataFrame, cut: dt.date) -> pd.DataFrame:
    """Set beside each prediction the days from the cut on, and whether they ended in churn."""
    ends = everyone.assign(_lifetime=number_lifetimes(everyone))
    ends = ends.sort_values("duration_days", kind="stable")
    ends = ends.drop_duplicates("_lifetime", keep="last")
    age = read_day("cut", cut) - read_days(ends["started_at"])
    # the lifetime that the day lies in; a customer has one at a time
    ends = ends.assign(time_days=ends["duration_days"] - age)[
        (age >= 0) & (ends["duration_days"] >= age)
    ]
    ends = ends.sort_values("time_days").drop_duplicates("customer_id", keep="last")
    columns = ["customer_id", "churn_probability"]
    after = ends[["customer_id", "time_days", "churned"]]
    return risk[columns].merge(after, on="customer_id", validate="one_to_one")
