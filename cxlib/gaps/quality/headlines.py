"""Headlines with and without the flagged respondents."""

from __future__ import annotations

import numpy as np
import pandas as pd


def compare_headlines(every: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """Set every headline beside the same one without the flagged respondents.

    Parameters
    ----------
    every, kept : pandas.DataFrame, one row per headline
        Of all respondents, and of those not flagged. Columns `headline`, `n`, `estimate`,
        `conf_low`, `conf_high`; optional `item`, where several items have the same headline.

    Returns
    -------
    pandas.DataFrame
        One row per headline (and item) of both tables: `headline`, `item` if given, `n`,
        `estimate`, `conf_low`, `conf_high`, `n_without_flagged`, `without_flagged`, `change`, and
        `is_moved` (the sign changes, or the estimate without them lies outside the interval of
        all).

    Notes
    -----
    Both estimates rest on nearly the same answers: the interval is a yardstick for how much the
    change matters, not a test of it.
    """
    keys = [name for name in ("headline", "item") if name in every and name in kept]
    other = kept[[*keys, "n", "estimate"]].rename(
        columns={"n": "n_without_flagged", "estimate": "without_flagged"}
    )
    table = every[[*keys, "n", "estimate", "conf_low", "conf_high"]].merge(other, on=keys)
    table["change"] = table["without_flagged"] - table["estimate"]
    crosses = np.sign(table["estimate"]) * np.sign(table["without_flagged"]) < 0
    below = table["without_flagged"] < table["conf_low"]
    above = table["without_flagged"] > table["conf_high"]
    return table.assign(is_moved=crosses | below | above)
