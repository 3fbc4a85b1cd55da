"""Why customers will leave: the sums over all of them, cause by cause."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.churn.risk.forecast import list_totals
from cxlib.churn.risk.hazards import (
    Hazard,
    People,
    count_leaving,
    lay_out_days,
    sum_later,
    walk_days,
)
from cxlib.stats import Floats

MOST_CUSTOMERS = 20_000  # looked at one by one for the share of each cause


def forecast_totals(hazards: list[Hazard], people: People, worth: Floats) -> pd.DataFrame:
    """Forecast sums over all customers, by cause.

    Parameters
    ----------
    hazards : list of Hazard
        One a cause; together they make up the hazard of leaving.
    people : People
        The customers.
    worth : ndarray of float, shape (n,)
        Worth of a day of each customer.

    Returns
    -------
    pandas.DataFrame
        One row per quantity and cause: `quantity` (``customers`` who leave within the horizon;
        ``value``: worth of the days lost within it), `cause` (number), `estimate`, `std_error` (of
        the expectation: the model), `chance_error` (of what happens when the model is right).

    Notes
    -----
    A customer leaves for cause c on day u with the probability S(u-) - S(u), shared in the ratio
    of the causes' hazards on the day. The sums of all customers rest on the same increments and
    coefficients, so their errors are added up by increment and coefficient before they are
    squared; errors of the causes are independent of each other. Given the model, customers leave
    independently. Of more than 20,000 customers that many, evenly spread over the ages, stand for
    all.
    """
    known = (people.horizon > 0) & ~np.isnan(np.sum([h.ratio for h in hazards], axis=0))
    rows = np.flatnonzero(known)
    if len(rows) > MOST_CUSTOMERS:
        rows = rows[np.lexsort([people.age[rows], people.stratum[rows]])]
        rows = rows[np.arange(MOST_CUSTOMERS) * len(rows) // MOST_CUSTOMERS]
    scale = known.sum() / len(rows)
    some = People(people.stratum[rows], people.age[rows], people.horizon[rows])
    laid, n_causes = lay_out_days(hazards, some), len(hazards)
    totals, chance = np.zeros((2, n_causes)), np.zeros((2, n_causes))
    slopes = {s: np.zeros((2, n_causes, n_causes, len(d.times))) for s, d in laid.items()}
    pulls = [np.zeros((2, n_causes, hazard.apart.shape[1])) for hazard in hazards]
    for part in walk_days(laid, some):
        who = rows[part.rows]
        steps = laid[part.stratum].hazards[:, part.slots]
        ratios = [hazard.ratio[who] for hazard in hazards]
        rates = [r[:, None] * step * part.ahead for r, step in zip(ratios, steps, strict=True)]
        rate = np.sum(rates, axis=0)
        stay = np.exp(-np.cumsum(rate, axis=1))
        # a day that is not faced has neither a rate nor anybody who leaves
        leave = count_leaving(stay) / np.where(rate > 0, rate, 1.0)
        for f, gain in enumerate((part.ahead.astype(float), part.left)):
            weight = worth[who] if f else np.ones(len(who))
            for c in range(n_causes):
                amount = leave * rates[c] * gain
                mean = amount.sum(axis=1)
                totals[f, c] += weight @ mean
                chance[f, c] += weight**2 @ ((amount * gain).sum(axis=1) - mean**2)
                later = sum_later(amount) * part.ahead
                for d, hazard in enumerate(hazards):
                    slope = stay * gain - later if c == d else -later
                    factor = weight * ratios[d]
                    slopes[part.stratum][f, c, d, part.slots] += factor @ slope
                    pulls[d][f, c] += (factor * (slope @ steps[d])) @ hazard.apart[who]
    variance = np.zeros((2, n_causes))
    for d, hazard in enumerate(hazards):
        for stratum, days in laid.items():
            variance += slopes[stratum][:, :, d] ** 2 @ days.variances[d]
            pulls[d] -= slopes[stratum][:, :, d] @ days.means[d]
        variance += np.einsum("fcj,jk,fck->fc", pulls[d], hazard.covariance, pulls[d])
    return list_totals(totals * scale, variance * scale**2, chance * scale)
