"""Contacts from before a customer was known, joined by the aliases they came under."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from cxlib.errors import InputError, TooLittleData
from cxlib.frames import to_frame
from cxlib.journeys.log import DAY
from cxlib.journeys.shares import count_shares
from cxlib.stats import wilson_interval

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class AnonymousContacts:
    """What customers did before they were known.

    Parameters
    ----------
    total : pandas.DataFrame, one row
        `n_events`, `n_joined` (came under an alias), `n_anonymous` (before it was known), `n`
        (customers), `n_customers` (with anonymous contacts), `share`, `conf_low`, `conf_high`, and
        over these customers `median_days`, `q25_days`, `q75_days` from the first anonymous to the
        first known contact (customers with both).
    touchpoints : pandas.DataFrame, one row per touchpoint
        `touchpoint`, `n` (anonymous contacts), `n_customers`, `share` of them, `conf_low`,
        `conf_high`; the commonest first.
    """

    total: pd.DataFrame
    touchpoints: pd.DataFrame


def join_identities(events: ir.Table, identities: ir.Table) -> ir.Table:
    """Give contacts that came under an alias to the customer behind it.

    Parameters
    ----------
    events : ibis Table, one row per event
        Columns `customer_id` and `timestamp`.
    identities : ibis Table, one row per alias
        `alias_id`, `customer_id`, optionally `known_from`, when the two were joined. The customer
        may be an alias itself.

    Returns
    -------
    ibis Table, the same rows
        `customer_id` is the known customer's where it was an alias; `was_joined` tells which, and
        `was_anonymous` which of these came before `known_from` (all where it is empty).

    Raises
    ------
    InputError
        When a column is missing, an alias names two customers, or aliases name each other in a
        circle.

    Notes
    -----
    An alias of an alias is followed to the end; the customer is known from the last of the moments
    on the way. Each round doubles the steps followed.
    """
    import ibis
    from ibis import _

    links = _resolve(_check_identities(identities))
    links = links.select(_alias="alias_id", _customer="customer_id", _known_from="known_from")
    joined = events.left_join(links, events["customer_id"] == links["_alias"])
    is_joined = _["_alias"].notnull()
    is_before = _["_known_from"].isnull() | (_.timestamp < _["_known_from"])
    joined = joined.mutate(
        customer_id=ibis.coalesce(_["_customer"], _.customer_id),
        was_joined=is_joined,
        was_anonymous=is_joined & is_before,
    )
    return joined.drop("_alias", "_customer", "_known_from")


def measure_anonymous(events: ir.Table, *, conf_level: float = 0.95) -> AnonymousContacts:
    """Measure what happens before the first contact at which a customer is known.

    Parameters
    ----------
    events : ibis Table, one row per event
        From :func:`join_identities`, with `touchpoint`.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    AnonymousContacts
        Customers, touchpoints and days.

    Raises
    ------
    TooLittleData
        When no contact is anonymous.

    Notes
    -----
    Aliases never joined to a customer count as customers without anonymous contacts, so the share
    is a lower bound. Intervals are Wilson's, by customer.
    """
    import ibis
    from ibis import _

    at = _.timestamp.delta(ibis.timestamp("1970-01-01"), unit="microsecond")
    rows = events.select("customer_id", "touchpoint", "was_joined", "was_anonymous", at=at).cache()
    people = rows.group_by(customer=_.customer_id).agg(
        anonymous_at=_["at"].min(where=_.was_anonymous),
        known_at=_["at"].min(where=~_.was_anonymous),
    )
    counts = rows.agg(
        n_events=_.count(),
        n_joined=_.was_joined.ifelse(1, 0).sum(),
        n_anonymous=_.was_anonymous.ifelse(1, 0).sum(),
    ).to_pandas()
    if not int(counts["n_anonymous"].fillna(0).iloc[0]):
        raise TooLittleData("No contact came before its customer was known.")
    found = to_frame(people.filter(_.anonymous_at.notnull()), sort_by=["customer"])
    n, n_found = int(people.count().to_pandas()), len(found)
    low, high = wilson_interval([n_found / n], [n], conf_level=conf_level)
    days = (found["known_at"] - found["anonymous_at"]).dropna().astype(float) / DAY
    total = counts.assign(n=n, n_customers=n_found, share=n_found / n, conf_low=low, conf_high=high)
    for name, level in {"q25_days": 0.25, "median_days": 0.5, "q75_days": 0.75}.items():
        total[name] = days.quantile(level)
    kinds = rows.filter(_.was_anonymous).group_by("customer_id", "touchpoint").agg(n=_.count())
    shares = count_shares(
        kinds.rename(customer="customer_id").cache(), of="touchpoint", conf_level=conf_level
    )
    shares = shares.sort_values(["n", "touchpoint"], ascending=[False, True], ignore_index=True)
    return AnonymousContacts(total=total, touchpoints=shares)


def _check_identities(identities: ir.Table) -> ir.Table:
    """Keep one row per alias; an alias of two customers is refused."""
    import ibis
    from ibis import _

    missing = [name for name in ("alias_id", "customer_id") if name not in identities.columns]
    if missing:
        raise InputError(
            f"Column '{missing[0]}' is missing.",
            f"table 'identities', has {list(identities.columns)}",
            f"map '{missing[0]}'",
        )
    if "known_from" not in identities.columns:
        identities = identities.mutate(known_from=ibis.null("timestamp"))
    links = identities.filter(_.alias_id != _.customer_id).group_by("alias_id").agg(
        n=_.customer_id.nunique(), customer_id=_.customer_id.min(), known_from=_.known_from.min()
    )  # fmt: skip
    links = links.cache()
    double = links.filter(_.n > 1).select("alias_id")
    shown = sorted(double.limit(1000).to_pandas()["alias_id"])[:3]
    if shown:
        raise InputError(
            f"{int(double.count().to_pandas())} aliases name two customers or more.",
            f"table 'identities', column 'alias_id', such as {shown}",
            "keep one row per alias: the customer it belongs to",
        )
    return links.drop("n")


def _resolve(links: ir.Table) -> ir.Table:
    """Follow aliases of aliases; rounds enough for the longest chain there can be, and one more."""
    import ibis
    from ibis import _

    for _round in range(int(links.count().to_pandas()).bit_length() + 1):
        onward = links.select(_via="alias_id", _next="customer_id", _then="known_from")
        pairs = links.left_join(onward, links["customer_id"] == onward["_via"]).cache()
        chained = pairs.filter(_["_via"].notnull())
        if not int(chained.count().to_pandas()):
            return links
        is_unknown = _["_via"].notnull() & (_.known_from.isnull() | _["_then"].isnull())
        latest = (_["_then"] > _.known_from).ifelse(_["_then"], _.known_from)
        links = pairs.select(
            "alias_id",
            known_from=is_unknown.ifelse(ibis.null("timestamp"), latest),
            customer_id=ibis.coalesce(_["_next"], _.customer_id),
        ).cache()
    shown = sorted(chained.limit(1000).to_pandas()["alias_id"])[:3]
    raise InputError(
        "Aliases name each other in a circle.",
        f"table 'identities', column 'alias_id', such as {shown}",
        "let the last alias of the chain name the customer",
    )
