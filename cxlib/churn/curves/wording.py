"""Sentences about when customers leave, rendered from the tables of the curves."""

from __future__ import annotations

import pandas as pd

from cxlib.churn.lifetimes import MONTH_DAYS

_SURE = 0.8  # from here on an age is called the riskiest
_MOST_TOLD = 3


def describe_rates(rates: pd.DataFrame, *, cause: str = "", conf_level: float = 0.95) -> str:
    """Say at what age the risk of leaving is highest, if that can be told.

    Parameters
    ----------
    rates : pandas.DataFrame
        As `summarise_rates` returns it; the rows of ``all`` are told.
    cause : str, default ""
        End reasons that count.
    conf_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    str
        One or two sentences. An age at which somebody left is called the riskiest from a
        probability of 80 % on; two or three are named where they reach it together.
    """
    bands = rates[(rates["group"] == "all") & rates["p_highest"].notna()]
    risk = f"risk of leaving for {cause}" if cause else "risk of leaving"
    level = f"The ranges are {100 * conf_level:g}% intervals."
    if len(bands) == 1:
        rate = _describe_rate(bands.iloc[0])
        return f"Customers were followed for too short a time to tell ages apart: {rate}. {level}"
    # an age at which nobody left may be the riskiest for all we know, but nobody would believe it
    top = bands[bands["rate"] > 0].sort_values("p_highest", ascending=False, kind="stable")
    n_top = int((top["p_highest"].cumsum() < _SURE).sum()) + 1
    if n_top > min(_MOST_TOLD, len(top)):
        return (
            f"At what age the {risk} is highest is undecided: between {bands['rate'].min():.2g} "
            f"and {bands['rate'].max():.2g} of 100 customers left a month at the {len(bands)} ages "
            f"compared, and no {_MOST_TOLD} ages at which customers left hold the riskiest with a "
            f"probability of {_SURE:.0%}."
        )
    told = [
        f"{_describe_band(band)} ({_describe_rate(band)})" for _, band in top[:n_top].iterrows()
    ]
    which = "" if n_top == 1 else "; which of them is undecided"
    return (
        f"The {risk} is highest {' or '.join(told)}, with a probability of "
        f"{top['p_highest'][:n_top].sum():.0%} among the {len(bands)} ages compared{which}. {level}"
    )


def _describe_rate(band: pd.Series) -> str:
    ends = f"{band['conf_low']:.2g}–{band['conf_high']:.2g}"
    return f"{band['rate']:.2g} of 100 customers a month, {ends}"


def _describe_band(band: pd.Series) -> str:
    if band["to_days"] - band["from_days"] < 28:
        return f"between {band['from_days']:.0f} and {band['to_days']:.0f} days after the start"
    months = [f"{days / MONTH_DAYS:.0f}" for days in (band["from_days"], band["to_days"])]
    return f"between {months[0]} and {months[1]} months after the start"
