"""Sentences on hazard ratios that change with age."""

from __future__ import annotations

import pandas as pd


def describe_periods(
    periods: pd.DataFrame, tests: pd.DataFrame, *, conf_level: float = 0.95
) -> str:
    """Say whose hazard ratio changes with the age of the customer, and by how much.

    Parameters
    ----------
    periods, tests : pandas.DataFrame
        The `table` and `tests` of `fit_periods`.
    conf_level : float, default 0.95
        A change counts as shown when its `q_value` is below 1 less this.

    Returns
    -------
    str
        One to three sentences; the terms that change most are told from the earlier to the later
        of their two extreme periods.
    """
    shown = tests[tests["q_value"] < 1 - conf_level].sort_values("change", ascending=False)
    tested = f"{len(tests)} term{'s' if len(tests) != 1 else ''} tested"
    if shown.empty:
        return f"No hazard ratio was shown to change with the age of the customer ({tested})."
    told = [_describe_change(periods[periods["term"] == term]) for term in shown["term"].head(3)]
    ratios, verb = ("ratio", "changes") if len(shown) == 1 else ("ratios", "change")
    return (
        f"{len(shown)} hazard {ratios} {verb} with the age of the customer ({tested}, corrected "
        f"for testing so many). {' '.join(told)} "
        "A single ratio for all ages is an average of these."
    )


def _describe_change(rows: pd.DataFrame) -> str:
    ratios = rows["hazard_ratio"].reset_index(drop=True)
    first, second = sorted((int(ratios.idxmin()), int(ratios.idxmax())))
    a, b = rows.iloc[first], rows.iloc[second]
    verb = "falls" if a["hazard_ratio"] > b["hazard_ratio"] else "rises"
    return f"'{a['term']}' {verb} from {_tell(a)} to {_tell(b)}."


def _tell(row: pd.Series) -> str:
    is_between = row["from_days"] > 0 and not pd.isna(row["to_days"])
    place = "in the " if row["from_days"] == 0 else "from " if is_between else ""
    ends = f"({row['conf_low']:.3g}–{row['conf_high']:.3g})"
    return f"× {row['hazard_ratio']:.3g} {ends} {place}{row['period']}"
