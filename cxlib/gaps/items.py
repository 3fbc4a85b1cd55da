"""What is known of every item that was answered: scale, direction, wording, place."""

from __future__ import annotations

import pandas as pd

from cxlib.errors import InputError
from cxlib.gaps.groups import as_texts

_TEXTS = ("text", "dimension", "touchpoint", "metric", "expectation_type", "timing", "kind")
FACTS = ("scale_min", "scale_max", "higher_is_better", *_TEXTS)


def describe_items(asked: pd.DataFrame, items: pd.DataFrame | None) -> pd.DataFrame:
    """Look up every item that was answered, in each of its roles.

    Parameters
    ----------
    asked : pandas.DataFrame, one row per item and role
        Columns `item`, `role`.
    items : pandas.DataFrame or None, one row per item, or per item and role
        Column `item`; optional `role` and any of `FACTS`.

    Returns
    -------
    pandas.DataFrame
        The rows of `asked` with the columns of `FACTS`; None or NaN where not known, and
        `higher_is_better` True.

    Raises
    ------
    InputError
        When an item is described twice, or reversed without a scale.

    Notes
    -----
    A row with a role wins, fact by fact, over a row without.
    """
    facts = asked.reset_index(drop=True)
    if items is None:
        items = pd.DataFrame(columns=["item"])
    items = items.assign(role=as_texts(items, "role")).reindex(columns=["item", "role", *FACTS])
    for name in _TEXTS:
        items[name] = items[name].astype(object).mask(items[name].isna() | items[name].eq(""), None)
    twice = items[items.duplicated(["item", "role"])]
    if len(twice):
        item, role = twice.iloc[0][["item", "role"]]
        raise InputError(
            f"Item '{item}' is described twice{f' for the role {role}' if role else ''}.",
            "table 'items'",
            "keep one row per item, or one per item and role",
        )
    own = facts.merge(items, on=["item", "role"], how="left")
    common = facts.merge(items[items["role"].eq("")].drop(columns="role"), on="item", how="left")
    for name in FACTS:
        facts[name] = own[name].where(own[name].notna(), common[name])
    for name in ("scale_min", "scale_max"):
        facts[name] = facts[name].astype(float)
    is_straight = facts["higher_is_better"].astype("boolean").fillna(True)
    facts["higher_is_better"] = is_straight.astype(bool)
    lost = facts.loc[~facts["higher_is_better"] & facts["scale_min"].isna(), "item"]
    if len(lost):
        raise InputError(
            f"Item '{lost.iloc[0]}' is reversed but has no scale.",
            "table 'items'",
            "give scale_min and scale_max",
        )
    return facts
