"""What was planted in the sample company, as numbers that a study should find again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from _comments import FOREIGN, NAMES, NO_THEME, PERSONAL, comment_chance, mention_chances
from _exports import HOSTILE, Bad
from _journeys import CHANGE_DATE, UNANSWERED_SHARE, next_shares
from _people import (
    GAP_MEANS,
    HAZARD_RATIO_BILLING,
    HAZARD_RATIO_PHONE_ESCALATION,
    HAZARD_RATIO_SHARED_HOUSEHOLD,
    KINDS,
    LAST_DAY,
    true_cumulative_incidence,
    true_survival,
)
from _ratings import FAST_SECONDS, FEATURES, KANO, STATED, TOLERANCE, find_straight_liners
from _survey import EMPLOYEE_WAVE, ITEMS, OVERRATED, WAVES, net_promoter_score

Truth = dict[str, Any]
HORIZONS = (182.625, 365.25, 730.5)  # days: 6, 12, 24 months
MATTERS = {
    "technician_visit": "no",
    "billing": "yes",
    "phone_support": "only for customers of the escalation kind",
}


def tell_journeys(events: pd.DataFrame) -> Truth:
    """Tell the kinds of journey and how far apart journeys and contacts are."""
    events = events.sort_values(["customer_id", "n", "local_time"])
    waits = events.groupby(["customer_id", "n"])["local_time"].diff().dt.total_seconds() / 86_400
    journeys = (
        events.groupby(["customer_id", "n"])
        .agg(kind=("kind", "first"), first=("local_time", "min"), last=("local_time", "max"))
        .reset_index()
    )
    silence = journeys["first"] - journeys.groupby("customer_id")["last"].shift()
    return {
        "about": "Four kinds of journey; silence of more than 30 days ends a journey.",
        "file": "truth_journeys.csv.gz",
        "n_journeys": len(journeys),
        "n_events": len(events),
        "kinds": {kind: int((journeys["kind"] == kind).sum()) for kind in KINDS},
        "longest_wait_within_days": float(waits.max()),
        "shortest_silence_between_days": float(silence.dt.total_seconds().min() / 86_400),
    }


def tell_change(events: pd.DataFrame) -> Truth:
    """Tell how the change of month 20 moved what follows the plans page."""
    return {
        "about": "From this date readers of the plans page chat first and order in the app; "
        "nobody's hazard of leaving changes. Shares of plans_page contacts by what follows, "
        "periods by the day a journey began.",
        "date": str(CHANGE_DATE),
        "from_touchpoint": "plans_page",
        "all_journeys": next_shares(events, "plans_page"),
        "direct_journeys": next_shares(events[events["kind"] == "direct"], "plans_page"),
    }


def tell_complaints(events: pd.DataFrame) -> Truth:
    """Tell how many complaints were never answered."""
    moment = events["local_time"].where(events["touchpoint"] == "complaint")
    reply = events["local_time"].where(events["touchpoint"] == "complaint_reply")
    journey = [events["customer_id"], events["n"]]
    frame = pd.DataFrame({"complaint": moment.groupby(journey).min()})
    frame["reply"] = reply.groupby(journey).max()
    frame = frame.dropna(subset="complaint")
    waited = (frame["reply"] - frame["complaint"]).dt.total_seconds() / 86_400
    return {
        "about": "Complaints are begun by the customer (complaint), answers by the company "
        "(complaint_reply, at most 13 days later); the rest are never answered.",
        "unanswered_share": UNANSWERED_SHARE,
        "n_complaints": len(frame),
        "n_unanswered": int(frame["reply"].isna().sum()),
        "median_answer_days": float(waited.median()),
    }


def tell_survival() -> Truth:
    """Tell how long joiners stay, from the hazard itself."""
    incidence = true_cumulative_incidence(HORIZONS)
    return {
        "about": "Share of joiners (not of survivors) whose spell lasts longer, all causes "
        "together: the mean of exp(-H) over joiners by quadrature. A spell joins paid periods "
        "less than 30 days apart; a return after a longer gap is a new spell.",
        "days": list(HORIZONS),
        "survival": true_survival(HORIZONS).tolist(),
        "cumulative_incidence": {cause: share.tolist() for cause, share in incidence.items()},
    }


def tell_hazard() -> Truth:
    """Tell what moves the hazard of cancelling and what does not."""
    return {
        "about": "Hazard ratios of cancelling; per point of latent experience (perception minus "
        "expectation) at a touchpoint, and against other households. Payment failure has a "
        "constant hazard that depends on nothing. Region, age and plan change nothing.",
        "billing": HAZARD_RATIO_BILLING,
        "technician_visit": 1.0,
        "phone_support": {"escalation": HAZARD_RATIO_PHONE_ESCALATION, "other": 1.0},
        "household[shared]": HAZARD_RATIO_SHARED_HOUSEHOLD,
        "file": "truth_customers.csv.gz",
    }


def tell_spells(people: pd.DataFrame, spells: pd.DataFrame, periods: pd.DataFrame) -> Truth:
    """Tell what naive code takes for churn, and who joined before the extract."""
    ended = spells[spells["end_day"] <= LAST_DAY]
    return {
        "about": "Plan changes and pauses end a row, not a spell. Customers who joined before "
        "the extract are in it only if they were still there on 2023-07-01 (late entry).",
        "n_customers": len(people),
        "late_entry_share": float((people["joined_day"] < 0).mean()),
        "n_periods": len(periods),
        "n_spells": len(spells),
        "n_spells_ended": len(ended),
        "n_plan_changes": int((periods["end_reason"] == "plan_change").sum()),
        "n_pauses": int((periods["end_reason"] == "paused").sum()),
        "n_returns": int((spells["spell"] == 2).sum()),
        "cause_shares": ended["cause"].value_counts(normalize=True).sort_index().to_dict(),
    }


def tell_gaps(invited: pd.DataFrame, census: pd.DataFrame) -> Truth:
    """Tell the gaps of all invited customers: latent, and as they would show on the scale."""

    def tell(touchpoint: str, items: list[str], offset: float) -> Truth:
        latent = float(invited[f"gap_{touchpoint}"].mean()) + offset
        shown = sum(float((census[f"P_{i}"] - census[f"E_{i}"]).mean()) for i in items)
        sign = "falls short" if latent < 0 else "exceeds"
        return {"latent": latent, "on_scale": shown / len(items), "sign": sign}

    items = {name: tell(item.touchpoint, [name], item.offset) for name, item in ITEMS.items()}
    touchpoints = {
        touchpoint: tell(touchpoint, [n for n, i in ITEMS.items() if i.touchpoint == touchpoint], 0)
        | {"design": mean, "matters_for_staying": MATTERS.get(touchpoint, "no")}
        for touchpoint, mean in GAP_MEANS.items()
    }
    return {
        "about": "Perception minus expectation in points of the 1-7 scale, reversed items turned, "
        "mean of all invited customers of both waves, respondents or not. The largest gap "
        "(technician_visit) does not matter for staying, a small one (billing) does, "
        "phone_support is large and matters in one kind only.",
        "touchpoints": touchpoints,
        "items": items,
    }


def tell_nonresponse(invited: pd.DataFrame, census: pd.DataFrame) -> Truth:
    """Tell the score of all invited customers and the one respondents are expected to give."""
    waves = {}
    for wave in WAVES:
        chosen = invited["wave"] == wave
        recommend, chance = (
            census.loc[chosen, "recommend"],
            invited.loc[chosen, "response_probability"],
        )
        waves[wave] = {
            "n_invited": int(chosen.sum()),
            "n_responses": int(invited.loc[chosen, "responds"].sum()),
            "response_share": float(chance.mean()),
            "nps_all_invited": net_promoter_score(recommend),
            "nps_respondents_expected": net_promoter_score(recommend, chance),
        }
    return {
        "about": "Unhappy customers answer less often. Response depends on the health flag of "
        "`invitations` alone, so weighting by that flag recovers the score of all invited.",
        "waves": waves,
    }


def tell_employees(census: pd.DataFrame, beliefs: pd.DataFrame) -> Truth:
    """Tell by how much employees overrate what customers get, by item."""
    over = {name: (beliefs[f"B_{name}"] - census[f"P_{name}"].mean()).mean() for name in ITEMS}
    return {
        "about": "Mean belief of employees minus mean perception of all invited customers; "
        "more than 0.8 points on the overrated items, within 0.2 on all others.",
        "wave": EMPLOYEE_WAVE,
        "n_employees": len(beliefs),
        "n_teams": int(beliefs["unit"].nunique()),
        "overrated": list(OVERRATED),
        "belief_minus_perception": {name: float(value) for name, value in over.items()},
    }


def tell_seconds(answers: pd.DataFrame) -> Truth:
    """Tell how many customers answered faster than anyone can read, straight-liners included."""
    fast = answers["Seconds"] < FAST_SECONDS["C"][1]
    straight = find_straight_liners(answers)
    return {
        "about": "Seconds taken are log-normal; those below the number named here were planted, "
        "straight-liners (one number to every item) all among them. Clean rows of customers.",
        "fast_below_seconds": FAST_SECONDS["C"][1],
        "median_seconds": float(answers.loc[~fast, "Seconds"].median()),
        "n_fast": {wave: int(fast[answers["Wave"] == wave].sum()) for wave in WAVES},
        "n_straight": {wave: int(straight[answers["Wave"] == wave].sum()) for wave in WAVES},
    }


def tell_tolerance(census: pd.DataFrame, zone: pd.DataFrame) -> Truth:
    """Tell where perception lies between the minimum and what is desired."""
    told = {}
    for touchpoint in TOLERANCE:
        names = [name for name, item in ITEMS.items() if item.touchpoint == touchpoint]
        over = np.mean([(census[f"P_{n}"] - zone[f"L_{n}"]).mean() for n in names])
        under = np.mean([(census[f"P_{n}"] - zone[f"D_{n}"]).mean() for n in names])
        place = "below the minimum" if over < 0 else "within the zone"
        told[touchpoint] = {
            "adequacy": float(over),
            "superiority": float(under),
            "verdict": "above what is desired" if under > 0 else place,
        }
    return {
        "about": "Perception minus minimum (adequacy) and minus desired (superiority), points of "
        "the 1-7 scale, mean of all invited customers, respondents or not.",
        "touchpoints": told,
    }


def tell_importance() -> Truth:
    """Tell what customers say is important."""
    return {
        "about": "Mean points of 100. What goes with recommending is billing (its items belong to "
        "assurance and empathy) and, in one kind of customer, phone support: not what is stated. "
        "One in a hundred gives 110 points.",
        "points": STATED,
    }


def tell_kano() -> Truth:
    """Tell the category of each planned feature."""
    return {
        "about": "Shares of the Kano categories in the order named, exact in each wave before "
        "straight-liners and answers left out. 'undecided': two categories are equally common.",
        "order": list(KANO),
        "features": {
            name: {"category": category, "shares": list(shares)}
            for name, (_, category, shares) in FEATURES.items()
        },
    }


def tell_comments(invited: pd.DataFrame, census: pd.DataFrame, comments: pd.DataFrame) -> Truth:
    """Tell how common each theme is, in which segment, and what it does to the score."""
    mention = mention_chances(invited)
    writes = invited["response_probability"].to_numpy() * comment_chance(invited)
    recommend = census["recommend"]
    score = net_promoter_score(recommend, pd.Series(writes, invited.index))
    themes = {}
    for number, name in enumerate(NAMES):
        own = mention[:, number]
        without = net_promoter_score(recommend, pd.Series(writes * (1 - own), invited.index))
        said = comments["themes"].str.split().map(lambda names, name=name: name in names)
        themes[name] = {
            "n": int(said.sum()),
            "share": float(np.average(own, weights=writes)),
            "nps_effect": score - without,
            "share_by": {
                column: {
                    str(group): float(np.average(own[rows], weights=writes[rows]))
                    for group, rows in invited.groupby(column).indices.items()
                }
                for column in ("age_band", "acquisition_channel")
            },
        }
    return {
        "about": "Expected of all who might have written. nps_effect is the score of those who "
        "write minus the score of those whose comment does not mention the theme. Young customers "
        "write more of the app, those who joined in a store more of its staff; of other "
        "attributes only what goes with them matters. Per comment: the file named here.",
        "file": "truth_comments.csv.gz",
        "n_comments": len(comments),
        "nps_of_commenters": score,
        "no_theme": NO_THEME,
        "n_other_language": len(FOREIGN),
        "personal": {kind: sum(own == kind for own, _ in PERSONAL) for kind in dict(PERSONAL)},
        "themes": themes,
    }


def tell_dirt(bad: Bad) -> Truth:
    """Tell how many rows went wrong, by table and rule."""
    dirty = {
        table: {rule: len(rows) for rule, rows in rules.items()} for table, rules in bad.items()
    }
    return {
        "dirty_about": "Rows gone wrong, by table and rule. They are refused, but for those named "
        "'emptied', which lose one value, and 'off the scale' and 'bad number' of answers, which "
        "lose one answer. Survey rows are rows of the export, one a respondent.",
        "dirty": dirty,
        "hostile": {
            "about": "Two attributes of one customer each, which a page must show as plain text.",
            "customers": list(HOSTILE.values()),
        },
    }


def round_numbers(value: Any) -> Any:
    """Round every number of a nested value to six places, so that the file reads easily."""
    if isinstance(value, dict):
        return {key: round_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [round_numbers(inner) for inner in value]
    return round(value, 6) if isinstance(value, float) else value
