"""Sentences on what the records show, from when to when, and what a threshold decides."""

from __future__ import annotations

import pandas as pd

from cxlib.churn.lifetimes import Lifetimes
from cxlib.churn.records.origins import Baseline
from cxlib.churn.wording import describe_time

POINT = 0.01  # a share that moves by less has not moved
_RULES = {"grace": "of grace", "inactivity": "of silence"}


def describe_observation(collected: Lifetimes) -> str:
    """Say from when to when the records tell who left, and what that rests on.

    Parameters
    ----------
    collected : Lifetimes
        As `collect_lifetimes` returns it.

    Returns
    -------
    str
        One sentence for each end that is cut; empty when leaving is known throughout.
    """
    told = []
    if collected.observed_from:
        since = f"Leaving is recorded from {collected.observed_from} on"
        late = collected.late_entry
        told.append(
            f"{since}: {_count(late.n_ended, 'customer')} left before, where the later pace lets "
            f"one expect {late.n_expected:,.0f}."
            if late
            else f"{since}."
        )
    if collected.observed_until:
        until = f"Who left is known for sure up to {collected.observed_until}"
        unsure = collected.ledger[collected.ledger["step"] == "censored: end not sure yet"]
        n = int(unsure["n"].sum())
        ends = f"; {_count(n, 'later end')} {'is' if n == 1 else 'are'} not counted yet"
        lag = collected.lag
        told.append(
            f"{until}{ends if n else ''}"
            + (
                f". Ends are recorded {lag.mean_days:.0f} days late on average "
                f"({lag.conf_low:.0f}–{lag.conf_high:.0f}): the last {lag.days} days show "
                f"{lag.n_ended:,} where {lag.n_expected:,.0f} are to be expected."
                if lag
                else ", since a short break may still be bridged."
            )
        )
    return " ".join(told)


def describe_sensitivity(sensitivity: pd.DataFrame) -> str:
    """Say whether the share still here depends on the threshold chosen.

    Parameters
    ----------
    sensitivity : pandas.DataFrame
        As `measure_sensitivity` returns it.

    Returns
    -------
    str
        Two sentences; empty when there is no other threshold to compare with.

    Notes
    -----
    The choice is said not to matter between two thresholds when the share at every one from the
    first to the second is less than a point from that of the one chosen. The customers are the
    same at all of them, so the intervals do not tell.
    """
    known = sensitivity.dropna(subset=["survival"]).reset_index(drop=True)
    if len(known) < 2:
        return ""
    here = int(known["is_chosen"].to_numpy().argmax())
    chosen, share = known.iloc[here], known["survival"]
    near = (share - chosen["survival"]).abs() < POINT
    far = known.index[~near]
    first = max((i for i in far if i < here), default=-1) + 1
    last = min((i for i in far if i > here), default=len(known)) - 1
    rule, when = _RULES[chosen["rule"]], describe_time(chosen["time_days"])
    days = known["threshold_days"]
    told = (
        f"At the {chosen['threshold_days']:.0f} days {rule} chosen, {chosen['survival']:.0%} "
        f"({chosen['survival_low']:.0%}–{chosen['survival_high']:.0%}) are still here after {when}."
    )
    same = share.iloc[first : last + 1]
    moved = 100 * (same.max() - same.min())
    others = [f"{share[i]:.0%} at {days[i]:.0f} days" for i in (first - 1, last + 1) if i in far]
    if last == first:
        return f"{told} The choice matters ({' and '.join(others)}): name it with the result."
    told += (
        f" Between {days[first]:.0f} and {days[last]:.0f} days the share moves by {moved:.1f} "
        "points: the choice does not matter"
    )
    return f"{told} there, but beyond it does ({' and '.join(others)})." if others else f"{told}."


def describe_inactivity(candidates: pd.DataFrame, *, return_share: float = 0.1) -> str:
    """Say which silence means leaving, and how the one chosen compares.

    Parameters
    ----------
    candidates : pandas.DataFrame
        As `suggest_inactivity` returns it.
    return_share : float, default 0.1
        The share of returns that was allowed there.

    Returns
    -------
    str
        One or two sentences.
    """
    followed = int(candidates["followed_days"].iloc[0])
    suggested = candidates[candidates["is_suggested"]]
    if len(suggested):
        row = suggested.iloc[0]
        told = (
            f"From {row['threshold_days']} days of silence on, at most {return_share:.0%} of "
            f"silences end in a return within {followed} days."
        )
    else:
        told = (
            f"No silence of up to {followed // 2} days leaves at most {return_share:.0%} who come "
            f"back: the records, with silences followed for {followed} days, are too short to say "
            "who is gone for good."
        )
    for _, row in candidates[candidates["is_chosen"]].iterrows():
        told += (
            f" Of those silent for longer than the {row['threshold_days']} days chosen, "
            f"{row['return_share']:.0%} ({row['conf_low']:.0%}–{row['conf_high']:.0%}) came back."
        )
    return told


def describe_steps(ledger: pd.DataFrame) -> str:
    """Say how many rows became how many lifetimes.

    Parameters
    ----------
    ledger : pandas.DataFrame
        The `ledger` of `Lifetimes`.

    Returns
    -------
    str
        One sentence.
    """
    kind = ledger["step"].str.partition(":")[0]
    n = ledger.groupby(kind)["n"].sum()
    parts = {"refused": "refused", "merged": "joined to others", "left out": "left out as stays"}
    told = [f"{n[name]:,} {words}" for name, words in parts.items() if name in n]
    gone = f" ({', '.join(told)})" if told else ""
    return (
        f"{n['rows in']:,} rows gave {n['lifetimes']:,} lifetimes{gone}; {n.get('churned', 0):,} "
        f"ended, {n.get('censored', 0):,} are censored."
    )


def describe_doubts(baseline: Baseline) -> str:
    """Say which groups look as if one had to stay to get into them.

    Parameters
    ----------
    baseline : Baseline
        As `select_baseline` returns it.

    Returns
    -------
    str
        Two sentences; empty when there is no doubt.
    """
    if not baseline.doubts:
        return ""
    told = [
        f"of '{found.by}' = '{found.level}', {found.n_ended:,} where {found.n_expected:,.0f} were "
        "to be expected"
        for found in baseline.doubts[:3]
    ]
    more = len(baseline.doubts) - len(told)
    if more:
        told.append(f"and likewise of {more} more column{'s' if more > 1 else ''}")
    names = ", ".join(f"'{found.by}'" for found in baseline.doubts)
    return (
        f"Far fewer left at first than the later pace of the group lets expect: {'; '.join(told)}. "
        "Either one had to stay to get into the group (immortal time), and then it looks more "
        "loyal than it is; or it was known on the first day, like a minimum term: then name "
        f"{names} in 'trusted'."
    )


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'s' if n != 1 else ''}" if n else f"no {noun}"
