"""Make the sample company: its exports, and the truth planted in them.

    python data/samples/make_samples.py [--out DIR]

The same seed gives the same bytes. The `truth_` files and truth.json are for tests and the
curious; no notebook reads them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import _comments as comments_
import _exports as exports
import _journeys as journeys
import _people as people_
import _ratings as ratings
import _survey as survey
import _truth as truth
import numpy as np
import pandas as pd

SEED = 27


@dataclass(frozen=True)
class Company:
    """The clean company, before anything goes wrong on the way into an export.

    Each field is a tidy table: one customer, spell, paid period, contact, invited customer, full
    set of answers of an invited customer (`census`, with `zone` of what is tolerated), employee,
    comment.
    """

    people: pd.DataFrame
    spells: pd.DataFrame
    periods: pd.DataFrame
    events: pd.DataFrame
    invited: pd.DataFrame
    census: pd.DataFrame
    zone: pd.DataFrame
    beliefs: pd.DataFrame
    comments: pd.DataFrame


def part(number: int) -> np.random.Generator:
    """Return the random numbers of one part, so that changing a part leaves the others alone."""
    return np.random.default_rng([SEED, number])


def build_company() -> Company:
    """Draw the company from the seed."""
    rng = part(1)
    people, spells = people_.draw_spells(rng, people_.draw_people(rng))
    people = survey.add_experience(part(2), people)
    invited = survey.draw_invited(part(3), people, spells)
    census = survey.draw_answers(part(4), invited)
    return Company(
        people=people,
        spells=spells,
        periods=people_.split_periods(part(5), spells),
        events=journeys.draw_events(part(6), people, spells),
        invited=invited,
        census=census,
        zone=ratings.draw_zone(part(40), census),
        beliefs=survey.draw_beliefs(part(7), census),
        comments=comments_.draw_comments(part(47), invited),
    )


def list_customer_answers(company: Company) -> pd.DataFrame:
    """Return the survey rows of those who responded, as the survey tool holds them."""
    responds = company.invited["responds"]
    who = company.invited[responds]
    head = pd.DataFrame(
        {
            "Resp": who["respondent_id"],
            "Panel": "C",
            "Account": who["customer_id"],
            "Wave": who["wave"],
            "Answered": exports.date_texts(who["answered_day"], "%d-%m-%Y"),
            "Team": "",
        }
    )
    given = survey.spoil_answers(part(8), company.census[responds])
    more = ratings.answer_more(part(41), given, company.zone[responds], who["wave"])
    more["Seconds"] = ratings.draw_seconds(part(42), "C", ratings.find_straight_liners(given))
    return head.join(given.drop(columns="respondent_id")).join(more)


def list_employee_answers(company: Company) -> pd.DataFrame:
    """Return the survey rows of employees."""
    beliefs = survey.spoil_answers(part(9), company.beliefs)
    head = pd.DataFrame(
        {
            "Resp": beliefs["respondent_id"],
            "Panel": "E",
            "Wave": survey.EMPLOYEE_WAVE,
            "Answered": "17-11-2025",
            "Team": beliefs["unit"],
        }
    )
    straight = ratings.find_straight_liners(beliefs)
    head["Seconds"] = ratings.draw_seconds(part(43), "E", straight)
    return head.join(beliefs.drop(columns=["respondent_id", "unit"]))


def write_tables(company: Company, folder: Path) -> exports.Bad:
    """Write every export, dirt included, and return the bad rows by table and rule."""
    answers = list_customer_answers(company)
    clean = {
        "events": exports.list_contacts(company.events),
        "customers": exports.list_accounts(part(10), company.people),
        "subscriptions": exports.list_contracts(company.periods),
        "answers": exports.list_survey(answers),
        "invitations": exports.list_invitations(company.invited),
        "touchpoints": exports.list_touchpoints(),
        "incidents": exports.list_incidents(),
        "comments": exports.list_comments(company.comments),
    }
    rows, origins, bad = {}, {}, {}
    for number, (table, dirt) in enumerate(exports.DIRT.items()):
        rows[table], origins[table], bad[table] = exports.add_dirt(
            part(20 + number), clean[table], dirt
        )
    halves = _half_years(company.events["local_time"])
    for half, contacts in _split(rows["events"], [halves[i] for i in origins["events"]]):
        text = exports.to_text([exports.CONTACTS, *contacts])
        exports.write_gzip(folder / f"contacts_{half}.csv.gz", text)
    waves = answers["Wave"].tolist()
    for wave, given in _split(rows["answers"], [waves[i] for i in origins["answers"]]):
        _write(folder / f"survey_customers_{wave}.csv", exports.SURVEY, given)
    believed = exports.list_survey(list_employee_answers(company))
    _write(folder / f"survey_employees_{survey.EMPLOYEE_WAVE}.csv", exports.SURVEY, believed)
    _write_windows(folder / "accounts.csv", exports.ACCOUNTS, rows["customers"])
    _write_windows(folder / "contracts.csv", exports.CONTRACTS, rows["subscriptions"])
    _write(folder / "invitations.csv", exports.INVITATIONS, rows["invitations"])
    _write(folder / "items.csv", exports.ITEMS_HEAD, exports.list_items())
    _write(folder / "touchpoints.csv", exports.TOUCHPOINTS_HEAD, rows["touchpoints"])
    _write(folder / "incidents.csv", exports.INCIDENTS_HEAD, rows["incidents"])
    _write(folder / "comments.csv", exports.COMMENTS, rows["comments"])
    return bad


def _half_years(moments: pd.Series) -> list[str]:
    halves = (moments.dt.month + 5) // 6
    return [f"{year}H{half}" for year, half in zip(moments.dt.year, halves, strict=True)]


def _split(rows: list[exports.Cells], keys: list[str]) -> Iterable[tuple[str, list[exports.Cells]]]:
    """Yield each key with its rows, in the order of rows."""
    for key in dict.fromkeys(keys):
        yield key, [row for row, own in zip(rows, keys, strict=True) if own == key]


def _write(path: Path, header: exports.Cells, rows: list[exports.Cells]) -> None:
    path.write_bytes(exports.to_text([header, *rows]).encode())


def _write_windows(path: Path, header: exports.Cells, rows: list[exports.Cells]) -> None:
    """Write as an older office system does: code page 1252, semicolons, CRLF."""
    text = exports.to_text([header, *rows], delimiter=";", newline="\r\n")
    path.write_bytes(text.encode("cp1252"))


def write_truth(
    company: Company, bad: dict[str, dict[str, list[exports.Cells]]], out: Path
) -> None:
    """Write truth.json and, row by row, the kind of each journey and what drives each customer."""
    told = {
        "about": "What was planted in the sample company; numbers a study should find again.",
        "seed": SEED,
        "extract_start": str(people_.EXTRACT_START),
        "as_of": str(people_.AS_OF),
        "journeys": truth.tell_journeys(company.events),
        "journey_change": truth.tell_change(company.events),
        "complaints": truth.tell_complaints(company.events),
        "survival": truth.tell_survival(),
        "hazard": truth.tell_hazard(),
        "spells": truth.tell_spells(company.people, company.spells, company.periods),
        "gaps": truth.tell_gaps(company.invited, company.census),
        "nonresponse": truth.tell_nonresponse(company.invited, company.census),
        "employees": truth.tell_employees(company.census, company.beliefs),
        "seconds": truth.tell_seconds(list_customer_answers(company)),
        "tolerance": truth.tell_tolerance(company.census, company.zone),
        "stated_importance": truth.tell_importance(),
        "kano": truth.tell_kano(),
        "comments": truth.tell_comments(company.invited, company.census, company.comments),
        **truth.tell_dirt(bad),
    }
    text = json.dumps(truth.round_numbers(told), indent=2, ensure_ascii=False)
    (out / "truth.json").write_bytes(f"{text}\n".encode())
    kinds = company.events.groupby(["customer_id", "n"], sort=True)["kind"].first().reset_index()
    kinds.insert(0, "journey_id", kinds["customer_id"] + "-" + kinds["n"].astype(str))
    people = company.people
    latent = people[["customer_id", "kind"]].join(
        people[[*people.filter(like="gap_"), "log_hazard_ratio"]].round(3)
    )
    written = company.comments[["respondent_id", "themes", "language", "holds"]]
    for name, table in {"journeys": kinds, "customers": latent, "comments": written}.items():
        text = table.to_csv(index=False, lineterminator="\n")
        exports.write_gzip(out / f"truth_{name}.csv.gz", text)


def write_samples(out: Path) -> Company:
    """Write everything into a folder and return the clean company."""
    folder = out / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    company = build_company()
    write_truth(company, write_tables(company, folder), out)
    return company


def main() -> None:
    """Read the command line and write the samples."""
    parser = argparse.ArgumentParser(description="Make the sample company.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    write_samples(parser.parse_args().out)


if __name__ == "__main__":
    main()
