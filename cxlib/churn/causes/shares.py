"""How much of all leaving is due to each cause, and what one minus Kaplan-Meier would have said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.churn.causes.cells import Cells, find_influence, follow_causes, split_cells
from cxlib.errors import InputError, TooLittleData
from cxlib.stats import Floats, normal_quantile

CUSTOMERS, VALUE = "customers", "monthly value"
ALL_CAUSES = "all"


def summarise_causes(
    lifetimes: pd.DataFrame, *, horizon_days: float, conf_level: float = 0.95
) -> pd.DataFrame:
    """Estimate what part of all leaving within a horizon is due to each cause.

    Parameters
    ----------
    lifetimes : pandas.DataFrame
        Lifetimes or counts of them with `cause`, as `name_causes` returns them; `monthly_value`
        for the part of the value that leaves.
    horizon_days : float
        Days since the start; beyond the follow-up it is cut to that.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per measure and cause: `measure` (``customers``, and ``monthly value`` where the
        lifetimes have one), `cause`, `horizon_days` (the one used), `n` (lifetimes), `n_churned`
        (for the cause by then), `incidence` (share of all customers, or of their value, that
        leaves for the cause by then), `share` (of all leaving), `conf_low`, `conf_high` (of the
        share). The shares of the causes add to 1.

    Raises
    ------
    InputError
        When the horizon is not positive, the table cannot be used or a value is negative.
    TooLittleData
        When nobody left within the horizon, or observation has a hole.

    Notes
    -----
    The share is F of the cause over the sum of F of all causes at the horizon (Aalen-Johansen).
    Its variance is the sum over lifetimes of the squared influence on the ratio; intervals on the
    logit scale. Where it is 0 or 1 the other end is the exact (Clopper-Pearson) one of the n who
    left. In value each lifetime counts its `monthly_value`, fixed at the start; lifetimes without
    one do not count there.

    References
    ----------
    .. [1] P. K. Andersen, O. Borgan, R. D. Gill, N. Keiding (1993). Statistical Models Based on
           Counting Processes, section IV.4.
    """
    if not horizon_days > 0:
        raise InputError(
            f"horizon_days = {horizon_days!r} is not positive.",
            "parameter 'horizon_days'",
            "give a number of days, for example 365",
        )
    tables = [_summarise(CUSTOMERS, split_cells(lifetimes)["all"], horizon_days, conf_level)]
    if "monthly_value" in lifetimes.columns:
        values = pd.to_numeric(lifetimes["monthly_value"], errors="coerce").astype(float)
        if (values < 0).any():
            raise InputError(
                f"{int((values < 0).sum()):,} lifetimes have a negative monthly_value.",
                "table 'lifetimes', column 'monthly_value'",
                "give what a customer pays a month",
            )
        worth = (values > 0).to_numpy()
        if lifetimes.loc[worth, "churned"].any():
            cells = split_cells(lifetimes[worth])["all"]
            cells = replace(cells, value=values[worth].to_numpy())
            tables.append(_summarise(VALUE, cells, horizon_days, conf_level))
    return pd.concat(tables, ignore_index=True)


def _summarise(measure: str, cells: Cells, horizon: float, conf_level: float) -> pd.DataFrame:
    curves = follow_causes(cells)
    if curves.survival[-1] > 0:
        horizon = min(horizon, float(curves.times[-1]))
    last = int(np.searchsorted(curves.times, horizon, side="right")) - 1
    incidence = curves.incidence[:, last]
    total = float(incidence.sum())
    if not total > 0:
        raise TooLittleData(f"Nobody left within the first {horizon:,.0f} days.")
    share = incidence / total
    parts = range(len(cells.names))
    influence = np.array([find_influence(cells, curves, k, horizon) for k in parts])
    influence = (influence - share[:, None] * influence.sum(axis=0)) / total
    error = np.sqrt(influence**2 @ (cells.n * cells.value**2))
    by_then = cells.duration <= horizon
    counts = [float(cells.n[by_then & (cells.cause == k)].sum()) for k in parts]
    n_churned = np.array(counts).astype(int)
    low, high = _logit_interval(share, error, int(n_churned.sum()), conf_level)
    return pd.DataFrame(
        {
            "measure": measure,
            "cause": cells.names,
            "horizon_days": float(horizon),
            "n": int(cells.n.sum()),
            "n_churned": n_churned,
            "incidence": incidence,
            "share": share,
            "conf_low": low,
            "conf_high": high,
        }
    )


def _logit_interval(
    share: Floats, error: Floats, n: int, conf_level: float
) -> tuple[Floats, Floats]:
    inside = (share > 0) & (share < 1)
    known = np.where(inside, share, 0.5)
    logit, reach = np.log(known / (1 - known)), error / (known * (1 - known))
    reach = normal_quantile(conf_level) * reach
    exact = float(stats.beta.ppf(0.5 - conf_level / 2, n, 1))
    low = np.where(inside, 1 / (1 + np.exp(reach - logit)), np.where(share > 0, exact, 0.0))
    high = np.where(inside, 1 / (1 + np.exp(-reach - logit)), np.where(share > 0, 1.0, 1 - exact))
    return low, high


def compare_one_minus_survival(lifetimes: pd.DataFrame, *, times: Sequence[float]) -> pd.DataFrame:
    """Show how far one minus Kaplan-Meier overstates the share that leaves for a cause.

    Parameters
    ----------
    lifetimes : pandas.DataFrame
        Lifetimes or counts of them with `cause`, as `name_causes` returns them.
    times : sequence of float
        Days since the start; those beyond the follow-up are left out.

    Returns
    -------
    pandas.DataFrame
        One row per day and cause, last ``all``, the sum of the causes: `time_days`, `cause`,
        `incidence`, `one_minus_survival` (other causes taken for censoring), `overstated` (the
        difference).

    Raises
    ------
    InputError
        When the table cannot be used.
    TooLittleData
        When nobody churned, or observation has a hole.

    Notes
    -----
    One minus Kaplan-Meier of a cause is never below its incidence: it lets customers who have left
    for another cause leave again. Summed over causes it can pass 1.
    """
    cells = split_cells(lifetimes)["all"]
    curves = follow_causes(cells)
    hazard = curves.ended / np.where(curves.at_risk > 0, curves.at_risk, 1.0)
    alone = 1 - np.cumprod(1 - hazard, axis=1)
    rows = []
    for time in sorted(times):
        if not 0 <= time <= curves.times[-1]:
            continue
        i = int(np.searchsorted(curves.times, time, side="right")) - 1
        shares = zip(cells.names, curves.incidence[:, i], alone[:, i], strict=True)
        rows += [(float(time), *row) for row in shares]
        rows.append((float(time), ALL_CAUSES, curves.incidence[:, i].sum(), alone[:, i].sum()))
    table = pd.DataFrame(rows, columns=["time_days", "cause", "incidence", "one_minus_survival"])
    return table.assign(overstated=table["one_minus_survival"] - table["incidence"])
