"""Sentences on groups compared as if they had the same customers."""

from __future__ import annotations

import pandas as pd

from cxlib.churn.adjusted.adjusted import Adjusted

# Under this share of customers with counterparts a sentence says so.
_MOSTLY_ALIKE = 0.9


def describe_adjusted(
    adjusted: Adjusted, plain: pd.DataFrame, *, by: str, conf_level: float = 0.95
) -> str:
    """Say whether groups differ when they have the same customers, and by how much less or more.

    Parameters
    ----------
    adjusted : Adjusted
        As `fit_adjusted` returns it.
    plain : pandas.DataFrame
        Differences as observed, as `compare_rmst` returns them for the same horizon.
    by : str
        Name of the grouping.
    conf_level : float, default 0.95
        A difference counts as shown when its `q_value` is below 1 less this.

    Returns
    -------
    str
        Two or three sentences.
    """
    pairs = adjusted.differences
    shown = pairs[pairs["q_value"] < 1 - conf_level]
    horizon, n = pairs["horizon_days"].iloc[0], len(pairs)
    if shown.empty:
        told = f"Had the groups by {by} the same customers, no difference in how long they stay "
        return f"{told}is shown ({n} pair{'s' if n != 1 else ''} tested)."
    count = f"{len(shown)} of {n} pairs" if n > 1 else "the two"
    told = f"Had the groups by {by} the same customers, {count} would still differ in how long "
    told += "they stay, after correction for testing so many." if n > 1 else "they stay."
    row = shown.loc[shown["difference_days"].abs().idxmax()]
    a, b = row["group_a"], row["group_b"]
    low, high = row["conf_low"], row["conf_high"]
    days = row["difference_days"]
    if days < 0:
        a, b, days, low, high = b, a, -days, -high, -low
    largest = f"The largest difference: '{a}' would stay {days:.1f} days longer ({low:.1f} to "
    largest += f"{high:.1f}) within {horizon:,.0f} days than '{b}'"
    seen = plain[plain["group_a"].isin([a, b]) & plain["group_b"].isin([a, b])]
    if len(seen):
        sign = 1 if seen["group_a"].iloc[0] == a else -1
        largest += f"; as observed it is {sign * seen['difference_days'].iloc[0]:.1f}"
    return f"{told} {largest}. The ranges are {100 * conf_level:g}% intervals."


def describe_value(value: pd.DataFrame, *, currency: str, conf_level: float = 0.95) -> str:
    """Say what it would be worth if a group stayed as long as the reference.

    Parameters
    ----------
    value : pandas.DataFrame
        The `value` of `fit_adjusted`.
    currency : str
        Name of the currency.
    conf_level : float, default 0.95
        A value counts as shown when its `q_value` is below 1 less this.

    Returns
    -------
    str
        One or two sentences; empty when there is no row.
    """
    if value.empty:
        return ""
    shown = value[value["q_value"] < 1 - conf_level]
    if shown.empty:
        return (
            "No group was shown to be worth more or less than it would be with the stay of "
            f"'{value['reference'].iloc[0]}' ({len(value)} tested)."
        )
    row = shown.loc[shown["value_total"].abs().idxmax()]
    word = "more" if row["value_total"] > 0 else "less"
    sign = 1 if row["value_total"] > 0 else -1
    each = sorted(sign * row[["conf_low", "conf_high"]].astype(float))
    total = sorted(sign * row[["total_conf_low", "total_conf_high"]].astype(float))
    return (
        f"If the {row['n']:,} customers of '{row['group']}' stayed like customers alike of "
        f"'{row['reference']}', each would bring {currency} {abs(row['value_per_customer']):,.0f} "
        f"{word} ({each[0]:,.0f} to {each[1]:,.0f}), all of them {currency} "
        f"{abs(row['value_total']):,.0f} ({total[0]:,.0f} to {total[1]:,.0f}). It is a "
        "difference between groups, no promise of what a measure would bring."
    )


def describe_overlap(overlap: pd.DataFrame) -> str:
    """Say where a group has hardly any customers like those of another.

    Parameters
    ----------
    overlap : pandas.DataFrame
        The `overlap` of `fit_adjusted`.

    Returns
    -------
    str
        One or two sentences.
    """
    thin = overlap[(overlap["share_alike"] < _MOSTLY_ALIKE) | (overlap["lacking"] != "")]
    if thin.empty:
        return "Every group has customers like those of the others: the comparison is a fair one."
    row = thin.loc[thin["share_alike"].idxmin()]
    lacking = f" (none with {row['lacking']})" if row["lacking"] else ""
    return (
        f"{len(thin)} of {len(overlap)} comparisons rest partly on the model, for want of "
        f"customers alike. The thinnest: {row['share_alike']:.0%} of '{row['group']}' have "
        f"counterparts in '{row['counterpart']}'{lacking}."
    )
