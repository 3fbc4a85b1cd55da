"""Experiences and leaving, in words."""

from __future__ import annotations

import re

import pandas as pd

from cxlib.churn.wording import find_clearest

_MEASURES = {"_repeat": ", twice or more", "_count": ", number", "_unanswered": " unanswered"}


def name_experience(term: str) -> str:
    """Write a covariate of `list_contacts` and its like in words.

    Parameters
    ----------
    term : str
        Name of the covariate.

    Returns
    -------
    str
        In words; other names without underscores.

    Examples
    --------
    >>> name_experience("phone_support_repeat_90d"), name_experience("billing_gap")
    ('phone support, twice or more, last 90 days', 'billing gap')
    """
    found = re.fullmatch(r"(.+?)(_repeat|_count|_unanswered)?(?:_(\d+)d|_(ever))", term)
    if not found:
        return term.replace("_", " ")
    name = found[1].replace("_", " ") + _MEASURES.get(found[2], "")
    return f"{name}, {f'last {found[3]} days' if found[3] else 'ever'}"


def describe_experiences(
    experiences: pd.DataFrame, *, lag: str = "", conf_level: float = 0.95
) -> str:
    """Say which experiences go with leaving, and what that does not say.

    Parameters
    ----------
    experiences : pandas.DataFrame
        The `table` or `joint` of `fit_experiences`.
    lag : str, default ""
        Lag of the contacts, such as ``"30d"``, to be named in the warning.
    conf_level : float, default 0.95
        A ratio counts as shown when its `q_value` is below 1 less this.

    Returns
    -------
    str
        Two or three sentences.
    """
    clear = find_clearest(experiences, conf_level=conf_level)
    told = [
        f"{row['experience']} × {row['hazard_ratio']:.3g} ({row['conf_low']:.3g}–"
        f"{row['conf_high']:.3g}; {row['n_customers']:,} customers, {row['n_churned']:,} left)"
        for _, row in clear.head(3).iterrows()
    ]
    tested = _count_families(experiences)
    if experiences["family"].nunique() > 1:
        tested += " (each kind a question of its own)"
    shown = (
        f"{len(clear)} of {tested} {'goes' if len(clear) == 1 else 'go'} with a higher or lower "
        f"risk of leaving while it counts, corrected for testing so many: {'; '.join(told)}"
        f"{'; ...' if len(clear) > 3 else ''}."
        if told
        else f"None of {tested} was shown to go with a higher or lower risk of leaving."
    )
    days = f"contacts of the last {lag.removesuffix('d')} days are not counted" if lag else ""
    caution = days or "look again with a lag before believing a contact"
    why = "This is who leaves, not why: who is about to leave gets in touch more"
    return f"{shown} {why} ({caution})."


def describe_drivers(
    hazard: pd.DataFrame | None, experiences: pd.DataFrame | None, *, conf_level: float = 0.95
) -> str:
    """Say in a few words what goes with leaving: first what is known at the start, then what comes.

    Parameters
    ----------
    hazard : pandas.DataFrame or None
        The `table` of `fit_hazard`.
    experiences : pandas.DataFrame or None
        The `table` of `fit_experiences`.
    conf_level : float, default 0.95
        A ratio counts as shown when its `q_value` is below 1 less this.

    Returns
    -------
    str
        A sentence for each that is there.
    """
    told = []
    for table, name, where in (
        (hazard, "term", "what is known at the start"),
        (experiences, "experience", "what customers meet with"),
    ):
        if table is None:
            continue
        clear = find_clearest(table, conf_level=conf_level).head(2)
        ratios = [
            f"{row[name]} (risk × {row['hazard_ratio']:.2f}, {row['conf_low']:.2f}–"
            f"{row['conf_high']:.2f})"
            for row in clear.to_dict("records")
        ]
        tested = _count_families(table) if name == "experience" else f"{len(table)} terms"
        goes = f"{' and '.join(ratios)} {'goes' if len(ratios) == 1 else 'go'} most surely"
        told.append(
            f"Of {where}, {goes if ratios else 'nothing is shown to go'} with leaving "
            f"({tested} tested)."
        )
    return " ".join(told) or "Nothing could be looked at that might go with leaving."


def _count_families(experiences: pd.DataFrame) -> str:
    """Say how many experiences were tested, family by family."""
    sizes = experiences.groupby("family").size()
    if len(sizes) == 1:
        n = len(experiences)
        return f"{n} experience{'s' if n != 1 else ''}"
    told = [f"{n} {family}{'s' if n != 1 else ''}" for family, n in sizes.items()]
    return " and ".join(told)
