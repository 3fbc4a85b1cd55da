"""Sentences on cohorts and renewals, rendered from their tables."""

from __future__ import annotations

import pandas as pd

from cxlib.churn.cohorts.renewals import RenewalModel
from cxlib.churn.cohorts.retention import Retention

# Cohorts whose hazards vary by less than this are as good as alike.
_LITTLE_SPREAD = 0.05


def describe_retention(retention: Retention) -> str:
    """Say how many stay, what is completed, and whether cohorts differ.

    Parameters
    ----------
    retention : Retention
        As `fit_retention` returns it.

    Returns
    -------
    str
        Three sentences.
    """
    table = retention.table
    whole = table[table["cohort"] == "all"]
    cohorts = table[table["cohort"] != "all"]
    row = whole[whole["month"] == min(12, whole["month"].max())].iloc[0]
    share = cohorts["is_completed"].mean()
    spread = retention.spread
    differ = (
        "Cohorts do not differ more than chance lets them"
        if spread < _LITTLE_SPREAD
        else f"The risk of leaving differs between cohorts by about {spread:.0%} beyond chance"
    )
    return (
        f"Of all customers in cohorts seen from their start, {row['retained_share']:.0%} "
        f"({row['conf_low']:.0%}–{row['conf_high']:.0%}) are still there after {row['month']} "
        f"months. {share:.0%} of the cells are not seen yet and completed from older cohorts. "
        f"{differ}."
    )


def describe_completion(checked: pd.DataFrame, *, hidden_months: int = 6) -> str:
    """Say how well cells completed some months ago agree with what came.

    Parameters
    ----------
    checked : pandas.DataFrame
        As `check_completion` returns it.
    hidden_months : int, default 6
        Months that were hidden.

    Returns
    -------
    str
        One sentence.
    """
    if checked.empty:
        return f"No cell completed {hidden_months} months ago has been seen since."
    off = (checked["observed_share"] - checked["retained_share"]).abs().mean()
    return (
        f"With the last {hidden_months} months hidden, {checked['is_inside'].sum():,} of "
        f"{len(checked):,} cells seen since came to lie in the intervals completed without them; "
        f"they were off by {100 * off:.1f} percentage points on average."
    )


def describe_renewals(model: RenewalModel, projection: pd.DataFrame, expected: pd.DataFrame) -> str:
    """Say how many are left at the end of the projection and how renewals to come grow.

    Parameters
    ----------
    model : RenewalModel
        As `fit_renewals` returns it.
    projection : pandas.DataFrame
        As `project_renewals` returns it.
    expected : pandas.DataFrame
        As `expect_renewals` returns it.

    Returns
    -------
    str
        Two or three sentences.
    """
    last = projection[projection["source"] == "model"].iloc[-1]
    first, later = expected.iloc[0], expected.iloc[-1]
    verb = "are projected to be" if last["is_projected"] else "are, by the model,"
    told = (
        f"{last['retained_share']:.0%} ({last['conf_low']:.0%}–{last['conf_high']:.0%}) of new "
        f"customers {verb} still there after {last['term']} renewals. A new customer has "
        f"{first['expected_renewals']:.1f} discounted renewals to come ({first['conf_low']:.1f} to "
        f"{first['conf_high']:.1f}), one who has made {later['term']:.0f} has "
        f"{later['expected_renewals']:.1f} ({later['conf_low']:.1f} to {later['conf_high']:.1f})."
    )
    if model.misfit_p_value < 0.05:
        told += " The model does not fit the shares observed well: read the projection with care."
    return told
