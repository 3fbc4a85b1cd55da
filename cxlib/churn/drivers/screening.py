"""Which experiences go with leaving: one model each, and one of all together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxlib.churn.drivers.wording import name_experience
from cxlib.churn.hazard.design import read_covariate
from cxlib.churn.hazard.hazard import fit_hazard
from cxlib.churn.records.changes import list_contacts, list_scores
from cxlib.churn.records.experiences import split_lifetimes
from cxlib.errors import InputError, TooLittleData
from cxlib.stats import adjust_p_values

if TYPE_CHECKING:
    import ibis.expr.types as ir

SAME_SURVEY = 0.95  # correlation of being known
_ESTIMATES = ["estimate", "std_error", "hazard_ratio", "conf_low", "conf_high", "p_value"]


@dataclass(frozen=True)
class Experiences:
    """Hazard ratios of what customers met with on the way.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per experience (and level of a state), in a model with the covariates alone, the
        smallest p-value first:
        `experience` (in words), `family`, `term`, `n_customers` (had it while under observation),
        `n_churned` (left while it counted), `estimate`, `std_error`, `hazard_ratio`, `conf_low`,
        `conf_high`, `p_value`, `q_value`.
    joint : pandas.DataFrame
        The same columns from one model of all experiences and covariates; empty when it could not
        be fitted.
    left_out : pandas.DataFrame
        One row per experience without a ratio: `experience`, `why`; ``all together`` stands for
        the joint model.
    """

    table: pd.DataFrame
    joint: pd.DataFrame
    left_out: pd.DataFrame


def fit_experiences(
    lifetimes: pd.DataFrame,
    changes: pd.DataFrame,
    *,
    covariates: Sequence[str] = (),
    known_from: dt.date | str = "",
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> Experiences:
    """Estimate which experiences go with a higher or lower risk of leaving while they count.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        As `split_lifetimes` takes them, with the covariates.
    changes : pandas.DataFrame, one row per change
        As `list_contacts`, `list_unanswered`, `list_scores` and `list_states` return them; each
        covariate in it is an experience. With a column `family` each family of experiences is a
        question of its own.
    covariates : sequence of str, default ()
        Columns of `lifetimes` known at the start, for which all models are adjusted.
    known_from : datetime.date or str, default ""
        First day on which all experiences are known: where contacts are recorded from some day
        on, the window (and lag) later.
    min_cell : int, default 10
        Customers that must have had an experience, and not have had it.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    Experiences
        Ratios one by one and all together; q-values correct for all terms of a family.

    Raises
    ------
    InputError
        When a covariate is an experience too, or as `split_lifetimes`.
    TooLittleData
        When nobody churned, or no experience can be judged.

    Notes
    -----
    Cox models on the rows of `split_lifetimes` (values known from the next day on), with standard
    errors clustered by customer. A number that is missing until it is known, such as a survey
    score, takes its mean until then, and whether it is known makes strata with baselines of their
    own: customers who never answered tell nothing about the score, but stay in the model for the
    covariates. A mere term for being known would pull strong ratios to 1, because who has not
    answered yet differs more and more with age from who has.

    These are associations. Who is about to leave gets in touch more; a lag takes the last days
    before out. A score measured with error shows less than there is: the ratio is pulled to 1.

    References
    ----------
    .. [1] J. D. Kalbfleisch, R. L. Prentice (2002). The Statistical Analysis of Failure Time Data,
           2nd ed., chapter 6.
    .. [2] R. L. Prentice (1982). Covariate measurement errors and parameter estimation in a
           failure time regression model. Biometrika 69, 331-342.
    """
    names = [str(name) for name in dict.fromkeys(changes["covariate"])]
    both = sorted(set(names) & set(covariates))
    if both:
        raise InputError(
            f"'{both[0]}' is an experience and a covariate.", "parameter 'covariates'", "drop one"
        )
    # read once, not once a model
    known = {name: read_covariate(lifetimes, name) for name in covariates}
    needed = ["customer_id", "spell", "started_at", "entry_days", "duration_days", "churned"]
    lifetimes = lifetimes[[name for name in needed if name in lifetimes]].assign(**known)
    kept, tables, left_out = [], [], []
    for name in names:
        mine = changes[changes["covariate"] == name]
        rows = split_lifetimes(lifetimes, mine, known_from=known_from)
        try:
            n_customers, n_churned = _count(rows, name, mine, min_cell)
            terms = _fit(rows, [name], covariates, min_cell, conf_level)
        except TooLittleData as error:
            left_out.append((name_experience(name), str(error)))
            continue
        kept.append(name)
        tables.append(terms.assign(n_customers=n_customers, n_churned=n_churned))
    if not tables:
        raise TooLittleData(f"None of {len(names)} experiences can be judged: {left_out[0][1]}")
    table = pd.concat(tables, ignore_index=True)
    joint = table.iloc[:0]
    if len(kept) > 1:
        rows = split_lifetimes(
            lifetimes, changes[changes["covariate"].isin(kept)], known_from=known_from
        )
        try:
            joint = _fit(rows, kept, covariates, min_cell, conf_level).merge(
                table[["term", "n_customers", "n_churned"]], on="term"
            )
        except TooLittleData as error:
            left_out.append(("all together", str(error)))
    families = dict.fromkeys(names, "")
    if "family" in changes.columns:
        families |= changes.drop_duplicates("covariate").set_index("covariate")["family"].to_dict()
    table, joint = (_finish(terms, families) for terms in (table, joint))
    return Experiences(table, joint, pd.DataFrame(left_out, columns=["experience", "why"]))


def list_experiences(
    events: ir.Table | None,
    *,
    answers: pd.DataFrame | None = None,
    items: pd.DataFrame | None = None,
    touchpoints: Sequence[str] = (),
    window: str = "90d",
    lag: str = "0d",
) -> tuple[pd.DataFrame, str]:
    """List what customers met with: their contacts, and the gaps they told of in surveys.

    Parameters
    ----------
    events : ibis Table or None
        As `list_contacts` takes it.
    answers, items : pandas.DataFrame, optional
        As `list_scores` takes them; answers without an item's touchpoint or scale, or without a
        customer, tell nothing here.
    touchpoints : sequence of str, default ()
        Touchpoints to follow; all by default.
    window, lag : str
        As `list_contacts` takes them.

    Returns
    -------
    tuple of pandas.DataFrame and str
        Changes for `fit_experiences`, with `family` ``contact`` or ``survey gap``; and the first
        day on which all of them are known, empty without contacts.

    Raises
    ------
    InputError
        When a touchpoint or a duration cannot be read.
    TooLittleData
        When there is neither a contact nor a gap.
    """
    parts, since = [], ""
    if events is not None:
        contacts = list_contacts(events, touchpoints=touchpoints, window=window, lag=lag)
        parts.append(contacts.assign(family="contact"))
        first = pd.Timestamp(events.timestamp.min().to_pandas())
        known = first + pd.Timedelta(window) + pd.Timedelta(lag)
        since = str(known.date())
    if answers is not None and items is not None:
        with suppress(InputError):  # surveys need not ask by touchpoint, nor name their customers
            parts.append(list_scores(answers, items=items).assign(family="survey gap"))
    if not parts:
        raise TooLittleData("There are neither contacts nor survey gaps of known customers.")
    return pd.concat(parts, ignore_index=True), since


def _count(rows: pd.DataFrame, name: str, changes: pd.DataFrame, min_cell: int) -> tuple[int, int]:
    """Count who had an experience while at risk, and who left while it counted."""
    before = changes["before"].iloc[0] if "before" in changes.columns else np.nan
    has = rows[name].notna() & (rows[name] != before)
    n = rows.loc[has, "customer_id"].nunique()
    n_without = rows.loc[~has, "customer_id"].nunique()
    least = max(min_cell, 1)
    if n < least or (n_without < least and before == before):
        who = "had" if n < least else "were seen without"
        raise TooLittleData(f"Fewer than {least} customers {who} it.")
    return n, int(rows.loc[has, "churned"].sum())


def _fit(
    rows: pd.DataFrame,
    names: list[str],
    covariates: Sequence[str],
    min_cell: int,
    conf_level: float,
) -> pd.DataFrame:
    """Fit one model and keep the terms of the experiences."""
    rows, known = rows.copy(deep=False), pd.DataFrame(index=rows.index)
    for name in names:
        is_known = rows[name].notna()
        if is_known.all() or not pd.api.types.is_numeric_dtype(rows[name]):
            continue
        rows[name] = rows[name].fillna(rows[name].mean())
        # scores of one survey are known together, but for an item left out here and there
        if not (known.corrwith(is_known.astype(float)) > SAME_SURVEY).any():
            known[f"{name} known"] = is_known.astype(float)
    model = fit_hazard(
        pd.concat([rows, known], axis=1),
        covariates=[*covariates, *names],
        strata=list(known),
        min_cell=min_cell,
        conf_level=conf_level,
    )
    mine = [
        term
        for term in model.table["term"]
        if any(term == name or term.startswith(f"{name}[") for name in names)
    ]
    if not mine:
        raise TooLittleData("It says nothing that the covariates do not say.")
    return model.table.set_index("term").loc[mine, _ESTIMATES].reset_index()


def _finish(table: pd.DataFrame, families: dict[str, str]) -> pd.DataFrame:
    """Name the terms in words and correct for their number, family by family."""
    family = [families.get(term, families.get(term.rpartition("[")[0])) for term in table["term"]]
    table = table.assign(experience=table["term"].map(name_experience), family=family)
    table["q_value"] = table.groupby("family")["p_value"].transform(adjust_p_values)
    table = table.sort_values(["p_value", "term"], ignore_index=True)
    return table[
        ["experience", "family", "term", "n_customers", "n_churned", *_ESTIMATES, "q_value"]
    ]
