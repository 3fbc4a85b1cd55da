"""Exports of the sample company: its systems' own columns and codes, with rows gone wrong.

A row that a reader must refuse is always an extra one, put straight after the row it was made
from; what is left after refusing is therefore the clean company. Values that a reader empties are
spoilt in place.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from _journeys import CHANGE_DATE, TOUCHPOINTS
from _people import EXTRACT_START
from _ratings import ADDED, FEATURES, STATED
from _survey import ITEMS, MISSING_CODE, OUTCOMES

Cells = list[str]
Bad = dict[str, dict[str, list[Cells]]]  # bad rows by table and rule
MEDIUM_CODES = {
    "web": "WEB",
    "app": "APP",
    "social": "SOC",
    "e-mail": "EML",
    "phone": "TEL",
    "store": "SHOP",
    "home": "HOME",
}
DIRECTION_CODES = {"customer": "IN", "company": "OUT"}
JOINED_CODES = {"online": "W", "comparison_site": "C", "store": "S"}
END_CODES = {
    "": "",
    "cancelled": "CAN",
    "payment_failure": "NPY",
    "plan_change": "SWP",
    "paused": "PAU",
}
HEALTH_CODES = {"green": "G", "amber": "A", "red": "R"}
AGE_UNKNOWN_SHARE, UNKNOWN_CODE = 0.02, "n/k"
HOSTILE = {1: "<script>alert(1)</script>", 2: "=cmd()"}  # column of accounts: text in one row
HOSTILE_ROWS = {1: 1_234, 2: 4_321}

CONTACTS = ["ContactNo", "CustNo", "LocalTime", "Contact", "Medium", "Direction", "Amount"]
ACCOUNTS = ["AccountRef", "County", "Household", "AgeBand", "HowJoined", "PaperBill"]
CONTRACTS = ["ContractNo", "AccountRef", "Start", "End", "Product", "Fee €", "EndCode"]
ITEMS_HEAD = ["Code", "Wording", "Dimension", "Touchpoint", "Lowest", "Highest", "Better"]
ITEMS_HEAD += ["Score", "Expects", "Kind", "Role"]
TOUCHPOINTS_HEAD = ["Name", "Stage", "Channel", "Team", "UnitCost"]
INCIDENTS_HEAD = ["Date", "What", "Where"]
INVITATIONS = ["Resp", "Account", "Invited", "Wave", "Health"]
SURVEY_HEAD = ["Resp", "Panel", "Account", "Wave", "Answered", "Team"]
RATINGS = [f"{role}_{name}" for role in "EPB" for name in ITEMS]
SURVEY = SURVEY_HEAD + RATINGS + list(OUTCOMES) + ADDED + ["Seconds"]
COMMENTS = ["Resp", "Account", "Date", "Touchpoint", "Text"]


@dataclass(frozen=True)
class Dirt:
    """One way rows go wrong: how many, how, and to which rows it may happen.

    `make` gets the cells of a clean row and a running number and returns the bad row; the clean
    row stays unless `replaces`.
    """

    n: int
    make: Callable[[Cells, int], Cells]
    replaces: bool = False
    among: Callable[[Cells], bool] = bool


def _set(**cells: str | tuple[str, ...]) -> Callable[[Cells, int], Cells]:
    """Write texts into cells, given as `c<position>`; of several texts each in turn."""

    def make(row: Cells, number: int) -> Cells:
        row = list(row)
        for key, texts in cells.items():
            texts = (texts,) if isinstance(texts, str) else texts
            row[int(key[1:])] = texts[number % len(texts)].format(number)
        return row

    return make


def _misplace_fields(row: Cells, number: int) -> Cells:
    return row[:-2] if number % 2 else [*row, "", "?"]


def _turn_answers(row: Cells, number: int) -> Cells:
    """Answer again, every rating another value, the same ones left out."""
    first = len(SURVEY_HEAD)
    ratings = row[first : first + len(RATINGS)]
    turned = [x if x in ("", MISSING_CODE) else str(int(x) % 7 + 1) for x in ratings]
    return row[:first] + turned + row[first + len(RATINGS) :]


_RATED = SURVEY.index("P_bill_clear")
_GAP_TIMES = ("31.03.2024 01:{:02d}:00", "30.03.2025 01:{:02d}:30")  # clocks went forward
_FOLD_TIMES = ("29.10.2023 01:{:02d}:00", "27.10.2024 01:{:02d}:30")  # clocks went back
DIRT = {
    "events": {
        "exact duplicate": Dirt(40, lambda row, number: row),
        "missing customer_id": Dirt(24, _set(c0="9{:06d}", c1="")),
        "bad date": Dirt(16, _set(c0="91{:05d}", c2=("not a date", "31.02.2024 10:15:00"))),
        "after as_of": Dirt(12, _set(c0="92{:05d}", c2="09.01.2026 11:{:02d}:00")),
        "local time does not exist": Dirt(8, _set(c0="93{:05d}", c2=_GAP_TIMES)),
        "local time exists twice": Dirt(6, _set(c0="94{:05d}", c2=_FOLD_TIMES)),
        "wrong number of fields": Dirt(10, _misplace_fields),
        "duplicate event_id": Dirt(14, _set(c3="newsletter", c4="EML", c5="OUT", c6="1.11")),
        "bad value": Dirt(9, _set(c0="95{:05d}", c5="BOT")),
        "bad number emptied": Dirt(
            11, _set(c6="n/a"), replaces=True, among=lambda row: row[6] != ""
        ),
    },
    "customers": {
        "exact duplicate": Dirt(6, lambda row, number: row),
        "missing customer_id": Dirt(5, _set(c0="")),
        "duplicate customer_id": Dirt(8, _set(c1="Sligo", c3=UNKNOWN_CODE)),
        "wrong number of fields": Dirt(5, _misplace_fields),
    },
    "subscriptions": {
        "exact duplicate": Dirt(25, lambda row, number: row),
        "missing customer_id": Dirt(8, _set(c0="K9{:05d}", c1="")),
        "bad date": Dirt(
            10, _set(c0="K8{:05d}", c2=("2024-02-31", "2024-02-01"), c3=("", "unknown"))
        ),
        "after as_of": Dirt(6, _set(c0="K7{:05d}", c2="2026-01-15", c3="", c6="")),
        "ended before it started": Dirt(
            12, _set(c0="K6{:05d}", c2="2024-06-10", c3="2024-05-02", c6="CAN")
        ),
        "wrong number of fields": Dirt(7, _misplace_fields),
        "ended_at after as_of emptied": Dirt(
            24,
            _set(c3=("9999-12-31", "2026-04-30")),
            replaces=True,
            among=lambda row: row[3] == "",
        ),
        "bad number emptied": Dirt(9, _set(c5="n/a"), replaces=True),
    },
    "answers": {
        "exact duplicate": Dirt(8, lambda row, number: row),
        "missing respondent_id": Dirt(5, _set(c0="")),
        "bad date": Dirt(6, _set(c0="S9-1{:04d}", c4=("30-02-2025", "soon"))),
        "after as_of": Dirt(5, _set(c0="S9-2{:04d}", c4="09-01-2026")),
        "bad value": Dirt(5, _set(c0="S9-3{:04d}", c1="T")),
        "wrong number of fields": Dirt(5, _misplace_fields),
        "duplicate respondent_id, wave, source": Dirt(7, _turn_answers),
        "off the scale": Dirt(
            12, _set(**{f"c{_RATED}": ("8", "0", "77")}), True, lambda row: _is_rated(row)
        ),
        "bad number": Dirt(8, _set(**{f"c{_RATED}": "n/a"}), True, lambda row: _is_rated(row)),
    },
    "invitations": {
        "exact duplicate": Dirt(6, lambda row, number: row),
        "missing respondent_id": Dirt(5, _set(c0="")),
        "bad date": Dirt(5, _set(c0="S9-4{:04d}", c2="2025-02-30")),
        "duplicate respondent_id, wave": Dirt(5, _set(c4=("R", "G"), c2="2025-05-09")),
    },
    "touchpoints": {"duplicate touchpoint": Dirt(1, _set(c1="attraction", c4="999"))},
    "incidents": {"after as_of": Dirt(1, _set(c0="2026-02-02", c1="New price list"))},
    "comments": {
        "exact duplicate": Dirt(8, lambda row, number: row),
        "missing respondent_id": Dirt(5, _set(c0="")),
        "missing text": Dirt(6, _set(c4=("", "   "))),
        "bad date": Dirt(5, _set(c0="S9-5{:04d}", c2=("30-02-2025", "soon"))),
        "after as_of": Dirt(5, _set(c0="S9-6{:04d}", c2="09-01-2026")),
        "wrong number of fields": Dirt(5, _misplace_fields),
    },
}


def _is_rated(row: Cells) -> bool:
    return row[_RATED] not in ("", MISSING_CODE)


def add_dirt(
    rng: np.random.Generator, rows: list[Cells], dirt: dict[str, Dirt]
) -> tuple[list[Cells], list[int], dict[str, list[Cells]]]:
    """Let rows go wrong, no clean row in more than one way.

    Returns all rows, for each the position of the clean row it stems from, and the bad rows by
    rule.
    """
    spoilt: dict[int, tuple[Cells, bool]] = {}
    bad: dict[str, list[Cells]] = {}
    for rule, how in dirt.items():
        free = [i for i, row in enumerate(rows) if i not in spoilt and how.among(row)]
        chosen = rng.choice(free, how.n, replace=False).tolist()
        bad[rule] = [how.make(rows[i], number) for number, i in enumerate(chosen)]
        spoilt |= {i: (row, how.replaces) for i, row in zip(chosen, bad[rule], strict=True)}
    written: list[Cells] = []
    origins: list[int] = []
    for i, row in enumerate(rows):
        extra, replaces = spoilt.get(i, ([], False))
        group = [extra] if replaces else [row, extra] if extra else [row]
        written += group
        origins += [i] * len(group)
    return written, origins, bad


def to_text(rows: list[Cells], *, delimiter: str = ",", newline: str = "\n") -> str:
    """Write rows as delimited text."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=newline).writerows(rows)
    return text.getvalue()


def write_gzip(path: Path, text: str) -> None:
    """Compress a text so that the same text gives the same bytes: no name, no time of writing."""
    with path.open("wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
        packed.write(text.encode())


def date_texts(days: pd.Series, pattern: str = "%Y-%m-%d") -> list[str]:
    """Write days of the extract as dates; a missing day is an empty text."""
    dates = pd.Series(EXTRACT_START + pd.to_timedelta(days.astype("Float64"), unit="D"))
    return dates.dt.strftime(pattern).fillna("").tolist()


def list_contacts(events: pd.DataFrame) -> list[Cells]:
    """List the rows of the contact system: local time of Ireland, codes for medium, direction."""
    value = [f"{amount:.2f}" if amount == amount else "" for amount in events["value"]]
    columns = [
        events["event_id"],
        events["customer_id"],
        events["local_time"].dt.strftime("%d.%m.%Y %H:%M:%S"),
        events["touchpoint"],
        events["channel"].map(MEDIUM_CODES),
        events["initiated_by"].map(DIRECTION_CODES),
        value,
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def list_accounts(rng: np.random.Generator, people: pd.DataFrame) -> list[Cells]:
    """List the rows of the customer file, with two hostile texts a page must not run."""
    columns = [
        people["customer_id"],
        people["region"],
        people["household"],
        people["age_band"],
        people["acquisition_channel"].map(JOINED_CODES),
        rng.choice(["yes", "no"], len(people), p=[0.2, 0.8]).tolist(),
    ]
    rows = [list(row) for row in zip(*columns, strict=True)]
    for i in rng.choice(len(rows), int(AGE_UNKNOWN_SHARE * len(rows)), replace=False):
        rows[i][ACCOUNTS.index("AgeBand")] = UNKNOWN_CODE
    for column, text in HOSTILE.items():
        rows[HOSTILE_ROWS[column]][column] = text
    return rows


def list_contracts(periods: pd.DataFrame) -> list[Cells]:
    """List the rows of the contract system: one a paid period, open ones without an end."""
    columns = [
        [f"K{number:06d}" for number in range(1, len(periods) + 1)],
        periods["customer_id"],
        date_texts(periods["start_day"]),
        date_texts(periods["end_day"]),
        periods["plan"],
        [f"{fee:.2f}" for fee in periods["monthly_value"]],
        periods["end_reason"].map(END_CODES),
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def list_invitations(invited: pd.DataFrame) -> list[Cells]:
    """List whom the survey tool invited, with the health flag of the customer file."""
    columns = [
        invited["respondent_id"],
        invited["customer_id"],
        date_texts(invited["invited_day"]),
        invited["wave"],
        invited["health"].map(HEALTH_CODES),
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def list_survey(answers: pd.DataFrame) -> list[Cells]:
    """List survey rows: `answers` has the columns of the export it fills; a left-out rating is 99.

    Ratings of roles that were not asked stay empty.
    """
    asked = [name for name in SURVEY if name in answers]
    texts = answers.reindex(columns=SURVEY).astype(object)
    for name in [name for name in asked if name not in SURVEY_HEAD]:
        texts[name] = [MISSING_CODE if x != x else str(int(x)) for x in answers[name]]
    return texts.fillna("").to_numpy().tolist()


def list_items() -> list[Cells]:
    """List the survey's items, its outcomes, the dimensions as weighed, and planned features."""
    rows = []
    for name, item in ITEMS.items():
        better = "-" if item.is_reversed else "+"
        asked = [name, item.text, item.dimension, item.touchpoint]
        rows.append([*asked, "1", "7", better, "", "should", item.kind, ""])
    for name, (metric, low, high, text) in OUTCOMES.items():
        rows.append([name, text, "", "", str(low), str(high), "+", metric, "", "", ""])
    for name in STATED:
        text = f"Of 100 points: {name}"
        rows.append([name, text, name, "", "0", "100", "+", "", "", "", "importance"])
    for name, (text, *_) in FEATURES.items():
        rows.append([name, text, "", "", "1", "5", "", "", "", "", ""])
    return rows


def list_comments(comments: pd.DataFrame) -> list[Cells]:
    """List the comments as the survey tool holds them, in the order they were written."""
    comments = comments.sort_values(["answered_day", "respondent_id"])
    dates = date_texts(comments["answered_day"].reset_index(drop=True), "%d-%m-%Y")
    own = comments[["respondent_id", "customer_id", "touchpoint", "text"]].to_numpy().tolist()
    return [
        [who, account, day, *said] for (who, account, *said), day in zip(own, dates, strict=True)
    ]


def list_touchpoints() -> list[Cells]:
    """List the touchpoints."""
    return [
        [name, stage, channel, department, f"{cost:.2f}"]
        for name, (stage, channel, department, cost) in TOUCHPOINTS.items()
    ]


def list_incidents() -> list[Cells]:
    """List marked changes: the third is the planted one, the others changed nothing."""
    return [
        ["2024-02-12", "Brand campaign", "social_ad"],
        ["2024-09-02", "New bill layout", "billing"],
        [str(CHANGE_DATE), "Sales chat and app ordering go live", "plans_page"],
    ]
