"""Gap, perception, expectation and both as predictors of one outcome, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.gaps.prediction.least_squares import (
    Fit,
    explained_share,
    fit_products,
    solve,
    unseen_share,
    wald_test,
)
from cxlib.gaps.prediction.products import (
    BOTH,
    EXPECTATION,
    GAP,
    INTERCEPT,
    PERCEPTION,
    SURFACE,
)
from cxlib.gaps.prediction.verdicts import EQUAL, FLAT, LINK, NOTHING
from cxlib.stats import Floats

MODELS = {
    "gap alone": (INTERCEPT, GAP),
    "perception alone": (INTERCEPT, PERCEPTION),
    "expectation alone": (INTERCEPT, EXPECTATION),
    "both, own weights": BOTH,
    "curved surface": SURFACE,
}
PER_COEFFICIENT = 10  # respondents, so that a model is fitted at all
FEWEST = PER_COEFFICIENT * len(BOTH)
_BEST = "both, own weights"
_LINKS = {"perception": PERCEPTION, "gap": GAP, "expectation": EXPECTATION}
FLAT_CONTRASTS = np.eye(6)[3:]
_TESTS = {
    # of the coefficients of intercept, expectation, perception, and the three quadratic terms
    LINK: (BOTH, [[0, 1, 0], [0, 0, 1]]),
    EQUAL: (BOTH, [[0, 1, 1]]),
    NOTHING: (BOTH, [[0, 1, 0]]),
    FLAT: (SURFACE, FLAT_CONTRASTS.tolist()),
}


def can_compare(products: Floats, n: int) -> bool:
    """Tell whether there are enough respondents to compare models, and differences to explain.

    Parameters
    ----------
    products : ndarray, blocks x 8 x 8
        From `cross_products`.
    n : int
        Number of respondents.

    Returns
    -------
    bool
        At least 10 respondents and two blocks a coefficient, and outcome, both ratings and the gap
        differ between respondents.
    """
    if not _allows(products, n, BOTH):
        return False
    total = products.sum(axis=0)
    squares = np.diagonal(total)[[EXPECTATION, PERCEPTION, GAP, -1]]
    means = total[0, [EXPECTATION, PERCEPTION, GAP, -1]] / total[0, 0]
    spread = squares / total[0, 0] - means**2
    return bool((spread > 1e-9 * np.maximum(1, squares / total[0, 0])).all())


def compare_models(
    products: Floats, n: int, counts: Floats, *, conf_level: float, random_state: int
) -> tuple[dict[str, Floats], dict[str, pd.DataFrame]]:
    """Fit and compare all models of an outcome.

    Parameters
    ----------
    products : ndarray, blocks x 8 x 8
        From `cross_products`.
    n : int
        Number of respondents.
    counts : ndarray, draws x blocks
        From `cxlib.gaps.resample.draw_counts`.
    conf_level : float
        Confidence level.
    random_state : int
        Seed of the parts left out in turn.

    Returns
    -------
    draws : dict of str to ndarray
        By model, bootstrap draws of the part lost of what both ratings explain.
    tables : dict of str to pandas.DataFrame
        `links`, `models`, `weights` and `tests` of `GapModels`, without level and name.
    """
    total = products.sum(axis=0)
    sampled = (counts @ products.reshape(len(products), -1)).reshape(-1, *total.shape)
    fitted = {name: inside for name, inside in MODELS.items() if _allows(products, n, inside)}
    draws = {name: explained_share(sampled, inside) for name, inside in fitted.items()}
    shares = {name: float(explained_share(total, inside)) for name, inside in fitted.items()}
    losses = {
        name: _unbias(draws[_BEST] - draws[name], shares[_BEST] - shares[name]) for name in fitted
    }
    ends = [50 * (1 - conf_level), 50 * (1 + conf_level)]
    rows = []
    for name, inside in fitted.items():
        low, high = np.clip(np.nanpercentile(_unbias(draws[name], shares[name]), ends), 0, 1)
        rows.append(
            {
                "model": name,
                "r2": shares[name],
                "conf_low": low,
                "conf_high": high,
                "r2_unseen": unseen_share(products, inside, random_state=random_state),
                "r2_lost": shares[_BEST] - shares[name],
                "lost_low": float(np.nanpercentile(losses[name], ends[0])),
                "lost_high": float(np.nanpercentile(losses[name], ends[1])),
            }
        )
    weights = fit_products(products, BOTH, n)
    tables = {
        "links": _correlate(products, n, conf_level),
        "models": pd.DataFrame(rows),
        "weights": summarise_terms(weights, ["intercept", "expectation", "perception"], conf_level),
        "tests": _test(products, n),
    }
    explained = np.maximum(_unbias(draws[_BEST], shares[_BEST]), np.finfo(float).tiny)
    return {name: losses[name] / explained for name in fitted}, tables


def _allows(products: Floats, n: int, inside: tuple[int, ...]) -> bool:
    n_blocks = int((products[:, 0, 0] > 0).sum())
    return n >= PER_COEFFICIENT * len(inside) and n_blocks >= 2 * len(inside)


def _unbias(draws: Floats, estimate: float) -> Floats:
    """Move draws to where their centre would be without bias.

    The estimate is as much too high above the truth as the draws are above the estimate.
    """
    return draws - 2 * (np.nanmean(draws) - estimate)


def _test(products: Floats, n: int) -> pd.DataFrame:
    rows = []
    for name, (inside, contrasts) in _TESTS.items():
        fit = fit_products(products, inside, n)
        statistic, p_value = wald_test(fit, np.array(contrasts, dtype=float))
        if not _allows(products, n, inside):
            statistic = p_value = np.nan
        rows.append((name, statistic, len(contrasts), fit.degrees, p_value))
    names = ["test", "statistic", "degrees_1", "degrees_2", "p_value"]
    return pd.DataFrame(rows, columns=names)


def summarise_terms(fit: Fit, terms: Sequence[str], conf_level: float) -> pd.DataFrame:
    """List the coefficients of a model.

    Parameters
    ----------
    fit : Fit
        A model.
    terms : sequence of str
        Names of its coefficients.
    conf_level : float
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per term. Columns `term`, `estimate`, `std_error`, `conf_low`, `conf_high`,
        `p_value`.
    """
    std_error = np.sqrt(np.diagonal(fit.covariance))
    half = stats.t.ppf(0.5 + conf_level / 2, fit.degrees) * std_error
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = 2 * stats.t.sf(np.abs(fit.coefficients / std_error), fit.degrees)
    return pd.DataFrame(
        {
            "term": list(terms),
            "estimate": fit.coefficients,
            "std_error": std_error,
            "conf_low": fit.coefficients - half,
            "conf_high": fit.coefficients + half,
            "p_value": p_value,
        }
    )


def _correlate(products: Floats, n: int, conf_level: float) -> pd.DataFrame:
    """Correlate the outcome with each rating; errors by leaving blocks out, on Fisher's scale."""
    total = products.sum(axis=0)
    filled = products[products[:, 0, 0] > 0]
    degrees = min(n - 2, len(filled) - 1)
    rows = []
    for rating, column in _LINKS.items():
        inside = (INTERCEPT, column)
        sign = np.sign(solve(total, inside)[1])
        r = float(sign * np.sqrt(max(float(explained_share(total, inside)), 0.0)))
        rest = total - filled
        signs = np.sign(solve(rest, inside)[:, 1])
        without = signs * np.sqrt(np.clip(explained_share(rest, inside), 0, 1))
        if abs(r) > 1 - 1e-9 or len(filled) < 4:  # a perfect line: Fisher's scale has no end
            rows.append((rating, r, np.nan, np.nan, np.nan))
            continue
        moved = np.arctanh(np.clip(without, -1 + 1e-12, 1 - 1e-12)) - np.arctanh(r)
        std_error = float(np.sqrt((moved**2).sum()))
        half = stats.t.ppf(0.5 + conf_level / 2, degrees) * std_error
        ends = np.tanh(np.arctanh(r) + np.array([-half, half]))
        p_value = 2 * float(stats.t.sf(abs(np.arctanh(r)) / std_error, degrees))
        rows.append((rating, r, float(ends[0]), float(ends[1]), p_value))
    names = ["rating", "correlation", "conf_low", "conf_high", "p_value"]
    return pd.DataFrame(rows, columns=names)
