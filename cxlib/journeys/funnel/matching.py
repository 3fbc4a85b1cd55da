"""Which journeys hold the stages of a funnel in order: the match that all its views count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlib.errors import InputError, closest
from cxlib.frames import read_duration
from cxlib.journeys.log import JourneyLog, find_contacts

if TYPE_CHECKING:
    import ibis.expr.types as ir

AGAIN = ("first", "best")
_NO_STEP, _NO_TIME = (1 << 31) - 1, (1 << 63) - 1  # the limits of a journey without limits


def match_stages(
    log: JourneyLog,
    stages: Sequence[str],
    *,
    within: str | pd.Timedelta | None = None,
    without: Sequence[str] = (),
    again: str = "first",
) -> ir.Table:
    """Find how far every journey comes through stages in order, and when.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    stages : sequence of str
        All touchpoints or all lifecycle stages, first to last; a name may come twice.
    within : str or pandas.Timedelta or None, default None
        Conversion window: a stage counts when it is reached at most this long after the first.
    without : sequence of str, default ()
        Touchpoints, or lifecycle stages, that stop a journey: what follows one of them after the
        first stage does not count.
    again : str, default "first"
        Which arrival at the first stage counts: the ``first``, or the ``best``, the one from which
        the journey comes furthest (of equals the latest).

    Returns
    -------
    ibis Table, one row per journey at the first stage
        `customer`, `journey`, `n_reached` (stages), `last_step` (the step at the last of them),
        `at_0`, `at_1`, ... (microseconds, empty where not reached), `ended_at`, `is_open`,
        `may_go_on` (open, and neither stopped nor out of the window), `is_skipped` (leaves the next
        stage out, but holds a later one afterwards), and `group` where the journeys have it;
        stored.

    Raises
    ------
    InputError
        When no stage is given, a name is unknown, a stage also stops journeys, or `within` or
        `again` cannot be read.

    Notes
    -----
    The match is greedy: the first step at stage 1, then the first later step at stage 2, and so
    on; other steps may lie between. From a given arrival no other match comes further or sooner.
    One step serves one stage, and steps at the same instant follow the order of the log.

    The best arrival needs no trial of all: of the chains that end at a step, the one that begins
    last is the shortest and passes the fewest contacts, so only its beginning is carried along.
    With ``best`` an open journey may always go on, since it may arrive again.
    """
    contacts = find_stages(log, stages)
    window = None if within is None else read_duration(within, name="within")
    barred = _find_barred(log, without, contacts)
    if again not in AGAIN:
        raise InputError(
            f"again = '{again}' is unknown.", "parameter 'again'", closest(again, AGAIN)
        )
    begun = _arrive_first(log, contacts[0])
    if again == "best":  # most journeys have no choice
        begun = begun.cache()
        several = log.steps.semi_join(begun.filter(begun["n_arrivals"] > 1), "journey")
        best = _arrive_best(several, contacts, window, barred)
        only = begun.filter(begun["n_arrivals"] == 1).select("journey", "step", "at")
        begun = only.union(best)
    arrivals = [_add_limits(log, begun, window, barred).cache()]
    for names in contacts[1:]:
        arrivals.append(_arrive_next(log, names, arrivals[-1]).cache())
    return _join_arrivals(log, contacts, arrivals, again)


def find_stages(log: JourneyLog, stages: Sequence[str]) -> list[list[int]]:
    """Find the contacts of every stage of a funnel.

    Parameters
    ----------
    log : JourneyLog
        From :func:`cxlib.journeys.add_journeys`.
    stages : sequence of str
        All touchpoints or all lifecycle stages.

    Returns
    -------
    list of list of int
        Codes of the contacts of each stage.

    Raises
    ------
    InputError
        When it is no list of names that occur.
    """
    if isinstance(stages, str) or not len(stages):
        raise InputError(
            f"The stages {stages!r} are no list of names.",
            "parameter 'stages'",
            'write a list such as ["cart", "purchase"]',
        )
    return find_contacts(log.contacts, stages, parameter="stages")


def _find_barred(log: JourneyLog, without: Sequence[str], contacts: list[list[int]]) -> list[int]:
    if isinstance(without, str):
        raise InputError(
            f"without = {without!r} is no list of names.",
            "parameter 'without'",
            'write a list such as ["complaint"]',
        )
    if not len(without):
        return []
    used = {contact for names in contacts for contact in names}
    found = find_contacts(log.contacts, without, parameter="without")
    for name, own in zip(without, found, strict=True):
        if used & set(own):
            raise InputError(
                f"'{name}' is a stage of the funnel and cannot stop journeys as well.",
                "parameters 'stages' and 'without'",
                "take it out of one of the two",
            )
    return [contact for own in found for contact in own]


def _arrive_first(log: JourneyLog, names: list[int]) -> ir.Table:
    from ibis import _

    # within a journey the first step is also the first in time
    at_first = log.steps.filter(_.contact.isin(names)).group_by("journey")
    step = _.step.min().cast("int64")
    return at_first.agg(step=step, at=_["at"].min(), n_arrivals=_.count())


def _arrive_best(
    steps: ir.Table, contacts: list[list[int]], window: pd.Timedelta | None, barred: list[int]
) -> ir.Table:
    """Carry the latest beginning of a chain along the steps, stage by stage."""
    import ibis
    from ibis import _

    none = ibis.null("int64")
    before = ibis.window(group_by="journey", order_by="step", preceding=(None, 1))
    used = sorted({contact for names in contacts for contact in names} | set(barred))
    steps = steps.filter(_.contact.isin(used)).select(
        "journey", "contact", "at", step=_.step.cast("int64")
    )
    is_first = _.contact.isin(contacts[0])
    bar = _.contact.isin(barred).ifelse(_.step, none) if barred else none
    steps = steps.mutate(
        step_0=is_first.ifelse(_.step, none), at_0=is_first.ifelse(_["at"], none), bar=bar
    )
    steps = steps.mutate(bar=_.bar.max().over(before).fill_null(0))
    for k, names in enumerate(contacts[1:], 1):
        steps = steps.mutate(
            begun=_[f"step_{k - 1}"].max().over(before),
            begun_at=_[f"at_{k - 1}"].max().over(before),
        )
        holds = _.contact.isin(names) & (_.begun > _.bar)
        if window is not None:
            holds &= _["at"] - _.begun_at <= window.value // 1000
        holds = holds.fill_null(False)
        steps = steps.mutate(
            **{f"step_{k}": holds.ifelse(_.begun, none), f"at_{k}": holds.ifelse(_.begun_at, none)}
        )
    steps_, ats = (
        [f"{name}_{k}" for k in reversed(range(len(contacts)))] for name in ("step", "at")
    )
    best = steps.group_by("journey").agg(**{name: _[name].max() for name in steps_ + ats})
    step, at = (ibis.coalesce(*[best[name] for name in names]) for names in (steps_, ats))
    return best.select("journey", step=step, at=at).filter(_.step.notnull())


def _add_limits(
    log: JourneyLog, arrivals: ir.Table, window: pd.Timedelta | None, barred: list[int]
) -> ir.Table:
    """Add the step (`stop`) and the moment (`deadline`) after which nothing counts."""
    import ibis
    from ibis import _

    deadline = ibis.literal(_NO_TIME) if window is None else _["at"] + window.value // 1000
    arrivals = arrivals.select("journey", "at", step=_.step.cast("int32"), deadline=deadline)
    if not barred:
        return arrivals.mutate(stop=ibis.literal(_NO_STEP, "int32"))
    stops = log.steps.filter(_.contact.isin(barred)).select("journey", stop="step")
    stops = stops.join(arrivals.select("journey", begun="step"), "journey")
    stops = stops.filter(_.stop > _.begun).group_by("journey").agg(stop=_.stop.min())
    both = arrivals.left_join(stops, "journey").drop("journey_right")
    return both.mutate(stop=_.stop.fill_null(_NO_STEP).cast("int32"))


def _arrive_next(log: JourneyLog, names: list[int], so_far: ir.Table) -> ir.Table:
    from ibis import _

    later = _follow(log, names, so_far.select("journey", "deadline", "stop", before="step"))
    return later.group_by("journey").agg(
        step=_.step.min(), at=_["at"].min(), deadline=_.deadline.max(), stop=_.stop.max()
    )


def _follow(log: JourneyLog, names: list[int], so_far: ir.Table) -> Any:
    """List the steps at some contacts that come later, within the limits."""
    from ibis import _

    steps = log.steps.filter(_.contact.isin(names)).select("journey", "contact", "step", "at")
    steps = steps.join(so_far, "journey")
    return steps.filter((_.step > _.before) & (_.step < _.stop) & (_["at"] <= _.deadline))


def _join_arrivals(
    log: JourneyLog, contacts: list[list[int]], arrivals: list[ir.Table], again: str
) -> ir.Table:
    import ibis
    from ibis import _

    extra = ["group"] if "group" in log.journeys.columns else []
    journeys = log.journeys.select("journey", "customer", "ended_at", "is_open", *extra)
    reached = arrivals[0].rename(at_0="at", step_0="step").join(journeys, "journey")
    for k, arrival in enumerate(arrivals[1:], 1):
        one = arrival.select("journey", **{f"step_{k}": "step", f"at_{k}": "at"})
        reached = reached.left_join(one, "journey").drop("journey_right")
    steps = [reached[f"step_{k}"] for k in range(len(contacts))]
    may_go_on = _.is_open
    if again == "first":
        end = log.end.value // 1000
        may_go_on &= (_.stop == _NO_STEP) & (_.deadline >= end)
    reached = reached.mutate(
        n_reached=sum(step.notnull().ifelse(1, 0) for step in steps).cast("int32"),
        last_step=ibis.coalesce(*reversed(steps)),
        may_go_on=may_go_on,
    ).cache()
    skipped = _find_skipped(log, contacts, reached).mutate(is_skipped=True)
    reached = reached.left_join(skipped, "journey").drop("journey_right")
    return reached.select(
        "customer",
        "journey",
        *extra,
        "n_reached",
        "last_step",
        *[f"at_{k}" for k in range(len(contacts))],
        "ended_at",
        "is_open",
        "may_go_on",
        is_skipped=_.is_skipped.fill_null(False),
    ).cache()


def _find_skipped(log: JourneyLog, contacts: list[list[int]], reached: ir.Table) -> ir.Table:
    """List the journeys that hold a stage beyond the next one after the step where they stopped."""
    import ibis
    from ibis import _

    is_later = ibis.literal(False)
    beyond: set[int] = set()
    for k in reversed(range(2, len(contacts))):
        beyond |= set(contacts[k])
        is_later |= (_.n_reached == k - 1) & _.contact.isin(sorted(beyond))
    stopped = reached.filter(_.n_reached < len(contacts) - 1)
    stopped = stopped.select("journey", "n_reached", "deadline", "stop", before="last_step")
    later = _follow(log, sorted(beyond), stopped) if beyond else stopped
    return later.filter(is_later).select("journey").distinct()
