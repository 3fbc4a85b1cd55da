"""Sentences about the risk list: who will leave, what it costs, whether to trust and to use it."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from cxlib.churn.risk.decision import find_useful_range
from cxlib.churn.wording import describe_time, join_words


def describe_risk(
    totals: pd.DataFrame,
    *,
    horizon_days: float,
    currency: str = "",
    cause: str = "",
    conf_level: float = 0.95,
) -> str:
    """Say how many customers will leave, what it costs, and for which reasons.

    Parameters
    ----------
    totals : pandas.DataFrame
        The `totals` of `predict_risk`.
    horizon_days : float
        Days looked ahead.
    currency : str, default ""
        Unit of the values.
    cause : str, default ""
        End reasons that count; the sentence then says what it assumes.
    conf_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    str
        One to three sentences.
    """
    rows = totals.set_index(["quantity", "cause"])
    leave = rows.loc[("customers", "all")]
    given = f"If other reasons than {cause} did not exist: of" if cause else "Of"
    ahead = describe_time(horizon_days)
    told = (
        f"{given} the {leave['n']:,.0f} customers still here who can be followed {ahead} ahead, "
        f"about {leave['estimate']:,.0f} ({leave['conf_low']:,.0f}–{leave['conf_high']:,.0f}) "
        "leave in that time"
    )
    if ("value", "all") in rows.index:
        value = rows.loc[("value", "all")]
        unit = f" {currency}" if currency else ""
        told += (
            f", and {value['estimate']:,.0f}{unit} ({value['conf_low']:,.0f}–"
            f"{value['conf_high']:,.0f}) are lost by then"
        )
    told += "."
    parts = totals[(totals["quantity"] == "customers") & (totals["cause"] != "all")]
    if len(parts):
        shares = [f"{row['share']:.0%} for {row['cause']}" for _, row in parts.iterrows()]
        told += f" Of those who leave, {join_words(shares)}."
    return (
        f"{told} The ranges are {100 * conf_level:g}% intervals for what will happen: the model "
        "may be off, and who leaves is partly chance."
    )


def describe_validation(
    table: pd.DataFrame, *, cut: dt.date, n_left_out: int = 0, conf_level: float = 0.95
) -> str:
    """Say whether predictions made on an earlier day came true.

    Parameters
    ----------
    table : pandas.DataFrame
        The `table` of `validate_risk`.
    cut : datetime.date
        The day the predictions were made on.
    n_left_out : int, default 0
        Customers without a prediction over the whole horizon.
    conf_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    str
        Three or four sentences.
    """
    found = table.set_index("metric")
    level, ipa, auc = (found.loc[name] for name in ("observed_expected", "ipa", "auc"))
    horizon = describe_time(table["horizon_days"].iloc[0])
    right = level["conf_low"] <= 1 <= level["conf_high"]
    verdict = (
        "in line with what was predicted"
        if right
        else ("more than predicted" if level["estimate"] > 1 else "fewer than predicted")
    )
    if ipa["conf_low"] > 0:
        use = "Telling customers apart makes the predictions better than one number for all"
    elif ipa["conf_high"] < 0:
        use = "One number for all would have been better than these predictions"
    else:
        use = "It is not shown that these predictions are better than one number for all"
    told = (
        f"From what was known on {cut}, of {level['n']:,.0f} customers {level['n_churned']:,.0f} "
        f"left within {horizon}: {level['estimate']:.2f} times ({level['conf_low']:.2f}–"
        f"{level['conf_high']:.2f}) what was predicted, {verdict}. {use} (accuracy gained "
        f"{ipa['estimate']:.1%}, {ipa['conf_low']:.1%} to {ipa['conf_high']:.1%}). Of two "
        "customers of whom one left, the list ranked that one higher in "
        f"{auc['estimate']:.0%} of cases ({auc['conf_low']:.0%}–{auc['conf_high']:.0%}; guessing: "
        f"50%). The ranges are {100 * conf_level:g}% intervals."
    )
    if n_left_out:
        told += (
            f" {n_left_out:,} customers without a prediction for all of that time are not judged."
        )
    return told


def describe_decision(
    decision: pd.DataFrame,
    *,
    value_kept: float = 0.0,
    success_share: float = 1.0,
    currency: str = "",
    conf_level: float = 0.95,
) -> str:
    """Say at which cost of an action the list is worth using.

    Parameters
    ----------
    decision : pandas.DataFrame
        As `fit_decision_curve` returns it.
    value_kept : float, default 0.0
        Worth of one customer who would have left and stays; 0 when it is not known.
    success_share : float, default 1.0
        Share of those who would have left that the action keeps.
    currency : str, default ""
        Unit of the values.
    conf_level : float, default 0.95
        A gain counts as shown when its `q_value` is below 1 less this.

    Returns
    -------
    str
        One or two sentences.
    """
    useful = find_useful_range(decision, conf_level=conf_level)
    better = decision.loc[decision["gain"].idxmax()]
    if useful is None:
        return (
            "At no cost of acting is the list shown to be worth more than acting on everybody or "
            "on nobody."
        )
    low, high = useful
    ends = f"{low:.1%} and {high:.1%}" if high > low else f"{low:.1%}"
    between = "between " if high > low else ""
    told = (
        f"The list is shown to beat acting on everybody and on nobody when acting on a customer "
        f"costs {between}{ends} of what it keeps on average of one who would have left"
    )
    if value_kept > 0:
        worth = value_kept * success_share
        unit = f" {currency}" if currency else ""
        told += f", that is {between}{_amount(low * worth)}"
        told += f" and {_amount(high * worth)}{unit}" if high > low else unit
    return (
        f"{told}. It gains most near {better['threshold']:.1%}, where it picks "
        f"{better['n_acted']:,.0f} of {better['n']:,.0f} customers."
    )


def describe_concentration(concentration: pd.DataFrame) -> str:
    """Say how much of the value at risk lies with a tenth of the customers.

    Parameters
    ----------
    concentration : pandas.DataFrame
        As `summarise_concentration` returns it.

    Returns
    -------
    str
        One sentence; empty when there is no value at risk.
    """
    if concentration.empty:
        return ""
    tenth = concentration.loc[(concentration["customer_share"] - 0.1).abs().idxmin()]
    return (
        f"The {tenth['customer_share']:.0%} of customers with the most value at risk "
        f"({tenth['n']:,.0f}) hold {tenth['by_value']:.0%} of it; the same number of those most "
        f"likely to leave hold {tenth['by_probability']:.0%}."
    )


def describe_not_predicted(left_out: pd.DataFrame) -> str:
    """Say for how many customers nothing, or less than asked for, can be said.

    Parameters
    ----------
    left_out : pandas.DataFrame
        The `left_out` of `predict_risk`.

    Returns
    -------
    str
        One sentence; empty when all are predicted for in full.
    """
    if left_out.empty:
        return ""
    told = [f"{row['n']:,} customers ({row['why']})" for _, row in left_out.iterrows()]
    return f"Not predicted for, or over fewer days: {join_words(told)}."


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:,.2f}"
