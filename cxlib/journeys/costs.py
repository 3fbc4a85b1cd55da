"""What a contact costs."""

from __future__ import annotations

import pandas as pd

from cxlib.errors import InputError


def read_costs(touchpoints: pd.DataFrame) -> pd.Series:
    """Read what a contact at each touchpoint costs.

    Parameters
    ----------
    touchpoints : pandas.DataFrame
        `touchpoint` and `action_cost`, numbers or texts that are numbers.

    Returns
    -------
    pandas.Series of float, by touchpoint
        The costs; empty where not known.

    Raises
    ------
    InputError
        When a cost is no number.
    """
    costs = touchpoints.drop_duplicates("touchpoint").set_index("touchpoint")["action_cost"]
    numbers = pd.to_numeric(costs, errors="coerce")
    bad = costs[numbers.isna() & costs.notna()]
    if len(bad):
        raise InputError(
            f"The cost '{bad.iloc[0]}' is not a number.",
            f"table 'touchpoints', column 'action_cost', touchpoint '{bad.index[0]}'",
            "write a number, or leave it empty where the cost is not known",
        )
    return numbers.astype(float)
